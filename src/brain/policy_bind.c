// SPDX-License-Identifier: Apache-2.0
// policy_bind.c - a policy on a body: every name found, every number given its place in one block.
#include "brain/policy.h"
#include "ctl/vec.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct bump { // counts, and hands out if there is memory
    uint8_t *mem;
    size_t n;
} bump;

static void *take(bump *b, size_t count, size_t each) {
    size_t bytes = (count * each + 63) & ~(size_t)63;
    void *p = b->mem ? b->mem + b->n : NULL;
    b->n += bytes;
    return p;
}

// Lays a bound policy out; with no memory it only counts.
typedef struct plan {
    qi_bound *k;
    int *act, *qadr, *vadr, *due, *jq, *jx;
    double *lo, *hi, *hold;
    qi_bterm *obs, *enc;
    int *jadr; // [terms][njoint]
    void *dyn;
} plan;

static size_t port_bytes(const qiao_nn_port *p, int n) {
    return (size_t)p->size * (size_t)n * sizeof(float);
}

static size_t largest_term(const qi_manifest *m) {
    int most = 8;
    const qi_obs_group *g[2] = {&m->obs, &m->enc};
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < g[k]->nterm; i++)
            if (g[k]->term[i].dim > most) most = g[k]->term[i].dim;
    return (size_t)most;
}

static size_t lay_out(const qi_policy *p, const qiao_io *io, int n, uint8_t *mem, plan *pl) {
    const qi_manifest *m = p->m;
    bump b = {mem, 0};
    qi_bound own, *k = take(&b, 1, sizeof *k);
    if (!k) k = &own;
    memset(k, 0, sizeof *k);
    size_t nj = (size_t)m->njoint, N = (size_t)n;
    const qiao_model *q = io->robot->model;
    k->p = p, k->m = m, k->io = io, k->n = n, k->nj = m->njoint;
    pl->k = k;
    pl->act = take(&b, nj, sizeof(int)), pl->qadr = take(&b, nj, sizeof(int));
    pl->vadr = take(&b, nj, sizeof(int)), pl->due = take(&b, N, sizeof(int));
    pl->lo = take(&b, nj, sizeof(double)), pl->hi = take(&b, nj, sizeof(double));
    pl->hold = take(&b, 3 * (size_t)io->nu, sizeof(double));
    pl->obs = take(&b, (size_t)m->obs.nterm, sizeof(qi_bterm));
    pl->enc = take(&b, (size_t)m->enc.nterm, sizeof(qi_bterm));
    pl->jadr = take(&b, (size_t)(m->obs.nterm + m->enc.nterm) * nj, sizeof(int));
    pl->jq = take(&b, (size_t)q->njnt, sizeof(int)),
    pl->jx = take(&b, (size_t)q->njnt, sizeof(int));
    k->ws = take(&b, N, sizeof *k->ws);
    k->raw = take(&b, N * nj, sizeof(double)), k->clipped = take(&b, N * nj, sizeof(double));
    k->sent = take(&b, N * nj, sizeof(double)), k->target = take(&b, N * nj, sizeof(double));
    k->before = take(&b, N * nj, sizeof(double));
    k->obs.hist = take(&b, N * (size_t)m->obs.size, sizeof(float));
    k->enc.hist = take(&b, N * (size_t)m->enc.size, sizeof(float));
    for (int i = 0; i < m->nstate; i++) k->nstate += qiao_nn_input(p->net, p->st_in[i])->size;
    k->state = take(&b, N * (size_t)k->nstate, sizeof(float));
    k->place = take(&b, N, sizeof *k->place);
    if (p->in_time >= 0) k->mrow = take(&b, N * (7 + 2 * nj), sizeof(double));
    for (int i = 0; i < qiao_nn_inputs(p->net); i++)
        k->in[i] = take(&b, 1, port_bytes(qiao_nn_input(p->net, i), n));
    for (int i = 0; i < qiao_nn_outputs(p->net); i++)
        k->out[i] = take(&b, 1, port_bytes(qiao_nn_output(p->net, i), n));
    k->work = take(&b, 1, qiao_nn_work(p->net, n));
    if (p->enc) {
        k->ein = take(&b, 1, port_bytes(qiao_nn_input(p->enc, p->in_enc), n));
        for (int i = 0; i < qiao_nn_outputs(p->enc); i++)
            k->eout[i] = take(&b, 1, port_bytes(qiao_nn_output(p->enc, i), n));
        k->ework = take(&b, 1, qiao_nn_work(p->enc, n));
    }
    k->scratch = take(&b, largest_term(m), sizeof(double));
    pl->dyn = take(&b, 1, qiao_dyn_size(q));
    k->q = take(&b, (size_t)q->nq, sizeof(double));
    return b.n;
}

