// SPDX-License-Identifier: Apache-2.0
// prove.h - what the files of qiao prove share: the job, one brain's sweep, what is told of it.
#ifndef QIAO_APP_PROVE_H
#define QIAO_APP_PROVE_H

#include "args.h"

#include "qiao/prove_report.h"

#include <limits.h>

typedef struct prove_args {
    const char *scenario, *robot, *brain, *brain2, *trials, *until, *decide, *need, *engine, *seed,
        *sampling, *threads, *out, *by, *level, *second, *key, *workers, *rare, *shrink;
    bool json, no_records, isolate, slurm;
} prove_args;

typedef struct prove_side { // one brain
    const char *brain;
    char name[96], dir[PATH_MAX], db[PATH_MAX + 16];
    qiao_sweep_def def;
    qiao_sweep *sweep;
    qiao_store *store;
    qiao_table table; // after prove_run
} prove_side;

typedef struct prove_job {
    const prove_args *a;
    qiao_scenario *scenario;
    qiao_robot *robot;
    qiao_sampling sampling;
    long long trials, seed, threads, second, nworker, rare, shrink;
    double until, decide, need, level; // until, decide 0: not asked
    double p_good, p_bad;              // of decide
    const char *stopped;               // "trials", "width", "test", "interrupted"
    int decision;                      // of the test: +1, -1, 0
    double begin, told;
    uint64_t had, ndone, npassed; // rows at the start; rows in the store, of them passed
    bool printed;
    prove_side *now;     // whose trials run
    const char *command; // as typed
    qiao_arena *arena;
} prove_job;

// Opens sweep and store of one brain.
qiao_err prove_open(prove_job *j, prove_side *s, const char *brain, qiao_diag *d);
void prove_close(prove_side *s);
// Trials until there are enough. OK also when interrupted: job.stopped says how it ended.
//   follow  another side whose number of trials this one runs; NULL: by the job's rule
qiao_err prove_run(prove_job *j, prove_side *s, const prove_side *follow, qiao_diag *d);
bool prove_interrupted(void);
void prove_catch_signals(void);
double prove_now(void);
// Clears a line of progress that was printed in place.
void prove_quiet(prove_job *j);

// Rows run again in engine mujoco; second->n 0: none.
qiao_err prove_second(prove_job *j, prove_side *s, qiao_second_opinion *second, qiao_diag *d);
// One trial run again with record, page and case in a folder named kind.
//   u      [nparam] its places, NAN: drawn
//   trace  that it has to have; NULL: any
bool prove_record(prove_job *j, prove_side *s, const char *kind, uint64_t trial, const double *u,
                  const uint8_t *trace, qiao_report_case *c, qiao_diag *d);
// Worst, median and best trials with record and replay page; count written to cases, at most cap.
int prove_again(prove_job *j, prove_side *s, const qiao_why *why, qiao_report_case *cases, int cap,
                qiao_diag *d);

// Trials aimed at failure: how rare it is. rare->ntrial 0: none. A case of the likeliest failure,
// with a record unless --no-records. Interrupted: nothing is said.
qiao_err prove_rare(prove_job *j, prove_side *s, qiao_rare *rare, qiao_report_case *cases,
                    int *ncase, qiao_diag *d);
// The failure nearest to the middle made as plain as can be; tells it.
qiao_err prove_shrink(prove_job *j, prove_side *s, const qiao_why *why, qiao_report_case *cases,
                      int *ncase, qiao_diag *d);

void prove_tell(prove_job *j, prove_side *s, const qiao_why *why);
void prove_tell_groups(prove_job *j, const prove_side *s, int param);
void prove_tell_second(const prove_side *s, const qiao_second_opinion *second);
// Whether the success is high enough, and why that can be said; one line.
bool prove_verdict(const prove_job *j, const prove_side *s, char *text, size_t cap);

#endif
