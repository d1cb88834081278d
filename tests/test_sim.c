// SPDX-License-Identifier: Apache-2.0
// test_sim.c - worlds: drives, sensors in time, threads, faults.
#include "qiao/sim.h"
#include "test.h"

#include "sim/engine.h"

#define FLOOR \
    "<mujoco><worldbody><geom name='floor' type='plane' size='0 0 1'/></worldbody></mujoco>"
static const double origin[3] = {0, 0, 0};

typedef struct rig { // a sim of n equal worlds
    qiao_robot *r;
    qiao_model *w;
    qiao_sim *s;
    const qiao_model *worlds[64];
} rig;

static void rig_open(rig *g, const char *robot, const char *scene, int n, int threads,
                     const qiao_sensor *grant, int ngrant) {
    qiao_diag d = {0};
    g->r = qiao_robot_load(robot, &d);
    CHECK(g->r != NULL, "%s", d.text);
    g->w = qiao_model_world(g->r, scene, origin, 0, &d);
    CHECK(g->w != NULL, "%s", d.text);
    for (int i = 0; i < n; i++) g->worlds[i] = g->w;
    qiao_sim_def def = qiao_sim_def_default();
    def.nworld = n, def.nthread = threads, def.robot = g->r, def.world = g->worlds;
    def.period = 0.01, def.grant = grant, def.ngrant = ngrant;
    g->s = qiao_sim_new(&def, &d);
    CHECK(g->s != NULL, "%s", d.text);
}

static void rig_close(rig *g) { qiao_sim_free(g->s), qiao_model_free(g->w), qiao_robot_free(g->r); }

// Runs for ticks of 10 ms with a command that depends on the world's key only.
static void run(rig *g, int ticks, const uint64_t *seed, uint8_t hash[][QIAO_HASH_BYTES]) {
    enum { MOST = 64 * 12 };
    static double q[MOST], zero[MOST], gain[MOST];
    static qiao_hash h[64];
    const qiao_io *io = qiao_sim_io(g->s);
    int n = io->nworld, nu = io->nu;
    for (int i = 0; i < n; i++) {
        qiao_sim_reset(g->s, i, seed[i], 7);
        qiao_hash_init(&h[i]);
        for (int k = 0; k < nu; k++)
            q[i * nu + k] = g->r->rest_q[7 + k] + 0.01 * (double)(seed[i] % 10),
                       gain[i * nu + k] = -1;
    }
    qiao_cmd c = {n, nu, q, zero, gain, gain, zero};
    for (int t = 0; t < ticks; t++) {
        qiao_sim_observe(g->s);
        qiao_sim_command(g->s, &c);
        qiao_sim_step(g->s, 5);
        for (int i = 0; i < n; i++) qiao_sim_trace(g->s, i, &h[i]);
    }
    for (int i = 0; i < n; i++) qiao_hash_end(&h[i], hash[i]);
}

TEST(bits_do_not_depend_on_threads_or_company) {
    static uint8_t one[64][QIAO_HASH_BYTES], two[64][QIAO_HASH_BYTES], alone[1][QIAO_HASH_BYTES];
    uint64_t seed[64];
    for (int i = 0; i < 64; i++) seed[i] = 100 + (uint64_t)i;
    rig a, b, c;
    rig_open(&a, "go2", FLOOR, 64, 1, NULL, 0), run(&a, 10, seed, one), rig_close(&a);
    rig_open(&b, "go2", FLOOR, 64, 2, NULL, 0), run(&b, 10, seed, two), rig_close(&b);
    rig_open(&c, "go2", FLOOR, 1, 1, NULL, 0), run(&c, 10, seed + 37, alone), rig_close(&c);
    CHECK(memcmp(one, two, sizeof one) == 0, "1 and 2 threads differ");
    CHECK(memcmp(one[37], alone[0], QIAO_HASH_BYTES) == 0, "world 37 alone differs");
    CHECK(memcmp(one[36], one[37], QIAO_HASH_BYTES) != 0, "other seeds give other noise");
}

