// SPDX-License-Identifier: Apache-2.0
// base/lanes.h - the number type R: one double or float, or LANES_N of them side by side.
// A source file defines LANES_T (double or float) and LANES_N (1, 2, 4, 8, 16) and includes this;
// the algorithms it then includes are one text for every width. Every operation is done lane by
// lane in IEEE arithmetic without contraction, so a lane's bits are the bits of the scalar.
//   T     the scalar           R     the number: T, or a vector of T
//   mask  all ones or all zeros in each lane; & | ^ ~ work on it
#ifndef QI_LANES_H
#define QI_LANES_H

#include <stdint.h>
#include <string.h>
#ifdef __AVX2__
#include <immintrin.h>
#endif

#if !defined LANES_T || !defined LANES_N
#error "define LANES_T (double or float) and LANES_N (1, 2, 4, 8 or 16) first"
#endif
#define LANE_FN static inline __attribute__((always_inline))
typedef LANES_T T;
#define LANES_F64 (sizeof(T) == 8)

typedef __typeof__(__builtin_choose_expr(sizeof(T) == 8, (uint64_t)0, (uint32_t)0)) lane_int;
typedef __typeof__(__builtin_choose_expr(sizeof(T) == 8, (int64_t)0, (int32_t)0)) lane_sint;
#if LANES_N == 1
typedef T R;
typedef lane_int mask;
LANE_FN R num(T x) { return x; }
LANE_FN mask whole(int64_t x) { return (mask)x; }
LANE_FN mask sar(mask m, int n) { return (mask)((lane_sint)m >> n); } // sign kept
LANE_FN mask lt(R a, R b) { return -(mask)(a < b); }
LANE_FN mask le(R a, R b) { return -(mask)(a <= b); }
LANE_FN mask eq(R a, R b) { return -(mask)(a == b); }
LANE_FN R root(R x) {
    return LANES_F64 ? (R)__builtin_sqrt((double)x) : (R)__builtin_sqrtf((float)x);
}
LANE_FN int any(mask m) { return m != 0; }
LANE_FN R minr(R a, R b) { return b < a ? b : a; } // a if either is not a number
LANE_FN R maxr(R a, R b) { return a < b ? b : a; }
#else
typedef T R __attribute__((vector_size(LANES_N * sizeof(T))));
typedef lane_int mask __attribute__((vector_size(LANES_N * sizeof(T))));
typedef lane_sint smask __attribute__((vector_size(LANES_N * sizeof(T))));
LANE_FN R num(T x) { return x - (R){0}; } // x - 0 is x, -0 and all
LANE_FN mask whole(int64_t x) { return (lane_int)x - (mask){0}; }
LANE_FN mask sar(mask m, int n) { return (mask)((smask)m >> n); }
LANE_FN mask lt(R a, R b) { return (mask)(a < b); }
LANE_FN mask le(R a, R b) { return (mask)(a <= b); }
LANE_FN mask eq(R a, R b) { return (mask)(a == b); }
// The square root is exact in IEEE arithmetic, so the processor's own has the same bits.
LANE_FN R root(R x) {
#if defined __AVX512F__ && LANES_N == 16
    return (R)_mm512_sqrt_ps((__m512)x);
#elif defined __AVX512F__ && LANES_N == 8
    return (R)_mm512_sqrt_pd((__m512d)x);
#elif defined __AVX2__ && LANES_N == 8
    return (R)_mm256_sqrt_ps((__m256)x);
#elif defined __AVX2__ && LANES_N == 4
    return (R)_mm256_sqrt_pd((__m256d)x);
#else
    for (int i = 0; i < LANES_N; i++)
        x[i] = LANES_F64 ? (T)__builtin_sqrt((double)x[i]) : (T)__builtin_sqrtf((float)x[i]);
    return x;
#endif
}
// Whether any lane is set; the lesser and the greater of two: a where either is not a number or
// they are equal, which is what the processors' own do when a comes second.
#if defined __AVX512F__ && LANES_N == 16
LANE_FN int any(mask m) { return _mm512_test_epi32_mask((__m512i)m, (__m512i)m) != 0; }
LANE_FN R minr(R a, R b) { return (R)_mm512_min_ps((__m512)b, (__m512)a); }
LANE_FN R maxr(R a, R b) { return (R)_mm512_max_ps((__m512)b, (__m512)a); }
#elif defined __AVX512F__ && LANES_N == 8
LANE_FN int any(mask m) { return _mm512_test_epi32_mask((__m512i)m, (__m512i)m) != 0; }
LANE_FN R minr(R a, R b) { return (R)_mm512_min_pd((__m512d)b, (__m512d)a); }
LANE_FN R maxr(R a, R b) { return (R)_mm512_max_pd((__m512d)b, (__m512d)a); }
#elif defined __AVX2__ && LANES_N == 8
LANE_FN int any(mask m) { return !_mm256_testz_si256((__m256i)m, (__m256i)m); }
LANE_FN R minr(R a, R b) { return (R)_mm256_min_ps((__m256)b, (__m256)a); }
LANE_FN R maxr(R a, R b) { return (R)_mm256_max_ps((__m256)b, (__m256)a); }
#elif defined __AVX2__ && LANES_N == 4
LANE_FN int any(mask m) { return !_mm256_testz_si256((__m256i)m, (__m256i)m); }
LANE_FN R minr(R a, R b) { return (R)_mm256_min_pd((__m256d)b, (__m256d)a); }
LANE_FN R maxr(R a, R b) { return (R)_mm256_max_pd((__m256d)b, (__m256d)a); }
#else
LANE_FN int any(mask m) {
    uint64_t w[sizeof m / 8], s = 0;
    memcpy(w, &m, sizeof m);
    for (size_t i = 0; i < sizeof m / 8; i++) s |= w[i];
    return s != 0;
}
#define LANES_PICK_MIN
#endif
#endif

// the same bits read as the other type
LANE_FN mask bits(R a) {
    mask m;
    memcpy(&m, &a, sizeof m);
    return m;
}
LANE_FN R from_bits(mask m) {
    R a;
    memcpy(&a, &m, sizeof a);
    return a;
}
// m ? a : b, in each lane
LANE_FN R pick(mask m, R a, R b) { return from_bits((bits(a) & m) | (bits(b) & ~m)); }
#define SIGN_BIT whole(LANES_F64 ? INT64_MIN : (int64_t)INT32_MIN)
LANE_FN R absr(R a) { return from_bits(bits(a) & ~SIGN_BIT); }
#ifdef LANES_PICK_MIN
LANE_FN R minr(R a, R b) { return pick(lt(b, a), b, a); }
LANE_FN R maxr(R a, R b) { return pick(lt(a, b), b, a); }
#endif
LANE_FN R clampr(R a, R lo, R hi) { return minr(maxr(a, lo), hi); }
LANE_FN mask is_finite(R a) { return eq(a - a, num(0)); }
LANE_FN T lane_get(const R *a, int lane) {
    T x;
    memcpy(&x, (const char *)a + (size_t)lane * sizeof(T), sizeof x);
    return x;
}
LANE_FN void lane_set(R *a, int lane, T x) {
    memcpy((char *)a + (size_t)lane * sizeof(T), &x, sizeof x);
}

#endif
