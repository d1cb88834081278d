// SPDX-License-Identifier: Apache-2.0
// drive_d4_avx2.c - sim/drive.inc for 4 doubles; CFLAGS_drive_d4_avx2 in the Makefile.
#ifdef __x86_64__
#define LANES_T      double
#define LANES_N      4
#define DRIVE_OPS    qi_drive_d4_avx2
#define DRIVE_USABLE qi_cpu_avx2

#include "sim/engine.h"
extern const qi_drive_ops DRIVE_OPS;
#include "sim/drive.inc"
#endif
