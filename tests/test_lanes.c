// SPDX-License-Identifier: Apache-2.0
// test_lanes.c - engine lanes beside MuJoCo converged, feature by feature and robot by robot; the
// bits of a lane; lanes that break; what is refused.
//   test_lanes --table   prints the table of docs/lanes.md
int test_main(int argc, char **argv);
#define main test_main // this file has a main of its own for the table
#include "test.h"
#undef main

#include "lanes_features.h"
#include "lanes_robots.h"

typedef struct agreement {
    double qacc, force, rollout; // worst relative differences
    int states, contacts;
} agreement;

// One step from n random states in lanes.
static void compare_states(lanes_case *x, int n, double tolerance, agreement *a) {
    const mjModel *m = x->c.mj;
    mjData *d = x->c.data;
    qi_lanes_opt o = {.tolerance = tolerance, .iterations = lanes_dual ? 20000 : 0};
    double got[256];
    for (int at = 0; at < n; at += x->op->lanes) {
        mjData *keep[16] = {NULL};
        for (int l = 0; l < x->op->lanes; l++) {
            lanes_state(x, 0.6);
            lanes_load(x, l);
            keep[l] = mj_copyData(NULL, m, d);
        }
        x->op->forward(x->model, x->work, x->group, &o);
        for (int l = 0; l < x->op->lanes; l++) {
            mju_zero(keep[l]->qacc_warmstart, m->nv);
            mj_forward(m, keep[l]);
            x->op->ask(x->model, x->work, l, QI_LANES_QACC, got);
            a->qacc = fmax(a->qacc, lanes_apart(got, keep[l]->qacc, (int)m->nv));
            x->op->ask(x->model, x->work, l, QI_LANES_CONSTRAINT, got);
            for (int i = 0; i < m->nv; i++) got[i] -= keep[l]->qfrc_constraint[i];
            double scale = 1e-12;
            for (int i = 0; i < m->nv; i++)
                scale += fabs(keep[l]->qfrc_constraint[i]) + fabs(keep[l]->qfrc_smooth[i]);
            for (int i = 0; i < m->nv; i++) a->force = fmax(a->force, fabs(got[i]) / scale);
            a->states++, a->contacts += keep[l]->ncon;
            mj_deleteData(keep[l]);
        }
    }
}

// 100 steps of both from one state; worst difference of the positions against their size.
static void compare_rollout(lanes_case *x, agreement *a) {
    const mjModel *m = x->c.mj;
    mjData *d = x->c.data;
    qi_lanes_opt o = {.tolerance = 1e-14, .iterations = lanes_dual ? 20000 : 0};
    double q[256];
    for (int k = 0; k < 3; k++) {
        lanes_state(x, 0.3);
        lanes_load(x, 0);
        for (int l = 1; l < x->op->lanes; l++) x->op->live(x->group, l, 0);
        for (int s = 0; s < 100; s++) mj_step(m, d);
        x->op->step(x->model, x->work, x->group, 100, &o);
        x->op->get(x->model, x->group, 0, q, NULL);
        a->rollout = fmax(a->rollout, lanes_apart(q, d->qpos, (int)m->nq));
    }
}

static bool measure(const lanes_feature *f, qiao_real real, agreement *a) {
    dyn_case c;
    lanes_case x;
    qiao_diag d = {0};
    *a = (agreement){0};
    if (!dyn_case_text(&c, f->xml)) return false;
    bool ok = lanes_open(&x, c, qi_lanes_best(real), &d);
    if (!ok) printf("  %s: %s\n", f->name, d.text);
    if (ok) {
        compare_states(&x, 48, real == QIAO_REAL_F64 ? 1e-14 : 0, a);
        if (real == QIAO_REAL_F64) compare_rollout(&x, a);
    }
    lanes_close(&x);
    return ok;
}

TEST(every_feature_agrees_with_mujoco_in_64_bit) {
    for (int i = 0; i < LANES_NFEATURE; i++) {
        const lanes_feature *f = &lanes_features[i];
        agreement a;
        CHECK(measure(f, QIAO_REAL_F64, &a), "%s", f->name);
        CHECK(a.qacc <= (f->qacc > 0 ? f->qacc : 1e-6), "%s: qacc %.3g", f->name, a.qacc);
        CHECK(a.force <= 1e-6, "%s: constraint forces %.3g", f->name, a.force);
        CHECK(a.rollout <= (f->rollout > 0 ? f->rollout : 1e-5), "%s: 100 steps %.3g", f->name,
              a.rollout);
    }
}