TEST(stands_on_its_drives) {
    rig g;
    static uint8_t hash[1][QIAO_HASH_BYTES];
    uint64_t seed = 10;
    rig_open(&g, "go2", FLOOR, 1, 1, NULL, 0), run(&g, 100, &seed, hash);
    qiao_truth t;
    qiao_sim_truth(g.s, 0, &t);
    CHECK(qiao_sim_status(g.s, 0) == QIAO_OK);
    CHECK(t.q[2] > 0.2 && t.q[2] < 0.3, "height %g", t.q[2]);
    CHECK(t.t_ns == 1000000000, "%lld", (long long)t.t_ns);
    // what stands weighs: the contact forces carry the mass
    double up = 0;
    for (int i = 0; i < t.ncontact; i++) {
        const qiao_contact *c = &t.contact[i];
        up += strcmp(t.model->body_name[c->body[1]], "world") == 0 ? -c->force_w[2] : c->force_w[2];
    }
    CHECK_NEAR(up, qiao_model_mass(g.r->model) * 9.81, 8);
    CHECK(t.ncontact >= 3 && t.energy > 0 && t.act_force_peak[0] > 0);
    rig_close(&g);
}

TEST(drive_law_by_hand) {
    qi_drive v = {.d = {.kp = 50, .kd = 2, .torque_max = 10, .speed_knee = 10, .speed_max = 20},
                  .period = 1,
                  .qadr = 0,
                  .vadr = 0};
    double row[10] = {1, 0, -1, -1, 0.5}, q[1] = {0.9}, qd[1] = {1}, tau[1] = {0};
    int64_t issued[2] = {0};
    qi_cmds c = {.nu = 1, .cap = 2, .n = 1, .issued = issued, .row = row};
    qi_drive_step(&v, &c, 0, q, qd, tau);
    CHECK_NEAR(tau[0], 50 * 0.1 - 2 * 1 + 0.5, 1e-12); // PD and feed-forward
    row[0] = 3, qi_drive_step(&v, &c, 0, q, qd, tau);
    CHECK_NEAR(tau[0], 10, 0); // the torque limit
    qd[0] = 15, row[1] = 15, qi_drive_step(&v, &c, 0, q, qd, tau);
    CHECK_NEAR(tau[0], 5, 1e-12); // half way from knee to top speed: half the torque
    qd[0] = 25, row[1] = 25, qi_drive_step(&v, &c, 0, q, qd, tau);
    CHECK_NEAR(tau[0], 0, 0); // too fast to push further
    qd[0] = -25, row[1] = -25, qi_drive_step(&v, &c, 0, q, qd, tau);
    CHECK_NEAR(tau[0], 10, 0); // but it may brake
    v.delay = 3, tau[0] = 0, qd[0] = 1, qi_drive_step(&v, &c, 2, q, qd, tau);
    CHECK_NEAR(tau[0], -2, 0); // nothing has arrived: damping
    v.period = 4, tau[0] = 7, qi_drive_step(&v, &c, 5, q, qd, tau);
    CHECK_NEAR(tau[0], 7, 0); // between its steps a slow drive holds
}

