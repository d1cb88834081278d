// SPDX-License-Identifier: Apache-2.0
// body.h - a qiao_io as JSON text and back: what a brain in another process knows of its body.
#ifndef QI_BRAIN_BODY_H
#define QI_BRAIN_BODY_H

#include "qiao/brain.h"

// For n worlds; docs/brain.md lists the keys. NULL: out of memory. free() it.
char *qi_body_write(const qiao_io *io, int n);

// The io that text describes, in the arena. The robot is loaded again from its file and must have
// the same hash; a body without a file gives a robot whose model is NULL.
//   robot  out, *robot the loaded robot to free, or NULL
const qiao_io *qi_body_read(qiao_arena *a, const char *text, size_t bytes, int *n,
                            qiao_robot **robot, qiao_diag *d);

#endif
