// SPDX-License-Identifier: Apache-2.0
// crew.c - the coordinator: gives chunks out, takes rows in, gives again what was lost. It alone
// writes the store; the folder is only a way to talk, and may be lost without loss of rows.
#include "prove/crew.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    FIRST_CHUNK = 16, // trials, as long as no rate is known
    TRIES_MAX = 12,
    LIST = 4096,
    AHEAD = 2, // chunks that wait, beyond one for each worker
};
static const double poll_s = 0.02, poll_max_s = 0.25; // while nothing comes it gets slower

qiao_crew_def qiao_crew_def_default(void) {
    return (qiao_crew_def){.nworker = 1, .chunk_s = 20, .lease_s = 30};
}

void qi_crew_note(qiao_crew *c, const char *fmt, ...) {
    if (!c->log) return;
    char at[40];
    time_t now = time(NULL);
    struct tm tm;
    strftime(at, sizeof at, "%F %T", gmtime_r(&now, &tm));
    fprintf(c->log, "%s ", at);
    va_list ap;
    va_start(ap, fmt);
    vfprintf(c->log, fmt, ap);
    va_end(ap);
    fputc('\n', c->log), fflush(c->log);
}

// ---- set-up ----

// What a worker on another machine can open: names as they are, paths from the root.
static void whole_path(const char *spec, char *out, size_t cap) {
    char full[PATH_MAX];
    bool path = strchr(spec, '/') || strchr(spec, '.');
    snprintf(out, cap, "%s", path && realpath(spec, full) ? full : spec);
}

static qiao_err make_folder(qiao_crew *c, qiao_diag *d) {
    static const char *const sub[] = {"todo", "work", "done", "beat", "fail", "part", "log"};
    char path[QI_SPOOL_FULL], full[PATH_MAX];
    if (strlen(c->def.dir) >= QI_SPOOL_PATH - 16)
        return qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0, "the path is too long: %.100s...",
                             c->def.dir);
    qiao_err e = qiao_dir_make(c->def.dir, d);
    if (e) return e;
    if (!realpath(c->def.dir, full) || strlen(full) >= QI_SPOOL_PATH - 16)
        return qiao_diag_set(d, QIAO_E_IO, c->def.dir, 0, 0, "cannot be used: %s", strerror(errno));
    snprintf(c->dir, sizeof c->dir, "%s", full);
    for (int i = 0; i < 7 && !e; i++)
        e = qiao_dir_make(qi_spool_path(c->dir, sub[i], NULL, path), d);
    if (!e) c->log = fopen(qi_spool_path(c->dir, "log", "crew.txt", path), "ae");
    return e;
}

static void clear(qiao_crew *c, const char *sub) {
    char path[QI_SPOOL_FULL], name[256];
    DIR *f = opendir(qi_spool_path(c->dir, sub, NULL, path));
    for (struct dirent *e; f && (e = readdir(f));) {
        if (e->d_name[0] == '.' || strlen(e->d_name) >= QI_SPOOL_NAME) continue;
        snprintf(name, sizeof name, "%s", e->d_name);
        unlink(qi_spool_path(c->dir, sub, name, path));
    }
    if (f) closedir(f);
}

// A folder that served another sweep is not taken over while its rows may be wanted.
static qiao_err check_folder(qiao_crew *c, qiao_diag *d) {
    char path[QI_SPOOL_FULL], *text;
    size_t n;
    qiao_diag why = {0};
    const qi_head *h = &c->store->head;
    qi_spool_path(c->dir, "head.json", NULL, path);
    if (access(path, F_OK) != 0) return qiao_file_write(path, h->text, h->n, d);
    if (qiao_file_read(path, QI_HEAD_MAX, &text, &n, &why) == QIAO_OK) {
        bool same = n == h->n && memcmp(text, h->text, n) == 0;
        free(text);
        if (same) return QIAO_OK;
    }
    return qiao_diag_set(d, QIAO_E_FIT, c->dir, 0, 0,
                         "serves another sweep (its head.json differs); give another folder, or "
                         "remove it");
}

static qiao_err write_job(qiao_crew *c, qiao_diag *d) {
    char scenario[PATH_MAX], robot[PATH_MAX], brain[PATH_MAX];
    const qiao_brain_def *b = &c->sweep.brain;
    whole_path(c->def.scenario, scenario, sizeof scenario);
    whole_path(c->def.robot, robot, sizeof robot), whole_path(c->def.brain, brain, sizeof brain);
    if (!realpath(qiao_home(), c->home)) snprintf(c->home, sizeof c->home, "%s", qiao_home());
    qi_job j = {scenario,    robot,        brain,      c->home,  c->sweep.nthread, b->deadline_ms,
                b->start_ms, b->memory_mb, b->isolate, b->trust, c->def.lease_s};
    return qi_job_write(c->dir, &j, d);
}

