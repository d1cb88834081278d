// SPDX-License-Identifier: Apache-2.0
// motion.h - a motion to follow: where base and joints were over time, from a record of a run
// (.mcap) or a table with named columns (.csv), and what a student is to be at each of its steps.
#ifndef QI_LEARN_MOTION_H
#define QI_LEARN_MOTION_H

#include "learn/reward.h"
#include "qiao/model.h"

typedef struct qi_track { // as it was written down
    int n, nname;
    const char **name; // [nname] joints
    double *t;         // [n] s, rising
    double *base;      // [n][7] position, quaternion w x y z
    double *q;         // [n][nname]
} qi_track;

// All memory from arena; NULL and d filled on a fault: file:line:col.
//   base  name of the body whose pose the base's is (in a record); NULL: the first that moves
qi_track *qi_track_load(const char *path, const char *base, qiao_arena *arena, qiao_diag *d);
// Columns time, base_x base_y base_z, base_qw base_qx base_qy base_qz, and one for each joint, in
// any order; lines that begin with # are not read.
qi_track *qi_track_csv(const char *path, const char *text, size_t n, qiao_arena *arena,
                       qiao_diag *d);
// from, to: s, to < 0: to the end; rate_hz: rows a second
qiao_err qi_track_write(const qi_track *t, double from, double to, double rate_hz, const char *path,
                        qiao_diag *d);

typedef struct qi_motion { // frame by frame of a student's steps
    int nframe;
    bool loop;        // after the last comes the first, a lap further on
    double lap[3];    // m from a frame to the same of the next lap
    qi_target *frame; // [nframe]
} qi_motion;

// Between two rows numbers are drawn straight; velocities are differences of the frames about one.
//   joint [njoint]  in the student's order; every one must be in the track
bool qi_motion_make(qi_motion *m, const qi_track *t, const qi_recipe *r, double rate_hz,
                    const qiao_robot *robot, int njoint, const char *const *joint,
                    qiao_arena *arena, qiao_diag *d);
// Frame n (any, if it loops), laps counted.
void qi_motion_at(const qi_motion *m, int n, qi_target *out);

#endif
