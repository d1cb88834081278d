// SPDX-License-Identifier: Apache-2.0
// why_rule.c - a few conditions that say where trials fail. Boxes of up to three parameters are
// found on one half of the trials by beam search and measured on the other half; what one rule
// covers is taken away before the next is sought. After J. Friedman, N. Fisher, Bump hunting in
// high-dimensional data (Statistics and Computing 1999), with a likelihood ratio for the peeling
// criterion and a price for each condition, so that chance alone buys none.
// It cannot say: slanted borders (a + b < 3), more than three parameters at once.
#include "prove/num.h"
#include "prove/why.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BEAM = 8, BINS = 64, FAILURES_MIN = 8, PURPOSE_HALF = 0x68616c66 };

typedef struct box {
    qiao_condition c[QIAO_RULE_CONDITIONS];
    int n;
    double gain, price; // twice the likelihood it explains; what chance would
} box;

typedef struct hunt {
    const qiao_table *t;
    const qi_axis *axis;
    int naxis;
    int n, nfail;  // training rows in play
    int *row;      // [n]
    double **cut;  // [naxis][BINS + 1] about as many rows between two
    uint8_t *bin;  // [naxis][ntrial]
    double *value; // [ntrial] scratch
    int *order;    // [ntrial] scratch
    uint8_t *fail; // [ntrial] scratch
    bool *failed;  // out of memory
} hunt;

static double value_of(const qiao_table *t, int param, int row) {
    return t->param[(size_t)row * (size_t)t->nparam + (size_t)param];
}

static bool meets(const qiao_table *t, const qiao_condition *c, int row) {
    double x = value_of(t, c->param, row);
    if (!c->choices) return x >= c->lo && x < c->hi;
    int entry = (int)(x - t->param_range[c->param][0] + 0.5);
    return entry >= 0 && entry < QI_CHOICES_MAX && (c->choices >> entry & 1);
}

static bool in_box(const qiao_table *t, const box *b, int row, int but) {
    for (int i = 0; i < b->n; i++)
        if (i != but && !meets(t, &b->c[i], row)) return false;
    return true;
}

bool qi_rule_holds(const qiao_table *t, const qiao_rule *r, int row) {
    for (int i = 0; i < r->ncondition; i++)
        if (!meets(t, &r->condition[i], row)) return false;
    return true;
}

static double box_gain(const hunt *h, const box *b) {
    double n = 0, k = 0;
    for (int i = 0; i < h->n; i++)
        if (in_box(h->t, b, h->row[i], -1)) n += 1, k += !h->t->passed[h->row[i]];
    if (n <= 0 || k * h->n <= n * h->nfail) return 0;
    return qi_gain(n, k, h->n, h->nfail);
}

static double price_threshold(const hunt *h) { return 2 * qi_ln(2.0 * BINS * h->naxis); }
static double price_interval(const hunt *h) { return 2 * qi_ln(0.5 * BINS * BINS * h->naxis) + 4; }
static double price_choice(const hunt *h, const qi_axis *x) {
    return 2 * qi_ln(h->naxis * 1.0) + 1.4 * (x->hi - x->lo + 1);
}
static double price_of(const hunt *h, const qiao_condition *c) {
    if (!c->choices) return isinf(c->lo) || isinf(c->hi) ? price_threshold(h) : price_interval(h);
    for (int k = 0; k < h->naxis; k++)
        if (h->axis[k].param == c->param) return price_choice(h, &h->axis[k]);
    return 0;
}

// ---- one condition more ----

static void keep_best(box *beam, int *n, const box *b) {
    double worth = b->gain - b->price;
    if (worth <= 0) return;
    for (int i = 0; i < *n; i++) { // the same parameters: the better of the two
        uint64_t mine = 0, its = 0;
        for (int k = 0; k < b->n; k++) mine |= 1ull << (b->c[k].param % 64);
        for (int k = 0; k < beam[i].n; k++) its |= 1ull << (beam[i].c[k].param % 64);
        if (mine != its || b->n != beam[i].n) continue;
        if (worth > beam[i].gain - beam[i].price) beam[i] = *b;
        return;
    }
    int at = *n < BEAM ? (*n)++ : BEAM - 1;
    if (at == BEAM - 1 && *n == BEAM && beam[at].n && worth <= beam[at].gain - beam[at].price)
        return;
    beam[at] = *b;
    for (; at > 0 && beam[at].gain - beam[at].price > beam[at - 1].gain - beam[at - 1].price;
         at--) {
        box t = beam[at];
        beam[at] = beam[at - 1], beam[at - 1] = t;
    }
}

