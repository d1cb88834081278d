// SPDX-License-Identifier: Apache-2.0
// mlp_f8_avx2.c - room learn's networks for 8 floats; CFLAGS_net_f8_avx2 in the Makefile.
#ifdef __x86_64__
#define LANES_T float
#define LANES_N 8
#define MLP_OPS qi_mlp_f8_avx2
#define MLP_HALF
#define MLP_NAME   "f8_avx2"
#define MLP_USABLE qi_cpu_fma

#include "base/lane_math.h"
#include "learn/mlp.h"
extern const qi_mlp_ops MLP_OPS;
#include "learn/mlp.inc"
#endif
