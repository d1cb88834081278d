// SPDX-License-Identifier: Apache-2.0
// Twin critics on the cart: near the optimum with a tenth of the steps; same bits on any threads.
#include "learn/td3.h"
#include "learn_cart.h"

static qi_td3_def small(void) {
    qi_td3_def d = qi_td3_def_default();
    d.gamma = gamma_, d.reach = 4, d.keep = 400, d.batch = 512, d.updates = 10, d.noise = 0.15;
    d.actor_rate = d.critic_rate = 1e-3, d.tau = 0.05, d.act = QI_MLP_TANH;
    d.actor[0] = d.actor[1] = d.critic[0] = d.critic[1] = 48;
    return d;
}

// Discounted price of a policy from the ring of starts.
static double price_of(const qi_td3 *t, double reach) {
    const float *p;
    const qi_mlp *n = qi_td3_actor(t, &p);
    double sum = 0;
    for (int i = 0; i < 12; i++) {
        double x = cos(0.5 * i), v = sin(0.5 * i), g = 1;
        for (int k = 0; k < 200; k++, g *= gamma_) {
            float act[16 + 2 * 48 + 16] = {(float)x, (float)v};
            qi_mlp_best()->forward(n, p, 1, act);
            double u = reach * tanh(act[16 + 2 * 48]);
            sum += g * (price_x * x * x + price_v * v * v + price_u * u * u);
            x += dt * v, v += dt * u;
        }
    }
    return sum;
}

TEST(few_steps_are_enough) {
    static cart c;
    qi_td3_def def = small();
    def.normalise = false;
    qi_env e = cart_env(&c);
    qi_pool *pool = qi_pool_new(1);
    qi_td3 *t = qi_td3_new(&def, &e, pool, NULL);
    CHECK(t, "no learner");
    qi_td3_begin(t, 1);
    double best[2], none[2] = {0};
    riccati(best);
    qi_td3_stats s;
    for (int i = 0; i < 390; i++) qi_td3_step(t, &s);
    double over = price_of(t, def.reach) / price(best) - 1;
    printf("  %.1f %% more than the best after %llu steps\n", 100 * over,
           (unsigned long long)s.steps);
    CHECK(over > -0.01 && over < 0.05, "costs %.2f %% more than the best", 100 * over);
    CHECK(price(none) > 1.5 * price(best), "nothing is to be learned");
    CHECK(s.steps < 100000, "%llu steps", (unsigned long long)s.steps);
    qi_td3_free(t), qi_pool_free(pool);
}

TEST(threads_do_not_change_a_bit) {
    static cart c[2];
    float *copy = NULL;
    for (int k = 0; k < 2; k++) {
        qi_td3_def def = small();
        def.batch = 700, def.warm = 3;
        qi_env e = cart_env(&c[k]);
        qi_pool *pool = qi_pool_new(k ? 3 : 1);
        qi_td3 *t = qi_td3_new(&def, &e, pool, NULL);
        qi_td3_stats s;
        qi_td3_begin(t, 1);
        for (int i = 0; i < 12; i++) qi_td3_step(t, &s);
        const float *p;
        size_t bytes = qi_td3_actor(t, &p)->nparam * sizeof *p;
        if (k == 0)
            copy = malloc(bytes), memcpy(copy, p, bytes);
        else
            CHECK(memcmp(copy, p, bytes) == 0, "one thread and three learn different things");
        qi_td3_free(t), qi_pool_free(pool);
    }
    free(copy);
}
