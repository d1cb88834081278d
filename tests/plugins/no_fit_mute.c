// SPDX-License-Identifier: Apache-2.0
// no_fit_mute.c - does not fit the body, and does not say why
#define PLUG_SIZE 0
#include "plug.h"
