// SPDX-License-Identifier: Apache-2.0
// guard.c - guards of n worlds: what sensors say is judged first, then what the brain commands.
#include "brain/guard.h"
#include "base/lane_math.h"
#include "brain/wire.h"
#include "qiao/dyn.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAULT_TEXT = 256, NS = 1000000000 };
static const int64_t quiet_ns = 250000000; // a guard speaks again after so long without cause

typedef struct joint { // what one drive may do
    const char *name, *act, *unit, *unit_tau, *unit_vel;
    int pos, vel, tau; // places in an observation row, -1: not measured
    bool native;
    double lo, hi, span;                   // span 0: no range
    double speed, torque, jump, speed_cmd; // INFINITY: not bounded; jump: of the target in a step
    double kp, kd, tau_noise;
} joint;

typedef struct watch { // a signal whose stamp and bits are looked at
    int sig;
    bool age, same, moving; // moving: the same bits are a fault only while joints move
    int64_t age_ns;
} watch;

typedef struct seen {
    uint64_t bits;
    int64_t stamp;
    int same;
} seen;

typedef struct state {                           // of one world
    int64_t t0, damp_t, spoke[QIAO_GUARD_COUNT]; // t0, damp_t < 0: not yet
    qiao_err stop;
    int late, missed, blind; // late steps in a row; since the last step; signal not finite or -1
    int64_t up_t;            // of up; < 0: not yet
    double up[3];            // where up is, without an attitude signal
    double shrink;           // of gains, while the drives take too much power
    uint8_t now[QIAO_GUARD_COUNT], held[QIAO_GUARD_COUNT], noted[QIAO_GUARD_COUNT];
    uint8_t rung;
    bool spoken; // last holds a command
    unsigned put, got;
    qiao_guard_event ring[QI_GUARD_EVENTS], why; // why: of the damping that lasts
    char fault[FAULT_TEXT];
} state;

struct qi_guards {
    qi_guard_def def;
    const qiao_io *io;
    int n, nu, nwatch;
    const qiao_signal *quat, *acc, *gyro, *pose, *scan; // NULL: not there
    double up[3];                                       // of the world, in the imu's frame, at rest
    double cos_tilt[4];                                 // of rungs soft, damp, stop
    int scan_at;                                        // place of the scan's middle
    double power;
    joint *j;       // [nu]
    watch *watch;   // [nwatch]
    seen *seen;     // [n][nwatch]
    state *s;       // [n]
    double *last;   // [n][5][nu] the last command that passed
    uint8_t *alive; // [n]
};

// ---- load ----

static const qiao_signal *find(const qiao_io *io, const char *name, int dim) {
    for (int i = 0; i < io->nsig; i++)
        if (strcmp(io->sig[i].name, name) == 0 && (dim == 0 || io->sig[i].dim == dim))
            return &io->sig[i];
    return NULL;
}

static const qiao_sensor *own_sensor(const qiao_robot *r, const char *name) {
    for (int i = 0; i < r->nsensor; i++)
        if (strcmp(r->sensor[i].name, name) == 0) return &r->sensor[i];
    return NULL;
}

static int place(const qiao_signal *s, const char *name) {
    for (int i = 0; s && i < s->nname && s->dim == s->nname; i++)
        if (strcmp(s->element[i], name) == 0) return s->adr + i;
    return -1;
}

// '*' fits any letters; all else is itself.
static bool fits(const char *pattern, const char *s) {
    const char *star = NULL, *back = s;
    while (*s) {
        if (*pattern == '*')
            star = pattern++, back = s;
        else if (*pattern == *s)
            pattern++, s++;
        else if (star)
            pattern = star + 1, s = ++back;
        else
            return false;
    }
    while (*pattern == '*') pattern++;
    return *pattern == 0;
}

