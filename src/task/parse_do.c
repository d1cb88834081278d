// SPDX-License-Identifier: Apache-2.0
// parse_do.c - what happens: do, on, serial, parallel, one_of, wait, emit, calls of actions.
// source   OpenSCENARIO DSL 2.1.0, "Behavior specification"
#include "parse.h"

#include <string.h>

static qi_node *parse_member(qi_parser *p);

static qi_node *parse_until(qi_parser *p) {
    qi_node *n = qi_node_new(p, N_UNTIL);
    p->t++;
    n->a = qi_parse_spec(p);
    return n;
}

// with: keep(..) and until lines
static qi_node *parse_with(qi_parser *p) {
    static const char *const words[] = {"keep", "until", NULL};
    qi_node *first = NULL, **last = &first;
    if (!qi_open_block(p)) return NULL;
    while (!qi_bad(p) && p->t->kind != QI_DEDENT) {
        qi_node *n = NULL;
        if (qi_at_word(p, "keep"))
            n = qi_parse_keep(p);
        else if (qi_at_word(p, "until"))
            n = parse_until(p);
        else
            qi_expected(p, "keep(..) or until", words);
        if (qi_bad(p)) return first;
        *last = n, last = &n->next;
        if (!qi_want_newline(p)) return first;
    }
    qi_close_block(p);
    return first;
}

static qi_node *parse_members(qi_parser *p) {
    qi_node *first = NULL, **last = &first;
    if (!qi_open_block(p)) return NULL;
    while (!qi_bad(p) && p->t->kind != QI_DEDENT) {
        qi_node *n = parse_member(p);
        if (n) *last = n, last = &n->next;
    }
    qi_close_block(p);
    return first;
}

static qi_node *parse_group(qi_parser *p, qi_node_kind kind, const char *label) {
    if (!qi_deeper(p)) return NULL;
    qi_node *n = qi_node_new(p, kind);
    p->t++;
    n->label = label;
    if (kind == N_ONE_OF && !label)
        n->label = qiao_arena_printf(p->m->a, "one_of_%d", ++p->auto_one_of);
    if (qi_take_sign(p, "(")) n->b = qi_parse_args(p);
    n->a = parse_members(p);
    if (!qi_bad(p) && qi_take_word(p, "with")) n->with = parse_with(p);
    p->depth--;
    return n;
}

static qi_node *parse_invoke(qi_parser *p, const char *label) {
    qi_node *n = qi_node_new(p, N_INVOKE);
    n->label = label;
    n->a = qi_parse_expr(p);
    if (qi_bad(p)) return n;
    if (n->a->kind != N_CALL) {
        qi_fail(p->m, QIAO_E_FORMAT, n,
                "expected the call of an action, like operator.guide(robot, along: path), or "
                "serial, parallel, one_of, wait, emit");
        return n;
    }
    if (qi_take_word(p, "with"))
        n->with = parse_with(p);
    else
        qi_want_newline(p);
    return n;
}

static qi_node *parse_member(qi_parser *p) {
    const char *label = NULL;
    if (p->t->kind == QI_NAME && p->t[1].kind == QI_SIGN && strcmp(p->t[1].s, ":") == 0 &&
        !qi_is_keyword(p->t->s))
        label = p->t->s, p->t += 2;
    if (qi_at_word(p, "serial")) return parse_group(p, N_SERIAL, label);
    if (qi_at_word(p, "parallel")) return parse_group(p, N_PARALLEL, label);
    if (qi_at_word(p, "one_of")) return parse_group(p, N_ONE_OF, label);
    if (qi_at_word(p, "wait")) {
        qi_node *n = qi_node_new(p, N_WAIT);
        p->t++;
        n->a = qi_parse_spec(p);
        qi_want_newline(p);
        return n;
    }
    if (qi_at_word(p, "emit")) {
        qi_node *n = qi_node_new(p, N_EMIT);
        p->t++;
        n->s = qi_want_name(p, "the name of an event");
        qi_want_newline(p);
        return n;
    }
    return parse_invoke(p, label);
}

qi_node *qi_parse_do(qi_parser *p) { return parse_member(p); }

qi_node *qi_parse_on(qi_parser *p) {
    qi_node *n = qi_node_new(p, N_ON);
    p->t++;
    n->a = qi_parse_spec(p);
    n->b = parse_members(p);
    return n;
}
