// SPDX-License-Identifier: Apache-2.0
// score.c - the lines of score: and envelope:. total = completion times all penalties.
#include "check.h"
#include "referee.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// What each line takes; r: only reported, at its last value. v: measured, bool or plain number; q: measured quantity of any unit;
// l: limit in that unit; f: number; t: time; b: bool. The first is given by position or name.
typedef struct form {
    const char *name;
    char kind; // c, p, e; a: pass, t: time limit
    struct {
        const char *name;
        char what;
        bool need;
    } arg[5];
} form;
static const form in_score[] = {
    {"complete", 'c', {{"value", 'v', true}, {"weight", 'f', false}}},
    {"penalty", 'p', {{"when", 'v', true}, {"factor", 'f', true}, {"each", 'b', false}}},
    {"report", 'r', {{"value", 'q', true}}},
    {"pass", 'a', {{"at", 'f', true}}},
    {"time_limit", 't', {{"time", 't', true}}},
    {0}};
static const form in_envelope[] = {
    {"bound",
     'e',
     {{"value", 'q', true}, {"max", 'l', false}, {"min", 'l', false}, {"ends_trial", 'b', false}}},
    {0}};

const qi_node *qi_item_arg(const qi_item *it, const char *name, int position) {
    int k = 0;
    for (const qi_node *a = it->call->b; a; a = a->next, k++)
        if (a->label ? strcmp(a->label, name) == 0 : k == position) return a->a;
    return NULL;
}

static bool check_arg(qi_scope *s, const form *f, int k, qi_node *n, const qi_type *of) {
    const qi_type *t;
    s->live = f->arg[k].what == 'v' || f->arg[k].what == 'q';
    switch (f->arg[k].what) {
    case 'f': return qi_check_as(s, n, &s->m->t_float);
    case 't': return qi_check_as(s, n, qi_time_type(s->m));
    case 'b': return qi_check_as(s, n, &s->m->t_bool);
    case 'l': return of && qi_check_as(s, n, of);
    default: t = qi_check_expr(s, n, NULL);
    }
    if (!t) return false;
    if (t->kind == QI_NUM && (f->arg[k].what == 'q' || qi_same_type(t, &s->m->t_float)))
        return true;
    if (t->kind == QI_BOOL && f->arg[k].what == 'v') return true;
    qi_fail(s->m, QIAO_E_FIT, n, "%s: '%s' is %s, expected %s", f->name, f->arg[k].name,
            qi_type_text(s->m, t),
            f->arg[k].what == 'q' ? "a quantity" : "bool or a number without a unit");
    return false;
}

static bool check_item(qi_scope *s, const form *forms, const qi_item *it) {
    const char *names[8];
    int n = 0;
    const form *f = forms;
    for (; f->name; f++) {
        if (strcmp(f->name, it->call->s) == 0 && !it->call->a) break;
        names[n++] = f->name;
    }
    if (!f->name) {
        qi_fail(s->m, QIAO_E_NAME, it->call, "'%s' has no place in this block%s", it->call->s,
                qi_did_you_mean(s->m, qiao_nearest(it->call->s, names, n)));
        return false;
    }
    int k = 0;
    for (qi_node *a = it->call->b; a; a = a->next, k++) {
        int i = k;
        const char *args[5];
        int na = 0;
        while (na < 5 && f->arg[na].name) args[na] = f->arg[na].name, na++;
        if (a->label)
            for (i = 0; i < na && strcmp(args[i], a->label) != 0;) i++;
        if (i >= na) {
            qi_fail(s->m, QIAO_E_NAME, a, "%s has no argument '%s'%s", f->name,
                    a->label ? a->label : "of that place",
                    a->label ? qi_did_you_mean(s->m, qiao_nearest(a->label, args, na)) : "");
            return false;
        }
        const qi_node *first = qi_item_arg(it, f->arg[0].name, 0);
        if (!check_arg(s, f, i, a->a, first ? first->type : NULL)) {
            if (!s->m->d->err)
                qi_fail(s->m, QIAO_E_FORMAT, a, "%s: the value comes first", f->name);
            return false;
        }
    }
    for (int i = 0; i < 5 && f->arg[i].name; i++)
        if (f->arg[i].need && !qi_item_arg(it, f->arg[i].name, i)) {
            qi_fail(s->m, QIAO_E_FORMAT, it->call, "%s: argument '%s' is missing", f->name,
                    f->arg[i].name);
            return false;
        }
    if (f->kind == 'e' && !qi_item_arg(it, "max", 1) && !qi_item_arg(it, "min", 2)) {
        qi_fail(s->m, QIAO_E_FORMAT, it->call, "bound: expected max: or min:");
        return false;
    }
    if (strchr("cper", f->kind) && !it->label) {
        qi_fail(s->m, QIAO_E_FORMAT, it->call, "expected a name before it, like  reached: %s(..)",
                f->name);
        return false;
    }
    return true;
}

