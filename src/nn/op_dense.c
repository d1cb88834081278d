// SPDX-License-Identifier: Apache-2.0
// op_dense.c - Gemm and MatMul: a dense layer if the right side is constant.
#include "nn/build.h"

// x [.., nin] through the weights to [.., nout].
static qi_val *layer(qi_build *b, qi_val *x, const qi_layer *l) {
    int dim[QI_RANK];
    memcpy(dim, x->dim, sizeof dim);
    dim[x->rank - 1] = l->nout;
    qi_val *y = qi_nn_new(b, QI_REAL, x->rank, dim);
    qi_step *s = qi_nn_step_new(b, &qi_core_layer, 1, 1, 3, 0, 1);
    if (!y || !s) return NULL;
    s->p[0] = x->size / l->nin, s->p[1] = l->nin, s->p[2] = l->nout;
    s->d[0] = *l;
    s->x[0] = x, s->y[0] = y;
    s->cost = (double)s->p[0] * l->nin * l->nout;
    return qi_nn_step_end(b, s) ? y : NULL;
}

static qi_val *product(qi_build *b, qi_val *x, qi_val *y, const qi_shape *shape, int m, int k,
                       int n) {
    qi_val *z = qi_nn_new(b, x->kind, shape->rank, shape->dim);
    qi_step *s = qi_nn_step_new(b, &qi_core_matmul, 2, 1, 4 + 3 * (QI_RANK + 1), 0, 0);
    if (!z || !s) return NULL;
    int rank = x->rank > y->rank ? x->rank - 2 : y->rank - 2, step[2] = {m * k, k * n};
    int *p = s->p, *dim = p + 4;
    p[0] = m, p[1] = k, p[2] = n, p[3] = rank + 1;
    qi_val *in[2] = {x, y};
    dim[rank] = 1;
    for (int i = rank; i-- > 0;) {
        int from_end = rank - i + 2;
        for (int j = 0; j < 2; j++) {
            int own = in[j]->rank >= from_end ? in[j]->dim[in[j]->rank - from_end] : 1;
            dim[(j + 1) * (rank + 1) + i] = own == 1 ? 0 : step[j];
            step[j] *= own;
            if (own != 1 || j == 0) dim[i] = own;
        }
    }
    s->np = 4 + 3 * (rank + 1);
    s->x[0] = x, s->x[1] = y, s->y[0] = z;
    s->cost = (double)z->size * k;
    if (!z->size) return qi_nn_const(b, z->kind, z->rank, z->dim);
    return qi_nn_step_end(b, s) ? z : NULL;
}

qi_val *qi_nn_matmul(qi_build *b, qi_val *x, qi_val *y) {
    if (!x || !y) return NULL;
    if (!x->rank || !y->rank) {
        qi_nn_fail(b, QIAO_E_FIT, "of a single number");
        return NULL;
    }
    qi_val *u = x, *v = y;
    if (x->rank == 1) u = qi_nn_view(b, x, x->kind, 2, (int[]){1, x->size});
    if (y->rank == 1) v = qi_nn_view(b, y, y->kind, 2, (int[]){y->size, 1});
    if (!u || !v) return NULL;
    int m = u->dim[u->rank - 2], k = u->dim[u->rank - 1], n = v->dim[v->rank - 1];
    if (v->dim[v->rank - 2] != k) {
        qi_nn_fail(b, QIAO_E_FIT, "%d columns on the left, %d rows on the right", k,
                   v->dim[v->rank - 2]);
        return NULL;
    }
    // shape of the result: the batches, then m and n but for those that were put in
    qi_shape s = {0};
    qi_val left = *u, right = *v;
    left.rank -= 2, right.rank -= 2;
    if (!qi_nn_broadcast(b, &left, &right, &s.rank, s.dim)) return NULL;
    if (x->rank > 1) s.dim[s.rank++] = m;
    if (y->rank > 1) s.dim[s.rank++] = n;
    bool flat = v->size == k * n && left.rank >= right.rank;
    if (flat && v->data && !u->data && k > 0 && n > 0 && u->size > 0) {
        qi_layer l = {.nin = k, .nout = n, .w = v->data};
        qi_val *z = layer(b, u, &l);
        if (!z || (z->rank == s.rank && x->rank > 1)) return z;
        return qi_nn_view(b, z, QI_REAL, s.rank, s.dim);
    }
    return product(b, u, v, &s, m, k, n);
}
static bool plan_matmul(qi_build *b, int arg) {
    (void)arg;
    return qi_nn_out(b, 0, qi_nn_matmul(b, qi_nn_in(b, 0), qi_nn_in(b, 1)));
}

static const float *scaled(qi_build *b, const float *x, int n, float by) {
    if (by == 1) return x;
    float *y = qi_nn_tmp(b, (size_t)n * sizeof *y);
    for (int i = 0; y && i < n; i++) y[i] = by * x[i];
    return y;
}
static bool plan_gemm(qi_build *b, int arg) {
    (void)arg;
    qi_val *x = qi_nn_in(b, 0), *w = qi_nn_in(b, 1), *c = qi_nn_in(b, 2), *y;
    float alpha = qi_nn_attr_f(b, "alpha", 1), beta = qi_nn_attr_f(b, "beta", 1);
    int turn_x = qi_nn_attr_i(b, "transA", 0), turn_w = qi_nn_attr_i(b, "transB", 0);
    if (x->rank != 2 || w->rank != 2) return qi_nn_fail(b, QIAO_E_FIT, "expected two matrices");
    if (turn_x && !(x = qi_nn_transpose(b, x, (int[]){1, 0}))) return false;
    int k = x->dim[1], n = w->dim[!turn_w];
    if (w->dim[turn_w != 0] != k)
        return qi_nn_fail(b, QIAO_E_FIT, "%d columns on the left, %d rows on the right", k,
                          w->dim[turn_w != 0]);
    if (w->data && !x->data && k > 0 && n > 0 && x->size > 0) {
        qi_layer l = {.nin = k, .nout = n, .transposed = turn_w != 0};
        if (!(l.w = scaled(b, w->data, w->size, alpha))) return false;
        y = layer(b, x, &l);
    } else {
        if (turn_w && !(w = qi_nn_transpose(b, w, (int[]){1, 0}))) return false;
        y = qi_nn_matmul(b, x, w);
        if (y && alpha != 1) y = qi_nn_unary(b, NN_AFFINE, alpha, 0, y);
    }
    if (c && beta != 1) c = qi_nn_unary(b, NN_AFFINE, beta, 0, c);
    if (c && y) { // C is stretched to the result, never the other way round
        int rank, dim[QI_RANK];
        if (!qi_nn_broadcast(b, y, c, &rank, dim)) return false;
        if (rank != 2 || dim[0] != y->dim[0] || dim[1] != y->dim[1])
            return qi_nn_fail(b, QIAO_E_FIT, "C does not fit the product");
        y = qi_nn_binary(b, NN_ADD, y, c);
    }
    return qi_nn_out(b, 0, y);
}

const qi_op qi_ops_dense[] = {
    {"MatMul", plan_matmul, 0, 2, 2, 1, 0}, {"Gemm", plan_gemm, 0, 2, 3, 1, 0}, {0}};
