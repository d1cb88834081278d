// SPDX-License-Identifier: Apache-2.0
// sim/lanes_hull.h - how far a mesh reaches: a table over directions. Inside room sim only.
#ifndef QI_LANES_HULL_H
#define QI_LANES_HULL_H

#include "sim/convex.h"

// Directions are the corners of convex.h's squares. h(d) = max over the corners x of x . d is convex
// and grows with d, so h(sum w_i d_i) <= sum w_i h(d_i): bilinear weights of a square's corners give
// a bound that is never too small.
// Corner (i, j) of side s is number (s (QI_HULL + 1) + i) (QI_HULL + 1) + j.
enum { QI_HULL_CORNERS = 6 * (QI_HULL + 1) * (QI_HULL + 1) };
typedef struct qi_reach {
    float high[QI_HULL_CORNERS]; // h, rounded up
    float x[QI_HULL_CORNERS][3]; // the corner of the mesh's convex hull that has it
} qi_reach;

typedef struct qi_lhull { // of a mesh; both NULL until asked for
    const qi_reach *reach;
    const qi_hull *solid;
} qi_lhull;

// false: out of memory.
bool qi_reach_make(const mjModel *m, int mesh, qi_reach *r);
// A mesh's convex hull for sim/convex.h, in the arena. Without edges of its own in the model (of
// three corners, say) n is 0. false: out of memory.
bool qi_hull_make(const mjModel *m, int mesh, qiao_arena *arena, qi_hull *h);
// Both, if they are not there yet.
bool qi_lhull_make(const mjModel *m, int mesh, qiao_arena *arena, qi_lhull *h);

#endif
