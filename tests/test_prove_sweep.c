// SPDX-License-Identifier: Apache-2.0
// Sweeps: rows that depend on nothing but what they are of, and the points they are drawn at.
#include "prove/flock.h"
#include "prove/sobol.h"
#include "qiao/prove.h"
#include "test.h"

enum { MOST = 200 };

typedef struct rows {
    int n, nparam, nmeasure;
    qiao_row row[MOST];
    double param[MOST][32], measure[MOST][QIAO_SCORE_MAX];
} rows;

static qiao_scenario *scenario;
static qiao_robot *robot;

static void load(const char *name, const char *who) {
    qiao_diag d = {0};
    qiao_scenario_free(scenario), qiao_robot_free(robot);
    scenario = qiao_scenario_load(name, &d), robot = qiao_robot_load(who, &d);
    CHECK(scenario && robot, "%s", d.text);
}

// The same job, over after a short time.
static void load_short(const char *name, const char *who, const char *limit) {
    char path[200], *text, *out = NULL;
    size_t n;
    qiao_diag d = {0};
    snprintf(path, sizeof path, "scenarios/%s.osc", name);
    CHECK(qiao_file_read(path, 1 << 20, &text, &n, &d) == QIAO_OK, "%s", d.text);
    char *at = strstr(text, "time_limit("), *end = at ? strchr(at, ')') : NULL;
    CHECK(end != NULL);
    at[strlen("time_limit(")] = 0;
    size_t cap = n + 40;
    out = malloc(cap);
    snprintf(out, cap, "%s%s%s", text, limit, end);
    snprintf(path, sizeof path, "build/test/short_%s.osc", name);
    qiao_dir_make("build/test", &d);
    qiao_err e = qiao_file_write(path, out, strlen(out), &d);
    free(text), free(out);
    CHECK(e == QIAO_OK, "%s", d.text);
    load(path, who);
}

static qiao_sweep_def def_of(const char *brain, const char *engine, int nthread) {
    qiao_sweep_def def = qiao_sweep_def_default();
    def.scenario = scenario, def.robot = robot, def.brain.spec = brain, def.engine = engine;
    def.nthread = nthread, def.seed = 5;
    return def;
}

// Trials from.. (or by list) in chunks.
static void run(const qiao_sweep_def *def, const uint64_t *list, int n, int chunk, const double *u,
                rows *r) {
    qiao_diag d = {0};
    qiao_sweep *s = qiao_sweep_new(def, &d);
    CHECK(s != NULL, "%s", d.text);
    const qiao_table *t = qiao_sweep_shape(s);
    r->n = n, r->nparam = t->nparam, r->nmeasure = t->nmeasure;
    CHECK(t->nparam <= 32 && n <= MOST);
    for (int i = 0; i < n; i++)
        r->row[i] = (qiao_row){.param = r->param[i], .measure = r->measure[i]};
    for (int i = 0; i < n; i += chunk) {
        int k = n - i < chunk ? n - i : chunk;
        qiao_err e = qiao_sweep_run(s, k, list + i, u ? u + i * t->nparam : NULL, r->row + i, &d);
        CHECK(e == QIAO_OK, "%s", d.text);
    }
    qiao_sweep_free(s);
}

static bool same_row(const rows *a, int i, const rows *b, int k) {
    const qiao_row *x = &a->row[i], *y = &b->row[k];
    return x->trial == y->trial && x->passed == y->passed && x->total == y->total &&
           x->time == y->time && strcmp(x->cause, y->cause) == 0 &&
           strcmp(x->reason, y->reason) == 0 && memcmp(x->trace, y->trace, sizeof x->trace) == 0 &&
           memcmp(x->param, y->param, (size_t)a->nparam * sizeof(double)) == 0 &&
           memcmp(x->measure, y->measure, (size_t)a->nmeasure * sizeof(double)) == 0;
}

static rows A, B;
static uint64_t list[MOST];

