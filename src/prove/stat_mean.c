// SPDX-License-Identifier: Apache-2.0
// stat_mean.c - means by bootstrap, quantiles by order statistics.
#include "prove/boot.h"
#include "prove/num.h"
#include "qiao/prove_stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RESAMPLES = 1000 };
enum { PURPOSE_BOOTSTRAP = 0x626f6f74, PURPOSE_GROUP = 0x67726f75 };

typedef struct group { // of values that are drawn together
    double sum, n;
} group;

// The finite values of x in m groups: of one each, or of several chosen by chance, so that the
// order of the trials (low discrepancy, for one) does not matter. Returns how many; 0: no memory.
static int make_groups(const double *x, int n, int nfinite, int m, uint64_t seed, group *g) {
    int k = 0;
    memset(g, 0, (size_t)m * sizeof *g);
    if (m == nfinite) {
        for (int i = 0; i < n; i++)
            if (isfinite(x[i])) g[k++] = (group){x[i], 1};
        return m;
    }
    double *v = malloc((size_t)nfinite * sizeof *v);
    if (!v) return 0;
    for (int i = 0; i < n; i++)
        if (isfinite(x[i])) v[k++] = x[i];
    qiao_rng r = {.seed = seed, .purpose = PURPOSE_GROUP};
    for (int i = nfinite - 1; i > 0; i--) {
        int j = (int)(qiao_rng_uniform(&r, (uint64_t)i, 0) * (i + 1));
        double t = v[i];
        v[i] = v[j], v[j] = t;
    }
    for (int i = 0; i < nfinite; i++) g[i % m].sum += v[i], g[i % m].n += 1;
    free(v);
    return m;
}

static double mean_without(const group *g, int m, int out) {
    double sum = 0, n = 0;
    for (int i = 0; i < m; i++)
        if (i != out) sum += g[i].sum, n += g[i].n;
    return n > 0 ? sum / n : 0;
}

// Skewness of the mean from leaving out each group: the a of BCa.
static double acceleration(const group *g, int m, double mean) {
    double sum = 0, n = 0, s2 = 0, s3 = 0;
    for (int i = 0; i < m; i++) sum += g[i].sum, n += g[i].n;
    for (int i = 0; i < m; i++) {
        double d = mean - (sum - g[i].sum) / (n - g[i].n);
        s2 += d * d, s3 += d * d * d;
    }
    return s2 > 0 ? s3 / (6 * s2 * sqrt(s2)) : 0;
}

// Between two of the sorted b[RESAMPLES].
static double at_share(const double *b, double share) {
    double k = share * (RESAMPLES + 1) - 1;
    if (k <= 0) return b[0];
    if (k >= RESAMPLES - 1) return b[RESAMPLES - 1];
    int i = (int)k;
    return b[i] + (k - i) * (b[i + 1] - b[i]);
}

struct qi_boot {
    int m;
    uint64_t seed;
    uint16_t at[]; // [RESAMPLES][m] which groups each resample draws
};

qi_boot *qi_boot_new(int nfinite, int single, uint64_t seed) {
    int groups = single < QI_BOOT_GROUPS ? single : QI_BOOT_GROUPS;
    int m = nfinite > single ? groups : nfinite;
    qi_boot *b = malloc(sizeof *b + sizeof(uint16_t) * RESAMPLES * (size_t)m);
    if (!b) return NULL;
    b->m = m, b->seed = seed;
    qiao_rng key = {.seed = seed, .purpose = PURPOSE_BOOTSTRAP};
    for (int k = 0; k < RESAMPLES; k++) {
        uint16_t *at = b->at + (size_t)k * (size_t)m;
        key.trial = (uint64_t)k;
        for (int i = 0; i < m; i += 2) {
            uint32_t two[2];
            qi_pick2(&key, (uint64_t)i, (uint32_t)m, two);
            at[i] = (uint16_t)two[0];
            if (i + 1 < m) at[i + 1] = (uint16_t)two[1];
        }
    }
    return b;
}

