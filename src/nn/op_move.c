// SPDX-License-Identifier: Apache-2.0
// op_move.c - operators that move numbers: parts, turns, copies, rows by index.
#include "nn/build.h"

void qi_nn_strides(const qi_val *v, int *stride) {
    int64_t step = 1;
    for (int i = v->rank; i-- > 0; step *= v->dim[i]) stride[i] = (int)step;
}
qi_val *qi_nn_copy(qi_build *b, qi_val *x, const qi_shape *y, int rank, const int *dim,
                   const int *stride, int base) {
    if (!x) return NULL;
    qi_val *v = qi_nn_new(b, x->kind, y->rank, y->dim);
    if (!v) return NULL;
    if (!v->size) return qi_nn_const(b, x->kind, y->rank, y->dim);
    int d[2 * QI_RANK] = {1}, st[2 * QI_RANK] = {1}, n = 0;
    for (int k = 0; k < rank; k++) {
        if (dim[k] == 1) continue;
        if (n && st[n - 1] == stride[k] * dim[k]) {
            d[n - 1] *= dim[k], st[n - 1] = stride[k];
            continue;
        }
        d[n] = dim[k], st[n++] = stride[k];
    }
    if (!n) n = 1;
    if (n == 1 && st[0] == 1 && !base && d[0] == x->size)
        return qi_nn_view(b, x, x->kind, y->rank, y->dim);
    qi_step *s = qi_nn_step_new(b, &qi_core_copy, 1, 1, 2 + 2 * n, 0, 0);
    if (!s) return NULL;
    s->p[0] = base, s->p[1] = n;
    for (int k = 0; k < n; k++) s->p[2 + k] = d[k], s->p[2 + n + k] = st[k];
    s->x[0] = x, s->y[0] = v;
    return qi_nn_step_end(b, s) ? v : NULL;
}
static qi_val *copy_as(qi_build *b, qi_val *x, const qi_shape *y, const int *stride, int base) {
    return qi_nn_copy(b, x, y, y->rank, y->dim, stride, base);
}

