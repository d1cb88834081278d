// SPDX-License-Identifier: Apache-2.0
// test_app_train.c - qiao train as a user types it: what it leaves, stopped in the middle, wrong.
#include "app.h"

#include <stdbool.h>

static const char recipe[] =
    "robot: go2\nbrain: ../../../brains/go2_walk/brain.yaml\nworlds: 32\niterations: 2\n"
    "seconds: 0.5\n"
    "checkpoint: 2\nsteps: 3000\nrewards: {track_velocity: 1}\n"
    "ppo: {horizon: 8, epochs: 1, minibatches: 1, actor: [16], critic: [16]}\n";

static bool there(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && st.st_size > 0;
}
static char *text_of(const char *path) {
    static char text[1 << 20];
    FILE *f = fopen(path, "rb");
    CHECK(f, "no %s", path);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    return text;
}
static int lines(const char *text) {
    int n = 0;
    for (; *text; text++) n += *text == '\n';
    return n;
}

TEST(a_training_leaves_a_brain_a_log_and_a_page) {
    system("rm -rf build/test/small build/test/results");
    mkdir("build/test", 0777), mkdir("build/test/small", 0777);
    write_file("build/test/small/train.yaml", recipe, sizeof recipe - 1);
    CHECK(qiao("train build/test/small/train.yaml --out build/test/results") == 0, "%s", out);
    const char *dir = "build/test/results/train-small-1";
    CHECK_TEXT(out, "train-small-1/brain.yaml");
    static const char *const left[] = {"policy.onnx", "brain.yaml",     "log.csv",  "page.html",
                                       "replay.html", "checkpoint.bin", "curve.svg"};
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        char path[200];
        snprintf(path, sizeof path, "%s/%s", dir, left[i]);
        CHECK(there(path), "no %s: %s", path, out);
    }
    // 3000 steps at 256 an iteration: 12, and the head
    char *csv = text_of("build/test/results/train-small-1/log.csv");
    CHECK(lines(csv) == 13, "%d lines", lines(csv));
    CHECK_TEXT(csv, "iteration,steps,seconds,reward");
    CHECK_TEXT(csv, ",track_velocity\n");
    char *page = text_of("build/test/results/train-small-1/page.html");
    CHECK(strstr(page, "\"robot\": \"go2\""), "no data in the page");
    CHECK(!strstr(page, "<!--@"), "a place in the page is not filled");
    CHECK(!strstr(page, "http-equiv"), "a finished page reloads itself");
    CHECK(qiao("run walk_flat --robot go2 --brain build/test/results/train-small-1/brain.yaml "
               "--no-record --out build/test/results") <= 1,
          "%s", out);
    // once more: it is over, says so, and nothing is lost
    CHECK(qiao("train build/test/small/train.yaml --out build/test/results --steps 3500") == 0,
          "%s", out);
    CHECK_TEXT(out, "goes on from iteration 12");
    csv = text_of("build/test/results/train-small-1/log.csv");
    CHECK(lines(csv) == 15, "%d lines", lines(csv));
}

// Numbers of a row of log.csv.
static void row_of(const char *csv, int row, double *x, int n) {
    for (int i = 0; i < row; i++) csv = strchr(csv, '\n') + 1;
    for (int i = 0; i < n; i++) {
        char *end;
        x[i] = strtod(csv, &end);
        csv = end + 1;
    }
}

// At a checkpoint all worlds begin anew and only short episodes end for a while: page and picture
// show means over as many iterations as lie between two, each weighed by the episodes in it.
TEST(episodes_are_told_over_a_checkpoints_distance) {
    static char csv[100000];
    double a[8], b[8];
    system("rm -rf build/test/small build/test/results");
    mkdir("build/test/small", 0777);
    write_file("build/test/small/train.yaml", recipe, sizeof recipe - 1);
    CHECK(qiao("train build/test/small/train.yaml --out build/test/results") == 0, "%s", out);
    snprintf(csv, sizeof csv, "%s", text_of("build/test/results/train-small-1/log.csv"));
    CHECK_TEXT(csv, "reward,episode,length,ended,episodes,");
    row_of(csv, 11, a, 8), row_of(csv, 12, b, 8); // the last two; checkpoint: 2
    CHECK(a[7] > 0 && b[7] > 0 && a[5] != b[5], "no episodes: %g %g", a[7], b[7]);
    char *page = text_of("build/test/results/train-small-1/page.html");
    CHECK_TEXT(page, "\"window\": 2");
    const char *at = strstr(page, "\"length\": [");
    CHECK(at, "no lengths");
    const char *end = strchr(at, ']'), *last = end;
    while (last[-1] != ',' && last[-1] != '[') last--;
    CHECK_NEAR(strtod(last, NULL), (a[5] * a[7] + b[5] * b[7]) / (a[7] + b[7]), 1e-6);
    char *svg = text_of("build/test/results/train-small-1/curve.svg");
    CHECK_TEXT(svg, "length of an episode, s");
    CHECK(strstr(svg, "</svg>") && !strstr(svg, "nan"), "a broken picture");
}

