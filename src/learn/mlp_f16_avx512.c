// SPDX-License-Identifier: Apache-2.0
// mlp_f16_avx512.c - room learn's networks for 16 floats; CFLAGS_net_f16_avx512 in the Makefile.
#ifdef __x86_64__
#define LANES_T float
#define LANES_N 16
#define MLP_OPS qi_mlp_f16_avx512
#define MLP_HALF
#define MLP_NAME   "f16_avx512"
#define MLP_USABLE qi_cpu_avx512

#include "base/lane_math.h"
#include "learn/mlp.h"
extern const qi_mlp_ops MLP_OPS;
#include "learn/mlp.inc"
#endif
