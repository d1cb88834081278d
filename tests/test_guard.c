// SPDX-License-Identifier: Apache-2.0
// test_guard.c - faults put into a standing robot: the right guard on the right rung in that very
// step, its neighbours untouched; and silence in a hundred clean trials.
#include "brain_body.h"
#include "test.h"

#include "brain/guard.h"
#include "qiao/prove.h"
#include "rec/tape.h"

enum { NW = 3, HIT = 1, MOST_OBS = 400, MOST_SIG = 32 }; // worlds; the one that gets the faults

#define FLOOR \
    "<mujoco><worldbody><geom name='floor' type='plane' size='0 0 1'/></worldbody></mujoco>"

typedef struct rig { // go2 on flat ground, three worlds, brain `hold`
    qiao_robot *r;
    qiao_model *w;
    qiao_sim *s;
    qiao_brain *b;
    const qiao_io *io;
    double x[NW * MOST_OBS], c[5][NW * 32];
    int64_t t[NW], stamp[NW * MOST_SIG];
    qiao_obs obs; // what the brain gets: a copy that faults are put into
    qiao_cmd cmd;
} rig;
static rig g;

static void rig_close(void) {
    qiao_brain_close(g.b), qiao_sim_free(g.s), qiao_model_free(g.w), qiao_robot_free(g.r);
    g = (rig){0};
}

static void rig_open(const char *brain) {
    static const qiao_sensor grant[] = {{.kind = QIAO_SENSE_BASE_POSE,
                                         .name = "base_pose",
                                         .unit = "m, 1",
                                         .frame = "world",
                                         .dim = 7,
                                         .rate_hz = 50,
                                         .delay = 0.01}};
    const double origin[3] = {0, 0, 0};
    const qiao_model *worlds[NW];
    qiao_diag d = {0};
    rig_close();
    g.r = qiao_robot_load("go2", &d);
    g.w = g.r ? qiao_model_world(g.r, FLOOR, origin, 0, &d) : NULL;
    CHECK(g.w, "%s", d.text);
    for (int i = 0; i < NW; i++) worlds[i] = g.w;
    qiao_brain_def bd = qiao_brain_def_default();
    bd.spec = brain, bd.n = NW, bd.deadline_ms = 100, bd.trust = strstr(brain, "hang") == NULL;
    bd.memory_mb = BODY_SANITIZED ? -1 : 0; // a sanitizer wants the whole address space
    g.b = qiao_brain_open(&bd, &d);
    CHECK(g.b, "%s", d.text);
    qiao_sim_def sd = qiao_sim_def_default();
    sd.nworld = NW, sd.nthread = 1, sd.robot = g.r, sd.world = worlds;
    sd.period = 1 / qiao_brain_rate(g.b), sd.grant = grant, sd.ngrant = 1;
    g.s = qiao_sim_new(&sd, &d);
    CHECK(g.s, "%s", d.text);
    g.io = qiao_sim_io(g.s);
    CHECK(g.io->nobs <= MOST_OBS && g.io->nsig <= MOST_SIG && g.io->nu <= 32);
    CHECK(!qiao_brain_bind(g.b, g.io, &d), "%s", d.text);
    for (int i = 0; i < NW; i++)
        CHECK(!qiao_sim_reset(g.s, i, 5, (uint64_t)i) && !qiao_brain_reset(g.b, i, 1, &d));
    int nu = g.io->nu;
    g.cmd = (qiao_cmd){NW, nu, g.c[0], g.c[1], g.c[2], g.c[3], g.c[4]};
}

static void copy_obs(void) {
    const qiao_obs *o = qiao_sim_observe(g.s);
    memcpy(g.x, o->x, sizeof(double) * (size_t)(NW * o->nobs));
    memcpy(g.t, o->t_ns, sizeof g.t);
    memcpy(g.stamp, o->stamp_ns, sizeof(int64_t) * (size_t)(NW * o->nsig));
    g.obs = (qiao_obs){NW, o->nobs, o->nsig, g.t, g.x, g.stamp, NULL};
}

static void go_on(void) {
    qiao_sim_command(g.s, &g.cmd);
    qiao_sim_step(g.s, (int)lround(g.io->period / g.w->dt));
}

