// SPDX-License-Identifier: Apache-2.0
// Grounds from easy to hard: worlds stand on their own level's, move up and down, keep their bits.
#include "learn/worlds_in.h"
#include "learn_rig.h"
#include "sim/cast.h"

static const char ground_brain[] =
    "name: small_walk\nrobot: go2\nnetwork: {policy: policy.onnx}\nrate_hz: 50\n"
    "joints: [FL_hip_joint, FL_thigh_joint, FL_calf_joint, FR_hip_joint, FR_thigh_joint, "
    "FR_calf_joint,\n"
    "  RL_hip_joint, RL_thigh_joint, RL_calf_joint, RR_hip_joint, RR_thigh_joint, RR_calf_joint]\n"
    "default_pose: {'*_hip_joint': 0, '*_thigh_joint': 0.8, '*_calf_joint': -1.5}\nkp: 30\nkd: "
    "0.8\n"
    "observation: {terms: [{term: base_ang_vel}, {term: projected_gravity}, {term: joint_pos}]}\n"
    "action: {meaning: position, scale: 0.25}\n";
#define RECIPE                                                                              \
    "robot: go2\nscenario: walk_rough\nworlds: 24\nseconds: 1\ncheckpoint: 2\nsteps: 1e6\n" \
    "critic: [velocity, contact, height]\ncommand: {vx: [-1, 1], yaw_rate: [-1, 1]}\n"      \
    "end: {height: 0.15}\nstart: {joint: 0.1}\nrewards: {track_velocity: 1, fall: -1}\n"    \
    "ppo: {horizon: 25, epochs: 1, minibatches: 2, actor: [16], critic: [16]}\n"
#define GROUND "ground: {by: level, levels: 3, draws: 2, x: [0.8, 16], y: [-1, 1], leave: 0.8}\n"

static void ground_folder(const char *recipe) {
    folder();
    put_file("brain.yaml", ground_brain), put_file("train.yaml", recipe);
}

typedef struct field {
    qi_recipe *r;
    qi_pool *pool;
    qi_worlds *w;
} field;
static field open_field(void) {
    qiao_diag d = {0};
    ground_folder(RECIPE GROUND);
    field f = {qi_recipe_load(file("train.yaml"), &d), qi_pool_new(1), NULL};
    CHECK(f.r && f.pool, "%s", d.text);
    f.w = qi_worlds_new(f.r, f.pool, &d);
    CHECK(f.w, "%s", d.text);
    return f;
}
static void close_field(field *f) {
    qi_worlds_free(f->w), qi_pool_free(f->pool), qi_recipe_free(f->r);
}

TEST(worlds_stand_on_the_ground_of_their_level) {
    field f = open_field();
    qi_worlds *w = f.w;
    for (int i = 0; i < 24; i++) w->one[i].level = i % 3;
    w->env.begin(w, 1);
    double low = 1, high = 0, lift = 0;
    for (int i = 0; i < 24; i++) {
        CHECK(w->one[i].on / 2 == i % 3, "world %d of level %d is on ground %d", i, i % 3,
              w->one[i].on);
        const double *x = w->env.n ? qiao_sim_obs(w->sim)->x + i * qiao_sim_obs(w->sim)->nobs : 0;
        const double *pose = x + w->adr[TRUE_POSE];
        low = fmin(low, -qi_ground_below(w, x)), high = fmax(high, -qi_ground_below(w, x));
        lift = fmax(lift, pose[2]);
        CHECK(pose[0] > 0.7 && pose[0] < 16.1 && fabs(pose[1]) < 1.1, "at %g %g", pose[0], pose[1]);
    }
    CHECK(low > 0.24 && high < 0.45, "bases %g to %g m above their grounds", low, high);
    CHECK(lift > 0.35, "none stands on anything: %g", lift);
    // none is thrown: a fifth of a second later all still are about where they were
    float act[24 * 16] = {0}, reward[24];
    uint8_t over[24];
    for (int k = 0; k < 10; k++) {
        w->env.step(w, act, reward, over);
        for (int i = 0; i < 24; i++) {
            const double *x = qiao_sim_obs(w->sim)->x + i * qiao_sim_obs(w->sim)->nobs;
            const double *v = x + w->adr[TRUE_VEL];
            CHECK(v[0] * v[0] + v[1] * v[1] + v[2] * v[2] < 4, "world %d flies", i);
        }
    }
    close_field(&f);
}

