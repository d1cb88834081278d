// SPDX-License-Identifier: Apache-2.0
// yaml.h - a YAML document with checked access: every fault says file:line:col and what fits.
#ifndef QI_YAML_H
#define QI_YAML_H

#include "qiao/base.h"

#include <yaml.h>

typedef struct qi_yaml {
    yaml_document_t doc;
    const char *path;
    qiao_diag *d;
    bool loaded;
} qi_yaml;

enum { QI_YAML_MAX = 1 << 20, QI_YAML_BRACKETS_MAX = 4000 }; // bytes of a file, lists in it

// Reads text (n bytes) named path. false and d filled on a fault.
bool qi_yaml_open(qi_yaml *y, const char *path, const char *text, size_t n, qiao_diag *d);
void qi_yaml_close(qi_yaml *y);
yaml_node_t *qi_yaml_root(qi_yaml *y); // a mapping, or NULL and d filled
yaml_node_t *qi_yaml_node(qi_yaml *y, int id);
// Fault at a node.
bool qi_yaml_fault(qi_yaml *y, const yaml_node_t *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
// Value of a key in a mapping, NULL if it is not there.
yaml_node_t *qi_yaml_get(qi_yaml *y, yaml_node_t *map, const char *key);
// Every key of the mapping is among names[n]; false and d with the nearest one otherwise.
bool qi_yaml_keys(qi_yaml *y, yaml_node_t *map, const char *const *names, int n);
// Typed values; the default stays when the key is missing. false: fault, in d.
bool qi_yaml_text(qi_yaml *y, yaml_node_t *map, const char *key, const char **out);
bool qi_yaml_num(qi_yaml *y, yaml_node_t *map, const char *key, double lo, double hi, double *out);
bool qi_yaml_bool(qi_yaml *y, yaml_node_t *map, const char *key, bool *out);
const char *qi_yaml_scalar(const yaml_node_t *n); // text of a scalar, NULL if it is none
int qi_yaml_count(const yaml_node_t *seq);        // items of a sequence, -1 if it is none
yaml_node_t *qi_yaml_item(qi_yaml *y, yaml_node_t *seq, int i);

#endif
