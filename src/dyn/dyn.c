// SPDX-License-Identifier: Apache-2.0
// dyn.c - the public calls: one robot in double, groups of robots in lanes.

#include "dyn/ops.h"

#include <math.h>
#include <string.h>

struct qiao_dyn {
    const qi_dyn_ops *op;
    const qi_plan *p;
    const qiao_model *m;
    void *self;
    const double (*axes)[6]; // [nv] of the last kinematics
    const double *M;         // sparse, of the last mass or factor
    double *buf;             // [nv][nv] and more, see lay_out
};
struct qiao_dyn_group {
    const qi_dyn_ops *op;
    void *self;
};

// ---- which instance ----

extern const qi_dyn_ops qi_dyn_d1, qi_dyn_f1, qi_dyn_d2, qi_dyn_f4;
#ifdef __x86_64__
extern const qi_dyn_ops qi_dyn_d1_avx2, qi_dyn_d4_avx2, qi_dyn_f8_avx2, qi_dyn_d8_avx512,
    qi_dyn_f16_avx512;
#endif
const qi_dyn_ops *const qi_dyn_all[] = {
#ifdef __x86_64__
    &qi_dyn_d8_avx512, &qi_dyn_f16_avx512, &qi_dyn_d4_avx2, &qi_dyn_f8_avx2, &qi_dyn_d1_avx2,
#endif
    &qi_dyn_d2,        &qi_dyn_f4,         &qi_dyn_d1,      &qi_dyn_f1};
const int qi_dyn_nall = sizeof qi_dyn_all / sizeof *qi_dyn_all;

const qi_dyn_ops *qi_dyn_best(qiao_real real) {
    for (int i = 0; i < qi_dyn_nall; i++)
        if (qi_dyn_all[i]->real == real && qi_dyn_all[i]->lanes > 1 && qi_dyn_all[i]->usable())
            return qi_dyn_all[i];
    return NULL; // not reached: the plain ones are always usable
}
const qi_dyn_ops *qi_dyn_single(void) {
    for (int i = 0; i < qi_dyn_nall; i++)
        if (qi_dyn_all[i]->real == QIAO_REAL_F64 && qi_dyn_all[i]->lanes == 1 &&
            qi_dyn_all[i]->usable())
            return qi_dyn_all[i];
    return NULL;
}

// ---- memory ----

// [self][plan][instance][scratch]: what is common to one robot and a group
static size_t parts(const qiao_model *m, const qi_dyn_ops *op, size_t head, size_t scratch,
                    size_t at[3]) {
    qi_plan count;
    qi_plan_count(m, &count);
    qi_bump b = {0};
    qi_bump_get(&b, head), at[0] = b.used;
    qi_bump_get(&b, qi_plan_size(m)), at[1] = b.used;
    qi_bump_get(&b, op->size(&count)), at[2] = b.used;
    qi_bump_get(&b, scratch * sizeof(double));
    return b.used;
}
static size_t scratch_of(const qiao_model *m) {
    size_t nv = (size_t)m->nv;
    return 2 * nv * nv + 8 * nv;
}

size_t qiao_dyn_size(const qiao_model *m) {
    size_t at[3];
    if (qi_plan_check(m)) return 0;
    return parts(m, qi_dyn_single(), sizeof(qiao_dyn), scratch_of(m), at);
}

qiao_dyn *qiao_dyn_init(const qiao_model *m, void *mem, qiao_diag *diag) {
    const char *wrong = qi_plan_check(m);
    if (wrong) {
        qiao_diag_set(diag, QIAO_E_UNSUPPORTED, NULL, 0, 0, "dyn: %s", wrong);
        return NULL;
    }
    const qi_dyn_ops *op = qi_dyn_single();
    size_t at[3], bytes = parts(m, op, sizeof(qiao_dyn), scratch_of(m), at);
    memset(mem, 0, bytes);
    qiao_dyn *d = mem;
    const qi_plan *p = qi_plan_init(m, (char *)mem + at[0]);
    void *self = op->init(p, (char *)mem + at[1]);
    *d = (qiao_dyn){.op = op, .p = p, .m = m, .self = self, .buf = (void *)((char *)mem + at[2])};
    return d;
}

