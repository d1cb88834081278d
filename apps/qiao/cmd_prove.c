// SPDX-License-Identifier: Apache-2.0
// cmd_prove.c - qiao prove: how often a brain does a job, why not, and who says so.
#include "commands.h"
#include "prove.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TRIALS_MOST = 10000000, CASES = 6 };

// ---- what the command line says ----

static bool parse_sampling(const char *text, qiao_sampling *s) {
    *s = strcmp(text, "random") == 0 ? QIAO_SAMPLE_RANDOM : QIAO_SAMPLE_SOBOL;
    if (strcmp(text, "random") == 0 || strcmp(text, "sobol") == 0) return true;
    fprintf(stderr, "qiao: --sampling is sobol or random, not '%s'\n", text);
    return false;
}

static bool parse(prove_job *j) {
    const prove_args *a = j->a;
    bool stops = a->until || a->decide;
    if (!args_integer("--trials",
                      a->trials ? a->trials
                      : stops   ? "100000"
                                : "1000",
                      1, TRIALS_MOST, &j->trials) ||
        !args_integer("--seed", a->seed, 0, 0x7fffffffffffffff, &j->seed) ||
        !args_integer("--threads", a->threads, 0, 1024, &j->threads) ||
        !args_integer("--second", a->second, 0, 100000, &j->second) ||
        !args_integer("--rare", a->rare, 0, TRIALS_MOST, &j->rare) ||
        !args_integer("--shrink", a->shrink, 0, 100000, &j->shrink) ||
        !args_integer("--workers", a->workers, 0, 1000, &j->nworker) ||
        !args_number("--need", a->need, 0, 1, &j->need) ||
        !args_number("--level", a->level, 0.5, 0.9999, &j->level) ||
        (a->until && !args_number("--until", a->until, 1e-4, 1, &j->until)) ||
        (a->decide && !args_number("--decide", a->decide, 0.001, 0.999, &j->decide)))
        return false;
    if (j->decide > 0) { // between these two no difference is made
        double near = fmin(j->decide, 1 - j->decide) / 4;
        j->p_good = j->decide + near, j->p_bad = j->decide - near;
    }
    return parse_sampling(a->sampling, &j->sampling);
}

// Index of the parameter to group by; -1: none; -2: no such name, said.
static int find_param(const prove_job *j) {
    const qiao_param *p;
    int n = qiao_scenario_params(j->scenario, &p);
    if (!j->a->by) return -1;
    const char *names[1024]; // whole ones and last parts
    int nname = 0;
    for (int i = 0; i < n && nname + 2 <= 1024; i++) {
        const char *dot = strrchr(p[i].name, '.');
        names[nname++] = p[i].name;
        if (dot) names[nname++] = dot + 1;
    }
    for (int i = 0; i < n; i++) {
        size_t full = strlen(p[i].name), k = strlen(j->a->by);
        bool tail = full > k && p[i].name[full - k - 1] == '.' &&
                    strcmp(p[i].name + full - k, j->a->by) == 0;
        if (strcmp(p[i].name, j->a->by) == 0 || tail) return i;
    }
    const char *near = qiao_nearest(j->a->by, names, nname);
    fprintf(stderr, "qiao: %s has no parameter '%s'%s%s%s; 'qiao scenarios %s' lists them\n",
            qiao_scenario_name(j->scenario), j->a->by, near ? "; did you mean '" : "",
            near ? near : "", near ? "'?" : "", j->a->scenario);
    return -2;
}

// ---- what is left behind ----

typedef struct found { // what was made of the trials
    qiao_why *why;
    qiao_second_opinion second;
    qiao_compare compare;
    bool compared;
    qiao_rare rare;
    qiao_report_case cases[CASES];
    int ncase;
} found;

