// SPDX-License-Identifier: Apache-2.0
// sim/lanes_touch.h - contacts of two shapes over the number type R (base/lanes.h), lane by lane.
// The same points, distances, normals and order as MuJoCo 3.17's own functions for the pair.
#ifndef QI_LANES_TOUCH_H
#define QI_LANES_TOUCH_H

#include "base/lanes_math.h"
#include "base/lanes_spatial.h"

typedef struct place { // of a geom, world axes
    vec3 pos;
    mat3 rot; // columns: the geom's own axes
    vec3 size;
} place;

typedef struct touch { // one contact; where `on` is 0 the rest is finite but means nothing
    R dist;            // < 0: penetration, m
    vec3 pos;          // midway between the surfaces
    vec3 n;            // from shape 1 to shape 2, unit
    vec3 t;            // second axis of the contact frame where the pair defines one, else 0
    mask on;           // dist <= margin, as MuJoCo's functions; the engine then asks <
} touch;

enum { TOUCH_MAX = 8 };
// Shapes ordered by type as mjtGeom; fills out[0 .. max-1].
typedef void touch_fn(const place *a, const place *b, R margin, touch *out);
typedef struct touch_pair {
    touch_fn *fn; // NULL: this pair has no function in lanes
    int max;      // contacts it may give
} touch_pair;

#endif
