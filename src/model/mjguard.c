// SPDX-License-Identifier: Apache-2.0
// mjguard.c - see mjguard.h.
#include "model/mjguard.h"

#include <mujoco/mujoco.h>
#include <stdio.h>
#include <stdlib.h>

static _Thread_local qi_guard *armed;

static void on_error(const char *text) {
    if (!armed) { // nobody to tell: a programmer's error
        fprintf(stderr, "MuJoCo: %s\n", text);
        abort();
    }
    snprintf(armed->text, sizeof armed->text, "%s", text);
    longjmp(armed->jump, 1);
}

static void on_warning(const char *text) { (void)text; }

__attribute__((constructor)) static void install(void) {
    mju_user_error = on_error;
    mju_user_warning = on_warning;
}

void qi_guard_arm(qi_guard *g) {
    g->outer = armed, g->text[0] = 0;
    armed = g;
}
void qi_guard_disarm(qi_guard *g) { armed = g->outer; }

struct mjData_ *qi_make_data(const struct mjModel_ *m) {
    qi_guard g;
    mjData *volatile d = NULL;
    qi_guard_arm(&g);
    if (setjmp(g.jump) == 0) d = mj_makeData(m);
    qi_guard_disarm(&g);
    return d;
}
