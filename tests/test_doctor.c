// SPDX-License-Identifier: Apache-2.0
// test_doctor.c - manifests broken on purpose get their cause named, whole ones no error.
// The whole corpus, with the makers' policies, is bench/bench_doctor.c.
#include "doctor_cases.h"
#include "onnx_make.h"
#include "test.h"

static qiao_finding found[64];

static int doctor(const char *path, const qiao_robot *r, bool still) {
    qiao_diag d = {0};
    int n = qiao_doctor_run(&(qiao_doctor_def){.brain = path, .robot = r, .still = still}, found,
                            64, &d);
    CHECK(n >= 0, "%s", d.text);
    return n;
}

static const char *first_error(const char *path, const qiao_robot *r) {
    int n = doctor(path, r, false);
    return n > 0 && found[0].grade == QIAO_GRADE_ERROR ? found[0].cause : "";
}

static qiao_robot *robot(const char *name) {
    qiao_diag d = {0};
    qiao_robot *r = qiao_robot_load(name, &d);
    CHECK(r, "%s", d.text);
    return r;
}

// ---- a policy made here: go2 stands, each joint pulled to the rest pose by the network ----

static const char *const stand_yaml =
    "name: stand\n"
    "network: {policy: stand.onnx}\n"
    "rate_hz: 100\n"
    "joints: [FL_hip_joint, FL_thigh_joint, FL_calf_joint, FR_hip_joint, FR_thigh_joint, "
    "FR_calf_joint,\n  RL_hip_joint, RL_thigh_joint, RL_calf_joint, RR_hip_joint, RR_thigh_joint, "
    "RR_calf_joint]\n"
    "default_pose: {\"*_hip_joint\": 0, \"*_thigh_joint\": 0.9, \"*_calf_joint\": -1.8}\n"
    "kp: 2\n"
    "kd: 1\n"
    "observation:\n"
    "  terms:\n"
    "    - {term: projected_gravity}\n"
    "    - {term: base_ang_vel}\n"
    "    - {term: joint_pos}\n"
    "    - {term: joint_vel}\n"
    "    - {term: actions}\n"
    "action: {meaning: position, scale: 0.5}\n";

static void make_stand(void) {
    enum { IN = 42, OUT = 12 };
    static float w[IN][OUT];
    qiao_diag d = {0};
    for (int j = 0; j < OUT; j++) {
        int side = j / 3 % 2 ? -1 : 1, front = j < 6 ? 1 : -1;
        w[6 + j][j] = -34, w[18 + j][j] = -0.4f;   // kp 2 alone would not carry it
        if (j % 3 == 0) w[1][j] = 8, w[3][j] = -1; // roll: hips
        if (j % 3 == 2) w[1][j] = 10 * (float)side, w[0][j] = 7 * (float)front; // and knees
    }
    CHECK(!qiao_dir_make("build/doctor", &d), "%s", d.text);
    CHECK(onnx_layer("build/doctor/stand.onnx", IN, OUT, w[0], NULL));
    CHECK(!qiao_file_write("build/doctor/stand.yaml", stand_yaml, strlen(stand_yaml), &d));
}

static void put_out(const char *text) {
    qiao_diag d = {0};
    CHECK(!qiao_file_write("build/doctor/other.yaml", text, strlen(text), &d), "%s", d.text);
}

// The manifest with one line changed.
static void change(const char *from, const char *to) {
    static char text[4000];
    const char *at = strstr(stand_yaml, from);
    CHECK(at, "%s", from);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - stand_yaml), stand_yaml, to,
             at + strlen(from));
    put_out(text);
}

static void s_order(qi_manifest *m) { o_reverse(m); }
static void s_up(qi_manifest *m) { dc_scale(m, QI_TERM_JOINT_POS, -4); }

