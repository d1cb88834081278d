// SPDX-License-Identifier: Apache-2.0
// json.c - a JSON writer.
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put(qi_json *j, const char *s, size_t n) {
    if (j->failed) return;
    if (j->n + n + 1 > j->cap) {
        size_t cap = (j->n + n + 1) * 2;
        char *p = realloc(j->text, cap);
        if (!p) {
            j->failed = true;
            return;
        }
        j->text = p, j->cap = cap;
    }
    memcpy(j->text + j->n, s, n);
    j->n += n, j->text[j->n] = 0;
}

static void put_quoted(qi_json *j, const char *s) {
    put(j, "\"", 1);
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        char u[8];
        if (c == '"' || c == '\\')
            put(j, (char[]){'\\', (char)c}, 2);
        else if (c == '\n')
            put(j, "\\n", 2);
        else if (c < 0x20)
            put(j, u, (size_t)snprintf(u, sizeof u, "\\u%04x", c));
        else
            put(j, s, 1);
    }
    put(j, "\"", 1);
}

static void begin(qi_json *j, const char *key) {
    if (j->comma) put(j, ",", 1);
    if (j->n) put(j, "\n", 1);
    if (key) put_quoted(j, key), put(j, ": ", 2);
    j->comma = true;
}

void qi_json_open(qi_json *j, const char *key, char bracket) {
    begin(j, key);
    put(j, &bracket, 1);
    j->comma = false;
}
void qi_json_close(qi_json *j, char bracket) {
    put(j, &bracket, 1);
    j->comma = true;
}
void qi_json_str(qi_json *j, const char *key, const char *value) {
    begin(j, key);
    if (value)
        put_quoted(j, value);
    else
        put(j, "null", 4);
}
void qi_json_num(qi_json *j, const char *key, double value) {
    char b[40];
    int n = isfinite(value) ? snprintf(b, sizeof b, "%.17g", value) : snprintf(b, sizeof b, "null");
    begin(j, key);
    put(j, b, (size_t)n);
}
void qi_json_int(qi_json *j, const char *key, long long value) {
    char b[40];
    begin(j, key);
    put(j, b, (size_t)snprintf(b, sizeof b, "%lld", value));
}
void qi_json_bool(qi_json *j, const char *key, bool value) {
    begin(j, key);
    put(j, value ? "true" : "false", value ? 4 : 5);
}
char *qi_json_end(qi_json *j) {
    put(j, "\n", 1);
    if (!j->failed) return j->text;
    free(j->text);
    return NULL;
}
