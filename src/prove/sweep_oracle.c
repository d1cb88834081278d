// SPDX-License-Identifier: Apache-2.0
// sweep_oracle.c - a sweep as searches ask it: trials at chosen places, how near each is to failure.
#include "prove/sweep.h"
#include "qiao/prove_stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct question { // the trials whose places are allowed
    int n, *of;           // [n] place in the caller's arrays
    uint64_t *trial;
    double *u, *x; // [n][nparam]; memory of the rows
    qiao_row *row;
} question;

static bool make_room(question *q, int n, size_t np, size_t nm) {
    size_t k = (size_t)n + 1;
    q->of = calloc(k, sizeof *q->of), q->trial = calloc(k, sizeof *q->trial);
    q->u = calloc(k * (np + 1), sizeof *q->u), q->row = calloc(k, sizeof *q->row);
    q->x = calloc(k * (np + nm + 1), sizeof *q->x);
    return q->of && q->trial && q->u && q->row && q->x;
}

// Whether a rule forbids the place; other faults show when it is run.
static bool forbidden(const qiao_sweep *s, uint64_t trial, const double *u) {
    qiao_diag d = {0};
    qiao_case *c = qi_sweep_case(s, trial, u, &d);
    qiao_case_free(c);
    return !c && d.err == QIAO_E_FIT;
}

static void choose(question *q, const qiao_sweep *s, int n, const uint64_t *trial, const double *u,
                   bool look) {
    size_t np = (size_t)s->nparam, nm = (size_t)s->shape.nmeasure;
    q->n = 0;
    for (int i = 0; i < n; i++) {
        const double *at = u + (size_t)i * np;
        if (look && forbidden(s, trial[i], at)) continue;
        size_t k = (size_t)q->n++;
        q->of[k] = i, q->trial[k] = trial[i];
        memcpy(q->u + k * np, at, np * sizeof *at);
        q->row[k] = (qiao_row){.param = q->x + k * (np + nm), .measure = q->x + k * (np + nm) + np};
    }
}

// How near a passed trial came to failing, 0..1: what it lacked in score, and how near its measures
// came to their limits (it passed, so the side on which a measure lies is the allowed one).
static double nearness(const qiao_sweep *s, const qiao_row *r) {
    double near = 0, lack = fmin(fmax(1 - r->total, 0), 1);
    int n = 0;
    for (int k = 0; k < s->shape.nmeasure; k++) {
        double x = r->measure[k], limit = s->measure[k].limit;
        if (s->measure[k].kind != 'e' || !(limit > 0) || !(x >= 0)) continue;
        near += x <= limit ? x / limit : limit / x, n++;
    }
    return n ? 0.5 * (lack + near / n) : lack;
}

static qiao_err ask(void *ctx, int n, const uint64_t *trial, const double *u, uint8_t *failed,
                    double *severity, qiao_diag *d) {
    qiao_sweep *s = ctx;
    question q = {0};
    bool ok = make_room(&q, n, (size_t)s->nparam, (size_t)s->shape.nmeasure);
    qiao_err e = ok ? QIAO_OK : qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    for (int i = 0; i < n; i++) failed[i] = 0, severity[i] = 0;
    for (int look = 0; !e && look < 2; look++) { // most often all places are allowed
        qiao_diag why = {0};
        choose(&q, s, n, trial, u, look);
        e = qiao_sweep_run(s, q.n, q.trial, q.u, q.row, &why);
        if (e == QIAO_E_FIT && look == 0) {
            e = QIAO_OK;
            continue;
        }
        if (e) qiao_diag_set(d, e, NULL, 0, 0, "%s", why.text);
        break;
    }
    for (int k = 0; !e && k < q.n; k++) {
        failed[q.of[k]] = !q.row[k].passed;
        severity[q.of[k]] = q.row[k].passed ? nearness(s, &q.row[k]) : 2 - q.row[k].total;
    }
    free(q.of), free(q.trial), free(q.u), free(q.row), free(q.x);
    return e;
}

qiao_oracle qiao_sweep_oracle(qiao_sweep *s) {
    return (qiao_oracle){.nparam = s->nparam, .run = ask, .ctx = s};
}