static void load_joint(qi_guards *g, int i) {
    const qiao_robot *r = g->io->robot;
    const qiao_model *m = r->model;
    const qiao_drive *v = r->drive ? &r->drive[i] : &(qiao_drive){0};
    int k = m && m->act_joint ? m->act_joint[i] : -1;
    joint *j = &g->j[i];
    bool slide = k >= 0 && m->jnt_type[k] == QIAO_JOINT_SLIDE;
    *j = (joint){.act = g->io->act_name[i], .native = v->native, .kp = v->kp, .kd = v->kd};
    j->name = k >= 0 ? m->jnt_name[k] : j->act;
    j->unit = slide ? "m" : "rad", j->unit_vel = slide ? "m/s" : "rad/s";
    j->unit_tau = slide ? "N" : "N*m";
    j->pos = place(find(g->io, "joint_pos", 0), j->name);
    j->vel = place(find(g->io, "joint_vel", 0), j->name);
    j->tau = place(find(g->io, "joint_tau", 0), j->act);
    if (k >= 0 && m->jnt_range) j->lo = m->jnt_range[2 * k], j->hi = m->jnt_range[2 * k + 1];
    j->speed = v->speed_max > 0 ? v->speed_max : INFINITY;
    j->torque = v->torque_max > 0 ? v->torque_max : INFINITY;
    j->speed_cmd = NAN;
    for (int q = 0; q < g->def.njoint; q++) {
        const qi_guard_joint *o = &g->def.joint[q];
        if (!fits(o->match, j->name) && !fits(o->match, j->act)) continue;
        if (!isnan(o->range[0])) j->lo = o->range[0], j->hi = o->range[1];
        if (!isnan(o->speed)) j->speed = o->speed;
        if (!isnan(o->torque)) j->torque = o->torque;
        if (!isnan(o->speed_command)) j->speed_cmd = o->speed_command;
        break;
    }
    j->span = j->hi > j->lo ? j->hi - j->lo : 0;
    // without a word: the whole range in one step
    j->jump = j->speed_cmd > 0 ? j->speed_cmd * g->io->period : j->span > 0 ? j->span : INFINITY;
    const qiao_sensor *t = own_sensor(r, "joint_tau");
    j->tau_noise = t ? 6 * t->noise + 4 * t->bias : 0;
}

// Which way is up in the imu's frame when the robot stands as in its rest pose.
static qiao_err load_tilt(qi_guards *g, qiao_diag *d) {
    const qiao_robot *r = g->io->robot;
    g->up[2] = 1;
    bool floats = r->model && r->model->njnt > 0 && r->model->jnt_type[0] == QIAO_JOINT_FREE;
    if (!floats || r->imu_site < 0 || !r->rest_q) {
        g->quat = g->acc = g->gyro = NULL;
        return QIAO_OK;
    }
    size_t bytes = qiao_dyn_size(r->model);
    void *mem = bytes ? aligned_alloc(64, (bytes + 63) & ~(size_t)63) : NULL;
    if (bytes && !mem) return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    double rot[9];
    qiao_dyn *dyn = mem ? qiao_dyn_init(r->model, mem, NULL) : NULL;
    if (dyn && !qiao_dyn_kinematics(dyn, r->rest_q) &&
        !qiao_dyn_site(dyn, r->imu_site, NULL, rot, NULL, NULL))
        for (int i = 0; i < 3; i++) g->up[i] = rot[6 + i];
    free(mem);
    const qi_guard_rungs *t = &g->def.rung[QIAO_GUARD_TILT];
    _Alignas(64) double x[16] = {t->soft, t->damp, t->stop}, sn[16];
    _Alignas(64) double cs[16];
    for (int i = 0; i < 3; i++)
        if (!(x[i] < 3.1415)) x[i] = 3.1415; // never reached
    qi_lane_math_best(true)->sincos(x, sn, cs, 16);
    memcpy(g->cos_tilt, cs, 3 * sizeof *cs);
    return QIAO_OK;
}

static bool in(const char *const *names, const char *name) {
    for (int i = 0; names && names[i]; i++)
        if (strcmp(names[i], name) == 0) return true;
    return false;
}

