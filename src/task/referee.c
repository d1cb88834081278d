// SPDX-License-Identifier: Apache-2.0
// referee.c - judge of one trial: each tick the scenario moves on, signals go out, lines score.
#include "referee.h"
#include "measures.h"
#include "watch.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void qi_referee_event(qiao_referee *f, const char *name, const char *fmt, ...) {
    qiao_event *e = &f->ring[f->put++ % QI_EVENT_RING];
    e->t_ns = (int64_t)llround(f->now * 1e9);
    snprintf(e->name, sizeof e->name, "%s", name);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    if (f->put - f->got > QI_EVENT_RING) f->got = f->put - QI_EVENT_RING; // the oldest goes
}

qi_env qi_referee_env(qiao_referee *f) { return (qi_env){f->in, f->in->root, NULL, f}; }

// Names to bodies of the world.
static bool bind_bodies(qiao_referee *f, qiao_diag *d) {
    const qi_obj *root = f->in->root;
    for (int i = 0; i < root->decl->nfield; i++) {
        qi_obj *o = root->slot[i].val.o;
        if (root->decl->field[i]->type->kind == QI_OBJ && o)
            o->body = qiao_model_body(f->world, o->path);
    }
    f->c->role->body = f->base = f->part.body[f->c->robot->base];
    for (int i = 0; i < f->c->nthing; i++)
        if (f->c->thing[i]->body < 0) {
            qiao_diag_set(d, QIAO_E_NAME, NULL, 0, 0, "the world has no body '%s'",
                          f->c->thing[i]->path);
            return false;
        }
    return true;
}

static bool mark_bodies(qiao_referee *f) {
    const qiao_model *w = f->world;
    const qiao_robot *r = f->c->robot;
    f->is_robot = qiao_arena_get(f->a, 3 * (size_t)w->nbody + 1);
    if (!f->is_robot) return false;
    f->is_foot = f->is_robot + w->nbody, f->is_static = f->is_foot + w->nbody;
    for (int i = 1; i < r->model->nbody; i++) f->is_robot[f->part.body[i]] = 1;
    for (int i = 0; i < r->nfoot; i++) f->is_foot[w->site_body[f->part.site[r->foot_site[i]]]] = 1;
    f->is_static[0] = 1;
    for (int i = 1; i < w->nbody; i++)
        f->is_static[i] =
            !f->is_robot[i] && w->body_jntnum[i] == 0 && f->is_static[w->body_parent[i]];
    return true;
}

qiao_referee *qiao_referee_new(const qiao_case *c, const qiao_model *world, const qiao_io *io,
                               qiao_diag *d) {
    qiao_arena *a = qiao_arena_new();
    qiao_referee *f = a ? qiao_arena_get(a, sizeof *f) : NULL;
    if (!f) {
        qiao_arena_free(a);
        qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
        return NULL;
    }
    f->a = a, f->c = c, f->in = c->in, f->world = world, f->command = f->orientation = -1;
    f->position = -1;
    for (int i = 0; io && i < io->nsig; i++) {
        if (strcmp(io->sig[i].name, "command_velocity") == 0 && io->sig[i].dim == 3) f->command = i;
        if (strcmp(io->sig[i].name, "command_orientation") == 0 && io->sig[i].dim == 4)
            f->orientation = i;
        if (strcmp(io->sig[i].name, "command_position") == 0 && io->sig[i].dim == 3)
            f->position = i;
    }
    f->q = qiao_arena_get(a, ((size_t)world->nq + 1) * sizeof *f->q);
    f->qd = qiao_arena_get(a, ((size_t)world->nv + 1) * sizeof *f->qd);
    bool ok = f->q && f->qd && qiao_model_part(world, c->robot, a, &f->part, d) == QIAO_OK &&
              bind_bodies(f, d) && mark_bodies(f) && qi_program_build(f, d) && qi_terms_build(f, d);
    if (!ok) {
        qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
        qiao_arena_free(a);
        return NULL;
    }
    qiao_referee_reset(f);
    return f;
}

void qiao_referee_free(qiao_referee *f) {
    if (f) qiao_arena_free(f->a);
}

void qi_referee_bodies(const qiao_referee *f, uint8_t *need) {
    const qi_obj *root = f->in->root;
    memset(need, 0, (size_t)f->world->nbody);
    need[f->base] = 1;
    for (int i = 0; i < root->decl->nfield; i++) {
        const qi_obj *o = root->slot[i].val.o;
        if (root->decl->field[i]->type->kind == QI_OBJ && o && o->body >= 0) need[o->body] = 1;
    }
}

