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
    double weight, factor;          // factor: of the unit
    double min, max;                // e: bounds, NAN: none
    bool each, ends, is_bool, note; // note: reported, not scored
    // while the trial runs
    double value;
    int count;
    bool was, broken;
} qi_term;

enum { QI_EVENT_RING = 256 };

// How a velocity command is followed: forward, left, turn, seen from the robot's heading.
typedef struct qi_track {
    double error_sum, error_time; // distance between wanted and real level velocity; s
    double since, seg_time;       // the command is the same since; s counted of it
    double seg[3];                // integral of the velocity over them
    double got[3], got_time;      // the same over all settled time of commands other than 0
    double off[3], off_time;      // integral of |mean - command| of settled pieces; s
} qi_track;

// The orientation that a thing shall have, one after another.
typedef struct qi_goal {
    const qi_obj *thing, *marker; // NULL: nothing is asked for
    double quat[4], tolerance;    // rad
    double place[3];              // m, that a thing shall be brought to
    int reached, missed, drawn;
    double since; // s of the present one
} qi_goal;

struct qiao_referee {
    qiao_arena *a;
    const qiao_case *c;
    qi_inst *in;
    const qiao_model *world;
    qiao_part part;
    uint8_t *is_robot, *is_foot, *is_static; // [nbody]
    int base;                                // body of the robot's base
    int command, orientation, position;      // signal indices, -1
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
    int64_t tick, t_ns;
    double now;
    double dt; // s since the last tick
    qi_track track;
    qi_goal goal;
    double *q, *qd; // [nq] [nv] a state that is to be set
    bool moved;     // it is
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
void qi_track_change(qiao_referee *f); // before the velocity command changes
double qi_yaw_of(const double quat[4]);
// Angle between the thing and the wanted orientation; 0 if none is.
double qi_goal_error(const qiao_referee *f);
bool qi_orient(qiao_referee *f, qi_act *a, qi_phase phase);   // operator.orient
bool qi_bring(qiao_referee *f, qi_act *a, qi_phase phase);    // operator.bring
bool qi_put_back(qiao_referee *f, qi_act *a, qi_phase phase); // environment.put_back
void qi_goal_send(qiao_referee *f); // the signals command_orientation and command_position

#endif
