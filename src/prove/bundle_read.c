// SPDX-License-Identifier: Apache-2.0
// bundle_read.c - walks over a bundle that anyone may have made: every length is bounded before it
// is used, every fault is told with its place.
#include "prove/bundle.h"
#include "rec/mcap.h"

#include <stdlib.h>
#include <string.h>

qiao_err qi_bundle_begin(qi_bundle *b, FILE *f, const char *name, qiao_diag *d) {
    char magic[8];
    *b = (qi_bundle){.f = f, .name = name, .at = 8};
    rewind(f);
    if (fread(magic, 1, 8, f) != 8 || memcmp(magic, QI_BUNDLE_MAGIC, 8) != 0)
        return qiao_diag_set(d, QIAO_E_FORMAT, name, 0, 0,
                             "is no result of Qiao: its first bytes are not " QI_BUNDLE_MAGIC);
    qiao_hash_init(&b->root), qiao_hash_add(&b->root, magic, 8);
    return QIAO_OK;
}
void qi_bundle_end(qi_bundle *b) { free(b->s.p), b->s.p = NULL; }

static bool known(const char *tag) {
    static const char all[][5] = {"HEAD", "SCEN", "ROWS", "ENDS", "SIGN"};
    for (int i = 0; i < 5; i++)
        if (memcmp(tag, all[i], 4) == 0) return true;
    return false;
}

int qi_bundle_next(qi_bundle *b, qiao_diag *d) {
    uint8_t head[4 + 8 + QIAO_HASH_BYTES], hash[QIAO_HASH_BYTES];
    uint64_t n;
    qi_section *s = &b->s;
    size_t got = fread(head, 1, sizeof head, b->f);
    if (got == 0) return 1;
    s->at = b->at;
    memcpy(&n, head + 4, 8);
    if (got != sizeof head || !known((const char *)head) || n > QI_BUNDLE_MAX) {
        qiao_diag_set(
            d, QIAO_E_FORMAT, NULL, 0, 0,
            "at byte %llu: no section begins here (its name or length was changed, or the "
            "one before)",
            (unsigned long long)s->at);
        return 2;
    }
    memcpy(s->tag, head, 4), s->tag[4] = 0;
    memcpy(s->hash, head + 12, QIAO_HASH_BYTES);
    s->n = (size_t)n;
    // memory grows with what is there, not with what a length promises
    size_t have = 0;
    while (have < s->n) {
        size_t want = s->n - have < 1 << 20 ? s->n - have : 1 << 20;
        if (have + want > b->cap) {
            size_t cap = 2 * (have + want);
            uint8_t *p = realloc(s->p, cap);
            if (!p) return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory"), 2;
            s->p = p, b->cap = cap;
        }
        got = fread(s->p + have, 1, want, b->f);
        have += got;
        if (got == want) continue;
        qiao_diag_set(d, QIAO_E_FORMAT, NULL, 0, 0,
                      "section %s at byte %llu: the file ends %zu bytes too early", s->tag,
                      (unsigned long long)s->at, s->n - have);
        return 2;
    }
    b->at += sizeof head + s->n;
    qi_hash(s->p, s->n, hash);
    s->whole = memcmp(hash, s->hash, sizeof hash) == 0;
    if (memcmp(s->tag, "ENDS", 4) != 0 && memcmp(s->tag, "SIGN", 4) != 0)
        qiao_hash_add(&b->root, head, sizeof head);
    return 0;
}

// ---- the walk ----

__attribute__((format(printf, 2, 3))) static void fault(qi_walk *w, const char *fmt, ...) {
    int most = sizeof w->fault / sizeof *w->fault;
    if (w->nfault < most) {
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(w->fault[w->nfault], sizeof *w->fault, fmt, ap);
        va_end(ap);
    }
    w->nfault++;
}

static void note_bad(qi_walk *w, uint64_t place) {
    if (w->nbad < (int)(sizeof w->bad / sizeof *w->bad)) w->bad[w->nbad++] = place;
}

typedef struct rows { // scratch for rows, and where the walk is
    qiao_row *row;
    double *u;
    uint64_t last; // trial before
    bool any;
} rows;

