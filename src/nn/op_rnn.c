// SPDX-License-Identifier: Apache-2.0
// op_rnn.c - LSTM, GRU and RNN: two or three dense layers for each direction. State is inputs and
// outputs of the node like any other.
#include "nn/build.h"

#include <strings.h>

typedef struct cell {
    int gates, layers, nfn; // functions of a direction
    const qi_core *core;
    const char *fn[3];
} cell;
static const cell CELL[3] = {{4, 2, 3, &qi_core_lstm, {"Sigmoid", "Tanh", "Tanh"}},
                             {3, 3, 2, &qi_core_gru, {"Sigmoid", "Tanh"}},
                             {1, 2, 1, &qi_core_rnn, {"Tanh"}}};
static const struct {
    const char *name;
    int fn;
    float a, b;
} FN[] = {{"Sigmoid", NN_SIGMOID, 0, 0},
          {"Tanh", NN_TANH, 0, 0},
          {"Relu", NN_RELU, 0, 0},
          {"LeakyRelu", NN_LEAKY, 0.01f, 0},
          {"Elu", NN_ELU, 1, 0},
          {"HardSigmoid", NN_HARDSIGMOID, 0.2f, 0.5f},
          {"Softsign", NN_SOFTSIGN, 0, 0},
          {"Softplus", NN_SOFTPLUS, 0, 0},
          {"ThresholdedRelu", NN_THRESHOLDED, 1, 0},
          {"Affine", NN_AFFINE, 1, 0}};
enum { NFN = sizeof FN / sizeof *FN };

// Functions and their parameters to p [dirs][3] and f [dirs][3][2].
static bool functions(qi_build *b, const cell *c, int dirs, int *p, float *f) {
    const qi_attr *a = qi_nn_attr_get(b, "activations", 8);
    const qi_attr *alpha = qi_nn_attr_get(b, "activation_alpha", 6);
    const qi_attr *beta = qi_nn_attr_get(b, "activation_beta", 6);
    if (b->d.err) return false;
    if (a && a->n != c->nfn * dirs)
        return qi_nn_fail(b, QIAO_E_FIT, "%d activations, expected %d", a->n, c->nfn * dirs);
    int na = 0, nb = 0; // parameters are listed for those functions that have one
    for (int i = 0; i < c->nfn * dirs; i++) {
        const char *name = a ? a->strings[i] : c->fn[i % c->nfn];
        int k = 0, at = i / c->nfn * 3 + i % c->nfn;
        while (k < NFN && strcasecmp(name, FN[k].name)) k++;
        if (k == NFN)
            return qi_nn_fail(b, QIAO_E_UNSUPPORTED, "activation '%.30s' is not supported", name);
        p[at] = FN[k].fn, f[2 * at] = FN[k].a, f[2 * at + 1] = FN[k].b;
        bool has_b = FN[k].fn == NN_HARDSIGMOID || FN[k].fn == NN_AFFINE;
        bool has_a = has_b || FN[k].a != 0;
        if (has_a && alpha && na < alpha->n) f[2 * at] = alpha->floats[na++];
        if (has_b && beta && nb < beta->n) f[2 * at + 1] = beta->floats[nb++];
    }
    return true;
}

// Layers of one direction: w [g h][in], r [g h][h], bias [2][g h] or NULL.
static bool layers(qi_build *b, const cell *c, qi_layer *d, int in, int h, const float *w,
                   const float *r, const float *bias, bool after) {
    int gh = c->gates * h;
    float *sum = qi_nn_tmp(b, (size_t)gh * sizeof *sum);
    if (!sum) return false;
    bool gru = c->gates == 3;
    for (int i = 0; bias && i < gh; i++)
        sum[i] = bias[i] + (gru && after && i >= 2 * h ? 0 : bias[gh + i]);
    d[0] = (qi_layer){.nin = in, .nout = gh, .w = w, .bias = sum, .transposed = true};
    d[1] = (qi_layer){.nin = h, .nout = gru ? 2 * h : gh, .w = r, .transposed = true};
    if (gru)
        d[2] = (qi_layer){.nin = h,
                          .nout = h,
                          .w = r + (size_t)2 * (size_t)h * (size_t)h,
                          .bias = bias && after ? bias + gh + 2 * h : NULL,
                          .transposed = true};
    return true;
}
static bool no_lengths(qi_build *b, int k, int length) {
    qi_val *v = qi_nn_in(b, k);
    for (int i = 0; v && i < v->size; i++)
        if (!v->data || v->data[i] != (float)length)
            return qi_nn_fail(b, QIAO_E_UNSUPPORTED,
                              "sequences of different lengths are not supported");
    return true;
}
static bool same(const qi_val *v, int d0, int d1, int d2) {
    return !v || (v->rank == 3 && v->dim[0] == d0 && v->dim[1] == d1 && v->dim[2] == d2);
}

