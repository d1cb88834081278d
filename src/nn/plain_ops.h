// SPDX-License-Identifier: Apache-2.0
// nn/plain_ops.h - the list of steps that plain_*.inc runs, and their instances.
#ifndef QI_NN_PLAIN_OPS_H
#define QI_NN_PLAIN_OPS_H

#include "nn/build.h"

// name, text that it stands in
#define QI_CORES(X)        \
    X(unary, "elem")       \
    X(binary, "elem")      \
    X(where, "elem")       \
    X(copy, "copy")        \
    X(concat, "copy")      \
    X(rows, "copy")        \
    X(gather, "copy")      \
    X(gather_each, "copy") \
    X(layer, "dense")      \
    X(matmul, "dense")     \
    X(reduce, "reduce")    \
    X(cumsum, "reduce")    \
    X(softmax, "reduce")   \
    X(norm, "reduce")      \
    X(conv, "conv")        \
    X(conv_thin, "conv")   \
    X(pool, "conv")        \
    X(lstm, "rnn")         \
    X(gru, "rnn")          \
    X(rnn, "rnn")

extern nn_core *const qi_plain_any[], *const qi_plain_avx2[], *const qi_plain_avx512[];
void qi_plain_use(nn_core *const *run); // for tests: before anything is loaded

#endif
