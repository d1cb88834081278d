// SPDX-License-Identifier: Apache-2.0
// why_rare.c - rare failures. First a search: draws concentrate step by step on what came nearest
// to failing (R. Rubinstein, D. Kroese, The cross-entropy method, 2004). Then the chance is
// estimated by importance sampling from what the search learned. That proposal is frozen before
// the first draw of the estimate, so the estimate is unbiased whatever the search did; a tenth of
// its draws are plain (T. Hesterberg, Weighted average importance sampling and defensive mixture
// distributions, Technometrics 1995), so that no weight passes 10 and no failure is out of reach.
#include "prove/num.h"
#include "prove/words.h"
#include "qiao/prove_stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { KERNELS = 160, STAGES_MAX = 400, BINS = 5, ENOUGH = 240, PURPOSE_RARE = 0x72617265 };
static const double PLAIN = 0.1;      // share of plain draws
static const double FLAT_EACH = 0.03; // and along each parameter

// Density along one parameter: boxes around what was chosen, and a little everywhere. Every other
// kernel is even in the logarithm of the distance from the nearer end of the range instead, for
// failures that lie in the tails.
typedef struct marginal {
    bool flat;
    int n;
    double lo[KERNELS], hi[KERNELS], sum[KERNELS]; // sum: of weights, up to this one
    char end[KERNELS]; // 0: a box; 'l', 'h': lo and hi are distances from that end
} marginal;
static const double REACH = 64, LN_REACH_2 = 8.317766166719343; // factor each way; 2 ln of it
typedef struct stage { // draws first .. first + n - 1 came from m [nparam], or plainly
    int first, n;
    marginal *m; // NULL: plain
} stage;

typedef struct rare {
    const qiao_oracle *o;
    const qiao_rare_def *def;
    int n, nstage, half;           // drawn; stages; draws that the search may take
    double *u, *severity, *weight; // [ntrial][nparam], [ntrial], [ntrial]
    uint8_t *failed;
    int *order, *pick;
    stage stage[STAGES_MAX];
    qiao_arena *a;
    qiao_diag *d;
    bool oom; // memory ran out
} rare;

// ---- proposals ----

static double density(const marginal *m, int nparam, const double *u) {
    double p = 1;
    for (int k = 0; m && k < nparam; k++) {
        if (m[k].flat) continue;
        double s = 0, before = 0;
        for (int i = 0; i < m[k].n; before = m[k].sum[i++]) {
            char end = m[k].end[i];
            double x = end == 'h' ? 1 - u[k] : u[k];
            if (x >= m[k].lo[i] && x < m[k].hi[i])
                s += (m[k].sum[i] - before) / (end ? x * LN_REACH_2 : m[k].hi[i] - m[k].lo[i]);
        }
        p *= FLAT_EACH + (1 - FLAT_EACH) * s;
    }
    return p;
}
static double mixed_density(const marginal *m, int nparam, const double *u) {
    return m ? PLAIN + (1 - PLAIN) * density(m, nparam, u) : 1;
}

static void draw(const rare *r, const marginal *m, int i, double *u) {
    qiao_rng key = {.seed = r->def->seed, .trial = (uint64_t)i, .purpose = PURPOSE_RARE};
    bool plain = !m || qiao_rng_uniform(&key, 0, 0) < PLAIN;
    for (int k = 0; k < r->o->nparam; k++) {
        uint64_t at = (uint64_t)k + 1;
        u[k] = qiao_rng_uniform(&key, at, 1);
        double v = qiao_rng_uniform(&key, at, 2);
        if (plain || m[k].flat || v < FLAT_EACH) continue;
        v = (v - FLAT_EACH) / (1 - FLAT_EACH);
        int b = 0;
        while (b < m[k].n - 1 && v >= m[k].sum[b]) b++;
        double lo = m[k].lo[b], hi = m[k].hi[b];
        double x = m[k].end[b] ? lo * qi_exp(u[k] * LN_REACH_2) : lo + u[k] * (hi - lo);
        if (!(x < hi)) x = lo;
        u[k] = m[k].end[b] == 'h' ? 1 - x : x;
    }
}

