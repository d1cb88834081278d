// SPDX-License-Identifier: Apache-2.0
// td3.c - see td3.h.
#include "learn/td3.h"
#include "learn/pieces.h"

#include "base/lane_math.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 256, SLOTS = 8 };
enum { JUDGED = 1024 }; // most numbers that a critic sees beside actions
enum { RNG_START = 0x4c30, RNG_ACT, RNG_PICK, RNG_SMOOTH };
enum { ACTOR, Q1, Q2, NETS };

typedef struct part {                        // memory of one part of a batch
    float *act[NETS], *dout, *din, *scratch; // activations, derivatives
    float *action, *target;                  // [CHUNK][ldu], [CHUNK]
    double loss[2];
} part;

struct qi_td3 {
    qi_td3_def def;
    qi_env env;
    qi_pool *pool;
    const qi_mlp_ops *op;
    qi_mlp net[NETS];
    int lda, ldc, ldu, ldq; // columns: actor's and critic's inputs, actions, inputs of Q
    float *param[NETS], *aim[NETS], *m[NETS], *v[NETS], *grad[NETS]; // grad [SLOTS][nparam]
    int64_t updates[NETS];
    qi_norm norm[2];
    // ring: [keep][n]
    float *obs, *cobs, *action, *reward;
    uint8_t *over;
    float *seen; // [n][lda] normalised inputs of this step
    float *raw;  // [n][ldu] the policy's actions, -1..1
    int head, held;
    uint64_t lived, drawn;
    uint32_t *pick;  // [batch] row of the ring
    bool policy_too; // this update moves the policy
    int rows;
    double *ret;
    int64_t *len;
    part part[SLOTS];
    qiao_arena *arena;
};

qi_td3_def qi_td3_def_default(void) {
    return (qi_td3_def){.seed = 1,
                        .keep = 1000,
                        .batch = 1024,
                        .updates = 2,
                        .warm = 10,
                        .delay = 2,
                        .gamma = 0.99,
                        .tau = 0.01,
                        .noise = 0.2,
                        .smooth = 0.2,
                        .smooth_max = 0.5,
                        .reach = 1,
                        .actor_rate = 3e-4,
                        .critic_rate = 3e-4,
                        .normalise = true,
                        .act = QI_MLP_RELU,
                        .nactor = 2,
                        .actor = {128, 128},
                        .ncritic = 2,
                        .critic = {128, 128}};
}

static bool want(qiao_arena *a, void *out, size_t n, size_t bytes) {
    void *p = qiao_arena_get(a, n * bytes + 1);
    memcpy(out, &p, sizeof p);
    return p != NULL;
}

static bool make_parts(qi_td3 *t) {
    qiao_arena *a = t->arena;
    bool ok = true;
    for (int s = 0; ok && s < SLOTS; s++) {
        part *w = &t->part[s];
        size_t scratch = 0, widest = 0;
        for (int k = 0; k < NETS; k++) {
            size_t n = qi_mlp_scratch(&t->net[k], CHUNK);
            if (n > scratch) scratch = n;
            if ((size_t)t->net[k].widest > widest) widest = (size_t)t->net[k].widest;
            ok = ok && want(a, &w->act[k], CHUNK * qi_mlp_row(&t->net[k]), sizeof(float));
        }
        ok = ok && want(a, &w->dout, CHUNK * widest, sizeof(float)) &&
             want(a, &w->din, CHUNK * widest, sizeof(float)) &&
             want(a, &w->scratch, scratch, sizeof(float)) &&
             want(a, &w->action, CHUNK * (size_t)t->ldu, sizeof(float)) &&
             want(a, &w->target, CHUNK, sizeof(float));
    }
    return ok;
}

