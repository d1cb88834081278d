// SPDX-License-Identifier: Apache-2.0
// kern_bf16_avx512.c - room nn: bfloat16 by VDPBF16PS; CFLAGS_kern_bf16_avx512 in the Makefile.
#ifdef __x86_64__
#define LANES_N     16
#define KERN_OPS    qi_kern_bf16_avx512
#define KERN_NAME   "avx512 bf16"
#define KERN_USABLE qi_cpu_bf16
#define KERN_TYPES  (1u << QIAO_NN_BF16)
#define KERN_BF16

#include "nn/kern_ops.h"
extern const qi_kern_ops KERN_OPS;
#include "nn/kern_text.inc"
#endif
