// SPDX-License-Identifier: Apache-2.0
// kern_f4.c - kernels of room nn: 4 lanes of whatever the processor has.
#define LANES_N     4
#define KERN_OPS    qi_kern_f4
#define KERN_NAME   "plain"
#define KERN_USABLE qi_cpu_any
#define KERN_TYPES  (1u << QIAO_NN_F32 | 1u << QIAO_NN_BF16 | 1u << QIAO_NN_I8)

#include "nn/kern_ops.h"
extern const qi_kern_ops KERN_OPS;
#include "nn/kern_text.inc"
