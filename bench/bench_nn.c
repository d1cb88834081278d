// SPDX-License-Identifier: Apache-2.0
// bench_nn.c - networks through qiao_nn_read and qiao_nn_run beside ONNX Runtime: the same file in
// memory, same inputs, same run, one core, in turns: one input with warm caches, one with cold
// caches, 4,096 inputs. Middle of many runs, least in brackets; the ratio is of the middles.
//   bench_nn [libonnxruntime.so]     or its path in QIAO_ONNXRUNTIME

#include "nn/kern_ops.h"
#include "qiao/nn.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LAYERS_MAX = 4, BATCH = 4096, COLD = 48 << 20 };
typedef struct network {
    const char *name;
    int nlayer, size[LAYERS_MAX + 1];
} network;
static const network NET[] = {{"48-512-256-128-12, ELU", 4, {48, 512, 256, 128, 12}},
                              {"98-256-256-12, ELU", 3, {98, 256, 256, 12}}};
static const char *const TYPE[3] = {"float32", "bfloat16", "int8"};

static double now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}
static uint32_t seed = 1;
static float rnd(void) {
    seed = seed * 1664525u + 1013904223u;
    return (float)(seed >> 8) * 0x1p-23f - 1;
}
static void *get_mem(size_t n) {
    void *p = aligned_alloc(64, (n + 127) / 64 * 64);
    if (!p) abort();
    memset(p, 0, n);
    return p;
}

// ---- the network as an ONNX file in memory (protobuf: tag, length, bytes)
typedef struct buf {
    uint8_t *p;
    size_t n;
} buf;
static void put_var(buf *b, uint64_t v) {
    for (; v > 127; v >>= 7) b->p[b->n++] = (uint8_t)(v | 128);
    b->p[b->n++] = (uint8_t)v;
}
static void put_int(buf *b, int field, uint64_t v) {
    put_var(b, (uint64_t)field << 3);
    put_var(b, v);
}
static void put_bytes(buf *b, int field, const void *s, size_t n) {
    put_var(b, (uint64_t)field << 3 | 2);
    put_var(b, n);
    memcpy(b->p + b->n, s, n);
    b->n += n;
}
static void put_text(buf *b, int field, const char *s) { put_bytes(b, field, s, strlen(s)); }
static void put_buf(buf *b, int field, buf *sub) {
    put_bytes(b, field, sub->p, sub->n);
    free(sub->p);
}
static buf new_buf(void) { return (buf){get_mem(2 << 20), 0}; }

static void put_tensor(buf *g, const char *name, int rows, int cols, const float *x) {
    buf t = new_buf();
    if (rows) put_int(&t, 1, (uint64_t)rows);
    put_int(&t, 1, (uint64_t)cols);
    put_int(&t, 2, 1);
    put_text(&t, 8, name);
    put_bytes(&t, 9, x, (size_t)(rows ? rows : 1) * (size_t)cols * sizeof *x);
    put_buf(g, 5, &t);
}
static void put_port(buf *g, int field, const char *name, int cols) {
    buf port = new_buf(), type = new_buf(), tensor = new_buf(), shape = new_buf();
    buf n = new_buf(), c = new_buf();
    put_text(&n, 2, "n"), put_int(&c, 1, (uint64_t)cols);
    put_buf(&shape, 1, &n), put_buf(&shape, 1, &c);
    put_int(&tensor, 1, 1), put_buf(&tensor, 2, &shape);
    put_buf(&type, 1, &tensor);
    put_text(&port, 1, name), put_buf(&port, 2, &type);
    put_buf(g, field, &port);
}
static buf write_model(const network *net, float *const *w, float *const *b) {
    const int *SIZE = net->size, NLAYER = net->nlayer;
    buf g = new_buf(), m = new_buf(), opset = new_buf();
    char in[8] = "x", mid[8], out[8], wn[8], bn[8];
    for (int i = 0; i < NLAYER; i++) {
        bool last = i == NLAYER - 1;
        snprintf(mid, sizeof mid, last ? "y" : "h%d", i), snprintf(out, sizeof out, "e%d", i);
        snprintf(wn, sizeof wn, "w%d", i), snprintf(bn, sizeof bn, "b%d", i);
        buf node = new_buf();
        put_text(&node, 1, in), put_text(&node, 1, wn), put_text(&node, 1, bn);
        put_text(&node, 2, mid), put_text(&node, 4, "Gemm");
        put_buf(&g, 1, &node);
        if (!last) {
            node = new_buf();
            put_text(&node, 1, mid), put_text(&node, 2, out), put_text(&node, 4, "Elu");
            put_buf(&g, 1, &node);
        }
        memcpy(in, out, sizeof in);
        put_tensor(&g, wn, SIZE[i], SIZE[i + 1], w[i]);
        put_tensor(&g, bn, 0, SIZE[i + 1], b[i]);
    }
    put_text(&g, 2, "net");
    put_port(&g, 11, "x", SIZE[0]), put_port(&g, 12, "y", SIZE[NLAYER]);
    put_int(&opset, 2, 13);
    put_int(&m, 1, 8), put_buf(&m, 7, &g), put_buf(&m, 8, &opset);
    return m;
}

