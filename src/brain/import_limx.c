// SPDX-License-Identifier: Apache-2.0
// import_limx.c - LimX's params.yaml of the point-foot TRON1 and walk_param.yaml of its humanoids.
// source   limxdynamics/tron1-rl-deploy-python, humanoid-rl-deploy-python: their controllers
#include "brain/import.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef union row { // an array of the manifest, filled by its reader
    const double *c;
    double *v;
} row;

// Value of a key two or three maps down; fault at the first that is missing.
static yaml_node_t *down(qi_import *im, yaml_node_t *at, const char *a, const char *b) {
    yaml_node_t *v = qi_im_need(im, at, a);
    return v && b ? qi_im_need(im, v, b) : v;
}

static bool num(qi_import *im, yaml_node_t *map, const char *key, double lo, double hi, double *x) {
    return qi_im_need(im, map, key) && qi_yaml_num(im->y, map, key, lo, hi, x);
}

static const char *find_net(qi_import *im, const char *const *names, const char **file) {
    char path[1200];
    for (; *names; names++) {
        snprintf(path, sizeof path, "%.900s/%.200s", im->dir, *names);
        *file = *names;
        if (access(path, R_OK) == 0) break;
        if (!names[1]) break; // none is there: the first name stands in the error
    }
    return qi_manifest_path(im->m->arena, im->dir, *file, im->d);
}

typedef struct scales { // normalization: clip_scales, obs_scales
    double lin_vel, ang_vel, dof_pos, dof_vel, clip_obs, clip_act;
} scales;

static bool read_scales(qi_import *im, yaml_node_t *cfg, scales *s) {
    yaml_node_t *o = down(im, cfg, "normalization", "obs_scales");
    yaml_node_t *c = o ? down(im, cfg, "normalization", "clip_scales") : NULL;
    return c && num(im, o, "lin_vel", 0, 1e3, &s->lin_vel) &&
           num(im, o, "ang_vel", 0, 1e3, &s->ang_vel) &&
           num(im, o, "dof_pos", 0, 1e3, &s->dof_pos) &&
           num(im, o, "dof_vel", 0, 1e3, &s->dof_vel) &&
           num(im, c, "clip_observations", 0, 1e9, &s->clip_obs) &&
           num(im, c, "clip_actions", 0, 1e9, &s->clip_act);
}

static bool clip_actions(qi_import *im, double most) {
    qi_manifest *m = im->m;
    double *clip = qi_im_row(im, 2 * m->njoint, most);
    if (!clip) return false;
    for (int i = 0; i < m->njoint; i++) clip[2 * i] = -most;
    m->action.clip = clip;
    return true;
}

// ---- point-foot ----

static bool pf_joints(qi_import *im, yaml_node_t *cfg) {
    qi_manifest *m = im->m;
    yaml_node_t *names = qi_im_need(im, cfg, "joint_names");
    int n = names ? qi_im_count(im, names, "joint_names", QI_MAN_JOINTS) : -1;
    if (n < 1) return n < 0 ? false : qi_yaml_fault(im->y, names, "joint_names: it is empty");
    yaml_node_t *pose = down(im, cfg, "init_state", "default_joint_angle");
    if (!pose || !qi_im_joints(im, n)) return false;
    row q = {m->default_pose};
    for (int i = 0; i < n; i++) {
        yaml_node_t *item = qi_yaml_item(im->y, names, i);
        const char *s = qi_yaml_scalar(item);
        if (!s) return qi_yaml_fault(im->y, item, "joint_names: expected a name");
        qi_im_name_joint(im, i, s, item);
        yaml_node_t *a = qi_yaml_get(im->y, pose, s);
        if (!a) return qi_yaml_fault(im->y, pose, "default_joint_angle: no value for '%.60s'", s);
        if (!qi_im_number(im, a, "default_joint_angle", &q.v[i])) return false;
    }
    return true;
}

static void pf_frame(qi_import *im, qi_obs_group *g, const scales *s) {
    static const double gait[4] = {2.0, 0.5, 0.5, 0.1}; // as in the maker's code
    qi_im_term(im, g, QI_TERM_GYRO, s->ang_vel), qi_im_term(im, g, QI_TERM_GRAVITY, 1);
    qi_im_term(im, g, QI_TERM_JOINT_POS, s->dof_pos);
    qi_im_term(im, g, QI_TERM_JOINT_VEL, s->dof_vel);
    qi_term *a = qi_im_term(im, g, QI_TERM_ACTION, 1);
    if (a) a->act = QI_ACT_SENT;
    qi_im_term(im, g, QI_TERM_PHASE, 1);
    qi_term *c = qi_im_term(im, g, QI_TERM_CONSTANT, 0);
    double *x = qi_im_row(im, 4, 0), *zero = qi_im_row(im, 4, 0);
    if (!c || !x || !zero) return;
    memcpy(x, gait, sizeof gait), c->dim = 4, c->offset = x, c->scale = zero;
}

