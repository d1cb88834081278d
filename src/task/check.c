// SPDX-License-Identifier: Apache-2.0
// check.c - names to types, inherited fields, calls to fields, then every expression.
#include "check.h"
#include "actions.h"
#include "measures.h"
#include "scene.h"

#include <string.h>

static const qi_type *find_type(qi_module *m, const char *name, bool list, const qi_node *at) {
    const qi_type *t = qi_find_type(m, name);
    if (!t) {
        const char *names[512];
        int n = 0;
        for (const qi_type *u = m->type; u && n < 200; u = u->next)
            if (u->name) names[n++] = u->name;
        for (const qi_decl *d = m->decl; d && n < 505; d = d->next) names[n++] = d->name;
        const char *const plain[] = {"bool", "int", "uint", "float", "string"};
        for (int i = 0; i < 5; i++) names[n++] = plain[i];
        qi_fail(m, QIAO_E_NAME, at, "no type is named '%s'%s", name,
                qi_did_you_mean(m, qiao_nearest(name, names, n)));
        return NULL;
    }
    return list ? qi_list_of(m, t) : t;
}

// ---- declarations ----

// Own fields after the inherited ones; a field of the base may not be declared again.
static bool layout(qi_module *m, qi_decl *d) {
    int nbase = d->base ? d->base->nfield : 0, n = nbase;
    if (nbase + d->nown > QI_FIELD_MAX) {
        qi_fail(m, QIAO_E_LIMIT, d->at, "more than %d fields", QI_FIELD_MAX);
        return false;
    }
    d->field = qiao_arena_get(m->a, ((size_t)(nbase + d->nown) + 1) * sizeof *d->field);
    if (!d->field) return false;
    for (int i = 0; i < nbase; i++) d->field[i] = d->base->field[i];
    d->nfield = nbase;
    for (qi_field *f = d->first; f; f = f->next) {
        if (qi_find_field(d, f->name) >= 0 && qi_find_field(d, f->name) < nbase) {
            qi_fail(m, QIAO_E_NAME, f->at, "'%s' is a field of the base '%s' already", f->name,
                    d->base->name);
            return false;
        }
        if (!f->type &&
            !(f->type = find_type(m, f->type_name, f->list, f->type_at ? f->type_at : f->at)))
            return false;
        d->field[n++] = f;
    }
    d->nfield = n;
    return true;
}

static bool resolve_decl(qi_module *m, qi_decl *d);

static bool resolve_base(qi_module *m, qi_decl *d) {
    if (!d->base_name) return true;
    const qi_decl *b = qi_find_decl(m, d->base_name);
    if (!b || b->kind != d->kind) {
        static const char *const kind[] = {"struct", "actor", "action", "scenario"};
        const char *names[QI_DECL_MAX + 1] = {NULL};
        int n = 0;
        for (const qi_decl *o = m->decl; o; o = o->next)
            if (o->kind == d->kind) names[n++] = o->name;
        qi_fail(m, QIAO_E_NAME, d->at, "no %s is named '%s'%s", kind[d->kind], d->base_name,
                qi_did_you_mean(m, qiao_nearest(d->base_name, names, n)));
        return false;
    }
    if (b->kind == D_SCENARIO) {
        qi_fail(m, QIAO_E_UNSUPPORTED, d->at, "scenarios that inherit are not in the subset");
        return false;
    }
    for (qi_decl *o = m->decl; o; o = o->next)
        if (o == b && !resolve_decl(m, o)) return false;
    d->base = b;
    return true;
}

static bool resolve_decl(qi_module *m, qi_decl *d) {
    if (d->state == 2) return true;
    if (d->state == 1) {
        qi_fail(m, QIAO_E_FORMAT, d->at, "'%s' inherits itself", d->name);
        return false;
    }
    d->state = 1;
    if (d->actor_name) {
        d->actor = qi_find_decl(m, d->actor_name);
        if (!d->actor || d->actor->kind != D_ACTOR) {
            qi_fail(m, QIAO_E_NAME, d->at, "no actor is named '%s'", d->actor_name);
            return false;
        }
    }
    if (!resolve_base(m, d) || !layout(m, d)) return false;
    d->state = 2;
    return true;
}