TEST(sensors_have_rate_delay_noise_bias) {
    const qiao_sensor grant[] = {
        {.kind = QIAO_SENSE_BASE_POSE, .name = "slow", .rate_hz = 25, .delay = 0.03},
        {.kind = QIAO_SENSE_BASE_POSE, .name = "exact"},
        {.kind = QIAO_SENSE_BASE_VEL, .name = "noisy", .noise = 0.1, .bias = 0.5},
        {.kind = QIAO_SENSE_BASE_POSE, .name = "odd", .rate_hz = 62.5, .delay = 0.006}};
    enum { WORLDS = 24, SAMPLES = 20 };
    rig g;
    qiao_diag d = {0};
    rig_open(&g, "go2", FLOOR, WORLDS, 2, grant, 4);
    const qiao_io *io = qiao_sim_io(g.s);
    const qiao_signal *slow = qiao_io_find(io, "slow", &d), *exact = qiao_io_find(io, "exact", &d),
                      *noisy = qiao_io_find(io, "noisy", &d);
    int islow = (int)(slow - io->sig), iodd = (int)(qiao_io_find(io, "odd", &d) - io->sig);
    for (int i = 0; i < WORLDS; i++) qiao_sim_reset(g.s, i, 5, (uint64_t)i);
    double height[101], sq = 0, mean_sq = 0;
    for (int t = 0; t <= 100; t++) { // the robot falls: its height tells the time of a sample
        const qiao_obs *o = qiao_sim_observe(g.s);
        height[t] = o->x[exact->adr + 2];
        int64_t want = t * 10 - 30;
        want = want <= 0 ? 0 : want - want % 40; // ms; every 40 ms, 30 ms late
        CHECK(o->stamp_ns[islow] == want * 1000000, "at %d ms: %lld", t * 10,
              (long long)o->stamp_ns[islow]);
        // every 16 ms, 6 ms late: its samples fall between the brain's steps
        int64_t odd = t * 10 < 6 ? 0 : (t * 10 - 6) / 16 * 16;
        CHECK(o->stamp_ns[iodd] == odd * 1000000, "at %d ms: %lld", t * 10,
              (long long)o->stamp_ns[iodd]);
        if (want % 10 == 0) CHECK(o->x[slow->adr + 2] == height[want / 10], "at %d ms", t * 10);
        qiao_sim_step(g.s, 5);
    }
    for (int i = 0; i < WORLDS; i++) { // when all lie still, noise and bias are what is left
        double m = 0;
        for (int k = 0; k < SAMPLES; k++) {
            const qiao_obs *o = qiao_sim_observe(g.s);
            double x = o->x[i * o->nobs + noisy->adr + 1];
            m += x / SAMPLES, sq += x * x;
            qiao_sim_step_world(g.s, i, 5);
        }
        mean_sq += m * m / WORLDS;
    }
    double noise = sqrt(fmax(0, sq / (WORLDS * SAMPLES) - mean_sq));
    CHECK_NEAR(noise, 0.1, 0.03);
    CHECK_NEAR(sqrt(mean_sq), 0.5, 0.25);
    CHECK(qiao_io_find(io, "joint_poss", &d) == NULL);
    CHECK_TEXT(d.text, "joint_pos");
    rig_close(&g);
}

TEST(height_scan_sees_the_ground_only) {
    const qiao_sensor grant[] = {{.kind = QIAO_SENSE_HEIGHT_SCAN,
                                  .grid_n = {21, 3},
                                  .grid_step = 0.1,
                                  .grid_center = {0, 0}}};
    rig g;
    rig_open(&g, "go2",
             "<mujoco><worldbody><geom type='plane' size='0 0 1'/>"
             "<geom type='box' size='.2 1 .05' pos='.7 0 .05'/>"
             "<geom type='box' size='.3 1 .01' pos='-.7 0 .1' euler='0 20 0'/>"
             "<body pos='0 0 2'><freejoint/><geom size='.3' type='sphere'/></body>"
             "</worldbody></mujoco>",
             1, 1, grant, 1);
    const qiao_signal *s = qiao_io_find(qiao_sim_io(g.s), "height_scan", NULL);
    const qiao_obs *o = qiao_sim_obs(g.s);
    double base = 0.27;
    for (int i = 0; i < 21; i++) {
        double x = -1 + 0.1 * i, z = o->x[s->adr + i * 3 + 1] + base;
        if (x > 0.55 && x < 0.85) CHECK_NEAR(z, 0.1, 1e-6);
        if (x > -0.3 && x < 0.45) CHECK_NEAR(z, 0, 1e-6); // neither the robot nor the ball
        if (x > -0.9 && x < -0.5)                         // a slope: rises to the back
            CHECK_NEAR(z, 0.1 + 0.01 / cos(0.349) - (x + 0.7) * tan(0.349), 0.012);
    }
    rig_close(&g);
}

TEST(not_finite_stops_that_world_alone) {
    static uint8_t clean[4][QIAO_HASH_BYTES], mixed[4][QIAO_HASH_BYTES];
    uint64_t seed[4] = {1, 2, 3, 4};
    rig g;
    rig_open(&g, "go2", FLOOR, 4, 2, NULL, 0);
    run(&g, 10, seed, clean);
    // world 2 is thrown out of all bounds, then the four run as before
    double q[19], qd[18];
    memcpy(q, g.w->q0, sizeof q);
    for (int i = 0; i < 18; i++) qd[i] = 1e200;
    CHECK(qiao_sim_set(g.s, 2, q, qd) == QIAO_OK);
    qiao_sim_step(g.s, 5);
    CHECK(qiao_sim_status(g.s, 2) != QIAO_OK);
    CHECK(qiao_sim_status(g.s, 1) == QIAO_OK);
    qiao_truth t;
    qiao_sim_truth(g.s, 2, &t);
    for (int i = 0; i < 19; i++) CHECK(isfinite(t.q[i]), "q %d", i);
    run(&g, 10, seed, mixed); // a reset heals it
    CHECK(memcmp(clean, mixed, sizeof clean) == 0);
    q[0] = NAN;
    CHECK(qiao_sim_set(g.s, 2, q, NULL) == QIAO_E_NAN);
    rig_close(&g);
}

