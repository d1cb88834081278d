// SPDX-License-Identifier: Apache-2.0
// test_nn_bad.c - hostile files: cut, bent, looping, oversized, reaching out of their folder. Each is
// refused in words, in bounded memory and time.
#include "qiao/nn.h"
#include "test.h"
#include "nn_file.h"

#include <sys/resource.h>
#include <unistd.h>

static void *get(size_t n) {
    void *p = aligned_alloc(64, (n + 127) / 64 * 64);
    if (!p) abort();
    return memset(p, 0, (n + 127) / 64 * 64);
}
// Reads; a refusal must say why, and what is read must run.
static bool try_file(const uint8_t *p, size_t n, char text[1000]) {
    qiao_diag d = {0};
    uint8_t *own = malloc(n + 1); // exactly as long as it is, for the sanitizer
    if (!own) abort();
    if (n) memcpy(own, p, n);
    qiao_nn *nn = qiao_nn_read(own, n, "f.onnx", NULL, QIAO_NN_F32, &d);
    free(own);
    if (text) memcpy(text, d.text, sizeof d.text);
    if (!nn) {
        CHECK(d.err && !strncmp(d.text, "f.onnx: ", 8) && strlen(d.text) > 12, "\"%s\"", d.text);
        return false;
    }
    float *in[16], *out[16];
    int nx = qiao_nn_inputs(nn), ny = qiao_nn_outputs(nn);
    CHECK(!d.err && nx <= 16 && ny <= 16, "%d %d %s", nx, ny, d.text);
    for (int i = 0; i < nx; i++) in[i] = get((size_t)qiao_nn_input(nn, i)->size * 8);
    for (int i = 0; i < ny; i++) out[i] = get((size_t)qiao_nn_output(nn, i)->size * 8);
    void *work = get(qiao_nn_work(nn, 2));
    qiao_nn_run(nn, 2, (const float *const *)in, out, work);
    for (int i = 0; i < nx; i++) free(in[i]);
    for (int i = 0; i < ny; i++) free(out[i]);
    free(work), qiao_nn_free(nn);
    return true;
}

static const struct {
    const char *op, *attrs, *in;
} SOUND[] = {{"Gemm", "transB=1", "x[1,3] 1; c[2,3] 1 2 3 4 5 6; c[2] 1 2"},
             {"Conv", "pads=[1,1]", "x[1,1,3] 1; c[1,1,3] 1 2 3; c[1] 0"},
             {"LSTM", "hidden_size=1", "x[1,1,1] 1; c[1,4,1] 1 2 3 4; c[1,4,1] 1 2 3 4"},
             {"Slice", "", "x[4] 1; i[1] 3; i[1] -9; i[1] 0; i[1] -2"},
             {"Pad", "mode=reflect", "x[3] 1 2 3; i[2] 2 1"}};
enum { NSOUND = sizeof SOUND / sizeof *SOUND };
static pb sound(int k) {
    static tensor_text x[8];
    int nx;
    return make_file(SOUND[k].op, 13, SOUND[k].attrs, SOUND[k].in, 1, x, &nx);
}
TEST(cut_anywhere) {
    for (int k = 0; k < NSOUND; k++) {
        pb m = sound(k);
        CHECK(try_file(m.p, m.n, NULL), "%s", SOUND[k].op);
        int fine = 0;
        for (size_t n = 0; n < m.n; n++) fine += try_file(m.p, n, NULL);
        CHECK(fine == 0, "%s: %d of %zu cuts were not seen", SOUND[k].op, fine, m.n);
        free(m.p);
    }
}
TEST(bent_anywhere) {
    static const uint8_t TO[] = {0, 1, 8, 127, 128, 255};
    for (int k = 0; k < NSOUND; k++) {
        pb m = sound(k);
        for (size_t i = 0; i < m.n; i++)
            for (size_t j = 0; j < sizeof TO; j++) {
                uint8_t old = m.p[i];
                m.p[i] = TO[j];
                try_file(m.p, m.n, NULL);
                m.p[i] = old;
            }
        free(m.p);
    }
}

