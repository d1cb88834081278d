// SPDX-License-Identifier: Apache-2.0
// store.c - rows of a sweep in SQLite: added whole chunks at a time, read back bit for bit.
#include "prove/store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void qiao_store_free(qiao_store *s) {
    if (!s) return;
    sqlite3_finalize(s->insert), sqlite3_finalize(s->get);
    sqlite3_finalize(s->range), sqlite3_finalize(s->chunk);
    sqlite3_close(s->db);
    if (s->lock >= 0) close(s->lock); // frees the lock; its file stays, for unlinking it would race
    qiao_arena_free(s->arena);
    free(s->pack[0]), free(s->pack[1]), free(s->row), free(s->u);
    free(s);
}

static qiao_err put_head(qiao_store *s, qiao_diag *d) {
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(s->db, "INSERT INTO sweep VALUES(1, ?)", -1, &q, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_bind_text(q, 1, s->head.text, (int)s->head.n, SQLITE_STATIC);
    if (rc == SQLITE_OK) rc = sqlite3_step(q);
    sqlite3_finalize(q);
    if (rc == SQLITE_DONE) rc = sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
    return rc == SQLITE_OK ? QIAO_OK : qi_store_fault(s, "making it", d);
}

// The sweep that asks is the one that is in the file.
static qiao_err check_same(qiao_store *s, const qi_head *mine, qiao_diag *d) {
    char why[700];
    if (mine->n == s->head.n && memcmp(mine->text, s->head.text, mine->n) == 0) return QIAO_OK;
    qi_parts_differ(&s->head.parts, &mine->parts, true, why, sizeof why);
    if (!why[0])
        snprintf(why, sizeof why, "%s",
                 qi_shape_same(&s->head.shape, &mine->shape)
                     ? "a part is called by another name"
                     : "the parameters or measures have other names, units or ranges");
    return qiao_diag_set(d, QIAO_E_FIT, s->path, 0, 0,
                         "holds another sweep: %s. Go on with the parts it was begun with, or "
                         "give another file",
                         why);
}

static qiao_err prepare(qiao_store *s, qiao_diag *d) {
    size_t room = qi_pack_max(&s->head.shape), np = (size_t)s->head.shape.nparam;
    s->pack[0] = malloc(room), s->pack[1] = malloc(room);
    s->row = qi_rows_new(&s->head.shape, 2), s->u = malloc((np + 1) * sizeof *s->u);
    if (!s->pack[0] || !s->pack[1] || !s->row || !s->u)
        return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
#define ROW "trial, passed, total, time, cause, reason, trace, param, measure, place, sum"
    const struct {
        sqlite3_stmt **q;
        const char *sql;
    } all[] = {
        {&s->insert,
         "INSERT INTO row(" ROW ") VALUES(?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING"},
        {&s->get, "SELECT " ROW " FROM row WHERE trial = ?"},
        {&s->range, "SELECT " ROW " FROM row WHERE trial >= ? AND trial < ? ORDER BY trial"},
        {&s->chunk, "INSERT OR REPLACE INTO chunk VALUES(?,?,?,?,?)"},
    };
#undef ROW
    for (int i = 0; i < 4; i++)
        if (sqlite3_prepare_v3(s->db, all[i].sql, -1, SQLITE_PREPARE_PERSISTENT, all[i].q, NULL))
            return qi_store_fault(s, "opening it", d);
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(s->db, "SELECT count(*) FROM row", -1, &q, NULL);
    if (rc == SQLITE_OK && (rc = sqlite3_step(q)) == SQLITE_ROW)
        s->count = (uint64_t)sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return rc == SQLITE_ROW ? QIAO_OK : qi_store_fault(s, "counting its rows", d);
}

static qiao_err open_all(qiao_store *s, const qiao_sweep_def *def, const qiao_table *shape,
                         qiao_diag *d) {
    qi_head mine = {0};
    qiao_err e = QIAO_OK;
    if (def) {
        qiao_parts p;
        if ((e = qiao_parts_get(def, &p, d))) return e;
        if ((e = qi_head_make(&p, shape, s->arena, &mine, d))) return e;
        if ((e = qi_store_lock(s, d))) return e;
    }
    char *text;
    size_t n;
    if ((e = qi_store_connect(s, &text, &n, d))) return e;
    if (text) {
        if ((e = qi_head_read(s->path, text, n, s->arena, &s->head, d))) return e;
        if (def && (e = check_same(s, &mine, d))) return e;
    } else {
        s->head = mine;
        if ((e = put_head(s, d))) return e;
    }
    return prepare(s, d);
}

qiao_store *qiao_store_open(const char *path, const qiao_sweep_def *def, const qiao_table *shape,
                            qiao_diag *d) {
    qiao_diag own = {0};
    if (!d) d = &own;
    qiao_store *s = calloc(1, sizeof *s);
    if (s) s->lock = -1, s->arena = qiao_arena_new();
    if (!s || !s->arena) {
        qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
        free(s);
        return NULL;
    }
    qiao_err e = QIAO_OK;
    if (strlen(path) >= sizeof s->path - 16)
        e = qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0, "the path is too long: %.100s...", path);
    else {
        snprintf(s->path, sizeof s->path, "%s", path);
        e = open_all(s, def, shape, d);
    }
    if (!e) return s;
    qiao_store_free(s);
    return NULL;
}

