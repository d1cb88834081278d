// SPDX-License-Identifier: Apache-2.0
// A learned network written as ONNX is the network that was learned; a recipe's faults are told.
#include "learn/onnx_write.h"
#include "learn/recipe.h"
#include "qiao/nn.h"
#include "test.h"

enum { N = 8, NOBS = 11, NACT = 5 };
static uint64_t epoch_seen;
static void begin(void *ctx, uint64_t epoch) { (void)ctx, epoch_seen = epoch; }
static void observe(void *ctx, float *actor, float *critic) {
    uint32_t *s = ctx;
    for (int i = 0; i < N * 16; i++) {
        *s = *s * 1664525u + 1013904223u;
        float x = i % 16 < NOBS ? (float)(*s >> 8) * 0x1p-22f - 1.5f + (float)(i % 16) : 0;
        actor[i] = critic[i] = x;
    }
}
static void step(void *ctx, const float *action, float *reward, uint8_t *over) {
    (void)ctx;
    for (int i = 0; i < N; i++) reward[i] = -action[16 * i] * action[16 * i], over[i] = 0;
}

TEST(the_file_is_the_network) {
    for (int act = QI_MLP_ELU; act <= QI_MLP_TANH; act++) {
        uint32_t s = 3;
        qi_env e = {.n = N,
                    .nobs = NOBS,
                    .ncritic = NOBS,
                    .nact = NACT,
                    .ctx = &s,
                    .begin = begin,
                    .observe = observe,
                    .step = step};
        qi_ppo_def def = qi_ppo_def_default();
        def.act = (qi_mlp_act)act, def.horizon = 16;
        qi_pool *pool = qi_pool_new(1);
        qiao_diag d = {0};
        qi_ppo *p = qi_ppo_new(&def, &e, pool, &d);
        CHECK(p, "%s", d.text);
        qi_ppo_stats st;
        qi_ppo_begin(p, 1);
        for (int i = 0; i < 3; i++) qi_ppo_live(p, &st), qi_ppo_learn(p, &st);
        qi_ppo_view v = qi_ppo_look(p);
        v.squash = act == QI_MLP_RELU ? 1.7 : 0;
        CHECK(v.obs->count > 0, "nothing was seen");
        char path[] = "/tmp/qiao-test-XXXXXX";
        CHECK(mkstemp(path) >= 0, "no file");
        const char *key[] = {"seed"}, *text[] = {"7"};
        CHECK(qi_onnx_write(&v, 1, key, text, path, &d) == QIAO_OK, "%s", d.text);
        qiao_nn *nn = qiao_nn_load(path, QIAO_NN_F32, &d);
        remove(path);
        CHECK(nn, "%s", d.text);
        CHECK(qiao_nn_input(nn, 0)->size == NOBS && qiao_nn_output(nn, 0)->size == NACT, "sizes");
        CHECK(strcmp(qiao_nn_meta(nn, "seed"), "7") == 0, "metadata");
        float *mine = calloc(qi_mlp_row(&v.actor) * N, sizeof *mine), x[N * NOBS], y[N * NACT];
        void *work = aligned_alloc(64, (qiao_nn_work(nn, N) + 63) / 64 * 64);
        float raw[N * 16], unused[N * 16];
        observe(&s, raw, unused);
        raw[0] = 1e6f; // past the clip
        for (int i = 0; i < N; i++)
            for (int k = 0; k < NOBS; k++) {
                x[i * NOBS + k] = raw[16 * i + k];
                double z = (raw[16 * i + k] - v.obs->mean[k]) / sqrt(v.obs->var[k] + 1e-4);
                mine[16 * i + k] = (float)fmin(10, fmax(-10, z));
            }
        qi_mlp_best()->forward(&v.actor, v.actor_param, N, mine);
        CHECK(qiao_nn_run(nn, N, (const float *const[]){x}, (float *const[]){y}, work) == QIAO_OK,
              "run");
        const float *out = mine + (qi_mlp_row(&v.actor) - 16) * N;
        double most = 0;
        for (int i = 0; i < N; i++)
            for (int k = 0; k < NACT; k++) {
                double want = out[16 * i + k];
                if (v.squash > 0) want = v.squash * tanh(want);
                CHECK_NEAR(y[i * NACT + k], want, 2e-5);
                most = fmax(most, fabs(y[i * NACT + k]));
            }
        CHECK(most > 1e-3, "all outputs are about 0");
        free(mine), free(work);
        qiao_nn_free(nn), qi_ppo_free(p), qi_pool_free(pool);
    }
}

static const char whole[] = "robot: go2\nscenario: walk_flat\nworlds: 64\n"
                            "command: {vx: [-1, 1], still: 0.25}\n"
                            "rewards: {alive: 1, track_velocity: {weight: 2, width: 0.3}}\n"
                            "ppo: {actor: [32, 16], activation: tanh, seed: 9, type: bfloat16}\n"
                            "mirror: [[FL_hip, FR_hip, -1]]\nvary: {friction: [0.5, 1]}\n";

