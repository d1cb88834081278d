// SPDX-License-Identifier: Apache-2.0
// test_alloc.c - the step never allocates (law 6). The allocator is replaced for the whole program,
// libraries included: malloc, calloc, realloc, aligned_alloc, posix_memalign and memalign count.
#include "model/mjguard.h"
#include "nn_file.h"
#include "qiao/nn.h"
#include "qiao/sim.h"
#include "test.h"

#include <errno.h>
#include <mujoco/mujoco.h>
#include <stdatomic.h>

static atomic_long counted, living; // allocations seen, and how many of all were not freed yet
static atomic_long fail_at = -1;    // the allocation that fails, -1: none
static atomic_bool counting;

#if !TEST_SANITIZED
#define EXPORT __attribute__((visibility("default")))
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t each);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);
void __libc_free(void *p);

// Counts one allocation; false: this one fails.
static bool note(void) {
    return !atomic_load(&counting) || atomic_fetch_add(&counted, 1) != atomic_load(&fail_at);
}
static void *alive(void *p) {
    if (p) atomic_fetch_add(&living, 1);
    return p;
}
void *memalign(size_t align, size_t n);

EXPORT void *malloc(size_t n) { return note() ? alive(__libc_malloc(n)) : NULL; }
EXPORT void *calloc(size_t n, size_t each) { return note() ? alive(__libc_calloc(n, each)) : NULL; }
EXPORT void *realloc(void *p, size_t n) {
    if (!note()) return NULL;
    void *q = __libc_realloc(p, n);
    if (p == NULL) alive(q);
    return q;
}
EXPORT void *memalign(size_t align, size_t n) {
    return note() ? alive(__libc_memalign(align, n)) : NULL;
}
EXPORT void *aligned_alloc(size_t align, size_t n) { return memalign(align, n); }
EXPORT int posix_memalign(void **p, size_t align, size_t n) {
    *p = memalign(align, n);
    return *p ? 0 : ENOMEM;
}
EXPORT void free(void *p) {
    if (p) atomic_fetch_sub(&living, 1);
    __libc_free(p);
}
#endif

TEST(hook_sees_libraries) {
    if (TEST_SANITIZED) SKIP("the sanitizer has its own allocator");
    atomic_store(&counted, 0), atomic_store(&counting, true);
    qiao_diag d = {0};
    qiao_robot *r = qiao_robot_load("go2", &d); // MuJoCo allocates with new and with its own malloc
    atomic_store(&counting, false);
    CHECK(r != NULL, "%s", d.text);
    CHECK(atomic_load(&counted) > 1000, "only %ld seen", atomic_load(&counted));
    qiao_robot_free(r);
}

// Lets allocation n, n + 1, ... of make() fail in turn, until all it asks for is given. Returns the
// sum of blocks that were not freed after the failures.
static long fail_in_turn(bool (*make)(void *ctx), void *ctx, long *runs) {
    long lost = 0;
    for (*runs = 0; *runs < 1000; ++*runs) {
        long before = atomic_load(&living);
        atomic_store(&counted, 0), atomic_store(&fail_at, *runs), atomic_store(&counting, true);
        bool made = make(ctx);
        atomic_store(&counting, false), atomic_store(&fail_at, -1);
        lost += atomic_load(&living) - before;
        if (made && atomic_load(&counted) <= *runs) break;
    }
    return lost;
}

static bool make_data(void *ctx) { // MuJoCo's own
    mjData *data = qi_make_data(ctx);
    mj_deleteData(data);
    return data;
}

static qiao_diag last;
static bool silent; // a failure that did not say why

static bool make_sim(void *ctx) {
    last = (qiao_diag){0};
    qiao_sim *s = qiao_sim_new(ctx, &last);
    if (!s && (last.err == QIAO_OK || last.text[0] == 0)) silent = true;
    qiao_sim_free(s);
    return s;
}

