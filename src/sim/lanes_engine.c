// SPDX-License-Identifier: Apache-2.0
// lanes_engine.c - engines "lanes" (64 bit) and "lanes32" as room sim knows them: worlds that are
// alike share groups, one lane each; drives, contacts and sensors are read lane by lane.
#include "sim/cast.h"
#include "sim/engine.h"
#include "sim/lanes_alike.h"
#include "sim/lanes_ops.h"
#include "sim/quats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CONTACTS = 64 }; // of a lane that are looked at after a step

typedef struct shape { // all groups whose worlds differ in numbers only
    const qi_lanes_ops *op;
    qi_lplan *plan;
    void **work;        // [nthread]
    const void **posed; // [nthread] group whose poses the work block holds
} shape;

typedef struct group {
    const qi_lanes_ops *op;
    shape *shape;
    void *model, *state;
    int first, n;
    int64_t version, posed; // changes with the state; version whose poses a work block holds
    int64_t *shown;         // [nbody] version that the worlds' pos, rot, vel, quat show
    qi_world *world[64];    // [n]
} group;

typedef struct shared {
    qiao_real real;
    qi_lanes_opt opt;
    int nshape, ngroup, nthread;
    shape *shape;     // [nworld]
    group *group;     // [nworld]
    int *of;          // [nworld] group of each world
    qi_drive_row row; // of all worlds whose drives are as the robot says: read often, so kept once
    qiao_arena *arena;
} shared;

struct qi_world {
    const qi_setup *s;
    group *g;
    int lane, thread;
    const qiao_model *model;
    const mjModel *m;
    int64_t k;                       // steps since reset
    uint8_t *need;                   // [nbody] whose pose the truth shows
    bool every_contact, every_drive; // looked at after each step, not only when they may be read
    int *force_at;                   // [nu] in the plan's actuators, -1: not among them
    int *touched, ntouched;          // bodies with a contact force
    qiao_err status;
    qi_cmds cmds;
    qi_drive *drive;         // [nu]
    qi_drive_row own_row;    // of drives that vary
    const qi_drive_row *row; // this, or the one of all worlds
    int *ctrl_at;            // [nu] in ctrl
    mjModel *own;            // with the numbers of world_vary; NULL: the model's
    double *xfrc;            // [nbody][6]
    double gravity[3];
    double *tau, *said, *tau_peak, *ctrl, *force; // [nu]; ctrl [mj nu]; force [actuators]
    double *scale;                                // [nu] of ctrl to torque
    double *q, *qd, *pos, *rot, *vel, *quat;      // [nq] [nv] [nbody][3] [9] [6] [4]
    double energy, imu_vel[3];
    int ncontact, nwarning;
    qiao_contact *contact;
    double *body_force, *body_peak;
    qiao_arena *arena;
};

// ---- which worlds share a group ----

static const qi_lanes_ops *op_for(qiao_real real, int n) {
    const qi_lanes_ops *best = qi_lanes_best(real);
    for (int i = 0; i < qi_lanes_nall; i++) { // the narrowest that holds them
        const qi_lanes_ops *o = qi_lanes_all[i];
        if (o->real == real && o->usable() && o->lanes >= n && o->lanes < best->lanes) best = o;
    }
    return best;
}

static void finish(void *x) {
    shared *h = x;
    if (!h) return;
    for (int i = 0; i < h->nshape; i++) {
        for (int t = 0; t < h->nthread; t++)
            if (h->shape[i].work && h->shape[i].work[t])
                h->shape[i].op->work_free(h->shape[i].work[t]);
        qi_lplan_free(h->shape[i].plan);
    }
    for (int i = 0; i < h->ngroup; i++) free(h->group[i].state);
    qiao_arena_free(h->arena);
    free(h);
}

// A copy of m with the drives' armature and its inverse weights; round: with elliptic cones.
static mjModel *own_model(const qi_setup *s, const mjModel *m, bool round) {
    mjModel *own = mj_copyModel(NULL, m);
    mjData *d = own ? mj_makeData(own) : NULL;
    if (!d) {
        mj_deleteModel(own);
        return NULL;
    }
    if (round) own->opt.cone = mjCONE_ELLIPTIC;
    qi_drive_armature(s->drive, s->nu, own->dof_armature, own->dof_armature);
    mj_setConst(own, d);
    mj_deleteData(d);
    return own;
}

