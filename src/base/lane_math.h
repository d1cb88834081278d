// SPDX-License-Identifier: Apache-2.0
// base/lane_math.h - base/lanes_math.h over arrays, one table for each number type and processor.
// Every table gives the same bits: a single robot takes the widest for its joints' sines.
#ifndef QI_LANE_MATH_H
#define QI_LANE_MATH_H

#include <stdbool.h>

typedef struct qi_lane_math {
    const char *name;
    bool f64;
    int lanes;
    int (*usable)(void); // on this processor
    // arrays of n doubles or floats, n rounded up to whole lanes; 64-byte aligned
    void (*sincos)(const void *x, void *s, void *c, int n);
    void (*exp)(const void *x, void *y, int n);
    void (*log)(const void *x, void *y, int n);
    void (*sqrt)(const void *x, void *y, int n);
    void (*atan2)(const void *y, const void *x, void *out, int n);
    void (*pow)(const void *x, const void *p, void *out, int n);
} qi_lane_math;

extern const qi_lane_math *const qi_lane_math_all[]; // widest first for each number type
extern const int qi_lane_math_nall;
const qi_lane_math *qi_lane_math_best(bool f64);

int qi_cpu_any(void), qi_cpu_avx2(void), qi_cpu_avx512(void);

#endif
