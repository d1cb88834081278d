// SPDX-License-Identifier: Apache-2.0
// mcap_write.c - writes an MCAP file.
#define ZSTD_STATIC_LINKING_ONLY // a context in our own memory: compressing never allocates
#include "rec/mcap_write.h"
#include "rec/mcap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { MESSAGES_MAX = 8192, ZSTD_LEVEL = 1, MESSAGE_HEAD = QI_MCAP_HEAD_BYTES + 22 };

typedef struct text_buf { // records kept for the summary
    uint8_t *p;
    size_t n, cap;
} text_buf;

typedef struct entry { // a message of the open chunk
    uint64_t t_ns, offset;
    uint16_t channel;
} entry;

typedef struct chunk_note { // a chunk that is written
    uint64_t t0, t1, at, bytes, index_bytes, packed, plain;
} chunk_note;

struct qi_mcap_out {
    char *path;
    int fd, error; // errno of the first fault; -1: a limit
    uint64_t at;   // bytes written
    uint32_t crc;  // of all bytes so far
    uint8_t *chunk;
    size_t chunk_n;
    entry *entry; // [MESSAGES_MAX]
    int nentry;
    uint8_t *packed; // a whole chunk record
    size_t packed_cap;
    uint8_t *index; // message index records
    ZSTD_CCtx *zstd;
    void *zstd_mem;
    int nschema, nchannel, channels_max;
    uint32_t *sequence;     // [channels_max + 1]
    uint64_t *count;        // [channels_max + 1]
    uint32_t *chunk_count;  // [channels_max + 1] messages of the open chunk
    uint64_t *index_offset; // [QI_MCAP_CHUNKS_MAX][channels_max], 0: none in that chunk
    chunk_note *note;       // [QI_MCAP_CHUNKS_MAX]
    int nnote, nattach, nmeta;
    text_buf schemas, channels, attach_index, meta_index;
    uint64_t t0, t1, nmessage;
    entry open; // message between _begin and _commit
};

static void put_out(qi_mcap_out *o, const void *data, size_t n) {
    const uint8_t *p = data;
    o->crc = (uint32_t)crc32_z(o->crc, p, n);
    while (n > 0 && !o->error) {
        ssize_t k = write(o->fd, p, n);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0)
            o->error = errno;
        else
            p += k, n -= (size_t)k, o->at += (uint64_t)k;
    }
}

static uint8_t *grow(qi_mcap_out *o, text_buf *b, size_t more) {
    if (b->n + more > b->cap) {
        size_t cap = 2 * (b->n + more);
        uint8_t *p = realloc(b->p, cap);
        if (!p) {
            o->error = ENOMEM;
            return NULL;
        }
        b->p = p, b->cap = cap;
    }
    b->n += more;
    return b->p + b->n - more;
}

static void *take(qi_mcap_out *o, size_t n, size_t size) {
    void *p = calloc(n + 1, size);
    if (!p) o->error = ENOMEM;
    return p;
}

