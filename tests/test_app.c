// SPDX-License-Identifier: Apache-2.0
// test_app.c - whole commands as a user types them: what they print and how they end.
#include "app.h"

TEST(help_teaches) {
    CHECK(qiao("--help") == 0);
    CHECK_TEXT(out, "qiao run parcel_route --robot go2 --brain trot");
    const char *commands[] = {"run", "replay", "robots", "scenarios", "bench", "train"};
    for (int i = 0; i < 6; i++) {
        char args[40];
        snprintf(args, sizeof args, "%s --help", commands[i]);
        CHECK(qiao(args) == 0, "%s", args);
        CHECK_TEXT(out, "qiao ");
    }
    CHECK(qiao("") == 2);
}

TEST(help_speaks_chinese) {
    char cmd[300];
    snprintf(cmd, sizeof cmd, "LC_ALL=zh_CN.UTF-8 %s/qiao run --help", build());
    FILE *f = popen(cmd, "r");
    size_t n = fread(out, 1, sizeof out - 1, f);
    out[n] = 0;
    CHECK(pclose(f) == 0);
    CHECK_TEXT(out, "随机种子");
}

typedef struct wrong {
    const char *args, *says;
} wrong;

// Each is a user's slip: exit status 2 and words that help.
TEST(wrong_input_is_named) {
    write_file("build/test/garbage.mcap", "not a record at all", 19);
    write_file("build/test/empty.mcap", "", 0);
    write_file("build/test/garbage.so", "not a plug-in", 13);
    write_file("build/test/bad.xml", "<mujoco><worldbody>", 19);
    write_file("build/test/bad.osc", "scenario x:\n    keep(", 21);
    const wrong table[] = {
        {"rnu", "did you mean 'run'"},
        {"run", "which scenario"},
        {"run walk_flat", "--robot is missing"},
        {"run walk_flat --robot go2", "--brain is missing"},
        {"run walk_flat --robot go2 --brain", "needs a value"},
        {"run walk_flat extra --robot go2 --brain trot", "one word too many"},
        {"run walk_flat --robto go2 --brain trot", "did you mean --robot"},
        {"run walk_flta --robot go2 --brain trot", "walk_flat"},
        {"run walk_flat --robot go22 --brain trot", "go2"},
        {"run walk_flat --robot go2 --brain tort", "trot"},
        {"run walk_flat --robot go2 --brain trot --engine mujcoo", "mujoco"},
        {"run walk_flat --robot go2 --brain trot --seed x", "whole number"},
        {"run walk_flat --robot go2 --brain trot --seed 9..3", "whole number"},
        {"run walk_flat --robot go2 --brain trot --threads -4", "whole number"},
        {"run walk_flat --robot go2 --brain build/test/garbage.so", "garbage.so"},
        {"run walk_flat --robot build/test/bad.xml --brain trot", "bad.xml"},
        {"run build/test/bad.osc --robot go2 --brain trot", "bad.osc:2:"},
        {"run sort_bin --robot go2 --brain pick", "outside the odd of sort_bin"},
        {"run walk_flat --robot panda --brain trot", "legged"},
        {"replay", "which record"},
        {"replay build/test/none.mcap", "none.mcap"},
        {"replay build/test/garbage.mcap", "garbage.mcap"},
        {"replay build/test/empty.mcap", "empty.mcap"},
        {"replay build/test/garbage.mcap --pictures 0 --png x.png", "whole number"},
        {"robots no_such", "no_such"},
        {"robots build/test/bad.xml", "bad.xml"},
        {"robots go2 --size 0x9", "--size"},
        {"scenarios no_such", "no_such"},
        {"scenarios build/test/bad.osc", "bad.osc:2:"},
        {"bench no_such", "no such measuring program"},
        {"compile", "needs an ONNX file"},
        {"compile build/test/none.onnx", "none.onnx: cannot be opened"},
        {"compile build/test/garbage.mcap", "garbage.mcap"},
        {"compile build/test/none.onnx --weights int9", "did you mean int8"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int status = qiao(table[i].args);
        CHECK(status == 2, "'%s' ended with %d: %.300s", table[i].args, status, out);
        CHECK(strstr(out, table[i].says) != NULL, "'%s' does not say '%s' but: %.300s",
              table[i].args, table[i].says, out);
    }
}

TEST(lists_and_json) {
    CHECK(qiao("robots") == 0);
    CHECK_TEXT(out, "go2");
    CHECK_TEXT(out, "panda");
    CHECK_TEXT(out, "tron1");
    CHECK(qiao("scenarios") == 0);
    CHECK_TEXT(out, "parcel_route");
    CHECK_TEXT(out, "sort_bin");
    CHECK(qiao("robots go2") == 0);
    CHECK_TEXT(out, "FL_hip_joint");
    CHECK_TEXT(out, "imu_gyro");
    CHECK(qiao("robots go2 --json") == 0);
    CHECK_TEXT(out, "\"torque_max\"");
    CHECK(qiao("scenarios parcel_route") == 0);
    CHECK_TEXT(out, "friction");
}

#define WALK "run walk_flat --robot go2 --brain trot --no-page --json --out build/test/app "

TEST(same_seed_same_trace) {
    char a[80], b[80], c[80];
    CHECK(qiao(WALK "--seed 3 --threads 1") == 0, "%.500s", out);
    field("\"trace\"", a, sizeof a);
    CHECK(qiao(WALK "--seed 3 --threads 2") == 0);
    field("\"trace\"", b, sizeof b);
    CHECK(strcmp(a, b) == 0, "%s and %s", a, b);
    // the concrete file replays alone, whatever the seed
    CHECK(qiao("run build/test/app/walk_flat-go2-trot-3/case.osc --robot go2 --brain trot "
               "--no-record --json --seed 3 --out build/test/app2") == 0,
          "%.500s", out);
    field("\"trace\"", c, sizeof c);
    CHECK(strcmp(a, c) == 0, "%s and %s", a, c);
}

TEST(rows_of_seeds_equal_single_runs) {
    char a[80];
    CHECK(qiao(WALK "--seed 5 --no-record") <= 1);
    field("\"trace\"", a, sizeof a);
    CHECK(qiao(WALK "--seed 4..6 --no-record") <= 1);
    CHECK_TEXT(out, a);
}

TEST(record_page_and_pictures) {
    struct stat st;
    CHECK(qiao("run walk_flat --robot go2 --brain trot --out build/test/app") == 0, "%.500s", out);
    CHECK_TEXT(out, "PASSED");
    CHECK_TEXT(out, "replay.html");
    CHECK(stat("build/test/app/walk_flat-go2-trot-1/replay.html", &st) == 0 && st.st_size > 300000);
    CHECK(qiao("replay build/test/app/walk_flat-go2-trot-1 --info") == 0);
    CHECK_TEXT(out, "joint");
    int status = qiao("replay build/test/app/walk_flat-go2-trot-1 --png build/test/strip.png "
                      "--pictures 3");
    CHECK(status == 0, "%.300s", out);
    CHECK(stat("build/test/strip.png", &st) == 0 && st.st_size > 5000);
}

TEST(interrupted_run_keeps_its_record) {
    pid_t pid = fork();
    if (pid == 0) {
        char path[300];
        snprintf(path, sizeof path, "%s/qiao", build());
        int null = open("/dev/null", O_WRONLY);
        dup2(null, 1), dup2(null, 2);
        execl(path, path, "run", "parcel_route", "--robot", "go2", "--brain", "trot", "--no-page",
              "--out", "build/test/int", (char *)NULL);
        _exit(127);
    }
    // interrupt once the record is there
    const char *record = "build/test/int/parcel_route-go2-trot-1/record.mcap";
    unlink(record);
    struct stat st;
    for (int i = 0; i < 500 && (stat(record, &st) != 0 || st.st_size < 100); i++) usleep(10000);
    usleep(200000);
    kill(pid, SIGINT);
    int status;
    waitpid(pid, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1, "status %x", (unsigned)status);
    CHECK(qiao("replay build/test/int/parcel_route-go2-trot-1 --info") == 0, "%.300s", out);
    CHECK_TEXT(out, "interrupted");
}
