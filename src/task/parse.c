// SPDX-License-Identifier: Apache-2.0
// parse.c - tokens to declarations: import, type, unit, enum, struct, actor, action, scenario, def.
#include "parse.h"

#include <stdio.h>
#include <string.h>

// ---- hands ----

bool qi_bad(const qi_parser *p) { return p->m->d->err != QIAO_OK; }

qi_node *qi_node_new(qi_parser *p, qi_node_kind kind) {
    static qi_node spare; // out of memory is a fault already set; parsing stops at once
    qi_node *n = qiao_arena_get(p->m->a, sizeof *n);
    if (!n) {
        qiao_diag_set(p->m->d, QIAO_E_MEM, p->src->path, 0, 0, "out of memory");
        n = &spare;
    }
    *n = (qi_node){.kind = kind, .line = p->t->line, .col = p->t->col, .src = p->src, .s = p->t->s};
    return n;
}

qiao_err qi_fail(qi_module *m, qiao_err e, const qi_node *at, const char *fmt, ...) {
    char text[700];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return qiao_diag_set(m->d, e, at && at->src ? at->src->path : NULL, at ? at->line : 0,
                         at ? at->col : 0, "%s", text);
}

bool qi_at_sign(const qi_parser *p, const char *s) {
    return p->t->kind == QI_SIGN && strcmp(p->t->s, s) == 0;
}
bool qi_at_word(const qi_parser *p, const char *s) {
    return p->t->kind == QI_NAME && strcmp(p->t->s, s) == 0;
}
bool qi_take_sign(qi_parser *p, const char *s) { return qi_at_sign(p, s) && p->t++; }
bool qi_take_word(qi_parser *p, const char *s) { return qi_at_word(p, s) && p->t++; }

void qi_expected(qi_parser *p, const char *what, const char *const *near) {
    const qi_tok *t = p->t;
    static const char *const layout[] = {"the end of the file", "the end of the line",
                                         "a deeper block", "the end of the block"};
    char found[100];
    if (t->kind <= QI_DEDENT)
        snprintf(found, sizeof found, "%s", layout[t->kind]);
    else if (t->kind == QI_NUMBER)
        snprintf(found, sizeof found, "the number %g%s", t->x, t->unit ? t->unit : "");
    else if (t->kind == QI_STRING)
        snprintf(found, sizeof found, "the string \"%.40s\"", t->s);
    else
        snprintf(found, sizeof found, "'%s'", t->s);
    const char *best = NULL;
    int n = 0;
    while (near && near[n]) n++;
    if (n && t->kind == QI_NAME) best = qiao_nearest(t->s, near, n);
    qiao_diag_set(p->m->d, QIAO_E_FORMAT, p->src->path, t->line, t->col,
                  "expected %s, found %s%s%s%s", what, found, best ? "; did you mean '" : "",
                  best ? best : "", best ? "'?" : "");
}

bool qi_want_sign(qi_parser *p, const char *s) {
    if (qi_bad(p)) return false;
    if (qi_take_sign(p, s)) return true;
    char what[16];
    snprintf(what, sizeof what, "'%s'", s);
    qi_expected(p, what, NULL);
    return false;
}

bool qi_is_keyword(const char *s) {
    static const char *const word[] = {
        "action",   "actor",   "and",      "as",     "bool",   "call",   "cover",    "def",
        "do",       "elapsed", "emit",     "enum",   "event",  "every",  "extend",   "external",
        "fall",     "false",   "float",    "global", "hard",   "if",     "import",   "in",
        "inherits", "int",     "is",       "it",     "keep",   "list",   "modifier", "namespace",
        "not",      "null",    "of",       "on",     "one_of", "or",     "parallel", "range",
        "record",   "rise",    "scenario", "serial", "string", "struct", "true",     "type",
        "uint",     "unit",    "until",    "use",    "var",    "wait",   "with",     NULL};
    for (int i = 0; word[i]; i++)
        if (strcmp(word[i], s) == 0) return true;
    return false;
}