static int sig(const char *name) {
    for (int i = 0; i < g.io->nsig; i++)
        if (!strcmp(g.io->sig[i].name, name)) return i;
    CHECK(false, "no signal %s", name);
    return -1;
}
static double *at(const char *name) { return g.x + HIT * g.obs.nobs + g.io->sig[sig(name)].adr; }
static int64_t *stamp(const char *name) { return &g.stamp[HIT * g.obs.nsig + sig(name)]; }

// n steps without a fault and without a word of a guard.
static void healthy(int n) {
    qiao_diag d = {0};
    qiao_guard_event ev[4];
    for (int k = 0; k < n; k++) {
        copy_obs();
        CHECK(!qiao_brain_step(g.b, &g.obs, &g.cmd, &d), "%s", d.text);
        for (int w = 0; w < NW; w++) {
            char text[200] = "";
            int e = qiao_brain_guard_events(g.b, w, ev, 4);
            if (e) qiao_guard_text(ev, text, sizeof text);
            CHECK(e == 0, "false alarm of guard %s: %s", qiao_guard_name(ev[0].guard), text);
        }
        go_on();
    }
}

// ---- faults of the machine ----

static double was[MOST_OBS]; // the row of the step before
static void roll(double deg) {
    static int count; // never the same bits twice
    double h = deg * M_PI / 360 + 1e-7 * ++count, *q = at("imu_quat");
    q[0] = cos(h), q[1] = sin(h), q[2] = q[3] = 0;
}
static void f_nan(void) { at("imu_gyro")[1] = NAN; }
static void f_inf(void) { at("joint_pos")[3] = -INFINITY; }
static void f_tilt_70(void) { roll(-70); }
static void f_tilt_90(void) { roll(90); }
static void f_tilt_150(void) { roll(150); }
static void f_pos(void) { at("joint_pos")[0] = 1.0472 + 0.2 * 2.0944; }
static void f_pos_low(void) { at("joint_pos")[2] -= 3; }
static void f_vel(void) { at("joint_vel")[5] = -4 * 15.7; }
static void f_vel_soft(void) { at("joint_vel")[5] = 1.5 * 15.7; }
static void f_vel_stop(void) { at("joint_vel")[5] = 7 * 15.7; }
static void f_tau(void) { at("joint_tau")[4] = 1.7 * 23.7; }
static void f_tau_soft(void) { at("joint_tau")[4] = -1.3 * 23.7; }
static void f_tau_stop(void) { at("joint_tau")[4] = 5 * 23.7; }
static void f_power(void) {
    for (int i = 0; i < 12; i++) {
        at("joint_vel")[i] = 1.25 * g.r->drive[i].speed_max;
        at("joint_tau")[i] = g.r->drive[i].torque_max;
    }
}
static void f_drop(void) { *stamp("joint_pos") -= 20000000; } // the sample of the step before
static void f_old(void) { *stamp("imu_quat") -= 200000000; }
static void f_dead(void) { *stamp("imu_quat") -= 900000000; }
static void f_future(void) { *stamp("joint_vel") += 80000000; }
static void f_frozen(void) {
    int k = g.io->sig[sig("imu_quat")].adr;
    memcpy(at("imu_quat"), was + k, 4 * sizeof *was);
}
static void f_late(void) { qiao_brain_late(g.b, HIT); }
static void f_late_3(void) { f_late(), f_late(), f_late(); }
static void f_late_12(void) { f_late_3(), f_late_3(), f_late_3(), f_late_3(); }

