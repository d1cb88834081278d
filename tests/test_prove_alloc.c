// SPDX-License-Identifier: Apache-2.0
// test_prove_alloc.c - whichever allocation fails while trials are explained, reported, compared and
// searched, it is told, nothing half-made is left, and all memory comes back.
#include "prove_fake.h"
#include "qiao/prove_report.h"
#include "alloc_fail.h"

#include <unistd.h>

enum { ROWS = 40 };
static const char html[] = "/tmp/qiao-test-prove-alloc.html";
static qiao_table *table;
static qiao_hash result; // of what a run came to
static void add(const void *p, size_t n) { qiao_hash_add(&result, p, n); }

static qiao_err explain(qiao_diag *d) {
    qiao_why *w = qiao_why_new(table, 0.95, 1, d);
    if (!w) return d->err;
    for (int i = 0; i < w->nmap; i++) add(&w->map[i].p, sizeof w->map[i].p);
    for (int i = 0; i < w->nrule; i++) add(w->rule[i].en, sizeof w->rule[i].en);
    add(&w->median, sizeof w->median);
    qiao_why_free(w);
    return QIAO_OK;
}

static qiao_err report(qiao_diag *d) {
    qiao_report_def def = qiao_report_def_default();
    def.table = table, def.scenario = "walk", def.robot = "go2";
    qiao_err e = qiao_report_write(&def, html, NULL, d);
    counting = false; // looking at it is no part of it
    char *page;
    size_t n;
    if (!e && qiao_file_read(html, 1 << 24, &page, &n, d) == QIAO_OK) add(page, n), free(page);
    return e;
}

static qiao_err compare(qiao_diag *d) {
    qiao_compare c;
    qiao_err e = qiao_prove_compare(table, "a", table, "b", 0.95, &c, d);
    if (!e) add(&c.total, sizeof c.total), add(c.en, sizeof c.en);
    return e;
}

static qiao_err run_edge(void *ctx, int n, const uint64_t *trial, const double *u, uint8_t *failed,
                         double *severity, qiao_diag *d) {
    (void)ctx, (void)trial, (void)d;
    for (int i = 0; i < n; i++) failed[i] = u[2 * i] > 0.98, severity[i] = u[2 * i];
    return QIAO_OK;
}

static qiao_err search(qiao_diag *d) {
    qiao_oracle o = {2, run_edge, NULL};
    qiao_rare_def def = qiao_rare_def_default();
    def.ntrial = 400;
    qiao_rare r;
    qiao_err e = qiao_rare_search(&o, &def, &r, d);
    if (!e) add(&r.p, sizeof r.p), qiao_rare_free(&r);
    return e;
}

static qiao_err shrink(qiao_diag *d) {
    qiao_oracle o = {2, run_edge, NULL};
    double u[2] = {0.99, 0.3};
    qiao_shrunk s;
    qiao_err e = qiao_shrink(&o, 0, NULL, true, 50, u, &s, d);
    if (!e) add(u, sizeof u), add(&s.ndiffer, sizeof s.ndiffer);
    return e;
}

static void fail_each(const char *what, qiao_err (*run)(qiao_diag *d)) {
    if (TEST_SANITIZED) SKIP("the sanitizer has its own allocator");
    static const fake_fault f = {1, {0}, {0}, {0.3}, 0.9};
    table = fake_table(3, ROWS, &f, 1, 0.02);
    long n = 0, told = 0, all = 1;
    uint8_t whole[QIAO_HASH_BYTES], hash[QIAO_HASH_BYTES];
    for (; n <= all; n++) { // first none fails, then each
        qiao_diag d = {0};
        unlink(html), qiao_hash_init(&result);
        counted = 0, live = 0, fail_at = n, counting = true;
        qiao_err e = run(&d);
        counting = false;
        CHECK(live == 0, "%s: allocation %ld failed: %ld pieces of memory lost", what, n, live);
        qiao_hash_end(&result, hash);
        if (n == 0) CHECK(e == QIAO_OK, "%s", d.text);
        if (n == 0) all = counted, memcpy(whole, hash, sizeof whole);
        if (e == QIAO_OK) // libc's sort can do without memory
            CHECK(!memcmp(hash, whole, sizeof hash), "%s: %ld: another result, untold", what, n);
        else
            CHECK(d.text[0], "%s: allocation %ld failed and nothing was said", what, n);
        CHECK(e == QIAO_OK || run != report || access(html, F_OK) != 0, "half a page was left");
        told += e != QIAO_OK;
    }
    printf("  %s: %ld allocations, %ld failures told\n", what, all, told);
    CHECK(told > 3, "%s: %ld of %ld told", what, told, all);
    unlink(html), fake_free(table);
}

TEST(explaining) { fail_each("explain", explain); }
TEST(reporting) { fail_each("report", report); }
TEST(comparing) { fail_each("compare", compare); }
TEST(searching) { fail_each("search", search); }
TEST(shrinking) { fail_each("shrink", shrink); }
