// SPDX-License-Identifier: Apache-2.0
// test_ctl_arm.c - arms: kinematics forth and back, least jerk, torques held against MuJoCo.
#include "qiao/ctl.h"
#include "test.h"

#include <mujoco/mujoco.h>

enum { N = QIAO_CTL_ARM_N };

typedef struct rig {
    qiao_robot *r;
    void *mem;
    qiao_ctl_arm *a;
    const qiao_ctl_chain *c;
} rig;

static rig rig_open(void) {
    rig g;
    qiao_diag d = {0};
    g.r = qiao_robot_load("panda", &d);
    CHECK(g.r != NULL, "%s", d.text);
    size_t n = qiao_ctl_arm_size(g.r);
    g.mem = aligned_alloc(64, (n + 63) / 64 * 64);
    CHECK(g.mem && qiao_ctl_arm_init(g.r, g.mem, &g.a, &d) == QIAO_OK, "%s", d.text);
    g.c = qiao_ctl_arm_chain(g.a);
    return g;
}
static void rig_close(rig *g) { free(g->mem), qiao_robot_free(g->r); }

static double rnd(int k, int i) {
    return qiao_rng_uniform(&(qiao_rng){11, 0, 77}, (uint64_t)k, (uint32_t)i);
}

static void any_pose(const rig *g, int k, double margin, double *q) {
    for (int i = 0; i < g->c->n; i++) {
        double lo = g->c->range[i][0], hi = g->c->range[i][1];
        q[i] = lo + (hi - lo) * (margin + (1 - 2 * margin) * rnd(k, i));
    }
}

static double apart(const qiao_ctl_pose *a, const qiao_ctl_pose *b) {
    double most = 0;
    for (int i = 0; i < 3; i++) most = fmax(most, fabs(a->pos[i] - b->pos[i]));
    for (int i = 0; i < 9; i++) most = fmax(most, fabs(a->rot[i] - b->rot[i]));
    return most;
}

TEST(reads_the_chain) {
    rig g = rig_open();
    CHECK(g.c->n == 7, "%d joints", g.c->n);
    for (int i = 0; i < 7; i++) {
        char name[16];
        snprintf(name, sizeof name, "joint%d", i + 1);
        CHECK(strcmp(g.r->model->jnt_name[g.c->joint[i]], name) == 0);
        CHECK(g.r->model->act_joint[g.c->act[i]] == g.c->joint[i]);
    }
    CHECK_NEAR(g.c->torque[0], 87, 0);
    CHECK_NEAR(g.c->range[3][1], -0.0698, 0);
    rig_close(&g);
}

TEST(arms_that_are_none_are_named) {
    qiao_diag d = {0};
    qiao_ctl_arm *a;
    qiao_robot *dog = qiao_robot_load("go2", &d);
    CHECK(dog != NULL, "%s", d.text);
    size_t n = qiao_ctl_arm_size(dog);
    void *mem = aligned_alloc(64, (n + 63) / 64 * 64);
    CHECK(qiao_ctl_arm_init(dog, mem, &a, &d) == QIAO_E_FIT && a == NULL);
    CHECK_TEXT(d.text, "has no tool");
    dog->tool_site = dog->foot_site[0], d = (qiao_diag){0}; // behind a free joint
    CHECK(qiao_ctl_arm_init(dog, mem, &a, &d) == QIAO_E_FIT);
    CHECK_TEXT(d.text, "no torque drive moves it");
    free(mem), qiao_robot_free(dog);
}

TEST(forward_agrees_with_mujoco) {
    rig g = rig_open();
    const mjModel *m = (const mjModel *)(const void *)g.r->model->mj;
    mjData *md = mj_makeData(m);
    int site = mj_name2id(m, mjOBJ_SITE, "tcp");
    for (int k = 0; k < 50; k++) {
        double q[N], J[6 * N], jp[3 * 16], jr[3 * 16];
        qiao_ctl_pose p, want;
        any_pose(&g, k, 0, q);
        for (int i = 0; i < 7; i++) md->qpos[g.r->model->jnt_qadr[g.c->joint[i]]] = q[i];
        mj_fwdPosition(m, md);
        mj_jacSite(m, md, jp, jr, site);
        memcpy(want.pos, md->site_xpos + 3 * site, sizeof want.pos);
        memcpy(want.rot, md->site_xmat + 9 * site, sizeof want.rot);
        qiao_ctl_arm_forward(g.a, q, &p, J);
        CHECK(apart(&p, &want) < 1e-12, "off by %g", apart(&p, &want));
        for (int r = 0; r < 3; r++)
            for (int i = 0; i < 7; i++) {
                CHECK_NEAR(J[r * 7 + i], jp[r * m->nv + i], 1e-12);
                CHECK_NEAR(J[(r + 3) * 7 + i], jr[r * m->nv + i], 1e-12);
            }
    }
    mj_deleteData(md), rig_close(&g);
}