static const struct fault {
    const char *name;
    void (*put)(void);
    qiao_guard guard;
    qiao_rung rung;
    const char *what;
} faults[] = {
    {"gyro not a number", f_nan, QIAO_GUARD_FINITE, QIAO_RUNG_DAMP, "imu_gyro"},
    {"encoder infinite", f_inf, QIAO_GUARD_FINITE, QIAO_RUNG_DAMP, "joint_pos"},
    {"rolled by 70 deg", f_tilt_70, QIAO_GUARD_TILT, QIAO_RUNG_SOFT, "base"},
    {"rolled by 90 deg", f_tilt_90, QIAO_GUARD_TILT, QIAO_RUNG_DAMP, "base"},
    {"on its back", f_tilt_150, QIAO_GUARD_TILT, QIAO_RUNG_STOP, "base"},
    {"joint past its end", f_pos, QIAO_GUARD_POSITION, QIAO_RUNG_DAMP, "FL_hip_joint"},
    {"joint far below", f_pos_low, QIAO_GUARD_POSITION, QIAO_RUNG_STOP, "FL_calf_joint"},
    {"joint fast", f_vel_soft, QIAO_GUARD_VELOCITY, QIAO_RUNG_SOFT, "FR_calf_joint"},
    {"joint too fast", f_vel, QIAO_GUARD_VELOCITY, QIAO_RUNG_DAMP, "FR_calf_joint"},
    {"joint flies", f_vel_stop, QIAO_GUARD_VELOCITY, QIAO_RUNG_STOP, "FR_calf_joint"},
    {"torque high", f_tau_soft, QIAO_GUARD_TORQUE, QIAO_RUNG_SOFT, NULL},
    {"torque too high", f_tau, QIAO_GUARD_TORQUE, QIAO_RUNG_DAMP, NULL},
    {"torque absurd", f_tau_stop, QIAO_GUARD_TORQUE, QIAO_RUNG_STOP, NULL},
    {"power too high", f_power, QIAO_GUARD_POWER, QIAO_RUNG_SOFT, "drives"},
    {"one sample lost", f_drop, QIAO_GUARD_STALE, QIAO_RUNG_SOFT, "joint_pos"},
    {"silent for 0.2 s", f_old, QIAO_GUARD_STALE, QIAO_RUNG_DAMP, "imu_quat"},
    {"silent for 0.9 s", f_dead, QIAO_GUARD_STALE, QIAO_RUNG_STOP, "imu_quat"},
    {"stamp from the future", f_future, QIAO_GUARD_STALE, QIAO_RUNG_DAMP, "joint_vel"},
    {"imu frozen", f_frozen, QIAO_GUARD_FROZEN, QIAO_RUNG_SOFT, "imu_quat"},
    {"one step late", f_late, QIAO_GUARD_DEADLINE, QIAO_RUNG_SOFT, "brain"},
    {"three steps late", f_late_3, QIAO_GUARD_DEADLINE, QIAO_RUNG_DAMP, "brain"},
    {"twelve steps late", f_late_12, QIAO_GUARD_DEADLINE, QIAO_RUNG_STOP, "brain"},
};
enum { NFAULT = sizeof faults / sizeof *faults };

static bool damped(int w) {
    for (int i = 0; i < g.cmd.nu; i++) {
        int k = w * g.cmd.nu + i;
        if (g.cmd.kp[k] != 0 || g.cmd.kd[k] != -1 || g.cmd.tau[k] != 0 || g.cmd.qd[k] != 0)
            return false;
    }
    return true;
}

