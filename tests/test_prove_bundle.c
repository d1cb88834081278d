// SPDX-License-Identifier: Apache-2.0
// test_prove_bundle.c - results as files: the same bytes again, every changed byte found and named,
// trials run again and compared, signatures.
#include "prove/bundle.h"
#include "prove_rows.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DIR_ "build/test/bundle"
static qiao_diag d;

static char *slurp(const char *path, size_t *n) {
    char *p = NULL;
    CHECK(qiao_file_read(path, 1 << 24, &p, n, &d) == QIAO_OK, "%s", d.text);
    return p;
}

// A bundle of n made-up rows; key may be NULL.
static void make(const char *path, int n, const char *key) {
    d = (qiao_diag){0};
    qiao_dir_make(DIR_, &d);
    unlink(DIR_ "/a.db"), unlink(DIR_ "/a.db-wal"), unlink(path);
    rows_parts p = rows_open("stand_push", "go2", "hold");
    qiao_store *s = qiao_store_open(DIR_ "/a.db", &p.def, &rows_shape, &d);
    CHECK(s != NULL, "%s", d.text);
    int half = n / 2; // the order in which they came does not matter
    CHECK(rows_add(s, (uint64_t)half, n - half, &d) == QIAO_OK, "%s", d.text);
    CHECK(rows_add(s, 0, half, &d) == QIAO_OK, "%s", d.text);
    CHECK(qiao_bundle_write(path, s, p.scenario, key, &d) == QIAO_OK, "%s", d.text);
    qiao_store_free(s), rows_close(&p);
}

static qiao_verify_out o;
static qiao_err look(const char *path, const char *key) { // at the file only
    qiao_verify_def v = qiao_verify_def_default();
    v.path = path, v.sample = 0, v.key = key;
    d = (qiao_diag){0};
    return qiao_verify_run(&v, &o, &d);
}

TEST(same_sweep_same_bytes) {
    make(DIR_ "/a.qiao", 40, NULL), make(DIR_ "/b.qiao", 40, NULL);
    size_t n, m;
    char *a = slurp(DIR_ "/a.qiao", &n), *b = slurp(DIR_ "/b.qiao", &m);
    CHECK(n == m && memcmp(a, b, n) == 0);
    free(a), free(b);
    CHECK(look(DIR_ "/a.qiao", NULL) == QIAO_OK && o.nfault == 0, "%s%s", d.text, o.text);
    CHECK(o.nrow == 40 && strcmp(o.parts.robot, "go2") == 0 && !o.is_signed);
    CHECK_TEXT(o.text, "The file is whole: 40 trials");
}

TEST(many_blocks) {
    make(DIR_ "/a.qiao", 900, NULL); // rows of about 150 bytes, 64 KB a section
    CHECK(look(DIR_ "/a.qiao", NULL) == QIAO_OK && o.nfault == 0, "%s%s", d.text, o.text);
    CHECK(o.nrow == 900);
}

static void write_bytes(const char *path, const char *p, size_t n) {
    FILE *f = fopen(path, "wb");
    CHECK(f && fwrite(p, 1, n, f) == n && fclose(f) == 0, "%s", path);
}

// A walk over bytes in memory.
typedef struct how {
    qiao_err e;
    int nfault;
    char first[400];
} how;
static how walk(char *p, size_t n) {
    d = (qiao_diag){0};
    FILE *f = fmemopen(p, n, "rb");
    qi_walk w;
    how h = {.e = f ? qi_bundle_walk(f, "mem", &w, &d) : QIAO_E_MEM};
    if (!h.e) {
        h.nfault = w.nfault;
        memcpy(h.first, w.fault[0], sizeof h.first);
        qi_walk_free(&w);
    }
    if (f) fclose(f);
    return h;
}

