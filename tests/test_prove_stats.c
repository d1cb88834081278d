// SPDX-License-Identifier: Apache-2.0
// test_prove_stats.c - statistics against tables, closed forms and 10,000 simulated experiments.
#include "prove/boot.h"
#include "prove/num.h"
#include "qiao/prove_stats.h"
#include "test.h"

enum { EXPERIMENTS = 10000 };

static double uniform(uint64_t experiment, uint64_t i) {
    qiao_rng r = {.seed = 77, .trial = experiment, .purpose = 12345};
    return qiao_rng_uniform(&r, i, 3);
}

// ---- functions ----

TEST(functions_have_their_known_values) {
    CHECK_NEAR(qi_normal_quantile(0.975), 1.959963984540054, 1e-14);
    CHECK_NEAR(qi_normal_quantile(1e-10), -6.361340902404056, 1e-12);
    CHECK_NEAR(qi_normal(-1), 0.15865525393145705, 1e-15);
    CHECK_NEAR(qi_t_quantile(0.975, 9), 2.262157162798205, 1e-12);
    CHECK_NEAR(qi_t_quantile(0.975, 1), 12.706204736174698, 1e-10);
    CHECK_NEAR(qi_chi2_above(3.841458820694124, 1), 0.05, 1e-14);
    CHECK_NEAR(qi_chi2_above(18.307038053275146, 10), 0.05, 1e-14);
    CHECK_NEAR(qi_beta(2, 3, 0.4), 0.5248, 1e-15); // 1 - sum of four terms
    CHECK_NEAR(qi_beta(0.5, 0.5, 0.25), 1.0 / 3, 1e-14);
    CHECK_NEAR(qi_exp(qi_ln_binomial(3, 7, 0.5, 0.5)), 120.0 / 1024, 1e-16);
    CHECK_NEAR(qi_beta_quantile(5e5, 5e5, 0.5), 0.5, 1e-15);
}

TEST(binomial_sums_agree_with_plain_addition) {
    for (int n = 1; n <= 300; n = n * 3 / 2 + 1) {
        long double p = 0.03L + 0.003L * n, mass = 1, sum = 0;
        for (int i = 0; i < n; i++) mass *= 1 - p;
        for (int k = 0; k < n; k++) {
            sum += mass;
            CHECK_NEAR(qi_binomial_below(k, n, (double)p), (double)sum, 1e-13);
            mass *= (n - k) * p / ((k + 1) * (1 - p));
        }
    }
}

// ---- shares ----

TEST(exact_intervals_are_those_of_the_tables) {
    // 95 %: the charts of Clopper and Pearson as tabled in the Geigy tables
    static const struct {
        int k, n;
        double lo, hi;
    } table[] = {{0, 10, 0, 0.3085},      {1, 10, 0.0025, 0.4450},   {5, 10, 0.1871, 0.8129},
                 {4, 20, 0.0573, 0.4366}, {10, 100, 0.0490, 0.1762}, {20, 20, 0.8316, 1},
                 {3, 5, 0.1466, 0.9473},  {50, 100, 0.3983, 0.6017}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        qiao_interval r = qiao_stat_exact((uint64_t)table[i].k, (uint64_t)table[i].n, 0.95, 0);
        CHECK_NEAR(r.lo, table[i].lo, 5.1e-5);
        CHECK_NEAR(r.hi, table[i].hi, 5.1e-5);
    }
    // the rule of three, and one-sided bounds in closed form
    CHECK_NEAR(qiao_stat_exact(0, 1000, 0.95, 1).hi, 1 - pow(0.05, 1e-3), 1e-15);
    CHECK_NEAR(qiao_stat_exact(50, 50, 0.99, -1).lo, pow(0.01, 0.02), 1e-14);
    qiao_interval none = qiao_stat_exact(0, 0, 0.95, 0),
                  big = qiao_stat_exact(942000, 1000000, 0.95, 0);
    CHECK(isnan(none.est) && none.lo == 0 && none.hi == 1);
    CHECK_NEAR(qi_beta(942000, 58001, big.lo), 0.025, 1e-10);
    CHECK_NEAR(qi_beta(942001, 58000, big.hi), 0.975, 1e-10);
}

TEST(wilson_interval_of_a_textbook) {
    // Newcombe (1998), Two-sided confidence intervals for the single proportion, table I
    qiao_interval r = qiao_stat_wilson(81, 263, 0.95);
    CHECK_NEAR(r.lo, 0.2553, 5e-5);
    CHECK_NEAR(r.hi, 0.3662, 5e-5);
    r = qiao_stat_wilson(0, 20, 0.95);
    CHECK_NEAR(r.lo, 0, 5e-5);
    CHECK_NEAR(r.hi, 0.1611, 5e-5);
}

