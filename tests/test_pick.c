// SPDX-License-Identifier: Apache-2.0
// test_pick.c - brain pick: it sorts, the same alone and in company; its eyes, its choice of grasps.
// The brain's sources are part of this program, so that its parts can be asked one by one.
#include "../brains/pick/grasp.c"
#include "../brains/pick/pick.c"
#include "../brains/pick/see.c"
#include "../brains/pick/work.c"
#include "qiao/prove.h"
#include "test.h"

// ---- the job ----

static double until; // s of trial time, then the trials are ended

static bool on_progress(void *ctx, double t, double t_limit, int nlive) {
    (void)ctx, (void)t_limit, (void)nlive;
    return t < until - 1e-9;
}

static void run(const char *scenario, int n, uint64_t first, int threads, qiao_result *result) {
    qiao_diag d = {0};
    qiao_scenario *sc = qiao_scenario_load(scenario, &d);
    qiao_robot *r = sc ? qiao_robot_load("panda", &d) : NULL;
    CHECK(r != NULL, "%s", d.text);
    qiao_trial trial[8] = {0};
    for (int i = 0; i < n; i++) trial[i].seed = first + (uint64_t)i;
    qiao_trials_def def = qiao_trials_def_default();
    def.scenario = sc, def.robot = r, def.brain.spec = "pick", def.nthread = threads,
    def.ntrial = n;
    def.trial = trial, def.progress = on_progress;
    CHECK(qiao_trials_run(&def, result, &d) == QIAO_OK, "%s", d.text);
    qiao_robot_free(r), qiao_scenario_free(sc);
}

TEST(sorts_the_bin) {
    static qiao_result result[2];
    until = 1e9;
    run("sort_bin", 2, 7, 2, result);
    for (int i = 0; i < 2; i++) {
        const qiao_score *s = &result[i].score;
        CHECK(s->verdict == QIAO_PASSED && s->total > 0.999, "seed %d: %s", 7 + i, s->reason);
        CHECK(s->time > 10 && s->time < 60, "%g s", s->time);
    }
    qiao_results_free(result, 2);
}

TEST(same_bits_alone_and_in_company) {
    static qiao_result many[3], one[1];
    until = 5; // through the first grasp and lift
    run("sort_bin", 3, 30, 2, many), run("sort_bin", 1, 31, 1, one);
    CHECK(memcmp(many[1].trace, one[0].trace, QIAO_HASH_BYTES) == 0);
    CHECK(memcmp(many[0].trace, one[0].trace, QIAO_HASH_BYTES) != 0);
    qiao_results_free(many, 3), qiao_results_free(one, 1);
}

// ---- a body without physics ----

enum { NOBJ = 3, NFACT = 15 };
static const char *const obj_name[NOBJ] = {"crate", "can", "ball"};
static const char *const fact_name[NFACT] = {
    "objects",   "crate.shape", "crate.size", "crate.mass", "crate.into",
    "can.shape", "can.size",    "can.mass",   "ball.shape", "ball.size",
    "ball.mass", "tub.pos",     "tub.size",   "robot.pos",  "robot.yaw"};
static const char *const fact_text[NFACT] = {"crate can ball",
                                             "box",
                                             "0.05 0.04 0.04",
                                             "0.1",
                                             "tub",
                                             "cylinder",
                                             "0.044 0.044 0.05",
                                             "0.1",
                                             "ball",
                                             "0.044 0.044 0.044",
                                             "0.1",
                                             "0.4 0.45 0.005",
                                             "0.2 0.2 0.06",
                                             "0 0 0",
                                             "0"};

typedef struct body { // io and a brain bound to it
    qiao_robot *r;
    qiao_signal sig[2];
    const char *fact[NFACT], *act[16];
    qiao_io io;
    pick *b;
    double x[9 + 7 * NOBJ];
    int64_t t, stamp[2];
    qiao_obs obs;
} body;

