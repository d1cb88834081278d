// SPDX-License-Identifier: Apache-2.0
// store.h - the SQLite file of one sweep; inside room prove only.
#ifndef QI_STORE_H
#define QI_STORE_H

#include "prove/head.h"
#include "prove/pack.h"

#include <sqlite3.h>

enum { QI_STORE_APP = 0x51696170, QI_STORE_VERSION = 1 }; // "Qiap"

typedef struct qi_chunk { // a row of the table chunk: work given to a crew
    uint64_t first;
    int n, tries;   // tries: how often it was given out
    double seconds; // it took; 0: not done
    char worker[80];
} qi_chunk;

struct qiao_store {
    char path[4096];
    sqlite3 *db;
    sqlite3_stmt *insert, *get, *range, *chunk;
    int lock; // descriptor of the owner's lock, -1: a reader
    qi_head head;
    qiao_arena *arena;
    uint64_t count, dense; // rows; trials below dense are all there
    uint8_t *pack[2];      // [qi_pack_max] room for two rows
    qiao_row *row;         // one row for reading
    double *u;             // [nparam]
};

// The owner's lock beside the file. E_LIMIT: another process has it, d says which.
qiao_err qi_store_lock(qiao_store *s, qiao_diag *d);
// Opens the database, makes or checks its tables; the head of what is there, *text NULL: new.
//   text  in the store's arena
qiao_err qi_store_connect(qiao_store *s, char **text, size_t *n, qiao_diag *d);
// What SQLite said, in words that help.
qiao_err qi_store_fault(qiao_store *s, const char *doing, qiao_diag *d);
// Notes chunks as given out or, with the rows they brought, as done. All or none.
qiao_err qi_store_chunks(qiao_store *s, int n, const qi_chunk *chunk, qiao_diag *d);
qiao_err qi_store_add_chunk(qiao_store *s, const qi_chunk *chunk, int n, const qiao_row *row,
                            qiao_diag *d);

#endif