// Trial 37 among others, in another order, in other chunks, on other threads, alone.
static void company_does_not_matter(const char *brain, const char *engine, int n) {
    qiao_sweep_def def = def_of(brain, engine, 1);
    for (int i = 0; i < n; i++) list[i] = (uint64_t)i;
    run(&def, list, n, n, NULL, &A);
    def.nthread = 2;
    run(&def, list, n, 7, NULL, &B);
    for (int i = 0; i < n; i++) CHECK(same_row(&A, i, &B, i), "trial %d, two threads", i);
    for (int i = 0; i < n; i++) list[i] = (uint64_t)(n - 1 - i);
    run(&def, list, n, n, NULL, &B);
    for (int i = 0; i < n; i++) CHECK(same_row(&A, i, &B, n - 1 - i), "trial %d, backwards", i);
    list[0] = (uint64_t)(n / 2);
    run(&def, list, 1, 1, NULL, &B);
    CHECK(same_row(&A, n / 2, &B, 0), "alone");
    CHECK(memcmp(A.row[0].trace, A.row[1].trace, QIAO_HASH_BYTES) != 0, "trials differ");
}

TEST(rows_in_lanes32) {
    load_short("stand_push", "go2", "2.5s"), company_does_not_matter("hold", "lanes32", 80);
}
TEST(rows_in_lanes) {
    load_short("meet_person", "go2", "1s"), company_does_not_matter("hold", "lanes", 12);
}
TEST(rows_in_mujoco) {
    load_short("stand_push", "go2", "1s"), company_does_not_matter("hold", "mujoco", 10);
}
// Facts that differ: a brain for each lane.
TEST(rows_with_facts) {
    load_short("sort_bin", "panda", "0.5s"), company_does_not_matter("pick", "lanes32", 6);
}
// Worlds of many structures.
TEST(rows_of_other_shapes) {
    load_short("parcel_route", "go2", "0.2s"), company_does_not_matter("hold", "lanes32", 6);
}

// A row is what qiao_trials_run gives for the same draw, and for the concrete file of it.
static void as_trials(const char *brain, const char *engine, int n, qiao_sampling sampling) {
    qiao_sweep_def def = def_of(brain, engine, 2);
    def.sampling = sampling;
    for (int i = 0; i < n; i++) list[i] = (uint64_t)i;
    run(&def, list, n, n, NULL, &A);
    qiao_diag d = {0};
    qiao_sweep *sweep = qiao_sweep_new(&def, &d);
    CHECK(sweep != NULL, "%s", d.text);
    for (int i = 0; i < n; i++) {
        double u[64];
        CHECK(qiao_sweep_places(sweep, (uint64_t)i, u, &d) == QIAO_OK, "%s", d.text);
        qiao_trial t = {.seed = 5, .trial = (uint64_t)i, .u = u};
        qiao_trials_def td = qiao_trials_def_default();
        td.scenario = scenario, td.robot = robot, td.brain = def.brain, td.engine = engine;
        td.ntrial = 1, td.trial = &t, td.nthread = 1;
        qiao_result r;
        CHECK(qiao_trials_run(&td, &r, &d) == QIAO_OK, "%s", d.text);
        CHECK(memcmp(r.trace, A.row[i].trace, sizeof r.trace) == 0, "trial %d", i);
        CHECK((r.score.verdict == QIAO_PASSED) == A.row[i].passed, "trial %d", i);
        qiao_results_free(&r, 1);
    }
    qiao_sweep_free(sweep);
}

// Robots whose own numbers are drawn, hung up by their bases.
TEST(rows_of_varied_robots) {
    load_short("excite", "go2", "0.3s");
    company_does_not_matter("chirp", "lanes", 10);
    as_trials("chirp", "lanes", 3, QIAO_SAMPLE_RANDOM);
    as_trials("chirp", "mujoco", 3, QIAO_SAMPLE_SOBOL);
}

TEST(rows_are_those_of_qiao_run) {
    load("stand_push", "go2");
    as_trials("hold", "lanes32", 5, QIAO_SAMPLE_RANDOM);
    as_trials("hold", "lanes32", 5, QIAO_SAMPLE_SOBOL);
    load_short("stand_push", "go2", "1s");
    as_trials("hold", "mujoco", 3, QIAO_SAMPLE_RANDOM);
    load_short("meet_person", "go2", "2s");
    as_trials("hold", "lanes", 3, QIAO_SAMPLE_RANDOM);
    load_short("sort_bin", "panda", "1s");
    as_trials("pick", "lanes32", 2, QIAO_SAMPLE_RANDOM);
    load_short("parcel_route", "go2", "0.5s");
    as_trials("hold", "lanes32", 3, QIAO_SAMPLE_RANDOM);
}