TEST(a_stance_made_here) {
    static const doctor_case cases[] = {
        {"", "joints in reverse", QI_FACT_JOINT_ORDER, s_order},
        {"", "joints by type", QI_FACT_JOINT_ORDER, o_rotated},
        {"", "thigh and calf exchanged", QI_FACT_JOINT_ORDER, o_two},
        {"", "pose zero", QI_FACT_DEFAULT_POSE, p_zero},
        {"", "pose in degrees", QI_FACT_DEFAULT_POSE, p_degrees},
        {"", "pose shifted", QI_FACT_DEFAULT_POSE, p_shifted},
        {"", "joint_pos times 57", QI_FACT_SCALE, s_pos_degrees},
        {"", "action other sign", QI_FACT_SIGN, n_action},
        {"", "joint_pos other sign", QI_FACT_SIGN, s_up},
        {"", "positions and velocities exchanged", QI_FACT_HISTORY, h_pos_vel},
    };
    // with instruments in the physics a few must do
    const int N = TEST_SANITIZED ? 3 : (int)(sizeof cases / sizeof *cases);
    qiao_robot *r = robot("go2");
    qiao_diag d = {0};
    make_stand();
    const char *said = first_error("build/doctor/stand.yaml", r);
    CHECK(*said == 0, "false error '%s': %s", said, found[0].evidence[0]);
    int hits = 0;
    for (int i = 0; i < N; i++) {
        qi_manifest *m = qi_manifest_load("build/doctor/stand.yaml", r, &d);
        CHECK(m, "%s", d.text);
        qi_manifest *q = qi_doctor_clone(m);
        cases[i].put(q);
        char *text = qi_manifest_write(q);
        put_out(text), free(text), qi_manifest_free(q), qi_manifest_free(m);
        said = first_error("build/doctor/other.yaml", r);
        hits += strcmp(said, qi_fact_name(cases[i].fact)) == 0;
        printf("  %-36s %-13s %-13s %.100s\n", cases[i].name, qi_fact_name(cases[i].fact), said,
               *said ? found[0].fix[0] : "");
    }
    qiao_robot_free(r);
    CHECK(hits >= N - 1, "%d of %d causes named", hits, N);
}

// What needs no trial.
TEST(misfits_are_named_at_once) {
    qiao_robot *r = robot("go2");
    make_stand();
    change("    - {term: actions}\n", "");
    CHECK(strcmp(first_error("build/doctor/other.yaml", r), "action") == 0);
    CHECK_TEXT(found[0].fix[0], "the last action is missing");
    CHECK_TEXT(found[0].fix[1], "缺少上一动作");
    change("  terms:\n", "  history: 2\n  terms:\n");
    CHECK(strcmp(first_error("build/doctor/other.yaml", r), "history") == 0);
    CHECK_TEXT(found[0].evidence[0], "takes 42 numbers, the terms make 84");
    change("    - {term: projected_gravity}\n", "");
    CHECK(strcmp(first_error("build/doctor/other.yaml", r), "history") == 0);
    CHECK_TEXT(found[0].fix[0], "a term of 3 numbers is missing");
    change("FL_thigh_joint", "FX_thigh_joint");
    CHECK(strcmp(first_error("build/doctor/other.yaml", r), "joint_order") == 0);
    CHECK_TEXT(found[0].evidence[0], "did you mean 'FL_thigh_joint'?");
    qiao_robot_free(r);
}

TEST(numbers_that_tell_without_a_trial) {
    qiao_robot *r = robot("go2");
    make_stand();
    change("kd: 1\n", "kd: 60\n");
    int n = doctor("build/doctor/other.yaml", r, true);
    bool unstable = false, deaf = false;
    for (int i = 0; i < n; i++) unstable |= strstr(found[i].what[0], "are unstable") != NULL;
    CHECK(unstable, "%d findings", n);
    change("projected_gravity}", "projected_gravity, scale: 0}");
    n = doctor("build/doctor/other.yaml", r, true);
    CHECK(n > 0 && strcmp(found[0].cause, "scale") == 0 && found[0].grade == QIAO_GRADE_ERROR);
    for (int i = 0; i < n; i++) deaf |= strstr(found[i].what[0], "tilted base") != NULL;
    CHECK(deaf, "%d findings", n);
    change("    - {term: projected_gravity}\n", "    - {term: base_lin_vel}\n");
    n = doctor("build/doctor/other.yaml", r, true);
    bool privileged = false;
    for (int i = 0; i < n; i++) privileged |= strcmp(found[i].cause, "privileged") == 0;
    CHECK(privileged, "%d findings", n);
    change("\"*_calf_joint\": -1.8", "\"*_calf_joint\": 1.8");
    n = doctor("build/doctor/other.yaml", r, true);
    CHECK(n > 0 && strcmp(found[0].cause, "default_pose") == 0);
    qiao_robot_free(r);
}

