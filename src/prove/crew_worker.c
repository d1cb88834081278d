// SPDX-License-Identifier: Apache-2.0
// crew_worker.c - one worker: takes chunks from the shared folder, runs them, lays the rows down.
// It may be killed at any moment, started twice, or run a chunk that another runs too.
#include "prove/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

typedef struct worker {
    const char *dir;
    char name[QI_WORKER_MAX];
    qiao_arena *a;
    qi_job job;
    qi_head head;
    qiao_scenario *scenario;
    qiao_robot *robot;
    qiao_sweep *sweep;
    double looked; // when it last looked for the sign to stop
    bool stopped;
    pthread_t beat;
    bool beats;
    volatile bool ends;
    qiao_diag d;
} worker;

static volatile sig_atomic_t asked;
static void on_signal(int sig) { (void)sig, asked = 1; }

static void pause_s(double s) {
    struct timespec t = {(time_t)s, (long)((s - (double)(time_t)s) * 1e9)};
    nanosleep(&t, NULL);
}

// Whether to end: asked by a signal or by the file.
static bool stops(worker *w) {
    double now = qi_spool_now();
    char path[QI_SPOOL_FULL];
    struct stat st;
    if (asked) w->stopped = true;
    if (!w->stopped && now - w->looked > 0.2) {
        w->looked = now;
        w->stopped = stat(qi_spool_path(w->dir, "stop", NULL, path), &st) == 0 || errno == ENOTDIR;
    }
    return w->stopped;
}

// The lease: a number that grows, six times within its length.
static void *beat(void *arg) {
    worker *w = arg;
    char path[QI_SPOOL_FULL], text[32];
    qi_spool_path(w->dir, "beat", w->name, path);
    for (unsigned long k = 0; !w->ends; k++) {
        int f = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
        int n = snprintf(text, sizeof text, "%lu\n", k);
        if (f >= 0 && pwrite(f, text, (size_t)n, 0) != n) k--;
        if (f >= 0) close(f);
        for (double until = qi_spool_now() + w->job.lease_s / 6;
             !w->ends && qi_spool_now() < until;)
            pause_s(w->job.lease_s / 6 < 0.05 ? w->job.lease_s / 6 : 0.05);
    }
    unlink(path);
    return NULL;
}

static bool on_progress(void *ctx, uint64_t ndone, int nlive) {
    (void)ndone, (void)nlive;
    return !stops(ctx);
}

// ---- set-up ----

