// SPDX-License-Identifier: Apache-2.0
// cmd_train.c - qiao train: a recipe in, a trained brain out; watched, stopped and taken up again.
#include "commands.h"
#include "train_log.h"

#include "qiao/prove.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct train_args {
    const char *seed, *threads, *steps, *out;
    bool anew, no_page, help;
} train_args;

static volatile sig_atomic_t interrupted;
static void on_interrupt(int sig) { (void)sig, interrupted = 1; }

typedef struct training { // of one seed
    const train_args *a;
    qiao_train_def def;
    char name[100], dir[PATH_MAX - 200];
    qiao_train *t;
    train_log *log;
    double steps_all;
    bool replay;
} training;

// results/train-go2_walk-1: the recipe's folder and the seed.
static void name_it(training *r, const char *recipe, uint64_t seed) {
    char full[PATH_MAX];
    if (!realpath(recipe, full)) snprintf(full, sizeof full, "%s", recipe);
    char *slash = strrchr(full, '/');
    if (slash) *slash = 0;
    slash = strrchr(full, '/');
    snprintf(r->name, sizeof r->name, "%.80s", slash ? slash + 1 : full);
    snprintf(r->dir, sizeof r->dir, "%s/train-%s-%llu", r->a->out, r->name,
             (unsigned long long)seed);
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

// What a checkpoint leaves: state, network, page.
static bool keep(training *r, bool over, qiao_diag *d) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/checkpoint.bin", r->dir);
    if (qiao_train_at_checkpoint(r->t) && qiao_train_save(r->t, path, d)) return false;
    if (qiao_train_export(r->t, r->dir, d) || !copy_manifest(r, d)) return false;
    if (r->a->no_page) return true;
    show_policy(r);
    return train_log_page(r->log, r->t, r->replay ? "replay.html" : NULL, over, r->steps_all, d) ==
           QIAO_OK;
}

// Takes up what is there, unless it is to begin anew. Iteration to go on from, 0: none.
static bool take_up(training *r, uint64_t *from, qiao_diag *d) {
    char path[PATH_MAX];
    struct stat st;
    snprintf(path, sizeof path, "%s/checkpoint.bin", r->dir);
    *from = 0;
    if (r->a->anew || stat(path, &st) != 0) return true;
    if (qiao_train_load(r->t, path, d)) return false;
    *from = qiao_train_iteration(r->t);
    fprintf(stderr,
            args_chinese() ? "qiao: 从第 %llu 次迭代继续（--anew 重新开始）\n"
                           : "qiao: goes on from iteration %llu (--anew begins again)\n",
            (unsigned long long)*from);
    return true;
}

static bool run_training(training *r, qiao_diag *d) {
    uint64_t from;
    if (!take_up(r, &from, d)) return false;
    r->log = train_log_new(r->dir, r->name, r->def.seed, from, d);
    if (!r->log) return false;
    while (!qiao_train_over(r->t) && !interrupted) {
        qiao_train_stats s;
        qiao_train_step(r->t, &s);
        r->steps_all = s.steps_all;
        if (train_log_add(r->log, &s, d)) return false;
        train_log_show(r->log, &s);
        if (qiao_train_at_checkpoint(r->t) && !keep(r, false, d)) return false;
    }
    if (from > 0 && qiao_train_over(r->t) && r->steps_all == 0) return true; // was over already
    return keep(r, qiao_train_over(r->t), d);
}

