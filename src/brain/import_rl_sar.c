// SPDX-License-Identifier: Apache-2.0
// import_rl_sar.c - rl_sar's config.yaml over the base.yaml of its robot, in a folder above it.
// source   fan-ziqi/rl_sar: src/rl_sar/library/core/rl_sdk
#include "brain/import.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef union row {
    const double *c;
    double *v;
} row;

typedef struct pair { // config.yaml, and base.yaml for what it leaves open
    qi_import *im;
    qi_import base;
    qi_yaml yb;
    yaml_node_t *own, *under; // maps of the two; under NULL: there is none
} pair;

// Value of a key and the file it is in; *at NULL and true if neither has it.
static qi_import *look(pair *p, const char *key, yaml_node_t **at) {
    if ((*at = qi_yaml_get(p->im->y, p->own, key))) return p->im;
    if (p->under) *at = qi_yaml_get(&p->yb, p->under, key);
    return *at ? &p->base : p->im;
}

static qi_import *need(pair *p, const char *key, yaml_node_t **at) {
    qi_import *im = look(p, key, at);
    if (*at) return im;
    qi_yaml_fault(p->im->y, p->own, "'%s' is missing, here and in base.yaml", key);
    return NULL;
}

static bool number(pair *p, const char *key, bool must, double *x) {
    yaml_node_t *at;
    qi_import *im = must ? need(p, key, &at) : look(p, key, &at);
    return im && (!at || qi_im_number(im, at, key, x));
}

static bool list(pair *p, const char *key, bool must, const double *out) {
    yaml_node_t *at;
    row to = {out};
    qi_import *im = must ? need(p, key, &at) : look(p, key, &at);
    return im && (!at || qi_im_list(im, at, key, p->im->m->njoint, true, to.v));
}

static yaml_node_t *only_value(qi_yaml *y, yaml_node_t *root) {
    return qi_yaml_node(y, root->data.mapping.pairs.start->value);
}

// base.yaml in the folder above, or up to three above.
static bool open_base(pair *p) {
    qi_import *im = p->im;
    char path[1200], up[16] = "";
    for (int i = 0; i < 3; i++) {
        strcat(up, "../");
        snprintf(path, sizeof path, "%.1000s/%sbase.yaml", im->dir ? im->dir : ".", up);
        if (access(path, R_OK) == 0) break;
        path[0] = 0;
    }
    if (!path[0] || !im->dir) return true;
    char *text;
    size_t n;
    if (qiao_file_read(path, QI_YAML_MAX, &text, &n, im->d)) return false;
    const char *name = qiao_arena_text(im->m->arena, path, strlen(path));
    p->base = *im, p->base.y = &p->yb;
    bool ok =
        name && qi_yaml_open(&p->yb, name, text, n, im->d) && (p->base.root = qi_yaml_root(&p->yb));
    free(text);
    if (!ok) return false;
    yaml_node_pair_t *e = p->base.root->data.mapping.pairs.start;
    p->under = p->base.root->data.mapping.pairs.top > e ? only_value(&p->yb, p->base.root) : NULL;
    if (!p->under || p->under->type != YAML_MAPPING_NODE)
        return qi_yaml_fault(&p->yb, p->base.root, "expected the robot's name over its values");
    return true;
}

// joint_mapping[i]: the policy's joint i is this one of the robot's joint_names.
static bool read_joints(pair *p) {
    qi_import *im = p->im, *in;
    yaml_node_t *at, *names;
    double n = 0;
    if (!number(p, "num_of_dofs", true, &n)) return false;
    if (n < 1 || n > QI_MAN_JOINTS || n != floor(n))
        return qi_yaml_fault(im->y, p->own, "num_of_dofs: expected 1 to %d", QI_MAN_JOINTS);
    if (!qi_im_joints(im, (int)n)) return false;
    in = look(p, "joint_names", &names);
    if (!names) return qi_im_robot_joints(im, p->own, (int)n, "neither file names joints");
    int k = qi_im_count(in, names, "joint_names", QI_MAN_JOINTS);
    double map[QI_MAN_JOINTS];
    for (int i = 0; i < (int)n; i++) map[i] = i;
    qi_import *im_map = look(p, "joint_mapping", &at);
    if (k < 0 || (at && !qi_im_list(im_map, at, "joint_mapping", (int)n, false, map))) return false;
    for (int i = 0; i < (int)n; i++) {
        int id = (int)map[i];
        if (id != map[i] || id < 0 || id >= k)
            return qi_yaml_fault(im_map->y, at ? at : names,
                                 "joint_mapping: %g; there are names 0 to %d", map[i], k - 1);
        const char *s = qi_yaml_scalar(qi_yaml_item(in->y, names, id));
        if (!s) return qi_yaml_fault(in->y, names, "joint_names: expected names");
        // base.yaml is closed again: its texts are copied
        qi_im_name_joint(im, i, qiao_arena_text(im->m->arena, s, strlen(s)),
                         in == im ? names : NULL);
    }
    return true;
}

