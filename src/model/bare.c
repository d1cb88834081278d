// SPDX-License-Identifier: Apache-2.0
// bare.c - see bare.h. Legs are found by looking at the rest pose: branches of at least two joints
// (three below a URDF's root) whose ends are the lowest of the machine.
#include "model/bare.h"

#include "model/guess.h"
#include "model/mjguard.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static bool scalar(int type) { return type == mjJNT_HINGE || type == mjJNT_SLIDE; }

// Hinges and slides of a body; -1 for a free joint, which begins another machine.
static int joints_of(const mjModel *m, int b) {
    int n = 0;
    for (int i = 0; i < m->body_jntnum[b]; i++) {
        int type = m->jnt_type[m->body_jntadr[b] + i];
        if (type == mjJNT_FREE) return -1;
        n += scalar(type);
    }
    return n;
}

// Joints from the base (not included) out to body b; -1 if b does not belong to the base.
static int joints_to(const mjModel *m, int base, int b) {
    int n = 0;
    for (; b > base && b > 0; b = m->body_parentid[b]) {
        int own = joints_of(m, b);
        if (own < 0) return -1;
        n += own;
    }
    return b == base ? n : -1;
}

static bool above(const mjModel *m, int up, int b) {
    while (b > up) b = m->body_parentid[b];
    return b == up;
}

static bool is_leaf(const mjModel *m, int b) { // it moves, and nothing beyond it moves against it
    if (m->body_weldid[b] != b) return false;
    for (int i = b + 1; i < m->nbody; i++)
        if (m->body_weldid[i] == i && above(m, b, i)) return false;
    return true;
}

qi_tree qi_tree_of(const qiao_model *q) {
    const mjModel *m = q->mj;
    qi_tree t = {.floating = m->njnt > 0 && m->jnt_type[0] == mjJNT_FREE};
    t.base = t.floating ? m->jnt_bodyid[0] : 0;
    // the body that all ends share
    int shared = -1;
    for (int b = 1; b < m->nbody; b++) {
        int n = is_leaf(m, b) ? joints_to(m, t.base, b) : -1;
        if (n < 1) continue;
        t.nleaf++, t.nlong += n >= 3;
        if (shared < 0) shared = b;
        while (!above(m, shared, b)) shared = m->body_parentid[shared];
    }
    if (shared < 0) return t;
    int trunk = joints_to(m, t.base, shared);
    t.trunk = trunk > 0 ? trunk : 0;
    for (int b = 1; b < m->nbody; b++) {
        int n = is_leaf(m, b) ? joints_to(m, t.base, b) - t.trunk : 0;
        if (n > t.longest) t.longest = n;
    }
    return t;
}

// ---- feet ----

typedef struct tip { // the lowest part of an end
    int body, geom;  // geom -1: the end has none (its mesh is for the eye only)
    double low;
} tip;

static double lowest(const mjModel *m, const mjData *d, int g) {
    const double *box = m->geom_aabb + 6 * g, *z = d->geom_xmat + 9 * g + 6;
    double low = d->geom_xpos[3 * g + 2];
    for (int j = 0; j < 3; j++) low += z[j] * box[j] - fabs(z[j]) * box[3 + j];
    return low;
}

static tip tip_of(const mjModel *m, const mjData *d, int b) {
    tip t = {.body = b, .geom = -1, .low = INFINITY};
    for (int pass = 0; pass < 2 && t.geom < 0; pass++) // what touches; else what is seen
        for (int g = 0; g < m->ngeom; g++) {
            if (m->body_weldid[m->geom_bodyid[g]] != b) continue;
            bool touches = m->geom_contype[g] || m->geom_conaffinity[g];
            double low = lowest(m, d, g);
            if ((pass || touches) && low < t.low)
                t = (tip){.body = m->geom_bodyid[g], .geom = g, .low = low};
        }
    if (t.geom < 0) t.low = d->xpos[3 * b + 2];
    return t;
}

// Ends of legs, at most QI_FEET_MAX; 0 if this is no machine on legs. *floor: height of their soles.
static int find_tips(const mjModel *m, const mjData *d, const qi_tree *t, tip *tips,
                     double *floor) {
    double from = t->base ? d->xpos[3 * t->base + 2] : 0;
    int n = 0;
    *floor = INFINITY;
    for (int pass = 0; pass < 2; pass++) // the lowest end, then all that reach as low
        for (int b = 1; b < m->nbody; b++) {
            if (!is_leaf(m, b) || joints_to(m, t->base, b) < (t->floating ? 2 : 3)) continue;
            tip end = tip_of(m, d, b);
            if (pass == 0)
                *floor = fmin(*floor, end.low);
            else if (end.low < *floor + 0.1 * (from - *floor) && n < QI_FEET_MAX)
                tips[n++] = end;
        }
    return from - *floor > 0.05 && isfinite(*floor) && n >= 2 ? n : 0;
}

static bool has_site(const mjModel *m, const char *name) {
    return mj_name2id(m, mjOBJ_SITE, name) >= 0;
}

