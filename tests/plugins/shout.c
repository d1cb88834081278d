// SPDX-License-Identifier: Apache-2.0
// shout.c - prints without end instead of answering
#define PLUG_STEP \
    for (;;) puts("me me me")
#include "plug.h"