// After a coordinator that was killed: chunks that wait are taken back, those that someone runs
// are left to him.
static void take_over(qiao_crew *c) {
    char path[QI_SPOOL_FULL];
    unlink(qi_spool_path(c->dir, "stop", NULL, path));
    clear(c, "todo"), clear(c, "fail");
    qi_slot *list = malloc(LIST * sizeof *list);
    int n = list ? qi_slot_list(c->dir, "work", list, LIST) : 0;
    for (int i = 0; i < n && c->ngiven < c->cap; i++) {
        uint64_t one, first = list[i].first;
        char name[QI_SPOOL_NAME];
        qi_slot_name(&list[i], name);
        if (qiao_store_todo(c->store, first, first + (uint64_t)list[i].n, 1, &one) == 0)
            unlink(qi_spool_path(c->dir, "work", name, path)); // its rows came before
        else
            c->given[c->ngiven++] =
                (qi_given){.slot = list[i], .tries = 1, .since = qi_spool_now()};
    }
    if (n) qi_crew_note(c, "%d chunks of a coordinator before are being run", n);
    free(list);
}

static qiao_err set_up(qiao_crew *c, qiao_diag *d) {
    c->hand = calloc(QI_HANDS_MAX, sizeof *c->hand);
    c->cap = 2 * LIST, c->given = calloc((size_t)c->cap, sizeof *c->given);
    c->nchild = c->def.slurm ? 0 : c->def.nworker;
    c->child = calloc((size_t)c->nchild + 1, sizeof *c->child);
    if (!c->hand || !c->given || !c->child)
        return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    const char *self = c->def.program ? c->def.program : "/proc/self/exe";
    if (!realpath(self, c->program))
        return qiao_diag_set(d, QIAO_E_IO, self, 0, 0, "cannot be run: %s", strerror(errno));
    qiao_err e = make_folder(c, d);
    if (!e) e = check_folder(c, d);
    if (!e) e = write_job(c, d);
    if (e) return e;
    take_over(c);
    c->progress_at = qi_spool_now();
    qi_crew_note(c, "begin: process %d, %s workers %d", (int)getpid(),
                 c->def.slurm ? "Slurm" : "own", c->def.nworker);
    qi_crew_hire(c);
    return c->def.slurm && c->last.err
               ? qiao_diag_set(d, c->last.err, NULL, 0, 0, "%s", c->last.text)
               : QIAO_OK;
}

qiao_crew *qiao_crew_new(const qiao_crew_def *def, qiao_store *s, qiao_diag *d) {
    qiao_diag own = {0};
    if (!d) d = &own;
    bool ok = def->dir && def->scenario && def->robot && def->brain && def->sweep &&
              def->nworker >= 1 && def->nworker <= QI_HANDS_MAX / 2 && def->chunk_s > 0 &&
              def->lease_s > 0;
    if (!ok) {
        qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0,
                      "a crew needs a folder, the names of its parts, and 1 to %d workers",
                      QI_HANDS_MAX / 2);
        return NULL;
    }
    qiao_crew *c = calloc(1, sizeof *c);
    if (!c) return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory"), NULL;
    c->def = *def, c->sweep = *def->sweep, c->store = s;
    if (set_up(c, d) == QIAO_OK) return c;
    qiao_crew_free(c);
    return NULL;
}

void qiao_crew_free(qiao_crew *c) {
    if (!c) return;
    if (c->dir[0]) qi_crew_dismiss(c);
    if (c->log) fclose(c->log);
    free(c->hand), free(c->given), free(c->child), free(c->row);
    free(c);
}

// ---- rows come in ----

static qi_given *find_given(qiao_crew *c, const qi_slot *s) {
    for (int i = 0; i < c->ngiven; i++)
        if (c->given[i].slot.first == s->first && c->given[i].slot.n == s->n) return &c->given[i];
    return NULL;
}
static void drop_given(qiao_crew *c, qi_given *g) { *g = c->given[--c->ngiven]; }

static qiao_err read_rows(qiao_crew *c, const char *path, const qi_slot *s, double *seconds,
                          qiao_diag *d) {
    char *p;
    size_t n;
    if (s->n > c->nrow) {
        free(c->row);
        c->row = qi_rows_new(&c->store->head.shape, s->n), c->nrow = c->row ? s->n : 0;
        if (!c->row) return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    }
    qiao_err e = qiao_file_read(path, qi_chunk_max(&c->store->head, s->n), &p, &n, d);
    if (e) return e;
    e = qi_chunk_unpack(path, &c->store->head, s, (const uint8_t *)p, n, c->row, seconds, d);
    free(p);
    return e;
}

