// SPDX-License-Identifier: Apache-2.0
// learn_cart.h - a cart on a line with a quadratic price: a problem whose best policy is known.
#ifndef QIAO_TEST_LEARN_CART_H
#define QIAO_TEST_LEARN_CART_H

#include "learn/env.h"
#include "test.h"

// A cart on a line with a quadratic price: the best policy is linear, by Riccati's equation.
enum { N = 256, STEPS = 40 };
typedef struct cart {
    double x[N], v[N];
    int age[N];
    uint64_t epoch, runs;
} cart;
static const double dt = 0.1, price_x = 1, price_v = 0.1, price_u = 0.1, gamma_ = 0.95;

static void place(cart *c, int i) {
    qiao_rng r = {.seed = c->epoch, .trial = (uint64_t)i, .purpose = 77};
    c->x[i] = 2 * qiao_rng_uniform(&r, c->runs, 0) - 1;
    c->v[i] = 2 * qiao_rng_uniform(&r, c->runs, 1) - 1;
    c->age[i] = i % STEPS; // ages spread, so that episodes end at different times
}
static void begin(void *ctx, uint64_t epoch) {
    cart *c = ctx;
    c->epoch = epoch, c->runs = 0;
    for (int i = 0; i < N; i++) place(c, i);
}
static void observe(void *ctx, float *actor, float *critic) {
    cart *c = ctx;
    for (int i = 0; i < N; i++) {
        actor[16 * i] = critic[16 * i] = (float)c->x[i];
        actor[16 * i + 1] = critic[16 * i + 1] = (float)c->v[i];
        critic[16 * i + 2] = (float)(c->x[i] * c->x[i]);
        critic[16 * i + 3] = (float)(c->x[i] * c->v[i]);
        critic[16 * i + 4] = (float)(c->v[i] * c->v[i]);
    }
}
static void step(void *ctx, const float *action, float *reward, uint8_t *over) {
    cart *c = ctx;
    c->runs++;
    for (int i = 0; i < N; i++) {
        double u = action[16 * i], x = c->x[i], v = c->v[i];
        reward[i] = (float)-(price_x * x * x + price_v * v * v + price_u * u * u);
        c->x[i] = x + dt * v, c->v[i] = v + dt * u;
        over[i] = ++c->age[i] >= STEPS ? 2 : 0;
        if (over[i]) place(c, i), c->age[i] = 0;
    }
}

// u = -k x by value iteration on P, discounted.
static void riccati(double k[2]) {
    double p11 = 0, p12 = 0, p22 = 0;
    for (int it = 0; it < 2000; it++) {
        // A'PA etc. for A = [1 dt; 0 1], B = [0 dt]
        double bpb = dt * dt * p22, bpa1 = dt * p12, bpa2 = dt * (dt * p12 + p22);
        double g = gamma_, den = price_u + g * bpb;
        k[0] = g * bpa1 / den, k[1] = g * bpa2 / den;
        double a11 = p11, a12 = dt * p11 + p12, a22 = dt * (dt * p11 + p12) + dt * p12 + p22;
        p11 = price_x + g * a11 - g * bpa1 * k[0];
        p12 = g * a12 - g * bpa1 * k[1];
        p22 = price_v + g * a22 - g * bpa2 * k[1];
    }
}

// Discounted price of u = -k x from a ring of starts, until nothing is left of it.
static double price(const double k[2]) {
    double sum = 0;
    for (int i = 0; i < 12; i++) {
        double x = cos(0.5 * i), v = sin(0.5 * i), g = 1;
        for (int t = 0; t < 400; t++, g *= gamma_) {
            double u = -k[0] * x - k[1] * v;
            sum += g * (price_x * x * x + price_v * v * v + price_u * u * u);
            x += dt * v, v += dt * u;
        }
    }
    return sum;
}

static qi_env cart_env(cart *c) {
    return (qi_env){.n = N,
                    .nobs = 2,
                    .ncritic = 5,
                    .nact = 1,
                    .ctx = c,
                    .begin = begin,
                    .observe = observe,
                    .step = step};
}

#endif
