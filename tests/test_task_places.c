// SPDX-License-Identifier: Apache-2.0
// Cases at chosen places of the declared ranges (qiao_case_new_at).
#include "qiao/task.h"
#include "task/osc.h"
#include "test.h"

static qiao_scenario *scenario;
static qiao_robot *robot;

static void load(const char *body) {
    char text[4000];
    qiao_diag d = {0};
    snprintf(text, sizeof text, "import qiao\nscenario x:\n    robot: legged_robot\n%s", body);
    scenario = qi_scenario_parse(text, strlen(text), "x.osc", &d);
    CHECK(scenario != NULL, "%s", d.text);
    if (!robot) robot = qiao_robot_load("go2", &d);
    CHECK(robot != NULL, "%s", d.text);
}

static int param(const char *name) {
    const qiao_param *p;
    int n = qiao_scenario_params(scenario, &p);
    for (int i = 0; i < n; i++)
        if (strcmp(p[i].name, name) == 0) return i;
    CHECK(false, "no parameter '%s'", name);
    return -1;
}

static double value_at(const double *u, uint64_t seed, const char *name) {
    qiao_diag d = {0};
    qiao_case *c = qiao_case_new_at(scenario, robot, seed, 0, u, &d);
    CHECK(c != NULL, "%s", d.text);
    double x = qiao_case_value(c, param(name));
    qiao_case_free(c);
    return x;
}

static const char *const body = "    a: length with:\n        keep(it in [2m..4m])\n"
                                "    n: int with:\n        keep(it in [3..6])\n"
                                "    v: speed with:\n        keep(it in [1mps, 2mps, 5mps])\n"
                                "    w: length with:\n        keep(it in [10cm..20cm])\n";

TEST(ranges_whole_numbers_and_choices) {
    load(body);
    const double ends[3] = {0, 0.5, 1};
    const double a[3] = {2, 3, 4}, n[3] = {3, 5, 6}, v[3] = {0, 1, 2}, w[3] = {10, 15, 20};
    for (int i = 0; i < 3; i++) {
        double u[4] = {ends[i], ends[i], ends[i], ends[i]};
        CHECK_NEAR(value_at(u, 1, "a"), a[i], 1e-12);
        CHECK_NEAR(value_at(u, 1, "n"), n[i], 0);
        CHECK_NEAR(value_at(u, 1, "v"), v[i], 0);
        CHECK_NEAR(value_at(u, 1, "w"), w[i], 1e-12);
    }
    qiao_scenario_free(scenario);
}

// What is not chosen has the value that it has without any choice.
TEST(nan_is_drawn) {
    load(body);
    double none[4] = {NAN, NAN, NAN, NAN}, some[4] = {NAN, NAN, NAN, NAN};
    some[param("n")] = 0.99;
    for (uint64_t seed = 1; seed < 20; seed++) {
        double a = value_at(NULL, seed, "a");
        CHECK(value_at(none, seed, "a") == a && value_at(some, seed, "a") == a);
        CHECK(value_at(some, seed, "n") == 6);
    }
    CHECK(value_at(NULL, 1, "a") != value_at(NULL, 2, "a"));
    qiao_scenario_free(scenario);
}

TEST(a_rule_forbids_a_place) {
    load("    a: length with:\n        keep(it in [0m..1m])\n"
         "    b: length with:\n        keep(it in [0m..1m])\n    keep(a < b)\n");
    qiao_diag d = {0};
    double u[2];
    u[param("a")] = 0.9, u[param("b")] = 0.2;
    CHECK(qiao_case_new_at(scenario, robot, 1, 0, u, &d) == NULL);
    CHECK(d.err == QIAO_E_FIT, "%s", d.text);
    CHECK_TEXT(d.text, "a < b");
    // with one of them free, that one is redrawn until the rule holds
    u[param("b")] = NAN;
    for (uint64_t seed = 1; seed < 20; seed++) {
        CHECK_NEAR(value_at(u, seed, "a"), 0.9, 1e-12);
        CHECK(value_at(u, seed, "b") > 0.9);
    }
    u[param("a")] = 1.5;
    d = (qiao_diag){0};
    CHECK(qiao_case_new_at(scenario, robot, 1, 0, u, &d) == NULL && d.err == QIAO_E_ARG);
    CHECK_TEXT(d.text, "expected 0 to 1");
    qiao_scenario_free(scenario);
}

