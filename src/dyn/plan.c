// SPDX-License-Identifier: Apache-2.0
// plan.c - a model's flat arrays to a plan: links, frames, merged inertias, sparsity.
// source   J. Denavit, R. Hartenberg, A kinematic notation for lower-pair mechanisms (1955)

#define LANES_T double
#define LANES_N 1
#include "base/lanes_math.h"
#include "dyn/plan.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

// Rotations here are columns: m[0..2] is the image of x.
static void quat_rot(const double *q, double *m) {
    double n = sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]);
    double w = q[0] / n, x = q[1] / n, y = q[2] / n, z = q[3] / n;
    double r[9] = {w * w + x * x - y * y - z * z, 2 * (x * y + w * z),
                   2 * (x * z - w * y),           2 * (x * y - w * z),
                   w * w - x * x + y * y - z * z, 2 * (y * z + w * x),
                   2 * (x * z + w * y),           2 * (y * z - w * x),
                   w * w - x * x - y * y + z * z};
    memcpy(m, r, sizeof r);
}
static void rot_vec(const double *m, const double *a, double *out) {
    double r[3];
    for (int i = 0; i < 3; i++) r[i] = m[i] * a[0] + m[3 + i] * a[1] + m[6 + i] * a[2];
    memcpy(out, r, sizeof r);
}
static void rot_tvec(const double *m, const double *a, double *out) {
    double r[3];
    for (int i = 0; i < 3; i++) r[i] = m[3 * i] * a[0] + m[3 * i + 1] * a[1] + m[3 * i + 2] * a[2];
    memcpy(out, r, sizeof r);
}
static void rot_rot(const double *a, const double *b, double *out) {
    double r[9];
    for (int i = 0; i < 3; i++) rot_vec(a, b + 3 * i, r + 3 * i);
    memcpy(out, r, sizeof r);
}
static void rot_trot(const double *a, const double *b, double *out) { // a' b
    double r[9];
    for (int i = 0; i < 3; i++) rot_tvec(a, b + 3 * i, r + 3 * i);
    memcpy(out, r, sizeof r);
}
// A frame with z on the axis; the identity if the axis is z.
static void axis_rot(const double *axis, double *m) {
    double n = sqrt(axis[0] * axis[0] + axis[1] * axis[1] + axis[2] * axis[2]);
    double z[3] = {axis[0] / n, axis[1] / n, axis[2] / n};
    int k = fabs(z[0]) <= fabs(z[1]) && fabs(z[0]) <= fabs(z[2]) ? 0
            : fabs(z[1]) <= fabs(z[2])                           ? 1
                                                                 : 2;
    double u[3] = {k == 0, k == 1, k == 2}, x[3], s = u[0] * z[0] + u[1] * z[1] + u[2] * z[2];
    for (int i = 0; i < 3; i++) x[i] = u[i] - s * z[i];
    n = sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2]);
    for (int i = 0; i < 3; i++) x[i] /= n;
    double y[3] = {z[1] * x[2] - z[2] * x[1], z[2] * x[0] - z[0] * x[2], z[0] * x[1] - z[1] * x[0]};
    memcpy(m, x, sizeof x), memcpy(m + 3, y, sizeof y), memcpy(m + 6, z, sizeof z);
}

static const double unit[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};

// Adds body b, whose pose in the link is known, to the link's inertia.
static void merge_inertia(qi_plan *p, int b) {
    const qiao_model *m = p->model;
    qi_link *l = &p->link[p->body_link[b]];
    double c[3], r[9], mass = m->body_mass[b], s[6] = {0};
    rot_vec(p->body_rot + 9 * b, m->body_ipos + 3 * b, c);
    quat_rot(m->body_iquat + 4 * b, r);
    rot_rot(p->body_rot + 9 * b, r, r);
    for (int i = 0; i < 3; i++) c[i] += p->body_pos[3 * b + i];
    static const int at[6][2] = {{0, 0}, {1, 1}, {2, 2}, {0, 1}, {0, 2}, {1, 2}};
    double cc = c[0] * c[0] + c[1] * c[1] + c[2] * c[2];
    for (int e = 0; e < 6; e++) {
        int i = at[e][0], j = at[e][1];
        for (int k = 0; k < 3; k++)
            s[e] += m->body_inertia[3 * b + k] * r[3 * k + i] * r[3 * k + j];
        s[e] += mass * ((i == j ? cc : 0) - c[i] * c[j]);
        l->i[e] += s[e];
    }
    for (int i = 0; i < 3; i++) l->h[i] += mass * c[i];
    l->m += mass;
    p->mass += mass;
}

