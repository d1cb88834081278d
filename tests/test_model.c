// SPDX-License-Identifier: Apache-2.0
// test_model.c - loading, names, hashes, worlds, and what malformed files are told.
#include "model/yaml.h"
#include "qiao/model.h"
#include "test.h"

#include <unistd.h>

#define DIR "build/test/model"

static void put(const char *name, const char *text) {
    char path[300];
    qiao_diag d = {0};
    snprintf(path, sizeof path, DIR "/%s", name);
    CHECK(qiao_dir_make(DIR, &d) == QIAO_OK);
    CHECK(qiao_file_write(path, text, strlen(text), &d) == QIAO_OK, "%s", d.text);
}

#define HEAD "<mujoco><compiler autolimits='true'/><worldbody>"
static const char cart[] =
    HEAD "<body name='cart'><joint name='slide' type='slide' axis='1 0 0' range='-1 1'/>"
         "<geom name='box' type='box' size='.1 .1 .1' mass='2'/><site name='imu'/>"
         "<body name='pole' pos='0 0 .1'><joint name='hinge' axis='0 1 0' armature='.02'/>"
         "<geom type='capsule' size='.02' fromto='0 0 0 0 0 .5' mass='0.5'/></body></body>"
         "</worldbody><actuator><motor name='push' joint='slide' ctrlrange='-5 5' gear='2'/>"
         "</actuator></mujoco>";

TEST(arrays_and_names) {
    put("cart.xml", cart);
    qiao_diag d = {0};
    qiao_model *m = qiao_model_load(DIR "/cart.xml", &d);
    CHECK(m != NULL, "%s", d.text);
    CHECK(m->nq == 2 && m->nv == 2 && m->nu == 1 && m->nbody == 3);
    CHECK(qiao_model_body(m, "pole") == 2 && qiao_model_body(m, "no") == -1);
    CHECK(m->jnt_type[0] == QIAO_JOINT_SLIDE && m->jnt_type[1] == QIAO_JOINT_HINGE);
    CHECK(m->jnt_range[1] == 1 && m->jnt_range[2] == 0 && m->jnt_range[3] == 0);
    CHECK(m->act_joint[0] == 0 && m->act_gear[0] == 2 && m->act_ctrlrange[1] == 5);
    CHECK(m->dof_armature[1] == 0.02);
    CHECK_NEAR(qiao_model_mass(m), 2.5, 1e-12);
    CHECK(m->body_parent[2] == 1 && m->site_body[0] == 1);
    qiao_model_free(m);
}

// A tetrahedron with outward faces: content that comes from a second file.
static const char tetra[] = "v 0 0 0\nv .2 0 0\nv 0 .2 0\nv 0 0 .2\n"
                            "f 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n";

TEST(hash_is_the_same_in_another_folder) {
    const char *xml = "<mujoco><asset><mesh name='m' file='m.obj'/></asset><worldbody><body>"
                      "<freejoint/><geom type='mesh' mesh='m'/></body></worldbody></mujoco>";
    qiao_diag d = {0};
    uint8_t hash[2][QIAO_HASH_BYTES];
    const char *dir[] = {DIR "/here", DIR "/quite/another/place"};
    for (int i = 0; i < 2; i++) {
        char path[300];
        CHECK(qiao_dir_make(dir[i], &d) == QIAO_OK);
        snprintf(path, sizeof path, "%s/m.obj", dir[i]);
        CHECK(qiao_file_write(path, tetra, strlen(tetra), &d) == QIAO_OK);
        snprintf(path, sizeof path, "%s/robot.xml", dir[i]);
        CHECK(qiao_file_write(path, xml, strlen(xml), &d) == QIAO_OK);
        qiao_model *m = qiao_model_load(path, &d);
        CHECK(m != NULL, "%s", d.text);
        memcpy(hash[i], m->hash, QIAO_HASH_BYTES);
        qiao_model_free(m);
    }
    CHECK(memcmp(hash[0], hash[1], QIAO_HASH_BYTES) == 0);
}

