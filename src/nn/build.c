// SPDX-License-Identifier: Apache-2.0
// build.c - nodes in order, each becomes steps or is computed at once.
#include "nn/plan.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

bool qi_nn_fail(qi_build *b, qiao_err e, const char *fmt, ...) {
    char text[600];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    const qi_node *n = b->node;
    if (n)
        qiao_diag_set(&b->d, e, b->file, 0, 0, "node '%.80s' (%.40s): %s",
                      *n->name  ? n->name
                      : n->nout ? n->out[0]
                                : "",
                      n->op, text);
    else
        qiao_diag_set(&b->d, e, b->file, 0, 0, "%s", text);
    return false;
}
bool qi_nn_no_memory(qi_build *b) { return qi_nn_fail(b, QIAO_E_MEM, "out of memory"); }
void *qi_nn_tmp(qi_build *b, size_t bytes) {
    void *p = qiao_arena_get(b->tmp, bytes);
    if (!p) qi_nn_no_memory(b);
    return p;
}

// ---- names
static qi_val **slot_of(qi_build *b, const char *name) {
    uint64_t h = 14695981039346656037u;
    for (const char *p = name; *p; p++) h = (h ^ (unsigned char)*p) * 1099511628211u;
    size_t i = (size_t)(h ^ h >> 32) & (b->nslot - 1);
    while (b->names[i] && strcmp(b->names[i]->name, name)) i = (i + 1) & (b->nslot - 1);
    return &b->names[i];
}
// Every name has its entry from the start, so that uses are known: value is in root until made.
static qi_val *entry(qi_build *b, const char *name) {
    qi_val **at = slot_of(b, name);
    if (!*at && (*at = qi_nn_tmp(b, sizeof **at))) (*at)->name = name;
    return *at;
}
qi_val *qi_nn_in(qi_build *b, int k) {
    if (k >= b->node->nin || !*b->node->in[k]) return NULL;
    return (*slot_of(b, b->node->in[k]))->root;
}
bool qi_nn_out(qi_build *b, int k, qi_val *v) {
    if (!v || b->d.err) return false;
    if (k >= b->node->nout || !*b->node->out[k]) return true;
    qi_val *e = *slot_of(b, b->node->out[k]);
    if (e->root) return qi_nn_fail(b, QIAO_E_FORMAT, "'%.80s' is made twice", e->name);
    e->root = v;
    v->uses += e->uses;
    if (!v->name) v->name = e->name;
    return true;
}

