// SPDX-License-Identifier: Apache-2.0
// test_app_identify.c - qiao identify as a user types it: a robot with hidden numbers is recorded,
// its numbers found, written into a robot's file and run; records that cannot serve are refused.
#include "app.h"

#include "qiao/learn.h"

#include <math.h>

static const char model[] =
    "<mujoco><option timestep='0.002' integrator='implicitfast'/><worldbody>"
    "<body name='post'><geom type='box' size='0.05 0.05 0.05' contype='0' conaffinity='0'/>"
    "<body name='upper' pos='0 0 0.2'><joint name='shoulder' axis='0 1 0' damping='0.3' "
    "armature='0.02' frictionloss='0.2' range='-90 90' limited='true'/><geom type='capsule' "
    "size='0.03' fromto='0 0 0 0.3 0 0' mass='1.2' contype='0' conaffinity='0'/>"
    "<body name='lower' pos='0.3 0 0'><joint name='elbow' axis='0 1 0' damping='0.2' "
    "armature='0.01' frictionloss='0.1'/><geom type='capsule' size='0.025' fromto='0 0 0 0.25 0 0' "
    "mass='0.8' contype='0' conaffinity='0'/></body></body></body></worldbody>"
    "<actuator><motor name='shoulder' joint='shoulder'/><motor name='elbow' joint='elbow'/>"
    "</actuator></mujoco>";
static const char robot_yaml[] =
    "# a comment that stays\nname: limb\nkind: arm\nmodel: limb.xml\nbase: post\n"
    "rest: {elbow: 0.5}\ndrives:\n"
    "  - {match: '*', kp: 60, kd: 2, torque: 40}\nsensors:\n"
    "  - {kind: joint_pos, rate_hz: 500, noise: 0.0005, bias: 0.001, delay_ms: 2}\n"
    "  - {kind: joint_vel, rate_hz: 500, noise: 0.01, delay_ms: 2}\n";

static void put_limb(void) {
    static bool done;
    if (done) return;
    mkdir("build/test", 0777), mkdir("build/test/limb", 0777);
    put_text("build/test/limb/limb.xml", model), put_text("build/test/limb/robot.yaml", robot_yaml);
    put_text("build/test/limb/other.yaml", // the drives and joints of another machine
             "name: other\nkind: arm\nmodel: other.xml\nbase: upper\n");
    char other[sizeof model], *p;
    memcpy(other, model, sizeof model);
    while ((p = strstr(other, "elbow"))) memcpy(p, "ellbo", 5);
    put_text("build/test/limb/other.xml", other);
    CHECK(qiao("run excite --robot build/test/limb/robot.yaml --brain chirp --seed 5 --no-page "
               "--out build/test/limb") == 0,
          "%s", out);
    done = true;
}
#define RECORD "build/test/limb/excite-limb-chirp-5"
#define ROBOT  "build/test/limb/robot.yaml"

static char *text_of(const char *path) {
    static char text[1 << 21];
    FILE *f = fopen(path, "rb");
    CHECK(f, "no %s", path);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    return text;
}

static double after(const char *text, const char *key) {
    const char *p = strstr(text, key);
    CHECK(p, "no %s", key);
    return strtod(p + strlen(key), NULL);
}

static double hidden(const char *field) {
    char key[80];
    snprintf(key, sizeof key, "    keep(robot.%s == ", field);
    return after(text_of(RECORD "/case.osc"), key);
}

static void check_value(const char *name, double hid, double most) {
    char key[80];
    snprintf(key, sizeof key, "\"name\": \"%s\"", name);
    const char *p = strstr(out, key);
    CHECK(p, "no %s in %.300s", name, out);
    double value = after(p, "\"value\": "), low = after(p, "\"low\": "),
           high = after(p, "\"high\": ");
    // four standard deviations of what was stated: a right program fails once in 15,000 numbers
    CHECK(fabs(value - hid) <= (high - low) + 1e-12, "%s: %g is not %g (%g .. %g)", name, value,
          hid, low, high);
    CHECK(high - low < most, "%s: %g .. %g is no answer", name, low, high);
}