// ---- calls of the do tree become fields of the scenario ----

typedef struct collect {
    qi_module *m;
    qi_decl *d;
    struct {
        const char *verb;
        int n;
    } count[64];
    int ncount;
} collect;

static bool add_implicit(collect *c, const char *name, const qi_type *type, qi_node *call,
                         qi_node *at, qi_node *with) {
    int i = qi_find_field(c->d, name);
    if (i >= 0) {
        qi_fail(c->m, QIAO_E_NAME, at, "the name '%s' is taken, first in line %d", name,
                c->d->field[i]->at->line);
        return false;
    }
    qi_field *f = qiao_arena_get(c->m->a, sizeof *f);
    qi_field **field = qiao_arena_get(c->m->a, ((size_t)c->d->nfield + 1) * sizeof *field);
    if (!f || !field) return false;
    if (c->d->nfield >= QI_FIELD_MAX) {
        qi_fail(c->m, QIAO_E_LIMIT, at, "more than %d fields and calls", QI_FIELD_MAX);
        return false;
    }
    f->name = name, f->type = type, f->call = call, f->implicit = true, f->at = at, f->with = with;
    for (int k = 0; k < c->d->nfield; k++) field[k] = c->d->field[k];
    field[c->d->nfield] = f;
    c->d->field = field, at->index = c->d->nfield++;
    return true;
}

static int next_number(collect *c, const char *verb) {
    for (int i = 0; i < c->ncount; i++)
        if (strcmp(c->count[i].verb, verb) == 0) return ++c->count[i].n;
    if (c->ncount == 64) return 0;
    c->count[c->ncount].verb = verb, c->count[c->ncount].n = 1;
    c->ncount++;
    return 1;
}

// actor.verb(..): the action of that name of the actor's type or one of its bases
static const qi_decl *find_action(collect *c, qi_node *call) {
    const qi_decl *actor = NULL;
    if (call->a) {
        int i = call->a->kind == N_NAME ? qi_find_field(c->d, call->a->s) : -1;
        if (i < 0 || c->d->field[i]->type->kind != QI_OBJ) {
            qi_fail(c->m, QIAO_E_NAME, call->a, "expected an actor of this scenario%s",
                    call->a->kind == N_NAME
                        ? qi_did_you_mean(c->m, qi_near_field(c->m, c->d, call->a->s))
                        : "");
            return NULL;
        }
        actor = c->d->field[i]->type->obj;
    }
    const char *names[QI_DECL_MAX + 1] = {NULL};
    int n = 0;
    for (const qi_decl *d = c->m->decl; d; d = d->next) {
        if (d->kind != D_ACTION || (d->actor == NULL) != (actor == NULL)) continue;
        if (actor && !qi_is_a(actor, d->actor->name)) continue;
        const char *dot = strchr(d->name, '.'), *verb = dot ? dot + 1 : d->name;
        if (strcmp(verb, call->s) == 0) return d;
        names[n++] = verb;
    }
    qi_fail(c->m, QIAO_E_NAME, call, "%s%s has no action '%s'%s", actor ? "" : "the scenario",
            actor ? actor->name : "", call->s,
            qi_did_you_mean(c->m, qiao_nearest(call->s, names, n)));
    return NULL;
}

static bool collect_calls(collect *c, qi_node *n) {
    for (; n; n = n->next) {
        if (n->kind == N_INVOKE) {
            const qi_decl *d = find_action(c, n->a);
            if (!d) return false;
            n->link = qi_action_find(d);
            if (!n->link) {
                qi_fail(c->m, QIAO_E_UNSUPPORTED, n, "action '%s' has no native part", d->name);
                return false;
            }
            const char *name = n->label;
            if (!name) name = qiao_arena_printf(c->m->a, "%s_%d", n->a->s, next_number(c, n->a->s));
            qi_node *keep = n->with;
            if (!name || !add_implicit(c, name, &d->type, n->a, n, keep)) return false;
        } else if (n->kind == N_ONE_OF) {
            if (!add_implicit(c, n->label, &c->m->pick.type, NULL, n, NULL)) return false;
            if (!collect_calls(c, n->a)) return false;
        } else if (n->kind == N_SERIAL || n->kind == N_PARALLEL) {
            if (!collect_calls(c, n->a)) return false;
        } else if (n->kind == N_ON && !collect_calls(c, n->b))
            return false;
    }
    return true;
}

