// SPDX-License-Identifier: Apache-2.0
// wrong_bytes.c - another size of the table
#define PLUG_BYTES (sizeof(qiao_brain_api) - 8)
#include "plug.h"
