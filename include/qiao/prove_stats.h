// SPDX-License-Identifier: Apache-2.0
// qiao/prove_stats.h - what many trials say: how often, why not, the rare and the least failure.
#ifndef QIAO_PROVE_STATS_H
#define QIAO_PROVE_STATS_H

#include "qiao/prove.h"

#pragma GCC visibility push(default) // libqiao.so exports what is public

// ---- how often (docs/prove_stats.md); own arithmetic, the same bits everywhere ----

typedef struct qiao_interval { // lo <= truth <= hi at this level of confidence
    double est, lo, hi, level; // est NAN: nothing to tell from
} qiao_interval;

// k of n independent trials: exact (Clopper and Pearson, 1934).
//   side  0: two-sided; -1: a lower bound alone (hi 1); +1: an upper bound alone (lo 0)
qiao_interval qiao_stat_exact(uint64_t k, uint64_t n, double level, int side);
qiao_interval qiao_stat_wilson(uint64_t k, uint64_t n, double level); // approximate, to compare
// Holds at every n at once, however often one looks: the interval to stop by (beta mixture).
qiao_interval qiao_stat_sequence(uint64_t k, uint64_t n, double level);
// Wald's test: +1: success is p_good or more, -1: p_bad or less, 0: go on. Says +1 at p_bad with
// a chance below alpha, -1 at p_good below beta, however often one looks.
int qiao_stat_sprt(uint64_t k, uint64_t n, double p_good, double p_bad, double alpha, double beta);
// Mean of the finite x[n]: bootstrap (BCa); past 2,048 values 1,024 groups are drawn.
qiao_interval qiao_stat_mean(const double *x, int n, double level, uint64_t seed);
// Quantile q of the finite x[n], between two of them: no assumption on x.
qiao_interval qiao_stat_quantile(const double *x, int n, double q, double level);
// Mean of weight * x: unbiased under importance sampling. weight NULL: all 1.
qiao_interval qiao_stat_weighted(const double *x, const double *weight, int n, double level);
// Holm's correction of p[n] for n questions asked at once, in place.
void qiao_stat_holm(double *p, int n);

typedef struct qiao_survival { // Kaplan and Meier (1958), Greenwood's variance of log(-log)
    int n;                     // steps
    const double *t;           // [n] s, rising
    const qiao_interval *alive;
    const int *at_risk;
} qiao_survival;
//   t, fell  [n] when trial i ended; 1: by a failure, 0: it was over (censored)
qiao_err qiao_stat_survival(const double *t, const uint8_t *fell, int n, double level,
                            qiao_arena *a, qiao_survival *out);

// Two brains on the same draws; rows are paired by their trial number.
typedef struct qiao_compare {
    int npair, both, only_a, only_b, neither; // passed
    double p_exact, p_mid;                    // McNemar's test: exact, mid-p
    qiao_interval success;                    // of a's success minus b's (Tango, 1998)
    qiao_interval total;                      // of a's score minus b's (paired bootstrap)
    char en[600], zh[600];                    // what that says
} qiao_compare;
qiao_err qiao_prove_compare(const qiao_table *a, const char *name_a, const qiao_table *b,
                            const char *name_b, double level, qiao_compare *out, qiao_diag *d);

// ---- why it fails ----

typedef struct qiao_cause {
    const char *name;
    int n;
    qiao_interval share; // of all trials
} qiao_cause;
typedef struct qiao_bin {
    int n, nfail;
    qiao_interval fail;
} qiao_bin;
typedef struct qiao_map {          // failure over one parameter, or over a pair
    int a, b;                      // parameters; b -1: one
    int na, nb;                    // bins; one for each entry of a choice
    const double *edge_a, *edge_b; // [na + 1], [nb + 1]
    const qiao_bin *bin;           // [na][nb]
    double bits; // what it says about failure; of a pair: beyond its two parameters alone
    double p;    // chance of that without any effect, after Holm over all maps of its kind
} qiao_map;
// The trials grouped by one parameter: how often they fail in each bin, and the mean of any
// column (score, a measure; NAN left out) by bootstrap. Memory from a.
//   value  [ntrial]    value_stride: from one trial's to the next, nmeasure for a measure
typedef struct qiao_group {
    int nbin;
    const double *edge; // [nbin + 1]
    const qiao_bin *bin;
    const qiao_interval *mean; // [nbin]
} qiao_group;
qiao_err qiao_prove_group(const qiao_table *t, int param, const double *value, int value_stride,
                          double level, qiao_arena *a, qiao_group *out);

