// SPDX-License-Identifier: Apache-2.0
// test_robots.c - our robots: they stand, their drives are stable, and their facts are the makers'.
#include "qiao/sim.h"
#include "test.h"

#include <mujoco/mujoco.h>

typedef struct ours { // one robot, and the maker's file that it must agree with
    const char *name, *maker;
    double mass, torque, range; // kg; sum of the drives' torques, N*m; of the joints' ranges
    int joints;
    const char *point[5][2]; // our site, the maker's geom or site at the same place
} ours;
static const ours go2 = {
    .name = "go2",
    .maker = "mujoco_menagerie/unitree_go2/go2_nomesh.xml",
    .mass = 15.206,
    .torque = 4 * (23.7 + 23.7 + 45.43),
    .range =
        4 * (2 * 1.0472) + 2 * (1.5708 + 3.4907) + 2 * (0.5236 + 4.5379) + 4 * (2.7227 - 0.83776),
    .joints = 12,
    .point = {{"FL", "FL"}, {"FR", "FR"}, {"RL", "RL"}, {"RR", "RR"}, {"imu", "imu"}}};
static const ours panda = {.name = "panda",
                           .maker = "mujoco_menagerie/franka_emika_panda/panda.xml",
                           .mass = 17.452,
                           .torque = 4 * 87 + 3 * 12,
                           .range = 8 * 2.8973 + 2 * 1.7628 + (3.0718 - 0.0698) + 3.77 + 0.08,
                           .joints = 9};
static const ours tron1 = {
    .name = "tron1",
    .maker = "limx/PF_TRON1A/xml/robot_nomesh.xml",
    .mass = 18.233,
    .torque = 6 * 80,
    .range = 2 * (0.38397 + 1.39626) + 2 * (1.01229 + 1.39626) + 2 * (0.872665 + 1.36136),
    .joints = 6,
    .point = {{"foot_L", "foot_L_collision"}, {"foot_R", "foot_R_collision"}, {"imu", "imu"}}};

static qiao_robot *load(const char *name) {
    qiao_diag d = {0};
    qiao_robot *r = qiao_robot_load(name, &d);
    CHECK(r != NULL, "%s", d.text);
    return r;
}

// A random pose within the joints' ranges; free joints stay at the model's start.
static void random_pose(const mjModel *m, uint64_t pose, double *q) {
    qiao_rng rng = {.seed = 11};
    for (int i = 0; i < m->njnt; i++) {
        if (m->jnt_type[i] == mjJNT_FREE) continue;
        const double *range = m->jnt_range + 2 * i;
        q[m->jnt_qposadr[i]] =
            range[0] + (range[1] - range[0]) * qiao_rng_uniform(&rng, pose, (uint32_t)i);
    }
}

// ---- held against the maker's file ----

// Inertia at the centre of mass along the body's axes: R diag R'.
static void full_inertia(const mjModel *m, int b, double I[9]) {
    double R[9], D[9] = {0}, t[9];
    mju_quat2Mat(R, m->body_iquat + 4 * b);
    for (int k = 0; k < 3; k++) D[4 * k] = m->body_inertia[3 * b + k];
    mju_mulMatMat(t, R, D, 3, 3, 3);
    mju_mulMatMatT(I, t, R, 3, 3, 3);
}

