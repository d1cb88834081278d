// SPDX-License-Identifier: Apache-2.0
// Whatever bytes stand in an ONNX file: read, and run if it is small. Alone and in a batch must give
// the same bits, and nothing may be written beside the outputs.
#include "nn/plan.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum { N = 3, MOST = 1 << 22 };

static void *get(size_t n) { // exactly as long as it is
    void *p = aligned_alloc(64, (n + 63) / 64 * 64 + 64);
    if (!p) abort();
    return memset(p, 1, (n + 63) / 64 * 64 + 64);
}
static void run(const qiao_nn *nn) {
    int nx = nn->nin, ny = nn->nout;
    size_t all = qiao_nn_work(nn, N);
    for (int i = 0; i < nx; i++) all += 4 * N * (size_t)nn->in[i].size;
    for (int i = 0; i < ny; i++) all += 8 * N * (size_t)nn->out[i].size;
    if (all > MOST || nn->cost > 1e6) return;
    const float **x = calloc((size_t)nx + 1, sizeof *x), **xi = calloc((size_t)nx + 1, sizeof *x);
    float **y = calloc((size_t)ny + 1, sizeof *y), **z = calloc((size_t)ny + 1, sizeof *y);
    if (!x || !xi || !y || !z) abort();
    for (int i = 0; i < nx; i++) {
        size_t n = (size_t)nn->in[i].size;
        float *p = malloc(4 * N * n + 1);
        if (!p) abort();
        for (size_t k = 0; k < N * n; k++) p[k] = (float)((k * 37 + 11) % 29) * 0.25f - 3;
        x[i] = p;
    }
    for (int i = 0; i < ny; i++) {
        y[i] = malloc(4 * N * (size_t)nn->out[i].size + 1);
        z[i] = malloc(4 * (size_t)nn->out[i].size + 1);
        if (!y[i] || !z[i]) abort();
    }
    void *work = get(qiao_nn_work(nn, N)), *one = get(qiao_nn_work(nn, 1));
    qiao_nn_run(nn, N, x, y, work);
    for (int k = 0; k < N; k++) {
        for (int i = 0; i < nx; i++) xi[i] = x[i] + (size_t)k * (size_t)nn->in[i].size;
        qiao_nn_run(nn, 1, xi, z, one);
        for (int i = 0; i < ny; i++) {
            size_t n = (size_t)nn->out[i].size;
            for (size_t j = 0; j < n; j++) { // bits, but for those of what is not a number
                float a = y[i][(size_t)k * n + j], b = z[i][j];
                if (memcmp(&a, &b, sizeof a) && (a == a || b == b)) abort();
            }
        }
    }
    for (int i = 0; i < nx; i++) free((void *)(uintptr_t)x[i]);
    for (int i = 0; i < ny; i++) free(y[i]), free(z[i]);
    free(x), free(xi), free(y), free(z), free(work), free(one);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    qiao_diag d = {0};
    uint8_t *own = malloc(bytes + 1);
    if (!own) return 0;
    if (bytes) memcpy(own, data, bytes);
    qiao_nn *nn = qiao_nn_read(own, bytes, "fuzz.onnx", NULL, (qiao_nn_type)(bytes % 3), &d);
    if (!nn != (d.err != QIAO_OK) || (!nn && !d.text[0])) abort();
    free(own); // the network keeps nothing of it
    if (nn) run(nn);
    qiao_nn_free(nn);
    return 0;
}