TEST(exact_intervals_hold_in_simulated_experiments) {
    enum { N = 200 };
    static qiao_interval of[N + 1];
    for (int k = 0; k <= N; k++) of[k] = qiao_stat_exact((uint64_t)k, N, 0.95, 0);
    double mean = 0, least = 1;
    int cases = 0;
    for (double p = 0.02; p < 1; p += 0.07, cases++) {
        int held = 0;
        for (int e = 0; e < EXPERIMENTS; e++) {
            int k = 0;
            for (int i = 0; i < N; i++) k += uniform((uint64_t)e, (uint64_t)(1000 * cases + i)) < p;
            held += of[k].lo <= p && p <= of[k].hi;
        }
        double share = (double)held / EXPERIMENTS;
        mean += share, least = fmin(least, share);
    }
    mean /= cases;
    printf("  95 %% exact, n = 200: coverage %.4f on average, %.4f at least\n", mean, least);
    CHECK(least >= 0.945, "never below nominal, but for the noise of 10,000 experiments: %g",
          least);
    CHECK_NEAR(mean, 0.955, 0.01);
}

TEST(a_confidence_sequence_holds_at_all_times) {
    enum { N = 300 };
    static double lo[N + 1][N + 1], hi[N + 1][N + 1];
    for (int n = 1; n <= N; n++)
        for (int k = 0; k <= n; k++) {
            qiao_interval r = qiao_stat_sequence((uint64_t)k, (uint64_t)n, 0.95);
            lo[n][k] = r.lo, hi[n][k] = r.hi;
        }
    int exact_lost = 0;
    static qiao_interval cp[N + 1];
    for (int c = 0; c < 4; c++) {
        double p = (double[]){0.5, 0.2, 0.05, 0.97}[c];
        int lost = 0;
        for (int e = 0; e < EXPERIMENTS; e++) {
            int k = 0, out = 0;
            for (int n = 1; n <= N; n++) {
                k += uniform((uint64_t)e + 50000, (uint64_t)(c * N + n)) < p;
                out |= p < lo[n][k] || p > hi[n][k];
            }
            lost += out;
        }
        printf("  p = %.2f: outside at any of 300 looks in %.2f %% of experiments\n", p,
               100.0 * lost / EXPERIMENTS);
        CHECK(lost < 0.05 * EXPERIMENTS, "%d", lost);
    }
    // the interval for a fixed number of trials, looked at the same way, does not hold
    for (int e = 0; e < 1000; e++) {
        int k = 0, out = 0;
        for (int n = 1; n <= N; n++) {
            k += uniform((uint64_t)e + 50000, (uint64_t)n) < 0.5;
            if (n % 10) continue;
            if (!cp[0].level || n) cp[0] = qiao_stat_exact((uint64_t)k, (uint64_t)n, 0.95, 0);
            out |= cp[0].lo > 0.5 || cp[0].hi < 0.5;
        }
        exact_lost += out;
    }
    CHECK(exact_lost > 100, "%d of 1,000", exact_lost);
}

TEST(walds_test_errs_as_seldom_as_it_says) {
    int good_at_bad = 0, bad_at_good = 0;
    double trials = 0;
    for (int e = 0; e < EXPERIMENTS; e++)
        for (int which = 0; which < 2; which++) {
            double p = which ? 0.95 : 0.9;
            uint64_t k = 0, n = 0;
            int say = 0;
            while (!say && n < 5000) {
                k += uniform((uint64_t)(2 * e + which), 9000 + n) < p, n++;
                say = qiao_stat_sprt(k, n, 0.95, 0.9, 0.05, 0.05);
            }
            good_at_bad += !which && say > 0, bad_at_good += which && say < 0;
            trials += (double)n;
        }
    printf("  said good at bad %.2f %%, bad at good %.2f %%, %.0f trials on average\n",
           100.0 * good_at_bad / EXPERIMENTS, 100.0 * bad_at_good / EXPERIMENTS,
           trials / (2 * EXPERIMENTS));
    CHECK(good_at_bad < 0.05 * EXPERIMENTS && bad_at_good < 0.05 * EXPERIMENTS);
    CHECK(good_at_bad > 0.02 * EXPERIMENTS, "but not for lack of trying: %d", good_at_bad);
    CHECK(qiao_stat_sprt(300, 300, 0.95, 0.9, 0.01, 0.01) == 1);
    CHECK(qiao_stat_sprt(200, 300, 0.95, 0.9, 0.01, 0.01) == -1);
    CHECK(qiao_stat_sprt(9, 10, 0.95, 0.9, 0.01, 0.01) == 0);
}

