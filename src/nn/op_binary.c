// SPDX-License-Identifier: Apache-2.0
// op_binary.c - elementwise operators of two and more inputs, with broadcasting.
#include "nn/build.h"

bool qi_nn_broadcast(qi_build *b, const qi_val *x, const qi_val *y, int *rank, int dim[QI_RANK]) {
    *rank = x->rank > y->rank ? x->rank : y->rank;
    for (int k = 1; k <= *rank; k++) {
        int u = k <= x->rank ? x->dim[x->rank - k] : 1, v = k <= y->rank ? y->dim[y->rank - k] : 1;
        if (u != v && u != 1 && v != 1)
            return qi_nn_fail(b, QIAO_E_FIT, "dimensions %d and %d do not fit each other", u, v);
        dim[*rank - k] = u == 1 ? v : u;
    }
    return true;
}

// p: function, rank, dim [rank], strides [nx][rank]: dimensions that run on are made one.
static void strides(int *p, int fn, int rank, const int *dim, int nx, qi_val *const *x) {
    int d[QI_RANK + 1] = {1}, st[3][QI_RANK + 1] = {{0}}, n = 0;
    int step[3] = {1, 1, 1};
    for (int k = 1; k <= rank; k++) { // from the last on
        int s[3] = {0}, size = dim[rank - k];
        for (int j = 0; j < nx; j++) {
            int own = k <= x[j]->rank ? x[j]->dim[x[j]->rank - k] : 1;
            s[j] = own == 1 ? 0 : step[j];
            step[j] *= own;
        }
        if (size == 1) continue;
        bool runs_on = n > 0;
        for (int j = 0; j < nx && n; j++) runs_on = runs_on && s[j] == st[j][n - 1] * d[n - 1];
        if (runs_on) {
            d[n - 1] *= size;
            continue;
        }
        d[n] = size;
        for (int j = 0; j < nx; j++) st[j][n] = s[j];
        n++;
    }
    if (!n) n = 1;
    p[0] = fn, p[1] = n;
    for (int k = 0; k < n; k++) {
        p[2 + k] = d[n - 1 - k];
        for (int j = 0; j < nx; j++) p[2 + (j + 1) * n + k] = st[j][n - 1 - k];
    }
}
enum { NP = 2 + 4 * (QI_RANK + 1) };
static qi_val *zip(qi_build *b, const qi_core *core, int fn, qi_kind kind, int nx, qi_val **x) {
    int rank = x[0]->rank, dim[QI_RANK];
    memcpy(dim, x[0]->dim, sizeof dim);
    for (int j = 1; j < nx; j++) {
        qi_val so_far = {.rank = rank};
        memcpy(so_far.dim, dim, sizeof dim);
        if (!qi_nn_broadcast(b, &so_far, x[j], &rank, dim)) return NULL;
    }
    qi_val *y = qi_nn_new(b, kind, rank, dim);
    qi_step *s = qi_nn_step_new(b, core, nx, 1, NP, 0, 0);
    if (!y || !s) return NULL;
    strides(s->p, fn, rank, dim, nx, x);
    s->np = 2 + (nx + 1) * s->p[1];
    for (int j = 0; j < nx; j++) s->x[j] = x[j];
    s->y[0] = y;
    if (y->size == 0) return qi_nn_const(b, kind, rank, dim);
    return qi_nn_step_end(b, s) ? y : NULL;
}