// Newton's steps each cost a factor; sweeps are cheap and get near at once, but converge slowly. Up
// to five of either, sweeps came nearer in less time on eight of nine robots (docs/lanes.md).
static int sweeps_better(const qiao_sim_def *f) {
    if (f->solver) return strcmp(f->solver, "pgs") == 0;
    return f->iterations > 0 && f->iterations <= 5;
}

static bool asked(const qiao_sim_def *f, const char *better) { // the words were checked
    return f->better && strstr(f->better, better);
}
static qi_lplan *solver_of(const qi_setup *s, qi_lplan *p) {
    if (p) p->dual = sweeps_better(s->def), p->rotation = asked(s->def, "rotation");
    return p;
}

static qi_lplan *plan_of(const qi_setup *s, const qiao_model *m, qiao_diag *d) {
    qi_lplan *p = qi_lplan_new(m, d);
    bool round = asked(s->def, "elliptic") && p && !p->elliptic;
    if (!p || (!qi_drive_armature(s->drive, s->nu, p->dyn->armature, NULL) && !round))
        return solver_of(s, p);
    qi_lplan_free(p);
    qiao_model view = *m;
    mjModel *own = own_model(s, m->mj, round);
    if (!own) return NULL;
    view.mj = own, view.dof_armature = own->dof_armature;
    if (!(p = qi_lplan_new(&view, d))) {
        mj_deleteModel(own);
        return NULL;
    }
    p->model = p->dyn->model = m, p->own = own; // the arrays behind it
    return solver_of(s, p);
}

static bool make_work(shared *h, shape *s) {
    s->work = qiao_arena_get(h->arena, (size_t)h->nthread * sizeof *s->work);
    s->posed = qiao_arena_get(h->arena, (size_t)h->nthread * sizeof *s->posed);
    void *model = s->op->model_new(s->plan, h->arena);
    for (int t = 0; s->work && s->posed && model && t < h->nthread; t++)
        if (!(s->work[t] = s->op->work_new(model, h->arena))) return false;
    return s->work && s->posed && model;
}

// Worlds from..: as many as are alike and fit one group. The first plan becomes the shape's, or is
// freed if an earlier shape is like it.
static bool make_group(shared *h, const qi_setup *s, int from, int *next, qiao_diag *d) {
    const qiao_model *const *world = s->def->world;
    const qi_lanes_ops *best = qi_lanes_best(h->real);
    qi_lplan *plan[64] = {plan_of(s, world[from], d)};
    int n = 1, total = s->def->nworld;
    if (!plan[0]) return false;
    for (; from + n < total && n < best->lanes && n < 64; n++) {
        plan[n] =
            world[from + n] == world[from + n - 1] ? plan[n - 1] : plan_of(s, world[from + n], d);
        if (!plan[n]) break;
        if (plan[n] == plan[n - 1] || qi_lplan_alike(plan[0], plan[n])) continue;
        qi_lplan_free(plan[n]);
        break;
    }
    bool ok = !(from + n < total && n < best->lanes && n < 64 && !plan[n] && d->err);
    const qi_lanes_ops *op = op_for(h->real, n);
    shape *o = NULL;
    for (int i = 0; ok && i < h->nshape && !o; i++)
        if (h->shape[i].op == op && qi_lplan_alike(h->shape[i].plan, plan[0])) o = &h->shape[i];
    bool fresh = ok && !o;
    if (fresh) {
        o = &h->shape[h->nshape++];
        *o = (shape){.op = op, .plan = plan[0]};
        ok = make_work(h, o);
    }
    group *g = &h->group[h->ngroup];
    if (ok) {
        *g = (group){.op = op, .shape = o, .first = from, .n = n, .version = 1};
        g->model = op->model_new(o->plan, h->arena);
        g->state =
            g->model ? aligned_alloc(64, (op->group_size(g->model) + 63) & ~(size_t)63) : NULL;
        g->shown = qiao_arena_get(h->arena, (size_t)o->plan->m->nbody * sizeof *g->shown);
        ok = g->state != NULL && g->shown;
    }
    if (ok) {
        h->ngroup++;
        for (int l = 0; l < op->lanes; l++) op->vary(g->model, l, plan[l < n ? l : 0]);
        op->group_init(g->model, g->state);
        for (int l = 0; l < n; l++) h->of[from + l] = h->ngroup - 1;
    }
    for (int l = n - 1; l >= 0; l--)
        if (!(l == 0 && fresh) && (l == 0 || plan[l] != plan[l - 1])) qi_lplan_free(plan[l]);
    *next = from + n;
    return ok;
}

