// SPDX-License-Identifier: Apache-2.0
// crash_load.c - ends the process while it is loaded
#include <unistd.h>
__attribute__((constructor)) static void at_load(void) { _exit(9); }
#include "plug.h"