TEST(hash_sees_every_option) {
    static const char *const option[] = {"",
                                         "<option timestep='0.001'/>",
                                         "<option integrator='implicit'/>",
                                         "<option cone='elliptic'/>",
                                         "<option impratio='3'/>",
                                         "<option magnetic='0 0 9'/>",
                                         "<option o_margin='0.1'/>",
                                         "<option actuatorgroupdisable='0'/>",
                                         "<statistic meaninertia='7'/>",
                                         "<option gravity='0 0 -9'/>"};
    enum { N = sizeof option / sizeof *option };
    uint8_t hash[N][QIAO_HASH_BYTES];
    for (int i = 0; i < N; i++) {
        char text[900];
        qiao_diag d = {0};
        snprintf(text, sizeof text, "<mujoco>%s%s", option[i], cart + strlen("<mujoco>"));
        put("option.xml", text);
        qiao_model *m = qiao_model_load(DIR "/option.xml", &d);
        CHECK(m != NULL, "%s: %s", option[i], d.text);
        memcpy(hash[i], m->hash, QIAO_HASH_BYTES);
        qiao_model_free(m);
        for (int k = 0; k < i; k++)
            CHECK(memcmp(hash[i], hash[k], QIAO_HASH_BYTES) != 0, "%s and %s", option[i],
                  option[k]);
    }
}

TEST(hash_is_of_the_content) {
    put("cart.xml", cart), put("cart2.xml", cart);
    char other[sizeof cart];
    strcpy(other, cart);
    memcpy(strstr(other, "mass='2'"), "mass='3'", 8);
    put("other.xml", other);
    const char *path[] = {DIR "/cart.xml", DIR "/cart2.xml", DIR "/other.xml"};
    uint8_t hash[3][QIAO_HASH_BYTES];
    for (int i = 0; i < 3; i++) {
        qiao_model *m = qiao_model_load(path[i], NULL);
        CHECK(m != NULL);
        memcpy(hash[i], m->hash, QIAO_HASH_BYTES);
        qiao_model_free(m);
    }
    CHECK(memcmp(hash[0], hash[1], QIAO_HASH_BYTES) == 0);
    CHECK(memcmp(hash[0], hash[2], QIAO_HASH_BYTES) != 0);
}

TEST(bare_model_becomes_a_robot) {
    put("cart.xml", cart);
    qiao_diag d = {0};
    qiao_robot *r = qiao_robot_load(DIR "/cart.xml", &d);
    CHECK(r != NULL, "%s", d.text);
    CHECK(strcmp(r->name, "cart") == 0 && r->base == 1 && r->imu_site == 0);
    CHECK(!r->drive[0].native && r->drive[0].torque_max == 10); // 5 of control, gear 2
    CHECK(r->nsensor == 6); // encoders, speeds, torques, three of the imu
    qiao_robot_free(r);
}

TEST(urdf_gets_motors) {
    put("arm.urdf",
        "<robot name='arm'><link name='a'><inertial><mass value='1'/><inertia ixx='1' iyy='1' "
        "izz='1' ixy='0' ixz='0' iyz='0'/></inertial></link><link name='b'><inertial>"
        "<mass value='2'/><inertia ixx='1' iyy='1' izz='1' ixy='0' ixz='0' iyz='0'/></inertial>"
        "</link><joint name='elbow' type='revolute'><parent link='a'/><child link='b'/>"
        "<axis xyz='0 0 1'/><limit lower='-1' upper='1' effort='5' velocity='2'/></joint></robot>");
    qiao_diag d = {0};
    qiao_robot *r = qiao_robot_load(DIR "/arm.urdf", &d);
    CHECK(r != NULL, "%s", d.text);
    CHECK(r->model->nu == 1 && strcmp(r->model->act_name[0], "elbow") == 0);
    CHECK(r->drive[0].torque_max == 5); // its effort
    qiao_robot_free(r);
}

#define LINK(name)                                                                       \
    "<link name='" name                                                                  \
    "'><inertial><mass value='1'/><inertia ixx='.1' iyy='.1' izz='.1' ixy='0' "          \
    "ixz='0' iyz='0'/></inertial><collision><geometry><box size='.1 .1 .1'/></geometry>" \
    "</collision></link>"
#define HINGE(name, from, to, x)                                                            \
    "<joint name='" name "' type='revolute'><origin xyz='" x "'/><parent link='" from "'/>" \
    "<child link='" to "'/><axis xyz='0 1 0'/><limit lower='-1' upper='1' effort='5' "      \
    "velocity='2'/></joint>"

