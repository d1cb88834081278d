// SPDX-License-Identifier: Apache-2.0
// test_nn_ops.c - every operator against numbers made by hand or from its formula in double.
#include "qiao/nn.h"
#include "test.h"
#include "nn_file.h"
#include "nn_lines.h"

#include "nn/kern_ops.h"
#include "nn/plain_ops.h"

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

// All operators, 64 items each that drift away from the line's numbers: the bits of every build.
static uint64_t hash_line(uint64_t h, const line *l, qiao_nn_type type) {
    static tensor_text x[8];
    int nx, nout = 1;
    for (const char *s = l->out; *s; s++) nout += *s == '|';
    pb m = make_file(l->op, l->opset, l->attrs, l->in, nout, x, &nx);
    qiao_nn *nn = qiao_nn_read(m.p, m.n, l->op, NULL, type, NULL);
    CHECK(nn, "%s", l->op);
    enum { N = 64 };
    float *in[8], *out[OUTS];
    for (int k = 0; k < nx; k++) {
        in[k] = get((size_t)(N * x[k].n) * sizeof(float));
        for (int i = 0; i < N * x[k].n; i++)
            in[k][i] = (float)x[k].x[i % x[k].n] *
                       (x[k].kind == 'x' ? 1 + 0.03125f * (float)(i / x[k].n) : 1);
    }
    for (int k = 0; k < nout; k++)
        out[k] = get((size_t)(N * qiao_nn_output(nn, k)->size) * sizeof(float));
    void *work = get(qiao_nn_work(nn, N));
    qiao_nn_run(nn, N, (const float *const *)in, out, work);
    for (int k = 0; k < nout; k++)
        for (int i = 0; i < N * qiao_nn_output(nn, k)->size; i++) {
            uint32_t u;
            memcpy(&u, &out[k][i], sizeof u);
            if (out[k][i] != out[k][i])
                u = 0x7fc00000; // the sign of not-a-number is the processor's
            h = (h ^ u) * 1099511628211u;
        }
    for (int k = 0; k < nx; k++) free(in[k]);
    for (int k = 0; k < nout; k++) free(out[k]);
    free(work), free(m.p), qiao_nn_free(nn);
    return h;
}
static void golden(void) {
    static const uint64_t want[3] = {0xf75ec978373ce8du, 0x322bb122a200a305u, 0xaca64bc9869d2e22u};
    for (int t = 0; t < 3; t++) {
        uint64_t h = 1469598103934665603u;
        for (int i = 0; i < NLINE; i++) h = hash_line(h, &LINE[i], (qiao_nn_type)t);
        CHECK(h == want[t], "type %d: 0x%llx", t, (unsigned long long)h);
    }
}
TEST(golden_in_every_instance) {
    golden();
    qi_plain_use(qi_plain_any), golden();
#ifdef __x86_64__
    if (qi_cpu_avx2()) qi_plain_use(qi_plain_avx2), golden();
    if (qi_cpu_avx512bw()) qi_plain_use(qi_plain_avx512), golden();
#endif
}
