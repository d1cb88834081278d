// SPDX-License-Identifier: Apache-2.0
// legs_crawl.c - one leg at a time over tall steps: when, and where the body goes.
// source   G. Bledt et al., MIT Cheetah 3 (IROS 2018): the body follows a virtual support polygon
//          whose corners fade before a foot lifts and come back after it lands; R. McGhee, A.
//          Frank, On the stability properties of quadruped creeping gaits (1968): the order of legs
#include "ctl/legs_gait.h"

#define TALL  0.105 // m, a step that is crawled over
#define FADE  0.28  // s that a corner takes to fade and to come back
#define FADED 0.10  // its weight while its foot is in the air

void legs_pace(qiao_ctl_walk *w) {
    if (w->mode == LEGS_CRAWL) {
        w->t_swing = 0.28, w->t_stance = 1.5 - w->t_swing;
    } else {
        w->t_swing = 0.17, w->t_stance = 0.21;
    }
}

void legs_crawl_choose(qiao_ctl_walk *w, double dt) {
    const legs_est *e = &w->est;
    double sn, cs, tall = 0;
    qi_sincos(e->yaw, &sn, &cs);
    double dir = w->cmd[0] < -0.02 ? -1 : 1;
    for (int i = 0; i < 8; i++)
        for (int j = -1; j <= 1; j++) {
            double x = dir * (-0.32 + 0.12 * i), y = 0.14 * j;
            double s = legs_ground_spread(&w->ground, e->p[0] + cs * x - sn * y,
                                          e->p[1] + sn * x + cs * y, 0.08, NULL);
            tall = fmax(tall, s);
        }
    w->step_seen = tall > w->step_seen ? tall : w->step_seen + dt / 0.7 * (tall - w->step_seen);
    if (w->step_seen > TALL) w->want_mode = LEGS_CRAWL;
    if (w->step_seen < TALL - 0.02) w->want_mode = LEGS_TROT;
    // pushed while crawling: only quick steps help
    double v2 = e->v[0] * e->v[0] + e->v[1] * e->v[1], top = 0.33;
    w->upset = w->mode == LEGS_CRAWL && v2 > top * top ? 1.0 : fmax(0, w->upset - dt);
    if (w->mode == LEGS_TROT && w->upset > 0 && v2 > 0.2 * 0.2) w->upset = fmax(w->upset, 0.4);
    if (w->upset > 0) w->want_mode = LEGS_TROT;
}

void legs_crawl_body(qiao_ctl_walk *w, double dt) {
    double T = w->t_swing + w->t_stance, duty = w->t_stance / T, sum = 0, at[2] = {0}, mid[2] = {0};
    for (int i = 0; i < NLEG; i++) {
        double ph = w->clock + w->b->offset[LEGS_CRAWL][i], k;
        ph -= floor(ph);
        k = ph >= duty ? 0 : clampd(fmin((duty - ph) * T, ph * T) / FADE, 0, 1);
        if (w->standing) k = 1;
        k = FADED + k * (1 - FADED), sum += k;
        for (int c = 0; c < 2; c++) {
            at[c] += k * w->ground.contact[i][c];
            mid[c] += w->ground.contact[i][c] / NLEG;
        }
    }
    for (int c = 0; c < 2; c++) {
        w->p_mid[c] = mid[c];
        double to = at[c] / sum, k = clampd(dt / 0.10, 0, 1);
        w->p_body[c] += k * (to - w->p_body[c]);
    }
}

double legs_crawl_margin(const qiao_ctl_walk *w, int leg) {
    // corners in turning order: sort the other three by angle around the body
    const legs_est *e = &w->est;
    double c[3], p[3][2], margin = 1e9, area;
    int n = 0;
    mul33v(c, e->R, w->com), add3(c, c, e->p);
    for (int i = 0; i < NLEG; i++)
        if (i != leg) {
            double f[3];
            legs_foot_w(e, i, f), p[n][0] = f[0], p[n++][1] = f[1];
        }
    area = (p[1][0] - p[0][0]) * (p[2][1] - p[0][1]) - (p[1][1] - p[0][1]) * (p[2][0] - p[0][0]);
    for (int i = 0; i < 3; i++) {
        const double *a = p[i], *b = p[(i + 1) % 3];
        double dx = b[0] - a[0], dy = b[1] - a[1], len = sqrt(dx * dx + dy * dy) + 1e-9;
        double x = c[0] + 0.15 * e->v[0] - a[0], y = c[1] + 0.15 * e->v[1] - a[1];
        double d = (dx * y - dy * x) / len;
        margin = fmin(margin, area > 0 ? d : -d);
    }
    return margin;
}