static void same_bodies(const mjModel *a, const mjModel *b) {
    int seen = 0;
    double mass = 0;
    for (int i = 1; i < b->nbody; i++) mass += b->body_mass[i];
    for (int i = 1; i < a->nbody; i++) {
        const char *name = mj_id2name(a, mjOBJ_BODY, i);
        int k = mj_name2id(b, mjOBJ_BODY, name);
        if (k < 0) continue;
        seen++;
        mass -= a->body_mass[i];
        CHECK(fabs(a->body_mass[i] - b->body_mass[k]) <= 1e-9, "%s: mass %g, the maker's %g", name,
              a->body_mass[i], b->body_mass[k]);
        double I[9], J[9];
        full_inertia(a, i, I), full_inertia(b, k, J);
        for (int c = 0; c < 3; c++)
            CHECK(fabs(a->body_ipos[3 * i + c] - b->body_ipos[3 * k + c]) <= 1e-9,
                  "%s: centre of mass %d", name, c);
        for (int c = 0; c < 9; c++)
            CHECK(fabs(I[c] - J[c]) <= 1e-7, "%s: inertia %d: %g, the maker's %g", name, c, I[c],
                  J[c]);
    }
    CHECK(seen == a->nbody - 1, "%d of %d bodies have the maker's names", seen, (int)a->nbody - 1);
    CHECK(fabs(mass) < 1e-6, "the maker's bodies weigh %g kg more", mass);
}

// The largest torque that the maker's model lets act on a joint.
static double maker_torque(const mjModel *m, int joint) {
    for (int i = 0; i < m->nactuator; i++) {
        if (m->actuator_trntype[i] != mjTRN_JOINT || m->actuator_trnid[2 * i] != joint) continue;
        return m->actuator_forcelimited[i] ? m->actuator_forcerange[2 * i + 1]
                                           : m->actuator_ctrlrange[2 * i + 1];
    }
    return -1;
}

static void same_joints(const qiao_robot *r, const mjModel *b) {
    const mjModel *a = r->model->mj;
    for (int i = 0; i < a->njnt; i++) {
        const char *name = mj_id2name(a, mjOBJ_JOINT, i);
        if (a->jnt_type[i] == mjJNT_FREE) continue;
        int k = mj_name2id(b, mjOBJ_JOINT, name), v = a->jnt_dofadr[i];
        CHECK(k >= 0, "the maker has no joint %s", name);
        int w = b->jnt_dofadr[k];
        for (int c = 0; c < 3; c++)
            CHECK(fabs(a->jnt_axis[3 * i + c] - b->jnt_axis[3 * k + c]) < 1e-9, "%s: axis", name);
        for (int c = 0; c < 2; c++)
            CHECK(fabs(a->jnt_range[2 * i + c] - b->jnt_range[2 * k + c]) < 1e-6,
                  "%s: range %g, the maker's %g", name, a->jnt_range[2 * i + c],
                  b->jnt_range[2 * k + c]);
        CHECK_NEAR(a->dof_armature[v], b->dof_armature[w], 1e-9);
        CHECK_NEAR(a->dof_frictionloss[v], b->dof_frictionloss[w], 1e-9);
        double tau = maker_torque(b, k);
        int act = qiao_model_actuator(r->model, name);
        if (tau < 0 || act < 0) continue;
        CHECK(fabs(r->drive[act].torque_max - tau) < 1e-9, "%s: torque %g, the maker's %g", name,
              r->drive[act].torque_max, tau);
    }
}

// Where a named geom or site is, or NULL.
static const double *point(const mjModel *m, const mjData *d, const char *name) {
    int g = mj_name2id(m, mjOBJ_GEOM, name), s = mj_name2id(m, mjOBJ_SITE, name);
    return s >= 0 ? d->site_xpos + 3 * s : g >= 0 ? d->geom_xpos + 3 * g : NULL;
}

