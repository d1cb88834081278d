// SPDX-License-Identifier: Apache-2.0
// search.h - from what a person writes after --brain to a file.
#ifndef QI_BRAIN_SEARCH_H
#define QI_BRAIN_SEARCH_H

#include "qiao/brain.h"

#include <limits.h>

typedef enum qi_brain_kind {
    QI_BRAIN_PLUGIN,
    QI_BRAIN_PYTHON,
    QI_BRAIN_PROGRAM,
    QI_BRAIN_POLICY, // a manifest, a folder with one, or a maker's own file
} qi_brain_kind;

enum { QI_SPEC_ARGS = 16, QI_SPEC_BYTES = 4096 };
typedef struct qi_spec {
    qi_brain_kind kind;
    bool ours;           // a plug-in that was built with this program
    char path[PATH_MAX]; // of the file
    int narg;
    char *arg[QI_SPEC_ARGS + 1]; // what follows the path, into text
    char text[QI_SPEC_BYTES];
} qi_spec;

// "trot", "dir/x.so", "dir/x.py -v", "dir/program --fast": docs/brain.md, "Which brain".
qiao_err qi_spec_find(const char *spec, qi_spec *s, qiao_diag *d);
// Folder of the running program, with a final '/'.
void qi_program_dir(char dir[PATH_MAX]);

#endif
