// SPDX-License-Identifier: Apache-2.0
// osc.h - inside room task: source text, syntax tree, types and instances of a scenario file.
// source   ASAM OpenSCENARIO DSL 2.1.0, chapter "Language reference"; the subset is in docs/task.md
#ifndef QI_TASK_OSC_H
#define QI_TASK_OSC_H

#include "qiao/task.h"

enum { // bounds on what a file may ask for
    QI_TEXT_MAX = 1 << 20,
    QI_TOKEN_MAX = 100000,
    QI_DEPTH_MAX = 48,
    QI_NAME_MAX = 63,
    QI_DECL_MAX = 1024,
    QI_FIELD_MAX = 256,
    QI_SLOT_MAX = 8192,
    QI_FILE_MAX = 16,
    QI_TRIES_MAX = 4000,
};

// ---- source and tokens ----

typedef struct qi_src {
    const char *path, *text, *name; // name: of a library
    size_t len;
    bool library; // found by name in scenarios/lib
    uint8_t hash[QIAO_HASH_BYTES];
} qi_src;

typedef enum qi_tok_kind {
    QI_EOF,
    QI_NEWLINE,
    QI_INDENT,
    QI_DEDENT,
    QI_NAME,
    QI_NUMBER, // unit != NULL: a physical literal
    QI_STRING,
    QI_SIGN, // s: the operator's text
} qi_tok_kind;

typedef struct qi_tok {
    qi_tok_kind kind;
    int line, col;
    const char *s; // name, string or sign
    double x;
    const char *unit;
    bool whole; // a number without point or exponent
} qi_tok;

qi_tok *qi_lex(qiao_arena *a, const qi_src *src, int *ntok, qiao_diag *d);

// ---- types ----

typedef enum qi_kind {
    QI_BOOL,
    QI_NUM,
    QI_TEXT,
    QI_ENUM,
    QI_OBJ,
    QI_LIST,
    QI_RANGE,
    QI_NULL
} qi_kind;
enum { QI_NDIM = 8 }; // kg m s A K mol cd rad

typedef struct qi_type {
    qi_kind kind;
    const char *name;
    int8_t dim[QI_NDIM];
    bool whole, positive;      // int, uint
    const struct qi_decl *obj; // QI_OBJ
    const char *const *value;  // QI_ENUM names
    int nvalue;
    const struct qi_type *elem; // QI_LIST, QI_RANGE
    struct qi_type *next;
} qi_type;

typedef struct qi_unit {
    const char *name;
    const qi_type *type; // physical type it measures
    double factor, offset;
    struct qi_unit *next;
} qi_unit;

// ---- syntax tree ----

typedef enum qi_node_kind {
    N_NUM,
    N_STR,
    N_BOOL,
    N_NAME,
    N_IT,
    N_NULL,
    N_FIELD, // a . s
    N_CALL,  // s (args b), for actions a = the actor's name node
    N_ARG,   // label: a
    N_LIST,  // a, next
    N_RANGE, // a .. b
    N_NEG,
    N_NOT,
    N_BIN,  // op
    N_COND, // a ? b : c
    N_RISE,
    N_FALL,
    N_ELAPSED,
    N_EVERY,
    N_EVENT, // @s, a: condition or NULL
    N_SERIAL,
    N_PARALLEL,
    N_ONE_OF,
    N_WAIT,
    N_EMIT,
    N_INVOKE, // a: the call
    N_ON,     // a: spec, b: members
    N_KEEP,
    N_UNTIL,
} qi_node_kind;

typedef enum qi_op {
    OP_ADD = 1,
    OP_SUB,
    OP_MUL,
    OP_DIV,
    OP_MOD,
    OP_EQ,
    OP_NE,
    OP_LT,
    OP_LE,
    OP_GT,
    OP_GE,
    OP_IN,
    OP_AND,
    OP_OR,
    OP_IMPLY,
} qi_op;

typedef enum qi_ref { REF_NONE, REF_FIELD, REF_ENUM, REF_FUNC, REF_BUILTIN } qi_ref;