TEST(a_training_stopped_in_the_middle_goes_on) {
    system("rm -rf build/test/small build/test/results");
    mkdir("build/test/small", 0777);
    write_file("build/test/small/train.yaml", recipe, sizeof recipe - 1);
    char cmd[400];
    snprintf(cmd, sizeof cmd,
             "train build/test/small/train.yaml --out build/test/results --no-page --steps 1e9 "
             "> build/test/said 2>&1 & p=$!; while kill -0 $p 2>/dev/null && ! [ -s "
             "build/test/results/train-small-1/checkpoint.bin ]; do sleep 0.05; done; "
             "kill -INT $p; wait $p; s=$?; cat build/test/said; exit $s");
    int status = qiao(cmd);
    CHECK(status == 1, "status %d: %s", status, out);
    CHECK_TEXT(out, "interrupted");
    CHECK(there("build/test/results/train-small-1/policy.onnx"), "no network");
    CHECK(qiao("train build/test/small/train.yaml --out build/test/results --no-page --steps 1") ==
              0,
          "%s", out);
    CHECK_TEXT(out, "goes on from iteration");
}

// Three seeds at once leave what each leaves alone, and a page over all.
TEST(seeds_together_have_the_bits_of_each_alone) {
    system("rm -rf build/test/small build/test/results build/test/alone");
    mkdir("build/test/small", 0777);
    write_file("build/test/small/train.yaml", recipe, sizeof recipe - 1);
    CHECK(qiao("train build/test/small/train.yaml --seed 1..3 --together --threads 2 --steps 1000 "
               "--out build/test/results") == 0,
          "%s", out);
    CHECK_TEXT(out, "3 seeds");
    CHECK_TEXT(out, "results/train-small-3/brain.yaml");
    CHECK_TEXT(out, "results/train-small-1..3/page.html");
    CHECK(qiao("train build/test/small/train.yaml --seed 2..3 --no-page --steps 1000 --out "
               "build/test/alone") == 0,
          "%s", out);
    for (int i = 2; i <= 3; i++) {
        char cmd[200];
        snprintf(cmd, sizeof cmd,
                 "cmp build/test/results/train-small-%d/policy.onnx "
                 "build/test/alone/train-small-%d/policy.onnx",
                 i, i);
        CHECK(system(cmd) == 0, "seed %d has other bits together", i);
    }
    CHECK(system("cmp -s build/test/results/train-small-1/policy.onnx "
                 "build/test/results/train-small-2/policy.onnx") != 0,
          "two seeds learn the same");
    char *page = text_of("build/test/results/train-small-1..3/page.html");
    CHECK(strstr(page, "\"seeds\": ["), "no seeds in the page");
    CHECK(strstr(page, "../train-small-3/page.html"), "no way to the page of a seed");
    CHECK(strstr(page, "\"over\": true") && !strstr(page, "http-equiv"), "the page goes on");
    CHECK(qiao("train build/test/small/train.yaml --seed 1..2 --together --no-page --steps 1500 "
               "--out build/test/results") == 0,
          "%s", out);
    CHECK_TEXT(out, "goes on from iteration 4");
    CHECK(lines(text_of("build/test/results/train-small-2/log.csv")) == 7, "a log has gaps");
}

TEST(wrong_recipes_are_told) {
    system("rm -rf build/test/small");
    mkdir("build/test/small", 0777);
    CHECK(qiao("train") == 2);
    CHECK_TEXT(out, "which recipe");
    CHECK(qiao("train build/test/none.yaml --out build/test/results") == 2);
    CHECK_TEXT(out, "none.yaml");
    write_file("build/test/small/train.yaml", "robot: go2\nreward: {}\n", 22);
    CHECK(qiao("train build/test/small/train.yaml --out build/test/results") == 2);
    CHECK_TEXT(out, "train.yaml:2:1: unknown key 'reward'; did you mean 'rewards'?");
    CHECK(qiao("train build/test/small/train.yaml --seed x --out build/test/results") == 2);
    CHECK(qiao("train build/test/small/train.yaml --steps -1 --out build/test/results") == 2);
}
