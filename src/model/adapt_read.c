// SPDX-License-Identifier: Apache-2.0
// adapt_read.c - reads from a robot.yaml what it changes in the maker's model, and checks that it
// found what it speaks of.
#include "model/adapt.h"

#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { JOINTS_MAX = 256, SITES_MAX = 64, LAWS_MAX = 256 };

// The word of a key as its place in words; -1 stays when the key is missing.
static bool read_word(qi_yaml *y, yaml_node_t *map, const char *key, const char *const *words,
                      int *out) {
    const char *s = NULL;
    if (!qi_yaml_text(y, map, key, &s)) return false;
    if (!s) return true;
    int n = 0;
    char all[120] = "";
    for (; words[n]; n++) {
        if (strcmp(words[n], s) == 0) return *out = n, true;
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", n ? ", " : "", words[n]);
    }
    return qi_yaml_fault(y, qi_yaml_get(y, map, key), "%s: expected one of %s, not '%.40s'", key,
                         all, s);
}

static bool read_count(qi_yaml *y, yaml_node_t *map, const char *key, int *out) {
    double x = *out;
    if (!qi_yaml_num(y, map, key, 0, 10000, &x)) return false;
    *out = (int)x;
    if (*out == x) return true;
    return qi_yaml_fault(y, qi_yaml_get(y, map, key), "%s: expected a whole number, not %g", key,
                         x);
}

static bool read_physics(qi_yaml *y, yaml_node_t *root, qiao_adapt *a) {
    static const char *const keys[] = {"timestep",   "impratio",      "tolerance",
                                       "integrator", "solver",        "cone",
                                       "iterations", "ls_iterations", "eulerdamp"};
    static const char *const integrators[] = {"Euler", "RK4", "implicit", "implicitfast", NULL};
    static const char *const solvers[] = {"PGS", "CG", "Newton", NULL}; // MuJoCo's numbers
    static const char *const cones[] = {"pyramidal", "elliptic", NULL};
    a->timestep = a->impratio = a->tolerance = -1;
    a->integrator = a->solver = a->cone = a->iterations = a->ls_iterations = a->damped = -1;
    yaml_node_t *map = qi_yaml_get(y, root, "physics");
    if (!map) return true;
    bool damped = false;
    if (!qi_yaml_keys(y, map, keys, 9) ||
        !qi_yaml_num(y, map, "timestep", 1e-5, 0.1, &a->timestep) ||
        !qi_yaml_num(y, map, "impratio", 1e-3, 1e6, &a->impratio) ||
        !qi_yaml_num(y, map, "tolerance", 0, 1, &a->tolerance) ||
        !read_word(y, map, "integrator", integrators, &a->integrator) ||
        !read_word(y, map, "solver", solvers, &a->solver) ||
        !read_word(y, map, "cone", cones, &a->cone) ||
        !read_count(y, map, "iterations", &a->iterations) ||
        !read_count(y, map, "ls_iterations", &a->ls_iterations) ||
        !qi_yaml_bool(y, map, "eulerdamp", &damped))
        return false;
    if (qi_yaml_get(y, map, "eulerdamp")) a->damped = damped;
    return true;
}

static const char *keep(qiao_arena *a, const char *s) { return qiao_arena_text(a, s, strlen(s)); }

// Items of a list, -1 and a fault if it is none or too long; 0 if the key is missing.
static int list_of(qi_yaml *y, yaml_node_t *root, const char *key, int most, yaml_node_t **list) {
    *list = qi_yaml_get(y, root, key);
    if (!*list) return 0;
    int n = qi_yaml_count(*list);
    if (n >= 0 && n <= most) return n;
    qi_yaml_fault(y, *list, "%s: expected a list of at most %d", key, most);
    return -1;
}

