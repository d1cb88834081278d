// SPDX-License-Identifier: Apache-2.0
// cast.h - worlds that become others between trials, and truths that show less. Library only.
#ifndef QI_SIM_CAST_H
#define QI_SIM_CAST_H

#include "qiao/sim.h"

// World w becomes another of the same shape: m with its names and start pose, which outlives that;
// numbers: m's compiled model with the drives' armatures, for this call (model/mold.h). ground:
// what never moves differs from the first model's. Allocates; a reset must follow.
qiao_err qi_sim_recast(qiao_sim *s, int w, const qiao_model *m, const struct mjModel_ *numbers,
                       bool ground, qiao_diag *d);
// qiao_sim_vary on top of the numbers of a recast.
qiao_err qi_sim_vary_cast(qiao_sim *s, int w, const qiao_vary *v, const struct mjModel_ *numbers,
                          qiao_diag *d);

// World w becomes what world like was made as: its model, its numbers, its ground. Of the same
// shape; allocates; a reset must follow.
qiao_err qi_sim_become(qiao_sim *s, int w, int like, qiao_diag *d);

// What of the truth of a world will be read; the rest may be old. For who asks often and little.
typedef struct qi_narrow {
    const uint8_t *body; // [nbody] 1: pose and velocity
    bool contact_peaks;  // body_force_peak
    bool drive_sums;     // act_force_peak, energy
} qi_narrow;
void qi_sim_narrow(qiao_sim *s, int w, const qi_narrow *n); // the trace does not depend on it

// Worlds that move together follow each other; calls for them come from one thread at a time: the
// one that steps them, if as many threads share the units of work.
const int *qi_sim_units(const qiao_sim *s, int *n); // [n + 1] first world of each unit
// Steps one unit and writes its observations. thread: number of the caller's, below nthread.
void qi_sim_move(qiao_sim *s, int unit, int nstep, int thread);

#endif
