// SPDX-License-Identifier: Apache-2.0
// rec_fixture.h - a made-up humanoid (30 bodies, 29 joints, primitives) that walks by formula, its
// signals with noise, contacts, events and score: something to record without a simulator.
#ifndef REC_FIXTURE_H
#define REC_FIXTURE_H

#include "qiao/rec.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FX_LINK = 30, FX_NBODY = FX_LINK + 2, FX_NJNT = 29, FX_NGEOM = FX_LINK + 5, FX_NSIG = 10 };

typedef struct fixture {
    qiao_model m;
    qiao_io io;
    qiao_truth truth;
    qiao_obs obs;
    qiao_cmd cmd;
    qiao_robot robot;
    int parent[FX_NBODY], jntadr[FX_NBODY], jntnum[FX_NBODY];
    double body_pos[FX_NBODY][3], body_quat[FX_NBODY][4], axis[FX_NJNT + 1][3];
    const char *body_name[FX_NBODY], *jnt_name[FX_NJNT + 1], *act_name[FX_NJNT];
    int jnt_type[FX_NJNT + 1], jnt_qadr[FX_NJNT + 1], jnt_vadr[FX_NJNT + 1];
    int act_joint[FX_NJNT], geom_type[FX_NGEOM], geom_body[FX_NGEOM], geom_group[FX_NGEOM];
    double act_gear[FX_NJNT], geom_size[FX_NGEOM][3], geom_pos[FX_NGEOM][3];
    double geom_quat[FX_NGEOM][4];
    float geom_rgba[FX_NGEOM][4];
    double q[7 + FX_NJNT], qd[6 + FX_NJNT], tau[FX_NJNT], xpos[FX_NBODY][3], xquat[FX_NBODY][4];
    double cmd_mem[5][FX_NJNT], x[512];
    int64_t t_ns, stamp_ns[FX_NSIG];
    qiao_signal sig[FX_NSIG];
    qiao_contact contact[8];
    uint32_t noise;
    int ngeom;
} fixture;

static void fx_mul(const double a[4], const double b[4], double r[4]) {
    double t[4] = {a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3],
                   a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2],
                   a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1],
                   a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0]};
    memcpy(r, t, sizeof t);
}
static void fx_turn(const double q[4], const double v[3], double r[3]) {
    double p[4] = {0, v[0], v[1], v[2]}, c[4] = {q[0], -q[1], -q[2], -q[3]}, t[4];
    fx_mul(q, p, t), fx_mul(t, c, t);
    memcpy(r, t + 1, 3 * sizeof *r);
}
static double fx_noise(fixture *f) { // -1..1
    f->noise = f->noise * 1664525u + 1013904223u;
    return (double)(f->noise >> 8) / (1 << 23) - 1;
}

static void fx_geom(fixture *f, int type, int body, double x, double y, double z, double px,
                    double pz, float r, float g, float b) {
    int i = f->ngeom++;
    f->geom_type[i] = type, f->geom_body[i] = body;
    f->geom_size[i][0] = x, f->geom_size[i][1] = y, f->geom_size[i][2] = z;
    f->geom_pos[i][0] = px, f->geom_pos[i][2] = pz, f->geom_quat[i][0] = 1;
    f->geom_rgba[i][0] = r, f->geom_rgba[i][1] = g, f->geom_rgba[i][2] = b;
    f->geom_rgba[i][3] = 1;
}

