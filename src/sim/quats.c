// SPDX-License-Identifier: Apache-2.0
// quats.c - which table of quats.h this processor takes.
#include "sim/quats.h"

extern const qi_quats_ops qi_quats_d1;
#ifdef __x86_64__
extern const qi_quats_ops qi_quats_d4_avx2, qi_quats_d8_avx512;
#endif
const qi_quats_ops *const qi_quats_all[] = {
#ifdef __x86_64__
    &qi_quats_d8_avx512,
    &qi_quats_d4_avx2,
#endif
    &qi_quats_d1,
};
const int qi_quats_nall = sizeof qi_quats_all / sizeof *qi_quats_all;

const qi_quats_ops *qi_quats_best(void) {
    int i = 0;
    while (!qi_quats_all[i]->usable()) i++;
    return qi_quats_all[i];
}