static qiao_err finite_all(const double *x, int n) {
    double s = 0;
    for (int i = 0; i < n; i++) s += x[i] * 0;
    return s == 0 ? QIAO_OK : QIAO_E_NAN;
}

// ---- where things are ----

qiao_err qiao_dyn_kinematics(qiao_dyn *d, const double *q) {
    d->axes = d->op->axes(d->self, q);
    return d->p->nv ? finite_all(d->axes[0], 6 * d->p->nv) : QIAO_OK;
}
const double *qiao_dyn_axes(const qiao_dyn *d) { return d->axes ? d->axes[0] : NULL; }

qiao_err qiao_dyn_body(const qiao_dyn *d, int body, double *pos, double *rot) {
    if (body < 0 || body >= d->p->nbody || !d->axes) return QIAO_E_ARG;
    d->op->body(d->self, body, pos, rot);
    return QIAO_OK;
}

// Velocity of the world point p on link l by each coordinate.
static void point_jacobian(const qiao_dyn *d, int l, const double *p, double *jac_p,
                           double *jac_r) {
    const qi_plan *s = d->p;
    size_t nv = (size_t)s->nv;
    if (jac_p) memset(jac_p, 0, 3 * nv * sizeof(double));
    if (jac_r) memset(jac_r, 0, 3 * nv * sizeof(double));
    if (l < 0) return;
    int last = s->link[l].vadr + s->link[l].ndof - 1;
    for (int e = s->row[last]; e < s->row[last + 1]; e++) {
        size_t k = (size_t)s->col[e];
        const double *w = d->axes[k], *v = w + 3;
        for (size_t i = 0, j = 1, h = 2; i < 3; i++, j = (i + 1) % 3, h = (i + 2) % 3) {
            if (jac_r) jac_r[i * nv + k] = w[i];
            if (jac_p) jac_p[i * nv + k] = v[i] + (w[j] * p[h] - w[h] * p[j]);
        }
    }
}
static void carry(const double *pos, const double *rot, const double *a, double *out) {
    for (int i = 0; i < 3; i++)
        out[i] = pos[i] + rot[3 * i] * a[0] + rot[3 * i + 1] * a[1] + rot[3 * i + 2] * a[2];
}

qiao_err qiao_dyn_jacobian(const qiao_dyn *d, int body, const double *point, double *jac_p,
                           double *jac_r) {
    double pos[3], rot[9], p[3];
    qiao_err e = qiao_dyn_body(d, body, pos, rot);
    if (e) return e;
    carry(pos, rot, point ? point : (double[3]){0}, p);
    point_jacobian(d, d->p->body_link[body], p, jac_p, jac_r);
    return QIAO_OK;
}

qiao_err qiao_dyn_site(const qiao_dyn *d, int site, double *pos, double *rot, double *jac_p,
                       double *jac_r) {
    if (site < 0 || site >= d->m->nsite) return QIAO_E_ARG;
    int body = d->m->site_body[site];
    double bp[3], br[9], p[3];
    qiao_err e = qiao_dyn_body(d, body, bp, br);
    if (e) return e;
    carry(bp, br, d->m->site_pos + 3 * site, p);
    if (pos) memcpy(pos, p, sizeof p);
    if (rot) {
        const double *q = d->m->site_quat + 4 * site;
        double w = q[0], x = q[1], y = q[2], z = q[3];
        double s[9] = {1 - 2 * (y * y + z * z), 2 * (x * y - w * z),     2 * (x * z + w * y),
                       2 * (x * y + w * z),     1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
                       2 * (x * z - w * y),     2 * (y * z + w * x),     1 - 2 * (x * x + y * y)};
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < 3; j++)
                rot[3 * i + j] =
                    br[3 * i] * s[j] + br[3 * i + 1] * s[3 + j] + br[3 * i + 2] * s[6 + j];
    }
    point_jacobian(d, d->p->body_link[body], p, jac_p, jac_r);
    return QIAO_OK;
}