// x + constant after a dense layer without bias is its bias.
static qi_val *as_bias(qi_build *b, qi_val *x, qi_val *c) {
    qi_step *s = qi_nn_made_by(x, &qi_core_layer, 1);
    if (!s || !c->data || s->d[0].bias || s->d[0].act != QI_ACT_NONE) return NULL;
    int nout = s->d[0].nout, last = c->rank ? c->dim[c->rank - 1] : 1;
    if (x->rank < 1 || c->rank > x->rank || x->dim[x->rank - 1] != nout || c->size != last ||
        (last != 1 && last != nout))
        return NULL;
    float *bias = qi_nn_tmp(b, (size_t)nout * sizeof *bias);
    if (!bias) return NULL;
    for (int i = 0; i < nout; i++) bias[i] = c->data[last == 1 ? 0 : i];
    qi_val *y = qi_nn_new(b, QI_REAL, x->rank, x->dim);
    if (!y) return NULL;
    s->d[0].bias = bias, s->y[0] = y, y->maker = s, x->maker = NULL;
    return y;
}
// x sigmoid(x): the sigmoid must have no other reader.
static qi_val *as_swish(qi_build *b, qi_val *x, qi_val *z) {
    qi_step *s = qi_nn_made_by(z, &qi_core_unary, 1);
    if (!s || s->p[0] != NN_SIGMOID || s->x[0] != x) return NULL;
    s->dead = true, x->uses--;
    return qi_nn_unary(b, NN_SWISH, 0, 0, x);
}
static bool one(const qi_val *v, float x, float tol) {
    return v->data && v->size == 1 && v->data[0] >= x - tol && v->data[0] <= x + tol;
}
// The other factor of a product that is made by v's step and holds a constant near c.
static qi_val *other(qi_val *v, int fn, float c, float tol) {
    qi_step *s = qi_nn_made_by(v, &qi_core_binary, 1);
    if (!s || s->p[0] != fn) return NULL;
    if (one(s->x[1], c, tol)) return s->x[0];
    return fn != NN_DIV && fn != NN_SUB && one(s->x[0], c, tol) ? s->x[1] : NULL;
}
// erf(x / sqrt 2) + 1, as a step each
static qi_val *erf_plus_one(qi_val *v, qi_step *dead[3]) {
    qi_val *e = other(v, NN_ADD, 1, 0);
    qi_step *s = e ? qi_nn_made_by(e, &qi_core_unary, 1) : NULL;
    if (!s || s->p[0] != NN_ERF) return NULL;
    qi_val *x = other(s->x[0], NN_DIV, 1.41421356f, 1e-5f);
    if (!x) x = other(s->x[0], NN_MUL, 0.70710678f, 1e-5f);
    if (x) dead[0] = v->maker, dead[1] = s, dead[2] = s->x[0]->maker;
    return x;
}
// 0.5 x (1 + erf(x / sqrt 2)) in the two orders that exporters write
static qi_val *as_gelu(qi_build *b, qi_val *u, qi_val *v) {
    qi_step *dead[4] = {0};
    qi_val *x = NULL, *half = NULL;
    if (one(v, 0.5f, 0)) { // (x (erf + 1)) 0.5
        qi_step *s = qi_nn_made_by(u, &qi_core_binary, 1);
        if (!s || s->p[0] != NN_MUL) return NULL;
        for (int k = 0; k < 2 && !x; k++) {
            x = erf_plus_one(s->x[k], dead);
            if (x != s->x[1 - k]) x = NULL;
        }
        dead[3] = s;
    } else if ((half = other(u, NN_MUL, 0.5f, 0))) { // (0.5 x) (erf + 1)
        x = erf_plus_one(v, dead);
        if (x != half) x = NULL;
        dead[3] = u->maker;
    }
    if (!x) return NULL;
    for (int k = 0; k < 4; k++) dead[k]->dead = true;
    x->uses--;
    return qi_nn_unary(b, NN_GELU, 0, 0, x);
}

