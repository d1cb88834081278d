// SPDX-License-Identifier: Apache-2.0
// train_log.h - what people see of a training: lines on the terminal, a CSV file, a page of curves.
#ifndef QIAO_TRAIN_LOG_H
#define QIAO_TRAIN_LOG_H

#include "qiao/learn.h"

typedef struct train_log train_log;

// Opens dir/log.csv; resume: keeps its rows up to that iteration (0: starts anew).
train_log *train_log_new(const char *dir, const char *name, uint64_t seed, uint64_t resume,
                         qiao_diag *d);
void train_log_free(train_log *l);
qiao_err train_log_add(train_log *l, const qiao_train_stats *s, qiao_diag *d);
// The page of all rows; replay: file beside it, or NULL.
qiao_err train_log_page(train_log *l, const qiao_train *t, const char *replay, bool over,
                        double steps_all, qiao_diag *d);
// A page over several seeds into dir, which lies beside theirs.
qiao_err train_log_page_all(const train_log *const *l, int n, const qiao_train *t, const char *dir,
                            bool over, double steps_all, qiao_diag *d);
// The course of it as one picture, curve.svg.
qiao_err train_log_curve(const train_log *l, qiao_diag *d);
// The dashboard, drawn over itself on a terminal.
void train_log_show(train_log *l, const qiao_train_stats *s);
// One line of it for one of several seeds. Steps a second so far.
double train_log_row(const train_log *l, const qiao_train_stats *s);

#endif
