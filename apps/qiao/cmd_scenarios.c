// SPDX-License-Identifier: Apache-2.0
// cmd_scenarios.c - qiao scenarios: which there are, what they draw, and whether a file is right.
#include "commands.h"

#include "base/json.h"
#include "qiao/task.h"

#include <stdio.h>
#include <stdlib.h>

static void put(qi_json *j, const qiao_scenario *s) {
    const qiao_param *p;
    int n = qiao_scenario_params(s, &p);
    qi_json_open(j, NULL, '{');
    qi_json_str(j, "name", qiao_scenario_name(s));
    qi_json_str(j, "title", qiao_scenario_title(s, false));
    qi_json_str(j, "title_zh", qiao_scenario_title(s, true));
    qi_json_open(j, "parameters", '[');
    for (int i = 0; i < n; i++) {
        qi_json_open(j, NULL, '{');
        qi_json_str(j, "name", p[i].name), qi_json_str(j, "unit", p[i].unit);
        qi_json_num(j, "from", p[i].lo), qi_json_num(j, "to", p[i].hi);
        qi_json_close(j, '}');
    }
    qi_json_close(j, ']');
    qi_json_close(j, '}');
}

static int list(qi_json *j) {
    qiao_arena *a = qiao_arena_new();
    const char *names[1024];
    int n = qiao_scenario_list(a, names, 1024), status = EXIT_PASSED;
    if (j) qi_json_open(j, NULL, '[');
    for (int i = 0; i < n; i++) {
        qiao_diag d = {0};
        qiao_scenario *s = qiao_scenario_load(names[i], &d);
        if (!s)
            status = say_wrong(d.text);
        else if (j)
            put(j, s);
        else
            printf("%-16s %s\n", names[i], qiao_scenario_title(s, args_chinese()));
        qiao_scenario_free(s);
    }
    if (j)
        qi_json_close(j, ']');
    else
        puts(args_chinese()
                 ? "\n'qiao scenarios 名字或路径' 检查文件并列出其参数范围。"
                 : "\n'qiao scenarios NAME or PATH' checks a file and lists its ranges.");
    qiao_arena_free(a);
    return status;
}

static int one(const char *name, qi_json *j) {
    qiao_diag d = {0};
    qiao_scenario *s = qiao_scenario_load(name, &d);
    if (!s) return say_wrong(d.text);
    if (j) {
        put(j, s);
    } else {
        char hex[QIAO_HASH_HEX];
        uint8_t hash[QIAO_HASH_BYTES];
        qiao_scenario_digest(s, hash), qiao_hash_hex(hash, hex);
        printf("%s\n%s\n%s\nhash %s\n\n", qiao_scenario_name(s), qiao_scenario_title(s, false),
               qiao_scenario_title(s, true), hex);
        const qiao_param *p;
        int n = qiao_scenario_params(s, &p);
        for (int i = 0; i < n; i++)
            if (p[i].lo == p[i].hi)
                printf("  %-32s %10.4g             %s\n", p[i].name, p[i].lo, p[i].unit);
            else
                printf("  %-32s %10.4g .. %-8.4g %s\n", p[i].name, p[i].lo, p[i].hi, p[i].unit);
    }
    qiao_scenario_free(s);
    return EXIT_PASSED;
}

static int run(const command *c, int argc, char **argv) {
    bool json = false;
    const option opts[] = {{"--json", NULL, "print JSON", "输出 JSON", NULL, &json}, {0}};
    const char *word[1];
    int n = args_parse(c, opts, argc, argv, word, 1);
    if (n < 0) return n == -1 ? EXIT_PASSED : EXIT_WRONG;
    qi_json j = {0};
    int status = n ? one(word[0], json ? &j : NULL) : list(json ? &j : NULL);
    char *text = json && status == EXIT_PASSED ? qi_json_end(&j) : NULL;
    if (text) fputs(text, stdout);
    if (text)
        free(text);
    else
        free(j.text);
    return status;
}

const command command_scenarios = {
    .name = "scenarios",
    .usage = "[NAME or PATH]",
    .en = "list the scenarios; check one and show the ranges it draws from",
    .zh = "列出场景；检查一个场景并列出其参数范围",
    .more_en =
        "Scenarios are text files in a subset of ASAM OpenSCENARIO DSL 2.1 (docs/task.md).\n\n"
        "Examples\n  qiao scenarios\n  qiao scenarios parcel_route\n"
        "  qiao scenarios my_job.osc",
    .more_zh = "场景是文本文件，采用 ASAM OpenSCENARIO DSL 2.1 的子集（docs/task.md）。\n\n"
               "例子\n  qiao scenarios\n  qiao scenarios parcel_route\n"
               "  qiao scenarios my_job.osc",
    .run = run,
};