static qiao_err write_files(prove_job *j, prove_side *s, found *f, qiao_diag *d) {
    char page[PATH_MAX + 32], json[PATH_MAX + 32], bundle[PATH_MAX + 32];
    snprintf(page, sizeof page, "%s/report.html", s->dir);
    snprintf(json, sizeof json, "%s/report.json", s->dir);
    snprintf(bundle, sizeof bundle, "%s/result.qiao", s->dir);
    const qiao_parts *p = qiao_store_parts(s->store);
    static const char *const name[] = {"scenario", "robot", "brain", "engine", "build"};
    uint8_t hash[5][QIAO_HASH_BYTES];
    const uint8_t *from[] = {p->scenario_hash, p->robot_hash, p->brain_hash, p->engine_hash,
                             p->build_hash};
    for (int i = 0; i < 5; i++) memcpy(hash[i], from[i], QIAO_HASH_BYTES);
    qiao_report_def r = qiao_report_def_default();
    r.table = &s->table, r.why = f->why, r.level = j->level;
    r.scenario = qiao_scenario_name(j->scenario);
    r.title = qiao_scenario_title(j->scenario, false);
    r.title_zh = qiao_scenario_title(j->scenario, true);
    r.robot = j->robot->name, r.brain = s->name, r.engine = j->a->engine;
    r.sampling = j->a->sampling, r.build = p->build, r.command = j->command;
    r.verify = qiao_arena_printf(j->arena, "qiao verify %s", bundle);
    r.seed = (uint64_t)j->seed, r.wall = prove_now() - j->begin, r.stopped = j->stopped;
    if (j->until > 0) {
        uint64_t k = 0;
        for (int i = 0; i < s->table.ntrial; i++) k += s->table.passed[i] != 0;
        r.sequence = qiao_stat_sequence(k, (uint64_t)s->table.ntrial, j->level);
    }
    r.nhash = 5, r.hash_name = name, r.hash = (const uint8_t(*)[QIAO_HASH_BYTES])hash;
    r.ncase = f->ncase, r.cases = f->cases;
    if (f->second.n) r.second = &f->second;
    if (f->compared) r.compare = &f->compare;
    if (f->rare.ntrial) r.rare = &f->rare;
    qiao_err e = qiao_report_write(&r, page, json, d);
    if (!e) e = qiao_bundle_write(bundle, s->store, j->scenario, j->a->key, d);
    if (e || j->a->json) return e;
    bool zh = args_chinese();
    printf("\n%s  %s   %s\n%s  %s\n", zh ? "报告" : "report", page,
           zh ? "（用任意浏览器打开）" : "(open it in any browser)", zh ? "结果" : "result",
           bundle);
    printf(zh ? "核实  qiao verify %s\n" : "check   qiao verify %s\n", bundle);
    for (int i = 0; i < f->ncase; i++) printf("%-7s %s\n", f->cases[i].kind, f->cases[i].page);
    return QIAO_OK;
}

static qiao_err print_json(const prove_side *s, qiao_diag *d) {
    char path[PATH_MAX + 32], *text;
    size_t n;
    snprintf(path, sizeof path, "%s/report.json", s->dir);
    qiao_err e = qiao_file_read(path, 1 << 30, &text, &n, d);
    if (e) return e;
    fwrite(text, 1, n, stdout);
    free(text);
    return QIAO_OK;
}

// ---- the command ----

static qiao_err compare(prove_job *j, prove_side *a, prove_side *b, found *f, qiao_diag *d) {
    qiao_err e =
        qiao_prove_compare(&a->table, a->name, &b->table, b->name, j->level, &f->compare, d);
    if (e) return e;
    f->compared = true;
    if (!j->a->json) printf("\n%s\n", args_chinese() ? f->compare.zh : f->compare.en);
    return QIAO_OK;
}

