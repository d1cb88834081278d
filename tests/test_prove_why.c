// SPDX-License-Identifier: Apache-2.0
// test_prove_why.c - planted causes of failure are found, counted and said.
#include "prove_fake.h"
#include "test.h"

static qiao_why *explain(const qiao_table *t) {
    qiao_diag d = {0};
    qiao_why *w = qiao_why_new(t, 0.95, 1, &d);
    CHECK(w != NULL, "%s", d.text);
    return w;
}

// One of the 20 plantings: threshold, corner, interval, choice and threshold, three at once.
static fake_fault plant(int which) {
    fake_fault f = {.chance = 0.7 + 0.3 * fake_uniform(9, (uint64_t)which, 50)};
    int kind = which % 5;
    f.n = kind == 0 || kind == 2 ? 1 : kind == 4 ? 3 : 2;
    for (int i = 0; i < f.n; i++) {
        bool fresh = false;
        for (uint32_t again = 0; !fresh; again++) { // another parameter for each
            f.p[i] =
                (int)(FAKE_PARAMS * fake_uniform(9, (uint64_t)which, 10 * again + (uint32_t)i));
            fresh = f.p[i] != FAKE_SURFACE;
            for (int k = 0; k < i; k++) fresh = fresh && f.p[k] != f.p[i];
        }
        double part = fake_uniform(9, (uint64_t)which, 60 + (uint32_t)i);
        double size = f.n == 1   ? 0.05 + 0.15 * part
                      : f.n == 2 ? 0.2 + 0.2 * part
                                 : 0.35 + 0.15 * part;
        bool low = fake_uniform(9, (uint64_t)which, 70 + (uint32_t)i) < 0.5;
        f.lo[i] = low ? 0 : 1 - size, f.hi[i] = low ? size : 1;
        if (kind == 2) f.lo[i] = 0.2 + 0.5 * part, f.hi[i] = f.lo[i] + 0.12;
    }
    if (kind == 3) { // one entry of the choice
        int entry = (int)(FAKE_CHOICES * fake_uniform(9, (uint64_t)which, 80));
        f.p[0] = FAKE_SURFACE, f.lo[0] = entry / 4.0, f.hi[0] = (entry + 1) / 4.0;
    }
    return f;
}

TEST(twenty_planted_faults_are_explained) {
    int right = 0;
    double worst_border = 0;
    for (int which = 0; which < 20; which++) {
        fake_fault f = plant(which);
        qiao_table *t = fake_table(100 + (uint64_t)which, 6000, &f, 1, 0.02);
        qiao_why *w = explain(t);
        bool ok = w->nrule >= 1 && w->rule[0].ncondition == f.n;
        for (int i = 0; i < f.n && ok; i++) {
            bool found = false;
            for (int k = 0; k < w->rule[0].ncondition; k++) {
                const qiao_condition *c = &w->rule[0].condition[k];
                found |= c->param == f.p[i];
                if (c->param != f.p[i] || c->choices) continue;
                const double *r = fake_range[c->param];
                double lo = isinf(c->lo) ? 0 : (c->lo - r[0]) / (r[1] - r[0]);
                double hi = isinf(c->hi) ? 1 : (c->hi - r[0]) / (r[1] - r[0]);
                worst_border = fmax(worst_border, fmax(fabs(lo - f.lo[i]), fabs(hi - f.hi[i])));
            }
            ok = found;
        }
        printf("  %2d %s %s\n", which, ok ? "found " : "MISSED",
               w->nrule ? w->rule[0].en : "no rule");
        right += ok;
        qiao_why_free(w), fake_free(t);
    }
    printf("  %d of 20, borders within %.3f of the range\n", right, worst_border);
    CHECK(right >= 19, "%d", right);
    CHECK(worst_border < 0.05, "%g", worst_border);
}

TEST(no_rule_is_made_of_noise) {
    int rules = 0, pairs = 0, maps = 0;
    for (int which = 0; which < 60; which++) {
        qiao_table *t = fake_table(500 + (uint64_t)which, 3000, NULL, 0, 0.1);
        qiao_why *w = explain(t);
        rules += w->nrule;
        pairs += w->pair[0].p < 0.05; // 5 % of tables each, by Holm
        double least = 1;
        for (int i = 0; i < w->nmap; i++) least = fmin(least, w->map[i].p);
        maps += least < 0.05;
        qiao_why_free(w), fake_free(t);
    }
    printf("  60 tables of noise: %d rules, %d pairs, %d maps below 0.05\n", rules, pairs, maps);
    CHECK(rules == 0 && pairs <= 8 && maps <= 8, "%d rules, %d pairs, %d maps", rules, pairs, maps);
}