static int train_seed(const train_args *a, const char *recipe, uint64_t seed, long long threads,
                      double steps) {
    qiao_diag d = {0};
    training r = {.a = a, .def = qiao_train_def_default()};
    r.def.recipe = recipe, r.def.seed = seed, r.def.nthread = (int)threads, r.def.steps = steps;
    name_it(&r, recipe, seed);
    bool ok = qiao_dir_make(r.dir, &d) == QIAO_OK && (r.t = qiao_train_new(&r.def, &d)) &&
              run_training(&r, &d);
    if (ok && interrupted)
        fprintf(stderr, args_chinese()
                            ? "qiao: 已中断；下次从最近的检查点继续\n"
                            : "qiao: interrupted; the same command goes on from the last "
                              "checkpoint\n");
    if (ok) printf("%s/brain.yaml\n%s/log.csv\n", r.dir, r.dir);
    if (ok && !a->no_page) printf("%s/page.html\n", r.dir);
    train_log_free(r.log);
    qiao_train_free(r.t);
    return ok ? interrupted ? EXIT_FAILED : EXIT_PASSED : say_wrong(d.text);
}

static int run(const command *c, int argc, char **argv) {
    train_args a = {.seed = "1", .threads = "0", .steps = NULL, .out = "results"};
    const option opts[] = {
        {"--seed", "N", "seed; A..B trains several, one after the other (default 1)",
         "种子；A..B 依次训练多个（默认 1）", &a.seed, NULL},
        {"--threads", "K", "threads (0: all); results do not depend on it",
         "线程数（0：全部）；结果与之无关", &a.threads, NULL},
        {"--steps", "N", "steps of worlds after which it is over (default: the recipe's)",
         "总步数（默认取配方）", &a.steps, NULL},
        {"--out", "DIR", "where results go (default results)", "结果目录（默认 results）", &a.out,
         NULL},
        {"--anew", NULL, "begin again, whatever checkpoint there is", "忽略检查点，重新开始", NULL,
         &a.anew},
        {"--no-page", NULL, "no page of curves and no replay", "不生成曲线页面和回放", NULL,
         &a.no_page},
        {0}};
    const char *word[1];
    int n = args_parse(c, opts, argc, argv, word, 1);
    if (n < 0) return n == -1 ? EXIT_PASSED : EXIT_WRONG;
    if (n == 0) return say_wrong("train: which recipe? for instance brains/go2_walk/train.yaml");
    long long first, count, threads;
    double steps = 0;
    if (!args_seeds(a.seed, &first, &count) ||
        !args_integer("--threads", a.threads, 0, 1024, &threads) ||
        (a.steps && !args_number("--steps", a.steps, 1, 1e12, &steps)))
        return EXIT_WRONG;
    struct sigaction sa = {.sa_handler = on_interrupt, .sa_flags = SA_RESETHAND};
    sigaction(SIGINT, &sa, NULL), sigaction(SIGTERM, &sa, NULL);
    int status = EXIT_PASSED;
    for (long long i = 0; i < count && !interrupted && status == EXIT_PASSED; i++)
        status = train_seed(&a, word[0], (uint64_t)(first + i), threads, steps);
    return status;
}

const command command_train = {
    .name = "train",
    .usage = "RECIPE [--seed N]",
    .en = "train a brain by a recipe; watch it, stop it, take it up again",
    .zh = "按配方训练大脑；可观看、可中断、可继续",
    .more_en =
        "Examples\n"
        "  qiao train brains/go2_walk/train.yaml\n"
        "  qiao train brains/go2_walk/train.yaml --seed 1..3\n"
        "  qiao run walk_flat --robot go2 --brain results/train-go2_walk-1/brain.yaml\n\n"
        "A stopped training goes on from its last checkpoint, bit for bit as if it had never\n"
        "stopped. docs/learn.md explains the recipe.\n"
        "Exit status: 0 trained, 1 interrupted, 2 wrong input.",
    .more_zh = "例子\n"
               "  qiao train brains/go2_walk/train.yaml\n"
               "  qiao train brains/go2_walk/train.yaml --seed 1..3\n"
               "  qiao run walk_flat --robot go2 --brain results/train-go2_walk-1/brain.yaml\n\n"
               "中断的训练从最近的检查点继续，与从未中断时逐位相同。配方说明见 docs/learn.md。\n"
               "退出码：0 完成，1 中断，2 输入有误。",
    .run = run,
};
