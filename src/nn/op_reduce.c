// SPDX-License-Identifier: Apache-2.0
// op_reduce.c - operators that make one number of many along axes.
#include "nn/build.h"

// x with the axes that go last, so that each result is one row; kept: the shape without them.
static qi_val *rows_of(qi_build *b, qi_val *x, const bool *gone, qi_shape *kept, int *count) {
    int perm[QI_RANK], n = 0;
    *kept = (qi_shape){0}, *count = 1;
    for (int i = 0; i < x->rank; i++)
        if (!gone[i]) kept->dim[kept->rank++] = x->dim[i], perm[n++] = i;
    for (int i = 0; i < x->rank; i++)
        if (gone[i]) perm[n++] = i, *count *= x->dim[i];
    return qi_nn_transpose(b, x, perm);
}
static qi_val *reduced(qi_build *b, int fn, qi_kind kind, qi_val *x, const bool *gone, bool keep) {
    qi_shape kept, y = {.rank = x->rank};
    int count, rows = 1;
    x = rows_of(b, x, gone, &kept, &count);
    for (int i = 0; i < y.rank; i++) y.dim[i] = gone[i] ? 1 : 0;
    if (!x) return NULL;
    for (int i = 0, k = 0; i < y.rank; i++)
        if (!gone[i]) y.dim[i] = kept.dim[k++];
    for (int i = 0; i < kept.rank; i++) rows *= kept.dim[i];
    if (count == 0 && fn >= NN_TOP) {
        qi_nn_fail(b, QIAO_E_FIT, "of no numbers");
        return NULL;
    }
    if (!keep) y = kept;
    qi_val *v = qi_nn_new(b, kind, y.rank, y.dim);
    qi_step *s = qi_nn_step_new(b, &qi_core_reduce, 1, 1, 3, 0, 0);
    if (!v || !s) return NULL;
    s->p[0] = fn, s->p[1] = rows, s->p[2] = count;
    s->x[0] = x, s->y[0] = v;
    return qi_nn_step_end(b, s) ? v : NULL;
}

enum { LOG_SUM = 100, LOG_SUM_EXP };
static bool plan_reduce(qi_build *b, int fn) {
    qi_val *x = qi_nn_in(b, 0);
    int from = fn == NN_SUM ? 13 : 18, axis[QI_RANK];
    int n = qi_nn_ints_by(b, from, "axes", 1, axis, QI_RANK);
    bool gone[QI_RANK] = {false}, keep = qi_nn_attr_i(b, "keepdims", 1) != 0;
    bool nothing = b->g.opset >= from && qi_nn_attr_i(b, "noop_with_empty_axes", 0);
    if (b->d.err) return false;
    for (int i = 0; i < n; i++) {
        if (!qi_nn_axis(b, &axis[i], x->rank)) return false;
        gone[axis[i]] = true;
    }
    if (n <= 0 && nothing) return qi_nn_out(b, 0, qi_nn_view(b, x, x->kind, x->rank, x->dim));
    for (int i = 0; i < x->rank && n <= 0; i++) gone[i] = true;
    qi_val *y, *top = NULL;
    if (fn == LOG_SUM_EXP) {
        if (!(top = reduced(b, NN_TOP, x->kind, x, gone, true))) return false;
        top->uses = 2;
        x = qi_nn_unary(b, NN_EXP, 0, 0, qi_nn_binary(b, NN_SUB, x, top));
    }
    y = x ? reduced(b, fn >= LOG_SUM ? NN_SUM : fn, x->kind, x, gone, keep) : NULL;
    if (fn >= LOG_SUM && y) y = qi_nn_unary(b, NN_LOG, 0, 0, y);
    if (fn == LOG_SUM_EXP && y)
        y = qi_nn_binary(b, NN_ADD, y, qi_nn_view(b, top, top->kind, y->rank, y->dim));
    return qi_nn_out(b, 0, y);
}
static bool plan_arg(qi_build *b, int fn) {
    qi_val *x = qi_nn_in(b, 0);
    int axis = qi_nn_attr_i(b, "axis", 0);
    bool gone[QI_RANK] = {false}, keep = qi_nn_attr_i(b, "keepdims", 1) != 0;
    if (qi_nn_attr_i(b, "select_last_index", 0)) fn++;
    if (!qi_nn_axis(b, &axis, x->rank)) return false;
    gone[axis] = true;
    return qi_nn_out(b, 0, reduced(b, fn, QI_INT, x, gone, keep));
}
static bool plan_global(qi_build *b, int fn) {
    qi_val *x = qi_nn_in(b, 0);
    bool gone[QI_RANK] = {false};
    if (x->rank < 3) return qi_nn_fail(b, QIAO_E_FIT, "expected planes");
    for (int i = 2; i < x->rank; i++) gone[i] = true;
    return qi_nn_out(b, 0, reduced(b, fn, x->kind, x, gone, true));
}

