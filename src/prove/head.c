// SPDX-License-Identifier: Apache-2.0
// head.c - see head.h.
#include "prove/head.h"
#include "base/json.h"
#include "brain/jsonread.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void qi_hash(const void *p, size_t n, uint8_t out[QIAO_HASH_BYTES]) {
    qiao_hash h;
    qiao_hash_init(&h);
    qiao_hash_add(&h, p, n);
    qiao_hash_end(&h, out);
}

// ---- the five parts: name and hash of each, in one place ----

typedef struct part {
    const char *key, *hash_key, *title;
    size_t name, cap, hash; // offsets in qiao_parts
} part;
#define PART(x, title)                                                              \
    {                                                                               \
#x, #x "_hash", title, offsetof(qiao_parts, x), sizeof((qiao_parts *)0)->x, \
            offsetof(qiao_parts, x##_hash)                                          \
    }
static const part parts[] = {PART(scenario, "scenario"), PART(robot, "robot"), PART(brain, "brain"),
                             PART(engine, "engine"), PART(build, "build")};
enum { NPART = sizeof parts / sizeof *parts };
static const char *const sampling_name[] = {"sobol", "random"};

static char *name_of(const qiao_parts *p, int i) { return (char *)(uintptr_t)p + parts[i].name; }
static uint8_t *hash_of(const qiao_parts *p, int i) {
    return (uint8_t *)(uintptr_t)p + parts[i].hash;
}

void qi_parts_differ(const qiao_parts *there, const qiao_parts *here, bool build, char *text,
                     size_t cap) {
    size_t n = 0;
    if (cap) text[0] = 0;
    for (int i = 0; i < NPART; i++) {
        if (memcmp(hash_of(there, i), hash_of(here, i), QIAO_HASH_BYTES) == 0) continue;
        if (!build && i == NPART - 1) continue;
        char a[QIAO_HASH_HEX], b[QIAO_HASH_HEX];
        qiao_hash_hex(hash_of(there, i), a), qiao_hash_hex(hash_of(here, i), b);
        if (n + 1 < cap)
            n += (size_t)snprintf(text + n, cap - n, "%s%s '%s' is %.12s, here '%s' is %.12s",
                                  n ? "; " : "", parts[i].title, name_of(there, i), a,
                                  name_of(here, i), b);
    }
    if (there->seed != here->seed && n + 1 < cap)
        n += (size_t)snprintf(text + n, cap - n, "%sseed is %llu, here %llu", n ? "; " : "",
                              (unsigned long long)there->seed, (unsigned long long)here->seed);
    if (there->sampling != here->sampling && n + 1 < cap)
        snprintf(text + n, cap - n, "%ssampling is %s, here %s", n ? "; " : "",
                 sampling_name[there->sampling & 1], sampling_name[here->sampling & 1]);
}

bool qi_shape_same(const qiao_table *a, const qiao_table *b) {
    if (a->nparam != b->nparam || a->nmeasure != b->nmeasure) return false;
    for (int i = 0; i < a->nparam; i++)
        if (strcmp(a->param_name[i], b->param_name[i]) != 0 ||
            strcmp(a->param_unit[i], b->param_unit[i]) != 0 ||
            memcmp(a->param_range[i], b->param_range[i], sizeof a->param_range[i]) != 0)
            return false;
    for (int i = 0; i < a->nmeasure; i++)
        if (strcmp(a->measure_name[i], b->measure_name[i]) != 0 ||
            strcmp(a->measure_unit[i], b->measure_unit[i]) != 0)
            return false;
    return true;
}

// ---- writing ----

static void write_names(qi_json *j, const char *key, int n, const char *const *name,
                        const char *const *unit, const double (*range)[2]) {
    qi_json_open(j, key, '[');
    for (int i = 0; i < n; i++) {
        qi_json_open(j, NULL, '{');
        qi_json_str(j, "name", name[i]), qi_json_str(j, "unit", unit[i] ? unit[i] : "");
        if (range) qi_json_num(j, "lo", range[i][0]), qi_json_num(j, "hi", range[i][1]);
        qi_json_close(j, '}');
    }
    qi_json_close(j, ']');
}

static char *write_text(const qiao_parts *p, const qiao_table *t) {
    qi_json j = {0};
    char hex[QIAO_HASH_HEX], seed[24];
    qi_json_open(&j, NULL, '{');
    qi_json_int(&j, "format", QI_HEAD_FORMAT);
    for (int i = 0; i < NPART; i++) {
        qiao_hash_hex(hash_of(p, i), hex);
        qi_json_str(&j, parts[i].key, name_of(p, i)), qi_json_str(&j, parts[i].hash_key, hex);
    }
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)p->seed);
    qi_json_str(&j, "seed", seed); // a text: JSON's numbers end at 2^53
    qi_json_str(&j, "sampling", sampling_name[p->sampling & 1]);
    write_names(&j, "parameters", t->nparam, t->param_name, t->param_unit, t->param_range);
    write_names(&j, "measures", t->nmeasure, t->measure_name, t->measure_unit, NULL);
    qi_json_close(&j, '}');
    return qi_json_end(&j);
}