static void refused(const char *op, int opset, const char *attrs, const char *in, const char *why) {
    static tensor_text x[8];
    char text[1000];
    int nx;
    pb m = make_file(op, opset, attrs, in, 1, x, &nx);
    CHECK(!try_file(m.p, m.n, text), "%s is read", op);
    CHECK(strstr(text, why), "%s: \"%s\" does not contain \"%s\"", op, text, why);
    free(m.p);
}
TEST(what_is_not_supported_is_named) {
    refused("Nonesuch", 13, "", "x[1] 1", "node 'it' (Nonesuch): the operator is not supported");
    refused("Relu", 10, "", "x[1] 1", "opset 10, expected 11 to 21");
    refused("Relu", 22, "", "x[1] 1", "opset 22, expected 11 to 21");
    refused("Exp", 13, "", "y[1] 1", "node 'it' (Exp): of whole numbers is not supported");
    refused("Conv", 13, "", "x[1,1,3] 1; x[1,1,3] 1", "node 'it' (Conv): weights must be constant");
    refused("Reshape", 13, "", "x[2] 1; y[1] 1", "input 'i1' must be constant");
    refused("LSTM", 14, "hidden_size=1 layout=1", "x[1,1,1] 1; c[1,4,1] 1 2 3 4; c[1,4,1] 1 2 3 4",
            "layout 1");
    refused("GRU", 14, "activations=[Sigmoid,Sine]", "x[1,1,1] 1; c[1,3,1] 1 2 3; c[1,3,1] 1 2 3",
            "activation 'Sine' is not supported");
    refused("MaxPool", 13, "kernel_shape=[1,1,1]", "x[1,1,2,2,2] 1", "of 3 dimensions");
    refused("Cast", 13, "to=8", "x[1] 1", "string");
    refused("Add", 13, "", "x[1] 1; i 123456789", "tensor 'i1' has a whole number beyond 2^24");
}
TEST(what_does_not_fit_is_named) {
    refused("Add", 13, "", "x[2] 1; c[3] 1 2 3", "dimensions 2 and 3 do not fit");
    refused("MatMul", 13, "", "x[1,2] 1; c[3,1] 1 2 3",
            "2 columns on the left, 3 rows on the right");
    refused("Add", 13, "", "x[2] 1", "has 1 inputs");
    refused("Add", 13, "", "x[2] 1; c[2] 1",
            "tensor 'i1' has 1 numbers or bytes, its shape asks for 2");
    refused("Elu", 13, "alpha=1", "x[2] 1", "attribute 'alpha' is of type 2, expected 1");
    refused("Softmax", 13, "axis=2", "x[2,2] 1", "axis 2 of a tensor of 2 dimensions");
    refused("Reshape", 13, "", "x[5] 1; i[2] 2 -1", "5 numbers in rows of 2");
    refused("Split", 13, "", "x[5] 1; i[1] 4", "parts sum up to 4 of 5");
    refused("Gather", 13, "", "x[5] 1; i 5", "row 5 of 5");
    refused("Transpose", 13, "perm=[0,0]", "x[2,2] 1", "perm does not name each");
    refused("Conv", 13, "", "x[1,1,2] 1; c[1,1,3] 1 2 3", "a window of 3 does not fit 2");
    refused("Slice", 13, "", "x[2] 1; i[1] 0; i[1] 1; i[1] 0; i[1] 0", "step 0");
}
TEST(memory_bombs) {
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    refused("ConstantOfShape", 13, "", "i[3] 60000 60000 60000", "2^26");
    refused("ConstantOfShape", 13, "", "i[2] 2147483647 2147483647", "2^26");
    refused("Expand", 13, "", "x[1] 1; i[4] 4096 4096 4096 4096", "2^26");
    refused("Tile", 13, "", "x[1,1] 1; i[2] 60000 60000", "2^26");
    refused("Range", 13, "", "c 0; c 1e9; c 0.001", "2^26");
    refused("Pad", 13, "", "x[1,1] 1; i[4] 9999999 9999999 9999999 9999999", "2^26");
    refused("Identity", 13, "", "x[65536,65536] 1", "2^26");
    refused("Identity", 13, "", "c[9999,9999,9999] 1", "2^26");
    refused("Identity", 13, "", "c[4096,4096] 1", "its shape asks for 16777216");
    refused("MatMul", 13, "", "x[9000,1] 1; x[1,9000] 1", "2^26");
    refused("MaxPool", 13, "kernel_shape=[1000,1000] pads=[999,999,999,999]", "x[1,1,999,999] 1",
            "2^33");
    refused("GRU", 13, "", "x[9999999,1,1] 1; c[1,3,1] 1 2 3; c[1,3,1] 1 2 3", "2^24");
    getrusage(RUSAGE_SELF, &after);
    long grown = after.ru_maxrss - before.ru_maxrss; // KiB
    CHECK(TEST_SANITIZED || grown < 300 * 1024, "%ld KiB", grown);
}

