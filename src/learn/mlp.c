// SPDX-License-Identifier: Apache-2.0
// mlp.c - shapes of networks, their start, and which instance of the text this processor takes.
#include "learn/mlp.h"

#include "base/lane_math.h"
#include "nn/kern_ops.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

extern const qi_mlp_ops qi_mlp_f4, qi_mlp_d1;
#ifdef __x86_64__
extern const qi_mlp_ops qi_mlp_f16_dot, qi_mlp_f16_avx512, qi_mlp_f8_avx2;
#endif
const qi_mlp_ops *const qi_mlp_all[] = {
#ifdef __x86_64__
    &qi_mlp_f16_dot, &qi_mlp_f16_avx512, &qi_mlp_f8_avx2,
#endif
    &qi_mlp_f4,      &qi_mlp_d1,
};
const int qi_mlp_nall = sizeof qi_mlp_all / sizeof *qi_mlp_all;

int qi_cpu_fma(void) {
#ifdef __x86_64__
    return qi_cpu_avx2() && __builtin_cpu_supports("fma");
#else
    return 0;
#endif
}

// The processor's dot product of bfloat16 is tried before it is taken: sums that tell the order and
// the roundings, against the plain instance.
int qi_cpu_dot(void) {
#ifdef __x86_64__
    enum { NIN = 64, ROWS = 2 };
    if (!qi_cpu_bf16()) return 0;
    int size[2] = {NIN, QI_MLP_PAD};
    qi_mlp n = qi_mlp_make(QI_MLP_RELU, 1, size);
    float param[(NIN + 1) * QI_MLP_PAD], x[ROWS * NIN], y[2][ROWS * QI_MLP_PAD];
    uint32_t packed[NIN * QI_MLP_PAD], half[ROWS * NIN / 2], held[(ROWS + 1) * (NIN + QI_MLP_PAD)],
        s = 12345;
    float scratch[NIN * (NIN + 2 * ROWS + 32)];
    for (int i = 0; i < (NIN + 1) * QI_MLP_PAD + ROWS * NIN; i++) {
        s = s * 1664525u + 1013904223u;
        float v = ((float)(s >> 8) * 0x1p-24f - 0.5f) * (s & 0x40 ? 1.0f : 37.0f);
        *(i < ROWS * NIN ? &x[i] : &param[i - ROWS * NIN]) = v;
    }
    const qi_mlp_ops *op[2] = {&qi_mlp_f16_dot, &qi_mlp_f4};
    for (int k = 0; k < 2; k++) {
        op[k]->pack(&n, param, packed);
        op[k]->to_half(ROWS * NIN, x, half);
        op[k]->forward_half(&n, param, packed, ROWS, half, held, y[k], scratch);
    }
    return memcmp(y[0], y[1], sizeof y[0]) == 0;
#else
    return 0;
#endif
}

const qi_mlp_ops *qi_mlp_best(void) {
    for (int i = 0; i < qi_mlp_nall; i++)
        if (!qi_mlp_all[i]->f64 && qi_mlp_all[i]->usable()) return qi_mlp_all[i];
    return &qi_mlp_f4;
}

qi_mlp qi_mlp_make(qi_mlp_act act, int nlayer, const int *size) {
    qi_mlp n = {.act = act, .nlayer = nlayer};
    for (int l = 0; l <= nlayer; l++) {
        n.size[l] = size[l], n.ld[l] = qi_mlp_pad(size[l]);
        if (n.ld[l] > n.widest) n.widest = n.ld[l];
    }
    for (int l = 0; l < nlayer; l++) {
        n.w[l] = n.nparam, n.nparam += (size_t)size[l] * (size_t)n.ld[l + 1];
        n.b[l] = n.nparam, n.nparam += (size_t)n.ld[l + 1];
    }
    return n;
}

qi_mlp qi_mlp_hidden(qi_mlp_act act, int nin, int nhidden, const int *hidden, int nout) {
    int size[QI_MLP_LAYERS + 1] = {nin};
    for (int i = 0; i < nhidden; i++) size[i + 1] = hidden[i];
    size[nhidden + 1] = nout;
    return qi_mlp_make(act, nhidden + 1, size);
}

size_t qi_mlp_row(const qi_mlp *n) {
    size_t sum = 0;
    for (int l = 0; l <= n->nlayer; l++) sum += (size_t)n->ld[l];
    return sum;
}
size_t qi_mlp_scratch(const qi_mlp *n, int rows) {
    return (size_t)n->widest * ((size_t)n->widest + 2 * (size_t)rows + 32);
}
size_t qi_mlp_packed(const qi_mlp *n) {
    size_t sum = 0;
    for (int l = 0; l < n->nlayer; l++) sum += (size_t)n->ld[l] * (size_t)n->ld[l + 1];
    return sum;
}
size_t qi_mlp_held(const qi_mlp *n, int rows) { return qi_mlp_row(n) * (size_t)(rows + 1); }

// Rows of q [k][n], k <= n, made orthonormal one after the other (Gram and Schmidt, twice).
static void orthonormal(double *q, int k, int n) {
    for (int i = 0; i < k; i++) {
        double *v = q + (size_t)i * (size_t)n;
        for (int pass = 0; pass < 2; pass++)
            for (int j = 0; j < i; j++) {
                const double *u = q + (size_t)j * (size_t)n;
                double s = 0;
                for (int c = 0; c < n; c++) s += u[c] * v[c];
                for (int c = 0; c < n; c++) v[c] -= s * u[c];
            }
        double s = 0;
        for (int c = 0; c < n; c++) s += v[c] * v[c];
        for (int c = 0; c < n; c++) v[c] /= sqrt(s);
    }
}

void qi_mlp_start(const qi_mlp *n, const qiao_rng *r, double last_gain, float *param) {
    memset(param, 0, n->nparam * sizeof *param);
    for (int l = 0; l < n->nlayer; l++) {
        int in = n->size[l], out = n->size[l + 1], k = in < out ? in : out, m = in < out ? out : in;
        double *q = malloc((size_t)k * (size_t)m * sizeof *q);
        if (!q) return;
        for (int i = 0; i < k * m; i++) q[i] = qiao_rng_normal(r, (uint64_t)l, (uint32_t)i);
        orthonormal(q, k, m);
        double gain = l + 1 < n->nlayer ? 1.4142135623730951 : last_gain;
        for (int i = 0; i < in; i++)
            for (int j = 0; j < out; j++)
                param[n->w[l] + (size_t)i * (size_t)n->ld[l + 1] + (size_t)j] =
                    (float)(gain * (in < out ? q[(size_t)i * (size_t)m + (size_t)j]
                                             : q[(size_t)j * (size_t)m + (size_t)i]));
        free(q);
    }
}
