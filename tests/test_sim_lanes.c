// SPDX-License-Identifier: Apache-2.0
// test_sim_lanes.c - engine lanes behind the calls of room sim: beside engine mujoco, alone and in
// company, on any number of threads.
#include "test.h"

#include "qiao/sim.h"

#include <mujoco/mujoco.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *scene_text(double friction, double step) {
    static char xml[800];
    snprintf(xml, sizeof xml,
             "<mujoco><option timestep='0.002'/><worldbody><geom name='floor' type='plane' "
             "size='20 20 1' friction='%g .01 .001'/><geom name='step' type='box' "
             "size='.2 .3 %g' pos='.45 0 0'/><body name='load' pos='.4 .1 .5'><freejoint/>"
             "<geom type='box' size='.05 .04 .03' mass='%g'/></body></worldbody></mujoco>",
             friction, step, 0.5 + step);
    return xml;
}

static qiao_robot *robot;
static qiao_model *make_world(double friction, double step) {
    qiao_diag d = {0};
    double pos[3] = {0, 0, 0.34};
    if (!robot) robot = qiao_robot_load("go2", &d);
    CHECK(robot, "%s", d.text);
    qiao_model *m = qiao_model_world(robot, scene_text(friction, step), pos, 0.2, &d);
    CHECK(m, "%s", d.text);
    return m;
}

static qiao_sim *make_sim(const char *engine, const qiao_model *const *world, int n, int threads) {
    static const qiao_sensor grant = {.kind = QIAO_SENSE_BASE_VEL, .name = "base_vel"};
    qiao_sim_def f = qiao_sim_def_default();
    qiao_diag d = {0};
    f.engine = engine, f.robot = robot, f.world = world, f.nworld = n, f.nthread = threads;
    f.grant = &grant, f.ngrant = 1;
    qiao_sim *s = qiao_sim_new(&f, &d);
    CHECK(s, "%s", d.text);
    return s;
}

static qiao_sim *try_solver(const char *engine, const char *solver, int iterations, qiao_diag *d) {
    qiao_sim_def f = qiao_sim_def_default();
    const qiao_model *world[4];
    qiao_model *m = make_world(1, 0.1);
    for (int i = 0; i < 4; i++) world[i] = m;
    f.engine = engine, f.robot = robot, f.world = world, f.nworld = 4;
    f.solver = solver, f.iterations = iterations;
    qiao_sim *s = qiao_sim_new(&f, d);
    if (s) {
        for (int w = 0; w < 4; w++) qiao_sim_reset(s, w, 1, (uint64_t)w);
        qiao_sim_step(s, 250);
        qiao_truth t;
        qiao_sim_truth(s, 0, &t);
        CHECK(qiao_sim_status(s, 0) == QIAO_OK && t.body_pos[5] > 0.05, "%g", t.body_pos[5]);
        qiao_sim_free(s);
    }
    qiao_model_free(m);
    return s;
}

TEST(solver_and_iterations_are_checked) {
    qiao_diag d = {0};
    CHECK(try_solver("lanes", "pgs", 3, &d), "%s", d.text);
    CHECK(try_solver("lanes", NULL, 3, &d), "%s", d.text);
    CHECK(try_solver("lanes32", "pgs", 0, &d), "%s", d.text);
    CHECK(try_solver("lanes32", "newton", 2, &d), "%s", d.text);
    CHECK(!try_solver("lanes", "cg", 0, &d), "cg");
    CHECK_TEXT(d.text, "no solver 'cg'; there are: newton, pgs");
    d = (qiao_diag){0};
    CHECK(!try_solver("lanes", NULL, -1, &d), "-1");
    CHECK_TEXT(d.text, "iterations is -1");
    d = (qiao_diag){0};
    CHECK(!try_solver("mujoco", NULL, 3, &d), "mujoco");
    CHECK_TEXT(d.text, "engine mujoco takes solver and iterations from the model's file");
}

// Steps one world of m and says where the base is then; false: d says why it cannot be.
static bool go_better(const qiao_robot *r, const qiao_model *m, const char *engine,
                      const char *better, int steps, double q[3], qiao_diag *d) {
    qiao_sim_def f = qiao_sim_def_default();
    const qiao_model *world[1] = {m};
    f.engine = engine, f.robot = r, f.world = world, f.better = better;
    qiao_sim *s = qiao_sim_new(&f, d);
    if (!s) return false;
    qiao_truth t;
    qiao_sim_reset(s, 0, 1, 1);
    qiao_sim_step(s, steps);
    qiao_sim_truth(s, 0, &t);
    memcpy(q, t.q, 3 * sizeof *q);
    qiao_sim_free(s);
    return true;
}

