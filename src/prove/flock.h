// SPDX-License-Identifier: Apache-2.0
// flock.h - trials of one structure side by side in one thread: a lane that ends takes the next
// trial at once. Inside room prove only.
#ifndef QI_FLOCK_H
#define QI_FLOCK_H

#include "qiao/prove.h"

typedef struct qi_job { // a trial that waits or runs
    int at;             // its place in the caller's arrays
    uint64_t trial;
    qiao_case *cas; // the job's
    bool solo;      // to be run without neighbours, since a brain died in their company
} qi_job;

typedef struct qi_flock_def { // what all flocks of a sweep share
    const qiao_robot *robot;
    qiao_brain_def brain;
    const char *engine;
    uint64_t seed;
    int nparam;
} qi_flock_def;

typedef struct qi_flock qi_flock;

// Worlds like the first job's, n of them. own: each has a brain of its own, for facts differ.
qi_flock *qi_flock_new(const qi_flock_def *def, const qiao_case *first, int n, bool own,
                       qiao_diag *d);
void qi_flock_free(qi_flock *f);
int qi_flock_live(const qi_flock *f); // trials that run
bool qi_flock_own(const qi_flock *f);
typedef enum qi_took { QI_TOOK, QI_FULL, QI_OTHER_SHAPE, QI_OTHER_FACTS, QI_BROKEN } qi_took;
// Starts a job in a free lane, which then owns its case. BROKEN: d says what.
qi_took qi_flock_take(qi_flock *f, const qi_job *j, qiao_diag *d);
// All trials forward to the next common start (a few steps of the brain). Jobs that ended come with
// their rows to done; those whose brain died in company to again, with their cases. Their worlds
// are free afterwards.
typedef struct qi_flock_sink {
    void *ctx;
    qiao_row *(*row)(void *ctx, const qi_job *j); // where the row goes; param and measure are set
    void (*done)(void *ctx, const qi_job *j);
    void (*again)(void *ctx, const qi_job *j);
} qi_flock_sink;
void qi_flock_stride(qi_flock *f, const qi_flock_sink *sink);
void qi_flock_drop(qi_flock *f); // ends all trials without rows

// Names of the measures, from any referee: a score without a trial.
int qi_flock_measures(qi_flock *f, const qiao_case *c, qiao_measure *m, qiao_diag *d);
// The first cause of failure in a score's reason, without numbers.
void qi_cause_of(const char *reason, char *cause, size_t cap);

#endif
