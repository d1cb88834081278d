// SPDX-License-Identifier: Apache-2.0
// batch.h - trials side by side in one thread; inside room prove only.
#ifndef QI_BATCH_H
#define QI_BATCH_H

#include "qiao/prove.h"

#include <pthread.h>

// Runs n trials as the worlds of one engine with one brain (opened for n, not bound).
//   one     held while models are compiled and while the caller is told of the progress
//   result  [n] out
qiao_err qi_batch_run(const qiao_trials_def *def, const qiao_trial *trial, int n, qiao_brain *brain,
                      pthread_mutex_t *one, qiao_result *result, qiao_diag *d);

#endif
