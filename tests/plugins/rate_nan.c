// SPDX-License-Identifier: Apache-2.0
// rate_nan.c - a rate that is not a number
#define PLUG_RATE NAN
#include "plug.h"
