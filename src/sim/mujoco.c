// SPDX-License-Identifier: Apache-2.0
// mujoco.c - engine "mujoco": the reference. One mjData a world; models are shared.
// A step is MuJoCo's first half (positions, velocities), our drives, its second half.
#include "model/mjguard.h"
#include "sim/engine.h"

#include <math.h>
#include <mujoco/mujoco.h>
#include <stdlib.h>
#include <string.h>

struct qi_world {
    const qi_setup *s;
    const qiao_model *model;
    const mjModel *m;
    mjModel *own;    // a copy when a drive brings its own armature or numbers vary, else NULL
    qi_drive *drive; // [nu]
    mjData *d;
    int64_t k;  // physics steps since reset
    bool fresh; // the first half of the step is done for the present state
    qiao_err status;
    qi_cmds cmds;
    double *tau;      // [nu] drives, held between their steps
    double *said;     // [nu] what they delivered in the last step
    double *tau_peak; // [nu]
    double *keep;     // [nq + nv] the last finite state
    double energy;
    double imu_vel[3]; // of the imu site one step ago, world frame
    int ncontact;
    qiao_contact *contact; // [QIAO_CONTACT_MAX] of the last step
    double *body_force;    // [nbody][3] contact force on each body in the last step
    double *body_peak;     // [nbody]
    double *body_vel;      // [nbody][6]
    qiao_arena *arena;
};

// ---- making and unmaking ----

// A model of the world's own, if the drives bring their own armature.
static bool own_armature(qi_world *w) {
    const qi_setup *s = w->s;
    if (!qi_drive_armature(s->drive, s->nu, w->m->dof_armature, NULL)) return true;
    w->m = w->own = mj_copyModel(NULL, w->m);
    if (!w->own) return false;
    qi_drive_armature(s->drive, s->nu, w->own->dof_armature, w->own->dof_armature);
    mjData *d = mj_makeData(w->own);
    if (d) mj_setConst(w->own, d);
    mj_deleteData(d);
    return d != NULL;
}

static bool make_arrays(qi_world *w) {
    const qiao_model *m = w->model;
    size_t nu = (size_t)w->s->nu + 1, nb = (size_t)m->nbody, cap = (size_t)w->s->ncmd;
    struct {
        double **p;
        size_t n;
    } want[] = {{&w->tau, nu},
                {&w->said, nu},
                {&w->tau_peak, nu},
                {&w->keep, (size_t)(m->nq + m->nv) + 1},
                {&w->body_force, 3 * nb},
                {&w->body_peak, nb},
                {&w->body_vel, 6 * nb},
                {&w->cmds.row, cap * 5 * nu}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        if (!(*want[i].p = qiao_arena_get(w->arena, want[i].n * sizeof(double)))) return false;
    w->contact = qiao_arena_get(w->arena, QIAO_CONTACT_MAX * sizeof *w->contact);
    w->cmds.issued = qiao_arena_get(w->arena, cap * sizeof *w->cmds.issued);
    w->cmds.nu = w->s->nu, w->cmds.cap = (int)cap;
    w->drive = qiao_arena_get(w->arena, nu * sizeof *w->drive);
    if (w->drive) memcpy(w->drive, w->s->drive, (size_t)w->s->nu * sizeof *w->drive);
    return w->contact && w->cmds.issued && w->drive;
}

static void world_close(qi_world *w) {
    if (!w) return;
    mj_deleteData(w->d);
    mj_deleteModel(w->own);
    qiao_arena_free(w->arena);
    free(w);
}

static qi_world *world_open(const qi_setup *s, int index, const qiao_model *m, qiao_diag *d) {
    (void)index;
    if (m->mj->opt.integrator == mjINT_RK4) { // it needs four whole steps, ours has two halves
        qiao_diag_set(d, QIAO_E_UNSUPPORTED, s->robot->path, 0, 0,
                      "integrator RK4 is not supported; use Euler, implicit or implicitfast");
        return NULL;
    }
    qi_world *w = calloc(1, sizeof *w);
    if (!w) return NULL;
    w->s = s, w->model = m, w->m = m->mj;
    w->arena = qiao_arena_new();
    qi_guard g;
    qi_guard_arm(&g);
    if (setjmp(g.jump) == 0 && w->arena && make_arrays(w) && own_armature(w))
        w->d = mj_makeData(w->m);
    qi_guard_disarm(&g);
    if (w->d) return w;
    qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "a world cannot be made: %s",
                  g.text[0] ? g.text : "out of memory");
    world_close(w);
    return NULL;
}

// ---- stepping ----

