// SPDX-License-Identifier: Apache-2.0
// nn/kern.h - the kernels of room nn: dense layers and elementwise functions, one instance for
// each instruction set, chosen at load.
#ifndef QI_NN_KERN_H
#define QI_NN_KERN_H

#include "qiao/nn.h"

typedef enum qi_act {
    QI_ACT_NONE,
    QI_ACT_RELU,
    QI_ACT_LEAKY, // alpha
    QI_ACT_ELU,   // alpha
    QI_ACT_SIGMOID,
    QI_ACT_TANH,
    QI_ACT_SOFTPLUS,
    QI_ACT_SWISH, // x sigmoid(x)
    QI_ACT_GELU,  // erf form
    QI_ACT_GELU_TANH,
    QI_ACT_EXP,
    QI_ACT_COUNT
} qi_act;

typedef struct qi_dense qi_dense; // y = act(x W + b), weights packed for the kernel

// Bytes of a layer of nin inputs and nout outputs, and one packed into mem (64-byte aligned).
//   w     [nin][nout] row-major if !transposed, else [nout][nin]
//   bias  [nout] or NULL
size_t qi_dense_size(qiao_nn_type type, int nin, int nout);
qi_dense *qi_dense_init(void *mem, qiao_nn_type type, int nin, int nout, const float *w,
                        bool transposed, const float *bias, qi_act act, float alpha);
// Bytes of scratch for n rows (int8 needs room for quantised inputs; others may need none).
size_t qi_dense_work(const qi_dense *l, int n);
// y [n][ldy] = act(x [n][ldx] W + b)
void qi_dense_run(const qi_dense *l, int n, const float *x, int ldx, float *y, int ldy, void *work);
// The bits of weight (k, j) as packed, for nn/emit.c.
uint32_t qi_dense_weight(const qi_dense *l, int k, int j);
// y[i] = act(x[i]), n numbers; x and y may be the same.
void qi_act_run(qi_act act, float alpha, const float *x, float *y, size_t n);

#endif
