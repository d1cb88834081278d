// SPDX-License-Identifier: Apache-2.0
// vec.c - sin, cos and atan2 of base's lanes, one wide.
#include "ctl/vec.h"

#define LANES_T double
#define LANES_N 1
#include "base/lanes_math.h"

void qi_sincos(double x, double *s, double *c) { sincosr(x, s, c); }
double qi_atan2(double y, double x) { return atan2r(y, x); }