TEST(each_fault_in_the_step_it_comes) {
    for (int f = 0; f < NFAULT; f++) {
        const struct fault *k = &faults[f];
        rig_open("hold");
        healthy(25);
        copy_obs();
        memcpy(was, g.x + HIT * g.obs.nobs, sizeof(double) * (size_t)g.obs.nobs);
        CHECK(!qiao_brain_step(g.b, &g.obs, &g.cmd, NULL));
        go_on(), copy_obs();
        k->put();
        qiao_diag d = {0};
        qiao_err e = qiao_brain_step(g.b, &g.obs, &g.cmd, &d);
        CHECK(e == (k->rung == QIAO_RUNG_STOP ? QIAO_E_LIMIT : QIAO_OK), "%s: %s", k->name, d.text);
        // one event, of the right guard, and none of the neighbours
        qiao_guard_event ev[4];
        int n = qiao_brain_guard_events(g.b, HIT, ev, 4);
        char text[200] = "";
        if (n) qiao_guard_text(&ev[n - 1], text, sizeof text);
        CHECK(n == 1 && ev[0].guard == k->guard && ev[0].rung == k->rung, "%s: %d events, %s %s",
              k->name, n, n ? qiao_guard_name(ev[0].guard) : "", text);
        CHECK(ev[0].t_ns == g.t[HIT] && (!k->what || !strcmp(ev[0].what, k->what)), "%s", text);
        CHECK(qiao_brain_guard_rung(g.b, HIT) == k->rung, "%s", k->name);
        CHECK(damped(HIT) == (k->rung >= QIAO_RUNG_DAMP) && !damped(0) && !damped(2), "%s",
              k->name);
        for (int w = 0; w < NW; w += 2) CHECK(qiao_brain_guard_events(g.b, w, ev, 4) == 0);
        // healthy again: damping ends, a stop stays until the reset
        go_on(), copy_obs();
        e = qiao_brain_step(g.b, &g.obs, &g.cmd, &d);
        CHECK(damped(HIT) == (k->rung == QIAO_RUNG_STOP), "%s, the step after", k->name);
        if (k->rung != QIAO_RUNG_STOP) continue;
        CHECK(e == QIAO_E_LIMIT && qiao_brain_fault(g.b, HIT) && !qiao_brain_fault(g.b, 0));
        CHECK_TEXT(qiao_brain_fault(g.b, HIT), qiao_guard_name(k->guard));
        CHECK(!qiao_brain_reset(g.b, HIT, 1, NULL) && !qiao_brain_fault(g.b, HIT));
        CHECK(!qiao_brain_step(g.b, &g.obs, &g.cmd, NULL) && !damped(HIT), "%s", k->name);
    }
    rig_close();
}

TEST(encoders_that_freeze_while_joints_move) {
    rig_open("hold");
    healthy(25);
    copy_obs();
    memcpy(was, g.x + HIT * g.obs.nobs, sizeof(double) * (size_t)g.obs.nobs);
    CHECK(!qiao_brain_step(g.b, &g.obs, &g.cmd, NULL));
    go_on(), copy_obs();
    memcpy(at("joint_pos"), was + g.io->sig[sig("joint_pos")].adr, 12 * sizeof *was);
    qiao_guard_event ev[4];
    // at rest the same numbers may come twice
    CHECK(!qiao_brain_step(g.b, &g.obs, &g.cmd, NULL) && !qiao_brain_guard_events(g.b, HIT, ev, 4));
    go_on(), copy_obs();
    memcpy(at("joint_pos"), was + g.io->sig[sig("joint_pos")].adr, 12 * sizeof *was);
    at("joint_vel")[3] = 2;
    CHECK(!qiao_brain_step(g.b, &g.obs, &g.cmd, NULL));
    CHECK(qiao_brain_guard_events(g.b, HIT, ev, 4) == 1 && ev[0].guard == QIAO_GUARD_FROZEN);
    rig_close();
}

// A sensor that stays silent climbs the ladder: held command, damping, stop.
TEST(a_silent_sensor_climbs_the_ladder) {
    rig_open("hold");
    healthy(25);
    copy_obs();
    int64_t last = *stamp("imu_quat");
    CHECK(!qiao_brain_step(g.b, &g.obs, &g.cmd, NULL));
    qiao_rung seen = QIAO_RUNG_NONE;
    int steps[4] = {0};
    for (int k = 1; k < 60 && seen != QIAO_RUNG_STOP; k++) {
        go_on(), copy_obs();
        *stamp("imu_quat") = last;
        (void)qiao_brain_step(g.b, &g.obs, &g.cmd, NULL);
        qiao_rung r = qiao_brain_guard_rung(g.b, HIT);
        CHECK(r >= seen && r > QIAO_RUNG_NONE, "step %d: rung %d after %d", k, r, seen);
        if (r != seen) steps[r] = k, seen = r;
    }
    // allowed are 14 ms (delay 2, rate 2, half a period 10); damping at 5, stop at 25 times that
    CHECK(steps[1] == 1 && steps[2] == 4 && steps[3] >= 17 && steps[3] <= 19, "%d %d %d", steps[1],
          steps[2], steps[3]);
    rig_close();
}

