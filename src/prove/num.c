// SPDX-License-Identifier: Apache-2.0
// num.c - incomplete beta and gamma functions, normal and t quantiles, sorting.
#include "prove/num.h"

#define LANES_T double
#define LANES_N 1
#include "base/lanes_math.h"

#include <math.h>
#include <stdlib.h>

static const double LN_2PI = 1.8378770664093454836;
enum { TERMS_MAX = 200000 }; // of a fraction; about the root of the larger argument are needed

double qi_ln(double x) { return logr(x); }
double qi_exp(double x) { return expr(x); }

// ln(1 + x) - x without loss near 0.
static double ln1_minus(double x) {
    if (x < -0.3 || x > 0.5) return qi_ln(1 + x) - x;
    // with s = x / (2 + x): ln(1 + x) = 2 atanh(s); x = 2 s / (1 - s)
    double s = x / (2 + x), z = s * s, term = s, sum = 0;
    for (int k = 3; k < 60; k += 2) {
        term *= z;
        double next = sum + term / k;
        if (next == sum) break;
        sum = next;
    }
    return 2 * sum - s * x;
}

// ln Gamma(x + 1) - (x + 1/2) ln x + x - ln(2 pi) / 2, x > 0: what Stirling's formula lacks.
static double stirling_rest(double x) {
    double up = 0;
    for (; x < 16; x += 1) { // d(x) = d(x + 1) + (x + 1/2) ln(1 + 1/x) - 1
        double y = 1 / x;
        up += x < 1 ? (x + 0.5) * qi_ln(1 + y) - 1 : (x + 0.5) * ln1_minus(y) + 0.5 * y;
    }
    double r = 1 / x, z = r * r;
    return up + r * (1.0 / 12 - z * (1.0 / 360 - z * (1.0 / 1260 - z * (1.0 / 1680 - z / 1188))));
}

// x ln(x / m) + m - x
static double deviance(double x, double m) {
    if (x <= 0) return m;
    return -x * ln1_minus((m - x) / x);
}

double qi_ln_binomial(double a, double b, double p, double q) {
    double n = a + b;
    if (p <= 0) return a <= 0 ? 0 : -INFINITY;
    if (q <= 0) return b <= 0 ? 0 : -INFINITY;
    if (a <= 0) return b * (p < 0.5 ? ln1_minus(-p) - p : qi_ln(q));
    if (b <= 0) return a * (q < 0.5 ? ln1_minus(-q) - q : qi_ln(p));
    return stirling_rest(n) - stirling_rest(a) - stirling_rest(b) - deviance(a, n * p) -
           deviance(b, n * q) - 0.5 * (LN_2PI + qi_ln(a) + qi_ln(b / n));
}

// x^a (1 - x)^b / B(a, b)
static double beta_front(double a, double b, double x, double y) {
    return qi_exp(qi_ln_binomial(a, b, x, y)) * (a * (b / (a + b)));
}

// I_x(a, b) / front, for x below the mean.
static double beta_fraction(double a, double b, double x) {
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double h = d;
    for (int m = 1; m < TERMS_MAX; m++) {
        double k = m, e = k * (b - k) * x / ((a + 2 * k - 1) * (a + 2 * k));
        d = 1 + e * d, c = 1 + e / c;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        if (fabs(c) < tiny) c = tiny;
        h *= d * c;
        e = -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1));
        d = 1 + e * d, c = 1 + e / c;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        if (fabs(c) < tiny) c = tiny;
        h *= d * c;
        if (fabs(d * c - 1) < 1e-15) break;
    }
    return h / a;
}

double qi_beta(double a, double b, double x) {
    if (!(x > 0)) return x <= 0 ? 0 : NAN;
    if (x >= 1) return 1;
    double front = beta_front(a, b, x, 1 - x);
    if (x < (a + 1) / (a + b + 2)) return fmin(front * beta_fraction(a, b, x), 1);
    return 1 - fmin(front * beta_fraction(b, a, 1 - x), 1);
}

