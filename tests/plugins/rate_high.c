// SPDX-License-Identifier: Apache-2.0
// rate_high.c - a rate beyond the limit
#define PLUG_RATE 5000
#include "plug.h"
