// SPDX-License-Identifier: Apache-2.0
// kern_vnni_avx512.c - kernels of room nn: int8 by VPDPBUSD; CFLAGS_kern_vnni_avx512 in the Makefile.
#ifdef __x86_64__
#define LANES_N     16
#define KERN_OPS    qi_kern_vnni_avx512
#define KERN_NAME   "avx512 vnni"
#define KERN_USABLE qi_cpu_vnni
#define KERN_TYPES  (1u << QIAO_NN_I8)
#define KERN_VNNI

#include "nn/kern_ops.h"
extern const qi_kern_ops KERN_OPS;
#include "nn/kern_text.inc"
#endif
