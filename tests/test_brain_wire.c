// SPDX-License-Identifier: Apache-2.0
// The protocol as pure functions: the bytes of docs/brain.md, and whatever else may come.
#include "brain_body.h"
#include "test.h"

#include "brain/jsonread.h"
#include "brain/wire.h"

static body b;
static _Alignas(64) uint8_t buf[20000];

TEST(a_frame_byte_by_byte) {
    static const uint8_t want[16] = {'Q', 'B', 'R', '1', 7, 0, 0, 0, 8, 0, 0, 0, 0x39, 0x30, 0, 0};
    qi_wire_head(buf, QI_WIRE_COMMAND, 8, 12345);
    CHECK(memcmp(buf, want, 16) == 0);
    qiao_diag d = {0};
    qi_frame f;
    for (size_t have = 0; have < 24; have++)
        CHECK(qi_wire_frame(buf, have, 100, &f, &d) == 0, "%zu: %s", have, d.text);
    CHECK(qi_wire_frame(buf, 24, 100, &f, &d) == 24 && qi_wire_frame(buf, 99, 8, &f, &d) == 24);
    CHECK(f.type == QI_WIRE_COMMAND && f.bytes == 8 && f.seq == 12345 && f.data == buf + 16);
    CHECK(qi_wire_frame(buf, 16, 7, &f, &d) == -1); // too long is known before it has come
    CHECK_TEXT(d.text, "announced a command frame of 8 bytes, where at most 7 may come");
    // a wrong start is known at its first wrong byte
    for (size_t i = 0; i < 4; i++) {
        d = (qiao_diag){0};
        buf[i] ^= 0x20;
        CHECK(qi_wire_frame(buf, i, 100, &f, &d) == 0);
        CHECK(qi_wire_frame(buf, i + 1, 100, &f, &d) == -1 && d.err == QIAO_E_PEER);
        buf[i] ^= 0x20;
    }
}

TEST(a_step_byte_by_byte) {
    body_make(&b, 2);
    b.stamp[1][2] = -1, b.obs.live = b.live, b.live[0] = 0, b.live[1] = 255;
    CHECK(qi_wire_step_bytes(2, 7, 3) == 16 + 2 * 8 + 2 * 3 * 8 + 2 * 7 * 8 + 2);
    memset(buf, 0xee, sizeof buf);
    qi_wire_put_step(buf + 16, &b.obs, 3);
    const uint8_t *p = buf + 16;
    uint32_t n[4];
    int64_t t, stamp;
    double x;
    memcpy(n, p, 16), memcpy(&t, p + 24, 8), memcpy(&stamp, p + 32 + 5 * 8, 8);
    memcpy(&x, p + 80 + 8 * 8, 8);
    CHECK(n[0] == 2 && n[1] == 7 && n[2] == 3 && n[3] == 3);
    CHECK(t == 20000000 && stamp == -1 && x == 101, "%g", x);
    CHECK(p[192] == 0 && p[193] == 1 && p[194] == 0xee);
    // and back
    qi_frame f = {QI_WIRE_STEP, 1, 194, p};
    qiao_obs o;
    qiao_diag d = {0};
    CHECK(qi_wire_get_step(&f, 4, 7, 3, 3, &o, &d) == QIAO_OK && o.n == 2, "%s", d.text);
    CHECK(o.x[8] == 101 && o.stamp_ns[5] == -1 && o.live[1] == 1);
    f.bytes--;
    CHECK(qi_wire_get_step(&f, 4, 7, 3, 3, &o, &d) == QIAO_E_PEER);
    f.bytes++;
    CHECK(qi_wire_get_step(&f, 1, 7, 3, 3, &o, NULL) == QIAO_E_PEER); // more worlds than bound
    CHECK(qi_wire_get_step(&f, 4, 7, 3, 2, &o, NULL) == QIAO_E_PEER);
    CHECK(qi_wire_step_bytes(1 << 16, 1 << 24, 1) == 0 && qi_wire_command_bytes(1 << 30, 100) == 0);
}

TEST(hello_both_ways) {
    static const char *const need[] = {"joint_pos", "imu_gyro", NULL};
    qiao_brain_api api = {.abi = 1, .name = "trot", .version = "1.2", .rate_hz = 250, .need = need};
    size_t n = qi_wire_put_hello(buf, sizeof buf, &api);
    CHECK(n == 16 + 5 + 4 + 10 + 9);
    qi_frame f = {QI_WIRE_HELLO, 0, (uint32_t)n, buf};
    static qi_hello h;
    qiao_diag d = {0};
    CHECK(qi_wire_get_hello(&f, &h, &d) == QIAO_OK, "%s", d.text);
    CHECK(!strcmp(h.name, "trot") && !strcmp(h.version, "1.2") && h.rate_hz == 250);
    CHECK(h.nneed == 2 && !strcmp(h.need[1], "imu_gyro") && h.need[2] == NULL);
    for (size_t cut = 0; cut < n; cut++) { // no part of it is a hello
        f.bytes = (uint32_t)cut;
        CHECK(qi_wire_get_hello(&f, &h, NULL) == QIAO_E_PEER, "%zu", cut);
        CHECK(qi_wire_put_hello(buf + 1000, cut, &api) == 0);
    }
}

