// SPDX-License-Identifier: Apache-2.0
// test_nn_policies.c - the makers' policies: read, alone and in batches the same bits, in all number
// types. Whether they answer as ONNX Runtime does: tests/python/test_nn.py.

#include "qiao/nn.h"
#include "test.h"

static const char *const POLICY[] = {
    "mujoco_playground/sim2sim/go1_policy.onnx",
    "mujoco_playground/sim2sim/leap_reorient_policy.onnx",
    "limx/PF_TRON1A/policy/isaacgym/encoder.onnx",
    "limx/PF_TRON1A/policy/isaacgym/policy.onnx",
    "limx/PF_TRON1A/policy/isaaclab/encoder.onnx",
    "limx/PF_TRON1A/policy/isaaclab/policy.onnx",
    "limx/HU_D04/walk/policy/default/policy.onnx",
    "unitree/g1_29dof/policy.onnx",
};
enum { NPOLICY = sizeof POLICY / sizeof *POLICY, N = 101 };
static const int SIZE[NPOLICY][2] = {{48, 12}, {57, 16}, {300, 3},  {36, 6},
                                     {300, 3}, {36, 6},  {510, 31}, {480, 29}};

static uint32_t seed = 7;
static float rnd(void) {
    seed = seed * 1664525u + 1013904223u;
    return (float)(seed >> 8) * 0x1p-23f - 1;
}
static void *get(size_t n) {
    void *p = aligned_alloc(64, (n + 127) / 64 * 64);
    if (!p) abort();
    return memset(p, 255, (n + 127) / 64 * 64); // not-a-number where nothing is written
}

static void one_policy(int k, qiao_nn_type type) {
    char path[1000];
    qiao_diag d = {0};
    snprintf(path, sizeof path, "%s/%s", test_data(), POLICY[k]);
    qiao_nn *nn = qiao_nn_load(path, type, &d);
    CHECK(nn, "%s", d.text);
    CHECK(qiao_nn_inputs(nn) == 1 && qiao_nn_outputs(nn) == 1, "%s", POLICY[k]);
    int nin = qiao_nn_input(nn, 0)->size, nout = qiao_nn_output(nn, 0)->size;
    CHECK(nin == SIZE[k][0] && nout == SIZE[k][1], "%s: %d to %d", POLICY[k], nin, nout);
    float *x = get(sizeof(float) * (size_t)(N * nin)), *y = get(sizeof(float) * (size_t)(N * nout));
    float *z = get(sizeof(float) * (size_t)nout);
    for (int i = 0; i < N * nin; i++) x[i] = rnd();
    void *work = get(qiao_nn_work(nn, N));
    CHECK(qiao_nn_run(nn, N, (const float *[]){x}, (float *[]){y}, work) == QIAO_OK, "%s", path);
    free(work);
    work = get(qiao_nn_work(nn, 1));
    for (int i = 0; i < N; i++) {
        qiao_err e = qiao_nn_run(nn, 1, (const float *[]){x + i * nin}, (float *[]){z}, work);
        CHECK(e == QIAO_OK && !memcmp(z, y + i * nout, sizeof(float) * (size_t)nout),
              "%s: item %d alone is not as in the batch", POLICY[k], i);
    }
    free(work), free(x), free(y), free(z);
    qiao_nn_free(nn);
}
// The largest difference from float32, in parts of the largest output.
static double far_from_float32(int k, qiao_nn_type type) {
    char path[1000];
    snprintf(path, sizeof path, "%s/%s", test_data(), POLICY[k]);
    double off = 0, top = 0;
    float *y[2];
    for (int t = 0; t < 2; t++) {
        qiao_diag d = {0};
        qiao_nn *nn = qiao_nn_load(path, t ? type : QIAO_NN_F32, &d);
        CHECK(nn, "%s", d.text);
        float *x = get(sizeof(float) * (size_t)(N * SIZE[k][0]));
        y[t] = get(sizeof(float) * (size_t)(N * SIZE[k][1]));
        seed = 11;
        for (int i = 0; i < N * SIZE[k][0]; i++) x[i] = rnd();
        void *work = get(qiao_nn_work(nn, N));
        CHECK(!qiao_nn_run(nn, N, (const float *[]){x}, (float *[]){y[t]}, work), "%s", path);
        free(work), free(x), qiao_nn_free(nn);
    }
    for (int i = 0; i < N * SIZE[k][1]; i++) {
        off = fmax(off, fabs((double)y[1][i] - (double)y[0][i]));
        top = fmax(top, fabs((double)y[0][i]));
    }
    free(y[0]), free(y[1]);
    return off / top;
}
TEST(smaller_weights_stay_near) {
    if (!test_data()) SKIP("the makers' policies are not there (QIAO_DATA)");
    for (int k = 0; k < NPOLICY; k++) {
        double b = far_from_float32(k, QIAO_NN_BF16), i = far_from_float32(k, QIAO_NN_I8);
        CHECK(b > 0 && b < 0.05, "%s: bfloat16 off by %.3g", POLICY[k], b);
        CHECK(i > 0 && i < 0.15, "%s: int8 off by %.3g", POLICY[k], i);
    }
}
TEST(policies_alone_and_in_batches) {
    if (!test_data()) SKIP("the makers' policies are not there (QIAO_DATA)");
    for (int k = 0; k < NPOLICY; k++)
        for (int t = 0; t < 3; t++) one_policy(k, (qiao_nn_type)t);
}
