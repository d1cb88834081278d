// SPDX-License-Identifier: Apache-2.0
// ident_read.h - a record that is a tape already. Library only.
#ifndef QI_LEARN_IDENT_READ_H
#define QI_LEARN_IDENT_READ_H

#include "qiao/learn.h"
#include "rec/tape.h"

// As qiao_ident_read of the file that t was read from; takes over t.
qiao_err qi_ident_take(qi_tape *t, const char *mcap, const qiao_robot *robot, double seconds,
                       qiao_ident_record *out, qiao_diag *d);

#endif
