// SPDX-License-Identifier: Apache-2.0
// open.c - makes a qiao_sim: engine, drives, signals, worlds.
#include "model/guess.h"
#include "model/mjguard.h"
#include "model/sensors.h"
#include "sim/sim.h"
#include "sim/cast.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const qi_engine *const engines[] = {&qi_engine_mujoco, &qi_engine_lanes, &qi_engine_lanes32};
enum { NENGINE = sizeof engines / sizeof *engines };

qiao_sim_def qiao_sim_def_default(void) {
    return (qiao_sim_def){.engine = "mujoco", .nworld = 1, .nthread = 1, .period = 0.02};
}

static const qi_engine *find_engine(const char *name, qiao_diag *d) {
    const char *names[NENGINE];
    for (int i = 0; i < NENGINE; i++) {
        names[i] = engines[i]->name;
        if (strcmp(name, names[i]) == 0) return engines[i];
    }
    const char *near = qiao_nearest(name, names, NENGINE);
    qiao_diag_set(d, QIAO_E_NAME, NULL, 0, 0,
                  "no engine '%s'%s%s%s; there are: mujoco, lanes, lanes32", name,
                  near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return NULL;
}

static bool check_solver(const qiao_sim_def *def, const qi_engine *e, qiao_diag *d) {
    const char *s = def->solver;
    if (strcmp(e->name, "mujoco") == 0 && (s || def->iterations)) {
        qiao_diag_set(d, QIAO_E_UNSUPPORTED, NULL, 0, 0,
                      "engine mujoco takes solver and iterations from the model's file; here they "
                      "are for engine lanes");
        return false;
    }
    if (s && strcmp(s, "newton") != 0 && strcmp(s, "pgs") != 0) {
        qiao_diag_set(d, QIAO_E_NAME, NULL, 0, 0, "no solver '%s'; there are: newton, pgs", s);
        return false;
    }
    if (def->better && strcmp(e->name, "mujoco") == 0) {
        qiao_diag_set(d, QIAO_E_UNSUPPORTED, NULL, 0, 0, "'%s' is for engine lanes", def->better);
        return false;
    }
    static const char *const better[] = {"rotation", "elliptic"};
    for (const char *p = def->better; p && *(p += strspn(p, " "));) {
        size_t n = strcspn(p, " "), known = 0;
        for (size_t i = 0; i < sizeof better / sizeof *better; i++)
            known |= strlen(better[i]) == n && memcmp(p, better[i], n) == 0;
        if (!known) {
            qiao_diag_set(d, QIAO_E_NAME, NULL, 0, 0,
                          "nothing better is named '%.*s'; there are: "
                          "rotation, elliptic",
                          (int)n, p);
            return false;
        }
        p += n;
    }
    if (def->iterations >= 0) return true;
    qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0, "iterations is %d, should be 0 or more",
                  def->iterations);
    return false;
}

static int steps(double seconds, double dt) { return (int)fmin(round(seconds / dt), 1e9); }

enum { SPARE_CMDS = 2 }; // room for a delay that qiao_sim_vary makes longer
static bool make_drives(qiao_sim *s, const qiao_model *m, qiao_diag *d) {
    qi_setup *u = &s->setup;
    const qiao_robot *r = u->robot;
    qi_drive *drive = qiao_arena_get(s->arena, (size_t)(u->nu + 1) * sizeof *drive);
    if (!drive) return false;
    u->ncmd = 2 + SPARE_CMDS;
    for (int i = 0; i < u->nu; i++) {
        int act = u->part.act[i], j = m->act_joint[act];
        qi_drive *v = &drive[i];
        *v = (qi_drive){.d = r->drive[i], .act = act, .qadr = -1, .vadr = -1, .period = 1};
        v->gear = m->act_gear[act];
        if (!v->d.native && !qi_is_motor(m, act)) {
            qiao_diag_set(d, QIAO_E_FIT, r->path, 0, 0,
                          "actuator '%s' follows a law of its own; its drive must be native",
                          m->act_name[act]);
            return false;
        }
        if (j >= 0) v->qadr = m->jnt_qadr[j], v->vadr = m->jnt_vadr[j];
        if (v->d.rate_hz > 0) v->period = steps(1 / v->d.rate_hz, m->dt);
        if (v->period < 1) v->period = 1;
        v->delay = steps(v->d.delay, m->dt);
        int rows = v->delay / u->period + 2 + SPARE_CMDS;
        if (rows > u->ncmd) u->ncmd = rows;
    }
    u->drive = drive;
    return true;
}

