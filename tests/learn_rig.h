// SPDX-License-Identifier: Apache-2.0
// learn_rig.h - a small training in a folder of its own: Go2, few worlds, few steps.
#ifndef QIAO_TEST_LEARN_RIG_H
#define QIAO_TEST_LEARN_RIG_H

#include "folder.h"
#include "qiao/learn.h"
#include "qiao/prove.h"

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

static const char *dir;
static char at_path[128];

static void put_file(const char *name, const char *text) {
    char p[200];
    qiao_diag d = {0};
    snprintf(p, sizeof p, "%s/%s", dir, name);
    CHECK(qiao_file_write(p, text, strlen(text), &d) == QIAO_OK, "%s", d.text);
}
static const char *file(const char *name) {
    return snprintf(at_path, sizeof at_path, "%s/%s", dir, name), at_path;
}
static void folder(void) {
    dir = folder_new("learn");
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
static inline qiao_train_stats iterate(qiao_train *t, int n) {
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

// s that the brain of the folder lasts on flat ground.
static inline double lasts(void) {
    qiao_diag d = {0};
    qiao_trials_def def = qiao_trials_def_default();
    qiao_scenario *s = qiao_scenario_load("walk_flat", &d);
    qiao_robot *r = qiao_robot_load("go2", &d);
    CHECK(s && r, "%s", d.text);
    qiao_trial trial = {.seed = 1};
    qiao_result result;
    def.scenario = s, def.robot = r, def.brain.spec = file("brain.yaml");
    def.ntrial = 1, def.trial = &trial, def.nthread = 1;
    CHECK(qiao_trials_run(&def, &result, &d) == QIAO_OK, "%s", d.text);
    double t = result.score.time;
    qiao_results_free(&result, 1);
    qiao_robot_free(r), qiao_scenario_free(s);
    return t;
}

#endif
