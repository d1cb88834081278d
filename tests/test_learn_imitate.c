// SPDX-License-Identifier: Apache-2.0
// Teachers and students: a linear teacher is cloned, DAgger holds where cloning drifts, what was
// learned is handed over bit for bit.
#include "learn/imitate.h"
#include "learn_cart.h"

// ---- a linear teacher on the cart ----

static double gain[2];
static void cart_says(void *ctx, float *action, uint8_t *knows) {
    const cart *c = ctx;
    for (int i = 0; i < N; i++)
        action[16 * i] = (float)-(gain[0] * c->x[i] + gain[1] * c->v[i]), knows[i] = 1;
}

static qi_imitate_def small(void) {
    qi_imitate_def d = qi_imitate_def_default();
    d.like.horizon = 10, d.like.gamma = gamma_, d.rate = 1e-2;
    d.like.nactor = 0, d.like.ncritic = 1, d.like.critic[0] = 32;
    return d;
}

TEST(a_linear_teacher_is_cloned) {
    static cart c;
    qi_env e = cart_env(&c);
    qi_teach t = {&c, cart_says};
    qi_imitate_def def = small();
    riccati(gain);
    qi_pool *pool = qi_pool_new(1);
    qi_imitate *m = qi_imitate_new(&def, &e, &t, pool, NULL);
    CHECK(m, "no student");
    qi_imitate_begin(m, 1);
    qi_imitate_stats s;
    enum { TIMES = 120 };
    for (int i = 0; i < TIMES; i++) {
        qi_imitate_live(m, 1, &s);
        qi_imitate_learn(m, (double)i / TIMES, &s);
    }
    CHECK(s.taught == 1 && s.error < 1e-3, "off by %g rms", s.error);
    CHECK(s.steps == (uint64_t)TIMES * 10 * N, "steps");
    // the same gains, out of the network with its normaliser
    qi_ppo_view v = qi_imitate_look(m);
    for (int k = 0; k < 2; k++) {
        double w = v.actor_param[v.actor.w[0] + (size_t)(k * v.actor.ld[1])];
        CHECK_NEAR(w / sqrt(v.obs->var[k] + 1e-4), -gain[k], 1e-3 * gain[k] + 1e-3);
    }
    qi_imitate_free(m), qi_pool_free(pool);
}

// ---- a task where cloning drifts ----
// A body that falls away from the middle (x'' = 6 x + u) follows a swing. While the teacher drives
// the body is always where the swing is, so nobody can tell whether the teacher looks at the body
// or at the clock; half of each is not enough to hold it.

enum { LEASH = 2, LONG = 400 };
typedef struct swing {
    double x[N], v[N], phase[N];
    int age[N];
    uint64_t runs;
} swing;
static const double sdt = 0.02;
// Where it should be, and its speed: exact in the steps of this world.
static double ref_x(double phase) { return 0.5 * sin(phase); }
static double ref_v(double phase) { return (ref_x(phase) - ref_x(phase - sdt)) / sdt; }

static void swing_place(swing *w, int i) {
    qiao_rng r = {.seed = 5, .trial = (uint64_t)i, .purpose = 78};
    w->phase[i] = 6.283185307179586 * qiao_rng_uniform(&r, w->runs, 0);
    w->x[i] = ref_x(w->phase[i]), w->v[i] = ref_v(w->phase[i]);
}
static void swing_begin(void *ctx, uint64_t epoch) {
    swing *w = ctx;
    w->runs = epoch << 20;
    for (int i = 0; i < N; i++) swing_place(w, i), w->age[i] = i % LONG;
}
static void swing_observe(void *ctx, float *actor, float *critic) {
    const swing *w = ctx;
    for (int i = 0; i < N; i++) {
        const double o[4] = {w->x[i], w->v[i], sin(w->phase[i]), cos(w->phase[i])};
        for (int k = 0; k < 4; k++) actor[16 * i + k] = critic[16 * i + k] = (float)o[k];
    }
}
static double off_swing(const swing *w, int i) { return w->x[i] - ref_x(w->phase[i]); }
static void swing_step(void *ctx, const float *action, float *reward, uint8_t *over) {
    swing *w = ctx;
    w->runs++;
    for (int i = 0; i < N; i++) {
        w->v[i] += sdt * (6 * w->x[i] + action[16 * i]), w->x[i] += sdt * w->v[i];
        w->phase[i] += sdt;
        reward[i] = (float)-(off_swing(w, i) * off_swing(w, i));
        over[i] = fabs(w->x[i]) > LEASH ? 1 : ++w->age[i] >= LONG ? 2 : 0;
        if (over[i]) swing_place(w, i), w->age[i] = 0;
    }
}
static void swing_says(void *ctx, float *action, uint8_t *knows) {
    const swing *w = ctx;
    for (int i = 0; i < N; i++) {
        double p = w->phase[i], x = w->x[i] - ref_x(p), v = w->v[i] - ref_v(p);
        double swing_on = (ref_v(p + sdt) - ref_v(p)) / sdt - 6 * ref_x(p);
        action[16 * i] = (float)(swing_on - 26 * x - 9 * v);
        knows[i] = 1;
    }
}

