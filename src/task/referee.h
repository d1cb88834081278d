// SPDX-License-Identifier: Apache-2.0
// referee.h - the state of one running trial. Everything is allocated by qiao_referee_new.
#ifndef QI_TASK_REFEREE_H
#define QI_TASK_REFEREE_H

#include "actions.h"
#include "case.h"

typedef struct qi_step { // a node of the do tree
    const qi_node *n;
    int child, next; // first child, next sibling; -1
    int at;          // running child of a serial or one_of
    uint8_t state;   // 0 not started, 1 running, 2 over
    double duration; // s, < 0: none
    qi_act act;
    int64_t seen; // on: tick of the event it answered last
} qi_step;

typedef struct qi_term { // a line of score: or envelope:
    char kind;           // c, p, e
    const char *name, *unit;
    const qi_node *expr;
    double weight, factor; // factor: of the unit
    double min, max;       // e: bounds, NAN: none
    bool each, ends, is_bool;
    // while the trial runs
    double value;
    int count;
    bool was, broken;
} qi_term;

enum { QI_EVENT_RING = 256 };

struct qiao_referee {
    qiao_arena *a;
    const qiao_case *c;
    qi_inst *in;
    const qiao_model *world;
    qiao_part part;
    uint8_t *is_robot, *is_foot, *is_static; // [nbody]
    int base;                                // body of the robot's base
    int command;                             // signal index, -1
    double cmd[3], cmd_last[3];              // wanted now; as sent last

    qi_step *step;
    int nstep, root, *on, non;
    double *edge;   // last value under each rise and fall
    int64_t *fired; // [fields of the scenario] tick in which each event was emitted last
    qi_term *term;
    int nterm;
    double pass_at;

    const qiao_truth *t; // of this tick
    qiao_sim *sim;
    int w;
    int64_t tick;
    double now;
    double error_sum, error_time; // velocity error: integral, seconds
    double base_down_since;
    qiao_score score;
    qiao_event ring[QI_EVENT_RING];
    int64_t put, got;
};

void qi_referee_event(qiao_referee *f, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
qi_env qi_referee_env(qiao_referee *f);
// Builds the flat program from the do tree; false: d is filled.
bool qi_program_build(qiao_referee *f, qiao_diag *d);
void qi_program_reset(qiao_referee *f);
bool qi_program_step(qiao_referee *f); // true: do is over
bool qi_terms_build(qiao_referee *f, qiao_diag *d);
void qi_terms_reset(qiao_referee *f);
void qi_terms_step(qiao_referee *f); // sets verdict FAILED if a bound that ends the trial breaks
void qi_terms_close(qiao_referee *f, const char *why); // verdict by what was reached
void qi_track_step(qiao_referee *f); // what measures remember: rest, progress, velocity error
void qi_track_reset(qiao_referee *f);
double qi_yaw_of(const double quat[4]);

#endif
