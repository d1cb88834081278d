// SPDX-License-Identifier: Apache-2.0
// worlds.h - worlds of room sim as something to be learned: a recipe's robot on a recipe's ground,
// seen and moved through the very code of the brain that comes out.
#ifndef QI_LEARN_WORLDS_H
#define QI_LEARN_WORLDS_H

#include "learn/imitate.h"
#include "learn/recipe.h"

typedef struct qi_worlds qi_worlds;

typedef struct qi_worlds_stats {    // since the last call
    double term[QI_REWARD_KINDS];   // mean worth of a step by term of the recipe
    double ground;                  // mean level of the worlds' grounds, up to 1; 0: no levels
    double speed_error, turn_error; // mean |error| of the velocity and of the yaw rate
    double goals, goal_error;       // reached a minute; mean distance, rad or m
} qi_worlds_stats;

// recipe outlives it. pool: threads of the learner; the sim has as many of its own.
qi_worlds *qi_worlds_new(const qi_recipe *r, qi_pool *pool, qiao_diag *d);
void qi_worlds_free(qi_worlds *w);
// Filled for the learner; valid as long as w.
const qi_env *qi_worlds_env(const qi_worlds *w);
const qi_teach *qi_worlds_teach(const qi_worlds *w); // NULL: the recipe names no teacher
// Share of the curriculum's commands and pushes, by steps lived.
void qi_worlds_grow(qi_worlds *w, double steps);
double qi_worlds_share(const qi_worlds *w);
void qi_worlds_stats_take(qi_worlds *w, qi_worlds_stats *s);
// What of worlds outlives a checkpoint.
size_t qi_worlds_state_bytes(const qi_worlds *w);
void qi_worlds_state_get(const qi_worlds *w, void *data);
void qi_worlds_state_set(qi_worlds *w, const void *data);
// Writes the motion beside the network, where the manifest expects it.
qiao_err qi_worlds_export(const qi_worlds *w, const char *dir, qiao_diag *d);
const struct qi_manifest *qi_worlds_manifest(const qi_worlds *w);
const qiao_robot *qi_worlds_robot(const qi_worlds *w);

#endif