// Does parameter k of the chosen differ from even draws? Five bins, chi-square.
static bool is_even(const rare *r, int n, int k, double count) {
    double share[BINS] = {0}, x = 0;
    for (int i = 0; i < n; i++) {
        int b = (int)(r->u[(size_t)r->pick[i] * (size_t)r->o->nparam + (size_t)k] * BINS);
        share[b < BINS ? b : BINS - 1] += r->weight[i];
    }
    for (int b = 0; b < BINS; b++) x += (share[b] - 1.0 / BINS) * (share[b] - 1.0 / BINS) * BINS;
    return qi_chi2_above(count * x, BINS - 1) > 0.1;
}

// Boxes around the n chosen (r->pick, weights that add up to 1), about a standard deviation wide.
static marginal *fit(rare *r, int n, double wide, double far) {
    size_t m = (size_t)r->o->nparam;
    marginal *out = qiao_arena_get(r->a, m * sizeof *out);
    r->oom |= !out;
    double squares = 0;
    for (int i = 0; i < n; i++) squares += r->weight[i] * r->weight[i];
    double count = 1 / squares; // as many as equal weights would be
    for (size_t k = 0; out && k < m; k++) {
        double mean = 0, var = 0, sum = 0;
        for (int i = 0; i < n; i++) mean += r->weight[i] * r->u[(size_t)r->pick[i] * m + k];
        for (int i = 0; i < n; i++) {
            double x = r->u[(size_t)r->pick[i] * m + k] - mean;
            var += r->weight[i] * x * x;
        }
        marginal *to = &out[k];
        to->flat = is_even(r, n, (int)k, count);
        double h = fmax(wide * sqrt(var * count / fmax(count - 1, 1)), 1e-6);
        for (int i = 0; i < n; i++) {
            double x = r->u[(size_t)r->pick[i] * m + k];
            sum += r->weight[i];
            double reach = i % 3 ? h : far * h; // a third reaches further, lest it all narrows down
            to->lo[i] = fmax(x - reach, 0), to->hi[i] = fmin(x + reach, 1), to->sum[i] = sum;
            double e = x < 0.5 ? x : 1 - x;
            if (i % 2 != 1 || e < 1e-12 || e * REACH > 0.5) continue;
            to->lo[i] = e / REACH, to->hi[i] = e * REACH, to->end[i] = x < 0.5 ? 'l' : 'h';
        }
        to->n = n;
    }
    return out;
}

// ---- the search ----

static bool run_stage(rare *r, marginal *m, int n) {
    size_t np = (size_t)r->o->nparam, at = (size_t)r->n;
    if (r->nstage == STAGES_MAX) return false;
    for (int i = 0; i < n; i++) draw(r, m, r->n + i, r->u + (at + (size_t)i) * np);
    uint64_t *trial = qiao_arena_get(r->a, (size_t)n * sizeof *trial);
    if (!trial) return qiao_diag_set(r->d, QIAO_E_MEM, NULL, 0, 0, "out of memory"), false;
    for (int i = 0; i < n; i++) trial[i] = r->def->trial0 + (uint64_t)(r->n + i);
    if (r->o->run(r->o->ctx, n, trial, r->u + at * np, r->failed + at, r->severity + at, r->d))
        return false;
    for (size_t i = at; i < at + (size_t)n; i++)
        if (!isfinite(r->severity[i])) r->severity[i] = r->failed[i] ? 1e9 : -1e9;
    r->stage[r->nstage++] = (stage){r->n, n, m};
    r->n += n;
    return true;
}

// The failures seen, weighted back to plain draws by all stages together (the balance heuristic
// of E. Veach, L. Guibas, 1995). Returns how many are in r->pick.
static int pick_failures(rare *r) {
    int n = 0;
    for (int i = r->n - 1; i >= 0 && n < KERNELS; i--)
        if (r->failed[i]) r->pick[n++] = i;
    double sum = 0;
    for (int i = 0; i < n; i++) {
        double p = 0;
        const double *u = r->u + (size_t)r->pick[i] * (size_t)r->o->nparam;
        for (int s = 0; s < r->nstage; s++)
            p += (double)r->stage[s].n / r->n * mixed_density(r->stage[s].m, r->o->nparam, u);
        // the root tempers: a few heavy ones must not be all that is learned from
        r->weight[i] = 1 / sqrt(p), sum += r->weight[i];
    }
    for (int i = 0; i < n; i++) r->weight[i] /= sum;
    return n;
}