TEST(every_feature_agrees_with_mujoco_in_32_bit) {
    for (int i = 0; i < LANES_NFEATURE; i++) {
        agreement a;
        CHECK(measure(&lanes_features[i], QIAO_REAL_F32, &a), "%s", lanes_features[i].name);
        CHECK(a.qacc <= 1e-3, "%s: qacc %.3g", lanes_features[i].name, a.qacc);
    }
}

TEST(sweeps_on_the_forces_reach_the_same_optimum) {
    lanes_dual = 1;
    for (int i = 0; i < LANES_NFEATURE; i++) {
        agreement a;
        CHECK(measure(&lanes_features[i], QIAO_REAL_F64, &a), "%s", lanes_features[i].name);
        CHECK(a.qacc <= 1e-6, "%s: qacc %.3g", lanes_features[i].name, a.qacc);
        CHECK(a.force <= 1e-6, "%s: constraint forces %.3g", lanes_features[i].name, a.force);
        CHECK(a.rollout <= 1e-5, "%s: 100 steps %.3g", lanes_features[i].name, a.rollout);
        CHECK(measure(&lanes_features[i], QIAO_REAL_F32, &a), "%s", lanes_features[i].name);
        CHECK(a.qacc <= 1e-3, "%s: qacc %.3g in 32 bit", lanes_features[i].name, a.qacc);
    }
    lanes_dual = 0;
}

static bool measure_robot(const struct robot *r, qiao_real real, int n, agreement *a) {
    dyn_case c = {.mj = robot_model(r)};
    lanes_case x;
    qiao_diag d = {0};
    *a = (agreement){0};
    if (!c.mj) return false;
    dyn_case_view(&c);
    bool ok = lanes_open(&x, c, qi_lanes_best(real), &d);
    if (!ok) printf("  %s: %s\n", r->name, d.text);
    if (ok) compare_states(&x, n, real == QIAO_REAL_F64 ? 1e-13 : 0, a);
    lanes_close(&x);
    return ok;
}

TEST(makers_robots_agree_with_mujoco) {
    if (!test_data()) SKIP("no makers' robots here (QIAO_DATA)");
    int contacts = 0;
    for (int i = 0; i < NROBOT; i++) {
        agreement a;
        CHECK(measure_robot(&robots[i], QIAO_REAL_F64, 24, &a), "%s", robots[i].name);
        CHECK(a.qacc <= robots[i].qacc, "%s: qacc %.3g", robots[i].name, a.qacc);
        contacts += a.contacts;
    }
    CHECK(contacts > 100, "%d", contacts);
}

// ---- bits ----

static const char *const mixed = WORLD(
    "<option cone='elliptic'/>",
    FLOOR "/>" BALLS("condim='4'") ARM("frictionloss='.1' damping='.2'",
                                       "armature='.1'") "<body pos='.8 0 .1'><freejoint/><geom "
                                                        "type='box' size='.1 .08 .09'/></body>"
                                                        "<body pos='.85 .05 .3'><freejoint/><geom "
                                                        "type='capsule' size='.08 .1'/></body>",
    "<actuator><position joint='b' kp='10'/></actuator>");

// n steps of states first .. first + lanes - 1; their ends go to q [lanes][nq]
static void run_states(lanes_case *x, int first, int steps, double *q) {
    qi_lanes_opt o = {0};
    x->seed = 5;
    for (int i = 0; i < first; i++) lanes_state(x, 0.5);
    for (int l = 0; l < x->op->lanes; l++) {
        lanes_state(x, 0.5);
        lanes_load(x, l);
    }
    x->op->step(x->model, x->work, x->group, steps, &o);
    for (int l = 0; l < x->op->lanes; l++)
        x->op->get(x->model, x->group, l, q + l * x->c.mj->nq, NULL);
}

static void same_bits(qiao_real real, double *want) {
    enum { STATES = 16, STEPS = 60 };
    for (int i = 0; i < qi_lanes_nall; i++) {
        const qi_lanes_ops *op = qi_lanes_all[i];
        if (op->real != real || !op->usable()) continue;
        dyn_case c;
        lanes_case x;
        qiao_diag d = {0};
        double q[16 * 64];
        CHECK(dyn_case_text(&c, mixed), "model");
        CHECK(lanes_open(&x, c, op, &d), "%s", d.text);
        int nq = (int)x.c.mj->nq;
        for (int s = 0; s < STATES; s += op->lanes) {
            run_states(&x, s, STEPS, q);
            double *at = want + s * nq;
            if (isnan(want[s * nq])) memcpy(at, q, (size_t)(op->lanes * nq) * sizeof *q);
            for (int k = 0; k < op->lanes * nq; k++)
                CHECK(at[k] == q[k], "%s, state %d: %.17g and %.17g", op->name, s + k / nq, at[k],
                      q[k]);
        }
        lanes_close(&x);
    }
}