// A cart on a rail with a motor of gear 2 and the drive that yaml gives it.
static qiao_robot *cart(const char *option, const char *drive) {
    char xml[900], yaml[300];
    qiao_diag d = {0};
    snprintf(xml, sizeof xml,
             "<mujoco>%s<option gravity='0 0 0'/><worldbody><body name='cart'>"
             "<joint name='rail' type='slide' axis='1 0 0'/><geom type='box' size='.1 .1 .1' "
             "mass='2'/><site name='imu'/></body></worldbody><actuator><motor name='rail' "
             "joint='rail' gear='2'/></actuator></mujoco>",
             option);
    snprintf(yaml, sizeof yaml, "model: cart.xml\nimu: imu\ndrives: [{%s}]\nsensors: %s\n", drive,
             "[{kind: joint_pos}, {kind: joint_vel}, {kind: joint_tau}, {kind: imu_acc}]");
    CHECK(qiao_dir_make("build/test/sim", &d) == QIAO_OK);
    CHECK(!qiao_file_write("build/test/sim/cart.xml", xml, strlen(xml), &d), "%s", d.text);
    CHECK(!qiao_file_write("build/test/sim/robot.yaml", yaml, strlen(yaml), &d), "%s", d.text);
    qiao_robot *r = qiao_robot_load("build/test/sim/robot.yaml", &d);
    CHECK(r != NULL, "%s", d.text);
    return r;
}

static qiao_sim *cart_sim(qiao_robot *r, qiao_model **w, qiao_diag *d) {
    static const qiao_model *worlds[1];
    *w = qiao_model_world(r, "<mujoco/>", origin, 0, d);
    CHECK(*w != NULL, "%s", d->text);
    worlds[0] = *w;
    qiao_sim_def def = qiao_sim_def_default();
    def.robot = r, def.world = worlds, def.period = 5 * (*w)->dt;
    return qiao_sim_new(&def, d);
}

TEST(torque_reaches_the_joint_as_newton_says) {
    // 4 N on 2 kg from the second step on (delay 4 ms of 2 ms steps); rotor inertia 0.5 adds mass
    qiao_diag d = {0};
    qiao_model *w;
    qiao_robot *r = cart("<option timestep='0.002'/>", "match: rail, delay_ms: 4, armature: 0.5");
    qiao_sim *s = cart_sim(r, &w, &d);
    CHECK(s != NULL, "%s", d.text);
    double zero = 0, tau = 4;
    qiao_cmd c = {1, 1, &zero, &zero, &zero, &zero, &tau};
    qiao_sim_command(s, &c), qiao_sim_step(s, 10);
    qiao_truth t;
    qiao_sim_truth(s, 0, &t);
    CHECK_NEAR(t.qd[0], 4 / 2.5 * 8 * 0.002, 1e-12);
    CHECK_NEAR(t.tau[0], 4, 1e-12);
    CHECK_NEAR(t.act_force_peak[0], 4, 1e-12);
    double work = 0; // force times speed at the end of each of the eight steps
    for (int i = 1; i <= 8; i++) work += 4 * (4 / 2.5 * i * 0.002) * 0.002;
    CHECK_NEAR(t.energy, work, 1e-12);
    const qiao_obs *o = qiao_sim_observe(s);
    const qiao_signal *acc = qiao_io_find(qiao_sim_io(s), "imu_acc", &d);
    CHECK_NEAR(o->x[acc->adr], 4 / 2.5, 1e-9);
    qiao_sim_free(s), qiao_model_free(w), qiao_robot_free(r);
}

