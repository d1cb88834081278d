// SPDX-License-Identifier: Apache-2.0
// ctl/vec.h - vectors [3], matrices [9] row-major, quaternions w x y z: the few words that
// control laws are written in. sin, cos, atan2 are base's own: the same bits everywhere.
#ifndef QI_CTL_VEC_H
#define QI_CTL_VEC_H

#include <math.h>
#include <string.h>

void qi_sincos(double x, double *s, double *c); // vec.c
double qi_atan2(double y, double x);

static inline double clampd(double x, double lo, double hi) {
    return x < lo ? lo : x > hi ? hi : x;
}
static inline double dot3(const double *a, const double *b) {
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}
static inline void set3(double *o, double x, double y, double z) { o[0] = x, o[1] = y, o[2] = z; }
static inline void copy3(double *o, const double *a) { set3(o, a[0], a[1], a[2]); }
static inline void add3(double *o, const double *a, const double *b) {
    set3(o, a[0] + b[0], a[1] + b[1], a[2] + b[2]);
}
static inline void sub3(double *o, const double *a, const double *b) {
    set3(o, a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}
static inline void mad3(double *o, double k, const double *a) {
    set3(o, o[0] + k * a[0], o[1] + k * a[1], o[2] + k * a[2]);
}
static inline void cross3(double *o, const double *a, const double *b) {
    double x = a[1] * b[2] - a[2] * b[1], y = a[2] * b[0] - a[0] * b[2];
    set3(o, x, y, a[0] * b[1] - a[1] * b[0]);
}
static inline double norm3(const double *a) { return sqrt(dot3(a, a)); }

static inline void mul33v(double *o, const double *M, const double *v) {
    double x = dot3(M, v), y = dot3(M + 3, v), z = dot3(M + 6, v);
    set3(o, x, y, z);
}
static inline void mul33tv(double *o, const double *M, const double *v) { // M' v
    double x = M[0] * v[0] + M[3] * v[1] + M[6] * v[2];
    double y = M[1] * v[0] + M[4] * v[1] + M[7] * v[2];
    double z = M[2] * v[0] + M[5] * v[1] + M[8] * v[2];
    set3(o, x, y, z);
}
static inline void mul33(double *o, const double *A, const double *B) {
    double r[9];
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            r[3 * i + j] = A[3 * i] * B[j] + A[3 * i + 1] * B[3 + j] + A[3 * i + 2] * B[6 + j];
    memcpy(o, r, sizeof r);
}
static inline void transpose33(double *o, const double *A) {
    double r[9] = {A[0], A[3], A[6], A[1], A[4], A[7], A[2], A[5], A[8]};
    memcpy(o, r, sizeof r);
}
static inline void identity33(double *o) {
    memset(o, 0, 9 * sizeof *o);
    o[0] = o[4] = o[8] = 1;
}
static inline void rot_quat(double *R, const double *q) { // unit q
    double w = q[0], x = q[1], y = q[2], z = q[3];
    R[0] = 1 - 2 * (y * y + z * z), R[1] = 2 * (x * y - w * z), R[2] = 2 * (x * z + w * y);
    R[3] = 2 * (x * y + w * z), R[4] = 1 - 2 * (x * x + z * z), R[5] = 2 * (y * z - w * x);
    R[6] = 2 * (x * z - w * y), R[7] = 2 * (y * z + w * x), R[8] = 1 - 2 * (x * x + y * y);
}
static inline void mul_quat(double *o, const double *a, const double *b) {
    double r[4] = {a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3],
                   a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2],
                   a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1],
                   a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0]};
    memcpy(o, r, sizeof r);
}
static inline void unit_quat(double *q) {
    double n = sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]);
    if (!(n > 1e-9)) {
        q[0] = 1, q[1] = q[2] = q[3] = 0;
        return;
    }
    for (int i = 0; i < 4; i++) q[i] /= n;
}
static inline void rot_axis(double *R, const double *axis, double angle) { // Rodrigues
    double s, c;
    qi_sincos(angle, &s, &c);
    double x = axis[0], y = axis[1], z = axis[2], v = 1 - c;
    R[0] = c + x * x * v, R[1] = x * y * v - z * s, R[2] = x * z * v + y * s;
    R[3] = x * y * v + z * s, R[4] = c + y * y * v, R[5] = y * z * v - x * s;
    R[6] = x * z * v - y * s, R[7] = y * z * v + x * s, R[8] = c + z * z * v;
}
// o = M^-1 v for a 3 x 3 matrix; false and o = 0 if it is near singular.
static inline int solve33(double *o, const double *M, const double *v) {
    double c0[3], c1[3], c2[3], col[3][3];
    for (int j = 0; j < 3; j++)
        for (int i = 0; i < 3; i++) col[j][i] = M[3 * i + j];
    cross3(c0, col[1], col[2]), cross3(c1, col[2], col[0]), cross3(c2, col[0], col[1]);
    double det = dot3(col[0], c0);
    if (!(fabs(det) > 1e-12)) {
        set3(o, 0, 0, 0);
        return 0;
    }
    set3(o, dot3(c0, v) / det, dot3(c1, v) / det, dot3(c2, v) / det);
    return 1;
}

#endif