// Which geoms of a foot's body are sole all over: in the rest pose they end low above the site.
static bool make_soles(qiao_sim *s) {
    const qiao_robot *r = s->setup.robot;
    const mjModel *m = r->model->mj;
    uint64_t *sole = qiao_arena_get(s->arena, (size_t)(r->nfoot + 1) * sizeof *sole);
    mjData *d = qi_make_data(m);
    if (sole && d) {
        memcpy(d->qpos, r->rest_q, (size_t)r->model->nq * sizeof *d->qpos);
        mj_kinematics(m, d);
    }
    for (int i = 0; sole && d && i < r->nfoot; i++) {
        int b = m->site_bodyid[r->foot_site[i]], n = m->body_geomnum[b];
        for (int k = 0; k < n && k < 64; k++) {
            int g = m->body_geomadr[b] + k;
            const double *box = m->geom_aabb + 6 * g, *z = d->geom_xmat + 9 * g + 6;
            double top = d->geom_xpos[3 * g + 2];
            for (int j = 0; j < 3; j++) top += z[j] * box[j] + fabs(z[j]) * box[3 + j];
            if (top < d->site_xpos[3 * r->foot_site[i] + 2] + 0.08) sole[i] |= (uint64_t)1 << k;
        }
    }
    mj_deleteData(d);
    s->setup.foot_sole = sole;
    return sole && d;
}

// Where the robot's parts are in the worlds.
static bool make_parts(qiao_sim *s, const qiao_model *m, qiao_diag *d) {
    qi_setup *u = &s->setup;
    const qiao_robot *r = u->robot;
    if (qiao_model_part(m, r, s->arena, &u->part, d)) return false;
    int *site = qiao_arena_get(s->arena, (size_t)(r->nfoot + 1) * sizeof *site);
    int *body = qiao_arena_get(s->arena, (size_t)(r->nfoot + 1) * sizeof *body);
    if (!site || !body) return false;
    for (int i = 0; i < r->nfoot; i++) {
        site[i] = u->part.site[r->foot_site[i]];
        body[i] = m->site_body[site[i]];
    }
    u->feet = r->nfoot, u->foot_site = site, u->foot_body = body;
    u->base = u->part.body[r->base];
    u->tool_site = r->tool_site >= 0 ? u->part.site[r->tool_site] : -1;
    u->imu_site = r->imu_site >= 0 ? u->part.site[r->imu_site] : -1;
    u->nu = r->model->nu;
    return make_soles(s) && make_drives(s, m, d);
}

// Scenes may differ in what is fixed; the robot must have the same indices in each of them.
static bool same_parts(qiao_sim *s, int i, const qiao_model *m, qiao_diag *d) {
    const qiao_model *r = s->setup.robot->model;
    const qiao_part *a = &s->setup.part;
    qiao_part b;
    qiao_arena *mem = qiao_arena_new();
    bool same = mem && !qiao_model_part(m, s->setup.robot, mem, &b, d);
    if (same)
        same = !memcmp(a->body, b.body, (size_t)r->nbody * sizeof *b.body) &&
               !memcmp(a->jnt, b.jnt, (size_t)r->njnt * sizeof *b.jnt) &&
               !memcmp(a->act, b.act, (size_t)r->nu * sizeof *b.act) &&
               !memcmp(a->site, b.site, (size_t)r->nsite * sizeof *b.site);
    qiao_arena_free(mem);
    if (!same)
        qiao_diag_set(d, QIAO_E_FIT, NULL, 0, 0,
                      "world %d holds the robot at other indices than world 0", i);
    return same;
}

static uint32_t purpose_of(const char *name) { // by name, so that a new sensor shifts no other
    uint32_t h = 2166136261u;
    for (; *name; name++) h = (h ^ (uint8_t)*name) * 16777619u;
    return h * 8 + QIAO_RNG_SENSOR;
}

// World indices that a sensor reads: of its joints, drives or bodies.
static const int *make_index(qiao_sim *s, const qiao_sensor *z, const qiao_model *m, qiao_diag *d) {
    int *index = qiao_arena_get(s->arena, (size_t)(z->nname + 1) * sizeof *index);
    for (int i = 0; index && i < z->nname; i++) {
        const char *name = z->element[i];
        switch (z->kind) {
        case QIAO_SENSE_JOINT_POS:
        case QIAO_SENSE_JOINT_VEL: index[i] = qiao_model_joint(m, name); break;
        case QIAO_SENSE_JOINT_TAU:
            index[i] = qiao_model_actuator(s->setup.robot->model, name);
            break;
        case QIAO_SENSE_BODY_POSE: index[i] = qiao_model_body(m, name); break;
        default: index[i] = 0;
        }
        if (index[i] >= 0) continue;
        const char *near = z->kind == QIAO_SENSE_BODY_POSE
                               ? qiao_nearest(name, m->body_name, m->nbody)
                               : qiao_nearest(name, m->jnt_name, m->njnt);
        qiao_diag_set(d, QIAO_E_NAME, NULL, 0, 0, "signal '%s' reads '%s', which is not there%s%s",
                      z->name, name, near ? "; the nearest is " : "", near ? near : "");
        return NULL;
    }
    return index;
}