// The first half for the present state. Models come from users: what MuJoCo calls a fatal error
// (its own arena is too small, for instance) stops this world and no more.
static void refresh(qi_world *w) {
    if (w->fresh) return;
    qi_guard g;
    qi_guard_arm(&g);
    if (setjmp(g.jump) == 0)
        mj_step1(w->m, w->d);
    else
        w->status = QIAO_E_LIMIT;
    qi_guard_disarm(&g);
    w->fresh = true; // a stopped world keeps what it has until its reset
}

static void imu_velocity(const qi_world *w, double v[3]) {
    double v6[6];
    mj_objectVelocity(w->m, w->d, mjOBJ_SITE, w->s->imu_site, v6, 0);
    memcpy(v, v6 + 3, 3 * sizeof *v);
}

static qiao_err world_vary(qi_world *w, mjModel *m, const qi_drive *drive, qiao_diag *d) {
    (void)d;
    mj_deleteModel(w->own);
    w->m = w->own = m, w->fresh = false;
    memcpy(w->drive, drive, (size_t)w->s->nu * sizeof *drive);
    return QIAO_OK;
}

static qiao_err world_recast(qi_world *w, const qiao_model *m, const mjModel *numbers,
                             qiao_diag *d) {
    mjModel *own = mj_copyModel(w->own, numbers);
    if (!own) return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    w->m = w->own = own, w->model = m, w->fresh = false;
    memcpy(w->drive, w->s->drive, (size_t)w->s->nu * sizeof *w->drive);
    return QIAO_OK;
}

static mjData *world_copy(const qi_world *w, mjModel **m) {
    *m = mj_copyModel(NULL, w->m);
    return *m ? mj_copyData(NULL, *m, w->d) : NULL;
}

static void world_set(qi_world *w, const double *q, const double *qd) {
    size_t nv = (size_t)w->model->nv * sizeof *qd;
    memcpy(w->d->qpos, q, (size_t)w->model->nq * sizeof *q);
    if (qd)
        memcpy(w->d->qvel, qd, nv);
    else
        memset(w->d->qvel, 0, nv);
    memset(w->d->qacc_warmstart, 0, nv); // no memory of where it was
    w->fresh = false, w->ncontact = 0;
    memset(w->body_force, 0, 3 * (size_t)w->model->nbody * sizeof *w->body_force);
    refresh(w);
    if (w->s->imu_site >= 0) imu_velocity(w, w->imu_vel);
}

static void world_reset(qi_world *w, const double *q) {
    mj_resetData(w->m, w->d);
    w->k = 0, w->status = QIAO_OK, w->energy = 0;
    w->cmds.n = 0;
    size_t nu = (size_t)w->s->nu, nb = (size_t)w->model->nbody;
    memset(w->tau, 0, nu * sizeof *w->tau), memset(w->said, 0, nu * sizeof *w->said);
    memset(w->tau_peak, 0, nu * sizeof *w->tau_peak);
    memset(w->body_peak, 0, nb * sizeof *w->body_peak);
    for (size_t i = 0; i < nu; i++) // a native drive holds the rest pose until told otherwise
        if (w->s->drive[i].d.native && w->s->drive[i].qadr >= 0) w->tau[i] = q[w->s->drive[i].qadr];
    world_set(w, q, NULL);
}

// Contact forces of the step that was just solved, and the sums on each body.
static void take_contacts(qi_world *w) {
    const mjModel *m = w->m;
    const mjData *d = w->d;
    int nbody = w->model->nbody;
    memset(w->body_force, 0, 3 * (size_t)nbody * sizeof *w->body_force);
    w->ncontact = 0;
    for (int i = 0; i < d->ncon; i++) {
        const mjContact *c = &d->contact[i];
        if (c->efc_address < 0 || c->geom[0] < 0 || c->geom[1] < 0) continue;
        double f[6];
        mj_contactForce(m, d, i, f);
        qiao_contact spare,
            *o = w->ncontact < QIAO_CONTACT_MAX ? &w->contact[w->ncontact++] : &spare;
        for (int side = 0; side < 2; side++)
            o->geom[side] = c->geom[side], o->body[side] = m->geom_bodyid[c->geom[side]];
        for (int k = 0; k < 3; k++) { // the frame's rows are normal and tangents
            o->pos_w[k] = c->pos[k];
            o->force_w[k] = c->frame[k] * f[0] + c->frame[3 + k] * f[1] + c->frame[6 + k] * f[2];
            w->body_force[3 * o->body[1] + k] += o->force_w[k];
            w->body_force[3 * o->body[0] + k] -= o->force_w[k];
        }
    }
    for (int b = 0; b < nbody && w->ncontact; b++) {
        const double *f = w->body_force + 3 * b;
        double size = sqrt(f[0] * f[0] + f[1] * f[1] + f[2] * f[2]);
        if (size > w->body_peak[b]) w->body_peak[b] = size;
    }
}

