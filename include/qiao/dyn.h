// SPDX-License-Identifier: Apache-2.0
// qiao/dyn.h - how a kinematic tree moves and what forces that takes; no contacts.
// units    SI: m, rad, s, kg, N; the force of a hinge is N*m, of a slide N
// joints   MuJoCo's: free (q = position, quaternion; qd = velocity in the world's axes, angular
//          velocity in the body's), ball, slide, hinge; dof_armature counts; damping, friction
//          loss, springs and limits do not (they are the engine's). Quaternions of any length but
//          0 are taken as their unit ones. Angles up to 1e6 rad.
// shapes   row-major; matrices [nv][nv]
// memory   given by the caller, once; no call here allocates, locks or prints
// threads  share the model; one qiao_dyn for each thread
// results  the same bits on every machine, alone or in lanes of the same number type
#ifndef QIAO_DYN_H
#define QIAO_DYN_H

#include "qiao/base.h"
#include "qiao/model.h"

#pragma GCC visibility push(default) // libqiao.so exports what is public

typedef struct qiao_dyn qiao_dyn;

// Bytes that a qiao_dyn for m needs (0: m has what dyn cannot do, see _init), and one laid out in
// mem (64-byte aligned, outlives it, as does m). NULL and d filled: a joint type out of range, a
// free joint below another body, armature on a tendon.
size_t qiao_dyn_size(const qiao_model *m);
qiao_dyn *qiao_dyn_init(const qiao_model *m, void *mem, qiao_diag *d);

// ---- where things are ----

// Poses of all bodies and the axes of all joints. What follows in this part uses them.
qiao_err qiao_dyn_kinematics(qiao_dyn *d, const double *q);
// Pose of a body: pos [3], rot [3][3] turns body vectors into world vectors. NULL: not wanted.
qiao_err qiao_dyn_body(const qiao_dyn *d, int body, double *pos, double *rot);
// Jacobian of a point fixed to a body: world velocity = jac_p qd, angular velocity = jac_r qd.
//   point         [3] in the body's frame; NULL is its origin
//   jac_p, jac_r  [3][nv] out; NULL: not wanted
qiao_err qiao_dyn_jacobian(const qiao_dyn *d, int body, const double *point, double *jac_p,
                           double *jac_r);
// The same for a site; pos [3], rot [3][3] as in qiao_dyn_body.
qiao_err qiao_dyn_site(const qiao_dyn *d, int site, double *pos, double *rot, double *jac_p,
                       double *jac_r);
// How a point fixed to a body moves: angular then linear, world axes; after qiao_dyn_kinematics.
//   vel  [6] out = jac qd (NULL: not wanted)
//   acc  [6] out = (d jac / dt) qd, its acceleration at qdd = 0, without gravity (NULL: not wanted)
qiao_err qiao_dyn_motion(const qiao_dyn *d, int body, const double *point, const double *qd,
                         double *vel, double *acc);
// Motion of every joint coordinate at the world's origin: [nv][6], angular then linear, so that a
// body's spatial velocity is the sum of qd[i] axes[i] over the joints that carry it.
const double *qiao_dyn_axes(const qiao_dyn *d);
// Centre of mass [3] of everything that moves, and its Jacobian [3][nv] (NULL: not wanted).
qiao_err qiao_dyn_com(qiao_dyn *d, double *com, double *jac);
// Centroidal momentum: linear, then angular about the centre of mass, world axes.
//   h  [6] out = A qd (NULL: not wanted; then qd may be NULL)
//   A  [6][nv] out (NULL: not wanted). source: Orin, Goswami, Lee, Centroidal dynamics (2013)
qiao_err qiao_dyn_momentum(qiao_dyn *d, const double *qd, double *h, double *A);

// ---- forces and accelerations ----

// Inverse dynamics tau = M(q) qdd + c(q, qd), in O(nv).
//   q, qd  [nq], [nv]  position, velocity (NULL is 0)
//   qdd    [nv]        acceleration (NULL is 0)
//   tau    [nv] out    joint force
// QIAO_E_NAN if the result is not finite. source: Luh, Walker, Paul (1980), with the angular
// acceleration tensor of Balafoutis and Patel (1988)
qiao_err qiao_dyn_inverse(qiao_dyn *d, const double *q, const double *qd, const double *qdd,
                          double *tau);
