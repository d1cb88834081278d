// SPDX-License-Identifier: Apache-2.0
// cdr.h - ROS 2 message bytes: XCDR1, little-endian, fields aligned to their size from the fourth
// byte on. Writing into a buffer that grows; reading with every length checked.
// source   OMG DDS-XTypes 1.3, clause 7.4; OMG DDSI-RTPS 2.5, clause 10
#ifndef QI_REC_CDR_H
#define QI_REC_CDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct qi_cdr_out {
    uint8_t *p; // owned
    size_t n, cap;
    bool failed; // out of memory
} qi_cdr_out;

static inline uint8_t *qi_cdr_room(qi_cdr_out *o, size_t bytes, size_t align) {
    size_t at = o->n < 4 ? o->n : 4 + (o->n - 4 + align - 1) / align * align;
    if (at + bytes > o->cap) {
        size_t cap = 2 * (at + bytes) + 256;
        uint8_t *p = o->failed ? NULL : realloc(o->p, cap);
        if (!p) {
            o->failed = true;
            return NULL;
        }
        o->p = p, o->cap = cap;
    }
    memset(o->p + o->n, 0, at - o->n);
    o->n = at + bytes;
    return o->p + at;
}
static inline void qi_cdr_put(qi_cdr_out *o, const void *v, size_t size, size_t count) {
    if (!count) return; // an empty sequence is not padded to its elements
    uint8_t *p = qi_cdr_room(o, size * count, size);
    if (p) memcpy(p, v, size * count);
}
static inline void qi_cdr_begin(qi_cdr_out *o) { // encapsulation: CDR, little-endian
    o->n = 0;
    uint8_t *p = qi_cdr_room(o, 4, 1);
    if (p) memcpy(p, "\0\1\0\0", 4);
}
static inline void qi_cdr_u8(qi_cdr_out *o, uint8_t v) { qi_cdr_put(o, &v, 1, 1); }
static inline void qi_cdr_i32(qi_cdr_out *o, int32_t v) { qi_cdr_put(o, &v, 4, 1); }
static inline void qi_cdr_f32(qi_cdr_out *o, float v) { qi_cdr_put(o, &v, 4, 1); }
static inline void qi_cdr_f64(qi_cdr_out *o, double v) { qi_cdr_put(o, &v, 8, 1); }
static inline void qi_cdr_f64s(qi_cdr_out *o, const double *v, int n) {
    qi_cdr_put(o, v, 8, (size_t)n);
}
static inline void qi_cdr_text(qi_cdr_out *o, const char *s) {
    size_t n = strlen(s) + 1;
    qi_cdr_i32(o, (int32_t)n);
    qi_cdr_put(o, s, 1, n);
}
static inline void qi_cdr_time(qi_cdr_out *o, int64_t t_ns) {
    qi_cdr_i32(o, (int32_t)(t_ns / 1000000000));
    qi_cdr_i32(o, (int32_t)(t_ns % 1000000000));
}

// Reading: after the first field that is not whole, every read gives 0 and bad stays set.
typedef struct qi_cdr_in {
    const uint8_t *p;
    size_t n, at;
    bool bad;
} qi_cdr_in;

static inline qi_cdr_in qi_cdr_open(const uint8_t *p, size_t n) {
    qi_cdr_in c = {p, n, 4, false};
    c.bad = n < 4 || p[0] != 0 || p[1] != 1;
    return c;
}
// count items of size bytes, aligned to size; NULL if they are not all there.
static inline const uint8_t *qi_cdr_take(qi_cdr_in *c, size_t size, size_t count) {
    if (c->bad || !count) return NULL;
    size_t at = 4 + (c->at - 4 + size - 1) / size * size;
    if (at > c->n || count > (c->n - at) / size) {
        c->bad = true;
        return NULL;
    }
    c->at = at + size * count;
    return c->p + at;
}
static inline uint32_t qi_cdr_get_u32(qi_cdr_in *c) {
    uint32_t v = 0;
    const uint8_t *p = qi_cdr_take(c, 4, 1);
    if (p) memcpy(&v, p, 4);
    return v;
}
static inline int32_t qi_cdr_get_i32(qi_cdr_in *c) { return (int32_t)qi_cdr_get_u32(c); }
static inline uint8_t qi_cdr_get_u8(qi_cdr_in *c) {
    const uint8_t *p = qi_cdr_take(c, 1, 1);
    return p ? *p : 0;
}
static inline float qi_cdr_get_f32(qi_cdr_in *c) {
    float v = 0;
    const uint8_t *p = qi_cdr_take(c, 4, 1);
    if (p) memcpy(&v, p, 4);
    return v;
}
static inline void qi_cdr_get_f64s(qi_cdr_in *c, double *v, size_t n) {
    memset(v, 0, n * sizeof *v);
    const uint8_t *p = qi_cdr_take(c, 8, n);
    if (p) memcpy(v, p, n * sizeof *v);
}
static inline double qi_cdr_get_f64(qi_cdr_in *c) {
    double v;
    qi_cdr_get_f64s(c, &v, 1);
    return v;
}
// A text inside the message, not ended by 0 for the caller; *n without the final 0.
static inline const char *qi_cdr_get_text(qi_cdr_in *c, size_t *n) {
    uint32_t len = qi_cdr_get_u32(c);
    const uint8_t *p = len ? qi_cdr_take(c, 1, len) : NULL;
    *n = p ? len - (p[len - 1] == 0) : 0;
    return p ? (const char *)p : "";
}
static inline int64_t qi_cdr_get_time(qi_cdr_in *c) {
    int64_t sec = qi_cdr_get_i32(c);
    return sec * 1000000000 + (int64_t)qi_cdr_get_u32(c);
}

#endif
