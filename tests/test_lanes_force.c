// SPDX-License-Identifier: Apache-2.0
// test_lanes_force.c - forces of engine lanes beside MuJoCo's: pushes, actuators, constraints,
// contacts; weld and connect in each form; integrators with contacts; every disable flag.
#include "test.h"

#include "lanes_case.h"
#include "lanes_features.h"

typedef struct forces {
    double qacc, smooth, constraint, actuator, contact, rollout; // worst relative differences
    int contacts;
} forces;

// Forces of all contacts on the bodies: sum and torque about the world's origin, [nbody][6].
static void add_contact(const mjModel *m, double *x, const int geom[2], const double *pos,
                        const double *frame, const double *f) {
    double w[6];
    mju_mulMatTVec(w, frame, f, 3, 3); // rows of the frame are its axes
    mju_cross(w + 3, pos, w);
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < 6; i++) x[6 * m->geom_bodyid[geom[k]] + i] += k ? w[i] : -w[i];
}
static double contact_apart(lanes_case *x, int lane, const mjData *d, int *n) {
    enum { BODY = 16, MOST = 64 };
    const mjModel *m = x->c.mj;
    double a[6 * BODY] = {0}, b[6 * BODY] = {0}, c[MOST][18], f[6];
    CHECK(m->nbody <= BODY, "%d bodies", (int)m->nbody);
    int count = x->op->contacts(x->model, x->work, lane, c, MOST);
    CHECK(count <= MOST, "%d contacts", count);
    for (int i = 0; i < count; i++)
        add_contact(m, a, (int[2]){(int)c[i][16], (int)c[i][17]}, c[i] + 1, c[i] + 4, c[i] + 13);
    for (int i = 0; i < d->ncon; i++) {
        const mjContact *o = &d->contact[i];
        mj_contactForce(m, d, i, f);
        add_contact(m, b, o->geom, o->pos, o->frame, f);
    }
    *n += d->ncon;
    double e = 0, s = 0;
    for (int i = 6; i < 6 * m->nbody; i++) e += fabs(a[i] - b[i]), s += fabs(b[i]);
    return s > 0 ? e / s : e;
}

static void push(lanes_case *x) { // every body, up to 3 N and 0.3 N*m
    const mjModel *m = x->c.mj;
    for (int i = 6; i < 6 * m->nbody; i++)
        x->c.data->xfrc_applied[i] = (i % 6 < 3 ? 3 : 0.3) * lanes_random(x);
}

static void look(lanes_case *x, int lane, mjData *d, forces *o) {
    const mjModel *m = x->c.mj;
    int nv = (int)m->nv;
    double got[64], scale = 1e-12, e = 0;
    mju_zero(d->qacc_warmstart, nv);
    mj_forward(m, d);
    x->op->ask(x->model, x->work, lane, QI_LANES_QACC, got);
    o->qacc = fmax(o->qacc, lanes_apart(got, d->qacc, nv));
    x->op->ask(x->model, x->work, lane, QI_LANES_SMOOTH, got);
    for (int i = 0; i < nv; i++) // smooth forces may cancel: against what they are made of
        e += fabs(got[i] - d->qfrc_smooth[i]),
            scale += fabs(d->qfrc_bias[i]) + fabs(d->qfrc_passive[i]) + fabs(d->qfrc_actuator[i]) +
                     fabs(d->qfrc_smooth[i]);
    o->smooth = fmax(o->smooth, e / scale);
    x->op->ask(x->model, x->work, lane, QI_LANES_CONSTRAINT, got);
    e = 0;
    for (int i = 0; i < nv; i++)
        e += fabs(got[i] - d->qfrc_constraint[i]), scale += fabs(d->qfrc_constraint[i]);
    o->constraint = fmax(o->constraint, e / scale);
    if (m->nu && !(m->opt.disableflags & mjDSBL_ACTUATION)) {
        x->op->ask(x->model, x->work, lane, QI_LANES_ACTUATOR, got);
        o->actuator = fmax(o->actuator, lanes_apart(got, d->actuator_force, (int)m->nu));
    }
    o->contact = fmax(o->contact, contact_apart(x, lane, d, &o->contacts));
}

