// SPDX-License-Identifier: Apache-2.0
// check_expr.c - types and dimensions of expressions: adding metres to seconds is an error.
#include "check.h"
#include "measures.h"

#include <stdio.h>
#include <string.h>

static const qi_type *wrong(qi_scope *s, qiao_err e, const qi_node *at, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static const qi_type *wrong(qi_scope *s, qiao_err e, const qi_node *at, const char *fmt, ...) {
    char text[500];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    qi_fail(s->m, e, at, "%s", text);
    return NULL;
}

static const char *name_of(qi_scope *s, const qi_type *t) { return qi_type_text(s->m, t); }

static const qi_type *check_num(qi_scope *s, qi_node *n) {
    if (n->type) return n->type; // shared by fields declared together: convert once
    if (!n->unit) return n->type = n->whole ? &s->m->t_int : &s->m->t_float;
    const qi_unit *u = qi_find_unit(s->m, n->unit);
    if (!u) {
        const char *names[256];
        int k = 0;
        for (const qi_unit *v = s->m->unit; v && k < 256; v = v->next) names[k++] = v->name;
        return wrong(s, QIAO_E_NAME, n, "no unit is named '%s'%s", n->unit,
                     qi_did_you_mean(s->m, qiao_nearest(n->unit, names, k)));
    }
    n->x = n->x * u->factor + u->offset;
    return n->type = u->type;
}

static int enum_value(const qi_type *t, const char *name) {
    for (int i = 0; i < t->nvalue; i++)
        if (strcmp(t->value[i], name) == 0) return i;
    return -1;
}

// A value of the enum that is wanted, of the one named before '!', or of any that has it.
static const qi_type *check_enum(qi_scope *s, qi_node *n, const qi_type *want) {
    const qi_type *t = want && want->kind == QI_ENUM ? want : NULL;
    if (n->unit) {
        t = qi_find_type(s->m, n->unit);
        if (!t || t->kind != QI_ENUM)
            return wrong(s, QIAO_E_NAME, n, "no enum is named '%s'", n->unit);
    }
    for (const qi_type *u = t ? NULL : s->m->type; u; u = u->next)
        if (u->kind == QI_ENUM && enum_value(u, n->s) >= 0) t = u;
    if (!t) return NULL;
    n->index = enum_value(t, n->s);
    if (n->index < 0)
        return wrong(s, QIAO_E_NAME, n, "enum %s has no value '%s'%s", t->name, n->s,
                     qi_did_you_mean(s->m, qiao_nearest(n->s, t->value, t->nvalue)));
    n->ref = REF_ENUM;
    return n->type = t;
}

static const qi_type *use_field(qi_scope *s, qi_node *n, const qi_decl *d, int i) {
    const qi_field *f = d->field[i];
    if (f->event)
        return wrong(s, QIAO_E_FIT, n, "'%s' is an event, not a value; write @%s", n->s, n->s);
    if (f->var && !s->live)
        return wrong(s, QIAO_E_FIT, n, "'%s' is a var: known only while the trial runs", n->s);
    n->ref = REF_FIELD, n->index = i;
    return n->type = f->type;
}

static const qi_type *check_name(qi_scope *s, qi_node *n, const qi_type *want) {
    int i = n->unit ? -1 : qi_find_field(s->self, n->s);
    // where a value of an enum is wanted, its names come before fields of another type
    bool value = want && want->kind == QI_ENUM && enum_value(want, n->s) >= 0;
    if (i >= 0 && !(value && s->self->field[i]->type != want)) return use_field(s, n, s->self, i);
    const qi_type *t = check_enum(s, n, want);
    if (t || s->m->d->err) return t;
    return wrong(s, QIAO_E_NAME, n, "'%s' is not known in %s%s", n->s, s->self->name,
                 qi_did_you_mean(s->m, qi_near_field(s->m, s->self, n->s)));
}

static const qi_type *check_field(qi_scope *s, qi_node *n) {
    const qi_type *t = qi_check_expr(s, n->a, NULL);
    if (!t) return NULL;
    if (t->kind != QI_OBJ)
        return wrong(s, QIAO_E_FIT, n, "a value of type %s has no fields", name_of(s, t));
    int i = qi_find_field(t->obj, n->s);
    if (i < 0)
        return wrong(s, QIAO_E_NAME, n, "%s has no field '%s'%s", t->obj->name, n->s,
                     qi_did_you_mean(s->m, qi_near_field(s->m, t->obj, n->s)));
    return use_field(s, n, t->obj, i);
}

static const qi_type *check_list(qi_scope *s, qi_node *n, const qi_type *want) {
    const qi_type *elem = NULL, *hope = want && want->kind == QI_LIST ? want->elem : NULL;
    for (qi_node *e = n->a; e; e = e->next) {
        const qi_type *t = qi_check_expr(s, e, elem ? elem : hope);
        if (!t) return NULL;
        if (!elem) elem = hope && qi_fits(hope, t) ? hope : t;
        if (!qi_fits(elem, t) && !qi_same_type(elem, t))
            return wrong(s, QIAO_E_FIT, e, "a list of %s cannot hold %s", name_of(s, elem),
                         name_of(s, t));
    }
    return n->type = qi_list_of(s->m, elem);
}

static const qi_type *check_range(qi_scope *s, qi_node *n, const qi_type *want) {
    const qi_type *hope = want && want->kind == QI_RANGE ? want->elem : want;
    const qi_type *a = qi_check_expr(s, n->a, hope), *b = a ? qi_check_expr(s, n->b, a) : NULL;
    if (!b) return NULL;
    if (a->kind != QI_NUM || !qi_same_type(a, b))
        return wrong(s, QIAO_E_FIT, n, "a range from %s to %s; both ends need the same unit",
                     name_of(s, a), name_of(s, b));
    qi_type *t = qiao_arena_get(s->m->a, sizeof *t);
    if (!t) return NULL;
    t->kind = QI_RANGE, t->elem = a->whole ? b : a;
    return n->type = t;
}

// ---- operators ----

static const char *const op_text[] = {
    "", "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "in", "and", "or", "=>"};

static const qi_type *check_arith(qi_scope *s, qi_node *n, const qi_type *a, const qi_type *b) {
    if (a->kind != QI_NUM || b->kind != QI_NUM)
        return wrong(s, QIAO_E_FIT, n, "'%s' needs numbers, here are %s and %s", op_text[n->op],
                     name_of(s, a), name_of(s, b));
    bool whole = a->whole && b->whole;
    if (n->op == OP_ADD || n->op == OP_SUB || n->op == OP_MOD) {
        static const char *const verb[] = {"", "add", "subtract", "", "", "divide"};
        if (!qi_same_type(a, b))
            return wrong(s, QIAO_E_FIT, n, "cannot %s %s and %s: their dimensions differ",
                         verb[n->op], name_of(s, a), name_of(s, b));
        return n->type = whole ? &s->m->t_int : a->whole ? b : a;
    }
    int8_t dim[QI_NDIM];
    for (int i = 0; i < QI_NDIM; i++) {
        int e = n->op == OP_MUL ? a->dim[i] + b->dim[i] : a->dim[i] - b->dim[i];
        if (e < -100 || e > 100)
            return wrong(s, QIAO_E_LIMIT, n, "a dimension's exponent over 100");
        dim[i] = (int8_t)e;
    }
    const qi_type *t = qi_dim_type(s->m, dim);
    return n->type = whole && n->op == OP_MUL ? &s->m->t_int : t;
}

static const qi_type *check_in(qi_scope *s, qi_node *n) {
    const qi_type *a = qi_check_expr(s, n->a, NULL);
    if (!a) return NULL;
    const qi_type *hope = n->b->kind == N_LIST ? qi_list_of(s->m, a) : a;
    const qi_type *b = qi_check_expr(s, n->b, hope);
    if (!b) return NULL;
    if ((b->kind != QI_RANGE && b->kind != QI_LIST) || !qi_same_type(a, b->elem))
        return wrong(s, QIAO_E_FIT, n, "%s cannot be in a %s", name_of(s, a), name_of(s, b));
    return n->type = &s->m->t_bool;
}

static const qi_type *check_compare(qi_scope *s, qi_node *n) {
    const qi_type *a, *b;
    bool unknown = n->a->kind == N_NAME && qi_find_field(s->self, n->a->s) < 0;
    if (unknown) { // an enum value on the left: the right side says of which enum
        b = qi_check_expr(s, n->b, NULL);
        a = b ? qi_check_expr(s, n->a, b) : NULL;
    } else {
        a = qi_check_expr(s, n->a, NULL);
        b = a ? qi_check_expr(s, n->b, a) : NULL;
    }
    if (!a || !b) return NULL;
    bool null =
        (a->kind == QI_NULL && b->kind == QI_OBJ) || (b->kind == QI_NULL && a->kind == QI_OBJ);
    if (!null && !qi_same_type(a, b))
        return wrong(s, QIAO_E_FIT, n, "cannot compare %s with %s", name_of(s, a), name_of(s, b));
    if (n->op != OP_EQ && n->op != OP_NE && a->kind != QI_NUM)
        return wrong(s, QIAO_E_FIT, n, "%s has no order; '%s' needs numbers", name_of(s, a),
                     op_text[n->op]);
    if (a->kind == QI_LIST || a->kind == QI_RANGE) {
        if (n->op != OP_EQ || a->kind == QI_RANGE)
            return wrong(s, QIAO_E_FIT, n, "lists and ranges cannot be compared");
    }
    return n->type = &s->m->t_bool;
}

static const qi_type *check_binary(qi_scope *s, qi_node *n) {
    if (n->op == OP_IN) return check_in(s, n);
    if (n->op >= OP_EQ && n->op <= OP_GE) return check_compare(s, n);
    if (n->op >= OP_AND) {
        if (!qi_check_as(s, n->a, &s->m->t_bool) || !qi_check_as(s, n->b, &s->m->t_bool))
            return NULL;
        return n->type = &s->m->t_bool;
    }
    const qi_type *a = qi_check_expr(s, n->a, NULL), *b = a ? qi_check_expr(s, n->b, NULL) : NULL;
    return b ? check_arith(s, n, a, b) : NULL;
}

// ---- calls ----

// min, max (two of one kind), abs, sum, mean, share (of a list of bool), all_different
static const qi_type *check_builtin(qi_scope *s, qi_node *n, int k) {
    static const int narg[] = {2, 2, 1, 1, 1, 1, 1};
    int have = 0;
    for (const qi_node *a = n->b; a; a = a->next) have++;
    if (have != narg[k])
        return wrong(s, QIAO_E_FIT, n, "%s takes %d values, here are %d", n->s, narg[k], have);
    n->ref = REF_BUILTIN, n->index = k;
    const qi_type *want = k == QI_SHARE ? qi_list_of(s->m, &s->m->t_bool) : NULL;
    const qi_type *a = qi_check_expr(s, n->b->a, want);
    if (!a) return NULL;
    if (k <= QI_MAX) {
        const qi_type *b = qi_check_expr(s, n->b->next->a, a);
        if (!b) return NULL;
        if (a->kind != QI_NUM || !qi_same_type(a, b))
            return wrong(s, QIAO_E_FIT, n, "%s needs two numbers of one kind, here are %s and %s",
                         n->s, name_of(s, a), name_of(s, b));
        return n->type = a->whole ? b : a;
    }
    if (k == QI_ABS && a->kind != QI_NUM)
        return wrong(s, QIAO_E_FIT, n, "abs needs a number, here is %s", name_of(s, a));
    if (k == QI_ABS) return n->type = a;
    if (a->kind != QI_LIST || (k == QI_SHARE && a->elem->kind != QI_BOOL) ||
        (k < QI_SHARE && a->elem->kind != QI_NUM))
        return wrong(s, QIAO_E_FIT, n, "%s needs a list of %s, here is %s", n->s,
                     k == QI_SHARE ? "bool" : "numbers", name_of(s, a));
    if (k == QI_ALL_DIFFERENT) return n->type = &s->m->t_bool;
    return n->type = k == QI_SHARE ? &s->m->t_float : a->elem;
}

static const qi_type *check_call(qi_scope *s, qi_node *n) {
    static const char *const builtin[] = {"min",  "max",   "abs",           "sum",
                                          "mean", "share", "all_different", NULL};
    if (n->a) return wrong(s, QIAO_E_FIT, n, "'%s' is no function; actions belong into do", n->s);
    for (int k = 0; builtin[k]; k++)
        if (strcmp(n->s, builtin[k]) == 0) return check_builtin(s, n, k);
    const qi_func *f = s->m->func;
    while (f && strcmp(f->name, n->s) != 0) f = f->next;
    if (!f) {
        const char *names[256];
        int k = 0;
        for (int i = 0; builtin[i]; i++) names[k++] = builtin[i];
        for (f = s->m->func; f && k < 256; f = f->next) names[k++] = f->name;
        return wrong(s, QIAO_E_NAME, n, "no function is named '%s'%s", n->s,
                     qi_did_you_mean(s->m, qiao_nearest(n->s, names, k)));
    }
    if (!s->live)
        return wrong(s, QIAO_E_FIT, n, "%s(..) is measured: known only while the trial runs", n->s);
    n->ref = REF_FUNC, n->link = qi_measure_find(f->name);
    const qi_field *a = f->arg;
    qi_node *v = n->b;
    for (; a && v; a = a->next, v = v->next) {
        if (v->label && strcmp(v->label, a->name) != 0)
            return wrong(s, QIAO_E_NAME, v, "%s: expected argument '%s' here, found '%s'", n->s,
                         a->name, v->label);
        if (!qi_check_as(s, v->a, a->type)) return NULL;
    }
    if (a) return wrong(s, QIAO_E_FIT, n, "%s: argument '%s' is missing", n->s, a->name);
    if (v) return wrong(s, QIAO_E_FIT, v, "%s: takes %d arguments", n->s, f->narg);
    return n->type = f->ret;
}

static const qi_type *check_cond(qi_scope *s, qi_node *n, const qi_type *want) {
    if (!qi_check_as(s, n->a, &s->m->t_bool)) return NULL;
    const qi_type *b = qi_check_expr(s, n->b, want), *c = b ? qi_check_expr(s, n->c, b) : NULL;
    if (!c) return NULL;
    if (!qi_same_type(b, c))
        return wrong(s, QIAO_E_FIT, n, "the two values of '?' differ: %s and %s", name_of(s, b),
                     name_of(s, c));
    if (b->kind == QI_LIST)
        return wrong(s, QIAO_E_UNSUPPORTED, n, "'?' cannot choose between lists");
    return n->type = b->whole ? c : b;
}

const qi_type *qi_check_expr(qi_scope *s, qi_node *n, const qi_type *want) {
    if (s->m->d->err) return NULL;
    const qi_type *t;
    switch (n->kind) {
    case N_NUM: return check_num(s, n);
    case N_STR: return n->type = &s->m->t_text;
    case N_BOOL: return n->type = &s->m->t_bool;
    case N_NULL: return n->type = &s->m->t_null;
    case N_NAME: return check_name(s, n, want);
    case N_FIELD: return check_field(s, n);
    case N_CALL: return check_call(s, n);
    case N_LIST: return check_list(s, n, want);
    case N_RANGE: return check_range(s, n, want);
    case N_BIN: return check_binary(s, n);
    case N_COND: return check_cond(s, n, want);
    case N_IT:
        if (!s->it) return wrong(s, QIAO_E_NAME, n, "'it' means a field's own value; not here");
        return n->type = s->it;
    case N_NEG:
        t = qi_check_expr(s, n->a, want);
        if (t && t->kind != QI_NUM)
            return wrong(s, QIAO_E_FIT, n, "'-' needs a number, here is %s", name_of(s, t));
        return n->type = t == &s->m->t_uint ? &s->m->t_int : t;
    case N_NOT: return qi_check_as(s, n->a, &s->m->t_bool) ? (n->type = &s->m->t_bool) : NULL;
    default:
        return wrong(s, QIAO_E_FIT, n, "an event, not a value; it belongs after wait, until, on");
    }
}

bool qi_check_as(qi_scope *s, qi_node *n, const qi_type *want) {
    const qi_type *t = qi_check_expr(s, n, want);
    if (!t) return false;
    if (!qi_fits(want, t)) {
        wrong(s, QIAO_E_FIT, n, "expected %s, found %s", name_of(s, want), name_of(s, t));
        return false;
    }
    if (want->whole && n->kind == N_NUM && !(n->x == (double)(int64_t)n->x))
        return wrong(s, QIAO_E_FIT, n, "expected a whole number, found %g", n->x), false;
    if (want->positive && n->kind == N_NEG && n->a->kind == N_NUM && n->a->x > 0)
        return wrong(s, QIAO_E_FIT, n, "expected a number from 0 up, found -%g", n->a->x), false;
    return true;
}

bool qi_check_spec(qi_scope *s, qi_node *n) {
    if (n->kind == N_EVENT) {
        int i = qi_find_field(s->self, n->s);
        if (i < 0 || !s->self->field[i]->event)
            return wrong(s, QIAO_E_NAME, n, "no event is named '%s'%s", n->s,
                         qi_did_you_mean(s->m, qi_near_field(s->m, s->self, n->s))),
                   false;
        n->index = i;
        return !n->a || qi_check_as(s, n->a, &s->m->t_bool);
    }
    if (n->kind == N_ELAPSED || n->kind == N_EVERY) return qi_check_as(s, n->a, qi_time_type(s->m));
    if (n->kind == N_RISE || n->kind == N_FALL) {
        n->index = s->m->nedge++; // memory of the last value
        return qi_check_as(s, n->a, &s->m->t_bool);
    }
    return qi_check_as(s, n, &s->m->t_bool);
}
