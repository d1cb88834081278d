// SPDX-License-Identifier: Apache-2.0
// lanes_plan.c - see lanes_plan.h. source of the rules: MuJoCo 3.17's documentation of its
// computation (constraint model, collision filtering, parameter mixing).
#include "sim/lanes_plan.h"
#include "sim/lanes_alike.h"
#include "sim/lanes_hull.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PER_PAIR = 8, MAX_HFIELD = 50, MAXCON = 4096 };

static void *get(qi_lplan *p, size_t n, size_t size) {
    return qiao_arena_get(p->arena, (n + 1) * size);
}

// ---- constraint parameters ----

static qi_soft soft_of(const mjModel *m, const double ref_[2], const double fric[2],
                       const double imp_[5]) {
    double ref[2] = {ref_[0], ref_[1]}, imp[5];
    memcpy(imp, imp_, sizeof imp);
    bool safe = !(m->opt.disableflags & mjDSBL_REFSAFE);
    if ((ref[0] > 0) != (ref[1] > 0)) ref[0] = 0.02, ref[1] = 1;
    if (safe && ref[0] > 0) ref[0] = fmax(ref[0], 2 * m->opt.timestep);
    for (int i = 0; i < 5; i++) {
        if (i == 0 || i == 1 || i == 3) imp[i] = fmin(mjMAXIMP, fmax(mjMINIMP, imp[i]));
    }
    imp[2] = fmax(0, imp[2]), imp[4] = fmax(1, imp[4]);
    qi_soft s = {.d0 = imp[0], .d1 = imp[1], .width = imp[2], .mid = imp[3], .pw = imp[4]};
    if (imp[0] == imp[1] || imp[2] <= mjMINVAL) s.flat = 1, s.d0 = 0.5 * (imp[0] + imp[1]);
    double d = imp[1];
    s.k = ref[0] > 0 ? 1 / fmax(mjMINVAL, d * d * ref[0] * ref[0] * ref[1] * ref[1])
                     : -ref[0] / fmax(mjMINVAL, d * d);
    s.b = ref[1] > 0 ? 2 / fmax(mjMINVAL, d * ref[0]) : -ref[1] / fmax(mjMINVAL, d);
    s.bf = s.b;
    double f[2] = {fric ? fric[0] : 0, fric ? fric[1] : 0};
    if ((f[0] > 0) != (f[1] > 0)) f[0] = f[1] = 0;
    if (safe && f[0] > 0) f[0] = fmax(f[0], 2 * m->opt.timestep);
    if (f[0] != 0 || f[1] != 0)
        s.bf = f[1] > 0 ? 2 / fmax(mjMINVAL, d * f[0]) : -f[1] / fmax(mjMINVAL, d);
    return s;
}

// Both geoms' parameters become one contact's.
static void mix_geoms(const mjModel *m, int g1, int g2, qi_lpair *p) {
    double ref[2], imp[5], fri[3];
    int pr1 = m->geom_priority[g1], pr2 = m->geom_priority[g2];
    if (pr1 != pr2) {
        int g = pr1 > pr2 ? g1 : g2;
        p->dim = m->geom_condim[g];
        memcpy(ref, m->geom_solref + mjNREF * g, sizeof ref);
        memcpy(imp, m->geom_solimp + mjNIMP * g, sizeof imp);
        memcpy(fri, m->geom_friction + 3 * g, sizeof fri);
    } else {
        p->dim = m->geom_condim[g1] > m->geom_condim[g2] ? m->geom_condim[g1] : m->geom_condim[g2];
        double s1 = m->geom_solmix[g1], s2 = m->geom_solmix[g2], mix;
        if (s1 >= mjMINVAL && s2 >= mjMINVAL)
            mix = s1 / (s1 + s2);
        else
            mix = s1 < mjMINVAL && s2 < mjMINVAL ? 0.5 : s1 < mjMINVAL ? 0 : 1;
        const double *r1 = m->geom_solref + mjNREF * g1, *r2 = m->geom_solref + mjNREF * g2;
        for (int i = 0; i < 2; i++)
            ref[i] = r1[0] > 0 && r2[0] > 0 ? mix * r1[i] + (1 - mix) * r2[i] : fmin(r1[i], r2[i]);
        for (int i = 0; i < 5; i++)
            imp[i] =
                mix * m->geom_solimp[mjNIMP * g1 + i] + (1 - mix) * m->geom_solimp[mjNIMP * g2 + i];
        for (int i = 0; i < 3; i++)
            fri[i] = fmax(m->geom_friction[3 * g1 + i], m->geom_friction[3 * g2 + i]);
    }
    double five[5] = {fri[0], fri[0], fri[1], fri[2], fri[2]};
    for (int i = 0; i < 5; i++) p->friction[i] = fmax(mjMINMU, five[i]);
    p->soft = soft_of(m, ref, NULL, imp);
    p->margin = m->geom_margin[g1] + m->geom_margin[g2];
    p->gap = m->geom_gap[g1] + m->geom_gap[g2];
}