// Good frames with bytes changed at random: any outcome but a wrong access (sanitizers look).
TEST(damaged_frames) {
    static const char *const need[] = {"joint_pos", NULL};
    qiao_brain_api api = {.abi = 1, .name = "x", .version = "1", .rate_hz = 50, .need = need};
    qiao_rng r = {.seed = 1, .purpose = 77};
    body_make(&b, 2);
    int whole = 0, refused = 0;
    for (uint64_t k = 0; k < 20000; k++) {
        size_t n = k % 2 ? 240 : qi_wire_put_hello(buf + 16, 4000, &api);
        if (k % 2) qi_wire_put_command(buf + 16, &b.cmd);
        qi_wire_head(buf, k % 2 ? QI_WIRE_COMMAND : QI_WIRE_HELLO, (uint32_t)n, (uint32_t)k);
        for (uint32_t i = 0; i < k % 4; i++) {
            size_t at = (size_t)(qiao_rng_uniform(&r, k, 2 * i) * (double)(n + 16));
            buf[at] ^= (uint8_t)(qiao_rng_uniform(&r, k, 2 * i + 1) * 256);
        }
        qi_frame f;
        static qi_hello h;
        if (qi_wire_frame(buf, n + 16, 4096, &f, NULL) <= 0) {
            refused++;
            continue;
        }
        whole++;
        qi_wire_get_hello(&f, &h, NULL);
        if (qi_wire_get_command(&f, NULL, &b.cmd, NULL) == QIAO_OK)
            qi_command_check(&b.cmd, 1, body_act, NULL);
    }
    CHECK(whole > 10000 && refused > 500, "%d whole, %d refused", whole, refused);
}

TEST(every_number_of_a_command_is_looked_at) {
    body_make(&b, 3);
    static const double bad[] = {NAN, INFINITY, -INFINITY};
    static const char *const field[] = {"q", "qd", "kp", "kd", "tau"};
    for (int i = 0; i < 5 * 9; i++) {
        qiao_diag d = {0};
        double *x = &b.c[i / 9][i % 9];
        *x = bad[i % 3];
        for (int w = 0; w < 3; w++)
            CHECK(qi_command_check(&b.cmd, w, body_act, &d) == (w == i % 9 / 3 ? QIAO_E_NAN : 0));
        char want[60];
        snprintf(want, sizeof want, "commands %s = %g for actuator '%s'", field[i / 9], *x,
                 body_act[i % 3]);
        CHECK(strcmp(d.text, want) == 0, "%s", d.text);
        *x = 1e308;
        CHECK(qi_command_check(&b.cmd, i % 9 / 3, body_act, &d) == QIAO_OK); // big is finite
    }
}

TEST(texts_of_a_peer_are_cleaned) {
    char out[12];
    qi_wire_clean(out, sizeof out, "  a\x1b[2J\n\n\tb\0c  ", 16);
    CHECK(strcmp(out, "a [2J b c") == 0, "%s", out);
    qi_wire_clean(out, sizeof out, "0123456789abcdef", 16);
    CHECK(strcmp(out, "0123456789a") == 0, "%s", out);
    qi_wire_clean(out, sizeof out, "\n\n", 2);
    CHECK(out[0] == 0);
}

// ---- JSON ----

static const qi_js *read_json(qiao_arena *a, const char *s, qiao_diag *d) {
    *d = (qiao_diag){0};
    size_t n = strlen(s);
    char *copy = malloc(n ? n : 1); // exactly: no final 0 to lean on
    CHECK(copy);
    memcpy(copy, s, n);
    const qi_js *j = qi_js_read(a, copy, n, d);
    free(copy);
    return j;
}

TEST(json_values) {
    qiao_arena *a = qiao_arena_new();
    qiao_diag d;
    const qi_js *j = read_json(
        a, " {\"a\": [1, -2.5e3, true, null], \"b\\n\": \"\\u5de7\\ud83d\\ude00\\/\"} ", &d);
    CHECK(j, "%s", d.text);
    const qi_js *l = qi_js_get(j, "a");
    CHECK(j->n == 2 && l && l->n == 4 && l->first->num == 1 && l->first->next->num == -2500);
    CHECK(l->first->next->next->kind == QI_JS_BOOL);
    CHECK(!strcmp(qi_js_str(j, "b\n", ""), "\xe5\xb7\xa7\xf0\x9f\x98\x80/"));
    CHECK(qi_js_num(j, "none", 7) == 7 && qi_js_get(l, "a") == NULL && !qi_js_get(NULL, "a"));
    qiao_arena_free(a);
}

TEST(json_faults_have_a_place) {
    static const char *const bad[][2] = {
        {"", "json:1:1: expected a value"},
        {"[1,\n 2", "json:2:3: expected ',' or ']'"},
        {"{\"a\" 1}", "json:1:6: expected ':'"},
        {"{a: 1}", "json:1:2: expected a text in quotes"},
        {"\"abc", "json:1:2: the text does not end"},
        {"\"a\\", "json:1:2: the text does not end"},
        {"\"a\\q\"", "json:1:5: unknown escape"},
        {"\"\\u12g4\"", "json:1:6: expected four hex digits"},
        {"\"\\ud800\"", "json:1:8: an escape that is no character"},
        {"\"\\u0000\"", "json:1:8: an escape that is no character"},
        {"\"a\nb\"", "json:1:3: a control character in a text"},
        {"1e999", "json:1:1: a number that is none"},
        {"-", "json:1:1: a number that is none"},
        {"nan", "json:1:1: expected a value"},
        {"[1] 2", "json:1:5: expected the end"},
        {"[[[[[[[[[[[[[[[[[[[[", "json:1:18: nested too deep"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        qiao_arena *a = qiao_arena_new();
        qiao_diag d;
        bool none = read_json(a, bad[i][0], &d) == NULL;
        qiao_arena_free(a);
        CHECK(none && strcmp(d.text, bad[i][1]) == 0, "%s: %s", bad[i][0], d.text);
    }
}