// ---- names ----

static qiao_err no_signal(const qi_bound *k, qi_mark at, const char *name, qiao_diag *d) {
    qiao_diag own = {0};
    qiao_io_find(k->io, name, &own);
    return qi_manifest_fault(k->m, at, QIAO_E_NAME, d, "%s", own.text);
}

static const qiao_signal *find(const qiao_io *io, const char *name) {
    for (int i = 0; i < io->nsig; i++)
        if (strcmp(io->sig[i].name, name) == 0) return &io->sig[i];
    return NULL;
}

static int element(const qiao_signal *s, const char *name) {
    for (int i = 0; i < s->nname; i++)
        if (strcmp(s->element[i], name) == 0) return i;
    return -1;
}

// Place of a joint's number in the row of a signal by joint.
static int joint_adr(const qi_bound *k, const qiao_signal *s, int j, qi_mark at, qiao_diag *d) {
    const char *name = k->m->joint[j];
    int e = element(s, name);
    if (e >= 0) return s->adr + e;
    const char *near = qiao_nearest(name, s->element, s->nname);
    qi_manifest_fault(k->m, at, QIAO_E_NAME, d,
                      "the signal '%s' of '%s' has no joint '%.80s'%s%s%s", s->name,
                      k->io->robot->name, name, near ? "; did you mean '" : "", near ? near : "",
                      near ? "'?" : "");
    return -1;
}

static qiao_err bind_joints(plan *pl, qiao_diag *d) {
    qi_bound *k = pl->k;
    const qiao_model *q = k->io->robot->model;
    const qiao_signal *pos = find(k->io, "joint_pos"), *vel = find(k->io, "joint_vel");
    if (!pos) return no_signal(k, (qi_mark){0}, "joint_pos", d);
    k->sig_joint = (int)(pos - k->io->sig);
    for (int j = 0; j < k->nj; j++) {
        const char *name = k->m->joint[j];
        qi_mark at = k->m->joint_at[j];
        int jnt = qiao_model_joint(q, name);
        if (jnt < 0) {
            const char *near = qiao_nearest(name, q->jnt_name, q->njnt);
            return qi_manifest_fault(k->m, at, QIAO_E_NAME, d, "'%s' has no joint '%.80s'%s%s%s",
                                     k->io->robot->name, name, near ? "; did you mean '" : "",
                                     near ? near : "", near ? "'?" : "");
        }
        pl->act[j] = -1;
        for (int i = 0; i < k->io->nu; i++) {
            int a = qiao_model_actuator(q, k->io->act_name[i]);
            if (a >= 0 && q->act_joint[a] == jnt) pl->act[j] = i;
        }
        if (pl->act[j] < 0)
            return qi_manifest_fault(k->m, at, QIAO_E_FIT, d, "no drive of '%s' moves '%.80s'",
                                     k->io->robot->name, name);
        if ((pl->qadr[j] = joint_adr(k, pos, j, at, d)) < 0) return QIAO_E_NAME;
        pl->vadr[j] = vel ? joint_adr(k, vel, j, at, d) : -1;
        if (vel && pl->vadr[j] < 0) return QIAO_E_NAME;
        const double *reach = k->m->action.reach + 2 * j, *range = q->jnt_range + 2 * jnt;
        if (isnan(reach[0])) reach = range;
        bool none = reach[0] == 0 && reach[1] == 0;
        pl->lo[j] = none ? 1 : reach[0], pl->hi[j] = none ? -1 : reach[1];
    }
    k->act = pl->act, k->qadr = pl->qadr, k->vadr = pl->vadr, k->lo = pl->lo, k->hi = pl->hi;
    return QIAO_OK;
}