// Forward dynamics qdd = M(q)^-1 (tau - c(q, qd)), in O(nv); tau NULL is 0.
// source: R. Featherstone, Rigid Body Dynamics Algorithms (2008), section 7.3
qiao_err qiao_dyn_forward(qiao_dyn *d, const double *q, const double *qd, const double *tau,
                          double *qdd);
// Mass matrix. Kept sparse inside; M [nv][nv] (NULL: not wanted) is filled whole.
// source: Featherstone, section 6.2
qiao_err qiao_dyn_mass(qiao_dyn *d, const double *q, double *M);
// The sparse matrix: entries of row i are val[row[i]] .. val[row[i + 1] - 1], columns col[..]
// ascending, the diagonal last: dof i and the dofs that carry it. MuJoCo's M has this order.
qiao_err qiao_dyn_mass_sparse(const qiao_dyn *d, int *nnz, const int **row, const int **col,
                              const double **val);
// Factor M = L'DL of the last qiao_dyn_mass. QIAO_E_INFEASIBLE: a pivot is not positive.
// source: Featherstone, section 6.5
qiao_err qiao_dyn_factor(qiao_dyn *d);
// x [nv] becomes M^-1 x, by the last qiao_dyn_factor.
qiao_err qiao_dyn_solve(const qiao_dyn *d, double *x);

// Derivatives of inverse dynamics by position and velocity, [nv][nv] each: dq[i][j] is how tau[i]
// changes with a small motion of dof j, as qd would make it (for a ball: a turn about the body's
// own axis j). By acceleration it is M.
// source: Carpentier and Mansard, Analytical derivatives of rigid body dynamics algorithms (2018)
qiao_err qiao_dyn_inverse_derivatives(qiao_dyn *d, const double *q, const double *qd,
                                      const double *qdd, double *dq, double *dqd);
// Forward dynamics and its derivatives by position, velocity, force: qdd [nv], others [nv][nv].
qiao_err qiao_dyn_forward_derivatives(qiao_dyn *d, const double *q, const double *qd,
                                      const double *tau, double *qdd, double *dq, double *dqd,
                                      double *dtau);

// ---- many robots side by side: lanes ----

typedef enum qiao_real { QIAO_REAL_F64, QIAO_REAL_F32 } qiao_real;
// Robots in one group on this processor: 8 or 16 with AVX-512, half with AVX2, else 2 or 4.
int qiao_dyn_lanes(qiao_real real);

// One group of qiao_dyn_lanes(real) robots of one model. Every array below is [n][lanes] of double
// or float (as real says), lanes last, 64-byte aligned; calls and NULLs as above. A lane's bits
// are those of the robot alone in the same number type; lanes do not touch each other.
typedef struct qiao_dyn_group qiao_dyn_group;
size_t qiao_dyn_group_size(const qiao_model *m, qiao_real real);
qiao_dyn_group *qiao_dyn_group_init(const qiao_model *m, qiao_real real, void *mem, qiao_diag *d);
void qiao_dyn_group_inverse(qiao_dyn_group *g, const void *q, const void *qd, const void *qdd,
                            void *tau);
void qiao_dyn_group_forward(qiao_dyn_group *g, const void *q, const void *qd, const void *tau,
                            void *qdd);
// Sparse mass matrix [nnz][lanes] in the order of qiao_dyn_mass_sparse, in the group's memory.
const void *qiao_dyn_group_mass(qiao_dyn_group *g, const void *q);
void qiao_dyn_group_factor(qiao_dyn_group *g);
void qiao_dyn_group_solve(const qiao_dyn_group *g, void *x);
// Kinematics; result: axes [nv][6][lanes] as in qiao_dyn_axes.
const void *qiao_dyn_group_axes(qiao_dyn_group *g, const void *q);
// Pose of a body after _axes: pos [3][lanes], rot [9][lanes].
void qiao_dyn_group_body(const qiao_dyn_group *g, int body, void *pos, void *rot);
void qiao_dyn_group_inverse_derivatives(qiao_dyn_group *g, const void *q, const void *qd,
                                        const void *qdd, void *dq, void *dqd);
// Mass, first moment and inertia of one body per lane instead of the model's (domain
// randomisation): rows [10][lanes]: m, m c [3], then about the body's origin xx yy zz xy xz yz,
// in the body's axes. Bodies welded to others: give the body that carries them, all included.
qiao_err qiao_dyn_group_inertia(qiao_dyn_group *g, int body, const void *rows);
// Armature per lane: [nv][lanes].
void qiao_dyn_group_armature(qiao_dyn_group *g, const void *rows);

#pragma GCC visibility pop
#endif