TEST(damping_that_does_not_help_is_a_stop) {
    rig_open("hold");
    healthy(10);
    int k = 0;
    for (; k < 80 && !qiao_brain_fault(g.b, HIT); k++) {
        go_on(), copy_obs(), roll(90);
        (void)qiao_brain_step(g.b, &g.obs, &g.cmd, NULL);
    }
    CHECK(k == 51, "after %d steps of 20 ms", k); // 1 s
    CHECK_TEXT(qiao_brain_fault(g.b, HIT), "guard tilt: 'base' 1.57");
    CHECK_TEXT(qiao_brain_fault(g.b, HIT), "(damping did not end it)");
    // back below damp but above soft is still damping
    CHECK(!qiao_brain_reset(g.b, HIT, 0, NULL));
    const double deg[] = {90, 70, 75, 60, 70};
    const bool damp[] = {true, true, true, false, false};
    for (int i = 0; i < 5; i++) {
        go_on(), copy_obs(), roll(deg[i]);
        CHECK(!qiao_brain_step(g.b, &g.obs, &g.cmd, NULL));
        CHECK(damped(HIT) == damp[i], "step %d, %g deg", i, deg[i]);
    }
    rig_close();
}

// ---- faults of the brain ----

static qi_guards *direct(qi_guard_def *def) {
    qiao_diag d = {0};
    static const char *const need[] = {"joint_pos", NULL};
    qi_guards *k = qi_guards_new(def, g.io, need, NW, &d);
    CHECK(k, "%s", d.text);
    return k;
}

// What `hold` says, as a brain would, then whatever fault is put in.
static void say_rest(void) {
    for (int i = 0; i < NW * g.cmd.nu; i++) {
        g.cmd.q[i] = g.r->rest_q[7 + i % g.cmd.nu];
        g.cmd.qd[i] = g.cmd.tau[i] = 0, g.cmd.kp[i] = g.cmd.kd[i] = -1;
    }
}

static int act(qi_guards *k, qiao_guard_event *ev, qiao_err *e) {
    int w = -1;
    (void)qi_guards_see(k, &g.obs);
    *e = qi_guards_act(k, &g.obs, &g.cmd, "x", &w);
    CHECK(!*e || w == HIT);
    return qi_guards_events(k, HIT, ev, 8);
}

TEST(commands_are_limited) {
    rig_open("hold");
    healthy(5);
    int i = HIT * g.cmd.nu + 1; // FL_thigh: -1.57 .. 3.49 rad, 23.7 N*m
    qi_guard_def def = qi_guard_default();
    def.njoint = 1;
    def.joint[0] = (qi_guard_joint){"*_thigh_joint", {NAN, NAN}, NAN, NAN, 30};
    qi_guards *k = direct(&def);
    qiao_guard_event ev[8];
    qiao_err e;
    double rest = g.r->rest_q[8];
    copy_obs(), say_rest();
    CHECK(act(k, ev, &e) == 0 && !e && g.cmd.q[i] == rest);
    // a jump of the target: 30 rad/s are 0.6 rad in a step
    say_rest(), g.cmd.q[i] = rest + 0.7;
    CHECK(act(k, ev, &e) == 1 && ev[0].guard == QIAO_GUARD_JUMP && ev[0].rung == QIAO_RUNG_SOFT);
    CHECK_NEAR(g.cmd.q[i], rest + 0.6, 1e-12);
    CHECK_NEAR(ev[0].value, 0.7, 1e-12);
    CHECK_NEAR(ev[0].limit, 0.6, 1e-12);
    // and one too far to be meant
    qi_guards_reset(k, HIT), say_rest(), act(k, ev, &e);
    g.cmd.q[i] = rest + 4;
    CHECK(act(k, ev, &e) >= 1 && qi_guards_rung(k, HIT) == QIAO_RUNG_DAMP && damped(HIT));
    // without gains a target is only a number
    qi_guards_reset(k, HIT), say_rest(), act(k, ev, &e);
    g.cmd.q[i] = rest + 4, g.cmd.kp[i] = 0;
    CHECK(act(k, ev, &e) == 0 && g.cmd.q[i] == rest + 4);
    // torque: 1000 N*m asked of 23.7 becomes ten times that, which the drive cuts further
    qi_guards_reset(k, HIT), say_rest(), g.cmd.tau[i] = 1000;
    CHECK(act(k, ev, &e) == 1 && ev[0].guard == QIAO_GUARD_TORQUE, "%d", ev[0].guard);
    double u =
        g.cmd.tau[i] + g.cmd.kp[i] * (rest - at("joint_pos")[1]) - g.cmd.kd[i] * at("joint_vel")[1];
    CHECK_NEAR(u, 237, 0.5);
    // a target far out of the range, a wanted speed beyond the drive's
    qi_guards_reset(k, HIT), say_rest(), g.cmd.q[i] = -50, g.cmd.kp[i] = 1;
    CHECK(act(k, ev, &e) == 1 && ev[0].guard == QIAO_GUARD_POSITION);
    CHECK_NEAR(g.cmd.q[i], -1.5708 - (3.4907 + 1.5708), 1e-9);
    qi_guards_reset(k, HIT), say_rest(), g.cmd.qd[i] = -200, g.cmd.kd[i] = 0.1;
    CHECK(act(k, ev, &e) == 1 && ev[0].guard == QIAO_GUARD_VELOCITY && g.cmd.qd[i] == -3 * 30.1);
    // not a number: stopped, in the words of the brain's fault
    qi_guards_reset(k, HIT), say_rest(), g.cmd.kp[i] = NAN;
    CHECK(act(k, ev, &e) == 1 && e == QIAO_E_NAN && ev[0].guard == QIAO_GUARD_FINITE);
    CHECK_TEXT(qi_guards_fault(k, HIT),
               "brain 'x' commands kp = nan for actuator 'FL_thigh_joint'");
    CHECK(damped(HIT) && !damped(0));
    qi_guards_free(k), rig_close();
}

