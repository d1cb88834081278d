// SPDX-License-Identifier: Apache-2.0
// report.h - tells the results of trials: words or JSON on stdout, files in each trial's folder.
#ifndef QIAO_REPORT_H
#define QIAO_REPORT_H

#include "qiao/prove.h"
#include "base/json.h"

typedef struct report {
    bool json, many;
    const qiao_scenario *scenario;
    const qiao_robot *robot;
    const char *brain, *engine;
    int n, passed;
    double sum;
    qi_json out; // when json
} report;

typedef struct report_trial {
    const char *dir, *record; // record NULL: none was written
    const qiao_result *result;
    uint64_t seed;
    double wall; // s of computing
    bool page;
} report_trial;

void report_begin(report *r);
// Writes case.osc, result.json and replay.html into the trial's folder and tells the result.
qiao_err report_add(report *r, const report_trial *t, qiao_diag *d);
void report_end(report *r);

#endif
