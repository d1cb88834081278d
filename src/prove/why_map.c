// SPDX-License-Identifier: Apache-2.0
// why_map.c - failure over each parameter and over pairs of them.
#include "prove/boot.h"
#include "prove/num.h"
#include "prove/why.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PAIRS_SHOWN = 6, BINS_MAX = 16 };
static const double LN_4 = 1.3862943611198906; // 2 ln 2: likelihood ratio to bits

typedef struct grid {
    int na, nb;
    double n[BINS_MAX][BINS_MAX], k[BINS_MAX][BINS_MAX]; // trials, failures
} grid;

static int bins_of(const qi_axis *x, int most) {
    return x->choice ? (int)(x->hi - x->lo) + 1 : most;
}

static int bin_at(const qiao_table *t, const qi_axis *x, int nbin, int row) {
    double u = qi_place(t, x, row);
    int b = x->choice ? (int)(u * (nbin - 1) + 0.5) : (int)(u * nbin);
    return b < nbin ? b : nbin - 1;
}

static void count(const qiao_table *t, const uint8_t *ba, const uint8_t *bb, grid *g) {
    memset(g->n, 0, sizeof g->n), memset(g->k, 0, sizeof g->k);
    for (int i = 0; i < t->ntrial; i++) {
        int a = ba[i], b = bb ? bb[i] : 0;
        g->n[a][b] += 1, g->k[a][b] += !t->passed[i];
    }
}

static double cell_likelihood(double n, double k, double p) {
    double l = 0;
    if (k > 0) l += k * qi_ln(p);
    if (n > k) l += (n - k) * qi_ln(1 - p);
    return l;
}

// One parameter: do the bins differ? A likelihood ratio against one share for all.
static double test_bins(const grid *g, double *gain) {
    double n = 0, k = 0;
    int df = -1;
    for (int i = 0; i < g->na; i++) n += g->n[i][0], k += g->k[i][0], df += g->n[i][0] > 0;
    *gain = 0;
    if (k <= 0 || k >= n || df < 1) return 1;
    for (int i = 0; i < g->na; i++)
        if (g->n[i][0] > 0)
            *gain += 2 * (cell_likelihood(g->n[i][0], g->k[i][0], g->k[i][0] / g->n[i][0]) -
                          cell_likelihood(g->n[i][0], g->k[i][0], k / n));
    return qi_chi2_above(*gain, df);
}

// A pair: how far the cells are from what the two parameters add up to, each with its own shares.
// (On the scale of odds a corner would add up; on that of chances it does not, and causes that
// act one by one do.)
static double test_pair(const grid *g, double *gain) {
    double n = 0, k = 0, na[BINS_MAX] = {0}, ka[BINS_MAX] = {0}, nb[BINS_MAX] = {0},
           kb[BINS_MAX] = {0};
    for (int i = 0; i < g->na; i++)
        for (int j = 0; j < g->nb; j++) {
            n += g->n[i][j], k += g->k[i][j];
            na[i] += g->n[i][j], ka[i] += g->k[i][j], nb[j] += g->n[i][j], kb[j] += g->k[i][j];
        }
    *gain = 0;
    if (k <= 0 || k >= n) return 1;
    int df = (g->na - 1) * (g->nb - 1);
    for (int i = 0; i < g->na; i++)
        for (int j = 0; j < g->nb; j++) {
            double m = g->n[i][j], f = g->k[i][j];
            if (m <= 0) continue;
            double p = ka[i] / na[i] + kb[j] / nb[j] - k / n, least = fmin(0.5 / m, 0.5 * k / n);
            p = fmin(fmax(p, fmax(least, 1e-9)), 1 - 1e-9);
            *gain += 2 * (cell_likelihood(m, f, f / m) - cell_likelihood(m, f, p));
        }
    return df > 0 ? qi_chi2_above(*gain, df) : 1;
}

static const double *edges(const qi_axis *x, int nbin, qiao_arena *a) {
    double *e = qiao_arena_get(a, (size_t)(nbin + 1) * sizeof *e);
    for (int i = 0; e && i <= nbin; i++)
        e[i] = x->choice ? x->lo + i - 0.5 : i == nbin ? x->hi : x->lo + (x->hi - x->lo) * i / nbin;
    return e;
}

