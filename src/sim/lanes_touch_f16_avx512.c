// SPDX-License-Identifier: Apache-2.0
#ifdef __x86_64__
#define LANES_T      float
#define LANES_N      16
#define TOUCH_OPS    qi_touch_f16_avx512
#define TOUCH_USABLE qi_cpu_avx512

#include "sim/lanes_touch_ops.h"
extern const qi_touch_ops TOUCH_OPS;
#include "sim/lanes_touch_ops.inc"
#endif
