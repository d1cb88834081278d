// SPDX-License-Identifier: Apache-2.0
// imitate.h - a network learns to do what a teacher does: cloning (the teacher drives), and DAgger
// (the student drives more and more, the teacher says what it would have done).
// source   S. Ross et al., A reduction of imitation learning and structured prediction to no-regret
//          online learning (2011): here the online learner is Adam on the newest batch, so nothing
//          lived is kept. The critic learns meanwhile what the student's steps are worth, so that
//          proximal policy optimisation can go on from both networks.
// order    as of ppo.h: the same bits for any number of threads
#ifndef QI_LEARN_IMITATE_H
#define QI_LEARN_IMITATE_H

#include "learn/ppo.h"

typedef struct qi_teach {
    void *ctx;
    // What the teacher would do in each world as it was seen last: action [n][pad of nact];
    // knows [n] 0: nothing is said of this world, the student drives and learns nothing.
    void (*say)(void *ctx, float *action, uint8_t *knows);
} qi_teach;

typedef struct qi_imitate_def {
    qi_ppo_def like; // seed, horizon, networks, gamma, lambda, grad_max, normalise
    int epochs, minibatches;
    double rate;  // Adam's, at the start; it falls to a twentieth
    double noise; // deviation of what is done from what is said: the teacher shows how it recovers
} qi_imitate_def;
qi_imitate_def qi_imitate_def_default(void);

typedef struct qi_imitate_stats {                 // of one iteration
    uint64_t steps;                               // of worlds so far
    double reward, episode, length, ended, nover; // as of qi_ppo_stats
    double error;  // rms of the student's actions less the teacher's; NAN: it said nothing
    double value;  // the critic's mean square
    double taught; // share of steps of which the teacher said something
} qi_imitate_stats;

typedef struct qi_imitate qi_imitate;
qi_imitate *qi_imitate_new(const qi_imitate_def *def, const qi_env *env, const qi_teach *teach,
                           qi_pool *pool, qiao_diag *d);
void qi_imitate_free(qi_imitate *m);
void qi_imitate_begin(qi_imitate *m, uint64_t epoch); // all worlds anew
// Lives horizon steps; the teacher drives in a share of the worlds. Then learns from them; done is
// how much of the whole is over, 0 to 1.
void qi_imitate_live(qi_imitate *m, double share, qi_imitate_stats *s);
void qi_imitate_learn(qi_imitate *m, double done, qi_imitate_stats *s);

qi_ppo_view qi_imitate_look(const qi_imitate *m);
// Its networks and what it knows of the inputs become those of p, a learner of the same shape.
void qi_imitate_hand_over(const qi_imitate *m, qi_ppo *p);
// As of qi_ppo.
size_t qi_imitate_state_bytes(const qi_imitate *m);
void qi_imitate_state_get(const qi_imitate *m, void *bytes);
qiao_err qi_imitate_state_set(qi_imitate *m, const void *bytes, size_t n);

#endif
