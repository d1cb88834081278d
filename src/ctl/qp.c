// SPDX-License-Identifier: Apache-2.0
// qp.c - a dense dual active-set solver for small strictly convex quadratic programs.
// source   D. Goldfarb, A. Idnani, A numerically stable dual method for solving strictly convex
//          quadratic programs, Mathematical Programming 27 (1983)
//          It starts at the unconstrained optimum and adds the most violated constraint until none
//          is left, so it needs no feasible start and its answer is exact to rounding.
#include "qiao/ctl.h"

#include <math.h>
#include <string.h>

enum { N_MAX = QIAO_CTL_QP_N };
#define J(i, k) (w->J[(i)*N_MAX + (k)])
#define R(i, k) (w->R[(i)*N_MAX + (k)])

typedef struct work {
    int n, nact;             // active constraints
    int act[N_MAX + 1];      // [nact] row of A
    double u[N_MAX + 1];     // [nact] multipliers; one more for the constraint on its way in
    double J[N_MAX * N_MAX]; // L^-T turned so that R = J' N is triangular, N the active normals
    double R[N_MAX * N_MAX];
    double d[N_MAX], z[N_MAX], r[N_MAX];
} work;

// J = L^-T of H = L L', x = -H^-1 g. False if H is not positive definite.
static bool start(work *w, const qiao_ctl_qp *p, double *x) {
    int n = p->n;
    double L[N_MAX * N_MAX];
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++) {
            double s = p->H[i * n + j];
            for (int k = 0; k < j; k++) s -= L[i * N_MAX + k] * L[j * N_MAX + k];
            if (i == j) {
                if (!(s > 0)) return false;
                L[i * N_MAX + i] = sqrt(s);
            } else {
                L[i * N_MAX + j] = s / L[j * N_MAX + j];
            }
        }
    // column k of L^-1 by forward substitution is row k of J
    for (int k = 0; k < n; k++) {
        for (int i = 0; i < k; i++) J(k, i) = 0;
        for (int i = k; i < n; i++) {
            double s = i == k ? 1 : 0;
            for (int j = k; j < i; j++) s -= L[i * N_MAX + j] * J(k, j);
            J(k, i) = s / L[i * N_MAX + i];
        }
    }
    // x = -J J' g
    for (int k = 0; k < n; k++) {
        w->d[k] = 0;
        for (int i = 0; i <= k; i++) w->d[k] += J(i, k) * p->g[i];
    }
    for (int i = 0; i < n; i++) {
        x[i] = 0;
        for (int k = i; k < n; k++) x[i] -= J(i, k) * w->d[k];
    }
    return true;
}

// d = J' a; z = J2 d2: the step in x; r = R^-1 d1: the step in the multipliers.
static void directions(work *w, const double *a) {
    int n = w->n, q = w->nact;
    for (int k = 0; k < n; k++) w->d[k] = 0;
    for (int i = 0; i < n; i++)
        if (a[i] != 0)
            for (int k = 0; k < n; k++) w->d[k] += J(i, k) * a[i];
    for (int i = 0; i < n; i++) {
        w->z[i] = 0;
        for (int k = q; k < n; k++) w->z[i] += J(i, k) * w->d[k];
    }
    for (int i = q - 1; i >= 0; i--) {
        double s = w->d[i];
        for (int k = i + 1; k < q; k++) s -= R(i, k) * w->r[k];
        w->r[i] = s / R(i, i);
    }
}

// A rotation of columns a and b of J that turns (x, y) into (h, 0); returns h.
static double rotate_columns(work *w, int a, int b, double x, double y, double *c, double *s) {
    double h = sqrt(x * x + y * y);
    *c = h > 0 ? x / h : 1, *s = h > 0 ? y / h : 0;
    for (int i = 0; i < w->n; i++) {
        double ja = J(i, a), jb = J(i, b);
        J(i, a) = *c * ja + *s * jb, J(i, b) = *c * jb - *s * ja;
    }
    return h;
}

// The constraint whose d is at hand becomes active number nact.
static void add(work *w, int row) {
    int q = w->nact;
    double c, s;
    for (int k = w->n - 1; k > q; k--)
        if (w->d[k] != 0) w->d[k - 1] = rotate_columns(w, k - 1, k, w->d[k - 1], w->d[k], &c, &s);
    for (int i = 0; i <= q; i++) R(i, q) = w->d[i];
    w->act[q] = row;
    w->nact++;
}

// Active number k leaves; the multiplier of the one on its way in moves down with the others.
static void drop(work *w, int k) {
    int q = w->nact;
    for (int j = k; j < q - 1; j++) {
        w->act[j] = w->act[j + 1];
        for (int i = 0; i <= j + 1; i++) R(i, j) = R(i, j + 1);
    }
    for (int j = k; j < q; j++) w->u[j] = w->u[j + 1];
    w->nact--;
    for (int j = k; j < q - 1; j++) {
        double c, s;
        R(j, j) = rotate_columns(w, j, j + 1, R(j, j), R(j + 1, j), &c, &s);
        for (int m = j + 1; m < q - 1; m++) {
            double a = R(j, m), b = R(j + 1, m);
            R(j, m) = c * a + s * b, R(j + 1, m) = c * b - s * a;
        }
    }
}