// Nodes as "op in.. > out" in one graph with input x and output y.
static bool graph(const char *const *node, int n, char text[1000]) {
    pb g = {0}, m = {0};
    for (int i = 0; i < n; i++) {
        pb b = {0};
        char word[32], op[32] = "", *s, line[200];
        bool out = false;
        snprintf(line, sizeof line, "%s", node[i]);
        for (s = strtok(line, " "); s; s = strtok(NULL, " ")) {
            snprintf(word, sizeof word, "%s", s);
            if (!*op)
                snprintf(op, sizeof op, "%s", word);
            else if (*word == '>')
                out = true;
            else
                pb_text(&b, out ? 2 : 1, word);
        }
        pb_text(&b, 4, op);
        pb_sub(&g, 1, &b);
    }
    tensor_text one = {.rank = 1, .dim = {2}};
    put_shape(&g, 11, "x", 1, &one), put_shape(&g, 12, "y", 1, &one);
    end_model(&m, &g, 13);
    bool read = try_file(m.p, m.n, text);
    free(m.p);
    return read;
}
TEST(loops_and_doubles) {
    char text[1000];
    CHECK(graph((const char *[]){"Add x x > a", "Neg a > y"}, 2, text), "%s", text);
    CHECK(!graph((const char *[]){"Add x b > a", "Neg a > b", "Neg b > y"}, 3, text), "a loop");
    CHECK_TEXT(text, "node 'a' (Add): input 'b' is made by no node before this one");
    CHECK(!graph((const char *[]){"Add x y > y"}, 1, text), "a loop of one");
    CHECK_TEXT(text, "'y' is made by no node before");
    CHECK(!graph((const char *[]){"Neg x > y", "Abs x > y"}, 2, text), "made twice");
    CHECK_TEXT(text, "'y' is made twice");
    CHECK(!graph((const char *[]){"Neg x > x"}, 1, text), "an input made again");
    CHECK(!graph((const char *[]){"Neg x > a"}, 1, text), "no output");
    CHECK_TEXT(text, "output 'y' is made by no node");
    CHECK(!graph((const char *[]){"Neg > y"}, 1, text), "no input");
}

