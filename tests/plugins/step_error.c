// SPDX-License-Identifier: Apache-2.0
// step_error.c - gives up by itself
#define PLUG_STEP return QIAO_E_INFEASIBLE
#include "plug.h"
