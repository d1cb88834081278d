// SPDX-License-Identifier: Apache-2.0
// policy_step.c - one step of n worlds: who decides now, the networks over all of them at once,
// then commands. Nothing here allocates, locks, logs or reads a clock.
#include "brain/policy.h"
#include "ctl/vec.h"

#include <math.h>

static size_t row(const qi_bound *k, int w) { return (size_t)w * (size_t)k->nj; }

// ---- the clock of the gait ----

static void tick(const qi_manifest *m, qi_wstate *s) {
    s->phase += m->clock.hz / m->rate_hz;
    if (m->clock.restart)
        s->phase = s->phase > 1 ? 0 : s->phase;
    else
        s->phase -= floor(s->phase);
}

static void clock_before(const qi_bound *k, const qi_now *now) {
    qi_wstate *s = &k->ws[now->w];
    bool stands = k->m->clock.stand_below > 0 && k->m->clock.hz > 0 && now->still;
    if (s->standing && !stands) s->phase = k->m->clock.start; // it walks again
    s->standing = stands;
    if (k->m->clock.advance_first) tick(k->m, s);
}

static void clock_after(const qi_bound *k, int w) {
    if (!k->m->clock.advance_first) tick(k->m, &k->ws[w]);
}

void qi_policy_phases(const void *mem, int w, int n, double *phase) {
    const qi_bound *k = mem;
    const qi_manifest *m = k->m;
    const qi_wstate *s = &k->ws[w];
    for (int i = 0; i < n; i++) {
        double p = s->standing ? m->clock.stand_phase : s->phase + m->clock.leg[i];
        phase[i] = m->clock.hz > 0 && i < m->clock.nleg ? p - floor(p) : -1;
    }
}

// ---- networks ----

static void gather(float *to, const float *from, int i, int size) {
    memcpy(to + (size_t)i * (size_t)size, from, (size_t)size * sizeof *to);
}

// State and time of the deciding worlds into the policy's inputs.
static void put_state(const qi_bound *k, int ndue) {
    const qi_policy *p = k->p;
    for (int i = 0; i < ndue; i++) {
        const float *s = k->state + (size_t)k->due[i] * (size_t)k->nstate;
        for (int a = 0; a < k->m->nstate; a++) {
            int size = qiao_nn_input(p->net, p->st_in[a])->size;
            gather(k->in[p->st_in[a]], s, i, size);
            s += size;
        }
        if (p->in_time >= 0) k->in[p->in_time][i] = (float)k->ws[k->due[i]].decided;
    }
}

static void keep_state(const qi_bound *k, int ndue) {
    const qi_policy *p = k->p;
    for (int i = 0; i < ndue; i++) {
        float *s = k->state + (size_t)k->due[i] * (size_t)k->nstate;
        for (int a = 0; a < k->m->nstate; a++) {
            int size = qiao_nn_output(p->net, p->st_out[a])->size;
            memcpy(s, k->out[p->st_out[a]] + (size_t)i * (size_t)size, (size_t)size * sizeof *s);
            s += size;
        }
    }
}

// Where the network holds the motion, a run with the time alone says where it is now.
static void ask_motion(const qi_bound *k, int ndue) {
    const qi_policy *p = k->p;
    if (p->in_time < 0) return;
    size_t obs = (size_t)qiao_nn_input(p->net, p->in_obs)->size;
    memset(k->in[p->in_obs], 0, (size_t)ndue * obs * sizeof(float));
    qiao_nn_run(p->net, ndue, (const float *const *)k->in, k->out, k->work);
    for (int i = 0; i < ndue; i++) {
        double *r = k->mrow + (size_t)k->due[i] * (size_t)(7 + 2 * k->nj);
        int port[4] = {p->mo_pos, p->mo_quat, p->mo_q, p->mo_qd};
        int from[4] = {3 * k->m->motion.body, 4 * k->m->motion.body, 0, 0};
        int n[4] = {3, 4, k->nj, k->nj};
        for (int a = 0; a < 4; r += n[a++]) {
            if (port[a] < 0) continue;
            const float *o =
                k->out[port[a]] + (size_t)i * (size_t)qiao_nn_output(p->net, port[a])->size;
            for (int j = 0; j < n[a]; j++) r[j] = (double)o[from[a] + j];
        }
    }
}

