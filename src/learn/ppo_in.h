// SPDX-License-Identifier: Apache-2.0
// ppo_in.h - what ppo.c (living) and ppo_learn.c (learning) share.
#ifndef QI_LEARN_PPO_IN_H
#define QI_LEARN_PPO_IN_H

#include "learn/ppo.h"

// Rows at a time, and parts of a batch: both fixed, for they say in which order sums are made.
enum { CHUNK = 96, SLOTS = 8 };
enum { RNG_START = 0x4c01, RNG_ACT, RNG_ORDER }; // purposes of random numbers

typedef struct part { // memory of one part of the work
    float *act;  // inputs at its head; in float all activations of a net, in bfloat16 its outputs
    float *held; // activations in bfloat16
    float *dout, *scratch;
    float *row; // gathered columns: action, mean [CHUNK][ldu], then two numbers [CHUNK]
    double sums[5], square;
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
    float *packed[2];  // weights in bfloat16: actor's, critic's
    float *raw, *craw; // [n] as seen
    float *obs, *cobs, *action, *mean, *logp, *value, *reward, *advantage, *target;
    uint8_t *over;
    uint32_t *order, *run; // of rows in the minibatches, and of runs of them
    double *gain;          // [n] advantage of what follows
    double *ret;           // [n] return and steps of the running episodes
    int64_t *len;
    float std[64], logstd[64]; // with which the worlds were lived
    int t;
    uint64_t iteration, steps, lived;
    int64_t updates; // Adam's steps
    double rate;
    // the minibatch at work
    size_t from, rows;
    part part[SLOTS];
    qiao_arena *arena;
};

// Numbers that a row of kept inputs takes: in bfloat16 two make one.
static inline size_t qi_ppo_wide(const qi_ppo *p, int net) {
    return (size_t)(net ? p->ldc : p->lda) / (p->def.half ? 2 : 1);
}
// Weights to bfloat16, after each change of them.
void qi_ppo_pack(qi_ppo *p);
// Outputs [rows][ld of the last] of actor (0) or critic (1) for the inputs at the head of w->act;
// then their slopes w->dout to the gradient of all parameters.
float *qi_ppo_forward(qi_ppo *p, int net, part *w, int rows);
void qi_ppo_backward(qi_ppo *p, int net, part *w, int rows, float *grad);

#endif
