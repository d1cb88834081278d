// SPDX-License-Identifier: Apache-2.0
// guard_read.c - limits of guards: the defaults, and the block `guards:` of a manifest.
#include "brain/guard.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

qi_guard_def qi_guard_default(void) {
    const double never = INFINITY;
    qi_guard_def d = {.height_min = NAN, .height_max = NAN, .power = NAN, .age = NAN, .damp_s = 1};
    d.rung[QIAO_GUARD_FINITE] = (qi_guard_rungs){never, never, never, never};
    d.rung[QIAO_GUARD_TILT] = (qi_guard_rungs){1.1, 1.4, 1.9, never};
    d.rung[QIAO_GUARD_HEIGHT] = (qi_guard_rungs){0, 0.05, 0.2, never};
    d.rung[QIAO_GUARD_POSITION] = (qi_guard_rungs){0.06, 0.15, 0.4, 1};
    d.rung[QIAO_GUARD_VELOCITY] = (qi_guard_rungs){1.3, 3, 6, 3};
    d.rung[QIAO_GUARD_TORQUE] = (qi_guard_rungs){1.1, 1.5, 4, 10};
    d.rung[QIAO_GUARD_POWER] = (qi_guard_rungs){1.1, 2, 6, never};
    d.rung[QIAO_GUARD_JUMP] = (qi_guard_rungs){1, 4, 20, never};
    d.rung[QIAO_GUARD_STALE] = (qi_guard_rungs){1, 5, 25, never};
    d.rung[QIAO_GUARD_FROZEN] = (qi_guard_rungs){1, 10, 50, never};
    d.rung[QIAO_GUARD_DEADLINE] = (qi_guard_rungs){1, 3, 10, never};
    return d;
}

static bool read_rungs(qi_yaml *y, yaml_node_t *at, qi_guard_rungs *r) {
    bool ok = qi_yaml_num(y, at, "soft", 0, 1e9, &r->soft) &&
              qi_yaml_num(y, at, "damp", 0, 1e9, &r->damp) &&
              qi_yaml_num(y, at, "stop", 0, 1e9, &r->stop) &&
              qi_yaml_num(y, at, "command", 0, 1e9, &r->command);
    if (ok && !(r->soft <= r->damp && r->damp <= r->stop))
        return qi_yaml_fault(y, at, "soft %g, damp %g, stop %g: expected them to rise", r->soft,
                             r->damp, r->stop);
    return ok;
}

// One guard: its rungs, and the numbers that only it has (extra, ended by NULL).
typedef struct extra {
    const char *key;
    double lo, hi, *out;
} extra;

static bool read_guard(qi_yaml *y, yaml_node_t *map, qiao_guard g, qi_guard_def *def,
                       const extra *more) {
    const char *keys[8] = {"soft", "damp", "stop"};
    int n = 3;
    bool command = g == QIAO_GUARD_POSITION || g == QIAO_GUARD_VELOCITY || g == QIAO_GUARD_TORQUE;
    if (command) keys[n++] = "command";
    for (const extra *e = more; e && e->key; e++) keys[n++] = e->key;
    yaml_node_t *at = qi_yaml_get(y, map, qiao_guard_name(g));
    if (!at) return true;
    if (!qi_yaml_keys(y, at, keys, n) || !read_rungs(y, at, &def->rung[g])) return false;
    for (const extra *e = more; e && e->key; e++)
        if (!qi_yaml_num(y, at, e->key, e->lo, e->hi, e->out)) return false;
    return true;
}

static bool read_joint(qi_yaml *y, yaml_node_t *at, qi_guard_joint *j) {
    static const char *const keys[] = {"match", "range", "speed", "torque", "speed_command"};
    const char *match = NULL;
    *j = (qi_guard_joint){"", {NAN, NAN}, NAN, NAN, NAN};
    if (!qi_yaml_keys(y, at, keys, 5) || !qi_yaml_text(y, at, "match", &match) ||
        !qi_yaml_num(y, at, "speed", 1e-6, 1e6, &j->speed) ||
        !qi_yaml_num(y, at, "torque", 1e-6, 1e9, &j->torque) ||
        !qi_yaml_num(y, at, "speed_command", 1e-6, 1e6, &j->speed_command))
        return false;
    if (!match || strlen(match) >= QI_GUARD_NAME)
        return qi_yaml_fault(y, at, "expected 'match:', the name of a joint or a pattern of names");
    snprintf(j->match, sizeof j->match, "%s", match);
    yaml_node_t *range = qi_yaml_get(y, at, "range");
    if (!range) return true;
    if (qi_yaml_count(range) != 2) return qi_yaml_fault(y, range, "range: expected [low, high]");
    for (int i = 0; i < 2; i++) {
        const char *s = qi_yaml_scalar(qi_yaml_item(y, range, i));
        char extra_text;
        if (!s || sscanf(s, "%lf%c", &j->range[i], &extra_text) != 1 || !isfinite(j->range[i]))
            return qi_yaml_fault(y, range, "range: expected two numbers");
    }
    if (!(j->range[0] < j->range[1]))
        return qi_yaml_fault(y, range, "range: expected the low one first, not [%g, %g]",
                             j->range[0], j->range[1]);
    return true;
}

bool qi_guard_read(qi_yaml *y, yaml_node_t *map, qi_guard_def *def) {
    const char *keys[QIAO_GUARD_COUNT + 2];
    int n = 0;
    for (int g = QIAO_GUARD_FINITE + 1; g < QIAO_GUARD_COUNT; g++)
        keys[n++] = qiao_guard_name((qiao_guard)g);
    keys[n++] = "joints", keys[n++] = "damp_s";
    if (!qi_yaml_keys(y, map, keys, n) || !qi_yaml_num(y, map, "damp_s", 0, 3600, &def->damp_s))
        return false;
    const extra height[] = {{"min", -1e3, 1e3, &def->height_min},
                            {"max", -1e3, 1e3, &def->height_max},
                            {0}},
                power[] = {{"limit", 1e-3, 1e9, &def->power}, {0}},
                stale[] = {{"age", 1e-4, 60, &def->age}, {0}};
    for (int g = QIAO_GUARD_FINITE + 1; g < QIAO_GUARD_COUNT; g++) {
        const extra *more = g == QIAO_GUARD_HEIGHT  ? height
                            : g == QIAO_GUARD_POWER ? power
                            : g == QIAO_GUARD_STALE ? stale
                                                    : NULL;
        if (!read_guard(y, map, (qiao_guard)g, def, more)) return false;
    }
    if (def->height_min > def->height_max)
        return qi_yaml_fault(y, qi_yaml_get(y, map, "height"), "height: min %g lies above max %g",
                             def->height_min, def->height_max);
    yaml_node_t *list = qi_yaml_get(y, map, "joints");
    if (!list) return true;
    int k = qi_yaml_count(list);
    if (k < 0 || k > QI_GUARD_JOINTS)
        return qi_yaml_fault(y, list, "joints: expected a list of at most %d", QI_GUARD_JOINTS);
    for (int i = 0; i < k; i++)
        if (!read_joint(y, qi_yaml_item(y, list, i), &def->joint[i])) return false;
    def->njoint = k;
    return true;
}
