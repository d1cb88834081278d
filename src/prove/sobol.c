// SPDX-License-Identifier: Apache-2.0
// sobol.c - see sobol.h. source: P. Bratley, B. Fox, Algorithm 659 (1988) for the recurrence;
// S. Joe, F. Kuo, Constructing Sobol sequences with better two-dimensional projections (2008), whose
// table new-joe-kuo-6 gives the numbers below; B. Burley, Practical hash-based Owen scrambling
// (2020), for the scramble.
#include "prove/sobol.h"

#include "qiao/base.h"

#include <math.h>

typedef struct dimension { // degree, inner coefficients of its polynomial, direction numbers
    int s, a, m[9];
} dimension;
static const dimension table[QI_SOBOL_DIMS - 1] = {
    {1, 0, {1}},
    {2, 1, {1, 3}},
    {3, 1, {1, 3, 1}},
    {3, 2, {1, 1, 1}},
    {4, 1, {1, 1, 3, 3}},
    {4, 4, {1, 3, 5, 13}},
    {5, 2, {1, 1, 5, 5, 17}},
    {5, 4, {1, 1, 5, 5, 5}},
    {5, 7, {1, 1, 7, 11, 19}},
    {5, 11, {1, 1, 5, 1, 1}},
    {5, 13, {1, 1, 1, 3, 11}},
    {5, 14, {1, 3, 5, 5, 31}},
    {6, 1, {1, 3, 3, 9, 7, 49}},
    {6, 13, {1, 1, 1, 15, 21, 21}},
    {6, 16, {1, 3, 1, 13, 27, 49}},
    {6, 19, {1, 1, 1, 15, 7, 5}},
    {6, 22, {1, 3, 1, 15, 13, 25}},
    {6, 25, {1, 1, 5, 5, 19, 61}},
    {7, 1, {1, 3, 7, 11, 23, 15, 103}},
    {7, 4, {1, 3, 7, 13, 13, 15, 69}},
    {7, 7, {1, 1, 3, 13, 7, 35, 63}},
    {7, 8, {1, 3, 5, 9, 1, 25, 53}},
    {7, 14, {1, 3, 1, 13, 9, 35, 107}},
    {7, 19, {1, 3, 1, 5, 27, 61, 31}},
    {7, 21, {1, 1, 5, 11, 19, 41, 61}},
    {7, 28, {1, 3, 5, 3, 3, 13, 69}},
    {7, 31, {1, 1, 7, 13, 1, 19, 1}},
    {7, 32, {1, 3, 7, 5, 13, 19, 59}},
    {7, 37, {1, 1, 3, 9, 25, 29, 41}},
    {7, 41, {1, 3, 5, 13, 23, 1, 55}},
    {7, 42, {1, 3, 7, 3, 13, 59, 17}},
    {7, 50, {1, 3, 1, 3, 5, 53, 69}},
    {7, 55, {1, 1, 5, 5, 23, 33, 13}},
    {7, 56, {1, 1, 7, 7, 1, 61, 123}},
    {7, 59, {1, 1, 7, 9, 13, 61, 49}},
    {7, 62, {1, 3, 3, 5, 3, 55, 33}},
    {8, 14, {1, 3, 1, 15, 31, 13, 49, 245}},
    {8, 21, {1, 3, 5, 15, 31, 59, 63, 97}},
    {8, 22, {1, 3, 1, 11, 11, 11, 77, 249}},
    {8, 38, {1, 3, 1, 11, 27, 43, 71, 9}},
    {8, 47, {1, 1, 7, 15, 21, 11, 81, 45}},
    {8, 49, {1, 3, 7, 3, 25, 31, 65, 79}},
    {8, 50, {1, 3, 1, 1, 19, 11, 3, 205}},
    {8, 52, {1, 1, 5, 9, 19, 21, 29, 157}},
    {8, 56, {1, 3, 7, 11, 1, 33, 89, 185}},
    {8, 67, {1, 3, 3, 3, 15, 9, 79, 71}},
    {8, 70, {1, 3, 7, 11, 15, 39, 119, 27}},
    {8, 84, {1, 1, 3, 1, 11, 31, 97, 225}},
    {8, 97, {1, 1, 1, 3, 23, 43, 57, 177}},
    {8, 103, {1, 3, 7, 7, 17, 17, 37, 71}},
    {8, 115, {1, 3, 1, 5, 27, 63, 123, 213}},
    {8, 122, {1, 1, 3, 5, 11, 43, 53, 133}},
    {9, 8, {1, 3, 5, 5, 29, 17, 47, 173, 479}},
    {9, 13, {1, 3, 3, 11, 3, 1, 109, 9, 69}},
    {9, 16, {1, 1, 1, 5, 17, 39, 23, 5, 343}},
    {9, 22, {1, 3, 1, 5, 25, 15, 31, 103, 499}},
    {9, 25, {1, 1, 1, 11, 11, 17, 63, 105, 183}},
    {9, 44, {1, 1, 5, 11, 9, 29, 97, 231, 363}},
    {9, 47, {1, 1, 5, 15, 19, 45, 41, 7, 383}},
    {9, 52, {1, 3, 7, 7, 31, 19, 83, 137, 221}},
    {9, 55, {1, 1, 1, 3, 23, 15, 111, 223, 83}},
    {9, 59, {1, 1, 5, 13, 31, 15, 55, 25, 161}},
    {9, 62, {1, 1, 3, 13, 25, 47, 39, 87, 257}},
};

