// SPDX-License-Identifier: Apache-2.0
// lanes_case.h - a model in both engines: MuJoCo converged, and one group of lanes.
#ifndef QIAO_TEST_LANES_CASE_H
#define QIAO_TEST_LANES_CASE_H

#include "dyn_model.h"
#include "sim/lanes_ops.h"

typedef struct lanes_case {
    dyn_case c;
    qi_lplan *plan;
    const qi_lanes_ops *op;
    qiao_arena *arena;
    void *model, *work, *group;
    uint64_t seed;
} lanes_case;

static int lanes_dual; // what lanes_open makes solves by sweeps on the forces

static const qi_lanes_ops *lanes_instance(qiao_real real, int lanes) {
    for (int i = 0; i < qi_lanes_nall; i++)
        if (qi_lanes_all[i]->real == real && qi_lanes_all[i]->lanes == lanes &&
            qi_lanes_all[i]->usable())
            return qi_lanes_all[i];
    return NULL;
}

static void lanes_close(lanes_case *x) {
    if (x->work) x->op->work_free(x->work);
    free(x->group);
    qiao_arena_free(x->arena);
    qi_lplan_free(x->plan);
    mj_deleteData(x->c.data), mj_deleteModel(x->c.mj);
    memset(x, 0, sizeof *x);
}

// Takes c over. NULL op: the best of that number type. false: d says why.
static bool lanes_open(lanes_case *x, dyn_case c, const qi_lanes_ops *op, qiao_diag *d) {
    *x = (lanes_case){.c = c, .op = op, .seed = 1};
    x->c.m.mj = x->c.mj;
    if (!(x->plan = qi_lplan_new(&x->c.m, d))) return false;
    x->plan->dual = lanes_dual;
    x->arena = qiao_arena_new();
    x->model = op->model_new(x->plan, x->arena);
    x->work = op->work_new(x->model, x->arena);
    x->group = aligned_alloc(64, (op->group_size(x->model) + 63) & ~(size_t)63);
    op->group_init(x->model, x->group);
    mjOption *o = &x->c.mj->opt; // the reference: at its optimum
    o->solver = mjSOL_NEWTON, o->tolerance = 1e-14, o->iterations = 200, o->ls_iterations = 200;
    o->ls_tolerance = 1e-6;
    return true;
}

static double lanes_random(lanes_case *x) { // -1 .. 1
    x->seed = x->seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(x->seed >> 11) / 4503599627370496.0 - 1;
}

// A state in the reference's data: the first keyframe or reference, moved at random and stepped a
// little so that it touches what it would.
static void lanes_state(lanes_case *x, double spread) {
    const mjModel *m = x->c.mj;
    mjData *d = x->c.data;
    mj_resetData(m, d);
    if (m->nkey) mj_resetDataKeyframe(m, d, 0);
    for (int b = 0; b < m->nbody; b++) // mocap bodies stay where the model has them
        if (m->body_mocapid[b] >= 0)
            mju_copy3(d->mocap_pos + 3 * m->body_mocapid[b], m->body_pos + 3 * b);
    for (int i = 0; i < m->nv; i++) d->qvel[i] = spread * lanes_random(x);
    for (int i = 0; i < m->nu; i++) d->ctrl[i] = lanes_random(x);
    for (int j = 0; j < m->njnt; j++) {
        int a = m->jnt_qposadr[j], t = m->jnt_type[j];
        if (t == mjJNT_FREE) {
            for (int k = 0; k < 3; k++) d->qpos[a + k] += 0.1 * spread * lanes_random(x);
            a += 3;
        }
        int n = t == mjJNT_FREE || t == mjJNT_BALL ? 4 : 1;
        for (int k = 0; k < n; k++) d->qpos[a + k] += 0.5 * spread * lanes_random(x);
    }
    int n = (int)(20 * (1 + lanes_random(x)));
    for (int i = 0; i < n; i++) mj_step(m, d);
}
// That state into lane l.
static void lanes_load(lanes_case *x, int l) {
    const mjModel *m = x->c.mj;
    const mjData *d = x->c.data;
    x->op->put(x->model, x->group, l, d->qpos, d->qvel);
    x->op->put_ctrl(x->model, x->group, l, d->ctrl);
    for (int b = 1; b < m->nbody; b++)
        x->op->put_force(x->model, x->group, l, b, d->xfrc_applied + 6 * b);
    x->op->live(x->group, l, 1);
}

static double lanes_apart(const double *a, const double *b, int n) { // relative, in the norm
    double e = 0, s = 0;
    for (int i = 0; i < n; i++) e += (a[i] - b[i]) * (a[i] - b[i]), s += b[i] * b[i];
    return sqrt(e / (s + 1e-12));
}

#endif