static bool make_memory(qi_td3 *t) {
    qiao_arena *a = t->arena;
    size_t n = (size_t)t->env.n, all = n * (size_t)t->def.keep;
    bool ok = want(a, &t->obs, all * (size_t)t->lda, sizeof(float)) &&
              want(a, &t->cobs, all * (size_t)t->ldc, sizeof(float)) &&
              want(a, &t->action, all * (size_t)t->ldu, sizeof(float)) &&
              want(a, &t->reward, all, sizeof(float)) && want(a, &t->over, all, 1) &&
              want(a, &t->seen, n * (size_t)t->lda, sizeof(float)) &&
              want(a, &t->raw, n * (size_t)t->ldu, sizeof(float)) &&
              want(a, &t->pick, (size_t)t->def.batch, sizeof *t->pick) &&
              want(a, &t->ret, n, sizeof *t->ret) && want(a, &t->len, n, sizeof *t->len);
    for (int k = 0; ok && k < NETS; k++) {
        size_t p = t->net[k].nparam;
        ok = want(a, &t->param[k], p, sizeof(float)) && want(a, &t->aim[k], p, sizeof(float)) &&
             want(a, &t->m[k], p, sizeof(float)) && want(a, &t->v[k], p, sizeof(float)) &&
             want(a, &t->grad[k], SLOTS * p, sizeof(float));
    }
    for (int i = 0; ok && i < 2; i++) {
        qi_norm *o = &t->norm[i];
        o->n = i ? t->env.ncritic : t->env.nobs;
        ok = want(a, &o->mean, (size_t)o->n, sizeof(double)) &&
             want(a, &o->var, (size_t)o->n, sizeof(double));
        for (int k = 0; ok && k < o->n; k++) o->var[k] = 1;
    }
    return ok && make_parts(t);
}

qi_td3 *qi_td3_new(const qi_td3_def *def, const qi_env *env, qi_pool *pool, qiao_diag *d) {
    if (env->n < 1 || env->nact < 1 || env->nact > 64 || def->keep < 3 || def->batch < 1 ||
        def->delay < 1 || def->nactor >= QI_MLP_LAYERS || def->ncritic >= QI_MLP_LAYERS ||
        env->ncritic > JUDGED || (uint64_t)env->n * (uint64_t)def->keep > UINT32_MAX) {
        qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0,
                      "a learner of %d worlds, %d steps kept, %d actions; what its critics see is "
                      "%d numbers, %d can be",
                      env->n, def->keep, env->nact, env->ncritic, JUDGED);
        return NULL;
    }
    qi_td3 *t = calloc(1, sizeof *t);
    if (t) t->arena = qiao_arena_new();
    if (!t || !t->arena) {
        free(t);
        qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
        return NULL;
    }
    t->def = *def, t->env = *env, t->pool = pool, t->op = qi_mlp_best();
    t->net[ACTOR] = qi_mlp_hidden(def->act, env->nobs, def->nactor, def->actor, env->nact);
    t->net[Q1] = qi_mlp_hidden(def->act, env->ncritic + env->nact, def->ncritic, def->critic, 1);
    t->net[Q2] = t->net[Q1];
    t->lda = t->net[ACTOR].ld[0], t->ldc = qi_mlp_pad(env->ncritic), t->ldq = t->net[Q1].ld[0];
    t->ldu = qi_mlp_pad(env->nact);
    if (!make_memory(t)) {
        qi_td3_free(t);
        qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
        return NULL;
    }
    for (int k = 0; k < NETS; k++) {
        qiao_rng r = {.seed = def->seed, .trial = (uint64_t)k, .purpose = RNG_START};
        qi_mlp_start(&t->net[k], &r, k == ACTOR ? 0.01 : 1, t->param[k]);
        memcpy(t->aim[k], t->param[k], t->net[k].nparam * sizeof *t->aim[k]);
    }
    return t;
}

void qi_td3_free(qi_td3 *t) {
    if (!t) return;
    qiao_arena_free(t->arena);
    free(t);
}

void qi_td3_begin(qi_td3 *t, uint64_t epoch) {
    size_t n = (size_t)t->env.n;
    t->env.begin(t->env.ctx, epoch);
    // what is in the ring stays; the newest has no next one any more
    if (t->held > 0)
        memset(t->over + (size_t)((t->head + t->def.keep - 1) % t->def.keep) * n, 2, n);
    memset(t->ret, 0, n * sizeof *t->ret);
    memset(t->len, 0, n * sizeof *t->len);
}

const qi_mlp *qi_td3_actor(const qi_td3 *t, const float **param) {
    *param = t->param[ACTOR];
    return &t->net[ACTOR];
}

// ---- pieces of an update ----

extern const qi_lane_math qi_lane_math_d1; // takes numbers one by one
static double tanh_own(double x) {
    double a = -2 * fabs(x), e;
    qi_lane_math_d1.exp(&a, &e, 1);
    double y = (1 - e) / (1 + e);
    return x < 0 ? -y : y;
}
static float *last(const qi_mlp *n, float *act, int rows) { // outputs in the activations
    return act + (qi_mlp_row(n) - (size_t)n->ld[n->nlayer]) * (size_t)rows;
}
static const qi_norm *norm_of(const qi_td3 *t, int i) {
    return t->def.normalise && t->norm[i].count > 0 ? &t->norm[i] : NULL;
}

