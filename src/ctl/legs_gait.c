// SPDX-License-Identifier: Apache-2.0
// legs_gait.c - a trot with time on four feet: clock, footholds, swings.
// source   M. Raibert, Legged robots that balance (1986): the neutral point and speed feedback;
//          J. Pratt et al., Capture point (Humanoids 2006): the gain sqrt(h/g) of that feedback;
//          M. Focchi et al., Heuristic planning for rough terrain locomotion (2018): footholds
//          moved away from edges, feeling for ground, reacting to early touch
#include "ctl/legs_gait.h"

#define EARLY_S   0.55 // a touch after this part of a swing is the landing
#define WAIT_MAX  0.40 // s that the clock waits for a foot that should carry
#define REACH_MAX 0.24 // m, a step from under the hip

static double frac(double x) { return x - floor(x); }

// A leg lifts off: remembers from where.
static void lift(qiao_ctl_walk *w, int i) {
    legs_leg *l = &w->leg[i];
    l->swing = true, l->early = false, l->probe = 0, l->s = 0;
    legs_foot_w(&w->est, i, l->lift);
    copy3(l->aim, l->lift);
}

static void plant(qiao_ctl_walk *w, int i) {
    legs_leg *l = &w->leg[i];
    l->swing = false, l->t_stance = 0, l->t_air = 0, l->probe = 0;
}

// True while a foot that should carry has not found ground and others are about to lift.
static bool must_wait(const qiao_ctl_walk *w, double duty, double step) {
    bool lifts = false, lost = false;
    int lifting = -1;
    for (int i = 0; i < NLEG; i++) {
        double ph = frac(w->clock + w->b->offset[w->mode][i]);
        if (ph < duty && ph + step >= duty) lifts = true, lifting = i;
        if (ph < duty && ph + step < duty && !w->leg[i].carries) lost = true;
    }
    if (lifts && w->mode == LEGS_CRAWL && legs_crawl_margin(w, lifting) < 0.015) return true;
    return lifts && lost;
}

static void touch(qiao_ctl_walk *w, const qiao_ctl_walk_in *in, int i) {
    legs_leg *l = &w->leg[i];
    bool on = in->contact[i] > 0.5;
    l->t_touch = on ? l->t_touch + in->dt : 0;
    if (l->swing && l->s > EARLY_S && on && !l->early) {
        l->early = true, l->t_stance = 0, l->t_air = 0;
    }
    if (l->swing && !l->early) {
        l->carries = false;
        return;
    }
    l->t_stance += in->dt;
    l->t_air = on ? 0 : l->t_air + in->dt;
    bool before = l->carries;
    // a short gap in the contact is no loss
    l->carries = on || (before && l->t_air < 0.03);
    if (l->carries) {
        double p[3];
        l->probe = 0;
        legs_foot_w(&w->est, i, p);
        p[2] -= w->b->leg[i].radius;
        legs_ground_touch(&w->ground, i, p);
    } else {
        if (before) legs_foot_w(&w->est, i, l->aim); // feel downward from here
        l->probe = fmin(l->probe + 0.35 * in->dt, 0.14);
    }
}