TEST(urdf_of_an_arm_moves_as_a_whole) {
    put("arm2.urdf", "<robot name='arm'>" LINK("a") LINK("b") HINGE("j", "a", "b", ".5 0 0") //
        "</robot>");
    qiao_diag d = {0};
    qiao_robot *r = qiao_robot_load(DIR "/arm2.urdf", &d);
    CHECK(r != NULL, "%s", d.text);
    const double pos[3] = {3, 0, 1};
    qiao_model *w = qiao_model_world(
        r, HEAD "<body name='table'><geom name='top' size='.1'/></body></worldbody></mujoco>", pos,
        1.5707963267948966, &d);
    CHECK(w != NULL, "%s", d.text);
    CHECK(qiao_model_body(w, "table") > 0, "what does not move keeps its name");
    CHECK_NEAR(w->geom_pos[0], 3, 1e-12); // link a is fused into the world
    CHECK_NEAR(w->geom_pos[2], 1, 1e-12);
    int b = qiao_model_body(w, "b");
    CHECK_NEAR(w->body_pos[3 * b], 3, 1e-12);
    CHECK_NEAR(w->body_pos[3 * b + 1], 0.5, 1e-12);
    qiao_model_free(w), qiao_robot_free(r);
}

TEST(urdf_with_legs_floats_on_its_soles) {
    put("legs.urdf",
        "<robot name='legs'>" LINK("trunk") LINK("l1") LINK("l2") LINK("l3") LINK("r1") LINK("r2")
            LINK("r3") HINGE("lh", "trunk", "l1", "0 .2 -.1") HINGE("lk", "l1", "l2", "0 0 -.3")
                HINGE("la", "l2", "l3", "0 0 -.3") HINGE("rh", "trunk", "r1", "0 -.2 -.1")
                    HINGE("rk", "r1", "r2", "0 0 -.3")
                        HINGE("ra", "r2", "r3", "0 0 -.3") "</robot>");
    qiao_diag d = {0};
    qiao_robot *r = qiao_robot_load(DIR "/legs.urdf", &d);
    CHECK(r != NULL, "%s", d.text);
    CHECK(strcmp(r->kind, "legged") == 0 && r->nfoot == 2 && r->model->nv == 12);
    CHECK(strcmp(r->model->body_name[r->base], "trunk") == 0);
    CHECK_NEAR(r->rest_q[2], 0.75, 1e-12); // 0.1 + 0.3 + 0.3 and half of the lowest box
    const double pos[3] = {1, 0, 0};
    qiao_model *w = qiao_model_world(
        r, HEAD "<geom type='plane' size='0 0 1'/></worldbody></mujoco>", pos, 0, &d);
    CHECK(w != NULL, "%s", d.text);
    CHECK(w->nv == 12 && qiao_model_site(w, "l3_foot") >= 0);
    CHECK_NEAR(w->q0[0], 1, 0);
    CHECK_NEAR(w->q0[2], 0.75, 1e-12);
    qiao_model_free(w), qiao_robot_free(r);
}

TEST(yaw_holds_for_every_way_to_write_a_turn) {
    static const char *const way[] = {"euler='0 0 10'", "axisangle='0 0 1 10'",
                                      "quat='0.9961946980917455 0 0 0.08715574274765817'"};
    for (int i = 0; i < 6; i++) {
        char text[600], body[300];
        snprintf(body, sizeof body,
                 "<body name='b' %s><joint name='j' axis='0 1 0'/><geom size='.1'/></body>",
                 way[i / 2]);
        snprintf(text, sizeof text,
                 i % 2 ? HEAD "<frame pos='.5 0 2'>%s</frame></worldbody></mujoco>"
                       : HEAD "%s</worldbody></mujoco>",
                 body);
        put("turn.xml", text);
        qiao_diag d = {0};
        qiao_robot *r = qiao_robot_load(DIR "/turn.xml", &d);
        CHECK(r != NULL, "%s", d.text);
        const double pos[3] = {1, 0, 0};
        qiao_model *w = qiao_model_world(r, "<mujoco/>", pos, 1.5707963267948966, &d);
        CHECK(w != NULL, "%s", d.text);
        CHECK_NEAR(w->body_quat[7], sin(50 * 3.14159265358979323846 / 180), 1e-9); // (90 + 10) / 2
        CHECK_NEAR(w->body_pos[3], 1, 1e-12);
        CHECK_NEAR(w->body_pos[4], i % 2 ? 0.5 : 0, 1e-12); // the frame's x has become y
        CHECK_NEAR(w->body_pos[5], i % 2 ? 2 : 0, 1e-12);
        qiao_model_free(w), qiao_robot_free(r);
    }
}

