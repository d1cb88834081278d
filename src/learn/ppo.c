// SPDX-License-Identifier: Apache-2.0
// ppo.c - see ppo.h: memory, living, advantages, the state that a checkpoint keeps.
#include "learn/pieces.h"
#include "learn/ppo_in.h"

#include "base/normals.h"

#include "base/lane_math.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

qi_ppo_def qi_ppo_def_default(void) {
    return (qi_ppo_def){.seed = 1,
                        .horizon = 24,
                        .epochs = 5,
                        .minibatches = 4,
                        .gamma = 0.99,
                        .lambda = 0.95,
                        .rule = {.clip = 0.2, .value = 1, .entropy = 0.005},
                        .rate = 1e-3,
                        .kl = 0.01,
                        .grad_max = 1,
                        .std = 1,
                        .normalise = true,
                        .nactor = 3,
                        .actor = {128, 64, 32},
                        .ncritic = 3,
                        .critic = {128, 64, 32}};
}

static bool want(qiao_arena *a, void *out, size_t bytes) {
    void *p = qiao_arena_get(a, bytes);
    memcpy(out, &p, sizeof p);
    return p != NULL;
}

static bool make_memory(qi_ppo *p) {
    qiao_arena *a = p->arena;
    size_t n = (size_t)p->env.n, all = n * (size_t)p->def.horizon, f = sizeof(float);
    size_t slots = SLOTS, chunk = CHUNK;
    size_t act = qi_mlp_row(&p->actor), cri = qi_mlp_row(&p->critic), most = act > cri ? act : cri;
    size_t sa = qi_mlp_scratch(&p->actor, CHUNK), sc = qi_mlp_scratch(&p->critic, CHUNK);
    size_t ha = qi_mlp_held(&p->actor, CHUNK), hc = qi_mlp_held(&p->critic, CHUNK);
    size_t held = !p->def.half ? 1 : ha > hc ? ha : hc;
    bool ok = want(a, &p->packed[0], qi_mlp_packed(&p->actor) * f) &&
              want(a, &p->packed[1], qi_mlp_packed(&p->critic) * f);
    ok = ok && want(a, &p->param, p->nparam * f) && want(a, &p->m, p->nparam * f) &&
         want(a, &p->v, p->nparam * f) && want(a, &p->grad, slots * p->nparam * f);
    ok =
        ok && want(a, &p->raw, n * (size_t)p->lda * f) && want(a, &p->craw, n * (size_t)p->ldc * f);
    ok = ok && want(a, &p->obs, all * qi_ppo_wide(p, 0) * f) &&
         want(a, &p->cobs, all * qi_ppo_wide(p, 1) * f) &&
         want(a, &p->action, all * (size_t)p->ldu * f) &&
         want(a, &p->mean, all * (size_t)p->ldu * f);
    ok = ok && want(a, &p->logp, all * f) && want(a, &p->value, (all + n) * f) &&
         want(a, &p->reward, all * f) && want(a, &p->over, all) &&
         want(a, &p->advantage, all * f) && want(a, &p->target, all * f) &&
         want(a, &p->order, all * sizeof *p->order) && want(a, &p->run, all * sizeof *p->run);
    ok = ok && want(a, &p->ret, n * sizeof *p->ret) && want(a, &p->len, n * sizeof *p->len) &&
         want(a, &p->gain, n * sizeof *p->gain);
    for (int i = 0; i < 4; i++) {
        qi_norm *o = i < 2 ? &p->norm[i] : &p->next[i - 2];
        o->n = i % 2 ? p->env.ncritic : p->env.nobs;
        ok = ok && want(a, &o->mean, (size_t)o->n * sizeof(double)) &&
             want(a, &o->var, (size_t)o->n * sizeof(double));
        for (int k = 0; ok && k < o->n; k++) o->var[k] = 1;
    }
    for (int t = 0; ok && t < SLOTS; t++) {
        part *w = &p->part[t];
        ok = want(a, &w->act, chunk * most * f) && want(a, &w->held, held * f) &&
             want(a, &w->dout, chunk * 64 * f) && want(a, &w->scratch, (sa > sc ? sa : sc) * f) &&
             want(a, &w->row, chunk * (size_t)(2 * p->ldu + 2) * f);
    }
    return ok;
}

