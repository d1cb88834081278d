// SPDX-License-Identifier: Apache-2.0
// step_nan.c - one torque is not a number
#define PLUG_STEP cmd->tau[cmd->nu - 1] = NAN
#include "plug.h"
