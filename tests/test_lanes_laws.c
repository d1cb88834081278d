// SPDX-License-Identifier: Apache-2.0
// test_lanes_laws.c - what nature keeps: energy and momentum of free and frictionless bodies in
// engine lanes drift no more than in MuJoCo with the same integrator and step.
#include "test.h"

#include "lanes_case.h"
#include "lanes_features.h"

typedef struct drift {
    double energy, linear, angular; // largest change from the start, against its size
} drift;

typedef struct kept {
    double energy, p[3], l[3];
} kept;

// Energy and momentum of the state in d.
static kept keep(const mjModel *m, mjData *d) {
    kept k;
    mj_fwdPosition(m, d), mj_fwdVelocity(m, d);
    mj_energyPos(m, d), mj_energyVel(m, d);
    mj_subtreeVel(m, d);
    k.energy = d->energy[0] + d->energy[1];
    for (int i = 0; i < 3; i++) {
        k.p[i] = m->body_subtreemass[0] * d->subtree_linvel[i];
        k.l[i] = d->subtree_angmom[i];
    }
    return k;
}
static double change(const double *a, const double *b, int n) {
    double e = 0, s = 1e-9;
    for (int i = 0; i < n; i++) e += (a[i] - b[i]) * (a[i] - b[i]), s += b[i] * b[i];
    return sqrt(e / s);
}
static void look(drift *o, kept now, kept first) {
    o->energy = fmax(o->energy, fabs(now.energy - first.energy) / (1e-9 + fabs(first.energy)));
    o->linear = fmax(o->linear, change(now.p, first.p, 3));
    o->angular = fmax(o->angular, change(now.l, first.l, 3));
}

static void open_text(lanes_case *x, const char *xml, const qi_lanes_ops *op) {
    dyn_case c;
    qiao_diag d = {0};
    CHECK(dyn_case_text(&c, xml), "model");
    CHECK(lanes_open(x, c, op, &d), "%s", d.text);
    mj_resetData(x->c.mj, x->c.data);
}

// Two seconds of both from the same state.
static void fly(const char *xml, qiao_real real, drift *ours, drift *theirs) {
    enum { ROUNDS = 40, STEPS = 25 };
    lanes_case x;
    *ours = *theirs = (drift){0};
    open_text(&x, xml, qi_lanes_best(real));
    const mjModel *m = x.c.mj;
    mjData *a = x.c.data, *b = mj_makeData(m);
    for (int i = 0; i < m->nv; i++) a->qvel[i] = 1.5 * lanes_random(&x);
    for (int l = 0; l < x.op->lanes; l++) lanes_load(&x, l);
    mj_copyState(m, a, b, mjSTATE_PHYSICS);
    kept first = keep(m, b);
    qi_lanes_opt o = {0};
    for (int r = 0; r < ROUNDS; r++) {
        for (int s = 0; s < STEPS; s++) mj_step(m, a);
        x.op->step(x.model, x.work, x.group, STEPS, &o);
        mj_copyState(m, a, b, mjSTATE_PHYSICS);
        look(theirs, keep(m, b), first);
        x.op->get(x.model, x.group, x.op->lanes - 1, b->qpos, b->qvel);
        look(ours, keep(m, b), first);
    }
    mj_deleteData(b);
    lanes_close(&x);
}

#define FLYER(integrator, gravity)                                                             \
    "<mujoco><option timestep='0.002' gravity='0 0 " gravity "' integrator='" integrator       \
    "'/><worldbody><body pos='0 0 3'><freejoint/><geom type='box' size='.2 .1 .05' mass='2'/>" \
    "<body pos='.2 0 0'><joint axis='0 1 0'/><geom type='capsule' fromto='0 0 0 .3 0 0' "      \
    "size='.03' mass='.7'/><body pos='.3 0 0'><joint axis='0 0 1'/><geom type='capsule' "      \
    "fromto='0 0 0 .2 .1 0' size='.02' mass='.4'/></body></body></body></worldbody></mujoco>"
// a hinged chain on the world and a bead on a wire, no friction anywhere
#define SWING(integrator)                                                                     \
    "<mujoco><option timestep='0.002' integrator='" integrator                                \
    "'/><worldbody><body><joint axis='0 1 0'/><geom type='capsule' fromto='0 0 0 .4 0 0' "    \
    "size='.03' mass='1'/><body pos='.4 0 0'><joint axis='0 1 .3'/><geom type='capsule' "     \
    "fromto='0 0 0 .3 0 0' size='.03' mass='.5'/></body></body><body pos='0 1 0'><joint "     \
    "type='slide' axis='1 0 1' stiffness='40'/><geom size='.1' mass='1'/></body></worldbody>" \
    "</mujoco>"

static void no_worse(const char *name, const char *xml, bool momentum) {
    for (int real = 0; real < 2; real++) {
        drift a, b;
        fly(xml, real ? QIAO_REAL_F32 : QIAO_REAL_F64, &a, &b);
        double noise = real ? 3e-4 : 1e-9; // rounding of 1,000 steps
        CHECK(a.energy <= 1.001 * b.energy + noise, "%s: energy %g, MuJoCo's %g", name, a.energy,
              b.energy);
        if (!momentum) continue;
        CHECK(a.linear <= 1.001 * b.linear + noise, "%s: %g, MuJoCo's %g", name, a.linear,
              b.linear);
        CHECK(a.angular <= 1.001 * b.angular + noise, "%s: %g, MuJoCo's %g", name, a.angular,
              b.angular);
        CHECK(b.angular < 0.1 && b.energy < 0.1, "%s: %g %g", name, b.angular, b.energy);
    }
}