static void learn_rate(qiao_crew *c, const qi_slot *s, double seconds) {
    if (seconds <= 1e-6) return;
    double now = s->n / seconds;
    c->rate = c->rate > 0 ? 0.7 * c->rate + 0.3 * now : now;
}

// One file of rows: into the store, and only then away. A damaged one is as if it never came.
static qiao_err ingest(qiao_crew *c, const qi_slot *s, qiao_diag *d) {
    char path[QI_SPOOL_FULL], name[QI_SPOOL_NAME];
    qi_slot_name(s, name);
    qi_spool_path(c->dir, "done", name, path);
    qiao_diag why = {0};
    double seconds = 0;
    qi_given *g = find_given(c, s);
    qiao_err e = read_rows(c, path, s, &seconds, &why);
    if (e == QIAO_E_MEM) return qiao_diag_set(d, e, NULL, 0, 0, "out of memory");
    if (e) {
        qi_crew_note(c, "%s; its trials are run again", why.text);
        if (g) g->since = -1e9; // given again at once
    } else {
        qi_chunk chunk = {.first = s->first, .n = s->n, .tries = g ? g->tries : 1};
        chunk.seconds = seconds > 0 ? seconds : 1e-9;
        snprintf(chunk.worker, sizeof chunk.worker, "%s", s->worker);
        // rows that are there already must be equal: the store says if not
        e = qi_store_add_chunk(c->store, &chunk, s->n, c->row, d);
        if (e) return e;
        learn_rate(c, s, seconds);
        c->progress_at = qi_spool_now(), c->started = c->nchild;
        if (g) drop_given(c, g);
    }
    unlink(path);
    unlink(qi_spool_path(c->dir, "work", name, path));
    qi_slot waits = *s; // given again meanwhile: nobody needs to run it now
    waits.worker[0] = 0, qi_slot_name(&waits, name);
    if (!e) unlink(qi_spool_path(c->dir, "todo", name, path));
    return QIAO_OK;
}

static qiao_err take_in(qiao_crew *c, qiao_diag *d) {
    qi_slot *list = malloc(LIST * sizeof *list);
    if (!list) return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    int n = qi_slot_list(c->dir, "done", list, LIST);
    qiao_err e = QIAO_OK;
    for (int i = 0; i < n && !e; i++) e = ingest(c, &list[i], d);
    free(list);
    return e;
}

// ---- chunks go out ----

static int chunk_size(const qiao_crew *c, uint64_t left) {
    double n = c->rate > 0 ? c->rate * c->def.chunk_s : FIRST_CHUNK;
    // the last ones are small, so that all workers end together
    double share = (double)left / c->def.nworker;
    if (n > share) n = share;
    return n < 1 ? 1 : n > QI_CHUNK_MAX - 1 ? QI_CHUNK_MAX - 1 : (int)n;
}

// The end of the chunk that x lies in, 0: in none. *stop: where the next one begins.
static uint64_t in_given(const qiao_crew *c, uint64_t x, uint64_t *stop) {
    for (int i = 0; i < c->ngiven; i++) {
        const qi_slot *s = &c->given[i].slot;
        if (x >= s->first && x < s->first + (uint64_t)s->n) return s->first + (uint64_t)s->n;
        if (s->first > x && s->first < *stop) *stop = s->first;
    }
    return 0;
}

