// SPDX-License-Identifier: Apache-2.0
// Goals, starts, ends and rewards of objects: a two-joint arm and a puck on the floor.
#include "folder.h"
#include "learn/worlds.h"
#include "qiao/learn.h"
#include "qiao/task.h"

static const char arm_xml[] =
    "<mujoco model=\"two\"><compiler angle=\"radian\"/><option timestep=\"0.005\"/><worldbody>"
    "<body name=\"stand\"><geom type=\"box\" size=\"0.03 0.03 0.02\" contype=\"0\" "
    "conaffinity=\"0\"/>"
    "<body name=\"upper\" pos=\"0 0 0.05\"><joint name=\"shoulder\" axis=\"0 0 1\" damping=\"0.5\" "
    "armature=\"0.02\" range=\"-2.5 2.5\" limited=\"true\"/>"
    "<geom type=\"capsule\" fromto=\"0 0 0 0.2 0 0\" size=\"0.02\" mass=\"0.5\"/>"
    "<body name=\"lower\" pos=\"0.2 0 0\"><joint name=\"elbow\" axis=\"0 0 1\" damping=\"0.5\" "
    "armature=\"0.02\" range=\"-2.5 2.5\" limited=\"true\"/>"
    "<geom type=\"capsule\" fromto=\"0 0 0 0.2 0 0\" size=\"0.02\" mass=\"0.3\"/>"
    "<site name=\"tip\" pos=\"0.2 0 0\"/></body></body></body></worldbody>"
    "<actuator><motor name=\"shoulder\" joint=\"shoulder\"/><motor name=\"elbow\" joint=\"elbow\"/>"
    "</actuator></mujoco>";
static const char robot_yaml[] = "name: two\nkind: arm\nmodel: two.xml\nbase: stand\ntool: tip\n"
                                 "drives:\n  - {match: '*', kp: 20, kd: 1, torque: 10}\n"
                                 "sensors:\n  - {kind: joint_pos}\n  - {kind: joint_vel}\n";
static const char place_osc[] =
    "import qiao\nscenario bring_puck:\n    world: environment\n    robot: arm_robot with:\n"
    "        keep(it.position.x == -5cm)\n        keep(it.yaw == -20deg)\n"
    "    puck: cube with:\n        keep(it.edge == 6cm)\n        keep(it.mass == 200g)\n"
    "        keep(it.position.x == 30cm)\n        keep(it.position.y == 15cm)\n"
    "    wanted: marker with:\n        keep(it.position.x == 20cm)\n"
    "        keep(it.position.y == 25cm)\n        keep(it.edge == 6cm)\n    operator: operator\n"
    "    grant:\n        object_pose(objects: [puck])\n"
    "    do operator.bring(robot, puck, marker: wanted, tolerance: 2cm)\n"
    "    score:\n        there: complete(goals_reached(robot) >= 1)\n        time_limit(5s)\n";
static const char brain_yaml[] =
    "name: two_push\nrobot: robot.yaml\nnetwork: {policy: policy.onnx}\nrate_hz: 20\n"
    "joints: [shoulder, elbow]\nobservation: {terms: [{term: joint_pos},\n"
    "  {term: object_pos, object: puck, relative_to: tip},\n"
    "  {term: object_pos, object: puck, goal: GOAL},\n"
    "  {term: signal, source: GOAL, dim: DIM}, {term: signal, source: object_pose, dim: 7}]}\n"
    "action: {meaning: position, scale: 0.5}\n";

static const char *dir;
static const char *file(const char *name) {
    static char p[4][160];
    static int k;
    k = (k + 1) % 4;
    return snprintf(p[k], sizeof p[k], "%s/%s", dir, name), p[k];
}
static void put_file(const char *name, const char *text) {
    qiao_diag d = {0};
    CHECK(qiao_file_write(file(name), text, strlen(text), &d) == QIAO_OK, "%s", d.text);
}
// text with each `from` become `to`
static const char *with(const char *text, const char *from, const char *to) {
    static char out[2][4096];
    static int k;
    char *o = out[k = 1 - k];
    for (const char *p = text; *p;) {
        bool hit = strncmp(p, from, strlen(from)) == 0;
        const char *s = hit ? to : p;
        size_t n = hit ? strlen(to) : 1;
        memcpy(o, s, n), o += n, p += hit ? strlen(from) : 1;
    }
    *o = 0;
    return out[k];
}