TEST(a_lane_has_the_bits_of_the_world_alone) {
    double want[16 * 64];
    for (int k = 0; k < 4; k++) {
        for (int i = 0; i < 16 * 64; i++) want[i] = NAN;
        lanes_dual = k / 2;
        same_bits(k % 2 ? QIAO_REAL_F32 : QIAO_REAL_F64, want);
        lanes_dual = 0;
        CHECK(isfinite(want[0]), "%g", want[0]);
    }
}

TEST(a_lane_that_breaks_stops_alone) {
    dyn_case c;
    lanes_case x;
    qiao_diag d = {0};
    double q[16 * 64], again[16 * 64], v[64];
    CHECK(dyn_case_text(&c, mixed), "model");
    CHECK(lanes_open(&x, c, qi_lanes_best(QIAO_REAL_F64), &d), "%s", d.text);
    int nq = (int)x.c.mj->nq, lanes = x.op->lanes;
    run_states(&x, 0, 40, q);
    x.seed = 5;
    for (int l = 0; l < lanes; l++) {
        lanes_state(&x, 0.5);
        lanes_load(&x, l);
    }
    for (int i = 0; i < x.c.mj->nv; i++) v[i] = 1e200;
    x.op->put(x.model, x.group, 1, x.c.mj->qpos0, v);
    qi_lanes_opt o = {0};
    x.op->step(x.model, x.work, x.group, 40, &o);
    for (int l = 0; l < lanes; l++) {
        x.op->get(x.model, x.group, l, again + l * nq, NULL);
        CHECK(x.op->broken(x.group, l) == (l == 1), "lane %d", l);
        for (int i = 0; i < nq; i++) {
            CHECK(isfinite(again[l * nq + i]), "lane %d", l);
            CHECK(l == 1 || again[l * nq + i] == q[l * nq + i], "lane %d, q %d", l, i);
        }
    }
    x.op->put(x.model, x.group, 1, x.c.mj->qpos0, NULL); // and it can start again
    x.op->live(x.group, 1, 1);
    x.op->step(x.model, x.work, x.group, 5, &o);
    CHECK(!x.op->broken(x.group, 1), "again");
    lanes_close(&x);
}

TEST(numbers_may_differ_by_lane) {
    dyn_case c[2];
    lanes_case x, y;
    qiao_diag d = {0};
    const char *other =
        WORLD("<option gravity='0 1 -9'/>",
              FLOOR "friction='.2 .1 .1'/>" FREE("<geom size='.13' mass='3'/>"), "");
    const char *first = WORLD("", FLOOR "/>" FREE("<geom size='.1' mass='1'/>"), "");
    CHECK(dyn_case_text(&c[0], first) && dyn_case_text(&c[1], other), "models");
    const qi_lanes_ops *op = qi_lanes_best(QIAO_REAL_F64);
    CHECK(lanes_open(&x, c[0], op, &d), "%s", d.text);
    CHECK(lanes_open(&y, c[1], lanes_instance(QIAO_REAL_F64, 1), &d), "%s", d.text);
    CHECK(qi_lplan_alike(x.plan, y.plan), "alike");
    x.op->vary(x.model, op->lanes - 1, y.plan);
    lanes_state(&x, 0.5);
    for (int l = 0; l < op->lanes; l++) lanes_load(&x, l);
    mj_copyState(y.c.mj, x.c.data, y.c.data, mjSTATE_PHYSICS);
    lanes_load(&y, 0);
    qi_lanes_opt o = {0};
    x.op->step(x.model, x.work, x.group, 50, &o);
    y.op->step(y.model, y.work, y.group, 50, &o);
    double a[7], b[7], z[7];
    x.op->get(x.model, x.group, op->lanes - 1, a, NULL);
    x.op->get(x.model, x.group, 0, z, NULL);
    y.op->get(y.model, y.group, 0, b, NULL);
    CHECK(memcmp(a, b, sizeof a) == 0, "%g %g", a[2], b[2]);
    CHECK(fabs(a[1] - z[1]) > 1e-3, "%g %g", a[1], z[1]);
    lanes_close(&x), lanes_close(&y);
}

