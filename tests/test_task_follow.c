// SPDX-License-Identifier: Apache-2.0
// test_task_follow.c - how a velocity command is followed, and orientations asked for one after
// another: measures against values worked out by hand, then in physics.
#include "task_bench.h"

#include <unistd.h>

static const qiao_signal velocity[] = {{.name = "command_velocity", .dim = 3}};
static const qiao_io follow_io = {.nsig = 1, .sig = velocity};

// Base at yaw, moving at v (forward, left, turn) as seen from there.
static void move(bench *b, double yaw, double vx, double vy, double turn) {
    double *q = b->quat + 4 * b->base, *v = b->vel + 6 * b->base;
    q[0] = cos(yaw / 2), q[1] = q[2] = 0, q[3] = sin(yaw / 2);
    v[0] = v[1] = 0, v[2] = turn;
    v[3] = cos(yaw) * vx - sin(yaw) * vy, v[4] = sin(yaw) * vx + cos(yaw) * vy, v[5] = 0;
}

static const char *const follow =
    "    robot: legged_robot\n    operator: operator\n"
    "    do serial:\n"
    "        operator.command(robot, vx: 0.5mps, duration: 4s)\n"
    "        operator.command(robot, vx: 0.5mps, yaw_rate: 0.3radps, duration: 3s)\n"
    "        operator.stop(robot)\n        wait elapsed(3s)\n"
    "    score:\n        x: report(mean_speed_x(robot))\n        y: report(mean_speed_y(robot))\n"
    "        turn: report(mean_turn_rate(robot))\n        ex: report(speed_error_x(robot))\n"
    "        ey: report(speed_error_y(robot))\n        et: report(turn_rate_error(robot))\n"
    "        all: complete(true)\n";

TEST(settled_commands_count) {
    bench_io = &follow_io;
    bench b = open_bench(follow, "go2");
    bench_io = NULL;
    CHECK_NEAR(measure(&b, "x")->value, 0, 0);
    // the command reaches 0.5 m/s after 0.49 s and has settled at 1.99 s: what was before is no matter
    move(&b, 2.5, 9, 9, 9);
    ticks(&b, 199);
    CHECK_NEAR(measure(&b, "x")->value, 0, 0);
    CHECK_NEAR(measure(&b, "ex")->value, 0, 0);
    // half of the time 0.4, half 0.5: a mean of 0.45, 0.05 off, whatever the heading
    move(&b, 2.5, 0.4, 0.02, -0.1), ticks(&b, 100);
    move(&b, -1, 0.5, 0.02, 0.1), ticks(&b, 100);
    CHECK_NEAR(measure(&b, "x")->value, 0.45, 1e-3);
    CHECK_NEAR(measure(&b, "y")->value, 0.02, 1e-9);
    CHECK_NEAR(measure(&b, "turn")->value, 0, 1e-3);
    CHECK_NEAR(measure(&b, "ex")->value, 0.05, 1e-3);
    CHECK_NEAR(measure(&b, "ey")->value, 0.02, 1e-9);
    CHECK_NEAR(measure(&b, "et")->value, 0, 1e-3);
    // in the bend: settled from 4.1 + 1.5 s on; 0.6 ahead and 0.2 of 0.3 rad/s
    move(&b, 0.3, 0.6, 0.02, 0.2), ticks(&b, 300);
    double first = 2.0, bend = 1.4, sum = first + bend;
    CHECK_NEAR(measure(&b, "x")->value, (0.45 * first + 0.6 * bend) / sum, 3e-3);
    CHECK_NEAR(measure(&b, "ex")->value, (0.05 * first + 0.1 * bend) / sum, 2e-3);
    CHECK_NEAR(measure(&b, "et")->value, (0 * first + 0.1 * bend) / sum, 2e-3);
    // standing counts for the errors, not for the means; 1.5 s after the command came to 0
    double x = measure(&b, "x")->value;
    move(&b, 0.3, 0.1, 0, 0);
    CHECK(ticks(&b, 302) == QIAO_PASSED, "%s", qiao_referee_score(b.f)->reason);
    double stand = 1.0, all = sum + stand;
    CHECK_NEAR(measure(&b, "x")->value, x, 0.01);
    CHECK_NEAR(measure(&b, "ex")->value, (0.05 * first + 0.1 * bend + 0.1 * stand) / all, 3e-3);
    // reported lines are shown in SI and bind nothing
    const qiao_measure *m = measure(&b, "x");
    CHECK(m->kind == 'e' && isnan(m->limit) && isnan(m->weight) && !m->broken);
    CHECK(strcmp(m->unit, "mps") == 0, "unit '%s'", m->unit);
    CHECK_NEAR(qiao_referee_score(b.f)->total, 1, 0);
    close_bench(&b);
}

