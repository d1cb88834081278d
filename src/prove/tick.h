// SPDX-License-Identifier: Apache-2.0
// tick.h - what a trial is made of, whoever runs it: clock, referee's tick, trace. Room prove only.
#ifndef QI_TICK_H
#define QI_TICK_H

#include "qiao/prove.h"

// How often brain and referee come, in physics steps of dt. E_FIT: the brain's rate does not fit.
qiao_err qi_clock(const qiao_brain *brain, double dt, int *brain_div, int *tick_div, qiao_diag *d);
// One tick of world w: the referee judges, the trace goes on. truth is filled. true: it is over.
bool qi_tick(qiao_sim *s, int w, qiao_referee *ref, qiao_hash *trace, qiao_truth *truth);
// What a brain's random numbers are keyed by.
static inline uint64_t qi_brain_seed(uint64_t seed, uint64_t trial) { return seed ^ trial << 32; }

#endif
