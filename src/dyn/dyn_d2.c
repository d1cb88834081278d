// SPDX-License-Identifier: Apache-2.0
// dyn_d2.c - room dyn for 2 doubles on any processor.
#define LANES_T    double
#define LANES_N    2
#define DYN_OPS    qi_dyn_d2
#define DYN_CPU    "any"
#define DYN_USABLE qi_cpu_any

#include "dyn/ops.h"
extern const qi_dyn_ops DYN_OPS;
#include "dyn/text.inc"