TEST(chosen_places) {
    load("stand_push", "go2");
    qiao_sweep_def def = def_of("hold", "lanes32", 1);
    double u[8 * 32];
    const qiao_param *p;
    int np = qiao_scenario_params(scenario, &p);
    for (int i = 0; i < 8; i++) {
        list[i] = (uint64_t)i;
        for (int k = 0; k < np; k++) u[i * np + k] = i / 8.0;
    }
    run(&def, list, 8, 8, u, &A);
    for (int i = 0; i < 8; i++)
        for (int k = 0; k < np; k++) {
            if (strcmp(p[k].unit, "") == 0 && p[k].hi == floor(p[k].hi)) continue; // a choice
            CHECK_NEAR(A.row[i].param[k], p[k].lo + i / 8.0 * (p[k].hi - p[k].lo), 1e-9);
        }
}

// ---- points ----

TEST(sobol_fills_evenly) {
    // any 2^k first points: one in each interval of length 2^-k, in every dimension
    enum { N = 256 };
    static double u[N][QI_SOBOL_DIMS];
    for (uint32_t i = 0; i < N; i++) qi_sobol(9, 0, i, QI_SOBOL_DIMS, u[i]);
    for (int j = 0; j < QI_SOBOL_DIMS; j++) {
        int seen[N] = {0};
        for (int i = 0; i < N; i++) {
            CHECK(u[i][j] >= 0 && u[i][j] < 1);
            seen[(int)(u[i][j] * N)]++;
        }
        for (int i = 0; i < N; i++) CHECK(seen[i] == 1, "dimension %d, interval %d", j, i);
    }
    // and the first two dimensions are a (0, m, 2)-net: one in each box of 16 x 16
    int box[16][16] = {{0}};
    for (int i = 0; i < N; i++) box[(int)(u[i][0] * 16)][(int)(u[i][1] * 16)]++;
    for (int i = 0; i < 256; i++) CHECK(box[i / 16][i % 16] == 1);
}

// Known points of the unscrambled sequence in 1 to 4 dimensions follow from the published table;
// a scramble must not change which of them share an interval, and a mean converges faster.
TEST(sobol_integrates) {
    enum { N = 4096, D = 6 };
    double sum = 0, plain = 0, u[D];
    for (uint32_t i = 0; i < N; i++) {
        double f = 1, g = 1;
        qi_sobol(3, 0, i, D, u);
        for (int j = 0; j < D; j++) {
            qiao_rng r = {3, i, (uint32_t)j};
            f *= 0.5 + u[j], g *= 0.5 + qiao_rng_uniform(&r, 0, 0);
        }
        sum += f / N, plain += g / N;
    }
    CHECK_NEAR(sum, 1, 1e-3); // independent draws: a standard deviation of 0.012
    CHECK(fabs(sum - 1) < fabs(plain - 1), "%g, %g", sum, plain);
    double a[4], b[4], c[4];
    qi_sobol(1, 0, 5, 4, a), qi_sobol(1, 0, 5, 4, b), qi_sobol(2, 0, 5, 4, c);
    CHECK(memcmp(a, b, sizeof a) == 0 && memcmp(a, c, sizeof a) != 0, "keyed by the seed");
}

// A rule that forbids half the square: every trial finds a point, the same one each time.
TEST(forbidden_points_give_way) {
    qiao_diag d = {0};
    const char *path = "build/test/rule.osc";
    static const char text[] =
        "import qiao\nscenario rule:\n    title: \"t\"\n    robot: legged_robot\n"
        "    a: length with:\n        keep(it in [0m..1m])\n"
        "    b: length with:\n        keep(it in [0m..1m])\n    keep(a < b)\n"
        "    do serial:\n        wait elapsed(0.05s)\n"
        "    score:\n        up: complete(not fell(robot))\n        time_limit(1s)\n";
    qiao_dir_make("build/test", &d);
    CHECK(qiao_file_write(path, text, sizeof text - 1, &d) == QIAO_OK, "%s", d.text);
    load(path, "go2");
    company_does_not_matter("hold", "lanes32", 64);
    double low = 0;
    for (int i = 0; i < 64; i++) {
        CHECK(A.row[i].param[0] < A.row[i].param[1], "trial %d", i);
        low += A.row[i].param[0] / 64;
    }
    CHECK_NEAR(low, 1.0 / 3, 0.06); // the mean of the smaller of two
}