// wheel_indices: these joints are driven by velocity and have no position.
static bool read_wheels(pair *p, bool *wheel) {
    yaml_node_t *at;
    qi_import *im = look(p, "wheel_indices", &at);
    qi_manifest *m = p->im->m;
    int n = at ? qi_im_count(im, at, "wheel_indices", QI_MAN_JOINTS) : 0;
    qi_action_kind *of = qiao_arena_get(m->arena, QI_MAN_JOINTS * sizeof *of);
    if (n < 0 || !of) return false;
    for (int i = 0; i < n; i++) {
        double x;
        if (!qi_im_number(im, qi_yaml_item(im->y, at, i), "wheel_indices", &x)) return false;
        if (x < 0 || x >= m->njoint || x != floor(x))
            return qi_yaml_fault(im->y, at, "wheel_indices: %g; there are joints 0 to %d", x,
                                 m->njoint - 1);
        wheel[(int)x] = true, of[(int)x] = QI_ACTION_VELOCITY;
    }
    m->action.of = of, m->action.kind = of[0];
    return true;
}

static bool add_term(pair *p, yaml_node_t *item, const double *scale, const double *cmd,
                     const bool *wheel) {
    static const char *const known[] = {"lin_vel",
                                        "ang_vel",
                                        "ang_vel_body",
                                        "ang_vel_world",
                                        "gravity_vec",
                                        "commands",
                                        "dof_pos",
                                        "dof_vel",
                                        "actions",
                                        "phase",
                                        "g1_phase",
                                        "whole_body_tracking/motion_command",
                                        "whole_body_tracking/motion_anchor_ori_b"};
    qi_import *im = p->im;
    qi_manifest *m = im->m;
    qi_obs_group *g = &m->obs;
    int k = qi_im_choice(im, item, "observations", known, (int)(sizeof known / sizeof *known));
    if (k < 0) return false;
    qi_mark at = {(int)item->start_mark.line + 1, (int)item->start_mark.column + 1};
    int from = g->nterm;
    qi_term *t = NULL;
    switch (k) {
    case 0: qi_im_term(im, g, QI_TERM_LIN_VEL, scale[0]); break;
    case 1:
    case 2:
    case 3: qi_im_term(im, g, QI_TERM_GYRO, scale[1]); break; // either way it ends in the body
    case 4: qi_im_term(im, g, QI_TERM_GRAVITY, 1); break;
    case 5: qi_im_scale3(im, qi_im_term(im, g, QI_TERM_COMMAND, 1), cmd[0], cmd[1], cmd[2]); break;
    case 6:
        if ((t = qi_im_term(im, g, QI_TERM_JOINT_POS, scale[2]))) {
            double *x = qi_im_row(im, m->njoint, scale[2]);
            if (!x) return false;
            for (int i = 0; i < m->njoint; i++)
                if (wheel[i]) x[i] = 0;
            t->scale = x, t->dim = m->njoint;
        }
        break;
    case 7: qi_im_term(im, g, QI_TERM_JOINT_VEL, scale[3]); break;
    case 8:
        if ((t = qi_im_term(im, g, QI_TERM_ACTION, 1))) t->act = QI_ACT_CLIPPED;
        break;
    case 9: // sin and cos of pi t / 2, of half and of a quarter of it
        for (int i = 0; i < 3; i++)
            if ((t = qi_im_term(im, g, QI_TERM_PHASE, 1))) t->hz = 0.25 / (1 << i);
        break;
    case 10:
        qi_im_term(im, g, QI_TERM_PHASE, 1);
        m->clock.hz = 1 / 0.8;
        break;
    case 11: qi_im_term(im, g, QI_TERM_MOTION, 1); break;
    default: qi_im_term(im, g, QI_TERM_ANCHOR_ORI, 1); break;
    }
    for (int i = from; i < g->nterm; i++) g->term[i].at = at;
    return im->d->err == QIAO_OK;
}

static bool read_terms(pair *p, const bool *wheel) {
    qi_import *im = p->im, *in;
    yaml_node_t *at = qi_im_need(im, p->own, "observations"), *v;
    double scale[4] = {1, 1, 1, 1}, cmd[3] = {1, 1, 1};
    static const char *const key[] = {"lin_vel_scale", "ang_vel_scale", "dof_pos_scale",
                                      "dof_vel_scale"};
    int n = at ? qi_im_count(im, at, "observations", QI_MAN_TERMS) : -1;
    for (int i = 0; i < 4; i++)
        if (n < 0 || !number(p, key[i], false, &scale[i])) return false;
    in = look(p, "commands_scale", &v);
    if (v && !qi_im_list(in, v, "commands_scale", 3, true, cmd)) return false;
    for (int i = 0; i < n; i++)
        if (!add_term(p, qi_yaml_item(im->y, at, i), scale, cmd, wheel)) return false;
    return number(p, "clip_obs", false, &im->m->obs.clip);
}

