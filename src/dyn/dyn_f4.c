// SPDX-License-Identifier: Apache-2.0
// dyn_f4.c - room dyn for 4 floats on any processor.
#define LANES_T    float
#define LANES_N    4
#define DYN_OPS    qi_dyn_f4
#define DYN_CPU    "any"
#define DYN_USABLE qi_cpu_any

#include "dyn/ops.h"
extern const qi_dyn_ops DYN_OPS;
#include "dyn/text.inc"
