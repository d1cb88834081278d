// SPDX-License-Identifier: Apache-2.0
// spool.h - the shared folder of a crew (docs/prove_store.md); inside room prove only.
//   head.json, job.json     what is run: head (prove/head.h), and how a user named the parts
//   todo/FIRST-N            a chunk that waits: trials FIRST .. FIRST+N-1
//   work/FIRST-N.WORKER     taken, by renaming it: one of all who try gets it
//   done/FIRST-N.WORKER     its rows, written whole and renamed; ends in a hash
//   beat/WORKER             a number that grows while the worker lives
//   fail/WORKER             why it cannot go on, in words
//   stop                    workers end when they see it
#ifndef QI_SPOOL_H
#define QI_SPOOL_H

#include "prove/head.h"
#include "prove/pack.h"

enum {
    QI_CHUNK_MAX = 1 << 16, // trials
    QI_WORKER_MAX = 72,     // letters of a worker's name
    QI_SPOOL_PATH = 2048,   // letters of the folder's path
    QI_SPOOL_NAME = 26 + QI_WORKER_MAX + 2,
};

typedef struct qi_slot { // a chunk by its file's name
    uint64_t first;
    int n;
    char worker[QI_WORKER_MAX]; // "" in todo
} qi_slot;

// "0000000000000000042-00100.worker" and back; false: not such a name.
void qi_slot_name(const qi_slot *s, char name[QI_SPOOL_NAME]);
bool qi_slot_parse(const char *name, qi_slot *s);
// Slots in dir/sub, sorted by first; at most cap. Other files are left alone.
int qi_slot_list(const char *dir, const char *sub, qi_slot *slot, int cap);
// dir/sub/name, or dir/sub if name is NULL.
const char *qi_spool_path(const char *dir, const char *sub, const char *name,
                          char path[QI_SPOOL_PATH + QI_SPOOL_NAME + 8]);
enum { QI_SPOOL_FULL = QI_SPOOL_PATH + QI_SPOOL_NAME + 8 };

double qi_spool_now(void); // s, of this machine, never goes back

// The rows of a chunk as bytes; malloc, NULL: out of memory.
uint8_t *qi_chunk_pack(const qi_head *h, const qi_slot *s, double seconds, const qiao_row *row,
                       size_t *bytes);
// Rows of a chunk's bytes into row[s->n]. E_FORMAT: not whole, of another sweep, another chunk.
qiao_err qi_chunk_unpack(const char *file, const qi_head *h, const qi_slot *s, const uint8_t *p,
                         size_t bytes, qiao_row *row, double *seconds, qiao_diag *d);
size_t qi_chunk_max(const qi_head *h, int n); // most bytes of n rows

typedef struct qi_job { // job.json: how the parts are found
    const char *scenario, *robot, *brain, *home;
    int nthread, deadline_ms, start_ms, memory_mb;
    bool isolate, trust;
    double lease_s;
} qi_job;
qiao_err qi_job_write(const char *dir, const qi_job *j, qiao_diag *d);
qiao_err qi_job_read(const char *dir, qiao_arena *a, qi_job *j, qiao_diag *d);

#endif
