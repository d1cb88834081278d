// SPDX-License-Identifier: Apache-2.0
// norm.c - running mean and variance of inputs.
#include "learn/env.h"

#include <math.h>
#include <string.h>

void qi_norm_apply(const qi_norm *o, const float *in, int ld, int rows, float *out) {
    if (!o) {
        memcpy(out, in, (size_t)rows * (size_t)ld * sizeof *in);
        return;
    }
    for (int i = 0; i < rows; i++, in += ld, out += ld)
        for (int k = 0; k < o->n; k++) {
            double x = (in[k] - o->mean[k]) / sqrt(o->var[k] + 1e-4);
            out[k] = (float)(x < -10 ? -10 : x > 10 ? 10 : x);
        }
}

void qi_norm_see(qi_norm *o, const float *x, int ld, size_t rows) {
    double count = (double)rows, total = o->count + count;
    for (int k = 0; k < o->n; k++) {
        double s = 0, q = 0, shift = x[k];
        for (size_t i = 0; i < rows; i++) {
            double v = x[i * (size_t)ld + (size_t)k] - shift;
            s += v, q += v * v;
        }
        double mean = shift + s / count, var = q / count - s / count * (s / count);
        double off = mean - o->mean[k], mixed = off * off * o->count * count / total;
        o->var[k] = o->count == 0 ? var : (o->var[k] * o->count + var * count + mixed) / total;
        o->mean[k] += off * count / total;
    }
    o->count = total;
}
