// SPDX-License-Identifier: Apache-2.0
// quats_d4_avx2.c - sim/quats.inc for 4 doubles; CFLAGS_quats_d4_avx2 in the Makefile.
#ifdef __x86_64__
#define LANES_T      double
#define LANES_N      4
#define QUATS        qi_quats_d4_avx2
#define QUATS_USABLE qi_cpu_avx2

#include "sim/quats.h"
extern const qi_quats_ops QUATS;
#include "sim/quats.inc"
#endif
