// SPDX-License-Identifier: Apache-2.0
// args.c - see args.h.
#include "args.h"

#include "qiao/base.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool args_chinese(void) {
    const char *v = getenv("LC_ALL");
    if (!v || !*v) v = getenv("LC_MESSAGES");
    if (!v || !*v) v = getenv("LANG");
    return v && strncmp(v, "zh", 2) == 0;
}

int say_wrong(const char *text) {
    fprintf(stderr, "qiao: %s\n", text);
    return EXIT_WRONG;
}

static void print_help(const command *c, const option *opts) {
    bool zh = args_chinese();
    printf("qiao %s %s\n\n%s\n", c->name, c->usage, zh ? c->zh : c->en);
    printf(zh ? "\n选项\n" : "\nOptions\n");
    for (const option *o = opts; o->name; o++) {
        char left[48];
        snprintf(left, sizeof left, "%s %s", o->name, o->value ? o->value : "");
        printf("  %-22s %s\n", left, zh ? o->zh : o->en);
    }
    printf("\n%s\n", zh ? c->more_zh : c->more_en);
}

static int unknown(const command *c, const option *opts, const char *arg) {
    const char *names[64];
    int n = 0;
    for (const option *o = opts; o->name && n < 63; o++) names[n++] = o->name;
    names[n++] = "--help";
    const char *near = qiao_nearest(arg, names, n);
    fprintf(stderr, "qiao %s: unknown option %s%s%s%s; 'qiao %s --help' lists them\n", c->name, arg,
            near ? "; did you mean " : "", near ? near : "", near ? "?" : "", c->name);
    return -2;
}

int args_parse(const command *c, const option *opts, int argc, char **argv, const char **word,
               int cap) {
    int n = 0;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(c, opts);
            return -1;
        }
        if (argv[i][0] != '-' || argv[i][1] == 0) {
            if (n == cap) {
                fprintf(stderr, "qiao %s: one word too many: '%s'; usage: qiao %s %s\n", c->name,
                        argv[i], c->name, c->usage);
                return -2;
            }
            word[n++] = argv[i];
            continue;
        }
        // --name value, --name=value
        const char *eq = strchr(argv[i], '=');
        size_t len = eq ? (size_t)(eq - argv[i]) : strlen(argv[i]);
        const option *o = opts;
        while (o->name && (strlen(o->name) != len || strncmp(o->name, argv[i], len) != 0)) o++;
        if (!o->name) return unknown(c, opts, argv[i]);
        if (o->on) {
            *o->on = true;
            continue;
        }
        if (!eq && i + 1 == argc) {
            fprintf(stderr, "qiao %s: %s needs a value: %s %s\n", c->name, o->name, o->name,
                    o->value);
            return -2;
        }
        *o->text = eq ? eq + 1 : argv[++i];
    }
    return n;
}

bool args_number(const char *name, const char *text, double lo, double hi, double *x) {
    char *end;
    errno = 0;
    *x = strtod(text, &end);
    if (end != text && *end == 0 && errno == 0 && *x >= lo && *x <= hi) return true;
    fprintf(stderr, "qiao: %s takes a number from %g to %g, not '%s'\n", name, lo, hi, text);
    return false;
}

bool args_integer(const char *name, const char *text, long long lo, long long hi, long long *x) {
    char *end;
    errno = 0;
    *x = strtoll(text, &end, 10);
    if (end != text && *end == 0 && errno == 0 && *x >= lo && *x <= hi) return true;
    fprintf(stderr, "qiao: %s takes a whole number from %lld to %lld, not '%s'\n", name, lo, hi,
            text);
    return false;
}

// "7" or "1..20" to first and count.
bool args_seeds(const char *text, long long *first, long long *count) {
    const char *dots = text ? strstr(text, "..") : NULL;
    *first = *count = 1;
    if (!text) return true;
    if (!dots) return args_integer("--seed", text, 0, 0x7fffffffffffffff, first);
    char a[32];
    snprintf(a, sizeof a, "%.*s", (int)(dots - text < 31 ? dots - text : 31), text);
    long long last;
    if (!args_integer("--seed A..B", a, 0, 0x7fffffffffff, first) ||
        !args_integer("--seed A..B", dots + 2, *first, *first + ARGS_SEEDS - 1, &last))
        return false;
    *count = last - *first + 1;
    return true;
}
