// SPDX-License-Identifier: Apache-2.0
// import_unitree.c - unitree_rl_lab's deploy.yaml (Isaac Lab) and unitree_rl_gym's YAML.
// source   unitreerobotics/unitree_rl_lab, unitreerobotics/unitree_rl_gym: deploy code
#include "brain/import.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// ---- deploy.yaml: gains in the order of the SDK, all else in the policy's ----

// joint_ids_map: the policy's joint i is number map[i] of the SDK, whose order is the robot's.
static bool map_joints(qi_import *im, int *ids) {
    yaml_node_t *at = qi_im_need(im, im->root, "joint_ids_map");
    int n = at ? qi_im_count(im, at, "joint_ids_map", QI_MAN_JOINTS) : -1;
    if (n < 1) return n < 0 ? false : qi_yaml_fault(im->y, at, "joint_ids_map: it is empty");
    if (!qi_im_joints(im, n)) return false;
    if (!im->robot)
        return qi_yaml_fault(im->y, at,
                             "joint_ids_map: the file numbers joints and names none; say whose "
                             "drives they are: 'qiao brains import FILE --robot R'");
    const qiao_model *q = im->robot->model;
    bool seen[QI_MAN_JOINTS] = {false};
    for (int i = 0; i < n; i++) {
        yaml_node_t *item = qi_yaml_item(im->y, at, i);
        double x;
        if (!qi_im_number(im, item, "joint_ids_map", &x)) return false;
        int id = (int)x;
        if (id != x || id < 0 || id >= q->nu || id >= QI_MAN_JOINTS)
            return qi_yaml_fault(im->y, item, "joint_ids_map: %g; '%s' has drives 0 to %d", x,
                                 im->robot->name, q->nu - 1);
        if (seen[id]) return qi_yaml_fault(im->y, item, "joint_ids_map: %d is there twice", id);
        seen[id] = true, ids[i] = id;
        const char *name = q->act_joint[id] >= 0 ? q->jnt_name[q->act_joint[id]] : q->act_name[id];
        qi_im_name_joint(im, i, qiao_arena_text(im->m->arena, name, strlen(name)), item);
    }
    return true;
}

// A list in the SDK's order to the policy's.
static bool sdk_list(qi_import *im, const char *key, const int *ids, const double *out) {
    yaml_node_t *at = qi_im_need(im, im->root, key);
    int n = at ? qi_im_count(im, at, key, QI_MAN_JOINTS) : -1;
    double x[QI_MAN_JOINTS];
    if (n < 0 || !qi_im_list(im, at, key, n, false, x)) return false;
    union {
        const double *c;
        double *v;
    } to = {out};
    for (int i = 0; i < im->m->njoint; i++) {
        if (ids[i] >= n)
            return qi_yaml_fault(im->y, at,
                                 "%s: %d numbers in the SDK's order, but joint_ids_map asks for "
                                 "number %d",
                                 key, n, ids[i]);
        to.v[i] = x[ids[i]];
    }
    return true;
}

static bool policy_list(qi_import *im, yaml_node_t *map, const char *key, const double *out) {
    union {
        const double *c;
        double *v;
    } to = {out};
    yaml_node_t *at = qi_yaml_get(im->y, map, key);
    const char *s = qi_yaml_scalar(at);
    if (!at || (s && (strcmp(s, "null") == 0 || strcmp(s, "~") == 0))) return true;
    return qi_im_list(im, at, key, im->m->njoint, true, to.v);
}

static bool is_null(yaml_node_t *at) {
    const char *s = qi_yaml_scalar(at);
    return !at || (s && (strcmp(s, "null") == 0 || strcmp(s, "~") == 0 || *s == 0));
}

static const struct {
    const char *name;
    qi_term_kind kind;
    bool absolute;
} deploy_terms[] = {{"base_ang_vel", QI_TERM_GYRO, false},
                    {"projected_gravity", QI_TERM_GRAVITY, false},
                    {"base_lin_vel", QI_TERM_LIN_VEL, false},
                    {"velocity_commands", QI_TERM_COMMAND, false},
                    {"keyboard_velocity_commands", QI_TERM_COMMAND, false},
                    {"joint_pos_rel", QI_TERM_JOINT_POS, false},
                    {"joint_pos", QI_TERM_JOINT_POS, true},
                    {"joint_vel_rel", QI_TERM_JOINT_VEL, false},
                    {"joint_vel", QI_TERM_JOINT_VEL, false},
                    {"last_action", QI_TERM_ACTION, false},
                    {"gait_phase", QI_TERM_PHASE, false}};
