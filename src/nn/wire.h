// SPDX-License-Identifier: Apache-2.0
// nn/wire.h - protobuf's wire format: one field after another of a message.
// source   protobuf.dev/programming-guides/encoding
#ifndef QI_NN_WIRE_H
#define QI_NN_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct qi_wire { // the bytes of a message that are left
    const uint8_t *at, *end;
} qi_wire;
enum { QI_WIRE_VAR = 0, QI_WIRE_64 = 1, QI_WIRE_BYTES = 2, QI_WIRE_32 = 5 };
typedef struct qi_field {
    int no, type;
    uint64_t v;  // VAR, 64, 32
    qi_wire sub; // BYTES
} qi_field;

static inline bool qi_wire_var(qi_wire *w, uint64_t *v) {
    *v = 0;
    for (int shift = 0; shift < 70 && w->at < w->end; shift += 7) {
        uint8_t c = *w->at++;
        if (shift < 64) *v |= (uint64_t)(c & 127) << shift;
        if (c < 128) return true;
    }
    return false;
}
static inline bool qi_wire_fixed(qi_wire *w, size_t n, uint64_t *v) {
    *v = 0;
    if ((size_t)(w->end - w->at) < n) return false;
    for (size_t i = 0; i < n; i++) *v |= (uint64_t)w->at[i] << (8 * i);
    w->at += n;
    return true;
}
// 1: a field, 0: the end, -1: broken at w->at
static inline int qi_wire_next(qi_wire *w, qi_field *f) {
    if (w->at >= w->end) return 0;
    uint64_t tag, n;
    if (!qi_wire_var(w, &tag) || tag >> 3 == 0 || tag >> 3 > 536870911) return -1;
    *f = (qi_field){.no = (int)(tag >> 3), .type = (int)(tag & 7)};
    switch (f->type) {
    case QI_WIRE_VAR: return qi_wire_var(w, &f->v) ? 1 : -1;
    case QI_WIRE_64: return qi_wire_fixed(w, 8, &f->v) ? 1 : -1;
    case QI_WIRE_32: return qi_wire_fixed(w, 4, &f->v) ? 1 : -1;
    case QI_WIRE_BYTES:
        if (!qi_wire_var(w, &n) || n > (uint64_t)(w->end - w->at)) return -1;
        f->sub = (qi_wire){w->at, w->at + n};
        w->at += n;
        return 1;
    default: return -1;
    }
}

#endif
