// SPDX-License-Identifier: Apache-2.0
// batch.c - the loop that joins scenario, robot, brain, engine and record: n trials in lock-step.
#include "prove/batch.h"
#include "prove/tick.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct world { // one trial
    qiao_case *cas;
    qiao_model *model;
    qiao_referee *ref;
    qiao_rec *rec;
    qiao_hash trace;
    int guard[QIAO_RUNG_STOP + 1]; // events of guards by rung
    bool live;
} world;

typedef struct batch { // all of them
    const qiao_trials_def *def;
    const qiao_trial *trial; // [n]
    qiao_brain *brain;
    int n;
    world *w;                  // [n]
    const qiao_model **models; // [n]
    qiao_sim *sim;
    qiao_cmd cmd;
    double *cmd_mem;   // [5][n][nu]
    const char **fact; // [n][nparam]
    qiao_io io;        // the sim's, with the facts of the cases
    double dt, t_limit;
    pthread_mutex_t *one;    // shared by all batches of a run
    int brain_div, tick_div; // physics steps between two brain steps, two referee ticks
} batch;

static void batch_free(batch *b) {
    for (int i = 0; b->w && i < b->n; i++) {
        qiao_rec_free(b->w[i].rec);
        qiao_referee_free(b->w[i].ref);
    }
    qiao_sim_free(b->sim);
    for (int i = 0; b->w && i < b->n; i++) {
        qiao_model_free(b->w[i].model);
        qiao_case_free(b->w[i].cas);
    }
    free(b->w), free(b->models), free(b->cmd_mem), free(b->fact);
}

// Draws every case and compiles its world.
static qiao_err make_worlds(batch *b, qiao_diag *d) {
    const qiao_trials_def *def = b->def;
    for (int i = 0; i < b->n; i++) {
        world *w = &b->w[i];
        const qiao_trial *t = &b->trial[i];
        w->cas = qiao_case_new_at(def->scenario, def->robot, t->seed, t->trial, t->u, d);
        if (!w->cas) return d->err;
        double pos[3], yaw;
        qiao_case_place(w->cas, pos, &yaw);
        w->model = qiao_model_world(def->robot, qiao_case_scene(w->cas), pos, yaw, d);
        if (!w->model) return d->err;
        b->models[i] = w->model;
        double limit = qiao_case_time_limit(w->cas);
        if (limit > b->t_limit) b->t_limit = limit;
    }
    return QIAO_OK;
}

// The facts of every case, side by side; their names are those of the first.
static qiao_err gather_facts(batch *b, qiao_diag *d) {
    const char *const *name, *const *text;
    int np = qiao_case_facts(b->w[0].cas, &name, &text);
    b->io.nworld = b->n, b->io.nparam = np, b->io.param_name = name;
    b->fact = calloc((size_t)b->n * (size_t)np + 1, sizeof *b->fact);
    if (!b->fact) return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    for (int i = 0; i < b->n; i++) {
        if (qiao_case_facts(b->w[i].cas, &name, &text) != np)
            return qiao_diag_set(d, QIAO_E_FIT, NULL, 0, 0,
                                 "trials with different numbers of facts cannot run side by side");
        for (int k = 0; k < np; k++) b->fact[i * np + k] = text[k];
    }
    b->io.param_text = b->fact;
    return QIAO_OK;
}

static qiao_err make_sim(batch *b, qiao_diag *d) {
    const qiao_trials_def *def = b->def;
    qiao_sim_def sd = qiao_sim_def_default();
    sd.engine = def->engine, sd.nworld = b->n, sd.nthread = 1, sd.robot = def->robot;
    sd.world = b->models, sd.period = b->brain_div * b->dt;
    sd.ngrant = qiao_case_grants(b->w[0].cas, &sd.grant);
    b->sim = qiao_sim_new(&sd, d);
    if (!b->sim) return d->err;
    b->io = *qiao_sim_io(b->sim);
    qiao_err e = gather_facts(b, d);
    if (e) return e;
    size_t row = (size_t)b->n * (size_t)b->io.nu;
    b->cmd_mem = calloc(5 * row + 1, sizeof *b->cmd_mem);
    if (!b->cmd_mem) return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    double *c = b->cmd_mem;
    b->cmd = (qiao_cmd){b->n, b->io.nu, c, c + row, c + 2 * row, c + 3 * row, c + 4 * row};
    return QIAO_OK;
}

