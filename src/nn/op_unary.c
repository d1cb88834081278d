// SPDX-License-Identifier: Apache-2.0
// op_unary.c - elementwise operators of one input; an activation becomes part of the dense layer
// before it.
#include "nn/build.h"

#include <math.h>

// A function and its two parameters.
typedef struct row {
    int fn;
    const char *a, *b; // attributes
    float a0, b0;      // when left out
    int kind;          // of the input; SAME: any
} row;
enum { SAME = -1 };
static const row ROW[] = {
    {NN_RELU, 0, 0, 0, 0, SAME},
    {NN_LEAKY, "alpha", 0, 0.01f, 0, 0},
    {NN_ELU, "alpha", 0, 1, 0, 0},
    {NN_SIGMOID, 0, 0, 0, 0, 0},
    {NN_TANH, 0, 0, 0, 0, 0},
    {NN_SOFTPLUS, 0, 0, 0, 0, 0},
    {NN_EXP, 0, 0, 0, 0, 0},
    {NN_NEG, 0, 0, 0, 0, SAME},
    {NN_ABS, 0, 0, 0, 0, SAME},
    {NN_SQRT, 0, 0, 0, 0, 0},
    {NN_LOG, 0, 0, 0, 0, 0},
    {NN_SIN, 0, 0, 0, 0, 0},
    {NN_COS, 0, 0, 0, 0, 0},
    {NN_TAN, 0, 0, 0, 0, 0},
    {NN_ASIN, 0, 0, 0, 0, 0},
    {NN_ACOS, 0, 0, 0, 0, 0},
    {NN_ATAN, 0, 0, 0, 0, 0},
    {NN_SINH, 0, 0, 0, 0, 0},
    {NN_COSH, 0, 0, 0, 0, 0},
    {NN_ERF, 0, 0, 0, 0, SAME},
    {NN_RECIPROCAL, 0, 0, 0, 0, 0},
    {NN_FLOOR, 0, 0, 0, 0, 0},
    {NN_CEIL, 0, 0, 0, 0, 0},
    {NN_ROUND, 0, 0, 0, 0, 0},
    {NN_SIGN, 0, 0, 0, 0, SAME},
    {NN_NOT, 0, 0, 0, 0, SAME},
    {NN_ISNAN, 0, 0, 0, 0, SAME},
    {NN_SELU, "alpha", "gamma", 1.67326319217681884765625f, 1.05070102214813232421875f, 0},
    {NN_CELU, "alpha", 0, 1, 0, 0},
    {NN_HARDSIGMOID, "alpha", "beta", 0.2f, 0.5f, 0},
    {NN_HARDSWISH, 0, 0, 0, 0, 0},
    {NN_MISH, 0, 0, 0, 0, 0},
    {NN_SOFTSIGN, 0, 0, 0, 0, 0},
    {NN_THRESHOLDED, "alpha", 0, 1, 0, 0},
    {NN_SHRINK, "lambd", "bias", 0.5f, 0, 0},
};

static qi_kind kind_of(int fn, const qi_val *x) {
    return fn == NN_NOT || fn == NN_NONZERO || fn == NN_ISNAN ? QI_BOOL
           : fn == NN_TRUNC                                   ? QI_INT
                                                              : x->kind;
}
qi_val *qi_nn_unary(qi_build *b, int fn, float alpha, float beta, qi_val *x) {
    if (!x) return NULL;
    qi_val *y = qi_nn_new(b, kind_of(fn, x), x->rank, x->dim);
    if (!y) return NULL;
    // the activation of a dense layer
    qi_step *s = qi_nn_made_by(x, &qi_core_layer, 1);
    if (s && fn < NN_ACTS && s->d[0].act == QI_ACT_NONE) {
        s->d[0].act = (qi_act)fn, s->d[0].alpha = alpha;
        s->y[0] = y, y->maker = s, x->maker = NULL;
        return y;
    }
    if (!(s = qi_nn_step_new(b, &qi_core_unary, 1, 1, 2, 2, 0))) return NULL;
    s->p[0] = fn, s->p[1] = x->size, s->f[0] = alpha, s->f[1] = beta;
    s->x[0] = x, s->y[0] = y;
    return qi_nn_step_end(b, s) ? y : NULL;
}