const qiao_parts *qiao_store_parts(const qiao_store *s) { return &s->head.parts; }
const qiao_table *qiao_store_shape(const qiao_store *s) { return &s->head.shape; }
uint64_t qiao_store_count(const qiao_store *s) { return s->count; }

// ---- one row in and out ----

static uint64_t check_of(const uint8_t *pack, size_t n) {
    uint64_t x;
    memcpy(&x, pack + n - 8, 8);
    return x;
}

// A column's bytes, exactly n of them; false: it has others.
static bool column(sqlite3_stmt *q, int k, void *out, size_t n) {
    if (sqlite3_column_type(q, k) != SQLITE_BLOB) return n == 0;
    if ((size_t)sqlite3_column_bytes(q, k) != n) return false;
    if (n) memcpy(out, sqlite3_column_blob(q, k), n);
    return true;
}
static bool column_text(sqlite3_stmt *q, int k, char *out, size_t cap) {
    const char *s = (const char *)sqlite3_column_text(q, k);
    size_t n = (size_t)sqlite3_column_bytes(q, k);
    memset(out, 0, cap);
    if (!s || n >= cap) return false;
    memcpy(out, s, n);
    return true;
}
static double column_real(sqlite3_stmt *q, int k) {
    return sqlite3_column_type(q, k) == SQLITE_NULL ? NAN : sqlite3_column_double(q, k);
}

// The row that q stands on; the check over all of it must fit.
static qiao_err read_row(qiao_store *s, sqlite3_stmt *q, qiao_row *r, double **u, qiao_diag *d) {
    const qiao_table *t = &s->head.shape;
    size_t np = (size_t)t->nparam * sizeof(double), nm = (size_t)t->nmeasure * sizeof(double);
    r->trial = (uint64_t)sqlite3_column_int64(q, 0), r->passed = sqlite3_column_int(q, 1) != 0;
    r->total = column_real(q, 2), r->time = column_real(q, 3);
    *u = sqlite3_column_type(q, 9) == SQLITE_NULL ? NULL : s->u;
    bool ok = column_text(q, 4, r->cause, sizeof r->cause) &&
              column_text(q, 5, r->reason, sizeof r->reason) &&
              column(q, 6, r->trace, QIAO_HASH_BYTES) && column(q, 7, r->param, np) &&
              column(q, 8, r->measure, nm) && (!*u || column(q, 9, s->u, np));
    if (ok) {
        size_t n = qi_pack(t, r, *u, s->pack[1]);
        ok = check_of(s->pack[1], n) == (uint64_t)sqlite3_column_int64(q, 10);
    }
    if (ok) return QIAO_OK;
    return qiao_diag_set(d, QIAO_E_FORMAT, s->path, 0, 0,
                         "the row of trial %llu is damaged: its check does not fit",
                         (unsigned long long)r->trial);
}