// ---- expressions ----

bool qi_check_args(qi_scope *s, qi_node *call, const qi_decl *d) {
    uint8_t seen[QI_FIELD_MAX] = {0};
    int at = 0;
    for (qi_node *a = call->b; a; a = a->next) {
        int i = at++;
        if (a->label) i = qi_find_field(d, a->label);
        if (i < 0 || i >= d->nfield) {
            if (a->label)
                qi_fail(s->m, QIAO_E_NAME, a, "%s has no argument '%s'%s", d->name, a->label,
                        qi_did_you_mean(s->m, qi_near_field(s->m, d, a->label)));
            else
                qi_fail(s->m, QIAO_E_FIT, a, "%s takes %d arguments", d->name, d->nfield);
            return false;
        }
        if (seen[i]++) {
            qi_fail(s->m, QIAO_E_NAME, a, "argument '%s' is given twice", d->field[i]->name);
            return false;
        }
        a->index = i;
        const qi_type *want = d->field[i]->type;
        if (a->a->kind == N_RANGE && want->kind == QI_NUM) { // drawn
            const qi_type *t = qi_check_expr(s, a->a, want);
            if (!t) return false;
            if (!qi_same_type(t->elem, want)) {
                qi_fail(s->m, QIAO_E_FIT, a->a, "expected %s, found %s", qi_type_text(s->m, want),
                        qi_type_text(s->m, t));
                return false;
            }
        } else if (!qi_check_as(s, a->a, want))
            return false;
    }
    return true;
}

bool qi_check_keeps(qi_scope *s, qi_node *n) {
    for (; n; n = n->next)
        if (n->kind == N_KEEP && !qi_check_as(s, n->a, &s->m->t_bool)) return false;
    return true;
}

static bool check_field(qi_module *m, const qi_decl *d, qi_field *f) {
    qi_scope s = {m, d, NULL, f->var};
    if (f->init && f->type->kind == QI_NUM && f->init->kind == N_RANGE) {
        qi_fail(m, QIAO_E_FIT, f->init,
                "a default is one value; a range belongs into keep(it in ..)");
        return false;
    }
    if (f->var && f->type->kind == QI_LIST) {
        qi_fail(m, QIAO_E_UNSUPPORTED, f->at, "a var cannot be a list; a field can");
        return false;
    }
    if (f->init && !qi_check_as(&s, f->init, f->type)) return false;
    s.it = f->type, s.live = false;
    if (f->call && !qi_check_args(&s, f->call, f->type->obj)) return false;
    return qi_check_keeps(&s, f->with);
}

static bool check_do(qi_scope *s, qi_node *n);

static bool check_until(qi_scope *s, qi_node *n) {
    for (; n; n = n->next) {
        if (n->kind == N_UNTIL && !qi_check_spec(s, n->a)) return false;
        if (n->kind == N_KEEP && n->a && !n->a->type) {
            qi_fail(s->m, QIAO_E_FIT, n, "keep(..) has no 'it' below a group; use it below a call");
            return false;
        }
    }
    return true;
}

static bool check_group(qi_scope *s, qi_node *n) {
    int kids = 0;
    for (qi_node *k = n->a; k; k = k->next) kids++;
    if (n->kind == N_ONE_OF) n->x = kids; // for the draw
    for (qi_node *a = n->b; a; a = a->next) {
        if (!a->label || strcmp(a->label, "duration") != 0) {
            qi_fail(s->m, QIAO_E_NAME, a, "expected duration: a time");
            return false;
        }
        if (!qi_check_as(s, a->a, qi_time_type(s->m))) return false;
    }
    return check_until(s, n->with) && check_do(s, n->a);
}

