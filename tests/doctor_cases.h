// SPDX-License-Identifier: Apache-2.0
// doctor_cases.h - manifests broken on purpose: one of the ten facts at a time, several ways each.
#ifndef DOCTOR_CASES_H
#define DOCTOR_CASES_H

#include "prove/doctor.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double *dc_w(const double *x) {
    union {
        const double *in;
        double *out;
    } u = {x};
    return u.out;
}
static qi_term *dc_term(qi_manifest *m, int g, qi_term_kind kind) {
    const qi_obs_group *o = g ? &m->enc : &m->obs;
    union {
        const qi_term *in;
        qi_term *out;
    } u = {o->term};
    for (int i = 0; i < o->nterm; i++)
        if (u.out[i].kind == kind) return &u.out[i];
    return NULL;
}
static const char **dc_names(qi_manifest *m) {
    union {
        const char *const *in;
        const char **out;
    } u = {m->joint};
    return u.out;
}
static void dc_swap_names(qi_manifest *m, int i, int j) {
    const char **n = dc_names(m), *x = n[i];
    n[i] = n[j], n[j] = x;
}
static void dc_swap(const double *row, int i, int j) {
    double *x = dc_w(row), y = x[i];
    x[i] = x[j], x[j] = y;
}
static void dc_scale(qi_manifest *m, qi_term_kind kind, double x) { // in both networks' inputs
    for (int g = 0; g < 2; g++) {
        qi_term *t = dc_term(m, g, kind);
        for (int i = 0; t && i < t->dim; i++) dc_w(t->scale)[i] *= x;
    }
}
static void dc_flip(qi_manifest *m, int j) {
    static const qi_term_kind kinds[] = {QI_TERM_JOINT_POS, QI_TERM_JOINT_VEL};
    dc_w(m->action.scale)[j] *= -1;
    for (int k = 0; k < 2; k++)
        for (int g = 0; g < 2; g++) {
            qi_term *t = dc_term(m, g, kinds[k]);
            for (int i = 0; t && i < t->njoint; i++)
                if (t->joint[i] == j) dc_w(t->scale)[i] *= -1;
        }
}
static void dc_pose(qi_manifest *m, int j, double x) {
    if (m->action.offset[j] == m->default_pose[j]) dc_w(m->action.offset)[j] = x;
    dc_w(m->default_pose)[j] = x;
}

// ---- joint order ----
static void o_sides(qi_manifest *m) { // FL FR RL RR for FR FL RR RL; left and right in turns
    for (int i = 0; i + 5 < m->njoint; i += 6)
        for (int k = 0; k < 3; k++) dc_swap_names(m, i + k, i + 3 + k);
}
static void o_two(qi_manifest *m) { dc_swap_names(m, 1, 2); }
static void o_reverse(qi_manifest *m) {
    for (int i = 0; i < m->njoint / 2; i++) dc_swap_names(m, i, m->njoint - 1 - i);
}
static void o_rotated(qi_manifest *m) { // by type instead of by leg
    const char *old[QI_MAN_JOINTS];
    memcpy(old, m->joint, (size_t)m->njoint * sizeof *old);
    for (int i = 0; i < m->njoint; i++) dc_names(m)[i] = old[(i % 4) * 3 + i / 4];
}
static void
o_neighbours(qi_manifest *m) { // as the model lists limbs: all of one side, then the other
    for (int i = 0; i + 1 < 12; i += 2) dc_swap_names(m, i, i + 1);
}
static void o_pair_6(qi_manifest *m) {
    dc_swap_names(m, 0, 3), dc_swap_names(m, 1, 4), dc_swap_names(m, 2, 5);
}