// Copies names and ranges into a.
static bool copy_shape(const qiao_table *t, qiao_arena *a, qiao_table *out) {
    size_t np = (size_t)t->nparam, nm = (size_t)t->nmeasure;
    const char **pn = qiao_arena_get(a, 2 * np * sizeof *pn + 1);
    const char **mn = qiao_arena_get(a, 2 * nm * sizeof *mn + 1);
    double(*r)[2] = qiao_arena_get(a, np * sizeof *r + 1);
    if (!pn || !mn || !r) return false;
    for (size_t i = 0; i < np; i++) {
        const char *unit = t->param_unit[i] ? t->param_unit[i] : "";
        pn[i] = qiao_arena_text(a, t->param_name[i], strlen(t->param_name[i]));
        pn[np + i] = qiao_arena_text(a, unit, strlen(unit));
        r[i][0] = t->param_range[i][0] + 0.0, r[i][1] = t->param_range[i][1] + 0.0;
        if (!pn[i] || !pn[np + i]) return false;
    }
    for (size_t i = 0; i < nm; i++) {
        const char *unit = t->measure_unit[i] ? t->measure_unit[i] : "";
        mn[i] = qiao_arena_text(a, t->measure_name[i], strlen(t->measure_name[i]));
        mn[nm + i] = qiao_arena_text(a, unit, strlen(unit));
        if (!mn[i] || !mn[nm + i]) return false;
    }
    *out = (qiao_table){.nparam = t->nparam,
                        .nmeasure = t->nmeasure,
                        .param_name = pn,
                        .param_unit = pn + np,
                        .param_range = (const double(*)[2])r,
                        .measure_name = mn,
                        .measure_unit = mn + nm};
    return true;
}

qiao_err qi_head_make(const qiao_parts *p, const qiao_table *shape, qiao_arena *a, qi_head *h,
                      qiao_diag *d) {
    memset(h, 0, sizeof *h);
    if (shape->nparam > QI_SHAPE_MAX || shape->nmeasure > QI_SHAPE_MAX)
        return qiao_diag_set(d, QIAO_E_LIMIT, NULL, 0, 0,
                             "%d parameters and %d measures; at most %d of each are kept",
                             shape->nparam, shape->nmeasure, QI_SHAPE_MAX);
    for (int i = 0; i < shape->nparam; i++)
        if (!isfinite(shape->param_range[i][0]) || !isfinite(shape->param_range[i][1]))
            return qiao_diag_set(d, QIAO_E_FIT, NULL, 0, 0, "the range of '%s' is not finite",
                                 shape->param_name[i]);
    h->parts = *p;
    char *text = copy_shape(shape, a, &h->shape) ? write_text(p, &h->shape) : NULL;
    if (text) h->n = strlen(text), h->text = qiao_arena_text(a, text, h->n);
    free(text);
    if (!h->text) return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    if (h->n > QI_HEAD_MAX)
        return qiao_diag_set(d, QIAO_E_LIMIT, NULL, 0, 0,
                             "the names of parameters and measures take %zu bytes, at most %d are "
                             "kept",
                             h->n, QI_HEAD_MAX);
    qi_hash(h->text, h->n, h->hash);
    return QIAO_OK;
}

// ---- reading ----

