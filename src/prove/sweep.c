// SPDX-License-Identifier: Apache-2.0
// sweep.c - the public calls of a sweep: its shape, its draws, its threads.
#include "prove/sweep.h"
#include "prove/sobol.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROUNDS = 64 }; // points tried for a trial before its values are drawn

qiao_sweep_def qiao_sweep_def_default(void) {
    return (qiao_sweep_def){.engine = "lanes32", .brain = qiao_brain_def_default()};
}

// ---- draws ----

// A point that a rule forbids gives way to the same point of the next scramble; after 64 of them
// the values are drawn, and rules then hold by redrawing what they name.
//   u  [nparam] out: where the case lies
static qiao_case *sobol_case(const qiao_sweep *s, uint64_t trial, double *u, qiao_diag *d) {
    double point[QI_SOBOL_DIMS];
    for (uint32_t round = 0; round < ROUNDS; round++) {
        qiao_diag why = {0};
        qi_sobol(s->def.seed, round, (uint32_t)trial, s->ndim, point);
        for (int i = 0; i < s->nparam; i++) u[i] = s->dim[i] < 0 ? NAN : point[s->dim[i]];
        qiao_case *c = qiao_case_new_at(s->def.scenario, s->def.robot, s->def.seed, trial, u, &why);
        if (c) return c;
        if (why.err == QIAO_E_FIT || why.err == QIAO_E_INFEASIBLE) continue;
        qiao_diag_set(d, why.err, NULL, 0, 0, "%s", why.text);
        return NULL;
    }
    for (int i = 0; i < s->nparam; i++) u[i] = NAN;
    return qiao_case_new(s->def.scenario, s->def.robot, s->def.seed, trial, d);
}

static bool is_drawn(const qiao_sweep *s, uint64_t trial) {
    return s->def.sampling == QIAO_SAMPLE_RANDOM || trial > UINT32_MAX || s->ndim == 0;
}

qiao_case *qi_sweep_case(const qiao_sweep *s, uint64_t trial, const double *u, qiao_diag *d) {
    if (u || is_drawn(s, trial))
        return qiao_case_new_at(s->def.scenario, s->def.robot, s->def.seed, trial, u, d);
    double *at = malloc(((size_t)s->nparam + 1) * sizeof *at);
    qiao_case *c = at ? sobol_case(s, trial, at, d) : NULL;
    if (!at) qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    free(at);
    return c;
}

qiao_err qiao_sweep_places(const qiao_sweep *s, uint64_t trial, double *u, qiao_diag *d) {
    qiao_diag own = {0};
    if (!d) d = &own;
    for (int i = 0; i < s->nparam; i++) u[i] = NAN;
    if (is_drawn(s, trial)) return QIAO_OK;
    qiao_case *c = sobol_case(s, trial, u, d);
    qiao_case_free(c);
    return c ? QIAO_OK : d->err;
}

// ---- threads ----

static void *work(void *arg) {
    qi_worker *w = arg;
    qiao_sweep *s = w->s;
    long seen = 0;
    for (;;) {
        pthread_mutex_lock(&s->lock);
        while (s->round == seen && !s->quit) pthread_cond_wait(&s->go, &s->lock);
        seen = s->round;
        bool quit = s->quit;
        pthread_mutex_unlock(&s->lock);
        if (quit) break;
        w->d = (qiao_diag){0}, w->e = QIAO_OK;
        if (!s->prepare)
            w->e = qi_worker_run(w, &w->d);
        else if (w == s->worker)
            w->e = qi_worker_prepare(w, &w->d);
        if (w->e) { // what this one left behind is not gone on with
            qi_worker_free(w);
            s->stop = true;
        }
        pthread_mutex_lock(&s->lock);
        if (--s->busy == 0) pthread_cond_signal(&s->idle);
        pthread_mutex_unlock(&s->lock);
    }
    qi_worker_free(w);
    return NULL;
}

// All workers do one thing; the first fault.
static qiao_err all_work(qiao_sweep *s, qiao_diag *d) {
    pthread_mutex_lock(&s->lock);
    atomic_store(&s->stop, false);
    atomic_store(&s->nlive, 0);
    s->busy = s->nworker, s->round++;
    pthread_cond_broadcast(&s->go);
    while (s->busy > 0) pthread_cond_wait(&s->idle, &s->lock);
    pthread_mutex_unlock(&s->lock);
    for (int i = 0; i < s->nworker; i++)
        if (s->worker[i].e)
            return qiao_diag_set(d, s->worker[i].e, NULL, 0, 0, "%s", s->worker[i].d.text);
    return QIAO_OK;
}

static bool start_threads(qiao_sweep *s) {
    int n = s->def.nthread > 0 ? s->def.nthread : (int)sysconf(_SC_NPROCESSORS_ONLN);
    if (n < 1) n = 1;
    s->worker = calloc((size_t)n, sizeof *s->worker);
    for (int i = 0; s->worker && i < n; i++) {
        s->worker[i].s = s;
        if (pthread_create(&s->worker[i].thread, NULL, work, &s->worker[i])) break;
        s->nworker++;
    }
    return s->nworker > 0;
}

