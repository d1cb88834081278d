// SPDX-License-Identifier: Apache-2.0
// nn_file.h - ONNX files made in memory from a line of text, for tests and fuzzing.
//   inputs      "x[2,3] 1 2 3 4 5 6; c[3] 1 2 3": x, y, z an input of the network (its numbers are
//               kept to run it with), c, i, b a constant of float, int64, bool; "-" left out
//   attributes  "axis=1 alpha=0.5f pads=[0,1] mode=edge scales=[1.5f] to=7"
#ifndef QIAO_NN_FILE_H
#define QIAO_NN_FILE_H

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct pb { // protobuf being written: tag, length, bytes
    uint8_t *p;
    size_t n, room;
} pb;
static void pb_byte(pb *b, uint64_t v) {
    if (b->n == b->room) {
        b->room = b->room ? 2 * b->room : 256;
        if (!(b->p = realloc(b->p, b->room))) abort();
    }
    b->p[b->n++] = (uint8_t)v;
}
static void pb_var(pb *b, uint64_t v) {
    for (; v > 127; v >>= 7) pb_byte(b, v | 128);
    pb_byte(b, v);
}
static void pb_int(pb *b, int field, int64_t v) {
    pb_var(b, (uint64_t)field << 3);
    pb_var(b, (uint64_t)v);
}
static void pb_float(pb *b, int field, float v) {
    uint32_t w;
    memcpy(&w, &v, sizeof w);
    pb_var(b, (uint64_t)field << 3 | 5);
    for (int i = 0; i < 4; i++) pb_byte(b, w >> (8 * i));
}
static void pb_bytes(pb *b, int field, const void *s, size_t n) {
    pb_var(b, (uint64_t)field << 3 | 2);
    pb_var(b, n);
    for (size_t i = 0; i < n; i++) pb_byte(b, ((const uint8_t *)s)[i]);
}
static void pb_text(pb *b, int field, const char *s) { pb_bytes(b, field, s, strlen(s)); }
static void pb_sub(pb *b, int field, pb *sub) {
    pb_bytes(b, field, sub->p, sub->n);
    free(sub->p);
    *sub = (pb){0};
}

enum { FILE_DIMS = 8, FILE_NUMBERS = 512 };
typedef struct tensor_text { // "x[2,3] 1 2 ..."
    char kind;
    int rank, n;
    int64_t dim[FILE_DIMS];
    double x[FILE_NUMBERS];
} tensor_text;
static const char *read_tensor(const char *s, tensor_text *t) {
    *t = (tensor_text){0};
    while (*s == ' ') s++;
    if (isalpha((unsigned char)*s) || *s == '-') t->kind = *s++;
    if (*s == '[') {
        for (s++; *s != ']'; s += *s == ',') {
            char *end;
            t->dim[t->rank++] = strtoll(s, &end, 10), s = end;
        }
        s++;
    }
    for (char *end;; s = end) {
        double v = strtod(s, &end);
        if (end == s || t->n == FILE_NUMBERS) break;
        t->x[t->n++] = v;
    }
    while (*s == ' ') s++;
    return s;
}

static void put_shape(pb *g, int field, const char *name, int type, const tensor_text *t) {
    pb port = {0}, kind = {0}, tensor = {0}, shape = {0};
    for (int i = 0; i < t->rank; i++) {
        pb dim = {0};
        if (t->dim[i] < 0)
            pb_text(&dim, 2, "n");
        else
            pb_int(&dim, 1, t->dim[i]);
        pb_sub(&shape, 1, &dim);
    }
    pb_int(&tensor, 1, type), pb_sub(&tensor, 2, &shape);
    pb_sub(&kind, 1, &tensor);
    pb_text(&port, 1, name), pb_sub(&port, 2, &kind);
    pb_sub(g, field, &port);
}
static void put_constant(pb *g, int field, const char *name, const tensor_text *t) {
    pb b = {0};
    for (int i = 0; i < t->rank; i++) pb_int(&b, 1, t->dim[i]);
    pb_int(&b, 2, t->kind == 'i' ? 7 : t->kind == 'b' ? 9 : 1);
    for (int i = 0; i < t->n; i++) {
        if (t->kind == 'i') pb_int(&b, 7, (int64_t)t->x[i]);
        if (t->kind == 'b') pb_int(&b, 5, t->x[i] != 0);
        if (t->kind == 'c') pb_float(&b, 4, (float)t->x[i]);
    }
    pb_text(&b, 8, name);
    pb_sub(g, field, &b);
}
static void put_attrs(pb *node, const char *s) {
    while (*s) {
        char name[64] = "", word[64] = "";
        int used = 0;
        sscanf(s, " %63[^=]=%n", name, &used);
        if (!used) return;
        s += used;
        pb a = {0};
        pb_text(&a, 1, name);
        bool list = *s == '[', real = false;
        int type = 0;
        if (list) s++;
        do {
            char *end;
            double v = strtod(s, &end);
            if (end != s && *end == 'f') real = true;
            if (end == s) {
                sscanf(s, "%63[^] ,]%n", word, &used);
                list ? pb_text(&a, 9, word) : pb_text(&a, 4, word);
                type = list ? 8 : 3, s += used;
            } else {
                if (real)
                    pb_float(&a, list ? 7 : 2, (float)v);
                else
                    pb_int(&a, list ? 8 : 3, (int64_t)v);
                type = real ? list ? 6 : 1 : list ? 7 : 2;
                s = end + real;
            }
        } while (list && *s == ',' && s++);
        s += list;
        while (*s == ' ') s++;
        pb_int(&a, 20, type);
        pb_sub(node, 5, &a);
    }
}
static void end_model(pb *m, pb *graph, int opset) {
    pb set = {0};
    pb_int(&set, 2, opset);
    pb_int(m, 1, 8), pb_sub(m, 7, graph), pb_sub(m, 8, &set);
}
// A file of one node; what its network inputs are to be goes to x [n].
static pb make_file(const char *op, int opset, const char *attrs, const char *inputs, int nout,
                    tensor_text *x, int *nx) {
    pb g = {0}, node = {0}, rest = {0}, m = {0};
    int k = 0;
    *nx = 0;
    for (const char *s = inputs; *s; k++) {
        tensor_text t;
        char name[16];
        s = read_tensor(s, &t);
        s += *s == ';';
        snprintf(name, sizeof name, "i%d", k);
        pb_text(&node, 1, t.kind == '-' ? "" : name);
        if (t.kind == 'x' || t.kind == 'y' || t.kind == 'z') {
            put_shape(&rest, 11, name, t.kind == 'y' ? 7 : t.kind == 'z' ? 9 : 1, &t);
            x[(*nx)++] = t;
        } else if (t.kind != '-')
            put_constant(&rest, 5, name, &t);
    }
    for (int i = 0; i < nout; i++) {
        char name[16];
        snprintf(name, sizeof name, "o%d", i);
        pb_text(&node, 2, name);
        put_shape(&rest, 12, name, 1, &(tensor_text){0});
    }
    pb_text(&node, 3, "it"), pb_text(&node, 4, op);
    put_attrs(&node, attrs);
    pb_sub(&g, 1, &node);
    for (size_t i = 0; i < rest.n; i++) pb_byte(&g, rest.p[i]);
    free(rest.p);
    end_model(&m, &g, opset);
    return m;
}

#endif
