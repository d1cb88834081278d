// SPDX-License-Identifier: Apache-2.0
// test_nn.c - what a loaded network says of itself, several inputs and outputs, state carried by the
// caller, values that share and outlive memory.
#include "qiao/nn.h"
#include "test.h"
#include "nn_file.h"

static void *get(size_t n) {
    void *p = aligned_alloc(64, (n + 127) / 64 * 64);
    if (!p) abort();
    return memset(p, 255, (n + 127) / 64 * 64);
}
static void put_node(pb *g, const char *op, const char *in, const char *out, const char *attrs) {
    pb b = {0};
    char text[200];
    for (int side = 0; side < 2; side++) {
        snprintf(text, sizeof text, "%s", side ? out : in);
        for (char *s = strtok(text, " "); s; s = strtok(NULL, " ")) pb_text(&b, 1 + side, s);
    }
    pb_text(&b, 4, op), put_attrs(&b, attrs);
    pb_sub(g, 1, &b);
}
static void put_meta(pb *m, const char *key, const char *value) {
    pb e = {0};
    pb_text(&e, 1, key), pb_text(&e, 2, value);
    pb_sub(m, 14, &e);
}
static const tensor_text OPEN3 = {.rank = 2, .dim = {-1, 3}}, FIXED2 = {.rank = 2, .dim = {1, 2}},
                         LIST = {.rank = 1, .dim = {3}};

TEST(a_network_says_what_it_is) {
    pb g = {0}, m = {0};
    put_node(&g, "Neg", "obs", "act", ""), put_node(&g, "Abs", "h_in", "h_out", "");
    put_node(&g, "Exp", "list", "grown", "");
    put_shape(&g, 11, "obs", 1, &OPEN3), put_shape(&g, 11, "h_in", 1, &FIXED2);
    put_shape(&g, 11, "list", 1, &LIST);
    put_shape(&g, 12, "act", 1, &OPEN3), put_shape(&g, 12, "h_out", 1, &FIXED2);
    put_shape(&g, 12, "grown", 1, &LIST);
    end_model(&m, &g, 17);
    put_meta(&m, "joint_names", "a,b\nc"), put_meta(&m, "empty", "");
    qiao_diag d = {0};
    qiao_nn *nn = qiao_nn_read(m.p, m.n, "net", NULL, QIAO_NN_F32, &d);
    CHECK(nn && !d.err, "%s", d.text);
    CHECK(qiao_nn_inputs(nn) == 3 && qiao_nn_outputs(nn) == 3, "ports");
    const qiao_nn_port *p = qiao_nn_input(nn, 0), *q = qiao_nn_output(nn, 1),
                       *r = qiao_nn_input(nn, 2);
    CHECK(!strcmp(p->name, "obs") && p->rank == 2 && p->dim[0] == 1 && p->dim[1] == 3 &&
              p->size == 3 && p->batch,
          "obs: rank %d, size %d", p->rank, p->size);
    CHECK(!strcmp(q->name, "h_out") && q->size == 2 && !q->batch, "h_out: size %d", q->size);
    CHECK(r->rank == 1 && r->size == 3 && !r->batch, "list: rank %d", r->rank);
    CHECK(qiao_nn_find_input(nn, "h_in") == 1 && qiao_nn_find_input(nn, "act") == -1, "find input");
    CHECK(qiao_nn_find_output(nn, "grown") == 2 && qiao_nn_find_output(nn, "") == -1,
          "find output");
    CHECK(!qiao_nn_input(nn, 3) && !qiao_nn_output(nn, -1) && !qiao_nn_meta_key(nn, 2), "beyond");
    CHECK(qiao_nn_nmeta(nn) == 2 && !strcmp(qiao_nn_meta_key(nn, 0), "joint_names"), "metadata");
    CHECK(!strcmp(qiao_nn_meta(nn, "joint_names"), "a,b\nc"), "\"%s\"",
          qiao_nn_meta(nn, "joint_names"));
    CHECK(!*qiao_nn_meta(nn, "empty") && !qiao_nn_meta(nn, "none"), "metadata");
    qiao_hash h;
    uint8_t raw[QIAO_HASH_BYTES];
    char own[QIAO_HASH_HEX], said[QIAO_HASH_HEX];
    qiao_hash_init(&h), qiao_hash_add(&h, m.p, m.n), qiao_hash_end(&h, raw),
        qiao_hash_hex(raw, own);
    qiao_nn_hash(nn, said);
    CHECK(!strcmp(own, said), "%s, expected %s", said, own);
    free(m.p); // nothing of it is needed
    enum { N = 100 };
    static float x[N * 3], s[N * 2], l[N * 3], y[N * 3], t[N * 2], e[N * 3];
    for (int i = 0; i < N * 3; i++) x[i] = (float)i, l[i] = 0;
    for (int i = 0; i < N * 2; i++) s[i] = (float)-i;
    void *work = get(qiao_nn_work(nn, N));
    CHECK(!qiao_nn_run(nn, N, (const float *[]){x, s, l}, (float *[]){y, t, e}, work), "run");
    for (int i = 0; i < N * 3; i++) CHECK(y[i] == -x[i] && e[i] == 1, "number %d", i);
    for (int i = 0; i < N * 2; i++) CHECK(t[i] == -s[i], "state %d", i);
    free(work), qiao_nn_free(nn);
    qiao_nn_free(NULL);
}

