// SPDX-License-Identifier: Apache-2.0
// Recipes with other learners than the usual one, whole: same bits on any threads and after a stop,
// and what comes out runs.
#include "learn_rig.h"

// Two iterations, a checkpoint, three more; the same on other threads and from the checkpoint.
static void same_bits(void) {
    qiao_diag d = {0};
    size_t n[3];
    char *data[3];
    qiao_train *a = begin(1, 1);
    iterate(a, 2);
    CHECK(qiao_train_save(a, file("c.bin"), &d) == QIAO_OK, "%s", d.text);
    qiao_train_stats s = iterate(a, 3);
    CHECK(isfinite(s.reward) && isfinite(s.policy) && isfinite(s.value), "losses");
    data[0] = export_of(a, &n[0]);
    qiao_train *b = begin(3, 1);
    iterate(b, 5);
    data[1] = export_of(b, &n[1]);
    CHECK(n[0] == n[1] && memcmp(data[0], data[1], n[0]) == 0, "one thread and three differ");
    qiao_train *c = begin(2, 1);
    CHECK(qiao_train_load(c, file("c.bin"), &d) == QIAO_OK, "%s", d.text);
    iterate(c, 2);
    data[2] = export_of(c, &n[2]);
    CHECK(n[0] == n[2] && memcmp(data[0], data[2], n[0]) != 0, "a step changes nothing");
    free(data[2]);
    iterate(c, 1);
    data[2] = export_of(c, &n[2]);
    CHECK(n[0] == n[2] && memcmp(data[0], data[2], n[0]) == 0, "the one that went on differs");
    for (int i = 0; i < 3; i++) free(data[i]);
    qiao_train_free(a), qiao_train_free(b), qiao_train_free(c);
}

TEST(twin_critics_go_on_bit_for_bit) {
    folder();
    put_file("train.yaml",
             "robot: go2\nworlds: 16\niterations: 2\nseconds: 1\ncheckpoint: 2\nsteps: 1e6\n"
             "critic: [velocity]\nstart: {joint: 0.1, speed: 0.2}\nend: {height: 0.15}\n"
             "rewards: {alive: 1, level: -1, fall: -1}\nlearner: td3\n"
             "td3: {horizon: 4, keep: 9, batch: 300, updates: 2, warm: 3, reach: 2, actor: [16],\n"
             "  critic: [24, 16], activation: elu}\n");
    same_bits();
    CHECK(lasts() > 0.3, "it stood for %g s", lasts());
}

static const char imitate_head[] =
    "robot: go2\nworlds: 16\niterations: 2\nseconds: 1\ncheckpoint: 2\nsteps: 1e6\n"
    "critic: [velocity]\nend: {height: 0.15}\nrewards: {alive: 1, level: -1, fall: -1}\n"
    "ppo: {horizon: 8, epochs: 2, minibatches: 2, actor: [32, 16], critic: [16]}\n";

static void imitate_recipe(const char *block) {
    char text[1000];
    snprintf(text, sizeof text, "%s%s\n", imitate_head, block);
    put_file("train.yaml", text);
}

TEST(imitation_goes_on_bit_for_bit) {
    folder();
    // the third iteration is the last with a teacher, the checkpoint is before it
    imitate_recipe("imitate: {brain: trot, steps: 384, mix: [1, 0], epochs: 2, minibatches: 3}");
    same_bits();
}
