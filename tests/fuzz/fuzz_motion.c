// SPDX-License-Identifier: Apache-2.0
// A table of a motion: any bytes give a track or a fault with its place, never a crash.
#include "learn/motion.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    qiao_diag d = {0};
    qiao_arena *a = qiao_arena_new();
    qi_track *t = qi_track_csv("fuzz.csv", (const char *)data, size, a, &d);
    if (!t && !d.err) __builtin_trap(); // a fault without words
    for (int i = 0; t && i < t->n; i++) {
        if (i > 0 && !(t->t[i] > t->t[i - 1])) __builtin_trap();
        for (int k = 0; k < 7; k++)
            if (!isfinite(t->base[7 * i + k])) __builtin_trap();
        for (int j = 0; j < t->nname; j++)
            if (!isfinite(t->q[i * t->nname + j])) __builtin_trap();
    }
    qiao_arena_free(a);
    return 0;
}
