// SPDX-License-Identifier: Apache-2.0
// cmd_run.c - qiao run: takes a robot through a job, once or for a row of seeds.
#include "commands.h"
#include "report.h"

#include "qiao/prove.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct run_args {
    const char *robot, *brain, *trial, *seed, *engine, *threads, *out, *deadline;
    bool no_record, no_page, json, isolate, help;
} run_args;

enum { CHUNK = 16 }; // CHUNK worlds run side by side

static volatile sig_atomic_t interrupted;
static void on_interrupt(int sig) { (void)sig, interrupted = 1; }

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// A line of progress after the first second: replaced in place on a terminal, else every 5 s.
typedef struct show {
    double begin, last;
    const char *name;
    int done, all;
    bool printed;
} show;

static bool on_progress(void *ctx, double t, double t_limit, int nlive) {
    show *s = ctx;
    double at = now(), every = isatty(2) ? 0.2 : 5;
    if (at - s->begin > 1 && at - s->last > every) {
        s->last = at, s->printed = true;
        fprintf(stderr, "%s  %s  %.1f s of at most %.0f s  %.1f times real time  trials %d of %d%s",
                isatty(2) ? "\r\x1b[K" : "", s->name, t, t_limit, t * nlive / (at - s->begin),
                s->done + 1, s->all, isatty(2) ? "" : "\n");
    }
    return !interrupted;
}

typedef struct job { // all that the trials of one command share
    const run_args *a;
    qiao_scenario *scenario;
    qiao_robot *robot;
    qiao_brain_def brain;
    char brain_name[80];
    long long threads, deadline, trial;
    show show;
} job;

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

// Runs seeds first .. first + n - 1 side by side, writes what belongs to each, prints it.
static int run_chunk(job *j, long long first, int n, report *rep, qiao_diag *d) {
    qiao_trial trial[CHUNK];
    static char dir[CHUNK][PATH_MAX], record[CHUNK][PATH_MAX + 16];
    qiao_result result[CHUNK];
    for (int i = 0; i < n; i++) {
        snprintf(dir[i], sizeof dir[i], "%s/%s-%s-%s-%lld", j->a->out,
                 qiao_scenario_name(j->scenario), j->robot->name, j->brain_name, first + i);
        snprintf(record[i], sizeof record[i], "%s/record.mcap", dir[i]);
        trial[i] = (qiao_trial){.seed = (uint64_t)(first + i), .trial = (uint64_t)j->trial};
        if (!j->a->no_record) trial[i].record = record[i];
        if (qiao_dir_make(dir[i], d)) return EXIT_WRONG;
    }
    qiao_trials_def def = qiao_trials_def_default();
    def.scenario = j->scenario, def.robot = j->robot, def.brain = j->brain, def.ntrial = n;
    def.engine = j->a->engine, def.nthread = (int)j->threads, def.trial = trial;
    def.progress = on_progress, def.ctx = &j->show;
    double begin = now();
    j->show.begin = begin;
    qiao_err e = qiao_trials_run(&def, result, d);
    int status = e ? EXIT_WRONG : EXIT_PASSED;
    for (int i = 0; i < n && !e; i++) {
        report_trial t = {.dir = dir[i],
                          .record = trial[i].record,
                          .result = &result[i],
                          .seed = trial[i].seed,
                          .wall = (now() - begin) / n,
                          .page = !j->a->no_page && trial[i].record};
        if (report_add(rep, &t, d)) status = EXIT_WRONG;
        if (status == EXIT_PASSED && result[i].score.verdict != QIAO_PASSED) status = EXIT_FAILED;
    }
    qiao_results_free(result, n);
    j->show.done += n;
    return status;
}

// Finds the brain before anything else is done, and how it is called.
static bool open_brain(job *j, qiao_diag *d) {
    j->brain = qiao_brain_def_default();
    j->brain.spec = j->a->brain, j->brain.n = 1, j->brain.deadline_ms = (int)j->deadline;
    if (j->a->isolate) j->brain.isolate = true;
    j->brain.robot = j->robot;
    qiao_brain *brain = qiao_brain_open(&j->brain, d);
    if (!brain) return false;
    char text[700];
    if (!j->a->json && qiao_brain_differs(brain, j->robot, text, sizeof text))
        fprintf(stderr,
                args_chinese() ? "qiao：训练与此处不同：%s\n" : "qiao: not as in training: %s\n",
                text);
    snprintf(j->brain_name, sizeof j->brain_name, "%s", base_name(qiao_brain_name(brain)));
    qiao_brain_close(brain);
    return true;
}

static int run_job(job *j, long long first, long long count) {
    qiao_diag d = {0};
    int status = EXIT_PASSED;
    report rep = {.json = j->a->json,
                  .scenario = j->scenario,
                  .robot = j->robot,
                  .brain = j->a->brain,
                  .engine = j->a->engine,
                  .many = count > 1};
    report_begin(&rep);
    j->show.name = qiao_scenario_name(j->scenario), j->show.all = (int)count;
    for (long long at = 0; at < count && !interrupted; at += CHUNK) {
        int n = count - at < CHUNK ? (int)(count - at) : CHUNK;
        int s = run_chunk(j, first + at, n, &rep, &d);
        if (s > status) status = s;
        if (s == EXIT_WRONG) break;
    }
    if (j->show.printed && isatty(2)) fputs("\r\x1b[K", stderr);
    report_end(&rep);
    if (status == EXIT_WRONG) return say_wrong(d.text);
    if (interrupted) fputs("qiao: interrupted; what was recorded so far is kept\n", stderr);
    return interrupted && status == EXIT_PASSED ? EXIT_FAILED : status;
}

