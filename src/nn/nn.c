// SPDX-License-Identifier: Apache-2.0
// nn.c - loading and running a network.
#include "nn/plan.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64 };

qiao_nn *qiao_nn_read(const void *data, size_t bytes, const char *name, const char *dir,
                      qiao_nn_type type, qiao_diag *d) {
    qiao_hash h;
    uint8_t raw[QIAO_HASH_BYTES];
    if (!name) name = "network";
    if (bytes > QI_NN_FILE_MAX) {
        qiao_diag_set(d, QIAO_E_LIMIT, name, 0, 0, "has %zu bytes, at most %d are read", bytes,
                      QI_NN_FILE_MAX);
        return NULL;
    }
    qiao_hash_init(&h);
    qiao_hash_add(&h, data, bytes);
    qiao_nn *nn = qi_nn_build(data, bytes, name, dir, type, &h, d);
    if (!nn) return NULL;
    qiao_hash_end(&h, raw);
    qiao_hash_hex(raw, nn->hash);
    return nn;
}
qiao_nn *qiao_nn_load(const char *path, qiao_nn_type type, qiao_diag *d) {
    char *data, dir[PATH_MAX];
    size_t bytes;
    if (strlen(path) >= sizeof dir) {
        qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0, "the path is too long: %.100s...", path);
        return NULL;
    }
    if (qiao_file_read(path, QI_NN_FILE_MAX, &data, &bytes, d)) return NULL;
    strcpy(dir, path);
    char *slash = strrchr(dir, '/');
    if (slash)
        slash[slash == dir] = 0;
    else
        strcpy(dir, ".");
    qiao_nn *nn = qiao_nn_read(data, bytes, path, dir, type, d);
    free(data);
    return nn;
}
void qiao_nn_free(qiao_nn *nn) {
    if (nn) qiao_arena_free(nn->arena); // nn itself lies in it
}

int qiao_nn_inputs(const qiao_nn *nn) { return nn->nin; }
int qiao_nn_outputs(const qiao_nn *nn) { return nn->nout; }
const qiao_nn_port *qiao_nn_input(const qiao_nn *nn, int i) {
    return i >= 0 && i < nn->nin ? &nn->in[i] : NULL;
}
const qiao_nn_port *qiao_nn_output(const qiao_nn *nn, int i) {
    return i >= 0 && i < nn->nout ? &nn->out[i] : NULL;
}
static int find(const qiao_nn_port *p, int n, const char *name) {
    for (int i = 0; i < n; i++)
        if (!strcmp(p[i].name, name)) return i;
    return -1;
}
int qiao_nn_find_input(const qiao_nn *nn, const char *name) { return find(nn->in, nn->nin, name); }
int qiao_nn_find_output(const qiao_nn *nn, const char *name) {
    return find(nn->out, nn->nout, name);
}
const char *qiao_nn_meta(const qiao_nn *nn, const char *key) {
    for (int i = 0; i < nn->nmeta; i++)
        if (!strcmp(nn->meta[i].key, key)) return nn->meta[i].value;
    return NULL;
}
int qiao_nn_nmeta(const qiao_nn *nn) { return nn->nmeta; }
const char *qiao_nn_meta_key(const qiao_nn *nn, int i) {
    return i >= 0 && i < nn->nmeta ? nn->meta[i].key : NULL;
}
void qiao_nn_hash(const qiao_nn *nn, char hex[65]) { memcpy(hex, nn->hash, QIAO_HASH_HEX); }

// ---- the work block: pointers of a step, what steps pass on, a step's own, the dense layers'
typedef struct layout {
    int most; // items at a time
    size_t item, own, scratch, bytes;
} layout;
static size_t round_up(size_t n) { return (n + ALIGN - 1) / ALIGN * ALIGN; }
static layout lay_out(const qiao_nn *nn, int n) {
    layout l = {.most = n < 1 ? 1 : n < nn->chunk ? n : nn->chunk};
    size_t most = (size_t)l.most;
    l.item = round_up((size_t)nn->nlink * sizeof(float *));
    l.own = l.item + round_up(most * nn->item * sizeof(float));
    l.scratch = l.own + round_up((nn->work + most * nn->work_item) * sizeof(float));
    l.bytes = l.scratch + round_up(nn->scratch);
    return l;
}
size_t qiao_nn_work(const qiao_nn *nn, int n) { return lay_out(nn, n).bytes; }

// Items from `from` on are at hand.
typedef struct ports {
    const float *const *in;
    float *const *out;
    float *item;
    size_t from, most;
} ports;
static inline float *point(const qi_spot *s, const ports *b) {
    switch (s->place) {
    case QI_AT_WORK: return b->item + s->at * b->most;
    case QI_AT_INPUT: return (float *)(uintptr_t)b->in[s->slot] + b->from * (size_t)s->size;
    case QI_AT_OUTPUT: return b->out[s->slot] + b->from * (size_t)s->size;
    default: return (float *)(uintptr_t)s->data;
    }
}
static bool all_finite(const float *x, size_t n) {
    uint32_t bad = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t w;
        memcpy(&w, x + i, sizeof w);
        bad |= (w & 0x7f800000) == 0x7f800000;
    }
    return !bad;
}

qiao_err qiao_nn_run(const qiao_nn *nn, int n, const float *const *in, float *const *out,
                     void *work) {
    if (n < 0) return QIAO_E_ARG;
    layout l = lay_out(nn, n);
    char *block = work;
    float **link = (float **)work, *own = (float *)(void *)(block + l.own);
    ports b = {in, out, (float *)(void *)(block + l.item), 0, (size_t)l.most};
    for (; b.from < (size_t)n; b.from += b.most) {
        size_t left = (size_t)n - b.from, m = left < b.most ? left : b.most;
        for (const qi_run *s = nn->step, *end = s + nn->nstep; s < end; s++) {
            nn_arg a = s->arg;
            for (int k = 0; k < s->nx + s->ny; k++) link[k] = point(s->at + k, &b);
            a.n = (int)m, a.x = (const float *const *)link, a.y = link + s->nx;
            a.work = own, a.scratch = block + l.scratch;
            s->run(&a);
        }
        for (int i = 0; i < nn->ngive; i++) {
            const qi_give *g = nn->give + i;
            size_t size = (size_t)g->from.size;
            const float *x = point(&g->from, &b);
            float *y = out[g->slot] + b.from * size;
            bool same = g->from.place == QI_AT_CONST;
            for (size_t k = 0; k < m; k++)
                memcpy(y + k * size, x + (same ? 0 : k * size), size * 4);
        }
    }
    bool ok = true;
    for (int i = 0; i < nn->nout; i++)
        ok = all_finite(out[i], (size_t)n * (size_t)nn->out[i].size) && ok;
    return ok ? QIAO_OK : QIAO_E_NAN;
}