static void walk_rows(qi_walk *w, const qi_section *s, rows *r) {
    size_t at = 0;
    int bad = 0;
    while (at < s->n) {
        const char *why;
        bool given;
        uint64_t place = w->nrow++;
        size_t n = qi_unpack(&w->head.shape, s->p + at, s->n - at, r->row, r->u, &given, &why);
        if (!why && r->any && r->row->trial <= r->last)
            why = "its number is not after the one before";
        if (!n) {
            fault(w,
                  "section ROWS at byte %llu, row %llu (after trial %llu): %s; what follows in "
                  "this section cannot be read",
                  (unsigned long long)s->at, (unsigned long long)place, (unsigned long long)r->last,
                  why);
            return;
        }
        if (why) {
            fault(w, "section ROWS at byte %llu, row %llu, trial %llu: %s",
                  (unsigned long long)s->at, (unsigned long long)place,
                  (unsigned long long)r->row->trial, why);
            note_bad(w, place), bad++;
        } else
            r->last = r->row->trial, r->any = true;
        w->npassed += r->row->passed;
        at += n;
    }
    if (!s->whole && !bad)
        fault(w, "section ROWS at byte %llu: its hash was changed; its rows are whole",
              (unsigned long long)s->at);
}

static void walk_head(qi_walk *w, const qi_section *s, const char *name) {
    qiao_diag why = {0};
    char *text = qiao_arena_text(w->arena, (const char *)s->p, s->n);
    if (!s->whole) fault(w, "section HEAD: its bytes or its hash were changed");
    if (text && qi_head_read(name, text, s->n, w->arena, &w->head, &why) == QIAO_OK)
        w->has_head = true;
    else
        fault(w, "section HEAD: %s", why.text);
}

static bool text_at(const qi_section *s, size_t *at, const char **text, size_t *n) {
    uint32_t len;
    if (s->n - *at < 4) return false;
    memcpy(&len, s->p + *at, 4), *at += 4;
    if (len > s->n - *at) return false;
    *text = (const char *)s->p + *at, *n = len, *at += len;
    return true;
}
static void walk_scenario(qi_walk *w, const qi_section *s) {
    size_t at = 0, n;
    const char *text;
    if (!s->whole) fault(w, "section SCEN: the scenario's text or its hash was changed");
    for (int i = 0; at < s->n; i++) {
        if (!text_at(s, &at, &text, &n) || !text_at(s, &at, &text, &n)) {
            fault(w, "section SCEN: its lengths make no sense");
            return;
        }
        if (i == 0) w->scenario = qiao_arena_text(w->arena, text, n), w->scenario_n = n;
    }
}

static void walk_end(qi_walk *w, qi_bundle *b) {
    const qi_section *s = &b->s;
    uint64_t count[2] = {0, 0};
    uint8_t counts[16], root[QIAO_HASH_BYTES] = {0};
    if (s->n == sizeof counts + sizeof root) {
        memcpy(count, s->p, 16), memcpy(root, s->p + 16, sizeof root);
    } else
        fault(w, "section ENDS: it has %zu bytes, expected 48", s->n);
    if (!s->whole) fault(w, "section ENDS: its bytes or its hash were changed");
    if (count[0] != w->nrow)
        fault(w, "section ENDS: it counts %llu rows, %llu are there", (unsigned long long)count[0],
              (unsigned long long)w->nrow);
    if (count[1] != w->npassed)
        fault(w, "section ENDS: it counts %llu passed trials, %llu are there",
              (unsigned long long)count[1], (unsigned long long)w->npassed);
    // the root is of what is there, not of what it says
    qi_put64(qi_put64(counts, w->nrow), w->npassed);
    qiao_hash_add(&b->root, counts, sizeof counts);
    qiao_hash_end(&b->root, w->root);
    if (memcmp(root, w->root, sizeof root) != 0)
        fault(w, "section ENDS: the hash of the whole is not that of the sections");
}

