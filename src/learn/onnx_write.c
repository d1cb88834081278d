// SPDX-License-Identifier: Apache-2.0
// onnx_write.c - protobuf by hand: a message is a row of fields, each a tag and a value.
#include "learn/onnx_write.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct buf {
    uint8_t *p;
    size_t n, cap;
    bool bad;
} buf;

static void put(buf *b, const void *x, size_t n) {
    if (b->bad) return;
    if (b->n + n > b->cap) {
        size_t cap = b->cap ? b->cap : 256;
        while (cap < b->n + n) cap *= 2;
        uint8_t *p = realloc(b->p, cap);
        if (!p) {
            b->bad = true;
            return;
        }
        b->p = p, b->cap = cap;
    }
    memcpy(b->p + b->n, x, n);
    b->n += n;
}
static void put_varint(buf *b, uint64_t v) {
    uint8_t c[10], n = 0;
    for (; v > 127; v >>= 7) c[n++] = (uint8_t)(v | 128);
    c[n++] = (uint8_t)v;
    put(b, c, n);
}
static void put_int(buf *b, unsigned field, uint64_t v) {
    put_varint(b, (uint64_t)field << 3), put_varint(b, v);
}
static void put_bytes(buf *b, unsigned field, const void *x, size_t n) {
    put_varint(b, (uint64_t)field << 3 | 2), put_varint(b, n), put(b, x, n);
}
static void put_text(buf *b, unsigned field, const char *s) { put_bytes(b, field, s, strlen(s)); }
static void put_message(buf *b, unsigned field, buf *m) { // and lets go of it
    if (m->bad) b->bad = true;
    put_bytes(b, field, m->p, m->n);
    free(m->p);
}

enum { FLOAT = 1 };
// ModelProto, GraphProto, NodeProto, ... field numbers
enum { MODEL_IR = 1, MODEL_PRODUCER = 2, MODEL_GRAPH = 7, MODEL_OPSET = 8, MODEL_META = 14 };
enum { GRAPH_NODE = 1, GRAPH_NAME = 2, GRAPH_TENSOR = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };

static void put_tensor(buf *g, const char *name, int rows, int cols, const float *x) {
    buf t = {0};
    if (rows >= 0) put_int(&t, 1, (uint64_t)rows);
    if (cols >= 0) put_int(&t, 1, (uint64_t)cols);
    size_t n = (size_t)(rows >= 0 ? rows : 1) * (size_t)(cols >= 0 ? cols : 1);
    put_int(&t, 2, FLOAT), put_text(&t, 8, name), put_bytes(&t, 9, x, n * sizeof *x);
    put_message(g, GRAPH_TENSOR, &t);
}
static void put_port(buf *g, unsigned field, const char *name, int cols) {
    buf n = {0}, c = {0}, shape = {0}, tensor = {0}, type = {0}, port = {0};
    put_text(&n, 2, "batch"), put_int(&c, 1, (uint64_t)cols);
    put_message(&shape, 1, &n), put_message(&shape, 1, &c);
    put_int(&tensor, 1, FLOAT), put_message(&tensor, 2, &shape);
    put_message(&type, 1, &tensor);
    put_text(&port, 1, name), put_message(&port, 2, &type);
    put_message(g, field, &port);
}
// Inputs in one text with spaces between.
static void put_node(buf *g, const char *op, const char *inputs, const char *output) {
    buf n = {0};
    for (const char *p = inputs; *p;) {
        size_t k = strcspn(p, " ");
        put_bytes(&n, 1, p, k);
        p += k, p += strspn(p, " ");
    }
    put_text(&n, 2, output), put_text(&n, 3, output), put_text(&n, 4, op);
    put_message(g, GRAPH_NODE, &n);
}

