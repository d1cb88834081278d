// SPDX-License-Identifier: Apache-2.0
// hang.c - never answers
#define PLUG_STEP \
    for (;;) pause()
#include "plug.h"
