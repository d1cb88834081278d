// SPDX-License-Identifier: Apache-2.0
// Whatever bytes stand in a worker's chunk of rows, and whatever its file is called.
#include "prove/spool.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static const char *const names[] = {"a", "b", "c"};
static const double range[3][2] = {{0, 1}, {0, 1}, {0, 1}};
static const qiao_table shape = {.nparam = 2,
                                 .nmeasure = 3,
                                 .param_name = names,
                                 .param_unit = names,
                                 .param_range = range,
                                 .measure_name = names,
                                 .measure_unit = names};

static volatile double sink;

static void read_chunk(const qi_head *h, const qi_slot *s, const uint8_t *p, size_t n) {
    qiao_row *row = qi_rows_new(&shape, s->n);
    double seconds = 0, sum = 0;
    qiao_diag d = {0};
    if (!row) return;
    qiao_err e = qi_chunk_unpack("fuzz", h, s, p, n, row, &seconds, &d);
    if (e && !d.text[0]) abort();
    for (int i = 0; i < s->n && !e; i++) {
        if (row[i].trial != s->first + (uint64_t)i) abort();
        sum += row[i].total + row[i].param[1] + row[i].measure[2] + row[i].cause[47];
    }
    if (!(seconds >= 0)) abort();
    sink = sum;
    free(row);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    static qi_head h;
    static qiao_arena *a;
    if (!a) {
        const qiao_parts parts = {.scenario = "s", .robot = "r"};
        a = qiao_arena_new();
        if (!a || qi_head_make(&parts, &shape, a, &h, NULL)) abort();
    }
    char name[200], back[QI_SPOOL_NAME];
    qi_slot s = {.first = 7, .n = 3}, t;
    size_t n = bytes < sizeof name ? bytes : sizeof name - 1;
    if (n) memcpy(name, data, n);
    name[n] = 0;
    if (qi_slot_parse(name, &t)) { // a name that is taken is written as it was read
        qi_slot_name(&t, back);
        if (strcmp(back, name) != 0) abort();
    }
    uint8_t *own = malloc(bytes ? bytes : 1);
    if (!own) return 0;
    if (bytes) memcpy(own, data, bytes);
    read_chunk(&h, &s, own, bytes);
    if (bytes > 92) { // as whole as a hash can make it: the rows are read
        memcpy(own, "QIAOCHK1", 8), memcpy(own + 8, h.hash, QIAO_HASH_BYTES);
        memcpy(own + 40, &s.first, 8);
        uint32_t count = 3;
        memcpy(own + 48, &count, 4);
        qi_hash(own, bytes - QIAO_HASH_BYTES, own + bytes - QIAO_HASH_BYTES);
        read_chunk(&h, &s, own, bytes);
    }
    free(own);
    return 0;
}
