// SPDX-License-Identifier: Apache-2.0
// test_dyn.c - one robot in double: against MuJoCo's own answers, and against the laws.

#include "test.h"
#include "dyn_model.h"

enum { NTREE = 40, NSTATE = 8, NMAX = 120 };
typedef void case_check(dyn_case *c, qiao_dyn *d, const char *name);

// Runs a check over the makers' robots at hand and NTREE random trees; all are loaded once.
static void over_all(case_check *check) {
    static dyn_case cases[DYN_NROBOT + NTREE];
    static char names[DYN_NROBOT + NTREE][100];
    const char *data = test_data();
    for (int i = 0; i < DYN_NROBOT + NTREE; i++) {
        dyn_case *c = &cases[i];
        char path[700];
        if (i < DYN_NROBOT) {
            if (!data) continue;
            snprintf(path, sizeof path, "%s/%s", data, dyn_robots[i]);
            snprintf(names[i], sizeof names[i], "%.90s", dyn_robots[i]);
            CHECK(c->mj || dyn_case_open(c, path), "%s", path);
        } else {
            snprintf(names[i], sizeof names[i], "tree %d", i - DYN_NROBOT);
            CHECK(c->mj || dyn_tree(c, (uint64_t)(i - DYN_NROBOT)), "%s", names[i]);
        }
        CHECK(c->m.nv <= NMAX && c->m.nq <= NMAX, "%s has %d dofs", names[i], c->m.nv);
        qiao_dyn *d = dyn_new(&c->m);
        CHECK(d, "%s", names[i]);
        check(c, d, names[i]);
        free(d);
    }
}

#define CHECK_OFF(a, b, n, tol, what)                                 \
    do {                                                              \
        double off_ = dyn_off(a, b, n);                               \
        CHECK(off_ <= (tol), "%s: %s off by %.3g", name, what, off_); \
    } while (0)

static void mujoco_state(dyn_case *c, const double *q, const double *qd) {
    memcpy(c->data->qpos, q, (size_t)c->m.nq * sizeof *q);
    memcpy(c->data->qvel, qd, (size_t)c->m.nv * sizeof *qd);
    mj_fwdPosition(c->mj, c->data);
    mj_fwdVelocity(c->mj, c->data);
}

static void check_pose(dyn_case *c, qiao_dyn *d, const char *name) {
    static double q[NMAX], qd[NMAX], qdd[NMAX], jp[3 * NMAX], jr[3 * NMAX], gp[3 * NMAX],
        gr[3 * NMAX];
    uint64_t s = 11;
    int nv = c->m.nv;
    for (int t = 0; t < 2; t++) {
        dyn_rand_state(c, &s, q, qd, qdd);
        mujoco_state(c, q, qd);
        CHECK(qiao_dyn_kinematics(d, q) == QIAO_OK);
        for (int b = 0; b < c->m.nbody; b++) {
            double pos[3], rot[9], point[3] = {.1, -.2, .3}, at[3];
            CHECK(qiao_dyn_body(d, b, pos, rot) == QIAO_OK);
            CHECK_OFF(pos, c->data->xpos + 3 * b, 3, 1e-12, "body position");
            CHECK_OFF(rot, c->data->xmat + 9 * b, 9, 1e-12, "body rotation");
            for (int i = 0; i < 3; i++)
                at[i] = pos[i] + rot[3 * i] * point[0] + rot[3 * i + 1] * point[1] +
                        rot[3 * i + 2] * point[2];
            mj_jac(c->mj, c->data, jp, jr, at, b);
            CHECK(qiao_dyn_jacobian(d, b, point, gp, gr) == QIAO_OK);
            CHECK_OFF(gp, jp, 3 * nv, 1e-12, "Jacobian");
            CHECK_OFF(gr, jr, 3 * nv, 1e-12, "turning Jacobian");
        }
        for (int k = 0; k < c->m.nsite; k++) {
            double pos[3], rot[9];
            CHECK(qiao_dyn_site(d, k, pos, rot, gp, gr) == QIAO_OK);
            mj_jacSite(c->mj, c->data, jp, jr, k);
            CHECK_OFF(pos, c->data->site_xpos + 3 * k, 3, 1e-12, "site position");
            CHECK_OFF(rot, c->data->site_xmat + 9 * k, 9, 1e-12, "site rotation");
            CHECK_OFF(gp, jp, 3 * nv, 1e-12, "site Jacobian");
            CHECK_OFF(gr, jr, 3 * nv, 1e-12, "site turning Jacobian");
        }
    }
}
TEST(poses_and_jacobians_are_mujocos) { over_all(check_pose); }

