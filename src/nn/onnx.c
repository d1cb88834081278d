// SPDX-License-Identifier: Apache-2.0
// onnx.c - ModelProto: nodes, attributes, ports and metadata.
// source   onnx.proto of onnx 1.17 (field numbers)
#include "nn/build.h"

#include <stdarg.h>
#include <stdio.h>

bool qi_onnx_bad(qi_source *s, const uint8_t *at, qiao_err e, const char *fmt, ...) {
    char text[600];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (at)
        qiao_diag_set(s->d, e, s->name, 0, 0, "at byte %zu: %s", (size_t)(at - s->all.at), text);
    else
        qiao_diag_set(s->d, e, s->name, 0, 0, "%s", text);
    return false;
}
static bool no_memory(qi_source *s) { return qi_onnx_bad(s, NULL, QIAO_E_MEM, "out of memory"); }
static bool broken(qi_source *s, const uint8_t *at, const char *what) {
    return qi_onnx_bad(s, at, QIAO_E_FORMAT, "%s is cut off or not ONNX", what);
}
static bool typed(qi_source *s, const qi_field *f, int type, const char *what) {
    if (f->type == type) return true;
    return qi_onnx_bad(s, f->sub.at, QIAO_E_FORMAT, "%s: field %d has wire type %d, expected %d",
                       what, f->no, f->type, type);
}

const char *qi_onnx_text(qi_source *s, qi_wire w) {
    size_t n = (size_t)(w.end - w.at);
    char *t = qiao_arena_text(s->a, (const char *)w.at, n);
    if (!t) {
        no_memory(s);
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)t[i] < 32 || t[i] == 127) t[i] = '?';
    return t;
}
static bool take_text(qi_source *s, const qi_field *f, const char *what, const char **out) {
    if (!typed(s, f, QI_WIRE_BYTES, what)) return false;
    return (*out = qi_onnx_text(s, f->sub)) != NULL;
}

// Numbers of a repeated field of an attribute: how many, then the numbers (packed or one by one).
static bool numbers(qi_source *s, qi_wire w, int no, int fixed, int *n, float *x, int64_t *i) {
    qi_field f;
    *n = 0;
    while (qi_wire_next(&w, &f) > 0) {
        if (f.no != no) continue;
        qi_wire one = f.sub;
        uint64_t v = f.v;
        bool packed = f.type == QI_WIRE_BYTES;
        while (!packed || one.at < one.end) {
            if (packed && !(fixed ? qi_wire_fixed(&one, 4, &v) : qi_wire_var(&one, &v)))
                return broken(s, one.at, "a list of numbers");
            uint32_t word = (uint32_t)v;
            if (x) memcpy(x + *n, &word, sizeof word);
            if (i) i[*n] = (int64_t)v;
            if (++*n > QI_NN_SIZE_MAX) return broken(s, one.at, "a list of numbers");
            if (!packed) break;
        }
    }
    return true;
}
static bool strings(qi_source *s, qi_wire w, int n, qi_attr *a) {
    qi_field f;
    if (n > 64) return qi_onnx_bad(s, w.at, QIAO_E_LIMIT, "an attribute of more than 64 strings");
    if (!(a->strings = qiao_arena_get(s->a, (size_t)n * sizeof *a->strings))) return no_memory(s);
    while (qi_wire_next(&w, &f) > 0)
        if (f.no == 9 && !take_text(s, &f, "an attribute", &a->strings[a->n++])) return false;
    return true;
}
static bool read_attr(qi_source *s, qi_wire w, qi_attr *a) {
    qi_wire all = w;
    qi_field f;
    int more, said = 0, nstring = 0;
    a->name = "";
    while ((more = qi_wire_next(&w, &f)) > 0) switch (f.no) {
        case 1:
            if (!take_text(s, &f, "an attribute's name", &a->name)) return false;
            break;
        case 2: {
            uint32_t word = (uint32_t)f.v;
            memcpy(&a->f, &word, sizeof word);
            a->type = 1;
        } break;
        case 3: a->i = (int64_t)f.v, a->type = 2; break;
        case 4:
            if (!take_text(s, &f, "an attribute", &a->s)) return false;
            a->type = 3;
            break;
        case 5:
            if (!typed(s, &f, QI_WIRE_BYTES, "an attribute")) return false;
            if (!(a->t = qi_onnx_tensor(s, f.sub))) return false;
            a->type = 4;
            break;
        case 6: a->type = 5; break;
        case 7: a->type = 6; break;
        case 8: a->type = 7; break;
        case 9: nstring++, a->type = 8; break;
        case 20: said = f.v < 64 ? (int)f.v : 0; break;
        default: break;
        }
    if (more < 0) return broken(s, w.at, "an attribute");
    if (said) a->type = said; // an empty list and a zero are not written
    if (a->type == 3 && !a->s) a->s = "";
    if (a->type == 4 && !a->t) return broken(s, all.at, "an attribute's tensor");
    if (a->type == 8) return strings(s, all, nstring, a);
    if (a->type == 6) {
        if (!numbers(s, all, 7, 1, &a->n, NULL, NULL)) return false;
        float *x = qiao_arena_get(s->a, (size_t)a->n * sizeof *x + 1);
        if (!x) return no_memory(s);
        a->floats = x;
        return numbers(s, all, 7, 1, &a->n, x, NULL);
    }
    if (a->type == 7) {
        if (!numbers(s, all, 8, 0, &a->n, NULL, NULL)) return false;
        int64_t *x = qiao_arena_get(s->a, (size_t)a->n * sizeof *x + 1);
        if (!x) return no_memory(s);
        a->ints = x;
        return numbers(s, all, 8, 0, &a->n, NULL, x);
    }
    return true;
}

