// SPDX-License-Identifier: Apache-2.0
// lanes_d4_avx2.c - engine lanes for 4 x double; CFLAGS_lanes_d4_avx2 in the Makefile.
#ifdef __x86_64__
#define LANES_T    double
#define LANES_N    4
#define LANES_OPS  qi_lanes_d4_avx2
#define LANES_DYN  qi_dyn_d4_avx2
#define DYN_CPU    "avx2"
#define DYN_USABLE qi_cpu_avx2

#include "sim/lanes_ops.h"
extern const qi_lanes_ops LANES_OPS;
extern const qi_dyn_ops LANES_DYN;
#include "sim/lanes_text.inc"
#endif
