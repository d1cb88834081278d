// SPDX-License-Identifier: Apache-2.0
// plan.c - values get their places: ports, or one block of memory in which what has been read for
// the last time makes room for what comes.
#include "nn/plan.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGN = 16, CHUNK = 48, CHUNK_NUMBERS = 1 << 20 };

static size_t round_up(size_t n) { return (n + ALIGN - 1) / ALIGN * ALIGN; }

// First and last step of each value that steps make; returns how many there are.
static int lifetimes(qi_build *b, int *nstep) {
    int n = 0, k = 0;
    for (qi_step *s = b->first; s; s = s->next) {
        if (s->dead) continue;
        for (int i = 0; i < s->nx; i++)
            if (s->x[i]) qi_nn_root(s->x[i])->last = k;
        for (int i = 0; i < s->ny; i++)
            if (s->y[i]) s->y[i]->first = s->y[i]->last = k, n++;
        k++;
    }
    *nstep = k;
    for (int i = 0; i < b->g.nout; i++) qi_nn_root(b->out[i])->last = k;
    return n;
}

// Each value takes the first gap between those that live when it is made.
static bool place_all(qi_build *b, int nval, size_t *most) {
    qi_val **live = qi_nn_tmp(b, (size_t)nval * sizeof(qi_val *));
    int nlive = 0, k = 0;
    *most = 0;
    if (!live) return false;
    for (qi_step *s = b->first; s; s = s->next) {
        if (s->dead) continue;
        int kept = 0;
        for (int i = 0; i < nlive; i++)
            if (live[i]->last >= k) live[kept++] = live[i];
        nlive = kept;
        for (int i = 0; i < s->ny; i++) {
            qi_val *v = s->y[i];
            if (!v || v->place != QI_AT_WORK) continue;
            size_t at = 0, need = round_up((size_t)v->size);
            int j = 0;
            for (; j < nlive && live[j]->at < at + need; j++) {
                size_t end = live[j]->at + round_up((size_t)live[j]->size);
                if (end > at) at = end;
            }
            v->at = at;
            if (at + need > *most) *most = at + need;
            memmove(live + j + 1, live + j, (size_t)(nlive - j) * sizeof(qi_val *));
            live[j] = v, nlive++;
            if (*most > QI_NN_ITEM_MAX) {
                b->node = NULL;
                return qi_nn_fail(b, QIAO_E_LIMIT,
                                  "an item needs more than 2^24 numbers of memory");
            }
        }
        k++;
    }
    return true;
}

// ---- into the memory that stays
static const float *keep_data(qi_build *b, const qi_val *v) {
    qi_val *r = qi_nn_root((qi_val *)(uintptr_t)v);
    if (r->place == QI_AT_CONST) return r->data; // kept already
    float *x = qiao_arena_get(b->keep, (size_t)r->size * sizeof *x);
    if (!x) return NULL;
    memcpy(x, r->data, (size_t)r->size * sizeof *x);
    r->data = x, r->place = QI_AT_CONST;
    return x;
}
static bool spot(qi_build *b, const qi_val *v, qi_spot *to) {
    if (!v) return true;
    qi_val *r = qi_nn_root((qi_val *)(uintptr_t)v);
    *to = (qi_spot){NULL, r->at, r->slot, r->size, r->place};
    if (!r->data) return true;
    to->data = keep_data(b, v), to->place = QI_AT_CONST;
    return to->data != NULL;
}
static void *keep(qi_build *b, const void *p, size_t bytes) {
    void *q = qiao_arena_get(b->keep, bytes);
    if (q && bytes) memcpy(q, p, bytes);
    return q;
}
static bool keep_layers(qi_build *b, qiao_nn *nn, const qi_step *s, qi_run *r) {
    const qi_dense **d = qiao_arena_get(b->keep, (size_t)s->nd * sizeof *d);
    if (!d) return false;
    r->arg.d = d;
    for (int k = 0; k < s->nd; k++) {
        const qi_layer *l = &s->d[k];
        void *mem = qiao_arena_get(b->keep, qi_dense_size(nn->type, l->nin, l->nout));
        if (!mem) return false;
        d[k] = qi_dense_init(mem, nn->type, l->nin, l->nout, l->w, l->transposed, l->bias, l->act,
                             l->alpha);
        size_t need = qi_dense_work(d[k], 1 << 20);
        if (need > nn->scratch) nn->scratch = need;
    }
    return true;
}
static bool keep_step(qi_build *b, qiao_nn *nn, const qi_step *s, qi_run *r) {
    int nlink = s->nx + s->ny;
    *r = (qi_run){.run = s->core->run,
                  .nx = s->nx,
                  .ny = s->ny,
                  .core = s->core,
                  .np = s->np,
                  .nf = s->nf,
                  .nd = s->nd,
                  .work = s->work,
                  .work_item = s->work_item};
    int *stride = qiao_arena_get(b->keep, (size_t)nlink * sizeof *stride);
    qi_spot *at = qiao_arena_get(b->keep, (size_t)nlink * sizeof *at);
    r->arg.p = keep(b, s->p, (size_t)s->np * sizeof *s->p);
    r->arg.f = keep(b, s->f, (size_t)s->nf * sizeof *s->f);
    r->node = qiao_arena_text(b->keep, s->node, strlen(s->node));
    if (!stride || !at || !r->arg.p || !r->arg.f || !r->node) return false;
    for (int k = 0; k < nlink; k++) {
        const qi_val *v = k < s->nx ? s->x[k] : s->y[k - s->nx];
        at[k].place = QI_AT_CONST; // left out: no data
        if (!spot(b, v, &at[k])) return false;
        if (v && at[k].place != QI_AT_CONST) stride[k] = at[k].size;
    }
    r->at = at, r->arg.xs = stride, r->arg.ys = stride + s->nx;
    if (nlink > nn->nlink) nn->nlink = nlink;
    if (s->work > nn->work) nn->work = s->work;
    if (s->work_item > nn->work_item) nn->work_item = s->work_item;
    return keep_layers(b, nn, s, r);
}

