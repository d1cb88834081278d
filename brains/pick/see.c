// SPDX-License-Identifier: Apache-2.0
// see.c - the facts of the job as text, and poses from a slow, late, noisy camera.
#include "pick.h"

#include <stdio.h>
#include <stdlib.h>

double wrap(double a) { return a - 6.283185307179586 * floor(a / 6.283185307179586 + 0.5); }

// ---- facts ----

static const char *fact(const pick *b, int world, const char *of, const char *what) {
    char name[112];
    snprintf(name, sizeof name, "%s.%s", of, what);
    return qiao_io_param(b->io, world, name);
}

// Reads n finite numbers; a missing or malformed fact is named.
static qiao_err numbers(const pick *b, int world, const char *of, const char *what, int n,
                        double *x, qiao_diag *d) {
    const char *text = fact(b, world, of, what), *at = text;
    for (int i = 0; i < n; i++) {
        char *end = NULL;
        x[i] = at ? strtod(at, &end) : 0;
        if (!at || end == at || !isfinite(x[i]))
            return qiao_diag_set(d, QIAO_E_FORMAT, NULL, 0, 0,
                                 "fact '%s.%s' is %s%s%s, expected %d numbers", of, what,
                                 text ? "'" : "missing", text ? text : "", text ? "'" : "", n);
        at = end;
    }
    return QIAO_OK;
}

// World to base frame.
static void to_base(const mind *m, double p[3]) {
    double s, c, d[3];
    qi_sincos(m->base_yaw, &s, &c);
    sub3(d, p, m->base);
    set3(p, c * d[0] + s * d[1], -s * d[0] + c * d[1], d[2]);
}

static qiao_err read_box(const pick *b, int world, mind *m, const char *name, qiao_diag *d) {
    box *c = &m->box[m->nbox];
    if (m->nbox == BOX_MAX || strlen(name) >= sizeof c->name)
        return qiao_diag_set(d, QIAO_E_LIMIT, NULL, 0, 0,
                             "container '%s': more than %d, or a name past %d letters", name,
                             BOX_MAX, (int)sizeof c->name - 1);
    memset(c, 0, sizeof *c);
    memcpy(c->name, name, strlen(name));
    qiao_err e = numbers(b, world, name, "pos", 3, c->pos, d);
    if (!e) e = numbers(b, world, name, "size", 3, c->size, d);
    if (!e && fact(b, world, name, "yaw")) e = numbers(b, world, name, "yaw", 1, &c->yaw, d);
    to_base(m, c->pos), c->yaw -= m->base_yaw;
    m->nbox++;
    return e;
}

// Containers are whatever has a position and is not the robot.
static qiao_err read_boxes(const pick *b, int world, mind *m, qiao_diag *d) {
    for (int i = 0; i < b->io->nparam; i++) {
        const char *name = b->io->param_name[i], *dot = strrchr(name, '.');
        char of[64];
        if (!dot || strcmp(dot, ".pos") != 0 || strncmp(name, "robot.", 6) == 0) continue;
        if ((size_t)(dot - name) >= sizeof of) continue;
        memcpy(of, name, (size_t)(dot - name)), of[dot - name] = 0;
        qiao_err e = read_box(b, world, m, of, d);
        if (e) return e;
    }
    return QIAO_OK;
}

static qiao_err read_thing(const pick *b, int world, mind *m, const char *name, qiao_diag *d) {
    static const char *const shapes[] = {"box", "cylinder", "ball"};
    thing *t = &m->thing[m->nthing];
    const qiao_signal *s = &b->io->sig[b->sig_pose];
    const char *kind = fact(b, world, name, "shape"), *into = fact(b, world, name, "into");
    *t = (thing){.into = -1, .elem = -1, .stamp = -1, .quat = {1, 0, 0, 0}};
    int k = 0;
    while (k < 3 && (!kind || strcmp(kind, shapes[k]) != 0)) k++;
    if (k == 3)
        return qiao_diag_set(d, QIAO_E_FORMAT, NULL, 0, 0,
                             "fact '%s.shape' is '%s', expected box, cylinder or ball", name,
                             kind ? kind : "");
    t->shape = (enum shape)k;
    for (int i = 0; into && i < m->nbox; i++)
        if (strcmp(into, m->box[i].name) == 0) t->into = i;
    if (into && t->into < 0)
        return qiao_diag_set(d, QIAO_E_NAME, NULL, 0, 0,
                             "fact '%s.into' is '%s', and no container has that name", name, into);
    for (int i = 0; i < s->nname; i++)
        if (strcmp(s->element[i], name) == 0) t->elem = i;
    if (t->elem < 0)
        return qiao_diag_set(d, QIAO_E_NAME, NULL, 0, 0, "signal '%s' does not show '%s'", s->name,
                             name);
    m->nthing++;
    qiao_err e = numbers(b, world, name, "size", 3, t->size, d);
    return e ? e : numbers(b, world, name, "mass", 1, &t->mass, d);
}

