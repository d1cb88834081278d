// SPDX-License-Identifier: Apache-2.0
// test_nn_kern.c - dense layers and activations: all instances the same bits, and near doubles.

#include "test.h"

#include "nn/kern_ops.h"

static uint64_t seed = 88172645463325252u;
static float rnd(void) { // -1..1
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (float)(int32_t)(seed >> 32) * 0x1p-31f;
}
static void *aligned(size_t n) {
    void *p = aligned_alloc(64, (n + 127) / 64 * 64);
    if (!p) abort();
    return p;
}
static double bf16(float x) { // by hand: 8 bits of mantissa, ties to even
    if (x == 0 || !isfinite(x)) return x;
    int e;
    double m = frexp(x, &e);
    return ldexp(nearbyint(ldexp(m, 8)), e - 8);
}
static double act_ref(qi_act act, double alpha, double x) {
    switch (act) {
    case QI_ACT_RELU: return x < 0 ? 0 : x;
    case QI_ACT_LEAKY: return x < 0 ? alpha * x : x;
    case QI_ACT_ELU: return x < 0 ? alpha * expm1(x) : x;
    case QI_ACT_SIGMOID: return 1 / (1 + exp(-x));
    case QI_ACT_TANH: return tanh(x);
    case QI_ACT_SOFTPLUS: return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
    case QI_ACT_SWISH: return x / (1 + exp(-x));
    case QI_ACT_GELU: return 0.5 * x * (1 + erf(x * 0.70710678118654752440));
    case QI_ACT_GELU_TANH:
        return 0.5 * x * (1 + tanh(0.79788456080286535588 * (x + 0.044715 * x * x * x)));
    case QI_ACT_EXP: return exp(x);
    default: return x;
    }
}

typedef struct net {
    int nin, nout, ldx, ldy, n;
    float *w, *x, *b, *y, *y2;
    void *mem, *work;
    qi_dense *l;
} net;
static net make(qiao_nn_type type, int nin, int nout, int n, bool transposed, qi_act act) {
    net t = {.nin = nin, .nout = nout, .ldx = nin + 3, .ldy = nout + 5, .n = n};
    t.w = malloc((size_t)(nin * nout) * 4), t.b = malloc((size_t)nout * 4);
    t.x = malloc((size_t)(n * t.ldx) * 4);
    t.y = malloc((size_t)(n * t.ldy) * 4), t.y2 = malloc((size_t)(n * t.ldy) * 4);
    for (int i = 0; i < nin * nout; i++) t.w[i] = rnd();
    for (int i = 0; i < nout; i++) t.b[i] = rnd();
    for (int i = 0; i < n * t.ldx; i++) t.x[i] = 2 * rnd();
    t.mem = aligned(qi_dense_size(type, nin, nout));
    t.l = qi_dense_init(t.mem, type, nin, nout, t.w, transposed, t.b, act, 0.7f);
    t.work = aligned(qi_dense_work(t.l, n));
    return t;
}
static void drop(net *t) {
    free(t->w), free(t->b), free(t->x), free(t->y), free(t->y2), free(t->mem), free(t->work);
}
static const int SHAPES[][2] = {{1, 1},   {3, 12},  {5, 16},  {17, 33},  {48, 64},
                                {64, 80}, {31, 97}, {130, 7}, {257, 130}};
enum { NSHAPE = sizeof SHAPES / sizeof *SHAPES };

TEST(instances_same_bits_alone_and_in_batch) {
    for (int type = 0; type < 3; type++)
        for (int s = 0; s < NSHAPE; s++) {
            qi_act act = (qi_act)(s % QI_ACT_COUNT);
            net t = make((qiao_nn_type)type, SHAPES[s][0], SHAPES[s][1], 33, s & 1, act);
            size_t row = (size_t)t.nout * 4;
            // the plain instance, row by row, is what all others are held to
            qi_dense_use(t.l, qi_kern_all[qi_kern_nall - 1]);
            for (int i = 0; i < t.n; i++)
                qi_dense_run(t.l, 1, t.x + i * t.ldx, t.ldx, t.y + i * t.ldy, t.ldy, t.work);
            for (int o = 0; o < qi_kern_nall; o++) {
                if (!qi_kern_can(qi_kern_all[o], (qiao_nn_type)type)) continue;
                qi_dense_use(t.l, qi_kern_all[o]);
                for (int n = 1; n <= 33; n++) {
                    for (int i = 0; i < t.n * t.ldy; i++) t.y2[i] = 1234;
                    qi_dense_run(t.l, n, t.x, t.ldx, t.y2, t.ldy, t.work);
                    for (int i = 0; i < n; i++) {
                        CHECK(!memcmp(t.y + i * t.ldy, t.y2 + i * t.ldy, row),
                              "%s type %d shape %dx%d n %d row %d", qi_kern_all[o]->name, type,
                              t.nin, t.nout, n, i);
                        for (int j = t.nout; j < t.ldy; j++)
                            CHECK(t.y2[i * t.ldy + j] == 1234, "wrote past a row");
                    }
                    for (int i = n * t.ldy; i < t.n * t.ldy; i++)
                        CHECK(t.y2[i] == 1234, "wrote past the last row");
                }
            }
            drop(&t);
        }
}

