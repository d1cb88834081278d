// SPDX-License-Identifier: Apache-2.0
// policy_rig.h - robot go2 with hand-made signals for tests of policies: everything set by name.
#ifndef POLICY_RIG_H
#define POLICY_RIG_H

#include "brain/policy.h"
#include "onnx_make.h"

#include <limits.h>
#include <stdarg.h>
#include <unistd.h>

enum { RIG_JOINTS = 12, RIG_SIGNALS = 12, RIG_WORLDS = 8, RIG_OBS = 96 };

typedef struct rig {
    qiao_robot *r;
    qiao_io io;
    qiao_obs obs;
    qiao_cmd cmd;
    qiao_signal sig[RIG_SIGNALS];
    const char *joint[RIG_JOINTS], *act[RIG_JOINTS]; // in the order of this rig
    const char *thing[2], *param_name[2], *param_text[2 * RIG_WORLDS];
    int64_t t[RIG_WORLDS], stamp[RIG_WORLDS * RIG_SIGNALS];
    double x[RIG_WORLDS * RIG_OBS], c[5][RIG_WORLDS * RIG_JOINTS];
    uint8_t live[RIG_WORLDS];
    int nobs;
} rig;

static void rig_signal(rig *g, const char *name, int dim, const char *const *element, int nname) {
    qiao_signal *s = &g->sig[g->io.nsig++];
    *s = (qiao_signal){.name = name, .unit = "1", .frame = "base", .adr = g->nobs, .dim = dim};
    s->element = element, s->nname = nname, s->rate_hz = 500;
    g->nobs += dim;
}

// step: 1, 5, 7 or 11 gives another order of joints and drives; swap: another order of signals.
static void rig_make(rig *g, int n, int step, bool swap) {
    static qiao_robot *robot;
    qiao_diag d = {0};
    if (!robot) setenv("QIAO_HOME", ".", 0), robot = qiao_robot_load("go2", &d);
    CHECK(robot, "%s", d.text);
    memset(g, 0, sizeof *g);
    g->r = robot;
    const qiao_model *m = robot->model;
    for (int i = 0; i < RIG_JOINTS; i++) {
        g->joint[i] = m->jnt_name[m->act_joint[(i * step) % RIG_JOINTS]];
        g->act[i] = m->act_name[(i * step + 5 * swap) % RIG_JOINTS];
    }
    g->thing[0] = "ball", g->thing[1] = "cube";
    if (swap) rig_signal(g, "command_velocity", 3, NULL, 0);
    rig_signal(g, "joint_pos", 12, g->joint, 12), rig_signal(g, "joint_vel", 12, g->joint, 12);
    rig_signal(g, "imu_quat", 4, NULL, 0), rig_signal(g, "imu_gyro", 3, NULL, 0);
    if (!swap) rig_signal(g, "command_velocity", 3, NULL, 0);
    rig_signal(g, "base_vel", 3, NULL, 0), rig_signal(g, "base_pose", 7, NULL, 0);
    rig_signal(g, "object_pose", 14, g->thing, 2), rig_signal(g, "command_orientation", 4, NULL, 0);
    rig_signal(g, "height_scan", 6, NULL, 0), rig_signal(g, "wind", 2, NULL, 0);
    g->io.nobs = g->nobs, g->io.nu = RIG_JOINTS, g->io.sig = g->sig, g->io.act_name = g->act;
    g->io.robot = robot, g->io.period = 0.02, g->io.nworld = n;
    g->obs = (qiao_obs){n, g->nobs, g->io.nsig, g->t, g->x, g->stamp, NULL};
    g->cmd = (qiao_cmd){n, RIG_JOINTS, g->c[0], g->c[1], g->c[2], g->c[3], g->c[4]};
}