static void roll(lanes_case *x, forces *o) { // 100 steps under a push
    const mjModel *m = x->c.mj;
    qi_lanes_opt opt = {.tolerance = 1e-14};
    double q[64];
    for (int k = 0; k < 2; k++) {
        lanes_state(x, 0.3), push(x), lanes_load(x, 0);
        for (int l = 1; l < x->op->lanes; l++) x->op->live(x->group, l, 0);
        for (int s = 0; s < 100; s++) mj_step(m, x->c.data);
        x->op->step(x->model, x->work, x->group, 100, &opt);
        x->op->get(x->model, x->group, 0, q, NULL);
        o->rollout = fmax(o->rollout, lanes_apart(q, x->c.data->qpos, (int)m->nq));
    }
}

static forces compare(const char *name, const char *xml, qiao_real real, int flags) {
    dyn_case c;
    lanes_case x;
    qiao_diag d = {0};
    forces o = {0};
    CHECK(dyn_case_text(&c, xml), "%s", name);
    c.mj->opt.disableflags |= flags;
    CHECK(lanes_open(&x, c, qi_lanes_best(real), &d), "%s: %s", name, d.text);
    CHECK(c.mj->nv <= 64 && c.mj->nq <= 64 && c.mj->nu <= 64, "%s is large", name);
    qi_lanes_opt opt = {.tolerance = real == QIAO_REAL_F64 ? 1e-14 : 0};
    for (int at = 0; at < 16; at += x.op->lanes) {
        mjData *keep[16] = {NULL};
        for (int l = 0; l < x.op->lanes; l++) {
            lanes_state(&x, 0.6), push(&x), lanes_load(&x, l);
            keep[l] = mj_copyData(NULL, x.c.mj, x.c.data);
        }
        x.op->forward(x.model, x.work, x.group, &opt);
        for (int l = 0; l < x.op->lanes; l++) look(&x, l, keep[l], &o), mj_deleteData(keep[l]);
    }
    if (real == QIAO_REAL_F64) roll(&x, &o);
    lanes_close(&x);
    return o;
}

static void agree(const char *name, const char *xml, int flags, double slack) {
    forces o = compare(name, xml, QIAO_REAL_F64, flags);
    CHECK(o.qacc <= 1e-6, "%s: qacc %.3g", name, o.qacc);
    CHECK(o.smooth <= 1e-10, "%s: smooth forces %.3g", name, o.smooth);
    CHECK(o.constraint <= 1e-6, "%s: constraint forces %.3g", name, o.constraint);
    CHECK(o.actuator <= 1e-10, "%s: actuator forces %.3g", name, o.actuator);
    CHECK(o.contact <= 1e-6, "%s: contact forces %.3g", name, o.contact);
    CHECK(o.rollout <= fmax(1e-5, slack), "%s: 100 steps %.3g", name, o.rollout);
    o = compare(name, xml, QIAO_REAL_F32, flags);
    CHECK(o.qacc <= 1e-3, "%s: qacc %.3g in 32 bit", name, o.qacc);
    CHECK(o.smooth <= 1e-4, "%s: smooth forces %.3g in 32 bit", name, o.smooth);
    CHECK(o.constraint <= 1e-3, "%s: constraint forces %.3g in 32 bit", name, o.constraint);
    CHECK(o.actuator <= 1e-3, "%s: actuator forces %.3g in 32 bit", name, o.actuator);
}

TEST(forces_under_pushes_agree_with_mujoco_for_every_feature) {
    for (int i = 0; i < LANES_NFEATURE; i++)
        agree(lanes_features[i].name, lanes_features[i].xml, 0, lanes_features[i].rollout);
}

#define TWO                                                                                    \
    "<body name='u' pos='0 0 1'><joint axis='0 1 0' damping='.1'/><geom type='box' "           \
    "size='.1 .05 .02' contype='0' conaffinity='0'/><site name='us' pos='.1 .02 0' euler='10 " \
    "20 30'/></body><body name='w' pos='.3 0 1.1'><freejoint/><geom size='.05' contype='0' "   \
    "conaffinity='0'/><site name='ws' pos='-.1 0 .03' euler='0 40 0'/></body>"
#define TIED(how) WORLD("", TWO, "<equality>" how "</equality>")

TEST(weld_and_connect_by_bodies_and_by_sites) {
    agree("connect by bodies", TIED("<connect body1='u' body2='w' anchor='.1 0 0'/>"), 0, 0);
    agree("connect to the world", TIED("<connect body1='w' anchor='.1 0 .1'/>"), 0, 0);
    agree("connect by sites", TIED("<connect site1='us' site2='ws'/>"), 0, 0);
    agree("weld by bodies", TIED("<weld body1='u' body2='w'/>"), 0, 0);
    agree("weld to the world", TIED("<weld body1='w'/>"), 0, 0);
    agree("weld with a place", TIED("<weld body1='u' body2='w' relpose='.2 0 .1 1 .2 .1 0'/>"), 0,
          0);
    agree("weld by sites", TIED("<weld site1='us' site2='ws' torquescale='.5'/>"), 0, 0);
    agree("not active", TIED("<weld body1='u' body2='w' active='false'/>"), 0, 0);
    agree("both", TIED("<connect site1='us' site2='ws'/><weld body1='w' solref='.1 1'/>"), 0, 0);
}

