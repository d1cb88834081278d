// SPDX-License-Identifier: Apache-2.0
// test_ctl_qp.c - the dense QP solver against brute force over all active sets, and its errors.
#include "qiao/ctl.h"
#include "test.h"

enum { N = 6, M = 9 };
static _Alignas(16) unsigned char mem[16384];

static uint64_t counter;
static double uni(void) { // -1..1, the same in every run
    qiao_rng r = {7, 0, QIAO_RNG_CASE};
    return 2 * qiao_rng_uniform(&r, counter++, 0) - 1;
}

typedef struct problem {
    double H[N * N], g[N], A[M * N], b[M];
    qiao_ctl_qp p;
} problem;

// A random strictly convex problem; with a feasible point if feasible.
static void draw(problem *q, int n, int m, int neq, bool feasible) {
    double B[N * N], x0[N];
    for (int i = 0; i < n * n; i++) B[i] = uni();
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            q->H[i * n + j] = i == j ? 0.1 : 0;
            for (int k = 0; k < n; k++) q->H[i * n + j] += B[i * n + k] * B[j * n + k];
        }
    for (int i = 0; i < n; i++) q->g[i] = 3 * uni(), x0[i] = uni();
    for (int i = 0; i < m * n; i++) q->A[i] = uni();
    for (int i = 0; i < m; i++) {
        double s = 0;
        for (int k = 0; k < n; k++) s += q->A[i * n + k] * x0[k];
        q->b[i] = i < neq ? s : feasible ? s - 0.3 * fabs(uni()) : 2 * uni();
    }
    q->p = (qiao_ctl_qp){.n = n, .m = m, .neq = neq, .H = q->H, .g = q->g, .A = q->A, .b = q->b};
}

// Solves the linear system a x = b by elimination with pivoting; false: singular.
static bool linear(double *a, double *b, int n) {
    for (int c = 0; c < n; c++) {
        int best = c;
        for (int i = c + 1; i < n; i++)
            if (fabs(a[i * n + c]) > fabs(a[best * n + c])) best = i;
        if (fabs(a[best * n + c]) < 1e-11) return false;
        for (int k = 0; k < n; k++) {
            double t = a[c * n + k];
            a[c * n + k] = a[best * n + k], a[best * n + k] = t;
        }
        double t = b[c];
        b[c] = b[best], b[best] = t;
        for (int i = 0; i < n; i++) {
            if (i == c) continue;
            double f = a[i * n + c] / a[c * n + c];
            for (int k = c; k < n; k++) a[i * n + k] -= f * a[c * n + k];
            b[i] -= f * b[c];
        }
    }
    for (int i = 0; i < n; i++) b[i] /= a[i * n + i];
    return true;
}

// The optimum by trying every set of active inequalities; false: none satisfies the constraints.
static bool brute(const qiao_ctl_qp *p, double *best) {
    int n = p->n, m = p->m;
    for (int set = 0; set < 1 << (m - p->neq); set++) {
        int act[M], q = 0;
        for (int i = 0; i < m; i++)
            if (i < p->neq || set >> (i - p->neq) & 1) act[q++] = i;
        if (q > n) continue;
        double K[(N + M) * (N + M)] = {0}, r[N + M];
        int w = n + q;
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) K[i * w + j] = p->H[i * n + j];
            r[i] = -p->g[i];
        }
        for (int k = 0; k < q; k++) {
            for (int i = 0; i < n; i++)
                K[i * w + n + k] = -p->A[act[k] * n + i], K[(n + k) * w + i] = p->A[act[k] * n + i];
            r[n + k] = p->b[act[k]];
        }
        if (!linear(K, r, w)) continue;
        bool good = true;
        for (int k = p->neq; k < q; k++) good &= r[n + k] >= -1e-9;
        for (int i = p->neq; i < m && good; i++) {
            double s = -p->b[i];
            for (int k = 0; k < n; k++) s += p->A[i * n + k] * r[k];
            good &= s >= -1e-9;
        }
        if (!good) continue;
        memcpy(best, r, (size_t)n * sizeof *best);
        return true;
    }
    return false;
}

// Largest residual of the optimality conditions.
static double kkt(const qiao_ctl_qp *p, const double *x, const double *y) {
    double worst = 0;
    for (int i = 0; i < p->n; i++) {
        double s = p->g[i];
        for (int k = 0; k < p->n; k++) s += p->H[i * p->n + k] * x[k];
        for (int k = 0; k < p->m; k++) s -= p->A[k * p->n + i] * y[k];
        worst = fmax(worst, fabs(s));
    }
    for (int i = 0; i < p->m; i++) {
        double s = -p->b[i];
        for (int k = 0; k < p->n; k++) s += p->A[i * p->n + k] * x[k];
        if (i < p->neq)
            worst = fmax(worst, fabs(s));
        else
            worst = fmax(worst, fmax(fmax(-s, -y[i]), fabs(s * y[i])));
    }
    return worst;
}

