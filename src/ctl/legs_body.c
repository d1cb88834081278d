// SPDX-License-Identifier: Apache-2.0
// legs_body.c - what a walker knows about its own body, read from the robot's model.
#include "ctl/legs.h"

size_t qiao_ctl_quad_size(void) { return sizeof(qiao_ctl_quad); }

const qiao_ctl_leg *qiao_ctl_quad_leg(const qiao_ctl_quad *b, int leg) { return &b->leg[leg]; }

// Adds a body of mass m, inertia I (about c, turned by R) to mass, first and second moments.
static void add_mass(qiao_ctl_quad *b, double moment[3], double m, const double *c, const double *R,
                     const double *I) {
    double Rt[9], W[9];
    transpose33(Rt, R), mul33(W, R, I), mul33(W, W, Rt);
    b->mass += m;
    mad3(moment, m, c);
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            b->inertia[3 * i + j] += W[3 * i + j] + m * ((i == j ? dot3(c, c) : 0) - c[i] * c[j]);
}

// Mass, centre and inertia of the whole robot at rest.
static void weigh(qiao_ctl_quad *b, const qiao_robot *r) {
    double one[9], I[9], moment[3] = {0};
    identity33(one);
    qi_leg_trunk(r, &b->trunk_mass, b->trunk_com, I);
    add_mass(b, moment, b->trunk_mass, b->trunk_com, one, I);
    for (int i = 0; i < NLEG; i++) {
        qiao_ctl_leg_pose o;
        qiao_ctl_leg_forward(&b->leg[i], b->rest_q[i], &o);
        for (int k = 0; k < 3; k++)
            add_mass(b, moment, b->leg[i].link[k].mass, o.com[k], o.rot[k],
                     b->leg[i].link[k].inertia);
    }
    for (int i = 0; i < 3; i++) b->com[i] = moment[i] / b->mass;
    const double *c = b->com;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            b->inertia[3 * i + j] -= b->mass * ((i == j ? dot3(c, c) : 0) - c[i] * c[j]);
}

qiao_err qiao_ctl_quad_load(const qiao_robot *r, void *mem, qiao_diag *d) {
    qiao_ctl_quad *b = mem;
    const qiao_model *m = r->model;
    memset(b, 0, sizeof *b);
    if (r->nfoot != NLEG || r->imu_site < 0)
        return qiao_diag_set(d, QIAO_E_FIT, r->path, 0, 0,
                             "robot '%s' has %d feet and %s IMU; four feet and an IMU are needed",
                             r->name, r->nfoot, r->imu_site < 0 ? "no" : "an");
    int corner[2][2] = {{0}};
    b->height = 0;
    for (int i = 0; i < NLEG; i++) {
        qiao_err e = qiao_ctl_leg_load(r, r->foot_site[i], &b->leg[i], d);
        if (e) return e;
        qiao_ctl_leg_pose o;
        for (int k = 0; k < 3; k++)
            b->rest_q[i][k] = r->rest_q[m->jnt_qadr[b->leg[i].link[k].joint]];
        qiao_ctl_leg_forward(&b->leg[i], b->rest_q[i], &o);
        copy3(b->rest_foot[i], o.foot), sub3(b->shank[i], o.at[2], o.foot);
        b->height -= (o.foot[2] - b->leg[i].radius) / NLEG;
        b->offset[LEGS_TROT][i] = o.foot[0] * o.foot[1] > 0 ? 0 : 0.5;
        // right hind, right front, left hind, left front
        b->offset[LEGS_CRAWL][i] = (o.foot[1] < 0 ? 0 : -0.5) - (o.foot[0] < 0 ? 0 : 0.25);
        corner[o.foot[0] > 0][o.foot[1] > 0]++;
        b->length = norm3(b->leg[i].link[2].pos) + norm3(b->leg[i].foot);
    }
    if (corner[0][0] != 1 || corner[0][1] != 1 || corner[1][0] != 1 || corner[1][1] != 1)
        return qiao_diag_set(d, QIAO_E_FIT, r->path, 0, 0,
                             "the feet of robot '%s' do not rest at four corners", r->name);
    weigh(b, r);
    rot_quat(b->imu_rot, &m->site_quat[4 * r->imu_site]);
    copy3(b->imu_pos, &m->site_pos[3 * r->imu_site]);
    copy3(b->payload, r->payload_pos);
    return QIAO_OK;
}
