// SPDX-License-Identifier: Apache-2.0
// legs_walk.c - one step of walking: estimate, map, clock, body wish, forces, torques.
// source   C. Gehring et al., Control of dynamic gaits for a quadrupedal robot (ICRA 2013): a wish
//          at the body, shared out among the standing feet; J. Di Carlo et al. (IROS 2018) and
//          D. Kim et al., Highly dynamic quadruped locomotion (2019): J'f in stance, operational
//          space feed-forward in swing
#include "ctl/legs_gait.h"

#include <assert.h>

#define ROUGH_SPEED  0.40  // m/s
#define CRAWL_HIGHER 0.015 // m, so that knees clear the edges behind them
#define CRAWL_SPEED  0.15  // m/s
#define MU           0.35  // of the pyramid: inside a cone of 0.4 but for its corners
#define F_MAX        260.0

size_t qiao_ctl_walk_size(void) { return sizeof(qiao_ctl_walk); }

void qiao_ctl_walk_init(qiao_ctl_walk *w, const qiao_ctl_quad *body) {
    assert(sizeof w->qp >= qiao_ctl_qp_size());
    memset(w, 0, sizeof *w);
    w->b = body;
}

void qiao_ctl_walk_state(const qiao_ctl_walk *w, double pos[3], double quat[4], double vel[3]) {
    copy3(pos, w->est.p), copy3(vel, w->est.v);
    memcpy(quat, w->est.quat, sizeof w->est.quat);
}

static void copy2(double *o, const double *a) { o[0] = a[0], o[1] = a[1]; }

static void begin(qiao_ctl_walk *w, const qiao_ctl_walk_in *in) {
    double foot[NLEG][3];
    legs_est_init(&w->est, w->b, in);
    for (int i = 0; i < NLEG; i++) {
        legs_foot_w(&w->est, i, foot[i]);
        foot[i][2] -= w->b->leg[i].radius;
        w->leg[i].carries = true;
    }
    legs_ground_init(&w->ground, foot);
    w->standing = w->begun = true;
    legs_pace(w);
    w->p_ref[0] = w->est.p[0], w->p_ref[1] = w->est.p[1], w->yaw_ref = w->est.yaw;
    w->z_ref = w->b->height;
}

static double wrap(double a) { return a - 6.283185307179586 * floor(a / 6.283185307179586 + 0.5); }

// How much the ground under and before the robot departs from its plane: sets pace and speed.
static void feel_ground(qiao_ctl_walk *w, double dt) {
    double sn, cs, worst = 0;
    qi_sincos(w->est.yaw, &sn, &cs);
    for (int i = 0; i < 5; i++)
        for (int j = -1; j <= 1; j++) {
            double x = -0.1 + 0.17 * i, y = 0.15 * j;
            double s = legs_ground_spread(&w->ground, w->est.p[0] + cs * x - sn * y,
                                          w->est.p[1] + sn * x + cs * y, 0.08, NULL);
            worst = fmax(worst, s);
        }
    double now = clampd((worst - 0.035) / 0.03, 0, 1);
    w->rough += clampd(dt / (now > w->rough ? 0.15 : 0.6), 0, 1) * (now - w->rough);
    legs_pace(w);
}

