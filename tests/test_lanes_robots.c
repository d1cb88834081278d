// SPDX-License-Identifier: Apache-2.0
// test_lanes_robots.c - makers' robots in engine lanes: 32 bit, 64 bit beside what MuJoCo says of
// itself when positions move by 1e-14, and 100 steps.
#include "test.h"

#include "lanes_robots.h"

static void open_robot(lanes_case *x, const struct robot *r, qiao_real real) {
    static mjModel *kept[NROBOT]; // meshes are slow to compile
    mjModel **own = &kept[r - robots];
    dyn_case c = {0};
    qiao_diag d = {0};
    if (!*own) *own = robot_model(r);
    CHECK(*own, "%s", r->name);
    c.mj = mj_copyModel(NULL, *own);
    CHECK(c.mj, "out of memory");
    dyn_case_view(&c);
    CHECK(c.mj->nv <= 128 && c.mj->nq <= 160, "%s is large", r->name);
    CHECK(lanes_open(x, c, qi_lanes_best(real), &d), "%s: %s", r->name, d.text);
}

// Positions moved by 1e-14 of their size.
static void nudge(lanes_case *x, mjData *d) {
    for (int i = 0; i < x->c.mj->nq; i++) d->qpos[i] *= 1 + 1e-14 * lanes_random(x);
}
static double own_change(lanes_case *x, const mjData *at) { // of MuJoCo's qacc, worst of 100
    double worst = 0;
    uint64_t seed = x->seed; // the states do not depend on what is asked here
    for (int k = 0; k < 100; k++) {
        mjData *d = mj_copyData(NULL, x->c.mj, at);
        nudge(x, d);
        mj_forward(x->c.mj, d);
        worst = fmax(worst, lanes_apart(d->qacc, at->qacc, (int)x->c.mj->nv));
        mj_deleteData(d);
    }
    x->seed = seed;
    return worst;
}

// Worst error of qacc over n states, against max(1e-6, 10 x MuJoCo's own change) in 64 bit.
static void states(lanes_case *x, int n, bool single, double *error, double *of) {
    const mjModel *m = x->c.mj;
    qi_lanes_opt o = {.tolerance = single ? 0 : 1e-13};
    double got[128];
    *error = *of = 0;
    for (int at = 0; at < n; at += x->op->lanes) {
        mjData *keep[16] = {NULL};
        for (int l = 0; l < x->op->lanes; l++) {
            lanes_state(x, 0.6), lanes_load(x, l);
            keep[l] = mj_copyData(NULL, m, x->c.data);
        }
        x->op->forward(x->model, x->work, x->group, &o);
        for (int l = 0; l < x->op->lanes; l++) {
            mju_zero(keep[l]->qacc_warmstart, (int)m->nv);
            mj_forward(m, keep[l]);
            x->op->ask(x->model, x->work, l, QI_LANES_QACC, got);
            double e = lanes_apart(got, keep[l]->qacc, (int)m->nv);
            double may = single ? 1e-3 : 1e-6;
            if (!single && e > may) may = fmax(may, 10 * own_change(x, keep[l]));
            *error = fmax(*error, e), *of = fmax(*of, e / may);
            mj_deleteData(keep[l]);
        }
    }
}

TEST(robots_in_64_bit) {
    if (!test_data()) SKIP("no makers' robots here (QIAO_DATA)");
    for (int i = 0; i < NROBOT; i++) {
        lanes_case x;
        double e, of;
        open_robot(&x, &robots[i], QIAO_REAL_F64);
        states(&x, 16, false, &e, &of);
        CHECK(of <= 1, "%s: qacc %.3g, %.3g times what is allowed", robots[i].name, e, of);
        lanes_close(&x);
    }
}

TEST(robots_in_32_bit) {
    if (!test_data()) SKIP("no makers' robots here (QIAO_DATA)");
    for (int i = 0; i < NROBOT; i++) {
        lanes_case x;
        double e, of;
        open_robot(&x, &robots[i], QIAO_REAL_F32);
        states(&x, 16, true, &e, &of);
        CHECK(e <= 1e-3, "%s: qacc %.3g", robots[i].name, e);
        lanes_close(&x);
    }
}

// Friction holds what the drives push: accelerations are small differences, which the float solver
// alone has wrong by 4e-3 in two of these states.
TEST(float_solver_comes_as_near_as_floats_can) {
    if (!test_data()) SKIP("no makers' robots here (QIAO_DATA)");
    for (int i = 0; i < NROBOT; i++) {
        lanes_case x;
        double e, of;
        if (strcmp(robots[i].name, "LEAP hand") != 0) continue;
        open_robot(&x, &robots[i], QIAO_REAL_F32);
        states(&x, 528, true, &e, &of);
        CHECK(e <= 1e-3, "%s: qacc %.3g", robots[i].name, e);
        lanes_close(&x);
    }
}

TEST(robots_after_100_steps) {
    if (!test_data()) SKIP("no makers' robots here (QIAO_DATA)");
    for (int i = 0; i < NROBOT; i++) {
        lanes_case x;
        double q[160];
        open_robot(&x, &robots[i], QIAO_REAL_F64);
        const mjModel *m = x.c.mj;
        qi_lanes_opt o = {.tolerance = 1e-13};
        lanes_state(&x, 0.2), lanes_load(&x, 0);
        for (int l = 1; l < x.op->lanes; l++) x.op->live(x.group, l, 0);
        mjData *b = mj_copyData(NULL, m, x.c.data);
        nudge(&x, b);
        for (int s = 0; s < 100; s++) mj_step(m, x.c.data), mj_step(m, b);
        x.op->step(x.model, x.work, x.group, 100, &o);
        x.op->get(x.model, x.group, 0, q, NULL);
        double e = lanes_apart(q, x.c.data->qpos, (int)m->nq);
        double own = lanes_apart(b->qpos, x.c.data->qpos, (int)m->nq);
        mj_deleteData(b);
        CHECK(e <= fmax(1e-5, 10 * own), "%s: %.3g; MuJoCo's own %.3g", robots[i].name, e, own);
        lanes_close(&x);
    }
}
