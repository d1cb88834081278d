// SPDX-License-Identifier: Apache-2.0
// dyn_d1_avx2.c - room dyn for one double with AVX2; CFLAGS_dyn_d1_avx2 in the Makefile.
#ifdef __x86_64__
#define LANES_T    double
#define LANES_N    1
#define DYN_OPS    qi_dyn_d1_avx2
#define DYN_CPU    "avx2"
#define DYN_USABLE qi_cpu_avx2

#include "dyn/ops.h"
extern const qi_dyn_ops DYN_OPS;
#include "dyn/text.inc"
#endif