// ---- what is refused ----

TEST(what_lanes_cannot_do_is_refused_by_name) {
    static const char *const no[][2] = {
        {WORLD("<option integrator='implicit'/>", ARM("", ""), ""), "integrator 'implicit'"},
        {WORLD("<option noslip_iterations='3'/>", ARM("", ""), ""), "noslip_iterations"},
        {WORLD("<option density='1'/>", ARM("", ""), ""), "fluid forces"},
        {WORLD("<option><flag override='enable'/></option>", ARM("", ""), ""), "override"},
        {WORLD("<option><flag sleep='enable'/></option>", ARM("", ""), ""), "flag sleep"},
        {WORLD(
             "",
             "<body gravcomp='1'><joint name='q' actuatorgravcomp='true'/><geom size='.1'/></body>",
             ""),
         "actuatorgravcomp (joint 'q')"},
        {WORLD("<option><flag energy='enable'/></option>",
               "<body><joint name='q' stiffness='1 2 3'/><geom size='.1'/></body>", ""),
         "polynomial stiffness (joint 'q')"},
        {WORLD("", "<body><joint name='q' damping='1 2'/><geom size='.1'/></body>", ""),
         "polynomial damping (joint 'q')"},
        {WORLD(
             "", ARM("", ""),
             "<tendon><fixed name='t' armature='.1'><joint joint='a' coef='1'/></fixed></tendon>"),
         "tendon armature (tendon 't')"},
        {WORLD("", ARM("", ""),
               "<tendon><fixed name='t'><joint joint='a' coef='1'/></fixed></tendon><equality>"
               "<tendon name='e' tendon1='t'/></equality>"),
         "equality other than connect, weld and joint (equality 'e')"},
        {WORLD("", "<body><joint name='q' type='ball'/><geom size='.1'/></body>",
               "<actuator><motor name='m' joint='q' gear='1 0 0'/></actuator>"),
         "actuator on a ball or free joint (actuator 'm')"},
        {WORLD("", ARM("", ""),
               "<tendon><spatial name='s'><site site='tip'/><site site='end'/>"
               "</spatial></tendon>"),
         "spatial tendon (tendon 's')"},
        {WORLD("", ARM("", ""),
               "<actuator><general name='m' joint='a' dyntype='filter' dynprm='.1'/></actuator>"),
         "activation"},
        {WORLD("", ARM("", ""),
               "<actuator><general name='m' site='tip' gear='1 0 0 0 0 0'/>"
               "</actuator>"),
         "transmission other than joint and tendon (actuator 'm')"},
    };
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        dyn_case c;
        qiao_diag d = {0};
        CHECK(dyn_case_text(&c, no[i][0]), "model %zu", i);
        qi_lplan *p = qi_lplan_new(&c.m, &d);
        CHECK(!p && d.err == QIAO_E_UNSUPPORTED, "%s", no[i][1]);
        CHECK_TEXT(d.text, no[i][1]);
        mj_deleteData(c.data), mj_deleteModel(c.mj);
    }
}

// ---- the table of docs/lanes.md ----

static void table(void) {
    printf("| feature | states | qacc, 64 bit | 100 steps, 64 bit | qacc, 32 bit |\n");
    printf("|---|---|---|---|---|\n");
    for (int i = 0; i < LANES_NFEATURE; i++) {
        agreement a, b;
        measure(&lanes_features[i], QIAO_REAL_F64, &a);
        measure(&lanes_features[i], QIAO_REAL_F32, &b);
        printf("| %s | %d | %.0e | %.0e | %.0e |\n", lanes_features[i].name, a.states, a.qacc,
               a.rollout, b.qacc);
    }
    if (!test_data()) return;
    printf("\n| robot | states | contacts a state | qacc, 64 bit | qacc, 32 bit |\n");
    printf("|---|---|---|---|---|\n");
    for (int i = 0; i < NROBOT; i++) {
        agreement a, b;
        if (!measure_robot(&robots[i], QIAO_REAL_F64, 1000, &a)) continue;
        measure_robot(&robots[i], QIAO_REAL_F32, 1000, &b);
        printf("| %s | %d | %.1f | %.0e | %.0e |\n", robots[i].name, a.states,
               (double)a.contacts / a.states, a.qacc, b.qacc);
    }
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "--table") == 0) {
        table();
        return 0;
    }
    return test_main(argc, argv);
}
