// SPDX-License-Identifier: Apache-2.0
// case.h - one concrete draw bound to a robot: what scene, actions and referee work on.
#ifndef QI_TASK_CASE_H
#define QI_TASK_CASE_H

#include "osc.h"

typedef struct qi_segment { // of a route's centre line
    double s, len;          // where it starts along the route; horizontal length
    double x, y, z, yaw;    // of its start
    double rise;            // height gained over len
    double width;
} qi_segment;

enum { QI_SEGMENT_MAX = 64 };
typedef struct qi_route {
    int n;
    double len, start, finish; // along the centre line
    qi_segment seg[QI_SEGMENT_MAX];
} qi_route;
// Point of the centre line at s; heading of the segment there.
void qi_route_at(const qi_route *r, double s, double xyz[3], double *yaw);
// The nearest point of the centre line: its s and the signed distance to the left of it.
void qi_route_project(const qi_route *r, double x, double y, double *s, double *left);

struct qiao_case {
    qiao_arena *a;
    const qiao_scenario *s;
    const qiao_robot *robot;
    qi_inst *in;
    qi_obj *role; // the robot
    char *text;   // the concrete file
    const char *scene;
    double pos[3], yaw, time_limit;
    double base[3], base_quat[4]; // the base at the start
    int ngrant, nfact;
    qiao_sensor *grant;
    const char **fact_name, **fact_text;
    double *value;  // [nparam]
    qi_obj **thing; // movable objects, in the order of the file
    int nthing;
    qi_obj **box; // containers
    int nbox;
};

// Objects of the scenario by the library actor they inherit.
bool qi_scene_build(qiao_case *c, qiao_diag *d);
bool qi_case_signals(qiao_case *c, qiao_diag *d); // grants
bool qi_case_tell(qiao_case *c, qiao_diag *d);    // facts
// The concrete file: the abstract one and a keep for each drawn value.
char *qi_concrete(const qiao_scenario *s, const qi_inst *drawn, qiao_arena *a, uint64_t seed,
                  uint64_t trial);
// Value of a named argument of a line of score: or envelope:, or other.
const qi_node *qi_item_arg(const qi_item *it, const char *name, int position);

#endif
