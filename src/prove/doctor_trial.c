// SPDX-License-Identifier: Apache-2.0
// doctor_trial.c - seconds of physics under one policy: does it stand, follow, turn, hold?
#include "prove/doctor.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct qi_bench {
    const qiao_robot *r;
    qiao_scenario *sc; // of a hand
    qiao_case *cas;
    qiao_model *world;
    qiao_sim *sim;
    double period; // of sim
    qiao_referee *ref;
    double *cmd; // [5][nu]
    int base;
    double drop_z; // m: a cube below this is lost
};

static const char *const floor_scene =
    "<mujoco><worldbody><geom name='floor' type='plane' size='0 0 1' friction='0.8 0.005 "
    "0.0001'/></worldbody></mujoco>";

static bool is_hand(const qiao_robot *r) { return strcmp(r->kind, "hand") == 0; }

void qi_bench_free(qi_bench *b) {
    if (!b) return;
    qiao_referee_free(b->ref), qiao_sim_free(b->sim), qiao_model_free(b->world);
    qiao_case_free(b->cas), qiao_scenario_free(b->sc);
    free(b->cmd), free(b);
}

static bool open_world(qi_bench *b, qiao_diag *d) {
    const qiao_robot *r = b->r;
    double pos[3] = {0, 0, 0}, yaw = 2; // a heading at which the world's axes are not the base's
    const char *scene = floor_scene;
    if (is_hand(r)) {
        b->sc = qiao_scenario_load("turn_cube", d);
        b->cas = b->sc ? qiao_case_new(b->sc, r, 3, 1, d) : NULL;
        if (!b->cas) return false;
        qiao_case_place(b->cas, pos, &yaw), scene = qiao_case_scene(b->cas);
    }
    b->world = qiao_model_world(r, scene, pos, yaw, d);
    if (!b->world) return false;
    b->base = qiao_model_body(b->world, r->model->body_name[r->base]);
    b->drop_z = pos[2] - 0.05;
    b->cmd = calloc(5 * (size_t)r->model->nu + 1, sizeof *b->cmd);
    return b->cmd != NULL;
}

qi_bench *qi_bench_new(const qiao_robot *r, qiao_diag *d) {
    bool legs = strcmp(r->kind, "legged") == 0 || strcmp(r->kind, "humanoid") == 0;
    if (!legs && !is_hand(r)) {
        qiao_diag_set(d, QIAO_E_UNSUPPORTED, NULL, 0, 0, "no short trial for a robot of kind '%s'",
                      r->kind);
        return NULL;
    }
    qi_bench *b = calloc(1, sizeof *b);
    if (!b) return NULL;
    b->r = r;
    if (open_world(b, d)) return b;
    qi_bench_free(b);
    return NULL;
}

static bool open_sim(qi_bench *b, double period, qiao_diag *d) {
    static const qiao_sensor grant[] = {
        {.kind = QIAO_SENSE_BASE_POSE,
         .name = "base_pose",
         .unit = "m, 1",
         .frame = "world",
         .dim = 7},
        {.kind = QIAO_SENSE_BASE_VEL, .name = "base_vel", .unit = "m/s", .frame = "base", .dim = 3},
        {.kind = QIAO_SENSE_COMMAND,
         .name = "command_velocity",
         .unit = "m/s",
         .frame = "base",
         .dim = 3},
    };
    if (b->sim && fabs(period - b->period) < 1e-9) return true;
    qiao_referee_free(b->ref), qiao_sim_free(b->sim), b->sim = NULL, b->ref = NULL;
    const qiao_model *world = b->world;
    qiao_sim_def sd = qiao_sim_def_default();
    sd.nworld = 1, sd.nthread = 1, sd.robot = b->r, sd.world = &world;
    sd.period = period, sd.grant = grant, sd.ngrant = 3;
    if (b->cas) sd.ngrant = qiao_case_grants(b->cas, &sd.grant);
    b->sim = qiao_sim_new(&sd, d), b->period = period;
    if (b->sim && b->cas) {
        b->ref = qiao_referee_new(b->cas, b->world, qiao_sim_io(b->sim), d);
        if (!b->ref) return false;
    }
    return b->sim != NULL;
}

