// SPDX-License-Identifier: Apache-2.0
// store_fill.c - the loop that runs what a store misses.
#include "prove/store.h"

#include <stdlib.h>

enum { FILL_CHUNK = 512, FILL_MAX = 1 << 16 };

qiao_err qiao_store_fill(qiao_store *s, qiao_sweep *sweep, uint64_t from, uint64_t below, int chunk,
                         qiao_diag *d) {
    qiao_diag own = {0};
    if (!d) d = &own;
    if (chunk < 1) chunk = FILL_CHUNK;
    if (chunk > FILL_MAX) chunk = FILL_MAX;
    uint64_t *trial = calloc((size_t)chunk, sizeof *trial);
    qiao_row *row = qi_rows_new(&s->head.shape, chunk);
    qiao_err e = QIAO_OK;
    if (!trial || !row) e = qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    for (int n; !e && (n = qiao_store_todo(s, from, below, chunk, trial)) > 0;) {
        e = qiao_sweep_run(sweep, n, trial, NULL, row, d);
        if (!e) e = qiao_store_add(s, n, row, NULL, d);
        from = trial[n - 1] + 1;
    }
    free(trial), free(row);
    return e;
}
