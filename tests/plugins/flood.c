// SPDX-License-Identifier: Apache-2.0
// flood.c - writes to the socket without end
#define PLUG_STEP                                \
    do {                                         \
        static char buf[65536];                  \
        while (write(3, buf, sizeof buf) > 0) {} \
    } while (0)
#include "plug.h"