static bool make_channel(qiao_sim *s, int c, const qiao_sensor *sensor, const qiao_model *m,
                         size_t *store, qiao_diag *d) {
    qi_channel *ch = &s->channel[c];
    ch->s = *sensor, ch->sig = c, ch->adr = s->nobs, ch->every = 1;
    if (qi_sensor_complete(&ch->s, s->setup.robot, s->arena, d)) return false;
    for (int i = 0; i < c; i++)
        if (strcmp(s->channel[i].s.name, ch->s.name) == 0) {
            qiao_diag_set(d, QIAO_E_FIT, NULL, 0, 0, "two signals are called '%s'", ch->s.name);
            return false;
        }
    if (!(ch->index = make_index(s, &ch->s, m, d))) return false;
    if (ch->s.rate_hz > 0) ch->every = steps(1 / ch->s.rate_hz, m->dt);
    if (ch->every < 1) ch->every = 1;
    ch->delay = steps(ch->s.delay, m->dt);
    ch->slots = ch->delay / ch->every + 2;
    if (ch->slots > QI_SLOTS) {
        qiao_diag_set(d, QIAO_E_LIMIT, NULL, 0, 0,
                      "signal '%s': a delay of %g s at %g Hz needs more than %d samples under way",
                      ch->s.name, ch->s.delay, ch->s.rate_hz, QI_SLOTS);
        return false;
    }
    ch->slot0 = s->nslot, s->nslot += ch->slots;
    ch->purpose = purpose_of(ch->s.name);
    ch->ring = *store;
    *store += (size_t)ch->slots * (size_t)ch->s.dim;
    s->nobs += ch->s.dim;
    return true;
}

static bool make_signals(qiao_sim *s, const qiao_sim_def *def, size_t *store, qiao_diag *d) {
    const qiao_robot *r = def->robot;
    s->nsig = r->nsensor + def->ngrant;
    s->channel = qiao_arena_get(s->arena, (size_t)(s->nsig + 1) * sizeof *s->channel);
    qiao_signal *sig = qiao_arena_get(s->arena, (size_t)(s->nsig + 1) * sizeof *sig);
    if (!s->channel || !sig) return false;
    if (!(s->felt = qiao_arena_get(s->arena, (size_t)(s->nsig + 1) * sizeof *s->felt)))
        return false;
    for (int c = 0; c < s->nsig; c++) {
        const qiao_sensor *z = c < r->nsensor ? &r->sensor[c] : &def->grant[c - r->nsensor];
        if (!make_channel(s, c, z, def->world[0], store, d)) return false;
        const qiao_sensor *f = &s->channel[c].s;
        s->setup.accelerates |= f->kind == QIAO_SENSE_IMU_ACC;
        if (f->kind == QIAO_SENSE_IMU_ACC || f->kind == QIAO_SENSE_JOINT_TAU ||
            f->kind == QIAO_SENSE_FOOT_CONTACT || f->kind == QIAO_SENSE_FOOT_FORCE ||
            f->kind == QIAO_SENSE_WRENCH)
            s->felt[s->nfelt++] = c;
        sig[c] = (qiao_signal){.name = f->name,
                               .unit = f->unit,
                               .frame = f->frame,
                               .adr = s->channel[c].adr,
                               .dim = f->dim,
                               .nname = f->nname,
                               .element = f->element,
                               .rate_hz = f->rate_hz,
                               .grid_n = {f->grid_n[0], f->grid_n[1]},
                               .grid_step = f->grid_step,
                               .grid_center = {f->grid_center[0], f->grid_center[1]}};
    }
    s->io = (qiao_io){.nsig = s->nsig,
                      .nobs = s->nobs,
                      .nu = s->setup.nu,
                      .sig = sig,
                      .act_name = r->model->act_name,
                      .robot = r,
                      .period = def->period,
                      .nworld = s->n};
    return true;
}

