// SPDX-License-Identifier: Apache-2.0
// crash_init.c - aborts while it is bound
#define PLUG_INIT                 \
    do {                          \
        signal(SIGABRT, SIG_DFL); \
        abort();                  \
    } while (0)
#include "plug.h"