// The best interval of bins [*lo, *hi) with counts n, k; open: one end at a border.
static double best_span(const hunt *h, const double *n, const double *k, bool open, int *lo,
                        int *hi) {
    double best = 0, sum_n[BINS + 1] = {0}, sum_k[BINS + 1] = {0};
    for (int i = 0; i < BINS; i++) sum_n[i + 1] = sum_n[i] + n[i], sum_k[i + 1] = sum_k[i] + k[i];
    for (int i = 0; i < BINS; i++)
        for (int j = i + 1; j <= BINS; j++) {
            if (open ? (i > 0) == (j < BINS) : i == 0 || j == BINS) continue;
            double m = sum_n[j] - sum_n[i], f = sum_k[j] - sum_k[i];
            if (f < 3 || f * h->n <= m * h->nfail) continue;
            double gain = qi_gain(m, f, h->n, h->nfail);
            if (gain > best) best = gain, *lo = i, *hi = j;
        }
    return best;
}

static void try_spans(const hunt *h, const box *b, int axis, const double *n, const double *k,
                      box *beam, int *nbeam) {
    for (int open = 0; open < 2; open++) {
        int lo = 0, hi = 0;
        double gain = best_span(h, n, k, open, &lo, &hi);
        if (gain <= 0) continue;
        box c = *b;
        const double *cut = h->cut[axis];
        c.c[c.n++] = (qiao_condition){h->axis[axis].param, lo ? cut[lo] : -INFINITY,
                                      hi < BINS ? cut[hi] : INFINITY, 0};
        c.gain = gain, c.price = b->price + (open ? price_threshold(h) : price_interval(h));
        keep_best(beam, nbeam, &c);
    }
}

// The entries that fail most, then the next, as long as the likelihood rises.
static void try_choices(const hunt *h, const box *b, int axis, const double *n, const double *k,
                        box *beam, int *nbeam) {
    int entries = (int)(h->axis[axis].hi - h->axis[axis].lo) + 1;
    uint64_t set = 0;
    double m = 0, f = 0;
    for (int taken = 0; taken < entries - 1; taken++) {
        int best = -1;
        for (int i = 0; i < entries; i++)
            if (!(set >> i & 1) && n[i] > 0 && (best < 0 || k[i] * n[best] > k[best] * n[i]))
                best = i;
        if (best < 0) break;
        set |= 1ull << best, m += n[best], f += k[best];
        if (f < 3 || f * h->n <= m * h->nfail) continue;
        box c = *b;
        c.c[c.n++] = (qiao_condition){h->axis[axis].param, -INFINITY, INFINITY, set};
        c.gain = qi_gain(m, f, h->n, h->nfail);
        c.price = b->price + price_choice(h, &h->axis[axis]);
        keep_best(beam, nbeam, &c);
    }
}

static void grow(const hunt *h, const box *b, box *beam, int *nbeam) {
    memset(h->fail, 0, (size_t)h->t->ntrial);
    for (int i = 0; i < h->n; i++) h->fail[h->row[i]] = in_box(h->t, b, h->row[i], -1);
    for (int x = 0; x < h->naxis; x++) {
        bool used = false;
        for (int i = 0; i < b->n; i++) used |= b->c[i].param == h->axis[x].param;
        if (used) continue;
        double n[BINS] = {0}, k[BINS] = {0};
        const uint8_t *bin = h->bin + (size_t)x * (size_t)h->t->ntrial;
        for (int i = 0; i < h->n; i++) {
            int r = h->row[i];
            if (h->fail[r]) n[bin[r]] += 1, k[bin[r]] += !h->t->passed[r];
        }
        if (h->axis[x].choice)
            try_choices(h, b, x, n, k, beam, nbeam);
        else
            try_spans(h, b, x, n, k, beam, nbeam);
    }
}

// ---- borders to the trial, numbers to the digit ----

// The border (lo or hi) of condition i that explains most, the others held.
static void move_border(const hunt *h, box *b, int i, bool upper) {
    qiao_condition *c = &b->c[i], was = *c;
    int m = 0;
    c->lo = upper ? was.lo : -INFINITY, c->hi = upper ? INFINITY : was.hi;
    for (int k = 0; k < h->n; k++) {
        int r = h->row[k];
        if (!in_box(h->t, b, r, -1)) continue;
        h->value[m] = value_of(h->t, c->param, r), h->fail[m++] = !h->t->passed[r];
    }
    *c = was;
    if (m < 2) return;
    if (!qi_order(h->value, m, h->order)) {
        *h->failed = true;
        return;
    }
    double n = 0, k = 0, best = 0, at = upper ? was.hi : was.lo;
    for (int j = 0; j < m - 1; j++) { // taken from the inner end outwards
        int x = h->order[upper ? j : m - 1 - j], y = h->order[upper ? j + 1 : m - 2 - j];
        n += 1, k += h->fail[x];
        if (h->value[x] == h->value[y] || k * h->n <= n * h->nfail) continue;
        double gain = qi_gain(n, k, h->n, h->nfail);
        if (gain > best) best = gain, at = 0.5 * (h->value[x] + h->value[y]);
    }
    if (best <= b->gain) return;
    if (upper)
        c->hi = at;
    else
        c->lo = at;
    b->gain = best;
}

