// SPDX-License-Identifier: Apache-2.0
// bench_lanes_touch.c - contacts of two shapes in lanes beside MuJoCo's function of the pair: the
// same poses, one core, one run. Least of many runs, ns per pair and lane.

#include "qiao/base.h"
#include "sim/lanes_touch_ops.h"

#include <math.h>
#include <mujoco/mujoco.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NPOSE = 256, RUNS = 200, ROWS = QI_TOUCH_PLACE };
static const struct {
    const char *name;
    int type1, type2;
} pairs[] = {
    {"plane sphere", mjGEOM_PLANE, mjGEOM_SPHERE},
    {"plane capsule", mjGEOM_PLANE, mjGEOM_CAPSULE},
    {"plane ellipsoid", mjGEOM_PLANE, mjGEOM_ELLIPSOID},
    {"plane cylinder", mjGEOM_PLANE, mjGEOM_CYLINDER},
    {"plane box", mjGEOM_PLANE, mjGEOM_BOX},
    {"sphere sphere", mjGEOM_SPHERE, mjGEOM_SPHERE},
    {"sphere capsule", mjGEOM_SPHERE, mjGEOM_CAPSULE},
    {"sphere cylinder", mjGEOM_SPHERE, mjGEOM_CYLINDER},
    {"sphere box", mjGEOM_SPHERE, mjGEOM_BOX},
    {"capsule capsule", mjGEOM_CAPSULE, mjGEOM_CAPSULE},
    {"capsule box", mjGEOM_CAPSULE, mjGEOM_BOX},
    {"box box", mjGEOM_BOX, mjGEOM_BOX},
};
static double a[NPOSE][ROWS], b[NPOSE][ROWS];
static const double margin = 0.001;

static double now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}
static uint64_t turn;
static double rnd(double lo, double hi) {
    qiao_rng r = {.seed = 3, .purpose = QIAO_RNG_CASE};
    return lo + (hi - lo) * qiao_rng_uniform(&r, turn++, 0);
}
static void random_place(double *p) {
    double q[4], m[9];
    for (int i = 0; i < 3; i++) p[i] = rnd(-0.2, 0.2), p[12 + i] = rnd(0.1, 0.2);
    for (int i = 0; i < 4; i++) q[i] = rnd(-1, 1);
    mju_normalize4(q);
    mju_quat2Mat(m, q);
    mju_transpose(p + 3, m, 3, 3);
}

// NPOSE pairs of world geoms of the two types.
static mjModel *model(int type1, int type2, mjData **d) {
    mjSpec *s = mj_makeSpec();
    for (int k = 0; k < 2 * NPOSE; k++) {
        mjsGeom *g = mjs_addGeom(mjs_findBody(s, "world"), NULL);
        g->type = (mjtGeom)(k & 1 ? type2 : type1);
        g->size[0] = g->size[1] = g->size[2] = 1;
    }
    mjModel *m = mj_compile(s, NULL);
    mj_deleteSpec(s);
    *d = m ? mj_makeData(m) : NULL;
    if (!*d) fprintf(stderr, "bench_lanes_touch: MuJoCo made no model\n"), exit(1);
    for (int k = 0; k < 2 * NPOSE; k++) {
        const double *p = k & 1 ? b[k / 2] : a[k / 2];
        memcpy((*d)->geom_xpos + 3 * k, p, 3 * sizeof *p);
        memcpy(m->geom_size + 3 * k, p + 12, 3 * sizeof *p);
        mju_transpose((*d)->geom_xmat + 9 * k, p + 3, 3, 3);
    }
    return m;
}
static double mujoco_ns(int type1, int type2, int *found) {
    mjData *d;
    mjModel *m = model(type1, type2, &d);
    mjPreContact con[64];
    double best = 1e18;
    for (int r = 0; r < RUNS; r++) {
        double t = now_ns();
        int n = 0;
        for (int k = 0; k < NPOSE; k++)
            n += mjCOLLISIONFUNC[type1][type2](m, d, con, 2 * k, 2 * k + 1, margin) > 0;
        best = fmin(best, now_ns() - t);
        *found = n;
    }
    mj_deleteData(d), mj_deleteModel(m);
    return best / NPOSE;
}

static void pack(const qi_touch_ops *op, char *at, const double *x, int row, int lane) {
    size_t k = (size_t)(row * op->lanes + lane);
    if (op->f64)
        memcpy(at + 8 * k, x, 8);
    else
        memcpy(at + 4 * k, &(float){(float)*x}, 4);
}
static _Alignas(64) char pa[NPOSE * ROWS * 8], pb[NPOSE * ROWS * 8], pm[64], out[64 * 8 * 16];
static double lanes_ns(const qi_touch_ops *op, int type1, int type2) {
    size_t group = (size_t)(op->lanes * ROWS * (op->f64 ? 8 : 4));
    for (int k = 0; k < NPOSE; k++)
        for (int r = 0; r < ROWS; r++) {
            size_t at = (size_t)(k / op->lanes) * group;
            pack(op, pa + at, &a[k][r], r, k % op->lanes);
            pack(op, pb + at, &b[k][r], r, k % op->lanes);
        }
    for (int l = 0; l < op->lanes; l++) pack(op, pm, &margin, 0, l);
    double best = 1e18;
    for (int r = 0; r < RUNS; r++) {
        double t = now_ns();
        for (int k = 0; k < NPOSE / op->lanes; k++)
            op->run(type1, type2, pa + (size_t)k * group, pb + (size_t)k * group, pm, out);
        best = fmin(best, now_ns() - t);
    }
    return best / NPOSE;
}

int main(void) {
    for (int i = 0; i < NPOSE; i++) random_place(a[i]), random_place(b[i]);
    printf("ns per pair and lane; random poses, share that touch\n%-16s %5s %9s", "", "touch",
           "MuJoCo");
    for (int i = 0; i < qi_touch_nall; i++)
        if (qi_touch_all[i]->usable()) printf(" %11s", qi_touch_all[i]->name);
    printf("   MuJoCo / %s, / %s\n", qi_touch_all[0]->name, qi_touch_all[1]->name);
    for (size_t k = 0; k < sizeof pairs / sizeof *pairs; k++) {
        int found;
        double mj = mujoco_ns(pairs[k].type1, pairs[k].type2, &found), first[2] = {0};
        printf("%-16s %4d%% %9.1f", pairs[k].name, 100 * found / NPOSE, mj);
        for (int i = 0; i < qi_touch_nall; i++) {
            if (!qi_touch_all[i]->usable()) continue;
            double ns = lanes_ns(qi_touch_all[i], pairs[k].type1, pairs[k].type2);
            if (i < 2) first[i] = ns;
            printf(" %11.2f", ns);
        }
        if (first[0] > 0) printf("   %5.1f %5.1f", mj / first[0], mj / first[1]);
        printf("\n");
    }
    return 0;
}
