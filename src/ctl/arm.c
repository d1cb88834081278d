// SPDX-License-Identifier: Apache-2.0
// arm.c - an arm read from its model: kinematics, damped least squares, torques of a motion.
#include "qiao/ctl.h"
#include "qiao/dyn.h"

#include "ctl/vec.h"

enum { N = QIAO_CTL_ARM_N };

struct qiao_ctl_arm {
    const qiao_robot *robot;
    qiao_dyn *dyn;
    qiao_ctl_chain chain;
    int qadr[N], vadr[N];
    double damping[N], armature[N]; // armature: what the drive has beyond the model's
    double *q, *qd, *qdd, *tau;     // scratch of the whole model: [nq], [nv] each
    double *jac_p, *jac_r;          // [3][nv]
};

static size_t up64(size_t x) { return (x + 63) & ~(size_t)63; }
static size_t doubles(const qiao_model *m) { return (size_t)m->nq + 9 * (size_t)m->nv; }

size_t qiao_ctl_arm_size(const qiao_robot *r) {
    return up64(sizeof(qiao_ctl_arm)) + up64(doubles(r->model) * sizeof(double)) +
           up64(qiao_dyn_size(r->model));
}

static qiao_err add_joint(qiao_ctl_arm *a, int j, qiao_diag *d) {
    const qiao_robot *r = a->robot;
    const qiao_model *m = r->model;
    qiao_ctl_chain *c = &a->chain;
    int act = -1, i = c->n, v = m->jnt_vadr[j];
    for (int k = 0; k < m->nu; k++)
        if (m->act_joint[k] == j && !r->drive[k].native) act = k;
    if (act < 0 || (m->jnt_type[j] != QIAO_JOINT_HINGE && m->jnt_type[j] != QIAO_JOINT_SLIDE))
        return qiao_diag_set(d, QIAO_E_FIT, r->path, 0, 0,
                             "joint '%s' carries the tool, but no torque drive moves it",
                             m->jnt_name[j]);
    if (i >= N)
        return qiao_diag_set(d, QIAO_E_FIT, r->path, 0, 0,
                             "more than %d joints carry the tool '%s'", N,
                             m->site_name[r->tool_site]);
    const qiao_drive *v_drive = &r->drive[act];
    c->joint[i] = j, c->act[i] = act, a->qadr[i] = m->jnt_qadr[j], a->vadr[i] = v;
    bool free = m->jnt_range[2 * j] == 0 && m->jnt_range[2 * j + 1] == 0;
    for (int k = 0; k < 2; k++) c->range[i][k] = free ? (k ? 1e3 : -1e3) : m->jnt_range[2 * j + k];
    c->speed[i] = v_drive->speed_max > 0 ? v_drive->speed_max : 1e3;
    c->torque[i] = v_drive->torque_max > 0 ? v_drive->torque_max : 1e9;
    c->rest[i] = clampd(r->rest_q[a->qadr[i]], c->range[i][0], c->range[i][1]);
    a->damping[i] = m->dof_damping[v];
    a->armature[i] = v_drive->armature >= 0 ? v_drive->armature - m->dof_armature[v] : 0;
    c->n++;
    return QIAO_OK;
}

qiao_err qiao_ctl_arm_init(const qiao_robot *r, void *mem, qiao_ctl_arm **arm, qiao_diag *d) {
    const qiao_model *m = r->model;
    qiao_ctl_arm *a = mem;
    *arm = NULL;
    if (r->tool_site < 0)
        return qiao_diag_set(d, QIAO_E_FIT, r->path, 0, 0, "robot '%s' has no tool", r->name);
    memset(a, 0, sizeof *a);
    a->robot = r;
    unsigned char *at = (unsigned char *)mem + up64(sizeof *a);
    double *x = (double *)(void *)at;
    a->q = x, x += m->nq, a->qd = x, x += m->nv, a->qdd = x, x += m->nv, a->tau = x, x += m->nv;
    a->jac_p = x, a->jac_r = x + 3 * m->nv;
    a->dyn = qiao_dyn_init(m, at + up64(doubles(m) * sizeof(double)), d);
    if (!a->dyn) return d && d->err ? d->err : QIAO_E_FIT;
    memset(a->qd, 0, 3 * (size_t)m->nv * sizeof(double));
    memcpy(a->q, r->rest_q, (size_t)m->nq * sizeof(double)); // a hand keeps its rest pose
    for (int b = m->site_body[r->tool_site]; b > 0; b = m->body_parent[b])
        for (int k = m->body_jntnum[b] - 1; k >= 0; k--) {
            qiao_err e = add_joint(a, m->body_jntadr[b] + k, d);
            if (e) return e;
        }
    if (a->chain.n == 0)
        return qiao_diag_set(d, QIAO_E_FIT, r->path, 0, 0, "nothing moves the tool of '%s'",
                             r->name);
    // found from the tool inwards; kept from the base outwards
    qiao_ctl_arm in = *a;
    for (int i = 0, n = a->chain.n; i < n; i++) {
        int o = n - 1 - i;
        qiao_ctl_chain *to = &a->chain;
        const qiao_ctl_chain *from = &in.chain;
        to->joint[i] = from->joint[o], to->act[i] = from->act[o];
        to->range[i][0] = from->range[o][0], to->range[i][1] = from->range[o][1];
        to->speed[i] = from->speed[o], to->torque[i] = from->torque[o];
        to->rest[i] = from->rest[o];
        a->qadr[i] = in.qadr[o], a->vadr[i] = in.vadr[o];
        a->damping[i] = in.damping[o], a->armature[i] = in.armature[o];
    }
    *arm = a;
    return QIAO_OK;
}

