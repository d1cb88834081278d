// SPDX-License-Identifier: Apache-2.0
// manifest.c - a manifest from any form: which reader, where the files are, what must fit.
#include "brain/import.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct {
    const char *name;
    int dim; // -1: as many as joints, -2: twice, 0: the term says
} kinds[QI_TERM_KINDS] = {
    [QI_TERM_GYRO] = {"base_ang_vel", 3},
    [QI_TERM_GRAVITY] = {"projected_gravity", 3},
    [QI_TERM_LIN_VEL] = {"base_lin_vel", 3},
    [QI_TERM_QUAT] = {"base_quat", 4},
    [QI_TERM_EULER] = {"base_euler", 3},
    [QI_TERM_COMMAND] = {"velocity_commands", 3},
    [QI_TERM_STANCE] = {"cmd_stance", 1},
    [QI_TERM_JOINT_POS] = {"joint_pos", -1},
    [QI_TERM_JOINT_VEL] = {"joint_vel", -1},
    [QI_TERM_JOINT_ERROR] = {"joint_error", -1},
    [QI_TERM_ACTION] = {"actions", -1},
    [QI_TERM_PHASE] = {"gait_phase", 0},
    [QI_TERM_SCAN] = {"height_scan", 0},
    [QI_TERM_OBJECT_POS] = {"object_pos", 3},
    [QI_TERM_OBJECT_ROT] = {"object_rot_error", 6},
    [QI_TERM_MOTION] = {"motion_command", -2},
    [QI_TERM_ANCHOR_ORI] = {"motion_anchor_ori_b", 6},
    [QI_TERM_ANCHOR_POS] = {"motion_anchor_pos_b", 3},
    [QI_TERM_HEIGHT] = {"motion_target_height", 1},
    [QI_TERM_CONSTANT] = {"constant", 0},
    [QI_TERM_SIGNAL] = {"signal", 0},
    [QI_TERM_ENCODER] = {"encoder", 0},
};
static const char *const forms[QI_FORM_KINDS] = {
    [QI_FORM_QIAO] = "brain.yaml",
    [QI_FORM_PLAYGROUND] = "MuJoCo Playground",
    [QI_FORM_RL_GYM] = "unitree_rl_gym YAML",
    [QI_FORM_DEPLOY] = "Isaac Lab deploy.yaml",
    [QI_FORM_RL_SAR] = "rl_sar config.yaml",
    [QI_FORM_LIMX_POINTFOOT] = "LimX params.yaml",
    [QI_FORM_LIMX_HUMANOID] = "LimX walk_param.yaml",
    [QI_FORM_LEJU] = "Leju controller YAML",
    [QI_FORM_META_COMMA] = "ONNX metadata as lists",
    [QI_FORM_META_JSON] = "ONNX metadata as JSON",
};

const char *qi_term_name(qi_term_kind k) { return kinds[k].name; }
const char *qi_form_name(qi_form f) { return forms[f]; }

int qi_manifest_joint(const qi_manifest *m, const char *name) {
    for (int i = 0; i < m->njoint; i++)
        if (m->joint[i] && strcmp(m->joint[i], name) == 0) return i;
    return -1;
}

qiao_err qi_manifest_fault(const qi_manifest *m, qi_mark at, qiao_err e, qiao_diag *d,
                           const char *fmt, ...) {
    char text[700];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return qiao_diag_set(d, e, m->file, at.line, at.col, "%s", text);
}

// ---- arrays and terms ----