// A GRU whose state the caller carries gives what the same cell gives over the whole sequence.
TEST(state_is_the_callers) {
    enum { LENGTH = 5 };
    static tensor_text x[4];
    static const char *const W = "c[1,6,2] .1 .2 .3 -.4 .5 .6 -.7 .8 .9 1 -1.1 1.2;"
                                 "c[1,6,2] .2 .1 -.3 .4 .6 .5 .8 -.7 1 .9 1.2 -1.1";
    char text[600];
    int nx;
    snprintf(text, sizeof text, "x[%d,1,2] 0;%s;-;-;x[1,1,2] 0", LENGTH, W);
    pb m = make_file("GRU", 14, "hidden_size=2", text, 2, x, &nx);
    qiao_nn *all = qiao_nn_read(m.p, m.n, "all", NULL, QIAO_NN_F32, NULL);
    free(m.p);
    snprintf(text, sizeof text, "x[1,1,2] 0;%s;-;-;x[1,1,2] 0", W);
    m = make_file("GRU", 14, "hidden_size=2", text, 2, x, &nx);
    qiao_nn *one = qiao_nn_read(m.p, m.n, "one", NULL, QIAO_NN_F32, NULL);
    free(m.p);
    CHECK(all && one, "not read");
    float in[LENGTH * 2], h[2] = {0.3f, -0.2f}, next[2], y[LENGTH * 2], step[2], last[2];
    for (int i = 0; i < LENGTH * 2; i++) in[i] = (float)(i % 3) - 0.8f;
    void *work = get(qiao_nn_work(all, 1)), *small = get(qiao_nn_work(one, 1));
    CHECK(!qiao_nn_run(all, 1, (const float *[]){in, h}, (float *[]){y, last}, work), "run");
    for (int t = 0; t < LENGTH; t++) {
        CHECK(
            !qiao_nn_run(one, 1, (const float *[]){in + 2 * t, h}, (float *[]){step, next}, small),
            "run");
        CHECK(!memcmp(step, y + 2 * t, sizeof step) && !memcmp(step, next, sizeof step), "time %d",
              t);
        memcpy(h, next, sizeof h);
    }
    CHECK(!memcmp(h, last, sizeof h), "the last state");
    free(work), free(small), qiao_nn_free(all), qiao_nn_free(one);
}

// Values that are read late, views, outputs that are inputs, constants or each other.
TEST(memory_is_shared_but_not_early) {
    pb g = {0}, m = {0};
    tensor_text c = {.kind = 'c', .rank = 1, .dim = {3}, .n = 3, .x = {5, 6, 7}};
    put_constant(&g, 5, "k", &c);
    char in[20], out[20];
    put_node(&g, "Neg", "x", "v0", "");
    for (int i = 0; i < 40; i++) { // v[i + 1] = v[i] + v0, all through one block
        snprintf(in, sizeof in, "v%d v0", i), snprintf(out, sizeof out, "v%d", i + 1);
        put_node(&g, "Add", in, out, "");
    }
    put_node(&g, "Unsqueeze", "v40", "u", "axes=[0]"),
        put_node(&g, "Squeeze", "u", "s", "axes=[0]");
    put_node(&g, "Add", "s k", "y", "");
    put_node(&g, "Identity", "y", "same", ""), put_node(&g, "Identity", "x", "echo", "");
    put_node(&g, "Identity", "k", "fixed", "");
    put_shape(&g, 11, "x", 1, &OPEN3);
    const char *name[] = {"y", "same", "echo", "fixed", "v20"};
    for (int i = 0; i < 5; i++) put_shape(&g, 12, name[i], 1, &OPEN3);
    end_model(&m, &g, 11);
    qiao_diag d = {0};
    qiao_nn *nn = qiao_nn_read(m.p, m.n, "net", NULL, QIAO_NN_F32, &d);
    CHECK(nn, "%s", d.text);
    enum { N = 131 };
    static float x[N * 3], y[5][N * 3];
    for (int i = 0; i < N * 3; i++) x[i] = (float)(i % 17);
    size_t bytes = qiao_nn_work(nn, N);
    CHECK(bytes < 48 * 16 * 4 * 4 + 1024, "%zu bytes for three values at a time", bytes);
    void *work = get(bytes);
    CHECK(
        !qiao_nn_run(nn, N, (const float *[]){x}, (float *[]){y[0], y[1], y[2], y[3], y[4]}, work),
        "run");
    for (int i = 0; i < N * 3; i++) {
        float k = (float)(5 + i % 3);
        CHECK(y[0][i] == -41 * x[i] + k && y[1][i] == y[0][i], "number %d is %g", i,
              (double)y[0][i]);
        CHECK(y[2][i] == x[i] && y[3][i] == k && y[4][i] == -21 * x[i], "number %d", i);
    }
    free(work), free(m.p), qiao_nn_free(nn);
}