static uint32_t reverse(uint32_t x) {
    x = x >> 16 | x << 16;
    x = (x & 0xff00ff00u) >> 8 | (x & 0x00ff00ffu) << 8;
    x = (x & 0xf0f0f0f0u) >> 4 | (x & 0x0f0f0f0fu) << 4;
    x = (x & 0xccccccccu) >> 2 | (x & 0x33333333u) << 2;
    return (x & 0xaaaaaaaau) >> 1 | (x & 0x55555555u) << 1;
}

// Each bit is flipped by a hash of the bits above it: a random nested permutation of the interval.
static uint32_t scramble(uint32_t x, uint32_t key) {
    x = reverse(x);
    x ^= x * 0x3d20adeau;
    x += key;
    x *= key >> 16 | 1;
    x ^= x * 0x05526c56u;
    x ^= x * 0x53a22864u;
    return reverse(x);
}

// Coordinate j of point i: the sum without carry of the direction numbers of i's bits.
static uint32_t coordinate(int j, uint32_t i) {
    if (j == 0) return reverse(i);
    const dimension *d = &table[j - 1];
    uint32_t v[32], x = 0;
    for (int k = 0; k < 32; k++) {
        if (k < d->s) {
            v[k] = (uint32_t)d->m[k] << (31 - k);
        } else {
            v[k] = v[k - d->s] ^ v[k - d->s] >> d->s;
            for (int t = 1; t < d->s; t++)
                if (d->a >> (d->s - 1 - t) & 1) v[k] ^= v[k - t];
        }
        if (i >> k & 1) x ^= v[k];
    }
    return x;
}

void qi_sobol(uint64_t seed, uint32_t round, uint32_t i, int n, double *u) {
    for (int j = 0; j < n && j < QI_SOBOL_DIMS; j++) {
        qiao_rng r = {seed, (uint64_t)round << 32 | (uint32_t)j, 0x50b01u};
        uint32_t key = (uint32_t)(qiao_rng_uniform(&r, 0, 0) * 4294967296.0);
        double low = qiao_rng_uniform(&r, 1 + (uint64_t)i, 1); // within the interval of 2^-32
        low = floor(low * 0x1p20) * 0x1p-20;                   // 52 bits in all: never 1
        u[j] = ((double)scramble(coordinate(j, i), key) + low) * 0x1p-32;
    }
}