TEST(uneven_ticks_are_weighed) { // physics of 4 ms makes ticks of 12 ms: means and times stay right
    bench_io = &follow_io;
    bench b = open_bench(follow, "go2");
    bench_io = NULL;
    for (int k = 0; (double)k * 0.012 < 4; k++) {
        move(&b, 0, k % 2 ? 0.4 : 0.6, 0, 0);
        b.t.t_ns = (int64_t)k * 12000000, b.t.contact = b.con;
        qiao_referee_step(b.f, &b.t, NULL, 0);
    }
    CHECK_NEAR(measure(&b, "x")->value, 0.5, 2e-3);
    CHECK_NEAR(measure(&b, "ex")->value, 0, 2e-3);
    close_bench(&b);
}

TEST(bad_reports_are_told) {
    static const struct {
        const char *line, *says;
    } all[] = {{"        report(1)\n", "expected a name before it"},
               {"        a: report()\n", "'value' is missing"},
               {"        a: report(1, 2)\n", "no argument"},
               {"        a: report(robot)\n", "expected a quantity"},
               {"        a: report(mean_speed_x())\n", "mean_speed_x"}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char text[900];
        qiao_diag d = {0};
        snprintf(text, sizeof text,
                 "import qiao\nscenario x:\n    robot: legged_robot\n    do wait elapsed(1s)\n"
                 "    score:\n%s",
                 all[i].line);
        qiao_scenario *s = qi_scenario_parse(text, strlen(text), "x.osc", &d);
        CHECK(s == NULL, "'%s' was taken", all[i].line);
        CHECK_TEXT(d.text, all[i].says);
    }
}

// ---- a hand and a cube, in physics ----

#define DIR "build/test/follow"

static qiao_robot *plate(void) { // a palm with four short fingers that do nothing
    static const char xml[] =
        "<mujoco><option timestep='0.002'/><worldbody><body name='palm'>"
        "<geom type='box' size='.08 .08 .01' contype='1' conaffinity='1'/>"
        "<body name='f1' pos='.09 0 0'><joint name='j1' axis='0 1 0' armature='.001' damping='.1'/>"
        "<geom type='box' size='.01 .02 .01' mass='.01' contype='0' conaffinity='0'/></body>"
        "</body></worldbody><actuator><motor name='j1' joint='j1'/></actuator></mujoco>";
    static const char yaml[] = "name: plate\nkind: hand\nmodel: plate.xml\nbase: palm\n"
                               "drives: [{match: '*', kp: 1, kd: 0.1, torque: 1}]\n"
                               "sensors: [{kind: joint_pos}]\n";
    qiao_diag d = {0};
    CHECK(qiao_dir_make(DIR, &d) == QIAO_OK, "%s", d.text);
    CHECK(qiao_file_write(DIR "/plate.xml", xml, sizeof xml - 1, &d) == QIAO_OK, "%s", d.text);
    CHECK(qiao_file_write(DIR "/robot.yaml", yaml, sizeof yaml - 1, &d) == QIAO_OK, "%s", d.text);
    qiao_robot *r = qiao_robot_load(DIR "/robot.yaml", &d);
    CHECK(r != NULL, "%s", d.text);
    return r;
}

typedef struct outcome {
    double goals, drops, missed, seen[40][4], marker, height, time;
    int nseen;
    bool passed;
} outcome;