static void body_open(body *g) {
    qiao_diag d = {0};
    memset(g, 0, sizeof *g);
    g->r = qiao_robot_load("panda", &d);
    CHECK(g->r != NULL, "%s", d.text);
    const qiao_model *m = g->r->model;
    g->sig[0] = (qiao_signal){"joint_pos", "rad", "joint", 0, 9, 9, m->jnt_name, 0, {0}, 0, {0}};
    g->sig[1] =
        (qiao_signal){"object_pose", "m", "world", 9, 7 * NOBJ, NOBJ, obj_name, 0, {0}, 0, {0}};
    memcpy(g->fact, fact_text, sizeof g->fact);
    g->io = (qiao_io){.nsig = 2,
                      .nobs = 9 + 7 * NOBJ,
                      .nu = m->nu,
                      .sig = g->sig,
                      .act_name = m->act_name,
                      .robot = g->r,
                      .period = 0.004,
                      .nworld = 1,
                      .nparam = NFACT,
                      .param_name = fact_name,
                      .param_text = g->fact};
    memcpy(g->x, g->r->rest_q, 9 * sizeof(double));
    for (int i = 0; i < NOBJ; i++) g->x[9 + 7 * i] = 0.3 + 0.15 * i, g->x[9 + 7 * i + 3] = 1;
    for (int i = 0; i < NOBJ; i++) g->x[9 + 7 * i + 2] = i == 0 ? 0.02 : i == 1 ? 0.025 : 0.022;
    g->obs = (qiao_obs){1, g->io.nobs, 2, &g->t, g->x, g->stamp, NULL};
}

static qiao_err body_bind(body *g, qiao_diag *d) {
    size_t n = size(&g->io, 1, d);
    if (n == 0) return d->err;
    free(g->b);
    g->b = aligned_alloc(64, (n + 63) / 64 * 64);
    memset(g->b, 0, n);
    return init(g->b, &g->io, 1, d);
}

static void body_close(body *g) { free(g->b), qiao_robot_free(g->r); }

// One brain step; cmd is the sim's kind of rows.
static double cmd_row[5][16];
static void body_step(body *g) {
    qiao_cmd c = {1, g->io.nu, cmd_row[0], cmd_row[1], cmd_row[2], cmd_row[3], cmd_row[4]};
    CHECK(step(g->b, &g->obs, &c) == QIAO_OK);
    g->t += 4000000, g->stamp[0] = g->stamp[1] = g->t;
}

// A perfect arm: it is where it was told to be.
static void body_obey(body *g) {
    for (int i = 0; i < 7; i++) g->x[i] = cmd_row[0][g->b->act[i]];
    g->x[7] = g->x[8] = cmd_row[0][g->b->act_grip] / 2;
}

TEST(facts_that_are_wrong_are_named) {
    static const struct {
        int fact;
        const char *text, *says;
    } bad[] = {{0, NULL, "fact 'objects' is missing"},
               {0, "crate cam ball", "'cam.shape'"},
               {1, "cone", "expected box, cylinder or ball"},
               {1, NULL, "'crate.shape' is ''"},
               {2, "0.05 0.04", "expected 3 numbers"},
               {2, "0.05 0.04 nan", "expected 3 numbers"},
               {2, "a b c", "fact 'crate.size' is 'a b c'"},
               {3, "", "expected 1 numbers"},
               {4, "tube", "no container has that name"},
               {11, "0.4 1e999 0", "fact 'tub.pos'"},
               {12, NULL, "fact 'tub.size' is missing"},
               {13, NULL, "fact 'robot.pos' is missing"},
               {14, "x", "fact 'robot.yaw'"}};
    static body g;
    body_open(&g);
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        qiao_diag d = {0};
        memcpy(g.fact, fact_text, sizeof g.fact);
        g.fact[bad[k].fact] = bad[k].text;
        qiao_err e = body_bind(&g, &d);
        CHECK(e != QIAO_OK, "case %d", (int)k);
        CHECK_TEXT(d.text, bad[k].says);
    }
    static char many[4000];
    for (int i = 0; i < 200; i++) strcat(many, "crate ");
    qiao_diag d = {0};
    memcpy(g.fact, fact_text, sizeof g.fact);
    g.fact[0] = many;
    CHECK(body_bind(&g, &d) == QIAO_E_LIMIT);
    CHECK_TEXT(d.text, "more than 32");
    body_close(&g);
}

