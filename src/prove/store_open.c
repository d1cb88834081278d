// SPDX-License-Identifier: Apache-2.0
// store_open.c - the file of a store: its one owner, its tables, and what is refused.
#include "prove/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

// trace, param and measure as bytes: exact; check guards the row (prove/pack.h).
#define SWEEP "CREATE TABLE sweep(id INTEGER PRIMARY KEY CHECK(id = 1), head TEXT NOT NULL)"
#define ROW                                                                                        \
    "CREATE TABLE row(trial INTEGER PRIMARY KEY, passed INTEGER NOT NULL, total REAL, time REAL, " \
    "cause TEXT NOT NULL, reason TEXT NOT NULL, trace BLOB NOT NULL, param BLOB NOT NULL, "        \
    "measure BLOB NOT NULL, place BLOB, sum INTEGER NOT NULL)"
#define CHUNK                                                                                    \
    "CREATE TABLE chunk(first INTEGER PRIMARY KEY, n INTEGER NOT NULL, tries INTEGER NOT NULL, " \
    "seconds REAL NOT NULL, worker TEXT NOT NULL)"
static const char *const tables[] = {SWEEP, ROW, CHUNK};
enum { NTABLE = sizeof tables / sizeof *tables, LOCK_TRIES = 50 };

qiao_err qi_store_lock(qiao_store *s, qiao_diag *d) {
    char path[sizeof s->path + 8], who[200] = "";
    snprintf(path, sizeof path, "%s.lock", s->path);
    s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (s->lock < 0)
        return qiao_diag_set(d, QIAO_E_IO, path, 0, 0, "cannot be made: %s", strerror(errno));
    // an owner that was just killed may have left a child that is about to become a worker
    int tries = 0;
    while (flock(s->lock, LOCK_EX | LOCK_NB) != 0 && tries++ < LOCK_TRIES)
        nanosleep(&(struct timespec){0, 20000000}, NULL);
    if (tries > LOCK_TRIES) {
        ssize_t n = pread(s->lock, who, sizeof who - 1, 0);
        who[n > 0 ? n : 0] = 0;
        for (char *p = who; *p; p++)
            if ((unsigned char)*p < 0x20) *p = ' ';
        close(s->lock), s->lock = -1;
        return qiao_diag_set(d, QIAO_E_LIMIT, s->path, 0, 0,
                             "another process writes it: %sone owner is allowed. Wait for it, or "
                             "end it and run the same command again: it goes on from there",
                             who[0] ? who : "unknown; ");
    }
    char host[80] = "";
    gethostname(host, sizeof host - 1);
    int n = snprintf(who, sizeof who, "process %d on %s; ", (int)getpid(), host);
    if (ftruncate(s->lock, 0) != 0 || pwrite(s->lock, who, (size_t)n, 0) != n)
        who[0] = 0; // a full disk: the lock holds all the same
    return QIAO_OK;
}

qiao_err qi_store_fault(qiao_store *s, const char *doing, qiao_diag *d) {
    int code = sqlite3_errcode(s->db), wide = sqlite3_extended_errcode(s->db);
    const char *what = sqlite3_errmsg(s->db);
    switch (code) {
    case SQLITE_FULL:
        return qiao_diag_set(d, QIAO_E_IO, s->path, 0, 0,
                             "%s: the disk is full; all that was added before is kept. Make room "
                             "and run the same command again",
                             doing);
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
        return qiao_diag_set(d, QIAO_E_IO, s->path, 0, 0,
                             "%s: %s (%d; %s); all that was added before is kept", doing, what,
                             wide, strerror(sqlite3_system_errno(s->db)));
    case SQLITE_NOTADB:
        return qiao_diag_set(d, QIAO_E_FORMAT, s->path, 0, 0,
                             "is no SQLite database; expected results of a sweep, or no file");
    case SQLITE_CORRUPT:
        return qiao_diag_set(d, QIAO_E_FORMAT, s->path, 0, 0,
                             "is damaged (%s: %s); take a copy from before, or move it away and "
                             "run the sweep again: it gives the same rows",
                             doing, what);
    case SQLITE_BUSY:
        return qiao_diag_set(d, QIAO_E_LIMIT, s->path, 0, 0,
                             "%s: another program has it locked; end it and try again", doing);
    case SQLITE_NOMEM: return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    default:
        return qiao_diag_set(d, QIAO_E_FORMAT, s->path, 0, 0, "%s: %s (%d)", doing, what, wide);
    }
}

static qiao_err run(qiao_store *s, const char *sql, qiao_diag *d) {
    if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK) return QIAO_OK;
    return qi_store_fault(s, "opening it", d);
}