// false: a command or what became of it is not finite, which MuJoCo would take for no command.
static bool apply_drives(qi_world *w) {
    double sum = 0;
    qi_drive_step(w->drive, &w->cmds, w->k, w->d->qpos, w->d->qvel, w->tau);
    for (int i = 0; i < w->s->nu; i++) {
        const qi_drive *v = &w->s->drive[i];
        double scale = v->d.native ? 1 : v->gear * w->m->actuator_gainprm[v->act * mjNGAIN];
        double ctrl = w->tau[i] / scale;
        w->d->ctrl[w->m->actuator_ctrladr[v->act]] = ctrl;
        sum += ctrl * 0;
    }
    return sum == 0;
}

static void account(qi_world *w) {
    for (int i = 0; i < w->s->nu; i++) {
        const qi_drive *v = &w->s->drive[i];
        double tau = w->d->actuator_force[w->m->actuator_outadr[v->act]] * v->gear;
        w->said[i] = tau;
        if (fabs(tau) > w->tau_peak[i]) w->tau_peak[i] = fabs(tau);
        double power = v->vadr >= 0 ? tau * w->d->qvel[v->vadr] : 0;
        if (power > 0) w->energy += power * w->m->opt.timestep;
    }
}

// The state is finite if its sum times zero is zero.
static bool state_finite(const qi_world *w) {
    double sum = 0;
    for (int i = 0; i < w->model->nq; i++) sum += w->d->qpos[i] * 0;
    for (int i = 0; i < w->model->nv; i++) sum += w->d->qvel[i] * 0;
    return sum == 0;
}

// Back to the state before the step that failed, for good.
static void stop(qi_world *w, qiao_err why) {
    size_t nq = (size_t)w->model->nq, nv = (size_t)w->model->nv;
    memcpy(w->d->qpos, w->keep, nq * sizeof *w->keep);
    memcpy(w->d->qvel, w->keep + nq, nv * sizeof *w->keep);
    w->status = why, w->ncontact = 0;
}

static void world_step(qi_world *const *first, uint64_t go, int thread, bool watch) {
    qi_world *w = *first;
    (void)go, (void)thread;
    refresh(w);
    if (w->status) return;
    mjData *d = w->d;
    size_t nq = (size_t)w->model->nq, nv = (size_t)w->model->nv;
    if (watch && w->s->imu_site >= 0) imu_velocity(w, w->imu_vel);
    memcpy(w->keep, d->qpos, nq * sizeof *d->qpos);
    memcpy(w->keep + nq, d->qvel, nv * sizeof *d->qvel);
    if (!apply_drives(w)) {
        stop(w, QIAO_E_NAN);
        return;
    }
    qi_guard g;
    qi_guard_arm(&g);
    if (setjmp(g.jump) == 0)
        mj_step2(w->m, d);
    else
        w->status = QIAO_E_LIMIT;
    qi_guard_disarm(&g);
    if (w->status || !state_finite(w)) {
        stop(w, w->status ? w->status : QIAO_E_NAN);
        return;
    }
    w->fresh = false, w->k++;
    take_contacts(w);
    account(w);
}

static int64_t world_now(const qi_world *w) { return w->k; }
static qiao_err world_status(const qi_world *w) { return w->status; }
static qi_cmds *world_commands(qi_world *w) { return &w->cmds; }

static void world_push(qi_world *w, int body, const double f[3], const double t[3]) {
    memcpy(w->d->xfrc_applied + 6 * body, f, 3 * sizeof *f);
    memcpy(w->d->xfrc_applied + 6 * body + 3, t, 3 * sizeof *t);
}

// ---- sensing ----

static void sense_imu(const qi_world *w, qiao_sensor_kind kind, double *x) {
    const double *R = w->d->site_xmat + 9 * w->s->imu_site;
    double v[6];
    if (kind == QIAO_SENSE_IMU_QUAT) {
        mju_mat2Quat(x, R);
        return;
    }
    mj_objectVelocity(w->m, w->d, mjOBJ_SITE, w->s->imu_site, v, 0);
    if (kind == QIAO_SENSE_IMU_ACC) // mean over the last step, less gravity
        for (int i = 0; i < 3; i++)
            v[i] =
                (w->k ? (v[3 + i] - w->imu_vel[i]) / w->m->opt.timestep : 0) - w->m->opt.gravity[i];
    mju_mulMatTVec3(x, R, v);
}

