// SPDX-License-Identifier: Apache-2.0
// lane_math.c - which processor this is, and which table it takes.

#include "base/lane_math.h"

#include <stddef.h>

extern const qi_lane_math qi_lane_math_d1, qi_lane_math_f1, qi_lane_math_d2, qi_lane_math_f4;
#ifdef __x86_64__
extern const qi_lane_math qi_lane_math_d4_avx2, qi_lane_math_f8_avx2, qi_lane_math_d8_avx512,
    qi_lane_math_f16_avx512;
int qi_cpu_avx2(void) { return __builtin_cpu_supports("avx2") != 0; }
int qi_cpu_avx512(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}
#else
int qi_cpu_avx2(void) { return 0; }
int qi_cpu_avx512(void) { return 0; }
#endif
int qi_cpu_any(void) { return 1; }

const qi_lane_math *const qi_lane_math_all[] = {
#ifdef __x86_64__
    &qi_lane_math_d8_avx512, &qi_lane_math_f16_avx512, &qi_lane_math_d4_avx2, &qi_lane_math_f8_avx2,
#endif
    &qi_lane_math_d2,        &qi_lane_math_f4,         &qi_lane_math_d1,      &qi_lane_math_f1,
};
const int qi_lane_math_nall = sizeof qi_lane_math_all / sizeof *qi_lane_math_all;

const qi_lane_math *qi_lane_math_best(bool f64) {
    for (int i = 0; i < qi_lane_math_nall; i++)
        if (qi_lane_math_all[i]->f64 == f64 && qi_lane_math_all[i]->usable())
            return qi_lane_math_all[i];
    return NULL; // not reached: the plain ones are always usable
}
