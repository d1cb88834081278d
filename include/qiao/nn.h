// SPDX-License-Identifier: Apache-2.0
// qiao/nn.h - trained networks: an ONNX file read, checked and planned once, then run.
// memory   _load allocates all that belongs to the network; _run works in the caller's block and
//          never allocates, locks, prints or starts a thread
// threads  a loaded network is const: any number of threads, each with a work block of its own
// shapes   row-major float32, whole numbers and truths too; n items lie one after another. An item
//          is the network with 1 for every dimension that the file leaves open, the batch's too
// results  the same bits on every machine for the same number type, alone or in a batch
#ifndef QIAO_NN_H
#define QIAO_NN_H

#include "qiao/base.h"

#pragma GCC visibility push(default) // libqiao.so exports what is public

typedef struct qiao_nn qiao_nn;
typedef enum qiao_nn_type { QIAO_NN_F32, QIAO_NN_BF16, QIAO_NN_I8 } qiao_nn_type; // of the weights

enum { QIAO_NN_RANK = 6 };
typedef struct qiao_nn_port { // an input or output of the network, of one item
    const char *name;
    int rank;              // as in the file, with the batch dimension if it has one
    int dim[QIAO_NN_RANK]; // 1 where the file says batch or leaves it open
    int size;              // numbers an item
    bool batch;            // the first dimension counts items
} qiao_nn_port;

// NULL and d filled (file, byte or node in words) if the file is broken, too large, or has an
// operator, type or opset that is not supported: named with its node.
qiao_nn *qiao_nn_load(const char *path, qiao_nn_type type, qiao_diag *d);
// The same from bytes in memory; dir is where external data files are looked for (NULL: none may be).
qiao_nn *qiao_nn_read(const void *data, size_t bytes, const char *name, const char *dir,
                      qiao_nn_type type, qiao_diag *d);
void qiao_nn_free(qiao_nn *nn);
int qiao_nn_inputs(const qiao_nn *nn);
int qiao_nn_outputs(const qiao_nn *nn);
const qiao_nn_port *qiao_nn_input(const qiao_nn *nn, int i);
const qiao_nn_port *qiao_nn_output(const qiao_nn *nn, int i);
int qiao_nn_find_input(const qiao_nn *nn, const char *name); // -1: none
int qiao_nn_find_output(const qiao_nn *nn, const char *name);
const char *qiao_nn_meta(const qiao_nn *nn, const char *key); // of the file's metadata, NULL: none
int qiao_nn_nmeta(const qiao_nn *nn);
const char *qiao_nn_meta_key(const qiao_nn *nn, int i);
void qiao_nn_hash(const qiao_nn *nn, char hex[65]); // BLAKE2b of the file and its external data

// Bytes of the work block for at most n items, 64-byte aligned.
size_t qiao_nn_work(const qiao_nn *nn, int n);
// n items forward. in[i] [n][input size], out[i] [n][output size]; recurrent state is inputs and
// outputs like any other, so it is the caller's; outputs must not overlap inputs. QIAO_E_NAN if an
// output is not finite (outputs are still written), QIAO_E_ARG if n is below 0.
qiao_err qiao_nn_run(const qiao_nn *nn, int n, const float *const *in, float *const *out,
                     void *work);

// Writes DIR/NAME.h and DIR/NAME.c: the network for one item as C99 that stands alone, without
// allocation or library: void NAME_run(const float *in.., float *out.., float *work), the bits of
// qiao_nn_run when built without contraction (-std=c99 or -ffp-contract=off). NAME: a name of C.
qiao_err qiao_nn_write_c(const qiao_nn *nn, const char *dir, const char *name, qiao_diag *d);

#pragma GCC visibility pop
#endif