TEST(bodies_that_do_not_fit_are_named) {
    static body g;
    qiao_diag d = {0};
    body_open(&g);
    g.sig[1].dim = 5;
    CHECK(body_bind(&g, &d) == QIAO_E_FIT);
    CHECK_TEXT(d.text, "5 numbers");
    g.sig[1].dim = 7 * NOBJ, d = (qiao_diag){0};
    qiao_robot other = *g.r;
    other.gripper = NULL, g.io.robot = &other;
    CHECK(size(&g.io, 1, &d) == 0);
    CHECK_TEXT(d.text, "has no gripper");
    other.gripper = "joint1", d = (qiao_diag){0};
    CHECK(body_bind(&g, &d) == QIAO_E_FIT);
    CHECK_TEXT(d.text, "native");
    g.io.robot = g.r;
    body_close(&g);
}

TEST(eyes_average_and_notice_motion) {
    static body g;
    qiao_diag d = {0};
    qiao_rng rng = {3, 0, 9};
    body_open(&g);
    CHECK(body_bind(&g, &d) == QIAO_OK, "%s", d.text);
    mind *m = &g.b->mind[0];
    reset(g.b, 0, 0);
    for (int k = 0; k < 60; k++) {
        g.x[9] = 0.3 + 0.002 * qiao_rng_normal(&rng, (uint64_t)k, 0);
        g.t += 1, g.stamp[1] = g.t;
        see(g.b, m, &g.obs, 0);
    }
    CHECK_NEAR(m->thing[0].pos[0], 0.3, 0.0015);
    CHECK(m->thing[0].seen > 50);
    see(g.b, m, &g.obs, 0); // the same sample again counts once
    int seen = m->thing[0].seen;
    see(g.b, m, &g.obs, 0);
    CHECK(m->thing[0].seen == seen);
    g.x[9] = 0.5, g.stamp[1] = ++g.t, see(g.b, m, &g.obs, 0);
    CHECK(m->thing[0].seen == 1 && m->thing[0].pos[0] == 0.5, "a jump is a new place");
    g.stamp[1] = -1, see(g.b, m, &g.obs, 0);
    CHECK(m->thing[0].seen == 1);
    body_close(&g);
}

TEST(outlines_of_what_lies) {
    thing t = {.shape = BOX,
               .size = {0.06, 0.04, 0.02},
               .pos = {0.4, 0, 0.03},
               .quat = {0.7071067811865476, 0, 0.7071067811865476, 0}}; // on its end: x points down
    outline o = see_outline(&t);
    CHECK_NEAR(o.top - o.bottom, 0.06, 1e-12);
    CHECK_NEAR(fmax(o.half[0], o.half[1]), 0.02, 1e-12);
    CHECK_NEAR(fmin(o.half[0], o.half[1]), 0.01, 1e-12);
    t = (thing){.shape = CYLINDER,
                .size = {0.04, 0.04, 0.1},
                .quat = {0.7071067811865476, 0.7071067811865476, 0, 0}}; // lies along y
    o = see_outline(&t);
    CHECK_NEAR(o.top - o.bottom, 0.04, 1e-12);
    CHECK_NEAR(o.half[0], 0.05, 1e-12);
    CHECK_NEAR(fabs(sin(o.yaw)), 1, 1e-12);
    outline r = {.half = {0.1, 0.05}, .yaw = 0}, disc = {.x = 0.3, .half = {0.1, -1}};
    CHECK_NEAR(gap(&r, &disc), 0.1, 1e-12);
    outline q = {.x = 0.3, .half = {0.1, 0.1}, .yaw = 0.7853981633974483};
    CHECK_NEAR(gap(&r, &q), 0.3 - 0.1 - 0.1 * sqrt(2), 1e-12);
    q.x = 0.15, disc.x = 0.05;
    CHECK(gap(&r, &q) < 0 && gap(&r, &disc) < 0);
}