// Actions of the actor for inputs that lie in act: tanh of its outputs, to action [rows][ldu].
static void act_on(qi_td3 *t, const float *param, int rows, float *act, float *action) {
    t->op->forward(&t->net[ACTOR], param, rows, act);
    const float *y = last(&t->net[ACTOR], act, rows);
    for (int i = 0; i < rows * t->ldu; i++)
        action[i] = i % t->ldu < t->env.nact ? (float)tanh_own(y[i]) : 0;
}

// Rows of the ring into the first columns of Q's inputs, normalised; actions behind them.
static void judge_inputs(qi_td3 *t, const uint32_t *pick, size_t shift, int rows,
                         const float *action, int lda, float *act) {
    size_t all = (size_t)t->def.keep * (size_t)t->env.n;
    for (int i = 0; i < rows; i++) {
        float *to = act + (size_t)i * (size_t)t->ldq;
        size_t at = ((size_t)pick[i] + shift) % all;
        memset(to, 0, (size_t)t->ldq * sizeof *to);
        memcpy(to, t->cobs + at * (size_t)t->ldc, (size_t)t->env.ncritic * sizeof *to);
        const float *u =
            action ? action + (size_t)i * (size_t)lda : t->action + at * (size_t)t->ldu;
        memcpy(to + t->env.ncritic, u, (size_t)t->env.nact * sizeof *to);
    }
    if (norm_of(t, 1)) qi_norm_apply(norm_of(t, 1), act, t->ldq, rows, act);
}
static void actor_inputs(qi_td3 *t, const uint32_t *pick, size_t shift, int rows, float *act) {
    size_t all = (size_t)t->def.keep * (size_t)t->env.n;
    for (int i = 0; i < rows; i++)
        memcpy(act + (size_t)i * (size_t)t->lda,
               t->obs + ((size_t)pick[i] + shift) % all * (size_t)t->lda,
               (size_t)t->lda * sizeof *act);
    if (norm_of(t, 0)) qi_norm_apply(norm_of(t, 0), act, t->lda, rows, act);
}

// What both critics should say: the reward and what the less hopeful target says of the next step.
static void aim(qi_td3 *t, part *w, const uint32_t *pick, int at, int rows) {
    size_t next = (size_t)t->env.n;
    actor_inputs(t, pick, next, rows, w->act[ACTOR]);
    act_on(t, t->aim[ACTOR], rows, w->act[ACTOR], w->action);
    for (int i = 0; i < rows; i++) {
        qiao_rng r = {.seed = t->def.seed, .trial = (uint64_t)(at + i), .purpose = RNG_SMOOTH};
        for (int j = 0; j < t->env.nact; j++) {
            double e = t->def.smooth * qiao_rng_normal(&r, t->drawn, (uint32_t)j);
            e = fmin(fmax(e, -t->def.smooth_max), t->def.smooth_max);
            float *u = &w->action[i * t->ldu + j];
            *u = (float)fmin(fmax(*u + e, -1), 1);
        }
    }
    for (int k = Q1; k <= Q2; k++) {
        judge_inputs(t, pick, next, rows, w->action, t->ldu, w->act[k]);
        t->op->forward(&t->net[k], t->aim[k], rows, w->act[k]);
    }
    const float *q1 = last(&t->net[Q1], w->act[Q1], rows),
                *q2 = last(&t->net[Q2], w->act[Q2], rows);
    for (int i = 0; i < rows; i++) {
        float q = q1[i * QI_MLP_PAD] < q2[i * QI_MLP_PAD] ? q1[i * QI_MLP_PAD] : q2[i * QI_MLP_PAD];
        w->target[i] = t->reward[pick[i]] + (t->over[pick[i]] ? 0 : (float)t->def.gamma * q);
    }
}

