// SPDX-License-Identifier: Apache-2.0
// flock.c - see flock.h. All trials start at common multiples of the brain's and the referee's
// periods, so one clock serves all lanes, however old each trial is.
#include "prove/flock.h"

#include "model/mold.h"
#include "prove/tick.h"
#include "sim/cast.h"
#include "task/watch.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct lane { // a world and the trial that runs in it
    bool busy;
    qi_job job;
    qiao_model view;    // the mold's world with this trial's start pose
    double *q0;         // [nq]
    char *scene;        // whose numbers the world has
    qiao_brain *brain;  // its own; NULL: all lanes share one
    qiao_io io;         // of its own brain
    const char **facts; // [nparam of io] of its own brain
    qiao_referee *ref;
    qiao_hash trace;
} lane;

struct qi_flock {
    const qi_flock_def *def;
    qi_mold *mold;
    qiao_sim *sim;
    qiao_brain *brain; // shared; NULL: each lane has one
    bool mujoco, own;
    bool dead, solo; // the shared brain has to be bound again; the trial that runs is alone
    int n, live, brain_div, tick_div, stride, ngrant;
    lane *lane; // [n]
    const qiao_model **models;
    qiao_sensor *grant; // [ngrant] of the first case, copied
    qiao_io io;
    char **fact_name, **fact; // [io.nparam] of the first case
    const char **facts;       // [n][io.nparam] the same for all lanes
    qiao_cmd cmd;
    double *cmd_mem; // [5][n][nu]
    uint8_t *need;   // [nbody] of the referee that begins
    qiao_arena *arena;
};

// MuJoCo's parser and compiler are one for all threads.
static pthread_mutex_t compiler = PTHREAD_MUTEX_INITIALIZER;

static qiao_err no_memory(qiao_diag *d) {
    return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
}

// ---- making ----

static qiao_err make_mold(qi_flock *f, const qiao_case *c, qiao_diag *d) {
    double pos[3], yaw;
    qiao_case_place(c, pos, &yaw);
    pthread_mutex_lock(&compiler);
    f->mold = qi_mold_new(f->def->robot, qiao_case_scene(c), pos, yaw, d);
    pthread_mutex_unlock(&compiler);
    return f->mold ? QIAO_OK : d->err;
}

// The sim keeps their names; the case goes.
static bool copy_grants(qi_flock *f, const qiao_case *c) {
    const qiao_sensor *from;
    f->ngrant = qiao_case_grants(c, &from);
    f->grant = qiao_arena_get(f->arena, ((size_t)f->ngrant + 1) * sizeof *f->grant);
    for (int i = 0; f->grant && i < f->ngrant; i++) {
        qiao_sensor *g = &f->grant[i];
        *g = from[i];
        g->name = qiao_arena_printf(f->arena, "%s", from[i].name);
        if (from[i].unit) g->unit = qiao_arena_printf(f->arena, "%s", from[i].unit);
        if (from[i].frame) g->frame = qiao_arena_printf(f->arena, "%s", from[i].frame);
        if (!from[i].element) continue;
        const char **e = qiao_arena_get(f->arena, ((size_t)g->nname + 1) * sizeof *e);
        for (int k = 0; e && k < g->nname; k++)
            e[k] = qiao_arena_printf(f->arena, "%s", from[i].element[k]);
        if (!(g->element = e)) return false;
    }
    return f->grant != NULL;
}

static qiao_err make_sim(qi_flock *f, const qiao_case *c, qiao_diag *d) {
    const qiao_model *m = qi_mold_world(f->mold);
    f->models = calloc((size_t)f->n, sizeof *f->models);
    if (!f->models) return no_memory(d);
    for (int i = 0; i < f->n; i++) f->models[i] = m;
    qiao_sim_def sd = qiao_sim_def_default();
    sd.engine = f->def->engine, sd.nworld = f->n, sd.nthread = 1, sd.robot = f->def->robot;
    sd.world = f->models, sd.period = f->brain_div * m->dt;
    if (!copy_grants(f, c)) return no_memory(d);
    sd.ngrant = f->ngrant, sd.grant = f->grant;
    f->sim = qiao_sim_new(&sd, d);
    if (!f->sim) return d->err;
    f->io = *qiao_sim_io(f->sim);
    for (int i = 0; i < f->n; i++) qiao_sim_stop(f->sim, i);
    return QIAO_OK;
}

