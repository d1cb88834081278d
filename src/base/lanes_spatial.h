// SPDX-License-Identifier: Apache-2.0
// base/lanes_spatial.h - vectors, rotations, inertias over the number type R (base/lanes.h).
// A spatial motion is (ang; lin), a spatial force (ang; lin) = (moment; force), both at a stated
// point and in stated axes. source: R. Featherstone, Rigid Body Dynamics Algorithms (2008), ch. 2
#ifndef QI_LANES_SPATIAL_H
#define QI_LANES_SPATIAL_H

#include "base/lanes.h"

typedef struct vec3 {
    R x, y, z;
} vec3;
typedef struct mat3 { // columns
    vec3 x, y, z;
} mat3;
typedef struct sym3 {
    R xx, yy, zz, xy, xz, yz;
} sym3;
typedef struct quat {
    R w, x, y, z;
} quat;
typedef struct vec6 { // motion or force
    vec3 ang, lin;
} vec6;
typedef struct inertia { // of a rigid body about a point: m, m c, and the 3x3 about that point
    R m;
    vec3 h;
    sym3 i;
} inertia;
typedef struct inertia6 { // any symmetric 6x6: n = a ang + b lin, f = b' ang + c lin
    sym3 a, c;
    mat3 b;
} inertia6;

LANE_FN vec3 vec(R x, R y, R z) { return (vec3){x, y, z}; }
LANE_FN vec3 vec0(void) { return (vec3){num(0), num(0), num(0)}; }
LANE_FN vec3 vec_of(const T *p) { return (vec3){num(p[0]), num(p[1]), num(p[2])}; }
LANE_FN vec3 vec_at(const R *p) { return (vec3){p[0], p[1], p[2]}; }
LANE_FN void vec_put(R *p, vec3 a) { p[0] = a.x, p[1] = a.y, p[2] = a.z; }
LANE_FN vec3 add(vec3 a, vec3 b) { return vec(a.x + b.x, a.y + b.y, a.z + b.z); }
LANE_FN vec3 sub(vec3 a, vec3 b) { return vec(a.x - b.x, a.y - b.y, a.z - b.z); }
LANE_FN vec3 neg(vec3 a) { return vec(-a.x, -a.y, -a.z); }
LANE_FN vec3 mul(R s, vec3 a) { return vec(s * a.x, s * a.y, s * a.z); }
LANE_FN R dot(vec3 a, vec3 b) { return (a.x * b.x + a.y * b.y) + a.z * b.z; }
LANE_FN vec3 cross(vec3 a, vec3 b) {
    return vec(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
}

LANE_FN mat3 mat_of(const T *p) { return (mat3){vec_of(p), vec_of(p + 3), vec_of(p + 6)}; }
LANE_FN vec3 mat_vec(mat3 m, vec3 a) { // m a
    return vec((m.x.x * a.x + m.y.x * a.y) + m.z.x * a.z, (m.x.y * a.x + m.y.y * a.y) + m.z.y * a.z,
               (m.x.z * a.x + m.y.z * a.y) + m.z.z * a.z);
}
LANE_FN vec3 mat_tvec(mat3 m, vec3 a) { return vec(dot(m.x, a), dot(m.y, a), dot(m.z, a)); } // m' a
LANE_FN mat3 mat_mul(mat3 a, mat3 b) {
    return (mat3){mat_vec(a, b.x), mat_vec(a, b.y), mat_vec(a, b.z)};
}
LANE_FN mat3 mat_add(mat3 a, mat3 b) { return (mat3){add(a.x, b.x), add(a.y, b.y), add(a.z, b.z)}; }
// m turned about its own z axis by the angle of sine s and cosine c
LANE_FN mat3 mat_turn_z(mat3 m, R s, R c) {
    return (mat3){add(mul(c, m.x), mul(s, m.y)), sub(mul(c, m.y), mul(s, m.x)), m.z};
}

LANE_FN sym3 sym_of(const T *p) {
    return (sym3){num(p[0]), num(p[1]), num(p[2]), num(p[3]), num(p[4]), num(p[5])};
}
LANE_FN vec3 sym_vec(sym3 s, vec3 a) {
    return vec((s.xx * a.x + s.xy * a.y) + s.xz * a.z, (s.xy * a.x + s.yy * a.y) + s.yz * a.z,
               (s.xz * a.x + s.yz * a.y) + s.zz * a.z);
}
LANE_FN sym3 sym_add(sym3 a, sym3 b) {
    return (sym3){a.xx + b.xx, a.yy + b.yy, a.zz + b.zz, a.xy + b.xy, a.xz + b.xz, a.yz + b.yz};
}
LANE_FN sym3 sym_turn(mat3 r, sym3 s) { // r s r'
    vec3 x = vec((r.x.x * s.xx + r.y.x * s.xy) + r.z.x * s.xz,
                 (r.x.x * s.xy + r.y.x * s.yy) + r.z.x * s.yz,
                 (r.x.x * s.xz + r.y.x * s.yz) + r.z.x * s.zz);
    vec3 y = vec((r.x.y * s.xx + r.y.y * s.xy) + r.z.y * s.xz,
                 (r.x.y * s.xy + r.y.y * s.yy) + r.z.y * s.yz,
                 (r.x.y * s.xz + r.y.y * s.yz) + r.z.y * s.zz);
    vec3 z = vec((r.x.z * s.xx + r.y.z * s.xy) + r.z.z * s.xz,
                 (r.x.z * s.xy + r.y.z * s.yy) + r.z.z * s.yz,
                 (r.x.z * s.xz + r.y.z * s.yz) + r.z.z * s.zz);
    return (sym3){
        (x.x * r.x.x + x.y * r.y.x) + x.z * r.z.x, (y.x * r.x.y + y.y * r.y.y) + y.z * r.z.y,
        (z.x * r.x.z + z.y * r.y.z) + z.z * r.z.z, (x.x * r.x.y + x.y * r.y.y) + x.z * r.z.y,
        (x.x * r.x.z + x.y * r.y.z) + x.z * r.z.z, (y.x * r.x.z + y.y * r.y.z) + y.z * r.z.z};
}
LANE_FN sym3 sym_inverse(sym3 s) {
    R a = s.yy * s.zz - s.yz * s.yz, b = s.xz * s.yz - s.xy * s.zz, c = s.xy * s.yz - s.xz * s.yy;
    R d = num(1) / ((s.xx * a + s.xy * b) + s.xz * c);
    return (sym3){d * a, d * (s.xx * s.zz - s.xz * s.xz), d * (s.xx * s.yy - s.xy * s.xy), d * b,
                  d * c, d * (s.xy * s.xz - s.xx * s.yz)};
}
LANE_FN sym3 sym_outer(R k, vec3 a) { // k a a'
    vec3 b = mul(k, a);
    return (sym3){b.x * a.x, b.y * a.y, b.z * a.z, b.x * a.y, b.x * a.z, b.y * a.z};
}
LANE_FN sym3 sym_sub(sym3 a, sym3 b) {
    return (sym3){a.xx - b.xx, a.yy - b.yy, a.zz - b.zz, a.xy - b.xy, a.xz - b.xz, a.yz - b.yz};
}

// Rotation matrix of a quaternion of any length but 0 (MuJoCo normalises too).
LANE_FN quat quat_unit(quat q) {
    R k = num(1) / root((q.w * q.w + q.x * q.x) + (q.y * q.y + q.z * q.z));
    return (quat){k * q.w, k * q.x, k * q.y, k * q.z};
}
LANE_FN mat3 quat_mat(quat q) {
    R xx = q.x * q.x, yy = q.y * q.y, zz = q.z * q.z, ww = q.w * q.w;
    R xy = q.x * q.y, xz = q.x * q.z, yz = q.y * q.z, wx = q.w * q.x, wy = q.w * q.y,
      wz = q.w * q.z;
    return (mat3){vec(((ww + xx) - yy) - zz, num(2) * (xy + wz), num(2) * (xz - wy)),
                  vec(num(2) * (xy - wz), ((ww - xx) + yy) - zz, num(2) * (yz + wx)),
                  vec(num(2) * (xz + wy), num(2) * (yz - wx), ((ww - xx) - yy) + zz)};
}

LANE_FN vec6 add6(vec6 a, vec6 b) { return (vec6){add(a.ang, b.ang), add(a.lin, b.lin)}; }
LANE_FN vec6 sub6(vec6 a, vec6 b) { return (vec6){sub(a.ang, b.ang), sub(a.lin, b.lin)}; }
LANE_FN vec6 mul6(R s, vec6 a) { return (vec6){mul(s, a.ang), mul(s, a.lin)}; }
LANE_FN R dot6(vec6 a, vec6 b) { return dot(a.ang, b.ang) + dot(a.lin, b.lin); }
LANE_FN vec6 cross_motion(vec6 v, vec6 m) { // rate of m carried along by v
    return (vec6){cross(v.ang, m.ang), add(cross(v.ang, m.lin), cross(v.lin, m.ang))};
}
LANE_FN vec6 cross_force(vec6 v, vec6 f) {
    return (vec6){add(cross(v.ang, f.ang), cross(v.lin, f.lin)), cross(v.ang, f.lin)};
}
// a force at a point, said at another that lies r before it
LANE_FN vec6 force_shift(vec6 f, vec3 r) { return (vec6){add(f.ang, cross(r, f.lin)), f.lin}; }

LANE_FN inertia inertia_add(inertia a, inertia b) {
    return (inertia){a.m + b.m, add(a.h, b.h), sym_add(a.i, b.i)};
}
LANE_FN vec6 inertia_mul(inertia y, vec6 v) {
    return (vec6){add(sym_vec(y.i, v.ang), cross(y.h, v.lin)),
                  sub(mul(y.m, v.lin), cross(y.h, v.ang))};
}
// about a point that lies r before the present one:
// I + 2 (r.k) 1 - (r k' + k r'), k = h + m r / 2
LANE_FN inertia inertia_shift(inertia y, vec3 r) {
    vec3 hr = mul(y.m, r), k = add(y.h, mul(num((T)0.5), hr));
    R xx = r.x * k.x, yy = r.y * k.y, zz = r.z * k.z;
    sym3 i = {y.i.xx + num(2) * (yy + zz),      y.i.yy + num(2) * (xx + zz),
              y.i.zz + num(2) * (xx + yy),      y.i.xy - (r.x * k.y + k.x * r.y),
              y.i.xz - (r.x * k.z + k.x * r.z), y.i.yz - (r.y * k.z + k.y * r.z)};
    return (inertia){y.m, add(y.h, hr), i};
}
// the same for any symmetric 6x6: b' = b + [r]c, a' = a - (b[r])' - b'[r]
LANE_FN inertia6 inertia6_shift(inertia6 y, vec3 r) {
    vec3 cx = vec(y.c.xx, y.c.xy, y.c.xz), cy = vec(y.c.xy, y.c.yy, y.c.yz),
         cz = vec(y.c.xz, y.c.yz, y.c.zz);
    mat3 b = y.b, k = {add(b.x, cross(r, cx)), add(b.y, cross(r, cy)), add(b.z, cross(r, cz))};
    // columns of m [r]: x: r.z m.y - r.y m.z, y: r.x m.z - r.z m.x, z: r.y m.x - r.x m.y
    sym3 a = y.a;
    a.xx = a.xx - (r.z * (b.y.x + k.y.x) - r.y * (b.z.x + k.z.x));
    a.yy = a.yy - (r.x * (b.z.y + k.z.y) - r.z * (b.x.y + k.x.y));
    a.zz = a.zz - (r.y * (b.x.z + k.x.z) - r.x * (b.y.z + k.y.z));
    a.xy = a.xy - ((r.z * b.y.y - r.y * b.z.y) + (r.x * k.z.x - r.z * k.x.x));
    a.xz = a.xz - ((r.z * b.y.z - r.y * b.z.z) + (r.y * k.x.x - r.x * k.y.x));
    a.yz = a.yz - ((r.x * b.z.z - r.z * b.x.z) + (r.y * k.x.y - r.x * k.y.y));
    return (inertia6){a, y.c, k};
}
LANE_FN vec6 inertia6_mul(inertia6 y, vec6 v) {
    return (vec6){add(sym_vec(y.a, v.ang), mat_vec(y.b, v.lin)),
                  add(mat_tvec(y.b, v.ang), sym_vec(y.c, v.lin))};
}

#endif
