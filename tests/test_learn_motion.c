// SPDX-License-Identifier: Apache-2.0
// Motions to follow: read from tables and records, cut into frames, what a student sees of them and
// where it begins; faults are told with their place.
#include "learn/worlds_in.h"
#include "learn_rig.h"
#include "rec_fixture.h"

static qiao_arena *arena;
static qi_track *csv(const char *text, qiao_diag *d) {
    if (!arena) arena = qiao_arena_new();
    *d = (qiao_diag){0};
    return qi_track_csv("m.csv", text, strlen(text), arena, d);
}

TEST(a_table_is_read_whatever_the_order_of_its_columns) {
    qiao_diag d;
    qi_track *t = csv("# a motion\n\nknee,time,base_z,base_x,base_y, base_qw ,base_qx,base_qy,"
                      "base_qz,hip\r\n0.5,0,0.3,1,2,1.02,0,0,0,-1\n\n0.6,0.02,0.31,1.1,2,0,0,-1,0,"
                      "-2",
                      &d);
    CHECK(t, "%s", d.text);
    CHECK(t->n == 2 && t->nname == 2 && strcmp(t->name[0], "knee") == 0, "shape");
    CHECK(t->t[1] == 0.02 && t->q[0] == 0.5 && t->q[1] == -1 && t->q[3] == -2, "joints");
    CHECK(t->base[0] == 1 && t->base[1] == 2 && t->base[2] == 0.3 && t->base[3] == 1, "base");
    CHECK(t->base[7 + 5] == -1, "rotation");
}