bool qi_check_items(qi_scope *s, const qi_decl *d) {
    int n = 0;
    for (const qi_item *it = d->score; it; it = it->next, n++)
        if (!check_item(s, in_score, it)) return false;
    for (const qi_item *it = d->envelope; it; it = it->next, n++)
        if (!check_item(s, in_envelope, it)) return false;
    if (n > QIAO_SCORE_MAX) {
        qi_fail(s->m, QIAO_E_LIMIT, d->at, "at most %d lines in score and envelope",
                QIAO_SCORE_MAX);
        return false;
    }
    s->live = true;
    return true;
}

// ---- the running trial ----

static double constant(qiao_referee *f, const qi_item *it, const char *name, int k, double other) {
    const qi_node *n = qi_item_arg(it, name, k);
    qi_env e = {f->in, f->in->root, NULL, NULL};
    return n ? qi_eval(&e, n).x : other;
}

static void add_term(qiao_referee *f, const qi_item *it, char kind) {
    qi_term *t = &f->term[f->nterm++];
    const qi_module *m = f->in->m;
    t->kind = kind, t->name = it->label, t->expr = it->call->b->a, t->factor = 1, t->unit = "";
    t->is_bool = t->expr->type->kind == QI_BOOL;
    t->note = kind == 'r';
    if (t->note) t->kind = 'e';
    t->weight = t->note ? NAN
                        : constant(f, it, kind == 'c' ? "weight" : "factor", 1,
                                   kind == 'e' || t->note ? NAN : 1);
    t->min = t->max = NAN;
    if (kind == 'p') t->each = constant(f, it, "each", 2, 0) != 0;
    if (t->note && (t->unit = qi_si_unit(m, t->expr->type)) == NULL) t->unit = "";
    if (kind != 'e') return;
    t->max = constant(f, it, "max", 1, NAN), t->min = constant(f, it, "min", 2, NAN);
    t->ends = constant(f, it, "ends_trial", 3, 0) != 0;
    // shown in the unit that the limit is written in
    const qi_node *lim = qi_item_arg(it, isnan(t->max) ? "min" : "max", isnan(t->max) ? 2 : 1);
    while (lim && lim->kind != N_NUM) lim = lim->a;
    const qi_unit *u = lim && lim->unit ? qi_find_unit(m, lim->unit) : NULL;
    t->unit = u ? u->name : qi_si_unit(m, t->expr->type);
    if (!t->unit) t->unit = "";
    if (u && u->offset == 0) t->factor = u->factor;
}

bool qi_terms_build(qiao_referee *f, qiao_diag *d) {
    const qi_decl *m = f->in->root->decl;
    f->term = qiao_arena_get(f->a, QIAO_SCORE_MAX * sizeof *f->term);
    if (!f->term) return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory"), false;
    f->pass_at = 1;
    for (const qi_item *it = m->score; it; it = it->next) {
        if (strcmp(it->call->s, "complete") == 0)
            add_term(f, it, 'c');
        else if (strcmp(it->call->s, "penalty") == 0)
            add_term(f, it, 'p');
        else if (strcmp(it->call->s, "report") == 0)
            add_term(f, it, 'r');
        else if (strcmp(it->call->s, "pass") == 0)
            f->pass_at = constant(f, it, "at", 0, 1);
    }
    for (const qi_item *it = m->envelope; it; it = it->next) add_term(f, it, 'e');
    return true;
}

void qi_terms_reset(qiao_referee *f) {
    for (int i = 0; i < f->nterm; i++) {
        qi_term *t = &f->term[i];
        t->value = t->kind == 'e' ? NAN : 0, t->count = 0, t->was = t->broken = false;
    }
    memset(&f->score, 0, sizeof f->score);
    f->score.nmeasure = f->nterm;
}

