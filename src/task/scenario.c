// SPDX-License-Identifier: Apache-2.0
// scenario.c - loads and checks scenario files, lists them and their parameters.
#include "osc.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool add_source(qi_module *m, const char *path, const char *text, size_t len, bool library,
                       const char *name) {
    qi_src *s = &m->src[m->nsrc];
    s->path = path, s->text = text, s->len = len, s->library = library, s->name = name;
    qiao_hash h;
    qiao_hash_init(&h);
    qiao_hash_add(&h, text, len);
    qiao_hash_end(&h, s->hash);
    int own = m->nsrc++, ntok = 0;
    qi_tok *tok = qi_lex(m->a, s, &ntok, m->d);
    if (!tok || qi_osc_parse(m, s, tok)) return false;
    m->order[m->norder++] = own;
    return true;
}

static bool read_source(qi_module *m, const char *path, bool library, const char *name,
                        const qi_node *at) {
    for (int i = 0; i < m->nsrc; i++)
        if (strcmp(m->src[i].path, path) == 0) return true; // once is enough
    if (m->nsrc == QI_FILE_MAX) {
        qi_fail(m, QIAO_E_LIMIT, at, "more than %d files", QI_FILE_MAX);
        return false;
    }
    char *data = NULL;
    size_t n = 0;
    qiao_diag why = {0};
    if (qiao_file_read(path, QI_TEXT_MAX, &data, &n, &why)) {
        qi_fail(m, why.err, at, "%s", why.text);
        return false;
    }
    char *text = qiao_arena_text(m->a, data, n);
    free(data);
    if (!text) return qiao_diag_set(m->d, QIAO_E_MEM, NULL, 0, 0, "out of memory"), false;
    return add_source(m, path, text, n, library, name);
}

