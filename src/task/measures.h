// SPDX-License-Identifier: Apache-2.0
// measures.h - what conditions, scores and envelopes may ask of a running trial; one table.
#ifndef QI_TASK_MEASURES_H
#define QI_TASK_MEASURES_H

#include "osc.h"

enum { QI_MIN, QI_MAX, QI_ABS, QI_SUM, QI_MEAN, QI_SHARE, QI_ALL_DIFFERENT }; // built in

typedef struct qi_measure { // "def name(..) is external" of a library finds it here
    const char *name;
    double (*fn)(struct qiao_referee *f, const qi_val *arg);
} qi_measure;

const qi_measure *qi_measure_find(const char *name);

#endif