static bool plan_unary(qi_build *b, int arg) {
    qi_val *x = qi_nn_in(b, 0);
    for (size_t i = 0; i < sizeof ROW / sizeof *ROW; i++) {
        const row *r = &ROW[i];
        if (r->fn != arg) continue;
        if (r->kind != SAME && x->kind != QI_REAL)
            return qi_nn_fail(b, QIAO_E_UNSUPPORTED, "of whole numbers is not supported");
        float a = r->a ? qi_nn_attr_f(b, r->a, r->a0) : r->a0;
        float c = r->b ? qi_nn_attr_f(b, r->b, r->b0) : r->b0;
        if (arg == NN_CELU && a == 0) return qi_nn_fail(b, QIAO_E_FORMAT, "alpha is 0");
        return qi_nn_out(b, 0, qi_nn_unary(b, arg, a, c, x));
    }
    return false;
}
static bool plan_gelu(qi_build *b, int arg) {
    (void)arg;
    const char *how = qi_nn_attr_s(b, "approximate", "none");
    bool tanh = !strcmp(how, "tanh");
    if (!tanh && strcmp(how, "none"))
        return qi_nn_fail(b, QIAO_E_FORMAT, "approximate is '%.20s', expected none or tanh", how);
    return qi_nn_out(b, 0, qi_nn_unary(b, tanh ? NN_GELU_TANH : NN_GELU, 0, 0, qi_nn_in(b, 0)));
}
static bool plan_clip(qi_build *b, int arg) {
    (void)arg;
    qi_val *x = qi_nn_in(b, 0), *lo = qi_nn_in(b, 1), *hi = qi_nn_in(b, 2);
    if ((lo && lo->size != 1) || (hi && hi->size != 1))
        return qi_nn_fail(b, QIAO_E_FIT, "the bounds must be single numbers");
    if ((!lo || lo->data) && (!hi || hi->data)) {
        float least = lo ? lo->data[0] : -INFINITY, most = hi ? hi->data[0] : INFINITY;
        if (least > most) least = most;
        return qi_nn_out(b, 0, qi_nn_unary(b, NN_CLIP, least, most, x));
    }
    if (lo) x = qi_nn_binary(b, NN_MAX, x, lo);
    if (hi && x) x = qi_nn_binary(b, NN_MIN, x, hi);
    return qi_nn_out(b, 0, x);
}
static bool plan_cast(qi_build *b, int arg) {
    (void)arg;
    qi_val *x = qi_nn_in(b, 0);
    int to = qi_nn_attr_i(b, "to", 0);
    qi_kind kind;
    if (!qi_nn_type_kind(to, &kind))
        return qi_nn_fail(b, QIAO_E_UNSUPPORTED, "to type %s is not supported",
                          qi_nn_type_name(to));
    int fn = NN_ID;
    if (kind == QI_BOOL && x->kind != QI_BOOL) fn = NN_NONZERO;
    if (kind == QI_INT && x->kind == QI_REAL) fn = NN_TRUNC;
    if (to == 10) fn = NN_HALF;
    if (to == 16) fn = NN_BF16;
    qi_val *y = fn == NN_ID ? qi_nn_view(b, x, kind, x->rank, x->dim) : qi_nn_unary(b, fn, 0, 0, x);
    if (y) y->kind = kind;
    return qi_nn_out(b, 0, y);
}

#define UNARY(name, fn) \
    { name, plan_unary, fn, 1, 1, 1, 0 }
const qi_op qi_ops_unary[] = {UNARY("Relu", NN_RELU),
                              UNARY("LeakyRelu", NN_LEAKY),
                              UNARY("Elu", NN_ELU),
                              UNARY("Sigmoid", NN_SIGMOID),
                              UNARY("Tanh", NN_TANH),
                              UNARY("Softplus", NN_SOFTPLUS),
                              UNARY("Exp", NN_EXP),
                              UNARY("Neg", NN_NEG),
                              UNARY("Abs", NN_ABS),
                              UNARY("Sqrt", NN_SQRT),
                              UNARY("Log", NN_LOG),
                              UNARY("Sin", NN_SIN),
                              UNARY("Cos", NN_COS),
                              UNARY("Tan", NN_TAN),
                              UNARY("Asin", NN_ASIN),
                              UNARY("Acos", NN_ACOS),
                              UNARY("Atan", NN_ATAN),
                              UNARY("Sinh", NN_SINH),
                              UNARY("Cosh", NN_COSH),
                              UNARY("Erf", NN_ERF),
                              UNARY("Reciprocal", NN_RECIPROCAL),
                              UNARY("Floor", NN_FLOOR),
                              UNARY("Ceil", NN_CEIL),
                              UNARY("Round", NN_ROUND),
                              UNARY("Sign", NN_SIGN),
                              UNARY("Not", NN_NOT),
                              UNARY("IsNaN", NN_ISNAN),
                              UNARY("Selu", NN_SELU),
                              UNARY("Celu", NN_CELU),
                              UNARY("HardSigmoid", NN_HARDSIGMOID),
                              UNARY("HardSwish", NN_HARDSWISH),
                              UNARY("Mish", NN_MISH),
                              UNARY("Softsign", NN_SOFTSIGN),
                              UNARY("ThresholdedRelu", NN_THRESHOLDED),
                              UNARY("Shrink", NN_SHRINK),
                              {"Gelu", plan_gelu, 0, 1, 1, 1, 0},
                              {"Clip", plan_clip, 0, 1, 3, 1, 0},
                              {"Cast", plan_cast, 0, 1, 1, 1, 0},
                              {0}};