TEST(makers_files_are_recognized) {
    static const struct {
        const char *file, *kind, *base;
        int feet;
    } all[] = {{"mujoco_menagerie/unitree_go2/go2_nomesh.xml", "legged", "base", 4},
               {"mujoco_menagerie/unitree_go1/go1_nomesh.xml", "legged", "trunk", 4},
               {"limx/PF_TRON1A/xml/robot_nomesh.xml", "legged", "base_Link", 2},
               {"limx/PF_TRON1A/urdf/robot.urdf", "legged", "base_Link", 2},
               {"limx/HU_D04/xml/HU_D04_serial_nomesh.xml", "humanoid", "base_link", 2},
               {"limx/HU_D04/urdf/HU_D04_01.urdf", "humanoid", "base_link", 2},
               {"mujoco_menagerie/franka_emika_panda/panda_nohand.xml", "arm", "link0", 0},
               {"mujoco_menagerie/leap_hand/right_hand.xml", "hand", "palm", 0},
               {"mujoco_menagerie/unitree_h1/h1.xml", "humanoid", "pelvis", 2}};
    if (!test_data()) SKIP("the makers' files are not at hand");
    int seen = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char path[700];
        qiao_diag d = {0};
        snprintf(path, sizeof path, "%s/%s", test_data(), all[i].file);
        if (access(path, R_OK) != 0) continue;
        qiao_robot *r = qiao_robot_load(path, &d);
        CHECK(r != NULL, "%s", d.text);
        CHECK(strcmp(r->kind, all[i].kind) == 0, "%s: %s", all[i].file, r->kind);
        CHECK(strcmp(r->model->body_name[r->base], all[i].base) == 0, "%s: %s", all[i].file,
              r->model->body_name[r->base]);
        CHECK(r->nfoot == all[i].feet, "%s: %d feet", all[i].file, r->nfoot);
        qiao_robot_free(r), seen++;
    }
    if (!seen) SKIP("the makers' files are not at hand");
}

TEST(world_holds_robot_and_scene) {
    qiao_diag d = {0};
    qiao_robot *r = qiao_robot_load("go2", &d);
    CHECK(r != NULL, "%s", d.text);
    const double pos[3] = {1, 2, 0.5};
    qiao_model *w = qiao_model_world(
        r,
        HEAD "<geom name='floor' type='plane' size='0 0 1'/><body name='ball' pos='0 0 3'>"
             "<freejoint/><geom size='.1'/></body></worldbody></mujoco>",
        pos, 1.5707963267948966, &d);
    CHECK(w != NULL, "%s", d.text);
    CHECK(w->nq == r->model->nq + 7 && strcmp(w->body_name[1], "base") == 0);
    CHECK_NEAR(w->q0[0], 1, 0);
    CHECK_NEAR(w->q0[2], 0.5 + 0.27, 1e-12); // the place and the height of the rest pose
    CHECK_NEAR(w->q0[3], sqrt(0.5), 1e-12);
    CHECK_NEAR(w->q0[6], sqrt(0.5), 1e-12);
    CHECK(w->q0[8] == r->rest_q[8]);
    CHECK(w->dt == r->model->dt);
    qiao_arena *a = qiao_arena_new();
    qiao_part part;
    CHECK(qiao_model_part(w, r, a, &part, &d) == QIAO_OK, "%s", d.text);
    for (int i = 0; i < r->model->ngeom; i++)
        CHECK(w->geom_type[part.geom[i]] == r->model->geom_type[i] &&
                  w->geom_size[3 * part.geom[i]] == r->model->geom_size[3 * i],
              "geom %d", i);
    qiao_arena_free(a), qiao_model_free(w);
    // names that clash are named
    w = qiao_model_world(r, HEAD "<body name='base'><geom size='.1'/></body></worldbody></mujoco>",
                         pos, 0, &d);
    CHECK(w == NULL);
    CHECK_TEXT(d.text, "base");
    qiao_robot_free(r);
}

typedef struct fault {
    const char *file, *text, *says;
} fault;

