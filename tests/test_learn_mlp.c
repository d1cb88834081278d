// SPDX-License-Identifier: Apache-2.0
// Networks that learn: gradients against finite differences, widths against each other.
#include "learn/mlp.h"
#include "test.h"

#include <stdint.h>

static uint32_t state = 7;
static double rnd(void) { // -1..1
    state = state * 1664525u + 1013904223u;
    return (double)(state >> 8) * 0x1p-23 - 1;
}
static const qi_mlp_ops *in_double(void) { return qi_mlp_all[qi_mlp_nall - 1]; }

enum { NIN = 7, NACT = 3, ROWS = 23, LD = 16 };

typedef struct problem { // a small actor and critic and a batch, in double
    qi_mlp actor, critic;
    double *pa, *pc, logstd[16];
    double in[ROWS * LD], action[ROWS * LD], old_mean[ROWS * LD], old_logstd[16];
    double logp[ROWS], value[ROWS], advantage[ROWS], target[ROWS];
} problem;

static double density(const double *mean, const double *ls, const double *a) {
    double s = 0;
    for (int j = 0; j < NACT; j++) {
        double z = (a[j] - mean[j]) / exp(ls[j]);
        s -= 0.5 * z * z + ls[j] + 0.5 * log(6.283185307179586);
    }
    return s;
}

static void make_problem(problem *p, qi_mlp_act act) {
    int sa[4] = {NIN, 20, 17, NACT}, sc[3] = {NIN, 19, 1};
    p->actor = qi_mlp_make(act, 3, sa), p->critic = qi_mlp_make(act, 2, sc);
    p->pa = calloc(p->actor.nparam, sizeof *p->pa), p->pc = calloc(p->critic.nparam, sizeof *p->pc);
    const qi_mlp *net[2] = {&p->actor, &p->critic};
    double *par[2] = {p->pa, p->pc};
    for (int k = 0; k < 2; k++)
        for (int l = 0; l < net[k]->nlayer; l++)
            for (int i = 0; i <= net[k]->size[l]; i++) // the last row is b
                for (int j = 0; j < net[k]->size[l + 1]; j++)
                    par[k][net[k]->w[l] + (size_t)(i * net[k]->ld[l + 1] + j)] = 0.5 * rnd();
    memset(p->in, 0, sizeof p->in), memset(p->action, 0, sizeof p->action);
    memset(p->old_mean, 0, sizeof p->old_mean);
    for (int j = 0; j < NACT; j++) p->logstd[j] = 0.3 * rnd(), p->old_logstd[j] = 0.3 * rnd();
    for (int i = 0; i < ROWS; i++) {
        for (int j = 0; j < NIN; j++) p->in[i * LD + j] = 2 * rnd();
        for (int j = 0; j < NACT; j++)
            p->old_mean[i * LD + j] = rnd(), p->action[i * LD + j] = 1.5 * rnd();
        p->logp[i] = density(p->old_mean + i * LD, p->old_logstd, p->action + i * LD) + 0.3 * rnd();
        p->value[i] = rnd(), p->advantage[i] = 2 * rnd(), p->target[i] = 2 * rnd();
    }
}

static const qi_ppo_rule rule = {.clip = 0.2, .value = 0.7, .entropy = 0.01};