const char *qi_want_name(qi_parser *p, const char *what) {
    if (qi_bad(p)) return "";
    if (p->t->kind != QI_NAME || qi_is_keyword(p->t->s)) {
        qi_expected(p, what, NULL);
        return "";
    }
    return p->t++->s;
}

bool qi_want_newline(qi_parser *p) {
    if (qi_bad(p)) return false;
    if (p->t->kind == QI_NEWLINE) return p->t++, true;
    if (p->t->kind == QI_EOF || p->t->kind == QI_DEDENT) return true;
    qi_expected(p, "the end of the line", NULL);
    return false;
}

bool qi_open_block(qi_parser *p) {
    if (!qi_want_sign(p, ":")) return false;
    if (p->t->kind == QI_NEWLINE) p->t++;
    if (p->t->kind == QI_INDENT) return p->t++, true;
    qi_expected(p, "a block, indented deeper than the line above", NULL);
    return false;
}

bool qi_close_block(qi_parser *p) {
    if (qi_bad(p)) return false;
    if (p->t->kind == QI_DEDENT) return p->t++, true;
    qi_expected(p, "the end of the block", NULL);
    return false;
}

bool qi_deeper(qi_parser *p) {
    if (qi_bad(p)) return false;
    if (++p->depth <= QI_DEPTH_MAX) return true;
    qiao_diag_set(p->m->d, QIAO_E_LIMIT, p->src->path, p->t->line, p->t->col,
                  "nested too deep, at most %d levels", QI_DEPTH_MAX);
    return false;
}

// ---- types, units, enums, functions ----

// SI(m: 1, s: -1, factor: 0.5, offset: 3)
static void parse_si(qi_parser *p, int8_t dim[QI_NDIM], double *factor, double *offset) {
    static const char *const base[] = {"kg", "m",   "s",      "A",      "K", "mol",
                                       "cd", "rad", "factor", "offset", NULL};
    if (!qi_take_word(p, "SI")) {
        qi_expected(p, "SI(..)", NULL);
        return;
    }
    qi_want_sign(p, "(");
    while (!qi_bad(p)) {
        int k = 0;
        while (base[k] && !qi_at_word(p, base[k])) k++;
        if (!base[k]) {
            qi_expected(p, "kg, m, s, A, K, mol, cd, rad, factor or offset", base);
            return;
        }
        p->t++;
        qi_want_sign(p, ":");
        double sign = qi_take_sign(p, "-") ? -1 : 1;
        if (!qi_bad(p) && (p->t->kind != QI_NUMBER || p->t->unit)) qi_expected(p, "a number", NULL);
        if (qi_bad(p)) return;
        double x = sign * p->t->x;
        bool ok = k == 9 || (k == 8 && x > 1e-30) || (k < 8 && p->t->whole && x >= -9 && x <= 9);
        if (!ok) {
            qi_expected(p, k == 8 ? "a factor above 0" : "a whole exponent from -9 to 9", NULL);
            return;
        }
        p->t++;
        if (k < 8)
            dim[k] = (int8_t)x;
        else
            *(k == 8 ? factor : offset) = x;
        if (!qi_take_sign(p, ",")) break;
    }
    qi_want_sign(p, ")");
}