TEST(who_does_well_moves_up) {
    field f = open_field();
    one *o = &f.w->one[5];
    o->level = 1;
    const struct {
        double asked, went;
        bool fell;
        int level;
    } all[] = {{4, 3.5, false, 2}, {4, 3.5, true, 1},    {4, 2.5, false, 1}, {4, 1, false, 0},
               {4, 1, true, 0},    {0.2, 0.2, false, 0}, {1, 0.9, false, 1}, {0, 0, false, 1}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        o->asked = all[i].asked, o->went = all[i].went;
        qi_ground_over(f.w, 5, all[i].fell);
        CHECK(o->level == all[i].level, "%zu: level %d, expected %d", i, o->level, all[i].level);
    }
    bool seen[3] = {0}; // past the last: anywhere
    for (int i = 0; i < 60; i++) {
        o->level = 2, o->asked = 2, o->went = 2;
        qi_ground_over(f.w, 5, false);
        CHECK(o->level >= 0 && o->level < 3, "level %d", o->level);
        seen[o->level] = true;
    }
    CHECK(seen[0] && seen[1] && seen[2], "always the same level");
    close_field(&f);
}

TEST(levels_outlive_a_checkpoint_to_the_bit) {
    qiao_diag d = {0};
    qiao_train_stats s, last;
    size_t n[2];
    char *data[2];
    ground_folder(RECIPE GROUND);
    qiao_train *a = begin(2, 0);
    for (int i = 0; i < 6; i++) qiao_train_step(a, &s);
    CHECK(s.ground > 1 / 3.0 && s.ground < 1, "nobody moved: %g", s.ground);
    CHECK(qiao_train_save(a, file("c.bin"), &d) == QIAO_OK, "%s", d.text);
    for (int i = 0; i < 3; i++) qiao_train_step(a, &s);
    data[0] = export_of(a, &n[0]);
    qiao_train *b = begin(1, 0);
    CHECK(qiao_train_load(b, file("c.bin"), &d) == QIAO_OK, "%s", d.text);
    for (int i = 0; i < 3; i++) qiao_train_step(b, &last);
    data[1] = export_of(b, &n[1]);
    CHECK(s.ground == last.ground && s.reward == last.reward, "%g %g, %g %g", s.ground, last.ground,
          s.reward, last.reward);
    CHECK(n[0] == n[1] && memcmp(data[0], data[1], n[0]) == 0, "one that went on differs");
    free(data[0]), free(data[1]);
    qiao_train_free(a), qiao_train_free(b);
}

