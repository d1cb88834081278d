// SPDX-License-Identifier: Apache-2.0
// orphan.c - leaves a grandchild behind, then ends
#define PLUG_STEP             \
    do {                      \
        if (fork() == 0)      \
            for (;;) pause(); \
        _exit(4);             \
    } while (0)
#include "plug.h"
