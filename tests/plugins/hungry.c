// SPDX-License-Identifier: Apache-2.0
// hungry.c - allocates without end
#define PLUG_STEP                                                                \
    do {                                                                         \
        signal(SIGSEGV, SIG_DFL);                                                \
        for (int i = 0; i < 1 << 16; i++) *(volatile char *)malloc(1 << 26) = 1; \
    } while (0)
#include "plug.h"