// A site at the sole: the middle of a small ball, else the middle of the underside.
static void add_foot(mjSpec *spec, const mjModel *m, const mjData *d, const tip *t, qi_feet *feet) {
    const char *geom = t->geom < 0 ? "" : m->names + m->name_geomadr[t->geom],
               *body = m->names + m->name_bodyadr[t->body];
    mjsBody *b = *body ? mjs_findBody(spec, body) : NULL;
    char *name = feet->name[feet->n];
    if (!b) return;
    if (*geom && strlen(geom) < 70 && !has_site(m, geom))
        snprintf(name, sizeof feet->name[0], "%s", geom);
    else
        snprintf(name, sizeof feet->name[0], "%.70s_foot", body);
    if (has_site(m, name)) return;
    double p[3], off[3];
    mju_copy3(p, d->xpos + 3 * t->body);
    if (t->geom >= 0) {
        mju_mulMatVec3(p, d->geom_xmat + 9 * t->geom, m->geom_aabb + 6 * t->geom);
        mju_addTo3(p, d->geom_xpos + 3 * t->geom);
        bool ball = m->geom_type[t->geom] == mjGEOM_SPHERE && m->geom_rbound[t->geom] < 0.06;
        if (!ball) p[2] = t->low;
    }
    mju_sub3(off, p, d->xpos + 3 * t->body);
    mjsSite *s = mjs_addSite(b, NULL);
    mju_mulMatTVec3(s->pos, d->xmat + 9 * t->body, off);
    s->size[0] = 0.005;
    mjs_setName(s->element, name);
    feet->n++;
}

static bool named_feet(const mjModel *m) {
    for (int i = 0; i < m->nsite; i++)
        if (qi_is_foot(m->names + m->name_siteadr[i])) return true;
    return false;
}

// Changes the spec; false: the machine is complete as it is.
static bool complete(mjSpec *spec, const qiao_model *q, bool urdf, qi_feet *feet) {
    const mjModel *m = q->mj;
    qi_tree t = qi_tree_of(q);
    tip tips[QI_FEET_MAX];
    double floor;
    if (named_feet(m) || !(t.floating || (urdf && t.trunk == 0 && t.nlong >= 2))) return false;
    mjData *d = mj_makeData(m);
    if (!d) return false;
    mju_copy(d->qpos, m->nkey ? m->key_qpos : m->qpos0, (int)m->nq);
    mj_kinematics(m, d), mj_comPos(m, d);
    int n = find_tips(m, d, &t, tips, &floor);
    for (int i = 0; i < n; i++) add_foot(spec, m, d, &tips[i], feet);
    mj_deleteData(d);
    if (n && !t.floating) { // a URDF with legs: its root floats, and stands on the ground
        mjsElement *e = mjs_firstChild(mjs_findBody(spec, "world"), mjOBJ_BODY, 0);
        mjsBody *root = e ? mjs_asBody(e) : NULL;
        if (root) mjs_setName(mjs_addFreeJoint(root)->element, "base_free"), root->pos[2] -= floor;
    }
    return n > 0;
}

qiao_model *qi_bare_load(const char *path, qi_feet *feet, qiao_diag *d) {
    bool urdf = false;
    mjSpec *spec = qi_parse(path, NULL, &urdf, d);
    if (!spec) return NULL;
    qi_add_motors(spec);
    qiao_model *m = qi_compile(spec, path, d), *whole = NULL;
    mj_deleteSpec(spec);
    // compiling may fuse a spec's bodies: changes go into a new one
    if (!m || !(spec = qi_parse(path, NULL, NULL, d))) return m;
    qi_add_motors(spec);
    qi_guard g;
    volatile bool changed = false;
    qi_guard_arm(&g);
    if (setjmp(g.jump) == 0) changed = complete(spec, m, urdf, feet);
    qi_guard_disarm(&g);
    if (changed) whole = qi_compile(spec, path, NULL);
    if (whole)
        qiao_model_free(m);
    else
        feet->n = 0; // what was added does not compile (a root without mass): the file as it is
    mj_deleteSpec(spec);
    return whole ? whole : m;
}

void qi_bare_again(mjSpec *spec, const qiao_model *m) {
    int base = m->njnt && m->jnt_type[0] == QIAO_JOINT_FREE ? m->jnt_body[0] : 0;
    mjsBody *root = base ? mjs_findBody(spec, m->body_name[base]) : NULL;
    if (root && !mjs_firstChild(root, mjOBJ_JOINT, 0)) {
        mjs_setName(mjs_addFreeJoint(root)->element, m->jnt_name[0]);
        root->pos[2] = m->body_pos[3 * base + 2];
    }
    for (int i = 0; i < m->nsite; i++) {
        if (!m->site_name[i][0] || mjs_findElement(spec, mjOBJ_SITE, m->site_name[i])) continue;
        mjsBody *b = mjs_findBody(spec, m->body_name[m->site_body[i]]);
        if (!b) continue;
        mjsSite *s = mjs_addSite(b, NULL);
        mju_copy3(s->pos, m->site_pos + 3 * i);
        s->size[0] = 0.005;
        mjs_setName(s->element, m->site_name[i]);
    }
}
