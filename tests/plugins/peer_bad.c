// SPDX-License-Identifier: Apache-2.0
// peer_bad.c - a program that speaks the protocol of docs/brain.md without the library, well
// ("good") or badly in one chosen way: peer_bad HOW. It knows three actuators and one world.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HELLO = 1, BIND, RESET, STEP, BYE, READY, COMMAND, ERROR };
static const char *how;
static uint32_t seq;

static int is(const char *name) { return strcmp(how, name) == 0; }

static void take(void *p, size_t n) {
    for (char *c = p; n;) {
        ssize_t k = read(3, c, n);
        if (k <= 0) exit(0);
        c += k, n -= (size_t)k;
    }
}

static void put(const void *p, size_t n) {
    if (write(3, p, n) != (ssize_t)n) exit(1);
}

// One frame; twice: in a single write.
static void answer(uint32_t type, const void *data, uint32_t bytes, int times) {
    static char buf[20000];
    uint32_t head[4] = {0x31524251, type, bytes, seq};
    size_t n = 0;
    for (int i = 0; i < times; i++) {
        memcpy(buf + n, head, 16), n += 16;
        memcpy(buf + n, data, bytes), n += bytes;
    }
    put(buf, n);
}

static void hello(void) {
    char p[5000] = {0};
    uint32_t head[2] = {is("hello_abi") ? 9 : 1, is("hello_count") ? 70000 : 1};
    double rate = is("hello_rate") ? -1 : 50;
    static const char text[] = "peer\0001.0\0joint_pos";
    memcpy(p, head, 8), memcpy(p + 8, &rate, 8), memcpy(p + 16, text, sizeof text);
    size_t n = 16 + sizeof text;
    if (is("hello_short")) n = 7;
    if (is("hello_unended")) n -= 1;
    if (is("hello_control")) p[17] = 27;
    if (is("hello_long")) n = 4096, memset(p + 16, 'a', n - 16);
    if (is("hello_huge")) n = 4097;
    answer(HELLO, p, (uint32_t)n, 1);
}

static void command(void) {
    double c[16] = {0.5, 0.5, 0.5, 0, 0, 0, -1, -1, -1, -1, -1, -1, 0, 0, 0};
    static const char say[] = "\xfa\xff\xff\xffI am\033[31m tired\n";
    if (is("type")) return answer(READY, "", 0, 1);
    if (is("unknown")) return answer(99, "", 0, 1);
    if (is("give_up")) return answer(ERROR, say, sizeof say - 1, 1);
    if (is("mute_error")) return answer(ERROR, "", 0, 1);
    if (is("short_command")) return answer(COMMAND, c, 112, 1);
    if (is("long_command")) return answer(COMMAND, c, sizeof c, 1);
    if (is("half") || is("trickle")) {
        uint32_t head[4] = {0x31524251, COMMAND, 120, seq};
        put(head, 16);
        if (is("half")) put(c, 50), exit(0);
        for (size_t i = 0; i < 120; i++) put((char *)c + i, 1), usleep(20000);
        return;
    }
    if (is("nan")) c[8] = NAN;
    if (is("seq")) seq++;
    if (is("sleep")) usleep(400000);
    answer(COMMAND, c, 120, is("twice") ? 2 : 1);
    if (is("after")) usleep(30000), answer(COMMAND, c, 120, 1);
}

int main(int argc, char **argv) {
    how = argc > 1 ? argv[1] : "good";
    static char in[1 << 20];
    if (is("args"))
        how = argc == 4 && !strcmp(argv[2], "-x") && !strcmp(argv[3], "7") ? "good" : "exit";
    if (is("exit")) return 5;
    if (is("early")) seq = 1, answer(HELLO, "hi", 2, 1), sleep(5);
    if (is("ignore_term"))
        for (;;) sleep(1);
    for (;;) {
        uint32_t head[4];
        take(head, 16);
        if (head[2] > sizeof in) return 6;
        take(in, head[2]);
        seq = head[3];
        if (head[1] == HELLO) hello();
        if (head[1] == BIND || head[1] == RESET) answer(READY, "", 0, 1);
        if (head[1] == STEP) command();
        if (head[1] == BYE && is("stays"))
            for (;;) sleep(1);
        if (head[1] == BYE) return 0;
    }
}
