// SPDX-License-Identifier: Apache-2.0
// test_prove_rare.c - rare failures with a known chance are found and estimated; failures shrink.
#include "prove/num.h"
#include "prove_fake.h"
#include "test.h"

// ---- oracles ----

typedef struct tail { // fails where (x0 + .. + x(k-1)) / sqrt(k) > beta, x normal
    int nparam, k;
    double beta;
} tail;

static qiao_err run_tail(void *ctx, int n, const uint64_t *trial, const double *u, uint8_t *failed,
                         double *severity, qiao_diag *d) {
    (void)trial, (void)d;
    const tail *t = ctx;
    for (int i = 0; i < n; i++) {
        double s = 0;
        for (int k = 0; k < t->k; k++)
            s += qi_normal_quantile(u[i * t->nparam + k] * 0.9999999999 + 5e-11);
        s /= sqrt(t->k);
        failed[i] = s > t->beta, severity[i] = s;
    }
    return QIAO_OK;
}

typedef struct corner { // fails inside a box; its severity falls with the distance from it
    fake_fault f;
    double noise;  // of the severity
    bool blind;    // nothing but the verdict
    double chance; // of failing inside
} corner;

static qiao_err run_corner(void *ctx, int n, const uint64_t *trial, const double *u,
                           uint8_t *failed, double *severity, qiao_diag *d) {
    (void)d;
    const corner *c = ctx;
    for (int i = 0; i < n; i++) {
        const double *x = u + i * FAKE_PARAMS;
        double far = 0;
        for (int k = 0; k < c->f.n; k++) {
            double v = x[c->f.p[k]], out = fmax(fmax(c->f.lo[k] - v, v - c->f.hi[k]), 0);
            far += out * out;
        }
        failed[i] = fake_in(&c->f, x) && fake_uniform(5, trial[i], 1) < c->f.chance;
        severity[i] =
            failed[i] ? 2 - 0.2 : 1 - sqrt(far) + c->noise * (fake_uniform(5, trial[i], 2) - 0.5);
        if (c->blind) severity[i] = failed[i];
    }
    return QIAO_OK;
}

// One of 20 faults of chance 1e-5: corners of two or three parameters, some with an interval.
static corner plant(int which) {
    corner c = {.f = {.n = 2 + which % 2, .chance = 1}, .noise = 0.1};
    double size = c.f.n == 2 ? 0.0031622777 : 0.0215443469;
    for (int i = 0; i < c.f.n; i++) {
        c.f.p[i] = (which + 3 * i) % FAKE_PARAMS;
        bool low = fake_uniform(8, (uint64_t)which, (uint32_t)i) < 0.5,
             mid = which % 5 == 4 && i == 0;
        c.f.lo[i] = mid ? 0.2 + 0.5 * fake_uniform(8, (uint64_t)which, 9) : low ? 0 : 1 - size;
        c.f.hi[i] = mid ? c.f.lo[i] + size : low ? size : 1;
    }
    return c;
}

// ---- searches ----

TEST(faults_of_one_in_100000_are_found) {
    int found = 0, held = 0, most = 0;
    double mean = 0;
    for (int which = 0; which < 20; which++) {
        corner c = plant(which);
        qiao_oracle o = {FAKE_PARAMS, run_corner, &c};
        qiao_rare_def def = qiao_rare_def_default();
        def.seed = (uint64_t)which + 1, def.ntrial = 6000;
        qiao_rare r;
        qiao_diag d = {0};
        CHECK(qiao_rare_search(&o, &def, &r, &d) == QIAO_OK, "%s", d.text);
        bool in = r.u && fake_in(&c.f, r.u);
        CHECK(!r.u || in, "what is called a failure fails");
        printf("  %2d first after %4d, search %d, estimate %.3g (%.3g .. %.3g), plain %.3g\n",
               which, r.nfirst, r.nsearch, r.p.est, r.p.lo, r.p.hi, r.effective);
        found += r.nfirst > 0 && r.nfirst < 1000; // plain sampling needs 100,000 on average
        held += r.p.lo <= 1e-5 && 1e-5 <= r.p.hi;
        most = r.nfirst > most ? r.nfirst : most, mean += r.nfirst / 20.0;
        qiao_rare_free(&r);
    }
    printf("  %d of 20 within 1,000 trials, %.0f on average, %d at most; interval holds %d of 20\n",
           found, mean, most, held);
    CHECK(found >= 19, "%d", found);
    CHECK(held >= 17, "%d", held);
}

