// SPDX-License-Identifier: Apache-2.0
// sim/lanes_hull.h - how far a mesh reaches: a table over directions. Inside room sim only.
#ifndef QI_LANES_HULL_H
#define QI_LANES_HULL_H

#include <mujoco/mujoco.h>
#include <stdbool.h>

// Directions are the corners of QI_HULL squares on each side of a cube: side 2 a + (below zero)
// holds those with axis a at +-1 and the next two axes from -1 to 1. h(d) = max over the corners
// x of x . d is convex and grows with d, so h(sum w_i d_i) <= sum w_i h(d_i): bilinear weights of a
// square's corners give a bound that is never too small.
enum { QI_HULL = 16, QI_HULL_NUMBERS = 6 * (QI_HULL + 1) * (QI_HULL + 1) * 4 };

// table [6][QI_HULL + 1][QI_HULL + 1][4]: h and the corner x of the mesh's convex hull that has it.
// false: out of memory.
bool qi_hull_table(const mjModel *m, int mesh, double *table);

#endif
