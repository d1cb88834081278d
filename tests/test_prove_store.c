// SPDX-License-Identifier: Apache-2.0
// test_prove_store.c - rows kept in SQLite: exact, once, by one owner; damage and full disks.
#include "prove_rows.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DIR_ "build/test/store"
#define DB   DIR_ "/a.db"
static rows_parts P;
static qiao_diag d;

static qiao_store *begin(void) { // an empty folder, and real parts
    CHECK(system("rm -rf " DIR_ " && mkdir -p " DIR_) == 0);
    if (!P.robot) P = rows_open("stand_push", "go2", "hold");
    d = (qiao_diag){0};
    qiao_store *s = qiao_store_open(DB, &P.def, &rows_shape, &d);
    CHECK(s != NULL, "%s", d.text);
    return s;
}
static qiao_store *again(void) {
    d = (qiao_diag){0};
    return qiao_store_open(DB, &P.def, &rows_shape, &d);
}
static void refused(qiao_err e, const char *says) {
    qiao_store *s = again();
    CHECK(s == NULL, "opened, where '%s' was expected", says);
    CHECK(d.err == e, "%s: %s", qiao_err_name(d.err), d.text);
    CHECK_TEXT(d.text, says);
    CHECK_TEXT(d.text, "a.db");
}
static void sql(const char *text) {
    sqlite3 *db;
    char *why = NULL;
    CHECK(sqlite3_open(DB, &db) == SQLITE_OK);
    CHECK(sqlite3_exec(db, text, NULL, NULL, &why) == SQLITE_OK, "%s: %s", text, why);
    sqlite3_close(db);
}
static long size_of(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 ? (long)st.st_size : -1;
}

TEST(rows_come_back_exact) {
    qiao_store *s = begin();
    CHECK(rows_add(s, 0, 300, &d) == QIAO_OK, "%s", d.text);
    CHECK(qiao_store_count(s) == 300);
    rows_check(s, 300);
    qiao_store_free(s);
    s = again();
    CHECK(s && qiao_store_count(s) == 300, "%s", d.text);
    rows_check(s, 300);
    CHECK(strcmp(qiao_store_parts(s)->robot, "go2") == 0 && qiao_store_parts(s)->seed == 7);
    qiao_store_free(s);
}

TEST(table_has_the_rows) {
    qiao_store *s = begin();
    rows_add(s, 100, 50, &d), rows_add(s, 0, 100, &d);
    qiao_arena *a = qiao_arena_new();
    qiao_table t;
    CHECK(qiao_store_table(s, 0, UINT64_MAX, a, &t, &d) == QIAO_OK, "%s", d.text);
    qiao_store_free(s); // the table stands alone
    CHECK(t.ntrial == 150 && t.nparam == ROWS_NP && t.ncause == 2, "%d", t.ncause);
    CHECK(strcmp(t.measure_unit[1], "kJ") == 0 && t.param_range[1][1] == 80);
    for (int i = 0; i < 150; i++) {
        rows_one o;
        rows_make((uint64_t)i, &o);
        CHECK(t.trial[i] == (uint64_t)i && t.passed[i] == o.row.passed, "row %d", i);
        CHECK(rows_same(t.param + i * ROWS_NP, o.param, ROWS_NP), "row %d", i);
        CHECK(rows_same(t.measure + i * ROWS_NM, o.measure, ROWS_NM), "row %d", i);
        CHECK(t.cause[i] < 0 ? o.row.passed : !strcmp(t.cause_name[t.cause[i]], o.row.cause));
        CHECK(memcmp(t.trace[i], o.row.trace, 32) == 0);
    }
    qiao_arena_free(a);
}

TEST(part_of_a_table) {
    qiao_store *s = begin();
    rows_add(s, 0, 100, &d);
    qiao_arena *a = qiao_arena_new();
    qiao_table t;
    CHECK(qiao_store_table(s, 20, 30, a, &t, &d) == QIAO_OK && t.ntrial == 10 && t.trial[0] == 20);
    qiao_arena_free(a), qiao_store_free(s);
}

