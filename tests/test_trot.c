// SPDX-License-Identifier: Apache-2.0
// test_trot.c - brain trot on robot go2 in room sim: stands, walks, turns, takes a push, climbs a
// step, knows its own speed, gives the same bits alone and in company.
#include "../brains/trot/trot.c" // the plug-in itself: the test asks it what it believes
#include "ctl/vec.h"
#include "qiao/sim.h"
#include "test.h"

enum { WORLDS = 3, NU = 12 };
#define FLOOR                                                                                \
    "<mujoco><option timestep='0.002'/><default><geom priority='1' friction='0.5 .02 .01'/>" \
    "</default><worldbody><geom name='floor' type='plane' size='50 50 .1'/>"
static const char *const flat = FLOOR "</worldbody></mujoco>";
static const char *const stair =
    FLOOR "<geom type='box' size='5 1 .06' pos='5.7 0 .06'/></worldbody></mujoco>";

typedef struct rig { // n worlds and the brain
    qiao_robot *robot;
    qiao_model *world;
    qiao_sim *sim;
    qiao_io io;
    void *mem;
    int n, command;
    double c[5][WORLDS * NU];
    qiao_cmd cmd;
    double tilt; // degrees, worst so far in world 0
} rig;

static void rig_open(rig *g, const char *scene, int n, bool scan) {
    qiao_diag d = {0};
    static const qiao_sensor grant[2] = {
        {.kind = QIAO_SENSE_COMMAND, .name = "command_velocity", .unit = "m/s", .dim = 3},
        {.kind = QIAO_SENSE_HEIGHT_SCAN,
         .name = "height_scan",
         .unit = "m",
         .rate_hz = 25,
         .noise = 0.005,
         .delay = 0.03,
         .grid_n = {25, 17},
         .grid_step = 0.05,
         .grid_center = {0.3, 0}},
    };
    memset(g, 0, sizeof *g);
    g->robot = qiao_robot_load("go2", &d);
    CHECK(g->robot, "%s", d.text);
    g->world = qiao_model_world(g->robot, scene, (const double[3]){0}, 0, &d);
    CHECK(g->world, "%s", d.text);
    const qiao_model *worlds[WORLDS] = {g->world, g->world, g->world};
    qiao_sim_def def = qiao_sim_def_default();
    def.engine = "mujoco", def.nworld = n, def.nthread = 1, def.robot = g->robot;
    def.world = worlds, def.ngrant = scan ? 2 : 1, def.grant = grant, def.period = 0.002;
    g->sim = qiao_sim_new(&def, &d);
    CHECK(g->sim, "%s", d.text);
    g->io = *qiao_sim_io(g->sim), g->n = n, g->command = -1;
    for (int i = 0; i < g->io.nsig; i++)
        if (strcmp(g->io.sig[i].name, "command_velocity") == 0) g->command = i;
    size_t bytes = size(&g->io, n, &d);
    CHECK(bytes > 0, "%s", d.text);
    g->mem = aligned_alloc(64, up64(bytes));
    memset(g->mem, 0, bytes);
    CHECK(init(g->mem, &g->io, n, &d) == QIAO_OK, "%s", d.text);
    for (int w = 0; w < n; w++) {
        CHECK(qiao_sim_reset(g->sim, w, 5, (uint64_t)w) == QIAO_OK);
        reset(g->mem, w, 0);
    }
    g->cmd = (qiao_cmd){n, NU, g->c[0], g->c[1], g->c[2], g->c[3], g->c[4]};
}

static void rig_close(rig *g) {
    qiao_sim_free(g->sim), qiao_model_free(g->world), qiao_robot_free(g->robot), free(g->mem);
}

static double tilt_of(const double *q) { // degrees between the base's z and up
    double R[9];
    rot_quat(R, q + 3);
    return acos(clampd(R[8], -1, 1)) * 180 / 3.14159265358979;
}

// All worlds on by t seconds with one wish.
static void rig_run(rig *g, double t, double vx, double vy, double turn_rate) {
    const double wish_v[3] = {vx, vy, turn_rate};
    for (int k = 0; k < (int)(t / 0.002 + 0.5); k++) {
        for (int w = 0; w < g->n; w++) qiao_sim_signal(g->sim, w, g->command, wish_v);
        CHECK(step(g->mem, qiao_sim_observe(g->sim), &g->cmd) == QIAO_OK);
        qiao_sim_command(g->sim, &g->cmd);
        qiao_sim_step(g->sim, 1);
        qiao_truth truth;
        qiao_sim_truth(g->sim, 0, &truth);
        g->tilt = fmax(g->tilt, tilt_of(truth.q));
    }
}

static void where(rig *g, double q[7]) {
    qiao_truth truth;
    qiao_sim_truth(g->sim, 0, &truth);
    memcpy(q, truth.q, 7 * sizeof *q);
}

static double yaw_of(const double *q) {
    return atan2(2 * (q[3] * q[6] + q[4] * q[5]), 1 - 2 * (q[5] * q[5] + q[6] * q[6]));
}

TEST(stands_still) {
    rig g;
    double a[7], b[7];
    rig_open(&g, flat, 1, false);
    rig_run(&g, 0.5, 0, 0, 0), where(&g, a);
    rig_run(&g, 1.0, 0, 0, 0), where(&g, b);
    CHECK(g.tilt < 3, "tilt %g", g.tilt);
    CHECK(hypot(b[0] - a[0], b[1] - a[1]) < 0.02, "it wandered %g m",
          hypot(b[0] - a[0], b[1] - a[1]));
    CHECK(b[2] > 0.25 && b[2] < 0.33, "height %g", b[2]);
    rig_close(&g);
}

