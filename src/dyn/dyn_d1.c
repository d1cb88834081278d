// SPDX-License-Identifier: Apache-2.0
// dyn_d1.c - room dyn for one double on any processor.
#define LANES_T    double
#define LANES_N    1
#define DYN_OPS    qi_dyn_d1
#define DYN_CPU    "any"
#define DYN_USABLE qi_cpu_any

#include "dyn/ops.h"
extern const qi_dyn_ops DYN_OPS;
#include "dyn/text.inc"
