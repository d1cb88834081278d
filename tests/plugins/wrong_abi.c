// SPDX-License-Identifier: Apache-2.0
// wrong_abi.c - built for another version
#define PLUG_ABI 7
#include "plug.h"
