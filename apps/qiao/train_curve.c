// SPDX-License-Identifier: Apache-2.0
// train_curve.c - see train_curve.h.
#include "train_curve.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { W = 300, H = 210, POINTS = 240, LEFT = 48, RIGHT = 14, TOP = 38, LOW = 34 };

typedef struct scale {
    double lo, hi, step;
} scale;

// Ends on even steps around all that is there; false: nothing is.
static bool even(const double *y, int n, scale *s) {
    s->lo = INFINITY, s->hi = -INFINITY;
    for (int i = 0; i < n; i++)
        if (isfinite(y[i])) s->lo = fmin(s->lo, y[i]), s->hi = fmax(s->hi, y[i]);
    if (!(s->lo <= s->hi)) return false;
    double range = fmax(s->hi - s->lo, 1e-9 * fmax(fabs(s->hi), 1)), ten = 1;
    while (ten > range / 4) ten /= 10;
    while (ten * 10 <= range / 4) ten *= 10;
    s->step = range / 4 > 5 * ten ? 10 * ten : range / 4 > 2 * ten ? 5 * ten : 2 * ten;
    s->lo = floor(s->lo / s->step) * s->step;
    s->hi = fmax(ceil(s->hi / s->step), s->lo / s->step + 1) * s->step;
    return true;
}

static double px(const scale *s, double x) {
    return LEFT + (W - LEFT - RIGHT) * (x - s->lo) / (s->hi - s->lo);
}
static double py(const scale *s, double y) {
    return H - LOW - (H - LOW - TOP) * (y - s->lo) / (s->hi - s->lo);
}

static void grid(FILE *f, const scale *x, const scale *y, const char *unit) {
    for (int i = 0; x->lo + i * x->step <= x->hi * (1 + 1e-9); i++) {
        double v = x->lo + i * x->step;
        fprintf(f, "<path class='g' d='M%.1f %dV%d'/><text x='%.1f' y='%d' text-anchor='middle'>%g",
                px(x, v), TOP, H - LOW, px(x, v), H - LOW + 14, v);
        fprintf(f, "</text>\n");
    }
    for (int i = 0; y->lo + i * y->step <= y->hi + 1e-9 * fabs(y->hi); i++) {
        double v = y->lo + i * y->step;
        if (fabs(v) < 1e-9 * y->step) v = 0;
        fprintf(f, "<path class='g' d='M%d %.1fH%d'/><text x='%d' y='%.1f' text-anchor='end'>%g",
                LEFT, py(y, v), W - RIGHT, LEFT - 4, py(y, v) + 4, v);
        fprintf(f, "</text>\n");
    }
    fprintf(f, "<text x='%d' y='%d' text-anchor='end'>%s</text>\n", W - RIGHT, H - 4, unit);
}

static void curve(FILE *f, const scale *sx, const scale *sy, const double *x, const double *y,
                  int n) {
    int every = n / POINTS + 1;
    double last = NAN;
    bool pen = false;
    fputs("<path class='c' d='", f);
    for (int i = (n - 1) % every; i < n; i += every) {
        if (!isfinite(y[i])) {
            pen = false;
            continue;
        }
        fprintf(f, "%c%.1f %.1f", pen ? 'L' : 'M', px(sx, x[i]), py(sy, y[i]));
        pen = true, last = y[i];
    }
    fprintf(f, "'/>\n<text x='%d' y='24' text-anchor='end' class='t'>%.3g</text>\n", W - RIGHT,
            last);
}

static void put_text(FILE *f, const char *s) {
    for (; *s; s++) *s == '<' ? fputs("&lt;", f) : *s == '&' ? fputs("&amp;", f) : fputc(*s, f);
}

qiao_err train_curve(const char *path, const char *title, const char *unit, const double *x, int n,
                     const train_panel *panel, int npanel, qiao_diag *d) {
    char *text = NULL;
    size_t bytes = 0;
    scale sx, sy;
    int shown = 0;
    for (int i = 0; i < npanel; i++) shown += even(panel[i].y, n, &sy);
    FILE *f = open_memstream(&text, &bytes);
    if (!f) return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    fprintf(f,
            "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' font-family='sans-serif' "
            "font-size='11'><style>text{fill:#444}.t{font-size:13px;font-weight:bold}.g{stroke:"
            "#ddd;fill:none}.c{stroke:#1a6fc2;stroke-width:2;fill:none}</style><rect width='%d' "
            "height='%d' fill='#fff'/>\n<text x='%d' y='20' font-size='14'>",
            W * shown, H + 30, W * shown, H + 30, LEFT);
    put_text(f, title);
    fputs("</text>\n", f);
    for (int i = 0, at = 0; i < npanel && even(x, n, &sx); i++) {
        if (!even(panel[i].y, n, &sy)) continue;
        fprintf(f, "<g transform='translate(%d 30)'>\n<text x='%d' y='24' class='t'>", W * at++,
                LEFT);
        put_text(f, panel[i].name);
        fputs("</text>\n", f);
        grid(f, &sx, &sy, unit), curve(f, &sx, &sy, x, panel[i].y, n);
        fputs("</g>\n", f);
    }
    fputs("</svg>\n", f);
    fclose(f);
    qiao_err e = qiao_file_write(path, text, bytes, d);
    free(text);
    return e;
}