// ---- default pose ----
static void p_zero(qi_manifest *m) {
    for (int i = 0; i < m->njoint; i++) dc_pose(m, i, 0);
}
static void p_degrees(qi_manifest *m) {
    for (int i = 0; i < m->njoint; i++) dc_pose(m, i, m->default_pose[i] * 57.29577951308232);
}
static void p_negative(qi_manifest *m) {
    for (int i = 0; i < m->njoint; i++) dc_pose(m, i, -m->default_pose[i]);
}
static void p_shifted(qi_manifest *m) { // one place too far
    double old[QI_MAN_JOINTS];
    memcpy(old, m->default_pose, (size_t)m->njoint * sizeof *old);
    for (int i = 0; i < m->njoint; i++) dc_pose(m, i, old[(i + 1) % m->njoint]);
}

// ---- gains ----
static void g_10(qi_manifest *m) {
    for (int i = 0; i < m->njoint; i++) dc_w(m->kp)[i] *= 10;
}
static void g_tenth(qi_manifest *m) {
    for (int i = 0; i < m->njoint; i++) dc_w(m->kp)[i] *= 0.1;
}
static void g_swap(qi_manifest *m) {
    for (int i = 0; i < m->njoint; i++) {
        double x = m->kp[i];
        dc_w(m->kp)[i] = m->kd[i], dc_w(m->kd)[i] = x;
    }
}
static void g_kd_10(qi_manifest *m) {
    for (int i = 0; i < m->njoint; i++) dc_w(m->kd)[i] = m->kd[i] > 0 ? m->kd[i] * 10 : 10;
}
static void g_reverse(qi_manifest *m) {
    for (int i = 0; i < m->njoint / 2; i++)
        dc_swap(m->kp, i, m->njoint - 1 - i), dc_swap(m->kd, i, m->njoint - 1 - i);
}

// ---- scales ----
static void s_vel_20(qi_manifest *m) { dc_scale(m, QI_TERM_JOINT_VEL, 20); }
static void s_gyro_5(qi_manifest *m) { dc_scale(m, QI_TERM_GYRO, 5); }
static void s_gyro_quarter(qi_manifest *m) { dc_scale(m, QI_TERM_GYRO, 0.25); }
static void s_pos_degrees(qi_manifest *m) { dc_scale(m, QI_TERM_JOINT_POS, 57.29577951308232); }
static void s_command(qi_manifest *m) { dc_scale(m, QI_TERM_COMMAND, 0.25); }
static void s_command_none(qi_manifest *m) {
    qi_term *t = dc_term(m, 0, QI_TERM_COMMAND);
    for (int i = 0; t && i < t->dim; i++) dc_w(t->scale)[i] = 1;
}

// ---- history ----
static qi_obs_group *dc_group(qi_manifest *m) { return m->obs.history > 1 ? &m->obs : &m->enc; }
static void h_layout(qi_manifest *m) { dc_group(m)->by_term = !dc_group(m)->by_term; }
static void h_age(qi_manifest *m) { dc_group(m)->newest_first = !dc_group(m)->newest_first; }
static void h_both(qi_manifest *m) { h_layout(m), h_age(m); }
static void h_terms(qi_manifest *m) { // gyro and gravity in each other's place
    qi_term *a = dc_term(m, 0, QI_TERM_GYRO), *b = dc_term(m, 0, QI_TERM_GRAVITY), x = *a;
    *a = *b, *b = x;
}
static void h_pos_vel(qi_manifest *m) {
    qi_term *a = dc_term(m, 0, QI_TERM_JOINT_POS), *b = dc_term(m, 0, QI_TERM_JOINT_VEL), x = *a;
    *a = *b, *b = x;
}

// ---- clock ----
static void c_half(qi_manifest *m) { m->clock.hz *= 0.5; }
static void c_twice(qi_manifest *m) { m->clock.hz *= 2; }
static void c_quarter(qi_manifest *m) { m->clock.hz *= 0.25; }