TEST(holm_corrects_step_by_step) {
    double p[] = {0.01, 0.04, 0.03, 0.005}; // times 4, 3, 2, 1 in order, never falling
    qiao_stat_holm(p, 4);
    CHECK_NEAR(p[3], 0.02, 1e-15);
    CHECK_NEAR(p[0], 0.03, 1e-15);
    CHECK_NEAR(p[2], 0.06, 1e-15);
    CHECK_NEAR(p[1], 0.06, 1e-15);
}

// ---- means and quantiles ----

static double normal_draw(double u) { return qi_normal_quantile(u * 0.999999999 + 5e-10); }

static double mean_coverage(int n, int kind, double truth) {
    static double x[4096];
    int held = 0;
    qi_boot *b = qi_boot_new(n, QI_BOOT_SINGLE, 3);
    for (int e = 0; e < EXPERIMENTS; e++) {
        for (int i = 0; i < n; i++) {
            double u = uniform((uint64_t)e + 1000000, (uint64_t)(10000 * kind + i));
            x[i] = kind == 0 ? normal_draw(u) : kind == 1 ? -log(1 - u) : u < 0.9 ? 1 : 5 * (1 - u);
        }
        qiao_interval r = qi_boot_mean(b, x, n, n, 0.95);
        held += r.lo <= truth && truth <= r.hi;
    }
    free(b);
    return (double)held / EXPERIMENTS;
}

TEST(bootstrap_of_a_mean_holds_in_simulated_experiments) {
    double a = mean_coverage(30, 0, 0), b = mean_coverage(100, 1, 1),
           c = mean_coverage(200, 2, 0.925);
    printf("  95 %% BCa: normal n = 30 %.4f, exponential n = 100 %.4f, score-like n = 200 %.4f\n",
           a, b, c);
    CHECK_NEAR(a, 0.95, 0.01);
    CHECK_NEAR(b, 0.95, 0.01);
    CHECK_NEAR(c, 0.95, 0.01);
}

TEST(bootstrap_leaves_out_what_is_not_there_and_repeats_its_bits) {
    double x[] = {1, NAN, 2, 3, NAN, 4, 2, 3, 2, 3, 2.4, 2.6, 2.5};
    qiao_interval r = qiao_stat_mean(x, 13, 0.95, 5), again = qiao_stat_mean(x, 13, 0.95, 5);
    CHECK_NEAR(r.est, 2.5, 0);
    CHECK(r.lo > 1.7 && r.lo < 2.1 && r.hi > 2.9 && r.hi < 3.1, "%g %g", r.lo, r.hi);
    CHECK(memcmp(&r, &again, sizeof r) == 0);
    r = qiao_stat_mean(x + 1, 1, 0.95, 5);
    CHECK(isnan(r.est) && isinf(r.lo));
    static double y[3000];
    for (int i = 0; i < 3000; i++) y[i] = uniform(9, (uint64_t)i);
    r = qiao_stat_mean(y, 3000, 0.95, 1);
    CHECK(r.hi - r.lo > 0.0195 && r.hi - r.lo < 0.022, "grouped: %g", r.hi - r.lo);
}

TEST(quantile_intervals_hold_and_are_the_tabled_ones) {
    // n = 20, median, 95 %: the 6th and the 15th (David and Nagaraja, section 7.1)
    double x[200];
    for (int i = 0; i < 20; i++) x[i] = i + 1;
    qiao_interval r = qiao_stat_quantile(x, 20, 0.5, 0.95);
    CHECK_NEAR(r.lo, 6, 0);
    CHECK_NEAR(r.hi, 15, 0);
    CHECK_NEAR(r.est, 10, 0);
    r = qiao_stat_quantile(x, 20, 0.99, 0.95);
    CHECK(isinf(r.hi) && r.est == 20, "20 values do not bound their 99 %% quantile");
    int held = 0;
    for (int e = 0; e < EXPERIMENTS; e++) {
        for (int i = 0; i < 200; i++) x[i] = uniform((uint64_t)e, (uint64_t)i + 777);
        r = qiao_stat_quantile(x, 200, 0.9, 0.95);
        held += r.lo <= 0.9 && 0.9 <= r.hi;
    }
    CHECK(held >= 0.945 * EXPERIMENTS && held < 0.98 * EXPERIMENTS, "%d", held);
}

