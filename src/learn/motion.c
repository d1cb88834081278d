// SPDX-License-Identifier: Apache-2.0
// motion.c - tracks from records and tables; frames from tracks. See motion.h.
#include "learn/motion.h"

#include "ctl/vec.h"
#include "qiao/dyn.h"
#include "qiao/learn.h"
#include "rec/tape.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FRAMES = 100000 };
static const size_t most_bytes = (size_t)64 << 20;

static void *none(qiao_diag *d) {
    qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    return NULL;
}

static void between(const double *a, const double *b, double s, int n, double *out) {
    for (int i = 0; i < n; i++) out[i] = a[i] + s * (b[i] - a[i]);
}
// Rotations: the shorter way, straight and made whole again.
static void turn_between(const double *a, const double *b, double s, double *out) {
    double dot = a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3], far[4];
    for (int i = 0; i < 4; i++) far[i] = dot < 0 ? -b[i] : b[i];
    between(a, far, s, 4, out);
    unit_quat(out);
}

// ---- a track from a record ----

static const qi_tape_signal *signal_of(const qi_tape *t, const char *name) {
    for (int i = 0; i < t->nsignal; i++)
        if (strcmp(t->signal[i].name, name) == 0 && t->signal[i].part == 0) return &t->signal[i];
    return NULL;
}

// Poses of the base at the times of the joints.
static void pose_at(const qi_tape *t, int column, int64_t ns, int *at, double *out) {
    while (*at + 2 < t->nframe && t->frame_ns[*at + 1] <= ns) (*at)++;
    size_t wide = (size_t)t->ncolumn * 7;
    const double *a = t->pose + (size_t)*at * wide + (size_t)column * 7, *b = a + wide;
    if (*at + 1 >= t->nframe) b = a;
    double span = b == a ? 1 : (double)(t->frame_ns[*at + 1] - t->frame_ns[*at]);
    double s = span > 0 ? (double)(ns - t->frame_ns[*at]) / span : 0;
    s = s < 0 ? 0 : s > 1 ? 1 : s;
    between(a, b, s, 3, out), turn_between(a + 3, b + 3, s, out + 3);
}

static qi_track *from_tape(const qi_tape *t, const char *path, const char *base, qiao_arena *a,
                           qiao_diag *d) {
    const qi_tape_signal *s = signal_of(t, "/obs/joint_pos");
    int column = -1, at = 0;
    for (int i = 0; i < t->nbody; i++)
        if (base ? strcmp(t->body[i].name, base) == 0 : t->body[i].column == 0)
            column = t->body[i].column;
    if (!s || s->nname != s->dim || s->n < 2 || column < 0 || t->nframe < 1) {
        qiao_diag_set(d, QIAO_E_FIT, path, 0, 0, "this record has no %s%s",
                      column < 0 ? "moving body " : "signal /obs/joint_pos with names",
                      column < 0 && base ? base : "");
        return NULL;
    }
    qi_track *k = qiao_arena_get(a, sizeof *k);
    if (!k) return none(d);
    size_t n = (size_t)s->n, dim = (size_t)s->dim;
    k->t = qiao_arena_get(a, n * sizeof *k->t),
    k->base = qiao_arena_get(a, n * 7 * sizeof *k->base);
    k->q = qiao_arena_get(a, n * dim * sizeof *k->q);
    k->name = qiao_arena_get(a, dim * sizeof *k->name);
    if (!k->t || !k->base || !k->q || !k->name) return none(d);
    k->nname = s->dim;
    for (int i = 0; i < s->dim; i++)
        if (!(k->name[i] = qiao_arena_text(a, s->element[i], strlen(s->element[i]))))
            return none(d);
    for (int i = 0; i < s->n; i++) {
        if (i > 0 && s->t_ns[i] <= s->t_ns[i - 1]) continue; // the same moment once more
        k->t[k->n] = (double)s->t_ns[i] * 1e-9;
        memcpy(k->q + (size_t)k->n * dim, s->value + (size_t)i * dim, dim * sizeof *k->q);
        pose_at(t, column, s->t_ns[i], &at, k->base + 7 * k->n);
        k->n++;
    }
    return k;
}

qi_track *qi_track_load(const char *path, const char *base, qiao_arena *arena, qiao_diag *d) {
    const char *dot = strrchr(path, '.');
    if (dot && strcmp(dot, ".mcap") == 0) {
        qi_tape *tape = qi_tape_load(path, d);
        qi_track *t = tape ? from_tape(tape, path, base, arena, d) : NULL;
        qi_tape_free(tape);
        return t;
    }
    char *text;
    size_t n;
    if (qiao_file_read(path, most_bytes, &text, &n, d)) return NULL;
    qi_track *t = qi_track_csv(path, text, n, arena, d);
    free(text);
    return t;
}

