// SPDX-License-Identifier: Apache-2.0
// sim.h - the parts of a qiao_sim; inside room sim only.
#ifndef QI_SIM_H
#define QI_SIM_H

#include "sim/sense.h"

typedef struct qi_slot {            // one world
    const qiao_model *model, *made; // now; at the start
    qi_world *world;
    qi_heightmap *map;           // in use: one of the following, or another slot's
    qi_heightmap *first, *later; // of the model at the start (own, if own_map); of a recast (own)
    bool own_map, live;
    int64_t sampled; // physics step whose samples are all taken, -1: none
    qi_samples samples;
} qi_slot;

struct qiao_sim {
    const qi_engine *engine;
    qi_pool *pool;
    qi_setup setup;
    int n, nsig, nobs, nunit;
    int nslot;            // samples that a world keeps
    int nprompt, *prompt; // [nprompt] channels without delay
    int nlater;           // channels whose samples are taken before the step of their observation
    int cycle, *due;  // [cycle][nlater + 1] which of these at step k % cycle, -1 ends; 0: ask each
    int nfelt, *felt; // [nfelt] channels of forces and accelerations: what a step leaves behind
    int *unit;        // [nunit + 1] first world of each unit: those that move together
    qi_slot *w;       // [n]
    qi_channel *channel; // [nsig]
    qiao_io io;
    qiao_obs obs;
    // the arrays behind obs
    double *x;
    int64_t *t_ns, *stamp;
    uint8_t *live;
    qiao_arena *arena;
};

#endif
