// SPDX-License-Identifier: Apache-2.0
// test_prove_crew.c - workers through a shared folder: the bits of one process, whoever is killed.
#include "prove/spool.h"
#include "prove_crew.h"

#define DIR_ "build/test/crew"
enum { N = 120 };
static crew_sweep C;
static qiao_store *want; // by one process
static qiao_diag d;

static qiao_store *begin(void) {
    CHECK(system("rm -rf " DIR_ " && mkdir -p " DIR_) == 0);
    d = (qiao_diag){0};
    if (!C.sweep) C = crew_open();
    if (!want) want = crew_wanted(&C, "build/test/crew_want", N);
    return crew_store(&C, DIR_ "/b.db");
}

TEST(names_of_chunks) {
    qi_slot s = {.first = 42, .n = 100, .worker = "node-7"}, t;
    char name[QI_SPOOL_NAME];
    qi_slot_name(&s, name);
    CHECK(strcmp(name, "0000000000000000042-00100.node-7") == 0, "%s", name);
    CHECK(qi_slot_parse(name, &t) && t.first == 42 && t.n == 100 && !strcmp(t.worker, "node-7"));
    s.first = INT64_MAX - 65536, s.n = 65535, s.worker[0] = 0;
    qi_slot_name(&s, name);
    CHECK(qi_slot_parse(name, &t) && t.first == s.first && t.n == s.n && !t.worker[0], "%s", name);
    const char *const bad[] = {"",
                               "x",
                               "0000000000000000042-00100.",
                               "0000000000000000042-00000",
                               "0000000000000000042-0010",
                               "000000000000000004x-00100",
                               "9223372036854775807-00100",
                               "9999999999999999999-00001",
                               "0000000000000000042-99999",
                               "0000000000000000042-00100x"};
    for (int i = 0; i < 10; i++) CHECK(!qi_slot_parse(bad[i], &t), "'%s' was taken", bad[i]);
}

TEST(two_workers_give_the_bits_of_one_process) {
    qiao_store *s = begin();
    qiao_crew_def def = crew_def(&C, DIR_ "/spool", 2);
    qiao_crew *c = qiao_crew_new(&def, s, &d);
    CHECK(c != NULL, "%s", d.text);
    CHECK(qiao_crew_fill(c, 0, N / 2, &d) == QIAO_OK, "%s", d.text);
    CHECK(qiao_store_count(s) == N / 2, "%llu", (unsigned long long)qiao_store_count(s));
    CHECK(qiao_crew_fill(c, 0, N, &d) == QIAO_OK, "%s", d.text); // a sweep that goes on
    qiao_crew_free(c);
    crew_same(&C, want, s, DIR_);
    qiao_store_free(s);
    qi_slot left[4];
    CHECK(qi_slot_list(DIR_ "/spool", "todo", left, 4) == 0);
    CHECK(qi_slot_list(DIR_ "/spool", "work", left, 4) == 0);
    CHECK(qi_slot_list(DIR_ "/spool", "done", left, 4) == 0);
}

static double next_kill;
static int kills;
static bool kill_workers(void) { // one of them, twice a second
    pid_t pid[16];
    int n = crew_pids(DIR_ "/spool", pid, 16);
    if (qi_spool_now() < next_kill || n == 0 || kills >= 4) return true;
    next_kill = qi_spool_now() + 0.3;
    for (int i = 0; i < n; i++)
        if (kill(pid[i], SIGKILL) == 0) {
            kills++;
            break;
        }
    return true;
}

TEST(workers_are_killed) {
    qiao_store *s = begin();
    qiao_crew_def def = crew_def(&C, DIR_ "/spool", 2);
    bool (*fn)(void) = kill_workers;
    def.progress = crew_tick, def.ctx = &fn, kills = 0, next_kill = qi_spool_now() + 0.2;
    qiao_crew *c = qiao_crew_new(&def, s, &d);
    CHECK(c != NULL, "%s", d.text);
    CHECK(qiao_crew_fill(c, 0, N, &d) == QIAO_OK, "%s", d.text);
    qiao_crew_free(c);
    CHECK(kills > 0, "nobody was killed");
    crew_same(&C, want, s, DIR_);
    qiao_store_free(s);
}