qiao_err qiao_motion_csv(const char *record, const char *csv, double from, double to,
                         double rate_hz, qiao_diag *d) {
    qiao_diag own = {0};
    qiao_arena *a = qiao_arena_new();
    if (!d) d = &own;
    qi_track *t = a ? qi_track_load(record, NULL, a, d) : none(d);
    qiao_err e = t ? qi_track_write(t, from, to, rate_hz, csv, d) : d->err;
    qiao_arena_free(a);
    return e;
}

// ---- a track between its rows ----

// Row at time t: base [7], q [nname].
static void track_at(const qi_track *k, double t, int *at, double *base, double *q) {
    size_t w = (size_t)k->nname;
    while (*at + 2 < k->n && k->t[*at + 1] <= t) (*at)++;
    double s = (t - k->t[*at]) / (k->t[*at + 1] - k->t[*at]);
    s = s < 0 ? 0 : s > 1 ? 1 : s;
    const double *b = k->base + 7 * *at, *x = k->q + (size_t)*at * w;
    between(b, b + 7, s, 3, base), turn_between(b + 3, b + 10, s, base + 3);
    between(x, x + w, s, k->nname, q);
}

// The part that is meant, s of the track; false: there is too little of it.
static bool cut(const qi_track *k, double from, double to, double rate_hz, double *first, int *n) {
    double last = to < 0 ? k->t[k->n - 1] : fmin(k->t[0] + to, k->t[k->n - 1]);
    *first = k->t[0] + from;
    double frames = floor((last - *first) * rate_hz + 1e-6) + 1;
    *n = frames > MOST_FRAMES ? MOST_FRAMES : (int)frames;
    return frames >= 3;
}

qiao_err qi_track_write(const qi_track *k, double from, double to, double rate_hz, const char *path,
                        qiao_diag *d) {
    double first, base[7];
    int n, at = 0;
    if (!cut(k, from, to, rate_hz, &first, &n))
        return qiao_diag_set(d, QIAO_E_ARG, path, 0, 0,
                             "there are not three rows from %g s to %g s", from, to);
    double *q = malloc((size_t)(k->nname + 1) * sizeof *q);
    FILE *f = q ? fopen(path, "w") : NULL;
    if (!f) {
        free(q);
        return qiao_diag_set(d, QIAO_E_IO, path, 0, 0, "cannot be written");
    }
    fputs("time,base_x,base_y,base_z,base_qw,base_qx,base_qy,base_qz", f);
    for (int j = 0; j < k->nname; j++) fprintf(f, ",%s", k->name[j]);
    for (int i = 0; i < n; i++) {
        track_at(k, first + i / rate_hz, &at, base, q);
        fprintf(f, "\n%.6g", i / rate_hz);
        for (int j = 0; j < 7; j++) fprintf(f, ",%.5f", base[j]);
        for (int j = 0; j < k->nname; j++) fprintf(f, ",%.5f", q[j]);
    }
    fputc('\n', f);
    bool bad = ferror(f) != 0;
    bad |= fclose(f) != 0;
    free(q);
    return bad ? qiao_diag_set(d, QIAO_E_IO, path, 0, 0, "cannot be written") : QIAO_OK;
}

// ---- frames ----

// Velocities of frame i from the frames before and after it.
static void velocities(const qi_motion *m, int i, int nj, double rate_hz) {
    qi_target *o = &m->frame[i], a, b;
    bool first = i == 0 && !m->loop, last = i == m->nframe - 1 && !m->loop;
    qi_motion_at(m, m->loop ? i + m->nframe - 1 : first ? i : i - 1, &a);
    qi_motion_at(m, m->loop ? i + m->nframe + 1 : last ? i : i + 1, &b);
    double per = rate_hz / (first || last ? 1 : 2), v[3], R[9], back[4], turn[4];
    for (int j = 0; j < nj; j++) o->qd[j] = (b.q[j] - a.q[j]) * per;
    for (int c = 0; c < 3; c++) v[c] = (b.pose[c] - a.pose[c]) * per;
    rot_quat(R, o->pose + 3);
    mul33tv(o->vel, R, v);
    // small turn from a to b, in the base: twice its vector part
    back[0] = a.pose[3];
    for (int c = 0; c < 3; c++) back[1 + c] = -a.pose[4 + c];
    mul_quat(turn, back, b.pose + 3);
    for (int c = 0; c < 3; c++) o->gyro[c] = 2 * per * (turn[0] < 0 ? -turn[1 + c] : turn[1 + c]);
}