static void external(const char *folder, const char *location, const char *length,
                     const char *why) {
    pb g = {0}, m = {0}, t = {0}, node = {0};
    pb_int(&t, 1, 2), pb_int(&t, 2, 1), pb_text(&t, 8, "w"), pb_int(&t, 14, 1);
    const char *pair[2][2] = {{"location", location}, {"length", length}};
    for (int i = 0; i < 2; i++) {
        pb e = {0};
        pb_text(&e, 1, pair[i][0]), pb_text(&e, 2, pair[i][1]);
        pb_sub(&t, 13, &e);
    }
    pb_text(&node, 1, "x"), pb_text(&node, 1, "w"), pb_text(&node, 2, "y"),
        pb_text(&node, 4, "Add");
    pb_sub(&g, 1, &node), pb_sub(&g, 5, &t);
    tensor_text one = {.rank = 1, .dim = {2}};
    put_shape(&g, 11, "x", 1, &one), put_shape(&g, 12, "y", 1, &one);
    end_model(&m, &g, 13);
    qiao_diag d = {0};
    qiao_nn *nn = qiao_nn_read(m.p, m.n, "f.onnx", folder, QIAO_NN_F32, &d);
    free(m.p);
    if (why) {
        CHECK(!nn, "'%s' is read", location);
        CHECK_TEXT(d.text, why);
        return;
    }
    CHECK(nn, "%s", d.text);
    float x[2] = {10, 20}, y[2];
    void *work = get(qiao_nn_work(nn, 1));
    CHECK(!qiao_nn_run(nn, 1, (const float *[]){x}, (float *[]){y}, work), "run");
    CHECK(y[0] == 11 && y[1] == 22, "%g %g", (double)y[0], (double)y[1]);
    free(work), qiao_nn_free(nn);
}
TEST(external_data_stays_in_its_folder) {
    char dir[] = "/tmp/qiao_nn_XXXXXX", path[200], out[200];
    CHECK(mkdtemp(dir), "no folder");
    const float w[2] = {1, 2};
    qiao_diag d = {0};
    snprintf(path, sizeof path, "%s/in/w.bin", dir);
    snprintf(out, sizeof out, "%s/in", dir);
    CHECK(!qiao_dir_make(out, &d) && !qiao_file_write(path, w, sizeof w, &d), "%s", d.text);
    snprintf(path, sizeof path, "%s/secret", dir);
    CHECK(!qiao_file_write(path, w, sizeof w, &d), "%s", d.text);
    snprintf(out, sizeof out, "%s/in/link", dir);
    CHECK(!symlink("../secret", out), "no link");
    snprintf(out, sizeof out, "%s/in/here", dir);
    CHECK(!symlink("w.bin", out), "no link");
    snprintf(out, sizeof out, "%s/in", dir);
    external(out, "w.bin", "8", NULL);
    external(out, "./w.bin", "8", NULL);
    external(out, "here", "8", NULL);
    external(out, "../secret", "8", "expected a file in the model's folder");
    external(out, "a/../../secret", "8", "expected a file in the model's folder");
    external(out, path, "8", "expected a file in the model's folder");
    external(out, "", "8", "expected a file in the model's folder");
    external(out, "link", "8", "is a link out of the model's folder");
    external(out, "none", "8", "cannot be opened");
    external(out, ".", "8", "model's folder");
    external(out, "w.bin", "9", "its shape asks for 8");
    external(out, "w.bin", "-8", "expected a number of bytes");
    external(NULL, "w.bin", "8", "comes from no folder");
    const char *gone[] = {"in/w.bin", "in/link", "in/here", "secret"};
    for (int i = 0; i < 4; i++) snprintf(path, sizeof path, "%s/%s", dir, gone[i]), unlink(path);
    CHECK(!rmdir(out) && !rmdir(dir), "left over in %s", dir);
}
TEST(files_that_are_no_networks) {
    char text[1000];
    CHECK(!try_file((const uint8_t *)"", 0, text), "empty");
    CHECK(!try_file((const uint8_t *)"PK\3\4aaaa", 8, text), "zip");
    CHECK_TEXT(text, "export with torch.onnx.export");
    CHECK(!try_file((const uint8_t *)"hello, world", 12, text), "text");
    qiao_diag d = {0};
    CHECK(!qiao_nn_load("/nonexistent.onnx", QIAO_NN_F32, &d), "read");
    CHECK_TEXT(d.text, "/nonexistent.onnx: cannot be opened");
    // as many empty nodes as a small file holds
    pb g = {0}, m = {0};
    for (int i = 0; i < 20000; i++) pb_bytes(&g, 1, "", 0);
    end_model(&m, &g, 13);
    CHECK(!try_file(m.p, m.n, text), "20,000 nodes");
    CHECK_TEXT(text, "more than 10000 nodes");
    free(m.p);
    g = m = (pb){0}; // many links of one byte
    for (int i = 0; i < 400; i++) {
        pb node = {0};
        for (int k = 0; k < 1000; k++) pb_text(&node, 1, "x");
        pb_sub(&g, 1, &node);
    }
    end_model(&m, &g, 13);
    CHECK(!try_file(m.p, m.n, text), "400,000 links");
    CHECK_TEXT(text, "nodes of more than 131072 inputs");
    free(m.p);
}