TEST(inverse_reaches_1000_random_poses) {
    rig g = rig_open();
    for (int k = 0; k < 1000; k++) {
        double q[N], x[N];
        qiao_ctl_pose p, got;
        any_pose(&g, k, 0.02, q);
        memcpy(x, g.c->rest, sizeof x);
        qiao_ctl_arm_forward(g.a, q, &p, NULL);
        double left = qiao_ctl_arm_inverse(g.a, &p, x);
        qiao_ctl_arm_forward(g.a, x, &got, NULL);
        CHECK(left < 1e-6 && apart(&p, &got) < 1e-5, "pose %d: %g left, off by %g", k, left,
              apart(&p, &got));
        for (int i = 0; i < 7; i++)
            CHECK(x[i] >= g.c->range[i][0] && x[i] <= g.c->range[i][1], "pose %d, joint %d", k, i);
    }
    rig_close(&g);
}

TEST(inverse_of_the_unreachable_is_the_nearest) {
    rig g = rig_open();
    double x[N];
    qiao_ctl_pose p, got;
    memcpy(x, g.c->rest, sizeof x);
    qiao_ctl_arm_forward(g.a, x, &p, NULL);
    p.pos[0] = 3;
    double left = qiao_ctl_arm_inverse(g.a, &p, x);
    qiao_ctl_arm_forward(g.a, x, &got, NULL);
    CHECK(left > 1.8 && left < 3, "%g m left", left);
    CHECK(got.pos[0] > 0.6, "stretches towards it: x = %g", got.pos[0]);
    p.pos[0] = NAN;
    memcpy(x, g.c->rest, sizeof x);
    CHECK(!(qiao_ctl_arm_inverse(g.a, &p, x) < 1));
    for (int i = 0; i < 7; i++) CHECK(isfinite(x[i]), "joint %d", i);
    rig_close(&g);
}

// ---- following ----

TEST(follows_a_circle) {
    rig g = rig_open();
    const double dt = 0.004, r = 0.12, w = 2;
    double q[N], qd[N], worst = 0, turn = 0;
    qiao_ctl_pose start, p, got;
    memcpy(q, g.c->rest, sizeof q);
    qiao_ctl_arm_forward(g.a, q, &start, NULL);
    for (int k = 0; k < 800; k++) {
        double t = k * dt, vel[6] = {-r * w * sin(w * t), r * w * cos(w * t)};
        p = start;
        p.pos[0] += r * cos(w * t) - r, p.pos[1] += r * sin(w * t);
        CHECK_NEAR(qiao_ctl_arm_follow(g.a, &p, vel, dt, q, qd), 1, 0);
        t += dt, p.pos[0] = start.pos[0] + r * cos(w * t) - r;
        p.pos[1] = start.pos[1] + r * sin(w * t);
        qiao_ctl_arm_forward(g.a, q, &got, NULL);
        worst = fmax(worst, apart(&p, &got));
        for (int i = 0; i < 7; i++) turn = fmax(turn, fabs(q[i] - g.c->rest[i]));
    }
    CHECK(worst < 5e-4, "off by %g", worst);
    CHECK(turn > 0.2 && turn < 1.5, "joints stay near rest: %g", turn);
    rig_close(&g);
}

TEST(follows_no_faster_than_joints_go) {
    rig g = rig_open();
    double q[N], qd[N], vel[6] = {0, 20, 0, 0, 0, 0};
    qiao_ctl_pose p;
    memcpy(q, g.c->rest, sizeof q);
    qiao_ctl_arm_forward(g.a, q, &p, NULL);
    double share = qiao_ctl_arm_follow(g.a, &p, vel, 0.004, q, qd), most = 0;
    for (int i = 0; i < 7; i++) most = fmax(most, fabs(qd[i]) / g.c->speed[i]);
    CHECK(share > 0 && share < 0.5, "%g", share);
    CHECK_NEAR(most, 0.9, 1e-9);
    // into the end of the range: the joints stop there
    vel[1] = 0, vel[0] = 2;
    for (int k = 0; k < 2000; k++) {
        p.pos[0] += vel[0] * 0.004;
        qiao_ctl_arm_follow(g.a, &p, vel, 0.004, q, qd);
        for (int i = 0; i < 7; i++)
            CHECK(isfinite(q[i]) && q[i] >= g.c->range[i][0] && q[i] <= g.c->range[i][1]);
    }
    rig_close(&g);
}

// ---- torques ----