TEST(malformed_models_are_told_where) {
    const fault table[] = {
        {"cut.xml", "<mujoco><worldbody>", "cut.xml"},
        {"empty.xml", "", "empty.xml"},
        {"word.xml", "<mujoco>\n<worldbody>\n<boddy/>\n</worldbody></mujoco>", "word.xml:3:"},
        {"quat.xml", "<mujoco>\n<worldbody><body quat='1, 0, 0, 0'/></worldbody></mujoco>",
         "quat.xml:2:"},
        {"mesh.xml", "<mujoco><asset><mesh name='m' file='gone.obj'/></asset></mujoco>",
         "gone.obj"},
        {"twice.xml", HEAD "<body name='a'/><body name='a'/></worldbody></mujoco>", "a"},
        {"mass.xml", HEAD "<body><freejoint/></body></worldbody></mujoco>", "mass"},
        {"nan.xml", HEAD "<body pos='nan 0 0'/></worldbody></mujoco>", "nan.xml: Error"},
        {"self.xml", "<mujoco><include file='self.xml'/></mujoco>",
         "self.xml:1:24: files are nested"},
        {"huge.xml", HEAD "<body pos='1e30 0 0'><geom size='1'/></body></worldbody></mujoco>",
         "pos of a body is 1e+30; expected less than 1e8"},
        {"digits.xml", HEAD "<body pos='1e400 0 0'/></worldbody></mujoco>", "digits.xml:1: "},
        {"step.xml", "<mujoco><option timestep='0'/></mujoco>", "timestep is 0 s; expected 1e-5"},
        {"back.xml", "<mujoco><option timestep='-.002'/></mujoco>", "timestep is -0.002 s"},
        {"memory.xml", "<mujoco>\n<size memory='900G'/></mujoco>",
         "memory.xml:2:15: memory asks for too much; expected at most 4000000000"},
        {"copies.xml", HEAD "\n<replicate count='1000000000' offset='1 0 0'/></worldbody></mujoco>",
         "copies.xml:2:19: count asks for too much; expected at most 2000"},
        {"copies2.xml",
         HEAD "<replicate count='60'>\n<replicate count='60'><geom size='1'/></replicate>"
              "</replicate></worldbody></mujoco>",
         "copies2.xml:2:19: count asks for too much"},
        {"hidden.xml", HEAD "<replicate count='&#57;9'/></worldbody></mujoco>", "hides its digits"},
        {"field.xml", "<mujoco><asset><hfield name='t' nrow='99999' ncol='9'/></asset></mujoco>",
         "field.xml:1:39: nrow asks for too much"},
        {"grid.xml", HEAD "<flexcomp type='grid' count='500 500 500'/></worldbody></mujoco>",
         "count asks for too much"},
        {"outer.xml", "<mujoco><include file='grid.xml'/></mujoco>", "/grid.xml:1:"},
        {"act.xml", HEAD "</worldbody><actuator><motor joint='x'/></actuator></mujoco>", "x"},
        {"size.xml", HEAD "<body><geom size='-1'/></body></worldbody></mujoco>", "size"},
        {"bytes.xml", "\x01\x02\xff\xfe garbage", "bytes.xml"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char path[300];
        qiao_diag d = {0};
        put(table[i].file, table[i].text);
        snprintf(path, sizeof path, DIR "/%s", table[i].file);
        qiao_robot *r = qiao_robot_load(path, &d);
        CHECK(r == NULL, "%s was taken", table[i].file);
        CHECK(d.err != QIAO_OK && strstr(d.text, table[i].says), "%s: '%s' lacks '%s'",
              table[i].file, d.text, table[i].says);
    }
}

TEST(brackets_do_not_take_all_day) {
    enum { N = 900000 };
    char *text = malloc(N + 1);
    CHECK(text != NULL);
    memset(text, '[', N), text[N] = 0;
    memcpy(text, "model: ", 7);
    put("deep.yaml", text);
    free(text);
    qiao_diag d = {0};
    CHECK(qiao_robot_load(DIR "/deep.yaml", &d) == NULL);
    CHECK_TEXT(d.text, "deep.yaml:1:4008: more than 4000 lists and braces");
}

TEST(malformed_robot_yaml_is_told_where) {
    put("cart.xml", cart);
    put("servo.xml",
        HEAD "<body><joint name='push' type='slide'/><geom size='.1'/></body></worldbody>"
             "<actuator><position name='push' joint='push' kp='9'/></actuator></mujoco>");
    const fault table[] = {
        {"a.yaml", "name: x\n", "a.yaml:1:1: 'model' is missing"},
        {"b.yaml", "model: cart.xml\nmodle: y\n", "b.yaml:2:1: unknown key 'modle'; did you mean"},
        {"c.yaml", "model: gone.xml\n", "gone.xml"},
        {"d.yaml", "model: cart.xml\nbase: crat\n",
         "d.yaml:2:7: the model has no body 'crat'; did"},
        {"e.yaml", "model: cart.xml\nfeet: [imuu]\n", "e.yaml:2:8: the model has no site 'imuu'"},
        {"f.yaml", "model: cart.xml\ndrives:\n  - {match: psh, kp: 1}\n", "fits no actuator"},
        {"g.yaml", "model: cart.xml\ndrives:\n  - {match: push, kp: much}\n",
         "g.yaml:3:23: kp: expected a number, not 'much'"},
        {"h.yaml", "model: cart.xml\ndrives:\n  - {match: push, torque: -3}\n", "from 0 to"},
        {"i.yaml", "model: cart.xml\nsensors:\n  - {kind: joint_pso}\n",
         "did you mean 'joint_pos'"},
        {"j.yaml", "model: cart.xml\nsensors:\n  - {kind: wrench}\n",
         "needs the robot's tool site"},
        {"k.yaml", "model: [unclosed\n", "k.yaml:"},
        {"l.yaml", "- a\n- b\n", "l.yaml:1:1: expected keys"},
        {"m.yaml", "model: ../cart.xml\n", "expected a file beside this one"},
        {"n.yaml", "model: cart.xml\nkind: dog\n", "unknown kind 'dog'"},
        {"o.yaml", "model: cart.xml\npayload: [1, 2]\n", "list of 3 numbers"},
        {"p.yaml", "model: cart.xml\nrest: home\n", "no keyframe 'home'"},
        {"q.yaml", "model: cart.xml\nmodel: cart.xml\n", "q.yaml:2:1: 'model' is given twice"},
        {"r.yaml", "model: cart.xml\nbase: world\n", "r.yaml:2:7: base: expected a body"},
        {"s.yaml", "model: cart.xml\nsensors:\n  - {kind: base_pose}\n",
         "s.yaml:3:5: 'base_pose' is no sensor of a robot: a scenario grants it"},
        {"t.yaml", "model: servo.xml\ndrives: [{match: push, native: false}]\n",
         "t.yaml:2:10: 'push' follows a law of its own"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char path[300];
        qiao_diag d = {0};
        put(table[i].file, table[i].text);
        snprintf(path, sizeof path, DIR "/%s", table[i].file);
        qiao_robot *r = qiao_robot_load(path, &d);
        CHECK(r == NULL, "%s was taken", table[i].file);
        CHECK(strstr(d.text, table[i].says), "%s: '%s' lacks '%s'", table[i].file, d.text,
              table[i].says);
    }
}

TEST(names_at_hand) {
    qiao_diag d = {0};
    qiao_arena *a = qiao_arena_new();
    const char *names[50];
    int n = qiao_robot_list(a, names, 50), found = 0;
    for (int i = 0; i < n; i++)
        found +=
            !strcmp(names[i], "go2") || !strcmp(names[i], "panda") || !strcmp(names[i], "tron1");
    CHECK(found == 3);
    qiao_arena_free(a);
    CHECK(qiao_robot_load("go22", &d) == NULL);
    CHECK_TEXT(d.text, "did you mean 'go2'");
}

TEST(picture) {
    qiao_diag d = {0};
    qiao_robot *r = qiao_robot_load("tron1", &d);
    CHECK(r != NULL, "%s", d.text);
    qiao_err e = qiao_model_draw(r->model, r->rest_q, NULL, 160, 120, DIR "/tron1.png", &d);
    qiao_robot_free(r);
    if (e == QIAO_E_UNSUPPORTED) SKIP("%.200s", d.text);
    char *png;
    size_t n;
    CHECK(e == QIAO_OK, "%s", d.text);
    CHECK(qiao_file_read(DIR "/tron1.png", 1 << 20, &png, &n, &d) == QIAO_OK);
    bool magic = n > 2000 && memcmp(png, "\x89PNG", 4) == 0;
    free(png);
    CHECK(magic, "%zu bytes", n);
}
