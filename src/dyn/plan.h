// SPDX-License-Identifier: Apache-2.0
// dyn/plan.h - a model as a tree of links with one joint each, in coordinates made for speed.
// A hinge's or slide's link has its z axis on the joint axis (and a hinge its origin on it), so
// that a motion subspace is a unit vector. A free joint is two links: MOVE (three translations,
// world axes, no mass) and BALL. Bodies without joints are merged into the link that carries them.
#ifndef QI_DYN_PLAN_H
#define QI_DYN_PLAN_H

#include "qiao/dyn.h"

enum { QI_HINGE, QI_SLIDE, QI_BALL, QI_MOVE };
// How E turns: none, quarter turns about x, any angle about x, anything. A link's x axis is chosen
// so that its first child is a turn about x (as Denavit and Hartenberg's frames are).
enum { QI_TILT_0, QI_TILT_90, QI_TILT_180, QI_TILT_270, QI_TILT_X, QI_TILT_ANY };

typedef struct qi_link {
    int type, parent; // parent < i, -1: the world
    int qadr, vadr, ndof;
    int tilt;    // QI_TILT_
    double E[9]; // turns link vectors into parent vectors at q0; columns
    double r[3]; // origin in the parent's frame at q0
    double q0;
    double m, h[3], i[6]; // mass, first moment, inertia about the origin: xx yy zz xy xz yz
} qi_link;

typedef struct qi_plan {
    const qiao_model *model;
    int nq, nv, nbody, nlink, nnz;
    double gravity[3];
    double mass;
    qi_link *link;    // [nlink]
    int *body_link;   // [nbody] link that carries it, -1: fixed to the world
    double *body_rot; // [nbody][9] turns body vectors into the link's; columns
    double *body_pos; // [nbody][3] origin in the link's frame
    double *armature; // [nv]
    int *dof_link;    // [nv]
    int *row, *col;   // [nv + 1], [nnz] sparse mass matrix
} qi_plan;

// What is wrong with m for dyn, or NULL.
const char *qi_plan_check(const qiao_model *m);
void qi_plan_count(const qiao_model *m, qi_plan *p); // nlink, nnz, the model's counts
size_t qi_plan_size(const qiao_model *m);
qi_plan *qi_plan_init(const qiao_model *m, void *mem);

// Bump allocator over a caller's block; with mem NULL it only counts.
typedef struct qi_bump {
    char *mem;
    size_t used;
} qi_bump;
static inline void *qi_bump_get(qi_bump *b, size_t bytes) {
    void *p = b->mem ? b->mem + b->used : NULL;
    b->used += (bytes + 63) & ~(size_t)63;
    return p;
}

#endif
