// SPDX-License-Identifier: Apache-2.0
// Whatever bytes stand in a result: the walk ends, tells every fault, and what it promises is there.
// The second way in gives each section the hash that it should have, so that hashes keep nothing out.
#include "prove/bundle.h"
#include "rec/mcap.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static volatile double sink;

static bool add_up(void *ctx, uint64_t place, const qiao_row *r, const double *u) {
    const qiao_table *t = ctx;
    double sum = (double)place + r->total + r->time + r->trace[31];
    for (int i = 0; i < t->nparam; i++) sum += r->param[i] + (u ? u[i] : 0);
    for (int i = 0; i < t->nmeasure; i++) sum += r->measure[i];
    if (memchr(r->cause, 0, sizeof r->cause) == NULL) abort();
    if (memchr(r->reason, 0, sizeof r->reason) == NULL) abort();
    sink = sum;
    return true;
}

static void read_all(void *p, size_t n) {
    qiao_diag d = {0};
    FILE *f = n ? fmemopen(p, n, "rb") : NULL;
    if (!f) return;
    qi_walk w;
    qiao_err e = qi_bundle_walk(f, "fuzz.qiao", &w, &d);
    if (e && !d.text[0]) abort();
    if (!e) {
        if (w.nfault && !w.fault[0][0]) abort();
        if (!w.nfault && !w.has_head) abort();
        if (w.has_head) qi_bundle_rows(f, "fuzz.qiao", &w.head.shape, add_up, &w.head.shape, &d);
        qi_walk_free(&w);
    }
    fclose(f);
}

// Sections as they stand, with hashes mended; a row's check stays as it is.
static void mend(uint8_t *p, size_t n) {
    for (size_t at = 8; at + 44 <= n;) {
        uint64_t len;
        memcpy(&len, p + at + 4, 8);
        if (len > n - at - 44) return;
        qi_hash(p + at + 44, (size_t)len, p + at + 12);
        at += 44 + (size_t)len;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    uint8_t *own = malloc(bytes ? bytes : 1);
    if (!own) return 0;
    if (bytes) memcpy(own, data, bytes);
    read_all(own, bytes);
    if (bytes > 52) memcpy(own, QI_BUNDLE_MAGIC, 8), mend(own, bytes), read_all(own, bytes);
    free(own);
    return 0;
}
