// SPDX-License-Identifier: Apache-2.0
#define LANES_T     float
#define LANES_N     4
#define LANE_MATH   qi_lane_math_f4
#define LANE_USABLE qi_cpu_any

#include "base/lane_math.h"
extern const qi_lane_math LANE_MATH;
#include "base/lane_math.inc"