TEST(free_flight_keeps_energy_and_momentum_as_well_as_mujoco) {
    no_worse("Euler", FLYER("Euler", "0"), true);
    no_worse("implicitfast", FLYER("implicitfast", "0"), true);
    no_worse("RK4", FLYER("RK4", "0"), true);
}

TEST(frictionless_swings_keep_energy_as_well_as_mujoco) {
    no_worse("Euler", SWING("Euler"), false);
    no_worse("implicitfast", SWING("implicitfast"), false);
    no_worse("RK4", SWING("RK4"), false);
}

// ---- where lanes may be better than MuJoCo ----

// Angular momentum of a tumbling body after 1 s, against that at the start (the closed form: it
// stays), with RK4 at step dt.
static double tumble(double dt, int rotation) {
    char xml[600];
    snprintf(xml, sizeof xml,
             "<mujoco><option timestep='%g' gravity='0 0 0' integrator='RK4'/><worldbody><body>"
             "<freejoint/><geom type='box' size='.3 .1 .05' mass='2'/></body></worldbody></mujoco>",
             dt);
    lanes_case x;
    open_text(&x, xml, lanes_instance(QIAO_REAL_F64, 1));
    x.plan->rotation = rotation;
    mjData *b = x.c.data;
    b->qvel[3] = 1, b->qvel[4] = 5, b->qvel[5] = 2;
    lanes_load(&x, 0);
    kept first = keep(x.c.mj, b);
    qi_lanes_opt o = {0};
    x.op->step(x.model, x.work, x.group, (int)lround(1 / dt), &o);
    x.op->get(x.model, x.group, 0, b->qpos, b->qvel);
    kept last = keep(x.c.mj, b);
    lanes_close(&x);
    return change(last.l, first.l, 3);
}

TEST(rk4_turns_a_free_body_to_fourth_order_if_asked) {
    double plain[2] = {tumble(0.02, 0), tumble(0.01, 0)};
    double better[2] = {tumble(0.02, 1), tumble(0.01, 1)};
    CHECK(plain[0] / plain[1] < 6, "MuJoCo's way is of second order: %g %g", plain[0], plain[1]);
    CHECK(better[0] / better[1] > 12, "%g %g", better[0], better[1]);
    CHECK(better[0] < 0.05 * plain[0], "%g %g", better[0], plain[0]);
}

// Deceleration of a box that slides at a heading, m/s2; friction .1.
static double slide(double heading, const char *cone) {
    char xml[700];
    snprintf(xml, sizeof xml,
             "<mujoco><option timestep='0.002' cone='%s'/><worldbody><geom type='plane' "
             "size='9 9 1' friction='.1 0 0'/><body pos='0 0 .0999'><freejoint/><geom type='box' "
             "size='.2 .2 .1' mass='2' friction='.1 0 0'/></body></worldbody></mujoco>",
             cone);
    lanes_case x;
    open_text(&x, xml, lanes_instance(QIAO_REAL_F64, 1));
    mjData *b = x.c.data;
    b->qvel[0] = 2 * cos(heading), b->qvel[1] = 2 * sin(heading);
    lanes_load(&x, 0);
    qi_lanes_opt o = {0};
    double v[2];
    for (int k = 0; k < 2; k++) {
        x.op->step(x.model, x.work, x.group, 250, &o);
        x.op->get(x.model, x.group, 0, b->qpos, b->qvel);
        v[k] = sqrt(b->qvel[0] * b->qvel[0] + b->qvel[1] * b->qvel[1]);
    }
    lanes_close(&x);
    return (v[0] - v[1]) / 0.5;
}

TEST(round_cones_brake_alike_at_every_heading) {
    for (int k = 0; k < 4; k++) {
        double heading = k * 3.14159265358979 / 12, a = slide(heading, "elliptic");
        CHECK(fabs(a - 0.981) < 0.02, "at %d degrees %g m/s2", 15 * k, a);
    }
    double edge = slide(0, "pyramidal"), corner = slide(3.14159265358979 / 4, "pyramidal");
    CHECK(fabs(edge - corner) > 0.05, "pyramids have a heading: %g %g", edge, corner);
}

// Bodies that meet: what one loses the other gains, for both solvers.
TEST(contact_forces_are_equal_and_opposite) {
    static const char *const two =
        "<mujoco><option timestep='0.002' gravity='0 0 0'/><worldbody><body><freejoint/><geom "
        "size='.1' mass='1' condim='6'/></body><body pos='.5 .02 0'><freejoint/><geom type='box' "
        "size='.1 .12 .1' mass='2' condim='6'/></body></worldbody></mujoco>";
    for (lanes_dual = 0; lanes_dual < 2; lanes_dual++) {
        lanes_case x;
        open_text(&x, two, qi_lanes_best(QIAO_REAL_F64));
        mjData *b = x.c.data;
        b->qvel[0] = 2, b->qvel[5] = 3;
        for (int l = 0; l < x.op->lanes; l++) lanes_load(&x, l);
        double p0 = keep(x.c.mj, b).p[0];
        qi_lanes_opt o = {0};
        x.op->step(x.model, x.work, x.group, 300, &o);
        x.op->get(x.model, x.group, 0, b->qpos, b->qvel);
        kept k = keep(x.c.mj, b);
        CHECK(fabs(b->qvel[6]) > 0.1, "they did not meet: %g", b->qvel[6]);
        CHECK(fabs(k.p[0] - p0) < 1e-9 && fabs(k.p[1]) < 1e-9, "%g %g %g", k.p[0], p0, k.p[1]);
        lanes_close(&x);
    }
    lanes_dual = 0;
}
