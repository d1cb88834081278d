// SPDX-License-Identifier: Apache-2.0
// no_name.c - without a name
#define PLUG_NAME ""
#include "plug.h"