static double slack(const qiao_ctl_qp *p, int row, const double *x) {
    double s = -p->b[row];
    for (int i = 0; i < p->n; i++) s += p->A[row * p->n + i] * x[i];
    return s;
}

// The next constraint to meet: equalities in their order, then the most violated inequality; -1:
// all are met.
static int pick(const work *w, const qiao_ctl_qp *p, const double *x, int *neq) {
    if (*neq < p->neq) return (*neq)++;
    bool taken[QIAO_CTL_QP_M] = {false};
    for (int k = 0; k < w->nact; k++) taken[w->act[k]] = true;
    int best = -1;
    double worst = -1e-10;
    for (int i = p->neq; i < p->m; i++) {
        if (taken[i]) continue;
        double s = slack(p, i, x) / (1 + fabs(p->b[i]));
        if (!(s >= worst)) worst = s, best = i; // also what is not a number
    }
    return best;
}

// Moves x until constraint row is met, dropping those whose multipliers would change sign.
// sign = -1 turns an equality that is approached from above.
static qiao_err meet(work *w, const qiao_ctl_qp *p, int row, double *x, int *left) {
    double a[N_MAX], s = slack(p, row, x);
    double sign = row < p->neq && s > 0 ? -1 : 1;
    if (!isfinite(s)) return QIAO_E_NAN;
    for (int i = 0; i < p->n; i++) a[i] = sign * p->A[row * p->n + i];
    s *= sign, w->u[w->nact] = 0;
    while ((*left)-- > 0) {
        directions(w, a);
        // the longest step that keeps all inequality multipliers positive
        int leave = -1;
        double t1 = INFINITY, zz = 0, za = 0, aa = 0;
        for (int k = 0; k < w->nact; k++)
            if (w->act[k] >= p->neq && w->r[k] > 0 && w->u[k] < t1 * w->r[k])
                t1 = w->u[k] / w->r[k], leave = k;
        for (int i = 0; i < p->n; i++) zz += w->z[i] * w->z[i], za += w->z[i] * a[i];
        for (int i = 0; i < p->n; i++) aa += w->d[i] * w->d[i];
        double t2 = za > 1e-14 * aa && zz > 0 ? -s / za : INFINITY;
        if (row < p->neq && !(t2 < INFINITY)) // depends on earlier equalities
            return fabs(s) < 1e-9 * (1 + fabs(p->b[row])) ? QIAO_OK : QIAO_E_INFEASIBLE;
        double t = t1 < t2 ? t1 : t2;
        if (!(t < INFINITY)) return QIAO_E_INFEASIBLE;
        for (int k = 0; k < w->nact; k++) w->u[k] -= t * w->r[k];
        w->u[w->nact] += t;
        if (t2 < INFINITY) {
            for (int i = 0; i < p->n; i++) x[i] += t * w->z[i];
            s += t * za;
        }
        if (t == t2) {
            w->u[w->nact] *= sign;
            if (sign < 0) // store the equality as it was given
                for (int i = 0; i < p->n; i++) w->d[i] = -w->d[i];
            add(w, row);
            return QIAO_OK;
        }
        drop(w, leave);
    }
    return QIAO_E_LIMIT;
}

size_t qiao_ctl_qp_size(void) { return sizeof(work); }

qiao_err qiao_ctl_qp_solve(const qiao_ctl_qp *p, void *mem, double *x, double *y, int *iter) {
    work *w = mem;
    int limit = 20 * (p->n + p->m) + 20, left = limit, neq = 0, row;
    if (p->n < 1 || p->n > N_MAX || p->m < 0 || p->m > QIAO_CTL_QP_M || p->neq < 0 || p->neq > p->m)
        return QIAO_E_ARG;
    w->n = p->n, w->nact = 0;
    for (int i = 0; y && i < p->m; i++) y[i] = 0;
    if (iter) *iter = 0;
    if (!start(w, p, x)) {
        memset(x, 0, (size_t)p->n * sizeof *x);
        return QIAO_E_NAN;
    }
    qiao_err e = QIAO_OK;
    while (!e && (row = pick(w, p, x, &neq)) >= 0) e = meet(w, p, row, x, &left);
    if (iter) *iter = limit - left;
    for (int k = 0; y && k < w->nact; k++) y[w->act[k]] = w->u[k];
    for (int i = 0; i < p->n; i++)
        if (!isfinite(x[i])) e = QIAO_E_NAN;
    if (e == QIAO_E_NAN) memset(x, 0, (size_t)p->n * sizeof *x);
    return e;
}
