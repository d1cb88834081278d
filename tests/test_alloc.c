// SPDX-License-Identifier: Apache-2.0
// test_alloc.c - the step never allocates (law 6). The allocator is replaced for the whole program,
// libraries included: malloc, calloc, realloc, aligned_alloc, posix_memalign and memalign count.
#include "qiao/sim.h"
#include "test.h"

#include <errno.h>
#include <stdatomic.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static atomic_long counted;
static atomic_bool counting;

#if !SANITIZED
#define EXPORT __attribute__((visibility("default")))
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t each);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);

static void note(void) {
    if (atomic_load(&counting)) atomic_fetch_add(&counted, 1);
}
void *memalign(size_t align, size_t n);

EXPORT void *malloc(size_t n) { return note(), __libc_malloc(n); }
EXPORT void *calloc(size_t n, size_t each) { return note(), __libc_calloc(n, each); }
EXPORT void *realloc(void *p, size_t n) { return note(), __libc_realloc(p, n); }
EXPORT void *memalign(size_t align, size_t n) { return note(), __libc_memalign(align, n); }
EXPORT void *aligned_alloc(size_t align, size_t n) { return note(), __libc_memalign(align, n); }
EXPORT int posix_memalign(void **p, size_t align, size_t n) {
    note();
    *p = __libc_memalign(align, n);
    return *p ? 0 : ENOMEM;
}
#endif

TEST(hook_sees_libraries) {
    if (SANITIZED) SKIP("the sanitizer has its own allocator");
    atomic_store(&counted, 0), atomic_store(&counting, true);
    qiao_diag d = {0};
    qiao_robot *r = qiao_robot_load("go2", &d); // MuJoCo allocates with new and with its own malloc
    atomic_store(&counting, false);
    CHECK(r != NULL, "%s", d.text);
    CHECK(atomic_load(&counted) > 1000, "only %ld seen", atomic_load(&counted));
    qiao_robot_free(r);
}

TEST(ten_thousand_steps_allocate_nothing) {
    if (SANITIZED) SKIP("the sanitizer has its own allocator");
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
    CHECK(atomic_load(&counted) == 0, "%ld allocations", atomic_load(&counted));
    qiao_sim_free(s), qiao_model_free(w), qiao_robot_free(r);
}