static qiao_err put_todo(qiao_crew *c, const qi_slot *s, qiao_diag *d) {
    char path[QI_SPOOL_FULL], name[QI_SPOOL_NAME];
    qi_slot_name(s, name);
    int f = open(qi_spool_path(c->dir, "todo", name, path), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (f < 0)
        return qiao_diag_set(d, QIAO_E_IO, path, 0, 0, "cannot be made: %s", strerror(errno));
    close(f);
    return QIAO_OK;
}

// The next run of trials that are neither there nor given out; false: none below.
static bool next_chunk(qiao_crew *c, uint64_t below, qi_slot *s) {
    while (c->next < below) {
        uint64_t stop = below, end, one;
        if ((end = in_given(c, c->next, &stop)) > 0) {
            c->next = end;
            continue;
        }
        if (qiao_store_todo(c->store, c->next, stop, 1, &one) == 0) {
            c->next = stop;
            continue;
        }
        *s = (qi_slot){.first = one};
        uint64_t want = (uint64_t)chunk_size(c, below - one), most = stop - one;
        uint64_t *list = malloc((size_t)want * sizeof *list);
        int n = list ? qiao_store_todo(c->store, one, one + (want < most ? want : most), (int)want,
                                       list)
                     : 0;
        for (s->n = 1; s->n < n && list[s->n] == one + (uint64_t)s->n;) s->n++; // up to a hole
        free(list);
        c->next = one + (uint64_t)s->n;
        return true;
    }
    return false;
}

static qiao_err give_out(qiao_crew *c, uint64_t below, qiao_diag *d) {
    int waits = 0, live = qi_crew_live(c);
    for (int i = 0; i < c->ngiven; i++) waits += !c->given[i].slot.worker[0];
    enum { MOST = 64 };
    qi_chunk note[MOST];
    int n = 0;
    qiao_err e = QIAO_OK;
    int want = (live > c->def.nworker ? live : c->def.nworker) + AHEAD;
    qi_slot s;
    while (!e && n < MOST && waits + n < want && c->ngiven < c->cap && next_chunk(c, below, &s)) {
        e = put_todo(c, &s, d);
        c->given[c->ngiven++] = (qi_given){.slot = s, .tries = 1, .since = qi_spool_now()};
        note[n++] = (qi_chunk){.first = s.first, .n = s.n, .tries = 1};
    }
    if (!e && n) e = qi_store_chunks(c->store, n, note, d);
    return e;
}

// ---- leases ----

static void hear(qiao_crew *c) {
    char path[QI_SPOOL_FULL];
    DIR *f = opendir(qi_spool_path(c->dir, "beat", NULL, path));
    double now = qi_spool_now();
    for (struct dirent *e; f && (e = readdir(f));) {
        if (e->d_name[0] == '.' || strlen(e->d_name) >= QI_WORKER_MAX) continue;
        char text[32] = "", name[QI_WORKER_MAX];
        snprintf(name, sizeof name, "%s", e->d_name);
        int b = open(qi_spool_path(c->dir, "beat", name, path),
                     O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        ssize_t k = b >= 0 ? read(b, text, sizeof text - 1) : 0;
        if (b >= 0) close(b);
        if (k <= 0) continue;
        unsigned long beat = strtoul(text, NULL, 10);
        int i = 0;
        while (i < c->nhand && strcmp(c->hand[i].name, name) != 0) i++;
        if (i == QI_HANDS_MAX) continue;
        qi_hand *h = &c->hand[i];
        if (i == c->nhand) {
            c->nhand++;
            *h = (qi_hand){.beat = beat, .heard = now};
            snprintf(h->name, sizeof h->name, "%s", name);
        } else if (beat != h->beat)
            h->beat = beat, h->heard = now;
        else if (now - h->heard > 20 * c->def.lease_s) // long dead
            unlink(path), *h = c->hand[--c->nhand];
    }
    if (f) closedir(f);
}

static double silence_of(const qiao_crew *c, const char *name, double since) {
    double now = qi_spool_now(), heard = since;
    for (int i = 0; i < c->nhand; i++)
        if (strcmp(c->hand[i].name, name) == 0 && c->hand[i].heard > heard)
            heard = c->hand[i].heard;
    return now - heard;
}

// Which chunks were taken, by whom; those of the silent are given again.
static qiao_err check_leases(qiao_crew *c, qiao_diag *d) {
    qi_slot *list = malloc(LIST * sizeof *list);
    if (!list) return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    int n = qi_slot_list(c->dir, "work", list, LIST);
    for (int i = 0; i < n; i++) {
        qi_given *g = find_given(c, &list[i]);
        if (g && strcmp(g->slot.worker, list[i].worker) != 0 && !g->slot.worker[0])
            g->slot = list[i], g->since = qi_spool_now();
    }
    free(list);
    for (int i = 0; i < c->ngiven; i++) {
        qi_given *g = &c->given[i];
        char path[QI_SPOOL_FULL], name[QI_SPOOL_NAME];
        double long_s = 20 * c->def.chunk_s + 20 * c->def.lease_s, age = qi_spool_now() - g->since;
        if (!g->slot.worker[0]) {
            // it waits; a file that went astray is laid down again
            if (age > c->def.lease_s && put_todo(c, &g->slot, d)) return d->err;
            if (age > c->def.lease_s) g->since = qi_spool_now();
            continue;
        }
        if (silence_of(c, g->slot.worker, g->since) < c->def.lease_s && age < long_s) continue;
        if (g->tries >= TRIES_MAX)
            return qiao_diag_set(d, QIAO_E_PEER, NULL, 0, 0,
                                 "trials %llu to %llu were given out %d times and never came back; "
                                 "the workers' words are in %s/log",
                                 (unsigned long long)g->slot.first,
                                 (unsigned long long)g->slot.first + (unsigned)g->slot.n - 1,
                                 g->tries, c->dir);
        qi_crew_note(c, "no word from %s: trials %llu and %d more are given again", g->slot.worker,
                     (unsigned long long)g->slot.first, g->slot.n - 1);
        qi_slot_name(&g->slot, name);
        unlink(qi_spool_path(c->dir, "work", name, path));
        g->slot.worker[0] = 0, g->tries++, g->since = qi_spool_now();
        qiao_err e = put_todo(c, &g->slot, d);
        if (e) return e;
    }
    return QIAO_OK;
}

// A worker that cannot go on says why; that ends the sweep, in its words.
static qiao_err check_fails(qiao_crew *c, qiao_diag *d) {
    char path[QI_SPOOL_FULL], name[QI_SPOOL_NAME], *text;
    DIR *f = opendir(qi_spool_path(c->dir, "fail", NULL, path));
    name[0] = 0;
    for (struct dirent *e; f && (e = readdir(f));)
        if (e->d_name[0] != '.' && strlen(e->d_name) < QI_WORKER_MAX && !strstr(e->d_name, ".part"))
            snprintf(name, sizeof name, "%s", e->d_name);
    if (f) closedir(f);
    if (!name[0]) return QIAO_OK;
    size_t n;
    qiao_diag why = {0};
    if (qiao_file_read(qi_spool_path(c->dir, "fail", name, path), 4000, &text, &n, &why))
        return QIAO_OK;
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20) *p = ' ';
    qiao_diag_set(d, QIAO_E_PEER, NULL, 0, 0, "a worker cannot go on: %.800s", text);
    free(text), unlink(path);
    return d->err;
}

static qiao_err check_alive(qiao_crew *c, qiao_diag *d) {
    double patience = 20 * c->def.lease_s > 120 ? 20 * c->def.lease_s : 120;
    if (qi_crew_live(c) > 0 || qi_spool_now() - c->progress_at < patience) return QIAO_OK;
    return qiao_diag_set(d, QIAO_E_PEER, NULL, 0, 0,
                         "no worker lives and nothing came for %.0f s%s%s; what came before is "
                         "kept. See %s/log, and run the same command again",
                         patience, c->last.err ? ": " : "", c->last.text, c->dir);
}

// ---- the loop ----

static bool covered(const qiao_crew *c, uint64_t below) {
    if (c->next < below) return false;
    for (int i = 0; i < c->ngiven; i++)
        if (c->given[i].slot.first < below) return false;
    return true;
}

static bool goes_on(qiao_crew *c) {
    if (!c->def.progress || qi_spool_now() - c->told < 0.2) return true;
    c->told = qi_spool_now();
    return c->def.progress(c->def.ctx, qiao_store_count(c->store), qi_crew_live(c));
}

static void wait_a_little(qiao_crew *c) {
    double most = c->def.lease_s / 10 < poll_max_s ? c->def.lease_s / 10 : poll_max_s;
    double idle = qi_spool_now() - c->progress_at, s = idle / 20;
    if (s < poll_s) s = poll_s;
    if (s > most) s = most;
    struct timespec t = {0, (long)(s * 1e9)};
    nanosleep(&t, NULL);
}

static qiao_err turn(qiao_crew *c, uint64_t below, qiao_diag *d) {
    double now = qi_spool_now();
    qiao_err e = take_in(c, d);
    if (!e) e = give_out(c, below, d);
    if (!e && now - c->looked > (c->def.lease_s / 10 < 3 ? c->def.lease_s / 10 : 3)) {
        c->looked = now;
        hear(c);
        e = check_leases(c, d);
        if (!e) e = check_fails(c, d);
        if (!e) e = check_alive(c, d);
        qi_crew_hire(c);
    }
    return e;
}

qiao_err qiao_crew_fill(qiao_crew *c, uint64_t from, uint64_t below, qiao_diag *d) {
    qiao_diag own = {0};
    if (!d) d = &own;
    c->next = from;
    qiao_err e = QIAO_OK;
    while (!e) {
        if ((e = turn(c, below, d))) break;
        if (covered(c, below)) return QIAO_OK;
        if (!goes_on(c))
            return qiao_diag_set(d, QIAO_E_TIMEOUT, NULL, 0, 0, "interrupted; what came is kept");
        wait_a_little(c);
    }
    qi_crew_note(c, "end: %s", d->text);
    return e;
}
