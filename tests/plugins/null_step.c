// SPDX-License-Identifier: Apache-2.0
// null_step.c - one function is missing
#define PLUG_API_STEP NULL
#include "plug.h"
