// SPDX-License-Identifier: Apache-2.0
// no_entry.c - a shared object that is no brain
#define PLUG_NO_ENTRY
#include "plug.h"
