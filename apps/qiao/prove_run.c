// SPDX-License-Identifier: Apache-2.0
// prove_run.c - trials of one brain, chunk by chunk into its store, until there are enough.
#include "prove.h"

#include "prove/words.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK_FIRST = 256, CHUNK_MOST = 8192, CHUNK_S = 10 };

static volatile sig_atomic_t interrupted;
static void on_interrupt(int sig) { (void)sig, interrupted = 1; }
bool prove_interrupted(void) { return interrupted; }
void prove_catch_signals(void) {
    struct sigaction sa = {.sa_handler = on_interrupt, .sa_flags = SA_RESETHAND};
    sigaction(SIGINT, &sa, NULL), sigaction(SIGTERM, &sa, NULL);
}

double prove_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// ---- progress: in place on a terminal, else every 5 s ----

static void say_time(char *s, size_t cap, double t) {
    if (t < 100)
        snprintf(s, cap, "%.0f s", t);
    else
        snprintf(s, cap, t < 6000 ? "%.0f min" : "%.1f h", t < 6000 ? t / 60 : t / 3600);
}

static void show(prove_job *j, uint64_t ndone) {
    double at = prove_now(), past = at - j->begin, every = isatty(2) ? 0.2 : 5;
    if (past < 1 || at - j->told < every) return;
    j->told = at, j->printed = true;
    double rate = (double)(ndone - j->had) / past;
    char left[40] = "?", share[80] = "";
    double want = (double)j->trials - (double)ndone;
    if (rate > 0) say_time(left, sizeof left, want > 0 ? want / rate : 0);
    if (j->ndone) {
        qiao_interval i = qiao_stat_exact(j->npassed, j->ndone, j->level, 0);
        qi_say_column(share, sizeof share, &i);
    }
    fprintf(stderr,
            args_chinese() ? "%s%s  %llu / %lld  %.0f 次/秒  还需 %s%s%s"
                           : "%s%s  %llu of %lld  %.0f trials/s  %s left%s%s",
            isatty(2) ? "\r\x1b[K" : "", j->now->name, (unsigned long long)ndone, j->trials, rate,
            left, share, isatty(2) ? "" : "\n");
}

static bool on_progress(void *ctx, uint64_t ndone, int nlive) {
    prove_job *j = ctx;
    (void)nlive;
    show(j, j->had + ndone);
    return !interrupted;
}

void prove_quiet(prove_job *j) {
    if (j->printed && isatty(2)) fputs("\r\x1b[K", stderr);
    j->printed = false;
}

// ---- opening ----

static void name_of(const char *brain, char *name, size_t cap) {
    const char *slash = strrchr(brain, '/');
    snprintf(name, cap, "%.80s", slash ? slash + 1 : brain);
    for (char *p = name; *p; p++)
        if (*p == ' ' || *p == ':' || *p == '=') *p = '_';
}

qiao_err prove_open(prove_job *j, prove_side *s, const char *brain, qiao_diag *d) {
    const prove_args *a = j->a;
    char robot[96];
    s->brain = brain;
    name_of(brain, s->name, sizeof s->name), name_of(j->robot->name, robot, sizeof robot);
    snprintf(s->dir, sizeof s->dir, "%s/%s-%s-%s-%s-%lld%s", a->out,
             qiao_scenario_name(j->scenario), robot, s->name, a->engine, j->seed,
             j->sampling == QIAO_SAMPLE_RANDOM ? "-random" : "");
    snprintf(s->db, sizeof s->db, "%s/trials.db", s->dir);
    s->def = qiao_sweep_def_default();
    s->def.scenario = j->scenario, s->def.robot = j->robot, s->def.engine = a->engine;
    s->def.brain.spec = brain, s->def.brain.isolate = a->isolate;
    s->def.nthread = (int)j->threads, s->def.seed = (uint64_t)j->seed;
    s->def.sampling = j->sampling, s->def.progress = on_progress, s->def.ctx = j;
    s->sweep = qiao_sweep_new(&s->def, d);
    if (!s->sweep) return d->err;
    qiao_err e = qiao_dir_make(s->dir, d);
    if (e) return e;
    s->store = qiao_store_open(s->db, &s->def, qiao_sweep_shape(s->sweep), d);
    return s->store ? QIAO_OK : d->err;
}

