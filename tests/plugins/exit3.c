// SPDX-License-Identifier: Apache-2.0
// exit3.c - ends with exit status 3
#define PLUG_STEP _exit(3)
#include "plug.h"
