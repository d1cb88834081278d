// SPDX-License-Identifier: Apache-2.0
// normals_d8_avx512.c - normals for 8 doubles; CFLAGS_normals_d8_avx512 in the Makefile.
#ifdef __x86_64__
#define LANES_T        double
#define LANES_N        8
#define NORMALS        qi_normals_d8_avx512
#define NORMALS_USABLE qi_cpu_avx512

#include "base/normals.h"
extern const qi_normals NORMALS;
#include "base/normals.inc"
#endif
