// SPDX-License-Identifier: Apache-2.0
// jumps.c - stays where it is for ten steps, then wants its first joint a hundred radians away
#define PLUG_STEP                                                                           \
    static int k;                                                                           \
    for (int i = 0; i < cmd->nu; i++) cmd->q[i] = obs->x[i] + (i == 0 && k >= 10 ? 99 : 0); \
    k++
#include "plug.h"
