// SPDX-License-Identifier: Apache-2.0
// sweep_worker.c - one thread of a sweep: takes jobs, sorts them by structure into flocks, runs one
// flock at a time.
#include "prove/sweep.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

// Lanes of a flock: as many as the widest vector has, so that a flock stays in the cache (Go1 with
// its policy: 64 lanes cost 5 % more, 128 13 %).
enum { WIDE = 16, WIDE_OWN = 16, WIDE_MUJOCO = 8 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int width(const qiao_sweep *s) {
    if (strcmp(s->def.engine, "mujoco") == 0) return WIDE_MUJOCO;
    return s->own ? WIDE_OWN : WIDE;
}

// ---- flocks ----

static qi_flock *add_flock(qi_worker *w, const qiao_case *c, int n, qiao_diag *d) {
    qi_flock *f = qi_flock_new(&w->s->flock, c, n, w->s->own, d);
    if (!f) return NULL;
    if (w->nflock == QI_FLOCKS) { // the oldest goes
        qi_flock_free(w->flock[0]);
        memmove(w->flock, w->flock + 1, (QI_FLOCKS - 1) * sizeof *w->flock);
        w->nflock--;
    }
    return w->flock[w->now = w->nflock++] = f;
}

void qi_worker_free(qi_worker *w) {
    for (int i = 0; i < w->nflock; i++) qi_flock_free(w->flock[i]);
    for (int i = 0; i < w->nwait; i++) qiao_case_free(w->wait[i].cas);
    w->nflock = w->nwait = 0;
}

static bool same_facts(const qiao_case *a, const qiao_case *b) {
    const char *const *na, *const *nb, *const *ta, *const *tb;
    int n = qiao_case_facts(a, &na, &ta);
    if (n != qiao_case_facts(b, &nb, &tb)) return false;
    for (int i = 0; i < n; i++)
        if (strcmp(ta[i], tb[i]) != 0) return false;
    return true;
}

qiao_err qi_worker_prepare(qi_worker *w, qiao_diag *d) {
    qiao_sweep *s = w->s;
    qiao_case *c = qi_sweep_case(s, 0, NULL, d);
    if (!c) return d->err;
    for (uint64_t t = 1; t < 4 && !s->own; t++) { // facts that vary show soon
        qiao_diag no = {0};
        qiao_case *other = qi_sweep_case(s, t, NULL, &no);
        if (other && !same_facts(c, other)) s->own = true;
        qiao_case_free(other);
    }
    qi_flock *f = add_flock(w, c, width(s), d);
    int n = f ? qi_flock_measures(f, c, s->measure, d) : -1;
    if (n >= 0) s->shape.nmeasure = n;
    qiao_case_free(c);
    return n < 0 ? d->err : QIAO_OK;
}

// ---- jobs ----

static void put_aside(qi_worker *w, const qi_job *j) { w->wait[w->nwait++] = *j; }

// Tries a job in the present flock. true: it is gone from the caller's hands, or all is over.
static bool offer(qi_worker *w, const qi_job *j, qi_took *took, qiao_diag *d) {
    qi_flock *f = w->flock[w->now];
    if (w->s->own && !qi_flock_own(f))
        *took = QI_OTHER_FACTS;
    else
        *took = qi_flock_take(f, j, d);
    if (*took == QI_OTHER_FACTS) w->s->own = true;
    return *took == QI_TOOK;
}

// The next job that nobody has; false: none is left, or d says why it could not be made.
static bool next_job(qi_worker *w, qi_job *j, qiao_diag *d) {
    qi_run *r = w->s->run;
    int at = atomic_fetch_add(&r->next, 1);
    if (at >= r->n || w->s->stop) return false;
    const double *u = r->u ? r->u + (size_t)at * (size_t)w->s->nparam : NULL;
    *j = (qi_job){.at = at, .trial = r->trial[at]};
    j->cas = qi_sweep_case(w->s, j->trial, u, d);
    return j->cas != NULL;
}

// Fills the present flock: what was put aside first, then new ones.
static qiao_err refill(qi_worker *w, bool *more, qiao_diag *d) {
    qi_took took = QI_TOOK;
    bool other_brains = w->s->own && !qi_flock_own(w->flock[w->now]);
    for (int i = 0; i < w->nwait && took != QI_FULL && !other_brains;) {
        if (!offer(w, &w->wait[i], &took, d)) {
            if (took == QI_BROKEN) return d->err;
            i++;
            continue;
        }
        w->wait[i] = w->wait[--w->nwait];
    }
    while (*more && took != QI_FULL && w->nwait < QI_WAIT && !w->s->stop) {
        qi_job j;
        if (!next_job(w, &j, d)) {
            if (d->err) return d->err;
            *more = false;
            break;
        }
        if (offer(w, &j, &took, d)) continue;
        put_aside(w, &j);
        if (took == QI_BROKEN) return d->err;
    }
    return QIAO_OK;
}

// No trial runs, some wait: the flock that takes the first of them, or a new one.
static qiao_err change_flock(qi_worker *w, qiao_diag *d) {
    qi_took took;
    for (int i = 0; i < w->nflock; i++) {
        w->now = i;
        if (offer(w, &w->wait[0], &took, d)) {
            w->wait[0] = w->wait[--w->nwait];
            return QIAO_OK;
        }
        if (took == QI_BROKEN) return d->err;
    }
    // as wide as it may be used: what else waits, if this is not the first change
    int n = width(w->s);
    if (w->nflock > 1 && w->nwait < n) n = w->nwait;
    if (!add_flock(w, w->wait[0].cas, n, d)) return d->err;
    if (offer(w, &w->wait[0], &took, d)) {
        w->wait[0] = w->wait[--w->nwait];
        return QIAO_OK;
    }
    if (took == QI_BROKEN) return d->err;
    return qiao_diag_set(d, QIAO_E_FIT, NULL, 0, 0, "trial %llu does not fit its own world",
                         (unsigned long long)w->wait[0].trial);
}

// ---- results ----

static qiao_row *row_of(void *ctx, const qi_job *j) {
    const qi_worker *w = ctx;
    return &w->s->run->row[j->at];
}
static void done(void *ctx, const qi_job *j) {
    const qi_worker *w = ctx;
    (void)j;
    atomic_fetch_add(&w->s->ndone, 1);
}
static void again(void *ctx, const qi_job *j) { put_aside(ctx, j); }

static void tell(qiao_sweep *s) {
    if (!s->def.progress || pthread_mutex_trylock(&s->lock)) return;
    double t = now();
    if (t - s->told > 0.2) {
        s->told = t;
        if (!s->def.progress(s->def.ctx, s->ndone, s->nlive)) s->stop = true;
    }
    pthread_mutex_unlock(&s->lock);
}

qiao_err qi_worker_run(qi_worker *w, qiao_diag *d) {
    qiao_sweep *s = w->s;
    const qi_flock_sink sink = {w, row_of, done, again};
    bool more = true;
    qi_job first;
    if (w->nflock == 0) {
        if (!next_job(w, &first, d)) return d->err;
        put_aside(w, &first);
    }
    while (!s->stop) {
        if (w->nflock) {
            qiao_err e = refill(w, &more, d);
            if (e) return e;
        }
        int live = w->nflock ? qi_flock_live(w->flock[w->now]) : 0;
        if (live == 0) {
            if (w->nwait == 0) break;
            qiao_err e = change_flock(w, d);
            if (e) return e;
            continue;
        }
        atomic_fetch_add(&s->nlive, live);
        qi_flock_stride(w->flock[w->now], &sink);
        tell(s);
        atomic_fetch_sub(&s->nlive, live);
    }
    if (!s->stop) return QIAO_OK;
    for (int i = 0; i < w->nflock; i++) qi_flock_drop(w->flock[i]);
    while (w->nwait > 0) qiao_case_free(w->wait[--w->nwait].cas);
    return QIAO_OK;
}
