// SPDX-License-Identifier: Apache-2.0
// adapt.h - what a robot.yaml changes in a model that others made: the maker's file stays as it is.
#ifndef QI_ADAPT_H
#define QI_ADAPT_H

#include "model/compile.h"
#include "model/yaml.h"

typedef struct qi_adapt_joint { // hinges and slides whose names fit a shell pattern; < 0: as it is
    const char *match;
    double armature, damping, friction;
} qi_adapt_joint;

typedef struct qi_adapt_site { // a site that the file does not have
    const char *name, *body;
    double pos[3], quat[4];
} qi_adapt_site;

typedef struct qi_adapt_law { // actuators whose own law gives way to a motor
    const char *match;
    bool motor;
} qi_adapt_law;

typedef struct qiao_adapt {
    bool draw;        // collision shapes are drawn too: the file has no others
    const char *base; // the tree of this body is the robot, the rest of the world goes; NULL: stays
    int njoint, nsite, nlaw;
    const qi_adapt_joint *joint;
    const qi_adapt_site *site;
    const qi_adapt_law *law;              // in order: the first that fits an actuator holds
    double timestep, impratio, tolerance; // < 0: as the file says
    int integrator, solver, cone, iterations, ls_iterations, damped; // < 0: as the file says
} qiao_adapt;

// Reads physics:, joints:, sites:, base:, draw_collision: and the motor: marks of drives: from a robot.yaml.
// NULL: a fault, in y->d.
const qiao_adapt *qi_adapt_read(qi_yaml *y, yaml_node_t *root, qiao_arena *a);
// Whether every name and pattern of it fits the model that it made; else the fault in y->d.
bool qi_adapt_check(qi_yaml *y, yaml_node_t *root, const qiao_adapt *a, const qiao_model *m);
// The spec of a model's file with these changes (a NULL: none). NULL and d on a fault.
mjSpec *qi_adapt_parse(const char *path, const qiao_adapt *a, qiao_diag *d);
// Path behind "$QIAO_DATA/..." or beside the file (in folder dir). NULL and a fault if that is
// refused or absent.
const char *qi_adapt_path(qi_yaml *y, const yaml_node_t *at, const char *file, const char *dir,
                          qiao_arena *a);

#endif