TEST(walks_as_told_and_knows_it) {
    rig g;
    double a[7], b[7], p0[3], p1[3], quat[4], v[3];
    rig_open(&g, flat, 1, false);
    rig_run(&g, 1.5, 0.5, 0, 0), where(&g, a);
    qiao_ctl_walk_state(walker(g.mem, 0), p0, quat, v);
    rig_run(&g, 2.0, 0.5, 0, 0), where(&g, b);
    qiao_ctl_walk_state(walker(g.mem, 0), p1, quat, v);
    CHECK_NEAR((b[0] - a[0]) / 2, 0.5, 0.05);
    CHECK(fabs(b[1]) < 0.1, "%g m off the line", b[1]);
    CHECK(g.tilt < 8, "tilt %g", g.tilt);
    // odometry within 4 % of the way
    CHECK_NEAR(p1[0] - p0[0], b[0] - a[0], 0.04);
    CHECK_NEAR(p1[1] - p0[1], b[1] - a[1], 0.04);
    for (int k = 0; k < 4; k++) CHECK_NEAR(quat[k], b[3 + k], 0.02);
    rig_close(&g);
}

TEST(turns_and_steps_aside) {
    rig g;
    double a[7], b[7];
    rig_open(&g, flat, 1, false);
    rig_run(&g, 1.0, 0, 0.2, 0.6), where(&g, a);
    rig_run(&g, 2.0, 0, 0.2, 0.6), where(&g, b);
    CHECK_NEAR(yaw_of(b) - yaw_of(a), 1.2, 0.15);
    CHECK(g.tilt < 10, "tilt %g", g.tilt);
    CHECK(hypot(b[0] - a[0], b[1] - a[1]) > 0.25, "it did not step aside");
    rig_close(&g);
}

TEST(takes_a_push_by_stepping) {
    rig g;
    double b[7], zero[3] = {0}, push[3] = {0, 80, 0};
    rig_open(&g, flat, 1, false);
    int body = qiao_model_body(g.world, "base");
    rig_run(&g, 1.0, 0.4, 0, 0);
    qiao_sim_push(g.sim, 0, body, push, zero), rig_run(&g, 0.2, 0.4, 0, 0);
    qiao_sim_push(g.sim, 0, body, zero, zero), rig_run(&g, 1.5, 0.4, 0, 0);
    where(&g, b);
    CHECK(g.tilt < 40 && g.tilt > 1, "tilt %g", g.tilt);
    CHECK(tilt_of(b) < 6, "it still leans %g degrees", tilt_of(b));
    CHECK(b[2] > 0.24, "height %g", b[2]);
    rig_close(&g);
}

TEST(climbs_a_step_it_sees) {
    rig g;
    double b[7];
    rig_open(&g, stair, 1, true);
    rig_run(&g, 14, 0.5, 0, 0), where(&g, b);
    CHECK(b[0] > 1.0 && b[2] > 0.36, "at x %g, height %g", b[0], b[2]);
    CHECK(g.tilt < 35, "tilt %g", g.tilt);
    rig_close(&g);
}

TEST(a_world_is_the_same_alone_and_in_company) {
    rig one, all;
    rig_open(&one, flat, 1, false), rig_open(&all, flat, WORLDS, false);
    rig_run(&one, 0.8, 0.4, 0, 0.2), rig_run(&all, 0.8, 0.4, 0, 0.2);
    for (int k = 0; k < 5; k++)
        CHECK(memcmp(one.c[k], all.c[k], NU * sizeof(double)) == 0, "row %d of the command", k);
    CHECK(memcmp(all.c[4], all.c[4] + NU, NU * sizeof(double)) != 0,
          "noise did not tell them apart");
    rig_close(&one), rig_close(&all);
}

TEST(garbage_from_a_sensor_damps_and_passes) {
    rig g;
    rig_open(&g, flat, 1, false);
    rig_run(&g, 0.3, 0, 0, 0);
    const qiao_obs *o = qiao_sim_observe(g.sim);
    double x[600];
    CHECK(o->nobs <= 600);
    memcpy(x, o->x, (size_t)o->nobs * sizeof *x);
    qiao_obs bad = *o;
    bad.x = x;
    for (int i = 0; i < o->nobs; i++) {
        double keep = x[i];
        x[i] = NAN;
        CHECK(step(g.mem, &bad, &g.cmd) == QIAO_OK);
        for (int k = 0; k < 5; k++)
            for (int j = 0; j < NU; j++)
                CHECK(isfinite(g.c[k][j]), "number %d of the observation spoils the command", i);
        x[i] = keep;
    }
    rig_run(&g, 0.5, 0, 0, 0);
    CHECK(g.tilt < 10, "tilt %g", g.tilt);
    rig_close(&g);
}

TEST(other_bodies_are_refused_with_a_reason) {
    qiao_diag d = {0};
    qiao_robot *r = qiao_robot_load("tron1", &d);
    if (!r) SKIP("robot tron1 does not load: %.100s", d.text);
    qiao_io io = {.robot = r};
    CHECK(size(&io, 1, &d) == 0, "two feet passed");
    CHECK_TEXT(d.text, "walks on four");
    qiao_robot_free(r);
}