void legs_gait_clock(qiao_ctl_walk *w, const qiao_ctl_walk_in *in, bool want) {
    double T = w->t_swing + w->t_stance, duty = w->t_stance / T, step = in->dt / T;
    bool all_down = true;
    for (int i = 0; i < NLEG; i++) all_down &= !w->leg[i].swing;
    if (w->standing && want) w->standing = false, w->clock = duty - 1e-9;
    if (!w->standing && !want && all_down) w->standing = true;
    if (w->mode != w->want_mode && ((all_down && !want) || w->want_mode == LEGS_TROT)) {
        w->mode = w->want_mode, w->standing = all_down;
        legs_pace(w), T = w->t_swing + w->t_stance, duty = w->t_stance / T, step = in->dt / T;
        w->clock = duty - 1e-9;
        // a leg in the air goes on with its new pair
        for (int i = 0; i < NLEG && !all_down; i++) {
            const legs_leg *l = &w->leg[i];
            if (!l->swing || l->early) continue;
            w->clock = frac(duty + fmin(l->s, 0.3) * (1 - duty) - w->b->offset[w->mode][i]);
        }
    }
    if (!w->standing) {
        if (must_wait(w, duty, step) && w->hold < (w->mode == LEGS_CRAWL ? 1.5 : WAIT_MAX))
            w->hold += in->dt, w->waiting = true;
        else
            w->waiting = false, w->clock = frac(w->clock + step),
            w->hold = fmax(0, w->hold - 0.5 * in->dt);
    }
    for (int i = 0; i < NLEG; i++) {
        legs_leg *l = &w->leg[i];
        double ph = frac(w->clock + w->b->offset[w->mode][i]);
        bool air = !w->standing && ph >= duty;
        if (air && !l->swing) lift(w, i);
        if (!air && l->swing) {
            bool early = l->early;
            double t = l->t_stance;
            plant(w, i);
            if (early) l->t_stance = t;
        }
        if (air) l->s = (ph - duty) / (1 - duty);
        touch(w, in, i);
    }
}

// How far ground rises into the shank of a leg that stands at (x, y, z), m: the shank leans from
// the foot towards the knee as at rest, or a bit flatter.
static double shank_hit(const qiao_ctl_walk *w, int i, double x, double y, double z) {
    const double *lean = w->b->shank[i];
    double d[3], hit = 0;
    mul33v(d, w->est.R, lean);
    double len = sqrt(d[0] * d[0] + d[1] * d[1]) + 1e-6, slope = 0.7 * lean[2] / len;
    for (int k = 1; k <= 6; k++) {
        double u = 0.025 * k;
        double h = legs_ground_height(&w->ground, x + u * d[0] / len, y + u * d[1] / len);
        hit = fmax(hit, h - z - slope * u);
    }
    return hit;
}

// How bad it is to stand at (x, y): edges near, a shank on an edge, out of reach, far from the wish.
static double price(const qiao_ctl_walk *w, int i, double x, double y, const double *wish) {
    double dx = x - wish[0], dy = y - wish[1], hip[3], reach[3];
    double edge = legs_ground_spread(&w->ground, x, y, 0.05, NULL);
    double z = legs_ground_height(&w->ground, x, y);
    mul33v(hip, w->est.R, w->est.pose[i].at[1]), add3(hip, hip, w->est.p);
    for (int c = 0; c < 2; c++) hip[c] += w->est.v[c] * (1 - w->leg[i].s) * w->t_swing;
    set3(reach, x - hip[0], y - hip[1], z + w->b->leg[i].radius - hip[2]);
    double p = (dx * dx + dy * dy) / (0.10 * 0.10) + 6 * clampd((edge - 0.025) / 0.04, 0, 1);
    p += 6 * clampd((norm3(reach) - 0.92 * w->b->length) / 0.05, 0, 2);
    return p + 6 * clampd(shank_hit(w, i, x, y, z) / 0.03, 0, 1);
}

// Moves the wish to the best cell around it.
static void avoid_edges(qiao_ctl_walk *w, int i, double wish[3]) {
    legs_leg *l = &w->leg[i];
    double best = price(w, i, wish[0], wish[1], wish);
    double at[2] = {wish[0], wish[1]};
    if (best < 0.3) return;
    double keep = price(w, i, l->aim[0], l->aim[1], wish) - 0.3; // no dithering
    if (l->s > 0.1 && keep < best) best = keep, at[0] = l->aim[0], at[1] = l->aim[1];
    double sn, cs;
    qi_sincos(w->est.yaw, &sn, &cs);
    for (int a = -7; a <= 7; a++)
        for (int c = -3; c <= 3; c++) {
            double u = a * 0.02, v = c * 0.02;
            double x = wish[0] + cs * u - sn * v, y = wish[1] + sn * u + cs * v;
            double p = price(w, i, x, y, wish);
            if (p < best) best = p, at[0] = x, at[1] = y;
        }
    wish[0] = at[0], wish[1] = at[1];
}

