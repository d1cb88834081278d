// SPDX-License-Identifier: Apache-2.0
// ppo_in.h - what ppo.c (living) and ppo_learn.c (learning) share.
#ifndef QI_LEARN_PPO_IN_H
#define QI_LEARN_PPO_IN_H

#include "learn/ppo.h"

// Rows at a time, and parts of a batch: both fixed, for they say in which order sums are made.
enum { CHUNK = 256, SLOTS = 8 };
enum { RNG_START = 0x4c01, RNG_ACT, RNG_ORDER }; // purposes of random numbers

typedef struct part { // memory of one part of the work
    float *act, *dout, *scratch;
    float *row; // gathered columns: action, mean [CHUNK][ldu], then two numbers [CHUNK]
    double sums[5];
} part;

struct qi_ppo {
    qi_ppo_def def;
    qi_env env;
    qi_pool *pool;
    const qi_mlp_ops *op;
    qi_mlp actor, critic;
    int lda, ldc, ldu; // columns of inputs and actions
    // parameters: actor, critic, ln of deviations
    size_t nparam, at_critic, at_std;
    float *param, *m, *v, *grad; // grad [SLOTS][nparam]
    qi_norm norm[2], next[2];    // of actor's and critic's inputs: in force; with what is seen now
    // lived: [horizon][n], row t n + i
    float *raw, *craw; // [n] as seen
    float *obs, *cobs, *action, *mean, *logp, *value, *reward, *advantage, *target;
    uint8_t *over;
    uint32_t *order, *run; // of rows in the minibatches, and of runs of them
    double *gain;          // [n] advantage of what follows
    double *ret;           // [n] return and steps of the running episodes
    int64_t *len;
    float std[64];
    int t;
    uint64_t iteration, steps, lived;
    int64_t updates; // Adam's steps
    double rate;
    // the minibatch at work
    size_t from, rows;
    part part[SLOTS];
    qiao_arena *arena;
};

#endif
