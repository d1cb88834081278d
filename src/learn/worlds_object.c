// SPDX-License-Identifier: Apache-2.0
// worlds_object.c - the object that a hand or an arm works on: its start, its goals, its end.
#include "learn/worlds_in.h"

#include "ctl/vec.h"

#include <string.h>

// Numbers of the draws, beside those of worlds.c.
enum { DRAW_START = 300, DRAW_GOAL = 320 };

// ---- set-up ----

static int site_of(const qi_worlds *w, const char *name, const char *key, qiao_diag *d) {
    const qiao_model *m = w->robot->model;
    if (!name && w->robot->tool_site >= 0) return w->robot->tool_site;
    int s = name ? qiao_model_site(m, name) : -1;
    if (s >= 0) return s;
    const char *near = name ? qiao_nearest(name, m->site_name, m->nsite) : NULL;
    if (name)
        qiao_diag_set(d, QIAO_E_NAME, w->r->path, 0, 0, "object: %s: '%s' has no site '%s'%s%s",
                      key, w->robot->name, name, near ? "; the nearest is " : "", near ? near : "");
    else
        qiao_diag_set(d, QIAO_E_FIT, w->r->path, 0, 0,
                      "object: robot '%s' has no tool; name a site as hand", w->robot->name);
    return -1;
}

bool qi_object_sites(qi_worlds *w, const char **body, qiao_diag *d) {
    const qi_object *o = &w->r->object;
    const qiao_model *m = w->robot->model;
    if (!o->name) return true;
    for (int i = 0; i <= o->ntip; i++) { // the hand, then its tips
        int s = i ? site_of(w, o->tip[i - 1], "tips", d) : site_of(w, o->hand, "hand", d);
        if (s < 0) return false;
        body[i] = m->body_name[m->site_body[s]];
        memcpy(w->site_at[i], m->site_pos + 3 * s, sizeof w->site_at[i]);
    }
    w->nsite = o->ntip + 1;
    return true;
}

static bool bind_goal(qi_worlds *w, qiao_diag *d) {
    static const char *const name[] = {NULL, "command_orientation", "command_position"};
    const qiao_io *io = qiao_sim_io(w->sim);
    w->sig_goal = -1;
    if (!w->r->goal.kind) return true;
    for (int i = 0; i < io->nsig; i++)
        if (strcmp(io->sig[i].name, name[w->r->goal.kind]) == 0) w->sig_goal = i;
    if (w->sig_goal >= 0) return true;
    qiao_diag_set(d, QIAO_E_FIT, w->r->path, 0, 0,
                  "in scenario '%s' nobody asks for %s, so nothing says %s", w->r->scenario,
                  w->r->goal.kind == QI_AIM_PLACE ? "a place" : "an orientation",
                  name[w->r->goal.kind]);
    return false;
}

bool qi_object_bind(qi_worlds *w, qiao_diag *d) {
    const qi_object *o = &w->r->object;
    if (!o->name) return true;
    const qiao_model *m = w->model[0];
    int b = qiao_model_body(m, o->name), j = b >= 0 ? m->body_jntadr[b] : -1;
    if (j < 0 || m->body_jntnum[b] < 1 || m->jnt_type[j] != QIAO_JOINT_FREE) {
        qiao_diag_set(d, QIAO_E_NAME, w->r->path, 0, 0,
                      "object: in scenario '%s' nothing that moves freely is called '%s'",
                      w->r->scenario, o->name);
        return false;
    }
    w->obj_qadr = m->jnt_qadr[j], w->obj_vadr = m->jnt_vadr[j];
    return bind_goal(w, d);
}

// ---- draws ----

// A rotation drawn evenly, its angle kept within least .. most.
static void draw_turn(const qi_worlds *w, int i, uint64_t n, uint32_t what, double least,
                      double most, double q[4]) {
    qiao_rng r = {.seed = w->r->ppo.seed, .trial = (uint64_t)i, .purpose = RNG_WORLDS};
    for (uint32_t k = 0; k < 4; k++) q[k] = qiao_rng_normal(&r, n, what + k);
    unit_quat(q);
    double v = norm3(q + 1), s, c;
    double angle = clampd(2 * qi_atan2(v, fabs(q[0])), least, fmax(least, most));
    qi_sincos(angle / 2, &s, &c);
    double k = v > 1e-9 ? (q[0] < 0 ? -s : s) / v : 0;
    q[0] = c;
    for (int a = 1; a < 4; a++) q[a] *= k;
    unit_quat(q);
}

void qi_object_start(qi_worlds *w, int i, double *q) {
    const qi_object *o = &w->r->object;
    double *p = q + w->obj_qadr, t[4], s, c;
    uint64_t n = w->one[i].drawn++;
    for (uint32_t k = 0; k < 3; k++)
        p[k] += qi_within(o->at[k], qi_worlds_draw(w, i, n, DRAW_START + k));
    qi_sincos(0.5 * qi_within(o->yaw, qi_worlds_draw(w, i, n, DRAW_START + 3)), &s, &c);
    mul_quat(p + 3, (const double[4]){c, 0, 0, s}, p + 3);
    if (o->turn <= 0) return;
    draw_turn(w, i, n, DRAW_START + 4, 0, o->turn, t);
    mul_quat(p + 3, t, p + 3), unit_quat(p + 3);
}

