// SPDX-License-Identifier: Apache-2.0
// bench_ctl.c - what a walker's control costs on one core: the QP of standing feet, all data new
// each time, and a whole step of the walker. Middle and 99 % of single calls, us.
// One side only: DAQP, the rival for a QP of this size, comes from its registry as a Python module
// without a C library to call in the same run.
#include "ctl/legs.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CALLS = 4000 };

static double now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static int by_size(const void *a, const void *b) {
    double x, y;
    memcpy(&x, a, sizeof x), memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

static void report(const char *what, double *us) {
    qsort(us, CALLS, sizeof *us, by_size);
    printf("%-52s %8.2f us   99 %% %8.2f us\n", what, us[CALLS / 2], us[CALLS * 99 / 100]);
}

static double uni(uint64_t k, uint32_t i) { // -1..1
    qiao_rng r = {3, 0, QIAO_RNG_CASE};
    return 2 * qiao_rng_uniform(&r, k, i) - 1;
}

// Forces of n feet for a random wish, formed and solved.
static void bench_force(int n) {
    static _Alignas(16) unsigned char mem[65536];
    static double us[CALLS];
    double sum = 0;
    for (int k = 0; k < CALLS; k++) {
        legs_force_in in = {.n = n, .mu = 0.35};
        double f[NLEG][3];
        for (int i = 0; i < n; i++) {
            uint32_t u = (uint32_t)i * 8;
            set3(in.r[i], (i < 2 ? 0.19 : -0.19) + 0.05 * uni((uint64_t)k, u),
                 (i & 1 ? -0.14 : 0.14) + 0.05 * uni((uint64_t)k, u + 1), -0.28);
            set3(in.normal[i], 0, 0, 1);
            in.max[i] = 260;
        }
        for (int c = 0; c < 6; c++)
            in.wrench[c] = (c < 3 ? 60 : 15) * uni((uint64_t)k, 40 + (uint32_t)c);
        in.wrench[2] += 170;
        double t = now_us();
        legs_force_solve(&in, mem, f);
        us[k] = now_us() - t, sum += f[0][2];
    }
    char what[80];
    snprintf(what, sizeof what, "forces of %d feet: %d variables, %d constraints", n, 3 * n, 6 * n);
    report(what, us);
    if (!(sum > 0)) printf("no force at all: something is wrong\n");
}

// A QP of the size of a whole-body problem: 24 variables, 12 equalities, 22 inequalities.
static void bench_large(void) {
    enum { N = 24, EQ = 12, M = 34 };
    static _Alignas(16) unsigned char mem[65536];
    static double us[CALLS], B[N * N], H[N * N], g[N], A[M * N], b[M], x[N], x0[N];
    int fault = 0, iter, most = 0;
    for (int k = 0; k < CALLS; k++) {
        uint64_t c = (uint64_t)k + 100000;
        for (int i = 0; i < N * N; i++) B[i] = uni(c, (uint32_t)i);
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                H[i * N + j] = i == j ? 0.1 : 0;
                for (int m = 0; m < N; m++) H[i * N + j] += B[i * N + m] * B[j * N + m];
            }
        for (int i = 0; i < N; i++)
            g[i] = 3 * uni(c, 600 + (uint32_t)i), x0[i] = uni(c, 700 + (uint32_t)i);
        for (int i = 0; i < M; i++) {
            b[i] = i < EQ ? 0 : -0.2 * fabs(uni(c, 800 + (uint32_t)i));
            for (int j = 0; j < N; j++)
                A[i * N + j] = uni(c, 1000 + (uint32_t)(i * N + j)), b[i] += A[i * N + j] * x0[j];
        }
        qiao_ctl_qp p = {.n = N, .m = M, .neq = EQ, .H = H, .g = g, .A = A, .b = b};
        double t = now_us();
        fault += qiao_ctl_qp_solve(&p, mem, x, NULL, &iter) != QIAO_OK;
        us[k] = now_us() - t;
        if (iter > most) most = iter;
    }
    report("QP of 24 variables, 12 equalities, 22 inequalities", us);
    printf("  most active-set changes %d, faults %d\n", most, fault);
}

// A whole step: estimate, map, footholds, forces, torques. The robot stands on air here, so the
// legs search for ground; the work is that of walking.
static void bench_walk(void) {
    static double us[CALLS];
    qiao_diag d = {0};
    qiao_robot *r = qiao_robot_load("go2", &d);
    if (!r) {
        printf("robot go2 does not load: %s\n", d.text);
        return;
    }
    qiao_ctl_quad *body = malloc(qiao_ctl_quad_size());
    qiao_ctl_walk *w = aligned_alloc(64, (qiao_ctl_walk_size() + 63) & ~(size_t)63);
    static double scan[25 * 17];
    if (qiao_ctl_quad_load(r, body, &d) == QIAO_OK) {
        qiao_ctl_walk_init(w, body);
        for (int k = 0; k < CALLS; k++) {
            qiao_ctl_walk_in in = {.t = k * 0.002,
                                   .dt = 0.002,
                                   .quat = {1},
                                   .acc = {0, 0, 9.81},
                                   .contact = {1, 1, 1, 1},
                                   .command = {0.4, 0, 0}};
            qiao_ctl_walk_out out;
            for (int i = 0; i < NLEG; i++) copy3(in.q[i], body->rest_q[i]);
            for (int i = 0; i < 25 * 17; i++) scan[i] = -0.29 + 0.02 * uni((uint64_t)i, 1);
            in.scan = (qiao_ctl_scan){{25, 17}, 0.05, {0.3, 0}, k / 20 * 0.04, scan};
            double t = now_us();
            qiao_ctl_walk_step(w, &in, &out);
            us[k] = now_us() - t;
        }
        report("a step of the walker on rough ground", us);
    }
    free(w), free(body), qiao_robot_free(r);
}

int main(void) {
    for (int n = 2; n <= 4; n++) bench_force(n);
    bench_large();
    bench_walk();
    return 0;
}
