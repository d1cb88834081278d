// SPDX-License-Identifier: Apache-2.0
// test_policies.c - public policies on their makers' robots, each through its importer or manifest:
// what they reach on flat ground without noise, and in the hand.
#include "policy_run.h"
#include "test.h"

static const policy go1 = {"go1_playground", "go1"}, tron1 = {"tron1_walk", "tron1_maker"},
                    g1 = {"g1_walk", "g1"}, oli = {"oli_walk", "oli"}, leap = {"leap_cube", "leap"};

static qiao_robot *body_of(const policy *p) {
    if (!test_data()) SKIP("the makers' files are not at hand");
    setenv("QIAO_DATA", test_data(), 1);
    qiao_diag d = {0};
    qiao_robot *r = qiao_robot_load(p->robot, &d);
    CHECK(r != NULL, "%s", d.text);
    return r;
}

// Mean forward speed on flat ground when so much is asked, straight ahead.
static double speed(const policy *p, double asked) {
    qiao_robot *r = body_of(p);
    qiao_diag d = {0};
    char to[200];
    snprintf(to, sizeof to,
             "keep(it == %gmps)\n    turn: angular_rate with:\n"
             "        keep(it == 0radps)",
             asked);
    qiao_scenario *s = policy_scenario("follow_velocity",
                                       "keep(it in [0.3mps..0.5mps])\n    turn: angular_rate "
                                       "with:\n        keep(it in [-0.2radps..0.2radps])",
                                       to, &d);
    CHECK(s != NULL, "%s", d.text);
    qiao_score score;
    CHECK(policy_trials(p, s, r, "mujoco", NULL, 1, 1, &score, &d) == QIAO_OK, "%s", d.text);
    CHECK(score.verdict == QIAO_PASSED, "%s on %s: %s", p->brain, p->robot, score.reason);
    double got = policy_measure(&score, "got");
    printf("  %s asked %g m/s, got %.3f\n", p->brain, asked, got);
    qiao_scenario_free(s), qiao_robot_free(r);
    return got;
}

TEST(go1_follows) {
    double slow = speed(&go1, 1.0), fast = speed(&go1, 1.5);
    CHECK(slow >= 0.95 && slow <= 1.05, "asked 1.0, got %g", slow);
    CHECK(fast >= 1.38 && fast <= 1.5, "asked 1.5, got %g", fast);
}
TEST(tron1_follows) {
    double got = speed(&tron1, 0.45);
    CHECK(got >= 0.39 && got <= 0.51, "asked 0.45, got %g", got);
}
TEST(g1_follows) {
    double got = speed(&g1, 0.5);
    CHECK(got >= 0.46 && got <= 0.54, "asked 0.5, got %g", got);
}
TEST(oli_follows) {
    double slow = speed(&oli, 0.3), fast = speed(&oli, 0.5);
    CHECK(slow >= 0.28 && slow <= 0.33, "asked 0.3, got %g", slow);
    CHECK(fast >= 0.47 && fast <= 0.53, "asked 0.5, got %g", fast);
}

TEST(leap_turns_the_cube) {
    enum { N = 8 };
    qiao_robot *r = body_of(&leap);
    qiao_diag d = {0};
    qiao_scenario *s = qiao_scenario_load("turn_cube", &d);
    CHECK(s != NULL, "%s", d.text);
    qiao_score score[N];
    CHECK(policy_trials(&leap, s, r, "mujoco", NULL, N, N, score, &d) == QIAO_OK, "%s", d.text);
    double goals = 0, drops = 0, minutes = 0;
    for (int i = 0; i < N; i++) {
        goals += policy_measure(&score[i], "goals"), drops += policy_measure(&score[i], "drop");
        minutes += score[i].time / 60;
    }
    printf("  leap_cube: %g goals in %.2f minutes, %g drops\n", goals, minutes, drops);
    CHECK(goals / minutes >= 3.8, "%g goals a minute", goals / minutes);
    CHECK(drops * 60 <= goals, "%g drops in %g goals", drops, goals);
    qiao_scenario_free(s), qiao_robot_free(r);
}

// Slope and shoves: each gets through the first draws.
TEST(slopes_and_shoves) {
    static const struct {
        const policy *p;
        int slope, push; // passed of 2
    } all[] = {{&go1, 2, 2}, {&tron1, 2, 2}, {&oli, 2, 2}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        qiao_robot *r = body_of(all[i].p);
        for (int k = 0; k < 2; k++) {
            qiao_diag d = {0};
            const char *name = k ? "follow_velocity_push" : "follow_velocity_slope";
            qiao_scenario *s = qiao_scenario_load(name, &d);
            CHECK(s != NULL, "%s", d.text);
            qiao_score score[2];
            CHECK(policy_trials(all[i].p, s, r, "mujoco", NULL, 2, 2, score, &d) == QIAO_OK, "%s",
                  d.text);
            int passed = 0;
            for (int j = 0; j < 2; j++) passed += score[j].verdict == QIAO_PASSED;
            CHECK(passed >= (k ? all[i].push : all[i].slope), "%s in %s: %d of 2; %s",
                  all[i].p->brain, name, passed, score[0].reason);
            qiao_scenario_free(s);
        }
        qiao_robot_free(r);
    }
}