// type NAME is SI(..)   unit NAME of TYPE is SI(..)
static void parse_type(qi_parser *p, bool is_unit) {
    p->t++;
    qi_node *at = qi_node_new(p, N_NULL);
    at->s = qi_want_name(p, is_unit ? "the name of a unit" : "the name of a type");
    qi_type *t = qiao_arena_get(p->m->a, sizeof *t);
    qi_unit *u = qiao_arena_get(p->m->a, sizeof *u);
    if (!t || !u) return;
    if (is_unit) {
        if (!qi_take_word(p, "of")) qi_expected(p, "of", NULL);
        at->unit = qi_want_name(p, "a physical type");
    }
    if (!qi_bad(p) && !qi_take_word(p, "is")) qi_expected(p, "is", NULL);
    u->factor = 1;
    if (!qi_bad(p)) parse_si(p, t->dim, &u->factor, &u->offset);
    qi_want_newline(p);
    if (qi_bad(p)) return;
    if (!is_unit) {
        if (qi_find_type(p->m, at->s)) {
            qi_fail(p->m, QIAO_E_NAME, at, "type '%s' is declared twice", at->s);
            return;
        }
        t->kind = QI_NUM, t->name = at->s, t->next = p->m->type, p->m->type = t;
        return;
    }
    const qi_type *of = qi_find_type(p->m, at->unit);
    if (!of || of->kind != QI_NUM) {
        qi_fail(p->m, QIAO_E_NAME, at, "unit '%s': '%s' is no physical type", at->s, at->unit);
    } else if (memcmp(of->dim, t->dim, sizeof t->dim) != 0) {
        qi_fail(p->m, QIAO_E_FIT, at, "unit '%s' has other dimensions than type '%s'", at->s,
                at->unit);
    } else if (qi_find_unit(p->m, at->s)) {
        qi_fail(p->m, QIAO_E_NAME, at, "unit '%s' is declared twice", at->s);
    } else
        u->name = at->s, u->type = of, u->next = p->m->unit, p->m->unit = u;
}

static void parse_enum(qi_parser *p) {
    qi_node *at = qi_node_new(p, N_NULL);
    p->t++;
    qi_type *t = qiao_arena_get(p->m->a, sizeof *t);
    const char **value = qiao_arena_get(p->m->a, 64 * sizeof *value);
    at->s = qi_want_name(p, "the name of an enum");
    if (!t || !value || !qi_want_sign(p, ":") || !qi_want_sign(p, "[")) return;
    do {
        if (t->nvalue == 64) {
            qi_fail(p->m, QIAO_E_LIMIT, at, "an enum has at most 64 values");
            return;
        }
        value[t->nvalue++] = qi_want_name(p, "a value's name");
    } while (!qi_bad(p) && qi_take_sign(p, ","));
    qi_want_sign(p, "]");
    qi_want_newline(p);
    if (qi_bad(p)) return;
    if (qi_find_type(p->m, at->s)) {
        qi_fail(p->m, QIAO_E_NAME, at, "type '%s' is declared twice", at->s);
        return;
    }
    t->kind = QI_ENUM, t->name = at->s, t->value = value, t->next = p->m->type, p->m->type = t;
}

static const char *type_name(qi_parser *p, bool *list) {
    static const char *const plain[] = {"bool", "int", "uint", "float", "string"};
    if (qi_take_word(p, "list")) {
        *list = true;
        if (!qi_take_word(p, "of")) qi_expected(p, "of", NULL);
    }
    for (int i = 0; i < 5; i++)
        if (qi_take_word(p, plain[i])) return plain[i];
    return qi_want_name(p, "a type");
}

// def NAME(a: type, ...) -> type is external
static void parse_def(qi_parser *p) {
    p->t++;
    qi_func *f = qiao_arena_get(p->m->a, sizeof *f);
    if (!f) return;
    f->at = qi_node_new(p, N_NULL);
    f->name = qi_want_name(p, "the name of a function");
    qi_field **last = &f->arg;
    qi_want_sign(p, "(");
    while (!qi_bad(p) && !qi_at_sign(p, ")")) {
        qi_field *a = qiao_arena_get(p->m->a, sizeof *a);
        if (!a) return;
        a->at = qi_node_new(p, N_NULL);
        a->name = qi_want_name(p, "an argument");
        qi_want_sign(p, ":");
        if (!qi_bad(p)) a->type_name = type_name(p, &a->list);
        *last = a, last = &a->next;
        if (++f->narg > 8) qi_expected(p, "at most 8 arguments", NULL);
        if (!qi_take_sign(p, ",")) break;
    }
    qi_want_sign(p, ")");
    qi_want_sign(p, "->");
    if (!qi_bad(p)) f->ret_name = type_name(p, &f->ret_list);
    if (!qi_bad(p) && (!qi_take_word(p, "is") || !qi_take_word(p, "external")))
        qi_expected(p, "is external", NULL);
    qi_want_newline(p);
    f->next = p->m->func, p->m->func = f;
}

// ---- compound types ----

