// SPDX-License-Identifier: Apache-2.0
// test_adapt.c - robots whose model others made: what robot.yaml changes in it, where it is looked
// for, and what is told when that does not fit.
#include "qiao/sim.h"
#include "test.h"

#include <mujoco/mujoco.h>

#define DIR "build/test/adapt"

// A maker's scene: floor, light, a box beside the robot, sensors and a keyframe of all, position
// actuators; a shape that is not drawn.
static const char scene[] =
    "<mujoco><option timestep='0.004' integrator='Euler' iterations='1'/>"
    "<default><joint armature='0.003' damping='0.1'/></default>"
    "<worldbody><geom name='floor' type='plane' size='0 0 1'/><light pos='0 0 3'/>"
    "<camera name='far' pos='3 0 1'/><site name='mark'/>"
    "<body name='cube' pos='1 0 0'><freejoint name='cube'/><geom size='.1'/></body>"
    "<body name='trunk' pos='0 0 0.5'><freejoint name='root'/><geom name='shape' group='3' "
    "type='box' size='.1 .1 .05' mass='2' rgba='0 0 1 0'/><site name='top'/>"
    "<body name='shin' pos='0 0 -.1'><joint name='knee' axis='0 1 0' range='-1 1'/>"
    "<geom type='capsule' size='.02' fromto='0 0 0 0 0 -.3' mass='.5'/>"
    "<body name='toe' pos='0 0 -.3'><joint name='ankle' axis='0 1 0'/>"
    "<geom name='ball' size='.03' mass='.1'/></body></body></body></worldbody>"
    "<actuator><position name='knee_act' joint='knee' kp='20' ctrlrange='-1 1' "
    "forcerange='-9 9'/><motor name='ankle_act' joint='ankle' ctrlrange='-4 4'/></actuator>"
    "<sensor><framepos objtype='body' objname='cube'/><gyro site='top'/></sensor>"
    "<keyframe><key name='home' qpos='1 0 0 1 0 0 0 0 0 .5 1 0 0 0 .2 .3'/></keyframe></mujoco>";

static void put(const char *name, const char *text) {
    char path[300];
    qiao_diag d = {0};
    CHECK(qiao_dir_make(DIR "/maker", &d) == QIAO_OK, "%s", d.text);
    snprintf(path, sizeof path, DIR "/%s", name);
    CHECK(qiao_file_write(path, text, strlen(text), &d) == QIAO_OK, "%s", d.text);
}

static qiao_robot *load(const char *yaml, qiao_diag *d) {
    put("maker/scene.xml", scene), put("robot.yaml", yaml);
    setenv("QIAO_DATA", DIR, 1);
    *d = (qiao_diag){0};
    return qiao_robot_load(DIR "/robot.yaml", d);
}

static char makers[600]; // the makers' files, before a test sets $QIAO_DATA
__attribute__((constructor)) static void find_makers(void) {
    if (test_data()) snprintf(makers, sizeof makers, "%s", test_data());
}

static int line_of(const qiao_diag *d) { // file:line:col: text
    const char *p = strstr(d->text, "robot.yaml:");
    return p ? atoi(p + strlen("robot.yaml:")) : 0;
}

#define MODEL  "name: x\nmodel: $QIAO_DATA/maker/scene.xml\nbase: trunk\n"
#define MOTORS "drives:\n  - {match: '*', motor: true, kp: 20, kd: 1, torque: 9}\n"

TEST(only_the_robot_is_taken) {
    qiao_diag d;
    qiao_robot *r = load(MODEL MOTORS, &d);
    CHECK(r != NULL, "%s", d.text);
    const mjModel *m = r->model->mj;
    CHECK(m->nbody == 4 && m->njnt == 3 && m->nlight == 0 && m->ncam == 0 && m->nkey == 0);
    CHECK(m->nsensor == 0 && m->ngeom == 3 && m->nsite == 1, "%d geoms, %d sites", (int)m->ngeom,
          (int)m->nsite);
    CHECK(qiao_model_body(r->model, "cube") < 0 && qiao_model_body(r->model, "trunk") == 1);
    CHECK_NEAR(m->opt.timestep, 0.004, 0);
    qiao_robot_free(r);
    // without base: the file as it is
    r = load("name: x\nmodel: $QIAO_DATA/maker/scene.xml\n" MOTORS, &d);
    CHECK(r != NULL, "%s", d.text);
    CHECK(r->model->nbody == 5 && r->model->nkey == 1);
    qiao_robot_free(r);
}