// Smooths the operator's wish and carries the line to keep along with it. True: legs must move.
static bool follow(qiao_ctl_walk *w, const qiao_ctl_walk_in *in, double v_cmd[3]) {
    const legs_est *e = &w->est;
    double top = 1.2 + w->rough * (ROUGH_SPEED - 1.2), sn, cs, wish[3];
    if (w->mode == LEGS_CRAWL || w->want_mode == LEGS_CRAWL) top = CRAWL_SPEED;
    if (w->upset > 0) top = 0;
    const double rate[3] = {1.0, 1.0, 2.5};
    copy3(wish, in->command);
    double len = sqrt(wish[0] * wish[0] + wish[1] * wish[1]);
    if (len > top) wish[0] *= top / len, wish[1] *= top / len;
    for (int c = 0; c < 3; c++) {
        double x = isfinite(wish[c]) ? clampd(wish[c], -1.5, 1.5) : 0;
        w->cmd[c] += clampd(x - w->cmd[c], -rate[c] * in->dt, rate[c] * in->dt);
    }
    w->yaw_ref = wrap(w->yaw_ref + w->cmd[2] * in->dt);
    w->yaw_ref = wrap(e->yaw + clampd(wrap(w->yaw_ref - e->yaw), -0.35, 0.35));
    qi_sincos(w->yaw_ref, &sn, &cs);
    v_cmd[0] = cs * w->cmd[0] - sn * w->cmd[1], v_cmd[1] = sn * w->cmd[0] + cs * w->cmd[1];
    v_cmd[2] = 0;
    for (int i = 0; i < NLEG; i++) // a foot is lost: no way on before it stands
        if (w->leg[i].t_air > 0.06) v_cmd[0] *= 0.2, v_cmd[1] *= 0.2;
    // the line: ahead on a short leash, sideways on a longer one
    double d[2], ahead, side;
    for (int c = 0; c < 2; c++) w->p_ref[c] += v_cmd[c] * in->dt, d[c] = w->p_ref[c] - e->p[c];
    qi_sincos(e->yaw, &sn, &cs);
    ahead = clampd(cs * d[0] + sn * d[1], -0.06, 0.06);
    side = clampd(cs * d[1] - sn * d[0], -0.4, 0.4);
    w->p_ref[0] = e->p[0] + cs * ahead - sn * side, w->p_ref[1] = e->p[1] + sn * ahead + cs * side;
    double pull[2] = {1.0 * ahead, clampd(1.0 * side, -0.15, 0.15)};
    bool go = fabs(w->cmd[0]) + fabs(w->cmd[1]) > 0.03 || fabs(w->cmd[2]) > 0.05;
    if (go || !w->standing)
        v_cmd[0] += cs * pull[0] - sn * pull[1], v_cmd[1] += sn * pull[0] + cs * pull[1];
    double slow = w->standing ? 0.25 : 0.15;
    bool moved = fabs(e->v[0]) > slow || fabs(e->v[1]) > slow;
    for (int i = 0; i < NLEG; i++) { // feet far from their places: step back under the hips
        const double *f = e->foot_b[i], *r = w->b->rest_foot[i];
        double lim = w->standing ? 0.10 : 0.05;
        moved |= fabs(f[0] - r[0]) > lim || fabs(f[1] - r[1]) > lim;
    }
    return go || moved || w->upset > 0;
}

// Centre of mass now, base frame (with what the body seems to carry, at its payload place).
static void centre(const qiao_ctl_walk *w, double com[3], double *mass) {
    const qiao_ctl_quad *b = w->b;
    double load = clampd(w->sum[0] / 9.81, 0, 6);
    *mass = b->trunk_mass + load;
    for (int c = 0; c < 3; c++) com[c] = b->trunk_mass * b->trunk_com[c] + load * b->payload[c];
    for (int i = 0; i < NLEG; i++)
        for (int k = 0; k < 3; k++) {
            mad3(com, b->leg[i].link[k].mass, w->est.pose[i].com[k]);
            *mass += b->leg[i].link[k].mass;
        }
    for (int c = 0; c < 3; c++) com[c] /= *mass;
}

