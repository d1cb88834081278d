// SPDX-License-Identifier: Apache-2.0
// train_run.c - see train_run.h.
#include "train_run.h"
#include "args.h"

#include "qiao/prove.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

volatile sig_atomic_t train_interrupted;

// results/train-go2_walk-1: the recipe's folder and the seed.
static void name_it(training *r) {
    char full[PATH_MAX];
    if (!realpath(r->def.recipe, full)) snprintf(full, sizeof full, "%s", r->def.recipe);
    char *slash = strrchr(full, '/');
    if (slash) *slash = 0;
    slash = strrchr(full, '/');
    snprintf(r->name, sizeof r->name, "%.80s", slash ? slash + 1 : full);
    snprintf(r->dir, sizeof r->dir, "%s/train-%s-%llu", r->a->out, r->name,
             (unsigned long long)r->def.seed);
}

// The manifest beside the network, so that the folder is a brain.
static bool copy_manifest(const training *r, qiao_diag *d) {
    char *text, path[PATH_MAX];
    size_t n;
    if (qiao_file_read(qiao_train_brain(r->t), 1 << 20, &text, &n, d)) return false;
    snprintf(path, sizeof path, "%s/brain.yaml", r->dir);
    bool ok = qiao_file_write(path, text, n, d) == QIAO_OK;
    free(text);
    return ok;
}

// One trial of what there is by now, in the reference engine, as a replay page.
static void show_policy(training *r) {
    qiao_diag d = {0};
    char record[PATH_MAX], page[PATH_MAX], brain[PATH_MAX];
    snprintf(record, sizeof record, "%s/replay.mcap", r->dir);
    snprintf(page, sizeof page, "%s/replay.html", r->dir);
    snprintf(brain, sizeof brain, "%s/brain.yaml", r->dir);
    qiao_trials_def def = qiao_trials_def_default();
    qiao_scenario *s = qiao_scenario_load(qiao_train_scenario(r->t), &d);
    qiao_robot *robot = s ? qiao_robot_load(qiao_train_robot(r->t), &d) : NULL;
    qiao_trial one = {.seed = 1, .record = record};
    def.scenario = s, def.robot = robot, def.brain.spec = brain, def.nthread = 1;
    def.ntrial = 1, def.trial = &one;
    qiao_result result;
    if (robot && !qiao_trials_run(&def, &result, &d)) {
        qiao_results_free(&result, 1);
        r->replay = qiao_replay_html(record, page, &d) == QIAO_OK;
    }
    if (d.text[0]) fprintf(stderr, "qiao: no replay: %s\n", d.text);
    qiao_robot_free(robot);
    qiao_scenario_free(s);
}

bool training_keep(training *r, bool over, qiao_diag *d) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/checkpoint.bin", r->dir);
    if (qiao_train_at_checkpoint(r->t) && qiao_train_save(r->t, path, d)) return false;
    if (qiao_train_export(r->t, r->dir, d) || !copy_manifest(r, d)) return false;
    if (train_log_curve(r->log, d)) return false;
    if (r->a->no_page) return true;
    show_policy(r);
    return train_log_page(r->log, r->t, r->replay ? "replay.html" : NULL, over, r->steps_all, d) ==
           QIAO_OK;
}

// Takes up what is there, unless it is to begin anew.
static bool take_up(training *r, qiao_diag *d) {
    char path[PATH_MAX];
    struct stat st;
    snprintf(path, sizeof path, "%s/checkpoint.bin", r->dir);
    if (r->a->anew || stat(path, &st) != 0) return true;
    if (qiao_train_load(r->t, path, d)) return false;
    r->from = qiao_train_iteration(r->t);
    fprintf(stderr,
            args_chinese() ? "qiao: 从第 %llu 次迭代继续（--anew 重新开始）\n"
                           : "qiao: goes on from iteration %llu (--anew begins again)\n",
            (unsigned long long)r->from);
    return true;
}

bool training_open(training *r, qiao_diag *d) {
    name_it(r);
    if (qiao_dir_make(r->dir, d) || !(r->t = qiao_train_new(&r->def, d)) || !take_up(r, d))
        return false;
    r->log = train_log_new(r->dir, r->name, r->def.seed, r->from, d);
    return r->log != NULL;
}

bool training_end(training *r, qiao_diag *d) {
    bool over = qiao_train_over(r->t);
    return (r->from > 0 && over && r->steps_all == 0) || training_keep(r, over, d);
}

void training_say_files(const training *r) {
    printf("%s/brain.yaml\n%s/log.csv\n", r->dir, r->dir);
    if (!r->a->no_page) printf("%s/page.html\n", r->dir);
}

void training_close(training *r) {
    train_log_free(r->log);
    qiao_train_free(r->t);
}
