// SPDX-License-Identifier: Apache-2.0
// teacher.c - see teacher.h.
#include "learn/teacher.h"

#include <math.h>
#include <string.h>

bool qi_teacher_open(qi_teacher *t, const qi_recipe *r, const qiao_robot *robot, qiao_diag *d) {
    t->n = r->worlds, t->nbrain = t->n < QI_TEACHERS ? t->n : QI_TEACHERS;
    for (int k = 0; k < t->nbrain; k++) {
        struct qi_teacher_part *p = &t->part[k];
        qiao_brain_def def = qiao_brain_def_default();
        p->from = (int)((long)t->n * k / t->nbrain);
        p->n = (int)((long)t->n * (k + 1) / t->nbrain) - p->from;
        def.spec = r->teacher, def.n = p->n, def.robot = robot;
        if (!(p->brain = qiao_brain_open(&def, d))) return false;
    }
    return true;
}

const char *const *qi_teacher_need(const qi_teacher *t) {
    return t->nbrain ? qiao_brain_needs(t->part[0].brain) : NULL;
}
bool qi_teacher_needs(const qi_teacher *t, const char *signal) {
    const char *const *need = qi_teacher_need(t);
    for (int i = 0; need && need[i]; i++)
        if (strcmp(need[i], signal) == 0) return true;
    return false;
}

// As near to the teacher's own rate as physics allows, and a whole part of the student's step.
static int rate_of(double rate_hz, double period, int nstep) {
    int each = (int)lround(rate_hz * period);
    if (each < 1) each = 1;
    if (each > nstep) each = nstep;
    while (nstep % each != 0) each--;
    return each;
}

bool qi_teacher_bind(qi_teacher *t, const qiao_io *io, int n, double period, int nstep,
                     qiao_arena *arena, qiao_diag *d) {
    size_t row = (size_t)n * (size_t)io->nu;
    double *c = qiao_arena_get(arena, 5 * row * sizeof *c);
    t->live = qiao_arena_get(arena, (size_t)n);
    if (!c || !t->live) {
        qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
        return false;
    }
    t->each = rate_of(qiao_brain_rate(t->part[0].brain), period, nstep);
    t->cmd = (qiao_cmd){n, io->nu, c, c + row, c + 2 * row, c + 3 * row, c + 4 * row};
    memset(t->live, 1, (size_t)n);
    for (int k = 0; k < t->nbrain; k++) {
        struct qi_teacher_part *p = &t->part[k];
        p->io = *io, p->io.nworld = p->n, p->io.period = period / t->each;
        if (io->nparam) p->io.param_text += p->from * io->nparam;
        if (qiao_brain_bind(p->brain, &p->io, d)) return false;
    }
    return true;
}

void qi_teacher_close(qi_teacher *t) {
    for (int k = 0; k < t->nbrain; k++) qiao_brain_close(t->part[k].brain);
}

static const struct qi_teacher_part *part_of(const qi_teacher *t, int world) {
    int k = t->nbrain - 1;
    while (t->part[k].from > world) k--;
    return &t->part[k];
}

void qi_teacher_reset(qi_teacher *t, int world, uint64_t seed) {
    const struct qi_teacher_part *p = part_of(t, world);
    t->live[world] = qiao_brain_reset(p->brain, world - p->from, seed, NULL) == QIAO_OK;
}

// The rows of one part's worlds, seen and answered.
static void step_part(qi_teacher *t, struct qi_teacher_part *p) {
    const qiao_obs *o = t->obs;
    size_t from = (size_t)p->from, at = from * (size_t)t->cmd.nu;
    qiao_obs seen = {.n = p->n,
                     .nobs = o->nobs,
                     .nsig = o->nsig,
                     .t_ns = o->t_ns + from,
                     .x = o->x + from * (size_t)o->nobs,
                     .stamp_ns = o->stamp_ns + from * (size_t)o->nsig,
                     .live = t->live + from};
    qiao_cmd cmd = {p->n,           t->cmd.nu,      t->cmd.q + at,  t->cmd.qd + at,
                    t->cmd.kp + at, t->cmd.kd + at, t->cmd.tau + at};
    for (int i = p->from; i < p->from + p->n; i++)
        if (o->live && !o->live[i]) t->live[i] = 0;
    if (qiao_brain_step(p->brain, &seen, &cmd, NULL) == QIAO_OK) return;
    for (int i = 0; i < p->n; i++)
        if (qiao_brain_fault(p->brain, i)) t->live[p->from + i] = 0;
}
static void step_parts(void *ctx, int thread, int from, int to) {
    qi_teacher *t = ctx;
    (void)thread;
    for (int k = from; k < to; k++) step_part(t, &t->part[k]);
}
void qi_teacher_step(qi_teacher *t, qi_pool *pool, const qiao_obs *obs) {
    t->obs = obs;
    qi_pool_run(pool, t->nbrain, step_parts, t);
}

void qi_teacher_did(qi_teacher *t, int world, const qiao_cmd *cmd) {
    const struct qi_teacher_part *p = part_of(t, world);
    const double *x = t->obs->x + (size_t)world * (size_t)t->obs->nobs;
    if (t->live[world]) qiao_brain_did(p->brain, world - p->from, x, cmd, world);
}

bool qi_teacher_knows(const qi_teacher *t, int world) {
    const struct qi_teacher_part *p = part_of(t, world);
    return t->live[world] && qiao_brain_guard_rung(p->brain, world - p->from) < QIAO_RUNG_DAMP;
}
