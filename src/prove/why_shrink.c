// SPDX-License-Identifier: Apache-2.0
// why_shrink.c - a failing case made as plain as can be while it still fails.
#include "qiao/prove_stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TRIED_MAX = 600, POINTS = 8, ROUNDS = 4, PASSES = 4 };

typedef struct shrinker {
    const qiao_oracle *o;
    const double *nominal;
    uint64_t *trial; // [TRIED_MAX] the same number again and again: the same noise
    double *place;   // [TRIED_MAX][nparam] what is tried
    double *severity;
    uint8_t *failed;
    int n; // places to try
    int left, ntrial;
    qiao_err e;
    qiao_diag *d;
} shrinker;

static bool differs(const shrinker *s, const double *u, int k) {
    return fabs(u[k] - s->nominal[k]) > 1e-12;
}
static int count_differ(const shrinker *s, const double *u) {
    int n = 0;
    for (int k = 0; k < s->o->nparam; k++) n += differs(s, u, k);
    return n;
}

static double *next_place(shrinker *s, const double *u) {
    double *to = s->place + (size_t)s->n++ * (size_t)s->o->nparam;
    memcpy(to, u, (size_t)s->o->nparam * sizeof *to);
    return to;
}

// Runs what is to be tried. The first that failed becomes u.
static bool try_all(shrinker *s, double *u) {
    int n = s->n < s->left ? s->n : s->left;
    s->n = 0;
    if (n <= 0 || s->e) return false;
    s->e = s->o->run(s->o->ctx, n, s->trial, s->place, s->failed, s->severity, s->d);
    s->left -= n, s->ntrial += n;
    for (int i = 0; i < n && !s->e; i++)
        if (s->failed[i]) {
            size_t np = (size_t)s->o->nparam;
            memcpy(u, s->place + (size_t)i * np, np * sizeof *u);
            return true;
        }
    return false;
}

// Delta debugging over the parameters that differ: parts of them return to nominal, halves
// first, then smaller parts, until no single one can.
static void drop_parts(shrinker *s, double *u) {
    int np = s->o->nparam, parts = 1;
    for (int m; (m = count_differ(s, u)) > 0 && s->left > 0 && !s->e;) {
        int size = (m + parts - 1) / parts;
        for (int from = 0; from < m && s->n < TRIED_MAX; from += size) {
            double *to = next_place(s, u);
            for (int k = 0, at = 0; k < np; k++)
                if (differs(s, u, k)) {
                    if (at >= from && at < from + size) to[k] = s->nominal[k];
                    at++;
                }
        }
        if (try_all(s, u))
            parts = parts > 2 ? parts - 1 : 1;
        else if (size == 1)
            break;
        else
            parts = 2 * parts < m ? 2 * parts : m;
    }
}

static double choose(int n, int k) {
    double c = 1;
    for (int i = 0; i < k; i++) c = c * (n - i) / (i + 1);
    return c;
}

// Is there a smaller set among the deviations of the first place? Tries all of each size.
static bool try_smaller(shrinker *s, const double *first, double *u) {
    int np = s->o->nparam, m = count_differ(s, first), have = count_differ(s, u), set[64], par[64];
    if (m > 64) return false;
    for (int k = 0, at = 0; k < np; k++)
        if (differs(s, first, k)) par[at++] = k;
    for (int size = 1; size < have; size++) {
        if (choose(m, size) > fmin(TRIED_MAX, s->left)) return false;
        for (int i = 0; i < size; i++) set[i] = i;
        for (bool more = true; more;) {
            double *to = next_place(s, s->nominal);
            for (int i = 0; i < size; i++) to[par[set[i]]] = first[par[set[i]]];
            int i = size - 1;
            while (i >= 0 && set[i] == m - size + i) i--;
            more = i >= 0;
            if (more) set[i]++;
            for (int k = i + 1; more && k < size; k++) set[k] = set[k - 1] + 1;
        }
        if (try_all(s, u)) return true;
        if (s->e) return false;
    }
    return true;
}

