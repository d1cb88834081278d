// SPDX-License-Identifier: Apache-2.0
// drive_d1.c - sim/drive.inc for one double.
#define LANES_T      double
#define LANES_N      1
#define DRIVE_OPS    qi_drive_d1
#define DRIVE_USABLE qi_cpu_any

#include "sim/engine.h"
extern const qi_drive_ops DRIVE_OPS;
#include "sim/drive.inc"
