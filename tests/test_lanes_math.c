// SPDX-License-Identifier: Apache-2.0
// test_lanes_math.c - own sin, cos, exp, log, sqrt, atan2, pow: near the C library's, and the same
// bits in every width, compiler and optimisation.

#include "test.h"

#include "base/lane_math.h"
#include "qiao/base.h"

#include <float.h>

enum { N = 1 << 14 };
static _Alignas(64) double xd[N], yd[N], ad[N], bd[N];
static _Alignas(64) float xf[N], yf[N], af[N], bf[N];

static const qi_lane_math *scalar(bool f64) {
    for (int i = 0; i < qi_lane_math_nall; i++)
        if (qi_lane_math_all[i]->f64 == f64 && qi_lane_math_all[i]->lanes == 1)
            return qi_lane_math_all[i];
    return NULL;
}
static uint64_t turn;
static double rnd(void) {
    qiao_rng r = {.seed = 5, .purpose = QIAO_RNG_CASE};
    return qiao_rng_uniform(&r, turn++, 0);
}
static void fill(double lo, double hi) {
    for (int i = 0; i < N; i++) xf[i] = (float)(xd[i] = lo + (hi - lo) * rnd());
    for (int i = 0; i < N; i++) yf[i] = (float)(yd[i] = lo + (hi - lo) * rnd());
}
// largest error in units of the last place of the value
static double ulps_d(const double *got, double (*f)(double), double floor) {
    double worst = 0;
    for (int i = 0; i < N; i++) {
        double w = f(xd[i]), u = fmax(fabs(w), floor) * DBL_EPSILON;
        worst = fmax(worst, fabs(got[i] - w) / u);
    }
    return worst;
}
static double ulps_f(const float *got, double (*f)(double), double floor) {
    double worst = 0;
    for (int i = 0; i < N; i++) {
        double w = f((double)xf[i]), u = fmax(fabs(w), floor) * (double)FLT_EPSILON;
        worst = fmax(worst, fabs((double)got[i] - w) / u);
    }
    return worst;
}

TEST(sin_and_cos_are_near_the_library) {
    static const double spans[] = {0.5, 4, 100, 1e5};
    for (int k = 0; k < 4; k++) {
        fill(-spans[k], spans[k]);
        scalar(true)->sincos(xd, ad, bd, N);
        // near a zero the value's own last place is not reached: allow that of 1e-3
        double s = ulps_d(ad, sin, 1e-3), c = ulps_d(bd, cos, 1e-3);
        CHECK(s < 2 && c < 2, "span %g: %g and %g ulp", spans[k], s, c);
        if (spans[k] > 1e4) continue;
        scalar(false)->sincos(xf, af, bf, N);
        s = ulps_f(af, sin, 1e-2), c = ulps_f(bf, cos, 1e-2);
        CHECK(s < 3 && c < 3, "float, span %g: %g and %g ulp", spans[k], s, c);
    }
}
TEST(sin_and_cos_beyond_their_range_are_no_numbers) {
    xd[0] = 2e9, xd[1] = -1e300, xd[2] = INFINITY, xd[3] = NAN;
    scalar(true)->sincos(xd, ad, bd, 4);
    for (int i = 0; i < 4; i++) CHECK(isnan(ad[i]) && isnan(bd[i]), "%d", i);
    xd[0] = 0, xd[1] = -0.0;
    scalar(true)->sincos(xd, ad, bd, 2);
    CHECK(ad[0] == 0 && bd[0] == 1 && ad[1] == 0 && bd[1] == 1);
}
TEST(exp_is_near_the_library_and_ends_well) {
    fill(-700, 700);
    scalar(true)->exp(xd, ad, N);
    CHECK(ulps_d(ad, exp, 0) < 2, "%g ulp", ulps_d(ad, exp, 0));
    fill(-80, 80);
    scalar(false)->exp(xf, af, N);
    CHECK(ulps_f(af, exp, 0) < 3, "float %g ulp", ulps_f(af, exp, 0));
    double in[] = {0, -0.0, 710, -746, INFINITY, -INFINITY, -740, NAN};
    memcpy(xd, in, sizeof in);
    scalar(true)->exp(xd, ad, 8);
    CHECK(ad[0] == 1 && ad[1] == 1 && ad[2] == INFINITY && ad[3] == 0 && ad[4] == INFINITY &&
          ad[5] == 0 && fabs(ad[6] - exp(-740)) < 1e-323 && isnan(ad[7]));
}
TEST(log_is_near_the_library_and_ends_well) {
    fill(1e-3, 5);
    scalar(true)->log(xd, ad, N);
    CHECK(ulps_d(ad, log, 1e-3) < 2, "%g ulp", ulps_d(ad, log, 1e-3));
    scalar(false)->log(xf, af, N);
    CHECK(ulps_f(af, log, 1e-2) < 3, "float %g ulp", ulps_f(af, log, 1e-2));
    double in[] = {1, 0, -1, INFINITY, 5e-324, 1e300, NAN, -0.0};
    memcpy(xd, in, sizeof in);
    scalar(true)->log(xd, ad, 8);
    CHECK(ad[0] == 0 && ad[1] == -INFINITY && isnan(ad[2]) && ad[3] == INFINITY && isnan(ad[6]));
    CHECK_NEAR(ad[4], log(5e-324), 1e-12);
    CHECK_NEAR(ad[5], log(1e300), 1e-12);
    CHECK(ad[7] == -INFINITY);
}
TEST(atan2_is_near_the_library_in_every_quarter) {
    fill(-3, 3);
    double in[][2] = {{0, 1}, {0, -1}, {1, 0}, {-1, 0}, {0, 0}, {-0.0, 1}, {1, 1}, {-1, -1}};
    for (int i = 0; i < 8; i++) yd[i] = in[i][0], xd[i] = in[i][1];
    scalar(true)->atan2(yd, xd, ad, N);
    scalar(false)->atan2(yf, xf, af, N);
    for (int i = 0; i < N; i++) {
        CHECK(fabs(ad[i] - atan2(yd[i], xd[i])) <= 1e-15, "atan2(%g, %g) is %.17g", yd[i], xd[i],
              ad[i]);
        CHECK(fabs((double)af[i] - atan2((double)yf[i], (double)xf[i])) <= 6e-7, "float %d", i);
    }
}
TEST(pow_and_sqrt_are_near_the_library) {
    fill(1e-6, 3);
    scalar(true)->pow(xd, yd, ad, N);
    scalar(true)->sqrt(xd, bd, N);
    for (int i = 0; i < N; i++) {
        double w = pow(xd[i], yd[i]);
        CHECK(fabs(ad[i] - w) <= 1e-14 * w, "pow(%g, %g) is %.17g, not %.17g", xd[i], yd[i], ad[i],
              w);
        CHECK(bd[i] == sqrt(xd[i]), "sqrt is exactly rounded");
    }
    double x[] = {0, 0.3, 0.3, 0}, p[] = {2, 1, 0, 1}, want[] = {0, 0.3, 1, 0};
    memcpy(xd, x, sizeof x), memcpy(yd, p, sizeof p);
    scalar(true)->pow(xd, yd, ad, 4);
    for (int i = 0; i < 4; i++) CHECK(ad[i] == want[i], "%d: %g", i, ad[i]);
}

