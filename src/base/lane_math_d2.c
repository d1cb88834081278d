// SPDX-License-Identifier: Apache-2.0
#define LANES_T     double
#define LANES_N     2
#define LANE_MATH   qi_lane_math_d2
#define LANE_USABLE qi_cpu_any

#include "base/lane_math.h"
extern const qi_lane_math LANE_MATH;
#include "base/lane_math.inc"