static bool prepare(qi_setup *s, qiao_real real, qiao_diag *d) {
    size_t n = (size_t)s->def->nworld;
    shared *h = calloc(1, sizeof *h);
    if (!(s->shared = h)) return false;
    h->opt.iterations = s->def->iterations;
    h->real = real, h->nthread = s->nthread, h->arena = qiao_arena_new();
    if (!h->arena) return false;
    h->shape = qiao_arena_get(h->arena, n * sizeof *h->shape);
    h->group = qiao_arena_get(h->arena, n * sizeof *h->group);
    h->of = qiao_arena_get(h->arena, n * sizeof *h->of);
    if (!h->shape || !h->group || !h->of || !qi_drive_row_new(&h->row, s->nu, h->arena))
        return false;
    qi_drive_row_set(&h->row, s->drive, s->nu);
    for (int at = 0; at < s->def->nworld;)
        if (!make_group(h, s, at, &at, d)) return false;
    return true;
}
static bool prepare64(qi_setup *s, qiao_diag *d) { return prepare(s, QIAO_REAL_F64, d); }
static bool prepare32(qi_setup *s, qiao_diag *d) { return prepare(s, QIAO_REAL_F32, d); }

// ---- worlds ----

static void world_close(qi_world *w) {
    if (!w) return;
    mj_deleteModel(w->own);
    qiao_arena_free(w->arena);
    free(w);
}

// Bodies that never move, as the engine's number type has them.
static void place_fixed(qi_world *w, const qi_lplan *p) {
    const qi_plan *y = p->dyn;
    bool narrow = ((const shared *)w->s->shared)->real == QIAO_REAL_F32;
    for (int b = 0; b < w->model->nbody; b++) {
        if (y->body_link[b] >= 0) continue;
        for (int k = 0; k < 3; k++) {
            double x = y->body_pos[3 * b + k];
            w->pos[3 * b + k] = narrow ? (double)(float)x : x;
        }
        for (int k = 0; k < 9; k++) { // the plan has columns
            double x = y->body_rot[9 * b + k];
            w->rot[9 * b + 3 * (k % 3) + k / 3] = narrow ? (double)(float)x : x;
        }
        mju_mat2Quat(w->quat + 4 * b, w->rot + 9 * b);
    }
}

// What the drives' numbers are to the engine.
static void bind_drives(qi_world *w) {
    for (int i = 0; i < w->s->nu; i++) {
        const qi_drive *v = &w->s->drive[i];
        w->scale[i] = v->d.native ? 1 : v->gear * w->m->actuator_gainprm[v->act * mjNGAIN];
        w->ctrl_at[i] = w->m->actuator_ctrladr[v->act];
    }
}

