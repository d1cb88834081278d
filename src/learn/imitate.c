// SPDX-License-Identifier: Apache-2.0
// imitate.c - see imitate.h.
#include "learn/imitate.h"
#include "learn/pieces.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 256, SLOTS = 8 }; // fixed: they say in which order sums are made
enum { RNG_START = 0x4c50, RNG_WHO, RNG_NOISE, RNG_ORDER };

typedef struct part { // memory of one part of the work
    float *act, *dout, *scratch;
    double sums[2]; // squares: of actions, of values
} part;

struct qi_imitate {
    qi_imitate_def def;
    qi_env env;
    qi_teach teach;
    qi_pool *pool;
    const qi_mlp_ops *op;
    qi_mlp actor, critic;
    int lda, ldc, ldu;
    size_t nparam, at_critic;
    float *param, *m, *v, *grad; // grad [SLOTS][nparam]
    qi_norm norm[2], next[2];    // in force; with what is seen now
    // lived: [horizon][n], row t n + i
    float *raw, *craw, *mean, *done; // [n] as seen; what the student says; what is done
    float *obs, *cobs, *label, *value, *reward, *target;
    uint8_t *knows, *over;
    uint32_t *order;
    double *ret; // [n] return and steps of the running episodes
    int64_t *len;
    int t;
    uint64_t lived, iteration;
    int64_t updates;
    size_t from, rows; // the minibatch at work
    part part[SLOTS];
    qiao_arena *arena;
};

qi_imitate_def qi_imitate_def_default(void) {
    return (qi_imitate_def){
        .like = qi_ppo_def_default(), .epochs = 4, .minibatches = 4, .rate = 1e-3};
}

static bool want(qiao_arena *a, void *out, size_t bytes) {
    void *p = qiao_arena_get(a, bytes + 1);
    memcpy(out, &p, sizeof p);
    return p != NULL;
}

static bool make_memory(qi_imitate *m) {
    qiao_arena *a = m->arena;
    size_t n = (size_t)m->env.n, all = n * (size_t)m->def.like.horizon, f = sizeof(float);
    size_t lda = (size_t)m->lda, ldc = (size_t)m->ldc, ldu = (size_t)m->ldu;
    bool ok = want(a, &m->param, m->nparam * f) && want(a, &m->m, m->nparam * f) &&
              want(a, &m->v, m->nparam * f) && want(a, &m->grad, SLOTS * m->nparam * f) &&
              want(a, &m->raw, n * lda * f) && want(a, &m->craw, n * ldc * f) &&
              want(a, &m->mean, n * ldu * f) && want(a, &m->done, n * ldu * f) &&
              want(a, &m->obs, all * lda * f) && want(a, &m->cobs, all * ldc * f) &&
              want(a, &m->label, all * ldu * f) && want(a, &m->value, (all + n) * f) &&
              want(a, &m->reward, all * f) && want(a, &m->target, all * f) &&
              want(a, &m->knows, all) && want(a, &m->over, all) &&
              want(a, &m->order, all * sizeof *m->order) && want(a, &m->ret, n * sizeof *m->ret) &&
              want(a, &m->len, n * sizeof *m->len);
    for (int i = 0; ok && i < 4; i++) {
        qi_norm *o = i < 2 ? &m->norm[i] : &m->next[i - 2];
        o->n = i % 2 ? m->env.ncritic : m->env.nobs;
        ok = want(a, &o->mean, (size_t)o->n * sizeof(double)) &&
             want(a, &o->var, (size_t)o->n * sizeof(double));
        for (int k = 0; ok && k < o->n; k++) o->var[k] = 1;
    }
    size_t row = qi_mlp_row(&m->actor), crow = qi_mlp_row(&m->critic);
    size_t s = qi_mlp_scratch(&m->actor, CHUNK), cs = qi_mlp_scratch(&m->critic, CHUNK);
    for (int k = 0; ok && k < SLOTS; k++) {
        part *w = &m->part[k];
        ok = want(a, &w->act, CHUNK * (row > crow ? row : crow) * f) &&
             want(a, &w->dout, (size_t)(CHUNK * 64) * f) &&
             want(a, &w->scratch, (s > cs ? s : cs) * f);
    }
    return ok;
}

