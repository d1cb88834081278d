// SPDX-License-Identifier: Apache-2.0
// nan_second.c - good in all worlds but the second
#define PLUG_STEP \
    if (obs->n > 1) cmd->kd[cmd->nu + 1] = NAN
#include "plug.h"