TEST(weighted_mean_is_unbiased_where_the_answer_is_known) {
    // P(u > 0.99) with draws of density 2 u: weight 1 / (2 u)
    enum { N = 200 };
    static double x[N], w[N];
    double sum = 0;
    int held = 0;
    qi_boot *b = qi_boot_new(N, QI_BOOT_SINGLE, 0);
    for (int e = 0; e < EXPERIMENTS; e++) {
        for (int i = 0; i < N; i++) {
            double u = sqrt(uniform((uint64_t)e + 31, (uint64_t)i + 5));
            x[i] = u > 0.9, w[i] = 1 / (2 * u);
        }
        for (int i = 0; i < N; i++) x[i] *= w[i];
        qiao_interval r = qi_boot_mean(b, x, N, N, 0.95);
        sum += r.est, held += r.lo <= 0.1 && 0.1 <= r.hi;
    }
    CHECK_NEAR(sum / EXPERIMENTS, 0.1, 0.0009); // four standard errors
    CHECK_NEAR((double)held / EXPERIMENTS, 0.95, 0.01);
    for (int i = 0; i < N; i++) w[i] = i % 2 ? 0.5 : 2;
    qiao_interval r = qiao_stat_weighted(x, w, N, 0.95);
    for (int i = 0; i < N; i++) x[i] *= w[i];
    qiao_interval same = qi_boot_mean(b, x, N, N, 0.95);
    CHECK(memcmp(&r, &same, sizeof r) == 0);
    free(b);
}

// ---- survival ----

TEST(survival_of_the_leukaemia_patients) {
    // Miller, Survival analysis (1981), maintained group; 1: relapse, 0: censored
    static const double t[] = {161, 9, 13, 13, 18, 23, 28, 31, 34, 45, 48};
    static const uint8_t fell[] = {0, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1};
    qiao_arena *a = qiao_arena_new();
    qiao_survival s;
    CHECK(qiao_stat_survival(t, fell, 11, 0.95, a, &s) == QIAO_OK && s.n == 10, "%d", s.n);
    static const struct {
        double t, s, lo, hi;
    } known[] = {{9, 0.909, 0.508, 0.987},  {13, 0.818, 0.447, 0.951}, {18, 0.716, 0.350, 0.899},
                 {23, 0.614, 0.266, 0.835}, {31, 0.491, 0.167, 0.753}, {34, 0.368, 0.093, 0.657},
                 {48, 0.184, 0.012, 0.525}};
    int k = 0;
    for (int i = 0; i < s.n; i++) {
        if (k < 7 && s.t[i] >= known[k].t) {
            CHECK_NEAR(s.t[i], known[k].t, 0);
            CHECK_NEAR(s.alive[i].est, known[k].s, 6e-4);
            CHECK_NEAR(s.alive[i].lo, known[k].lo, 6e-4);
            CHECK_NEAR(s.alive[i].hi, known[k].hi, 6e-4);
            k++;
        }
    }
    CHECK(k == 7 && s.at_risk[0] == 11 && s.at_risk[1] == 10);
    qiao_arena_free(a);
}

// ---- two brains on the same draws ----

typedef struct pair_data {
    qiao_table a, b;
    uint64_t trial_a[2000], trial_b[2000];
    uint8_t pass_a[2000], pass_b[2000];
    double total_a[2000], total_b[2000];
} pair_data;

static pair_data *pairs(int both, int only_a, int only_b, int neither) {
    static pair_data p;
    int n = both + only_a + only_b + neither;
    for (int i = 0; i < n; i++) {
        p.trial_a[i] = (uint64_t)i, p.pass_a[i] = i < both + only_a;
        p.total_a[i] = p.pass_a[i] ? 1 : 0.25;
        int k = n - 1 - i; // the other sweep ended in another order
        p.trial_b[i] = (uint64_t)k;
        p.pass_b[i] = k < both || (k >= both + only_a && k < both + only_a + only_b);
        p.total_b[i] = p.pass_b[i] ? 1 : 0.25;
    }
    p.a = (qiao_table){.ntrial = n, .trial = p.trial_a, .passed = p.pass_a, .total = p.total_a};
    p.b = (qiao_table){.ntrial = n, .trial = p.trial_b, .passed = p.pass_b, .total = p.total_b};
    return &p;
}

