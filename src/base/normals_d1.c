// SPDX-License-Identifier: Apache-2.0
// normals_d1.c - normals for one double.

#define LANES_T        double
#define LANES_N        1
#define NORMALS        qi_normals_d1
#define NORMALS_USABLE qi_cpu_any

#include "base/normals.h"
extern const qi_normals NORMALS;
#include "base/normals.inc"
