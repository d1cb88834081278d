// SPDX-License-Identifier: Apache-2.0
// boot.h - the draws of a bootstrap, made once for many columns of a table; inside room prove only.
#ifndef QI_PROVE_BOOT_H
#define QI_PROVE_BOOT_H

#include "qiao/prove_stats.h"

typedef struct qi_boot qi_boot;
// For columns of so many finite values, drawn one by one up to `single`, else in QI_BOOT_GROUPS
// groups, or `single` if that is less. free()
enum { QI_BOOT_SINGLE = 2048, QI_BOOT_GROUPS = 1024 };
qi_boot *qi_boot_new(int nfinite, int single, uint64_t seed);
// As qiao_stat_mean with b's seed.
qiao_interval qi_boot_mean(const qi_boot *b, const double *x, int n, int nfinite, double level);

#endif
