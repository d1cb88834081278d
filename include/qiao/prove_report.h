// SPDX-License-Identifier: Apache-2.0
// qiao/prove_report.h - a sweep as one page that needs nothing else, and its JSON.
#ifndef QIAO_PROVE_REPORT_H
#define QIAO_PROVE_REPORT_H

#include "qiao/prove_stats.h"

#pragma GCC visibility push(default) // libqiao.so exports what is public

typedef struct qiao_report_case { // a trial that was run again with a full record
    const char *kind;             // "worst", "median", "best", "nearest", "shrunk", "rare"
    int row;                      // of the table; -1: none of its rows
    const char *page;             // file of its replay page, embedded while there is room; NULL
    const char *link;             // how the page beside the report is called; NULL
    const char *command;          // that runs it again
    const qiao_row *found;        // what it came to, if it is none of the rows; NULL
} qiao_report_case;
typedef struct qiao_second_opinion { // rows run again in another engine
    const char *engine;
    int n;
    const int *row;           // [n]
    const uint8_t *passed;    // [n] there
    const double *total;      // [n] there
    const char *const *cause; // [n] "" if passed
} qiao_second_opinion;
typedef struct qiao_report_def { // what is NULL or 0 is left out
    const qiao_table *table;
    const qiao_why *why; // NULL: made here
    double level;        // 0.95
    const char *scenario, *title, *title_zh, *robot, *brain, *engine, *sampling, *build;
    const char *command, *verify; // as typed: that made it, that checks it
    uint64_t seed;
    double wall;            // s of computing
    const char *stopped;    // "trials", "width", "test", "interrupted"
    qiao_interval sequence; // by which it stopped; level 0: a fixed number of trials
    int nhash;
    const char *const *hash_name; // [nhash] "scenario", "robot", ...
    const uint8_t (*hash)[QIAO_HASH_BYTES];
    int ncase;
    const qiao_report_case *cases;
    const qiao_second_opinion *second;
    const qiao_compare *compare;
    const qiao_rare *rare;
} qiao_report_def;
qiao_report_def qiao_report_def_default(void);
// html or json NULL: not written. A page embeds replays up to 9 MB in all.
qiao_err qiao_report_write(const qiao_report_def *def, const char *html, const char *json,
                           qiao_diag *d);
// "passes 94.2 % (93.7-94.7 %, 95 % exact) of 10,000 trials" into text [cap].
void qiao_prove_sentence(const qiao_table *t, double level, bool chinese, char *text, size_t cap);

#pragma GCC visibility pop
#endif