// ---- attributes and constant inputs
int qi_nn_whole(float x) {
    return x >= 2147483648.0f ? INT_MAX : x <= -2147483648.0f ? INT_MIN : x == x ? (int)x : 0;
}
const qi_attr *qi_nn_attr_get(qi_build *b, const char *name, int type) {
    for (int i = 0; i < b->node->nattr; i++) {
        const qi_attr *a = &b->node->attr[i];
        if (strcmp(a->name, name)) continue;
        if (a->type == type) return a;
        qi_nn_fail(b, QIAO_E_FORMAT, "attribute '%s' is of type %d, expected %d", name, a->type,
                   type);
    }
    return NULL;
}
static int cut(int64_t i) { return i > INT_MAX ? INT_MAX : i < INT_MIN ? INT_MIN : (int)i; }
int qi_nn_attr_i(qi_build *b, const char *name, int value) {
    const qi_attr *a = qi_nn_attr_get(b, name, 2);
    return a ? cut(a->i) : value;
}
float qi_nn_attr_f(qi_build *b, const char *name, float value) {
    const qi_attr *a = qi_nn_attr_get(b, name, 1);
    return a ? a->f : value;
}
const char *qi_nn_attr_s(qi_build *b, const char *name, const char *value) {
    const qi_attr *a = qi_nn_attr_get(b, name, 3);
    return a ? a->s : value;
}
int qi_nn_attr_ints(qi_build *b, const char *name, int *out, int most) {
    const qi_attr *a = qi_nn_attr_get(b, name, 7);
    if (b->d.err) return -2;
    if (!a) return -1;
    if (a->n > most) {
        qi_nn_fail(b, QIAO_E_FIT, "attribute '%s' has %d numbers, at most %d fit", name, a->n,
                   most);
        return -2;
    }
    for (int i = 0; i < a->n; i++) out[i] = cut(a->ints[i]);
    return a->n;
}
int qi_nn_in_ints(qi_build *b, int k, int *out, int most) {
    qi_val *v = qi_nn_in(b, k);
    if (!v) return -1;
    if (!v->data) {
        qi_nn_fail(b, QIAO_E_UNSUPPORTED, "input '%.80s' must be constant", b->node->in[k]);
        return -2;
    }
    if (v->kind == QI_REAL || v->size > most || v->rank > 1) {
        qi_nn_fail(b, QIAO_E_FIT, "input '%.80s' must be a list of at most %d whole numbers",
                   b->node->in[k], most);
        return -2;
    }
    for (int i = 0; i < v->size; i++) out[i] = qi_nn_whole(v->data[i]);
    return v->size;
}
int qi_nn_ints_by(qi_build *b, int opset, const char *name, int k, int *out, int most) {
    return b->g.opset < opset ? qi_nn_attr_ints(b, name, out, most)
                              : qi_nn_in_ints(b, k, out, most);
}
bool qi_nn_axis(qi_build *b, int *axis, int rank) {
    if (*axis < -rank || *axis >= rank)
        return qi_nn_fail(b, QIAO_E_FIT, "axis %d of a tensor of %d dimensions", *axis, rank);
    if (*axis < 0) *axis += rank;
    return true;
}

// ---- values
qi_val *qi_nn_root(qi_val *v) {
    while (v->root) v = v->root;
    return v;
}
bool qi_nn_same_shape(const qi_val *a, const qi_val *b) {
    return a->rank == b->rank && !memcmp(a->dim, b->dim, (size_t)a->rank * sizeof *a->dim);
}
qi_val *qi_nn_new(qi_build *b, qi_kind kind, int rank, const int *dim) {
    if (b->d.err) return NULL;
    qi_val *v = qi_nn_tmp(b, sizeof *v);
    if (!v) return NULL;
    v->kind = kind, v->rank = rank;
    int64_t n = 1;
    for (int i = 0; i < rank; i++) {
        v->dim[i] = dim[i];
        if (dim[i] < 0 || dim[i] > QI_NN_SIZE_MAX || (n *= dim[i]) > QI_NN_SIZE_MAX) {
            qi_nn_fail(b, QIAO_E_LIMIT, "a result of more than 2^26 numbers");
            return NULL;
        }
    }
    v->size = (int)n;
    return v;
}
qi_val *qi_nn_const(qi_build *b, qi_kind kind, int rank, const int *dim) {
    qi_val *v = qi_nn_new(b, kind, rank, dim);
    if (!v) return NULL;
    if ((b->folded += v->size) > QI_NN_FOLD_MAX) {
        qi_nn_fail(b, QIAO_E_LIMIT, "more than 2^26 numbers to compute while loading");
        return NULL;
    }
    return (v->data = qi_nn_tmp(b, (size_t)v->size * sizeof *v->data)) ? v : NULL;
}
qi_val *qi_nn_scalar(qi_build *b, qi_kind kind, float x) {
    qi_val *v = qi_nn_const(b, kind, 0, NULL);
    if (v) v->data[0] = x;
    return v;
}
qi_val *qi_nn_view(qi_build *b, qi_val *x, qi_kind kind, int rank, const int *dim) {
    qi_val *v = qi_nn_new(b, kind, rank, dim);
    if (!v) return NULL;
    if (v->size != x->size) {
        qi_nn_fail(b, QIAO_E_FIT, "%d numbers cannot be shaped to %d", x->size, v->size);
        return NULL;
    }
    v->data = x->data, v->root = x;
    return v;
}

