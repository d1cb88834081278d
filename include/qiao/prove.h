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
    const double *u;    // [nparam] places as in qiao_case_new_at; NULL: drawn
} qiao_trial;

typedef struct qiao_result {
    qiao_score score;
    uint8_t trace[QIAO_HASH_BYTES]; // of all states, commands and observations
    char *case_text;                // the concrete scenario; free by qiao_results_free
    int guard[QIAO_RUNG_STOP + 1];  // how often a guard rose to each rung
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
// Where the sweep's sampling puts a trial: u [nparam] out, as qiao_sweep_run and qiao_trial take it;
// NAN: drawn by (seed, trial).
qiao_err qiao_sweep_places(const qiao_sweep *s, uint64_t trial, double *u, qiao_diag *d);
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

// ---- what a result stands on ----

typedef struct qiao_parts { // of a sweep, a store or a bundle; names are for people, hashes decide
    char scenario[96], robot[96], brain[96], engine[24], build[96];
    uint8_t scenario_hash[QIAO_HASH_BYTES], robot_hash[QIAO_HASH_BYTES],
        brain_hash[QIAO_HASH_BYTES], engine_hash[QIAO_HASH_BYTES], build_hash[QIAO_HASH_BYTES];
    uint64_t seed;
    qiao_sampling sampling;
} qiao_parts;
// Opens the brain once to ask its name and hash. build: the file of this program or library.
qiao_err qiao_parts_get(const qiao_sweep_def *def, qiao_parts *p, qiao_diag *d);

// ---- keeping: one sweep's rows in one SQLite file, one owner process (docs/prove_store.md) ----

// A row that add took survives kill -9 and power loss. One thread at a time.
typedef struct qiao_store qiao_store;
// Makes the file or goes on with it. E_FIT: made by other parts, d says which; E_LIMIT: another
// process owns it, d says which; E_FORMAT: not such a file, or damaged.
//   def, shape  NULL: only reads, whoever owns it
qiao_store *qiao_store_open(const char *path, const qiao_sweep_def *def, const qiao_table *shape,
                            qiao_diag *d);
void qiao_store_free(qiao_store *s);
const qiao_parts *qiao_store_parts(const qiao_store *s);
const qiao_table *qiao_store_shape(const qiao_store *s); // a table of no trials
uint64_t qiao_store_count(const qiao_store *s);          // rows in it
// The lowest trials from..below-1 that have no row; count returned, at most cap written.
int qiao_store_todo(qiao_store *s, uint64_t from, uint64_t below, int cap, uint64_t *trial);
// All n rows or none, on the disk when it returns. A trial that is there already must be equal bit
// for bit, and is not added again; E_FIT names the one that differs. E_IO: disk full and its kin;
// what was added before stays.
//   u  [n][nparam] chosen places of the trials, NULL: drawn
qiao_err qiao_store_add(qiao_store *s, int n, const qiao_row *row, const double *u, qiao_diag *d);
// Rows in the order of their trials, trials from..below-1; row and u (NULL: drawn) hold during the
// call; false ends it. Memory does not grow with the number of rows.
typedef bool (*qiao_store_fn)(void *ctx, const qiao_row *row, const double *u);
qiao_err qiao_store_each(qiao_store *s, uint64_t from, uint64_t below, qiao_store_fn fn, void *ctx,
                         qiao_diag *d);
// The same rows as a table in a's memory.
qiao_err qiao_store_table(qiao_store *s, uint64_t from, uint64_t below, qiao_arena *a,
                          qiao_table *t, qiao_diag *d);
// Runs and adds what is missing of trials from..below-1, chunk by chunk (chunk 0: 512).
qiao_err qiao_store_fill(qiao_store *s, qiao_sweep *sweep, uint64_t from, uint64_t below, int chunk,
                         qiao_diag *d);

// ---- past one process: workers that fill a store through a shared folder ----

typedef struct qiao_crew_def {
    const char *dir;                      // shared by all machines; made if absent
    const char *scenario, *robot, *brain; // as a user names them: what workers open
    const qiao_sweep_def *sweep;          // the same, opened; nthread is each worker's
    const char *program;                  // runs "sweep-worker DIR"; NULL: this program
    int nworker;                          // processes here, or nodes' worth of Slurm tasks
    bool slurm;
    const char *partition; // of Slurm; NULL: its default
    double chunk_s,
        lease_s; // wanted length of a chunk (20); silence after which it is given again (30)
    bool (*progress)(void *ctx, uint64_t ndone, int nworker); // about every 0.2 s; false: end
    void *ctx;
} qiao_crew_def;
qiao_crew_def qiao_crew_def_default(void);
typedef struct qiao_crew qiao_crew;
qiao_crew *qiao_crew_new(const qiao_crew_def *def, qiao_store *s, qiao_diag *d);
void qiao_crew_free(qiao_crew *c); // ends its workers
// As qiao_store_fill. E_TIMEOUT: interrupted. A worker's, node's or controller's death costs time
// only; after the coordinator's own, a new crew on the same folder and store goes on.
qiao_err qiao_crew_fill(qiao_crew *c, uint64_t from, uint64_t below, qiao_diag *d);
// The program calls it when argv[1] is "sweep-worker"; returns the exit status.
int qiao_crew_worker_main(int argc, char **argv);

// ---- results that a stranger checks ----

// All rows and parts of a store as one file: the same sweep gives the same bytes.
//   key  file of a secret key to sign with, NULL: not signed
qiao_err qiao_bundle_write(const char *path, qiao_store *s, const qiao_scenario *scenario,
                           const char *key, qiao_diag *d);
// A new pair of Ed25519 keys: path (secret, mode 600) and path.pub. Never overwrites.
qiao_err qiao_keys_new(const char *path, qiao_diag *d);

typedef struct qiao_verify_def {
    const char *path;                              // of the bundle
    const char *scenario, *robot, *brain, *engine; // NULL: by the bundle's names
    const char *key;                               // public key it must be signed with, NULL: any
    int64_t sample;                                // trials to run again, drawn by hash; < 0: all
    int nthread;
    bool chinese;
    bool (*progress)(void *ctx, uint64_t ndone, uint64_t nall);
    void *ctx;
} qiao_verify_def;
typedef struct qiao_verify_out {
    qiao_parts parts;                    // as the bundle says
    uint64_t nrow, npassed, nrun, nsame; // rows; run again; of them equal bit for bit
    uint8_t root[QIAO_HASH_BYTES];       // of the whole bundle
    bool is_signed, key_known;
    char signer[65]; // public key in hex, "" if not signed
    int nfault;      // things that are not as they should be
    char text[4000]; // what was checked and found, in words, a line each
} qiao_verify_out;
qiao_verify_def qiao_verify_def_default(void);
// OK: the file could be judged, out->nfault says how. Else: it is no bundle, or a part is not here.
qiao_err qiao_verify_run(const qiao_verify_def *def, qiao_verify_out *out, qiao_diag *d);

// ---- the doctor: what is wrong with a trained policy's manifest, before it hurts ----

typedef enum qiao_grade { QIAO_GRADE_NOTE, QIAO_GRADE_WARNING, QIAO_GRADE_ERROR } qiao_grade;
typedef struct qiao_finding { // texts: English, Chinese
    qiao_grade grade;
    const char *cause; // "joint_order", "default_pose", "gains", "scale", ...; docs/doctor.md
    double sure;       // 0..1
    char what[2][300], evidence[2][500], fix[2][600];
} qiao_finding;
typedef struct qiao_doctor_def {
    const char *brain; // of a policy: name, folder or file
    const qiao_robot *robot;
    bool still; // no short trials: only what the numbers and the network say
} qiao_doctor_def;
// Findings, worst first, at most cap; count returned. A negative qiao_err and d: there is nothing
// to examine. Takes up to 20 s with trials; the same findings each time.
int qiao_doctor_run(const qiao_doctor_def *def, qiao_finding *f, int cap, qiao_diag *d);

#pragma GCC visibility pop
#endif
