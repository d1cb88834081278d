// SPDX-License-Identifier: Apache-2.0
// sensors.h - what every kind of sensor is; shared by rooms model and sim.
#ifndef QI_SENSORS_H
#define QI_SENSORS_H

#include "qiao/model.h"

int qi_sensor_kind(const char *name); // qiao_sensor_kind by its name in lower case, -1: none
const char *qi_sensor_nearest(const char *name);
bool qi_sensor_granted(qiao_sensor_kind kind); // no machine carries it: a scenario gives it
int qi_scalar_joints(const qiao_model *m);     // hinges and slides
// Fills name, unit, frame, element names and dim where they are missing.
qiao_err qi_sensor_complete(qiao_sensor *s, const qiao_robot *r, qiao_arena *a, qiao_diag *d);

#endif