static void fail_with(qiao_referee *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void fail_with(qiao_referee *f, const char *fmt, ...) {
    if (f->score.verdict == QIAO_FAILED && f->score.reason[0]) return; // the first cause stays
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(f->score.reason, sizeof f->score.reason, fmt, ap);
    va_end(ap);
    f->score.verdict = QIAO_FAILED;
}

static void step_penalty(qiao_referee *f, qi_term *t, double x) {
    int before = t->count;
    if (t->is_bool) {
        if (x != 0 && !t->was && (t->each || t->count == 0)) t->count++;
        t->was = x != 0;
    } else { // a count that is measured: its highest value
        int n = x > 1e6 ? 1000000 : x > 0 ? (int)x : 0;
        if (!t->each && n > 1) n = 1;
        if (n > t->count) t->count = n;
    }
    if (t->count > before)
        qi_referee_event(f, "penalty", "%s, times %.3g, given %d times", t->name, t->weight,
                         t->count);
}

static void step_bound(qiao_referee *f, qi_term *t, double x) {
    bool high = !isnan(t->max), low = !isnan(t->min), over = high && x > t->max,
         under = low && x < t->min;
    // the worst value: the highest, or the lowest when only that is bounded
    if (isnan(t->value) || (high ? x > t->value : x < t->value)) t->value = x;
    if ((!over && !under) || t->broken) return;
    t->broken = true, t->value = x;
    double lim = over ? t->max : t->min;
    qi_referee_event(f, "envelope", "%s %.4g %s %c %.4g %s", t->name, x / t->factor, t->unit,
                     over ? '>' : '<', lim / t->factor, t->unit);
    if (t->ends)
        fail_with(f, "%s %.3g %s %c %.4g %s", t->name, x / t->factor, t->unit, over ? '>' : '<',
                  lim / t->factor, t->unit);
}

static void total(qiao_referee *f) {
    double sum = 0, weight = 0, factor = 1;
    for (int i = 0; i < f->nterm; i++) {
        const qi_term *t = &f->term[i];
        if (t->kind == 'c') sum += t->weight * t->value, weight += t->weight;
        if (t->kind == 'p') factor *= pow(t->weight, t->count);
    }
    f->score.completion = weight > 0 ? sum / weight : 1;
    f->score.total = f->score.completion * factor;
    f->score.time = f->now;
}

void qi_terms_step(qiao_referee *f) {
    qi_env e = qi_referee_env(f);
    for (int i = 0; i < f->nterm; i++) {
        qi_term *t = &f->term[i];
        double x = qi_eval(&e, t->expr).x;
        if (!isfinite(x)) x = 0;
        if (t->kind == 'c')
            t->value = fmin(fmax(x, 0), 1);
        else if (t->kind == 'p')
            step_penalty(f, t, x);
        else if (t->note)
            t->value = x;
        else
            step_bound(f, t, x);
    }
    total(f);
}

// do is over, or the time: passed if enough is complete and no bound that ends the trial broke.
void qi_terms_close(qiao_referee *f, const char *why) {
    if (f->score.verdict == QIAO_FAILED) return;
    if (f->score.completion >= f->pass_at - 1e-12) {
        f->score.verdict = QIAO_PASSED;
        return;
    }
    const qi_term *worst = NULL;
    for (int i = 0; i < f->nterm; i++)
        if (f->term[i].kind == 'c' && (!worst || f->term[i].value < worst->value))
            worst = &f->term[i];
    fail_with(f, "%scompletion %.3g < %.3g; %s is %.3g", why, f->score.completion, f->pass_at,
              worst ? worst->name : "nothing", worst ? worst->value : 0);
}

const qiao_score *qiao_referee_score(qiao_referee *f) {
    for (int i = 0; i < f->nterm; i++) {
        const qi_term *t = &f->term[i];
        double lim = isnan(t->max) ? t->min : t->max;
        f->score.measure[i] = (qiao_measure){
            .name = t->name,
            .unit = t->unit,
            .value = t->kind == 'p'    ? t->count
                     : isnan(t->value) ? 0
                                       : t->value / t->factor,
            .limit = t->kind == 'e' ? lim / t->factor : NAN,
            .weight = t->kind == 'e' ? NAN : t->weight,
            .kind = t->kind,
            .broken = t->kind == 'p' ? t->count > 0 : t->broken,
        };
    }
    return &f->score;
}
