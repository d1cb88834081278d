// SPDX-License-Identifier: Apache-2.0
// Whole trainings, small: the same bits on any threads and after a stop, and what comes out runs.
#include "qiao/learn.h"
#include "qiao/prove.h"
#include "test.h"

#include <sys/stat.h>
#include <unistd.h>

static const char brain_yaml[] =
    "name: small_walk\nrobot: go2\nnetwork: {policy: policy.onnx}\nrate_hz: 50\n"
    "joints: [FL_hip_joint, FL_thigh_joint, FL_calf_joint, FR_hip_joint, FR_thigh_joint, "
    "FR_calf_joint,\n"
    "  RL_hip_joint, RL_thigh_joint, RL_calf_joint, RR_hip_joint, RR_thigh_joint, RR_calf_joint]\n"
    "default_pose: {'*_hip_joint': 0, '*_thigh_joint': 0.8, '*_calf_joint': -1.5}\nkp: 30\nkd: "
    "0.8\n"
    "observation: {terms: [{term: base_ang_vel}, {term: projected_gravity}, {term: "
    "velocity_commands},\n"
    "  {term: joint_pos}, {term: joint_vel, scale: 0.05}, {term: actions}]}\n"
    "action: {meaning: position, scale: 0.25}\n";
static const char recipe_yaml[] =
    "robot: go2\nworlds: 48\niterations: 2\nseconds: 4\ncheckpoint: 2\nsteps: 1e6\n"
    "critic: [velocity, contact, height]\ncommand: {vx: [-1, 1], vy: [-0.5, 0.5], yaw_rate: [-1, "
    "1]}\n"
    "end: {height: 0.15}\nstart: {joint: 0.1, speed: 0.2}\npush: {speed: 0.5, seconds: [0.2, "
    "0.6]}\n"
    "vary: {friction: [0.5, 1.2], payload: [0, 2], kp: [0.9, 1.1], episodes: 2}\n"
    "rewards: {track_velocity: 1, track_turn: 0.5, level: -1, action_rate: -0.01, slip: -0.1, "
    "fall: -1}\n"
    "mirror: [[FL_hip_joint, FR_hip_joint, -1], [FL_thigh_joint, FR_thigh_joint, 1],\n"
    "  [FL_calf_joint, FR_calf_joint, 1], [RL_hip_joint, RR_hip_joint, -1],\n"
    "  [RL_thigh_joint, RR_thigh_joint, 1], [RL_calf_joint, RR_calf_joint, 1]]\n"
    "ppo: {horizon: 8, epochs: 2, minibatches: 2, actor: [32, 16], critic: [32, 16], symmetry: "
    "0.1}\n";

static char dir[64], path[128];

static void put_file(const char *name, const char *text) {
    char p[200];
    qiao_diag d = {0};
    snprintf(p, sizeof p, "%s/%s", dir, name);
    CHECK(qiao_file_write(p, text, strlen(text), &d) == QIAO_OK, "%s", d.text);
}
static const char *file(const char *name) {
    return snprintf(path, sizeof path, "%s/%s", dir, name), path;
}
static void folder(void) {
    strcpy(dir, "/tmp/qiao-learn-XXXXXX");
    CHECK(mkdtemp(dir), "no folder");
    put_file("brain.yaml", brain_yaml), put_file("train.yaml", recipe_yaml);
}

static qiao_train *begin(int threads, uint64_t seed) {
    qiao_diag d = {0};
    qiao_train_def def = qiao_train_def_default();
    def.recipe = file("train.yaml"), def.nthread = threads, def.seed = seed;
    qiao_train *t = qiao_train_new(&def, &d);
    CHECK(t, "%s", d.text);
    return t;
}
static qiao_train_stats iterate(qiao_train *t, int n) {
    qiao_train_stats s = {0};
    for (int i = 0; i < n; i++) qiao_train_step(t, &s);
    return s;
}
// The bytes of what was learned.
static char *export_of(const qiao_train *t, size_t *n) {
    qiao_diag d = {0};
    char *data;
    CHECK(qiao_train_export(t, dir, &d) == QIAO_OK, "%s", d.text);
    CHECK(qiao_file_read(file("policy.onnx"), 1 << 24, &data, n, &d) == QIAO_OK, "%s", d.text);
    return data;
}

