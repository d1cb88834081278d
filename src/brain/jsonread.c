// SPDX-License-Identifier: Apache-2.0
// jsonread.c - a JSON reader: recursive descent over text that it never trusts.
#include "brain/jsonread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DEPTH = 16 };

typedef struct reader {
    const char *p, *end, *text;
    qiao_arena *arena;
    qiao_diag *d;
    bool failed;
} reader;

static void fail(reader *r, const char *what) {
    if (r->failed) return;
    r->failed = true;
    int line = 1, col = 1;
    for (const char *c = r->text; c < r->p; c++) {
        if (*c == '\n')
            line++, col = 1;
        else
            col++;
    }
    qiao_diag_set(r->d, QIAO_E_FORMAT, "json", line, col, "%s", what);
}

static char peek(reader *r) {
    while (r->p < r->end && strchr(" \t\r\n", *r->p) && *r->p) r->p++;
    return r->p < r->end ? *r->p : 0;
}

static bool take(reader *r, char c) {
    if (peek(r) != c) return false;
    r->p++;
    return true;
}

static unsigned hex4(reader *r) {
    unsigned x = 0;
    for (int i = 0; i < 4; i++, r->p++) {
        static const char digits[] = "0123456789abcdef0123456789ABCDEF";
        const char *at = r->p < r->end && *r->p ? strchr(digits, *r->p) : NULL;
        if (!at) {
            fail(r, "expected four hex digits");
            return '?';
        }
        x = x * 16 + (unsigned)(at - digits) % 16;
    }
    return x;
}

static char *put_utf8(char *o, unsigned c) {
    if (c < 0x80) {
        *o++ = (char)c;
    } else if (c < 0x800) {
        *o++ = (char)(0xc0 | c >> 6), *o++ = (char)(0x80 | (c & 63));
    } else if (c < 0x10000) {
        *o++ = (char)(0xe0 | c >> 12), *o++ = (char)(0x80 | (c >> 6 & 63));
        *o++ = (char)(0x80 | (c & 63));
    } else {
        *o++ = (char)(0xf0 | c >> 18), *o++ = (char)(0x80 | (c >> 12 & 63));
        *o++ = (char)(0x80 | (c >> 6 & 63)), *o++ = (char)(0x80 | (c & 63));
    }
    return o;
}

static char *read_escape(reader *r, char *o) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char c = r->p < r->end ? *r->p++ : 0;
    const char *at = c ? strchr(from, c) : NULL;
    if (at) {
        *o++ = to[at - from];
        return o;
    }
    if (c != 'u') {
        fail(r, "unknown escape");
        return o;
    }
    unsigned u = hex4(r);
    if (u >= 0xd800 && u < 0xdc00 && r->end - r->p >= 2 && r->p[0] == '\\' && r->p[1] == 'u') {
        r->p += 2;
        unsigned low = hex4(r);
        u = low >= 0xdc00 && low < 0xe000 ? 0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00) : 0;
    }
    if (u == 0 || (u >= 0xd800 && u < 0xe000)) {
        fail(r, "an escape that is no character");
        return o;
    }
    return put_utf8(o, u);
}

static const char *read_text(reader *r) {
    if (!take(r, '"')) {
        fail(r, "expected a text in quotes");
        return "";
    }
    // an escape never gets longer than what it stands for
    const char *q = r->p;
    while (q < r->end && *q != '"') q += *q == '\\' ? 2 : 1;
    if (q >= r->end) {
        fail(r, "the text does not end");
        return "";
    }
    char *out = qiao_arena_get(r->arena, (size_t)(q - r->p) + 1), *o = out;
    if (!out) {
        fail(r, "out of memory");
        return "";
    }
    while (!r->failed && *r->p != '"') {
        if ((unsigned char)*r->p < 0x20) {
            fail(r, "a control character in a text");
        } else if (*r->p == '\\') {
            r->p++, o = read_escape(r, o);
        } else {
            *o++ = *r->p++;
        }
    }
    r->p++;
    *o = 0;
    return out;
}

static void read_number(reader *r, qi_js *v) {
    char buf[64];
    size_t n = 0;
    while (r->p + n < r->end && r->p[n] && strchr("+-.0123456789eE", r->p[n])) n++;
    if (n == 0 || n >= sizeof buf || r->p[0] == '+' || r->p[0] == '.') {
        fail(r, "expected a value");
        return;
    }
    memcpy(buf, r->p, n), buf[n] = 0;
    char *end;
    v->kind = QI_JS_NUM, v->num = strtod(buf, &end);
    if (*end || v->num - v->num != 0) {
        fail(r, "a number that is none");
        return;
    }
    r->p += n;
}

static bool read_word(reader *r, qi_js *v, const char *word, qi_js_kind kind, double num) {
    size_t n = strlen(word);
    if ((size_t)(r->end - r->p) < n || memcmp(r->p, word, n) != 0) return false;
    r->p += n, v->kind = kind, v->num = num;
    return true;
}

static void read_value(reader *r, qi_js *v, int depth);

static void read_entries(reader *r, qi_js *v, int depth, bool map) {
    char close = map ? '}' : ']';
    v->kind = map ? QI_JS_MAP : QI_JS_LIST;
    r->p++;
    if (take(r, close)) return;
    qi_js **last = &v->first;
    while (!r->failed) {
        qi_js *e = qiao_arena_get(r->arena, sizeof *e);
        if (!e) {
            fail(r, "out of memory");
            return;
        }
        if (map) {
            e->key = read_text(r);
            if (!r->failed && !take(r, ':')) fail(r, "expected ':'");
        }
        if (!r->failed) read_value(r, e, depth + 1);
        *last = e, last = &e->next, v->n++;
        if (r->failed || take(r, close)) return;
        if (!take(r, ',')) fail(r, map ? "expected ',' or '}'" : "expected ',' or ']'");
    }
}

static void read_value(reader *r, qi_js *v, int depth) {
    char c = peek(r);
    if (depth > MOST_DEPTH)
        fail(r, "nested too deep");
    else if (c == '{' || c == '[')
        read_entries(r, v, depth, c == '{');
    else if (c == '"')
        v->kind = QI_JS_STR, v->str = read_text(r);
    else if (!read_word(r, v, "true", QI_JS_BOOL, 1) && !read_word(r, v, "false", QI_JS_BOOL, 0) &&
             !read_word(r, v, "null", QI_JS_NULL, 0))
        read_number(r, v);
}

const qi_js *qi_js_read(qiao_arena *a, const char *text, size_t bytes, qiao_diag *d) {
    reader r = {text, text + bytes, text, a, d, false};
    qi_js *v = qiao_arena_get(a, sizeof *v);
    if (!v)
        fail(&r, "out of memory");
    else
        read_value(&r, v, 0);
    if (!r.failed && (peek(&r), r.p < r.end)) fail(&r, "expected the end");
    return r.failed ? NULL : v;
}

const qi_js *qi_js_get(const qi_js *map, const char *key) {
    if (!map || map->kind != QI_JS_MAP) return NULL;
    for (const qi_js *e = map->first; e; e = e->next)
        if (strcmp(e->key, key) == 0) return e;
    return NULL;
}
const char *qi_js_str(const qi_js *map, const char *key, const char *none) {
    const qi_js *v = qi_js_get(map, key);
    return v && v->kind == QI_JS_STR ? v->str : none;
}
double qi_js_num(const qi_js *map, const char *key, double none) {
    const qi_js *v = qi_js_get(map, key);
    return v && (v->kind == QI_JS_NUM || v->kind == QI_JS_BOOL) ? v->num : none;
}