static void sense_contacts(const qi_world *w, qiao_sensor_kind kind, double *x) {
    const qi_setup *s = w->s;
    if (kind == QIAO_SENSE_WRENCH) {
        qi_sense_wrench(s, w->m, w->contact, w->ncontact, w->d->site_xpos + 3 * s->tool_site,
                        w->d->site_xmat + 9 * s->tool_site, x);
        return;
    }
    for (int i = 0; i < s->feet; i++)
        qi_sense_foot(s, w->m, w->contact, w->ncontact, i, w->d->site_xpos + 3 * s->foot_site[i],
                      kind, x);
}

static void world_sense(qi_world *w, const qiao_sensor *s, const int *index, double *x) {
    refresh(w);
    const mjData *d = w->d;
    const double *R = d->xmat + 9 * w->s->base;
    double v[6];
    switch (s->kind) {
    case QIAO_SENSE_JOINT_POS:
        for (int i = 0; i < s->dim; i++) x[i] = d->qpos[w->model->jnt_qadr[index[i]]];
        break;
    case QIAO_SENSE_JOINT_VEL:
        for (int i = 0; i < s->dim; i++) x[i] = d->qvel[w->model->jnt_vadr[index[i]]];
        break;
    case QIAO_SENSE_JOINT_TAU:
        for (int i = 0; i < s->dim; i++) x[i] = w->said[index[i]];
        break;
    case QIAO_SENSE_IMU_QUAT:
    case QIAO_SENSE_IMU_GYRO:
    case QIAO_SENSE_IMU_ACC: sense_imu(w, s->kind, x); break;
    case QIAO_SENSE_FOOT_CONTACT:
    case QIAO_SENSE_FOOT_FORCE:
    case QIAO_SENSE_WRENCH: sense_contacts(w, s->kind, x); break;
    case QIAO_SENSE_BASE_POSE:
        memcpy(x, d->xpos + 3 * w->s->base, 3 * sizeof *x);
        memcpy(x + 3, d->xquat + 4 * w->s->base, 4 * sizeof *x);
        break;
    case QIAO_SENSE_BASE_VEL:
        mj_objectVelocity(w->m, d, mjOBJ_XBODY, w->s->base, v, 0);
        mju_mulMatTVec3(x, R, v + 3);
        break;
    case QIAO_SENSE_BODY_POSE:
        for (int i = 0; i < s->nname; i++) {
            memcpy(x + 7 * i, d->xpos + 3 * index[i], 3 * sizeof *x);
            memcpy(x + 7 * i + 3, d->xquat + 4 * index[i], 4 * sizeof *x);
        }
        break;
    case QIAO_SENSE_HEIGHT_SCAN: // room sim reads its map around this pose
        memcpy(x, d->xpos + 3 * w->s->base, 3 * sizeof *x);
        x[3] = R[0], x[4] = R[3];
        break;
    case QIAO_SENSE_COMMAND: break; // room sim keeps it
    }
}

// ---- the truth ----

static void world_truth(qi_world *w, qiao_truth *t) {
    refresh(w);
    for (int i = 0; i < w->model->nbody; i++)
        mj_objectVelocity(w->m, w->d, mjOBJ_XBODY, i, w->body_vel + 6 * i, 0);
    int warnings = 0;
    for (int i = 0; i < mjNWARNING; i++) warnings += w->d->warning[i].number;
    *t = (qiao_truth){.model = w->model,
                      .t_ns = llround((double)w->k * w->m->opt.timestep * 1e9),
                      .q = w->d->qpos,
                      .qd = w->d->qvel,
                      .body_pos = w->d->xpos,
                      .body_quat = w->d->xquat,
                      .body_vel = w->body_vel,
                      .tau = w->said,
                      .act_force_peak = w->tau_peak,
                      .body_force_peak = w->body_peak,
                      .energy = w->energy,
                      .ncontact = w->ncontact,
                      .contact = w->contact,
                      .nwarning = warnings};
}

static void world_peaks_clear(qi_world *w) {
    memset(w->body_peak, 0, (size_t)w->model->nbody * sizeof *w->body_peak);
}

const qi_engine qi_engine_mujoco = {
    .name = "mujoco",
    .open = world_open,
    .close = world_close,
    .reset = world_reset,
    .set = world_set,
    .vary = world_vary,
    .recast = world_recast,
    .copy = world_copy,
    .step = world_step,
    .commands = world_commands,
    .now = world_now,
    .status = world_status,
    .sense = world_sense,
    .push = world_push,
    .truth = world_truth,
    .peaks_clear = world_peaks_clear,
};
