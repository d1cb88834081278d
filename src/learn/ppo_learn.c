// SPDX-License-Identifier: Apache-2.0
// ppo_learn.c - see ppo.h: the gradient of a minibatch, part by part, and the step along it.
#include "learn/ppo_in.h"

#include <math.h>
#include <string.h>

void qi_ppo_pack(qi_ppo *p) {
    if (!p->def.half) return;
    p->op->pack(&p->actor, p->param, p->packed[0]);
    p->op->pack(&p->critic, p->param + p->at_critic, p->packed[1]);
}
float *qi_ppo_forward(qi_ppo *p, int net, part *w, int rows) {
    const qi_mlp *n = net ? &p->critic : &p->actor;
    const float *par = p->param + (net ? p->at_critic : 0);
    if (!p->def.half) {
        p->op->forward(n, par, rows, w->act);
        return w->act + (qi_mlp_row(n) - (size_t)n->ld[n->nlayer]) * (size_t)rows;
    }
    float *out = w->act + (size_t)rows * qi_ppo_wide(p, net);
    p->op->forward_half(n, par, p->packed[net], rows, w->act, w->held, out, w->scratch);
    return out;
}
void qi_ppo_backward(qi_ppo *p, int net, part *w, int rows, float *grad) {
    const qi_mlp *n = net ? &p->critic : &p->actor;
    size_t at = net ? p->at_critic : 0;
    if (p->def.half)
        p->op->backward_half(n, p->packed[net], rows, w->held, w->dout, grad + at, w->scratch);
    else
        p->op->backward(n, p->param + at, rows, w->act, w->dout, grad + at, NULL, w->scratch);
}

// Rows of the order, keyed by iteration and epoch: runs of 16, which lie side by side, are shuffled
// (Fisher and Yates), for they are of different worlds.
static void shuffle(qi_ppo *p, int epoch) {
    enum { RUN = 16 };
    size_t all = (size_t)p->env.n * (size_t)p->def.horizon, n = (all + RUN - 1) / RUN, k = 0;
    qiao_rng r = {.seed = p->def.seed, .trial = p->iteration, .purpose = RNG_ORDER};
    for (size_t i = 0; i < n; i++) p->run[i] = (uint32_t)i;
    for (size_t i = n; i-- > 1;) {
        size_t j = (size_t)(qiao_rng_uniform(&r, i, (uint32_t)epoch) * (double)(i + 1));
        uint32_t keep = p->run[i];
        p->run[i] = p->run[j], p->run[j] = keep;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t row = (size_t)p->run[i] * RUN, end = row + RUN; row < end && row < all; row++)
            p->order[k++] = (uint32_t)row;
}

// Rows as ordered, those that follow one another at once.
static void gather(const float *from, size_t ld, const uint32_t *order, int rows, float *to) {
    for (int i = 0, k; i < rows; i = k) {
        for (k = i + 1; k < rows && order[k] == order[k - 1] + 1;) k++;
        memcpy(to + (size_t)i * ld, from + order[i] * ld, (size_t)(k - i) * ld * sizeof *to);
    }
}

static void mirror_row(const qi_ppo *p, const float *from, float *to) {
    const qi_env *e = &p->env;
    typedef uint16_t __attribute__((may_alias)) half;
    const half *h = (const void *)from;
    half *g = (void *)to;
    for (int k = 0; k < e->nobs; k++)
        if (p->def.half)
            g[k] = h[e->mirror_obs[k]] ^ (e->sign_obs[k] < 0 ? 0x8000 : 0);
        else
            to[k] = e->sign_obs[k] * from[e->mirror_obs[k]];
}

// Mean action on mirrored inputs should be the mirrored mean: adds the slope, returns the loss.
// The other side is held fixed. source: F. Abdolhosseini et al., On learning symmetric locomotion
// (2019), mirror loss
static double mirror(qi_ppo *p, part *w, const uint32_t *order, int rows, double share,
                     const float *mu, float *grad) {
    const qi_env *e = &p->env;
    float want[CHUNK * 64];
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < e->nact; j++)
            want[i * 64 + j] = e->sign_act[j] * mu[i * p->ldu + e->mirror_act[j]];
    for (int i = 0; i < rows; i++) {
        size_t wide = qi_ppo_wide(p, 0);
        mirror_row(p, p->obs + (size_t)order[i] * wide, w->act + (size_t)i * wide);
    }
    mu = qi_ppo_forward(p, 0, w, rows);
    double loss = 0;
    memset(w->dout, 0, (size_t)(rows * p->ldu) * sizeof *w->dout);
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < e->nact; j++) {
            float off = mu[i * p->ldu + j] - want[i * 64 + j];
            loss += 0.5 * off * off;
            w->dout[i * p->ldu + j] = (float)(p->def.symmetry * share) * off;
        }
    qi_ppo_backward(p, 0, w, rows, grad);
    return loss * share;
}

static void learn_critic(qi_ppo *p, part *w, const uint32_t *order, int rows, float *grad) {
    float *old = w->row, *target = old + CHUNK;
    gather(p->value, 1, order, rows, old), gather(p->target, 1, order, rows, target);
    gather(p->cobs, qi_ppo_wide(p, 1), order, rows, w->act);
    const float *now = qi_ppo_forward(p, 1, w, rows);
    p->op->value(&p->def.rule, rows, 1 / (double)p->rows, now, old, target, w->dout, &w->sums[1]);
    qi_ppo_backward(p, 1, w, rows, grad);
}

