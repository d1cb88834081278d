// SPDX-License-Identifier: Apache-2.0
// lanes_d2.c - engine lanes for 2 x double, any processor.
#define LANES_T    double
#define LANES_N    2
#define LANES_OPS  qi_lanes_d2
#define LANES_DYN  qi_dyn_d2
#define DYN_CPU    "any"
#define DYN_USABLE qi_cpu_any

#include "sim/lanes_ops.h"
extern const qi_lanes_ops LANES_OPS;
extern const qi_dyn_ops LANES_DYN;
#include "sim/lanes_text.inc"
