// SPDX-License-Identifier: Apache-2.0
// sim.c - the public calls of room sim: worlds of one engine, stepped and sensed as a batch.
#include "sim/sim.h"
#include "sim/cast.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// Takes the samples that an observation at the present step delivers at once.
static void sample_now(qiao_sim *s, qi_slot *o) {
    double scratch[8];
    int64_t k = s->engine->now(o->world);
    if (o->sampled == k) return;
    for (int i = 0; k > 0 && i < s->nprompt; i++) {
        const qi_channel *c = &s->channel[s->prompt[i]];
        if (c->every == 1 || k % c->every == 0)
            qi_sample_take(c, &o->samples, s->engine, o->world, o->map, k, scratch);
    }
    for (int c = 0; k == 0 && c < s->nsig; c++)
        qi_sample_take(&s->channel[c], &o->samples, s->engine, o->world, o->map, k, scratch);
    o->sampled = k;
}

// Samples of step k that a later observation will deliver.
static void sample_ahead(qiao_sim *s, qi_slot *o) {
    double scratch[8];
    int64_t k = s->engine->now(o->world);
    // which are due repeats with the observations; these sample the present state themselves
    const int *due = s->due + (s->cycle ? (k % s->cycle) * (s->nlater + 1) : 0);
    for (; *due >= 0; due++)
        if (s->cycle || qi_sample_due(&s->channel[*due], k, s->setup.period))
            qi_sample_take(&s->channel[*due], &o->samples, s->engine, o->world, o->map, k, scratch);
}

// Whether a sensor of forces or accelerations samples on its own clock after the coming step.
static bool felt_ahead(const qiao_sim *s, qi_world *const *w, int n, uint64_t go) {
    for (int k = 0; k < s->nfelt; k++) {
        const qi_channel *c = &s->channel[s->felt[k]];
        for (int i = 0; i < n && (c->delay > 0 || c->every > 1); i++)
            if (go >> i & 1 && qi_sample_due(c, s->engine->now(w[i]) + 1, s->setup.period))
                return true;
    }
    return false;
}

// Worlds from .. from + n - 1, which move together; go: which of them.
static void step_unit(qiao_sim *s, int from, int n, uint64_t go, int nstep, int thread) {
    const qi_engine *e = s->engine;
    qi_world *w[64];
    for (int i = 0; i < n; i++) {
        w[i] = s->w[from + i].world;
        if (!s->w[from + i].live || e->status(w[i])) go &= ~((uint64_t)1 << i);
    }
    uint64_t was = go;
    for (int k = 0; k < nstep; k++) {
        for (int i = 0; i < n; i++)
            if (e->status(w[i])) go &= ~((uint64_t)1 << i);
        if (!go) break;
        for (int i = 0; i < n; i++)
            if (go >> i & 1) sample_ahead(s, &s->w[from + i]);
        e->step(w, go, thread, k + 1 == nstep || felt_ahead(s, w, n, go));
    }
    // here, where the threads are: the observation that follows is a copy
    for (int i = 0; i < n; i++)
        if (was >> i & 1 && e->now(w[i]) % s->setup.period == 0) sample_now(s, &s->w[from + i]);
}

typedef struct span {
    qiao_sim *s;
    int nstep;
} span;

static void step_range(void *ctx, int thread, int from, int to) {
    span *p = ctx;
    for (int u = from; u < to; u++)
        step_unit(p->s, p->s->unit[u], p->s->unit[u + 1] - p->s->unit[u], ~(uint64_t)0, p->nstep,
                  thread);
}

static void observe_range(void *ctx, int thread, int from, int to) {
    qiao_sim *s = ctx;
    (void)thread;
    for (int w = s->unit[from]; w < s->unit[to]; w++) qiao_sim_observe_world(ctx, w);
}

void qiao_sim_step(qiao_sim *s, int nstep) {
    span p = {s, nstep};
    qi_pool_run(s->pool, s->nunit, step_range, &p);
}

void qiao_sim_step_world(qiao_sim *s, int w, int nstep) {
    int u = 0;
    while (s->unit[u + 1] <= w) u++;
    int from = s->unit[u];
    step_unit(s, from, s->unit[u + 1] - from, (uint64_t)1 << (w - from), nstep, 0);
}

qiao_err qiao_sim_reset(qiao_sim *s, int w, uint64_t seed, uint64_t trial) {
    if (w < 0 || w >= s->n) return QIAO_E_ARG;
    qi_slot *o = &s->w[w];
    s->engine->reset(o->world, o->model->q0);
    o->samples.rng = (qiao_rng){.seed = seed, .trial = trial};
    for (int i = 0; i < s->nslot; i++) o->samples.at[i] = -1;
    for (int c = 0; c < s->nsig; c++) qi_sample_begin(&s->channel[c], &o->samples);
    o->sampled = -1;
    memset(o->samples.command, 0, (size_t)s->nobs * sizeof(double));
    s->live[w] = 1;
    o->live = true;
    qiao_sim_observe_world(s, w);
    return s->engine->status(o->world);
}

