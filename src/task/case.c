// SPDX-License-Identifier: Apache-2.0
// case.c - one draw of a scenario, bound to a robot.
#include "case.h"
#include "actions.h"
#include "scene.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Length of the chain from the base to the tool: how far it can reach at most.
static double reach(const qiao_robot *r) {
    if (r->tool_site < 0) return 0;
    const qiao_model *m = r->model;
    const double *p = m->site_pos + 3 * r->tool_site;
    double sum = sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2]);
    for (int b = m->site_body[r->tool_site]; b > 0 && b != r->base; b = m->body_parent[b]) {
        p = m->body_pos + 3 * b;
        sum += sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2]);
    }
    return sum;
}

static void give(qi_obj *o, const char *field, double x) {
    int i = qi_find_field(o->decl, field);
    if (i < 0) return;
    qi_slot *s = &o->slot[i];
    s->val.x = x, s->bound = true, s->state = 2;
}

// The role's own fields take the robot's facts; keep and odd lines are checked against them.
static bool bind_robot(qiao_case *c, qiao_diag *d) {
    const qiao_robot *r = c->robot;
    c->role = c->in->root->slot[c->in->robot].val.o;
    int k = qi_find_field(c->role->decl, "kind");
    const qi_type *t = k >= 0 ? c->role->decl->field[k]->type : NULL;
    for (int i = 0; t && t->kind == QI_ENUM && i < t->nvalue; i++)
        if (strcmp(t->value[i], r->kind ? r->kind : "other") == 0) give(c->role, "kind", i);
    if (k < 0 || c->role->slot[k].state != 2) {
        qiao_diag_set(d, QIAO_E_FIT, NULL, 0, 0,
                      "robot '%s' is of kind '%s', which %s does not know", r->name,
                      r->kind ? r->kind : "", c->in->m->main->name);
        return false;
    }
    give(c->role, "mass", qiao_model_mass(r->model));
    give(c->role, "feet", r->nfoot);
    give(c->role, "actuators", r->model->nu);
    give(c->role, "reach", reach(r));
    return true;
}

static void say_fit(const qiao_case *c, qiao_diag *d) {
    if (d->err != QIAO_E_FIT) return;
    char text[900];
    snprintf(text, sizeof text, "%.700s (robot '%s')", d->text, c->robot->name);
    snprintf(d->text, sizeof d->text, "%s", text);
}

// ---- the concrete file ----

static char *value_text(const qi_inst *in, const qi_slot *s, qiao_arena *a) {
    const qi_type *t = s->f->type;
    const qi_val *v = &s->val;
    if (t->kind == QI_ENUM) return qiao_arena_printf(a, "%s!%s", t->name, t->value[(int)v->x]);
    if (t->kind == QI_BOOL) return qiao_arena_printf(a, "%s", v->x ? "true" : "false");
    if (t->kind == QI_TEXT) return qiao_arena_printf(a, "\"%s\"", v->s);
    if (t->kind == QI_OBJ) return qiao_arena_printf(a, "%s", v->o ? v->o->path : "null");
    if (t->whole) return qiao_arena_printf(a, "%.0f", v->x);
    char num[40];
    snprintf(num, sizeof num, "%.17g", v->x);
    const char *u = qi_si_unit(in->m, t);
    if (!strpbrk(num, ".e")) snprintf(num + strlen(num), sizeof num - strlen(num), ".0");
    return qiao_arena_printf(a, "%s%s", num, u ? u : "");
}

// Where line n of a text starts; its end if it has fewer.
static size_t line_at(const char *text, size_t len, int n) {
    size_t at = 0;
    for (int line = 1; at < len && line < n; at++) line += text[at] == '\n';
    return at;
}

// A source without its import lines.
static void put_source(qi_text *o, const qi_src *s, size_t from, size_t to, bool imports) {
    while (from < to) {
        const char *p = s->text + from, *nl = memchr(p, '\n', to - from);
        size_t n = nl ? (size_t)(nl - p) + 1 : to - from;
        if (imports || n < 7 || memcmp(p, "import ", 7) != 0) qi_put(o, "%.*s", (int)n, p);
        from += n;
    }
    if (to > 0 && s->text[to - 1] != '\n') qi_put(o, "\n");
}

