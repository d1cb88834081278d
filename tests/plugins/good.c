// SPDX-License-Identifier: Apache-2.0
// good.c - a plug-in with no fault
#include "plug.h"
