// SPDX-License-Identifier: Apache-2.0
// train.c - the calls of qiao/learn.h: recipe, worlds and learner put together; checkpoints.
#include "qiao/learn.h"

#include "brain/manifest.h"
#include "learn/learner.h"
#include "learn/onnx_write.h"
#include "learn/worlds.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct qiao_train {
    qi_recipe *recipe;
    qi_pool *pool;
    qi_worlds *worlds;
    qi_learner *learner;
    double period;
    uint64_t iteration;
    double steps;
};

qiao_train_def qiao_train_def_default(void) { return (qiao_train_def){.recipe = "train.yaml"}; }

static double now(void) { // for the split of time that people see; nothing depends on it
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

qiao_train *qiao_train_new(const qiao_train_def *def, qiao_diag *d) {
    qiao_diag own = {0};
    if (!d) d = &own;
    qiao_train *t = calloc(1, sizeof *t);
    if (!t) {
        qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
        return NULL;
    }
    t->recipe = qi_recipe_load(def->recipe, d);
    if (t->recipe) {
        if (def->seed) t->recipe->ppo.seed = def->seed;
        if (def->steps > 0) t->recipe->steps = def->steps;
        t->pool = qi_pool_new(def->nthread);
    }
    if (t->pool && (t->worlds = qi_worlds_new(t->recipe, t->pool, d)))
        t->learner = qi_learner_new(t->recipe, qi_worlds_env(t->worlds), qi_worlds_teach(t->worlds),
                                    t->pool, d);
    if (t->learner) {
        t->period = 1 / qi_worlds_manifest(t->worlds)->rate_hz;
        return t;
    }
    if (!d->err) qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    qiao_train_free(t);
    return NULL;
}

void qiao_train_free(qiao_train *t) {
    if (!t) return;
    qi_learner_free(t->learner);
    qi_worlds_free(t->worlds);
    qi_pool_free(t->pool);
    qi_recipe_free(t->recipe);
    free(t);
}

bool qiao_train_at_checkpoint(const qiao_train *t) {
    return t->iteration % (uint64_t)t->recipe->checkpoint == 0;
}
uint64_t qiao_train_iteration(const qiao_train *t) { return t->iteration; }
bool qiao_train_over(const qiao_train *t) { return t->steps >= t->recipe->steps; }
const char *qiao_train_robot(const qiao_train *t) { return t->recipe->robot; }
const char *qiao_train_robot_name(const qiao_train *t) { return qi_worlds_robot(t->worlds)->name; }
const char *qiao_train_brain(const qiao_train *t) { return t->recipe->brain; }
const char *qiao_train_scenario(const qiao_train *t) { return t->recipe->scenario; }

void qiao_train_step(qiao_train *t, qiao_train_stats *s) {
    qi_ppo_stats p;
    qi_worlds_stats w;
    qi_worlds_grow(t->worlds, t->steps);
    double a = now();
    if (qiao_train_at_checkpoint(t)) // all anew: nothing but the learner's state goes on
        qi_learner_begin(t->learner, t->iteration / (uint64_t)t->recipe->checkpoint);
    qi_learner_live(t->learner, &p);
    double b = now();
    qi_learner_learn(t->learner, &p);
    double c = now();
    qi_worlds_stats_take(t->worlds, &w);
    t->iteration++, t->steps = (double)p.steps;
    *s = (qiao_train_stats){.iteration = t->iteration,
                            .steps = t->steps,
                            .steps_all = t->recipe->steps,
                            .reward = p.reward,
                            .episode = p.episode,
                            .length = p.length * t->period,
                            .ended = p.ended,
                            .episodes = p.nover,
                            .checkpoint = t->recipe->checkpoint,
                            .speed_error = w.speed_error,
                            .turn_error = w.turn_error,
                            .ground = w.ground,
                            .goals = w.goals,
                            .goal_error = w.goal_error,
                            .share = qi_worlds_share(t->worlds),
                            .policy = p.policy,
                            .value = p.value,
                            .entropy = p.entropy,
                            .symmetry = p.symmetry,
                            .kl = p.kl,
                            .rate = p.rate,
                            .std = p.std,
                            .grad = p.grad,
                            .explained = p.explained,
                            .live_s = b - a,
                            .learn_s = c - b,
                            .nterm = t->recipe->nreward};
    for (int i = 0; i < s->nterm; i++)
        s->term_name[i] = qi_reward_name[t->recipe->reward[i].kind], s->term[i] = w.term[i];
}

// ---- checkpoints: head, the learner's state, a hash of both ----

typedef struct head {
    char magic[8];
    uint64_t seed, iteration, bytes;
    double steps;
    uint8_t recipe[QIAO_HASH_BYTES], robot[QIAO_HASH_BYTES], brain[QIAO_HASH_BYTES];
} head;

static head head_of(const qiao_train *t) {
    head h = {.magic = "QIAOTRN", .seed = t->recipe->ppo.seed, .iteration = t->iteration};
    h.bytes = qi_learner_state_bytes(t->learner) + qi_worlds_state_bytes(t->worlds);
    h.steps = t->steps;
    memcpy(h.recipe, t->recipe->hash, sizeof h.recipe);
    memcpy(h.robot, qi_worlds_robot(t->worlds)->hash, sizeof h.robot);
    memcpy(h.brain, qi_worlds_manifest(t->worlds)->hash, sizeof h.brain);
    return h;
}

static void hash_of(const void *data, size_t n, uint8_t out[QIAO_HASH_BYTES]) {
    qiao_hash h;
    qiao_hash_init(&h), qiao_hash_add(&h, data, n), qiao_hash_end(&h, out);
}

qiao_err qiao_train_save(const qiao_train *t, const char *path, qiao_diag *d) {
    head h = head_of(t);
    if (!qiao_train_at_checkpoint(t))
        return qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0,
                             "iteration %llu is no checkpoint; every %dth is",
                             (unsigned long long)t->iteration, t->recipe->checkpoint);
    size_t n = sizeof h + h.bytes;
    char *b = malloc(n + QIAO_HASH_BYTES);
    if (!b) return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    memcpy(b, &h, sizeof h);
    qi_learner_state_get(t->learner, b + sizeof h);
    qi_worlds_state_get(t->worlds, b + sizeof h + qi_learner_state_bytes(t->learner));
    hash_of(b, n, (uint8_t *)b + n);
    qiao_err e = qiao_file_write(path, b, n + QIAO_HASH_BYTES, d);
    free(b);
    return e;
}