static bool pf_upright_imu(qi_import *im, yaml_node_t *cfg) {
    yaml_node_t *o = qi_yaml_get(im->y, cfg, "imu_orientation_offset");
    static const char *const axis[] = {"roll", "pitch", "yaw"};
    for (int i = 0; o && i < 3; i++) {
        double x = 0;
        if (!qi_yaml_num(im->y, o, axis[i], -7, 7, &x)) return false;
        if (x != 0)
            return qi_yaml_fault(
                im->y, qi_yaml_get(im->y, o, axis[i]),
                "imu_orientation_offset: an IMU that is mounted askew is a fact of "
                "the robot: turn its site");
    }
    return true;
}

bool qi_import_pointfoot(qi_import *im) {
    static const char *const policy[] = {"policy/policy.onnx", "policy/isaacgym/policy.onnx", NULL};
    static const char *const encoder[] = {"policy/encoder.onnx", "policy/isaacgym/encoder.onnx",
                                          NULL};
    qi_manifest *m = im->m;
    yaml_node_t *cfg = qi_yaml_get(im->y, im->root, "PointfootCfg");
    double loop = 0, decimation = 0, kp = 0, kd = 0, scale = 0, limit = 0, nobs = 0, frames = 0;
    scales s = {0};
    if (!pf_joints(im, cfg) || !read_scales(im, cfg, &s) || !pf_upright_imu(im, cfg)) return false;
    yaml_node_t *c = qi_im_need(im, cfg, "control"), *z = c ? qi_im_need(im, cfg, "size") : NULL;
    if (!z || !num(im, cfg, "loop_frequency", 1, 2000, &loop) ||
        !num(im, c, "decimation", 1, 1000, &decimation) ||
        !num(im, c, "stiffness", 0.001, 1e6, &kp) || !num(im, c, "damping", 0, 1e6, &kd) ||
        !num(im, c, "action_scale_pos", 1e-6, 1e3, &scale) ||
        !num(im, c, "user_torque_limit", 0.001, 1e6, &limit) ||
        !num(im, z, "observations_size", 1, 1e4, &nobs) ||
        !num(im, z, "obs_history_length", 1, QI_MAN_HISTORY, &frames))
        return false;
    int n = m->njoint;
    if (nobs != 12 + 3 * n)
        return qi_yaml_fault(im->y, qi_yaml_get(im->y, z, "observations_size"),
                             "observations_size: %g; with %d joints it is %d", nobs, n, 12 + 3 * n);
    row p = {m->kp}, d = {m->kd}, a = {m->action.scale}, t = {m->torque_limit};
    for (int i = 0; i < n; i++) p.v[i] = kp, d.v[i] = kd, a.v[i] = scale, t.v[i] = limit;
    m->rate_hz = loop / decimation, m->loop = (int)decimation;
    m->action.offset = m->default_pose, m->action.reclip = 1;
    m->clock.hz = 2, m->clock.advance_first = m->clock.restart = true;
    m->enc.history = (int)frames, m->obs.clip = s.clip_obs;
    pf_frame(im, &m->enc, &s);
    qi_im_term(im, &m->obs, QI_TERM_ENCODER, 1);
    pf_frame(im, &m->obs, &s);
    qi_im_scale3(im, qi_im_term(im, &m->obs, QI_TERM_COMMAND, 1), 1, 1, s.ang_vel);
    qi_im_note(im, "gait 2 Hz, 0.5, 0.5, 0.1 m, as in the maker's code");
    qi_im_note(im,
               "forward and sideways commands go in as they are, as in the maker's deployment; "
               "turning ones times %g, as in training, where all were multiplied by (%g, %g, %g)",
               s.ang_vel, s.lin_vel, s.lin_vel, s.ang_vel);
    m->name = "pointfoot";
    m->policy.path = find_net(im, policy, &m->policy.file);
    m->encoder.path = find_net(im, encoder, &m->encoder.file);
    return m->policy.path && m->encoder.path && clip_actions(im, s.clip_act);
}

// ---- humanoid ----

// The only place where the file names its joints: the comment after each number of action_scale.
static int names_in_comments(qi_import *im, const yaml_node_t *at, const char **name, int most) {
    const char *text = im->m->text;
    size_t line = 0, from = at->start_mark.line, to = at->end_mark.line;
    int n = 0;
    while (*text) {
        const char *end = strchr(text, '\n');
        size_t len = end ? (size_t)(end - text) : strlen(text);
        const char *hash = line >= from && line <= to ? memchr(text, '#', len) : NULL;
        bool number = false; // a number stands before the comment
        for (const char *c = text; hash && c < hash; c++) number |= isdigit((unsigned char)*c) != 0;
        if (hash && number && n < most) {
            const char *w = hash + 1;
            while (w < text + len && isspace((unsigned char)*w)) w++;
            size_t k = 0;
            while (w + k < text + len && (isalnum((unsigned char)w[k]) || w[k] == '_')) k++;
            if (k == 0 || k > 100) return -1;
            if (!(name[n++] = qiao_arena_text(im->m->arena, w, k))) return -1;
        }
        if (!end) break;
        text = end + 1, line++;
    }
    return n;
}