char *qi_concrete(const qiao_scenario *sc, const qi_inst *in, qiao_arena *a, uint64_t seed,
                  uint64_t trial) {
    const qi_module *m = &sc->m;
    const qi_src *main = &m->src[0];
    const qi_decl *d = m->main;
    if (sc->concrete) return qiao_arena_text(a, main->text, main->len);
    char hex[QIAO_HASH_HEX];
    qiao_hash_hex(sc->hash, hex);
    qi_text o = {.a = a};
    qi_put(&o, "# Concrete case of %s: seed %llu, trial %llu.\n# Scenario hash %s.\n", d->name,
           (unsigned long long)seed, (unsigned long long)trial, hex);
    bool own = false; // imports of files go into the text, those of libraries stay
    for (int i = 1; i < m->nsrc; i++) own |= !m->src[i].library;
    for (int i = 1; own && i < m->nsrc; i++)
        if (m->src[i].library) qi_put(&o, "import %s\n", m->src[i].name);
    for (int k = 0; own && k < m->norder; k++)
        if (!m->src[m->order[k]].library && m->order[k] != 0)
            put_source(&o, &m->src[m->order[k]], 0, m->src[m->order[k]].len, false);
    size_t cut = d->end_line ? line_at(main->text, main->len, d->end_line) : main->len;
    put_source(&o, main, 0, cut, !own);
    int pad = d->indent > 1 ? d->indent - 1 : 4;
    qi_put(&o, "%*s# drawn\n", pad, "");
    for (int i = 0; i < in->nslot; i++) {
        const qi_slot *s = in->slot[i];
        if (!qi_is_drawn(s)) continue;
        char *v = value_text(in, s, a);
        qi_put(&o, "%*skeep(%s == %s)\n", pad, "", s->path, v ? v : "");
    }
    put_source(&o, main, cut, main->len, !own);
    return o.bad ? NULL : o.s;
}

// ---- signals and facts ----

static bool grant_one(qiao_case *c, const qi_obj *o, qiao_diag *d) {
    static const struct {
        const char *type, *unit, *frame;
        qiao_sensor_kind kind;
    } known[] = {{"base_pose", "m", "world", QIAO_SENSE_BASE_POSE},
                 {"base_vel", "m/s", "base", QIAO_SENSE_BASE_VEL},
                 {"height_scan", "m", "base", QIAO_SENSE_HEIGHT_SCAN},
                 {"object_pose", "m", "world", QIAO_SENSE_BODY_POSE}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!qi_is_a(o->decl, known[i].type)) continue;
        qiao_sensor *g = &c->grant[c->ngrant++];
        *g = (qiao_sensor){.kind = known[i].kind, .name = o->path, .unit = known[i].unit};
        g->frame = known[i].frame;
        g->rate_hz = qi_get(c->in, o, "rate"), g->noise = qi_get(c->in, o, "noise");
        g->bias = qi_get(c->in, o, "bias"), g->delay = qi_get(c->in, o, "delay");
        if (g->kind == QIAO_SENSE_HEIGHT_SCAN) {
            double nx = qi_get(c->in, o, "nx"), ny = qi_get(c->in, o, "ny");
            g->grid_step = qi_get(c->in, o, "step");
            g->grid_center[0] = qi_get(c->in, o, "center_x");
            g->grid_center[1] = qi_get(c->in, o, "center_y");
            if (!(nx >= 1 && ny >= 1 && nx <= 200 && ny <= 200 && g->grid_step > 1e-3)) {
                qi_fail(
                    c->in->m, QIAO_E_FIT, o->decl->at,
                    "'%s': a grid of %g x %g points every %g m; expected 1 to 200 and more than "
                    "1 mm",
                    o->path, nx, ny, g->grid_step);
                return false;
            }
            g->grid_n[0] = (int)nx, g->grid_n[1] = (int)ny, g->dim = (int)(nx * ny);
        }
        if (g->kind == QIAO_SENSE_BODY_POSE) {
            qi_val v = qi_get_val(c->in, o, "objects");
            const char **name = qiao_arena_get(c->a, ((size_t)v.n + 1) * sizeof *name);
            if (!name) return false;
            for (int k = 0; k < v.n; k++) name[k] = v.list[k].o->path;
            g->nname = v.n, g->element = name, g->dim = 7 * v.n;
        }
        if (g->rate_hz < 0 || g->noise < 0 || g->bias < 0 || g->delay < 0 || g->delay > 10) {
            qi_fail(c->in->m, QIAO_E_FIT, o->decl->at,
                    "'%s': rate, noise, bias and delay are 0 or more, the delay 10 s at most",
                    o->path);
            return false;
        }
        return true;
    }
    qiao_diag_set(d, QIAO_E_UNSUPPORTED, NULL, 0, 0, "signal '%s' has no native part", o->path);
    return false;
}

// Signals that an operator's actions give; those that are not here give a velocity.
enum { ASKS_VELOCITY, ASKS_ORIENTATION, ASKS_PLACE };
static int asks(const char *name) {
    return strcmp(name, "operator.orient") == 0  ? ASKS_ORIENTATION
           : strcmp(name, "operator.bring") == 0 ? ASKS_PLACE
                                                 : ASKS_VELOCITY;
}