typedef struct qi_node {
    qi_node_kind kind;
    int op, line, col;
    const qi_src *src;
    const char *s, *unit, *label;
    double x;
    bool whole;
    struct qi_node *a, *b, *c, *with, *next;
    // after the check
    const qi_type *type;
    qi_ref ref;
    int index;        // field, enum value, edge memory, event
    const void *link; // REF_FUNC: the native measure
} qi_node;

typedef struct qi_field {
    const char *name;
    const char *type_name;
    bool list, var, event, implicit; // implicit: made from a call of the do tree or a grant
    qi_node *init;                   // value, or NULL
    qi_node *with;                   // N_KEEP list
    qi_node *call;                   // implicit: N_CALL whose args set the fields
    qi_node *at, *type_at;
    const qi_type *type;
    struct qi_field *next;
} qi_field;

typedef struct qi_item { // a line of score:, envelope:
    const char *label;
    qi_node *call;
    struct qi_item *next;
} qi_item;

typedef enum qi_decl_kind { D_STRUCT, D_ACTOR, D_ACTION, D_SCENARIO } qi_decl_kind;

typedef struct qi_decl { // struct, actor, action, scenario
    qi_decl_kind kind;
    const char *name, *base_name, *actor_name;
    const struct qi_decl *base, *actor;
    qi_node *at;
    qi_field *first;  // own fields
    qi_field **field; // [nfield] with inherited ones first
    int nfield, nown;
    qi_node *keep, *run, *on, *odd;
    qi_item *score, *envelope;
    const char *title, *title_zh;
    int indent, end_line; // column of its lines; line after it, 0: the file's end
    int state;            // 0 raw, 1 being resolved, 2 done
    qi_type type;
    struct qi_decl *next;
} qi_decl;

typedef struct qi_func { // def name(args) -> type is external
    const char *name, *ret_name;
    bool ret_list;
    qi_field *arg;
    int narg;
    const qi_type *ret;
    qi_node *at;
    struct qi_func *next;
} qi_func;

typedef struct qi_unit_raw { // type and unit declarations as written
    bool is_unit;
    const char *name, *of;
    int8_t dim[QI_NDIM];
    double factor, offset;
    qi_node *at;
    struct qi_unit_raw *next;
} qi_unit_raw;

typedef struct qi_module { // everything that a scenario file and its imports declare
    qiao_arena *a;
    qiao_diag *d;
    qi_src src[QI_FILE_MAX];
    int nsrc, norder;
    int order[QI_FILE_MAX]; // sources in the order in which they end
    qi_type *type;
    qi_unit *unit;
    qi_decl *decl;
    qi_func *func;
    int ndecl, nedge, depth; // depth of imports while reading
    const qi_decl *main;     // the scenario of the file itself
    qi_decl pick;            // the built-in struct of a one_of: its choice
    qi_type t_bool, t_float, t_int, t_uint, t_text, t_null;
} qi_module;

qiao_err qi_osc_parse(qi_module *m, const qi_src *src, const qi_tok *tok);
// Reads a file or a named library file into the module and parses it; imports inside follow.
qiao_err qi_import(qi_module *m, const char *from, const char *name, bool quoted,
                   const qi_node *at);

