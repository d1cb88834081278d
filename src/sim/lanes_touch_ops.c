// SPDX-License-Identifier: Apache-2.0
// lanes_touch_ops.c - the list of instances.

#include "sim/lanes_touch_ops.h"

extern const qi_touch_ops qi_touch_d1, qi_touch_f1, qi_touch_d2, qi_touch_f4;
#ifdef __x86_64__
extern const qi_touch_ops qi_touch_d4_avx2, qi_touch_f8_avx2, qi_touch_d8_avx512,
    qi_touch_f16_avx512;
#endif

const qi_touch_ops *const qi_touch_all[] = {
#ifdef __x86_64__
    &qi_touch_d8_avx512, &qi_touch_f16_avx512, &qi_touch_d4_avx2, &qi_touch_f8_avx2,
#endif
    &qi_touch_d2,        &qi_touch_f4,         &qi_touch_d1,      &qi_touch_f1,
};
const int qi_touch_nall = sizeof qi_touch_all / sizeof *qi_touch_all;