TEST(todo_lists_the_holes) {
    qiao_store *s = begin();
    uint64_t x[100];
    CHECK(qiao_store_todo(s, 0, 10, 100, x) == 10 && x[9] == 9);
    rows_add(s, 2, 3, &d), rows_add(s, 7, 1, &d); // 2 3 4 . . 7
    int n = qiao_store_todo(s, 0, 10, 100, x);
    const uint64_t want[] = {0, 1, 5, 6, 8, 9};
    CHECK(n == 6 && memcmp(x, want, sizeof want) == 0, "%d", n);
    CHECK(qiao_store_todo(s, 3, 10, 2, x) == 2 && x[0] == 5 && x[1] == 6);
    CHECK(qiao_store_todo(s, 2, 5, 100, x) == 0);
    qiao_store_free(s);
}

TEST(a_row_is_there_once) {
    qiao_store *s = begin();
    rows_add(s, 0, 20, &d);
    CHECK(rows_add(s, 10, 20, &d) == QIAO_OK, "%s", d.text); // half of them again
    CHECK(qiao_store_count(s) == 30);
    rows_check(s, 30);
    // the same trial with another bit is an alarm, and nothing of that call is kept
    rows_one o[2];
    rows_make(40, &o[0]), rows_make(12, &o[1]);
    o[1].measure[3] = nextafter(o[1].measure[3], 9);
    qiao_row row[2] = {o[0].row, o[1].row};
    row[0].param = o[0].param, row[0].measure = o[0].measure;
    row[1].param = o[1].param, row[1].measure = o[1].measure;
    CHECK(qiao_store_add(s, 2, row, NULL, &d) == QIAO_E_FIT);
    CHECK_TEXT(d.text, "trial 12 is there with other bits: measure 'tilt'");
    CHECK(qiao_store_count(s) == 30);
    rows_check(s, 30);
    qiao_store_free(s);
}

TEST(chosen_places_are_kept) {
    qiao_store *s = begin();
    rows_one o;
    rows_make(3, &o);
    const double u[ROWS_NP] = {0.25, NAN, 1};
    CHECK(qiao_store_add(s, 1, &o.row, u, &d) == QIAO_OK, "%s", d.text);
    CHECK(qiao_store_add(s, 1, &o.row, u, &d) == QIAO_OK);
    CHECK(qiao_store_add(s, 1, &o.row, NULL, &d) == QIAO_E_FIT); // drawn is another trial
    CHECK_TEXT(d.text, "places");
    qiao_store_free(s);
}

TEST(one_owner) {
    qiao_store *s = begin();
    refused(QIAO_E_LIMIT, "another process writes it: process ");
    char pid[40];
    snprintf(pid, sizeof pid, "process %d on ", (int)getpid());
    CHECK_TEXT(d.text, pid);
    CHECK_TEXT(d.text, "goes on from there");
    // readers may look at any time
    rows_add(s, 0, 5, &d);
    qiao_store *r = qiao_store_open(DB, NULL, NULL, &d);
    CHECK(r != NULL, "%s", d.text);
    rows_check(r, 5);
    CHECK(rows_add(r, 5, 1, &d) != QIAO_OK, "a reader wrote");
    qiao_store_free(r), qiao_store_free(s);
    s = again();
    CHECK(s != NULL, "%s", d.text);
    qiao_store_free(s);
}

TEST(other_parts_are_named) {
    qiao_store_free(begin());
    qiao_sweep_def was = P.def;
    P.def.brain.spec = "trot", refused(QIAO_E_FIT, "brain 'hold' is "), P.def = was;
    CHECK_TEXT(d.text, "here 'trot' is ");
    P.def.engine = "lanes32", refused(QIAO_E_FIT, "engine 'mujoco' is "), P.def = was;
    P.def.seed = 8, refused(QIAO_E_FIT, "seed is 7, here 8"), P.def = was;
    P.def.sampling = QIAO_SAMPLE_RANDOM, refused(QIAO_E_FIT, "sampling is sobol, here random");
    P.def = was;
    qiao_diag why = {0};
    qiao_scenario *sc = qiao_scenario_load("walk_flat", &why);
    P.def.scenario = sc, refused(QIAO_E_FIT, "scenario 'stand_push' is "), P.def = was;
    qiao_scenario_free(sc);
    qiao_robot *r = qiao_robot_load("tron1", &why);
    P.def.robot = r, refused(QIAO_E_FIT, "robot 'go2' is "), P.def = was;
    qiao_robot_free(r);
    qiao_table t = rows_shape;
    t.nmeasure = 3;
    d = (qiao_diag){0};
    CHECK(qiao_store_open(DB, &P.def, &t, &d) == NULL && d.err == QIAO_E_FIT);
    CHECK_TEXT(d.text, "measures");
}