qi_imitate *qi_imitate_new(const qi_imitate_def *def, const qi_env *env, const qi_teach *teach,
                           qi_pool *pool, qiao_diag *d) {
    const qi_ppo_def *l = &def->like;
    if (env->n < 1 || env->nact < 1 || env->nact > 64 || l->horizon < 1 || def->epochs < 1 ||
        def->minibatches < 1 || l->nactor < 0 || l->nactor >= QI_MLP_LAYERS || l->ncritic < 0 ||
        l->ncritic >= QI_MLP_LAYERS || (long)env->n * l->horizon < def->minibatches) {
        qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0, "a student of %d worlds, %d steps, %d actions",
                      env->n, l->horizon, env->nact);
        return NULL;
    }
    qi_imitate *m = calloc(1, sizeof *m);
    if (m) m->arena = qiao_arena_new();
    if (!m || !m->arena) {
        free(m);
        qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
        return NULL;
    }
    m->def = *def, m->env = *env, m->teach = *teach, m->pool = pool, m->op = qi_mlp_best();
    m->actor = qi_mlp_hidden(l->act, env->nobs, l->nactor, l->actor, env->nact);
    m->critic = qi_mlp_hidden(l->act, env->ncritic, l->ncritic, l->critic, 1);
    m->lda = m->actor.ld[0], m->ldc = m->critic.ld[0], m->ldu = qi_mlp_pad(env->nact);
    m->at_critic = m->actor.nparam, m->nparam = m->at_critic + m->critic.nparam;
    if (!make_memory(m)) {
        qi_imitate_free(m);
        qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
        return NULL;
    }
    qiao_rng r = {.seed = l->seed, .purpose = RNG_START};
    qi_mlp_start(&m->actor, &r, 0.01, m->param);
    r.trial = 1;
    qi_mlp_start(&m->critic, &r, 1, m->param + m->at_critic);
    return m;
}

void qi_imitate_free(qi_imitate *m) {
    if (!m) return;
    qiao_arena_free(m->arena);
    free(m);
}

void qi_imitate_begin(qi_imitate *m, uint64_t epoch) {
    m->env.begin(m->env.ctx, epoch);
    memset(m->ret, 0, (size_t)m->env.n * sizeof *m->ret);
    memset(m->len, 0, (size_t)m->env.n * sizeof *m->len);
}

// ---- living ----

static float *last(const qi_mlp *n, float *act, int rows) { // outputs in the activations
    return act + (qi_mlp_row(n) - (size_t)n->ld[n->nlayer]) * (size_t)rows;
}
static const qi_norm *norm_of(const qi_imitate *m, int i) {
    return m->def.like.normalise ? &m->norm[i] : NULL;
}

// Worlds see and judge at step t; what the student would do to mean.
static void decide(void *ctx, int thread, int first, int last_part) {
    qi_imitate *m = ctx;
    (void)thread;
    size_t n = (size_t)m->env.n, lda = (size_t)m->lda, ldc = (size_t)m->ldc;
    bool end = m->t == m->def.like.horizon; // after the last step: values alone
    for (int s = first; s < last_part; s++) {
        part *w = &m->part[s];
        int from = (int)((long)m->env.n * s / SLOTS), to = (int)((long)m->env.n * (s + 1) / SLOTS);
        for (int at = from; at < to; at += CHUNK) {
            int rows = to - at < CHUNK ? to - at : CHUNK;
            size_t i0 = (size_t)m->t * n + (size_t)at;
            qi_norm_apply(norm_of(m, 1), m->craw + (size_t)at * ldc, m->ldc, rows, w->act);
            if (!end) memcpy(m->cobs + i0 * ldc, w->act, (size_t)rows * ldc * sizeof(float));
            m->op->forward(&m->critic, m->param + m->at_critic, rows, w->act);
            const float *v = last(&m->critic, w->act, rows);
            for (int i = 0; i < rows; i++) m->value[i0 + (size_t)i] = v[i * QI_MLP_PAD];
            if (end) continue;
            qi_norm_apply(norm_of(m, 0), m->raw + (size_t)at * lda, m->lda, rows, w->act);
            memcpy(m->obs + i0 * lda, w->act, (size_t)rows * lda * sizeof(float));
            m->op->forward(&m->actor, m->param, rows, w->act);
            memcpy(m->mean + (size_t)at * (size_t)m->ldu, last(&m->actor, w->act, rows),
                   (size_t)(rows * m->ldu) * sizeof(float));
        }
    }
}

