// SPDX-License-Identifier: Apache-2.0
// kern.c - dense layers packed for the kernels, and which instance this processor takes.

#include "nn/kern.h"

#include "base/lane_math.h"
#include "nn/kern_ops.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

extern const qi_kern_ops qi_kern_f4;
#ifdef __x86_64__
extern const qi_kern_ops qi_kern_f8_avx2, qi_kern_f16_avx512, qi_kern_vnni_avx512,
    qi_kern_bf16_avx512;
int qi_cpu_avx512bw(void) { return qi_cpu_avx512() && __builtin_cpu_supports("avx512bw"); }
int qi_cpu_vnni(void) { return qi_cpu_avx512bw() && __builtin_cpu_supports("avx512vnni"); }
int qi_cpu_bf16(void) { return qi_cpu_avx512bw() && __builtin_cpu_supports("avx512bf16"); }
#endif

const qi_kern_ops *const qi_kern_all[] = {
#ifdef __x86_64__
    &qi_kern_bf16_avx512, &qi_kern_vnni_avx512, &qi_kern_f16_avx512, &qi_kern_f8_avx2,
#endif
    &qi_kern_f4,
};
const int qi_kern_nall = sizeof qi_kern_all / sizeof *qi_kern_all;

static size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }
static int padded(int nout) { return (int)round_up((size_t)nout, 16); }
static int inputs_of(qiao_nn_type type) { // of one word
    return type == QIAO_NN_F32 ? 1 : type == QIAO_NN_BF16 ? 2 : 4;
}
static int steps_of(qiao_nn_type type, int nin) {
    return (int)round_up((size_t)nin, (size_t)inputs_of(type)) / inputs_of(type);
}

size_t qi_dense_size(qiao_nn_type type, int nin, int nout) {
    size_t np = (size_t)padded(nout), row = round_up(np * 4, 64);
    return round_up(sizeof(qi_dense), 64) + 3 * row + (size_t)steps_of(type, nin) * np * 4;
}
size_t qi_dense_work(const qi_dense *l, int n) {
    if (l->type == QIAO_NN_F32) return 0;
    size_t rows = (size_t)(n < QI_KERN_ROWS ? n : QI_KERN_ROWS);
    return 64 + rows * round_up((size_t)l->nstep * 4 + 64, 64);
}

// Nearest bfloat16, as in to_bf16 of nn/kern_text.inc.
static uint16_t bf16_of(float x) {
    uint32_t m;
    memcpy(&m, &x, sizeof m);
    if (x != x) return (uint16_t)(m >> 16 | 0x40);
    if (fabsf(x) < 0x1p-48f) return 0;
    if (fabsf(x) >= 0x1p60f) return (uint16_t)((m >> 16 & 0x8000) | 0x7f80);
    return (uint16_t)((m + 0x7fff + (m >> 16 & 1)) >> 16);
}

typedef struct weights {
    const float *w;
    int nin, nout;
    bool transposed;
} weights;
static float weight(const weights *w, int k, int j) {
    if (k >= w->nin || j >= w->nout) return 0;
    return w->transposed ? w->w[(size_t)j * (size_t)w->nin + (size_t)k]
                         : w->w[(size_t)k * (size_t)w->nout + (size_t)j];
}

// Where the word of output j at step k lies.
static uint32_t *word_at(const qi_dense *l, int k, int j) {
    int wide = j < l->nwide * 32 ? 32 : 16, p = j / 32 * 32;
    return l->w + (size_t)l->nstep * (size_t)p + (size_t)k * (size_t)wide + (j - p);
}
uint32_t qi_dense_weight(const qi_dense *l, int k, int j) {
    int in = inputs_of(l->type), bits = 32 / in;
    uint32_t word = *word_at(l, k / in, j) >> (k % in * bits);
    return bits == 32 ? word : word & ((1u << bits) - 1);
}
static void pack_i8(qi_dense *l, const weights *w, int j, int most) {
    float top = 0;
    bool finite = true;
    for (int k = 0; k < w->nin; k++) {
        float a = fabsf(weight(w, k, j));
        if (!(a < INFINITY)) finite = false;
        if (a > top) top = a;
    }
    float up = finite && top >= 0x1p-100f ? (float)most / top : 0;
    int32_t sum = 0;
    for (int k = 0; k < l->nstep; k++) {
        uint32_t word = 0;
        for (int i = 0; i < 4; i++) {
            float v = up > 0 ? weight(w, 4 * k + i, j) * up : 0;
            int q = (int)rintf(v);
            q = q > most ? most : q < -most ? -most : q;
            sum += q;
            word |= (uint32_t)(q & 255) << (8 * i);
        }
        *word_at(l, k, j) = word;
    }
    l->scale[j] = finite ? top / (float)most : NAN;
    l->offset[j] = (int32_t)((uint32_t)sum * 128u);
}