// What the actuators do that the policy does not move.
static qiao_err bind_hold(plan *pl, qiao_diag *d) {
    qi_bound *k = pl->k;
    const qiao_robot *r = k->io->robot;
    const qiao_model *q = r->model;
    bool hit[64] = {false};
    for (int i = 0; i < k->io->nu; i++) {
        double *h = pl->hold + 3 * i;
        int a = qiao_model_actuator(q, k->io->act_name[i]);
        int jnt = a >= 0 ? q->act_joint[a] : -1;
        h[0] = jnt >= 0 ? r->rest_q[q->jnt_qadr[jnt]] : 0, h[1] = h[2] = -1;
        for (int e = k->m->nhold - 1; e >= 0; e--) { // the first that fits wins
            const struct qi_hold *w = &k->m->hold[e];
            if (fnmatch(w->match, k->io->act_name[i], 0) != 0 &&
                (jnt < 0 || fnmatch(w->match, q->jnt_name[jnt], 0) != 0))
                continue;
            hit[e] = true;
            if (!isnan(w->pose)) h[0] = w->pose;
            h[1] = w->kp, h[2] = w->kd;
        }
    }
    for (int e = 0; e < k->m->nhold; e++) {
        if (hit[e]) continue;
        const char *near = qiao_nearest(k->m->hold[e].match, k->io->act_name, k->io->nu);
        return qi_manifest_fault(k->m, k->m->hold[e].at, QIAO_E_NAME, d,
                                 "hold: '%.60s' fits no drive of '%s'%s%s%s", k->m->hold[e].match,
                                 r->name, near ? "; did you mean '" : "", near ? near : "",
                                 near ? "'?" : "");
    }
    k->hold = pl->hold;
    return QIAO_OK;
}

// ---- terms ----

static const char *usual(qi_term_kind kind) {
    switch (kind) {
    case QI_TERM_GYRO: return "imu_gyro";
    case QI_TERM_GRAVITY:
    case QI_TERM_QUAT:
    case QI_TERM_EULER: return "imu_quat";
    case QI_TERM_LIN_VEL: return "base_vel";
    case QI_TERM_COMMAND: return "command_velocity";
    case QI_TERM_JOINT_POS:
    case QI_TERM_JOINT_ERROR: return "joint_pos";
    case QI_TERM_JOINT_VEL: return "joint_vel";
    case QI_TERM_SCAN: return "height_scan";
    case QI_TERM_OBJECT_POS:
    case QI_TERM_OBJECT_ROT: return "object_pose";
    default: return NULL;
    }
}

// Numbers that the signal of a term must have; 0: any.
static int wants(const qi_term *t) {
    switch (t->kind) {
    case QI_TERM_GYRO:
    case QI_TERM_LIN_VEL:
    case QI_TERM_COMMAND: return 3;
    case QI_TERM_GRAVITY:
    case QI_TERM_QUAT:
    case QI_TERM_EULER: return 4;
    case QI_TERM_SCAN:
    case QI_TERM_SIGNAL: return t->dim;
    default: return 0;
    }
}