// Which stamps matter: of what the brain reads and of what the guards look at.
static void load_watch(qi_guards *g, const char *const *need) {
    static const char *const ours[] = {"joint_pos", "joint_vel", "imu_quat", NULL};
    const qiao_io *io = g->io;
    double period = io->period > 0 ? io->period : 0.02;
    for (int i = 0; i < io->nsig; i++) {
        const qiao_signal *s = &io->sig[i];
        const qiao_sensor *own = own_sensor(io->robot, s->name);
        bool used = in(need, s->name) || (own && in(ours, s->name));
        if (!used) continue;
        double every = s->rate_hz > 0 ? 1 / s->rate_hz : period;
        double age = own ? own->delay + every + 0.5 * period : 0.25 + 10 * every;
        if (!isnan(g->def.age)) age = g->def.age;
        bool imu = own && own->noise > 0 && s->dim >= 3 &&
                   (own->kind == QIAO_SENSE_IMU_QUAT || own->kind == QIAO_SENSE_IMU_GYRO ||
                    own->kind == QIAO_SENSE_IMU_ACC);
        bool joints =
            own && (own->kind == QIAO_SENSE_JOINT_POS || own->kind == QIAO_SENSE_JOINT_VEL);
        g->watch[g->nwatch++] = (watch){.sig = i,
                                        .age = true,
                                        .same = imu || joints,
                                        .moving = joints,
                                        .age_ns = (int64_t)(age * 1e9) + 1000};
    }
}

static void load_rest(qi_guards *g) {
    const qiao_io *io = g->io;
    const qiao_robot *r = io->robot;
    g->quat = find(io, "imu_quat", 4), g->acc = find(io, "imu_acc", 3);
    g->gyro = find(io, "imu_gyro", 3), g->pose = find(io, "base_pose", 7);
    for (int i = 0; i < io->nsig && !g->scan; i++)
        if (io->sig[i].grid_n[0] > 0 && strcmp(io->sig[i].name, "height_scan") == 0)
            g->scan = &io->sig[i];
    double best = INFINITY;
    for (int k = 0; g->scan && k < g->scan->dim; k++) {
        const qiao_signal *s = g->scan;
        double x = s->grid_center[0] + (k / s->grid_n[1] - 0.5 * (s->grid_n[0] - 1)) * s->grid_step;
        double y = s->grid_center[1] + (k % s->grid_n[1] - 0.5 * (s->grid_n[1] - 1)) * s->grid_step;
        if (x * x + y * y < best) best = x * x + y * y, g->scan_at = s->adr + k;
    }
    g->power = g->def.power;
    if (isnan(g->power)) {
        g->power = 0;
        for (int i = 0; i < g->nu; i++)
            if (!g->j[i].native) g->power += g->j[i].torque * g->j[i].speed;
        if (!(g->power > 0)) g->power = INFINITY;
    }
    // where each drive is held before there was a good command
    for (int i = 0; i < g->n * g->nu && r->model && r->rest_q; i++) {
        int k = r->model->act_joint[i % g->nu];
        size_t at = (size_t)(i / g->nu) * 5 * (size_t)g->nu + (size_t)(i % g->nu);
        if (k >= 0) g->last[at] = r->rest_q[r->model->jnt_qadr[k]];
    }
}

qi_guards *qi_guards_new(const qi_guard_def *def, const qiao_io *io, const char *const *need, int n,
                         qiao_diag *d) {
    qi_guards *g = calloc(1, sizeof *g);
    size_t nu = (size_t)io->nu, rows = (size_t)n;
    if (g) {
        g->def = *def, g->io = io, g->n = n, g->nu = io->nu;
        g->j = calloc(nu + 1, sizeof *g->j), g->s = calloc(rows, sizeof *g->s);
        g->watch = calloc((size_t)io->nsig + 1, sizeof *g->watch);
        g->seen = calloc(rows * (size_t)io->nsig + 1, sizeof *g->seen);
        g->last = calloc(rows * 5 * nu + 1, sizeof *g->last), g->alive = calloc(rows, 1);
    }
    if (!g || !g->j || !g->s || !g->watch || !g->seen || !g->last || !g->alive) {
        qi_guards_free(g);
        qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
        return NULL;
    }
    for (int i = 0; i < g->nu; i++) load_joint(g, i);
    load_rest(g), load_watch(g, need);
    if (load_tilt(g, d)) {
        qi_guards_free(g);
        return NULL;
    }
    for (int w = 0; w < n; w++) qi_guards_reset(g, w);
    return g;
}

void qi_guards_free(qi_guards *g) {
    if (!g) return;
    free(g->j), free(g->watch), free(g->seen), free(g->s), free(g->last), free(g->alive);
    free(g);
}

void qi_guards_reset(qi_guards *g, int w) {
    state *s = &g->s[w];
    memset(s, 0, offsetof(state, ring));
    s->t0 = s->damp_t = s->up_t = s->blind = -1, s->fault[0] = 0;
    memcpy(s->up, g->up, sizeof s->up);
    for (int i = 0; i < g->nwatch; i++)
        g->seen[(size_t)w * (size_t)g->nwatch + (size_t)i] = (seen){.stamp = -1};
}

