// SPDX-License-Identifier: Apache-2.0
// err.c - error names, diagnostics and the nearest name.
#include "qiao/base.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

const char *qiao_err_name(qiao_err e) {
    switch (e) {
#define NAME(code, name, text) \
    case QIAO_##name: return #name;
        QIAO_ERR_LIST(NAME)
#undef NAME
    }
    return "E_?";
}

const char *qiao_err_text(qiao_err e) {
    switch (e) {
#define TEXT(code, name, text) \
    case QIAO_##name: return text;
        QIAO_ERR_LIST(TEXT)
#undef TEXT
    }
    return "unknown error";
}

qiao_err qiao_diag_set(qiao_diag *d, qiao_err e, const char *file, int line, int col,
                       const char *fmt, ...) {
    if (!d || d->err != QIAO_OK) return e;
    d->err = e;
    size_t n = sizeof d->text, at = 0;
    if (file) at += (size_t)snprintf(d->text, n, "%.300s:", file);
    if (file && line > 0) at += (size_t)snprintf(d->text + at, n - at, "%d:", line);
    if (file && line > 0 && col > 0) at += (size_t)snprintf(d->text + at, n - at, "%d:", col);
    if (at) at += (size_t)snprintf(d->text + at, n - at, " ");
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(d->text + at, n - at, fmt, ap);
    va_end(ap);
    return e;
}

// Edit distance with swaps of neighbours (optimal string alignment), letters compared without case.
static int distance(const char *a, int na, const char *b, int nb) {
    enum { MOST = 64 };
    if (na > MOST || nb > MOST) return MOST * 2;
    int row[3][MOST + 1];
    for (int j = 0; j <= nb; j++) row[1][j] = j;
    for (int i = 1; i <= na; i++) {
        int *two = row[(i - 1) % 3], *up = row[i % 3], *now = row[(i + 1) % 3];
        now[0] = i;
        for (int j = 1; j <= nb; j++) {
            int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);
            int best = up[j - 1] + (x != y);
            if (up[j] + 1 < best) best = up[j] + 1;
            if (now[j - 1] + 1 < best) best = now[j - 1] + 1;
            bool swap = i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
                        y == tolower((unsigned char)a[i - 2]);
            if (swap && two[j - 2] + 1 < best) best = two[j - 2] + 1;
            now[j] = best;
        }
    }
    return row[(na + 1) % 3][nb];
}

const char *qiao_nearest(const char *name, const char *const *names, int n) {
    const char *best = NULL;
    int least = 1 << 20, na = (int)strlen(name);
    for (int i = 0; i < n; i++) {
        int nb = (int)strlen(names[i]), d = distance(name, na, names[i], nb);
        int allowed = (na > nb ? na : nb) / 3;
        if (allowed < 1) allowed = 1;
        if (d <= allowed && d < least) least = d, best = names[i];
    }
    return best;
}
