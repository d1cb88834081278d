// SPDX-License-Identifier: Apache-2.0
// work.c - what to do next: a row of phases, each with a way for the tool and a wish for the hand.
//   LOOK -> CHOOSE -> ABOVE -> DESCEND -> CLOSE -> CARRY -> OPEN -> RETREAT -> CHOOSE ...
// A grasp that fails goes by way of RETREAT to CHOOSE; a thing is tried again after the others.
#include "pick.h"

static const qiao_ctl_pace brisk = {.speed = 0.7, .accel = 3, .turn = 1.8},
                           gentle = {.speed = 0.25, .accel = 1.5, .turn = 1.8};
#define CLEAR 0.025 // m between what is carried and what stands below
#define OFF   0.012 // m; a tool further than that from its way has met something

static void enter(mind *m, phase p) { m->phase = p, m->since = 0; }

static void go(mind *m) {
    qiao_ctl_path_begin(&m->path, m->x, m->v);
    m->clock = 0;
}

static bool arrived(const mind *m, double settle) {
    return m->clock >= qiao_ctl_path_time(&m->path) + settle;
}

static void set_grip(mind *m, double width, double rate) {
    m->grip_goal = width, m->grip_rate = rate;
}

// The tool's pose, z down.
static void pose_of(const double x[4], qiao_ctl_pose *p) {
    double s, c;
    qi_sincos(x[3], &s, &c);
    copy3(p->pos, x);
    set3(p->rot, c, s, 0), set3(p->rot + 3, s, -c, 0), set3(p->rot + 6, 0, 0, -1);
}

static bool reachable(const pick *b, const mind *m, const double x[4]) {
    double q[QIAO_CTL_ARM_N];
    qiao_ctl_pose pose;
    memcpy(q, m->q, sizeof q);
    pose_of(x, &pose);
    return qiao_ctl_arm_inverse(b->arm, &pose, q) < 0.002;
}

// Up, over and down to `to`, at a height that clears all; far around the base in two legs.
static void go_over(const pick *b, mind *m, const double to[4], double below) {
    double high = fmax(see_top(m) + below + CLEAR, to[2]), via[4];
    go(m);
    memcpy(via, m->x, sizeof via);
    if (via[2] < high) via[2] = high, qiao_ctl_path_add(&m->path, via, &brisk, 0);
    double from = qi_atan2(m->x[1], m->x[0]), d = wrap(qi_atan2(to[1], to[0]) - from);
    if (fabs(d) > 1) { // round the base, not through it
        double s, c,
            r = 0.5 *
                (sqrt(m->x[0] * m->x[0] + m->x[1] * m->x[1]) + sqrt(to[0] * to[0] + to[1] * to[1]));
        qi_sincos(from + d / 2, &s, &c);
        via[0] = r * c, via[1] = r * s, via[2] = fmax(high, m->x[2]);
        via[3] = grasp_neutral(b, via[0], via[1]);
        qiao_ctl_path_add(&m->path, via, &brisk, 0.35);
    }
    memcpy(via, to, sizeof via), via[2] = high;
    qiao_ctl_path_add(&m->path, via, &brisk, 0.35);
    if (to[2] < high) qiao_ctl_path_add(&m->path, to, &gentle, 0.35);
}

// ---- phases ----

static bool is_done(const mind *m, int i) {
    const thing *t = &m->thing[i];
    return t->into < 0 || see_inside(t, &m->box[t->into]);
}

// The thing with the best grasp among those tried least; -1: all is done.
static grasp choose(const pick *b, const mind *m) {
    grasp best = {.thing = -1, .score = -1e9};
    for (int i = 0; i < m->nthing; i++) {
        if (is_done(m, i)) continue;
        grasp g = grasp_thing(b, m, i);
        g.score -= 0.05 * m->thing[i].tries;
        if (g.score > best.score || best.thing < 0) best = g;
    }
    return best;
}

static void do_choose(const pick *b, mind *m) {
    if (!see_ready(m) && m->since < 2) return;
    m->g = choose(b, m);
    if (m->g.thing < 0) {
        go_over(b, m, b->rest_x, TIP);
        enter(m, HOME);
        return;
    }
    thing *t = &m->thing[m->g.thing];
    t->tries++;
    if (m->g.width <= 0 || !reachable(b, m, m->g.at)) {
        enter(m, LOOK);
        return;
    }
    double to[4];
    memcpy(to, m->g.at, sizeof to);
    to[2] += 0.05;
    go_over(b, m, to, TIP);
    set_grip(m, m->g.open, 0.2);
    enter(m, ABOVE);
}

