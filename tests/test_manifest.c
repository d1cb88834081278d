// SPDX-License-Identifier: Apache-2.0
// brain.yaml: every key, every fault with its place, hostile text.
#include "brain/manifest.h"
#include "test.h"

#include <unistd.h>

static const char WHOLE[] =
    "name: walker\n"
    "robot: four\n"
    "licence: \"free: as #air\"\n"
    "network:\n"
    "  policy: p.onnx\n"
    "  encoder: e.onnx\n"
    "  type: bfloat16\n"
    "  state: [{in: h, out: h2}]\n"
    "rate_hz: 50\n"
    "loop_hz: 500\n"
    "joints: [L_hip, L_knee, R_hip, R_knee]\n"
    "default_pose: {\"*_hip\": 0.1, R_hip: -0.1, \"*\": -1.5}\n"
    "kp: {\"*_hip\": 40, \"*_knee\": 60}\n"
    "kd: 1\n"
    "torque_limit: 20\n"
    "clock: {period: 0.8, start: 0.25, legs: [0, 0.5], advance: before, wrap: restart,\n"
    "  stand_below: 0.1, stand_phase: 0.5}\n"
    "encoder_observation:\n"
    "  history: 5\n"
    "  terms: [{term: joint_pos, joints: [\"*_knee\"], scale: {L_knee: 2, R_knee: 3}}]\n"
    "observation:\n"
    "  history: 3\n"
    "  layout: term\n"
    "  order: newest_first\n"
    "  fill: zero\n"
    "  clip: 100\n"
    "  terms:\n"
    "    - {term: encoder, history: 1}\n"
    "    - {term: base_ang_vel, scale: 0.25, unit: deg/s, frame: imu, clip: 50, noise_free: true}\n"
    "    - {term: velocity_commands, scale: [2, 2, 0.25], axes: [vx, yaw_rate, vy]}\n"
    "    - {term: actions, of: sent, offset: 0.5}\n"
    "    - {term: gait_phase, form: sin, hz: 2}\n"
    "    - {term: object_pos, object: cube, relative_to: palm}\n"
    "    - {term: object_rot_error, object: cube, goal: wish, sixd: rows}\n"
    "    - {term: height_scan, grid: [3, 2], scale: -1, offset: -0.5}\n"
    "    - {term: constant, values: [1, 2]}\n"
    "    - {term: signal, source: wind, dim: 3}\n"
    "action:\n"
    "  meaning: {\"*_hip\": position, \"*_knee\": delta}\n"
    "  scale: 0.25\n"
    "  clip: [-1, 2]\n"
    "  reach: {L_hip: 1, \"*_knee\": joint_range}\n"
    "  reclip: 0.95\n"
    "commands: {vx: [-0.5, 1], yaw_rate: 0.4, dead: 0.05}\n"
    "physics: {step_ms: 4, armature: {\"*_hip\": 0.01, \"*_knee\": 0.02}, damping: 0.5, delay_ms: "
    "2}\n"
    "hold: [{match: arm, pose: 0.3, kp: 10, kd: 1}, {match: \"head*\"}]\n"
    "guards: {}\n";

static qi_manifest *read_text(const char *text, qiao_diag *d) {
    return qi_manifest_read("brain.yaml", text, strlen(text), "dir", NULL, d);
}

