// SPDX-License-Identifier: Apache-2.0
// cmd_train.c - qiao train: a recipe in, a trained brain out; watched, stopped and taken up again.
#include "commands.h"
#include "train_run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_interrupt(int sig) { (void)sig, train_interrupted = 1; }

static bool run_training(training *r, qiao_diag *d) {
    while (!qiao_train_over(r->t) && !train_interrupted) {
        qiao_train_stats s;
        qiao_train_step(r->t, &s);
        r->steps_all = s.steps_all;
        if (train_log_add(r->log, &s, d)) return false;
        train_log_show(r->log, &s);
        if (qiao_train_at_checkpoint(r->t) && !training_keep(r, false, d)) return false;
    }
    return training_end(r, d);
}

static int train_seed(const train_args *a, const qiao_train_def *def) {
    qiao_diag d = {0};
    training r = {.a = a, .def = *def};
    bool ok = training_open(&r, &d) && run_training(&r, &d);
    if (ok && train_interrupted)
        fprintf(stderr, args_chinese()
                            ? "qiao: 已中断；下次从最近的检查点继续\n"
                            : "qiao: interrupted; the same command goes on from the last "
                              "checkpoint\n");
    if (ok) training_say_files(&r);
    training_close(&r);
    return ok ? train_interrupted ? EXIT_FAILED : EXIT_PASSED : say_wrong(d.text);
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
        {"--together", NULL, "all seeds at once instead of one after the other; same results",
         "所有种子同时训练；结果与依次训练相同", NULL, &a.together},
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
    qiao_train_def def = qiao_train_def_default();
    def.recipe = word[0], def.seed = (uint64_t)first, def.nthread = (int)threads, def.steps = steps;
    if (a.together && count > 1) return train_together(&a, &def, (int)count);
    int status = EXIT_PASSED;
    for (long long i = 0; i < count && !train_interrupted && status == EXIT_PASSED; i++) {
        def.seed = (uint64_t)(first + i);
        status = train_seed(&a, &def);
    }
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
        "  qiao train brains/go2_walk/train.yaml --seed 1..3 --together\n"
        "  qiao run walk_flat --robot go2 --brain results/train-go2_walk-1/brain.yaml\n\n"
        "A stopped training goes on from its last checkpoint, bit for bit as if it had never\n"
        "stopped. docs/learn.md explains the recipe.\n"
        "Exit status: 0 trained, 1 interrupted, 2 wrong input.",
    .more_zh = "例子\n"
               "  qiao train brains/go2_walk/train.yaml\n"
               "  qiao train brains/go2_walk/train.yaml --seed 1..3 --together\n"
               "  qiao run walk_flat --robot go2 --brain results/train-go2_walk-1/brain.yaml\n\n"
               "中断的训练从最近的检查点继续，与从未中断时逐位相同。配方说明见 docs/learn.md。\n"
               "退出码：0 完成，1 中断，2 输入有误。",
    .run = run,
};