qi_val *qi_nn_transpose(qi_build *b, qi_val *x, const int *perm) {
    int from[QI_RANK], stride[QI_RANK];
    qi_shape y = {.rank = x->rank};
    qi_nn_strides(x, from);
    for (int i = 0; i < x->rank; i++) y.dim[i] = x->dim[perm[i]], stride[i] = from[perm[i]];
    return copy_as(b, x, &y, stride, 0);
}
static bool plan_transpose(qi_build *b, int arg) {
    (void)arg;
    qi_val *x = qi_nn_in(b, 0);
    int perm[QI_RANK], n = qi_nn_attr_ints(b, "perm", perm, QI_RANK), seen = 0;
    if (n == -2) return false;
    if (n < 0)
        for (n = 0; n < x->rank; n++) perm[n] = x->rank - 1 - n;
    for (int i = 0; i < n; i++) seen |= perm[i] >= 0 && perm[i] < n ? 1 << perm[i] : 0;
    if (n != x->rank || seen != (1 << n) - 1)
        return qi_nn_fail(b, QIAO_E_FORMAT, "perm does not name each of %d dimensions once",
                          x->rank);
    return qi_nn_out(b, 0, qi_nn_transpose(b, x, perm));
}
// Start and end as ONNX cuts them: from the end if below 0, then held inside.
static int held(int at, int size, int least, int most) {
    if (at < 0) at = at < -size ? least : at + size;
    return at < least ? least : at > most ? most : at;
}
static bool plan_slice(qi_build *b, int arg) {
    (void)arg;
    qi_val *x = qi_nn_in(b, 0);
    int from[QI_RANK], to[QI_RANK], axis[QI_RANK], step[QI_RANK], stride[QI_RANK];
    int n = qi_nn_in_ints(b, 1, from, QI_RANK), m = qi_nn_in_ints(b, 2, to, QI_RANK);
    int naxis = qi_nn_in_ints(b, 3, axis, QI_RANK), nstep = qi_nn_in_ints(b, 4, step, QI_RANK);
    if (b->d.err) return false;
    if (n != m || n > x->rank || (naxis >= 0 && naxis != n) || (nstep >= 0 && nstep != n))
        return qi_nn_fail(b, QIAO_E_FORMAT, "starts, ends, axes and steps are not equally many");
    qi_shape y = {.rank = x->rank};
    memcpy(y.dim, x->dim, sizeof y.dim);
    qi_nn_strides(x, stride);
    int64_t base = 0;
    bool seen[QI_RANK] = {false};
    for (int i = 0; i < n; i++) {
        int k = naxis < 0 ? i : axis[i], s = nstep < 0 ? 1 : step[i];
        if (!qi_nn_axis(b, &k, x->rank)) return false;
        int size = x->dim[k];
        if (!s || seen[k]) return qi_nn_fail(b, QIAO_E_FORMAT, "axis %d: step 0 or named twice", k);
        seen[k] = true;
        int first = s > 0 ? held(from[i], size, 0, size) : held(from[i], size, -1, size - 1);
        int end = s > 0 ? held(to[i], size, 0, size) : held(to[i], size, -1, size - 1);
        int64_t by = s > 0 ? s : -(int64_t)s, far = s > 0 ? end - first : first - end;
        int64_t count = far > 0 ? (far + by - 1) / by : 0;
        base += (int64_t)first * stride[k];
        stride[k] = count > 1 ? stride[k] * s : stride[k];
        y.dim[k] = (int)count;
    }
    return qi_nn_out(b, 0, copy_as(b, x, &y, stride, (int)base));
}
static bool plan_split(qi_build *b, int arg) {
    (void)arg;
    qi_val *x = qi_nn_in(b, 0);
    int nout = b->node->nout, axis = qi_nn_attr_i(b, "axis", 0), stride[QI_RANK];
    if (!qi_nn_axis(b, &axis, x->rank)) return false;
    int *size = qi_nn_tmp(b, (size_t)(nout + 1) * sizeof *size), all = x->dim[axis];
    int n = size ? qi_nn_ints_by(b, 13, "split", 1, size, nout) : -2;
    if (n == -2) return false;
    if (n < 0) { // parts alike, the last may be smaller from opset 18 on
        int parts = b->g.opset >= 18 ? qi_nn_attr_i(b, "num_outputs", nout) : nout;
        int each = (all + nout - 1) / nout;
        if (parts != nout || (b->g.opset < 18 && all % nout))
            return qi_nn_fail(b, QIAO_E_FIT, "%d numbers into %d parts", all, nout);
        for (n = 0; n < nout; n++)
            size[n] = all - n * each < 0 ? 0 : all - n * each < each ? all - n * each : each;
    }
    int64_t sum = 0;
    for (int i = 0; i < n; i++) sum += size[i] < 0 ? INT32_MAX : size[i];
    if (n != nout || sum != all)
        return qi_nn_fail(b, QIAO_E_FIT, "parts sum up to %lld of %d", (long long)sum, all);
    qi_shape y = {.rank = x->rank};
    memcpy(y.dim, x->dim, sizeof y.dim);
    qi_nn_strides(x, stride);
    for (int i = 0, at = 0; i < n; at += size[i++]) {
        y.dim[axis] = size[i];
        if (!qi_nn_out(b, i, copy_as(b, x, &y, stride, at * stride[axis]))) return false;
    }
    return true;
}
static bool plan_concat(qi_build *b, int arg) {
    (void)arg;
    int n = b->node->nin, axis = qi_nn_attr_i(b, "axis", 0), outer = 1;
    qi_val *x = qi_nn_in(b, 0);
    if (!qi_nn_axis(b, &axis, x->rank)) return false;
    int dim[QI_RANK] = {0};
    qi_step *s = qi_nn_step_new(b, &qi_core_concat, n, 1, 2 + n, 0, 0);
    if (!s) return false;
    int64_t all = 0;
    for (int j = 0; j < n; j++) {
        qi_val *v = s->x[j] = qi_nn_in(b, j);
        if (!v) return qi_nn_fail(b, QIAO_E_FORMAT, "input %d is missing", j);
        if (v->rank != x->rank) return qi_nn_fail(b, QIAO_E_FIT, "input %d has another rank", j);
        for (int k = 0; k < x->rank; k++)
            if (k != axis && v->dim[k] != x->dim[k])
                return qi_nn_fail(b, QIAO_E_FIT, "input %d does not fit input 0", j);
        s->p[2 + j] = 1;
        for (int k = axis; k < x->rank; k++) s->p[2 + j] *= v->dim[k];
        all += v->dim[axis];
    }
    memcpy(dim, x->dim, sizeof dim);
    dim[axis] = all > QI_NN_SIZE_MAX ? -1 : (int)all;
    for (int k = 0; k < axis; k++) outer *= dim[k];
    s->p[0] = n, s->p[1] = outer;
    s->y[0] = qi_nn_new(b, x->kind, x->rank, dim);
    return s->y[0] && qi_nn_step_end(b, s) && qi_nn_out(b, 0, s->y[0]);
}