static qi_world *world_open(const qi_setup *s, int index, const qiao_model *m, qiao_diag *d) {
    shared *h = s->shared;
    qi_world *w = calloc(1, sizeof *w);
    if (!w || !(w->arena = qiao_arena_new())) {
        free(w);
        return NULL;
    }
    w->s = s, w->model = m, w->g = &h->group[h->of[index]], w->lane = index - w->g->first;
    w->m = m->mj;
    size_t nu = (size_t)s->nu + 1, nb = (size_t)m->nbody, cap = (size_t)s->ncmd;
    struct {
        double **p;
        size_t n;
    } want[] = {{&w->tau, nu},
                {&w->said, nu},
                {&w->tau_peak, nu},
                {&w->ctrl, (size_t)m->nu + 1},
                {&w->force, (size_t)m->nu + 1},
                {&w->scale, nu},
                {&w->q, (size_t)m->nq + QI_DRIVE_PAD},
                {&w->qd, (size_t)m->nv + QI_DRIVE_PAD},
                {&w->pos, 3 * nb},
                {&w->rot, 9 * nb},
                {&w->vel, 6 * nb},
                {&w->quat, 4 * nb},
                {&w->body_force, 3 * nb},
                {&w->body_peak, nb},
                {&w->xfrc, 6 * nb},
                {&w->cmds.row, cap * 5 * nu + QI_DRIVE_PAD}};
    bool ok = true;
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        ok = (*want[i].p = qiao_arena_get(w->arena, want[i].n * sizeof(double))) && ok;
    w->ctrl_at = qiao_arena_get(w->arena, nu * sizeof *w->ctrl_at);
    ok = qi_drive_row_new(&w->own_row, s->nu, w->arena) && ok;
    w->row = &h->row;
    w->need = qiao_arena_get(w->arena, nb);
    w->touched = qiao_arena_get(w->arena, nb * sizeof *w->touched);
    w->force_at = qiao_arena_get(w->arena, nu * sizeof *w->force_at);
    w->contact = qiao_arena_get(w->arena, QIAO_CONTACT_MAX * sizeof *w->contact);
    w->cmds.issued = qiao_arena_get(w->arena, cap * sizeof *w->cmds.issued);
    w->cmds.nu = s->nu, w->cmds.cap = (int)cap;
    w->drive = qiao_arena_get(w->arena, nu * sizeof *w->drive);
    if (w->drive) memcpy(w->drive, s->drive, (size_t)s->nu * sizeof *w->drive);
    memcpy(w->gravity, w->m->opt.gravity, sizeof w->gravity);
    if (ok && w->contact && w->cmds.issued && w->drive && w->ctrl_at && w->need && w->touched &&
        w->force_at) {
        const qi_lplan *p = w->g->shape->plan;
        memset(w->need, 1, nb);
        w->every_contact = w->every_drive = true;
        for (int i = 0; i < s->nu; i++) {
            w->force_at[i] = -1;
            for (int k = 0; k < p->nu; k++)
                if (p->act[k].id == s->drive[i].act) w->force_at[i] = k;
        }
        bind_drives(w);
        place_fixed(w, p);
        w->g->world[w->lane] = w;
        return w;
    }
    qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    world_close(w);
    return NULL;
}

static void changed(qi_world *w) { w->g->version++; }

// The numbers of m go into the world's lane.
static qiao_err world_vary(qi_world *w, mjModel *m, const qi_drive *drive, qiao_diag *d) {
    group *g = w->g;
    qiao_model view = *w->model;
    view.mj = m, view.dof_armature = m->dof_armature, view.body_mass = m->body_mass;
    view.dof_damping = m->dof_damping, view.dof_friction = m->dof_frictionloss;
    view.body_pos = m->body_pos, view.body_quat = m->body_quat; // another world's after a recast
    view.jnt_pos = m->jnt_pos, view.jnt_axis = m->jnt_axis, view.qref = m->qpos0;
    view.body_ipos = m->body_ipos, view.body_iquat = m->body_iquat;
    view.body_inertia = m->body_inertia;
    memcpy(view.gravity, m->opt.gravity, sizeof view.gravity);
    m->opt.cone = g->shape->plan->elliptic ? mjCONE_ELLIPTIC : mjCONE_PYRAMIDAL;
    qi_lplan *p = qi_lplan_new(&view, d);
    qiao_err e = p ? QIAO_OK : d->err;
    if (p && !qi_lplan_alike(g->shape->plan, p)) // a factor of 0 takes a constraint away
        e = qiao_diag_set(d, QIAO_E_FIT, NULL, 0, 0,
                          "these numbers change what the world consists of, not only its numbers");
    if (!e) {
        g->op->vary(g->model, w->lane, p);
        memcpy(w->drive, drive, (size_t)w->s->nu * sizeof *drive);
        qi_drive_row_set(&w->own_row, w->drive, w->s->nu);
        w->row = &w->own_row;
        memcpy(w->gravity, m->opt.gravity, sizeof w->gravity);
        changed(w);
        mj_deleteModel(w->own);
        w->own = m, m = NULL;
    }
    qi_lplan_free(p);
    mj_deleteModel(m);
    return e;
}

