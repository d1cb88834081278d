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
    int nu, cap, n;  // rows in use, newest first
    int64_t *issued; // [cap] physics step
    double *row;     // [cap][5][nu] q, qd, kp, kd, tau
} qi_cmds;

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
    int period;                       // physics steps between brain steps
    qiao_arena *arena;
} qi_setup;

typedef struct qi_world qi_world; // one world of an engine

typedef struct qi_engine {
    const char *name;
    qi_world *(*open)(const qi_setup *s, const qiao_model *m, qiao_diag *d);
    void (*close)(qi_world *w);
    void (*reset)(qi_world *w, const double *q);
    void (*set)(qi_world *w, const double *q, const double *qd); // NULL qd: zero; time goes on
    void (*step)(qi_world *w);                                   // one physics step
    qi_cmds *(*commands)(qi_world *w);
    int64_t (*now)(const qi_world *w); // physics steps since reset
    qiao_err (*status)(const qi_world *w);
    // True value of a sensor in the present state, before rate, noise, bias and delay.
    void (*sense)(qi_world *w, const qiao_sensor *s, const int *index, double *x);
    void (*push)(qi_world *w, int body, const double f[3], const double t[3]);
    void (*truth)(qi_world *w, qiao_truth *t);
    void (*peaks_clear)(qi_world *w);
} qi_engine;

extern const qi_engine qi_engine_mujoco;

// Torques of all drives at step k: tau [nu] in and out (drives slower than physics hold theirs);
// a native drive's entry is its command q. source: sim.h, qiao_drive
void qi_drive_step(const qi_drive *drive, const qi_cmds *c, int64_t k, const double *q,
                   const double *qd, double *tau);
// Puts a command in front; the oldest goes.
void qi_cmds_push(qi_cmds *c, int64_t k, const double *const part[5]);

// Heights of everything that never moves, on a regular grid, made once.
typedef struct qi_heightmap qi_heightmap;
qi_heightmap *qi_heightmap_new(const qiao_model *m, const qiao_part *robot, int nrobot_body);
void qi_heightmap_free(qi_heightmap *h);
double qi_heightmap_at(const qi_heightmap *h, double x, double y);

// Worker threads that wait; _run gives worlds 0..n-1 to them in one contiguous part each.
typedef struct qi_pool qi_pool;
qi_pool *qi_pool_new(int nthread);
void qi_pool_free(qi_pool *p);
void qi_pool_run(qi_pool *p, int n, void (*work)(void *ctx, int from, int to), void *ctx);

#endif