static void learn_critics(qi_td3 *t, part *w, const uint32_t *pick, int rows, size_t slot) {
    for (int k = Q1; k <= Q2; k++) {
        judge_inputs(t, pick, 0, rows, NULL, 0, w->act[k]);
        t->op->forward(&t->net[k], t->param[k], rows, w->act[k]);
        const float *q = last(&t->net[k], w->act[k], rows);
        memset(w->dout, 0, (size_t)(rows * QI_MLP_PAD) * sizeof *w->dout);
        for (int i = 0; i < rows; i++) {
            if (t->over[pick[i]] == 2) continue; // what would have come is not known
            float off = q[i * QI_MLP_PAD] - w->target[i];
            w->loss[0] += 0.25 * off * off / t->def.batch;
            w->dout[i * QI_MLP_PAD] = off / (float)t->def.batch;
        }
        t->op->backward(&t->net[k], t->param[k], rows, w->act[k], w->dout,
                        t->grad[k] + slot * t->net[k].nparam, NULL, w->scratch);
    }
}

static void learn_policy(qi_td3 *t, part *w, const uint32_t *pick, int rows, size_t slot) {
    actor_inputs(t, pick, 0, rows, w->act[ACTOR]);
    act_on(t, t->param[ACTOR], rows, w->act[ACTOR], w->action);
    judge_inputs(t, pick, 0, rows, w->action, t->ldu, w->act[Q1]);
    t->op->forward(&t->net[Q1], t->param[Q1], rows, w->act[Q1]);
    const float *q = last(&t->net[Q1], w->act[Q1], rows);
    memset(w->dout, 0, (size_t)(rows * QI_MLP_PAD) * sizeof *w->dout);
    for (int i = 0; i < rows; i++) {
        w->loss[1] -= q[i * QI_MLP_PAD] / (double)t->def.batch;
        w->dout[i * QI_MLP_PAD] = -1 / (float)t->def.batch;
    }
    t->op->backward(&t->net[Q1], t->param[Q1], rows, w->act[Q1], w->dout, NULL, w->din, w->scratch);
    memset(w->dout, 0, (size_t)(rows * t->ldu) * sizeof *w->dout);
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < t->env.nact; j++) {
            float u = w->action[i * t->ldu + j];
            w->dout[i * t->ldu + j] = w->din[i * t->ldq + t->env.ncritic + j] * (1 - u * u);
        }
    t->op->backward(&t->net[ACTOR], t->param[ACTOR], rows, w->act[ACTOR], w->dout,
                    t->grad[ACTOR] + slot * t->net[ACTOR].nparam, NULL, w->scratch);
}

static void learn_parts(void *ctx, int thread, int first, int last_part) {
    qi_td3 *t = ctx;
    (void)thread;
    for (int s = first; s < last_part; s++) {
        part *w = &t->part[s];
        w->loss[0] = w->loss[1] = 0;
        for (int k = 0; k < NETS; k++)
            memset(t->grad[k] + (size_t)s * t->net[k].nparam, 0, t->net[k].nparam * sizeof(float));
        for (int at = s * CHUNK; at < t->def.batch; at += SLOTS * CHUNK) {
            int rows = t->def.batch - at < CHUNK ? t->def.batch - at : CHUNK;
            aim(t, w, t->pick + at, at, rows);
            learn_critics(t, w, t->pick + at, rows, (size_t)s);
            if (t->policy_too) learn_policy(t, w, t->pick + at, rows, (size_t)s);
        }
    }
}

static void move(qi_td3 *t, int k, double rate) {
    size_t n = t->net[k].nparam;
    float *g = t->grad[k], tau = (float)t->def.tau;
    double sq = 0;
    for (int s = 1; s < SLOTS; s++)
        for (size_t i = 0; i < n; i++) g[i] += g[(size_t)s * n + i];
    for (size_t i = 0; i < n; i++) sq += (double)g[i] * g[i];
    if (!isfinite(sq)) return; // a broken batch is passed over
    t->op->adam(n, rate, ++t->updates[k], 1, g, t->m[k], t->v[k], t->param[k]);
    for (size_t i = 0; i < n; i++) t->aim[k][i] += tau * (t->param[k][i] - t->aim[k][i]);
}

// Rows of the ring that have a next one.
static void draw(qi_td3 *t) {
    qiao_rng r = {.seed = t->def.seed, .purpose = RNG_PICK};
    int n = t->env.n, ready = t->held - 1;
    for (int i = 0; i < t->def.batch; i++) {
        int back = 2 + (int)(qiao_rng_uniform(&r, t->drawn, (uint32_t)(2 * i)) * ready);
        int slot = (t->head - back + 2 * t->def.keep) % t->def.keep;
        int w = (int)(qiao_rng_uniform(&r, t->drawn, (uint32_t)(2 * i + 1)) * n);
        t->pick[i] = (uint32_t)slot * (uint32_t)n + (uint32_t)w;
    }
    t->drawn++;
}