static bool read_node(qi_source *s, qi_wire w, qi_graph *g, qi_node *n) {
    qi_wire all = w;
    qi_field f;
    int more;
    while ((more = qi_wire_next(&w, &f)) > 0) {
        n->nin += f.no == 1, n->nout += f.no == 2, n->nattr += f.no == 5;
        if (f.no <= 7 && !typed(s, &f, QI_WIRE_BYTES, "a node")) return false;
    }
    if (more < 0) return broken(s, w.at, "a node");
    if (n->nin > QI_NN_LINKS_MAX || n->nout > QI_NN_LINKS_MAX || n->nattr > 64)
        return qi_onnx_bad(s, w.at, QIAO_E_LIMIT, "a node has %d inputs, %d outputs, %d attributes",
                           n->nin, n->nout, n->nattr);
    if ((g->nname += n->nin + n->nout + n->nattr) > QI_NN_NAMES_MAX)
        return qi_onnx_bad(s, w.at, QIAO_E_LIMIT,
                           "nodes of more than %d inputs, outputs and "
                           "attributes",
                           QI_NN_NAMES_MAX);
    n->in = qiao_arena_get(s->a, (size_t)n->nin * sizeof *n->in);
    n->out = qiao_arena_get(s->a, (size_t)n->nout * sizeof *n->out);
    n->attr = qiao_arena_get(s->a, (size_t)n->nattr * sizeof *n->attr);
    if (!n->in || !n->out || !n->attr) return no_memory(s);
    n->name = n->op = n->domain = "";
    n->nin = n->nout = n->nattr = 0;
    while (qi_wire_next(&all, &f) > 0) {
        const char **to = f.no == 1   ? &n->in[n->nin++]
                          : f.no == 2 ? &n->out[n->nout++]
                          : f.no == 3 ? &n->name
                          : f.no == 4 ? &n->op
                          : f.no == 7 ? &n->domain
                                      : NULL;
        if (to && !take_text(s, &f, "a node", to)) return false;
        if (f.no == 5 && !read_attr(s, f.sub, &n->attr[n->nattr++])) return false;
    }
    return true;
}

static bool read_dims(qi_source *s, qi_wire w, qi_info *p) {
    qi_field f, g;
    int more, most;
    p->rank = 0;
    while ((more = qi_wire_next(&w, &f)) > 0) {
        if (f.no != 1 || f.type != QI_WIRE_BYTES) continue;
        if (p->rank == QI_RANK)
            return qi_onnx_bad(s, f.sub.at, QIAO_E_UNSUPPORTED,
                               "'%.80s' has more than %d dimensions", p->name, QI_RANK);
        int64_t *dim = &p->dim[p->rank++];
        *dim = -1;
        while ((most = qi_wire_next(&f.sub, &g)) > 0)
            if (g.no == 1 && g.type == QI_WIRE_VAR) *dim = (int64_t)g.v > 0 ? (int64_t)g.v : -1;
        if (most < 0) return broken(s, f.sub.at, "a dimension");
    }
    return more == 0 || broken(s, w.at, "a shape");
}
static bool read_info(qi_source *s, qi_wire w, qi_info *p) {
    qi_field f, t, u;
    int more;
    p->name = "", p->rank = -1;
    while ((more = qi_wire_next(&w, &f)) > 0) {
        if (f.no == 1 && !take_text(s, &f, "a port", &p->name)) return false;
        if (f.no != 2 || f.type != QI_WIRE_BYTES) continue;
        while ((more = qi_wire_next(&f.sub, &t)) > 0) {
            if (t.no != 1 || t.type != QI_WIRE_BYTES)
                return qi_onnx_bad(s, f.sub.at, QIAO_E_UNSUPPORTED, "'%.80s' is not a plain tensor",
                                   p->name);
            while ((more = qi_wire_next(&t.sub, &u)) > 0) {
                if (u.no == 1 && u.type == QI_WIRE_VAR) p->type = u.v < 100 ? (int)u.v : 99;
                if (u.no == 2 && u.type == QI_WIRE_BYTES && !read_dims(s, u.sub, p)) return false;
            }
            if (more < 0) return broken(s, t.sub.at, "a port's type");
        }
        if (more < 0) return broken(s, f.sub.at, "a port's type");
    }
    return more == 0 || broken(s, w.at, "a port");
}

