// SPDX-License-Identifier: Apache-2.0
// kern_f16_avx512.c - kernels of room nn: 16 lanes, AVX-512 F, BW, DQ, VL; CFLAGS_kern_f16_avx512 in the Makefile.
#ifdef __x86_64__
#define LANES_N     16
#define KERN_OPS    qi_kern_f16_avx512
#define KERN_NAME   "avx512"
#define KERN_USABLE qi_cpu_avx512bw
#define KERN_TYPES  (1u << QIAO_NN_F32 | 1u << QIAO_NN_BF16 | 1u << QIAO_NN_I8)

#include "nn/kern_ops.h"
extern const qi_kern_ops KERN_OPS;
#include "nn/kern_text.inc"
#endif