enum { NDEPLOY = sizeof deploy_terms / sizeof *deploy_terms };

static int dim_of(qi_import *im, qi_term_kind k) {
    if (k == QI_TERM_PHASE) return 2;
    return k == QI_TERM_JOINT_POS || k == QI_TERM_JOINT_VEL || k == QI_TERM_ACTION ? im->m->njoint
                                                                                   : 3;
}

static bool deploy_term(qi_import *im, yaml_node_t *key, yaml_node_t *at) {
    const char *known[NDEPLOY];
    for (int i = 0; i < NDEPLOY; i++) known[i] = deploy_terms[i].name;
    int k = qi_im_choice(im, key, "observations", known, NDEPLOY);
    if (k < 0) return false;
    if (at->type != YAML_MAPPING_NODE)
        return qi_yaml_fault(im->y, at, "%s: expected scale, clip and history_length", known[k]);
    qi_term *t = qi_im_term(im, &im->m->obs, deploy_terms[k].kind, 1);
    if (!t) return false;
    t->at = (qi_mark){(int)key->start_mark.line + 1, (int)key->start_mark.column + 1};
    t->relative = !deploy_terms[k].absolute;
    double history = 1;
    int n = dim_of(im, t->kind);
    yaml_node_t *scale = qi_yaml_get(im->y, at, "scale"), *clip = qi_yaml_get(im->y, at, "clip");
    if (!is_null(scale)) {
        double *x = qi_im_row(im, n, 1);
        if (!x || !qi_im_list(im, scale, "scale", n, true, x)) return false;
        t->scale = x, t->dim = n;
    }
    if (!is_null(clip) && !qi_im_list(im, clip, "clip", 2, false, t->clip)) return false;
    if (!qi_yaml_num(im->y, at, "history_length", 0, QI_MAN_HISTORY, &history)) return false;
    t->history = history < 1 ? 1 : (int)history;
    yaml_node_t *params = qi_yaml_get(im->y, at, "params");
    if (t->kind == QI_TERM_PHASE) {
        double period = 0.8;
        if (params && params->type == YAML_MAPPING_NODE &&
            !qi_yaml_num(im->y, params, "period", 0.05, 100, &period))
            return false;
        im->m->clock.hz = 1 / period, im->m->clock.advance_first = true;
    }
    return true;
}

static bool deploy_observations(qi_import *im) {
    yaml_node_t *at = qi_im_need(im, im->root, "observations");
    if (!at) return false;
    if (at->type != YAML_MAPPING_NODE)
        return qi_yaml_fault(im->y, at, "observations: expected terms");
    for (yaml_node_pair_t *p = at->data.mapping.pairs.start; p < at->data.mapping.pairs.top; p++) {
        yaml_node_t *key = qi_yaml_node(im->y, p->key), *val = qi_yaml_node(im->y, p->value);
        const char *s = qi_yaml_scalar(key);
        bool gym = false;
        if (s && strcmp(s, "use_gym_history") == 0) {
            if (!qi_yaml_bool(im->y, at, s, &gym)) return false;
            im->m->obs.by_term = !gym;
            continue;
        }
        if (!deploy_term(im, key, val)) return false;
    }
    int most = 1;
    for (int i = 0; i < im->m->obs.nterm; i++)
        if (im->m->obs.term[i].history > most) most = im->m->obs.term[i].history;
    im->m->obs.history = most;
    return true;
}