const qiao_ctl_chain *qiao_ctl_arm_chain(const qiao_ctl_arm *a) { return &a->chain; }

void qiao_ctl_arm_forward(qiao_ctl_arm *a, const double *q, qiao_ctl_pose *pose, double *J) {
    int n = a->chain.n, nv = a->robot->model->nv;
    for (int i = 0; i < n; i++) a->q[a->qadr[i]] = q[i];
    qiao_dyn_kinematics(a->dyn, a->q);
    qiao_dyn_site(a->dyn, a->robot->tool_site, pose->pos, pose->rot, J ? a->jac_p : NULL,
                  J ? a->jac_r : NULL);
    for (int r = 0; J && r < 3; r++)
        for (int i = 0; i < n; i++) {
            J[r * n + i] = a->jac_p[r * nv + a->vadr[i]];
            J[(r + 3) * n + i] = a->jac_r[r * nv + a->vadr[i]];
        }
}

// ---- inverse kinematics ----

// x = A^-1 x for a symmetric positive definite A [6][6] (lower triangle), by Cholesky.
static void solve6(double A[6][6], double x[6]) {
    for (int j = 0; j < 6; j++) {
        for (int k = 0; k < j; k++) A[j][j] -= A[j][k] * A[j][k];
        A[j][j] = sqrt(fmax(A[j][j], 1e-18));
        for (int i = j + 1; i < 6; i++) {
            for (int k = 0; k < j; k++) A[i][j] -= A[i][k] * A[j][k];
            A[i][j] /= A[j][j];
        }
    }
    for (int i = 0; i < 6; i++) {
        for (int k = 0; k < i; k++) x[i] -= A[i][k] * x[k];
        x[i] /= A[i][i];
    }
    for (int i = 5; i >= 0; i--) {
        for (int k = i + 1; k < 6; k++) x[i] -= A[k][i] * x[k];
        x[i] /= A[i][i];
    }
}

// dq of least |J dq - e|^2 + damp |dq|^2, near to z in what the task leaves free:
//   dq = z + J^+ (e - J z)  with  J^+ = J' (J J' + damp)^-1;  fixed joints move by their z.
static void least_squares(int n, const double *J, const double e[6], double damp, const bool *fixed,
                          const double *z, double *dq) {
    double A[6][6], x[6];
    for (int r = 0; r < 6; r++) {
        x[r] = e[r];
        for (int i = 0; i < n; i++) x[r] -= J[r * n + i] * z[i];
        for (int c = 0; c <= r; c++) {
            A[r][c] = r == c ? damp : 0;
            for (int i = 0; i < n; i++)
                if (!fixed[i]) A[r][c] += J[r * n + i] * J[c * n + i];
        }
    }
    solve6(A, x);
    for (int i = 0; i < n; i++) {
        dq[i] = z[i];
        for (int r = 0; r < 6 && !fixed[i]; r++) dq[i] += J[r * n + i] * x[r];
    }
}

// The same within lo <= dq <= hi: the joint that goes furthest beyond is held at its bound and the
// others make up for it, until none goes beyond.
// source: P. Baerlocher, R. Boulic, An inverse kinematics architecture (2004)
static void bounded(int n, const double *J, const double e[6], double damp, const double *z,
                    const double *lo, const double *hi, double *dq) {
    bool fixed[N] = {false};
    double want[N] = {0};
    for (int i = 0; i < n; i++) want[i] = clampd(z[i], lo[i], hi[i]);
    for (int round = 0; round <= n; round++) {
        least_squares(n, J, e, damp, fixed, want, dq);
        int worst = -1;
        double most = 1e-12;
        for (int i = 0; i < n; i++) {
            double over = fmax(dq[i] - hi[i], lo[i] - dq[i]);
            if (!fixed[i] && over > most) most = over, worst = i;
        }
        if (worst < 0) break;
        fixed[worst] = true, want[worst] = clampd(dq[worst], lo[worst], hi[worst]);
    }
    for (int i = 0; i < n; i++) dq[i] = clampd(dq[i], lo[i], hi[i]);
}