static void make_buffers(qi_mcap_out *o) {
    size_t nch = (size_t)o->channels_max + 1, ctx = ZSTD_estimateCCtxSize(ZSTD_LEVEL);
    o->chunk = take(o, QI_MCAP_CHUNK_BYTES, 1);
    o->entry = take(o, MESSAGES_MAX, sizeof *o->entry);
    o->packed_cap = ZSTD_compressBound(QI_MCAP_CHUNK_BYTES) + 128;
    o->packed = take(o, o->packed_cap, 1);
    o->index = take(o, MESSAGES_MAX * 16 + nch * 15, 1);
    o->sequence = take(o, nch, sizeof *o->sequence);
    o->count = take(o, nch, sizeof *o->count);
    o->chunk_count = take(o, nch, sizeof *o->chunk_count);
    o->index_offset = take(o, QI_MCAP_CHUNKS_MAX * nch, sizeof *o->index_offset);
    o->note = take(o, QI_MCAP_CHUNKS_MAX, sizeof *o->note);
    o->zstd_mem = aligned_alloc(64, (ctx + 63) / 64 * 64);
    if (o->zstd_mem) o->zstd = ZSTD_initStaticCCtx(o->zstd_mem, ctx);
    if (!o->zstd)
        o->error = ENOMEM;
    else
        ZSTD_CCtx_setParameter(o->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
}

qi_mcap_out *qi_mcap_out_new(const char *path, const char *profile, const char *library,
                             int channels_max, qiao_diag *d) {
    qi_mcap_out *o = calloc(1, sizeof *o);
    if (o) o->fd = -1, o->path = strdup(path), o->channels_max = channels_max, make_buffers(o);
    if (!o || !o->path || o->error) {
        qiao_diag_set(d, QIAO_E_MEM, path, 0, 0, "out of memory");
        qi_mcap_out_free(o);
        return NULL;
    }
    o->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (o->fd < 0) {
        qiao_diag_set(d, QIAO_E_IO, path, 0, 0, "cannot be written: %s", strerror(errno));
        qi_mcap_out_free(o);
        return NULL;
    }
    o->t0 = UINT64_MAX;
    size_t np = strlen(profile), nl = strlen(library);
    uint8_t *p = o->packed;
    p = qi_put(p, QI_MCAP_MAGIC, QI_MCAP_MAGIC_BYTES);
    p = qi_put_head(p, QI_MCAP_HEADER, 8 + np + nl);
    p = qi_put_text(p, profile, np);
    p = qi_put_text(p, library, nl);
    put_out(o, o->packed, (size_t)(p - o->packed));
    return o;
}

int qi_mcap_out_schema(qi_mcap_out *o, const char *name, const char *encoding, const char *text) {
    size_t nn = strlen(name), ne = strlen(encoding), nt = strlen(text), body = 14 + nn + ne + nt;
    uint8_t *at = grow(o, &o->schemas, QI_MCAP_HEAD_BYTES + body), *p = at;
    if (!at || o->error) return 0;
    p = qi_put_head(p, QI_MCAP_SCHEMA, body);
    p = qi_put16(p, (uint16_t)++o->nschema);
    p = qi_put_text(p, name, nn);
    p = qi_put_text(p, encoding, ne);
    qi_put_text(p, text, nt);
    put_out(o, at, QI_MCAP_HEAD_BYTES + body);
    return o->nschema;
}

static size_t pairs_bytes(const char *const *pairs) {
    size_t n = 0;
    for (int i = 0; pairs && pairs[i]; i++) n += 4 + strlen(pairs[i]);
    return n;
}

static uint8_t *put_pairs(uint8_t *p, const char *const *pairs) {
    p = qi_put32(p, (uint32_t)pairs_bytes(pairs));
    for (int i = 0; pairs && pairs[i]; i++) p = qi_put_text(p, pairs[i], strlen(pairs[i]));
    return p;
}

int qi_mcap_out_channel(qi_mcap_out *o, int schema, const char *topic, const char *encoding,
                        const char *const *pairs) {
    if (o->nchannel >= o->channels_max) o->error = o->error ? o->error : -1;
    if (o->error) return 0;
    size_t nt = strlen(topic), ne = strlen(encoding), body = 16 + nt + ne + pairs_bytes(pairs);
    uint8_t *at = grow(o, &o->channels, QI_MCAP_HEAD_BYTES + body), *p = at;
    if (!at) return 0;
    p = qi_put_head(p, QI_MCAP_CHANNEL, body);
    p = qi_put16(p, (uint16_t)++o->nchannel);
    p = qi_put16(p, (uint16_t)schema);
    p = qi_put_text(p, topic, nt);
    p = qi_put_text(p, encoding, ne);
    put_pairs(p, pairs);
    put_out(o, at, QI_MCAP_HEAD_BYTES + body);
    return o->nchannel;
}

// The index records of a chunk's messages, one for each channel that has any; returns bytes.
static size_t put_index(qi_mcap_out *o, uint64_t at, uint64_t *offset) {
    uint8_t *p = o->index;
    for (int c = 1; c <= o->nchannel; c++) {
        if (!o->chunk_count[c]) continue;
        offset[c - 1] = at + (uint64_t)(p - o->index);
        p = qi_put_head(p, QI_MCAP_MESSAGE_INDEX, 6 + 16ull * o->chunk_count[c]);
        p = qi_put16(p, (uint16_t)c);
        p = qi_put32(p, 16 * o->chunk_count[c]);
        for (int i = 0; i < o->nentry; i++)
            if (o->entry[i].channel == c)
                p = qi_put64(qi_put64(p, o->entry[i].t_ns), o->entry[i].offset);
    }
    return (size_t)(p - o->index);
}

// Compresses plain [n] into a chunk record in packed [cap] and writes it with its index.
static void write_chunk(qi_mcap_out *o, const uint8_t *plain, size_t n, uint8_t *packed,
                        size_t cap) {
    enum { FIXED = 8 + 8 + 8 + 4 + 4 + 4 + 8 }; // times, sizes, crc, "zstd", length
    if (o->error || !o->nentry) return;
    if (o->nnote >= QI_MCAP_CHUNKS_MAX) {
        o->error = -1;
        return;
    }
    size_t k = ZSTD_compress2(o->zstd, packed + QI_MCAP_HEAD_BYTES + FIXED,
                              cap - QI_MCAP_HEAD_BYTES - FIXED, plain, n);
    if (ZSTD_isError(k)) {
        o->error = ENOMEM;
        return;
    }
    chunk_note *c = &o->note[o->nnote];
    *c = (chunk_note){.t0 = UINT64_MAX, .at = o->at, .plain = n, .packed = k};
    for (int i = 0; i < o->nentry; i++) {
        if (o->entry[i].t_ns < c->t0) c->t0 = o->entry[i].t_ns;
        if (o->entry[i].t_ns > c->t1) c->t1 = o->entry[i].t_ns;
    }
    uint8_t *p = qi_put_head(packed, QI_MCAP_CHUNK, FIXED + k);
    p = qi_put64(qi_put64(qi_put64(p, c->t0), c->t1), n);
    p = qi_put32(p, (uint32_t)crc32_z(0, plain, n));
    qi_put64(qi_put_text(p, "zstd", 4), k);
    c->bytes = QI_MCAP_HEAD_BYTES + FIXED + k;
    put_out(o, packed, c->bytes);
    c->index_bytes =
        put_index(o, o->at, o->index_offset + (size_t)o->nnote * (size_t)o->channels_max);
    put_out(o, o->index, c->index_bytes);
    o->nnote++, o->nentry = 0;
    memset(o->chunk_count, 0, ((size_t)o->channels_max + 1) * sizeof *o->chunk_count);
}

void qi_mcap_out_flush(qi_mcap_out *o) {
    write_chunk(o, o->chunk, o->chunk_n, o->packed, o->packed_cap);
    o->chunk_n = 0, o->nentry = 0;
}

static uint8_t *put_message_head(qi_mcap_out *o, uint8_t *p, int channel, uint64_t t, size_t n) {
    p = qi_put_head(p, QI_MCAP_MESSAGE, 22 + n);
    p = qi_put16(p, (uint16_t)channel);
    p = qi_put32(p, o->sequence[channel]);
    return qi_put64(qi_put64(p, t), t);
}

static void count_message(qi_mcap_out *o, const entry *e) {
    o->entry[o->nentry++] = *e;
    o->sequence[e->channel]++, o->count[e->channel]++, o->chunk_count[e->channel]++;
    if (e->t_ns < o->t0) o->t0 = e->t_ns;
    if (e->t_ns > o->t1) o->t1 = e->t_ns;
    o->nmessage++;
}

uint8_t *qi_mcap_out_begin(qi_mcap_out *o, int channel, int64_t t_ns, size_t bytes) {
    if (o->error || channel < 1 || channel > o->nchannel) return NULL;
    if (o->chunk_n + MESSAGE_HEAD + bytes > QI_MCAP_CHUNK_BYTES || o->nentry == MESSAGES_MAX)
        qi_mcap_out_flush(o);
    if (o->error || MESSAGE_HEAD + bytes > QI_MCAP_CHUNK_BYTES) return NULL;
    o->open = (entry){(uint64_t)(t_ns > 0 ? t_ns : 0), o->chunk_n, (uint16_t)channel};
    return o->chunk + o->chunk_n + MESSAGE_HEAD;
}

void qi_mcap_out_commit(qi_mcap_out *o, size_t bytes) {
    put_message_head(o, o->chunk + o->chunk_n, o->open.channel, o->open.t_ns, bytes);
    o->chunk_n += MESSAGE_HEAD + bytes;
    count_message(o, &o->open);
}

void qi_mcap_out_large(qi_mcap_out *o, int channel, int64_t t_ns, const void *data, size_t bytes) {
    if (o->error || channel < 1 || channel > o->nchannel) return;
    qi_mcap_out_flush(o);
    size_t n = MESSAGE_HEAD + bytes, cap = ZSTD_compressBound(n) + 128;
    uint8_t *plain = malloc(n), *packed = malloc(cap);
    if (!plain || !packed) o->error = ENOMEM;
    if (!o->error) {
        entry e = {(uint64_t)(t_ns > 0 ? t_ns : 0), 0, (uint16_t)channel};
        memcpy(put_message_head(o, plain, channel, e.t_ns, bytes), data, bytes);
        count_message(o, &e);
        write_chunk(o, plain, n, packed, cap);
    }
    free(plain), free(packed);
}

void qi_mcap_out_attach(qi_mcap_out *o, const char *name, const char *media_type, const void *data,
                        size_t bytes) {
    if (o->error) return;
    qi_mcap_out_flush(o);
    size_t nn = strlen(name), nm = strlen(media_type), body = 16 + 8 + nn + nm + 8 + bytes + 4;
    uint8_t *rec = malloc(QI_MCAP_HEAD_BYTES + body);
    uint8_t *ix = grow(o, &o->attach_index, QI_MCAP_HEAD_BYTES + 48 + nn + nm);
    if (!rec || !ix) {
        free(rec), o->error = ENOMEM;
        return;
    }
    ix = qi_put_head(ix, QI_MCAP_ATTACHMENT_INDEX, 48 + nn + nm);
    ix = qi_put64(qi_put64(ix, o->at), QI_MCAP_HEAD_BYTES + body);
    ix = qi_put64(qi_put64(qi_put64(ix, 0), 0), bytes);
    qi_put_text(qi_put_text(ix, name, nn), media_type, nm);

    uint8_t *p = qi_put_head(rec, QI_MCAP_ATTACHMENT, body), *first = p;
    p = qi_put64(qi_put64(p, 0), 0);
    p = qi_put_text(qi_put_text(p, name, nn), media_type, nm);
    p = qi_put(qi_put64(p, bytes), data, bytes);
    qi_put32(p, (uint32_t)crc32_z(0, first, (size_t)(p - first)));
    put_out(o, rec, QI_MCAP_HEAD_BYTES + body);
    o->nattach++;
    free(rec);
}

void qi_mcap_out_metadata(qi_mcap_out *o, const char *name, const char *const *pairs) {
    if (o->error) return;
    qi_mcap_out_flush(o);
    size_t nn = strlen(name), body = 8 + nn + pairs_bytes(pairs);
    uint8_t *rec = malloc(QI_MCAP_HEAD_BYTES + body);
    uint8_t *ix = grow(o, &o->meta_index, QI_MCAP_HEAD_BYTES + 20 + nn);
    if (!rec || !ix) {
        free(rec), o->error = ENOMEM;
        return;
    }
    ix = qi_put_head(ix, QI_MCAP_METADATA_INDEX, 20 + nn);
    qi_put_text(qi_put64(qi_put64(ix, o->at), QI_MCAP_HEAD_BYTES + body), name, nn);
    uint8_t *p = qi_put_head(rec, QI_MCAP_METADATA, body);
    put_pairs(qi_put_text(p, name, nn), pairs);
    put_out(o, rec, QI_MCAP_HEAD_BYTES + body);
    o->nmeta++;
    free(rec);
}

static void put_statistics(qi_mcap_out *o, text_buf *b) {
    size_t body = 50 + 10 * (size_t)o->nchannel;
    uint8_t *p = grow(o, b, QI_MCAP_HEAD_BYTES + body);
    if (!p) return;
    p = qi_put_head(p, QI_MCAP_STATISTICS, body);
    p = qi_put64(p, o->nmessage);
    p = qi_put16(p, (uint16_t)o->nschema);
    p = qi_put32(p, (uint32_t)o->nchannel);
    p = qi_put32(p, (uint32_t)o->nattach);
    p = qi_put32(p, (uint32_t)o->nmeta);
    p = qi_put32(p, (uint32_t)o->nnote);
    p = qi_put64(qi_put64(p, o->nmessage ? o->t0 : 0), o->t1);
    p = qi_put32(p, 10 * (uint32_t)o->nchannel);
    for (int c = 1; c <= o->nchannel; c++) p = qi_put64(qi_put16(p, (uint16_t)c), o->count[c]);
}

static void put_chunk_indices(qi_mcap_out *o, text_buf *b) {
    for (int i = 0; i < o->nnote; i++) {
        const chunk_note *c = &o->note[i];
        const uint64_t *at = o->index_offset + (size_t)i * (size_t)o->channels_max;
        uint32_t n = 0;
        for (int k = 0; k < o->nchannel; k++) n += at[k] != 0;
        size_t body = 32 + 4 + 10 * n + 8 + 8 + 16;
        uint8_t *p = grow(o, b, QI_MCAP_HEAD_BYTES + body);
        if (!p) return;
        p = qi_put_head(p, QI_MCAP_CHUNK_INDEX, body);
        p = qi_put64(qi_put64(qi_put64(qi_put64(p, c->t0), c->t1), c->at), c->bytes);
        p = qi_put32(p, 10 * n);
        for (int k = 0; k < o->nchannel; k++)
            if (at[k]) p = qi_put64(qi_put16(p, (uint16_t)(k + 1)), at[k]);
        p = qi_put64(p, c->index_bytes);
        qi_put64(qi_put64(qi_put_text(p, "zstd", 4), c->packed), c->plain);
    }
}

// Appends a group of summary records and notes where it is.
static void put_group(qi_mcap_out *o, text_buf *sum, text_buf *offsets, enum qi_mcap_op op,
                      uint64_t start, size_t from) {
    uint64_t n = sum->n - from;
    uint8_t *p = n ? grow(o, offsets, QI_MCAP_HEAD_BYTES + 17) : NULL;
    if (!p) return;
    p = qi_put_head(p, QI_MCAP_SUMMARY_OFFSET, 17);
    *p = (uint8_t)op;
    qi_put64(qi_put64(p + 1, start + from), n);
}

static void write_summary(qi_mcap_out *o) {
    text_buf sum = {0}, off = {0};
    uint64_t start = o->at;
    const struct {
        enum qi_mcap_op op;
        const text_buf *b;
    } copy[] = {{QI_MCAP_SCHEMA, &o->schemas},
                {QI_MCAP_CHANNEL, &o->channels},
                {QI_MCAP_ATTACHMENT_INDEX, &o->attach_index},
                {QI_MCAP_METADATA_INDEX, &o->meta_index}};
    for (int i = 0; i < 4; i++) {
        size_t from = sum.n;
        uint8_t *p = copy[i].b->n ? grow(o, &sum, copy[i].b->n) : NULL;
        if (p) memcpy(p, copy[i].b->p, copy[i].b->n);
        put_group(o, &sum, &off, copy[i].op, start, from);
    }
    size_t from = sum.n;
    put_statistics(o, &sum), put_group(o, &sum, &off, QI_MCAP_STATISTICS, start, from);
    from = sum.n;
    put_chunk_indices(o, &sum), put_group(o, &sum, &off, QI_MCAP_CHUNK_INDEX, start, from);
    uint8_t foot[QI_MCAP_HEAD_BYTES + QI_MCAP_FOOTER_BYTES + QI_MCAP_MAGIC_BYTES], *p = foot;
    o->crc = 0;
    if (!o->error) put_out(o, sum.p, sum.n), put_out(o, off.p, off.n);
    p = qi_put_head(p, QI_MCAP_FOOTER, QI_MCAP_FOOTER_BYTES);
    p = qi_put64(qi_put64(p, start), start + sum.n);
    uint32_t crc = (uint32_t)crc32_z(o->crc, foot, (size_t)(p - foot));
    p = qi_put(qi_put32(p, crc), QI_MCAP_MAGIC, QI_MCAP_MAGIC_BYTES);
    if (!o->error) put_out(o, foot, (size_t)(p - foot));
    free(sum.p), free(off.p);
}

qiao_err qi_mcap_out_end(qi_mcap_out *o, qiao_diag *d) {
    qi_mcap_out_flush(o);
    uint8_t end[QI_MCAP_HEAD_BYTES + 4];
    qi_put32(qi_put_head(end, QI_MCAP_DATA_END, 4), o->crc);
    if (!o->error) put_out(o, end, sizeof end);
    if (!o->error) write_summary(o);
    if (close(o->fd) && !o->error) o->error = errno;
    o->fd = -1;
    if (!o->error) return QIAO_OK;
    if (o->error == -1)
        return qiao_diag_set(d, QIAO_E_LIMIT, o->path, 0, 0,
                             "the record is over its limit of %d chunks or %d channels",
                             QI_MCAP_CHUNKS_MAX, o->channels_max);
    return qiao_diag_set(d, o->error == ENOMEM ? QIAO_E_MEM : QIAO_E_IO, o->path, 0, 0,
                         "could not be written whole: %s", strerror(o->error));
}

void qi_mcap_out_free(qi_mcap_out *o) {
    if (!o) return;
    if (o->fd >= 0) qi_mcap_out_flush(o), close(o->fd);
    free(o->path), free(o->chunk), free(o->entry), free(o->packed), free(o->index);
    free(o->zstd_mem), free(o->sequence), free(o->count), free(o->chunk_count);
    free(o->index_offset), free(o->note), free(o->schemas.p), free(o->channels.p);
    free(o->attach_index.p), free(o->meta_index.p);
    free(o);
}
