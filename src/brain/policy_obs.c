// SPDX-License-Identifier: Apache-2.0
// policy_obs.c - terms of an observation from a row of signals, and their history.
#include "brain/policy.h"
#include "ctl/vec.h"

#include <math.h>

static void conj_quat(double *o, const double *q) {
    o[0] = q[0], o[1] = -q[1], o[2] = -q[2], o[3] = -q[3];
}

// What all terms of a world share: orientation, command, motion.
void qi_now_make(const qi_bound *k, int w, const double *x, qi_now *now) {
    const qi_manifest *m = k->m;
    *now = (qi_now){.x = x, .w = w, .q_wb = {1, 0, 0, 0}, .q_ws = {1, 0, 0, 0}};
    if (k->quat >= 0) {
        double back[4];
        memcpy(now->q_ws, x + k->quat, sizeof now->q_ws);
        unit_quat(now->q_ws);
        conj_quat(back, k->q_bs);
        mul_quat(now->q_wb, now->q_ws, back);
    }
    if (k->command >= 0) {
        const double *r[3] = {m->command.vx, m->command.vy, m->command.yaw_rate};
        for (int i = 0; i < 3; i++) {
            double c = x[k->command + i];
            now->cmd[i] = r[i][0] == 0 && r[i][1] == 0 ? c : clampd(c, r[i][0], r[i][1]);
        }
        if (norm3(now->cmd) < m->command.dead) set3(now->cmd, 0, 0, 0);
        now->speed = norm3(now->cmd);
    }
    now->still = now->speed < m->clock.stand_below;
    if (m->motion.nframe > 0) {
        // a whole number of frames is that number, whatever rounding made of it
        double at = floor((double)k->ws[w].decided / m->rate_hz * m->motion.rate_hz + 1e-6);
        if (m->motion.loop) at = fmod(at, m->motion.nframe);
        int f = at < m->motion.nframe - 1 ? (int)at : m->motion.nframe - 1;
        const double *row = m->motion.frame + (size_t)f * (size_t)(7 + 2 * k->nj);
        now->mpos = row, now->mquat = row + 3, now->mq = row + 7, now->mqd = row + 7 + k->nj;
    } else if (k->mrow) {
        const double *row = k->mrow + (size_t)w * (size_t)(7 + 2 * k->nj);
        now->mpos = row, now->mquat = row + 3, now->mq = row + 7, now->mqd = row + 7 + k->nj;
    }
}

// Poses of all bodies of the robot in this world.
static void place(const qi_bound *k, qi_now *now) {
    if (now->placed) return;
    now->placed = true;
    for (int i = 0; i < k->njq; i++) k->q[k->jq[i]] = now->x[k->jx[i]];
    if (k->base_q >= 0) {
        for (int i = 0; i < 3; i++)
            k->q[k->base_q + i] = k->base_pose >= 0 ? now->x[k->base_pose + i] : 0;
        memcpy(k->q + k->base_q + 3, now->q_wb, sizeof now->q_wb);
    }
    qiao_dyn_kinematics(k->dyn, k->q);
}

// Where a body or site of the robot is in the world.
static void pose_of(const qi_bound *k, qi_now *now, int body, int site, double *pos, double *rot) {
    place(k, now);
    if (site >= 0)
        qiao_dyn_site(k->dyn, site, pos, rot, NULL, NULL);
    else
        qiao_dyn_body(k->dyn, body, pos, rot);
    if (k->base_q >= 0) return;
    // a fixed base stands where the scenario put it
    double s, c;
    const double *at = k->place[now->w];
    qi_sincos(at[3], &s, &c);
    double R[9] = {c, -s, 0, s, c, 0, 0, 0, 1};
    mul33v(pos, R, pos), mul33(rot, R, rot);
    add3(pos, pos, at);
}

static void gravity(const double *q, double *v) { // the world's -z, seen from q
    double w = q[0], x = q[1], y = q[2], z = q[3];
    set3(v, -2 * (x * z - w * y), -2 * (y * z + w * x), -(1 - 2 * (x * x + y * y)));
}

static void euler(const double *q, double *v) {
    double w = q[0], x = q[1], y = q[2], z = q[3], s = clampd(2 * (w * y - z * x), -1, 1);
    v[0] = qi_atan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y));
    v[1] = qi_atan2(s, sqrt(1 - s * s));
    v[2] = qi_atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z));
}

