// SPDX-License-Identifier: Apache-2.0
// prove_rows.h - made-up rows for tests of keeping: a function of the trial, with every odd value.
#ifndef PROVE_ROWS_H
#define PROVE_ROWS_H

#include "qiao/prove.h"
#include "test.h"

static const char *const rows_pn[] = {"friction", "push_1.force", "side"};
static const char *const rows_pu[] = {"1", "N", ""};
static const double rows_range[][2] = {{0.4, 1}, {20, 80}, {0, 2}};
static const char *const rows_mn[] = {"upright", "energy", "tracking", "tilt"};
static const char *const rows_mu[] = {"1", "kJ", "1", "deg"};
enum { ROWS_NP = 3, ROWS_NM = 4 };
static const qiao_table rows_shape = {.nparam = ROWS_NP,
                                      .nmeasure = ROWS_NM,
                                      .param_name = rows_pn,
                                      .param_unit = rows_pu,
                                      .param_range = rows_range,
                                      .measure_name = rows_mn,
                                      .measure_unit = rows_mu};

typedef struct rows_parts { // real parts for a sweep's def
    qiao_scenario *scenario;
    qiao_robot *robot;
    qiao_sweep_def def;
} rows_parts;

static rows_parts rows_open(const char *scenario, const char *robot, const char *brain) {
    qiao_diag d = {0};
    rows_parts p = {.scenario = qiao_scenario_load(scenario, &d)};
    p.robot = p.scenario ? qiao_robot_load(robot, &d) : NULL;
    CHECK(p.robot != NULL, "%s", d.text);
    p.def = (qiao_sweep_def){.scenario = p.scenario,
                             .robot = p.robot,
                             .brain = qiao_brain_def_default(),
                             .engine = "mujoco",
                             .seed = 7};
    p.def.brain.spec = brain;
    return p;
}
static void rows_close(rows_parts *p) {
    qiao_robot_free(p->robot), qiao_scenario_free(p->scenario);
}

typedef struct rows_one {
    qiao_row row;
    double param[ROWS_NP], measure[ROWS_NM];
} rows_one;

// The row of a trial; every field depends on it.
static void rows_make(uint64_t trial, rows_one *o) {
    qiao_rng g = {11, trial, 77};
    qiao_row *r = &o->row;
    memset(o, 0, sizeof *o);
    r->param = o->param, r->measure = o->measure, r->trial = trial;
    for (int i = 0; i < ROWS_NP; i++) o->param[i] = qiao_rng_uniform(&g, 1, (uint32_t)i);
    for (int i = 0; i < ROWS_NM; i++) o->measure[i] = qiao_rng_normal(&g, 2, (uint32_t)i);
    if (trial % 5 == 0) o->measure[2] = NAN;
    if (trial % 7 == 0) o->measure[1] = -0.0, o->param[1] = 1e-310;
    r->passed = qiao_rng_uniform(&g, 3, 0) > 0.2;
    r->total = r->passed ? 1 : qiao_rng_uniform(&g, 3, 1), r->time = trial % 3 ? 7.25 : 8;
    if (!r->passed) {
        snprintf(r->cause, sizeof r->cause, trial % 2 ? "tilt" : "跌倒");
        snprintf(r->reason, sizeof r->reason, "tilt %g deg > 60 deg", 60 + o->param[0]);
    }
    qiao_hash h;
    qiao_hash_init(&h), qiao_hash_add(&h, &trial, sizeof trial), qiao_hash_end(&h, r->trace);
}

// Rows first..first+n-1 in one call; 0 or the error.
static qiao_err rows_add(qiao_store *s, uint64_t first, int n, qiao_diag *d) {
    rows_one *o = calloc((size_t)n, sizeof *o);
    qiao_row *row = calloc((size_t)n, sizeof *row);
    for (int i = 0; i < n; i++) {
        rows_make(first + (uint64_t)i, &o[i]);
        row[i] = o[i].row, row[i].param = o[i].param, row[i].measure = o[i].measure;
    }
    qiao_err e = qiao_store_add(s, n, row, NULL, d);
    free(o), free(row);
    return e;
}

// Checks that a store holds exactly trials 0..n-1, bit for bit as made.
typedef struct rows_seen {
    uint64_t next, bad;
} rows_seen;
static inline bool rows_same(const void *a, const void *b, size_t n) {
    const double *x = a, *y = b;
    for (size_t i = 0; i < n; i++)
        if (memcmp(&x[i], &y[i], 8) != 0 && !(isnan(x[i]) && isnan(y[i]))) return false;
    return true;
}
static bool rows_look(void *ctx, const qiao_row *r, const double *u) {
    rows_seen *s = ctx;
    rows_one o;
    rows_make(s->next, &o);
    bool same = !u && r->trial == s->next && r->passed == o.row.passed &&
                rows_same(&r->total, &o.row.total, 1) && rows_same(&r->time, &o.row.time, 1) &&
                strcmp(r->cause, o.row.cause) == 0 && strcmp(r->reason, o.row.reason) == 0 &&
                memcmp(r->trace, o.row.trace, QIAO_HASH_BYTES) == 0 &&
                rows_same(r->param, o.param, ROWS_NP) && rows_same(r->measure, o.measure, ROWS_NM);
    if (!same) s->bad++;
    s->next++;
    return true;
}
static void rows_check(qiao_store *s, uint64_t n) {
    rows_seen seen = {0};
    qiao_diag d = {0};
    CHECK(qiao_store_each(s, 0, UINT64_MAX, rows_look, &seen, &d) == QIAO_OK, "%s", d.text);
    CHECK(seen.next == n && seen.bad == 0, "%llu rows of %llu, %llu other than made",
          (unsigned long long)seen.next, (unsigned long long)n, (unsigned long long)seen.bad);
}

#endif