TEST(every_allocation_of_a_sim_may_fail) {
    if (TEST_SANITIZED) SKIP("the sanitizer has its own allocator");
    qiao_diag d = {0};
    qiao_robot *r = qiao_robot_load("go2", &d);
    CHECK(r != NULL, "%s", d.text);
    const double origin[3] = {0, 0, 0};
    qiao_model *w = qiao_model_world(
        r, "<mujoco><worldbody><geom type='box' size='1 1 .1'/></worldbody></mujoco>", origin, 0,
        &d);
    CHECK(w != NULL, "%s", d.text);
    const qiao_model *worlds[2] = {w, w};
    const qiao_sensor grant = {.kind = QIAO_SENSE_HEIGHT_SCAN, .grid_n = {3, 3}, .grid_step = 0.1};
    qiao_sim_def def = qiao_sim_def_default();
    def.nworld = 2, def.nthread = 2, def.robot = r, def.world = worlds;
    def.grant = &grant, def.ngrant = 1;
    mjModel *mj;
    memcpy(&mj, &w->mj, sizeof mj);
    long runs, runs_mj, lost_mj = fail_in_turn(make_data, mj, &runs_mj);
    CHECK(make_sim(&def), "%s", last.text);
    long lost = fail_in_turn(make_sim, &def, &runs);
    CHECK(runs > 20 && runs < 1000, "%ld allocations", runs);
    CHECK(!silent, "a failure did not say why");
    // MuJoCo loses blocks of its own when memory ends in mj_makeData. A sim calls it four times:
    // for the soles, the height map and two worlds.
    CHECK(lost == 4 * lost_mj, "%ld blocks lost, %ld of them by MuJoCo", lost, 4 * lost_mj);
    qiao_model_free(w), qiao_robot_free(r);
}

static void steps_of(const char *engine, const char *solver, int iterations) {
    qiao_diag d = {0};
    qiao_robot *r = qiao_robot_load("go2", &d);
    CHECK(r != NULL, "%s", d.text);
    const double origin[3] = {0, 0, 0};
    qiao_model *w = qiao_model_world(
        r, "<mujoco><worldbody><geom name='floor' type='plane' size='0 0 1'/></worldbody></mujoco>",
        origin, 0, &d);
    CHECK(w != NULL, "%s", d.text);
    const qiao_model *worlds[4] = {w, w, w, w};
    const qiao_sensor grant[] = {
        {.kind = QIAO_SENSE_HEIGHT_SCAN, .grid_n = {11, 11}, .grid_step = 0.05, .rate_hz = 25},
        {.kind = QIAO_SENSE_BASE_POSE, .noise = 0.01, .bias = 0.01, .delay = 0.05}};
    qiao_sim_def def = qiao_sim_def_default();
    def.nworld = 4, def.nthread = 2, def.robot = r, def.world = worlds, def.period = 0.01;
    def.grant = grant, def.ngrant = 2;
    def.engine = engine, def.solver = solver, def.iterations = iterations;
    qiao_sim *s = qiao_sim_new(&def, &d);
    CHECK(s != NULL, "%s", d.text);
    double q[48], zero[48] = {0}, own[48];
    for (int i = 0; i < 48; i++) q[i] = r->rest_q[7 + i % 12], own[i] = -1;
    qiao_cmd c = {4, 12, q, zero, own, own, zero};
    qiao_hash h;
    qiao_hash_init(&h);
    atomic_store(&counted, 0), atomic_store(&counting, true);
    for (int t = 0; t < 500; t++) { // 4 worlds x 500 x 5 steps
        if (t % 100 == 0)
            for (int i = 0; i < 4; i++) qiao_sim_reset(s, i, 1, (uint64_t)t);
        qiao_sim_observe(s), qiao_sim_command(s, &c), qiao_sim_step(s, 5);
        for (int i = 0; i < 4; i++) {
            qiao_truth truth;
            qiao_sim_truth(s, i, &truth), qiao_sim_trace(s, i, &h), qiao_sim_peaks_clear(s, i);
        }
    }
    atomic_store(&counting, false);
    CHECK(atomic_load(&counted) == 0, "%s: %ld allocations", engine, atomic_load(&counted));
    qiao_sim_free(s), qiao_model_free(w), qiao_robot_free(r);
}

