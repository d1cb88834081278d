// SPDX-License-Identifier: Apache-2.0
// training.c - where a robot's physics differs from that in which a policy was trained.
#include "qiao/brain.h"

#include <math.h>
#include <stdio.h>

// Reflected rotor inertia as the engines take it: the drive's word, else the model's.
static double armature_of(const qiao_robot *r, int j) {
    const qiao_model *m = r->model;
    for (int i = 0; i < m->nu; i++)
        if (m->act_joint[i] == j && r->drive[i].armature >= 0) return r->drive[i].armature;
    return m->dof_armature[m->jnt_vadr[j]];
}

static bool off(double want, double have) { return fabs(want - have) > 1e-6 + 0.02 * fabs(want); }

// One property of all joints: how many differ, and the first with both numbers.
static int compare(const qiao_brain_training *t, const qiao_robot *r, const double *want, int which,
                   const char *name, char *text, size_t cap) {
    const qiao_model *m = r->model;
    int n = 0;
    double was = 0, is = 0;
    const char *first = NULL;
    for (int i = 0; i < t->njoint; i++) {
        int j = want[i] >= 0 ? qiao_model_joint(m, t->joint[i]) : -1;
        if (j < 0) continue;
        double have = which == 0   ? armature_of(r, j)
                      : which == 1 ? m->dof_damping[m->jnt_vadr[j]]
                                   : m->dof_friction[m->jnt_vadr[j]];
        if (!off(want[i], have)) continue;
        if (!first) first = t->joint[i], was = want[i], is = have;
        n++;
    }
    return n ? snprintf(text, cap, "%s of %d joints (%s: %g in training, %g here)", name, n, first,
                        was, is)
             : 0;
}

bool qiao_brain_differs(const qiao_brain *b, const qiao_robot *r, char *text, size_t cap) {
    const qiao_brain_training *t = qiao_brain_body(b);
    size_t at = 0;
    if (cap) *text = 0;
    if (!t || !r->model) return false;
    const double *want[3] = {t->armature, t->damping, t->friction};
    static const char *const name[] = {"armature", "damping", "friction"};
    if (t->step > 0 && off(t->step, r->model->dt))
        at += (size_t)snprintf(text, cap, "physics step %g ms in training, %g ms here",
                               t->step * 1e3, r->model->dt * 1e3);
    for (int i = 0; i < 3 && at < cap; i++) {
        char one[300];
        if (compare(t, r, want[i], i, name[i], one, sizeof one) > 0)
            at += (size_t)snprintf(text + at, cap - at, "%s%s", at ? "; " : "", one);
    }
    return at > 0;
}