TEST(hidden_numbers_come_back_from_a_record) {
    put_limb();
    CHECK(qiao("identify " RECORD " --robot " ROBOT " --json --threads 1 --out "
               "build/test/limb/found.yaml") == 0,
          "%s", out);
    check_value("damping", hidden("damping"), 0.3);
    check_value("frictionloss", hidden("frictionloss"), 0.3);
    check_value("armature", hidden("armature"), 0.3);
    check_value("kp", hidden("kp"), 0.1), check_value("kd", hidden("kd"), 0.3);
    check_value("delay", hidden("drive_delay"), 0.005);
    CHECK(fabs(after(out, "\"noise_q\": ") / 0.0005 - 1) < 0.2, "%s", out);
    CHECK(after(out, "\"q_before\": ") > 3 * after(out, "\"q_after\": "), "%s", out);
    // what was printed stands in the folder too; the page is whole
    CHECK(strcmp(out, text_of(RECORD "/identify.json")) == 0, "identify.json differs");
    char *page = text_of(RECORD "/identify.html");
    CHECK_TEXT(page, "\"name\": \"elbow\"");
    CHECK(!strstr(page, "<!--@"), "a place in the page is not filled");
}

TEST(the_file_that_is_written_is_the_robot) {
    put_limb();
    CHECK(qiao("identify " RECORD " --robot " ROBOT " --fit damping,armature,kd --no-page --out "
               "build/test/limb/found.yaml") == 0,
          "%s", out);
    CHECK_TEXT(out, "times the file's");
    CHECK_TEXT(out, "found.yaml");
    const char *json = text_of(RECORD "/identify.json");
    double damping = after(strstr(json, "\"name\": \"damping\""), "\"value\": "),
           armature = after(strstr(json, "\"name\": \"armature\""), "\"value\": "),
           kd = after(strstr(json, "\"name\": \"kd\""), "\"value\": ");
    qiao_diag d = {0};
    qiao_robot *r = qiao_robot_load("build/test/limb/found.yaml", &d),
               *was = qiao_robot_load(ROBOT, &d);
    CHECK(r && was, "%s", d.text);
    for (int i = 0; i < 2; i++) {
        CHECK_NEAR(r->model->dof_damping[i], damping * was->model->dof_damping[i], 1e-8);
        CHECK_NEAR(r->model->dof_armature[i], armature * was->model->dof_armature[i], 1e-8);
        CHECK_NEAR(r->model->dof_friction[i], was->model->dof_friction[i], 1e-8);
        CHECK_NEAR(r->drive[i].kd, kd * was->drive[i].kd, 1e-8);
        CHECK(r->drive[i].kp == was->drive[i].kp && r->drive[i].torque_max == 40, "a drive");
    }
    CHECK(r->nsensor == was->nsensor && r->sensor[0].noise == was->sensor[0].noise, "sensors");
    CHECK_NEAR(r->rest_q[1], 0.5, 0);
    qiao_robot_free(r), qiao_robot_free(was);
    CHECK_TEXT(text_of("build/test/limb/found.yaml"), "# a comment that stays");
    CHECK(qiao("run excite --robot build/test/limb/found.yaml --brain chirp --no-record --out "
               "build/test/limb/again") == 0,
          "%s", out);
    // elsewhere the model is not beside it: said, and nothing is left behind
    CHECK(qiao("identify " RECORD " --robot " ROBOT " --fit kd --no-page --out "
               "build/test/limb/again/far.yaml") == 2,
          "%s", out);
    CHECK_TEXT(out, "write it beside build/test/limb/limb.xml");
    struct stat st;
    CHECK(stat("build/test/limb/again/far.yaml", &st) != 0, "half a file is left");
}