TEST(the_coordinator_is_killed) {
    qiao_store *s = begin();
    qiao_store_free(s);
    qiao_crew_def def = crew_def(&C, DIR_ "/spool", 2);
    qiao_rng g = {4, 4, 4};
    for (int i = 0; i < 5; i++) {
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            s = qiao_store_open(DIR_ "/b.db", &C.def, qiao_sweep_shape(C.sweep), &d);
            qiao_crew *c = s ? qiao_crew_new(&def, s, &d) : NULL;
            if (c) qiao_crew_fill(c, 0, N, &d);
            if (d.err) fprintf(stderr, "%s\n", d.text);
            _exit(0);
        }
        struct timespec t = {0, (long)(1e9 * (0.05 + 0.4 * qiao_rng_uniform(&g, (uint64_t)i, 0)))};
        nanosleep(&t, NULL);
        kill(pid, SIGKILL), waitpid(pid, NULL, 0);
    }
    s = crew_store(&C, DIR_ "/b.db");
    qiao_crew *c = qiao_crew_new(&def, s, &d);
    CHECK(c != NULL, "%s", d.text);
    CHECK(qiao_crew_fill(c, 0, N, &d) == QIAO_OK, "%s", d.text);
    qiao_crew_free(c);
    crew_same(&C, want, s, DIR_);
    qiao_store_free(s);
    pid_t left[32]; // those of the killed coordinators saw the sign to stop
    struct timespec t = {0, 50000000};
    for (int i = 0; i < 100 && crew_pids(DIR_ "/spool", left, 32) > 0; i++) nanosleep(&t, NULL);
    int n = crew_pids(DIR_ "/spool", left, 32), alive = 0;
    for (int i = 0; i < n; i++) alive += kill(left[i], 0) == 0;
    CHECK(alive == 0, "%d workers live on", alive);
}

static void lay(const char *name, const void *p, size_t n) {
    char path[300];
    snprintf(path, sizeof path, DIR_ "/spool/done/%s", name);
    FILE *f = fopen(path, "wb");
    CHECK(f && fwrite(p, 1, n, f) == n && fclose(f) == 0);
}

typedef struct copy_rows {
    qiao_row *row;
    int n, cap;
} copy_rows;
static bool copy_row(void *ctx, const qiao_row *r, const double *u) {
    (void)u;
    copy_rows *c = ctx;
    qiao_row *o = &c->row[c->n++];
    double *param = o->param, *measure = o->measure;
    const qiao_table *t = qiao_store_shape(want);
    *o = *r, o->param = param, o->measure = measure;
    memcpy(param, r->param, (size_t)t->nparam * sizeof *param);
    memcpy(measure, r->measure, (size_t)t->nmeasure * sizeof *measure);
    return c->n < c->cap;
}

// A chunk as a worker would lay it down; forged: one time is another.
static uint8_t *chunk_of(uint64_t first, int n, bool forged, size_t *bytes) {
    qiao_arena *a = qiao_arena_new();
    qi_head h;
    CHECK(qi_head_make(qiao_store_parts(want), qiao_store_shape(want), a, &h, &d) == QIAO_OK);
    copy_rows c = {.row = qi_rows_new(&h.shape, n), .cap = n};
    CHECK(qiao_store_each(want, first, first + (uint64_t)n, copy_row, &c, &d) == QIAO_OK);
    if (forged) c.row[n - 1].time += 1;
    qi_slot s = {.first = first, .n = n};
    uint8_t *p = qi_chunk_pack(&h, &s, 0.1, c.row, bytes);
    free(c.row), qiao_arena_free(a);
    return p;
}

