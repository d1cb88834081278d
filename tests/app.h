// SPDX-License-Identifier: Apache-2.0
// app.h - whole commands for tests: run as a user types them.
#ifndef QIAO_TEST_APP_H
#define QIAO_TEST_APP_H

#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char out[400000]; // what the last command printed, stdout and stderr

static const char *build(void) {
    const char *b = getenv("QIAO_BUILD");
    return b ? b : "build/gcc";
}

// Runs "qiao ARGS" through the shell in an English locale; returns its exit status.
static int qiao(const char *args) {
    char cmd[2000];
    snprintf(cmd, sizeof cmd, "LC_ALL=C.UTF-8 %s/qiao %s 2>&1 < /dev/null", build(), args);
    FILE *f = popen(cmd, "r");
    size_t n = f ? fread(out, 1, sizeof out - 1, f) : 0;
    out[n] = 0;
    int status = f ? pclose(f) : -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// The text after key in the last output, up to a quote or white space.
static void field(const char *key, char *value, size_t cap) {
    const char *p = strstr(out, key);
    CHECK(p != NULL, "no %s in: %.500s", key, out);
    p += strlen(key);
    while (*p == ' ' || *p == '"' || *p == ':') p++;
    size_t n = 0;
    while (p[n] && p[n] != '"' && p[n] != ',' && p[n] != '\n' && p[n] != ' ' && n + 1 < cap) n++;
    memcpy(value, p, n), value[n] = 0;
}

static void write_file(const char *path, const char *text, size_t n) {
    mkdir("build/test", 0777);
    FILE *f = fopen(path, "wb");
    CHECK(f != NULL, "%s", path);
    fwrite(text, 1, n, f);
    fclose(f);
}

static inline void put_text(const char *path, const char *text) {
    write_file(path, text, strlen(text));
}

#endif
