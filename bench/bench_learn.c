// SPDX-License-Identifier: Apache-2.0
// bench_learn.c - what training costs: steps of worlds a second end to end, and where they go.
//   bench_learn [train.yaml]     default brains/go2_walk/train.yaml
// Middle of nine iterations after one that warms up; all cores, then one.
#include "qiao/learn.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 9 };
static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static bool measure(const char *recipe, int threads) {
    qiao_diag d = {0};
    qiao_train_def def = qiao_train_def_default();
    def.recipe = recipe, def.nthread = threads;
    qiao_train *t = qiao_train_new(&def, &d);
    if (!t) {
        fprintf(stderr, "bench_learn: %s\n", d.text);
        return false;
    }
    qiao_train_stats s;
    qiao_train_step(t, &s);
    double live[ROUNDS], learn[ROUNDS], all[ROUNDS], before = s.steps, each = 0;
    for (int i = 0; i < ROUNDS; i++, before = s.steps) {
        qiao_train_step(t, &s);
        each = s.steps - before;
        live[i] = s.live_s / each * 1e6, learn[i] = s.learn_s / each * 1e6;
        all[i] = live[i] + learn[i];
    }
    qsort(live, ROUNDS, sizeof *live, by_size), qsort(learn, ROUNDS, sizeof *learn, by_size);
    qsort(all, ROUNDS, sizeof *all, by_size);
    int m = ROUNDS / 2;
    printf("%s, %s: %.0f steps of worlds/s; a step %.2f us: living %.2f (physics, sensors, "
           "policy, rewards), learning %.2f; %.0f steps an iteration\n",
           recipe, threads ? "one thread" : "all threads", 1e6 / all[m], all[m], live[m], learn[m],
           each);
    qiao_train_free(t);
    return true;
}

int main(int argc, char **argv) {
    const char *recipe = argc > 1 ? argv[1] : "brains/go2_walk/train.yaml";
    return measure(recipe, 0) && measure(recipe, 1) ? 0 : 1;
}
