// SPDX-License-Identifier: Apache-2.0
// chatty.c - prints more than a pipe holds, every step
#define PLUG_STEP \
    for (int i = 0; i < 4000; i++) puts("forty bytes of talk that nobody asked for")
#include "plug.h"
