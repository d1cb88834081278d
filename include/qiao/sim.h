// SPDX-License-Identifier: Apache-2.0
// qiao/sim.h - worlds: step them, sense them, push them. Batch first: n = 1 is no special path.
// memory   _new allocates all; _reset, _step, _observe never allocate, lock, log or read a clock
//          (with nthread > 1 the batch calls hand work to waiting threads; the work itself is free
//          of locks)
// threads  one caller; n worlds run on nthread threads; the bits do not depend on nthread
#ifndef QIAO_SIM_H
#define QIAO_SIM_H

#include "qiao/model.h"

#pragma GCC visibility push(default) // libqiao.so exports what is public

typedef struct qiao_sim qiao_sim;

typedef struct qiao_sim_def {
    const char *engine;  // "mujoco", "lanes" (64 bit) or "lanes32"
    int nworld, nthread; // nthread <= 0: as many as the machine has
    const qiao_robot *robot;
    const qiao_model *const
        *world; // [nworld] may repeat; all of the same shape (nq, nv, nu, nbody)
    int ngrant; // sensors that the scenario adds to the robot's own
    const qiao_sensor *grant;
    double period; // s between brain steps; a whole number of physics steps
    // How hard engine lanes solves a step: most iterations, 0: until converged. solver: "newton",
    // "pgs" (projected Gauss-Seidel), NULL: what measures better for that effort. Engine mujoco
    // takes both from the model's file and refuses them here.
    const char *solver;
    int iterations;
    // Engine lanes: where its physics shall be better than MuJoCo's, in words with spaces between;
    // NULL: nowhere. "rotation": integrator RK4 is of fourth order for floating bases too.
    // "elliptic": friction cones are round whatever the file says, so friction has no heading.
    const char *better;
} qiao_sim_def;
qiao_sim_def qiao_sim_def_default(void);

qiao_sim *qiao_sim_new(const qiao_sim_def *def, qiao_diag *d);
void qiao_sim_free(qiao_sim *s);
const qiao_io *qiao_sim_io(const qiao_sim *s); // order of obs and cmd

// World w back to the start: robot at rest pose, all else as its model says.
//   seed, trial  key every random number of the world
qiao_err qiao_sim_reset(qiao_sim *s, int w, uint64_t seed, uint64_t trial);
// Writes q [nq] and qd [nv] (NULL: zero) of world w; time, commands and random numbers go on.
// E_NAN, and nothing written, if a value is not finite; a stopped world says its status.
qiao_err qiao_sim_set(qiao_sim *s, int w, const double *q, const double *qd);

// Numbers of one world that differ from its model's and its robot's: domain randomisation without
// compiling anew. The default changes nothing.
typedef struct qiao_vary {
    double friction;                        // factor of the friction of every contact
    double mass;                            // factor of the masses and inertias of the robot
    double payload;                         // kg more in the base, at its centre of mass
    double com[3];                          // m, shift of the base's centre of mass, base frame
    double damping, armature, frictionloss; // factors, of all joints
    double kp, kd, torque;                  // factors: the drives' own gains, their torque limits
    double delay;                           // s more from command to effect
    double gravity[3];                      // m/s2, added
    double things;                          // factor of the masses and inertias of all else
} qiao_vary;
qiao_vary qiao_vary_default(void);
// World w has these numbers from now on, whatever it had before; its state goes on. Allocates: for
// a reset, not for a step. E_ARG: a number that nature does not have; E_LIMIT: the delay is longer
// than the commands that are kept (its own and two control periods); E_MEM.
qiao_err qiao_sim_vary(qiao_sim *s, int w, const qiao_vary *v, qiao_diag *d);

// All live worlds forward by nstep physics steps with the latched command.
// A world whose state or command stops being finite is stopped with E_NAN at its last finite state,
// one that outgrows its model's memory (<size memory>) with E_LIMIT; the others go on.
void qiao_sim_step(qiao_sim *s, int nstep);
void qiao_sim_step_world(qiao_sim *s, int w, int nstep); // one world, in the caller's thread
// Latches commands for all worlds (rows as in cmd), or one row for world w.
void qiao_sim_command(qiao_sim *s, const qiao_cmd *cmd);
void qiao_sim_command_world(qiao_sim *s, int w, const qiao_cmd *cmd, int row);
// Samples every sensor and returns the batch's observations; arrays stay the sim's.
const qiao_obs *qiao_sim_observe(qiao_sim *s);
void qiao_sim_observe_world(qiao_sim *s, int w); // refreshes row w of the same arrays
const qiao_obs *qiao_sim_obs(const qiao_sim *s); // the arrays as they are
// Value of a command signal of world w (kind QIAO_SENSE_COMMAND), x [dim].
void qiao_sim_signal(qiao_sim *s, int w, int sig, const double *x);
// External force and torque at a body's centre of mass, world frame, until changed.
void qiao_sim_push(qiao_sim *s, int w, int body, const double force_w[3], const double torque_w[3]);
void qiao_sim_stop(qiao_sim *s, int w); // world w is over; step skips it
qiao_err qiao_sim_status(const qiao_sim *s, int w);

// ---- the truth, for referee and record only; a brain never sees it (law 1) ----

typedef struct qiao_contact {
    int body[2], geom[2]; // world model indices
    double pos_w[3];
    double force_w[3]; // on body[1]
} qiao_contact;
enum { QIAO_CONTACT_MAX = 256 };

typedef struct qiao_truth { // of one world; pointers stay the sim's and move on with it
    const qiao_model *model;
    int64_t t_ns;
    const double *q, *qd;    // [nq] [nv]
    const double *body_pos;  // [nbody][3] world frame
    const double *body_quat; // [nbody][4]
    const double *body_vel;  // [nbody][6] rotation, then translation of the body's origin, world
    const double *tau;       // [nu] what the drives deliver
    const double *act_force_peak;  // [nu] largest |tau| since reset
    const double *body_force_peak; // [nbody] largest contact force sum on a body in any step since
                                   // the last qiao_sim_peaks_clear, N
    double energy;                 // J taken by the drives since reset (positive power only)
    int ncontact;
    const qiao_contact *contact; // [ncontact] the first QIAO_CONTACT_MAX; sums and peaks see all
    int nwarning; // engine's warnings since reset: contacts or constraints that had no room, ...
} qiao_truth;
// Fills t with the present state (computes contact forces and body velocities).
void qiao_sim_truth(qiao_sim *s, int w, qiao_truth *t);
void qiao_sim_peaks_clear(qiao_sim *s, int w);
// What the <sensor> section of world w's own MJCF says in the present state, without noise, with
// the torques of the last step: at most cap numbers to x, MuJoCo's order; how many there are, or a
// negative qiao_err. One forward pass of MuJoCo on a copy, in either engine; allocates.
int qiao_sim_sensordata(qiao_sim *s, int w, double *x, int cap);

// Adds the exact state bits (time, q, qd, command, observation) of world w to a trace hash.
void qiao_sim_trace(const qiao_sim *s, int w, qiao_hash *h);

#pragma GCC visibility pop
#endif