// ---- rungs and events ----

static void note(state *s, const qiao_guard_event *ev) {
    if (s->put - s->got < QI_GUARD_EVENTS) s->ring[s->put++ % QI_GUARD_EVENTS] = *ev;
}

// One guard's finding in this step. x: in the units of the rungs; the value itself is
// from + scale x.
typedef struct finding {
    double x, from, scale;
    const char *what, *unit;
} finding;

static void raise_to(state *s, qiao_guard k, qiao_rung r, const qiao_guard_event *ev) {
    if (r > s->now[k]) s->now[k] = (uint8_t)r;
    if (r <= s->noted[k]) return;
    s->noted[k] = (uint8_t)r;
    note(s, ev);
    if (r >= QIAO_RUNG_DAMP && s->rung < QIAO_RUNG_DAMP) s->why = *ev;
    if (r == QIAO_RUNG_STOP) s->why = *ev;
}

static void raise(qi_guards *g, state *s, int64_t t, qiao_guard k, const finding *f) {
    const qi_guard_rungs *l = &g->def.rung[k];
    qiao_rung r = f->x >= l->stop   ? QIAO_RUNG_STOP
                  : f->x >= l->damp ? QIAO_RUNG_DAMP
                  : f->x >= l->soft ? QIAO_RUNG_SOFT
                                    : QIAO_RUNG_NONE;
    if (r == QIAO_RUNG_NONE) return;
    double limit = r == QIAO_RUNG_STOP ? l->stop : r == QIAO_RUNG_DAMP ? l->damp : l->soft;
    // damping ends below soft, not below damp: no chatter
    if (r == QIAO_RUNG_SOFT && s->held[k] == QIAO_RUNG_DAMP) r = QIAO_RUNG_DAMP;
    qiao_guard_event ev = {
        t, k, r, f->what, f->unit, f->from + f->scale * f->x, f->from + f->scale * limit};
    raise_to(s, k, r, &ev);
}

static void keep_worst(finding *f, double x, double from, double scale, const char *what,
                       const char *unit) {
    if (x > f->x) *f = (finding){x, from, scale, what, unit};
}

// ---- what sensors say ----

const uint8_t *qi_guards_see(qi_guards *g, const qiao_obs *o) {
    bool any = false;
    for (int w = 0; w < o->n; w++) {
        state *s = &g->s[w];
        s->blind = -1;
        if (o->live && !o->live[w]) continue;
        // x - x is 0 for a finite x and NaN for all others: one sum tells of the whole row
        const double *x = o->x + (size_t)w * (size_t)o->nobs;
        double sum = 0;
        for (int i = 0; i < o->nobs; i++) sum += x[i] - x[i];
        if (sum == 0) continue;
        for (int i = 0; i < o->nsig && s->blind < 0; i++) {
            const qiao_signal *sig = &g->io->sig[i];
            for (int k = 0; k < sig->dim; k++)
                if (!isfinite(x[sig->adr + k])) s->blind = i;
        }
        any |= s->blind >= 0;
    }
    if (!any) return o->live;
    for (int w = 0; w < o->n; w++) g->alive[w] = (!o->live || o->live[w]) && g->s[w].blind < 0;
    return g->alive;
}

// Up in the imu's frame without an attitude signal: turned by the gyro, drawn within a second to
// where the accelerometer points while that says about 1 g.
static void guess_up(qi_guards *g, state *s, int64_t t, const double *x) {
    const double *a = x + g->acc->adr, *w = x + g->gyro->adr;
    double dt = s->up_t < 0 ? 0 : (double)(t - s->up_t) / NS, *u = s->up;
    double n = sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2]);
    double turned[3] = {u[1] * w[2] - u[2] * w[1], u[2] * w[0] - u[0] * w[2],
                        u[0] * w[1] - u[1] * w[0]};
    double draw = n > 7 && n < 13 ? (s->up_t < 0 ? 1 : dt < 1 ? dt : 1) : 0, sum = 0;
    for (int i = 0; i < 3; i++) {
        u[i] += turned[i] * dt;
        if (n > 0) u[i] += draw * (a[i] / n - u[i]);
        sum += u[i] * u[i];
    }
    for (int i = 0; i < 3 && sum > 0; i++) u[i] /= sqrt(sum);
    s->up_t = t;
}