static void run_encoder(const qi_bound *k, const qiao_obs *obs, int ndue) {
    const qi_policy *p = k->p;
    if (!p->enc) return;
    int size = k->m->enc.size;
    for (int i = 0; i < ndue; i++) {
        int w = k->due[i];
        qi_now now;
        qi_now_make(k, w, obs->x + (size_t)w * (size_t)obs->nobs, &now);
        float *hist = k->enc.hist + (size_t)w * (size_t)size;
        qi_observe(k, &k->enc, &now, !k->ws[w].begun, hist);
        gather(k->ein, hist, i, size);
    }
    const float *in[1] = {k->ein};
    qiao_nn_run(p->enc, ndue, in, k->eout, k->ework);
}

static void fill_policy(const qi_bound *k, const qiao_obs *obs, int ndue) {
    const qi_policy *p = k->p;
    int size = k->m->obs.size, esize = p->enc ? qiao_nn_output(p->enc, p->out_enc)->size : 0;
    put_state(k, ndue);
    ask_motion(k, ndue);
    for (int i = 0; i < ndue; i++) {
        int w = k->due[i];
        qi_now now;
        qi_now_make(k, w, obs->x + (size_t)w * (size_t)obs->nobs, &now);
        if (p->enc) now.enc = k->eout[p->out_enc] + (size_t)i * (size_t)esize;
        float *hist = k->obs.hist + (size_t)w * (size_t)size;
        qi_observe(k, &k->obs, &now, !k->ws[w].begun, hist);
        gather(k->in[p->in_obs], hist, i, size);
    }
}

// ---- actions ----

static double within(double v, const double *clip) { // not a number stays one
    return clip[0] == 0 && clip[1] == 0 ? v : clampd(v, clip[0], clip[1]);
}

// From what the network says to what is wanted of the joints.
static void take_action(const qi_bound *k, int w, const float *out, const double *mq) {
    const qi_manifest *m = k->m;
    for (int j = 0; j < k->nj; j++) {
        size_t i = row(k, w) + (size_t)j;
        double a = (double)out[j], c = within(a, m->action.clip + 2 * j), s = m->action.scale[j];
        k->raw[i] = a, k->clipped[i] = k->sent[i] = c, k->before[i] = k->target[i];
        double off = m->action.residual && mq ? mq[j] : m->action.offset[j];
        double t = m->action.of[j] == QI_ACTION_DELTA ? k->target[i] + off + s * c : off + s * c;
        k->target[i] = k->lo[j] > k->hi[j] ? t : clampd(t, k->lo[j], k->hi[j]);
    }
}

// Keeps kp (target - q) - kd qd within a share of the torque limit and notes the action that this
// leaves. source: the controllers of LimX, docs/manifest.md
static void reclip(const qi_bound *k, int w, const double *x) {
    const qi_manifest *m = k->m;
    for (int j = 0; j < k->nj; j++) {
        if (m->action.of[j] != QI_ACTION_POSITION) continue;
        size_t i = row(k, w) + (size_t)j;
        double q = x[k->qadr[j]], qd = x[k->vadr[j]], kp = m->kp[j], kd = fmax(m->kd[j], 0);
        double most = m->torque_limit[j] * m->action.reclip;
        double t = clampd(k->target[i], q + (kd * qd - most) / kp, q + (kd * qd + most) / kp);
        if (t == k->target[i]) continue;
        k->target[i] = t;
        if (m->action.scale[j] != 0) k->sent[i] = (t - m->action.offset[j]) / m->action.scale[j];
    }
}

static void command(const qi_bound *k, int w, qiao_cmd *c) {
    const qi_manifest *m = k->m;
    size_t at = (size_t)w * (size_t)c->nu;
    for (int i = 0; i < c->nu; i++) {
        const double *h = k->hold + 3 * i;
        c->q[at + (size_t)i] = h[0], c->kp[at + (size_t)i] = h[1], c->kd[at + (size_t)i] = h[2];
        c->qd[at + (size_t)i] = c->tau[at + (size_t)i] = 0;
    }
    for (int j = 0; j < k->nj; j++) {
        size_t i = at + (size_t)k->act[j];
        double t = k->target[row(k, w) + (size_t)j];
        c->kp[i] = m->kp[j], c->kd[i] = m->kd[j];
        if (m->action.of[j] == QI_ACTION_VELOCITY) {
            c->q[i] = 0, c->qd[i] = t, c->kp[i] = 0;
        } else if (m->action.of[j] == QI_ACTION_TORQUE) {
            c->q[i] = 0, c->tau[i] = t, c->kp[i] = c->kd[i] = 0;
        } else {
            c->q[i] = t;
        }
    }
}

// ---- the step ----

