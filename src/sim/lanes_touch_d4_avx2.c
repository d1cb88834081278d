// SPDX-License-Identifier: Apache-2.0
#ifdef __x86_64__
#define LANES_T      double
#define LANES_N      4
#define TOUCH_OPS    qi_touch_d4_avx2
#define TOUCH_USABLE qi_cpu_avx2

#include "sim/lanes_touch_ops.h"
extern const qi_touch_ops TOUCH_OPS;
#include "sim/lanes_touch_ops.inc"
#endif