// ---- where things are on links ----

static void quat_columns(const double q[4], double c[9]) {
    double r[9];
    mju_quat2Mat(r, q); // rows
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++) c[3 * k + i] = r[3 * i + k];
}
static void in_link(const qi_lplan *p, int body, const double pos[3], const double quat[4],
                    double *lp, double *lm) {
    const double *R = p->dyn->body_rot + 9 * body, *o = p->dyn->body_pos + 3 * body;
    double c[9];
    for (int i = 0; i < 3; i++)
        lp[i] = o[i] + R[i] * pos[0] + R[3 + i] * pos[1] + R[6 + i] * pos[2];
    if (!lm) return;
    quat_columns(quat, c);
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < 3; i++)
            lm[3 * k + i] = R[i] * c[3 * k] + R[3 + i] * c[3 * k + 1] + R[6 + i] * c[3 * k + 2];
}

// ---- the order of elimination ----

// Trees that are one free body come first, so that what touches several branches fills little.
static bool make_order(qi_lplan *p) {
    const mjModel *m = p->m;
    const qi_plan *y = p->dyn;
    p->hpos = get(p, (size_t)p->nv, sizeof(int)), p->dof_at = get(p, (size_t)p->nv, sizeof(int));
    p->dof_kind = get(p, (size_t)p->nv, sizeof(int));
    p->fill = get(p, (size_t)p->nv, sizeof(qi_bits));
    p->row = get(p, (size_t)p->nv + 1, sizeof(int));
    p->col = get(p, (size_t)(p->nv * p->nv), sizeof(int));
    p->link_dofs = get(p, (size_t)y->nlink, sizeof(qi_bits));
    p->link_parent = get(p, (size_t)y->nlink, sizeof(int));
    if (!p->hpos || !p->dof_at || !p->dof_kind || !p->fill || !p->row || !p->col || !p->link_dofs ||
        !p->link_parent)
        return false;
    for (int i = 0; i < p->nv; i++) {
        int k = i - m->jnt_dofadr[m->dof_jntid[i]];
        p->dof_kind[i] = m->jnt_type[m->dof_jntid[i]] != mjJNT_FREE ? 4 : k < 3 ? k : 3;
    }
    int h = 0;
    for (int round = 0; round < 2; round++)
        for (int t = 0; t < m->ntree; t++) {
            int a = m->tree_dofadr[t], n = m->tree_dofnum[t];
            bool lone = n == 6 && m->jnt_type[m->dof_jntid[a]] == mjJNT_FREE && m->ntree > 1;
            if (lone != (round == 0)) continue;
            for (int i = 0; i < n; i++) p->hpos[a + i] = h, p->dof_at[h++] = a + i;
        }
    for (int i = 0; i < p->nv; i++) p->permuted |= p->hpos[i] != i;
    int n = 0;
    for (int k = 0; k < p->nv; k++) {
        int dof = p->dof_at[k];
        p->row[k] = n;
        for (int e = y->row[dof]; e < y->row[dof + 1] - 1; e++) {
            qi_bit_set(&p->fill[k], p->hpos[y->col[e]]);
            p->col[n++] = p->hpos[y->col[e]];
        }
    }
    p->row[p->nv] = n;
    for (int i = 0; i < y->nlink; i++) {
        const qi_link *l = &y->link[i];
        p->link_parent[i] = l->parent;
        if (l->parent >= 0) p->link_dofs[i] = p->link_dofs[l->parent];
        for (int k = 0; k < l->ndof; k++) qi_bit_set(&p->link_dofs[i], p->hpos[l->vadr + k]);
    }
    return true;
}

// Columns of a constraint between links a and b: what moves one of them, or (joint = 1) any.
static bool make_columns(qi_lplan *p, int a, int b, int joint, int *n, const int **col,
                         const int8_t **side, int *across) {
    qi_bits none = {{0}}, A = a >= 0 ? p->link_dofs[a] : none, B = b >= 0 ? p->link_dofs[b] : none;
    int *c = get(p, (size_t)p->nv, sizeof *c);
    int8_t *s = get(p, (size_t)p->nv, sizeof *s);
    if (!c || !s) return false;
    *n = 0;
    for (int h = 0; h < p->nv; h++) {
        int both = qi_bit_get(&A, h) + 2 * qi_bit_get(&B, h);
        if (both == 0 || (both == 3 && !joint)) continue;
        c[*n] = h, s[(*n)++] = (int8_t)both;
    }
    *across = 0;
    for (int i = 1; i < *n; i++)
        if (!qi_bit_get(&p->fill[c[i]], c[i - 1])) *across = 1;
    *col = c, *side = s;
    if (*n > p->maxcol) p->maxcol = *n;
    return true;
}