// Who drives in each world for the whole of this iteration, and what is done.
static void choose(qi_imitate *m, double share, const float *label, const uint8_t *knows) {
    for (int i = 0; i < m->env.n; i++) {
        qiao_rng who = {.seed = m->def.like.seed, .trial = (uint64_t)i, .purpose = RNG_WHO};
        qiao_rng r = {.seed = m->def.like.seed, .trial = (uint64_t)i, .purpose = RNG_NOISE};
        bool teacher = knows[i] && qiao_rng_uniform(&who, m->iteration, 0) < share;
        const float *from = (teacher ? label : m->mean) + (size_t)i * (size_t)m->ldu;
        float *to = m->done + (size_t)i * (size_t)m->ldu;
        for (int j = 0; j < m->env.nact; j++) {
            double e =
                m->def.noise > 0 ? m->def.noise * qiao_rng_normal(&r, m->lived, (uint32_t)j) : 0;
            to[j] = from[j] + (float)e;
        }
    }
}

static void count_episodes(qi_imitate *m, const float *reward, const uint8_t *over, double sum[4]) {
    for (int i = 0; i < m->env.n; i++) {
        m->ret[i] += reward[i], m->len[i]++;
        if (!over[i]) continue;
        sum[0] += m->ret[i], sum[1] += (double)m->len[i], sum[2]++, sum[3] += over[i] == 1;
        m->ret[i] = 0, m->len[i] = 0;
    }
}

// What the critic should have said: rewards and what it says later, backwards in time.
static void judge(qi_imitate *m) {
    size_t n = (size_t)m->env.n;
    double g = m->def.like.gamma, l = m->def.like.lambda;
    for (size_t i = 0; i < n; i++) {
        double adv = 0;
        for (int t = m->def.like.horizon; t-- > 0;) {
            size_t k = (size_t)t * n + i;
            double next = m->over[k] == 0 ? m->value[k + n] : m->over[k] == 2 ? m->value[k] : 0;
            if (m->over[k]) adv = 0;
            adv = m->reward[k] + g * next - m->value[k] + g * l * adv;
            m->target[k] = (float)(adv + m->value[k]);
        }
    }
}

void qi_imitate_live(qi_imitate *m, double share, qi_imitate_stats *s) {
    size_t n = (size_t)m->env.n, all = n * (size_t)m->def.like.horizon;
    double sum[4] = {0}, total = 0, known = 0;
    for (m->t = 0; m->t < m->def.like.horizon; m->t++, m->lived++) {
        size_t at = (size_t)m->t * n;
        float *label = m->label + at * (size_t)m->ldu;
        m->env.observe(m->env.ctx, m->raw, m->craw);
        if (m->def.like.normalise)
            qi_norm_see(&m->next[0], m->raw, m->lda, n),
                qi_norm_see(&m->next[1], m->craw, m->ldc, n);
        qi_pool_run(m->pool, SLOTS, decide, m);
        m->teach.say(m->teach.ctx, label, m->knows + at);
        choose(m, share, label, m->knows + at);
        m->env.step(m->env.ctx, m->done, m->reward + at, m->over + at);
        count_episodes(m, m->reward + at, m->over + at, sum);
    }
    m->env.observe(m->env.ctx, m->raw, m->craw);
    qi_pool_run(m->pool, SLOTS, decide, m);
    for (size_t k = 0; k < all; k++) total += m->reward[k], known += m->knows[k];
    judge(m);
    for (int i = 0; i < 2 && m->def.like.normalise; i++) { // what was seen counts from here on
        size_t k = (size_t)m->norm[i].n * sizeof(double);
        m->norm[i].count = m->next[i].count;
        memcpy(m->norm[i].mean, m->next[i].mean, k), memcpy(m->norm[i].var, m->next[i].var, k);
    }
    *s = (qi_imitate_stats){.steps = m->lived * n,
                            .reward = total / (double)all,
                            .episode = sum[0] / sum[2],
                            .length = sum[1] / sum[2],
                            .ended = sum[3] / sum[2],
                            .nover = sum[2],
                            .taught = known / (double)all};
}

