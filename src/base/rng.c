// SPDX-License-Identifier: Apache-2.0
// rng.c - Philox4x32-10. Source: J. Salmon et al., SC 2011, section 2; constants of its table 2.
#include "base/normals.h"

static void philox(uint32_t c[4], uint32_t k0, uint32_t k1) {
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c[0], p1 = (uint64_t)0xCD9E8D57u * c[2];
        uint32_t n[4] = {(uint32_t)(p1 >> 32) ^ c[1] ^ k0, (uint32_t)p1,
                         (uint32_t)(p0 >> 32) ^ c[3] ^ k1, (uint32_t)p0};
        for (int i = 0; i < 4; i++) c[i] = n[i];
        k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
    }
}

// Two uniform numbers of 53 bits for one (key, counter, index): key is the seed, the rest counts.
static void draw(const qiao_rng *r, uint64_t counter, uint32_t index, double u[2]) {
    uint32_t mix = r->purpose * 0x9E3779B1u + index;
    uint32_t c[4] = {(uint32_t)counter, (uint32_t)(counter >> 32) ^ mix, (uint32_t)r->trial,
                     (uint32_t)(r->trial >> 32) ^ index};
    philox(c, (uint32_t)r->seed, (uint32_t)(r->seed >> 32));
    for (int i = 0; i < 2; i++) {
        uint64_t bits = (uint64_t)c[2 * i] << 32 | c[2 * i + 1];
        u[i] = (double)(bits >> 11) * 0x1p-53;
    }
}

double qiao_rng_uniform(const qiao_rng *r, uint64_t counter, uint32_t index) {
    double u[2];
    draw(r, counter, index, u);
    return u[0];
}

extern const qi_normals qi_normals_d1;
#ifdef __x86_64__
extern const qi_normals qi_normals_d4_avx2, qi_normals_d8_avx512;
#endif
const qi_normals *const qi_normals_all[] = {
#ifdef __x86_64__
    &qi_normals_d8_avx512,
    &qi_normals_d4_avx2,
#endif
    &qi_normals_d1,
};
const int qi_normals_nall = sizeof qi_normals_all / sizeof *qi_normals_all;

void qi_rng_normals(const qiao_rng *r, uint64_t counter, uint32_t first, int n, double *z) {
    int i = 0;
    while (!qi_normals_all[i]->usable()) i++;
    qi_normals_all[i]->row(r, counter, first, n, z);
}

// Box and Muller's transform, sqrt(-2 ln(1 - u)) cos(2 pi v), with our own ln and cos: those of C
// libraries differ in the last bits.
double qiao_rng_normal(const qiao_rng *r, uint64_t counter, uint32_t index) {
    double z;
    qi_normals_d1.row(r, counter, index, 1, &z);
    return z;
}