// Whether an action of the operator is called that asks for this.
static bool uses(const qi_node *n, int what) {
    for (; n; n = n->next) {
        const char *name = n->kind == N_INVOKE ? ((const qi_action *)n->link)->name : "";
        if (strncmp(name, "operator.", 9) == 0 && asks(name) == what) return true;
        if (n->kind <= N_ONE_OF && n->kind >= N_SERIAL && uses(n->a, what)) return true;
        if (n->kind == N_ON && uses(n->b, what)) return true;
    }
    return false;
}

bool qi_case_signals(qiao_case *c, qiao_diag *d) {
    static const struct {
        int what, dim;
        const char *name, *unit, *frame;
    } wish[] = {{ASKS_ORIENTATION, 4, "command_orientation", "1", "world"},
                {ASKS_PLACE, 3, "command_position", "m", "world"},
                {ASKS_VELOCITY, 3, "command_velocity", "m/s, rad/s", "base"}};
    const qi_obj *root = c->in->root;
    c->grant = qiao_arena_get(c->a, ((size_t)root->decl->nfield + 4) * sizeof *c->grant);
    if (!c->grant) return false;
    for (int i = 0; i < 3; i++)
        if (uses(root->decl->run, wish[i].what) || uses(root->decl->on, wish[i].what))
            c->grant[c->ngrant++] = (qiao_sensor){.kind = QIAO_SENSE_COMMAND,
                                                  .name = wish[i].name,
                                                  .unit = wish[i].unit,
                                                  .frame = wish[i].frame,
                                                  .dim = wish[i].dim};
    for (int i = 0; i < root->decl->nfield; i++) {
        const qi_field *f = root->decl->field[i];
        if (f->implicit && f->type->kind == QI_OBJ && qi_is_a(f->type->obj, "signal") &&
            !grant_one(c, root->slot[i].val.o, d))
            return false;
    }
    return true;
}

static void tell(qiao_case *c, char *name, char *text) {
    if (name && text) c->fact_name[c->nfact] = name, c->fact_text[c->nfact] = text, c->nfact++;
}

static char *xyz(qiao_case *c, const double v[3]) {
    return qiao_arena_printf(c->a, "%.17g %.17g %.17g", v[0], v[1], v[2]);
}

static void tell_object(qiao_case *c, const qi_obj *o) {
    const char *shape = qi_is_a(o->decl, "ball")  ? "ball"
                        : qi_is_a(o->decl, "can") ? "cylinder"
                                                  : "box";
    const qi_obj *into = qi_get_obj(c->in, o, "into");
    tell(c, qiao_arena_printf(c->a, "%s.shape", o->path), qiao_arena_printf(c->a, "%s", shape));
    tell(c, qiao_arena_printf(c->a, "%s.size", o->path), xyz(c, o->size));
    tell(c, qiao_arena_printf(c->a, "%s.mass", o->path),
         qiao_arena_printf(c->a, "%.17g", qi_get(c->in, o, "mass")));
    if (into)
        tell(c, qiao_arena_printf(c->a, "%s.into", o->path),
             qiao_arena_printf(c->a, "%s", into->path));
}

bool qi_case_tell(qiao_case *c, qiao_diag *d) {
    size_t most = 4 * (size_t)c->nthing + 3 * (size_t)c->nbox + 8;
    c->fact_name = qiao_arena_get(c->a, most * sizeof *c->fact_name);
    c->fact_text = qiao_arena_get(c->a, most * sizeof *c->fact_text);
    if (!c->fact_name || !c->fact_text)
        return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory"), false;
    qi_text names = {.a = c->a};
    for (int i = 0; i < c->nthing; i++) qi_put(&names, "%s%s", i ? " " : "", c->thing[i]->path);
    if (c->nthing) tell(c, qiao_arena_printf(c->a, "objects"), names.s);
    for (int i = 0; i < c->nthing; i++) tell_object(c, c->thing[i]);
    for (int i = 0; i < c->nbox; i++) {
        const qi_obj *o = c->box[i];
        tell(c, qiao_arena_printf(c->a, "%s.pos", o->path), xyz(c, o->pos));
        tell(c, qiao_arena_printf(c->a, "%s.size", o->path), xyz(c, o->size));
        tell(c, qiao_arena_printf(c->a, "%s.yaw", o->path),
             qiao_arena_printf(c->a, "%.17g", o->yaw));
    }
    tell(c, qiao_arena_printf(c->a, "robot.pos"), xyz(c, c->pos));
    tell(c, qiao_arena_printf(c->a, "robot.yaw"), qiao_arena_printf(c->a, "%.17g", c->yaw));
    return true;
}

// ---- the case ----

