// SPDX-License-Identifier: Apache-2.0
// op_conv.c - convolutions and pools of one and two dimensions.
#include "nn/build.h"

// The window as attributes give it, for rows and columns; one dimension is a plane of one row.
typedef struct window {
    int images, c, size[2], out[2], k[2], s[2], d[2], before[2], after[2];
    int nd; // 1 or 2
} window;

static bool each(qi_build *b, const char *name, int nd, int value, int *to) {
    int n = qi_nn_attr_ints(b, name, to, nd);
    if (n == -2) return false;
    for (int i = 0; i < nd && n == -1; i++) to[i] = value;
    if (n >= 0 && n != nd)
        return qi_nn_fail(b, QIAO_E_FIT, "%s has %d numbers, expected %d", name, n, nd);
    for (int i = 0; i < nd; i++)
        if (to[i] < (value < 0 ? 0 : value) || to[i] > 1 << 20)
            return qi_nn_fail(b, QIAO_E_FORMAT, "%s is %d", name, to[i]);
    return true;
}
// Output size along dimension i, padding made if auto_pad asks for it.
static bool place(qi_build *b, window *w, int i, const char *how, bool ceil_mode) {
    int64_t size = w->size[i], s = w->s[i], span = (int64_t)w->d[i] * (w->k[i] - 1) + 1, out;
    if (!strncmp(how, "SAME_", 5)) {
        out = (size + s - 1) / s;
        int64_t pad = (out - 1) * s + span - size;
        if (pad < 0) pad = 0;
        w->before[i] = (int)(strcmp(how, "SAME_LOWER") ? pad / 2 : (pad + 1) / 2);
        w->after[i] = (int)(pad - w->before[i]);
    } else {
        int64_t free = size + w->before[i] + w->after[i] - span;
        if (free < 0)
            return qi_nn_fail(b, QIAO_E_FIT, "a window of %lld does not fit %lld", (long long)span,
                              (long long)(size + w->before[i] + w->after[i]));
        out = (ceil_mode ? (free + s - 1) / s : free / s) + 1;
        // the last window begins inside, or in the padding before
        if (ceil_mode && (out - 1) * s >= size + w->before[i]) out--;
    }
    w->out[i] = (int)out;
    return size > 0 || qi_nn_fail(b, QIAO_E_FIT, "of no numbers");
}
static bool read_window(qi_build *b, const qi_val *x, const int *kernel, window *w) {
    int nd = x->rank - 2, pads[4] = {0}, k[2], s[2], d[2];
    if (nd < 1 || nd > 2)
        return qi_nn_fail(b, QIAO_E_UNSUPPORTED, "of %d dimensions, supported are 1 and 2", nd);
    const char *how = qi_nn_attr_s(b, "auto_pad", "NOTSET");
    bool ceil_mode = qi_nn_attr_i(b, "ceil_mode", 0) != 0;
    bool given = qi_nn_attr_get(b, "kernel_shape", 7) != NULL;
    if (b->d.err || (!given && !kernel)) return qi_nn_fail(b, QIAO_E_FORMAT, "no kernel_shape");
    if (!each(b, "kernel_shape", nd, 1, k) && given) return false;
    for (int i = 0; i < nd && kernel; i++) {
        if (given && k[i] != kernel[i])
            return qi_nn_fail(b, QIAO_E_FIT, "kernel_shape is not that of the weights");
        k[i] = kernel[i];
        if (k[i] < 1 || k[i] > 1 << 20) return qi_nn_fail(b, QIAO_E_FIT, "a kernel of %d", k[i]);
    }
    if (!each(b, "strides", nd, 1, s) || !each(b, "dilations", nd, 1, d)) return false;
    int npads = qi_nn_attr_ints(b, "pads", pads, 4);
    if (npads == -2) return false;
    if (npads >= 0 && npads != 2 * nd) return qi_nn_fail(b, QIAO_E_FIT, "%d pads", npads);
    for (int i = 0; i < 4; i++)
        if (pads[i] < 0 || pads[i] > 1 << 20)
            return qi_nn_fail(b, QIAO_E_FORMAT, "pad %d", pads[i]);
    if (!strcmp(how, "VALID"))
        memset(pads, 0, sizeof pads);
    else if (strcmp(how, "NOTSET") && strcmp(how, "SAME_UPPER") && strcmp(how, "SAME_LOWER"))
        return qi_nn_fail(b, QIAO_E_FORMAT, "auto_pad is '%.20s'", how);
    *w = (window){.images = x->dim[0], .c = x->dim[1], .nd = nd};
    for (int i = 0; i < 2; i++) { // one dimension: the columns of a single row
        int from = i - (2 - nd);
        bool is = from >= 0;
        w->size[i] = is ? x->dim[2 + from] : 1, w->k[i] = is ? k[from] : 1;
        w->s[i] = is ? s[from] : 1, w->d[i] = is ? d[from] : 1;
        w->before[i] = is ? pads[from] : 0, w->after[i] = is ? pads[nd + from] : 0;
        if (!place(b, w, i, how, ceil_mode)) return false;
    }
    return true;
}
enum { NP = 19 };
static qi_val *window_step(qi_build *b, const window *w, int co, int groups, qi_step *s) {
    int dim[4] = {w->images, co, w->out[0], w->out[1]};
    if (w->nd == 1) dim[2] = w->out[1];
    qi_val *y = s ? qi_nn_new(b, QI_REAL, 2 + w->nd, dim) : NULL;
    if (!y) return NULL;
    int *p = s->p;
    p[0] = w->images, p[1] = w->c, p[2] = w->size[0], p[3] = w->size[1], p[4] = co;
    p[5] = w->out[0], p[6] = w->out[1], p[17] = groups;
    for (int i = 0; i < 2; i++) {
        int *q = p + 7 + 5 * i;
        q[0] = w->k[i], q[1] = w->s[i], q[2] = w->d[i], q[3] = w->before[i], q[4] = w->after[i];
    }
    s->y[0] = y;
    s->cost = (double)y->size * w->k[0] * w->k[1] * (w->c / (double)groups);
    return y;
}