// ---- ONNX Runtime through the table of its C interface; positions are part of its ABI
typedef void call(void); // cast to one of the types below
typedef struct peer {
    const char *version;
    call **api;
    void *session, *info;
} peer;
typedef struct peer_base {
    call **(*api)(uint32_t version);
    const char *(*version)(void);
} peer_base;
enum { // position in the table
    AT_MESSAGE = 2,
    AT_ENV = 3,
    AT_SESSION = 8,
    AT_RUN = 9,
    AT_OPTIONS = 10,
    AT_LEVEL = 23,
    AT_INTRA = 24,
    AT_INTER = 25,
    AT_TENSOR = 49,
    AT_CPU = 69
};
typedef void *f_env(int level, const char *id, void **out); // a status, NULL if all is well
typedef void *f_options(void **out);
typedef void *f_option(void *options, int x);
typedef void *f_session(void *env, const void *model, size_t n, const void *options, void **out);
typedef void *f_cpu(int allocator, int kind, void **out);
typedef void *f_tensor(const void *info, void *p, size_t n, const int64_t *shape, size_t rank,
                       int type, void **out);
typedef void *f_run(void *session, const void *options, const char *const *in, const void *const *x,
                    size_t nin, const char *const *out, size_t nout, void **y);
typedef const char *f_text(const void *status);
static void must(const peer *p, void *status) {
    if (!status) return;
    fprintf(stderr, "onnxruntime: %s\n", ((f_text *)p->api[AT_MESSAGE])(status));
    exit(1);
}
static bool peer_open(peer *p, const char *path, const buf *model) {
    void *lib = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    if (!lib) return false;
    const peer_base *(*get)(void);
    *(void **)&get = dlsym(lib, "OrtGetApiBase");
    if (!get) return false;
    p->version = get()->version();
    p->api = get()->api(11);
    if (!p->api) return false;
    void *env, *options;
    must(p, ((f_env *)p->api[AT_ENV])(3, "bench", &env));
    must(p, ((f_options *)p->api[AT_OPTIONS])(&options));
    must(p, ((f_option *)p->api[AT_LEVEL])(options, 99));
    must(p, ((f_option *)p->api[AT_INTRA])(options, 1));
    must(p, ((f_option *)p->api[AT_INTER])(options, 1));
    must(p, ((f_session *)p->api[AT_SESSION])(env, model->p, model->n, options, &p->session));
    must(p, ((f_cpu *)p->api[AT_CPU])(1, 0, &p->info));
    return true;
}
static void *peer_tensor(const peer *p, float *x, int n, int cols) {
    int64_t shape[2] = {n, cols};
    void *t;
    size_t bytes = (size_t)n * (size_t)cols * sizeof *x;
    must(p, ((f_tensor *)p->api[AT_TENSOR])(p->info, x, bytes, shape, 2, 1, &t));
    return t;
}