static bool too_many(qi_source *s, int n, int most, const char *what) {
    if (n < most) return false;
    qi_onnx_bad(s, NULL, QIAO_E_LIMIT, "more than %d %s", most, what);
    return true;
}
static bool read_graph(qi_source *s, qi_wire w, qi_graph *g) {
    qi_node **node = &g->node;
    qi_val **constant = &g->constant;
    qi_info **end[2] = {&g->in, &g->out};
    qi_field f;
    int more;
    while ((more = qi_wire_next(&w, &f)) > 0) switch (f.no) {
        case 1:
            if (!typed(s, &f, QI_WIRE_BYTES, "the graph")) return false;
            if (too_many(s, g->nnode++, QI_NN_NODES_MAX, "nodes")) return false;
            if (!(*node = qiao_arena_get(s->a, sizeof **node))) return no_memory(s);
            if (!read_node(s, f.sub, g, *node)) return false;
            node = &(*node)->next;
            break;
        case 5:
            if (!typed(s, &f, QI_WIRE_BYTES, "the graph")) return false;
            if (too_many(s, g->nconst++, QI_NN_NODES_MAX, "initializers")) return false;
            if (!(*constant = qi_onnx_tensor(s, f.sub))) return false;
            constant = &(*constant)->next;
            break;
        case 11:
        case 12: {
            int *n = f.no == 11 ? &g->nin : &g->nout;
            qi_info ***to = &end[f.no - 11];
            if (!typed(s, &f, QI_WIRE_BYTES, "the graph")) return false;
            if (too_many(s, (*n)++, QI_NN_NODES_MAX, "ports")) return false;
            if (!(**to = qiao_arena_get(s->a, sizeof ***to))) return no_memory(s);
            if (!read_info(s, f.sub, **to)) return false;
            *to = &(**to)->next;
        } break;
        case 15:
            return qi_onnx_bad(s, f.sub.at, QIAO_E_UNSUPPORTED,
                               "sparse initializers are not supported");
        default: break;
        }
    return more == 0 || broken(s, w.at, "the graph");
}

static bool read_opset(qi_source *s, qi_wire w, qi_graph *g) {
    qi_field f;
    int more;
    const char *domain = "";
    uint64_t version = 0;
    while ((more = qi_wire_next(&w, &f)) > 0) {
        if (f.no == 1 && !take_text(s, &f, "an opset", &domain)) return false;
        if (f.no == 2 && f.type == QI_WIRE_VAR) version = f.v;
    }
    if (more < 0) return broken(s, w.at, "an opset");
    if (!*domain || !strcmp(domain, "ai.onnx")) g->opset = version < 1000 ? (int)version : 1000;
    return true;
}
static bool read_meta(qi_source *s, qi_wire w, qi_graph *g, qi_meta ***end) {
    qi_field f;
    int more;
    if (too_many(s, g->nmeta++, QI_NN_NODES_MAX, "metadata entries")) return false;
    qi_meta *m = **end = qiao_arena_get(s->a, sizeof *m);
    if (!m) return no_memory(s);
    *end = &m->next;
    m->key = m->value = "";
    while ((more = qi_wire_next(&w, &f)) > 0) {
        if (f.no == 1 && !take_text(s, &f, "metadata", &m->key)) return false;
        if (f.no != 2) continue;
        if (!typed(s, &f, QI_WIRE_BYTES, "metadata")) return false;
        // as it stands: values may be text of several lines
        m->value = qiao_arena_text(s->a, (const char *)f.sub.at, (size_t)(f.sub.end - f.sub.at));
        if (!m->value) return no_memory(s);
    }
    return more == 0 || broken(s, w.at, "metadata");
}

bool qi_onnx_read(qi_source *s, qi_graph *g) {
    qi_wire w = s->all, graph = {0};
    qi_meta **meta = &g->meta;
    qi_field f;
    int more;
    if (w.at == w.end) return qi_onnx_bad(s, NULL, QIAO_E_FORMAT, "is empty, expected ONNX");
    if (w.end - w.at > 4 && !memcmp(w.at, "PK\3\4", 4))
        return qi_onnx_bad(s, NULL, QIAO_E_FORMAT,
                           "is a zip archive (TorchScript or a checkpoint?), expected ONNX: export "
                           "with torch.onnx.export");
    while ((more = qi_wire_next(&w, &f)) > 0) switch (f.no) {
        case 7:
            if (!typed(s, &f, QI_WIRE_BYTES, "the model")) return false;
            if (graph.at) return qi_onnx_bad(s, f.sub.at, QIAO_E_FORMAT, "a second graph");
            graph = f.sub;
            break;
        case 8:
            if (!typed(s, &f, QI_WIRE_BYTES, "the model") || !read_opset(s, f.sub, g)) return false;
            break;
        case 14:
            if (!typed(s, &f, QI_WIRE_BYTES, "the model") || !read_meta(s, f.sub, g, &meta))
                return false;
            break;
        default: break;
        }
    if (more < 0) return broken(s, w.at, "the model");
    if (!graph.at) return qi_onnx_bad(s, NULL, QIAO_E_FORMAT, "has no graph: cut off or not ONNX");
    if (g->opset < 11 || g->opset > 21)
        return qi_onnx_bad(s, NULL, QIAO_E_UNSUPPORTED, "opset %d, expected 11 to 21", g->opset);
    return read_graph(s, graph, g);
}
