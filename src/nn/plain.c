// SPDX-License-Identifier: Apache-2.0
// plain.c - the steps of a plan, and which instance of them this processor takes. All give the same
// bits: no operation is joined or moved.
#include "nn/plain_ops.h"

#include "base/lane_math.h"
#include "nn/kern_ops.h"

_Static_assert((int)NN_ACTS == (int)QI_ACT_COUNT && (int)NN_EXP == (int)QI_ACT_EXP &&
                   (int)NN_SWISH == (int)QI_ACT_SWISH,
               "nn_act takes either's numbers");

#define CORE(id, family) qi_core qi_core_##id = {"nn_" #id, family, NULL};
QI_CORES(CORE)

void qi_plain_use(nn_core *const *run) {
    qi_core *const core[] = {
#define ADDRESS(id, family) &qi_core_##id,
        QI_CORES(ADDRESS)};
    for (size_t i = 0; i < sizeof core / sizeof *core; i++) core[i]->run = run[i];
}
__attribute__((constructor)) static void choose(void) {
    qi_plain_use(qi_plain_any);
#ifdef __x86_64__
    __builtin_cpu_init();
    if (qi_cpu_avx2()) qi_plain_use(qi_plain_avx2);
    if (qi_cpu_avx512bw()) qi_plain_use(qi_plain_avx512);
#endif
}