#define TUMBLER                                                                                  \
    "<body pos='0 0 .12'><freejoint/><geom size='.1' pos='.1 0 0' condim='4'/><geom size='.08' " \
    "pos='-.1 .05 0' condim='4'/><body pos='0 -.1 0'><joint axis='1 0 0' damping='.1'/><geom "   \
    "type='capsule' fromto='0 0 0 0 -.2 0' size='.06' condim='4'/></body></body>"
#define MIX(integrator, cone)                                                     \
    WORLD("<option integrator='" integrator "' cone='" cone "'/>",                \
          FLOOR "condim='4'/>" TUMBLER ARM("damping='.1'", "frictionloss='.02'"), \
          "<actuator><position joint='a' kp='10' kv='1'/></actuator>")

TEST(integrators_with_contacts) {
    static const char *const all[][2] = {
        {"Euler, elliptic", MIX("Euler", "elliptic")},
        {"Euler, pyramidal", MIX("Euler", "pyramidal")},
        {"implicitfast, elliptic", MIX("implicitfast", "elliptic")},
        {"implicitfast, pyramidal", MIX("implicitfast", "pyramidal")},
        {"RK4, elliptic", MIX("RK4", "elliptic")},
        {"RK4, pyramidal", MIX("RK4", "pyramidal")}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        agree(all[i][0], all[i][1], 0, 0);
        CHECK(compare(all[i][0], all[i][1], QIAO_REAL_F64, 0).contacts > 5, "%s", all[i][0]);
    }
}

// One model in which each flag that belongs to physics changes what MuJoCo itself says.
static const char *const rich = WORLD(
    "<compiler angle='radian'/><option cone='elliptic' timestep='.004'/>",
    FLOOR "solref='.005 1' priority='1'/>" BALLS("")
        ARM("damping='2' stiffness='5' range='-.01 .01' limited='true'",
            "frictionloss='.1' damping='.5'") "<body pos='2 0 .5'><joint axis='0 1 0'/><geom "
                                              "size='.1'/><body pos='.15 0 0'><joint "
                                              "axis='0 1 0'/><geom size='.1'/></body></body>",
    "<equality><joint joint1='b' polycoef='.1'/></equality><actuator><position joint='a' kp='10' "
    "ctrlrange='-.1 .1' ctrllimited='true'/><motor joint='b' gear='3' ctrlrange='-.1 .1' "
    "ctrllimited='true'/></actuator>");

static double flag_does(int flags) { // how far 50 steps of MuJoCo's go another way
    dyn_case c[2];
    double q[2][32];
    for (int k = 0; k < 2; k++) {
        CHECK(dyn_case_text(&c[k], rich) && c[k].mj->nq <= 32, "model");
        if (k) c[k].mj->opt.disableflags |= flags;
        c[k].data->ctrl[0] = 0.5, c[k].data->ctrl[1] = 0.5;
        for (int s = 0; s < 50; s++) mj_step(c[k].mj, c[k].data);
        memcpy(q[k], c[k].data->qpos, (size_t)c[k].mj->nq * sizeof(double));
    }
    double e = lanes_apart(q[1], q[0], (int)c[0].mj->nq);
    for (int k = 0; k < 2; k++) mj_deleteData(c[k].data), mj_deleteModel(c[k].mj);
    return e;
}

TEST(every_disable_flag) {
    agree("no flag", rich, 0, 0);
    int idle = mjDSBL_WARMSTART | mjDSBL_SENSOR | mjDSBL_MIDPHASE | mjDSBL_AUTORESET |
               mjDSBL_NATIVECCD | mjDSBL_ISLAND |
               mjDSBL_MULTICCD; // these move no more than the solver's noise
    for (int i = 0; i < mjNDISABLE; i++) {
        if (!(idle >> i & 1))
            CHECK(flag_does(1 << i) > 1e-7, "%s does nothing", mjDISABLESTRING[i]);
        agree(mjDISABLESTRING[i], rich, 1 << i, 0);
    }
    agree("springs and dampers", rich, mjDSBL_SPRING | mjDSBL_DAMPER, 0);
}
