// SPDX-License-Identifier: Apache-2.0
// learn/ppo.h - proximal policy optimisation over a batch of worlds: live a while, learn from it.
// source   J. Schulman et al., Proximal policy optimization algorithms (2017); advantages by
//          Schulman et al., High-dimensional continuous control (2016); the rate follows the
//          divergence as in N. Rudin et al., Learning to walk in minutes (2021)
// order    minibatches are cut into parts of fixed size whose gradients are added in order: the
//          same bits for any number of threads
#ifndef QI_LEARN_PPO_H
#define QI_LEARN_PPO_H

#include "learn/env.h"
#include "learn/mlp.h"
#include "sim/engine.h"

typedef struct qi_ppo_def {
    uint64_t seed;
    int horizon, epochs, minibatches; // steps lived, passes over them, parts of a pass
    double gamma, lambda;             // discount; of the advantages
    qi_ppo_rule rule;
    double rate, kl; // Adam's rate; divergence that it aims at, 0: the rate stays
    double grad_max; // norm of the gradient at most
    double std;      // deviation of the actions at the start
    double symmetry; // weight of the mirror loss
    bool half;       // products of bfloat16; weights, sums and Adam stay float
    bool normalise;  // inputs to mean 0, deviation 1, as seen so far
    qi_mlp_act act;
    int nactor, ncritic; // hidden layers
    int actor[QI_MLP_LAYERS], critic[QI_MLP_LAYERS];
} qi_ppo_def;
qi_ppo_def qi_ppo_def_default(void);

typedef struct qi_ppo_stats {      // of one iteration
    uint64_t iteration, steps;     // steps of worlds so far
    double reward;                 // mean of a step
    double episode, length;        // mean return and steps of the episodes that ended, NAN: none
    double ended;                  // share of them that ended before their time
    double nover;                  // how many they were
    double policy, value, entropy; // losses
    double symmetry;
    double kl, rate, std, grad;
    double explained; // variance of the targets that the critic explains
} qi_ppo_stats;

typedef struct qi_ppo qi_ppo;
qi_ppo *qi_ppo_new(const qi_ppo_def *def, const qi_env *env, qi_pool *pool, qiao_diag *d);
void qi_ppo_free(qi_ppo *p);
void qi_ppo_begin(qi_ppo *p, uint64_t epoch); // all worlds anew
// Lives horizon steps. Then learns from them.
void qi_ppo_live(qi_ppo *p, qi_ppo_stats *s);
void qi_ppo_learn(qi_ppo *p, qi_ppo_stats *s);

// What is learned, for checkpoints and export: one block of numbers [count], and its parts.
typedef struct qi_ppo_view {
    qi_mlp actor, critic;
    const float *actor_param, *logstd;
    double squash; // > 0: actions are squash times tanh of the network's outputs
    const qi_norm *obs;
} qi_ppo_view;
qi_ppo_view qi_ppo_look(const qi_ppo *p);
// Begins from other networks of the same shape: parameters of actor and critic, what is known of
// their inputs [2], steps that each world lived for them. The deviations stay.
void qi_ppo_warm(qi_ppo *p, const float *actor, const float *critic, const qi_norm *norm,
                 uint64_t lived);
size_t qi_ppo_state_bytes(const qi_ppo *p);
void qi_ppo_state_get(const qi_ppo *p, void *bytes);
qiao_err qi_ppo_state_set(qi_ppo *p, const void *bytes, size_t n); // E_FORMAT: of another shape

#endif