// Attitude error between the wish (yaw_ref, along the plane) and now, world axes.
static void tilt_error(const qiao_ctl_walk *w, double err[3]) {
    const legs_est *e = &w->est;
    double sn, cs, want[3][3], now[3], c[3];
    qi_sincos(w->yaw_ref, &sn, &cs);
    double a = w->ground.plane[1], b = w->ground.plane[2];
    double along = a * cs + b * sn, across = 0.7 * (b * cs - a * sn);
    set3(want[0], cs, sn, along);
    double n[3] = {-along * cs + across * sn, -along * sn - across * cs, 1}, len = norm3(n);
    for (int k = 0; k < 3; k++) want[2][k] = n[k] / len;
    len = norm3(want[0]);
    for (int k = 0; k < 3; k++) want[0][k] /= len;
    cross3(want[1], want[2], want[0]);
    len = norm3(want[1]);
    for (int k = 0; k < 3; k++) want[1][k] /= len;
    cross3(want[0], want[1], want[2]);
    set3(err, 0, 0, 0);
    for (int j = 0; j < 3; j++) {
        set3(now, e->R[j], e->R[3 + j], e->R[6 + j]);
        cross3(c, now, want[j]), mad3(err, 0.5, c);
    }
}

// Force and torque that the body is to feel at its centre of mass.
static void wish(qiao_ctl_walk *w, const qiao_ctl_walk_in *in, const double v_cmd[3], double mass,
                 double wrench[6]) {
    const legs_est *e = &w->est;
    const legs_ground *g = &w->ground;
    double err[3], I[9], Rt[9], t[3], al[3];
    double ground = g->plane[0] + g->plane[1] * e->p[0] + g->plane[2] * e->p[1];
    double vz = g->plane[1] * v_cmd[0] + g->plane[2] * v_cmd[1];
    double want_z = w->b->height + (w->mode == LEGS_CRAWL ? CRAWL_HIGHER : 0);
    w->z_ref += clampd(want_z - w->z_ref, -0.06 * in->dt, 0.06 * in->dt);
    double low = 0; // a foot that feels for ground is let down
    for (int i = 0; i < NLEG; i++) low = fmax(low, w->leg[i].probe);
    double ez = ground + w->z_ref - 0.6 * low - e->p[2];
    ez = clampd(ez, -0.08, 0.08);
    const double kv = 7;
    for (int c = 0; c < 2; c++) wrench[c] = mass * clampd(kv * (v_cmd[c] - e->v[c]), -4, 4);
    if (w->mode == LEGS_CRAWL) {
        double c[3], go[3];
        mul33v(c, e->R, w->com);
        for (int k = 0; k < 2; k++) {
            // the middle of mass over the virtual polygon
            go[k] = clampd(w->p_body[k] - e->p[k] - c[k], -0.08, 0.08);
            wrench[k] = mass * clampd(50 * go[k] - 12 * (e->v[k] - 0.5 * v_cmd[k]), -3, 3);
        }
    }
    double az = 120 * ez + 18 * (vz - e->v[2]);
    w->sum[0] = clampd(w->sum[0] + in->dt * 40 * mass * ez, -30, 60);
    wrench[2] =
        mass * (9.81 + clampd(az, -8, 10)) + w->sum[0] - 9.81 * clampd(w->sum[0] / 9.81, 0, 6);
    tilt_error(w, err);
    double w_cmd[3] = {0, 0, w->cmd[2]};
    const double kp[3] = {180, 180, 80}, kd[3] = {22, 22, 16};
    for (int c = 0; c < 3; c++)
        al[c] = kp[c] * clampd(err[c], -0.3, 0.3) + kd[c] * (w_cmd[c] - e->w_w[c]);
    mul33(I, e->R, w->b->inertia), transpose33(Rt, e->R), mul33(I, I, Rt);
    mul33v(t, I, al);
    double lean[3]; // base-frame roll and pitch integrals: loads off the middle
    mul33tv(lean, e->R, err);
    for (int c = 0; c < 2; c++)
        w->sum[1 + c] = clampd(w->sum[1 + c] + in->dt * 25 * lean[c], -8, 8);
    double s[3] = {w->sum[1], w->sum[2], 0};
    mul33v(s, e->R, s);
    add3(&wrench[3], t, s);
}

