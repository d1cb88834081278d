// SPDX-License-Identifier: Apache-2.0
// sim/lanes_plan.h - a model as engine "lanes" needs it: constant, flat, in double; every feature
// that the engine does not have is refused here with its name. Inside room sim only.
#ifndef QI_LANES_PLAN_H
#define QI_LANES_PLAN_H

#include "dyn/plan.h"

#include <mujoco/mujoco.h>

enum { QI_LANES_NV = 128 }; // most coordinates of a model
typedef struct qi_bits {    // a set of coordinates
    uint64_t w[QI_LANES_NV / 64];
} qi_bits;

// solref and solimp of a constraint, brought into one form (MuJoCo's mj_makeImpedance).
typedef struct qi_soft {
    double k, b, bf;               // stiffness, damping, damping of friction rows
    double d0, d1, width, mid, pw; // impedance
    int flat;                      // d0 everywhere
} qi_soft;

typedef struct qi_lgeom {                   // that may touch another
    int geom, type, link;                   // link -1: fixed to the world
    double pos[3], mat[9], size[3], rbound; // in the link's frame (world's if fixed); columns
} qi_lgeom;

typedef struct qi_lpair { // two geoms that may touch; type[a] <= type[b]
    int a, b;             // in geom[]
    double margin, gap, friction[5], mu;
    qi_soft soft;
    double tran, rot;   // inverse weights of both bodies
    int dim, ncol;      // rows of the contact in its own frame; columns of its Jacobian
    const int *col;     // [ncol] coordinates in the order of elimination, ascending
    const int8_t *side; // [ncol] 1: moves the first body, 2: the second, 3: both
    int across;         // joins two branches: fills the factor
    int link[2];        // of both geoms
    int order, first;   // as MuJoCo has it; the first of those that join the same links
} qi_lpair;

typedef struct qi_llimit { // of a hinge or slide, or of a tendon
    int qadr, dof, tendon; // tendon -1: a joint
    int ball, col[3];      // of a ball joint: its columns in the order of elimination
    double lo, hi, margin, invweight;
    qi_soft soft;
} qi_llimit;

typedef struct qi_lfriction { // loss in a coordinate or tendon
    int dof, tendon;
    double loss, r, b;
} qi_lfriction;

typedef struct qi_lact {
    int id, ctrl, qadr, dof, tendon; // actuator; tendon -1: a joint
    double gear, gain[3], bias[3], ctrl_lo, ctrl_hi, force_lo, force_hi;
    int moves; // gain depends on position or velocity
} qi_lact;

typedef struct qi_ltendon { // fixed: a sum of joint positions
    int n;
    const int *qadr, *dof;
    const double *coef;
    const int *col; // the same coordinates in the order of elimination, and their factors
    const double *colcoef;
    int across;
    double stiffness, damping, spring[2], force_lo, force_hi;
} qi_ltendon;

typedef struct qi_leq { // connect, weld or joint
    int type, dim, link[2];
    double pos[2][3], mat[2][9]; // anchors and axes in the links' frames (world's if fixed)
    double relpose[4], torquescale;
    double poly[5], ref[2]; // joint
    int qadr[2], dof[2];
    double invweight[2]; // of translation, of rotation
    qi_soft soft;
    int ncol, across;
    const int *col;
    const int8_t *side;
} qi_leq;

typedef struct qi_lplan {
    const qiao_model *model;
    const mjModel *m;
    mjModel *own; // m, if it goes with the plan
    qi_plan *dyn;
    int nq, nv, nu, ngeom, npair, nlimit, nfriction, ntendon, neq, maxcon, maxcol,
        nball;                        // nball: limits of balls
    int dual;                         // solve by sweeps on the forces, not by Newton's method
    int nlone, *lone_dof, *lone_link; // bodies that are one free joint and nothing else
    int rotation;                // RK4 turns balls and free joints to fourth order, unlike MuJoCo
    double dt, tolerance, scale; // of the gradient, as MuJoCo's solvers scale it
    int integrator, elliptic, damped; // mjtIntegrator; Euler treats damping implicitly
    qi_lgeom *geom;
    qi_lpair *pair;
    qi_llimit *limit;
    qi_lfriction *friction;
    qi_lact *act;
    qi_ltendon *tendon;
    qi_leq *eq;
    double *damping, *stiffness; // [nv]
    double *rest;                // [nq] of springs
    double *gravcomp;            // [nbody] mass that gravity compensation lifts; NULL: none
    double *force_lo, *force_hi; // [nv] of the sum of actuators on a joint
    double impratio;
    // the order of elimination: h = pos[dof], dof = dof_at[h]; branches join at low h
    int permuted, *hpos, *dof_at;
    int *dof_kind;         // 0, 1, 2: along x, y, z of a free joint; 3: its turns; 4: any other
    qi_bits *fill;         // [nv] columns of row h of the factor, in robots that touch no branch
    int *row, *col;        // [nv + 1], [..] the same as lists
    int *link_parent;      // [nlink]
    qi_bits *link_dofs;    // [nlink] coordinates (h) that move the link
    double *body_ipos;     // [nbody][3] centre of mass in the link's frame
    struct qi_lhull *hull; // [nmesh] made by the first engine model that asks, for all of them
    qiao_arena *arena;
} qi_lplan;

// NULL and d filled: the feature that is not supported, by name, or out of memory.
qi_lplan *qi_lplan_new(const qiao_model *m, qiao_diag *d);
void qi_lplan_free(qi_lplan *p);
// Whether worlds of a and b may share a group: all but numbers that lanes_vary takes is the same.
bool qi_lplan_alike(const qi_lplan *a, const qi_lplan *b);
// What engine lanes cannot do of m, in words, or NULL.
const char *qi_lanes_refuse(const mjModel *m, char *text, size_t n);

static inline void qi_bit_set(qi_bits *b, int i) { b->w[i >> 6] |= (uint64_t)1 << (i & 63); }
static inline int qi_bit_get(const qi_bits *b, int i) {
    return (int)(b->w[i >> 6] >> (i & 63) & 1);
}

#endif
