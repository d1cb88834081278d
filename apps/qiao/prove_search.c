// SPDX-License-Identifier: Apache-2.0
// prove_search.c - trials at chosen places: how rare failure is, and the plainest failure.
#include "prove.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Runs the trial at u once more for what it came to.
static qiao_row *row_at(prove_job *j, prove_side *s, uint64_t trial, const double *u,
                        qiao_diag *d) {
    size_t np = (size_t)s->table.nparam, nm = (size_t)s->table.nmeasure;
    qiao_row *r = qiao_arena_get(j->arena, sizeof *r);
    double *x = qiao_arena_get(j->arena, (np + nm + 1) * sizeof *x);
    if (!r || !x) return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory"), NULL;
    r->param = x, r->measure = x + np;
    return qiao_sweep_run(s->sweep, 1, &trial, u, r, d) ? NULL : r;
}

static qiao_err add_case(prove_job *j, prove_side *s, const char *kind, uint64_t trial,
                         const double *u, qiao_report_case *cases, int *ncase, qiao_diag *d) {
    qiao_report_case *c = &cases[*ncase];
    qiao_row *r = row_at(j, s, trial, u, d);
    if (!r) return d->err;
    *c = (qiao_report_case){.kind = kind, .row = -1};
    if (!j->a->no_records && !prove_record(j, s, kind, trial, u, r->trace, c, d)) return d->err;
    c->found = r;
    (*ncase)++;
    return QIAO_OK;
}

// Interrupted searches say nothing: their trials are not kept.
static qiao_err unless_interrupted(qiao_err e, qiao_diag *d) {
    if (e != QIAO_E_TIMEOUT || !prove_interrupted()) return e;
    *d = (qiao_diag){0};
    return QIAO_OK;
}

qiao_err prove_rare(prove_job *j, prove_side *s, qiao_rare *rare, qiao_report_case *cases,
                    int *ncase, qiao_diag *d) {
    qiao_oracle o = qiao_sweep_oracle(s->sweep);
    qiao_rare_def def = qiao_rare_def_default();
    def.seed = (uint64_t)j->seed, def.ntrial = (int)j->rare, def.level = j->level;
    def.trial0 = (uint64_t)j->trials; // other noise than the sweep's own trials had
    qiao_err e = qiao_rare_search(&o, &def, rare, d);
    if (e) return unless_interrupted(e, d);
    prove_quiet(j);
    if (!j->a->json) {
        bool zh = args_chinese();
        printf("\n%s\n  %s\n", zh ? "罕见失败" : "rare failures", zh ? rare->zh : rare->en);
        if (rare->nfirst)
            printf(zh ? "  首次失败出现在第 %d 次试验\n"
                      : "  the first failure came after %d trials\n",
                   rare->nfirst);
        fflush(stdout);
    }
    if (!rare->u) return QIAO_OK;
    return unless_interrupted(add_case(j, s, "rare", rare->trial, rare->u, cases, ncase, d), d);
}

static void tell_shrunk(const prove_job *j, const prove_side *s, const qiao_row *r, const double *u,
                        const qiao_shrunk *k) {
    const qiao_table *t = &s->table;
    bool zh = args_chinese();
    if (j->a->json) return;
    printf(zh ? "\n最简的失败：%d 个参数偏离中间（%d 次试验%s）：%s\n"
              : "\nplainest failure: %d parameters off the middle (%d trials%s): %s\n",
           k->ndiffer, k->ntrial, k->fewest ? zh ? "，已是最少" : ", no fewer do" : "", r->reason);
    for (int p = 0; p < t->nparam; p++)
        if (fabs(u[p] - 0.5) > 1e-12)
            printf("  %-30s %.6g %s\n", t->param_name[p], r->param[p], t->param_unit[p]);
    fflush(stdout);
}

qiao_err prove_shrink(prove_job *j, prove_side *s, const qiao_why *why, qiao_report_case *cases,
                      int *ncase, qiao_diag *d) {
    const qiao_table *t = &s->table;
    if (why->nearest < 0) return QIAO_OK;
    size_t np = (size_t)t->nparam;
    uint64_t trial = t->trial[why->nearest];
    double *u = qiao_arena_get(j->arena, (np + 1) * sizeof *u);
    if (!u) return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    qiao_err e = qiao_sweep_places(s->sweep, trial, u, d);
    for (size_t p = 0; p < np && !e; p++) {
        double lo = t->param_range[p][0], hi = t->param_range[p][1];
        double x = t->param[(size_t)why->nearest * np + p];
        if (isnan(u[p])) u[p] = hi > lo ? (x - lo) / (hi - lo) : 0.5; // it was drawn
        if (!(hi > lo)) u[p] = 0.5;                                   // fixed
    }
    qiao_oracle o = qiao_sweep_oracle(s->sweep);
    qiao_shrunk k;
    if (!e) e = qiao_shrink(&o, trial, NULL, true, (int)j->shrink, u, &k, d);
    prove_quiet(j);
    if (e) return unless_interrupted(e, d);
    e = add_case(j, s, "shrunk", trial, u, cases, ncase, d);
    if (!e) tell_shrunk(j, s, cases[*ncase - 1].found, u, &k);
    return unless_interrupted(e, d);
}
