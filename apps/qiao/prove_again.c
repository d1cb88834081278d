// SPDX-License-Identifier: Apache-2.0
// prove_again.c - trials run again: in engine mujoco for a second opinion, with records to look at.
#include "prove.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAILURES = 50 }; // that get a second opinion

static bool quiet(void *ctx, uint64_t ndone, int nlive) {
    (void)ctx, (void)ndone, (void)nlive;
    return !prove_interrupted();
}

// Failures first, then others drawn by the seed.
static int choose(const prove_job *j, const qiao_table *t, int *row, int cap) {
    int n = 0;
    for (int i = 0; i < t->ntrial && n < FAILURES && n < cap; i++)
        if (!t->passed[i]) row[n++] = i;
    qiao_rng r = {(uint64_t)j->seed, 0, 0x5ec0u};
    int more = (int)j->second, tries = 0;
    while (more > 0 && n < cap && tries++ < 100 * (int)j->second) {
        int i = (int)(qiao_rng_uniform(&r, (uint64_t)tries, 0) * t->ntrial);
        bool known = false;
        for (int k = 0; k < n; k++) known |= row[k] == i;
        if (!known) row[n++] = i, more--;
    }
    return n;
}

qiao_err prove_second(prove_job *j, prove_side *s, qiao_second_opinion *second, qiao_diag *d) {
    const qiao_table *t = &s->table;
    *second = (qiao_second_opinion){.engine = "mujoco"};
    if (j->second == 0 || strcmp(j->a->engine, "mujoco") == 0 || prove_interrupted()) return 0;
    qiao_sweep_def def = s->def;
    def.engine = "mujoco", def.progress = quiet;
    size_t most = (size_t)FAILURES + (size_t)j->second;
    if (most > (size_t)t->ntrial) most = (size_t)t->ntrial;
    size_t np = (size_t)t->nparam, nm = (size_t)t->nmeasure;
    int *row = qiao_arena_get(j->arena, (most + 1) * sizeof *row);
    uint8_t *passed = qiao_arena_get(j->arena, most + 1);
    double *total = qiao_arena_get(j->arena, (most + 1) * sizeof *total);
    const char **cause = qiao_arena_get(j->arena, (most + 1) * sizeof *cause);
    qiao_row *r = qiao_arena_get(j->arena, (most + 1) * sizeof *r);
    uint64_t *trial = qiao_arena_get(j->arena, (most + 1) * sizeof *trial);
    double *x = qiao_arena_get(j->arena, (most + 1) * (np + nm + 1) * sizeof *x);
    if (!row || !passed || !total || !cause || !r || !trial || !x)
        return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    int n = choose(j, t, row, (int)most);
    if (n == 0) return QIAO_OK;
    for (int i = 0; i < n; i++) {
        double *at = x + (size_t)i * (np + nm);
        trial[i] = t->trial[row[i]], r[i] = (qiao_row){.param = at, .measure = at + np};
    }
    qiao_sweep *other = qiao_sweep_new(&def, d);
    qiao_err e = other ? qiao_sweep_run(other, n, trial, NULL, r, d) : d->err;
    qiao_sweep_free(other);
    if (e == QIAO_E_TIMEOUT) return QIAO_OK; // interrupted: no opinion
    if (e) return e;
    for (int i = 0; i < n; i++)
        passed[i] = r[i].passed, total[i] = r[i].total, cause[i] = r[i].reason;
    second->n = n, second->row = row, second->passed = passed;
    second->total = total, second->cause = cause;
    return QIAO_OK;
}

bool prove_record(prove_job *j, prove_side *s, const char *kind, uint64_t number, const double *u,
                  const uint8_t *trace, qiao_report_case *c, qiao_diag *d) {
    char *dir = qiao_arena_printf(j->arena, "%s/%s", s->dir, kind);
    char *record = qiao_arena_printf(j->arena, "%s/record.mcap", dir);
    char *page = qiao_arena_printf(j->arena, "%s/replay.html", dir);
    char *text = qiao_arena_printf(j->arena, "%s/case.osc", dir);
    if (!dir || !record || !page || !text || qiao_dir_make(dir, d)) return false;
    qiao_trial trial = {.seed = (uint64_t)j->seed, .trial = number, .record = record, .u = u};
    qiao_trials_def def = qiao_trials_def_default();
    def.scenario = j->scenario, def.robot = j->robot, def.brain = s->def.brain;
    def.engine = j->a->engine, def.ntrial = 1, def.nthread = 1, def.trial = &trial;
    qiao_result r;
    if (qiao_trials_run(&def, &r, d)) return false;
    bool ok = qiao_file_write(text, r.case_text, strlen(r.case_text), d) == QIAO_OK &&
              qiao_replay_html(record, page, d) == QIAO_OK;
    if (ok && trace && memcmp(r.trace, trace, sizeof r.trace) != 0)
        ok = !qiao_diag_set(d, QIAO_E_FIT, NULL, 0, 0,
                            "trial %llu gave another trace when run again; is the brain "
                            "deterministic?",
                            (unsigned long long)number);
    qiao_results_free(&r, 1);
    if (!ok) return false;
    *c = (qiao_report_case){.kind = kind, .row = -1, .page = page};
    c->link = qiao_arena_printf(j->arena, "%s/replay.html", kind);
    c->command = qiao_arena_printf(
        j->arena, "qiao run %s --robot %s --brain %s --engine %s --seed %lld --trial %llu", text,
        j->a->robot, s->brain, j->a->engine, j->seed, (unsigned long long)number);
    return true;
}

// A row of the table.
static bool with_record(prove_job *j, prove_side *s, const char *kind, int row, qiao_report_case *c,
                        qiao_diag *d) {
    const qiao_table *t = &s->table;
    double *u = qiao_arena_get(j->arena, ((size_t)t->nparam + 1) * sizeof *u);
    if (!u || qiao_sweep_places(s->sweep, t->trial[row], u, d)) return false;
    if (!prove_record(j, s, kind, t->trial[row], u, t->trace[row], c, d)) return false;
    c->row = row;
    return true;
}

int prove_again(prove_job *j, prove_side *s, const qiao_why *why, qiao_report_case *cases, int cap,
                qiao_diag *d) {
    const struct {
        const char *kind;
        int row;
    } all[] = {{"worst", why->worst},
               {"median", why->median},
               {"best", why->best},
               {"nearest", why->nearest}};
    int n = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all && n < cap && !prove_interrupted(); i++) {
        if (all[i].row < 0) continue;
        if (!with_record(j, s, all[i].kind, all[i].row, &cases[n], d)) return -1;
        n++;
    }
    return n;
}
