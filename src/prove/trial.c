// SPDX-License-Identifier: Apache-2.0
// trial.c - many trials: each thread takes its share as one batch, with a brain of its own.
#include "prove/batch.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct share { // what one thread runs
    const qiao_trials_def *def;
    int from, n;
    pthread_mutex_t *one;
    qiao_result *result;
    qiao_diag d;
    qiao_err e;
    pthread_t thread;
    bool started;
} share;

qiao_trials_def qiao_trials_def_default(void) {
    return (qiao_trials_def){.engine = "mujoco", .brain = qiao_brain_def_default()};
}

static void *run_share(void *arg) {
    share *s = arg;
    qiao_brain_def bd = s->def->brain;
    bd.n = s->n;
    if (!bd.robot) bd.robot = s->def->robot;
    qiao_brain *brain = qiao_brain_open(&bd, &s->d);
    s->e = brain ? qi_batch_run(s->def, s->def->trial + s->from, s->n, brain, s->one,
                                s->result + s->from, &s->d)
                 : s->d.err;
    qiao_brain_close(brain);
    return NULL;
}

qiao_err qiao_trials_run(const qiao_trials_def *def, qiao_result *result, qiao_diag *d) {
    qiao_diag own = {0};
    if (!d) d = &own;
    if (def->ntrial < 1) return qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0, "no trial to run");
    memset(result, 0, (size_t)def->ntrial * sizeof *result);
    int k = def->nthread > 0 ? def->nthread : (int)sysconf(_SC_NPROCESSORS_ONLN);
    if (k > def->ntrial) k = def->ntrial;
    if (k < 1) k = 1;
    share *s = calloc((size_t)k, sizeof *s);
    if (!s) return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
    for (int i = 0; i < k; i++) {
        int from = (int)((long)def->ntrial * i / k), to = (int)((long)def->ntrial * (i + 1) / k);
        s[i] = (share){.def = def, .from = from, .n = to - from, .one = &one, .result = result};
        // the caller takes the last share, and any that finds no thread
        if (i < k - 1) s[i].started = pthread_create(&s[i].thread, NULL, run_share, &s[i]) == 0;
        if (!s[i].started) run_share(&s[i]);
    }
    qiao_err e = QIAO_OK;
    for (int i = 0; i < k; i++) {
        if (s[i].started) pthread_join(s[i].thread, NULL);
        if (s[i].e && !e) e = qiao_diag_set(d, s[i].e, NULL, 0, 0, "%s", s[i].d.text);
    }
    pthread_mutex_destroy(&one);
    free(s);
    if (e) qiao_results_free(result, def->ntrial);
    return e;
}

void qiao_results_free(qiao_result *result, int n) {
    for (int i = 0; i < n; i++) free(result[i].case_text), result[i].case_text = NULL;
}
