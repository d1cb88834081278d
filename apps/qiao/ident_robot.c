// SPDX-License-Identifier: Apache-2.0
// ident_robot.c - the robot's file with the numbers that were found: everything else stays as it
// is written, drives and joints are said one by one.
#include "ident_tell.h"

#include "model/adapt.h"

#include <fnmatch.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static double factor(const ident_report *r, const char *name) {
    for (int i = 0; i < r->result->n; i++) {
        const qiao_ident_value *v = &r->result->value[i];
        if (strcmp(v->name, name) == 0 && v->told) return v->value;
    }
    return strcmp(name, "delay") == 0 ? 0 : 1;
}

// A shell pattern that fits the name alone, in quotes.
static void put_match(FILE *f, const char *name) {
    fputs("  - {match: \"", f);
    for (; *name; name++) fputc(strchr("*?[]\\\"", *name) ? '?' : *name, f);
    fputc('"', f);
}
static void put_number(FILE *f, const char *key, double x, double none) {
    if (x != none) fprintf(f, ", %s: %.9g", key, x);
}

static bool takes_motor(const qiao_robot *r, const char *act) {
    for (int i = 0; r->adapt && i < r->adapt->nlaw; i++)
        if (fnmatch(r->adapt->law[i].match, act, 0) == 0) return r->adapt->law[i].motor;
    return false;
}

static void put_drives(FILE *f, const ident_report *r) {
    const qiao_robot *b = r->robot;
    fputs("drives:\n", f);
    for (int u = 0; u < b->model->nu; u++) {
        const qiao_drive *v = &b->drive[u];
        put_match(f, b->model->act_name[u]);
        fprintf(f, ", kp: %.9g, kd: %.9g", v->kp * factor(r, "kp"), v->kd * factor(r, "kd"));
        put_number(f, "torque", v->torque_max * factor(r, "torque"), 0);
        put_number(f, "speed_knee", v->speed_knee, 0), put_number(f, "speed", v->speed_max, 0);
        put_number(f, "rate_hz", v->rate_hz, 0);
        put_number(f, "delay_ms", 1e3 * (v->delay + (v->native ? 0 : factor(r, "delay"))), 0);
        if (v->armature >= 0) put_number(f, "armature", v->armature * factor(r, "armature"), -1);
        if (v->native) fputs(", native: true", f);
        if (takes_motor(b, b->model->act_name[u])) fputs(", motor: true", f);
        fputs("}\n", f);
    }
}

static void put_joints(FILE *f, const ident_report *r) {
    const qiao_model *m = r->robot->model;
    fputs("joints:\n", f);
    for (int j = 0; j < m->njnt; j++) {
        if (m->jnt_type[j] < QIAO_JOINT_SLIDE || !m->jnt_name[j][0]) continue;
        int k = m->jnt_vadr[j];
        put_match(f, m->jnt_name[j]);
        fprintf(f, ", armature: %.9g, damping: %.9g, friction: %.9g}\n",
                m->dof_armature[k] * factor(r, "armature"),
                m->dof_damping[k] * factor(r, "damping"),
                m->dof_friction[k] * factor(r, "frictionloss"));
    }
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

// The blocks of the old file but for those that are said anew; model is its old word, if any.
static void put_rest(FILE *f, const char *old, char *model, size_t cap) {
    bool keep = true;
    for (const char *p = old; *p;) {
        const char *nl = strchr(p, '\n'), *end = nl ? nl + 1 : p + strlen(p);
        size_t n = (size_t)(end - p);
        if (*p != ' ' && *p != '#' && *p != '\n' && *p != '\r' && *p != '-' && *p != '\t') {
            static const char *const said[] = {"drives:", "joints:", "model:"};
            keep = true;
            for (int i = 0; i < 3; i++)
                if (strncmp(p, said[i], strlen(said[i])) == 0) keep = false;
            if (strncmp(p, "model:", 6) == 0)
                snprintf(model, cap, "%.*s", (int)strcspn(p + 6, "\r\n"), p + 6);
        }
        if (keep) fwrite(p, 1, n, f);
        p = end;
    }
}

static void put_head(FILE *f, const ident_report *r) {
    fprintf(f, "# Identified from %s by qiao identify; what is not listed is as in %s.\n",
            base_name(r->record), base_name(r->robot->file));
    for (int i = 0; i < r->result->n; i++) {
        const qiao_ident_value *v = &r->result->value[i];
        if (!v->told)
            fprintf(f, "#   %s: nothing was found out\n", v->name);
        else
            fprintf(f, "#   %s: %.4g (95 %% between %.4g and %.4g) %s%s\n", v->name, v->value,
                    v->low, v->high, strcmp(v->unit, "1") == 0 ? "times as much" : v->unit,
                    strcmp(v->name, "mass") == 0 || strcmp(v->name, "payload") == 0
                        ? "; not in this file: it belongs into the model"
                        : "");
    }
}

// Text of the whole file.
static char *compose(const ident_report *r, size_t *n, qiao_diag *d) {
    char *old = NULL, *text = NULL, model[PATH_MAX] = "";
    size_t nold;
    const qiao_robot *b = r->robot;
    bool yaml = strcmp(b->file, b->path) != 0;
    if (yaml && qiao_file_read(b->file, 1 << 20, &old, &nold, d)) return NULL;
    FILE *f = open_memstream(&text, n);
    if (f) {
        put_head(f, r);
        if (yaml)
            put_rest(f, old, model, sizeof model);
        else
            fprintf(f, "name: \"%s\"\nkind: %s\n", b->name, b->kind);
        const char *away = strstr(model, "$QIAO_DATA/");
        fprintf(f, "model: %s\n", away ? away : base_name(b->path));
        put_drives(f, r), put_joints(f, r);
        fclose(f);
    }
    free(old);
    return text;
}

qiao_err ident_robot(const ident_report *r, const char *path, qiao_diag *d) {
    size_t n = 0;
    char *text = compose(r, &n, d), part[PATH_MAX];
    if (!text) return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    // beside its place, until it has shown that it loads
    snprintf(part, sizeof part, "%.*s/.identify-%ld.yaml",
             base_name(path) > path ? (int)(base_name(path) - path) : 1,
             base_name(path) > path ? path : ".", (long)getpid());
    qiao_err e = qiao_file_write(part, text, n, d);
    qiao_diag why = {0};
    qiao_robot *made = e ? NULL : qiao_robot_load(part, &why);
    if (!e && !made)
        e = qiao_diag_set(
            d, QIAO_E_UNSUPPORTED, path, 0, 0,
            "the robot's file cannot be written there; write it beside %.300s (%.300s)",
            r->robot->path, why.text);
    if (!e) e = qiao_file_write(path, text, n, d);
    unlink(part);
    qiao_robot_free(made);
    free(text);
    return e;
}