// Twenty random poses put every body, foot and sensor of the same name in the same place.
static void same_kinematics(const ours *o, const mjModel *a, const mjModel *b) {
    mjData *da = mj_makeData(a), *db = mj_makeData(b);
    double worst = 0;
    int npoint = 0;
    for (uint64_t pose = 0; pose < 20; pose++) {
        mj_resetData(a, da), mj_resetData(b, db);
        random_pose(a, pose, da->qpos);
        for (int i = 0; i < a->njnt; i++) {
            const double *q = da->qpos + a->jnt_qposadr[i];
            int k = mj_name2id(b, mjOBJ_JOINT, mj_id2name(a, mjOBJ_JOINT, i));
            for (int j = 0; a->jnt_type[i] == mjJNT_FREE && j < b->njnt; j++)
                if (b->jnt_type[j] == mjJNT_FREE) k = j; // whatever it is called
            memcpy(db->qpos + b->jnt_qposadr[k], q,
                   (a->jnt_type[i] == mjJNT_FREE ? 7 : 1) * sizeof *q);
        }
        mj_kinematics(a, da), mj_kinematics(b, db);
        for (int i = 1; i < a->nbody; i++) {
            int k = mj_name2id(b, mjOBJ_BODY, mj_id2name(a, mjOBJ_BODY, i));
            worst = fmax(worst, mju_dist3(da->xpos + 3 * i, db->xpos + 3 * k));
        }
        for (int i = 0; i < 5 && o->point[i][0]; i++, npoint++) {
            const double *p = point(a, da, o->point[i][0]), *q = point(b, db, o->point[i][1]);
            CHECK(p && q, "no point %s or %s", o->point[i][0], o->point[i][1]);
            worst = fmax(worst, mju_dist3(p, q));
        }
    }
    mj_deleteData(da), mj_deleteData(db);
    CHECK(worst < 1e-6, "a body or point is %g m off", worst);
    CHECK(!o->point[0][0] || npoint >= 60, "%d points", npoint);
}

static void agrees_with_maker(const ours *o) {
    if (!test_data()) SKIP("the makers' files are not at hand");
    char path[600];
    qiao_diag d = {0};
    snprintf(path, sizeof path, "%s/%s", test_data(), o->maker);
    qiao_model *maker = qiao_model_load(path, &d);
    CHECK(maker != NULL, "%s", d.text);
    qiao_robot *r = load(o->name);
    same_bodies(r->model->mj, maker->mj);
    same_joints(r, maker->mj);
    same_kinematics(o, r->model->mj, maker->mj);
    qiao_robot_free(r), qiao_model_free(maker);
}

TEST(go2_is_the_makers) { agrees_with_maker(&go2); }
TEST(panda_is_the_makers) { agrees_with_maker(&panda); }
TEST(tron1_is_the_makers) { agrees_with_maker(&tron1); }

// ---- what holds without the maker's file ----

static void names(const qiao_robot *r) {
    const qiao_model *m = r->model;
    for (int i = 0; i < m->nu; i++) // a drive is called as its joint
        CHECK(r->drive[i].native || strcmp(m->act_name[i], m->jnt_name[m->act_joint[i]]) == 0,
              "actuator %s", m->act_name[i]);
    bool arm = strcmp(r->kind, "arm") == 0;
    CHECK(arm ? r->tool_site >= 0 && r->gripper : r->imu_site >= 0 && r->nfoot >= 2);
    CHECK(qiao_model_site(m, arm ? "wrist" : "imu") >= 0);
    CHECK(r->title_zh[0] && r->title[0]);
    for (int i = 0; i < m->njnt; i++) {
        double q = r->rest_q[m->jnt_qadr[i]], *range = m->mj->jnt_range + 2 * i;
        CHECK(m->jnt_type[i] == QIAO_JOINT_FREE || (q >= range[0] && q <= range[1]),
              "%s rests at %g, outside its range", m->jnt_name[i], q);
    }
}

// A drive's damping must not turn its joint around within one step, nor its spring overshoot,
// where the joint carries least: inertia 1 / (M^-1)_ii, the smallest of 50 random poses.
static void drives(const qiao_robot *r) {
    const mjModel *m = r->model->mj;
    mjData *d = mj_makeData(m);
    double least[64], x[64], y[64];
    for (int i = 0; i < m->nv; i++) least[i] = 1e9;
    for (uint64_t pose = 0; pose < 50; pose++) {
        random_pose(m, pose, d->qpos);
        mj_forward(m, d);
        for (int i = 0; i < m->nv; i++) {
            mju_zero(x, m->nv);
            x[i] = 1;
            mj_solveM(m, d, y, x, 1);
            least[i] = fmin(least[i], 1 / y[i]);
        }
    }
    mj_deleteData(d);
    for (int i = 0; i < r->model->nu; i++) {
        const qiao_drive *v = &r->drive[i];
        if (v->native) continue;
        const char *name = r->model->act_name[i];
        double I = least[r->model->jnt_vadr[r->model->act_joint[i]]], dt = r->model->dt;
        CHECK(v->kd > 0 && v->kd * dt / I < 1, "%s: kd dt / inertia = %g", name, v->kd * dt / I);
        CHECK(v->kp > 0 && v->kp * dt * dt / I < 1, "%s: kp dt^2 / inertia", name);
        CHECK(v->torque_max > 0 && v->speed_max > 0, "%s has no limit", name);
    }
}