// The first case's facts, for all lanes.
static qiao_err make_facts(qi_flock *f, const qiao_case *c, qiao_diag *d) {
    const char *const *name, *const *text;
    int np = qiao_case_facts(c, &name, &text);
    size_t n = (size_t)np + 1;
    f->fact_name = calloc(n, sizeof *f->fact_name), f->fact = calloc(n, sizeof *f->fact);
    f->facts = calloc((size_t)f->n * n, sizeof *f->facts);
    if (!f->fact_name || !f->fact || !f->facts) return no_memory(d);
    f->io.nworld = f->n, f->io.nparam = np;
    for (int k = 0; k < np; k++) {
        f->fact_name[k] = strdup(name[k]), f->fact[k] = strdup(text[k]);
        if (!f->fact_name[k] || !f->fact[k]) return no_memory(d);
        for (int i = 0; i < f->n; i++) f->facts[i * np + k] = f->fact[k];
    }
    f->io.param_name = (const char *const *)f->fact_name, f->io.param_text = f->facts;
    return QIAO_OK;
}

static qiao_err make_lanes(qi_flock *f, qiao_diag *d) {
    const qiao_model *m = qi_mold_world(f->mold);
    size_t row = (size_t)f->n * (size_t)f->io.nu;
    f->cmd_mem = calloc(5 * row + 1, sizeof *f->cmd_mem);
    f->need = calloc((size_t)m->nbody + 1, 1);
    if (!f->cmd_mem || !f->need) return no_memory(d);
    double *x = f->cmd_mem;
    f->cmd = (qiao_cmd){f->n, f->io.nu, x, x + row, x + 2 * row, x + 3 * row, x + 4 * row};
    qiao_brain_def bd = f->def->brain;
    bd.n = 1;
    for (int i = 0; i < f->n; i++) {
        lane *l = &f->lane[i];
        l->q0 = calloc((size_t)m->nq + 1, sizeof *l->q0);
        l->view = *m, l->view.q0 = l->q0;
        if (!l->q0) return no_memory(d);
        if (!f->own) continue;
        l->facts = calloc((size_t)f->io.nparam + 1, sizeof *l->facts);
        if (!l->facts) return no_memory(d);
        if (!(l->brain = qiao_brain_open(&bd, d))) return d->err;
    }
    return QIAO_OK;
}

static int common(int a, int b) { // least common multiple
    int x = a, y = b;
    while (y) {
        int t = x % y;
        x = y, y = t;
    }
    return a / x * b;
}

static qiao_err make(qi_flock *f, const qiao_case *c, qiao_diag *d) {
    qiao_err e;
    qiao_brain_def bd = f->def->brain;
    bd.n = f->own ? 1 : f->n;
    f->lane = calloc((size_t)f->n, sizeof *f->lane);
    if (!f->lane || !(f->arena = qiao_arena_new())) return no_memory(d);
    if (!(f->brain = qiao_brain_open(&bd, d))) return d->err;
    if ((e = make_mold(f, c, d))) return e;
    double dt = qi_mold_world(f->mold)->dt;
    if ((e = qi_clock(f->brain, dt, &f->brain_div, &f->tick_div, d))) return e;
    f->stride = common(f->brain_div, f->tick_div);
    if ((e = make_sim(f, c, d)) || (e = make_facts(f, c, d)) || (e = make_lanes(f, d))) return e;
    if (!f->own) return qiao_brain_bind(f->brain, &f->io, d);
    qiao_brain_close(f->brain);
    f->brain = NULL;
    return QIAO_OK;
}

qi_flock *qi_flock_new(const qi_flock_def *def, const qiao_case *first, int n, bool own,
                       qiao_diag *d) {
    qi_flock *f = calloc(1, sizeof *f);
    if (!f) {
        no_memory(d);
        return NULL;
    }
    f->def = def, f->n = n, f->own = own, f->mujoco = strcmp(def->engine, "mujoco") == 0;
    if (make(f, first, d) == QIAO_OK) return f;
    qi_flock_free(f);
    return NULL;
}

void qi_flock_free(qi_flock *f) {
    if (!f) return;
    if (f->lane) qi_flock_drop(f);
    for (int i = 0; f->lane && i < f->n; i++) {
        qiao_brain_close(f->lane[i].brain);
        free(f->lane[i].q0), free(f->lane[i].scene), free(f->lane[i].facts);
    }
    qiao_brain_close(f->brain);
    qiao_sim_free(f->sim);
    qi_mold_free(f->mold);
    for (int k = 0; f->fact && k < f->io.nparam; k++) free(f->fact_name[k]), free(f->fact[k]);
    qiao_arena_free(f->arena);
    free(f->lane), free(f->models), free(f->fact_name), free(f->fact);
    free(f->facts), free(f->cmd_mem), free(f->need), free(f);
}