TEST(ten_thousand_steps_allocate_nothing) {
    if (TEST_SANITIZED) SKIP("the sanitizer has its own allocator");
    steps_of("mujoco", NULL, 0);
    steps_of("lanes", "newton", 0);
    steps_of("lanes32", "pgs", 3);
}

typedef struct file {
    pb m;
    qiao_nn_type type;
} file;
static bool make_nn(void *ctx) {
    const file *f = ctx;
    last = (qiao_diag){0};
    qiao_nn *nn = qiao_nn_read(f->m.p, f->m.n, "f.onnx", NULL, f->type, &last);
    if (!nn && (last.err == QIAO_OK || last.text[0] == 0)) silent = true;
    qiao_nn_free(nn);
    return nn;
}
static const struct {
    const char *op, *attrs, *in;
} NET[] = {{"Gemm", "transB=1", "x[1,3] 1; c[2,3] 1 2 3 4 5 6; c[2] 1 2"},
           {"Gemm", "transB=1", "c[1,3] 1 2 3; c[2,3] 1 2 3 4 5 6; c[2] 1 2"}, // at load
           {"Conv", "pads=[1,1]",
            "x[1,1,3] 1; c[8,1,3] 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 "
            "19 20 21 22 23 24"},
           {"LSTM", "hidden_size=1", "x[1,1,1] 1; c[1,4,1] 1 2 3 4; c[1,4,1] 1 2 3 4"},
           {"LogSoftmax", "", "x[2,2] 1"},
           {"Gather", "axis=1", "x[1,3] 1 2 3; i[2] 2 -3"},
           {"Pow", "", "x[3] 1; x[3] 1"}};
enum { NNET = sizeof NET / sizeof *NET };

TEST(every_allocation_of_a_network_may_fail) {
    if (TEST_SANITIZED) SKIP("the sanitizer has its own allocator");
    static tensor_text x[8];
    silent = false;
    for (int k = 0; k < NNET; k++) {
        int nx;
        long runs;
        file f = {make_file(NET[k].op, 13, NET[k].attrs, NET[k].in, 1, x, &nx),
                  (qiao_nn_type)(k % 3)};
        CHECK(make_nn(&f), "%s", last.text);
        long lost = fail_in_turn(make_nn, &f, &runs);
        CHECK(runs >= 4 && runs < 1000, "%s: %ld allocations", NET[k].op, runs);
        CHECK(lost == 0 && !silent, "%s: %ld blocks lost, silent %d", NET[k].op, lost, silent);
        free(f.m.p);
    }
}
TEST(a_network_runs_without_allocating) {
    if (TEST_SANITIZED) SKIP("the sanitizer has its own allocator");
    static tensor_text x[8];
    static _Alignas(64) char work[1 << 20];
    static float in[4096], out[4096];
    for (int k = 0; k < NNET; k++) {
        int nx;
        pb m = make_file(NET[k].op, 13, NET[k].attrs, NET[k].in, 1, x, &nx);
        qiao_nn *nn = qiao_nn_read(m.p, m.n, "f.onnx", NULL, (qiao_nn_type)(k % 3), NULL);
        CHECK(nn && qiao_nn_work(nn, 100) <= sizeof work, "%s", NET[k].op);
        atomic_store(&counted, 0), atomic_store(&counting, true);
        for (int n = 0; n <= 100; n++)
            qiao_nn_run(nn, n, (const float *[]){in, in}, (float *[]){out}, work);
        atomic_store(&counting, false);
        CHECK(atomic_load(&counted) == 0, "%s: %ld allocations", NET[k].op, atomic_load(&counted));
        qiao_nn_free(nn), free(m.p);
    }
}