TEST(comparison_of_a_textbook) {
    // Bentur et al. in Fagerland et al. (2013): exact 0.070, mid-p 0.039; Tango's interval of the
    // difference (0.0 %.., Fagerland, Lydersen, Laake, Statistical analysis of contingency tables)
    qiao_compare c;
    qiao_diag d = {0};
    pair_data *p = pairs(1, 1, 7, 12);
    CHECK(qiao_prove_compare(&p->a, "new", &p->b, "old", 0.95, &c, &d) == QIAO_OK, "%s", d.text);
    CHECK(c.npair == 21 && c.both == 1 && c.only_a == 1 && c.only_b == 7 && c.neither == 12);
    CHECK_NEAR(c.p_exact, 0.0703125, 1e-14);
    CHECK_NEAR(c.p_mid, 0.0390625, 1e-14);
    CHECK_NEAR(c.success.est, -6.0 / 21, 1e-15);
    CHECK_NEAR(c.success.lo, -0.517, 5e-4);
    CHECK_NEAR(c.success.hi, -0.026, 5e-4);
    CHECK_NEAR(c.total.est, -0.75 * 6 / 21, 1e-15);
    CHECK_TEXT(c.en, "old passes more often than new: by 28.6 points");
    CHECK_TEXT(c.en, "differs on 8 of them, 7 to 1");
    CHECK_TEXT(c.zh, "old 的通过率高于 new");
    // much the same from far more draws is no difference of note, and no overlap is refused
    p = pairs(900, 31, 30, 39);
    CHECK(qiao_prove_compare(&p->a, "new", &p->b, "old", 0.95, &c, &d) == QIAO_OK, "%s", d.text);
    CHECK_TEXT(c.en, "No difference shown");
    CHECK(c.success.lo < 0 && c.success.hi > 0 && c.success.hi < 0.02);
    p->b.ntrial = 0;
    CHECK(qiao_prove_compare(&p->a, "new", &p->b, "old", 0.95, &c, &d) == QIAO_E_FIT);
    CHECK_TEXT(d.text, "expected the same draws");
}

TEST(interval_of_a_paired_difference_holds) {
    // b fails where a fails, and on its own in a tenth of the draws
    int held = 0, n = 80, shown = 0;
    for (int e = 0; e < EXPERIMENTS / 10; e++) {
        int t[4] = {0};
        for (int i = 0; i < n; i++) {
            double u = uniform((uint64_t)e + 90000, (uint64_t)i);
            t[u < 0.75 ? 0 : u < 0.86 ? 1 : u < 0.9 ? 2 : 3]++;
        }
        qiao_compare c;
        pair_data *p = pairs(t[0], t[1], t[2], t[3]);
        CHECK(qiao_prove_compare(&p->a, "a", &p->b, "b", 0.95, &c, NULL) == QIAO_OK);
        held += c.success.lo <= 0.07 && 0.07 <= c.success.hi, shown += c.p_mid < 0.05;
    }
    CHECK_NEAR(held / (EXPERIMENTS / 10.0), 0.95, 0.02);
    CHECK(shown > 0.2 * EXPERIMENTS / 10, "the test has power: %d", shown);
}

// ---- the same bits everywhere ----

TEST(bits_are_the_stored_ones) {
    static double x[500];
    for (int i = 0; i < 500; i++) x[i] = uniform(3, (uint64_t)i) * uniform(4, (uint64_t)i);
    qiao_compare c;
    pair_data *p = pairs(80, 9, 21, 40);
    CHECK(qiao_prove_compare(&p->a, "a", &p->b, "b", 0.95, &c, NULL) == QIAO_OK);
    qiao_interval all[] = {qiao_stat_exact(17, 230, 0.95, 0),
                           qiao_stat_exact(99990, 100000, 0.99, -1),
                           qiao_stat_wilson(17, 230, 0.95),
                           qiao_stat_sequence(17, 230, 0.95),
                           qiao_stat_sequence(9, 100000, 0.9),
                           qiao_stat_mean(x, 500, 0.95, 7),
                           qiao_stat_quantile(x, 500, 0.9, 0.95),
                           c.success,
                           c.total};
    qiao_hash h;
    uint8_t hash[QIAO_HASH_BYTES];
    char hex[QIAO_HASH_HEX];
    qiao_hash_init(&h), qiao_hash_add(&h, all, sizeof all);
    qiao_hash_end(&h, hash), qiao_hash_hex(hash, hex);
    CHECK(!strncmp(hex, "c974a797bc0c03cc", 16), "%s", hex);
}