// The feet of the rest pose are level, and the weight is between them (a biped: within 3 cm).
static void stance(const qiao_robot *r) {
    const mjModel *m = r->model->mj;
    mjData *d = mj_makeData(m);
    mju_copy(d->qpos, r->rest_q, m->nq);
    mj_forward(m, d);
    double lo[3] = {9, 9, 9}, hi[3] = {-9, -9, -9}, *com = d->subtree_com;
    for (int i = 0; i < r->nfoot; i++)
        for (int k = 0; k < 3; k++) {
            double x = d->site_xpos[3 * r->foot_site[i] + k];
            lo[k] = fmin(lo[k], x), hi[k] = fmax(hi[k], x);
        }
    CHECK(hi[2] - lo[2] < 0.001, "feet at heights %g to %g", lo[2], hi[2]);
    for (int k = 0; k < 2; k++)
        CHECK(com[k] > lo[k] - 0.03 && com[k] < hi[k] + 0.03, "weight at %g, feet %g to %g", com[k],
              lo[k], hi[k]);
    mj_deleteData(d);
}

static void facts(const ours *o) {
    qiao_robot *r = load(o->name);
    const qiao_model *m = r->model;
    double torque = 0, range = 0;
    int n = 0;
    for (int i = 0; i < m->nu; i++) torque += r->drive[i].torque_max;
    for (int i = 0; i < m->njnt; i++) {
        if (m->jnt_type[i] < QIAO_JOINT_SLIDE) continue;
        n++, range += m->jnt_range[2 * i + 1] - m->jnt_range[2 * i];
    }
    CHECK_NEAR(qiao_model_mass(m), o->mass, 0.001);
    CHECK_NEAR(torque, o->torque, 1e-9);
    CHECK_NEAR(range, o->range, 1e-4);
    CHECK(n == o->joints, "%d joints", n);
    CHECK(m->dt == 0.002 && r->nsensor >= 4);
    names(r), drives(r);
    if (r->nfoot) stance(r);
    // nothing of the collision model is drawn, nothing drawn collides or weighs
    for (int i = 0; i < m->ngeom; i++) {
        bool collides = m->mj->geom_contype[i] || m->mj->geom_conaffinity[i];
        CHECK(collides == (m->geom_group[i] == 3), "geom %d", i);
        CHECK(collides || m->geom_group[i] == 2, "geom %d", i);
    }
    qiao_robot_free(r);
}
TEST(go2_facts) { facts(&go2); }
TEST(panda_facts) { facts(&panda); }
TEST(tron1_facts) { facts(&tron1); }

// ---- in physics ----

typedef struct held { // how a robot is after some time of holding its rest pose
    double base[3], tool[3], tilt, speed, weight; // m, rad, largest joint speed, contact / weight
} held;

// The torques that carry the robot's own weight in the rest pose, arms only.
static void own_weight(const qiao_robot *r, double *tau) {
    const mjModel *m = r->model->mj;
    mjData *d = mj_makeData(m);
    mju_copy(d->qpos, r->rest_q, m->nq);
    mj_forward(m, d);
    for (int i = 0; i < m->nu; i++)
        if (!r->drive[i].native) tau[i] = d->qfrc_bias[r->model->jnt_vadr[r->model->act_joint[i]]];
    mj_deleteData(d);
}

