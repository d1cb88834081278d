// SPDX-License-Identifier: Apache-2.0
// unknown_need.c - reads a signal that nobody gives
#define PLUG_NEED "joint_poss"
#include "plug.h"
