// SPDX-License-Identifier: Apache-2.0
// prove_fake.h - tables of trials with known causes, for the tests of room prove.
#ifndef PROVE_FAKE_H
#define PROVE_FAKE_H

#include "qiao/prove_stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FAKE_PARAMS = 10, FAKE_CHOICES = 4 };
static const char *const fake_name[FAKE_PARAMS] = {"friction",   "push.force", "payload", "forward",
                                                   "turn",       "delay",      "slope",   "surface",
                                                   "motor_gain", "noise"};
static const char *const fake_unit[FAKE_PARAMS] = {"",   "N",   "kg", "mps", "radps",
                                                   "ms", "deg", "",   "",    ""};
static const double fake_range[FAKE_PARAMS][2] = {{0.2, 1.2}, {20, 80},    {0, 4},  {0.3, 1.2},
                                                  {-1, 1},    {0, 30},     {-8, 8}, {0, 3},
                                                  {0.8, 1.2}, {0.01, 0.51}};
enum { FAKE_SURFACE = 7 };

typedef struct fake_fault { // u of parameter p[i] lies in [lo[i], hi[i])
    int n, p[3];
    double lo[3], hi[3], chance;
} fake_fault;

static double fake_uniform(uint64_t seed, uint64_t trial, uint32_t k) {
    qiao_rng r = {.seed = seed, .trial = trial, .purpose = 4242};
    return qiao_rng_uniform(&r, 0, k);
}

static bool fake_in(const fake_fault *f, const double *u) {
    for (int i = 0; i < f->n; i++)
        if (u[f->p[i]] < f->lo[i] || u[f->p[i]] >= f->hi[i]) return false;
    return true;
}

static double fake_value(int p, double u) {
    double lo = fake_range[p][0], hi = fake_range[p][1];
    if (p != FAKE_SURFACE) return lo + (hi - lo) * u;
    int entry = (int)(u * FAKE_CHOICES);
    return entry < FAKE_CHOICES ? entry : FAKE_CHOICES - 1;
}

// n trials; inside a fault they fail with its chance, elsewhere with the chance of noise.
static qiao_table *fake_table(uint64_t seed, int n, const fake_fault *fault, int nfault,
                              double noise) {
    static const char *const cause[] = {"tilt", "torque", "time"};
    static const char *const measure[] = {"energy", "tracking"}, *const unit[] = {"J", "mps"};
    size_t m = (size_t)n;
    qiao_table *t = calloc(1, sizeof *t);
    double *param = calloc(m * FAKE_PARAMS, sizeof *param), *total = calloc(m, sizeof *total),
           *time = calloc(m, sizeof *time), *meas = calloc(m * 2, sizeof *meas);
    uint64_t *trial = calloc(m, sizeof *trial);
    uint8_t *passed = calloc(m, 1);
    int *why = calloc(m, sizeof *why);
    for (int i = 0; i < n; i++) {
        double u[FAKE_PARAMS], p = noise;
        int c = 2;
        for (int k = 0; k < FAKE_PARAMS; k++) {
            u[k] = fake_uniform(seed, (uint64_t)i, (uint32_t)k);
            param[i * FAKE_PARAMS + k] = fake_value(k, u[k]);
        }
        for (int k = 0; k < nfault; k++)
            if (fake_in(&fault[k], u)) p = fault[k].chance, c = k;
        double v = fake_uniform(seed, (uint64_t)i, 100), w = fake_uniform(seed, (uint64_t)i, 101);
        trial[i] = (uint64_t)i, passed[i] = v >= p;
        why[i] = passed[i] ? -1 : c;
        total[i] = passed[i] ? 0.7 + 0.3 * w : 0.5 * w;
        time[i] = passed[i] ? 15 : 2 + floor(1200 * w) / 100;
        meas[2 * i] = passed[i] ? 300 + 200 * w : NAN, meas[2 * i + 1] = 0.05 + 0.2 * v * w;
    }
    *t = (qiao_table){.ntrial = n,
                      .nparam = FAKE_PARAMS,
                      .nmeasure = 2,
                      .ncause = 3,
                      .param_name = fake_name,
                      .param_unit = fake_unit,
                      .param_range = fake_range,
                      .measure_name = measure,
                      .measure_unit = unit,
                      .cause_name = cause,
                      .trial = trial,
                      .passed = passed,
                      .cause = why,
                      .total = total,
                      .time = time,
                      .param = param,
                      .measure = meas};
    return t;
}

static void fake_free(qiao_table *t) {
    const void *const all[] = {t->trial, t->passed, t->cause,  t->total,
                               t->time,  t->param,  t->measure};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free((void *)(uintptr_t)all[i]);
    free(t);
}

#endif
