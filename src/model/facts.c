// SPDX-License-Identifier: Apache-2.0
// facts.c - what a scenario tells a brain in words, per world.
#include "qiao/model.h"

#include <string.h>

const char *qiao_io_param(const qiao_io *io, int w, const char *name) {
    for (int i = 0; w >= 0 && w < io->nworld && i < io->nparam; i++)
        if (strcmp(io->param_name[i], name) == 0)
            return io->param_text[(size_t)w * (size_t)io->nparam + (size_t)i];
    return NULL;
}