// Links: name, parent (0: pelvis), offset in the parent, axis, radius and length of a capsule.
static const struct fx_link {
    const char *name;
    int parent;
    double pos[3];
    char axis;
    double radius, length;
} fx_link[FX_LINK] = {
    {"pelvis", -1, {0, 0, 0}, 0, 0.09, 0.10},
    {"left_hip_yaw", 0, {0, 0.10, -0.06}, 'z', 0.05, 0.04},
    {"left_hip_roll", 1, {0, 0, -0.05}, 'x', 0.05, 0.04},
    {"left_thigh", 2, {0, 0, -0.03}, 'y', 0.06, 0.32},
    {"left_shin", 3, {0, 0, -0.36}, 'y', 0.05, 0.30},
    {"left_ankle", 4, {0, 0, -0.36}, 'y', 0.035, 0.02},
    {"left_foot", 5, {0.03, 0, -0.03}, 'x', 0.03, 0.0},
    {"right_hip_yaw", 0, {0, -0.10, -0.06}, 'z', 0.05, 0.04},
    {"right_hip_roll", 7, {0, 0, -0.05}, 'x', 0.05, 0.04},
    {"right_thigh", 8, {0, 0, -0.03}, 'y', 0.06, 0.32},
    {"right_shin", 9, {0, 0, -0.36}, 'y', 0.05, 0.30},
    {"right_ankle", 10, {0, 0, -0.36}, 'y', 0.035, 0.02},
    {"right_foot", 11, {0.03, 0, -0.03}, 'x', 0.03, 0.0},
    {"waist_yaw", 0, {0, 0, 0.12}, 'z', 0.07, 0.04},
    {"waist_roll", 13, {0, 0, 0.06}, 'x', 0.07, 0.04},
    {"torso", 14, {0, 0, 0.24}, 'y', 0.13, 0.22},
    {"left_shoulder_pitch", 15, {0, 0.18, 0.12}, 'y', 0.05, 0.03},
    {"left_shoulder_roll", 16, {0, 0.03, 0}, 'x', 0.05, 0.03},
    {"left_upper_arm", 17, {0, 0.01, -0.02}, 'z', 0.045, 0.22},
    {"left_elbow", 18, {0, 0, -0.27}, 'y', 0.04, 0.18},
    {"left_wrist_yaw", 19, {0, 0, -0.22}, 'z', 0.033, 0.03},
    {"left_wrist_pitch", 20, {0, 0, -0.04}, 'y', 0.03, 0.03},
    {"left_hand", 21, {0, 0, -0.06}, 'x', 0.04, 0.05},
    {"right_shoulder_pitch", 15, {0, -0.18, 0.12}, 'y', 0.05, 0.03},
    {"right_shoulder_roll", 23, {0, -0.03, 0}, 'x', 0.05, 0.03},
    {"right_upper_arm", 24, {0, -0.01, -0.02}, 'z', 0.045, 0.22},
    {"right_elbow", 25, {0, 0, -0.27}, 'y', 0.04, 0.18},
    {"right_wrist_yaw", 26, {0, 0, -0.22}, 'z', 0.033, 0.03},
    {"right_wrist_pitch", 27, {0, 0, -0.04}, 'y', 0.03, 0.03},
    {"right_hand", 28, {0, 0, -0.06}, 'x', 0.04, 0.05},
};

static void fx_bodies(fixture *f) {
    f->body_name[0] = "world";
    for (int b = 0; b < FX_NBODY; b++) f->body_quat[b][0] = f->xquat[b][0] = 1, f->jntadr[b] = -1;
    for (int i = 0; i < FX_LINK; i++) {
        const struct fx_link *l = &fx_link[i];
        int b = i + 1;
        f->body_name[b] = l->name, f->parent[b] = l->parent + 1;
        memcpy(f->body_pos[b], l->pos, sizeof l->pos);
        f->jntadr[b] = i, f->jntnum[b] = 1;
        f->jnt_name[i] = i ? l->name : "root";
        f->jnt_type[i] = i ? QIAO_JOINT_HINGE : QIAO_JOINT_FREE;
        f->jnt_qadr[i] = i ? 6 + i : 0, f->jnt_vadr[i] = i ? 5 + i : 0;
        if (i) f->axis[i][l->axis - 'x'] = 1;
        bool shell = strstr(l->name, "thigh") || strstr(l->name, "shin") ||
                     strstr(l->name, "torso") || strstr(l->name, "arm") ||
                     strstr(l->name, "pelvis");
        float c = shell ? 0.86f : 0.24f;
        if (strstr(l->name, "foot"))
            fx_geom(f, 6, b, 0.11, 0.04, 0.02, 0, -0.01, 0.2f, 0.22f, 0.25f);
        else if (l->length >= 0.1 && i != 15)
            fx_geom(f, 3, b, l->radius, l->length / 2, 0, 0, i ? -l->length / 2 - 0.02 : 0, c, c,
                    c);
        else
            fx_geom(f, 3, b, l->radius, l->length / 2, 0, 0, 0, c, c, c + 0.02f);
    }
    fx_geom(f, 2, 16, 0.10, 0, 0, 0, 0.32, 0.16f, 0.35f, 0.6f); // head
    f->body_name[31] = "table", f->body_pos[31][0] = 3, f->body_pos[31][1] = 1.2;
    f->body_pos[31][2] = 0.35;
    fx_geom(f, 0, 0, 0, 0, 0.05, 0, 0, 0.5f, 0.5f, 0.5f); // floor
    fx_geom(f, 6, 31, 0.5, 0.4, 0.35, 0, 0, 0.72f, 0.56f, 0.4f);
    fx_geom(f, 5, 31, 0.08, 0.1, 0, 0, 0.45, 0.8f, 0.25f, 0.2f);
    fx_geom(f, 4, 31, 0.1, 0.06, 0.05, 0.3, 0.4, 0.2f, 0.6f, 0.35f);
    for (int g = 0; g < f->ngeom; g++) f->geom_group[g] = 0;
}

