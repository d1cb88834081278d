// SPDX-License-Identifier: Apache-2.0
// legs_est.c - base position and velocity from IMU and legs.
// Turning comes from the gyro, held by the IMU's own attitude. Position, velocity and footholds are
// a Kalman filter: feet that carry stand still, so leg kinematics measures the base against them.
// source   M. Bloesch et al., State estimation for legged robots (RSS 2012); G. Bledt et al., MIT
//          Cheetah 3 (IROS 2018), section on state estimation: trust by contact
// With the same noise in x, y and z the three axes share one 6 x 6 covariance.
#include "ctl/legs.h"

#define Q_ACC   1.0   // m/s2 that the accelerometer is off, from impacts and noise
#define Q_FOOT  0.005 // m/sqrt(s) that a standing foot creeps
#define SD_POS  0.004 // m of leg kinematics
#define SD_VEL  0.08  // m/s of a foot taken to stand still
#define K_LEVEL 8.0   // 1/s pull towards the IMU's attitude

static void turn(legs_est *e, const qiao_ctl_quad *b, const qiao_ctl_walk_in *in) {
    mul33v(e->w_b, b->imu_rot, in->gyro);
    double h = 0.5 * in->dt, dq[4] = {1, h * e->w_b[0], h * e->w_b[1], h * e->w_b[2]};
    mul_quat(e->quat, e->quat, dq);
    // the IMU tells the attitude of its site; the base's is that times the site's inverse
    double Rm[9], Rt[9], wx[3], err[3] = {0};
    double m[4] = {in->quat[0], in->quat[1], in->quat[2], in->quat[3]};
    unit_quat(m), unit_quat(e->quat);
    rot_quat(Rm, m), transpose33(Rt, b->imu_rot), mul33(Rm, Rm, Rt);
    rot_quat(e->R, e->quat);
    for (int j = 0; j < 3; j++) { // half the sum of columns crossed: the small turn between them
        double est[3] = {e->R[j], e->R[3 + j], e->R[6 + j]};
        double say[3] = {Rm[j], Rm[3 + j], Rm[6 + j]};
        cross3(wx, est, say), mad3(err, 0.5, wx);
    }
    double k = 0.5 * clampd(K_LEVEL * in->dt, 0, 1);
    double fix[4] = {1, k * err[0], k * err[1], k * err[2]};
    mul_quat(e->quat, fix, e->quat), unit_quat(e->quat);
    rot_quat(e->R, e->quat);
    mul33v(e->w_w, e->R, e->w_b);
    e->yaw = qi_atan2(e->R[3], e->R[0]);
}

void legs_est_init(legs_est *e, const qiao_ctl_quad *b, const qiao_ctl_walk_in *in) {
    memset(e, 0, sizeof *e);
    double Rm[9], Rt[9];
    memcpy(e->quat, in->quat, sizeof e->quat), unit_quat(e->quat);
    rot_quat(Rm, e->quat), transpose33(Rt, b->imu_rot), mul33(e->R, Rm, Rt);
    // quaternion of R, w first; R is near level at the start
    double w = 0.5 * sqrt(fmax(1e-12, 1 + e->R[0] + e->R[4] + e->R[8]));
    e->quat[0] = w, e->quat[1] = (e->R[7] - e->R[5]) / (4 * w);
    e->quat[2] = (e->R[2] - e->R[6]) / (4 * w), e->quat[3] = (e->R[3] - e->R[1]) / (4 * w);
    unit_quat(e->quat), rot_quat(e->R, e->quat);
    e->yaw = qi_atan2(e->R[3], e->R[0]);
    double low = 0;
    for (int i = 0; i < NLEG; i++) {
        double f[3];
        qiao_ctl_leg_forward(&b->leg[i], in->q[i], &e->pose[i]);
        copy3(e->foot_b[i], e->pose[i].foot);
        mul33v(f, e->R, e->pose[i].foot);
        low = fmin(low, f[2] - b->leg[i].radius);
    }
    e->p[2] = -low;
    for (int i = 0; i < NLEG; i++) legs_foot_w(e, i, e->foot[i]);
    for (int i = 0; i < 6; i++) e->P[i][i] = i == 1 ? 0.01 : 1e-4;
}

void legs_foot_w(const legs_est *e, int leg, double out[3]) {
    mul33v(out, e->R, e->foot_b[leg]);
    add3(out, out, e->p);
}

