// SPDX-License-Identifier: Apache-2.0
// manifest_read.c - brain.yaml: every key of docs/manifest.md, every fault with its place.
#include "brain/import.h"

#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATTERNS_MAX = 256 };

#define KEYS(...)                       \
    (const char *const[]){__VA_ARGS__}, \
        (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static qi_mark mark(const yaml_node_t *at) {
    return (qi_mark){(int)at->start_mark.line + 1, (int)at->start_mark.column + 1};
}

// ---- values by joint ----

typedef bool (*value_fn)(qi_import *im, yaml_node_t *at, const char *what, double *x);

// One number of +-, or [low, high].
static bool span(qi_import *im, yaml_node_t *at, const char *what, double x[2]) {
    if (at->type == YAML_SCALAR_NODE) {
        double v;
        if (!qi_im_number(im, at, what, &v)) return false;
        if (v < 0)
            return qi_yaml_fault(im->y, at, "%s: expected a number above 0, not %g", what, v);
        x[0] = -v, x[1] = v;
        return true;
    }
    if (!qi_im_list(im, at, what, 2, false, x)) return false;
    if (x[0] > x[1])
        return qi_yaml_fault(im->y, at, "%s: %g lies above %g; expected [low, high]", what, x[0],
                             x[1]);
    return true;
}

static bool no_fit(qi_import *im, yaml_node_t *at, const char *what, const char *name) {
    const char *near = qiao_nearest(name, im->m->joint, im->m->njoint);
    return qi_yaml_fault(im->y, at, "%s: '%.60s' is none of the policy's joints%s%s%s", what, name,
                         near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

// Values of width numbers for the joints pick[n] of the policy; all: each needs one.
static bool by_joint(qi_import *im, yaml_node_t *at, const char *what, const int *pick, int n,
                     int width, value_fn value, bool all, double *x) {
    qi_yaml *y = im->y;
    if (at->type != YAML_MAPPING_NODE) {
        double v[2];
        if (width == 1 && qi_yaml_count(at) >= 0)
            return qi_yaml_fault(y, at,
                                 "%s: a list is bound by position; expected a number for all "
                                 "joints, or a map from joint names or patterns to numbers",
                                 what);
        if (!value(im, at, what, v)) return false;
        for (int i = 0; i < n; i++) memcpy(x + i * width, v, (size_t)width * sizeof *x);
        return true;
    }
    bool done[QI_MAN_JOINTS] = {false}, named[QI_MAN_JOINTS] = {false};
    if (at->data.mapping.pairs.top - at->data.mapping.pairs.start > PATTERNS_MAX)
        return qi_yaml_fault(y, at, "%s: more than %d names", what, PATTERNS_MAX);
    for (int pass = 0; pass < 2; pass++) // names, then patterns
        for (yaml_node_pair_t *p = at->data.mapping.pairs.start; p < at->data.mapping.pairs.top;
             p++) {
            yaml_node_t *key = qi_yaml_node(y, p->key), *val = qi_yaml_node(y, p->value);
            const char *name = qi_yaml_scalar(key);
            if (!name) return qi_yaml_fault(y, key, "%s: expected the name of a joint", what);
            bool pattern = strpbrk(name, "*?[") != NULL;
            if (pattern != (pass == 1)) continue;
            double v[2];
            if (!value(im, val, what, v)) return false;
            int hits = 0;
            for (int i = 0; i < n; i++) {
                const char *joint = im->m->joint[pick ? pick[i] : i];
                if (fnmatch(name, joint, 0) != 0) continue;
                hits++;
                if (!pattern && named[i])
                    return qi_yaml_fault(y, key, "%s: '%.60s' is given twice", what, name);
                if (done[i]) continue;
                done[i] = true, named[i] = !pattern;
                memcpy(x + i * width, v, (size_t)width * sizeof *x);
            }
            if (!hits) return no_fit(im, key, what, name);
        }
    for (int i = 0; all && i < n; i++)
        if (!done[i])
            return qi_yaml_fault(y, at, "%s: no value for the joint '%.60s'", what,
                                 im->m->joint[pick ? pick[i] : i]);
    return true;
}

static bool joint_key(qi_import *im, yaml_node_t *map, const char *key, double lo,
                      const double *out) {
    yaml_node_t *at = qi_yaml_get(im->y, map, key);
    if (!at) return true;
    double *x = qi_im_row(im, im->m->njoint, 0);
    if (!x || !by_joint(im, at, key, NULL, im->m->njoint, 1, qi_im_number, true, x)) return false;
    for (int i = 0; i < im->m->njoint; i++)
        if (x[i] < lo)
            return qi_yaml_fault(im->y, at, "%s: %g for '%.60s'; expected %g or more", key, x[i],
                                 im->m->joint[i], lo);
    union {
        const double *c;
        double *v;
    } to = {out};
    memcpy(to.v, x, (size_t)im->m->njoint * sizeof *x);
    return true;
}

// ---- terms ----

static const struct {
    const char *unit;
    double per_si;     // numbers of this unit in one of SI
    const char *kinds; // what it can measure
} units[] = {{"rad", 1, "angle"},
             {"deg", 57.295779513082321, "angle"},
             {"rad/s", 1, "rate"},
             {"deg/s", 57.295779513082321, "rate"},
             {"rpm", 9.5492965855137202, "rate"},
             {"m", 1, "length"},
             {"mm", 1000, "length"},
             {"cm", 100, "length"},
             {"m/s", 1, "speed"},
             {"1", 1, "number"}};

static const char *measures(qi_term_kind k) {
    switch (k) {
    case QI_TERM_GYRO:
    case QI_TERM_JOINT_VEL: return "rate";
    case QI_TERM_EULER:
    case QI_TERM_JOINT_POS:
    case QI_TERM_JOINT_ERROR: return "angle";
    case QI_TERM_LIN_VEL: return "speed";
    case QI_TERM_SCAN:
    case QI_TERM_OBJECT_POS:
    case QI_TERM_ANCHOR_POS:
    case QI_TERM_HEIGHT: return "length";
    case QI_TERM_SIGNAL: return NULL; // any
    default: return "number";
    }
}

static bool read_unit(qi_import *im, yaml_node_t *at, qi_term *t) {
    yaml_node_t *u = qi_yaml_get(im->y, at, "unit");
    if (!u) return true;
    const char *known[sizeof units / sizeof *units];
    int n = (int)(sizeof units / sizeof *units);
    for (int i = 0; i < n; i++) known[i] = units[i].unit;
    int k = qi_im_choice(im, u, "unit", known, n);
    if (k < 0) return false;
    const char *want = measures(t->kind);
    if (want && strcmp(want, units[k].kinds) != 0)
        return qi_yaml_fault(im->y, u, "unit: %s is a %s, '%s' is a %s", units[k].unit,
                             units[k].kinds, t->name, want);
    t->unit = units[k].unit, t->to_unit = units[k].per_si;
    return true;
}

// joints: [names or patterns], in the policy's order.
static bool read_term_joints(qi_import *im, yaml_node_t *at, qi_term *t) {
    yaml_node_t *list = qi_yaml_get(im->y, at, "joints");
    if (!list) return true;
    if (t->kind != QI_TERM_JOINT_POS && t->kind != QI_TERM_JOINT_VEL &&
        t->kind != QI_TERM_JOINT_ERROR && t->kind != QI_TERM_ACTION)
        return qi_yaml_fault(im->y, list, "'%s' is not by joint", t->name);
    int n = qi_im_count(im, list, "joints", QI_MAN_JOINTS), k = 0;
    bool in[QI_MAN_JOINTS] = {false};
    for (int i = 0; i < n; i++) {
        yaml_node_t *item = qi_yaml_item(im->y, list, i);
        const char *s = qi_yaml_scalar(item);
        int hits = 0;
        for (int j = 0; s && j < im->m->njoint; j++)
            if (fnmatch(s, im->m->joint[j], 0) == 0) in[j] = true, hits++;
        if (!hits) return no_fit(im, item, "joints", s ? s : "");
    }
    int *joint = n > 0 ? qiao_arena_get(im->m->arena, QI_MAN_JOINTS * sizeof *joint) : NULL;
    if (!joint) return n >= 0 ? qi_yaml_fault(im->y, list, "joints: none is named") : false;
    for (int j = 0; j < im->m->njoint; j++)
        if (in[j]) joint[k++] = j;
    t->joint = joint, t->njoint = k;
    return true;
}

static bool joint_term(const qi_term *t) {
    return t->kind == QI_TERM_JOINT_POS || t->kind == QI_TERM_JOINT_VEL ||
           t->kind == QI_TERM_JOINT_ERROR || t->kind == QI_TERM_ACTION;
}

static int own_dim(const qi_import *im, const qi_term *t) {
    static const int dims[QI_TERM_KINDS] = {3, 3, 3, 4, 3, 3, 1, 0, 0, 0,
                                            0, 0, 0, 3, 6, 0, 6, 3, 1};
    if (joint_term(t)) return t->joint ? t->njoint : im->m->njoint;
    if (t->kind == QI_TERM_MOTION) return 2 * im->m->njoint;
    if (t->kind == QI_TERM_PHASE)
        return (t->form == QI_PHASE_SINCOS ? 2 : 1) * (im->m->clock.nleg ? im->m->clock.nleg : 1);
    if (t->kind == QI_TERM_SCAN) return t->grid[0] * t->grid[1];
    if (dims[t->kind] == 3 && t->naxis) return t->naxis;
    return dims[t->kind] ? dims[t->kind] : t->dim;
}

// scale or offset of a term, as many as it has numbers.
static bool read_factors(qi_import *im, yaml_node_t *at, const char *key, const qi_term *t,
                         double none, const double **out) {
    yaml_node_t *v = qi_yaml_get(im->y, at, key);
    int n = own_dim(im, t);
    if (t->kind == QI_TERM_ENCODER) { // its size is the network's
        double one = none;
        if (v && !qi_im_number(im, v, key, &one)) return false;
        return (*out = qi_im_row(im, 1, one)) != NULL;
    }
    double *x = qi_im_row(im, n, none);
    if (!x) return false;
    *out = x;
    if (!v) return true;
    if (joint_term(t)) return by_joint(im, v, key, t->joint, n, 1, qi_im_number, true, x);
    return qi_im_list(im, v, key, n, true, x);
}

// axes: [x, y] or [vx, vy]: only these of three.
static bool read_axes(qi_import *im, yaml_node_t *at, qi_term *t) {
    static const char *const names[] = {"x", "y", "z", "vx", "vy", "yaw_rate"};
    yaml_node_t *v = qi_yaml_get(im->y, at, "axes");
    if (!v) return true;
    int n = qi_im_count(im, v, "axes", 3);
    if (n < 1) return n < 0 ? false : qi_yaml_fault(im->y, v, "axes: none is named");
    t->naxis = 0;
    if (own_dim(im, t) != 3)
        return qi_yaml_fault(im->y, v, "axes: '%s' has not three axes", t->name);
    for (int i = 0; i < n; i++) {
        int k = qi_im_choice(im, qi_yaml_item(im->y, v, i), "axes", names, 6);
        if (k < 0) return false;
        t->axis[i] = k % 3;
    }
    t->naxis = n;
    return true;
}

// What one kind of term has beyond the others.
static bool read_special(qi_import *im, yaml_node_t *at, qi_term *t) {
    qi_yaml *y = im->y;
    double n = 0, grid[2];
    yaml_node_t *v;
    if ((v = qi_yaml_get(y, at, "of"))) {
        int k = qi_im_choice(im, v, "of", KEYS("raw", "clipped", "sent"));
        if (k < 0) return false;
        t->act = (qi_act_source)k;
    }
    if ((v = qi_yaml_get(y, at, "form"))) {
        int k = qi_im_choice(im, v, "form", KEYS("sin_cos", "sin", "cos", "raw"));
        if (k < 0) return false;
        t->form = (qi_phase_form)k;
    }
    if ((v = qi_yaml_get(y, at, "sixd"))) {
        int k = qi_im_choice(im, v, "sixd", KEYS("columns", "rows"));
        if (k < 0) return false;
        t->sixd = (qi_sixd)k;
    }
    if ((v = qi_yaml_get(y, at, "grid"))) {
        if (!qi_im_list(im, v, "grid", 2, false, grid)) return false;
        if (!(grid[0] >= 1 && grid[0] <= 200 && grid[1] >= 1 && grid[1] <= 200))
            return qi_yaml_fault(y, v, "grid: expected 1 to 200 points each way");
        t->grid[0] = (int)grid[0], t->grid[1] = (int)grid[1];
    }
    if (!qi_yaml_num(y, at, "dim", 1, 4096, &n) || !qi_yaml_num(y, at, "hz", 0, 100, &t->hz) ||
        !qi_yaml_text(y, at, "object", &t->object) ||
        !qi_yaml_text(y, at, "relative_to", &t->relative_to) ||
        !qi_yaml_text(y, at, "goal", &t->goal) || !qi_yaml_bool(y, at, "relative", &t->relative))
        return false;
    if (n > 0) t->dim = (int)n;
    if ((v = qi_yaml_get(y, at, "values"))) {
        int k = qi_im_count(im, v, "values", 4096);
        double *x = k > 0 ? qi_im_row(im, k, 0) : NULL;
        if (!x || !qi_im_list(im, v, "values", k, false, x)) return false;
        t->dim = k, t->offset = x;
    }
    return true;
}

static const char *lacks(const qi_term *t) {
    bool object = t->kind == QI_TERM_OBJECT_POS || t->kind == QI_TERM_OBJECT_ROT;
    if (object && !t->object) return "object";
    if (t->kind == QI_TERM_OBJECT_POS && !t->relative_to && !t->goal) return "relative_to";
    if (t->kind == QI_TERM_OBJECT_ROT && !t->goal) return "goal";
    if (t->kind == QI_TERM_SCAN && t->grid[0] == 0) return "grid";
    if (t->kind == QI_TERM_CONSTANT && !t->offset) return "values";
    if (t->kind == QI_TERM_SIGNAL && t->dim == 0) return "dim";
    if (t->kind == QI_TERM_SIGNAL && !t->source) return "source";
    return NULL;
}

static bool read_term(qi_import *im, yaml_node_t *at, qi_obs_group *g) {
    qi_yaml *y = im->y;
    static const char *const keys[] = {
        "term",   "scale",      "offset",      "clip", "history",  "joints", "source", "frame",
        "unit",   "noise_free", "of",          "form", "hz",       "grid",   "dim",    "values",
        "object", "goal",       "relative_to", "sixd", "relative", "axes"};
    const char *known[QI_TERM_KINDS];
    for (int i = 0; i < QI_TERM_KINDS; i++) known[i] = qi_term_name((qi_term_kind)i);
    if (!qi_yaml_keys(y, at, keys, (int)(sizeof keys / sizeof *keys))) return false;
    yaml_node_t *name = qi_im_need(im, at, "term"), *v;
    int k = name ? qi_im_choice(im, name, "term", known, QI_TERM_KINDS) : -1;
    if (k < 0) return false;
    qi_term *t = qi_im_term(im, g, (qi_term_kind)k, 1);
    if (!t) return false;
    t->at = mark(name);
    double history = 0;
    if (!qi_yaml_text(y, at, "source", &t->source) ||
        !qi_yaml_num(y, at, "history", 1, QI_MAN_HISTORY, &history) ||
        !qi_yaml_bool(y, at, "noise_free", &t->noise_free) || !read_unit(im, at, t) ||
        !read_term_joints(im, at, t) || !read_special(im, at, t) || !read_axes(im, at, t))
        return false;
    t->history = (int)history;
    if ((v = qi_yaml_get(y, at, "frame"))) {
        static const char *const frames[] = {"base", "imu", "world"};
        int f = qi_im_choice(im, v, "frame", frames, 3);
        if (f < 0) return false;
        t->frame = frames[f];
    }
    const char *none = lacks(t);
    if (none) return qi_yaml_fault(y, at, "%s: '%s' is missing", t->name, none);
    if ((v = qi_yaml_get(y, at, "clip")) && !span(im, v, "clip", t->clip)) return false;
    if (t->kind == QI_TERM_CONSTANT) { // its values are its offset
        if (qi_yaml_get(y, at, "scale") || qi_yaml_get(y, at, "offset"))
            return qi_yaml_fault(y, at, "constant: 'values' stand as they are");
        return (t->scale = qi_im_row(im, t->dim, 0)) != NULL;
    }
    if (!read_factors(im, at, "scale", t, 1, &t->scale) ||
        !read_factors(im, at, "offset", t, 0, &t->offset))
        return false;
    if (t->kind != QI_TERM_ENCODER) t->dim = own_dim(im, t);
    return true;
}

static bool read_group(qi_import *im, const char *key, qi_obs_group *g) {
    qi_yaml *y = im->y;
    yaml_node_t *at = qi_yaml_get(y, im->root, key), *v;
    if (!at) return true;
    double history = 1;
    if (!qi_yaml_keys(y, at, KEYS("terms", "history", "layout", "order", "fill", "clip")) ||
        !qi_yaml_num(y, at, "history", 1, QI_MAN_HISTORY, &history) ||
        !qi_yaml_num(y, at, "clip", 0, 1e9, &g->clip))
        return false;
    g->history = (int)history;
    int k;
    if ((v = qi_yaml_get(y, at, "layout"))) {
        if ((k = qi_im_choice(im, v, "layout", KEYS("frame", "term"))) < 0) return false;
        g->by_term = k == 1;
    }
    if ((v = qi_yaml_get(y, at, "order"))) {
        if ((k = qi_im_choice(im, v, "order", KEYS("oldest_first", "newest_first"))) < 0)
            return false;
        g->newest_first = k == 1;
    }
    if ((v = qi_yaml_get(y, at, "fill"))) {
        if ((k = qi_im_choice(im, v, "fill", KEYS("first", "zero"))) < 0) return false;
        g->fill_zero = k == 1;
    }
    yaml_node_t *terms = qi_im_need(im, at, "terms");
    int n = terms ? qi_im_count(im, terms, "terms", QI_MAN_TERMS) : -1;
    for (int i = 0; i < n; i++)
        if (!read_term(im, qi_yaml_item(y, terms, i), g)) return false;
    return n >= 0;
}

// ---- the parts of the file ----

static bool read_net(qi_import *im, yaml_node_t *at, const char *key, const char *in,
                     const char *out, qi_net *net) {
    yaml_node_t *v = qi_yaml_get(im->y, at, key);
    if (!qi_yaml_text(im->y, at, key, &net->file) || !qi_yaml_text(im->y, at, in, &net->input) ||
        !qi_yaml_text(im->y, at, out, &net->output))
        return false;
    if (!v) return true;
    net->at = mark(v);
    // without $QIAO_DATA there is no path; opening the network says so
    net->path = qi_manifest_path(im->m->arena, im->dir, net->file, NULL);
    return true;
}

static bool read_network(qi_import *im) {
    qi_manifest *m = im->m;
    qi_yaml *y = im->y;
    yaml_node_t *at = qi_im_need(im, im->root, "network"), *v;
    if (!at || !qi_yaml_keys(y, at,
                             KEYS("policy", "encoder", "type", "input", "output", "encoder_input",
                                  "encoder_output", "state")))
        return false;
    if (!qi_im_need(im, at, "policy") ||
        !read_net(im, at, "policy", "input", "output", &m->policy) ||
        !read_net(im, at, "encoder", "encoder_input", "encoder_output", &m->encoder))
        return false;
    if ((v = qi_yaml_get(y, at, "type"))) {
        int k = qi_im_choice(im, v, "type", KEYS("float32", "bfloat16", "int8"));
        if (k < 0) return false;
        m->type = (qiao_nn_type)k;
    }
    if (!(v = qi_yaml_get(y, at, "state"))) return true;
    int n = qi_im_count(im, v, "state", QI_MAN_STATES);
    for (int i = 0; i < n; i++) {
        yaml_node_t *s = qi_yaml_item(y, v, i);
        if (!qi_yaml_keys(y, s, KEYS("in", "out")) || !qi_im_need(im, s, "in") ||
            !qi_im_need(im, s, "out") || !qi_yaml_text(y, s, "in", &m->state[i].in) ||
            !qi_yaml_text(y, s, "out", &m->state[i].out))
            return false;
        m->state[i].at = mark(s), m->nstate = i + 1;
    }
    return n >= 0;
}

static bool read_joints(qi_import *im) {
    yaml_node_t *at = qi_im_need(im, im->root, "joints");
    int n = at ? qi_im_count(im, at, "joints", QI_MAN_JOINTS) : -1;
    if (n < 0) return false;
    if (n == 0)
        return qi_yaml_fault(im->y, at, "joints: expected the names of the policy's joints");
    if (!qi_im_joints(im, n)) return false;
    for (int i = 0; i < n; i++) {
        yaml_node_t *item = qi_yaml_item(im->y, at, i);
        const char *s = qi_yaml_scalar(item);
        if (!s || !*s || strlen(s) > 120)
            return qi_yaml_fault(im->y, item, "joints: expected the name of a joint");
        if (strpbrk(s, "*?["))
            return qi_yaml_fault(im->y, item,
                                 "joints: '%.60s' is a pattern; each joint is named, in order", s);
        for (int k = 0; k < i; k++)
            if (strcmp(im->m->joint[k], s) == 0)
                return qi_yaml_fault(im->y, item, "joints: '%.60s' is named twice", s);
        qi_im_name_joint(im, i, s, item);
    }
    const qi_manifest *m = im->m;
    return joint_key(im, im->root, "default_pose", -1e9, m->default_pose) &&
           joint_key(im, im->root, "kp", 0, m->kp) && joint_key(im, im->root, "kd", 0, m->kd) &&
           joint_key(im, im->root, "torque_limit", 0, m->torque_limit);
}

static bool read_rates(qi_import *im) {
    qi_manifest *m = im->m;
    double loop = 0;
    if (!qi_im_need(im, im->root, "rate_hz") ||
        !qi_yaml_num(im->y, im->root, "rate_hz", 1, 2000, &m->rate_hz) ||
        !qi_yaml_num(im->y, im->root, "loop_hz", 1, 2000, &loop))
        return false;
    m->loop = loop > 0 ? (int)lround(loop / m->rate_hz) : 1;
    if (m->loop < 1 || (loop > 0 && fabs(m->loop * m->rate_hz - loop) > 1e-6 * loop))
        return qi_yaml_fault(im->y, qi_yaml_get(im->y, im->root, "loop_hz"),
                             "loop_hz: %g is no whole multiple of rate_hz, %g", loop, m->rate_hz);
    return true;
}

static const char *const meanings[] = {"position", "delta", "velocity", "torque"};
static bool meaning(qi_import *im, yaml_node_t *at, const char *what, double *x) {
    int k = qi_im_choice(im, at, what, meanings, 4);
    *x = k;
    return k >= 0;
}

static bool read_action_meaning(qi_import *im, yaml_node_t *at) {
    qi_manifest *m = im->m;
    yaml_node_t *v = qi_yaml_get(im->y, at, "meaning");
    double *kind = qi_im_row(im, m->njoint, QI_ACTION_POSITION);
    qi_action_kind *of = qiao_arena_get(m->arena, QI_MAN_JOINTS * sizeof *of);
    if (!kind || !of) return false;
    if (v && !by_joint(im, v, "meaning", NULL, m->njoint, 1, meaning, true, kind)) return false;
    for (int i = 0; i < m->njoint; i++) of[i] = (qi_action_kind)kind[i];
    m->action.of = of, m->action.kind = of[0];
    return true;
}

static bool offset_value(qi_import *im, yaml_node_t *at, const char *what, double *x) {
    const char *s = qi_yaml_scalar(at);
    if (!s || strcmp(s, "default_pose") != 0) return qi_im_number(im, at, what, x);
    *x = NAN;
    return true;
}

static bool reach_value(qi_import *im, yaml_node_t *at, const char *what, double *x) {
    const char *s = qi_yaml_scalar(at);
    if (!s || strcmp(s, "joint_range") != 0) return span(im, at, what, x);
    x[0] = x[1] = NAN;
    return true;
}

static bool read_action(qi_import *im) {
    qi_manifest *m = im->m;
    qi_yaml *y = im->y;
    yaml_node_t *at = qi_im_need(im, im->root, "action"), *v;
    int n = m->njoint;
    if (!at ||
        !qi_yaml_keys(y, at,
                      KEYS("meaning", "scale", "offset", "clip", "reach", "reclip", "residual")) ||
        !read_action_meaning(im, at) || !joint_key(im, at, "scale", -1e9, m->action.scale) ||
        !qi_yaml_bool(y, at, "residual", &m->action.residual) ||
        !qi_yaml_num(y, at, "reclip", 0, 1e3, &m->action.reclip))
        return false;
    double *off = qi_im_row(im, n, NAN), *clip = qi_im_row(im, 2 * n, 0);
    double *reach = qi_im_row(im, 2 * n, 0);
    if (!off || !clip || !reach) return false;
    for (int i = 0; i < n; i++) {
        if (m->action.of[i] != QI_ACTION_POSITION) off[i] = 0;
        if (m->action.of[i] == QI_ACTION_DELTA) reach[2 * i] = reach[2 * i + 1] = NAN;
    }
    if ((v = qi_yaml_get(y, at, "offset")) &&
        !by_joint(im, v, "offset", NULL, n, 1, offset_value, true, off))
        return false;
    if ((v = qi_yaml_get(y, at, "clip")) && !by_joint(im, v, "clip", NULL, n, 2, span, false, clip))
        return false;
    if ((v = qi_yaml_get(y, at, "reach")) &&
        !by_joint(im, v, "reach", NULL, n, 2, reach_value, false, reach))
        return false;
    for (int i = 0; i < n; i++)
        if (isnan(off[i])) off[i] = m->default_pose[i];
    m->action.offset = off, m->action.clip = clip, m->action.reach = reach;
    for (int i = 0; m->action.reclip > 0 && i < n; i++)
        if (m->action.of[i] == QI_ACTION_POSITION && (!(m->kp[i] > 0) || !(m->torque_limit[i] > 0)))
            return qi_yaml_fault(y, qi_yaml_get(y, at, "reclip"),
                                 "reclip: '%.60s' needs kp, kd and torque_limit", m->joint[i]);
    return true;
}

static bool read_clock(qi_import *im) {
    qi_manifest *m = im->m;
    qi_yaml *y = im->y;
    yaml_node_t *at = qi_yaml_get(y, im->root, "clock"), *v;
    if (!at) return true;
    double period = 0, leg[QI_MAN_LEGS];
    if (!qi_yaml_keys(y, at,
                      KEYS("hz", "period", "start", "legs", "advance", "wrap", "stand_below",
                           "stand_phase")) ||
        !qi_yaml_num(y, at, "hz", 0, 100, &m->clock.hz) ||
        !qi_yaml_num(y, at, "period", 0.01, 1e4, &period) ||
        !qi_yaml_num(y, at, "start", 0, 1, &m->clock.start) ||
        !qi_yaml_num(y, at, "stand_below", 0, 100, &m->clock.stand_below) ||
        !qi_yaml_num(y, at, "stand_phase", 0, 1, &m->clock.stand_phase))
        return false;
    if (period > 0) m->clock.hz = 1 / period;
    if ((v = qi_yaml_get(y, at, "legs"))) {
        int n = qi_im_count(im, v, "legs", QI_MAN_LEGS);
        if (n < 1 || !qi_im_list(im, v, "legs", n, false, leg))
            return n == 0 ? qi_yaml_fault(y, v, "legs: expected phases") : false;
        m->clock.nleg = n, memcpy(m->clock.leg, leg, (size_t)n * sizeof *leg);
    }
    int k;
    if ((v = qi_yaml_get(y, at, "advance"))) {
        if ((k = qi_im_choice(im, v, "advance", KEYS("after", "before"))) < 0) return false;
        m->clock.advance_first = k == 1;
    }
    if ((v = qi_yaml_get(y, at, "wrap"))) {
        if ((k = qi_im_choice(im, v, "wrap", KEYS("modulo", "restart"))) < 0) return false;
        m->clock.restart = k == 1;
    }
    return true;
}

static bool read_commands(qi_import *im) {
    qi_manifest *m = im->m;
    qi_yaml *y = im->y;
    yaml_node_t *at = qi_yaml_get(y, im->root, "commands");
    if (!at) return true;
    if (!qi_yaml_keys(y, at, KEYS("vx", "vy", "yaw_rate", "dead")) ||
        !qi_yaml_num(y, at, "dead", 0, 10, &m->command.dead))
        return false;
    const char *name[3] = {"vx", "vy", "yaw_rate"};
    double *to[3] = {m->command.vx, m->command.vy, m->command.yaw_rate};
    for (int i = 0; i < 3; i++) {
        yaml_node_t *v = qi_yaml_get(y, at, name[i]);
        if (v && !span(im, v, name[i], to[i])) return false;
    }
    return true;
}

static bool read_physics(qi_import *im) {
    qi_manifest *m = im->m;
    yaml_node_t *at = qi_yaml_get(im->y, im->root, "physics");
    if (!at) return true;
    double step = 0, delay = -1e-3;
    if (!qi_yaml_keys(im->y, at, KEYS("step_ms", "armature", "damping", "friction", "delay_ms")) ||
        !qi_yaml_num(im->y, at, "step_ms", 0.01, 100, &step) ||
        !qi_yaml_num(im->y, at, "delay_ms", 0, 1000, &delay) ||
        !joint_key(im, at, "armature", 0, m->physics.armature) ||
        !joint_key(im, at, "damping", 0, m->physics.damping) ||
        !joint_key(im, at, "friction", 0, m->physics.friction))
        return false;
    // divided, not multiplied: times 1e3 it gives the same number again
    m->physics.step = step / 1e3, m->physics.delay = delay < 0 ? -1 : delay / 1e3;
    return true;
}

static bool read_motion(qi_import *im) {
    qi_manifest *m = im->m;
    qi_yaml *y = im->y;
    yaml_node_t *at = qi_yaml_get(y, im->root, "motion");
    if (!at) return true;
    double body = 0;
    if (!qi_yaml_keys(y, at,
                      KEYS("file", "anchor", "rate_hz", "loop", "time", "joint_pos", "joint_vel",
                           "body_pos", "body_quat", "body")) ||
        !qi_yaml_text(y, at, "file", &m->motion.file) ||
        !qi_yaml_text(y, at, "anchor", &m->motion.anchor) ||
        !qi_yaml_num(y, at, "rate_hz", 0.1, 2000, &m->motion.rate_hz) ||
        !qi_yaml_bool(y, at, "loop", &m->motion.loop) ||
        !qi_yaml_text(y, at, "time", &m->motion.time) ||
        !qi_yaml_text(y, at, "joint_pos", &m->motion.joint_pos) ||
        !qi_yaml_text(y, at, "joint_vel", &m->motion.joint_vel) ||
        !qi_yaml_text(y, at, "body_pos", &m->motion.body_pos) ||
        !qi_yaml_text(y, at, "body_quat", &m->motion.body_quat) ||
        !qi_yaml_num(y, at, "body", 0, 500, &body))
        return false;
    m->motion.body = (int)body, m->motion.at = mark(at);
    if (!m->motion.file == !m->motion.time)
        return qi_yaml_fault(y, at, "motion: expected 'file', or 'time' if the network holds it");
    if (m->motion.file) m->motion.path = qi_manifest_path(m->arena, im->dir, m->motion.file, NULL);
    return true;
}

static bool read_hold(qi_import *im) {
    qi_manifest *m = im->m;
    qi_yaml *y = im->y;
    yaml_node_t *at = qi_yaml_get(y, im->root, "hold");
    if (!at) return true;
    int n = qi_im_count(im, at, "hold", (int)(sizeof m->hold / sizeof *m->hold));
    for (int i = 0; i < n; i++) {
        yaml_node_t *h = qi_yaml_item(y, at, i);
        struct qi_hold *to = &m->hold[i];
        *to = (struct qi_hold){.pose = NAN, .kp = -1, .kd = -1};
        if (!qi_yaml_keys(y, h, KEYS("match", "pose", "kp", "kd")) || !qi_im_need(im, h, "match") ||
            !qi_yaml_text(y, h, "match", &to->match) ||
            !qi_yaml_num(y, h, "pose", -100, 100, &to->pose) ||
            !qi_yaml_num(y, h, "kp", 0, 1e6, &to->kp) || !qi_yaml_num(y, h, "kd", 0, 1e6, &to->kd))
            return false;
        to->at = mark(h), m->nhold = i + 1;
    }
    return n >= 0;
}

bool qi_read_qiao(qi_import *im) {
    qi_manifest *m = im->m;
    qi_yaml *y = im->y;
    if (!qi_yaml_keys(y, im->root,
                      KEYS("name", "title", "title_zh", "robot", "source", "licence", "network",
                           "rate_hz", "loop_hz", "joints", "default_pose", "kp", "kd",
                           "torque_limit", "observation", "encoder_observation", "action", "clock",
                           "commands", "physics", "motion", "hold", "guards")) ||
        !qi_yaml_text(y, im->root, "name", &m->name) ||
        !qi_yaml_text(y, im->root, "title", &m->title) ||
        !qi_yaml_text(y, im->root, "title_zh", &m->title_zh) ||
        !qi_yaml_text(y, im->root, "robot", &m->robot) ||
        !qi_yaml_text(y, im->root, "source", &m->source) ||
        !qi_yaml_text(y, im->root, "licence", &m->licence))
        return false;
    if (!read_network(im) || !read_joints(im) || !read_rates(im) || !read_clock(im) ||
        !qi_im_need(im, im->root, "observation") ||
        !read_group(im, "encoder_observation", &m->enc) ||
        !read_group(im, "observation", &m->obs) || !read_action(im) || !read_commands(im) ||
        !read_physics(im) || !read_motion(im) || !read_hold(im))
        return false;
    m->guards = qi_yaml_get(y, im->root, "guards");
    return true;
}
