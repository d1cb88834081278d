// SPDX-License-Identifier: Apache-2.0
// sim/lanes_hull.h - how far a mesh reaches: a table over directions. Inside room sim only.
#ifndef QI_LANES_HULL_H
#define QI_LANES_HULL_H

#include "sim/convex.h"

// Directions are the corners of convex.h's squares. h(d) = max over the corners x of x . d is convex
// and grows with d, so h(sum w_i d_i) <= sum w_i h(d_i): bilinear weights of a square's corners give
// a bound that is never too small.
enum { QI_HULL_NUMBERS = 6 * (QI_HULL + 1) * (QI_HULL + 1) * 4 };

// table [6][QI_HULL + 1][QI_HULL + 1][4]: h and the corner x of the mesh's convex hull that has it.
// false: out of memory.
bool qi_hull_table(const mjModel *m, int mesh, double *table);
// A mesh's convex hull for sim/convex.h, in the arena. Without edges of its own in the model (of
// three corners, say) n is 0. false: out of memory.
bool qi_hull_make(const mjModel *m, int mesh, qiao_arena *arena, qi_hull *h);

#endif
