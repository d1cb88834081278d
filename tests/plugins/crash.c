// SPDX-License-Identifier: Apache-2.0
// crash.c - touches memory that is not there
#define PLUG_STEP                               \
    do {                                        \
        signal(SIGSEGV, SIG_DFL);               \
        fputs("about to fall\n", stderr);       \
        *(volatile int *)(uintptr_t)obs->n = 1; \
    } while (0)
#include "plug.h"