TEST(threads_and_stops_do_not_change_a_bit) {
    qiao_diag d = {0};
    size_t n[4];
    char *data[4];
    folder();
    qiao_train *a = begin(1, 1);
    iterate(a, 2);
    CHECK(qiao_train_at_checkpoint(a), "no checkpoint after two");
    CHECK(qiao_train_save(a, file("c.bin"), &d) == QIAO_OK, "%s", d.text);
    qiao_train_stats s = iterate(a, 3);
    CHECK(!qiao_train_at_checkpoint(a), "a checkpoint after five");
    CHECK(qiao_train_save(a, file("x.bin"), &d) == QIAO_E_ARG, "saved between checkpoints");
    CHECK(s.steps == 5 * 48 * 8 && s.nterm == 6 && isfinite(s.reward) && s.symmetry > 0, "stats");
    data[0] = export_of(a, &n[0]);
    qiao_train *b = begin(3, 1);
    iterate(b, 5);
    data[1] = export_of(b, &n[1]);
    CHECK(n[0] == n[1] && memcmp(data[0], data[1], n[0]) == 0, "one thread and three differ");
    qiao_train *c = begin(2, 1);
    d = (qiao_diag){0};
    CHECK(qiao_train_load(c, file("c.bin"), &d) == QIAO_OK, "%s", d.text);
    CHECK(qiao_train_iteration(c) == 2, "iteration");
    iterate(c, 3);
    data[2] = export_of(c, &n[2]);
    CHECK(n[0] == n[2] && memcmp(data[0], data[2], n[0]) == 0, "the one that went on differs");
    qiao_train *e = begin(2, 2);
    iterate(e, 5);
    data[3] = export_of(e, &n[3]);
    CHECK(memcmp(data[0], data[3], n[0]) != 0, "another seed learns the same");
    CHECK(qiao_train_load(e, file("c.bin"), &d) == QIAO_E_FORMAT, "another seed's checkpoint");
    CHECK_TEXT(d.text, "another seed");
    for (int i = 0; i < 4; i++) free(data[i]);
    qiao_train_free(a), qiao_train_free(b), qiao_train_free(c), qiao_train_free(e);
}

TEST(a_broken_checkpoint_is_refused) {
    folder();
    qiao_train *t = begin(1, 1);
    qiao_diag d = {0};
    CHECK(qiao_train_save(t, file("c.bin"), &d) == QIAO_OK, "%s", d.text);
    char *data;
    size_t n;
    CHECK(qiao_file_read(file("c.bin"), 1 << 24, &data, &n, &d) == QIAO_OK, "%s", d.text);
    for (size_t i = 0; i < n; i += n / 37) {
        data[i] ^= 4;
        CHECK(qiao_file_write(file("b.bin"), data, n, &d) == QIAO_OK, "write");
        CHECK(qiao_train_load(t, file("b.bin"), &d) == QIAO_E_FORMAT, "byte %zu is taken", i);
        data[i] ^= 4, d = (qiao_diag){0};
    }
    for (size_t k = 0; k < n; k += n / 11) {
        CHECK(qiao_file_write(file("b.bin"), data, k, &d) == QIAO_OK, "write");
        CHECK(qiao_train_load(t, file("b.bin"), &d) == QIAO_E_FORMAT, "%zu bytes are taken", k);
        d = (qiao_diag){0};
    }
    CHECK(qiao_train_load(t, file("c.bin"), &d) == QIAO_OK, "%s", d.text);
    put_file("train.yaml", "robot: go2\nworlds: 8\nrewards: {alive: 1}\n");
    qiao_train *o = begin(1, 1);
    CHECK(qiao_train_load(o, file("c.bin"), &d) == QIAO_E_FORMAT, "another recipe's");
    CHECK_TEXT(d.text, "another recipe");
    free(data);
    qiao_train_free(t), qiao_train_free(o);
}

TEST(what_is_learned_is_a_brain) {
    folder();
    qiao_train *t = begin(0, 1);
    iterate(t, 2);
    size_t n;
    free(export_of(t, &n));
    qiao_train_free(t);
    qiao_diag d = {0};
    qiao_trials_def def = qiao_trials_def_default();
    qiao_scenario *s = qiao_scenario_load("walk_flat", &d);
    qiao_robot *r = qiao_robot_load("go2", &d);
    CHECK(s && r, "%s", d.text);
    qiao_trial one = {.seed = 1};
    qiao_result result;
    def.scenario = s, def.robot = r, def.brain.spec = file("brain.yaml");
    def.ntrial = 1, def.trial = &one, def.nthread = 1;
    CHECK(qiao_trials_run(&def, &result, &d) == QIAO_OK, "%s", d.text);
    CHECK(result.score.time > 0.3, "it stood for %g s", result.score.time);
    qiao_results_free(&result, 1);
    qiao_robot_free(r), qiao_scenario_free(s);
}

TEST(parts_that_do_not_fit_are_told) {
    static const struct {
        const char *recipe, *says;
    } bad[] = {
        {"robot: go3\nrewards: {alive: 1}\n", "go3"},
        {"robot: go2\nscenario: sort_bin\nrewards: {alive: 1}\n", "robot"},
        {"robot: go2\nscenario: nowhere\nrewards: {alive: 1}\n", "nowhere"},
        {"robot: tron1\nrewards: {alive: 1}\n", "FL_hip_joint"},
        {"robot: go2\nbrain: none.yaml\nrewards: {alive: 1}\n", "none.yaml"},
        {"robot: go2\nrewards: {alive: 1}\nppo: {symmetry: 1}\nmirror: [[FL_hip_joint, "
         "FR_hip_joint, -1]]\n",
         "has no partner"},
        {"robot: go2\nrewards: {alive: 1}\nppo: {symmetry: 1}\nmirror: [[FL_hip, FR_hip_joint, "
         "-1]]\n",
         "no joint 'FL_hip'"},
    };
    folder();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put_file("train.yaml", bad[i].recipe);
        qiao_diag d = {0};
        qiao_train_def def = qiao_train_def_default();
        def.recipe = file("train.yaml");
        CHECK(!qiao_train_new(&def, &d), "taken: %s", bad[i].recipe);
        CHECK(d.err, "no fault");
        CHECK_TEXT(d.text, bad[i].says);
    }
}