// Another world's numbers go into the lane; what is no number stays as the shape has it.
static qiao_err world_recast(qi_world *w, const qiao_model *m, const mjModel *numbers,
                             qiao_diag *d) {
    group *g = w->g;
    qiao_model view = *m;
    view.mj = numbers, view.dof_armature = numbers->dof_armature;
    view.dof_damping = numbers->dof_damping, view.dof_friction = numbers->dof_frictionloss;
    view.body_mass = numbers->body_mass, view.body_inertia = numbers->body_inertia;
    view.body_pos = numbers->body_pos, view.body_quat = numbers->body_quat;
    view.body_ipos = numbers->body_ipos, view.body_iquat = numbers->body_iquat;
    view.jnt_pos = numbers->jnt_pos, view.jnt_axis = numbers->jnt_axis;
    view.qref = numbers->qpos0;
    memcpy(view.gravity, numbers->opt.gravity, sizeof view.gravity);
    qi_lplan *p = qi_lplan_new(&view, d);
    if (!p) return d->err;
    qiao_err e = QIAO_OK;
    if (!qi_lplan_castable(g->shape->plan, p))
        e = qiao_diag_set(d, QIAO_E_FIT, NULL, 0, 0, "a world of another shape");
    if (!e) {
        g->op->vary(g->model, w->lane, p);
        memcpy(w->drive, w->s->drive, (size_t)w->s->nu * sizeof *w->drive);
        w->row = &((const shared *)w->s->shared)->row;
        memcpy(w->gravity, numbers->opt.gravity, sizeof w->gravity);
        mj_deleteModel(w->own);
        w->own = NULL, w->model = m;
        place_fixed(w, p);
        changed(w);
    }
    qi_lplan_free(p);
    return e;
}

static mjData *world_copy(const qi_world *w, mjModel **out) {
    bool round = w->g->shape->plan->elliptic;
    mjModel *m = *out = w->own ? mj_copyModel(NULL, w->own) : own_model(w->s, w->m, round);
    mjData *d = m ? mj_makeData(m) : NULL;
    if (!d) return NULL;
    memcpy(d->qpos, w->q, (size_t)m->nq * sizeof *w->q);
    memcpy(d->qvel, w->qd, (size_t)m->nv * sizeof *w->qd);
    memcpy(d->ctrl, w->ctrl, (size_t)m->nu * sizeof *w->ctrl);
    memcpy(d->xfrc_applied, w->xfrc, 6 * (size_t)m->nbody * sizeof *w->xfrc);
    d->time = (double)w->k * m->opt.timestep;
    return d;
}

static int together(const qi_world *w) { return w->g->n; }

static void world_set(qi_world *w, const double *q, const double *qd) {
    size_t nb = (size_t)w->model->nbody;
    w->g->op->put(w->g->model, w->g->state, w->lane, q, qd);
    w->g->op->get(w->g->model, w->g->state, w->lane, w->q, w->qd);
    changed(w);
    w->ncontact = w->ntouched = 0;
    memset(w->body_force, 0, 3 * nb * sizeof *w->body_force);
}

static void world_reset(qi_world *w, const double *q) {
    size_t nu = (size_t)w->s->nu, nb = (size_t)w->model->nbody;
    static const double none[6] = {0};
    w->k = 0, w->status = QIAO_OK, w->energy = 0, w->cmds.n = 0, w->nwarning = 0;
    memset(w->tau, 0, nu * sizeof *w->tau), memset(w->said, 0, nu * sizeof *w->said);
    memset(w->tau_peak, 0, nu * sizeof *w->tau_peak);
    memset(w->body_peak, 0, nb * sizeof *w->body_peak);
    memset(w->ctrl, 0, ((size_t)w->model->nu + 1) * sizeof *w->ctrl);
    for (int b = 1; b < w->model->nbody; b++)
        w->g->op->put_force(w->g->model, w->g->state, w->lane, b, none);
    memset(w->xfrc, 0, 6 * nb * sizeof *w->xfrc);
    for (size_t i = 0; i < nu; i++) // a native drive holds the rest pose until told otherwise
        if (w->s->drive[i].d.native && w->s->drive[i].qadr >= 0) w->tau[i] = q[w->s->drive[i].qadr];
    world_set(w, q, NULL);
    memset(w->imu_vel, 0, sizeof w->imu_vel);
}

