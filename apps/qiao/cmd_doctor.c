// SPDX-License-Identifier: Apache-2.0
// cmd_doctor.c - qiao doctor: what is wrong with a policy's manifest on a robot.
#include "commands.h"

#include "base/json.h"
#include "qiao/prove.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST = 64 };

static const char *grade_name(qiao_grade g, bool zh) {
    static const char *const name[2][3] = {{"note", "warning", "error"}, {"提示", "警告", "错误"}};
    return name[zh][g];
}

static void tell_json(const char *brain, const qiao_robot *r, const qiao_finding *f, int n) {
    qi_json j = {0};
    qi_json_open(&j, NULL, '{');
    qi_json_str(&j, "brain", brain), qi_json_str(&j, "robot", r->name);
    qi_json_open(&j, "findings", '[');
    for (int i = 0; i < n; i++) {
        qi_json_open(&j, NULL, '{');
        qi_json_str(&j, "grade", grade_name(f[i].grade, false));
        qi_json_str(&j, "cause", f[i].cause), qi_json_num(&j, "sure", f[i].sure);
        qi_json_str(&j, "what", f[i].what[0]), qi_json_str(&j, "what_zh", f[i].what[1]);
        qi_json_str(&j, "evidence", f[i].evidence[0]);
        qi_json_str(&j, "evidence_zh", f[i].evidence[1]);
        qi_json_str(&j, "fix", f[i].fix[0]), qi_json_str(&j, "fix_zh", f[i].fix[1]);
        qi_json_close(&j, '}');
    }
    qi_json_close(&j, ']'), qi_json_close(&j, '}');
    char *text = qi_json_end(&j);
    if (text) fputs(text, stdout);
    free(text);
}

static void tell(const char *brain, const qiao_robot *r, const qiao_finding *f, int n, int errors) {
    bool zh = args_chinese();
    for (int i = 0; i < n; i++) {
        printf(zh ? "%s  %s（把握 %.0f%%）：%s\n" : "%s  %s (sure %.0f%%): %s\n",
               grade_name(f[i].grade, zh), f[i].cause, 100 * f[i].sure, f[i].what[zh]);
        if (f[i].evidence[zh][0])
            printf(zh ? "    依据  %s\n" : "    seen  %s\n", f[i].evidence[zh]);
        if (f[i].fix[zh][0]) printf(zh ? "    改法  %s\n" : "    fix   %s\n", f[i].fix[zh]);
    }
    if (zh)
        printf("%s 用于 %s：%d 个错误，%d 条其他\n", brain, r->name, errors, n - errors);
    else
        printf("%s on %s: %d error%s, %d other finding%s\n", brain, r->name, errors,
               errors == 1 ? "" : "s", n - errors, n - errors == 1 ? "" : "s");
}

static int run(const command *c, int argc, char **argv) {
    const char *robot = NULL, *word[2];
    bool json = false, still = false;
    const option opts[] = {
        {"--robot", "R", "name or path of the robot", "机器人的名字或路径", &robot, NULL},
        {"--still", NULL, "no short trials", "不做短时试验", NULL, &still},
        {"--json", NULL, "print JSON", "以 JSON 输出", NULL, &json},
        {0}};
    int n = args_parse(c, opts, argc, argv, word, 2);
    if (n < 0) return n == -1 ? EXIT_PASSED : EXIT_WRONG;
    if (n != 1 || !robot)
        return say_wrong(args_chinese()
                             ? "要检查哪个大脑、哪台机器人？例如 qiao doctor g1_walk --robot g1"
                             : "which brain, on which robot? for instance qiao doctor "
                               "g1_walk --robot g1");
    qiao_diag d = {0};
    qiao_robot *r = qiao_robot_load(robot, &d);
    if (!r) return say_wrong(d.text);
    qiao_doctor_def def = {.brain = word[0], .robot = r, .still = still};
    static qiao_finding f[MOST];
    int count = qiao_doctor_run(&def, f, MOST, &d), errors = 0;
    for (int i = 0; i < count; i++) errors += f[i].grade == QIAO_GRADE_ERROR;
    if (count >= 0 && json)
        tell_json(word[0], r, f, count);
    else if (count >= 0)
        tell(word[0], r, f, count, errors);
    qiao_robot_free(r);
    return count < 0 ? say_wrong(d.text) : errors ? EXIT_FAILED : EXIT_PASSED;
}

const command command_doctor = {
    "doctor",
    "BRAIN --robot R [--json] [--still]",
    "find what is wrong with a trained policy's manifest",
    "检查训练好的策略清单有什么错",
    "BRAIN is a manifest: a name, a folder, a brain.yaml or a maker's own file. Looks at its "
    "numbers,\n"
    "asks the network, and runs short trials, also with one fact changed at a time: joint order,\n"
    "pose, gains, scales, history, clock, signs, frames, rates, action.\n\n"
    "Exit status 0: no error found; 1: errors found; 2: wrong input.\n\n"
    "Examples\n"
    "  qiao doctor g1_walk --robot g1\n"
    "  qiao doctor path/to/deploy.yaml --robot g1 --json\n",
    "BRAIN 是一份清单：名字、目录、brain.yaml "
    "或厂家自己的文件。检查数值，询问网络，并做短时试验，\n"
    "逐一改动一个事实再试：关节次序、姿态、增益、比例、历史、时钟、正负号、坐标系、频率、动作。\n\n"
    "退出状态 0：没有错误；1：有错误；2：输入有误。\n\n"
    "例\n"
    "  qiao doctor g1_walk --robot g1\n"
    "  qiao doctor path/to/deploy.yaml --robot g1 --json\n",
    run};
