// SPDX-License-Identifier: Apache-2.0
// dyn_model.h - models for the tests and benchmarks of room dyn: MuJoCo's arrays seen as a
// qiao_model, makers' robots, random trees, random states, relative differences.
#ifndef QIAO_TEST_DYN_MODEL_H
#define QIAO_TEST_DYN_MODEL_H

#include "qiao/dyn.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mujoco/mujoco.h>

typedef struct dyn_case {
    mjModel *mj;
    mjData *data;
    qiao_model m;
} dyn_case;

static void dyn_case_view(dyn_case *c) {
    const mjModel *m = c->mj;
    c->data = mj_makeData(m);
    c->m = (qiao_model){
        .nq = (int)m->nq,
        .nv = (int)m->nv,
        .nu = (int)m->nu,
        .nbody = (int)m->nbody,
        .njnt = (int)m->njnt,
        .nsite = (int)m->nsite,
        .dt = m->opt.timestep,
        .gravity = {m->opt.gravity[0], m->opt.gravity[1], m->opt.gravity[2]},
        .body_parent = m->body_parentid,
        .body_jntadr = m->body_jntadr,
        .body_jntnum = m->body_jntnum,
        .body_pos = m->body_pos,
        .body_quat = m->body_quat,
        .body_mass = m->body_mass,
        .body_ipos = m->body_ipos,
        .body_iquat = m->body_iquat,
        .body_inertia = m->body_inertia,
        .jnt_type = m->jnt_type,
        .jnt_body = m->jnt_bodyid,
        .jnt_qadr = m->jnt_qposadr,
        .jnt_vadr = m->jnt_dofadr,
        .jnt_pos = m->jnt_pos,
        .jnt_axis = m->jnt_axis,
        .dof_armature = m->dof_armature,
        .site_body = m->site_bodyid,
        .site_pos = m->site_pos,
        .site_quat = m->site_quat,
        .q0 = m->qpos0,
        .qref = m->qpos0,
        .mj = m,
    };
    for (int t = 0; t < (int)m->ntendon; t++) c->m.tendon_armature |= m->tendon_armature[t] > 0;
}
static bool dyn_case_open(dyn_case *c, const char *path) {
    char err[500] = "";
    c->mj = mj_loadXML(path, NULL, err, sizeof err);
    if (!c->mj) {
        printf("  %s: %s\n", path, err);
        return false;
    }
    dyn_case_view(c);
    return true;
}
static bool dyn_case_text(dyn_case *c, const char *xml) {
    char err[500] = "";
    mjSpec *s = mj_parseXMLString(xml, NULL, err, sizeof err);
    c->mj = s ? mj_compile(s, NULL) : NULL;
    if (!c->mj) printf("  %s %s\n", err, s ? mjs_getError(s) : "");
    if (s) mj_deleteSpec(s);
    if (c->mj) dyn_case_view(c);
    return c->mj != NULL;
}
static void dyn_case_close(dyn_case *c) {
    mj_deleteData(c->data);
    mj_deleteModel(c->mj);
}
static void *dyn_alloc(size_t bytes) { return aligned_alloc(64, (bytes + 127) & ~(size_t)63); }
static qiao_dyn *dyn_new(const qiao_model *m) {
    qiao_diag diag = {0};
    void *mem = dyn_alloc(qiao_dyn_size(m));
    return qiao_dyn_init(m, mem, &diag);
}

// makers' robots, below ../shared/data/
static const char *const dyn_robots[] = {
    "mujoco_menagerie/unitree_go2/go2_nomesh.xml",
    "mujoco_menagerie/franka_emika_panda/panda.xml",
    "mujoco_menagerie/franka_emika_panda/panda_nohand.xml",
    "mujoco_menagerie/unitree_g1/g1.xml",
    "mujoco_menagerie/shadow_hand/right_hand.xml",
    "mujoco_menagerie/leap_hand/right_hand.xml",
    "limx/PF_TRON1A/xml/robot_nomesh.xml",
    "limx/HU_D04/xml/HU_D04_serial_nomesh.xml",
};
enum { DYN_NROBOT = sizeof dyn_robots / sizeof *dyn_robots };

