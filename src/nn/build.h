// SPDX-License-Identifier: Apache-2.0
// nn/build.h - from the graph to the plan: values, steps, and what an operator needs to become one.
// Everything is planned for one item: dimensions that a file leaves open are 1, so all shapes are
// numbers, and what depends on shapes alone is computed at load. Many items are the step's loop.
#ifndef QI_NN_BUILD_H
#define QI_NN_BUILD_H

#include "nn/graph.h"
#include "nn/kern.h"
typedef qi_dense nn_dense;
#include "nn/plain.h"

struct qi_step;
enum qi_place { QI_AT_WORK, QI_AT_INPUT, QI_AT_OUTPUT, QI_AT_CONST };
struct qi_val {
    const char *name;
    qi_kind kind;
    int rank, dim[QI_RANK], size; // of one item
    float *data;                  // constant: [size]
    qi_val *root;                 // whose numbers these are (a view), NULL: its own
    struct qi_step *maker;        // NULL: an input, a constant or a view
    int uses;                     // inputs of nodes and outputs of the network that name it
    enum qi_place place;
    int slot, first, last; // port; steps between which it lives
    size_t at;             // numbers from the start of the work block, an item
    qi_val *next;          // initializers
};

typedef struct qi_layer { // a dense layer before it is packed
    int nin, nout;
    const float *w, *bias;
    bool transposed;
    qi_act act;
    float alpha;
} qi_layer;
typedef struct qi_core { // a text of plain_*.inc
    const char *name, *family;
    nn_core *run;
} qi_core;
typedef struct qi_step {
    const qi_core *core;
    const char *node; // whose
    int nx, ny, np, nf, nd;
    qi_val **x, **y;
    int *p;
    float *f;
    qi_layer *d;
    size_t work, work_item; // numbers: for any n, for each item
    double cost;            // products or so of one item
    bool dead;
    struct qi_step *next;
} qi_step;

typedef struct qi_build {
    const char *file;
    qiao_diag d;
    qiao_arena *tmp, *keep;
    qi_graph g;
    qiao_nn_type type;
    const qi_node *node; // being planned
    qi_val **names;      // hash table
    size_t nslot;
    qi_step *first, **last;
    int nstep;
    double folded, fold_cost, cost; // so far
    qi_val **in, **out;
} qi_build;

// An operator: versions of the opset since..until, how many inputs and outputs.
typedef struct qi_op {
    const char *name;
    bool (*plan)(qi_build *b, int arg);
    int arg, nin_min, nin_max, nout;
    int until; // last opset in which it exists, 0: all
} qi_op;
extern const qi_op qi_ops_unary[], qi_ops_binary[], qi_ops_dense[], qi_ops_shape[], qi_ops_move[],
    qi_ops_reduce[], qi_ops_norm[], qi_ops_conv[], qi_ops_pool[], qi_ops_rnn[];

// Complaint about the node being planned; returns false.
bool qi_nn_fail(qi_build *b, qiao_err e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool qi_nn_no_memory(qi_build *b);
void *qi_nn_tmp(qi_build *b, size_t bytes); // zeroed; NULL: complained

// inputs, outputs and attributes of the node being planned
qi_val *qi_nn_in(qi_build *b, int k);          // NULL: left out
bool qi_nn_out(qi_build *b, int k, qi_val *v); // v is called as output k; false if v is NULL
const qi_attr *qi_nn_attr_get(qi_build *b, const char *name, int type);
int qi_nn_attr_i(qi_build *b, const char *name, int value);
float qi_nn_attr_f(qi_build *b, const char *name, float value);
const char *qi_nn_attr_s(qi_build *b, const char *name, const char *value);
// How many numbers, at most `most`; -1: no such attribute, -2: complained.
int qi_nn_attr_ints(qi_build *b, const char *name, int *out, int most);
// The same from a constant input; -1: left out.
int qi_nn_in_ints(qi_build *b, int k, int *out, int most);
// Attribute before an opset, input from it on.
int qi_nn_ints_by(qi_build *b, int opset, const char *name, int k, int *out, int most);
bool qi_nn_axis(qi_build *b, int *axis, int rank); // -rank..rank-1 to 0..rank-1
int qi_nn_whole(float x);                          // cut to the range of int

// values
qi_val *qi_nn_new(qi_build *b, qi_kind kind, int rank, const int *dim); // size checked
qi_val *qi_nn_const(qi_build *b, qi_kind kind, int rank,
                    const int *dim); // with room for its numbers
qi_val *qi_nn_scalar(qi_build *b, qi_kind kind, float x);
qi_val *qi_nn_view(qi_build *b, qi_val *v, qi_kind kind, int rank, const int *dim); // same numbers
qi_val *qi_nn_root(qi_val *v);
bool qi_nn_same_shape(const qi_val *a, const qi_val *b);

// steps
qi_step *qi_nn_step_new(qi_build *b, const qi_core *core, int nx, int ny, int np, int nf, int nd);
bool qi_nn_step_end(qi_build *b, qi_step *s); // runs it if all inputs are constant

// what operators make of each other
qi_val *qi_nn_unary(qi_build *b, int fn, float alpha, float beta, qi_val *x);
qi_val *qi_nn_binary(qi_build *b, int fn, qi_val *x, qi_val *y);
qi_val *qi_nn_where(qi_build *b, qi_val *c, qi_val *x, qi_val *y);
qi_val *qi_nn_transpose(qi_build *b, qi_val *x, const int *perm);
qi_val *qi_nn_matmul(qi_build *b, qi_val *x, qi_val *y);
// y of this shape: y[i] = x[base + sum of index[k] stride[k]], index over dim [rank], rank at most
// 2 QI_RANK; a view if that changes nothing
typedef struct qi_shape {
    int rank, dim[QI_RANK];
} qi_shape;
qi_val *qi_nn_copy(qi_build *b, qi_val *x, const qi_shape *y, int rank, const int *dim,
                   const int *stride, int base);
void qi_nn_strides(const qi_val *v, int *stride); // [rank]
bool qi_nn_broadcast(qi_build *b, const qi_val *x, const qi_val *y, int *rank, int dim[QI_RANK]);
// The step that makes v if v's numbers have no other reader than `uses` and the step has this core.
qi_step *qi_nn_made_by(qi_val *v, const qi_core *core, int uses);

extern qi_core qi_core_unary, qi_core_binary, qi_core_where, qi_core_copy, qi_core_concat,
    qi_core_rows, qi_core_gather, qi_core_gather_each, qi_core_layer, qi_core_matmul,
    qi_core_reduce, qi_core_cumsum, qi_core_softmax, qi_core_norm, qi_core_conv, qi_core_conv_thin,
    qi_core_pool, qi_core_lstm, qi_core_gru, qi_core_rnn; // run is set before main;

// the plan as it is kept: nn/nn.c
qiao_nn *qi_plan_finish(qi_build *b);

#endif