// Height of a Go2 after half a second, 0: not made.
static double stand_better(const char *engine, const char *better, qiao_diag *d) {
    qiao_model *m = make_world(0.5, 0.1);
    double q[3] = {0};
    go_better(robot, m, engine, better, 250, q, d);
    qiao_model_free(m);
    return q[2];
}

TEST(better_physics_is_asked_for_by_name) {
    qiao_diag d = {0};
    double plain = stand_better("lanes", NULL, &d), round = stand_better("lanes", "elliptic", &d);
    CHECK(plain > 0.05 && plain == round, "its cones are round: %g %g: %s", plain, round, d.text);
    CHECK(stand_better("lanes", " rotation  elliptic ", &d) == round, "%s", d.text);
    CHECK(stand_better("lanes", "rotation", &d) == plain, "not RK4: nothing changes");
    CHECK(stand_better("lanes", "elliptical", &d) == 0, "no such word");
    CHECK_TEXT(d.text, "nothing better is named 'elliptical'");
    d = (qiao_diag){0};
    CHECK(stand_better("mujoco", "elliptic", &d) == 0, "mujoco");
    CHECK_TEXT(d.text, "is for engine lanes");
}

// Where a box of pyramidal cones, dropped on a slope, ends; the robot is the box.
static double slide_better(const char *better) {
    char path[] = "/tmp/qiao_box_XXXXXX";
    qiao_diag d = {0};
    int fd = mkstemp(path);
    CHECK(fd >= 0, "%s", path);
    dprintf(fd, "<mujoco><worldbody><body name='box' pos='0 0 .3'><freejoint/><geom type='box' "
                "size='.1 .2 .1' mass='2' friction='.3 0 0'/></body></worldbody></mujoco>");
    close(fd);
    qiao_robot *r = qiao_robot_load(path, &d);
    CHECK(r, "%s", d.text);
    double pos[3] = {0}, q[3];
    qiao_model *m = qiao_model_world(r,
                                     "<mujoco><worldbody><geom type='plane' size='9 9 1' euler='9 "
                                     "14 0' friction='.1 0 0'/></worldbody></mujoco>",
                                     pos, 0.4, &d);
    unlink(path);
    CHECK(m, "%s", d.text);
    CHECK(go_better(r, m, "lanes", better, 400, q, &d), "%s", d.text);
    qiao_model_free(m);
    qiao_robot_free(r);
    return q[0];
}

TEST(elliptic_changes_a_model_of_pyramids) {
    double a = slide_better(NULL), b = slide_better("elliptic");
    CHECK(fabs(a - b) > 1e-4 && fabs(a - b) < 0.5, "%g %g", a, b);
}

// Trial k of world w: its own commands, a push, ticks of 20 ms.
static void run(qiao_sim *s, const int *trial, int n, int ticks, qiao_hash *h) {
    enum { NU = 12, MOST = 64 };
    static double q[MOST * NU], zero[MOST * NU], own[MOST * NU];
    double push[3] = {0, 30, 0}, none[3] = {0};
    for (int w = 0; w < n; w++) qiao_sim_reset(s, w, 3, (uint64_t)trial[w]);
    for (int i = 0; i < n * NU; i++) own[i] = -1;
    for (int t = 0; t < ticks; t++) {
        for (int w = 0; w < n; w++) {
            for (int k = 0; k < NU; k++)
                q[w * NU + k] = robot->rest_q[7 + k] + 0.2 * sin(0.3 * t + k + trial[w]);
            qiao_sim_push(s, w, 1, t % 10 < 3 ? push : none, none);
        }
        qiao_cmd c = {n, NU, q, zero, own, own, zero};
        qiao_sim_observe(s);
        qiao_sim_command(s, &c);
        qiao_sim_step(s, 10);
        for (int w = 0; w < n; w++)
            if (h) qiao_sim_trace(s, w, &h[w]);
    }
}