TEST(set_keeps_time_and_commands) {
    qiao_diag d = {0};
    qiao_model *w;
    qiao_robot *r = cart("", "match: rail");
    qiao_sim *s = cart_sim(r, &w, &d);
    CHECK(s != NULL, "%s", d.text);
    double zero = 0, tau = 4, q = 0.7, qd = 0.1, bad = INFINITY;
    qiao_cmd c = {1, 1, &zero, &zero, &zero, &zero, &tau};
    qiao_sim_command(s, &c), qiao_sim_step(s, 5), qiao_sim_observe(s);
    CHECK(qiao_sim_set(s, 0, &q, &qd) == QIAO_OK);
    CHECK(qiao_sim_observe(s)->x[0] == 0.7 && qiao_sim_obs(s)->x[1] == 0.1);
    qiao_truth t;
    qiao_sim_truth(s, 0, &t);
    CHECK(t.t_ns == 10000000 && t.energy > 0, "%lld", (long long)t.t_ns);
    qiao_sim_step(s, 5), qiao_sim_truth(s, 0, &t);
    CHECK_NEAR(t.qd[0], 0.1 + 4.0 / 2 * 0.01, 1e-12); // the command is still there
    CHECK(qiao_sim_set(s, 0, &q, &bad) == QIAO_E_NAN);
    CHECK(qiao_sim_set(s, 0, &bad, &qd) == QIAO_E_NAN);
    qiao_sim_free(s), qiao_model_free(w), qiao_robot_free(r);
}

TEST(commands_that_are_no_numbers_stop_the_world) {
    qiao_diag d = {0};
    qiao_model *w;
    qiao_robot *r = cart("", "match: rail");
    qiao_sim *s = cart_sim(r, &w, &d);
    CHECK(s != NULL, "%s", d.text);
    double zero = 0, tau = NAN;
    qiao_cmd c = {1, 1, &zero, &zero, &zero, &zero, &tau};
    qiao_sim_step(s, 3), qiao_sim_command(s, &c), qiao_sim_step(s, 3);
    qiao_truth t;
    qiao_sim_truth(s, 0, &t);
    CHECK(qiao_sim_status(s, 0) == QIAO_E_NAN);
    CHECK(t.t_ns == 6000000 && isfinite(t.q[0]) && isfinite(t.energy), "%lld", (long long)t.t_ns);
    CHECK(qiao_sim_set(s, 0, &zero, NULL) == QIAO_E_NAN, "only a reset heals");
    CHECK(qiao_sim_reset(s, 0, 1, 1) == QIAO_OK);
    qiao_sim_free(s), qiao_model_free(w), qiao_robot_free(r);
}

TEST(a_model_without_room_is_refused_or_stopped) {
    // while the ball falls there is room, when it touches the ground there is not
    static const char xml[] =
        "<mujoco><size memory='%d'/><worldbody><geom type='plane' size='0 0 1'/>"
        "<body pos='0 0 .12'><freejoint/><geom size='.1' mass='1'/></body>"
        "</worldbody></mujoco>";
    qiao_diag d = {0};
    CHECK(qiao_dir_make("build/test/sim", &d) == QIAO_OK);
    int refused = 0, stopped = 0, ran = 0;
    for (int bytes = 500; bytes < 30000; bytes += 500) {
        char text[500];
        snprintf(text, sizeof text, xml, bytes);
        CHECK(!qiao_file_write("build/test/sim/ball.xml", text, strlen(text), &d), "%s", d.text);
        qiao_robot *r = qiao_robot_load("build/test/sim/ball.xml", &d);
        if (!r) {
            CHECK_TEXT(d.text, "ball.xml: Error: engine error: mj_stackAlloc");
            d = (qiao_diag){0}, refused++;
            continue;
        }
        qiao_model *w = qiao_model_world(r, "<mujoco/>", origin, 0, &d);
        CHECK(w != NULL, "%s", d.text);
        const qiao_model *worlds[1] = {w};
        qiao_sim_def def = qiao_sim_def_default();
        def.robot = r, def.world = worlds;
        qiao_sim *s = qiao_sim_new(&def, &d);
        qiao_truth t = {0};
        if (s) qiao_sim_step(s, 100), qiao_sim_truth(s, 0, &t);
        if (!s) {
            CHECK_TEXT(d.text, "<size memory> of the model");
            d = (qiao_diag){0}, refused++;
        } else if (qiao_sim_status(s, 0)) {
            CHECK(qiao_sim_status(s, 0) == QIAO_E_LIMIT && t.q[2] < .12 && t.q[2] > .09);
            stopped++;
        } else {
            ran++;
        }
        qiao_sim_free(s), qiao_model_free(w), qiao_robot_free(r);
    }
    CHECK(refused && stopped && ran, "%d refused, %d stopped, %d ran", refused, stopped, ran);
}

