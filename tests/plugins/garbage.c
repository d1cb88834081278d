// SPDX-License-Identifier: Apache-2.0
// garbage.c - writes garbage to the socket
#define PLUG_STEP (void)!write(3, "hello, world!!!!!!!!!!!!", 24)
#include "plug.h"
