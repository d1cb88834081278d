// SPDX-License-Identifier: Apache-2.0
// compile.c - MJCF and URDF through MuJoCo's compiler to a qiao_model.
#include "model/compile.h"

#include "model/mjguard.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// MuJoCo's message ends with "Element 'geom', line 7", or holds "Line number=7": the number, or 0.
// A line elsewhere in it is one of MuJoCo's own source.
static int line_of(const char *text) {
    const char *p = NULL, *mark = strstr(text, "Line number=");
    if (mark) return atoi(mark + strlen("Line number="));
    for (const char *q = text; (q = strstr(q, ", line ")); q++) p = q + strlen(", line ");
    return p && p[strspn(p, "0123456789")] == 0 ? atoi(p) : 0;
}

static void flatten(char *s) { // one line, no trailing space
    size_t n = strlen(s);
    for (size_t i = 0; i < n; i++)
        if (s[i] == '\n' || s[i] == '\r') s[i] = ' ';
    while (n && s[n - 1] == ' ') s[--n] = 0;
}

static void refuse(qiao_diag *d, const char *path, const char *text) {
    char copy[700];
    snprintf(copy, sizeof copy, "%s", text && *text ? text : "MuJoCo's compiler refused it");
    flatten(copy);
    qiao_diag_set(d, QIAO_E_FORMAT, path, line_of(copy), 0, "%s", copy);
}

mjSpec *qi_parse(const char *path, const char *xml, bool *urdf, qiao_diag *d) {
    char error[600] = "", *data = NULL;
    size_t n = xml ? strlen(xml) : 0;
    // missing and huge files are our own errors
    if (!xml && qiao_file_read(path, QI_MODEL_FILE_MAX, &data, &n, d)) return NULL;
    bool fits = qi_limits_check(path, xml ? xml : data, n, urdf, d);
    free(data);
    if (!fits) return NULL;
    qi_guard g;
    mjSpec *volatile spec = NULL;
    qi_guard_arm(&g);
    if (setjmp(g.jump) == 0)
        spec = xml ? mj_parseXMLString(xml, NULL, error, sizeof error)
                   : mj_parseXML(path, NULL, error, sizeof error);
    qi_guard_disarm(&g);
    if (!spec) refuse(d, path, g.text[0] ? g.text : error);
    return spec;
}

// ---- the arrays ----

static const char **names_of(qiao_arena *a, const mjModel *m, mjtSize n, const int *adr) {
    const char **names = qiao_arena_get(a, ((size_t)n + 1) * sizeof *names);
    for (mjtSize i = 0; names && i < n; i++) names[i] = m->names + adr[i];
    return names;
}

// Ranges, zero where they do not hold.
static const double *ranges_of(qiao_arena *a, mjtSize n, const mjtBool *on, const double *range) {
    double *r = qiao_arena_get(a, (size_t)(2 * n + 1) * sizeof *r);
    for (mjtSize i = 0; r && i < n; i++)
        if (on[i]) r[2 * i] = range[2 * i], r[2 * i + 1] = range[2 * i + 1];
    return r;
}

// Actuators as the drives see them. Joint-driving ones with one control only.
static bool take_actuators(qiao_model *q, const mjModel *m) {
    int nu = q->nu;
    int *joint = qiao_arena_get(q->arena, (size_t)(nu + 1) * sizeof *joint);
    double *gear = qiao_arena_get(q->arena, (size_t)(nu + 1) * sizeof *gear);
    if (!joint || !gear) return false;
    for (int i = 0; i < nu; i++) {
        bool on_joint =
            m->actuator_trntype[i] == mjTRN_JOINT || m->actuator_trntype[i] == mjTRN_JOINTINPARENT;
        joint[i] = on_joint ? m->actuator_trnid[2 * i] : -1;
        gear[i] = m->actuator_gear[6 * m->actuator_outadr[i]];
    }
    q->act_joint = joint, q->act_gear = gear;
    q->act_ctrlrange = ranges_of(q->arena, nu, m->actuator_ctrllimited, m->actuator_ctrlrange);
    q->act_forcerange = ranges_of(q->arena, nu, m->actuator_forcelimited, m->actuator_forcerange);
    q->act_name = names_of(q->arena, m, nu, m->name_actuatoradr);
    return q->act_ctrlrange && q->act_forcerange && q->act_name;
}

static void take_geoms(qiao_model *q, const mjModel *m, int *mesh, float *rgba) {
    for (int i = 0; i < q->ngeom; i++) {
        mesh[i] = m->geom_type[i] == mjGEOM_MESH ? m->geom_dataid[i] : -1;
        int mat = m->geom_matid[i];
        memcpy(rgba + 4 * i, mat >= 0 ? m->mat_rgba + 4 * mat : m->geom_rgba + 4 * i,
               4 * sizeof *rgba);
    }
}