TEST(near_doubles) {
    for (int type = 0; type < 3; type++)
        for (int s = 0; s < NSHAPE; s++) {
            bool tr = s % 2 == 0;
            net t = make((qiao_nn_type)type, SHAPES[s][0], SHAPES[s][1], 7, tr, QI_ACT_NONE);
            qi_dense_run(t.l, t.n, t.x, t.ldx, t.y, t.ldy, t.work);
            for (int i = 0; i < t.n; i++)
                for (int j = 0; j < t.nout; j++) {
                    double sum = t.b[j], size = 1, wx = 0, sx = 0, sw = 0;
                    for (int k = 0; k < t.nin; k++) {
                        double x = t.x[i * t.ldx + k];
                        double w = tr ? t.w[j * t.nin + k] : t.w[k * t.nout + j];
                        sx = fmax(sx, fabs(x)), sw = fmax(sw, fabs(w)), wx += fabs(x) + fabs(w);
                        if (type == QIAO_NN_BF16) x = bf16((float)x), w = bf16((float)w);
                        sum += w * x, size += fabs(w * x);
                    }
                    double tol = size * 1e-6;
                    // half a step of each factor, times the other
                    if (type == QIAO_NN_I8) tol += wx * fmax(sx, sw) / 254 + t.nin * sx * sw / 6e4;
                    CHECK_NEAR(t.y[i * t.ldy + j], sum, tol);
                }
            drop(&t);
        }
}

// whole numbers whose scales are 1: nothing is rounded, so the sum is exact
TEST(int8_exact_where_nothing_rounds) {
    for (int o = 0; o < qi_kern_nall; o++) {
        if (!qi_kern_can(qi_kern_all[o], QIAO_NN_I8)) continue;
        net t = make(QIAO_NN_I8, 1000, 20, 1, false, QI_ACT_NONE);
        for (int i = 0; i < 20000; i++) t.w[i] = rintf(127 * rnd());
        for (int j = 0; j < 20; j++) t.w[j] = 127, t.b[j] = 0;
        for (int k = 0; k < 1000; k++) t.x[k] = rintf(127 * rnd());
        t.x[5] = -127;
        t.l = qi_dense_init(t.mem, QIAO_NN_I8, 1000, 20, t.w, false, NULL, QI_ACT_NONE, 0);
        qi_dense_use(t.l, qi_kern_all[o]);
        qi_dense_run(t.l, 1, t.x, t.ldx, t.y, t.ldy, t.work);
        for (int j = 0; j < 20; j++) {
            double sum = 0;
            for (int k = 0; k < 1000; k++) sum += (double)t.w[k * 20 + j] * t.x[k];
            CHECK(t.y[j] == (float)sum, "%s: %.9g, not %.9g", qi_kern_all[o]->name, t.y[j], sum);
        }
        drop(&t);
    }
}

TEST(not_a_number_passes_and_stays_in_its_row) {
    for (int type = 0; type < 3; type++)
        for (int o = 0; o < qi_kern_nall; o++)
            for (int act = 0; act < QI_ACT_COUNT; act++) {
                if (!qi_kern_can(qi_kern_all[o], (qiao_nn_type)type)) continue;
                net t = make((qiao_nn_type)type, 19, 21, 14, false, (qi_act)act);
                qi_dense_use(t.l, qi_kern_all[o]);
                t.x[13 * t.ldx + 18] = NAN, t.x[2 * t.ldx] = NAN;
                qi_dense_run(t.l, t.n, t.x, t.ldx, t.y, t.ldy, t.work);
                for (int i = 0; i < t.n; i++)
                    for (int j = 0; j < t.nout; j++)
                        CHECK(!isnan(t.y[i * t.ldy + j]) == (i != 13 && i != 2),
                              "%s type %d act %d row %d", qi_kern_all[o]->name, type, act, i);
                drop(&t);
            }
}

