// SPDX-License-Identifier: Apache-2.0
// lanes_robots.h - the makers' robots that engine lanes is held against.
#ifndef QIAO_TEST_LANES_ROBOTS_H
#define QIAO_TEST_LANES_ROBOTS_H

#include "lanes_case.h"

// How far qacc of 64-bit lanes may be off: pairs of meshes and cylinders go through MuJoCo's own
// GJK and EPA, whose answer moves by up to its tolerance with the last bits of a pose.
static const struct robot {
    const char *name, *path; // below test_data()
    double qacc;
} robots[] = {
    {"Unitree Go1, feet only",
     "mujoco_playground/_src/locomotion/go1/xmls/scene_mjx_feetonly_flat_terrain_nomesh.xml", 1e-6},
    {"Unitree Go1", "mujoco_menagerie/unitree_go1/go1_nomesh.xml", 1e-6},
    {"Unitree Go2", "mujoco_menagerie/unitree_go2/go2_nomesh.xml", 1e-6},
    {"Unitree G1", "mujoco_menagerie/unitree_g1/scene.xml", 1e-6},
    {"Unitree H1", "mujoco_menagerie/unitree_h1/scene.xml", 1e-6},
    {"LimX TRON1", "limx/PF_TRON1A/xml/robot_nomesh.xml", 1e-6},
    {"LimX Oli", "limx/HU_D04/xml/HU_D04_serial_nomesh.xml", 1e-6},
    {"Franka Panda with cube", "mujoco_menagerie/franka_emika_panda/mjx_single_cube.xml", 1e-5},
    {"LEAP hand", "mujoco_menagerie/leap_hand/scene_right.xml", 1e-6},
    {"LEAP hand with cube", "mujoco_playground/_src/manipulation/leap_hand/xmls/scene_mjx_cube.xml",
     1e-6},
    {"Shadow hand", "mujoco_menagerie/shadow_hand/scene_right.xml", 1e-3},
};
enum { NROBOT = sizeof robots / sizeof *robots };

// The maker's file, and a ground if it brings none; NULL: printed why.
static mjModel *robot_model(const struct robot *r) {
    char path[1024], err[500] = "";
    snprintf(path, sizeof path, "%s/%s", test_data(), r->path);
    mjSpec *s = mj_parseXML(path, NULL, err, sizeof err);
    mjsBody *world = s ? mjs_findBody(s, "world") : NULL;
    if (world && !mjs_firstChild(world, mjOBJ_GEOM, 0)) {
        mjsGeom *g = mjs_addGeom(world, NULL);
        g->type = mjGEOM_PLANE, g->size[0] = g->size[1] = 5, g->size[2] = 1;
    }
    mjModel *m = s ? mj_compile(s, NULL) : NULL;
    if (!m) printf("  %s: %s %s\n", path, err, s ? mjs_getError(s) : "");
    if (s) mj_deleteSpec(s);
    return m;
}

#endif
