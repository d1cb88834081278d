// SPDX-License-Identifier: Apache-2.0
// adapt.c - see adapt.h; the changes are made in MuJoCo's spec, before it is compiled.
#include "model/adapt.h"

#include "model/mjguard.h"

#include <fnmatch.h>
#include <string.h>

static const char *name_of(mjsElement *e) {
    const char *s = mjs_getString(mjs_getName(e));
    return s ? s : "";
}

// The body below the world that carries a named body; NULL: there is no such body.
static mjsBody *root_of(mjSpec *spec, const char *name) {
    mjsBody *b = mjs_findBody(spec, name), *world = mjs_findBody(spec, "world");
    if (!b || b == world) return NULL;
    for (mjsBody *up; (up = mjs_getParent(b->element)) && up != world;) b = up;
    return b;
}

static void delete_all(mjSpec *spec, mjtObj type) {
    for (mjsElement *e; (e = mjs_firstElement(spec, type));)
        if (mjs_delete(spec, e)) break;
}

// Whatever stands in the file's world beside the robot: floor, lights, cameras, other bodies. With
// a body go sensors and keyframes, which may speak of it.
static void strip(mjSpec *spec, const char *base) {
    mjsBody *root = root_of(spec, base), *world = mjs_findBody(spec, "world");
    static const mjtObj kinds[] = {mjOBJ_GEOM, mjOBJ_SITE, mjOBJ_CAMERA, mjOBJ_LIGHT, mjOBJ_BODY};
    bool bodies = false;
    if (!root) return; // told by qi_adapt_check
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (mjsElement *e = mjs_firstChild(world, kinds[k], 0), *next; e; e = next) {
            next = mjs_nextChild(world, e, 0);
            if (e == root->element) continue;
            if (kinds[k] == mjOBJ_BODY && !bodies) {
                bodies = true;
                delete_all(spec, mjOBJ_SENSOR), delete_all(spec, mjOBJ_KEY);
            }
            mjs_delete(spec, e);
        }
}

static void change_joints(mjSpec *spec, const qiao_adapt *a) {
    for (mjsElement *e = mjs_firstElement(spec, mjOBJ_JOINT); e; e = mjs_nextElement(spec, e)) {
        mjsJoint *j = mjs_asJoint(e);
        if (j->type != mjJNT_HINGE && j->type != mjJNT_SLIDE) continue;
        for (int i = 0; i < a->njoint; i++) {
            const qi_adapt_joint *c = &a->joint[i];
            if (fnmatch(c->match, name_of(e), 0) != 0) continue;
            if (c->armature >= 0) j->armature = c->armature;
            if (c->damping >= 0) j->damping[0] = c->damping;
            if (c->friction >= 0) j->frictionloss = c->friction;
            break;
        }
    }
}

static void add_sites(mjSpec *spec, const qiao_adapt *a) {
    for (int i = 0; i < a->nsite; i++) {
        const qi_adapt_site *c = &a->site[i];
        mjsBody *b = mjs_findBody(spec, c->body);
        if (!b) continue; // told by qi_adapt_check
        if (mjs_findElement(spec, mjOBJ_SITE, c->name)) continue;
        mjsSite *s = mjs_addSite(b, NULL);
        mju_copy3(s->pos, c->pos), mju_copy4(s->quat, c->quat);
        s->size[0] = 0.005, s->group = 4;
        mjs_setName(s->element, c->name);
    }
}

// The law of position, velocity and general actuators goes; what they drive, their gear and their
// force limits stay.
static void make_motors(mjSpec *spec, const qiao_adapt *a) {
    for (mjsElement *e = mjs_firstElement(spec, mjOBJ_ACTUATOR); e; e = mjs_nextElement(spec, e)) {
        int i = 0;
        while (i < a->nlaw && fnmatch(a->law[i].match, name_of(e), 0) != 0) i++;
        if (i == a->nlaw || !a->law[i].motor) continue;
        mjsActuator *act = mjs_asActuator(e);
        mju_zero(act->gainprm, mjNGAIN), mju_zero(act->biasprm, mjNBIAS);
        mjs_setToMotor(act);
        act->ctrllimited = mjLIMITED_FALSE, act->inheritrange = 0;
        act->ctrlrange[0] = act->ctrlrange[1] = 0;
    }
}

static void draw_shapes(mjSpec *spec) {
    static const float plain[4] = {0.5f, 0.53f, 0.57f, 1};
    for (mjsElement *e = mjs_firstElement(spec, mjOBJ_GEOM); e; e = mjs_nextElement(spec, e)) {
        mjsGeom *g = mjs_asGeom(e);
        if (g->group == 3) g->group = 2;
        if (g->rgba[3] < 0.9f) memcpy(g->rgba, plain, sizeof plain);
    }
}

static void set_physics(mjOption *o, const qiao_adapt *a) {
    if (a->timestep > 0) o->timestep = a->timestep;
    if (a->impratio > 0) o->impratio = a->impratio;
    if (a->tolerance >= 0) o->tolerance = a->tolerance;
    if (a->integrator >= 0) o->integrator = a->integrator;
    if (a->solver >= 0) o->solver = a->solver;
    if (a->cone >= 0) o->cone = a->cone;
    if (a->iterations >= 0) o->iterations = a->iterations;
    if (a->ls_iterations >= 0) o->ls_iterations = a->ls_iterations;
    if (a->damped == 0) o->disableflags |= mjDSBL_EULERDAMP;
    if (a->damped > 0) o->disableflags &= ~mjDSBL_EULERDAMP;
}

mjSpec *qi_adapt_parse(const char *path, const qiao_adapt *a, qiao_diag *d) {
    mjSpec *spec = qi_parse(path, NULL, NULL, d);
    if (!spec || !a) return spec;
    qi_guard g;
    volatile bool done = false;
    qi_guard_arm(&g);
    if (setjmp(g.jump) == 0) {
        if (a->base) strip(spec, a->base);
        change_joints(spec, a), add_sites(spec, a), make_motors(spec, a);
        set_physics(&spec->option, a);
        if (a->draw) draw_shapes(spec);
        done = true;
    }
    qi_guard_disarm(&g);
    if (done) return spec;
    qiao_diag_set(d, QIAO_E_FORMAT, path, 0, 0, "cannot be changed as robot.yaml asks: %s", g.text);
    mj_deleteSpec(spec);
    return NULL;
}
