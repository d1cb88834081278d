// SPDX-License-Identifier: Apache-2.0
// bench_dyn.c - room dyn beside MuJoCo, same states, same run, one core: ns a call and per state.
// Least of many short runs, with the middle one as spread. bench_dyn [PART OF A ROBOT'S PATH]

#include "../tests/dyn_model.h"
#include "dyn/ops.h"

#include <time.h>

enum { NSET = 16, NV = 120 };
static const char *data_path(void) {
    const char *p = getenv("QIAO_DATA");
    return p ? p : "../shared/data";
}
static double now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

typedef struct rig {
    dyn_case *c;
    const qi_dyn_ops *op; // NULL: MuJoCo
    void *self;
    char *q[NSET], *qd[NSET], *x[NSET], *out; // [n][lanes] of the instance's numbers
    double *mq[NSET], *mqd[NSET], *mx[NSET];
} rig;

typedef void job(rig *r, int k);
static void inverse(rig *r, int k) {
    if (r->op) {
        r->op->inverse(r->self, r->q[k], r->qd[k], r->x[k], r->out);
        return;
    }
    mjData *d = r->c->data;
    memcpy(d->qpos, r->mq[k], (size_t)r->c->m.nq * 8),
        memcpy(d->qvel, r->mqd[k], (size_t)r->c->m.nv * 8);
    memcpy(d->qacc, r->mx[k], (size_t)r->c->m.nv * 8);
    mj_kinematics(r->c->mj, d), mj_comPos(r->c->mj, d), mj_comVel(r->c->mj, d);
    mj_rne(r->c->mj, d, 1, d->qfrc_inverse);
}
static void forward(rig *r, int k) {
    if (r->op) {
        r->op->forward(r->self, r->q[k], r->qd[k], r->x[k], r->out);
        return;
    }
    mjData *d = r->c->data;
    memcpy(d->qpos, r->mq[k], (size_t)r->c->m.nq * 8),
        memcpy(d->qvel, r->mqd[k], (size_t)r->c->m.nv * 8);
    mj_kinematics(r->c->mj, d), mj_comPos(r->c->mj, d), mj_makeM(r->c->mj, d);
    mj_factorM(r->c->mj, d), mj_comVel(r->c->mj, d);
    mj_rne(r->c->mj, d, 0, d->qfrc_bias);
    for (int i = 0; i < r->c->m.nv; i++) d->qfrc_smooth[i] = r->mx[k][i] - d->qfrc_bias[i];
    mj_solveM(r->c->mj, d, d->qacc_smooth, d->qfrc_smooth, 1);
}
static void mass(rig *r, int k) {
    if (r->op) {
        r->op->mass(r->self, r->q[k]);
        return;
    }
    mjData *d = r->c->data;
    memcpy(d->qpos, r->mq[k], (size_t)r->c->m.nq * 8);
    mj_kinematics(r->c->mj, d), mj_comPos(r->c->mj, d), mj_makeM(r->c->mj, d);
}
static void mass_factor(rig *r, int k) {
    mass(r, k);
    if (r->op)
        r->op->factor(r->self);
    else
        mj_factorM(r->c->mj, r->c->data);
}
static void axes(rig *r, int k) {
    if (r->op) {
        r->op->axes(r->self, r->q[k]);
        return;
    }
    mjData *d = r->c->data;
    memcpy(d->qpos, r->mq[k], (size_t)r->c->m.nq * 8);
    mj_kinematics(r->c->mj, d), mj_comPos(r->c->mj, d);
}
static void derivatives(rig *r, int k) {
    if (r->op) {
        size_t n = (size_t)(r->c->m.nv * r->c->m.nv * r->op->lanes) * 8;
        r->op->derivatives(r->self, r->q[k], r->qd[k], r->x[k], r->out, r->out + n);
    }
}