// The one number or text of a query, -1 or "" if there is none.
static qiao_err ask(qiao_store *s, const char *sql, long long *number, char *text, size_t cap,
                    qiao_diag *d) {
    sqlite3_stmt *q = NULL;
    if (number) *number = -1;
    if (text) text[0] = 0;
    int rc = sqlite3_prepare_v2(s->db, sql, -1, &q, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_step(q);
    if (rc == SQLITE_ROW) {
        if (number) *number = sqlite3_column_int64(q, 0);
        if (text) snprintf(text, cap, "%s", (const char *)sqlite3_column_text(q, 0));
        rc = SQLITE_DONE;
    }
    qiao_err e = rc == SQLITE_DONE ? QIAO_OK : qi_store_fault(s, "reading it", d);
    sqlite3_finalize(q);
    return e;
}

// Only our own tables, word for word: no trigger, view or column of someone else.
static qiao_err check_tables(qiao_store *s, int *n, qiao_diag *d) {
    sqlite3_stmt *q = NULL;
    int rc =
        sqlite3_prepare_v2(s->db, "SELECT sql FROM sqlite_schema ORDER BY rowid", -1, &q, NULL);
    *n = 0;
    bool ours = true;
    while (rc == SQLITE_OK && ours && (rc = sqlite3_step(q)) == SQLITE_ROW) {
        const char *sql = (const char *)sqlite3_column_text(q, 0);
        ours = sql && *n < NTABLE && strcmp(sql, tables[*n]) == 0;
        ++*n, rc = SQLITE_OK;
    }
    qiao_err e = QIAO_OK;
    if (ours && rc != SQLITE_DONE)
        e = qi_store_fault(s, "reading its tables", d);
    else if (!ours || (*n && *n != NTABLE))
        e = qiao_diag_set(d, QIAO_E_FORMAT, s->path, 0, 0,
                          "is an SQLite database, but not the results of a sweep (its tables are "
                          "others)");
    sqlite3_finalize(q);
    return e;
}

static qiao_err make_tables(qiao_store *s, qiao_diag *d) {
    char sql[100];
    qiao_err e = run(s, "BEGIN IMMEDIATE", d);
    for (int i = 0; i < NTABLE && !e; i++) e = run(s, tables[i], d);
    snprintf(sql, sizeof sql, "PRAGMA application_id=%d; PRAGMA user_version=%d", QI_STORE_APP,
             QI_STORE_VERSION);
    if (!e) e = run(s, sql, d);
    return e; // the transaction goes on until the head is in
}

static qiao_err check_file(qiao_store *s, bool *fresh, qiao_diag *d) {
    long long app, version;
    int n;
    qiao_err e = ask(s, "PRAGMA application_id", &app, NULL, 0, d);
    if (!e) e = ask(s, "PRAGMA user_version", &version, NULL, 0, d);
    if (e) return e;
    if (app == QI_STORE_APP && version > QI_STORE_VERSION)
        return qiao_diag_set(d, QIAO_E_ABI, s->path, 0, 0,
                             "is of version %lld, this program reads version %d; take a newer Qiao",
                             version, QI_STORE_VERSION);
    if ((e = check_tables(s, &n, d))) return e;
    *fresh = n == 0;
    if (*fresh ? app || version : app != QI_STORE_APP || version != QI_STORE_VERSION)
        return qiao_diag_set(d, QIAO_E_FORMAT, s->path, 0, 0,
                             "is an SQLite database of another program (%llx, version %lld)", app,
                             version);
    if (*fresh) return QIAO_OK;
    char said[300];
    if ((e = ask(s, "PRAGMA quick_check(1)", NULL, said, sizeof said, d))) return e;
    if (strcmp(said, "ok") != 0)
        return qiao_diag_set(d, QIAO_E_FORMAT, s->path, 0, 0,
                             "is damaged (%.200s); take a copy from before, or move it away and "
                             "run the sweep again: it gives the same rows",
                             said);
    return QIAO_OK;
}

static qiao_err read_head(qiao_store *s, char **text, size_t *n, qiao_diag *d) {
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(s->db, "SELECT head FROM sweep WHERE id = 1", -1, &q, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_step(q);
    qiao_err e = QIAO_OK;
    if (rc == SQLITE_ROW && sqlite3_column_bytes(q, 0) <= QI_HEAD_MAX) {
        *n = (size_t)sqlite3_column_bytes(q, 0);
        *text = qiao_arena_text(s->arena, (const char *)sqlite3_column_blob(q, 0), *n);
        if (!*text) e = qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    } else if (rc == SQLITE_ROW || rc == SQLITE_DONE)
        e = qiao_diag_set(d, QIAO_E_FORMAT, s->path, 0, 0, "holds no sweep that can be read");
    else
        e = qi_store_fault(s, "reading its head", d);
    sqlite3_finalize(q);
    return e;
}

qiao_err qi_store_connect(qiao_store *s, char **text, size_t *n, qiao_diag *d) {
    bool owner = s->lock >= 0, fresh = false;
    struct stat st;
    *text = NULL, *n = 0;
    int there = stat(s->path, &st) == 0;
    if (there && !S_ISREG(st.st_mode))
        return qiao_diag_set(d, QIAO_E_IO, s->path, 0, 0, "is not a file");
    if (!there && !owner)
        return qiao_diag_set(d, QIAO_E_IO, s->path, 0, 0, "cannot be opened: %s", strerror(errno));
    int flags = SQLITE_OPEN_READWRITE | (owner ? SQLITE_OPEN_CREATE : 0);
    int rc = sqlite3_open_v2(s->path, &s->db, flags, NULL);
    if (rc != SQLITE_OK && !owner) {
        sqlite3_close(s->db);
        rc = sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READONLY, NULL);
    }
    if (!s->db) return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    if (rc != SQLITE_OK) return qi_store_fault(s, "opening it", d);
    // nothing in the file is trusted to run
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    sqlite3_limit(s->db, SQLITE_LIMIT_LENGTH, 4 * QI_HEAD_MAX);
    sqlite3_busy_timeout(s->db, 5000);
    qiao_err e = check_file(s, &fresh, d);
    if (e) return e;
    if (!owner) {
        if (fresh)
            return qiao_diag_set(d, QIAO_E_FORMAT, s->path, 0, 0, "is empty: no sweep is in it");
        if ((e = run(s, "PRAGMA query_only=1", d))) return e;
        return read_head(s, text, n, d);
    }
    if ((e = run(s, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL", d))) return e;
    return fresh ? make_tables(s, d) : read_head(s, text, n, d);
}
