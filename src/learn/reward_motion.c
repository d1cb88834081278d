// SPDX-License-Identifier: Apache-2.0
// reward_motion.c - the terms that say how near a motion is followed: see reward.h.
// source   X. Peng et al., DeepMimic: example-guided deep reinforcement learning of physics-based
//          character skills (2018), section 5: exponentials of squared errors, here each mean over
//          joints or feet, so that a width means the same on every robot
#include "learn/reward.h"

#include "ctl/vec.h"

static double mean_square(const double *a, const double *b, int n) {
    double s = 0;
    for (int i = 0; i < n; i++) s += (a[i] - b[i]) * (a[i] - b[i]);
    return n > 0 ? s / n : 0;
}

// Mean squared distance of the feet, seen from the base, from the motion's.
static double feet(const qi_look *o) {
    double R[9], p[3], s = 0;
    rot_quat(R, o->pose + 3);
    for (int f = 0; f < o->nfoot; f++) {
        sub3(p, o->foot[f], o->pose);
        mul33tv(p, R, p);
        sub3(p, p, o->target->foot[f]);
        s += dot3(p, p);
    }
    return o->nfoot > 0 ? s / o->nfoot : 0;
}

// Squared angle between the base and the motion's, rad2: near 0 twice the sine of its half.
static double turned(const double *a, const double *b) {
    double back[4] = {a[0], -a[1], -a[2], -a[3]}, q[4];
    mul_quat(q, back, b);
    return 4 * (q[1] * q[1] + q[2] * q[2] + q[3] * q[3]);
}

double qi_reward_off_motion(const qi_look *o, const qi_reward *w) {
    const qi_target *t = o->target;
    if (!t) return 0;
    double off = 0;
    switch (w->kind) {
    case QI_REWARD_motion_joint_pos: off = mean_square(o->q, t->q, o->njoint); break;
    case QI_REWARD_motion_joint_vel: off = mean_square(o->qd, t->qd, o->njoint); break;
    case QI_REWARD_motion_feet: off = feet(o); break;
    case QI_REWARD_motion_base_pos: off = 3 * mean_square(o->pose, t->pose, 3); break;
    case QI_REWARD_motion_base_rot: off = turned(o->pose + 3, t->pose + 3); break;
    case QI_REWARD_motion_base_vel: off = 3 * mean_square(o->vel, t->vel, 3); break;
    case QI_REWARD_motion_base_gyro: off = 3 * mean_square(o->gyro, t->gyro, 3); break;
    default: break;
    }
    return off / (w->param * w->param);
}