qiao_err qi_import(qi_module *m, const char *from, const char *name, bool quoted,
                   const qi_node *at) {
    char *path;
    size_t n = strlen(name);
    if (quoted) {
        if (name[0] == '/' || n < 5 || strcmp(name + n - 4, ".osc") != 0)
            return qi_fail(m, QIAO_E_ARG, at, "expected a path of an .osc file beside this one");
        const char *slash = strrchr(from, '/');
        path = qiao_arena_printf(m->a, "%.*s%s", slash ? (int)(slash - from) + 1 : 0, from, name);
    } else
        path = qiao_arena_printf(m->a, "%s/scenarios/lib/%s.osc", qiao_home(), name);
    if (!path) return qiao_diag_set(m->d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    m->depth++;
    read_source(m, path, !quoted, name, at);
    m->depth--;
    return m->d->err;
}

static void init_types(qi_module *m) {
    m->t_bool = (qi_type){.kind = QI_BOOL, .name = "bool"};
    m->t_float = (qi_type){.kind = QI_NUM, .name = "float"};
    m->t_int = (qi_type){.kind = QI_NUM, .name = "int", .whole = true};
    m->t_uint = (qi_type){.kind = QI_NUM, .name = "uint", .whole = true, .positive = true};
    m->t_text = (qi_type){.kind = QI_TEXT, .name = "string"};
    m->t_null = (qi_type){.kind = QI_NULL, .name = "null"};
}

// The struct behind each one_of: which of its members happens, counted from 0.
static bool init_pick(qi_module *m) {
    qi_field *f = qiao_arena_get(m->a, sizeof *f), **list = qiao_arena_get(m->a, sizeof *list);
    qi_node *at = qiao_arena_get(m->a, sizeof *at);
    if (!f || !list || !at) return false;
    at->kind = N_NULL;
    f->name = "choice", f->type_name = "uint", f->type = &m->t_uint, f->at = at;
    list[0] = f;
    qi_decl *p = &m->pick;
    p->kind = D_STRUCT, p->name = "one_of", p->at = at, p->field = list, p->nfield = p->nown = 1;
    p->first = f, p->state = 2;
    p->type = (qi_type){.kind = QI_OBJ, .name = "one_of", .obj = p};
    return true;
}

// ---- parameters ----

static const qi_node *first_number(const qi_node *n) {
    while (n && n->kind != N_NUM) n = n->a;
    return n;
}

// A drawn slot, or one that a literal fixes in a place where a range stands too.
static bool is_param(const qi_slot *s) {
    if ((!s->range && !s->list) || s->bound) return false;
    if (!s->eq_keep) return true;
    const qi_node *n = s->eq;
    return n->kind == N_NUM || (n->kind == N_NEG && n->a->kind == N_NUM) || n->ref == REF_ENUM ||
           n->kind == N_BOOL || (s->list && s->f->type->kind == QI_OBJ);
}

static int choice_index(qi_inst *in, const qi_slot *s) {
    int k = 0;
    qi_env e = {in, s->list_self, s->list_it, NULL};
    for (const qi_node *n = s->list->a; n; n = n->next, k++) {
        qi_val v = qi_eval(&e, n);
        bool same = !v.s == !s->val.s && (!v.s || strcmp(v.s, s->val.s) == 0);
        if (v.o == s->val.o && v.x == s->val.x && same) return k;
    }
    return 0;
}

double qi_param_value(const qiao_scenario *s, int i, qi_inst *in, const qi_slot *slot) {
    if (slot->list) return choice_index(in, slot);
    return slot->val.x / s->param_factor[i];
}

static bool list_param(qiao_scenario *s, int k, qiao_diag *d) {
    qi_slot *slot = s->in->slot[k];
    const qi_type *t = slot->f->type;
    qiao_param *p = &s->param[s->nparam];
    double factor = 1;
    p->name = slot->path, p->unit = qi_si_unit(&s->m, t);
    if (t->kind == QI_NUM && !p->unit) {
        qiao_diag_set(d, QIAO_E_FIT, slot->f->at->src ? slot->f->at->src->path : NULL,
                      slot->f->at->line, slot->f->at->col,
                      "'%s' is drawn, but its type has no unit of factor 1 to write it in",
                      slot->path);
        return false;
    }
    if (slot->list)
        p->unit = "", p->lo = 0, p->hi = qi_list_len(slot->list) - 1;
    else {
        const qi_unit *u =
            slot->lo_at && slot->lo_at->unit ? qi_find_unit(&s->m, slot->lo_at->unit) : NULL;
        if (u && u->offset == 0) factor = u->factor, p->unit = u->name;
        p->lo = slot->lo / factor, p->hi = slot->hi / factor;
    }
    s->param_slot[s->nparam] = k, s->param_factor[s->nparam] = factor;
    if (slot->eq_keep) { // fixed
        p->lo = p->hi =
            slot->list
                ? 0
                : qi_eval(&(qi_env){s->in, slot->eq_self, slot->eq_it, NULL}, slot->eq).x / factor;
    }
    s->nparam++;
    return true;
}

static bool list_params(qiao_scenario *s, qiao_diag *d) {
    size_t n = (size_t)s->in->nslot + 1;
    s->param = qiao_arena_get(s->a, n * sizeof *s->param);
    s->param_slot = qiao_arena_get(s->a, n * sizeof *s->param_slot);
    s->param_factor = qiao_arena_get(s->a, n * sizeof *s->param_factor);
    if (!s->param || !s->param_slot || !s->param_factor) return false;
    s->concrete = true;
    for (int i = 0; i < s->in->nslot; i++) {
        if (qi_is_drawn(s->in->slot[i])) s->concrete = false;
        if (is_param(s->in->slot[i]) && !list_param(s, i, d)) return false;
    }
    return true;
}

// ---- loading ----

static bool load(qiao_scenario *s, const char *path, const char *text, size_t len, qiao_diag *d) {
    qi_module *m = &s->m;
    m->a = s->a, m->d = d;
    init_types(m);
    if (!init_pick(m)) return false;
    if (text ? !add_source(m, path, text, len, false, NULL)
             : !read_source(m, path, false, NULL, NULL))
        return false;
    if (!m->main) {
        qiao_diag_set(d, QIAO_E_FORMAT, path, 1, 1,
                      "no scenario in this file; expected scenario NAME:");
        return false;
    }
    if (qi_check(m)) return false;
    s->in = qi_inst_new(m, s->a, d);
    if (!s->in || s->in->failed || !list_params(s, d)) return false;
    s->name = m->main->name;
    qiao_hash h;
    qiao_hash_init(&h);
    for (int i = 0; i < m->nsrc; i++) qiao_hash_add(&h, m->src[i].hash, QIAO_HASH_BYTES);
    qiao_hash_end(&h, s->hash);
    return true;
}

static qiao_scenario *open_scenario(const char *path, const char *text, size_t len, qiao_diag *d) {
    qiao_diag own = {0};
    if (!d) d = &own;
    qiao_arena *a = qiao_arena_new();
    qiao_scenario *s = a ? qiao_arena_get(a, sizeof *s) : NULL;
    if (s) {
        s->a = a;
        char *name = qiao_arena_printf(a, "%s", path);
        char *copy = text ? qiao_arena_text(a, text, len) : NULL;
        if (name && (copy || !text) && load(s, name, copy, len, d)) {
            s->m.d = NULL; // the caller's may be gone
            return s;
        }
    }
    qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    qiao_arena_free(a);
    return NULL;
}

qiao_scenario *qi_scenario_parse(const char *text, size_t len, const char *name, qiao_diag *d) {
    return open_scenario(name, text, len, d);
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int qiao_scenario_list(qiao_arena *a, const char **names, int cap) {
    char path[1024];
    snprintf(path, sizeof path, "%s/scenarios", qiao_home());
    DIR *dir = opendir(path);
    int n = 0;
    for (const struct dirent *e; dir && (e = readdir(dir));) {
        size_t k = strlen(e->d_name);
        if (k < 5 || strcmp(e->d_name + k - 4, ".osc") != 0 || e->d_name[0] == '.') continue;
        if (n < cap && (names[n] = qiao_arena_text(a, e->d_name, k - 4)) == NULL) continue;
        n++;
    }
    if (dir) closedir(dir);
    qsort(names, (size_t)(n < cap ? n : cap), sizeof *names, by_name);
    return n;
}

qiao_scenario *qiao_scenario_load(const char *name, qiao_diag *d) {
    size_t n = strlen(name);
    if (strchr(name, '/') || (n > 4 && strcmp(name + n - 4, ".osc") == 0))
        return open_scenario(name, NULL, 0, d);
    qiao_arena *a = qiao_arena_new();
    const char *names[1024];
    int k = a ? qiao_scenario_list(a, names, 1024) : 0;
    if (k > 1024) k = 1024;
    bool known = false;
    for (int i = 0; i < k; i++) known |= strcmp(names[i], name) == 0;
    if (!known) {
        const char *best = qiao_nearest(name, names, k);
        qiao_diag_set(d, QIAO_E_NAME, NULL, 0, 0, "no scenario is named '%s'%s%s%s", name,
                      best ? "; did you mean '" : "; 'qiao scenarios' lists them", best ? best : "",
                      best ? "'?" : "");
        qiao_arena_free(a);
        return NULL;
    }
    char *path = qiao_arena_printf(a, "%s/scenarios/%s.osc", qiao_home(), name);
    qiao_scenario *s = path ? open_scenario(path, NULL, 0, d) : NULL;
    qiao_arena_free(a);
    return s;
}

void qiao_scenario_free(qiao_scenario *s) {
    if (s) qiao_arena_free(s->a);
}
const char *qiao_scenario_name(const qiao_scenario *s) { return s->name; }
const char *qiao_scenario_title(const qiao_scenario *s, bool chinese) {
    const qi_decl *m = s->m.main;
    const char *t = chinese && m->title_zh ? m->title_zh : m->title;
    return t ? t : s->name;
}
void qiao_scenario_digest(const qiao_scenario *s, uint8_t hash[QIAO_HASH_BYTES]) {
    memcpy(hash, s->hash, QIAO_HASH_BYTES);
}
int qiao_scenario_params(const qiao_scenario *s, const qiao_param **p) {
    return *p = s->param, s->nparam;
}
