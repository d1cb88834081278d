// SPDX-License-Identifier: Apache-2.0
// policy_ask.c - an action's meaning turned round: what a policy would have to say for the drives to
// do what a command says, and what it must remember when somebody else drove.
#include "brain/policy.h"

#include <math.h>

static const double ROUNDING = 1e-6; // rad or m: of an action that went through float32

typedef struct pd { // what a drive is told: tau + kp (q - ..) + kd (qd - ..)
    double q, qd, kp, kd, tau;
} pd;

static double or_own(double gain, double own) { return gain < 0 ? own : gain; }

static pd told(const qiao_cmd *c, size_t i, const qiao_drive *own) {
    return (pd){c->q[i], c->qd[i], or_own(c->kp[i], own->kp), or_own(c->kd[i], own->kd), c->tau[i]};
}

// What must be wanted of joint j, at q with speed qd, for it to be driven as a row of cmd says.
static bool wanted(const qi_bound *k, int j, const qiao_cmd *cmd, int row, double q, double qd,
                   double *want) {
    const qi_manifest *m = k->m;
    const qiao_drive *own = &k->io->robot->drive[k->act[j]];
    pd t = told(cmd, (size_t)row * (size_t)cmd->nu + (size_t)k->act[j], own);
    double kp = or_own(m->kp[j], own->kp), kd = or_own(m->kd[j], own->kd);
    double u = t.tau + t.kp * (t.q - q) + t.kd * (t.qd - qd); // torque at this moment
    bool can = true;
    *want = t.q;
    if (!own->native) { // else the command is the position itself
        switch (m->action.of[j]) {
        case QI_ACTION_TORQUE: *want = u; break;
        case QI_ACTION_VELOCITY: *want = qd + u / kd, can = kd > 0; break;
        case QI_ACTION_POSITION:
        case QI_ACTION_DELTA:
            can = kp > 0;
            if (t.kp == kp && t.kd == kd) // then it holds at any moment
                *want = t.q + (t.tau + kd * t.qd) / kp;
            else
                *want = q + (u + kd * qd) / kp;
            break;
        }
    }
    if (k->lo[j] <= k->hi[j]) *want = fmin(fmax(*want, k->lo[j]), k->hi[j]);
    return can && m->action.scale[j] != 0;
}

static qi_now motion_now(const qi_bound *k, int w, const double *x) { // an action may add to it
    qi_now now = {0};
    if (k->m->action.residual) qi_now_make(k, w, x, &now);
    return now;
}

// The action that makes want of a target that was there before.
static double said(const qi_bound *k, int j, const qi_now *now, double before, double want) {
    const qi_manifest *m = k->m;
    double least = m->action.clip[2 * j], most = m->action.clip[2 * j + 1];
    double off = m->action.residual && now->mq ? now->mq[j] : m->action.offset[j];
    if (m->action.of[j] == QI_ACTION_DELTA) off += before;
    double a = (want - off) / m->action.scale[j];
    return least != 0 || most != 0 ? fmin(fmax(a, least), most) : a;
}

bool qi_policy_ask(const void *mem, const qiao_obs *obs, int w, const double *q, const double *qd,
                   const qiao_cmd *cmd, float *action) {
    const qi_bound *k = mem;
    bool good = true;
    qi_now now = motion_now(k, w, obs->x + (size_t)w * (size_t)obs->nobs);
    for (int j = 0; j < k->nj; j++) {
        double want, target = k->target[(size_t)w * (size_t)k->nj + (size_t)j];
        bool can = wanted(k, j, cmd, w, q[j], qd[j], &want);
        double a = said(k, j, &now, target, want);
        good &= can && isfinite(a);
        action[j] = isfinite(a) ? (float)a : 0;
    }
    return good;
}

void qi_policy_did(void *mem, int w, const double *x, const qiao_cmd *cmd, int row) {
    qi_bound *k = mem;
    if (!k->ws[w].begun) return;
    qi_now now = motion_now(k, w, x);
    for (int j = 0; j < k->nj; j++) {
        size_t i = (size_t)w * (size_t)k->nj + (size_t)j;
        double want, qd = k->vadr[j] >= 0 ? x[k->vadr[j]] : 0;
        if (!wanted(k, j, cmd, row, x[k->qadr[j]], qd, &want)) continue;
        double a = said(k, j, &now, k->before[i], want);
        if (!isfinite(a) || fabs(want - k->target[i]) < ROUNDING) continue;
        k->raw[i] = k->clipped[i] = k->sent[i] = a, k->target[i] = want;
    }
}