// ---- steps
qi_step *qi_nn_step_new(qi_build *b, const qi_core *core, int nx, int ny, int np, int nf, int nd) {
    qi_step *s = b->d.err ? NULL : qi_nn_tmp(b, sizeof *s);
    if (!s) return NULL;
    *s = (qi_step){.core = core, .nx = nx, .ny = ny, .np = np, .nf = nf, .nd = nd};
    s->node = b->node ? *b->node->name ? b->node->name : b->node->op : "";
    s->x = qi_nn_tmp(b, (size_t)nx * sizeof *s->x), s->y = qi_nn_tmp(b, (size_t)ny * sizeof *s->y);
    s->p = qi_nn_tmp(b, (size_t)np * sizeof *s->p), s->f = qi_nn_tmp(b, (size_t)nf * sizeof *s->f);
    s->d = qi_nn_tmp(b, (size_t)nd * sizeof *s->d);
    return s->x && s->y && s->p && s->f && s->d ? s : NULL;
}
static bool fold(qi_build *b, qi_step *s) {
    if ((b->fold_cost += s->cost) > QI_NN_WORK_MAX)
        return qi_nn_fail(b, QIAO_E_LIMIT, "more than 2^28 operations to compute while loading");
    qiao_arena *a = qiao_arena_new(); // freed at once, with the packed layers
    const float **x = NULL;
    float **y = NULL;
    const qi_dense **d = NULL;
    int *zero = NULL;
    nn_arg arg = {.n = 1, .p = s->p, .f = s->f};
    size_t scratch = 64;
    bool ok = a && (x = qiao_arena_get(a, (size_t)s->nx * sizeof *x)) &&
              (y = qiao_arena_get(a, (size_t)s->ny * sizeof *y)) &&
              (d = qiao_arena_get(a, (size_t)s->nd * sizeof *d)) &&
              (zero = qiao_arena_get(a, (size_t)(s->nx + s->ny) * sizeof *zero));
    for (int k = 0; ok && k < s->nd; k++) {
        const qi_layer *l = &s->d[k];
        void *mem = qiao_arena_get(a, qi_dense_size(QIAO_NN_F32, l->nin, l->nout));
        if (!(ok = mem)) break;
        d[k] = qi_dense_init(mem, QIAO_NN_F32, l->nin, l->nout, l->w, l->transposed, l->bias,
                             l->act, l->alpha);
    }
    ok = ok && (arg.work = qiao_arena_get(a, (s->work + s->work_item) * sizeof(float))) &&
         (arg.scratch = qiao_arena_get(a, scratch));
    for (int k = 0; ok && k < s->nx; k++) x[k] = s->x[k] ? s->x[k]->data : NULL;
    for (int k = 0; ok && k < s->ny; k++) {
        qi_val *v = s->y[k];
        if (!v) continue;
        b->folded += v->size;
        if (b->folded > QI_NN_FOLD_MAX) {
            qi_nn_fail(b, QIAO_E_LIMIT, "more than 2^26 numbers to compute while loading");
            qiao_arena_free(a);
            return false;
        }
        ok = (y[k] = v->data = qi_nn_tmp(b, (size_t)v->size * sizeof *v->data)) != NULL;
        v->maker = NULL;
    }
    if (ok) {
        arg.x = x, arg.y = y, arg.d = d, arg.xs = arg.ys = zero;
        s->core->run(&arg);
    }
    qiao_arena_free(a);
    return ok || qi_nn_no_memory(b);
}
bool qi_nn_step_end(qi_build *b, qi_step *s) {
    bool constant = true;
    for (int k = 0; k < s->ny; k++) {
        if (!s->y[k]) continue;
        s->y[k]->maker = s;
        s->cost += s->y[k]->size;
    }
    for (int k = 0; k < s->nx; k++)
        if (s->x[k]) constant = constant && s->x[k]->data, s->cost += s->x[k]->size;
    if (constant) return fold(b, s);
    if ((b->cost += s->cost) > QI_NN_COST_MAX)
        return qi_nn_fail(b, QIAO_E_LIMIT, "more than 2^33 operations an item");
    *b->last = s, b->last = &s->next, b->nstep++;
    return true;
}
qi_step *qi_nn_made_by(qi_val *v, const qi_core *core, int uses) {
    qi_step *s = v->maker;
    return s && !v->root && !s->dead && s->core == core && s->ny == 1 && v->uses <= uses ? s : NULL;
}