// Position and rotation vector that take pose a to pose b, world axes.
static void pose_error(const qiao_ctl_pose *a, const qiao_ctl_pose *b, double e[6]) {
    double D[9], t[9];
    sub3(e, b->pos, a->pos);
    transpose33(t, a->rot), mul33(D, b->rot, t);
    double v[3] = {D[7] - D[5], D[2] - D[6], D[3] - D[1]}; // 2 sin(angle) axis
    double s = norm3(v) / 2, c = (D[0] + D[4] + D[8] - 1) / 2, angle = qi_atan2(s, c);
    if (s > 1e-6) {
        for (int i = 0; i < 3; i++) e[3 + i] = v[i] * angle / (2 * s);
    } else if (c > 0) {
        for (int i = 0; i < 3; i++) e[3 + i] = v[i] / 2;
    } else { // half a turn: its axis is the largest column of D + 1
        int k = D[0] > D[4] ? (D[0] > D[8] ? 0 : 2) : (D[4] > D[8] ? 1 : 2);
        double col[3] = {D[k], D[3 + k], D[6 + k]}, len;
        col[k] += 1, len = norm3(col);
        for (int i = 0; i < 3; i++) e[3 + i] = len > 0 ? angle * col[i] / len : 0;
    }
}

static double error_size(const double e[6]) { return norm3(e) + 0.1 * norm3(e + 3); }

// Damped steps from q; at most most of them. Returns the error left.
static double descend(qiao_ctl_arm *a, const qiao_ctl_pose *pose, int most, double *q) {
    int n = a->chain.n;
    double best = INFINITY, x[N], zero[N] = {0};
    memcpy(x, q, (size_t)n * sizeof *x);
    for (int k = 0; k <= most; k++) {
        double J[6 * N], e[6], dq[N] = {0}, lo[N] = {0}, hi[N] = {0};
        qiao_ctl_pose now;
        qiao_ctl_arm_forward(a, x, &now, J);
        pose_error(&now, pose, e);
        double size = error_size(e);
        if (size < best) best = size, memcpy(q, x, (size_t)n * sizeof *x);
        if (size < 1e-9 || k == most) break;
        // far away: a bounded step along the error
        double part = fmin(1, fmin(0.3 / fmax(norm3(e), 1e-9), 0.8 / fmax(norm3(e + 3), 1e-9)));
        for (int i = 0; i < 6; i++) e[i] *= part;
        for (int i = 0; i < n; i++) {
            lo[i] = a->chain.range[i][0] - x[i], hi[i] = a->chain.range[i][1] - x[i];
        }
        bounded(n, J, e, 0.05 * size * size + 1e-9, zero, lo, hi, dq);
        double most_dq = 1e-9;
        for (int i = 0; i < n; i++) most_dq = fmax(most_dq, fabs(dq[i]));
        for (int i = 0; i < n; i++) x[i] += dq[i] * fmin(1, 0.6 / most_dq);
    }
    return best;
}

double qiao_ctl_arm_inverse(qiao_ctl_arm *a, const qiao_ctl_pose *pose, double *q) {
    enum { STARTS = 32, STEPS = 60 };
    static const double root[N] = {1.4142135623730951, 1.7320508075688772, 2.23606797749979,
                                   2.6457513110645907, 3.3166247903554,    3.605551275463989,
                                   4.123105625617661,  4.358898943540674,  4.795831523312719,
                                   5.385164807134504};
    const qiao_ctl_chain *c = &a->chain;
    double best = INFINITY, x[N], out[N];
    memcpy(out, q, (size_t)c->n * sizeof *out);
    for (int s = 0; s < STARTS && best > 1e-6; s++) {
        // where the caller was, the rest pose, then points spread over the ranges (Kronecker's
        // sequence: multiples of square roots of primes)
        for (int i = 0; i < c->n; i++) {
            double lo = fmax(c->range[i][0], -3.2), hi = fmin(c->range[i][1], 3.2);
            double u = (s - 1) * root[i] + 0.5;
            x[i] = s == 0   ? clampd(q[i], c->range[i][0], c->range[i][1])
                   : s == 1 ? c->rest[i]
                            : lo + (hi - lo) * (0.1 + 0.8 * (u - floor(u)));
        }
        double left = descend(a, pose, STEPS, x);
        if (left < best) best = left, memcpy(out, x, (size_t)c->n * sizeof *out);
    }
    memcpy(q, out, (size_t)c->n * sizeof *out);
    return best;
}