// ---- signs ----
static void n_gravity(qi_manifest *m) { dc_scale(m, QI_TERM_GRAVITY, -1); }
static void n_gyro(qi_manifest *m) { dc_scale(m, QI_TERM_GYRO, -1); }
static void n_action(qi_manifest *m) {
    for (int i = 0; i < m->njoint; i++) dc_w(m->action.scale)[i] *= -1;
}
static void n_joint(qi_manifest *m) { dc_flip(m, 1); }
static void n_vel(qi_manifest *m) { dc_scale(m, QI_TERM_JOINT_VEL, -1); }
static void n_command(qi_manifest *m) { dc_scale(m, QI_TERM_COMMAND, -1); }

// ---- frames ----
static void f_linvel(qi_manifest *m) { dc_term(m, 0, QI_TERM_LIN_VEL)->frame = "world"; }

// ---- rates ----
static void r_twice(qi_manifest *m) { m->rate_hz *= 2; }
static void r_half(qi_manifest *m) { m->rate_hz *= 0.5; }
static void r_four(qi_manifest *m) { m->rate_hz *= 4; }

static void r_quarter(qi_manifest *m) { m->rate_hz *= 0.25; }
static void c_four(qi_manifest *m) { m->clock.hz *= 4; }
static void c_eight(qi_manifest *m) { m->clock.hz *= 8; }
static void n_calf(qi_manifest *m) { dc_flip(m, 2); }
static void n_knee(qi_manifest *m) { dc_flip(m, 9); }
static void n_hip(qi_manifest *m) { dc_flip(m, 0); }
static void f_gyro(qi_manifest *m) {
    for (int g = 0; g < 2; g++)
        if (dc_term(m, g, QI_TERM_GYRO)) dc_term(m, g, QI_TERM_GYRO)->frame = "world";
}
static void s_gyro_20(qi_manifest *m) { dc_scale(m, QI_TERM_GYRO, 20); }
static void s_pos_tenth(qi_manifest *m) { dc_scale(m, QI_TERM_JOINT_POS, 0.1); }

// ---- action ----
static void a_half(qi_manifest *m) {
    for (int i = 0; i < m->njoint; i++) dc_w(m->action.scale)[i] *= 0.25;
}
static void a_four(qi_manifest *m) {
    for (int i = 0; i < m->njoint; i++) dc_w(m->action.scale)[i] *= 4;
}
static void dc_kind(qi_manifest *m, qi_action_kind kind) {
    union {
        const qi_action_kind *in;
        qi_action_kind *out;
    } of = {m->action.of};
    m->action.kind = kind;
    for (int i = 0; i < m->njoint; i++) of.out[i] = kind, dc_w(m->action.offset)[i] = 0;
}
static void a_delta(qi_manifest *m) { dc_kind(m, QI_ACTION_DELTA); }
static void a_no_offset(qi_manifest *m) {
    for (int i = 0; i < m->njoint; i++) dc_w(m->action.offset)[i] = 0;
}

typedef struct doctor_case {
    const char *brain; // which of the five
    const char *name;
    qi_fact fact;
    void (*put)(qi_manifest *m);
} doctor_case;