static void check_momentum(dyn_case *c, qiao_dyn *d, const char *name) {
    static double q[NMAX], qd[NMAX], qdd[NMAX], jac[3 * NMAX], A[6 * NMAX], mat[3 * NMAX];
    uint64_t s = 12;
    int nv = c->m.nv;
    for (int t = 0; t < NSTATE; t++) {
        dyn_rand_state(c, &s, q, qd, qdd);
        mujoco_state(c, q, qd);
        mj_subtreeVel(c->mj, c->data);
        double com[3], h[6], mine[3] = {0}, mass = 0, lin[3];
        CHECK(qiao_dyn_kinematics(d, q) == QIAO_OK);
        CHECK(qiao_dyn_com(d, com, jac) == QIAO_OK);
        CHECK(qiao_dyn_momentum(d, qd, h, A) == QIAO_OK);
        // bodies that cannot move are no part of it here; with any, MuJoCo's whole differs
        for (int b = 1; b < c->m.nbody; b++)
            for (int up = b; up; up = c->m.body_parent[up])
                if (c->m.body_jntnum[up]) {
                    mass += c->m.body_mass[b];
                    for (int i = 0; i < 3; i++)
                        mine[i] += c->m.body_mass[b] * c->data->xipos[3 * b + i];
                    break;
                }
        for (int i = 0; i < 3; i++) mine[i] /= mass;
        CHECK_OFF(com, mine, 3, 1e-12, "centre of mass");
        for (int i = 0; i < 3; i++) {
            lin[i] = 0;
            for (int k = 0; k < nv; k++) lin[i] += mass * jac[i * nv + k] * qd[k];
        }
        CHECK_OFF(lin, h, 3, 1e-12, "momentum by the centre's Jacobian");
        double all = 0;
        for (int b = 1; b < c->m.nbody; b++) all += c->m.body_mass[b];
        for (int i = 0; i < 3; i++) mine[i] = all * c->data->subtree_linvel[i];
        CHECK_OFF(h, mine, 3, 1e-12, "linear momentum");
        if (fabs(all - mass) > 1e-12 * all) continue;
        CHECK_OFF(h + 3, c->data->subtree_angmom, 3, 1e-11, "angular momentum");
        mj_angmomMat(c->mj, c->data, mat, 0);
        CHECK_OFF(A + 3 * nv, mat, 3 * nv, 1e-11, "momentum matrix");
    }
}
TEST(centre_of_mass_and_momentum_are_mujocos) { over_all(check_momentum); }

static void check_mass(dyn_case *c, qiao_dyn *d, const char *name) {
    static double q[NMAX], qd[NMAX], qdd[NMAX], M[NMAX * NMAX], want[NMAX * NMAX], x[NMAX], y[NMAX];
    uint64_t s = 13;
    int nv = c->m.nv;
    for (int t = 0; t < NSTATE; t++) {
        dyn_rand_state(c, &s, q, qd, qdd);
        mujoco_state(c, q, qd);
        mj_fullM(c->mj, c->data, want);
        CHECK(qiao_dyn_mass(d, q, M) == QIAO_OK);
        CHECK_OFF(M, want, nv * nv, 1e-12, "mass matrix");
        // M x, factor, solve: x again
        for (int i = 0; i < nv; i++) {
            y[i] = 0;
            for (int j = 0; j < nv; j++) y[i] += M[i * nv + j] * qdd[j];
        }
        memcpy(x, y, sizeof x);
        CHECK(qiao_dyn_factor(d) == QIAO_OK, "%s: not positive definite", name);
        CHECK(qiao_dyn_solve(d, x) == QIAO_OK);
        CHECK_OFF(x, qdd, nv, 1e-7, "solution");
        // residual: what a solve by a stable factor leaves whatever the condition
        for (int i = 0; i < nv; i++) {
            want[i] = 0;
            for (int j = 0; j < nv; j++) want[i] += M[i * nv + j] * x[j];
        }
        CHECK_OFF(want, y, nv, 1e-12, "residual");
    }
}
TEST(mass_matrix_is_mujocos_and_its_factor_solves) { over_all(check_mass); }