static bool plan_rnn(qi_build *b, int kind) {
    const cell *c = &CELL[kind];
    qi_val *x = qi_nn_in(b, 0), *w = qi_nn_in(b, 1), *r = qi_nn_in(b, 2), *bias = qi_nn_in(b, 3);
    qi_val *first = qi_nn_in(b, 5), *cell0 = kind ? NULL : qi_nn_in(b, 6);
    const char *way = qi_nn_attr_s(b, "direction", "forward");
    bool both = !strcmp(way, "bidirectional"), back = !strcmp(way, "reverse");
    int dirs = both ? 2 : 1, h = r->rank == 3 ? r->dim[2] : 0, g = c->gates;
    bool after = kind == 1 && qi_nn_attr_i(b, "linear_before_reset", 0);
    if (!both && !back && strcmp(way, "forward"))
        return qi_nn_fail(b, QIAO_E_FORMAT, "direction is '%.20s'", way);
    if (qi_nn_attr_i(b, "layout", 0) || qi_nn_attr_i(b, "input_forget", 0) ||
        (!kind && qi_nn_in(b, 7)))
        return qi_nn_fail(b, QIAO_E_UNSUPPORTED,
                          "layout 1, input_forget and peepholes are not supported");
    if (!w->data || !r->data || (bias && !bias->data))
        return qi_nn_fail(b, QIAO_E_UNSUPPORTED, "weights must be constant");
    if (x->rank != 3 || h < 1 || h > 1 << 20 || x->dim[2] < 1 || !x->size ||
        qi_nn_attr_i(b, "hidden_size", h) != h || !same(w, dirs, g * h, x->dim[2]) ||
        !same(r, dirs, g * h, h) || (bias && bias->size != dirs * 2 * g * h) ||
        !same(first, dirs, x->dim[1], h) || !same(cell0, dirs, x->dim[1], h))
        return qi_nn_fail(b, QIAO_E_FIT, "inputs do not fit each other");
    int length = x->dim[0], rows = x->dim[1], in = x->dim[2];
    if (!no_lengths(b, 4, length)) return false;
    qi_step *s = qi_nn_step_new(b, c->core, 3, 3, 7 + 3 * dirs, 1 + 6 * dirs, c->layers * dirs);
    if (!s) return false;
    int *p = s->p;
    p[0] = length, p[1] = rows, p[2] = in, p[3] = h, p[4] = dirs, p[5] = back;
    p[6 + 3 * dirs] = after;
    s->f[0] = qi_nn_attr_f(b, "clip", 0);
    if (!functions(b, c, dirs, p + 6, s->f + 1)) return false;
    size_t gh = (size_t)g * (size_t)h;
    for (int k = 0; k < dirs; k++)
        if (!layers(b, c, s->d + k * c->layers, in, h, w->data + (size_t)k * gh * (size_t)in,
                    r->data + (size_t)k * gh * (size_t)h,
                    bias ? bias->data + (size_t)k * 2 * gh : NULL, after))
            return false;
    int all[4] = {length, dirs, rows, h}, last[3] = {dirs, rows, h};
    s->x[0] = x, s->x[1] = first, s->x[2] = cell0;
    for (int k = 0; k < (kind ? 2 : 3); k++) {
        if (k >= b->node->nout || !*b->node->out[k]) continue;
        if (!(s->y[k] = qi_nn_new(b, QI_REAL, k ? 3 : 4, k ? last : all))) return false;
    }
    double part = (double)rows * h;
    s->cost = (double)length * dirs * part * g * (in + h);
    if (part * length * g * 2 > QI_NN_ITEM_MAX)
        return qi_nn_fail(b, QIAO_E_LIMIT, "an item needs more than 2^24 numbers of memory");
    s->work_item = (size_t)part * ((size_t)length * (size_t)g + (size_t)g + 3);
    if (!qi_nn_step_end(b, s)) return false;
    for (int k = 0; k < b->node->nout; k++)
        if (s->y[k] && !qi_nn_out(b, k, s->y[k])) return false;
    return true;
}
const qi_op qi_ops_rnn[] = {{"LSTM", plan_rnn, 0, 3, 8, 3, 0},
                            {"GRU", plan_rnn, 1, 3, 6, 2, 0},
                            {"RNN", plan_rnn, 2, 3, 6, 2, 0},
                            {0}};
