// SPDX-License-Identifier: Apache-2.0
// program.c - the do tree as a flat array of nodes, stepped once a tick without allocation.
#include "referee.h"

#include <math.h>
#include <string.h>

static int count(const qi_node *n) {
    int k = 0;
    for (; n; n = n->next) {
        k++;
        if (n->kind == N_SERIAL || n->kind == N_PARALLEL || n->kind == N_ONE_OF) k += count(n->a);
        if (n->kind == N_ON) k += count(n->b);
    }
    return k;
}

static double duration_of(qiao_referee *f, const qi_node *n) {
    qi_env e = {f->in, f->in->root, NULL, NULL};
    for (const qi_node *a = n->kind == N_INVOKE ? NULL : n->b; a && n->kind != N_ON; a = a->next)
        if (a->label && strcmp(a->label, "duration") == 0) return qi_eval(&e, a->a).x;
    return -1;
}

// Lays a list of siblings out; index of the first, -1 if none.
static int lay(qiao_referee *f, const qi_node *n) {
    int first = -1, last = -1;
    for (; n; n = n->next) {
        int i = f->nstep++;
        qi_step *s = &f->step[i];
        *s = (qi_step){.n = n, .child = -1, .next = -1, .duration = -1};
        bool group = n->kind == N_SERIAL || n->kind == N_PARALLEL || n->kind == N_ONE_OF;
        if (group) s->duration = duration_of(f, n);
        if (n->kind == N_INVOKE || n->kind == N_ONE_OF)
            s->act.o = f->in->root->slot[n->index].val.o;
        int child = group ? lay(f, n->a) : n->kind == N_ON ? lay(f, n->b) : -1;
        f->step[i].child = child;
        if (last >= 0)
            f->step[last].next = i;
        else
            first = i;
        last = i;
    }
    return first;
}

bool qi_program_build(qiao_referee *f, qiao_diag *d) {
    const qi_decl *m = f->in->root->decl;
    int n = count(m->run) + count(m->on);
    f->step = qiao_arena_get(f->a, ((size_t)n + 1) * sizeof *f->step);
    f->edge = qiao_arena_get(f->a, ((size_t)f->in->m->nedge + 1) * sizeof *f->edge);
    f->fired = qiao_arena_get(f->a, ((size_t)m->nfield + 1) * sizeof *f->fired);
    if (!f->step || !f->edge || !f->fired)
        return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory"), false;
    f->root = lay(f, m->run);
    f->non = lay(f, m->on);
    return true;
}

void qi_program_reset(qiao_referee *f) {
    for (int i = 0; i < f->nstep; i++) f->step[i].state = 0, f->step[i].seen = -1;
    for (int i = 0; i < f->in->m->nedge; i++) f->edge[i] = NAN;
    for (int i = 0; i < f->in->root->decl->nfield; i++) f->fired[i] = -10;
}

// ---- event specifications ----

static void arm(qiao_referee *f, const qi_node *n) {
    qi_env e = qi_referee_env(f);
    if (n->kind == N_RISE || n->kind == N_FALL) f->edge[n->index] = qi_eval(&e, n->a).x;
}

// Whether it happens now. An event counts in the tick in which it is emitted and in the next, so
// that the order of nodes does not matter.
static bool happens(qiao_referee *f, const qi_node *n, double t0, int64_t *seen) {
    qi_env e = qi_referee_env(f);
    double x, was;
    switch (n->kind) {
    case N_EVENT: {
        int64_t at = f->fired[n->index];
        if (at < f->tick - 1 || at <= *seen) return false;
        if (n->a && qi_eval(&e, n->a).x == 0) return false;
        *seen = at;
        return true;
    }
    case N_ELAPSED: return f->now - t0 >= qi_eval(&e, n->a).x - 1e-9;
    case N_EVERY: {
        double every = fmax(qi_eval(&e, n->a).x, QIAO_TICK_NS * 1e-9);
        int64_t k = (int64_t)floor((f->now - t0) / every + 1e-9);
        if (k < 1 || k <= *seen) return false;
        *seen = k;
        return true;
    }
    case N_RISE:
    case N_FALL:
        x = qi_eval(&e, n->a).x, was = f->edge[n->index];
        f->edge[n->index] = x;
        return n->kind == N_RISE ? x != 0 && was == 0 : x == 0 && was != 0 && !isnan(was);
    default: return qi_eval(&e, n).x != 0;
    }
}

