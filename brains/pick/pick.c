// SPDX-License-Identifier: Apache-2.0
// pick.c - brain `pick`: an arm with a parallel hand takes objects and puts them where they belong.
// Binds signals, facts and actuators by name; see README.md for how it works.
#include "pick.h"

static const char *const need[] = {"joint_pos", "object_pose", NULL};

static size_t up64(size_t x) { return (x + 63) & ~(size_t)63; }
static size_t mind_bytes(int n) { return up64(sizeof(pick) + (size_t)n * sizeof(mind)); }

static size_t size(const qiao_io *io, int n, qiao_diag *d) {
    if (!io->robot->gripper || io->robot->tool_site < 0) {
        qiao_diag_set(d, QIAO_E_FIT, io->robot->path, 0, 0,
                      "robot '%s' has no %s; pick needs an arm with a hand", io->robot->name,
                      io->robot->gripper ? "tool" : "gripper");
        return 0;
    }
    return mind_bytes(n) + qiao_ctl_arm_size(io->robot);
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

static int actuator(const qiao_io *io, const char *name, qiao_diag *d) {
    for (int a = 0; a < io->nu; a++)
        if (strcmp(io->act_name[a], name) == 0) return a;
    qiao_diag_set(d, QIAO_E_NAME, NULL, 0, 0, "no actuator '%s' to command", name);
    return -1;
}

static qiao_err bind_arm(pick *b, const qiao_signal *joint_pos, qiao_diag *d) {
    const qiao_model *m = b->io->robot->model;
    for (int i = 0; i < b->chain->n; i++) {
        b->act[i] = actuator(b->io, m->act_name[b->chain->act[i]], d);
        b->adr_q[i] = element(joint_pos, m->jnt_name[b->chain->joint[i]], d);
        if (b->act[i] < 0 || b->adr_q[i] < 0) return QIAO_E_NAME;
        // stiffness in proportion to strength: 600 N*m/rad for 87 N*m
        b->kp[i] = fmin(7 * b->chain->torque[i], 600);
    }
    qiao_ctl_arm_damping(b->arm, b->chain->rest, b->kp, 0.8, b->kd);
    return QIAO_OK;
}

// The hand: an actuator with its own law, and the slides that are no part of the arm.
static qiao_err bind_hand(pick *b, const qiao_signal *joint_pos, qiao_diag *d) {
    const qiao_robot *r = b->io->robot;
    const qiao_model *m = r->model;
    int a = qiao_model_actuator(m, r->gripper);
    b->act_grip = actuator(b->io, r->gripper, d);
    if (b->act_grip < 0) return QIAO_E_NAME;
    b->open_max = a >= 0 ? m->act_ctrlrange[2 * a + 1] : 0;
    for (int j = 0; j < m->njnt; j++) {
        bool arm = false;
        for (int i = 0; i < b->chain->n; i++) arm |= b->chain->joint[i] == j;
        if (arm || m->jnt_type[j] != QIAO_JOINT_SLIDE || b->nfinger == 4) continue;
        b->adr_finger[b->nfinger] = element(joint_pos, m->jnt_name[j], d);
        if (b->adr_finger[b->nfinger++] < 0) return QIAO_E_NAME;
    }
    if (a < 0 || !r->drive[a].native || !(b->open_max > 0) || b->nfinger == 0)
        return qiao_diag_set(d, QIAO_E_FIT, r->path, 0, 0,
                             "gripper '%s' does not take an opening in m (native: true) and move "
                             "sliding fingers",
                             r->gripper);
    return QIAO_OK;
}

// How the tool stands at rest: it has to point down.
static qiao_err bind_tool(pick *b, qiao_diag *d) {
    qiao_ctl_pose p;
    qiao_ctl_arm_forward(b->arm, b->chain->rest, &p, NULL);
    if (p.rot[8] > -0.99)
        return qiao_diag_set(d, QIAO_E_FIT, b->io->robot->path, 0, 0,
                             "the tool of '%s' does not point down in the rest pose",
                             b->io->robot->name);
    copy3(b->rest_x, p.pos), b->rest_x[3] = qi_atan2(p.rot[3], p.rot[0]);
    b->turn0 = b->rest_x[3] - qi_atan2(p.pos[1], p.pos[0]);
    return QIAO_OK;
}

static qiao_err init(void *mem, const qiao_io *io, int n, qiao_diag *d) {
    pick *b = mem;
    b->io = io, b->n = n;
    const qiao_signal *pos = qiao_io_find(io, "joint_pos", d);
    const qiao_signal *obj = qiao_io_find(io, "object_pose", d);
    if (!pos || !obj) return QIAO_E_NAME;
    if (obj->dim != 7 * obj->nname)
        return qiao_diag_set(d, QIAO_E_FIT, NULL, 0, 0,
                             "signal 'object_pose' has %d numbers, not "
                             "7 for each of %d objects",
                             obj->dim, obj->nname);
    b->sig_pose = (int)(obj - io->sig);
    qiao_err e = qiao_ctl_arm_init(io->robot, (unsigned char *)mem + mind_bytes(n), &b->arm, d);
    if (e) return e;
    b->chain = qiao_ctl_arm_chain(b->arm);
    if ((e = bind_arm(b, pos, d)) || (e = bind_hand(b, pos, d)) || (e = bind_tool(b, d))) return e;
    for (int w = 0; w < n && w < io->nworld; w++)
        if ((e = see_facts(b, w, &b->mind[w], d))) return e;
    return QIAO_OK;
}

static void reset(void *mem, int world, uint64_t seed) {
    mind *m = &((pick *)mem)->mind[world];
    (void)seed; // it draws nothing
    m->started = false;
    for (int i = 0; i < m->nthing; i++) {
        thing *t = &m->thing[i];
        t->seen = t->tries = 0, t->stamp = -1;
        set3(t->pos, 0, 0, 0);
    }
}

static void start(const pick *b, mind *m, const double *x) {
    for (int i = 0; i < b->chain->n; i++)
        m->q[i] = clampd(x[b->adr_q[i]], b->chain->range[i][0], b->chain->range[i][1]);
    work_start(b, m);
}

static qiao_err step(void *mem, const qiao_obs *obs, qiao_cmd *cmd) {
    pick *b = mem;
    const int n = b->chain->n;
    for (int row = 0; row < obs->n; row++) {
        if (obs->live && !obs->live[row]) continue;
        mind *m = &b->mind[row];
        size_t at = (size_t)row * (size_t)cmd->nu;
        for (int a = 0; a < cmd->nu; a++) {
            cmd->q[at + (size_t)a] = cmd->qd[at + (size_t)a] = cmd->tau[at + (size_t)a] = 0;
            cmd->kp[at + (size_t)a] = cmd->kd[at + (size_t)a] = -1;
        }
        if (!m->started) start(b, m, obs->x + (size_t)row * (size_t)obs->nobs);
        see(b, m, obs, row);
        work(b, m, b->io->period);
        for (int i = 0; i < n; i++) {
            size_t u = at + (size_t)b->act[i];
            cmd->q[u] = m->q[i], cmd->qd[u] = m->qd[i], cmd->tau[u] = m->tau[i];
            cmd->kp[u] = b->kp[i], cmd->kd[u] = b->kd[i];
        }
        cmd->q[at + (size_t)b->act_grip] = m->grip;
    }
    return QIAO_OK;
}

static const qiao_brain_api api = {
    .abi = QIAO_BRAIN_ABI,
    .bytes = sizeof(qiao_brain_api),
    .name = "pick",
    .version = "1.0",
    .rate_hz = 250,
    .need = need,
    .size = size,
    .init = init,
    .reset = reset,
    .step = step,
};

__attribute__((visibility("default"))) const qiao_brain_api *qiao_brain_entry(void);
const qiao_brain_api *qiao_brain_entry(void) { return &api; }