static void look_tilt(qi_guards *g, state *s, int64_t t, const double *x) {
    double c = 1;
    if (g->quat) {
        const double *q = x + g->quat->adr;
        double n = q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3];
        double up[3] = {2 * (q[1] * q[3] - q[0] * q[2]), 2 * (q[2] * q[3] + q[0] * q[1]),
                        q[0] * q[0] - q[1] * q[1] - q[2] * q[2] + q[3] * q[3]};
        if (n > 0) c = (up[0] * g->up[0] + up[1] * g->up[1] + up[2] * g->up[2]) / n;
    } else if (g->acc && g->gyro) {
        guess_up(g, s, t, x);
        c = s->up[0] * g->up[0] + s->up[1] * g->up[1] + s->up[2] * g->up[2];
    }
    if (c >= g->cos_tilt[0]) return;
    // the rung is told by the cosine, which has the same bits everywhere; the angle is for people
    const qi_guard_rungs *l = &g->def.rung[QIAO_GUARD_TILT];
    double a = acos(c < -1 ? -1 : c), least = l->soft, most = l->damp;
    if (c < g->cos_tilt[1]) least = l->damp, most = l->stop;
    if (c < g->cos_tilt[2]) least = l->stop, most = INFINITY;
    a = a < least ? least : a < most ? a : nextafter(most, 0);
    raise(g, s, t, QIAO_GUARD_TILT, &(finding){a, 0, 1, "base", "rad"});
}

static void look_height(qi_guards *g, state *s, int64_t t, const double *x) {
    const qi_guard_def *d = &g->def;
    if (isnan(d->height_min) && isnan(d->height_max)) return;
    if (!g->scan && !g->pose) return;
    double h = g->scan ? -x[g->scan_at] : x[g->pose->adr + 2];
    const char *what = g->scan ? g->scan->name : g->pose->name;
    finding f = {.x = 0};
    if (!isnan(d->height_min)) keep_worst(&f, d->height_min - h, d->height_min, -1, what, "m");
    if (!isnan(d->height_max)) keep_worst(&f, h - d->height_max, d->height_max, 1, what, "m");
    if (f.what) raise(g, s, t, QIAO_GUARD_HEIGHT, &f);
}

static void look_joints(qi_guards *g, state *s, int64_t t, const double *x) {
    finding pos = {0}, vel = {0}, tau = {0};
    double power = 0;
    for (int i = 0; i < g->nu; i++) {
        const joint *j = &g->j[i];
        if (j->native) continue;
        if (j->pos >= 0 && j->span > 0) {
            double q = x[j->pos];
            keep_worst(&pos, (j->lo - q) / j->span, j->lo, -j->span, j->name, j->unit);
            keep_worst(&pos, (q - j->hi) / j->span, j->hi, j->span, j->name, j->unit);
        }
        double v = j->vel >= 0 ? x[j->vel] : 0, u = j->tau >= 0 ? x[j->tau] : 0;
        keep_worst(&vel, fabs(v) / j->speed, 0, j->speed, j->name, j->unit_vel);
        keep_worst(&tau, (fabs(u) - j->tau_noise) / j->torque, j->tau_noise, j->torque, j->act,
                   j->unit_tau);
        power += u * v > 0 ? u * v : 0;
    }
    if (pos.what) raise(g, s, t, QIAO_GUARD_POSITION, &pos);
    if (vel.what) raise(g, s, t, QIAO_GUARD_VELOCITY, &vel);
    if (tau.what) raise(g, s, t, QIAO_GUARD_TORQUE, &tau);
    finding all = {power / g->power, 0, g->power, "drives", "W"};
    raise(g, s, t, QIAO_GUARD_POWER, &all);
    s->shrink = all.x > 0 ? g->def.rung[QIAO_GUARD_POWER].soft / all.x : 1;
}

static bool joints_move(const qi_guards *g, const double *x) {
    for (int i = 0; i < g->nu; i++)
        if (g->j[i].vel >= 0 && fabs(x[g->j[i].vel]) > 0.5) return true;
    return false;
}