// Adds a link below `parent`; frame and origin are given in the parent link's frame.
static int add_link(qi_plan *p, int parent, int type, const double *rot, const double *pos,
                    int qadr, int vadr) {
    int i = p->nlink++;
    qi_link *l = &p->link[i];
    *l = (qi_link){.type = type, .parent = parent, .qadr = qadr, .vadr = vadr};
    l->ndof = type == QI_BALL || type == QI_MOVE ? 3 : 1;
    memcpy(l->E, rot, sizeof l->E);
    memcpy(l->r, pos, sizeof l->r);
    l->tilt = memcmp(rot, unit, sizeof unit) == 0 ? QI_TILT_0 : QI_TILT_ANY;
    for (int k = 0; k < l->ndof; k++) p->dof_link[vadr + k] = i;
    return i;
}

// The links of body b's joints; its own pose in the last of them.
static void add_body(qi_plan *p, int b) {
    const qiao_model *m = p->model;
    int up = m->body_parent[b], link = p->body_link[up];
    double rot[9], pos[3]; // of the body in `link`
    quat_rot(m->body_quat + 4 * b, rot);
    rot_rot(p->body_rot + 9 * up, rot, rot);
    rot_vec(p->body_rot + 9 * up, m->body_pos + 3 * b, pos);
    for (int i = 0; i < 3; i++) pos[i] += p->body_pos[3 * up + i];
    for (int k = 0; k < m->body_jntnum[b]; k++) {
        int j = m->body_jntadr[b] + k, type = m->jnt_type[j];
        int qadr = m->jnt_qadr[j], vadr = m->jnt_vadr[j];
        double at[3] = {0}, turn[9], lrot[9], lpos[3];
        memcpy(turn, unit, sizeof turn);
        if (type == QIAO_JOINT_FREE) {
            link = add_link(p, -1, QI_MOVE, unit, at, qadr, vadr);
            link = add_link(p, link, QI_BALL, unit, at, qadr + 3, vadr + 3);
            memcpy(rot, unit, sizeof rot), memset(pos, 0, sizeof pos);
            continue;
        }
        // the link's frame in the body's: z on the axis, origin at the anchor
        if (type != QIAO_JOINT_BALL) axis_rot(m->jnt_axis + 3 * j, turn);
        if (type != QIAO_JOINT_SLIDE) memcpy(at, m->jnt_pos + 3 * j, sizeof at);
        rot_rot(rot, turn, lrot);
        rot_vec(rot, at, lpos);
        for (int i = 0; i < 3; i++) lpos[i] += pos[i];
        static const int kind[] = {QI_MOVE, QI_BALL, QI_SLIDE, QI_HINGE};
        link = add_link(p, link, kind[type], lrot, lpos, qadr, vadr);
        if (type != QIAO_JOINT_BALL) p->link[link].q0 = m->qref[qadr];
        // and the body's in the link's
        rot_trot(turn, unit, rot);
        rot_tvec(turn, at, pos);
        for (int i = 0; i < 3; i++) pos[i] = -pos[i];
    }
    p->body_link[b] = link;
    memcpy(p->body_rot + 9 * b, rot, sizeof rot);
    memcpy(p->body_pos + 3 * b, pos, sizeof pos);
    if (link >= 0) merge_inertia(p, b);
}

