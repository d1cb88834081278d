// SPDX-License-Identifier: Apache-2.0
// watch.h - what a referee looks at. Library only.
#ifndef QI_TASK_WATCH_H
#define QI_TASK_WATCH_H

#include "qiao/task.h"

// Marks the bodies whose poses it reads: need [nbody of the world].
void qi_referee_bodies(const qiao_referee *f, uint8_t *need);
// Whether anything of its scenario asks for one of these measures; names NULL-terminated.
bool qi_referee_asks(const qiao_referee *f, const char *const *names);

#endif