// Return of the student's own episodes, and the share of them that it lost.
static double alone(double last_share, double *lost, double *error) {
    static swing w;
    qi_env e = {.n = N,
                .nobs = 4,
                .ncritic = 4,
                .nact = 1,
                .ctx = &w,
                .begin = swing_begin,
                .observe = swing_observe,
                .step = swing_step};
    qi_teach t = {&w, swing_says};
    qi_imitate_def def = small();
    def.like.horizon = 20, def.rate = 1e-2;
    qi_pool *pool = qi_pool_new(1);
    qi_imitate *m = qi_imitate_new(&def, &e, &t, pool, NULL);
    qi_imitate_stats s;
    enum { TIMES = 120 };
    qi_imitate_begin(m, 1);
    for (int i = 0; i < TIMES; i++) {
        double done = (double)i / TIMES;
        qi_imitate_live(m, 1 + (last_share - 1) * fmin(1, 2 * done), &s);
        qi_imitate_learn(m, done, &s);
    }
    *error = s.error;
    qi_imitate_begin(m, 2);
    double sum = 0, n = 0, ended = 0;
    for (int i = 0; i < LONG / 10; i++) {
        qi_imitate_live(m, 0, &s);
        if (!isnan(s.episode)) sum += s.episode, ended += s.ended, n++;
    }
    *lost = ended / n;
    qi_imitate_free(m), qi_pool_free(pool);
    return sum / n;
}

TEST(dagger_holds_where_cloning_drifts) {
    double lost[2], error[2];
    double clone = alone(1, &lost[0], &error[0]), dagger = alone(0, &lost[1], &error[1]);
    printf("  cloned: %.0f %% lost, return %.3g, %.2g off the teacher where the teacher drives; "
           "DAgger: %.0f %%, %.3g\n",
           100 * lost[0], clone, error[0], 100 * lost[1], dagger);
    CHECK(error[0] < 0.05, "it was not cloned: %g rms", error[0]);
    CHECK(lost[0] > 0.5, "cloning does not drift: %g lost", lost[0]);
    CHECK(lost[1] == 0 && dagger > 0.1 * clone, "DAgger: %g lost, return %g", lost[1], dagger);
}

// ---- bits ----

TEST(threads_and_stops_do_not_change_a_bit) {
    static cart c[3];
    float *copy = NULL;
    void *state = NULL;
    size_t bytes = 0;
    riccati(gain);
    for (int k = 0; k < 3; k++) {
        qi_env e = cart_env(&c[k]);
        qi_teach t = {&c[k], cart_says};
        qi_imitate_def def = small();
        def.like.nactor = 1, def.like.actor[0] = 24, def.noise = 0.1;
        qi_pool *pool = qi_pool_new(1 + k);
        qi_imitate *m = qi_imitate_new(&def, &e, &t, pool, NULL);
        qi_imitate_stats s;
        for (int i = k == 2 ? 2 : 0; i < 5; i++) {
            if (k == 2 && i == 2) CHECK(qi_imitate_state_set(m, state, bytes) == QIAO_OK, "state");
            if (i % 2 == 0) qi_imitate_begin(m, (uint64_t)i);
            qi_imitate_live(m, 0.5, &s), qi_imitate_learn(m, 0.1 * i, &s);
            if (k == 0 && i == 1) {
                bytes = qi_imitate_state_bytes(m), state = malloc(bytes);
                qi_imitate_state_get(m, state);
                CHECK(qi_imitate_state_set(m, state, bytes - 1) == QIAO_E_FORMAT, "a short one");
            }
        }
        qi_ppo_view v = qi_imitate_look(m);
        size_t n = v.actor.nparam * sizeof *copy;
        if (k == 0)
            copy = malloc(n), memcpy(copy, v.actor_param, n);
        else
            CHECK(memcmp(copy, v.actor_param, n) == 0, "student %d learns other things", k);
        // handed over
        qi_ppo *p = qi_ppo_new(&def.like, &e, pool, NULL);
        qi_imitate_hand_over(m, p);
        qi_ppo_view o = qi_ppo_look(p);
        CHECK(memcmp(o.actor_param, v.actor_param, n) == 0 && o.obs->count == v.obs->count,
              "not handed over");
        qi_ppo_free(p), qi_imitate_free(m), qi_pool_free(pool);
    }
    free(copy), free(state);
}
