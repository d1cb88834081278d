// SPDX-License-Identifier: Apache-2.0
// test_robots.c - our robots: they stand, their drives are stable, and their facts are the makers'.
#include "qiao/sim.h"
#include "test.h"

#include <mujoco/mujoco.h>

typedef struct ours { // one robot, and the maker's file that it must agree with
    const char *name, *maker;
    double mass;
    int joints;
} ours;
static const ours go2 = {"go2", "mujoco_menagerie/unitree_go2/go2_nomesh.xml", 15.206, 12},
                  panda = {"panda", "mujoco_menagerie/franka_emika_panda/panda.xml", 17.452, 9},
                  tron1 = {"tron1", "limx/PF_TRON1A/xml/robot_nomesh.xml", 18.233, 6};

static qiao_robot *load(const char *name) {
    qiao_diag d = {0};
    qiao_robot *r = qiao_robot_load(name, &d);
    CHECK(r != NULL, "%s", d.text);
    return r;
}

// Inertia about the body's origin axes, at the centre of mass: R diag R'.
static void full_inertia(const mjModel *m, int b, double I[9]) {
    double R[9], D[9] = {0}, t[9];
    mju_quat2Mat(R, m->body_iquat + 4 * b);
    for (int k = 0; k < 3; k++) D[4 * k] = m->body_inertia[3 * b + k];
    mju_mulMatMat(t, R, D, 3, 3, 3);
    mju_mulMatMatT(I, t, R, 3, 3, 3);
}

static void same_bodies(const mjModel *a, const mjModel *b) {
    int seen = 0;
    for (int i = 1; i < a->nbody; i++) {
        const char *name = mj_id2name(a, mjOBJ_BODY, i);
        int k = mj_name2id(b, mjOBJ_BODY, name);
        if (k < 0) continue;
        seen++;
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
        int k = mj_name2id(b, mjOBJ_JOINT, name);
        CHECK(k >= 0, "the maker has no joint %s", name);
        for (int c = 0; c < 3; c++)
            CHECK(fabs(a->jnt_axis[3 * i + c] - b->jnt_axis[3 * k + c]) < 1e-9, "%s: axis", name);
        for (int c = 0; c < 2; c++)
            CHECK(fabs(a->jnt_range[2 * i + c] - b->jnt_range[2 * k + c]) < 1e-6,
                  "%s: range %g, the maker's %g", name, a->jnt_range[2 * i + c],
                  b->jnt_range[2 * k + c]);
        double tau = maker_torque(b, k);
        int act = qiao_model_actuator(r->model, name);
        if (tau < 0 || act < 0) continue;
        CHECK(fabs(r->drive[act].torque_max - tau) < 1e-9, "%s: torque %g, the maker's %g", name,
              r->drive[act].torque_max, tau);
    }
}

// Twenty random poses put every body of the same name in the same place.
static void same_kinematics(const mjModel *a, const mjModel *b) {
    mjData *da = mj_makeData(a), *db = mj_makeData(b);
    qiao_rng rng = {.seed = 11};
    double worst = 0;
    for (int pose = 0; pose < 20; pose++) {
        mj_resetData(a, da), mj_resetData(b, db);
        for (int i = 0; i < a->njnt; i++) {
            int k = mj_name2id(b, mjOBJ_JOINT, mj_id2name(a, mjOBJ_JOINT, i));
            double *qa = da->qpos + a->jnt_qposadr[i], *range = a->jnt_range + 2 * i;
            if (a->jnt_type[i] == mjJNT_FREE) {
                for (int j = 0; j < b->njnt; j++) // both at the origin, whatever their start
                    if (b->jnt_type[j] == mjJNT_FREE)
                        memcpy(db->qpos + b->jnt_qposadr[j], qa, 7 * sizeof *qa);
                continue;
            }
            *qa = range[0] +
                  (range[1] - range[0]) * qiao_rng_uniform(&rng, (uint64_t)pose, (uint32_t)i);
            db->qpos[b->jnt_qposadr[k]] = *qa;
        }
        mj_kinematics(a, da), mj_kinematics(b, db);
        for (int i = 1; i < a->nbody; i++) {
            int k = mj_name2id(b, mjOBJ_BODY, mj_id2name(a, mjOBJ_BODY, i));
            worst = fmax(worst, mju_dist3(da->xpos + 3 * i, db->xpos + 3 * k));
        }
    }
    mj_deleteData(da), mj_deleteData(db);
    CHECK(worst < 1e-6, "a body is %g m off", worst);
}

