// SPDX-License-Identifier: Apache-2.0
// emit.c - the plan as C99: the texts that run steps, constants as arrays, one call a step.
#include "nn/emit.h"

#include "nn/kern_ops.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct out {
    const qiao_nn *nn;
    const char *name; // prefix of all that the file defines
    FILE *f;
    const float **seen; // constants written so far
    int nseen;
    char (*port)[64]; // parameters: inputs, then outputs
} out;

// ---- texts, each once even if many files are included in one
static void write_text(const out *o, const qi_nn_text *t) {
    fprintf(o->f, "#ifndef NN_TEXT_%s\n#define NN_TEXT_%s\n", t->name, t->name);
    for (const char *s = t->text, *end; *s; s = end) {
        end = strchr(s, '\n');
        end = end ? end + 1 : s + strlen(s);
        bool own = !strncmp(s, "#include \"", 10) || !strncmp(s, "// SPDX", 7);
        if (!own) fwrite(s, 1, (size_t)(end - s), o->f);
    }
    fprintf(o->f, "#endif\n\n");
}
static bool needed(const qiao_nn *nn, const char *family) {
    if (!*family) return true;
    for (int i = 0; i < nn->nstep; i++)
        if (!strcmp(nn->step[i].core->family, family)) return true;
    return false;
}

// ---- numbers
static void write_float(FILE *f, float x) {
    char s[40];
    if (x != x)
        snprintf(s, sizeof s, "(0.0f / 0.0f)");
    else if (x - x != 0)
        snprintf(s, sizeof s, "(%s1.0f / 0.0f)", x < 0 ? "-" : "");
    else {
        snprintf(s, sizeof s, "%.9g", (double)x);
        strcat(s, strpbrk(s, ".e") ? "f" : ".0f");
    }
    fputs(s, f);
}
static void write_floats(const out *o, const char *what, int i, const float *x, size_t n) {
    fprintf(o->f, "static const float %s_%s%d[%zu] = {", o->name, what, i, n ? n : 1);
    for (size_t k = 0; k < n || !k; k++) {
        fputs(k % 12 ? ", " : k ? ",\n    " : "\n    ", o->f);
        write_float(o->f, n ? x[k] : 0);
    }
    fprintf(o->f, "};\n");
}
static void write_ints(const out *o, const char *what, int i, const int *x, int n) {
    fprintf(o->f, "static const int %s_%s%d[%d] = {", o->name, what, i, n ? n : 1);
    for (int k = 0; k < n || !k; k++) {
        fputs(k % 20 ? ", " : k ? ",\n    " : "", o->f);
        fprintf(o->f, "%d", n ? x[k] : 0);
    }
    fprintf(o->f, "};\n");
}
static void write_layer(const out *o, int i, const qi_dense *l) {
    static const char *const TYPE[] = {"float", "uint16_t", "signed char"};
    fprintf(o->f, "static const %s %s_w%d[%zu] = {", TYPE[l->type], o->name, i,
            (size_t)l->nin * (size_t)l->nout);
    size_t at = 0;
    for (int j = 0; j < l->nout; j++)
        for (int k = 0; k < l->nin; k++, at++) {
            uint32_t w = qi_dense_weight(l, k, j);
            float x;
            fputs(at % 12 ? ", " : at ? ",\n    " : "\n    ", o->f);
            if (l->type == QIAO_NN_F32)
                memcpy(&x, &w, sizeof x), write_float(o->f, x);
            else
                fprintf(o->f, "%d", l->type == QIAO_NN_I8 ? (int8_t)w : (int)w);
        }
    fprintf(o->f, "};\n");
    write_floats(o, "b", i, l->bias, (size_t)l->nout);
    if (l->type == QIAO_NN_I8) write_floats(o, "s", i, l->scale, (size_t)l->nout);
    fprintf(o->f, "static const nn_dense %s_l%d = {%d, %d, ", o->name, i, (int)l->type,
            (int)l->act);
    write_float(o->f, l->alpha);
    fprintf(o->f, ", %d, %d, %s_w%d, %s_b%d, ", l->nin, l->nout, o->name, i, o->name, i);
    if (l->type == QIAO_NN_I8)
        fprintf(o->f, "%s_s%d};\n", o->name, i);
    else
        fprintf(o->f, "0};\n");
}
static int constant(out *o, const float *x) { // its number, -1: not seen before
    for (int i = 0; i < o->nseen; i++)
        if (o->seen[i] == x) return i;
    return -1;
}
static void write_constant(out *o, const qi_spot *s) {
    if (s->place != QI_AT_CONST || !s->data || constant(o, s->data) >= 0) return;
    write_floats(o, "c", o->nseen, s->data, (size_t)s->size);
    o->seen[o->nseen++] = s->data;
}

