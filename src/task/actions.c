// SPDX-License-Identifier: Apache-2.0
// actions.c - operator.guide, operator.command, operator.stop, environment.push; the table of all.
#include "referee.h"

#include <math.h>
#include <string.h>

static double clamp(double x, double most) { return x > most ? most : x < -most ? -most : x; }

// The operator's wish; what is sent follows it smoothly (see qiao_referee_step).
static void wish(qiao_referee *f, double vx, double vy, double yaw_rate) {
    f->cmd[0] = vx, f->cmd[1] = vy, f->cmd[2] = yaw_rate;
}

// A person with a joystick who sees the robot: pure pursuit of the route's centre line.
// source: R. C. Coulter, Implementation of the pure pursuit path tracking algorithm (1992)
static bool guide(qiao_referee *f, qi_act *a, qi_phase phase) {
    const qi_obj *o = a->o, *along = qi_get_obj(f->in, o, "along");
    const qi_route *r = along ? along->data : NULL;
    if (phase == QI_STOP || !r) return wish(f, 0, 0, 0), true;
    const double *p = f->t->body_pos + 3 * f->base, yaw = qi_yaw_of(f->t->body_quat + 4 * f->base);
    double s = 0, left = 0, aim[3], heading;
    qi_route_project(r, p[0], p[1], &s, &left);
    if (s >= r->finish) return wish(f, 0, 0, 0), true;
    qi_route_at(r, fmin(s + qi_get(f->in, o, "look_ahead"), r->len + 1), aim, &heading);
    double dx = aim[0] - p[0], dy = aim[1] - p[1];
    double err = atan2(cos(yaw) * dy - sin(yaw) * dx, cos(yaw) * dx + sin(yaw) * dy);
    // forward speed falls while the robot looks elsewhere and just before the finish
    double speed = qi_get(f->in, o, "speed");
    double v = fmin(speed, 0.2 + 0.8 * (r->finish - s)) * fmax(0, cos(1.5 * clamp(err, 1)));
    // sideways drift is taken back in the robot's own frame
    double side = clamp(-0.6 * left * cos(heading - yaw), 0.3 * speed);
    wish(f, v, side, clamp(1.5 * err, qi_get(f->in, o, "turn_rate")));
    return false;
}

static bool command(qiao_referee *f, qi_act *a, qi_phase phase) {
    if (phase == QI_STOP) return true; // goes on until another command
    wish(f, qi_get(f->in, a->o, "vx"), qi_get(f->in, a->o, "vy"), qi_get(f->in, a->o, "yaw_rate"));
    return f->now - a->t0 >= qi_get(f->in, a->o, "duration") - 1e-9;
}

static bool stop(qiao_referee *f, qi_act *a, qi_phase phase) {
    (void)a;
    if (phase != QI_STOP) wish(f, 0, 0, 0);
    return true;
}

static void set_push(qiao_referee *f, int body, const double force[3]) {
    static const double none[3];
    if (f->sim) qiao_sim_push(f->sim, f->w, body, force, none);
}

// A force at the centre of mass of the robot's base or of an object, level, in a direction as
// seen from the target's heading.
static bool push(qiao_referee *f, qi_act *a, qi_phase phase) {
    const qi_obj *target = qi_get_obj(f->in, a->o, "target");
    static const double none[3];
    if (!target || target->body < 0) return true;
    if (phase == QI_STOP) {
        set_push(f, target->body, none);
        return true;
    }
    double force = qi_get(f->in, a->o, "force");
    if (phase == QI_START) {
        const char *to = qi_get_enum(f->in, a->o, "direction");
        double turn = strcmp(to, "left") == 0    ? 1.5707963267948966
                      : strcmp(to, "right") == 0 ? -1.5707963267948966
                      : strcmp(to, "back") == 0  ? 3.141592653589793
                                                 : 0;
        double yaw = qi_yaw_of(f->t->body_quat + 4 * target->body) + turn;
        a->mem[0] = force * cos(yaw), a->mem[1] = force * sin(yaw), a->mem[2] = 0;
        set_push(f, target->body, a->mem);
        qi_referee_event(f, "push", "%s: %.3g N to the %s for %.3g s on %s", a->o->path, force, to,
                         qi_get(f->in, a->o, "duration"), target->path);
        return false;
    }
    return f->now - a->t0 >= qi_get(f->in, a->o, "duration") - 1e-9;
}

static const qi_action table[] = {
    {"operator.guide", guide},    {"operator.command", command},
    {"operator.stop", stop},      {"operator.orient", qi_orient},
    {"environment.push", push},   {"environment.put_back", qi_put_back},
    {"operator.bring", qi_bring},
};

const qi_action *qi_action_find(const qi_decl *d) {
    for (; d; d = d->base)
        for (size_t i = 0; i < sizeof table / sizeof *table; i++)
            if (strcmp(table[i].name, d->name) == 0) return &table[i];
    return NULL;
}