// Over the thing: look again, go down with what is seen now.
static void do_above(const pick *b, mind *m) {
    if (!arrived(m, 0)) return;
    int i = m->g.thing;
    if (m->thing[i].seen < REST_SAMPLES) { // it moved: wait for it, or start afresh
        if (m->since > 8) enter(m, CHOOSE);
        return;
    }
    grasp g = grasp_thing(b, m, i);
    double off[3];
    sub3(off, g.at, m->g.at);
    if (norm3(off) > 0.03 || fabs(g.at[3] - m->g.at[3]) > 0.3 || g.width <= 0) {
        enter(m, CHOOSE);
        return;
    }
    m->g = g;
    go(m);
    qiao_ctl_path_add(&m->path, g.at, &gentle, 0);
    enter(m, DESCEND);
}

static void retreat(mind *m) {
    double up[4];
    go(m);
    memcpy(up, m->x, sizeof up);
    up[2] += 0.06;
    qiao_ctl_path_add(&m->path, up, &gentle, 0);
    enter(m, RETREAT);
}

static void do_descend(mind *m) {
    if (m->off > OFF) { // something is in the way
        retreat(m);
    } else if (arrived(m, 0.1)) {
        set_grip(m, 0, 0.15);
        enter(m, CLOSE);
    }
}

static bool holds(const mind *m) { return m->opening > m->g.width - 0.012; }

static void do_close(const pick *b, mind *m) {
    if (m->grip > 0 || m->since < m->g.open / m->grip_rate + 0.2) return;
    double to[4];
    thing *t = &m->thing[m->g.thing];
    if (!holds(m) || m->opening < 0.004) {
        set_grip(m, m->g.open, 0.3);
        retreat(m);
        return;
    }
    m->load = t->mass;
    grasp_place(b, m, to);
    if (!reachable(b, m, to)) to[0] = m->box[t->into].pos[0], to[1] = m->box[t->into].pos[1];
    go_over(b, m, to, m->g.below);
    t->seen = 0; // its old pose says nothing any more
    enter(m, CARRY);
}

static void do_carry(const pick *b, mind *m) {
    if (!holds(m)) { // lost on the way
        m->load = 0;
        set_grip(m, b->open_max, 0.3);
        retreat(m);
        return;
    }
    if (!arrived(m, 0.04)) return;
    m->grip = m->opening; // let go at once
    set_grip(m, fmin(m->g.width + 0.02, b->open_max), 0.2);
    enter(m, OPEN);
}

static void do_open(mind *m) {
    if (m->since < 0.2) return;
    m->load = 0;
    m->thing[m->g.thing].seen = 0;
    retreat(m);
}

static void decide(const pick *b, mind *m) {
    switch (m->phase) {
    case LOOK:
        if (m->since > 0.3) enter(m, CHOOSE);
        break;
    case CHOOSE: do_choose(b, m); break;
    case ABOVE: do_above(b, m); break;
    case DESCEND: do_descend(m); break;
    case CLOSE: do_close(b, m); break;
    case CARRY: do_carry(b, m); break;
    case OPEN: do_open(m); break;
    case RETREAT:
        if (arrived(m, 0)) enter(m, CHOOSE);
        break;
    case HOME: // a thing may still roll out
        if (arrived(m, 0.2) && see_ready(m) && choose(b, m).thing >= 0) enter(m, CHOOSE);
        break;
    }
}

// ---- motion ----

void work_start(const pick *b, mind *m) {
    memcpy(m->x, b->rest_x, sizeof m->x);
    memset(m->v, 0, sizeof m->v), memset(m->qd, 0, sizeof m->qd);
    go(m);
    m->grip = m->grip_goal = b->open_max, m->grip_rate = 0.2;
    m->load = 0, m->started = true;
    enter(m, LOOK);
}

void work(const pick *b, mind *m, double dt) {
    const int n = b->chain->n;
    double qd[QIAO_CTL_ARM_N], qdd[QIAO_CTL_ARM_N], vel[6] = {0};
    qiao_ctl_pose pose;
    m->since += dt;
    decide(b, m);
    // the tool along its way, the joints after it; the clock runs as fast as the joints can
    qiao_ctl_path_at(&m->path, m->clock + dt, m->x, m->v);
    pose_of(m->x, &pose);
    copy3(vel, m->v), vel[5] = m->v[3];
    memcpy(qd, m->qd, sizeof qd);
    double share = qiao_ctl_arm_follow(b->arm, &pose, vel, dt, m->q, m->qd);
    m->clock += share * dt;
    for (int i = 0; i < n; i++) qdd[i] = clampd((m->qd[i] - qd[i]) / dt, -15, 15);
    qiao_ctl_arm_torque(b->arm, m->q, m->qd, qdd, m->load, m->tau);
    // the hand
    double step = m->grip_rate * dt;
    m->grip += clampd(m->grip_goal - m->grip, -step, step);
}
