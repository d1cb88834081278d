// SPDX-License-Identifier: Apache-2.0
// words.c - numbers and sentences for people.
#include "prove/words.h"
#include "qiao/prove_report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void qi_say_count(char *s, size_t cap, long long n) {
    char digits[32];
    int len = snprintf(digits, sizeof digits, "%lld", n), k = 0;
    char out[48];
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0 && digits[i - 1] != '-') out[k++] = ',';
        out[k++] = digits[i];
    }
    out[k] = 0;
    snprintf(s, cap, "%s", out);
}

void qi_say_p(char *s, size_t cap, double p) {
    if (p < 1e-6)
        snprintf(s, cap, "< 1e-6");
    else
        snprintf(s, cap, "= %.2g", p);
}

void qi_say_number(char *s, size_t cap, double x) {
    if (!isfinite(x)) {
        snprintf(s, cap, "%s", isnan(x) ? "-" : x > 0 ? "inf" : "-inf");
        return;
    }
    double a = fabs(x);
    int digits = a >= 100 || a == 0 ? 0 : a >= 10 ? 1 : a >= 1 ? 2 : 3;
    if (a != 0 && (a < 1e-3 || a >= 1e7)) {
        snprintf(s, cap, "%.3g", x);
        return;
    }
    int n = snprintf(s, cap, "%.*f", digits, x);
    if (digits && n < (int)cap) { // no trailing zeros
        while (n > 1 && s[n - 1] == '0') s[--n] = 0;
        if (s[n - 1] == '.') s[--n] = 0;
    }
}

// Percent with so many digits, rounded outwards; what is a hair off a step is the step.
static double outwards(double share, int digits, int way) {
    double unit = 1;
    for (int k = 0; k < digits; k++) unit *= 10;
    double x = 100 * share * unit;
    return (way < 0 ? floor(x + 1e-9) : ceil(x - 1e-9)) / unit;
}

void qi_say_bound(char *s, size_t cap, double share, int way) {
    double near = 100 * fmin(share, 1 - share);
    int digits = near <= 0 || near >= 1 ? 2 : near >= 0.1 ? 3 : near >= 0.01 ? 4 : 6;
    if (near <= 0) digits = 0;
    snprintf(s, cap, "%.*f", digits, outwards(share, digits, way));
}

void qi_say_column(char *s, size_t cap, const qiao_interval *i) {
    double est = i->est < 1 ? fmin(i->est, 0.9999) : i->est; // some failed: never 100.00
    snprintf(s, cap, "%6.2f %% (%.2f-%.2f %%)", 100 * est, outwards(i->lo, 2, -1),
             outwards(i->hi, 2, 1));
}

void qi_say_share(char *s, size_t cap, const qiao_interval *i) {
    double w = 100 * (i->hi - i->lo);
    int digits = w >= 5 ? 0 : w >= 0.2 ? 1 : w >= 0.02 ? 2 : w >= 2e-3 ? 3 : w >= 2e-4 ? 4 : 6;
    // the outer digits must not hide the interval: its ends are rounded outwards
    snprintf(s, cap, "%.*f %% (%.*f-%.*f %%)", digits, 100 * i->est, digits,
             outwards(i->lo, digits, -1), digits, outwards(i->hi, digits, 1));
}

const char *qi_say_unit(const char *unit) {
    static const char *const pair[][2] = {{"mps", "m/s"},      {"mpss", "m/s²"}, {"radps", "rad/s"},
                                          {"degps", "°/s"},    {"deg", "°"},     {"kmph", "km/h"},
                                          {"radpss", "rad/s²"}};
    for (size_t i = 0; unit && i < sizeof pair / sizeof *pair; i++)
        if (!strcmp(unit, pair[i][0])) return pair[i][1];
    return unit ? unit : "";
}

void qi_say_verdict(const qiao_table *t, const qiao_interval *sequence, double level, bool chinese,
                    char *text, size_t cap) {
    uint64_t k = 0;
    for (int i = 0; i < t->ntrial; i++) k += t->passed[i] != 0;
    char share[80], n[32];
    qi_say_count(n, sizeof n, t->ntrial);
    if (t->ntrial == 0) {
        snprintf(text, cap, "%s", chinese ? "没有试验" : "no trials");
        return;
    }
    qiao_interval i = qiao_stat_exact(k, (uint64_t)t->ntrial, level, 0);
    const char *how = chinese ? "精确区间" : "exact";
    double *fell = t->weight ? malloc((size_t)t->ntrial * sizeof *fell + 1) : NULL;
    if (fell) { // importance sampling: the failures, weighted back
        for (int r = 0; r < t->ntrial; r++) fell[r] = !t->passed[r];
        qiao_interval f = qiao_stat_weighted(fell, t->weight, t->ntrial, level);
        i = (qiao_interval){1 - f.est, fmax(1 - f.hi, 0), fmin(1 - f.lo, 1), level};
        how = chinese ? "自助区间，加权" : "bootstrap, weighted";
        free(fell);
    } else if (sequence && sequence->level > 0) { // it was looked at again and again
        i = *sequence, level = i.level;
        how = chinese ? "随时有效" : "at every look";
    }
    qi_say_share(share, sizeof share, &i);
    char *close = strrchr(share, ')'); // the level belongs inside the brackets
    if (close) *close = 0;
    if (chinese)
        snprintf(text, cap, "%s 次试验中通过 %s，%g %% %s）", n, share, 100 * level, how);
    else
        snprintf(text, cap, "passes %s, %g %% %s) of %s trials", share, 100 * level, how, n);
}

void qiao_prove_sentence(const qiao_table *t, double level, bool chinese, char *text, size_t cap) {
    qi_say_verdict(t, NULL, level, chinese, text, cap);
}
