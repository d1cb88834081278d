// SPDX-License-Identifier: Apache-2.0
// learner.h - the learner that a recipe names, as qiao_train drives it: live, learn, keep, hand out.
#ifndef QI_LEARN_LEARNER_H
#define QI_LEARN_LEARNER_H

#include "learn/imitate.h"
#include "learn/recipe.h"

typedef struct qi_learner qi_learner;
// teach: whom the recipe imitates, NULL: nobody. It is imitated for so many steps of worlds as the
// recipe says, then the learner goes on from there.
qi_learner *qi_learner_new(const qi_recipe *r, const qi_env *env, const qi_teach *teach,
                           qi_pool *pool, qiao_diag *d);
void qi_learner_free(qi_learner *l);
void qi_learner_begin(qi_learner *l, uint64_t epoch); // all worlds anew
// Lives as many steps as the recipe says. Then learns from them. Where a learner has no such thing
// as a number of s, it is 0.
void qi_learner_live(qi_learner *l, qi_ppo_stats *s);
void qi_learner_learn(qi_learner *l, qi_ppo_stats *s);
double qi_learner_teacher(const qi_learner *l); // share of the worlds that a teacher drives
qi_ppo_view qi_learner_look(const qi_learner *l);
// As of qi_ppo.
size_t qi_learner_state_bytes(const qi_learner *l);
void qi_learner_state_get(const qi_learner *l, void *bytes);
qiao_err qi_learner_state_set(qi_learner *l, const void *bytes, size_t n);

#endif
