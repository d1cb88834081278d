// SPDX-License-Identifier: Apache-2.0
// hang_init.c - never gets ready
#define PLUG_INIT \
    for (;;) pause()
#include "plug.h"
