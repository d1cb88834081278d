// SPDX-License-Identifier: Apache-2.0
// report_json.c - a sweep's report as JSON: what the page shows, in full digits.
#include "prove/boot.h"
#include "prove/num.h"
#include "prove/report.h"
#include "prove/why.h"
#include "prove/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HISTOGRAM_BINS = 40, SURVIVAL_STEPS = 300 };

typedef struct out {
    qi_json j;
    const qiao_report_def *def;
    const qiao_table *t;
    const qiao_why *w;
    qi_boot *boot; // for columns of nboot finite values
    int nboot;
    double *column; // [ntrial] scratch
    bool failed;
} out;

static void put_interval(qi_json *j, const char *key, const qiao_interval *i) {
    qi_json_open(j, key, '{');
    qi_json_num(j, "est", i->est);
    qi_json_num(j, "lo", i->lo);
    qi_json_num(j, "hi", i->hi);
    qi_json_num(j, "level", i->level);
    qi_json_close(j, '}');
}

static void put_text(qi_json *j, const char *key, const char *value) {
    if (value) qi_json_str(j, key, value);
}

static void put_verdict(out *o) {
    const qiao_table *t = o->t;
    qi_json *j = &o->j;
    char text[300];
    uint64_t k = 0, n = (uint64_t)t->ntrial;
    for (int i = 0; i < t->ntrial; i++) k += t->passed[i] != 0;
    qiao_interval exact = qiao_stat_exact(k, n, o->def->level, 0);
    if (t->weight) { // the share of failures is what the weights make unbiased
        for (int i = 0; i < t->ntrial; i++) o->column[i] = !t->passed[i];
        qiao_interval f = qiao_stat_weighted(o->column, t->weight, t->ntrial, o->def->level);
        o->failed |= t->ntrial > 0 && isnan(f.est);
        exact = (qiao_interval){1 - f.est, fmax(1 - f.hi, 0), fmin(1 - f.lo, 1), f.level};
    }
    qiao_interval wilson = qiao_stat_wilson(k, n, o->def->level);
    qi_json_open(j, "verdict", '{');
    qi_say_verdict(t, &o->def->sequence, o->def->level, false, text, sizeof text);
    qi_json_str(j, "en", text);
    qi_say_verdict(t, &o->def->sequence, o->def->level, true, text, sizeof text);
    qi_json_str(j, "zh", text);
    qi_json_int(j, "trials", t->ntrial);
    qi_json_int(j, "passed", (long long)k);
    put_interval(j, "exact", &exact);
    if (!t->weight) put_interval(j, "wilson", &wilson);
    if (o->def->sequence.level > 0) put_interval(j, "sequence", &o->def->sequence);
    put_text(j, "stopped", o->def->stopped);
    qi_json_close(j, '}');
}

// Mean by bootstrap; the draws are kept from column to column.
static qiao_interval mean_of(out *o, int nfinite) {
    if (!o->boot || o->nboot != nfinite) {
        free(o->boot);
        o->boot = nfinite > 0 ? qi_boot_new(nfinite, QI_BOOT_SINGLE, o->def->seed) : NULL,
        o->nboot = nfinite;
    }
    if (!o->boot) {
        o->failed |= nfinite > 0;
        return (qiao_interval){NAN, -INFINITY, INFINITY, o->def->level};
    }
    qiao_interval r = qi_boot_mean(o->boot, o->column, o->t->ntrial, nfinite, o->def->level);
    o->failed |= isnan(r.est);
    return r;
}

static void put_histogram(out *o, int nfinite) {
    double lo = INFINITY, hi = -INFINITY;
    int count[HISTOGRAM_BINS] = {0}, n = o->t->ntrial;
    for (int i = 0; i < n; i++)
        if (isfinite(o->column[i])) lo = fmin(lo, o->column[i]), hi = fmax(hi, o->column[i]);
    if (nfinite == 0) return;
    for (int i = 0; i < n; i++) {
        if (!isfinite(o->column[i])) continue;
        int b = hi > lo ? (int)(HISTOGRAM_BINS * ((o->column[i] - lo) / (hi - lo))) : 0;
        count[b < HISTOGRAM_BINS ? b : HISTOGRAM_BINS - 1]++;
    }
    qi_json_open(&o->j, "histogram", '{');
    qi_json_num(&o->j, "lo", lo);
    qi_json_num(&o->j, "hi", hi);
    qi_json_open(&o->j, "count", '[');
    for (int i = 0; i < HISTOGRAM_BINS; i++) qi_json_int(&o->j, NULL, count[i]);
    qi_json_close(&o->j, ']');
    qi_json_close(&o->j, '}');
}

