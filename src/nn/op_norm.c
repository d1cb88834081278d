// SPDX-License-Identifier: Apache-2.0
// op_norm.c - normalisation: over a row's own numbers, or by what training measured.
#include "nn/build.h"

#include <math.h>

// each: 0, or rows after which scales repeat
static qi_val *norm(qi_build *b, qi_val *x, qi_val *scale, qi_val *shift, int n, int each,
                    float eps) {
    qi_val *y = qi_nn_new(b, QI_REAL, x->rank, x->dim);
    qi_step *s = qi_nn_step_new(b, &qi_core_norm, 3, 1, 3, 1, 0);
    if (!y || !s) return NULL;
    s->p[0] = n ? x->size / n : 0, s->p[1] = n, s->p[2] = each, s->f[0] = eps;
    s->x[0] = x, s->x[1] = scale, s->x[2] = shift, s->y[0] = y;
    s->cost = 4.0 * x->size;
    return qi_nn_step_end(b, s) ? y : NULL;
}
static bool plan_layer_norm(qi_build *b, int arg) {
    (void)arg;
    qi_val *x = qi_nn_in(b, 0), *scale = qi_nn_in(b, 1), *shift = qi_nn_in(b, 2);
    int axis = qi_nn_attr_i(b, "axis", -1), n = 1;
    if (!qi_nn_axis(b, &axis, x->rank)) return false;
    for (int i = axis; i < x->rank; i++) n *= x->dim[i];
    for (int k = 1; k < b->node->nout; k++)
        if (*b->node->out[k])
            return qi_nn_fail(b, QIAO_E_UNSUPPORTED, "more than the first output is not supported");
    float eps = qi_nn_attr_f(b, "epsilon", 1e-5f);
    bool whole = scale->size == n && (!shift || shift->size == n);
    qi_val *y = norm(b, x, whole ? scale : NULL, whole ? shift : NULL, n, 0, eps);
    if (!whole) { // scales that are stretched themselves
        y = qi_nn_binary(b, NN_MUL, y, scale);
        if (shift) y = qi_nn_binary(b, NN_ADD, y, shift);
        if (y && y->size != x->size) return qi_nn_fail(b, QIAO_E_FIT, "the scale does not fit");
    }
    return qi_nn_out(b, 0, y);
}
static bool plan_instance_norm(qi_build *b, int arg) {
    (void)arg;
    qi_val *x = qi_nn_in(b, 0), *scale = qi_nn_in(b, 1), *shift = qi_nn_in(b, 2);
    int n = 1;
    if (x->rank < 3) return qi_nn_fail(b, QIAO_E_FIT, "expected planes");
    for (int i = 2; i < x->rank; i++) n *= x->dim[i];
    if (scale->size != x->dim[1] || shift->size != x->dim[1])
        return qi_nn_fail(b, QIAO_E_FIT, "expected %d scales and shifts", x->dim[1]);
    float eps = qi_nn_attr_f(b, "epsilon", 1e-5f);
    return qi_nn_out(b, 0, norm(b, x, scale, shift, n, x->dim[1], eps));
}

// y = a x + c for each channel, a = scale / sqrt(variance + eps), c = shift - mean a
static bool plan_batch_norm(qi_build *b, int arg) {
    (void)arg;
    qi_val *x = qi_nn_in(b, 0), *in[4];
    int channels = x->rank > 1 ? x->dim[1] : 1, dim[QI_RANK], rank = x->rank > 1 ? x->rank - 1 : 1;
    if (qi_nn_attr_i(b, "training_mode", 0))
        return qi_nn_fail(b, QIAO_E_UNSUPPORTED, "in training is not supported");
    for (int k = 1; k < b->node->nout; k++)
        if (*b->node->out[k])
            return qi_nn_fail(b, QIAO_E_UNSUPPORTED, "more than the first output is not supported");
    for (int k = 0; k < 4; k++) {
        in[k] = qi_nn_in(b, k + 1);
        if (!in[k]->data)
            return qi_nn_fail(b, QIAO_E_UNSUPPORTED, "input %d must be constant", k + 1);
        if (in[k]->size != channels)
            return qi_nn_fail(b, QIAO_E_FIT, "input %d: expected %d numbers", k + 1, channels);
    }
    for (int i = 0; i < rank; i++) dim[i] = i ? 1 : channels;
    double eps = (double)qi_nn_attr_f(b, "epsilon", 1e-5f);
    qi_val *a = qi_nn_const(b, QI_REAL, rank, dim), *c = qi_nn_const(b, QI_REAL, rank, dim);
    if (!a || !c) return false;
    for (int i = 0; i < channels; i++) {
        double by = (double)in[0]->data[i] / sqrt((double)in[3]->data[i] + eps);
        a->data[i] = (float)by;
        c->data[i] = (float)((double)in[1]->data[i] - (double)in[2]->data[i] * by);
    }
    return qi_nn_out(b, 0, qi_nn_binary(b, NN_ADD, qi_nn_binary(b, NN_MUL, x, a), c));
}

const qi_op qi_ops_norm[] = {{"LayerNormalization", plan_layer_norm, 0, 2, 3, 3, 0},
                             {"InstanceNormalization", plan_instance_norm, 0, 3, 3, 1, 0},
                             {"BatchNormalization", plan_batch_norm, 0, 5, 5, 5, 0},
                             {0}};