// Each of these keeps the robot from doing what it is told.
static const doctor_case doctor_cases[] = {
    {"go1", "joints: left and right exchanged", QI_FACT_JOINT_ORDER, o_sides},
    {"go1", "joints: thigh and calf exchanged", QI_FACT_JOINT_ORDER, o_two},
    {"go1", "joints: by type, not by leg", QI_FACT_JOINT_ORDER, o_rotated},
    {"go1", "joints: in reverse", QI_FACT_JOINT_ORDER, o_reverse},
    {"tron1", "joints: left and right exchanged", QI_FACT_JOINT_ORDER, o_pair_6},
    {"g1", "joints: neighbours exchanged", QI_FACT_JOINT_ORDER, o_neighbours},
    {"oli", "joints: left and right exchanged", QI_FACT_JOINT_ORDER, o_sides},
    {"go1", "pose: zero", QI_FACT_DEFAULT_POSE, p_zero},
    {"go1", "pose: in degrees", QI_FACT_DEFAULT_POSE, p_degrees},
    {"go1", "pose: one place too far", QI_FACT_DEFAULT_POSE, p_shifted},
    {"g1", "pose: zero", QI_FACT_DEFAULT_POSE, p_zero},
    {"g1", "pose: other sign", QI_FACT_DEFAULT_POSE, p_negative},
    {"go1", "kp ten times", QI_FACT_GAINS, g_10},
    {"go1", "kp a tenth", QI_FACT_GAINS, g_tenth},
    {"go1", "kd 10", QI_FACT_GAINS, g_kd_10},
    {"tron1", "kp and kd exchanged", QI_FACT_GAINS, g_swap},
    {"g1", "gains in reverse", QI_FACT_GAINS, g_reverse},
    {"oli", "kp a tenth", QI_FACT_GAINS, g_tenth},
    {"oli", "gains in reverse", QI_FACT_GAINS, g_reverse},
    {"go1", "joint_vel times 20", QI_FACT_SCALE, s_vel_20},
    {"go1", "joint_pos in degrees", QI_FACT_SCALE, s_pos_degrees},
    {"go1", "command times 0.25", QI_FACT_SCALE, s_command},
    {"tron1", "command without its scale", QI_FACT_SCALE, s_command_none},
    {"g1", "joint_vel times 20", QI_FACT_SCALE, s_vel_20},
    {"oli", "joint_vel times 20", QI_FACT_SCALE, s_vel_20},
    {"tron1", "gyro times 0.25", QI_FACT_SCALE, s_gyro_quarter},
    {"g1", "history frame by frame", QI_FACT_HISTORY, h_layout},
    {"g1", "history newest first", QI_FACT_HISTORY, h_age},
    {"oli", "history term by term", QI_FACT_HISTORY, h_layout},
    {"tron1", "history term by term, other way", QI_FACT_HISTORY, h_both},
    {"go1", "gyro and gravity exchanged", QI_FACT_HISTORY, h_terms},
    {"go1", "positions and velocities exchanged", QI_FACT_HISTORY, h_pos_vel},
    {"tron1", "clock a quarter", QI_FACT_CLOCK, c_quarter},
    {"go1", "gravity up", QI_FACT_SIGN, n_gravity},
    {"go1", "action other sign", QI_FACT_SIGN, n_action},
    {"go1", "command other sign", QI_FACT_SIGN, n_command},
    {"tron1", "gyro other sign", QI_FACT_SIGN, n_gyro},
    {"g1", "gravity up", QI_FACT_SIGN, n_gravity},
    {"oli", "joint_vel other sign", QI_FACT_SIGN, n_vel},
    {"go1", "linear velocity in the world's frame", QI_FACT_FRAME, f_linvel},
    {"go1", "action scale a quarter", QI_FACT_ACTION, a_half},
    {"go1", "action scale four times", QI_FACT_ACTION, a_four},
    {"go1", "action as a change", QI_FACT_ACTION, a_delta},
    {"go1", "action from zero, not from the pose", QI_FACT_ACTION, a_no_offset},
    {"g1", "action from zero, not from the pose", QI_FACT_ACTION, a_no_offset},
    {"g1", "action scale four times", QI_FACT_ACTION, a_four},
    {"oli", "action as a change", QI_FACT_ACTION, a_delta},
    {"g1", "200 Hz for 50", QI_FACT_RATE, r_four},
    {"g1", "12.5 Hz for 50", QI_FACT_RATE, r_quarter},
    {"oli", "25 Hz for 100", QI_FACT_RATE, r_quarter},
    {"tron1", "clock four times as fast", QI_FACT_CLOCK, c_four},
    {"tron1", "clock eight times as fast", QI_FACT_CLOCK, c_eight},
    {"go1", "one thigh turns the other way", QI_FACT_SIGN, n_joint},
    {"go1", "one calf turns the other way", QI_FACT_SIGN, n_calf},
    {"g1", "one knee turns the other way", QI_FACT_SIGN, n_knee},
    {"oli", "one hip turns the other way", QI_FACT_SIGN, n_hip},
    {"tron1", "one knee turns the other way", QI_FACT_SIGN, n_calf},
    {"g1", "gyro in the world's frame", QI_FACT_FRAME, f_gyro},
    {"oli", "gyro in the world's frame", QI_FACT_FRAME, f_gyro},
    {"tron1", "gyro in the world's frame", QI_FACT_FRAME, f_gyro},
    {"g1", "gyro times 20", QI_FACT_SCALE, s_gyro_20},
    {"g1", "joint_pos times 0.1", QI_FACT_SCALE, s_pos_tenth},
    {"g1", "as a change", QI_FACT_ACTION, a_delta},
    {"tron1", "action scale four times", QI_FACT_ACTION, a_four},
    {"tron1", "action as a change", QI_FACT_ACTION, a_delta},
};
// And these do not: it walks as well, or nearly. Nothing is asked of the doctor but no false cause.
static const doctor_case doctor_harmless[] = {
    {"tron1", "clock half as fast", QI_FACT_CLOCK, c_half},
    {"oli", "pose: other sign", QI_FACT_DEFAULT_POSE, p_negative},
    {"g1", "gyro times 5", QI_FACT_SCALE, s_gyro_5},
    {"oli", "history newest first", QI_FACT_HISTORY, h_age},
    {"tron1", "history the other way round", QI_FACT_HISTORY, h_age},
    {"tron1", "clock twice as fast", QI_FACT_CLOCK, c_twice},
    {"go1", "100 Hz for 50", QI_FACT_RATE, r_twice},
    {"tron1", "100 Hz for 50", QI_FACT_RATE, r_twice},
    {"g1", "25 Hz for 50", QI_FACT_RATE, r_half},
    {"oli", "50 Hz for 100", QI_FACT_RATE, r_half},
    {"go1", "200 Hz for 50", QI_FACT_RATE, r_four},
    {"g1", "100 Hz for 50", QI_FACT_RATE, r_twice},
    {"tron1", "25 Hz for 50", QI_FACT_RATE, r_half},
    {"go1", "25 Hz for 50", QI_FACT_RATE, r_half},
    {"go1", "12.5 Hz for 50", QI_FACT_RATE, r_quarter},
    {"oli", "200 Hz for 100", QI_FACT_RATE, r_twice},
    {"go1", "gyro in the world's frame", QI_FACT_FRAME, f_gyro},
};
enum {
    NCASE = sizeof doctor_cases / sizeof *doctor_cases,
    NHARMLESS = sizeof doctor_harmless / sizeof *doctor_harmless
};

// The five brains, and the robot of each.
static const char *const doctor_brains[][3] = {{"go1", "go1_playground", "go1"},
                                               {"tron1", "tron1_walk", "tron1_maker"},
                                               {"g1", "g1_walk", "g1"},
                                               {"oli", "oli_walk", "oli"},
                                               {"leap", "leap_cube", "leap"}};

// Writes a case's manifest to path. false: d says why.
static bool doctor_write(const char *brain, const qiao_robot *r, const doctor_case *c,
                         const char *path, qiao_diag *d) {
    char from[300];
    snprintf(from, sizeof from, "brains/%s/brain.yaml", brain);
    qi_manifest *m = qi_manifest_load(from, r, d), *q = m ? qi_doctor_clone(m) : NULL;
    if (q && c) c->put(q);
    char *text = q ? qi_manifest_write(q) : NULL;
    bool ok = text && !qiao_file_write(path, text, strlen(text), d);
    free(text), qi_manifest_free(q), qi_manifest_free(m);
    return ok;
}

#endif
