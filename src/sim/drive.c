// SPDX-License-Identifier: Apache-2.0
// drive.c - the drives: PD at their own rate, torque and speed limits, delay.
#include "sim/engine.h"

#include <math.h>
#include <string.h>

void qi_cmds_push(qi_cmds *c, int64_t k, const double *const part[5]) {
    size_t row = 5 * (size_t)c->nu;
    if (c->n == 0 || c->issued[0] != k) { // a second command in one step replaces the first
        if (c->n < c->cap) c->n++;
        memmove(c->issued + 1, c->issued, (size_t)(c->n - 1) * sizeof *c->issued);
        memmove(c->row + row, c->row, (size_t)(c->n - 1) * row * sizeof *c->row);
    }
    c->issued[0] = k;
    for (int p = 0; p < 5; p++) memcpy(c->row + p * c->nu, part[p], (size_t)c->nu * sizeof *c->row);
}

bool qi_drive_armature(const qi_drive *drive, int n, const double *have, double *put) {
    bool differs = false;
    for (int i = 0; i < n; i++) {
        const qi_drive *v = &drive[i];
        if (v->d.armature < 0 || v->vadr < 0) continue;
        differs |= v->d.armature != have[v->vadr];
        if (put) put[v->vadr] = v->d.armature;
    }
    return differs;
}

// Torque left at a speed: whole up to the knee, none past the top, and only against the motion.
static double limit(const qiao_drive *v, double tau, double speed) {
    double most = v->torque_max > 0 ? v->torque_max : INFINITY;
    if (v->speed_max > 0 && tau * speed > 0) {
        double knee = v->speed_knee > 0 ? v->speed_knee : v->speed_max, s = fabs(speed);
        if (s >= v->speed_max)
            most = 0;
        else if (s > knee && most < INFINITY)
            most *= (v->speed_max - s) / (v->speed_max - knee);
    }
    return tau > most ? most : tau < -most ? -most : tau;
}

void qi_drive_step(const qi_drive *drive, const qi_cmds *c, int64_t k, const double *q,
                   const double *qd, double *tau) {
    int nu = c->nu;
    for (int i = 0; i < nu; i++) {
        const qi_drive *v = &drive[i];
        if (v->period > 1 && k % v->period != 0) continue;
        // the newest command that has arrived; before any has, damping
        int r = 0;
        while (r < c->n && c->issued[r] + v->delay > k) r++;
        bool none = r == c->n;
        const double *row = c->row + (size_t)(none ? 0 : r) * 5 * (size_t)nu;
        if (v->d.native) {
            if (!none) tau[i] = row[i];
            continue;
        }
        double speed = v->vadr >= 0 ? qd[v->vadr] : 0;
        if (none) {
            tau[i] = limit(&v->d, -v->d.kd * speed, speed);
            continue;
        }
        double kp = row[2 * nu + i] < 0 ? v->d.kp : row[2 * nu + i];
        double kd = row[3 * nu + i] < 0 ? v->d.kd : row[3 * nu + i], t = row[4 * nu + i];
        if (v->qadr >= 0) t += kp * (row[i] - q[v->qadr]) + kd * (row[nu + i] - speed);
        tau[i] = limit(&v->d, t, speed);
    }
}
