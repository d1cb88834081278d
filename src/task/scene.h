// SPDX-License-Identifier: Apache-2.0
// scene.h - MJCF text that grows.
#ifndef QI_TASK_SCENE_H
#define QI_TASK_SCENE_H

#include "case.h"

typedef struct qi_text {
    qiao_arena *a;
    char *s;
    size_t n, cap;
    bool bad; // out of memory or over the limit
} qi_text;
void qi_put(qi_text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

typedef struct qi_scene {
    qiao_case *c;
    qi_inst *in;
    qiao_diag *d;
    qi_text world, extra; // inside <worldbody>; beside it: equality, contact
    double friction;
    int nbox;
} qi_scene;

// Box of half sizes h at p, turned by yaw and then pitched (nose up is negative).
void qi_put_box(qi_scene *s, const char *name, const double p[3], const double h[3], double yaw,
                double pitch, const char *rgba);
bool qi_build_route(qi_scene *s, qi_obj *o);
bool qi_build_things(qi_scene *s);   // tables, containers, persons: what stands still
bool qi_build_movables(qi_scene *s); // objects, trays: after the robot has its place
void qi_quat_yaw_pitch(double yaw, double pitch, double quat[4]);

#endif
