// SPDX-License-Identifier: Apache-2.0
// test.h - a test program: TEST(name) bodies, CHECK that says what it saw, SKIP that says why.
//   test_x           runs all         test_x NAME   runs those whose name contains NAME
// Prints "ok NAME ms", "FAIL NAME", "skip NAME: why"; the last line counts.
#ifndef QIAO_TEST_H
#define QIAO_TEST_H

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__SANITIZE_ADDRESS__) // gcc; asked first, for MuJoCo's headers define __has_feature
#define TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TEST_SANITIZED 1
#endif
#endif
#ifndef TEST_SANITIZED
#define TEST_SANITIZED 0
#endif

typedef struct test_case {
    const char *name;
    void (*run)(void);
    struct test_case *next;
} test_case;
static test_case *test_first, **test_last = &test_first;
static jmp_buf test_jump;
static char test_skip_why[1100];

#define TEST(id)                                              \
    static void test_##id(void);                              \
    static test_case case_##id = {#id, test_##id, NULL};      \
    __attribute__((constructor)) static void add_##id(void) { \
        *test_last = &case_##id, test_last = &case_##id.next; \
    }                                                         \
    static void test_##id(void)

#define CHECK(cond, ...)                                                 \
    do {                                                                 \
        if (!(cond)) {                                                   \
            printf("  %s:%d: %s is false; ", __FILE__, __LINE__, #cond); \
            printf(" " __VA_ARGS__);                                     \
            putchar('\n');                                               \
            longjmp(test_jump, 1);                                       \
        }                                                                \
    } while (0)
#define CHECK_NEAR(a, b, tol)                                                                   \
    do {                                                                                        \
        double a_ = (a), b_ = (b), t_ = (tol);                                                  \
        CHECK(fabs(a_ - b_) <= t_, "%s = %.17g, %s = %.17g, off by %.3g, allowed %.3g", #a, a_, \
              #b, b_, fabs(a_ - b_), t_);                                                       \
    } while (0)
#define CHECK_TEXT(text, part)                                                   \
    do {                                                                         \
        const char *t_ = (text), *p_ = (part);                                   \
        CHECK(strstr(t_, p_) != NULL, "\"%s\" does not contain \"%s\"", t_, p_); \
    } while (0)
#define SKIP(...)                                                   \
    do {                                                            \
        snprintf(test_skip_why, sizeof test_skip_why, __VA_ARGS__); \
        longjmp(test_jump, 2);                                      \
    } while (0)

// Where the makers' robots and policies are, or NULL: $QIAO_DATA, else ../shared/data.
static const char *test_data(void) {
    const char *p = getenv("QIAO_DATA");
    if (!p) p = "../shared/data";
    static char file[600];
    snprintf(file, sizeof file, "%s/README.md", p);
    FILE *f = fopen(file, "r");
    if (!f) return NULL;
    fclose(f);
    return p;
}

int main(int argc, char **argv) {
    static int pass, fail, skip; // static: longjmp leaves them alone
    static test_case *t;
    static struct timespec a, b;
    setvbuf(stdout, NULL, _IOLBF, 0);
    (void)test_data;
    for (t = test_first; t; t = t->next) {
        if (argc > 1 && !strstr(t->name, argv[1])) continue;
        clock_gettime(CLOCK_MONOTONIC, &a);
        int how = setjmp(test_jump);
        if (how == 0) t->run();
        clock_gettime(CLOCK_MONOTONIC, &b);
        double ms = (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) * 1e-6;
        if (how == 0) printf("ok   %-40s %8.1f ms\n", t->name, ms), pass++;
        if (how == 1) printf("FAIL %s\n", t->name), fail++;
        if (how == 2) printf("skip %s: %s\n", t->name, test_skip_why), skip++;
    }
    printf("%d passed, %d failed, %d skipped\n", pass, fail, skip);
    return fail ? 1 : 0;
}

#endif
