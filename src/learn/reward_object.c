// SPDX-License-Identifier: Apache-2.0
// reward_object.c - terms of hands and arms: what becomes of the object that they work on. source:
// the terms of K. Zakka et al., MuJoCo Playground (2025), cube reorientation and pushing.
#include "learn/reward.h"

#include "ctl/vec.h"

static double apart(const double *a, const double *b) {
    double d[3];
    sub3(d, a, b);
    return norm3(d);
}

void qi_reward_object_speeds(qi_look *o, const qi_past *past) {
    set3(o->object_vel, 0, 0, 0), set3(o->object_spin, 0, 0, 0);
    if (past->fresh || !o->object) return;
    double back[4] = {past->object[3], -past->object[4], -past->object[5], -past->object[6]}, q[4];
    sub3(o->object_vel, o->object, past->object);
    mul_quat(q, o->object + 3, back);
    // twice the vector part: the turn, to the third order
    double k = (q[0] < 0 ? -2 : 2) / o->dt;
    for (int i = 0; i < 3; i++) o->object_vel[i] /= o->dt, o->object_spin[i] = k * q[1 + i];
}

double qi_reward_object(const qi_look *o, const qi_past *past, const qi_reward *w) {
    double s = 0;
    switch (w->kind) {
    case QI_REWARD_orientation: return fmax(0, 1 - o->off / w->param);
    case QI_REWARD_place: return qi_reward_exp(-o->off / w->param);
    case QI_REWARD_closer: return isnan(past->off) ? 0 : (past->off - o->off) / o->dt;
    case QI_REWARD_at_goal: return o->off < o->tolerance;
    case QI_REWARD_reached: return o->reached ? 1 / o->dt : 0;
    case QI_REWARD_hand_near: return qi_reward_exp(-apart(o->hand, o->object) / w->param);
    case QI_REWARD_tips_near:
        for (int i = 0; i < o->ntip; i++)
            s += qi_reward_exp(-apart(o->tip[i], o->object) / w->param);
        return s / o->ntip;
    case QI_REWARD_object_far: return fmax(0, apart(o->hand, o->object) - w->param);
    case QI_REWARD_object_speed: return dot3(o->object_vel, o->object_vel);
    case QI_REWARD_object_spin: return dot3(o->object_spin, o->object_spin);
    default: return 0;
    }
}

const char *qi_reward_lacks(qi_reward_kind kind, const qi_has *has) {
    switch (kind) {
    case QI_REWARD_track_velocity:
    case QI_REWARD_track_turn:
        if (!has->command) return "a scenario whose operator commands velocities";
        return has->base ? NULL : "a robot with a free base";
    case QI_REWARD_vertical:
    case QI_REWARD_roll:
    case QI_REWARD_level:
    case QI_REWARD_motion_base_pos:
    case QI_REWARD_motion_base_rot:
    case QI_REWARD_motion_base_vel:
    case QI_REWARD_motion_base_gyro:
    case QI_REWARD_height: return has->base ? NULL : "a robot with a free base";
    case QI_REWARD_air_time:
    case QI_REWARD_slip:
    case QI_REWARD_motion_feet:
    case QI_REWARD_clearance: return has->feet ? NULL : "a robot with feet";
    case QI_REWARD_orientation: return has->orientation ? NULL : "goal: {of: orientation}";
    case QI_REWARD_place: return has->place ? NULL : "goal: {of: place}";
    case QI_REWARD_closer:
    case QI_REWARD_at_goal:
    case QI_REWARD_reached: return has->orientation || has->place ? NULL : "a goal";
    case QI_REWARD_tips_near: return has->tips ? NULL : "object: {tips: [..]}";
    case QI_REWARD_hand_near:
    case QI_REWARD_object_far:
    case QI_REWARD_object_speed:
    case QI_REWARD_object_spin: return has->object ? NULL : "an object";
    default: return NULL;
    }
}