static bool take_arrays(qiao_model *q, const mjModel *m) {
    qiao_arena *a = q->arena;
    q->nq = (int)m->nq, q->nv = (int)m->nv, q->nu = (int)m->nactuator, q->nbody = (int)m->nbody;
    q->njnt = (int)m->njnt, q->ngeom = (int)m->ngeom, q->nsite = (int)m->nsite;
    q->nmesh = (int)m->nmesh, q->nkey = (int)m->nkey;
    q->dt = m->opt.timestep;
    for (int i = 0; i < m->ntendon; i++) q->tendon_armature |= m->tendon_armature[i] > 0;
    memcpy(q->gravity, m->opt.gravity, sizeof q->gravity);
    q->body_name = names_of(a, m, m->nbody, m->name_bodyadr);
    q->jnt_name = names_of(a, m, m->njnt, m->name_jntadr);
    q->geom_name = names_of(a, m, m->ngeom, m->name_geomadr);
    q->site_name = names_of(a, m, m->nsite, m->name_siteadr);
    q->key_name = names_of(a, m, m->nkey, m->name_keyadr);
    q->body_parent = m->body_parentid, q->body_jntadr = m->body_jntadr;
    q->body_jntnum = m->body_jntnum, q->body_pos = m->body_pos, q->body_quat = m->body_quat;
    q->body_mass = m->body_mass, q->body_ipos = m->body_ipos, q->body_iquat = m->body_iquat;
    q->body_inertia = m->body_inertia;
    q->jnt_type = m->jnt_type, q->jnt_body = m->jnt_bodyid, q->jnt_qadr = m->jnt_qposadr;
    q->jnt_vadr = m->jnt_dofadr, q->jnt_pos = m->jnt_pos, q->jnt_axis = m->jnt_axis;
    q->jnt_range = ranges_of(a, m->njnt, m->jnt_limited, m->jnt_range);
    q->dof_armature = m->dof_armature, q->dof_damping = m->dof_damping;
    q->dof_friction = m->dof_frictionloss;
    q->geom_type = m->geom_type, q->geom_body = m->geom_bodyid, q->geom_group = m->geom_group;
    q->geom_size = m->geom_size, q->geom_pos = m->geom_pos, q->geom_quat = m->geom_quat;
    q->site_body = m->site_bodyid, q->site_pos = m->site_pos, q->site_quat = m->site_quat;
    int *mesh = qiao_arena_get(a, (size_t)(q->ngeom + 1) * sizeof *mesh);
    float *rgba = qiao_arena_get(a, (size_t)(4 * q->ngeom + 1) * sizeof *rgba);
    double *q0 = qiao_arena_get(a, (size_t)(q->nq + 1) * sizeof *q0);
    if (!q->body_name || !q->jnt_name || !q->geom_name || !q->site_name || !q->key_name ||
        !q->jnt_range || !mesh || !rgba || !q0)
        return false;
    take_geoms(q, m, mesh, rgba);
    memcpy(q0, m->qpos0, (size_t)q->nq * sizeof *q0);
    q->geom_mesh = mesh, q->geom_rgba = rgba, q->q0 = q0, q->qref = m->qpos0,
    q->key_q = m->key_qpos;
    return take_actuators(q, m);
}