TEST(second_command_in_a_step_replaces_the_first) {
    double row[10] = {0}, one[1] = {1}, two[1] = {2}, none[1] = {0};
    int64_t issued[2] = {0};
    qi_cmds c = {.nu = 1, .cap = 2, .issued = issued, .row = row};
    const double *a[5] = {one, none, none, none, none}, *b[5] = {two, none, none, none, none};
    qi_cmds_push(&c, 0, a), qi_cmds_push(&c, 5, a), qi_cmds_push(&c, 5, b);
    int i = qi_cmds_at(&c, 0), j = qi_cmds_at(&c, 1);
    CHECK(c.n == 2 && i != j && issued[i] == 5 && issued[j] == 0);
    CHECK(row[5 * i] == 2 && row[5 * j] == 1);
}

TEST(a_sole_touches_everywhere_a_shin_only_near_the_foot) {
    // a leg of a shin (long box) and a sole (flat box, 30 cm); the site is in the middle of the sole
    const char *xml =
        "<mujoco><worldbody><body name='trunk' pos='0 0 .63'><freejoint/><geom size='.05' "
        "mass='1'/><body name='leg'><joint name='hip' axis='0 1 0'/><joint name='yaw' axis='0 0 "
        "1'/>"
        "<geom type='box' size='.02 .02 .25' pos='0 0 -.35' mass='1'/><geom type='box' size='.15 "
        ".1 "
        ".01' pos='0 0 -.61' mass='1'/><site name='foot' pos='0 0 -.62'/></body></body></worldbody>"
        "<actuator><motor joint='hip' name='hip'/><motor joint='yaw' name='yaw'/></actuator>"
        "</mujoco>";
    qiao_diag d = {0};
    CHECK(qiao_dir_make("build/test/sim", &d) == QIAO_OK);
    CHECK(!qiao_file_write("build/test/sim/leg.xml", xml, strlen(xml), &d), "%s", d.text);
    const char *scene[] = {
        "<mujoco><worldbody><geom type='plane' size='0 0 1' pos='0 0 .012'/></worldbody></mujoco>",
        "<mujoco><worldbody><geom type='box' size='.1 .1 .1' pos='.119 0 "
        ".4'/></worldbody></mujoco>"};
    for (int i = 0; i < 2; i++) { // it stands on its corners; or its shin presses against a block
        rig g;
        rig_open(&g, "build/test/sim/leg.xml", scene[i], 1, 1, NULL, 0);
        qiao_sim_step(g.s, 5);
        qiao_truth t;
        qiao_sim_truth(g.s, 0, &t);
        const qiao_signal *touch = qiao_io_find(qiao_sim_io(g.s), "foot_contact", NULL);
        CHECK(t.ncontact > 0 && touch);
        CHECK(qiao_sim_observe(g.s)->x[touch->adr] == (i == 0), "scene %d", i);
        rig_close(&g);
    }
}

TEST(many_contacts_are_all_in_the_sums) {
    // 100 plates of four contacts each on the ground: more than the list holds
    rig g;
    rig_open(&g, "go2",
             "<mujoco><option timestep='0.002'/><worldbody><geom type='plane' size='0 0 1'/>"
             "<body name='pile' pos='5 0 .01'><freejoint/><replicate count='100' offset='.3 0 0'>"
             "<geom type='box' size='.1 .1 .01' mass='1'/></replicate></body></worldbody></mujoco>",
             1, 1, NULL, 0);
    qiao_sim_step(g.s, 300);
    qiao_truth t;
    qiao_sim_peaks_clear(g.s, 0), qiao_sim_step(g.s, 1), qiao_sim_truth(g.s, 0, &t);
    CHECK(t.ncontact == QIAO_CONTACT_MAX, "%d", t.ncontact);
    CHECK_NEAR(t.body_force_peak[qiao_model_body(g.w, "pile")], 100 * 9.81, 10);
    CHECK(t.nwarning == 0, "%d", t.nwarning);
    rig_close(&g);
}