// The border with the fewest digits that explains as much, within 1 %.
static void round_border(const hunt *h, box *b, double *border, double range) {
    if (!isfinite(*border)) return;
    double exact = *border, least = b->gain - fmax(1, 0.01 * b->gain), tens = 1;
    while (tens < range) tens *= 10;
    while (tens > range) tens /= 10;
    double scale = 1 / tens; // whole multiples are divided, so that 0.47 is the nearest to 0.47
    for (int digit = 0; digit < 5; digit++) {
        *border = scale >= 1 ? floor(exact * scale + 0.5) / floor(scale + 0.5)
                             : floor(exact / tens + 0.5) * tens;
        double gain = box_gain(h, b);
        if (gain >= least) {
            b->gain = gain;
            return;
        }
        scale *= 10, tens /= 10;
    }
    *border = exact;
}

// Drops what does not pay: whole conditions, then single ends of intervals.
static void prune(const hunt *h, box *b) {
    for (int i = b->n - 1; i >= 0 && b->n > 1; i--) {
        box less = *b;
        for (int k = i; k < b->n - 1; k++) less.c[k] = less.c[k + 1];
        less.n--, less.gain = box_gain(h, &less), less.price -= price_of(h, &b->c[i]);
        if (less.gain - less.price >= b->gain - b->price - 0.03 * b->gain) *b = less;
    }
    for (int i = 0; i < b->n; i++)
        for (int up = 0; up < 2; up++) {
            box less = *b;
            qiao_condition *c = &less.c[i];
            if (c->choices || isinf(c->lo) || isinf(c->hi)) continue;
            if (up)
                c->hi = INFINITY;
            else
                c->lo = -INFINITY;
            less.gain = box_gain(h, &less);
            less.price += price_threshold(h) - price_interval(h);
            if (less.gain - less.price >= b->gain - b->price - 0.03 * b->gain) *b = less;
        }
}

static void finish(const hunt *h, box *b) {
    b->gain = box_gain(h, b);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < b->n; i++) {
            if (!b->c[i].choices && isfinite(b->c[i].lo)) move_border(h, b, i, false);
            if (!b->c[i].choices && isfinite(b->c[i].hi)) move_border(h, b, i, true);
        }
        prune(h, b);
    }
    for (int i = 0; i < b->n; i++) {
        const double *r = h->t->param_range[b->c[i].param];
        round_border(h, b, &b->c[i].lo, r[1] - r[0]);
        round_border(h, b, &b->c[i].hi, r[1] - r[0]);
    }
}

static bool seek(const hunt *h, box *best) {
    box beam[2][BEAM] = {0};
    int n[2] = {0};
    *best = (box){0};
    grow(h, &(box){0}, beam[0], &n[0]);
    for (int depth = 1;; depth++) {
        box *now = beam[(depth - 1) % 2], *next = beam[depth % 2];
        int at = n[(depth - 1) % 2], *to = &n[depth % 2];
        // a condition more has to earn 3 % of the whole beside its price
        if (at > 0 && now[0].gain - now[0].price > best->gain - best->price + 0.03 * best->gain)
            *best = now[0];
        if (depth == QIAO_RULE_CONDITIONS || at == 0) break;
        *to = 0, memset(next, 0, sizeof beam[0]);
        for (int i = 0; i < at; i++) grow(h, &now[i], next, to);
    }
    if (best->n == 0) return false;
    finish(h, best);
    return best->gain > best->price;
}

// ---- halves ----

static bool in_training(uint64_t seed, const qiao_table *t, int row) {
    qiao_rng r = {.seed = seed, .trial = t->trial[row], .purpose = PURPOSE_HALF};
    return qiao_rng_uniform(&r, 0, 0) < 0.5;
}

