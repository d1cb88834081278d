// SPDX-License-Identifier: Apache-2.0
// arm_path.c - reaches of least jerk, and ways made of them.
#include "qiao/ctl.h"

#include "ctl/vec.h"

void qiao_ctl_min_jerk(double t, double T, double s[3]) {
    if (!(t > 0)) {
        set3(s, 0, 0, 0);
    } else if (t >= T) {
        set3(s, 1, 0, 0);
    } else {
        double u = t / T, u2 = u * u, w = 1 - u;
        set3(s, u * u2 * (10 - 15 * u + 6 * u2), 30 * u2 * w * w / T,
             60 * u * w * (1 - 2 * u) / (T * T));
    }
}

#define BRAKE 0.2 // s

void qiao_ctl_path_begin(qiao_ctl_path *p, const double from[4], const double vel[4]) {
    memset(p, 0, sizeof *p);
    memcpy(p->from, from, sizeof p->from);
    for (int i = 0; vel && i < 4; i++) {
        p->drift[i] = vel[i];
        p->from[i] += vel[i] * BRAKE / 2; // where braking ends
    }
}

qiao_err qiao_ctl_path_add(qiao_ctl_path *p, const double to[4], const qiao_ctl_pace *pace,
                           double overlap) {
    enum { SPEED = 0, ACCEL = 1 };
    static const double peak[2] = {1.875, 5.773502691896258}; // of the profile
    if (p->n >= QIAO_CTL_PATH_N) return QIAO_E_LIMIT;
    double *d = p->step[p->n];
    for (int i = 0; i < 4; i++) {
        d[i] = to[i] - p->from[i];
        for (int k = 0; k < p->n; k++) d[i] -= p->step[k][i];
    }
    double len = norm3(d), T = peak[SPEED] * len / pace->speed;
    T = fmax(T, sqrt(peak[ACCEL] * len / pace->accel));
    T = fmax(T, peak[SPEED] * fabs(d[3]) / pace->turn);
    p->time[p->n] = fmax(T, 1e-3);
    if (p->n > 0) {
        double before = p->time[p->n - 1];
        p->start[p->n] = p->start[p->n - 1] + before - clampd(overlap, 0, 0.5) * fmin(before, T);
    }
    p->n++;
    return QIAO_OK;
}

double qiao_ctl_path_time(const qiao_ctl_path *p) {
    double end = norm3(p->drift) + fabs(p->drift[3]) > 0 ? BRAKE : 0;
    for (int k = 0; k < p->n; k++) end = fmax(end, p->start[k] + p->time[k]);
    return end;
}

void qiao_ctl_path_at(const qiao_ctl_path *p, double t, double x[4], double v[4]) {
    // velocity falls from drift to 0 like 1 - s(t): 10 u^3 - 15 u^4 + 6 u^5, summed up
    double u = clampd(t / BRAKE, 0, 1), u4 = u * u * u * u, end[3];
    double way = BRAKE * (u - (2.5 - 3 * u + u * u) * u4 - 0.5);
    qiao_ctl_min_jerk(t, BRAKE, end);
    for (int i = 0; i < 4; i++) {
        x[i] = p->from[i] + way * p->drift[i];
        v[i] = (1 - end[0]) * p->drift[i];
    }
    for (int k = 0; k < p->n; k++) {
        double s[3];
        qiao_ctl_min_jerk(t - p->start[k], p->time[k], s);
        for (int i = 0; i < 4; i++) x[i] += s[0] * p->step[k][i], v[i] += s[1] * p->step[k][i];
    }
}
