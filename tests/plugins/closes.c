// SPDX-License-Identifier: Apache-2.0
// closes.c - closes the socket and stays
#define PLUG_STEP                         \
    do {                                  \
        shutdown(3, SHUT_RDWR), close(3); \
        for (;;) pause();                 \
    } while (0)
#include "plug.h"
