// SPDX-License-Identifier: Apache-2.0
// test_ctl_legs.c - a leg's kinematics and dynamics by finite differences, whole on robot go2.
#include "qiao/ctl.h"
#include "test.h"

static qiao_robot *robot;
static qiao_ctl_leg leg[4];

static double uni(uint64_t k, uint32_t i) { // -1..1
    qiao_rng r = {11, 0, QIAO_RNG_CASE};
    return 2 * qiao_rng_uniform(&r, k, i) - 1;
}

static void load(void) {
    qiao_diag d = {0};
    if (!robot) robot = qiao_robot_load("go2", &d);
    CHECK(robot, "%s", d.text);
    CHECK(robot->nfoot == 4, "%d feet", robot->nfoot);
    for (int i = 0; i < 4; i++)
        CHECK(qiao_ctl_leg_load(robot, robot->foot_site[i], &leg[i], &d) == QIAO_OK, "%s", d.text);
}

// Joint angles inside the ranges, away from the stretched knee.
static void pose(int i, uint64_t k, double q[3]) {
    for (int j = 0; j < 3; j++) {
        const double *r = leg[i].link[j].range, mid = 0.5 * (r[0] + r[1]),
                     half = 0.5 * (r[1] - r[0]);
        q[j] = mid + 0.7 * half * uni(k, (uint32_t)j);
    }
}

TEST(rest_pose_is_where_the_model_says) {
    load();
    // Unitree's figures: hips at 0.1934, 0.0465; links 0.0955, 0.213, 0.213; feet of 22 mm
    for (int i = 0; i < 4; i++) {
        double q[3] = {0, 0.9, -1.8};
        qiao_ctl_leg_pose o;
        qiao_ctl_leg_forward(&leg[i], q, &o);
        double sx = i < 2 ? 1 : -1, sy = i % 2 ? -1 : 1;
        CHECK_NEAR(o.foot[0], sx * 0.1934, 0.003);
        CHECK_NEAR(o.foot[1], sy * (0.0465 + 0.0955), 0.001);
        CHECK_NEAR(o.foot[2], -2 * 0.213 * cos(0.9), 0.003);
        CHECK_NEAR(leg[i].radius, 0.022, 1e-9);
    }
}

TEST(jacobian_is_the_slope_of_forward) {
    load();
    for (uint64_t k = 0; k < 200; k++) {
        int i = (int)(k % 4);
        double q[3], h = 1e-6;
        qiao_ctl_leg_pose o, a, b;
        pose(i, k, q), qiao_ctl_leg_forward(&leg[i], q, &o);
        for (int j = 0; j < 3; j++) {
            double q0 = q[j];
            q[j] = q0 + h, qiao_ctl_leg_forward(&leg[i], q, &a);
            q[j] = q0 - h, qiao_ctl_leg_forward(&leg[i], q, &b), q[j] = q0;
            for (int c = 0; c < 3; c++)
                CHECK_NEAR(o.J[3 * c + j], (a.foot[c] - b.foot[c]) / (2 * h), 1e-8);
        }
    }
}

TEST(inverse_undoes_forward) {
    load();
    for (uint64_t k = 0; k < 500; k++) {
        int i = (int)(k % 4);
        double q[3], near[3];
        qiao_ctl_leg_pose o, p;
        pose(i, k, q), qiao_ctl_leg_forward(&leg[i], q, &o);
        for (int j = 0; j < 3; j++) near[j] = q[j] + 0.15 * uni(k, 9 + (uint32_t)j);
        double left = qiao_ctl_leg_inverse(&leg[i], o.foot, near);
        qiao_ctl_leg_forward(&leg[i], near, &p);
        for (int c = 0; c < 3; c++) CHECK_NEAR(p.foot[c], o.foot[c], left + 1e-12);
        CHECK(left < 1e-6, "case %llu: %g m left", (unsigned long long)k, left);
        for (int j = 0; j < 3; j++) {
            const double *r = leg[i].link[j].range;
            CHECK(near[j] >= r[0] && near[j] <= r[1], "joint %d at %g", j, near[j]);
        }
    }
}

TEST(inverse_out_of_reach_stretches) {
    load();
    double q[3] = {0, 0.9, -1.8}, far[3] = {0.1934, 0.142, -0.9};
    double left = qiao_ctl_leg_inverse(&leg[0], far, q);
    CHECK(left > 0.4 && isfinite(left), "%g m left", left);
    for (int j = 0; j < 3; j++) CHECK(isfinite(q[j]), "joint %d", j);
}

