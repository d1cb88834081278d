// SPDX-License-Identifier: Apache-2.0
// nn/emit.h - a plan written down as C99 that stands alone.
#ifndef QI_NN_EMIT_H
#define QI_NN_EMIT_H

#include "nn/plan.h"

typedef struct qi_nn_text {
    const char *name, *family; // family "": every file has it
    const char *text;
} qi_nn_text;
extern const qi_nn_text qi_nn_texts[]; // in the order in which they are written

#endif
