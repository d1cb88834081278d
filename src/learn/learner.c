// SPDX-License-Identifier: Apache-2.0
// learner.c - see learner.h.
#include "learn/learner.h"

#include <stdlib.h>

struct qi_learner {
    qi_ppo *ppo; // one of the two
    qi_td3 *td3;
    int horizon;
    double rate, noise; // td3: for people who look on
    uint64_t iteration;
};

qi_learner *qi_learner_new(const qi_recipe *r, const qi_env *env, qi_pool *pool, qiao_diag *d) {
    qi_learner *l = calloc(1, sizeof *l);
    if (!l) return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory"), NULL;
    if (r->use_td3) {
        qi_td3_def def = r->td3;
        def.seed = r->ppo.seed; // one seed for worlds and learner
        l->horizon = r->td3_horizon, l->rate = def.actor_rate, l->noise = def.noise;
        l->td3 = qi_td3_new(&def, env, pool, d);
    } else {
        l->ppo = qi_ppo_new(&r->ppo, env, pool, d);
    }
    if (l->ppo || l->td3) return l;
    free(l);
    return NULL;
}

void qi_learner_free(qi_learner *l) {
    if (!l) return;
    qi_ppo_free(l->ppo), qi_td3_free(l->td3);
    free(l);
}

void qi_learner_begin(qi_learner *l, uint64_t epoch) {
    if (l->td3)
        qi_td3_begin(l->td3, epoch);
    else
        qi_ppo_begin(l->ppo, epoch);
}

void qi_learner_live(qi_learner *l, qi_ppo_stats *s) {
    if (l->ppo) {
        qi_ppo_live(l->ppo, s);
        return;
    }
    qi_td3_stats t;
    qi_td3_live(l->td3, l->horizon, &t);
    *s = (qi_ppo_stats){.iteration = l->iteration,
                        .steps = t.steps,
                        .reward = t.reward,
                        .episode = t.episode,
                        .length = t.length,
                        .ended = t.ended,
                        .rate = l->rate,
                        .std = l->noise};
}

void qi_learner_learn(qi_learner *l, qi_ppo_stats *s) {
    if (l->ppo) {
        qi_ppo_learn(l->ppo, s);
        return;
    }
    qi_td3_stats t = {0};
    qi_td3_learn(l->td3, l->horizon, &t);
    l->iteration++;
    s->policy = t.actor, s->value = t.critic;
}

qi_ppo_view qi_learner_look(const qi_learner *l) {
    return l->td3 ? qi_td3_look(l->td3) : qi_ppo_look(l->ppo);
}
size_t qi_learner_state_bytes(const qi_learner *l) {
    return l->td3 ? qi_td3_state_bytes(l->td3) : qi_ppo_state_bytes(l->ppo);
}
void qi_learner_state_get(const qi_learner *l, void *bytes) {
    if (l->td3)
        qi_td3_state_get(l->td3, bytes);
    else
        qi_ppo_state_get(l->ppo, bytes);
}
qiao_err qi_learner_state_set(qi_learner *l, const void *bytes, size_t n) {
    return l->td3 ? qi_td3_state_set(l->td3, bytes, n) : qi_ppo_state_set(l->ppo, bytes, n);
}