// All bits of a signal in one number (FNV-1a over words).
static uint64_t bits_of(const double *x, int n) {
    uint64_t h = 0xcbf29ce484222325u;
    for (int i = 0; i < n; i++) {
        uint64_t u;
        memcpy(&u, &x[i], 8);
        h = (h ^ u) * 0x100000001b3u, h ^= h >> 29;
    }
    return h;
}

static void look_signals(qi_guards *g, state *s, int w, const qiao_obs *o) {
    if (!o->stamp_ns) return;
    int64_t t = o->t_ns[w];
    const double *x = o->x + (size_t)w * (size_t)o->nobs;
    finding stale = {0}, frozen = {0};
    for (int i = 0; i < g->nwatch; i++) {
        const watch *k = &g->watch[i];
        const qiao_signal *sig = &g->io->sig[k->sig];
        seen *was = &g->seen[(size_t)w * (size_t)g->nwatch + (size_t)i];
        int64_t at = o->stamp_ns[(size_t)w * (size_t)o->nsig + (size_t)k->sig];
        int64_t age = t - (at < 0 ? s->t0 : at); // never came: as old as the trial
        if (age < 0) age = -age;                 // from the future: no better
        keep_worst(&stale, (double)age / (double)k->age_ns, 0, (double)k->age_ns / NS, sig->name,
                   "s");
        if (!k->same || at < 0 || at == was->stamp) continue;
        uint64_t bits = bits_of(x + sig->adr, sig->dim);
        bool same = was->stamp >= 0 && bits == was->bits && (!k->moving || joints_move(g, x));
        was->same = same ? was->same + 1 : 0, was->stamp = at, was->bits = bits;
        keep_worst(&frozen, was->same, 0, 1, sig->name, "samples");
    }
    if (stale.what) raise(g, s, t, QIAO_GUARD_STALE, &stale);
    if (frozen.what) raise(g, s, t, QIAO_GUARD_FROZEN, &frozen);
}

// ---- what the brain commands ----

typedef struct row { // one world's command
    double *q, *qd, *kp, *kd, *tau;
} row;

static row row_of(const qiao_cmd *c, int w) {
    size_t at = (size_t)w * (size_t)c->nu;
    return (row){c->q + at, c->qd + at, c->kp + at, c->kd + at, c->tau + at};
}

static void limit_command(qi_guards *g, state *s, int64_t t, const double *x, const double *last,
                          row c) {
    const qi_guard_rungs *jump = &g->def.rung[QIAO_GUARD_JUMP];
    double most_pos = g->def.rung[QIAO_GUARD_POSITION].command;
    double most_vel = g->def.rung[QIAO_GUARD_VELOCITY].command;
    double most_tau = g->def.rung[QIAO_GUARD_TORQUE].command;
    finding worst = {0};
    for (int i = 0; i < g->nu; i++) {
        const joint *j = &g->j[i];
        if (j->native) continue;
        double kp = c.kp[i] < 0 ? j->kp : c.kp[i], kd = c.kd[i] < 0 ? j->kd : c.kd[i];
        if (kp > 0 && s->spoken) {
            double d = c.q[i] - last[i], room = jump->soft * j->jump;
            keep_worst(&worst, fabs(d) / j->jump, 0, j->jump, j->act, j->unit);
            if (d > room) c.q[i] = last[i] + room;
            if (d < -room) c.q[i] = last[i] - room;
        }
        double lo = j->lo - most_pos * j->span, hi = j->hi + most_pos * j->span, q = c.q[i];
        if (kp > 0 && j->span > 0 && !(q >= lo && q <= hi)) {
            c.q[i] = q < lo ? lo : hi;
            raise_to(s, QIAO_GUARD_POSITION, QIAO_RUNG_SOFT,
                     &(qiao_guard_event){t, QIAO_GUARD_POSITION, QIAO_RUNG_SOFT, j->act, j->unit, q,
                                         c.q[i]});
        }
        double v = c.qd[i], top = most_vel * j->speed;
        if (kd > 0 && fabs(v) > top) {
            c.qd[i] = v < 0 ? -top : top;
            raise_to(s, QIAO_GUARD_VELOCITY, QIAO_RUNG_SOFT,
                     &(qiao_guard_event){t, QIAO_GUARD_VELOCITY, QIAO_RUNG_SOFT, j->act,
                                         j->unit_vel, v, c.qd[i]});
        }
        // the torque that these gains would ask for now
        double u = c.tau[i], most = most_tau * j->torque;
        if (j->pos >= 0) u += kp * (c.q[i] - x[j->pos]);
        if (j->vel >= 0) u += kd * (c.qd[i] - x[j->vel]);
        if (fabs(u) > most) {
            double f = most / fabs(u);
            c.kp[i] = kp * f, c.kd[i] = kd * f, c.tau[i] *= f;
            raise_to(s, QIAO_GUARD_TORQUE, QIAO_RUNG_SOFT,
                     &(qiao_guard_event){t, QIAO_GUARD_TORQUE, QIAO_RUNG_SOFT, j->act, j->unit_tau,
                                         fabs(u), most});
        }
    }
    if (worst.what) raise(g, s, t, QIAO_GUARD_JUMP, &worst);
    if (s->now[QIAO_GUARD_POWER] != QIAO_RUNG_SOFT) return;
    for (int i = 0; i < g->nu; i++) { // less pull, by as much as the power is too high
        const joint *j = &g->j[i];
        if (j->native) continue;
        c.kp[i] = s->shrink * (c.kp[i] < 0 ? j->kp : c.kp[i]), c.tau[i] *= s->shrink;
    }
}