TEST(grasps_across_the_free_side) {
    static body g;
    qiao_diag d = {0};
    body_open(&g);
    CHECK(body_bind(&g, &d) == QIAO_OK, "%s", d.text);
    mind *m = &g.b->mind[0];
    reset(g.b, 0, 0);
    for (int k = 0; k < 10; k++) g.stamp[1] = ++g.t, see(g.b, m, &g.obs, 0);
    grasp a = grasp_thing(g.b, m, 0); // alone: across the narrow side, in the middle
    CHECK_NEAR(a.width, 0.04, 1e-9);
    CHECK_NEAR(a.at[2], 0.02, 1e-9);
    CHECK(a.open > a.width && fabs(cos(a.at[3])) > 0.999, "turn %g", a.at[3]);
    // the can close by on the narrow side: across the long side then
    g.x[16] = 0.3, g.x[17] = 0.06;
    for (int k = 0; k < 10; k++) g.stamp[1] = ++g.t, see(g.b, m, &g.obs, 0);
    a = grasp_thing(g.b, m, 0);
    CHECK_NEAR(a.width, 0.05, 1e-9);
    CHECK(fabs(sin(a.at[3])) > 0.999, "turn %g", a.at[3]);
    // what is wider than the hand cannot be taken
    m->thing[0].size[0] = m->thing[0].size[1] = 0.1;
    CHECK(grasp_thing(g.b, m, 0).width == 0);
    body_close(&g);
}

// Phases in order with an arm that obeys and a crate that sticks to the hand.
TEST(takes_carries_lets_go) {
    static body g;
    qiao_diag d = {0};
    body_open(&g);
    CHECK(body_bind(&g, &d) == QIAO_OK, "%s", d.text);
    mind *m = &g.b->mind[0];
    reset(g.b, 0, 0);
    char seen[64] = "";
    phase last = LOOK;
    double high = 0;
    for (int k = 0; k < 5000 && m->phase != HOME; k++) {
        body_step(&g), body_obey(&g);
        bool holds = m->phase == CARRY || (m->phase == CLOSE && g.x[7] < 0.02);
        if (holds) {
            g.x[7] = g.x[8] = 0.02; // the crate is between the fingers
            for (int i = 0; i < 3; i++) g.x[9 + i] = m->x[i];
            high = fmax(high, m->x[2]);
        }
        if (m->phase == OPEN) g.x[11] = 0.025; // it falls the last millimetres
        if (m->phase != last && strlen(seen) < 60)
            seen[strlen(seen)] = "LCADGYORH"[m->phase], last = m->phase;
    }
    CHECK(strcmp(seen, "CADGYORCH") == 0, "%s", seen);
    CHECK(high > 0.06 + 0.02, "carried at %g m, above the walls", high);
    CHECK(see_inside(&m->thing[0], &m->box[0]));
    body_close(&g);
}

TEST(misses_and_tries_again) {
    static body g;
    qiao_diag d = {0};
    body_open(&g);
    CHECK(body_bind(&g, &d) == QIAO_OK, "%s", d.text);
    mind *m = &g.b->mind[0];
    reset(g.b, 0, 0);
    for (int k = 0; k < 5000; k++) {
        body_step(&g), body_obey(&g); // the fingers close on nothing
        for (int i = 0; i < 9; i++)
            CHECK(isfinite(cmd_row[0][i % g.io.nu]) && isfinite(cmd_row[4][i % g.io.nu]));
        CHECK(m->phase != CARRY, "it holds nothing");
    }
    CHECK(m->thing[0].tries >= 3, "%d tries in 20 s", m->thing[0].tries);
    body_close(&g);
}