static void fx_signals(fixture *f) {
    static const char *const feet[] = {"left", "right"};
    static const struct {
        const char *name, *unit, *frame;
        int dim, nname;
    } s[FX_NSIG] = {{"joint_pos", "rad", "joint", FX_NJNT, FX_NJNT},
                    {"joint_vel", "rad/s", "joint", FX_NJNT, FX_NJNT},
                    {"joint_tau", "N*m", "joint", FX_NJNT, FX_NJNT},
                    {"imu_quat", "1", "imu", 4, 0},
                    {"imu_gyro", "rad/s", "imu", 3, 0},
                    {"imu_acc", "m/s2", "imu", 3, 0},
                    {"foot_contact", "1", "world", 2, 2},
                    {"foot_force", "N", "world", 6, 2},
                    {"command_velocity", "m/s", "base", 3, 0},
                    {"height_scan", "m", "base", 187, 0}};
    int adr = 0;
    for (int i = 0; i < FX_NSIG; i++) {
        f->sig[i] = (qiao_signal){.name = s[i].name,
                                  .unit = s[i].unit,
                                  .frame = s[i].frame,
                                  .adr = adr,
                                  .dim = s[i].dim,
                                  .nname = s[i].nname,
                                  .rate_hz = s[i].dim > 64 ? 25 : 100};
        if (s[i].nname == FX_NJNT) f->sig[i].element = f->act_name;
        if (s[i].nname == 2) f->sig[i].element = feet;
        adr += s[i].dim;
    }
    f->io = (qiao_io){.nsig = FX_NSIG,
                      .nobs = adr,
                      .nu = FX_NJNT,
                      .sig = f->sig,
                      .act_name = f->act_name,
                      .robot = &f->robot,
                      .period = 0.01};
}

