// SPDX-License-Identifier: Apache-2.0
// text.c - an expression in words again, for messages.
#include "scene.h"

#include <string.h>

static void put(const qi_module *m, qi_text *t, const qi_node *n, int depth);

static void put_all(const qi_module *m, qi_text *t, const qi_node *n, int depth) {
    for (int i = 0; n; n = n->next, i++) {
        if (i) qi_put(t, ", ");
        put(m, t, n->kind == N_ARG ? n->a : n, depth);
    }
}

static void put(const qi_module *m, qi_text *t, const qi_node *n, int depth) {
    static const char *const op[] = {
        "", "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "in", "and", "or", "=>"};
    const qi_unit *u;
    if (depth > 6 || t->n > 160) {
        qi_put(t, "..");
        return;
    }
    switch (n->kind) {
    case N_NUM:
        u = n->unit ? qi_find_unit(m, n->unit) : NULL;
        qi_put(t, "%.6g%s", u ? (n->x - u->offset) / u->factor : n->x, n->unit ? n->unit : "");
        break;
    case N_STR: qi_put(t, "\"%.40s\"", n->s); break;
    case N_FIELD: put(m, t, n->a, depth + 1), qi_put(t, ".%s", n->s); break;
    case N_CALL: qi_put(t, "%s(", n->s), put_all(m, t, n->b, depth + 1), qi_put(t, ")"); break;
    case N_LIST: qi_put(t, "["), put_all(m, t, n->a, depth + 1), qi_put(t, "]"); break;
    case N_RANGE:
        qi_put(t, "["), put(m, t, n->a, depth + 1), qi_put(t, "..");
        put(m, t, n->b, depth + 1), qi_put(t, "]");
        break;
    case N_NEG: qi_put(t, "-"), put(m, t, n->a, depth + 1); break;
    case N_NOT: qi_put(t, "not ("), put(m, t, n->a, depth + 1), qi_put(t, ")"); break;
    case N_BIN:
        put(m, t, n->a, depth + 1), qi_put(t, " %s ", op[n->op]), put(m, t, n->b, depth + 1);
        break;
    default: qi_put(t, "%s", n->s ? n->s : "..");
    }
}

const char *qi_expr_text(const qi_module *m, qiao_arena *a, const qi_node *n) {
    qi_text t = {.a = a};
    put(m, &t, n, 0);
    return t.s && !t.bad ? t.s : "..";
}
