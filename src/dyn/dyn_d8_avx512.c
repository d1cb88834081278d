// SPDX-License-Identifier: Apache-2.0
// dyn_d8_avx512.c - room dyn for 8 doubles with AVX-512; CFLAGS_dyn_d8_avx512 in the Makefile.
#ifdef __x86_64__
#define LANES_T    double
#define LANES_N    8
#define DYN_OPS    qi_dyn_d8_avx512
#define DYN_CPU    "avx512"
#define DYN_USABLE qi_cpu_avx512

#include "dyn/ops.h"
extern const qi_dyn_ops DYN_OPS;
#include "dyn/text.inc"
#endif
