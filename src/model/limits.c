// SPDX-License-Identifier: Apache-2.0
// limits.c - looks through MJCF and URDF before MuJoCo does, for what would take unbounded memory or
// time: <replicate> within <replicate>, height fields, textures, grids, memory, files within files.
// A short file can ask for all of these, and MuJoCo's compiler ends the program when memory does.
#define _GNU_SOURCE // memmem
#include "model/compile.h"

#include <ctype.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NEST_MAX = 32, FILES_MAX = 256, ELEMENTS_MAX = 200000, COPIES_MAX = 2000 };
enum { PARTS_MAX = 1000, ATTACH_MAX = 64 }; // parts of a grid; attached models in one file

typedef struct scan {
    const char *dir; // of the file that was asked for: includes are relative to it
    qiao_diag *d;
    int files, elements;
    size_t bytes;
    bool urdf;
} scan;

typedef struct text { // one file being looked through
    scan *s;
    const char *path, *begin, *p, *end;
    int nest, attach, depth; // files above this one, <attach> so far, replicates open
    double copies[NEST_MAX + 1];
} text;

static bool fault(text *t, const char *at, const char *what, const char *name, double most) {
    int line = 1, col = 1;
    for (const char *c = t->begin; c < at; c++) col = *c == '\n' ? (line++, 1) : col + 1;
    qiao_diag_set(t->s->d, QIAO_E_LIMIT, t->path, line, col, "%s%s%s; expected at most %.0f", name,
                  *name ? " " : "", what, most);
    return false;
}

static bool is(const char *at, size_t n, const char *word) {
    return strlen(word) == n && memcmp(at, word, n) == 0;
}

// Attributes that ask for room or time: what their numbers, or the product of them, may be.
static const struct {
    const char *element, *name; // element NULL: any
    double most;
    bool product;
} numbers[] = {
    {"composite", "count", 200, true},
    {"flexcomp", "count", PARTS_MAX, true},
    {"replicate", "count", COPIES_MAX, true},
    {"hfield", "nrow", 4096, false},
    {"hfield", "ncol", 4096, false},
    {"texture", "width", 8192, false},
    {"texture", "height", 8192 * 6, false},
    {"texture", "nchannel", 4, false},
    {"mesh", "params", 500, false},
    {"numeric", "size", 1e6, false},
    {"size", "memory", 4e9, false},
    {"size", "nuserdata", 1e6, false},
    {"size", "njmax", 1e6, false},
    {"size", "nconmax", 1e6, false},
    {"size", "nstack", 1e8, false},
    {"size", "nkey", 10000, false},
    {NULL, "nsample", 10000, false},
    {NULL, "actdim", 1000, false},
    {NULL, "iterations", 10000, false},
    {NULL, "ls_iterations", 10000, false},
    {NULL, "noslip_iterations", 10000, false},
    {NULL, "ccd_iterations", 10000, false},
    {NULL, "sdf_iterations", 10000, false},
    {NULL, "sdf_initpoints", 10000, false},
};

// 4K, 2M, 1G, ... as <size memory> writes them.
static double suffixed(const char **p, double x) {
    static const char letters[] = "KMGTPE";
    const char *l =
        isalpha((unsigned char)**p) ? strchr(letters, toupper((unsigned char)**p)) : NULL;
    if (!l) return x;
    (*p)++;
    for (long i = 0; i <= l - letters; i++) x *= 1024;
    return x;
}

// Largest number or product in a value of n characters; -1: a value that hides its digits.
static double size_of(const char *v, size_t n, bool product) {
    char copy[200];
    if (n >= sizeof copy || memchr(v, '&', n)) return -1;
    memcpy(copy, v, n), copy[n] = 0;
    double all = 1, most = 0;
    const char *p = copy;
    for (char *end; *p; p = end) {
        double x = strtod(p, &end);
        if (end == p) {
            end++;
            continue;
        }
        const char *after = end;
        x = suffixed(&after, x);
        end = copy + (after - copy);
        if (x > 1) all *= x;
        if (x > most) most = x;
    }
    return product ? all : most;
}

static bool scan_text(scan *s, const char *path, const char *data, size_t n, int nest);

// A file that this one brings in. What cannot be read is MuJoCo's to tell.
static bool scan_file(text *t, const char *name, size_t n, const char *at) {
    char path[PATH_MAX];
    scan *s = t->s;
    char *data;
    size_t bytes;
    if (n == 0 || n > 1000) return true;
    if (t->nest >= NEST_MAX) return fault(t, at, "are nested too deep", "files", NEST_MAX);
    if (name[0] == '/')
        snprintf(path, sizeof path, "%.*s", (int)n, name);
    else
        snprintf(path, sizeof path, "%s/%.*s", s->dir, (int)n, name);
    if (qiao_file_read(path, QI_MODEL_FILE_MAX, &data, &bytes, NULL)) return true;
    s->files++, s->bytes += bytes;
    bool ok = s->files > FILES_MAX ? fault(t, at, "are too many", "files", FILES_MAX)
              : s->bytes > QI_MODEL_FILE_MAX
                  ? fault(t, at, "hold too many bytes", "files", QI_MODEL_FILE_MAX)
                  : scan_text(s, path, data, bytes, t->nest + 1);
    free(data);
    return ok;
}