// A shape that x is stretched to, from the last dimension on.
static qi_val *expand(qi_build *b, qi_val *x, const qi_shape *y) {
    int own[QI_RANK], stride[QI_RANK];
    qi_nn_strides(x, own);
    for (int k = 0; k < y->rank; k++) {
        int i = k - (y->rank - x->rank);
        stride[k] = i < 0 || x->dim[i] == 1 ? 0 : own[i];
    }
    return copy_as(b, x, y, stride, 0);
}
static bool plan_expand(qi_build *b, int arg) {
    (void)arg;
    qi_val *x = qi_nn_in(b, 0), to = {0};
    to.rank = qi_nn_in_ints(b, 1, to.dim, QI_RANK);
    qi_shape y;
    return to.rank >= 0 && qi_nn_broadcast(b, x, &to, &y.rank, y.dim) &&
           qi_nn_out(b, 0, expand(b, x, &y));
}
static bool plan_tile(qi_build *b, int arg) {
    (void)arg;
    qi_val *x = qi_nn_in(b, 0);
    int times[QI_RANK], n = qi_nn_in_ints(b, 1, times, QI_RANK), own[QI_RANK];
    int dim[2 * QI_RANK], stride[2 * QI_RANK];
    if (n < 0) return false;
    if (n != x->rank) return qi_nn_fail(b, QIAO_E_FIT, "%d repeats of %d dimensions", n, x->rank);
    qi_shape y = {.rank = n};
    qi_nn_strides(x, own);
    for (int k = 0; k < n; k++) {
        dim[2 * k] = times[k], stride[2 * k] = 0;
        dim[2 * k + 1] = x->dim[k], stride[2 * k + 1] = own[k];
        int64_t size = (int64_t)times[k] * x->dim[k];
        y.dim[k] = times[k] < 0 || size > QI_NN_SIZE_MAX ? -1 : (int)size;
    }
    return qi_nn_out(b, 0, qi_nn_copy(b, x, &y, 2 * n, dim, stride, 0));
}

