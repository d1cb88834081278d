// SPDX-License-Identifier: Apache-2.0
// base/normals.h - normal random numbers by the row: the bits of qiao_rng_normal, many at once.
// Every instance gives the same bits, on every processor and C library.
#ifndef QI_NORMALS_H
#define QI_NORMALS_H

#include "qiao/base.h"

typedef struct qi_normals {
    const char *name;
    int (*usable)(void);
    // z [n]: the numbers of index first .. first + n - 1 at one counter
    void (*row)(const qiao_rng *r, uint64_t counter, uint32_t first, int n, double *z);
} qi_normals;

extern const qi_normals *const qi_normals_all[]; // widest first
extern const int qi_normals_nall;

// By the widest that this processor has.
void qi_rng_normals(const qiao_rng *r, uint64_t counter, uint32_t first, int n, double *z);

#endif