qi_ppo *qi_ppo_new(const qi_ppo_def *def, const qi_env *env, qi_pool *pool, qiao_diag *d) {
    if (env->n < 1 || env->nact < 1 || env->nact > 64 || def->horizon < 1 || def->epochs < 1 ||
        def->minibatches < 1 || def->nactor < 0 || def->nactor >= QI_MLP_LAYERS ||
        def->ncritic < 0 || def->ncritic >= QI_MLP_LAYERS ||
        (long)env->n * def->horizon < def->minibatches) {
        qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0, "a learner of %d worlds, %d steps, %d actions",
                      env->n, def->horizon, env->nact);
        return NULL;
    }
    qi_ppo *p = calloc(1, sizeof *p);
    if (p) p->arena = qiao_arena_new();
    if (!p || !p->arena) {
        free(p);
        qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
        return NULL;
    }
    p->def = *def, p->env = *env, p->pool = pool, p->op = qi_mlp_best(), p->rate = def->rate;
    p->actor = qi_mlp_hidden(def->act, env->nobs, def->nactor, def->actor, env->nact);
    p->critic = qi_mlp_hidden(def->act, env->ncritic, def->ncritic, def->critic, 1);
    p->lda = p->actor.ld[0], p->ldc = p->critic.ld[0], p->ldu = qi_mlp_pad(env->nact);
    p->at_critic = p->actor.nparam, p->at_std = p->at_critic + p->critic.nparam;
    p->nparam = p->at_std + 64;
    if (!make_memory(p)) {
        qi_ppo_free(p);
        qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
        return NULL;
    }
    qiao_rng r = {.seed = def->seed, .purpose = RNG_START};
    qi_mlp_start(&p->actor, &r, 0.01, p->param);
    r.trial = 1;
    qi_mlp_start(&p->critic, &r, 1, p->param + p->at_critic);
    for (int i = 0; i < env->nact; i++) p->param[p->at_std + (size_t)i] = (float)log(def->std);
    return p;
}

void qi_ppo_free(qi_ppo *p) {
    if (!p) return;
    qiao_arena_free(p->arena);
    free(p);
}

void qi_ppo_begin(qi_ppo *p, uint64_t epoch) {
    p->env.begin(p->env.ctx, epoch);
    memset(p->ret, 0, (size_t)p->env.n * sizeof *p->ret);
    memset(p->len, 0, (size_t)p->env.n * sizeof *p->len);
}

// ---- living ----

// Worlds at .. of actor (0) or critic (1): their inputs, normalised, to keep unless NULL; outputs.
static const float *see_and_say(qi_ppo *p, int net, part *w, int at, int rows, float *keep) {
    int ld = net ? p->ldc : p->lda, n = net ? p->env.ncritic : p->env.nobs;
    float *x = p->def.half ? w->held : w->act;
    qi_norm_apply(p->def.normalise ? &p->norm[net] : NULL,
                  (net ? p->craw : p->raw) + (size_t)at * (size_t)ld, ld, rows, x);
    for (int i = 0; i < rows; i++)
        for (int k = n; k < ld; k++) x[i * ld + k] = 0;
    if (p->def.half) p->op->to_half((size_t)(rows * ld), x, w->act);
    if (keep) memcpy(keep, w->act, (size_t)rows * qi_ppo_wide(p, net) * sizeof *keep);
    return qi_ppo_forward(p, net, w, rows);
}

// Worlds from .. to see, judge and act at step t.
static void decide(void *ctx, int thread, int first, int last) {
    qi_ppo *p = ctx;
    (void)thread;
    size_t n = (size_t)p->env.n, wa = qi_ppo_wide(p, 0), wc = qi_ppo_wide(p, 1);
    for (int s = first; s < last; s++) {
        part *w = &p->part[s];
        int from = (int)((long)p->env.n * s / SLOTS), to = (int)((long)p->env.n * (s + 1) / SLOTS);
        for (int at = from; at < to; at += CHUNK) {
            int rows = to - at < CHUNK ? to - at : CHUNK;
            size_t i0 = (size_t)p->t * n + (size_t)at;
            bool last_value = p->t == p->def.horizon; // after the last step: values alone
            const float *v = see_and_say(p, 1, w, at, rows, last_value ? NULL : p->cobs + i0 * wc);
            for (int i = 0; i < rows; i++) p->value[i0 + (size_t)i] = v[i * QI_MLP_PAD];
            if (last_value) continue;
            const float *mu = see_and_say(p, 0, w, at, rows, p->obs + i0 * wa);
            memcpy(p->mean + i0 * (size_t)p->ldu, mu, (size_t)(rows * p->ldu) * sizeof *mu);
            for (int i = 0; i < rows; i++) {
                qiao_rng r = {.seed = p->def.seed, .trial = (uint64_t)(at + i), .purpose = RNG_ACT};
                float *u = p->action + (i0 + (size_t)i) * (size_t)p->ldu;
                double logp = 0, z[64];
                qi_rng_normals(&r, p->lived, 0, p->env.nact, z);
                for (int j = 0; j < p->env.nact; j++) {
                    u[j] = mu[i * p->ldu + j] + p->std[j] * (float)z[j];
                    logp -=
                        0.5 * z[j] * z[j] + p->param[p->at_std + (size_t)j] + 0.91893853320467274;
                }
                p->logp[i0 + (size_t)i] = (float)logp;
            }
        }
    }
}

