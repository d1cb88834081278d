// SPDX-License-Identifier: Apache-2.0
// home.c - see home.h.
#include "model/home.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_folder(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}
static bool is_file(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

const char *qiao_home(void) {
    static _Thread_local char home[PATH_MAX];
    char probe[PATH_MAX + 16];
    const char *env = getenv("QIAO_HOME");
    if (env && *env) return env;
    // beside the program or in a folder above it
    ssize_t n = readlink("/proc/self/exe", home, sizeof home - 1);
    for (home[n > 0 ? n : 0] = 0; n > 0;) {
        char *slash = strrchr(home, '/');
        if (!slash || slash == home) break;
        *slash = 0;
        snprintf(probe, sizeof probe, "%s/scenarios/lib", home);
        if (is_folder(probe)) return home;
    }
    return ".";
}

// <home>/<kind>/<name>/<file>, or with a star <home>/<kind>/<name><rest of file>
static void place(const char *kind, const char *name, const char *file, char *path, size_t cap) {
    if (file[0] == '*')
        snprintf(path, cap, "%s/%s/%s%s", qiao_home(), kind, name, file + 1);
    else
        snprintf(path, cap, "%s/%s/%s/%s", qiao_home(), kind, name, file);
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int qi_home_list(const char *kind, const char *file, qiao_arena *a, const char **names, int cap) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", qiao_home(), kind);
    int n = 0;
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && n < cap && (e = readdir(dir));) {
        size_t len = strlen(e->d_name), tail = strlen(file + 1);
        if (e->d_name[0] == '.') continue;
        if (file[0] == '*') { // take the ending off
            if (len <= tail || strcmp(e->d_name + len - tail, file + 1) != 0) continue;
            len -= tail;
        }
        const char *name = qiao_arena_text(a, e->d_name, len);
        if (!name) break;
        place(kind, name, file, path, sizeof path);
        if (is_file(path)) names[n++] = name;
    }
    if (dir) closedir(dir);
    qsort(names, (size_t)n, sizeof *names, by_name);
    return n;
}

bool qi_home_find(const char *kind, const char *name, const char *file, char *path, size_t cap,
                  qiao_diag *d) {
    if (strlen(name) > 2000) {
        qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0, "the path is too long: %.60s...", name);
        return false;
    }
    if (!strchr(name, '/') && !strchr(name, '.'))
        place(kind, name, file, path, cap);
    else if (is_folder(name) && file[0] != '*')
        snprintf(path, cap, "%s/%s", name, file);
    else
        snprintf(path, cap, "%s", name);
    if (is_file(path)) return true;
    // not there: what is near, or what there is
    const char *names[256];
    qiao_arena *a = qiao_arena_new();
    int n = a ? qi_home_list(kind, file, a, names, 256) : 0;
    const char *near = qiao_nearest(name, names, n);
    char all[400] = "";
    for (int i = 0; i < n && strlen(all) < 300; i++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? ", " : "", names[i]);
    if (near)
        qiao_diag_set(d, QIAO_E_NAME, NULL, 0, 0, "no '%s' in %s; did you mean '%s'?", name, kind,
                      near);
    else
        qiao_diag_set(d, QIAO_E_NAME, NULL, 0, 0, "no '%s' in %s and no such file; there are: %s",
                      name, kind, all);
    qiao_arena_free(a);
    return false;
}

int qiao_robot_list(qiao_arena *a, const char **names, int cap) {
    return qi_home_list("robots", "robot.yaml", a, names, cap);
}