// ---- geoms and pairs ----

static int use_geom(qi_lplan *p, int *index, int g) {
    if (index[g] >= 0) return index[g];
    const mjModel *m = p->m;
    int body = m->geom_bodyid[g];
    qi_lgeom *o = &p->geom[p->ngeom];
    *o = (qi_lgeom){.geom = g, .type = m->geom_type[g], .link = p->dyn->body_link[body]};
    o->rbound = m->geom_rbound[g];
    memcpy(o->size, m->geom_size + 3 * g, sizeof o->size);
    in_link(p, body, m->geom_pos + 3 * g, m->geom_quat + 4 * g, o->pos, o->mat);
    return index[g] = p->ngeom++;
}

static int most_contacts(const mjModel *m, int g1, int g2) {
    int a = m->geom_type[g1], b = m->geom_type[g2];
    if (a > b) {
        int t = a;
        a = b, b = t;
    }
    if (a == mjGEOM_HFIELD || b == mjGEOM_HFIELD) return MAX_HFIELD;
    if (a == mjGEOM_PLANE)
        return b == mjGEOM_SPHERE || b == mjGEOM_ELLIPSOID ? 1 : b == mjGEOM_CAPSULE ? 2 : 4;
    if (a == mjGEOM_SPHERE) return 1;
    if (a == mjGEOM_CAPSULE && b <= mjGEOM_BOX) return 2;
    return MAX_PER_PAIR;
}

static bool add_pair(qi_lplan *p, int *index, int g1, int g2, int ipair) {
    const mjModel *m = p->m;
    if (m->geom_type[g1] > m->geom_type[g2]) {
        int t = g1;
        g1 = g2, g2 = t;
    }
    int t1 = m->geom_type[g1], t2 = m->geom_type[g2];
    if (t1 >= mjNGEOMTYPES || t2 >= mjNGEOMTYPES || !mjCOLLISIONFUNC[t1][t2]) return true;
    qi_lpair *o = &p->pair[p->npair];
    int b1 = m->geom_bodyid[g1], b2 = m->geom_bodyid[g2];
    mix_geoms(m, g1, g2, o);
    if (ipair >= 0) {
        o->dim = m->pair_dim[ipair];
        o->margin = m->pair_margin[ipair], o->gap = m->pair_gap[ipair];
        for (int i = 0; i < 5; i++) o->friction[i] = fmax(mjMINMU, m->pair_friction[5 * ipair + i]);
        o->soft = soft_of(m, m->pair_solref + mjNREF * ipair,
                          m->pair_solreffriction + mjNREF * ipair, m->pair_solimp + mjNIMP * ipair);
    }
    int l1 = p->dyn->body_link[b1], l2 = p->dyn->body_link[b2];
    if (!make_columns(p, l1, l2, 0, &o->ncol, &o->col, &o->side, &o->across)) return false;
    if (o->ncol == 0) return true;
    o->a = use_geom(p, index, g1), o->b = use_geom(p, index, g2);
    o->mu = o->friction[0] / sqrt(fmax(mjMINVAL, m->opt.impratio));
    o->tran = m->body_invweight0[2 * b1] + m->body_invweight0[2 * b2];
    o->rot = m->body_invweight0[2 * b1 + 1] + m->body_invweight0[2 * b2 + 1];
    p->maxcon += most_contacts(m, g1, g2);
    o->link[0] = l1, o->link[1] = l2, o->order = p->npair++;
    return true;
}

// Pairs that join the same links with as many rows stand together.
static int compare_links(const qi_lpair *x, const qi_lpair *y) {
    const int a[3] = {x->link[0], x->link[1], x->dim}, b[3] = {y->link[0], y->link[1], y->dim};
    for (int i = 0; i < 3; i++)
        if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
    return 0;
}
static int by_links(const void *x, const void *y) {
    const qi_lpair *a = x, *b = y;
    int c = compare_links(a, b);
    return c ? c : a->order - b->order;
}

static bool may_touch(const mjModel *m, int b1, int b2) {
    int w1 = m->body_weldid[b1], w2 = m->body_weldid[b2];
    if (w1 == w2) return false;
    int p1 = m->body_weldid[m->body_parentid[w1]], p2 = m->body_weldid[m->body_parentid[w2]];
    if (!(m->opt.disableflags & mjDSBL_FILTERPARENT) && w1 != 0 && w2 != 0 &&
        (w1 == p2 || w2 == p1))
        return false;
    int lo = b1 < b2 ? b1 : b2, hi = b1 < b2 ? b2 : b1, sign = (lo << 16) + hi;
    for (int i = 0; i < m->nexclude; i++)
        if (m->exclude_signature[i] == sign) return false;
    return true;
}

