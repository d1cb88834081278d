// SPDX-License-Identifier: Apache-2.0
// qiao prove as a user types it: what it says, how it ends, what it leaves behind.
#include "app.h"

#define DIR  "build/test/prove/"
#define BASE "--robot go2 --brain hold --out build/test/prove "

// A shove whose force decides: hold stays up below some force, and falls above.
static void make_job(void) {
    put_text("build/test/shove.osc",
             "import qiao\nscenario shove:\n    title: \"A shove\"\n    title_zh: \"一推\"\n"
             "    world: environment with:\n        keep(it.friction in [0.6..1.0])\n"
             "    robot: legged_robot\n    operator: operator\n"
             "    do serial:\n        wait elapsed(0.5s)\n"
             "        hit: world.push(robot, force: [20N..400N], direction: left)\n"
             "        wait elapsed(1.5s)\n"
             "    score:\n        upright: complete(not fell(robot))\n        time_limit(4s)\n"
             "    envelope:\n        tilt: bound(tilt(robot), max: 45deg, ends_trial: true)\n");
    CHECK(system("rm -rf build/test/prove") == 0);
}

typedef struct wrong {
    const char *args, *says;
} wrong;

TEST(wrong_input_is_named) {
    const wrong table[] = {
        {"prove", "which scenario"},
        {"prove stand_push", "--robot is missing"},
        {"prove stand_push --robot go2", "--brain is missing"},
        {"prove stand_psuh " BASE, "stand_push"},
        {"prove stand_push --robot panad --brain hold", "panda"},
        {"prove stand_push --robot go2 --brain hodl", "hold"},
        {"prove stand_push " BASE "--trials 0", "whole number"},
        {"prove stand_push " BASE "--until x", "number"},
        {"prove stand_push " BASE "--decide 1.5", "number"},
        {"prove stand_push " BASE "--sampling sobl", "sobol or random"},
        {"prove stand_push " BASE "--engine lnaes", "lanes"},
        {"prove stand_push " BASE "--by frction", "friction"},
        {"prove stand_push " BASE "--need 90", "number"},
        {"prove stand_push " BASE "--trails 5", "--trials"},
        {"prove stand_push " BASE "--slurm", "--workers"},
        {"prove sort_bin " BASE, "odd"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int status = qiao(table[i].args);
        CHECK(status == 2, "'%s' ended with %d: %.300s", table[i].args, status, out);
        CHECK(strstr(out, table[i].says) != NULL, "'%s' does not say '%s' but: %.300s",
              table[i].args, table[i].says, out);
    }
}

TEST(says_how_often_and_why) {
    make_job();
    int status = qiao("prove build/test/shove.osc " BASE "--trials 200 --by friction --second 4");
    CHECK(status == 1, "%d: %.1000s", status, out);
    CHECK_TEXT(out, "of 200 trials");
    CHECK_TEXT(out, "NOT PASSED");
    CHECK_TEXT(out, "exact lower bound");
    CHECK_TEXT(out, "hit.force");
    CHECK_TEXT(out, "by world.friction");
    CHECK_TEXT(out, "second opinion (engine mujoco)");
    CHECK_TEXT(out, "report.html");
    struct stat st;
    const char *file[] = {"report.html",       "report.json",    "result.qiao",     "trials.db",
                          "worst/replay.html", "worst/case.osc", "best/record.mcap"};
    for (int i = 0; i < 7; i++) {
        char path[200];
        snprintf(path, sizeof path, DIR "shove-go2-hold-lanes32-1/%s", file[i]);
        CHECK(stat(path, &st) == 0 && st.st_size > 100, "%s", path);
    }
    // the worst trial runs again by the command that is told for it
    status = qiao("run " DIR "shove-go2-hold-lanes32-1/worst/case.osc " BASE
                  "--engine lanes32 --no-record --json --trial 3");
    CHECK(status <= 1, "%.500s", out);
    CHECK(qiao("verify " DIR "shove-go2-hold-lanes32-1/result.qiao --sample 3") == 0, "%.800s",
          out);
    // more trials go on from those that are there
    status =
        qiao("prove build/test/shove.osc " BASE "--trials 260 --second 0 --no-records --need 0.05");
    CHECK(status == 0, "%d: %.1000s", status, out);
    CHECK_TEXT(out, "of 260 trials");
    CHECK_TEXT(out, "60 trials run now");
}

static double number_after(const char *key) {
    const char *p = strstr(out, key);
    CHECK(p != NULL, "no %s in %.800s", key, out);
    return strtod(p + strlen(key) + strspn(p + strlen(key), "\": "), NULL);
}

// The same trials by one process, by threads, by another sampling of the command: the same result.
TEST(json_and_threads) {
    make_job();
    CHECK(qiao("prove build/test/shove.osc " BASE
               "--trials 100 --second 0 --no-records --json --threads 1") == 1);
    CHECK(out[0] == '{', "%.100s", out);
    double passed = number_after("\"passed\"");
    CHECK(passed > 0 && passed < 100, "%g", passed);
    CHECK(system("cp " DIR "shove-go2-hold-lanes32-1/result.qiao build/test/one.qiao") == 0);
    CHECK(system("rm -rf build/test/prove") == 0);
    CHECK(qiao("prove build/test/shove.osc " BASE
               "--trials 100 --second 0 --no-records --json --threads 2") == 1);
    CHECK(number_after("\"passed\"") == passed);
    CHECK(system("cmp build/test/one.qiao " DIR "shove-go2-hold-lanes32-1/result.qiao") == 0,
          "the same bytes");
}

TEST(stops_when_it_knows) {
    make_job();
    // hold stands through a fraction of these shoves: not 99 %
    CHECK(qiao("prove build/test/shove.osc " BASE "--decide 0.99 --second 0 --no-records") == 1);
    CHECK_TEXT(out, "sequential test: success is below 99 %");
    CHECK_TEXT(out, "stopped by test");
    CHECK(qiao("prove build/test/shove.osc " BASE
               "--until 0.2 --need 0.01 --second 0 --no-records") == 0,
          "%.800s", out);
    CHECK_TEXT(out, "stopped by width");
    CHECK_TEXT(out, "anytime-valid lower bound");
}

// What a shove takes alone is found among two parameters, and how often failure is, twice over.
TEST(plainest_and_rare_failures) {
    make_job();
    int status = qiao("prove build/test/shove.osc " BASE
                      "--trials 200 --second 0 --no-records --shrink 120 --rare 400");
    CHECK(status == 1, "%d: %.1000s", status, out);
    CHECK_TEXT(out, "plainest failure: ");
    CHECK_TEXT(out, "parameters off the middle");
    CHECK_TEXT(out, "rare failures");
    double rare = number_after("rare failures\n ");
    CHECK(rare > 5 && rare < 95, "in percent: %g", rare);
    CHECK_TEXT(out, "the first failure came after");
    CHECK(system("grep -q '\"kind\": \"shrunk\"' " DIR "shove-go2-hold-lanes32-1/report.json") ==
          0);
    CHECK(system("grep -q '\"rare\": {' " DIR "shove-go2-hold-lanes32-1/report.json") == 0);
}

TEST(two_brains_in_pairs) {
    make_job();
    int status = qiao("prove build/test/shove.osc " BASE
                      "--brain2 brains/example.py --trials 12 --second 0 --no-records --threads 1");
    if (strstr(out, "python3")) SKIP("no python3 here");
    CHECK(status <= 1, "%d: %.1000s", status, out);
    CHECK_TEXT(out, "Each of the 12 draws was met by both");
}

TEST(interrupted_keeps_and_goes_on) {
    make_job();
    pid_t pid = fork();
    if (pid == 0) {
        char path[300];
        snprintf(path, sizeof path, "%s/qiao", build());
        int null = open("/dev/null", O_WRONLY);
        dup2(null, 1), dup2(null, 2);
        execl(path, path, "prove", "build/test/shove.osc", "--robot", "go2", "--brain", "hold",
              "--out", "build/test/prove", "--trials", "1000000", "--threads", "1", (char *)NULL);
        _exit(127);
    }
    // interrupt once rows are there
    const char *db = DIR "shove-go2-hold-lanes32-1/trials.db";
    struct stat st;
    long first = 0;
    for (int i = 0; i < 3000; i++) {
        usleep(10000);
        char wal[200];
        snprintf(wal, sizeof wal, "%s-wal", db);
        long size = stat(db, &st) == 0 ? (long)st.st_size : 0;
        if (stat(wal, &st) == 0) size += (long)st.st_size;
        if (size && !first) first = size;
        if (first && size > first + 60000) break;
    }
    kill(pid, SIGINT);
    int status;
    waitpid(pid, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1, "status %x", (unsigned)status);
    CHECK(stat(DIR "shove-go2-hold-lanes32-1/report.html", &st) == 0, "a report of what is there");
    // the same command with fewer trials finds them all there
    CHECK(qiao("prove build/test/shove.osc " BASE
               "--trials 100 --second 0 --no-records --threads 1") == 1,
          "%.800s", out);
    CHECK_TEXT(out, " 0 trials run now");
}
