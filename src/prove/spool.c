// SPDX-License-Identifier: Apache-2.0
// spool.c - names and files of the shared folder.
#include "prove/spool.h"
#include "base/json.h"
#include "brain/jsonread.h"
#include "rec/mcap.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHUNK_MAGIC "QIAOCHK1"
enum { CHUNK_HEAD = 8 + QIAO_HASH_BYTES + 8 + 4 + 8 };

double qi_spool_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

const char *qi_spool_path(const char *dir, const char *sub, const char *name,
                          char path[QI_SPOOL_FULL]) {
    snprintf(path, QI_SPOOL_FULL, "%.*s/%s%s%s", QI_SPOOL_PATH - 1, dir, sub, name ? "/" : "",
             name ? name : "");
    return path;
}

// ---- names ----

void qi_slot_name(const qi_slot *s, char name[QI_SPOOL_NAME]) {
    snprintf(name, QI_SPOOL_NAME, "%019llu-%05d%s%s", (unsigned long long)s->first, s->n,
             s->worker[0] ? "." : "", s->worker);
}

static bool digits(const char *p, int n, uint64_t *x) {
    *x = 0;
    for (int i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9') return false;
        *x = *x * 10 + (uint64_t)(p[i] - '0');
    }
    return true;
}

bool qi_slot_parse(const char *name, qi_slot *s) {
    uint64_t n;
    size_t len = strlen(name);
    *s = (qi_slot){0};
    if (len < 25 || len >= QI_SPOOL_NAME || name[19] != '-') return false;
    if (!digits(name, 19, &s->first) || !digits(name + 20, 5, &n)) return false;
    if (n < 1 || n > QI_CHUNK_MAX || s->first > INT64_MAX - n) return false;
    s->n = (int)n;
    if (!name[25]) return true;
    if (name[25] != '.' || !name[26] || len - 26 >= QI_WORKER_MAX) return false;
    memcpy(s->worker, name + 26, len - 26);
    return true;
}

static int by_first(const void *a, const void *b) {
    const qi_slot *x = a, *y = b;
    if (x->first != y->first) return x->first < y->first ? -1 : 1;
    return strcmp(x->worker, y->worker);
}

int qi_slot_list(const char *dir, const char *sub, qi_slot *slot, int cap) {
    char path[QI_SPOOL_FULL];
    DIR *f = opendir(qi_spool_path(dir, sub, NULL, path));
    int n = 0;
    for (struct dirent *e; f && n < cap && (e = readdir(f));)
        if (qi_slot_parse(e->d_name, &slot[n])) n++;
    if (f) closedir(f);
    qsort(slot, (size_t)n, sizeof *slot, by_first);
    return n;
}

// ---- rows ----

size_t qi_chunk_max(const qi_head *h, int n) {
    return CHUNK_HEAD + (size_t)n * qi_pack_max(&h->shape) + QIAO_HASH_BYTES;
}

uint8_t *qi_chunk_pack(const qi_head *h, const qi_slot *s, double seconds, const qiao_row *row,
                       size_t *bytes) {
    uint8_t *mem = malloc(qi_chunk_max(h, s->n)), *p = mem;
    if (!mem) return NULL;
    p = qi_put(qi_put(p, CHUNK_MAGIC, 8), h->hash, QIAO_HASH_BYTES);
    p = qi_put32(qi_put64(p, s->first), (uint32_t)s->n);
    p = qi_put(p, &seconds, 8);
    for (int i = 0; i < s->n; i++) p += qi_pack(&h->shape, &row[i], NULL, p);
    qi_hash(mem, (size_t)(p - mem), p);
    *bytes = (size_t)(p - mem) + QIAO_HASH_BYTES;
    return mem;
}