double *qi_im_row(qi_import *im, int n, double value) {
    double *x = qiao_arena_get(im->m->arena, ((size_t)n + 1) * sizeof *x);
    for (int i = 0; x && i < n; i++) x[i] = value;
    if (!x) qiao_diag_set(im->d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    return x;
}

void qi_im_note(qi_import *im, const char *fmt, ...) {
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    qi_manifest *m = im->m;
    if (m->nnote < 16) m->note[m->nnote++] = qiao_arena_text(m->arena, text, strlen(text));
}

bool qi_im_joints(qi_import *im, int n) {
    qi_manifest *m = im->m;
    m->njoint = n;
    m->joint = qiao_arena_get(m->arena, ((size_t)n + 1) * sizeof *m->joint);
    m->joint_at = qiao_arena_get(m->arena, ((size_t)n + 1) * sizeof *m->joint_at);
    m->default_pose = qi_im_row(im, n, 0), m->torque_limit = qi_im_row(im, n, 0);
    m->kp = qi_im_row(im, n, -1), m->kd = qi_im_row(im, n, -1);
    m->action.of = qiao_arena_get(m->arena, ((size_t)n + 1) * sizeof *m->action.of);
    m->action.scale = qi_im_row(im, n, 1), m->action.offset = qi_im_row(im, n, 0);
    m->action.clip = qi_im_row(im, 2 * n, 0), m->action.reach = qi_im_row(im, 2 * n, 0);
    m->physics.armature = qi_im_row(im, n, -1), m->physics.damping = qi_im_row(im, n, -1);
    m->physics.friction = qi_im_row(im, n, -1);
    return m->joint && m->joint_at && m->action.of && im->d->err == QIAO_OK;
}

void qi_im_name_joint(qi_import *im, int i, const char *name, const yaml_node_t *at) {
    union { // filled once, by readers only
        const char *const *c;
        const char **v;
    } joint = {im->m->joint};
    union {
        const qi_mark *c;
        qi_mark *v;
    } mark = {im->m->joint_at};
    joint.v[i] = name;
    if (at) mark.v[i] = (qi_mark){(int)at->start_mark.line + 1, (int)at->start_mark.column + 1};
}

// Says in the file's terms what is wrong; forms without text have no place.
static bool fault(qi_import *im, yaml_node_t *at, const char *text) {
    if (im->root) return qi_yaml_fault(im->y, at, "%s", text);
    qiao_diag_set(im->d, QIAO_E_FIT, im->m->file, 0, 0, "%s", text);
    return false;
}

bool qi_im_robot_joints(qi_import *im, yaml_node_t *at, int n, const char *why) {
    char text[500];
    if (!im->robot) {
        snprintf(text, sizeof text,
                 "%s; say whose drives they are: 'qiao brains import FILE --robot R'", why);
        return fault(im, at, text);
    }
    const qiao_model *q = im->robot->model;
    if (q->nu != n) {
        snprintf(text, sizeof text, "the policy moves %d joints, '%s' has %d drives", n,
                 im->robot->name, q->nu);
        return fault(im, at, text);
    }
    for (int i = 0; i < n; i++) {
        const char *name = q->act_joint[i] >= 0 ? q->jnt_name[q->act_joint[i]] : q->act_name[i];
        qi_im_name_joint(im, i, qiao_arena_text(im->m->arena, name, strlen(name)), at);
    }
    return true;
}

qi_term *qi_im_term(qi_import *im, qi_obs_group *g, qi_term_kind kind, double scale) {
    qi_manifest *m = im->m;
    if (!g->term) g->term = qiao_arena_get(m->arena, QI_MAN_TERMS * sizeof *g->term);
    if (!g->term || g->nterm == QI_MAN_TERMS) {
        qiao_diag_set(im->d, QIAO_E_LIMIT, m->file, 0, 0, "more than %d terms", QI_MAN_TERMS);
        return NULL;
    }
    qi_term *t = &g->term[g->nterm++];
    *t = (qi_term){.kind = kind, .name = kinds[kind].name, .frame = "base", .to_unit = 1};
    t->relative = true;
    if (kind == QI_TERM_OBJECT_POS) t->frame = "world";
    double *x = qi_im_row(im, 1, scale);
    if (!x) return NULL;
    t->scale = x; // one number for all; spread by qi_im_finish
    return t;
}

void qi_im_scale3(qi_import *im, qi_term *t, double x, double y, double z) {
    double *s = qi_im_row(im, 3, x);
    if (!s || !t) return;
    s[1] = y, s[2] = z;
    t->scale = s, t->dim = 3; // dim > 0: the scale has as many
}

// ---- values of YAML ----

bool qi_im_number(qi_import *im, yaml_node_t *at, const char *what, double *x) {
    const char *s = qi_yaml_scalar(at);
    char *end = NULL;
    double v = s ? strtod(s, &end) : 0;
    if (!s || end == s || *end || !(fabs(v) < 1e9))
        return qi_yaml_fault(im->y, at, "%s: expected a number, not '%.60s'", what,
                             s ? s : "a list or a map");
    *x = v;
    return true;
}

int qi_im_count(qi_import *im, yaml_node_t *at, const char *what, int most) {
    int n = qi_yaml_count(at);
    if (n < 0 || n > most) {
        if (n < 0)
            qi_yaml_fault(im->y, at, "%s: expected a list", what);
        else
            qi_yaml_fault(im->y, at, "%s: a list of %d, at most %d can be", what, n, most);
        return -1;
    }
    return n;
}

bool qi_im_list(qi_import *im, yaml_node_t *at, const char *what, int n, bool one, double *x) {
    if (one && at && at->type == YAML_SCALAR_NODE) {
        double v;
        if (!qi_im_number(im, at, what, &v)) return false;
        for (int i = 0; i < n; i++) x[i] = v;
        return true;
    }
    int have = qi_yaml_count(at);
    if (have != n) {
        if (have < 0) return qi_yaml_fault(im->y, at, "%s: expected a list of %d numbers", what, n);
        return qi_yaml_fault(im->y, at, "%s: a list of %d numbers, expected %d", what, have, n);
    }
    for (int i = 0; i < n; i++)
        if (!qi_im_number(im, qi_yaml_item(im->y, at, i), what, &x[i])) return false;
    return true;
}

yaml_node_t *qi_im_need(qi_import *im, yaml_node_t *map, const char *key) {
    yaml_node_t *v = qi_yaml_get(im->y, map, key);
    if (!v) qi_yaml_fault(im->y, map, "'%s' is missing", key);
    return v;
}

int qi_im_choice(qi_import *im, yaml_node_t *at, const char *what, const char *const *known,
                 int n) {
    const char *s = qi_yaml_scalar(at);
    for (int i = 0; s && i < n; i++)
        if (strcmp(known[i], s) == 0) return i;
    const char *near = s ? qiao_nearest(s, known, n) : NULL;
    char all[400] = "";
    for (int i = 0; i < n && !near; i++)
        strncat(all, i ? ", " : "", sizeof all - strlen(all) - 1),
            strncat(all, known[i], sizeof all - strlen(all) - 1);
    if (near)
        qi_yaml_fault(im->y, at, "%s: there is no '%.60s'; did you mean '%s'?", what, s, near);
    else
        qi_yaml_fault(im->y, at, "%s: there is no '%.60s'; expected one of %s", what, s ? s : "",
                      all);
    return -1;
}

// ---- sizes and places ----

static int dim_of(const qi_manifest *m, const qi_term *t) {
    int n = kinds[t->kind].dim;
    if (n == 3 && t->naxis) return t->naxis;
    if (n > 0) return n;
    if (n == -1) return t->njoint;
    if (n == -2) return 2 * t->njoint;
    if (t->kind == QI_TERM_PHASE)
        return (t->form == QI_PHASE_SINCOS ? 2 : 1) * (m->clock.nleg ? m->clock.nleg : 1);
    if (t->kind == QI_TERM_SCAN) return t->grid[0] * t->grid[1];
    return t->dim;
}

static bool spread(qi_import *im, qi_term *t) {
    qi_manifest *m = im->m;
    int given = t->dim; // of the scale; 0: one number
    if (kinds[t->kind].dim < 0 && !t->joint) {
        int *j = qiao_arena_get(m->arena, ((size_t)m->njoint + 1) * sizeof *j);
        if (!j) return false;
        for (int i = 0; i < m->njoint; i++) j[i] = i;
        t->joint = j, t->njoint = m->njoint;
    }
    if (t->kind == QI_TERM_ENCODER) // its own size comes when its network is open
        return t->offset || (t->offset = qi_im_row(im, 1, 0));
    int dim = dim_of(m, t);
    if (!t->scale || (given == 0 && dim != 1)) {
        double *s = qi_im_row(im, dim, t->scale ? t->scale[0] : 1);
        if (!s) return false;
        t->scale = s;
    }
    if (!t->offset && !(t->offset = qi_im_row(im, dim, 0))) return false;
    t->dim = dim;
    if (t->history < 1) t->history = 0;
    return true;
}

bool qi_im_finish(qi_import *im) {
    qi_manifest *m = im->m;
    if (m->clock.nleg == 0) m->clock.nleg = 1;
    qi_obs_group *g[2] = {&m->enc, &m->obs};
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < g[k]->nterm; i++)
            if (!spread(im, &g[k]->term[i]))
                return qiao_diag_set(im->d, QIAO_E_MEM, NULL, 0, 0, "out of memory"), false;
    if (m->loop < 1) m->loop = 1;
    return qi_manifest_layout(m, im->d);
}

