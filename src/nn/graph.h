// SPDX-License-Identifier: Apache-2.0
// nn/graph.h - an ONNX file as read: nodes, constants, ports. Everything lies in one arena.
// A tensor's numbers are floats whatever the file's type: whole numbers beyond 2^24 that a float
// does not hold are refused (those of 2^31 - 1 or more stand for "to the end" and stay large).
#ifndef QI_NN_GRAPH_H
#define QI_NN_GRAPH_H

#include "nn/wire.h"
#include "qiao/nn.h"

enum { // bounds on what a file may ask for
    QI_RANK = 8,
    QI_NN_FILE_MAX = 1 << 30,  // bytes of a file, and of all external data
    QI_NN_NODES_MAX = 10000,   // nodes; constants
    QI_NN_NAMES_MAX = 1 << 17, // inputs, outputs and attributes of all nodes
    QI_NN_LINKS_MAX = 1024,    // inputs or outputs of a node; ports
    QI_NN_SIZE_MAX = 1 << 26,  // numbers of a tensor
    QI_NN_ITEM_MAX = 1 << 24,  // numbers that an item needs in the work block
    QI_NN_FOLD_MAX = 1 << 26,  // numbers computed while loading
};
#define QI_NN_COST_MAX 0x1p33 // products of an item
#define QI_NN_WORK_MAX 0x1p28 // operations while loading

typedef enum qi_kind { QI_REAL, QI_INT, QI_BOOL } qi_kind;
typedef struct qi_val qi_val; // nn/build.h

typedef struct qi_attr {
    const char *name;
    int type; // AttributeProto.type: 1 f, 2 i, 3 s, 4 t, 6 floats, 7 ints, 8 strings
    float f;
    int64_t i;
    const char *s;
    int n; // of floats, ints or strings
    const float *floats;
    const int64_t *ints;
    const char **strings;
    qi_val *t;
} qi_attr;
typedef struct qi_node {
    const char *name, *op, *domain;
    int nin, nout, nattr;
    const char **in, **out; // "": left out
    qi_attr *attr;
    struct qi_node *next;
} qi_node;
typedef struct qi_info { // a port as declared
    const char *name;
    int type;             // TensorProto.DataType, 0: not said
    int rank;             // -1: not said
    int64_t dim[QI_RANK]; // -1: open
    struct qi_info *next;
} qi_info;
typedef struct qi_meta {
    const char *key, *value;
    struct qi_meta *next;
} qi_meta;
typedef struct qi_graph {
    int opset, nnode, nname, nconst, nin, nout, nmeta;
    qi_node *node;
    qi_val *constant; // linked by next
    qi_info *in, *out;
    qi_meta *meta;
} qi_graph;

typedef struct qi_source { // where bytes and complaints come from
    const char *name, *dir;
    qi_wire all;
    qiao_arena *a;
    qiao_diag *d;
    qiao_hash *hash; // external data is added
    size_t external; // bytes so far
} qi_source;

// false and the diagnosis
bool qi_onnx_read(qi_source *s, qi_graph *g);
qi_val *qi_onnx_tensor(qi_source *s, qi_wire w);
const char *qi_onnx_text(qi_source *s, qi_wire w); // control characters become '?'
bool qi_onnx_bad(qi_source *s, const uint8_t *at, qiao_err e, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
// Name and kind of a TensorProto.DataType; NULL: a type that is not supported.
const char *qi_nn_type_name(int type);
bool qi_nn_type_kind(int type, qi_kind *kind);
float qi_nn_half(uint16_t h); // IEEE half
// External bytes [offset, offset + n) of a file inside s->dir, allocated in the arena.
const uint8_t *qi_onnx_external(qi_source *s, const char *location, uint64_t offset, size_t n);

#endif
