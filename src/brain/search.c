// SPDX-License-Identifier: Apache-2.0
// search.c - finds the file of a brain.
#include "brain/search.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_FOLDERS = 16, MOST_NAMES = 256 };
typedef struct folder {
    char path[PATH_MAX];
    bool ours;
} folder;

void qi_program_dir(char dir[PATH_MAX]) {
    ssize_t n = readlink("/proc/self/exe", dir, PATH_MAX - 1);
    dir[n > 0 ? n : 0] = 0;
    char *slash = strrchr(dir, '/');
    if (slash)
        slash[1] = 0;
    else
        strcpy(dir, "./");
}

static bool is_file(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool is_folder(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool ends_with(const char *s, const char *end) {
    size_t n = strlen(s), m = strlen(end);
    return n > m && strcmp(s + n - m, end) == 0;
}

// A file of a trained network or of the facts around it.
static bool is_policy(const char *path) {
    static const char *const end[] = {".yaml", ".yml", ".onnx", ".pt", ".pth"};
    for (size_t i = 0; i < sizeof end / sizeof *end; i++)
        if (ends_with(path, end[i])) return true;
    return is_folder(path) && strchr(path, '/');
}

// $QIAO_BRAINS first, then what was built with the program (which is in the build folder, tests
// one deeper), then the data folder.
static int list_folders(folder *f) {
    int n = 0;
    const char *env = getenv("QIAO_BRAINS");
    while (env && *env && n < MOST_FOLDERS - 3) {
        size_t len = strcspn(env, ":");
        if (len && len < PATH_MAX)
            snprintf(f[n].path, PATH_MAX, "%.*s", (int)len, env), f[n++].ours = false;
        env += len + (env[len] == ':');
    }
    char dir[PATH_MAX];
    qi_program_dir(dir);
    snprintf(f[n].path, PATH_MAX, "%.4000sbrains", dir), f[n++].ours = true;
    snprintf(f[n].path, PATH_MAX, "%.4000s../brains", dir), f[n++].ours = true;
    snprintf(f[n].path, PATH_MAX, "%.4000s/brains", qiao_home()), f[n++].ours = false;
    return n;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int qiao_brain_list(qiao_arena *a, const char **names, int cap) {
    folder *f = calloc(MOST_FOLDERS, sizeof *f);
    int nfolder = f ? list_folders(f) : 0, n = 0;
    for (int i = 0; i < nfolder; i++) {
        DIR *dir = opendir(f[i].path);
        for (struct dirent *e; dir && n < cap && (e = readdir(dir));) {
            size_t len = strlen(e->d_name);
            bool code = ends_with(e->d_name, ".so") || ends_with(e->d_name, ".py");
            char file[PATH_MAX];
            snprintf(file, sizeof file, "%.3500s/%.255s/brain.yaml", f[i].path, e->d_name);
            if (!code && (e->d_name[0] == '.' || !is_file(file))) continue;
            char *s = qiao_arena_text(a, e->d_name, code ? len - 3 : len);
            bool known = false;
            for (int k = 0; s && k < n; k++) known |= strcmp(names[k], s) == 0;
            if (s && !known) names[n++] = s;
        }
        if (dir) closedir(dir);
    }
    free(f);
    qsort(names, (size_t)n, sizeof *names, by_text);
    return n;
}

static qiao_err no_such_brain(const char *name, qiao_diag *d) {
    qiao_arena *a = qiao_arena_new();
    const char *names[MOST_NAMES];
    char all[500] = "";
    int n = a ? qiao_brain_list(a, names, MOST_NAMES) : 0;
    for (int i = 0; i < n; i++) {
        size_t at = strlen(all);
        snprintf(all + at, sizeof all - at, "%s%s", at ? ", " : "", names[i]);
    }
    const char *near = qiao_nearest(name, names, n);
    qiao_diag_set(d, QIAO_E_NAME, NULL, 0, 0, "there is no brain '%.100s'%s%s%s; at hand: %s", name,
                  near ? "; near: '" : "", near ? near : "", near ? "'" : "", *all ? all : "none");
    qiao_arena_free(a);
    return QIAO_E_NAME;
}

static qiao_err find_name(const char *name, qi_spec *s, qiao_diag *d) {
    folder *f = calloc(MOST_FOLDERS, sizeof *f);
    if (!f) return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    int n = list_folders(f);
    qiao_err e = QIAO_E_NAME;
    for (int i = 0; e && i < n; i++) {
        if (strlen(f[i].path) + strlen(name) + 14 > PATH_MAX) continue;
        snprintf(s->path, PATH_MAX, "%.3500s/%.500s.so", f[i].path, name);
        s->kind = QI_BRAIN_PLUGIN, s->ours = f[i].ours;
        if (is_file(s->path)) e = QIAO_OK;
        if (!e) break;
        snprintf(s->path, PATH_MAX, "%.3500s/%.500s.py", f[i].path, name);
        s->kind = QI_BRAIN_PYTHON, s->ours = false;
        if (is_file(s->path)) e = QIAO_OK;
        if (!e) break;
        snprintf(s->path, PATH_MAX, "%.3500s/%.500s/brain.yaml", f[i].path, name);
        s->kind = QI_BRAIN_POLICY;
        if (is_file(s->path)) e = QIAO_OK;
    }
    free(f);
    return e ? no_such_brain(name, d) : QIAO_OK;
}

// Cuts text at white space into a first word and arguments.
static qiao_err split(qi_spec *s, const char **first, qiao_diag *d) {
    char *save, *word = strtok_r(s->text, " \t", &save);
    *first = word ? word : "";
    s->narg = 0;
    while ((word = strtok_r(NULL, " \t", &save))) {
        if (s->narg == QI_SPEC_ARGS)
            return qiao_diag_set(d, QIAO_E_LIMIT, NULL, 0, 0, "a brain takes at most %d arguments",
                                 QI_SPEC_ARGS);
        s->arg[s->narg++] = word;
    }
    s->arg[s->narg] = NULL;
    return QIAO_OK;
}

qiao_err qi_spec_find(const char *spec, qi_spec *s, qiao_diag *d) {
    memset(s, 0, sizeof *s);
    if (!spec || !*spec || strlen(spec) >= sizeof s->text)
        return qiao_diag_set(
            d, QIAO_E_ARG, NULL, 0, 0,
            "no brain is named; a name (trot) or a path (x.so, x.py) was expected");
    strcpy(s->text, spec);
    const char *first = s->text;
    if (!is_file(spec)) { // a path with spaces in it stands alone
        qiao_err e = split(s, &first, d);
        if (e) return e;
    }
    bool so = ends_with(first, ".so"), py = ends_with(first, ".py");
    bool net = is_policy(first);
    bool path = so || py || net || strchr(first, '/') || is_file(first);
    if (!path) {
        qiao_err e = find_name(first, s, d);
        if (e) return e;
    } else {
        snprintf(s->path, PATH_MAX, "%.4000s", first);
        s->kind = so    ? QI_BRAIN_PLUGIN
                  : py  ? QI_BRAIN_PYTHON
                  : net ? QI_BRAIN_POLICY
                        : QI_BRAIN_PROGRAM;
    }
    if (s->kind == QI_BRAIN_PLUGIN && s->narg)
        return qiao_diag_set(d, QIAO_E_ARG, s->path, 0, 0, "is a plug-in, and takes no arguments");
    if (s->kind == QI_BRAIN_PLUGIN) return QIAO_OK; // plugin.c looks closer
    if (s->kind == QI_BRAIN_POLICY && is_folder(s->path)) {
        char file[PATH_MAX];
        snprintf(file, sizeof file, "%.4000s/brain.yaml", s->path);
        return is_file(file)
                   ? QIAO_OK
                   : qiao_diag_set(d, QIAO_E_IO, s->path, 0, 0, "is a folder without a brain.yaml");
    }
    if (!is_file(s->path))
        return qiao_diag_set(d, QIAO_E_IO, s->path, 0, 0, "there is no such file");
    if (s->kind == QI_BRAIN_PROGRAM && access(s->path, X_OK) != 0)
        return qiao_diag_set(d, QIAO_E_ARG, s->path, 0, 0,
                             "is neither a plug-in (.so), Python (.py) nor a trained policy "
                             "(.yaml, .onnx), nor may it be run");
    return QIAO_OK;
}