static bool layout_group(qi_manifest *m, qi_obs_group *g, const char *what, qiao_diag *d) {
    if (g->history < 1) g->history = 1;
    int frame = 0, size = 0;
    for (int i = 0; i < g->nterm; i++) {
        qi_term *t = &g->term[i];
        int h = t->history > 0 ? t->history : g->history;
        if (t->history > 0 && t->history != g->history && !g->by_term)
            return qi_manifest_fault(m, t->at, QIAO_E_FIT, d,
                                     "%s: a history of %d frames beside others of %d needs "
                                     "'layout: term'",
                                     t->name, t->history, g->history),
                   false;
        if (t->dim < 0 || t->dim > QI_MAN_INPUT || (t->dim == 0 && t->kind != QI_TERM_ENCODER))
            return qi_manifest_fault(m, t->at, QIAO_E_FIT, d, "%s: it would have %d numbers",
                                     t->name, t->dim),
                   false;
        t->at_frame = frame, t->at_input = size;
        frame += t->dim, size += t->dim * h;
        if (size > QI_MAN_INPUT)
            return qi_manifest_fault(m, t->at, QIAO_E_LIMIT, d,
                                     "%s: more than %d numbers would go into the network", what,
                                     QI_MAN_INPUT),
                   false;
    }
    g->frame = frame, g->size = size;
    return true;
}