// ---- the graph
static const qi_op *const FAMILY[] = {
    qi_ops_unary,  qi_ops_binary, qi_ops_dense, qi_ops_shape, qi_ops_move,
    qi_ops_reduce, qi_ops_norm,   qi_ops_conv,  qi_ops_pool,  qi_ops_rnn,
};
static bool plan_node(qi_build *b) {
    const qi_node *n = b->node;
    if (*n->domain && strcmp(n->domain, "ai.onnx"))
        return qi_nn_fail(b, QIAO_E_UNSUPPORTED, "operators of domain '%.60s' are not supported",
                          n->domain);
    const qi_op *op = NULL;
    for (size_t f = 0; f < sizeof FAMILY / sizeof *FAMILY && !op; f++)
        for (const qi_op *o = FAMILY[f]; o->name && !op; o++)
            if (!strcmp(o->name, n->op)) op = o;
    if (!op) return qi_nn_fail(b, QIAO_E_UNSUPPORTED, "the operator is not supported");
    if (op->until && b->g.opset > op->until)
        return qi_nn_fail(b, QIAO_E_UNSUPPORTED, "does not exist in opset %d", b->g.opset);
    if (n->nin < op->nin_min || n->nin > op->nin_max || n->nout > op->nout || n->nout < 1)
        return qi_nn_fail(b, QIAO_E_FORMAT, "has %d inputs and %d outputs", n->nin, n->nout);
    for (int k = 0; k < n->nin; k++) {
        if (!*n->in[k] && k < op->nin_min)
            return qi_nn_fail(b, QIAO_E_FORMAT, "input %d is missing", k);
        if (*n->in[k] && !(*slot_of(b, n->in[k]))->root)
            return qi_nn_fail(
                b, QIAO_E_FORMAT,
                "input '%.80s' is made by no node before this one (a loop, or a cut file?)",
                n->in[k]);
    }
    return op->plan(b, op->arg) && !b->d.err;
}

