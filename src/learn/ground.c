// SPDX-License-Identifier: Apache-2.0
// ground.c - rough ground for worlds.h: draws of a scenario from easy to hard, and which of them a
// world stands on. Who does well moves up a level, who falls or stays behind moves down.
// source: N. Rudin et al., Learning to walk in minutes using massively parallel deep reinforcement
// learning (2021), section 3.2
#include "ctl/vec.h"
#include "learn/worlds_in.h"
#include "sim/cast.h"

#include <math.h>
#include <string.h>

enum { SCAN_X = 5, SCAN_Y = 3 };             // points around the base
static const double SCAN_STEP = 0.15;        // m between points
static const double GOOD = 0.75, POOR = 0.5; // share of the way asked for that moves a world
static double within(qi_range g, double u) { return g.lo + (g.hi - g.lo) * u; }

// Draw k: its level's part of the parameter's range, all else by (seed, k).
qiao_case *qi_ground_case(const qi_worlds *w, int k, qiao_diag *d) {
    const qi_rise *v = &w->r->rise;
    enum { PARAMS = 1024 };
    static const double none = NAN;
    const char *name[PARAMS];
    double u[PARAMS];
    const qiao_param *p;
    int n = qiao_scenario_params(w->scenario, &p), at = -1;
    for (int i = 0; i < n && i < PARAMS; i++) {
        u[i] = none, name[i] = p[i].name;
        if (strcmp(p[i].name, v->by) == 0) at = i;
    }
    if (at < 0) {
        const char *near = qiao_nearest(v->by, name, n < PARAMS ? n : PARAMS);
        qiao_diag_set(d, QIAO_E_NAME, w->r->path, 0, 0, "ground: scenario '%s' draws no '%s'%s%s",
                      w->r->scenario, v->by, near ? "; the nearest is " : "", near ? near : "");
        return NULL;
    }
    u[at] = (k + 0.5) / (v->levels * v->draws);
    return qiao_case_new_at(w->scenario, w->robot, w->r->ppo.seed, (uint64_t)k, u, d);
}

bool qi_ground_check(qi_worlds *w, qiao_diag *d) {
    if (!w->r->rise.by) return true;
    if (w->free_vadr < 0) {
        qiao_diag_set(d, QIAO_E_FIT, w->r->path, 0, 0, "ground: this robot's base is not free");
        return false;
    }
    // back to its own at the end
    for (int k = w->r->grounds - 1; k >= 0; k--)
        if (qi_sim_become(w->sim, 0, k, d)) {
            qiao_diag_set(d, QIAO_E_FIT, w->r->path, 0, 0,
                          "ground: draws of scenario '%s' differ in more than numbers",
                          w->r->scenario);
            return false;
        }
    for (int i = 0; i < w->env.n; i++) w->one[i].on = i % w->r->grounds;
    return true;
}

bool qi_ground_choose(qi_worlds *w, int i) {
    const qi_rise *v = &w->r->rise;
    one *o = &w->one[i];
    o->went = o->asked = 0;
    if (!v->by) return false;
    int k = (int)(qi_worlds_draw(w, i, o->drawn++, 0) * v->draws);
    k = o->level * v->draws + (k < v->draws ? k : v->draws - 1);
    // another of the same level only now and then: a change costs a plan of the world
    bool stays = o->episode % (uint64_t)w->r->vary.episodes != 0 && o->on / v->draws == o->level;
    if (stays || k == o->on) return false;
    qiao_diag d = {0};
    if (qi_sim_become(w->sim, i, k, &d)) {
        __atomic_fetch_add(&w->nrefused, 1, __ATOMIC_RELAXED);
        return false;
    }
    return o->on = k, true;
}

void qi_ground_scan(qi_worlds *w, qiao_sensor *s) {
    bool rough = w->r->rise.by != NULL;
    s->grid_n[0] = rough ? SCAN_X : 1, s->grid_n[1] = rough ? SCAN_Y : 1;
    s->grid_step = rough ? SCAN_STEP : 0.1;
    w->nscan = s->grid_n[0] * s->grid_n[1];
}

double qi_ground_below(const qi_worlds *w, const double *x) {
    const double *z = x + w->adr[TRUE_GROUND];
    double sum = 0;
    for (int k = 0; k < w->nscan; k++) sum += z[k];
    return w->nscan > 1 ? sum / w->nscan : sum;
}

