// SPDX-License-Identifier: Apache-2.0
// bench_learn.c - what training costs: steps of worlds a second end to end, and where they go.
//   bench_learn [train.yaml]     default brains/go2_walk/train.yaml
// Middle of nine iterations after one that warms up; all cores, then one. Core-us are time of the
// processor, so that a busy machine lies less. The split of living is by what a step costs without
// its parts: worlds alone, their sim alone, a sim without sensors.
#include "learn/worlds_in.h"
#include "qiao/learn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 9, STEPS = 8 };
static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}
static double middle(double x[ROUNDS]) {
    qsort(x, ROUNDS, sizeof *x, by_size);
    return x[ROUNDS / 2];
}
static double cpu(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// Core-us of living with the networks, and of learning.
static bool measure(const char *recipe, int threads, double part[2]) {
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
        double c = cpu();
        qiao_train_step(t, &s);
        c = cpu() - c, each = s.steps - before;
        double share = s.live_s / (s.live_s + s.learn_s);
        live[i] = share * c / each * 1e6, learn[i] = (1 - share) * c / each * 1e6;
        all[i] = (s.live_s + s.learn_s) / each * 1e6;
    }
    part[0] = middle(live), part[1] = middle(learn);
    double wall = middle(all);
    printf("%s, %s: %.0f steps of worlds/s; core-us a step: living %.2f, learning %.2f; %.0f steps "
           "an iteration\n",
           recipe, threads ? "one thread" : "all threads", 1e6 / wall, part[0], part[1], each);
    qiao_train_free(t);
    return true;
}

typedef struct piece {
    qi_worlds *w;
    float *action, *actor, *critic, *reward;
    uint8_t *over;
} piece;

// A sim of the same worlds whose robot senses nothing; it holds what was commanded.
static qiao_sim *blind(const qi_worlds *w, qiao_diag *d) {
    static const qiao_model *world[1 << 16];
    qiao_robot r = *w->robot;
    r.nsensor = 0;
    qiao_sim_def sd = qiao_sim_def_default();
    for (int i = 0; i < w->env.n; i++) world[i] = w->model[i % w->r->grounds];
    sd.engine = w->r->engine, sd.nworld = w->env.n, sd.nthread = 1, sd.robot = &r, sd.world = world;
    sd.period = w->period;
    sd.iterations = strcmp(w->r->engine, "mujoco") == 0 ? 0 : w->r->iterations;
    qiao_sim *s = qiao_sim_new(&sd, d);
    if (s) qiao_sim_command(s, &w->cmd);
    return s;
}

static double live(const piece *p, int what, qiao_sim *s) {
    double c = cpu();
    for (int k = 0; k < STEPS; k++) {
        if (what == 2)
            qiao_sim_step(s, p->w->nstep);
        else
            p->w->env.step(p->w, p->action, p->reward, p->over),
                p->w->env.observe(p->w, p->actor, p->critic);
    }
    return (cpu() - c) / STEPS / p->w->env.n * 1e6;
}

static bool split(const char *recipe, const double whole[2]) {
    qiao_diag d = {0};
    qi_recipe *r = qi_recipe_load(recipe, &d);
    qi_pool *pool = qi_pool_new(1);
    piece p = {.w = r ? qi_worlds_new(r, pool, &d) : NULL};
    qiao_sim *s = NULL;
    double x[4][ROUNDS];
    if (p.w) {
        const qi_env *e = &p.w->env;
        size_t n = (size_t)e->n;
        p.action = calloc(n * (size_t)qi_mlp_pad(e->nact), sizeof(float));
        p.actor = calloc(n * (size_t)qi_mlp_pad(e->nobs), sizeof(float));
        p.critic = calloc(n * (size_t)qi_mlp_pad(e->ncritic), sizeof(float));
        p.reward = calloc(n, sizeof(float)), p.over = calloc(n, 1);
        qi_worlds_grow(p.w, 0), e->begin(p.w, 1), e->observe(p.w, p.actor, p.critic);
        live(&p, 0, NULL); // commands are there now
        s = blind(p.w, &d);
    }
    for (int i = 0; s && i < ROUNDS; i++) {
        int terms = r->nreward;
        x[0][i] = live(&p, 0, NULL);
        r->nreward = 0, x[1][i] = live(&p, 0, NULL), r->nreward = terms;
        double c = cpu();
        for (int k = 0; k < STEPS; k++) qiao_sim_step(p.w->sim, p.w->nstep);
        x[2][i] = (cpu() - c) / STEPS / p.w->env.n * 1e6;
        x[3][i] = live(&p, 2, s);
    }
    if (s) {
        double all = middle(x[0]), worthless = middle(x[1]), sim = middle(x[2]),
               bare = middle(x[3]);
        printf("one thread, core-us of a step: physics and drives %.2f, sensors %.2f, observations "
               "and commands %.2f, rewards %.2f, both networks %.2f, learning %.2f\n",
               bare, sim - bare, worthless - sim, all - worthless, whole[0] - all, whole[1]);
    } else
        fprintf(stderr, "bench_learn: %s\n", d.text);
    qiao_sim_free(s), qi_worlds_free(p.w), qi_pool_free(pool), qi_recipe_free(r);
    free(p.action), free(p.actor), free(p.critic), free(p.reward), free(p.over);
    return s != NULL;
}

int main(int argc, char **argv) {
    const char *recipe = argc > 1 ? argv[1] : "brains/go2_walk/train.yaml";
    double part[2];
    return measure(recipe, 0, part) && measure(recipe, 1, part) && split(recipe, part) ? 0 : 1;
}
