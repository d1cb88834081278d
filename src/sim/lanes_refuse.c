// SPDX-License-Identifier: Apache-2.0
// lanes_refuse.c - what engine lanes does not do: named, never ignored.
// Mocap bodies are taken as fixed where the model puts them: nothing here moves them.
#include "sim/lanes_plan.h"

#include <stdio.h>
#include <string.h>

static const char *say(char *t, size_t n, const char *what, const char *kind, const char *name) {
    if (kind)
        snprintf(t, n, "%s (%s '%s')", what, kind, name && *name ? name : "without a name");
    else
        snprintf(t, n, "%s", what);
    return t;
}
static bool zero(const double *x, int n) {
    for (int i = 0; i < n; i++)
        if (x[i] != 0) return false;
    return true;
}
static const char *name_of(const mjModel *m, int type, int i) { return mj_id2name(m, type, i); }

static const char *refuse_options(const mjModel *m, char *t, size_t n) {
    const mjOption *o = &m->opt;
    if (o->integrator == mjINT_IMPLICIT) return say(t, n, "integrator 'implicit'", NULL, NULL);
    if (o->noslip_iterations > 0) return say(t, n, "noslip_iterations", NULL, NULL);
    if (o->density != 0 || o->viscosity != 0) return say(t, n, "fluid forces", NULL, NULL);
    if (o->enableflags & mjENBL_OVERRIDE) return say(t, n, "flag override", NULL, NULL);
    if (o->enableflags & mjENBL_SLEEP) return say(t, n, "flag sleep", NULL, NULL);
    if (m->nflex) return say(t, n, "flex", "flex", name_of(m, mjOBJ_FLEX, 0));
    if (m->nplugin) return say(t, n, "plugins", NULL, NULL);
    if (m->na) return say(t, n, "actuators with activation states", NULL, NULL);
    if (m->nv > QI_LANES_NV) return say(t, n, "more than 128 degrees of freedom", NULL, NULL);
    if (m->flg_adhesion) return say(t, n, "adhesion", NULL, NULL);
    if (m->flg_surfacevel) return say(t, n, "surfacevel", NULL, NULL);
    return NULL;
}

static const char *refuse_joints(const mjModel *m, char *t, size_t n) {
    for (int i = 0; i < m->njnt; i++) {
        const char *name = name_of(m, mjOBJ_JOINT, i);
        if (!zero(m->jnt_stiffnesspoly + mjNPOLY * i, mjNPOLY))
            return say(t, n, "polynomial stiffness", "joint", name);
        if (m->jnt_actgravcomp[i] && m->flg_gravcomp)
            return say(t, n, "actuatorgravcomp", "joint", name);
    }
    for (int i = 0; i < m->nv; i++)
        if (!zero(m->dof_dampingpoly + mjNPOLY * i, mjNPOLY))
            return say(t, n, "polynomial damping", "joint",
                       name_of(m, mjOBJ_JOINT, m->dof_jntid[i]));
    return NULL;
}

static const char *refuse_tendons(const mjModel *m, char *t, size_t n) {
    for (int i = 0; i < m->ntendon; i++) {
        const char *name = name_of(m, mjOBJ_TENDON, i);
        for (int k = 0; k < m->tendon_num[i]; k++)
            if (m->wrap_type[m->tendon_adr[i] + k] != mjWRAP_JOINT)
                return say(t, n, "spatial tendon", "tendon", name);
        if (m->tendon_armature[i] != 0) return say(t, n, "tendon armature", "tendon", name);
        if (!zero(m->tendon_stiffnesspoly + mjNPOLY * i, mjNPOLY) ||
            !zero(m->tendon_dampingpoly + mjNPOLY * i, mjNPOLY))
            return say(t, n, "polynomial tendon stiffness or damping", "tendon", name);
    }
    for (int i = 0; i < m->neq; i++)
        if (m->eq_type[i] != mjEQ_CONNECT && m->eq_type[i] != mjEQ_WELD &&
            m->eq_type[i] != mjEQ_JOINT)
            return say(t, n, "equality other than connect, weld and joint", "equality",
                       name_of(m, mjOBJ_EQUALITY, i));
    return NULL;
}

static const char *refuse_actuators(const mjModel *m, char *t, size_t n) {
    for (int i = 0; i < m->nactuator; i++) {
        const char *name = name_of(m, mjOBJ_ACTUATOR, i);
        int trn = m->actuator_trntype[i], j = m->actuator_trnid[2 * i];
        if (m->actuator_ctrlnum[i] != 1 || m->actuator_outnum[i] != 1)
            return say(t, n, "actuator with several controls or outputs", "actuator", name);
        if (trn != mjTRN_JOINT && trn != mjTRN_JOINTINPARENT && trn != mjTRN_TENDON)
            return say(t, n, "transmission other than joint and tendon", "actuator", name);
        if (trn != mjTRN_TENDON && m->jnt_type[j] != mjJNT_HINGE && m->jnt_type[j] != mjJNT_SLIDE)
            return say(t, n, "actuator on a ball or free joint", "actuator", name);
        if (m->actuator_dyntype[i] != mjDYN_NONE)
            return say(t, n, "actuator dynamics", "actuator", name);
        if (m->actuator_gaintype[i] != mjGAIN_FIXED && m->actuator_gaintype[i] != mjGAIN_AFFINE)
            return say(t, n, "gain other than fixed and affine", "actuator", name);
        if (m->actuator_biastype[i] != mjBIAS_NONE && m->actuator_biastype[i] != mjBIAS_AFFINE)
            return say(t, n, "bias other than affine", "actuator", name);
        if (m->actuator_delay[i] != 0) return say(t, n, "actuator delay", "actuator", name);
        if (m->actuator_damping[i] != 0 || m->actuator_armature[i] != 0 ||
            !zero(m->actuator_dampingpoly + mjNPOLY * i, mjNPOLY))
            return say(t, n, "damping or armature of an actuator", "actuator", name);
    }
    return NULL;
}

const char *qi_lanes_refuse(const mjModel *m, char *t, size_t n) {
    const char *e = refuse_options(m, t, n);
    if (!e) e = refuse_joints(m, t, n);
    if (!e) e = refuse_tendons(m, t, n);
    if (!e) e = refuse_actuators(m, t, n);
    for (int i = 0; i < m->ngeom && !e; i++)
        if (m->geom_type[i] == mjGEOM_SDF && (m->geom_contype[i] || m->geom_conaffinity[i]))
            e = say(t, n, "signed distance field", "geom", name_of(m, mjOBJ_GEOM, i));
    return e;
}
