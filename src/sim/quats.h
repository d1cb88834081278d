// SPDX-License-Identifier: Apache-2.0
// sim/quats.h - quaternions of many rotations at once, with the bits of MuJoCo's mju_mat2Quat.
#ifndef QI_QUATS_H
#define QI_QUATS_H

enum { QI_QUATS_PAD = 8 }; // n is rounded up to at most this much: ld has room
typedef struct qi_quats_ops {
    const char *name;
    int (*usable)(void);
    // rot [9][ld] row-major matrices, q [4][ld] out; the first n of each row
    void (*run)(const double *rot, double *q, int n, int ld);
} qi_quats_ops;
extern const qi_quats_ops *const qi_quats_all[];
extern const int qi_quats_nall;
const qi_quats_ops *qi_quats_best(void);

#endif