// Shares the wish among the feet that carry.
static void share(qiao_ctl_walk *w, const double com_b[3], const double wrench[6]) {
    legs_force_in in = {.mu = MU};
    int leg[NLEG];
    double c[3], f[NLEG][3], n[3] = {0, 0, 1};
    mul33v(c, w->est.R, com_b);
    double flat = 1 - w->rough;
    n[0] = -flat * w->ground.plane[1], n[1] = -flat * w->ground.plane[2];
    double len = norm3(n);
    for (int k = 0; k < 3; k++) n[k] /= len;
    double T = w->t_swing + w->t_stance, duty = w->t_stance / T;
    for (int i = 0; i < NLEG; i++) {
        legs_leg *l = &w->leg[i];
        if (!l->carries) {
            set3(l->f, 0, 0, 0);
            continue;
        }
        double r[3], ph = w->clock + w->b->offset[w->mode][i];
        ph -= floor(ph);
        legs_foot_w(&w->est, i, r);
        sub3(r, r, w->est.p), sub3(r, r, c);
        r[2] -= w->b->leg[i].radius;
        copy3(in.r[in.n], r), copy3(in.normal[in.n], n), copy3(in.last[in.n], l->f);
        // load comes and goes over some hundredths of a second
        double on = clampd((l->t_stance + 0.005) / 0.03, 0.1, 1);
        double off =
            w->standing || w->waiting || l->swing ? 1 : clampd((duty - ph) * T / 0.03, 0.1, 1);
        in.max[in.n] = F_MAX * fmin(on, off);
        leg[in.n++] = i;
    }
    memcpy(in.wrench, wrench, sizeof in.wrench);
    legs_force_solve(&in, w->qp, f);
    for (int k = 0; k < in.n; k++) copy3(w->leg[leg[k]].f, f[k]);
}

// Torques of a leg that carries.
static void stance_out(qiao_ctl_walk *w, int i, const double v_cmd[3], qiao_ctl_walk_out *out,
                       const qiao_ctl_walk_in *in) {
    const legs_est *e = &w->est;
    const qiao_ctl_leg_pose *o = &e->pose[i];
    double f_b[3], tau[3], g[3], gb[3] = {0, 0, -9.81}, v_b[3], c[3];
    mul33tv(f_b, e->R, w->leg[i].f), mul33tv(tau, o->J, f_b);
    mul33tv(gb, e->R, gb);
    qiao_ctl_leg_dynamics(&w->b->leg[i], o, gb, g, NULL);
    // the joint speed that goes with the wished motion of the body
    mul33tv(v_b, e->R, v_cmd), cross3(c, e->w_b, o->foot), add3(v_b, v_b, c);
    for (int k = 0; k < 3; k++) v_b[k] = -v_b[k];
    double qd[3];
    if (!solve33(qd, o->J, v_b)) set3(qd, 0, 0, 0);
    for (int k = 0; k < 3; k++) {
        qd[k] = clampd(qd[k], -8, 8);
        out->q[i][k] = in->q[i][k], out->qd[i][k] = qd[k];
        out->kp[i][k] = 0, out->kd[i][k] = 0.6;
        out->tau[i][k] = g[k] - tau[k] + w->b->leg[i].link[k].damping * qd[k];
    }
}

