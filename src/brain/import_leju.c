// SPDX-License-Identifier: Apache-2.0
// import_leju.c - the controller YAML of Leju's humanoids, with or without its outer key
// HumanoidRobotCfg.
// source   LejuRobotics/LejuLab-Deploy, docs/lejulab-model-deployment.md
#include "brain/import.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef union row {
    const double *c;
    double *v;
} row;

static const struct {
    const char *name;
    qi_term_kind kind;
} terms[] = {{"base_ang_vel", QI_TERM_GYRO},
             {"projected_gravity", QI_TERM_GRAVITY},
             {"base_lin_vel", QI_TERM_LIN_VEL},
             {"velocity_commands", QI_TERM_COMMAND},
             {"cmd_stance", QI_TERM_STANCE},
             {"joint_pos", QI_TERM_JOINT_POS},
             {"joint_vel", QI_TERM_JOINT_VEL},
             {"actions", QI_TERM_ACTION},
             {"motion_command", QI_TERM_MOTION},
             {"motion_target_height", QI_TERM_HEIGHT},
             {"motion_anchor_ori_b", QI_TERM_ANCHOR_ORI}};
enum { NTERM = sizeof terms / sizeof *terms };

// A joint whose direction is -1 turns the other way than the robot's: its numbers change sign.
static bool turn(qi_import *im, yaml_node_t *robot) {
    qi_manifest *m = im->m;
    yaml_node_t *at = qi_yaml_get(im->y, robot, "joint_direction");
    double dir[QI_MAN_JOINTS];
    if (!at) return true;
    if (!qi_im_list(im, at, "joint_direction", m->njoint, false, dir)) return false;
    bool any = false;
    for (int i = 0; i < m->njoint; i++) {
        if (dir[i] != 1 && dir[i] != -1)
            return qi_yaml_fault(im->y, qi_yaml_item(im->y, at, i),
                                 "joint_direction: expected 1 or -1, not %g", dir[i]);
        any |= dir[i] < 0;
    }
    if (any)
        qi_im_note(im, "joint_direction is between policy and motors; the robot's model has the "
                       "policy's signs");
    return true;
}

static bool read_robot(qi_import *im, yaml_node_t *robot) {
    qi_manifest *m = im->m;
    qi_yaml *y = im->y;
    yaml_node_t *names = qi_im_need(im, robot, "joint_names");
    int n = names ? qi_im_count(im, names, "joint_names", QI_MAN_JOINTS) : -1;
    if (n < 1) return n < 0 ? false : qi_yaml_fault(y, names, "joint_names: it is empty");
    if (!qi_im_joints(im, n)) return false;
    for (int i = 0; i < n; i++) {
        yaml_node_t *item = qi_yaml_item(y, names, i);
        const char *s = qi_yaml_scalar(item);
        if (!s || !*s) return qi_yaml_fault(y, item, "joint_names: expected a name");
        qi_im_name_joint(im, i, s, item);
    }
    static const char *const key[] = {"joint_default_pos", "actuator_kp", "actuator_kd",
                                      "joint_torque_limit", "action_scale"};
    row to[5] = {{m->default_pose}, {m->kp}, {m->kd}, {m->torque_limit}, {m->action.scale}};
    for (int i = 0; i < 5; i++) {
        yaml_node_t *v = qi_im_need(im, robot, key[i]);
        if (!v || !qi_im_list(im, v, key[i], n, true, to[i].v)) return false;
    }
    m->action.offset = m->default_pose;
    return turn(im, robot) && qi_yaml_bool(y, robot, "residual_action", &m->action.residual);
}

// 0 and 2 are position targets (who closes the loop differs), 1 is a velocity.
static bool read_modes(qi_import *im, yaml_node_t *robot) {
    qi_manifest *m = im->m;
    double mode[QI_MAN_JOINTS];
    yaml_node_t *at = qi_yaml_get(im->y, robot, "actuator_control_mode");
    if (!at) return true;
    if (!qi_im_list(im, at, "actuator_control_mode", m->njoint, true, mode)) return false;
    bool vel = false;
    for (int i = 0; i < m->njoint; i++) {
        if (mode[i] != 0 && mode[i] != 1 && mode[i] != 2)
            return qi_yaml_fault(im->y, at, "actuator_control_mode: expected 0, 1 or 2, not %g",
                                 mode[i]);
        vel |= mode[i] == 1;
    }
    if (vel)
        qi_im_note(im, "actuator_control_mode 1 lets the motor close a velocity loop; here every "
                       "drive closes kp (q* - q) - kd qd");
    return true;
}

