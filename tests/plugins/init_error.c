// SPDX-License-Identifier: Apache-2.0
// init_error.c - cannot start
#define PLUG_INIT                                                                \
    do {                                                                         \
        d->err = QIAO_E_IO;                                                      \
        snprintf(d->text, sizeof d->text, "policy.onnx: there is no such file"); \
        return QIAO_E_IO;                                                        \
    } while (0)
#include "plug.h"
