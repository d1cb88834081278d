// SPDX-License-Identifier: Apache-2.0
// lanes.c - which instance of engine lanes this processor gets.
#include "sim/lanes_ops.h"

extern const qi_lanes_ops qi_lanes_d1, qi_lanes_f1, qi_lanes_d2, qi_lanes_f4;
#ifdef __x86_64__
extern const qi_lanes_ops qi_lanes_d4_avx2, qi_lanes_f8_avx2, qi_lanes_d8_avx512,
    qi_lanes_f16_avx512;
#endif
const qi_lanes_ops *const qi_lanes_all[] = {
#ifdef __x86_64__
    &qi_lanes_d8_avx512, &qi_lanes_f16_avx512, &qi_lanes_d4_avx2, &qi_lanes_f8_avx2,
#endif
    &qi_lanes_d2,        &qi_lanes_f4,         &qi_lanes_d1,      &qi_lanes_f1};
const int qi_lanes_nall = sizeof qi_lanes_all / sizeof *qi_lanes_all;

const qi_lanes_ops *qi_lanes_best(qiao_real real) {
    for (int i = 0; i < qi_lanes_nall; i++)
        if (qi_lanes_all[i]->real == real && qi_lanes_all[i]->usable()) return qi_lanes_all[i];
    return NULL; // not reached: the plain ones are always usable
}
