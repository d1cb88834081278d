// SPDX-License-Identifier: Apache-2.0
// crew.h - the coordinator of workers; inside room prove only.
#ifndef QI_CREW_H
#define QI_CREW_H

#include "prove/spool.h"
#include "prove/store.h"

#include <stdio.h>
#include <sys/types.h>

enum { QI_HANDS_MAX = 4096 };

typedef struct qi_hand { // a worker that was seen
    char name[QI_WORKER_MAX];
    unsigned long beat;
    double heard; // qi_spool_now when its number last grew
} qi_hand;

typedef struct qi_given { // a chunk that waits or is being run
    qi_slot slot;         // worker "": it waits
    int tries;
    double since; // when it was given out or taken
} qi_given;

struct qiao_crew {
    qiao_crew_def def;
    qiao_sweep_def sweep;
    qiao_store *store;
    char dir[QI_SPOOL_PATH], program[4096], home[4096];
    qi_hand *hand; // [QI_HANDS_MAX]
    int nhand;
    qi_given *given; // [ngiven] by first trial
    int ngiven, cap;
    uint64_t next; // trials below it are there or given out
    double rate;   // trials a second and worker; 0: not known
    double looked, heard, progress_at, told;
    // workers that this process started
    pid_t *child; // [nchild]; 0: ended
    int nchild, started;
    char job[40];               // the name of our jobs in Slurm, "" as long as none was sent
    double submitted, ready_at; // last try; when the next may come
    qiao_diag last;             // of the last start that failed
    FILE *log;
    qiao_row *row; // [QI_CHUNK_MAX] for reading what workers bring, grown on demand
    int nrow;
    bool over; // interrupted
};

// How many workers are alive: their number grew within the lease.
int qi_crew_live(const qiao_crew *c);
// Starts what is missing of the wanted workers, buries those that died.
void qi_crew_hire(qiao_crew *c);
void qi_crew_dismiss(qiao_crew *c); // ends them all
void qi_crew_note(qiao_crew *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
