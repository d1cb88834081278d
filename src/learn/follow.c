// SPDX-License-Identifier: Apache-2.0
// follow.c - worlds that follow a motion: see worlds_in.h.
#include "learn/worlds_in.h"

#include "ctl/vec.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

// The frames as the manifest keeps them: position, quaternion, q, qd.
static bool give_frames(const qi_worlds *w, qi_manifest *m) {
    size_t nj = (size_t)m->njoint, wide = 7 + 2 * nj, n = (size_t)w->motion.nframe;
    double *x = qiao_arena_get(m->arena, n * wide * sizeof *x);
    if (!x) return false;
    m->motion.frame = x, m->motion.nframe = w->motion.nframe, m->motion.rate_hz = m->rate_hz;
    for (size_t i = 0; i < n; i++, x += wide) {
        const qi_target *t = &w->motion.frame[i];
        memcpy(x, t->pose, 7 * sizeof *x);
        memcpy(x + 7, t->q, nj * sizeof *x), memcpy(x + 7 + nj, t->qd, nj * sizeof *x);
    }
    return true;
}

static bool fits(const qi_worlds *w, const qi_manifest *m, qiao_diag *d) {
    for (int i = 0; i < m->obs.nterm; i++)
        if (m->obs.term[i].kind == QI_TERM_ANCHOR_POS) {
            qi_manifest_fault(m, m->obs.term[i].at, QIAO_E_UNSUPPORTED, d,
                              "a student begins anywhere in its motion, so it cannot be told where "
                              "in the world that is; motion_anchor_ori_b can be trained");
            return false;
        }
    if (m->motion.time || (m->motion.file && (strpbrk(m->motion.file, "/$") != NULL))) {
        qi_manifest_fault(m, m->motion.at, QIAO_E_UNSUPPORTED, d,
                          "motion: expected a file's name alone: training writes it beside the "
                          "network");
        return false;
    }
    if (m->motion.file && m->motion.loop != w->motion.loop) {
        qi_manifest_fault(
            m, m->motion.at, QIAO_E_FIT, d, "motion: loop is %s here and %s in %.200s",
            m->motion.loop ? "true" : "false", w->motion.loop ? "true" : "false", w->r->path);
        return false;
    }
    if (m->motion.file && m->motion.rate_hz != m->rate_hz) {
        qi_manifest_fault(m, m->motion.at, QIAO_E_FIT, d,
                          "motion: rate_hz must be the brain's %g to be trained", m->rate_hz);
        return false;
    }
    return true;
}

bool qi_follow_open(qi_worlds *w, qi_manifest *m, qiao_diag *d) {
    const qi_recipe *r = w->r;
    if (!r->motion) return true;
    const char *base = w->robot->model->body_name[w->robot->base];
    qi_track *t = qi_track_load(r->motion, base, w->arena, d);
    if (!t ||
        !qi_motion_make(&w->motion, t, r, m->rate_hz, w->robot, m->njoint, m->joint, w->arena, d) ||
        !fits(w, m, d))
        return false;
    w->target = qiao_arena_get(w->arena, (size_t)r->worlds * sizeof *w->target);
    if (w->target && (!m->motion.file || give_frames(w, m))) return true;
    qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    return false;
}

// u: 0..1, where in the motion; q, qd are those of a robot at rest in its world.
void qi_follow_start(qi_worlds *w, int i, double u, double *q, double *qd) {
    const qi_motion *m = &w->motion;
    one *o = &w->one[i];
    int last = m->loop ? m->nframe : m->nframe - 2; // something is left to follow
    o->frame = w->r->motion_any ? (int)(u * last) : 0;
    const qi_target *t = &m->frame[o->frame];
    for (int j = 0; j < w->njoint; j++) {
        int at = w->qadr[j];
        q[at] += t->q[j] - w->rest_of[j];
        if (w->low[j] < w->high[j]) q[at] = clampd(q[at], w->low[j], w->high[j]);
        if (w->vadr[j] >= 0) qd[w->vadr[j]] += t->qd[j];
    }
    if (w->free_qadr < 0) return;
    double *base = q + w->free_qadr, R[9], v[3];
    rot_quat(R, t->pose + 3);
    mul33v(v, R, t->vel);
    for (int c = 0; c < 3; c++) {
        qd[w->free_vadr + c] += v[c], qd[w->free_vadr + 3 + c] += t->gyro[c];
        // the motion is over ground of height 0; here the ground is where the robot rests on it
        o->shift[c] = c < 2 ? base[c] - t->pose[c] : base[2] - w->rest_z;
        base[c] = t->pose[c] + o->shift[c];
    }
    memcpy(base + 3, t->pose + 3, 4 * sizeof *base);
}

const qi_target *qi_follow_target(qi_worlds *w, int i) {
    if (w->motion.nframe == 0) return NULL;
    const one *o = &w->one[i];
    qi_motion_at(&w->motion, o->frame, &w->target[i]);
    for (int c = 0; c < 3; c++) w->target[i].pose[c] += o->shift[c];
    return &w->target[i];
}

bool qi_follow_lost(const qi_worlds *w, const qi_look *o) {
    if (!o->target || w->r->motion_far <= 0 || w->free_qadr < 0) return false;
    double off[3];
    sub3(off, o->pose, o->target->pose);
    return !(norm3(off) < w->r->motion_far);
}
bool qi_follow_over(const qi_worlds *w, int i) {
    return w->motion.nframe > 0 && !w->motion.loop && w->one[i].frame >= w->motion.nframe - 1;
}

qiao_err qi_worlds_export(const qi_worlds *w, const char *dir, qiao_diag *d) {
    const qi_manifest *m = w->manifest;
    if (w->motion.nframe == 0 || !m->motion.file) return QIAO_OK;
    char path[1300];
    snprintf(path, sizeof path, "%.1000s/%.200s", dir, m->motion.file);
    FILE *f = fopen(path, "w");
    if (!f) return qiao_diag_set(d, QIAO_E_IO, path, 0, 0, "cannot be written");
    const double *x = m->motion.frame;
    int wide = 7 + 2 * m->njoint;
    for (int i = 0; i < m->motion.nframe; i++)
        for (int k = 0; k < wide; k++) fprintf(f, "%.9g%c", *x++, k + 1 < wide ? '\t' : '\n');
    bool bad = ferror(f) != 0;
    bad |= fclose(f) != 0;
    return bad ? qiao_diag_set(d, QIAO_E_IO, path, 0, 0, "cannot be written") : QIAO_OK;
}