#define HEAD "time,base_x,base_y,base_z,base_qw,base_qx,base_qy,base_qz,hip\n"
TEST(faults_of_a_table_are_told_with_their_place) {
    static const struct {
        const char *text, *place, *says;
    } bad[] = {
        {"", "m.csv:1:1:", "fewer than two rows"},
        {HEAD "0,0,0,0,1,0,0,0,0\n", "m.csv:1:1:", "fewer than two rows"},
        {"time,base_x,base_y,base_z,base_qw,base_qx,base_qy,hip\n", "m.csv:1:1:", "'base_qz'"},
        {"time,base_x,base_y,base_z,base_qw,base_qx,base_qy,base_qz\n", "m.csv:1:1:", "of a joint"},
        {"time,hip,time\n", "m.csv:1:10:", "twice: 'time'"},
        {"time,hip,hip\n", "m.csv:1:10:", "twice: 'hip'"},
        {"time,,hip\n", "m.csv:1:6:", "1 to 60 bytes"},
        {HEAD "0,0,0,0,1,0,0,0\n", "m.csv:2:1:", "fewer numbers than the 9"},
        {HEAD "0,0,0,0,1,0,0,0,0,0\n", "m.csv:2:1:", "more numbers than the 9"},
        {HEAD "0,0,0,0,1,0,0,0,x\n", "m.csv:2:17:", "not 'x'"},
        {HEAD "0,0,nan,0,1,0,0,0,0\n", "m.csv:2:5:", "not 'nan'"},
        {HEAD "0,0,1e7,0,1,0,0,0,0\n", "m.csv:2:5:", "below a million"},
        {HEAD "0,0,0,0,1,0,0,0,0\n# no\n0,0,0,0,1,0,0,0,0\n", "m.csv:4:1:", "does not go on"},
        {HEAD "0,0,0,0,1,1,0,0,0\n", "m.csv:2:1:", "no rotation"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        qiao_diag d;
        CHECK(!csv(bad[i].text, &d), "taken: %s", bad[i].text);
        CHECK_TEXT(d.text, bad[i].place);
        CHECK_TEXT(d.text, bad[i].says);
    }
    qiao_diag d = {0};
    CHECK(!qi_track_csv("m.csv", "time\0x", 6, arena, &d) && d.err, "a zero byte");
    CHECK_TEXT(d.text, "zero byte");
}

TEST(a_record_becomes_a_table) {
    qiao_diag d = {0};
    folder();
    char mcap[200];
    snprintf(mcap, sizeof mcap, "%s/r.mcap", dir);
    CHECK(fx_record(mcap, 3, true, &d) == QIAO_OK, "%s", d.text);
    CHECK(qiao_motion_csv(mcap, file("m.csv"), 0.5, 2, 50, &d) == QIAO_OK, "%s", d.text);
    qi_track *t = qi_track_load(file("m.csv"), NULL, arena, &d);
    CHECK(t, "%s", d.text);
    CHECK(t->n >= 74 && t->n <= 76 && t->nname == FX_NJNT, "%d rows of %d joints", t->n, t->nname);
    // the fixture walks 0.8 m a second, and swings up to 2 cm
    double far = t->base[7 * 50] - t->base[0];
    CHECK(fabs(far - 0.8) < 0.05, "%g m in a second", far);
    CHECK_NEAR(t->base[2], 0.89, 0.05);
    double most = 0, rough = 0;
    for (int i = 0; i + 1 < t->n; i++)
        for (int j = 0; j < t->nname; j++) {
            double step = t->q[(i + 1) * t->nname + j] - t->q[i * t->nname + j];
            most = fmax(most, fabs(t->q[i * t->nname + j])), rough = fmax(rough, fabs(step));
        }
    CHECK(most > 0.1 && rough < 0.3 * most, "joints move %g, from row to row %g", most, rough);
    CHECK(qiao_motion_csv(mcap, file("m.csv"), 2.99, 5, 50, &d) == QIAO_E_ARG, "one row");
    CHECK(qiao_motion_csv(file("m.csv"), file("n.csv"), 9, -1, 50, &d) == QIAO_E_ARG, "past it");
}

// ---- Go2 follows a swing of its legs ----

enum { FRAMES = 40 };
static double swing(int i, int j) { return 0.2 * sin(6.283185307179586 * i / FRAMES + j); }
static const char *const leg[4] = {"FL", "FR", "RL", "RR"}, *const bone[3] = {"hip", "thigh",
                                                                              "calf"};
static const double pose[3] = {0, 0.8, -1.5};

static void put_motion(const char *name, int rows) {
    static char text[40000];
    char *p = text;
    p += sprintf(p, "time,base_x,base_y,base_z,base_qw,base_qx,base_qy,base_qz");
    for (int j = 0; j < 12; j++) p += sprintf(p, ",%s_%s_joint", leg[j / 3], bone[j % 3]);
    for (int i = 0; i < rows; i++) {
        p += sprintf(p, "\n%g,%.9g,0,0.31,%.9g,0,0,%.9g", 0.02 * i, 0.01 * i, cos(0.001 * i),
                     sin(0.001 * i));
        for (int j = 0; j < 12; j++) p += sprintf(p, ",%.9g", pose[j % 3] + swing(i, j));
    }
    put_file(name, text);
}

static const char follow_brain[] =
    "name: follow\nrobot: go2\nnetwork: {policy: policy.onnx}\nrate_hz: 50\n"
    "joints: [FL_hip_joint, FL_thigh_joint, FL_calf_joint, FR_hip_joint, FR_thigh_joint, "
    "FR_calf_joint,\n"
    "  RL_hip_joint, RL_thigh_joint, RL_calf_joint, RR_hip_joint, RR_thigh_joint, RR_calf_joint]\n"
    "kp: 30\nkd: 0.8\nobservation: {terms: [{term: motion_command}, {term: joint_pos, relative: "
    "false}]}\naction: {meaning: position, scale: 0.25, residual: true}\n"
    "motion: {file: motion.tsv, rate_hz: 50, loop: %s}\n";
static const char follow_recipe[] =
    "robot: go2\nworlds: 32\niterations: 2\nseconds: 4\ncheckpoint: 2\nend: {height: 0.1}\n"
    "rewards: {motion_joint_pos: 1, motion_joint_vel: 0.1, motion_feet: 1, motion_base_pos: 1,\n"
    "  motion_base_rot: 1, motion_base_vel: 1, motion_base_gyro: 1}\n"
    "ppo: {horizon: 8, epochs: 2, minibatches: 2, actor: [32, 16], critic: [16]}\n"
    "motion: {file: m.csv, %s}\n";

static void follow_files(const char *loop, const char *more) {
    char text[2000];
    folder();
    put_motion("m.csv", FRAMES);
    snprintf(text, sizeof text, follow_brain, loop), put_file("brain.yaml", text);
    snprintf(text, sizeof text, follow_recipe, more), put_file("train.yaml", text);
}

TEST(frames_are_the_motion) {
    qiao_diag d = {0};
    follow_files("true", "loop: true");
    qi_recipe *r = qi_recipe_load(file("train.yaml"), &d);
    CHECK(r, "%s", d.text);
    qi_pool *pool = qi_pool_new(1);
    qi_worlds *w = qi_worlds_new(r, pool, &d);
    CHECK(w, "%s", d.text);
    const qi_motion *m = &w->motion;
    CHECK(m->nframe == FRAMES && m->loop, "%d frames", m->nframe);
    qi_target t;
    for (int n = 0; n < 3 * FRAMES; n += 7) {
        qi_motion_at(m, n, &t);
        for (int j = 0; j < 12; j++) {
            CHECK_NEAR(t.q[j], pose[j % 3] + swing(n, j), 1e-8);
            double speed = (swing(n + 1, j) - swing(n - 1, j)) / 0.04;
            CHECK_NEAR(t.qd[j], speed, 1e-6);
        }
        CHECK_NEAR(t.pose[0], 0.01 * n, 1e-8);
    }
    // it goes 0.5 m/s along x while it turns 0.1 rad/s; the base's own x is turned away from it
    qi_motion_at(m, 20, &t);
    CHECK_NEAR(t.vel[0], 0.5 * cos(0.04), 1e-6);
    CHECK_NEAR(t.vel[1], -0.5 * sin(0.04), 1e-6);
    CHECK_NEAR(t.gyro[2], 0.1, 1e-6);
    for (int f = 0; f < 4; f++) CHECK(t.foot[f][2] < -0.15 && t.foot[f][2] > -0.45, "feet");
    CHECK(t.foot[0][0] > 0.05 && t.foot[0][1] > 0.05 && t.foot[3][0] < 0, "sides");
    qi_worlds_free(w), qi_pool_free(pool), qi_recipe_free(r);
}

// What a student sees of frame n is row n, it stands where the motion is, and its worth says so.
static void check_start(bool loop, bool any) {
    qiao_diag d = {0};
    char more[100];
    snprintf(more, sizeof more, "loop: %s, start: %s", loop ? "true" : "false",
             any ? "any" : "first");
    follow_files(loop ? "true" : "false", more);
    qi_recipe *r = qi_recipe_load(file("train.yaml"), &d);
    CHECK(r, "%s", d.text);
    qi_pool *pool = qi_pool_new(1);
    qi_worlds *w = qi_worlds_new(r, pool, &d);
    CHECK(w, "%s", d.text);
    const qi_env *e = qi_worlds_env(w);
    enum { WORLDS = 32, LD = 48 };
    float obs[WORLDS * LD], critic[WORLDS * LD], act[WORLDS * 16] = {0}, reward[WORLDS];
    uint8_t over[WORLDS];
    CHECK(e->nobs == 36, "%d inputs", e->nobs);
    e->begin(e->ctx, 1);
    int least = FRAMES, most = 0, ends = 0;
    for (int k = 0; k < FRAMES + 2; k++) {
        int frame[WORLDS];
        e->observe(e->ctx, obs, critic);
        for (int i = 0; i < WORLDS; i++) {
            frame[i] = w->one[i].frame;
            int n = loop ? frame[i] % FRAMES : frame[i];
            for (int j = 0; j < 12; j++) {
                CHECK_NEAR(obs[LD * i + j], pose[j % 3] + swing(n, j), 1e-5);
                if (k == 0) CHECK_NEAR(obs[LD * i + 24 + j], pose[j % 3] + swing(n, j), 0.02);
            }
            if (k == 0 && frame[i] < least) least = frame[i];
            if (k == 0 && frame[i] > most) most = frame[i];
        }
        e->step(e->ctx, act, reward, over);
        for (int i = 0; i < WORLDS; i++) {
            // one control step after it began the robot is still near
            if (k == 0 && !over[i])
                CHECK(reward[i] > 0.6 * 6.1 * 0.02, "world %d: worth %g", i, (double)reward[i]);
            bool end = !loop && frame[i] + 1 >= FRAMES - 1;
            ends += end;
            CHECK(!end || over[i], "world %d goes on past the motion", i);
            CHECK(over[i] || w->one[i].frame == frame[i] + 1, "frame %d", w->one[i].frame);
        }
    }
    CHECK(any ? least < 8 && most > FRAMES - 10 : least == 0 && most == 0, "%d..%d", least, most);
    CHECK(loop || ends > 0, "nothing ended");
    qi_worlds_free(w), qi_pool_free(pool), qi_recipe_free(r);
}
TEST(students_begin_anywhere_in_the_motion) { check_start(true, true); }
TEST(students_begin_at_its_start_and_end_with_it) {
    check_start(false, false);
    check_start(false, true);
}

TEST(what_follows_is_a_brain) {
    qiao_diag d = {0};
    follow_files("true", "loop: true, far: 0.5");
    qiao_train *t = begin(1, 1), *o = begin(2, 1);
    qiao_train_stats s = iterate(t, 3);
    iterate(o, 3);
    CHECK(s.nterm == 7 && s.term[0] > 0, "terms");
    size_t n[2];
    char *a = export_of(t, &n[0]), *b = export_of(o, &n[1]);
    CHECK(n[0] == n[1] && memcmp(a, b, n[0]) == 0, "threads change bits");
    free(a), free(b);
    qiao_train_free(t), qiao_train_free(o);
    // the file that was written is the motion, to what it prints
    qiao_robot *robot = qiao_robot_load("go2", &d);
    qi_manifest *m = qi_manifest_load(file("brain.yaml"), robot, &d);
    qi_policy *p = m ? qi_policy_open(m, -1, &d) : NULL;
    CHECK(p, "%s", d.text);
    CHECK(p->m->motion.nframe == FRAMES && p->m->motion.loop, "%d frames", p->m->motion.nframe);
    for (int i = 0; i < FRAMES; i++)
        for (int j = 0; j < 12; j++)
            CHECK_NEAR(p->m->motion.frame[i * 31 + 7 + j], pose[j % 3] + swing(i, j), 1e-7);
    qi_policy_close(p), qiao_robot_free(robot);
}

TEST(what_does_not_fit_is_told) {
    static const struct {
        const char *loop, *more, *says;
    } bad[] = {
        {"false", "loop: true", "loop is false here and true"},
        {"true", "loop: true, from: 5", "frames at 50 Hz"},
        {"true, rate_hz: 25", "loop: true", "rate_hz"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        qiao_diag d = {0};
        follow_files(bad[i].loop, bad[i].more);
        qiao_train_def def = qiao_train_def_default();
        def.recipe = file("train.yaml");
        CHECK(!qiao_train_new(&def, &d), "taken: %s", bad[i].more);
        CHECK_TEXT(d.text, bad[i].says);
    }
    follow_files("true", "loop: true");
    put_file("m.csv", HEAD "0,0,0,0,1,0,0,0,0\n1,0,0,0,1,0,0,0,0\n");
    qiao_diag d = {0};
    qiao_train_def def = qiao_train_def_default();
    def.recipe = file("train.yaml");
    CHECK(!qiao_train_new(&def, &d), "taken without joints");
    CHECK_TEXT(d.text, "no joint 'FL_hip_joint'");
}

// ---- the terms, against values worked out by hand ----

TEST(terms_of_a_motion) {
    static const double base[7] = {1, 2, 0.3, 1, 0, 0, 0}, vel[3] = {1, 0, 0}, gyro[3] = {0, 0, 1};
    static const double q[2] = {0.1, 0.4}, qd[2] = {1, 3};
    qi_target t = {.pose = {1.1, 2.2, 0.5, cos(0.05), 0, sin(0.05), 0},
                   .vel = {1, 0.3, 0.4},
                   .gyro = {0, 1, 1},
                   .q = {0.2, 0.6},
                   .qd = {2, 5},
                   .foot = {{0, 0, -0.3}, {0.1, 0, -0.3}}};
    qi_look o = {.njoint = 2,
                 .nfoot = 2,
                 .dt = 1,
                 .pose = base,
                 .vel = vel,
                 .gyro = gyro,
                 .q = q,
                 .qd = qd,
                 .foot = {{1, 2, 0.05}, {1.1, 2, 0}},
                 .target = &t};
    static const struct {
        qi_reward_kind kind;
        double off;
    } want[] = {
        {QI_REWARD_motion_joint_pos, (0.01 + 0.04) / 2},
        {QI_REWARD_motion_joint_vel, (1 + 4) / 2.},
        {QI_REWARD_motion_feet, 0.0025 / 2},
        {QI_REWARD_motion_base_pos, 0.09},
        {QI_REWARD_motion_base_vel, 0.25},
        {QI_REWARD_motion_base_gyro, 1},
        {QI_REWARD_motion_base_rot, 0.01},
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        qi_reward r = {want[i].kind, 1, 0.5};
        CHECK_NEAR(qi_reward_off_motion(&o, &r), want[i].off / 0.25, 1e-4);
    }
}