// ---- both sides as a job: n inputs x to y
typedef struct side {
    const peer *p; // NULL: ours
    void *tx, *ty; // tensors of the peer
    qiao_nn *nn;
    void *work;
    const float *x;
    float *y;
    int n;
} side;
static void run(const side *s) {
    if (!s->p) {
        if (qiao_nn_run(s->nn, s->n, &s->x, (float *[]){s->y}, s->work)) abort();
        return;
    }
    const char *in = "x", *out = "y";
    void *ty = s->ty;
    const void *tx = s->tx;
    must(s->p, ((f_run *)s->p->api[AT_RUN])(s->p->session, NULL, &in, &tx, 1, &out, 1, &ty));
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
static volatile char sink;
static char *flood;
// us a run of each side, in turns: every run of one is followed by one of the next
static void measure(side *s, int ns, int runs, int each, bool cold, double *least, double *middle) {
    double *t = get_mem((size_t)(ns * runs) * sizeof *t);
    for (int r = 0; r < runs; r++)
        for (int i = 0; i < ns; i++) {
            if (cold) {
                for (size_t k = 0; k < COLD; k += 64) flood[k]++;
                sink = flood[COLD / 2];
            } else
                run(s + i);
            double a = now_us();
            for (int k = 0; k < each; k++) run(s + i);
            t[i * runs + r] = (now_us() - a) / each;
        }
    for (int i = 0; i < ns; i++) {
        qsort(t + i * runs, (size_t)runs, sizeof *t, ascending);
        least[i] = t[i * runs], middle[i] = t[i * runs + runs / 2];
    }
    free(t);
}

static void bench(const network *net, const char *path) {
    int nin = net->size[0], nout = net->size[net->nlayer];
    float *w[LAYERS_MAX], *b[LAYERS_MAX], *x = get_mem((size_t)BATCH * (size_t)nin * 4);
    for (int i = 0; i < net->nlayer; i++) {
        size_t from = (size_t)net->size[i], to = (size_t)net->size[i + 1];
        w[i] = get_mem(from * to * 4), b[i] = get_mem(to * 4);
        for (size_t k = 0; k < from * to; k++) w[i][k] = rnd() * sqrtf(3 / (float)from);
        for (size_t k = 0; k < to; k++) b[i][k] = 0.1f * rnd();
    }
    for (int i = 0; i < BATCH * nin; i++) x[i] = rnd();
    peer p = {0};
    buf model = write_model(net, w, b);
    bool has = peer_open(&p, path, &model);
    printf("\n%s: ", net->name);
    if (has)
        printf("beside ONNX Runtime %s, one thread, all optimisations\n", p.version);
    else
        printf("peer absent: %s\n", path ? path : "no path given, nor QIAO_ONNXRUNTIME");
    side s[4] = {{.p = &p}};
    for (int t = 0; t < 3; t++) {
        qiao_diag d = {0};
        s[1 + t].nn = qiao_nn_read(model.p, model.n, net->name, NULL, (qiao_nn_type)t, &d);
        if (!s[1 + t].nn) fprintf(stderr, "%s\n", d.text), exit(1);
        s[1 + t].work = get_mem(qiao_nn_work(s[1 + t].nn, BATCH));
    }
    for (int i = 0; i < 4; i++) s[i].x = x, s[i].y = get_mem((size_t)BATCH * (size_t)nout * 4);

    side *all = has ? s : s + 1;
    int ns = has ? 4 : 3;
    static const char *const JOB[3] = {"one input, warm", "one input, cold", "4,096 inputs"};
    for (int job = 0; job < 3; job++) {
        int n = job == 2 ? BATCH : 1, runs = job == 0 ? 200 : job == 1 ? 60 : 9;
        for (int i = 0; i < 4; i++) s[i].n = n;
        if (has) s[0].tx = peer_tensor(&p, x, n, nin), s[0].ty = peer_tensor(&p, s[0].y, n, nout);
        double least[4], middle[4];
        measure(all, ns, runs, job == 0 ? 20 : 1, job == 1, least, middle);
        for (int i = 0; i < ns; i++) {
            bool ours = !all[i].p;
            printf("%-16s %-12s %10.2f us (%.2f)", JOB[job], ours ? TYPE[&all[i] - s - 1] : "peer",
                   middle[i], least[i]);
            if (has && ours) {
                double off = 0;
                for (int k = 0; k < n * nout; k++)
                    off = fmax(off, fabs((double)all[i].y[k] - s[0].y[k]));
                printf("  %5.2f times the peer's speed, off by %.1e", middle[0] / middle[i], off);
            }
            putchar('\n');
        }
    }
    for (int t = 0; t < 3; t++) qiao_nn_free(s[1 + t].nn), free(s[1 + t].work);
    for (int i = 0; i < 4; i++) free(s[i].y);
    for (int i = 0; i < net->nlayer; i++) free(w[i]), free(b[i]);
    free(x), free(model.p);
}

int main(int argc, char **argv) {
    flood = get_mem(COLD);
    for (int t = 0; t < 3; t++)
        printf("ours: %-8s by %s\n", TYPE[t], qi_kern_best((qiao_nn_type)t)->name);
    for (size_t i = 0; i < sizeof NET / sizeof *NET; i++)
        bench(&NET[i], argc > 1 ? argv[1] : getenv("QIAO_ONNXRUNTIME"));
    return 0;
}