static void sixd(const double *R, qi_sixd form, double *v) {
    if (form == QI_SIXD_ROWS) {
        memcpy(v, R + 3, 6 * sizeof *v);
        return;
    }
    for (int i = 0; i < 3; i++) v[2 * i] = R[3 * i], v[2 * i + 1] = R[3 * i + 1];
}

static void turned(const qi_now *now, const char *frame, double *v) { // base axes to the world's
    double R[9];
    if (frame[0] != 'w') return;
    rot_quat(R, now->q_wb);
    mul33v(v, R, v);
}

static void phase(const qi_bound *k, const qi_term *t, const qi_now *now, double *v) {
    const qi_manifest *m = k->m;
    const qi_wstate *s = &k->ws[now->w];
    int n = m->clock.nleg;
    bool both = t->form == QI_PHASE_SINCOS;
    for (int i = 0; i < n; i++) {
        double p = t->hz > 0 ? (double)s->decided / m->rate_hz * t->hz : s->phase;
        p = s->standing && t->hz <= 0 ? m->clock.stand_phase : p + m->clock.leg[i];
        p -= floor(p);
        double sn, cs;
        qi_sincos(6.283185307179586 * p, &sn, &cs);
        if (t->form == QI_PHASE_RAW) v[i] = p;
        if (both || t->form == QI_PHASE_SIN) v[i] = sn;
        if (both) v[n + i] = cs;
        if (t->form == QI_PHASE_COS) v[i] = cs;
    }
}

static void joints(const qi_bound *k, const qi_bterm *b, const qi_now *now, double *v) {
    const qi_term *t = b->t;
    size_t row = (size_t)now->w * (size_t)k->nj;
    const double *act[3] = {k->raw + row, k->clipped + row, k->sent + row};
    for (int i = 0; i < t->njoint; i++) {
        int j = t->joint[i];
        if (t->kind == QI_TERM_ACTION)
            v[i] = act[t->act][j];
        else if (t->kind == QI_TERM_JOINT_ERROR)
            v[i] = now->x[b->jadr[i]] - k->target[row + (size_t)j];
        else if (t->kind == QI_TERM_JOINT_POS && t->relative)
            v[i] = now->x[b->jadr[i]] - k->m->default_pose[j];
        else
            v[i] = now->x[b->jadr[i]];
    }
}

static void object(const qi_bound *k, const qi_bterm *b, qi_now *now, double *v) {
    const double *o = now->x + b->adr;
    if (b->t->kind == QI_TERM_OBJECT_ROT) {
        double back[4], q[4], R[9];
        conj_quat(back, now->x + b->goal);
        mul_quat(q, o + 3, back), unit_quat(q);
        rot_quat(R, q);
        sixd(R, b->t->sixd, v);
        return;
    }
    double pos[3], rot[9];
    if (b->goal >= 0)
        copy3(pos, now->x + b->goal);
    else
        pose_of(k, now, b->body, b->site, pos, rot);
    sub3(v, o, pos);
    if (b->t->frame[0] == 'b') {
        double R[9];
        rot_quat(R, now->q_wb);
        mul33tv(v, R, v);
    }
}

// The motion's anchor seen from the robot's.
static void anchor(const qi_bound *k, const qi_bterm *b, qi_now *now, double *v) {
    double R[9], ref[9], q[4], pos[3] = {0};
    rot_quat(R, now->q_wb);
    if (b->body != k->io->robot->base) pose_of(k, now, b->body, -1, pos, R);
    memcpy(q, now->mquat, sizeof q), unit_quat(q);
    rot_quat(ref, q);
    if (b->t->kind == QI_TERM_ANCHOR_ORI) {
        double Rt[9];
        transpose33(Rt, R);
        mul33(ref, Rt, ref);
        sixd(ref, b->t->sixd, v);
        return;
    }
    if (b->body == k->io->robot->base && k->base_pose >= 0) copy3(pos, now->x + k->base_pose);
    sub3(v, now->mpos, pos);
    mul33tv(v, R, v);
}

