// SPDX-License-Identifier: Apache-2.0
// qiao/ctl.h - control: quadratic programs, legs that walk, arms that reach.
// units    SI
// memory   given by the caller, once; no step here allocates, locks, prints or reads a clock
// threads  const things are shared; one state for each thread
#ifndef QIAO_CTL_H
#define QIAO_CTL_H

#include "qiao/model.h"

#pragma GCC visibility push(default) // libqiao.so exports what is public

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

// ---- minimum jerk (arm_path.c) ----

// The straight reach of least jerk from 0 to 1 in time T, at t (before 0: 0, after T: 1).
//   s  [3] out: position, velocity 1/s, acceleration 1/s2; they peak at 1.875/T and 5.7735/T2
// source: T. Flash, N. Hogan, The coordination of arm movements (J. Neuroscience 1985), eq. 4
void qiao_ctl_min_jerk(double t, double T, double s[3]);

// A way through points of four coordinates (x, y, z, turn): one reach of least jerk for each leg,
// added up. A leg begins before the one ahead of it ends, so the hand passes its via points
// without stopping, cutting the corners a little.
// source: E. Henis, T. Flash, Mechanisms underlying the generation of averaged modified
// trajectories (Biological Cybernetics 1995): superposition
enum { QIAO_CTL_PATH_N = 8 }; // most legs
typedef struct qiao_ctl_path {
    int n;
    double from[4], drift[4];        // start; velocity there, braked to 0 in the first 0.2 s
    double step[QIAO_CTL_PATH_N][4]; // what each leg adds
    double start[QIAO_CTL_PATH_N], time[QIAO_CTL_PATH_N];
} qiao_ctl_path;
typedef struct qiao_ctl_pace { // how fast a leg may go
    double speed, accel;       // m/s, m/s2 along the line
    double turn;               // rad/s
} qiao_ctl_pace;
// From a point, and the velocity that the hand has there (NULL: it rests).
void qiao_ctl_path_begin(qiao_ctl_path *p, const double from[4], const double vel[4]);
// Adds a leg to a point; overlap 0..0.5: share of the leg's time by which it starts early.
// E_LIMIT: too many legs, the path is as before.
qiao_err qiao_ctl_path_add(qiao_ctl_path *p, const double to[4], const qiao_ctl_pace *pace,
                           double overlap);
double qiao_ctl_path_time(const qiao_ctl_path *p); // s, whole
void qiao_ctl_path_at(const qiao_ctl_path *p, double t, double x[4], double v[4]);

// ---- arms (arm.c): a chain of driven joints from a fixed base to the tool site ----

enum { QIAO_CTL_ARM_N = 10 }; // most joints

// Holds scratch: one for each thread. All poses are in the frame of the model's world, in which
// the robot's base stands as its own file says.
typedef struct qiao_ctl_arm qiao_ctl_arm;
size_t qiao_ctl_arm_size(const qiao_robot *r);
// E_FIT: no tool site, more than QIAO_CTL_ARM_N joints, or one that no drive moves.
qiao_err qiao_ctl_arm_init(const qiao_robot *r, void *mem, qiao_ctl_arm **arm, qiao_diag *d);

typedef struct qiao_ctl_chain { // from the base outwards
    int n;
    int joint[QIAO_CTL_ARM_N], act[QIAO_CTL_ARM_N]; // in the robot's model
    double range[QIAO_CTL_ARM_N][2], speed[QIAO_CTL_ARM_N], torque[QIAO_CTL_ARM_N];
    double rest[QIAO_CTL_ARM_N]; // pose that redundant joints lean to
} qiao_ctl_chain;
const qiao_ctl_chain *qiao_ctl_arm_chain(const qiao_ctl_arm *a);

typedef struct qiao_ctl_pose {
    double pos[3], rot[9]; // of the tool; rot turns tool vectors into world vectors
} qiao_ctl_pose;
// Pose of the tool, and its Jacobian J [6][n]: linear, then angular velocity (NULL: not wanted).
void qiao_ctl_arm_forward(qiao_ctl_arm *a, const double *q, qiao_ctl_pose *pose, double *J);

// Joint angles that put the tool at pose, from q on, within the joints' ranges; at most 32 starts
// of 60 damped steps (0.05 ms when reachable, 3 ms when not). Returns the distance left (m +
// 0.1 m/rad); q is the best that was found.
// source: C. Wampler (1986), Y. Nakamura and H. Hanafusa (1986): damped least squares; T. Sugihara,
// Solvability-unconcerned inverse kinematics (2011): damping by the error left
double qiao_ctl_arm_inverse(qiao_ctl_arm *a, const qiao_ctl_pose *pose, double *q);

// One step of dt along a moving pose: q follows, vel [6] is the pose's own velocity. What the task
// leaves free leans to the rest pose and away from the ends of the ranges. Returns the share of
// the step (0..1) that the joints' speeds allow; move the pose on by that share only.
//   qd  [n] out, rad/s, the velocity that took q there
// source: L. Sciavicco, B. Siciliano, Robotics: Modelling, Planning and Control (2009), 3.7
// (closed loop), A. Liegeois (1977): null space
double qiao_ctl_arm_follow(qiao_ctl_arm *a, const qiao_ctl_pose *pose, const double vel[6],
                           double dt, double *q, double *qd);

// Joint torques [n] that make the arm move so (qd, qdd NULL: 0): inertia, weight, damping, and the
// weight of a load, kg at the tool. With gains around it this is joint impedance.
// source: N. Hogan, Impedance control (1985)
void qiao_ctl_arm_torque(qiao_ctl_arm *a, const double *q, const double *qd, const double *qdd,
                         double load, double *tau);
// Damping [n] that goes with a stiffness: kd = 2 zeta sqrt(kp M_ii), M at q.
void qiao_ctl_arm_damping(qiao_ctl_arm *a, const double *q, const double *kp, double zeta,
                          double *kd);

#pragma GCC visibility pop
#endif