// What is seen counts for the normalisers: columns of both, in pieces.
static void see_pieces(void *ctx, int thread, int first, int last) {
    qi_ppo *p = ctx;
    (void)thread;
    for (int s = first; s < last; s++)
        for (int i = 0; i < 2; i++) {
            qi_norm *o = &p->next[i];
            int each = (o->n + SLOTS * 8 - 1) / (SLOTS * 8) * 8, from = s * each, to = from + each;
            qi_norm_see_columns(o, i ? p->craw : p->raw, i ? p->ldc : p->lda, (size_t)p->env.n,
                                from < o->n ? from : o->n, to < o->n ? to : o->n);
        }
}
static void see(qi_ppo *p) {
    if (!p->def.normalise) return;
    qi_pool_run(p->pool, SLOTS, see_pieces, p);
    for (int i = 0; i < 2; i++) p->next[i].count += p->env.n;
}

static void count_episodes(qi_ppo *p, const float *reward, const uint8_t *over, double sum[4]) {
    for (int i = 0; i < p->env.n; i++) {
        p->ret[i] += reward[i], p->len[i]++;
        if (!over[i]) continue;
        sum[0] += p->ret[i], sum[1] += (double)p->len[i], sum[2]++, sum[3] += over[i] == 1;
        p->ret[i] = 0, p->len[i] = 0;
    }
}

// Generalised advantages of some worlds, backwards in time; a world out of time is worth what it
// was judged. Their sum and that of their squares to the part.
static void judge_worlds(void *ctx, int thread, int first, int last) {
    qi_ppo *p = ctx;
    (void)thread;
    size_t n = (size_t)p->env.n;
    double g = p->def.gamma, l = p->def.lambda;
    for (int s = first; s < last; s++) {
        size_t from = n * (size_t)s / SLOTS, to = n * (size_t)(s + 1) / SLOTS;
        double sum = 0, sq = 0;
        for (size_t i = from; i < to; i++) p->gain[i] = 0;
        for (int t = p->def.horizon; t-- > 0;)
            for (size_t i = from; i < to; i++) {
                size_t k = (size_t)t * n + i;
                double next = p->over[k] ? 0 : p->value[k + n], r = p->reward[k];
                double adv = p->over[k] ? 0 : p->gain[i];
                if (p->over[k] == 2) r += g * p->value[k];
                adv = r + g * next - p->value[k] + g * l * adv;
                p->gain[i] = adv, sum += adv, sq += adv * adv;
                p->advantage[k] = (float)adv, p->target[k] = (float)(adv + p->value[k]);
            }
        p->part[s].sums[0] = sum, p->part[s].sums[1] = sq;
    }
}
static void judge(qi_ppo *p) {
    size_t all = (size_t)p->env.n * (size_t)p->def.horizon;
    double sum = 0, sq = 0;
    qi_pool_run(p->pool, SLOTS, judge_worlds, p);
    for (int s = 0; s < SLOTS; s++) sum += p->part[s].sums[0], sq += p->part[s].sums[1];
    double mean = sum / (double)all, var = sq / (double)all - mean * mean;
    float off = (float)mean, by = (float)(1 / (sqrt(var > 0 ? var : 0) + 1e-8));
    for (size_t k = 0; k < all; k++) p->advantage[k] = (p->advantage[k] - off) * by;
}

static double explained(const qi_ppo *p) {
    size_t all = (size_t)p->env.n * (size_t)p->def.horizon;
    double mean = 0, var = 0, left = 0;
    for (size_t k = 0; k < all; k++) mean += p->target[k];
    mean /= (double)all;
    for (size_t k = 0; k < all; k++) {
        var += (p->target[k] - mean) * (p->target[k] - mean);
        left += (p->target[k] - p->value[k]) * (double)(p->target[k] - p->value[k]);
    }
    return var > 0 ? 1 - left / var : 0;
}

