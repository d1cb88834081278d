// SPDX-License-Identifier: Apache-2.0
// test_trial.c - trials: the same bits alone and in company, and stored golden hashes.
#include "qiao/prove.h"
#include "test.h"

#include <unistd.h>

enum { MOST = 64 };
static double until; // s of trial time, then the trials are ended

static bool on_progress(void *ctx, double t, double t_limit, int nlive) {
    (void)ctx, (void)t_limit, (void)nlive;
    return t < until - 1e-9;
}

typedef struct setting {
    const char *scenario, *robot, *brain, *engine;
} setting;

// Runs n trials with seeds first.. for `until` seconds and returns the traces as hex.
static void trace(setting s, int n, uint64_t first, int threads, char hex[][QIAO_HASH_HEX]) {
    qiao_diag d = {0};
    qiao_scenario *sc = qiao_scenario_load(s.scenario, &d);
    qiao_robot *r = sc ? qiao_robot_load(s.robot, &d) : NULL;
    CHECK(r != NULL, "%s", d.text);
    qiao_trial trial[MOST] = {0};
    static qiao_result result[MOST];
    for (int i = 0; i < n; i++) trial[i].seed = first + (uint64_t)i;
    qiao_trials_def def = qiao_trials_def_default();
    def.scenario = sc, def.robot = r, def.brain.spec = s.brain, def.nthread = threads,
    def.ntrial = n;
    def.trial = trial, def.progress = on_progress, def.engine = s.engine;
    qiao_err e = qiao_trials_run(&def, result, &d);
    CHECK(e == QIAO_OK, "%s", d.text);
    for (int i = 0; i < n; i++) qiao_hash_hex(result[i].trace, hex[i]);
    qiao_results_free(result, n);
    qiao_robot_free(r), qiao_scenario_free(sc);
}

static const setting walk = {"walk_flat", "go2", "trot", "mujoco"},
                     sort = {"sort_bin", "panda", "pick", "mujoco"},
                     parcel = {"parcel_route", "go2", "trot", "mujoco"};
static setting in(const char *engine, setting s) {
    s.engine = engine;
    return s;
}

static void alone_and_in_company(setting s) {
    static char many[MOST][QIAO_HASH_HEX], one[1][QIAO_HASH_HEX];
    trace(s, MOST, 100, 2, many);
    trace(s, 1, 137, 1, one);
    CHECK(strcmp(many[37], one[0]) == 0, "world 37 of 64 %s, alone %s", many[37], one[0]);
    CHECK(strcmp(many[36], one[0]) != 0, "other seeds give other traces");
}

TEST(world_37_of_64_walk) { until = 0.5, alone_and_in_company(walk); }
TEST(world_37_of_64_sort) { until = 0.1, alone_and_in_company(sort); }

TEST(world_37_of_64_walk_in_lanes) { until = 0.2, alone_and_in_company(in("lanes", walk)); }
TEST(world_37_of_64_sort_in_lanes) { until = 0.06, alone_and_in_company(in("lanes32", sort)); }

TEST(threads_do_not_matter) {
    static char a[6][QIAO_HASH_HEX], b[6][QIAO_HASH_HEX];
    until = 1;
    trace(parcel, 6, 1, 1, a), trace(parcel, 6, 1, 2, b);
    for (int i = 0; i < 6; i++) CHECK(strcmp(a[i], b[i]) == 0, "seed %d", 1 + i);
}

// Stored hashes. They change when physics, sensors, a brain or a scenario change: then run
// QIAO_GOLDEN=write build/gcc/tests/test_trial golden, and say in the commit why.
// MuJoCo's library takes sin and cos from the C library, which has other bits without FMA.
TEST(golden) {
#if defined(__x86_64__)
    if (!__builtin_cpu_supports("fma")) SKIP("stored for processors with FMA");
#else
    SKIP("stored for x86-64");
#endif
    const setting all[] = {
        walk, parcel, sort, in("lanes", walk), in("lanes", parcel), in("lanes32", walk)};
    const char *path = "tests/golden.txt";
    static char hex[1][QIAO_HASH_HEX], now[4000];
    size_t at = 0;
    until = 2;
    for (int i = 0; i < 6; i++) {
        trace(all[i], 1, 1, 1, hex);
        at += (size_t)snprintf(now + at, sizeof now - at, "%s %s %s %s seed 1, 2 s: %s\n",
                               all[i].scenario, all[i].robot, all[i].brain, all[i].engine, hex[0]);
    }
    qiao_diag d = {0};
    if (getenv("QIAO_GOLDEN")) qiao_file_write(path, now, at, &d);
    char *want;
    size_t n;
    CHECK(qiao_file_read(path, 10000, &want, &n, &d) == QIAO_OK, "%s", d.text);
    bool same = strcmp(want, now) == 0;
    if (!same) printf("stored:\n%snow:\n%s", want, now);
    free(want);
    CHECK(same);
}
