// SPDX-License-Identifier: Apache-2.0
// hold.c - the smallest brain: every drive is held at the robot's rest pose. Copy it to begin.
#include "qiao/brain.h"

#include <string.h>

typedef struct hold {
    int nu;
    double q[]; // [nu] rest position of each actuator's joint
} hold;

static size_t hold_size(const qiao_io *io, int n, qiao_diag *d) {
    (void)n; // all worlds share one pose
    if (!io->robot->model || !io->robot->rest_q) {
        qiao_diag_set(d, QIAO_E_FIT, NULL, 0, 0, "the robot has no rest pose");
        return 0;
    }
    return sizeof(hold) + (size_t)io->nu * sizeof(double);
}

static qiao_err hold_init(void *mem, const qiao_io *io, int n, qiao_diag *d) {
    (void)n;
    hold *h = mem;
    const qiao_robot *r = io->robot;
    h->nu = io->nu;
    for (int i = 0; i < h->nu; i++) {
        int act = qiao_model_actuator(r->model, io->act_name[i]); // by name, never by place
        if (act < 0)
            return qiao_diag_set(d, QIAO_E_FIT, NULL, 0, 0, "no actuator '%s'", io->act_name[i]);
        int joint = r->model->act_joint[act];
        h->q[i] = joint >= 0 ? r->rest_q[r->model->jnt_qadr[joint]] : 0;
    }
    return QIAO_OK;
}

static void hold_reset(void *mem, int world, uint64_t seed) {
    (void)mem, (void)world, (void)seed; // nothing to forget
}

static qiao_err hold_step(void *mem, const qiao_obs *obs, qiao_cmd *cmd) {
    const hold *h = mem;
    for (int w = 0; w < obs->n; w++) {
        if (obs->live && !obs->live[w]) continue;
        for (int i = 0; i < h->nu; i++) {
            int k = w * h->nu + i;
            cmd->q[k] = h->q[i], cmd->qd[k] = 0, cmd->tau[k] = 0;
            cmd->kp[k] = cmd->kd[k] = -1; // the drive's own
        }
    }
    return QIAO_OK;
}

static const qiao_brain_api api = {
    .abi = QIAO_BRAIN_ABI,
    .bytes = sizeof(qiao_brain_api),
    .name = "hold",
    .version = "1.0",
    .rate_hz = 50,
    .need = (const char *const[]){NULL}, // reads no signal
    .size = hold_size,
    .init = hold_init,
    .reset = hold_reset,
    .step = hold_step,
};

__attribute__((visibility("default"))) const qiao_brain_api *qiao_brain_entry(void);
const qiao_brain_api *qiao_brain_entry(void) { return &api; }