// ---- the shape ----

static const char **text_list(qiao_arena *a, int n) {
    return qiao_arena_get(a, ((size_t)n + 1) * sizeof(char *));
}

static bool make_params(qiao_sweep *s) {
    const qiao_param *p;
    int n = s->nparam = qiao_scenario_params(s->def.scenario, &p);
    const char **name = text_list(s->arena, n), **unit = text_list(s->arena, n);
    double(*range)[2] = qiao_arena_get(s->arena, ((size_t)n + 1) * sizeof *range);
    s->dim = qiao_arena_get(s->arena, ((size_t)n + 1) * sizeof *s->dim);
    if (!name || !unit || !range || !s->dim) return false;
    for (int i = 0; i < n; i++) {
        name[i] = p[i].name, unit[i] = p[i].unit ? p[i].unit : "";
        range[i][0] = p[i].lo, range[i][1] = p[i].hi;
        s->dim[i] = p[i].lo < p[i].hi && s->ndim < QI_SOBOL_DIMS ? s->ndim++ : -1;
    }
    s->shape.nparam = n, s->shape.param_name = name, s->shape.param_unit = unit;
    s->shape.param_range = (const double(*)[2])range;
    return true;
}

static bool make_measures(qiao_sweep *s) {
    int n = s->shape.nmeasure;
    const char **name = text_list(s->arena, n), **unit = text_list(s->arena, n);
    if (!name || !unit) return false;
    for (int i = 0; i < n; i++) {
        const qiao_measure *m = &s->measure[i];
        name[i] = qiao_arena_printf(s->arena, "%s", m->name ? m->name : "");
        unit[i] = qiao_arena_printf(s->arena, "%s", m->unit ? m->unit : "");
        if (!name[i] || !unit[i]) return false;
    }
    s->shape.measure_name = name, s->shape.measure_unit = unit;
    return true;
}

static qiao_err make(qiao_sweep *s, qiao_diag *d) {
    s->arena = qiao_arena_new();
    s->engine = strdup(s->def.engine), s->spec = strdup(s->def.brain.spec);
    if (!s->arena || !s->engine || !s->spec || !make_params(s) || !start_threads(s))
        return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    s->def.engine = s->engine, s->def.brain.spec = s->spec;
    s->flock = (qi_flock_def){.robot = s->def.robot,
                              .brain = s->def.brain,
                              .engine = s->engine,
                              .seed = s->def.seed,
                              .nparam = s->nparam};
    s->prepare = true;
    qiao_err e = all_work(s, d);
    s->prepare = false;
    if (e) return e;
    return make_measures(s) ? QIAO_OK : qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
}

qiao_sweep *qiao_sweep_new(const qiao_sweep_def *def, qiao_diag *d) {
    qiao_diag own = {0};
    if (!d) d = &own;
    if (!def->scenario || !def->robot || !def->brain.spec || !def->engine) {
        qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0, "a sweep needs scenario, robot, brain and engine");
        return NULL;
    }
    qiao_sweep *s = calloc(1, sizeof *s);
    if (!s) {
        qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
        return NULL;
    }
    s->def = *def;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->go, NULL), pthread_cond_init(&s->idle, NULL);
    if (make(s, d) == QIAO_OK) return s;
    qiao_sweep_free(s);
    return NULL;
}

void qiao_sweep_free(qiao_sweep *s) {
    if (!s) return;
    pthread_mutex_lock(&s->lock);
    s->quit = true;
    pthread_cond_broadcast(&s->go);
    pthread_mutex_unlock(&s->lock);
    for (int i = 0; i < s->nworker; i++) pthread_join(s->worker[i].thread, NULL);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->go), pthread_cond_destroy(&s->idle);
    qiao_arena_free(s->arena);
    free(s->worker), free(s->engine), free(s->spec), free(s);
}

const qiao_table *qiao_sweep_shape(const qiao_sweep *s) { return &s->shape; }

qiao_err qiao_sweep_run(qiao_sweep *s, int n, const uint64_t *trial, const double *u, qiao_row *row,
                        qiao_diag *d) {
    qiao_diag own = {0};
    if (!d) d = &own;
    if (n < 1) return n == 0 ? QIAO_OK : qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0, "%d trials", n);
    qi_run r = {.n = n, .trial = trial, .u = u, .row = row};
    for (int i = 0; i < n; i++)
        for (int k = 0; k < s->shape.nmeasure; k++) row[i].measure[k] = NAN;
    s->run = &r;
    qiao_err e = all_work(s, d);
    s->run = NULL;
    if (e) return e;
    if (s->stop) return qiao_diag_set(d, QIAO_E_TIMEOUT, NULL, 0, 0, "interrupted");
    return QIAO_OK;
}
