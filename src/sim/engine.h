// SPDX-License-Identifier: Apache-2.0
// engine.h - what an engine gives to room sim, and what it is told once. Inside room sim only.
#ifndef QI_ENGINE_H
#define QI_ENGINE_H

#include "qiao/sim.h"

// The robot's drives in whole physics steps, and where they act.
typedef struct qi_drive {
    qiao_drive d;
    int period, delay; // physics steps
    int act;           // index in the world's actuators
    int qadr, vadr;    // of its joint in q and qd, -1: drives no joint
    double gear;
} qi_drive;

// Commands on their way to the drives of one world: the newest few, with the step of their issue.
typedef struct qi_cmds {
    int nu, cap, n;  // rows in use
    int head;        // the newest; older ones follow, round and round
    int64_t *issued; // [cap] physics step
    double *row;     // [cap][5][nu] q, qd, kp, kd, tau; QI_DRIVE_PAD more may be read
} qi_cmds;
static inline int qi_cmds_at(const qi_cmds *c, int age) { // row of the newest (0), the one before
    int i = c->head + age;
    return i < c->cap ? i : i - c->cap;
}

// Drives that are alike in kind, side by side: none native, all run at each physics step after one
// delay, each on its joint. Others are stepped one by one.
enum { QI_DRIVE_PAD = 8 }; // numbers past the end of q, qd and command rows that may be read
typedef struct qi_drive_row {
    int n; // 0: not alike
    int delay;
    int q0, v0; // of the first, if all joints follow each other in q and qd; else -1
    int *qadr, *vadr;
    double *kp, *kd, *most, *knee, *top, *span; // [n + QI_DRIVE_PAD]
} qi_drive_row;
// Room for n drives; false: out of memory. Then from drives, each time that they change.
bool qi_drive_row_new(qi_drive_row *o, int n, qiao_arena *a);
void qi_drive_row_set(qi_drive_row *o, const qi_drive *drive, int n);
// As qi_drive_step, with its bits.
void qi_drive_row_step(const qi_drive_row *o, const qi_drive *drive, const qi_cmds *c, int64_t k,
                       const double *q, const double *qd, double *tau);
typedef struct qi_drive_ops { // one table for each processor
    int (*usable)(void);
    // row: one command, parts nu apart; q, qd [n] of the drives' joints; tau [n] out
    void (*step)(const qi_drive_row *o, const double *row, int nu, const double *q,
                 const double *qd, double *tau);
} qi_drive_ops;

typedef struct qi_setup { // one for all worlds of a sim
    const qiao_sim_def *def;
    const qiao_robot *robot;
    qiao_part part;
    int nu, ncmd;          // robot's actuators; rows that qi_cmds keeps
    const qi_drive *drive; // [nu]
    int feet;
    const int *foot_site, *foot_body; // [feet] world indices
    const uint64_t *foot_sole;        // [feet] bit i: geom i of the foot's body is sole all over
    int base, tool_site, imu_site;    // world indices, -1: none
    bool accelerates;                 // some signal is of the imu's acceleration
    int period;                       // physics steps between brain steps
    int nthread;
    void *shared; // what the engine's prepare made for all worlds
    qiao_arena *arena;
} qi_setup;

typedef struct qi_world qi_world; // one world of an engine
struct qi_narrow;
typedef struct qi_narrow qi_narrow; // sim/cast.h

typedef struct qi_engine {
    const char *name;
    // Before the first world and after the last (NULL: nothing); prepare fills setup.shared.
    bool (*prepare)(qi_setup *s, qiao_diag *d);
    void (*finish)(void *shared);
    qi_world *(*open)(const qi_setup *s, int index, const qiao_model *m, qiao_diag *d);
    void (*close)(qi_world *w);
    void (*reset)(qi_world *w, const double *q);
    void (*set)(qi_world *w, const double *q, const double *qd); // NULL qd: zero; time goes on
    // Takes over m (to be deleted by mj_deleteModel), the world's model with other numbers, and
    // copies drive [nu].
    qiao_err (*vary)(qi_world *w, struct mjModel_ *m, const qi_drive *drive, qiao_diag *d);
    // The world becomes m, which has the shape of its model and is its own to read until the next
    // recast; numbers: the same with the drives' armatures, valid during the call. A reset follows.
    qiao_err (*recast)(qi_world *w, const qiao_model *m, const struct mjModel_ *numbers,
                       qiao_diag *d);
    // A copy of the world's state and of its model with its numbers: the caller's to delete. NULL:
    // out of memory.
    struct mjData_ *(*copy)(const qi_world *w, struct mjModel_ **m);
    // How many worlds, from w on, move together (NULL: one; at most 64). All calls for them come
    // from one thread at a time, whose number (0 .. nthread - 1) is given where it matters.
    int (*together)(const qi_world *w);
    // One physics step of those of them whose bit in go is set. watch: truth or sensors of this step
    // may be read after it.
    void (*step)(qi_world *const *w, uint64_t go, int thread, bool watch);
    qi_cmds *(*commands)(qi_world *w);
    int64_t (*now)(const qi_world *w); // physics steps since reset
    qiao_err (*status)(const qi_world *w);
    // True value of a sensor in the present state, before rate, noise, bias and delay.
    void (*sense)(qi_world *w, const qiao_sensor *s, const int *index, double *x);
    void (*push)(qi_world *w, int body, const double f[3], const double t[3]);
    void (*truth)(qi_world *w, qiao_truth *t);
    // See qi_sim_narrow. NULL: this engine works all out anyway.
    void (*narrow)(qi_world *w, const qi_narrow *n);
    void (*peaks_clear)(qi_world *w);
} qi_engine;

extern const qi_engine qi_engine_mujoco, qi_engine_lanes, qi_engine_lanes32;

// Torques of all drives at step k: tau [nu] in and out (drives slower than physics hold theirs);
// a native drive's entry is its command q. source: sim.h, qiao_drive
void qi_drive_step(const qi_drive *drive, const qi_cmds *c, int64_t k, const double *q,
                   const double *qd, double *tau);
// From contacts [n] of the last step: force or touch of one foot, written to its place in x; load
// on the tool's body and all beyond it about the tool's site, in its frame, x [6].
void qi_sense_foot(const qi_setup *s, const struct mjModel_ *m, const qiao_contact *contact, int n,
                   int foot, const double *site, qiao_sensor_kind kind, double *x);
void qi_sense_wrench(const qi_setup *s, const struct mjModel_ *m, const qiao_contact *contact,
                     int n, const double *site, const double *rot, double *x);
// The drives' reflected rotor inertia, where they state one, replaces the model's armature [nv].
// Whether it differs from have; put, unless NULL, gets it.
bool qi_drive_armature(const qi_drive *drive, int n, const double *have, double *put);
// Puts a command in front; the oldest goes.
void qi_cmds_push(qi_cmds *c, int64_t k, const double *const part[5]);

// Heights of everything that never moves, on a regular grid, made once.
typedef struct qi_heightmap qi_heightmap;
qi_heightmap *qi_heightmap_new(const qiao_model *m, const qiao_part *robot, int nrobot_body);
void qi_heightmap_free(qi_heightmap *h);
double qi_heightmap_at(const qi_heightmap *h, double x, double y);

// Worker threads that wait; _run gives 0..n-1 to them in one contiguous part each.
typedef struct qi_pool qi_pool;
qi_pool *qi_pool_new(int nthread);
int qi_pool_threads(const qi_pool *p);
void qi_pool_free(qi_pool *p);
void qi_pool_run(qi_pool *p, int n, void (*work)(void *ctx, int thread, int from, int to),
                 void *ctx);

#endif
