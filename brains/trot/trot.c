// SPDX-License-Identifier: Apache-2.0
// trot.c - brain `trot`: a four-legged robot walks to velocity commands.
// Binds signals and actuators by name to room ctl's walker; see README.md for how it walks.
#include "qiao/brain.h"
#include "qiao/ctl.h"

#include <string.h>

static const char *const need[] = {"joint_pos", "joint_vel",    "imu_quat",         "imu_gyro",
                                   "imu_acc",   "foot_contact", "command_velocity", NULL};

typedef struct trot { // shared by all worlds
    const qiao_io *io;
    int n, scan_sig;               // -1: no height scan granted
    const qiao_signal *sig[7];     // as in need
    int adr_q[4][3], adr_qd[4][3]; // in an observation row
    int adr_contact[4], act[4][3]; // act: in a command row
    qiao_ctl_quad *body;
    unsigned char *walk; // [n] of walk_size bytes
    size_t walk_size;
} trot;

static size_t up64(size_t x) { return (x + 63) & ~(size_t)63; }

static size_t size(const qiao_io *io, int n, qiao_diag *d) {
    if (io->robot->nfoot != 4) {
        qiao_diag_set(d, QIAO_E_FIT, io->robot->path, 0, 0,
                      "robot '%s' has %d feet; trot walks on four", io->robot->name,
                      io->robot->nfoot);
        return 0;
    }
    return up64(sizeof(trot)) + up64(qiao_ctl_quad_size()) + (size_t)n * up64(qiao_ctl_walk_size());
}

// Place of element name in a signal, or -1 and d.
static int element(const qiao_signal *s, const char *name, qiao_diag *d) {
    for (int i = 0; i < s->nname; i++)
        if (strcmp(s->element[i], name) == 0) return s->adr + i;
    const char *near = qiao_nearest(name, s->element, s->nname);
    qiao_diag_set(d, QIAO_E_NAME, NULL, 0, 0, "signal '%s' has no '%s'%s%s", s->name, name,
                  near ? "; nearest: " : "", near ? near : "");
    return -1;
}

static qiao_err bind_leg(trot *b, int i, qiao_diag *d) {
    const qiao_robot *r = b->io->robot;
    const qiao_ctl_leg *leg = qiao_ctl_quad_leg(b->body, i);
    for (int k = 0; k < 3; k++) {
        const char *joint = r->model->jnt_name[leg->link[k].joint];
        const char *act = r->model->act_name[leg->link[k].act];
        b->adr_q[i][k] = element(b->sig[0], joint, d);
        b->adr_qd[i][k] = element(b->sig[1], joint, d);
        b->act[i][k] = -1;
        for (int a = 0; a < b->io->nu; a++)
            if (strcmp(b->io->act_name[a], act) == 0) b->act[i][k] = a;
        if (b->adr_q[i][k] < 0 || b->adr_qd[i][k] < 0) return QIAO_E_NAME;
        if (b->act[i][k] < 0)
            return qiao_diag_set(d, QIAO_E_NAME, NULL, 0, 0, "no actuator '%s' to command", act);
    }
    b->adr_contact[i] = element(b->sig[5], r->model->site_name[r->foot_site[i]], d);
    return b->adr_contact[i] < 0 ? QIAO_E_NAME : QIAO_OK;
}

static qiao_err init(void *mem, const qiao_io *io, int n, qiao_diag *d) {
    static const int dim[7] = {0, 0, 4, 3, 3, 4, 3};
    trot *b = mem;
    unsigned char *at = (unsigned char *)mem + up64(sizeof *b);
    b->io = io, b->n = n, b->scan_sig = -1;
    b->body = (qiao_ctl_quad *)(void *)at, at += up64(qiao_ctl_quad_size());
    b->walk = at, b->walk_size = up64(qiao_ctl_walk_size());
    qiao_err e = qiao_ctl_quad_load(io->robot, b->body, d);
    if (e) return e;
    for (int i = 0; i < 7; i++) {
        b->sig[i] = qiao_io_find(io, need[i], d);
        if (!b->sig[i]) return QIAO_E_NAME;
        if (dim[i] && b->sig[i]->dim != dim[i])
            return qiao_diag_set(d, QIAO_E_FIT, NULL, 0, 0, "signal '%s' has %d numbers, not %d",
                                 need[i], b->sig[i]->dim, dim[i]);
    }
    for (int i = 0; i < 4; i++)
        if ((e = bind_leg(b, i, d))) return e;
    for (int i = 0; i < io->nsig; i++)
        if (strcmp(io->sig[i].name, "height_scan") == 0 && io->sig[i].grid_n[0] > 0 &&
            io->sig[i].grid_n[0] * io->sig[i].grid_n[1] == io->sig[i].dim)
            b->scan_sig = i;
    return QIAO_OK;
}