static fixture *fx_new(void) {
    fixture *f = calloc(1, sizeof *f);
    if (!f) abort();
    fx_bodies(f);
    for (int u = 0; u < FX_NJNT; u++)
        f->act_name[u] = f->jnt_name[u + 1], f->act_joint[u] = u + 1, f->act_gear[u] = 1;
    f->robot.name = "humanoid", f->robot.title = "Made-up humanoid", f->robot.title_zh = "虚构人形";
    f->m = (qiao_model){.nq = 7 + FX_NJNT,
                        .nv = 6 + FX_NJNT,
                        .nu = FX_NJNT,
                        .nbody = FX_NBODY,
                        .njnt = FX_NJNT + 1,
                        .ngeom = f->ngeom,
                        .dt = 0.002,
                        .body_name = f->body_name,
                        .jnt_name = f->jnt_name,
                        .act_name = f->act_name,
                        .body_parent = f->parent,
                        .body_jntadr = f->jntadr,
                        .body_jntnum = f->jntnum,
                        .body_pos = &f->body_pos[0][0],
                        .body_quat = &f->body_quat[0][0],
                        .jnt_type = f->jnt_type,
                        .jnt_qadr = f->jnt_qadr,
                        .jnt_vadr = f->jnt_vadr,
                        .jnt_axis = &f->axis[0][0],
                        .act_joint = f->act_joint,
                        .act_gear = f->act_gear,
                        .geom_type = f->geom_type,
                        .geom_body = f->geom_body,
                        .geom_group = f->geom_group,
                        .geom_size = &f->geom_size[0][0],
                        .geom_pos = &f->geom_pos[0][0],
                        .geom_quat = &f->geom_quat[0][0],
                        .geom_rgba = &f->geom_rgba[0][0]};
    fx_signals(f);
    f->truth = (qiao_truth){.model = &f->m,
                            .q = f->q,
                            .qd = f->qd,
                            .body_pos = &f->xpos[0][0],
                            .body_quat = &f->xquat[0][0],
                            .tau = f->tau,
                            .contact = f->contact};
    f->obs = (qiao_obs){.n = 1,
                        .nobs = f->io.nobs,
                        .nsig = FX_NSIG,
                        .t_ns = &f->t_ns,
                        .x = f->x,
                        .stamp_ns = f->stamp_ns};
    f->cmd = (qiao_cmd){
        1, FX_NJNT, f->cmd_mem[0], f->cmd_mem[1], f->cmd_mem[2], f->cmd_mem[3], f->cmd_mem[4]};
    return f;
}

// Everything at time t: a walk along x, arms swinging, feet pushing in turn.
static void fx_at(fixture *f, double t) {
    double w = 2 * M_PI * 0.9, s = sin(w * t), c = cos(w * t), *q = f->q;
    f->t_ns = llround(t * 1e9), f->truth.t_ns = f->t_ns;
    double lift = 0.012 * fabs(c);
    memcpy(q, (double[7]){0.8 * t, 0.03 * s, 0.89 + lift, cos(0.02 * s), 0, 0, sin(0.02 * s)}, 56);
    for (int i = 1; i < FX_LINK; i++) {
        const char *name = fx_link[i].name;
        double side = name[0] == 'l' ? 1 : -1, a = 0;
        if (strstr(name, "thigh")) a = -0.18 + 0.38 * side * s;
        if (strstr(name, "shin")) a = 0.35 + 0.3 * fmax(0, side * c);
        if (strstr(name, "ankle")) a = -0.17 - 0.3 * side * s;
        if (strstr(name, "shoulder_pitch")) a = -0.4 * side * s;
        if (strstr(name, "shoulder_roll")) a = 0.15 * side;
        if (strstr(name, "elbow")) a = -0.7 - 0.15 * side * s;
        if (strstr(name, "waist_yaw")) a = 0.06 * s;
        q[6 + i] = a + 0.002 * fx_noise(f);
        f->qd[5 + i] = w * a * 0.5 + 0.05 * fx_noise(f), f->tau[i - 1] = 30 * a + fx_noise(f);
    }
    memcpy(f->xpos[1], q, 24), memcpy(f->xquat[1], q + 3, 32);
    for (int b = 2; b < FX_NBODY; b++) {
        int up = f->parent[b];
        double p[3], half = b <= FX_LINK ? 0.5 * q[5 + b] : 0, turn[4] = {cos(half)};
        for (int k = 0; k < 3 && b <= FX_LINK; k++) turn[k + 1] = sin(half) * f->axis[b - 1][k];
        fx_turn(f->xquat[up], f->body_pos[b], p);
        for (int k = 0; k < 3; k++) f->xpos[b][k] = f->xpos[up][k] + p[k];
        fx_mul(f->xquat[up], turn, f->xquat[b]);
    }
    int n = 0;
    for (int k = 0; k < 4; k++) { // heel and toe of the foot that stands
        int foot = k < 2 ? 7 : 13;
        double up = (k < 2 ? c : -c) < 0.2 ? 190 + 60 * s + 8 * fx_noise(f) : 0;
        if (up <= 0) continue;
        qiao_contact *x = &f->contact[n++];
        *x = (qiao_contact){.body = {0, foot}, .geom = {31, foot - 1}};
        memcpy(x->pos_w, f->xpos[foot], 24);
        x->pos_w[0] += k % 2 ? 0.09 : -0.08, x->pos_w[2] = 0;
        memcpy(x->force_w, (double[3]){12 * s, 5 * c, up}, 24);
    }
    f->truth.ncontact = n;
    for (int i = 0; i < f->io.nobs; i++) f->x[i] = 0.01 * fx_noise(f);
    for (int u = 0; u < FX_NJNT; u++) {
        f->x[u] += q[7 + u], f->x[FX_NJNT + u] += f->qd[6 + u], f->x[2 * FX_NJNT + u] += f->tau[u];
        f->cmd.q[u] = q[7 + u], f->cmd.qd[u] = 0, f->cmd.kp[u] = 60, f->cmd.kd[u] = 2;
        f->cmd.tau[u] = 0.5 * f->tau[u];
    }
    for (int i = 0; i < FX_NSIG; i++) {
        int64_t period = llround(1e9 / f->sig[i].rate_hz);
        f->stamp_ns[i] = f->t_ns / period * period;
    }
}