static bool attribute(text *t, const char *tag, size_t ntag, const char *name, size_t nname,
                      const char *value, size_t n) {
    bool brings = is(tag, ntag, "include") || is(tag, ntag, "model");
    if (brings && is(name, nname, "file")) return scan_file(t, value, n, value);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (!is(name, nname, numbers[i].name)) continue;
        if (numbers[i].element && !is(tag, ntag, numbers[i].element)) continue;
        double x = size_of(value, n, numbers[i].product), copies = t->copies[t->depth];
        if (is(tag, ntag, "replicate")) copies = t->copies[t->depth - 1];
        if (x < 0) return fault(t, value, "hides its digits", numbers[i].name, numbers[i].most);
        if (numbers[i].product) x *= copies;
        if (x > numbers[i].most)
            return fault(t, value, "asks for too much", numbers[i].name, numbers[i].most);
        if (is(tag, ntag, "replicate")) t->copies[t->depth] = x > 1 ? x : copies;
    }
    return true;
}

static const char *skip(const text *t, const char *p, const char *mark) { // behind the mark
    const char *at = memmem(p, (size_t)(t->end - p), mark, strlen(mark));
    return at ? at + strlen(mark) : t->end;
}

static bool is_name(char c) { return isalnum((unsigned char)c) || strchr("_-.:", c) != NULL; }

// One opening tag; t->p stands behind its '<'.
static bool element(text *t) {
    const char *tag = t->p;
    while (t->p < t->end && *t->p && is_name(*t->p)) t->p++;
    size_t ntag = (size_t)(t->p - tag);
    if (ntag == 0) return true;
    if (t->s->elements++ == 0) t->s->urdf = is(tag, ntag, "robot");
    if (t->s->elements > ELEMENTS_MAX)
        return fault(t, tag, "are too many", "elements", ELEMENTS_MAX);
    if (is(tag, ntag, "attach") && ++t->attach > ATTACH_MAX)
        return fault(t, tag, "are too many", "attached models", ATTACH_MAX);
    bool copies = is(tag, ntag, "replicate"), ok = true;
    if (copies) {
        if (t->depth >= NEST_MAX) return fault(t, tag, "is nested too deep", "replicate", NEST_MAX);
        t->depth++;
        t->copies[t->depth] = t->copies[t->depth - 1];
    }
    while (ok && t->p < t->end && *t->p != '>') {
        const char *name = t->p;
        while (t->p < t->end && *t->p && is_name(*t->p)) t->p++;
        size_t nname = (size_t)(t->p - name);
        if (nname == 0) {
            if (*t->p == '<') break; // no XML any more: MuJoCo will say so
            t->p++;
            continue;
        }
        while (t->p < t->end && (isspace((unsigned char)*t->p) || *t->p == '=')) t->p++;
        if (t->p == t->end || (*t->p != '"' && *t->p != '\'')) continue;
        const char *value = t->p + 1, *close = memchr(value, *t->p, (size_t)(t->end - value));
        if (!close) close = t->end;
        ok = attribute(t, tag, ntag, name, nname, value, (size_t)(close - value));
        t->p = close < t->end ? close + 1 : close;
    }
    if (copies && t->p > tag && t->p[-1] == '/') t->depth--; // <replicate .../> holds nothing
    return ok;
}

static bool scan_text(scan *s, const char *path, const char *data, size_t n, int nest) {
    text t = {.s = s, .path = path, .begin = data, .p = data, .end = data + n, .nest = nest};
    t.copies[0] = 1;
    bool ok = true;
    while (ok && (t.p = memchr(t.p, '<', (size_t)(t.end - t.p)))) {
        t.p++;
        size_t left = (size_t)(t.end - t.p);
        if (left >= 3 && memcmp(t.p, "!--", 3) == 0)
            t.p = skip(&t, t.p, "-->");
        else if (left >= 8 && memcmp(t.p, "![CDATA[", 8) == 0)
            t.p = skip(&t, t.p, "]]>");
        else if (left && (*t.p == '?' || *t.p == '!'))
            t.p = skip(&t, t.p, ">");
        else if (left >= 10 && memcmp(t.p, "/replicate", 10) == 0)
            t.depth -= t.depth > 0;
        else if (left && *t.p != '/')
            ok = element(&t);
    }
    return ok;
}

bool qi_limits_check(const char *path, const char *data, size_t n, bool *urdf, qiao_diag *d) {
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    scan s = {.dir = dirname(copy), .d = d, .bytes = n};
    bool ok = scan_text(&s, path, data, n, 0);
    if (urdf) *urdf = s.urdf;
    return ok;
}