static const double *object_of(const qi_worlds *w, int i) {
    const qiao_obs *obs = qiao_sim_obs(w->sim);
    return obs->x + (size_t)i * (size_t)obs->nobs + w->adr[TRUE_OBJECT];
}

static double off(const qi_worlds *w, const double *object, const double *goal) {
    if (w->r->goal.kind == QI_AIM_PLACE) {
        double e[3];
        sub3(e, object, goal);
        return norm3(e);
    }
    double back[4] = {goal[0], -goal[1], -goal[2], -goal[3]}, q[4];
    mul_quat(q, object + 3, back);
    return 2 * qi_atan2(norm3(q + 1), fabs(q[0]));
}

// Never where the object is already; as far from it as the curriculum allows.
void qi_object_goal(qi_worlds *w, int i) {
    const qi_aim *a = &w->r->goal;
    one *o = &w->one[i];
    const double *x = object_of(w, i);
    uint64_t n = o->drawn++;
    if (a->kind == QI_AIM_ORIENTATION) {
        double t[4];
        draw_turn(w, i, n, DRAW_GOAL, 2 * w->tolerance, a->turn * w->share, t);
        mul_quat(o->goal, t, x + 3), unit_quat(o->goal);
    }
    for (uint32_t k = 0; a->kind == QI_AIM_PLACE && k < 16; k++) {
        for (uint32_t c = 0; c < 3; c++) {
            double to = qi_within(a->at[c], qi_worlds_draw(w, i, n, DRAW_GOAL + 3 * k + c));
            o->goal[c] = x[c] + w->share * (to - x[c]);
        }
        if (off(w, x, o->goal) > 2 * w->tolerance) break;
    }
    o->goal_age = 0, o->goal_due = false, o->past.off = NAN;
    qiao_sim_signal(w->sim, i, w->sig_goal, o->goal);
    qiao_sim_observe_world(w->sim, i);
}

// ---- a step ----

void qi_object_look(qi_worlds *w, int i, const double *x, qi_look *o) {
    const double *site = x + w->adr[TRUE_SITES];
    one *me = &w->one[i];
    o->object = x + w->adr[TRUE_OBJECT], o->ntip = w->r->object.ntip;
    qi_worlds_site(site, w->site_at[0], o->hand);
    for (int k = 0; k < o->ntip; k++)
        qi_worlds_site(site + 7 * (k + 1), w->site_at[k + 1], o->tip[k]);
    qi_reward_object_speeds(o, &me->past);
    copy3(me->object_vel, o->object_vel), copy3(me->object_spin, o->object_spin);
    o->off = NAN, o->tolerance = w->tolerance;
    if (!w->r->goal.kind) return;
    o->off = off(w, o->object, me->goal);
    // one that stays is reached once
    o->reached = o->off < o->tolerance && (w->r->goal.again || !(me->past.off < o->tolerance));
}

bool qi_object_lost(const qi_worlds *w, const qi_look *o) {
    const qi_object *def = &w->r->object;
    double d[3];
    sub3(d, o->object, o->hand);
    if (!(norm3(d) < 1e3)) return true;
    return (def->low > 0 && o->object[2] < def->low) || (def->far > 0 && norm3(d) > def->far);
}

bool qi_object_after(qi_worlds *w, int i, const qi_look *o) {
    const qi_aim *a = &w->r->goal;
    one *me = &w->one[i];
    if (!a->kind) return false;
    me->off_sum += o->off, me->reached += o->reached;
    bool late = a->seconds > 0 && ++me->goal_age * w->period >= a->seconds;
    return (o->reached && a->again) || late;
}

// ---- what the critic sees ----

int qi_object_critic_size(const qi_worlds *w) {
    return (w->r->critic_object ? 9 + (w->r->goal.kind != 0) : 0) +
           (w->r->critic_tips ? 3 * w->r->object.ntip : 0);
}

float *qi_object_critic(const qi_worlds *w, int i, const double *x, float *c) {
    const one *me = &w->one[i];
    const double *object = x + w->adr[TRUE_OBJECT], *site = x + w->adr[TRUE_SITES];
    double p[3];
    if (w->r->critic_object) {
        qi_worlds_site(site, w->site_at[0], p);
        for (int k = 0; k < 3; k++) *c++ = (float)(object[k] - p[k]);
        for (int k = 0; k < 3; k++) *c++ = (float)me->object_vel[k];
        for (int k = 0; k < 3; k++) *c++ = (float)me->object_spin[k];
        if (w->r->goal.kind) *c++ = (float)off(w, object, me->goal);
    }
    for (int t = 0; w->r->critic_tips && t < w->r->object.ntip; t++) {
        qi_worlds_site(site + 7 * (t + 1), w->site_at[t + 1], p);
        for (int k = 0; k < 3; k++) *c++ = (float)(p[k] - object[k]);
    }
    return c;
}
