// SPDX-License-Identifier: Apache-2.0
// bench_learn_ppo.c - what learning alone costs, without worlds: processor time a step of
// proximal policy optimisation as go2_walk has it (inputs 45 and 57, 12 actions, networks of
// 128-64-32, 3 epochs), for each kind of number.
//   bench_learn_ppo [threads]     default all; middle of seven iterations after one that warms up
#include "learn/ppo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WORLDS = 2048, OBS = 45, CRITIC = 57, ACTIONS = 12, ROUNDS = 7 };

static double spent(void) { // by all threads
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}
static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

// Worlds that cost next to nothing: what is seen is noise, and the first action is best at 0.3.
static uint32_t state = 1;
static void begin(void *ctx, uint64_t epoch) { (void)ctx, (void)epoch; }
static void observe(void *ctx, float *actor, float *critic) {
    (void)ctx;
    for (int i = 0; i < WORLDS; i++)
        for (int k = 0; k < CRITIC; k++) {
            state = state * 1664525u + 1013904223u;
            float x = (float)(state >> 8) * 0x1p-23f - 1;
            critic[i * 64 + k] = x;
            if (k < OBS) actor[i * 48 + k] = x;
        }
}
static void step(void *ctx, const float *action, float *reward, uint8_t *over) {
    (void)ctx;
    for (int i = 0; i < WORLDS; i++) {
        float off = action[i * 16] - 0.3f;
        reward[i] = -off * off, over[i] = i % 50 == 0;
    }
}

static void measure(const char *name, const qi_ppo_def *def, qi_pool *pool) {
    qi_env e = {.n = WORLDS,
                .nobs = OBS,
                .ncritic = CRITIC,
                .nact = ACTIONS,
                .begin = begin,
                .observe = observe,
                .step = step};
    qi_ppo *p = qi_ppo_new(def, &e, pool, NULL);
    if (!p) exit(1);
    qi_ppo_begin(p, 1);
    double live[ROUNDS], learn[ROUNDS], each = WORLDS * (double)def->horizon;
    qi_ppo_stats s;
    for (int i = -1; i < ROUNDS; i++) {
        double a = spent();
        qi_ppo_live(p, &s);
        double b = spent();
        qi_ppo_learn(p, &s);
        double c = spent();
        if (i >= 0) live[i] = (b - a) / each * 1e6, learn[i] = (c - b) / each * 1e6;
    }
    qsort(live, ROUNDS, sizeof *live, by_size), qsort(learn, ROUNDS, sizeof *learn, by_size);
    printf("%-9s %d threads: a step costs %.2f core-us while living (both networks, noise, "
           "normalisers, these worlds), %.2f while learning (least %.2f)\n",
           name, qi_pool_threads(pool), live[ROUNDS / 2], learn[ROUNDS / 2], learn[0]);
    qi_ppo_free(p);
}

int main(int argc, char **argv) {
    qi_pool *pool = qi_pool_new(argc > 1 ? atoi(argv[1]) : 0);
    qi_ppo_def def = qi_ppo_def_default();
    def.epochs = 3;
    if (argc < 3) measure("float32", &def, pool);
    def.half = true;
    measure("bfloat16", &def, pool);
    qi_pool_free(pool);
    return 0;
}