int qi_flock_live(const qi_flock *f) { return f->live; }
bool qi_flock_own(const qi_flock *f) { return f->own; }

int qi_flock_measures(qi_flock *f, const qiao_case *c, qiao_measure *m, qiao_diag *d) {
    qiao_referee *r = qiao_referee_new(c, qi_mold_world(f->mold), &f->io, d);
    if (!r) return -1;
    const qiao_score *s = qiao_referee_score(r);
    memcpy(m, s->measure, (size_t)s->nmeasure * sizeof *m);
    int n = s->nmeasure;
    qiao_referee_free(r);
    return n;
}

// ---- a trial begins ----

static bool same_grants(const qi_flock *f, const qiao_case *c) {
    const qiao_sensor *g;
    int n = qiao_case_grants(c, &g);
    if (n != f->ngrant) return false;
    for (int i = 0; i < n; i++) {
        const qiao_sensor *a = &f->grant[i];
        if (a->kind != g[i].kind || a->dim != g[i].dim || a->rate_hz != g[i].rate_hz ||
            a->noise != g[i].noise || a->bias != g[i].bias || a->delay != g[i].delay ||
            a->nname != g[i].nname || a->grid_step != g[i].grid_step ||
            memcmp(a->grid_n, g[i].grid_n, sizeof a->grid_n) ||
            memcmp(a->grid_center, g[i].grid_center, sizeof a->grid_center) ||
            strcmp(a->name, g[i].name) != 0)
            return false;
        for (int k = 0; k < a->nname && a->element && g[i].element; k++)
            if (strcmp(a->element[k], g[i].element[k]) != 0) return false;
    }
    return true;
}

static bool same_facts(const qi_flock *f, const qiao_case *c) {
    const char *const *name, *const *text;
    if (qiao_case_facts(c, &name, &text) != f->io.nparam) return false;
    for (int k = 0; k < f->io.nparam; k++)
        if (strcmp(f->fact[k], text[k]) != 0) return false;
    return true;
}

static bool cast(qi_flock *f, const qiao_case *c) {
    double pos[3], yaw;
    qiao_case_place(c, pos, &yaw);
    pthread_mutex_lock(&compiler);
    bool ok = qi_mold_cast(f->mold, qiao_case_scene(c), pos, yaw);
    pthread_mutex_unlock(&compiler);
    return ok && !(f->mujoco && qi_mold_changed(f->mold) & QI_CAST_TREE);
}

// The world gets the case's numbers, which are in the mold.
static qiao_err set_world(qi_flock *f, int i, const qiao_case *c, qiao_diag *d) {
    lane *l = &f->lane[i];
    const char *scene = qiao_case_scene(c);
    memcpy(l->q0, qi_mold_q0(f->mold), (size_t)l->view.nq * sizeof *l->q0);
    qiao_vary v;
    bool varied = qiao_case_vary(c, &v);
    if (!l->scene || strcmp(l->scene, scene) != 0) {
        free(l->scene);
        l->scene = NULL;
        qiao_err e = qi_sim_recast(f->sim, i, &l->view, qi_mold_numbers(f->mold),
                                   qi_mold_changed(f->mold) & QI_CAST_GROUND, d);
        if (e) return e;
        if (!(l->scene = strdup(scene))) return no_memory(d);
    }
    return varied ? qi_sim_vary_cast(f->sim, i, &v, qi_mold_numbers(f->mold), d) : QIAO_OK;
}

// A brain of the lane's own knows this case's facts.
static qiao_err tell_brain(qi_flock *f, int i, const qiao_case *c, qiao_diag *d) {
    lane *l = &f->lane[i];
    const char *const *name, *const *text;
    int np = qiao_case_facts(c, &name, &text);
    if (np != f->io.nparam)
        return qiao_diag_set(d, QIAO_E_FIT, NULL, 0, 0, "trials with different numbers of facts");
    l->io = f->io;
    memcpy(l->facts, text, (size_t)np * sizeof *l->facts);
    l->io.nworld = 1, l->io.param_name = name, l->io.param_text = l->facts;
    return qiao_brain_bind(l->brain, &l->io, d);
}