static qiao_bin *bins(const grid *g, double level, qiao_arena *a) {
    qiao_bin *bin = qiao_arena_get(a, (size_t)(g->na * g->nb) * sizeof *bin);
    for (int i = 0; bin && i < g->na; i++)
        for (int j = 0; j < g->nb; j++) {
            qiao_bin *to = &bin[i * g->nb + j];
            to->n = (int)g->n[i][j], to->nfail = (int)g->k[i][j];
            to->fail = qiao_stat_exact((uint64_t)to->nfail, (uint64_t)to->n, level, 0);
        }
    return bin;
}

static qiao_err fill(const grid *g, const qi_axis *a, const qi_axis *b, int n, double level,
                     qiao_why *w, qiao_map *m) {
    m->a = a->param, m->b = b ? b->param : -1, m->na = g->na, m->nb = g->nb;
    m->edge_a = edges(a, g->na, w->arena);
    m->edge_b = b ? edges(b, g->nb, w->arena) : NULL;
    m->bin = bins(g, level, w->arena);
    if (!m->edge_a || (b && !m->edge_b) || !m->bin) return QIAO_E_MEM;
    m->bits = n ? m->bits / (n * LN_4) : 0;
    return QIAO_OK;
}

static int strongest_first(const void *x, const void *y) {
    const qiao_map *a = x, *b = y;
    if (a->bits != b->bits) return a->bits < b->bits ? 1 : -1;
    return a->a != b->a ? a->a - b->a : a->b - b->b;
}

typedef struct found {
    double p, gain;
    int a, b;
} found;
static int by_p(const void *x, const void *y) {
    const found *a = x, *b = y;
    if (a->p != b->p) return a->p < b->p ? -1 : 1;
    if (a->gain != b->gain) return a->gain < b->gain ? 1 : -1;
    return a->a != b->a ? a->a - b->a : a->b - b->b;
}

static uint8_t *bin_rows(const qiao_table *t, const qi_axis *axis, int naxis, int most) {
    uint8_t *bin = malloc((size_t)t->ntrial * (size_t)naxis + 1);
    for (int k = 0; bin && k < naxis; k++)
        for (int i = 0; i < t->ntrial; i++)
            bin[(size_t)k * (size_t)t->ntrial + (size_t)i] =
                (uint8_t)bin_at(t, &axis[k], bins_of(&axis[k], most), i);
    return bin;
}

static int bins_most(const qiao_table *t) {
    return t->ntrial >= 2000 ? 12 : t->ntrial >= 300 ? 8 : 5;
}

static qiao_err make_maps(const qiao_table *t, const qi_axis *axis, int naxis, double level,
                          qiao_why *w) {
    int most = bins_most(t);
    uint8_t *bin = bin_rows(t, axis, naxis, most);
    qiao_map *map = qiao_arena_get(w->arena, (size_t)naxis * sizeof *map + 1);
    double *p = malloc((size_t)naxis * sizeof *p + 1);
    qiao_err e = bin && map && p ? QIAO_OK : QIAO_E_MEM;
    static _Thread_local grid g;
    for (int k = 0; k < naxis && e == QIAO_OK; k++) {
        g.na = bins_of(&axis[k], most), g.nb = 1;
        count(t, bin + (size_t)k * (size_t)t->ntrial, NULL, &g);
        p[k] = test_bins(&g, &map[k].bits);
        e = fill(&g, &axis[k], NULL, t->ntrial, level, w, &map[k]);
    }
    if (e == QIAO_OK) {
        qiao_stat_holm(p, naxis);
        for (int k = 0; k < naxis; k++) map[k].p = p[k];
        qsort(map, (size_t)naxis, sizeof *map, strongest_first);
        w->map = map, w->nmap = naxis;
    }
    free(bin), free(p);
    return e;
}