// One action term over all joints: position relative to offset; its clip is of the target.
static bool deploy_actions(qi_import *im) {
    qi_manifest *m = im->m;
    yaml_node_t *at = qi_im_need(im, im->root, "actions");
    if (!at) return false;
    if (at->type != YAML_MAPPING_NODE ||
        at->data.mapping.pairs.top - at->data.mapping.pairs.start != 1)
        return qi_yaml_fault(im->y, at, "actions: expected one, JointPositionAction");
    yaml_node_pair_t *p = at->data.mapping.pairs.start;
    static const char *const known[] = {"JointPositionAction", "JointVelocityAction",
                                        "JointEffortAction"};
    int k = qi_im_choice(im, qi_yaml_node(im->y, p->key), "actions", known, 3);
    yaml_node_t *a = qi_yaml_node(im->y, p->value);
    if (k < 0) return false;
    if (a->type != YAML_MAPPING_NODE) return qi_yaml_fault(im->y, a, "expected scale and offset");
    qi_action_kind *of = qiao_arena_get(m->arena, QI_MAN_JOINTS * sizeof *of);
    double *reach = qi_im_row(im, 2 * m->njoint, 0);
    if (!of || !reach) return false;
    for (int i = 0; i < m->njoint; i++)
        of[i] = k == 0 ? QI_ACTION_POSITION : k == 1 ? QI_ACTION_VELOCITY : QI_ACTION_TORQUE;
    m->action.of = of, m->action.kind = of[0];
    if (!policy_list(im, a, "scale", m->action.scale) ||
        !policy_list(im, a, "offset", m->action.offset))
        return false;
    if (k == 0 && is_null(qi_yaml_get(im->y, a, "offset"))) m->action.offset = m->default_pose;
    yaml_node_t *clip = qi_yaml_get(im->y, a, "clip");
    if (is_null(clip)) return true;
    int n = qi_im_count(im, clip, "clip", m->njoint);
    if (n >= 0 && n != m->njoint)
        return qi_yaml_fault(im->y, clip, "clip: %d pairs, expected %d", n, m->njoint);
    for (int i = 0; i < n; i++)
        if (!qi_im_list(im, qi_yaml_item(im->y, clip, i), "clip", 2, false, reach + 2 * i))
            return false;
    m->action.reach = reach;
    return n >= 0;
}

static bool range(qi_import *im, yaml_node_t *map, const char *key, double out[2]) {
    yaml_node_t *v = qi_yaml_get(im->y, map, key);
    return is_null(v) || qi_im_list(im, v, key, 2, false, out);
}

static bool deploy_commands(qi_import *im) {
    qi_yaml *y = im->y;
    yaml_node_t *c = qi_yaml_get(y, im->root, "commands");
    yaml_node_t *b = c ? qi_yaml_get(y, c, "base_velocity") : NULL;
    yaml_node_t *r = b ? qi_yaml_get(y, b, "ranges") : NULL;
    if (!r) return true;
    return range(im, r, "lin_vel_x", im->m->command.vx) &&
           range(im, r, "lin_vel_y", im->m->command.vy) &&
           range(im, r, "ang_vel_z", im->m->command.yaw_rate);
}

static bool there(const char *dir, const char *file) {
    char path[1200];
    snprintf(path, sizeof path, "%.900s/%.200s", dir, file);
    return access(path, R_OK) == 0;
}

static bool net_file(qi_import *im, const char *file) {
    im->m->policy.file = file;
    im->m->policy.path = qi_manifest_path(im->m->arena, im->dir, file, im->d);
    return im->m->policy.path != NULL;
}

bool qi_import_deploy(qi_import *im) {
    qi_manifest *m = im->m;
    int ids[QI_MAN_JOINTS];
    double dt = 0;
    if (!map_joints(im, ids) || !qi_im_need(im, im->root, "step_dt") ||
        !qi_yaml_num(im->y, im->root, "step_dt", 5e-4, 1, &dt) ||
        !sdk_list(im, "stiffness", ids, m->kp) || !sdk_list(im, "damping", ids, m->kd) ||
        !policy_list(im, im->root, "default_joint_pos", m->default_pose))
        return false;
    m->rate_hz = 1 / dt, m->obs.by_term = true, m->name = m->robot = im->robot->name;
    if (!deploy_observations(im) || !deploy_actions(im) || !deploy_commands(im)) return false;
    qi_im_note(im, "numbers of joint_ids_map count the drives of '%s'", im->robot->name);
    bool up = !there(im->dir, "policy.onnx") && there(im->dir, "../exported/policy.onnx");
    return net_file(im, up ? "../exported/policy.onnx" : "policy.onnx");
}

// ---- unitree_rl_gym ----