// v [dim before axes are picked] of one term, SI.
static void value(const qi_bound *k, const qi_bterm *b, qi_now *now, double *v) {
    const qi_term *t = b->t;
    const double *x = b->adr >= 0 ? now->x + b->adr : NULL;
    const double *q = t->frame[0] == 'i' ? now->q_ws : now->q_wb;
    switch (t->kind) {
    case QI_TERM_GYRO:
        copy3(v, x);
        if (t->frame[0] != 'i') mul33v(v, k->R_bs, v);
        turned(now, t->frame, v);
        break;
    case QI_TERM_GRAVITY: gravity(q, v); break;
    case QI_TERM_LIN_VEL: copy3(v, x), turned(now, t->frame, v); break;
    case QI_TERM_QUAT: memcpy(v, q, 4 * sizeof *v); break;
    case QI_TERM_EULER: euler(q, v); break;
    case QI_TERM_COMMAND: copy3(v, now->cmd); break;
    case QI_TERM_STANCE: v[0] = now->still; break;
    case QI_TERM_JOINT_POS:
    case QI_TERM_JOINT_VEL:
    case QI_TERM_JOINT_ERROR:
    case QI_TERM_ACTION: joints(k, b, now, v); break;
    case QI_TERM_PHASE: phase(k, t, now, v); break;
    case QI_TERM_SCAN:
    case QI_TERM_SIGNAL: memcpy(v, x, (size_t)t->dim * sizeof *v); break;
    case QI_TERM_OBJECT_POS:
    case QI_TERM_OBJECT_ROT: object(k, b, now, v); break;
    case QI_TERM_MOTION:
        memcpy(v, now->mq, (size_t)k->nj * sizeof *v);
        memcpy(v + k->nj, now->mqd, (size_t)k->nj * sizeof *v);
        break;
    case QI_TERM_ANCHOR_ORI:
    case QI_TERM_ANCHOR_POS: anchor(k, b, now, v); break;
    case QI_TERM_HEIGHT: v[0] = now->mpos[2]; break;
    case QI_TERM_ENCODER:
        for (int i = 0; i < t->dim; i++) v[i] = (double)now->enc[i];
        break;
    default: memset(v, 0, (size_t)t->dim * sizeof *v);
    }
}

// The newest frame of one term into out [dim].
static void frame(const qi_bound *k, const qi_bterm *b, qi_now *now, double most, float *out) {
    double *v = k->scratch;
    const qi_term *t = b->t;
    value(k, b, now, v);
    if (t->naxis) {
        double all[3];
        copy3(all, v);
        for (int i = 0; i < t->naxis; i++) v[i] = all[t->axis[i]];
    }
    bool clip = t->clip[0] != 0 || t->clip[1] != 0;
    for (int i = 0; i < t->dim; i++) {
        double y = v[i] * t->to_unit;
        if (clip) y = clampd(y, t->clip[0], t->clip[1]);
        y = t->scale[i] * y + t->offset[i];
        out[i] = (float)(most > 0 ? clampd(y, -most, most) : y);
    }
}

// Moves every term's frames one step back and puts the newest in its place.
void qi_observe(const qi_bound *k, const qi_bgroup *bg, qi_now *now, bool first, float *hist) {
    const qi_obs_group *g = bg->g;
    for (int i = 0; i < g->nterm; i++) {
        const qi_term *t = &g->term[i];
        size_t dim = (size_t)t->dim, step = g->by_term ? dim : (size_t)g->frame;
        int h = t->history > 0 ? t->history : g->history;
        float *base = hist + (g->by_term ? t->at_input : t->at_frame);
        // slot of an age: the newest is first or last
        for (int age = h - 1; age > 0; age--) {
            int to = g->newest_first ? age : h - 1 - age, from = g->newest_first ? to - 1 : to + 1;
            memcpy(base + (size_t)to * step, base + (size_t)from * step, dim * sizeof *base);
        }
        float *now_at = base + (size_t)(g->newest_first ? 0 : h - 1) * step;
        frame(k, &bg->t[i], now, g->clip, now_at);
        for (int a = 0; first && !g->fill_zero && a < h; a++) {
            float *to = base + (size_t)a * step;
            if (to != now_at) memcpy(to, now_at, dim * sizeof *to);
        }
    }
}