static bool read_hash(const char *hex, uint8_t out[QIAO_HASH_BYTES]) {
    if (strlen(hex) != QIAO_HASH_HEX - 1) return false;
    for (int i = 0; i < 2 * QIAO_HASH_BYTES; i++) {
        const char *digits = "0123456789abcdef", *at = strchr(digits, hex[i]);
        if (!at) return false;
        out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] | (at - digits) : (at - digits) << 4);
    }
    return true;
}

// The first key that is wrong, or NULL.
static const char *read_parts(const qi_js *top, qiao_parts *p) {
    if (qi_js_num(top, "format", 0) != QI_HEAD_FORMAT) return "format";
    for (int i = 0; i < NPART; i++) {
        const char *name = qi_js_str(top, parts[i].key, NULL);
        if (!name || strlen(name) >= parts[i].cap) return parts[i].key;
        snprintf(name_of(p, i), parts[i].cap, "%s", name);
        if (!read_hash(qi_js_str(top, parts[i].hash_key, ""), hash_of(p, i)))
            return parts[i].hash_key;
    }
    const char *seed = qi_js_str(top, "seed", ""), *how = qi_js_str(top, "sampling", "");
    if (!*seed || strspn(seed, "0123456789") != strlen(seed) || strlen(seed) > 20) return "seed";
    p->seed = strtoull(seed, NULL, 10);
    p->sampling = strcmp(how, sampling_name[1]) == 0 ? QIAO_SAMPLE_RANDOM : QIAO_SAMPLE_SOBOL;
    return strcmp(how, sampling_name[p->sampling]) == 0 ? NULL : "sampling";
}

// Names and ranges as the text has them; they stay in the tree's memory.
static bool read_names(const qi_js *top, const char *key, qiao_arena *a, int *n,
                       const char *const **name, const char *const **unit,
                       const double (**range)[2]) {
    const qi_js *list = qi_js_get(top, key);
    if (!list || list->kind != QI_JS_LIST || list->n > QI_SHAPE_MAX) return false;
    size_t count = (size_t)list->n;
    const char **nm = qiao_arena_get(a, 2 * count * sizeof *nm + 1);
    double(*r)[2] = qiao_arena_get(a, count * sizeof *r + 1);
    if (!nm || !r) return false;
    int i = 0;
    for (const qi_js *e = list->first; e; e = e->next, i++) {
        nm[i] = qi_js_str(e, "name", NULL), nm[count + (size_t)i] = qi_js_str(e, "unit", NULL);
        r[i][0] = qi_js_num(e, "lo", NAN), r[i][1] = qi_js_num(e, "hi", NAN);
        if (!nm[i] || !nm[count + (size_t)i]) return false;
        if (range && (!isfinite(r[i][0]) || !isfinite(r[i][1]))) return false;
    }
    *n = list->n, *name = nm, *unit = nm + count;
    if (range) *range = (const double(*)[2])r;
    return true;
}

qiao_err qi_head_read(const char *file, const char *text, size_t n, qiao_arena *a, qi_head *h,
                      qiao_diag *d) {
    qiao_parts p = {0};
    qiao_table t = {0};
    qiao_diag why = {0};
    const qi_js *top = n <= QI_HEAD_MAX ? qi_js_read(a, text, n, &why) : NULL;
    if (!top)
        return qiao_diag_set(d, QIAO_E_FORMAT, file, 0, 0, "its head cannot be read: %s",
                             why.text[0] ? why.text : "too long");
    const char *bad = read_parts(top, &p);
    if (!bad &&
        !read_names(top, "parameters", a, &t.nparam, &t.param_name, &t.param_unit, &t.param_range))
        bad = "parameters";
    if (!bad &&
        !read_names(top, "measures", a, &t.nmeasure, &t.measure_name, &t.measure_unit, NULL))
        bad = "measures";
    if (bad) return qiao_diag_set(d, QIAO_E_FORMAT, file, 0, 0, "its head has no right '%s'", bad);
    qiao_err e = qi_head_make(&p, &t, a, h, d);
    if (e) return e;
    if (h->n != n || memcmp(h->text, text, n) != 0)
        return qiao_diag_set(d, QIAO_E_FORMAT, file, 0, 0,
                             "its head is not written as Qiao writes it");
    return QIAO_OK;
}