// Loss of the batch by mlp.h's own pieces; gradients too unless NULL.
static double loss_of(problem *p, double *ga, double *gc, double *gs) {
    const qi_mlp_ops *op = in_double();
    double *aa = calloc(qi_mlp_row(&p->actor) * ROWS, sizeof *aa);
    double *ac = calloc(qi_mlp_row(&p->critic) * ROWS, sizeof *ac);
    memcpy(aa, p->in, sizeof p->in), memcpy(ac, p->in, sizeof p->in);
    op->forward(&p->actor, p->pa, ROWS, aa), op->forward(&p->critic, p->pc, ROWS, ac);
    const double *mean = aa + (qi_mlp_row(&p->actor) - LD) * ROWS;
    const double *value = ac + (qi_mlp_row(&p->critic) - LD) * ROWS;
    double dm[ROWS * LD], dv[ROWS * LD], ds[16] = {0}, sums[4] = {0};
    op->policy(&rule, ROWS, NACT, LD, 1.0 / ROWS, mean, p->logstd, p->old_mean, p->old_logstd,
               p->action, p->logp, p->advantage, dm, ds, sums);
    op->value(&rule, ROWS, 1.0 / ROWS, value, p->value, p->target, dv, &sums[3]);
    if (ga) {
        double *scratch = calloc(qi_mlp_scratch(&p->actor, ROWS), sizeof *scratch);
        op->backward(&p->actor, p->pa, ROWS, aa, dm, ga, NULL, scratch);
        memset(scratch, 0, qi_mlp_scratch(&p->critic, ROWS) * sizeof *scratch);
        op->backward(&p->critic, p->pc, ROWS, ac, dv, gc, NULL, scratch);
        memcpy(gs, ds, sizeof ds);
        free(scratch);
    }
    free(aa), free(ac);
    return sums[0] + rule.value * sums[3] - rule.entropy * sums[1];
}

static void check_slopes(problem *p, double *x, const double *g, size_t n, const char *what) {
    int tried = 0;
    for (size_t i = 0; i < n; i++) {
        if (x[i] == 0) { // padding: must not be touched
            CHECK(g[i] == 0, "%s: gradient of padding", what);
            continue;
        }
        double h = 1e-6, keep = x[i];
        x[i] = keep + h;
        double up = loss_of(p, NULL, NULL, NULL);
        x[i] = keep - h;
        double down = loss_of(p, NULL, NULL, NULL);
        x[i] = keep;
        CHECK_NEAR(g[i], (up - down) / (2 * h), 1e-7 + 1e-5 * fabs(g[i]));
        tried++;
    }
    CHECK(tried > 2, "%s: %d slopes", what, tried);
}

TEST(gradients_equal_finite_differences) {
    for (int act = QI_MLP_ELU; act <= QI_MLP_TANH; act++) {
        static problem p;
        make_problem(&p, (qi_mlp_act)act);
        double *ga = calloc(p.actor.nparam, sizeof *ga), *gc = calloc(p.critic.nparam, sizeof *gc);
        double gs[16];
        loss_of(&p, ga, gc, gs);
        check_slopes(&p, p.pa, ga, p.actor.nparam, "actor");
        check_slopes(&p, p.pc, gc, p.critic.nparam, "critic");
        check_slopes(&p, p.logstd, gs, NACT, "deviations");
        free(p.pa), free(p.pc), free(ga), free(gc);
    }
}

TEST(loss_is_what_the_paper_says) {
    const qi_mlp_ops *op = in_double();
    // one action, mean 0, deviation 1: density of 0.5 is known; old density half of it: ratio 2
    double mean[16] = {0}, value[16] = {1}, ls[16] = {0}, action[16] = {0.5};
    double now = -0.125 - 0.5 * log(6.283185307179586), logp = now - log(2.0), old_value = 0.9;
    double dm[16], dv[16], ds[16];
    struct {
        double advantage, target, loss, dmean, vloss;
    } want[] = {{1, 3, -1.2, 0, 0.5 * 4}, // clipped at 1.2: no slope; value 1 within the clip
                {-1, 3, 2, 2 * 0.5, 0.5 * 4}};
    for (int k = 0; k < 2; k++) {
        double sums[4] = {0};
        memset(ds, 0, sizeof ds);
        op->policy(&rule, 1, 1, 16, 1, mean, ls, mean, ls, action, &logp, &want[k].advantage, dm,
                   ds, sums);
        op->value(&rule, 1, 1, value, &old_value, &want[k].target, dv, &sums[3]);
        CHECK_NEAR(sums[0], want[k].loss, 1e-12);
        CHECK_NEAR(dm[0], want[k].dmean, 1e-12);
        CHECK_NEAR(sums[3], want[k].vloss, 1e-12);
        CHECK_NEAR(dv[0], rule.value * (1 - want[k].target), 1e-12);
        CHECK_NEAR(sums[1], 0.5 * log(6.283185307179586) + 0.5, 1e-12);
        CHECK_NEAR(sums[2], 0, 1e-12);
    }
}