static void mass_and_bias(const rig *g, const double *q, const double *qd, double *M,
                          double *bias) {
    const mjModel *m = (const mjModel *)(const void *)g->r->model->mj;
    mjData *md = mj_makeData(m);
    double full[16 * 16];
    memcpy(md->qpos, g->r->rest_q, (size_t)m->nq * sizeof(double));
    for (int i = 0; i < 7; i++) md->qpos[i] = q[i], md->qvel[i] = qd ? qd[i] : 0;
    mj_forward(m, md);
    mj_fullM(m, md, full);
    for (int i = 0; i < 7; i++) {
        bias[i] = md->qfrc_bias[i];
        for (int j = 0; j < 7; j++) M[i * 7 + j] = full[i * m->nv + j];
    }
    mj_deleteData(md);
}

TEST(torques_are_mujocos) {
    rig g = rig_open();
    for (int k = 0; k < 30; k++) {
        double q[N], qd[N], qdd[N], tau[N], M[49], bias[N];
        any_pose(&g, k, 0, q);
        for (int i = 0; i < 7; i++)
            qd[i] = 0.4 * (rnd(k, 20 + i) - 0.5), qdd[i] = rnd(k, 30 + i) - 0.5;
        mass_and_bias(&g, q, NULL, M, bias);
        qiao_ctl_arm_torque(g.a, q, NULL, NULL, 0, tau); // weight alone
        for (int i = 0; i < 7; i++) CHECK_NEAR(tau[i], bias[i], 1e-9);
        mass_and_bias(&g, q, qd, M, bias);
        qiao_ctl_arm_torque(g.a, q, qd, qdd, 0, tau);
        for (int i = 0; i < 7; i++) {
            double want = bias[i] + g.r->model->dof_damping[i] * qd[i];
            for (int j = 0; j < 7; j++) want += M[i * 7 + j] * qdd[j];
            if (fabs(want) < g.c->torque[i]) CHECK_NEAR(tau[i], want, 1e-9);
        }
    }
    rig_close(&g);
}

TEST(a_load_weighs_what_lifting_it_takes) {
    rig g = rig_open();
    const double load = 0.7, h = 1e-6;
    double q[N], with[N], without[N];
    any_pose(&g, 3, 0.1, q);
    qiao_ctl_arm_torque(g.a, q, NULL, NULL, load, with);
    qiao_ctl_arm_torque(g.a, q, NULL, NULL, 0, without);
    for (int i = 0; i < 7; i++) { // virtual work: tau = m g dz/dq
        qiao_ctl_pose up, down;
        double x[N];
        memcpy(x, q, sizeof x);
        x[i] += h, qiao_ctl_arm_forward(g.a, x, &up, NULL);
        x[i] -= 2 * h, qiao_ctl_arm_forward(g.a, x, &down, NULL);
        CHECK_NEAR(with[i] - without[i], load * 9.81 * (up.pos[2] - down.pos[2]) / (2 * h), 1e-7);
    }
    rig_close(&g);
}

TEST(damping_goes_with_stiffness) {
    rig g = rig_open();
    double kp[N] = {600, 600, 600, 600, 84, 84, 84}, kd[N], M[49], bias[N];
    mass_and_bias(&g, g.c->rest, NULL, M, bias);
    qiao_ctl_arm_damping(g.a, g.c->rest, kp, 0.7, kd);
    for (int i = 0; i < 7; i++) CHECK_NEAR(kd[i], 1.4 * sqrt(kp[i] * M[8 * i]), 1e-6);
    rig_close(&g);
}

// ---- least jerk ----

TEST(least_jerk_by_hand) {
    double s[3];
    qiao_ctl_min_jerk(1, 2, s);
    CHECK_NEAR(s[0], 0.5, 0);
    CHECK_NEAR(s[1], 1.875 / 2, 0);
    CHECK_NEAR(s[2], 0, 0);
    qiao_ctl_min_jerk(0.5, 2, s);
    CHECK_NEAR(s[0], 0.103515625, 1e-15);
    CHECK_NEAR(s[1], 0.52734375, 1e-15);
    CHECK_NEAR(s[2], 1.40625, 1e-15);
    qiao_ctl_min_jerk(1 - 1 / sqrt(3), 2, s);
    CHECK_NEAR(s[2], 10 / sqrt(3) / 4, 1e-14); // its peak
    qiao_ctl_min_jerk(-1, 2, s);
    CHECK(s[0] == 0 && s[1] == 0 && s[2] == 0);
    qiao_ctl_min_jerk(2, 2, s);
    CHECK(s[0] == 1 && s[1] == 0 && s[2] == 0);
    for (int k = 0; k < 1000; k++) { // rises all the way, within its peaks
        double u = k / 999.0;
        qiao_ctl_min_jerk(u, 1, s);
        CHECK(s[0] >= 0 && s[0] <= 1 && s[1] >= 0 && s[1] <= 1.875 + 1e-12);
        CHECK(fabs(s[2]) <= 10 / sqrt(3) + 1e-12);
    }
}