TEST(every_flipped_byte_is_found) {
    CHECK(system("rm -rf " DIR_ "/k*") == 0);
    qiao_dir_make(DIR_, &d);
    CHECK(qiao_keys_new(DIR_ "/k", &d) == QIAO_OK, "%s", d.text);
    make(DIR_ "/a.qiao", 12, DIR_ "/k");
    size_t n;
    char *a = slurp(DIR_ "/a.qiao", &n);
    CHECK(look(DIR_ "/a.qiao", DIR_ "/k.pub") == QIAO_OK && o.nfault == 0, "%s%s", d.text, o.text);
    for (size_t i = 0; i < n; i++) {
        char was = a[i];
        a[i] = (char)(was ^ (1 << i % 8));
        how h = walk(a, n);
        if (i < 8)
            CHECK(h.e == QIAO_E_FORMAT && d.text[0], "byte %zu: %s", i, d.text);
        else
            CHECK(h.e == QIAO_OK && h.nfault > 0 && strstr(h.first, "section"), "byte %zu: %s", i,
                  h.first);
        if (i % 500 == 499) { // and as a user sees it
            write_bytes(DIR_ "/f.qiao", a, n);
            CHECK(look(DIR_ "/f.qiao", NULL) == QIAO_OK && o.nfault == h.nfault, "byte %zu", i);
            CHECK_TEXT(o.text, h.first);
        }
        a[i] = was;
    }
    free(a);
}

TEST(cut_and_longer_files) {
    make(DIR_ "/a.qiao", 12, NULL);
    size_t n;
    char *a = slurp(DIR_ "/a.qiao", &n);
    a = realloc(a, n + 16), memset(a + n, 0, 16);
    for (size_t i = 0; i<n + 16; i += i> n ? 1 : 7) {
        if (i == n) continue;
        how h = i ? walk(a, i) : (how){.e = QIAO_E_FORMAT};
        CHECK(h.e ? i < 8 : h.nfault > 0, "%zu of %zu bytes", i, n);
    }
    write_bytes(DIR_ "/f.qiao", a, 0);
    CHECK(look(DIR_ "/f.qiao", NULL) == QIAO_E_FORMAT);
    write_bytes(DIR_ "/f.qiao", a, n - 1);
    CHECK(look(DIR_ "/f.qiao", NULL) == QIAO_OK && o.nfault == 1);
    CHECK_TEXT(o.text, "the file ends 1 bytes too early");
    free(a);
    CHECK(look(DIR_ "/none.qiao", NULL) == QIAO_E_IO);
    CHECK(look("scenarios/stand_push.osc", NULL) == QIAO_E_FORMAT);
    CHECK_TEXT(d.text, "stand_push.osc: is no result");
}

// Where a byte sequence begins in the file.
static size_t place_of(const char *a, size_t n, const void *what, size_t len) {
    for (size_t i = 0; i + len <= n; i++)
        if (memcmp(a + i, what, len) == 0) return i;
    CHECK(0, "not in the file");
    return 0;
}

TEST(the_place_is_named) {
    make(DIR_ "/a.qiao", 12, NULL);
    size_t n, at;
    char *a = slurp(DIR_ "/a.qiao", &n);
    rows_one r;
    rows_make(7, &r);
    at = place_of(a, n, r.row.trace, 32);
    a[at] ^= 1, write_bytes(DIR_ "/f.qiao", a, n), a[at] ^= 1;
    CHECK(look(DIR_ "/f.qiao", NULL) == QIAO_OK && o.nfault > 0);
    CHECK_TEXT(o.text, "row 7, trial 7: its check does not fit");
    at = place_of(a, n, "\"robot\": \"go2\"", 14) + 11;
    a[at] ^= 1, write_bytes(DIR_ "/f.qiao", a, n), a[at] ^= 1;
    CHECK(look(DIR_ "/f.qiao", NULL) == QIAO_OK && o.nfault > 0);
    CHECK_TEXT(o.text, "section HEAD");
    at = place_of(a, n, "legged_robot", 12);
    a[at] ^= 1, write_bytes(DIR_ "/f.qiao", a, n), a[at] ^= 1;
    CHECK(look(DIR_ "/f.qiao", NULL) == QIAO_OK && o.nfault > 0);
    CHECK_TEXT(o.text, "section SCEN");
    free(a);
}

