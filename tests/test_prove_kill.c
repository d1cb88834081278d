// SPDX-License-Identifier: Apache-2.0
// test_prove_kill.c - kill -9 at 100 random moments: what was reported as done is there, the end is
// the same as without. QIAO_KILLS sets another number.
#include "prove_crew.h"

#define DIR_ "build/test/kill"
#define DB   DIR_ "/a.db"
enum { CHUNK = 7 };

// A writer: adds what is missing in chunks and says after each, in a byte's width of a pipe, how
// many rows it was told are safe. The pauses stand for trials.
static void write_rows(const rows_parts *p, uint64_t n, int tell) {
    qiao_diag d = {0};
    qiao_store *s = qiao_store_open(DB, &p->def, &rows_shape, &d);
    uint64_t x[CHUNK];
    for (int k; s && (k = qiao_store_todo(s, 0, n, CHUNK, x)) > 0;) {
        rows_one o[CHUNK];
        qiao_row row[CHUNK];
        for (int i = 0; i < k; i++) {
            rows_make(x[i], &o[i]);
            row[i] = o[i].row, row[i].param = o[i].param, row[i].measure = o[i].measure;
        }
        if (qiao_store_add(s, k, row, NULL, &d)) break;
        uint64_t safe = qiao_store_count(s);
        if (write(tell, &safe, sizeof safe) != sizeof safe) break;
    }
    if (d.err) fprintf(stderr, "%s\n", d.text);
    qiao_store_free(s);
    _exit(d.err ? 1 : 0);
}

// Starts a writer, kills it after that long (< 0: lets it end); the last count it was sure of.
static uint64_t round_of(const rows_parts *p, uint64_t n, double after_s, int *status) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) close(ends[0]), write_rows(p, n, ends[1]);
    close(ends[1]);
    if (after_s >= 0) {
        struct timespec t = {0, (long)(after_s * 1e9)};
        nanosleep(&t, NULL);
        kill(pid, SIGKILL);
    }
    uint64_t safe = 0, got;
    while (read(ends[0], &got, sizeof got) == sizeof got) safe = got;
    close(ends[0]);
    waitpid(pid, status, 0);
    return safe;
}

TEST(kill_9_at_random_moments) {
    const char *env = getenv("QIAO_KILLS");
    int kills = env ? atoi(env) : 100, status, hit = 0;
    CHECK(system("rm -rf " DIR_ " && mkdir -p " DIR_) == 0);
    rows_parts p = rows_open("stand_push", "go2", "hold");
    qiao_diag d = {0};
    qiao_parts warm; // hashes of the files, once: the children inherit them
    CHECK(qiao_parts_get(&p.def, &warm, &d) == QIAO_OK, "%s", d.text);
    qiao_rng g = {2026, 5, 9};
    uint64_t n = 100000, safe = 0; // out of reach: each round is cut
    for (int i = 0; i < kills; i++) {
        uint64_t now = round_of(&p, n, 0.06 * qiao_rng_uniform(&g, (uint64_t)i, 0), &status);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "round %d: status %d", i, status);
        if (now) CHECK(now >= safe, "round %d: %llu rows were safe", i, (unsigned long long)safe);
        if (now > safe) safe = now, hit++;
        if (i % 10 == 9) { // what was said to be safe is there, and is right
            qiao_store *s = qiao_store_open(DB, &p.def, &rows_shape, &d);
            CHECK(s != NULL, "%s", d.text);
            CHECK(qiao_store_count(s) >= safe && qiao_store_count(s) <= safe + 10 * CHUNK,
                  "round %d: %llu rows, %llu were safe", i, (unsigned long long)qiao_store_count(s),
                  (unsigned long long)safe);
            rows_check(s, qiao_store_count(s));
            safe = qiao_store_count(s);
            qiao_store_free(s);
        }
    }
    CHECK(hit > kills / 4, "only %d of %d kills came while rows were being written", hit, kills);
    uint64_t end = safe + 100;
    CHECK(round_of(&p, end, -1, &status) == end && status == 0, "status %d", status);
    qiao_store *s = qiao_store_open(DB, &p.def, &rows_shape, &d);
    CHECK(s && qiao_store_count(s) == end, "%s", d.text);
    rows_check(s, end);
    qiao_store_free(s);
    rows_close(&p);
}

// The same with trials that run: the bundle at the end has the bytes of an undisturbed sweep's.
TEST(kill_9_while_trials_run) {
    enum { N = 90, KILLS = 12 };
    CHECK(system("rm -rf " DIR_ " && mkdir -p " DIR_) == 0);
    crew_sweep c = crew_open();
    qiao_store *want = crew_wanted(&c, DIR_ "/want", N);
    qiao_diag d = {0};
    qiao_rng g = {7, 7, 7};
    uint64_t before = 0;
    int hit = 0;
    for (int i = 0; i < KILLS; i++) {
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) { // a sweep of its own: threads do not come along
            crew_sweep own = crew_open();
            qiao_store *s = crew_store(&own, DB);
            _exit(qiao_store_fill(s, own.sweep, 0, N, 3, &d) ? 1 : 0);
        }
        struct timespec t = {0, (long)(1e9 * (0.1 + 0.5 * qiao_rng_uniform(&g, (uint64_t)i, 0)))};
        nanosleep(&t, NULL);
        kill(pid, SIGKILL), waitpid(pid, NULL, 0);
        if (access(DB, F_OK) != 0) continue;
        qiao_store *s = crew_store(&c, DB);
        uint64_t now = qiao_store_count(s);
        qiao_store_free(s);
        CHECK(now >= before, "%llu rows, %llu before", (unsigned long long)now,
              (unsigned long long)before);
        hit += now > before, before = now;
    }
    CHECK(hit >= 2, "%d of %d kills came while trials ran", hit, KILLS);
    qiao_store *s = crew_store(&c, DB);
    CHECK(qiao_store_fill(s, c.sweep, 0, N, 16, &d) == QIAO_OK, "%s", d.text);
    crew_same(&c, want, s, DIR_);
    qiao_store_free(s), qiao_store_free(want), crew_close(&c);
}