// The concrete file of a chosen case says the same values.
TEST(chosen_cases_replay) {
    load(body);
    qiao_diag d = {0};
    double u[4] = {0.1, 0.3, 0.9, 0.7};
    qiao_case *c = qiao_case_new_at(scenario, robot, 1, 0, u, &d);
    CHECK(c != NULL, "%s", d.text);
    const char *text = qiao_case_text(c);
    qiao_scenario *again = qi_scenario_parse(text, strlen(text), "again.osc", &d);
    CHECK(again != NULL, "%s", d.text);
    qiao_case *e = qiao_case_new(again, robot, 99, 5, &d);
    CHECK(e != NULL, "%s", d.text);
    for (int i = 0; i < 4; i++) CHECK(qiao_case_value(c, i) == qiao_case_value(e, i));
    CHECK(strcmp(qiao_case_scene(c), qiao_case_scene(e)) == 0);
    qiao_case_free(c), qiao_case_free(e), qiao_scenario_free(again), qiao_scenario_free(scenario);
}

// A robot's own numbers are drawn like all others; it hangs where it is held, whichever way it
// faces.
TEST(varied_robots) {
    static const char text[] =
        "import qiao\nimport identify\nscenario x:\n    robot: varied_robot with:\n"
        "        keep(it.held == true)\n        keep(it.position.x == 2m)\n"
        "        keep(it.position.z == 1m)\n        keep(it.yaw == 40deg)\n"
        "        keep(it.damping in [2.0..4.0])\n        keep(it.drive_delay == 6ms)\n"
        "        keep(it.payload == 1.5kg)\n    do wait elapsed(1s)\n";
    qiao_diag d = {0};
    qiao_scenario *s = qi_scenario_parse(text, sizeof text - 1, "x.osc", &d);
    qiao_robot *r = qiao_robot_load("go2", &d);
    CHECK(s && r, "%s", d.text);
    double u[1] = {0.25}, pos[3], yaw;
    qiao_case *c = qiao_case_new_at(s, r, 1, 0, u, &d);
    CHECK(c != NULL, "%s", d.text);
    qiao_vary v;
    CHECK(qiao_case_vary(c, &v), "nothing varies");
    CHECK_NEAR(v.damping, 2.5, 1e-12);
    CHECK_NEAR(v.delay, 0.006, 1e-12);
    CHECK_NEAR(v.payload, 1.5, 1e-12);
    CHECK(v.mass == 1 && v.armature == 1 && v.kp == 1 && v.friction == 1, "others stay");
    qiao_case_place(c, pos, &yaw);
    qiao_model *w = qiao_model_world(r, qiao_case_scene(c), pos, yaw, &d);
    CHECK(w != NULL, "%s", d.text);
    qiao_sim_def sd = qiao_sim_def_default();
    sd.engine = "mujoco", sd.robot = r, sd.world = (const qiao_model *const *)&w, sd.period = 0.01;
    qiao_sim *sim = qiao_sim_new(&sd, &d);
    CHECK(sim && qiao_sim_reset(sim, 0, 1, 0) == QIAO_OK, "%s", d.text);
    qiao_truth t;
    qiao_sim_step(sim, 500); // a second without commands: the legs hang, the base stays
    qiao_sim_truth(sim, 0, &t);
    for (int i = 0; i < 3; i++) CHECK_NEAR(t.q[i], w->q0[i], 0.005);
    for (int i = 3; i < 7; i++) CHECK_NEAR(t.q[i], w->q0[i], 0.005);
    CHECK(t.q[2] > 1.2 && fabs(t.q[6]) > 0.3, "held high and turned: %g %g", t.q[2], t.q[6]);
    qiao_sim_free(sim), qiao_model_free(w), qiao_case_free(c);
    qiao_scenario_free(s), qiao_robot_free(r);
}