extern const qi_lane_math qi_lane_math_f1; // takes numbers one by one
void qi_ppo_live(qi_ppo *p, qi_ppo_stats *s) {
    size_t n = (size_t)p->env.n, all = n * (size_t)p->def.horizon;
    double sum[4] = {0}, total = 0;
    memcpy(p->logstd, p->param + p->at_std, sizeof p->logstd);
    qi_lane_math_f1.exp(p->logstd, p->std, p->env.nact);
    qi_ppo_pack(p);
    for (p->t = 0; p->t < p->def.horizon; p->t++, p->lived++) {
        p->env.observe(p->env.ctx, p->raw, p->craw);
        see(p);
        qi_pool_run(p->pool, SLOTS, decide, p);
        size_t at = (size_t)p->t * n;
        p->env.step(p->env.ctx, p->action + at * (size_t)p->ldu, p->reward + at, p->over + at);
        count_episodes(p, p->reward + at, p->over + at, sum);
    }
    p->env.observe(p->env.ctx, p->raw, p->craw);
    qi_pool_run(p->pool, SLOTS, decide, p);
    for (size_t k = 0; k < all; k++) total += p->reward[k];
    judge(p);
    for (int i = 0; i < 2 && p->def.normalise; i++) { // what was seen counts from here on
        size_t k = (size_t)p->norm[i].n * sizeof(double);
        p->norm[i].count = p->next[i].count;
        memcpy(p->norm[i].mean, p->next[i].mean, k), memcpy(p->norm[i].var, p->next[i].var, k);
    }
    p->steps += all;
    *s = (qi_ppo_stats){.iteration = p->iteration,
                        .steps = p->steps,
                        .reward = total / (double)all,
                        .episode = sum[0] / sum[2],
                        .length = sum[1] / sum[2],
                        .ended = sum[3] / sum[2],
                        .nover = sum[2],
                        .explained = explained(p)};
}

// ---- the state that a checkpoint keeps: numbers, in this order ----

static int pieces(const qi_ppo *p, qi_piece out[16]) {
    size_t f = p->nparam * sizeof(float), d = sizeof(double);
    qi_piece list[] = {{p->param, f}, {p->m, f}, {p->v, f}};
    int n = 0;
    for (; n < 3; n++) out[n] = list[n];
    for (int i = 0; i < 2; i++) {
        out[n++] = (qi_piece){p->norm[i].mean, (size_t)p->norm[i].n * d};
        out[n++] = (qi_piece){p->norm[i].var, (size_t)p->norm[i].n * d};
    }
    return n;
}
typedef struct head { // of the state
    uint64_t nparam, nobs, ncritic, iteration, steps, lived, updates;
    double rate, count[2];
} head;
static head head_of(const qi_ppo *p) {
    return (head){p->nparam,
                  (uint64_t)p->env.nobs,
                  (uint64_t)p->env.ncritic,
                  p->iteration,
                  p->steps,
                  p->lived,
                  (uint64_t)p->updates,
                  p->rate,
                  {p->norm[0].count, p->norm[1].count}};
}

size_t qi_ppo_state_bytes(const qi_ppo *p) {
    qi_piece list[16];
    int n = pieces(p, list);
    return sizeof(head) + qi_pieces_bytes(list, n);
}
void qi_ppo_state_get(const qi_ppo *p, void *bytes) {
    qi_piece list[16];
    head h = head_of(p);
    memcpy(bytes, &h, sizeof h);
    int n = pieces(p, list);
    qi_pieces_get(list, n, (char *)bytes + sizeof h);
}
qiao_err qi_ppo_state_set(qi_ppo *p, const void *bytes, size_t size) {
    head h, mine = head_of(p);
    if (size != qi_ppo_state_bytes(p)) return QIAO_E_FORMAT;
    memcpy(&h, bytes, sizeof h);
    if (h.nparam != mine.nparam || h.nobs != mine.nobs || h.ncritic != mine.ncritic)
        return QIAO_E_FORMAT;
    qi_piece list[16];
    int n = pieces(p, list);
    qi_pieces_set(list, n, (const char *)bytes + sizeof h);
    p->iteration = h.iteration, p->steps = h.steps, p->lived = h.lived;
    p->updates = (int64_t)h.updates, p->rate = h.rate;
    for (int i = 0; i < 2; i++) {
        size_t k = (size_t)p->norm[i].n * sizeof(double);
        p->norm[i].count = p->next[i].count = h.count[i];
        memcpy(p->next[i].mean, p->norm[i].mean, k), memcpy(p->next[i].var, p->norm[i].var, k);
    }
    return QIAO_OK;
}

void qi_ppo_warm(qi_ppo *p, const float *actor, const float *critic, const qi_norm *norm,
                 uint64_t lived) {
    memcpy(p->param, actor, p->actor.nparam * sizeof *actor);
    memcpy(p->param + p->at_critic, critic, p->critic.nparam * sizeof *critic);
    for (int i = 0; i < 2; i++) {
        size_t k = (size_t)p->norm[i].n * sizeof(double);
        p->norm[i].count = p->next[i].count = norm[i].count;
        memcpy(p->norm[i].mean, norm[i].mean, k), memcpy(p->norm[i].var, norm[i].var, k);
        memcpy(p->next[i].mean, norm[i].mean, k), memcpy(p->next[i].var, norm[i].var, k);
    }
    p->lived = lived, p->steps = lived * (uint64_t)p->env.n;
}

qi_ppo_view qi_ppo_look(const qi_ppo *p) {
    return (qi_ppo_view){.actor = p->actor,
                         .critic = p->critic,
                         .actor_param = p->param,
                         .logstd = p->param + p->at_std,
                         .obs = &p->norm[0]};
}