TEST(equals_brute_force) {
    CHECK(qiao_ctl_qp_size() <= sizeof mem, "%zu bytes", qiao_ctl_qp_size());
    int infeasible = 0, active = 0;
    for (int trial = 0; trial < 3000; trial++) {
        problem q;
        int n = 1 + trial % N, m = trial / N % (M + 1),
            neq = trial % 5 == 0 ? (m < n ? m : n) / 2 : 0;
        draw(&q, n, m, neq, trial % 3 != 0);
        double x[N], y[M], want[N];
        bool there = brute(&q.p, want);
        qiao_err e = qiao_ctl_qp_solve(&q.p, mem, x, y, NULL);
        CHECK((e == QIAO_OK) == there, "trial %d: %s, brute force: %d", trial, qiao_err_name(e),
              there);
        if (!there) {
            CHECK(e == QIAO_E_INFEASIBLE, "trial %d: %s", trial, qiao_err_name(e));
            infeasible++;
            continue;
        }
        for (int i = 0; i < n; i++) CHECK_NEAR(x[i], want[i], 1e-7 * (1 + fabs(want[i])));
        double r = kkt(&q.p, x, y);
        CHECK(r < 1e-8, "trial %d: residual %g", trial, r);
        for (int i = 0; i < m; i++) active += y[i] != 0;
    }
    CHECK(infeasible > 50 && active > 1000, "%d infeasible, %d active", infeasible, active);
}

TEST(forces_of_four_feet_are_optimal) {
    // the shape that a walker poses: 12 forces, friction pyramids, limits
    enum { V = 12, C = 24 };
    for (int trial = 0; trial < 300; trial++) {
        double H[V * V], g[V], A[C * V] = {0}, b[C] = {0}, x[V], y[C], W[6][V];
        for (int k = 0; k < 6; k++)
            for (int i = 0; i < V; i++) W[k][i] = k == i % 3 ? 1 : k > 2 ? 0.3 * uni() : 0;
        for (int i = 0; i < V; i++) {
            g[i] = -W[2][i] * (150 + 80 * uni());
            for (int k = 0; k < 6; k++) g[i] -= W[k][i] * 40 * uni();
            for (int j = 0; j < V; j++) {
                H[i * V + j] = i == j ? 1e-3 : 0;
                for (int k = 0; k < 6; k++) H[i * V + j] += W[k][i] * W[k][j];
            }
        }
        for (int f = 0, m = 0; f < 4; f++) {
            for (int k = 0; k < 4; k++, m++)
                A[m * V + 3 * f + 2] = 0.4, A[m * V + 3 * f + k / 2] = k & 1 ? 1 : -1;
            A[m * V + 3 * f + 2] = 1, b[m++] = 3;
            A[m * V + 3 * f + 2] = -1, b[m++] = -60 - 20 * uni();
        }
        qiao_ctl_qp p = {.n = V, .m = C, .H = H, .g = g, .A = A, .b = b};
        int iter;
        qiao_err e = qiao_ctl_qp_solve(&p, mem, x, y, &iter);
        CHECK(e == QIAO_OK, "trial %d: %s", trial, qiao_err_name(e));
        CHECK(kkt(&p, x, y) < 1e-6, "trial %d: residual %g", trial, kkt(&p, x, y));
        CHECK(iter <= 60, "trial %d: %d changes", trial, iter);
    }
}

TEST(same_bits_again) {
    problem q;
    double x[2][N], y[2][M];
    draw(&q, N, M, 1, true);
    for (int k = 0; k < 2; k++) qiao_ctl_qp_solve(&q.p, mem, x[k], y[k], NULL);
    CHECK(memcmp(x[0], x[1], sizeof x[0]) == 0 && memcmp(y[0], y[1], sizeof y[0]) == 0,
          "they differ");
}

TEST(faults_leave_defined_outputs) {
    double H[4] = {1, 0, 0, -1}, g[2] = {1, 1}, A[2] = {1, 0}, b[1] = {0}, x[2] = {5, 5}, y[1];
    qiao_ctl_qp p = {.n = 2, .m = 1, .H = H, .g = g, .A = A, .b = b};
    CHECK(qiao_ctl_qp_solve(&p, mem, x, y, NULL) == QIAO_E_NAN, "an indefinite H passed");
    CHECK(x[0] == 0 && x[1] == 0, "%g %g", x[0], x[1]);
    H[3] = 1, b[0] = NAN;
    CHECK(qiao_ctl_qp_solve(&p, mem, x, y, NULL) == QIAO_E_NAN, "a bound of NaN passed");
    b[0] = 0, g[0] = NAN, x[0] = 5;
    CHECK(qiao_ctl_qp_solve(&p, mem, x, y, NULL) == QIAO_E_NAN, "a gradient of NaN passed");
    CHECK(x[0] == 0, "%g", x[0]);
    x[0] = 5;
    p.n = QIAO_CTL_QP_N + 1;
    CHECK(qiao_ctl_qp_solve(&p, mem, x, y, NULL) == QIAO_E_ARG, "too many variables passed");
    p.n = 2, p.m = QIAO_CTL_QP_M + 1;
    CHECK(qiao_ctl_qp_solve(&p, mem, x, y, NULL) == QIAO_E_ARG, "too many constraints passed");
    p.m = 1, p.neq = 2;
    CHECK(qiao_ctl_qp_solve(&p, mem, x, y, NULL) == QIAO_E_ARG, "neq > m passed");
    CHECK(x[0] == 5, "an argument error wrote %g", x[0]);
}
