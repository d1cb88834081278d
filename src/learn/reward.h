// SPDX-License-Identifier: Apache-2.0
// reward.h - what a step of one world is worth, from true signals.
#ifndef QI_LEARN_REWARD_H
#define QI_LEARN_REWARD_H

#include "learn/recipe.h"

enum { QI_FEET_MAX = 8, QI_JOINTS_MAX = 64 };

typedef struct qi_target {  // where a motion to follow is at a step
    double pose[7];         // base: position in the world, w x y z
    double vel[3], gyro[3]; // base frame
    double q[QI_JOINTS_MAX], qd[QI_JOINTS_MAX];
    double foot[QI_FEET_MAX][3]; // seen from the base
} qi_target;

typedef struct qi_look { // at one world after a step; all true, none as sensors say it
    int njoint, nact, nfoot;
    double dt;
    const double *pose, *vel, *gyro; // base: position and w x y z; m/s and rad/s, base frame
    const double *q, *qd, *tau;      // [njoint] as the policy orders them; tau [njoint]
    const double *rest, *low, *high; // [njoint] default pose, range (equal: none)
    const double *contact;           // [nfoot]
    double foot[QI_FEET_MAX][3];     // of the feet, world
    double phase[QI_FEET_MAX];       // 0..1 of the brain's clock for each foot, -1: it has none
    double ground;                   // height under the base
    double floor[QI_FEET_MAX];       // height under each foot
    const double *command;           // [3]
    const float *a0, *a1, *a2;       // [nact] this action, the last, the one before
    const qi_target *target;         // NULL: there is no motion to follow
    bool ended;
    // of the object: place and w x y z; m/s, rad/s, world; rad or m from the goal, NAN: there is none
    const double *object;
    double object_vel[3], object_spin[3], off, tolerance;
    double hand[3], tip[QI_TIPS_MAX][3]; // sites, world
    int ntip;
    bool reached;
} qi_look;

typedef struct qi_past { // of one world, from step to step
    double qd[QI_JOINTS_MAX], foot[QI_FEET_MAX][3], air[QI_FEET_MAX];
    double object[7], off; // off NAN: the goal is new
    bool fresh;            // nothing was yet
} qi_past;

// A term of feet and clock: gait, swing, feet_apart.
double qi_reward_gait(const qi_look *o, const qi_reward *w);

// Square of what a term of a motion is off, in widths.
double qi_reward_off_motion(const qi_look *o, const qi_reward *w);

// Worth of the step; part [nreward] gets each term's share. Moves past on.
double qi_reward_step(const qi_recipe *r, const qi_look *o, qi_past *past, double *part);

// e^x with the same bits on every machine.
double qi_reward_exp(double x);

// ---- reward_object.c ----
double qi_reward_object(const qi_look *o, const qi_past *past, const qi_reward *w);
// Speeds of the object from where it was a step ago; none while past is fresh.
void qi_reward_object_speeds(qi_look *o, const qi_past *past);
// What a term needs that not every robot has, in words; NULL: nothing.
typedef struct qi_has {
    bool base, feet, command, object, tips, orientation, place;
} qi_has;
const char *qi_reward_lacks(qi_reward_kind kind, const qi_has *has);

#endif
