// SPDX-License-Identifier: Apache-2.0
// policy_run.h - public policies in scenarios with their drawn commands replaced; used by the test
// of what they reach and by the bench of what number types cost.
#ifndef POLICY_RUN_H
#define POLICY_RUN_H

#include "qiao/prove.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct policy { // which brain on which robot
    const char *brain, *robot;
} policy;

// Value of a measure; NAN: there is none of that name.
static double policy_measure(const qiao_score *s, const char *name) {
    for (int i = 0; i < s->nmeasure; i++)
        if (strcmp(s->measure[i].name, name) == 0) return s->measure[i].value;
    return NAN;
}

// A scenario of the house, with a text in it replaced (from NULL: as it is); NULL and d on a fault.
static qiao_scenario *policy_scenario(const char *name, const char *from, const char *to,
                                      qiao_diag *d) {
    char path[400], *text;
    size_t n;
    if (!from) return qiao_scenario_load(name, d);
    snprintf(path, sizeof path, "%s/scenarios/%s.osc", qiao_home(), name);
    if (qiao_file_read(path, 1 << 20, &text, &n, d)) return NULL;
    char *at = strstr(text, from);
    if (!at || qiao_dir_make("build/test/policy", d)) {
        if (!at) qiao_diag_set(d, QIAO_E_NAME, path, 0, 0, "does not hold '%s'", from);
        free(text);
        return NULL;
    }
    size_t room = n + strlen(to) + 1;
    char *all = malloc(room);
    qiao_err e = QIAO_E_MEM;
    snprintf(path, sizeof path, "build/test/policy/%s.osc", name);
    if (all) {
        snprintf(all, room, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
        e = qiao_file_write(path, all, strlen(all), d);
    }
    free(all), free(text);
    return e ? NULL : qiao_scenario_load(path, d);
}

// Seeds 1 .. n, as qiao run --seed 1..n draws them; at most chunk side by side.
static qiao_err policy_trials(const policy *p, const qiao_scenario *s, const qiao_robot *r,
                              const char *engine, const char *type, int n, int chunk,
                              qiao_score *score, qiao_diag *d) {
    char spec[200];
    snprintf(spec, sizeof spec, "%s%s%s", p->brain, type ? " --type " : "", type ? type : "");
    for (int from = 0; from < n; from += chunk) {
        qiao_trial trial[64] = {0};
        qiao_result result[64];
        int k = n - from < chunk ? n - from : chunk;
        for (int i = 0; i < k; i++) trial[i].seed = (uint64_t)(1 + from + i);
        qiao_trials_def def = qiao_trials_def_default();
        def.scenario = s, def.robot = r, def.brain.spec = spec, def.engine = engine;
        def.ntrial = k, def.trial = trial;
        qiao_err e = qiao_trials_run(&def, result, d);
        if (e) return e;
        for (int i = 0; i < k; i++) score[from + i] = result[i].score;
        qiao_results_free(result, k);
    }
    return QIAO_OK;
}

#endif
