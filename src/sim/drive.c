// SPDX-License-Identifier: Apache-2.0
// drive.c - the drives: PD at their own rate, torque and speed limits, delay.
#include "sim/engine.h"

#include <math.h>
#include <string.h>

enum { QI_DRIVE_ROW = 64 }; // most drives side by side

void qi_cmds_push(qi_cmds *c, int64_t k, const double *const part[5]) {
    if (c->n == 0 || c->issued[c->head] != k) { // a second command in one step replaces the first
        if (c->n < c->cap) c->n++;
        c->head = c->head > 0 ? c->head - 1 : c->cap - 1;
    }
    c->issued[c->head] = k;
    double *row = c->row + (size_t)c->head * 5 * (size_t)c->nu;
    for (int p = 0; p < 5; p++) memcpy(row + p * c->nu, part[p], (size_t)c->nu * sizeof *row);
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

// Age of the newest command that has arrived; n: none has.
static int arrived(const qi_cmds *c, int delay, int64_t k) {
    int r = 0;
    while (r < c->n && c->issued[qi_cmds_at(c, r)] + delay > k) r++;
    return r;
}

void qi_drive_step(const qi_drive *drive, const qi_cmds *c, int64_t k, const double *q,
                   const double *qd, double *tau) {
    int nu = c->nu;
    for (int i = 0; i < nu; i++) {
        const qi_drive *v = &drive[i];
        if (v->period > 1 && k % v->period != 0) continue;
        // before any command has arrived, damping
        int r = arrived(c, v->delay, k);
        bool none = r == c->n;
        const double *row = c->row + (size_t)qi_cmds_at(c, none ? 0 : r) * 5 * (size_t)nu;
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

// ---- drives side by side ----

extern const qi_drive_ops qi_drive_d1;
#ifdef __x86_64__
extern const qi_drive_ops qi_drive_d4_avx2, qi_drive_d8_avx512;
#endif
static const qi_drive_ops *best(void) {
#ifdef __x86_64__
    if (qi_drive_d8_avx512.usable()) return &qi_drive_d8_avx512;
    if (qi_drive_d4_avx2.usable()) return &qi_drive_d4_avx2;
#endif
    return &qi_drive_d1;
}

bool qi_drive_row_new(qi_drive_row *o, int n, qiao_arena *a) {
    size_t pad = (size_t)n + QI_DRIVE_PAD;
    double **part[] = {&o->kp, &o->kd, &o->most, &o->knee, &o->top, &o->span};
    o->qadr = qiao_arena_get(a, pad * sizeof *o->qadr);
    o->vadr = qiao_arena_get(a, pad * sizeof *o->vadr);
    for (size_t i = 0; i < sizeof part / sizeof *part; i++)
        if (!(*part[i] = qiao_arena_get(a, pad * sizeof(double)))) return false;
    return o->qadr && o->vadr;
}

void qi_drive_row_set(qi_drive_row *o, const qi_drive *drive, int n) {
    o->n = n <= QI_DRIVE_ROW ? n : 0, o->delay = n ? drive[0].delay : 0;
    o->q0 = n ? drive[0].qadr : -1, o->v0 = n ? drive[0].vadr : -1;
    for (int i = 0; i < n; i++) {
        const qi_drive *v = &drive[i];
        if (v->d.native || v->period > 1 || v->delay != o->delay || v->qadr < 0 || v->vadr < 0)
            o->n = 0;
        o->qadr[i] = v->qadr, o->vadr[i] = v->vadr;
        if (v->qadr != drive[0].qadr + i || v->vadr != drive[0].vadr + i) o->q0 = o->v0 = -1;
        bool fast = v->d.speed_max > 0;
        o->kp[i] = v->d.kp, o->kd[i] = v->d.kd;
        o->most[i] = v->d.torque_max > 0 ? v->d.torque_max : INFINITY;
        o->top[i] = fast ? v->d.speed_max : INFINITY;
        o->knee[i] = !fast ? INFINITY : v->d.speed_knee > 0 ? v->d.speed_knee : v->d.speed_max;
        o->span[i] = o->top[i] - o->knee[i];
    }
}

void qi_drive_row_step(const qi_drive_row *o, const qi_drive *drive, const qi_cmds *c, int64_t k,
                       const double *q, const double *qd, double *tau) {
    int r = o->n ? arrived(c, o->delay, k) : c->n;
    if (r == c->n) {
        qi_drive_step(drive, c, k, q, qd, tau);
        return;
    }
    double own[2][QI_DRIVE_ROW + QI_DRIVE_PAD];
    if (o->q0 < 0) {
        for (int i = 0; i < o->n; i++) own[0][i] = q[o->qadr[i]], own[1][i] = qd[o->vadr[i]];
        memset(own[0] + o->n, 0, QI_DRIVE_PAD * sizeof **own);
        memset(own[1] + o->n, 0, QI_DRIVE_PAD * sizeof **own);
        q = own[0], qd = own[1];
    } else
        q += o->q0, qd += o->v0;
    const double *row = c->row + (size_t)qi_cmds_at(c, r) * 5 * (size_t)c->nu;
    best()->step(o, row, c->nu, q, qd, tau);
}
