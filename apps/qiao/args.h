// SPDX-License-Identifier: Apache-2.0
// args.h - the options of a command: one table parses them, explains them and finds the typo.
#ifndef QIAO_ARGS_H
#define QIAO_ARGS_H

#include <stdbool.h>

typedef struct option {
    const char *name;    // "--seed"
    const char *value;   // "N" as shown in the help; NULL: a switch
    const char *en, *zh; // what it does
    const char **text;   // where the value goes, or
    bool *on;            // the switch
} option;

typedef struct command {
    const char *name;
    const char *usage;             // "SCENARIO --robot R --brain B"
    const char *en, *zh;           // one line
    const char *more_en, *more_zh; // examples and explanation for --help
    int (*run)(const struct command *c, int argc, char **argv);
} command;

extern const command *const commands[]; // NULL-terminated

// Parses argv into opts; words without dashes go to word[], at most cap.
// Returns the number of words, -1 after --help (printed), -2 after an error (said on stderr).
int args_parse(const command *c, const option *opts, int argc, char **argv, const char **word,
               int cap);
bool args_number(const char *name, const char *text, double lo, double hi, double *x);
bool args_integer(const char *name, const char *text, long long lo, long long hi, long long *x);
// "7" or "1..20" to first and count, at most ARGS_SEEDS; NULL is 1.
enum { ARGS_SEEDS = 100000 };
bool args_seeds(const char *text, long long *first, long long *count);
bool args_chinese(void);         // the user's language
int say_wrong(const char *text); // "qiao: text" on stderr; returns exit status 2

enum { EXIT_PASSED = 0, EXIT_FAILED = 1, EXIT_WRONG = 2 };

#endif
