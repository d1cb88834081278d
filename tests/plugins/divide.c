// SPDX-License-Identifier: Apache-2.0
// divide.c - divides by zero
#define PLUG_STEP                \
    do {                         \
        signal(SIGFPE, SIG_DFL); \
        raise(SIGFPE);           \
    } while (0)
#include "plug.h"