// Dof i's row: the dofs that carry it, ascending, itself last.
static int fill_row(const qi_plan *p, int i, int *col) {
    int n = 0, own = p->dof_link[i];
    for (int j = i; j >= 0;) {
        if (col) col[n] = j;
        n++;
        if (j > p->link[p->dof_link[j]].vadr) {
            j--;
            continue;
        }
        own = p->link[own].parent;
        j = own < 0 ? -1 : p->link[own].vadr + p->link[own].ndof - 1;
    }
    for (int a = 0; col && a < n / 2; a++) {
        int t = col[a];
        col[a] = col[n - 1 - a], col[n - 1 - a] = t;
    }
    return n;
}

// Counts without memory: links, and entries of the sparse mass matrix.
void qi_plan_count(const qiao_model *m, qi_plan *p) {
    static const int ndof[] = {6, 3, 1, 1};
    *p = (qi_plan){.model = m, .nq = m->nq, .nv = m->nv, .nbody = m->nbody};
    for (int j = 0; j < m->njnt; j++) {
        int above = 0, own = ndof[m->jnt_type[j]];
        for (int b = m->jnt_body[j]; b > 0; b = m->body_parent[b])
            for (int k = m->body_jntadr[b]; k < m->body_jntadr[b] + m->body_jntnum[b]; k++)
                if (k < j) above += ndof[m->jnt_type[k]];
        p->nlink += own == 6 ? 2 : 1;
        p->nnz += own * above + own * (own + 1) / 2;
    }
}

const char *qi_plan_check(const qiao_model *m) {
    for (int b = 1; b < m->nbody; b++)
        if (m->body_parent[b] < 0 || m->body_parent[b] >= b) return "bodies are not in tree order";
    for (int j = 0; j < m->njnt; j++) {
        int t = m->jnt_type[j], b = m->jnt_body[j];
        if (t < QIAO_JOINT_FREE || t > QIAO_JOINT_HINGE) return "unknown joint type";
        if (t == QIAO_JOINT_FREE && (m->body_parent[b] != 0 || m->body_jntnum[b] != 1))
            return "a free joint must be its body's only joint, right below the world";
    }
    if (m->tendon_armature) return "tendon armature is not supported";
    return NULL;
}

// ---- frames that make E sparse ----

static void turn_z(double phi, double *m) {
    double s, c;
    sincosr(phi, &s, &c); // own ones: the same bits on every machine
    double r[9] = {c, s, 0, -s, c, 0, 0, 0, 1};
    memcpy(m, r, sizeof r);
}

// Link i's frame turned by phi about its own z: everything said in it is said anew.
static void reframe(qi_plan *p, int i, double phi) {
    qi_link *l = &p->link[i];
    double m[9], s[9],
        full[9] = {l->i[0], l->i[3], l->i[4], l->i[3], l->i[1], l->i[5], l->i[4], l->i[5], l->i[2]};
    turn_z(phi, m);
    if (l->type == QI_HINGE)
        l->q0 -= phi;
    else
        rot_rot(l->E, m, l->E);
    rot_tvec(m, l->h, l->h);
    rot_trot(m, full, s); // m' I, then its transpose m' (m' I)' = m' I m
    double t[9] = {s[0], s[3], s[6], s[1], s[4], s[7], s[2], s[5], s[8]};
    rot_trot(m, t, s);
    double sym[6] = {s[0], s[4], s[8], s[3], s[6], s[7]};
    memcpy(l->i, sym, sizeof sym);
    for (int c = i + 1; c < p->nlink; c++)
        if (p->link[c].parent == i) {
            p->link[c].tilt = QI_TILT_ANY;
            rot_trot(m, p->link[c].E, p->link[c].E);
            rot_tvec(m, p->link[c].r, p->link[c].r);
        }
    for (int b = 1; b < p->nbody; b++)
        if (p->body_link[b] == i) {
            rot_trot(m, p->body_rot + 9 * b, p->body_rot + 9 * b);
            rot_tvec(m, p->body_pos + 3 * b, p->body_pos + 3 * b);
        }
}

