// SPDX-License-Identifier: Apache-2.0
// quats_d1.c - sim/quats.inc for one double.
#define LANES_T      double
#define LANES_N      1
#define QUATS        qi_quats_d1
#define QUATS_USABLE qi_cpu_any

#include "sim/quats.h"
extern const qi_quats_ops QUATS;
#include "sim/quats.inc"