TEST(lanes_see_and_do_what_mujoco_does) {
    qiao_model *m = make_world(0.8, 0.02);
    const qiao_model *world[1] = {m};
    int trial[1] = {4};
    qiao_sim *a = make_sim("mujoco", world, 1, 1), *b = make_sim("lanes", world, 1, 1);
    qiao_sim *c = make_sim("lanes32", world, 1, 1);
    for (int ticks = 5; ticks <= 25; ticks += 20) {
        run(a, trial, 1, ticks, NULL), run(b, trial, 1, ticks, NULL), run(c, trial, 1, ticks, NULL);
        const qiao_obs *x = qiao_sim_observe(a), *y = qiao_sim_observe(b), *z = qiao_sim_observe(c);
        const qiao_io *io = qiao_sim_io(a);
        double tolerance = ticks == 5 ? 1e-6 : 1e-3;
        for (int s = 0; s < io->nsig; s++)
            for (int i = io->sig[s].adr; i < io->sig[s].adr + io->sig[s].dim; i++) {
                double size = 1 + fabs(x->x[i]);
                CHECK(fabs(x->x[i] - y->x[i]) <= tolerance * size, "tick %d, %s: %g, %g", ticks,
                      io->sig[s].name, x->x[i], y->x[i]);
                CHECK(ticks > 5 || fabs(x->x[i] - z->x[i]) <= 0.02 * size, "32 bit, %s: %g, %g",
                      io->sig[s].name, x->x[i], z->x[i]);
            }
        qiao_truth t, u;
        qiao_sim_truth(a, 0, &t), qiao_sim_truth(b, 0, &u);
        CHECK(t.t_ns == u.t_ns && t.ncontact == u.ncontact, "%d %d", t.ncontact, u.ncontact);
        CHECK_NEAR(t.energy, u.energy, tolerance * 100);
        for (int i = 0; i < 6 * m->nbody; i++)
            CHECK_NEAR(t.body_vel[i], u.body_vel[i], 10 * tolerance);
        for (int i = 0; i < m->nbody; i++)
            CHECK_NEAR(t.body_force_peak[i], u.body_force_peak[i],
                       tolerance * (10 + t.body_force_peak[i]));
    }
    qiao_sim_free(a), qiao_sim_free(b), qiao_sim_free(c);
    qiao_model_free(m);
}

// Worlds of different numbers share groups; each has the bits that it has alone.
TEST(a_world_alone_has_the_bits_of_world_37_of_64) {
    enum { N = 64, TICKS = 8 };
    static qiao_hash h[3][N];
    qiao_model *m[N];
    const qiao_model *world[N];
    int trial[N];
    for (int i = 0; i < N; i++) {
        world[i] = m[i] = i % 3 ? make_world(0.4 + 0.01 * i, 0.01 + 0.0005 * i) : NULL;
        if (!m[i]) world[i] = i ? world[0] : (m[0] = make_world(0.6, 0.03));
        trial[i] = i;
    }
    static const char *const engines[] = {"lanes", "lanes32"};
    for (int e = 0; e < 2; e++) {
        for (int k = 1; k <= 3; k++) {
            qiao_sim *s = make_sim(engines[e], world, N, k);
            for (int w = 0; w < N; w++) qiao_hash_init(&h[k - 1][w]);
            run(s, trial, N, TICKS, h[k - 1]);
            qiao_sim_free(s);
        }
        CHECK(memcmp(h[0], h[1], sizeof h[0]) == 0 && memcmp(h[0], h[2], sizeof h[0]) == 0,
              "threads");
        qiao_sim *s = make_sim(engines[e], &world[37], 1, 1);
        qiao_hash one;
        qiao_hash_init(&one);
        run(s, &trial[37], 1, TICKS, &one);
        uint8_t x[QIAO_HASH_BYTES], y[QIAO_HASH_BYTES];
        qiao_hash_end(&one, x), qiao_hash_end(&h[0][37], y);
        CHECK(memcmp(x, y, sizeof x) == 0, "%s", engines[e]);
        qiao_sim_free(s);
    }
    for (int i = 0; i < N; i++) qiao_model_free(m[i]);
}