TEST(two_faults_make_two_rules_and_words) {
    fake_fault f[2] = {{2, {0, 1}, {0, 0.7}, {0.3, 1}, 0.95},
                       {1, {FAKE_SURFACE}, {0.5}, {0.75}, 0.6}};
    qiao_table *t = fake_table(3, 8000, f, 2, 0.01);
    qiao_why *w = explain(t);
    CHECK(w->nrule == 2, "%d", w->nrule);
    const qiao_rule *choice = &w->rule[0], *corner = &w->rule[1];
    if (!choice->condition[0].choices) choice = &w->rule[1], corner = &w->rule[0];
    CHECK(choice->ncondition == 1 && choice->condition[0].choices == 4, "%s", choice->en);
    CHECK_TEXT(choice->en, "fails (torque) when surface is choice 2: ");
    CHECK_TEXT(choice->zh, "当 surface 为第 2 项 时失败（torque）");
    CHECK_TEXT(corner->en, "fails (tilt) when ");
    CHECK_TEXT(corner->en, "friction < 0.5");
    CHECK_TEXT(corner->en, "push.force > 62 N");
    CHECK_TEXT(corner->en, "of failures");
    // a quarter of the corner lies on choice 2: 0.75 of 0.95 and 0.25 of 0.6
    CHECK(corner->precision.lo < 0.8625 && corner->precision.hi > 0.8625, "%s", corner->en);
    CHECK(corner->outside < 0.03 && corner->coverage.est > 0.2 && corner->coverage.est < 0.5);
    // the maps agree: first the choice or the corner's two, the strongest pair is the corner
    CHECK(w->map[0].p < 1e-6 && w->map[2].p < 1e-6 && w->map[3].p > 0.001);
    CHECK(w->pair[0].a == 0 && w->pair[0].b == 1 && w->pair[0].p < 1e-6);
    CHECK(w->pair[1].bits < w->pair[0].bits / 3, "%g %g", w->pair[0].bits, w->pair[1].bits);
    int n = 0, k = 0;
    for (int i = 0; i < w->map[0].na * w->map[0].nb; i++)
        n += w->map[0].bin[i].n, k += w->map[0].bin[i].nfail;
    CHECK(n == 8000 && k > 1500, "%d %d", n, k);
    qiao_why_free(w), fake_free(t);
}

TEST(causes_are_counted_and_rows_found) {
    fake_fault f = {1, {0}, {0}, {0.1}, 0.9};
    qiao_table *t = fake_table(4, 2000, &f, 1, 0.02);
    qiao_why *w = explain(t);
    int fails = 0, tilt = 0;
    double nearest = INFINITY;
    for (int i = 0; i < t->ntrial; i++) {
        fails += !t->passed[i], tilt += t->cause[i] == 0;
        double sum = 0;
        for (int k = 0; k < FAKE_PARAMS; k++) {
            if (k == FAKE_SURFACE) continue;
            double u = (t->param[i * FAKE_PARAMS + k] - fake_range[k][0]) /
                       (fake_range[k][1] - fake_range[k][0]);
            sum += (2 * u - 1) * (2 * u - 1) / (FAKE_PARAMS - 1);
        }
        if (!t->passed[i]) nearest = fmin(nearest, sqrt(sum));
    }
    CHECK(w->ncause == 2 && !strcmp(w->cause[0].name, "tilt") && w->cause[0].n == tilt);
    CHECK(w->cause[0].n + w->cause[1].n == fails);
    CHECK(w->cause[0].share.lo < tilt / 2000.0 && w->cause[0].share.hi > tilt / 2000.0);
    CHECK(!t->passed[w->nearest]);
    CHECK_NEAR(w->distance, nearest, 1e-12);
    for (int i = 0; i < t->ntrial; i++) {
        CHECK(t->passed[i] || t->total[w->worst] <= t->total[i]);
        CHECK(!t->passed[i] || t->total[w->best] >= t->total[i]);
    }
    int below = 0;
    for (int i = 0; i < t->ntrial; i++) below += t->total[i] < t->total[w->median];
    CHECK(below == 999, "%d", below);
    qiao_why_free(w), fake_free(t);
    // nothing at all, and nothing that failed
    t = fake_table(4, 0, NULL, 0, 0);
    w = explain(t);
    CHECK(w->worst == -1 && w->nearest == -1 && w->nrule == 0 && w->ncause == 0);
    qiao_why_free(w), fake_free(t);
    t = fake_table(4, 50, NULL, 0, 0);
    w = explain(t);
    CHECK(w->worst >= 0 && w->nearest == -1 && w->nrule == 0 && w->ncause == 0);
    qiao_why_free(w), fake_free(t);
}

TEST(trials_are_grouped_by_a_parameter) {
    fake_fault f = {1, {0}, {0}, {0.25}, 0.5};
    qiao_table *t = fake_table(8, 4000, &f, 1, 0);
    qiao_arena *a = qiao_arena_new();
    qiao_group g;
    CHECK(qiao_prove_group(t, 0, t->total, 1, 0.95, a, &g) == QIAO_OK && g.nbin == 12);
    double n = 0, sum = 0, all = 0;
    for (int b = 0; b < g.nbin; b++) {
        n += g.bin[b].n, sum += g.mean[b].est * g.bin[b].n;
        CHECK(b < 3 ? g.bin[b].fail.lo > 0.35 && g.mean[b].hi < 0.7 : g.bin[b].nfail == 0, "%d", b);
        CHECK(g.mean[b].lo <= g.mean[b].est && g.mean[b].hi >= g.mean[b].est);
    }
    for (int i = 0; i < t->ntrial; i++) all += t->total[i];
    CHECK(n == 4000);
    CHECK_NEAR(sum, all, 1e-8 * all);
    CHECK_NEAR(g.edge[3], 0.2 + 0.25, 1e-12);
    // a measure that failed trials lack, by a choice
    CHECK(qiao_prove_group(t, FAKE_SURFACE, t->measure, 2, 0.95, a, &g) == QIAO_OK && g.nbin == 4);
    CHECK(g.mean[0].est > 390 && g.mean[0].est < 410, "%g", g.mean[0].est);
    CHECK(qiao_prove_group(t, FAKE_PARAMS, t->total, 1, 0.95, a, &g) == QIAO_E_ARG);
    qiao_arena_free(a), fake_free(t);
}