TEST(every_key_arrives) {
    qiao_diag d = {0};
    qi_manifest *m = read_text(WHOLE, &d);
    CHECK(m, "%s", d.text);
    CHECK(strcmp(m->name, "walker") == 0 && strcmp(m->licence, "free: as #air") == 0);
    CHECK(strcmp(m->policy.path, "dir/p.onnx") == 0 && m->type == QIAO_NN_BF16, "%s",
          m->policy.path);
    CHECK(m->nstate == 1 && strcmp(m->state[0].out, "h2") == 0);
    CHECK(m->rate_hz == 50 && m->loop == 10 && m->njoint == 4);
    // a name beats a pattern, whatever comes first
    CHECK(m->default_pose[0] == 0.1 && m->default_pose[2] == -0.1 && m->default_pose[3] == -1.5);
    CHECK(m->kp[0] == 40 && m->kp[3] == 60 && m->kd[1] == 1 && m->torque_limit[2] == 20);
    CHECK_NEAR(m->clock.hz, 1.25, 1e-12);
    CHECK(m->clock.nleg == 2 && m->clock.leg[1] == 0.5 && m->clock.advance_first &&
          m->clock.restart);
    CHECK(m->enc.size == 10 && m->enc.term[0].joint[1] == 3 && m->enc.term[0].scale[1] == 3);
    const qi_obs_group *g = &m->obs;
    CHECK(g->by_term && g->newest_first && g->fill_zero && g->clip == 100 && g->nterm == 10);
    CHECK(g->term[1].clip[0] == -50 && g->term[1].noise_free && g->term[1].frame[0] == 'i');
    CHECK_NEAR(g->term[1].to_unit, 180 / 3.14159265358979323846, 1e-12);
    CHECK(g->term[2].axis[0] == 0 && g->term[2].axis[1] == 2 && g->term[2].scale[2] == 0.25);
    CHECK(g->term[3].act == QI_ACT_SENT && g->term[3].offset[3] == 0.5);
    CHECK(g->term[4].dim == 2 && g->term[7].dim == 6 && g->term[8].offset[1] == 2);
    CHECK(g->size == 3 * (3 + 3 + 4 + 2 + 3 + 6 + 6 + 2 + 3), "%d", g->size);
    CHECK(m->action.of[0] == QI_ACTION_POSITION && m->action.of[1] == QI_ACTION_DELTA);
    CHECK(m->action.offset[0] == 0.1 && m->action.offset[1] == 0, "position counts from the pose");
    CHECK(m->action.clip[6] == -1 && m->action.clip[7] == 2 && m->action.reach[1] == 1);
    CHECK(isnan(m->action.reach[2]) && m->action.reach[4] == 0 && m->action.reclip == 0.95);
    CHECK(m->command.vx[1] == 1 && m->command.yaw_rate[0] == -0.4 && m->command.vy[0] == 0);
    CHECK(m->physics.armature[1] == 0.02 && m->physics.friction[0] == -1);
    CHECK_NEAR(m->physics.delay, 0.002, 1e-15);
    CHECK(m->nhold == 2 && m->hold[0].kp == 10 && isnan(m->hold[1].pose) && m->guards);
    qi_manifest_free(m);
}

// Written and read again it is the same text: so nothing was lost on the way.
TEST(written_and_read_again) {
    qiao_diag d = {0};
    qi_manifest *m = read_text(WHOLE, &d);
    CHECK(m, "%s", d.text);
    char *one = qi_manifest_write(m);
    qi_manifest *again = read_text(one, &d);
    CHECK(again, "%s\n%s", d.text, one);
    char *two = qi_manifest_write(again);
    CHECK(strcmp(one, two) == 0, "\n%s\n%s", one, two);
    CHECK(again->obs.size == m->obs.size && again->action.of[3] == QI_ACTION_DELTA);
    CHECK(isnan(again->action.reach[2]) && again->hold[0].kd == 1);
    free(one), free(two);
    qi_manifest_free(again), qi_manifest_free(m);
}

// Characters that no YAML file may hold as they are, and ms that no binary fraction hits.
TEST(odd_characters_and_numbers_survive) {
    static char text[8192];
    const char *at = strstr(WHOLE, "step_ms: 4,");
    CHECK(at && strlen(WHOLE) + 200 < sizeof text);
    snprintf(text, sizeof text,
             "title: \"\\x7f\\x85\\N\\L\\P\\uFEFF \\n\\U0001F600\"\n%.*sstep_ms: 3.7,%s",
             (int)(at - WHOLE), WHOLE, at + strlen("step_ms: 4,"));
    qiao_diag d = {0};
    qi_manifest *m = read_text(text, &d);
    CHECK(m, "%s", d.text);
    char *one = qi_manifest_write(m);
    qi_manifest *again = read_text(one, &d);
    CHECK(again, "%s\n%s", d.text, one);
    CHECK(strcmp(m->title, again->title) == 0 && strstr(again->title, "\x7f"), "%s", again->title);
    CHECK(again->physics.step == m->physics.step);
    CHECK(strstr(one, "step_ms: 3.7\n"), "%s", one);
    free(one), qi_manifest_free(again), qi_manifest_free(m);
}

