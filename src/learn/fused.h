// SPDX-License-Identifier: Apache-2.0
// learn/fused.h - a b + c rounded once, in each lane of the number type R (base/lanes.h): where the
// processor has it in one instruction by that, elsewhere by the library. The same bits everywhere.
#ifndef QI_LEARN_FUSED_H
#define QI_LEARN_FUSED_H

#include "base/lanes.h"
#if defined __ARM_NEON && defined __aarch64__
#include <arm_neon.h>
#endif

LANE_FN T fused_one(T a, T b, T c) {
    return LANES_F64 ? (T)__builtin_fma((double)a, (double)b, (double)c)
                     : (T)__builtin_fmaf((float)a, (float)b, (float)c);
}
LANE_FN R fused(R a, R b, R c) {
#if defined __AVX512F__ && LANES_N == 16
    return (R)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined __FMA__ && LANES_N == 8
    return (R)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined __ARM_NEON && defined __aarch64__ && LANES_N == 4
    return (R)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#elif LANES_N == 1
    return fused_one(a, b, c);
#else
    for (int i = 0; i < LANES_N; i++) c[i] = fused_one(a[i], b[i], c[i]);
    return c;
#endif
}

#endif
