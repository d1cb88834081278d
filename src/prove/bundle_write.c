// SPDX-License-Identifier: Apache-2.0
// bundle_write.c - all of a store as one file, the same bytes for the same sweep.
#include "prove/bundle.h"
#include "prove/store.h"
#include "rec/mcap.h"
#include "task/osc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct writer {
    FILE *f;
    const char *path;
    const qiao_table *shape;
    qiao_hash root;
    uint8_t *block; // rows that wait
    size_t n;
    uint64_t nrow, npassed;
    qiao_err e;
    qiao_diag *d;
} writer;

static qiao_err put_section(writer *w, const char *tag, const void *p, size_t n) {
    uint8_t head[4 + 8 + QIAO_HASH_BYTES];
    qi_put64(qi_put(head, tag, 4), n);
    qi_hash(p, n, head + 12);
    qiao_hash_add(&w->root, head, sizeof head);
    if (fwrite(head, 1, sizeof head, w->f) == sizeof head && (!n || fwrite(p, 1, n, w->f) == n))
        return QIAO_OK;
    return w->e = qiao_diag_set(w->d, QIAO_E_IO, w->path, 0, 0, "cannot be written: %s",
                                strerror(errno));
}

static qiao_err put_scenario(writer *w, const qiao_scenario *s) {
    size_t n = 0;
    for (int i = 0; i < s->m.nsrc; i++) n += 8 + strlen(s->m.src[i].path) + s->m.src[i].len;
    uint8_t *mem = malloc(n + 1), *p = mem;
    if (!mem) return w->e = qiao_diag_set(w->d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    for (int i = 0; i < s->m.nsrc; i++) {
        const qi_src *src = &s->m.src[i];
        const char *slash = strrchr(src->path, '/'), *name = slash ? slash + 1 : src->path;
        p = qi_put_text(p, name, strlen(name));
        p = qi_put_text(p, src->text, src->len);
    }
    put_section(w, "SCEN", mem, (size_t)(p - mem));
    free(mem);
    return w->e;
}

static bool put_row(void *ctx, const qiao_row *r, const double *u) {
    writer *w = ctx;
    if (w->n && w->n + qi_pack_max(w->shape) > QI_BUNDLE_BLOCK)
        put_section(w, "ROWS", w->block, w->n), w->n = 0;
    w->n += qi_pack(w->shape, r, u, w->block + w->n);
    w->nrow++, w->npassed += r->passed;
    return !w->e;
}

static qiao_err put_all(writer *w, qiao_store *s, const qiao_scenario *sc, const char *key) {
    if (fwrite(QI_BUNDLE_MAGIC, 1, 8, w->f) != 8)
        return qiao_diag_set(w->d, QIAO_E_IO, w->path, 0, 0, "cannot be written: %s",
                             strerror(errno));
    qiao_hash_init(&w->root), qiao_hash_add(&w->root, QI_BUNDLE_MAGIC, 8);
    if (put_section(w, "HEAD", s->head.text, s->head.n) || put_scenario(w, sc)) return w->e;
    qiao_err e = qiao_store_each(s, 0, UINT64_MAX, put_row, w, w->d);
    if (e || w->e) return e ? e : w->e;
    if (w->n && put_section(w, "ROWS", w->block, w->n)) return w->e;
    uint8_t end[16 + QIAO_HASH_BYTES], sign[QI_SIGN_KEY + QI_SIGN_BYTES];
    qi_put64(qi_put64(end, w->nrow), w->npassed);
    qiao_hash_add(&w->root, end, 16);
    qiao_hash_end(&w->root, end + 16);
    if (put_section(w, "ENDS", end, sizeof end)) return w->e;
    if (!key) return QIAO_OK;
    if ((e = qi_sign(key, end + 16, sign, w->d))) return e;
    return put_section(w, "SIGN", sign, sizeof sign);
}

qiao_err qiao_bundle_write(const char *path, qiao_store *s, const qiao_scenario *scenario,
                           const char *key, qiao_diag *d) {
    qiao_diag own = {0};
    if (!d) d = &own;
    uint8_t digest[QIAO_HASH_BYTES];
    qiao_scenario_digest(scenario, digest);
    if (memcmp(digest, s->head.parts.scenario_hash, sizeof digest) != 0)
        return qiao_diag_set(d, QIAO_E_FIT, s->path, 0, 0, "was run with another scenario");
    char part[4096 + 32];
    if (strlen(path) >= 4096)
        return qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0, "the path is too long: %.100s...", path);
    snprintf(part, sizeof part, "%s.part%d", path, (int)getpid());
    writer w = {.path = path, .shape = &s->head.shape, .d = d};
    w.block = malloc(QI_BUNDLE_BLOCK + qi_pack_max(w.shape));
    w.f = fopen(part, "wb");
    qiao_err e = QIAO_OK;
    if (!w.f)
        e = qiao_diag_set(d, QIAO_E_IO, path, 0, 0, "cannot be written: %s", strerror(errno));
    else if (!w.block)
        e = qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    else
        e = put_all(&w, s, scenario, key);
    // whole or not at all: a reader never sees half a result
    if (w.f) {
        bool ok = fflush(w.f) == 0 && fsync(fileno(w.f)) == 0;
        ok = fclose(w.f) == 0 && ok;
        if (!e && (!ok || rename(part, path) != 0))
            e = qiao_diag_set(d, QIAO_E_IO, path, 0, 0, "cannot be written: %s", strerror(errno));
        if (e) unlink(part);
    }
    free(w.block);
    return e;
}