// shape: the engine finds the world of another shape than the others; d stays as it is.
static qiao_err begin(qi_flock *f, int i, const qi_job *j, bool *shape, qiao_diag *d) {
    lane *l = &f->lane[i];
    qiao_diag why = {0};
    qiao_err e = set_world(f, i, j->cas, &why);
    if ((*shape = e == QIAO_E_FIT)) return e;
    if (e) return qiao_diag_set(d, e, NULL, 0, 0, "%s", why.text);
    if (!e && f->own) e = tell_brain(f, i, j->cas, d);
    if (!e && f->dead) e = qiao_brain_bind(f->brain, &f->io, d), f->dead = false;
    if (e) return e;
    if ((e = qiao_sim_reset(f->sim, i, f->def->seed, j->trial)))
        return qiao_diag_set(d, e, NULL, 0, 0, "trial %llu cannot start: %s",
                             (unsigned long long)j->trial, qiao_err_text(e));
    l->ref = qiao_referee_new(j->cas, &l->view, &f->io, d);
    if (!l->ref) return d->err;
    static const char *const peaks[] = {"force_on", NULL};
    static const char *const sums[] = {"torque", "torque_share", "energy", NULL};
    qi_referee_bodies(l->ref, f->need);
    qi_narrow n = {f->need, qi_referee_asks(l->ref, peaks), qi_referee_asks(l->ref, sums)};
    qi_sim_narrow(f->sim, i, &n);
    uint64_t seed = qi_brain_seed(f->def->seed, j->trial);
    e = qiao_brain_reset(f->own ? l->brain : f->brain, f->own ? 0 : i, seed, d);
    if (e) return e;
    qiao_hash_init(&l->trace);
    return QIAO_OK;
}

qi_took qi_flock_take(qi_flock *f, const qi_job *j, qiao_diag *d) {
    int i = 0;
    while (i < f->n && f->lane[i].busy) i++;
    if (i == f->n || (f->live && (j->solo || f->dead || f->solo))) return QI_FULL;
    if (!same_grants(f, j->cas) || !cast(f, j->cas)) return QI_OTHER_SHAPE;
    if (!f->own && !same_facts(f, j->cas)) return QI_OTHER_FACTS;
    lane *l = &f->lane[i];
    bool shape = false;
    if (begin(f, i, j, &shape, d)) {
        qiao_referee_free(l->ref);
        l->ref = NULL;
        qiao_sim_stop(f->sim, i);
        return shape ? QI_OTHER_SHAPE : QI_BROKEN;
    }
    l->job = *j, l->busy = true, f->live++, f->solo = j->solo;
    return QI_TOOK;
}

// ---- a trial ends ----

static bool is_number(const char *p) { return isdigit((unsigned char)p[p[0] == '-']); }

// "tilt 71 deg > 60 deg": "tilt". "the time is up: completion 0.5 < 1; upright is 0": "upright is
// incomplete". Else the text up to its first number.
void qi_cause_of(const char *reason, char *cause, size_t cap) {
    static const char up[] = "the time is up: ";
    const char *p = strncmp(reason, up, sizeof up - 1) == 0 ? reason + sizeof up - 1 : reason;
    const char *semi = strncmp(p, "completion ", 11) == 0 ? strstr(p, "; ") : NULL;
    const char *is = semi ? strstr(semi, " is ") : NULL;
    if (is) {
        snprintf(cause, cap, "%.*s is incomplete", (int)(is - semi - 2), semi + 2);
        return;
    }
    size_t n = 0;
    while (reason[n] && n + 1 < cap && !is_number(reason + n)) n++;
    while (n && (reason[n - 1] == ' ' || reason[n - 1] == '(')) n--;
    memcpy(cause, reason, n), cause[n] = 0;
}

static void release(qi_flock *f, int i) {
    lane *l = &f->lane[i];
    qiao_sim_stop(f->sim, i);
    qiao_referee_free(l->ref);
    l->ref = NULL, l->busy = false, l->job = (qi_job){0};
    f->live--;
}

