// SPDX-License-Identifier: Apache-2.0
#ifdef __x86_64__
#define LANES_T     float
#define LANES_N     8
#define LANE_MATH   qi_lane_math_f8_avx2
#define LANE_USABLE qi_cpu_avx2

#include "base/lane_math.h"
extern const qi_lane_math LANE_MATH;
#include "base/lane_math.inc"
#endif
