// SPDX-License-Identifier: Apache-2.0
// quats_d8_avx512.c - sim/quats.inc for 8 doubles; CFLAGS_quats_d8_avx512 in the Makefile.
#ifdef __x86_64__
#define LANES_T      double
#define LANES_N      8
#define QUATS        qi_quats_d8_avx512
#define QUATS_USABLE qi_cpu_avx512

#include "sim/quats.h"
extern const qi_quats_ops QUATS;
#include "sim/quats.inc"
#endif