// Torques of a leg in the air: on its way, or feeling for ground.
static void swing_out(qiao_ctl_walk *w, int i, qiao_ctl_walk_out *out, const qiao_ctl_walk_in *in) {
    const legs_est *e = &w->est;
    const qiao_ctl_leg *leg = &w->b->leg[i];
    const qiao_ctl_leg_pose *o = &e->pose[i];
    legs_leg *l = &w->leg[i];
    double p[3], v[3] = {0}, a[3] = {0}, c[3], v_b[3], q[3], qd[3], qdd[3], M[9], g[3], t[3];
    double gb[3] = {0, 0, -9.81};
    if (l->swing && !l->early) {
        legs_gait_swing(w, i, p, v, a);
    } else {
        copy3(p, l->aim), p[2] -= l->probe, v[2] = l->probe < 0.14 ? -0.35 : 0;
    }
    sub3(p, p, e->p), mul33tv(p, e->R, p);
    sub3(v, v, e->v), mul33tv(v_b, e->R, v);
    cross3(c, e->w_b, p), sub3(v_b, v_b, c);
    copy3(q, in->q[i]);
    qiao_ctl_leg_inverse(leg, p, q);
    mul33tv(a, e->R, a), mul33tv(gb, e->R, gb);
    if (!solve33(qd, o->J, v_b)) set3(qd, 0, 0, 0);
    if (!solve33(qdd, o->J, a)) set3(qdd, 0, 0, 0);
    for (int k = 0; k < 3; k++) qdd[k] = clampd(qdd[k], -600, 600), qd[k] = clampd(qd[k], -20, 20);
    qiao_ctl_leg_dynamics(leg, o, gb, g, M);
    mul33v(t, M, qdd);
    for (int k = 0; k < 3; k++) {
        out->q[i][k] = q[k], out->qd[i][k] = qd[k], out->kp[i][k] = 50, out->kd[i][k] = 1.5;
        out->tau[i][k] = g[k] + t[k] + leg->link[k].damping * qd[k] +
                         leg->link[k].friction * clampd(qd[k], -1, 1);
    }
}

// Sensors that say no number: the joints are damped, and the mind starts afresh after it.
static bool senseless(qiao_ctl_walk *w, const qiao_ctl_walk_in *in, qiao_ctl_walk_out *out) {
    double sum = in->t + in->dt;
    for (int i = 0; i < NLEG; i++)
        for (int k = 0; k < 3; k++) sum += in->q[i][k] + in->qd[i][k];
    for (int k = 0; k < 4; k++) sum += in->quat[k];
    for (int k = 0; k < 3; k++) sum += in->gyro[k] + in->acc[k];
    if (w->begun) sum += norm3(w->est.p) + norm3(w->est.v) + w->est.P[0][0];
    if (isfinite(sum)) return false;
    memset(out, 0, sizeof *out);
    for (int i = 0; i < NLEG; i++)
        for (int k = 0; k < 3; k++) out->kd[i][k] = 2;
    qiao_ctl_walk_init(w, w->b);
    return true;
}

void qiao_ctl_walk_step(qiao_ctl_walk *w, const qiao_ctl_walk_in *in, qiao_ctl_walk_out *out) {
    double trust[NLEG], v_cmd[3], mass, wrench[6];
    if (senseless(w, in, out)) return;
    if (!w->begun) begin(w, in);
    for (int i = 0; i < NLEG; i++) {
        const legs_leg *l = &w->leg[i];
        bool stands = l->carries && in->contact[i] > 0.5;
        trust[i] = stands ? clampd(0.2 + l->t_stance / 0.04, 0, 1) : 0;
        if (w->standing) trust[i] = stands ? 1 : 0;
    }
    legs_est_step(&w->est, w->b, in, trust);
    legs_ground_step(&w->ground, &w->est, in);
    feel_ground(w, in->dt);
    centre(w, w->com, &mass);
    bool want = follow(w, in, v_cmd);
    legs_crawl_choose(w, in->dt);
    if (w->mode == LEGS_TROT && w->want_mode == LEGS_CRAWL) { // slow, then all four down first
        const double *v = w->est.v;
        want = v[0] * v[0] + v[1] * v[1] > 0.22 * 0.22;
    }
    legs_gait_clock(w, in, want);
    if (w->mode == LEGS_CRAWL)
        legs_crawl_body(w, in->dt);
    else
        copy2(w->p_body, w->est.p);
    for (int i = 0; i < NLEG; i++)
        if (w->leg[i].swing) legs_gait_aim(w, i, v_cmd, w->cmd[2]);
    wish(w, in, v_cmd, mass, wrench);
    share(w, w->com, wrench);
    for (int i = 0; i < NLEG; i++) {
        if (w->leg[i].carries)
            stance_out(w, i, v_cmd, out, in);
        else
            swing_out(w, i, out, in);
    }
}
