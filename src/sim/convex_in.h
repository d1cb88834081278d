// SPDX-License-Identifier: Apache-2.0
// sim/convex_in.h - what the parts of sim/convex.h share.
#ifndef QI_CONVEX_IN_H
#define QI_CONVEX_IN_H

#define LANES_T double
#define LANES_N 1
#include "base/lanes_spatial.h"
#include "sim/convex.h"

#include <math.h>
#include <string.h>

#define MIN   1e-15 // mjMINVAL
#define LIMIT 1e300 // no distance

typedef struct solid {
    int type, thin; // thin: a ball or capsule without its radius
    double size[3], grow;
    vec3 pos;
    mat3 rot;
    const qi_hull *hull;
    int at, last; // the corner found last: in its ring, its number; -1: none
} solid;

typedef struct corner { // of the difference a - b of both shapes
    vec3 p, a, b;
    int ia, ib;
} corner;

typedef struct face {
    int c[3], next[3]; // corners; the face beyond each edge
    vec3 v;            // the plane's point nearest to 0, outward
    double vv;
    int at; // in the map; -1: not there, -2: gone
} face;

struct qi_convex {
    int iterations, most, multi; // most: faces
    double tolerance, margin;
    // GJK
    corner simplex[4];
    int n, separated, nx; // corners of the simplex; witnesses
    vec3 x1[QI_CONVEX_MOST], x2[QI_CONVEX_MOST];
    double dist[QI_CONVEX_MOST];
    // EPA
    corner *c;
    face *f;
    int *map, *rim, *rim_edge;
    int nc, nf, nmap, nrim;
    vec3 centre;
    // further contacts
    int degree, sides; // most faces around a corner, most corners of a face
    int *id1, *id2;
    vec3 *n1, *n2, *end, *face1, *face2, *poly, *cut, *pn;
    double *pd;
};

static inline vec3 axpy(double s, vec3 x, vec3 y) { return add(y, mul(s, x)); }
static inline double length(vec3 a) { return root(dot(a, a)); }
static inline vec3 unit_of(vec3 a) { // as mju_normalize3: x where there is none
    double n = length(a);
    return n < MIN ? vec(1, 0, 0) : mul(1 / n, a);
}

bool qi_convex_smooth(const solid *a, const solid *b); // not both with corners and no margin
void qi_convex_support(corner *c, solid *a, solid *b, vec3 dir);
bool qi_convex_foot(vec3 *o, vec3 a, vec3 b, vec3 c); // of 0 on a plane; false: no plane
// p = (l0 a + l1 b + l2 c) / *m for p in their plane
void qi_convex_weights(double l[3], double *m, vec3 a, vec3 b, vec3 c, vec3 p);
void qi_convex_gjk(qi_convex *w, solid *a, solid *b, double cutoff);
face *qi_convex_epa(qi_convex *w, solid *a, solid *b); // NULL: no depth
void qi_convex_faces(qi_convex *w, const corner *const c[3], const solid *a, const solid *b);

#endif
