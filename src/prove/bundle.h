// SPDX-License-Identifier: Apache-2.0
// bundle.h - the file that a stranger checks (docs/prove_store.md); inside room prove only.
//   "QIAORES1", then sections: tag[4], u64 bytes, BLAKE2b[32] of the payload, payload
//   HEAD  canonical JSON (prove/head.h)
//   SCEN  sources of the scenario, its own file first: u32 n, name[n], u32 n, text[n]
//   ROWS  packed rows (prove/pack.h) in the order of their trials, as many as 64 KB hold; any number
//   ENDS  u64 rows, u64 passed, root[32]: BLAKE2b of magic, all section heads so far, the two counts
//   SIGN  public key[32], Ed25519 signature[64] of "qiao result 1" and the root; may be absent
#ifndef QI_BUNDLE_H
#define QI_BUNDLE_H

#include "prove/head.h"
#include "prove/pack.h"

#include <stdio.h>

#define QI_BUNDLE_MAGIC "QIAORES1"
enum {
    QI_BUNDLE_BLOCK = 1 << 16,
    QI_BUNDLE_MAX = 1 << 25, // bytes of a section
    QI_SIGN_KEY = 32,
    QI_SIGN_BYTES = 64,
};

typedef struct qi_section {
    char tag[5];
    uint8_t hash[QIAO_HASH_BYTES]; // as the file says
    bool whole;                    // the payload has that hash
    size_t n;
    uint8_t *p;  // [n] valid until the next section
    uint64_t at; // place of its head in the file
} qi_section;

typedef struct qi_bundle { // a file that is being read
    const char *name;
    FILE *f; // not owned
    qi_section s;
    size_t cap;
    uint64_t at; // bytes read
    qiao_hash root;
} qi_bundle;

// E_FORMAT: no bundle at all.
qiao_err qi_bundle_begin(qi_bundle *b, FILE *f, const char *name, qiao_diag *d);
void qi_bundle_end(qi_bundle *b);
// The next section into b->s. 0: there is one; 1: the file ended; 2: what follows is no section,
// or is cut off: d says where.
int qi_bundle_next(qi_bundle *b, qiao_diag *d);

// What a walk over the whole file found. Nothing in it is trusted: faults are counted and told.
typedef struct qi_walk {
    qi_head head; // in arena
    bool has_head;
    const char *scenario; // text of its own file, NULL: none
    size_t scenario_n;
    uint64_t nrow, npassed;
    uint8_t root[QIAO_HASH_BYTES];
    uint8_t key[QI_SIGN_KEY];
    bool is_signed, sign_good;
    uint64_t bad[64]; // places (counted from 0) of rows that are not whole
    int nbad, nfault;
    char fault[12][400]; // the first of them, in words
    qiao_arena *arena;   // owned
} qi_walk;
// E_FORMAT, E_IO: no bundle at all. Else w is filled; free by qi_walk_free.
qiao_err qi_bundle_walk(FILE *f, const char *name, qi_walk *w, qiao_diag *d);
void qi_walk_free(qi_walk *w);
// Rows that can be read, in order, with their places; false ends.
typedef bool (*qi_row_fn)(void *ctx, uint64_t place, const qiao_row *row, const double *u);
qiao_err qi_bundle_rows(FILE *f, const char *name, const qiao_table *shape, qi_row_fn fn, void *ctx,
                        qiao_diag *d);

// ---- keys (Ed25519, libsodium) ----
qiao_err qi_sign(const char *key_path, const uint8_t root[QIAO_HASH_BYTES],
                 uint8_t out[QI_SIGN_KEY + QI_SIGN_BYTES], qiao_diag *d);
bool qi_sign_check(const uint8_t sign[QI_SIGN_KEY + QI_SIGN_BYTES],
                   const uint8_t root[QIAO_HASH_BYTES]);
// A public key: path of a .pub file or 64 hex digits.
qiao_err qi_key_read(const char *path_or_hex, uint8_t key[QI_SIGN_KEY], qiao_diag *d);

#endif