static void cross_add(const double *a, const double *b, double *out) {
    out[0] += a[1] * b[2] - a[2] * b[1];
    out[1] += a[2] * b[0] - a[0] * b[2];
    out[2] += a[0] * b[1] - a[1] * b[0];
}

qiao_err qiao_dyn_motion(const qiao_dyn *d, int body, const double *point, const double *qd,
                         double *vel, double *acc) {
    const qi_plan *s = d->p;
    double pos[3], rot[9], p[3], v[6] = {0}, a[6] = {0};
    qiao_err e = qiao_dyn_body(d, body, pos, rot);
    if (e) return e;
    carry(pos, rot, point ? point : (double[3]){0}, p);
    // spatial velocity and acceleration at the world's origin, outward along the way to the body
    int l = s->body_link[body], last = l < 0 ? -1 : s->link[l].vadr + s->link[l].ndof - 1;
    for (int k = last < 0 ? 0 : s->row[last]; last >= 0 && k < s->row[last + 1];) {
        double j[6] = {0}; // motion of one joint
        int own = s->dof_link[s->col[k]];
        for (; k < s->row[last + 1] && s->dof_link[s->col[k]] == own; k++)
            for (int i = 0; i < 6; i++) j[i] += d->axes[s->col[k]][i] * qd[s->col[k]];
        for (int i = 0; i < 6; i++) v[i] += j[i];
        cross_add(v, j, a), cross_add(v, j + 3, a + 3), cross_add(v + 3, j, a + 3);
    }
    // of the point: v + w x p, a + dw x p + w x (v + w x p)
    cross_add(v, p, v + 3);
    cross_add(a, p, a + 3);
    cross_add(v, v + 3, a + 3);
    if (vel) memcpy(vel, v, sizeof v);
    if (acc) memcpy(acc, a, sizeof a);
    return QIAO_OK;
}

// ---- centre of mass and momentum ----

typedef struct lump { // composite body of a link: world axes, about its own origin
    double m, h[3], i[6];
} lump;

qiao_err qiao_dyn_com(qiao_dyn *d, double *com, double *jac) {
    const qi_plan *p = d->p;
    if (!d->axes || !(p->mass > 0)) return QIAO_E_ARG;
    const lump *y = d->op->composite(d->self);
    double c[3] = {0}, pos[3];
    for (int l = 0; l < p->nlink; l++) {
        if (p->link[l].parent >= 0) continue;
        d->op->link_pos(d->self, l, pos);
        for (int i = 0; i < 3; i++) c[i] += (y[l].h[i] + y[l].m * pos[i]) / p->mass;
    }
    if (com) memcpy(com, c, sizeof c);
    for (int k = 0; jac && k < p->nv; k++) {
        int l = p->dof_link[k];
        const double *w = d->axes[k], *v = w + 3;
        double h[3];
        d->op->link_pos(d->self, l, pos);
        for (int i = 0; i < 3; i++) h[i] = y[l].h[i] + y[l].m * pos[i]; // about the world's origin
        for (int i = 0, j = 1, n = 2; i < 3; i++, j = (i + 1) % 3, n = (i + 2) % 3)
            jac[i * p->nv + k] = (y[l].m * v[i] + (w[j] * h[n] - w[n] * h[j])) / p->mass;
    }
    return QIAO_OK;
}