const qiao_io *qi_bench_io(qi_bench *b, double period, qiao_diag *d) {
    double steps = round(period / b->world->dt);
    return open_sim(b, (steps < 1 ? 1 : steps) * b->world->dt, d) ? qiao_sim_io(b->sim) : NULL;
}

const qiao_robot *qi_bench_robot(const qi_bench *b) { return b->r; }

// ---- one trial ----

typedef struct run {      // of a walk
    double up[3], height; // at the start: the world's up in the base's frame; m
    double sum_v, sum_w, lean, shake, push, yaw;
    int nv, nw, n, decisions;
} run;

static void up_of(const double *q, double *up) {
    up[0] = 2 * (q[1] * q[3] - q[0] * q[2]), up[1] = 2 * (q[2] * q[3] + q[0] * q[1]);
    up[2] = 1 - 2 * (q[1] * q[1] + q[2] * q[2]);
}

// Does it still stand? Adds to the sums: phase 0 stands, 1 goes ahead, 2 turns; late: the command
// has settled.
static bool look(qi_bench *b, run *u, int phase, bool late) {
    qiao_truth t;
    qiao_sim_truth(b->sim, 0, &t);
    const double *q = t.body_quat + 4 * b->base, *v = t.body_vel + 6 * b->base;
    double up[3], ahead[2] = {1 - 2 * (q[2] * q[2] + q[3] * q[3]), 2 * (q[1] * q[2] + q[0] * q[3])};
    up_of(q, up);
    double c = up[0] * u->up[0] + up[1] * u->up[1] + up[2] * u->up[2];
    double n = sqrt(ahead[0] * ahead[0] + ahead[1] * ahead[1]) + 1e-9;
    u->lean += acos(c > 1 ? 1 : c < -1 ? -1 : c), u->n++;
    for (int i = 0; i < t.model->nu && i < b->r->model->nu; i++) {
        double most = b->r->drive[i].torque_max;
        if (most > 0) u->push += fmin(fabs(t.tau[i]) / most, 1) / b->r->model->nu;
    }
    if (late && phase == 1) u->sum_v += (v[3] * ahead[0] + v[4] * ahead[1]) / n, u->nv++;
    if (late && phase == 2) u->sum_w += v[2], u->nw++;
    double z = t.body_pos[3 * b->base + 2];
    return c > 0.5 && z > 0.5 * u->height;
}

static void score_walk(qi_walk *k, const run *u, const double ask[2], double seconds) {
    k->ahead[0] = ask[0], k->turn[0] = ask[1];
    k->ahead[1] = u->nv ? u->sum_v / u->nv : 0, k->turn[1] = u->nw ? u->sum_w / u->nw : 0;
    k->lean = u->n ? u->lean / u->n : 0, k->push = u->n ? u->push / u->n : 0;
    k->shake = u->decisions ? u->shake / u->decisions : 0;
    double up = k->fell / seconds;
    double fit_v = ask[0] != 0 && u->nv ? 1 - fabs(k->ahead[1] - ask[0]) / fabs(ask[0]) : 0;
    double fit_w = ask[1] != 0 && u->nw ? 1 - fabs(k->turn[1] - ask[1]) / fabs(ask[1]) : 0;
    fit_v = fit_v < -1 ? -1 : fit_v, fit_w = fit_w < -1 ? -1 : fit_w;
    double calm = 1 / (1 + 4 * k->shake + 2 * k->lean);
    if (ask[0] == 0 && ask[1] == 0) { // nobody told it to go anywhere
        k->score = up * (0.7 + 0.3 * calm);
        return;
    }
    k->score = 0.4 * up + (k->fell >= seconds ? 0.25 * fit_v + 0.15 * fit_w : 0) + 0.2 * up * calm;
}