// ---- act ----

void qi_guards_damp(const qi_guards *g, qiao_cmd *c, int w) {
    row r = row_of(c, w);
    const double *last = g->last + (size_t)w * 5 * (size_t)g->nu;
    for (int i = 0; i < c->nu; i++)
        r.q[i] = last[i], r.qd[i] = r.kp[i] = r.tau[i] = 0, r.kd[i] = -1;
}

static void hold(const double *last, int nu, row r) {
    double *part[5] = {r.q, r.qd, r.kp, r.kd, r.tau};
    for (int p = 0; p < 5; p++)
        memcpy(part[p], last + (size_t)p * (size_t)nu, (size_t)nu * sizeof(double));
}

static void keep(double *last, int nu, row r) {
    const double *part[5] = {r.q, r.qd, r.kp, r.kd, r.tau};
    for (int p = 0; p < 5; p++)
        memcpy(last + (size_t)p * (size_t)nu, part[p], (size_t)nu * sizeof(double));
}

static void stop(state *s, qiao_err e, const char *text) {
    s->stop = e, s->rung = QIAO_RUNG_STOP;
    snprintf(s->fault, sizeof s->fault, "%s", text);
}

// What is left of the rungs of the last step, and which one this step has come to.
static void settle(qi_guards *g, state *s, int64_t t) {
    qiao_rung worst = QIAO_RUNG_NONE;
    for (int k = 0; k < QIAO_GUARD_COUNT; k++) {
        if (s->now[k] > worst) worst = (qiao_rung)s->now[k];
        s->held[k] = s->now[k];
        if (s->now[k]) s->spoke[k] = t;
        if (!s->now[k] && s->noted[k] && t - s->spoke[k] >= quiet_ns) s->noted[k] = 0;
    }
    if (worst != QIAO_RUNG_DAMP) s->damp_t = -1;
    if (worst == QIAO_RUNG_DAMP && s->damp_t < 0) s->damp_t = t;
    s->rung = (uint8_t)worst;
    bool long_ago = worst == QIAO_RUNG_DAMP && t - s->damp_t >= (int64_t)(g->def.damp_s * 1e9);
    if (worst < QIAO_RUNG_STOP && !long_ago) return;
    char text[200], why[FAULT_TEXT];
    qiao_guard_event ev = s->why;
    if (long_ago) ev.rung = QIAO_RUNG_STOP, ev.t_ns = t, note(s, &ev);
    qiao_guard_text(&ev, text, sizeof text);
    snprintf(why, sizeof why, "guard %s: %.180s%s", qiao_guard_name(ev.guard), text,
             long_ago ? " (damping did not end it)" : "");
    stop(s, QIAO_E_LIMIT, why);
}