// What o->column holds: count, mean, quantiles, histogram.
static void put_column(out *o, const char *name, const char *unit) {
    static const double share[] = {0.05, 0.25, 0.5, 0.75, 0.95};
    qi_json *j = &o->j;
    int nfinite = 0;
    for (int i = 0; i < o->t->ntrial; i++) nfinite += isfinite(o->column[i]) != 0;
    qiao_interval mean = mean_of(o, nfinite);
    qi_json_open(j, NULL, '{');
    qi_json_str(j, "name", name);
    qi_json_str(j, "unit", qi_say_unit(unit));
    qi_json_int(j, "n", nfinite);
    put_interval(j, "mean", &mean);
    qi_json_open(j, "quantiles", '[');
    for (size_t i = 0; i < sizeof share / sizeof *share; i++) {
        qiao_interval q = qiao_stat_quantile(o->column, o->t->ntrial, share[i], o->def->level);
        o->failed |= nfinite > 0 && isnan(q.est);
        qi_json_open(j, NULL, '{');
        qi_json_num(j, "share", share[i]);
        put_interval(j, "value", &q);
        qi_json_close(j, '}');
    }
    qi_json_close(j, ']');
    put_histogram(o, nfinite);
    qi_json_close(j, '}');
}

static void put_columns(out *o) {
    const qiao_table *t = o->t;
    size_t n = (size_t)t->ntrial, m = (size_t)t->nmeasure;
    qi_json_open(&o->j, "columns", '[');
    memcpy(o->column, t->total, n * sizeof *o->column);
    put_column(o, "score", "");
    memcpy(o->column, t->time, n * sizeof *o->column);
    put_column(o, "time", "s");
    for (size_t k = 0; k < m; k++) {
        for (size_t i = 0; i < n; i++) o->column[i] = t->measure[i * m + k];
        put_column(o, t->measure_name[k], t->measure_unit ? t->measure_unit[k] : "");
    }
    qi_json_close(&o->j, ']');
}

static void put_survival(out *o) {
    const qiao_table *t = o->t;
    qiao_arena *a = qiao_arena_new();
    uint8_t *fell = malloc((size_t)t->ntrial + 1);
    qiao_survival s = {0};
    for (int i = 0; fell && i < t->ntrial; i++) fell[i] = !t->passed[i];
    if (!a || !fell ||
        qiao_stat_survival(t->time, fell, t->ntrial, o->def->level, a, &s) != QIAO_OK)
        o->failed = true;
    // the last step of each group, so that the curve ends where it ends
    int each = 1 + (s.n - 1) / SURVIVAL_STEPS;
    qi_json_open(&o->j, "survival", '[');
    for (int i = 0; i < s.n; i++) {
        if (i % each != each - 1 && i != s.n - 1 && i != 0) continue;
        qi_json_open(&o->j, NULL, '[');
        qi_json_num(&o->j, NULL, s.t[i]);
        qi_json_num(&o->j, NULL, s.alive[i].est);
        qi_json_num(&o->j, NULL, s.alive[i].lo);
        qi_json_num(&o->j, NULL, s.alive[i].hi);
        qi_json_int(&o->j, NULL, s.at_risk[i]);
        qi_json_close(&o->j, ']');
    }
    qi_json_close(&o->j, ']');
    free(fell), qiao_arena_free(a);
}

static void put_params(out *o) {
    const qiao_table *t = o->t;
    qi_axis *axis = malloc((size_t)t->nparam * sizeof *axis + 1);
    int naxis = axis ? qi_axes(t, axis) : 0;
    qi_json_open(&o->j, "params", '[');
    for (int p = 0; p < t->nparam; p++) {
        bool choice = false;
        for (int k = 0; k < naxis; k++) choice |= axis[k].param == p && axis[k].choice;
        qi_json_open(&o->j, NULL, '{');
        qi_json_str(&o->j, "name", t->param_name[p]);
        qi_json_str(&o->j, "unit", qi_say_unit(t->param_unit ? t->param_unit[p] : ""));
        qi_json_num(&o->j, "lo", t->param_range[p][0]);
        qi_json_num(&o->j, "hi", t->param_range[p][1]);
        qi_json_bool(&o->j, "choice", choice);
        qi_json_close(&o->j, '}');
    }
    qi_json_close(&o->j, ']');
    o->failed |= !axis;
    free(axis);
}