static qiao_err bind_object(const qi_bound *k, qi_bterm *b, const qiao_signal *s, qiao_diag *d) {
    const qi_term *t = b->t;
    const qiao_model *q = k->io->robot->model;
    int e = element(s, t->object);
    if (e < 0) {
        const char *near = qiao_nearest(t->object, s->element, s->nname);
        return qi_manifest_fault(
            k->m, t->at, QIAO_E_NAME, d, "the signal '%s' has no object '%.60s'%s%s%s", s->name,
            t->object, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    b->adr = s->adr + 7 * e;
    if (t->kind == QI_TERM_OBJECT_ROT) {
        const qiao_signal *g = find(k->io, t->goal);
        if (!g) return no_signal(k, t->at, t->goal, d);
        if (g->dim != 4 && g->dim != 7)
            return qi_manifest_fault(k->m, t->at, QIAO_E_FIT, d,
                                     "goal: '%s' has %d numbers, a quaternion was expected",
                                     t->goal, g->dim);
        b->goal = g->adr + g->dim - 4;
        return QIAO_OK;
    }
    if (t->goal) {
        const qiao_signal *g = find(k->io, t->goal);
        if (!g) return no_signal(k, t->at, t->goal, d);
        if (g->dim != 3 && g->dim != 7)
            return qi_manifest_fault(k->m, t->at, QIAO_E_FIT, d,
                                     "goal: '%s' has %d numbers, a place was expected", t->goal,
                                     g->dim);
        b->goal = g->adr;
        return QIAO_OK;
    }
    b->site = qiao_model_site(q, t->relative_to);
    b->body = qiao_model_body(q, t->relative_to);
    if (b->site >= 0 || b->body >= 0) return QIAO_OK;
    const char *near = qiao_nearest(t->relative_to, q->site_name, q->nsite);
    if (!near) near = qiao_nearest(t->relative_to, q->body_name, q->nbody);
    return qi_manifest_fault(k->m, t->at, QIAO_E_NAME, d,
                             "relative_to: '%s' has no site or body '%.60s'%s%s%s",
                             k->io->robot->name, t->relative_to, near ? "; did you mean '" : "",
                             near ? near : "", near ? "'?" : "");
}

static qiao_err bind_term(const qi_bound *k, qi_bterm *b, int *jadr, qiao_diag *d) {
    const qi_term *t = b->t;
    const char *name = t->source ? t->source : usual(t->kind);
    b->adr = b->goal = b->body = b->site = -1;
    if (t->kind == QI_TERM_ANCHOR_ORI || t->kind == QI_TERM_ANCHOR_POS) {
        const char *anchor = k->m->motion.anchor;
        const qiao_model *q = k->io->robot->model;
        b->body = anchor ? qiao_model_body(q, anchor) : k->io->robot->base;
        if (b->body >= 0) return QIAO_OK;
        const char *near = qiao_nearest(anchor, q->body_name, q->nbody);
        return qi_manifest_fault(k->m, k->m->motion.at, QIAO_E_NAME, d,
                                 "anchor: '%s' has no body '%.60s'%s%s%s", k->io->robot->name,
                                 anchor, near ? "; did you mean '" : "", near ? near : "",
                                 near ? "'?" : "");
    }
    if (!name) return QIAO_OK;
    const qiao_signal *s = find(k->io, name);
    if (!s) return no_signal(k, t->at, name, d);
    b->adr = s->adr;
    if (wants(t) && wants(t) != s->dim)
        return qi_manifest_fault(k->m, t->at, QIAO_E_FIT, d,
                                 "%s: the signal '%s' has %d numbers here, %d were expected",
                                 t->name, s->name, s->dim, wants(t));
    if (t->kind == QI_TERM_OBJECT_POS || t->kind == QI_TERM_OBJECT_ROT)
        return bind_object(k, b, s, d);
    if (t->kind != QI_TERM_JOINT_POS && t->kind != QI_TERM_JOINT_VEL &&
        t->kind != QI_TERM_JOINT_ERROR)
        return QIAO_OK;
    b->jadr = jadr;
    for (int i = 0; i < t->njoint; i++)
        if ((jadr[i] = joint_adr(k, s, t->joint[i], t->at, d)) < 0) return QIAO_E_NAME;
    return QIAO_OK;
}

static qiao_err bind_group(plan *pl, const qi_obs_group *g, qi_bterm *t, int *jadr, qi_bgroup *to,
                           qiao_diag *d) {
    for (int i = 0; i < g->nterm; i++) {
        t[i] = (qi_bterm){.t = &g->term[i]};
        qiao_err e = bind_term(pl->k, &t[i], jadr + i * pl->k->nj, d);
        if (e) return e;
    }
    to->g = g, to->t = t;
    return QIAO_OK;
}

// ---- kinematics ----

static bool needs_kinematics(const qi_bound *k) {
    const qi_bgroup *g[2] = {&k->obs, &k->enc};
    for (int a = 0; a < 2; a++)
        for (int i = 0; g[a]->g && i < g[a]->g->nterm; i++) {
            const qi_bterm *b = &g[a]->t[i];
            if (b->site >= 0 || (b->body >= 0 && b->body != k->io->robot->base) ||
                (b->t->kind == QI_TERM_OBJECT_POS && b->goal < 0))
                return true;
        }
    return false;
}

static qiao_err bind_kinematics(plan *pl, qiao_diag *d) {
    qi_bound *k = pl->k;
    const qiao_robot *r = k->io->robot;
    const qiao_model *q = r->model;
    const qiao_signal *s = find(k->io, "joint_pos"), *pose = find(k->io, "base_pose");
    k->base_pose = pose ? pose->adr : -1, k->base_q = -1;
    for (int w = 0; w < k->n; w++) {
        double *at = k->place[w];
        const char *pos =
            k->io->nparam && w < k->io->nworld ? qiao_io_param(k->io, w, "robot.pos") : NULL;
        const char *yaw = pos ? qiao_io_param(k->io, w, "robot.yaw") : NULL;
        if (pos && sscanf(pos, "%lf %lf %lf", &at[0], &at[1], &at[2]) != 3)
            at[0] = at[1] = at[2] = 0;
        at[3] = yaw ? strtod(yaw, NULL) : 0;
    }
    if (!needs_kinematics(k)) return QIAO_OK;
    if (!(k->dyn = qiao_dyn_init(q, pl->dyn, d))) return QIAO_E_UNSUPPORTED;
    for (int i = 0; i < q->njnt; i++) {
        if (q->jnt_type[i] == QIAO_JOINT_FREE) {
            k->base_q = q->jnt_qadr[i];
            continue;
        }
        int e = element(s, q->jnt_name[i]);
        if (e < 0 || q->jnt_type[i] < QIAO_JOINT_SLIDE) continue; // it stays at rest
        pl->jq[k->njq] = q->jnt_qadr[i], pl->jx[k->njq++] = s->adr + e;
    }
    memcpy(k->q, r->rest_q, (size_t)q->nq * sizeof *k->q);
    k->jq = pl->jq, k->jx = pl->jx;
    return QIAO_OK;
}

static void bind_imu(qi_bound *k) {
    const qiao_robot *r = k->io->robot;
    double q[4] = {1, 0, 0, 0};
    if (r->imu_site >= 0) memcpy(q, r->model->site_quat + 4 * r->imu_site, sizeof q);
    unit_quat(q);
    memcpy(k->q_bs, q, sizeof q);
    rot_quat(k->R_bs, q);
}

static int place_of(const qiao_io *io, const char *name) {
    const qiao_signal *s = find(io, name);
    return s ? s->adr : -1;
}

// ---- the calls of a brain ----

size_t qi_policy_size(const qi_policy *p, const qiao_io *io, int n, qiao_diag *d) {
    plan pl = {0};
    if (!io->robot->model) {
        qiao_diag_set(d, QIAO_E_FIT, NULL, 0, 0, "the robot's model is not at hand");
        return 0;
    }
    return lay_out(p, io, n, NULL, &pl);
}

qiao_err qi_policy_init(const qi_policy *p, void *mem, const qiao_io *io, int n, qiao_diag *d) {
    plan pl = {0};
    lay_out(p, io, n, mem, &pl);
    qi_bound *k = pl.k;
    qiao_err e = bind_joints(&pl, d);
    if (!e) e = bind_hold(&pl, d);
    k->quat = place_of(io, "imu_quat"), k->command = place_of(io, "command_velocity");
    k->due = pl.due;
    if (!e) e = bind_group(&pl, &p->m->obs, pl.obs, pl.jadr, &k->obs, d);
    if (!e)
        e = bind_group(&pl, &p->m->enc, pl.enc, pl.jadr + (size_t)p->m->obs.nterm * (size_t)k->nj,
                       &k->enc, d);
    if (!e) bind_imu(k), e = bind_kinematics(&pl, d);
    for (int w = 0; !e && w < n; w++) qi_policy_reset(mem, w);
    return e;
}

void qi_policy_reset(void *mem, int w) {
    qi_bound *k = mem;
    size_t nj = (size_t)k->nj, at = (size_t)w * nj;
    k->ws[w] = (qi_wstate){.phase = k->m->clock.start};
    memset(k->raw + at, 0, nj * sizeof(double)), memset(k->clipped + at, 0, nj * sizeof(double));
    memset(k->sent + at, 0, nj * sizeof(double));
    memcpy(k->target + at, k->m->default_pose, nj * sizeof(double));
    memset(k->obs.hist + (size_t)w * (size_t)k->m->obs.size, 0,
           (size_t)k->m->obs.size * sizeof(float));
    if (k->m->enc.size)
        memset(k->enc.hist + (size_t)w * (size_t)k->m->enc.size, 0,
               (size_t)k->m->enc.size * sizeof(float));
    memset(k->state + (size_t)w * (size_t)k->nstate, 0, (size_t)k->nstate * sizeof(float));
}

void qi_policy_start(void *mem, int w, int64_t decided) {
    qi_bound *k = mem;
    double p = k->m->clock.start + (double)decided / k->m->rate_hz * k->m->clock.hz;
    k->ws[w].decided = decided, k->ws[w].phase = p - floor(p);
}

const float *qi_policy_input(const void *mem, int w) {
    const qi_bound *k = mem;
    return k->obs.hist + (size_t)w * (size_t)k->m->obs.size;
}
const double *qi_policy_action(const void *mem, int w) {
    const qi_bound *k = mem;
    return k->raw + (size_t)w * (size_t)k->nj;
}
