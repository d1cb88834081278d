// SPDX-License-Identifier: Apache-2.0
// The scenario language: units, types, draws, concrete files, signals, facts, scenes.
#include "qiao/task.h"
#include "task/osc.h"
#include "test.h"

static const char *const head = "import qiao\nscenario x:\n    robot: legged_robot\n";

typedef struct made {
    qiao_scenario *s;
    qiao_robot *r;
    qiao_case *c;
} made;

static made make(const char *body, const char *robot, uint64_t seed, uint64_t trial) {
    char text[8000];
    qiao_diag d = {0};
    snprintf(text, sizeof text, "%s%s", head, body);
    made m = {qi_scenario_parse(text, strlen(text), "x.osc", &d), qiao_robot_load(robot, &d), NULL};
    CHECK(m.s && m.r, "%s", d.text);
    m.c = qiao_case_new(m.s, m.r, seed, trial, &d);
    CHECK(m.c != NULL, "%s", d.text);
    return m;
}

static made load(const char *name, const char *robot, uint64_t seed, uint64_t trial) {
    qiao_diag d = {0};
    made m = {qiao_scenario_load(name, &d), qiao_robot_load(robot, &d), NULL};
    CHECK(m.s && m.r, "%s", d.text);
    m.c = qiao_case_new(m.s, m.r, seed, trial, &d);
    CHECK(m.c != NULL, "%s", d.text);
    return m;
}

static void drop(made *m) { qiao_case_free(m->c), qiao_robot_free(m->r), qiao_scenario_free(m->s); }

static double value(const made *m, const char *name) {
    const qiao_param *p;
    int n = qiao_scenario_params(m->s, &p);
    for (int i = 0; i < n; i++)
        if (strcmp(p[i].name, name) == 0) return qiao_case_value(m->c, i);
    CHECK(false, "no parameter '%s'", name);
    return 0;
}

TEST(list) {
    qiao_arena *a = qiao_arena_new();
    const char *name[64];
    int n = qiao_scenario_list(a, name, 64);
    CHECK(n >= 4, "%d scenarios", n);
    for (int i = 0; i < n; i++) {
        qiao_diag d = {0};
        qiao_scenario *s = qiao_scenario_load(name[i], &d);
        CHECK(s != NULL, "%s", d.text);
        CHECK(strcmp(qiao_scenario_title(s, false), qiao_scenario_title(s, true)) != 0,
              "%s has no title in two languages", name[i]);
        CHECK(strcmp(qiao_scenario_name(s), name[i]) == 0, "%s holds %s", name[i],
              qiao_scenario_name(s));
        qiao_scenario_free(s);
    }
    qiao_arena_free(a);
}

// Units and arithmetic are right when these rules hold; a wrong one is refused (next test).
TEST(units) {
    made m = make("    a: length = 1m + 20cm - 5mm\n    keep(abs(a - 1.195m) < 0.001mm)\n"
                  "    v: speed = a / 0.5s\n    keep(v > 2.3899mps and v < 2.3901mps)\n"
                  "    f: force = 2kg * 3mpsps\n    keep(not (f != 6N))\n"
                  "    t: angle = 180deg\n    keep(t > 3.14159rad and t < 3.1416rad)\n"
                  "    r: float = 3m / 1.5m\n    keep(not (r != 2))\n"
                  "    k: speed = 36kph\n    keep(abs(k - 10mps) < 0.001mps)\n"
                  "    n: int = 7 % 4 + 2 * 3\n    keep(not (n != 9))\n"
                  "    w: length = r > 1 ? 4m : 5m\n    keep(not (w != 4m))\n"
                  "    keep(min(a, 1m) == 1m and max(a, 1m) == a)\n"
                  "    keep(sum([1m, 2m]) == 3m and mean([1, 2, 6]) == 3)\n"
                  "    keep(share([true, false, true, true]) == 0.75)\n"
                  "    keep(not all_different([1, 2, 1]) and all_different([3, 2, 1]))\n"
                  "    keep(2 in [1..3] and not (4 in [1..3]) and 3 in [1, 2, 3])\n"
                  "    keep(1 + 2 * 3 == 7 and (false => true) and -2 * -3 == 6)\n",
                  "go2", 1, 0);
    drop(&m);
}