// A step along one axis: the axis goes last, and back after it.
static qi_val *turn(qi_build *b, qi_val *x, int axis) {
    int perm[QI_RANK];
    for (int i = 0; i < x->rank; i++) perm[i] = i;
    perm[axis] = x->rank - 1, perm[x->rank - 1] = axis;
    return qi_nn_transpose(b, x, perm);
}
static bool plan_cumsum(qi_build *b, int arg) {
    (void)arg;
    qi_val *x = qi_nn_in(b, 0), *which = qi_nn_in(b, 1);
    if (!which->data || which->size != 1)
        return qi_nn_fail(b, QIAO_E_UNSUPPORTED, "the axis must be constant");
    int axis = qi_nn_whole(which->data[0]);
    if (!qi_nn_axis(b, &axis, x->rank) || !(x = turn(b, x, axis))) return false;
    qi_val *y = qi_nn_new(b, x->kind, x->rank, x->dim);
    qi_step *s = qi_nn_step_new(b, &qi_core_cumsum, 1, 1, 4, 0, 0);
    if (!y || !s) return false;
    int n = x->dim[x->rank - 1];
    s->p[0] = n ? x->size / n : 0, s->p[1] = n;
    s->p[2] = qi_nn_attr_i(b, "exclusive", 0) != 0, s->p[3] = qi_nn_attr_i(b, "reverse", 0) != 0;
    s->x[0] = x, s->y[0] = y;
    return qi_nn_step_end(b, s) && qi_nn_out(b, 0, turn(b, y, axis));
}

// Softmax over what lies from the axis on (before opset 13), or over the axis alone.
static bool plan_softmax(qi_build *b, int log) {
    qi_val *x = qi_nn_in(b, 0), *u = x;
    bool old = b->g.opset < 13;
    int axis = qi_nn_attr_i(b, "axis", old ? 1 : -1), n = 1;
    if (!qi_nn_axis(b, &axis, x->rank)) return false;
    if (!old && !(u = turn(b, x, axis))) return false;
    for (int i = old ? axis : u->rank - 1; i < u->rank; i++) n *= u->dim[i];
    qi_val *y = qi_nn_new(b, QI_REAL, u->rank, u->dim);
    qi_step *s = qi_nn_step_new(b, &qi_core_softmax, 1, 1, 3, 0, 0);
    if (!y || !s) return false;
    s->p[0] = n ? u->size / n : 0, s->p[1] = n, s->p[2] = log;
    s->work = log ? (size_t)n : 0;
    s->cost = 8.0 * u->size;
    s->x[0] = u, s->y[0] = y;
    return qi_nn_step_end(b, s) && qi_nn_out(b, 0, old ? y : turn(b, y, axis));
}

#define REDUCE(name, fn) \
    { "Reduce" name, plan_reduce, fn, 1, 2, 1, 0 }
const qi_op qi_ops_reduce[] = {REDUCE("Sum", NN_SUM),
                               REDUCE("Mean", NN_MEAN),
                               REDUCE("Prod", NN_PROD),
                               REDUCE("L1", NN_L1),
                               REDUCE("L2", NN_L2),
                               REDUCE("SumSquare", NN_SUMSQ),
                               REDUCE("Max", NN_TOP),
                               REDUCE("Min", NN_BOTTOM),
                               REDUCE("LogSum", LOG_SUM),
                               REDUCE("LogSumExp", LOG_SUM_EXP),
                               {"ArgMax", plan_arg, NN_ARGMAX, 1, 1, 1, 0},
                               {"ArgMin", plan_arg, NN_ARGMIN, 1, 1, 1, 0},
                               {"GlobalAveragePool", plan_global, NN_MEAN, 1, 1, 1, 0},
                               {"GlobalMaxPool", plan_global, NN_TOP, 1, 1, 1, 0},
                               {"CumSum", plan_cumsum, 0, 2, 2, 1, 0},
                               {"Softmax", plan_softmax, 0, 1, 1, 1, 0},
                               {"LogSoftmax", plan_softmax, 1, 1, 1, 1, 0},
                               {0}};