qiao_err qiao_dyn_momentum(qiao_dyn *d, const double *qd, double *h, double *A) {
    const qi_plan *p = d->p;
    double com[3], pos[3], col[6];
    qiao_err e = qiao_dyn_com(d, com, NULL); // leaves the composites in place
    if (e) return e;
    const lump *y = d->op->composite(d->self);
    if (h) memset(h, 0, 6 * sizeof *h);
    for (int k = 0; k < p->nv; k++) {
        int l = p->dof_link[k];
        const double *w = d->axes[k], *s = y[l].i, *hl = y[l].h;
        double v[3], r[3];
        d->op->link_pos(d->self, l, pos);
        for (int i = 0, j = 1, n = 2; i < 3; i++, j = (i + 1) % 3, n = (i + 2) % 3) {
            v[i] = w[3 + i] + (w[j] * pos[n] - w[n] * pos[j]); // of the link's origin
            r[i] = pos[i] - com[i];
        }
        double n0[3] = {s[0] * w[0] + s[3] * w[1] + s[4] * w[2],
                        s[3] * w[0] + s[1] * w[1] + s[5] * w[2],
                        s[4] * w[0] + s[5] * w[1] + s[2] * w[2]};
        for (int i = 0, j = 1, n = 2; i < 3; i++, j = (i + 1) % 3, n = (i + 2) % 3)
            col[i] = y[l].m * v[i] + (w[j] * hl[n] - w[n] * hl[j]);
        for (int i = 0, j = 1, n = 2; i < 3; i++, j = (i + 1) % 3, n = (i + 2) % 3)
            col[3 + i] = n0[i] + (hl[j] * v[n] - hl[n] * v[j]) + (r[j] * col[n] - r[n] * col[j]);
        for (int i = 0; i < 6; i++) {
            if (h) h[i] += col[i] * qd[k];
            if (A) A[i * p->nv + k] = col[i];
        }
    }
    return QIAO_OK;
}

// ---- forces and accelerations ----

qiao_err qiao_dyn_inverse(qiao_dyn *d, const double *q, const double *qd, const double *qdd,
                          double *tau) {
    d->op->inverse(d->self, q, qd, qdd, tau);
    return finite_all(tau, d->p->nv);
}
qiao_err qiao_dyn_forward(qiao_dyn *d, const double *q, const double *qd, const double *tau,
                          double *qdd) {
    d->op->forward(d->self, q, qd, tau, qdd);
    return finite_all(qdd, d->p->nv);
}

qiao_err qiao_dyn_mass(qiao_dyn *d, const double *q, double *M) {
    const qi_plan *p = d->p;
    size_t nv = (size_t)p->nv;
    d->M = d->op->mass(d->self, q);
    if (M) {
        memset(M, 0, nv * nv * sizeof *M);
        for (size_t i = 0; i < nv; i++)
            for (int e = p->row[i]; e < p->row[i + 1]; e++) {
                size_t j = (size_t)p->col[e];
                M[i * nv + j] = M[j * nv + i] = d->M[e];
            }
    }
    return finite_all(d->M, p->nnz);
}
qiao_err qiao_dyn_mass_sparse(const qiao_dyn *d, int *nnz, const int **row, const int **col,
                              const double **val) {
    if (!d->M) return QIAO_E_ARG;
    *nnz = d->p->nnz, *row = d->p->row, *col = d->p->col, *val = d->M;
    return QIAO_OK;
}
qiao_err qiao_dyn_factor(qiao_dyn *d) {
    if (!d->M) return QIAO_E_ARG;
    d->op->factor(d->self);
    for (int i = 0; i < d->p->nv; i++) {
        double pivot = d->M[d->p->row[i + 1] - 1];
        if (!(pivot > 0) || !isfinite(pivot))
            return isfinite(pivot) ? QIAO_E_INFEASIBLE : QIAO_E_NAN;
    }
    return QIAO_OK;
}
qiao_err qiao_dyn_solve(const qiao_dyn *d, double *x) {
    if (!d->M) return QIAO_E_ARG;
    d->op->solve(d->self, x);
    return finite_all(x, d->p->nv);
}

// ---- derivatives ----

qiao_err qiao_dyn_inverse_derivatives(qiao_dyn *d, const double *q, const double *qd,
                                      const double *qdd, double *dq, double *dqd) {
    int nv = d->p->nv;
    d->axes = NULL; // taken at another point; kinematics anew before Jacobians
    d->op->derivatives(d->self, q, qd, qdd, dq, dqd);
    return finite_all(dq, nv * nv) || finite_all(dqd, nv * nv) ? QIAO_E_NAN : QIAO_OK;
}

