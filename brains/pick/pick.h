// SPDX-License-Identifier: Apache-2.0
// pick.h - the parts of brain `pick`: what it sees, how it grasps, what it does next.
//   frame  all positions in the robot's base frame, z up; the tool points down
//   turn   of the tool about z: tool x = (cos, sin, 0), the hand opens along (sin, -cos, 0)
#ifndef PICK_H
#define PICK_H

#include "ctl/vec.h"
#include "qiao/brain.h"
#include "qiao/ctl.h"

enum { THING_MAX = 32, BOX_MAX = 16 };

// A parallel hand's measures about the tool point, m.
#define TIP          0.012  // fingertips below the tool point
#define FINGER_X     0.0105 // half a finger across the opening
#define FINGER_Y     0.009  // half a finger along the opening
#define PALM         0.036  // palm above the tool point
#define PALM_X       0.03   // half the palm across the opening
#define PALM_Y       0.107  // and along it
#define REST_SAMPLES 6      // poses of a thing that lies still, to be believed
#define MOVED        0.012  // m; further from the mean: it has moved

typedef enum shape { BOX, CYLINDER, BALL } shape;

typedef struct thing { // an object to be sorted
    shape shape;
    double size[3], mass;
    int into; // box, -1: none
    int elem; // in signal object_pose
    double pos[3], quat[4];
    int seen, tries; // poses averaged since it last moved; times it was reached for
    int64_t stamp;
} thing;

typedef struct box { // a container: middle of its floor, inner size, height of its walls
    char name[48];
    double pos[3], size[3], yaw;
} box;

typedef struct outline {       // what of a thing or a wall stands in the way, seen from above
    double x, y, half[2], yaw; // half[1] < 0: a disc of radius half[0]
    double bottom, top;
} outline;

typedef struct grasp { // where the tool goes, how far the hand opens before
    int thing;
    double at[4]; // x, y, z, turn
    double width, open, score;
    double below; // from the tool point down to the thing's lowest point
} grasp;

typedef enum phase { LOOK, CHOOSE, ABOVE, DESCEND, CLOSE, CARRY, OPEN, RETREAT, HOME } phase;

typedef struct mind { // of one world
    thing thing[THING_MAX];
    box box[BOX_MAX];
    int nthing, nbox;
    double base[3], base_yaw; // of the robot in the world
    phase phase;
    double since; // s in this phase
    qiao_ctl_path path;
    double clock, x[4], v[4]; // along the path; where the tool should be now
    double q[QIAO_CTL_ARM_N], qd[QIAO_CTL_ARM_N], tau[QIAO_CTL_ARM_N];
    double grip, grip_goal, grip_rate; // m, m, m/s: commanded opening
    double opening, off;               // m: as the fingers say; how far the tool is off its way
    grasp g;
    double load; // kg in the hand
    bool started;
} mind;

typedef struct pick { // shared by all worlds
    const qiao_io *io;
    int n;
    qiao_ctl_arm *arm;
    const qiao_ctl_chain *chain;
    double kp[QIAO_CTL_ARM_N], kd[QIAO_CTL_ARM_N];
    double rest_x[4], turn0; // tool at rest; its turn less its azimuth there
    double open_max;
    int act[QIAO_CTL_ARM_N], act_grip;    // in a command row
    int adr_q[QIAO_CTL_ARM_N];            // in an observation row
    int adr_finger[4], nfinger, sig_pose; // sig_pose: index of signal object_pose
    mind mind[];
} pick;

// see.c
qiao_err see_facts(const pick *b, int world, mind *m, qiao_diag *d);
void see(const pick *b, mind *m, const qiao_obs *obs, int row);
bool see_ready(const mind *m); // every thing's pose is known
outline see_outline(const thing *t);
bool see_inside(const thing *t, const box *c); // its middle lies between the walls
double see_top(const mind *m);                 // of all things and walls
double wrap(double angle);                     // to -pi..pi

// grasp.c
// The best way to take a thing: highest score of all ways; -1 and lower: no way.
grasp grasp_thing(const pick *b, const mind *m, int thing);
// The best place in its box: at = where the tool lets go. Returns its score.
double grasp_place(const pick *b, const mind *m, double at[4]);
double grasp_neutral(const pick *b, double x, double y); // turn that the wrist likes best there

// work.c
void work_start(const pick *b, mind *m);
void work(const pick *b, mind *m, double dt);

#endif
