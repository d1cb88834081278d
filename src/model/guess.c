// SPDX-License-Identifier: Apache-2.0
// guess.c - see guess.h.
#include "model/guess.h"

#include "model/sensors.h"

#include <mujoco/mujoco.h>
#include <math.h>
#include <string.h>
#include <strings.h>

static bool has(const char *name, const char *part) { // letters compared without case
    size_t n = strlen(part);
    for (; *name; name++)
        if (strncasecmp(name, part, n) == 0) return true;
    return false;
}

static int first_site(const qiao_model *m, const char *const *parts) {
    for (; *parts; parts++)
        for (int i = 0; i < m->nsite; i++)
            if (has(m->site_name[i], *parts)) return i;
    return -1;
}

bool qi_is_foot(const char *name) { return has(name, "foot") || has(name, "sole"); }

bool qi_is_motor(const qiao_model *q, int i) {
    const mjModel *m = q->mj;
    return m->actuator_gaintype[i] == mjGAIN_FIXED && m->actuator_biastype[i] == mjBIAS_NONE &&
           m->actuator_dyntype[i] == mjDYN_NONE && q->act_joint[i] >= 0 &&
           m->actuator_gainprm[i * mjNGAIN] * q->act_gear[i] != 0;
}

// A motor turns control into torque; anything else follows the model's own law.
static void guess_drives(qiao_robot *r, qiao_drive *drive) {
    const mjModel *m = r->model->mj;
    for (int i = 0; i < r->model->nu; i++) {
        bool motor = qi_is_motor(r->model, i);
        int j = r->model->act_joint[i];
        const double *f = &r->model->act_forcerange[2 * i], *c = &r->model->act_ctrlrange[2 * i];
        double gear = fabs(r->model->act_gear[i]) * fabs(m->actuator_gainprm[i * mjNGAIN]);
        drive[i] = (qiao_drive){.native = !motor, .armature = -1};
        if (motor && c[1] > c[0])
            drive[i].torque_max = fmax(fabs(c[0]), fabs(c[1])) * gear;
        else if (motor && f[1] > f[0])
            drive[i].torque_max = fmax(fabs(f[0]), fabs(f[1]));
        // a joint's own bound: a URDF's effort
        const mjtNum *e = motor && m->jnt_actfrclimited[j] ? &m->jnt_actfrcrange[2 * j] : NULL;
        double most = e ? fmax(fabs(e[0]), fabs(e[1])) : 0;
        if (most > 0 && (drive[i].torque_max == 0 || most < drive[i].torque_max))
            drive[i].torque_max = most;
    }
}

static bool guess_feet(qiao_robot *r, const qi_feet *feet) {
    const qiao_model *m = r->model;
    int *site = qiao_arena_get(r->arena, QI_FEET_MAX * sizeof *site), n = 0;
    for (int i = 0; site && i < m->nsite && n < QI_FEET_MAX; i++) {
        bool foot = feet && feet->n ? false : qi_is_foot(m->site_name[i]);
        for (int k = 0; feet && k < feet->n; k++)
            foot |= strcmp(feet->name[k], m->site_name[i]) == 0;
        for (int k = 0; k < n; k++) // heel and toe are one foot
            foot &= m->site_body[site[k]] != m->site_body[i];
        if (foot) site[n++] = i;
    }
    r->foot_site = site, r->nfoot = n;
    return site != NULL;
}

// By its limbs: legs under a floating base; hands branch early, arms late or never.
static const char *guess_kind(const qiao_robot *r) {
    qi_tree t = qi_tree_of(r->model);
    if (t.floating && r->nfoot >= 2) return r->nfoot == 2 && t.nlong >= 4 ? "humanoid" : "legged";
    if (t.floating) return "other";
    if (t.trunk >= 4) return "arm";
    return t.nleaf >= 3 && t.longest >= 2 ? "hand" : "other";
}

static bool guess_sensors(qiao_robot *r, qiao_diag *d) {
    static const qiao_sensor_kind joint[] = {QIAO_SENSE_JOINT_POS, QIAO_SENSE_JOINT_VEL,
                                             QIAO_SENSE_JOINT_TAU};
    static const qiao_sensor_kind imu[] = {QIAO_SENSE_IMU_QUAT, QIAO_SENSE_IMU_GYRO,
                                           QIAO_SENSE_IMU_ACC};
    qiao_sensor *s = qiao_arena_get(r->arena, 9 * sizeof *s);
    if (!s) return false;
    int n = 0;
    if (qi_scalar_joints(r->model)) s[n++].kind = joint[0], s[n++].kind = joint[1];
    if (r->model->nu) s[n++].kind = joint[2];
    for (int i = 0; i < 3 && r->imu_site >= 0; i++) s[n++].kind = imu[i];
    if (r->nfoot) s[n++].kind = QIAO_SENSE_FOOT_CONTACT;
    for (int i = 0; i < n; i++)
        if (qi_sensor_complete(&s[i], r, r->arena, d)) return false;
    r->sensor = s, r->nsensor = n;
    return true;
}

bool qi_guess_robot(qiao_robot *r, const qi_feet *feet, qiao_diag *d) {
    const qiao_model *m = r->model;
    // the base: the body of the first free joint, else the first body
    bool floating = m->njnt > 0 && m->jnt_type[0] == QIAO_JOINT_FREE;
    r->base = floating ? m->jnt_body[0] : m->nbody > 1 ? 1 : 0;
    if (!guess_feet(r, feet)) return false;
    if (!r->kind) r->kind = guess_kind(r);
    r->imu_site = first_site(m, (const char *const[]){"imu", NULL});
    r->tool_site = first_site(m, (const char *const[]){"tcp", "tool", "grasp", "attachment", NULL});
    r->rest_q = m->nkey > 0 ? m->key_q : m->q0;
    qiao_drive *drive = qiao_arena_get(r->arena, (size_t)(m->nu + 1) * sizeof *drive);
    if (!drive) return false;
    guess_drives(r, drive);
    r->drive = drive;
    return guess_sensors(r, d);
}
