// SPDX-License-Identifier: Apache-2.0
// lanes_curve.h - speed against accuracy as a picture: a panel a robot, both axes logarithmic.
#ifndef QIAO_BENCH_LANES_CURVE_H
#define QIAO_BENCH_LANES_CURVE_H

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

enum { CURVE_POINTS = 5 };
typedef struct curve_panel {
    const char *name;
    double rate[2][CURVE_POINTS], error[2][CURVE_POINTS]; // mujoco, lanes
} curve_panel;

enum { CURVE_W = 300, CURVE_H = 210, CURVE_COLS = 3, CURVE_LO = -8, CURVE_HI = 0 };
static const char *const curve_color[2] = {"#c2571a", "#1a6fc2"};

// x: the error, the best right; y: steps a second from 10^lo on, two and a half decades
static double curve_x(double error) {
    double e = log10(fmin(fmax(error, 1e-8), 1));
    return 46 + (CURVE_W - 64) * (CURVE_HI - e) / (CURVE_HI - CURVE_LO);
}
static double curve_y(double rate, double lo) {
    double e = log10(fmax(rate, 1)) - lo;
    return CURVE_H - 34 - (CURVE_H - 70) * fmin(fmax(e / 2.5, 0), 1);
}

static void curve_grid(FILE *f, double lo) {
    for (int e = CURVE_LO; e <= CURVE_HI; e += 2) {
        double x = curve_x(pow(10, e));
        fprintf(f, "<path class='g' d='M%.1f 36V%d'/><text x='%.1f' y='%d' text-anchor='middle'>",
                x, CURVE_H - 34, x, CURVE_H - 20);
        fprintf(f, e == CURVE_HI ? "100%%</text>\n" : "1e%d</text>\n", e);
    }
    for (int e = (int)ceil(lo); e <= lo + 2.5; e++) {
        double y = curve_y(pow(10, e), lo);
        fprintf(f, "<path class='g' d='M46 %.1fH%d'/><text x='42' y='%.1f' text-anchor='end'>1e%d",
                y, CURVE_W - 18, y + 4, e);
        fprintf(f, "</text>\n");
    }
}

// Points from the worst to the best, so that the line goes one way.
static void curve_sort(double *error, double *rate) {
    for (int i = 1; i < CURVE_POINTS; i++)
        for (int k = i; k > 0 && error[k] > error[k - 1]; k--) {
            double e = error[k], r = rate[k];
            error[k] = error[k - 1], rate[k] = rate[k - 1];
            error[k - 1] = e, rate[k - 1] = r;
        }
}

static void curve_draw(FILE *f, curve_panel *p) {
    double least = p->rate[0][0];
    for (int s = 0; s < CURVE_POINTS; s++) least = fmin(least, p->rate[0][s]);
    double lo = log10(least) - 0.15;
    fprintf(f, "<text x='46' y='24' class='t'>%s</text>\n", p->name);
    curve_grid(f, lo);
    for (int k = 0; k < 2; k++) {
        curve_sort(p->error[k], p->rate[k]);
        fprintf(f, "<polyline fill='none' stroke='%s' stroke-width='2' points='", curve_color[k]);
        for (int s = 0; s < CURVE_POINTS; s++)
            fprintf(f, "%.1f,%.1f ", curve_x(p->error[k][s]), curve_y(p->rate[k][s], lo));
        fprintf(f, "'/>\n");
        for (int s = 0; s < CURVE_POINTS; s++)
            fprintf(f, "<circle cx='%.1f' cy='%.1f' r='3.5' fill='%s'/>\n", curve_x(p->error[k][s]),
                    curve_y(p->rate[k][s], lo), curve_color[k]);
    }
}

static bool curve_svg(const char *path, curve_panel *p, int n) {
    int rows = (n + CURVE_COLS - 1) / CURVE_COLS, w = CURVE_W * CURVE_COLS, h = CURVE_H * rows + 40;
    FILE *f = fopen(path, "w");
    if (!f) return false;
    fprintf(f,
            "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' font-family='sans-serif' "
            "font-size='11'><style>text{fill:#444}.t{font-size:13px;font-weight:bold}.g{stroke:"
            "#ddd;fill:none}</style><rect width='%d' height='%d' fill='#fff'/>\n",
            w, h, w, h);
    for (int i = 0; i < n; i++) {
        fprintf(f, "<g transform='translate(%d %d)'>\n", i % CURVE_COLS * CURVE_W,
                i / CURVE_COLS * CURVE_H);
        curve_draw(f, &p[i]);
        fprintf(f, "</g>\n");
    }
    fprintf(
        f,
        "<g transform='translate(46 %d)' font-size='13'><circle r='5' fill='%s'/><text x='10' "
        "y='4'>MuJoCo</text><circle cx='90' r='5' fill='%s'/><text x='100' y='4'>engine lanes, "
        "16 floats</text><text x='260' y='4'>up: steps/s of one core; right: mean error of qacc "
        "against the optimum</text></g></svg>\n",
        h - 22, curve_color[0], curve_color[1]);
    return fclose(f) == 0;
}

#endif
