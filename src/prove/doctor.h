// SPDX-License-Identifier: Apache-2.0
// doctor.h - what looks for faults in a manifest: by its numbers, by asking the network, and by
// short trials with one fact changed. Inside room prove only.
#ifndef QI_DOCTOR_H
#define QI_DOCTOR_H

#include "brain/policy.h"
#include "qiao/prove.h"

// ---- copies with one fact changed ----

// A whole copy, in an arena of its own; all its arrays may be written. NULL: out of memory.
qi_manifest *qi_doctor_clone(const qi_manifest *m);
// A policy of the copy m that shares the networks of p. It is not closed, m is freed.
qi_policy qi_doctor_policy(const qi_policy *p, qi_manifest *m);

// ---- short trials ----

typedef struct qi_walk { // how one went
    double score;        // 0..1
    double time, fell;   // s simulated; until it fell or dropped what it held, time if it did not
    double ahead[2], turn[2]; // asked and got: m/s, rad/s
    double shake;             // rad that targets change between decisions, mean
    double push;              // mean share of the torque limit asked for, at most 1 a joint
    double lean;              // rad, mean tilt from the rest pose
    bool broke;               // not a number, or the policy does not fit the body
} qi_walk;

typedef struct qi_bench qi_bench; // a robot on a flat floor, or a hand with a cube
// NULL and d: no short trial for this kind of robot, or a fault.
qi_bench *qi_bench_new(const qiao_robot *r, qiao_diag *d);
void qi_bench_free(qi_bench *b);
const qiao_io *qi_bench_io(qi_bench *b, double period, qiao_diag *d); // of this time between steps
// seconds of trial: a third standing, a third ahead, a third turning (hand: the cube all the time).
// ok false in d: nothing could be run.
qi_walk qi_bench_run(qi_bench *b, const qi_policy *p, double seconds, const double ask[2]);
const qiao_robot *qi_bench_robot(const qi_bench *b);

// ---- repairs: what else the manifest may have meant ----

typedef enum qi_fact { // the ten facts, and what is none of them
    QI_FACT_JOINT_ORDER,
    QI_FACT_DEFAULT_POSE,
    QI_FACT_GAINS,
    QI_FACT_SCALE,
    QI_FACT_HISTORY,
    QI_FACT_CLOCK,
    QI_FACT_SIGN,
    QI_FACT_FRAME,
    QI_FACT_RATE,
    QI_FACT_ACTION,
    QI_FACT_PRIVILEGED,
    QI_FACT_OUTPUT,
    QI_FACT_TORQUE,
    QI_FACT_STABILITY,
    QI_FACT_BEHAVIOUR,
    QI_FACT_FILE,
    QI_FACT_COUNT
} qi_fact;
const char *qi_fact_name(qi_fact f); // "joint_order"

enum { QI_REPAIR_MOST = 700, QI_REPAIR_TEXT = 220 };
typedef struct qi_repair {
    qi_fact fact;
    int kind, group, a, b, c; // group: repairs that are told apart together
    double x;
    bool whole;                                  // of a permutation: all that has names follows
    int perm[QI_MAN_JOINTS];                     // kind permutation: new i is old perm[i]
    char en[QI_REPAIR_TEXT], zh[QI_REPAIR_TEXT]; // what is changed
} qi_repair;

// Everything that is worth trying for this manifest on this robot; count returned.
int qi_repair_list(const qi_manifest *m, const qiao_robot *r, qi_repair *list, int cap);
// Changes m, which is a copy of the one the list was made for. false: it does not fit.
bool qi_repair_apply(qi_manifest *m, const qiao_robot *r, const qi_repair *p);

// ---- search ----

enum { QI_FOUND_MOST = 6 };
typedef struct qi_found {
    qi_walk as_is;
    int n, tried, skipped;     // of best; repairs tried and left out for want of time
    int repair[QI_FOUND_MOST]; // of the list, best first
    qi_walk walk[QI_FOUND_MOST];
    double ask[2];
} qi_found;
// Runs the policy as it is, and, if that could be better, with each repair: all for a short time,
// the best of them for the whole one, on nb benches side by side. The result does not depend on nb.
// budget: seconds of short trials, about.
enum { QI_BENCH_MOST = 4 };
void qi_doctor_search(qi_bench *const *b, int nb, const qi_policy *p, const qi_repair *list, int n,
                      double budget, qi_found *out);

// ---- findings ----

typedef struct qi_patient {
    const qiao_robot *r;
    const qi_policy *p;
    const qiao_io *io; // that the policy was bound to; NULL: none
    qi_found found;    // of the trials; as_is.time 0: none ran
    qiao_finding *f;
    int n, cap;
} qi_patient;

// Adds one; texts in English, then set in Chinese by the caller. Never NULL.
qiao_finding *qi_finding_add(qi_patient *d, qiao_grade g, qi_fact fact, double sure);
#define QI_SAY(to, ...) snprintf(to, sizeof(to), __VA_ARGS__)

void qi_doctor_static(qi_patient *d); // by the manifest's and the robot's numbers
void qi_doctor_probe(qi_patient *d);  // by asking the network

#endif