// One change to the whole file: from -> to, and what must be said, with its place.
static const struct {
    const char *from, *to, *says;
} FAULTS[] = {
    {"name: walker", "nmae: walker", "brain.yaml:1:1: unknown key 'nmae'; did you mean 'name'?"},
    {"rate_hz: 50\n", "", "'rate_hz' is missing"},
    {"rate_hz: 50", "rate_hz: fast", "brain.yaml:9:10: rate_hz: expected a number, not 'fast'"},
    {"rate_hz: 50", "rate_hz: nan", "brain.yaml:9:10:"},
    {"loop_hz: 500", "loop_hz: 120", "brain.yaml:10:10: loop_hz: 120 is no whole multiple"},
    {"R_knee]", "R_knee, L_hip]", "brain.yaml:11:40: joints: 'L_hip' is named twice"},
    {"R_knee]", "\"R_*\"]", "joints: 'R_*' is a pattern"},
    {"[L_hip, L_knee, R_hip, R_knee]", "[]", "brain.yaml:11:9: joints: expected the names"},
    {"{\"*_hip\": 0.1, R_hip: -0.1, \"*\": -1.5}", "[1, 2, 3, 4]",
     "brain.yaml:12:15: default_pose: a list is bound by position"},
    {"R_hip: -0.1", "R_hpi: -0.1",
     "brain.yaml:12:30: default_pose: 'R_hpi' is none of the policy's joints; did you mean "
     "'R_hip'?"},
    {", \"*\": -1.5", "", "brain.yaml:12:15: default_pose: no value for the joint 'L_knee'"},
    {"\"*_knee\": 60", "\"*_elbow\": 60", "kp: '*_elbow' is none of the policy's joints"},
    {"\"*_knee\": 60", "\"*_knee\": -60", "kp: -60 for 'L_knee'; expected 0 or more"},
    {"R_hip: -0.1", "R_hip: -0.1, R_hip: 2", "default_pose: 'R_hip' is given twice"},
    {"type: bfloat16", "type: float16", "brain.yaml:7:9: type: there is no 'float16'"},
    {"layout: term", "layout: terms",
     "brain.yaml:23:11: layout: there is no 'terms'; did you mean 'term'?"},
    {"layout: term\n", "layout: frame\n",
     "a history of 1 frames beside others of 3 needs 'layout: term'"},
    {"term: base_ang_vel", "term: base_ang_val",
     "brain.yaml:29:14: term: there is no 'base_ang_val'; did you mean 'base_ang_vel'?"},
    {"unit: deg/s", "unit: mm", "unit: mm is a length, 'base_ang_vel' is a rate"},
    {"frame: imu", "frame: foot", "frame: there is no 'foot'; expected one of base, imu, world"},
    {"scale: [2, 2, 0.25]", "scale: [2, 2]", "scale: a list of 2 numbers, expected 3"},
    {"axes: [vx,", "axes: [up,", "axes: there is no 'up'"},
    {"{term: actions, of: sent", "{term: actions, axes: [x], of: sent",
     "'actions' has not three axes"},
    {"grid: [3, 2], ", "", "height_scan: 'grid' is missing"},
    {", relative_to: palm", "", "object_pos: 'relative_to' is missing"},
    {", goal: wish", "", "object_rot_error: 'goal' is missing"},
    {"source: wind, ", "", "signal: 'source' is missing"},
    {"history: 3", "history: 0", "history: expected a number from 1 to"},
    {"history: 3", "history: 1e9", "history: expected a number from 1 to"},
    {"joints: [\"*_knee\"]", "joints: [\"*_toe\"]",
     "joints: '*_toe' is none of the policy's joints"},
    {"scale: {L_knee: 2, R_knee: 3}", "scale: {L_knee: 2}",
     "scale: no value for the joint 'R_knee'"},
    {"\"*_knee\": delta", "\"*_knee\": dleta",
     "meaning: there is no 'dleta'; did you mean 'delta'?"},
    {"clip: [-1, 2]", "clip: [2, -1]", "clip: 2 lies above -1; expected [low, high]"},
    {"torque_limit: 20\n", "", "reclip: 'L_hip' needs kp, kd and torque_limit"},
    {"vx: [-0.5, 1]", "vx: [1, -0.5]", "vx: 1 lies above -0.5"},
    {"legs: [0, 0.5]", "legs: [0, 1, 2, 3, 4, 5, 6, 7, 8]", "legs: a list of 9, at most 8 can be"},
    {"damping: 0.5", "damping: -0.5", "damping: -0.5 for 'L_hip'"},
    {"match: arm, ", "", "'match' is missing"},
    {"policy: p.onnx", "polcy: p.onnx", "unknown key 'polcy'; did you mean 'policy'?"},
    {"observation:\n  history: 3", "observations:\n  history: 3",
     "unknown key 'observations'; did you mean 'observation'?"},
    {"of: sent", "of: snet", "of: there is no 'snet'; did you mean 'sent'?"},
    {"values: [1, 2]", "values: [1, two]", "values: expected a number, not 'two'"},
    {"action:\n  meaning", "action:\n  residul: true\n  meaning", "unknown key 'residul'"},
};

