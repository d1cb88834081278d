// SPDX-License-Identifier: Apache-2.0
// train_run.h - a training of one seed: its folder, its log, what a checkpoint leaves.
#ifndef QIAO_TRAIN_RUN_H
#define QIAO_TRAIN_RUN_H

#include "train_log.h"

#include <limits.h>
#include <signal.h>

typedef struct train_args {
    const char *seed, *threads, *steps, *out;
    bool anew, no_page, together;
} train_args;

typedef struct training {
    const train_args *a;
    qiao_train_def def;
    char name[100], dir[PATH_MAX - 200];
    qiao_train *t;
    train_log *log;
    uint64_t from; // iteration that it goes on from, 0: from nothing
    double steps_all;
    bool replay;
} training;

extern volatile sig_atomic_t train_interrupted;

// a and def (recipe, seed, threads, steps) are the caller's; takes up what is there.
bool training_open(training *r, qiao_diag *d);
// What a checkpoint leaves: state, network, page.
bool training_keep(training *r, bool over, qiao_diag *d);
// At the end, unless it was over before it began.
bool training_end(training *r, qiao_diag *d);
void training_say_files(const training *r);
void training_close(training *r);

// All seeds at once, each with the bits that it has alone. Exit status.
int train_together(const train_args *a, const qiao_train_def *def, int n);

#endif
