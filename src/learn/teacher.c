// SPDX-License-Identifier: Apache-2.0
// teacher.c - see teacher.h.
#include "learn/teacher.h"

#include <math.h>
#include <string.h>

bool qi_teacher_open(qi_teacher *t, const qi_recipe *r, const qiao_robot *robot, qiao_diag *d) {
    qiao_brain_def def = qiao_brain_def_default();
    def.spec = r->teacher, def.n = r->worlds, def.robot = robot;
    t->brain = qiao_brain_open(&def, d);
    return t->brain != NULL;
}

bool qi_teacher_needs(const qi_teacher *t, const char *signal) {
    const char *const *need = t->brain ? qiao_brain_needs(t->brain) : NULL;
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
    t->n = n, t->each = rate_of(qiao_brain_rate(t->brain), period, nstep);
    t->io = *io, t->io.nworld = n, t->io.period = period / t->each;
    t->cmd = (qiao_cmd){n, io->nu, c, c + row, c + 2 * row, c + 3 * row, c + 4 * row};
    memset(t->live, 1, (size_t)n);
    return qiao_brain_bind(t->brain, &t->io, d) == QIAO_OK;
}

void qi_teacher_close(qi_teacher *t) { qiao_brain_close(t->brain); }

void qi_teacher_reset(qi_teacher *t, int world, uint64_t seed) {
    t->live[world] = qiao_brain_reset(t->brain, world, seed, NULL) == QIAO_OK;
}

void qi_teacher_step(qi_teacher *t, const qiao_obs *obs) {
    t->seen = *obs, t->seen.live = t->live;
    for (int i = 0; i < t->n; i++)
        if (obs->live && !obs->live[i]) t->live[i] = 0;
    if (qiao_brain_step(t->brain, &t->seen, &t->cmd, NULL) == QIAO_OK) return;
    for (int i = 0; i < t->n; i++)
        if (qiao_brain_fault(t->brain, i)) t->live[i] = 0;
}

bool qi_teacher_knows(const qi_teacher *t, int world) {
    return t->live[world] && qiao_brain_guard_rung(t->brain, world) < QIAO_RUNG_DAMP;
}