// Moves parameters towards nominal together (only -1: all) or one alone: POINTS places at once
// between nominal and what fails, then between the nearest that fails and the one before it.
static double move_near(shrinker *s, double *u, int only) {
    int np = s->o->nparam;
    double near = 0, far = 1, base[256];
    if (np > 256) return 1;
    memcpy(base, u, (size_t)np * sizeof *base);
    for (int round = 0; round < ROUNDS && s->left >= POINTS && !s->e; round++) {
        for (int i = 0; i < POINTS; i++) {
            double *to = next_place(s, base),
                   f = near + (far - near) * (i + (round > 0)) / (POINTS + 1);
            for (int k = 0; k < np; k++)
                if (only < 0 || k == only) to[k] = s->nominal[k] + f * (base[k] - s->nominal[k]);
        }
        double best[256];
        bool found = try_all(s, best);
        if (s->e) break;
        int at = POINTS; // the first of them that failed
        for (int i = 0; i < POINTS && found; i++)
            if (s->failed[i]) {
                at = i;
                break;
            }
        double step = (far - near) / (POINTS + 1), was = near;
        if (found) memcpy(u, best, (size_t)np * sizeof *u), far = was + step * (at + (round > 0));
        if (at + (round > 0) > 0) near = was + step * (at - 1 + (round > 0));
        if (far <= 0) break;
    }
    return far;
}

static double distance(const shrinker *s, const double *u) {
    double sum = 0;
    for (int k = 0; k < s->o->nparam; k++)
        sum += 4 * (u[k] - s->nominal[k]) * (u[k] - s->nominal[k]);
    return sqrt(sum / s->o->nparam);
}

static void shrink(shrinker *s, bool few, double *u, qiao_shrunk *out) {
    size_t np = (size_t)s->o->nparam;
    double *first = next_place(s, u);
    if (!try_all(s, u)) {
        if (!s->e)
            s->e = qiao_diag_set(s->d, QIAO_E_ARG, NULL, 0, 0,
                                 "a place that does not fail, expected one that does");
        return;
    }
    if (few) {
        first = malloc(np * sizeof *first);
        if (first) memcpy(first, u, np * sizeof *first);
        drop_parts(s, u);
        out->fewest = first && !s->e && try_smaller(s, first, u);
        free(first);
    }
    for (int pass = 0; pass < PASSES && s->left > POINTS && !s->e; pass++) {
        double before = distance(s, u);
        if (count_differ(s, u) > 1) move_near(s, u, -1);
        for (int k = 0; k < s->o->nparam && !s->e; k++)
            if (differs(s, u, k)) move_near(s, u, k);
        if (distance(s, u) > 0.999 * before) break;
    }
    out->ndiffer = count_differ(s, u), out->distance = distance(s, u);
}

qiao_err qiao_shrink(const qiao_oracle *o, uint64_t trial, const double *nominal, bool few,
                     int ntrial_max, double *u, qiao_shrunk *out, qiao_diag *d) {
    *out = (qiao_shrunk){0};
    size_t np = (size_t)o->nparam;
    double *middle = malloc(np * sizeof *middle + 1);
    shrinker s = {.o = o, .nominal = nominal ? nominal : middle, .left = ntrial_max, .d = d};
    s.trial = malloc(TRIED_MAX * sizeof *s.trial), s.failed = malloc(TRIED_MAX);
    s.severity = malloc(TRIED_MAX * sizeof *s.severity);
    s.place = malloc(TRIED_MAX * np * sizeof *s.place + 1);
    if (!middle || !s.trial || !s.failed || !s.severity || !s.place)
        s.e = qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    else {
        for (size_t k = 0; k < np; k++) middle[k] = 0.5;
        for (int i = 0; i < TRIED_MAX; i++) s.trial[i] = trial;
        shrink(&s, few, u, out);
        out->ntrial = s.ntrial;
    }
    free(middle), free(s.trial), free(s.failed), free(s.severity), free(s.place);
    return s.e;
}
