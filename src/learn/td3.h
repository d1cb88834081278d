// SPDX-License-Identifier: Apache-2.0
// learn/td3.h - a learner that lives little and learns much from each step: twin critics, delayed
// policy, everything lived kept in a ring and drawn from again and again.
// source   S. Fujimoto et al., Addressing function approximation error in actor-critic methods
//          (2018), algorithm 1; many worlds at once as in Y. Seo et al., FastTD3 (2025)
// order    batches are cut into parts of fixed size: the same bits for any number of threads
#ifndef QI_LEARN_TD3_H
#define QI_LEARN_TD3_H

#include "learn/ppo.h"

typedef struct qi_td3_def {
    uint64_t seed;
    int keep;                  // steps of all worlds that the ring holds
    int batch;                 // transitions of an update
    int updates;               // after each step of the worlds
    int warm;                  // steps lived at random before the first update
    int delay;                 // updates of the critics for one of the policy
    double gamma, tau;         // discount; how fast the targets follow
    double noise;              // deviation of the actions while living, of the reach
    double smooth, smooth_max; // noise of the target's actions and its bound
    double reach;              // actions are within +-reach
    double actor_rate, critic_rate;
    bool normalise;
    qi_mlp_act act;
    int nactor, ncritic; // hidden layers
    int actor[QI_MLP_LAYERS], critic[QI_MLP_LAYERS];
} qi_td3_def;
qi_td3_def qi_td3_def_default(void);

typedef struct qi_td3_stats {                     // of one step of all worlds and its updates
    uint64_t steps;                               // of worlds so far
    double reward, episode, length, ended, nover; // as in qi_ppo_stats
    double critic, actor;                         // losses
} qi_td3_stats;

typedef struct qi_td3 qi_td3;
qi_td3 *qi_td3_new(const qi_td3_def *def, const qi_env *env, qi_pool *pool, qiao_diag *d);
void qi_td3_free(qi_td3 *t);
void qi_td3_begin(qi_td3 *t, uint64_t epoch); // all worlds anew
// Lives steps of all worlds. Then learns as often as so many steps are worth.
void qi_td3_live(qi_td3 *t, int steps, qi_td3_stats *s);
void qi_td3_learn(qi_td3 *t, int steps, qi_td3_stats *s);
void qi_td3_step(qi_td3 *t, qi_td3_stats *s); // one of each
// The policy: action = reach tanh(actor(input)).
const qi_mlp *qi_td3_actor(const qi_td3 *t, const float **param);
qi_ppo_view qi_td3_look(const qi_td3 *t); // for export

// As of qi_ppo: what a checkpoint keeps, the ring with it.
size_t qi_td3_state_bytes(const qi_td3 *t);
void qi_td3_state_get(const qi_td3 *t, void *bytes);
qiao_err qi_td3_state_set(qi_td3 *t, const void *bytes, size_t n); // E_FORMAT: of another shape

#endif