// ---- steps
static void write_spot(out *o, const qi_spot *s) {
    const qiao_nn *nn = o->nn;
    if (s->place == QI_AT_CONST && !s->data)
        fputs("0", o->f);
    else if (s->place == QI_AT_CONST)
        fprintf(o->f, "%s_c%d", o->name, constant(o, s->data));
    else if (s->place == QI_AT_WORK)
        fprintf(o->f, "work + %zu", s->at);
    else
        fputs(o->port[s->slot + (s->place == QI_AT_OUTPUT ? nn->nin : 0)], o->f);
}
static void write_data(out *o) {
    for (int i = 0, layer = 0; i < o->nn->nstep; i++) {
        const qi_run *s = &o->nn->step[i];
        for (int k = 0; k < s->nx + s->ny; k++) write_constant(o, &s->at[k]);
        write_ints(o, "p", i, s->arg.p, s->np);
        write_floats(o, "f", i, s->arg.f, (size_t)s->nf);
        write_ints(o, "t", i, s->arg.xs, s->nx + s->ny);
        int first = layer;
        for (int k = 0; k < s->nd; k++) write_layer(o, layer++, s->arg.d[k]);
        if (!s->nd) continue;
        fprintf(o->f, "static const nn_dense *const %s_d%d[%d] = {", o->name, i, s->nd);
        for (int k = 0; k < s->nd; k++)
            fprintf(o->f, "%s&%s_l%d", k ? ", " : "", o->name, first + k);
        fprintf(o->f, "};\n");
    }
    for (int i = 0; i < o->nn->ngive; i++) write_constant(o, &o->nn->give[i].from);
}
static void write_head(out *o, FILE *f, const char *end) {
    const qiao_nn *nn = o->nn;
    fprintf(f, "void %s_run(", o->name);
    for (int i = 0; i < nn->nin; i++) fprintf(f, "const float *%s, ", o->port[i]);
    for (int i = 0; i < nn->nout; i++) fprintf(f, "float *%s, ", o->port[nn->nin + i]);
    fprintf(f, "float *work)%s", end);
}
static void write_body(out *o) {
    const qiao_nn *nn = o->nn;
    size_t own = nn->item, scratch = own + nn->work + nn->work_item;
    write_head(o, o->f, " {\n");
    int nlink = nn->nlink ? nn->nlink : 1;
    fprintf(o->f, "    const float *x[%d];\n    float *y[%d];\n", nlink, nlink);
    fprintf(o->f, "    nn_arg a = {1, 0, 0, x, 0, y, 0, 0, work + %zu, work + %zu};\n", own,
            scratch);
    for (int i = 0; i < nn->nstep; i++) {
        const qi_run *s = &nn->step[i];
        for (int k = 0; k < s->nx + s->ny; k++) {
            if (k < s->nx)
                fprintf(o->f, "    x[%d] = ", k);
            else
                fprintf(o->f, "    y[%d] = ", k - s->nx);
            write_spot(o, &s->at[k]);
            fprintf(o->f, ";\n");
        }
        fprintf(o->f, "    a.p = %s_p%d, a.f = %s_f%d, a.xs = %s_t%d, a.ys = %s_t%d + %d;\n",
                o->name, i, o->name, i, o->name, i, o->name, i, s->nx);
        if (s->nd) fprintf(o->f, "    a.d = %s_d%d;\n", o->name, i);
        fprintf(o->f, "    %s(&a);\n", s->core->name);
    }
    for (int i = 0; i < nn->ngive; i++) {
        const qi_give *g = &nn->give[i];
        fprintf(o->f, "    x[0] = ");
        write_spot(o, &g->from);
        fprintf(o->f, ";\n    for (int i = 0; i < %d; i++) %s[i] = x[0][i];\n", g->from.size,
                o->port[nn->nin + g->slot]);
    }
    fprintf(o->f, "    (void)x, (void)y, (void)a, (void)work;\n");
    for (int i = 0; i < nn->nin; i++) fprintf(o->f, "    (void)%s;\n", o->port[i]);
    fprintf(o->f, "}\n");
}

