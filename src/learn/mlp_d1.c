// SPDX-License-Identifier: Apache-2.0
// mlp_d1.c - room learn's networks for 1 double on any processor.
#define LANES_T    double
#define LANES_N    1
#define MLP_OPS    qi_mlp_d1
#define MLP_NAME   "d1"
#define MLP_USABLE qi_cpu_any

#include "base/lane_math.h"
#include "learn/mlp.h"
extern const qi_mlp_ops MLP_OPS;
#include "learn/mlp.inc"
