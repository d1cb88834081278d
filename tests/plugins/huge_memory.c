// SPDX-License-Identifier: Apache-2.0
// huge_memory.c - wants more memory than there is
#define PLUG_SIZE ((size_t)1 << 60)
#include "plug.h"
