// SPDX-License-Identifier: Apache-2.0
// doctor_clone.c - copies of a manifest, to change one fact and see what becomes of it.
#include "prove/doctor.h"

#include <string.h>

static void *copy(qiao_arena *a, const void *from, size_t bytes, bool *ok) {
    if (!from) return NULL;
    void *to = qiao_arena_get(a, bytes + 8);
    if (to)
        memcpy(to, from, bytes);
    else
        *ok = false;
    return to;
}

static void copy_group(qiao_arena *a, qi_obs_group *g, bool *ok) {
    qi_term *t = copy(a, g->term, (size_t)g->nterm * sizeof *t, ok);
    for (int i = 0; t && i < g->nterm; i++) {
        size_t bytes = (size_t)(t[i].dim > 0 ? t[i].dim : 1) * sizeof(double); // an encoder's: 1
        t[i].scale = copy(a, t[i].scale, bytes, ok), t[i].offset = copy(a, t[i].offset, bytes, ok);
        t[i].joint = copy(a, t[i].joint, (size_t)t[i].njoint * sizeof(int), ok);
    }
    g->term = t;
}

qi_manifest *qi_doctor_clone(const qi_manifest *from) {
    qiao_arena *a = qiao_arena_new();
    qi_manifest *m = a ? qiao_arena_get(a, sizeof *m) : NULL;
    if (!m) {
        qiao_arena_free(a);
        return NULL;
    }
    bool ok = true;
    *m = *from;
    m->arena = a, m->y = (qi_yaml){0}, m->text = NULL, m->guards = NULL;
    size_t n = (size_t)m->njoint, row = n * sizeof(double);
    const double **rows[] = {&m->default_pose,
                             &m->kp,
                             &m->kd,
                             &m->torque_limit,
                             &m->action.scale,
                             &m->action.offset,
                             &m->physics.armature,
                             &m->physics.damping,
                             &m->physics.friction};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) *rows[i] = copy(a, *rows[i], row, &ok);
    m->action.clip = copy(a, m->action.clip, 2 * row, &ok);
    m->action.reach = copy(a, m->action.reach, 2 * row, &ok);
    m->action.of = copy(a, m->action.of, n * sizeof *m->action.of, &ok);
    m->joint = copy(a, m->joint, n * sizeof *m->joint, &ok);
    m->joint_at = copy(a, m->joint_at, n * sizeof *m->joint_at, &ok);
    copy_group(a, &m->obs, &ok), copy_group(a, &m->enc, &ok);
    if (ok) return m;
    qiao_arena_free(a);
    return NULL;
}

qi_policy qi_doctor_policy(const qi_policy *p, qi_manifest *m) {
    qi_policy q = *p;
    q.m = m;
    return q;
}
