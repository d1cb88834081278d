// SPDX-License-Identifier: Apache-2.0
// test_rec_alloc.c - a record's step allocates nothing; and whichever allocation fails while a
// record is written, read and made into a page, it is told, and all memory comes back.
#include "rec_fixture.h"
#include "alloc_fail.h"

#include "rec/tape.h"

#include <unistd.h>

static char path[] = "/tmp/qiao-test-rec-alloc-XXXXXX", page[64];
__attribute__((destructor)) static void tidy(void) { unlink(path), unlink(page); }
static void make_path(void) {
    if (page[0]) return;
    int fd = mkstemp(path);
    if (fd < 0) abort();
    close(fd);
    snprintf(page, sizeof page, "%s.html", path);
}

TEST(steps_allocate_nothing) {
    if (TEST_SANITIZED) SKIP("the sanitizer has its own allocator");
    make_path();
    fixture *f = fx_new();
    qiao_diag d = {0};
    qiao_rec_def def = fx_def(f, path);
    counted = 0, counting = true;
    qiao_rec *r = qiao_rec_new(&def, &d);
    counting = false;
    CHECK(r, "%s", d.text);
    CHECK(counted > 50, "only %ld allocations seen while opening", counted);
    counted = 0;
    for (int tick = 0; tick < 10000; tick++) {
        fx_at(f, tick * 0.01);
        qiao_event ev = {.t_ns = f->t_ns, .name = "tick", .text = "of the test"};
        counting = true;
        qiao_rec_step(r, &f->truth, &f->obs, &f->cmd, 0);
        if (tick % 100 == 0) qiao_rec_event(r, &ev);
        counting = false;
    }
    qiao_rec_free(r), free(f);
    CHECK(counted == 0, "%ld allocations in 10,000 steps", counted);
}

// Writes, reads, makes the page; the n-th allocation fails.
static qiao_err work(long n, qiao_diag *d) {
    fail_at = n, counted = 0, live = 0, counting = true;
    qiao_err e = fx_record(path, 0.02, true, d);
    if (!e) e = qiao_replay_html(path, page, d);
    char *info = e ? NULL : qiao_replay_info(path, d);
    if (!e && !info) e = d->err;
    free(info);
    counting = false;
    return e;
}

TEST(any_allocation_may_fail) {
    if (TEST_SANITIZED) SKIP("the sanitizer has its own allocator");
    make_path();
    qiao_diag d = {0};
    CHECK(work(0, &d) == QIAO_OK, "%s", d.text);
    long all = counted;
    CHECK(live == 0, "%ld blocks left", live);
    CHECK(all > 300, "%ld allocations", all);
    for (long n = 2; n <= all; n++) { // the first is the fixture's own
        d = (qiao_diag){0};
        qiao_err e = work(n, &d);
        CHECK(live == 0, "allocation %ld of %ld failed: %ld blocks left", n, all, live);
        CHECK(e == QIAO_OK || e == QIAO_E_MEM || e == QIAO_E_IO,
              "allocation %ld of %ld failed: %d %s", n, all, e, d.text);
        CHECK(e == QIAO_OK || d.text[0], "allocation %ld of %ld failed in silence", n, all);
    }
}
