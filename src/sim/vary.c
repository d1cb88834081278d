// SPDX-License-Identifier: Apache-2.0
// vary.c - one world's own numbers: a copy of its model with factors applied, for its engine.
#include "sim/cast.h"
#include "sim/sim.h"

#include <math.h>
#include <mujoco/mujoco.h>
#include <stdlib.h>
#include <string.h>

qiao_vary qiao_vary_default(void) {
    return (qiao_vary){.friction = 1,
                       .mass = 1,
                       .damping = 1,
                       .armature = 1,
                       .frictionloss = 1,
                       .kp = 1,
                       .kd = 1,
                       .torque = 1,
                       .things = 1};
}

static qiao_err check(const qiao_vary *v, qiao_diag *d) {
    const struct {
        const char *name;
        double x;
    } factor[] = {{"friction", v->friction},
                  {"mass", v->mass},
                  {"damping", v->damping},
                  {"armature", v->armature},
                  {"kp", v->kp},
                  {"frictionloss", v->frictionloss},
                  {"kd", v->kd},
                  {"torque", v->torque},
                  {"delay", v->delay},
                  {"things", v->things}};
    for (size_t i = 0; i < sizeof factor / sizeof *factor; i++)
        if (!isfinite(factor[i].x) || factor[i].x < 0)
            return qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0, "%s is %g, should be 0 or more",
                                 factor[i].name, factor[i].x);
    if (v->things == 0)
        return qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0, "things is 0, should be more");
    if (v->mass == 0) return qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0, "mass is 0, should be more");
    double rest = v->payload * 0;
    for (int i = 0; i < 3; i++) rest += v->com[i] * 0 + v->gravity[i] * 0;
    if (rest == 0) return QIAO_OK;
    return qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0, "payload, com or gravity is not finite");
}

static bool of_robot(const qi_setup *u, int body) {
    for (int i = 0; i < u->robot->model->nbody; i++)
        if (u->part.body[i] == body) return true;
    return false;
}

// Masses of the robot's bodies and of things; what the base carries more.
static qiao_err vary_masses(const qi_setup *u, const qiao_vary *v, mjModel *m, qiao_diag *d) {
    for (int b = 1; b < m->nbody; b++) {
        if (v->things == 1 || of_robot(u, b)) continue;
        m->body_mass[b] *= v->things;
        for (int k = 0; k < 3; k++) m->body_inertia[3 * b + k] *= v->things;
    }
    for (int i = 0; i < u->robot->model->nbody; i++) {
        int b = u->part.body[i];
        if (b == 0) continue;
        m->body_mass[b] *= v->mass;
        for (int k = 0; k < 3; k++) m->body_inertia[3 * b + k] *= v->mass;
    }
    int base = u->base;
    if (base <= 0) {
        bool none = v->payload == 0 && v->com[0] == 0 && v->com[1] == 0 && v->com[2] == 0;
        if (none) return QIAO_OK;
        return qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0,
                             "payload and com move a base, which this robot does not have");
    }
    m->body_mass[base] += v->payload;
    for (int k = 0; k < 3; k++) m->body_ipos[3 * base + k] += v->com[k];
    if (m->body_mass[base] > mjMINVAL) return QIAO_OK;
    return qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0, "with a payload of %g kg the base weighs %g kg",
                         v->payload, m->body_mass[base]);
}

static void vary_joints(const qi_setup *u, const qiao_vary *v, mjModel *m) {
    qi_drive_armature(u->drive, u->nu, m->dof_armature, m->dof_armature);
    for (int i = 0; i < m->nv; i++) {
        m->dof_damping[i] *= v->damping, m->dof_armature[i] *= v->armature;
        m->dof_frictionloss[i] *= v->frictionloss;
    }
    for (int i = 0; i < m->ngeom; i++)
        for (int k = 0; k < 3; k++) m->geom_friction[3 * i + k] *= v->friction;
    for (int i = 0; i < m->npair; i++)
        for (int k = 0; k < 5; k++) m->pair_friction[5 * i + k] *= v->friction;
    for (int k = 0; k < 3; k++) m->opt.gravity[k] += v->gravity[k];
}

static qiao_err vary_drives(const qi_setup *u, const qiao_vary *v, double dt, qi_drive *drive,
                            qiao_diag *d) {
    for (int i = 0; i < u->nu; i++) {
        drive[i] = u->drive[i];
        qiao_drive *x = &drive[i].d;
        x->kp *= v->kp, x->kd *= v->kd;
        if (v->torque == 0) // 0 would mean unlimited
            x->torque_max = x->torque_max > 0 ? 1e-12 : 0;
        else
            x->torque_max *= v->torque;
        double more = round(v->delay / dt);
        if (more > 1e6 || (u->drive[i].delay + (int)more) / u->period + 2 > u->ncmd)
            return qiao_diag_set(d, QIAO_E_LIMIT, NULL, 0, 0,
                                 "a delay of %g s more is longer than the commands that are kept",
                                 v->delay);
        drive[i].delay += (int)more;
    }
    return QIAO_OK;
}

qiao_err qiao_sim_vary(qiao_sim *s, int w, const qiao_vary *v, qiao_diag *d) {
    return qi_sim_vary_cast(s, w, v, NULL, d);
}

qiao_err qi_sim_vary_cast(qiao_sim *s, int w, const qiao_vary *v, const mjModel *numbers,
                          qiao_diag *d) {
    qiao_diag own = {0};
    if (!d) d = &own;
    if (w < 0 || w >= s->n) return qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0, "no world %d", w);
    qiao_err e = check(v, d);
    if (e) return e;
    const mjModel *from = numbers ? numbers : s->w[w].model->mj;
    mjModel *m = mj_copyModel(NULL, from);
    mjData *data = m ? mj_makeData(m) : NULL;
    qi_drive *drive = calloc((size_t)s->setup.nu + 1, sizeof *drive);
    if (!data || !drive) e = qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    if (!e) e = vary_masses(&s->setup, v, m, d);
    if (!e) e = vary_drives(&s->setup, v, from->opt.timestep, drive, d);
    if (!e) {
        vary_joints(&s->setup, v, m);
        mj_setConst(m, data); // what MuJoCo derives from masses
        mjModel *given = m;
        m = NULL;
        e = s->engine->vary(s->w[w].world, given, drive, d);
    }
    mj_deleteData(data), mj_deleteModel(m);
    free(drive);
    return e;
}
