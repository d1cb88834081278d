// SPDX-License-Identifier: Apache-2.0
// draw.c - ranges to values. Each number is keyed by (seed, trial, name of the parameter), so that
// a new parameter does not shift the others; rules that relate parameters hold by redrawing those
// that they name.
#include "osc.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// FNV-1a. source: Fowler, Noll, Vo
static uint32_t name_key(const char *s) {
    uint32_t h = 2166136261u;
    for (; *s; s++) h = (h ^ (uint8_t)*s) * 16777619u;
    return h;
}

static void fault(qi_inst *in, qiao_err e, const qi_slot *s, const char *what) {
    if (!in->failed) qi_fail(in->m, e, s->f->at, "'%s' %s", s->path, what);
    in->failed = true;
}

static double place_of(const qi_inst *in, const qi_slot *s) {
    if (s->chosen) return s->place;
    qiao_rng r = {in->seed, in->trial, name_key(s->path)};
    return qiao_rng_uniform(&r, s->tries, QIAO_RNG_CASE);
}

static qi_val draw(qi_inst *in, const qi_slot *s) {
    double u = place_of(in, s), hi = s->f->type->whole ? floor(s->hi) : s->hi;
    if (s->list) {
        int n = qi_list_len(s->list), k = (int)(u * n);
        const qi_node *e = s->list->a;
        while (k-- > 0 && e->next) e = e->next;
        qi_env env = {in, s->list_self, s->list_it, NULL};
        return qi_eval(&env, e);
    }
    double x = s->lo + u * (s->hi - s->lo);
    if (s->f->type->whole) x = floor(ceil(s->lo) + u * (floor(s->hi) - ceil(s->lo) + 1));
    return (qi_val){.x = x > hi ? hi : x};
}

qi_val qi_slot_value(qi_inst *in, qi_slot *s) {
    if (s->state == 2 || in->failed) return s->val;
    if (s->state == 1) {
        fault(in, QIAO_E_FIT, s, "depends on itself");
        return s->val;
    }
    s->state = 1;
    if (qi_is_drawn(s))
        s->val = draw(in, s);
    else if (s->eq) {
        qi_env e = {in, s->eq_self, s->eq_it, NULL};
        s->val = qi_eval(&e, s->eq);
    } else
        fault(in, QIAO_E_FORMAT, s,
              "has no value; give it one: name: type = value, or keep(it == ..), or "
              "keep(it in [..])");
    const qi_type *t = s->f->type;
    if (t->kind == QI_NUM && !isfinite(s->val.x)) fault(in, QIAO_E_NAN, s, "is not finite");
    if (t->whole && s->val.x != floor(s->val.x)) fault(in, QIAO_E_FIT, s, "is not a whole number");
    if (t->positive && s->val.x < 0) fault(in, QIAO_E_FIT, s, "is below 0");
    s->state = 2;
    return s->val;
}

// Notes the drawn slots that an expression rests on, through equalities too; their count.
static int mark_free(qi_inst *in, const qi_node *n, qi_obj *self, qi_slot *it, qi_slot **first) {
    if (!n) return 0;
    int k = 0;
    if (n->kind == N_IT || n->ref == REF_FIELD) {
        qi_obj *o = self;
        if (n->kind == N_FIELD) {
            qi_env e = {in, self, it, NULL};
            o = qi_eval(&e, n->a).o;
            k += mark_free(in, n->a, self, it, first);
        }
        qi_slot *s = n->kind == N_IT ? it : o ? &o->slot[n->index] : NULL;
        if (!s || s->mark == in->mark) return k;
        s->mark = in->mark;
        if (!*first && s->f->type->kind != QI_OBJ) *first = s;
        if (qi_is_drawn(s) && s->chosen) return in->touched = true, k;
        if (qi_is_drawn(s)) return s->tries++, k + 1;
        return s->eq ? k + mark_free(in, s->eq, s->eq_self, s->eq_it, first) : k;
    }
    k += mark_free(in, n->a, self, it, first) + mark_free(in, n->b, self, it, first) +
         mark_free(in, n->c, self, it, first);
    if (n->kind == N_LIST || n->kind == N_CALL)
        for (const qi_node *e = n->kind == N_LIST ? n->a : n->b; e; e = e->next)
            k += mark_free(in, e->kind == N_ARG ? e->a : e, self, it, first);
    return k;
}