static bool time_limit(qiao_case *c, qiao_diag *d) {
    c->time_limit = 60;
    for (const qi_item *it = c->in->m->main->score; it; it = it->next)
        if (strcmp(it->call->s, "time_limit") == 0) {
            qi_env e = {c->in, c->in->root, NULL, NULL};
            c->time_limit = qi_eval(&e, qi_item_arg(it, "time", 0)).x;
            if (c->time_limit > 0 && c->time_limit <= 3600) continue;
            qi_fail(c->in->m, QIAO_E_FIT, it->call, "a time limit of %.3g s, expected up to 3600 s",
                    c->time_limit);
        }
    return d->err == QIAO_OK;
}

static bool note_values(qiao_case *c) {
    const qiao_scenario *s = c->s;
    c->value = qiao_arena_get(c->a, ((size_t)s->nparam + 1) * sizeof *c->value);
    if (!c->value) return false;
    for (int i = 0; i < s->nparam; i++) {
        const qi_slot *slot = c->in->slot[s->param_slot[i]];
        c->value[i] = qi_param_value(s, i, c->in, slot);
    }
    return true;
}

// Where the caller wants the parameters to lie.
static bool choose(qiao_case *c, const double *u, qiao_diag *d) {
    const qiao_scenario *s = c->s;
    for (int i = 0; u && i < s->nparam; i++) {
        if (isnan(u[i])) continue;
        if (!(u[i] >= 0 && u[i] <= 1)) {
            qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0, "the place of '%s' is %g, expected 0 to 1",
                          s->param[i].name, u[i]);
            return false;
        }
        qi_slot *slot = c->in->slot[s->param_slot[i]];
        slot->chosen = true, slot->place = u[i];
    }
    return true;
}

static bool make_case(qiao_case *c, uint64_t seed, uint64_t trial, const double *u, qiao_diag *d) {
    // the syntax tree is shared and const; the module is copied for its diag
    qi_module *m = qiao_arena_get(c->a, sizeof *m);
    if (!m) return false;
    *m = c->s->m;
    m->a = c->a;
    c->in = qi_inst_new(m, c->a, d);
    if (!c->in) return false;
    c->in->seed = seed, c->in->trial = trial;
    if (!bind_robot(c, d) || !choose(c, u, d)) return false;
    if (qi_draw(c->in)) return say_fit(c, d), false;
    c->text = qi_concrete(c->s, c->in, c->a, seed, trial);
    return c->text && time_limit(c, d) && qi_scene_build(c, d) && qi_case_signals(c, d) &&
           qi_case_tell(c, d) && note_values(c) && !c->in->failed;
}

qiao_case *qiao_case_new(const qiao_scenario *s, const qiao_robot *r, uint64_t seed, uint64_t trial,
                         qiao_diag *d) {
    return qiao_case_new_at(s, r, seed, trial, NULL, d);
}

qiao_case *qiao_case_new_at(const qiao_scenario *s, const qiao_robot *r, uint64_t seed,
                            uint64_t trial, const double *u, qiao_diag *d) {
    qiao_diag own = {0};
    if (!d) d = &own;
    qiao_arena *a = qiao_arena_new();
    qiao_case *c = a ? qiao_arena_get(a, sizeof *c) : NULL;
    if (c) {
        c->a = a, c->s = s, c->robot = r;
        if (make_case(c, seed, trial, u, d)) return c;
    }
    qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    qiao_arena_free(a);
    return NULL;
}

void qiao_case_free(qiao_case *c) {
    if (c) qiao_arena_free(c->a);
}
const char *qiao_case_text(const qiao_case *c) { return c->text; }
double qiao_case_value(const qiao_case *c, int i) {
    return i >= 0 && i < c->s->nparam ? c->value[i] : NAN;
}
const char *qiao_case_scene(const qiao_case *c) { return c->scene; }
void qiao_case_place(const qiao_case *c, double pos[3], double *yaw) {
    memcpy(pos, c->pos, sizeof c->pos), *yaw = c->yaw;
}
int qiao_case_grants(const qiao_case *c, const qiao_sensor **grant) {
    return *grant = c->grant, c->ngrant;
}
int qiao_case_facts(const qiao_case *c, const char *const **name, const char *const **text) {
    return *name = c->fact_name, *text = c->fact_text, c->nfact;
}
double qiao_case_time_limit(const qiao_case *c) { return c->time_limit; }

bool qiao_case_vary(const qiao_case *c, qiao_vary *v) {
    *v = qiao_vary_default();
    if (!qi_is_a(c->role->decl, "varied_robot")) return false;
    const struct {
        const char *field;
        double *to;
    } all[] = {{"damping", &v->damping},
               {"frictionloss", &v->frictionloss},
               {"armature", &v->armature},
               {"mass_factor", &v->mass},
               {"kp", &v->kp},
               {"kd", &v->kd},
               {"torque", &v->torque},
               {"payload", &v->payload},
               {"drive_delay", &v->delay}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        *all[i].to = qi_get(c->in, c->role, all[i].field);
    return true;
}