static void update(qi_td3 *t, qi_td3_stats *s) {
    draw(t);
    t->policy_too = t->drawn % (uint64_t)t->def.delay == 0;
    qi_pool_run(t->pool, SLOTS, learn_parts, t);
    s->critic = s->actor = 0;
    for (int k = 0; k < SLOTS; k++) s->critic += t->part[k].loss[0], s->actor += t->part[k].loss[1];
    move(t, Q1, t->def.critic_rate), move(t, Q2, t->def.critic_rate);
    if (t->policy_too) move(t, ACTOR, t->def.actor_rate);
}

// ---- living ----

static void decide(void *ctx, int thread, int first, int last_part) {
    qi_td3 *t = ctx;
    (void)thread;
    for (int s = first; s < last_part; s++) {
        int from = (int)((long)t->env.n * s / SLOTS), to = (int)((long)t->env.n * (s + 1) / SLOTS);
        for (int at = from; at < to; at += CHUNK) {
            int rows = to - at < CHUNK ? to - at : CHUNK;
            float *act = t->part[s].act[ACTOR], *u = t->raw + (size_t)at * (size_t)t->ldu;
            memcpy(act, t->seen + (size_t)at * (size_t)t->lda,
                   (size_t)(rows * t->lda) * sizeof *act);
            act_on(t, t->param[ACTOR], rows, act, u);
            for (int i = 0; i < rows; i++) {
                qiao_rng r = {.seed = t->def.seed, .trial = (uint64_t)(at + i), .purpose = RNG_ACT};
                for (int j = 0; j < t->env.nact; j++) {
                    float *x = &u[i * t->ldu + j];
                    double e = t->def.noise * qiao_rng_normal(&r, t->lived, (uint32_t)j);
                    if ((int)t->lived < t->def.warm)
                        *x = (float)(2 * qiao_rng_uniform(&r, t->lived, (uint32_t)j) - 1);
                    else
                        *x = (float)fmin(fmax(*x + e, -1), 1);
                }
            }
        }
    }
}

static void live(qi_td3 *t, qi_td3_stats *s, double sum[4]) {
    size_t n = (size_t)t->env.n, at = (size_t)t->head * n;
    float *obs = t->obs + at * (size_t)t->lda, *cobs = t->cobs + at * (size_t)t->ldc;
    float *keep = t->action + at * (size_t)t->ldu;
    t->env.observe(t->env.ctx, obs, cobs);
    if (t->def.normalise)
        qi_norm_see(&t->norm[0], obs, t->lda, n), qi_norm_see(&t->norm[1], cobs, t->ldc, n);
    qi_norm_apply(norm_of(t, 0), obs, t->lda, (int)n, t->seen);
    qi_pool_run(t->pool, SLOTS, decide, t);
    memcpy(keep, t->raw, n * (size_t)t->ldu * sizeof *keep);
    for (size_t i = 0; i < n * (size_t)t->ldu; i++) t->raw[i] *= (float)t->def.reach;
    t->env.step(t->env.ctx, t->raw, t->reward + at, t->over + at);
    for (size_t i = 0; i < n; i++) {
        s->reward += t->reward[at + i] / (double)n;
        t->ret[i] += t->reward[at + i], t->len[i]++;
        if (!t->over[at + i]) continue;
        sum[0] += t->ret[i], sum[1] += (double)t->len[i], sum[2]++, sum[3] += t->over[at + i] == 1;
        t->ret[i] = 0, t->len[i] = 0;
    }
    t->head = (t->head + 1) % t->def.keep;
    if (t->held < t->def.keep) t->held++;
    t->lived++;
}

void qi_td3_live(qi_td3 *t, int steps, qi_td3_stats *s) {
    double sum[4] = {0};
    *s = (qi_td3_stats){0};
    for (int i = 0; i < steps; i++) live(t, s, sum);
    s->reward /= steps;
    s->episode = sum[0] / sum[2], s->length = sum[1] / sum[2], s->ended = sum[3] / sum[2];
    s->nover = sum[2];
    s->steps = t->lived * (uint64_t)t->env.n;
}

