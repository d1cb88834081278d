// SPDX-License-Identifier: Apache-2.0
// doctor_search.c - which one changed fact makes the robot do what it is told?
#include "prove/doctor.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { GOOD = 88, QI_LOT = 16 }; // hundredths of a score that no repair could better by much

typedef struct mark {
    int i;
    double score;
} mark;

static int better(const void *a, const void *b) {
    const mark *x = a, *y = b;
    return x->score < y->score ? 1 : x->score > y->score ? -1 : x->i - y->i;
}

static qi_walk run_repaired(qi_bench *b, const qi_policy *p, const qi_repair *r, double seconds,
                            const double ask[2]) {
    qi_walk bad = {.broke = true};
    qi_manifest *m = qi_doctor_clone(p->m);
    if (!m) return bad;
    if (qi_repair_apply(m, qi_bench_robot(b), r)) {
        qi_policy q = qi_doctor_policy(p, m);
        bad = qi_bench_run(b, &q, seconds, ask);
    }
    qi_manifest_free(m);
    return bad;
}

// What a manifest says, in one number: the same facts run once.
static uint64_t facts_of(const qi_manifest *m) {
    char *t = qi_manifest_write(m);
    uint64_t h = 0xcbf29ce484222325u;
    for (const char *c = t; t && *c; c++) h = (h ^ (uint8_t)*c) * 0x100000001b3u;
    free(t);
    return h;
}

static bool seen_before(const qi_policy *p, const qi_repair *r, const qiao_robot *robot,
                        uint64_t *seen, int n) {
    qi_manifest *m = qi_doctor_clone(p->m);
    if (!m || !qi_repair_apply(m, robot, r)) {
        qi_manifest_free(m);
        return true;
    }
    seen[n] = facts_of(m);
    qi_manifest_free(m);
    for (int i = 0; i < n; i++)
        if (seen[i] == seen[n]) return true;
    return false;
}

// Half a metre a second, unless it was trained for less; and a bend.
static void choose_ask(const qi_manifest *m, double ask[2]) {
    ask[0] = 0.5, ask[1] = 0.4;
    if (m->command.vx[1] > 0 && m->command.vx[1] < 0.6) ask[0] = 0.8 * m->command.vx[1];
    if (m->command.yaw_rate[1] > 0 && m->command.yaw_rate[1] < 0.5)
        ask[1] = 0.8 * m->command.yaw_rate[1];
}

// Some repairs, run side by side: thread t takes every nb-th of them.
typedef struct lot {
    qi_bench *b;
    const qi_policy *p;
    const qi_repair *list;
    const mark *k; // [n] which
    qi_walk *walk; // [n] out
    int n, t, nb;
    double seconds;
    const double *ask;
    pthread_t thread;
    bool started;
} lot;

static void *run_lot(void *arg) {
    lot *l = arg;
    for (int i = l->t; i < l->n; i += l->nb)
        l->walk[i] = run_repaired(l->b, l->p, &l->list[l->k[i].i], l->seconds, l->ask);
    return NULL;
}

static void run_all(qi_bench *const *b, int nb, const qi_policy *p, const qi_repair *list,
                    const mark *k, int n, double seconds, const double *ask, qi_walk *walk) {
    lot l[QI_BENCH_MOST];
    for (int t = 0; t < nb; t++) {
        l[t] = (lot){b[t], p, list, k, walk, n, t, nb, seconds, ask, .started = false};
        if (t + 1 < nb) l[t].started = pthread_create(&l[t].thread, NULL, run_lot, &l[t]) == 0;
        if (!l[t].started) run_lot(&l[t]);
    }
    for (int t = 0; t < nb; t++)
        if (l[t].started) pthread_join(l[t].thread, NULL);
}

typedef struct screen { // all repairs for a short time
    mark *k;            // [n] those that ran, then by score
    uint64_t *seen;     // [n + 1] facts of those
    int tried, same;
    double spent; // s of trials
} screen;

// The next repairs of one group that say something new, at most QI_LOT. Returns where it stopped.
static int gather(screen *s, const qi_policy *p, const qi_repair *list, int n, int at,
                  const qiao_robot *r, mark *lot_k, int *nlot) {
    int group = list[at].group;
    for (*nlot = 0; at < n && *nlot < QI_LOT && list[at].group == group; at++) {
        if (seen_before(p, &list[at], r, s->seen, s->tried + *nlot + 1)) {
            s->same++;
            continue;
        }
        lot_k[(*nlot)++] = (mark){at, 0};
    }
    return at;
}

static void run_screen(screen *s, qi_bench *const *b, int nb, const qi_policy *p,
                       const qi_repair *list, int n, double budget, qi_found *out) {
    const qiao_robot *r = qi_bench_io(b[0], 1 / qi_policy_rate(p), NULL)->robot;
    double top = 0;
    s->seen[0] = facts_of(p->m);
    for (int at = 0, nlot; at < n && s->spent < budget;) {
        mark k[QI_LOT];
        qi_walk walk[QI_LOT];
        at = gather(s, p, list, n, at, r, k, &nlot);
        run_all(b, nb, p, list, k, nlot, 2, out->ask, walk);
        for (int i = 0; i < nlot; i++) {
            k[i].score = walk[i].score, s->spent += walk[i].time;
            if (walk[i].score > top) top = walk[i].score;
            s->k[s->tried++] = k[i];
        }
        // one that does all that is asked: the rest of its kind, then no more
        bool ends = at == n || list[at].group != list[at - 1].group;
        if (ends && top >= GOOD * 0.01 && top > out->as_is.score + 0.3) break;
    }
}

void qi_doctor_search(qi_bench *const *b, int nb, const qi_policy *p, const qi_repair *list, int n,
                      double budget, qi_found *out) {
    const double whole = 4;
    memset(out, 0, sizeof *out);
    const qiao_io *io = qi_bench_io(b[0], 1 / qi_policy_rate(p), NULL);
    if (!io) return;
    choose_ask(p->m, out->ask);
    out->as_is = qi_bench_run(b[0], p, whole, out->ask);
    bool hand = strcmp(io->robot->kind, "hand") == 0; // seconds say too little of one
    if (out->as_is.score >= GOOD * 0.01 || hand) return;
    screen s = {.k = calloc((size_t)n + 1, sizeof *s.k),
                .seen = calloc((size_t)n + QI_LOT + 2, sizeof *s.seen)};
    if (s.k && s.seen) run_screen(&s, b, nb, p, list, n, budget, out);
    out->tried = s.tried, out->skipped = n - s.tried - s.same;
    if (s.tried) qsort(s.k, (size_t)s.tried, sizeof *s.k, better);
    out->n = s.tried < QI_FOUND_MOST ? s.tried : QI_FOUND_MOST;
    mark last[QI_FOUND_MOST];
    qi_walk w[QI_FOUND_MOST];
    if (out->n) run_all(b, nb, p, list, s.k, out->n, whole, out->ask, w);
    for (int i = 0; i < out->n; i++) last[i] = (mark){i, w[i].score};
    qsort(last, (size_t)out->n, sizeof *last, better);
    for (int i = 0; i < out->n; i++) out->repair[i] = s.k[last[i].i].i, out->walk[i] = w[last[i].i];
    free(s.k), free(s.seen);
}
