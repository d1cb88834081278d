// SPDX-License-Identifier: Apache-2.0
// qiao/prove.h - trials: a brain in a robot in a scenario, one or many, each with its score.
#ifndef QIAO_PROVE_H
#define QIAO_PROVE_H

#include "qiao/brain.h"
#include "qiao/rec.h"
#include "qiao/sim.h"
#include "qiao/task.h"

#pragma GCC visibility push(default) // libqiao.so exports what is public

typedef struct qiao_trial { // which draw of the scenario
    uint64_t seed, trial;
    const char *record; // path of the .mcap to write, NULL: none
} qiao_trial;

typedef struct qiao_result {
    qiao_score score;
    uint8_t trace[QIAO_HASH_BYTES]; // of all states, commands and observations
    char *case_text;                // the concrete scenario; free by qiao_results_free
} qiao_result;

typedef struct qiao_trials_def {
    const qiao_scenario *scenario;
    const qiao_robot *robot;
    qiao_brain_def brain; // each thread opens one of its own; n is set for it
    const char *engine;   // "mujoco"
    int nthread;          // 0: all; each runs its share of the trials side by side
    int ntrial;
    const qiao_trial *trial;        // [ntrial]
    const char *robot_name, *build; // for the record
    // Called about every 0.1 s of trial time; returns false to end all trials ("interrupted").
    bool (*progress)(void *ctx, double t, double t_limit, int nlive);
    void *ctx;
} qiao_trials_def;
qiao_trials_def qiao_trials_def_default(void);

// Runs all trials, each thread its share as the worlds of one engine. The bits of a trial do not
// depend on its neighbours, its place or the number of threads. The progress call comes from any
// thread, one at a time.
//   result  [ntrial] out
// A brain that fails ends its trials as failed, with the reason in the score; that is no error of
// this call. Errors: the parts do not fit (E_FIT), files (E_IO), memory.
qiao_err qiao_trials_run(const qiao_trials_def *def, qiao_result *result, qiao_diag *d);
void qiao_results_free(qiao_result *result, int n);

// ---- sweeps: scenario, robot, brain and engine opened once, run chunk by chunk ----

typedef enum qiao_sampling {
    QIAO_SAMPLE_SOBOL,  // low discrepancy, scrambled by the seed; trial i is point i
    QIAO_SAMPLE_RANDOM, // independent draws, keyed by (seed, trial)
} qiao_sampling;
typedef struct qiao_sweep_def {
    const qiao_scenario *scenario;
    const qiao_robot *robot;
    qiao_brain_def brain;
    const char *engine; // "lanes32", "lanes", "mujoco"
    int nthread;        // 0: all
    uint64_t seed;
    qiao_sampling sampling;
    // Called about every 0.2 s from any thread, one at a time; done trials are counted over the
    // life of the sweep; false: end all ("interrupted").
    bool (*progress)(void *ctx, uint64_t ndone, int nlive);
    void *ctx;
} qiao_sweep_def;
qiao_sweep_def qiao_sweep_def_default(void);
typedef struct qiao_sweep qiao_sweep;

qiao_sweep *qiao_sweep_new(const qiao_sweep_def *def, qiao_diag *d);
void qiao_sweep_free(qiao_sweep *s);

typedef struct qiao_row { // one finished trial; param and measure are in the caller's arrays
    uint64_t trial;
    bool passed;
    double total, time;
    char cause[48];   // first cause of failure without its numbers: "tilt"; "" if passed
    char reason[160]; // with them
    uint8_t trace[QIAO_HASH_BYTES];
    double *param;   // [nparam] drawn values, in the param's unit
    double *measure; // [nmeasure] NAN where a trial ended before it had one
} qiao_row;
// Names, units and ranges: a table of no trials, the sweep's own.
const struct qiao_table *qiao_sweep_shape(const qiao_sweep *s);
// Runs trials trial[n] and fills row[n]. The bits of a row depend on nothing but the def's parts,
// the seed, its trial number and its u.
//   u  [n][nparam] places in the declared ranges as in qiao_case_new_at; NULL: by def.sampling
// A brain that fails ends its trials as failed with the reason. E_TIMEOUT: interrupted, rows void.
qiao_err qiao_sweep_run(qiao_sweep *s, int n, const uint64_t *trial, const double *u, qiao_row *row,
                        qiao_diag *d);

// ---- what many trials say: a table that statistics, store and report share ----

// Row i is one trial. Arrays row-major, const for readers; the maker of the table owns them.
typedef struct qiao_table {
    int ntrial, nparam, nmeasure, ncause;
    const char *const *param_name, *const *param_unit;     // [nparam] as qiao_scenario_params says
    const double (*param_range)[2];                        // [nparam] declared, in the param's unit
    const char *const *measure_name, *const *measure_unit; // [nmeasure]
    const char *const *cause_name; // [ncause] first causes of failure without their numbers: "tilt"
    const uint64_t *trial;         // [ntrial] index of the draw
    const uint8_t *passed;         // [ntrial]
    const int *cause;              // [ntrial] into cause_name; -1: passed
    const double *total, *time;    // [ntrial] score 0..1; s until the trial ended
    const double *param;           // [ntrial][nparam] in the param's unit
    const double *measure;         // [ntrial][nmeasure]
    const double *weight;          // [ntrial] of importance sampling; NULL: all 1
    const uint8_t (*trace)[QIAO_HASH_BYTES]; // [ntrial]
} qiao_table;

#pragma GCC visibility pop
#endif
