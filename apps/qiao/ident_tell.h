// SPDX-License-Identifier: Apache-2.0
// ident_tell.h - what people see of an identification: a table, JSON, a page, a robot's file.
#ifndef QIAO_IDENT_TELL_H
#define QIAO_IDENT_TELL_H

#include "qiao/learn.h"

typedef struct ident_report {
    const char *record; // path of the .mcap
    const qiao_ident_record *rec;
    const qiao_ident_result *result;
    const qiao_robot *robot;
} ident_report;

void ident_table(const ident_report *r); // words on stdout
char *ident_json(const ident_report *r); // free() it
qiao_err ident_page(const ident_report *r, const char *path, qiao_diag *d);
// The robot's file with the numbers found in place of its own. E_UNSUPPORTED: it cannot be said
// there (the file's folder does not hold the model, or the file is not made of plain blocks).
qiao_err ident_robot(const ident_report *r, const char *path, qiao_diag *d);
// What is to be said about value i in words, "" if nothing.
void ident_advice(const ident_report *r, int i, bool chinese, char *text, size_t cap);
// The noise that the robot's file gives its encoders, of q or of qd.
double ident_noise(const qiao_robot *r, bool speed);

#endif
