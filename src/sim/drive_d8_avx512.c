// SPDX-License-Identifier: Apache-2.0
// drive_d8_avx512.c - sim/drive.inc for 8 doubles; CFLAGS_drive_d8_avx512 in the Makefile.
#ifdef __x86_64__
#define LANES_T      double
#define LANES_N      8
#define DRIVE_OPS    qi_drive_d8_avx512
#define DRIVE_USABLE qi_cpu_avx512

#include "sim/engine.h"
extern const qi_drive_ops DRIVE_OPS;
#include "sim/drive.inc"
#endif