// Newton's steps, halving where they leave what is known.
double qi_beta_quantile(double a, double b, double p) {
    if (p <= 0) return 0;
    if (p >= 1) return 1;
    double lo = 0, hi = 1, x = a / (a + b);
    for (int i = 0; i < 200; i++) {
        double f = qi_beta(a, b, x) - p;
        if (f > 0)
            hi = x;
        else
            lo = x;
        double slope = beta_front(a, b, x, 1 - x) / (x * (1 - x)), next = x - f / slope;
        if (!(next > lo && next < hi)) next = 0.5 * (lo + hi);
        if (f == 0 || fabs(next - x) <= 4e-16 * x || next == lo || next == hi) return next;
        x = next;
    }
    return x;
}

double qi_gamma_q(double a, double x) {
    if (!(x > 0)) return 1;
    // x^a e^-x / Gamma(a + 1)
    double front = qi_exp(-stirling_rest(a) - deviance(a, x) - 0.5 * (LN_2PI + qi_ln(a)));
    if (x < a + 1) {
        double sum = 1, term = 1;
        for (int k = 1; k < TERMS_MAX && term > 1e-17 * sum; k++) sum += term *= x / (a + k);
        return 1 - fmin(front * sum, 1);
    }
    double b = x + 1 - a, c = 1e300, d = 1 / b, h = d;
    for (int k = 1; k < TERMS_MAX; k++) {
        double e = -k * (k - a);
        b += 2, d = 1 / (e * d + b), c = b + e / c, h *= d * c;
        if (fabs(d * c - 1) < 1e-15) break;
    }
    return fmin(front * a * h, 1);
}

double qi_chi2_above(double x, int df) { return qi_gamma_q(0.5 * df, 0.5 * x); }

double qi_normal(double z) {
    double tail = 0.5 * qi_gamma_q(0.5, 0.5 * z * z);
    return z < 0 ? tail : 1 - tail;
}

double qi_normal_quantile(double p) {
    if (!(p > 0)) return -INFINITY;
    if (!(p < 1)) return INFINITY;
    double q = fmin(p, 1 - p), t = sqrt(-2 * qi_ln(q));
    // Hastings' start (Abramowitz and Stegun 26.2.23), then Halley's steps
    double z = (2.515517 + t * (0.802853 + t * 0.010328)) /
                   (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) -
               t;
    for (int i = 0; i < 3; i++) {
        double f = (qi_normal(z) - q) * qi_exp(0.5 * (z * z + LN_2PI));
        z -= f / (1 + 0.5 * z * f);
    }
    return p < 0.5 ? z : -z;
}

double qi_t_quantile(double p, double df) {
    // I_x(df/2, 1/2) = 2 q with x = df / (df + t^2)
    double q = fmin(p, 1 - p), x = qi_beta_quantile(0.5 * df, 0.5, 2 * q);
    double t = sqrt(df * (1 - x) / x);
    return p < 0.5 ? -t : t;
}

double qi_binomial_below(int64_t k, int64_t n, double p) {
    if (k < 0) return 0;
    if (k >= n) return 1;
    return qi_beta((double)(n - k), (double)(k + 1), 1 - p);
}

void qi_pick2(const qiao_rng *r, uint64_t counter, uint32_t n, uint32_t at[2]) {
    uint64_t u = (uint64_t)(qiao_rng_uniform(r, counter, 0) * 0x1p52);
    at[0] = (uint32_t)((u >> 26) * n >> 26), at[1] = (uint32_t)((u & 0x3ffffff) * n >> 26);
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void qi_sort(double *x, int n) { qsort(x, (size_t)n, sizeof *x, by_value); }

// Merge sort of indices: stable, and the same on every libc.
bool qi_order(const double *x, int n, int *order) {
    int *other = malloc((size_t)n * sizeof *other + 1), *from = order, *to = other;
    if (!other) return false;
    for (int i = 0; i < n; i++) order[i] = i;
    for (int w = 1; w < n; w *= 2) {
        for (int at = 0; at < n; at += 2 * w) {
            int i = at, mid = at + w < n ? at + w : n, j = mid,
                end = at + 2 * w < n ? at + 2 * w : n;
            for (int k = at; k < end; k++)
                to[k] = i < mid && (j >= end || !(x[from[j]] < x[from[i]])) ? from[i++] : from[j++];
        }
        int *t = from;
        from = to, to = t;
    }
    if (from != order) {
        for (int i = 0; i < n; i++) order[i] = from[i];
    }
    free(other);
    return true;
}
