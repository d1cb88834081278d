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

// A motor turns control into torque; anything else follows the model's own law.
static void guess_drives(qiao_robot *r, qiao_drive *drive) {
    const mjModel *m = r->model->mj;
    for (int i = 0; i < r->model->nu; i++) {
        bool motor = m->actuator_gaintype[i] == mjGAIN_FIXED &&
                     m->actuator_biastype[i] == mjBIAS_NONE &&
                     m->actuator_dyntype[i] == mjDYN_NONE && r->model->act_joint[i] >= 0;
        const double *f = &r->model->act_forcerange[2 * i], *c = &r->model->act_ctrlrange[2 * i];
        double gear = fabs(r->model->act_gear[i]) * fabs(m->actuator_gainprm[i * mjNGAIN]);
        drive[i] = (qiao_drive){.native = !motor, .armature = -1};
        if (motor && c[1] > c[0])
            drive[i].torque_max = fmax(fabs(c[0]), fabs(c[1])) * gear;
        else if (motor && f[1] > f[0])
            drive[i].torque_max = fmax(fabs(f[0]), fabs(f[1]));
    }
}

static bool guess_feet(qiao_robot *r) {
    const qiao_model *m = r->model;
    int *site = qiao_arena_get(r->arena, 16 * sizeof *site), n = 0;
    for (int i = 0; site && i < m->nsite && n < 16; i++)
        if (has(m->site_name[i], "foot") || has(m->site_name[i], "sole")) site[n++] = i;
    r->foot_site = site, r->nfoot = n;
    return site != NULL;
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

bool qi_guess_robot(qiao_robot *r, qiao_diag *d) {
    const qiao_model *m = r->model;
    // the base: the body of the first free joint, else the first body
    bool floating = m->njnt > 0 && m->jnt_type[0] == QIAO_JOINT_FREE;
    r->base = floating ? m->jnt_body[0] : m->nbody > 1 ? 1 : 0;
    if (!guess_feet(r)) return false;
    if (!r->kind)
        r->kind = floating && r->nfoot >= 2                    ? "legged"
                  : !floating && m->njnt >= 5 && m->njnt <= 10 ? "arm"
                                                               : "other";
    r->imu_site = first_site(m, (const char *const[]){"imu", NULL});
    r->tool_site = first_site(m, (const char *const[]){"tcp", "tool", "grasp", "attachment", NULL});
    r->rest_q = m->nkey > 0 ? m->key_q : m->q0;
    qiao_drive *drive = qiao_arena_get(r->arena, (size_t)(m->nu + 1) * sizeof *drive);
    if (!drive) return false;
    guess_drives(r, drive);
    r->drive = drive;
    return guess_sensors(r, d);
}