static held observe(const qiao_robot *r, const qiao_model *w, qiao_sim *s) {
    qiao_truth t;
    qiao_sim_truth(s, 0, &t);
    int base = qiao_model_body(w, r->model->body_name[r->base]);
    const double *u = t.body_quat + 4 * base;
    held h = {.tilt = acos(1 - 2 * (u[1] * u[1] + u[2] * u[2]))};
    memcpy(h.base, t.body_pos + 3 * base, sizeof h.base);
    if (r->tool_site >= 0) {
        int site = qiao_model_site(w, r->model->site_name[r->tool_site]), b = w->site_body[site];
        mju_rotVecQuat(h.tool, w->site_pos + 3 * site, t.body_quat + 4 * b);
        mju_addTo3(h.tool, t.body_pos + 3 * b);
    }
    for (int i = 0; i < r->model->nu; i++) {
        int j = r->model->act_joint[i];
        if (j < 0) continue;
        int k = qiao_model_joint(w, r->model->jnt_name[j]);
        h.speed = fmax(h.speed, fabs(t.qd[w->jnt_vadr[k]]));
    }
    for (int i = 0; i < t.ncontact; i++)
        h.weight += fabs(t.contact[i].force_w[2]) / 9.81 / qiao_model_mass(r->model);
    return h;
}

// Holds the rest pose on a floor for a time, with the drives' own gains.
static held hold(const qiao_robot *r, double seconds) {
    qiao_diag d = {0};
    const double lift[3] = {0, 0, strcmp(r->name, "go2") == 0 ? 0.0184 : 0}; // feet onto the floor
    qiao_model *w = qiao_model_world(
        r, "<mujoco><worldbody><geom name='floor' type='plane' size='0 0 1'/></worldbody></mujoco>",
        lift, 0, &d);
    CHECK(w != NULL, "%s", d.text);
    qiao_sim_def def = qiao_sim_def_default();
    def.robot = r, def.world = (const qiao_model *const[]){w};
    qiao_sim *s = qiao_sim_new(&def, &d);
    CHECK(s != NULL, "%s", d.text);
    double q[16], zero[16] = {0}, own[16], tau[16] = {0};
    int nu = r->model->nu;
    for (int i = 0; i < nu; i++) {
        int j = r->model->act_joint[i];
        q[i] = j >= 0 ? r->rest_q[r->model->jnt_qadr[j]] : 0.08, own[i] = -1;
    }
    if (r->tool_site >= 0) own_weight(r, tau);
    qiao_cmd c = {1, nu, q, zero, own, own, tau};
    for (int t = 0; t < (int)(seconds * 50 + 0.5); t++)
        qiao_sim_observe(s), qiao_sim_command(s, &c), qiao_sim_step(s, 10);
    CHECK(qiao_sim_status(s, 0) == QIAO_OK);
    held h = observe(r, w, s);
    qiao_sim_free(s), qiao_model_free(w);
    return h;
}

TEST(go2_stands) {
    qiao_robot *r = load("go2");
    held h = hold(r, 2);
    CHECK(h.base[2] > 0.24 && h.base[2] < 0.28 && h.tilt < 0.06, "height %g, tilt %g", h.base[2],
          h.tilt);
    CHECK(h.speed < 0.05, "a joint moves at %g rad/s", h.speed);
    CHECK_NEAR(h.weight, 1, 0.02);
    qiao_robot_free(r);
}

TEST(panda_holds_still) { // its own weight fed forward: the hand stays where kinematics has it
    qiao_robot *r = load("panda");
    held h = hold(r, 1);
    const mjModel *m = r->model->mj;
    mjData *d = mj_makeData(m);
    mju_copy(d->qpos, r->rest_q, m->nq);
    mj_kinematics(m, d);
    double off = mju_dist3(h.tool, d->site_xpos + 3 * r->tool_site);
    mj_deleteData(d);
    CHECK(off < 0.001 && h.speed < 0.002, "hand %g m off, joint speed %g", off, h.speed);
    qiao_robot_free(r);
}