qiao_err qi_chunk_unpack(const char *file, const qi_head *h, const qi_slot *s, const uint8_t *p,
                         size_t bytes, qiao_row *row, double *seconds, qiao_diag *d) {
    uint8_t hash[QIAO_HASH_BYTES];
    uint64_t first;
    uint32_t n;
    if (bytes < CHUNK_HEAD + QIAO_HASH_BYTES || memcmp(p, CHUNK_MAGIC, 8) != 0)
        return qiao_diag_set(d, QIAO_E_FORMAT, file, 0, 0, "is no chunk of rows");
    size_t end = bytes - QIAO_HASH_BYTES, at = CHUNK_HEAD;
    qi_hash(p, end, hash);
    if (memcmp(hash, p + end, sizeof hash) != 0)
        return qiao_diag_set(d, QIAO_E_FORMAT, file, 0, 0, "is not whole: its hash does not fit");
    if (memcmp(p + 8, h->hash, QIAO_HASH_BYTES) != 0)
        return qiao_diag_set(d, QIAO_E_FORMAT, file, 0, 0, "is of another sweep");
    memcpy(&first, p + 40, 8), memcpy(&n, p + 48, 4), memcpy(seconds, p + 52, 8);
    if (first != s->first || n != (uint32_t)s->n)
        return qiao_diag_set(d, QIAO_E_FORMAT, file, 0, 0,
                             "is of another chunk than its name says");
    double *u = malloc(((size_t)h->shape.nparam + 1) * sizeof *u);
    if (!u) return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    const char *why = NULL;
    for (int i = 0; i < s->n && !why; i++) {
        bool given = false;
        size_t len = qi_unpack(&h->shape, p + at, end - at, &row[i], u, &given, &why);
        if (!why && (given || row[i].trial != first + (uint64_t)i)) why = "it is of another trial";
        at += len;
    }
    free(u);
    if (!why && at != end) why = "more follows than the rows";
    if (!(*seconds >= 0 && *seconds < 1e9)) *seconds = 0;
    return why ? qiao_diag_set(d, QIAO_E_FORMAT, file, 0, 0, "has a row that is damaged: %s", why)
               : QIAO_OK;
}

// ---- how the parts are found ----

qiao_err qi_job_write(const char *dir, const qi_job *o, qiao_diag *d) {
    char path[QI_SPOOL_FULL];
    qi_json j = {0};
    qi_json_open(&j, NULL, '{');
    qi_json_str(&j, "scenario", o->scenario), qi_json_str(&j, "robot", o->robot);
    qi_json_str(&j, "brain", o->brain), qi_json_str(&j, "home", o->home);
    qi_json_int(&j, "threads", o->nthread), qi_json_int(&j, "deadline_ms", o->deadline_ms);
    qi_json_int(&j, "start_ms", o->start_ms), qi_json_int(&j, "memory_mb", o->memory_mb);
    qi_json_bool(&j, "isolate", o->isolate), qi_json_bool(&j, "trust", o->trust);
    qi_json_num(&j, "lease_s", o->lease_s);
    qi_json_close(&j, '}');
    char *text = qi_json_end(&j);
    if (!text) return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    qiao_err e = qiao_file_write(qi_spool_path(dir, "job.json", NULL, path), text, strlen(text), d);
    free(text);
    return e;
}

qiao_err qi_job_read(const char *dir, qiao_arena *a, qi_job *j, qiao_diag *d) {
    char path[QI_SPOOL_FULL], *text;
    size_t n;
    qiao_diag why = {0};
    qiao_err e =
        qiao_file_read(qi_spool_path(dir, "job.json", NULL, path), QI_HEAD_MAX, &text, &n, d);
    if (e) return e;
    const qi_js *top = qi_js_read(a, text, n, &why);
    free(text);
    if (!top) return qiao_diag_set(d, QIAO_E_FORMAT, path, 0, 0, "%s", why.text);
    j->scenario = qi_js_str(top, "scenario", NULL), j->robot = qi_js_str(top, "robot", NULL);
    j->brain = qi_js_str(top, "brain", NULL), j->home = qi_js_str(top, "home", NULL);
    double threads = qi_js_num(top, "threads", -1), lease = qi_js_num(top, "lease_s", -1);
    double deadline = qi_js_num(top, "deadline_ms", -1), start = qi_js_num(top, "start_ms", -1);
    double memory = qi_js_num(top, "memory_mb", -2);
    bool ok = j->scenario && j->robot && j->brain && j->home && threads >= 0 && threads <= 1024 &&
              lease > 0 && lease < 1e6 && deadline >= 0 && deadline <= 1e7 && start >= 0 &&
              start <= 1e7 && memory >= -1 && memory <= 1e7;
    if (!ok)
        return qiao_diag_set(
            d, QIAO_E_FORMAT, path, 0, 0,
            "is no job of a sweep: expected scenario, robot, brain, home, threads, "
            "lease_s");
    j->nthread = (int)threads, j->lease_s = lease, j->deadline_ms = (int)deadline;
    j->start_ms = (int)start, j->memory_mb = (int)memory;
    j->isolate = qi_js_num(top, "isolate", 0) != 0, j->trust = qi_js_num(top, "trust", 0) != 0;
    return QIAO_OK;
}
