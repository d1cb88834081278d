// SPDX-License-Identifier: Apache-2.0
// pack.c - see pack.h.
#include "prove/pack.h"
#include "prove/head.h"
#include "rec/mcap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHECK_BYTES = 8, FLAG_PASSED = 1, FLAG_PLACES = 2 };

static uint8_t *put_f64(uint8_t *p, double x) {
    if (isnan(x)) return qi_put64(p, 0x7ff8000000000000u);
    return qi_put(p, &x, 8);
}
static uint8_t *put_f64s(uint8_t *p, const double *x, int n) {
    for (int i = 0; i < n; i++) p = put_f64(p, x[i]);
    return p;
}
// A text without line ends or other signs that a terminal obeys.
static uint8_t *put_short(uint8_t *p, const char *s, size_t cap) {
    size_t n = strnlen(s, cap - 1);
    *p++ = (uint8_t)n;
    for (size_t i = 0; i < n; i++)
        *p++ = (unsigned char)s[i] < 0x20 || s[i] == 0x7f ? ' ' : (uint8_t)s[i];
    return p;
}

size_t qi_pack_max(const qiao_table *t) {
    const qiao_row *r = NULL;
    return 8 + 1 + 16 + sizeof r->cause + sizeof r->reason + QIAO_HASH_BYTES + CHECK_BYTES +
           8 * (size_t)(2 * t->nparam + t->nmeasure);
}

size_t qi_pack(const qiao_table *t, const qiao_row *row, const double *u, uint8_t *out) {
    uint8_t *p = qi_put64(out, row->trial), hash[QIAO_HASH_BYTES];
    *p++ = (uint8_t)((row->passed ? FLAG_PASSED : 0) | (u ? FLAG_PLACES : 0));
    p = put_f64(put_f64(p, row->total + 0.0), row->time + 0.0); // no negative zero: SQL has none
    p = put_short(p, row->cause, sizeof row->cause);
    p = put_short(p, row->reason, sizeof row->reason);
    p = qi_put(p, row->trace, QIAO_HASH_BYTES);
    p = put_f64s(put_f64s(p, row->param, t->nparam), row->measure, t->nmeasure);
    if (u) p = put_f64s(p, u, t->nparam);
    qi_hash(out, (size_t)(p - out), hash);
    p = qi_put(p, hash, CHECK_BYTES);
    return (size_t)(p - out);
}

// ---- reading: every length is checked before it is used ----

typedef struct cursor {
    const uint8_t *p;
    size_t left;
    bool bad;
} cursor;

static void take(cursor *c, void *out, size_t n) {
    if (c->bad || n > c->left) {
        c->bad = true, memset(out, 0, n);
        return;
    }
    memcpy(out, c->p, n);
    c->p += n, c->left -= n;
}
static void take_f64s(cursor *c, double *x, int n) {
    for (int i = 0; i < n; i++) {
        uint64_t bits;
        take(c, &bits, 8), memcpy(&x[i], &bits, 8);
        if (isnan(x[i]) && bits != 0x7ff8000000000000u) c->bad = true;
    }
}
static void take_short(cursor *c, char *s, size_t cap) {
    uint8_t n;
    take(c, &n, 1);
    memset(s, 0, cap);
    if (n >= cap)
        c->bad = true;
    else
        take(c, s, n);
    for (int i = 0; i < n && !c->bad; i++)
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f) c->bad = true;
}

size_t qi_unpack(const qiao_table *t, const uint8_t *bytes, size_t n, qiao_row *row, double *u,
                 bool *given, const char **why) {
    cursor c = {bytes, n, false};
    uint8_t flags, check[CHECK_BYTES], hash[QIAO_HASH_BYTES];
    double two[2];
    take(&c, &row->trial, 8), take(&c, &flags, 1), take_f64s(&c, two, 2);
    row->total = two[0], row->time = two[1];
    take_short(&c, row->cause, sizeof row->cause);
    take_short(&c, row->reason, sizeof row->reason);
    take(&c, row->trace, QIAO_HASH_BYTES);
    take_f64s(&c, row->param, t->nparam), take_f64s(&c, row->measure, t->nmeasure);
    row->passed = flags & FLAG_PASSED, *given = flags & FLAG_PLACES;
    if (*given) take_f64s(&c, u, t->nparam);
    size_t body = n - c.left;
    take(&c, check, CHECK_BYTES);
    *why = c.bad || flags > 3 ? "its fields are out of their bounds" : NULL;
    if (c.bad) return 0;
    qi_hash(bytes, body, hash);
    if (memcmp(hash, check, CHECK_BYTES) != 0) *why = "its check does not fit";
    return n - c.left;
}

// ---- words ----

static bool same_f64(double a, double b) {
    return memcmp(&a, &b, 8) == 0 || (isnan(a) && isnan(b));
}

typedef struct words {
    char *text;
    size_t cap, n;
} words;

__attribute__((format(printf, 2, 3))) static void say(words *w, const char *fmt, ...) {
    if (w->n + 1 >= w->cap) return;
    if (w->n) w->n += (size_t)snprintf(w->text + w->n, w->cap - w->n, "; ");
    if (w->n + 1 >= w->cap) return;
    va_list ap;
    va_start(ap, fmt);
    w->n += (size_t)vsnprintf(w->text + w->n, w->cap - w->n, fmt, ap);
    va_end(ap);
}

void qi_row_differ(const qiao_table *t, const qiao_row *a, const qiao_row *b, char *text,
                   size_t cap) {
    words w = {text, cap, 0};
    if (cap) text[0] = 0;
    if (a->passed != b->passed)
        say(&w, "verdict %s, not %s", a->passed ? "passed" : "failed",
            b->passed ? "passed" : "failed");
    if (!same_f64(a->total + 0.0, b->total + 0.0))
        say(&w, "score %.17g, not %.17g", a->total, b->total);
    if (!same_f64(a->time + 0.0, b->time + 0.0)) say(&w, "time %.17g, not %.17g", a->time, b->time);
    if (strcmp(a->cause, b->cause) != 0) say(&w, "cause '%s', not '%s'", a->cause, b->cause);
    if (strcmp(a->reason, b->reason) != 0) say(&w, "reason '%s', not '%s'", a->reason, b->reason);
    if (memcmp(a->trace, b->trace, QIAO_HASH_BYTES) != 0) {
        char x[QIAO_HASH_HEX], y[QIAO_HASH_HEX];
        qiao_hash_hex(a->trace, x), qiao_hash_hex(b->trace, y);
        say(&w, "trace %.16s, not %.16s", x, y);
    }
    for (int i = 0; i < t->nparam; i++)
        if (!same_f64(a->param[i], b->param[i]))
            say(&w, "parameter '%s' %.17g, not %.17g", t->param_name[i], a->param[i], b->param[i]);
    for (int i = 0; i < t->nmeasure; i++)
        if (!same_f64(a->measure[i], b->measure[i]))
            say(&w, "measure '%s' %.17g, not %.17g", t->measure_name[i], a->measure[i],
                b->measure[i]);
}

qiao_row *qi_rows_new(const qiao_table *t, int n) {
    size_t each = (size_t)(t->nparam + t->nmeasure), rows = (size_t)n * sizeof(qiao_row);
    char *mem = calloc(1, rows + (size_t)n * each * sizeof(double) + 1);
    qiao_row *row = (qiao_row *)(void *)mem;
    for (int i = 0; row && i < n; i++) {
        row[i].param = (double *)(void *)(mem + rows) + (size_t)i * each;
        row[i].measure = row[i].param + t->nparam;
    }
    return row;
}