static bool plan_conv(qi_build *b, int arg) {
    (void)arg;
    qi_val *x = qi_nn_in(b, 0), *w = qi_nn_in(b, 1), *bias = qi_nn_in(b, 2), *y;
    int groups = qi_nn_attr_i(b, "group", 1);
    window v;
    if (x->rank != w->rank || x->rank < 3) return qi_nn_fail(b, QIAO_E_FIT, "ranks do not fit");
    if (!w->data || (bias && !bias->data))
        return qi_nn_fail(b, QIAO_E_UNSUPPORTED, "weights must be constant");
    if (groups < 1 || x->dim[1] % groups || w->dim[0] % groups || x->dim[1] / groups != w->dim[1] ||
        (bias && bias->size != w->dim[0]) || !w->size)
        return qi_nn_fail(b, QIAO_E_FIT, "%d channels, %d weights of %d, %d groups", x->dim[1],
                          w->dim[0], w->dim[1], groups);
    if (!read_window(b, x, w->dim + 2, &v)) return false;
    int co = w->dim[0] / groups, len = w->size / w->dim[0];
    bool thin = co < 8;
    qi_step *s = thin ? qi_nn_step_new(b, &qi_core_conv_thin, 3, 1, NP, 0, 0)
                      : qi_nn_step_new(b, &qi_core_conv, 1, 1, NP, 0, groups);
    if (!(y = window_step(b, &v, w->dim[0], groups, s))) return false;
    s->x[0] = x;
    s->work = thin ? 0 : 48 * ((size_t)len + (size_t)co);
    if (thin) s->x[1] = w, s->x[2] = bias;
    for (int g = 0; g < groups && !thin; g++)
        s->d[g] = (qi_layer){.nin = len,
                             .nout = co,
                             .w = w->data + (size_t)g * (size_t)co * (size_t)len,
                             .transposed = true,
                             .bias = bias ? bias->data + g * co : NULL};
    return qi_nn_step_end(b, s) && qi_nn_out(b, 0, y);
}
const qi_op qi_ops_conv[] = {{"Conv", plan_conv, 0, 2, 3, 1, 0}, {0}};

static bool plan_pool(qi_build *b, int mean) {
    qi_val *x = qi_nn_in(b, 0), *y;
    window v;
    if (b->node->nout > 1 && *b->node->out[1])
        return qi_nn_fail(b, QIAO_E_UNSUPPORTED, "indices are not supported");
    if (!read_window(b, x, NULL, &v)) return false;
    qi_step *s = qi_nn_step_new(b, &qi_core_pool, 1, 1, NP, 0, 0);
    if (!(y = window_step(b, &v, v.c, 1, s))) return false;
    s->cost = (double)y->size * v.k[0] * v.k[1];
    s->p[18] = mean ? 1 + (qi_nn_attr_i(b, "count_include_pad", 0) != 0) : 0;
    s->x[0] = x;
    return qi_nn_step_end(b, s) && qi_nn_out(b, 0, y);
}
const qi_op qi_ops_pool[] = {
    {"MaxPool", plan_pool, 0, 1, 1, 2, 0}, {"AveragePool", plan_pool, 1, 1, 1, 1, 0}, {0}};