static qiao_err job(prove_job *j, int by, bool *passed, qiao_diag *d) {
    static prove_side side[2];
    found f = {0};
    prove_side *a = &side[0], *b = &side[1];
    qiao_err e = prove_open(j, a, j->a->brain, d);
    if (!e && j->a->brain2) e = prove_open(j, b, j->a->brain2, d);
    if (!e && !j->a->json) {
        printf("%s · %s · %s · %s\n", qiao_scenario_title(j->scenario, args_chinese()),
               args_chinese() ? j->robot->title_zh : j->robot->title, a->name, j->a->engine);
        fflush(stdout);
    }
    if (!e) e = prove_run(j, a, NULL, d);
    if (!e && a->table.ntrial == 0)
        e = qiao_diag_set(d, QIAO_E_TIMEOUT, NULL, 0, 0, "interrupted before the first trials");
    if (!e && !(f.why = qiao_why_new(&a->table, j->level, (uint64_t)j->seed, d))) e = d->err;
    char text[400];
    if (!e) *passed = prove_verdict(j, a, text, sizeof text);
    if (!e && !j->a->json) {
        prove_tell(j, a, f.why);
        if (by >= 0) prove_tell_groups(j, a, by);
        fflush(stdout);
    }
    if (!e) e = prove_second(j, a, &f.second, d);
    if (!e && !j->a->json) prove_tell_second(a, &f.second);
    if (!e && !j->a->no_records)
        if ((f.ncase = prove_again(j, a, f.why, f.cases, CASES, d)) < 0) e = d->err;
    if (!e && j->shrink > 0) e = prove_shrink(j, a, f.why, f.cases, &f.ncase, d);
    if (!e && j->rare > 0) e = prove_rare(j, a, &f.rare, f.cases, &f.ncase, d);
    double begin = j->begin;
    if (!e && b->store && !prove_interrupted()) {
        e = prove_run(j, b, a, d);
        if (!e && b->table.ntrial) e = compare(j, a, b, &f, d);
    }
    j->begin = begin;
    prove_quiet(j);
    if (!e) e = write_files(j, a, &f, d);
    if (!e && j->a->json) e = print_json(a, d);
    qiao_why_free(f.why), qiao_rare_free(&f.rare);
    prove_close(a), prove_close(b);
    return e;
}

static const char *typed(qiao_arena *a, int argc, char **argv) {
    char *s = qiao_arena_printf(a, "qiao prove");
    for (int i = 0; i < argc && s && strlen(s) < 3000; i++)
        s = qiao_arena_printf(a, "%s %s", s, argv[i]);
    return s ? s : "qiao prove";
}

static int prepared(prove_job *j, int argc, char **argv) {
    qiao_diag d = {0};
    const prove_args *a = j->a;
    int status = EXIT_WRONG, by = -2;
    bool passed = false;
    j->arena = qiao_arena_new();
    j->command = j->arena ? typed(j->arena, argc, argv) : "";
    j->scenario = qiao_scenario_load(a->scenario, &d);
    if (j->scenario) by = find_param(j);
    if (j->scenario && by >= -1) j->robot = qiao_robot_load(a->robot, &d);
    if (j->robot && j->arena) {
        prove_catch_signals();
        if (job(j, by, &passed, &d))
            say_wrong(d.text);
        else
            status = passed && !prove_interrupted() ? EXIT_PASSED : EXIT_FAILED;
        if (prove_interrupted())
            fputs("qiao: interrupted; what was run is kept, the same command goes on\n", stderr);
        if (prove_interrupted() && d.err == QIAO_E_TIMEOUT) status = EXIT_FAILED;
    } else if (d.err) {
        say_wrong(d.text);
    }
    qiao_robot_free(j->robot), qiao_scenario_free(j->scenario), qiao_arena_free(j->arena);
    return status;
}

