// SPDX-License-Identifier: Apache-2.0
// prove_crew.h - for tests of crews: this test program is its own worker, sweeps of a tenth of a
// second, and whether two stores are the same.
#ifndef PROVE_CREW_H
#define PROVE_CREW_H

#include "prove_rows.h"

#include <signal.h>
#include <dirent.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

// glibc hands argc and argv to constructors
__attribute__((constructor)) static void be_worker(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "sweep-worker") == 0) exit(qiao_crew_worker_main(argc, argv));
}

#define CREW_SCENARIO "tests/data/prove/blink.osc"

typedef struct crew_sweep {
    rows_parts p;
    qiao_sweep_def def;
    qiao_sweep *sweep;
} crew_sweep;

static crew_sweep crew_open(void) {
    qiao_diag d = {0};
    crew_sweep c = {.p = rows_open(CREW_SCENARIO, "go2", "hold"), .def = qiao_sweep_def_default()};
    c.def.scenario = c.p.scenario, c.def.robot = c.p.robot, c.def.brain.spec = "hold";
    c.def.engine = "mujoco", c.def.seed = 9, c.def.nthread = 1;
    c.sweep = qiao_sweep_new(&c.def, &d);
    CHECK(c.sweep != NULL, "%s", d.text);
    return c;
}
static void crew_close(crew_sweep *c) { qiao_sweep_free(c->sweep), rows_close(&c->p); }

static qiao_store *crew_store(const crew_sweep *c, const char *path) {
    qiao_diag d = {0};
    qiao_store *s = qiao_store_open(path, &c->def, qiao_sweep_shape(c->sweep), &d);
    CHECK(s != NULL, "%s", d.text);
    return s;
}

// What one process gives: trials 0..n-1 in a new store.
static qiao_store *crew_wanted(const crew_sweep *c, const char *dir, uint64_t n) {
    char text[600];
    qiao_diag d = {0};
    snprintf(text, sizeof text, "rm -rf %s && mkdir -p %s", dir, dir);
    CHECK(system(text) == 0);
    snprintf(text, sizeof text, "%s/a.db", dir);
    qiao_store *s = crew_store(c, text);
    CHECK(qiao_store_fill(s, c->sweep, 0, n, 64, &d) == QIAO_OK, "%s", d.text);
    return s;
}

static bool crew_tick(void *ctx, uint64_t ndone, int nworker) {
    (void)ndone, (void)nworker;
    bool (*fn)(void) = *(bool (**)(void))ctx;
    return fn();
}
static qiao_crew_def crew_def(const crew_sweep *c, const char *dir, int nworker) {
    qiao_crew_def d = qiao_crew_def_default();
    d.dir = dir, d.scenario = CREW_SCENARIO, d.robot = "go2", d.brain = "hold";
    d.sweep = &c->def, d.nworker = nworker, d.chunk_s = 0.25, d.lease_s = 1;
    return d;
}

// Both stores as bundles: the same bytes.
static void crew_same(const crew_sweep *c, qiao_store *a, qiao_store *b, const char *dir) {
    char pa[300], pb[300], *x, *y;
    size_t n, m;
    qiao_diag d = {0};
    snprintf(pa, sizeof pa, "%s/a.qiao", dir), snprintf(pb, sizeof pb, "%s/b.qiao", dir);
    CHECK(qiao_bundle_write(pa, a, c->p.scenario, NULL, &d) == QIAO_OK, "%s", d.text);
    CHECK(qiao_bundle_write(pb, b, c->p.scenario, NULL, &d) == QIAO_OK, "%s", d.text);
    CHECK(qiao_file_read(pa, 1 << 26, &x, &n, &d) == QIAO_OK, "%s", d.text);
    CHECK(qiao_file_read(pb, 1 << 26, &y, &m, &d) == QIAO_OK, "%s", d.text);
    bool same = n == m && memcmp(x, y, n) == 0;
    free(x), free(y);
    CHECK(same, "%llu and %llu rows, %zu and %zu bytes", (unsigned long long)qiao_store_count(a),
          (unsigned long long)qiao_store_count(b), n, m);
}

// Process numbers of the workers that beat in this folder, from their names HOST-PID-SALT.
static int crew_pids(const char *dir, pid_t *pid, int cap) {
    char path[400];
    snprintf(path, sizeof path, "%s/beat", dir);
    DIR *f = opendir(path);
    int n = 0;
    for (struct dirent *e; f && n < cap && (e = readdir(f));) {
        char *salt = strrchr(e->d_name, '-');
        if (!salt || e->d_name[0] == '.') continue;
        *salt = 0;
        char *p = strrchr(e->d_name, '-');
        if (p && atoi(p + 1) > 1) pid[n++] = atoi(p + 1);
    }
    if (f) closedir(f);
    return n;
}

#endif
