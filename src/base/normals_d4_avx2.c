// SPDX-License-Identifier: Apache-2.0
// normals_d4_avx2.c - normals for 4 doubles.
#ifdef __x86_64__
#define LANES_T        double
#define LANES_N        4
#define NORMALS        qi_normals_d4_avx2
#define NORMALS_USABLE qi_cpu_avx2

#include "base/normals.h"
extern const qi_normals NORMALS;
#include "base/normals.inc"
#endif