static bool read_joints(qi_yaml *y, yaml_node_t *root, qiao_adapt *to, qiao_arena *a) {
    static const char *const keys[] = {"match", "armature", "damping", "friction"};
    yaml_node_t *list;
    int n = list_of(y, root, "joints", JOINTS_MAX, &list);
    qi_adapt_joint *j = n < 0 ? NULL : qiao_arena_get(a, ((size_t)n + 1) * sizeof *j);
    for (int i = 0; j && i < n; i++) {
        yaml_node_t *at = qi_yaml_item(y, list, i);
        const char *match = "*";
        j[i].armature = j[i].damping = j[i].friction = -1;
        if (!qi_yaml_keys(y, at, keys, 4) || !qi_yaml_text(y, at, "match", &match) ||
            !qi_yaml_num(y, at, "armature", 0, 1e3, &j[i].armature) ||
            !qi_yaml_num(y, at, "damping", 0, 1e6, &j[i].damping) ||
            !qi_yaml_num(y, at, "friction", 0, 1e6, &j[i].friction))
            return false;
        j[i].match = keep(a, match);
    }
    to->joint = j, to->njoint = n;
    return j != NULL;
}

// A list of n numbers; it stays as it is when the key is missing.
static bool read_numbers(qi_yaml *y, yaml_node_t *map, const char *key, int n, double *x) {
    yaml_node_t *v = qi_yaml_get(y, map, key);
    if (!v) return true;
    if (qi_yaml_count(v) != n)
        return qi_yaml_fault(y, v, "%s: expected a list of %d numbers", key, n);
    for (int i = 0; i < n; i++) {
        const char *s = qi_yaml_scalar(qi_yaml_item(y, v, i));
        char *end = NULL;
        x[i] = s ? strtod(s, &end) : 0;
        if (!s || end == s || *end || !(x[i] > -1e3 && x[i] < 1e3))
            return qi_yaml_fault(y, v, "%s: expected numbers below 1000", key);
    }
    return true;
}

static bool read_site(qi_yaml *y, yaml_node_t *at, qi_adapt_site *s, qiao_arena *a) {
    static const char *const keys[] = {"name", "body", "pos", "quat"};
    const char *name = NULL, *body = NULL;
    s->quat[0] = 1;
    if (!qi_yaml_keys(y, at, keys, 4) || !qi_yaml_text(y, at, "name", &name) ||
        !qi_yaml_text(y, at, "body", &body) || !read_numbers(y, at, "pos", 3, s->pos) ||
        !read_numbers(y, at, "quat", 4, s->quat))
        return false;
    if (!name || !body || !name[0])
        return qi_yaml_fault(y, at, "a site needs a name and the body that carries it");
    double q = 0;
    for (int i = 0; i < 4; i++) q += s->quat[i] * s->quat[i];
    if (!(fabs(q - 1) < 1e-3)) return qi_yaml_fault(y, at, "quat: expected a length of 1");
    s->name = keep(a, name), s->body = keep(a, body);
    return s->name && s->body;
}

static bool read_sites(qi_yaml *y, yaml_node_t *root, qiao_adapt *to, qiao_arena *a) {
    yaml_node_t *list;
    int n = list_of(y, root, "sites", SITES_MAX, &list);
    qi_adapt_site *s = n < 0 ? NULL : qiao_arena_get(a, ((size_t)n + 1) * sizeof *s);
    for (int i = 0; s && i < n; i++) {
        yaml_node_t *at = qi_yaml_item(y, list, i);
        if (!read_site(y, at, &s[i], a)) return false;
        for (int k = 0; k < i; k++)
            if (strcmp(s[k].name, s[i].name) == 0)
                return qi_yaml_fault(y, at, "two sites are called '%.60s'", s[i].name);
    }
    to->site = s, to->nsite = n;
    return s != NULL;
}

// Only the marks; the rest of drives: is read once the model is there.
static bool read_laws(qi_yaml *y, yaml_node_t *root, qiao_adapt *to, qiao_arena *a) {
    yaml_node_t *list;
    int n = list_of(y, root, "drives", LAWS_MAX, &list);
    qi_adapt_law *l = n < 0 ? NULL : qiao_arena_get(a, ((size_t)n + 1) * sizeof *l);
    for (int i = 0; l && i < n; i++) {
        yaml_node_t *at = qi_yaml_item(y, list, i);
        const char *match = "*";
        bool native = false;
        if (!qi_yaml_text(y, at, "match", &match) || !qi_yaml_bool(y, at, "motor", &l[i].motor) ||
            !qi_yaml_bool(y, at, "native", &native))
            return false;
        if (native && l[i].motor)
            return qi_yaml_fault(y, at, "a drive is native or a motor, not both");
        l[i].match = keep(a, match);
    }
    to->law = l, to->nlaw = n;
    return l != NULL;
}