// Rows of an axis: outer, count, inner, axis, then which; below 0: fill.
static qi_val *rows(qi_build *b, qi_val *x, int axis, int count, const int *which, float fill,
                    const qi_shape *shape) {
    int outer = 1, inner = 1;
    for (int k = 0; k < x->rank; k++) *(k < axis ? &outer : &inner) *= k == axis ? 1 : x->dim[k];
    qi_val *y = qi_nn_new(b, x->kind, shape->rank, shape->dim);
    if (!y) return NULL;
    if (!y->size) return qi_nn_const(b, x->kind, shape->rank, shape->dim);
    if ((b->folded += count) > QI_NN_FOLD_MAX) {
        qi_nn_fail(b, QIAO_E_LIMIT, "too many rows");
        return NULL;
    }
    qi_step *s = qi_nn_step_new(b, &qi_core_rows, 1, 1, 4 + count, 1, 0);
    if (!s) return NULL;
    s->p[0] = outer, s->p[1] = count, s->p[2] = inner, s->p[3] = x->dim[axis], s->f[0] = fill;
    memcpy(s->p + 4, which, (size_t)count * sizeof *which);
    s->x[0] = x, s->y[0] = y;
    return qi_nn_step_end(b, s) ? y : NULL;
}
static bool plan_gather(qi_build *b, int arg) {
    (void)arg;
    qi_val *x = qi_nn_in(b, 0), *which = qi_nn_in(b, 1);
    int axis = qi_nn_attr_i(b, "axis", 0), outer = 1, inner = 1;
    if (!qi_nn_axis(b, &axis, x->rank)) return false;
    qi_shape y = {.rank = x->rank - 1 + which->rank};
    if (y.rank > QI_RANK)
        return qi_nn_fail(b, QIAO_E_UNSUPPORTED, "more than %d dimensions", QI_RANK);
    for (int k = 0, i = 0; k < x->rank; k++) {
        if (k != axis) {
            y.dim[i++] = x->dim[k], *(k < axis ? &outer : &inner) *= x->dim[k];
            continue;
        }
        for (int j = 0; j < which->rank; j++) y.dim[i++] = which->dim[j];
    }
    int size = x->dim[axis], count = which->size;
    if (!size && count) return qi_nn_fail(b, QIAO_E_FIT, "from an axis of no rows");
    if (which->data) {
        int *row = qi_nn_tmp(b, (size_t)count * sizeof *row);
        if (!row) return false;
        for (int j = 0; j < count; j++) {
            row[j] = qi_nn_whole(which->data[j]);
            if (row[j] < -size || row[j] >= size)
                return qi_nn_fail(b, QIAO_E_FIT, "row %d of %d", row[j], size);
            if (row[j] < 0) row[j] += size;
        }
        if (count == 1) { // a part
            int dim[3] = {outer, 1, inner}, stride[3] = {size * inner, 0, 1};
            return qi_nn_out(b, 0, qi_nn_copy(b, x, &y, 3, dim, stride, row[0] * inner));
        }
        return qi_nn_out(b, 0, rows(b, x, axis, count, row, 0, &y));
    }
    qi_val *v = qi_nn_new(b, x->kind, y.rank, y.dim);
    qi_step *s = qi_nn_step_new(b, &qi_core_gather, 2, 1, 4, 0, 0);
    if (!v || !s) return false;
    s->p[0] = outer, s->p[1] = count, s->p[2] = inner, s->p[3] = size;
    s->x[0] = x, s->x[1] = which, s->y[0] = v;
    return qi_nn_step_end(b, s) && qi_nn_out(b, 0, v);
}
static bool plan_gather_each(qi_build *b, int arg) {
    (void)arg;
    qi_val *x = qi_nn_in(b, 0), *which = qi_nn_in(b, 1);
    int axis = qi_nn_attr_i(b, "axis", 0), r = x->rank;
    if (!qi_nn_axis(b, &axis, r)) return false;
    if (which->rank != r) return qi_nn_fail(b, QIAO_E_FIT, "indices have another rank");
    for (int k = 0; k < r; k++)
        if (which->dim[k] > x->dim[k] && (k != axis || !x->dim[k]))
            return qi_nn_fail(b, QIAO_E_FIT, "indices do not fit the data");
    qi_val *v = qi_nn_new(b, x->kind, r, which->dim);
    qi_step *s = qi_nn_step_new(b, &qi_core_gather_each, 2, 1, 3 + 2 * r, 0, 0);
    if (!v || !s) return false;
    if (!v->size) return qi_nn_out(b, 0, qi_nn_const(b, x->kind, r, which->dim));
    s->p[0] = r, s->p[1] = axis, s->p[2] = x->dim[axis];
    memcpy(s->p + 3, which->dim, (size_t)r * sizeof(int));
    qi_nn_strides(x, s->p + 3 + r);
    s->x[0] = x, s->x[1] = which, s->y[0] = v;
    return qi_nn_step_end(b, s) && qi_nn_out(b, 0, v);
}

