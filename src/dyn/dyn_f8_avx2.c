// SPDX-License-Identifier: Apache-2.0
// dyn_f8_avx2.c - room dyn for 8 floats with AVX2; CFLAGS_dyn_f8_avx2 in the Makefile.
#ifdef __x86_64__
#define LANES_T    float
#define LANES_N    8
#define DYN_OPS    qi_dyn_f8_avx2
#define DYN_CPU    "avx2"
#define DYN_USABLE qi_cpu_avx2

#include "dyn/ops.h"
extern const qi_dyn_ops DYN_OPS;
#include "dyn/text.inc"
#endif