static bool read_terms(qi_import *im, yaml_node_t *obs) {
    qi_manifest *m = im->m;
    qi_yaml *y = im->y;
    const char *known[NTERM];
    for (int i = 0; i < NTERM; i++) known[i] = terms[i].name;
    yaml_node_t *list = qi_im_need(im, obs, "terms"), *v;
    double history = 1;
    if (!list || !qi_yaml_num(y, obs, "history_length", 1, QI_MAN_HISTORY, &history)) return false;
    if (list->type != YAML_MAPPING_NODE) return qi_yaml_fault(y, list, "terms: expected a map");
    m->obs.history = (int)history;
    if ((v = qi_yaml_get(y, obs, "stack_order"))) {
        static const char *const order[] = {"classic", "isaaclab"};
        int k = qi_im_choice(im, v, "stack_order", order, 2);
        if (k < 0) return false;
        m->obs.by_term = k == 1;
    }
    for (yaml_node_pair_t *p = list->data.mapping.pairs.start; p < list->data.mapping.pairs.top;
         p++) {
        yaml_node_t *key = qi_yaml_node(y, p->key), *val = qi_yaml_node(y, p->value);
        int k = qi_im_choice(im, key, "terms", known, NTERM);
        double scale = 1;
        if (k < 0) return false;
        if (val->type != YAML_MAPPING_NODE)
            return qi_yaml_fault(y, val, "%s: expected scale and clip", known[k]);
        if (!qi_yaml_num(y, val, "scale", -1e6, 1e6, &scale)) return false;
        qi_term *t = qi_im_term(im, &m->obs, terms[k].kind, scale);
        if (!t) return false;
        t->at = (qi_mark){(int)key->start_mark.line + 1, (int)key->start_mark.column + 1};
        if ((v = qi_yaml_get(y, val, "clip")) && !qi_im_list(im, v, "clip", 2, false, t->clip))
            return false;
    }
    return true;
}

static bool read_range(qi_import *im, yaml_node_t *env) {
    qi_manifest *m = im->m;
    yaml_node_t *r = qi_yaml_get(im->y, env, "command_range");
    if (!r) r = qi_yaml_get(im->y, im->root, "command_range");
    if (!r) return true;
    static const char *const key[] = {"lin_vel_x", "lin_vel_y", "ang_vel_z"};
    double *to[3] = {m->command.vx, m->command.vy, m->command.yaw_rate};
    for (int i = 0; i < 3; i++) {
        yaml_node_t *v = qi_yaml_get(im->y, r, key[i]);
        if (v && !qi_im_list(im, v, key[i], 2, false, to[i])) return false;
    }
    return true;
}

// motion: the default one of its list.
static bool read_motion(qi_import *im, yaml_node_t *cfg) {
    qi_manifest *m = im->m;
    qi_yaml *y = im->y;
    yaml_node_t *at = qi_yaml_get(y, cfg, "motion");
    yaml_node_t *list = at ? qi_im_need(im, at, "motions") : NULL;
    int n = list ? qi_im_count(im, list, "motions", 256) : -1;
    const char *want = NULL;
    if (!at) return true;
    if (n < 1) return n < 0 ? false : qi_yaml_fault(y, list, "motions: it is empty");
    if (!qi_yaml_text(y, at, "default_motion", &want)) return false;
    for (int i = 0; i < n; i++) {
        yaml_node_t *e = qi_yaml_item(y, list, i);
        const char *name = NULL, *file = NULL;
        if (!qi_im_need(im, e, "file") || !qi_yaml_text(y, e, "name", &name) ||
            !qi_yaml_text(y, e, "file", &file))
            return false;
        if (want && (!name || strcmp(want, name) != 0)) continue;
        m->motion.file = file, m->motion.rate_hz = 50;
        m->motion.path = qi_manifest_path(m->arena, im->dir, file, im->d);
        return m->motion.path != NULL;
    }
    return qi_yaml_fault(y, at, "default_motion: there is no '%.60s' among motions", want);
}

bool qi_import_leju(qi_import *im) {
    qi_manifest *m = im->m;
    qi_yaml *y = im->y;
    yaml_node_t *cfg = qi_yaml_get(y, im->root, "HumanoidRobotCfg");
    if (!cfg) cfg = im->root;
    yaml_node_t *env = qi_im_need(im, cfg, "env");
    if (!env) return false;
    yaml_node_t *robot = qi_yaml_get(y, env, "robot"), *obs = qi_yaml_get(y, env, "observations");
    if (!robot) robot = qi_im_need(im, cfg, "robot");
    if (robot && !obs) obs = qi_im_need(im, cfg, "observations");
    double dt = 0.02, below = 0.01;
    if (!robot || !obs || !qi_yaml_num(y, env, "policy_dt", 5e-4, 1, &dt) ||
        !qi_yaml_text(y, cfg, "policy_path", &m->policy.file))
        return false;
    yaml_node_t *stance = qi_yaml_get(y, cfg, "cmd_stance");
    if (stance && !qi_yaml_num(y, stance, "velocity_magnitude_threshold", 0, 10, &below))
        return false;
    m->rate_hz = 1 / dt, m->name = "leju", m->clock.stand_below = below;
    if (!read_robot(im, robot) || !read_modes(im, robot) || !read_terms(im, obs) ||
        !read_range(im, env) || !read_motion(im, cfg))
        return false;
    if (m->action.residual && !m->motion.file)
        return qi_yaml_fault(y, qi_yaml_get(y, robot, "residual_action"),
                             "residual_action: it is added to a motion, but there is none");
    if (!m->policy.file) return qi_yaml_fault(y, cfg, "'policy_path' is missing");
    m->policy.path = qi_manifest_path(m->arena, im->dir, m->policy.file, im->d);
    return m->policy.path != NULL;
}