static void name_self(worker *w) {
    char host[32] = "";
    gethostname(host, sizeof host - 1);
    for (char *p = host; *p; p++) {
        bool plain =
            (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9');
        if (!plain) *p = '-';
    }
    unsigned salt = (unsigned)(uint64_t)(qi_spool_now() * 1e9); // pids come again
    snprintf(w->name, sizeof w->name, "%s-%d-%08x", host, (int)getpid(), salt);
}

static qiao_err read_head(worker *w) {
    char path[QI_SPOOL_FULL], *text;
    size_t n;
    qiao_err e = qiao_file_read(qi_spool_path(w->dir, "head.json", NULL, path), QI_HEAD_MAX, &text,
                                &n, &w->d);
    if (e) return e;
    e = qi_head_read(path, text, n, w->a, &w->head, &w->d);
    free(text);
    return e;
}

// The parts as they are here must be those that the sweep was begun with.
static qiao_err open_sweep(worker *w) {
    const qi_job *j = &w->job;
    const qiao_parts *p = &w->head.parts;
    setenv("QIAO_HOME", j->home, 1);
    w->scenario = qiao_scenario_load(j->scenario, &w->d);
    if (w->scenario) w->robot = qiao_robot_load(j->robot, &w->d);
    if (!w->robot) return w->d.err;
    qiao_sweep_def sd = qiao_sweep_def_default();
    sd.scenario = w->scenario, sd.robot = w->robot, sd.engine = p->engine;
    sd.brain.spec = j->brain, sd.brain.isolate = j->isolate, sd.brain.trust = j->trust;
    sd.brain.deadline_ms = j->deadline_ms, sd.brain.start_ms = j->start_ms;
    sd.brain.memory_mb = j->memory_mb;
    sd.nthread = j->nthread, sd.seed = p->seed, sd.sampling = p->sampling;
    sd.progress = on_progress, sd.ctx = w;
    qiao_parts here;
    qiao_err e = qiao_parts_get(&sd, &here, &w->d);
    if (e) return e;
    char why[700];
    qi_parts_differ(p, &here, true, why, sizeof why);
    if (why[0])
        return qiao_diag_set(&w->d, QIAO_E_FIT, NULL, 0, 0,
                             "worker %s has other parts than the sweep: %s", w->name, why);
    w->sweep = qiao_sweep_new(&sd, &w->d);
    if (!w->sweep) return w->d.err;
    if (!qi_shape_same(qiao_sweep_shape(w->sweep), &w->head.shape))
        return qiao_diag_set(&w->d, QIAO_E_FIT, NULL, 0, 0,
                             "worker %s has other parameters or measures than the sweep", w->name);
    return QIAO_OK;
}

// ---- work ----

// Takes the first chunk that waits by renaming it; false: none.
static bool take(worker *w, qi_slot *s) {
    enum { LOOK = 256 };
    qi_slot *list = malloc(LOOK * sizeof *list);
    int n = list ? qi_slot_list(w->dir, "todo", list, LOOK) : 0;
    bool got = false;
    for (int i = 0; i < n && !got; i++) {
        char a[QI_SPOOL_FULL], b[QI_SPOOL_FULL], from[QI_SPOOL_NAME], to[QI_SPOOL_NAME];
        if (list[i].worker[0]) continue;
        *s = list[i];
        qi_slot_name(s, from);
        snprintf(s->worker, sizeof s->worker, "%s", w->name);
        qi_slot_name(s, to);
        got = rename(qi_spool_path(w->dir, "todo", from, a),
                     qi_spool_path(w->dir, "work", to, b)) == 0;
    }
    free(list);
    return got;
}

// Whole and on the disk before it has its name.
static qiao_err lay_down(worker *w, const qi_slot *s, const uint8_t *p, size_t n) {
    char part[QI_SPOOL_FULL], path[QI_SPOOL_FULL], name[QI_SPOOL_NAME];
    qi_slot_name(s, name);
    qi_spool_path(w->dir, "part", w->name, part), qi_spool_path(w->dir, "done", name, path);
    int f = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
    bool ok = f >= 0;
    for (size_t at = 0; ok && at < n;) {
        ssize_t k = write(f, p + at, n - at);
        ok = k > 0, at += ok ? (size_t)k : 0;
    }
    ok = ok && fsync(f) == 0;
    int why = errno;
    if (f >= 0) close(f);
    if (ok && rename(part, path) == 0) return QIAO_OK;
    if (ok) why = errno;
    unlink(part);
    return qiao_diag_set(&w->d, QIAO_E_IO, path, 0, 0, "cannot be written: %s", strerror(why));
}

static qiao_err run_chunk(worker *w, const qi_slot *s) {
    uint64_t *trial = malloc((size_t)s->n * sizeof *trial);
    qiao_row *row = qi_rows_new(&w->head.shape, s->n);
    uint8_t *p = NULL;
    size_t n = 0;
    qiao_err e = QIAO_E_MEM;
    double begin = qi_spool_now();
    if (trial && row) {
        for (int i = 0; i < s->n; i++) trial[i] = s->first + (uint64_t)i;
        e = qiao_sweep_run(w->sweep, s->n, trial, NULL, row, &w->d);
    }
    if (!e) p = qi_chunk_pack(&w->head, s, qi_spool_now() - begin, row, &n);
    if (!e && !p) e = QIAO_E_MEM;
    if (e == QIAO_E_MEM) qiao_diag_set(&w->d, e, NULL, 0, 0, "out of memory");
    if (!e) e = lay_down(w, s, p, n);
    free(trial), free(row), free(p);
    if (e) return e;
    char path[QI_SPOOL_FULL], name[QI_SPOOL_NAME];
    qi_slot_name(s, name);
    unlink(qi_spool_path(w->dir, "work", name, path));
    return QIAO_OK;
}

// Chunk after chunk, until there is the sign to stop or for a long time nothing to do.
static qiao_err work(worker *w) {
    double idle_s = 4 * w->job.lease_s > 10 ? 4 * w->job.lease_s : 10, since = qi_spool_now();
    while (!stops(w) && qi_spool_now() - since < idle_s) {
        qi_slot s;
        if (!take(w, &s)) {
            pause_s(0.05);
            continue;
        }
        qiao_err e = run_chunk(w, &s);
        if (e && w->stopped) return QIAO_OK; // its lease runs out, another takes it
        if (e) return e;
        since = qi_spool_now();
    }
    return QIAO_OK;
}

static void say_fail(worker *w) {
    char path[QI_SPOOL_FULL];
    qiao_file_write(qi_spool_path(w->dir, "fail", w->name, path), w->d.text, strlen(w->d.text),
                    NULL);
    fprintf(stderr, "qiao sweep-worker: %s\n", w->d.text);
}

int qiao_crew_worker_main(int argc, char **argv) {
    if (argc != 3 || strlen(argv[2]) >= QI_SPOOL_PATH - 16) {
        fputs("qiao: sweep-worker takes the shared folder of a sweep; 'qiao prove --workers' and "
              "--slurm start it\n",
              stderr);
        return 2;
    }
    worker w = {.dir = argv[2], .a = qiao_arena_new()};
    if (!w.a) return 2;
    struct sigaction sa = {.sa_handler = on_signal};
    sigaction(SIGTERM, &sa, NULL), sigaction(SIGINT, &sa, NULL);
    name_self(&w);
    qiao_err e = qi_job_read(w.dir, w.a, &w.job, &w.d);
    if (!e) e = read_head(&w);
    if (!e) w.beats = pthread_create(&w.beat, NULL, beat, &w) == 0;
    if (!e) e = open_sweep(&w);
    if (!e) e = work(&w);
    if (e) say_fail(&w);
    w.ends = true;
    if (w.beats) pthread_join(w.beat, NULL);
    qiao_sweep_free(w.sweep);
    qiao_robot_free(w.robot), qiao_scenario_free(w.scenario);
    qiao_arena_free(w.a);
    return e ? 2 : 0;
}
