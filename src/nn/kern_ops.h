// SPDX-License-Identifier: Apache-2.0
// nn/kern_ops.h - a packed layer, and the instances of the kernels. Weights are packed the same way
// for every instance, so any of them may run any layer.
//   word   32 bits of one output: 1 float, 2 bfloat16 or 4 int8 inputs, first input lowest
//   step   the words of one panel for the same inputs
//   panel  32 outputs (16 if no more are left), step after step; missing outputs and inputs are 0
// float32   y = (0 + x0 w0 + x1 w1 + ...) + b, inputs in order, each product and sum rounded.
//           No fused multiply-add: measured on Zen 4, whose products and sums have ports of their
//           own, it gains nothing (57.8 without, 56.0 G products/s with it in a batch; one input is
//           bound by memory), and where the processor has none it costs 34 ns a product in libm.
//           Processors that do both on the same ports lose up to half in batches.
// bfloat16  weights and inputs are rounded to 8 bits, so a product is exact in a float and fused or
//           not is the same; of each pair the second input comes first, as in VDPBF16PS. Inputs and
//           weights under 2^-48 are 0 and those of 2^60 or more infinite: no sum is subnormal, no
//           product overflows (the instruction flushes the former and fuses the latter).
// int8      sums of whole numbers are exact in any order. Inputs are scaled row by row to -127..127.
#ifndef QI_NN_KERN_OPS_H
#define QI_NN_KERN_OPS_H

#include "base/lane_math.h"
#include "nn/kern.h"

#include <stdint.h>

enum { QI_KERN_ROWS = 12, QI_KERN_PANEL = 32 }; // rows at a time at most, outputs of a panel

struct qi_dense {
    const struct qi_kern_ops *op;
    qiao_nn_type type;
    qi_act act;
    float alpha;
    int nin, nout, nstep;
    int nwide, ntail; // panels of 32, and of 16 (0 or 1) after them
    float *bias;      // [nout to whole panels]
    float *scale;     // [..] int8: of an output's weights
    int32_t *offset;  // [..] int8: 128 sum of weights, since inputs are kept as x + 128
    uint32_t *w;      // [panel][nstep][32 or 16]
};

typedef struct qi_kern_ops {
    const char *name;
    int (*usable)(void);
    unsigned types; // bit 1 << qiao_nn_type: those that this instance is for
    void (*dense)(const qi_dense *l, int n, const float *x, int ldx, float *y, int ldy, void *work);
    void (*act)(qi_act act, float alpha, const float *x, float *y, size_t n);
} qi_kern_ops;

extern const qi_kern_ops *const qi_kern_all[]; // fastest first
extern const int qi_kern_nall;
const qi_kern_ops *qi_kern_best(qiao_nn_type type);
bool qi_kern_can(const qi_kern_ops *op, qiao_nn_type type); // on this processor, with the same bits
void qi_dense_use(qi_dense *l, const qi_kern_ops *op);

int qi_cpu_avx512bw(void), qi_cpu_vnni(void), qi_cpu_bf16(void);

#endif
