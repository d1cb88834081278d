// SPDX-License-Identifier: Apache-2.0
// test_nn_ops.c - every operator against numbers made by hand or from its formula in double.
#include "qiao/nn.h"
#include "test.h"
#include "nn_file.h"

typedef struct line {
    int opset;
    const char *op, *attrs, *in, *out; // outputs: "[2] 1 2 | [1] 3"
} line;

static const line LINE[] = {
    {13, "Relu", "", "x[3] -1 0 2", "[3] 0 0 2"},
    {13, "LeakyRelu", "alpha=0.5f", "x[2] -1 2", "[2] -0.5 2"},
    {13, "Elu", "alpha=2f", "x[2] -1 2", "[2] -1.264241118 2"},
    {13, "Selu", "", "x[2] -1 2", "[2] -1.111330737 2.101401961"},
    {13, "Celu", "alpha=2f", "x[2] -1 2", "[2] -0.786938681 2"},
    {13, "Sigmoid", "", "x[3] -2 0 2", "[3] 0.119202922 0.5 0.880797078"},
    {13, "Tanh", "", "x[3] -1 0 3", "[3] -0.761594156 0 0.995054754"},
    {13, "Softplus", "", "x[2] -1 30", "[2] 0.313261688 30"},
    {13, "Softsign", "", "x[2] -1 3", "[2] -0.5 0.75"},
    {20, "Gelu", "", "x[3] -1 0 2", "[3] -0.158655254 0 1.954499736"},
    {20, "Gelu", "approximate=tanh", "x[2] -1 2", "[2] -0.158808009 1.954597694"},
    {13, "HardSigmoid", "alpha=0.5f beta=0.25f", "x[3] -1 0.5 9", "[3] 0 0.5 1"},
    {14, "HardSwish", "", "x[3] -4 1 4", "[3] 0 0.666666667 4"},
    {18, "Mish", "", "x[2] -1 2", "[2] -0.303401461 1.943958994"},
    {13, "ThresholdedRelu", "alpha=1f", "x[2] 0.5 2", "[2] 0 2"},
    {13, "Shrink", "lambd=1f bias=0.5f", "x[3] -2 0.5 2", "[3] -1.5 0 1.5"},
    {13, "PRelu", "", "x[1,2] -2 -2; c[2] 0.5 0.25", "[1,2] -1 -0.5"},
    {13, "Exp", "", "x[2] -1 1", "[2] 0.367879441 2.718281828"},
    {13, "Log", "", "x[2] 0.5 9", "[2] -0.693147181 2.197224577"},
    {13, "Sqrt", "", "x[2] 2 9", "[2] 1.414213562 3"},
    {13, "Reciprocal", "", "x[2] 2 -4", "[2] 0.5 -0.25"},
    {13, "Abs", "", "x[2] -2 3", "[2] 2 3"},
    {13, "Neg", "", "x[2] -2 3", "[2] 2 -3"},
    {13, "Sign", "", "x[3] -2 0 3", "[3] -1 0 1"},
    {13, "Floor", "", "x[3] -1.5 2 2.5", "[3] -2 2 2"},
    {13, "Ceil", "", "x[3] -1.5 2 2.5", "[3] -1 2 3"},
    {13, "Round", "", "x[4] -1.5 0.5 2.5 2.6", "[4] -2 0 2 3"},
    {13, "Sin", "", "x[2] 1 -2", "[2] 0.841470985 -0.909297427"},
    {13, "Cos", "", "x[2] 1 -2", "[2] 0.540302306 -0.416146837"},
    {13, "Tan", "", "x[2] 1 -1", "[2] 1.557407725 -1.557407725"},
    {13, "Asin", "", "x[2] 0.5 -1", "[2] 0.523598776 -1.570796327"},
    {13, "Acos", "", "x[2] 0.5 -1", "[2] 1.047197551 3.141592654"},
    {13, "Atan", "", "x[2] 1 -9", "[2] 0.785398163 -1.460139106"},
    {13, "Sinh", "", "x[2] 1 -2", "[2] 1.175201194 -3.626860408"},
    {13, "Cosh", "", "x[2] 1 -2", "[2] 1.543080635 3.762195691"},
    {13, "Erf", "", "x[2] 0.5 -2", "[2] 0.520499878 -0.995322265"},
    {13, "Not", "", "z[2] 0 1", "[2] 1 0"},
    {13, "IsNaN", "", "x[2] 0 1", "[2] 0 0"},
    {13, "Add", "", "x[2,2] 1 2 3 4; c[2] 10 20", "[2,2] 11 22 13 24"},
    {13, "Sub", "", "x[2] 1 2; x[2,1] 10 20", "[2,2] -9 -8 -19 -18"},
    {13, "Mul", "", "x[2] 2 3; c 4", "[2] 8 12"},
    {13, "Div", "", "x[2] 2 3; c 4", "[2] 0.5 0.75"},
    {13, "Div", "", "y[3] 7 -7 9; i 2", "[3] 3 -3 4"},
    {13, "Pow", "", "x[3] -2 4 9; c[3] 3 -0.5 0", "[3] -8 0.5 1"},
    {13, "Mod", "", "y[4] 7 -7 7 -7; i[4] 3 3 -3 -3", "[4] 1 2 -2 -1"},
    {13, "Mod", "fmod=1", "x[2] 5.5 -5.5; c 2", "[2] 1.5 -1.5"},
    {13, "Equal", "", "x[2] 1 2; c 2", "[2] 0 1"},
    {13, "Less", "", "x[3] 1 2 3; c 2", "[3] 1 0 0"},
    {13, "LessOrEqual", "", "x[3] 1 2 3; c 2", "[3] 1 1 0"},
    {13, "Greater", "", "x[3] 1 2 3; c 2", "[3] 0 0 1"},
    {13, "GreaterOrEqual", "", "x[3] 1 2 3; c 2", "[3] 0 1 1"},
    {13, "And", "", "z[4] 0 0 1 1; b[4] 0 1 0 1", "[4] 0 0 0 1"},
    {13, "Or", "", "z[4] 0 0 1 1; b[4] 0 1 0 1", "[4] 0 1 1 1"},
    {13, "Xor", "", "z[4] 0 0 1 1; b[4] 0 1 0 1", "[4] 0 1 1 0"},
    {13, "Sum", "", "x[2] 1 2; x[2] 3 4; c 1", "[2] 5 7"},
    {13, "Mean", "", "x[2] 1 2; x[2] 3 4", "[2] 2 3"},
    {13, "Min", "", "x[2] 1 5; x[2] 3 4", "[2] 1 4"},
    {13, "Max", "", "x[2] 1 5; x[2] 3 4", "[2] 3 5"},
    {13, "Where", "", "z[2,1] 1 0; x[2] 1 2; c[2] 8 9", "[2,2] 1 2 8 9"},
    {13, "Clip", "", "x[3] -2 0 2; c -1; c 1", "[3] -1 0 1"},
    {13, "Clip", "", "x[3] -2 0 2; x -1", "[3] -1 0 2"},
    {13, "Cast", "to=7", "x[3] -1.7 0.2 1.7", "[3] -1 0 1"},
    {13, "Cast", "to=9", "x[2] 0.5 0", "[2] 1 0"},
    {13, "Cast", "to=10", "x[2] 1.0001 70000", "[2] 1 inf"},
    {13, "MatMul", "", "x[1,2] 1 2; c[2,3] 1 2 3 4 5 6", "[1,3] 9 12 15"},
    {13, "MatMul", "", "x[2] 1 2; c[2,3] 1 2 3 4 5 6", "[3] 9 12 15"},
    {13, "MatMul", "", "x[2,1,2] 1 2 3 4; x[2,1] 5 6", "[2,1,1] 17 39"},
    {13, "Gemm", "alpha=2f beta=3f transB=1", "x[1,2] 1 2; c[2,2] 1 2 3 4; c[2] 1 1",
     "[1,2] 13 25"},
    {13, "Gemm", "transA=1", "x[2,1] 1 2; x[2,1] 3 4; x[1] 1", "[1,1] 12"},
    {12, "Softmax", "axis=0", "x[2,2] 0 0 0 0", "[2,2] 0.25 0.25 0.25 0.25"},
    {13, "Softmax", "axis=0", "x[2,2] 0 1 0 2", "[2,2] 0.5 0.268941421 0.5 0.731058579"},
    {13, "LogSoftmax", "", "x[2] 0 1", "[2] -1.313261688 -0.313261688"},
    {17, "LayerNormalization", "epsilon=0f", "x[1,2] 1 3; c[2] 2 2; c[2] 5 6", "[1,2] 3 8"},
    {13, "InstanceNormalization", "epsilon=0f", "x[1,1,2] 1 3; c[1] 2; c[1] 5", "[1,1,2] 3 7"},
    {15, "BatchNormalization", "epsilon=0f", "x[1,2] 1 3; c[2] 2 4; c[2] 1 1; c[2] 0 1; c[2] 4 16",
     "[1,2] 2 3"},
    {13, "ReduceSum", "keepdims=0", "x[2,2] 1 2 3 4; i[1] 0", "[2] 4 6"},
    {13, "ReduceMean", "axes=[1]", "x[2,2] 1 2 3 4", "[2,1] 1.5 3.5"},
    {18, "ReduceMax", "keepdims=0", "x[2,2] 1 2 3 4; i[1] -1", "[2] 2 4"},
    {13, "ReduceMin", "axes=[0] keepdims=0", "x[2,2] 1 2 3 4", "[2] 1 2"},
    {13, "ReduceProd", "keepdims=0", "x[2,2] 1 2 3 4", "24"},
    {13, "ReduceL1", "axes=[1] keepdims=0", "x[1,2] -3 4", "[1] 7"},
    {13, "ReduceL2", "axes=[1] keepdims=0", "x[1,2] 3 4", "[1] 5"},
    {13, "ReduceSumSquare", "keepdims=0", "x[2] 3 4", "25"},
    {13, "ReduceLogSum", "keepdims=0", "x[2] 3 4", "1.945910149"},
    {13, "ReduceLogSumExp", "keepdims=0", "x[2] 100 100", "100.693147181"},
    {13, "ArgMax", "axis=1", "x[2,3] 1 3 3 5 4 3", "[2,1] 1 0"},
    {13, "ArgMax", "axis=1 keepdims=0 select_last_index=1", "x[1,3] 1 3 3", "[1] 2"},
    {13, "ArgMin", "axis=0 keepdims=0", "x[2,2] 1 3 0 4", "[2] 1 0"},
    {13, "CumSum", "", "x[3] 1 2 3; i 0", "[3] 1 3 6"},
    {13, "CumSum", "exclusive=1 reverse=1", "x[3] 1 2 3; i 0", "[3] 5 3 0"},
    {13, "Conv", "pads=[1,1]", "x[1,1,3] 1 2 3; c[1,1,3] 1 10 100; c[1] 0.5",
     "[1,1,3] 210.5 321.5 32.5"},
    {13, "Conv", "strides=[1,2]", "x[1,1,2,3] 1 2 3 4 5 6; c[1,1,2,1] 1 10", "[1,1,1,2] 41 63"},
    {13, "Conv", "group=2", "x[1,2,2] 1 2 3 4; c[2,1,2] 1 1 10 10", "[1,2,1] 3 70"},
    {13, "MaxPool", "kernel_shape=[2] strides=[2] ceil_mode=1", "x[1,1,3] 1 2 3", "[1,1,2] 2 3"},
    {13, "AveragePool", "kernel_shape=[2] pads=[1,0]", "x[1,1,2] 1 2", "[1,1,2] 1 1.5"},
    {13, "AveragePool", "kernel_shape=[2] pads=[1,0] count_include_pad=1", "x[1,1,2] 1 2",
     "[1,1,2] 0.5 1.5"},
    {13, "GlobalAveragePool", "", "x[1,2,2] 1 2 3 5", "[1,2,1] 1.5 4"},
    {13, "GlobalMaxPool", "", "x[1,2,2] 1 2 3 5", "[1,2,1] 2 5"},
    // one step of hidden size 1: gates from x alone, then from the state (formulas in double)
    {14, "RNN", "hidden_size=1", "x[2,1,1] 1 1; c[1,1,1] 0.5; c[1,1,1] 0.25",
     "[2,1,1,1] 0.462117157 0.548007593 | [1,1,1] 0.548007593"},
    {14, "GRU", "hidden_size=1 linear_before_reset=1",
     "x[1,1,1] 1; c[1,3,1] 0.1 0.2 0.3; c[1,3,1] 0.4 0.5 0.6; c[1,6] 0 0 0.1 0 0 0.2; -; x[1,1,1] "
     "0.5",
     "[1,1,1,1] 0.545846795 | [1,1,1] 0.545846795"},
    {14, "LSTM", "hidden_size=1",
     "x[1,1,1] 1; c[1,4,1] 0.1 0.2 0.3 0.4; c[1,4,1] 0.5 0.6 0.7 0.8; -; -; x[1,1,1] 0.5; x[1,1,1] "
     "0.25",
     "[1,1,1,1] 0.313317423 | [1,1,1] 0.313317423 | [1,1,1] 0.553788258"},
    {13, "Transpose", "perm=[1,0]", "x[2,2] 1 2 3 4", "[2,2] 1 3 2 4"},
    {13, "Slice", "", "x[4] 1 2 3 4; i[1] 3; i[1] -9; i[1] 0; i[1] -2", "[2] 4 2"},
    {13, "Split", "axis=0", "x[3] 1 2 3; i[2] 1 2", "[1] 1 | [2] 2 3"},
    {18, "Split", "axis=0 num_outputs=2", "x[3] 1 2 3", "[2] 1 2 | [1] 3"},
    {11, "Split", "axis=0 split=[2,1]", "x[3] 1 2 3", "[2] 1 2 | [1] 3"},
    {13, "Concat", "axis=1", "x[2,1] 1 2; c[2,2] 3 4 5 6", "[2,3] 1 3 4 2 5 6"},
    {13, "Expand", "", "x[2,1] 1 2; i[2] 1 2", "[2,2] 1 1 2 2"},
    {13, "Tile", "", "x[1,2] 1 2; i[2] 2 2", "[2,4] 1 2 1 2 1 2 1 2"},
    {13, "Gather", "axis=1", "x[1,3] 1 2 3; i[2] 2 -3", "[1,2] 3 1"},
    {13, "Gather", "", "x[3] 1 2 3; y[2] 2 -3", "[2] 3 1"},
    {13, "GatherElements", "axis=1", "x[2,2] 1 2 3 4; i[2,1] 1 0", "[2,1] 2 3"},
    {13, "Pad", "", "x[2] 1 2; i[2] 1 2; c 9", "[5] 9 1 2 9 9"},
    {13, "Pad", "mode=reflect", "x[3] 1 2 3; i[2] 2 1", "[6] 3 2 1 2 3 2"},
    {18, "Pad", "mode=edge", "x[1,2] 1 2; i[2] 1 1; -; i[1] 1", "[1,4] 1 1 2 2"},
    {13, "Reshape", "", "x[2,3] 1 2 3 4 5 6; i[2] 0 -1", "[2,3] 1 2 3 4 5 6"},
    {13, "Flatten", "axis=2", "x[1,2,3] 1 2 3 4 5 6", "[2,3] 1 2 3 4 5 6"},
    {13, "Squeeze", "", "x[1,2,1] 1 2; i[1] 0", "[2,1] 1 2"},
    {11, "Unsqueeze", "axes=[0,2]", "x[2] 1 2", "[1,2,1] 1 2"},
    {13, "Identity", "", "x[2] 1 2", "[2] 1 2"},
    {13, "Dropout", "", "x[2] 1 2", "[2] 1 2 | [2] 1 1"},
    {15, "Shape", "start=1", "x[2,3] 0 0 0 0 0 0", "[1] 3"},
    {13, "Size", "", "x[2,3] 0 0 0 0 0 0", "6"},
    {13, "Constant", "value_ints=[3,4]", "", "[2] 3 4"},
    {13, "ConstantOfShape", "", "i[2] 1 2", "[1,2] 0 0"},
    {13, "Range", "", "i 2; i 8; i 3", "[2] 2 5"},
};
enum { NLINE = sizeof LINE / sizeof *LINE, OUTS = 4 };

