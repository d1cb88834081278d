// SPDX-License-Identifier: Apache-2.0
// sim/convex.h - where two convex shapes touch, for one pose, in double. The answer is MuJoCo
// 3.17's (GJK, EPA, further contacts on faces) with the same choices in the same order; the bits are
// this code's on every machine and for every instance of engine lanes. Inside room sim only.
// source: Montanari, Petrinic, Barbieri, Improving the GJK algorithm (2017); van den Bergen,
// Proximity queries and penetration depth computation (2001); MuJoCo, engine_collision_gjk.c
#ifndef QI_CONVEX_H
#define QI_CONVEX_H

#include "qiao/base.h"

#include <mujoco/mujoco.h>
#include <stdbool.h>

// Directions are sorted by QI_HULL x QI_HULL squares on each side of a cube: side 2 a + (below zero)
// holds those with axis a at +-1 and the next two axes from -1 to 1.
enum { QI_HULL = 16, QI_HULL_CELLS = 6 * QI_HULL * QI_HULL };

typedef struct qi_corner { // 4 to a line of the cache
    float x[3];
    int id; // its number in the mesh
} qi_corner;
typedef struct qi_hull { // a mesh's convex hull; points into the model
    int n;               // corners; 0: no hull
    // To climb: of each corner its place and number, then its neighbours' places and where each
    // one's own entry stands in ring; ~ of that for the last. start [27]: where MuJoCo begins.
    const qi_corner *ring; // NULL: it has no climb
    int start[27];
    const int *cell;      // [QI_HULL_CELLS + 1] into far, without ring: the farthest along any
    const qi_corner *far; // direction of the square
    const float *vert;    // [][3] the mesh's corners by number
    const int *facesadr, *facesnum, *faces;       // by number: the faces around a corner
    const int *cornersadr, *cornersnum, *corners; // of a face
    const double *normal;                         // of a face
    int nface;
} qi_hull;

typedef struct qi_solid {
    int type; // mjtGeom
    double size[3], pos[3], mat[9];
    const qi_hull *hull; // of a mesh
} qi_solid;

enum { QI_CONVEX_MOST = 8 }; // contacts of a pair
typedef struct qi_convex qi_convex;

// Work memory for a model's pairs, from the arena; NULL: out of memory.
qi_convex *qi_convex_new(const mjModel *m, qiao_arena *arena);
// Whether this pair of types (mjtGeom) is answered here. Others are MuJoCo's: planes and height
// fields; cylinders against all that has edges, whose further contacts are another algorithm.
bool qi_convex_knows(int a, int b);
// Contacts nearer than margin into out, and how many; a's type is no greater than b's.
int qi_convex_touch(qi_convex *w, const qi_solid *a, const qi_solid *b, double margin,
                    mjPreContact out[QI_CONVEX_MOST]);

#endif