static void garbage(const char *bytes, size_t n) {
    CHECK(system("rm -rf " DIR_ " && mkdir -p " DIR_) == 0);
    FILE *f = fopen(DB, "wb");
    fwrite(bytes, 1, n, f), fclose(f);
}

TEST(hostile_files) {
    qiao_store_free(begin());
    static char noise[9000];
    for (size_t i = 0; i < sizeof noise; i++) noise[i] = (char)(i * 7919 >> 3);
    garbage(noise, sizeof noise), refused(QIAO_E_FORMAT, "no SQLite database");
    garbage("SQLite format 3", 16), refused(QIAO_E_FORMAT, "no SQLite database");
    qiao_store_free(begin()), sql("CREATE TABLE own(x)"), refused(QIAO_E_FORMAT, "tables");
    qiao_store_free(begin()),
        sql("CREATE TRIGGER t AFTER INSERT ON row BEGIN DELETE FROM row; END");
    refused(QIAO_E_FORMAT, "its tables are others");
    qiao_store_free(begin()), sql("PRAGMA user_version=2"), refused(QIAO_E_ABI, "newer Qiao");
    qiao_store_free(begin()), sql("PRAGMA application_id=1");
    refused(QIAO_E_FORMAT, "another program");
    qiao_store_free(begin()), sql("DELETE FROM sweep"), refused(QIAO_E_FORMAT, "no sweep");
    qiao_store_free(begin()), sql("UPDATE sweep SET head = replace(head, '\"7\"', '\"07\"')");
    refused(QIAO_E_FORMAT, "not written as Qiao writes it");
    qiao_store_free(begin()), sql("UPDATE sweep SET head = zeroblob(3000000)");
    refused(QIAO_E_FORMAT, "no sweep that can be read");
    CHECK(system("rm -rf " DIR_ " && mkdir -p " DB) == 0);
    refused(QIAO_E_IO, "is not a file");
    CHECK(qiao_store_open(DIR_ "/none.db", NULL, NULL, &d) == NULL && d.err == QIAO_E_IO);
    garbage("", 0); // an empty file is one that was just begun
    qiao_store *s = again();
    CHECK(s != NULL, "%s", d.text);
    qiao_store_free(s);
}

TEST(a_changed_row_is_named) {
    qiao_store *s = begin();
    rows_add(s, 0, 10, &d), qiao_store_free(s);
    const char *const change[] = {"passed = 1 - passed",   "total = total / 2", "time = time + 1",
                                  "cause = 'wind'",        "reason = 'x'",      "param = measure",
                                  "trace = zeroblob(32)",  "place = param",     "sum = 5",
                                  "measure = zeroblob(40)"};
    for (int i = 0; i < 10; i++) {
        char text[200];
        s = begin();
        rows_add(s, 0, 10, &d), qiao_store_free(s);
        snprintf(text, sizeof text, "UPDATE row SET %s WHERE trial = 6", change[i]), sql(text);
        s = again();
        CHECK(s != NULL, "%s", d.text);
        rows_seen seen = {0};
        CHECK(qiao_store_each(s, 0, 100, rows_look, &seen, &d) == QIAO_E_FORMAT, "%s", change[i]);
        CHECK_TEXT(d.text, "row of trial 6 is damaged");
        qiao_store_free(s);
    }
}

// Leaves the file as kill -9 would, with 40 commits in it that were reported as done.
static void crash_child(void) {
    pid_t pid = fork();
    if (pid == 0) {
        qiao_store *s = qiao_store_open(DB, &P.def, &rows_shape, &d);
        for (int i = 0; s && i < 40; i++)
            if (rows_add(s, (uint64_t)i * 50, 50, &d)) _exit(1);
        _exit(s ? 0 : 1); // no close, no checkpoint
    }
    int status;
    waitpid(pid, &status, 0);
    CHECK(status == 0);
}

// Goes on after whatever happened to the file: either refused in words, or the end is the same.
static bool goes_on(uint64_t n) {
    qiao_store *s = again();
    if (!s) {
        CHECK(d.err == QIAO_E_FORMAT || d.err == QIAO_E_IO, "%s", d.text);
        CHECK_TEXT(d.text, "a.db");
        return false;
    }
    uint64_t x[500];
    for (int k; (k = qiao_store_todo(s, 0, n, 500, x)) > 0;)
        for (int i = 0, run; i < k; i += run) { // neighbours in one call
            for (run = 1; i + run < k && x[i + run] == x[i] + (uint64_t)run;) run++;
            if (rows_add(s, x[i], run, &d)) {
                CHECK_TEXT(d.text, "a.db");
                qiao_store_free(s);
                return false;
            }
        }
    rows_seen seen = {0};
    qiao_err e = qiao_store_each(s, 0, UINT64_MAX, rows_look, &seen, &d);
    CHECK(e || (seen.next == n && seen.bad == 0), "%llu rows, %llu bad, and no word about it",
          (unsigned long long)seen.next, (unsigned long long)seen.bad);
    qiao_store_free(s);
    return e == QIAO_OK;
}