static bool cut_axes(hunt *h) {
    size_t n = (size_t)h->t->ntrial;
    for (int x = 0; x < h->naxis; x++) {
        const qi_axis *a = &h->axis[x];
        double *cut = h->cut[x];
        for (int i = 0; i < h->n; i++) h->value[i] = value_of(h->t, a->param, h->row[i]);
        qi_sort(h->value, h->n);
        for (int b = 0; b <= BINS; b++)
            cut[b] = h->value[b < BINS ? (size_t)b * (size_t)h->n / BINS : (size_t)h->n - 1];
        for (int i = 0; i < h->n; i++) {
            double v = value_of(h->t, a->param, h->row[i]);
            int lo = 0, hi = BINS - 1;
            while (lo < hi) {
                int mid = (lo + hi + 1) / 2;
                if (v >= cut[mid])
                    lo = mid;
                else
                    hi = mid - 1;
            }
            h->bin[(size_t)x * n + (size_t)h->row[i]] =
                (uint8_t)(a->choice ? (int)(v - a->lo + 0.5) : lo);
        }
    }
    return true;
}

// Measures box b on the rows that were not used to find it. covered: by the rules before.
static bool measure(const qiao_table *t, uint64_t seed, double level, const box *b,
                    const uint8_t *covered, qiao_rule *r) {
    uint64_t in = 0, in_fail = 0, fail = 0, n = 0, left = 0, left_fail = 0;
    for (int i = 0; i < t->ntrial; i++) {
        if (in_training(seed, t, i)) continue;
        bool failed = !t->passed[i], inside = in_box(t, b, i, -1);
        n++, fail += failed, in += inside, in_fail += inside && failed;
        if (!inside && !covered[i]) left++, left_fail += failed;
    }
    *r = (qiao_rule){.ncondition = b->n};
    memcpy(r->condition, b->c, sizeof b->c);
    r->precision = qiao_stat_exact(in_fail, in, level, 0);
    r->coverage = qiao_stat_exact(in_fail, fail, level, 0);
    r->outside = left ? (double)left_fail / (double)left : 0;
    // it has to hold on this half as well: failures inside beyond what lies outside
    double base = n > in ? (double)(fail - in_fail) / (double)(n - in) : 0;
    return in > 0 && in_fail >= 3 &&
           1 - qi_binomial_below((int64_t)in_fail - 1, (int64_t)in, base) < 0.001;
}

static const char *cause_in(const qiao_table *t, const qiao_rule *r) {
    int best = -1, most = 0;
    for (int k = 0; k < t->ncause; k++) {
        int n = 0;
        for (int i = 0; t->cause && i < t->ntrial; i++)
            n += !t->passed[i] && t->cause[i] == k && qi_rule_holds(t, r, i);
        if (n > most) most = n, best = k;
    }
    return best >= 0 ? t->cause_name[best] : NULL;
}

static void take_rules(hunt *h, uint64_t seed, double level, uint8_t *covered, qiao_why *w) {
    const qiao_table *t = h->t;
    while (w->nrule < QIAO_RULE_MAX) {
        h->n = h->nfail = 0;
        for (int i = 0; i < t->ntrial; i++)
            if (!covered[i] && in_training(seed, t, i))
                h->row[h->n++] = i, h->nfail += !t->passed[i];
        if (h->nfail < FAILURES_MIN || h->nfail == h->n || !cut_axes(h)) return;
        box b;
        qiao_rule *r = &w->rule[w->nrule];
        if (!seek(h, &b) || !measure(t, seed, level, &b, covered, r)) {
            *r = (qiao_rule){0};
            return;
        }
        qi_rule_say(t, level, r, cause_in(t, r));
        for (int i = 0; i < t->ntrial; i++) covered[i] |= qi_rule_holds(t, r, i);
        w->nrule++;
    }
}

qiao_err qi_why_rules(const qiao_table *t, const qi_axis *axis, int naxis, double level,
                      uint64_t seed, qiao_why *w) {
    if (naxis == 0 || t->ntrial == 0) return QIAO_OK;
    size_t n = (size_t)t->ntrial, m = (size_t)naxis;
    qiao_arena *a = qiao_arena_new();
    bool failed = false;
    hunt h = {.t = t, .axis = axis, .naxis = naxis, .failed = &failed};
    if (a) {
        h.row = qiao_arena_get(a, n * sizeof *h.row), h.bin = qiao_arena_get(a, n * m);
        h.cut = qiao_arena_get(a, m * sizeof *h.cut);
        h.value = qiao_arena_get(a, n * sizeof *h.value);
        h.order = qiao_arena_get(a, n * sizeof *h.order), h.fail = qiao_arena_get(a, n);
    }
    uint8_t *covered = a ? qiao_arena_get(a, n) : NULL;
    bool ok = h.row && h.bin && h.cut && h.value && h.order && h.fail && covered;
    for (size_t x = 0; ok && x < m; x++)
        ok = (h.cut[x] = qiao_arena_get(a, (BINS + 1) * sizeof **h.cut)) != NULL;
    if (ok) take_rules(&h, seed, level, covered, w);
    qiao_arena_free(a);
    return ok && !failed ? QIAO_OK : QIAO_E_MEM;
}