static void finish(qi_flock *f, int i, const qi_flock_sink *sink) {
    lane *l = &f->lane[i];
    const qiao_score *s = qiao_referee_score(l->ref);
    qiao_row *r = sink->row(sink->ctx, &l->job);
    r->trial = l->job.trial, r->passed = s->verdict == QIAO_PASSED;
    r->total = s->total, r->time = s->time;
    snprintf(r->reason, sizeof r->reason, "%s", s->reason);
    qi_cause_of(r->passed ? "" : s->reason, r->cause, sizeof r->cause);
    if (!r->passed && !r->cause[0]) snprintf(r->cause, sizeof r->cause, "failed");
    qiao_hash_end(&l->trace, r->trace);
    for (int k = 0; k < f->def->nparam; k++) r->param[k] = qiao_case_value(l->job.cas, k);
    for (int k = 0; k < s->nmeasure; k++) r->measure[k] = s->measure[k].value;
    qi_job job = l->job;
    release(f, i);
    sink->done(sink->ctx, &job);
    qiao_case_free(job.cas);
}

void qi_flock_drop(qi_flock *f) {
    for (int i = 0; i < f->n; i++) {
        if (!f->lane[i].busy) continue;
        qiao_case *c = f->lane[i].job.cas;
        release(f, i);
        qiao_case_free(c);
    }
}

static void fail(qi_flock *f, int i, qiao_err e, const char *why, const qi_flock_sink *sink) {
    qiao_referee_abort(f->lane[i].ref, e, why);
    finish(f, i, sink);
}

// ---- one decision of the brain, or of each ----

static void decide_own(qi_flock *f, const qi_flock_sink *sink) {
    const qiao_obs *o = qiao_sim_obs(f->sim);
    for (int i = 0; i < f->n; i++) {
        lane *l = &f->lane[i];
        if (!l->busy) continue;
        qiao_sim_observe_world(f->sim, i);
        size_t at = (size_t)i * (size_t)f->cmd.nu;
        qiao_obs one = {1,
                        o->nobs,
                        o->nsig,
                        o->t_ns + i,
                        o->x + (size_t)i * (size_t)o->nobs,
                        o->stamp_ns + (size_t)i * (size_t)o->nsig,
                        o->live + i};
        qiao_cmd c = {1,
                      f->cmd.nu,
                      f->cmd.q + at,
                      f->cmd.qd + at,
                      f->cmd.kp + at,
                      f->cmd.kd + at,
                      f->cmd.tau + at};
        qiao_diag why = {0};
        qiao_err e = qiao_brain_step(l->brain, &one, &c, &why);
        const char *fault = e ? qiao_brain_fault(l->brain, 0) : NULL;
        if (e) fail(f, i, e, fault ? fault : why.text, sink);
    }
}

// A brain that died in company may have been killed by any of the trials: each runs again alone.
static void mourn(qi_flock *f, qiao_err e, const char *why, const qi_flock_sink *sink) {
    bool alone = f->live == 1;
    f->dead = true;
    for (int i = 0; i < f->n; i++) {
        if (!f->lane[i].busy) continue;
        if (alone) {
            fail(f, i, e, why, sink);
            continue;
        }
        qi_job j = f->lane[i].job;
        j.solo = true;
        release(f, i);
        sink->again(sink->ctx, &j);
    }
}

static void decide(qi_flock *f, const qi_flock_sink *sink) {
    if (f->own) {
        decide_own(f, sink);
    } else {
        qiao_diag why = {0};
        qiao_err e = qiao_brain_step(f->brain, qiao_sim_observe(f->sim), &f->cmd, &why);
        bool named = false; // what a guard stops ends its own world
        for (int i = 0; i < f->n && (e == QIAO_E_NAN || e == QIAO_E_LIMIT); i++) {
            const char *fault = f->lane[i].busy ? qiao_brain_fault(f->brain, i) : NULL;
            if (fault) named = true, fail(f, i, e, fault, sink);
        }
        if (e && !named) mourn(f, e, why.text, sink);
    }
    qiao_sim_command(f->sim, &f->cmd);
}

void qi_flock_stride(qi_flock *f, const qi_flock_sink *sink) {
    qiao_truth truth;
    for (int k = 0; k < f->stride && f->live;) {
        if (k % f->tick_div == 0)
            for (int i = 0; i < f->n; i++)
                if (f->lane[i].busy &&
                    qi_tick(f->sim, i, f->lane[i].ref, &f->lane[i].trace, &truth))
                    finish(f, i, sink);
        if (k % f->brain_div == 0 && f->live) decide(f, sink);
        // on to whichever comes first
        int to_tick = f->tick_div - k % f->tick_div, to_brain = f->brain_div - k % f->brain_div;
        int n = to_tick < to_brain ? to_tick : to_brain;
        qiao_sim_step(f->sim, n);
        k += n;
    }
}
