// SPDX-License-Identifier: Apache-2.0
// mold.h - worlds of one structure from one compiled world: only the scene's numbers are compiled
// again, not the robot. Inside the library only.
#ifndef QI_MOLD_H
#define QI_MOLD_H

#include "qiao/model.h"

#include <mujoco/mujoco.h>

typedef struct qi_mold qi_mold;

enum {                  // what a cast changed
    QI_CAST_GROUND = 1, // the geometry of what never moves
    QI_CAST_TREE = 2,   // bounding volumes, which engine mujoco's search for contacts walks
};

// Compiles the world. NULL and d on any fault.
qi_mold *qi_mold_new(const qiao_robot *r, const char *scene_xml, const double pos[3], double yaw,
                     qiao_diag *d);
void qi_mold_free(qi_mold *m);
// The world as qiao_model_world makes it from the first scene; the mold's.
const qiao_model *qi_mold_world(const qi_mold *m);
// The numbers of another scene of the same structure, with the robot at the same place: the bits
// that compiling would give. false: of another structure, or not to be told apart from one.
bool qi_mold_cast(qi_mold *m, const char *scene_xml, const double pos[3], double yaw);
// Of the last cast (at first: of the first scene), valid until the next: the model with the drives'
// armatures in place, the start pose [nq], and what differs from the first scene's.
const mjModel *qi_mold_numbers(const qi_mold *m);
const double *qi_mold_q0(const qi_mold *m);
unsigned qi_mold_changed(const qi_mold *m);

#endif