void prove_close(prove_side *s) {
    qiao_store_free(s->store), qiao_sweep_free(s->sweep);
    s->store = NULL, s->sweep = NULL;
}

// ---- running ----

static bool count_row(void *ctx, const qiao_row *row, const double *u) {
    prove_job *j = ctx;
    (void)u;
    j->ndone++, j->npassed += row->passed;
    return true;
}

// Whether the trials so far are enough; says by what.
static bool enough(prove_job *j) {
    if (j->until > 0 && j->ndone >= 30) {
        qiao_interval i = qiao_stat_sequence(j->npassed, j->ndone, j->level);
        if (i.hi - i.lo <= j->until) return j->stopped = "width", true;
    }
    if (j->decide > 0) {
        double error = 1 - j->level;
        j->decision = qiao_stat_sprt(j->npassed, j->ndone, j->p_good, j->p_bad, error, error);
        if (j->decision) return j->stopped = "test", true;
    }
    if (j->ndone < (uint64_t)j->trials) return false;
    return j->stopped = "trials", true;
}

// How many trials more: some seconds' worth, so that little is lost at an end.
static uint64_t next_chunk(prove_job *j, double rate) {
    double n = rate > 0 ? rate * CHUNK_S : CHUNK_FIRST;
    if (j->until > 0 || j->decide > 0) n = fmin(n, 0.25 * (double)j->ndone + CHUNK_FIRST);
    n = fmin(fmax(n, CHUNK_FIRST), CHUNK_MOST);
    return (uint64_t)fmin(n, (double)j->trials - (double)j->ndone);
}

static qiao_err fill(prove_side *s, qiao_crew *crew, uint64_t below, qiao_diag *d) {
    if (crew) return qiao_crew_fill(crew, 0, below, d);
    return qiao_store_fill(s->store, s->sweep, 0, below, CHUNK_MOST, d);
}

static bool crew_progress(void *ctx, uint64_t ndone, int nworker) {
    return on_progress(ctx, ndone, nworker);
}

static qiao_crew *open_crew(prove_job *j, prove_side *s, qiao_diag *d) {
    qiao_crew_def c = qiao_crew_def_default();
    char *dir = qiao_arena_printf(j->arena, "%s/crew", s->dir);
    c.dir = dir, c.scenario = j->a->scenario, c.robot = j->a->robot, c.brain = s->brain;
    c.sweep = &s->def, c.nworker = (int)j->nworker, c.slurm = j->a->slurm;
    c.progress = crew_progress, c.ctx = j;
    return qiao_crew_new(&c, s->store, d);
}

qiao_err prove_run(prove_job *j, prove_side *s, const prove_side *follow, qiao_diag *d) {
    qiao_err e = QIAO_OK;
    j->now = s, j->begin = j->told = prove_now(), j->ndone = j->npassed = 0;
    const char *stopped = j->stopped;
    if ((e = qiao_store_each(s->store, 0, (uint64_t)j->trials, count_row, j, d))) return e;
    j->had = j->ndone;
    qiao_crew *crew = j->nworker > 0 ? open_crew(j, s, d) : NULL;
    if (j->nworker > 0 && !crew) return d->err;
    double rate = 0;
    while (!interrupted) {
        if (follow ? j->ndone >= (uint64_t)follow->table.ntrial : enough(j)) break;
        uint64_t n = follow ? (uint64_t)follow->table.ntrial - j->ndone : next_chunk(j, rate);
        uint64_t below = j->ndone + n, before = j->ndone;
        double t = prove_now();
        qiao_diag why = {0};
        if ((e = fill(s, crew, below, &why)) && e != QIAO_E_TIMEOUT) {
            qiao_diag_set(d, e, NULL, 0, 0, "%s", why.text);
            break;
        }
        j->ndone = j->npassed = 0;
        e = qiao_store_each(s->store, 0, below, count_row, j, d);
        if (e || j->ndone < below) break;
        rate = (double)(j->ndone - before) / fmax(prove_now() - t, 1e-3);
    }
    qiao_crew_free(crew);
    if (e) return e;
    if (follow) j->stopped = stopped;
    if (interrupted) j->stopped = "interrupted";
    prove_quiet(j);
    return qiao_store_table(s->store, 0, (uint64_t)j->trials, j->arena, &s->table, d);
}
