// SPDX-License-Identifier: Apache-2.0
// reward_gait.c - terms of reward.h for robots that walk to a clock, and for legs that could cross.
// source: J. Siekmann et al., Sim-to-real learning of all common bipedal gaits via periodic reward
// composition (2021), section III: feet that are told when to stand and when to swing.
#include "learn/reward.h"

#include "ctl/vec.h"

#include <math.h>

double qi_reward_gait(const qi_look *o, const qi_reward *w) {
    double s = 0;
    for (int f = 0; f < o->nfoot; f++) {
        double p = o->phase[f];
        if (w->kind == QI_REWARD_gait) {
            s += (o->contact[f] > 0.5) == (p < w->param) ? 1.0 / o->nfoot : 0;
        } else if (w->kind == QI_REWARD_swing) {
            double sn, cs, u = 2 * p - 1; // of the swing, which is the clock's second half
            if (u <= 0) continue;
            qi_sincos(3.141592653589793 * u, &sn, &cs);
            double low = w->param * sn - (o->foot[f][2] - o->floor[f]);
            s += low > 0 ? low * low : 0;
        } else
            for (int g = f + 1; g < o->nfoot; g++) {
                double x = o->foot[f][0] - o->foot[g][0], y = o->foot[f][1] - o->foot[g][1];
                s += fmax(0, w->param - sqrt(x * x + y * y));
            }
    }
    return s;
}
