// SPDX-License-Identifier: Apache-2.0
// plain.c - the texts of nn/plain_*.inc over the kernels of this processor: nn_dense and nn_act.
#include "nn/build.h"

#define LANES_T float
#define LANES_N 1
#include "base/lanes_math.h"
#include "nn/kern_act.inc"

static inline void nn_dense_run(const nn_dense *l, int n, const float *x, int ldx, float *y,
                                int ldy, void *scratch) {
    qi_dense_run(l, n, x, ldx, y, ldy, scratch);
}
static inline void nn_act(int act, float alpha, const float *x, float *y, int64_t n) {
    qi_act_run((qi_act)act, alpha, x, y, (size_t)n);
}
_Static_assert((int)NN_ACTS == (int)QI_ACT_COUNT && (int)NN_EXP == (int)QI_ACT_EXP &&
                   (int)NN_SWISH == (int)QI_ACT_SWISH,
               "nn_act takes either's numbers");

static double nn_sqrt64(double x) { return __builtin_sqrt(x); }
#include "nn/plain_math.inc"
#include "nn/plain_elem.inc"
#include "nn/plain_copy.inc"
#include "nn/plain_dense.inc"
#include "nn/plain_reduce.inc"
#include "nn/plain_conv.inc"
#include "nn/plain_rnn.inc"

#define CORE(id, family) const qi_core qi_core_##id = {"nn_" #id, family, nn_##id}
CORE(unary, "elem");
CORE(binary, "elem");
CORE(where, "elem");
CORE(copy, "copy");
CORE(concat, "copy");
CORE(rows, "copy");
CORE(gather, "copy");
CORE(gather_each, "copy");
CORE(matmul, "dense");
CORE(reduce, "reduce");
CORE(cumsum, "reduce");
CORE(softmax, "reduce");
CORE(norm, "reduce");
CORE(conv, "conv");
CORE(conv_thin, "conv");
CORE(pool, "conv");
CORE(lstm, "rnn");
CORE(gru, "rnn");
CORE(rnn, "rnn");
const qi_core qi_core_dense = {"nn_layer", "dense", nn_layer};
