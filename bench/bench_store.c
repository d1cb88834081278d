// SPDX-License-Identifier: Apache-2.0
// What keeping rows costs, beside the same bytes put plainly into a file with fsync; and what one
// coordinator can take in: the numbers behind the plan for 1,000 nodes (docs/prove_store.md).
#include "prove/bundle.h"
#include "prove/crew.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIR_ "build/bench_store"
enum { NP = 12, NM = 16, TURNS = 5 };

static qiao_diag d;
static void die(const char *what) { fprintf(stderr, "bench_store: %s\n", what), exit(1); }

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
static double median(double *x, int n) {
    qsort(x, (size_t)n, sizeof *x, by_value);
    return x[n / 2];
}

static qiao_sweep_def def;
static qiao_table shape;
static void make_parts(void) { // a walking robot's sweep: 12 parameters, 16 measures
    static char name[NM][16];
    static const char *pn[NP], *mn[NM], *unit[NM];
    static double range[NP][2];
    for (int i = 0; i < NM; i++) {
        snprintf(name[i], sizeof name[i], "number_%d", i);
        mn[i] = name[i], unit[i] = "m";
        if (i < NP) pn[i] = name[i], range[i][1] = 1;
    }
    shape = (qiao_table){.nparam = NP,
                         .nmeasure = NM,
                         .param_name = pn,
                         .param_unit = unit,
                         .param_range = (const double(*)[2])range,
                         .measure_name = mn,
                         .measure_unit = unit};
    def = (qiao_sweep_def){.brain = qiao_brain_def_default(), .engine = "lanes32", .seed = 1};
    def.scenario = qiao_scenario_load("walk_flat", &d);
    def.robot = def.scenario ? qiao_robot_load("go2", &d) : NULL;
    def.brain.spec = "trot";
    if (!def.robot) die(d.text);
}

static void make_rows(qiao_row *row, uint64_t first, int n) {
    for (int i = 0; i < n; i++) {
        qiao_row *r = &row[i];
        r->trial = first + (uint64_t)i;
        qiao_rng g = {1, r->trial, 1};
        for (int k = 0; k < NP; k++) r->param[k] = qiao_rng_uniform(&g, 1, (uint32_t)k);
        for (int k = 0; k < NM; k++) r->measure[k] = qiao_rng_uniform(&g, 2, (uint32_t)k);
        r->passed = r->param[0] > 0.2, r->total = r->param[1], r->time = 10;
        if (!r->passed)
            snprintf(r->cause, 8, "tilt"), snprintf(r->reason, 40, "tilt 61.3 deg > 60 deg");
        qi_hash(&r->trial, 8, r->trace);
    }
}

static qiao_store *fresh(void) {
    if (system("rm -rf " DIR_ " && mkdir -p " DIR_) != 0) die("no folder");
    qiao_store *s = qiao_store_open(DIR_ "/a.db", &def, &shape, &d);
    if (!s) die(d.text);
    return s;
}

// Rows a second for chunks of n, in turns with the same bytes and an fsync in a plain file.
static void bench_add(int n, int chunks) {
    qiao_store *s = fresh();
    qiao_row *row = qi_rows_new(&shape, n);
    uint8_t *p = malloc((size_t)n * qi_pack_max(&shape));
    double ours[64], plain[64];
    int f = open(DIR_ "/plain", O_WRONLY | O_CREAT | O_TRUNC, 0666);
    for (int i = 0; i < chunks; i++) {
        make_rows(row, (uint64_t)(i * n), n);
        double t = qi_spool_now();
        if (qiao_store_add(s, n, row, NULL, &d)) die(d.text);
        ours[i] = qi_spool_now() - t;
        size_t bytes = 0;
        t = qi_spool_now();
        for (int k = 0; k < n; k++) bytes += qi_pack(&shape, &row[k], NULL, p + bytes);
        if (write(f, p, bytes) != (ssize_t)bytes || fsync(f)) die("plain file");
        plain[i] = qi_spool_now() - t;
    }
    double a = median(ours, chunks), b = median(plain, chunks);
    printf("  chunks of %5d rows   store %8.2f ms %9.0f rows/s   plain file and fsync %8.2f ms   "
           "ratio %.2f\n",
           n, a * 1e3, n / a, b * 1e3, a / b);
    close(f), free(p), free(row), qiao_store_free(s);
}

static bool count(void *ctx, const qiao_row *r, const double *u) {
    (void)u;
    *(double *)ctx += r->total;
    return true;
}