// The most severe of all draws, if they stand out at all. Returns how many are in r->pick.
static int pick_severe(rare *r) {
    int most = r->n / 8 < 14 ? r->n / 8 : 14, n = 0;
    if (!qi_order(r->severity, r->n, r->order)) {
        r->oom = true;
        return 0;
    }
    double usual = r->severity[r->order[r->stage[0].n / 2 < r->n ? r->stage[0].n / 2 : 0]];
    for (int i = r->n - 1; i >= 0 && n < most; i--)
        if (r->severity[r->order[i]] > usual || r->failed[r->order[i]]) r->pick[n++] = r->order[i];
    for (int i = 0; i < n; i++) r->weight[i] = 1.0 / n;
    return n >= 4 || (n > 0 && r->failed[r->pick[0]]) ? n : 0;
}

static int count_failures(const rare *r, int first) {
    int k = 0;
    for (int i = first; i < r->n; i++) k += r->failed[i];
    return k;
}

// Returns the proposal for the estimate; NULL: plain draws.
static marginal *search(rare *r, qiao_rare *out, bool *ok) {
    marginal *m = NULL;
    int late = 0; // stages since there were failures enough to learn from
    *ok = true;
    while (r->n < r->half) {
        int left = r->half - r->n, n = r->nstage ? r->def->batch : 2 * r->def->batch;
        if (!(*ok = run_stage(r, m, n < left ? n : left))) return NULL;
        int fails = count_failures(r, 0), last = r->stage[r->nstage - 1].first;
        if (fails && !out->nfirst)
            for (int i = 0; !out->nfirst; i++)
                if (r->failed[i]) out->nfirst = i + 1;
        if (r->nstage == STAGES_MAX) break;
        if (fails >= 10) {
            int k = pick_failures(r);
            m = fit(r, k, 1.1, 2);
            if (!m) break;
            late++;
            // a part of the draws fail, and the failures are many: what is left makes the estimate
            if (late >= 4 && fails >= ENOUGH && count_failures(r, last) * 5 >= r->n - last) break;
            continue;
        }
        int k = pick_severe(r);
        m = k ? fit(r, k, 0.8, 4) : NULL;
    }
    return m;
}

// ---- the estimate ----

static void estimate(const rare *r, const marginal *m, int first, qiao_rare *out) {
    int n = r->n - first, k = 0;
    double level = r->def->level, *x = r->weight, sum = 0, squares = 0;
    for (int i = 0; i < n; i++) {
        const double *u = r->u + (size_t)(first + i) * (size_t)r->o->nparam;
        x[i] = r->failed[first + i] ? 1 / mixed_density(m, r->o->nparam, u) : 0;
        k += r->failed[first + i], sum += x[i], squares += x[i] * x[i];
    }
    out->nfail = k;
    if (!m) { // plain draws: exact
        out->p = qiao_stat_exact((uint64_t)k, (uint64_t)n, level, 0);
        out->effective = n;
        return;
    }
    out->p = qiao_stat_mean(x, n, level, r->def->seed);
    if (k < 20) { // too few for a bootstrap: no weight passes 1 / PLAIN
        qiao_interval share = qiao_stat_exact((uint64_t)k, (uint64_t)n, level, 0);
        out->p.hi = fmin(1, share.hi / PLAIN);
        if (k < 3) out->p.lo = 0;
    }
    double p = sum / n, var = (squares / n - p * p) / n;
    out->effective = var > 0 ? p * (1 - p) / var : n;
}

static void say(const rare *r, qiao_rare *out) {
    char n[32], plain[32];
    qi_say_count(n, sizeof n, out->ntrial);
    qi_say_count(plain, sizeof plain, (long long)fmin(out->effective, 1e15));
    if (out->nfail == 0) {
        snprintf(
            out->en, sizeof out->en,
            "No failure among the %d trials of the estimate: fewer than %.2g of a million fail "
            "(%g %%). %s trials in all.",
            out->ntrial - out->nsearch, 1e6 * out->p.hi, 100 * r->def->level, n);
        snprintf(
            out->zh, sizeof out->zh,
            "用于估计的 %d 次试验没有失败：每百万次中失败少于 %.2g 次（%g %%）。共 %s 次试验。",
            out->ntrial - out->nsearch, 1e6 * out->p.hi, 100 * r->def->level, n);
        return;
    }
    // rare ones are told in trials of a million, others in percent
    bool percent = out->p.est >= 1e-3;
    double k = percent ? 100 : 1e6, p = k * out->p.est, lo = k * out->p.lo, hi = k * out->p.hi;
    const char *zh = percent ? " %" : " 次";
    snprintf(out->en, sizeof out->en,
             "%.3g%s trials fail (%.3g to %.3g, %g %%): %s trials, aimed at failure and weighted "
             "back; plain draws would have needed %s for this interval.",
             p, percent ? " % of the" : " of a million", lo, hi, 100 * r->def->level, n, plain);
    snprintf(out->zh, sizeof out->zh,
             "%s试验约失败 %.3g%s（%.3g 至 %.3g，%g %%）：用 %s 次偏向失败并加权还原的试验得出；"
             "普通抽样要得到同样的区间需要 %s 次。",
             percent ? "" : "每百万次", p, zh, lo, hi, 100 * r->def->level, n, plain);
}

