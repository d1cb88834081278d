// SPDX-License-Identifier: Apache-2.0
// doctor_search.c - which one changed fact makes the robot do what it is told?
#include "prove/doctor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct mark {
    int i;
    double score;
} mark;

static int better(const void *a, const void *b) {
    const mark *x = a, *y = b;
    return x->score < y->score ? 1 : x->score > y->score ? -1 : x->i - y->i;
}

static qi_walk run_repaired(qi_bench *b, const qi_policy *p, const qi_repair *r,
                            const qiao_robot *robot, double seconds, const double ask[2]) {
    qi_walk bad = {.broke = true};
    qi_manifest *m = qi_doctor_clone(p->m);
    if (!m) return bad;
    if (qi_repair_apply(m, robot, r)) {
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

void qi_doctor_search(qi_bench *b, const qi_policy *p, const qi_repair *list, int n, long budget,
                      qi_found *out) {
    enum { GOOD = 88 }; // hundredths: no repair could tell much
    const double whole = 4, part = 2;
    const qiao_robot *r = qi_bench_io(b, 1 / qi_policy_rate(p), NULL)->robot;
    memset(out, 0, sizeof *out);
    choose_ask(p->m, out->ask);
    out->as_is = qi_bench_run(b, p, whole, out->ask);
    bool hand = strcmp(r->kind, "hand") == 0; // seconds say too little of one to compare changes
    if (out->as_is.score >= GOOD * 0.01 || hand) return;
    mark *k = calloc((size_t)n + 1, sizeof *k);
    uint64_t *seen = calloc((size_t)n + 2, sizeof *seen);
    if (!k || !seen) {
        free(k), free(seen);
        return;
    }
    seen[0] = facts_of(p->m);
    long from = qi_bench_steps(b), finals = (long)(QI_FOUND_MOST * whole / r->model->dt);
    int tried = 0, same = 0;
    double top = 0;
    for (int i = 0; i < n; i++) {
        if (qi_bench_steps(b) - from + finals > budget) break;
        if (seen_before(p, &list[i], r, seen, tried + 1) && ++same) continue;
        k[tried++] = (mark){i, run_repaired(b, p, &list[i], r, part, out->ask).score};
        if (k[tried - 1].score > top) top = k[tried - 1].score;
        // one that does all that is asked: the rest of its kind, then no more
        bool ends = i + 1 == n || list[i + 1].group != list[i].group;
        if (ends && top >= GOOD * 0.01 && top > out->as_is.score + 0.1) break;
    }
    out->tried = tried, out->skipped = n - tried - same;
    qsort(k, (size_t)tried, sizeof *k, better);
    out->n = tried < QI_FOUND_MOST ? tried : QI_FOUND_MOST;
    mark last[QI_FOUND_MOST];
    qi_walk w[QI_FOUND_MOST];
    for (int i = 0; i < out->n; i++) {
        w[i] = run_repaired(b, p, &list[k[i].i], r, whole, out->ask);
        last[i] = (mark){i, w[i].score};
    }
    qsort(last, (size_t)out->n, sizeof *last, better);
    for (int i = 0; i < out->n; i++) {
        out->repair[i] = k[last[i].i].i, out->walk[i] = w[last[i].i];
    }
    free(k), free(seen);
}