TEST(torn_log) {
    qiao_store_free(begin());
    crash_child();
    long n = size_of(DB "-wal");
    CHECK(n > 100000, "no log to tear: %ld", n);
    CHECK(system("cp " DB " " DIR_ "/b.db && cp " DB "-wal " DIR_ "/b.wal") == 0);
    for (int i = 0; i < 12; i++) { // cut anywhere
        CHECK(system("cp " DIR_ "/b.db " DB " && cp " DIR_ "/b.wal " DB "-wal && rm -f " DB
                     "-shm") == 0);
        CHECK(truncate(DB "-wal", n - 1 - i * n / 12) == 0);
        CHECK(goes_on(2000), "a cut log: %s", d.text); // trials that went with it are run again
    }
}

TEST(torn_page) {
    qiao_store *s = begin();
    for (int i = 0; i < 40; i++) rows_add(s, (uint64_t)i * 50, 50, &d);
    qiao_store_free(s);
    long n = size_of(DB);
    CHECK(system("cp " DB " " DIR_ "/b.db") == 0);
    int refusals = 0, whole = 0;
    for (int i = 0; i < 40; i++) { // the last page half written, or one in the middle scribbled on
        CHECK(system("cp " DIR_ "/b.db " DB " && rm -f " DB "-wal " DB "-shm") == 0);
        int f = open(DB, O_WRONLY);
        static char junk[2048];
        memset(junk, 0xa5, sizeof junk);
        if (i == 0)
            CHECK(ftruncate(f, n - 2048) == 0);
        else
            CHECK(pwrite(f, junk, sizeof junk, i == 1 ? n - 2048 : (long)i * n / 40) == 2048);
        close(f);
        goes_on(2000) ? whole++ : refusals++;
    }
    CHECK(refusals > 20, "%d refused, %d went on", refusals, whole);
}

// A limit on the size of files is what a full disk looks like to SQLite.
TEST(disk_full) {
    qiao_store *s = begin();
    rows_add(s, 0, 100, &d), qiao_store_free(s);
    int pipefd[2];
    CHECK(pipe(pipefd) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGXFSZ, SIG_IGN);
        struct rlimit small = {200000, 200000};
        setrlimit(RLIMIT_FSIZE, &small);
        s = again();
        uint64_t done = 100;
        qiao_err e = QIAO_OK;
        for (; s && !e && done < 100000; done += 100) e = rows_add(s, done, 100, &d);
        done -= 100; // the one that failed
        bool told = e == QIAO_E_IO && strstr(d.text, "all that was added before is kept");
        if (write(pipefd[1], &done, sizeof done) != sizeof done) _exit(3);
        _exit(told ? 0 : 1);
    }
    int status;
    uint64_t done = 0;
    waitpid(pid, &status, 0);
    CHECK(read(pipefd[0], &done, sizeof done) == sizeof done && status == 0, "%d", status);
    close(pipefd[0]), close(pipefd[1]);
    CHECK(done > 200 && done < 5000, "%llu", (unsigned long long)done);
    s = again(); // room again
    CHECK(s != NULL, "%s", d.text);
    CHECK(qiao_store_count(s) == done, "%llu of %llu", (unsigned long long)qiao_store_count(s),
          (unsigned long long)done);
    rows_check(s, done);
    qiao_store_free(s);
    CHECK(goes_on(done + 300));
}

TEST(memory_is_bounded) {
    qiao_store *s = begin();
    for (int i = 0; i < 20; i++) rows_add(s, (uint64_t)i * 5000, 5000, &d);
    struct rusage a, b;
    getrusage(RUSAGE_SELF, &a);
    rows_check(s, 100000);
    getrusage(RUSAGE_SELF, &b);
    CHECK(b.ru_maxrss - a.ru_maxrss < 12000, "%ld KB for reading", b.ru_maxrss - a.ru_maxrss);
    qiao_store_free(s);
}