qiao_err qiao_sim_set(qiao_sim *s, int w, const double *q, const double *qd) {
    if (w < 0 || w >= s->n) return QIAO_E_ARG;
    qi_slot *o = &s->w[w];
    for (int i = 0; i < o->model->nq; i++)
        if (!isfinite(q[i])) return QIAO_E_NAN;
    for (int i = 0; qd && i < o->model->nv; i++)
        if (!isfinite(qd[i])) return QIAO_E_NAN;
    if (s->engine->status(o->world)) return s->engine->status(o->world);
    s->engine->set(o->world, q, qd);
    // samples of this very step were taken before the change; older ones are still under way
    int64_t k = s->engine->now(o->world);
    for (int i = 0; i < s->nslot; i++)
        if (o->samples.at[i] == k) o->samples.at[i] = -1;
    o->sampled = -1;
    return s->engine->status(o->world);
}

void qiao_sim_command_world(qiao_sim *s, int w, const qiao_cmd *c, int row) {
    size_t at = (size_t)row * (size_t)c->nu;
    const double *part[5] = {c->q + at, c->qd + at, c->kp + at, c->kd + at, c->tau + at};
    qi_slot *o = &s->w[w];
    if (o->live) qi_cmds_push(s->engine->commands(o->world), s->engine->now(o->world), part);
}

void qiao_sim_command(qiao_sim *s, const qiao_cmd *c) {
    for (int w = 0; w < s->n; w++) qiao_sim_command_world(s, w, c, w);
}

void qiao_sim_observe_world(qiao_sim *s, int w) {
    qi_slot *o = &s->w[w];
    double *x = s->x + (size_t)w * (size_t)s->nobs;
    int64_t k = s->engine->now(o->world), *stamp = s->stamp + (size_t)w * (size_t)s->nsig;
    double dt_ns = o->model->dt * 1e9;
    sample_now(s, o);
    int64_t last = k, t = s->t_ns[w] = llround((double)k * dt_ns); // few samples are of other steps
    for (int c = 0; c < s->nsig; c++) {
        const qi_channel *ch = &s->channel[c];
        int64_t at = qi_sample_get(ch, &o->samples, k, x + ch->adr);
        if (at >= 0) {
            if (at != last) last = at, t = llround((double)at * dt_ns);
            stamp[c] = t;
        } else if (k == 0)
            stamp[c] = -1;
    }
}

const qiao_obs *qiao_sim_observe(qiao_sim *s) {
    enum { COPY_MAX = 1 << 15 }; // doubles that one thread copies sooner than others wake
    bool few = (size_t)s->n * (size_t)s->nobs <= COPY_MAX, copy = true;
    bool alone = s->engine->together != NULL; // who steps what moves together reads it, too
    for (int w = 0; w < s->n && copy; w++) copy = s->w[w].sampled == s->engine->now(s->w[w].world);
    if (copy ? few : alone)
        observe_range(s, 0, 0, s->nunit);
    else
        qi_pool_run(s->pool, s->nunit, observe_range, s);
    return &s->obs;
}

const qiao_obs *qiao_sim_obs(const qiao_sim *s) { return &s->obs; }
const qiao_io *qiao_sim_io(const qiao_sim *s) { return &s->io; }

void qiao_sim_signal(qiao_sim *s, int w, int sig, const double *x) {
    const qi_channel *c = &s->channel[sig];
    memcpy(s->w[w].samples.command + c->adr, x, (size_t)c->s.dim * sizeof *x);
    // a sample of this very step was taken before the change: take it anew
    int64_t k = s->engine->now(s->w[w].world);
    int64_t *at = &s->w[w].samples.at[c->slot0 + (int)(k / c->every % c->slots)];
    if (*at == k) *at = -1, s->w[w].sampled = -1;
}

void qiao_sim_push(qiao_sim *s, int w, int body, const double force_w[3],
                   const double torque_w[3]) {
    s->engine->push(s->w[w].world, body, force_w, torque_w);
}

void qiao_sim_stop(qiao_sim *s, int w) {
    s->live[w] = 0;
    s->w[w].live = false;
}

qiao_err qiao_sim_status(const qiao_sim *s, int w) { return s->engine->status(s->w[w].world); }

void qiao_sim_truth(qiao_sim *s, int w, qiao_truth *t) { s->engine->truth(s->w[w].world, t); }

void qi_sim_narrow(qiao_sim *s, int w, const qi_narrow *n) {
    if (s->engine->narrow) s->engine->narrow(s->w[w].world, n);
}

void qi_sim_move(qiao_sim *s, int unit, int nstep, int thread) {
    int from = s->unit[unit], to = s->unit[unit + 1];
    step_unit(s, from, to - from, ~(uint64_t)0, nstep, thread);
    for (int w = from; w < to; w++) qiao_sim_observe_world(s, w);
}

const int *qi_sim_units(const qiao_sim *s, int *n) {
    *n = s->nunit;
    return s->unit;
}

void qiao_sim_peaks_clear(qiao_sim *s, int w) { s->engine->peaks_clear(s->w[w].world); }

void qiao_sim_trace(const qiao_sim *s, int w, qiao_hash *h) {
    qi_slot *o = &s->w[w];
    qiao_truth t;
    s->engine->truth(o->world, &t);
    const qi_cmds *c = s->engine->commands(o->world);
    qiao_hash_add(h, &t.t_ns, sizeof t.t_ns);
    qiao_hash_add(h, t.q, (size_t)o->model->nq * sizeof(double));
    qiao_hash_add(h, t.qd, (size_t)o->model->nv * sizeof(double));
    size_t row = 5 * (size_t)c->nu;
    if (c->n) qiao_hash_add(h, c->row + (size_t)c->head * row, row * sizeof(double));
    qiao_hash_add(h, s->x + (size_t)w * (size_t)s->nobs, (size_t)s->nobs * sizeof(double));
}