static void learn_actor(qi_ppo *p, part *w, const uint32_t *order, int rows, float *grad) {
    size_t ldu = (size_t)p->ldu;
    double share = 1 / (double)p->rows, sums[3] = {0};
    float *action = w->row, *mean = action + CHUNK * ldu, *logp = mean + CHUNK * ldu;
    float *adv = logp + CHUNK;
    gather(p->action, ldu, order, rows, action), gather(p->mean, ldu, order, rows, mean);
    gather(p->logp, 1, order, rows, logp), gather(p->advantage, 1, order, rows, adv);
    gather(p->obs, qi_ppo_wide(p, 0), order, rows, w->act);
    const float *mu = qi_ppo_forward(p, 0, w, rows);
    p->op->policy(&p->def.rule, rows, p->env.nact, p->ldu, share, mu, p->param + p->at_std, mean,
                  p->logstd, action, logp, adv, w->dout, grad + p->at_std, sums);
    w->sums[0] += sums[0], w->sums[2] += sums[1], w->sums[3] += sums[2];
    qi_ppo_backward(p, 0, w, rows, grad);
    if (p->def.symmetry > 0 && p->env.mirror_obs)
        w->sums[4] += mirror(p, w, order, rows, share, mu, grad);
}

static void learn_parts(void *ctx, int thread, int first, int last) {
    qi_ppo *p = ctx;
    (void)thread;
    for (int s = first; s < last; s++) {
        part *w = &p->part[s];
        float *grad = p->grad + (size_t)s * p->nparam;
        memset(grad, 0, p->nparam * sizeof *grad), memset(w->sums, 0, sizeof w->sums);
        for (size_t at = (size_t)s * CHUNK; at < p->rows; at += SLOTS * CHUNK) {
            int rows = p->rows - at < CHUNK ? (int)(p->rows - at) : CHUNK;
            learn_critic(p, w, p->order + p->from + at, rows, grad);
            learn_actor(p, w, p->order + p->from + at, rows, grad);
        }
    }
}

// Sum of all parts' gradients into the first, piece by piece, and of its squares.
static void add_pieces(void *ctx, int thread, int first, int last) {
    qi_ppo *p = ctx;
    (void)thread;
    for (int piece = first; piece < last; piece++) {
        size_t from = p->nparam * (size_t)piece / SLOTS,
               to = p->nparam * (size_t)(piece + 1) / SLOTS;
        double sq = 0;
        for (int s = 1; s < SLOTS; s++) {
            const float *g = p->grad + (size_t)s * p->nparam;
            for (size_t i = from; i < to; i++) p->grad[i] += g[i];
        }
        for (size_t i = from; i < to; i++) sq += (double)p->grad[i] * p->grad[i];
        p->part[piece].square = sq;
    }
}
static double add_up(qi_ppo *p) { // the norm of the sum
    double sq = 0;
    qi_pool_run(p->pool, SLOTS, add_pieces, p);
    for (int s = 0; s < SLOTS; s++) sq += p->part[s].square;
    return sqrt(sq);
}

// The rate follows the divergence: away from twice and from half of what it aims at.
static void follow(qi_ppo *p, double kl) {
    if (p->def.kl <= 0) return;
    if (kl > 2 * p->def.kl) p->rate /= 1.5;
    if (kl < 0.5 * p->def.kl && kl > 0) p->rate *= 1.5;
    p->rate = p->rate < 1e-5 ? 1e-5 : p->rate > 1e-2 ? 1e-2 : p->rate;
}

void qi_ppo_learn(qi_ppo *p, qi_ppo_stats *s) {
    size_t all = (size_t)p->env.n * (size_t)p->def.horizon, nb = (size_t)p->def.minibatches;
    double sums[5] = {0}, norm = 0, count = 0;
    for (int epoch = 0; epoch < p->def.epochs; epoch++) {
        shuffle(p, epoch);
        for (size_t b = 0; b < nb; b++) {
            p->from = all * b / nb, p->rows = all * (b + 1) / nb - p->from;
            qi_pool_run(p->pool, SLOTS, learn_parts, p);
            double kl = 0;
            for (int k = 0; k < SLOTS; k++) kl += p->part[k].sums[3];
            for (int i = 0; i < 5; i++)
                for (int k = 0; k < SLOTS; k++) sums[i] += p->part[k].sums[i];
            follow(p, kl);
            double g = add_up(p), scale = g > p->def.grad_max ? p->def.grad_max / g : 1;
            norm += g, count++;
            if (isfinite(g)) // a broken minibatch is passed over
                p->op->adam(p->nparam, p->rate, ++p->updates, scale, p->grad, p->m, p->v, p->param);
            qi_ppo_pack(p);
        }
    }
    p->iteration++;
    s->policy = sums[0] / count, s->value = sums[1] / count, s->entropy = sums[2] / count;
    s->kl = sums[3] / count, s->symmetry = sums[4] / count;
    s->rate = p->rate, s->grad = norm / count, s->std = 0;
    for (int j = 0; j < p->env.nact; j++)
        s->std += exp(p->param[p->at_std + (size_t)j]) / p->env.nact;
}
