// SPDX-License-Identifier: Apache-2.0
// ident_read.c - a record as qiao_identify wants it: encoders and commands in rows of equal time.
// The world is the record's own case; what the sensors of a noiseless twin would have sampled when
// says at which times the encoders are read.
#include "learn/ident_read.h"
#include "qiao/sim.h"
#include "qiao/task.h"
#include "rec/scene.h"
#include "task/osc.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 20000 };

typedef struct own { // of a record that was read
    qi_tape *tape;
    qiao_scenario *scenario;
    qiao_case *cas;
    qiao_model *world;
    qiao_arena *arena;
} own;

typedef struct reading {
    qiao_ident_record *out;
    own *o;
    const qiao_robot *r;
    const char *path;
    const qi_tape_signal *cmd[5], *enc[2];
    int *cmd_col[5], *enc_col[2]; // [nu], [njoint]: columns in the record
    int *row;                     // [n] sample of the commands that each row followed
    int64_t t0_ns;
    qiao_diag *d;
} reading;

static qiao_err no(reading *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static qiao_err no(reading *r, const char *fmt, ...) {
    char text[600];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return qiao_diag_set(r->d, QIAO_E_FIT, NULL, 0, 0, "%.300s: %s", r->path, text);
}
static void note(reading *r, const char *text) {
    char *to = r->out->note;
    size_t n = strlen(to);
    snprintf(to + n, sizeof r->out->note - n, "%s%s", n ? "; " : "", text);
}

static void *get(reading *r, size_t n, size_t size) {
    void *p = qiao_arena_get(r->o->arena, (n + 1) * size);
    if (!p) qiao_diag_set(r->d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    return p;
}

// ---- the world ----

static bool floats(const qiao_robot *r) {
    const qiao_model *m = r->model;
    return m->body_jntnum[r->base] > 0 && m->jnt_type[m->body_jntadr[r->base]] == QIAO_JOINT_FREE;
}

// The case that the record holds, bound to this robot; without one a fixed base stands in the void.
static qiao_err open_world(reading *r) {
    const qi_mcap *f = r->o->tape->file;
    double pos[3] = {0}, yaw = 0;
    const char *scene = "<mujoco><worldbody/></mujoco>";
    for (int i = 0; i < f->nattach; i++) {
        const qi_mcap_attachment *a = &f->attach[i];
        if (strcmp(a->name, "case.osc") != 0) continue;
        char *text = qiao_arena_text(r->o->arena, (const char *)a->data, a->bytes);
        if (!text) return qiao_diag_set(r->d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
        r->o->scenario = qi_scenario_parse(text, a->bytes, "case.osc", r->d);
        if (!r->o->scenario) return r->d->err;
        r->o->cas = qiao_case_new(r->o->scenario, r->r, 1, 0, r->d);
        if (!r->o->cas) return r->d->err;
        qiao_case_place(r->o->cas, pos, &yaw), scene = qiao_case_scene(r->o->cas);
        break;
    }
    if (!r->o->cas && floats(r->r))
        return no(r,
                  "it does not say how the base of robot '%s' was held: it has no attachment "
                  "case.osc",
                  r->r->name);
    r->o->world = qiao_model_world(r->r, scene, pos, yaw, r->d);
    r->out->def.world = r->o->world;
    return r->o->world ? QIAO_OK : r->d->err;
}

// A base that walks away or a robot that touches something is no case for whole runs: the end of
// such a run hangs on its smallest beginnings.
static qiao_err check_held(reading *r) {
    const qi_tape *t = r->o->tape;
    for (int i = 0; i < t->ncontact; i++) {
        const double *f = t->contact[i].force, *p = t->contact[i].pos;
        if (f[0] * f[0] + f[1] * f[1] + f[2] * f[2] < 1e-12) continue;
        double at =
            t->contact[i].frame < t->nframe ? 1e-9 * (double)t->frame_ns[t->contact[i].frame] : 0;
        return no(r,
                  "after %.2f s something touches at (%.2f, %.2f, %.2f); identification needs a "
                  "robot that touches nothing, with its base held: scenario excite, brain chirp",
                  at, p[0], p[1], p[2]);
    }
    char buf[64];
    const char *base = qi_body_frame(r->r->model, r->r->base, buf);
    for (int b = 0; b < t->nbody; b++) {
        int c = t->body[b].column;
        if (strcmp(t->body[b].name, base) != 0 || c < 0) continue;
        for (int k = 1; k < t->nframe; k++) {
            const double *a = t->pose + 7 * (size_t)c,
                         *x = t->pose + 7 * ((size_t)k * (size_t)t->ncolumn + (size_t)c);
            double far = 0, dot = 0;
            for (int i = 0; i < 3; i++) far += (x[i] - a[i]) * (x[i] - a[i]);
            for (int i = 3; i < 7; i++) dot += x[i] * a[i];
            if (far < 0.02 * 0.02 && fabs(dot) > 0.9995) continue;
            return no(r,
                      "after %.2f s the base '%s' has moved by %.2f m or turned; identification "
                      "needs a base that is held: scenario excite, brain chirp",
                      1e-9 * (double)t->frame_ns[k], base, sqrt(far));
        }
    }
    return QIAO_OK;
}

// ---- signals by name ----

static const qi_tape_signal *find(const reading *r, const char *folder, const char *name) {
    char topic[200];
    snprintf(topic, sizeof topic, "/%s/%s", folder, name);
    for (int i = 0; i < r->o->tape->nsignal; i++)
        if (strcmp(r->o->tape->signal[i].name, topic) == 0 && r->o->tape->signal[i].n > 0)
            return &r->o->tape->signal[i];
    return NULL;
}

// Column of each wanted name among a signal's.
static qiao_err columns(reading *r, const qi_tape_signal *s, const char *const *want, int n,
                        int *col) {
    if (s->nname != s->dim) return no(r, "%s: its values have no names", s->name);
    for (int i = 0; i < n; i++) {
        int k = 0;
        while (k < s->nname && strcmp(s->element[k], want[i]) != 0) k++;
        if (k == s->nname) {
            const char *near = qiao_nearest(want[i], s->element, s->nname);
            return no(r, "%s has no '%.60s'%s%s%s", s->name, want[i],
                      near ? "; the nearest is '" : "", near ? near : "", near ? "'" : "");
        }
        col[i] = k;
    }
    return QIAO_OK;
}

static const qiao_sensor *encoder(const qiao_robot *r, qiao_sensor_kind kind) {
    for (int i = 0; i < r->nsensor; i++)
        if (r->sensor[i].kind == kind) return &r->sensor[i];
    return NULL;
}

static qiao_err bind(reading *r) {
    static const char *const part[5] = {"q", "qd", "kp", "kd", "tau"};
    const qiao_robot *robot = r->r;
    const qiao_sensor *s[2] = {encoder(robot, QIAO_SENSE_JOINT_POS),
                               encoder(robot, QIAO_SENSE_JOINT_VEL)};
    for (int i = 0; i < 5; i++)
        if (!(r->cmd[i] = find(r, "cmd", part[i])))
            return no(r, "no messages on /cmd/%s: what the drives were told", part[i]);
    for (int i = 0; i < 2; i++) {
        if (!s[i])
            return no(r, "robot '%s' has no encoders: sensors joint_pos and joint_vel",
                      robot->name);
        if (!(r->enc[i] = find(r, "obs", s[i]->name)))
            return no(r, "no messages on /obs/%s: what the encoders said", s[i]->name);
    }
    r->out->unit[0] = s[0]->unit, r->out->unit[1] = s[1]->unit;
    r->out->njoint = s[0]->nname, r->out->joint = s[0]->element;
    int nj = s[0]->nname, nu = robot->model->nu;
    if (nj < 1 || nj > QIAO_IDENT_JOINTS || nu > 512)
        return no(r, "%d joints and %d drives; 1 to %d joints can be", nj, nu, QIAO_IDENT_JOINTS);
    for (int i = 0; i < 5; i++) r->cmd_col[i] = get(r, (size_t)nu, sizeof(int));
    for (int i = 0; i < 2; i++) r->enc_col[i] = get(r, (size_t)nj, sizeof(int));
    if (r->d->err) return QIAO_E_MEM;
    qiao_err e = QIAO_OK;
    for (int i = 0; i < 5 && !e; i++) {
        e = columns(r, r->cmd[i], robot->model->act_name, nu, r->cmd_col[i]);
        if (!e && r->cmd[i]->n != r->cmd[0]->n)
            e = no(r, "%s has %d messages, %s %d", r->cmd[0]->name, r->cmd[0]->n, r->cmd[i]->name,
                   r->cmd[i]->n);
    }
    for (int i = 0; i < 2 && !e; i++) e = columns(r, r->enc[i], s[0]->element, nj, r->enc_col[i]);
    return e;
}

// ---- rows ----

// One row for each decision. Those that a record repeats count once, the last of them.
static qiao_err make_rows(reading *r, double seconds) {
    const qi_tape_signal *c = r->cmd[0];
    qiao_ident_def *def = &r->out->def;
    const char *step = qi_mcap_meta(r->o->tape->file, "qiao.trial", "brain_step");
    double dt = def->world->dt;
    r->row = get(r, ROWS_MAX, sizeof *r->row);
    if (!r->row) return QIAO_E_MEM;
    def->period = strtod(step, NULL);
    for (int i = 1; !(def->period > 0) && i < c->n; i++)
        def->period = 1e-9 * (double)(c->stamp_ns[i] - c->stamp_ns[0]);
    double steps = def->period / dt;
    if (!(steps > 0.5 && steps < 1e4) || fabs(steps - round(steps)) > 1e-3 * steps)
        return no(r, "decisions every %g s are no whole number of physics steps of %g s",
                  def->period, dt);
    def->period = round(steps) * dt;
    r->t0_ns = c->stamp_ns[0];
    for (int i = 0; i < c->n && def->n < ROWS_MAX; i++) {
        if (i + 1 < c->n && c->stamp_ns[i + 1] == c->stamp_ns[i]) continue;
        double t = 1e-9 * (double)(c->stamp_ns[i] - r->t0_ns), due = def->n * def->period;
        if (t > seconds) break;
        if (fabs(t - due) > 0.25 * def->period)
            return no(r,
                      "commands at %.4f s, but the brain decides every %g s: between two of a "
                      "record nothing may be missing; brains of at most 100 Hz are recorded whole",
                      t, def->period);
        r->row[def->n++] = i;
    }
    if (def->n < 20) return no(r, "%d commands, at least 20 are needed", def->n);
    r->out->seconds = def->n * def->period;
    return QIAO_OK;
}

// What an encoder said at time t_ns, between two samples on their line; NAN: nothing near.
static double sample(const qi_tape_signal *s, int col, int64_t t_ns, int64_t near_ns, int *from) {
    while (*from + 1 < s->n && s->stamp_ns[*from + 1] <= t_ns) ++*from;
    int64_t a = s->stamp_ns[*from];
    const double *x = s->value + (size_t)*from * (size_t)s->dim + col;
    if (a == t_ns) return isfinite(x[0]) ? x[0] : NAN;
    if (a > t_ns || *from + 1 == s->n) return NAN;
    int64_t b = s->stamp_ns[*from + 1];
    if (b - a > near_ns || b <= a) return NAN;
    double y = x[0] + (x[s->dim] - x[0]) * (double)(t_ns - a) / (double)(b - a);
    return isfinite(y) ? y : NAN;
}

// Steps a twin through the commands and asks, row by row, when its encoders sampled.
static qiao_err fill(reading *r) {
    qiao_ident_def *def = &r->out->def;
    int nj = r->out->njoint, nu = r->r->model->nu, from[2] = {0};
    size_t n = (size_t)def->n;
    double *x[2] = {get(r, n * (size_t)nj, 8), get(r, n * (size_t)nj, 8)}, *c[5];
    for (int i = 0; i < 5; i++)
        if (!(c[i] = get(r, n * (size_t)nu, 8))) return QIAO_E_MEM;
    if (!x[0] || !x[1]) return QIAO_E_MEM;
    qiao_sim_def sd = qiao_sim_def_default();
    sd.engine = "lanes", sd.robot = r->r, sd.world = &def->world, sd.period = def->period;
    qiao_sim *s = qiao_sim_new(&sd, r->d);
    if (!s) return r->d->err;
    const qiao_io *io = qiao_sim_io(s);
    int sig[2] = {-1, -1}, per = (int)lround(def->period / def->world->dt);
    for (int i = 0; i < io->nsig; i++)
        for (int k = 0; k < 2; k++)
            if (strcmp(io->sig[i].name, r->enc[k]->name + 5) == 0) sig[k] = i; // behind "/obs/"
    qiao_err e = qiao_sim_reset(s, 0, 1, 0);
    for (int k = 0; k < def->n && !e; k++) {
        const qiao_obs *o = qiao_sim_observe(s);
        for (int i = 0; i < 2; i++) {
            int64_t stamp = o->stamp_ns[sig[i]], near = (int64_t)(3e9 * def->period);
            for (int j = 0; j < nj; j++)
                x[i][k * nj + j] = stamp < 0 ? NAN
                                             : sample(r->enc[i], r->enc_col[i][j], r->t0_ns + stamp,
                                                      near, &from[i]);
        }
        for (int i = 0; i < 5; i++)
            for (int u = 0; u < nu; u++)
                c[i][k * nu + u] =
                    r->cmd[i]->value[(size_t)r->row[k] * (size_t)r->cmd[i]->dim + r->cmd_col[i][u]];
        qiao_cmd cmd = {
            1, nu, c[0] + k * nu, c[1] + k * nu, c[2] + k * nu, c[3] + k * nu, c[4] + k * nu};
        qiao_sim_command(s, &cmd);
        qiao_sim_step(s, per);
        e = qiao_sim_status(s, 0);
    }
    qiao_sim_free(s);
    if (e)
        return qiao_diag_set(r->d, e, NULL, 0, 0, "%.300s: its commands: %s", r->path,
                             qiao_err_text(e));
    def->q = x[0], def->qd = x[1];
    for (int i = 0; i < 5; i++) def->cmd[i] = c[i];
    return QIAO_OK;
}

static void describe(reading *r) {
    const qi_mcap *f = r->o->tape->file;
    r->out->scenario = qi_mcap_meta(f, "qiao.trial", "scenario");
    r->out->brain = qi_mcap_meta(f, "qiao.trial", "brain");
    r->out->engine = qi_mcap_meta(f, "qiao.trial", "engine");
    const char *hash = qi_mcap_meta(f, "qiao.trial", "robot_hash");
    char hex[QIAO_HASH_HEX];
    qiao_hash_hex(r->r->hash, hex);
    if (hash[0] && strcmp(hash, hex) != 0) note(r, "it was made with other files of the robot");
    if (!f->complete) note(r, f->note);
    if (r->cmd[0]->stamp_ns[r->cmd[0]->n - 1] - r->t0_ns >
        (int64_t)(1e9 * (r->out->seconds + 2 * r->out->def.period)))
        note(r, "only its beginning is used");
}

qiao_err qiao_ident_read(const char *mcap, const qiao_robot *robot, double seconds,
                         qiao_ident_record *out, qiao_diag *d) {
    qiao_diag mine = {0};
    if (!d) d = &mine;
    qi_tape *t = qi_tape_load(mcap, d);
    *out = (qiao_ident_record){0};
    return t ? qi_ident_take(t, mcap, robot, seconds, out, d) : d->err;
}

qiao_err qi_ident_take(qi_tape *t, const char *mcap, const qiao_robot *robot, double seconds,
                       qiao_ident_record *out, qiao_diag *d) {
    *out = (qiao_ident_record){.def = {.robot = robot}, .scenario = "", .brain = "", .engine = ""};
    own *o = out->own = calloc(1, sizeof *o);
    reading r = {.out = out, .o = o, .r = robot, .path = mcap, .d = d};
    if (o) o->tape = t, o->arena = qiao_arena_new();
    if (!o) qi_tape_free(t);
    if (!o || !o->arena) return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    qiao_err e = bind(&r);
    if (!e) e = check_held(&r);
    if (!e) e = open_world(&r);
    if (!e) e = make_rows(&r, seconds);
    if (!e) e = fill(&r);
    if (!e) describe(&r);
    return e;
}

void qiao_ident_record_free(qiao_ident_record *rec) {
    own *o = rec->own;
    if (!o) return;
    qiao_model_free(o->world);
    qiao_case_free(o->cas);
    qiao_scenario_free(o->scenario);
    qi_tape_free(o->tape);
    qiao_arena_free(o->arena);
    free(o);
    *rec = (qiao_ident_record){0};
}