static qiao_err make_record(batch *b, int i, qiao_diag *d) {
    const qiao_trials_def *def = b->def;
    const qiao_trial *t = &b->trial[i];
    if (!t->record) return QIAO_OK;
    qiao_rec_def rd = qiao_rec_def_default();
    rd.path = t->record, rd.world = b->w[i].model, rd.io = &b->io;
    rd.robot = def->robot_name ? def->robot_name : def->robot->name;
    rd.brain = qiao_brain_name(b->brain), rd.scenario = qiao_scenario_name(def->scenario);
    rd.engine = def->engine, rd.seed = t->seed, rd.trial = t->trial;
    rd.case_text = qiao_case_text(b->w[i].cas), rd.world_xml = qiao_case_scene(b->w[i].cas);
    uint8_t scenario[QIAO_HASH_BYTES], brain[QIAO_HASH_BYTES];
    qiao_scenario_digest(def->scenario, scenario), qiao_brain_digest(b->brain, brain);
    rd.scenario_hash = scenario, rd.brain_hash = brain, rd.build = def->build;
    b->w[i].rec = qiao_rec_new(&rd, d);
    return b->w[i].rec ? QIAO_OK : d->err;
}

static qiao_err make_batch(batch *b, qiao_diag *d) {
    b->w = calloc((size_t)b->n, sizeof *b->w);
    b->models = calloc((size_t)b->n, sizeof *b->models);
    if (!b->w || !b->models) return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    qiao_err e = make_worlds(b, d);
    if (e) return e;
    b->dt = b->models[0]->dt;
    if ((e = qi_clock(b->brain, b->dt, &b->brain_div, &b->tick_div, d)) || (e = make_sim(b, d)))
        return e;
    if ((e = qiao_brain_bind(b->brain, &b->io, d))) return e;
    for (int i = 0; i < b->n; i++) {
        world *w = &b->w[i];
        const qiao_trial *t = &b->trial[i];
        w->ref = qiao_referee_new(w->cas, w->model, &b->io, d);
        if (!w->ref) return d->err;
        if ((e = make_record(b, i, d))) return e;
        qiao_vary v;
        if (qiao_case_vary(w->cas, &v) && (e = qiao_sim_vary(b->sim, i, &v, d))) return e;
        if ((e = qiao_sim_reset(b->sim, i, t->seed, t->trial)))
            return qiao_diag_set(d, e, NULL, 0, 0, "world %d cannot start: %s", i,
                                 qiao_err_text(e));
        qiao_referee_reset(w->ref);
        if ((e = qiao_brain_reset(b->brain, i, qi_brain_seed(t->seed, t->trial), d))) return e;
        qiao_hash_init(&w->trace);
        w->live = true;
    }
    return QIAO_OK;
}

static void drain_events(world *w) {
    qiao_event ev[16];
    int n;
    while ((n = qiao_referee_events(w->ref, ev, 16)) > 0)
        for (int i = 0; i < n && w->rec; i++) qiao_rec_event(w->rec, &ev[i]);
}

// What the guards did to the brain of world i since the last step, into the record and its page.
static void drain_guards(batch *b, int i) {
    qiao_guard_event ev[4];
    int n;
    while ((n = qiao_brain_guard_events(b->brain, i, ev, 4)) > 0)
        for (int k = 0; k < n; k++) {
            b->w[i].guard[ev[k].rung]++;
            if (!b->w[i].rec) continue;
            qiao_event e = {.t_ns = ev[k].t_ns};
            snprintf(e.name, sizeof e.name, "guard.%s", qiao_guard_name(ev[k].guard));
            qiao_guard_text(&ev[k], e.text, sizeof e.text);
            qiao_rec_event(b->w[i].rec, &e);
        }
}

static void end_world(batch *b, int i) {
    b->w[i].live = false;
    qiao_sim_stop(b->sim, i);
    drain_events(&b->w[i]);
}