// ---- nodes ----

static bool step_node(qiao_referee *f, int i);

static void halt(qiao_referee *f, int i) {
    qi_step *s = &f->step[i];
    if (s->state != 1) return;
    s->state = 2;
    if (s->n->kind == N_INVOKE) ((const qi_action *)s->n->link)->run(f, &s->act, QI_STOP);
    for (int k = s->child; k >= 0; k = f->step[k].next) halt(f, k);
}

static void rewind_node(qiao_referee *f, int i) {
    for (; i >= 0; i = f->step[i].next) {
        f->step[i].state = 0;
        rewind_node(f, f->step[i].child);
    }
}

static void start(qiao_referee *f, int i) {
    qi_step *s = &f->step[i];
    s->state = 1, s->act.t0 = f->now, s->at = s->child, s->seen = f->tick - 1;
    if (s->n->kind == N_ON || s->n->kind == N_WAIT) {
        if (s->n->a->kind == N_EVERY) s->seen = 0;
        arm(f, s->n->a);
    }
    for (const qi_node *u = s->n->with; u; u = u->next)
        if (u->kind == N_UNTIL) arm(f, u->a);
    if (s->n->kind == N_ONE_OF)
        for (int k = (int)qi_get(f->in, s->act.o, "choice"); k > 0; k--)
            s->at = f->step[s->at].next;
}

static bool run_group(qiao_referee *f, qi_step *s) {
    if (s->n->kind == N_ONE_OF) return step_node(f, s->at);
    if (s->n->kind == N_PARALLEL) {
        bool all = true;
        for (int k = s->child; k >= 0; k = f->step[k].next) all &= step_node(f, k);
        return all;
    }
    while (s->at >= 0 && step_node(f, s->at)) s->at = f->step[s->at].next;
    return s->at < 0;
}

static bool run_node(qiao_referee *f, qi_step *s, bool first) {
    const qi_node *n = s->n;
    if (n->kind == N_WAIT) return happens(f, n->a, s->act.t0, &s->seen);
    if (n->kind == N_EMIT) {
        f->fired[n->index] = f->tick;
        qi_referee_event(f, n->s, "%s", "");
        return true;
    }
    if (n->kind == N_INVOKE) {
        const qi_action *a = n->link;
        if (first && a->run(f, &s->act, QI_START)) return true;
        if (first) return false;
        if (!a->run(f, &s->act, QI_RUN)) return false;
        a->run(f, &s->act, QI_STOP);
        return true;
    }
    return run_group(f, s);
}

static bool step_node(qiao_referee *f, int i) {
    qi_step *s = &f->step[i];
    if (s->state == 2) return true;
    bool first = s->state == 0;
    if (first) start(f, i);
    bool over = run_node(f, s, first);
    bool cut = s->duration >= 0 && f->now - s->act.t0 >= s->duration - 1e-9;
    for (const qi_node *u = s->n->with; u && !over && !cut; u = u->next)
        if (u->kind == N_UNTIL) cut = happens(f, u->a, s->act.t0, &s->seen);
    if (cut && !over) halt(f, i);
    if (over || cut) s->state = 2;
    return over || cut;
}

// on: answers, each time it happens, with its members one after the other.
static void step_on(qiao_referee *f, int i) {
    qi_step *s = &f->step[i];
    if (s->state == 0) start(f, i), s->at = -1;
    bool now = happens(f, s->n->a, s->act.t0, &s->seen);
    if (s->n->a->kind != N_EVENT && s->n->a->kind != N_EVERY && s->n->a->kind < N_RISE) {
        bool rose = now && s->act.mem[0] == 0; // a plain condition: when it becomes true
        s->act.mem[0] = now, now = rose;
    }
    if (s->n->a->kind == N_ELAPSED) {
        bool rose = now && s->act.mem[0] == 0;
        s->act.mem[0] = now, now = rose;
    }
    if (now && s->at < 0) rewind_node(f, s->child), s->at = s->child;
    while (s->at >= 0 && step_node(f, s->at)) s->at = f->step[s->at].next;
}

bool qi_program_step(qiao_referee *f) {
    for (int i = f->non; i >= 0; i = f->step[i].next) step_on(f, i);
    return f->root < 0 || step_node(f, f->root);
}
