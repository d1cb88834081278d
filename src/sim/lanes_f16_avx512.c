// SPDX-License-Identifier: Apache-2.0
// lanes_f16_avx512.c - engine lanes for 16 x float; CFLAGS_lanes_f16_avx512 in the Makefile.
#ifdef __x86_64__
#define LANES_T    float
#define LANES_N    16
#define LANES_OPS  qi_lanes_f16_avx512
#define LANES_DYN  qi_dyn_f16_avx512
#define DYN_CPU    "avx512"
#define DYN_USABLE qi_cpu_avx512

#include "sim/lanes_ops.h"
extern const qi_lanes_ops LANES_OPS;
extern const qi_dyn_ops LANES_DYN;
#include "sim/lanes_text.inc"
#endif