void legs_gait_aim(qiao_ctl_walk *w, int i, const double v_cmd[3], double yaw_rate) {
    const legs_est *e = &w->est;
    legs_leg *l = &w->leg[i];
    if (l->early || l->s > 0.8) return;
    double left = (1 - l->s) * w->t_swing, sn, cs, hip[3], wish[3];
    double nominal[3] = {w->b->rest_foot[i][0], w->b->rest_foot[i][1], 0};
    double turn = yaw_rate * (left + 0.5 * w->t_stance);
    mul33v(hip, e->R, nominal);
    qi_sincos(turn, &sn, &cs);
    double k = 1 * sqrt(fmax(0.1, w->z_ref) / 9.81), off[2];
    if (w->mode == LEGS_CRAWL) k = 0;
    for (int c = 0; c < 2; c++) {
        off[c] = 0.5 * w->t_stance * v_cmd[c] + k * (e->v[c] - v_cmd[c]);
        off[c] = clampd(off[c], -REACH_MAX, REACH_MAX);
    }
    double at[2];
    for (int c = 0; c < 2; c++)
        at[c] = w->mode == LEGS_CRAWL ? w->p_mid[c] : e->p[c] + e->v[c] * left;
    wish[0] = at[0] + cs * hip[0] - sn * hip[1] + off[0];
    wish[1] = at[1] + sn * hip[0] + cs * hip[1] + off[1];
    avoid_edges(w, i, wish);
    double r = w->b->leg[i].radius;
    wish[2] = legs_ground_height(&w->ground, wish[0], wish[1]) + r - 0.008;
    copy3(l->aim, wish);
    double top = legs_ground_top(&w->ground, l->lift, wish) + r;
    l->apex = fmax(top, fmax(l->lift[2], wish[2])) + 0.055 + 0.02 * w->rough;
    l->apex = fmin(l->apex, e->p[2] - 0.08);
    l->apex = fmax(l->apex, fmax(l->lift[2], wish[2]) + 0.01);
    // the body prepares for the ground to come
    double u = clampd((l->s - 0.1) / 0.6, 0, 1), foot[3];
    for (int c = 0; c < 3; c++) foot[c] = l->lift[c] + u * (wish[c] - l->lift[c]);
    foot[2] -= r;
    legs_ground_touch(&w->ground, i, foot);
}

// Minimum-jerk progress 0..1 over u in 0..1, with derivatives.
static double progress(double u, double *d, double *dd) {
    if (u <= 0 || u >= 1) {
        *d = *dd = 0;
        return u <= 0 ? 0 : 1;
    }
    *d = 30 * u * u * (1 - u) * (1 - u), *dd = 60 * u * (1 - u) * (1 - 2 * u);
    return u * u * u * (10 + u * (6 * u - 15));
}

void legs_gait_swing(const qiao_ctl_walk *w, int i, double p[3], double v[3], double a[3]) {
    const legs_leg *l = &w->leg[i];
    double T = w->t_swing, d, dd, h;
    // across: not before the foot is up, not until the last moment
    double span = 0.75, rate = 1 / (span * T);
    double x = progress((l->s - 0.12) / span, &d, &dd);
    for (int c = 0; c < 2; c++) {
        double len = l->aim[c] - l->lift[c];
        p[c] = l->lift[c] + x * len, v[c] = d * rate * len, a[c] = dd * rate * rate * len;
    }
    // up to the apex, then down
    double from = l->s < 0.5 ? l->lift[2] : l->aim[2];
    double u = l->s < 0.5 ? l->s / 0.45 : (1 - l->s) / 0.5;
    rate = 1 / ((l->s < 0.5 ? 0.45 : 0.5) * T), h = l->apex - from;
    double z = progress(u, &d, &dd);
    p[2] = from + z * h, v[2] = d * rate * h * (l->s < 0.5 ? 1 : -1), a[2] = dd * rate * rate * h;
}