// Score by the bins of a map over one parameter.
static void put_map_score(out *o, const qiao_map *m) {
    qiao_arena *a = qiao_arena_new();
    qiao_group g;
    if (!a || qiao_prove_group(o->t, m->a, o->t->total, 1, o->def->level, a, &g) != QIAO_OK)
        o->failed = true;
    else {
        qi_json_open(&o->j, "score", '[');
        for (int i = 0; i < g.nbin; i++) {
            qi_json_open(&o->j, NULL, '[');
            qi_json_num(&o->j, NULL, g.mean[i].est);
            qi_json_num(&o->j, NULL, g.mean[i].lo);
            qi_json_num(&o->j, NULL, g.mean[i].hi);
            qi_json_close(&o->j, ']');
        }
        qi_json_close(&o->j, ']');
    }
    qiao_arena_free(a);
}

static void put_map(out *o, const qiao_map *m) {
    qi_json *j = &o->j;
    qi_json_open(j, NULL, '{');
    qi_json_int(j, "a", m->a);
    if (m->b >= 0) qi_json_int(j, "b", m->b);
    qi_json_num(j, "bits", m->bits);
    qi_json_num(j, "p", m->p);
    qi_json_open(j, "edge_a", '[');
    for (int i = 0; i <= m->na; i++) qi_json_num(j, NULL, m->edge_a[i]);
    qi_json_close(j, ']');
    if (m->b >= 0) {
        qi_json_open(j, "edge_b", '[');
        for (int i = 0; i <= m->nb; i++) qi_json_num(j, NULL, m->edge_b[i]);
        qi_json_close(j, ']');
    } else
        put_map_score(o, m);
    qi_json_open(j, "bins", '['); // [na][nb]
    for (int i = 0; i < m->na * m->nb; i++) {
        qi_json_open(j, NULL, '[');
        qi_json_int(j, NULL, m->bin[i].n);
        qi_json_int(j, NULL, m->bin[i].nfail);
        qi_json_num(j, NULL, m->bin[i].fail.lo);
        qi_json_num(j, NULL, m->bin[i].fail.hi);
        qi_json_close(j, ']');
    }
    qi_json_close(j, ']');
    qi_json_close(j, '}');
}

static void put_rule(qi_json *j, const qiao_rule *r) {
    qi_json_open(j, NULL, '{');
    qi_json_str(j, "en", r->en);
    qi_json_str(j, "zh", r->zh);
    qi_json_open(j, "conditions", '[');
    for (int k = 0; k < r->ncondition; k++) {
        const qiao_condition *c = &r->condition[k];
        qi_json_open(j, NULL, '{');
        qi_json_int(j, "param", c->param);
        qi_json_num(j, "lo", c->lo);
        qi_json_num(j, "hi", c->hi);
        if (c->choices) qi_json_int(j, "choices", (long long)c->choices);
        qi_json_close(j, '}');
    }
    qi_json_close(j, ']');
    put_interval(j, "precision", &r->precision);
    put_interval(j, "coverage", &r->coverage);
    qi_json_num(j, "outside", r->outside);
    qi_json_close(j, '}');
}

static void put_why(out *o) {
    qi_json *j = &o->j;
    qi_json_open(j, "causes", '[');
    for (int i = 0; i < o->w->ncause; i++) {
        qi_json_open(j, NULL, '{');
        qi_json_str(j, "name", o->w->cause[i].name);
        qi_json_int(j, "n", o->w->cause[i].n);
        put_interval(j, "share", &o->w->cause[i].share);
        qi_json_close(j, '}');
    }
    qi_json_close(j, ']');
    qi_json_open(j, "maps", '[');
    for (int i = 0; i < o->w->nmap; i++) put_map(o, &o->w->map[i]);
    qi_json_close(j, ']');
    qi_json_open(j, "pairs", '[');
    for (int i = 0; i < o->w->npair; i++) put_map(o, &o->w->pair[i]);
    qi_json_close(j, ']');
    qi_json_open(j, "rules", '[');
    for (int i = 0; i < o->w->nrule; i++) put_rule(j, &o->w->rule[i]);
    qi_json_close(j, ']');
}