static double len(const double *a) { return sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2]); }

TEST(paths_keep_their_pace) {
    const qiao_ctl_pace pace = {.speed = 0.5, .accel = 2, .turn = 1};
    const double from[4] = {0.3, 0, 0.2, 0}, up[4] = {0.3, 0, 0.5, 0}, to[4] = {0.3, 0.6, 0.5, 1};
    qiao_ctl_path p;
    qiao_ctl_path_begin(&p, from, NULL);
    CHECK(qiao_ctl_path_add(&p, up, &pace, 0) == QIAO_OK);
    CHECK(qiao_ctl_path_add(&p, to, &pace, 0.4) == QIAO_OK);
    double T = qiao_ctl_path_time(&p), fast = 0, hard = 0, turn = 0, x0[4], v0[4], x[4], v[4];
    CHECK_NEAR(T, 1.125 + 2.25 - 0.4 * 1.125, 1e-12);
    qiao_ctl_path_at(&p, 0, x0, v0);
    for (int i = 0; i < 4; i++) CHECK(x0[i] == from[i] && v0[i] == 0);
    const double dt = T / 2000;
    double near = 1;
    for (int k = 1; k <= 2000; k++) {
        double a[3], off[3];
        qiao_ctl_path_at(&p, k * dt, x, v);
        for (int i = 0; i < 3; i++) {
            CHECK_NEAR((x[i] - x0[i]) / dt, (v[i] + v0[i]) / 2, 1e-4); // v is the slope of x
            a[i] = (v[i] - v0[i]) / dt, off[i] = x[i] - up[i];
        }
        fast = fmax(fast, len(v)), hard = fmax(hard, len(a)), turn = fmax(turn, fabs(v[3]));
        near = fmin(near, len(off));
        memcpy(x0, x, sizeof x), memcpy(v0, v, sizeof v);
    }
    for (int i = 0; i < 4; i++) CHECK_NEAR(x[i], to[i], 1e-12);
    CHECK(fast <= 0.5 + 1e-9 && hard <= 2.001 && turn <= 1 + 1e-9, "%g %g %g", fast, hard, turn);
    CHECK(near > 0 && near < 0.03, "cuts the corner by %g m", near);
}

TEST(paths_brake_what_moves) {
    const qiao_ctl_pace pace = {.speed = 0.5, .accel = 2, .turn = 1};
    const double from[4] = {0}, vel[4] = {0.6, 0, -0.2, 0.5}, to[4] = {0, 0, 0.1, 0};
    qiao_ctl_path p;
    double x[4], v[4], x0[4], v0[4];
    qiao_ctl_path_begin(&p, from, vel);
    CHECK_NEAR(qiao_ctl_path_time(&p), 0.2, 1e-12);
    qiao_ctl_path_add(&p, to, &pace, 0);
    qiao_ctl_path_at(&p, 0, x0, v0);
    for (int i = 0; i < 4; i++) CHECK(fabs(x0[i]) < 1e-15 && fabs(v0[i] - vel[i]) < 1e-15);
    for (int k = 1; k <= 1000; k++) {
        qiao_ctl_path_at(&p, k * 1e-3, x, v);
        for (int i = 0; i < 4; i++) {
            CHECK_NEAR((x[i] - x0[i]) / 1e-3, (v[i] + v0[i]) / 2, 1e-4);
            CHECK(fabs(v[i] - v0[i]) < 0.02, "a jump at %d ms", k);
        }
        memcpy(x0, x, sizeof x), memcpy(v0, v, sizeof v);
    }
    for (int i = 0; i < 4; i++) CHECK(fabs(x[i] - to[i]) < 1e-12 && fabs(v[i]) < 1e-12);
}

TEST(paths_have_a_limit) {
    const qiao_ctl_pace pace = {.speed = 1, .accel = 1, .turn = 1};
    qiao_ctl_path p;
    double to[4] = {0};
    qiao_ctl_path_begin(&p, to, NULL);
    for (int k = 0; k < QIAO_CTL_PATH_N; k++) {
        to[0] += 0.1;
        CHECK(qiao_ctl_path_add(&p, to, &pace, 0.5) == QIAO_OK);
    }
    double T = qiao_ctl_path_time(&p), x[4], v[4];
    CHECK(qiao_ctl_path_add(&p, (const double[4]){9, 9, 9, 9}, &pace, 0) == QIAO_E_LIMIT);
    CHECK(qiao_ctl_path_time(&p) == T);
    qiao_ctl_path_at(&p, 1e9, x, v);
    CHECK_NEAR(x[0], 0.8, 1e-12);
    CHECK_NEAR(x[1], 0, 0);
}
