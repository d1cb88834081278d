// SPDX-License-Identifier: Apache-2.0
// cmd_identify.c - qiao identify: which numbers of a robot explain a record of it.
#include "commands.h"
#include "ident_tell.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct ident_args {
    const char *robot, *fit, *seconds, *threads, *out;
    bool json, no_page;
} ident_args;

enum { NAMES = QIAO_IDENT_VALUES };

// "damping,delay" to names; -1: too many.
static int split(const char *list, char *copy, size_t cap, const char **name) {
    int n = 0;
    snprintf(copy, cap, "%s", list);
    for (char *save, *p = strtok_r(copy, ", ", &save); p; p = strtok_r(NULL, ", ", &save)) {
        if (n == NAMES) return -1;
        name[n++] = p;
    }
    return n;
}

static qiao_err keep(const ident_args *a, const ident_report *r, const char *path, qiao_diag *d) {
    char file[PATH_MAX + 32];
    const char *slash = strrchr(path, '/');
    int dir = slash ? (int)(slash - path) + 1 : 0;
    char *text = ident_json(r);
    qiao_err e = text ? QIAO_OK : qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    if (!e && a->json) fputs(text, stdout);
    if (!e && !a->json) ident_table(r), puts("");
    snprintf(file, sizeof file, "%.*sidentify.json", dir, path);
    if (!e) e = qiao_file_write(file, text, strlen(text), d);
    if (!e && !a->json) printf("%s  %s\n", args_chinese() ? "结果" : "result", file);
    free(text);
    if (!e && !a->no_page) {
        snprintf(file, sizeof file, "%.*sidentify.html", dir, path);
        e = ident_page(r, file, d);
        if (!e && !a->json) printf("%s  %s\n", args_chinese() ? "页面" : "page  ", file);
    }
    if (!e && a->out) {
        e = ident_robot(r, a->out, d);
        if (!e && !a->json) printf("%s  %s\n", args_chinese() ? "机器人" : "robot ", a->out);
    }
    return e;
}

static qiao_err identify(const ident_args *a, const char *path, double seconds, int threads,
                         qiao_diag *d) {
    char copy[400];
    const char *name[NAMES];
    int n = split(a->fit, copy, sizeof copy, name);
    if (n < 1) return qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0, "--fit takes 1 to %d names", NAMES);
    qiao_robot *robot = qiao_robot_load(a->robot, d);
    if (!robot) return d->err;
    qiao_ident_record rec = {0};
    qiao_ident_result result;
    qiao_err e = qiao_ident_read(path, robot, seconds, &rec, d);
    size_t size = e ? 0 : (size_t)rec.def.n * (size_t)rec.njoint;
    double *curve = calloc(4 * size + 1, sizeof *curve);
    if (!e && !curve) e = qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    for (int i = 0; i < 4 && curve; i++) rec.def.path[i / 2][i % 2] = curve + (size_t)i * size;
    rec.def.nparam = n, rec.def.param = name, rec.def.nthread = threads;
    if (!e) e = qiao_identify(&rec.def, &result, d);
    ident_report r = {path, &rec, &result, robot};
    if (!e) e = keep(a, &r, path, d);
    free(curve);
    qiao_ident_record_free(&rec);
    qiao_robot_free(robot);
    return e;
}

static int run(const command *c, int argc, char **argv) {
    ident_args a = {
        .fit = "damping,frictionloss,armature,kp,kd,delay", .seconds = "6", .threads = "0"};
    const option opts[] = {
        {"--robot", "R", "robot by name or path, as it is believed to be",
         "机器人：名字或路径，即目前认为的样子", &a.robot, NULL},
        {"--fit", "LIST",
         "of damping, frictionloss, armature, mass, payload, kp, kd, torque, delay",
         "要辨识的参数：damping、frictionloss、armature、mass、payload、kp、kd、torque、delay",
         &a.fit, NULL},
        {"--out", "FILE", "write the robot's file with the numbers found, for qiao run --robot",
         "写出带辨识结果的机器人文件，供 qiao run --robot 使用", &a.out, NULL},
        {"--seconds", "S", "how much of the record (default 6)", "使用记录的前多少秒（默认 6）",
         &a.seconds, NULL},
        {"--threads", "K", "threads (0: all); results do not depend on it",
         "线程数（0：全部）；结果与之无关", &a.threads, NULL},
        {"--json", NULL, "print JSON instead of words", "输出 JSON", NULL, &a.json},
        {"--no-page", NULL, "no page with the curves", "不生成曲线页面", NULL, &a.no_page},
        {0}};
    const char *word[1];
    int n = args_parse(c, opts, argc, argv, word, 1);
    if (n < 0) return n == -1 ? EXIT_PASSED : EXIT_WRONG;
    if (n == 0) return say_wrong("identify: which record? give the path of a .mcap or its folder");
    if (!a.robot) return say_wrong("identify: --robot is missing; 'qiao robots' lists them");
    double seconds;
    long long threads;
    if (!args_number("--seconds", a.seconds, 0.2, 60, &seconds) ||
        !args_integer("--threads", a.threads, 0, 1024, &threads))
        return EXIT_WRONG;
    char path[PATH_MAX]; // a folder stands for the record in it
    struct stat st;
    bool folder = stat(word[0], &st) == 0 && S_ISDIR(st.st_mode);
    snprintf(path, sizeof path, folder ? "%s/record.mcap" : "%s", word[0]);
    qiao_diag d = {0};
    return identify(&a, path, seconds, (int)threads, &d) ? say_wrong(d.text) : EXIT_PASSED;
}

const command command_identify = {
    .name = "identify",
    .usage = "RECORD --robot R [--fit LIST] [--out FILE]",
    .en = "find which numbers of a robot explain a record, with intervals",
    .zh = "由记录辨识机器人的参数，并给出区间",
    .more_en = "Examples\n"
               "  qiao run excite --robot panda --brain chirp --seed 7\n"
               "  qiao identify results/excite-panda-chirp-7 --robot panda\n"
               "  qiao identify results/excite-panda-chirp-7 --robot panda --fit armature,delay\n\n"
               "The robot touches nothing and its base is held. Beside the record are written\n"
               "identify.json and identify.html: measured against simulated, before and after.\n"
               "docs/learn.md explains the numbers.\n"
               "Exit status: 0 found, 2 wrong input or data that say nothing.",
    .more_zh = "例子\n"
               "  qiao run excite --robot panda --brain chirp --seed 7\n"
               "  qiao identify results/excite-panda-chirp-7 --robot panda\n"
               "  qiao identify results/excite-panda-chirp-7 --robot panda --fit armature,delay\n\n"
               "机器人不接触任何东西，机身固定。结果写在记录旁边：identify.json 和 identify.html\n"
               "（测量与仿真的对比，辨识前后）。参数说明见 docs/learn.md。\n"
               "退出码：0 已找到，2 输入有误或数据不足以说明。",
    .run = run,
};