static void check_inverse(dyn_case *c, qiao_dyn *d, const char *name) {
    static double q[NMAX], qd[NMAX], qdd[NMAX], tau[NMAX], want[NMAX], back[NMAX], x[NMAX];
    uint64_t s = 14;
    int nv = c->m.nv;
    for (int t = 0; t < NSTATE; t++) {
        dyn_rand_state(c, &s, q, qd, qdd);
        mujoco_state(c, q, qd);
        memcpy(c->data->qacc, qdd, (size_t)nv * sizeof *qdd);
        mj_rne(c->mj, c->data, 1, want);
        for (int i = 0; i < nv; i++) want[i] += c->m.dof_armature[i] * qdd[i]; // left out there
        CHECK(qiao_dyn_inverse(d, q, qd, qdd, tau) == QIAO_OK);
        CHECK_OFF(tau, want, nv, 1e-12, "force");
        mj_rne(c->mj, c->data, 0, want);
        CHECK(qiao_dyn_inverse(d, q, qd, NULL, back) == QIAO_OK);
        CHECK_OFF(back, want, nv, 1e-12, "bias");
        // forward of inverse; and the same through MuJoCo's factor
        CHECK(qiao_dyn_forward(d, q, qd, tau, back) == QIAO_OK);
        CHECK_OFF(back, qdd, nv, 1e-7, "forward of inverse");
        CHECK(qiao_dyn_inverse(d, q, qd, back, x) == QIAO_OK);
        CHECK_OFF(x, tau, nv, 1e-12, "inverse of forward");
    }
}
TEST(inverse_is_mujocos_and_forward_undoes_it) { over_all(check_inverse); }

static void check_forward(dyn_case *c, qiao_dyn *d, const char *name) {
    static double q[NMAX], qd[NMAX], tau[NMAX], qdd[NMAX], want[NMAX], b[NMAX];
    uint64_t s = 15;
    int nv = c->m.nv;
    for (int t = 0; t < NSTATE; t++) {
        dyn_rand_state(c, &s, q, qd, tau);
        mujoco_state(c, q, qd);
        mj_rne(c->mj, c->data, 0, b);
        for (int i = 0; i < nv; i++) b[i] = tau[i] - b[i];
        mj_solveM(c->mj, c->data, want, b, 1);
        CHECK(qiao_dyn_forward(d, q, qd, tau, qdd) == QIAO_OK);
        CHECK_OFF(qdd, want, nv, 1e-9, "acceleration");
    }
}
TEST(forward_is_mujocos) { over_all(check_forward); }

// q moved by h along the velocity v, as MuJoCo integrates it
static void moved(dyn_case *c, const double *q, const double *v, double h, double *out) {
    memcpy(out, q, (size_t)c->m.nq * sizeof *q);
    mj_integratePos(c->mj, out, v, h);
}

