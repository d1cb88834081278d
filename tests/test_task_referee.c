// SPDX-License-Identifier: Apache-2.0
// The referee against made-up truths: what happens when, what counts, what ends a trial.
#include "task_bench.h"

TEST(serial_and_time) {
    bench b = open_bench("    robot: legged_robot\n    event a, b\n"
                         "    do serial:\n        wait elapsed(0.1s)\n        emit a\n"
                         "        wait elapsed(0.2s)\n        emit b\n",
                         "go2");
    CHECK(ticks(&b, 30) == QIAO_RUNNING, "over too soon");
    CHECK(tick(&b) == QIAO_PASSED, "not over at 0.3 s");
    const char *e = events(&b);
    CHECK(strcmp(e, "a@0.1 b@0.3 passed@0.3 ") == 0, "%s", e);
    CHECK(tick(&b) == QIAO_PASSED, "the verdict changed");
    close_bench(&b);
}

TEST(parallel_waits_for_all) {
    bench b = open_bench("    robot: legged_robot\n    event a, b\n"
                         "    do parallel:\n        serial:\n            wait elapsed(0.1s)\n"
                         "            emit a\n        serial:\n            wait @a\n"
                         "            wait elapsed(0.1s)\n            emit b\n",
                         "go2");
    ticks(&b, 40);
    const char *e = events(&b);
    CHECK(strcmp(e, "a@0.1 b@0.2 passed@0.2 ") == 0, "%s", e);
    close_bench(&b);
}

TEST(until_and_duration) {
    bench b = open_bench("    robot: legged_robot\n    event a, b\n"
                         "    do serial:\n        serial(duration: 0.1s):\n"
                         "            wait elapsed(9s)\n        emit a\n        serial:\n"
                         "            wait elapsed(9s)\n        with:\n"
                         "            until rise(height(robot) > 1m)\n        emit b\n",
                         "go2");
    ticks(&b, 20);
    b.pos[3 * b.base + 2] = 2;
    ticks(&b, 5);
    const char *e = events(&b);
    CHECK(strcmp(e, "a@0.1 b@0.2 passed@0.2 ") == 0, "%s", e);
    close_bench(&b);
}

TEST(on_answers_each_time) {
    bench b = open_bench("    robot: legged_robot\n    event up, down\n"
                         "    on rise(height(robot) > 1m):\n        emit up\n"
                         "    on fall(height(robot) > 1m):\n        emit down\n"
                         "    do wait elapsed(1s)\n",
                         "go2");
    for (int i = 0; i < 4; i++) b.pos[3 * b.base + 2] = i % 2 ? 2 : 0, ticks(&b, 10);
    const char *e = events(&b);
    CHECK(strcmp(e, "up@0.1 down@0.2 up@0.3 ") == 0, "%s", e);
    close_bench(&b);
}

TEST(one_of_does_one) {
    int n[2] = {0};
    for (int k = 0; k < 2; k++) {
        char body[400];
        snprintf(body, sizeof body,
                 "    robot: legged_robot\n    event a, b\n    do pick: one_of:\n        emit a\n"
                 "        emit b\n    keep(pick.choice == %d)\n",
                 k);
        bench b = open_bench(body, "go2");
        tick(&b);
        const char *e = events(&b);
        CHECK(strcmp(e, k ? "b@0 passed@0 " : "a@0 passed@0 ") == 0, "%s", e);
        n[k]++;
        close_bench(&b);
    }
    CHECK(n[0] == 1 && n[1] == 1, "?");
}

TEST(bound_ends_trial) {
    bench b = open_bench("    robot: legged_robot\n    do wait elapsed(1s)\n    envelope:\n"
                         "        tilt: bound(tilt(robot), max: 60deg, ends_trial: true)\n"
                         "        low: bound(height(robot), min: 10cm)\n",
                         "go2");
    b.pos[3 * b.base + 2] = 0.3;
    lean(&b, 50);
    CHECK(ticks(&b, 5) == QIAO_RUNNING, "ended below the bound");
    b.pos[3 * b.base + 2] = 0.05;
    CHECK(tick(&b) == QIAO_RUNNING, "a bound that only marks ended the trial");
    CHECK(measure(&b, "low")->broken, "not marked");
    CHECK_NEAR(measure(&b, "low")->value, 5, 1e-9);
    CHECK_NEAR(measure(&b, "low")->limit, 10, 1e-9);
    lean(&b, 71);
    CHECK(tick(&b) == QIAO_FAILED, "did not end");
    CHECK(strcmp(qiao_referee_score(b.f)->reason, "tilt 71 deg > 60 deg") == 0, "%s",
          qiao_referee_score(b.f)->reason);
    CHECK_NEAR(measure(&b, "tilt")->value, 71, 1e-6);
    qiao_referee_abort(b.f, QIAO_E_PEER, "later");
    CHECK_TEXT(qiao_referee_score(b.f)->reason, "tilt"); // the first cause stays
    close_bench(&b);
}