// Poses of the group in the work block of this thread.
static void pose(const qi_world *w, int thread) {
    group *g = w->g;
    if (g->shape->posed[thread] == g && g->posed == g->version) return;
    g->op->pose(g->model, g->shape->work[thread], g->state);
    g->shape->posed[thread] = g, g->posed = g->version;
}
// Pose and velocity of one body in the present state, in all worlds of the group.
static void show(const qi_world *w, int b) {
    group *g = w->g;
    if (g->shown[b] == g->version) return;
    g->shown[b] = g->version;
    if (g->shape->plan->dyn->body_link[b] < 0) return; // see place_fixed
    pose(w, w->thread);
    double x[18 + 4][QI_LANES_MOST];
    memset(x[3], 0, 9 * sizeof *x); // beyond the lanes there is nothing
    g->op->body(g->model, g->shape->work[w->thread], b, x);
    qi_quats_best()->run(x[3], x[18], g->n, QI_LANES_MOST);
    for (int l = 0; l < g->n; l++) {
        qi_world *o = g->world[l];
        double *pos = o->pos + 3 * b, *rot = o->rot + 9 * b, *vel = o->vel + 6 * b;
        for (int k = 0; k < 3; k++) pos[k] = x[k][l];
        for (int k = 0; k < 9; k++) rot[k] = x[3 + k][l];
        for (int k = 0; k < 6; k++) vel[k] = x[12 + k][l];
        for (int k = 0; k < 4; k++) o->quat[4 * b + k] = x[18 + k][l];
    }
}
static void refresh(qi_world *w) {
    for (int b = 0; b < w->model->nbody; b++)
        if (w->need[b]) show(w, b);
}
static void world_narrow(qi_world *w, const qi_narrow *n) {
    memcpy(w->need, n->body, (size_t)w->model->nbody);
    w->every_contact = n->contact_peaks, w->every_drive = n->drive_sums;
}

static void site_pose(const qi_world *w, int site, double *pos, double *rot) {
    int b = w->m->site_bodyid[site];
    double local[9];
    mju_mulMatVec3(pos, w->rot + 9 * b, w->m->site_pos + 3 * site);
    mju_addTo3(pos, w->pos + 3 * b);
    if (!rot) return;
    mju_quat2Mat(local, w->m->site_quat + 4 * site);
    mju_mulMatMat(rot, w->rot + 9 * b, local, 3, 3, 3);
}
// Linear velocity of the imu site, world axes; its body's pose is fresh.
static void imu_velocity(const qi_world *w, double v[3]) {
    int b = w->m->site_bodyid[w->s->imu_site];
    double p[3], r[3];
    site_pose(w, w->s->imu_site, p, NULL);
    mju_sub3(r, p, w->pos + 3 * b);
    mju_cross(v, w->vel + 6 * b, r);
    mju_addTo3(v, w->vel + 6 * b + 3);
}

// ---- stepping ----

static bool apply_drives(qi_world *w) {
    double sum = 0;
    qi_drive_row_step(w->row, w->drive, &w->cmds, w->k, w->q, w->qd, w->tau);
    for (int i = 0; i < w->s->nu; i++) {
        double ctrl = w->scale[i] == 1 ? w->tau[i] : w->tau[i] / w->scale[i];
        w->ctrl[w->ctrl_at[i]] = ctrl;
        sum += ctrl * 0;
    }
    if (sum == 0) w->g->op->put_ctrl(w->g->model, w->g->state, w->lane, w->ctrl);
    return sum == 0;
}

static void touch(qi_world *w, int body) {
    int i = 0;
    while (i < w->ntouched && w->touched[i] != body) i++;
    if (i == w->ntouched) w->touched[w->ntouched++] = body;
}