TEST(rules_are_checked) {
    char text[400];
    snprintf(text, sizeof text, "%s    a: length = 1m + 20cm\n    keep(not (a != 1.3m))\n", head);
    qiao_diag d = {0};
    qiao_scenario *s = qi_scenario_parse(text, strlen(text), "x.osc", &d);
    qiao_robot *r = qiao_robot_load("go2", &d);
    CHECK(s && r, "%s", d.text);
    CHECK(!qiao_case_new(s, r, 1, 0, &d) && d.err == QIAO_E_INFEASIBLE, "accepted");
    CHECK_TEXT(d.text, "x.osc:5:10: this never holds: a is 1.2 m");
    qiao_robot_free(r), qiao_scenario_free(s);
}

TEST(draw_in_range) {
    const char *body = "    a: length with:\n        keep(it in [20cm..40cm])\n"
                       "    n: int with:\n        keep(it in [3..5])\n"
                       "    c: side with:\n        keep(it in [left, back])\n";
    int seen[3] = {0}, side[2] = {0};
    double sum = 0;
    for (int i = 0; i < 100; i++) {
        made m = make(body, "go2", 7, (uint64_t)i);
        double a = value(&m, "a"), n = value(&m, "n"), c = value(&m, "c");
        CHECK(a >= 20 && a <= 40, "a = %g", a);
        CHECK(n == 3 || n == 4 || n == 5, "n = %g", n);
        CHECK(c == 0 || c == 1, "c = %g", c);
        seen[(int)n - 3]++, side[(int)c]++, sum += a;
        drop(&m);
    }
    CHECK(seen[0] > 18 && seen[1] > 18 && seen[2] > 18, "%d %d %d", seen[0], seen[1], seen[2]);
    CHECK(side[0] > 30 && side[1] > 30, "%d %d", side[0], side[1]);
    CHECK_NEAR(sum / 100, 30, 2);
}

// A number depends on seed, trial and its own name: a new parameter shifts no other.
TEST(draw_by_name) {
    const char *one = "    a: float with:\n        keep(it in [0..1])\n";
    const char *two = "    b: float with:\n        keep(it in [0..1])\n"
                      "    a: float with:\n        keep(it in [0..1])\n";
    made m = make(one, "go2", 3, 4), k = make(two, "go2", 3, 4), l = make(one, "go2", 3, 5);
    CHECK(value(&m, "a") == value(&k, "a"), "another parameter shifted it");
    CHECK(value(&k, "a") != value(&k, "b"), "two names, one number");
    CHECK(value(&m, "a") != value(&l, "a"), "two trials, one number");
    drop(&m), drop(&k), drop(&l);
}

// Relations between parameters: those named are drawn anew, the others stay as they are.
TEST(draw_relation) {
    const char *free = "    a, b, c: float with:\n        keep(it in [0..1])\n";
    char body[400];
    snprintf(body, sizeof body, "%s    keep(a + b < 0.5)\n    keep(b > a)\n", free);
    for (uint64_t i = 0; i < 30; i++) {
        made m = make(body, "go2", 1, i), k = make(free, "go2", 1, i);
        double a = value(&m, "a"), b = value(&m, "b");
        CHECK(a + b < 0.5 && b > a, "%g %g", a, b);
        CHECK(value(&m, "c") == value(&k, "c"), "c was drawn anew");
        drop(&m), drop(&k);
    }
}

// The concrete file draws nothing, and gives the same case for any seed, bit for bit.
static void check_replay(const char *name, const char *robot, uint64_t seed) {
    made m = load(name, robot, seed, 2);
    const char *text = qiao_case_text(m.c);
    qiao_diag d = {0};
    qiao_scenario *s = qi_scenario_parse(text, strlen(text), "case.osc", &d);
    CHECK(s != NULL, "%s", d.text);
    CHECK(s->concrete, "%s: the concrete file still draws", name);
    qiao_case *c = qiao_case_new(s, m.r, 99, 77, &d);
    CHECK(c != NULL, "%s", d.text);
    CHECK(strcmp(qiao_case_text(c), text) == 0, "%s: another text", name);
    CHECK(strcmp(qiao_case_scene(c), qiao_case_scene(m.c)) == 0, "%s: another scene", name);
    const qiao_param *p, *q;
    int n = qiao_scenario_params(m.s, &p);
    CHECK(qiao_scenario_params(s, &q) == n, "%s: other parameters", name);
    for (int i = 0; i < n; i++) {
        CHECK(strcmp(p[i].name, q[i].name) == 0, "%s", p[i].name);
        double x = qiao_case_value(m.c, i);
        CHECK(x == qiao_case_value(c, i), "%s", p[i].name);
        CHECK(q[i].lo == q[i].hi || p[i].unit[0] == 0, "%s is not fixed", p[i].name);
        CHECK(x >= p[i].lo && x <= p[i].hi, "%s = %g", p[i].name, x);
    }
    qiao_case_free(c), qiao_scenario_free(s), drop(&m);
}