TEST(what_the_record_cannot_tell_is_said) {
    put_limb();
    CHECK(qiao("identify " RECORD " --robot " ROBOT " --fit kd,torque --no-page") == 0, "%s", out);
    CHECK_TEXT(out, "the data say nothing about it");
    CHECK_TEXT(out, "so large that the drives reach their limit");
    // a wrong belief about the masses: what is left is more than the noise
    char heavy[sizeof model + 10], *p;
    snprintf(heavy, sizeof heavy, "%s", model);
    CHECK((p = strstr(heavy, "mass='0.8'")), "no mass");
    p[8] = '3';
    put_text("build/test/limb/heavy.xml", heavy);
    char yaml[sizeof robot_yaml + 10];
    snprintf(yaml, sizeof yaml, "%s", robot_yaml);
    CHECK((p = strstr(yaml, "limb.xml")), "no model");
    memmove(p + 9, p + 8, strlen(p + 8) + 1), memcpy(p, "heavy.xml", 9);
    put_text("build/test/limb/heavy.yaml", yaml);
    CHECK(qiao("identify " RECORD " --robot build/test/limb/heavy.yaml --fit damping --no-page") ==
              0,
          "%s", out);
    CHECK_TEXT(out, "the model has other faults");
    CHECK_TEXT(out, "made with other files of the robot");
}

TEST(records_that_cannot_serve_are_refused_by_name) {
    put_limb();
    CHECK(qiao("run stand_push --robot go2 --brain hold --no-page --out build/test/limb") <= 1,
          "%s", out);
    static const struct {
        const char *args, *says;
    } bad[] = {
        {"identify build/test/limb/stand_push-go2-hold-1 --robot go2", "touches at ("},
        {"identify", "which record"},
        {"identify " RECORD, "--robot is missing"},
        {"identify " RECORD " --robot " ROBOT " --fit dampin", "did you mean 'damping'"},
        {"identify " RECORD " --robot " ROBOT " --fit ''", "--fit takes"},
        {"identify " RECORD " --robot " ROBOT " --seconds 0.1", "a number from 0.2 to 60"},
        {"identify " RECORD " --robot build/test/limb/other.yaml", "has no 'ellbo'"},
        {"identify " RECORD " --robot panda", "has no 'joint1'"},
        {"identify build/test/limb/none.mcap --robot " ROBOT, "none.mcap"},
        {"identify build/test/limb/robot.yaml --robot " ROBOT, "robot.yaml"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(qiao(bad[i].args) == 2, "%s: %s", bad[i].args, out);
        CHECK_TEXT(out, bad[i].says);
    }
}

// Cut anywhere and changed anywhere: told or read, never a crash, never a number that is not one.
TEST(broken_records_are_told) {
    put_limb();
    static char whole[1 << 22];
    FILE *f = fopen(RECORD "/record.mcap", "rb");
    CHECK(f, "no record");
    size_t n = fread(whole, 1, sizeof whole, f);
    fclose(f);
    CHECK(n < sizeof whole, "the record is larger than the test");
    qiao_diag d = {0};
    qiao_robot *r = qiao_robot_load(ROBOT, &d);
    CHECK(r, "%s", d.text);
    int read = 0, refused = 0;
    for (int i = 0; i < 40; i++) {
        size_t at = n * (size_t)(i / 2 + 1) / 21;
        char was = whole[at];
        if (i % 2) whole[at] = (char)(was ^ 0x10);
        write_file("build/test/limb/broken.mcap", whole, i % 2 ? n : at);
        whole[at] = was;
        qiao_ident_record rec;
        qiao_diag why = {0};
        qiao_err e = qiao_ident_read("build/test/limb/broken.mcap", r, 3, &rec, &why);
        CHECK((e == QIAO_OK) == (why.text[0] == 0), "%d: %s", i, why.text);
        if (!e && !(i % 2)) CHECK_TEXT(rec.note, "interrupted");
        read += !e, refused += e != 0;
        qiao_ident_record_free(&rec);
    }
    CHECK(read > 2 && refused > 20, "%d read, %d refused", read, refused);
    qiao_robot_free(r);
}