// A trial that is there: it must be the same.
static qiao_err check_there(qiao_store *s, const qiao_row *row, size_t n, qiao_diag *d) {
    sqlite3_reset(s->get);
    sqlite3_bind_int64(s->get, 1, (sqlite3_int64)row->trial);
    if (sqlite3_step(s->get) != SQLITE_ROW) return qi_store_fault(s, "reading a row", d);
    double *u;
    qiao_err e = read_row(s, s->get, &s->row[1], &u, d);
    if (!e && memcmp(s->pack[0], s->pack[1], n) != 0) {
        char why[400];
        qi_row_differ(&s->head.shape, &s->row[1], row, why, sizeof why);
        e = qiao_diag_set(d, QIAO_E_FIT, s->path, 0, 0,
                          "trial %llu is there with other bits: %s. Two runs of one trial must be "
                          "equal: a brain is not deterministic, or a machine is broken",
                          (unsigned long long)row->trial, why[0] ? why : "other places");
    }
    sqlite3_reset(s->get);
    return e;
}

static qiao_err add_row(qiao_store *s, const qiao_row *r, const double *u, uint64_t *added,
                        qiao_diag *d) {
    const qiao_table *t = &s->head.shape;
    if (r->trial > INT64_MAX)
        return qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0, "trial numbers end at 2^63");
    size_t n = qi_pack(t, r, u, s->pack[0]);
    // params and measures as they stand in the pack: each NaN is the same NaN
    int np = 8 * t->nparam, nm = 8 * t->nmeasure, nu = u ? np : 0;
    const uint8_t *at = s->pack[0] + n - 8 - nu - nm - np;
    sqlite3_stmt *q = s->insert;
    sqlite3_reset(q);
    sqlite3_bind_int64(q, 1, (sqlite3_int64)r->trial), sqlite3_bind_int(q, 2, r->passed);
    sqlite3_bind_double(q, 3, r->total), sqlite3_bind_double(q, 4, r->time); // NaN becomes NULL
    sqlite3_bind_text(q, 5, r->cause, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 6, r->reason, -1, SQLITE_STATIC);
    sqlite3_bind_blob(q, 7, r->trace, QIAO_HASH_BYTES, SQLITE_STATIC);
    sqlite3_bind_blob(q, 8, at, np, SQLITE_STATIC);
    sqlite3_bind_blob(q, 9, at + np, nm, SQLITE_STATIC);
    if (u)
        sqlite3_bind_blob(q, 10, at + np + nm, nu, SQLITE_STATIC);
    else
        sqlite3_bind_null(q, 10);
    sqlite3_bind_int64(q, 11, (sqlite3_int64)check_of(s->pack[0], n));
    int rc = sqlite3_step(q);
    sqlite3_reset(q);
    if (rc != SQLITE_DONE) return qi_store_fault(s, "adding rows", d);
    if (sqlite3_changes(s->db) == 0) return check_there(s, r, n, d);
    ++*added;
    return QIAO_OK;
}

static qiao_err put_chunk(qiao_store *s, const qi_chunk *c, qiao_diag *d) {
    sqlite3_stmt *q = s->chunk;
    sqlite3_reset(q);
    sqlite3_bind_int64(q, 1, (sqlite3_int64)c->first), sqlite3_bind_int(q, 2, c->n);
    sqlite3_bind_int(q, 3, c->tries), sqlite3_bind_double(q, 4, c->seconds);
    sqlite3_bind_text(q, 5, c->worker, -1, SQLITE_STATIC);
    int rc = sqlite3_step(q);
    sqlite3_reset(q);
    return rc == SQLITE_DONE ? QIAO_OK : qi_store_fault(s, "noting a chunk", d);
}