TEST(replay) {
    for (uint64_t seed = 1; seed <= 3; seed++) {
        check_replay("parcel_route", "go2", seed), check_replay("sort_bin", "panda", seed);
        check_replay("stand_push", "go2", seed), check_replay("walk_flat", "tron1", seed);
    }
}

// A file that another one imports becomes part of the concrete text.
TEST(replay_import) {
    qiao_diag d = {0};
    qiao_dir_make("build/test/task", &d);
    const char *part = "import qiao\nstruct pair:\n    a, b: length with:\n"
                       "        keep(it in [1m..2m])\n";
    const char *main = "import qiao\nimport \"part.osc\"\nscenario x:\n    robot: legged_robot\n"
                       "    p: pair\nactor after\n";
    qiao_file_write("build/test/task/part.osc", part, strlen(part), &d);
    qiao_file_write("build/test/task/main.osc", main, strlen(main), &d);
    made m = load("build/test/task/main.osc", "go2", 5, 0);
    const char *text = qiao_case_text(m.c);
    CHECK(strstr(text, "import \"") == NULL, "still imports:\n%s", text);
    CHECK_TEXT(text, "keep(p.a == 1.");
    qiao_scenario *s = qi_scenario_parse(text, strlen(text), "elsewhere/case.osc", &d);
    CHECK(s && s->concrete, "%s\n%s", d.text, text);
    qiao_scenario_free(s), drop(&m);
}

static const char *const golden = "    # drawn\n"
                                  "    keep(a == 0.35963841945340463m)\n"
                                  "    keep(c == side!left)\n"
                                  "    keep(one_of_1.choice == 1)\n"
                                  "    keep(push_1.force == 62.36854126451415N)\n";

TEST(golden_concrete) {
    made m = make("    a: length with:\n        keep(it in [20cm..40cm])\n"
                  "    c: side with:\n        keep(it in [left, back])\n"
                  "    world: environment\n"
                  "    do one_of:\n        world.push(robot, force: [40N..80N])\n"
                  "        wait elapsed(1s)\n",
                  "go2", 1, 0);
    const char *text = qiao_case_text(m.c), *drawn = strstr(text, "    # drawn\n");
    CHECK(drawn != NULL, "%s", text);
    CHECK(strcmp(drawn, golden) == 0, "%s", drawn);
    drop(&m);
}

// Choices may be things or other fields; the concrete text names them.
TEST(choice_of_things) {
    int seen[2] = {0};
    for (uint64_t i = 0; i < 20; i++) {
        made m = make("    one, two: box_container with:\n        keep(it.size.x == 20cm)\n"
                      "        keep(it.size.y == 20cm)\n        keep(it.size.z == 5cm)\n"
                      "    far: length = 3m\n"
                      "    a: ball with:\n        keep(it.radius == 2cm)\n"
                      "        keep(it.into in [one, two])\n"
                      "        keep(it.position.x in [1m, far])\n",
                      "go2", i, 0);
        const char *const *name, *const *text, *into = "";
        int n = qiao_case_facts(m.c, &name, &text), k = (int)value(&m, "a.into");
        for (int j = 0; j < n; j++)
            if (strcmp(name[j], "a.into") == 0) into = text[j];
        CHECK(strcmp(into, k ? "two" : "one") == 0, "choice %d, fact %s", k, into);
        CHECK_TEXT(qiao_case_text(m.c), k ? "keep(a.into == two)" : "keep(a.into == one)");
        double x = value(&m, "a.position.x");
        CHECK_TEXT(qiao_case_text(m.c),
                   x ? "keep(a.position.x == 3.0m)" : "keep(a.position.x == 1.0m)");
        seen[k]++;
        drop(&m);
    }
    CHECK(seen[0] > 3 && seen[1] > 3, "%d and %d of 20", seen[0], seen[1]);
}

