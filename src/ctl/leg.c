// SPDX-License-Identifier: Apache-2.0
// leg.c - a leg of three hinges: reading it from a model, kinematics, weight and inertia.
#include "qiao/ctl.h"

#include "ctl/legs.h"

// pos, rot of a body in the frame of its ancestor top.
static void pose_in(const qiao_model *m, int body, int top, double pos[3], double rot[9]) {
    set3(pos, 0, 0, 0), identity33(rot);
    for (int b = body; b != top && b > 0; b = m->body_parent[b]) {
        double R[9], p[3];
        rot_quat(R, &m->body_quat[4 * b]);
        mul33v(p, R, pos);
        add3(pos, p, &m->body_pos[3 * b]);
        mul33(rot, R, rot);
    }
}

// The nearest body at or above b that moves by a joint of its own, or 0.
static int mover(const qiao_model *m, int b) {
    while (b > 0 && m->body_jntnum[b] == 0) b = m->body_parent[b];
    return b;
}

// Adds body b, seen at pos, rot, to a link's mass, centre and inertia (about the frame's origin).
static void add_body(const qiao_model *m, int b, const double *pos, const double *rot, double *mass,
                     double *moment, double *I) {
    double c[3], Q[9], RI[9], RIt[9], D[9] = {0}, w = m->body_mass[b];
    mul33v(c, rot, &m->body_ipos[3 * b]);
    add3(c, c, pos);
    rot_quat(Q, &m->body_iquat[4 * b]);
    mul33(Q, rot, Q);
    for (int i = 0; i < 3; i++) D[4 * i] = m->body_inertia[3 * b + i];
    transpose33(RIt, Q), mul33(RI, Q, D), mul33(RI, RI, RIt);
    *mass += w;
    mad3(moment, w, c);
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            I[3 * i + j] += RI[3 * i + j] + w * ((i == j ? dot3(c, c) : 0) - c[i] * c[j]);
}

// Mass, centre and inertia of all bodies fixed to the body top; about the centre, top's axes,
// shifted by -anchor.
static void gather(const qiao_model *m, int top, const double *anchor, double *mass, double *com,
                   double *I) {
    double moment[3] = {0};
    *mass = 0, memset(I, 0, 9 * sizeof *I), set3(com, 0, 0, 0);
    for (int b = 1; b < m->nbody; b++) {
        if (mover(m, b) != top && b != top) continue;
        double pos[3], rot[9];
        pose_in(m, b, top, pos, rot);
        sub3(pos, pos, anchor);
        add_body(m, b, pos, rot, mass, moment, I);
    }
    if (!(*mass > 0)) return;
    for (int i = 0; i < 3; i++) com[i] = moment[i] / *mass;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            I[3 * i + j] -= *mass * ((i == j ? dot3(com, com) : 0) - com[i] * com[j]);
}

void qi_leg_trunk(const qiao_robot *r, double *mass, double com[3], double I[9]) {
    gather(r->model, r->base, (const double[3]){0}, mass, com, I);
}

// A ball around or just above the foot's site, if the model has one.
static void find_ball(const qiao_model *m, int site, qiao_ctl_leg *leg) {
    enum { SPHERE = 2 }; // mjGEOM_SPHERE
    int body = m->site_body[site];
    for (int g = 0; g < m->ngeom; g++) {
        if (m->geom_body[g] != body || m->geom_type[g] != SPHERE) continue;
        double d[3], size = m->geom_size[3 * g];
        sub3(d, &m->geom_pos[3 * g], &m->site_pos[3 * site]);
        if (norm3(d) > size + 0.005 || size <= leg->radius) continue;
        copy3(leg->foot, &m->geom_pos[3 * g]);
        leg->radius = size;
    }
}

static int driver(const qiao_model *m, int joint) {
    for (int a = 0; a < m->nu; a++)
        if (m->act_joint[a] == joint) return a;
    return -1;
}

