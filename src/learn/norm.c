// SPDX-License-Identifier: Apache-2.0
// norm.c - running mean and variance of inputs.
#include "learn/env.h"

#include <math.h>
#include <string.h>

// Columns at a time: their numbers stay in registers and near while the rows pass.
enum { SOME = 8, NEAR = 64 };

void qi_norm_apply(const qi_norm *o, const float *in, int ld, int rows, float *out) {
    if (!o) {
        memcpy(out, in, (size_t)rows * (size_t)ld * sizeof *in);
        return;
    }
    for (int at = 0; at < o->n; at += NEAR) {
        float mean[NEAR], by[NEAR];
        int n = o->n - at < NEAR ? o->n - at : NEAR;
        for (int k = 0; k < n; k++) {
            mean[k] = (float)o->mean[at + k];
            by[k] = (float)(1 / sqrt(o->var[at + k] + 1e-4));
        }
        const float *x = in + at;
        float *y = out + at;
        for (int i = 0; i < rows; i++, x += ld, y += ld) {
            int k = 0;
            for (; k + 4 <= n; k += 4) {
                typedef float four __attribute__((vector_size(16)));
                typedef int32_t mask __attribute__((vector_size(16)));
                four v, m, b, top = {10, 10, 10, 10};
                memcpy(&v, x + k, 16), memcpy(&m, mean + k, 16), memcpy(&b, by + k, 16);
                v = (v - m) * b;
                mask over = v > top, under = v < -top;
                v = (four)(((mask)v & ~(over | under)) | ((mask)top & over) | ((mask)-top & under));
                memcpy(y + k, &v, 16);
            }
            for (; k < n; k++) {
                float v = (x[k] - mean[k]) * by[k];
                y[k] = v < -10 ? -10 : v > 10 ? 10 : v;
            }
        }
    }
}

// Sums of n columns and of their squares over the rows, less the first row's.
static void add_up(const float *x, int ld, size_t rows, int n, double s[SOME], double q[SOME]) {
    double shift[SOME];
    for (int k = 0; k < n; k++) shift[k] = x[k], s[k] = q[k] = 0;
    for (size_t i = 0; i < rows; i++, x += ld)
        for (int k = 0; k < n; k++) {
            double v = x[k] - shift[k];
            s[k] += v, q[k] += v * v;
        }
}

void qi_norm_see_columns(qi_norm *o, const float *x, int ld, size_t rows, int from, int to) {
    double count = (double)rows, total = o->count + count;
    for (int at = from; at < to; at += SOME) {
        double s[SOME], q[SOME];
        int n = to - at < SOME ? to - at : SOME;
        if (n == SOME)
            add_up(x + at, ld, rows, SOME, s, q); // the compiler knows how many
        else
            add_up(x + at, ld, rows, n, s, q);
        for (int j = 0; j < n; j++) {
            int k = at + j;
            double mean = x[k] + s[j] / count, var = q[j] / count - s[j] / count * (s[j] / count);
            double off = mean - o->mean[k], mixed = off * off * o->count * count / total;
            o->var[k] = o->count == 0 ? var : (o->var[k] * o->count + var * count + mixed) / total;
            o->mean[k] += off * count / total;
        }
    }
}

void qi_norm_see(qi_norm *o, const float *x, int ld, size_t rows) {
    qi_norm_see_columns(o, x, ld, rows, 0, o->n);
    o->count += (double)rows;
}
