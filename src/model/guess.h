// SPDX-License-Identifier: Apache-2.0
// guess.h - what a bare MJCF or URDF says of the robot without a robot.yaml.
#ifndef QI_GUESS_H
#define QI_GUESS_H

#include "qiao/model.h"

// Fills kind (if NULL), base, feet, sites, rest pose, drives and sensors from the model.
bool qi_guess_robot(qiao_robot *r, qiao_diag *d);

#endif
