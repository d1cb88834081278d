// SPDX-License-Identifier: Apache-2.0
// null_entry.c - its entry returns NULL
#define PLUG_ENTRY NULL
#include "plug.h"
