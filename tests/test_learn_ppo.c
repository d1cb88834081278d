// SPDX-License-Identifier: Apache-2.0
// Proximal policy optimisation on a problem whose best answer is known; same bits on any threads.
#include "learn/ppo.h"
#include "learn_cart.h"

static qi_ppo_def small(void) {
    qi_ppo_def d = qi_ppo_def_default();
    d.nactor = 0, d.ncritic = 0, d.gamma = gamma_, d.normalise = false, d.horizon = 20;
    d.rule.entropy = 0, d.std = 0.5, d.minibatches = 2;
    return d;
}

typedef struct run {
    cart c;
    qi_pool *pool;
    qi_ppo *p;
    qi_ppo_stats s;
} run;
static void open_run(run *r, const qi_ppo_def *def, int threads) {
    qi_env e = {.n = N,
                .nobs = 2,
                .ncritic = 5,
                .nact = 1,
                .ctx = &r->c,
                .begin = begin,
                .observe = observe,
                .step = step};
    qiao_diag d = {0};
    r->pool = qi_pool_new(threads);
    r->p = qi_ppo_new(def, &e, r->pool, &d);
    CHECK(r->p, "%s", d.text);
    qi_ppo_begin(r->p, 1);
}
static void iterate(run *r, int n) {
    for (int i = 0; i < n; i++) qi_ppo_live(r->p, &r->s), qi_ppo_learn(r->p, &r->s);
}
static void close_run(run *r) { qi_ppo_free(r->p), qi_pool_free(r->pool); }

static void reach_the_optimum(bool half) {
    static run r;
    qi_ppo_def def = small();
    def.lambda = 0.99, def.epochs = 10, def.half = half;
    open_run(&r, &def, 1);
    iterate(&r, 200);
    double best[2], none[2] = {0};
    riccati(best);
    qi_ppo_view v = qi_ppo_look(r.p);
    const float *w = v.actor_param + v.actor.w[0];
    double k[2] = {-w[0], -w[16]}, over = price(k) / price(best) - 1;
    CHECK(price(none) > 1.5 * price(best), "nothing is to be learned");
    CHECK(over >= 0, "better than the best: %g", over);
    CHECK(over < 0.01, "gains %g %g cost %.2f %% more than the best, %g %g", k[0], k[1], 100 * over,
          best[0], best[1]);
    CHECK_NEAR(k[0], best[0], 0.2 * best[0]);
    CHECK_NEAR(k[1], best[1], 0.2 * best[1]);
    close_run(&r);
}
TEST(a_known_optimum_is_reached) { reach_the_optimum(false); }
TEST(a_known_optimum_is_reached_in_bfloat16) { reach_the_optimum(true); }

static void *state_of(run *r, size_t *n) {
    *n = qi_ppo_state_bytes(r->p);
    void *s = malloc(*n);
    qi_ppo_state_get(r->p, s);
    return s;
}

static qi_ppo_def deep(void) {
    qi_ppo_def d = small();
    d.nactor = d.ncritic = 2, d.actor[0] = d.critic[0] = 24, d.actor[1] = d.critic[1] = 17;
    d.normalise = true, d.minibatches = 3;
    return d;
}

static void compare_threads(bool half) {
    static run a, b, c;
    qi_ppo_def def = deep();
    def.half = half;
    open_run(&a, &def, 1), open_run(&b, &def, 3);
    iterate(&a, 4), iterate(&b, 4);
    size_t n, m;
    void *x = state_of(&a, &n), *y = state_of(&b, &m);
    CHECK(n == m && memcmp(x, y, n) == 0, "one thread and three learn different things");
    def.seed++;
    open_run(&c, &def, 1), iterate(&c, 4);
    void *z = state_of(&c, &m);
    CHECK(memcmp(x, z, n) != 0, "another seed learns the same");
    free(x), free(y), free(z);
    close_run(&a), close_run(&b), close_run(&c);
}
TEST(threads_do_not_change_a_bit) { compare_threads(false), compare_threads(true); }

TEST(a_learner_goes_on_from_its_state) {
    static run a, b;
    qi_ppo_def def = deep();
    open_run(&a, &def, 1), open_run(&b, &def, 1);
    iterate(&a, 3);
    size_t n, m;
    void *half = state_of(&a, &n);
    qi_ppo_begin(a.p, 9);
    iterate(&a, 3);
    CHECK(qi_ppo_state_set(b.p, half, n) == QIAO_OK, "state refused");
    qi_ppo_begin(b.p, 9);
    iterate(&b, 3);
    void *x = state_of(&a, &n), *y = state_of(&b, &m);
    CHECK(n == m && memcmp(x, y, n) == 0, "the one that went on differs");
    CHECK(qi_ppo_state_set(b.p, half, n - 4) == QIAO_E_FORMAT, "a short state is taken");
    free(half), free(x), free(y);
    close_run(&a), close_run(&b);
}

// With a mirror, the policy of an even problem must become odd: u(-x) = -u(x).
TEST(the_mirror_loss_makes_a_policy_symmetric) {
    static const int same[2] = {0, 1}, act[1] = {0};
    static const float minus[2] = {-1, -1}, sign[1] = {-1};
    static run r[3];
    double off[3];
    for (int k = 0; k < 3; k++) {
        qi_ppo_def def = deep();
        def.half = k == 2, def.symmetry = k ? 5 : 0, def.kl = 0, def.rate = 3e-3;
        open_run(&r[k], &def, 1);
        qi_ppo_free(r[k].p);
        qi_env e = {.n = N,
                    .nobs = 2,
                    .ncritic = 5,
                    .nact = 1,
                    .ctx = &r[k].c,
                    .begin = begin,
                    .observe = observe,
                    .step = step,
                    .mirror_obs = same,
                    .sign_obs = minus,
                    .mirror_act = act,
                    .sign_act = sign};
        r[k].p = qi_ppo_new(&def, &e, r[k].pool, NULL);
        qi_ppo_begin(r[k].p, 1);
        iterate(&r[k], 20);
        qi_ppo_view v = qi_ppo_look(r[k].p);
        off[k] = 0;
        for (int i = 0; i < 20; i++) {
            float a[2][64 + 64] = {{0}};
            for (int s = 0; s < 2; s++) {
                a[s][0] = (float)((s ? -1 : 1) * (0.1 * i - 1)), a[s][1] = (float)(s ? -0.5 : 0.5);
                qi_mlp_best()->forward(&v.actor, v.actor_param, 1, a[s]);
            }
            size_t at = qi_mlp_row(&v.actor) - 16;
            off[k] += fabs(a[0][at] + a[1][at]);
        }
        close_run(&r[k]);
    }
    for (int k = 1; k < 3; k++)
        CHECK(off[k] < 0.5 * off[0], "asymmetry %g with the loss, %g without", off[k], off[0]);
}