static bool keep_nearest(const rare *r, qiao_rare *out) {
    size_t m = (size_t)r->o->nparam;
    double best = INFINITY;
    int at = -1;
    for (int i = 0; i < r->n; i++) {
        double far = 0;
        for (size_t k = 0; k < m && r->failed[i]; k++) {
            double x = r->u[(size_t)i * m + k] - 0.5;
            far += x * x;
        }
        if (r->failed[i] && far < best) best = far, at = i;
    }
    if (at < 0) return true;
    if (!(out->u = malloc(m * sizeof *out->u + 1))) return false;
    memcpy(out->u, r->u + (size_t)at * m, m * sizeof *out->u);
    out->trial = r->def->trial0 + (uint64_t)at;
    return true;
}

static bool go(rare *r, qiao_rare *out) {
    bool ok;
    marginal *m = search(r, out, &ok);
    int first = r->n, chunk = 4096;
    if (!out->nfirst) m = NULL; // nothing was learned: plain draws bound the chance best
    // the proposal is frozen here
    while (ok && r->n < r->def->ntrial && r->nstage < STAGES_MAX) {
        int left = r->def->ntrial - r->n;
        ok = run_stage(r, m, left < chunk ? left : chunk);
    }
    if (!ok || r->oom) return false;
    out->nsearch = first, out->ntrial = r->n;
    for (int i = 0; i < r->n && !out->nfirst; i++)
        if (r->failed[i]) out->nfirst = i + 1;
    estimate(r, m, first, out);
    if (isnan(out->p.est)) return false; // out of memory
    say(r, out);
    return keep_nearest(r, out);
}

qiao_rare_def qiao_rare_def_default(void) {
    return (qiao_rare_def){.seed = 1, .ntrial = 20000, .batch = 64, .level = 0.95};
}

qiao_err qiao_rare_search(const qiao_oracle *o, const qiao_rare_def *def, qiao_rare *out,
                          qiao_diag *d) {
    *out = (qiao_rare){0};
    if (def->ntrial < 100 || def->batch < 8 || o->nparam < 1)
        return qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0,
                             "%d trials in batches of %d over %d parameters, expected 100, 8 and 1 "
                             "or more",
                             def->ntrial, def->batch, o->nparam);
    qiao_diag mine = {0};
    rare *r = calloc(1, sizeof *r);
    qiao_arena *a = qiao_arena_new();
    size_t n = (size_t)def->ntrial;
    bool ok = r && a;
    if (ok) {
        *r = (rare){.o = o, .def = def, .a = a, .d = d ? d : &mine, .half = def->ntrial / 2};
        r->u = qiao_arena_get(a, n * (size_t)o->nparam * sizeof *r->u);
        r->severity = qiao_arena_get(a, n * sizeof *r->severity);
        r->weight = qiao_arena_get(a, n * sizeof *r->weight);
        r->failed = qiao_arena_get(a, n);
        r->order = qiao_arena_get(a, n * sizeof *r->order);
        r->pick = qiao_arena_get(a, n * sizeof *r->pick);
        ok = r->u && r->severity && r->weight && r->failed && r->order && r->pick && go(r, out);
    }
    qiao_err e = QIAO_OK;
    if (!ok) {
        qiao_rare_free(out);
        qiao_diag *said = d ? d : &mine;
        e = said->err ? said->err : qiao_diag_set(said, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    }
    qiao_arena_free(a), free(r);
    return e;
}

void qiao_rare_free(qiao_rare *r) {
    free(r->u);
    r->u = NULL;
}