TEST(height_and_power_of_a_manifest) {
    rig_open("hold");
    healthy(20);
    qi_guard_def def = qi_guard_default();
    def.height_min = 0.2, def.height_max = 0.5, def.power = 100;
    qi_guards *k = direct(&def);
    qiao_guard_event ev[8];
    qiao_err e;
    const struct {
        double z;
        qiao_rung rung;
    } heights[] = {{0.3, 0}, {0.18, 1}, {0.1, 2}, {-0.1, 3}, {0.52, 1}, {0.6, 2}, {0.8, 3}};
    for (size_t i = 0; i < sizeof heights / sizeof *heights; i++) {
        qi_guards_reset(k, HIT), copy_obs(), say_rest();
        at("base_pose")[2] = heights[i].z;
        int n = act(k, ev, &e);
        CHECK(n == (heights[i].rung > 0) && qi_guards_rung(k, HIT) == heights[i].rung, "%g m",
              heights[i].z);
        CHECK(!n || ev[0].guard == QIAO_GUARD_HEIGHT);
    }
    // 12 N*m at 10 rad/s of a hundred watts: the gains shrink by as much
    qi_guards_reset(k, HIT), copy_obs(), say_rest();
    at("joint_tau")[7] = 14, at("joint_vel")[7] = 10;
    CHECK(act(k, ev, &e) == 1 && ev[0].guard == QIAO_GUARD_POWER && ev[0].value > 135);
    double share = 110 / ev[0].value;
    CHECK_NEAR(g.cmd.kp[HIT * 12 + 3], 40 * share, 1e-9);
    qi_guards_free(k), rig_close();
}

// No attitude signal: tilt is followed by gyro and accelerometer alone.
TEST(tilt_without_an_attitude_signal) {
    rig_open("hold");
    qi_guard_def def = qi_guard_default();
    qiao_io io = *g.io;
    qiao_signal s[MOST_SIG];
    memcpy(s, io.sig, (size_t)io.nsig * sizeof *s);
    s[sig("imu_quat")].name = "other", io.sig = s;
    qi_guards *k = qi_guards_new(&def, &io, NULL, NW, NULL);
    qiao_guard_event ev[8];
    qiao_err e;
    double peak = 0, now = 0;
    for (int i = 0; i < 150; i++) { // half a turn in 2 s about x, then back
        copy_obs(), say_rest();
        double rate = i < 50 ? 0 : i < 100 ? 1.57 : -1.57, *a = at("imu_acc"), *w = at("imu_gyro");
        w[0] = rate, w[1] = w[2] = 0;
        a[0] = 0, a[1] = 9.81 * sin(now), a[2] = 9.81 * cos(now);
        bool late = i == 99; // 1.57 rad by now
        int n = act(k, ev, &e);
        CHECK(!late || qi_guards_rung(k, HIT) == QIAO_RUNG_DAMP, "%d", qi_guards_rung(k, HIT));
        CHECK(i > 80 || n == 0);
        now += rate * g.io->period, peak = now > peak ? now : peak;
        go_on();
    }
    CHECK(peak > 1.5 && qi_guards_rung(k, HIT) == QIAO_RUNG_NONE);
    qi_guards_free(k), rig_close();
}