// Half a metre a second to its left within 0.1 s: what is nearly right shows when disturbed.
static void shove(qi_bench *b, bool on) {
    qiao_truth t;
    qiao_sim_truth(b->sim, 0, &t);
    const double *q = t.body_quat + 4 * b->base;
    double left[2] = {2 * (q[1] * q[2] - q[0] * q[3]), 1 - 2 * (q[1] * q[1] + q[3] * q[3])};
    double n = sqrt(left[0] * left[0] + left[1] * left[1]) + 1e-9;
    double f = on ? 5 * qiao_model_mass(b->r->model) / n : 0;
    qiao_sim_push(b->sim, 0, b->base, (double[3]){f * left[0], f * left[1], 0}, (double[3]){0});
}

static void walk(qi_bench *b, qi_bound *k, double seconds, const double ask[2], qi_walk *out) {
    qiao_sim *s = b->sim;
    const qiao_io *io = qiao_sim_io(s);
    size_t nu = (size_t)io->nu;
    qiao_cmd c = {
        1, io->nu, b->cmd, b->cmd + nu, b->cmd + 2 * nu, b->cmd + 3 * nu, b->cmd + 4 * nu};
    int cmd = -1, nstep = (int)lround(b->period / b->world->dt);
    for (int i = 0; i < io->nsig; i++)
        if (strcmp(io->sig[i].name, "command_velocity") == 0) cmd = i;
    run u = {0};
    qiao_truth t;
    qiao_sim_truth(s, 0, &t);
    up_of(t.body_quat + 4 * b->base, u.up), u.height = t.body_pos[3 * b->base + 2];
    long total = (long)ceil(seconds / b->period);
    bool stands = true;
    double last[256];
    for (long i = 0; i < total && stands; i++) {
        double at = (double)i / (double)total;
        int phase = at < 0.3 ? 0 : at < 0.65 ? 1 : 2;
        double want[3] = {phase ? ask[0] * (phase == 1 ? 1 : 0.5) : 0, 0, phase == 2 ? ask[1] : 0};
        if (cmd >= 0) qiao_sim_signal(s, 0, cmd, want);
        const qiao_obs *o = qiao_sim_observe(s);
        out->broke = qi_policy_step(k, o, &c) != QIAO_OK;
        for (size_t j = 0; j < 5 * nu; j++) out->broke |= !isfinite(b->cmd[j]);
        if (out->broke) break;
        for (int j = 0; j < io->nu && j < 256; j++) {
            if (i) u.shake += fabs(c.q[j] - last[j]) / io->nu;
            last[j] = c.q[j];
        }
        u.decisions = 1 + (int)((double)i * b->period * k->m->rate_hz);
        qiao_sim_command(s, &c);
        shove(b, at > 0.6 && at <= 0.6 + 0.1 / seconds);
        qiao_sim_step(s, nstep);
        stands = qiao_sim_status(s, 0) == QIAO_OK &&
                 look(b, &u, phase, phase == 1 ? at > 0.45 && at < 0.6 : at > 0.8);
        out->time = (double)(i + 1) * b->period;
    }
    out->fell = stands && !out->broke ? seconds : out->time;
    score_walk(out, &u, ask, seconds);
}

// ---- a hand with a cube ----

static const double *row_of(const qi_bench *b, const qiao_obs *o, const char *name, int dim) {
    const qiao_io *io = qiao_sim_io(b->sim);
    for (int i = 0; i < io->nsig; i++)
        if (strcmp(io->sig[i].name, name) == 0 && io->sig[i].dim >= dim)
            return o->x + io->sig[i].adr;
    return NULL;
}

// Angle between the cube and what is asked of it.
static double off_by(const double *cube, const double *goal) {
    double c = 0;
    for (int i = 0; i < 4; i++) c += cube[3 + i] * goal[i];
    c = fabs(c);
    return 2 * acos(c > 1 ? 1 : c);
}

