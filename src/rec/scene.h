// SPDX-License-Identifier: Apache-2.0
// scene.h - the drawn geometry of a world as ROS markers, and the frames that carry it.
#ifndef QI_REC_SCENE_H
#define QI_REC_SCENE_H

#include "qiao/model.h"
#include "rec/cdr.h"

enum qi_marker_type { // visualization_msgs/Marker
    QI_MARKER_CUBE = 1,
    QI_MARKER_SPHERE = 2,
    QI_MARKER_CYLINDER = 3,
    QI_MARKER_LINES = 5,
    QI_MARKER_TRIANGLES = 11,
};

// Whether any joint moves the body.
bool qi_body_moves(const qiao_model *m, int body);
// Frame of a body: its name, or body_7 if it has none. buf of 64.
const char *qi_body_frame(const qiao_model *m, int body, char *buf);
// Poses of all bodies in the model's own pose when nothing moves: [nbody][3], [nbody][4].
void qi_body_rest(const qiao_model *m, double *pos, double *quat);

// One marker; everything that a marker of this kind leaves empty is empty.
typedef struct qi_marker {
    int64_t t_ns;
    const char *frame, *ns, *text;
    int id, type;
    double pos[3], quat[4]; // quaternion w x y z
    double scale[3];
    float rgba[4];
    int npoint;
    const double *point; // [npoint][3]
    bool locked;         // stays with its frame
} qi_marker;
void qi_marker_write(qi_cdr_out *o, const qi_marker *m);
// visualization_msgs/MarkerArray with every drawn geom (groups 0 to 2, not transparent).
qiao_err qi_scene_write(const qiao_model *m, qi_cdr_out *o);

#endif
