// SPDX-License-Identifier: Apache-2.0
// no_fit.c - does not fit the body, and says why
#define PLUG_SIZE (qiao_diag_set_here(d), (size_t)0)
#include "qiao/base.h"
#include <stdio.h>

// a plug-in without the library: fills the diag by hand
static inline void qiao_diag_set_here(qiao_diag *d) {
    d->err = QIAO_E_FIT;
    snprintf(d->text, sizeof d->text, "four legs are needed");
}
#include "plug.h"
