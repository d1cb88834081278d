// SPDX-License-Identifier: Apache-2.0
// robot.c - robots: robot.yaml beside an MJCF or URDF, or a guess for a bare one.
#include "model/adapt.h"
#include "model/guess.h"
#include "model/home.h"
#include "model/sensors.h"
#include "model/yaml.h"

#include <fnmatch.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SENSORS_MAX = 64, FEET_MAX = 16 };

typedef struct loading { // one robot.yaml being read
    qi_yaml y;
    qiao_robot *r;
    yaml_node_t *root;
    char dir[PATH_MAX];
} loading;

static const char *keep(qiao_robot *r, const char *s) {
    return s ? qiao_arena_text(r->arena, s, strlen(s)) : NULL;
}

// A name in the file that must be one of the model's: its index, or -1 and the nearest in d.
static int must_find(loading *l, yaml_node_t *at, const char *what, const char *const *names,
                     int n) {
    const char *s = qi_yaml_scalar(at);
    if (!s) {
        qi_yaml_fault(&l->y, at, "expected the name of a %s", what);
        return -1;
    }
    for (int i = 0; i < n; i++)
        if (strcmp(names[i], s) == 0) return i;
    const char *near = qiao_nearest(s, names, n);
    qi_yaml_fault(&l->y, at, "the model has no %s '%.60s'%s%s%s", what, s,
                  near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return -1;
}

// Key -> index of a named part; missing key leaves the default.
static bool find_key(loading *l, const char *key, const char *what, const char *const *names, int n,
                     int *out) {
    yaml_node_t *at = qi_yaml_get(&l->y, l->root, key);
    if (!at) return true;
    return (*out = must_find(l, at, what, names, n)) >= 0;
}

static bool read_feet(loading *l) {
    qiao_robot *r = l->r;
    yaml_node_t *feet = qi_yaml_get(&l->y, l->root, "feet");
    if (!feet) return true;
    int n = qi_yaml_count(feet), *site = qiao_arena_get(r->arena, FEET_MAX * sizeof *site);
    if (n < 0 || n > FEET_MAX || !site)
        return qi_yaml_fault(&l->y, feet, "feet: expected a list of at most %d sites", FEET_MAX);
    for (int i = 0; i < n; i++) {
        site[i] = must_find(l, qi_yaml_item(&l->y, feet, i), "site", r->model->site_name,
                            r->model->nsite);
        if (site[i] < 0) return false;
    }
    r->nfoot = n, r->foot_site = site;
    return true;
}

// A pose of its own: joints by shell pattern, in order; the base stays as the model has it.
static bool read_pose(loading *l, yaml_node_t *map) {
    const qiao_model *m = l->r->model;
    double *q = qiao_arena_get(l->r->arena, ((size_t)m->nq + 1) * sizeof *q);
    if (!q) return qi_yaml_fault(&l->y, map, "out of memory");
    memcpy(q, m->q0, (size_t)m->nq * sizeof *q);
    yaml_node_pair_t *p = map->data.mapping.pairs.start, *top = map->data.mapping.pairs.top;
    for (int n = 0; p < top; p++, n++) {
        yaml_node_t *key = qi_yaml_node(&l->y, p->key), *at = qi_yaml_node(&l->y, p->value);
        const char *match = qi_yaml_scalar(key), *s = qi_yaml_scalar(at);
        char *end = NULL;
        double x = s ? strtod(s, &end) : 0;
        if (!match || n >= 256) return qi_yaml_fault(&l->y, key, "rest: expected joint: angle");
        if (!s || end == s || *end || !(x > -1e3 && x < 1e3))
            return qi_yaml_fault(&l->y, at, "rest: expected a number");
        int hits = 0;
        for (int i = 0; i < m->njnt; i++)
            if (m->jnt_type[i] >= QIAO_JOINT_SLIDE && fnmatch(match, m->jnt_name[i], 0) == 0)
                q[m->jnt_qadr[i]] = x, hits++;
        if (!hits && must_find(l, key, "joint", m->jnt_name, m->njnt) < 0) return false;
    }
    l->r->rest_q = q;
    return true;
}

static bool read_rest(loading *l) {
    int key = -1;
    qiao_model *m = l->r->model;
    yaml_node_t *at = qi_yaml_get(&l->y, l->root, "rest");
    if (at && at->type == YAML_MAPPING_NODE) return read_pose(l, at);
    if (!find_key(l, "rest", "keyframe", m->key_name, m->nkey, &key)) return false;
    if (key >= 0) l->r->rest_q = m->key_q + (size_t)key * (size_t)m->nq;
    return true;
}

static bool read_vector(loading *l, const char *key, double *x, int n) {
    yaml_node_t *v = qi_yaml_get(&l->y, l->root, key);
    if (!v) return true;
    if (qi_yaml_count(v) != n)
        return qi_yaml_fault(&l->y, v, "%s: expected a list of %d numbers", key, n);
    for (int i = 0; i < n; i++) {
        yaml_node_t *item = qi_yaml_item(&l->y, v, i);
        const char *s = qi_yaml_scalar(item);
        char *end = NULL;
        x[i] = s ? strtod(s, &end) : 0;
        if (!s || end == s || *end || !(x[i] > -1e6 && x[i] < 1e6))
            return qi_yaml_fault(&l->y, item, "%s: expected a number", key);
    }
    return true;
}

static bool read_drive(loading *l, yaml_node_t *at, qiao_drive *v) {
    double ms = v->delay * 1e3;
    bool ok = qi_yaml_num(&l->y, at, "kp", 0, 1e6, &v->kp) &&
              qi_yaml_num(&l->y, at, "kd", 0, 1e6, &v->kd) &&
              qi_yaml_num(&l->y, at, "torque", 0, 1e6, &v->torque_max) &&
              qi_yaml_num(&l->y, at, "speed", 0, 1e4, &v->speed_max) &&
              qi_yaml_num(&l->y, at, "speed_knee", 0, 1e4, &v->speed_knee) &&
              qi_yaml_num(&l->y, at, "rate_hz", 0, 1e6, &v->rate_hz) &&
              qi_yaml_num(&l->y, at, "delay_ms", 0, 1000, &ms) &&
              qi_yaml_num(&l->y, at, "armature", 0, 1e3, &v->armature) &&
              qi_yaml_bool(&l->y, at, "native", &v->native);
    v->delay = ms * 1e-3;
    if (ok && v->speed_knee > v->speed_max && v->speed_max > 0)
        return qi_yaml_fault(&l->y, at, "speed_knee %g lies above speed %g", v->speed_knee,
                             v->speed_max);
    return ok;
}

static bool read_drives(loading *l, qiao_drive *drive) {
    static const char *const keys[] = {"match",      "kp",     "kd",      "torque",
                                       "speed_knee", "speed",  "rate_hz", "delay_ms",
                                       "armature",   "native", "motor"};
    const qiao_model *m = l->r->model;
    yaml_node_t *list = qi_yaml_get(&l->y, l->root, "drives");
    if (!list) return true;
    int n = qi_yaml_count(list);
    if (n < 0 || n > 256) return qi_yaml_fault(&l->y, list, "drives: expected a list");
    bool *done = qiao_arena_get(l->r->arena, (size_t)m->nu + 1);
    for (int i = 0; i < n && done; i++) {
        yaml_node_t *at = qi_yaml_item(&l->y, list, i);
        const char *match = "*";
        if (!qi_yaml_keys(&l->y, at, keys, 11) || !qi_yaml_text(&l->y, at, "match", &match))
            return false;
        int hits = 0;
        for (int k = 0; k < m->nu; k++) {
            if (fnmatch(match, m->act_name[k], 0) != 0) continue;
            hits++;
            if (done[k]) continue;
            done[k] = true;
            if (!read_drive(l, at, &drive[k])) return false;
            if (!drive[k].native && !qi_is_motor(m, k))
                return qi_yaml_fault(
                    &l->y, at,
                    "'%.60s' follows a law of its own in the model: expected "
                    "'native: true', 'motor: true' (ours in its place), or a motor",
                    m->act_name[k]);
        }
        if (hits) continue;
        const char *near = qiao_nearest(match, m->act_name, m->nu);
        return qi_yaml_fault(&l->y, at, "match: '%.60s' fits no actuator%s%s%s", match,
                             near ? "; the nearest is '" : "", near ? near : "", near ? "'" : "");
    }
    return true;
}

static bool read_sensor(loading *l, yaml_node_t *at, qiao_sensor *s) {
    static const char *const keys[] = {"kind", "name", "rate_hz", "noise", "bias", "delay_ms"};
    const char *kind = NULL, *name = NULL;
    double ms = 0;
    if (!qi_yaml_keys(&l->y, at, keys, 6) || !qi_yaml_text(&l->y, at, "kind", &kind) ||
        !qi_yaml_text(&l->y, at, "name", &name) ||
        !qi_yaml_num(&l->y, at, "rate_hz", 0, 1e6, &s->rate_hz) ||
        !qi_yaml_num(&l->y, at, "noise", 0, 1e6, &s->noise) ||
        !qi_yaml_num(&l->y, at, "bias", 0, 1e6, &s->bias) ||
        !qi_yaml_num(&l->y, at, "delay_ms", 0, 10000, &ms))
        return false;
    int k = kind ? qi_sensor_kind(kind) : -1;
    if (k < 0) {
        const char *near = kind ? qi_sensor_nearest(kind) : NULL;
        return qi_yaml_fault(&l->y, at, "unknown kind of sensor '%.60s'%s%s%s", kind ? kind : "",
                             near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    if (qi_sensor_granted((qiao_sensor_kind)k))
        return qi_yaml_fault(&l->y, at, "'%s' is no sensor of a robot: a scenario grants it", kind);
    s->kind = (qiao_sensor_kind)k, s->delay = ms * 1e-3;
    if (name) s->name = keep(l->r, name);
    qiao_diag own = {0};
    if (qi_sensor_complete(s, l->r, l->r->arena, &own))
        return qi_yaml_fault(&l->y, at, "%s", own.text);
    return true;
}

static bool read_sensors(loading *l) {
    qiao_robot *r = l->r;
    yaml_node_t *list = qi_yaml_get(&l->y, l->root, "sensors");
    if (!list) return true;
    int n = qi_yaml_count(list);
    if (n < 0 || n > SENSORS_MAX)
        return qi_yaml_fault(&l->y, list, "sensors: expected a list of at most %d", SENSORS_MAX);
    qiao_sensor *s = qiao_arena_get(r->arena, (size_t)(n + 1) * sizeof *s);
    if (!s) return qi_yaml_fault(&l->y, list, "out of memory");
    for (int i = 0; i < n; i++) {
        if (!read_sensor(l, qi_yaml_item(&l->y, list, i), &s[i])) return false;
        for (int k = 0; k < i; k++)
            if (strcmp(s[k].name, s[i].name) == 0)
                return qi_yaml_fault(&l->y, qi_yaml_item(&l->y, list, i),
                                     "two sensors are called '%s'; give one a name", s[i].name);
    }
    r->sensor = s, r->nsensor = n;
    return true;
}

// Opens the model that the file names.
static bool read_model(loading *l) {
    qiao_robot *r = l->r;
    const char *file = NULL;
    yaml_node_t *at = qi_yaml_get(&l->y, l->root, "model");
    if (!qi_yaml_text(&l->y, l->root, "model", &file)) return false;
    if (!file)
        return qi_yaml_fault(&l->y, l->root,
                             "'model' is missing: the MJCF or URDF beside this file");
    r->path = qi_adapt_path(&l->y, at, file, l->dir, r->arena);
    r->adapt = r->path ? qi_adapt_read(&l->y, l->root, r->arena) : NULL;
    mjSpec *spec = r->adapt ? qi_adapt_parse(r->path, r->adapt, l->y.d) : NULL;
    if (!spec) return false;
    qi_add_motors(spec);
    r->model = qi_compile(spec, r->path, l->y.d);
    mj_deleteSpec(spec);
    return r->model && qi_adapt_check(&l->y, l->root, r->adapt, r->model);
}

static bool read_names(loading *l) {
    static const char *const keys[] = {"name",    "title",   "title_zh", "maker",         "kind",
                                       "model",   "base",    "rest",     "feet",          "imu",
                                       "tool",    "gripper", "payload",  "drives",        "sensors",
                                       "physics", "joints",  "sites",    "draw_collision"};
    static const char *const kinds[] = {"legged", "arm", "hand", "humanoid", "other"};
    qiao_robot *r = l->r;
    const char *name = r->name, *title = NULL, *zh = NULL, *kind = NULL;
    if (!qi_yaml_keys(&l->y, l->root, keys, 19) || !qi_yaml_text(&l->y, l->root, "name", &name) ||
        !qi_yaml_text(&l->y, l->root, "title", &title) ||
        !qi_yaml_text(&l->y, l->root, "title_zh", &zh) ||
        !qi_yaml_text(&l->y, l->root, "kind", &kind))
        return false;
    if (kind) {
        int k = 0;
        while (k < 5 && strcmp(kinds[k], kind) != 0) k++;
        if (k == 5)
            return qi_yaml_fault(&l->y, qi_yaml_get(&l->y, l->root, "kind"),
                                 "unknown kind '%.40s'; expected legged, arm, hand, humanoid or "
                                 "other",
                                 kind);
        r->kind = kinds[k];
    }
    r->name = keep(r, name);
    r->title = keep(r, title ? title : name);
    r->title_zh = keep(r, zh ? zh : r->title);
    return true;
}

static bool read_parts(loading *l) {
    qiao_robot *r = l->r;
    const qiao_model *m = r->model;
    int gripper = -1;
    qiao_drive *drive = qiao_arena_get(r->arena, (size_t)(m->nu + 1) * sizeof *drive);
    if (!drive) return false;
    memcpy(drive, r->drive, (size_t)m->nu * sizeof *drive);
    if (!find_key(l, "base", "body", m->body_name, m->nbody, &r->base) || !read_feet(l) ||
        !find_key(l, "imu", "site", m->site_name, m->nsite, &r->imu_site) ||
        !find_key(l, "tool", "site", m->site_name, m->nsite, &r->tool_site) ||
        !find_key(l, "gripper", "actuator", m->act_name, m->nu, &gripper) || !read_rest(l) ||
        !read_vector(l, "payload", r->payload_pos, 3) || !read_drives(l, drive) || !read_sensors(l))
        return false;
    if (r->base == 0 && m->nbody > 1)
        return qi_yaml_fault(&l->y, qi_yaml_get(&l->y, l->root, "base"),
                             "base: expected a body of the robot, not the world");
    if (gripper >= 0) r->gripper = m->act_name[gripper];
    r->drive = drive;
    return true;
}

// Everything but names: a robot is the same in another folder.
static void hash_robot(qiao_robot *r) {
    qiao_hash h;
    qiao_hash_init(&h);
    qiao_hash_add(&h, r->model->hash, QIAO_HASH_BYTES);
    for (int i = 0; i < r->model->nu; i++) {
        const qiao_drive *v = &r->drive[i];
        double x[] = {v->kp,      v->kd,    v->torque_max, v->speed_knee, v->speed_max,
                      v->rate_hz, v->delay, v->armature,   v->native};
        qiao_hash_add(&h, x, sizeof x);
    }
    for (int i = 0; i < r->nsensor; i++) {
        const qiao_sensor *s = &r->sensor[i];
        double x[] = {(double)s->kind, (double)s->dim, s->rate_hz, s->noise, s->bias, s->delay};
        qiao_hash_add(&h, x, sizeof x), qiao_hash_add(&h, s->name, strlen(s->name));
    }
    qiao_hash_add(&h, r->rest_q, (size_t)r->model->nq * sizeof(double));
    qiao_hash_add(&h, r->foot_site, (size_t)r->nfoot * sizeof(int));
    int x[] = {r->base, r->nfoot, r->tool_site, r->imu_site};
    qiao_hash_add(&h, x, sizeof x);
    qiao_hash_end(&h, r->hash);
}

static bool load_yaml(qiao_robot *r, const char *path, qiao_diag *d) {
    loading l = {.r = r};
    char *text, copy[PATH_MAX];
    size_t n;
    if (qiao_file_read(path, QI_YAML_MAX, &text, &n, d)) return false;
    snprintf(copy, sizeof copy, "%s", path);
    snprintf(l.dir, sizeof l.dir, "%s", dirname(copy));
    r->file = keep(r, path);
    bool ok = qi_yaml_open(&l.y, path, text, n, d) && (l.root = qi_yaml_root(&l.y)) &&
              read_names(&l) && read_model(&l) && qi_guess_robot(r, NULL, d) && read_parts(&l);
    qi_yaml_close(&l.y);
    free(text);
    return ok;
}

static bool load_bare(qiao_robot *r, const char *path, qiao_diag *d) {
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    char *name = basename(copy), *dot = strrchr(name, '.');
    if (dot) *dot = 0;
    r->name = r->title = r->title_zh = keep(r, name);
    r->path = r->file = keep(r, path);
    qi_feet feet = {.n = 0};
    r->model = qi_bare_load(path, &feet, d);
    return r->model && qi_guess_robot(r, &feet, d);
}

qiao_robot *qiao_robot_load(const char *name_or_path, qiao_diag *d) {
    char path[PATH_MAX];
    qiao_diag own = {0};
    if (!d) d = &own;
    if (!qi_home_find("robots", name_or_path, "robot.yaml", path, sizeof path, d)) return NULL;
    qiao_robot *r = calloc(1, sizeof *r);
    if (r) r->arena = qiao_arena_new();
    if (!r || !r->arena) {
        free(r);
        qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
        return NULL;
    }
    r->tool_site = r->imu_site = -1;
    size_t n = strlen(path);
    bool yaml = n > 5 && (strcmp(path + n - 5, ".yaml") == 0 || strcmp(path + n - 4, ".yml") == 0);
    if (yaml ? load_yaml(r, path, d) : load_bare(r, path, d)) {
        hash_robot(r);
        return r;
    }
    qiao_robot_free(r);
    return NULL;
}

void qiao_robot_free(qiao_robot *r) {
    if (!r) return;
    qiao_model_free(r->model);
    qiao_arena_free(r->arena);
    free(r);
}