static void *get(size_t n) {
    void *p = aligned_alloc(64, (n + 127) / 64 * 64);
    if (!p) abort();
    return memset(p, 255, (n + 127) / 64 * 64);
}
static void check_line(const line *l) {
    static tensor_text x[8], want[OUTS];
    int nx, nout = 0;
    for (const char *s = l->out; nout < OUTS && *s; s += *s == '|')
        s = read_tensor(s, &want[nout++]);
    pb m = make_file(l->op, l->opset, l->attrs, l->in, nout, x, &nx);
    qiao_diag d = {0};
    qiao_nn *nn = qiao_nn_read(m.p, m.n, l->op, NULL, QIAO_NN_F32, &d);
    CHECK(nn, "%s %s: %s", l->op, l->attrs, d.text);
    CHECK(qiao_nn_inputs(nn) == nx && qiao_nn_outputs(nn) == nout, "%s", l->op);
    const int N = 3; // the same item three times
    float *in[8], *out[OUTS];
    for (int k = 0; k < nx; k++) {
        in[k] = get((size_t)(N * x[k].n) * sizeof(float));
        for (int i = 0; i < N * x[k].n; i++) in[k][i] = (float)x[k].x[i % x[k].n];
    }
    for (int k = 0; k < nout; k++) {
        const qiao_nn_port *p = qiao_nn_output(nn, k);
        CHECK(p->rank == want[k].rank && p->size == want[k].n,
              "%s %s: output %d has rank %d, size %d", l->op, l->attrs, k, p->rank, p->size);
        for (int i = 0; i < p->rank; i++)
            CHECK(p->dim[i] == want[k].dim[i], "%s %s: dimension %d is %d", l->op, l->attrs, i,
                  p->dim[i]);
        out[k] = get((size_t)(N * p->size) * sizeof(float));
    }
    void *work = get(qiao_nn_work(nn, N));
    qiao_nn_run(nn, N, (const float *const *)in, out, work);
    for (int k = 0; k < nout; k++)
        for (int i = 0; i < N * want[k].n; i++) {
            double w = want[k].x[i % want[k].n], tol = 2e-6 * fmax(1, fabs(w));
            CHECK(out[k][i] == w || fabs(out[k][i] - w) <= tol,
                  "%s %s: output %d, number %d is %.9g, expected %.9g", l->op, l->attrs, k, i,
                  (double)out[k][i], w);
        }
    for (int k = 0; k < nx; k++) free(in[k]);
    for (int k = 0; k < nout; k++) free(out[k]);
    free(work), free(m.p);
    qiao_nn_free(nn);
}
TEST(every_operator_by_hand) {
    for (int i = 0; i < NLINE; i++) check_line(&LINE[i]);
}

TEST(not_a_number_is_said) {
    tensor_text x[2];
    int nx;
    pb m = make_file("Log", 13, "", "x[2] 1 -1", 1, x, &nx);
    qiao_nn *nn = qiao_nn_read(m.p, m.n, "log", NULL, QIAO_NN_F32, NULL);
    CHECK(nn, "Log is not read");
    float in[2] = {1, -1}, out[2];
    void *work = get(qiao_nn_work(nn, 1));
    CHECK(qiao_nn_run(nn, 1, (const float *[]){in}, (float *[]){out}, work) == QIAO_E_NAN,
          "no E_NAN");
    CHECK(out[0] == 0 && out[1] != out[1], "%g %g", (double)out[0], (double)out[1]);
    in[1] = 1;
    CHECK(qiao_nn_run(nn, 1, (const float *[]){in}, (float *[]){out}, work) == QIAO_OK, "E_NAN");
    CHECK(qiao_nn_run(nn, -1, (const float *[]){in}, (float *[]){out}, work) == QIAO_E_ARG,
          "n < 0");
    free(work), free(m.p), qiao_nn_free(nn);
}