// ---- learning ----

static void shuffle(qi_imitate *m, int epoch) {
    size_t all = (size_t)m->env.n * (size_t)m->def.like.horizon;
    qiao_rng r = {.seed = m->def.like.seed, .trial = m->iteration, .purpose = RNG_ORDER};
    for (size_t i = 0; i < all; i++) m->order[i] = (uint32_t)i;
    for (size_t i = all; i-- > 1;) {
        size_t j = (size_t)(qiao_rng_uniform(&r, i, (uint32_t)epoch) * (double)(i + 1));
        uint32_t keep = m->order[i];
        m->order[i] = m->order[j], m->order[j] = keep;
    }
}

static void gather(const float *from, int ld, const uint32_t *order, int rows, float *to) {
    for (int i = 0; i < rows; i++, to += ld)
        memcpy(to, from + (size_t)order[i] * (size_t)ld, (size_t)ld * sizeof *to);
}

static void learn_chunk(qi_imitate *m, part *w, const uint32_t *order, int rows, float *grad) {
    float share = 1 / (float)m->rows;
    gather(m->obs, m->lda, order, rows, w->act);
    m->op->forward(&m->actor, m->param, rows, w->act);
    const float *mu = last(&m->actor, w->act, rows);
    memset(w->dout, 0, (size_t)(rows * m->ldu) * sizeof *w->dout);
    for (int i = 0; i < rows; i++) {
        if (!m->knows[order[i]]) continue;
        const float *y = m->label + (size_t)order[i] * (size_t)m->ldu;
        for (int j = 0; j < m->env.nact; j++) {
            float off = mu[i * m->ldu + j] - y[j];
            w->sums[0] += (double)off * off;
            w->dout[i * m->ldu + j] = share * off;
        }
    }
    m->op->backward(&m->actor, m->param, rows, w->act, w->dout, grad, NULL, w->scratch);
    gather(m->cobs, m->ldc, order, rows, w->act);
    m->op->forward(&m->critic, m->param + m->at_critic, rows, w->act);
    const float *v = last(&m->critic, w->act, rows);
    memset(w->dout, 0, (size_t)(rows * QI_MLP_PAD) * sizeof *w->dout);
    for (int i = 0; i < rows; i++) {
        float off = v[i * QI_MLP_PAD] - m->target[order[i]];
        w->sums[1] += (double)off * off;
        w->dout[i * QI_MLP_PAD] = share * off;
    }
    m->op->backward(&m->critic, m->param + m->at_critic, rows, w->act, w->dout, grad + m->at_critic,
                    NULL, w->scratch);
}

static void learn_parts(void *ctx, int thread, int first, int last_part) {
    qi_imitate *m = ctx;
    (void)thread;
    for (int s = first; s < last_part; s++) {
        part *w = &m->part[s];
        float *grad = m->grad + (size_t)s * m->nparam;
        memset(grad, 0, m->nparam * sizeof *grad), memset(w->sums, 0, sizeof w->sums);
        for (size_t at = (size_t)s * CHUNK; at < m->rows; at += (size_t)SLOTS * CHUNK) {
            int rows = m->rows - at < CHUNK ? (int)(m->rows - at) : CHUNK;
            learn_chunk(m, w, m->order + m->from + at, rows, grad);
        }
    }
}

// Adam on one network's share of the gradient, cut to the most that is allowed.
static void move(qi_imitate *m, size_t at, size_t n, double rate) {
    double sq = 0;
    for (size_t i = 0; i < n; i++) {
        float *g = m->grad + at + i;
        for (size_t s = 1; s < SLOTS; s++) *g += g[s * m->nparam];
        sq += (double)*g * *g;
    }
    double norm = sqrt(sq), most = m->def.like.grad_max;
    if (!isfinite(norm)) return; // a broken minibatch is passed over
    m->op->adam(n, rate, m->updates, norm > most ? most / norm : 1, m->grad + at, m->m + at,
                m->v + at, m->param + at);
}