static bool hu_joints(qi_import *im, yaml_node_t *scale, int n) {
    const char *name[QI_MAN_JOINTS];
    if (names_in_comments(im, scale, name, QI_MAN_JOINTS) != n)
        return qi_im_robot_joints(im, scale, n, "the file names no joints");
    for (int i = 0; i < n; i++) qi_im_name_joint(im, i, name[i], qi_yaml_item(im->y, scale, i));
    qi_im_note(im, "joints are named by the comments at action_scale");
    return true;
}

bool qi_import_humanoid(qi_import *im) {
    qi_manifest *m = im->m;
    qi_yaml *y = im->y;
    yaml_node_t *cfg = qi_yaml_get(y, im->root, "HumanoidRobotCfg");
    yaml_node_t *c = qi_im_need(im, cfg, "control"), *z = c ? qi_im_need(im, cfg, "size") : NULL;
    yaml_node_t *scale = z ? qi_im_need(im, c, "action_scale") : NULL;
    int n = scale ? qi_im_count(im, scale, "action_scale", QI_MAN_JOINTS) : -1;
    if (n < 1) return n < 0 ? false : qi_yaml_fault(y, scale, "action_scale: it is empty");
    scales s = {0};
    double decimation = 10, nobs = 0, frames = 1, most[3] = {0};
    if (!qi_im_joints(im, n) || !hu_joints(im, scale, n) || !read_scales(im, cfg, &s)) return false;
    static const char *const list[] = {"action_scale", "kp", "kd", "default_angle",
                                       "user_torque_limit"};
    row to[5] = {{m->action.scale}, {m->kp}, {m->kd}, {m->default_pose}, {m->torque_limit}};
    for (int i = 0; i < 5; i++) {
        yaml_node_t *v = qi_im_need(im, c, list[i]);
        if (!v || !qi_im_list(im, v, list[i], n, false, to[i].v)) return false;
    }
    if (!num(im, c, "decimation", 1, 1000, &decimation) ||
        !num(im, z, "observations_size", 1, 1e5, &nobs) ||
        !num(im, z, "obs_history_length", 1, QI_MAN_HISTORY, &frames) ||
        !qi_yaml_num(y, c, "max_vx", 0, 100, &most[0]) ||
        !qi_yaml_num(y, c, "max_vy", 0, 100, &most[1]) ||
        !qi_yaml_num(y, c, "max_vz", 0, 100, &most[2]))
        return false;
    if (nobs != 9 + 3 * n)
        return qi_yaml_fault(y, qi_yaml_get(y, z, "observations_size"),
                             "observations_size: %g; with %d joints it is %d", nobs, n, 9 + 3 * n);
    double *range[3] = {m->command.vx, m->command.vy, m->command.yaw_rate};
    for (int i = 0; i < 3; i++) range[i][0] = -most[i], range[i][1] = most[i];
    qi_obs_group *g = &m->obs;
    qi_im_term(im, g, QI_TERM_GYRO, s.ang_vel), qi_im_term(im, g, QI_TERM_GRAVITY, 1);
    qi_im_term(im, g, QI_TERM_COMMAND, 1), qi_im_term(im, g, QI_TERM_JOINT_POS, s.dof_pos);
    qi_im_term(im, g, QI_TERM_JOINT_VEL, s.dof_vel);
    qi_term *a = qi_im_term(im, g, QI_TERM_ACTION, 1);
    if (a) a->act = QI_ACT_SENT;
    g->history = (int)frames, g->newest_first = true;
    m->loop = (int)decimation, m->rate_hz = 1000 / decimation;
    m->action.offset = m->default_pose, m->action.reclip = 0.95;
    qi_im_note(im, "the loop runs at 1000 Hz and cuts torques at 0.95, as in the maker's code");
    m->name = "humanoid";
    const char *dir = "";
    if (!qi_yaml_text(y, cfg, "policy_dir", &dir)) return false;
    const char *file = qiao_arena_printf(m->arena, "%s/policy.onnx", *dir == '/' ? dir + 1 : dir);
    if (!file) return false;
    m->policy.file = file, m->policy.path = qi_manifest_path(m->arena, im->dir, file, im->d);
    return m->policy.path && clip_actions(im, s.clip_act);
}
