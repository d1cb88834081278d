// SPDX-License-Identifier: Apache-2.0
// pieces.h - what a learner's checkpoint holds behind its head: pieces of memory, one after the
// other.
#ifndef QI_LEARN_PIECES_H
#define QI_LEARN_PIECES_H

#include <string.h>

typedef struct qi_piece {
    void *at;
    size_t bytes;
} qi_piece;

static inline size_t qi_pieces_bytes(const qi_piece *p, int n) {
    size_t sum = 0;
    for (int i = 0; i < n; i++) sum += p[i].bytes;
    return sum;
}
static inline void qi_pieces_get(const qi_piece *p, int n, char *to) {
    for (int i = 0; i < n; to += p[i++].bytes) memcpy(to, p[i].at, p[i].bytes);
}
static inline void qi_pieces_set(const qi_piece *p, int n, const char *from) {
    for (int i = 0; i < n; from += p[i++].bytes) memcpy(p[i].at, from, p[i].bytes);
}

#endif
