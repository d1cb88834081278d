// SPDX-License-Identifier: Apache-2.0
// goal.c - orientations asked for one after another, a place asked for, and things put back where
// they began.
#include "referee.h"

#include <math.h>
#include <string.h>

// A point evenly on the unit circle's disk, by rejection; returns its squared radius.
static double disk(const qiao_rng *r, uint64_t goal, uint32_t which, double p[2]) {
    double s = 1;
    for (uint32_t k = 0; k < 64 && !(s > 0 && s < 1); k++) {
        for (uint32_t i = 0; i < 2; i++)
            p[i] = 2 * qiao_rng_uniform(r, goal, which * 128 + 2 * k + i) - 1;
        s = p[0] * p[0] + p[1] * p[1];
    }
    return s;
}

// An orientation drawn evenly, by (seed, trial, its number).
// source: G. Marsaglia, Choosing a point from the surface of a sphere (1972), four dimensions
static void draw(const qiao_referee *f, int number, double q[4]) {
    qiao_rng r = {f->in->seed, f->in->trial, QIAO_RNG_CASE};
    uint64_t key = 0x6f7269656e740000u + (uint64_t)number; // "orient"
    double a[2], b[2], s = disk(&r, key, 0, a), t = disk(&r, key, 1, b), c = sqrt((1 - s) / t);
    q[0] = a[0], q[1] = a[1], q[2] = b[0] * c, q[3] = b[1] * c;
    double sign = q[0] < 0 ? -1 : 1, n = sign / sqrt(s + (b[0] * b[0] + b[1] * b[1]) * c * c);
    for (int i = 0; i < 4; i++) q[i] *= n;
}

// The last orientation turned on, in its own axes, about a vector whose three parts are drawn.
static void turn_on(const qiao_referee *f, int number, double least, double most, double q[4]) {
    qiao_rng r = {f->in->seed, f->in->trial, QIAO_RNG_CASE};
    uint64_t key = 0x6f7269656e740000u + (uint64_t)number;
    double v[3], n = 0, p[4], o[4];
    for (uint32_t i = 0; i < 3; i++) {
        v[i] = least + (most - least) * qiao_rng_uniform(&r, key, i);
        n += v[i] * v[i];
    }
    n = sqrt(n);
    p[0] = cos(n / 2);
    for (int i = 0; i < 3; i++) p[1 + i] = n > 0 ? v[i] / n * sin(n / 2) : 0;
    memcpy(o, q, sizeof o);
    q[0] = o[0] * p[0] - o[1] * p[1] - o[2] * p[2] - o[3] * p[3];
    q[1] = o[0] * p[1] + o[1] * p[0] + o[2] * p[3] - o[3] * p[2];
    q[2] = o[0] * p[2] - o[1] * p[3] + o[2] * p[0] + o[3] * p[1];
    q[3] = o[0] * p[3] + o[1] * p[2] - o[2] * p[1] + o[3] * p[0];
}

static double angle(const double a[4], const double b[4]) {
    double c = fabs(a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3]);
    return 2 * acos(fmin(c, 1));
}

double qi_goal_error(const qiao_referee *f) {
    const qi_obj *o = f->goal.thing;
    return o && o->body >= 0 ? angle(f->t->body_quat + 4 * o->body, f->goal.quat) : 0;
}

void qi_goal_send(qiao_referee *f) {
    if (f->orientation >= 0 && f->sim) qiao_sim_signal(f->sim, f->w, f->orientation, f->goal.quat);
    if (f->position >= 0 && f->sim) qiao_sim_signal(f->sim, f->w, f->position, f->goal.place);
}

// First coordinate and first velocity of the joint that carries a body; false: it has none.
static bool joint_of(const qiao_referee *f, const qi_obj *o, int *qadr, int *vadr) {
    const qiao_model *w = f->world;
    if (!o || o->body < 0 || w->body_jntnum[o->body] < 1) return false;
    int j = w->body_jntadr[o->body];
    *qadr = w->jnt_qadr[j], *vadr = w->jnt_vadr[j];
    return true;
}

