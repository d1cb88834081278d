// SPDX-License-Identifier: Apache-2.0
// step_inf.c - one position is infinite
#define PLUG_STEP cmd->q[0] = INFINITY
#include "plug.h"
