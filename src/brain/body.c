// SPDX-License-Identifier: Apache-2.0
// body.c - the body as JSON: signals, actuators, robot, facts.
#include "brain/body.h"
#include "base/json.h"
#include "brain/jsonread.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- writing ----

static void write_numbers(qi_json *j, const char *key, const double *x, int n) {
    qi_json_open(j, key, '[');
    for (int i = 0; i < n; i++) qi_json_num(j, NULL, x[i]);
    qi_json_close(j, ']');
}

static void write_signal(qi_json *j, const qiao_signal *s) {
    qi_json_open(j, NULL, '{');
    qi_json_str(j, "name", s->name);
    qi_json_str(j, "unit", s->unit ? s->unit : "");
    qi_json_str(j, "frame", s->frame ? s->frame : "");
    qi_json_int(j, "adr", s->adr);
    qi_json_int(j, "dim", s->dim);
    qi_json_num(j, "rate_hz", s->rate_hz);
    qi_json_open(j, "elements", '[');
    for (int i = 0; s->element && i < s->nname; i++) qi_json_str(j, NULL, s->element[i]);
    qi_json_close(j, ']');
    if (s->grid_n[0] > 0) {
        qi_json_open(j, "grid", '[');
        qi_json_int(j, NULL, s->grid_n[0]), qi_json_int(j, NULL, s->grid_n[1]);
        qi_json_num(j, NULL, s->grid_step);
        qi_json_num(j, NULL, s->grid_center[0]), qi_json_num(j, NULL, s->grid_center[1]);
        qi_json_close(j, ']');
    }
    qi_json_close(j, '}');
}

static void write_actuator(qi_json *j, const qiao_io *io, int i) {
    const qiao_robot *r = io->robot;
    const qiao_model *m = r->model;
    int k = m ? m->act_joint[i] : -1;
    qi_json_open(j, NULL, '{');
    qi_json_str(j, "name", io->act_name[i]);
    qi_json_str(j, "joint", k >= 0 ? m->jnt_name[k] : NULL);
    qi_json_num(j, "rest", k >= 0 && r->rest_q ? r->rest_q[m->jnt_qadr[k]] : 0);
    if (k >= 0) write_numbers(j, "range", m->jnt_range + 2 * k, 2);
    if (m) write_numbers(j, "ctrl_range", m->act_ctrlrange + 2 * i, 2);
    if (r->drive) {
        const qiao_drive *v = &r->drive[i];
        qi_json_num(j, "kp", v->kp), qi_json_num(j, "kd", v->kd);
        qi_json_num(j, "torque_max", v->torque_max);
        qi_json_num(j, "speed_knee", v->speed_knee), qi_json_num(j, "speed_max", v->speed_max);
        qi_json_num(j, "rate_hz", v->rate_hz), qi_json_num(j, "delay", v->delay);
        qi_json_bool(j, "native", v->native);
    }
    qi_json_close(j, '}');
}

static void write_model(qi_json *j, const qiao_model *m) {
    qi_json_open(j, "bodies", '[');
    for (int i = 0; i < m->nbody; i++) {
        qi_json_open(j, NULL, '{');
        qi_json_str(j, "name", m->body_name[i]);
        qi_json_int(j, "parent", m->body_parent[i]);
        qi_json_num(j, "mass", m->body_mass[i]);
        write_numbers(j, "pos", m->body_pos + 3 * i, 3);
        write_numbers(j, "quat", m->body_quat + 4 * i, 4);
        write_numbers(j, "com", m->body_ipos + 3 * i, 3);
        qi_json_close(j, '}');
    }
    qi_json_close(j, ']');
    qi_json_open(j, "joints", '[');
    for (int i = 0; i < m->njnt; i++) {
        static const char *const type[] = {"free", "ball", "slide", "hinge"};
        qi_json_open(j, NULL, '{');
        qi_json_str(j, "name", m->jnt_name[i]);
        qi_json_str(j, "type", type[m->jnt_type[i] & 3]);
        qi_json_int(j, "body", m->jnt_body[i]);
        qi_json_int(j, "qadr", m->jnt_qadr[i]);
        write_numbers(j, "range", m->jnt_range + 2 * i, 2);
        write_numbers(j, "pos", m->jnt_pos + 3 * i, 3);
        write_numbers(j, "axis", m->jnt_axis + 3 * i, 3);
        qi_json_close(j, '}');
    }
    qi_json_close(j, ']');
}