// Worlds that decide now; those whose joints have said nothing yet wait.
static int find_due(const qi_bound *k, const qiao_obs *obs) {
    int n = 0;
    for (int w = 0; w < obs->n; w++) {
        if (obs->live && !obs->live[w]) continue;
        if (obs->stamp_ns &&
            obs->stamp_ns[(size_t)w * (size_t)obs->nsig + (size_t)k->sig_joint] < 0)
            continue;
        if (k->ws[w].count++ % k->m->loop == 0) k->due[n++] = w;
    }
    return n;
}

int qi_policy_see(void *mem, const qiao_obs *obs, const float **rows) {
    qi_bound *k = mem;
    k->ndue = find_due(k, obs);
    for (int i = 0; i < k->ndue; i++) {
        qi_now now;
        int w = k->due[i];
        qi_now_make(k, w, obs->x + (size_t)w * (size_t)obs->nobs, &now);
        clock_before(k, &now);
    }
    if (k->ndue > 0) run_encoder(k, obs, k->ndue), fill_policy(k, obs, k->ndue);
    *rows = k->in[k->p->in_obs];
    return k->ndue;
}

void qi_policy_say(void *mem, const qiao_obs *obs, const float *rows, qiao_cmd *cmd) {
    qi_bound *k = mem;
    for (int i = 0; i < k->ndue; i++) {
        qi_now now;
        int w = k->due[i];
        qi_now_make(k, w, obs->x + (size_t)w * (size_t)obs->nobs, &now);
        take_action(k, w, rows + (size_t)i * (size_t)k->nj, now.mq);
        clock_after(k, w);
        k->ws[w].decided++, k->ws[w].begun = true;
    }
    for (int w = 0; w < obs->n; w++) {
        if (obs->live && !obs->live[w]) continue;
        if (k->m->action.reclip > 0 && k->ws[w].begun)
            reclip(k, w, obs->x + (size_t)w * (size_t)obs->nobs);
        command(k, w, cmd);
    }
}

// ---- parts ----

enum { PART_TERM = 1024 }; // numbers of a term, most

bool qi_policy_apart(void *mem) {
    qi_bound *k = mem;
    const qi_manifest *m = k->m;
    bool apart = !k->p->enc && m->nstate == 0 && k->p->in_time < 0 && m->loop == 1;
    for (int i = 0; i < m->obs.nterm; i++) {
        const qi_term *t = &m->obs.term[i];
        apart = apart && t->dim <= PART_TERM;
        switch (t->kind) { // these need the one body that there is
        case QI_TERM_OBJECT_POS:
        case QI_TERM_OBJECT_ROT:
        case QI_TERM_ANCHOR_ORI:
        case QI_TERM_ANCHOR_POS: apart = false; break;
        default: break;
        }
    }
    if (apart) k->ndue = k->n;
    return apart;
}

const float *qi_policy_see_part(void *mem, const qiao_obs *obs, int from, int to) {
    qi_bound *k = mem, mine = *k;
    double term[PART_TERM + 2];
    mine.scratch = term;
    int size = k->m->obs.size;
    for (int w = from; w < to; w++) {
        qi_now now;
        k->ws[w].count++, k->due[w] = w;
        qi_now_make(k, w, obs->x + (size_t)w * (size_t)obs->nobs, &now);
        clock_before(k, &now);
        float *hist = k->obs.hist + (size_t)w * (size_t)size;
        qi_observe(&mine, &k->obs, &now, !k->ws[w].begun, hist);
        gather(k->in[k->p->in_obs], hist, w, size);
    }
    return k->in[k->p->in_obs];
}

void qi_policy_say_part(void *mem, const qiao_obs *obs, const float *rows, qiao_cmd *cmd, int from,
                        int to) {
    qi_bound *k = mem;
    bool follows = k->m->action.residual;
    for (int w = from; w < to; w++) {
        qi_now now = {0};
        const double *x = obs->x + (size_t)w * (size_t)obs->nobs;
        if (follows) qi_now_make(k, w, x, &now);
        take_action(k, w, rows + (size_t)w * (size_t)k->nj, now.mq);
        clock_after(k, w);
        k->ws[w].decided++, k->ws[w].begun = true;
        if (k->m->action.reclip > 0) reclip(k, w, x);
        command(k, w, cmd);
    }
}

qiao_err qi_policy_step(void *mem, const qiao_obs *obs, qiao_cmd *cmd) {
    qi_bound *k = mem;
    const qi_policy *p = k->p;
    const float *rows;
    int n = qi_policy_see(mem, obs, &rows);
    if (n > 0) {
        qiao_nn_run(p->net, n, (const float *const *)k->in, k->out, k->work);
        keep_state(k, n);
    }
    qi_policy_say(mem, obs, k->out[p->out_act], cmd);
    return QIAO_OK;
}