void qi_imitate_learn(qi_imitate *m, double done, qi_imitate_stats *s) {
    size_t all = (size_t)m->env.n * (size_t)m->def.like.horizon, nb = (size_t)m->def.minibatches;
    double sums[2] = {0}, rate = m->def.rate * (1 - 0.95 * fmin(fmax(done, 0), 1));
    for (int epoch = 0; epoch < m->def.epochs; epoch++) {
        shuffle(m, epoch);
        for (size_t b = 0; b < nb; b++) {
            m->from = all * b / nb, m->rows = all * (b + 1) / nb - m->from;
            qi_pool_run(m->pool, SLOTS, learn_parts, m);
            for (int i = 0; i < 2; i++)
                for (int k = 0; k < SLOTS; k++) sums[i] += m->part[k].sums[i];
            m->updates++;
            move(m, 0, m->at_critic, rate);
            move(m, m->at_critic, m->critic.nparam, rate);
        }
    }
    m->iteration++;
    double seen = (double)all * m->def.epochs;
    s->error = sqrt(sums[0] / (seen * s->taught * m->env.nact)), s->value = sums[1] / seen;
}

// ---- handing on ----

qi_ppo_view qi_imitate_look(const qi_imitate *m) {
    return (qi_ppo_view){
        .actor = m->actor, .critic = m->critic, .actor_param = m->param, .obs = &m->norm[0]};
}

void qi_imitate_hand_over(const qi_imitate *m, qi_ppo *p) {
    qi_ppo_warm(p, m->param, m->param + m->at_critic, m->norm, m->lived);
}

enum { PIECES = 3 + 8 };
static void pieces(const qi_imitate *m, qi_piece out[PIECES]) {
    size_t f = m->nparam * sizeof(float);
    qi_piece list[3] = {{m->param, f}, {m->m, f}, {m->v, f}};
    memcpy(out, list, sizeof list);
    for (int i = 0; i < 4; i++) {
        const qi_norm *o = i < 2 ? &m->norm[i] : &m->next[i - 2];
        out[3 + 2 * i] = (qi_piece){o->mean, (size_t)o->n * sizeof(double)};
        out[4 + 2 * i] = (qi_piece){o->var, (size_t)o->n * sizeof(double)};
    }
}
typedef struct head { // of the state
    uint64_t nparam, nobs, ncritic, iteration, lived, updates;
    double count[4];
} head;
static head head_of(const qi_imitate *m) {
    return (head){m->nparam,
                  (uint64_t)m->env.nobs,
                  (uint64_t)m->env.ncritic,
                  m->iteration,
                  m->lived,
                  (uint64_t)m->updates,
                  {m->norm[0].count, m->norm[1].count, m->next[0].count, m->next[1].count}};
}

size_t qi_imitate_state_bytes(const qi_imitate *m) {
    qi_piece list[PIECES];
    pieces(m, list);
    return sizeof(head) + qi_pieces_bytes(list, PIECES);
}
void qi_imitate_state_get(const qi_imitate *m, void *bytes) {
    qi_piece list[PIECES];
    head h = head_of(m);
    pieces(m, list);
    memcpy(bytes, &h, sizeof h);
    qi_pieces_get(list, PIECES, (char *)bytes + sizeof h);
}
qiao_err qi_imitate_state_set(qi_imitate *m, const void *bytes, size_t size) {
    head h, mine = head_of(m);
    if (size != qi_imitate_state_bytes(m)) return QIAO_E_FORMAT;
    memcpy(&h, bytes, sizeof h);
    if (h.nparam != mine.nparam || h.nobs != mine.nobs || h.ncritic != mine.ncritic)
        return QIAO_E_FORMAT;
    qi_piece list[PIECES];
    pieces(m, list);
    qi_pieces_set(list, PIECES, (const char *)bytes + sizeof h);
    m->iteration = h.iteration, m->lived = h.lived, m->updates = (int64_t)h.updates;
    for (int i = 0; i < 2; i++) m->norm[i].count = h.count[i], m->next[i].count = h.count[2 + i];
    return QIAO_OK;
}
