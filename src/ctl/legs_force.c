// SPDX-License-Identifier: Apache-2.0
// legs_force.c - how feet share the force that the body is to feel.
//   min |A f - wrench|^2_S + wl |f - last|^2 + wf |f|^2   within friction pyramids
// source   M. Focchi et al., High-slope terrain locomotion for torque-controlled quadruped robots
//          (Autonomous Robots 2017); G. Bledt et al., MIT Cheetah 3 (IROS 2018), balance control
#include "ctl/legs.h"

// Of force N and torque N*m. Attitude goes before speed: on two feet a force against a push turns
// the body over; the next step catches the speed.
static const double weight[6] = {0.1, 0.1, 2, 30, 30, 10};
#define W_SIZE   2e-3
#define W_CHANGE 4e-3
#define F_MIN    3.0

// Two directions across a unit vector n.
static void tangents(const double *n, double *t1, double *t2) {
    const double x[3] = {1, 0, 0};
    copy3(t1, x), mad3(t1, -dot3(n, x), n);
    double len = norm3(t1);
    for (int i = 0; i < 3; i++) t1[i] /= len > 1e-6 ? len : 1;
    cross3(t2, n, t1);
}

static void cost(const legs_force_in *in, double *H, double *g) {
    int nv = 3 * in->n;
    double A[6][3 * NLEG];
    for (int i = 0; i < in->n; i++) {
        const double *r = in->r[i];
        double X[6][3] = {{1, 0, 0},        {0, 1, 0},        {0, 0, 1},
                          {0, -r[2], r[1]}, {r[2], 0, -r[0]}, {-r[1], r[0], 0}};
        for (int k = 0; k < 6; k++) copy3(&A[k][3 * i], X[k]);
    }
    for (int i = 0; i < nv; i++) {
        g[i] = -W_CHANGE * in->last[i / 3][i % 3];
        for (int k = 0; k < 6; k++) g[i] -= A[k][i] * weight[k] * in->wrench[k];
        for (int j = 0; j <= i; j++) {
            double s = i == j ? W_SIZE + W_CHANGE : 0;
            for (int k = 0; k < 6; k++) s += A[k][i] * weight[k] * A[k][j];
            H[i * nv + j] = H[j * nv + i] = s;
        }
    }
}

qiao_err legs_force_solve(const legs_force_in *in, void *qp_mem, double f[NLEG][3]) {
    double H[9 * NLEG * NLEG], g[3 * NLEG], A[6 * NLEG * 3 * NLEG] = {0}, b[6 * NLEG] = {0};
    int nv = 3 * in->n, m = 0;
    memset(f, 0, NLEG * sizeof *f);
    if (in->n == 0) return QIAO_OK;
    cost(in, H, g);
    for (int i = 0; i < in->n; i++) {
        double t[2][3];
        const double *n = in->normal[i];
        tangents(n, t[0], t[1]);
        for (int k = 0; k < 4; k++, m++) // mu n f +- t f >= 0
            for (int c = 0; c < 3; c++)
                A[m * nv + 3 * i + c] = in->mu * n[c] + (k & 1 ? -1 : 1) * t[k / 2][c];
        for (int c = 0; c < 3; c++) A[m * nv + 3 * i + c] = n[c];
        b[m++] = fmin(F_MIN, 0.5 * in->max[i]);
        for (int c = 0; c < 3; c++) A[m * nv + 3 * i + c] = -n[c];
        b[m++] = -in->max[i];
    }
    qiao_ctl_qp p = {.n = nv, .m = m, .H = H, .g = g, .A = A, .b = b};
    double x[3 * NLEG];
    qiao_err e = qiao_ctl_qp_solve(&p, qp_mem, x, NULL, NULL);
    for (int i = 0; i < in->n; i++) copy3(f[i], &x[3 * i]);
    return e;
}
