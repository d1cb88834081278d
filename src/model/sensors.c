// SPDX-License-Identifier: Apache-2.0
// sensors.c - the table of sensor kinds: names, units, frames, number of values.
#include "model/sensors.h"

#include <string.h>

static const struct {
    const char *name, *unit, *frame;
} kinds[] = {
    [QIAO_SENSE_JOINT_POS] = {"joint_pos", "rad", "joint"},
    [QIAO_SENSE_JOINT_VEL] = {"joint_vel", "rad/s", "joint"},
    [QIAO_SENSE_JOINT_TAU] = {"joint_tau", "N*m", "joint"},
    [QIAO_SENSE_IMU_QUAT] = {"imu_quat", "1", "world"},
    [QIAO_SENSE_IMU_GYRO] = {"imu_gyro", "rad/s", "imu"},
    [QIAO_SENSE_IMU_ACC] = {"imu_acc", "m/s2", "imu"},
    [QIAO_SENSE_FOOT_CONTACT] = {"foot_contact", "1", "foot"},
    [QIAO_SENSE_FOOT_FORCE] = {"foot_force", "N", "world"},
    [QIAO_SENSE_WRENCH] = {"wrench", "N, N*m", "tool"},
    [QIAO_SENSE_BASE_POSE] = {"base_pose", "m, 1", "world"},
    [QIAO_SENSE_BASE_VEL] = {"base_vel", "m/s", "base"},
    [QIAO_SENSE_BODY_POSE] = {"body_pose", "m, 1", "world"},
    [QIAO_SENSE_HEIGHT_SCAN] = {"height_scan", "m", "base"},
    [QIAO_SENSE_COMMAND] = {"command", "1", "base"},
};
enum { NKIND = sizeof kinds / sizeof *kinds };

int qi_sensor_kind(const char *name) {
    for (int i = 0; i < NKIND; i++)
        if (strcmp(kinds[i].name, name) == 0) return i;
    return -1;
}

const char *qi_sensor_nearest(const char *name) {
    const char *names[NKIND];
    for (int i = 0; i < NKIND; i++) names[i] = kinds[i].name;
    return qiao_nearest(name, names, NKIND);
}

bool qi_sensor_granted(qiao_sensor_kind kind) {
    return kind == QIAO_SENSE_BASE_POSE || kind == QIAO_SENSE_BASE_VEL ||
           kind == QIAO_SENSE_BODY_POSE || kind == QIAO_SENSE_HEIGHT_SCAN ||
           kind == QIAO_SENSE_COMMAND;
}

static bool scalar_joint(int type) { return type == QIAO_JOINT_HINGE || type == QIAO_JOINT_SLIDE; }

int qi_scalar_joints(const qiao_model *m) {
    int n = 0;
    for (int i = 0; i < m->njnt; i++) n += scalar_joint(m->jnt_type[i]);
    return n;
}

// Names of the elements of a signal when the sensor does not give its own.
static bool name_elements(qiao_sensor *s, const qiao_robot *r, qiao_arena *a) {
    const qiao_model *m = r->model;
    int n = 0;
    const char **e = qiao_arena_get(a, (size_t)(m->njnt + m->nu + r->nfoot + 1) * sizeof *e);
    if (!e) return false;
    switch (s->kind) {
    case QIAO_SENSE_JOINT_POS:
    case QIAO_SENSE_JOINT_VEL:
        for (int i = 0; i < m->njnt; i++)
            if (scalar_joint(m->jnt_type[i])) e[n++] = m->jnt_name[i];
        break;
    case QIAO_SENSE_JOINT_TAU:
        for (int i = 0; i < m->nu; i++) e[n++] = m->act_name[i];
        break;
    case QIAO_SENSE_FOOT_CONTACT:
    case QIAO_SENSE_FOOT_FORCE:
        for (int i = 0; i < r->nfoot; i++) e[n++] = m->site_name[r->foot_site[i]];
        break;
    default: break;
    }
    s->nname = n, s->element = e;
    return true;
}

qiao_err qi_sensor_complete(qiao_sensor *s, const qiao_robot *r, qiao_arena *a, qiao_diag *d) {
    if (!s->name) s->name = kinds[s->kind].name;
    if (!s->unit) s->unit = kinds[s->kind].unit;
    if (!s->frame) s->frame = kinds[s->kind].frame;
    if (!s->element && !name_elements(s, r, a))
        return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    switch (s->kind) {
    case QIAO_SENSE_JOINT_POS:
    case QIAO_SENSE_JOINT_VEL:
    case QIAO_SENSE_JOINT_TAU:
    case QIAO_SENSE_FOOT_CONTACT: s->dim = s->nname; break;
    case QIAO_SENSE_FOOT_FORCE: s->dim = 3 * s->nname; break;
    case QIAO_SENSE_IMU_QUAT: s->dim = 4; break;
    case QIAO_SENSE_IMU_GYRO:
    case QIAO_SENSE_IMU_ACC:
    case QIAO_SENSE_BASE_VEL: s->dim = 3; break;
    case QIAO_SENSE_WRENCH: s->dim = 6; break;
    case QIAO_SENSE_BASE_POSE: s->dim = 7; break;
    case QIAO_SENSE_BODY_POSE: s->dim = 7 * s->nname; break;
    case QIAO_SENSE_HEIGHT_SCAN: s->dim = s->grid_n[0] * s->grid_n[1]; break;
    case QIAO_SENSE_COMMAND: break; // as the task says
    }
    bool imu = s->kind == QIAO_SENSE_IMU_QUAT || s->kind == QIAO_SENSE_IMU_GYRO ||
               s->kind == QIAO_SENSE_IMU_ACC;
    if (imu && r->imu_site < 0)
        return qiao_diag_set(d, QIAO_E_FIT, NULL, 0, 0,
                             "sensor '%s' needs the robot's imu site; name it as 'imu:'", s->name);
    if (s->kind == QIAO_SENSE_WRENCH && r->tool_site < 0)
        return qiao_diag_set(d, QIAO_E_FIT, NULL, 0, 0,
                             "sensor '%s' needs the robot's tool site; name it as 'tool:'",
                             s->name);
    if (s->dim < 1 || s->dim > 100000)
        return qiao_diag_set(d, QIAO_E_FIT, NULL, 0, 0,
                             "sensor '%s' would have %d values on this robot", s->name, s->dim);
    return QIAO_OK;
}