// Which channels sample when.
static bool make_clocks(qiao_sim *s) {
    enum { CYCLE_MAX = 4096 };
    long cycle = s->setup.period;
    int *later = qiao_arena_get(s->arena, (size_t)(s->nsig + 1) * sizeof *later);
    s->prompt = qiao_arena_get(s->arena, (size_t)(s->nsig + 1) * sizeof *s->prompt);
    if (!later || !s->prompt) return false;
    for (int c = 0; c < s->nsig; c++) {
        const qi_channel *ch = &s->channel[c];
        if (ch->delay == 0) s->prompt[s->nprompt++] = c;
        if (ch->delay == 0 && ch->every == 1) continue; // observations sample the state themselves
        later[s->nlater++] = c;
        long a = cycle, b = ch->every;
        for (long t; b > 0; a = b, b = t) t = a % b;
        cycle = cycle <= CYCLE_MAX ? cycle / a * ch->every : cycle;
    }
    s->cycle = cycle <= CYCLE_MAX && cycle * s->nlater <= 16 * CYCLE_MAX ? (int)cycle : 0;
    size_t rows = s->cycle ? (size_t)s->cycle : 1;
    s->due = qiao_arena_get(s->arena, rows * (size_t)(s->nlater + 1) * sizeof *s->due);
    if (!s->due) return false;
    for (int k = 0; k < (int)rows; k++) {
        int n = 0, *row = s->due + k * (s->nlater + 1);
        for (int i = 0; i < s->nlater; i++)
            if (!s->cycle || qi_sample_due(&s->channel[later[i]], k, s->setup.period))
                row[n++] = later[i];
        row[n] = -1;
    }
    return true;
}

static bool make_obs(qiao_sim *s) {
    size_t n = (size_t)s->n;
    s->x = qiao_arena_get(s->arena, n * (size_t)s->nobs * sizeof *s->x);
    s->t_ns = qiao_arena_get(s->arena, n * sizeof *s->t_ns);
    s->stamp = qiao_arena_get(s->arena, n * (size_t)s->nsig * sizeof *s->stamp);
    s->live = qiao_arena_get(s->arena, n);
    s->obs = (qiao_obs){s->n, s->nobs, s->nsig, s->t_ns, s->x, s->stamp, s->live};
    return s->x && s->t_ns && s->stamp && s->live;
}

static bool make_world(qiao_sim *s, int i, const qiao_model *m, size_t store, bool map,
                       qiao_diag *d) {
    qi_slot *o = &s->w[i];
    const qiao_model *first = s->w[0].model;
    o->model = m;
    if (first && (m->nq != first->nq || m->nv != first->nv || m->nbody != first->nbody)) {
        qiao_diag_set(d, QIAO_E_FIT, NULL, 0, 0,
                      "world %d has another shape (nq %d, nv %d, %d bodies) than world 0 (%d, %d, "
                      "%d)",
                      i, m->nq, m->nv, m->nbody, first->nq, first->nv, first->nbody);
        return false;
    }
    if (i > 0 && m != first && !same_parts(s, i, m, d)) return false;
    o->made = m;
    if (!(o->world = s->engine->open(&s->setup, i, m, d))) return false;
    o->samples.store = qiao_arena_get(s->arena, (store + 1) * sizeof(double));
    o->samples.at = qiao_arena_get(s->arena, ((size_t)s->nslot + 1) * sizeof(int64_t));
    o->samples.command = qiao_arena_get(s->arena, (size_t)(s->nobs + 1) * sizeof(double));
    o->samples.bias = qiao_arena_get(s->arena, (size_t)(s->nobs + 1) * sizeof(double));
    if (!o->samples.store || !o->samples.at || !o->samples.command || !o->samples.bias)
        return false;
    if (!map) return true;
    for (int k = 0; k < i && !o->map; k++) // the same model has the same ground
        if (s->w[k].model == m) o->map = s->w[k].map;
    if (!o->map) {
        o->map = qi_heightmap_new(m, &s->setup.part, s->setup.robot->model->nbody);
        o->own_map = true;
    }
    o->first = o->map;
    return o->map != NULL;
}

qiao_err qi_sim_recast(qiao_sim *s, int w, const qiao_model *m, const struct mjModel_ *numbers,
                       bool ground, qiao_diag *d) {
    qi_slot *o = &s->w[w];
    qiao_err e = s->engine->recast(o->world, m, numbers, d);
    if (e) return e;
    o->model = m;
    qi_heightmap_free(o->later);
    o->later = NULL, o->map = o->first;
    if (!ground || !o->first) return QIAO_OK;
    qiao_model view = *m;
    view.mj = numbers;
    o->map = o->later = qi_heightmap_new(&view, &s->setup.part, s->setup.robot->model->nbody);
    return o->map ? QIAO_OK : qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
}