const qiao_adapt *qi_adapt_read(qi_yaml *y, yaml_node_t *root, qiao_arena *a) {
    qiao_adapt *to = qiao_arena_get(a, sizeof *to);
    const char *base = NULL;
    if (!to) qi_yaml_fault(y, root, "out of memory");
    if (!to || !read_physics(y, root, to) || !read_joints(y, root, to, a) ||
        !read_sites(y, root, to, a) || !read_laws(y, root, to, a) ||
        !qi_yaml_text(y, root, "base", &base) ||
        !qi_yaml_bool(y, root, "draw_collision", &to->draw))
        return NULL;
    if (base) to->base = keep(a, base);
    return to;
}

bool qi_adapt_check(qi_yaml *y, yaml_node_t *root, const qiao_adapt *a, const qiao_model *m) {
    yaml_node_t *list = qi_yaml_get(y, root, "joints");
    for (int i = 0; i < a->njoint; i++) {
        int hits = 0;
        for (int k = 0; k < m->njnt; k++)
            hits += m->jnt_type[k] >= QIAO_JOINT_SLIDE &&
                    fnmatch(a->joint[i].match, m->jnt_name[k], 0) == 0;
        if (hits) continue;
        const char *near = qiao_nearest(a->joint[i].match, m->jnt_name, m->njnt);
        return qi_yaml_fault(y, qi_yaml_item(y, list, i), "match: '%.60s' fits no joint%s%s%s",
                             a->joint[i].match, near ? "; the nearest is '" : "", near ? near : "",
                             near ? "'" : "");
    }
    list = qi_yaml_get(y, root, "sites");
    for (int i = 0; i < a->nsite; i++) {
        int b = qiao_model_body(m, a->site[i].body), s = qiao_model_site(m, a->site[i].name);
        const double *p = m->site_pos + 3 * s, *want = a->site[i].pos;
        if (b >= 0 && s >= 0 && m->site_body[s] == b && memcmp(p, want, 3 * sizeof *p) == 0)
            continue;
        if (b >= 0)
            return qi_yaml_fault(y, qi_yaml_item(y, list, i),
                                 "the model has a site '%.60s' of its own", a->site[i].name);
        const char *near = qiao_nearest(a->site[i].body, m->body_name, m->nbody);
        return qi_yaml_fault(y, qi_yaml_item(y, list, i), "the model has no body '%.60s'%s%s%s",
                             a->site[i].body, near ? "; did you mean '" : "", near ? near : "",
                             near ? "'?" : "");
    }
    return true;
}

static bool is_file(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

const char *qi_adapt_path(qi_yaml *y, const yaml_node_t *at, const char *file, const char *dir,
                          qiao_arena *a) {
    static const char mark[] = "$QIAO_DATA/";
    bool away = strncmp(file, mark, sizeof mark - 1) == 0;
    const char *rest = away ? file + sizeof mark - 1 : file;
    if (strstr(rest, "..") || rest[0] == '/' || rest[0] == 0 || rest[0] == '$') {
        qi_yaml_fault(y, at,
                      "model: expected a file beside this one or one below $QIAO_DATA/, not "
                      "'%.60s'",
                      file);
        return NULL;
    }
    if (!away) return qiao_arena_printf(a, "%s/%s", dir, file);
    const char *data = getenv("QIAO_DATA");
    int line = (int)at->start_mark.line + 1, col = (int)at->start_mark.column + 1;
    if (!data || !*data) {
        qiao_diag_set(y->d, QIAO_E_IO, y->path, line, col,
                      "the maker's files are not here: $QIAO_DATA is not set; it names the folder "
                      "that holds %s",
                      rest);
        return NULL;
    }
    const char *path = qiao_arena_printf(a, "%s/%s", data, rest);
    if (path && is_file(path)) return path;
    qiao_diag_set(y->d, QIAO_E_IO, y->path, line, col,
                  "the maker's files are not here: $QIAO_DATA holds no %s", rest);
    return NULL;
}