TEST(causes_have_no_numbers) {
    const struct {
        const char *reason, *cause;
    } all[] = {{"tilt 71 deg > 60 deg", "tilt"},
               {"the time is up: completion 0.5 < 1; near is 0", "near is incomplete"},
               {"completion 0.333 < 0.6; tracking is -0.1", "tracking is incomplete"},
               {"the physics stopped: a result is not finite",
                "the physics stopped: a result is not finite"},
               {"", ""}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char cause[48];
        qi_cause_of(all[i].reason, cause, sizeof cause);
        CHECK(strcmp(cause, all[i].cause) == 0, "'%s' gives '%s'", all[i].reason, cause);
    }
}

// ---- ends ----

static bool stop_soon(void *ctx, uint64_t ndone, int nlive) {
    (void)ndone, (void)nlive;
    return ++*(int *)ctx < 2;
}

TEST(interrupted_and_gone_on_with) {
    load("walk_flat", "go2");
    qiao_sweep_def def = def_of("hold", "lanes32", 2);
    int calls = 0;
    def.progress = stop_soon, def.ctx = &calls;
    qiao_diag d = {0};
    qiao_sweep *s = qiao_sweep_new(&def, &d);
    CHECK(s != NULL, "%s", d.text);
    int n = 150, nm = qiao_sweep_shape(s)->nmeasure;
    CHECK(nm > 0);
    for (int i = 0; i < n; i++) {
        list[i] = (uint64_t)i;
        A.row[i] = (qiao_row){.param = A.param[i], .measure = A.measure[i]};
    }
    qiao_err e = qiao_sweep_run(s, n, list, NULL, A.row, &d);
    CHECK(e == QIAO_E_TIMEOUT, "%d", (int)e);
    // the same sweep runs on
    calls = -1000000;
    d = (qiao_diag){0};
    CHECK(qiao_sweep_run(s, 1, list, NULL, A.row, &d) == QIAO_OK, "%s", d.text);
    qiao_sweep_free(s);
}

// A brain that dies takes no neighbour with it: each trial is as it is alone.
TEST(a_brain_that_dies) {
    const char *b = getenv("QIAO_BUILD");
    char path[200];
    snprintf(path, sizeof path, "%s/tests/plugins/crash.so", b ? b : "build/gcc");
    FILE *f = fopen(path, "r");
    if (!f) SKIP("no %s", path);
    fclose(f);
    load("stand_push", "go2");
    qiao_sweep_def def = def_of(path, "lanes32", 1);
    for (int i = 0; i < 3; i++) list[i] = (uint64_t)i;
    run(&def, list, 3, 3, NULL, &A);
    for (int i = 0; i < 3; i++) {
        CHECK(!A.row[i].passed && A.row[i].cause[0], "trial %d: %s", i, A.row[i].reason);
        run(&def, list + i, 1, 1, NULL, &B);
        CHECK(A.row[i].time == B.row[0].time && strcmp(A.row[i].cause, B.row[0].cause) == 0);
    }
}

TEST(what_does_not_fit_is_said) {
    const struct {
        const char *scenario, *robot, *brain, *engine, *says;
    } all[] = {{"stand_push", "go2", "hold", "lnaes", "lanes"},
               {"stand_push", "go2", "hodl", "lanes32", "hold"},
               {"stand_push", "panda", "hold", "lanes32", "legged"},
               {"sort_bin", "go2", "pick", "mujoco", "odd"}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        load(all[i].scenario, all[i].robot);
        qiao_sweep_def def = def_of(all[i].brain, all[i].engine, 1);
        qiao_diag d = {0};
        CHECK(qiao_sweep_new(&def, &d) == NULL);
        CHECK_TEXT(d.text, all[i].says);
    }
}