static void folder(bool place) {
    dir = folder_new("object");
    put_file("two.xml", arm_xml), put_file("robot.yaml", robot_yaml);
    const char *text = with(brain_yaml, "GOAL", place ? "command_position" : "command_orientation");
    text = with(text, "DIM", place ? "3" : "4");
    if (!place)
        text = with(text, "object_pos, object: puck, goal", "object_rot_error, object: puck, goal");
    put_file("brain.yaml", text);
    put_file("job.osc", place ? place_osc
                              : with(place_osc,
                                     "operator.bring(robot, puck, marker: wanted, "
                                     "tolerance: 2cm)",
                                     "operator.orient(robot, puck)"));
}

static char recipe_text[2048];
static const char *recipe(const char *more) {
    snprintf(recipe_text, sizeof recipe_text,
             "robot: robot.yaml\nscenario: %s\nengine: lanes\niterations: 0\nworlds: 24\n"
             "seconds: 900\n%s",
             file("job.osc"), more);
    return recipe_text;
}

typedef struct rig {
    qi_recipe *r;
    qi_pool *pool;
    qi_worlds *w;
    const qi_env *e;
    float *actor, *critic, *action, *reward;
    uint8_t *over;
    int la, lc;
} rig;

static qi_worlds *open_worlds(rig *g, const char *more, qiao_diag *d) {
    put_file("train.yaml", recipe(more));
    g->r = qi_recipe_load(file("train.yaml"), d);
    if (!g->r) return NULL;
    g->pool = qi_pool_new(2);
    return g->w = qi_worlds_new(g->r, g->pool, d);
}
static void begin(rig *g, const char *more) {
    qiao_diag d = {0};
    CHECK(open_worlds(g, more, &d), "%s", d.text);
    g->e = qi_worlds_env(g->w);
    size_t n = (size_t)g->e->n;
    g->la = qi_mlp_pad(g->e->nobs), g->lc = qi_mlp_pad(g->e->ncritic);
    g->actor = calloc(n * (size_t)g->la, sizeof(float));
    g->critic = calloc(n * (size_t)g->lc, sizeof(float));
    g->action = calloc(n * (size_t)qi_mlp_pad(g->e->nact), sizeof(float));
    g->reward = calloc(n, sizeof(float)), g->over = calloc(n, 1);
    qi_worlds_grow(g->w, 0);
    g->e->begin(g->e->ctx, 0);
    g->e->observe(g->e->ctx, g->actor, g->critic);
}
static void step(rig *g) {
    g->e->step(g->e->ctx, g->action, g->reward, g->over);
    g->e->observe(g->e->ctx, g->actor, g->critic);
}
static void end(rig *g) {
    free(g->actor), free(g->critic), free(g->action), free(g->reward), free(g->over);
    qi_worlds_free(g->w), qi_pool_free(g->pool), qi_recipe_free(g->r);
    *g = (rig){0};
}

#define OBJECT "object: {name: puck, tips: [tip], start: {x: [-0.05, 0.05], y: [0, 0.1]}}\n"
#define PLACE  "goal: {of: place, x: [0.1, 0.3], y: [0.1, 0.3], z: 0.03, tolerance: 0.02}\n"