TEST(estimate_of_one_in_a_million_is_unbiased) {
    static const struct {
        int k;
        double beta, truth;
    } problem[] = {
        {1, 4.753424308822899, 1e-6}, {2, 4.753424308822899, 1e-6}, {3, 3.7190164854556804, 1e-4}};
    enum { RUNS = 30 };
    for (int q = 0; q < 3; q++) {
        tail t = {6, problem[q].k, problem[q].beta};
        qiao_oracle o = {6, run_tail, &t};
        double sum = 0, squares = 0, effective = 0;
        int held = 0;
        for (int run = 0; run < RUNS; run++) {
            qiao_rare_def def = qiao_rare_def_default();
            def.seed = 1000 + (uint64_t)run, def.ntrial = 6000;
            qiao_rare r;
            CHECK(qiao_rare_search(&o, &def, &r, NULL) == QIAO_OK);
            sum += r.p.est, squares += r.p.est * r.p.est, effective += r.effective / RUNS;
            held += r.p.lo <= problem[q].truth && problem[q].truth <= r.p.hi;
            qiao_rare_free(&r);
        }
        double mean = sum / RUNS, error = sqrt((squares / RUNS - mean * mean) / RUNS);
        printf(
            "  %d parameters, truth %g: mean %.4g, standard error %.2g, interval holds %d of %d, "
            "worth %.2g plain trials each\n",
            problem[q].k, problem[q].truth, mean, error, held, RUNS, effective);
        CHECK_NEAR(mean, problem[q].truth, 4 * error);
        CHECK(error < 0.05 * problem[q].truth, "%g", error);
        CHECK(held >= 25, "%d", held);
    }
}

TEST(without_a_severity_it_is_plain_sampling) {
    corner c = {.f = {2, {1, 4}, {0.9, 0.9}, {1, 1}, 1}, .blind = true, .chance = 1};
    qiao_oracle o = {FAKE_PARAMS, run_corner, &c};
    qiao_rare_def def = qiao_rare_def_default();
    def.ntrial = 6000;
    qiao_rare r;
    CHECK(qiao_rare_search(&o, &def, &r, NULL) == QIAO_OK);
    CHECK(r.p.lo <= 0.01 && 0.01 <= r.p.hi && r.p.hi < 0.0115, "%g %g", r.p.lo, r.p.hi);
    qiao_rare_free(&r);
    c = plant(0), c.blind = true; // one in 100,000 cannot be seen in 6,000: that is said
    CHECK(qiao_rare_search(&o, &def, &r, NULL) == QIAO_OK);
    CHECK(r.nfirst == 0 && !r.u && r.p.lo == 0 && r.p.hi > 1e-3 && r.p.hi < 1.3e-3);
    CHECK_TEXT(r.en, "No failure among the 3000 trials");
    qiao_rare_free(&r);
}

TEST(searches_repeat_their_bits_and_refuse_nonsense) {
    corner c = plant(3);
    qiao_oracle o = {FAKE_PARAMS, run_corner, &c};
    qiao_rare_def def = qiao_rare_def_default();
    def.ntrial = 2500;
    qiao_rare a, b;
    CHECK(qiao_rare_search(&o, &def, &a, NULL) == QIAO_OK &&
          qiao_rare_search(&o, &def, &b, NULL) == QIAO_OK);
    CHECK(memcmp(&a.p, &b.p, sizeof a.p) == 0 && !memcmp(a.u, b.u, FAKE_PARAMS * sizeof *a.u));
    qiao_rare_free(&a), qiao_rare_free(&b);
    qiao_diag d = {0};
    def.ntrial = 5;
    CHECK(qiao_rare_search(&o, &def, &a, &d) == QIAO_E_ARG);
    CHECK_TEXT(d.text, "5 trials in batches of 64");
}