static qi_kind kind_of(int fn, const qi_val *x) {
    return fn >= NN_EQUAL && fn <= NN_XOR ? QI_BOOL : x->kind;
}
static qi_val *as_pow(qi_build *b, qi_val *x, qi_val *p) {
    if (!p->data || p->size != 1 || p->rank > x->rank) return NULL;
    float e = p->data[0];
    if (e == 2) return qi_nn_unary(b, NN_SQUARE, 0, 0, x);
    if (e == 0.5f && x->kind == QI_REAL) return qi_nn_unary(b, NN_SQRT, 0, 0, x);
    return NULL;
}
qi_val *qi_nn_binary(qi_build *b, int fn, qi_val *x, qi_val *y) {
    if (!x || !y) return NULL;
    qi_val *z = NULL;
    if (fn == NN_ADD && !(z = as_bias(b, x, y)) && !b->d.err) z = as_bias(b, y, x);
    if (fn == NN_MUL && x->kind == QI_REAL) {
        if (!(z = as_swish(b, x, y)) && !b->d.err) z = as_swish(b, y, x);
        if (!z && !b->d.err) z = as_gelu(b, x, y);
        if (!z && !b->d.err) z = as_gelu(b, y, x);
    }
    if (fn == NN_POW) z = as_pow(b, x, y);
    if (z || b->d.err) return z;
    if (fn == NN_DIV && x->kind != QI_REAL) fn = NN_IDIV;
    return zip(b, &qi_core_binary, fn, kind_of(fn, x), 2, (qi_val *[]){x, y});
}
qi_val *qi_nn_where(qi_build *b, qi_val *c, qi_val *x, qi_val *y) {
    if (!c || !x || !y) return NULL;
    return zip(b, &qi_core_where, 0, x->kind, 3, (qi_val *[]){c, x, y});
}

static bool plan_binary(qi_build *b, int fn) {
    return qi_nn_out(b, 0, qi_nn_binary(b, fn, qi_nn_in(b, 0), qi_nn_in(b, 1)));
}
static bool plan_mod(qi_build *b, int arg) {
    (void)arg;
    qi_val *x = qi_nn_in(b, 0);
    int like_c = qi_nn_attr_i(b, "fmod", 0);
    if (!like_c && x->kind == QI_REAL)
        return qi_nn_fail(b, QIAO_E_FORMAT, "of real numbers needs fmod = 1");
    return qi_nn_out(b, 0, qi_nn_binary(b, like_c ? NN_FMOD : NN_MOD, x, qi_nn_in(b, 1)));
}
enum { MEAN = 1000 };
static bool plan_many(qi_build *b, int arg) {
    qi_val *x = qi_nn_in(b, 0);
    for (int k = 1; k < b->node->nin && x; k++) {
        qi_val *y = qi_nn_in(b, k);
        if (!y) return qi_nn_fail(b, QIAO_E_FORMAT, "input %d is missing", k);
        x = qi_nn_binary(b, arg == MEAN ? NN_ADD : arg, x, y);
    }
    if (arg == MEAN && x)
        x = qi_nn_binary(b, NN_DIV, x, qi_nn_scalar(b, x->kind, (float)b->node->nin));
    return qi_nn_out(b, 0, x);
}
static bool plan_where(qi_build *b, int arg) {
    (void)arg;
    return qi_nn_out(b, 0, qi_nn_where(b, qi_nn_in(b, 0), qi_nn_in(b, 1), qi_nn_in(b, 2)));
}

#define BINARY(name, fn) \
    { name, plan_binary, fn, 2, 2, 1, 0 }
const qi_op qi_ops_binary[] = {BINARY("Add", NN_ADD),
                               BINARY("Sub", NN_SUB),
                               BINARY("Mul", NN_MUL),
                               BINARY("Div", NN_DIV),
                               BINARY("Pow", NN_POW),
                               BINARY("Equal", NN_EQUAL),
                               BINARY("Less", NN_LESS),
                               BINARY("LessOrEqual", NN_LESSEQ),
                               BINARY("Greater", NN_GREATER),
                               BINARY("GreaterOrEqual", NN_GREATEREQ),
                               BINARY("And", NN_AND),
                               BINARY("Or", NN_OR),
                               BINARY("Xor", NN_XOR),
                               BINARY("PRelu", NN_PRELU),
                               {"Mod", plan_mod, 0, 2, 2, 1, 0},
                               {"Sum", plan_many, NN_ADD, 1, QI_NN_LINKS_MAX, 1, 0},
                               {"Mean", plan_many, MEAN, 1, QI_NN_LINKS_MAX, 1, 0},
                               {"Min", plan_many, NN_MIN, 1, QI_NN_LINKS_MAX, 1, 0},
                               {"Max", plan_many, NN_MAX, 1, QI_NN_LINKS_MAX, 1, 0},
                               {"Where", plan_where, 0, 3, 3, 1, 0},
                               {0}};