TEST(a_recipe_is_read) {
    qiao_diag d = {0};
    qi_recipe *r = qi_recipe_read("a/b/train.yaml", whole, sizeof whole - 1, &d);
    CHECK(r, "%s", d.text);
    CHECK(strcmp(r->brain, "a/b/brain.yaml") == 0, "%s", r->brain);
    CHECK(r->worlds == 64 && r->vx.lo == -1 && r->vx.hi == 1 && r->still == 0.25, "numbers");
    CHECK(r->nreward == 2 && r->ppo.nactor == 2 && r->ppo.actor[1] == 16 && r->ppo.seed == 9,
          "ppo");
    CHECK(r->ppo.act == QI_MLP_TANH && r->ppo.half && r->npair == 1 && r->pair[0].sign == -1,
          "mirror");
    for (int i = 0; i < 2; i++)
        if (r->reward[i].kind == QI_REWARD_track_velocity)
            CHECK(r->reward[i].weight == 2 && r->reward[i].param == 0.3, "reward");
    CHECK(r->vary.any && r->vary.friction.hi == 1 && r->vary.mass.lo == 1, "vary");
    qi_recipe_free(r);
}

TEST(faults_of_a_recipe_are_told_with_their_place) {
    static const struct {
        const char *text, *place, *says;
    } bad[] = {
        {"scenario: walk_flat\nrewards: {alive: 1}\n", "t.yaml:1:", "robot is missing"},
        {"robot: go2\nrewards: {aliv: 1}\n", "t.yaml:2:", "did you mean 'alive'"},
        {"robot: go2\nrewards: {}\n", "t.yaml:2:", "there is none"},
        {"robot: go2\n", "t.yaml:1:", "rewards are missing"},
        {"robot: go2\nworlds: 2.5\nrewards: {alive: 1}\n", "t.yaml:2:", "whole number"},
        {"robot: go2\nworld: 3\nrewards: {alive: 1}\n", "t.yaml:2:", "did you mean 'worlds'"},
        {"robot: go2\ncommand: {vx: [1, -1]}\nrewards: {alive: 1}\n",
         "t.yaml:2:", "lower comes first"},
        {"robot: go2\ncommand: {vx: [1]}\nrewards: {alive: 1}\n", "t.yaml:2:", "[low, high]"},
        {"robot: go2\nrewards: {alive: {weight: 1, width: 2}}\n", "t.yaml:2:", "unknown key"},
        {"robot: go2\nrewards: {alive: nan}\n", "t.yaml:2:", "expected a number"},
        {"robot: go2\nrewards: {alive: 1}\nppo: {activation: gelu}\n",
         "t.yaml:3:", "elu, relu or tanh"},
        {"robot: go2\nrewards: {alive: 1}\nppo: {actor: [0]}\n", "t.yaml:3:", "1 to 2048"},
        {"robot: go2\nrewards: {alive: 1}\nmirror: [[a, b]]\n", "t.yaml:3:", "left joint"},
        {"robot: go2\nrewards: {alive: 1}\nimitate: {steps: 5}\n", "t.yaml:3:", "brain is missing"},
        {"robot: go2\nrewards: {alive: 1}\nimitate: {brain: a, mix: [1, 2]}\n",
         "t.yaml:3:", "from 0 to 1"},
        {"robot: go2\nrewards: {alive: 1}\nlearner: td3\nimitate: {brain: a}\n",
         "t.yaml:4:", "only learner ppo"},
        {"robot: go2\nrewards: {alive: 1}\nlearner: sac\n", "t.yaml:3:", "ppo or td3"},
        {"robot: go2\nrewards: {alive: 1}\nppo: {type: float16}\n", "t.yaml:3:", "bfloat16"},
        {"robot: go2\nrewards: {alive: 1}\ntd3: {keep: 2}\n", "t.yaml:3:", "keep"},
        {"robot: go2\nrewards: {alive: 1}\ntd3: {keep: 99999}\n", "t.yaml:3:", "together"},
        {"robot: go2\nrewards: {alive: 1}\ntd3: {horizons: 2}\n", "t.yaml:3:", "'horizon'"},
        {"robot: go2\nrewards: {alive: 1}\ncritic: [speed]\n", "t.yaml:3:", "velocity, contact"},
        {"robot: [go2\n", "t.yaml:", ""},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        qiao_diag d = {0};
        qi_recipe *r = qi_recipe_read("t.yaml", bad[i].text, strlen(bad[i].text), &d);
        CHECK(!r, "taken: %s", bad[i].text);
        CHECK_TEXT(d.text, bad[i].place);
        CHECK_TEXT(d.text, bad[i].says);
    }
}