// Where the feet are, seen from the base.
static bool place_feet(qi_motion *m, const qiao_robot *robot, int nj, const int *qadr,
                       qiao_arena *a, qiao_diag *d) {
    const qiao_model *q = robot->model;
    char *mem = qiao_arena_get(a, qiao_dyn_size(q) + 64);
    double *x = qiao_arena_get(a, (size_t)q->nq * sizeof *x), rot[9], b[3], B[9], p[3];
    if (!mem || !x) return none(d), false;
    qiao_dyn *dyn = qiao_dyn_init(q, mem + (64 - (uintptr_t)mem % 64) % 64, d);
    if (!dyn) return false;
    memcpy(x, robot->rest_q, (size_t)q->nq * sizeof *x);
    for (int i = 0; i < m->nframe; i++) {
        for (int j = 0; j < nj; j++) x[qadr[j]] = m->frame[i].q[j];
        qiao_dyn_kinematics(dyn, x);
        qiao_dyn_body(dyn, robot->base, b, B);
        for (int f = 0; f < robot->nfoot && f < QI_FEET_MAX; f++) {
            qiao_dyn_site(dyn, robot->foot_site[f], p, rot, NULL, NULL);
            sub3(p, p, b);
            mul33tv(m->frame[i].foot[f], B, p);
        }
    }
    return true;
}

static bool find_joints(const qi_track *t, const qi_recipe *r, const qiao_robot *robot, int nj,
                        const char *const *joint, int *col, int *qadr, qiao_diag *d) {
    for (int j = 0; j < nj; j++) {
        col[j] = -1;
        for (int k = 0; k < t->nname; k++)
            if (strcmp(t->name[k], joint[j]) == 0) col[j] = k;
        int own = qiao_model_joint(robot->model, joint[j]);
        if (col[j] < 0 || own < 0) {
            const char *near = qiao_nearest(joint[j], t->name, t->nname);
            qiao_diag_set(d, QIAO_E_NAME, r->motion, 0, 0, "the motion has no joint '%.60s'%s%s",
                          joint[j], near ? "; the nearest is " : "", near ? near : "");
            return false;
        }
        qadr[j] = robot->model->jnt_qadr[own];
    }
    return true;
}

bool qi_motion_make(qi_motion *m, const qi_track *t, const qi_recipe *r, double rate_hz,
                    const qiao_robot *robot, int nj, const char *const *joint, qiao_arena *arena,
                    qiao_diag *d) {
    int col[QI_JOINTS_MAX], qadr[QI_JOINTS_MAX], at = 0;
    double first;
    if (nj > QI_JOINTS_MAX || !find_joints(t, r, robot, nj, joint, col, qadr, d)) return false;
    if (!cut(t, r->motion_from, r->motion_to, rate_hz, &first, &m->nframe)) {
        qiao_diag_set(d, QIAO_E_FIT, r->motion, 0, 0,
                      "the motion has %d frames at %g Hz from there on; at least 3 are needed",
                      m->nframe < 0 ? 0 : m->nframe, rate_hz);
        return false;
    }
    m->loop = r->motion_loop;
    m->frame = qiao_arena_get(arena, (size_t)m->nframe * sizeof *m->frame);
    double *q = qiao_arena_get(arena, (size_t)(t->nname + 1) * sizeof *q);
    if (!m->frame || !q) return none(d), false;
    for (int i = 0; i < m->nframe; i++) {
        qi_target *o = &m->frame[i];
        track_at(t, first + i / rate_hz, &at, o->pose, q);
        for (int j = 0; j < nj; j++) o->q[j] = q[col[j]];
    }
    // a lap is as far as its frames go, and one step more
    const double *a = m->frame[0].pose, *b = m->frame[m->nframe - 1].pose;
    for (int c = 0; c < 2; c++) m->lap[c] = (b[c] - a[c]) * m->nframe / (m->nframe - 1);
    for (int i = 0; i < m->nframe; i++) velocities(m, i, nj, rate_hz);
    return place_feet(m, robot, nj, qadr, arena, d);
}

void qi_motion_at(const qi_motion *m, int n, qi_target *out) {
    int lap = m->loop ? n / m->nframe : 0, i = m->loop ? n % m->nframe : n;
    if (i >= m->nframe) i = m->nframe - 1;
    *out = m->frame[i];
    for (int c = 0; c < 3; c++) out->pose[c] += lap * m->lap[c];
}