// Runs a scenario on the plate without a brain; notes each orientation that is asked for.
static outcome run(const char *body, const char *engine, uint64_t trial, int nticks) {
    char text[3000];
    qiao_diag d = {0};
    outcome o = {0};
    snprintf(text, sizeof text, "import qiao\nscenario x:\n%s", body);
    qiao_robot *r = plate();
    qiao_scenario *s = qi_scenario_parse(text, strlen(text), "x.osc", &d);
    CHECK(s != NULL, "%s", d.text);
    qiao_case *c = qiao_case_new(s, r, 7, trial, &d);
    CHECK(c != NULL, "%s", d.text);
    double place[3], yaw;
    qiao_case_place(c, place, &yaw);
    qiao_model *w = qiao_model_world(r, qiao_case_scene(c), place, yaw, &d);
    CHECK(w != NULL, "%s", d.text);
    qiao_sim_def def = qiao_sim_def_default();
    def.engine = engine, def.robot = r, def.world = (const qiao_model *const[]){w};
    def.ngrant = qiao_case_grants(c, &def.grant);
    qiao_sim *sim = qiao_sim_new(&def, &d);
    CHECK(sim != NULL, "%s", d.text);
    qiao_referee *f = qiao_referee_new(c, w, qiao_sim_io(sim), &d);
    CHECK(f != NULL, "%s", d.text);
    bool place_asked = strstr(body, "operator.bring") != NULL;
    const qiao_signal *sig = qiao_io_find(
        qiao_sim_io(sim), place_asked ? "command_position" : "command_orientation", &d);
    CHECK(sig && sig->dim == (place_asked ? 3 : 4), "%s", d.text);
    size_t bytes = (size_t)sig->dim * sizeof(double);
    CHECK(qiao_sim_reset(sim, 0, 7, trial) == QIAO_OK);
    qiao_truth t;
    int marker = qiao_model_body(w, "wanted"), cube = qiao_model_body(w, "cube");
    qiao_verdict v = QIAO_RUNNING;
    for (int k = 0; k < nticks && v == QIAO_RUNNING; k++) {
        qiao_sim_truth(sim, 0, &t);
        v = qiao_referee_step(f, &t, sim, 0);
        qiao_sim_peaks_clear(sim, 0);
        const double *x = qiao_sim_observe(sim)->x + sig->adr;
        bool fresh = o.nseen == 0 || memcmp(x, o.seen[o.nseen - 1], bytes) != 0;
        if (fresh && o.nseen < 40) memcpy(o.seen[o.nseen++], x, bytes);
        qiao_sim_truth(sim, 0, &t);
        const double *q = t.body_quat + 4 * marker;
        double dot = place_asked ? 1 : fabs(q[0] * x[0] + q[1] * x[1] + q[2] * x[2] + q[3] * x[3]);
        o.marker = fmax(o.marker, 1 - dot), o.height = t.body_pos[3 * cube + 2];
        qiao_sim_step(sim, 5);
    }
    const qiao_score *z = qiao_referee_score(f);
    o.passed = v == QIAO_PASSED, o.time = z->time;
    for (int i = 0; i < z->nmeasure; i++) {
        if (strcmp(z->measure[i].name, "goals") == 0) o.goals = z->measure[i].value;
        if (strcmp(z->measure[i].name, "missed") == 0) o.missed = z->measure[i].value;
        if (strcmp(z->measure[i].name, "drop") == 0) o.drops = z->measure[i].value;
    }
    qiao_referee_free(f), qiao_sim_free(sim), qiao_model_free(w), qiao_case_free(c);
    qiao_scenario_free(s), qiao_robot_free(r);
    return o;
}

#define TURN(x, rest)                                                                      \
    "    robot: hand_robot with:\n        keep(it.position.z == 0.3m)\n"                   \
    "    cube: cube with:\n        keep(it.edge == 6cm)\n        keep(it.mass == 0.1kg)\n" \
    "        keep(it.position.x == " x ")\n        keep(it.position.z == 0.312m)\n"        \
    "    wanted: marker with:\n        keep(it.position.y == 0.3m)\n"                      \
    "        keep(it.position.z == 0.4m)\n    operator: operator\n"                        \
    "    event dropped\n" rest "    on height(cube) < 0.25m:\n        emit dropped\n"      \
    "        world.put_back(cube, above: 1cm)\n    world: environment\n"                   \
    "    score:\n        drop: penalty(height(cube) < 0.25m, factor: 0.9, each: true)\n"   \
    "        missed: report(goals_missed(robot))\n"                                        \
    "        goals: report(goals_reached(robot))\n        all: complete(true)\n"           \
    "        time_limit(20s)\n"

static const char *const engines[] = {"mujoco", "lanes"};