static bool check_emit(qi_scope *s, qi_node *n) {
    int i = qi_find_field(s->self, n->s);
    if (i < 0 || !s->self->field[i]->event) {
        qi_fail(s->m, QIAO_E_NAME, n, "no event is named '%s'; declare it: event %s%s", n->s, n->s,
                qi_did_you_mean(s->m, qi_near_field(s->m, s->self, n->s)));
        return false;
    }
    n->index = i;
    return true;
}

static bool check_do(qi_scope *s, qi_node *n) {
    bool ok = true;
    for (; n && ok; n = n->next) {
        switch (n->kind) {
        case N_SERIAL:
        case N_PARALLEL:
        case N_ONE_OF: ok = check_group(s, n); break;
        case N_WAIT: ok = qi_check_spec(s, n->a); break;
        case N_EMIT: ok = check_emit(s, n); break;
        case N_INVOKE: ok = check_until(s, n->with); break;
        case N_ON: ok = qi_check_spec(s, n->a) && check_do(s, n->b); break;
        default: break;
        }
    }
    return ok;
}

static bool check_decl(qi_module *m, qi_decl *d) {
    for (int i = d->nfield - d->nown; i < d->nfield; i++)
        if (i >= (d->base ? d->base->nfield : 0) && !check_field(m, d, d->field[i])) return false;
    qi_scope s = {m, d, NULL, false};
    if (!qi_check_keeps(&s, d->keep) || !qi_check_keeps(&s, d->odd)) return false;
    s.live = true;
    return check_do(&s, d->run) && check_do(&s, d->on) && qi_check_items(&s, d);
}

static bool check_grants(qi_module *m, const qi_decl *d) {
    for (const qi_field *f = d->first; f; f = f->next) {
        if (!f->implicit) continue;
        if (f->type->kind == QI_OBJ && qi_is_a(f->type->obj, "signal")) continue;
        qi_fail(m, QIAO_E_FIT, f->at, "'%s' is no signal that can be granted", f->type_name);
        return false;
    }
    return true;
}

static bool check_func(qi_module *m, qi_func *f) {
    f->ret = find_type(m, f->ret_name, f->ret_list, f->at);
    for (qi_field *a = f->arg; f->ret && a; a = a->next)
        if (!(a->type = find_type(m, a->type_name, a->list, a->at))) return false;
    if (f->ret && !qi_measure_find(f->name)) {
        qi_fail(m, QIAO_E_UNSUPPORTED, f->at, "function '%s' has no native part", f->name);
        return false;
    }
    return f->ret != NULL;
}

// The role that the robot on the command line plays.
static bool check_role(qi_module *m, const qi_decl *d) {
    int n = 0;
    for (int i = 0; i < d->nfield; i++) {
        const qi_type *t = d->field[i]->type;
        n += t->kind == QI_OBJ && t->obj->kind == D_ACTOR && qi_is_a(t->obj, "robot");
    }
    if (n == 1) return true;
    qi_fail(m, QIAO_E_FORMAT, d->at, "expected one field of an actor that inherits robot, found %d",
            n);
    return false;
}

qiao_err qi_check(qi_module *m) {
    for (qi_func *f = m->func; f; f = f->next)
        if (!check_func(m, f)) return m->d->err;
    for (qi_decl *d = m->decl; d; d = d->next)
        if (!resolve_decl(m, d)) return m->d->err;
    for (qi_decl *d = m->decl; d; d = d->next) {
        int declared = d->nfield;
        collect c = {.m = m, .d = d};
        if (!collect_calls(&c, d->run) || !collect_calls(&c, d->on)) return m->d->err;
        d->nown += d->nfield - declared;
        if (d->kind == D_SCENARIO && !check_grants(m, d)) return m->d->err;
    }
    for (qi_decl *d = m->decl; d; d = d->next)
        if (!check_decl(m, d)) return m->d->err;
    if (m->main && !check_role(m, m->main)) return m->d->err;
    return m->d->err;
}