static void act_one(qi_guards *g, const qiao_obs *o, qiao_cmd *c, int w, const char *who) {
    state *s = &g->s[w];
    int64_t t = o->t_ns[w];
    const double *x = o->x + (size_t)w * (size_t)o->nobs;
    double *last = g->last + (size_t)w * 5 * (size_t)g->nu;
    row r = row_of(c, w);
    if (s->t0 < 0) s->t0 = t;
    memset(s->now, 0, sizeof s->now);
    qiao_diag own = {0};
    if (s->blind >= 0) {
        raise_to(s, QIAO_GUARD_FINITE, QIAO_RUNG_DAMP,
                 &(qiao_guard_event){t, QIAO_GUARD_FINITE, QIAO_RUNG_DAMP,
                                     g->io->sig[s->blind].name, "", NAN, 0});
    } else if (qi_command_check(c, w, g->io->act_name, &own)) {
        char why[FAULT_TEXT];
        qiao_guard_event ev = {t, QIAO_GUARD_FINITE, QIAO_RUNG_STOP, "command", "", NAN, 0};
        snprintf(why, sizeof why, "brain '%s' %.180s", who, own.text);
        note(s, &ev), stop(s, QIAO_E_NAN, why);
        return;
    } else {
        look_tilt(g, s, t, x), look_height(g, s, t, x), look_joints(g, s, t, x);
        look_signals(g, s, w, o);
        limit_command(g, s, t, x, last, r);
    }
    s->late = s->missed ? s->late + s->missed : 0, s->missed = 0;
    raise(g, s, t, QIAO_GUARD_DEADLINE, &(finding){s->late, 0, 1, "brain", "steps"});
    settle(g, s, t);
    if (s->rung >= QIAO_RUNG_DAMP) return;
    if (s->now[QIAO_GUARD_STALE] && s->spoken)
        hold(last, g->nu, r);
    else
        keep(last, g->nu, r), s->spoken = true;
}

qiao_err qi_guards_act(qi_guards *g, const qiao_obs *o, qiao_cmd *c, const char *who, int *world) {
    qiao_err worst = QIAO_OK;
    for (int w = 0; w < c->n; w++) {
        if (o->live && !o->live[w]) continue;
        state *s = &g->s[w];
        if (!s->stop) act_one(g, o, c, w, who);
        if (s->rung >= QIAO_RUNG_DAMP) qi_guards_damp(g, c, w);
        if (s->stop && !worst) worst = s->stop, *world = w;
    }
    return worst;
}

const char *qi_guards_fault(const qi_guards *g, int w) {
    return w >= 0 && w < g->n && g->s[w].stop ? g->s[w].fault : NULL;
}

void qi_guards_late(qi_guards *g, int w) {
    if (w >= 0 && w < g->n) g->s[w].missed++;
}

void qi_guards_gone(qi_guards *g, qiao_guard what, int64_t t_ns, int w) {
    qiao_guard_event ev = {t_ns, what, QIAO_RUNG_STOP, "brain", "", NAN, 0};
    note(&g->s[w], &ev);
    g->s[w].rung = QIAO_RUNG_STOP;
}

qiao_rung qi_guards_rung(const qi_guards *g, int w) {
    return w >= 0 && w < g->n ? (qiao_rung)g->s[w].rung : QIAO_RUNG_NONE;
}

int qi_guards_events(qi_guards *g, int w, qiao_guard_event *ev, int cap) {
    int n = 0;
    if (w < 0 || w >= g->n) return 0;
    state *s = &g->s[w];
    while (n < cap && s->got != s->put) ev[n++] = s->ring[s->got++ % QI_GUARD_EVENTS];
    return n;
}

// ---- words ----

const char *qiao_guard_name(qiao_guard k) {
    static const char *const name[] = {
#define NAME(id, word) word,
        QIAO_GUARD_LIST(NAME)
#undef NAME
    };
    return (unsigned)k < QIAO_GUARD_COUNT ? name[k] : "?";
}

void qiao_guard_text(const qiao_guard_event *ev, char *text, size_t cap) {
    static const char *const does[] = {"", "soft limit", "damping", "stopped"};
    const char *end = does[ev->rung & 3];
    if (isnan(ev->value))
        snprintf(text, cap, "'%.60s' %s: %s", ev->what,
                 ev->guard == QIAO_GUARD_DEADLINE ? "gave no answer in time" : "is not finite",
                 end);
    else
        snprintf(text, cap, "'%.60s' %.4g%s%s, limit %.4g: %s", ev->what, ev->value,
                 ev->unit[0] ? " " : "", ev->unit, ev->limit, end);
}