static void check_derivatives(dyn_case *c, qiao_dyn *d, const char *name) {
    static double q[NMAX], qd[NMAX], qdd[NMAX], dq[NMAX * NMAX], dqd[NMAX * NMAX], fq[NMAX * NMAX],
        fqd[NMAX * NMAX], e[NMAX], qa[NMAX], lo[NMAX], hi[NMAX], tau[NMAX], ft[NMAX * NMAX],
        gq[NMAX * NMAX], gqd[NMAX * NMAX], gt[NMAX * NMAX], acc[NMAX];
    uint64_t s = 16;
    int nv = c->m.nv;
    double h = 1e-5;
    for (int t = 0; t < 2; t++) {
        dyn_rand_state(c, &s, q, qd, qdd);
        CHECK(qiao_dyn_inverse(d, q, qd, qdd, tau) == QIAO_OK);
        CHECK(qiao_dyn_inverse_derivatives(d, q, qd, qdd, dq, dqd) == QIAO_OK);
        CHECK(qiao_dyn_forward_derivatives(d, q, qd, tau, acc, gq, gqd, gt) == QIAO_OK);
        for (int j = 0; j < nv; j++) {
            memset(e, 0, sizeof e), e[j] = 1;
            for (int how = 0; how < 2; how++) { // inverse, forward
                double *to = how ? ft : fq, *tov = how ? ft : fqd;
                const double *in = how ? tau : qdd;
                qiao_err (*f)(qiao_dyn *, const double *, const double *, const double *,
                              double *) = how ? qiao_dyn_forward : qiao_dyn_inverse;
                moved(c, q, e, h, qa), f(d, qa, qd, in, hi);
                moved(c, q, e, -h, qa), f(d, qa, qd, in, lo);
                for (int i = 0; i < nv; i++) to[i * nv + j] = (hi[i] - lo[i]) / (2 * h);
                if (how)
                    for (int i = 0; i < nv; i++) gq[i * nv + j] -= to[i * nv + j];
                memcpy(qa, qd, sizeof qa);
                qa[j] = qd[j] + h, f(d, q, qa, in, hi);
                qa[j] = qd[j] - h, f(d, q, qa, in, lo);
                for (int i = 0; i < nv; i++) tov[i * nv + j] = (hi[i] - lo[i]) / (2 * h);
                if (how)
                    for (int i = 0; i < nv; i++) gqd[i * nv + j] -= tov[i * nv + j];
            }
        }
        CHECK_OFF(dq, fq, nv * nv, 1e-6, "force by position");
        CHECK_OFF(dqd, fqd, nv * nv, 1e-6, "force by velocity");
        // forward's: what is left of them after taking the differences away
        double big = 0, rest = 0;
        CHECK(qiao_dyn_forward_derivatives(d, q, qd, tau, acc, fq, fqd, gt) == QIAO_OK);
        for (int i = 0; i < nv * nv; i++) {
            big = fmax(big, fmax(fabs(fq[i]), fabs(fqd[i])));
            rest = fmax(rest, fmax(fabs(gq[i]), fabs(gqd[i])));
        }
        CHECK(rest <= 1e-6 * big, "%s: forward's derivatives off by %.3g of %.3g", name, rest, big);
        // by force: the inverse of M
        CHECK(qiao_dyn_mass(d, q, dq) == QIAO_OK);
        for (int i = 0; i < nv; i++)
            for (int j = 0; j < nv; j++) {
                double x = 0, m = 0;
                for (int k = 0; k < nv; k++)
                    x += dq[i * nv + k] * gt[k * nv + j],
                        m = fmax(m, fabs(dq[i * nv + k] * gt[k * nv + j]));
                CHECK(fabs(x - (i == j)) <= 1e-9 * fmax(m, 1), "%s: M M^-1 [%d][%d] is %.12g", name,
                      i, j, x);
            }
    }
}
TEST(derivatives_are_those_of_small_steps) { over_all(check_derivatives); }

// A kinetic and potential energy of the whole, by the room's own parts.
static double energy(dyn_case *c, qiao_dyn *d, const double *q, const double *qd) {
    static double M[NMAX * NMAX];
    double e = 0, com[3], mass = 0;
    int nv = c->m.nv;
    qiao_dyn_mass(d, q, M);
    for (int i = 0; i < nv; i++)
        for (int j = 0; j < nv; j++) e += 0.5 * qd[i] * M[i * nv + j] * qd[j];
    qiao_dyn_kinematics(d, q);
    qiao_dyn_com(d, com, NULL);
    for (int b = 1; b < c->m.nbody; b++)
        for (int up = b; up; up = c->m.body_parent[up])
            if (c->m.body_jntnum[up]) {
                mass += c->m.body_mass[b];
                break;
            }
    return e -
           mass * (com[0] * c->m.gravity[0] + com[1] * c->m.gravity[1] + com[2] * c->m.gravity[2]);
}
static void check_energy(dyn_case *c, qiao_dyn *d, const char *name) {
    static double q[NMAX], qd[NMAX], qdd[NMAX], tau[NMAX], qa[NMAX], va[NMAX];
    uint64_t s = 17;
    double h = 1e-5, e[2], power = 0, big = 0;
    dyn_rand_state(c, &s, q, qd, qdd);
    CHECK(qiao_dyn_inverse(d, q, qd, qdd, tau) == QIAO_OK);
    for (int k = 0; k < 2; k++) {
        double t = k ? -h : h;
        // qd as the rate of q is constant along a step of qd + t qdd / 2
        for (int i = 0; i < c->m.nv; i++) va[i] = qd[i] + 0.5 * t * qdd[i];
        moved(c, q, va, t, qa);
        for (int i = 0; i < c->m.nv; i++) va[i] = qd[i] + t * qdd[i];
        e[k] = energy(c, d, qa, va);
        big = fmax(big, fabs(e[k]));
    }
    for (int i = 0; i < c->m.nv; i++)
        power += tau[i] * qd[i], big = fmax(big, fabs(tau[i] * qd[i]));
    CHECK(fabs((e[0] - e[1]) / (2 * h) - power) <= 1e-5 * big,
          "%s: energy grows by %.9g, power is %.9g", name, (e[0] - e[1]) / (2 * h), power);
}
TEST(energy_grows_by_the_power_of_the_joints) { over_all(check_energy); }