static int run(const command *c, int argc, char **argv) {
    run_args a = {
        .engine = "mujoco", .out = "results", .threads = "0", .deadline = "0", .trial = "0"};
    const option opts[] = {
        {"--robot", "R", "robot by name or path of its MJCF, URDF or robot.yaml",
         "机器人：名字，或 MJCF、URDF、robot.yaml 的路径", &a.robot, NULL},
        {"--brain", "B",
         "brain by name, or path of a policy, a plug-in (.so), a program (.py, any)",
         "大脑：名字，或策略、插件（.so）、程序（.py 等）的路径", &a.brain, NULL},
        {"--seed", "N", "which draw of the ranges; A..B runs a row of seeds (default 1)",
         "随机种子；A..B 表示一组种子（默认 1）", &a.seed, NULL},
        {"--trial", "T", "which trial of the seed, as qiao prove counts them (default 0)",
         "该种子的第几次试验，按 qiao prove 的编号（默认 0）", &a.trial, NULL},
        {"--engine", "E", "physics: mujoco (default), lanes, lanes32",
         "物理引擎：mujoco（默认）、lanes、lanes32", &a.engine, NULL},
        {"--threads", "K", "threads of the engine (0: all); results do not depend on it",
         "线程数（0：全部）；结果与之无关", &a.threads, NULL},
        {"--out", "DIR", "where results go (default results)", "结果目录（默认 results）", &a.out,
         NULL},
        {"--deadline-ms", "T", "time a brain in another process has for a step (default 200)",
         "外部进程大脑每步的期限，毫秒（默认 200）", &a.deadline, NULL},
        {"--isolate", NULL, "run the plug-in in a process of its own", "让插件在独立进程中运行",
         NULL, &a.isolate},
        {"--no-record", NULL, "write no record and no replay page", "不写记录和回放页面", NULL,
         &a.no_record},
        {"--no-page", NULL, "write the record, but no replay page", "写记录，但不生成回放页面",
         NULL, &a.no_page},
        {"--json", NULL, "print JSON instead of words", "输出 JSON", NULL, &a.json},
        {0}};
    const char *word[1];
    int n = args_parse(c, opts, argc, argv, word, 1);
    if (n < 0) return n == -1 ? EXIT_PASSED : EXIT_WRONG;
    if (n == 0) return say_wrong("run: which scenario? 'qiao scenarios' lists them");
    if (!a.robot) return say_wrong("run: --robot is missing; 'qiao robots' lists them");
    if (!a.brain) return say_wrong("run: --brain is missing; for instance --brain trot");
    job j = {.a = &a};
    long long first, count;
    if (!args_seeds(a.seed, &first, &count) ||
        !args_integer("--trial", a.trial, 0, 0x7fffffffffffffff, &j.trial) ||
        !args_integer("--threads", a.threads, 0, 1024, &j.threads) ||
        !args_integer("--deadline-ms", a.deadline, 0, 600000, &j.deadline))
        return EXIT_WRONG;
    qiao_diag d = {0};
    j.scenario = qiao_scenario_load(word[0], &d);
    if (j.scenario) j.robot = qiao_robot_load(a.robot, &d);
    int status = EXIT_WRONG;
    if (j.robot && open_brain(&j, &d)) {
        struct sigaction sa = {.sa_handler = on_interrupt, .sa_flags = SA_RESETHAND};
        sigaction(SIGINT, &sa, NULL), sigaction(SIGTERM, &sa, NULL);
        status = run_job(&j, first, count);
    } else {
        say_wrong(d.text);
    }
    qiao_robot_free(j.robot);
    qiao_scenario_free(j.scenario);
    return status;
}

const command command_run = {
    .name = "run",
    .usage = "SCENARIO --robot R --brain B [--seed N]",
    .en = "take a robot through a job; get score, record and replay page",
    .zh = "让机器人完成一项工作；得到分数、记录和回放页面",
    .more_en = "Examples\n"
               "  qiao run parcel_route --robot go2 --brain trot\n"
               "  qiao run parcel_route --robot go2 --brain trot --seed 1..20\n"
               "  qiao run sort_bin --robot panda --brain pick --json\n"
               "  qiao run results/parcel_route-go2-trot-1/case.osc --robot go2 --brain trot\n\n"
               "The same seed gives the same bits: the trace hash of two runs is equal.\n"
               "Exit status: 0 all trials passed, 1 a trial failed, 2 wrong input.",
    .more_zh = "例子\n"
               "  qiao run parcel_route --robot go2 --brain trot\n"
               "  qiao run parcel_route --robot go2 --brain trot --seed 1..20\n"
               "  qiao run sort_bin --robot panda --brain pick --json\n"
               "  qiao run results/parcel_route-go2-trot-1/case.osc --robot go2 --brain trot\n\n"
               "同一种子给出同样的比特：两次运行的轨迹哈希相等。\n"
               "退出码：0 全部通过，1 有试验失败，2 输入有误。",
    .run = run,
};