TEST(goals_come_one_after_another) {
    // so wide a tolerance that every goal is reached at once: one a tick, the first at the start
    static const char *const body =
        TURN("0m", "    do operator.orient(robot, cube, marker: wanted, tolerance: 3.2rad, "
                   "goals: 20)\n");
    for (int e = 0; e < 2; e++) {
        outcome o = run(body, engines[e], 0, 100);
        CHECK(o.passed && o.goals == 20 && o.drops == 0, "%g goals, %g drops", o.goals, o.drops);
        CHECK(o.nseen == 20, "%d orientations were asked for", o.nseen);
        CHECK(o.marker < 1e-6, "the marker is %g off", o.marker);
        double mean[4] = {0};
        for (int i = 0; i < o.nseen; i++) {
            double n = 0;
            for (int k = 0; k < 4; k++) n += o.seen[i][k] * o.seen[i][k], mean[k] += o.seen[i][k];
            CHECK_NEAR(n, 1, 1e-12);
            CHECK(o.seen[i][0] >= 0, "w is %g", o.seen[i][0]);
        }
        for (int k = 1; k < 4; k++) // spread evenly: x, y, z lean to no side
            CHECK(fabs(mean[k]) < 20 * 0.35, "%d leans to one side by %g", k, mean[k] / 20);
        outcome again = run(body, engines[e], 0, 100), other = run(body, engines[e], 1, 100);
        CHECK(memcmp(o.seen, again.seen, sizeof o.seen) == 0, "the same trial asks for the same");
        CHECK(memcmp(o.seen, other.seen, sizeof o.seen) != 0, "another trial asks for others");
    }
    outcome a = run(body, "mujoco", 3, 100), b = run(body, "lanes", 3, 100);
    CHECK(memcmp(a.seen, b.seen, sizeof a.seen) == 0, "no engine changes what is asked for");
}

TEST(a_goal_out_of_reach_stays) {
    for (int e = 0; e < 2; e++) {
        outcome o = run(TURN("0m", "    do serial(duration: 2s):\n        operator.orient(robot, "
                                   "cube, marker: wanted, tolerance: 0.01rad)\n"),
                        engines[e], 0, 300);
        CHECK(o.passed && o.goals == 0 && o.nseen == 1 && o.drops == 0);
        CHECK_NEAR(o.height, 0.34, 0.003); // rests on the palm
    }
}

TEST(what_fell_is_put_back) {
    // beside the palm: it falls, is put back where it began, and falls again
    for (int e = 0; e < 2; e++) {
        outcome o = run(TURN("15cm", "    do serial(duration: 2s):\n        operator.orient(robot, "
                                     "cube, marker: wanted, tolerance: 0.01rad)\n"),
                        engines[e], 0, 300);
        // from 34.2 (35.2) cm down to 25 cm takes 0.137 (0.144) s: 14 to 15 times in 2 s, less
        // the ticks in which it is noticed
        CHECK(o.drops >= 11 && o.drops <= 15, "%g drops", o.drops);
        CHECK(o.height > 0.2, "at %g", o.height);
    }
}

TEST(missed_goals_give_way) { // 2 s of patience in 5 s: two are missed, a third is asked for
    for (int e = 0; e < 2; e++) {
        outcome o = run(TURN("0m", "    do serial(duration: 5s):\n        operator.orient(robot, "
                                   "cube, marker: wanted, tolerance: 0.01rad, patience: 2s)\n"),
                        engines[e], 0, 600);
        CHECK(o.passed && o.goals == 0 && o.nseen == 3, "%d seen", o.nseen);
        CHECK(o.missed == 2, "%g missed", o.missed);
    }
}

// A cube on the palm, and a marker beside it.
#define BRING(y, hold)                                                                     \
    "    robot: hand_robot with:\n        keep(it.position.z == 0.3m)\n"                   \
    "    cube: cube with:\n        keep(it.edge == 6cm)\n        keep(it.mass == 0.1kg)\n" \
    "        keep(it.position.z == 0.312m)\n"                                              \
    "    wanted: marker with:\n        keep(it.position.y == " y ")\n"                     \
    "        keep(it.edge == 6cm)\n        keep(it.position.z == 0.31m)\n"                 \
    "    operator: operator\n    world: environment\n"                                     \
    "    do operator.bring(robot, cube, marker: wanted, tolerance: 2cm, hold: " hold ")\n" \
    "    score:\n        goals: complete(goals_reached(robot) >= 1)\n"                     \
    "        time_limit(2s)\n"

TEST(things_are_brought_to_a_marker) {
    for (int e = 0; e < 2; e++) {
        outcome near = run(BRING("1cm", "0.5s"), engines[e], 0, 300);
        CHECK(near.passed && near.nseen == 1, "%d places", near.nseen);
        CHECK_NEAR(near.time, 0.5, 0.011);
        CHECK_NEAR(near.seen[0][1], 0.01, 1e-9);
        CHECK_NEAR(near.seen[0][2], 0.34, 1e-9);
        outcome at_once = run(BRING("1cm", "0s"), engines[e], 0, 300);
        CHECK(at_once.passed && at_once.time < 0.021, "after %g s", at_once.time);
        outcome far = run(BRING("3cm", "0.5s"), engines[e], 0, 300);
        CHECK(!far.passed && far.time > 1.9, "passed after %g s", far.time);
    }
}