static bool make_pairs(qi_lplan *p) {
    const mjModel *m = p->m;
    if (m->opt.disableflags & (mjDSBL_CONTACT | mjDSBL_CONSTRAINT)) return true;
    int *index = get(p, (size_t)m->ngeom, sizeof *index);
    p->geom = get(p, (size_t)m->ngeom, sizeof *p->geom);
    size_t most = (size_t)m->npair;
    for (int g = 0; g < m->ngeom; g++)
        for (int k = g + 1; k < m->ngeom; k++)
            most += (m->geom_contype[g] & m->geom_conaffinity[k]) ||
                    (m->geom_contype[k] & m->geom_conaffinity[g]);
    p->pair = get(p, most, sizeof *p->pair);
    if (!index || !p->geom || !p->pair) return false;
    for (int g = 0; g < m->ngeom; g++) index[g] = -1;
    for (int i = 0; i < m->npair; i++)
        if (!add_pair(p, index, m->pair_geom1[i], m->pair_geom2[i], i)) return false;
    for (int g = 0; g < m->ngeom; g++)
        for (int k = g + 1; k < m->ngeom; k++) {
            if (!(m->geom_contype[g] & m->geom_conaffinity[k]) &&
                !(m->geom_contype[k] & m->geom_conaffinity[g]))
                continue;
            if (!may_touch(m, m->geom_bodyid[g], m->geom_bodyid[k])) continue;
            bool listed = false;
            for (int i = 0; i < m->npair && !listed; i++)
                listed = (m->pair_geom1[i] == g && m->pair_geom2[i] == k) ||
                         (m->pair_geom1[i] == k && m->pair_geom2[i] == g);
            if (!listed && !add_pair(p, index, g, k, -1)) return false;
        }
    if (p->maxcon > MAXCON) p->maxcon = MAXCON;
    qsort(p->pair, (size_t)p->npair, sizeof *p->pair, by_links);
    for (int i = 0; i < p->npair; i++)
        p->pair[i].first = i == 0 || compare_links(&p->pair[i - 1], &p->pair[i]) != 0;
    return true;
}

// ---- joints, tendons, actuators, equalities ----

static qi_soft joint_soft(const mjModel *m, int j) {
    return soft_of(m, m->jnt_solref + mjNREF * j, NULL, m->jnt_solimp + mjNIMP * j);
}

// How far a ball may turn from its reference: one row over its three coordinates.
static void ball_limit(qi_lplan *p, int j) {
    const mjModel *m = p->m;
    int dof = m->jnt_dofadr[j];
    qi_llimit *l = &p->limit[p->nlimit++];
    *l = (qi_llimit){.qadr = m->jnt_qposadr[j], .dof = dof, .tendon = -1, .ball = 1};
    l->hi = fmax(m->jnt_range[2 * j], m->jnt_range[2 * j + 1]), l->margin = m->jnt_margin[j];
    l->invweight = m->dof_invweight0[dof], l->soft = joint_soft(m, j);
    for (int k = 0; k < 3; k++) l->col[k] = p->hpos[dof + k]; // neighbours in any order
    p->nball++;
    if (p->maxcol < 3) p->maxcol = 3;
}

static bool make_joints(qi_lplan *p) {
    const mjModel *m = p->m;
    int off = m->opt.disableflags;
    size_t nv = (size_t)p->nv;
    if (!(p->rest = get(p, (size_t)p->nq, sizeof(double)))) return false;
    memcpy(p->rest, m->qpos_spring, (size_t)p->nq * sizeof(double));
    double **rows[] = {&p->damping, &p->stiffness, &p->force_lo, &p->force_hi};
    for (int i = 0; i < 4; i++)
        if (!(*rows[i] = get(p, nv, sizeof(double)))) return false;
    p->limit = get(p, (size_t)(m->njnt + m->ntendon), sizeof *p->limit);
    p->friction = get(p, nv + (size_t)m->ntendon, sizeof *p->friction);
    if (!p->limit || !p->friction) return false;
    for (int i = 0; i < p->nv; i++) {
        p->force_lo[i] = -INFINITY, p->force_hi[i] = INFINITY;
        p->damping[i] = off & mjDSBL_DAMPER ? 0 : m->dof_damping[i];
        if (m->dof_damping[i] > 0 && !(off & (mjDSBL_DAMPER | mjDSBL_EULERDAMP))) p->damped = 1;
        if (m->dof_frictionloss[i] == 0 || off & (mjDSBL_FRICTIONLOSS | mjDSBL_CONSTRAINT))
            continue;
        qi_soft s = soft_of(m, m->dof_solref + mjNREF * i, NULL, m->dof_solimp + mjNIMP * i);
        double r = fmax(mjMINVAL, (1 - s.d0) * m->dof_invweight0[i] / s.d0);
        p->friction[p->nfriction++] = (qi_lfriction){i, -1, m->dof_frictionloss[i], r, s.b};
    }
    for (int j = 0; j < m->njnt; j++) {
        int t = m->jnt_type[j], dof = m->jnt_dofadr[j], q = m->jnt_qposadr[j];
        for (int k = 0; k < (t == mjJNT_FREE ? 6 : t == mjJNT_BALL ? 3 : 1); k++)
            if (!(off & mjDSBL_SPRING)) p->stiffness[dof + k] = m->jnt_stiffness[j];
        if (t == mjJNT_BALL && m->jnt_limited[j] && !(off & (mjDSBL_LIMIT | mjDSBL_CONSTRAINT)))
            ball_limit(p, j);
        if (t != mjJNT_HINGE && t != mjJNT_SLIDE) continue;
        if (m->jnt_actfrclimited[j])
            p->force_lo[dof] = m->jnt_actfrcrange[2 * j],
            p->force_hi[dof] = m->jnt_actfrcrange[2 * j + 1];
        if (!m->jnt_limited[j] || off & (mjDSBL_LIMIT | mjDSBL_CONSTRAINT)) continue;
        p->limit[p->nlimit++] = (qi_llimit){.qadr = q,
                                            .dof = dof,
                                            .tendon = -1,
                                            .lo = m->jnt_range[2 * j],
                                            .hi = m->jnt_range[2 * j + 1],
                                            .margin = m->jnt_margin[j],
                                            .invweight = m->dof_invweight0[dof],
                                            .soft = joint_soft(m, j)};
    }
    return true;
}