// Drives that the policy moves, by a list of motor numbers or the first ones.
static bool gym_joints(qi_import *im, int n) {
    qi_yaml *y = im->y;
    yaml_node_t *kps = qi_yaml_get(y, im->root, "kps");
    yaml_node_t *at = qi_yaml_get(y, im->root, "leg_joint2motor_idx");
    if (!at) at = qi_yaml_get(y, im->root, "joint2motor_idx");
    if (!qi_im_joints(im, n)) return false;
    double id[QI_MAN_JOINTS];
    for (int i = 0; i < n; i++) id[i] = i;
    if (at && !qi_im_list(im, at, "joint2motor_idx", n, false, id)) return false;
    if (!im->robot || !at)
        return qi_im_robot_joints(im, at ? at : kps, n, "the file names no joints");
    const qiao_model *q = im->robot->model;
    for (int i = 0; i < n; i++) {
        int k = (int)id[i];
        if (k != id[i] || k < 0 || k >= q->nu)
            return qi_yaml_fault(y, at, "motor %g; '%s' has drives 0 to %d", id[i], im->robot->name,
                                 q->nu - 1);
        const char *name = q->act_joint[k] >= 0 ? q->jnt_name[q->act_joint[k]] : q->act_name[k];
        qi_im_name_joint(im, i, qiao_arena_text(im->m->arena, name, strlen(name)), at);
    }
    return true;
}

// Arms and waist that are held while the legs walk.
static bool gym_hold(qi_import *im) {
    qi_yaml *y = im->y;
    qi_manifest *m = im->m;
    yaml_node_t *at = qi_yaml_get(y, im->root, "arm_waist_joint2motor_idx");
    int n = at ? qi_im_count(im, at, "arm_waist_joint2motor_idx", 64) : 0;
    double id[64], kp[64], kd[64], pose[64];
    if (n < 1) return n == 0;
    yaml_node_t *p = qi_im_need(im, im->root, "arm_waist_kps");
    yaml_node_t *d = p ? qi_im_need(im, im->root, "arm_waist_kds") : NULL;
    yaml_node_t *t = d ? qi_im_need(im, im->root, "arm_waist_target") : NULL;
    if (!t || !qi_im_list(im, at, "arm_waist_joint2motor_idx", n, false, id) ||
        !qi_im_list(im, p, "arm_waist_kps", n, false, kp) ||
        !qi_im_list(im, d, "arm_waist_kds", n, false, kd) ||
        !qi_im_list(im, t, "arm_waist_target", n, false, pose))
        return false;
    for (int i = 0; i < n; i++) {
        int k = (int)id[i];
        if (k != id[i] || k < 0 || k >= im->robot->model->nu)
            return qi_yaml_fault(y, at, "motor %g; '%s' has drives 0 to %d", id[i], im->robot->name,
                                 im->robot->model->nu - 1);
        const char *name = im->robot->model->act_name[k];
        m->hold[m->nhold++] = (struct qi_hold){
            .match = qiao_arena_text(m->arena, name, strlen(name)), pose[i], kp[i], kd[i], {0}};
    }
    return true;
}

// The network: its own name with .onnx if that lies beside, for what they publish is TorchScript.
static bool gym_net(qi_import *im) {
    const char *file = NULL;
    if (!qi_yaml_text(im->y, im->root, "policy_path", &file)) return false;
    if (!file) file = "policy.onnx";
    const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file;
    size_t n = strlen(base);
    if (n > 3 && strcmp(base + n - 3, ".pt") == 0) {
        const char *onnx = qiao_arena_printf(im->m->arena, "%.*s.onnx", (int)(n - 3), base);
        if (onnx && there(im->dir, onnx)) {
            qi_im_note(im, "%s beside the file stands for %s", onnx, base);
            return net_file(im, onnx);
        }
    }
    return net_file(im, file[0] == '{' ? base : file);
}