static qiao_err make_pairs(const qiao_table *t, const qi_axis *axis, int naxis, double level,
                           qiao_why *w) {
    int most = t->ntrial >= 3000 ? 8 : t->ntrial >= 500 ? 6 : 4, npair = naxis * (naxis - 1) / 2;
    size_t n = (size_t)t->ntrial;
    uint8_t *bin = bin_rows(t, axis, naxis, most);
    found *f = malloc((size_t)npair * sizeof *f + 1);
    int shown = npair < PAIRS_SHOWN ? npair : PAIRS_SHOWN, at = 0;
    qiao_map *pair = qiao_arena_get(w->arena, (size_t)shown * sizeof *pair + 1);
    qiao_err e = bin && f && pair ? QIAO_OK : QIAO_E_MEM;
    static _Thread_local grid g;
    for (int a = 0; a < naxis && e == QIAO_OK; a++)
        for (int b = a + 1; b < naxis; b++, at++) {
            g.na = bins_of(&axis[a], most), g.nb = bins_of(&axis[b], most);
            count(t, bin + (size_t)a * n, bin + (size_t)b * n, &g);
            f[at].a = a, f[at].b = b, f[at].p = test_pair(&g, &f[at].gain);
        }
    if (e == QIAO_OK) qsort(f, (size_t)npair, sizeof *f, by_p);
    double least = 0;
    for (int i = 0; i < shown && e == QIAO_OK; i++) {
        const qi_axis *a = &axis[f[i].a], *b = &axis[f[i].b];
        g.na = bins_of(a, most), g.nb = bins_of(b, most);
        count(t, bin + (size_t)f[i].a * n, bin + (size_t)f[i].b * n, &g);
        pair[i].bits = f[i].gain;
        least = fmax(least, fmin(1, f[i].p * (npair - i))); // Holm: they are in order
        pair[i].p = least;
        e = fill(&g, a, b, t->ntrial, level, w, &pair[i]);
    }
    w->pair = pair, w->npair = e == QIAO_OK ? shown : 0;
    free(bin), free(f);
    return e;
}

qiao_err qi_why_maps(const qiao_table *t, const qi_axis *axis, int naxis, double level,
                     qiao_why *w) {
    qiao_err e = make_maps(t, axis, naxis, level, w);
    return e == QIAO_OK ? make_pairs(t, axis, naxis, level, w) : e;
}

static qiao_interval group_mean(const double *x, int n, double level) {
    enum { SINGLE = 256 }; // many groups: their draws are kept few
    qi_boot *b = n > 0 ? qi_boot_new(n, SINGLE, 0) : NULL;
    if (!b) return (qiao_interval){NAN, -INFINITY, INFINITY, level};
    qiao_interval r = qi_boot_mean(b, x, n, n, level);
    free(b);
    return r;
}

qiao_err qiao_prove_group(const qiao_table *t, int param, const double *value, int value_stride,
                          double level, qiao_arena *a, qiao_group *out) {
    *out = (qiao_group){0};
    size_t n = (size_t)t->ntrial;
    qi_axis *axis = malloc((size_t)t->nparam * sizeof *axis + 1), *x = NULL;
    int naxis = axis ? qi_axes(t, axis) : 0;
    for (int k = 0; k < naxis; k++)
        if (axis[k].param == param) x = &axis[k];
    if (axis && !x) { // it does not vary, or there is none
        free(axis);
        return QIAO_E_ARG;
    }
    uint8_t *at = x ? bin_rows(t, x, 1, bins_most(t)) : NULL;
    double *column = malloc(n * sizeof *column + 1);
    qiao_err e = at && column ? QIAO_OK : QIAO_E_MEM;
    if (e == QIAO_OK) {
        static _Thread_local grid g;
        g.na = bins_of(x, bins_most(t)), g.nb = 1;
        count(t, at, NULL, &g);
        qiao_interval *mean = qiao_arena_get(a, (size_t)g.na * sizeof *mean);
        for (int b = 0; mean && b < g.na; b++) {
            int nfinite = 0;
            for (size_t i = 0; i < n; i++)
                if (at[i] == b && isfinite(value[i * (size_t)value_stride]))
                    column[nfinite++] = value[i * (size_t)value_stride];
            mean[b] = group_mean(column, nfinite, level);
            if (nfinite > 0 && isnan(mean[b].est)) e = QIAO_E_MEM;
        }
        *out = (qiao_group){g.na, edges(x, g.na, a), bins(&g, level, a), mean};
        if (!out->edge || !out->bin || !mean) e = QIAO_E_MEM;
    }
    free(at), free(column), free(axis);
    return e;
}
