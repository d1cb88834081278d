// SPDX-License-Identifier: Apache-2.0
// parse_expr.c - expressions and event specifications.
// source   OpenSCENARIO DSL 2.1.0, "Expressions"
#include "parse.h"

#include <string.h>

static qi_node *parse_unary(qi_parser *p);

static qi_node *leaf(qi_parser *p, qi_node_kind kind) {
    qi_node *n = qi_node_new(p, kind);
    p->t++;
    return n;
}

qi_node *qi_parse_args(qi_parser *p) {
    qi_node *first = NULL, **last = &first;
    if (qi_take_sign(p, ")")) return NULL;
    do {
        qi_node *n = qi_node_new(p, N_ARG);
        if (p->t->kind == QI_NAME && p->t[1].kind == QI_SIGN && strcmp(p->t[1].s, ":") == 0)
            n->label = p->t->s, p->t += 2;
        n->a = qi_parse_expr(p);
        *last = n, last = &n->next;
    } while (!qi_bad(p) && qi_take_sign(p, ","));
    qi_want_sign(p, ")");
    return first;
}

// [a..b] or [a, b, ...]
static qi_node *parse_bracket(qi_parser *p) {
    qi_node *n = leaf(p, N_LIST), **last = &n->a;
    if (qi_at_sign(p, "]")) {
        qi_expected(p, "a value", NULL);
        return n;
    }
    do {
        qi_node *e = qi_parse_expr(p);
        if (e) *last = e, last = &e->next;
        if (n->a == e && qi_take_sign(p, "..")) {
            n->kind = N_RANGE;
            n->b = qi_parse_expr(p);
            break;
        }
    } while (!qi_bad(p) && qi_take_sign(p, ","));
    qi_want_sign(p, "]");
    return n;
}

static qi_node *parse_call_word(qi_parser *p, qi_node_kind kind) {
    qi_node *n = leaf(p, kind);
    if (!qi_want_sign(p, "(")) return n;
    n->a = qi_parse_expr(p);
    qi_want_sign(p, ")");
    return n;
}

static qi_node *parse_name(qi_parser *p) {
    static const struct {
        const char *word;
        qi_node_kind kind;
    } call[] = {{"rise", N_RISE}, {"fall", N_FALL}, {"elapsed", N_ELAPSED}, {"every", N_EVERY}};
    if (qi_at_word(p, "true") || qi_at_word(p, "false")) {
        qi_node *n = leaf(p, N_BOOL);
        n->x = n->s[0] == 't';
        return n;
    }
    if (qi_at_word(p, "it")) return leaf(p, N_IT);
    if (qi_at_word(p, "null")) return leaf(p, N_NULL);
    for (int i = 0; i < 4; i++)
        if (qi_at_word(p, call[i].word)) return parse_call_word(p, call[i].kind);
    if (qi_at_word(p, "range") && p->t[1].kind == QI_SIGN && p->t[1].s[0] == '(') {
        qi_node *n = leaf(p, N_RANGE);
        p->t++;
        n->a = qi_parse_expr(p);
        if (qi_want_sign(p, ",")) n->b = qi_parse_expr(p);
        qi_want_sign(p, ")");
        return n;
    }
    if (qi_is_keyword(p->t->s)) {
        qi_expected(p, "a value", NULL);
        return leaf(p, N_NULL);
    }
    qi_node *n = leaf(p, N_NAME);
    if (qi_take_sign(p, "!")) { // enum!value
        n->unit = n->s;
        n->s = qi_want_name(p, "a value of the enum");
    }
    return n;
}

static qi_node *parse_primary(qi_parser *p) {
    const qi_tok *t = p->t;
    if (t->kind == QI_NUMBER) {
        qi_node *n = leaf(p, N_NUM);
        n->x = t->x, n->unit = t->unit, n->whole = t->whole;
        return n;
    }
    if (t->kind == QI_STRING) return leaf(p, N_STR);
    if (t->kind == QI_NAME) return parse_name(p);
    if (qi_at_sign(p, "[")) return parse_bracket(p);
    if (qi_at_sign(p, "@")) {
        qi_node *n = leaf(p, N_EVENT);
        n->s = qi_want_name(p, "the name of an event");
        return n;
    }
    if (qi_take_sign(p, "(")) {
        qi_node *n = qi_parse_expr(p);
        qi_want_sign(p, ")");
        return n;
    }
    qi_expected(p, "a value", NULL);
    return qi_node_new(p, N_NULL);
}