static void add_field(qi_parser *p, qi_decl *d, qi_field *f) {
    for (qi_field *o = d->first; o; o = o->next)
        if (strcmp(o->name, f->name) == 0) {
            qi_fail(p->m, QIAO_E_NAME, f->at, "'%s' is declared twice, first in line %d", f->name,
                    o->at->line);
            return;
        }
    if (++d->nown > QI_FIELD_MAX) {
        qi_fail(p->m, QIAO_E_LIMIT, f->at, "more than %d fields", QI_FIELD_MAX);
        return;
    }
    qi_field **last = &d->first;
    while (*last) last = &(*last)->next;
    *last = f;
}

static qi_field *new_field(qi_parser *p) {
    static qi_field spare;
    qi_field *f = qiao_arena_get(p->m->a, sizeof *f);
    if (!f) qiao_diag_set(p->m->d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    if (!f) f = &spare, memset(f, 0, sizeof *f);
    f->at = qi_node_new(p, N_NULL);
    return f;
}

// keep lines below a field
static qi_node *parse_keeps(qi_parser *p) {
    static const char *const words[] = {"keep", NULL};
    qi_node *first = NULL, **last = &first;
    if (!qi_open_block(p)) return NULL;
    while (!qi_bad(p) && p->t->kind != QI_DEDENT) {
        if (!qi_at_word(p, "keep")) {
            qi_expected(p, "keep(..)", words);
            return first;
        }
        *last = qi_parse_keep(p), last = &(*last)->next;
        if (!qi_want_newline(p)) return first;
    }
    qi_close_block(p);
    return first;
}

// a, b: type = value with: keeps
static void parse_field(qi_parser *p, qi_decl *d, bool var) {
    qi_field *made[32];
    int n = 0;
    do {
        if (n == 32) {
            qi_expected(p, "at most 32 names", NULL);
            return;
        }
        made[n] = new_field(p);
        made[n]->name = qi_want_name(p, "the name of a field");
        n++;
    } while (!qi_bad(p) && qi_take_sign(p, ","));
    if (!qi_want_sign(p, ":")) return;
    bool list = false;
    qi_node *type_at = qi_node_new(p, N_NULL);
    const char *type = type_name(p, &list);
    qi_node *init = NULL, *with = NULL;
    if (!qi_bad(p) && qi_take_sign(p, "=")) init = qi_parse_expr(p);
    if (!qi_bad(p) && qi_take_word(p, "with"))
        with = parse_keeps(p);
    else
        qi_want_newline(p);
    if (qi_bad(p)) return;
    if (var && !init) {
        qi_fail(p->m, QIAO_E_FORMAT, made[0]->at, "a var needs a value: var name: type = value");
        return;
    }
    for (int i = 0; i < n && !qi_bad(p); i++) {
        made[i]->type_name = type, made[i]->list = list, made[i]->var = var;
        made[i]->type_at = type_at;
        made[i]->init = init, made[i]->with = with;
        add_field(p, d, made[i]);
    }
}

// event a, b
static void parse_event(qi_parser *p, qi_decl *d) {
    p->t++;
    do {
        qi_field *f = new_field(p);
        f->name = qi_want_name(p, "the name of an event");
        f->event = true, f->type_name = "bool";
        if (!qi_bad(p)) add_field(p, d, f);
    } while (!qi_bad(p) && qi_take_sign(p, ","));
    qi_want_newline(p);
}

static void append(qi_node **list, qi_node *n) {
    while (*list) list = &(*list)->next;
    *list = n;
}

// score: and envelope: hold labelled or bare calls
static void parse_items(qi_parser *p, qi_item **list) {
    while (*list) list = &(*list)->next;
    p->t++;
    if (!qi_open_block(p)) return;
    while (!qi_bad(p) && p->t->kind != QI_DEDENT) {
        qi_item *it = qiao_arena_get(p->m->a, sizeof *it);
        if (!it) return;
        if (p->t->kind == QI_NAME && p->t[1].kind == QI_SIGN && strcmp(p->t[1].s, ":") == 0)
            it->label = p->t->s, p->t += 2;
        it->call = qi_parse_expr(p);
        if (!qi_bad(p) && it->call->kind != N_CALL)
            qi_fail(p->m, QIAO_E_FORMAT, it->call, "expected a line like name: bound(..)");
        if (!qi_want_newline(p)) return;
        *list = it, list = &it->next;
    }
    qi_close_block(p);
}

// grant: each line makes a field of a struct that inherits 'signal'
static void parse_grant(qi_parser *p, qi_decl *d) {
    p->t++;
    if (!qi_open_block(p)) return;
    while (!qi_bad(p) && p->t->kind != QI_DEDENT) {
        qi_field *f = new_field(p);
        const char *label = NULL;
        if (p->t->kind == QI_NAME && p->t[1].kind == QI_SIGN && strcmp(p->t[1].s, ":") == 0)
            label = p->t->s, p->t += 2;
        f->call = qi_parse_expr(p);
        if (qi_bad(p)) return;
        if (f->call->kind != N_CALL || f->call->a) {
            qi_fail(p->m, QIAO_E_FORMAT, f->call, "expected a signal, like base_pose(rate: 50Hz)");
            return;
        }
        f->type_name = f->call->s, f->implicit = true;
        f->name = label ? label : f->call->s;
        if (!qi_want_newline(p)) return;
        add_field(p, d, f);
    }
    qi_close_block(p);
}

static bool parse_text(qi_parser *p, const char *word, const char **text) {
    if (!qi_at_word(p, word) || p->t[1].kind != QI_SIGN || p->t[1].s[0] != ':' ||
        p->t[2].kind != QI_STRING)
        return false;
    *text = p->t[2].s, p->t += 3;
    qi_want_newline(p);
    return true;
}

static bool at_block(const qi_parser *p, const char *word) {
    return qi_at_word(p, word) && p->t[1].kind == QI_SIGN && p->t[1].s[0] == ':' &&
           (p->t[2].kind == QI_NEWLINE || p->t[2].kind == QI_INDENT);
}

static void parse_odd(qi_parser *p, qi_decl *d) {
    p->t++;
    qi_node *n = parse_keeps(p);
    append(&d->odd, n);
}

static void parse_scenario_member(qi_parser *p, qi_decl *d) {
    if (parse_text(p, "title", &d->title) || parse_text(p, "title_zh", &d->title_zh)) return;
    if (at_block(p, "score"))
        parse_items(p, &d->score);
    else if (at_block(p, "envelope"))
        parse_items(p, &d->envelope);
    else if (at_block(p, "odd"))
        parse_odd(p, d);
    else if (at_block(p, "grant"))
        parse_grant(p, d);
    else if (qi_at_word(p, "on"))
        append(&d->on, qi_parse_on(p));
    else if (qi_at_word(p, "do")) {
        if (d->run) {
            qi_expected(p, "only one do in a scenario", NULL);
            return;
        }
        p->t++;
        d->run = qi_parse_do(p);
    } else
        parse_field(p, d, false);
}

static void parse_body(qi_parser *p, qi_decl *d) {
    static const char *const no[] = {"cover", "record", "modifier", "call", "def", "use", NULL};
    while (!qi_bad(p) && p->t->kind != QI_DEDENT) {
        for (int i = 0; no[i]; i++)
            if (qi_at_word(p, no[i])) {
                qi_node *at = qi_node_new(p, N_NULL);
                qi_fail(p->m, QIAO_E_UNSUPPORTED, at,
                        "'%s' of OpenSCENARIO DSL is not in the subset that docs/task.md lists",
                        no[i]);
                return;
            }
        if (qi_at_word(p, "keep")) {
            append(&d->keep, qi_parse_keep(p));
            qi_want_newline(p);
        } else if (qi_at_word(p, "var")) {
            p->t++;
            parse_field(p, d, true);
        } else if (qi_at_word(p, "event"))
            parse_event(p, d);
        else if (d->kind == D_SCENARIO)
            parse_scenario_member(p, d);
        else
            parse_field(p, d, false);
    }
}

static void parse_decl(qi_parser *p, qi_decl_kind kind) {
    qi_decl *d = qiao_arena_get(p->m->a, sizeof *d);
    if (!d) return;
    p->t++;
    d->at = qi_node_new(p, N_NULL);
    d->kind = kind;
    d->name = qi_want_name(p, "a name");
    if (kind == D_ACTION && qi_take_sign(p, ".")) { // action actor.verb
        d->actor_name = d->name;
        d->name = qiao_arena_printf(p->m->a, "%s.%s", d->actor_name, qi_want_name(p, "a name"));
    }
    if (!qi_bad(p) && qi_take_word(p, "inherits")) d->base_name = qi_want_name(p, "a base");
    if (qi_bad(p)) return;
    if (qi_find_decl(p->m, d->name) || qi_find_type(p->m, d->name)) {
        qi_fail(p->m, QIAO_E_NAME, d->at, "'%s' is declared twice", d->name);
        return;
    }
    if (++p->m->ndecl > QI_DECL_MAX) {
        qi_fail(p->m, QIAO_E_LIMIT, d->at, "more than %d declarations", QI_DECL_MAX);
        return;
    }
    d->type = (qi_type){.kind = QI_OBJ, .name = d->name, .obj = d};
    qi_decl **last = &p->m->decl; // in order of declaration
    while (*last) last = &(*last)->next;
    *last = d;
    if (kind == D_SCENARIO && p->import_depth == 0) {
        if (p->m->main) {
            qi_fail(p->m, QIAO_E_FORMAT, d->at, "a second scenario; a file holds one");
            return;
        }
        p->m->main = d;
    }
    bool deeper = p->t->kind == QI_NEWLINE && p->t[1].kind == QI_INDENT;
    if (qi_at_sign(p, ":") || deeper || kind == D_SCENARIO) {
        if (!qi_open_block(p)) return;
        d->indent = p->t->col;
        parse_body(p, d);
        d->end_line = p->t[1].line; // of what follows the block
        qi_close_block(p);
        if (p->t->kind == QI_EOF) d->end_line = 0;
    } else
        qi_want_newline(p);
}

// import qiao   import a.b   import "file.osc"
static void parse_import(qi_parser *p) {
    qi_node *at = qi_node_new(p, N_NULL);
    p->t++;
    const char *name;
    bool quoted = p->t->kind == QI_STRING;
    if (quoted)
        name = p->t++->s;
    else {
        name = qi_want_name(p, "the name of a library or a file in quotes");
        while (!qi_bad(p) && qi_take_sign(p, "."))
            name = qiao_arena_printf(p->m->a, "%s/%s", name, qi_want_name(p, "a name"));
    }
    if (!qi_want_newline(p)) return;
    if (p->import_depth >= 8)
        qi_fail(p->m, QIAO_E_LIMIT, at, "imports nested deeper than 8");
    else
        qi_import(p->m, p->src->path, name, quoted, at);
}

static void parse_top(qi_parser *p) {
    static const char *const words[] = {"import", "type",   "unit",     "enum", "struct",
                                        "actor",  "action", "scenario", "def",  NULL};
    if (qi_at_word(p, "import"))
        parse_import(p);
    else if (qi_at_word(p, "type"))
        parse_type(p, false);
    else if (qi_at_word(p, "unit"))
        parse_type(p, true);
    else if (qi_at_word(p, "enum"))
        parse_enum(p);
    else if (qi_at_word(p, "struct"))
        parse_decl(p, D_STRUCT);
    else if (qi_at_word(p, "actor"))
        parse_decl(p, D_ACTOR);
    else if (qi_at_word(p, "action"))
        parse_decl(p, D_ACTION);
    else if (qi_at_word(p, "scenario"))
        parse_decl(p, D_SCENARIO);
    else if (qi_at_word(p, "def"))
        parse_def(p);
    else
        qi_expected(p, "import, type, unit, enum, struct, actor, action, scenario or def", words);
}

qiao_err qi_osc_parse(qi_module *m, const qi_src *src, const qi_tok *tok) {
    qi_parser p = {.m = m, .src = src, .t = tok, .import_depth = m->depth};
    while (!qi_bad(&p) && p.t->kind != QI_EOF) parse_top(&p);
    return m->d->err;
}
