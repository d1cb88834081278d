// SPDX-License-Identifier: Apache-2.0
// Makers' forms: small fixtures of each, faults in them, and the makers' own files beside ours.
#include "brain/policy.h"
#include "onnx_make.h"
#include "test.h"

#include <limits.h>
#include <unistd.h>

static qiao_robot *go2(void) {
    static qiao_robot *r;
    qiao_diag d = {0};
    if (!r) setenv("QIAO_HOME", ".", 0), r = qiao_robot_load("go2", &d);
    CHECK(r, "%s", d.text);
    return r;
}

static qi_manifest *load(const char *file, const qiao_robot *r) {
    qiao_diag d = {0};
    qi_manifest *m = qi_manifest_load(file, r, &d);
    CHECK(m, "%s", d.text);
    return m;
}

// The fixture with one change must be refused with these words.
static void refused(const char *file, const char *from, const char *to, const qiao_robot *r,
                    const char *says) {
    static char out[16384];
    char *text;
    size_t n;
    qiao_diag d = {0};
    CHECK(!qiao_file_read(file, sizeof out, &text, &n, &d), "%s", d.text);
    const char *at = strstr(text, from);
    CHECK(at, "'%s' is not in %s", from, file);
    snprintf(out, sizeof out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    free(text);
    qi_manifest *m = qi_manifest_read(file, out, strlen(out), NULL, r, &d);
    CHECK(!m, "%s with '%s' was read", file, to);
    CHECK_TEXT(d.text, says);
}

static bool is_joint(const qi_manifest *m, int i, const char *name) {
    return strcmp(m->joint[i], name) == 0;
}

#define DEPLOY "tests/data/manifest/deploy.yaml"
TEST(deploy_yaml_gains_in_the_sdks_order) {
    qi_manifest *m = load(DEPLOY, go2());
    CHECK(m->form == QI_FORM_DEPLOY && m->njoint == 12 && m->rate_hz == 50 && m->loop == 1);
    // the trap: the policy's second joint is the robot's seventh drive
    CHECK(is_joint(m, 0, "FL_hip_joint") && is_joint(m, 1, "RL_hip_joint"), "%s", m->joint[1]);
    CHECK(m->kp[1] == 16 && m->kd[1] == 0.7 && m->default_pose[1] == 0.2 &&
          m->action.scale[1] == 0.26);
    CHECK(is_joint(m, 11, "RR_calf_joint") && m->kp[11] == 21 && m->default_pose[11] == -1.4);
    CHECK(m->obs.by_term && m->obs.history == 3 && !m->obs.newest_first && m->obs.nterm == 7);
    CHECK(m->obs.term[0].scale[2] == 0.2 && m->obs.term[0].clip[0] == -10);
    CHECK(m->obs.term[2].history == 1 && m->obs.term[2].scale[2] == 2);
    CHECK(m->obs.size == 3 * (3 + 3 + 36) + 3 + 2, "%d", m->obs.size);
    CHECK_NEAR(m->clock.hz, 1 / 0.6, 1e-12);
    CHECK(m->command.vx[1] == 1.5 && m->command.yaw_rate[0] == -1);
    qi_manifest_free(m);
    refused(DEPLOY, "joint_ids_map", "joint_ids_map", NULL, "names none");
    refused(DEPLOY, "[0, 6, 3,", "[0, 6, 6,", go2(), ":3:23: joint_ids_map: 6 is there twice");
    refused(DEPLOY, "[0, 6, 3,", "[0, 6, 33,", go2(),
            "joint_ids_map: 33; 'go2' has drives 0 to 11");
    refused(DEPLOY, "19, 20, 21]", "19, 20]", go2(), "joint_ids_map asks for number 11");
    refused(DEPLOY, "base_ang_vel:", "base_ang_val:", go2(), "did you mean 'base_ang_vel'?");
    refused(DEPLOY, "0.34, 0.35, 0.36]", "0.34]", go2(),
            "scale: a list of 10 numbers, expected 12");
    refused(DEPLOY, "step_dt: 0.02", "step_dt: 0", go2(), "step_dt");
    refused(DEPLOY, "JointPositionAction", "JointPositonAction", go2(), "'JointPositionAction'");
}

#define GYM "tests/data/manifest/rl_gym.yaml"
TEST(unitree_rl_gym) {
    qi_manifest *m = load(GYM, go2());
    CHECK(m->form == QI_FORM_RL_GYM && m->njoint == 10 && m->rate_hz == 50);
    CHECK(is_joint(m, 0, "FR_hip_joint") && is_joint(m, 9, "RL_hip_joint"));
    CHECK(m->kp[9] == 29 && m->kd[9] == 0.7 && m->default_pose[7] == 1.0 &&
          m->action.scale[3] == 0.25);
    CHECK(m->obs.size == 41 && m->obs.term[2].kind == QI_TERM_COMMAND &&
          m->obs.term[2].scale[2] == 0.25);
    CHECK(m->obs.term[6].kind == QI_TERM_PHASE && m->clock.hz == 1.25 && m->clock.advance_first);
    CHECK(m->nhold == 2 && strcmp(m->hold[1].match, "RL_calf_joint") == 0 &&
          m->hold[1].pose == -1.6);
    CHECK(m->command.yaw_rate[1] == 1.57);
    // what they publish is TorchScript: opening it says how to convert
    qiao_diag d = {0};
    CHECK(!qi_policy_open(m, -1, &d), "it opened");
    CHECK_TEXT(d.text, "torch.onnx.export");
    refused(GYM, "num_obs: 41", "num_obs: 40", go2(),
            ":20:10: num_obs: 40; with 10 joints it is 41");
    refused(GYM, "default_angles", "default_angels", go2(), "'default_angles' is missing");
    refused(GYM, "[0.5, 0.5, ", "[0.5, ", go2(), "kds: a list of 9 numbers, expected 10");
    refused(GYM, "11, 6]", "11, 12]", go2(), "motor 12; 'go2' has drives 0 to 11");
}

#define SAR "tests/data/manifest/sar/go2/walk/config.yaml"
TEST(rl_sar_config_over_base) {
    qi_manifest *m = load(SAR, NULL);
    CHECK(m->form == QI_FORM_RL_SAR && m->njoint == 4 && m->rate_hz == 50 &&
          m->physics.step == 0.005);
    CHECK(is_joint(m, 0, "FL_hip_joint") && is_joint(m, 2, "FR_hip_joint"), "joint_mapping");
    CHECK(m->kp[3] == 23 && m->default_pose[0] == 0.1, "the config's own pose, not the base's 9");
    CHECK(m->torque_limit[2] == 45, "of the base");
    CHECK(m->obs.history == 6 && m->obs.newest_first && !m->obs.by_term && m->obs.clip == 50);
    CHECK(m->obs.frame == 27 && m->obs.size == 6 * 27, "%d", m->obs.frame);
    CHECK(m->obs.term[3].scale[0] == 1.5 && m->obs.term[3].scale[3] == 0,
          "a wheel has no position");
    CHECK(m->obs.term[5].act == QI_ACT_CLIPPED && m->obs.term[8].hz == 0.0625);
    CHECK(m->action.of[3] == QI_ACTION_VELOCITY && m->action.offset[3] == 0);
    CHECK(m->action.clip[6] == -8 && m->action.clip[7] == 10);
    qi_manifest_free(m);
    refused(SAR, "go2/walk:", "go2/walk:\n  dt: 0.005\n  decimation: 4\n  num_of_dofs: 4\n", NULL,
            "neither file names joints");
    char out[64] = "[0, 1, 2, 3, 4, 5]";
    refused(SAR, out, "[0, 1, 3]", NULL, "missing");
}

#define PF "tests/data/manifest/params.yaml"
TEST(limx_pointfoot) {
    qi_manifest *m = load(PF, NULL);
    CHECK(m->form == QI_FORM_LIMX_POINTFOOT && m->njoint == 4 && m->rate_hz == 50 && m->loop == 10);
    CHECK(m->default_pose[1] == -0.2 && m->default_pose[3] == -0.4, "bound by name");
    CHECK(m->kp[2] == 42 && m->kd[2] == 3.5 && m->torque_limit[0] == 80 && m->action.reclip == 1);
    CHECK(m->enc.history == 10 && m->enc.size == 240 && m->enc.clip == 0 && m->obs.clip == 100);
    CHECK(m->obs.term[0].kind == QI_TERM_ENCODER && m->obs.term[8].kind == QI_TERM_COMMAND);
    CHECK(m->obs.term[5].act == QI_ACT_SENT && m->obs.term[7].offset[3] == 0.1);
    CHECK(m->clock.hz == 2 && m->clock.restart && m->clock.advance_first &&
          m->action.clip[1] == 99);
    qi_manifest_free(m);
    refused(PF, "knee_R: -0.4", "kne_R: -0.4", NULL, "no value for 'knee_R'");
    refused(PF, "yaw: 0.0}", "yaw: 0.1}", NULL, "askew");
    refused(PF, "observations_size: 24", "observations_size: 30", NULL, "with 4 joints it is 24");
    refused(PF, "stiffness: 42.0, ", "", NULL, "'stiffness' is missing");
}

#define HU "tests/data/manifest/walk_param.yaml"
TEST(limx_humanoid_names_in_comments) {
    qi_manifest *m = load(HU, NULL);
    CHECK(m->form == QI_FORM_LIMX_HUMANOID && m->njoint == 4 && m->rate_hz == 100 && m->loop == 10);
    CHECK(is_joint(m, 0, "hip_L") && is_joint(m, 3, "knee_R"), "%s", m->joint[3]);
    CHECK(m->action.scale[3] == 0.13 && m->kp[1] == 93 && m->torque_limit[2] == 141);
    CHECK(m->obs.history == 5 && m->obs.newest_first && m->obs.size == 105);
    CHECK(m->action.reclip == 0.95 && m->command.yaw_rate[1] == 0.6);
    CHECK(strcmp(m->policy.path, "tests/data/manifest/policy/default/policy.onnx") == 0, "%s",
          m->policy.path);
    qi_manifest_free(m);
    refused(HU, "# knee_L", "", NULL, "the file names no joints");
    refused(HU, "kd: [17, 11,", "kd: [17,", NULL, "kd: a list of 3 numbers, expected 4");
}

#define LEJU "tests/data/manifest/leju.yaml"
TEST(leju_controller) {
    qi_manifest *m = load(LEJU, NULL);
    CHECK(m->form == QI_FORM_LEJU && m->njoint == 3 && m->rate_hz == 50 && m->action.residual);
    CHECK(m->obs.by_term && m->obs.history == 4 && m->obs.size == 4 * (6 + 1 + 6 + 3 + 1 + 3 + 3));
    CHECK(m->obs.term[6].clip[1] == 18 && m->obs.term[3].scale[0] == 0.2);
    CHECK(strcmp(m->motion.path, "tests/data/manifest/two.csv") == 0 && m->motion.rate_hz == 50);
    CHECK(m->kd[2] == 4 && m->command.vx[1] == 0.8);
    qi_manifest_free(m);
    refused(LEJU, "\"isaaclab\"", "\"isaacgym\"", NULL, "stack_order: there is no 'isaacgym'");
    refused(LEJU, "-1.0, 1.0]", "0.5, 1.0]", NULL, "joint_direction: expected 1 or -1, not 0.5");
    refused(LEJU, "[0, 0, 2]", "[0, 0, 3]", NULL, "expected 0, 1 or 2, not 3");
    refused(LEJU, "default_motion: \"two\"", "default_motion: \"three\"", NULL,
            "no 'three' among motions");
    refused(LEJU, "cmd_stance:", "cmd_stence:", NULL, "did you mean 'cmd_stance'?");
}

// ---- metadata ----

static const float ones[4096];

static qi_manifest *from_meta(int in, int out, const char *const *meta, const qiao_robot *r,
                              qiao_diag *d) {
    const char *path = "build/test_import.onnx";
    CHECK(onnx_layer(path, in, out, ones, meta), "cannot write %s", path);
    qi_manifest *m = qi_manifest_load(path, r, d);
    unlink(path);
    return m;
}

TEST(metadata_as_comma_lists) {
    const char *meta[] = {"joint_names",
                          "b, a",
                          "joint_stiffness",
                          "40.0,41.000",
                          "joint_damping",
                          "1.5,1.6",
                          "default_joint_pos",
                          "0.1,-0.2",
                          "action_scale",
                          "0.500",
                          "command_names",
                          "twist",
                          "observation_names",
                          "base_ang_vel,projected_gravity,command,joint_pos,joint_vel,actions",
                          "observation_history_lengths",
                          "2,1,1,2,2,1",
                          NULL};
    qiao_diag d = {0};
    qi_manifest *m = from_meta(24, 2, meta, NULL, &d);
    CHECK(m, "%s", d.text);
    CHECK(m->form == QI_FORM_META_COMMA && is_joint(m, 0, "b") && m->kp[1] == 41 &&
          m->kd[0] == 1.5);
    CHECK(m->default_pose[1] == -0.2 && m->action.scale[1] == 0.5 && m->action.offset[0] == 0.1);
    CHECK(m->obs.term[2].kind == QI_TERM_COMMAND && m->obs.size == 6 + 3 + 3 + 4 + 4 + 2);
    qi_manifest_free(m);
    meta[3] = "0.0,0.0", meta[5] = "0,0"; // empty words
    m = from_meta(24, 2, meta, NULL, &d);
    CHECK(m && m->kp[0] == -1 && m->kd[1] == -1, "%s", d.text);
    qi_manifest_free(m);
    meta[3] = "1,2,3";
    CHECK(!from_meta(24, 2, meta, NULL, &d));
    CHECK_TEXT(d.text, "joint_stiffness: 3 numbers, expected 2");
    d = (qiao_diag){0}, meta[3] = "1,2", meta[13] = "base_ang_vel,joint_poss", meta[15] = "1,1";
    CHECK(!from_meta(24, 2, meta, NULL, &d));
    CHECK_TEXT(d.text, "'joint_poss' is made of is not known; near: 'joint_pos'");
    d = (qiao_diag){0}, meta[13] = "command,motion_anchor_ori_b", meta[11] = "motion",
    meta[15] = "1,1";
    m = from_meta(10, 2, meta, NULL, &d);
    CHECK(m && m->obs.term[0].kind == QI_TERM_MOTION && m->obs.size == 10, "%s", d.text);
    qi_manifest_free(m);
}

TEST(metadata_as_json) {
    const char *meta[] = {
        "dof_names",
        "[\"b\", \"a\"]",
        "kp",
        "[40.0, 41.0]",
        "kd",
        "[1.5, 1.6]",
        "command_ranges",
        "{\"lin_vel_x\": [-1, 1.5]}",
        "experiment_config",
        "{\"robot\": {\"control\": {\"action_scale\": 0.3}, \"init_state\": "
        "{\"default_joint_angles\":"
        " {\"a\": 0.7}}}, \"observation\": {\"groups\": {\"actor_obs\": {\"history_length\": 2, "
        "\"terms\":"
        " {\"sin_phase\": {}, \"dof_vel\": {\"scale\": 0.1}, \"command_lin_vel\": {},"
        " \"base_ang_vel\": {}}}}}}",
        NULL};
    qiao_diag d = {0};
    qi_manifest *m = from_meta(18, 2, meta, NULL, &d);
    CHECK(m, "%s", d.text);
    CHECK(m->form == QI_FORM_META_JSON && m->kp[1] == 41 && m->default_pose[1] == 0.7);
    CHECK(m->action.scale[0] == 0.3 && m->command.vx[1] == 1.5);
    // alphabetical, whatever order the file has; zeros before the first frame
    CHECK(m->obs.term[0].kind == QI_TERM_GYRO && m->obs.term[0].scale[0] == 0.25);
    CHECK(m->obs.term[1].naxis == 2 && m->obs.term[2].scale[0] == 0.1);
    CHECK(m->obs.term[3].form == QI_PHASE_SIN && m->obs.fill_zero && m->obs.by_term);
    CHECK(m->obs.size == 2 * (3 + 2 + 2 + 2) && m->clock.nleg == 2, "%d", m->obs.size);
    qi_manifest_free(m);
    meta[3] = "[40.0, \"x\"]";
    CHECK(!from_meta(18, 2, meta, NULL, &d));
    CHECK_TEXT(d.text, "metadata kp: expected a number");
    d = (qiao_diag){0}, meta[1] = "[\"b\", ";
    CHECK(!from_meta(18, 2, meta, NULL, &d));
    CHECK_TEXT(d.text, "metadata dof_names");
}

TEST(playground_by_its_sizes) {
    qiao_diag d = {0};
    qi_manifest *m = from_meta(48, 12, NULL, go2(), &d);
    CHECK(m, "%s", d.text);
    CHECK(m->form == QI_FORM_PLAYGROUND && m->obs.term[0].kind == QI_TERM_LIN_VEL &&
          m->obs.size == 48);
    CHECK(is_joint(m, 3, "FR_hip_joint") && m->default_pose[1] == go2()->rest_q[8]);
    qi_manifest_free(m);
    CHECK(!from_meta(48, 12, NULL, NULL, &d));
    CHECK_TEXT(d.text, "no names of joints");
    d = (qiao_diag){0};
    CHECK(!from_meta(47, 12, NULL, go2(), &d));
    CHECK_TEXT(d.text, "47 numbers in, 12 out fit no contract");
}

// ---- the makers' own files give what stands in brains/ ----

static void same_rows(const qi_manifest *a, const qi_manifest *b, const double *x, const double *y,
                      const char *what) {
    for (int i = 0; i < a->njoint; i++) {
        int k = qi_manifest_joint(b, a->joint[i]);
        CHECK(k == i, "joint %d is '%s' here, and at %d there", i, a->joint[i], k);
        CHECK(x[i] == y[k], "%s of %s: %.17g and %.17g", what, a->joint[i], x[i], y[k]);
    }
}

static void same_groups(const qi_obs_group *a, const qi_obs_group *b) {
    CHECK(a->nterm == b->nterm && a->history == b->history && a->by_term == b->by_term &&
              a->newest_first == b->newest_first && a->clip == b->clip && a->size == b->size,
          "%d terms of %d", a->nterm, a->size);
    for (int i = 0; i < a->nterm; i++) {
        const qi_term *s = &a->term[i], *t = &b->term[i];
        CHECK(s->kind == t->kind && s->dim == t->dim && s->act == t->act && s->sixd == t->sixd &&
                  s->relative == t->relative && strcmp(s->frame, t->frame) == 0,
              "term %d: %s and %s", i, s->name, t->name);
        for (int j = 0; j < s->dim && s->kind != QI_TERM_ENCODER; j++)
            CHECK(s->scale[j] == t->scale[j] && s->offset[j] == t->offset[j], "%s %d", s->name, j);
    }
}

static void same(const char *robot, const char *file, const char *brain) {
    const char *data = test_data();
    char path[900], ours[200];
    qiao_diag d = {0};
    if (!data) SKIP("the makers' files are not at hand: $QIAO_DATA, ../shared/data");
    setenv("QIAO_DATA", data, 1), setenv("QIAO_HOME", ".", 0);
    snprintf(path, sizeof path, "%s/%s", data, file);
    snprintf(ours, sizeof ours, "brains/%s", brain);
    qiao_robot *r = robot ? qiao_robot_load(robot, &d) : NULL;
    CHECK(!robot || r, "%s", d.text);
    qi_manifest *a = load(path, r), *b = load(ours, NULL);
    CHECK(a->njoint == b->njoint && a->rate_hz == b->rate_hz && a->loop == b->loop, "%g %g",
          a->rate_hz, b->rate_hz);
    same_rows(a, b, a->default_pose, b->default_pose, "default_pose");
    same_rows(a, b, a->action.scale, b->action.scale, "scale");
    same_rows(a, b, a->action.offset, b->action.offset, "offset");
    if (a->kp[0] >= 0) same_rows(a, b, a->kp, b->kp, "kp"), same_rows(a, b, a->kd, b->kd, "kd");
    for (int i = 0; i < a->njoint; i++) CHECK(a->action.of[i] == b->action.of[i]);
    same_groups(&a->obs, &b->obs), same_groups(&a->enc, &b->enc);
    CHECK(a->action.reclip == b->action.reclip && a->clock.hz == b->clock.hz);
    CHECK(a->clock.restart == b->clock.restart && a->clock.advance_first == b->clock.advance_first);
    char one[PATH_MAX], two[PATH_MAX];
    CHECK(realpath(a->policy.path, one) && realpath(b->policy.path, two) && strcmp(one, two) == 0,
          "%s, %s", a->policy.path, b->policy.path);
    // and both open, with the same digest of the networks' numbers but their own manifests
    qi_policy *p = qi_policy_open(a, -1, &d), *q = qi_policy_open(b, -1, &d);
    CHECK(p && q, "%s", d.text);
    qi_policy_close(p), qi_policy_close(q), qiao_robot_free(r);
}

TEST(makers_go1) { same("go1", "mujoco_playground/sim2sim/go1_policy.onnx", "go1_playground"); }
TEST(makers_leap) {
    same("leap", "mujoco_playground/sim2sim/leap_reorient_policy.onnx", "leap_cube");
}
TEST(makers_tron1) { same(NULL, "limx/PF_TRON1A/params.yaml", "tron1_walk"); }
TEST(makers_oli) { same(NULL, "limx/HU_D04/walk/walk_param.yaml", "oli_walk"); }
TEST(makers_g1) { same("g1", "unitree/g1_29dof/deploy.yaml", "g1_walk"); }