// observations_history: [0, 1, 2] is newest first, [2, 1, 0] oldest first; gaps do not exist here.
static bool read_history(pair *p) {
    qi_import *im;
    qi_obs_group *g = &p->im->m->obs;
    yaml_node_t *at, *v;
    im = look(p, "observations_history", &at);
    int n = at ? qi_im_count(im, at, "observations_history", QI_MAN_HISTORY) : 0;
    if (n < 0) return false;
    double x[QI_MAN_HISTORY];
    if (n > 0 && !qi_im_list(im, at, "observations_history", n, false, x)) return false;
    bool up = true, down = true;
    for (int i = 0; i < n; i++) up &= x[i] == i, down &= x[i] == n - 1 - i;
    if (!up && !down)
        return qi_yaml_fault(im->y, at,
                             "observations_history: expected 0, 1, 2 ... or the reverse of it");
    g->history = n > 0 ? n : 1, g->newest_first = n > 1 && up;
    im = look(p, "observations_history_priority", &v);
    static const char *const order[] = {"time", "term"};
    int k = v ? qi_im_choice(im, v, "observations_history_priority", order, 2) : 0;
    g->by_term = k == 1;
    return k >= 0;
}

static bool read_action(pair *p) {
    qi_manifest *m = p->im->m;
    double *lo = qi_im_row(p->im, m->njoint, 0), *hi = qi_im_row(p->im, m->njoint, 0);
    double *clip = qi_im_row(p->im, 2 * m->njoint, 0);
    if (!lo || !hi || !clip || !list(p, "action_scale", true, m->action.scale) ||
        !list(p, "clip_actions_lower", false, lo) || !list(p, "clip_actions_upper", false, hi))
        return false;
    double *off = qi_im_row(p->im, m->njoint, 0);
    for (int i = 0; off && i < m->njoint; i++) {
        clip[2 * i] = lo[i], clip[2 * i + 1] = hi[i];
        off[i] = m->action.of[i] == QI_ACTION_POSITION ? m->default_pose[i] : 0;
        if (lo[i] > hi[i])
            return qi_yaml_fault(p->im->y, p->own, "clip_actions_lower: %g lies above %g", lo[i],
                                 hi[i]);
    }
    m->action.clip = clip, m->action.offset = off;
    return off != NULL;
}

static bool read_net(pair *p) {
    qi_import *im = p->im;
    qi_manifest *m = im->m;
    const char *file = "policy.onnx";
    if (!qi_yaml_text(im->y, p->own, "model_name", &file)) return false;
    size_t n = strlen(file);
    if (n > 3 && strcmp(file + n - 3, ".pt") == 0) {
        char path[1400];
        const char *onnx = qiao_arena_printf(m->arena, "%.*s.onnx", (int)(n - 3), file);
        snprintf(path, sizeof path, "%.1000s/%.300s", im->dir ? im->dir : ".", onnx ? onnx : "");
        if (onnx && access(path, R_OK) == 0) {
            qi_im_note(im, "%s beside the file stands for %s", onnx, file);
            file = onnx;
        }
    }
    m->policy.file = file, m->policy.path = qi_manifest_path(m->arena, im->dir, file, im->d);
    return m->policy.path != NULL;
}

static bool read_pair(pair *p) {
    qi_import *im = p->im;
    qi_manifest *m = im->m;
    double dt = 0, decimation = 0;
    bool wheel[QI_MAN_JOINTS] = {false};
    if (!read_joints(p) || !number(p, "dt", true, &dt) ||
        !number(p, "decimation", true, &decimation))
        return false;
    if (!(dt > 1e-5 && dt < 1 && decimation >= 1 && decimation <= 1000))
        return qi_yaml_fault(im->y, p->own, "dt %g s and decimation %g make no rate", dt,
                             decimation);
    m->rate_hz = 1 / (dt * decimation), m->physics.step = dt;
    return list(p, "rl_kp", true, m->kp) && list(p, "rl_kd", true, m->kd) &&
           list(p, "default_dof_pos", true, m->default_pose) &&
           list(p, "torque_limits", false, m->torque_limit) && read_wheels(p, wheel) &&
           read_terms(p, wheel) && read_history(p) && read_action(p) && read_net(p);
}

bool qi_import_rl_sar(qi_import *im) {
    pair p = {.im = im};
    yaml_node_t *key = qi_yaml_node(im->y, im->root->data.mapping.pairs.start->key);
    p.own = only_value(im->y, im->root);
    im->m->name = qi_yaml_scalar(key);
    bool ok = open_base(&p) && read_pair(&p);
    qi_yaml_close(&p.yb);
    return ok;
}