static bool make_tendons(qi_lplan *p) {
    const mjModel *m = p->m;
    int off = m->opt.disableflags;
    p->ntendon = (int)m->ntendon;
    if (!(p->tendon = get(p, (size_t)m->ntendon, sizeof *p->tendon))) return false;
    for (int i = 0; i < p->ntendon; i++) {
        qi_ltendon *t = &p->tendon[i];
        int n = m->tendon_num[i], a = m->tendon_adr[i];
        int *q = get(p, (size_t)n, sizeof *q), *v = get(p, (size_t)n, sizeof *v);
        double *c = get(p, (size_t)n, sizeof *c);
        if (!q || !v || !c) return false;
        for (int k = 0; k < n; k++) {
            int j = m->wrap_objid[a + k];
            q[k] = m->jnt_qposadr[j], v[k] = m->jnt_dofadr[j], c[k] = m->wrap_prm[a + k];
        }
        int *col = get(p, (size_t)n, sizeof *col), across = 0;
        double *cc = get(p, (size_t)n, sizeof *cc);
        if (!col || !cc) return false;
        for (int k = 0; k < n; k++) { // sorted
            int at = k;
            for (; at > 0 && col[at - 1] > p->hpos[v[k]]; at--)
                col[at] = col[at - 1], cc[at] = cc[at - 1];
            col[at] = p->hpos[v[k]], cc[at] = c[k];
        }
        for (int k = 1; k < n; k++) across |= !qi_bit_get(&p->fill[col[k]], col[k - 1]);
        if (n > p->maxcol) p->maxcol = n;
        *t = (qi_ltendon){.n = n,
                          .qadr = q,
                          .dof = v,
                          .coef = c,
                          .col = col,
                          .colcoef = cc,
                          .across = across,
                          .force_lo = -INFINITY,
                          .force_hi = INFINITY};
        if (!(off & mjDSBL_SPRING)) t->stiffness = m->tendon_stiffness[i];
        if (!(off & mjDSBL_DAMPER)) t->damping = m->tendon_damping[i];
        memcpy(t->spring, m->tendon_lengthspring + 2 * i, sizeof t->spring);
        if (m->tendon_actfrclimited[i])
            t->force_lo = m->tendon_actfrcrange[2 * i],
            t->force_hi = m->tendon_actfrcrange[2 * i + 1];
        if (m->tendon_frictionloss[i] > 0 && !(off & (mjDSBL_FRICTIONLOSS | mjDSBL_CONSTRAINT))) {
            qi_soft s = soft_of(m, m->tendon_solref_fri + mjNREF * i, NULL,
                                m->tendon_solimp_fri + mjNIMP * i);
            double r = fmax(mjMINVAL, (1 - s.d0) * m->tendon_invweight0[i] / s.d0);
            p->friction[p->nfriction++] = (qi_lfriction){-1, i, m->tendon_frictionloss[i], r, s.b};
        }
        if (m->tendon_limited[i] && !(off & (mjDSBL_LIMIT | mjDSBL_CONSTRAINT)))
            p->limit[p->nlimit++] =
                (qi_llimit){.qadr = -1,
                            .dof = -1,
                            .tendon = i,
                            .lo = m->tendon_range[2 * i],
                            .hi = m->tendon_range[2 * i + 1],
                            .margin = m->tendon_margin[i],
                            .invweight = m->tendon_invweight0[i],
                            .soft = soft_of(m, m->tendon_solref_lim + mjNREF * i, NULL,
                                            m->tendon_solimp_lim + mjNIMP * i)};
    }
    return true;
}

