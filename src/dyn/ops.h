// SPDX-License-Identifier: Apache-2.0
// dyn/ops.h - the instances of room dyn's text: one table for each number type and processor.
#ifndef QI_DYN_OPS_H
#define QI_DYN_OPS_H

#include "base/lane_math.h"
#include "dyn/plan.h"

typedef struct qi_dyn_ops {
    const char *name; // "f64x8 avx512"
    qiao_real real;
    int lanes;
    int (*usable)(void); // on this processor
    size_t (*size)(const qi_plan *p);
    void *(*init)(const qi_plan *p, void *mem); // p->nnz and all must be filled
    const void *(*axes)(void *self, const void *q);
    void (*body)(const void *self, int body, void *pos, void *rot);
    void (*link_pos)(const void *self, int link, void *pos);
    void (*inverse)(void *self, const void *q, const void *qd, const void *qdd, void *tau);
    void (*forward)(void *self, const void *q, const void *qd, const void *tau, void *qdd);
    const void *(*mass)(void *self, const void *q);
    const void *(*composite)(void *self); // after axes: [nlink][10] m, h, i; world axes, own origin
    void (*factor)(void *self);
    void (*solve)(const void *self, void *x);
    void (*derivatives)(void *self, const void *q, const void *qd, const void *qdd, void *dq,
                        void *dqd);
    qiao_err (*own_inertia)(void *self, int body, const void *rows);
    void (*own_armature)(void *self, const void *rows);
} qi_dyn_ops;

// All instances of this build, best first for each number type; usable or not.
extern const qi_dyn_ops *const qi_dyn_all[];
extern const int qi_dyn_nall;
const qi_dyn_ops *qi_dyn_best(qiao_real real); // lanes
const qi_dyn_ops *qi_dyn_single(void);         // one robot in double

#endif
