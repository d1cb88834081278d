// SPDX-License-Identifier: Apache-2.0
// guess.h - what a bare MJCF or URDF says of the robot without a robot.yaml.
#ifndef QI_GUESS_H
#define QI_GUESS_H

#include "model/bare.h"

// Fills kind (if NULL), base, feet, sites, rest pose, drives and sensors from the model.
//   feet  sites that were added to the model; NULL: none
bool qi_guess_robot(qiao_robot *r, const qi_feet *feet, qiao_diag *d);
// Whether an actuator turns its control into joint torque and nothing else.
bool qi_is_motor(const qiao_model *m, int act);
// Whether a name is a foot's.
bool qi_is_foot(const char *name);

#endif
