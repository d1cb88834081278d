// SPDX-License-Identifier: Apache-2.0
// eval.c - works out expressions: before the trial from fields, during it from measures.
#include "measures.h"

#include <math.h>
#include <string.h>

static qi_val num(double x) { return (qi_val){.x = x}; }

static bool equal(const qi_val *a, const qi_val *b, const qi_type *t) {
    if (t->kind == QI_TEXT) return strcmp(a->s ? a->s : "", b->s ? b->s : "") == 0;
    if (t->kind == QI_OBJ || t->kind == QI_NULL) return a->o == b->o;
    if (t->kind == QI_LIST) {
        if (a->n != b->n) return false;
        for (int i = 0; i < a->n; i++)
            if (!equal(&a->list[i], &b->list[i], t->elem)) return false;
        return true;
    }
    return a->x == b->x;
}

static qi_val eval_list(const qi_env *e, const qi_node *n) {
    qi_val v = {0};
    if (e->ref) return v; // the referee's lists are worked out element by element
    for (const qi_node *k = n->a; k; k = k->next) v.n++;
    v.list = qiao_arena_get(e->in->a, (size_t)v.n * sizeof *v.list);
    int i = 0;
    for (const qi_node *k = n->a; k && v.list; k = k->next) v.list[i++] = qi_eval(e, k);
    if (!v.list) v.n = 0;
    return v;
}

static qi_val eval_in(const qi_env *e, const qi_node *n) {
    qi_val a = qi_eval(e, n->a);
    if (n->b->kind == N_RANGE)
        return num(a.x >= qi_eval(e, n->b->a).x && a.x <= qi_eval(e, n->b->b).x);
    if (n->b->kind == N_LIST) {
        for (const qi_node *k = n->b->a; k; k = k->next) {
            qi_val v = qi_eval(e, k);
            if (equal(&a, &v, n->a->type)) return num(1);
        }
        return num(0);
    }
    qi_val l = qi_eval(e, n->b);
    for (int i = 0; i < l.n; i++)
        if (equal(&a, &l.list[i], n->a->type)) return num(1);
    return num(0);
}

static qi_val eval_binary(const qi_env *e, const qi_node *n) {
    if (n->op == OP_IN) return eval_in(e, n);
    qi_val a = qi_eval(e, n->a);
    if (n->op == OP_AND && a.x == 0) return num(0);
    if (n->op == OP_OR && a.x != 0) return num(1);
    if (n->op == OP_IMPLY && a.x == 0) return num(1);
    qi_val b = qi_eval(e, n->b);
    switch (n->op) {
    case OP_ADD: return num(a.x + b.x);
    case OP_SUB: return num(a.x - b.x);
    case OP_MUL: return num(a.x * b.x);
    case OP_DIV: return num(a.x / b.x);
    case OP_MOD: return num(b.x != 0 ? a.x - b.x * floor(a.x / b.x) : NAN);
    case OP_EQ: return num(equal(&a, &b, n->a->type));
    case OP_NE: return num(!equal(&a, &b, n->a->type));
    case OP_LT: return num(a.x < b.x);
    case OP_LE: return num(a.x <= b.x);
    case OP_GT: return num(a.x > b.x);
    case OP_GE: return num(a.x >= b.x);
    default: return num(b.x != 0);
    }
}

typedef struct fold { // sum, mean, share, all_different over values as they come
    double sum;
    int n;
    double seen[64];
    bool twice;
} fold;

static void fold_in(fold *f, double x) {
    f->sum += x;
    for (int i = 0; i < f->n && i < 64; i++) f->twice |= f->seen[i] == x;
    if (f->n < 64) f->seen[f->n] = x;
    f->n++;
}

static qi_val eval_builtin(const qi_env *e, const qi_node *n) {
    const qi_node *a = n->b->a;
    if (n->index <= QI_ABS) {
        double x = qi_eval(e, a).x;
        if (n->index == QI_ABS) return num(fabs(x));
        double y = qi_eval(e, n->b->next->a).x;
        return num(n->index == QI_MIN ? (x < y ? x : y) : (x > y ? x : y));
    }
    fold f = {0};
    if (a->kind == N_LIST)
        for (const qi_node *k = a->a; k; k = k->next) fold_in(&f, qi_eval(e, k).x);
    else {
        qi_val l = qi_eval(e, a);
        for (int i = 0; i < l.n; i++) fold_in(&f, l.list[i].x);
    }
    if (n->index == QI_SUM) return num(f.sum);
    if (n->index == QI_ALL_DIFFERENT) return num(!f.twice);
    return num(f.n ? f.sum / f.n : 0);
}

static qi_val eval_measure(const qi_env *e, const qi_node *n) {
    qi_val arg[8] = {0}, pool[8][QI_FIELD_MAX > 64 ? 64 : QI_FIELD_MAX];
    int k = 0;
    for (const qi_node *v = n->b; v && k < 8; v = v->next, k++) {
        arg[k] = qi_eval(e, v->a);
        if (v->a->kind != N_LIST) continue;
        int i = 0; // a list written in place: no memory is taken during the trial
        for (const qi_node *m = v->a->a; m && i < 64; m = m->next) pool[k][i++] = qi_eval(e, m);
        arg[k].list = pool[k], arg[k].n = i;
    }
    const qi_measure *m = n->link;
    return num(e->ref ? m->fn(e->ref, arg) : NAN);
}

static qi_slot *slot_of(const qi_env *e, const qi_node *n) {
    if (n->kind == N_IT) return e->it;
    if (n->ref != REF_FIELD) return NULL;
    qi_obj *o = e->self;
    if (n->kind == N_FIELD) {
        qi_val v = qi_eval(e, n->a);
        o = v.o;
        if (!o && !e->in->failed) {
            qi_fail(e->in->m, QIAO_E_FIT, n, "'%s' of null", n->s);
            e->in->failed = true;
        }
    }
    return o ? &o->slot[n->index] : NULL;
}

qi_val qi_eval(const qi_env *e, const qi_node *n) {
    qi_val v = {0};
    switch (n->kind) {
    case N_NUM:
    case N_BOOL: return num(n->x);
    case N_STR: v.s = n->s; return v;
    case N_NULL: return v;
    case N_NEG: return num(-qi_eval(e, n->a).x);
    case N_NOT: return num(qi_eval(e, n->a).x == 0);
    case N_BIN: return eval_binary(e, n);
    case N_COND: return qi_eval(e, qi_eval(e, n->a).x != 0 ? n->b : n->c);
    case N_LIST: return eval_list(e, n);
    case N_CALL: return n->ref == REF_BUILTIN ? eval_builtin(e, n) : eval_measure(e, n);
    default: break;
    }
    if (n->ref == REF_ENUM) return num(n->index);
    qi_slot *s = slot_of(e, n);
    if (!s) return v;
    if (s->f->var) { // worked out afresh each time
        qi_env own = {e->in, s->owner, NULL, e->ref};
        return qi_eval(&own, s->f->init);
    }
    return qi_slot_value(e->in, s);
}