TEST(a_world_that_becomes_another_has_its_bits) {
    static const char *const engines[] = {"lanes32", "lanes", "mujoco"};
    qiao_diag d = {0};
    qiao_scenario *s = qiao_scenario_load("walk_rough", &d);
    qiao_robot *r = qiao_robot_load("go2", &d);
    CHECK(s && r, "%s", d.text);
    const qiao_model *world[3];
    qiao_model *own[3];
    qiao_case *c[3];
    for (int i = 0; i < 3; i++) {
        double pos[3], yaw;
        c[i] = qiao_case_new(s, r, 7, (uint64_t)i, &d);
        CHECK(c[i], "%s", d.text);
        qiao_case_place(c[i], pos, &yaw), pos[0] += 2 * i;
        world[i] = own[i] = qiao_model_world(r, qiao_case_scene(c[i]), pos, yaw, &d);
        CHECK(world[i], "%s", d.text);
    }
    for (size_t e = 0; e < 3; e++) {
        qiao_sim_def def = qiao_sim_def_default();
        const qiao_sensor scan = {
            .kind = QIAO_SENSE_HEIGHT_SCAN, .name = "scan", .grid_n = {3, 3}, .grid_step = 0.3};
        def.engine = engines[e], def.nworld = 3, def.nthread = 1, def.robot = r, def.world = world;
        def.ngrant = 1, def.grant = &scan, def.period = 0.02;
        qiao_sim *sim = qiao_sim_new(&def, &d);
        CHECK(sim, "%s", d.text);
        uint8_t hash[4][QIAO_HASH_BYTES];
        for (int k = 0; k < 4; k++) { // as made; 0 as 2; 0 as 1; all back
            if (k == 1) CHECK(qi_sim_become(sim, 0, 2, &d) == QIAO_OK, "%s", d.text);
            if (k == 2) CHECK(qi_sim_become(sim, 0, 1, &d) == QIAO_OK, "%s", d.text);
            if (k == 3) CHECK(qi_sim_become(sim, 0, 0, &d) == QIAO_OK, "%s", d.text);
            for (int w = 0; w < 3; w++) qiao_sim_reset(sim, w, 1, 5);
            for (int t = 0; t < 20; t++) qiao_sim_step(sim, 10), qiao_sim_observe(sim);
            for (int w = 0; w < 3; w++) {
                qiao_hash h;
                uint8_t now[QIAO_HASH_BYTES];
                qiao_hash_init(&h), qiao_sim_trace(sim, w, &h), qiao_hash_end(&h, now);
                int as = w > 0 || k == 0 || k == 3 ? w : 3 - k;
                if (k == 0) memcpy(hash[w], now, sizeof now);
                CHECK(memcmp(hash[as], now, sizeof now) == 0, "%s: world %d is not %d in round %d",
                      engines[e], w, as, k);
            }
        }
        CHECK(memcmp(hash[1], hash[2], sizeof hash[1]) != 0, "two grounds are one");
        qiao_sim_free(sim);
    }
    for (int i = 0; i < 3; i++) qiao_model_free(own[i]), qiao_case_free(c[i]);
    qiao_robot_free(r), qiao_scenario_free(s);
}

TEST(grounds_that_do_not_fit_are_told) {
    static const struct {
        const char *more, *says;
    } bad[] = {
        {"ground: {levels: 3}\n", "which parameter"},
        {"ground: {by: levle}\nworlds: 64\n", "the nearest is level"},
        {"ground: {by: level, levels: 30}\n", "120 grounds"},
        {"ground: {by: level, levels: 2}\ngrounds: 3\n", "grounds"},
        {"ground: {by: level, levels: 2, x: [3, 1]}\n", "lower comes first"},
        {"ground: 3\n", "keys and values"},
        {"ground: {by: level, hills: 2}\n", "unknown key 'hills'"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[2000];
        snprintf(text, sizeof text, "%s%s", RECIPE, bad[i].more);
        char *twice = strstr(bad[i].more, "worlds:") ? strstr(text, "worlds: 24\n") : NULL;
        if (twice) memmove(twice, twice + 11, strlen(twice + 11) + 1);
        ground_folder(text);
        qiao_diag d = {0};
        qiao_train_def def = qiao_train_def_default();
        def.recipe = file("train.yaml");
        CHECK(!qiao_train_new(&def, &d), "taken: %s", bad[i].more);
        CHECK_TEXT(d.text, bad[i].says);
    }
    ground_folder(RECIPE "mirror: [[FL_hip_joint, FR_hip_joint, -1]]\n");
    qiao_diag d = {0};
    qi_recipe *r = qi_recipe_load(file("train.yaml"), &d);
    CHECK(r && !r->rise.by && r->grounds == 1, "%s", d.text);
    qi_recipe_free(r);
}