// With turn_least = turn_most = a each goal is the last one turned by sqrt(3) a about (1, 1, 1).
TEST(goals_turn_on) {
    outcome o = run(TURN("0m", "    do operator.orient(robot, cube, marker: wanted, tolerance: "
                               "3.2rad, turn_least: 0.3rad, turn_most: 0.3rad, goals: 9)\n"),
                    "mujoco", 0, 100);
    CHECK(o.passed && o.nseen == 9, "%d seen", o.nseen);
    for (int i = 1; i < o.nseen; i++) {
        const double *a = o.seen[i - 1], *b = o.seen[i];
        double w = a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3];
        double x = a[0] * b[1] - a[1] * b[0] - a[2] * b[3] + a[3] * b[2]; // of a' b
        // turns of one goal that are nearer to the cube than twice the tolerance go by unseen: w is
        // the cosine of half a whole number of turns
        double off = 1, half = 0.3 * sqrt(3) / 2;
        for (int k = 1; k < 70; k++) off = fmin(off, fabs(fabs(w) - fabs(cos(k * half))));
        CHECK(off < 1e-12, "no whole number of turns, by %g", off);
        double turned = 2 * acos(fmin(fabs(w), 1));
        CHECK_NEAR(fabs(x), sin(turned / 2) / sqrt(3), 1e-9);
    }
}

// Yaw 90 degrees, then pitch 90: the cube's z axis lies along the world's y.
TEST(cube_begins_as_told) {
    static const double h = 0.70710678118654752;
    char text[3000];
    qiao_diag d = {0};
    snprintf(text, sizeof text,
             "import qiao\nscenario x:\n    robot: hand_robot\n    cube: cube with:\n"
             "        keep(it.edge == 6cm)\n        keep(it.yaw == 90deg)\n"
             "        keep(it.pitch == 90deg)\n        keep(it.roll == 60deg)\n"
             "    do wait elapsed(1s)\n");
    qiao_robot *r = plate();
    qiao_scenario *s = qi_scenario_parse(text, strlen(text), "x.osc", &d);
    CHECK(s != NULL, "%s", d.text);
    qiao_case *c = qiao_case_new(s, r, 1, 0, &d);
    CHECK(c != NULL, "%s", d.text);
    qiao_model *w = qiao_model_world(r, qiao_case_scene(c), (const double[3]){0}, 0, &d);
    CHECK(w != NULL, "%s", d.text);
    int b = qiao_model_body(w, "cube");
    const double *q = w->q0 + w->jnt_qadr[w->body_jntadr[b]] + 3;
    // (z 90)(y 90)(x 60), multiplied out by hand
    double C = cos(0.52359877559829887), S = 0.5;
    double zy[4] = {h * h, -h * h, h * h, h * h};
    double want[4] = {zy[0] * C - zy[1] * S, zy[0] * S + zy[1] * C, zy[2] * C + zy[3] * S,
                      zy[3] * C - zy[2] * S};
    for (int i = 0; i < 4; i++) CHECK_NEAR(q[i], want[i], 1e-9);
    qiao_model_free(w), qiao_case_free(c), qiao_scenario_free(s), qiao_robot_free(r);
}

TEST(actors_are_checked) {
    static const struct {
        const char *from, *to, *says;
    } all[] = {{"== 6cm", "== 6m", "0.002 to 20 m"}, // taken: 6 m is a size
               {"== 6cm", "== 600m", "0.002 to 20 m"},
               {"== 0.1kg", "== 9000kg", "0.001 to 1000 kg"},
               {"0.01rad", "0.01m", "expected angle"},
               {"hand_robot", "legged_robot", "kind"}};
    static const char *const body =
        TURN("0m", "    do operator.orient(robot, cube, marker: wanted, tolerance: 0.01rad)\n");
    qiao_robot *r = plate();
    for (size_t i = 1; i < sizeof all / sizeof *all; i++) {
        char text[3000];
        const char *at = strstr(body, all[i].from);
        qiao_diag d = {0};
        CHECK(at != NULL);
        snprintf(text, sizeof text, "import qiao\nscenario x:\n%.*s%s%s", (int)(at - body), body,
                 all[i].to, at + strlen(all[i].from));
        qiao_scenario *s = qi_scenario_parse(text, strlen(text), "x.osc", &d);
        qiao_case *c = s ? qiao_case_new(s, r, 1, 0, &d) : NULL;
        CHECK(c == NULL, "'%s' was taken", all[i].to);
        CHECK_TEXT(d.text, all[i].says);
        qiao_scenario_free(s);
    }
    qiao_robot_free(r);
}
