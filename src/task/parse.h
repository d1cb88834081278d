// SPDX-License-Identifier: Apache-2.0
// parse.h - the parser's hands: look at a token, take it, say what was expected.
#ifndef QI_TASK_PARSE_H
#define QI_TASK_PARSE_H

#include "osc.h"

typedef struct qi_parser {
    qi_module *m;
    const qi_src *src;
    const qi_tok *t; // present token; the last one is QI_EOF
    int depth, import_depth;
    int auto_one_of; // for names of nodes without a label
} qi_parser;

qi_node *qi_node_new(qi_parser *p, qi_node_kind kind); // at the present token
bool qi_at_sign(const qi_parser *p, const char *s);
bool qi_at_word(const qi_parser *p, const char *s);
bool qi_take_sign(qi_parser *p, const char *s); // takes it if it is there
bool qi_take_word(qi_parser *p, const char *s);
bool qi_want_sign(qi_parser *p, const char *s); // takes it or fails
const char *qi_want_name(qi_parser *p, const char *what);
bool qi_want_newline(qi_parser *p);
bool qi_open_block(qi_parser *p); // ':' NEWLINE INDENT
bool qi_close_block(qi_parser *p);
bool qi_bad(const qi_parser *p);
// "expected WHAT, found X" with the nearest of near[] (NULL-ended, or NULL)
void qi_expected(qi_parser *p, const char *what, const char *const *near);
bool qi_deeper(qi_parser *p);
bool qi_is_keyword(const char *s);

qi_node *qi_parse_expr(qi_parser *p);
qi_node *qi_parse_args(qi_parser *p); // after '(', takes ')'
qi_node *qi_parse_spec(qi_parser *p); // event specification
qi_node *qi_parse_keep(qi_parser *p);
qi_node *qi_parse_do(qi_parser *p); // after 'do'
qi_node *qi_parse_on(qi_parser *p); // after 'on'

#endif