static void take_contacts(qi_world *w, const void *work) {
    double c[CONTACTS][18];
    int n = w->g->op->contacts(w->g->model, work, w->lane, c, CONTACTS);
    if (n > CONTACTS) w->nwarning++, n = CONTACTS;
    for (int i = 0; i < w->ntouched; i++)
        memset(w->body_force + 3 * w->touched[i], 0, 3 * sizeof *w->body_force);
    w->ntouched = 0, w->ncontact = n;
    for (int i = 0; i < n; i++) {
        qiao_contact *o = &w->contact[i];
        const double *f = c[i] + 13, *frame = c[i] + 4;
        for (int s = 0; s < 2; s++)
            touch(w, o->body[s] = w->m->geom_bodyid[o->geom[s] = (int)c[i][16 + s]]);
        for (int k = 0; k < 3; k++) {
            o->pos_w[k] = c[i][1 + k];
            o->force_w[k] = frame[k] * f[0] + frame[3 + k] * f[1] + frame[6 + k] * f[2];
            w->body_force[3 * o->body[1] + k] += o->force_w[k];
            w->body_force[3 * o->body[0] + k] -= o->force_w[k];
        }
    }
    for (int i = 0; i < w->ntouched; i++) {
        int b = w->touched[i];
        double size = mju_norm3(w->body_force + 3 * b);
        if (size > w->body_peak[b]) w->body_peak[b] = size;
    }
}

static void account(qi_world *w, void *work) {
    w->g->op->ask(w->g->model, work, w->lane, QI_LANES_ACTUATOR, w->force);
    for (int i = 0; i < w->s->nu; i++) {
        const qi_drive *v = &w->s->drive[i];
        double f = w->force_at[i] < 0 ? 0 : w->force[w->force_at[i]];
        double tau = f * v->gear;
        w->said[i] = tau;
        if (fabs(tau) > w->tau_peak[i]) w->tau_peak[i] = fabs(tau);
        double power = v->vadr >= 0 ? tau * w->qd[v->vadr] : 0;
        if (power > 0) w->energy += power * w->m->opt.timestep;
    }
}

static void group_step(qi_world *const *w, uint64_t go, int thread, bool watch) {
    group *g = w[0]->g;
    void *work = g->shape->work[thread];
    bool imu = watch && w[0]->s->accelerates;
    for (int i = 0; i < g->n; i++) {
        qi_world *x = w[i];
        bool on = go >> i & 1;
        x->thread = thread;
        if (on && imu) {
            show(x, x->m->site_bodyid[x->s->imu_site]);
            imu_velocity(x, x->imu_vel);
        }
        if (on && !apply_drives(x)) x->status = QIAO_E_NAN, x->ncontact = 0, on = false;
        if (!on) go &= ~((uint64_t)1 << i);
        g->op->live(g->state, i, on);
    }
    g->op->step(g->model, work, g->state, 1, &((const shared *)w[0]->s->shared)->opt);
    g->version++;
    g->shape->posed[thread] = NULL;
    for (int i = 0; i < g->n; i++) {
        qi_world *x = w[i];
        if (!(go >> i & 1)) continue;
        if (g->op->broken(g->state, i)) {
            x->status = QIAO_E_NAN, x->ncontact = 0;
            continue;
        }
        g->op->get(g->model, g->state, i, x->q, x->qd);
        x->k++;
        if (watch || x->every_contact) take_contacts(x, work);
        if (watch || x->every_drive) account(x, work);
    }
}

static int64_t world_now(const qi_world *w) { return w->k; }
static qiao_err world_status(const qi_world *w) { return w->status; }
static qi_cmds *world_commands(qi_world *w) { return &w->cmds; }

static void world_push(qi_world *w, int body, const double f[3], const double t[3]) {
    double x[6] = {f[0], f[1], f[2], t[0], t[1], t[2]};
    w->g->op->put_force(w->g->model, w->g->state, w->lane, body, x);
    memcpy(w->xfrc + 6 * body, x, sizeof x);
}

// ---- sensing ----

static void sense_imu(qi_world *w, qiao_sensor_kind kind, double *x) {
    double p[3], R[9], v[3];
    show(w, w->m->site_bodyid[w->s->imu_site]);
    site_pose(w, w->s->imu_site, p, R);
    if (kind == QIAO_SENSE_IMU_QUAT) {
        mju_mat2Quat(x, R);
        return;
    }
    if (kind == QIAO_SENSE_IMU_GYRO)
        mju_copy3(v, w->vel + 6 * w->m->site_bodyid[w->s->imu_site]);
    else {
        imu_velocity(w, v); // mean over the last step, less gravity
        for (int i = 0; i < 3; i++)
            v[i] = (w->k ? (v[i] - w->imu_vel[i]) / w->m->opt.timestep : 0) - w->gravity[i];
    }
    mju_mulMatTVec3(x, R, v);
}

