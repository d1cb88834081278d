// SPDX-License-Identifier: Apache-2.0
// doctor_names.c - what joint names say: left and right, front and rear, orders in use.
#include "prove/doctor_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 100 };

// name with the first `from` of these pairs at a word's border exchanged. false: it has none.
static bool exchange(const char *name, const char *from, const char *to, bool prefix, char *out) {
    size_t n = strlen(from);
    for (const char *at = name; (at = strstr(at, from)); at++) {
        bool begin = at == name, end = at[n] == 0;
        if (prefix ? !begin : !(begin || at[-1] == '_' || n > 3) || !(end || at[n] == '_' || n > 3))
            continue;
        snprintf(out, NAME, "%.*s%s%s", (int)(at - name), name, to, at + n);
        return true;
    }
    return false;
}

static int find(const qi_manifest *m, const char *name) {
    for (int i = 0; i < m->njoint; i++)
        if (strcmp(m->joint[i], name) == 0) return i;
    return -1;
}

static bool swap_by(const qi_manifest *m, const char *const (*pair)[2], int npair, bool prefix,
                    int *perm) {
    int hits = 0;
    for (int i = 0; i < m->njoint; i++) {
        char other[NAME];
        perm[i] = i;
        for (int k = 0; k < 2 * npair && perm[i] == i; k++)
            if (exchange(m->joint[i], pair[k / 2][k & 1], pair[k / 2][!(k & 1)], prefix, other)) {
                int j = find(m, other);
                if (j >= 0) perm[i] = j, hits++;
            }
    }
    for (int i = 0; i < m->njoint; i++)
        if (perm[perm[i]] != i) return false;
    return hits > 0;
}

bool qi_names_mirror(const qi_manifest *m, int *perm) {
    static const char *const words[][2] = {
        {"left", "right"}, {"Left", "Right"}, {"L", "R"}, {"l", "r"}};
    static const char *const legs[][2] = {
        {"FL", "FR"}, {"RL", "RR"}, {"HL", "HR"}, {"LF", "RF"}, {"LH", "RH"}};
    return swap_by(m, legs, 5, true, perm) || swap_by(m, words, 4, false, perm);
}

bool qi_names_turn(const qi_manifest *m, int *perm) {
    static const char *const words[][2] = {{"front", "rear"}, {"front", "back"}};
    static const char *const legs[][2] = {{"FL", "RL"}, {"FR", "RR"}, {"FL", "HL"},
                                          {"FR", "HR"}, {"LF", "LH"}, {"RF", "RH"}};
    return swap_by(m, legs, 6, true, perm) || swap_by(m, words, 2, false, perm);
}

// Joints of one leg by the first two letters of their names, for robots with four.
int qi_names_legs(const qi_manifest *m, int leg[4][QI_MAN_JOINTS / 4], int *each) {
    char seen[4][3] = {"", "", "", ""};
    int n = 0, count[4] = {0};
    for (int i = 0; i < m->njoint; i++) {
        int k = 0;
        while (k < n && strncmp(seen[k], m->joint[i], 2) != 0) k++;
        if (k == 4) return 0;
        if (k == n) snprintf(seen[n++], 3, "%.2s", m->joint[i]);
        if (count[k] == QI_MAN_JOINTS / 4) return 0;
        leg[k][count[k]++] = i;
    }
    for (int k = 1; k < n; k++)
        if (count[k] != count[0]) return 0;
    *each = count[0];
    return n;
}

// ---- orders of a list in use ----

typedef struct key {
    int depth, at, i;
} key;

static int by_model(const void *a, const void *b) {
    return ((const key *)a)->at - ((const key *)b)->at;
}
static int by_level(const void *a, const void *b) {
    const key *x = a, *y = b;
    return x->depth != y->depth ? x->depth - y->depth : x->at - y->at;
}

static bool keys_of(const qi_manifest *m, const qiao_model *q, key *k) {
    for (int i = 0; i < m->njoint; i++) {
        int j = qiao_model_joint(q, m->joint[i]);
        if (j < 0) return false;
        k[i] = (key){0, j, i};
        for (int b = q->jnt_body[j]; b > 0; b = q->body_parent[b]) k[i].depth += q->body_jntnum[b];
    }
    return true;
}

bool qi_names_model_order(const qi_manifest *m, const qiao_robot *r, bool levels, int *perm) {
    key k[QI_MAN_JOINTS];
    if (!keys_of(m, r->model, k)) return false;
    qsort(k, (size_t)m->njoint, sizeof *k, levels ? by_level : by_model);
    for (int i = 0; i < m->njoint; i++) perm[i] = k[i].i;
    return true;
}

void qi_names_kind(const qi_manifest *m, int i, char *kind, size_t cap) {
    static const char *const words[] = {
        "left_", "right_", "Left_", "Right_", "FL_",    "FR_", "RL_", "RR_", "HL_", "HR_", "LF_",
        "RF_",   "LH_",    "RH_",   "_left",  "_right", "_L",  "_R",  "if_", "mf_", "rf_", "th_"};
    snprintf(kind, cap, "%s", m->joint[i]);
    for (size_t w = 0; w < sizeof words / sizeof *words; w++) {
        char *at = strstr(kind, words[w]);
        size_t n = strlen(words[w]);
        if (!at || (words[w][0] == '_' && n == 2 && at[n] && at[n] != '_')) continue;
        memmove(at, at + n, strlen(at + n) + 1);
        return;
    }
}
