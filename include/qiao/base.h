// SPDX-License-Identifier: Apache-2.0
// qiao/base.h - errors, memory, random numbers, hashes: what every room stands on.
// units    SI
// threads  every call here is safe from any thread on its own objects
#ifndef QIAO_BASE_H
#define QIAO_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(default) // libqiao.so exports what is public

// One list makes the codes, their names and their texts. 0 is success, all others negative.
#define QIAO_ERR_LIST(X)                                            \
    X(0, OK, "success")                                             \
    X(-1, E_ARG, "a value that the call does not take")             \
    X(-2, E_MEM, "out of memory")                                   \
    X(-3, E_IO, "a file could not be read or written")              \
    X(-4, E_FORMAT, "a file does not follow its format")            \
    X(-5, E_NAME, "no such name")                                   \
    X(-6, E_FIT, "the parts do not fit each other")                 \
    X(-7, E_NAN, "a result is not finite")                          \
    X(-8, E_LIMIT, "a stated limit was passed")                     \
    X(-9, E_TIMEOUT, "no answer within the deadline")               \
    X(-10, E_PEER, "the other process ended or broke the protocol") \
    X(-11, E_INFEASIBLE, "no solution satisfies the constraints")   \
    X(-12, E_UNSUPPORTED, "a feature that is not supported")        \
    X(-13, E_ABI, "built for another version of the interface")

typedef enum qiao_err {
#define QIAO_ERR_ENUM(code, name, text) QIAO_##name = code,
    QIAO_ERR_LIST(QIAO_ERR_ENUM)
#undef QIAO_ERR_ENUM
} qiao_err;

const char *qiao_err_name(qiao_err e); // "E_NAN"
const char *qiao_err_text(qiao_err e); // "a result is not finite"

// What a person is told. Loaders fill it; text is empty as long as nothing is wrong.
typedef struct qiao_diag {
    qiao_err err;
    char text[1000]; // "file:line:col: what is wrong, what was expected"
} qiao_diag;

// Writes "file:line:col: ..." (line, col 0: left out; file NULL: left out) and returns e.
// The first fault stays: a diag that already has one is not overwritten. d may be NULL.
qiao_err qiao_diag_set(qiao_diag *d, qiao_err e, const char *file, int line, int col,
                       const char *fmt, ...) __attribute__((format(printf, 6, 7)));

// The entry of names[n] nearest to name by edit distance, or NULL if none is near enough to be
// what was meant (more than a third of the letters differ).
const char *qiao_nearest(const char *name, const char *const *names, int n);

// Memory of a loaded thing: grows while loading, freed at once. Never used in a step.
typedef struct qiao_arena qiao_arena;
qiao_arena *qiao_arena_new(void);
void qiao_arena_free(qiao_arena *a);
void *qiao_arena_get(qiao_arena *a, size_t bytes); // zeroed, 64-byte aligned; NULL: out of memory
char *qiao_arena_text(qiao_arena *a, const char *s, size_t n); // n bytes of s and a final 0
char *qiao_arena_printf(qiao_arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// Counter-based random numbers: the same key and counter give the same number on any machine, in
// any order. Source: J. Salmon et al., Parallel random numbers: as easy as 1, 2, 3 (SC 2011),
// Philox4x32-10. Key them by what the number is for (law 7).
typedef struct qiao_rng {
    uint64_t seed, trial;
    uint32_t purpose; // one of the QIAO_RNG_ constants or a hash of a name
} qiao_rng;
enum { QIAO_RNG_CASE = 1, QIAO_RNG_SENSOR = 2, QIAO_RNG_BRAIN = 3, QIAO_RNG_WORLD = 4 };
double qiao_rng_uniform(const qiao_rng *r, uint64_t counter, uint32_t index); // [0, 1)
double qiao_rng_normal(const qiao_rng *r, uint64_t counter, uint32_t index);  // mean 0, variance 1

// Content hash: BLAKE2b, 256 bits (libsodium).
enum { QIAO_HASH_BYTES = 32, QIAO_HASH_HEX = 65 };
typedef struct qiao_hash {
    _Alignas(64) uint8_t state[384];
} qiao_hash;
void qiao_hash_init(qiao_hash *h);
void qiao_hash_add(qiao_hash *h, const void *data, size_t bytes);
void qiao_hash_end(qiao_hash *h, uint8_t out[QIAO_HASH_BYTES]);
void qiao_hash_hex(const uint8_t hash[QIAO_HASH_BYTES], char hex[QIAO_HASH_HEX]);

// Whole file into memory, at most limit bytes, with a final 0 that is not counted. free() it.
qiao_err qiao_file_read(const char *path, size_t limit, char **data, size_t *bytes, qiao_diag *d);
// Writes beside the target and renames, so that a reader never sees half a file.
qiao_err qiao_file_write(const char *path, const void *data, size_t bytes, qiao_diag *d);
// Creates path and the folders above it.
qiao_err qiao_dir_make(const char *path, qiao_diag *d);

#pragma GCC visibility pop
#endif