static bool keep_ports(qi_build *b, qiao_nn *nn) {
    qiao_nn_port *in = qiao_arena_get(b->keep, (size_t)b->g.nin * sizeof *in);
    qiao_nn_port *out = qiao_arena_get(b->keep, (size_t)b->g.nout * sizeof *out);
    if (!in || !out) return false;
    nn->in = in, nn->out = out, nn->nin = b->g.nin, nn->nout = b->g.nout;
    for (int side = 0; side < 2; side++) {
        const qi_info *p = side ? b->g.out : b->g.in;
        for (int i = 0; p; p = p->next, i++) {
            const qi_val *v = side ? b->out[i] : b->in[i];
            qiao_nn_port *to = side ? &out[i] : &in[i];
            *to = (qiao_nn_port){.rank = v->rank, .size = v->size};
            to->batch = p->rank > 0 && v->rank > 0 && p->dim[0] < 0;
            for (int k = 0; k < v->rank; k++) to->dim[k] = v->dim[k];
            if (!(to->name = qiao_arena_text(b->keep, p->name, strlen(p->name)))) return false;
        }
    }
    qi_meta *m = qiao_arena_get(b->keep, (size_t)b->g.nmeta * sizeof *m);
    if (!m) return false;
    nn->meta = m, nn->nmeta = b->g.nmeta;
    for (const qi_meta *p = b->g.meta; p; p = p->next, m++) {
        m->key = qiao_arena_text(b->keep, p->key, strlen(p->key));
        m->value = qiao_arena_text(b->keep, p->value, strlen(p->value));
        if (!m->key || !m->value) return false;
    }
    return true;
}

// Outputs that steps make are made in place; others are given as copies at the end.
static bool keep_gives(qi_build *b, qiao_nn *nn, bool first) {
    qi_give *g = first ? NULL : qiao_arena_get(b->keep, (size_t)b->g.nout * sizeof *g);
    if (!first && !g) return false;
    if (!first) nn->give = g;
    for (int i = 0; i < b->g.nout; i++) {
        qi_val *r = qi_nn_root(b->out[i]);
        if (first && r->maker && !r->data && r->place == QI_AT_WORK)
            r->place = QI_AT_OUTPUT, r->slot = i;
        if (first || (r->place == QI_AT_OUTPUT && r->slot == i)) continue;
        g[nn->ngive].slot = i;
        if (!spot(b, b->out[i], &g[nn->ngive++].from)) return false;
    }
    return true;
}

qiao_nn *qi_plan_finish(qi_build *b) {
    qiao_nn *nn = qiao_arena_get(b->keep, sizeof *nn);
    if (!nn) return NULL;
    *nn = (qiao_nn){.arena = b->keep, .type = b->type, .cost = b->cost};
    b->node = NULL;
    int nval = lifetimes(b, &nn->nstep);
    keep_gives(b, nn, true);
    if (!place_all(b, nval, &nn->item) || !keep_ports(b, nn)) return NULL;
    qi_run *r = qiao_arena_get(b->keep, (size_t)nn->nstep * sizeof *r);
    if (!r) return NULL;
    nn->step = r;
    for (const qi_step *s = b->first; s; s = s->next)
        if (!s->dead && !keep_step(b, nn, s, r++)) return NULL;
    if (nn->work + nn->work_item > QI_NN_ITEM_MAX) {
        qi_nn_fail(b, QIAO_E_LIMIT, "an item needs more than 2^24 numbers of memory");
        return NULL;
    }
    size_t item = nn->item + nn->work_item;
    nn->chunk = CHUNK;
    while (nn->chunk > 12 && (size_t)nn->chunk * item > CHUNK_NUMBERS) nn->chunk -= 12;
    while (nn->chunk > 1 && (size_t)nn->chunk * item > CHUNK_NUMBERS) nn->chunk--;
    return keep_gives(b, nn, false) ? nn : NULL;
}
