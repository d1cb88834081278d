// SPDX-License-Identifier: Apache-2.0
// stat_survival.c - how long trials go well: the product-limit estimate.
#include "prove/num.h"
#include "qiao/prove_stats.h"

#include <math.h>
#include <stdlib.h>

// Source: E. Kaplan, P. Meier, Nonparametric estimation from incomplete observations (JASA 1958);
// interval: J. Kalbfleisch, R. Prentice, The statistical analysis of failure time data, 1.4.
static qiao_interval alive_at(double s, double sum, int risk, double z, double level) {
    qiao_interval r = {s, 0, 1, level};
    if (s >= 1) r.lo = qiao_stat_exact((uint64_t)risk, (uint64_t)risk, level, 0).lo;
    if (s <= 0) r.hi = 0;
    if (s > 0 && s < 1) {
        double ln_s = qi_ln(s), turn = qi_exp(z * sqrt(sum) / -ln_s);
        r.lo = qi_exp(ln_s * turn), r.hi = qi_exp(ln_s / turn);
    }
    return r;
}

qiao_err qiao_stat_survival(const double *t, const uint8_t *fell, int n, double level,
                            qiao_arena *a, qiao_survival *out) {
    *out = (qiao_survival){0};
    if (n <= 0) return QIAO_OK;
    int *order = malloc((size_t)n * sizeof *order);
    bool sorted = order && qi_order(t, n, order);
    int steps = 1;
    for (int i = 1; sorted && i < n; i++) steps += t[order[i]] > t[order[i - 1]];
    double *at = qiao_arena_get(a, (size_t)steps * sizeof *at);
    qiao_interval *alive = qiao_arena_get(a, (size_t)steps * sizeof *alive);
    int *risk = qiao_arena_get(a, (size_t)steps * sizeof *risk);
    if (!sorted || !at || !alive || !risk) {
        free(order);
        return QIAO_E_MEM;
    }
    double s = 1, sum = 0, z = qi_normal_quantile(0.5 + level / 2);
    for (int i = 0, k = 0, next; i < n; i = next) {
        int d = 0, r = n - i;
        for (next = i; next < n && t[order[next]] <= t[order[i]]; next++)
            d += fell[order[next]] != 0;
        if (d > 0) {
            s *= 1 - (double)d / r;
            if (r > d) sum += (double)d / ((double)r * (r - d)); // Greenwood's formula
        }
        at[k] = t[order[i]], risk[k] = r, alive[k++] = alive_at(s, sum, r, z, level);
        out->n = k;
    }
    out->t = at, out->alive = alive, out->at_risk = risk;
    free(order);
    return QIAO_OK;
}