static void put_normaliser(buf *g, const qi_ppo_view *v, float *x) {
    int n = v->obs->n;
    static const float lo = -10, hi = 10;
    for (int i = 0; i < n; i++) x[i] = (float)v->obs->mean[i];
    put_tensor(g, "mean", n, -1, x);
    for (int i = 0; i < n; i++) x[i] = (float)(1 / sqrt(v->obs->var[i] + 1e-4));
    put_tensor(g, "scale", n, -1, x);
    put_tensor(g, "lo", -1, -1, &lo), put_tensor(g, "hi", -1, -1, &hi);
    put_node(g, "Sub", "obs mean", "centred");
    put_node(g, "Mul", "centred scale", "scaled");
    put_node(g, "Clip", "scaled lo hi", "input");
}

static void put_layers(buf *g, const qi_ppo_view *v, bool normalised, float *x) {
    static const char *const act[] = {"Elu", "Relu", "Tanh"};
    const qi_mlp *m = &v->actor;
    char in[32], w[32], b[32], y[32], all[100];
    snprintf(in, sizeof in, "%s", normalised ? "input" : "obs");
    for (int l = 0; l < m->nlayer; l++) {
        int rows = m->size[l], cols = m->size[l + 1];
        bool last = l + 1 == m->nlayer;
        for (int i = 0; i < rows; i++)
            memcpy(x + (size_t)i * (size_t)cols,
                   v->actor_param + m->w[l] + (size_t)i * (size_t)m->ld[l + 1],
                   (size_t)cols * sizeof *x);
        snprintf(w, sizeof w, "w%d", l), snprintf(b, sizeof b, "b%d", l);
        put_tensor(g, w, rows, cols, x);
        put_tensor(g, b, cols, -1, v->actor_param + m->b[l]);
        snprintf(y, sizeof y, !last ? "layer%d" : v->squash > 0 ? "free" : "actions", l);
        snprintf(all, sizeof all, "%s %s %s", in, w, b);
        put_node(g, "Gemm", all, y);
        if (last) break;
        snprintf(in, sizeof in, "active%d", l);
        put_node(g, act[m->act], y, in);
    }
    if (!(v->squash > 0)) return;
    float reach = (float)v->squash;
    put_tensor(g, "reach", -1, -1, &reach);
    put_node(g, "Tanh", "free", "squashed");
    put_node(g, "Mul", "squashed reach", "actions");
}

qiao_err qi_onnx_make(const qi_ppo_view *v, int nmeta, const char *const *key,
                      const char *const *text, uint8_t **bytes, size_t *n, qiao_diag *d) {
    const qi_mlp *m = &v->actor;
    size_t most = (size_t)m->size[0];
    for (int l = 0; l < m->nlayer; l++)
        if ((size_t)m->size[l] * (size_t)m->size[l + 1] > most)
            most = (size_t)m->size[l] * (size_t)m->size[l + 1];
    float *x = malloc(most * sizeof *x);
    if (!x) return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    buf graph = {0}, opset = {0}, model = {0};
    bool normalised = v->obs->count > 0;
    put_text(&graph, GRAPH_NAME, "policy");
    if (normalised) put_normaliser(&graph, v, x);
    put_layers(&graph, v, normalised, x);
    put_port(&graph, GRAPH_INPUT, "obs", m->size[0]);
    put_port(&graph, GRAPH_OUTPUT, "actions", m->size[m->nlayer]);
    put_int(&model, MODEL_IR, 8), put_text(&model, MODEL_PRODUCER, "qiao");
    put_message(&model, MODEL_GRAPH, &graph);
    put_int(&opset, 2, 17), put_message(&model, MODEL_OPSET, &opset);
    for (int i = 0; i < nmeta; i++) {
        buf meta = {0};
        put_text(&meta, 1, key[i]), put_text(&meta, 2, text[i]);
        put_message(&model, MODEL_META, &meta);
    }
    free(x);
    *bytes = model.p, *n = model.n;
    if (!model.bad) return QIAO_OK;
    free(model.p), *bytes = NULL;
    return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
}

qiao_err qi_onnx_write(const qi_ppo_view *v, int nmeta, const char *const *key,
                       const char *const *text, const char *path, qiao_diag *d) {
    uint8_t *bytes;
    size_t n;
    qiao_err e = qi_onnx_make(v, nmeta, key, text, &bytes, &n, d);
    if (e) return e;
    e = qiao_file_write(path, bytes, n, d);
    free(bytes);
    return e;
}
