// SPDX-License-Identifier: Apache-2.0
// measures.c - what conditions and scores may ask; scenarios/lib declares each with its types.
#include "measures.h"
#include "referee.h"

#include <math.h>
#include <string.h>

static const double *pos_of(const qiao_referee *f, const qi_obj *o) {
    static const double none[3];
    return o && o->body >= 0 ? f->t->body_pos + 3 * o->body : none;
}
static const double *quat_of(const qiao_referee *f, const qi_obj *o) {
    static const double none[4] = {1, 0, 0, 0};
    return o && o->body >= 0 ? f->t->body_quat + 4 * o->body : none;
}
static const double *vel_of(const qiao_referee *f, const qi_obj *o) {
    static const double none[6];
    return o && o->body >= 0 ? f->t->body_vel + 6 * o->body : none;
}

double qi_yaw_of(const double q[4]) {
    return atan2(2 * (q[0] * q[3] + q[1] * q[2]), 1 - 2 * (q[2] * q[2] + q[3] * q[3]));
}

static double length3(const double v[3]) { return sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]); }

static double m_distance(qiao_referee *f, const qi_val *a) {
    const double *p = pos_of(f, a[0].o), *q = pos_of(f, a[1].o);
    double d[3] = {p[0] - q[0], p[1] - q[1], p[2] - q[2]};
    return length3(d);
}
static double m_x(qiao_referee *f, const qi_val *a) { return pos_of(f, a[0].o)[0]; }
static double m_y(qiao_referee *f, const qi_val *a) { return pos_of(f, a[0].o)[1]; }
static double m_height(qiao_referee *f, const qi_val *a) { return pos_of(f, a[0].o)[2]; }
static double m_speed(qiao_referee *f, const qi_val *a) { return length3(vel_of(f, a[0].o) + 3); }
static double m_trial_time(qiao_referee *f, const qi_val *a) { return (void)a, f->now; }

// Angle between the body's z axis and up.
static double m_tilt(qiao_referee *f, const qi_val *a) {
    const double *q = quat_of(f, a[0].o);
    double up = 1 - 2 * (q[1] * q[1] + q[2] * q[2]);
    return acos(fmin(fmax(up, -1), 1));
}

// ---- containers ----

// The object's centre lies between the walls, above the floor and not above the walls by more
// than half its own height.
static bool is_inside(const qiao_referee *f, const qi_obj *o, const qi_obj *box) {
    const double *p = pos_of(f, o), *c = pos_of(f, box), *q = quat_of(f, box);
    if (!o || !box) return false;
    double d[3] = {p[0] - c[0], p[1] - c[1], p[2] - c[2]}, t[3], v[3];
    for (int i = 0; i < 3; i++) { // v = R(q)' d
        int j = (i + 1) % 3, k = (i + 2) % 3;
        t[i] = -2 * (q[1 + j] * d[k] - q[1 + k] * d[j]);
    }
    for (int i = 0; i < 3; i++) {
        int j = (i + 1) % 3, k = (i + 2) % 3;
        v[i] = d[i] + q[0] * t[i] - (q[1 + j] * t[k] - q[1 + k] * t[j]);
    }
    return fabs(v[0]) <= box->size[0] / 2 && fabs(v[1]) <= box->size[1] / 2 && v[2] > 0 &&
           v[2] < box->size[2] + o->size[2] / 2;
}
static double m_inside(qiao_referee *f, const qi_val *a) { return is_inside(f, a[0].o, a[1].o); }

static bool is_resting(const qiao_referee *f, const qi_obj *o) {
    return o && f->now - o->rest_since >= 0.3 - 1e-9;
}
static double m_resting(qiao_referee *f, const qi_val *a) { return is_resting(f, a[0].o); }

// Share of the objects that rest inside the container they belong into.
static double m_placed(qiao_referee *f, const qi_val *a) {
    int n = 0;
    for (int i = 0; i < a[0].n; i++) {
        qi_obj *o = a[0].list[i].o;
        n += is_inside(f, o, qi_get_obj(f->in, o, "into")) && is_resting(f, o);
    }
    return a[0].n ? (double)n / a[0].n : 0;
}

// How many rest inside a container that others belong into.
static double m_misplaced(qiao_referee *f, const qi_val *a) {
    int n = 0;
    for (int i = 0; i < a[0].n; i++) {
        qi_obj *o = a[0].list[i].o, *own = qi_get_obj(f->in, o, "into");
        bool wrong = false;
        for (int k = 0; k < a[0].n; k++) {
            const qi_obj *box = qi_get_obj(f->in, a[0].list[k].o, "into");
            wrong |= box && box != own && is_inside(f, o, box) && is_resting(f, o);
        }
        n += wrong;
    }
    return n;
}