// Source: B. Efron, Better bootstrap confidence intervals (JASA 1987); the shares are widened for
// small n by Student's t as in T. Hesterberg, What teachers should know about the bootstrap (2015).
static void bca(const qi_boot *boot, const group *g, bool grouped, qiao_interval *r) {
    double mean[RESAMPLES], below = 0;
    int m = boot->m;
    for (int k = 0; k < RESAMPLES; k++) {
        const uint16_t *at = boot->at + (size_t)k * (size_t)m;
        double sum = 0, n = 0;
        for (int i = 0; i < m; i++) sum += g[at[i]].sum;
        for (int i = 0; grouped && i < m; i++) n += g[at[i]].n;
        mean[k] = sum / (grouped ? n : m);
        below += mean[k] < r->est ? 1 : mean[k] == r->est ? 0.5 : 0;
    }
    qi_sort(mean, RESAMPLES);
    if (mean[0] == mean[RESAMPLES - 1]) {
        r->lo = r->hi = r->est;
        return;
    }
    double z0 = qi_normal_quantile(fmin(fmax(below, 0.5), RESAMPLES - 0.5) / RESAMPLES);
    double a = acceleration(g, m, r->est), wide = sqrt((double)m / (m - 1));
    double z = wide * qi_t_quantile(0.5 + r->level / 2, m - 1);
    for (int up = 0; up < 2; up++) {
        double w = z0 + (up ? z : -z), c = 1 - a * w;
        double end = at_share(mean, c > 0 ? qi_normal(z0 + w / c) : up);
        if (up)
            r->hi = fmax(end, r->est);
        else
            r->lo = fmin(end, r->est);
    }
}

qiao_interval qi_boot_mean(const qi_boot *b, const double *x, int n, int nfinite, double level) {
    qiao_interval r = {NAN, -INFINITY, INFINITY, level};
    group *g = malloc((size_t)b->m * sizeof *g + 1);
    int m = g ? make_groups(x, n, nfinite, b->m, b->seed, g) : 0;
    if (m > 0) r.est = mean_without(g, m, -1);
    if (m > 1) bca(b, g, nfinite > m, &r);
    free(g);
    return r;
}

qiao_interval qiao_stat_mean(const double *x, int n, double level, uint64_t seed) {
    int nfinite = 0;
    for (int i = 0; i < n; i++) nfinite += isfinite(x[i]) != 0;
    qi_boot *b = nfinite > 0 ? qi_boot_new(nfinite, QI_BOOT_SINGLE, seed) : NULL;
    if (!b) return (qiao_interval){NAN, -INFINITY, INFINITY, level};
    qiao_interval r = qi_boot_mean(b, x, n, nfinite, level);
    free(b);
    return r;
}

qiao_interval qiao_stat_weighted(const double *x, const double *weight, int n, double level) {
    if (!weight) return qiao_stat_mean(x, n, level, 0);
    double *y = malloc((size_t)n * sizeof *y + 1);
    if (!y) return (qiao_interval){NAN, -INFINITY, INFINITY, level};
    for (int i = 0; i < n; i++) y[i] = weight[i] * x[i];
    qiao_interval r = qiao_stat_mean(y, n, level, 0);
    free(y);
    return r;
}

// The l-th of n in order lies below the quantile with chance P(Bin(n, q) >= l), whatever x is.
// Source: H. David, H. Nagaraja, Order statistics (2003), section 7.1.
qiao_interval qiao_stat_quantile(const double *x, int n, double q, double level) {
    qiao_interval r = {NAN, -INFINITY, INFINITY, level};
    double *v = malloc((size_t)n * sizeof *v + 1), tail = (1 - level) / 2;
    int m = 0;
    for (int i = 0; v && i < n; i++)
        if (isfinite(x[i])) v[m++] = x[i];
    if (m > 0) {
        qi_sort(v, m);
        int at = (int)ceil(q * m) - 1, lo = 0, hi = m + 1;
        r.est = v[at < 0 ? 0 : at];
        // the largest l with P(Bin < l) <= tail, the smallest u with P(Bin >= u) <= tail
        for (int step = 1 << 30; step > 0; step /= 2)
            if (step <= m - lo && qi_binomial_below(lo + step - 1, m, q) <= tail) lo += step;
        for (int step = 1 << 30; step > 0; step /= 2)
            if (hi - step >= 1 && 1 - qi_binomial_below(hi - step - 1, m, q) <= tail) hi -= step;
        if (lo >= 1) r.lo = v[lo - 1];
        if (hi <= m) r.hi = v[hi - 1];
    }
    free(v);
    return r;
}