void qi_td3_learn(qi_td3 *t, int steps, qi_td3_stats *s) {
    // the newest has no next one yet, and the oldest of a full ring is where the next will lie
    if (t->held < 3 || t->lived < (uint64_t)t->def.warm) return;
    int n = steps * t->def.updates;
    double critic = 0, actor = 0, moved = 0;
    for (int u = 0; u < n; u++) {
        update(t, s);
        critic += s->critic / n;
        if (t->policy_too) actor += s->actor, moved++;
    }
    s->critic = critic, s->actor = moved > 0 ? actor / moved : 0;
}

void qi_td3_step(qi_td3 *t, qi_td3_stats *s) {
    qi_td3_live(t, 1, s);
    qi_td3_learn(t, 1, s);
}

// ---- the state that a checkpoint keeps ----

enum { PIECES = 4 * NETS + 4 + 5 };
static void pieces(const qi_td3 *t, qi_piece out[PIECES]) {
    size_t f = sizeof(float), all = (size_t)t->env.n * (size_t)t->def.keep;
    int n = 0;
    for (int k = 0; k < NETS; k++) {
        float *of[4] = {t->param[k], t->aim[k], t->m[k], t->v[k]};
        for (int i = 0; i < 4; i++) out[n++] = (qi_piece){of[i], t->net[k].nparam * f};
    }
    for (int i = 0; i < 2; i++) {
        size_t bytes = (size_t)t->norm[i].n * sizeof(double);
        out[n++] = (qi_piece){t->norm[i].mean, bytes}, out[n++] = (qi_piece){t->norm[i].var, bytes};
    }
    out[n++] = (qi_piece){t->obs, all * (size_t)t->lda * f};
    out[n++] = (qi_piece){t->cobs, all * (size_t)t->ldc * f};
    out[n++] = (qi_piece){t->action, all * (size_t)t->ldu * f};
    out[n++] = (qi_piece){t->reward, all * f}, out[n++] = (qi_piece){t->over, all};
}
typedef struct head { // of the state
    uint64_t nparam[2], nobs, ncritic, n, keep, lived, drawn;
    int64_t updates[NETS];
    double count[2];
    int32_t head, held;
} head;
static head head_of(const qi_td3 *t) {
    head h = {.nparam = {t->net[ACTOR].nparam, t->net[Q1].nparam},
              .nobs = (uint64_t)t->env.nobs,
              .ncritic = (uint64_t)t->env.ncritic,
              .n = (uint64_t)t->env.n,
              .keep = (uint64_t)t->def.keep,
              .lived = t->lived,
              .drawn = t->drawn,
              .count = {t->norm[0].count, t->norm[1].count},
              .head = t->head,
              .held = t->held};
    memcpy(h.updates, t->updates, sizeof h.updates);
    return h;
}

size_t qi_td3_state_bytes(const qi_td3 *t) {
    qi_piece list[PIECES];
    pieces(t, list);
    return sizeof(head) + qi_pieces_bytes(list, PIECES);
}
void qi_td3_state_get(const qi_td3 *t, void *bytes) {
    qi_piece list[PIECES];
    head h = head_of(t);
    pieces(t, list);
    memcpy(bytes, &h, sizeof h);
    qi_pieces_get(list, PIECES, (char *)bytes + sizeof h);
}
qiao_err qi_td3_state_set(qi_td3 *t, const void *bytes, size_t size) {
    head h, mine = head_of(t);
    if (size != qi_td3_state_bytes(t)) return QIAO_E_FORMAT;
    memcpy(&h, bytes, sizeof h);
    if (memcmp(h.nparam, mine.nparam, sizeof h.nparam) != 0 || h.nobs != mine.nobs ||
        h.ncritic != mine.ncritic || h.n != mine.n || h.keep != mine.keep || h.head < 0 ||
        h.head >= t->def.keep || h.held < 0 || h.held > t->def.keep)
        return QIAO_E_FORMAT;
    qi_piece list[PIECES];
    pieces(t, list);
    qi_pieces_set(list, PIECES, (const char *)bytes + sizeof h);
    t->lived = h.lived, t->drawn = h.drawn, t->head = h.head, t->held = h.held;
    memcpy(t->updates, h.updates, sizeof h.updates);
    for (int i = 0; i < 2; i++) t->norm[i].count = h.count[i];
    return QIAO_OK;
}

qi_ppo_view qi_td3_look(const qi_td3 *t) {
    static const qi_norm none = {0};
    return (qi_ppo_view){.actor = t->net[ACTOR],
                         .critic = t->net[Q1],
                         .actor_param = t->param[ACTOR],
                         .squash = t->def.reach,
                         .obs = t->def.normalise ? &t->norm[0] : &none};
}
