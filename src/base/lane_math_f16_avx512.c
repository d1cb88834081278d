// SPDX-License-Identifier: Apache-2.0
#ifdef __x86_64__
#define LANES_T     float
#define LANES_N     16
#define LANE_MATH   qi_lane_math_f16_avx512
#define LANE_USABLE qi_cpu_avx512

#include "base/lane_math.h"
extern const qi_lane_math LANE_MATH;
#include "base/lane_math.inc"
#endif