// What is known of row i of the table.
static void put_row(out *o, int i) {
    const qiao_table *t = o->t;
    if (i < 0 || i >= t->ntrial) return;
    bool named = t->cause && t->cause[i] >= 0 && t->cause[i] < t->ncause;
    qi_json_int(&o->j, "trial", (long long)t->trial[i]);
    qi_json_bool(&o->j, "passed", t->passed[i] != 0);
    qi_json_num(&o->j, "total", t->total[i]);
    qi_json_num(&o->j, "time", t->time[i]);
    qi_json_str(&o->j, "cause", named ? t->cause_name[t->cause[i]] : "");
    if (t->weight) qi_json_num(&o->j, "weight", t->weight[i]);
    if (t->trace) {
        char hex[QIAO_HASH_HEX];
        qiao_hash_hex(t->trace[i], hex);
        qi_json_str(&o->j, "trace", hex);
    }
    qi_json_open(&o->j, "param", '[');
    for (int p = 0; p < t->nparam; p++)
        qi_json_num(&o->j, NULL, t->param[(size_t)i * (size_t)t->nparam + (size_t)p]);
    qi_json_close(&o->j, ']');
}

static void put_found(out *o, const qiao_row *r) {
    char hex[QIAO_HASH_HEX];
    qiao_hash_hex(r->trace, hex);
    qi_json_int(&o->j, "trial", (long long)r->trial);
    qi_json_bool(&o->j, "passed", r->passed);
    qi_json_num(&o->j, "total", r->total);
    qi_json_num(&o->j, "time", r->time);
    qi_json_str(&o->j, "cause", r->cause);
    qi_json_str(&o->j, "trace", hex);
    qi_json_open(&o->j, "param", '[');
    for (int p = 0; p < o->t->nparam; p++) qi_json_num(&o->j, NULL, r->param[p]);
    qi_json_close(&o->j, ']');
}

static void put_cases(out *o, const bool *embedded) {
    qi_json_open(&o->j, "cases", '[');
    for (int k = 0; k < o->def->ncase; k++) {
        const qiao_report_case *c = &o->def->cases[k];
        qi_json_open(&o->j, NULL, '{');
        qi_json_str(&o->j, "kind", c->kind);
        if (c->found)
            put_found(o, c->found);
        else
            put_row(o, c->row);
        put_text(&o->j, "link", c->link);
        put_text(&o->j, "command", c->command);
        if (embedded) qi_json_bool(&o->j, "embedded", embedded[k]);
        qi_json_close(&o->j, '}');
    }
    qi_json_close(&o->j, ']');
    qi_json_open(&o->j, "rows", '{'); // the same found in the table, run again or not
    const int row[] = {o->w->nearest, o->w->worst, o->w->median, o->w->best};
    static const char *const kind[] = {"nearest", "worst", "median", "best"};
    for (int k = 0; k < 4; k++) {
        if (row[k] < 0) continue;
        qi_json_open(&o->j, kind[k], '{');
        put_row(o, row[k]);
        if (k == 0) qi_json_num(&o->j, "distance", o->w->distance);
        qi_json_close(&o->j, '}');
    }
    qi_json_close(&o->j, '}');
}

static void put_second(out *o) {
    const qiao_second_opinion *s = o->def->second;
    if (!s) return;
    uint64_t agree = 0;
    for (int i = 0; i < s->n; i++) agree += !o->t->passed[s->row[i]] == !s->passed[i];
    qiao_interval share = qiao_stat_exact(agree, (uint64_t)s->n, o->def->level, 0);
    qi_json_open(&o->j, "second", '{');
    qi_json_str(&o->j, "engine", s->engine);
    qi_json_int(&o->j, "trials", s->n);
    qi_json_int(&o->j, "agree", (long long)agree);
    put_interval(&o->j, "agreement", &share);
    qi_json_open(&o->j, "disagree", '[');
    for (int i = 0; i < s->n; i++) {
        if (!o->t->passed[s->row[i]] == !s->passed[i]) continue;
        qi_json_open(&o->j, NULL, '{');
        put_row(o, s->row[i]);
        qi_json_bool(&o->j, "second_passed", s->passed[i] != 0);
        if (s->total) qi_json_num(&o->j, "second_total", s->total[i]);
        if (s->cause) qi_json_str(&o->j, "second_cause", s->cause[i]);
        qi_json_close(&o->j, '}');
    }
    qi_json_close(&o->j, ']');
    qi_json_close(&o->j, '}');
}