TEST(penalties_multiply) {
    bench b = open_bench("    robot: legged_robot\n    do wait elapsed(0.5s)\n    score:\n"
                         "        up: complete(0.8, weight: 3)\n        also: complete(true)\n"
                         "        once: penalty(height(robot) > 1m, factor: 0.5)\n"
                         "        each: penalty(height(robot) > 1m, factor: 0.9, each: true)\n"
                         "        never: penalty(height(robot) > 9m, factor: 0.1)\n"
                         "        pass(at: 0.8)\n",
                         "go2");
    for (int i = 0; i < 7; i++) b.pos[3 * b.base + 2] = i % 2 ? 2 : 0, ticks(&b, 5);
    CHECK(ticks(&b, 20) == QIAO_PASSED, "%s", qiao_referee_score(b.f)->reason);
    const qiao_score *s = qiao_referee_score(b.f);
    CHECK_NEAR(s->completion, (3 * 0.8 + 1) / 4, 1e-12);
    CHECK_NEAR(s->total, 0.85 * 0.5 * 0.9 * 0.9 * 0.9, 1e-12);
    CHECK(measure(&b, "each")->value == 3 && measure(&b, "once")->value == 1, "counts");
    CHECK(measure(&b, "once")->broken && !measure(&b, "never")->broken, "given");
    close_bench(&b);
}

TEST(time_is_up) {
    bench b = open_bench("    robot: legged_robot\n    do wait height(robot) > 1m\n    score:\n"
                         "        high: complete(height(robot) > 1m)\n        time_limit(0.2s)\n",
                         "go2");
    CHECK(ticks(&b, 20) == QIAO_RUNNING, "too soon");
    CHECK(tick(&b) == QIAO_FAILED, "still running");
    CHECK_TEXT(qiao_referee_score(b.f)->reason, "the time is up: completion 0 < 1; high is 0");
    CHECK_NEAR(qiao_referee_score(b.f)->time, 0.2, 1e-12);
    close_bench(&b);
}

TEST(abort_names_reason) {
    bench b = open_bench("    robot: legged_robot\n    do wait elapsed(1s)\n", "go2");
    tick(&b);
    qiao_referee_abort(b.f, QIAO_E_TIMEOUT, "the brain did not answer");
    CHECK(tick(&b) == QIAO_FAILED, "goes on");
    CHECK_TEXT(qiao_referee_score(b.f)->reason, "the brain did not answer");
    qiao_referee_reset(b.f);
    b.ticks = 0;
    CHECK(tick(&b) == QIAO_RUNNING && !qiao_referee_score(b.f)->reason[0], "reset is not clean");
    close_bench(&b);
}

static const char *const boxes =
    "    robot: arm_robot\n    left, right: box_container with:\n"
    "        keep(it.size.x == 20cm)\n        keep(it.size.y == 20cm)\n"
    "        keep(it.size.z == 6cm)\n        keep(it.position.x in [0m..1m])\n"
    "    keep(left.position.x == 0m)\n    keep(right.position.x == 1m)\n"
    "    a, b: ball with:\n        keep(it.radius == 2cm)\n        keep(it.into == left)\n"
    "    keep(a.position.z == 1m)\n    keep(b.position.z == 2m)\n"
    "    do wait placed([a, b]) >= 1\n    score:\n        sorted: complete(placed([a, b]))\n"
    "        wrong: penalty(misplaced([a, b]), factor: 0.5, each: true)\n"
    "        low: penalty(below([a, b], -1m), factor: 0.5, each: true)\n";

TEST(sorting) {
    bench b = open_bench(boxes, "panda");
    // placed counts only for the box it belongs into, and after 0.3 s of rest
    bench *p = &b;
    memcpy(at(p, "a"), (double[3]){0.09, -0.09, 0.02}, 24);
    ticks(p, 20);
    CHECK(measure(p, "sorted")->value == 0, "counted while it may still move");
    ticks(p, 20);
    CHECK_NEAR(measure(p, "sorted")->value, 0.5, 0);
    memcpy(at(p, "b"), (double[3]){0.11, 0, 0.02}, 24); // beside the wall
    ticks(p, 40);
    CHECK_NEAR(measure(p, "sorted")->value, 0.5, 0);
    CHECK(measure(p, "wrong")->value == 0, "beside is not in a wrong box");
    memcpy(at(p, "b"), (double[3]){0, 0, 0.2}, 24); // held above
    ticks(p, 40);
    CHECK_NEAR(measure(p, "sorted")->value, 0.5, 0);
    memcpy(at(p, "b"), (double[3]){0.05, 0, 0.02}, 24);
    CHECK(ticks(p, 40) == QIAO_PASSED, "%s", qiao_referee_score(p->f)->reason);
    CHECK_NEAR(qiao_referee_score(p->f)->total, 1, 0);
    close_bench(p);
}

