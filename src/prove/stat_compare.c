// SPDX-License-Identifier: Apache-2.0
// stat_compare.c - two brains on the same draws: what differs, counted pair by pair.
#include "prove/num.h"
#include "prove/words.h"
#include "qiao/prove_stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// McNemar's test: of the pairs that differ, each side wins with chance 1/2 if there is nothing to
// find. Source: Q. McNemar (1947); mid-p: M. Fagerland, S. Lydersen, P. Laake, The McNemar test
// for binary matched-pairs data (BMC Medical Research Methodology 2013).
static void mcnemar(int b, int c, double *exact, double *mid) {
    int n = b + c, least = b < c ? b : c;
    double at = n ? qi_exp(qi_ln_binomial(least, n - least, 0.5, 0.5)) : 1;
    double tail = qi_binomial_below(least, n, 0.5);
    *exact = fmin(1, 2 * tail);
    *mid = fmin(1, 2 * tail - at);
    if (b == c) *mid = fmin(*mid, 1 - at / 2); // both tails meet in one point
    if (n == 0) *exact = *mid = 1;
}

// How far the counts are from a difference of d, in standard errors; the chance of a pair of the
// second kind is estimated under it. Source: T. Tango, Equivalence test and confidence interval
// for the difference in proportions for the paired-sample design (Statistics in Medicine 1998).
static double tango_score(double b, double c, double n, double d) {
    double e = -b - c + (2 * n - b + c) * d, f = -c * d * (1 - d);
    double q = (sqrt(fmax(e * e - 8 * n * f, 0)) - e) / (4 * n);
    double v = n * (2 * q + d * (1 - d));
    double top = b - c - n * d;
    return v > 0 ? top / sqrt(v) : top > 0 ? INFINITY : top < 0 ? -INFINITY : 0;
}

static qiao_interval tango(double b, double c, double n, double level) {
    qiao_interval r = {(b - c) / n, -1, 1, level};
    double z = qi_normal_quantile(0.5 + level / 2);
    for (int up = 0; up < 2; up++) {
        double in = r.est, out = up ? 1 : -1;
        for (int i = 0; i < 60; i++) {
            double mid = 0.5 * (in + out);
            if (fabs(tango_score(b, c, n, mid)) < z)
                in = mid;
            else
                out = mid;
        }
        if (up)
            r.hi = in;
        else
            r.lo = in;
    }
    return r;
}

static bool by_trial(const qiao_table *t, int *order) {
    double *x = malloc((size_t)t->ntrial * sizeof *x + 1);
    for (int i = 0; x && i < t->ntrial; i++) x[i] = (double)t->trial[i];
    bool ok = x && qi_order(x, t->ntrial, order);
    free(x);
    return ok;
}

// Counts the pairs, and their differences of score into diff.
static void count(const qiao_table *a, const int *ia, const qiao_table *b, const int *ib,
                  double *diff, qiao_compare *out) {
    for (int i = 0, k = 0; i < a->ntrial && k < b->ntrial;) {
        int x = ia[i], y = ib[k];
        if (a->trial[x] != b->trial[y]) {
            if (a->trial[x] < b->trial[y])
                i++;
            else
                k++;
            continue;
        }
        bool pa = a->passed[x] != 0, pb = b->passed[y] != 0;
        out->both += pa && pb, out->only_a += pa && !pb;
        out->only_b += !pa && pb, out->neither += !pa && !pb;
        diff[out->npair++] = a->total[x] - b->total[y];
        i++, k++;
    }
}

static void say(qiao_compare *c, const char *a, const char *b, double level) {
    char p[32], mid[32], n[32];
    const qiao_interval *s = &c->success;
    bool shown = c->p_mid < 1 - level;
    const char *better = s->est >= 0 ? a : b, *other = s->est >= 0 ? b : a;
    double lo = s->est >= 0 ? s->lo : -s->hi, hi = s->est >= 0 ? s->hi : -s->lo;
    qi_say_p(p, sizeof p, c->p_exact), qi_say_p(mid, sizeof mid, c->p_mid);
    qi_say_count(n, sizeof n, c->npair);
    if (shown) {
        snprintf(
            c->en, sizeof c->en,
            "%.80s passes more often than %.80s: by %.1f points (%.1f to %.1f, %g %%). Each of "
            "the %s draws was met by both; the verdict differs on %d of them, %d to %d "
            "(McNemar's exact test p %s, mid-p %s).",
            better, other, 100 * fabs(s->est), 100 * lo, 100 * hi, 100 * level, n,
            c->only_a + c->only_b, s->est >= 0 ? c->only_a : c->only_b,
            s->est >= 0 ? c->only_b : c->only_a, p, mid);
        snprintf(c->zh, sizeof c->zh,
                 "%.80s 的通过率高于 %.80s：高 %.1f 个百分点（%.1f 至 %.1f，%g %%）。%s "
                 "次抽样双方都经历，"
                 "其中 %d 次结论不同，比数 %d 比 %d（McNemar 精确检验 p %s，mid-p %s）。",
                 better, other, 100 * fabs(s->est), 100 * lo, 100 * hi, 100 * level, n,
                 c->only_a + c->only_b, s->est >= 0 ? c->only_a : c->only_b,
                 s->est >= 0 ? c->only_b : c->only_a, p, mid);
        return;
    }
    snprintf(
        c->en, sizeof c->en,
        "No difference shown between %.80s and %.80s: %+.1f points (%+.1f to %+.1f, %g %%). Each "
        "of the %s draws was met by both; the verdict differs on %d of them, %d to %d (McNemar's "
        "exact test p %s, mid-p %s).",
        a, b, 100 * s->est, 100 * s->lo, 100 * s->hi, 100 * level, n, c->only_a + c->only_b,
        c->only_a, c->only_b, p, mid);
    snprintf(c->zh, sizeof c->zh,
             "未显示 %.80s 与 %.80s 有差别：%+.1f 个百分点（%+.1f 至 %+.1f，%g %%）。%s "
             "次抽样双方都经历，"
             "其中 %d 次结论不同，比数 %d 比 %d（McNemar 精确检验 p %s，mid-p %s）。",
             a, b, 100 * s->est, 100 * s->lo, 100 * s->hi, 100 * level, n, c->only_a + c->only_b,
             c->only_a, c->only_b, p, mid);
}

qiao_err qiao_prove_compare(const qiao_table *a, const char *name_a, const qiao_table *b,
                            const char *name_b, double level, qiao_compare *out, qiao_diag *d) {
    *out = (qiao_compare){0};
    int *ia = malloc((size_t)a->ntrial * sizeof *ia + 1),
        *ib = malloc((size_t)b->ntrial * sizeof *ib + 1);
    double *diff =
        malloc((size_t)(a->ntrial < b->ntrial ? a->ntrial : b->ntrial) * sizeof *diff + 1);
    qiao_err e = QIAO_OK;
    if (!ia || !ib || !diff || !by_trial(a, ia) || !by_trial(b, ib))
        e = qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    else {
        count(a, ia, b, ib, diff, out);
        if (out->npair == 0)
            e = qiao_diag_set(d, QIAO_E_FIT, NULL, 0, 0,
                              "no trial number is in both sweeps, expected the same draws");
    }
    if (e == QIAO_OK) {
        mcnemar(out->only_a, out->only_b, &out->p_exact, &out->p_mid);
        out->success = tango(out->only_a, out->only_b, out->npair, level);
        out->total = qiao_stat_mean(diff, out->npair, level, 0);
        if (isnan(out->total.est)) e = qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
        say(out, name_a, name_b, level);
    }
    free(ia), free(ib), free(diff);
    return e;
}