TEST(height_scan_sees_slanted_planes) {
    const qiao_sensor grant[] = {
        {.kind = QIAO_SENSE_HEIGHT_SCAN, .grid_n = {3, 1}, .grid_step = 1}};
    rig g;
    rig_open(&g, "go2",
             "<mujoco><worldbody><geom type='plane' size='0 0 1'/>"
             "<geom type='plane' size='0 0 1' euler='0 -10 0'/></worldbody></mujoco>",
             1, 1, grant, 1);
    const qiao_signal *s = qiao_io_find(qiao_sim_io(g.s), "height_scan", NULL);
    const double *x = qiao_sim_obs(g.s)->x + s->adr;
    CHECK_NEAR(x[2] - x[1], tan(10 * 3.14159265358979323846 / 180), 1e-6);
    CHECK_NEAR(x[0] - x[1], 0, 1e-6); // the other one lies higher there
    rig_close(&g);
}

TEST(worlds_with_the_robot_elsewhere_are_refused) {
    qiao_diag d = {0};
    qiao_robot *r = qiao_robot_load("go2", &d);
    qiao_model *a = qiao_model_world(r, FLOOR, origin, 0, &d);
    qiao_model *b = qiao_model_world(
        r, "<mujoco><worldbody><site name='mark'/></worldbody></mujoco>", origin, 0, &d);
    CHECK(a && b, "%s", d.text);
    const qiao_model *ws[2] = {a, b};
    qiao_sim_def def = qiao_sim_def_default();
    def.robot = r, def.world = ws, def.nworld = 2, def.period = 0.01;
    qiao_sim *s = qiao_sim_new(&def, &d);
    bool moved = memcmp(a->site_body, b->site_body, sizeof(int)) != 0;
    CHECK(s == NULL && moved, "%s", d.text);
    CHECK_TEXT(d.text, "world 1 holds the robot at other indices");
    qiao_sim_free(s), qiao_model_free(a), qiao_model_free(b), qiao_robot_free(r);
}

TEST(push_moves) {
    rig g;
    rig_open(&g, "go2", "<mujoco><option gravity='0 0 0'/></mujoco>", 2, 1, NULL, 0);
    const double f[3] = {0, 60, 0}, none[3] = {0, 0, 0};
    int body = qiao_model_body(g.w, "base");
    qiao_sim_push(g.s, 1, body, f, none);
    qiao_sim_step(g.s, 50);
    qiao_truth a, b;
    qiao_sim_truth(g.s, 0, &a), qiao_sim_truth(g.s, 1, &b);
    CHECK(b.body_vel[6 * body + 4] - a.body_vel[6 * body + 4] > 0.2, "%g",
          b.body_vel[6 * body + 4]);
    rig_close(&g);
}

TEST(parts_that_do_not_fit_are_named) {
    qiao_diag d = {0};
    qiao_robot *r = qiao_robot_load("go2", &d);
    qiao_model *w = qiao_model_world(r, FLOOR, origin, 0, &d);
    const qiao_model *ws[1] = {w};
    qiao_sim_def def = qiao_sim_def_default();
    def.robot = r, def.world = ws, def.engine = "mujcoo";
    CHECK(qiao_sim_new(&def, &d) == NULL);
    CHECK_TEXT(d.text, "did you mean 'mujoco'");
    d = (qiao_diag){0}, def.engine = "mujoco", def.period = 0.0031;
    CHECK(qiao_sim_new(&def, &d) == NULL);
    CHECK_TEXT(d.text, "no whole number of physics steps");
    const qiao_sensor bad = {
        .kind = QIAO_SENSE_BODY_POSE, .nname = 1, .element = (const char *const[]){"bsae"}};
    d = (qiao_diag){0}, def.period = 0.01, def.grant = &bad, def.ngrant = 1;
    CHECK(qiao_sim_new(&def, &d) == NULL);
    CHECK_TEXT(d.text, "base");
    qiao_model_free(w), qiao_robot_free(r);
}
