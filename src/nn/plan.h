// SPDX-License-Identifier: Apache-2.0
// nn/plan.h - a network ready to run: steps in order, one block of memory for what they pass on.
#ifndef QI_NN_PLAN_H
#define QI_NN_PLAN_H

#include "nn/build.h"

typedef struct qi_spot { // where numbers are: at work, in a port, or constant
    const float *data;
    size_t at; // in the work block, of one item
    int slot, size;
    enum qi_place place;
} qi_spot;
typedef struct qi_run {
    nn_core *run;
    nn_arg arg; // all but n, x, y, work, scratch
    int nx, ny;
    const qi_spot *at; // [nx inputs, ny outputs]
    // for nn/emit.c, which writes the plan down
    const qi_core *core;
    const char *node;
    int np, nf, nd;
    size_t work, work_item;
} qi_run;
typedef struct qi_give { // an output that is no step's own: a copy at the end
    qi_spot from;
    int slot;
} qi_give;
struct qiao_nn {
    qiao_arena *arena;
    int nin, nout, nmeta, nstep, ngive;
    const qiao_nn_port *in, *out;
    const qi_meta *meta;
    const qi_run *step;
    const qi_give *give;
    int chunk;                    // items at a time
    int nlink;                    // inputs and outputs of a step at most
    size_t item, work, work_item; // numbers: passed on; of a step's own
    size_t scratch;               // bytes of the dense layers
    double cost;                  // products or so of an item
    char hash[QIAO_HASH_HEX];
    qiao_nn_type type;
};

qiao_nn *qi_nn_build(const void *data, size_t bytes, const char *name, const char *dir,
                     qiao_nn_type type, qiao_hash *hash, qiao_diag *d);

#endif
