// SPDX-License-Identifier: Apache-2.0
// hold.c - the smallest brain: every drive is held at the robot's rest pose. Copy it to begin.
// It calls nothing of the library, so it can be built anywhere with the header alone.
#include "qiao/brain.h"

#include <stdio.h>
#include <string.h>

typedef struct hold {
    int nu;
    double q[]; // [nu] rest position of each actuator's joint
} hold;

// Index of an actuator in the robot's model: by name, never by place. -1: none.
static int find(const qiao_model *m, const char *actuator) {
    for (int i = 0; i < m->nu; i++)
        if (strcmp(m->act_name[i], actuator) == 0) return i;
    return -1;
}

static size_t hold_size(const qiao_io *io, int n, qiao_diag *d) {
    (void)n; // all worlds share one pose
    if (!io->robot->model || !io->robot->rest_q) {
        snprintf(d->text, sizeof d->text, "the robot has no rest pose");
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
        int act = find(r->model, io->act_name[i]);
        if (act < 0) {
            snprintf(d->text, sizeof d->text, "the robot has no actuator '%s'", io->act_name[i]);
            return QIAO_E_FIT;
        }
        int joint = r->model->act_joint[act]; // -1: it drives something else, a tendon say
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