TEST(every_width_has_the_same_bits) {
    int size[4] = {33, 70, 40, 5};
    enum { N = 37 };
    qi_mlp n = qi_mlp_make(QI_MLP_ELU, 3, size);
    qiao_rng r = {.seed = 3, .purpose = 99};
    float *param = calloc(n.nparam, 4), *x = calloc(qi_mlp_row(&n) * N, 4), *ref = NULL;
    qi_mlp_start(&n, &r, 0.5, param);
    size_t na = qi_mlp_row(&n) * N, all = na + 3 * n.nparam;
    for (int k = 0; k < qi_mlp_nall; k++) {
        const qi_mlp_ops *op = qi_mlp_all[k];
        if (op->f64 || !op->usable()) continue;
        float *out = calloc(all, 4), *act = out, *grad = out + na, *m = grad + n.nparam;
        float *p = malloc(n.nparam * 4), *v = m + n.nparam;
        float *scratch = calloc(qi_mlp_scratch(&n, N), 4), dout[N * 16] = {0};
        memcpy(p, param, n.nparam * 4);
        state = 5;
        for (int i = 0; i < N; i++)
            for (int j = 0; j < 33; j++) act[i * n.ld[0] + j] = (float)(3 * rnd());
        for (int i = 0; i < N; i++)
            for (int j = 0; j < 5; j++) dout[i * 16 + j] = (float)rnd();
        op->forward(&n, p, N, act);
        op->backward(&n, p, N, act, dout, grad, NULL, scratch);
        for (int s = 1; s < 4; s++) op->adam(n.nparam, 1e-3, s, 0.5, grad, m, v, p);
        CHECK(memcmp(p, param, n.nparam * 4) != 0, "nothing was learned");
        if (ref)
            CHECK(memcmp(ref, out, all * 4) == 0, "%s differs", op->name);
        else
            ref = out, out = NULL;
        free(out), free(p), free(scratch);
    }
    free(ref), free(param), free(x);
}

// (1 + e)^2 - (1 + 2 e) is e^2; a product that is rounded before the sum gives 0.
TEST(a_product_and_its_sum_are_rounded_once) {
    int size[2] = {1, 1};
    qi_mlp n = qi_mlp_make(QI_MLP_ELU, 1, size);
    float e = 0x1p-13f, param[32] = {1 + e, [16] = -(1 + 2 * e)};
    for (int k = 0; k < qi_mlp_nall; k++) {
        const qi_mlp_ops *op = qi_mlp_all[k];
        if (op->f64 || !op->usable()) continue;
        float act[32] = {1 + e};
        op->forward(&n, param, 1, act);
        CHECK(act[16] == e * e, "%s: %g", op->name, (double)act[16]);
    }
}

TEST(adam_is_its_paper) {
    const qi_mlp_ops *op = in_double();
    double g[2] = {0.3, -2}, m[2] = {0}, v[2] = {0}, p[2] = {1, 1};
    double em[2] = {0}, ev[2] = {0}, ep[2] = {1, 1};
    for (int s = 1; s <= 50; s++) {
        g[0] += 0.01, g[1] *= -0.9;
        op->adam(2, 0.01, s, 1, g, m, v, p);
        for (int i = 0; i < 2; i++) {
            em[i] = 0.9 * em[i] + 0.1 * g[i], ev[i] = 0.999 * ev[i] + 0.001 * g[i] * g[i];
            ep[i] -= 0.01 * em[i] / (1 - pow(0.9, s)) / (sqrt(ev[i] / (1 - pow(0.999, s))) + 1e-8);
        }
    }
    for (int i = 0; i < 2; i++) CHECK_NEAR(p[i], ep[i], 1e-12);
}

