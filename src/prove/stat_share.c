// SPDX-License-Identifier: Apache-2.0
// stat_share.c - how often: exact intervals, confidence sequences and Wald's test of a share.
#include "prove/num.h"
#include "qiao/prove_stats.h"

#include <math.h>

static double inside(double x) { return fmin(fmax(x, 0), 1); }

// Source: C. Clopper, E. Pearson, The use of confidence or fiducial limits (Biometrika 1934), as
// quantiles of beta distributions.
qiao_interval qiao_stat_exact(uint64_t k, uint64_t n, double level, int side) {
    qiao_interval r = {.est = NAN, .lo = 0, .hi = 1, .level = level};
    if (n == 0 || k > n) return r;
    double a = (double)k, b = (double)(n - k), tail = side ? 1 - level : (1 - level) / 2;
    r.est = a / (double)n;
    if (side <= 0 && k > 0) r.lo = qi_beta_quantile(a, b + 1, tail);
    if (side >= 0 && k < n) r.hi = 1 - qi_beta_quantile(b, a + 1, tail);
    return r;
}

// Source: E. Wilson, Probable inference (JASA 1927).
qiao_interval qiao_stat_wilson(uint64_t k, uint64_t n, double level) {
    qiao_interval r = {.est = NAN, .lo = 0, .hi = 1, .level = level};
    if (n == 0 || k > n) return r;
    double m = (double)n, p = (double)k / m, z = qi_normal_quantile(0.5 + level / 2), zz = z * z;
    double mid = (p + zz / (2 * m)) / (1 + zz / m);
    double half = z / (1 + zz / m) * sqrt(p * (1 - p) / m + zz / (4 * m * m));
    r.est = p, r.lo = inside(mid - half), r.hi = inside(mid + half);
    return r;
}

// How likely the trials are at p, over how likely they are under a mixture of all p (beta 1/2,
// 1/2); the inverse is a martingale at the true p, so it ever passes 1/alpha with chance alpha.
// Source: H. Robbins, Statistical methods related to the law of the iterated logarithm (1970).
static double ln_evidence(double k, double n, double p) {
    double a = k + 0.5, b = n - k + 0.5, q = 1 - p;
    return 1.1447298858494001741 + qi_ln_binomial(a, b, p, q) + qi_ln(a * (b / (a + b))) -
           0.5 * qi_ln(p * q);
}

qiao_interval qiao_stat_sequence(uint64_t k, uint64_t n, double level) {
    qiao_interval r = {.est = NAN, .lo = 0, .hi = 1, .level = level};
    if (n == 0 || k > n) return r;
    double bound = qi_ln(1 - level);
    r.est = (double)k / (double)n;
    for (int up = 0; up < 2; up++) {
        double out = up, in = r.est; // one end is refused, the other is not
        if (in == out) continue;
        for (int i = 0; i < 60; i++) {
            double mid = 0.5 * (out + in);
            if (ln_evidence((double)k, (double)n, mid) > bound)
                in = mid;
            else
                out = mid;
        }
        if (up)
            r.hi = out;
        else
            r.lo = out;
    }
    return r;
}

// Source: A. Wald, Sequential analysis (1947), with bounds 1/alpha and 1/beta: Ville's inequality
// then holds exactly, where Wald's own bounds are approximate.
int qiao_stat_sprt(uint64_t k, uint64_t n, double p_good, double p_bad, double alpha, double beta) {
    double good = (double)k, bad = (double)(n - k);
    double sum =
        good * (qi_ln(p_good) - qi_ln(p_bad)) + bad * (qi_ln(1 - p_good) - qi_ln(1 - p_bad));
    if (good > 0 && p_bad <= 0) return 1;
    if (bad > 0 && p_good >= 1) return -1;
    return sum >= -qi_ln(alpha) ? 1 : sum <= qi_ln(beta) ? -1 : 0;
}

// Source: S. Holm, A simple sequentially rejective multiple test procedure (1979).
void qiao_stat_holm(double *p, int n) {
    double least = 0;
    for (int done = 0; done < n; done++) { // n is small: the least of those left, n times
        int at = -1;
        for (int i = 0; i < n; i++)
            if (p[i] >= 0 && (at < 0 || p[i] < p[at])) at = i;
        if (at < 0) break;
        least = fmax(least, fmin(1, p[at] * (n - done)));
        p[at] = -1 - least; // marked as done
    }
    for (int i = 0; i < n; i++)
        if (p[i] < 0) p[i] = -1 - p[i];
}
