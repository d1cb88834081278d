// SPDX-License-Identifier: Apache-2.0
// home.h - finds robots, scenarios and brains by name in the data folder.
#ifndef QI_HOME_H
#define QI_HOME_H

#include "qiao/model.h"

// Path of a thing given by name or by path.
//   kind  "robots"; file  "robot.yaml": <home>/robots/<name>/robot.yaml
//   file may hold "*" for the name: "*.osc" is <home>/scenarios/<name>.osc
// false and d filled with the nearest names when there is none.
bool qi_home_find(const char *kind, const char *name_or_path, const char *file, char *path,
                  size_t cap, qiao_diag *d);
// Names of what is there, sorted; count returned, at most cap written.
int qi_home_list(const char *kind, const char *file, qiao_arena *a, const char **names, int cap);

#endif
