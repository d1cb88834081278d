// SPDX-License-Identifier: Apache-2.0
// lex.c - text to tokens; indentation becomes INDENT and DEDENT.
// source   OpenSCENARIO DSL 2.1.0, "Lexical structure"; tabs in indentation are refused here
#include "osc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct lexer {
    qiao_arena *a;
    const qi_src *src;
    qiao_diag *d;
    const char *p, *end, *line_start;
    int line, nest, depth;
    int indent[QI_DEPTH_MAX];
    qi_tok *tok;
    int n;
    bool bad;
} lexer;

static int column(const lexer *l) { return (int)(l->p - l->line_start) + 1; }

static void fail(lexer *l, int line, int col, const char *what) {
    qiao_diag_set(l->d, QIAO_E_FORMAT, l->src->path, line, col, "%s", what);
    l->bad = true;
}

static qi_tok *push(lexer *l, qi_tok_kind kind) {
    static qi_tok spare;
    if (l->n >= QI_TOKEN_MAX) {
        fail(l, l->line, column(l), "the file is too long: at most 100000 words and signs");
        return &spare;
    }
    qi_tok *t = &l->tok[l->n++];
    *t = (qi_tok){.kind = kind, .line = l->line, .col = column(l), .s = ""};
    return t;
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static char at(const lexer *l, int k) { return l->end - l->p > k ? l->p[k] : 0; }

static const char *take_name(lexer *l) {
    const char *s = l->p;
    while (is_letter(at(l, 0)) || is_digit(at(l, 0))) l->p++;
    if (l->p - s > QI_NAME_MAX) {
        int col = (int)(s - l->line_start) + 1;
        fail(l, l->line, col, "a name of more than 63 letters");
    }
    return qiao_arena_text(l->a, s, (size_t)(l->p - s));
}

// 12  0x1f  0.5  1e-3  40N  0.6mps; "0.4.." is a number and a range sign
static void lex_number(lexer *l) {
    qi_tok *t = push(l, QI_NUMBER);
    const char *s = l->p;
    t->whole = true;
    if (at(l, 0) == '0' && at(l, 1) == 'x') {
        char *stop;
        t->x = (double)strtoull(s, &stop, 16);
        l->p = stop < l->end ? stop : l->end;
    } else {
        while (is_digit(at(l, 0))) l->p++;
        if (at(l, 0) == '.' && is_digit(at(l, 1))) {
            t->whole = false;
            for (l->p++; is_digit(at(l, 0));) l->p++;
        }
        int sign = at(l, 1) == '-' || at(l, 1) == '+';
        if ((at(l, 0) == 'e' || at(l, 0) == 'E') && is_digit(at(l, 1 + sign))) {
            t->whole = false;
            for (l->p += 1 + sign; is_digit(at(l, 0));) l->p++;
        }
        char text[400];
        size_t n = (size_t)(l->p - s);
        if (n >= sizeof text) {
            fail(l, l->line, t->col, "a number of more than 399 digits");
            return;
        }
        memcpy(text, s, n), text[n] = 0;
        t->x = strtod(text, NULL);
        if (!(t->x < 1e300)) fail(l, l->line, t->col, "a number that is too large, 1e300 at most");
    }
    t->s = "number";
    if (is_letter(at(l, 0))) t->unit = take_name(l);
}

static void lex_string(lexer *l) {
    qi_tok *t = push(l, QI_STRING);
    char quote = *l->p++;
    const char *s = l->p;
    while (l->p < l->end && *l->p != quote && *l->p != '\n') l->p++;
    if (at(l, 0) != quote) {
        fail(l, l->line, t->col, "a string without its closing quote");
        return;
    }
    t->s = qiao_arena_text(l->a, s, (size_t)(l->p - s));
    l->p++;
}

static void lex_sign(lexer *l) {
    static const char *const sign[] = {"->", "=>", "==", "!=", "<=", ">=", "..", "(", ")",
                                       "[",  "]",  ":",  ",",  ".",  "=",  "+",  "-", "*",
                                       "/",  "%",  "<",  ">",  "@",  "?",  "!",  NULL};
    for (int i = 0; sign[i]; i++) {
        size_t n = strlen(sign[i]);
        if ((size_t)(l->end - l->p) < n || memcmp(l->p, sign[i], n) != 0) continue;
        if (strchr("([", sign[i][0]) && n == 1) l->nest++;
        if (strchr(")]", sign[i][0]) && n == 1 && l->nest > 0) l->nest--;
        push(l, QI_SIGN)->s = sign[i];
        l->p += n;
        return;
    }
    unsigned char c = (unsigned char)*l->p;
    char text[80];
    if (c > 32 && c < 127)
        snprintf(text, sizeof text, "'%c' has no meaning here", c);
    else
        snprintf(text, sizeof text, "a byte 0x%02x outside of strings and comments", c);
    fail(l, l->line, column(l), text);
}

// Spaces at the start of a line that holds something.
static void lex_indent(lexer *l) {
    int n = 0;
    while (at(l, 0) == ' ') l->p++, n++;
    if (at(l, 0) == '\t') {
        fail(l, l->line, column(l), "a tab in the indentation, expected spaces");
        return;
    }
    char c = at(l, 0);
    if (c == '\n' || c == '\r' || c == '#' || l->p >= l->end) return; // an empty line
    if (n > l->indent[l->depth]) {
        if (l->depth + 1 >= QI_DEPTH_MAX) {
            fail(l, l->line, column(l), "blocks nested too deep, at most 47");
            return;
        }
        l->indent[++l->depth] = n;
        push(l, QI_INDENT);
        return;
    }
    while (n < l->indent[l->depth]) l->depth--, push(l, QI_DEDENT);
    if (n != l->indent[l->depth])
        fail(l, l->line, column(l), "an indentation that fits no block above it");
}

static void end_line(lexer *l) {
    if (l->nest == 0 && l->n > 0 && l->tok[l->n - 1].kind != QI_NEWLINE &&
        l->tok[l->n - 1].kind != QI_DEDENT && l->tok[l->n - 1].kind != QI_INDENT)
        push(l, QI_NEWLINE);
}

static void new_line(lexer *l) {
    l->p++, l->line++, l->line_start = l->p;
    if (l->nest == 0) lex_indent(l);
}

static void lex_one(lexer *l) {
    char c = *l->p;
    if (c == '\n')
        end_line(l), new_line(l);
    else if (c == ' ' || c == '\r' || c == '\t')
        l->p++;
    else if (c == '\\' && (at(l, 1) == '\n' || (at(l, 1) == '\r' && at(l, 2) == '\n'))) {
        l->p += at(l, 1) == '\r' ? 3 : 2, l->line++, l->line_start = l->p;
    } else if (c == '#') {
        while (l->p < l->end && *l->p != '\n') l->p++;
    } else if (is_letter(c)) {
        qi_tok *t = push(l, QI_NAME);
        t->s = take_name(l);
    } else if (is_digit(c))
        lex_number(l);
    else if (c == '"' || c == '\'')
        lex_string(l);
    else
        lex_sign(l);
}

qi_tok *qi_lex(qiao_arena *a, const qi_src *src, int *ntok, qiao_diag *d) {
    lexer l = {a, src, d, src->text, src->text + src->len, src->text, 1, 0, 0, {0}, NULL, 0, false};
    // as many tokens as bytes at most, plus a DEDENT for each open block, NEWLINE and EOF
    size_t cap = src->len + QI_DEPTH_MAX + 8;
    if (cap > QI_TOKEN_MAX) cap = QI_TOKEN_MAX;
    l.tok = qiao_arena_get(a, cap * sizeof *l.tok);
    if (!l.tok) {
        qiao_diag_set(d, QIAO_E_MEM, src->path, 0, 0, "out of memory");
        return NULL;
    }
    if (src->len >= 3 && memcmp(src->text, "\xef\xbb\xbf", 3) == 0) l.p += 3, l.line_start += 3;
    lex_indent(&l);
    while (l.p < l.end && !l.bad) lex_one(&l);
    if (!l.bad && l.nest > 0) fail(&l, l.line, column(&l), "the file ends inside brackets");
    if (!l.bad) end_line(&l);
    while (!l.bad && l.depth > 0) l.depth--, push(&l, QI_DEDENT);
    if (!l.bad) push(&l, QI_EOF)->s = "end of file";
    *ntok = l.n;
    return l.bad ? NULL : l.tok;
}