static qiao_score fx_score(double t) {
    qiao_score s = {
        .verdict = QIAO_FAILED, .total = 0.612, .completion = 0.72, .time = t, .nmeasure = 5};
    snprintf(s.reason, sizeof s.reason, "tilt 71 deg > 60 deg");
    s.measure[0] = (qiao_measure){"distance_walked", "1", 0.72, NAN, 0.7, 'c', false};
    s.measure[1] = (qiao_measure){"parcel_delivered", "1", 0, NAN, 0.3, 'c', false};
    s.measure[2] = (qiao_measure){"stumbles", "1", 1, 0, 0.85, 'p', true};
    s.measure[3] = (qiao_measure){"tilt", "deg", 71, 60, NAN, 'e', true};
    s.measure[4] = (qiao_measure){"joint_torque", "N*m", 41.3, 88, NAN, 'e', false};
    return s;
}

static qiao_rec_def fx_def(const fixture *f, const char *path) {
    qiao_rec_def d = qiao_rec_def_default();
    d.path = path, d.world = &f->m, d.io = &f->io, d.robot = "humanoid", d.brain = "formula";
    d.scenario = "parcel_route", d.engine = "none", d.seed = 7, d.trial = 3;
    d.case_text = "# a concrete scenario\n", d.world_xml = "<mujoco/>\n";
    return d;
}

// A whole record of a trial of t_end seconds. end false: it is interrupted.
static qiao_err fx_record(const char *path, double t_end, bool end, qiao_diag *d) {
    fixture *f = fx_new();
    qiao_rec_def def = fx_def(f, path);
    qiao_rec *r = qiao_rec_new(&def, d);
    static const struct {
        double at;
        const char *name, *text;
    } ev[] = {{0.1, "start", "route of 20 m"},
              {0.25, "push", "62 N from the left for 0.2 s"},
              {0.5, "gate_1", "passed at 0.81 m/s"},
              {0.7, "push", "48 N from the right for 0.2 s"},
              {0.9, "stumble", "knee touched the ground"}};
    for (int tick = 0, e = 0; r && tick <= (int)(t_end * 100); tick++) {
        fx_at(f, tick * 0.01);
        qiao_rec_step(r, &f->truth, &f->obs, &f->cmd, 0);
        for (; e < 5 && tick * 0.01 >= ev[e].at * t_end; e++) {
            qiao_event event = {.t_ns = f->t_ns};
            snprintf(event.name, sizeof event.name, "%s", ev[e].name);
            snprintf(event.text, sizeof event.text, "%s", ev[e].text);
            qiao_rec_event(r, &event);
        }
    }
    uint8_t trace[QIAO_HASH_BYTES];
    for (int i = 0; i < QIAO_HASH_BYTES; i++) trace[i] = (uint8_t)(i * 7);
    qiao_score score = fx_score(t_end);
    qiao_err e = r ? QIAO_OK : d->err;
    if (r && end) e = qiao_rec_end(r, &score, trace, d);
    qiao_rec_free(r);
    free(f);
    return e;
}

#endif