static bool make_actuators(qi_lplan *p) {
    const mjModel *m = p->m;
    if (!(p->act = get(p, (size_t)m->nactuator, sizeof *p->act))) return false;
    if (m->opt.disableflags & mjDSBL_ACTUATION) return true;
    for (int i = 0; i < m->nactuator; i++) {
        int group = m->actuator_group[i];
        if (group >= 0 && group <= 30 && m->opt.disableactuator & (1 << group)) continue;
        int c = m->actuator_ctrladr[i], j = m->actuator_trnid[2 * i];
        bool tendon = m->actuator_trntype[i] == mjTRN_TENDON;
        qi_lact *a = &p->act[p->nu++];
        *a = (qi_lact){.id = i,
                       .ctrl = c,
                       .tendon = tendon ? j : -1,
                       .qadr = -1,
                       .dof = -1,
                       .gear = m->actuator_gear[6 * m->actuator_outadr[i]],
                       .ctrl_lo = -INFINITY,
                       .ctrl_hi = INFINITY,
                       .force_lo = -INFINITY,
                       .force_hi = INFINITY};
        if (!tendon) a->qadr = m->jnt_qposadr[j], a->dof = m->jnt_dofadr[j];
        const double *g = m->actuator_gainprm + mjNGAIN * i, *b = m->actuator_biasprm + mjNBIAS * i;
        a->gain[0] = g[0];
        if (m->actuator_gaintype[i] == mjGAIN_AFFINE) a->gain[1] = g[1], a->gain[2] = g[2];
        a->moves = a->gain[1] != 0 || a->gain[2] != 0;
        if (m->actuator_biastype[i] == mjBIAS_AFFINE) memcpy(a->bias, b, sizeof a->bias);
        if (m->actuator_ctrllimited[c] && !(m->opt.disableflags & mjDSBL_CLAMPCTRL))
            a->ctrl_lo = m->actuator_ctrlrange[2 * c],
            a->ctrl_hi = m->actuator_ctrlrange[2 * c + 1];
        if (m->actuator_forcelimited[i])
            a->force_lo = m->actuator_forcerange[2 * i],
            a->force_hi = m->actuator_forcerange[2 * i + 1];
    }
    return true;
}

static bool make_equality(qi_lplan *p, int i) {
    const mjModel *m = p->m;
    static const double unit[4] = {1, 0, 0, 0};
    qi_leq *e = &p->eq[p->neq];
    const double *data = m->eq_data + mjNEQDATA * i;
    int o[2] = {m->eq_obj1id[i], m->eq_obj2id[i]}, b[2] = {0, 0};
    *e = (qi_leq){.type = m->eq_type[i], .link = {-1, -1}, .dof = {-1, -1}, .torquescale = 1};
    e->soft = soft_of(m, m->eq_solref + mjNREF * i, NULL, m->eq_solimp + mjNIMP * i);
    if (e->type == mjEQ_JOINT) {
        e->dim = 1;
        memcpy(e->poly, data, sizeof e->poly);
        int *c = get(p, 2, sizeof *c), n = o[1] >= 0 ? 2 : 1;
        int8_t *s = get(p, 2, sizeof *s);
        if (!c || !s) return false;
        for (int k = 0; k < n; k++) {
            e->qadr[k] = m->jnt_qposadr[o[k]], e->dof[k] = m->jnt_dofadr[o[k]];
            e->ref[k] = m->qpos0[e->qadr[k]];
            e->invweight[0] += m->dof_invweight0[e->dof[k]];
            c[k] = p->hpos[e->dof[k]], s[k] = (int8_t)(k + 1);
        }
        if (n == 2 && c[0] > c[1]) { // ascending; the side says whose it is
            int t = c[0];
            c[0] = c[1], c[1] = t, s[0] = 2, s[1] = 1;
        }
        e->ncol = n, e->col = c, e->side = s;
        e->across = n == 2 && !qi_bit_get(&p->fill[c[1]], c[0]);
        if (n > p->maxcol) p->maxcol = n;
        p->neq++;
        return true;
    }
    bool site = m->eq_objtype[i] == mjOBJ_SITE, weld = e->type == mjEQ_WELD;
    e->dim = weld ? 6 : 3;
    for (int k = 0; k < 2; k++) {
        // bodies: a connect's anchors, a weld's (anchor in body 2 first)
        const double *at = weld ? data + 3 * (1 - k) : data + 3 * k, *q = unit;
        b[k] = site ? m->site_bodyid[o[k]] : o[k];
        if (site) at = m->site_pos + 3 * o[k], q = m->site_quat + 4 * o[k];
        e->link[k] = p->dyn->body_link[b[k]];
        in_link(p, b[k], at, q, e->pos[k], e->mat[k]);
        e->invweight[0] += m->body_invweight0[2 * b[k]];
        e->invweight[1] += m->body_invweight0[2 * b[k] + 1];
    }
    memcpy(e->relpose, weld && !site ? data + 6 : unit, sizeof e->relpose);
    if (weld) e->torquescale = data[10];
    if (!make_columns(p, e->link[0], e->link[1], 1, &e->ncol, &e->col, &e->side, &e->across))
        return false;
    if (e->ncol) p->neq++;
    return true;
}

