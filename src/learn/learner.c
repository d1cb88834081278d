// SPDX-License-Identifier: Apache-2.0
// learner.c - see learner.h.
#include "learn/learner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct qi_learner {
    qi_ppo *ppo; // one of the two
    qi_td3 *td3;
    qi_imitate *imitate; // before ppo, while it imitates
    bool imitates;
    double imitate_steps, mix[2], share;
    qi_imitate_stats told;
    int horizon;
    double rate, noise; // for people who look on
    uint64_t iteration;
};

static bool make_imitate(qi_learner *l, const qi_recipe *r, const qi_env *env,
                         const qi_teach *teach, qi_pool *pool, qiao_diag *d) {
    qi_imitate_def def = {.like = r->ppo,
                          .epochs = r->imitate_epochs,
                          .minibatches = r->imitate_minibatches,
                          .rate = r->imitate_rate,
                          .noise = r->imitate_noise};
    l->imitate_steps = r->imitate_steps < r->steps ? r->imitate_steps : r->steps;
    l->rate = def.rate, l->noise = def.noise, l->imitates = true;
    memcpy(l->mix, r->mix, sizeof l->mix);
    l->imitate = qi_imitate_new(&def, env, teach, pool, d);
    return l->imitate != NULL;
}

qi_learner *qi_learner_new(const qi_recipe *r, const qi_env *env, const qi_teach *teach,
                           qi_pool *pool, qiao_diag *d) {
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
    bool ok = (l->ppo || l->td3) && (!teach || make_imitate(l, r, env, teach, pool, d));
    if (ok) return l;
    qi_learner_free(l);
    return NULL;
}

void qi_learner_free(qi_learner *l) {
    if (!l) return;
    qi_ppo_free(l->ppo), qi_td3_free(l->td3), qi_imitate_free(l->imitate);
    free(l);
}

void qi_learner_begin(qi_learner *l, uint64_t epoch) {
    if (l->imitates)
        qi_imitate_begin(l->imitate, epoch);
    else if (l->td3)
        qi_td3_begin(l->td3, epoch);
    else
        qi_ppo_begin(l->ppo, epoch);
}

// The teacher's share goes from the first to the last in half of the time, and stays.
static double imitated(const qi_learner *l) { return (double)l->told.steps / l->imitate_steps; }

static void imitate(qi_learner *l, qi_ppo_stats *s) {
    double k = fmin(1, 2 * imitated(l));
    l->share = l->mix[0] + (l->mix[1] - l->mix[0]) * k;
    qi_imitate_live(l->imitate, l->share, &l->told);
    *s = (qi_ppo_stats){.iteration = l->iteration,
                        .steps = l->told.steps,
                        .reward = l->told.reward,
                        .episode = l->told.episode,
                        .length = l->told.length,
                        .ended = l->told.ended,
                        .nover = l->told.nover,
                        .rate = l->rate,
                        .std = l->noise};
}

void qi_learner_live(qi_learner *l, qi_ppo_stats *s) {
    if (l->imitates) {
        imitate(l, s);
        return;
    }
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
                        .nover = t.nover,
                        .rate = l->rate,
                        .std = l->noise};
}

void qi_learner_learn(qi_learner *l, qi_ppo_stats *s) {
    l->iteration++;
    if (l->imitates) {
        qi_imitate_learn(l->imitate, imitated(l), &l->told);
        s->policy = l->told.error, s->value = l->told.value;
        if (imitated(l) < 1) return;
        l->imitates = false; // its worlds go on
        qi_imitate_hand_over(l->imitate, l->ppo);
        return;
    }
    if (l->ppo) {
        qi_ppo_learn(l->ppo, s);
        return;
    }
    qi_td3_stats t = {0};
    qi_td3_learn(l->td3, l->horizon, &t);
    s->policy = t.actor, s->value = t.critic;
}

double qi_learner_teacher(const qi_learner *l) { return l->imitates ? l->share : 0; }

qi_ppo_view qi_learner_look(const qi_learner *l) {
    return l->imitates ? qi_imitate_look(l->imitate)
           : l->td3    ? qi_td3_look(l->td3)
                       : qi_ppo_look(l->ppo);
}

// ---- the state: of the learner; and, where there is a teacher, a head and what was imitated ----

typedef struct head {
    uint64_t iteration, steps, imitates;
} head;

static size_t own_bytes(const qi_learner *l) {
    return l->td3 ? qi_td3_state_bytes(l->td3) : qi_ppo_state_bytes(l->ppo);
}
size_t qi_learner_state_bytes(const qi_learner *l) {
    return own_bytes(l) + (l->imitate ? sizeof(head) + qi_imitate_state_bytes(l->imitate) : 0);
}
void qi_learner_state_get(const qi_learner *l, void *bytes) {
    if (l->td3)
        qi_td3_state_get(l->td3, bytes);
    else
        qi_ppo_state_get(l->ppo, bytes);
    if (!l->imitate) return;
    head h = {l->iteration, l->told.steps, l->imitates};
    char *to = (char *)bytes + own_bytes(l);
    memcpy(to, &h, sizeof h);
    qi_imitate_state_get(l->imitate, to + sizeof h);
}
qiao_err qi_learner_state_set(qi_learner *l, const void *bytes, size_t n) {
    if (n != qi_learner_state_bytes(l)) return QIAO_E_FORMAT;
    size_t own = own_bytes(l);
    qiao_err e =
        l->td3 ? qi_td3_state_set(l->td3, bytes, own) : qi_ppo_state_set(l->ppo, bytes, own);
    if (e || !l->imitate) return e;
    head h;
    const char *from = (const char *)bytes + own;
    memcpy(&h, from, sizeof h);
    l->iteration = h.iteration, l->told.steps = h.steps, l->imitates = h.imitates != 0;
    return qi_imitate_state_set(l->imitate, from + sizeof h, n - own - sizeof h);
}
