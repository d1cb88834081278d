// SPDX-License-Identifier: Apache-2.0
// inst.c - a scenario's objects: one slot for each field, ranges and equalities from keep.
#include "osc.h"

#include <stdio.h>
#include <string.h>

static qi_obj *make_obj(qi_inst *in, const qi_decl *d, qi_obj *up, const char *path, int depth,
                        const qi_node *at);

static bool fail(qi_inst *in, qiao_err e, const qi_node *at, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static bool fail(qi_inst *in, qiao_err e, const qi_node *at, const char *fmt, ...) {
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (!in->failed) qi_fail(in->m, e, at, "%s", text);
    in->failed = true;
    return false;
}

// Fields of struct type are parts; actors are parts of a scenario and references elsewhere.
static bool is_part(const qi_obj *o, const qi_field *f) {
    if (f->type->kind != QI_OBJ || f->init || f->var) return false;
    qi_decl_kind k = f->type->obj->kind;
    return k == D_STRUCT || f->implicit || (k == D_ACTOR && o->decl->kind == D_SCENARIO);
}

// The slot that a path names, as far as it leads through parts; else NULL.
static qi_slot *find_slot(const qi_node *n, qi_obj *self, qi_slot *it) {
    if (n->kind == N_IT) return it;
    if (n->kind == N_NAME) return n->ref == REF_FIELD ? &self->slot[n->index] : NULL;
    if (n->kind != N_FIELD) return NULL;
    qi_slot *s = find_slot(n->a, self, it);
    return s && s->state == 2 && s->val.o && !s->bound ? &s->val.o->slot[n->index] : NULL;
}

static bool literal(const qi_node *n, double *x) {
    double a, b;
    switch (n->kind) {
    case N_NUM: *x = n->x; return true;
    case N_NEG: return literal(n->a, x) ? (*x = -*x, true) : false;
    case N_BIN:
        if (n->op > OP_DIV || !literal(n->a, &a) || !literal(n->b, &b)) return false;
        *x = n->op == OP_ADD ? a + b : n->op == OP_SUB ? a - b : n->op == OP_MUL ? a * b : a / b;
        return true;
    default: return false;
    }
}

static const qi_node *unit_node(const qi_node *n) {
    while (n && n->kind != N_NUM) n = n->a;
    return n;
}

static bool set_range(qi_inst *in, qi_slot *s, const qi_node *r) {
    double lo, hi;
    if (!literal(r->a, &lo) || !literal(r->b, &hi)) return true; // a rule only
    if (!(lo <= hi)) return fail(in, QIAO_E_FIT, r, "an empty range: its start is above its end");
    if (s->range && s->lo > lo) lo = s->lo;
    if (s->range && s->hi < hi) hi = s->hi;
    if (!(lo <= hi))
        return fail(in, QIAO_E_INFEASIBLE, r, "the ranges of '%s' have nothing in common", s->path);
    s->range = true, s->lo = lo, s->hi = hi, s->lo_at = unit_node(r->a);
    return true;
}

static void set_eq(qi_slot *s, const qi_node *expr, qi_obj *self, qi_slot *it) {
    s->eq = expr, s->eq_self = self, s->eq_it = it, s->eq_keep = true;
}

// What a keep says directly about one slot: its value, range or choices.
static bool narrow(qi_inst *in, const qi_node *n, qi_obj *self, qi_slot *it) {
    if (n->kind == N_BIN && n->op == OP_AND)
        return narrow(in, n->a, self, it) && narrow(in, n->b, self, it);
    if (n->kind != N_BIN || (n->op != OP_EQ && n->op != OP_IN)) return true;
    qi_slot *s = find_slot(n->a, self, it);
    if (s && s->state == 2) s = NULL;
    if (n->op == OP_EQ) { // the left side is fixed by the right one; else it is a rule only
        if (s && !s->eq_keep) set_eq(s, n->b, self, it);
        return true;
    }
    if (!s) return true;
    if (n->b->kind == N_RANGE && s->f->type->kind == QI_NUM) return set_range(in, s, n->b);
    if (n->b->kind == N_LIST && !s->list) s->list = n->b, s->list_self = self, s->list_it = it;
    return true;
}

static bool add_keeps(qi_inst *in, const qi_node *n, qi_obj *self, qi_slot *it, bool odd) {
    for (; n; n = n->next) {
        if (n->kind != N_KEEP) continue;
        if (in->nrule == QI_SLOT_MAX) return fail(in, QIAO_E_LIMIT, n, "too many constraints");
        in->rule[in->nrule++] = (qi_rule){n->a, self, it, odd};
        if (!odd && !narrow(in, n->a, self, it)) return false;
    }
    return true;
}

// Arguments of a call: value or range of the fields they name.
static bool add_args(qi_inst *in, const qi_node *call, qi_obj *self, qi_slot *it) {
    for (const qi_node *a = call ? call->b : NULL; a; a = a->next) {
        qi_slot *s = &it->val.o->slot[a->index];
        if (a->a->kind == N_RANGE && s->f->type->kind == QI_NUM) {
            if (!set_range(in, s, a->a)) return false;
            if (!s->range)
                return fail(in, QIAO_E_FIT, a->a, "the range of '%s' is not constant", s->path);
        } else if (s->state != 2)
            set_eq(s, a->a, self, it);
    }
    return true;
}

static bool make_slot(qi_inst *in, qi_obj *o, int i, int depth) {
    const qi_field *f = o->decl->field[i];
    qi_slot *s = &o->slot[i];
    if (in->nslot == QI_SLOT_MAX) return fail(in, QIAO_E_LIMIT, f->at, "too many values");
    in->slot[in->nslot++] = s;
    s->f = f, s->owner = o;
    s->path = o->path[0] ? qiao_arena_printf(in->a, "%s.%s", o->path, f->name) : f->name;
    if (!s->path) return fail(in, QIAO_E_MEM, NULL, "out of memory");
    if (is_part(o, f)) {
        s->val.o = make_obj(in, f->type->obj, o, s->path, depth + 1, f->at);
        s->state = 2;
        if (!s->val.o) return false;
    } else if (f->init) {
        s->eq = f->init, s->eq_self = o;
    }
    if (f->at && f->at->kind == N_ONE_OF) { // the branch of a one_of
        qi_slot *pick = &s->val.o->slot[0];
        pick->range = true, pick->lo = 0, pick->hi = f->at->x - 1;
    }
    return true;
}

static qi_obj *make_obj(qi_inst *in, const qi_decl *d, qi_obj *up, const char *path, int depth,
                        const qi_node *at) {
    if (depth > 12) {
        fail(in, QIAO_E_LIMIT, at, "'%s' is nested too deep; does a struct hold itself?", path);
        return NULL;
    }
    qi_obj *o = qiao_arena_get(in->a, sizeof *o);
    if (o) o->slot = qiao_arena_get(in->a, ((size_t)d->nfield + 1) * sizeof *o->slot);
    if (!o || !o->slot) {
        fail(in, QIAO_E_MEM, NULL, "out of memory");
        return NULL;
    }
    o->decl = d, o->up = up, o->path = path, o->body = -1;
    for (int i = 0; i < d->nfield; i++)
        if (!make_slot(in, o, i, depth)) return NULL;
    // constraints once all slots stand: of each field, of the type and its bases
    for (int i = 0; i < d->nfield; i++) {
        const qi_field *f = d->field[i];
        if (f->call && !add_args(in, f->call, o, &o->slot[i])) return NULL;
        if (!add_keeps(in, f->with, o, &o->slot[i], false)) return NULL;
    }
    for (const qi_decl *b = d; b; b = b->base)
        if (!add_keeps(in, b->keep, o, NULL, false)) return NULL;
    return o;
}

qi_inst *qi_inst_new(qi_module *m, qiao_arena *a, qiao_diag *d) {
    qi_inst *in = qiao_arena_get(a, sizeof *in);
    if (!in) return NULL;
    in->m = m, in->a = a, in->d = d;
    m->d = d;
    in->slot = qiao_arena_get(a, QI_SLOT_MAX * sizeof *in->slot);
    in->rule = qiao_arena_get(a, QI_SLOT_MAX * sizeof *in->rule);
    if (!in->slot || !in->rule) {
        qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
        return NULL;
    }
    in->root = make_obj(in, m->main, NULL, "", 0, m->main->at);
    if (!in->root || !add_keeps(in, m->main->odd, in->root, NULL, true)) return NULL;
    for (int i = 0; i < m->main->nfield; i++) {
        const qi_type *t = m->main->field[i]->type;
        if (t->kind == QI_OBJ && t->obj->kind == D_ACTOR && qi_is_a(t->obj, "robot")) in->robot = i;
    }
    // facts of the machine that will play the role
    static const char *const facts[] = {"kind", "mass", "feet", "actuators", "reach"};
    qi_obj *role = in->root->slot[in->robot].val.o;
    for (int i = 0; role && i < 5; i++) {
        int k = qi_find_field(role->decl, facts[i]);
        if (k >= 0) role->slot[k].bound = true;
    }
    return in;
}

bool qi_is_drawn(const qi_slot *s) { return !s->eq_keep && !s->bound && (s->range || s->list); }

int qi_list_len(const qi_node *list) {
    int n = 0;
    for (const qi_node *k = list->a; k; k = k->next) n++;
    return n;
}
