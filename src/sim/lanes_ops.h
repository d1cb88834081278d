// SPDX-License-Identifier: Apache-2.0
// sim/lanes_ops.h - the instances of engine lanes' text: one table for each number type and
// processor. A model is const and shared; a work block belongs to one thread; a group is the state
// of `lanes` worlds. Inside room sim only.
#ifndef QI_LANES_OPS_H
#define QI_LANES_OPS_H

#include "dyn/ops.h"
#include "sim/lanes_plan.h"

typedef struct qi_lanes_opt { // how hard to solve
    int iterations;           // most Newton steps or sweeps; 0: until converged (50, 1000)
    int searches;             // most points of a line search; 0: 40
    double tolerance;         // of the scaled gradient; 0: as the model or the number type allows
} qi_lanes_opt;

// What a test or a sensor asks of one lane after _forward or _step (as the last step saw it).
typedef enum qi_lanes_what {
    QI_LANES_QACC,       // [nv]
    QI_LANES_SMOOTH,     // [nv] forces of joints but for constraints
    QI_LANES_CONSTRAINT, // [nv] forces of constraints
    QI_LANES_ACTUATOR,   // [nactuator in use] force of each
    QI_LANES_GRADIENT,   // [1] scaled distance from the optimum
    QI_LANES_ITERATIONS, // [1] Newton steps or sweeps of the group
} qi_lanes_what;

enum { QI_LANES_MOST = 16 }; // lanes of any instance

typedef struct qi_lanes_ops {
    const char *name; // "float x 16 avx512"
    qiao_real real;
    int lanes;
    int (*usable)(void);
    void *(*model_new)(const qi_lplan *p, qiao_arena *a); // NULL: out of memory
    // a lane's numbers become those of p, which has the same shape as the model's own plan
    void (*vary)(void *model, int lane, const qi_lplan *p);
    void *(*work_new)(const void *model, qiao_arena *a);
    void (*work_free)(void *work); // what is not in the arena
    size_t (*group_size)(const void *model);
    void (*group_init)(const void *model, void *group); // all lanes dead, at q0
    // one lane; q [nq], v [nv] (NULL: zero), ctrl [nu] (NULL: zero)
    void (*put)(const void *model, void *group, int lane, const double *q, const double *v);
    void (*get)(const void *model, const void *group, int lane, double *q, double *v);
    void (*put_ctrl)(const void *model, void *group, int lane, const double *ctrl);
    void (*put_force)(const void *model, void *group, int lane, int body, const double f[6]);
    void (*live)(void *group, int lane, int on);
    int (*broken)(const void *group, int lane); // stopped by a number that is not finite
    void *(*array)(const void *model, void *group, int which, int *n); // 0 q, 1 v, 2 ctrl, 3 warm
    // qacc of the present state, nothing moves
    void (*forward)(const void *model, void *work, void *group, const qi_lanes_opt *o);
    void (*step)(const void *model, void *work, void *group, int nstep, const qi_lanes_opt *o);
    int (*ask)(const void *model, void *work, int lane, qi_lanes_what what, double *x);
    // contacts of one lane in the last step: [n] of dist, pos 3, frame 9, force 3 (contact frame),
    // geoms 2; returns how many, at most cap are written
    int (*contacts)(const void *model, const void *work, int lane, double (*c)[18], int cap);
    // poses and velocities of all bodies in the group's present state, and one of them in all lanes:
    // x [18][QI_LANES_MOST] pos 3, rot 9 row-major, vel angular 3, linear 3 of the body's origin
    void (*pose)(const void *model, void *work, void *group);
    void (*body)(const void *model, const void *work, int b, double (*x)[QI_LANES_MOST]);
} qi_lanes_ops;

extern const qi_lanes_ops *const qi_lanes_all[];
extern const int qi_lanes_nall;
const qi_lanes_ops *qi_lanes_best(qiao_real real);

#endif