static bool make_equalities(qi_lplan *p) {
    const mjModel *m = p->m;
    if (!(p->eq = get(p, (size_t)m->neq, sizeof *p->eq))) return false;
    if (m->opt.disableflags & (mjDSBL_EQUALITY | mjDSBL_CONSTRAINT)) return true;
    for (int i = 0; i < m->neq; i++)
        if (m->eq_active0[i] && !make_equality(p, i)) return false;
    return true;
}

static bool make_bodies(qi_lplan *p) {
    const mjModel *m = p->m;
    if (!(p->body_ipos = get(p, 3 * (size_t)m->nbody, sizeof(double)))) return false;
    if (!(p->hull = get(p, (size_t)m->nmesh, sizeof *p->hull))) return false;
    p->lone_dof = get(p, (size_t)m->njnt, sizeof(int));
    p->lone_link = get(p, (size_t)m->njnt, sizeof(int));
    if (!p->lone_dof || !p->lone_link) return false;
    for (int j = 0; j < m->njnt; j++) {
        int b = m->jnt_bodyid[j], dof = m->jnt_dofadr[j];
        if (m->jnt_type[j] != mjJNT_FREE || m->tree_dofnum[m->dof_treeid[dof]] != 6 ||
            m->body_subtreemass[b] != m->body_mass[b])
            continue;
        p->lone_dof[p->nlone] = dof, p->lone_link[p->nlone++] = p->dyn->body_link[b];
    }
    for (int b = 0; b < m->nbody; b++)
        in_link(p, b, m->body_ipos + 3 * b, NULL, p->body_ipos + 3 * b, NULL);
    // with both springs and dampers off MuJoCo leaves out all passive forces
    int passive = mjDSBL_SPRING | mjDSBL_DAMPER;
    if (!m->flg_gravcomp || (m->opt.disableflags & passive) == passive) return true;
    if (!(p->gravcomp = get(p, (size_t)m->nbody, sizeof(double)))) return false;
    for (int b = 0; b < m->nbody; b++) p->gravcomp[b] = m->body_mass[b] * m->body_gravcomp[b];
    return true;
}

qi_lplan *qi_lplan_new(const qiao_model *model, qiao_diag *d) {
    char text[256];
    const mjModel *m = model->mj;
    const char *no = qi_lanes_refuse(m, text, sizeof text);
    if (!no) no = qi_plan_check(model);
    if (no) {
        qiao_diag_set(d, QIAO_E_UNSUPPORTED, NULL, 0, 0,
                      "engine lanes does not support %s; engine mujoco does", no);
        return NULL;
    }
    qiao_arena *a = qiao_arena_new();
    qi_lplan *p = a ? qiao_arena_get(a, sizeof *p) : NULL;
    void *mem = p ? qiao_arena_get(a, qi_plan_size(model) + 64) : NULL;
    if (mem) {
        *p = (qi_lplan){.arena = a, .model = model, .m = m, .nq = (int)m->nq, .nv = (int)m->nv};
        p->dyn = qi_plan_init(model, (void *)(((uintptr_t)mem + 63) & ~(uintptr_t)63));
        p->dt = m->opt.timestep, p->integrator = m->opt.integrator;
        p->elliptic = m->opt.cone == mjCONE_ELLIPTIC;
        p->impratio = fmax(mjMINVAL, m->opt.impratio);
        p->tolerance = m->opt.tolerance;
        p->scale = 1 / (m->stat.meaninertia * (m->nv > 1 ? (double)m->nv : 1));
        if (m->opt.disableflags & mjDSBL_GRAVITY)
            memset(p->dyn->gravity, 0, sizeof p->dyn->gravity);
        if (make_order(p) && make_joints(p) && make_tendons(p) && make_pairs(p) &&
            make_actuators(p) && make_equalities(p) && make_bodies(p))
            return p;
    }
    qiao_arena_free(a);
    qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    return NULL;
}

void qi_lplan_free(qi_lplan *p) {
    if (!p) return;
    mj_deleteModel(p->own);
    qiao_arena_free(p->arena);
}

// ---- which worlds may share a group ----