TEST(a_slow_process_in_the_step_it_is_slow) {
    char path[BODY_PATH];
    snprintf(path, sizeof path, "%splugins/hang.so", body_dir());
    rig_open(path);
    copy_obs();
    qiao_guard_event ev[4];
    CHECK(qiao_brain_step(g.b, &g.obs, &g.cmd, NULL) == QIAO_E_TIMEOUT);
    for (int w = 0; w < NW; w++) {
        CHECK(qiao_brain_guard_events(g.b, w, ev, 4) == 1 && damped(w));
        CHECK(ev[0].guard == QIAO_GUARD_DEADLINE && ev[0].rung == QIAO_RUNG_STOP);
    }
    rig_close();
}

// ---- the block of a manifest ----

static bool read_text(const char *text, qi_guard_def *def, qiao_diag *d) {
    qi_yaml y;
    *def = qi_guard_default(), *d = (qiao_diag){0};
    bool ok = qi_yaml_open(&y, "m.yaml", text, strlen(text), d);
    yaml_node_t *root = ok ? qi_yaml_root(&y) : NULL;
    yaml_node_t *at = root ? qi_yaml_get(&y, root, "guards") : NULL;
    ok = at && qi_guard_read(&y, at, def);
    qi_yaml_close(&y);
    return ok;
}