// How often each name is read, before anything is planned.
static bool enter_names(qi_build *b) {
    size_t n = (size_t)(b->g.nconst + b->g.nin + b->g.nout);
    for (const qi_node *k = b->g.node; k; k = k->next) n += (size_t)(k->nin + k->nout);
    b->nslot = 64;
    while (b->nslot < 2 * n) b->nslot *= 2;
    if (!(b->names = qi_nn_tmp(b, b->nslot * sizeof *b->names))) return false;
    for (const qi_node *k = b->g.node; k; k = k->next) {
        for (int i = 0; i < k->nout; i++)
            if (!entry(b, k->out[i])) return false;
        for (int i = 0; i < k->nin; i++) {
            qi_val *e = entry(b, k->in[i]);
            if (!e) return false;
            e->uses++;
        }
    }
    for (const qi_info *p = b->g.out; p; p = p->next) {
        qi_val *e = entry(b, p->name);
        if (!e) return false;
        e->uses += 1000; // never taken into another step
    }
    return true;
}
static bool define(qi_build *b, const char *name, qi_val *v) {
    qi_val *e = entry(b, name);
    if (!e) return false;
    if (e->root || !*name) return qi_nn_fail(b, QIAO_E_FORMAT, "'%.80s' is there twice", name);
    e->root = v, v->uses = e->uses;
    return true;
}
static bool enter_inputs(qi_build *b) {
    for (qi_val *v = b->g.constant, *next; v; v = next) {
        next = v->next;
        if (!define(b, v->name, v)) return false;
    }
    int nin = 0;
    b->in = qi_nn_tmp(b, (size_t)b->g.nin * sizeof *b->in);
    if (!b->in) return false;
    for (qi_info *p = b->g.in, **at = &b->g.in; p; p = p->next) {
        qi_val *e = entry(b, p->name);
        if (!e) return false;
        if (e->root && e->root->data) { // an initializer is its default: constant here
            *at = p->next, b->g.nin--;
            continue;
        }
        at = &p->next;
        qi_kind kind;
        int dim[QI_RANK];
        if (!qi_nn_type_kind(p->type, &kind))
            return qi_nn_fail(b, QIAO_E_UNSUPPORTED, "input '%.80s' is of type %s", p->name,
                              qi_nn_type_name(p->type));
        if (p->rank < 0 || p->rank > QIAO_NN_RANK)
            return qi_nn_fail(b, QIAO_E_UNSUPPORTED, "input '%.80s': expected 0 to %d dimensions",
                              p->name, QIAO_NN_RANK);
        for (int i = 0; i < p->rank; i++) dim[i] = p->dim[i] < 0 ? 1 : cut(p->dim[i]);
        qi_val *v = qi_nn_new(b, kind, p->rank, dim);
        if (!v || !define(b, p->name, v)) return false;
        v->name = p->name, v->place = QI_AT_INPUT, v->slot = nin;
        b->in[nin++] = v;
    }
    return true;
}
static bool take_outputs(qi_build *b) {
    int k = 0;
    b->out = qi_nn_tmp(b, (size_t)b->g.nout * sizeof *b->out);
    if (!b->out) return false;
    if (!b->g.nout) return qi_nn_fail(b, QIAO_E_FORMAT, "has no outputs");
    for (const qi_info *p = b->g.out; p; p = p->next) {
        qi_val *v = entry(b, p->name)->root;
        if (!v) return qi_nn_fail(b, QIAO_E_FORMAT, "output '%.80s' is made by no node", p->name);
        if (v->rank > QIAO_NN_RANK)
            return qi_nn_fail(b, QIAO_E_UNSUPPORTED, "output '%.80s' has more than %d dimensions",
                              p->name, QIAO_NN_RANK);
        b->out[k++] = v;
    }
    return true;
}

static qiao_nn *build(qi_build *b, qi_source *s) {
    if (!qi_onnx_read(s, &b->g) || !enter_names(b) || !enter_inputs(b)) return NULL;
    for (b->node = b->g.node; b->node; b->node = b->node->next)
        if (!plan_node(b)) {
            qi_nn_fail(b, QIAO_E_FORMAT, "cannot be planned");
            return NULL;
        }
    return take_outputs(b) ? qi_plan_finish(b) : NULL;
}
qiao_nn *qi_nn_build(const void *data, size_t bytes, const char *name, const char *dir,
                     qiao_nn_type type, qiao_hash *hash, qiao_diag *d) {
    qi_build b = {.file = name, .type = type, .tmp = qiao_arena_new(), .keep = qiao_arena_new()};
    b.last = &b.first;
    const uint8_t *p = data;
    qi_source s = {name, dir, {p, p + bytes}, b.tmp, &b.d, hash, 0};
    qiao_nn *nn = b.tmp && b.keep ? build(&b, &s) : NULL;
    if (!nn) {
        if (!b.d.err) qiao_diag_set(&b.d, QIAO_E_MEM, name, 0, 0, "out of memory");
        qiao_diag_set(d, b.d.err, NULL, 0, 0, "%s", b.d.text);
        qiao_arena_free(b.keep);
    }
    qiao_arena_free(b.tmp);
    return nn;
}