static void hold(qi_bench *b, qi_bound *k, double seconds, qi_walk *out) {
    qiao_sim *s = b->sim;
    const qiao_io *io = qiao_sim_io(s);
    size_t nu = (size_t)io->nu;
    qiao_cmd c = {
        1, io->nu, b->cmd, b->cmd + nu, b->cmd + 2 * nu, b->cmd + 3 * nu, b->cmd + 4 * nu};
    int nstep = (int)lround(b->period / b->world->dt);
    long total = (long)ceil(seconds / b->period);
    double turned = 0, best = NAN, goal[4] = {0}, last[256], push = 0, shake = 0;
    qiao_referee_reset(b->ref);
    bool held = true;
    for (long i = 0; i < total && held && !out->broke; i++) {
        qiao_truth t;
        qiao_sim_truth(s, 0, &t);
        (void)qiao_referee_step(b->ref, &t, s, 0);
        const qiao_obs *o = qiao_sim_observe(s);
        const double *cube = row_of(b, o, "object_pose", 7);
        const double *want = row_of(b, o, "command_orientation", 4);
        if (cube && want) {
            double off = off_by(cube, want);
            if (memcmp(goal, want, sizeof goal) != 0) memcpy(goal, want, sizeof goal), best = off;
            if (off < best) turned += best - off, best = off;
            held = cube[2] > b->drop_z;
        }
        for (int j = 0; j < io->nu; j++) {
            double most = b->r->drive[j].torque_max;
            if (most > 0) push += fmin(fabs(t.tau[j]) / most, 1) / io->nu;
        }
        out->broke = qi_policy_step(k, o, &c) != QIAO_OK;
        for (size_t j = 0; j < 5 * nu; j++) out->broke |= !isfinite(b->cmd[j]);
        for (int j = 0; j < io->nu && j < 256; j++) {
            if (i) shake += fabs(c.q[j] - last[j]) / io->nu;
            last[j] = c.q[j];
        }
        qiao_sim_command(s, &c);
        qiao_sim_step(s, nstep);
        out->time = (double)(i + 1) * b->period;
    }
    out->fell = held && !out->broke ? seconds : out->time;
    out->turn[0] = 0.12, out->turn[1] = turned / seconds;
    out->push = push / (double)total, out->shake = shake / (double)total;
    double rate = out->turn[1] / out->turn[0];
    out->score = 0.4 * out->fell / seconds + 0.6 * (rate > 1 ? 1 : rate);
}

static bool is_told(const qi_manifest *m) {
    bool told = false;
    for (int i = 0; i < m->obs.nterm; i++) told |= m->obs.term[i].kind == QI_TERM_COMMAND;
    for (int i = 0; i < m->enc.nterm; i++) told |= m->enc.term[i].kind == QI_TERM_COMMAND;
    return told;
}

qi_walk qi_bench_run(qi_bench *b, const qi_policy *p, double seconds, const double ask[2]) {
    qi_walk out = {.broke = true};
    qiao_diag d = {0};
    const qiao_io *io = qi_bench_io(b, 1 / qi_policy_rate(p), &d);
    size_t bytes = io ? qi_policy_size(p, io, 1, &d) : 0;
    void *mem = bytes ? aligned_alloc(64, (bytes + 63) & ~(size_t)63) : NULL;
    if (!mem) return out;
    memset(mem, 0, bytes);
    if (!qi_policy_init(p, mem, io, 1, &d) && !qiao_sim_reset(b->sim, 0, 3, 1)) {
        qi_policy_reset(mem, 0), out.broke = false;
        const double none[2] = {0, 0};
        if (b->cas)
            hold(b, mem, seconds, &out);
        else
            walk(b, mem, seconds, is_told(p->m) ? ask : none, &out);
    }
    free(mem);
    return out;
}