// Velocity of the free joints: to the rest pose, and off the last tenth of a range.
static void lean(const qiao_ctl_chain *c, const double *q, double *z) {
    for (int i = 0; i < c->n; i++) {
        double lo = c->range[i][0], hi = c->range[i][1], edge = 0.1 * (hi - lo);
        z[i] = clampd(1.5 * (c->rest[i] - q[i]), -0.5, 0.5);
        if (q[i] > hi - edge) z[i] -= 2 * (q[i] - hi + edge) / edge;
        if (q[i] < lo + edge) z[i] += 2 * (lo + edge - q[i]) / edge;
    }
}

// sqrt(det(J J')): how far from a singular pose. source: T. Yoshikawa (1985)
static double manipulability(int n, const double *J) {
    double A[6][6], det = 1;
    for (int r = 0; r < 6; r++)
        for (int c = 0; c <= r; c++) {
            A[r][c] = 0;
            for (int i = 0; i < n; i++) A[r][c] += J[r * n + i] * J[c * n + i];
        }
    for (int j = 0; j < 6; j++) {
        for (int k = 0; k < j; k++) A[j][j] -= A[j][k] * A[j][k];
        A[j][j] = sqrt(fmax(A[j][j], 1e-18)), det *= A[j][j];
        for (int i = j + 1; i < 6; i++) {
            for (int k = 0; k < j; k++) A[i][j] -= A[i][k] * A[j][k];
            A[i][j] /= A[j][j];
        }
    }
    return det;
}

double qiao_ctl_arm_follow(qiao_ctl_arm *a, const qiao_ctl_pose *pose, const double vel[6],
                           double dt, double *q, double *qd) {
    const qiao_ctl_chain *c = &a->chain;
    const double gain = 10, w0 = 0.02, damp_most = 0.01; // 1/s; manipulability where damping begins
    int n = c->n;
    double J[6 * N], e[6], z[N] = {0}, lo[N] = {0}, hi[N] = {0}, share = 1;
    qiao_ctl_pose now;
    qiao_ctl_arm_forward(a, q, &now, J);
    pose_error(&now, pose, e);
    for (int i = 0; i < 6; i++) e[i] = vel[i] + gain * e[i];
    lean(c, q, z);
    double w = manipulability(n, J), k = w < w0 ? 1 - w / w0 : 0;
    for (int i = 0; i < n; i++) {
        // no faster towards an end of the range than would get there in 50 ms
        lo[i] = fmin((c->range[i][0] - q[i]) / 0.05, 0);
        hi[i] = fmax((c->range[i][1] - q[i]) / 0.05, 0);
    }
    bounded(n, J, e, 1e-8 + damp_most * k * k, z, lo, hi, qd);
    for (int i = 0; i < n; i++) share = fmin(share, 0.9 * c->speed[i] / fmax(fabs(qd[i]), 1e-9));
    for (int i = 0; i < n; i++) {
        qd[i] *= share;
        q[i] = clampd(q[i] + qd[i] * dt, c->range[i][0], c->range[i][1]);
    }
    return share;
}

// ---- torques ----

void qiao_ctl_arm_torque(qiao_ctl_arm *a, const double *q, const double *qd, const double *qdd,
                         double load, double *tau) {
    const qiao_model *m = a->robot->model;
    int n = a->chain.n;
    double J[6 * N];
    qiao_ctl_pose pose;
    for (int i = 0; i < n; i++) {
        a->qd[a->vadr[i]] = qd ? qd[i] : 0;
        a->qdd[a->vadr[i]] = qdd ? qdd[i] : 0;
    }
    qiao_ctl_arm_forward(a, q, &pose, J);
    if (qiao_dyn_inverse(a->dyn, a->q, a->qd, a->qdd, a->tau)) memset(a->tau, 0, (size_t)m->nv * 8);
    for (int i = 0; i < n; i++) {
        tau[i] = a->tau[a->vadr[i]] + a->damping[i] * (qd ? qd[i] : 0) +
                 a->armature[i] * (qdd ? qdd[i] : 0);
        for (int r = 0; r < 3; r++) tau[i] -= J[r * n + i] * load * m->gravity[r];
        tau[i] = clampd(tau[i], -a->chain.torque[i], a->chain.torque[i]);
    }
}

void qiao_ctl_arm_damping(qiao_ctl_arm *a, const double *q, const double *kp, double zeta,
                          double *kd) {
    // a column of M: the torques of an acceleration of one joint alone, without weight
    double weight[N], tau[N];
    qiao_ctl_arm_torque(a, q, NULL, NULL, 0, weight);
    for (int i = 0; i < a->chain.n; i++) {
        double one[N] = {0};
        one[i] = 1;
        qiao_ctl_arm_torque(a, q, NULL, one, 0, tau);
        kd[i] = 2 * zeta * sqrt(kp[i] * fmax(tau[i] - weight[i], 0));
    }
}