static void agrees_with_maker(ours o) {
    if (!test_data()) SKIP("the makers' files are not at hand");
    char path[600];
    qiao_diag d = {0};
    snprintf(path, sizeof path, "%s/%s", test_data(), o.maker);
    qiao_model *maker = qiao_model_load(path, &d);
    CHECK(maker != NULL, "%s", d.text);
    qiao_robot *r = load(o.name);
    same_bodies(r->model->mj, maker->mj);
    same_joints(r, maker->mj);
    same_kinematics(r->model->mj, maker->mj);
    qiao_robot_free(r), qiao_model_free(maker);
}

TEST(go2_is_the_makers) { agrees_with_maker(go2); }
TEST(panda_is_the_makers) { agrees_with_maker(panda); }
TEST(tron1_is_the_makers) { agrees_with_maker(tron1); }

static void facts(ours o) {
    qiao_robot *r = load(o.name);
    CHECK_NEAR(qiao_model_mass(r->model), o.mass, 0.001);
    int n = 0;
    for (int i = 0; i < r->model->njnt; i++) n += r->model->jnt_type[i] >= QIAO_JOINT_SLIDE;
    CHECK(n == o.joints, "%d joints", n);
    CHECK(r->model->dt == 0.002 && r->nsensor >= 4);
    // a drive's damping must not turn its joint around within one step, at the lightest pose
    for (int i = 0; i < r->model->nu; i++) {
        if (r->drive[i].native) continue;
        int v = r->model->jnt_vadr[r->model->act_joint[i]];
        const mjModel *m = r->model->mj;
        double inertia = fmin(m->dof_M0[v], 1 / m->dof_invweight0[v]);
        CHECK(r->drive[i].kd * r->model->dt / inertia < 1, "%s: kd dt / inertia = %g",
              r->model->act_name[i], r->drive[i].kd * r->model->dt / inertia);
        CHECK(r->drive[i].torque_max > 0 && r->drive[i].speed_max > 0);
    }
    // nothing of the collision model is drawn, nothing drawn collides
    for (int i = 0; i < r->model->ngeom; i++) {
        bool collides = r->model->mj->geom_contype[i] || r->model->mj->geom_conaffinity[i];
        CHECK(collides == (r->model->geom_group[i] == 3), "geom %d", i);
    }
    qiao_robot_free(r);
}
TEST(go2_facts) { facts(go2); }
TEST(panda_facts) { facts(panda); }
TEST(tron1_facts) { facts(tron1); }

// Holds the rest pose for a second on a floor; returns the height of the base.
static double hold(const char *name, double *tilt) {
    qiao_robot *r = load(name);
    qiao_diag d = {0};
    const double origin[3] = {0, 0, 0};
    qiao_model *w = qiao_model_world(
        r, "<mujoco><worldbody><geom name='floor' type='plane' size='0 0 1'/></worldbody></mujoco>",
        origin, 0, &d);
    CHECK(w != NULL, "%s", d.text);
    qiao_sim_def def = qiao_sim_def_default();
    def.robot = r, def.world = (const qiao_model *const[]){w};
    qiao_sim *s = qiao_sim_new(&def, &d);
    CHECK(s != NULL, "%s", d.text);
    double q[16], zero[16] = {0}, own[16];
    int nu = r->model->nu;
    for (int i = 0; i < nu; i++) {
        int j = r->model->act_joint[i];
        q[i] = j >= 0 ? r->rest_q[r->model->jnt_qadr[j]] : 0.08, own[i] = -1;
    }
    qiao_cmd c = {1, nu, q, zero, own, own, zero};
    for (int t = 0; t < 50; t++) qiao_sim_observe(s), qiao_sim_command(s, &c), qiao_sim_step(s, 10);
    qiao_truth t;
    qiao_sim_truth(s, 0, &t);
    CHECK(qiao_sim_status(s, 0) == QIAO_OK);
    const double *u = t.body_quat + 4 * r->base;
    *tilt = acos(1 - 2 * (u[1] * u[1] + u[2] * u[2]));
    double z = t.body_pos[3 * r->base + 2];
    if (strcmp(r->kind, "arm") == 0) // an arm's height is its tool's
        z = t.body_pos[3 * w->site_body[r->tool_site] + 2];
    qiao_sim_free(s), qiao_model_free(w), qiao_robot_free(r);
    return z;
}

TEST(go2_stands) {
    double tilt, z = hold("go2", &tilt);
    CHECK(z > 0.2 && z < 0.32 && tilt < 0.1, "height %g, tilt %g", z, tilt);
}
TEST(panda_holds_still) {
    double tilt, z = hold("panda", &tilt);
    CHECK(z > 0.4 && z < 0.75, "hand at %g", z); // sags a little: PD alone, no gravity term
}
TEST(tron1_starts_upright) { // two points: it has to balance, but it must not break in a second
    double tilt, z = hold("tron1", &tilt);
    CHECK(z > 0.05 && isfinite(tilt), "height %g", z);
}
