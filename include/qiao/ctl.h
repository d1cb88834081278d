// SPDX-License-Identifier: Apache-2.0
// qiao/ctl.h - control: quadratic programs, legs that walk, arms that reach.
// units    SI
// memory   given by the caller, once; no step here allocates, locks, prints or reads a clock
// threads  const things are shared; one state for each thread
#ifndef QIAO_CTL_H
#define QIAO_CTL_H

#include "qiao/model.h"

// ---- quadratic programs (qp.c) ----

enum { QIAO_CTL_QP_N = 24, QIAO_CTL_QP_M = 96 }; // most variables, most constraints

// min 1/2 x'Hx + g'x  subject to  A x = b in the first neq rows, A x >= b in the others.
// H is symmetric positive definite; its lower triangle is read.
typedef struct qiao_ctl_qp {
    int n, m, neq;
    const double *H, *g; // [n][n], [n]
    const double *A, *b; // [m][n], [m]
} qiao_ctl_qp;

// Solves p to rounding, in at most 20 (n + m) + 20 active-set changes.
//   mem   qiao_ctl_qp_size() bytes
//   x     [n] out
//   y     [m] out multipliers (NULL: not wanted): H x + g = A'y, y >= 0 on inequalities
//   iter  out, active-set changes (NULL: not wanted)
// E_INFEASIBLE, E_LIMIT: no x satisfies the constraints, or none was found; x is the last iterate.
// E_NAN: H is not positive definite or a number is not finite; x is 0. E_ARG: sizes;
// nothing is written.
// source: D. Goldfarb, A. Idnani (1983), see qp.c
size_t qiao_ctl_qp_size(void);
qiao_err qiao_ctl_qp_solve(const qiao_ctl_qp *p, void *mem, double *x, double *y, int *iter);

// ---- legs (leg.c): chains of three hinges from a base to a foot ----

// One joint of a leg and all that moves with it, fixed numbers.
typedef struct qiao_ctl_link {
    double pos[3], rot[9]; // frame of this joint in the frame of the joint (or base) before it
    double axis[3];        // unit, in this frame, through its origin
    double mass, com[3];   // of everything the joint carries before the next joint
    double inertia[9];     // about com, this frame's axes
    double range[2];       // rad; both 0: unlimited
    double armature, damping, friction;
    double torque_max; // N*m, 0: unlimited
    int joint, act;    // in the robot's model
} qiao_ctl_link;
typedef struct qiao_ctl_leg {
    qiao_ctl_link link[3];
    double foot[3]; // centre of the foot's ball in the last link's frame
    double radius;  // of the ball, 0: a point
} qiao_ctl_leg;

// Reads the leg that ends at a foot site. E_FIT: it is not a chain of three driven hinges.
qiao_err qiao_ctl_leg_load(const qiao_robot *r, int foot_site, qiao_ctl_leg *leg, qiao_diag *d);

// Where everything of a leg is, base frame.
typedef struct qiao_ctl_leg_pose {
    double foot[3];              // centre of the ball
    double J[9];                 // its velocity in the base frame = J qd
    double at[3][3], axis[3][3]; // of the joints
    double com[3][3], rot[3][9]; // of the links
} qiao_ctl_leg_pose;
void qiao_ctl_leg_forward(const qiao_ctl_leg *leg, const double q[3], qiao_ctl_leg_pose *pose);
// Joint angles that put the foot at foot[3] (base frame), found from q by damped Newton steps
// within the joints' ranges; the nearest that 20 steps find if it is out of reach. Returns the
// distance left, m. source: Nakamura, Hanafusa, Inverse kinematic solutions with singularity
// robustness (1986)
double qiao_ctl_leg_inverse(const qiao_ctl_leg *leg, const double foot[3], double q[3]);
// Joint torques that carry the links' weight, g_b = gravity in the base frame, and the joint-space
// inertia M [3][3] (armature included; NULL: not wanted).
void qiao_ctl_leg_dynamics(const qiao_ctl_leg *leg, const qiao_ctl_leg_pose *pose,
                           const double g_b[3], double tau[3], double M[9]);

// ---- walking on four legs (legs_*.c) ----

// A body with four such legs, and what walking it needs to know; const after _load.
typedef struct qiao_ctl_quad qiao_ctl_quad;
size_t qiao_ctl_quad_size(void);
qiao_err qiao_ctl_quad_load(const qiao_robot *r, void *mem, qiao_diag *d);
const qiao_ctl_leg *qiao_ctl_quad_leg(const qiao_ctl_quad *b, int leg); // order of r->foot_site

// Ground heights as a height_scan signal brings them.
typedef struct qiao_ctl_scan {
    int n[2];               // points along x, y of the yaw-aligned base frame
    double step, center[2]; // m
    double t;               // s, when it was sampled
    const double *z;        // [n[0]][n[1]] less the base's height; NULL: none
} qiao_ctl_scan;

typedef struct qiao_ctl_walk_in { // what the sensors say now
    double t, dt;                 // s since the start, since the step before
    double q[4][3], qd[4][3];     // joints, leg by leg
    double quat[4], gyro[3], acc[3];
    double contact[4]; // > 0.5: the foot touches
    double command[3]; // m/s forward, left; rad/s, base yaw frame
    qiao_ctl_scan scan;
} qiao_ctl_walk_in;
typedef struct qiao_ctl_walk_out { // to the drives, leg by leg
    double q[4][3], qd[4][3], kp[4][3], kd[4][3], tau[4][3];
} qiao_ctl_walk_out;

// One walking robot: state estimate, ground map, gait, forces.
typedef struct qiao_ctl_walk qiao_ctl_walk;
size_t qiao_ctl_walk_size(void);
void qiao_ctl_walk_init(qiao_ctl_walk *w, const qiao_ctl_quad *body); // also: start afresh
void qiao_ctl_walk_step(qiao_ctl_walk *w, const qiao_ctl_walk_in *in, qiao_ctl_walk_out *out);
// What it believes: position m (from its start), quaternion, velocity m/s in world axes.
void qiao_ctl_walk_state(const qiao_ctl_walk *w, double pos[3], double quat[4], double vel[3]);

#endif