static void check_drift(dyn_case *c, qiao_dyn *d, const char *name) {
    static double q[NMAX], qd[NMAX], qdd[NMAX], tau[NMAX], qa[NMAX], va[NMAX];
    // one free-flying robot, without armature of its free joint (that holds against the world)
    if (c->m.jnt_type[0] != QIAO_JOINT_FREE) return;
    for (int j = 1; j < c->m.nbody; j++)
        if (c->m.body_parent[j] == 0 && j > 1) return;
    for (int i = 0; i < 6; i++)
        if (c->m.dof_armature[i] != 0) return;
    uint64_t s = 18;
    double h = 1e-5, p[2][6], mass = 0, big = 0;
    dyn_rand_state(c, &s, q, qd, tau);
    for (int i = 0; i < 6; i++) tau[i] = 0; // joints push against each other only
    CHECK(qiao_dyn_forward(d, q, qd, tau, qdd) == QIAO_OK);
    for (int b = 1; b < c->m.nbody; b++) mass += c->m.body_mass[b];
    for (int k = 0; k < 2; k++) {
        double t = k ? -h : h;
        for (int i = 0; i < c->m.nv; i++) va[i] = qd[i] + 0.5 * t * qdd[i];
        moved(c, q, va, t, qa);
        for (int i = 0; i < c->m.nv; i++) va[i] = qd[i] + t * qdd[i];
        CHECK(qiao_dyn_kinematics(d, qa) == QIAO_OK);
        CHECK(qiao_dyn_momentum(d, va, p[k], NULL) == QIAO_OK);
    }
    for (int i = 0; i < 6; i++) big = fmax(big, fabs(p[0][i]));
    for (int i = 0; i < 6; i++) {
        double rate = (p[0][i] - p[1][i]) / (2 * h), want = i < 3 ? mass * c->m.gravity[i] : 0;
        CHECK(fabs(rate - want) <= 1e-5 * fmax(big, 1), "%s: momentum %d changes by %.9g, not %.9g",
              name, i, rate, want);
    }
}
TEST(momentum_changes_by_gravity_alone) { over_all(check_drift); }

static void check_motion(dyn_case *c, qiao_dyn *d, const char *name) {
    static double q[NMAX], qd[NMAX], qdd[NMAX], qa[NMAX], jac[2][3 * NMAX];
    uint64_t s = 19;
    int nv = c->m.nv, body = c->m.nbody - 1;
    double h = 1e-6, point[3] = {.1, .2, -.3}, v[2][6], vel[6], acc[6], want[6];
    dyn_rand_state(c, &s, q, qd, qdd);
    for (int k = 0; k < 2; k++) {
        moved(c, q, qd, k ? -h : h, qa);
        CHECK(qiao_dyn_kinematics(d, qa) == QIAO_OK);
        CHECK(qiao_dyn_jacobian(d, body, point, jac[0], jac[1]) == QIAO_OK);
        for (int i = 0; i < 6; i++) {
            v[k][i] = 0;
            for (int j = 0; j < nv; j++) v[k][i] += jac[i < 3][i % 3 * nv + j] * qd[j];
        }
    }
    for (int i = 0; i < 6; i++) want[i] = (v[0][i] - v[1][i]) / (2 * h);
    CHECK(qiao_dyn_kinematics(d, q) == QIAO_OK);
    CHECK(qiao_dyn_motion(d, body, point, qd, vel, acc) == QIAO_OK);
    CHECK_OFF(vel, v[0], 6, 1e-3, "velocity");
    double big = 1;
    for (int i = 0; i < nv; i++) big = fmax(big, qd[i] * qd[i]);
    for (int i = 0; i < 6; i++)
        CHECK(fabs(acc[i] - want[i]) <= 1e-7 * 100 * big, "%s: acceleration %d is %.9g, not %.9g",
              name, i, acc[i], want[i]);
}
TEST(a_points_motion_is_its_jacobians) { over_all(check_motion); }
