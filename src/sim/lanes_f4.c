// SPDX-License-Identifier: Apache-2.0
// lanes_f4.c - engine lanes for 4 x float, any processor.
#define LANES_T    float
#define LANES_N    4
#define LANES_OPS  qi_lanes_f4
#define LANES_DYN  qi_dyn_f4
#define DYN_CPU    "any"
#define DYN_USABLE qi_cpu_any

#include "sim/lanes_ops.h"
extern const qi_lanes_ops LANES_OPS;
extern const qi_dyn_ops LANES_DYN;
#include "sim/lanes_text.inc"
