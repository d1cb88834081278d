// SPDX-License-Identifier: Apache-2.0
// types.c - finds types, units and declarations; says types in words.
#include "check.h"

#include <stdio.h>
#include <string.h>

const qi_type *qi_find_type(qi_module *m, const char *name) {
    const qi_type *const plain[] = {&m->t_bool, &m->t_float, &m->t_int, &m->t_uint, &m->t_text};
    for (int i = 0; i < 5; i++)
        if (plain[i]->name && strcmp(plain[i]->name, name) == 0) return plain[i];
    for (const qi_type *t = m->type; t; t = t->next)
        if (t->name && strcmp(t->name, name) == 0) return t;
    const qi_decl *d = qi_find_decl(m, name);
    return d ? &d->type : NULL;
}

const qi_decl *qi_find_decl(const qi_module *m, const char *name) {
    for (const qi_decl *d = m->decl; d; d = d->next)
        if (strcmp(d->name, name) == 0) return d;
    return NULL;
}

const qi_unit *qi_find_unit(const qi_module *m, const char *name) {
    for (const qi_unit *u = m->unit; u; u = u->next)
        if (strcmp(u->name, name) == 0) return u;
    return NULL;
}

int qi_find_field(const qi_decl *d, const char *name) {
    for (int i = d->nfield - 1; i >= 0; i--)
        if (strcmp(d->field[i]->name, name) == 0) return i;
    return -1;
}

bool qi_is_a(const qi_decl *d, const char *name) {
    for (; d; d = d->base)
        if (strcmp(d->name, name) == 0) return true;
    return false;
}

const qi_type *qi_list_of(qi_module *m, const qi_type *elem) {
    for (const qi_type *t = m->type; t; t = t->next)
        if (t->kind == QI_LIST && t->elem == elem) return t;
    qi_type *t = qiao_arena_get(m->a, sizeof *t);
    if (!t) return NULL;
    t->kind = QI_LIST, t->elem = elem, t->next = m->type, m->type = t;
    return t;
}

static bool no_dim(const int8_t dim[QI_NDIM]) {
    for (int i = 0; i < QI_NDIM; i++)
        if (dim[i]) return false;
    return true;
}

// The declared type of these dimensions, or one without a name.
const qi_type *qi_dim_type(qi_module *m, const int8_t dim[QI_NDIM]) {
    if (no_dim(dim)) return &m->t_float;
    for (const qi_type *t = m->type; t; t = t->next)
        if (t->kind == QI_NUM && memcmp(t->dim, dim, QI_NDIM) == 0) return t;
    qi_type *t = qiao_arena_get(m->a, sizeof *t);
    if (!t) return NULL;
    t->kind = QI_NUM, memcpy(t->dim, dim, QI_NDIM);
    t->next = m->type, m->type = t;
    return t;
}

const qi_type *qi_time_type(qi_module *m) {
    return qi_dim_type(m, (const int8_t[QI_NDIM]){0, 0, 1, 0, 0, 0, 0, 0});
}

bool qi_same_type(const qi_type *a, const qi_type *b) {
    if (a->kind != b->kind) return false;
    switch (a->kind) {
    case QI_NUM: return memcmp(a->dim, b->dim, QI_NDIM) == 0;
    case QI_ENUM: return a == b;
    case QI_OBJ: return qi_is_a(a->obj, b->obj->name) || qi_is_a(b->obj, a->obj->name);
    case QI_LIST:
    case QI_RANGE: return qi_same_type(a->elem, b->elem);
    default: return true;
    }
}

bool qi_fits(const qi_type *want, const qi_type *have) {
    if (have->kind == QI_NULL) return want->kind == QI_OBJ;
    if (want->kind == QI_OBJ && have->kind == QI_OBJ) return qi_is_a(have->obj, want->obj->name);
    if (want->kind == QI_LIST && have->kind == QI_LIST) return qi_fits(want->elem, have->elem);
    return qi_same_type(want, have);
}

const char *qi_type_text(qi_module *m, const qi_type *t) {
    static const char *const si[] = {"kg", "m", "s", "A", "K", "mol", "cd", "rad"};
    if (!t) return "nothing";
    if (t->kind == QI_LIST) return qiao_arena_printf(m->a, "list of %s", qi_type_text(m, t->elem));
    if (t->kind == QI_RANGE)
        return qiao_arena_printf(m->a, "range of %s", qi_type_text(m, t->elem));
    if (t->name) return t->name;
    if (t->kind != QI_NUM) return "null";
    char text[120] = "";
    size_t n = 0;
    for (int i = 0; i < QI_NDIM; i++)
        if (t->dim[i])
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%s: %d", n ? ", " : "", si[i],
                                  t->dim[i]);
    return qiao_arena_printf(m->a, "SI(%s)", text);
}

const char *qi_si_unit(const qi_module *m, const qi_type *t) {
    if (t->kind != QI_NUM || no_dim(t->dim)) return "";
    for (const qi_unit *u = m->unit; u; u = u->next)
        if (u->factor == 1 && u->offset == 0 && memcmp(u->type->dim, t->dim, QI_NDIM) == 0)
            return u->name;
    return NULL;
}

const char *qi_did_you_mean(qi_module *m, const char *best) {
    return best ? qiao_arena_printf(m->a, "; did you mean '%s'?", best) : "";
}

const char *qi_near_field(qi_module *m, const qi_decl *d, const char *name) {
    const char **names = qiao_arena_get(m->a, ((size_t)d->nfield + 1) * sizeof *names);
    if (!names) return NULL;
    for (int i = 0; i < d->nfield; i++) names[i] = d->field[i]->name;
    return qiao_nearest(name, names, d->nfield);
}
