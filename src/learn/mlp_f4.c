// SPDX-License-Identifier: Apache-2.0
// mlp_f4.c - room learn's networks for 4 floats on any processor.
#define LANES_T float
#define LANES_N 4
#define MLP_OPS qi_mlp_f4
#define MLP_HALF
#define MLP_NAME   "f4"
#define MLP_USABLE qi_cpu_any

#include "base/lane_math.h"
#include "learn/mlp.h"
extern const qi_mlp_ops MLP_OPS;
#include "learn/mlp.inc"
