// SPDX-License-Identifier: Apache-2.0
// doctor_names.h - see doctor_names.c. A permutation says: new i is old perm[i].
#ifndef QI_DOCTOR_NAMES_H
#define QI_DOCTOR_NAMES_H

#include "brain/manifest.h"

bool qi_names_mirror(const qi_manifest *m, int *perm); // left and right exchanged; false: no sides
bool qi_names_turn(const qi_manifest *m, int *perm);   // front and rear exchanged
// Legs of a robot with up to four, by the first two letters; 0: no such pattern.
int qi_names_legs(const qi_manifest *m, int leg[4][QI_MAN_JOINTS / 4], int *each);
// The order of the robot's model: limb by limb; levels: hips first, then knees, ...
bool qi_names_model_order(const qi_manifest *m, const qiao_robot *r, bool levels, int *perm);
// A joint's name without its side: "hip_roll_joint".
void qi_names_kind(const qi_manifest *m, int i, char *kind, size_t cap);

#endif