// One world steps while those beside it wait.
TEST(a_world_of_a_group_may_go_alone) {
    qiao_model *m = make_world(0.8, 0.02);
    const qiao_model *world[8] = {m, m, m, m, m, m, m, m};
    qiao_sim *s = make_sim("lanes", world, 8, 1);
    for (int w = 0; w < 8; w++) qiao_sim_reset(s, w, 1, (uint64_t)w);
    qiao_sim_step_world(s, 3, 25);
    qiao_truth t;
    for (int w = 0; w < 8; w++) {
        qiao_sim_truth(s, w, &t);
        CHECK(t.t_ns == (w == 3 ? 50000000 : 0), "world %d at %lld ns", w, (long long)t.t_ns);
    }
    qiao_sim_stop(s, 3);
    qiao_sim_step(s, 25);
    qiao_truth u;
    qiao_sim_truth(s, 2, &t);
    double z = t.q[2];
    qiao_sim_truth(s, 3, &u);
    CHECK(t.t_ns == u.t_ns && u.q[2] == z, "%g %g", u.q[2], z);
    qiao_sim_free(s);
    qiao_model_free(m);
}

TEST(lanes_refuse_a_model_by_the_feature) {
    qiao_diag d = {0};
    qiao_model_free(make_world(0.8, 0.02)); // loads the robot
    double pos[3] = {0, 0, 0.4};
    const char *scene =
        "<mujoco><worldbody><body name='kite' gravcomp='1'><joint "
        "name='string' actuatorgravcomp='true'/><geom size='.1'/></body></worldbody></mujoco>";
    qiao_model *m = qiao_model_world(robot, scene, pos, 0, &d);
    CHECK(m, "%s", d.text);
    const qiao_model *world[1] = {m};
    qiao_sim_def f = qiao_sim_def_default();
    f.engine = "lanes", f.robot = robot, f.world = world;
    CHECK(!qiao_sim_new(&f, &d), "made");
    CHECK_TEXT(d.text, "engine lanes does not support actuatorgravcomp (joint 'string')");
    qiao_model_free(m);
}

// ---- MJCF's own sensors ----

TEST(sensors_of_the_mjcf_say_the_same_in_both_engines) {
    static const char *const scene =
        "<mujoco><option timestep='0.002'/><worldbody><geom type='plane' size='9 9 1'/><body "
        "name='ball' pos='1 0 1'><freejoint name='b'/><geom name='g' size='.1' mass='2'/><site "
        "name='s'/></body></worldbody><sensor><framepos objtype='body' "
        "objname='ball'/><framelinvel "
        "objtype='body' objname='ball'/><frameangvel objtype='site' objname='s'/><accelerometer "
        "site='s'/><gyro site='s'/><subtreecom body='ball'/><clock/></sensor></mujoco>";
    static const char *const engine[2] = {"mujoco", "lanes"};
    double x[2][64], pos[3] = {0}, force[3] = {3, 0, 0}, none[3] = {0};
    int n[2] = {0};
    for (int k = 0; k < 2; k++) {
        qiao_diag d = {0};
        qiao_model_free(make_world(1, 0.1)); // loads the robot
        qiao_model *m = qiao_model_world(robot, scene, pos, 0, &d);
        CHECK(m, "%s", d.text);
        const qiao_model *world[2] = {m, m};
        qiao_sim *s = make_sim(engine[k], world, 2, 1);
        qiao_sim_reset(s, 1, 1, 1);
        qiao_sim_push(s, 1, qiao_model_body(m, "ball"), force, none);
        qiao_sim_step(s, 50);
        n[k] = qiao_sim_sensordata(s, 1, x[k], 64);
        CHECK(n[k] >= 19, "%d sensors", n[k]);
        CHECK(qiao_sim_sensordata(s, 1, NULL, 0) == n[k], "counted");
        qiao_truth t;
        qiao_sim_truth(s, 1, &t);
        const double *at = t.body_pos + 3 * qiao_model_body(m, "ball"), *own = x[k] + n[k] - 19;
        CHECK(memcmp(own, at, 3 * sizeof *at) == 0, "framepos %g %g", own[2], at[2]);
        // in free fall but for the push: 3 N on 2 kg
        CHECK(fabs(own[9] - 1.5) < 1e-6 && fabs(own[11]) < 1e-6, "acc %g %g", own[9], own[11]);
        CHECK(fabs(own[18] - 0.1) < 1e-9, "clock %g", own[18]);
        CHECK(qiao_sim_sensordata(s, 2, NULL, 0) < 0, "world 2 of 2");
        qiao_sim_free(s);
        qiao_model_free(m);
    }
    CHECK(n[0] == n[1], "%d %d", n[0], n[1]);
    for (int i = 0; i < n[0] && i < 64; i++)
        CHECK(fabs(x[0][i] - x[1][i]) < 1e-4 * (1 + fabs(x[0][i])), "%d: %g %g", i, x[0][i],
              x[1][i]);
}

