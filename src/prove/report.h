// SPDX-License-Identifier: Apache-2.0
// report.h - the parts of a sweep's report; inside room prove only.
#ifndef QI_PROVE_REPORT_H
#define QI_PROVE_REPORT_H

#include "base/json.h"
#include "qiao/prove_report.h"

// The whole report as one JSON text. embedded [ncase]: the case's replay is inside the page;
// NULL: there is no page.
char *qi_report_json(const qiao_report_def *def, const qiao_why *why, const bool *embedded,
                     qiao_diag *d);

enum { QI_REPLAY_ROOM = 9 << 20 }; // bytes of replays in a page, packed

#endif