// A name that can be written down and is no pattern.
static bool is_name(const char *s) {
    size_t n = 0;
    for (; s && s[n]; n++)
        if (n > 120 || (unsigned char)s[n] < 0x20 || strchr("*?[", s[n])) return false;
    return n > 0;
}

// A pair that is upside down, a gain below 0: whatever form it came in.
static const char *odd_values(const qi_manifest *m, qi_mark *at) {
    const double *pair[3] = {m->command.vx, m->command.vy, m->command.yaw_rate};
    for (int i = 0; i < 3; i++)
        if (pair[i][0] > pair[i][1]) return "a range of commands is upside down";
    for (int i = 0; i < m->njoint; i++) {
        *at = m->joint_at[i];
        const double *c = m->action.clip + 2 * i, *r = m->action.reach + 2 * i;
        if (c[0] > c[1] || r[0] > r[1]) return "a clip of the action is upside down";
        if ((m->kp[i] < 0 && m->kp[i] != -1) || (m->kd[i] < 0 && m->kd[i] != -1))
            return "a gain is below 0";
        if (m->torque_limit[i] < 0) return "a torque limit is below 0";
        if (m->kp[i] > 1e6 || m->kd[i] > 1e6) return "a gain is above 1e6";
    }
    *at = (qi_mark){0};
    for (int i = 0; i < m->nhold; i++)
        if (fabs(m->hold[i].pose) > 100 || m->hold[i].kp > 1e6 || m->hold[i].kd > 1e6 ||
            (m->hold[i].kp < 0 && m->hold[i].kp != -1) ||
            (m->hold[i].kd < 0 && m->hold[i].kd != -1))
            return "a joint is held by a gain or at an angle that cannot be";
    const qi_obs_group *g[2] = {&m->obs, &m->enc};
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < g[k]->nterm; i++) {
            *at = g[k]->term[i].at;
            if (g[k]->term[i].clip[0] > g[k]->term[i].clip[1]) return "its clip is upside down";
        }
    *at = (qi_mark){0};
    if (m->obs.clip < 0 || m->enc.clip < 0) return "a clip is below 0";
    if (m->physics.step != 0 && !(m->physics.step >= 1e-5 && m->physics.step <= 0.1))
        return "the physics step is not between 0.01 and 100 ms";
    return NULL;
}

bool qi_manifest_layout(qi_manifest *m, qiao_diag *d) {
    qi_mark at = {0};
    const char *odd = odd_values(m, &at);
    if (odd) return qi_manifest_fault(m, at, QIAO_E_FORMAT, d, "%s", odd), false;
    if (m->name && strlen(m->name) > 100)
        return qi_manifest_fault(m, (qi_mark){0}, QIAO_E_LIMIT, d, "its name is too long"), false;
    for (int i = 0; i < m->njoint; i++)
        if (!is_name(m->joint[i]))
            return qi_manifest_fault(m, m->joint_at[i], QIAO_E_FORMAT, d,
                                     "'%.60s' is no name of a joint",
                                     m->joint[i] ? m->joint[i] : ""),
                   false;
    for (int i = 0; i < m->njoint; i++)
        for (int k = 0; k < i; k++)
            if (m->joint[i] && m->joint[k] && strcmp(m->joint[i], m->joint[k]) == 0)
                return qi_manifest_fault(m, m->joint_at[i], QIAO_E_FIT, d,
                                         "the joint '%.80s' is named twice", m->joint[i]),
                       false;
    if (m->njoint < 1)
        return qi_manifest_fault(m, (qi_mark){0}, QIAO_E_FORMAT, d, "it names no joints"), false;
    if (m->obs.nterm < 1)
        return qi_manifest_fault(m, (qi_mark){0}, QIAO_E_FORMAT, d,
                                 "nothing goes into the policy: 'observation' has no terms"),
               false;
    if (!(m->rate_hz >= 1 && m->rate_hz * m->loop <= 2000))
        return qi_manifest_fault(m, (qi_mark){0}, QIAO_E_FORMAT, d,
                                 "%g decisions and %g commands a second; 1 to 2000 can be",
                                 m->rate_hz, m->rate_hz * m->loop),
               false;
    return layout_group(m, &m->enc, "encoder_observation", d) &&
           layout_group(m, &m->obs, "observation", d);
}

