// SPDX-License-Identifier: Apache-2.0
// dyn_f16_avx512.c - room dyn for 16 floats with AVX-512; CFLAGS_dyn_f16_avx512 in the Makefile.
#ifdef __x86_64__
#define LANES_T    float
#define LANES_N    16
#define DYN_OPS    qi_dyn_f16_avx512
#define DYN_CPU    "avx512"
#define DYN_USABLE qi_cpu_avx512

#include "dyn/ops.h"
extern const qi_dyn_ops DYN_OPS;
#include "dyn/text.inc"
#endif