TEST(laws_of_actuators_give_way) {
    qiao_diag d;
    qiao_robot *r = load(MODEL "drives:\n  - {match: 'knee*', native: false}\n", &d);
    CHECK(r == NULL);
    CHECK_TEXT(d.text, "'knee_act' follows a law of its own");
    CHECK_TEXT(d.text, "motor: true");
    CHECK(line_of(&d) == 5, "line %d", line_of(&d));
    r = load(MODEL "drives:\n  - {match: 'knee*', native: true, motor: true}\n", &d);
    CHECK(r == NULL);
    CHECK_TEXT(d.text, "not both");
    r = load(MODEL "drives:\n  - {match: 'knee*', native: true}\n", &d);
    CHECK(r && r->drive[0].native, "%s", d.text);
    CHECK_NEAR(r->model->mj->actuator_gainprm[0], 20, 0);
    qiao_robot_free(r);
    r = load(MODEL "drives:\n  - {match: 'knee*', motor: true, kp: 20}\n", &d);
    CHECK(r != NULL, "%s", d.text);
    const mjModel *m = r->model->mj;
    CHECK(!r->drive[0].native && r->drive[0].kp == 20 && m->actuator_gainprm[0] == 1);
    CHECK(m->actuator_biastype[0] == mjBIAS_NONE && !m->actuator_ctrllimited[0]);
    CHECK_NEAR(m->actuator_forcerange[1], 9, 0);
    CHECK_NEAR(r->drive[0].torque_max, 9, 0); // the maker's limit
    CHECK_NEAR(r->drive[1].torque_max, 4, 0);
    qiao_robot_free(r);
}

TEST(numbers_change) {
    qiao_diag d;
    qiao_robot *r =
        load(MODEL MOTORS "physics: {timestep: 0.002, iterations: 40, integrator: implicitfast, "
                          "cone: elliptic, impratio: 10, eulerdamp: false, solver: CG, "
                          "tolerance: 0, ls_iterations: 7}\n"
                          "joints:\n  - {match: 'kn*', armature: 0.01}\n"
                          "  - {match: '*', damping: 0.7, friction: 0.2}\n",
             &d);
    CHECK(r != NULL, "%s", d.text);
    const mjModel *m = r->model->mj;
    CHECK(m->opt.timestep == 0.002 && m->opt.iterations == 40 && m->opt.ls_iterations == 7);
    CHECK(m->opt.integrator == mjINT_IMPLICITFAST && m->opt.cone == mjCONE_ELLIPTIC);
    CHECK(m->opt.impratio == 10 && m->opt.solver == mjSOL_CG && m->opt.tolerance == 0);
    CHECK(m->opt.disableflags & mjDSBL_EULERDAMP);
    // the first entry that fits holds; the free joint stays as it was
    CHECK(m->dof_armature[6] == 0.01 && m->dof_damping[6] == 0.1 && m->dof_frictionloss[6] == 0);
    CHECK(m->dof_armature[7] == 0.003 && m->dof_damping[7] == 0.7 && m->dof_frictionloss[7] == 0.2);
    CHECK(m->dof_damping[0] == 0);
    qiao_robot *plain = load(MODEL MOTORS, &d);
    CHECK(plain && memcmp(plain->hash, r->hash, QIAO_HASH_BYTES) != 0);
    qiao_robot_free(plain), qiao_robot_free(r);
}

TEST(sites_pose_and_shapes) {
    qiao_diag d;
    qiao_robot *r =
        load(MODEL MOTORS "draw_collision: true\nfeet: [sole]\nimu: top\n"
                          "rest: {'*': 0.1, ankle: -0.2}\n"
                          "sites:\n  - {name: sole, body: toe, pos: [0.01, 0, -0.03]}\n",
             &d);
    CHECK(r != NULL, "%s", d.text);
    CHECK(r->nfoot == 1 && r->imu_site >= 0);
    int s = r->foot_site[0];
    CHECK(strcmp(r->model->site_name[s], "sole") == 0);
    CHECK(r->model->site_body[s] == qiao_model_body(r->model, "toe"));
    CHECK_NEAR(r->model->site_pos[3 * s], 0.01, 0);
    CHECK(r->rest_q[7] == 0.1 && r->rest_q[8] == -0.2 && r->rest_q[2] == 0.5);
    int g = qiao_model_geom(r->model, "shape");
    CHECK(r->model->geom_group[g] == 2 && r->model->geom_rgba[4 * g + 3] == 1);
    qiao_robot_free(r);
}