// Names to types, inherited fields, expression types, dimensions.
qiao_err qi_check(qi_module *m);
const qi_type *qi_find_type(qi_module *m, const char *name);
const qi_decl *qi_find_decl(const qi_module *m, const char *name);
const qi_unit *qi_find_unit(const qi_module *m, const char *name);
int qi_find_field(const qi_decl *d, const char *name);
bool qi_is_a(const qi_decl *d, const char *name); // d or one of its bases
const char *qi_type_text(qi_module *m, const qi_type *t);
// The unit of factor 1 of a physical type ("m"), "" for plain numbers.
const char *qi_si_unit(const qi_module *m, const qi_type *t);
qiao_err qi_fail(qi_module *m, qiao_err e, const qi_node *at, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

// ---- instances ----

typedef struct qi_val {
    double x; // number, bool, enum index
    const char *s;
    struct qi_obj *o;
    struct qi_val *list;
    int n;
} qi_val;

typedef struct qi_slot { // one field of one object
    const qi_field *f;
    const char *path;
    struct qi_obj *owner;
    const qi_node *eq; // value comes from this, in eq_self with eq_it
    struct qi_obj *eq_self;
    struct qi_slot *eq_it;
    bool eq_keep;        // from a keep, not a default
    const qi_node *list; // choices, in list_self with list_it
    struct qi_obj *list_self;
    struct qi_slot *list_it;
    bool range, bound; // bound: set by the robot that plays the role
    double lo, hi;
    const qi_node *lo_at; // literal whose unit people wrote
    qi_val val;
    int state; // 0 open, 1 being worked out, 2 known
    uint64_t tries;
    int mark;
    bool chosen; // the caller says where in its range or list it lies: at `place`, 0..1
    double place;
} qi_slot;

typedef struct qi_obj {
    const qi_decl *decl;
    const char *path;
    struct qi_obj *up;
    qi_slot *slot;               // [decl->nfield]
    int body;                    // in the world model, -1
    int native;                  // builder's own use
    double size[3], pos[3], yaw; // builder: extents (inner, for containers), place
    double quat[4];              // builder of movable objects: attitude at the start
    double rest_since;           // referee: at rest since, s
    double best;                 // referee: furthest progress
    void *data;                  // builder's own
} qi_obj;

typedef struct qi_rule { // a keep, in its scope
    const qi_node *expr;
    qi_obj *self;
    qi_slot *it;
    bool odd;
} qi_rule;

typedef struct qi_inst {
    qi_module *m;
    qiao_arena *a;
    qiao_diag *d;
    qi_obj *root;
    qi_slot **slot;          // all, in the order of their making
    int nslot, nrule, robot; // robot: field of the role in root
    qi_rule *rule;
    uint64_t seed, trial;
    int mark;
    bool failed, touched; // touched: the rule that was looked at last rests on a chosen place
} qi_inst;

typedef struct qi_env { // where an expression is worked out
    qi_inst *in;
    qi_obj *self;
    qi_slot *it;
    struct qiao_referee *ref; // NULL: before the trial
} qi_env;

// Objects and rules of the module's scenario, values still open.
qi_inst *qi_inst_new(qi_module *m, qiao_arena *a, qiao_diag *d);
// Works out all values; rules hold afterwards or d says which does not.
qiao_err qi_draw(qi_inst *in);
qi_val qi_slot_value(qi_inst *in, qi_slot *s);
qi_val qi_eval(const qi_env *e, const qi_node *n);
bool qi_is_drawn(const qi_slot *s); // it has a range or choices and nothing fixes it
// Values of an object's fields by name; the field exists and has that type (library contract).
double qi_get(qi_inst *in, const qi_obj *o, const char *field);
const char *qi_get_text(qi_inst *in, const qi_obj *o, const char *field);
const char *qi_get_enum(qi_inst *in, const qi_obj *o, const char *field);
qi_obj *qi_get_obj(qi_inst *in, const qi_obj *o, const char *field);
qi_val qi_get_val(qi_inst *in, const qi_obj *o, const char *field);
// An expression as text, at most a line.
const char *qi_expr_text(const qi_module *m, qiao_arena *a, const qi_node *n);
int qi_list_len(const qi_node *list);

// ---- loaded scenario ----

struct qiao_scenario {
    qiao_arena *a;
    qi_module m;
    qi_inst *in; // open values, for the list of parameters
    qiao_param *param;
    int *param_slot;
    double *param_factor;
    int nparam;
    bool concrete;
    const char *name;
    uint8_t hash[QIAO_HASH_BYTES];
};
// A slot as the i-th parameter: in its unit; the index for choices.
double qi_param_value(const qiao_scenario *s, int i, qi_inst *in, const qi_slot *slot);
// From memory; name is shown in errors and gives the folder that imports are looked up in.
qiao_scenario *qi_scenario_parse(const char *text, size_t len, const char *name, qiao_diag *d);

#endif
