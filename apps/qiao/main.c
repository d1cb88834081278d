// SPDX-License-Identifier: Apache-2.0
// main.c - the program qiao: finds the command.
#include "args.h"
#include "commands.h"

#include "qiao/prove.h"

#include <stdio.h>
#include <string.h>

// one a line, in the order in which people meet them
// clang-format off
const command *const commands[] = {
    &command_run,
    &command_prove,
    &command_verify,
    &command_replay,
    &command_robots,
    &command_brains,
    &command_doctor,
    &command_scenarios,
    &command_train,
    &command_identify,
    &command_bench,
    &command_compile,
    &command_keys,
    NULL};
// clang-format on

static void usage(void) {
    bool zh = args_chinese();
    puts(zh ? "qiao：这个大脑在这台机器人上能不能完成这项工作，多大把握，不能的话为什么？\n\n命令"
            : "qiao: does this brain do this job on this robot, how often, and if not, why?\n\n"
              "Commands");
    for (const command *const *c = commands; *c; c++)
        printf("  %-10s %s\n", (*c)->name, zh ? (*c)->zh : (*c)->en);
    puts(zh ? "\n先试：\n  qiao run parcel_route --robot go2 --brain trot\n"
              "'qiao 命令 --help' 说明每个命令。退出码：0 通过，1 试验失败，2 输入有误。"
            : "\nStart with\n  qiao run parcel_route --robot go2 --brain trot\n"
              "'qiao COMMAND --help' explains each. Exit status: 0 passed, 1 a trial failed, "
              "2 wrong input.");
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "brain-host") == 0) return qiao_brain_host_main(argc, argv);
    if (argc > 1 && strcmp(argv[1], "sweep-worker") == 0) return qiao_crew_worker_main(argc, argv);
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        usage();
        return argc < 2 ? EXIT_WRONG : EXIT_PASSED;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("qiao " QIAO_VERSION);
        return EXIT_PASSED;
    }
    const char *names[32];
    int n = 0;
    for (const command *const *c = commands; *c; c++) {
        if (strcmp(argv[1], (*c)->name) == 0) return (*c)->run(*c, argc - 2, argv + 2);
        names[n++] = (*c)->name;
    }
    const char *near = qiao_nearest(argv[1], names, n);
    fprintf(stderr, "qiao: no command '%s'%s%s%s; 'qiao --help' lists them\n", argv[1],
            near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return EXIT_WRONG;
}