// The world of a scenario gets the same robot: without its maker's floor, with our numbers.
TEST(world_has_the_changed_robot) {
    qiao_diag d;
    qiao_robot *r = load(MODEL MOTORS "physics: {timestep: 0.002}\n"
                                      "joints:\n  - {match: '*', armature: 0.02}\n"
                                      "rest: {knee: 0.4}\n"
                                      "sites:\n  - {name: sole, body: toe}\n",
                         &d);
    CHECK(r != NULL, "%s", d.text);
    qiao_model *w = qiao_model_world(
        r,
        "<mujoco><worldbody><geom name='ground' type='plane' size='0 0 1'/></worldbody></mujoco>",
        (const double[3]){0, 0, 0.2}, 0, &d);
    CHECK(w != NULL, "%s", d.text);
    CHECK(w->nbody == 4 && w->dt == 0.002 && qiao_model_geom(w, "floor") < 0);
    CHECK(qiao_model_site(w, "sole") >= 0 && w->dof_armature[6] == 0.02);
    CHECK(w->q0[7] == 0.4 && w->q0[2] == 0.7);
    CHECK(w->mj->actuator_biastype[0] == mjBIAS_NONE);
    qiao_sim_def def = qiao_sim_def_default();
    def.robot = r, def.world = (const qiao_model *const[]){w};
    for (int i = 0; i < 2; i++) { // both engines take it
        def.engine = i ? "lanes" : "mujoco";
        qiao_sim *sim = qiao_sim_new(&def, &d);
        CHECK(sim != NULL, "%s", d.text);
        double q[2] = {0.5, 0.1}, zero[2] = {0}, own[2] = {-1, -1};
        qiao_sim_command(sim, &(qiao_cmd){1, 2, q, zero, own, own, zero});
        qiao_sim_step(sim, 50);
        CHECK(qiao_sim_status(sim, 0) == QIAO_OK);
        qiao_truth t;
        qiao_sim_truth(sim, 0, &t);
        CHECK(t.act_force_peak[0] > 1.5 && t.act_force_peak[0] < 9.01, "%g", t.act_force_peak[0]);
        qiao_sim_free(sim);
    }
    qiao_model_free(w), qiao_robot_free(r);
}

TEST(absent_files_are_told) {
    qiao_diag d;
    qiao_robot *r = load(MODEL MOTORS, &d);
    CHECK(r != NULL, "%s", d.text);
    qiao_robot_free(r);
    unsetenv("QIAO_DATA");
    d = (qiao_diag){0};
    CHECK(qiao_robot_load(DIR "/robot.yaml", &d) == NULL);
    CHECK(d.err == QIAO_E_IO && line_of(&d) == 2, "%d, line %d", d.err, line_of(&d));
    CHECK_TEXT(d.text, "$QIAO_DATA is not set");
    setenv("QIAO_DATA", DIR "/nowhere", 1);
    d = (qiao_diag){0};
    CHECK(qiao_robot_load(DIR "/robot.yaml", &d) == NULL);
    CHECK(d.err == QIAO_E_IO);
    CHECK_TEXT(d.text, "holds no maker/scene.xml");
    setenv("QIAO_DATA", DIR "/maker", 1); // a folder is no file
    put("robot.yaml", "name: x\nmodel: $QIAO_DATA/../maker/scene.xml\n");
    d = (qiao_diag){0};
    CHECK(qiao_robot_load(DIR "/robot.yaml", &d) == NULL);
    CHECK(d.err == QIAO_E_FORMAT, "%s", d.text);
}