double qi_ground_foot(const qi_worlds *w, const double *x, const qi_look *o, int f) {
    if (w->nscan == 1) return o->ground;
    // the grid is turned by the base's heading: the nearest point
    const double *b = o->pose + 3;
    double fx = 1 - 2 * (b[2] * b[2] + b[3] * b[3]), fy = 2 * (b[1] * b[2] + b[0] * b[3]);
    double n = sqrt(fx * fx + fy * fy), c = n > 1e-9 ? fx / n : 1, s = n > 1e-9 ? fy / n : 0;
    double dx = o->foot[f][0] - o->pose[0], dy = o->foot[f][1] - o->pose[1];
    double u = (c * dx + s * dy) / SCAN_STEP, v = (c * dy - s * dx) / SCAN_STEP;
    int i = (int)fmin(fmax(floor(u + 0.5 * SCAN_X), 0), SCAN_X - 1);
    int j = (int)fmin(fmax(floor(v + 0.5 * SCAN_Y), 0), SCAN_Y - 1);
    return o->pose[2] + x[w->adr[TRUE_GROUND] + i * SCAN_Y + j];
}

void qi_ground_place(qi_worlds *w, int i, double *q) {
    const qi_rise *v = &w->r->rise;
    const qiao_model *m = w->model[w->one[i].on];
    const qiao_obs *obs = qiao_sim_obs(w->sim);
    const double *z = obs->x + (size_t)i * (size_t)obs->nobs + w->adr[TRUE_GROUND];
    int a = m->jnt_qadr[m->body_jntadr[w->base]];
    uint64_t n = w->one[i].drawn++;
    double half = 3.141592653589793 * (2 * qi_worlds_draw(w, i, n, 2) - 1) / 2, pos[3], yaw;
    qiao_case_place(w->cas[w->one[i].on], pos, &yaw);
    double above = q[a + 2] - pos[2];
    // neighbours among the worlds start near each other: lanes of a group then meet the same stones
    enum { NEAR = 16 };
    int groups = (w->env.n + NEAR - 1) / NEAR;
    double along = (i / NEAR + qi_worlds_draw(w, i, n, 0)) / groups;
    q[a] = within(v->x, along), q[a + 1] = within(v->y, qi_worlds_draw(w, i, n, 1));
    q[a + 4] = q[a + 5] = 0;
    qi_sincos(half, &q[a + 6], &q[a + 3]);
    qiao_sim_set(w->sim, i, q, NULL);
    qiao_sim_observe_world(w->sim, i);
    double top = z[0]; // of the points around the base, less its height
    for (int k = 1; k < w->nscan; k++) top = fmax(top, z[k]);
    q[a + 2] += top + above + 0.01;
}

bool qi_ground_walk(qi_worlds *w, int i, const qi_look *o) {
    const qi_rise *v = &w->r->rise;
    one *me = &w->one[i];
    if (!v->by) return false;
    double c = sqrt(o->command[0] * o->command[0] + o->command[1] * o->command[1]);
    if (c > 0.05) {
        me->asked += c * o->dt;
        me->went += (o->command[0] * o->vel[0] + o->command[1] * o->vel[1]) / c * o->dt;
    }
    const double *p = o->pose;
    return p[0] < v->x.lo - v->leave || p[0] > v->x.hi + v->leave || p[1] < v->y.lo - v->leave ||
           p[1] > v->y.hi + v->leave;
}

void qi_ground_over(qi_worlds *w, int i, bool fell) {
    const qi_rise *v = &w->r->rise;
    one *o = &w->one[i];
    if (!v->by) return;
    if (fell || o->went < POOR * o->asked)
        o->level -= o->level > 0;
    else if (o->asked > 0.5 && o->went > GOOD * o->asked && ++o->level == v->levels)
        o->level = (int)(qi_worlds_draw(w, i, o->drawn++, 0) * v->levels); // through: anywhere
    if (o->level >= v->levels) o->level = v->levels - 1;
}

// ---- what outlives a checkpoint: the levels ----

size_t qi_worlds_state_bytes(const qi_worlds *w) { return w->r->rise.by ? (size_t)w->env.n : 0; }
void qi_worlds_state_get(const qi_worlds *w, void *data) {
    uint8_t *b = data;
    for (size_t i = 0; i < qi_worlds_state_bytes(w); i++) b[i] = (uint8_t)w->one[i].level;
}
void qi_worlds_state_set(qi_worlds *w, const void *data) {
    const uint8_t *b = data;
    int top = w->r->rise.levels - 1;
    for (size_t i = 0; i < qi_worlds_state_bytes(w); i++) w->one[i].level = b[i] < top ? b[i] : top;
}