// Potential energy of the links in gravity g_b.
static double potential(int i, const double q[3], const double g[3]) {
    qiao_ctl_leg_pose o;
    double e = 0;
    qiao_ctl_leg_forward(&leg[i], q, &o);
    for (int k = 0; k < 3; k++)
        for (int c = 0; c < 3; c++) e -= leg[i].link[k].mass * g[c] * o.com[k][c];
    return e;
}

// Kinetic energy of the links and rotors, base at rest, by differences of their poses.
static double kinetic(int i, const double q[3], const double qd[3]) {
    double h = 1e-5, e = 0, a[3], b[3];
    qiao_ctl_leg_pose pa, pb, o;
    for (int j = 0; j < 3; j++) a[j] = q[j] + h * qd[j], b[j] = q[j] - h * qd[j];
    qiao_ctl_leg_forward(&leg[i], a, &pa), qiao_ctl_leg_forward(&leg[i], b, &pb);
    qiao_ctl_leg_forward(&leg[i], q, &o);
    for (int k = 0; k < 3; k++) {
        const qiao_ctl_link *l = &leg[i].link[k];
        double w[3], W[9];
        for (int c = 0; c < 3; c++) {
            double v = (pa.com[k][c] - pb.com[k][c]) / (2 * h);
            e += 0.5 * l->mass * v * v;
        }
        for (int r = 0; r < 3; r++) // R' dR is the turning rate in the link's axes
            for (int c = 0; c < 3; c++) {
                W[3 * r + c] = 0;
                for (int m = 0; m < 3; m++)
                    W[3 * r + c] += o.rot[k][3 * m + r] *
                                    (pa.rot[k][3 * m + c] - pb.rot[k][3 * m + c]) / (2 * h);
            }
        w[0] = W[7], w[1] = W[2], w[2] = W[3];
        for (int r = 0; r < 3; r++)
            for (int c = 0; c < 3; c++) e += 0.5 * w[r] * l->inertia[3 * r + c] * w[c];
        e += 0.5 * l->armature * qd[k] * qd[k];
    }
    return e;
}

TEST(weight_and_inertia_follow_from_energy) {
    load();
    for (uint64_t k = 0; k < 100; k++) {
        int i = (int)(k % 4);
        double q[3], qd[3], g[3], tau[3], M[9], h = 1e-6, e = 0;
        qiao_ctl_leg_pose o;
        pose(i, k, q), qiao_ctl_leg_forward(&leg[i], q, &o);
        for (int c = 0; c < 3; c++)
            g[c] = 9.81 * uni(k, 20 + (uint32_t)c), qd[c] = uni(k, 30 + (uint32_t)c);
        qiao_ctl_leg_dynamics(&leg[i], &o, g, tau, M);
        for (int j = 0; j < 3; j++) {
            double q0 = q[j], a, b;
            q[j] = q0 + h, a = potential(i, q, g), q[j] = q0 - h, b = potential(i, q, g), q[j] = q0;
            CHECK_NEAR(tau[j], (a - b) / (2 * h), 1e-6);
        }
        for (int r = 0; r < 3; r++)
            for (int c = 0; c < 3; c++) e += 0.5 * qd[r] * M[3 * r + c] * qd[c];
        CHECK_NEAR(e, kinetic(i, q, qd), 1e-7);
    }
}

TEST(mass_is_all_there) {
    load();
    double sum = 0;
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 3; k++) sum += leg[i].link[k].mass;
    double trunk = robot->model->body_mass[robot->base];
    CHECK_NEAR(sum + trunk, qiao_model_mass(robot->model), 1e-9);
}

TEST(robots_without_four_such_legs_are_refused) {
    qiao_diag d = {0};
    qiao_robot *r = qiao_robot_load("tron1", &d);
    if (!r) SKIP("robot tron1 does not load: %.100s", d.text);
    void *mem = malloc(qiao_ctl_quad_size());
    qiao_err e = qiao_ctl_quad_load(r, mem, &d);
    free(mem), qiao_robot_free(r);
    CHECK(e == QIAO_E_FIT, "%s", qiao_err_name(e));
    CHECK_TEXT(d.text, "four feet");
}