static void sense_contacts(qi_world *w, qiao_sensor_kind kind, double *x) {
    double p[3], R[9];
    if (kind == QIAO_SENSE_WRENCH) {
        show(w, w->m->site_bodyid[w->s->tool_site]);
        site_pose(w, w->s->tool_site, p, R);
        qi_sense_wrench(w->s, w->m, w->contact, w->ncontact, p, R, x);
        return;
    }
    for (int i = 0; i < w->s->feet; i++) {
        show(w, w->s->foot_body[i]);
        site_pose(w, w->s->foot_site[i], p, NULL);
        qi_sense_foot(w->s, w->m, w->contact, w->ncontact, i, p, kind, x);
    }
}

static void world_sense(qi_world *w, const qiao_sensor *s, const int *index, double *x) {
    if (s->kind == QIAO_SENSE_JOINT_POS) {
        for (int i = 0; i < s->dim; i++) x[i] = w->q[w->model->jnt_qadr[index[i]]];
        return;
    }
    if (s->kind == QIAO_SENSE_JOINT_VEL) {
        for (int i = 0; i < s->dim; i++) x[i] = w->qd[w->model->jnt_vadr[index[i]]];
        return;
    }
    const double *R = w->rot + 9 * w->s->base, *base = w->pos + 3 * w->s->base;
    if (s->kind != QIAO_SENSE_JOINT_TAU && w->s->base >= 0) show(w, w->s->base);
    switch (s->kind) {
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
        mju_copy3(x, base), mju_copy4(x + 3, w->quat + 4 * w->s->base);
        break;
    case QIAO_SENSE_BASE_VEL: mju_mulMatTVec3(x, R, w->vel + 6 * w->s->base + 3); break;
    case QIAO_SENSE_BODY_POSE:
        for (int i = 0; i < s->nname; i++) {
            show(w, index[i]);
            mju_copy3(x + 7 * i, w->pos + 3 * index[i]);
            mju_copy4(x + 7 * i + 3, w->quat + 4 * index[i]);
        }
        break;
    case QIAO_SENSE_HEIGHT_SCAN: // room sim reads its map around this pose
        mju_copy3(x, base);
        x[3] = R[0], x[4] = R[3];
        break;
    default: break;
    }
}

static void world_truth(qi_world *w, qiao_truth *t) {
    refresh(w);
    *t = (qiao_truth){.model = w->model,
                      .t_ns = llround((double)w->k * w->m->opt.timestep * 1e9),
                      .q = w->q,
                      .qd = w->qd,
                      .body_pos = w->pos,
                      .body_quat = w->quat,
                      .body_vel = w->vel,
                      .tau = w->said,
                      .act_force_peak = w->tau_peak,
                      .body_force_peak = w->body_peak,
                      .energy = w->energy,
                      .ncontact = w->ncontact,
                      .contact = w->contact,
                      .nwarning = w->nwarning};
}

static void world_peaks_clear(qi_world *w) {
    memset(w->body_peak, 0, (size_t)w->model->nbody * sizeof *w->body_peak);
}

#define ENGINE(id, text, start)                       \
    const qi_engine id = {.name = text,               \
                          .prepare = start,           \
                          .finish = finish,           \
                          .open = world_open,         \
                          .close = world_close,       \
                          .reset = world_reset,       \
                          .set = world_set,           \
                          .vary = world_vary,         \
                          .recast = world_recast,     \
                          .copy = world_copy,         \
                          .together = together,       \
                          .step = group_step,         \
                          .commands = world_commands, \
                          .now = world_now,           \
                          .status = world_status,     \
                          .sense = world_sense,       \
                          .push = world_push,         \
                          .truth = world_truth,       \
                          .narrow = world_narrow,     \
                          .peaks_clear = world_peaks_clear}
ENGINE(qi_engine_lanes, "lanes", prepare64);
ENGINE(qi_engine_lanes32, "lanes32", prepare32);