static void value_text(const qi_inst *in, const qi_slot *s, char *text, size_t n) {
    const qi_type *t = s->f->type;
    const char *u = t->kind == QI_NUM ? qi_si_unit(in->m, t) : "";
    if (t->kind == QI_ENUM)
        snprintf(text, n, "%s", t->value[(int)s->val.x]);
    else if (t->kind == QI_BOOL)
        snprintf(text, n, "%s", s->val.x ? "true" : "false");
    else if (t->kind == QI_NUM)
        snprintf(text, n, "%.6g%s%s", s->val.x, u && *u ? " " : "", u ? u : "");
    else
        snprintf(text, n, "%s", t->kind == QI_TEXT && s->val.s ? s->val.s : "something else");
}

static void broken(qi_inst *in, const qi_rule *r, const qi_slot *s, bool drawn) {
    char value[160] = "";
    if (s) value_text(in, s, value, sizeof value);
    const char *path = s ? s->path : "the constraint";
    const char *rule = qi_expr_text(in->m, in->a, r->expr);
    bool fit = r->odd || (s && s->bound);
    if (!in->failed && drawn)
        qi_fail(in->m, QIAO_E_INFEASIBLE, r->expr,
                "no values found for which this holds, in %d tries: keep(%s); the last %s was %s",
                QI_TRIES_MAX, rule, path, value);
    else if (!in->failed && in->touched && !r->odd)
        qi_fail(in->m, QIAO_E_FIT, r->expr, "the chosen values break keep(%s): %s is %s", rule,
                path, value);
    else if (!in->failed && fit)
        qi_fail(in->m, QIAO_E_FIT, r->expr, "outside the odd of %s: %s is %s, expected %s",
                in->m->main->name, path, value, rule);
    else if (!in->failed)
        qi_fail(in->m, QIAO_E_INFEASIBLE, r->expr, "this never holds: %s is %s, expected %s", path,
                value, rule);
    in->failed = true;
}

static void work_out(qi_inst *in) {
    for (int i = 0; i < in->nslot && !in->failed; i++)
        if (!in->slot[i]->f->var && !in->slot[i]->f->event) qi_slot_value(in, in->slot[i]);
}

static void reopen(qi_inst *in) {
    for (int i = 0; i < in->nslot; i++) {
        qi_slot *s = in->slot[i];
        if (!s->bound && (s->eq || qi_is_drawn(s))) s->state = 0;
    }
}

// The odd bounds what may be asked for, not what is drawn: its rules are checked, never redrawn.
static bool step(qi_inst *in) {
    bool again = false;
    for (int i = 0; i < in->nrule && !in->failed; i++) {
        qi_rule *r = &in->rule[i];
        qi_env e = {in, r->self, r->it, NULL};
        if (qi_eval(&e, r->expr).x != 0 || in->failed) continue;
        qi_slot *first = NULL;
        in->mark++, in->touched = false;
        int free = mark_free(in, r->expr, r->self, r->it, &first);
        if (r->odd || free == 0) broken(in, r, first, false);
        again = true;
    }
    return again;
}

qiao_err qi_draw(qi_inst *in) {
    in->failed = false;
    for (int tries = 0; !in->failed; tries++) {
        work_out(in);
        if (in->failed || !step(in)) break;
        if (tries == QI_TRIES_MAX) {
            for (int i = 0; i < in->nrule; i++) {
                qi_rule *r = &in->rule[i];
                qi_env e = {in, r->self, r->it, NULL};
                qi_slot *first = NULL;
                if (qi_eval(&e, r->expr).x != 0) continue;
                in->mark++, mark_free(in, r->expr, r->self, r->it, &first);
                broken(in, r, first, true);
            }
        }
        if (!in->failed) reopen(in);
    }
    return in->failed ? in->d->err : QIAO_OK;
}

// ---- values by name ----

qi_val qi_get_val(qi_inst *in, const qi_obj *o, const char *field) {
    int i = qi_find_field(o->decl, field);
    return i < 0 ? (qi_val){0} : qi_slot_value(in, &o->slot[i]);
}
double qi_get(qi_inst *in, const qi_obj *o, const char *field) {
    return qi_get_val(in, o, field).x;
}
qi_obj *qi_get_obj(qi_inst *in, const qi_obj *o, const char *field) {
    return qi_get_val(in, o, field).o;
}
const char *qi_get_text(qi_inst *in, const qi_obj *o, const char *field) {
    const char *s = qi_get_val(in, o, field).s;
    return s ? s : "";
}
const char *qi_get_enum(qi_inst *in, const qi_obj *o, const char *field) {
    int i = qi_find_field(o->decl, field);
    if (i < 0) return "";
    const qi_type *t = o->slot[i].f->type;
    int k = (int)qi_slot_value(in, &o->slot[i]).x;
    return t->kind == QI_ENUM && k >= 0 && k < t->nvalue ? t->value[k] : "";
}
