// SPDX-License-Identifier: Apache-2.0
// train_together.c - several seeds of a recipe at once, a thread for each: none waits for another,
// and each has the bits that it has alone, for those do not depend on threads.
#include "args.h"
#include "commands.h"
#include "train_run.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct crew;
typedef struct seat { // of one seed
    struct crew *crew;
    training r;
    qiao_train_stats last;
    bool seen; // last holds something
    bool done; // its last page is made, or begins to be
    bool over; // its thread is at its end
    pthread_t thread;
    bool started;
    qiao_diag d;
} seat;

typedef struct crew {
    seat *seat;
    int n;
    char dir[PATH_MAX - 200]; // of the page over all
    const train_log **log;
    // making: checkpoints, replays, pages, done, one at a time; lock: logs, last, over
    pthread_mutex_t making, lock;
    pthread_cond_t change;
    atomic_bool failed;
} crew;

static bool stop(const crew *c) { return train_interrupted || c->failed; }

static bool page_of_all(crew *c, const seat *s, qiao_diag *d) {
    bool over = true;
    if (s->r.a->no_page) return true;
    pthread_mutex_lock(&c->lock);
    for (int i = 0; i < c->n; i++) over = over && c->seat[i].done;
    bool ok = train_log_page_all(c->log, c->n, s->r.t, c->dir, over && qiao_train_over(s->r.t),
                                 s->r.steps_all, d) == QIAO_OK;
    pthread_mutex_unlock(&c->lock);
    return ok;
}

static bool keep(seat *s, bool end) {
    pthread_mutex_lock(&s->crew->making);
    s->done = end;
    bool ok = (end ? training_end(&s->r, &s->d) : training_keep(&s->r, false, &s->d)) &&
              page_of_all(s->crew, s, &s->d);
    pthread_mutex_unlock(&s->crew->making);
    return ok;
}

static bool step(seat *s) {
    qiao_train_stats now;
    qiao_train_step(s->r.t, &now);
    s->r.steps_all = now.steps_all;
    pthread_mutex_lock(&s->crew->lock);
    bool ok = train_log_add(s->r.log, &now, &s->d) == QIAO_OK;
    s->last = now, s->seen = true;
    pthread_mutex_unlock(&s->crew->lock);
    return ok && (!qiao_train_at_checkpoint(s->r.t) || keep(s, false));
}

static void *work(void *arg) {
    seat *s = arg;
    crew *c = s->crew;
    bool ok = true;
    while (ok && !qiao_train_over(s->r.t) && !stop(c)) ok = step(s);
    ok = ok && keep(s, true);
    pthread_mutex_lock(&c->lock);
    s->over = true;
    if (!ok) c->failed = true;
    pthread_cond_signal(&c->change);
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

// A line for each seed and one for all, over those before. Lines drawn.
static int show(const crew *c, int lines) {
    bool zh = args_chinese();
    double rate = 0, gone = 0;
    if (isatty(2) && lines) fprintf(stderr, "\x1b[%dA\x1b[J", lines);
    lines = 1;
    for (int i = 0; i < c->n; i++) {
        const seat *s = &c->seat[i];
        if (!s->seen) continue;
        double each = train_log_row(s->r.log, &s->last);
        lines++, gone += s->last.steps;
        if (!s->over) rate += each;
    }
    fprintf(stderr,
            zh ? "  共 %d 个种子  %.1f M 步  %.0f 步/秒\n"
               : "  %d seeds  %.1f M steps  %.0f steps/s\n",
            c->n, gone / 1e6, rate);
    return lines;
}

static void watch(crew *c) {
    int lines = 0, half_s = isatty(2) ? 1 : 20, wait = 0, over = 0;
    pthread_mutex_lock(&c->lock);
    while (over < c->n) {
        struct timespec t;
        clock_gettime(CLOCK_REALTIME, &t);
        t.tv_nsec += 500000000;
        if (t.tv_nsec >= 1000000000) t.tv_sec++, t.tv_nsec -= 1000000000;
        pthread_cond_timedwait(&c->change, &c->lock, &t);
        over = 0;
        for (int i = 0; i < c->n; i++) over += c->seat[i].over;
        if (over == c->n || ++wait % half_s == 0) lines = show(c, lines);
    }
    pthread_mutex_unlock(&c->lock);
}

static bool open_seats(crew *c, const train_args *a, const qiao_train_def *def, qiao_diag *d) {
    int all = def->nthread > 0 ? def->nthread : (int)sysconf(_SC_NPROCESSORS_ONLN);
    for (int i = 0; i < c->n; i++) {
        training *r = &c->seat[i].r;
        c->seat[i].crew = c, r->a = a, r->def = *def;
        r->def.seed += (uint64_t)i, r->def.nthread = all / c->n > 1 ? all / c->n : 1;
        if (!training_open(r, d)) return false;
        c->log[i] = r->log;
    }
    snprintf(c->dir, sizeof c->dir, "%s/train-%s-%llu..%llu", a->out, c->seat[0].r.name,
             (unsigned long long)def->seed, (unsigned long long)def->seed + (unsigned)c->n - 1);
    return a->no_page || qiao_dir_make(c->dir, d) == QIAO_OK;
}

static bool run_seats(crew *c, qiao_diag *d) {
    for (int i = 0; i < c->n; i++) {
        seat *s = &c->seat[i];
        s->started = pthread_create(&s->thread, NULL, work, s) == 0;
        if (s->started) continue;
        qiao_diag_set(&s->d, QIAO_E_MEM, NULL, 0, 0, "no thread for seed %llu",
                      (unsigned long long)s->r.def.seed);
        pthread_mutex_lock(&c->lock);
        s->over = true, c->failed = true;
        pthread_mutex_unlock(&c->lock);
    }
    watch(c);
    for (int i = 0; i < c->n; i++)
        if (c->seat[i].started) pthread_join(c->seat[i].thread, NULL);
    for (int i = 0; i < c->n && !d->err; i++)
        if (c->seat[i].d.err) *d = c->seat[i].d;
    return !c->failed;
}

int train_together(const train_args *a, const qiao_train_def *def, int n) {
    qiao_diag d = {0};
    crew c = {.n = n, .seat = calloc((size_t)n, sizeof *c.seat)};
    c.log = calloc((size_t)n, sizeof *c.log);
    if (!c.seat || !c.log) {
        free(c.seat), free(c.log);
        return say_wrong("out of memory");
    }
    pthread_mutex_init(&c.making, NULL), pthread_mutex_init(&c.lock, NULL);
    pthread_cond_init(&c.change, NULL);
    bool ok = open_seats(&c, a, def, &d) && run_seats(&c, &d);
    if (ok && train_interrupted)
        fprintf(stderr, args_chinese()
                            ? "qiao: 已中断；下次从最近的检查点继续\n"
                            : "qiao: interrupted; the same command goes on from the last "
                              "checkpoints\n");
    for (int i = 0; i < n && ok; i++) training_say_files(&c.seat[i].r);
    if (ok && !a->no_page) printf("%s/page.html\n", c.dir);
    for (int i = 0; i < n; i++) training_close(&c.seat[i].r);
    pthread_mutex_destroy(&c.making), pthread_mutex_destroy(&c.lock);
    pthread_cond_destroy(&c.change);
    free(c.seat), free(c.log);
    return ok ? train_interrupted ? EXIT_FAILED : EXIT_PASSED : say_wrong(d.text);
}
