// SPDX-License-Identifier: Apache-2.0
// qiao/learn.h - training: a recipe (train.yaml) and a brain's manifest in, a trained network out.
// The brain is seen and moved by the same code that runs it later; docs/learn.md has the recipe.
// memory   _new allocates all; an iteration allocates only where worlds get new numbers (vary)
// threads  one caller; the work is shared by nthread threads; the bits do not depend on nthread
#ifndef QIAO_LEARN_H
#define QIAO_LEARN_H

#include "qiao/brain.h"

#pragma GCC visibility push(default) // libqiao.so exports what is public

typedef struct qiao_train qiao_train;

typedef struct qiao_train_def {
    const char *recipe; // path of train.yaml
    uint64_t seed;      // 0: the recipe's
    int nthread;        // 0: all
    double steps;       // of worlds, after which it is over; 0: the recipe's
} qiao_train_def;
qiao_train_def qiao_train_def_default(void);

enum { QIAO_TRAIN_TERMS = 64 };
typedef struct qiao_train_stats { // of one iteration: worlds live a while, then are learned from
    uint64_t iteration;
    double steps, steps_all; // of worlds: so far, in all
    double reward;           // mean of a step
    double episode, length;  // mean return and s of the episodes that ended; NAN: none
    double ended;            // share of them that ended before their time
    double episodes;         // how many they were
    int checkpoint; // iterations between two; after each only short episodes end for a while
    double speed_error, turn_error; // m/s, rad/s: mean distance from what was asked
    double goals, goal_error;       // reached a minute; rad or m: mean distance from the goal
    double share;                   // of the curriculum
    double ground;                  // mean level of the grounds, 1: the hardest; 0: there are none
    double policy, value, entropy, symmetry; // losses
    double kl, rate, std, grad, explained;
    double live_s, learn_s; // what living and learning took
    int nterm;
    const char *term_name[QIAO_TRAIN_TERMS]; // of the reward
    double term[QIAO_TRAIN_TERMS];           // mean share of a step
} qiao_train_stats;

// NULL and d filled if recipe, brain, robot and scenario do not fit each other.
qiao_train *qiao_train_new(const qiao_train_def *def, qiao_diag *d);
void qiao_train_free(qiao_train *t);
void qiao_train_step(qiao_train *t, qiao_train_stats *s); // one iteration
uint64_t qiao_train_iteration(const qiao_train *t);
bool qiao_train_over(const qiao_train *t);
// True where a checkpoint may be taken: all worlds begin anew at the next iteration, so that one
// that goes on from it has the bits of one that never stopped.
bool qiao_train_at_checkpoint(const qiao_train *t);
qiao_err qiao_train_save(const qiao_train *t, const char *path, qiao_diag *d);
// E_FORMAT: broken, or of another recipe, brain or robot; d says which.
qiao_err qiao_train_load(qiao_train *t, const char *path, qiao_diag *d);
// Writes policy.onnx into dir, where the manifest expects it beside itself.
qiao_err qiao_train_export(const qiao_train *t, const char *dir, qiao_diag *d);
const char *qiao_train_robot(const qiao_train *t); // as the recipe names it
const char *qiao_train_robot_name(const qiao_train *t);
const char *qiao_train_brain(const qiao_train *t); // path of the manifest
const char *qiao_train_scenario(const qiao_train *t);

// Base and joints of a record's robot over time as a table that a recipe's `motion` reads, rate_hz
// rows a second; from, to: s of the record, to < 0: to its end.
qiao_err qiao_motion_csv(const char *record, const char *csv, double from, double to,
                         double rate_hz, qiao_diag *d);

// ---- identification: which numbers of a robot explain what was measured ----

// A robot whose drives followed commands while its encoders were read, from rest.
//   q, qd  [n][njoint] as its signals joint_pos and joint_vel said, one row a control step; NAN: not
//          measured
//   cmd    q, qd, kp, kd, tau [n][nu] each: the commands that followed each row
//   path   as q, qd, out, NULL: not wanted. [0] what the numbers of the files give, [1] the fitted
typedef struct qiao_ident_def {
    const qiao_robot *robot;
    const qiao_model *world; // in which it moved
    double period;           // s between two rows
    int n;
    const double *q, *qd, *cmd[5];
    int nparam;
    const char *const *param; // of those of qiao_ident_name
    int nthread;              // 0: all
    double *path[2][2];       // [before, after][q, qd]
} qiao_ident_def;

enum { QIAO_IDENT_VALUES = 16, QIAO_IDENT_JOINTS = 64 };
typedef struct qiao_ident_value {
    const char *name, *unit; // "1": a factor of what model and robot say; "s", "kg": more than that
    double value, low, high; // best, and where it is with 95 % probability
    bool told;               // false: the data say nothing about it
    int like;                // which other it is taken for most easily, -1: none
    double alike;            // their correlation, -1..1; near 1 only both together are told
} qiao_ident_value;

typedef struct qiao_ident_result {
    int n; // parameters
    qiao_ident_value value[QIAO_IDENT_VALUES];
    double noise_q, noise_qd; // rms of what is left, rad or m, rad/s or m/s
    int iterations;
    int njoint; // of the encoders
    double rms[2][2]
              [QIAO_IDENT_JOINTS]; // [before, after][q, qd] of what each encoder says beyond it
} qiao_ident_result;

const char *qiao_ident_name(int i); // "damping", ...; NULL: there are no more
// Least squares over whole runs of engine lanes, the start and the encoders' offsets fitted with
// them. The interval comes from the noise that is left and from how much each number changes the
// motion; it is right as far as noise is independent and the model has no other fault.
// Errors: E_NAME; E_ARG: too little was measured; E_INFEASIBLE: the data tell none of the
// parameters, d says one.
// source  G. Seber and C. Wild, Nonlinear Regression (1989), sections 2.1 and 14.2
qiao_err qiao_identify(const qiao_ident_def *def, qiao_ident_result *out, qiao_diag *d);

// What a record of qiao run, or one of a real robot with the same topics, holds for it.
typedef struct qiao_ident_record {
    qiao_ident_def def;                    // robot, world, period, n, q, qd, cmd are set
    int njoint;                            // of the encoders
    const char *const *joint;              // [njoint]
    const char *unit[2];                   // of q and qd
    double seconds;                        // that are used
    const char *scenario, *brain, *engine; // as the record says, "" if it does not
    char note[400];                        // what is odd about it, "" if nothing
    void *own;
} qiao_ident_record;
// Reads at most so many seconds of it. E_FIT, d says why: the robot touches something, its base
// moves, commands or encoders are missing or come at odd times. Free it after any result.
qiao_err qiao_ident_read(const char *mcap, const qiao_robot *r, double seconds,
                         qiao_ident_record *out, qiao_diag *d);
void qiao_ident_record_free(qiao_ident_record *rec);

#pragma GCC visibility pop
#endif