// One scalar measurement for each axis at once: h'x = z with h having +1 at i, -1 at j (j < 0:
// none), variance r.
static void measure(legs_est *e, int i, int j, const double innov[3], double r) {
    double c[6], s;
    for (int k = 0; k < 6; k++) c[k] = e->P[k][i] - (j >= 0 ? e->P[k][j] : 0);
    s = c[i] - (j >= 0 ? c[j] : 0) + r;
    for (int k = 0; k < 6; k++) {
        double gain = c[k] / s;
        double *x = k == 0 ? e->p : k == 1 ? e->v : e->foot[k - 2];
        mad3(x, gain, innov);
    }
    for (int k = 0; k < 6; k++)
        for (int m = 0; m < 6; m++) e->P[k][m] -= c[k] * c[m] / s;
}

static void predict(legs_est *e, const qiao_ctl_walk_in *in) {
    double dt = in->dt;
    mad3(e->p, dt, e->v), mad3(e->p, 0.5 * dt * dt, e->a_w), mad3(e->v, dt, e->a_w);
    for (int k = 0; k < 6; k++) e->P[0][k] += dt * e->P[1][k];
    for (int k = 0; k < 6; k++) e->P[k][0] += dt * e->P[k][1];
    e->P[1][1] += Q_ACC * Q_ACC * dt * dt;
    for (int i = 0; i < NLEG; i++) e->P[2 + i][2 + i] += Q_FOOT * Q_FOOT * dt;
}

// The foot has just come down: it is where the leg says, as uncertain as the base.
static void plant(legs_est *e, int leg, const double r_w[3]) {
    int f = 2 + leg;
    add3(e->foot[leg], e->p, r_w);
    for (int k = 0; k < 6; k++) e->P[f][k] = e->P[k][f] = e->P[0][k];
    e->P[f][f] = e->P[0][0] + SD_POS * SD_POS;
    for (int k = 0; k < 6; k++)
        if (k != f) e->P[f][k] = e->P[k][f] = e->P[0][k];
}

void legs_est_step(legs_est *e, const qiao_ctl_quad *b, const qiao_ctl_walk_in *in,
                   const double trust[NLEG]) {
    turn(e, b, in);
    double acc[3];
    mul33v(acc, b->imu_rot, in->acc), mul33v(e->a_w, e->R, acc), e->a_w[2] -= 9.81;
    for (int i = 0; i < 3; i++) e->a_w[i] = clampd(e->a_w[i], -30, 30);
    predict(e, in);
    for (int i = 0; i < NLEG; i++) {
        qiao_ctl_leg_pose *o = &e->pose[i];
        qiao_ctl_leg_forward(&b->leg[i], in->q[i], o);
        copy3(e->foot_b[i], o->foot);
        double r_w[3], v_b[3], v_w[3], w_b[3], w_w[3], roll[3], c[3];
        mul33v(r_w, e->R, o->foot);
        // velocity of the ball's lowest point against the base's origin, world axes
        mul33v(v_b, o->J, in->qd[i]), cross3(c, e->w_b, o->foot), add3(v_b, v_b, c);
        copy3(w_b, e->w_b);
        for (int k = 0; k < 3; k++) mad3(w_b, in->qd[i][k], o->axis[k]);
        mul33v(v_w, e->R, v_b), mul33v(w_w, e->R, w_b);
        cross3(roll, w_w, (const double[3]){0, 0, -b->leg[i].radius}), add3(v_w, v_w, roll);
        double stands = trust[i];
        double iv[3] = {-v_w[0] - e->v[0], -v_w[1] - e->v[1], -v_w[2] - e->v[2]};
        double off = norm3(iv);
        e->slip[i] += clampd(in->dt / 0.02, 0, 1) * ((stands > 0 ? off : 0) - e->slip[i]);
        if (stands <= 0) {
            e->held[i] = false;
            continue;
        }
        if (!e->held[i]) plant(e, i, r_w), e->held[i] = true;
        // a foot that seems to move much is believed less
        double sd = SD_VEL * (1 + off * off / (0.3 * 0.3)) / stands;
        measure(e, 1, -1, iv, sd * sd);
        double ip[3];
        for (int k = 0; k < 3; k++) ip[k] = -r_w[k] - (e->p[k] - e->foot[i][k]);
        sd = SD_POS * (1 + off * off / (0.3 * 0.3)) / stands;
        measure(e, 0, 2 + i, ip, sd * sd);
    }
}