static void *fill(const qi_dyn_ops *op, const double *x, int n) {
    size_t w = op->real == QIAO_REAL_F64 ? 8 : 4, total = (size_t)n * (size_t)op->lanes;
    char *p = dyn_alloc(total * w);
    for (size_t i = 0; i < total; i++) {
        double v = x[i / (size_t)op->lanes];
        if (w == 8)
            ((double *)(void *)p)[i] = v;
        else
            ((float *)(void *)p)[i] = (float)v;
    }
    return p;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
// ns per state: least and middle of runs of about 50 us
static void measure(job *f, rig *r, double *least, double *middle) {
    enum { RUNS = 200 };
    static double t[RUNS];
    int n = 1;
    for (;; n *= 2) {
        double a = now_ns();
        for (int i = 0; i < n; i++) f(r, i % NSET);
        if (now_ns() - a > 4e4) break;
    }
    for (int k = 0; k < RUNS; k++) {
        double a = now_ns();
        for (int i = 0; i < n; i++) f(r, i % NSET);
        t[k] = (now_ns() - a) / n / (r->op ? r->op->lanes : 1);
    }
    qsort(t, RUNS, sizeof *t, ascending);
    *least = t[0], *middle = t[RUNS / 2];
}

static const struct {
    const char *name;
    job *f;
    int mujoco;
} jobs[] = {{"inverse", inverse, 1}, {"forward", forward, 1},
            {"mass", mass, 1},       {"mass + factor", mass_factor, 1},
            {"Jacobians", axes, 1},  {"derivatives", derivatives, 0}};

static void bench_robot(const char *file) {
    char path[700];
    dyn_case c;
    snprintf(path, sizeof path, "%s/%s", data_path(), file);
    if (!dyn_case_open(&c, path)) {
        printf("skipped %s\n", path);
        return;
    }
    static double q[NSET][NV], qd[NSET][NV], x[NSET][NV];
    uint64_t s = 3;
    for (int k = 0; k < NSET; k++) dyn_rand_state(&c, &s, q[k], qd[k], x[k]);
    printf("\n%s: %d dofs, %d bodies; ns per state: least (middle)\n%-18s", file, c.m.nv, c.m.nbody,
           "");
    for (size_t j = 0; j < sizeof jobs / sizeof *jobs; j++) printf(" %15s", jobs[j].name);
    putchar('\n');
    for (int i = -1; i < qi_dyn_nall; i++) {
        rig r = {.c = &c, .op = i < 0 ? NULL : qi_dyn_all[i]};
        if (r.op && !r.op->usable()) continue;
        char *mem = NULL;
        if (r.op) {
            size_t plan = (qi_plan_size(&c.m) + 63) & ~(size_t)63;
            qi_plan count;
            qi_plan_count(&c.m, &count);
            mem = dyn_alloc(plan + r.op->size(&count));
            memset(mem, 0, plan + r.op->size(&count));
            r.self = r.op->init(qi_plan_init(&c.m, mem), mem + plan);
            r.out = dyn_alloc((size_t)(c.m.nv * c.m.nv * r.op->lanes) * 16 + 64);
        }
        for (int k = 0; k < NSET; k++) {
            r.mq[k] = q[k], r.mqd[k] = qd[k], r.mx[k] = x[k];
            if (!r.op) continue;
            r.q[k] = fill(r.op, q[k], c.m.nq), r.qd[k] = fill(r.op, qd[k], c.m.nv);
            r.x[k] = fill(r.op, x[k], c.m.nv);
        }
        printf("%-18s", r.op ? r.op->name : "MuJoCo");
        for (size_t j = 0; j < sizeof jobs / sizeof *jobs; j++) {
            double least, middle;
            if (!r.op && !jobs[j].mujoco) continue;
            measure(jobs[j].f, &r, &least, &middle);
            printf(" %7.1f(%6.1f)", least, middle);
        }
        putchar('\n');
        for (int k = 0; r.op && k < NSET; k++) free(r.q[k]), free(r.qd[k]), free(r.x[k]);
        if (r.op) free(mem), free(r.out);
    }
    dyn_case_close(&c);
}

int main(int argc, char **argv) {
    static const char *const robots[] = {"mujoco_menagerie/franka_emika_panda/panda_nohand.xml",
                                         "mujoco_menagerie/unitree_go2/go2_nomesh.xml",
                                         "mujoco_menagerie/unitree_g1/g1.xml"};
    printf("dyn: %s; MuJoCo %s\n", __VERSION__, mj_versionString());
    for (int i = 0; i < 3; i++)
        if (argc < 2 || strstr(robots[i], argv[1])) bench_robot(robots[i]);
    return 0;
}