// random numbers of a test
static double dyn_rand(uint64_t *s) { // -1..1
    qiao_rng r = {.seed = 7, .trial = 1, .purpose = QIAO_RNG_CASE};
    return 2 * qiao_rng_uniform(&r, (*s)++, 0) - 1;
}
static void dyn_rand_state(const dyn_case *c, uint64_t *s, double *q, double *qd, double *qdd) {
    for (int i = 0; i < c->m.nq; i++) q[i] = 2 * dyn_rand(s);
    for (int i = 0; i < c->m.nv; i++) qd[i] = 2 * dyn_rand(s), qdd[i] = 5 * dyn_rand(s);
    mj_normalizeQuat(c->mj, q);
}

// A random tree as MJCF: every joint type, several joints a body, welded bodies, armature.
static void dyn_tree_body(char **at, char *end, uint64_t *s, int depth, int *left) {
    *at += snprintf(*at, (size_t)(end - *at),
                    "<body pos='%.3f %.3f %.3f' euler='%.3f %.3f %.3f'>"
                    "<inertial mass='%.3f' pos='%.3f %.3f %.3f' fullinertia='%.4f %.4f %.4f %.4f "
                    "%.4f %.4f'/>",
                    dyn_rand(s), dyn_rand(s), dyn_rand(s), dyn_rand(s) * 2, dyn_rand(s) * 2,
                    dyn_rand(s) * 2, 1.5 + dyn_rand(s), dyn_rand(s) * .2, dyn_rand(s) * .2,
                    dyn_rand(s) * .2, .04, .05, .06, dyn_rand(s) * .01, dyn_rand(s) * .01,
                    dyn_rand(s) * .01);
    int kind = (int)((dyn_rand(s) + 1) * 4); // 0 welded, 1 free at the root, 2 ball, 3.. others
    if (depth == 0 && kind < 4)
        *at += snprintf(*at, (size_t)(end - *at), "<freejoint/>");
    else if (kind == 2)
        *at += snprintf(*at, (size_t)(end - *at),
                        "<joint type='ball' pos='%.3f %.3f 0.1' armature='%.3f'/>", dyn_rand(s),
                        dyn_rand(s), .1 + .1 * dyn_rand(s));
    else if (kind > 0)
        for (int k = 0; k < (kind + 1) / 3; k++)
            *at +=
                snprintf(*at, (size_t)(end - *at),
                         "<joint type='%s' pos='%.3f %.3f %.3f' axis='%.3f %.3f %.3f' ref='%.3f' "
                         "armature='%.3f'/>",
                         dyn_rand(s) > -.2 ? "hinge" : "slide", dyn_rand(s) * .3, dyn_rand(s) * .3,
                         dyn_rand(s) * .3, dyn_rand(s), dyn_rand(s) + .01, dyn_rand(s), dyn_rand(s),
                         .05 + .05 * dyn_rand(s));
    int n = depth == 0 ? 2 : (int)((dyn_rand(s) + 1) * 1.5);
    for (int k = 0; k<n && * left> 0; k++) {
        (*left)--;
        dyn_tree_body(at, end, s, depth + 1, left);
    }
    *at += snprintf(*at, (size_t)(end - *at), "<site pos='%.3f 0.1 0.2' euler='1 %.3f 0'/></body>",
                    dyn_rand(s), dyn_rand(s));
}
static bool dyn_tree(dyn_case *c, uint64_t seed) {
    static char xml[200000];
    char *at = xml, *end = xml + sizeof xml;
    uint64_t s = seed * 1000000;
    int left = 14;
    at += snprintf(at, 500,
                   "<mujoco><compiler angle='radian'/><option gravity='0.3 -0.7 -9.8'/>"
                   "<worldbody>");
    dyn_tree_body(&at, end, &s, 0, &left);
    dyn_tree_body(&at, end, &s, 0, &left);
    // so that there always is a joint
    at += snprintf(at, 500,
                   "<body pos='1 2 3'><joint axis='1 2 3'/><geom size='.1' mass='1'/></body>"
                   "</worldbody></mujoco>");
    return dyn_case_text(c, xml);
}

// largest difference over largest value
static double dyn_off(const double *a, const double *b, int n) {
    double d = 0, s = 1e-30;
    for (int i = 0; i < n; i++) {
        double e = fabs(a[i] - b[i]);
        if (!(e <= d)) d = e; // a not-a-number stays
        if (fabs(b[i]) > s) s = fabs(b[i]);
    }
    return d / s;
}

#endif