static void write_robot(qi_json *j, const qiao_robot *r) {
    const qiao_model *m = r->model;
    char hex[QIAO_HASH_HEX], real[PATH_MAX];
    qiao_hash_hex(r->hash, hex);
    const char *path = r->file && *r->file && realpath(r->file, real) ? real : "";
    qi_json_open(j, "robot", '{');
    qi_json_str(j, "name", r->name);
    qi_json_str(j, "title", r->title ? r->title : r->name);
    qi_json_str(j, "kind", r->kind ? r->kind : "other");
    qi_json_str(j, "path", path);
    qi_json_str(j, "hash", hex);
    if (m) {
        qi_json_num(j, "mass", qiao_model_mass(m));
        qi_json_str(j, "base", m->body_name[r->base]);
        qi_json_str(j, "tool", r->tool_site >= 0 ? m->site_name[r->tool_site] : NULL);
        qi_json_str(j, "imu", r->imu_site >= 0 ? m->site_name[r->imu_site] : NULL);
        qi_json_open(j, "feet", '[');
        for (int i = 0; i < r->nfoot; i++) qi_json_str(j, NULL, m->site_name[r->foot_site[i]]);
        qi_json_close(j, ']');
        if (r->rest_q) write_numbers(j, "rest_q", r->rest_q, m->nq);
        write_model(j, m);
    }
    qi_json_str(j, "gripper", r->gripper);
    write_numbers(j, "payload_pos", r->payload_pos, 3);
    qi_json_close(j, '}');
}

char *qi_body_write(const qiao_io *io, int n) {
    qi_json j = {0};
    qi_json_open(&j, NULL, '{');
    qi_json_int(&j, "abi", QIAO_BRAIN_ABI);
    qi_json_int(&j, "n", n);
    qi_json_num(&j, "period", io->period);
    qi_json_int(&j, "nobs", io->nobs);
    qi_json_open(&j, "signals", '[');
    for (int i = 0; i < io->nsig; i++) write_signal(&j, &io->sig[i]);
    qi_json_close(&j, ']');
    qi_json_open(&j, "actuators", '[');
    for (int i = 0; i < io->nu; i++) write_actuator(&j, io, i);
    qi_json_close(&j, ']');
    write_robot(&j, io->robot);
    qi_json_open(&j, "facts", '[');
    for (int w = 0; w < io->nworld; w++) {
        qi_json_open(&j, NULL, '{');
        for (int i = 0; i < io->nparam; i++)
            qi_json_str(&j, io->param_name[i], io->param_text[w * io->nparam + i]);
        qi_json_close(&j, '}');
    }
    qi_json_close(&j, ']');
    qi_json_close(&j, '}');
    return qi_json_end(&j);
}

// ---- reading ----

static int count(const qi_js *list) { return list && list->kind == QI_JS_LIST ? list->n : 0; }

static qiao_err bad(qiao_diag *d, const char *what) {
    return qiao_diag_set(d, QIAO_E_FORMAT, "bind", 0, 0, "%s", what);
}

static qiao_err read_signals(qiao_arena *a, const qi_js *list, qiao_io *io, qiao_diag *d) {
    io->nsig = count(list);
    qiao_signal *sig = qiao_arena_get(a, (size_t)io->nsig * sizeof *sig);
    if (!sig) return QIAO_E_MEM;
    const qi_js *e = list ? list->first : NULL;
    for (int i = 0; i < io->nsig; i++, e = e->next) {
        qiao_signal *s = &sig[i];
        double adr = qi_js_num(e, "adr", -1), dim = qi_js_num(e, "dim", -1);
        if (!(adr >= 0 && dim >= 0 && adr + dim <= io->nobs))
            return bad(d, "a signal lies outside of the observation");
        s->name = qi_js_str(e, "name", ""), s->unit = qi_js_str(e, "unit", "");
        s->frame = qi_js_str(e, "frame", "");
        s->adr = (int)adr, s->dim = (int)dim, s->rate_hz = qi_js_num(e, "rate_hz", 0);
        const qi_js *grid = qi_js_get(e, "grid");
        double g[5] = {0};
        grid = count(grid) == 5 ? grid->first : NULL;
        for (int k = 0; grid && k < 5; k++, grid = grid->next) g[k] = grid->num;
        if (!(g[0] >= 0 && g[1] >= 0 && g[0] * g[1] <= s->dim)) return bad(d, "a grid of odd size");
        s->grid_n[0] = (int)g[0], s->grid_n[1] = (int)g[1], s->grid_step = g[2];
        s->grid_center[0] = g[3], s->grid_center[1] = g[4];
        const qi_js *names = qi_js_get(e, "elements");
        s->nname = count(names);
        const char **text = qiao_arena_get(a, (size_t)s->nname * sizeof *text);
        if (!text) return QIAO_E_MEM;
        const qi_js *t = names ? names->first : NULL;
        for (int k = 0; k < s->nname; k++, t = t->next) text[k] = t->str ? t->str : "";
        s->element = text;
    }
    io->sig = sig;
    return QIAO_OK;
}

