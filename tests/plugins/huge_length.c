// SPDX-License-Identifier: Apache-2.0
// huge_length.c - announces a frame of 4 GB
#define PLUG_STEP                                          \
    do {                                                   \
        uint32_t head[4] = {0x31524251, 7, 0xffffffff, 4}; \
        (void)!write(3, head, sizeof head);                \
    } while (0)
#include "plug.h"