// How many lie lower than a height.
static double m_below(qiao_referee *f, const qi_val *a) {
    int n = 0;
    for (int i = 0; i < a[0].n; i++) n += pos_of(f, a[0].list[i].o)[2] < a[1].x;
    return n;
}

// ---- the robot ----

static bool touch(const qiao_referee *f, int i, const qi_obj *o) {
    const qi_obj *role = f->c->role;
    return o == role ? f->is_robot[i] : o && o->body == i;
}

static double m_contact(qiao_referee *f, const qi_val *a) {
    for (int i = 0; i < f->t->ncontact; i++) {
        const int *b = f->t->contact[i].body;
        if ((touch(f, b[0], a[0].o) && touch(f, b[1], a[1].o)) ||
            (touch(f, b[1], a[0].o) && touch(f, b[0], a[1].o)))
            return 1;
    }
    return 0;
}

// A part of the robot other than a foot presses on something that stands still.
static double m_collision(qiao_referee *f, const qi_val *a) {
    (void)a;
    for (int i = 0; i < f->t->ncontact; i++) {
        const qiao_contact *c = &f->t->contact[i];
        for (int k = 0; k < 2; k++)
            if (f->is_robot[c->body[k]] && !f->is_foot[c->body[k]] &&
                f->is_static[c->body[1 - k]] && length3(c->force_w) > 1)
                return 1;
    }
    return 0;
}

// Tilted by more than 60 degrees, or the base lies on the ground for half a second.
static double m_fell(qiao_referee *f, const qi_val *a) {
    return m_tilt(f, a) > 1.0471975511965976 || f->now - f->base_down_since >= 0.5;
}

static double m_force_on(qiao_referee *f, const qi_val *a) {
    const qi_obj *o = a[0].o;
    return o && o->body >= 0 ? f->t->body_force_peak[o->body] : 0;
}

static double m_torque(qiao_referee *f, const qi_val *a) {
    (void)a;
    double most = 0;
    for (int i = 0; i < f->c->robot->model->nu; i++)
        most = fmax(most, f->t->act_force_peak[f->part.act[i]]);
    return most;
}

static double m_torque_share(qiao_referee *f, const qi_val *a) {
    (void)a;
    double most = 0;
    for (int i = 0; i < f->c->robot->model->nu; i++) {
        double lim = f->c->robot->drive[i].torque_max;
        if (lim > 0) most = fmax(most, f->t->act_force_peak[f->part.act[i]] / lim);
    }
    return most;
}

static double m_energy(qiao_referee *f, const qi_val *a) { return (void)a, f->t->energy; }

// ---- routes ----

// Share of the way from start to finish, the furthest so far.
static double m_progress(qiao_referee *f, const qi_val *a) {
    const qi_route *r = a[1].o ? a[1].o->data : NULL;
    if (!r || !a[0].o) return 0;
    double s = 0, left = 0;
    const double *p = pos_of(f, a[0].o);
    qi_route_project(r, p[0], p[1], &s, &left);
    double share = fmin(fmax((s - r->start) / (r->finish - r->start), 0), 1);
    if (share > a[0].o->best) a[0].o->best = share;
    return a[0].o->best;
}

static double m_offset(qiao_referee *f, const qi_val *a) {
    const qi_route *r = a[1].o ? a[1].o->data : NULL;
    if (!r) return 0;
    double s = 0, left = 0;
    const double *p = pos_of(f, a[0].o);
    qi_route_project(r, p[0], p[1], &s, &left);
    return fabs(left);
}

// Mean over the trial of the distance between wanted and real horizontal velocity.
static double m_velocity_error(qiao_referee *f, const qi_val *a) {
    (void)a;
    return f->track.error_time > 0 ? f->track.error_sum / f->track.error_time : 0;
}

// Mean velocity while the command, other than 0, had settled; i: 0 forward, 1 left, 2 turn.
static double mean_speed(const qiao_referee *f, int i) {
    return f->track.got_time > 0 ? f->track.got[i] / f->track.got_time : 0;
}
static double m_speed_x(qiao_referee *f, const qi_val *a) { return (void)a, mean_speed(f, 0); }
static double m_speed_y(qiao_referee *f, const qi_val *a) { return (void)a, mean_speed(f, 1); }
static double m_turn(qiao_referee *f, const qi_val *a) { return (void)a, mean_speed(f, 2); }

// |mean velocity - command| of each piece of settled command, weighed by its length.
static double axis_error(const qiao_referee *f, int i) {
    const qi_track *t = &f->track;
    double time = t->off_time + t->seg_time;
    return time > 0 ? (t->off[i] + fabs(t->seg[i] - f->cmd_last[i] * t->seg_time)) / time : 0;
}
static double m_error_x(qiao_referee *f, const qi_val *a) { return (void)a, axis_error(f, 0); }
static double m_error_y(qiao_referee *f, const qi_val *a) { return (void)a, axis_error(f, 1); }
static double m_error_turn(qiao_referee *f, const qi_val *a) { return (void)a, axis_error(f, 2); }