TEST(signatures) {
    CHECK(system("rm -rf " DIR_ "/k*") == 0);
    qiao_dir_make(DIR_, &d);
    CHECK(qiao_keys_new(DIR_ "/k1", &d) == QIAO_OK && qiao_keys_new(DIR_ "/k2", &d) == QIAO_OK);
    CHECK(qiao_keys_new(DIR_ "/k1", &d) != QIAO_OK, "a key was written over");
    struct stat st;
    CHECK(stat(DIR_ "/k1", &st) == 0 && (st.st_mode & 0777) == 0600, "%o", st.st_mode & 0777);
    make(DIR_ "/a.qiao", 5, DIR_ "/k1"), make(DIR_ "/n.qiao", 5, NULL);
    CHECK(look(DIR_ "/a.qiao", NULL) == QIAO_OK && o.nfault == 0 && o.is_signed && !o.key_known);
    CHECK_TEXT(o.text, "not compared with a key that you know");
    CHECK(look(DIR_ "/a.qiao", DIR_ "/k1.pub") == QIAO_OK && o.nfault == 0 && o.key_known);
    CHECK(look(DIR_ "/a.qiao", o.signer) == QIAO_OK && o.key_known, "by hex digits");
    CHECK(look(DIR_ "/a.qiao", DIR_ "/k2.pub") == QIAO_OK && o.nfault == 1 && !o.key_known);
    CHECK_TEXT(o.text, "Signed by another key");
    CHECK(look(DIR_ "/n.qiao", DIR_ "/k1.pub") == QIAO_OK && o.nfault == 1);
    CHECK_TEXT(o.text, "It is not signed; expected");
    CHECK(look(DIR_ "/a.qiao", DIR_ "/k1") == QIAO_E_FORMAT); // the secret one
    CHECK_TEXT(d.text, "k1: is no key");
    // a signature taken from another result
    size_t n, m;
    make(DIR_ "/b.qiao", 6, DIR_ "/k1");
    char *a = slurp(DIR_ "/a.qiao", &n), *b = slurp(DIR_ "/b.qiao", &m);
    memcpy(b + m - 140, a + n - 140, 140); // the whole section SIGN: 44 + 96 bytes
    write_bytes(DIR_ "/f.qiao", b, m);
    free(a), free(b);
    CHECK(look(DIR_ "/f.qiao", DIR_ "/k1.pub") == QIAO_OK && o.nfault > 0 && !o.key_known);
    CHECK_TEXT(o.text, "section SIGN: the signature is not one of this result");
}

TEST(a_full_disk_leaves_no_half_result) {
    make(DIR_ "/a.qiao", 3, NULL);
    qiao_store *s = qiao_store_open(DIR_ "/a.db", NULL, NULL, &d);
    qiao_scenario *sc = qiao_scenario_load("stand_push", &d);
    CHECK(qiao_bundle_write("/dev/full/x.qiao", s, sc, NULL, &d) == QIAO_E_IO);
    d = (qiao_diag){0};
    qiao_scenario *other = qiao_scenario_load("walk_flat", &d);
    CHECK(qiao_bundle_write(DIR_ "/x.qiao", s, other, NULL, &d) == QIAO_E_FIT);
    CHECK(access(DIR_ "/x.qiao", F_OK) != 0);
    qiao_scenario_free(sc), qiao_scenario_free(other), qiao_store_free(s);
}

// ---- trials run again ----

static void real(const char *path, int n) { // a sweep that ran
    d = (qiao_diag){0};
    qiao_dir_make(DIR_, &d);
    unlink(DIR_ "/r.db"), unlink(DIR_ "/r.db-wal");
    rows_parts p = rows_open("tests/data/prove/blink.osc", "go2", "hold");
    qiao_sweep_def sd = qiao_sweep_def_default();
    sd.scenario = p.scenario, sd.robot = p.robot, sd.brain.spec = "hold", sd.seed = 3;
    sd.engine = "mujoco", sd.nthread = 2;
    qiao_sweep *w = qiao_sweep_new(&sd, &d);
    CHECK(w != NULL, "%s", d.text);
    qiao_store *s = qiao_store_open(DIR_ "/r.db", &sd, qiao_sweep_shape(w), &d);
    CHECK(s != NULL, "%s", d.text);
    CHECK(qiao_store_fill(s, w, 0, (uint64_t)n, 5, &d) == QIAO_OK, "%s", d.text);
    CHECK(qiao_store_count(s) == (uint64_t)n);
    CHECK(qiao_bundle_write(path, s, p.scenario, NULL, &d) == QIAO_OK, "%s", d.text);
    qiao_store_free(s), qiao_sweep_free(w), rows_close(&p);
}

