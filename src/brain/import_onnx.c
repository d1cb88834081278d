// SPDX-License-Identifier: Apache-2.0
// import_onnx.c - facts in an ONNX file's own metadata: comma lists (BeyondMimic, mjlab) or JSON
// (Holosoma); without metadata, the contracts of MuJoCo Playground, told apart by their sizes.
// source   HybridRobotics/whole_body_tracking, mujocolab/mjlab, amazon-far/holosoma: exporters;
//          google-deepmind/mujoco_playground: experimental/sim2sim
#include "brain/import.h"
#include "brain/jsonread.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_BYTES = 1 << 16, META_BYTES = 8 << 20 };

typedef union row {
    const double *c;
    double *v;
} row;

static bool wrong(qi_import *im, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool wrong(qi_import *im, const char *fmt, ...) {
    char text[600];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    qiao_diag_set(im->d, QIAO_E_FORMAT, im->m->file, 0, 0, "%s", text);
    return false;
}

// ---- lists of either form ----

typedef struct words {
    int n;
    const char *w[QI_MAN_JOINTS];
} words;

// "a, b,c" or ["a", "b"] or one number.
static bool split(qi_import *im, const char *key, const char *text, words *out) {
    out->n = 0;
    if (strlen(text) > LIST_BYTES)
        return wrong(im, "metadata %s: more than %d bytes", key, LIST_BYTES);
    while (isspace((unsigned char)*text)) text++;
    if (*text == '[') {
        qiao_diag own = {0};
        const qi_js *j = qi_js_read(im->m->arena, text, strlen(text), &own);
        if (!j || j->kind != QI_JS_LIST) return wrong(im, "metadata %s: %.200s", key, own.text);
        for (const qi_js *e = j->first; e; e = e->next) {
            if (out->n == QI_MAN_JOINTS)
                return wrong(im, "metadata %s: more than %d entries", key, QI_MAN_JOINTS);
            out->w[out->n++] =
                e->kind == QI_JS_STR ? e->str : qiao_arena_printf(im->m->arena, "%.17g", e->num);
        }
        return true;
    }
    while (*text) {
        size_t k = strcspn(text, ",");
        const char *from = text, *to = text + k;
        while (from < to && isspace((unsigned char)*from)) from++;
        while (to > from && isspace((unsigned char)to[-1])) to--;
        if (out->n == QI_MAN_JOINTS)
            return wrong(im, "metadata %s: more than %d entries", key, QI_MAN_JOINTS);
        if (!(out->w[out->n++] = qiao_arena_text(im->m->arena, from, (size_t)(to - from))))
            return false;
        text += k + (text[k] == ',');
    }
    return true;
}

// n numbers under key, or one for all; missing leaves x.
static bool numbers(qi_import *im, const qiao_nn *nn, const char *key, int n, double *x) {
    const char *text = qiao_nn_meta(nn, key);
    words w;
    if (!text) return true;
    if (!split(im, key, text, &w)) return false;
    if (w.n != n && w.n != 1) return wrong(im, "metadata %s: %d numbers, expected %d", key, w.n, n);
    for (int i = 0; i < n; i++) {
        const char *s = w.w[w.n == 1 ? 0 : i];
        char *end;
        x[i] = strtod(s, &end);
        if (end == s || *end || !(fabs(x[i]) < 1e9))
            return wrong(im, "metadata %s: expected a number, not '%.60s'", key, s);
    }
    return true;
}

static bool gains(qi_import *im, const qiao_nn *nn, const char *kp, const char *kd) {
    qi_manifest *m = im->m;
    row p = {m->kp}, d = {m->kd};
    bool zero = true;
    if (!numbers(im, nn, kp, m->njoint, p.v) || !numbers(im, nn, kd, m->njoint, d.v)) return false;
    for (int i = 0; i < m->njoint; i++) zero &= m->kp[i] == 0 && m->kd[i] == 0;
    if (zero) { // empty words
        for (int i = 0; i < m->njoint; i++) p.v[i] = d.v[i] = -1;
        qi_im_note(im, "%s and %s are all 0 in the metadata: the drives' own gains stand", kp, kd);
    }
    return true;
}

// ---- the terms that Isaac Lab and mjlab name ----

static const struct {
    const char *name;
    qi_term_kind kind;
} meta_terms[] = {{"base_ang_vel", QI_TERM_GYRO},
                  {"base_lin_vel", QI_TERM_LIN_VEL},
                  {"projected_gravity", QI_TERM_GRAVITY},
                  {"joint_pos", QI_TERM_JOINT_POS},
                  {"joint_pos_rel", QI_TERM_JOINT_POS},
                  {"joint_vel", QI_TERM_JOINT_VEL},
                  {"joint_vel_rel", QI_TERM_JOINT_VEL},
                  {"actions", QI_TERM_ACTION},
                  {"last_action", QI_TERM_ACTION},
                  {"velocity_commands", QI_TERM_COMMAND},
                  {"twist", QI_TERM_COMMAND},
                  {"motion_command", QI_TERM_MOTION},
                  {"motion_anchor_ori_b", QI_TERM_ANCHOR_ORI},
                  {"motion_anchor_pos_b", QI_TERM_ANCHOR_POS},
                  {"command", QI_TERM_COMMAND}};
enum { NMETA = sizeof meta_terms / sizeof *meta_terms };

static bool comma_terms(qi_import *im, const qiao_nn *nn) {
    qi_manifest *m = im->m;
    const char *text = qiao_nn_meta(nn, "observation_names"), *known[NMETA];
    const char *cmd = qiao_nn_meta(nn, "command_names");
    bool motion = cmd ? strcmp(cmd, "motion") == 0 : qiao_nn_meta(nn, "anchor_body_name") != NULL;
    words w;
    if (!text) return wrong(im, "the metadata has joint_names, but no observation_names");
    if (!split(im, "observation_names", text, &w)) return false;
    double history[QI_MAN_JOINTS];
    for (int i = 0; i < w.n; i++) history[i] = 1;
    if (!numbers(im, nn, "observation_history_lengths", w.n, history)) return false;
    for (int i = 0; i < NMETA; i++) known[i] = meta_terms[i].name;
    m->obs.by_term = true;
    for (int i = 0; i < w.n; i++) {
        int k = 0;
        while (k < NMETA && strcmp(known[k], w.w[i]) != 0) k++;
        if (k == NMETA) {
            const char *near = qiao_nearest(w.w[i], known, NMETA);
            return wrong(im,
                         "metadata observation_names: what '%.60s' is made of is not known%s%s%s",
                         w.w[i], near ? "; near: '" : "", near ? near : "", near ? "'" : "");
        }
        if (!(history[i] >= 0 && history[i] <= QI_MAN_HISTORY))
            return wrong(im, "metadata observation_history_lengths: %g", history[i]);
        bool follow = motion && strcmp(known[k], "command") == 0;
        qi_term *t = qi_im_term(im, &m->obs, follow ? QI_TERM_MOTION : meta_terms[k].kind, 1);
        if (!t) return false;
        t->history = history[i] < 1 ? 1 : (int)history[i];
        if (t->history > m->obs.history) m->obs.history = t->history;
    }
    return true;
}

// BeyondMimic: the motion is in the network, told by the input that counts steps.
static bool comma_motion(qi_import *im, const qiao_nn *nn) {
    qi_manifest *m = im->m;
    m->policy.input = qiao_nn_inputs(nn) > 1 ? "obs" : NULL;
    m->policy.output = qiao_nn_outputs(nn) > 1 ? "actions" : NULL;
    if (qiao_nn_find_input(nn, "time_step") < 0) return true;
    const char *anchor = qiao_nn_meta(nn, "anchor_body_name");
    const char *bodies = qiao_nn_meta(nn, "body_names");
    words w = {0};
    m->motion.time = "time_step", m->motion.rate_hz = m->rate_hz;
    m->motion.joint_pos = "joint_pos", m->motion.joint_vel = "joint_vel";
    m->motion.body_pos = "body_pos_w", m->motion.body_quat = "body_quat_w";
    if (!anchor || !bodies || !split(im, "body_names", bodies, &w))
        return wrong(im, "the network holds a motion, but the metadata lacks anchor_body_name or "
                         "body_names");
    m->motion.anchor = qiao_arena_text(m->arena, anchor, strlen(anchor));
    for (m->motion.body = 0; m->motion.body < w.n; m->motion.body++)
        if (strcmp(w.w[m->motion.body], anchor) == 0) return true;
    return wrong(im, "metadata anchor_body_name: '%.60s' is none of body_names", anchor);
}

static bool name_joints(qi_import *im, const char *key, const char *text) {
    words w;
    if (!split(im, key, text, &w)) return false;
    if (w.n < 1) return wrong(im, "metadata %s: it names no joints", key);
    if (!qi_im_joints(im, w.n)) return false;
    for (int i = 0; i < w.n; i++) qi_im_name_joint(im, i, w.w[i], NULL);
    return true;
}

static bool read_comma(qi_import *im, const qiao_nn *nn) {
    qi_manifest *m = im->m;
    if (!name_joints(im, "joint_names", qiao_nn_meta(nn, "joint_names"))) return false;
    row pose = {m->default_pose}, scale = {m->action.scale};
    m->rate_hz = 50, m->action.offset = m->default_pose;
    qi_im_note(im, "50 decisions a second: the metadata does not say");
    return gains(im, nn, "joint_stiffness", "joint_damping") &&
           numbers(im, nn, "default_joint_pos", m->njoint, pose.v) &&
           numbers(im, nn, "action_scale", m->njoint, scale.v) && comma_terms(im, nn) &&
           comma_motion(im, nn);
}

// ---- Holosoma ----

static const struct {
    const char *name;
    qi_term_kind kind;
    int naxis, axis[2];
    qi_phase_form form;
    double scale; // of its G1 configuration, where the file says nothing
} holo[] = {{"actions", QI_TERM_ACTION, 0, {0}, 0, 1},
            {"base_ang_vel", QI_TERM_GYRO, 0, {0}, 0, 0.25},
            {"base_lin_vel", QI_TERM_LIN_VEL, 0, {0}, 0, 2},
            {"command_ang_vel", QI_TERM_COMMAND, 1, {2}, 0, 1},
            {"command_lin_vel", QI_TERM_COMMAND, 2, {0, 1}, 0, 1},
            {"cos_phase", QI_TERM_PHASE, 0, {0}, QI_PHASE_COS, 1},
            {"dof_pos", QI_TERM_JOINT_POS, 0, {0}, 0, 1},
            {"dof_vel", QI_TERM_JOINT_VEL, 0, {0}, 0, 0.05},
            {"projected_gravity", QI_TERM_GRAVITY, 0, {0}, 0, 1},
            {"sin_phase", QI_TERM_PHASE, 0, {0}, QI_PHASE_SIN, 1}};
enum { NHOLO = sizeof holo / sizeof *holo };

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// Names in alphabetical order, each term with all its frames, oldest first, zeros at the start.
static bool holo_terms(qi_import *im, const qi_js *config) {
    qi_manifest *m = im->m;
    const qi_js *groups = qi_js_get(qi_js_get(config, "observation"), "groups");
    const qi_js *group = qi_js_get(groups, "actor_obs"), *terms = qi_js_get(group, "terms");
    const char *name[NHOLO + 1], *known[NHOLO];
    int n = 0;
    for (int i = 0; i < NHOLO; i++) known[i] = holo[i].name;
    for (const qi_js *e = terms ? terms->first : NULL; e; e = e->next) {
        if (n == NHOLO) return wrong(im, "experiment_config: more than %d terms", NHOLO);
        name[n++] = e->key;
    }
    if (!terms) {
        for (int i = 0; i < NHOLO; i++)
            if (holo[i].kind != QI_TERM_LIN_VEL) name[n++] = known[i];
        qi_im_note(im, "the file does not name its observations: those of Holosoma's walking G1");
    }
    qsort(name, (size_t)n, sizeof *name, by_text);
    double history = qi_js_num(group, "history_length", 1);
    if (!(history >= 1 && history <= QI_MAN_HISTORY))
        return wrong(im, "experiment_config: history_length %g", history);
    m->obs.history = (int)history, m->obs.by_term = m->obs.fill_zero = true;
    for (int i = 0; i < n; i++) {
        int k = 0;
        while (k < NHOLO && strcmp(known[k], name[i]) != 0) k++;
        if (k == NHOLO) {
            const char *near = qiao_nearest(name[i], known, NHOLO);
            return wrong(im, "experiment_config: what '%.60s' is made of is not known%s%s%s",
                         name[i], near ? "; near: '" : "", near ? near : "", near ? "'" : "");
        }
        double s = qi_js_num(qi_js_get(terms, name[i]), "scale", holo[k].scale);
        qi_term *t = qi_im_term(im, &m->obs, holo[k].kind, s);
        if (!t) return false;
        t->form = holo[k].form, t->naxis = holo[k].naxis;
        memcpy(t->axis, holo[k].axis, sizeof holo[k].axis);
    }
    return true;
}

static bool holo_config(qi_import *im, const qiao_nn *nn) {
    qi_manifest *m = im->m;
    const char *text = qiao_nn_meta(nn, "experiment_config");
    const qi_js *c = NULL;
    qiao_diag own = {0};
    if (text && strlen(text) <= META_BYTES) {
        c = qi_js_read(m->arena, text, strlen(text), &own);
        if (!c) return wrong(im, "metadata experiment_config: %.300s", own.text);
    }
    const qi_js *robot = qi_js_get(c, "robot");
    const qi_js *pose = qi_js_get(qi_js_get(robot, "init_state"), "default_joint_angles");
    double scale = qi_js_num(qi_js_get(robot, "control"), "action_scale", 0.25);
    row q = {m->default_pose}, a = {m->action.scale};
    for (int i = 0; i < m->njoint; i++) {
        const qi_js *v = qi_js_get(pose, m->joint[i]);
        if (v) q.v[i] = v->num;
        a.v[i] = scale;
    }
    if (!pose && im->robot)
        for (int i = 0; i < m->njoint; i++) {
            int j = qiao_model_joint(im->robot->model, m->joint[i]);
            if (j >= 0) q.v[i] = im->robot->rest_q[im->robot->model->jnt_qadr[j]];
        }
    if (!pose)
        qi_im_note(im, "the file has no default pose: %s",
                   im->robot ? "the robot's rest pose stands for it" : "0 stands for it");
    return holo_terms(im, c);
}

static bool holo_ranges(qi_import *im, const qiao_nn *nn) {
    qi_manifest *m = im->m;
    const char *text = qiao_nn_meta(nn, "command_ranges");
    qiao_diag own = {0};
    if (!text || strlen(text) > LIST_BYTES) return true;
    const qi_js *c = qi_js_read(m->arena, text, strlen(text), &own);
    if (!c) return wrong(im, "metadata command_ranges: %.300s", own.text);
    static const char *const key[] = {"lin_vel_x", "lin_vel_y", "ang_vel_yaw"};
    double *to[3] = {m->command.vx, m->command.vy, m->command.yaw_rate};
    for (int i = 0; i < 3; i++) {
        const qi_js *r = qi_js_get(c, key[i]);
        if (!r || r->kind != QI_JS_LIST || r->n != 2) continue;
        to[i][0] = r->first->num, to[i][1] = r->first->next->num;
        if (!(to[i][0] <= to[i][1]))
            return wrong(im, "metadata command_ranges: %s is upside down", key[i]);
    }
    return true;
}

static bool read_json(qi_import *im, const qiao_nn *nn) {
    qi_manifest *m = im->m;
    if (!name_joints(im, "dof_names", qiao_nn_meta(nn, "dof_names"))) return false;
    m->rate_hz = 50, m->action.offset = m->default_pose;
    m->clock.hz = 1, m->clock.nleg = 2, m->clock.leg[1] = 0.5;
    m->clock.stand_below = 0.01, m->clock.stand_phase = 0.5;
    qi_im_note(im, "50 decisions a second and a gait of 1 Hz on two legs: Holosoma's own settings");
    if (!gains(im, nn, "kp", "kd") || !holo_config(im, nn) || !holo_ranges(im, nn)) return false;
    row a = {m->action.scale};
    return numbers(im, nn, "action_scale", m->njoint, a.v);
}

// ---- MuJoCo Playground: no metadata; the contract follows from the sizes ----

static void joystick_head(qi_import *im, qi_obs_group *g) {
    qi_im_term(im, g, QI_TERM_LIN_VEL, 1), qi_im_term(im, g, QI_TERM_GYRO, 1);
    qi_im_term(im, g, QI_TERM_GRAVITY, 1);
}
static void joystick_body(qi_import *im, qi_obs_group *g) {
    qi_im_term(im, g, QI_TERM_JOINT_POS, 1), qi_im_term(im, g, QI_TERM_JOINT_VEL, 1);
    qi_im_term(im, g, QI_TERM_ACTION, 1);
}

static void reorient(qi_import *im, qi_obs_group *g) {
    qi_manifest *m = im->m;
    qi_term *t = qi_im_term(im, g, QI_TERM_JOINT_POS, 1);
    if (t) t->relative = false;
    qi_im_term(im, g, QI_TERM_JOINT_ERROR, 1);
    // theirs is palm less cube
    if ((t = qi_im_term(im, g, QI_TERM_OBJECT_POS, -1))) {
        t->object = "cube", t->relative_to = "grasp_site", t->frame = "world";
    }
    if ((t = qi_im_term(im, g, QI_TERM_OBJECT_ROT, 1)))
        t->object = "cube", t->goal = "command_orientation", t->sixd = QI_SIXD_ROWS;
    qi_im_term(im, g, QI_TERM_ACTION, 1);
    qi_action_kind *of = qiao_arena_get(m->arena, QI_MAN_JOINTS * sizeof *of);
    double *reach = qi_im_row(im, 2 * m->njoint, NAN);
    for (int i = 0; of && i < m->njoint; i++) of[i] = QI_ACTION_DELTA;
    if (of && reach) m->action.of = of, m->action.kind = QI_ACTION_DELTA, m->action.reach = reach;
    m->rate_hz = 20;
}

static bool read_playground(qi_import *im, int in, int out) {
    qi_manifest *m = im->m;
    int n = out;
    if (n < 1 || n > QI_MAN_JOINTS || (in != 3 * n + 12 && in != 3 * n + 16 && in != 3 * n + 9))
        return wrong(im,
                     "has no metadata, and %d numbers in, %d out fit no contract of MuJoCo "
                     "Playground; write a manifest (docs/manifest.md)",
                     in, out);
    if (!qi_im_joints(im, n) ||
        !qi_im_robot_joints(im, NULL, n, "it has no metadata, so no names of joints"))
        return false;
    const qiao_robot *r = im->robot;
    row pose = {m->default_pose}, scale = {m->action.scale};
    for (int i = 0; i < n; i++) {
        int j = qiao_model_joint(r->model, m->joint[i]);
        pose.v[i] = j >= 0 ? r->rest_q[r->model->jnt_qadr[j]] : 0, scale.v[i] = 0.5;
    }
    m->rate_hz = 50, m->name = m->robot = r->name, m->action.offset = m->default_pose;
    m->physics.step = r->model->dt;
    qi_obs_group *g = &m->obs;
    if (in == 3 * n + 9) {
        reorient(im, g);
        double *zero = qi_im_row(im, n, 0);
        if (zero) m->action.offset = zero;
    } else if (in == 3 * n + 12) {
        joystick_head(im, g), joystick_body(im, g), qi_im_term(im, g, QI_TERM_COMMAND, 1);
    } else {
        joystick_head(im, g), qi_im_term(im, g, QI_TERM_COMMAND, 1), joystick_body(im, g);
        qi_term *c = qi_im_term(im, g, QI_TERM_PHASE, 1), *s = qi_im_term(im, g, QI_TERM_PHASE, 1);
        if (c && s) c->form = QI_PHASE_COS, s->form = QI_PHASE_SIN;
        m->clock.hz = 1.5, m->clock.nleg = 2, m->clock.leg[1] = 0.5;
    }
    qi_im_note(im,
               "default pose: the rest pose of '%s'; action scale 0.5; observations by size: %s",
               r->name,
               in == 3 * n + 9    ? "an object turned in a hand"
               : in == 3 * n + 12 ? "a joystick quadruped"
                                  : "a joystick biped");
    return im->d->err == QIAO_OK;
}

static bool read_any(qi_import *im, const qiao_nn *nn) {
    qi_manifest *m = im->m;
    if (qiao_nn_meta(nn, "dof_names")) return m->form = QI_FORM_META_JSON, read_json(im, nn);
    if (qiao_nn_meta(nn, "joint_names")) return m->form = QI_FORM_META_COMMA, read_comma(im, nn);
    m->form = QI_FORM_PLAYGROUND;
    return read_playground(im, qiao_nn_input(nn, 0)->size, qiao_nn_output(nn, 0)->size);
}

bool qi_import_onnx(qi_import *im, const char *path) {
    qi_manifest *m = im->m;
    qiao_nn *nn = qiao_nn_load(path, QIAO_NN_F32, im->d);
    if (!nn) return false;
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    m->policy.file = qiao_arena_text(m->arena, base, strlen(base));
    m->policy.path = qiao_arena_text(m->arena, path, strlen(path));
    bool ok = m->policy.file && m->policy.path && read_any(im, nn);
    if (!m->name && m->policy.file) // the file's name without .onnx
        m->name = qiao_arena_text(m->arena, m->policy.file, strlen(m->policy.file) - 5);
    qiao_nn_free(nn);
    return ok;
}
