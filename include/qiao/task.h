// SPDX-License-Identifier: Apache-2.0
// qiao/task.h - scenarios: what happens, what counts. A subset of ASAM OpenSCENARIO DSL 2.1.
// A scenario file is abstract (ranges); a case is concrete (values); a referee judges one trial.
#ifndef QIAO_TASK_H
#define QIAO_TASK_H

#include "qiao/model.h"
#include "qiao/sim.h"

#pragma GCC visibility push(default) // libqiao.so exports what is public

typedef struct qiao_scenario qiao_scenario; // a checked file
typedef struct qiao_case qiao_case;         // one concrete draw of it, bound to a robot
typedef struct qiao_referee qiao_referee;   // judge of one running trial

// By name ("parcel_route": scenarios/ under the data folder) or by path of an .osc file.
qiao_scenario *qiao_scenario_load(const char *name_or_path, qiao_diag *d);
void qiao_scenario_free(qiao_scenario *s);
const char *qiao_scenario_name(const qiao_scenario *s);
const char *qiao_scenario_title(const qiao_scenario *s, bool chinese); // one line for people
void qiao_scenario_digest(const qiao_scenario *s, uint8_t hash[QIAO_HASH_BYTES]);
int qiao_scenario_list(qiao_arena *a, const char **names, int cap);

// Declared ranges, for people, sampling and statistics.
typedef struct qiao_param {
    const char *name; // "friction", "push_1.force"
    const char *unit;
    double lo, hi; // equal: fixed; of the unit above
} qiao_param;
int qiao_scenario_params(const qiao_scenario *s, const qiao_param **p);

// Draws concrete values by (seed, trial), binds the robot to the scenario's robot role, checks the
// odd. A concrete file has nothing to draw: any seed gives the same case. E_FIT: the robot or a
// value lies outside the odd, d says which.
qiao_case *qiao_case_new(const qiao_scenario *s, const qiao_robot *r, uint64_t seed, uint64_t trial,
                         qiao_diag *d);
// The same with chosen places: u [nparam] says where in its declared range each parameter lies, 0..1
// (a choice: which entry); NAN: drawn by (seed, trial) as above. A place that a rule of the scenario
// forbids is E_FIT, d says which rule. u NULL: all drawn.
qiao_case *qiao_case_new_at(const qiao_scenario *s, const qiao_robot *r, uint64_t seed,
                            uint64_t trial, const double *u, qiao_diag *d);
void qiao_case_free(qiao_case *c);
const char *qiao_case_text(const qiao_case *c);        // the concrete .osc, loads and replays alone
double qiao_case_value(const qiao_case *c, int param); // in the param's unit
const char *qiao_case_scene(const qiao_case *c);       // MJCF of the scene without the robot
void qiao_case_place(const qiao_case *c, double pos[3], double *yaw); // of the robot's base
int qiao_case_grants(const qiao_case *c, const qiao_sensor **grant);  // signals beyond the robot's
int qiao_case_facts(const qiao_case *c, const char *const **name, const char *const **text);
double qiao_case_time_limit(const qiao_case *c); // s
// Numbers of the robot that the scenario draws (an actor that inherits varied_robot); false: none,
// and *v is the default. Give them to the sim before the reset.
bool qiao_case_vary(const qiao_case *c, qiao_vary *v);

typedef enum qiao_verdict { QIAO_RUNNING, QIAO_PASSED, QIAO_FAILED } qiao_verdict;

enum { QIAO_SCORE_MAX = 32 };
typedef struct qiao_measure {
    const char *name, *unit;
    double value, limit; // limit NAN: not bounded
    double weight;       // completion: its share; penalty: its factor; else NAN
    char kind;           // 'c' completion, 'p' penalty, 'e' envelope
    bool broken;         // an envelope bound was passed, or a penalty was given
} qiao_measure;
typedef struct qiao_score {
    qiao_verdict verdict;
    double total;      // 0..1: completion times penalties
    double completion; // 0..1
    double time;       // s of the trial
    char reason[160];  // first cause of failure by name: "tilt 71 deg > 60 deg"; "" if passed
    int nmeasure;
    qiao_measure measure[QIAO_SCORE_MAX];
} qiao_score;

typedef struct qiao_event { // what happened, for record and page
    int64_t t_ns;
    char name[48], text[112];
} qiao_event;

// The referee works on the world model and signals of the trial; it allocates in _new only.
qiao_referee *qiao_referee_new(const qiao_case *c, const qiao_model *world, const qiao_io *io,
                               qiao_diag *d);
void qiao_referee_free(qiao_referee *f);
void qiao_referee_reset(qiao_referee *f);
// One tick (every QIAO_TICK_NS): reads the truth, moves the scenario on, sets pushes and command
// signals of world w on s. Returns RUNNING until the trial is over.
enum { QIAO_TICK_NS = 10000000 };
qiao_verdict qiao_referee_step(qiao_referee *f, const qiao_truth *t, qiao_sim *s, int w);
// The brain or the machine failed: the trial ends with that reason.
void qiao_referee_abort(qiao_referee *f, qiao_err e, const char *reason);
const qiao_score *qiao_referee_score(qiao_referee *f);
// Events since the last call; at most cap, count returned.
int qiao_referee_events(qiao_referee *f, qiao_event *ev, int cap);

#pragma GCC visibility pop
#endif