TEST(hostile_files_in_the_folder) {
    qiao_store *s = begin();
    CHECK(system("mkdir -p " DIR_ "/spool/done " DIR_ "/spool/work " DIR_ "/spool/beat") == 0);
    size_t n;
    uint8_t *p = chunk_of(0, 10, false, &n);
    lay("0000000000000000000-00010.good", p, n);
    lay("0000000000000000020-00010.other", p, n); // rows of other trials than its name says
    p[n / 2] ^= 1, lay("0000000000000000030-00010.flip", p, n), p[n / 2] ^= 1;
    lay("0000000000000000040-00010.cut", p, n - 40), free(p);
    lay("0000000000000000050-00010.empty", "", 0);
    lay("not a chunk", "x", 1);
    CHECK(symlink("/etc/passwd", DIR_ "/spool/done/0000000000000000060-00010.link") == 0);
    CHECK(mkfifo(DIR_ "/spool/beat/pipe", 0666) == 0); // must not hang whoever reads it
    qiao_crew_def def = crew_def(&C, DIR_ "/spool", 2);
    qiao_crew *c = qiao_crew_new(&def, s, &d);
    CHECK(c != NULL, "%s", d.text);
    CHECK(qiao_crew_fill(c, 0, N, &d) == QIAO_OK, "%s", d.text);
    qiao_crew_free(c);
    crew_same(&C, want, s, DIR_);
    qiao_store_free(s);
}

TEST(two_results_of_a_chunk_must_be_equal) {
    qiao_store *s = begin();
    CHECK(system("mkdir -p " DIR_ "/spool/done") == 0);
    size_t n;
    uint8_t *p = chunk_of(0, 10, false, &n);
    lay("0000000000000000000-00010.one", p, n), lay("0000000000000000000-00010.same", p, n);
    free(p), p = chunk_of(5, 10, true, &n);
    lay("0000000000000000005-00010.forged", p, n), free(p);
    p = chunk_of(10, 10, false, &n);
    lay("0000000000000000010-00010.right", p, n), free(p);
    qiao_crew_def def = crew_def(&C, DIR_ "/spool", 1);
    qiao_crew *c = qiao_crew_new(&def, s, &d);
    CHECK(c != NULL, "%s", d.text);
    CHECK(qiao_crew_fill(c, 0, N, &d) == QIAO_E_FIT, "%s", d.text);
    CHECK_TEXT(d.text, "trial 14 is there with other bits: time ");
    qiao_crew_free(c), qiao_store_free(s);
}

TEST(a_worker_with_other_parts_is_refused) {
    qiao_store *s = begin();
    qiao_crew_def def = crew_def(&C, DIR_ "/spool", 1);
    def.robot = "tron1"; // as if another file stood there
    qiao_crew *c = qiao_crew_new(&def, s, &d);
    CHECK(c != NULL, "%s", d.text);
    CHECK(qiao_crew_fill(c, 0, N, &d) == QIAO_E_PEER, "%s", d.text);
    CHECK_TEXT(d.text, "a worker cannot go on");
    CHECK_TEXT(d.text, "robot 'go2' is ");
    qiao_crew_free(c);
    CHECK(qiao_store_count(s) == 0);
    qiao_store_free(s);
}

TEST(a_folder_of_another_sweep_is_refused) {
    qiao_store *s = begin();
    CHECK(system("mkdir -p " DIR_ "/spool && echo '{}' > " DIR_ "/spool/head.json") == 0);
    qiao_crew_def def = crew_def(&C, DIR_ "/spool", 1);
    CHECK(qiao_crew_new(&def, s, &d) == NULL && d.err == QIAO_E_FIT);
    CHECK_TEXT(d.text, "serves another sweep");
    d = (qiao_diag){0}, def.nworker = 0;
    CHECK(qiao_crew_new(&def, s, &d) == NULL && d.err == QIAO_E_ARG);
    d = (qiao_diag){0}, def = crew_def(&C, "/dev/null/x", 1);
    CHECK(qiao_crew_new(&def, s, &d) == NULL && d.err == QIAO_E_IO);
    qiao_store_free(s);
}

static bool at_once(void) { return false; }
TEST(interrupted_and_gone_on_with) {
    qiao_store *s = begin();
    qiao_crew_def def = crew_def(&C, DIR_ "/spool", 2);
    bool (*fn)(void) = at_once;
    def.progress = crew_tick, def.ctx = &fn;
    qiao_crew *c = qiao_crew_new(&def, s, &d);
    CHECK(c && qiao_crew_fill(c, 0, N, &d) == QIAO_E_TIMEOUT, "%s", d.text);
    qiao_crew_free(c);
    d = (qiao_diag){0};
    CHECK(qiao_store_fill(s, C.sweep, 0, N, 64, &d) == QIAO_OK, "%s", d.text); // without workers
    crew_same(&C, want, s, DIR_);
    qiao_store_free(s);
}