TEST(derivatives_by_the_inputs_equal_finite_differences) {
    const qi_mlp_ops *op = in_double();
    int size[4] = {NIN, 20, 17, NACT};
    qi_mlp n = qi_mlp_make(QI_MLP_TANH, 3, size);
    size_t row = qi_mlp_row(&n), out = row - LD;
    double *p = calloc(n.nparam, sizeof *p), *act = calloc(row, sizeof *act);
    double *scratch = calloc(qi_mlp_scratch(&n, 1), sizeof *scratch), din[LD], dout[LD] = {0};
    for (int l = 0; l < 3; l++)
        for (int i = 0; i <= size[l]; i++)
            for (int j = 0; j < size[l + 1]; j++)
                p[n.w[l] + (size_t)(i * n.ld[l + 1] + j)] = 0.5 * rnd();
    for (int i = 0; i < NIN; i++) act[i] = rnd();
    for (int j = 0; j < NACT; j++) dout[j] = j + 1.0;
    op->forward(&n, p, 1, act);
    op->backward(&n, p, 1, act, dout, NULL, din, scratch);
    for (int i = 0; i < NIN; i++) {
        double y[2], keep = act[i];
        for (int s = 0; s < 2; s++) {
            act[i] = keep + (s ? 1e-6 : -1e-6);
            op->forward(&n, p, 1, act);
            y[s] = 0;
            for (int j = 0; j < NACT; j++) y[s] += (j + 1) * act[out + (size_t)j];
        }
        act[i] = keep;
        CHECK_NEAR(din[i], (y[1] - y[0]) / 2e-6, 1e-7 + 1e-5 * fabs(din[i]));
        CHECK(fabs(din[i]) > 1e-6, "input %d does nothing", i);
    }
    free(p), free(act), free(scratch);
}

// A network in bfloat16 and what a batch gives: outputs, what is held, slopes.
typedef struct half_run {
    uint32_t *packed, *in, *held;
    float *out, *grad;
    size_t npacked, nin, nheld, nout;
} half_run;
static half_run run_half(const qi_mlp_ops *op, const qi_mlp *n, const float *param, int rows,
                         const float *x, const float *dout) {
    half_run r = {.npacked = qi_mlp_packed(n),
                  .nin = (size_t)(rows * n->ld[0]) / 2,
                  .nheld = qi_mlp_held(n, rows),
                  .nout = (size_t)(rows * n->ld[n->nlayer])};
    r.packed = calloc(r.npacked, 4), r.in = calloc(r.nin, 4), r.held = calloc(r.nheld, 4);
    r.out = calloc(r.nout, 4), r.grad = calloc(n->nparam, 4);
    float *scratch = malloc(qi_mlp_scratch(n, rows) * sizeof *scratch);
    op->pack(n, param, r.packed);
    op->to_half((size_t)(rows * n->ld[0]), x, r.in);
    op->forward_half(n, param, r.packed, rows, r.in, r.held, r.out, scratch);
    op->backward_half(n, r.packed, rows, r.held, dout, r.grad, scratch);
    free(scratch);
    return r;
}
static void free_half(half_run *r) {
    free(r->packed), free(r->in), free(r->held), free(r->out), free(r->grad);
}

// By an instruction or by two products, numbers of any size: below 2^-48 they are 0.
TEST(bfloat16_has_the_same_bits_at_every_width) {
    int size[4] = {33, 70, 40, 5}, tried = 0;
    enum { N = 37 };
    for (int act = QI_MLP_ELU; act <= QI_MLP_TANH; act++)
        for (int wild = 0; wild < 2; wild++) {
            qi_mlp n = qi_mlp_make((qi_mlp_act)act, 3, size);
            float *param = calloc(n.nparam, 4), x[N * 48] = {0}, dout[N * 16] = {0};
            for (int l = 0; l < 3; l++)
                for (int i = 0; i <= size[l]; i++)
                    for (int j = 0; j < size[l + 1]; j++)
                        param[n.w[l] + (size_t)(i * n.ld[l + 1] + j)] =
                            (float)(rnd() * (wild ? pow(2, 30 * rnd()) : 0.3));
            for (int i = 0; i < N; i++)
                for (int j = 0; j < 33; j++)
                    x[i * 48 + j] = (float)(rnd() * (wild ? pow(2, 55 * rnd()) : 3));
            for (int i = 0; i < N; i++)
                for (int j = 0; j < 5; j++)
                    dout[i * 16 + j] = (float)(rnd() * (wild ? pow(2, 55 * rnd()) : 1));
            half_run ref = {0};
            for (int k = qi_mlp_nall - 2; k >= 0; k--) { // the plain one first
                const qi_mlp_ops *op = qi_mlp_all[k];
                if (!op->usable()) continue;
                half_run r = run_half(op, &n, param, N, x, dout);
                if (!ref.out) {
                    ref = r;
                    continue;
                }
                CHECK(!memcmp(r.packed, ref.packed, r.npacked * 4), "%s: weights", op->name);
                CHECK(!memcmp(r.in, ref.in, r.nin * 4), "%s: inputs", op->name);
                CHECK(!memcmp(r.held, ref.held, r.nheld * 4), "%s: activations", op->name);
                CHECK(!memcmp(r.out, ref.out, r.nout * 4), "%s: outputs", op->name);
                CHECK(!memcmp(r.grad, ref.grad, n.nparam * 4), "%s: slopes", op->name);
                free_half(&r), tried++;
            }
            free_half(&ref), free(param);
        }
    if (!tried) printf("  one instance alone on this processor\n");
}