TEST(faults_have_their_place) {
    static const struct {
        const char *yaml, *says;
        int line;
    } all[] = {
        {"name: x\nmodel: $HOME/x.xml\n", "below $QIAO_DATA/", 2},
        {"name: x\nmodel: $QIAO_DATA/\n", "below $QIAO_DATA/", 2},
        {"name: x\nmodel: /etc/passwd\n", "expected a file beside", 2},
        {MODEL MOTORS "physics: 3\n", "expected keys and values", 6},
        {MODEL MOTORS "physics: {timestep: 9}\n", "timestep", 6},
        {MODEL MOTORS "physics: {timestep: nan}\n", "expected a number", 6},
        {MODEL MOTORS "physics: {iterations: 2.5}\n", "whole number", 6},
        {MODEL MOTORS "physics: {integrator: euler}\n", "Euler, RK4, implicit, implicitfast", 6},
        {MODEL MOTORS "physics: {step: 1}\n", "unknown key", 6},
        {MODEL MOTORS "joints: {match: '*'}\n", "expected a list", 6},
        {MODEL MOTORS "joints:\n  - {match: 'nee*', armature: 1}\n", "fits no joint", 7},
        {MODEL MOTORS "joints:\n  - {match: 'root', armature: 1}\n", "fits no joint", 7},
        {MODEL MOTORS "joints:\n  - {match: '*', armature: -1}\n", "armature", 7},
        {MODEL MOTORS "sites:\n  - {name: a}\n", "the body that carries it", 7},
        {MODEL MOTORS "sites:\n  - {name: a, body: tow}\n", "did you mean 'toe'", 7},
        {MODEL MOTORS "sites:\n  - {name: a, body: cube}\n", "no body 'cube'", 7},
        {MODEL MOTORS "sites:\n  - {name: a, body: toe, pos: [1, 2]}\n", "3 numbers", 7},
        {MODEL MOTORS "sites:\n  - {name: a, body: toe, quat: [0, 0, 0, 0]}\n", "length of 1", 7},
        {MODEL MOTORS "sites:\n  - {name: a, body: toe}\n  - {name: a, body: shin}\n", "two sites",
         8},
        {MODEL MOTORS "sites:\n  - {name: top, body: toe}\n", "a site 'top' of its own", 7},
        {MODEL MOTORS "rest: {nee: 1}\n", "no joint 'nee'", 6},
        {MODEL MOTORS "rest: {knee: much}\n", "expected a number", 6},
        {MODEL MOTORS "rest: {root: 1}\n", "", 0},
        {MODEL MOTORS "rest: home\n", "no keyframe 'home'", 6},
        {"name: x\nmodel: $QIAO_DATA/maker/scene.xml\nbase: trunc\n" MOTORS, "did you mean 'trunk'",
         3},
        {MODEL MOTORS "draw_collision: 1\n", "true or false", 6},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        qiao_diag d;
        qiao_robot *r = load(all[i].yaml, &d);
        if (all[i].says[0] == 0) { // taken: a free joint keeps its place
            qiao_robot_free(r);
            continue;
        }
        CHECK(r == NULL, "%s was taken", all[i].yaml);
        CHECK(strstr(d.text, all[i].says) != NULL, "%s: \"%s\" lacks \"%s\"", all[i].yaml, d.text,
              all[i].says);
        CHECK(all[i].line == 0 || line_of(&d) == all[i].line, "%s: line %d", all[i].yaml,
              line_of(&d));
    }
}

// Robots of the house that name their makers' files: they load, and their facts fit together.
TEST(makers_robots_load) {
    if (!makers[0]) SKIP("the makers' files are not at hand");
    setenv("QIAO_DATA", makers, 1);
    static const struct {
        const char *name, *kind;
        double mass, height;
        int joints, feet;
    } all[] = {{"go1", "legged", 12.743, 0.27, 12, 4},
               {"g1", "humanoid", 35.112, 0.75, 29, 2},
               {"oli", "humanoid", 52.933, 0.9, 31, 2},
               {"leap", "hand", 0.749, 0, 16, 0},
               {"tron1_maker", "legged", 18.233, 0.8, 6, 2}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        qiao_diag d = {0};
        qiao_robot *r = qiao_robot_load(all[i].name, &d);
        CHECK(r != NULL, "%s", d.text);
        CHECK(strcmp(r->kind, all[i].kind) == 0 && r->model->nu == all[i].joints);
        CHECK_NEAR(qiao_model_mass(r->model), all[i].mass, 0.002);
        CHECK(r->nfoot == all[i].feet && r->nsensor >= 3);
        CHECK(r->model->mj->nlight == 0);
        for (int k = 0; k < r->model->ngeom; k++)
            CHECK(r->model->geom_body[k] > 0, "%s keeps geom %d of the world", all[i].name, k);
        for (int k = 0; k < r->model->nu; k++) {
            const qiao_drive *v = &r->drive[k];
            CHECK(!v->native && v->kp > 0 && v->torque_max > 0, "%s: drive %s", all[i].name,
                  r->model->act_name[k]);
            double q = r->rest_q[r->model->jnt_qadr[r->model->act_joint[k]]];
            const double *range = r->model->jnt_range + 2 * r->model->act_joint[k];
            CHECK(q >= range[0] && q <= range[1], "%s: %s rests at %g", all[i].name,
                  r->model->act_name[k], q);
        }
        qiao_robot_free(r);
    }
}