TEST(places_are_asked_for_and_told) {
    rig g;
    folder(true);
    begin(&g, OBJECT PLACE "critic: [object, tips, joints]\nrewards: {place: 1, closer: 1}\n");
    CHECK(g.e->nobs == 2 + 3 + 3 + 3 + 7 && g.e->ncritic == g.e->nobs + 2 + 10 + 3, "%d, %d",
          g.e->nobs, g.e->ncritic);
    double lo[4] = {9, 9, 9, 9}, hi[4] = {-9, -9, -9, -9};
    for (int i = 0; i < g.e->n; i++) {
        const float *a = g.actor + i * g.la, *c = g.critic + i * g.lc, *goal = a + 8, *at = a + 11;
        double off = 0;
        for (int k = 0; k < 3; k++) {
            CHECK_NEAR((double)a[5 + k], (double)at[k] - (double)goal[k], 1e-6);
            off += (double)a[5 + k] * (double)a[5 + k];
        }
        CHECK(sqrt(off) > 0.04, "world %d begins where it shall end: %g m", i, sqrt(off));
        // what the critic sees: joint speeds, then of the object: place, speeds, distance, tips
        CHECK_NEAR((double)c[g.e->nobs + 2 + 9], sqrt(off), 1e-6);
        for (int k = 0; k < 3; k++)
            CHECK_NEAR((double)c[g.e->nobs + 2 + k], (double)a[2 + k], 1e-6);
        for (int k = 0; k < 3; k++)
            CHECK_NEAR((double)c[g.e->nobs + 12 + k], -(double)a[2 + k], 1e-6);
        const double seen[4] = {goal[0], goal[1], at[0], at[1]};
        for (int k = 0; k < 4; k++) lo[k] = fmin(lo[k], seen[k]), hi[k] = fmax(hi[k], seen[k]);
    }
    static const double least[4] = {0.1, 0.1, 0.25, 0.15}, most[4] = {0.3, 0.3, 0.35, 0.25};
    for (int k = 0; k < 4; k++) {
        CHECK(lo[k] >= least[k] - 1e-6 && hi[k] <= most[k] + 1e-6, "%d: %g to %g", k, lo[k], hi[k]);
        CHECK(hi[k] - lo[k] > 0.6 * (most[k] - least[k]), "%d hardly varies: %g to %g", k, lo[k],
              hi[k]);
    }
    end(&g);
}

TEST(orientations_are_asked_for_and_told) {
    rig g;
    folder(false);
    begin(&g,
          OBJECT "goal: {of: orientation, tolerance: 0.3, turn_deg: 100}\n"
                 "grow: {from: 0.5, steps: 1e6}\ncritic: [object]\nrewards: {orientation: 1}\n");
    double most = 0;
    for (int i = 0; i < g.e->n; i++) {
        const float *a = g.actor + i * g.la, *goal = a + 11, *q = a + 15 + 3;
        double c = 0;
        for (int k = 0; k < 4; k++) c += (double)goal[k] * (double)q[k];
        double off = 2 * acos(fmin(fabs(c), 1));
        CHECK_NEAR((double)g.critic[i * g.lc + g.e->ncritic - 1], off, 1e-5);
        CHECK(off > 0.6 - 1e-5 && off < 50 * 0.0174533 + 1e-5, "%g rad", off);
        most = fmax(most, off);
        step(&g);
        CHECK_NEAR((double)g.reward[i] / 0.05,
                   1 - (double)g.critic[i * g.lc + g.e->ncritic - 1] / 3.1416, 2e-3);
    }
    CHECK(most > 0.8, "never more than %g rad", most);
    qi_worlds_stats s;
    qi_worlds_stats_take(g.w, &s);
    CHECK(s.goal_error > 0.6 && s.goal_error < 0.9 && s.goals == 0, "%g, %g", s.goal_error,
          s.goals);
    end(&g);
}

// The only place that can be asked for is where the puck lies.
#define HERE "goal: {of: place, x: 0.3, y: 0.15, z: 0.03, tolerance: 0.02"
TEST(a_goal_that_is_reached_gives_way_or_stays) {
    static const struct {
        const char *goal;
        double each; // goals in a world in 5 steps
    } all[] = {{HERE ", again: true}\n", 5}, {HERE ", again: false}\n", 1}};
    for (int k = 0; k < 2; k++) {
        rig g;
        folder(true);
        char text[400];
        snprintf(text, sizeof text, "object: {name: puck}\n%srewards: {reached: 3, at_goal: 2}\n",
                 all[k].goal);
        begin(&g, text);
        for (int i = 0; i < 5; i++) {
            step(&g);
            double want = 2 * 0.05 + (i == 0 || k == 0 ? 3 : 0);
            CHECK_NEAR((double)g.reward[0], want, 1e-4);
        }
        qi_worlds_stats s;
        qi_worlds_stats_take(g.w, &s);
        CHECK_NEAR(s.goals, all[k].each / (5 * 0.05 / 60), 1e-6);
        end(&g);
    }
}

TEST(a_goal_out_of_time_gives_way) {
    rig g;
    folder(true);
    begin(&g, OBJECT
          "goal: {of: place, x: [0.1, 0.3], y: [0.1, 0.3], z: 0.03, tolerance: 0.001, seconds: "
          "0.15}\nrewards: {alive: 1}\n");
    float was[3];
    for (int i = 0; i < 3; i++) {
        memcpy(was, g.actor + 8, sizeof was);
        if (i < 2) step(&g);
    }
    CHECK(memcmp(was, g.actor + 8, sizeof was) == 0, "another goal after 0.1 s");
    step(&g);
    CHECK(memcmp(was, g.actor + 8, sizeof was) != 0, "the same goal after 0.15 s");
    end(&g);
}

