// SPDX-License-Identifier: Apache-2.0
// actions.h - what actors do, in C; an action of the library finds its part here by name.
#ifndef QI_TASK_ACTIONS_H
#define QI_TASK_ACTIONS_H

#include "osc.h"

typedef enum qi_phase { QI_START, QI_RUN, QI_STOP } qi_phase;

typedef struct qi_act { // one running call
    qi_obj *o;          // its arguments: fields of the action
    double t0;          // s of its start
    double mem[4];
} qi_act;

typedef struct qi_action {
    const char *name;
    bool (*run)(struct qiao_referee *f, qi_act *a, qi_phase phase); // true: done
} qi_action;

// The native part of an action or of the nearest action it inherits from.
const qi_action *qi_action_find(const qi_decl *d);

#endif
