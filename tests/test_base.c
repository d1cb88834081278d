// SPDX-License-Identifier: Apache-2.0
#include "qiao/base.h"
#include "base/json.h"
#include "base/normals.h"
#include "test.h"

TEST(errors_have_names) {
    CHECK(strcmp(qiao_err_name(QIAO_E_NAN), "E_NAN") == 0);
    CHECK_TEXT(qiao_err_text(QIAO_E_TIMEOUT), "deadline");
}

TEST(first_fault_stays) {
    qiao_diag d = {0};
    qiao_diag_set(&d, QIAO_E_FORMAT, "a.osc", 3, 7, "expected %s", "':'");
    qiao_diag_set(&d, QIAO_E_IO, NULL, 0, 0, "later");
    CHECK(d.err == QIAO_E_FORMAT && strcmp(d.text, "a.osc:3:7: expected ':'") == 0, "%s", d.text);
}

TEST(nearest_name) {
    const char *names[] = {"FL_hip_joint", "FR_hip_joint", "gripper"};
    CHECK_TEXT(qiao_nearest("FL_hpi_joint", names, 3), "FL_hip_joint");
    CHECK(qiao_nearest("wheel", names, 3) == NULL);
}

TEST(philox_is_the_published_function) {
    // known answer of the reference implementation, counter and key 0: 6627e8d5 e169c58d ...
    qiao_rng zero = {0};
    CHECK(qiao_rng_uniform(&zero, 0, 0) == (double)(0x6627e8d5e169c58dull >> 11) * 0x1p-53);
    qiao_rng r = {.seed = 7, .trial = 3, .purpose = QIAO_RNG_CASE};
    double u = qiao_rng_uniform(&r, 5, 1);
    CHECK(u == qiao_rng_uniform(&r, 5, 1) && u != qiao_rng_uniform(&r, 6, 1));
    double sum = 0, sq = 0, nsum = 0, nsq = 0;
    enum { N = 100000 };
    for (int i = 0; i < N; i++) {
        double x = qiao_rng_uniform(&r, (uint64_t)i, 0), z = qiao_rng_normal(&r, (uint64_t)i, 1);
        sum += x, sq += x * x, nsum += z, nsq += z * z;
    }
    CHECK_NEAR(sum / N, 0.5, 0.004);
    CHECK_NEAR(sq / N, 1.0 / 3, 0.004);
    CHECK_NEAR(nsum / N, 0, 0.015);
    CHECK_NEAR(nsq / N, 1, 0.02);
}

TEST(normals_have_the_same_bits_at_every_width) {
    enum { N = 19 }; // no whole number of lanes
    qiao_rng r = {.seed = 0xfedcba9876543210, .trial = 0x123456789abc, .purpose = 0x9a7};
    int used = 0;
    double off = 0;
    for (int i = 0; i < qi_normals_nall; i++) {
        if (!qi_normals_all[i]->usable()) continue;
        used++;
        for (uint64_t k = 0; k < 500; k++) {
            double z[N + 1];
            uint64_t counter = k * k << 25 | k;
            z[N] = 7;
            qi_normals_all[i]->row(&r, counter, 0xfffffff8u, N, z);
            CHECK(z[N] == 7, "%s writes past its end", qi_normals_all[i]->name);
            for (uint32_t j = 0; j < N; j++) {
                double one = qiao_rng_normal(&r, counter, 0xfffffff8u + j);
                CHECK(memcmp(&z[j], &one, sizeof one) == 0, "%s", qi_normals_all[i]->name);
            }
        }
    }
    CHECK(used > 0);
    for (uint64_t k = 0; k < 20000; k++) {
        double p[N];
        qi_rng_normals(&r, k, 3, N, p);
        for (int j = 0; j < N; j++) off = fmax(off, fabs(p[j]));
    }
    CHECK(off > 4 && off < 7, "%g deviations are the furthest of 380,000", off);
}

TEST(hash_known_answer) { // BLAKE2b-256 of nothing
    qiao_hash h;
    uint8_t out[QIAO_HASH_BYTES];
    char hex[QIAO_HASH_HEX];
    qiao_hash_init(&h), qiao_hash_end(&h, out), qiao_hash_hex(out, hex);
    CHECK(strncmp(hex, "0e5751c026e543b2e8ab2eb06099daa1", 32) == 0, "%s", hex);
}

TEST(files_and_limits) {
    qiao_diag d = {0};
    char *p;
    size_t n;
    CHECK(qiao_dir_make("build/test/a/b", &d) == QIAO_OK, "%s", d.text);
    CHECK(qiao_file_write("build/test/a/b/x", "hello", 5, &d) == QIAO_OK);
    CHECK(qiao_file_read("build/test/a/b/x", 5, &p, &n, &d) == QIAO_OK && n == 5);
    CHECK(strcmp(p, "hello") == 0);
    free(p);
    CHECK(qiao_file_read("build/test/a/b/x", 4, &p, &n, &d) == QIAO_E_LIMIT);
    CHECK_TEXT(d.text, "at most 4");
    d = (qiao_diag){0};
    CHECK(qiao_file_read("build/test/a", 4, &p, &n, &d) == QIAO_E_IO);
}

TEST(json_quotes_and_commas) {
    qi_json j = {0};
    qi_json_open(&j, NULL, '{');
    qi_json_str(&j, "a\"", "x\n\x01");
    qi_json_num(&j, "n", 0.1), qi_json_num(&j, "bad", NAN);
    qi_json_open(&j, "l", '['), qi_json_int(&j, NULL, 1), qi_json_int(&j, NULL, 2);
    qi_json_close(&j, ']'), qi_json_close(&j, '}');
    char *t = qi_json_end(&j);
    CHECK(strcmp(t, "{\n\"a\\\"\": \"x\\n\\u0001\",\n\"n\": 0.10000000000000001,\n"
                    "\"bad\": null,\n\"l\": [\n1,\n2]}\n") == 0,
          "%s", t);
    free(t);
}

TEST(arena_is_zeroed_and_aligned) {
    qiao_arena *a = qiao_arena_new();
    for (int i = 0; i < 1000; i++) {
        char *p = qiao_arena_get(a, (size_t)i * 7);
        CHECK(((uintptr_t)p & 63) == 0);
        for (int k = 0; k < i * 7; k++) CHECK(p[k] == 0);
        memset(p, 255, (size_t)i * 7);
    }
    CHECK(strcmp(qiao_arena_printf(a, "%d-%s", 4, "x"), "4-x") == 0);
    qiao_arena_free(a);
}