TEST(an_object_that_is_lost_ends_the_episode) {
    static const struct {
        const char *ends;
        int over;
    } all[] = {{"end: {height: 0.1}", 1},
               {"end: {height: 0.01}", 0},
               {"end: {distance: 0.1}", 1},
               {"end: {distance: 1}", 0}};
    for (int k = 0; k < 4; k++) {
        rig g;
        folder(true);
        char text[400];
        snprintf(text, sizeof text, "object: {name: puck, %s}\nrewards: {fall: -4, alive: 1}\n",
                 all[k].ends);
        begin(&g, text);
        step(&g);
        for (int i = 0; i < g.e->n; i++) {
            CHECK(g.over[i] == all[k].over, "%s: %d", all[k].ends, g.over[i]);
            CHECK_NEAR((double)g.reward[i], 0.05 - 4 * all[k].over, 1e-6);
        }
        end(&g);
    }
}

TEST(things_that_are_not_there_are_refused_by_name) {
    static const struct {
        const char *recipe, *says;
    } bad[] = {
        {"rewards: {vertical: -1}\n", "reward 'vertical' needs a robot with a free base"},
        {"rewards: {slip: -1}\n", "reward 'slip' needs a robot with feet"},
        {"rewards: {track_velocity: 1}\n", "'track_velocity' needs a scenario whose operator"},
        {"rewards: {hand_near: 1}\n", "reward 'hand_near' needs an object"},
        {"object: {name: puck}\nrewards: {tips_near: 1}\n", "needs object: {tips: [..]}"},
        {"object: {name: puck}\nrewards: {reached: 1}\n", "reward 'reached' needs a goal"},
        {OBJECT PLACE "rewards: {orientation: 1}\n", "needs goal: {of: orientation}"},
        {"critic: [velocity]\nrewards: {alive: 1}\n", "needs a free base"},
        {"critic: [object]\nrewards: {alive: 1}\n", "needs an object"},
        {"push: {speed: 1}\nrewards: {alive: 1}\n", "needs a free base"},
        {"object: {name: pluck}\nrewards: {alive: 1}\n",
         "'pluck', which is not there; the nearest is puck"},
        {"object: {name: wanted}\nrewards: {alive: 1}\n", "nothing that moves freely"},
        {"object: {name: puck, tips: [tap]}\nrewards: {alive: 1}\n", "no site 'tap'; the nearest"},
        {"object: {name: puck, hand: tap}\nrewards: {alive: 1}\n", "object: hand: 'two' has no"},
        {OBJECT "goal: {of: orientation, tolerance: 1}\nrewards: {alive: 1}\n",
         "nobody asks for an orientation"},
        {"goal: {of: place, tolerance: 1}\nrewards: {alive: 1}\n", "of which object?"},
        {"object: {tips: [tip]}\nrewards: {alive: 1}\n", "name is missing"},
        {OBJECT "goal: {of: place}\nrewards: {alive: 1}\n", "tolerance is missing"},
        {OBJECT "goal: {of: speed, tolerance: 1}\nrewards: {alive: 1}\n", "not 'speed'"},
        {OBJECT "goal: {of: place, turn_deg: 5, tolerance: 1}\nrewards: {alive: 1}\n",
         "turn_deg says nothing of a place"},
        {OBJECT "goal: {of: orientation, x: 5, tolerance: 1}\nrewards: {alive: 1}\n",
         "x says nothing of an orientation"},
    };
    folder(true);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        rig g = {0};
        qiao_diag d = {0};
        CHECK(!open_worlds(&g, bad[i].recipe, &d), "taken: %s", bad[i].recipe);
        CHECK_TEXT(d.text, bad[i].says);
        end(&g);
    }
}