TEST(guards_of_a_manifest) {
    qi_guard_def def;
    qiao_diag d;
    CHECK(read_text("guards:\n"
                    "  tilt: {soft: 0.4, damp: 0.8, stop: 1.2}\n"
                    "  height: {min: 0.15, max: 0.6, damp: 0.02}\n"
                    "  torque: {command: 1}\n"
                    "  power: {limit: 900}\n"
                    "  stale: {age: 0.03}\n"
                    "  frozen: {soft: 5}\n"
                    "  damp_s: 0.2\n"
                    "  joints:\n"
                    "    - {match: '*_calf_joint', range: [-2.6, -0.9], speed: 12, torque: 30}\n"
                    "    - {match: '*', speed_command: 20}\n",
                    &def, &d),
          "%s", d.text);
    CHECK(def.rung[QIAO_GUARD_TILT].damp == 0.8 && def.height_min == 0.15 && def.power == 900);
    CHECK(def.rung[QIAO_GUARD_TORQUE].command == 1 && def.rung[QIAO_GUARD_TORQUE].soft == 1.1);
    CHECK(def.age == 0.03 && def.rung[QIAO_GUARD_FROZEN].soft == 5 && def.damp_s == 0.2);
    CHECK(def.njoint == 2 && def.joint[0].range[0] == -2.6 && isnan(def.joint[1].torque));
    static const char *const bad[][2] = {
        {"guards:\n  tlt: {soft: 1}\n", "m.yaml:2:3: unknown key 'tlt'; did you mean 'tilt'?"},
        {"guards:\n  tilt: {soft: 2}\n", "m.yaml:2:9: soft 2, damp 1.4, stop 1.9: expected"},
        {"guards:\n  tilt: {soft: nan}\n", "m.yaml:2:16: soft: expected a number, not 'nan'"},
        {"guards:\n  tilt: 3\n", "m.yaml:2:9: expected keys and values"},
        {"guards:\n  tilt: {command: 1}\n", "unknown key 'command'"},
        {"guards:\n  height: {min: 2, max: 1}\n", "min 2 lies above max 1"},
        {"guards:\n  damp_s: -1\n", "damp_s: expected a number from 0 to 3600"},
        {"guards:\n  joints: 3\n", "joints: expected a list"},
        {"guards:\n  joints: [{speed: 1}]\n", "expected 'match:'"},
        {"guards:\n  joints: [{match: a, range: [1]}]\n", "range: expected [low, high]"},
        {"guards:\n  joints: [{match: a, range: [1, x]}]\n", "range: expected two numbers"},
        {"guards:\n  joints: [{match: a, range: [2, 1]}]\n", "range: expected the low one first"},
        {"guards: [1]\n", "m.yaml:1:9: expected keys and values"},
        {"guards:\n  finite: {soft: 1}\n", "unknown key 'finite'"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(!read_text(bad[i][0], &def, &d), "%s passed", bad[i][0]);
        CHECK_TEXT(d.text, bad[i][1]);
    }
}

// ---- silence ----

static double until;
static bool on_progress(void *ctx, double t, double t_limit, int nlive) {
    (void)ctx, (void)t_limit, (void)nlive;
    return t < until - 1e-9;
}

static void silent(const char *scenario, const char *robot, const char *brain, const char *engine,
                   double seconds) {
    enum { N = 100 };
    qiao_diag d = {0};
    qiao_scenario *s = qiao_scenario_load(scenario, &d);
    qiao_robot *r = s ? qiao_robot_load(robot, &d) : NULL;
    CHECK(r, "%s", d.text);
    static qiao_trial trial[N];
    static qiao_result result[N];
    for (int i = 0; i < N; i++) trial[i].seed = 1000 + (uint64_t)i;
    qiao_trials_def def = qiao_trials_def_default();
    def.scenario = s, def.robot = r, def.brain.spec = brain, def.engine = engine;
    def.ntrial = N, def.trial = trial, def.progress = on_progress, until = seconds;
    CHECK(!qiao_trials_run(&def, result, &d), "%s", d.text);
    int alarms = 0;
    for (int i = 0; i < N; i++)
        for (int k = QIAO_RUNG_SOFT; k <= QIAO_RUNG_STOP; k++) alarms += result[i].guard[k];
    qiao_results_free(result, N), qiao_robot_free(r), qiao_scenario_free(s);
    CHECK(alarms == 0, "%d false alarms in %d trials", alarms, N);
}

TEST(no_word_in_100_clean_trials_of_trot) { silent("walk_flat", "go2", "trot", "lanes32", 6); }
TEST(no_word_in_100_clean_trials_of_pick) { silent("sort_bin", "panda", "pick", "lanes32", 4); }

// A brain that goes wild is stopped, and the trial says by which guard.
TEST(a_trial_ends_by_a_guard_and_says_so) {
    qiao_diag d = {0};
    char path[BODY_PATH];
    snprintf(path, sizeof path, "%splugins/jumps.so", body_dir());
    qiao_scenario *s = qiao_scenario_load("walk_flat", &d);
    qiao_robot *r = s ? qiao_robot_load("go2", &d) : NULL;
    CHECK(r, "%s", d.text);
    qiao_trial trial = {.seed = 1, .record = "build/test_guard.mcap"};
    qiao_result result = {0};
    qiao_trials_def def = qiao_trials_def_default();
    def.scenario = s, def.robot = r, def.brain.spec = path, def.brain.trust = true;
    def.ntrial = 1, def.trial = &trial;
    def.nthread = 1;
    CHECK(!qiao_trials_run(&def, &result, &d), "%s", d.text);
    CHECK(result.score.verdict == QIAO_FAILED && result.guard[QIAO_RUNG_STOP] == 1, "%s",
          result.score.reason);
    CHECK_TEXT(result.score.reason, "guard jump: 'FL_hip_joint' 99");
    CHECK(result.score.time < 0.3, "%g s", result.score.time);
    // the record, which the page is made of, has it too
    qi_tape *t = qi_tape_load("build/test_guard.mcap", &d);
    CHECK(t, "%s", d.text);
    int found = 0;
    for (int i = 0; i < t->nevent; i++) found += !strcmp(t->event[i].name, "guard.jump");
    qi_tape_free(t), remove("build/test_guard.mcap");
    CHECK(found == 1, "%d events guard.jump in the record", found);
    qiao_results_free(&result, 1), qiao_robot_free(r), qiao_scenario_free(s);
}
