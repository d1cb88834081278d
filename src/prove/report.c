// SPDX-License-Identifier: Apache-2.0
// report.c - one self-contained page and its JSON from a sweep. The page is viewer/report.html
// with the JSON text inside; replay pages are packed into it while there is room.
#include "prove/report.h"
#include "prove/words.h"
#include "rec/embed.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { REPLAY_MAX = 256 << 20 };

qiao_report_def qiao_report_def_default(void) { return (qiao_report_def){.level = 0.95}; }

typedef struct pieces {
    char *s;
    size_t n, cap;
    bool failed;
} pieces;

static void append(pieces *t, const char *s, size_t n) {
    if (t->failed) return;
    if (t->n + n + 1 > t->cap) {
        size_t cap = 2 * (t->n + n) + 4096;
        char *p = realloc(t->s, cap);
        if (!p) {
            t->failed = true;
            return;
        }
        t->s = p, t->cap = cap;
    }
    memcpy(t->s + t->n, s, n);
    t->n += n, t->s[t->n] = 0;
}

static void append_escaped(pieces *t, const char *s) {
    for (; *s; s++) {
        const char *e = *s == '<' ? "&lt;" : *s == '&' ? "&amp;" : *s == '"' ? "&quot;" : NULL;
        append(t, e ? e : s, e ? strlen(e) : 1);
    }
}

// JSON inside a script element: no "<" may stand there as itself.
static void append_json(pieces *t, const char *s) {
    for (size_t n; *s; s += n) {
        n = strcspn(s, "<");
        append(t, s, n);
        if (s[n] == '<') append(t, "\\u003c", 6), n++;
    }
}

// The file deflated and in base64; NULL if it does not fit into room.
static char *pack_file(const char *path, size_t room, bool *io, qiao_diag *d) {
    char *data = NULL, *out = NULL;
    size_t bytes = 0;
    if (qiao_file_read(path, REPLAY_MAX, &data, &bytes, d) != QIAO_OK) {
        *io = true;
        return NULL;
    }
    uLongf n = compressBound(bytes);
    uint8_t *packed = malloc(n);
    if (packed && compress2(packed, &n, (const Bytef *)data, bytes, 6) == Z_OK) {
        size_t cap = sodium_base64_encoded_len(n, sodium_base64_VARIANT_ORIGINAL);
        if (cap <= room) out = malloc(cap);
        if (out) sodium_bin2base64(out, cap, packed, n, sodium_base64_VARIANT_ORIGINAL);
    }
    free(packed), free(data);
    return out;
}

static void append_file(pieces *t, const char *name) {
    const qi_embed *e = qi_embed_get(name);
    append(t, e->begin, (size_t)(e->end - e->begin));
}

static void append_hole(pieces *t, const char *name, const qiao_report_def *def, const char *json,
                        char *const *replay) {
    static const char *const script[] = {"text.js", "report_text.js", "report_draw.js",
                                         "report.js"};
    char line[300];
    if (!strncmp(name, "title", 5)) {
        append_escaped(t, def->scenario ? def->scenario : "");
        append(t, " - ", 3);
        append_escaped(t, def->robot ? def->robot : "");
    } else if (!strncmp(name, "sentence", 8)) {
        qi_say_verdict(def->table, &def->sequence, def->level, false, line, sizeof line);
        append_escaped(t, line);
    } else if (!strncmp(name, "style", 5))
        append_file(t, "viewer.css"), append_file(t, "report.css");
    else if (!strncmp(name, "data", 4))
        append_json(t, json);
    else if (!strncmp(name, "replays", 7)) {
        for (int k = 0; k < def->ncase; k++) {
            if (!replay[k]) continue;
            int n = snprintf(line, sizeof line,
                             "<script id=\"replay-%d\" type=\"application/octet-stream\">", k);
            append(t, line, (size_t)n);
            append(t, replay[k], strlen(replay[k]));
            append(t, "</script>\n", 10);
        }
    } else if (!strncmp(name, "script", 6))
        for (size_t i = 0; i < sizeof script / sizeof *script; i++) append_file(t, script[i]);
}

static void make_page(pieces *t, const qiao_report_def *def, const char *json,
                      char *const *replay) {
    const qi_embed *page = qi_embed_get("report.html");
    for (const char *p = page->begin, *hole; p; p = hole ? strstr(hole, "-->") + 3 : NULL) {
        hole = strstr(p, "<!--@");
        append(t, p, (size_t)((hole ? hole : page->end) - p));
        if (hole) append_hole(t, hole + 5, def, json, replay);
    }
}

static qiao_err write_page(const qiao_report_def *def, const qiao_why *why, const char *path,
                           qiao_diag *d) {
    size_t n = (size_t)def->ncase, room = QI_REPLAY_ROOM;
    char **replay = calloc(n + 1, sizeof *replay);
    bool *embedded = calloc(n + 1, sizeof *embedded), io = false;
    for (size_t k = 0; replay && embedded && k < n && !io; k++) {
        if (!def->cases[k].page) continue;
        replay[k] = pack_file(def->cases[k].page, room, &io, d);
        embedded[k] = replay[k] != NULL;
        if (replay[k]) room -= strlen(replay[k]);
    }
    char *json = replay && embedded && !io ? qi_report_json(def, why, embedded, d) : NULL;
    pieces t = {0};
    qiao_err e = io ? QIAO_E_IO : QIAO_OK;
    if (json) make_page(&t, def, json, replay);
    if (e == QIAO_OK && (!json || t.failed))
        e = qiao_diag_set(d, QIAO_E_MEM, path, 0, 0, "out of memory");
    if (e == QIAO_OK) e = qiao_file_write(path, t.s, t.n, d);
    for (size_t k = 0; replay && k < n; k++) free(replay[k]);
    free(replay), free(embedded), free(json), free(t.s);
    return e;
}

qiao_err qiao_report_write(const qiao_report_def *def, const char *html, const char *json,
                           qiao_diag *d) {
    qiao_why *mine = NULL;
    const qiao_why *why = def->why;
    if (!why) why = mine = qiao_why_new(def->table, def->level, def->seed, d);
    if (!why) return QIAO_E_MEM;
    qiao_err e = QIAO_OK;
    if (json) {
        char *text = qi_report_json(def, why, NULL, d);
        e = text ? qiao_file_write(json, text, strlen(text), d) : QIAO_E_MEM;
        free(text);
    }
    if (html && e == QIAO_OK) e = write_page(def, why, html, d);
    qiao_why_free(mine);
    return e;
}