// The state that a change starts from. It is set when all lines have seen the present one.
static void copy_state(qiao_referee *f) {
    if (f->moved) return;
    f->moved = true;
    memcpy(f->q, f->t->q, (size_t)f->world->nq * sizeof *f->q);
    memcpy(f->qd, f->t->qd, (size_t)f->world->nv * sizeof *f->qd);
}

// The marker is a body on a ball joint: it turns to the wanted orientation at once.
static void show(qiao_referee *f) {
    int q, v;
    if (!f->sim || !joint_of(f, f->goal.marker, &q, &v)) return;
    copy_state(f);
    memcpy(f->q + q, f->goal.quat, sizeof f->goal.quat);
    memset(f->qd + v, 0, 3 * sizeof *f->qd);
}

// The next orientation that the thing does not have already.
static void next_goal(qiao_referee *f, const qi_act *a) {
    qi_goal *g = &f->goal;
    double least = qi_get(f->in, a->o, "turn_least"), most = qi_get(f->in, a->o, "turn_most");
    do {
        if (g->drawn > 0 && most > 0)
            turn_on(f, g->drawn++, least, most, g->quat);
        else
            draw(f, g->drawn++, g->quat);
    } while (qi_goal_error(f) < 2 * g->tolerance && g->drawn % 64);
    g->since = f->now;
    show(f);
}

bool qi_orient(qiao_referee *f, qi_act *a, qi_phase phase) {
    qi_goal *g = &f->goal;
    if (phase == QI_STOP) return true;
    if (phase == QI_START) {
        g->thing = qi_get_obj(f->in, a->o, "thing");
        g->marker = qi_get_obj(f->in, a->o, "marker");
        g->tolerance = qi_get(f->in, a->o, "tolerance");
        next_goal(f, a);
        return g->thing == NULL;
    }
    double most = qi_get(f->in, a->o, "goals"), error = qi_goal_error(f);
    double patience = qi_get(f->in, a->o, "patience");
    if (error >= g->tolerance) {
        if (patience <= 0 || f->now - g->since < patience - 1e-9) return false;
        g->missed++;
        qi_referee_event(f, "missed", "not reached in %.3g s, %.2f rad off", patience, error);
        next_goal(f, a);
        return false;
    }
    g->reached++;
    qi_referee_event(f, "goal", "%d reached in %.2f s, %.2f rad off", g->reached, f->now - g->since,
                     error);
    if (most > 0 && g->reached >= most) return true;
    next_goal(f, a);
    return false;
}

// Over when the thing has been within the tolerance of the marker for as long as is asked.
bool qi_bring(qiao_referee *f, qi_act *a, qi_phase phase) {
    qi_goal *g = &f->goal;
    const qi_obj *thing = qi_get_obj(f->in, a->o, "thing"), *to = qi_get_obj(f->in, a->o, "marker");
    if (phase == QI_STOP) return true;
    if (!thing || thing->body < 0 || !to || to->body < 0) return true;
    const double *p = f->t->body_pos + 3 * thing->body, *q = f->t->body_pos + 3 * to->body;
    if (phase == QI_START) memcpy(g->place, q, sizeof g->place), a->mem[0] = f->now;
    double d[3] = {p[0] - q[0], p[1] - q[1], p[2] - q[2]};
    double off = sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
    if (off >= qi_get(f->in, a->o, "tolerance")) a->mem[0] = f->now;
    if (f->now - a->mem[0] < qi_get(f->in, a->o, "hold") - 1e-9) return false;
    if (off >= qi_get(f->in, a->o, "tolerance")) return false;
    g->reached++;
    qi_referee_event(f, "goal", "%s brought to %s, %.3g m off", thing->path, to->path, off);
    return true;
}

bool qi_put_back(qiao_referee *f, qi_act *a, qi_phase phase) {
    const qi_obj *o = qi_get_obj(f->in, a->o, "thing");
    int q, v;
    if (phase != QI_START || !f->sim || !joint_of(f, o, &q, &v)) return true;
    copy_state(f);
    memcpy(f->q + q, o->pos, sizeof o->pos), memcpy(f->q + q + 3, o->quat, sizeof o->quat);
    f->q[q + 2] += qi_get(f->in, a->o, "above");
    memset(f->qd + v, 0, 6 * sizeof *f->qd);
    qi_referee_event(f, "put_back", "%s", o->path);
    return true;
}