static void bench_big(int n) {
    qiao_store *s = fresh();
    enum { CHUNK = 20000 };
    qiao_row *row = qi_rows_new(&shape, CHUNK);
    for (int i = 0; i < n; i += CHUNK) {
        make_rows(row, (uint64_t)i, CHUNK);
        if (qiao_store_add(s, CHUNK, row, NULL, &d)) die(d.text);
    }
    free(row);
    double sum = 0, t = qi_spool_now();
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    if (qiao_store_each(s, 0, UINT64_MAX, count, &sum, &d)) die(d.text);
    double each = qi_spool_now() - t;
    getrusage(RUSAGE_SELF, &after);
    uint64_t one;
    t = qi_spool_now();
    if (qiao_store_todo(s, 0, (uint64_t)n, 1, &one) != 0) die("todo");
    double todo = qi_spool_now() - t;
    t = qi_spool_now();
    if (qiao_bundle_write(DIR_ "/a.qiao", s, def.scenario, NULL, &d)) die(d.text);
    double bundle = qi_spool_now() - t;
    qiao_store_free(s); // the log goes into the file
    struct stat db, file;
    stat(DIR_ "/a.db", &db), stat(DIR_ "/a.qiao", &file);
    qiao_verify_def v = qiao_verify_def_default();
    static qiao_verify_out o;
    v.path = DIR_ "/a.qiao", v.sample = 0;
    t = qi_spool_now();
    if (qiao_verify_run(&v, &o, &d) || o.nfault) die(d.text);
    double walk = qi_spool_now() - t;
    t = qi_spool_now();
    s = qiao_store_open(DIR_ "/a.db", &def, &shape, &d);
    if (!s) die(d.text);
    double open_s = qi_spool_now() - t;
    qiao_arena *a = qiao_arena_new();
    qiao_table table;
    t = qi_spool_now();
    if (qiao_store_table(s, 0, UINT64_MAX, a, &table, &d) || table.ntrial != n) die(d.text);
    printf("%d rows of %d parameters and %d measures\n"
           "  a row                %.0f bytes in the store, %.0f in a bundle\n"
           "  read in order        %.0f rows/s, %ld KB more memory\n"
           "  as a table           %.0f rows/s\n"
           "  find what is missing %.3f s\n"
           "  open and check       %.3f s\n"
           "  write a bundle       %.0f rows/s\n"
           "  check a bundle       %.0f rows/s\n",
           n, NP, NM, (double)db.st_size / n, (double)file.st_size / n, n / each,
           after.ru_maxrss - before.ru_maxrss, n / (qi_spool_now() - t), todo, open_s, n / bundle,
           n / walk);
    qiao_arena_free(a), qiao_store_free(s);
}

// Chunks that lie ready are taken in by a coordinator whose workers do nothing.
static double bench_crew(int n, int chunks) {
    qiao_store *s = fresh();
    if (system("mkdir -p " DIR_ "/spool/done") != 0) die("no folder");
    qiao_row *row = qi_rows_new(&shape, n);
    size_t bytes = 0;
    double lay = qi_spool_now();
    for (int i = 0; i < chunks; i++) {
        qi_slot slot = {.first = (uint64_t)(i * n), .n = n, .worker = "bench"};
        char name[QI_SPOOL_NAME], path[QI_SPOOL_FULL];
        make_rows(row, slot.first, n);
        uint8_t *p = qi_chunk_pack(&s->head, &slot, 20, row, &bytes);
        qi_slot_name(&slot, name);
        if (!p || qiao_file_write(qi_spool_path(DIR_ "/spool", "done", name, path), p, bytes, &d))
            die(d.text);
        free(p);
    }
    lay = qi_spool_now() - lay;
    qiao_crew_def cd = qiao_crew_def_default();
    cd.dir = DIR_ "/spool", cd.scenario = "walk_flat", cd.robot = "go2", cd.brain = "trot";
    cd.sweep = &def, cd.program = "/bin/true";
    qiao_crew *c = qiao_crew_new(&cd, s, &d);
    if (!c) die(d.text);
    double t = qi_spool_now();
    if (qiao_crew_fill(c, 0, (uint64_t)(n * chunks), &d)) die(d.text);
    t = qi_spool_now() - t;
    printf("  chunks of %5d rows, %7zu bytes: taken in %7.2f ms a chunk, %8.0f rows/s (laid down "
           "%.2f ms)\n",
           n, bytes, 1e3 * t / chunks, n * chunks / t, 1e3 * lay / chunks);
    qiao_crew_free(c), free(row), qiao_store_free(s);
    return t / chunks;
}

int main(void) {
    make_parts();
    puts("adding rows, each chunk on the disk before the next");
    bench_add(1, 40), bench_add(64, 40), bench_add(512, 40), bench_add(4096, 12);
    bench_big(200000);
    puts("a coordinator: chunk files read, checked, stored, removed");
    bench_crew(100, 200);
    double small = bench_crew(1000, 100), large = bench_crew(10000, 20);
    // time of a chunk: a fixed part and one for each row
    double row_s = (large - small) / 9000, fixed = small - 1000 * row_s;
    if (fixed < 0) fixed = 0;
    printf("model: %.2f ms a chunk and %.1f us a row\n", 1e3 * fixed, 1e6 * row_s);
    // nodes whose chunks of 20 s one coordinator takes in, at half its time
    const double rate[] = {20, 100, 400}; // trials a second of a node
    for (int i = 0; i < 3; i++)
        for (double chunk_s = 20; chunk_s <= 60; chunk_s += 40)
            printf(
                "  nodes of %3.0f trials/s, chunks of %2.0f s: %6.0f nodes at half of one core\n",
                rate[i], chunk_s, 0.5 * chunk_s / (fixed + row_s * rate[i] * chunk_s));
    qiao_robot_free((qiao_robot *)(uintptr_t)def.robot);
    qiao_scenario_free((qiao_scenario *)(uintptr_t)def.scenario);
    return system("rm -rf " DIR_) != 0;
}
