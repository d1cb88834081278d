// SPDX-License-Identifier: Apache-2.0
// bare.h - what a bare MJCF or URDF lacks to be a robot: motors, a floating base, feet.
#ifndef QI_BARE_H
#define QI_BARE_H

#include "model/compile.h"

enum { QI_FEET_MAX = 16 };
typedef struct qi_feet { // sites that were added under the feet
    int n;
    char name[QI_FEET_MAX][80];
} qi_feet;

// How the moving bodies of a model branch out from its base.
typedef struct qi_tree {
    int base;    // body that the branches start from: of the free joint, or the world
    int trunk;   // joints that all branches share
    int nleaf;   // ends of branches
    int longest; // most joints of a branch beyond the trunk
    int nlong;   // branches with at least three joints beyond the base
    bool floating;
} qi_tree;
qi_tree qi_tree_of(const qiao_model *m);

// Loads a file and completes it. A URDF whose legs reach down from its root gets a free joint (URDF
// cannot say that a base floats); lowest ends of legs get sites if the file names no feet.
qiao_model *qi_bare_load(const char *path, qi_feet *feet, qiao_diag *d);
// Does to the spec of the same file what was done to make m of it.
void qi_bare_again(mjSpec *spec, const qiao_model *m);

#endif
