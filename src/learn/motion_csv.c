// SPDX-License-Identifier: Apache-2.0
// motion_csv.c - a motion as a table with named columns: see motion.h.
#include "learn/motion.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 256, NAME = 60, MOST_ROWS = 200000, FIXED = 8 };
static const char *const fixed[FIXED] = {"time",    "base_x",  "base_y",  "base_z",
                                         "base_qw", "base_qx", "base_qy", "base_qz"};

typedef struct table {
    const char *path;
    qiao_arena *a;
    qiao_diag *d;
    int ncol, at[COLUMNS]; // of a column: 0..7 as in fixed, then joints
    qi_track *t;
} table;

static bool fault(const table *x, int line, int col, const char *what, const char *word) {
    qiao_diag_set(x->d, QIAO_E_FORMAT, x->path, line, col, "%s%s%.60s%s", what, word ? " '" : "",
                  word ? word : "", word ? "'" : "");
    return false;
}

// One field: trimmed, ended by 0; *next is where the following begins, NULL: it was the last.
static char *field(char *s, char **next) {
    char *end = s + strcspn(s, ",");
    *next = *end ? end + 1 : NULL;
    *end = 0;
    while (*s == ' ' || *s == '\t') s++;
    while (end > s && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r')) *--end = 0;
    return s;
}

static bool head(table *x, char *s, int line) {
    bool have[FIXED] = {false};
    char *begin = s, *next = s;
    while (next) {
        char *name = field(next, &next);
        int col = (int)(name - begin) + 1, k = 0;
        if (x->ncol == COLUMNS) return fault(x, line, col, "more than 256 columns", NULL);
        if (!*name || strlen(name) > NAME)
            return fault(x, line, col, "a column's name of 1 to 60 bytes was expected, not", name);
        while (k < FIXED && strcmp(name, fixed[k]) != 0) k++;
        bool twice = k < FIXED && have[k];
        for (int j = 0; k == FIXED && j < x->t->nname; j++)
            twice |= strcmp(x->t->name[j], name) == 0;
        if (twice) return fault(x, line, col, "the column stands here twice:", name);
        if (k < FIXED)
            have[k] = true;
        else if (!(x->t->name[x->t->nname++] = qiao_arena_text(x->a, name, strlen(name))))
            return false;
        x->at[x->ncol++] = k < FIXED ? k : FIXED + x->t->nname - 1;
    }
    for (int k = 0; k < FIXED; k++)
        if (!have[k]) return fault(x, line, 1, "there is no column", fixed[k]);
    return x->t->nname > 0 || fault(x, line, 1, "there is no column of a joint", NULL);
}

static bool row(table *x, char *s, int line) {
    double v[FIXED + COLUMNS];
    char *begin = s, *next = s;
    int n = 0, k = x->t->n;
    for (; next && n < x->ncol; n++) {
        char *word = field(next, &next), *end = NULL;
        double y = strtod(word, &end);
        if (end == word || *end || !(fabs(y) < 1e6))
            return fault(x, line, (int)(word - begin) + 1, "expected a number below a million, not",
                         word);
        v[x->at[n]] = y;
    }
    if (next || n < x->ncol) {
        qiao_diag_set(x->d, QIAO_E_FORMAT, x->path, line, 1, "%s than the %d columns of the head",
                      next ? "more numbers" : "fewer numbers", x->ncol);
        return false;
    }
    if (k > 0 && !(v[0] > x->t->t[k - 1])) return fault(x, line, 1, "time does not go on", NULL);
    double len = sqrt(v[4] * v[4] + v[5] * v[5] + v[6] * v[6] + v[7] * v[7]);
    if (!(len > 0.9 && len < 1.1))
        return fault(x, line, 1, "base_qw .. base_qz are no rotation: expected length 1", NULL);
    x->t->t[k] = v[0];
    for (int i = 0; i < 7; i++) x->t->base[7 * k + i] = i < 3 ? v[1 + i] : v[1 + i] / len;
    memcpy(x->t->q + (size_t)k * (size_t)x->t->nname, v + FIXED, (size_t)x->t->nname * sizeof *v);
    x->t->n++;
    return true;
}

// Room for as many rows as there can be.
static bool make_rows(table *x, const char *rest) {
    size_t n = 1;
    for (; (rest = strchr(rest, '\n')); rest++) n++;
    if (n > MOST_ROWS) n = MOST_ROWS;
    x->t->t = qiao_arena_get(x->a, n * sizeof(double));
    x->t->base = qiao_arena_get(x->a, n * 7 * sizeof(double));
    x->t->q = qiao_arena_get(x->a, n * (size_t)x->t->nname * sizeof(double));
    return x->t->t && x->t->base && x->t->q;
}

static bool read_lines(table *x, char *s) {
    bool ok = true;
    for (int line = 1; ok && s && *s; line++) {
        char *eol = strchr(s, '\n');
        if (eol) *eol = 0;
        const char *c = s + strspn(s, " \t\r");
        if (*c && *c != '#') {
            if (x->ncol == 0)
                ok = head(x, s, line) && make_rows(x, eol ? eol + 1 : "");
            else if (x->t->n == MOST_ROWS)
                ok = fault(x, line, 1, "more than 200000 rows", NULL);
            else
                ok = row(x, s, line);
        }
        s = eol ? eol + 1 : NULL;
    }
    return ok && (x->t->n >= 2 || fault(x, 1, 1, "fewer than two rows under a head", NULL));
}

qi_track *qi_track_csv(const char *path, const char *text, size_t n, qiao_arena *arena,
                       qiao_diag *d) {
    qiao_diag own = {0};
    if (!d) d = &own;
    table x = {.path = path, .a = arena, .d = d};
    char *copy = malloc(n + 1);
    x.t = qiao_arena_get(arena, sizeof *x.t);
    if (x.t) x.t->name = qiao_arena_get(arena, COLUMNS * sizeof *x.t->name);
    bool ok = copy && x.t && x.t->name;
    if (ok) {
        memcpy(copy, text, n), copy[n] = 0;
        ok = strlen(copy) == n || fault(&x, 1, 1, "a zero byte stands in this table", NULL);
        ok = ok && read_lines(&x, copy);
    }
    free(copy);
    if (ok) return x.t;
    if (!d->err) qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    return NULL;
}
