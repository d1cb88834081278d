// SPDX-License-Identifier: Apache-2.0
// alloc_fail.h - this program's allocations are counted, and the one that is asked for fails.
#ifndef QIAO_TEST_ALLOC_FAIL_H
#define QIAO_TEST_ALLOC_FAIL_H

#include "test.h"

#include <errno.h>
#include <stdbool.h>

static long counted, live, fail_at; // fail_at: the allocation that fails, 0 none
static bool counting;

#if !TEST_SANITIZED
#define EXPORT __attribute__((visibility("default")))
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t each);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);
void __libc_free(void *p);
void *memalign(size_t align, size_t n);

static bool refused(void) { return counting && ++counted == fail_at; }
static void *made(void *p) {
    if (counting && p) live++;
    return p;
}
EXPORT void *malloc(size_t n) { return refused() ? NULL : made(__libc_malloc(n)); }
EXPORT void *calloc(size_t n, size_t e) { return refused() ? NULL : made(__libc_calloc(n, e)); }
EXPORT void *realloc(void *p, size_t n) {
    if (refused()) return NULL;
    void *q = __libc_realloc(p, n);
    if (counting && q && !p) live++;
    return q;
}
EXPORT void *memalign(size_t a, size_t n) { return refused() ? NULL : made(__libc_memalign(a, n)); }
EXPORT void *aligned_alloc(size_t a, size_t n) {
    return refused() ? NULL : made(__libc_memalign(a, n));
}
EXPORT int posix_memalign(void **p, size_t a, size_t n) {
    *p = refused() ? NULL : made(__libc_memalign(a, n));
    return *p ? 0 : ENOMEM;
}
EXPORT void free(void *p) {
    if (counting && p) live--;
    __libc_free(p);
}
#endif

#endif