static void walk_sign(qi_walk *w, const qi_section *s) {
    w->is_signed = true;
    if (!s->whole) fault(w, "section SIGN: its bytes or its hash were changed");
    if (s->n != QI_SIGN_KEY + QI_SIGN_BYTES) {
        fault(w, "section SIGN: it has %zu bytes, expected %d", s->n, QI_SIGN_KEY + QI_SIGN_BYTES);
        return;
    }
    memcpy(w->key, s->p, QI_SIGN_KEY);
    w->sign_good = qi_sign_check(s->p, w->root);
    if (!w->sign_good)
        fault(w, "section SIGN: the signature is not one of this result by the key it names");
}

// Sections stand in their order: HEAD SCEN ROWS* ENDS SIGN?
static int rank_of(const char *tag) {
    const char *all = "HEADSCENROWSENDSSIGN";
    return (int)((strstr(all, tag) - all) / 4);
}

static qiao_err walk(qi_walk *w, qi_bundle *b, rows *r) {
    qiao_diag why = {0};
    int rank = -1, how;
    while ((how = qi_bundle_next(b, &why)) == 0) {
        const qi_section *s = &b->s;
        int now = rank_of(s->tag);
        if (now > rank + 1 + (rank == 1) || (now <= rank && !(now == 2 && rank == 2))) {
            fault(w, "section %s at byte %llu: not in its place", s->tag,
                  (unsigned long long)s->at);
            return QIAO_OK;
        }
        rank = now;
        if (now == 0) walk_head(w, s, b->name);
        if (!w->has_head) return QIAO_OK; // without names nothing after it means anything
        if (now == 0) {
            r->row = qi_rows_new(&w->head.shape, 1);
            r->u = calloc((size_t)w->head.shape.nparam + 1, sizeof *r->u);
            if (!r->row || !r->u) return QIAO_E_MEM;
        }
        if (now == 1) walk_scenario(w, s);
        if (now == 2) walk_rows(w, s, r);
        if (now == 3) walk_end(w, b);
        if (now == 4) walk_sign(w, s);
    }
    if (how == 2) fault(w, "%s", why.text);
    if (why.err == QIAO_E_MEM) return QIAO_E_MEM;
    if (how == 1 && rank < 3) fault(w, "the file ends too early: no section ENDS");
    return QIAO_OK;
}

qiao_err qi_bundle_walk(FILE *f, const char *name, qi_walk *w, qiao_diag *d) {
    qi_bundle b;
    rows r = {0};
    *w = (qi_walk){0};
    qiao_err e = qi_bundle_begin(&b, f, name, d);
    if (e) return e;
    w->arena = qiao_arena_new();
    e = w->arena ? walk(w, &b, &r) : QIAO_E_MEM;
    free(r.row), free(r.u);
    qi_bundle_end(&b);
    return e ? qiao_diag_set(d, e, NULL, 0, 0, "out of memory") : QIAO_OK;
}
void qi_walk_free(qi_walk *w) { qiao_arena_free(w->arena), w->arena = NULL; }

qiao_err qi_bundle_rows(FILE *f, const char *name, const qiao_table *shape, qi_row_fn fn, void *ctx,
                        qiao_diag *d) {
    qi_bundle b;
    qiao_err e = qi_bundle_begin(&b, f, name, d);
    if (e) return e;
    qiao_row *row = qi_rows_new(shape, 1);
    double *u = calloc((size_t)shape->nparam + 1, sizeof *u);
    qiao_diag why = {0};
    uint64_t place = 0;
    bool on = row && u;
    if (!on) e = qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    while (on && qi_bundle_next(&b, &why) == 0) {
        if (memcmp(b.s.tag, "ROWS", 4) != 0) continue;
        for (size_t at = 0, n; on && at < b.s.n; at += n) {
            const char *broken;
            bool given;
            n = qi_unpack(shape, b.s.p + at, b.s.n - at, row, u, &given, &broken);
            if (!n) {
                place++;
                break;
            }
            on = fn(ctx, place++, row, given ? u : NULL);
        }
    }
    free(row), free(u);
    qi_bundle_end(&b);
    return e;
}