static bool calls(const qi_node *n, const char *const *names) {
    for (; n; n = n->next) {
        for (int i = 0; n->kind == N_CALL && n->ref == REF_FUNC && names[i]; i++)
            if (strcmp(((const qi_measure *)n->link)->name, names[i]) == 0) return true;
        if (calls(n->a, names) || calls(n->b, names) || calls(n->c, names) || calls(n->with, names))
            return true;
    }
    return false;
}

bool qi_referee_asks(const qiao_referee *f, const char *const *names) {
    const qi_decl *m = f->in->root->decl;
    if (calls(m->run, names) || calls(m->on, names)) return true;
    for (const qi_item *it = m->score; it; it = it->next)
        if (calls(it->call, names)) return true;
    for (const qi_item *it = m->envelope; it; it = it->next)
        if (calls(it->call, names)) return true;
    for (int i = 0; i < f->in->nslot; i++) // fields that are worked out while the trial runs
        if (f->in->slot[i]->f->var && calls(f->in->slot[i]->f->init, names)) return true;
    return false;
}

void qiao_referee_reset(qiao_referee *f) {
    f->tick = -1, f->now = f->dt = 0, f->put = f->got = 0;
    f->goal = (qi_goal){.quat = {1}};
    memset(f->cmd, 0, sizeof f->cmd), memset(f->cmd_last, 0, sizeof f->cmd_last);
    qi_program_reset(f), qi_terms_reset(f), qi_track_reset(f);
}

// A hand on a joystick is smooth: 1 m/s2 and 3 rad/s2 at most.
static void send_command(qiao_referee *f) {
    static const double most[3] = {1, 1, 3};
    if (f->command < 0) return;
    if (memcmp(f->cmd, f->cmd_last, sizeof f->cmd) != 0) qi_track_change(f);
    for (int i = 0; i < 3; i++) {
        double d = f->cmd[i] - f->cmd_last[i], lim = most[i] * f->dt;
        f->cmd_last[i] += d > lim ? lim : d < -lim ? -lim : d;
    }
    if (f->sim) qiao_sim_signal(f->sim, f->w, f->command, f->cmd_last);
}

qiao_verdict qiao_referee_step(qiao_referee *f, const qiao_truth *t, qiao_sim *s, int w) {
    if (f->score.verdict != QIAO_RUNNING) return f->score.verdict;
    f->t = t, f->sim = s, f->w = w;
    // physics whose step does not divide a tick makes ticks a little longer or shorter
    f->dt = f->tick < 0 ? QIAO_TICK_NS * 1e-9 : (double)(t->t_ns - f->t_ns) * 1e-9;
    f->tick++, f->t_ns = t->t_ns, f->now = (double)t->t_ns * 1e-9;
    qi_track_step(f);
    bool over = qi_program_step(f);
    send_command(f), qi_goal_send(f);
    qi_terms_step(f);
    if (f->moved && f->sim) qiao_sim_set(f->sim, f->w, f->q, f->qd);
    f->moved = false;
    if (f->score.verdict == QIAO_RUNNING && over) qi_terms_close(f, "");
    if (f->score.verdict == QIAO_RUNNING && f->now >= f->c->time_limit - 1e-9)
        qi_terms_close(f, "the time is up: ");
    if (f->score.verdict != QIAO_RUNNING)
        qi_referee_event(f, f->score.verdict == QIAO_PASSED ? "passed" : "failed", "%.100s",
                         f->score.reason);
    return f->score.verdict;
}

void qiao_referee_abort(qiao_referee *f, qiao_err e, const char *reason) {
    if (f->score.verdict != QIAO_RUNNING) return;
    f->score.verdict = QIAO_FAILED;
    snprintf(f->score.reason, sizeof f->score.reason, "%s",
             reason && reason[0] ? reason : qiao_err_text(e));
    qi_referee_event(f, "failed", "%.100s", f->score.reason);
}

int qiao_referee_events(qiao_referee *f, qiao_event *ev, int cap) {
    int n = 0;
    while (n < cap && f->got < f->put) ev[n++] = f->ring[f->got++ % QI_EVENT_RING];
    return n;
}
