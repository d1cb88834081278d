// SPDX-License-Identifier: Apache-2.0
// world.c - a scene and a robot in one model. The scene is attached to the robot's spec, so the
// robot's bodies, joints and options (step, integrator, solver) come first.
#include "model/compile.h"
#include "model/mjguard.h"

#include <math.h>
#include <string.h>

// The start: the model's own pose with the robot's rest pose in it. A floating base stands at the
// place's position plus the rest pose's height.
static void start_pose(qiao_model *w, const qiao_robot *r, const double pos[3], double yaw) {
    double *q0;
    memcpy(&q0, &w->q0, sizeof q0); // made by qi_compile for us
    const qiao_model *m = r->model;
    static const int width[] = {7, 4, 1, 1};
    for (int i = 0; i < m->njnt; i++) {
        int j = qiao_model_joint(w, m->jnt_name[i]);
        if (m->jnt_name[i][0] == 0) j = i; // unnamed ones come in the robot's order
        if (j < 0) continue;
        memcpy(q0 + w->jnt_qadr[j], r->rest_q + m->jnt_qadr[i],
               (size_t)width[m->jnt_type[i]] * sizeof *q0);
        if (m->jnt_type[i] != QIAO_JOINT_FREE || m->jnt_body[i] != r->base) continue;
        double *q = q0 + w->jnt_qadr[j], turn[4] = {cos(yaw / 2), 0, 0, sin(yaw / 2)}, rest[4];
        memcpy(rest, q + 3, sizeof rest);
        q[0] = pos[0], q[1] = pos[1], q[2] += pos[2];
        mju_mulQuat(q + 3, turn, rest);
    }
}

// Puts the base body where the place says; for a fixed base this is where it is bolted down.
static void move_base(mjSpec *robot, const qiao_robot *r, const double pos[3], double yaw) {
    mjsBody *base = mjs_findBody(robot, r->model->body_name[r->base]);
    if (!base) return;
    double turn[4] = {cos(yaw / 2), 0, 0, sin(yaw / 2)}, own[3], quat[4];
    mju_rotVecQuat(own, base->pos, turn);
    bool floating = r->model->body_jntnum[r->base] > 0 &&
                    r->model->jnt_type[r->model->body_jntadr[r->base]] == QIAO_JOINT_FREE;
    for (int i = 0; i < 3; i++) base->pos[i] = pos[i] + own[i] * (floating && i < 2 ? 0 : 1);
    if (base->alt.type == mjORIENTATION_QUAT) {
        mju_mulQuat(quat, turn, base->quat);
        memcpy(base->quat, quat, sizeof quat);
    }
}

static void drop_keys(mjSpec *spec) {
    for (mjsElement *e; (e = mjs_firstElement(spec, mjOBJ_KEY));)
        if (mjs_delete(spec, e)) break;
}

static mjSpec *join(mjSpec *robot, mjSpec *scene, qi_guard *g) {
    qi_guard_arm(g);
    mjsElement *volatile done = NULL;
    if (setjmp(g->jump) == 0) {
        mjsFrame *frame = mjs_addFrame(mjs_findBody(robot, "world"), NULL);
        done = mjs_attach(frame->element, scene->element, "", "");
    }
    qi_guard_disarm(g);
    return done ? robot : NULL;
}

qiao_model *qiao_model_world(const qiao_robot *r, const char *scene_xml, const double pos[3],
                             double yaw, qiao_diag *d) {
    mjSpec *robot = qi_parse(r->path, NULL, d);
    if (!robot) return NULL;
    mjSpec *scene = qi_parse("scene", scene_xml, d);
    qiao_model *w = NULL;
    qi_guard g = {0};
    if (scene) {
        qi_add_motors(robot);
        drop_keys(robot), drop_keys(scene);
        move_base(robot, r, pos, yaw);
        if (join(robot, scene, &g)) {
            w = qi_compile(robot, "scene", d);
        } else {
            const char *why = g.text[0] ? g.text : mjs_getError(robot);
            qiao_diag_set(d, QIAO_E_FIT, "scene", 0, 0, "does not go together with %s: %s", r->name,
                          why ? why : "");
        }
    }
    mj_deleteSpec(robot);
    if (scene) mj_deleteSpec(scene);
    if (w) start_pose(w, r, pos, yaw);
    return w;
}

// Maps the robot's names to the world's indices; unnamed parts keep their order.
static int *map_names(qiao_arena *a, int n, const char *const *names, int nw,
                      const char *const *world, const char *what, qiao_diag *d) {
    int *map = qiao_arena_get(a, (size_t)(n + 1) * sizeof *map);
    for (int i = 0; map && i < n; i++) {
        map[i] = i < nw && strcmp(names[i], world[i]) == 0 ? i : -1;
        for (int k = 0; map[i] < 0 && names[i][0] && k < nw; k++)
            if (strcmp(names[i], world[k]) == 0) map[i] = k;
        if (map[i] >= 0) continue;
        qiao_diag_set(d, QIAO_E_FIT, NULL, 0, 0, "the world lacks the robot's %s '%s' (number %d)",
                      what, names[i], i);
        return NULL;
    }
    return map;
}

qiao_err qiao_model_part(const qiao_model *w, const qiao_robot *r, qiao_arena *a, qiao_part *part,
                         qiao_diag *d) {
    const qiao_model *m = r->model;
    part->body = map_names(a, m->nbody, m->body_name, w->nbody, w->body_name, "body", d);
    part->jnt = map_names(a, m->njnt, m->jnt_name, w->njnt, w->jnt_name, "joint", d);
    part->act = map_names(a, m->nu, m->act_name, w->nu, w->act_name, "actuator", d);
    part->site = map_names(a, m->nsite, m->site_name, w->nsite, w->site_name, "site", d);
    part->geom = map_names(a, m->ngeom, m->geom_name, w->ngeom, w->geom_name, "geom", d);
    bool ok = part->body && part->jnt && part->act && part->site && part->geom;
    return ok ? QIAO_OK : QIAO_E_FIT;
}
