// SPDX-License-Identifier: Apache-2.0
// jsonread.h - reads JSON (RFC 8259) into a tree in an arena; depth and size are bounded.
#ifndef QI_BRAIN_JSONREAD_H
#define QI_BRAIN_JSONREAD_H

#include "qiao/base.h"

typedef enum qi_js_kind {
    QI_JS_NULL,
    QI_JS_BOOL,
    QI_JS_NUM,
    QI_JS_STR,
    QI_JS_LIST,
    QI_JS_MAP
} qi_js_kind;

typedef struct qi_js {
    qi_js_kind kind;
    double num;                 // number, or 1 and 0
    const char *str;            // text, UTF-8
    const char *key;            // of a map's entry
    int n;                      // entries of a list or map
    struct qi_js *first, *next; // entries; neighbour
} qi_js;

// NULL and "line:col: fault" in d (E_FORMAT, E_MEM).
const qi_js *qi_js_read(qiao_arena *a, const char *text, size_t bytes, qiao_diag *d);
const qi_js *qi_js_get(const qi_js *map, const char *key); // NULL: none, or map is none
// The text or number under key, or what is given.
const char *qi_js_str(const qi_js *map, const char *key, const char *none);
double qi_js_num(const qi_js *map, const char *key, double none);

#endif