static qiao_err verify(qiao_verify_def v, const char *path, int sample) {
    v.path = path, v.sample = sample;
    d = (qiao_diag){0};
    return qiao_verify_run(&v, &o, &d);
}

TEST(run_again_is_equal) {
    real(DIR_ "/r.qiao", 16);
    qiao_verify_def v = qiao_verify_def_default();
    CHECK(verify(v, DIR_ "/r.qiao", -1) == QIAO_OK, "%s", d.text);
    CHECK(o.nfault == 0 && o.nrun == 16 && o.nsame == 16, "%s", o.text);
    CHECK_TEXT(o.text, "16 of 16 trials were run again: 16 are equal bit for bit");
    v.nthread = 1;
    CHECK(verify(v, DIR_ "/r.qiao", 4) == QIAO_OK && o.nfault == 0 && o.nrun == 4, "%s", o.text);
    v.chinese = true;
    CHECK(verify(v, DIR_ "/r.qiao", 2) == QIAO_OK && o.nfault == 0);
    CHECK_TEXT(o.text, "逐比特相同");
    v.chinese = false, v.brain = "trot";
    CHECK(verify(v, DIR_ "/r.qiao", 2) == QIAO_E_FIT);
    CHECK_TEXT(d.text, "brain 'hold' is ");
    v.brain = NULL, v.robot = "tron1";
    CHECK(verify(v, DIR_ "/r.qiao", 2) == QIAO_E_FIT);
    CHECK_TEXT(d.text, "robot 'go2' is ");
    v.robot = NULL, v.scenario = "walk_flat";
    CHECK(verify(v, DIR_ "/r.qiao", 2) == QIAO_E_FIT);
    CHECK_TEXT(d.text, "scenario 'blink' is ");
    v.scenario = NULL, v.engine = "lanes";
    CHECK(verify(v, DIR_ "/r.qiao", 3) == QIAO_OK && o.nrun == 3, "%s", d.text);
    CHECK_TEXT(o.text, "engine lanes");
}

static bool forge(void *ctx, const qiao_row *r, const double *u) {
    qiao_row own = *r;
    if (r->trial == 4) own.time += 1e-9;
    return qiao_store_add(ctx, 1, &own, u, &d) == QIAO_OK;
}

// A forger who mends every hash is found by running the trial again, and the field is named.
TEST(a_forged_row_is_found) {
    real(DIR_ "/r.qiao", 6);
    qiao_store *s = qiao_store_open(DIR_ "/r.db", NULL, NULL, &d);
    CHECK(s != NULL, "%s", d.text);
    rows_parts p = rows_open("tests/data/prove/blink.osc", "go2", "hold");
    p.def.seed = 3;
    unlink(DIR_ "/g.db");
    qiao_store *g = qiao_store_open(DIR_ "/g.db", &p.def, qiao_store_shape(s), &d);
    CHECK(g != NULL, "%s", d.text);
    CHECK(qiao_store_each(s, 0, 100, forge, g, &d) == QIAO_OK, "%s", d.text);
    CHECK(qiao_store_count(g) == 6);
    CHECK(qiao_bundle_write(DIR_ "/g.qiao", g, p.scenario, NULL, &d) == QIAO_OK, "%s", d.text);
    qiao_store_free(s), qiao_store_free(g), rows_close(&p);
    CHECK(look(DIR_ "/g.qiao", NULL) == QIAO_OK && o.nfault == 0, "the file alone is well-made");
    CHECK(verify(qiao_verify_def_default(), DIR_ "/g.qiao", -1) == QIAO_OK, "%s", d.text);
    CHECK(o.nfault == 1 && o.nsame == 5, "%s", o.text);
    CHECK_TEXT(o.text, "Trial 4 is not what it gives here: time ");
}

