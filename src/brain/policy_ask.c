// SPDX-License-Identifier: Apache-2.0
// policy_ask.c - an action's meaning turned round: what a policy would have to say for the drives to
// do what a command says.
#include "brain/policy.h"

#include <math.h>

typedef struct pd { // what a drive is told: tau + kp (q - ..) + kd (qd - ..)
    double q, qd, kp, kd, tau;
} pd;

static double or_own(double gain, double own) { return gain < 0 ? own : gain; }

static pd told(const qiao_cmd *c, size_t i, const qiao_drive *own) {
    return (pd){c->q[i], c->qd[i], or_own(c->kp[i], own->kp), or_own(c->kd[i], own->kd), c->tau[i]};
}

// What must be wanted of joint j, moving as q and qd say, for it to be driven as t says.
static bool wanted(const qi_bound *k, int j, const pd *t, const qiao_drive *own, double q,
                   double qd, double *want) {
    const qi_manifest *m = k->m;
    double kp = or_own(m->kp[j], own->kp), kd = or_own(m->kd[j], own->kd);
    double u = t->tau + t->kp * (t->q - q) + t->kd * (t->qd - qd); // torque at this moment
    *want = t->q;
    if (own->native) return true; // the command is the position itself
    switch (m->action.of[j]) {
    case QI_ACTION_TORQUE: *want = u; return true;
    case QI_ACTION_VELOCITY: *want = qd + u / kd; return kd > 0;
    case QI_ACTION_POSITION:
    case QI_ACTION_DELTA: break;
    }
    if (t->kp == kp && t->kd == kd) // then it holds at any moment
        *want = t->q + (t->tau + kd * t->qd) / kp;
    else
        *want = q + (u + kd * qd) / kp;
    return kp > 0;
}

bool qi_policy_ask(const void *mem, const qiao_obs *obs, int w, const double *q, const double *qd,
                   const qiao_cmd *cmd, float *action) {
    const qi_bound *k = mem;
    const qi_manifest *m = k->m;
    qi_now now;
    bool good = true;
    qi_now_make(k, w, obs->x + (size_t)w * (size_t)obs->nobs, &now);
    for (int j = 0; j < k->nj; j++) {
        const qiao_drive *own = &k->io->robot->drive[k->act[j]];
        pd t = told(cmd, (size_t)w * (size_t)cmd->nu + (size_t)k->act[j], own);
        double want, s = m->action.scale[j], lo = k->lo[j], hi = k->hi[j];
        good &= wanted(k, j, &t, own, q[j], qd[j], &want) && s != 0;
        if (lo <= hi) want = fmin(fmax(want, lo), hi);
        double off = m->action.residual && now.mq ? now.mq[j] : m->action.offset[j];
        if (m->action.of[j] == QI_ACTION_DELTA)
            off += k->target[(size_t)w * (size_t)k->nj + (size_t)j];
        double a = (want - off) / s, most = m->action.clip[2 * j + 1],
               least = m->action.clip[2 * j];
        if (least != 0 || most != 0) a = fmin(fmax(a, least), most);
        good &= isfinite(a);
        action[j] = isfinite(a) ? (float)a : 0;
    }
    return good;
}