// ---- files ----

// (d may be NULL: the caller asks again when it matters.)
const char *qi_manifest_path(qiao_arena *a, const char *dir, const char *file, qiao_diag *d) {
    static const char var[] = "$QIAO_DATA/";
    if (strncmp(file, var, sizeof var - 1) == 0) {
        const char *data = getenv("QIAO_DATA");
        if (data && *data) return qiao_arena_printf(a, "%s/%s", data, file + sizeof var - 1);
        qiao_diag_set(d, QIAO_E_IO, NULL, 0, 0,
                      "'%.300s' is not part of this program: set QIAO_DATA to the folder with the "
                      "makers' files",
                      file);
        return NULL;
    }
    if (file[0] == '/' || !dir || !*dir) return qiao_arena_text(a, file, strlen(file));
    return qiao_arena_printf(a, "%s/%s", dir, file);
}

static bool has(qi_import *im, const char *key) {
    return qi_yaml_get(im->y, im->root, key) != NULL;
}

// rl_sar: one key, robot/config, over all others.
static bool is_rl_sar(qi_import *im) {
    yaml_node_pair_t *p = im->root->data.mapping.pairs.start;
    if (im->root->data.mapping.pairs.top - p != 1) return false;
    yaml_node_t *v = qi_yaml_node(im->y, p->value);
    return v->type == YAML_MAPPING_NODE &&
           (qi_yaml_get(im->y, v, "rl_kp") || qi_yaml_get(im->y, v, "num_observations") ||
            qi_yaml_get(im->y, v, "fixed_kp"));
}

static bool read_form(qi_import *im) {
    qi_manifest *m = im->m;
    if (has(im, "PointfootCfg")) return m->form = QI_FORM_LIMX_POINTFOOT, qi_import_pointfoot(im);
    yaml_node_t *cfg = qi_yaml_get(im->y, im->root, "HumanoidRobotCfg"); // of LimX and of Leju
    if (cfg && (qi_yaml_get(im->y, cfg, "env") || qi_yaml_get(im->y, cfg, "inference_engine")))
        return m->form = QI_FORM_LEJU, qi_import_leju(im);
    if (cfg) return m->form = QI_FORM_LIMX_HUMANOID, qi_import_humanoid(im);
    if (has(im, "joint_ids_map") || has(im, "step_dt"))
        return m->form = QI_FORM_DEPLOY, qi_import_deploy(im);
    if (has(im, "kps") && has(im, "kds")) return m->form = QI_FORM_RL_GYM, qi_import_rl_gym(im);
    if (has(im, "inference_engine") ||
        (has(im, "env") && has(im, "robot") && has(im, "observations")))
        return m->form = QI_FORM_LEJU, qi_import_leju(im);
    if (is_rl_sar(im)) return m->form = QI_FORM_RL_SAR, qi_import_rl_sar(im);
    return m->form = QI_FORM_QIAO, qi_read_qiao(im);
}

static qi_manifest *manifest_new(const char *file, qiao_diag *d) {
    qiao_arena *a = qiao_arena_new();
    qi_manifest *m = a ? qiao_arena_get(a, sizeof *m) : NULL;
    if (!m) {
        qiao_arena_free(a);
        qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
        return NULL;
    }
    m->arena = a, m->file = qiao_arena_text(a, file, strlen(file));
    m->physics.delay = -1, m->motion.rate_hz = 50;
    return m;
}

void qi_manifest_free(qi_manifest *m) {
    if (!m) return;
    qi_yaml_close(&m->y);
    qiao_arena_free(m->arena);
}