#define SAME(x)    (a->x == b->x)
#define ALL(x, n)  (memcmp(a->x, b->x, (size_t)(n) * sizeof *a->x) == 0)
#define EACH(i, n) for (int i = 0; i < (n); i++)

static bool same_links(const qi_plan *a, const qi_plan *b, bool elsewhere) {
    if (!SAME(nlink) || !SAME(nnz) || !ALL(row, a->nv + 1) || !ALL(col, a->nnz) ||
        !ALL(body_link, a->nbody))
        return false;
    EACH(i, a->nbody) {
        size_t at = (size_t)i;
        if (a->body_link[i] < 0 && elsewhere) continue;
        if (memcmp(a->body_rot + 9 * at, b->body_rot + 9 * at, 9 * sizeof(double)) != 0 ||
            memcmp(a->body_pos + 3 * at, b->body_pos + 3 * at, 3 * sizeof(double)) != 0)
            return false;
    }
    EACH(i, a->nlink) {
        const qi_link *x = &a->link[i], *y = &b->link[i];
        if (memcmp(x, y, offsetof(qi_link, m)) != 0 || (x->m > 0) != (y->m > 0)) return false;
    }
    return true;
}

// Geoms that are more than their size: meshes, height fields.
static bool same_shapes(const mjModel *a, const mjModel *b) {
    return SAME(nmeshvert) && SAME(nmeshface) && SAME(nhfielddata) && SAME(nhfield) &&
           SAME(nmesh) && ALL(mesh_vert, 3 * a->nmeshvert) && ALL(hfield_data, a->nhfielddata) &&
           ALL(hfield_size, 4 * a->nhfield) && ALL(geom_dataid, a->ngeom);
}

static bool same_pairs(const qi_lplan *a, const qi_lplan *b) {
    if (!SAME(npair) || !SAME(ngeom)) return false;
    EACH(i, a->ngeom)
    if (!SAME(geom[i].type) || !SAME(geom[i].link) || !SAME(geom[i].geom)) return false;
    EACH(i, a->npair)
    if (!SAME(pair[i].a) || !SAME(pair[i].b) || !SAME(pair[i].dim) || !SAME(pair[i].ncol) ||
        !SAME(pair[i].soft.flat) || !SAME(pair[i].soft.pw) || !ALL(pair[i].col, a->pair[i].ncol) ||
        !ALL(pair[i].side, a->pair[i].ncol))
        return false;
    return true;
}

static bool same_rows(const qi_lplan *a, const qi_lplan *b) {
    if (!SAME(nlone) || !SAME(nball) || (a->gravcomp != NULL) != (b->gravcomp != NULL))
        return false;
    if (!SAME(nlimit) || !SAME(nfriction) || !SAME(ntendon) || !SAME(neq)) return false;
    EACH(i, a->nlimit)
    if (!SAME(limit[i].dof) || !SAME(limit[i].ball) || !SAME(limit[i].tendon) ||
        !SAME(limit[i].soft.flat) || !SAME(limit[i].soft.pw))
        return false;
    EACH(i, a->nfriction)
    if (!SAME(friction[i].dof) || !SAME(friction[i].tendon)) return false;
    EACH(i, a->ntendon) {
        const qi_ltendon *x = &a->tendon[i], *y = &b->tendon[i];
        if (x->n != y->n || memcmp(&x->stiffness, &y->stiffness, 6 * sizeof(double)) != 0 ||
            memcmp(x->coef, y->coef, (size_t)x->n * sizeof *x->coef) != 0 ||
            memcmp(x->dof, y->dof, (size_t)x->n * sizeof *x->dof) != 0)
            return false;
    }
    EACH(i, a->neq)
    if (memcmp(&a->eq[i], &b->eq[i], offsetof(qi_leq, invweight)) != 0) return false;
    return true;
}

static bool alike(const qi_lplan *a, const qi_lplan *b, bool elsewhere) {
    if (a->m == b->m) return true;
    if (!SAME(nq) || !SAME(nv) || !SAME(nu) || !SAME(m->nu) || !SAME(m->nbody) || !SAME(dt) ||
        !SAME(integrator) || !SAME(elliptic) || !SAME(damped) || !SAME(impratio) ||
        !SAME(tolerance) || !ALL(hpos, a->nv) || !ALL(m->jnt_type, a->m->njnt))
        return false;
    EACH(i, a->nu)
    if (!SAME(act[i].id) || !SAME(act[i].dof) || !SAME(act[i].tendon) || !SAME(act[i].moves))
        return false;
    return same_links(a->dyn, b->dyn, elsewhere) && same_shapes(a->m, b->m) && same_pairs(a, b) &&
           same_rows(a, b);
}

bool qi_lplan_alike(const qi_lplan *a, const qi_lplan *b) { return alike(a, b, false); }
bool qi_lplan_castable(const qi_lplan *a, const qi_lplan *b) { return alike(a, b, true); }