// If child c's axis is square to its parent's x: E = turn about x, the rest goes into q0 (hinge)
// or into c's own frame (slide, then fixed).
static bool tilt_child(qi_plan *p, int c, double near) {
    qi_link *l = &p->link[c];
    double sa = -l->E[7], ca = l->E[8], n = sqrt(sa * sa + ca * ca);
    if (fabs(l->E[6]) > near || (l->type != QI_HINGE && l->type != QI_SLIDE)) return false;
    sa /= n, ca /= n;
    if (fabs(sa) < near) sa = 0, ca = ca > 0 ? 1 : -1;
    if (fabs(ca) < near) ca = 0, sa = sa > 0 ? 1 : -1;
    double x[9] = {1, 0, 0, 0, ca, sa, 0, -sa, ca}, z[9];
    rot_trot(x, l->E, z);
    double phi = atan2r(z[1], z[0]);
    if (l->type == QI_HINGE)
        l->q0 -= phi;
    else
        reframe(p, c, -phi);
    memcpy(l->E, x, sizeof x);
    l->tilt = sa == 0   ? (ca > 0 ? QI_TILT_0 : QI_TILT_180)
              : ca == 0 ? (sa > 0 ? QI_TILT_90 : QI_TILT_270)
                        : QI_TILT_X;
    return true;
}

static void choose_frames(qi_plan *p) {
    const double near = 4e-15; // of rounding: nothing that a file says
    for (int i = 0; i < p->nlink; i++) {
        qi_link *l = &p->link[i];
        bool fixed = l->type == QI_SLIDE && l->tilt != QI_TILT_ANY;
        for (int c = i + 1; c < p->nlink && (l->type == QI_HINGE || l->type == QI_SLIDE) && !fixed;
             c++) {
            const double *z = p->link[c].E + 6;
            if (p->link[c].parent != i || p->link[c].type > QI_SLIDE) continue;
            if (sqrt(z[0] * z[0] + z[1] * z[1]) > near)
                reframe(p, i, atan2r(-z[0], z[1]));
            else
                continue; // parallel: any x will do
            fixed = true;
        }
        for (int c = i + 1; c < p->nlink; c++)
            if (p->link[c].parent == i && p->link[c].tilt == QI_TILT_ANY) tilt_child(p, c, near);
    }
}

static qi_plan *lay_out(const qiao_model *m, qi_bump *b) {
    qi_plan *p = qi_bump_get(b, sizeof *p), none;
    qi_plan *w = p ? p : &none;
    qi_plan_count(m, w);
    size_t nb = (size_t)m->nbody, nv = (size_t)m->nv;
    w->link = qi_bump_get(b, (size_t)w->nlink * sizeof(qi_link));
    w->body_link = qi_bump_get(b, nb * sizeof(int));
    w->body_rot = qi_bump_get(b, nb * 9 * sizeof(double));
    w->body_pos = qi_bump_get(b, nb * 3 * sizeof(double));
    w->armature = qi_bump_get(b, nv * sizeof(double));
    w->dof_link = qi_bump_get(b, nv * sizeof(int));
    w->row = qi_bump_get(b, (nv + 1) * sizeof(int));
    w->col = qi_bump_get(b, (size_t)w->nnz * sizeof(int));
    return p;
}

size_t qi_plan_size(const qiao_model *m) {
    qi_bump b = {0};
    lay_out(m, &b);
    return b.used;
}

qi_plan *qi_plan_init(const qiao_model *m, void *mem) {
    qi_bump bump = {.mem = mem};
    qi_plan *p = lay_out(m, &bump);
    int nlink = p->nlink, nnz = p->nnz;
    p->nlink = p->nnz = 0; // counted again as they are filled
    memcpy(p->gravity, m->gravity, sizeof p->gravity);
    // the world, then every body after its parent
    p->body_link[0] = -1;
    memcpy(p->body_rot, unit, sizeof unit);
    memset(p->body_pos, 0, 3 * sizeof(double));
    for (int b = 1; b < m->nbody; b++) add_body(p, b);
    choose_frames(p);
    for (int i = 0; i < m->nv; i++) {
        p->armature[i] = m->dof_armature[i];
        p->row[i] = p->nnz;
        p->nnz += fill_row(p, i, p->col + p->nnz);
    }
    p->row[m->nv] = p->nnz;
    assert(p->nlink == nlink && p->nnz == nnz);
    (void)nlink, (void)nnz;
    return p;
}
