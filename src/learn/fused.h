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

// x, but at least lo; what is not a number stays so.
LANE_FN R at_least(R lo, R x) {
#if defined __AVX512F__ && LANES_N == 16
    return (R)_mm512_max_ps((__m512)lo, (__m512)x);
#else
    return pick(lt(x, lo), lo, x);
#endif
}
// x < limit ? a : b, in each lane
LANE_FN R below(R x, R limit, R a, R b) {
#if defined __AVX512F__ && LANES_N == 16
    return (R)_mm512_mask_mov_ps(
        (__m512)b, _mm512_cmp_ps_mask((__m512)x, (__m512)limit, _CMP_LT_OQ), (__m512)a);
#else
    return pick(lt(x, limit), a, b);
#endif
}

#endif
