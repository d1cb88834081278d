// SPDX-License-Identifier: Apache-2.0
// why.c - causes of failure counted, and the rows that people look at first.
#include "prove/why.h"
#include "prove/num.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// Whole numbers in a small range without a unit: entries of a choice.
static bool is_choice(const qiao_table *t, int p) {
    double lo = t->param_range[p][0], hi = t->param_range[p][1];
    if (t->param_unit && t->param_unit[p] && t->param_unit[p][0]) return false;
    if (lo != floor(lo) || hi != floor(hi) || hi - lo >= QI_CHOICES_MAX) return false;
    for (int i = 0; i < t->ntrial; i++) {
        double x = t->param[(size_t)i * (size_t)t->nparam + (size_t)p];
        if (x != floor(x) || x < lo || x > hi) return false;
    }
    return true;
}

int qi_axes(const qiao_table *t, qi_axis *axis) {
    int n = 0;
    for (int p = 0; p < t->nparam; p++) {
        double lo = t->param_range[p][0], hi = t->param_range[p][1];
        if (isfinite(lo) && isfinite(hi) && hi > lo)
            axis[n++] = (qi_axis){.param = p, .choice = is_choice(t, p), .lo = lo, .hi = hi};
    }
    return n;
}

double qi_place(const qiao_table *t, const qi_axis *x, int i) {
    double v = t->param[(size_t)i * (size_t)t->nparam + (size_t)x->param];
    double u = (v - x->lo) / (x->hi - x->lo);
    return u > 0 ? fmin(u, 1) : 0; // what is no number lies at 0
}

static double likelihood(double n, double k) {
    double l = 0;
    if (k > 0) l += k * qi_ln(k / n);
    if (k < n) l += (n - k) * qi_ln((n - k) / n);
    return l;
}
double qi_gain(double n1, double k1, double n, double k) {
    return 2 * (likelihood(n1, k1) + likelihood(n - n1, k - k1) - likelihood(n, k));
}

static int most_first(const void *a, const void *b) {
    const qiao_cause *x = a, *y = b;
    return x->n != y->n ? y->n - x->n : strcmp(x->name, y->name);
}

static qiao_err count_causes(const qiao_table *t, double level, qiao_why *w) {
    qiao_cause *c = qiao_arena_get(w->arena, (size_t)(t->ncause + 1) * sizeof *c);
    if (!c) return QIAO_E_MEM;
    for (int k = 0; k < t->ncause; k++) c[k].name = t->cause_name[k];
    int unnamed = 0;
    for (int i = 0; i < t->ntrial; i++) {
        if (t->passed[i]) continue;
        if (t->cause && t->cause[i] >= 0 && t->cause[i] < t->ncause)
            c[t->cause[i]].n++;
        else
            unnamed++;
    }
    int n = t->ncause;
    if (unnamed) c[n++] = (qiao_cause){.name = "?", .n = unnamed};
    qsort(c, (size_t)n, sizeof *c, most_first);
    while (n > 0 && c[n - 1].n == 0) n--;
    for (int k = 0; k < n; k++)
        c[k].share = qiao_stat_exact((uint64_t)c[k].n, (uint64_t)t->ntrial, level, 0);
    w->cause = c, w->ncause = n;
    return QIAO_OK;
}

// Is row i worse than row k? By verdict, score, then by how soon it ended.
static bool is_worse(const qiao_table *t, int i, int k) {
    if (t->passed[i] != t->passed[k]) return !t->passed[i];
    if (t->total[i] != t->total[k]) return t->total[i] < t->total[k];
    if (t->time[i] != t->time[k]) return (t->time[i] < t->time[k]) == !t->passed[i];
    return t->trial[i] < t->trial[k];
}

static qiao_err find_rows(const qiao_table *t, const qi_axis *axis, int naxis, qiao_why *w) {
    int n = t->ntrial, *order = malloc((size_t)n * sizeof *order + 1);
    double *total = malloc((size_t)n * sizeof *total + 1);
    for (int i = 0; total && i < n; i++) total[i] = isfinite(t->total[i]) ? t->total[i] : 0;
    if (!order || !total || !qi_order(total, n, order)) {
        free(order), free(total);
        return QIAO_E_MEM;
    }
    w->worst = w->best = n ? 0 : -1;
    for (int i = 1; i < n; i++) {
        if (is_worse(t, i, w->worst)) w->worst = i;
        if (is_worse(t, w->best, i)) w->best = i;
    }
    w->median = n ? order[(n - 1) / 2] : -1;
    w->nearest = -1, w->distance = INFINITY;
    for (int i = 0; i < n; i++) {
        double sum = 0;
        int m = 0;
        for (int k = 0; k < naxis; k++) {
            double x = axis[k].choice ? 0 : 2 * qi_place(t, &axis[k], i) - 1;
            sum += x * x, m += !axis[k].choice;
        }
        double far = m ? sqrt(sum / m) : 0;
        if (!t->passed[i] && far < w->distance) w->nearest = i, w->distance = far;
    }
    free(order), free(total);
    return QIAO_OK;
}

qiao_why *qiao_why_new(const qiao_table *t, double level, uint64_t seed, qiao_diag *d) {
    qiao_why *w = calloc(1, sizeof *w);
    if (w) w->arena = qiao_arena_new();
    qi_axis *axis = malloc((size_t)t->nparam * sizeof *axis + 1);
    qiao_err e = w && w->arena && axis ? QIAO_OK : QIAO_E_MEM;
    int naxis = e == QIAO_OK ? qi_axes(t, axis) : 0;
    if (e == QIAO_OK) e = count_causes(t, level, w);
    if (e == QIAO_OK) e = find_rows(t, axis, naxis, w);
    if (e == QIAO_OK) e = qi_why_maps(t, axis, naxis, level, w);
    if (e == QIAO_OK) e = qi_why_rules(t, axis, naxis, level, seed, w);
    free(axis);
    if (e != QIAO_OK) {
        qiao_diag_set(d, e, NULL, 0, 0, "out of memory");
        qiao_why_free(w);
        return NULL;
    }
    return w;
}

void qiao_why_free(qiao_why *w) {
    if (!w) return;
    qiao_arena_free(w->arena);
    free(w);
}
