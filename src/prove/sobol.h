// SPDX-License-Identifier: Apache-2.0
// sobol.h - points of low discrepancy: any 2^k first ones fill the cube evenly. Room prove only.
#ifndef QI_SOBOL_H
#define QI_SOBOL_H

#include <stdint.h>

enum { QI_SOBOL_DIMS = 64 };
// Point i of Sobol's sequence in the first n dimensions (at most QI_SOBOL_DIMS), under the
// scramble that seed and round key (Owen's, by hash). u [n] out, 0 <= u < 1.
void qi_sobol(uint64_t seed, uint32_t round, uint32_t i, int n, double *u);

#endif