TEST(wrong_box_and_floor) {
    bench b = open_bench(
        "    robot: arm_robot\n    one, two: box_container with:\n"
        "        keep(it.size.x == 20cm)\n        keep(it.size.y == 20cm)\n"
        "        keep(it.size.z == 6cm)\n    keep(two.position.x == 1m)\n"
        "    a: ball with:\n        keep(it.radius == 2cm)\n        keep(it.into == one)\n"
        "    c: ball with:\n        keep(it.radius == 2cm)\n        keep(it.into == two)\n"
        "    do wait elapsed(9s)\n    score:\n"
        "        sorted: complete(placed([a, c]))\n"
        "        wrong: penalty(misplaced([a, c]), factor: 0.5, each: true)\n"
        "        low: penalty(below([a, c], -0.5m), factor: 0.7, each: true)\n",
        "panda");
    memcpy(at(&b, "a"), (double[3]){1, 0, 0.02}, 24),
        memcpy(at(&b, "c"), (double[3]){1, 0.05, 0.02}, 24);
    ticks(&b, 50);
    CHECK(measure(&b, "wrong")->value == 1, "%g in a wrong box", measure(&b, "wrong")->value);
    CHECK_NEAR(measure(&b, "sorted")->value, 0.5, 0);
    at(&b, "a")[2] = -1, at(&b, "c")[2] = -2;
    ticks(&b, 50);
    CHECK(measure(&b, "low")->value == 2, "%g below", measure(&b, "low")->value);
    close_bench(&b);
}

static const char *const road =
    "    robot: legged_robot with:\n        keep(it.on_route == path)\n"
    "    world: environment\n    operator: operator\n"
    "    a: flat with:\n        keep(it.length == 3m)\n"
    "    b: flat with:\n        keep(it.length == 4m)\n        keep(it.turn == 90deg)\n"
    "    path: route with:\n        keep(it.pieces == [a, b])\n        keep(it.start == 1m)\n"
    "        keep(it.margin == 1m)\n"
    "    do operator.guide(robot, along: path)\n    score:\n"
    "        way: complete(progress(robot, path))\n    envelope:\n"
    "        off: bound(offset(robot, path), max: 50cm)\n";

TEST(progress_along_route) {
    bench b = open_bench(road, "go2");
    double *p = b.pos + 3 * b.base;
    p[0] = 1, p[1] = 0, tick(&b);
    CHECK_NEAR(measure(&b, "way")->value, 0, 1e-12);
    p[0] = 2, tick(&b);
    CHECK_NEAR(measure(&b, "way")->value, 0.2, 1e-12); // 5 m from start to finish
    p[0] = 1.5, p[1] = 0.3, tick(&b);                  // back and aside
    CHECK_NEAR(measure(&b, "way")->value, 0.2, 1e-12);
    CHECK_NEAR(measure(&b, "off")->value, 30, 1e-9);
    CHECK(!measure(&b, "off")->broken, "30 cm are within 50 cm");
    p[0] = 3.2, p[1] = 1, tick(&b); // round the corner, 20 cm to the right
    CHECK_NEAR(measure(&b, "way")->value, 0.6, 1e-12);
    p[0] = 3.7, tick(&b);
    CHECK(measure(&b, "off")->broken, "70 cm are within 50 cm");
    p[0] = 3, p[1] = 3;
    CHECK(tick(&b) == QIAO_PASSED, "not at the finish");
    close_bench(&b);
}

TEST(collision_spares_feet) {
    bench b = open_bench("    robot: legged_robot\n    do wait elapsed(9s)\n    score:\n"
                         "        bump: penalty(collision(robot), factor: 0.9, each: true)\n"
                         "        down: penalty(fell(robot), factor: 0.1)\n",
                         "go2");
    int foot = b.w->site_body[qiao_model_site(b.w, "FL")];
    b.con[0] = (qiao_contact){.body = {0, foot}, .force_w = {0, 0, 50}};
    b.t.ncontact = 1;
    ticks(&b, 80);
    CHECK(measure(&b, "bump")->value == 0, "a foot on the ground is no collision");
    b.con[0].body[1] = b.base;
    ticks(&b, 20);
    CHECK(measure(&b, "bump")->value == 1, "the trunk on the ground is one");
    CHECK(measure(&b, "down")->value == 0, "down for 0.2 s is no fall yet");
    ticks(&b, 40);
    CHECK(measure(&b, "down")->value == 1, "down for 0.6 s is a fall");
    close_bench(&b);
}

// A referee that was reset judges as a new one.
TEST(reset_repeats) {
    bench b = open_bench(road, "go2");
    double total[2];
    for (int k = 0; k < 2; k++) {
        b.ticks = 0;
        qiao_referee_reset(b.f);
        for (int i = 0; i < 50; i++) b.pos[3 * b.base] = 1 + 0.02 * i, tick(&b);
        total[k] = qiao_referee_score(b.f)->total;
    }
    CHECK(total[0] == total[1] && total[0] > 0.1, "%.17g %.17g", total[0], total[1]);
    close_bench(&b);
}