// What is rounded is off by 2^-9 of itself at most; sums of many are off by little of their norm.
TEST(bfloat16_slopes_are_close_to_those_in_float) {
    int size[5] = {45, 128, 64, 32, 12};
    enum { N = 256 };
    qi_mlp n = qi_mlp_make(QI_MLP_ELU, 4, size);
    qiao_rng r = {.seed = 3, .purpose = 99};
    float *param = calloc(n.nparam, 4), *act = calloc(qi_mlp_row(&n) * N, 4);
    float *x = calloc(N * 48, 4), *dout = calloc(N * 16, 4), *grad = calloc(n.nparam, 4);
    float *scratch = calloc(qi_mlp_scratch(&n, N), 4);
    const qi_mlp_ops *op = qi_mlp_best();
    qi_mlp_start(&n, &r, 1, param);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < 45; j++) act[i * 48 + j] = x[i * 48 + j] = (float)(2 * rnd());
    for (int i = 0; i < N; i++)
        for (int j = 0; j < 12; j++) dout[i * 16 + j] = (float)rnd() / N;
    half_run h = run_half(op, &n, param, N, x, dout);
    op->forward(&n, param, N, act);
    const float *out = act + (qi_mlp_row(&n) - 16) * N;
    double off = 0, all = 0;
    for (int i = 0; i < N * 16; i++) off += pow(h.out[i] - out[i], 2), all += pow(out[i], 2);
    CHECK(sqrt(off / all) < 0x1p-7, "outputs are off by %g", sqrt(off / all));
    CHECK(off > 0, "outputs are float's: nothing was rounded");
    op->backward(&n, param, N, act, dout, grad, NULL, scratch);
    for (int l = 0; l < 4; l++) {
        off = all = 0;
        for (size_t i = n.w[l]; i < (l < 3 ? n.w[l + 1] : n.nparam); i++)
            off += pow(h.grad[i] - grad[i], 2), all += pow(grad[i], 2);
        CHECK(sqrt(off / all) < 0x1p-6, "slopes of layer %d are off by %g", l, sqrt(off / all));
    }
    free_half(&h), free(param), free(act), free(x), free(dout), free(grad), free(scratch);
}

TEST(what_is_not_a_number_stays_so_in_bfloat16) {
    int size[2] = {2, 1};
    qi_mlp n = qi_mlp_make(QI_MLP_RELU, 1, size);
    float param[48] = {1, [16] = 1};
    const float bad[3] = {NAN, INFINITY, -0x1p60f}, dout[16] = {1};
    for (int k = 0; k < qi_mlp_nall - 1; k++)
        for (int b = 0; b < 3 && qi_mlp_all[k]->usable(); b++) {
            float x[16] = {1, bad[b]};
            half_run r = run_half(qi_mlp_all[k], &n, param, 1, x, dout);
            CHECK(r.out[0] != r.out[0], "%s: %g became %g", qi_mlp_all[k]->name, (double)bad[b],
                  (double)r.out[0]);
            free_half(&r);
        }
}