TEST(every_fault_says_where_and_what) {
    static char text[8192];
    int n = (int)(sizeof FAULTS / sizeof *FAULTS);
    for (int i = 0; i < n; i++) {
        const char *at = strstr(WHOLE, FAULTS[i].from);
        CHECK(at, "%s is not in the file", FAULTS[i].from);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - WHOLE), WHOLE, FAULTS[i].to,
                 at + strlen(FAULTS[i].from));
        qiao_diag d = {0};
        qi_manifest *m = read_text(text, &d);
        CHECK(!m, "'%s' -> '%s' was read", FAULTS[i].from, FAULTS[i].to);
        CHECK_TEXT(d.text, FAULTS[i].says);
        CHECK(strncmp(d.text, "brain.yaml:", 11) == 0, "%s", d.text);
    }
}

TEST(files_are_found_beside_or_below_the_data) {
    char *before = getenv("QIAO_DATA") ? strdup(getenv("QIAO_DATA")) : NULL;
    qiao_arena *a = qiao_arena_new();
    qiao_diag d = {0};
    setenv("QIAO_DATA", "/far/data", 1);
    CHECK(strcmp(qi_manifest_path(a, "here", "$QIAO_DATA/a/b.onnx", &d), "/far/data/a/b.onnx") ==
          0);
    CHECK(strcmp(qi_manifest_path(a, "here", "b.onnx", &d), "here/b.onnx") == 0);
    CHECK(strcmp(qi_manifest_path(a, "here", "/b.onnx", &d), "/b.onnx") == 0);
    unsetenv("QIAO_DATA");
    CHECK(!qi_manifest_path(a, "here", "$QIAO_DATA/a/b.onnx", &d));
    CHECK_TEXT(d.text, "set QIAO_DATA");
    if (before) setenv("QIAO_DATA", before, 1);
    free(before), qiao_arena_free(a);
}

TEST(torchscript_is_refused_with_the_way_out) {
    const char *path = "build/test_manifest.pt";
    qiao_diag d = {0};
    CHECK(!qiao_file_write(path, "PK\3\4rest", 8, &d), "%s", d.text);
    CHECK(!qi_manifest_load(path, NULL, &d) && d.err == QIAO_E_UNSUPPORTED, "%s", d.text);
    CHECK_TEXT(d.text, "torch.onnx.export");
    unlink(path);
}

// Text that is made to hurt ends in words, soon.
TEST(hostile_text) {
    static char text[1 << 16];
    static const char *const small[] = {"",
                                        "[]",
                                        "name",
                                        "&a [*a]",
                                        "a: &x {b: *x}\n",
                                        "{}",
                                        "---\n---\n",
                                        "\xff\xfe",
                                        "network: &n {policy: *n}\n",
                                        "? [a]\n: b\n",
                                        "PointfootCfg: 3\n",
                                        "HumanoidRobotCfg: []\n",
                                        "PointfootCfg: {}\n",
                                        "HumanoidRobotCfg: {env: {}}\n",
                                        "joint_ids_map: {}\n",
                                        "kps: 1\nkds: 2\n",
                                        "a/b: {rl_kp: []}\n",
                                        "inference_engine: x\n"};
    for (size_t i = 0; i < sizeof small / sizeof *small; i++) {
        qiao_diag d = {0};
        CHECK(!read_text(small[i], &d), "'%s' was read", small[i]);
        CHECK(d.err != QIAO_OK && d.text[0], "no word about '%s'", small[i]);
    }
    // the whole file cut at every byte
    for (size_t cut = 0; cut < sizeof WHOLE - 1; cut += 7) {
        qiao_diag d = {0};
        qi_manifest *m = qi_manifest_read("cut", WHOLE, cut, NULL, NULL, &d);
        CHECK(m || d.text[0], "cut at %zu", cut);
        qi_manifest_free(m);
    }
    // thousands of joints, of patterns
    size_t at = (size_t)snprintf(text, sizeof text, "network: {policy: p}\nrate_hz: 50\njoints: [");
    for (int i = 0; i < 3000; i++) at += (size_t)snprintf(text + at, sizeof text - at, "j%d, ", i);
    snprintf(text + at, sizeof text - at, "z]\n");
    qiao_diag d = {0};
    CHECK(!read_text(text, &d));
    CHECK_TEXT(d.text, "joints: a list of 3001, at most 128 can be");
}