TEST(the_same_findings_each_time) {
    qiao_robot *r = robot("go2");
    static qiao_finding first[64];
    make_stand();
    change("scale: 0.5}", "scale: -0.5}");
    int n = doctor("build/doctor/other.yaml", r, false);
    memcpy(first, found, sizeof first);
    CHECK(doctor("build/doctor/other.yaml", r, false) == n && n > 0);
    for (int i = 0; i < n; i++)
        CHECK(!strcmp(first[i].evidence[0], found[i].evidence[0]) &&
              first[i].sure == found[i].sure);
    qiao_robot_free(r);
}

TEST(threads_do_not_matter) {
    qiao_robot *r = robot("go2");
    qiao_diag d = {0};
    make_stand();
    change("scale: 0.5}", "scale: -0.5}");
    qi_manifest *m = qi_manifest_load("build/doctor/other.yaml", r, &d);
    qi_policy *p = m ? qi_policy_open(m, -1, &d) : NULL;
    CHECK(p, "%s", d.text);
    static qi_repair list[QI_REPAIR_MOST];
    static qi_found f[2];
    int n = qi_repair_list(p->m, r, list, QI_REPAIR_MOST);
    qi_bench *b[2] = {qi_bench_new(r, &d), qi_bench_new(r, &d)};
    CHECK(b[0] && b[1] && n > 100 && n < QI_REPAIR_MOST, "%d repairs; %s", n, d.text);
    for (int i = 0; i < 2; i++) qi_doctor_search(b, i + 1, p, list, n, 12, &f[i]);
    CHECK(f[0].n > 0 && f[0].n == f[1].n && f[0].tried == f[1].tried && f[0].skipped > 0);
    for (int i = 0; i < f[0].n; i++)
        CHECK(f[0].repair[i] == f[1].repair[i] && f[0].walk[i].score == f[1].walk[i].score);
    qi_bench_free(b[0]), qi_bench_free(b[1]), qi_policy_close(p), qiao_robot_free(r);
}

TEST(no_manifest_no_finding) {
    qiao_robot *r = robot("go2");
    qiao_diag d = {0};
    qiao_doctor_def def = {.brain = "build/doctor/none.yaml", .robot = r};
    CHECK(qiao_doctor_run(&def, found, 64, &d) < 0 && d.text[0]);
    put_out("name: [\n");
    d = (qiao_diag){0}, def.brain = "build/doctor/other.yaml";
    CHECK(qiao_doctor_run(&def, found, 64, &d) < 0 && strstr(d.text, "other.yaml:"), "%s", d.text);
    qiao_robot_free(r);
}

// ---- the makers' policies ----

static void need_data(void) {
    const char *data = test_data();
    if (!data) SKIP("the makers' files are not here ($QIAO_DATA)");
    setenv("QIAO_DATA", data, 0);
}

TEST(whole_manifests_of_the_makers_have_no_error) {
    need_data();
    for (int b = 0; b < 5; b++) {
        qiao_robot *r = robot(doctor_brains[b][2]);
        const char *said = first_error(doctor_brains[b][1], r);
        CHECK(*said == 0, "%s: false error '%s': %s", doctor_brains[b][1], said,
              found[0].evidence[0]);
        qiao_robot_free(r);
    }
}

TEST(broken_manifests_of_go1) {
    need_data();
    static const char *const some[] = {"left and right", "pose: zero", "kp a tenth",
                                       "positions and velocities", "action other sign"};
    qiao_robot *r = robot("go1");
    qiao_diag d = {0};
    CHECK(!qiao_dir_make("build/doctor", &d));
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        for (int c = 0; c < NCASE; c++) {
            const doctor_case *k = &doctor_cases[c];
            if (strcmp(k->brain, "go1") || !strstr(k->name, some[i])) continue;
            CHECK(doctor_write("go1_playground", r, k, "build/doctor/go1.yaml", &d), "%s", d.text);
            const char *said = first_error("build/doctor/go1.yaml", r);
            CHECK(strcmp(said, qi_fact_name(k->fact)) == 0, "%s: said '%s'", k->name, said);
        }
    qiao_robot_free(r);
}