// Whatever form a manifest came in, brain.yaml can say it: a form that allows more is refused by
// the words of the one that does not.
static bool can_be_said(const qi_manifest *m, const char *dir, const qiao_robot *robot,
                        qiao_diag *d) {
    if (m->form == QI_FORM_QIAO) return true;
    char *text = qi_manifest_write(m);
    qiao_diag why = {0};
    qi_manifest *again =
        text ? qi_manifest_read("brain.yaml", text, strlen(text), dir, robot, &why) : NULL;
    free(text), qi_manifest_free(again);
    if (!again && why.err == QIAO_OK) why.err = QIAO_E_MEM;
    if (!again) qiao_diag_set(d, why.err, m->file, 0, 0, "as a manifest of Qiao: %s", why.text);
    return again != NULL;
}

qi_manifest *qi_manifest_read(const char *file, const char *text, size_t n, const char *dir,
                              const qiao_robot *robot, qiao_diag *d) {
    qiao_diag own = {0};
    if (!d) d = &own;
    qi_manifest *m = manifest_new(file, d);
    if (!m) return NULL;
    if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) text += 3, n -= 3; // a byte order mark
    qi_import im = {.m = m, .y = &m->y, .robot = robot, .dir = dir, .d = d};
    m->text = qiao_arena_text(m->arena, text, n);
    bool ok = m->text && qi_yaml_open(&m->y, m->file, m->text, n, d) &&
              (im.root = qi_yaml_root(&m->y)) && read_form(&im) && qi_im_finish(&im) &&
              can_be_said(m, dir, robot, d);
    qiao_hash h;
    qiao_hash_init(&h);
    qiao_hash_add(&h, text, n);
    qiao_hash_end(&h, m->hash);
    m->y.d = NULL;
    if (ok) return m;
    qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory"); // if nothing else was said
    qi_manifest_free(m);
    return NULL;
}

static qi_manifest *load_onnx(const char *path, const qiao_robot *robot, qiao_diag *d) {
    qi_manifest *m = manifest_new(path, d);
    if (!m) return NULL;
    qi_import im = {.m = m, .y = &m->y, .robot = robot, .dir = "", .d = d};
    if (qi_import_onnx(&im, path) && qi_im_finish(&im)) return m;
    qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    qi_manifest_free(m);
    return NULL;
}

static bool ends(const char *s, const char *end) {
    size_t n = strlen(s), k = strlen(end);
    return n >= k && strcmp(s + n - k, end) == 0;
}

// TorchScript and PyTorch checkpoints are zip files; pickles begin with 0x80.
static bool refuse_torch(const char *path, const char *text, size_t n, qiao_diag *d) {
    bool zip = n > 4 && memcmp(text, "PK\3\4", 4) == 0;
    bool pickle = n > 2 && (uint8_t)text[0] == 0x80 && text[1] >= 2 && text[1] <= 5;
    if (!zip && !pickle && !ends(path, ".pt") && !ends(path, ".pth")) return false;
    qiao_diag_set(d, QIAO_E_UNSUPPORTED, path, 0, 0,
                  "is TorchScript or a PyTorch checkpoint; export it where it was trained: "
                  "m = torch.jit.load('%.100s').eval(); torch.onnx.export(m, torch.zeros(1, "
                  "INPUTS), 'policy.onnx', opset_version=17)",
                  path);
    return true;
}

qi_manifest *qi_manifest_load(const char *path, const qiao_robot *robot, qiao_diag *d) {
    qiao_diag own = {0};
    if (!d) d = &own;
    char file[PATH_MAX], dir[PATH_MAX], *text = NULL;
    struct stat st;
    bool folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    if (strlen(path) + 16 > sizeof file) {
        qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0, "the path is too long: %.60s...", path);
        return NULL;
    }
    snprintf(file, sizeof file, "%s%s", path, folder ? "/brain.yaml" : "");
    if (ends(file, ".onnx")) return load_onnx(file, robot, d);
    snprintf(dir, sizeof dir, "%s", file);
    char *slash = strrchr(dir, '/');
    if (slash)
        *slash = 0;
    else
        strcpy(dir, ".");
    size_t n = 0;
    if (qiao_file_read(file, (size_t)64 << 20, &text, &n, d)) return NULL;
    qi_manifest *m = NULL;
    if (!refuse_torch(file, text, n, d)) m = qi_manifest_read(file, text, n, dir, robot, d);
    free(text);
    return m;
}