// ---- numbers of a world's own ----

// z of the base and forward way after 0.4 s, engine lanes or mujoco, world 1 of 3 varied.
static void varied(const char *engine, const qiao_vary *v, double q[3][3]) {
    const qiao_model *world[3];
    qiao_model *m = make_world(1, 0.1);
    qiao_diag d = {0};
    for (int i = 0; i < 3; i++) world[i] = m;
    qiao_sim *s = make_sim(engine, world, 3, 1);
    for (int w = 0; w < 3; w++) qiao_sim_reset(s, w, 1, 1);
    CHECK(qiao_sim_vary(s, 1, v, &d) == QIAO_OK, "%s", d.text);
    int trial[3] = {4, 4, 4};
    qiao_hash h[3];
    for (int i = 0; i < 3; i++) qiao_hash_init(&h[i]);
    run(s, trial, 3, 20, h);
    for (int w = 0; w < 3; w++) {
        qiao_truth t;
        qiao_sim_truth(s, w, &t);
        memcpy(q[w], t.q, 3 * sizeof(double));
        CHECK(qiao_sim_status(s, w) == QIAO_OK, "world %d", w);
    }
    qiao_sim_free(s);
    qiao_model_free(m);
}

TEST(a_world_may_have_numbers_of_its_own) {
    qiao_vary v = qiao_vary_default();
    double a[3][3], b[3][3];
    varied("lanes", &v, a); // the default changes nothing, bit for bit
    CHECK(memcmp(a[0], a[1], sizeof a[0]) == 0, "%.17g %.17g", a[0][2], a[1][2]);
    v.friction = 0.3, v.payload = 3, v.gravity[2] = 2, v.com[0] = 0.03, v.mass = 1.1;
    v.kp = 0.7, v.kd = 1.2, v.torque = 0.8, v.delay = 0.01, v.armature = 1.5, v.damping = 2;
    varied("lanes", &v, a);
    varied("mujoco", &v, b);
    CHECK(memcmp(a[0], a[2], sizeof a[0]) == 0, "%g %g", a[0][2], a[2][2]);
    CHECK(fabs(a[1][2] - a[0][2]) > 1e-3, "%g %g", a[1][2], a[0][2]);
    for (int w = 0; w < 3; w++) // after 0.2 s of contact and pushes the engines are still close
        for (int k = 0; k < 3; k++)
            CHECK(fabs(a[w][k] - b[w][k]) < 2e-3, "world %d: %g %g", w, a[w][k], b[w][k]);
}

TEST(numbers_that_nature_does_not_have_are_refused) {
    const qiao_model *world[1];
    qiao_model *m = make_world(1, 0.1);
    world[0] = m;
    static const char *const engine[2] = {"mujoco", "lanes"};
    for (int k = 0; k < 2; k++) {
        qiao_sim *s = make_sim(engine[k], world, 1, 1);
        qiao_diag d = {0};
        qiao_vary v = qiao_vary_default();
        CHECK(qiao_sim_vary(s, 1, &v, &d) == QIAO_E_ARG, "world 1 of 1");
        v.mass = 0, d = (qiao_diag){0};
        CHECK(qiao_sim_vary(s, 0, &v, &d) == QIAO_E_ARG, "mass 0");
        CHECK_TEXT(d.text, "mass is 0");
        v = qiao_vary_default(), v.friction = NAN, d = (qiao_diag){0};
        CHECK(qiao_sim_vary(s, 0, &v, &d) == QIAO_E_ARG, "friction NAN");
        CHECK_TEXT(d.text, "friction is nan");
        v = qiao_vary_default(), v.payload = -100, d = (qiao_diag){0};
        CHECK(qiao_sim_vary(s, 0, &v, &d) == QIAO_E_ARG, "payload");
        CHECK_TEXT(d.text, "the base weighs");
        v = qiao_vary_default(), v.delay = 10, d = (qiao_diag){0};
        CHECK(qiao_sim_vary(s, 0, &v, &d) == QIAO_E_LIMIT, "delay");
        v = qiao_vary_default(), d = (qiao_diag){0};
        CHECK(qiao_sim_vary(s, 0, &v, &d) == QIAO_OK, "%s", d.text);
        qiao_sim_step(s, 5);
        CHECK(qiao_sim_status(s, 0) == QIAO_OK, "goes on");
        qiao_sim_free(s);
    }
    qiao_model_free(m);
}
