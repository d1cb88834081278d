// SPDX-License-Identifier: Apache-2.0
// train_curve.h - the course of a training as one small picture.
#ifndef QIAO_TRAIN_CURVE_H
#define QIAO_TRAIN_CURVE_H

#include "qiao/base.h"

typedef struct train_panel {
    const char *name;
    const double *y; // [n] NAN: nothing
} train_panel;
// Panels side by side over x [n], which has the unit; the last value stands beside its curve.
qiao_err train_curve(const char *path, const char *title, const char *unit, const double *x, int n,
                     const train_panel *panel, int npanel, qiao_diag *d);

#endif
