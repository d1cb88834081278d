// SPDX-License-Identifier: Apache-2.0
// arena.c - memory of loaded things: a list of blocks, freed at once.
#include "qiao/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64, BLOCK = 64 * 1024 };
typedef struct block {
    struct block *next;
    size_t used, size;
    _Alignas(ALIGN) char data[];
} block;
struct qiao_arena {
    block *first;
};

qiao_arena *qiao_arena_new(void) { return calloc(1, sizeof(qiao_arena)); }

void qiao_arena_free(qiao_arena *a) {
    if (!a) return;
    for (block *b = a->first, *next; b; b = next) next = b->next, free(b);
    free(a);
}

void *qiao_arena_get(qiao_arena *a, size_t bytes) {
    if (bytes > ((size_t)1 << 40)) return NULL;
    size_t need = (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (need == 0) need = ALIGN;
    block *b = a->first;
    if (!b || b->size - b->used < need) {
        size_t size = need > BLOCK ? need : BLOCK;
        b = aligned_alloc(ALIGN, sizeof(block) + size);
        if (!b) return NULL;
        *b = (block){.next = a->first, .size = size};
        a->first = b;
    }
    void *p = b->data + b->used;
    b->used += need;
    return memset(p, 0, need);
}

char *qiao_arena_text(qiao_arena *a, const char *s, size_t n) {
    char *p = qiao_arena_get(a, n + 1);
    if (p && n) memcpy(p, s, n);
    return p;
}

char *qiao_arena_printf(qiao_arena *a, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0) return NULL;
    char *p = qiao_arena_get(a, (size_t)n + 1);
    if (!p) return NULL;
    va_start(ap, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return p;
}
