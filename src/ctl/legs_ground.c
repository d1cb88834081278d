// SPDX-License-Identifier: Apache-2.0
// legs_ground.c - the ground near the robot: a scrolling map of heights filled from scans, and a
// plane through the last footholds where nothing was seen.
// source   P. Fankhauser et al., Robot-centric elevation mapping (CLAWAR 2014), in small
#include "ctl/legs.h"

#define OLD_S 0.5 // a height not seen for longer is replaced, not averaged: odometry drifts

static int cell(double x) { return (int)floor(x / MAP_STEP); }
static int slot(int c) { return c & (MAP_N - 1); }

void legs_ground_init(legs_ground *g, const double foot[NLEG][3]) {
    memset(g, 0, sizeof *g);
    for (int i = 0; i < MAP_N; i++)
        for (int j = 0; j < MAP_N; j++) g->t[i][j] = -1;
    g->scan_t = -1;
    for (int i = 0; i < NLEG; i++) copy3(g->contact[i], foot[i]);
}

static void put(legs_ground *g, double x, double y, double z, double t) {
    int cx = cell(x), cy = cell(y), i = slot(cx), j = slot(cy);
    bool fresh = g->t[i][j] < 0 || g->cx[i][j] != (short)cx || g->cy[i][j] != (short)cy ||
                 t - g->t[i][j] > OLD_S;
    g->cx[i][j] = (short)cx, g->cy[i][j] = (short)cy, g->t[i][j] = (float)t;
    g->z[i][j] = fresh ? (float)z : g->z[i][j] + 0.4f * ((float)z - g->z[i][j]);
}

// Base pose when the scan was taken, from the trail.
static const double *pose_at(const legs_ground *g, double t) {
    int n = g->ntrail < TRAIL_N ? g->ntrail : TRAIL_N;
    const double *best = g->trail[(g->ntrail - 1) % TRAIL_N];
    for (int k = 1; k <= n; k++) {
        best = g->trail[(g->ntrail - k) % TRAIL_N];
        if (best[0] <= t + 1e-6) break;
    }
    return best;
}

static void take(legs_ground *g, const qiao_ctl_scan *s) {
    const double *at = pose_at(g, s->t);
    double sn, cs;
    qi_sincos(at[4], &sn, &cs);
    for (int i = 0; i < s->n[0]; i++)
        for (int j = 0; j < s->n[1]; j++) {
            double x = s->center[0] + (i - 0.5 * (s->n[0] - 1)) * s->step;
            double y = s->center[1] + (j - 0.5 * (s->n[1] - 1)) * s->step;
            double z = s->z[i * s->n[1] + j];
            if (!(fabs(z) < 5)) continue;
            put(g, at[1] + cs * x - sn * y, at[2] + sn * x + cs * y, at[3] + z, s->t);
        }
    g->scan_t = s->t;
}

// Least squares plane through four footholds (Focchi et al. 2017 and others use the same).
static void fit_plane(legs_ground *g, double dt) {
    double c[3] = {0}, xx = 1e-4, xy = 0, yy = 1e-4, xz = 0, yz = 0;
    for (int i = 0; i < NLEG; i++) mad3(c, 1.0 / NLEG, g->contact[i]);
    for (int i = 0; i < NLEG; i++) {
        double d[3];
        sub3(d, g->contact[i], c);
        xx += d[0] * d[0], xy += d[0] * d[1], yy += d[1] * d[1];
        xz += d[0] * d[2], yz += d[1] * d[2];
    }
    double det = xx * yy - xy * xy;
    double a = (xz * yy - yz * xy) / det, b = (yz * xx - xz * xy) / det;
    a = clampd(a, -0.6, 0.6), b = clampd(b, -0.6, 0.6);
    double k = clampd(dt / 0.12, 0, 1);
    g->plane[1] += k * (a - g->plane[1]), g->plane[2] += k * (b - g->plane[2]);
    // height at the middle moves with the same lag, the middle itself at once
    double now = c[2] - g->plane[1] * c[0] - g->plane[2] * c[1];
    g->plane[0] = now;
}

void legs_ground_step(legs_ground *g, const legs_est *e, const qiao_ctl_walk_in *in) {
    double *row = g->trail[g->ntrail++ % TRAIL_N];
    row[0] = in->t, copy3(row + 1, e->p), row[4] = e->yaw;
    if (in->scan.z && in->scan.t >= 0 && in->scan.t > g->scan_t + 1e-9) take(g, &in->scan);
    fit_plane(g, in->dt);
}

void legs_ground_touch(legs_ground *g, int leg, const double p[3]) { copy3(g->contact[leg], p); }

static bool look(const legs_ground *g, int cx, int cy, double *z) {
    int i = slot(cx), j = slot(cy);
    if (g->t[i][j] < 0 || g->cx[i][j] != (short)cx || g->cy[i][j] != (short)cy) return false;
    *z = (double)g->z[i][j];
    return true;
}

bool legs_ground_seen(const legs_ground *g, double x, double y, double *z) {
    int cx = cell(x), cy = cell(y);
    if (look(g, cx, cy, z)) return true;
    // the nearest of the cells around that was seen
    double best = 1e9, h;
    for (int i = -2; i <= 2; i++)
        for (int j = -2; j <= 2; j++) {
            double dx = (cx + i + 0.5) * MAP_STEP - x, dy = (cy + j + 0.5) * MAP_STEP - y;
            double d = dx * dx + dy * dy;
            if (d < best && look(g, cx + i, cy + j, &h)) best = d, *z = h;
        }
    return best < 1e9;
}

double legs_ground_height(const legs_ground *g, double x, double y) {
    double z;
    if (legs_ground_seen(g, x, y, &z)) return z;
    return g->plane[0] + g->plane[1] * x + g->plane[2] * y;
}

double legs_ground_spread(const legs_ground *g, double x, double y, double r, double *top) {
    int cx = cell(x), cy = cell(y), n = (int)ceil(r / MAP_STEP);
    double lo = 1e9, hi = -1e9, z;
    for (int i = -n; i <= n; i++)
        for (int j = -n; j <= n; j++) {
            double dx = (cx + i + 0.5) * MAP_STEP - x, dy = (cy + j + 0.5) * MAP_STEP - y;
            if (dx * dx + dy * dy > r * r || !look(g, cx + i, cy + j, &z)) continue;
            // what a slope adds is no roughness
            z -= g->plane[1] * dx + g->plane[2] * dy;
            lo = fmin(lo, z), hi = fmax(hi, z);
        }
    if (top) *top = hi > -1e8 ? hi : legs_ground_height(g, x, y);
    return hi > lo ? hi - lo : 0;
}

double legs_ground_top(const legs_ground *g, const double a[3], const double b[3]) {
    double top = -1e9, d[3], z;
    sub3(d, b, a);
    double len = sqrt(d[0] * d[0] + d[1] * d[1]);
    int n = 1 + (int)(len / MAP_STEP);
    if (n > 64) n = 64;
    for (int k = 0; k <= n; k++) {
        double u = (double)k / n;
        int cx = cell(a[0] + u * d[0]), cy = cell(a[1] + u * d[1]);
        for (int i = -1; i <= 1; i++)
            for (int j = -1; j <= 1; j++)
                if (look(g, cx + i, cy + j, &z)) top = fmax(top, z);
    }
    return top > -1e8 ? top : fmax(a[2], b[2]);
}