static qiao_ctl_walk *walker(trot *b, int world) {
    return (qiao_ctl_walk *)(void *)(b->walk + (size_t)world * b->walk_size);
}

static void reset(void *mem, int world, uint64_t seed) {
    trot *b = mem;
    (void)seed; // it draws nothing
    qiao_ctl_walk_init(walker(b, world), b->body);
}

static void read_obs(const trot *b, const qiao_obs *obs, int row, qiao_ctl_walk_in *in) {
    const double *x = obs->x + (size_t)row * (size_t)obs->nobs;
    in->t = (double)obs->t_ns[row] * 1e-9, in->dt = b->io->period;
    for (int i = 0; i < 4; i++) {
        for (int k = 0; k < 3; k++)
            in->q[i][k] = x[b->adr_q[i][k]], in->qd[i][k] = x[b->adr_qd[i][k]];
        in->contact[i] = x[b->adr_contact[i]];
    }
    memcpy(in->quat, x + b->sig[2]->adr, sizeof in->quat);
    memcpy(in->gyro, x + b->sig[3]->adr, sizeof in->gyro);
    memcpy(in->acc, x + b->sig[4]->adr, sizeof in->acc);
    memcpy(in->command, x + b->sig[6]->adr, sizeof in->command);
    if (b->scan_sig < 0) return;
    const qiao_signal *s = &b->io->sig[b->scan_sig];
    int64_t stamp = obs->stamp_ns[(size_t)row * (size_t)obs->nsig + (size_t)b->scan_sig];
    if (stamp < 0) return;
    in->scan.n[0] = s->grid_n[0], in->scan.n[1] = s->grid_n[1], in->scan.step = s->grid_step;
    in->scan.center[0] = s->grid_center[0], in->scan.center[1] = s->grid_center[1];
    in->scan.t = (double)stamp * 1e-9, in->scan.z = x + s->adr;
}

// True once every signal that the walker needs has come.
static bool awake(const trot *b, const qiao_obs *obs, int row) {
    for (int i = 0; i < 7; i++) {
        ptrdiff_t k = b->sig[i] - b->io->sig;
        if (obs->stamp_ns[(size_t)row * (size_t)obs->nsig + (size_t)k] < 0 && i != 6) return false;
    }
    return true;
}

static qiao_err step(void *mem, const qiao_obs *obs, qiao_cmd *cmd) {
    trot *b = mem;
    const qiao_robot *r = b->io->robot;
    for (int row = 0; row < obs->n; row++) {
        if (obs->live && !obs->live[row]) continue;
        size_t at = (size_t)row * (size_t)cmd->nu;
        for (int a = 0; a < cmd->nu; a++) { // what is no leg is held where it rests
            cmd->q[at + (size_t)a] = cmd->qd[at + (size_t)a] = cmd->tau[at + (size_t)a] = 0;
            cmd->kp[at + (size_t)a] = cmd->kd[at + (size_t)a] = -1;
            int j = a < r->model->nu ? r->model->act_joint[a] : -1;
            if (j >= 0) cmd->q[at + (size_t)a] = r->rest_q[r->model->jnt_qadr[j]];
        }
        if (!awake(b, obs, row)) continue;
        qiao_ctl_walk_in in = {0};
        qiao_ctl_walk_out out;
        read_obs(b, obs, row, &in);
        qiao_ctl_walk_step(walker(b, row), &in, &out);
        for (int i = 0; i < 4; i++)
            for (int k = 0; k < 3; k++) {
                size_t u = at + (size_t)b->act[i][k];
                cmd->q[u] = out.q[i][k], cmd->qd[u] = out.qd[i][k], cmd->tau[u] = out.tau[i][k];
                cmd->kp[u] = out.kp[i][k], cmd->kd[u] = out.kd[i][k];
            }
    }
    return QIAO_OK;
}

static const qiao_brain_api api = {
    .abi = QIAO_BRAIN_ABI,
    .bytes = sizeof(qiao_brain_api),
    .name = "trot",
    .version = "1.0",
    .rate_hz = 500,
    .need = need,
    .size = size,
    .init = init,
    .reset = reset,
    .step = step,
};

__attribute__((visibility("default"))) const qiao_brain_api *qiao_brain_entry(void);
const qiao_brain_api *qiao_brain_entry(void) { return &api; }