static double *rig_at(rig *g, int w, const char *signal) {
    for (int i = 0; i < g->io.nsig; i++)
        if (strcmp(g->sig[i].name, signal) == 0)
            return g->x + (size_t)w * (size_t)g->nobs + g->sig[i].adr;
    CHECK(false, "no signal %s", signal);
    return NULL;
}
static double *rig_joint(rig *g, int w, const char *signal, const char *joint) {
    for (int i = 0; i < RIG_JOINTS; i++)
        if (strcmp(g->joint[i], joint) == 0) return rig_at(g, w, signal) + i;
    CHECK(false, "no joint %s", joint);
    return NULL;
}
static int rig_act(const rig *g, const char *actuator) {
    for (int i = 0; i < RIG_JOINTS; i++)
        if (strcmp(g->act[i], actuator) == 0) return i;
    return -1;
}

// The same numbers in every world's signals whatever their order: by name and world.
static void rig_fill(rig *g, int w, unsigned k) {
    const qiao_model *m = g->r->model;
    qiao_rng r = {7, (uint64_t)w, 99};
    for (int i = 0; i < RIG_JOINTS; i++) {
        const char *j = m->jnt_name[m->act_joint[i]];
        *rig_joint(g, w, "joint_pos", j) = 2 * qiao_rng_uniform(&r, k, (uint32_t)i) - 1;
        *rig_joint(g, w, "joint_vel", j) = 4 * qiao_rng_uniform(&r, k, 20 + (uint32_t)i) - 2;
    }
    static const struct {
        const char *name;
        int dim;
    } rest[] = {{"imu_quat", 4},    {"imu_gyro", 3},    {"command_velocity", 3},
                {"base_vel", 3},    {"base_pose", 3},   {"wind", 2},
                {"height_scan", 6}, {"object_pose", 3}, {"command_orientation", 4}};
    for (uint32_t s = 0; s < sizeof rest / sizeof *rest; s++)
        for (int i = 0; i < rest[s].dim; i++)
            rig_at(g, w, rest[s].name)[i] =
                2 * qiao_rng_uniform(&r, k, 100 + 8 * s + (uint32_t)i) - 1;
}

// ---- policies ----

static const char RIG_NET[] = "build/test_policy.onnx";

static void rig_weights(float *w, int in, int out) {
    qiao_rng r = {3, 0, 77};
    for (int i = 0; i < in * out; i++) w[i] = (float)(0.4 * qiao_rng_normal(&r, 0, (uint32_t)i));
}

// A manifest of text for the robot's joints, over a net of one layer of the right size.
static qi_policy *rig_policy(int in, int out, qiao_diag *d, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static qi_policy *rig_policy(int in, int out, qiao_diag *d, const char *fmt, ...) {
    static char body[8192], text[10000];
    static float w[1 << 13];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(body, sizeof body, fmt, ap);
    va_end(ap);
    CHECK(in * out <= 1 << 13);
    rig_weights(w, in, out);
    CHECK(onnx_layer(RIG_NET, in, out, w, NULL), "cannot write %s", RIG_NET);
    snprintf(text, sizeof text, "network: {policy: test_policy.onnx}\n%s", body);
    qi_manifest *m = qi_manifest_read("brain.yaml", text, strlen(text), "build", NULL, d);
    qi_policy *p = m ? qi_policy_open(m, -1, d) : NULL;
    unlink(RIG_NET);
    return p;
}

static void *rig_bind(const qi_policy *p, const qiao_io *io, int n, qiao_diag *d) {
    size_t bytes = qi_policy_size(p, io, n, d);
    void *mem = bytes ? aligned_alloc(64, (bytes + 63) & ~(size_t)63) : NULL;
    if (!mem) return NULL;
    memset(mem, 0, bytes);
    if (qi_policy_init(p, mem, io, n, d) == QIAO_OK) return mem;
    free(mem);
    return NULL;
}

#define RIG_LEGS                                                                             \
    "joints: [FL_hip_joint, FR_hip_joint, RL_thigh_joint, RR_calf_joint]\n"                  \
    "default_pose: {\"*_hip_joint\": 0.1, \"*_thigh_joint\": 0.8, \"*_calf_joint\": -1.5}\n" \
    "rate_hz: 50\n"
#define RIG_TWO "joints: [FL_hip_joint, RR_calf_joint]\nrate_hz: 50\n"

#endif