typedef struct qiao_condition {
    int param;
    double lo, hi;    // lo <= x < hi; infinite: open
    uint64_t choices; // bit i: entry i; 0: no choice, an interval
} qiao_condition;
enum { QIAO_RULE_CONDITIONS = 3, QIAO_RULE_MAX = 4 };
typedef struct qiao_rule { // found on one half of the trials, measured on the other
    int ncondition;
    qiao_condition condition[QIAO_RULE_CONDITIONS];
    qiao_interval precision; // share of failures among the trials in it
    qiao_interval coverage;  // its share of all failures
    double outside;          // share of failures among the trials in no rule
    char en[400], zh[400];
} qiao_rule;
typedef struct qiao_why {
    int ncause, nmap, npair, nrule;
    const qiao_cause *cause;    // most first
    const qiao_map *map, *pair; // strongest first; pairs: the strongest alone
    qiao_rule rule[QIAO_RULE_MAX];
    int nearest;             // row of the failure nearest to the middle of the ranges; -1: none
    double distance;         // of it: the root mean square of 2 u - 1
    int worst, median, best; // rows by score; -1: no trials
    qiao_arena *arena;
} qiao_why;
qiao_why *qiao_why_new(const qiao_table *t, double level, uint64_t seed, qiao_diag *d);
void qiao_why_free(qiao_why *w);

// What searches ask: trials at chosen places.
typedef struct qiao_oracle {
    int nparam;
    // Runs trials trial[n] at u [n][nparam]; fills failed [n] and severity [n]: the larger, the
    // nearer to failure; equal everywhere if nothing but the verdict is known.
    qiao_err (*run)(void *ctx, int n, const uint64_t *trial, const double *u, uint8_t *failed,
                    double *severity, qiao_diag *d);
    void *ctx;
} qiao_oracle;
// Asks a sweep. severity of a passed trial: what it lacked in score and how near its measures came
// to their limits, below 1; of a failed one: 2 - total. A place that a rule of the scenario forbids
// did not fail.
qiao_oracle qiao_sweep_oracle(qiao_sweep *s);

typedef struct qiao_rare_def {
    uint64_t seed;
    uint64_t trial0; // number of the first trial
    int ntrial;      // at most, 20,000; half of them or less search
    int batch;       // trials of one call while searching, 64
    double level;    // 0.95
} qiao_rare_def;
qiao_rare_def qiao_rare_def_default(void);
typedef struct qiao_rare {
    qiao_interval p;  // chance of failure over the declared ranges, unbiased
    int ntrial;       // run in all
    int nsearch;      // of these to find and learn; the rest make the estimate
    int nfirst;       // trials until the first failure; 0: none
    int nfail;        // failures among those that make the estimate
    double effective; // trials of plain sampling that would give this interval
    double *u;        // [nparam] the failure nearest to the middle; NULL: none
    uint64_t trial;   // its trial number
    char en[400], zh[400];
} qiao_rare;
// Cross-entropy search along the severity, then importance sampling from what it learned, mixed
// with plain draws, so that no weight passes 10. Without a severity it is plain sampling until a
// failure is seen. Deterministic. qiao_rare_free frees u.
qiao_err qiao_rare_search(const qiao_oracle *o, const qiao_rare_def *def, qiao_rare *out,
                          qiao_diag *d);
void qiao_rare_free(qiao_rare *r);

typedef struct qiao_shrunk {
    int ndiffer;     // parameters that still differ from nominal; 0: nominal fails as well
    int ntrial;      // run
    double distance; // root mean square of 2 (u - nominal)
    bool fewest;     // every smaller set of the same deviations was tried
} qiao_shrunk;
// Moves a failing place towards nominal (NULL: the middle) as long as it fails: first as few
// parameters that differ as can be (delta debugging: A. Zeller, R. Hildebrandt, IEEE TSE 2002),
// then each as near as can be. few false: all may differ, as near as can be in all.
//   u [nparam] in, out. E_ARG: u does not fail.
qiao_err qiao_shrink(const qiao_oracle *o, uint64_t trial, const double *nominal, bool few,
                     int ntrial_max, double *u, qiao_shrunk *out, qiao_diag *d);

#pragma GCC visibility pop
#endif