// Everything that can change physics or pictures; not the paths of files.
static void hash_model(const mjModel *m, uint8_t out[QIAO_HASH_BYTES]) {
    qiao_hash h;
    qiao_hash_init(&h);
    const mjOption *o = &m->opt;
    double real[] = {o->timestep,         o->impratio,      o->tolerance,        o->ls_tolerance,
                     o->noslip_tolerance, o->ccd_tolerance, o->sleep_tolerance,  o->density,
                     o->viscosity,        o->o_margin,      m->stat.meaninertia, m->stat.extent};
    int whole[] = {o->integrator,    o->cone,          o->jacobian,          o->solver,
                   o->iterations,    o->ls_iterations, o->noslip_iterations, o->ccd_iterations,
                   o->disableflags,  o->enableflags,   o->disableactuator,   o->sdf_initpoints,
                   o->sdf_iterations};
    qiao_hash_add(&h, real, sizeof real), qiao_hash_add(&h, whole, sizeof whole);
    qiao_hash_add(&h, o->gravity, sizeof o->gravity), qiao_hash_add(&h, o->wind, sizeof o->wind);
    qiao_hash_add(&h, o->magnetic, sizeof o->magnetic);
    qiao_hash_add(&h, o->o_solref, sizeof o->o_solref);
    qiao_hash_add(&h, o->o_solimp, sizeof o->o_solimp);
    qiao_hash_add(&h, o->o_friction, sizeof o->o_friction);
#define X(type, name, nr, nc)                                     \
    if (strcmp(#name, "paths") != 0 && !strstr(#name, "pathadr")) \
        qiao_hash_add(&h, m->name, sizeof(type) * (size_t)(m->nr) * (size_t)(nc));
#define XNV X
    MJMODEL_POINTERS_PREAMBLE(m)
    MJMODEL_POINTERS
#undef XNV
#undef X
    qiao_hash_end(&h, out);
}

// Numbers that no machine has: MuJoCo takes nan, inf and 1e300 in many places.
static bool values_fit(const mjModel *m, const char *path, qiao_diag *d) {
    const struct {
        const char *what;
        const mjtNum *x;
        mjtSize n;
    } all[] = {{"pos of a body", m->body_pos, 3 * m->nbody},
               {"mass of a body", m->body_mass, m->nbody},
               {"inertia of a body", m->body_inertia, 3 * m->nbody},
               {"quat of a body", m->body_quat, 4 * m->nbody},
               {"pos of a geom", m->geom_pos, 3 * m->ngeom},
               {"size of a geom", m->geom_size, 3 * m->ngeom},
               {"friction of a geom", m->geom_friction, 3 * m->ngeom},
               {"pos of a joint", m->jnt_pos, 3 * m->njnt},
               {"axis of a joint", m->jnt_axis, 3 * m->njnt},
               {"stiffness of a joint", m->jnt_stiffness, m->njnt},
               {"armature of a joint", m->dof_armature, m->nv},
               {"damping of a joint", m->dof_damping, m->nv},
               {"start of a joint", m->qpos0, m->nq},
               {"qpos of a keyframe", m->key_qpos, m->nkey * m->nq},
               {"pos of a site", m->site_pos, 3 * m->nsite},
               {"gravity", m->opt.gravity, 3}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (mjtSize k = 0; k < all[i].n; k++) {
            if (all[i].x[k] > -1e8 && all[i].x[k] < 1e8) continue;
            qiao_diag_set(d, QIAO_E_LIMIT, path, 0, 0, "%s is %g; expected less than 1e8",
                          all[i].what, all[i].x[k]);
            return false;
        }
    double dt = m->opt.timestep;
    if (dt >= 1e-5 && dt <= 0.1) return true;
    qiao_diag_set(d, QIAO_E_LIMIT, path, 0, 0, "timestep is %g s; expected 1e-5 to 0.1", dt);
    return false;
}

qiao_model *qi_compile(mjSpec *spec, const char *path, qiao_diag *d) {
    qi_guard g;
    mjModel *volatile m = NULL;
    qi_guard_arm(&g);
    if (setjmp(g.jump) == 0) m = mj_compile(spec, NULL);
    qi_guard_disarm(&g);
    if (!m) {
        refuse(d, path, g.text[0] ? g.text : mjs_getError(spec));
        return NULL;
    }
    if (!values_fit(m, path, d)) {
        mj_deleteModel(m);
        return NULL;
    }
    m->opt.disableflags |= mjDSBL_AUTORESET; // a world that breaks is stopped, not healed
    qiao_model *q = calloc(1, sizeof *q);
    if (q) q->mj = m, q->arena = qiao_arena_new();
    if (!q || !q->arena || !take_arrays(q, m)) {
        if (q)
            qiao_model_free(q);
        else
            mj_deleteModel(m);
        qiao_diag_set(d, QIAO_E_MEM, path, 0, 0, "out of memory");
        return NULL;
    }
    hash_model(m, q->hash);
    return q;
}

void qi_add_motors(mjSpec *spec) {
    if (mjs_firstElement(spec, mjOBJ_ACTUATOR)) return;
    for (mjsElement *e = mjs_firstElement(spec, mjOBJ_JOINT); e; e = mjs_nextElement(spec, e)) {
        mjsJoint *j = mjs_asJoint(e);
        const char *name = mjs_getString(mjs_getName(e));
        if ((j->type != mjJNT_HINGE && j->type != mjJNT_SLIDE) || !name || !*name) continue;
        mjsActuator *act = mjs_addActuator(spec, NULL);
        mjs_setToMotor(act);
        act->trntype = mjTRN_JOINT;
        mjs_setString(act->target, name);
        mjs_setName(act->element, name);
    }
}

qiao_model *qiao_model_load(const char *path, qiao_diag *d) {
    mjSpec *spec = qi_parse(path, NULL, NULL, d);
    if (!spec) return NULL;
    qi_add_motors(spec);
    qiao_model *m = qi_compile(spec, path, d);
    mj_deleteSpec(spec);
    return m;
}

void qiao_model_free(qiao_model *m) {
    if (!m) return;
    mjModel *own;
    memcpy(&own, &m->mj, sizeof own); // the loader made it: it may delete it
    mj_deleteModel(own);
    qiao_arena_free(m->arena);
    free(m);
}