static void put_compare(qi_json *j, const qiao_compare *c) {
    if (!c) return;
    qi_json_open(j, "compare", '{');
    qi_json_int(j, "pairs", c->npair);
    qi_json_int(j, "both", c->both);
    qi_json_int(j, "only_a", c->only_a);
    qi_json_int(j, "only_b", c->only_b);
    qi_json_int(j, "neither", c->neither);
    qi_json_num(j, "p_exact", c->p_exact);
    qi_json_num(j, "p_mid", c->p_mid);
    put_interval(j, "success", &c->success);
    put_interval(j, "total", &c->total);
    qi_json_str(j, "en", c->en);
    qi_json_str(j, "zh", c->zh);
    qi_json_close(j, '}');
}

static void put_rare(qi_json *j, const qiao_rare *r, int nparam) {
    if (!r) return;
    qi_json_open(j, "rare", '{');
    put_interval(j, "p", &r->p);
    qi_json_int(j, "trials", r->ntrial);
    qi_json_int(j, "search", r->nsearch);
    qi_json_int(j, "first", r->nfirst);
    qi_json_int(j, "failures", r->nfail);
    qi_json_num(j, "effective", r->effective);
    qi_json_str(j, "en", r->en);
    qi_json_str(j, "zh", r->zh);
    if (r->u) {
        qi_json_open(j, "u", '[');
        for (int p = 0; p < nparam; p++) qi_json_num(j, NULL, r->u[p]);
        qi_json_close(j, ']');
    }
    qi_json_close(j, '}');
}

static void put_run(out *o) {
    const qiao_report_def *f = o->def;
    qi_json *j = &o->j;
    qi_json_open(j, "run", '{');
    put_text(j, "scenario", f->scenario);
    put_text(j, "title", f->title);
    put_text(j, "title_zh", f->title_zh);
    put_text(j, "robot", f->robot);
    put_text(j, "brain", f->brain);
    put_text(j, "engine", f->engine);
    put_text(j, "sampling", f->sampling);
    put_text(j, "build", f->build);
    put_text(j, "command", f->command);
    put_text(j, "verify", f->verify);
    char seed[32];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)f->seed);
    qi_json_str(j, "seed", seed); // 64 bits do not fit into JSON's numbers
    if (f->wall > 0) qi_json_num(j, "wall", f->wall);
    qi_json_open(j, "hashes", '{');
    for (int i = 0; i < f->nhash; i++) {
        char hex[QIAO_HASH_HEX];
        qiao_hash_hex(f->hash[i], hex);
        qi_json_str(j, f->hash_name[i], hex);
    }
    qi_json_close(j, '}');
    qi_json_close(j, '}');
}

char *qi_report_json(const qiao_report_def *def, const qiao_why *why, const bool *embedded,
                     qiao_diag *d) {
    out o = {.def = def, .t = def->table, .w = why};
    o.column = malloc((size_t)def->table->ntrial * sizeof *o.column + 1);
    if (o.column) {
        qi_json_open(&o.j, NULL, '{');
        qi_json_str(&o.j, "format", "qiao.report.1");
        put_verdict(&o);
        put_run(&o);
        put_params(&o);
        put_why(&o);
        put_cases(&o, embedded);
        put_second(&o);
        put_compare(&o.j, def->compare);
        put_rare(&o.j, def->rare, def->table->nparam);
        put_columns(&o);
        put_survival(&o);
        qi_json_close(&o.j, '}');
    }
    char *text = o.column ? qi_json_end(&o.j) : NULL;
    free(o.column), free(o.boot);
    if (!text || o.failed) {
        free(text);
        qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
        return NULL;
    }
    return text;
}