// Results of all functions over hard arguments: one hash for a table.
static void all_results(const qi_lane_math *t, uint8_t out[QIAO_HASH_BYTES]) {
    size_t w = t->f64 ? 8 : 4;
    void *x = t->f64 ? (void *)xd : (void *)xf, *y = t->f64 ? (void *)yd : (void *)yf;
    void *a = t->f64 ? (void *)ad : (void *)af, *b = t->f64 ? (void *)bd : (void *)bf;
    qiao_hash h;
    qiao_hash_init(&h);
    turn = 777;
    static const double spans[][2] = {{-10, 10}, {-1e4, 1e4}, {1e-9, 4}, {-1e-4, 1e-4}, {-90, 90}};
    for (int k = 0; k < 5; k++) {
        fill(spans[k][0], spans[k][1]);
        t->sincos(x, a, b, N), qiao_hash_add(&h, a, N * w), qiao_hash_add(&h, b, N * w);
        t->exp(x, a, N), qiao_hash_add(&h, a, N * w);
        t->atan2(y, x, a, N), qiao_hash_add(&h, a, N * w);
        if (spans[k][0] < 0) continue; // a not-a-number's sign is the compiler's choice
        t->log(x, a, N), qiao_hash_add(&h, a, N * w);
        t->sqrt(x, a, N), qiao_hash_add(&h, a, N * w);
        t->pow(x, y, a, N), qiao_hash_add(&h, a, N * w);
    }
    qiao_hash_end(&h, out);
}
// The golden hashes: any compiler, optimisation, width.
static const char *const golden[2] = {"01bc65f6d9350466", "b35d2e661b041a80"};
TEST(every_width_gives_the_golden_bits) {
    int seen = 0;
    for (int i = 0; i < qi_lane_math_nall; i++) {
        const qi_lane_math *t = qi_lane_math_all[i];
        uint8_t hash[QIAO_HASH_BYTES];
        char hex[QIAO_HASH_HEX];
        if (!t->usable()) continue;
        all_results(t, hash);
        qiao_hash_hex(hash, hex);
        CHECK(strncmp(hex, golden[t->f64], 16) == 0, "%s gives %.16s", t->name, hex);
        seen++;
    }
    CHECK(seen >= 4);
}