static qiao_err read_facts(qiao_arena *a, const qi_js *list, qiao_io *io, qiao_diag *d) {
    io->nworld = count(list);
    const qi_js *w = io->nworld ? list->first : NULL;
    io->nparam = w && w->kind == QI_JS_MAP ? w->n : 0;
    size_t np = (size_t)io->nparam;
    const char **name = qiao_arena_get(a, np * sizeof *name);
    const char **text = qiao_arena_get(a, (size_t)io->nworld * np * sizeof *text);
    if (!name || !text) return QIAO_E_MEM;
    for (int i = 0; i < io->nworld; i++, w = w->next) {
        if (w->kind != QI_JS_MAP || w->n != io->nparam)
            return bad(d, "worlds with different facts");
        const qi_js *f = w->first;
        for (size_t k = 0; k < np; k++, f = f->next) {
            if (i == 0) name[k] = f->key;
            text[(size_t)i * np + k] = f->str ? f->str : "";
        }
    }
    io->param_name = name, io->param_text = text;
    return QIAO_OK;
}

// The robot from its file, if that still makes the same one.
static qiao_robot *load_robot(const char *path, const char *hash, qiao_diag *d) {
    char hex[QIAO_HASH_HEX] = "";
    qiao_robot *r = qiao_robot_load(path, d);
    if (!r) return NULL;
    qiao_hash_hex(r->hash, hex);
    if (strcmp(hex, hash) == 0) return r;
    qiao_robot_free(r);
    qiao_diag_set(d, QIAO_E_FIT, path, 0, 0, "changed since the run began: another hash");
    return NULL;
}

// A robot of which only the facts are known: no model.
static qiao_robot *bare_robot(qiao_arena *a, const qi_js *j, int nu, const qi_js *act) {
    qiao_robot *r = qiao_arena_get(a, sizeof *r);
    qiao_drive *v = qiao_arena_get(a, (size_t)nu * sizeof *v);
    if (!r || !v) return NULL;
    for (int i = 0; i < nu; i++, act = act->next)
        v[i] = (qiao_drive){.kp = qi_js_num(act, "kp", 0),
                            .kd = qi_js_num(act, "kd", 0),
                            .torque_max = qi_js_num(act, "torque_max", 0),
                            .speed_knee = qi_js_num(act, "speed_knee", 0),
                            .speed_max = qi_js_num(act, "speed_max", 0),
                            .rate_hz = qi_js_num(act, "rate_hz", 0),
                            .delay = qi_js_num(act, "delay", 0),
                            .armature = -1,
                            .native = qi_js_num(act, "native", 0) != 0};
    r->name = r->title = r->title_zh = qi_js_str(j, "name", "");
    r->kind = qi_js_str(j, "kind", "other"), r->path = "";
    r->tool_site = r->imu_site = -1, r->gripper = qi_js_str(j, "gripper", NULL), r->drive = v;
    return r;
}

const qiao_io *qi_body_read(qiao_arena *a, const char *text, size_t bytes, int *n,
                            qiao_robot **robot, qiao_diag *d) {
    *robot = NULL;
    const qi_js *j = qi_js_read(a, text, bytes, d);
    qiao_io *io = j ? qiao_arena_get(a, sizeof *io) : NULL;
    if (!io) return NULL;
    double worlds = qi_js_num(j, "n", 0), nobs = qi_js_num(j, "nobs", -1);
    if (!(worlds >= 1 && worlds <= 1 << 20 && nobs >= 0 && nobs <= 1 << 24)) {
        bad(d, "n or nobs is missing or out of range");
        return NULL;
    }
    *n = (int)worlds, io->nobs = (int)nobs, io->period = qi_js_num(j, "period", 0);
    // actuators
    const qi_js *act = qi_js_get(j, "actuators"), *r = qi_js_get(j, "robot");
    io->nu = count(act);
    const char **name = qiao_arena_get(a, (size_t)io->nu * sizeof *name);
    const qi_js *e = act ? act->first : NULL;
    for (int i = 0; name && i < io->nu; i++, e = e->next) name[i] = qi_js_str(e, "name", "");
    io->act_name = name;
    if (!name || read_signals(a, qi_js_get(j, "signals"), io, d) ||
        read_facts(a, qi_js_get(j, "facts"), io, d))
        return NULL;
    // the machine
    const char *path = qi_js_str(r, "path", "");
    if (*path && !(*robot = load_robot(path, qi_js_str(r, "hash", ""), d))) return NULL;
    io->robot = *robot ? *robot : bare_robot(a, r, io->nu, act ? act->first : NULL);
    if (io->robot && (!*robot || (*robot)->model->nu == io->nu)) return io;
    bad(d, "the robot has another number of actuators");
    return NULL;
}
