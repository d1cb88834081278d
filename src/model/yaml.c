// SPDX-License-Identifier: Apache-2.0
// yaml.c - see yaml.h; libyaml does the reading.
#include "model/yaml.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// libyaml's time grows with the square of open brackets: more than a robot has are refused.
static bool brackets_fit(const char *path, const char *text, size_t n, qiao_diag *d) {
    int line = 1, col = 1, open = 0;
    for (size_t i = 0; i < n; i++, col++) {
        if (text[i] == '\n') line++, col = 0;
        if (text[i] != '[' && text[i] != '{') continue;
        if (++open <= QI_YAML_BRACKETS_MAX) continue;
        qiao_diag_set(d, QIAO_E_LIMIT, path, line, col, "more than %d lists and braces",
                      QI_YAML_BRACKETS_MAX);
        return false;
    }
    return true;
}

bool qi_yaml_open(qi_yaml *y, const char *path, const char *text, size_t n, qiao_diag *d) {
    yaml_parser_t p;
    *y = (qi_yaml){.path = path, .d = d};
    if (!brackets_fit(path, text, n, d)) return false;
    if (n > QI_YAML_MAX) {
        qiao_diag_set(d, QIAO_E_LIMIT, path, 0, 0, "has %zu bytes, at most %d are read", n,
                      QI_YAML_MAX);
        return false;
    }
    if (!yaml_parser_initialize(&p)) {
        qiao_diag_set(d, QIAO_E_MEM, path, 0, 0, "out of memory");
        return false;
    }
    yaml_parser_set_input_string(&p, (const unsigned char *)text, n);
    y->loaded = yaml_parser_load(&p, &y->doc);
    if (!y->loaded)
        qiao_diag_set(d, QIAO_E_FORMAT, path, (int)p.problem_mark.line + 1,
                      (int)p.problem_mark.column + 1, "%s", p.problem ? p.problem : "not YAML");
    yaml_parser_delete(&p);
    return y->loaded;
}

void qi_yaml_close(qi_yaml *y) {
    if (y->loaded) yaml_document_delete(&y->doc);
    y->loaded = false;
}

bool qi_yaml_fault(qi_yaml *y, const yaml_node_t *at, const char *fmt, ...) {
    char text[600];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    qiao_diag_set(y->d, QIAO_E_FORMAT, y->path, at ? (int)at->start_mark.line + 1 : 0,
                  at ? (int)at->start_mark.column + 1 : 0, "%s", text);
    return false;
}

yaml_node_t *qi_yaml_root(qi_yaml *y) {
    yaml_node_t *r = yaml_document_get_root_node(&y->doc);
    if (r && r->type == YAML_MAPPING_NODE) return r;
    qi_yaml_fault(y, r, "expected keys and values, as in 'name: go2'");
    return NULL;
}

yaml_node_t *qi_yaml_node(qi_yaml *y, int id) { return yaml_document_get_node(&y->doc, id); }

const char *qi_yaml_scalar(const yaml_node_t *n) {
    return n && n->type == YAML_SCALAR_NODE ? (const char *)n->data.scalar.value : NULL;
}

yaml_node_t *qi_yaml_get(qi_yaml *y, yaml_node_t *map, const char *key) {
    if (map->type != YAML_MAPPING_NODE) return NULL;
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
         p++) {
        const char *k = qi_yaml_scalar(qi_yaml_node(y, p->key));
        if (k && strcmp(k, key) == 0) return qi_yaml_node(y, p->value);
    }
    return NULL;
}

bool qi_yaml_keys(qi_yaml *y, yaml_node_t *map, const char *const *names, int n) {
    uint64_t seen = 0;
    if (map->type != YAML_MAPPING_NODE) return qi_yaml_fault(y, map, "expected keys and values");
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
         p++) {
        yaml_node_t *node = qi_yaml_node(y, p->key);
        const char *k = qi_yaml_scalar(node);
        if (!k) return qi_yaml_fault(y, node, "expected a key");
        int i = 0;
        while (i < n && strcmp(names[i], k) != 0) i++;
        if (i < n && i < 64 && (seen >> i & 1))
            return qi_yaml_fault(y, node, "'%s' is given twice", k);
        if (i < 64) seen |= (uint64_t)1 << i;
        if (i < n) continue;
        const char *near = qiao_nearest(k, names, n);
        if (near) return qi_yaml_fault(y, node, "unknown key '%.60s'; did you mean '%s'?", k, near);
        char all[400] = "";
        for (int j = 0; j < n; j++) {
            strncat(all, j ? ", " : "", sizeof all - strlen(all) - 1);
            strncat(all, names[j], sizeof all - strlen(all) - 1);
        }
        return qi_yaml_fault(y, node, "unknown key '%.60s'; expected one of %s", k, all);
    }
    return true;
}

bool qi_yaml_text(qi_yaml *y, yaml_node_t *map, const char *key, const char **out) {
    yaml_node_t *v = qi_yaml_get(y, map, key);
    if (!v) return true;
    const char *s = qi_yaml_scalar(v);
    if (!s || strlen(s) > 200) return qi_yaml_fault(y, v, "%s: expected a short text", key);
    *out = s;
    return true;
}

bool qi_yaml_num(qi_yaml *y, yaml_node_t *map, const char *key, double lo, double hi, double *out) {
    yaml_node_t *v = qi_yaml_get(y, map, key);
    if (!v) return true;
    const char *s = qi_yaml_scalar(v);
    char *end = NULL;
    double x = s ? strtod(s, &end) : 0;
    if (!s || end == s || *end || !isfinite(x))
        return qi_yaml_fault(y, v, "%s: expected a number, not '%.60s'", key, s ? s : "a list");
    if (x < lo || x > hi)
        return qi_yaml_fault(y, v, "%s: expected a number from %g to %g, not %g", key, lo, hi, x);
    *out = x;
    return true;
}

bool qi_yaml_bool(qi_yaml *y, yaml_node_t *map, const char *key, bool *out) {
    yaml_node_t *v = qi_yaml_get(y, map, key);
    if (!v) return true;
    const char *s = qi_yaml_scalar(v);
    if (s && (strcmp(s, "true") == 0 || strcmp(s, "false") == 0)) {
        *out = s[0] == 't';
        return true;
    }
    return qi_yaml_fault(y, v, "%s: expected true or false", key);
}

int qi_yaml_count(const yaml_node_t *seq) {
    if (!seq || seq->type != YAML_SEQUENCE_NODE) return -1;
    return (int)(seq->data.sequence.items.top - seq->data.sequence.items.start);
}

yaml_node_t *qi_yaml_item(qi_yaml *y, yaml_node_t *seq, int i) {
    return qi_yaml_node(y, seq->data.sequence.items.start[i]);
}
