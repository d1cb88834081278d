// SPDX-License-Identifier: Apache-2.0
// op_shape.c - operators that give the same numbers another shape, or numbers that depend on
// shapes alone.
#include "nn/build.h"

#include <math.h>

static bool plan_identity(qi_build *b, int arg) {
    (void)arg;
    qi_val *x = qi_nn_in(b, 0);
    if (!qi_nn_out(b, 0, qi_nn_view(b, x, x->kind, x->rank, x->dim))) return false;
    if (b->node->nout < 2 || !*b->node->out[1]) return true;
    qi_val *mask = qi_nn_const(b, QI_BOOL, x->rank, x->dim); // of Dropout: nothing dropped
    for (int i = 0; mask && i < mask->size; i++) mask->data[i] = 1;
    return qi_nn_out(b, 1, mask);
}
static bool plan_dropout(qi_build *b, int arg) {
    qi_val *training = qi_nn_in(b, 2);
    if (training && (!training->data || training->size != 1 || training->data[0] != 0))
        return qi_nn_fail(b, QIAO_E_UNSUPPORTED, "in training is not supported");
    return plan_identity(b, arg);
}
static bool plan_reshape(qi_build *b, int arg) {
    (void)arg;
    qi_val *x = qi_nn_in(b, 0);
    int dim[QI_RANK], n = qi_nn_in_ints(b, 1, dim, QI_RANK), open = -1;
    int64_t size = 1;
    bool zero = qi_nn_attr_i(b, "allowzero", 0) != 0;
    for (int i = 0; i < n; i++) {
        if (dim[i] == 0 && !zero) {
            if (i >= x->rank) return qi_nn_fail(b, QIAO_E_FIT, "keeps dimension %d of none", i);
            dim[i] = x->dim[i];
        }
        if (dim[i] < -1 || (dim[i] == -1 && open >= 0))
            return qi_nn_fail(b, QIAO_E_FORMAT, "dimension %d is %d", i, dim[i]);
        if (dim[i] == -1)
            open = i;
        else if ((size *= dim[i]) > QI_NN_SIZE_MAX)
            return qi_nn_fail(b, QIAO_E_LIMIT, "a result of more than 2^26 numbers");
    }
    if (n < 0) return false;
    if (open >= 0) {
        if (!size || x->size % size)
            return qi_nn_fail(b, QIAO_E_FIT, "%d numbers in rows of %lld", x->size,
                              (long long)size);
        dim[open] = (int)(x->size / size);
    }
    return qi_nn_out(b, 0, qi_nn_view(b, x, x->kind, n, dim));
}
static bool plan_flatten(qi_build *b, int arg) {
    (void)arg;
    qi_val *x = qi_nn_in(b, 0);
    int axis = qi_nn_attr_i(b, "axis", 1), dim[2] = {1, 1};
    if (axis < -x->rank || axis > x->rank) return qi_nn_fail(b, QIAO_E_FIT, "axis %d", axis);
    if (axis < 0) axis += x->rank;
    for (int i = 0; i < x->rank; i++) dim[i >= axis] *= x->dim[i];
    return qi_nn_out(b, 0, qi_nn_view(b, x, x->kind, 2, dim));
}
static bool plan_squeeze(qi_build *b, int arg) {
    (void)arg;
    qi_val *x = qi_nn_in(b, 0);
    int axis[QI_RANK], n = qi_nn_ints_by(b, 13, "axes", 1, axis, QI_RANK), dim[QI_RANK], rank = 0;
    bool gone[QI_RANK] = {false};
    if (n == -2) return false;
    for (int i = 0; i < n; i++) {
        if (!qi_nn_axis(b, &axis[i], x->rank)) return false;
        if (x->dim[axis[i]] != 1)
            return qi_nn_fail(b, QIAO_E_FIT, "dimension %d is %d, not 1", axis[i], x->dim[axis[i]]);
        gone[axis[i]] = true;
    }
    for (int i = 0; i < x->rank; i++)
        if (n < 0 ? x->dim[i] != 1 : !gone[i]) dim[rank++] = x->dim[i];
    return qi_nn_out(b, 0, qi_nn_view(b, x, x->kind, rank, dim));
}
static bool plan_unsqueeze(qi_build *b, int arg) {
    (void)arg;
    qi_val *x = qi_nn_in(b, 0);
    int axis[QI_RANK], n = qi_nn_ints_by(b, 13, "axes", 1, axis, QI_RANK), dim[QI_RANK];
    int rank = x->rank + n;
    bool put[QI_RANK] = {false};
    if (n < 0) return qi_nn_fail(b, QIAO_E_FORMAT, "axes are missing");
    if (rank > QI_RANK)
        return qi_nn_fail(b, QIAO_E_UNSUPPORTED, "more than %d dimensions", QI_RANK);
    for (int i = 0; i < n; i++) {
        if (!qi_nn_axis(b, &axis[i], rank)) return false;
        if (put[axis[i]]) return qi_nn_fail(b, QIAO_E_FORMAT, "axis %d twice", axis[i]);
        put[axis[i]] = true;
    }
    for (int i = 0, k = 0; i < rank; i++) dim[i] = put[i] ? 1 : x->dim[k++];
    return qi_nn_out(b, 0, qi_nn_view(b, x, x->kind, rank, dim));
}
static bool plan_shape(qi_build *b, int arg) {
    (void)arg;
    qi_val *x = qi_nn_in(b, 0);
    int start = qi_nn_attr_i(b, "start", 0), end = qi_nn_attr_i(b, "end", x->rank), r = x->rank;
    if (start < 0) start = start < -r ? 0 : start + r;
    if (end < 0) end = end < -r ? 0 : end + r;
    if (end > r) end = r;
    int n = end > start ? end - start : 0;
    qi_val *y = qi_nn_const(b, QI_INT, 1, &n);
    for (int i = 0; y && i < n; i++) y->data[i] = (float)x->dim[start + i];
    return qi_nn_out(b, 0, y);
}
static bool plan_size(qi_build *b, int arg) {
    (void)arg;
    return qi_nn_out(b, 0, qi_nn_scalar(b, QI_INT, (float)qi_nn_in(b, 0)->size));
}
static bool plan_constant(qi_build *b, int arg) {
    (void)arg;
    const qi_node *n = b->node;
    if (n->nattr != 1) return qi_nn_fail(b, QIAO_E_FORMAT, "expected one value");
    const qi_attr *a = &n->attr[0];
    bool list = a->type == 6 || a->type == 7;
    qi_val *v = a->t;
    if (a->type == 1 || a->type == 2)
        v = qi_nn_scalar(b, a->type == 1 ? QI_REAL : QI_INT, a->type == 1 ? a->f : (float)a->i);
    if (list) v = qi_nn_const(b, a->type == 6 ? QI_REAL : QI_INT, 1, &a->n);
    if (!v) return qi_nn_fail(b, QIAO_E_UNSUPPORTED, "attribute '%.40s' is not supported", a->name);
    for (int i = 0; list && i < a->n; i++)
        v->data[i] = a->type == 6 ? a->floats[i] : (float)a->ints[i];
    return qi_nn_out(b, 0, qi_nn_view(b, v, v->kind, v->rank, v->dim));
}
static bool plan_constant_of_shape(qi_build *b, int arg) {
    (void)arg;
    int dim[QI_RANK], n = qi_nn_in_ints(b, 0, dim, QI_RANK);
    const qi_attr *a = qi_nn_attr_get(b, "value", 4);
    if (n < 0) return false;
    if (a && a->t->size != 1) return qi_nn_fail(b, QIAO_E_FORMAT, "expected one value");
    qi_val *v = qi_nn_const(b, a ? a->t->kind : QI_REAL, n, dim);
    for (int i = 0; v && i < v->size; i++) v->data[i] = a ? a->t->data[0] : 0;
    return qi_nn_out(b, 0, v);
}
static bool plan_range(qi_build *b, int arg) {
    (void)arg;
    qi_val *v[3] = {qi_nn_in(b, 0), qi_nn_in(b, 1), qi_nn_in(b, 2)};
    for (int k = 0; k < 3; k++)
        if (!v[k]->data || v[k]->size != 1)
            return qi_nn_fail(b, QIAO_E_UNSUPPORTED, "the bounds must be constant");
    double from = v[0]->data[0], to = v[1]->data[0], step = v[2]->data[0];
    double count = step != 0 ? ceil((to - from) / step) : NAN;
    if (!(count <= QI_NN_SIZE_MAX)) return qi_nn_fail(b, QIAO_E_LIMIT, "more than 2^26 numbers");
    int n = count > 0 ? (int)count : 0;
    qi_val *y = qi_nn_const(b, v[0]->kind, 1, &n);
    for (int i = 0; y && i < n; i++) y->data[i] = (float)(from + i * step);
    return qi_nn_out(b, 0, y);
}

const qi_op qi_ops_shape[] = {{"Identity", plan_identity, 0, 1, 1, 1, 0},
                              {"Dropout", plan_dropout, 0, 1, 3, 2, 0},
                              {"Reshape", plan_reshape, 0, 2, 2, 1, 0},
                              {"Flatten", plan_flatten, 0, 1, 1, 1, 0},
                              {"Squeeze", plan_squeeze, 0, 1, 2, 1, 0},
                              {"Unsqueeze", plan_unsqueeze, 0, 1, 2, 1, 0},
                              {"Shape", plan_shape, 0, 1, 1, 1, 0},
                              {"Size", plan_size, 0, 1, 1, 1, 0},
                              {"Constant", plan_constant, 0, 0, 0, 1, 0},
                              {"ConstantOfShape", plan_constant_of_shape, 0, 1, 1, 1, 0},
                              {"Range", plan_range, 0, 3, 3, 1, 0},
                              {0}};
