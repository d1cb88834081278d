// SPDX-License-Identifier: Apache-2.0
// chirp.c - moves every joint up and down a band of frequencies about the rest pose, within its
// limits: the motion that qiao identify learns most from. All joints move at once, each at another
// place of its sweep, so that what one does is not what another does; slow parts tell friction and
// weight, quick ones damping, armature, delay.
#include "ctl/vec.h"
#include "qiao/brain.h"

#include <math.h>
#include <string.h>

static const double SLOW = 0.2, QUICK = 2.5;      // Hz
static const double SWEEP = 6, FADE = 1;          // s, from slow to quick and back; until all moves
static const double ANGLE = 0.4, STROKE = 0.04;   // rad, m: how far at most
static const double SHARE = 0.25;                 // of the joint's range, at most
static const double SPEED = 3, SPEED_SHARE = 0.4; // rad/s, and of the drive's own limit

typedef struct wave { // of an actuator
    double rest, middle, reach, speed;
} wave;
typedef struct chirp {
    int nu;
    wave w[]; // [nu]
} chirp;

static int find(const qiao_model *m, const char *actuator) {
    for (int i = 0; i < m->nu; i++)
        if (strcmp(m->act_name[i], actuator) == 0) return i;
    return -1;
}

static size_t chirp_size(const qiao_io *io, int n, qiao_diag *d) {
    (void)n;
    const qiao_robot *r = io->robot;
    for (int i = 0; i < io->nu; i++) {
        int u = find(r->model, io->act_name[i]);
        if (u >= 0 && r->model->act_joint[u] >= 0 && !r->drive[u].native)
            return sizeof(chirp) + (size_t)io->nu * sizeof(wave);
    }
    qiao_diag_set(d, QIAO_E_FIT, NULL, 0, 0, "robot '%s' has no drive that follows commands",
                  r->name);
    return 0;
}

// How far actuator u may go: a part of its joint's range, about the rest pose or beside it.
static wave plan(const qiao_robot *r, int u) {
    const qiao_model *m = r->model;
    int j = m->act_joint[u];
    if (j < 0) return (wave){0};
    wave w = {.rest = r->rest_q[m->jnt_qadr[j]]};
    w.middle = w.rest;
    if (r->drive[u].native || m->jnt_type[j] < QIAO_JOINT_SLIDE) return w;
    double lo = m->jnt_range[2 * j], hi = m->jnt_range[2 * j + 1], most = r->drive[u].speed_max;
    w.reach = m->jnt_type[j] == QIAO_JOINT_HINGE ? ANGLE : STROKE;
    w.speed = SPEED * w.reach / ANGLE;
    if (most > 0) w.speed = fmin(w.speed, SPEED_SHARE * most);
    if (hi <= lo) return w;
    w.reach = fmin(w.reach, SHARE * (hi - lo));
    w.middle = fmin(fmax(w.rest, lo + 1.3 * w.reach), hi - 1.3 * w.reach);
    return w;
}

static qiao_err chirp_init(void *mem, const qiao_io *io, int n, qiao_diag *d) {
    (void)n;
    chirp *c = mem;
    c->nu = io->nu;
    for (int i = 0; i < c->nu; i++) {
        int u = find(io->robot->model, io->act_name[i]);
        if (u < 0)
            return qiao_diag_set(d, QIAO_E_FIT, NULL, 0, 0, "the robot has no actuator '%s'",
                                 io->act_name[i]);
        c->w[i] = plan(io->robot, u);
    }
    return QIAO_OK;
}

static void chirp_reset(void *mem, int world, uint64_t seed) {
    (void)mem, (void)world, (void)seed; // the same motion always
}

// Where actuator i is wanted at time t: the frequency goes up and down evenly, its integral is the
// phase. The speed is told the more, the quicker it is: so kd is told from damping.
static void wanted(const chirp *c, int i, double t, double *q, double *qd) {
    const wave *w = &c->w[i];
    const double pi2 = 2 * 3.141592653589793;
    double at = t / SWEEP + (double)i / c->nu, turn = floor(at), s = at - turn;
    double up = s < 0.5 ? 2 * s : 2 - 2 * s, gone = s < 0.5 ? s * s : 0.5 - (1 - s) * (1 - s);
    double hz = SLOW + (QUICK - SLOW) * up;
    double cycles =
        SWEEP * (SLOW * s + (QUICK - SLOW) * gone + turn * (SLOW + 0.5 * (QUICK - SLOW)));
    double sn, cs, fade = fmin(t / FADE, 1);
    qi_sincos(pi2 * (cycles - floor(cycles)), &sn, &cs);
    fade = fade * fade * (3 - 2 * fade);
    double far = fmin(w->reach, w->speed / (pi2 * hz));
    *q = w->rest + fade * (w->middle - w->rest + far * sn);
    *qd = up * fade * far * pi2 * hz * cs;
}

static qiao_err chirp_step(void *mem, const qiao_obs *obs, qiao_cmd *cmd) {
    const chirp *c = mem;
    for (int w = 0; w < obs->n; w++) {
        if (obs->live && !obs->live[w]) continue;
        for (int i = 0; i < c->nu; i++) {
            int k = w * c->nu + i;
            wanted(c, i, 1e-9 * (double)obs->t_ns[w], &cmd->q[k], &cmd->qd[k]);
            cmd->tau[k] = 0;
            cmd->kp[k] = cmd->kd[k] = -1; // the drive's own
        }
    }
    return QIAO_OK;
}

static const qiao_brain_api api = {
    .abi = QIAO_BRAIN_ABI,
    .bytes = sizeof(qiao_brain_api),
    .name = "chirp",
    .version = "1.0",
    .rate_hz = 100,
    .need = (const char *const[]){NULL}, // reads no signal
    .size = chirp_size,
    .init = chirp_init,
    .reset = chirp_reset,
    .step = chirp_step,
};

__attribute__((visibility("default"))) const qiao_brain_api *qiao_brain_entry(void);
const qiao_brain_api *qiao_brain_entry(void) { return &api; }
