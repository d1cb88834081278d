// SPDX-License-Identifier: Apache-2.0
// world.c - a scene and a robot in one model. The scene is attached to the robot's spec, so the
// robot's bodies, joints and options (step, integrator, solver) come first.
#include "model/adapt.h"
#include "model/bare.h"
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
    const qiao_model *m = r->model;
    mjsBody *root = mjs_findBody(robot, m->body_name[r->base]),
            *world = mjs_findBody(robot, "world");
    if (!root || root == world) return;
    for (mjsBody *up; (up = mjs_getParent(root->element)) && up != world;) root = up;
    int jnt = m->body_jntnum[r->base] > 0 ? m->body_jntadr[r->base] : -1;
    bool floating = jnt >= 0 && m->jnt_type[jnt] == QIAO_JOINT_FREE;
    double turn[4] = {cos(yaw / 2), 0, 0, sin(yaw / 2)}, old[3], *p = root->pos, *q = root->quat;
    mjsOrientation *alt = &root->alt;
    for (mjsFrame *f = mjs_getFrame(root->element); f; f = mjs_getFrame(f->element))
        p = f->pos, q = f->quat, alt = &f->alt; // the outermost frame carries all within
    if (alt->type != mjORIENTATION_QUAT) {      // euler, axisangle, ...
        mjs_resolveOrientation(q, robot->compiler.degree, robot->compiler.eulerseq, alt);
        alt->type = mjORIENTATION_QUAT;
    }
    double quat[4];
    mju_rotVecQuat(old, p, turn);
    for (int i = 0; i < 3; i++) p[i] = pos[i] + old[i] * (floating && i < 2 ? 0 : 1);
    mju_mulQuat(quat, turn, q);
    memcpy(q, quat, sizeof quat);
}

// A URDF's compiler fuses what does not move; a scene's bodies keep their names.
static void keep_bodies(mjSpec *scene) {
    for (mjsElement *e = mjs_firstElement(scene, mjOBJ_BODY); e; e = mjs_nextElement(scene, e))
        mjs_asBody(e)->fuse = 0;
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
    mjSpec *robot = qi_adapt_parse(r->path, r->adapt, d);
    if (!robot) return NULL;
    mjSpec *scene = qi_parse("scene", scene_xml, NULL, d);
    qiao_model *w = NULL;
    qi_guard g = {0};
    if (scene) {
        qi_add_motors(robot), qi_bare_again(robot, r->model);
        keep_bodies(scene);
        drop_keys(robot), drop_keys(scene);
        move_base(robot, r, pos, yaw);
        memcpy(robot->option.gravity, scene->option.gravity, sizeof robot->option.gravity);
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

// The k-th element of a body is the k-th of the same body in the world: scenes add none to it.
static int by_body(int i, const int *body, int nw, const int *world_body, const int *map_body) {
    int k = 0, want = map_body[body[i]];
    for (int j = 0; j < i; j++) k += body[j] == body[i];
    for (int j = 0; j < nw; j++)
        if (world_body[j] == want && k-- == 0) return j;
    return -1;
}

// Maps the robot's names to the world's indices; unnamed parts by their body, or their order.
typedef struct parts {
    const char *what;
    int n, nw;
    const char *const *names, *const *world;
    const int *body, *world_body, *map_body; // NULL: the order counts
} parts;

static int *map_names(qiao_arena *a, const parts *p, qiao_diag *d) {
    int *map = qiao_arena_get(a, (size_t)(p->n + 1) * sizeof *map);
    for (int i = 0; map && i < p->n; i++) {
        map[i] = -1;
        if (p->names[i][0] == 0)
            map[i] = p->body ? by_body(i, p->body, p->nw, p->world_body, p->map_body) : i;
        else if (i < p->nw && strcmp(p->names[i], p->world[i]) == 0)
            map[i] = i;
        for (int k = 0; map[i] < 0 && p->names[i][0] && k < p->nw; k++)
            if (strcmp(p->names[i], p->world[k]) == 0) map[i] = k;
        if (map[i] >= 0 && map[i] < p->nw) continue;
        qiao_diag_set(d, QIAO_E_FIT, NULL, 0, 0, "the world lacks the robot's %s '%s' (number %d)",
                      p->what, p->names[i], i);
        return NULL;
    }
    return map;
}

qiao_err qiao_model_part(const qiao_model *w, const qiao_robot *r, qiao_arena *a, qiao_part *part,
                         qiao_diag *d) {
    const qiao_model *m = r->model;
    int *body = map_names(
        a, &(parts){"body", m->nbody, w->nbody, m->body_name, w->body_name, NULL, NULL, NULL}, d);
    if (!body) return QIAO_E_FIT;
    const parts all[] = {
        {"joint", m->njnt, w->njnt, m->jnt_name, w->jnt_name, m->jnt_body, w->jnt_body, body},
        {"actuator", m->nu, w->nu, m->act_name, w->act_name, NULL, NULL, NULL},
        {"site", m->nsite, w->nsite, m->site_name, w->site_name, m->site_body, w->site_body, body},
        {"geom", m->ngeom, w->ngeom, m->geom_name, w->geom_name, m->geom_body, w->geom_body, body}};
    int *map[4];
    for (int i = 0; i < 4; i++)
        if (!(map[i] = map_names(a, &all[i], d))) return QIAO_E_FIT;
    *part = (qiao_part){body, map[0], map[1], map[2], map[3]};
    return QIAO_OK;
}
