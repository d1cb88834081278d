// SPDX-License-Identifier: Apache-2.0
#define LANES_T      double
#define LANES_N      2
#define TOUCH_OPS    qi_touch_d2
#define TOUCH_USABLE qi_cpu_any

#include "sim/lanes_touch_ops.h"
extern const qi_touch_ops TOUCH_OPS;
#include "sim/lanes_touch_ops.inc"