TEST(heavier_things_are_pushed_less) {
    static const char *const engine[] = {"mujoco", "lanes", "lanes32"};
    qiao_diag d = {0};
    folder(true);
    qiao_robot *r = qiao_robot_load(file("robot.yaml"), &d);
    qiao_scenario *s = qiao_scenario_load(file("job.osc"), &d);
    CHECK(r && s, "%s", d.text);
    qiao_case *c = qiao_case_new(s, r, 1, 1, &d);
    double pos[3], yaw;
    CHECK(c, "%s", d.text);
    qiao_case_place(c, pos, &yaw);
    qiao_model *m = qiao_model_world(r, qiao_case_scene(c), pos, yaw, &d);
    CHECK(m, "%s", d.text);
    int puck = qiao_model_body(m, "puck");
    for (int e = 0; e < 3; e++) {
        const qiao_model *world[2] = {m, m};
        qiao_sim_def sd = qiao_sim_def_default();
        sd.engine = engine[e], sd.nworld = 2, sd.nthread = 1, sd.robot = r, sd.world = world;
        sd.period = 0.05;
        qiao_sim *sim = qiao_sim_new(&sd, &d);
        CHECK(sim, "%s", d.text);
        qiao_vary v = qiao_vary_default();
        v.things = 2;
        for (int w = 0; w < 2; w++) {
            if (w) CHECK(qiao_sim_vary(sim, w, &v, &d) == QIAO_OK, "%s", d.text);
            qiao_sim_reset(sim, w, 1, 1);
            qiao_sim_push(sim, w, puck, (const double[3]){0, 0, 10}, (const double[3]){0});
        }
        qiao_sim_step(sim, 10);
        qiao_truth t[2];
        for (int w = 0; w < 2; w++) { // straight up: a = F / m - g
            qiao_sim_truth(sim, w, &t[w]);
            CHECK_NEAR(t[w].body_vel[6 * puck + 5], (10 / (w ? 0.4 : 0.2) - 9.81) * 0.05, 0.02);
        }
        v.things = 0;
        CHECK(qiao_sim_vary(sim, 1, &v, NULL) == QIAO_E_ARG, "a mass of nothing");
        qiao_sim_free(sim);
    }
    qiao_model_free(m), qiao_case_free(c), qiao_scenario_free(s), qiao_robot_free(r);
}

// ---- whole trainings ----

static const char learn_yaml[] =
    OBJECT PLACE "critic: [object, joints]\nstart: {joint: 0.3}\ncheckpoint: 100\n"
                 "vary: {object_mass: [0.5, 2], friction: [0.5, 1], episodes: 2}\n"
                 "rewards: {hand_near: {weight: 1, width: 0.1}, closer: 0.1, action_rate: -0.001}\n"
                 "ppo: {horizon: 16, epochs: 8, minibatches: 4, gamma: 0.9, actor: [32, 32], "
                 "critic: [32, 32], rate: "
                 "0.003}\n";

static char *trained(int threads, int n, double *first, double *last, size_t *bytes) {
    qiao_diag d = {0};
    qiao_train_stats s;
    put_file("train.yaml", with(with(recipe(learn_yaml), "seconds: 900", "seconds: 2"),
                                "worlds: 24", "worlds: 96"));
    qiao_train_def def = qiao_train_def_default();
    char path[160];
    snprintf(path, sizeof path, "%s/train.yaml", dir);
    def.recipe = path, def.nthread = threads;
    qiao_train *t = qiao_train_new(&def, &d);
    CHECK(t, "%s", d.text);
    for (int i = 0; i < n; i++) {
        qiao_train_step(t, &s);
        if (i == 0) *first = s.reward;
    }
    *last = s.reward;
    char *data;
    CHECK(qiao_train_export(t, dir, &d) == QIAO_OK, "%s", d.text);
    CHECK(qiao_file_read(file("policy.onnx"), 1 << 24, &data, bytes, &d) == QIAO_OK, "%s", d.text);
    qiao_train_free(t);
    return data;
}

TEST(a_hand_learns_to_reach_the_puck) {
    double first, last;
    size_t n;
    folder(true);
    free(trained(2, 40, &first, &last, &n));
    CHECK(last > 1.5 * first, "a step was worth %g, and %g after 40 iterations", first, last);
}

TEST(threads_do_not_change_a_bit) {
    double x;
    size_t n[2];
    folder(true);
    char *a = trained(1, 3, &x, &x, &n[0]), *b = trained(3, 3, &x, &x, &n[1]);
    CHECK(n[0] == n[1] && memcmp(a, b, n[0]) == 0, "one thread and three differ");
    free(a), free(b);
}