TEST(bf16_tiny_and_huge) {
    for (int o = 0; o < qi_kern_nall; o++) {
        if (!qi_kern_can(qi_kern_all[o], QIAO_NN_BF16)) continue;
        net t = make(QIAO_NN_BF16, 4, 3, 1, false, QI_ACT_NONE);
        const float w[12] = {1, 1, 1, 0x1p-49f, 0, 1, 1, -1, 0, 1, 1, 1},
                    x[4] = {1, 4, 0, 0x1p-60f};
        t.l = qi_dense_init(t.mem, QIAO_NN_BF16, 4, 3, w, false, NULL, QI_ACT_NONE, 0);
        qi_dense_use(t.l, qi_kern_all[o]);
        qi_dense_run(t.l, 1, x, 4, t.y, 3, t.work);
        CHECK(t.y[0] == 1 && t.y[1] == 1 && t.y[2] == 5);
        const float huge[4] = {1, 0x1p61f, 0, 0};
        qi_dense_run(t.l, 1, huge, 4, t.y, 3, t.work);
        CHECK(t.y[2] == INFINITY);
        drop(&t);
    }
}

TEST(activations_near_libm_same_bits) {
    enum { N = 20011 };
    static float x[N], y[N], z[N];
    for (int i = 0; i < N; i++) x[i] = i % 3 ? 12 * rnd() : i % 2 ? 100 * rnd() : 1e-3f * rnd();
    for (int act = 0; act < QI_ACT_COUNT; act++) {
        qi_act_run((qi_act)act, 0.3f, x, y, N);
        for (int i = 0; i < N; i++) {
            double r = act_ref((qi_act)act, 0.3f, x[i]);
            if (r > 3e38) continue;
            bool sums = act == QI_ACT_GELU || act == QI_ACT_GELU_TANH; // 1 + erf loses below 0
            double tol = fabs(r) * (act == QI_ACT_EXP ? 4e-7 : 5e-7) + 1e-35;
            if (act == QI_ACT_SIGMOID || act == QI_ACT_SOFTPLUS || act == QI_ACT_SWISH)
                tol += fabs(r) * 3e-7;
            if (sums) tol += 4e-7 * fmin(fabs(x[i]), 8);
            CHECK(fabs(y[i] - r) <= tol, "act %d at %.9g: %.9g, not %.9g, off %.3g", act, x[i],
                  y[i], r, fabs(y[i] - r));
        }
        for (int o = 0; o < qi_kern_nall; o++) {
            if (!qi_kern_all[o]->usable()) continue;
            for (int n = N - 33; n <= N; n++) {
                memcpy(z, x, sizeof z);
                qi_kern_all[o]->act((qi_act)act, 0.3f, z + (n & 1), z + (n & 1),
                                    (size_t)(n - (n & 1)));
                CHECK(!memcmp(z + (n & 1), y + (n & 1), (size_t)(n - (n & 1)) * 4), "%s act %d",
                      qi_kern_all[o]->name, act);
                CHECK(n == N || z[n] == x[n], "wrote past the end");
            }
        }
    }
}

TEST(activations_at_the_ends) {
    const float x[4] = {INFINITY, -INFINITY, NAN, 0};
    float y[4];
    for (int act = 0; act < QI_ACT_COUNT; act++) {
        qi_act_run((qi_act)act, 0.5f, x, y, 4);
        CHECK(isnan(y[2]), "act %d", act);
        CHECK_NEAR(y[3], act_ref((qi_act)act, 0.5, 0), 1e-6);
        if (act == QI_ACT_ELU) CHECK(y[1] == -0.5f && y[0] == INFINITY);
        if (act == QI_ACT_SIGMOID || act == QI_ACT_EXP) CHECK(y[1] == 0);
        if (act == QI_ACT_TANH || act == QI_ACT_SIGMOID) CHECK(y[0] == 1);
    }
}

// The bits themselves, for all machines: a change of order or rounding changes this number.
TEST(golden) {
    static const uint64_t want[3] = {0x6cf6f0d78d939f22u, 0x87c3ad5b36f0efau, 0xa298724881824456u};
    for (int type = 0; type < 3; type++) {
        seed = 42;
        uint64_t h = 1469598103934665603u;
        for (int act = 0; act < QI_ACT_COUNT; act++) {
            net t = make((qiao_nn_type)type, 77, 45, 13, false, (qi_act)act);
            qi_dense_run(t.l, t.n, t.x, t.ldx, t.y, t.ldy, t.work);
            for (int i = 0; i < t.n; i++)
                for (int j = 0; j < t.nout; j++) {
                    uint32_t u;
                    memcpy(&u, &t.y[i * t.ldy + j], 4);
                    h = (h ^ u) * 1099511628211u;
                }
            drop(&t);
        }
        CHECK(h == want[type], "type %d: 0x%llx", type, (unsigned long long)h);
    }
}