TEST(tron1_begins_to_stand) { // two points do not stand by themselves; at first they carry it
    qiao_robot *r = load("tron1");
    CHECK_NEAR(r->rest_q[2], 0.8118, 1e-9);
    held h = hold(r, 0.1);
    CHECK(h.base[2] > 0.70 && h.base[2] < 0.815 && h.tilt < 0.15, "height %g, tilt %g", h.base[2],
          h.tilt);
    CHECK(h.weight > 0.5 && h.weight < 1.5, "the feet carry %g of the weight", h.weight);
    qiao_robot_free(r);
}

// Puts an object between the open fingers, closes them, takes the support away, swings the arm
// for 1.5 s. Returns how far it slid in the hand, m, and its height.
static double grasp(const char *geom, double half, double *height) {
    char xml[800];
    snprintf(xml, sizeof xml,
             "<mujoco><worldbody><body name='support' mocap='true' pos='0.3069 0 %.6f'>"
             "<geom type='box' size='0.1 0.1 0.02'/></body>"
             "<body name='object' pos='0.3069 0 0.4869'><freejoint/>"
             "<geom %s mass='0.3' condim='6' friction='0.8 0.01 0.001'/></body>"
             "</worldbody></mujoco>",
             0.4869 - half - 0.0205, geom);
    qiao_robot *r = load("panda");
    qiao_diag why = {0};
    const double origin[3] = {0};
    qiao_model *w = qiao_model_world(r, xml, origin, 0, &why);
    CHECK(w != NULL, "%s", why.text);
    const mjModel *m = w->mj;
    mjData *d = mj_makeData(m);
    mju_copy(d->qpos, w->q0, m->nq);
    int object = qiao_model_body(w, "object"), tcp = qiao_model_site(w, "tcp");
    double slid = 0, first[3] = {0}, *p = d->xpos + 3 * object;
    for (int t = 0; t < 1250; t++) {
        double T = t * 0.002, swing = T > 1 ? 0.35 * sin(5 * (T - 1)) : 0;
        mj_step1(m, d);
        for (int i = 0; i < r->model->nu; i++) {
            int a = qiao_model_actuator(w, r->model->act_name[i]), j = w->act_joint[a];
            double *u = d->ctrl + a, most = r->drive[i].torque_max;
            if (j < 0) {
                *u = T < 0.1 ? 0.08 : 0;
                continue;
            }
            double goal = w->q0[w->jnt_qadr[j]] + (i == 0 ? swing : 0);
            *u = d->qfrc_bias[w->jnt_vadr[j]] + 6 * most * (goal - d->qpos[w->jnt_qadr[j]]) -
                 0.5 * most * d->qvel[w->jnt_vadr[j]];
            *u = fmax(-most, fmin(most, *u));
        }
        if (T > 0.5) d->mocap_pos[2] -= 0.002;
        mj_step2(m, d);
        double in_hand[3], off[3];
        mju_sub3(off, p, d->site_xpos + 3 * tcp);
        mju_mulMatTVec(in_hand, d->site_xmat + 9 * tcp, off, 3, 3);
        if (t == 200) mju_copy3(first, in_hand);
        if (t > 200) slid = fmax(slid, mju_dist3(first, in_hand));
    }
    *height = p[2];
    mj_deleteData(d);
    qiao_model_free(w), qiao_robot_free(r);
    return slid;
}

TEST(panda_lifts_box_cylinder_ball) {
    const char *geom[] = {"type='box' size='0.02 0.025 0.02'", "type='cylinder' size='0.02 0.03'",
                          "type='sphere' size='0.025'"};
    const double half[] = {0.02, 0.03, 0.025};
    for (int i = 0; i < 3; i++) {
        double height, slid = grasp(geom[i], half[i], &height);
        CHECK(slid < 0.004 && height > 0.47, "%s: slid %g m, is at height %g", geom[i], slid,
              height);
    }
}