// qdd = M^-1 (tau - c): each derivative is -M^-1 times that of the inverse at this qdd.
qiao_err qiao_dyn_forward_derivatives(qiao_dyn *d, const double *q, const double *qd,
                                      const double *tau, double *qdd, double *dq, double *dqd,
                                      double *dtau) {
    size_t nv = (size_t)d->p->nv;
    double *tq = d->buf, *tqd = tq + nv * nv, *x = tqd + nv * nv;
    qiao_err e = qiao_dyn_forward(d, q, qd, tau, qdd);
    if (!e) e = qiao_dyn_inverse_derivatives(d, q, qd, qdd, tq, tqd);
    if (!e) e = qiao_dyn_mass(d, q, NULL);
    if (!e) e = qiao_dyn_factor(d);
    if (e) return e;
    for (size_t c = 0; c < 3 * nv; c++) {
        size_t k = c % nv;
        const double *from = c < nv ? tq : c < 2 * nv ? tqd : NULL;
        double *to = c < nv ? dq : c < 2 * nv ? dqd : dtau;
        if (!to) continue;
        for (size_t i = 0; i < nv; i++) x[i] = from ? -from[i * nv + k] : i == k;
        d->op->solve(d->self, x);
        for (size_t i = 0; i < nv; i++) to[i * nv + k] = x[i];
    }
    return QIAO_OK;
}

// ---- lanes ----

int qiao_dyn_lanes(qiao_real real) { return qi_dyn_best(real)->lanes; }

size_t qiao_dyn_group_size(const qiao_model *m, qiao_real real) {
    size_t at[3];
    if (qi_plan_check(m)) return 0;
    return parts(m, qi_dyn_best(real), sizeof(qiao_dyn_group), 0, at);
}
qiao_dyn_group *qiao_dyn_group_init(const qiao_model *m, qiao_real real, void *mem,
                                    qiao_diag *diag) {
    const char *wrong = qi_plan_check(m);
    if (wrong) {
        qiao_diag_set(diag, QIAO_E_UNSUPPORTED, NULL, 0, 0, "dyn: %s", wrong);
        return NULL;
    }
    const qi_dyn_ops *op = qi_dyn_best(real);
    size_t at[3], bytes = parts(m, op, sizeof(qiao_dyn_group), 0, at);
    memset(mem, 0, bytes);
    qiao_dyn_group *g = mem;
    *g = (qiao_dyn_group){
        .op = op, .self = op->init(qi_plan_init(m, (char *)mem + at[0]), (char *)mem + at[1])};
    return g;
}
void qiao_dyn_group_inverse(qiao_dyn_group *g, const void *q, const void *qd, const void *qdd,
                            void *tau) {
    g->op->inverse(g->self, q, qd, qdd, tau);
}
void qiao_dyn_group_forward(qiao_dyn_group *g, const void *q, const void *qd, const void *tau,
                            void *qdd) {
    g->op->forward(g->self, q, qd, tau, qdd);
}
const void *qiao_dyn_group_mass(qiao_dyn_group *g, const void *q) {
    return g->op->mass(g->self, q);
}
void qiao_dyn_group_factor(qiao_dyn_group *g) { g->op->factor(g->self); }
void qiao_dyn_group_solve(const qiao_dyn_group *g, void *x) { g->op->solve(g->self, x); }
const void *qiao_dyn_group_axes(qiao_dyn_group *g, const void *q) {
    return g->op->axes(g->self, q);
}
void qiao_dyn_group_body(const qiao_dyn_group *g, int body, void *pos, void *rot) {
    g->op->body(g->self, body, pos, rot);
}
void qiao_dyn_group_inverse_derivatives(qiao_dyn_group *g, const void *q, const void *qd,
                                        const void *qdd, void *dq, void *dqd) {
    g->op->derivatives(g->self, q, qd, qdd, dq, dqd);
}
qiao_err qiao_dyn_group_inertia(qiao_dyn_group *g, int body, const void *rows) {
    return g->op->own_inertia(g->self, body, rows);
}
void qiao_dyn_group_armature(qiao_dyn_group *g, const void *rows) {
    g->op->own_armature(g->self, rows);
}
