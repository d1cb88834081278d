// SPDX-License-Identifier: Apache-2.0
// Whole trainings, small: the same bits on any threads and after a stop, and what comes out runs.
#include "learn_rig.h"
#include "qiao/prove.h"

TEST(threads_and_stops_do_not_change_a_bit) {
    qiao_diag d = {0};
    size_t n[4];
    char *data[4];
    folder();
    qiao_train *a = begin(1, 1);
    iterate(a, 2);
    CHECK(qiao_train_at_checkpoint(a), "no checkpoint after two");
    CHECK(qiao_train_save(a, file("c.bin"), &d) == QIAO_OK, "%s", d.text);
    qiao_train_stats s = iterate(a, 3);
    CHECK(!qiao_train_at_checkpoint(a), "a checkpoint after five");
    CHECK(qiao_train_save(a, file("x.bin"), &d) == QIAO_E_ARG, "saved between checkpoints");
    CHECK(s.steps == 5 * 48 * 8 && s.nterm == 6 && isfinite(s.reward) && s.symmetry > 0, "stats");
    data[0] = export_of(a, &n[0]);
    qiao_train *b = begin(3, 1);
    iterate(b, 5);
    data[1] = export_of(b, &n[1]);
    CHECK(n[0] == n[1] && memcmp(data[0], data[1], n[0]) == 0, "one thread and three differ");
    qiao_train *c = begin(2, 1);
    d = (qiao_diag){0};
    CHECK(qiao_train_load(c, file("c.bin"), &d) == QIAO_OK, "%s", d.text);
    CHECK(qiao_train_iteration(c) == 2, "iteration");
    iterate(c, 3);
    data[2] = export_of(c, &n[2]);
    CHECK(n[0] == n[2] && memcmp(data[0], data[2], n[0]) == 0, "the one that went on differs");
    qiao_train *e = begin(2, 2);
    iterate(e, 5);
    data[3] = export_of(e, &n[3]);
    CHECK(memcmp(data[0], data[3], n[0]) != 0, "another seed learns the same");
    CHECK(qiao_train_load(e, file("c.bin"), &d) == QIAO_E_FORMAT, "another seed's checkpoint");
    CHECK_TEXT(d.text, "another seed");
    for (int i = 0; i < 4; i++) free(data[i]);
    qiao_train_free(a), qiao_train_free(b), qiao_train_free(c), qiao_train_free(e);
}

TEST(a_broken_checkpoint_is_refused) {
    folder();
    qiao_train *t = begin(1, 1);
    qiao_diag d = {0};
    CHECK(qiao_train_save(t, file("c.bin"), &d) == QIAO_OK, "%s", d.text);
    char *data;
    size_t n;
    CHECK(qiao_file_read(file("c.bin"), 1 << 24, &data, &n, &d) == QIAO_OK, "%s", d.text);
    for (size_t i = 0; i < n; i += n / 37) {
        data[i] ^= 4;
        CHECK(qiao_file_write(file("b.bin"), data, n, &d) == QIAO_OK, "write");
        CHECK(qiao_train_load(t, file("b.bin"), &d) == QIAO_E_FORMAT, "byte %zu is taken", i);
        data[i] ^= 4, d = (qiao_diag){0};
    }
    for (size_t k = 0; k < n; k += n / 11) {
        CHECK(qiao_file_write(file("b.bin"), data, k, &d) == QIAO_OK, "write");
        CHECK(qiao_train_load(t, file("b.bin"), &d) == QIAO_E_FORMAT, "%zu bytes are taken", k);
        d = (qiao_diag){0};
    }
    CHECK(qiao_train_load(t, file("c.bin"), &d) == QIAO_OK, "%s", d.text);
    put_file("train.yaml", "robot: go2\nworlds: 8\nrewards: {alive: 1}\n");
    qiao_train *o = begin(1, 1);
    CHECK(qiao_train_load(o, file("c.bin"), &d) == QIAO_E_FORMAT, "another recipe's");
    CHECK_TEXT(d.text, "another recipe");
    free(data);
    qiao_train_free(t), qiao_train_free(o);
}

TEST(what_is_learned_is_a_brain) {
    folder();
    qiao_train *t = begin(0, 1);
    iterate(t, 2);
    size_t n;
    free(export_of(t, &n));
    qiao_train_free(t);
    double t_end = lasts();
    CHECK(t_end > 0.3, "it stood for %g s", t_end);
}

TEST(parts_that_do_not_fit_are_told) {
    static const struct {
        const char *recipe, *says;
    } bad[] = {
        {"robot: go3\nrewards: {alive: 1}\n", "go3"},
        {"robot: go2\nscenario: sort_bin\nrewards: {alive: 1}\n", "robot"},
        {"robot: go2\nscenario: nowhere\nrewards: {alive: 1}\n", "nowhere"},
        {"robot: tron1\nrewards: {alive: 1}\n", "FL_hip_joint"},
        {"robot: go2\nrewards: {alive: 1}\nimitate: {brain: trott}\n", "trot"},
        {"robot: go2\nbrain: none.yaml\nrewards: {alive: 1}\n", "none.yaml"},
        {"robot: go2\nrewards: {alive: 1}\nppo: {symmetry: 1}\nmirror: [[FL_hip_joint, "
         "FR_hip_joint, -1]]\n",
         "has no partner"},
        {"robot: go2\nrewards: {alive: 1}\nppo: {symmetry: 1}\nmirror: [[FL_hip, FR_hip_joint, "
         "-1]]\n",
         "no joint 'FL_hip'"},
    };
    folder();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put_file("train.yaml", bad[i].recipe);
        qiao_diag d = {0};
        qiao_train_def def = qiao_train_def_default();
        def.recipe = file("train.yaml");
        CHECK(!qiao_train_new(&def, &d), "taken: %s", bad[i].recipe);
        CHECK(d.err, "no fault");
        CHECK_TEXT(d.text, bad[i].says);
    }
}
