// SPDX-License-Identifier: Apache-2.0
// cmd_bench.c - qiao bench: runs the measuring programs that were built beside this one.
#include "commands.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int by_name(const void *a, const void *b) { return strcmp(a, b); }

static int run_program(const char *path) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        execl(path, path, (char *)NULL);
        _exit(127);
    }
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) < 0) return EXIT_WRONG;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? EXIT_PASSED : EXIT_FAILED;
}

static int run(const command *c, int argc, char **argv) {
    const option opts[] = {{0}};
    const char *word[1];
    int n = args_parse(c, opts, argc, argv, word, 1);
    if (n < 0) return n == -1 ? EXIT_PASSED : EXIT_WRONG;
    // the programs: bench/bench_* in the folder of this program
    char dir[PATH_MAX] = "";
    ssize_t len = readlink("/proc/self/exe", dir, sizeof dir - 16);
    char *slash = len > 0 ? strrchr(dir, '/') : NULL;
    if (!slash) return say_wrong("bench: the program's own folder is not known");
    strcpy(slash, "/bench");
    static char name[64][64];
    int count = 0, status = EXIT_PASSED;
    DIR *folder = opendir(dir);
    for (struct dirent *e; folder && (e = readdir(folder));)
        if (strncmp(e->d_name, "bench_", 6) == 0 && strlen(e->d_name) < 64 && count < 64 &&
            !strchr(e->d_name, '.') && (n == 0 || strstr(e->d_name, word[0])))
            strcpy(name[count++], e->d_name);
    if (folder) closedir(folder);
    if (count == 0) return say_wrong("bench: no such measuring program; 'make bench' builds them");
    qsort(name, (size_t)count, sizeof name[0], by_name);
    for (int i = 0; i < count; i++) {
        char path[PATH_MAX + 80];
        snprintf(path, sizeof path, "%s/%s", dir, name[i]);
        printf("== %s\n", name[i]);
        int s = run_program(path);
        if (s > status) status = s;
    }
    return status;
}

const command command_bench = {
    .name = "bench",
    .usage = "[NAME]",
    .en = "measure: every claim of speed, both sides in one run",
    .zh = "测量：每个速度说法，双方同一次运行",
    .more_en = "Builds nothing: 'make bench' builds and runs all. NAME runs those whose name "
               "contains it,\nfor instance 'qiao bench sim'.",
    .more_zh = "不编译：'make bench' 编译并运行全部。NAME 只运行名字中含有它的程序，例如 'qiao "
               "bench sim'。",
    .run = run,
};
