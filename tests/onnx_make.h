// SPDX-License-Identifier: Apache-2.0
// onnx_make.h - small ONNX files made by hand, field by field of onnx.proto, for tests.
#ifndef ONNX_MAKE_H
#define ONNX_MAKE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { PB_CAP = 1 << 16 };
typedef struct pb { // one message being written
    uint8_t b[PB_CAP];
    size_t n;
} pb;

static void pb_varint(pb *p, uint64_t v) {
    do {
        p->b[p->n++] = (uint8_t)((v & 127) | (v > 127 ? 128 : 0));
        v >>= 7;
    } while (v);
}
static void pb_int(pb *p, int field, uint64_t v) {
    pb_varint(p, (uint64_t)field << 3), pb_varint(p, v);
}
static void pb_bytes(pb *p, int field, const void *data, size_t n) {
    pb_varint(p, (uint64_t)field << 3 | 2), pb_varint(p, n);
    memcpy(p->b + p->n, data, n), p->n += n;
}
static void pb_text(pb *p, int field, const char *s) { pb_bytes(p, field, s, strlen(s)); }
static void pb_sub(pb *p, int field, const pb *sub) { pb_bytes(p, field, sub->b, sub->n); }

// "Gemm x W b -> y": operator, inputs, outputs.
static void onnx_node(pb *graph, const char *text) {
    static pb node;
    char copy[300], *save, *word;
    node.n = 0;
    snprintf(copy, sizeof copy, "%s", text);
    const char *op = strtok_r(copy, " ", &save);
    int field = 1;
    while ((word = strtok_r(NULL, " ", &save)))
        if (strcmp(word, "->") == 0)
            field = 2;
        else
            pb_text(&node, field, word);
    pb_text(&node, 3, text), pb_text(&node, 4, op);
    pb_sub(graph, 1, &node);
}

// A float tensor of rows x cols, or of cols alone if rows is 0.
static void onnx_tensor(pb *graph, const char *name, int rows, int cols, const float *x) {
    static pb t;
    t.n = 0;
    if (rows) pb_int(&t, 1, (uint64_t)rows);
    pb_int(&t, 1, (uint64_t)cols), pb_int(&t, 2, 1), pb_text(&t, 8, name);
    pb_bytes(&t, 9, x, (size_t)(rows ? rows : 1) * (size_t)cols * sizeof *x);
    pb_sub(graph, 5, &t);
}

// field 11: input, 12: output, of [1, size].
static void onnx_port(pb *graph, int field, const char *name, int size) {
    static pb dim, shape, tensor, type, info;
    dim.n = shape.n = tensor.n = type.n = info.n = 0;
    pb_int(&dim, 1, 1), pb_sub(&shape, 1, &dim);
    dim.n = 0, pb_int(&dim, 1, (uint64_t)size), pb_sub(&shape, 1, &dim);
    pb_int(&tensor, 1, 1), pb_sub(&tensor, 2, &shape);
    pb_sub(&type, 1, &tensor);
    pb_text(&info, 1, name), pb_sub(&info, 2, &type);
    pb_sub(graph, field, &info);
}

static void onnx_meta(pb *model, const char *key, const char *value) {
    static pb e;
    e.n = 0;
    pb_text(&e, 1, key), pb_text(&e, 2, value);
    pb_sub(model, 14, &e);
}

// model: empty, or metadata so far.
static void onnx_end(pb *model, pb *graph) {
    static pb op;
    op.n = 0;
    pb_text(&op, 1, ""), pb_int(&op, 2, 13);
    pb_text(graph, 2, "net");
    pb_int(model, 1, 8), pb_sub(model, 8, &op), pb_sub(model, 7, graph);
}

static bool onnx_write(const char *path, const pb *model) {
    FILE *f = fopen(path, "wb");
    size_t n = f ? fwrite(model->b, 1, model->n, f) : 0;
    return f && fclose(f) == 0 && n == model->n;
}

// y = W' x, W [in][out]: one layer; meta is key, value, ..., NULL.
static bool onnx_layer(const char *path, int in, int out, const float *w, const char *const *meta) {
    static pb model, graph;
    model.n = graph.n = 0;
    onnx_node(&graph, "MatMul obs W -> actions");
    onnx_tensor(&graph, "W", in, out, w);
    onnx_port(&graph, 11, "obs", in), onnx_port(&graph, 12, "actions", out);
    for (; meta && *meta; meta += 2) onnx_meta(&model, meta[0], meta[1]);
    onnx_end(&model, &graph);
    return onnx_write(path, &model);
}

#endif
