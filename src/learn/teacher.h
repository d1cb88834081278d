// SPDX-License-Identifier: Apache-2.0
// teacher.h - any brain as a teacher: it sees the worlds as it would if it drove, at its own rate,
// and its commands become actions of the student.
#ifndef QI_LEARN_TEACHER_H
#define QI_LEARN_TEACHER_H

#include "learn/recipe.h"
#include "qiao/brain.h"

enum { QI_TEACHERS = 8 };
typedef struct qi_teacher {
    int nbrain; // one for each part of the worlds, so that threads share them
    struct qi_teacher_part {
        qiao_brain *brain;
        int from, n; // worlds
        qiao_io io;  // the sim's, with the teacher's period
    } part[QI_TEACHERS];
    qiao_cmd cmd;
    const qiao_obs *obs; // of the step at work
    uint8_t *live;       // [n] 0: it gave up in this world, until the reset
    int n, each;         // steps of the teacher in one of the student's
} qi_teacher;

// Opens the brain that a recipe names; memory from arena. Then binds it to the worlds: io of the
// sim for n worlds, the student's period, nstep physics steps in it.
bool qi_teacher_open(qi_teacher *t, const qi_recipe *r, const qiao_robot *robot, qiao_diag *d);
const char *const *qi_teacher_need(const qi_teacher *t); // NULL: there is no teacher
bool qi_teacher_needs(const qi_teacher *t, const char *signal);
bool qi_teacher_bind(qi_teacher *t, const qiao_io *io, int n, double period, int nstep,
                     qiao_arena *arena, qiao_diag *d);
void qi_teacher_close(qi_teacher *t);
void qi_teacher_reset(qi_teacher *t, int world, uint64_t seed);
void qi_teacher_step(qi_teacher *t, qi_pool *pool, const qiao_obs *obs);
// The drives of a world were told a row of cmd instead of what it said in the last step.
void qi_teacher_did(qi_teacher *t, int world, const qiao_cmd *cmd);
// Whether its command in this world is its own: not damping by a guard, not from before it gave up.
bool qi_teacher_knows(const qi_teacher *t, int world);

#endif