static bool gym_terms(qi_import *im, double nobs, const double *cmd) {
    qi_manifest *m = im->m;
    int n = m->njoint;
    double gyro = 1, pos = 1, vel = 1;
    if (!qi_yaml_num(im->y, im->root, "ang_vel_scale", 0, 1e3, &gyro) ||
        !qi_yaml_num(im->y, im->root, "dof_pos_scale", 0, 1e3, &pos) ||
        !qi_yaml_num(im->y, im->root, "dof_vel_scale", 0, 1e3, &vel))
        return false;
    bool clock = nobs == 11 + 3 * n || nobs == 0;
    if (!clock && nobs != 9 + 3 * n)
        return qi_yaml_fault(im->y, qi_yaml_get(im->y, im->root, "num_obs"),
                             "num_obs: %g; with %d joints it is %d, or %d without the gait's clock",
                             nobs, n, 11 + 3 * n, 9 + 3 * n);
    qi_im_term(im, &m->obs, QI_TERM_GYRO, gyro), qi_im_term(im, &m->obs, QI_TERM_GRAVITY, 1);
    qi_im_scale3(im, qi_im_term(im, &m->obs, QI_TERM_COMMAND, 1), cmd[0], cmd[1], cmd[2]);
    qi_im_term(im, &m->obs, QI_TERM_JOINT_POS, pos);
    qi_im_term(im, &m->obs, QI_TERM_JOINT_VEL, vel), qi_im_term(im, &m->obs, QI_TERM_ACTION, 1);
    if (clock) {
        qi_im_term(im, &m->obs, QI_TERM_PHASE, 1);
        m->clock.hz = 1 / 0.8, m->clock.advance_first = true;
        qi_im_note(im, "the gait's period is 0.8 s, as in the maker's code");
    }
    return im->d->err == QIAO_OK;
}

bool qi_import_rl_gym(qi_import *im) {
    qi_manifest *m = im->m;
    qi_yaml *y = im->y;
    yaml_node_t *kps = qi_yaml_get(y, im->root, "kps"), *v;
    double n = qi_yaml_count(kps), dt = 0, step = 0, decimation = 0, nobs = 0, scale = 1;
    double cmd[3] = {1, 1, 1}, most[3];
    union {
        const double *c;
        double *v;
    } kp, kd, pose, act;
    if (!qi_yaml_num(y, im->root, "num_actions", 1, QI_MAN_JOINTS, &n) ||
        !qi_yaml_num(y, im->root, "num_obs", 1, 1e5, &nobs) ||
        !qi_yaml_num(y, im->root, "control_dt", 5e-4, 1, &dt) ||
        !qi_yaml_num(y, im->root, "simulation_dt", 1e-5, 1, &step) ||
        !qi_yaml_num(y, im->root, "control_decimation", 1, 1000, &decimation) ||
        !qi_yaml_num(y, im->root, "action_scale", -1e3, 1e3, &scale))
        return false;
    if (n < 1 || n > QI_MAN_JOINTS) return qi_yaml_fault(y, kps, "kps: expected a list of gains");
    if (dt == 0) dt = step * decimation;
    if (dt == 0)
        return qi_yaml_fault(y, im->root,
                             "expected control_dt, or simulation_dt and control_decimation");
    yaml_node_t *angles = qi_im_need(im, im->root, "default_angles");
    if (!angles || !gym_joints(im, (int)n)) return false;
    kp.c = m->kp, kd.c = m->kd, pose.c = m->default_pose, act.c = m->action.scale;
    if (!qi_im_list(im, kps, "kps", (int)n, false, kp.v) ||
        !qi_im_list(im, qi_yaml_get(y, im->root, "kds"), "kds", (int)n, false, kd.v) ||
        !qi_im_list(im, angles, "default_angles", (int)n, false, pose.v))
        return false;
    if ((v = qi_yaml_get(y, im->root, "cmd_scale")) &&
        !qi_im_list(im, v, "cmd_scale", 3, false, cmd))
        return false;
    if ((v = qi_yaml_get(y, im->root, "max_cmd"))) {
        if (!qi_im_list(im, v, "max_cmd", 3, false, most)) return false;
        double *to[3] = {m->command.vx, m->command.vy, m->command.yaw_rate};
        for (int i = 0; i < 3; i++) to[i][0] = -fabs(most[i]), to[i][1] = fabs(most[i]);
    }
    for (int i = 0; i < (int)n; i++) act.v[i] = scale;
    m->action.offset = m->default_pose, m->rate_hz = 1 / dt, m->physics.step = step;
    m->name = m->robot = im->robot->name;
    return gym_terms(im, nobs, cmd) && gym_hold(im) && gym_net(im);
}