// Numbers of the work block: passed on, a step's own, a row of the widest layer.
static size_t work_numbers(const qiao_nn *nn) {
    size_t row = 1;
    for (int i = 0; i < nn->nstep; i++)
        for (int k = 0; k < nn->step[i].nd; k++)
            if ((size_t)nn->step[i].arg.d[k]->nin > row) row = (size_t)nn->step[i].arg.d[k]->nin;
    return nn->item + nn->work + nn->work_item + row;
}
static void write_header(out *o, FILE *f) {
    static const char *const TYPE[] = {"float32", "bfloat16", "int8"};
    const qiao_nn *nn = o->nn;
    fprintf(f,
            "/* A network written by qiao compile; weights %s; hash of the ONNX file %s.\n"
            "   C99 without a library; build with contraction off (-std=c99 or -ffp-contract=off)\n"
            "   for the very bits of qiao. work: %s_WORK numbers, kept by nobody between runs. */\n"
            "#ifndef NN_%s_H\n#define NN_%s_H\n#define %s_WORK %zu\n",
            TYPE[nn->type], nn->hash, o->name, o->name, o->name, o->name, work_numbers(nn));
    for (int i = 0; i < nn->nin + nn->nout; i++) {
        const qiao_nn_port *p = i < nn->nin ? &nn->in[i] : &nn->out[i - nn->nin];
        fprintf(f, "/* %s %s [%d] */\n", i < nn->nin ? "in " : "out", o->port[i], p->size);
    }
    write_head(o, f, ";\n#endif\n");
}

// A name of C from one of the file, unlike those before it.
static void identifier(const char *from, char (*all)[64], int n, char to[64]) {
    int k = 0;
    if (!isalpha((unsigned char)*from)) k = snprintf(to, 64, "v");
    for (; *from && k < 40; from++) to[k++] = isalnum((unsigned char)*from) ? *from : '_';
    to[k] = 0;
    static const char *const TAKEN[] = {"work",  "x",      "y",      "a",  "i",    "int",
                                        "float", "for",    "if",     "do", "char", "void",
                                        "const", "static", "return", "R",  "T",    "mask"};
    bool again = false;
    for (int i = 0; i < n; i++) again = again || !strcmp(all[i], to);
    for (size_t i = 0; i < sizeof TAKEN / sizeof *TAKEN; i++)
        again = again || !strcmp(TAKEN[i], to);
    if (again || n > 999) snprintf(to + k, 64 - (size_t)k, "_%d", n);
}
static qiao_err save(const char *dir, const char *name, const char *end, char *text, size_t n,
                     qiao_diag *d) {
    char path[1200];
    if (snprintf(path, sizeof path, "%s/%s%s", dir, name, end) >= (int)sizeof path)
        return qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0, "the path is too long: %.100s...", dir);
    return qiao_file_write(path, text, n, d);
}
qiao_err qiao_nn_write_c(const qiao_nn *nn, const char *dir, const char *name, qiao_diag *d) {
    bool fine = isalpha((unsigned char)*name) && strlen(name) <= 40;
    for (const char *s = name; *s; s++) fine = fine && (isalnum((unsigned char)*s) || *s == '_');
    if (!fine)
        return qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0,
                             "'%.60s' is no name of C, expected at most 40 letters, digits and _",
                             name);
    int nport = nn->nin + nn->nout, nspot = nn->ngive;
    for (int i = 0; i < nn->nstep; i++) nspot += nn->step[i].nx + nn->step[i].ny;
    char *text[2] = {NULL, NULL};
    size_t n[2];
    out o = {.nn = nn, .name = name};
    o.seen = calloc((size_t)nspot + 1, sizeof *o.seen), o.port = calloc((size_t)nport + 1, 64);
    FILE *h = open_memstream(&text[0], &n[0]), *c = open_memstream(&text[1], &n[1]);
    qiao_err e = QIAO_E_MEM;
    if (o.seen && o.port && h && c) {
        for (int i = 0; i < nport; i++)
            identifier(i < nn->nin ? nn->in[i].name : nn->out[i - nn->nin].name, o.port, i,
                       o.port[i]);
        write_header(&o, h);
        o.f = c;
        for (const qi_nn_text *t = qi_nn_texts; t->name; t++)
            if (needed(nn, t->family)) write_text(&o, t);
        fprintf(c, "#include \"%s.h\"\n\n", name);
        write_data(&o);
        write_body(&o);
        e = QIAO_OK;
    }
    if (h && fclose(h)) e = QIAO_E_MEM;
    if (c && fclose(c)) e = QIAO_E_MEM;
    if (e) qiao_diag_set(d, e, NULL, 0, 0, "out of memory");
    if (!e) e = qiao_dir_make(dir, d);
    if (!e) e = save(dir, name, ".h", text[0], n[0], d);
    if (!e) e = save(dir, name, ".c", text[1], n[1], d);
    free(text[0]), free(text[1]), free(o.seen), free(o.port);
    return e;
}
