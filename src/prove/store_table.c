// SPDX-License-Identifier: Apache-2.0
// store_table.c - a store's rows as the table that statistics read.
#include "prove/store.h"

#include <string.h>

enum { CAUSE_MAX = 1024 };

typedef struct filling { // columns as they grow; in the arena, sized by a count before
    qiao_table *t;
    qiao_arena *a;
    int cap, n;
    uint64_t *trial;
    uint8_t *passed, (*trace)[QIAO_HASH_BYTES];
    int *cause;
    double *total, *time, *param, *measure;
    const char **name; // [CAUSE_MAX]
    int ncause;
    qiao_err e;
} filling;

static int cause_of(filling *f, const char *cause) {
    if (!cause[0]) cause = "unnamed";
    for (int i = 0; i < f->ncause; i++)
        if (strcmp(f->name[i], cause) == 0) return i;
    if (f->ncause == CAUSE_MAX) return CAUSE_MAX - 1;
    const char *name = f->ncause == CAUSE_MAX - 1 ? "others" : cause;
    f->name[f->ncause] = qiao_arena_text(f->a, name, strlen(name));
    if (!f->name[f->ncause]) f->e = QIAO_E_MEM;
    return f->ncause++;
}

static bool take(void *ctx, const qiao_row *r, const double *u) {
    (void)u;
    filling *f = ctx;
    if (f->n == f->cap) return false; // a writer added some since the count
    int i = f->n++;
    size_t np = (size_t)f->t->nparam, nm = (size_t)f->t->nmeasure;
    f->trial[i] = r->trial, f->passed[i] = r->passed;
    f->total[i] = r->total, f->time[i] = r->time;
    f->cause[i] = r->passed ? -1 : cause_of(f, r->cause);
    memcpy(f->trace[i], r->trace, QIAO_HASH_BYTES);
    if (np) memcpy(f->param + (size_t)i * np, r->param, np * sizeof(double));
    if (nm) memcpy(f->measure + (size_t)i * nm, r->measure, nm * sizeof(double));
    return !f->e;
}

static bool count_one(void *ctx, const qiao_row *r, const double *u) {
    (void)r, (void)u;
    return ++*(uint64_t *)ctx < INT32_MAX;
}

qiao_err qiao_store_table(qiao_store *s, uint64_t from, uint64_t below, qiao_arena *a,
                          qiao_table *t, qiao_diag *d) {
    qiao_diag own = {0};
    if (!d) d = &own;
    *t = s->head.shape;
    uint64_t n = s->count;
    qiao_err e = QIAO_OK;
    if (from > 0 || below < INT64_MAX) {
        n = 0;
        if ((e = qiao_store_each(s, from, below, count_one, &n, d))) return e;
    }
    if (n >= INT32_MAX)
        return qiao_diag_set(d, QIAO_E_LIMIT, s->path, 0, 0, "more rows than a table holds");
    size_t rows = (size_t)n + 1, np = (size_t)t->nparam, nm = (size_t)t->nmeasure;
    filling f = {.t = t, .a = a, .cap = (int)n};
    f.trial = qiao_arena_get(a, rows * sizeof *f.trial);
    f.passed = qiao_arena_get(a, rows), f.trace = qiao_arena_get(a, rows * sizeof *f.trace);
    f.cause = qiao_arena_get(a, rows * sizeof *f.cause);
    f.total = qiao_arena_get(a, rows * sizeof(double));
    f.time = qiao_arena_get(a, rows * sizeof(double));
    f.param = qiao_arena_get(a, rows * np * sizeof(double) + 1);
    f.measure = qiao_arena_get(a, rows * nm * sizeof(double) + 1);
    f.name = qiao_arena_get(a, CAUSE_MAX * sizeof *f.name);
    // names and units outlive the store
    qi_head copy;
    e = qi_head_make(&s->head.parts, &s->head.shape, a, &copy, d);
    if (!f.trial || !f.passed || !f.trace || !f.cause || !f.total || !f.time || !f.param ||
        !f.measure || !f.name)
        e = qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    if (e) return e;
    *t = copy.shape;
    e = qiao_store_each(s, from, below, take, &f, d);
    if (!e && f.e) e = qiao_diag_set(d, f.e, NULL, 0, 0, "out of memory");
    t->ntrial = f.n, t->ncause = f.ncause, t->cause_name = f.name;
    t->trial = f.trial, t->passed = f.passed, t->cause = f.cause, t->total = f.total;
    t->time = f.time, t->param = f.param, t->measure = f.measure;
    t->trace = (const uint8_t(*)[QIAO_HASH_BYTES])f.trace;
    return e;
}
