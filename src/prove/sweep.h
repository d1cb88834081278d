// SPDX-License-Identifier: Apache-2.0
// sweep.h - the parts of a sweep: what threads share, and one thread's flocks. Room prove only.
#ifndef QI_SWEEP_H
#define QI_SWEEP_H

#include "prove/flock.h"

#include <pthread.h>
#include <stdatomic.h>

enum { QI_FLOCKS = 4, QI_WAIT = 256 }; // kept by a thread; cases of other structure put aside

typedef struct qi_run { // one call of qiao_sweep_run
    int n;
    const uint64_t *trial;
    const double *u;
    qiao_row *row;
    atomic_int next; // the next job that nobody has taken
} qi_run;

typedef struct qi_worker {
    qiao_sweep *s;
    pthread_t thread;
    bool started;
    qi_flock *flock[QI_FLOCKS];
    int nflock, now; // now: the one that is filled
    qi_job wait[QI_WAIT + 64];
    int nwait;
    qiao_err e;
    qiao_diag d;
} qi_worker;

struct qiao_sweep {
    qiao_sweep_def def;
    qi_flock_def flock;
    char *engine, *spec;
    int nworker, nparam, ndim;
    int *dim; // [nparam] dimension of Sobol's sequence, -1: drawn
    qiao_table shape;
    qiao_measure measure[QIAO_SCORE_MAX];
    qi_worker *worker;
    qi_run *run;
    atomic_bool stop, own; // end at once; each lane needs a brain of its own
    atomic_uint_least64_t ndone;
    atomic_int nlive;
    double told; // s, when progress was called last
    // the workers' orders
    pthread_mutex_t lock;
    pthread_cond_t go, idle;
    long round;
    int busy;
    bool quit, prepare;
    qiao_arena *arena;
};

// The case of a trial: at u if given, else by the sweep's sampling.
qiao_case *qi_sweep_case(const qiao_sweep *s, uint64_t trial, const double *u, qiao_diag *d);
// First flock of the first worker, from the first trial that can be drawn: what the sweep is.
qiao_err qi_worker_prepare(qi_worker *w, qiao_diag *d);
qiao_err qi_worker_run(qi_worker *w, qiao_diag *d);
void qi_worker_free(qi_worker *w);

#endif