static qi_node *parse_postfix(qi_parser *p) {
    qi_node *n = parse_primary(p);
    while (!qi_bad(p)) {
        if (qi_at_sign(p, ".")) {
            qi_node *f = leaf(p, N_FIELD);
            f->col = p->t->col, f->line = p->t->line;
            f->a = n, f->s = qi_want_name(p, "a field");
            n = f;
        } else if (qi_at_sign(p, "(") && (n->kind == N_NAME || n->kind == N_FIELD)) {
            qi_node *c = qi_node_new(p, N_CALL);
            c->line = n->line, c->col = n->col;
            c->s = n->s, c->a = n->kind == N_FIELD ? n->a : NULL;
            p->t++;
            c->b = qi_parse_args(p);
            n = c;
        } else
            break;
    }
    return n;
}

static qi_node *parse_unary(qi_parser *p) {
    if (!qi_deeper(p)) return qi_node_new(p, N_NULL);
    qi_node *n;
    if (qi_at_sign(p, "-")) {
        n = leaf(p, N_NEG);
        n->a = parse_unary(p);
    } else if (qi_at_word(p, "not")) {
        n = leaf(p, N_NOT);
        n->a = parse_unary(p);
    } else
        n = parse_postfix(p);
    p->depth--;
    return n;
}

typedef struct sign {
    const char *s;
    qi_op op;
    int level;
} sign;
static const sign signs[] = {
    {"=>", OP_IMPLY, 1}, {"or", OP_OR, 2}, {"and", OP_AND, 3}, {"==", OP_EQ, 4}, {"!=", OP_NE, 4},
    {"<=", OP_LE, 4},    {">=", OP_GE, 4}, {"<", OP_LT, 4},    {">", OP_GT, 4},  {"in", OP_IN, 4},
    {"+", OP_ADD, 5},    {"-", OP_SUB, 5}, {"*", OP_MUL, 6},   {"/", OP_DIV, 6}, {"%", OP_MOD, 6},
};

static const sign *binary_at(const qi_parser *p) {
    if (p->t->kind != QI_SIGN && p->t->kind != QI_NAME) return NULL;
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (strcmp(p->t->s, signs[i].s) == 0) return &signs[i];
    return NULL;
}

// Precedence climbing; all operators bind to the left.
static qi_node *parse_binary(qi_parser *p, int level) {
    qi_node *n = parse_unary(p);
    const sign *s;
    while (!qi_bad(p) && (s = binary_at(p)) && s->level >= level) {
        qi_node *b = leaf(p, N_BIN);
        b->op = s->op, b->a = n;
        b->b = parse_binary(p, s->level + 1);
        n = b;
    }
    return n;
}

qi_node *qi_parse_expr(qi_parser *p) {
    if (!qi_deeper(p)) return qi_node_new(p, N_NULL);
    qi_node *n = parse_binary(p, 1);
    if (!qi_bad(p) && qi_at_sign(p, "?")) {
        qi_node *c = leaf(p, N_COND);
        c->a = n, c->b = qi_parse_expr(p);
        if (qi_want_sign(p, ":")) c->c = qi_parse_expr(p);
        n = c;
    }
    p->depth--;
    return n;
}

// @event [if condition] | rise(..) | fall(..) | elapsed(..) | every(..) | condition
qi_node *qi_parse_spec(qi_parser *p) {
    qi_node *n = qi_parse_expr(p);
    if (!qi_bad(p) && n->kind == N_EVENT && qi_take_word(p, "if")) n->a = qi_parse_expr(p);
    return n;
}

qi_node *qi_parse_keep(qi_parser *p) { // at 'keep'
    qi_node *n = leaf(p, N_KEEP);
    if (!qi_want_sign(p, "(")) return n;
    if (qi_at_word(p, "hard")) p->t++;
    n->a = qi_parse_expr(p);
    qi_want_sign(p, ")");
    return n;
}