// ---- shrinking ----

TEST(a_failure_shrinks_to_what_it_takes) {
    // fails when friction is low and the push strong; all ten deviate at first
    corner c = {.f = {2, {0, 1}, {0, 0.7}, {0.3, 1}, 1}, .chance = 1};
    qiao_oracle o = {FAKE_PARAMS, run_corner, &c};
    double u[FAKE_PARAMS], again[FAKE_PARAMS];
    for (int k = 0; k < FAKE_PARAMS; k++) u[k] = fake_uniform(3, 1, (uint32_t)k);
    u[0] = 0.05, u[1] = 0.93;
    memcpy(again, u, sizeof u);
    qiao_shrunk s, t;
    qiao_diag d = {0};
    CHECK(qiao_shrink(&o, 7, NULL, true, 2000, u, &s, &d) == QIAO_OK, "%s", d.text);
    CHECK(s.ndiffer == 2 && s.fewest, "%d", s.ndiffer);
    CHECK_NEAR(u[0], 0.3, 1e-3);
    CHECK_NEAR(u[1], 0.7, 1e-3);
    CHECK(fake_in(&c.f, u) && u[4] == 0.5);
    CHECK(s.ntrial < 300, "%d", s.ntrial);
    CHECK(qiao_shrink(&o, 7, NULL, true, 2000, again, &t, &d) == QIAO_OK);
    CHECK(!memcmp(u, again, sizeof u) && !memcmp(&s, &t, sizeof s), "the same bits");
    // towards a nominal of one's own
    double nominal[FAKE_PARAMS] = {0.2, 0.4, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5};
    CHECK(qiao_shrink(&o, 7, nominal, true, 2000, u, &s, &d) == QIAO_OK);
    CHECK(s.ndiffer == 1 && u[0] == 0.2);
    // all may differ: the same border, as near in all
    for (int k = 0; k < FAKE_PARAMS; k++) u[k] = fake_uniform(3, 1, (uint32_t)k);
    u[0] = 0.05, u[1] = 0.93;
    CHECK(qiao_shrink(&o, 7, NULL, false, 2000, u, &s, &d) == QIAO_OK);
    CHECK_NEAR(s.distance, sqrt(2 * 0.16 / FAKE_PARAMS), 0.01);
}

static bool either(const double *u) {
    return u[0] > 0.9 || (u[7] > 0.9 && u[8] > 0.9 && u[9] > 0.9);
}
static qiao_err run_either(void *ctx, int n, const uint64_t *trial, const double *u,
                           uint8_t *failed, double *severity, qiao_diag *d) {
    (void)ctx, (void)trial, (void)d;
    for (int i = 0; i < n; i++) failed[i] = either(u + i * FAKE_PARAMS), severity[i] = failed[i];
    return QIAO_OK;
}

TEST(the_fewest_is_found_where_greed_finds_more) {
    // the first half returns to nominal and it still fails, by three parameters; one alone would do
    qiao_oracle o = {FAKE_PARAMS, run_either, NULL};
    double u[FAKE_PARAMS];
    for (int k = 0; k < FAKE_PARAMS; k++) u[k] = 0.95;
    qiao_shrunk s;
    qiao_diag d = {0};
    CHECK(qiao_shrink(&o, 1, NULL, true, 500, u, &s, &d) == QIAO_OK);
    CHECK(s.ndiffer == 1 && s.fewest);
    for (int k = 0; k < FAKE_PARAMS; k++) u[k] = 0.6;
    CHECK(qiao_shrink(&o, 1, NULL, true, 500, u, &s, &d) == QIAO_E_ARG);
    CHECK_TEXT(d.text, "does not fail");
    // a budget of a few trials ends in time and still with a failure
    for (int k = 0; k < FAKE_PARAMS; k++) u[k] = 0.95;
    CHECK(qiao_shrink(&o, 1, NULL, true, 4, u, &s, NULL) == QIAO_OK);
    CHECK(s.ntrial <= 4 && either(u));
}