// Ends every trial that still runs with one reason.
static void abort_all(batch *b, qiao_err e, const char *reason) {
    for (int i = 0; i < b->n; i++) {
        if (!b->w[i].live) continue;
        qiao_referee_abort(b->w[i].ref, e, reason);
        end_world(b, i);
    }
}

// One brain step for all. What a guard stops ends its world; a dead or late brain ends all.
static void decide(batch *b) {
    qiao_diag why = {0};
    qiao_brain *brain = b->brain;
    qiao_err e = qiao_brain_step(brain, qiao_sim_observe(b->sim), &b->cmd, &why);
    for (int i = 0; i < b->n; i++)
        if (b->w[i].live) drain_guards(b, i);
    if (e == QIAO_E_NAN || e == QIAO_E_LIMIT) {
        for (int i = 0; i < b->n; i++) {
            const char *fault = b->w[i].live ? qiao_brain_fault(brain, i) : NULL;
            if (!fault) continue;
            qiao_referee_abort(b->w[i].ref, e, fault);
            end_world(b, i);
        }
    } else if (e) {
        abort_all(b, e, why.text);
    }
    qiao_sim_command(b->sim, &b->cmd);
}

// One referee tick of world i: judge, trace, record.
static void tick_world(batch *b, int i) {
    world *w = &b->w[i];
    qiao_truth truth;
    bool over = qi_tick(b->sim, i, w->ref, &w->trace, &truth);
    if (w->rec) qiao_rec_step(w->rec, &truth, qiao_sim_obs(b->sim), &b->cmd, i);
    drain_events(w);
    if (over) end_world(b, i);
}

static int count_live(const batch *b) {
    int n = 0;
    for (int i = 0; i < b->n; i++) n += b->w[i].live;
    return n;
}

// Tells the caller how far it is; false: it wants to end.
static bool goes_on(const batch *b, double t) {
    if (!b->def->progress) return true;
    pthread_mutex_lock(b->one);
    bool on = b->def->progress(b->def->ctx, t, b->t_limit, count_live(b));
    pthread_mutex_unlock(b->one);
    return on;
}

static void run(batch *b) {
    for (long k = 0, tick = 0; count_live(b) > 0;) {
        if (k % b->tick_div == 0) {
            for (int i = 0; i < b->n; i++)
                if (b->w[i].live) tick_world(b, i);
            if (tick++ % 10 == 0 && !goes_on(b, (double)k * b->dt))
                abort_all(b, QIAO_E_LIMIT, "interrupted by the user");
        }
        if (k % b->brain_div == 0 && count_live(b) > 0) decide(b);
        // on to whichever comes first
        long to_tick = b->tick_div - k % b->tick_div, to_brain = b->brain_div - k % b->brain_div;
        int n = (int)(to_tick < to_brain ? to_tick : to_brain);
        qiao_sim_step(b->sim, n);
        k += n;
    }
}

static qiao_err collect(batch *b, qiao_result *result, qiao_diag *d) {
    qiao_err first = QIAO_OK;
    for (int i = 0; i < b->n; i++) {
        world *w = &b->w[i];
        result[i].score = *qiao_referee_score(w->ref);
        qiao_hash_end(&w->trace, result[i].trace);
        memcpy(result[i].guard, w->guard, sizeof w->guard);
        result[i].case_text = strdup(qiao_case_text(w->cas));
        qiao_err e = QIAO_OK;
        if (w->rec) e = qiao_rec_end(w->rec, &result[i].score, result[i].trace, d);
        if (!first) first = e;
    }
    return first;
}

qiao_err qi_batch_run(const qiao_trials_def *def, const qiao_trial *trial, int n, qiao_brain *brain,
                      pthread_mutex_t *one, qiao_result *result, qiao_diag *d) {
    batch b = {.def = def, .trial = trial, .brain = brain, .n = n, .one = one};
    pthread_mutex_lock(one); // the model compiler is one for all
    qiao_err e = make_batch(&b, d);
    pthread_mutex_unlock(one);
    if (!e) run(&b), e = collect(&b, result, d);
    batch_free(&b);
    return e;
}
