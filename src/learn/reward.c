// SPDX-License-Identifier: Apache-2.0
// reward.c - the terms of reward.h. source: the terms of N. Rudin et al., Learning to walk in
// minutes using massively parallel deep reinforcement learning (2021), table 3, and what walking
// robots are trained with since.
#include "learn/reward.h"

#include "base/lane_math.h"

#include <math.h>
#include <string.h>

extern const qi_lane_math qi_lane_math_d1; // takes numbers one by one

double qi_reward_exp(double x) {
    double y;
    qi_lane_math_d1.exp(&x, &y, 1);
    return y;
}
static double square(double x) { return x * x; }

static void gravity(const double *q, double g[3]) { // direction down, seen from the base
    double w = q[0], x = q[1], y = q[2], z = q[3];
    g[0] = -2 * (x * z - w * y), g[1] = -2 * (y * z + w * x), g[2] = -(1 - 2 * (x * x + y * y));
}
static bool told_to_move(const qi_look *o) {
    return square(o->command[0]) + square(o->command[1]) + square(o->command[2]) > 0.01;
}

static double sum_squares(const double *x, int n) {
    double s = 0;
    for (int i = 0; i < n; i++) s += x[i] * x[i];
    return s;
}

static double joints(const qi_look *o, const qi_past *p, const qi_reward *w) {
    double s = 0;
    for (int i = 0; i < o->njoint; i++) {
        double off = o->q[i] - o->rest[i];
        switch (w->kind) {
        case QI_REWARD_power: s += fabs(o->tau[i] * o->qd[i]); break;
        case QI_REWARD_joint_accel: s += square((o->qd[i] - p->qd[i]) / o->dt); break;
        case QI_REWARD_pose: s += off * off; break;
        case QI_REWARD_stand: s += told_to_move(o) ? 0 : fabs(off); break;
        case QI_REWARD_limits: {
            if (o->low[i] >= o->high[i]) break;
            double mid = 0.5 * (o->low[i] + o->high[i]), half = 0.5 * (o->high[i] - o->low[i]);
            s += fmax(0, fabs(o->q[i] - mid) - w->param * half);
            break;
        }
        default: break;
        }
    }
    return s;
}

static double actions(const qi_look *o, qi_reward_kind kind) {
    double s = 0;
    for (int i = 0; i < o->nact; i++) {
        double d = (double)o->a0[i] - o->a1[i];
        if (kind == QI_REWARD_action_jerk) d -= (double)o->a1[i] - o->a2[i];
        s += d * d;
    }
    return s;
}

static double feet(const qi_look *o, const qi_past *p, const qi_reward *w) {
    double s = 0;
    for (int f = 0; f < o->nfoot; f++) {
        double vx = (o->foot[f][0] - p->foot[f][0]) / o->dt,
               vy = (o->foot[f][1] - p->foot[f][1]) / o->dt;
        bool down = o->contact[f] > 0.5;
        double speed = sqrt(vx * vx + vy * vy);
        switch (w->kind) {
        case QI_REWARD_air_time:
            if (down && p->air[f] > 0 && told_to_move(o)) s += p->air[f] - w->param;
            break;
        case QI_REWARD_slip: s += down ? speed * speed : 0; break;
        case QI_REWARD_clearance:
            if (!down) s += fmin(speed, 2) * fabs(o->foot[f][2] - o->floor[f] - w->param);
            break;
        default: break;
        }
    }
    return s;
}

static double value(const qi_look *o, const qi_past *p, const qi_reward *w) {
    double g[3];
    switch (w->kind) {
    case QI_REWARD_track_velocity:
        return qi_reward_exp(
            -(square(o->command[0] - o->vel[0]) + square(o->command[1] - o->vel[1])) /
            square(w->param));
    case QI_REWARD_track_turn:
        return qi_reward_exp(-square((o->command[2] - o->gyro[2]) / w->param));
    case QI_REWARD_vertical: return square(o->vel[2]);
    case QI_REWARD_roll: return square(o->gyro[0]) + square(o->gyro[1]);
    case QI_REWARD_level: return gravity(o->pose + 3, g), square(g[0]) + square(g[1]);
    case QI_REWARD_height: return square(o->pose[2] - o->ground - w->param);
    case QI_REWARD_torque: return sum_squares(o->tau, o->njoint);
    case QI_REWARD_joint_speed: return sum_squares(o->qd, o->njoint);
    case QI_REWARD_action_rate:
    case QI_REWARD_action_jerk: return actions(o, w->kind);
    case QI_REWARD_power:
    case QI_REWARD_joint_accel:
    case QI_REWARD_pose:
    case QI_REWARD_stand:
    case QI_REWARD_limits: return joints(o, p, w);
    case QI_REWARD_air_time:
    case QI_REWARD_slip:
    case QI_REWARD_clearance: return feet(o, p, w);
    case QI_REWARD_gait:
    case QI_REWARD_swing:
    case QI_REWARD_feet_apart: return qi_reward_gait(o, w);
    case QI_REWARD_motion_joint_pos:
    case QI_REWARD_motion_joint_vel:
    case QI_REWARD_motion_feet:
    case QI_REWARD_motion_base_pos:
    case QI_REWARD_motion_base_rot:
    case QI_REWARD_motion_base_vel:
    case QI_REWARD_motion_base_gyro: return qi_reward_exp(-qi_reward_off_motion(o, w));
    case QI_REWARD_orientation:
    case QI_REWARD_place:
    case QI_REWARD_closer:
    case QI_REWARD_at_goal:
    case QI_REWARD_reached:
    case QI_REWARD_hand_near:
    case QI_REWARD_tips_near:
    case QI_REWARD_object_far:
    case QI_REWARD_object_speed:
    case QI_REWARD_object_spin: return qi_reward_object(o, p, w);
    case QI_REWARD_alive: return 1;
    case QI_REWARD_fall: return o->ended ? 1 / o->dt : 0;
    case QI_REWARD_KINDS: break;
    }
    return 0;
}

double qi_reward_step(const qi_recipe *r, const qi_look *o, qi_past *past, double *part) {
    if (past->fresh) { // no speed can be told from one place
        memcpy(past->foot, o->foot, sizeof past->foot);
        memcpy(past->qd, o->qd, (size_t)o->njoint * sizeof *past->qd);
        past->off = NAN, past->fresh = false;
    }
    double sum = 0;
    for (int i = 0; i < r->nreward; i++) {
        double x = r->reward[i].weight * value(o, past, &r->reward[i]) * o->dt;
        if (part) part[i] = x;
        sum += x;
    }
    for (int f = 0; f < o->nfoot; f++) {
        past->air[f] = o->contact[f] > 0.5 ? 0 : past->air[f] + o->dt;
        memcpy(past->foot[f], o->foot[f], sizeof past->foot[f]);
    }
    memcpy(past->qd, o->qd, (size_t)o->njoint * sizeof *past->qd);
    if (o->object) memcpy(past->object, o->object, sizeof past->object);
    past->off = o->off;
    return sum;
}
