// SPDX-License-Identifier: Apache-2.0
// Whatever stands in a database file: opened and read to its end, or refused with a reason.
#include "prove/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static volatile double sink;
static uint64_t next;
static bool add_up(void *ctx, const qiao_row *r, const double *u) {
    const qiao_table *t = ctx;
    double sum = r->total + r->time + r->trace[31];
    for (int i = 0; i < t->nparam; i++) sum += r->param[i] + (u ? u[i] : 0);
    for (int i = 0; i < t->nmeasure; i++) sum += r->measure[i];
    if (memchr(r->cause, 0, sizeof r->cause) == NULL) abort();
    if (r->trial < next) abort(); // in order, each once
    next = r->trial + 1, sink = sum;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    static char path[64];
    if (!path[0]) snprintf(path, sizeof path, "/dev/shm/qiao_fuzz_%d.db", (int)getpid());
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, bytes, f) != bytes) abort();
    fclose(f);
    qiao_diag d = {0};
    qiao_store *s = qiao_store_open(path, NULL, NULL, &d);
    if (!s && (d.err == QIAO_OK || !d.text[0])) abort();
    if (s) {
        uint64_t x[4];
        qiao_table *t = (qiao_table *)(uintptr_t)qiao_store_shape(s);
        next = 0;
        qiao_err e = qiao_store_each(s, 0, UINT64_MAX, add_up, t, &d);
        if (e && !d.text[0]) abort();
        qiao_store_todo(s, 0, 100, 4, x);
        qiao_store_free(s);
    }
    unlink(path);
    char side[80];
    snprintf(side, sizeof side, "%s-wal", path), unlink(side);
    snprintf(side, sizeof side, "%s-shm", path), unlink(side);
    return 0;
}
