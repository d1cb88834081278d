// SPDX-License-Identifier: Apache-2.0
// tape.h - a record unrolled into arrays: what pages and pictures are made from. Read from the
// standard topics (/tf, /tf_static, MarkerArray, JointState, Log) and Qiao's own message types.
#ifndef QI_REC_TAPE_H
#define QI_REC_TAPE_H

#include "rec/mcap_read.h"

typedef struct qi_tape_body {
    const char *name;
    int column;             // in the poses of a frame, -1: never moves
    double pos[3], quat[4]; // world frame, of a body that never moves
} qi_tape_body;

typedef struct qi_tape_geom { // a marker of /scene
    int body, type;           // qi_marker_type
    const char *kind;         // "plane", "box", "mesh", ...
    double pos[3], quat[4];   // in the body's frame
    double scale[3];
    float rgba[4];
    int nvert, nface;
    float *vert; // [nvert][3]
    int *face;   // [nface][3]
} qi_tape_geom;

typedef struct qi_tape_signal {
    const char *name, *unit; // "/obs/joint_pos"
    int dim, nname, n, cap;
    const char **element; // [nname]; nname is dim or 0
    int64_t *t_ns;        // [n] when it was logged
    int64_t *stamp_ns;    // [n] when it was sampled or decided
    double *value;        // [n][dim]
    int channel, part;    // part of a JointState: 0 position, 1 velocity, 2 effort
} qi_tape_signal;

typedef struct qi_tape_event {
    int64_t t_ns;
    const char *name, *text;
} qi_tape_event;

typedef struct qi_tape_contact {
    int frame; // the frame of poses at or before it
    double pos[3], force[3];
} qi_tape_contact;

typedef struct qi_tape_measure {
    const char *name, *unit, *kind;
    double value, limit, weight;
    bool broken;
} qi_tape_measure;

typedef struct qi_tape {
    qi_mcap *file;
    int nbody, ncolumn, ngeom, nframe, nsignal, nevent, ncontact, nmeasure;
    qi_tape_body *body;
    qi_tape_geom *geom;
    int64_t *frame_ns; // [nframe]
    double *pose;      // [nframe][ncolumn][7] position, quaternion w x y z
    qi_tape_signal *signal;
    qi_tape_event *event;
    qi_tape_contact *contact;
    bool scored;
    const char *verdict, *reason;
    double total, completion, time;
    qi_tape_measure *measure;
    uint16_t *slot; // hash of body names
} qi_tape;

qi_tape *qi_tape_load(const char *path, qiao_diag *d);
qi_tape *qi_tape_read(qi_mcap *f, qiao_diag *d); // takes over f
void qi_tape_free(qi_tape *t);

#endif