static int run(const command *c, int argc, char **argv) {
    prove_args a = {.engine = "lanes32",
                    .out = "results",
                    .threads = "0",
                    .seed = "1",
                    .sampling = "sobol",
                    .need = "0.9",
                    .level = "0.95",
                    .second = "20",
                    .workers = "0",
                    .rare = "0",
                    .shrink = "0"};
    const option opts[] = {
        {"--robot", "R", "robot by name or path", "机器人：名字或路径", &a.robot, NULL},
        {"--brain", "B", "brain by name or path", "大脑：名字或路径", &a.brain, NULL},
        {"--brain2", "B2", "another brain on the same draws, compared in pairs",
         "在同样抽样上成对比较的另一大脑", &a.brain2, NULL},
        {"--trials", "N", "trials (default 1000; with --until or --decide at most, 100000)",
         "试验数（默认 1000；用 --until 或 --decide 时为上限，100000）", &a.trials, NULL},
        {"--until", "W", "stop once success is known within W, 0.02 say",
         "成功率区间窄到 W（如 0.02）时停止", &a.until, NULL},
        {"--decide", "P", "stop once it is decided whether success is above P",
         "能判定成功率是否高于 P 时停止", &a.decide, NULL},
        {"--need", "P", "success that is needed to pass (default 0.9)",
         "通过所需的成功率（默认 0.9）", &a.need, NULL},
        {"--level", "C", "confidence of all intervals (default 0.95)", "置信水平（默认 0.95）",
         &a.level, NULL},
        {"--engine", "E", "physics: lanes32 (default), lanes, mujoco",
         "物理引擎：lanes32（默认）、lanes、mujoco", &a.engine, NULL},
        {"--seed", "S", "seed of all draws (default 1)", "抽样种子（默认 1）", &a.seed, NULL},
        {"--sampling", "M", "sobol (default: evenly spread) or random",
         "sobol（默认：均匀铺开）或 random", &a.sampling, NULL},
        {"--by", "PARAM", "success grouped by a parameter", "按某个参数分组", &a.by, NULL},
        {"--second", "K",
         "second opinion: failures (at most 50) and K others in engine mujoco (default 20)",
         "第二意见：失败（至多 50）及另外 K 次用 mujoco 重算（默认 20）", &a.second, NULL},
        {"--shrink", "N",
         "make the failure nearest to the middle as plain as can be, with N trials (200, say)",
         "用至多 N 次试验（如 200）把离中间最近的失败化到最简", &a.shrink, NULL},
        {"--rare", "N", "estimate rare failures with N trials aimed at them (20000, say)",
         "用 N 次偏向失败的试验（如 20000）估计罕见失败", &a.rare, NULL},
        {"--threads", "K", "threads (0: all); results do not depend on it",
         "线程数（0：全部）；结果与之无关", &a.threads, NULL},
        {"--workers", "K", "run in K processes that may die, see docs/prove_store.md",
         "用 K 个工作进程运行", &a.workers, NULL},
        {"--slurm", NULL, "the workers are tasks of Slurm", "工作进程为 Slurm 任务", NULL,
         &a.slurm},
        {"--out", "DIR", "where results go (default results)", "结果目录（默认 results）", &a.out,
         NULL},
        {"--key", "FILE", "secret key to sign the result with", "用这把私钥签名结果", &a.key, NULL},
        {"--isolate", NULL, "run the plug-in in a process of its own", "让插件在独立进程中运行",
         NULL, &a.isolate},
        {"--no-records", NULL, "run no trial again for records and pages", "不为记录和回放重跑试验",
         NULL, &a.no_records},
        {"--json", NULL, "print JSON instead of words", "输出 JSON", NULL, &a.json},
        {0}};
    const char *word[1];
    int n = args_parse(c, opts, argc, argv, word, 1);
    if (n < 0) return n == -1 ? EXIT_PASSED : EXIT_WRONG;
    if (n == 0) return say_wrong("prove: which scenario? 'qiao scenarios' lists them");
    if (!a.robot) return say_wrong("prove: --robot is missing; 'qiao robots' lists them");
    if (!a.brain) return say_wrong("prove: --brain is missing; for instance --brain trot");
    a.scenario = word[0];
    prove_job j = {.a = &a, .stopped = "trials"};
    if (a.slurm && strcmp(a.workers, "0") == 0)
        return say_wrong("prove: --slurm needs --workers K");
    return parse(&j) ? prepared(&j, argc, argv) : EXIT_WRONG;
}

const command command_prove = {
    .name = "prove",
    .usage = "SCENARIO --robot R --brain B [--trials N | --until W | --decide P]",
    .en = "run a job thousands of times: how often, why not, and proof",
    .zh = "把一项工作运行成千上万次：成功率、失败原因和证据",
    .more_en =
        "Examples\n"
        "  qiao prove stand_push --robot go2 --brain hold --trials 10000 --by friction\n"
        "  qiao prove walk_flat --robot go2 --brain trot --until 0.02\n"
        "  qiao prove stand_push --robot go2 --brain hold --decide 0.95\n\n"
        "Trials are kept as they come: the same command goes on where an interrupted one ended.\n"
        "Passed: the lower bound of success reaches --need, or the test of --decide says so.\n"
        "Exit status: 0 passed, 1 not passed or interrupted, 2 wrong input.",
    .more_zh = "例子\n"
               "  qiao prove stand_push --robot go2 --brain hold --trials 10000 --by friction\n"
               "  qiao prove walk_flat --robot go2 --brain trot --until 0.02\n"
               "  qiao prove stand_push --robot go2 --brain hold --decide 0.95\n\n"
               "试验随时保存：被中断后，同一命令会接着运行。\n"
               "通过：成功率下界达到 --need，或 --decide 的检验判定如此。\n"
               "退出码：0 通过，1 未通过或被中断，2 输入有误。",
    .run = run,
};