qi_dense *qi_dense_init(void *mem, qiao_nn_type type, int nin, int nout, const float *w,
                        bool transposed, const float *bias, qi_act act, float alpha) {
    size_t np = (size_t)padded(nout), row = round_up(np * 4, 64);
    memset(mem, 0, qi_dense_size(type, nin, nout));
    qi_dense *l = mem;
    *l = (qi_dense){.op = qi_kern_best(type), .type = type, .act = act, .alpha = alpha};
    l->nin = nin, l->nout = nout, l->nstep = steps_of(type, nin);
    l->nwide = (int)np / 32, l->ntail = (int)np % 32 / 16;
    char *at = (char *)mem + round_up(sizeof *l, 64);
    l->bias = (float *)(void *)at, l->scale = (float *)(void *)(at + row);
    l->offset = (int32_t *)(void *)(at + 2 * row), l->w = (uint32_t *)(void *)(at + 3 * row);
    if (bias) memcpy(l->bias, bias, (size_t)nout * sizeof *bias);
    weights from = {w, nin, nout, transposed};
    // so that 127 most nin stays below 2^31
    int most = nin <= 131072 ? 127 : (int)(INT32_MAX / 127 / (int64_t)nin);
    for (int j = 0; j < nout; j++) {
        if (type == QIAO_NN_I8) pack_i8(l, &from, j, most < 1 ? 1 : most);
        if (type == QIAO_NN_I8) continue;
        for (int k = 0; k < l->nstep; k++) {
            if (type == QIAO_NN_F32) {
                float v = weight(&from, k, j);
                memcpy(word_at(l, k, j), &v, sizeof v);
            } else
                *word_at(l, k, j) = (uint32_t)bf16_of(weight(&from, 2 * k, j)) |
                                    (uint32_t)bf16_of(weight(&from, 2 * k + 1, j)) << 16;
        }
    }
    return l;
}

void qi_dense_use(qi_dense *l, const qi_kern_ops *op) { l->op = op; }
void qi_dense_run(const qi_dense *l, int n, const float *x, int ldx, float *y, int ldy,
                  void *work) {
    l->op->dense(l, n, x, ldx, y, ldy, work);
}

// The processor's dot product of bfloat16 is not IEEE's by name, so it is tried before it is
// taken: sums of pairs that tell the order and the roundings, against the plain instance.
static bool same_bits(const qi_kern_ops *op) {
    enum { NIN = 64, NOUT = 32 };
    static float w[NIN * NOUT];
    static _Alignas(64) char mem[64 * 1024], work[8192];
    float x[NIN], y[2][NOUT];
    if (qi_dense_size(QIAO_NN_BF16, NIN, NOUT) > sizeof mem) return false;
    uint32_t s = 12345;
    for (int i = 0; i < NIN * NOUT + NIN; i++) {
        s = s * 1664525u + 1013904223u;
        float v = ((float)(s >> 8) * 0x1p-24f - 0.5f) * (s & 0x4000000 ? 1.0f : 37.0f);
        *(i < NIN * NOUT ? &w[i] : &x[i - NIN * NOUT]) = v;
    }
    qi_dense *l = qi_dense_init(mem, QIAO_NN_BF16, NIN, NOUT, w, false, NULL, QI_ACT_NONE, 0);
    op->dense(l, 1, x, NIN, y[0], NOUT, work);
    qi_kern_f4.dense(l, 1, x, NIN, y[1], NOUT, work);
    return memcmp(y[0], y[1], sizeof y[0]) == 0;
}

static const qi_kern_ops *best[3] = {&qi_kern_f4, &qi_kern_f4, &qi_kern_f4};
static bool bf16_same;
const qi_kern_ops *qi_kern_best(qiao_nn_type type) { return best[type]; }
bool qi_kern_can(const qi_kern_ops *op, qiao_nn_type type) {
    if (!(op->types >> type & 1) || !op->usable()) return false;
#ifdef __x86_64__
    if (op == &qi_kern_bf16_avx512) return bf16_same;
#endif
    return true;
}
__attribute__((constructor)) static void choose(void) {
#ifdef __x86_64__
    __builtin_cpu_init();
    bf16_same = qi_cpu_bf16() && same_bits(&qi_kern_bf16_avx512);
#endif
    for (int t = 0; t < 3; t++)
        for (int i = qi_kern_nall; i-- > 0;)
            if (qi_kern_can(qi_kern_all[i], (qiao_nn_type)t)) best[t] = qi_kern_all[i];
}

void qi_act_run(qi_act act, float alpha, const float *x, float *y, size_t n) {
    best[QIAO_NN_F32]->act(act, alpha, x, y, n);
}
