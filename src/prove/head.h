// SPDX-License-Identifier: Apache-2.0
// head.h - the head of a sweep: its parts and the shape of its rows, as one canonical JSON text that
// store, bundle and shared folder have in common; inside room prove only.
#ifndef QI_HEAD_H
#define QI_HEAD_H

#include "qiao/prove.h"

enum {
    QI_HEAD_FORMAT = 1,
    QI_HEAD_MAX = 1 << 20, // bytes of the text
    QI_SHAPE_MAX = 2048,   // parameters, measures
};

typedef struct qi_head {
    qiao_parts parts;
    qiao_table shape; // of no trials
    char *text;       // canonical, ends with a newline
    size_t n;
    uint8_t hash[QIAO_HASH_BYTES]; // of the text: names the sweep
} qi_head;

// All in a's memory. E_FIT: a name or range that no text holds.
qiao_err qi_head_make(const qiao_parts *p, const qiao_table *shape, qiao_arena *a, qi_head *h,
                      qiao_diag *d);
// E_FORMAT and "file: ..." when the text is not what qi_head_make writes, to the byte.
qiao_err qi_head_read(const char *file, const char *text, size_t n, qiao_arena *a, qi_head *h,
                      qiao_diag *d);
// In which parts `there` is not `here`, in words; "" if in none. Names are not compared.
//   build  whether another build counts
void qi_parts_differ(const qiao_parts *there, const qiao_parts *here, bool build, char *text,
                     size_t cap);
// Same names, units and ranges, bit for bit.
bool qi_shape_same(const qiao_table *a, const qiao_table *b);
// BLAKE2b of n bytes.
void qi_hash(const void *p, size_t n, uint8_t out[QIAO_HASH_BYTES]);

#endif
