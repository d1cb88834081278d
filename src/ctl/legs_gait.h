// SPDX-License-Identifier: Apache-2.0
// ctl/legs_gait.h - when legs lift, where they land, how they get there.
#ifndef QI_CTL_LEGS_GAIT_H
#define QI_CTL_LEGS_GAIT_H

#include "ctl/legs.h"

// Moves the clock on, lifts legs and plants them; sets swing, carries, s of every leg.
void legs_gait_clock(qiao_ctl_walk *w, const qiao_ctl_walk_in *in, bool want);
// Where leg i is to land: capture point, moved to ground that carries. Sets aim and apex.
void legs_gait_aim(qiao_ctl_walk *w, int i, const double v_cmd[3], double yaw_rate);
// Place, velocity, acceleration of a swinging foot (ball centre, world).
void legs_gait_swing(const qiao_ctl_walk *w, int i, double p[3], double v[3], double a[3]);

// Chooses the mode from the steps near; sets times of swing and stance.
void legs_pace(qiao_ctl_walk *w);
void legs_crawl_choose(qiao_ctl_walk *w, double dt);
// Where the body is to be while crawling: p_body, p_mid.
void legs_crawl_body(qiao_ctl_walk *w, double dt);
// How far the centre of mass is inside the triangle of the feet other than leg, m.
double legs_crawl_margin(const qiao_ctl_walk *w, int leg);

#endif