// All or nothing of chunks and rows, and on the disk.
static qiao_err commit(qiao_store *s, int nchunk, const qi_chunk *chunk, int n, const qiao_row *row,
                       const double *u, qiao_diag *d) {
    qiao_diag own = {0};
    if (!d) d = &own;
    uint64_t added = 0;
    qiao_err e = QIAO_OK;
    if (sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        return qi_store_fault(s, "adding rows", d);
    for (int i = 0; i < n && !e; i++)
        e = add_row(s, &row[i], u ? u + (size_t)i * (size_t)s->head.shape.nparam : NULL, &added, d);
    for (int i = 0; i < nchunk && !e; i++) e = put_chunk(s, &chunk[i], d);
    if (!e && sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        e = qi_store_fault(s, "adding rows", d);
    if (e && !sqlite3_get_autocommit(s->db)) sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    if (!e) s->count += added;
    return e;
}

qiao_err qiao_store_add(qiao_store *s, int n, const qiao_row *row, const double *u, qiao_diag *d) {
    return commit(s, 0, NULL, n, row, u, d);
}
qiao_err qi_store_chunks(qiao_store *s, int n, const qi_chunk *chunk, qiao_diag *d) {
    return commit(s, n, chunk, 0, NULL, NULL, d);
}
qiao_err qi_store_add_chunk(qiao_store *s, const qi_chunk *chunk, int n, const qiao_row *row,
                            qiao_diag *d) {
    return commit(s, 1, chunk, n, row, NULL, d);
}

// ---- what is there, what is not ----

static sqlite3_int64 bound(uint64_t x) { return x > INT64_MAX ? INT64_MAX : (sqlite3_int64)x; }

qiao_err qiao_store_each(qiao_store *s, uint64_t from, uint64_t below, qiao_store_fn fn, void *ctx,
                         qiao_diag *d) {
    qiao_diag own = {0};
    if (!d) d = &own;
    sqlite3_reset(s->range);
    sqlite3_bind_int64(s->range, 1, bound(from)), sqlite3_bind_int64(s->range, 2, bound(below));
    qiao_err e = QIAO_OK;
    int rc = SQLITE_ROW;
    while (!e && (rc = sqlite3_step(s->range)) == SQLITE_ROW) {
        double *u;
        e = read_row(s, s->range, s->row, &u, d);
        if (!e && !fn(ctx, s->row, u)) break;
    }
    if (!e && rc != SQLITE_ROW && rc != SQLITE_DONE) e = qi_store_fault(s, "reading its rows", d);
    sqlite3_reset(s->range);
    return e;
}

int qiao_store_todo(qiao_store *s, uint64_t from, uint64_t below, int cap, uint64_t *trial) {
    sqlite3_stmt *q = NULL;
    const char *sql = "SELECT trial FROM row WHERE trial >= ? AND trial < ? ORDER BY trial";
    bool known = from <= s->dense; // rows never go: what was without holes stays so
    if (known) from = s->dense;
    uint64_t next = from;
    int n = 0;
    if (cap < 1 || from >= below) return 0;
    if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) == SQLITE_OK) {
        sqlite3_bind_int64(q, 1, bound(from)), sqlite3_bind_int64(q, 2, bound(below));
        while (n < cap && sqlite3_step(q) == SQLITE_ROW) {
            uint64_t there = (uint64_t)sqlite3_column_int64(q, 0);
            while (next < there && n < cap) trial[n++] = next++;
            if (n < cap) next = there + 1;
        }
    }
    sqlite3_finalize(q);
    while (next < below && n < cap) trial[n++] = next++;
    if (known) s->dense = n ? trial[0] : below;
    return n;
}