qiao_err see_facts(const pick *b, int world, mind *m, qiao_diag *d) {
    const char *list = qiao_io_param(b->io, world, "objects");
    if (!list) return qiao_diag_set(d, QIAO_E_NAME, NULL, 0, 0, "fact 'objects' is missing");
    qiao_err e = numbers(b, world, "robot", "pos", 3, m->base, d);
    if (!e) e = numbers(b, world, "robot", "yaw", 1, &m->base_yaw, d);
    if (!e) e = read_boxes(b, world, m, d);
    while (!e && *list) {
        char name[64];
        size_t n = strcspn(list, " ");
        if (n > 0 && (n >= sizeof name || m->nthing == THING_MAX))
            return qiao_diag_set(d, QIAO_E_LIMIT, NULL, 0, 0,
                                 "fact 'objects': more than %d, or a name past %d letters",
                                 THING_MAX, (int)sizeof name - 1);
        memcpy(name, list, n), name[n] = 0;
        if (n > 0) e = read_thing(b, world, m, name, d);
        list += n + (list[n] == ' ');
    }
    return e;
}

// ---- poses ----

// A mean over the samples since the thing last moved; the newer half counts for most.
static void blend(thing *t, const double p[3], const double q[4]) {
    double d[3], k = 1, sign = 0;
    sub3(d, p, t->pos);
    if (t->seen > 0 && norm3(d) < MOVED) {
        t->seen++;
        k = fmax(1.0 / t->seen, 0.1);
    } else {
        t->seen = 1;
    }
    for (int i = 0; i < 4; i++) sign += q[i] * t->quat[i];
    if (t->seen == 1) memcpy(t->quat, q, sizeof t->quat), sign = 1;
    mad3(t->pos, k, d);
    for (int i = 0; i < 4; i++) t->quat[i] += k * ((sign < 0 ? -q[i] : q[i]) - t->quat[i]);
    unit_quat(t->quat);
}

void see(const pick *b, mind *m, const qiao_obs *obs, int row) {
    const qiao_signal *s = &b->io->sig[b->sig_pose];
    const double *x = obs->x + (size_t)row * (size_t)obs->nobs;
    int64_t stamp = obs->stamp_ns[(size_t)row * (size_t)obs->nsig + (size_t)b->sig_pose];
    double half[4] = {1, 0, 0, 0};
    qi_sincos(-m->base_yaw / 2, &half[3], &half[0]);
    for (int i = 0; i < m->nthing && stamp >= 0; i++) {
        thing *t = &m->thing[i];
        const double *at = x + s->adr + 7 * t->elem;
        double p[3], q[4];
        if (stamp == t->stamp) continue;
        t->stamp = stamp;
        copy3(p, at), to_base(m, p), mul_quat(q, half, at + 3);
        blend(t, p, q);
    }
    m->opening = 0;
    for (int i = 0; i < b->nfinger; i++) m->opening += x[b->adr_finger[i]];
    double q[QIAO_CTL_ARM_N], d[3];
    qiao_ctl_pose tool;
    for (int i = 0; i < b->chain->n; i++) q[i] = x[b->adr_q[i]];
    qiao_ctl_arm_forward(b->arm, q, &tool, NULL);
    sub3(d, tool.pos, m->x);
    m->off = norm3(d);
}

bool see_ready(const mind *m) {
    for (int i = 0; i < m->nthing; i++)
        if (m->thing[i].seen < REST_SAMPLES) return false;
    return true;
}

outline see_outline(const thing *t) {
    outline o = {.x = t->pos[0], .y = t->pos[1]};
    double R[9], r = t->size[0] / 2, high = r;
    rot_quat(R, t->quat);
    const double *up = R + 6; // how far each of the thing's axes points up
    if (t->shape == BALL) {
        o.half[0] = r, o.half[1] = -1;
    } else if (t->shape == CYLINDER && fabs(up[2]) > 0.7) {
        o.half[0] = r + t->size[2] / 2 * sqrt(fmax(0, 1 - up[2] * up[2])), o.half[1] = -1;
        high = t->size[2] / 2 * fabs(up[2]) + r * sqrt(fmax(0, 1 - up[2] * up[2]));
    } else if (t->shape == CYLINDER) {
        o.half[0] = t->size[2] / 2, o.half[1] = r, o.yaw = qi_atan2(R[5], R[2]);
        high = t->size[2] / 2 * fabs(up[2]) + r * sqrt(fmax(0, 1 - up[2] * up[2]));
    } else {
        int k = fabs(up[0]) > fabs(up[1]) ? (fabs(up[0]) > fabs(up[2]) ? 0 : 2)
                                          : (fabs(up[1]) > fabs(up[2]) ? 1 : 2);
        int a = (k + 1) % 3, c = (k + 2) % 3;
        o.half[0] = t->size[a] / 2, o.half[1] = t->size[c] / 2;
        o.yaw = qi_atan2(R[3 + a], R[a]);
        high = 0;
        for (int i = 0; i < 3; i++) high += fabs(up[i]) * t->size[i] / 2;
    }
    o.bottom = t->pos[2] - high, o.top = t->pos[2] + high;
    return o;
}

bool see_inside(const thing *t, const box *c) {
    double s, k, d[3];
    qi_sincos(c->yaw, &s, &k);
    sub3(d, t->pos, c->pos);
    return fabs(k * d[0] + s * d[1]) < c->size[0] / 2 &&
           fabs(-s * d[0] + k * d[1]) < c->size[1] / 2 && d[2] > -0.01 &&
           d[2] < c->size[2] + t->size[2] / 2;
}

double see_top(const mind *m) {
    double top = 0;
    for (int i = 0; i < m->nbox; i++) top = fmax(top, m->box[i].pos[2] + m->box[i].size[2]);
    for (int i = 0; i < m->nthing; i++)
        if (m->thing[i].seen && !(m->load > 0 && i == m->g.thing))
            top = fmax(top, see_outline(&m->thing[i]).top);
    return top;
}