static qiao_err check_head(const qiao_train *t, const head *h, const char *path, qiao_diag *d) {
    head mine = head_of(t);
    const char *what = memcmp(h->recipe, mine.recipe, sizeof mine.recipe) ? "recipe"
                       : memcmp(h->robot, mine.robot, sizeof mine.robot)  ? "robot"
                       : memcmp(h->brain, mine.brain, sizeof mine.brain)  ? "brain"
                       : h->seed != mine.seed                             ? "seed"
                       : h->bytes != mine.bytes                           ? "network"
                                                                          : NULL;
    if (!what) return QIAO_OK;
    return qiao_diag_set(d, QIAO_E_FORMAT, path, 0, 0, "this checkpoint is of another %s", what);
}

qiao_err qiao_train_load(qiao_train *t, const char *path, qiao_diag *d) {
    enum { MOST = 1 << 30 };
    char *b;
    size_t n;
    qiao_err e = qiao_file_read(path, MOST, &b, &n, d);
    if (e) return e;
    head h;
    uint8_t sum[QIAO_HASH_BYTES];
    if (n < sizeof h + sizeof sum || memcmp(b, "QIAOTRN", 8) != 0)
        e = qiao_diag_set(d, QIAO_E_FORMAT, path, 0, 0, "this is no checkpoint of a training");
    if (!e) {
        hash_of(b, n - sizeof sum, sum);
        if (memcmp(sum, b + n - sizeof sum, sizeof sum) != 0)
            e = qiao_diag_set(d, QIAO_E_FORMAT, path, 0, 0, "a byte of this checkpoint is wrong");
    }
    if (!e) memcpy(&h, b, sizeof h), e = check_head(t, &h, path, d);
    size_t mind = qi_learner_state_bytes(t->learner);
    if (!e && (h.bytes != n - sizeof h - sizeof sum ||
               qi_learner_state_set(t->learner, b + sizeof h, mind)))
        e = qiao_diag_set(d, QIAO_E_FORMAT, path, 0, 0, "this checkpoint is of another network");
    if (!e) qi_worlds_state_set(t->worlds, b + sizeof h + mind);
    if (!e) t->iteration = h.iteration, t->steps = h.steps;
    free(b);
    return e;
}

qiao_err qiao_train_export(const qiao_train *t, const char *dir, qiao_diag *d) {
    char path[1100], seed[32], hash[QIAO_HASH_HEX], steps[32];
    qi_ppo_view v = qi_learner_look(t->learner);
    snprintf(path, sizeof path, "%.1000s/policy.onnx", dir);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)t->recipe->ppo.seed);
    snprintf(steps, sizeof steps, "%.0f", t->steps);
    qiao_hash_hex(t->recipe->hash, hash);
    const char *key[] = {"recipe", "seed", "steps"}, *text[] = {hash, seed, steps};
    qiao_err e = qiao_dir_make(dir, d);
    if (!e) e = qi_worlds_export(t->worlds, dir, d);
    return e ? e : qi_onnx_write(&v, 3, key, text, path, d);
}
