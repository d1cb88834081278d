// SPDX-License-Identifier: Apache-2.0
// mjguard.h - MuJoCo's fatal errors as values: its error handler must not return, so it jumps to
// the guard that the calling thread has armed. Warnings are kept silent; MuJoCo counts them.
#ifndef QI_MJGUARD_H
#define QI_MJGUARD_H

#include <setjmp.h>

typedef struct qi_guard {
    jmp_buf jump;
    struct qi_guard *outer;
    char text[300];
} qi_guard;

// Use:  qi_guard g; qi_guard_arm(&g); if (setjmp(g.jump) == 0) { ... } else { g.text says why }
//       qi_guard_disarm(&g);   (on both ways)
struct mjData_;
struct mjModel_;
void qi_guard_arm(qi_guard *g);
void qi_guard_disarm(qi_guard *g);
// mj_makeData that returns NULL when memory is out.
struct mjData_ *qi_make_data(const struct mjModel_ *m);

#endif
