// SPDX-License-Identifier: Apache-2.0
// env.h - what is to be learned, as every learner sees it: worlds in a batch, and their inputs
// brought to mean 0 and deviation 1.
#ifndef QI_LEARN_ENV_H
#define QI_LEARN_ENV_H

#include "qiao/base.h"

// What is to be learned: n worlds that are seen, acted on and begun anew.
typedef struct qi_env {
    int n, nobs, ncritic, nact; // worlds; what actor and critic see; actions
    void *ctx;
    void (*begin)(void *ctx, uint64_t epoch); // all worlds anew, keyed by epoch
    // actor [n][pad of nobs], critic [n][pad of ncritic]; columns past the last stay as they are
    void (*observe)(void *ctx, float *actor, float *critic);
    // action [n][pad of nact]. reward [n]; over [n]: 0 goes on, 1 ended, 2 out of time. Worlds that
    // are over have begun anew.
    void (*step)(void *ctx, const float *action, float *reward, uint8_t *over);
    // The other hand: entry i of a mirrored observation or action is sign[i] times entry from[i].
    // NULL: the body has none.
    const int *mirror_obs, *mirror_act;
    const float *sign_obs, *sign_act;
} qi_env;

typedef struct qi_norm { // running mean and variance of inputs
    int n;
    double count;
    double *mean, *var; // [n]
} qi_norm;
// Rows of ld columns to out; o NULL: as they are. Cut to +-10 deviations.
void qi_norm_apply(const qi_norm *o, const float *in, int ld, int rows, float *out);
// Counts rows in. source: T. Chan et al., Updating formulae (1979)
void qi_norm_see(qi_norm *o, const float *x, int ld, size_t rows);
// Some columns of that; the count is the caller's to raise when all are done.
void qi_norm_see_columns(qi_norm *o, const float *x, int ld, size_t rows, int from, int to);

#endif