TEST(one_of_by_seed) {
    int seen[2] = {0};
    for (uint64_t i = 0; i < 60; i++) {
        made m = make("    do one_of:\n        wait elapsed(1s)\n        wait elapsed(2s)\n", "go2",
                      i, 0);
        double k = value(&m, "one_of_1.choice");
        CHECK(k == 0 || k == 1, "choice %g", k);
        seen[(int)k]++;
        drop(&m);
    }
    CHECK(seen[0] > 15 && seen[1] > 15, "%d and %d of 60", seen[0], seen[1]);
}

TEST(fits_robot) {
    qiao_diag d = {0};
    qiao_scenario *s = qiao_scenario_load("sort_bin", &d);
    qiao_robot *r = qiao_robot_load("go2", &d);
    CHECK(s && r, "%s", d.text);
    CHECK(!qiao_case_new(s, r, 1, 0, &d) && d.err == QIAO_E_FIT, "a dog sorts objects");
    CHECK_TEXT(d.text, "robot.kind is legged");
    CHECK_TEXT(d.text, "robot 'go2'");
    qiao_robot_free(r), qiao_scenario_free(s);
    // the same role, another machine
    made m = load("parcel_route", "tron1", 1, 0);
    drop(&m);
}

TEST(signals_and_facts) {
    made m = load("sort_bin", "panda", 4, 0);
    const qiao_sensor *g;
    CHECK(qiao_case_grants(m.c, &g) == 1, "grants");
    CHECK(g->kind == QIAO_SENSE_BODY_POSE && g->nname == 6 && g->dim == 42, "%d names", g->nname);
    CHECK(strcmp(g->name, "object_pose") == 0 && g->rate_hz == 30, "%s", g->name);
    CHECK_NEAR(g->noise, 0.001, 0);
    const char *const *name, *const *text, *into = NULL, *shape = NULL, *objects = NULL;
    int n = qiao_case_facts(m.c, &name, &text);
    for (int i = 0; i < n; i++) {
        if (strcmp(name[i], "obj_3.into") == 0) into = text[i];
        if (strcmp(name[i], "obj_5.shape") == 0) shape = text[i];
        if (strcmp(name[i], "objects") == 0) objects = text[i];
    }
    CHECK(into && strcmp(into, "can_box") == 0, "%s", into ? into : "none");
    CHECK(shape && strcmp(shape, "ball") == 0, "%s", shape ? shape : "none");
    CHECK(objects && strcmp(objects, "obj_1 obj_2 obj_3 obj_4 obj_5 obj_6") == 0, "%s",
          objects ? objects : "none");
    CHECK(qiao_case_time_limit(m.c) == 120, "%g", qiao_case_time_limit(m.c));
    drop(&m);
    m = load("parcel_route", "go2", 4, 0);
    n = qiao_case_grants(m.c, &g);
    CHECK(n == 4 && g[0].kind == QIAO_SENSE_COMMAND && g[0].dim == 3, "%d grants", n);
    CHECK(strcmp(g[0].name, "command_velocity") == 0, "%s", g[0].name);
    CHECK(g[3].kind == QIAO_SENSE_HEIGHT_SCAN && g[3].dim == 25 * 17, "%d", g[3].dim);
    drop(&m);
}

// The scene compiles with the robot; feet stand just above the ground; friction is the drawn one.
TEST(world) {
    qiao_diag d = {0};
    made m = load("parcel_route", "go2", 4, 1);
    double pos[3], yaw;
    qiao_case_place(m.c, pos, &yaw);
    CHECK_NEAR(pos[0], 0.6, 1e-12);
    qiao_model *w = qiao_model_world(m.r, qiao_case_scene(m.c), pos, yaw, &d);
    CHECK(w != NULL, "%s", d.text);
    CHECK(qiao_model_body(w, "tray") > 0 && qiao_model_body(w, "parcel") > 0, "no parcel");
    double mass = w->body_mass[qiao_model_body(w, "parcel")];
    CHECK_NEAR(mass, value(&m, "parcel.mass"), 1e-12);
    CHECK(qiao_model_geom(w, "floor") >= 0, "no floor");
    char want[80];
    snprintf(want, sizeof want, "friction=\"%.17g", value(&m, "world.friction"));
    CHECK_TEXT(qiao_case_scene(m.c), want);
    qiao_model_free(w), drop(&m);
}