qiao_err qiao_ctl_leg_load(const qiao_robot *r, int site, qiao_ctl_leg *leg, qiao_diag *d) {
    const qiao_model *m = r->model;
    int chain[3], n = 0;
    for (int b = mover(m, m->site_body[site]); b > 0 && b != r->base;
         b = mover(m, m->body_parent[b])) {
        if (n == 3 || m->body_jntnum[b] != 1 || m->jnt_type[m->body_jntadr[b]] != QIAO_JOINT_HINGE)
            n = 4;
        if (n > 3) break;
        chain[2 - n++] = b;
    }
    if (n != 3)
        return qiao_diag_set(d, QIAO_E_FIT, r->path, 0, 0,
                             "the leg to foot '%s' is not a chain of three hinges from '%s'",
                             m->site_name[site], m->body_name[r->base]);
    memset(leg, 0, sizeof *leg);
    int up = r->base;
    double up_anchor[3] = {0};
    for (int k = 0; k < 3; k++) {
        qiao_ctl_link *l = &leg->link[k];
        int j = m->body_jntadr[chain[k]], v = m->jnt_vadr[j];
        double p[3];
        l->joint = j, l->act = driver(m, j);
        if (l->act < 0)
            return qiao_diag_set(d, QIAO_E_FIT, r->path, 0, 0, "no actuator drives joint '%s'",
                                 m->jnt_name[j]);
        pose_in(m, chain[k], up, l->pos, l->rot);
        mul33v(p, l->rot, &m->jnt_pos[3 * j]);
        add3(l->pos, l->pos, p), sub3(l->pos, l->pos, up_anchor);
        copy3(l->axis, &m->jnt_axis[3 * j]), copy3(up_anchor, &m->jnt_pos[3 * j]);
        l->range[0] = m->jnt_range[2 * j], l->range[1] = m->jnt_range[2 * j + 1];
        l->armature = m->dof_armature[v], l->damping = m->dof_damping[v];
        l->friction = m->dof_friction[v], l->torque_max = r->drive[l->act].torque_max;
        if (r->drive[l->act].armature >= 0) l->armature = r->drive[l->act].armature;
        gather(m, chain[k], up_anchor, &l->mass, l->com, l->inertia);
        up = chain[k];
    }
    double R[9], p[3];
    pose_in(m, m->site_body[site], up, p, R);
    copy3(leg->foot, &m->site_pos[3 * site]);
    find_ball(m, site, leg);
    mul33v(leg->foot, R, leg->foot);
    add3(leg->foot, leg->foot, p), sub3(leg->foot, leg->foot, up_anchor);
    return QIAO_OK;
}

void qiao_ctl_leg_forward(const qiao_ctl_leg *leg, const double q[3], qiao_ctl_leg_pose *o) {
    double pos[3] = {0}, rot[9];
    identity33(rot);
    for (int k = 0; k < 3; k++) {
        const qiao_ctl_link *l = &leg->link[k];
        double p[3], R[9];
        mul33v(p, rot, l->pos), add3(pos, pos, p), mul33(rot, rot, l->rot);
        copy3(o->at[k], pos), mul33v(o->axis[k], rot, l->axis);
        rot_axis(R, l->axis, q[k]), mul33(rot, rot, R);
        mul33v(p, rot, l->com), add3(o->com[k], pos, p);
        memcpy(o->rot[k], rot, sizeof rot);
    }
    double p[3];
    mul33v(p, rot, leg->foot), add3(o->foot, pos, p);
    for (int k = 0; k < 3; k++) {
        double arm[3], c[3];
        sub3(arm, o->foot, o->at[k]), cross3(c, o->axis[k], arm);
        for (int i = 0; i < 3; i++) o->J[3 * i + k] = c[i];
    }
}

double qiao_ctl_leg_inverse(const qiao_ctl_leg *leg, const double foot[3], double q[3]) {
    qiao_ctl_leg_pose o;
    double damp = 1e-6, e[3], left;
    qiao_ctl_leg_forward(leg, q, &o);
    sub3(e, foot, o.foot), left = norm3(e);
    for (int it = 0; it < 20 && left > 1e-9; it++) {
        // dq = J' (J J' + damp)^-1 e
        double S[9], Jt[9], y[3], dq[3], next[3];
        transpose33(Jt, o.J), mul33(S, o.J, Jt);
        for (int i = 0; i < 3; i++) S[4 * i] += damp;
        solve33(y, S, e), mul33tv(dq, o.J, y);
        for (int k = 0; k < 3; k++) {
            const double *lim = leg->link[k].range;
            next[k] = q[k] + clampd(dq[k], -0.5, 0.5);
            if (lim[0] < lim[1]) next[k] = clampd(next[k], lim[0], lim[1]);
        }
        qiao_ctl_leg_pose on;
        double en[3];
        qiao_ctl_leg_forward(leg, next, &on);
        sub3(en, foot, on.foot);
        if (norm3(en) < left) {
            copy3(q, next), copy3(e, en), o = on, left = norm3(en);
            damp = damp > 1e-8 ? damp / 10 : damp;
        } else {
            damp *= 10;
        }
    }
    return left;
}

void qiao_ctl_leg_dynamics(const qiao_ctl_leg *leg, const qiao_ctl_leg_pose *o, const double g_b[3],
                           double tau[3], double M[9]) {
    set3(tau, 0, 0, 0);
    if (M) memset(M, 0, 9 * sizeof *M);
    for (int i = 0; i < 3; i++) { // link i hangs on joints 0..i
        const qiao_ctl_link *l = &leg->link[i];
        double v[3][3], Iw[3][3];
        for (int k = 0; k <= i; k++) {
            double arm[3], t[3];
            sub3(arm, o->com[i], o->at[k]), cross3(v[k], o->axis[k], arm);
            tau[k] -= l->mass * dot3(v[k], g_b);
            mul33tv(t, o->rot[i], o->axis[k]), mul33v(t, l->inertia, t);
            mul33v(Iw[k], o->rot[i], t);
        }
        for (int k = 0; M && k <= i; k++)
            for (int j = 0; j <= i; j++)
                M[3 * k + j] += l->mass * dot3(v[k], v[j]) + dot3(o->axis[k], Iw[j]);
    }
    for (int k = 0; M && k < 3; k++) M[4 * k] += leg->link[k].armature;
}