TEST(a_damaged_field_is_named) {
    real(DIR_ "/r.qiao", 6);
    qiao_store *s = qiao_store_open(DIR_ "/r.db", NULL, NULL, &d);
    qiao_arena *a = qiao_arena_new();
    qiao_table t;
    CHECK(s && qiao_store_table(s, 0, 100, a, &t, &d) == QIAO_OK, "%s", d.text);
    qiao_store_free(s);
    size_t n, at;
    char *b = slurp(DIR_ "/r.qiao", &n);
    at = place_of(b, n, t.trace[3], 32);
    b[at + 32] ^= 1; // the first parameter
    write_bytes(DIR_ "/f.qiao", b, n);
    char want[100];
    snprintf(want, sizeof want, "Trial 3 is not what it gives here: parameter '%s'",
             t.param_name[0]);
    CHECK(verify(qiao_verify_def_default(), DIR_ "/f.qiao", 1) == QIAO_OK, "%s", d.text);
    CHECK_TEXT(o.text, want);
    CHECK_TEXT(o.text, "trial 3: its check does not fit");
    free(b), qiao_arena_free(a);
}

// ---- as a user types it ----

static char said[20000];
static int qiao(const char *lang, const char *args) {
    char cmd[600];
    const char *b = getenv("QIAO_BUILD");
    snprintf(cmd, sizeof cmd, "LC_ALL=%s %s/qiao %s 2>&1 < /dev/null", lang, b ? b : "build/gcc",
             args);
    FILE *f = popen(cmd, "r");
    size_t n = f ? fread(said, 1, sizeof said - 1, f) : 0;
    said[n] = 0;
    int status = f ? pclose(f) : -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(the_command) {
    const char *b = getenv("QIAO_BUILD");
    char app[300];
    snprintf(app, sizeof app, "%s/qiao", b ? b : "build/gcc");
    if (access(app, X_OK) != 0) SKIP("no program at %s", app);
    real(DIR_ "/r.qiao", 6);
    CHECK(qiao("C.UTF-8", "verify " DIR_ "/r.qiao --sample 3") == 0, "%s", said);
    CHECK_TEXT(said, "blink, robot go2, brain hold, engine mujoco, seed 3");
    CHECK_TEXT(said, "3 of 6 trials were run again, drawn by hash: 3 are equal bit for bit.");
    CHECK_TEXT(said, "Verified.");
    CHECK(qiao("zh_CN.UTF-8", "verify " DIR_ "/r.qiao --all") == 0, "%s", said);
    CHECK_TEXT(said, "已核实。");
    CHECK(qiao("C.UTF-8", "verify " DIR_ "/r.qiao --json --sample 2") == 0, "%s", said);
    CHECK_TEXT(said, "\"good\": true");
    size_t n;
    char *a = slurp(DIR_ "/r.qiao", &n);
    a[n - 200] ^= 4, write_bytes(DIR_ "/f.qiao", a, n), free(a);
    CHECK(qiao("C.UTF-8", "verify " DIR_ "/f.qiao") == 1, "%s", said);
    CHECK_TEXT(said, "The file was changed: section ROWS");
    CHECK_TEXT(said, "Not good");
    CHECK(qiao("C.UTF-8", "verify README.md") == 2);
    CHECK_TEXT(said, "README.md: is no result of Qiao");
    CHECK(qiao("C.UTF-8", "verify " DIR_ "/r.qiao --brain trot") == 2);
    CHECK_TEXT(said, "brain 'hold' is ");
    CHECK(qiao("C.UTF-8", "verify") == 2 && qiao("C.UTF-8", "verify none.qiao") == 2);
    CHECK(qiao("C.UTF-8", "verify x --sample many") == 2 && qiao("C.UTF-8", "keys") == 2);
    CHECK(system("rm -f " DIR_ "/cli*") == 0);
    CHECK(qiao("C.UTF-8", "keys new " DIR_ "/cli") == 0, "%s", said);
    CHECK(qiao("C.UTF-8", "keys new " DIR_ "/cli") == 2, "%s", said);
    CHECK(qiao("C.UTF-8", "verify " DIR_ "/r.qiao --sample 0 --key " DIR_ "/cli.pub") == 1);
    CHECK_TEXT(said, "It is not signed; expected");
    CHECK(qiao("C.UTF-8", "sweep-worker") == 2 && qiao("C.UTF-8", "sweep-worker /nowhere") == 2);
}