// ---- orientations ----

static double m_goals(qiao_referee *f, const qi_val *a) { return (void)a, f->goal.reached; }
static double m_missed(qiao_referee *f, const qi_val *a) { return (void)a, f->goal.missed; }
static double m_goal_rate(qiao_referee *f, const qi_val *a) {
    return (void)a, f->now > 0 ? f->goal.reached * 60 / f->now : 0;
}
static double m_goal_error(qiao_referee *f, const qi_val *a) { return (void)a, qi_goal_error(f); }

static const qi_measure table[] = {
    {"distance", m_distance},
    {"pos_x", m_x},
    {"pos_y", m_y},
    {"height", m_height},
    {"tilt", m_tilt},
    {"speed", m_speed},
    {"trial_time", m_trial_time},
    {"inside", m_inside},
    {"resting", m_resting},
    {"placed", m_placed},
    {"misplaced", m_misplaced},
    {"below", m_below},
    {"contact", m_contact},
    {"collision", m_collision},
    {"fell", m_fell},
    {"force_on", m_force_on},
    {"torque", m_torque},
    {"torque_share", m_torque_share},
    {"energy", m_energy},
    {"progress", m_progress},
    {"offset", m_offset},
    {"velocity_error", m_velocity_error},
    {"mean_speed_x", m_speed_x},
    {"mean_speed_y", m_speed_y},
    {"mean_turn_rate", m_turn},
    {"speed_error_x", m_error_x},
    {"speed_error_y", m_error_y},
    {"turn_rate_error", m_error_turn},
    {"goals_reached", m_goals},
    {"goals_missed", m_missed},
    {"goals_per_minute", m_goal_rate},
    {"orientation_error", m_goal_error},
};

const qi_measure *qi_measure_find(const char *name) {
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].name, name) == 0) return &table[i];
    return NULL;
}

// ---- what measures remember ----

void qi_track_reset(qiao_referee *f) {
    const qiao_case *c = f->c;
    for (int i = 0; i < c->nthing; i++) c->thing[i]->rest_since = INFINITY, c->thing[i]->best = 0;
    c->role->best = 0, c->role->rest_since = INFINITY;
    f->track = (qi_track){0}, f->base_down_since = INFINITY;
}

static void track_rest(qiao_referee *f, qi_obj *o) {
    const double *v = vel_of(f, o);
    bool still = length3(v + 3) < 0.03 && length3(v) < 0.5;
    if (!still)
        o->rest_since = INFINITY;
    else if (isinf(o->rest_since))
        o->rest_since = f->now;
}

// A command counts as settled when it has been the same for 1.5 s.
static void track_settled(qiao_referee *f, const double v[3]) {
    static const double settle = 1.5;
    qi_track *t = &f->track;
    bool moving = f->cmd_last[0] != 0 || f->cmd_last[1] != 0 || f->cmd_last[2] != 0;
    if (f->now - t->since < settle - 1e-9) return;
    t->seg_time += f->dt, t->got_time += moving ? f->dt : 0;
    for (int i = 0; i < 3; i++) t->seg[i] += v[i] * f->dt, t->got[i] += moving ? v[i] * f->dt : 0;
}

static void track_command(qiao_referee *f) {
    if (f->command < 0 || f->now < 1) return; // the first second is for starting up
    qi_track *t = &f->track;
    const double *v = vel_of(f, f->c->role), yaw = qi_yaw_of(quat_of(f, f->c->role));
    double vx = cos(yaw) * v[3] + sin(yaw) * v[4], vy = cos(yaw) * v[4] - sin(yaw) * v[3];
    t->error_sum += f->dt * hypot(vx - f->cmd_last[0], vy - f->cmd_last[1]);
    t->error_time += f->dt;
    track_settled(f, (const double[3]){vx, vy, v[2]});
}

// The command is about to change: what was settled of the old one is closed.
void qi_track_change(qiao_referee *f) {
    qi_track *t = &f->track;
    for (int i = 0; i < 3; i++) {
        t->off[i] += fabs(t->seg[i] - f->cmd_last[i] * t->seg_time);
        t->seg[i] = 0;
    }
    t->off_time += t->seg_time, t->seg_time = 0, t->since = f->now;
}

void qi_track_step(qiao_referee *f) {
    for (int i = 0; i < f->c->nthing; i++) track_rest(f, f->c->thing[i]);
    track_rest(f, f->c->role);
    bool down = false;
    for (int i = 0; i < f->t->ncontact; i++) {
        const int *b = f->t->contact[i].body;
        down |= (b[0] == f->base && f->is_static[b[1]]) || (b[1] == f->base && f->is_static[b[0]]);
    }
    if (!down)
        f->base_down_since = INFINITY;
    else if (isinf(f->base_down_since))
        f->base_down_since = f->now;
    track_command(f);
}