qiao_err qi_sim_become(qiao_sim *s, int w, int like, qiao_diag *d) {
    const qi_slot *from = &s->w[like];
    qi_slot *o = &s->w[w];
    const qi_setup *u = &s->setup;
    const mjModel *m = from->made->mj;
    mjModel *own = NULL;
    if (qi_drive_armature(u->drive, u->nu, m->dof_armature, NULL)) {
        mjData *data = NULL;
        if (!(own = mj_copyModel(NULL, m)) || !(data = mj_makeData(own))) {
            mj_deleteModel(own);
            return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
        }
        qi_drive_armature(u->drive, u->nu, own->dof_armature, own->dof_armature);
        mj_setConst(own, data), mj_deleteData(data);
    }
    qiao_err e = s->engine->recast(o->world, from->made, own ? own : m, d);
    mj_deleteModel(own);
    if (e) return e;
    qi_heightmap_free(o->later);
    o->model = from->made, o->later = NULL, o->map = from->first;
    return QIAO_OK;
}

// Worlds that move together become one unit of a thread's work.
static bool make_units(qiao_sim *s) {
    s->unit = qiao_arena_get(s->arena, ((size_t)s->n + 1) * sizeof *s->unit);
    for (int w = 0; s->unit && w < s->n;) {
        s->unit[s->nunit++] = w;
        w += s->engine->together ? s->engine->together(s->w[w].world) : 1;
        s->unit[s->nunit] = w;
    }
    return s->unit != NULL;
}

static bool make(qiao_sim *s, const qiao_sim_def *def, qiao_diag *d) {
    const qiao_model *m = def->world[0];
    s->arena = qiao_arena_new();
    if (!s->arena || !(s->engine = find_engine(def->engine, d))) return false;
    if (!check_solver(def, s->engine, d)) return false;
    s->n = def->nworld;
    s->setup.def = def, s->setup.robot = def->robot, s->setup.arena = s->arena;
    s->setup.period = steps(def->period, m->dt);
    if (s->setup.period < 1 || fabs(s->setup.period * m->dt - def->period) > 1e-9) {
        qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0,
                      "the period of %g s is no whole number of physics steps of %g s", def->period,
                      m->dt);
        return false;
    }
    size_t store = 0;
    if (!make_parts(s, m, d) || !make_signals(s, def, &store, d) || !make_clocks(s) || !make_obs(s))
        return false;
    bool map = false;
    for (int c = 0; c < s->nsig; c++) map |= s->channel[c].s.kind == QIAO_SENSE_HEIGHT_SCAN;
    s->pool = qi_pool_new(def->nthread);
    s->w = calloc((size_t)s->n, sizeof *s->w);
    if (!s->w || !s->pool) return false;
    s->setup.nthread = qi_pool_threads(s->pool);
    if (s->engine->prepare && !s->engine->prepare(&s->setup, d)) return false;
    for (int i = 0; i < s->n; i++)
        if (!make_world(s, i, def->world[i], store, map, d)) return false;
    if (!make_units(s)) return false;
    for (int i = 0; i < s->n; i++) {
        qiao_err e = qiao_sim_reset(s, i, 0, 0);
        if (!e) continue;
        qiao_diag_set(d, e, def->robot->path, 0, 0, "world %d cannot start: %s%s", i,
                      qiao_err_text(e), e == QIAO_E_LIMIT ? " (<size memory> of the model)" : "");
        return false;
    }
    return true;
}

qiao_sim *qiao_sim_new(const qiao_sim_def *def, qiao_diag *d) {
    qiao_diag own = {0};
    if (!d) d = &own;
    if (def->nworld < 1 || !def->world || !def->robot) {
        qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0, "a sim needs a robot and at least one world");
        return NULL;
    }
    qiao_sim *s = calloc(1, sizeof *s);
    if (s && make(s, def, d)) {
        s->setup.def = NULL; // the caller's, gone after this call
        return s;
    }
    if (!d->err) qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    qiao_sim_free(s);
    return NULL;
}

void qiao_sim_free(qiao_sim *s) {
    if (!s) return;
    qi_pool_free(s->pool);
    for (int i = 0; s->w && i < s->n; i++) {
        s->engine->close(s->w[i].world);
        if (s->w[i].own_map) qi_heightmap_free(s->w[i].first);
        qi_heightmap_free(s->w[i].later);
    }
    free(s->w);
    if (s->engine && s->engine->finish) s->engine->finish(s->setup.shared);
    qiao_arena_free(s->arena);
    free(s);
}