// Which row of an axis of n stands at place i, that may lie outside; -1: fill.
enum { FILL, REFLECT, EDGE, WRAP };
static int padded(int64_t i, int n, int mode) {
    if (i >= 0 && i < n) return (int)i;
    if (mode == FILL) return -1;
    if (mode == EDGE || n == 1) return i < 0 ? 0 : n - 1;
    int64_t round = mode == WRAP ? n : 2 * (int64_t)n - 2;
    i = (i % round + round) % round;
    return (int)(i < n ? i : round - i);
}
static bool plan_pad(qi_build *b, int arg) {
    (void)arg;
    static const char *const MODE[] = {"constant", "reflect", "edge", "wrap"};
    qi_val *x = qi_nn_in(b, 0), *fill = qi_nn_in(b, 2);
    int pad[2 * QI_RANK], n = qi_nn_in_ints(b, 1, pad, 2 * QI_RANK), axis[QI_RANK], mode = 0;
    int naxis = qi_nn_in_ints(b, 3, axis, QI_RANK);
    const char *how = qi_nn_attr_s(b, "mode", "constant");
    while (mode < 4 && strcmp(how, MODE[mode])) mode++;
    if (b->d.err) return false;
    if (mode == 4) return qi_nn_fail(b, QIAO_E_UNSUPPORTED, "mode '%.20s' is not supported", how);
    if (naxis < 0)
        for (naxis = 0; naxis < x->rank; naxis++) axis[naxis] = naxis;
    if (n != 2 * naxis) return qi_nn_fail(b, QIAO_E_FIT, "%d pads of %d axes", n, naxis);
    if (fill && (!fill->data || fill->size != 1))
        return qi_nn_fail(b, QIAO_E_UNSUPPORTED, "the value must be constant");
    for (int k = 0; k < naxis && x; k++) {
        int before = pad[k], after = pad[naxis + k], a = axis[k];
        if (!qi_nn_axis(b, &a, x->rank)) return false;
        if (!before && !after) continue;
        int64_t count = (int64_t)x->dim[a] + before + after;
        if (count < 0 || count > QI_NN_SIZE_MAX || (mode != FILL && !x->dim[a]))
            return qi_nn_fail(b, QIAO_E_LIMIT, "axis %d becomes %lld", a, (long long)count);
        int *row = qi_nn_tmp(b, (size_t)count * sizeof *row);
        if (!row) return false;
        for (int i = 0; i < count; i++) row[i] = padded((int64_t)i - before, x->dim[a], mode);
        qi_shape y = {.rank = x->rank};
        memcpy(y.dim, x->dim, sizeof y.dim);
        y.dim[a] = (int)count;
        x = rows(b, x, a, (int)count, row, fill ? fill->data[0] : 0, &y);
    }
    return x && qi_nn_out(b, 0, qi_nn_view(b, x, x->kind, x->rank, x->dim));
}

// What lies on one side of a diagonal; 0 elsewhere.
static bool plan_trilu(qi_build *b, int arg) {
    (void)arg;
    qi_val *x = qi_nn_in(b, 0);
    int k = 0, n = qi_nn_in_ints(b, 1, &k, 1), upper = qi_nn_attr_i(b, "upper", 1);
    if (n == -2) return false;
    if (x->rank < 2) return qi_nn_fail(b, QIAO_E_FIT, "expected matrices");
    const int *dim = x->dim + x->rank - 2;
    qi_val *in = qi_nn_const(b, QI_BOOL, 2, dim);
    for (int i = 0; in && i < in->size; i++) {
        int64_t off = (int64_t)(i % dim[1]) - i / dim[1] - k;
        in->data[i] = upper ? off >= 0 : off <= 0;
    }
    return qi_nn_out(b, 0, qi_nn_where(b, in, x, qi_nn_scalar(b, x->kind, 0)));
}

const qi_op qi_ops_move[] = {{"Transpose", plan_transpose, 0, 1, 1, 1, 0},
                             {"Slice", plan_slice, 0, 3, 5, 1, 0},
                             {"Split", plan_split, 0, 1, 2, QI_NN_LINKS_MAX, 0},
                             {"Concat", plan_concat, 0, 1, QI_NN_LINKS_MAX, 1, 0},
                             {"Expand", plan_expand, 0, 2, 2, 1, 0},
                             {"Tile", plan_tile, 0, 2, 2, 1, 0},
                             {"Gather", plan_gather, 0, 2, 2, 1, 0},
                             {"GatherElements", plan_gather_each, 0, 2, 2, 1, 0},
                             {"Pad", plan_pad, 0, 2, 4, 1, 0},
                             {"Trilu", plan_trilu, 0, 1, 2, 1, 0},
                             {0}};
