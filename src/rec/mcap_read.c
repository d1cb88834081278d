// SPDX-License-Identifier: Apache-2.0
// mcap_read.c - reads an MCAP file. One walk serves opening (learn and check all) and visiting.
#include "rec/mcap_read.h"
#include "rec/mcap.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

typedef struct cursor { // reads fields; after one that is not whole all are 0 and bad is set
    const uint8_t *p;
    size_t n, at;
    bool bad;
} cursor;

typedef struct walk {
    qi_mcap *f;
    qiao_diag *d;
    bool learn;
    qi_mcap_visit visit;
    void *ctx;
    size_t at;       // of the record in the file
    size_t in_chunk; // offset in the chunk that the record at holds, or NONE
    bool data_end, footer, no_memory;
    uint64_t plain;
} walk;
#define NONE ((size_t)-1)

static qiao_err fault(walk *w, qiao_err e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static qiao_err fault(walk *w, qiao_err e, const char *fmt, ...) {
    char what[600], where[40] = "";
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    if (w->in_chunk != NONE) snprintf(where, sizeof where, "chunk, +%zu: ", w->in_chunk);
    return qiao_diag_set(w->d, e, NULL, 0, 0, "%.300s: byte %zu: %s%s", w->f->path, w->at, where,
                         what);
}

static const uint8_t *take(cursor *c, uint64_t n) {
    if (c->bad || n > c->n - c->at) {
        c->bad = true;
        return NULL;
    }
    c->at += n;
    return c->p + c->at - n;
}
static uint64_t number(cursor *c, size_t bytes) {
    uint64_t v = 0;
    const uint8_t *p = take(c, bytes);
    if (p) memcpy(&v, p, bytes);
    return v;
}
static uint16_t u16(cursor *c) { return (uint16_t)number(c, 2); }
static uint32_t u32(cursor *c) { return (uint32_t)number(c, 4); }
static uint64_t u64(cursor *c) { return number(c, 8); }

static bool is_utf8(const uint8_t *p, size_t n) {
    for (size_t i = 0; i < n;) {
        int more = p[i] < 0x80             ? 0
                   : (p[i] & 0xe0) == 0xc0 ? 1
                   : (p[i] & 0xf0) == 0xe0 ? 2
                   : (p[i] & 0xf8) == 0xf0 ? 3
                                           : -1;
        if (more < 0 || p[i] == 0 || (size_t)more > n - i - 1) return false;
        for (i++; more > 0; more--, i++)
            if ((p[i] & 0xc0) != 0x80) return false;
    }
    return true;
}

// A text, copied with a final 0 while learning; it must be UTF-8 without a 0.
static const char *text(walk *w, cursor *c) {
    uint32_t n = u32(c);
    const uint8_t *p = take(c, n);
    if (!p) return "";
    if (!is_utf8(p, n)) c->bad = true;
    const char *s = w->learn && !c->bad ? qiao_arena_text(w->f->arena, (const char *)p, n) : "";
    if (!s) c->bad = w->no_memory = true;
    return s ? s : "";
}

// Map of text to text.
static int pairs(walk *w, cursor *c, const qi_mcap_pair **out) {
    uint32_t bytes = u32(c);
    const uint8_t *p = take(c, bytes);
    cursor in = {p, p ? bytes : 0, 0, false};
    int n = 0;
    *out = NULL;
    while (p && in.at < in.n && !in.bad) take(&in, u32(&in)), take(&in, u32(&in)), n++;
    if (in.bad) c->bad = true;
    if (c->bad || !w->learn || n == 0) return 0;
    qi_mcap_pair *pair = qiao_arena_get(w->f->arena, (size_t)n * sizeof *pair);
    in.at = 0;
    for (int i = 0; pair && i < n; i++) pair[i].key = text(w, &in), pair[i].value = text(w, &in);
    if (!pair) w->no_memory = true;
    if (!pair || in.bad) c->bad = true;
    *out = pair;
    return pair ? n : 0;
}

// Room for one more item in an array that grows by doubling.
static void *push(void **array, int n, size_t size) {
    if ((n & (n - 1)) == 0) {
        void *p = realloc(*array, (size_t)(n ? 2 * n : 1) * size);
        if (!p) return NULL;
        *array = p;
    }
    return memset((char *)*array + (size_t)n * size, 0, size);
}

static qiao_err read_header(walk *w, cursor *c) {
    const char *profile = text(w, c), *library = text(w, c);
    if (w->learn) w->f->profile = profile, w->f->library = library;
    return QIAO_OK;
}

static qiao_err read_schema(walk *w, cursor *c) {
    qi_mcap *f = w->f;
    qi_mcap_schema s = {.id = u16(c), .name = text(w, c), .encoding = text(w, c)};
    s.bytes = u32(c), s.data = take(c, s.bytes);
    if (c->bad || !w->learn) return QIAO_OK;
    if (s.id == 0) return fault(w, QIAO_E_FORMAT, "a schema with id 0; ids start at 1");
    if (f->schema_at[s.id]) {
        const qi_mcap_schema *old = &f->schema[f->schema_at[s.id] - 1];
        if (strcmp(old->name, s.name) || strcmp(old->encoding, s.encoding) ||
            old->bytes != s.bytes || memcmp(old->data, s.data, s.bytes))
            return fault(w, QIAO_E_FORMAT, "a second schema %d that differs from the first", s.id);
        return QIAO_OK;
    }
    // the bytes may lie in a chunk's buffer: keep a copy
    char *copy = qiao_arena_text(f->arena, (const char *)s.data, s.bytes);
    qi_mcap_schema *to = push((void **)&f->schema, f->nschema, sizeof *to);
    if (!to || !copy) return fault(w, QIAO_E_MEM, "out of memory");
    s.data = (const uint8_t *)copy, *to = s;
    f->schema_at[s.id] = (uint16_t)++f->nschema;
    return QIAO_OK;
}

static qiao_err read_channel(walk *w, cursor *c) {
    qi_mcap *f = w->f;
    int id = u16(c), schema = u16(c);
    qi_mcap_channel k = {.id = id, .topic = text(w, c), .encoding = text(w, c)};
    k.npair = pairs(w, c, &k.pair);
    if (c->bad || !w->learn) return QIAO_OK;
    if (schema && !f->schema_at[schema])
        return fault(w, QIAO_E_FORMAT,
                     "channel %d ('%.100s') uses schema %d, which is not in the file before it", id,
                     k.topic, schema);
    k.schema = schema ? f->schema_at[schema] - 1 : -1;
    if (f->channel_at[id]) {
        const qi_mcap_channel *old = &f->channel[f->channel_at[id] - 1];
        if (strcmp(old->topic, k.topic) || old->schema != k.schema)
            return fault(w, QIAO_E_FORMAT,
                         "a second channel %d ('%.100s') that differs from the first ('%.100s')",
                         id, k.topic, old->topic);
        return QIAO_OK;
    }
    if (f->nchannel >= 4096) return fault(w, QIAO_E_LIMIT, "more than 4096 channels");
    qi_mcap_channel *to = push((void **)&f->channel, f->nchannel, sizeof *to);
    if (!to) return fault(w, QIAO_E_MEM, "out of memory");
    *to = k;
    f->channel_at[id] = (uint16_t)++f->nchannel;
    return QIAO_OK;
}

static qiao_err read_message(walk *w, cursor *c) {
    qi_mcap *f = w->f;
    int id = u16(c);
    u32(c);
    uint64_t t = u64(c);
    u64(c);
    if (c->bad) return QIAO_OK;
    if (!f->channel_at[id])
        return fault(w, QIAO_E_FORMAT,
                     "a message on channel %d, which is not in the file before it", id);
    if (t > INT64_MAX)
        return fault(w, QIAO_E_FORMAT, "a message at a time past %lld ns", (long long)INT64_MAX);
    int k = f->channel_at[id] - 1;
    if (w->learn) {
        f->channel[k].count++;
        if (f->nmessage++ == 0) f->t0_ns = f->t1_ns = t;
        if (t < f->t0_ns) f->t0_ns = t;
        if (t > f->t1_ns) f->t1_ns = t;
    }
    return w->visit ? w->visit(w->ctx, k, t, c->p + c->at, c->n - c->at) : QIAO_OK;
}

static qiao_err read_attachment(walk *w, cursor *c) {
    qi_mcap *f = w->f;
    u64(c), u64(c);
    qi_mcap_attachment a = {.name = text(w, c), .media_type = text(w, c)};
    uint64_t n = u64(c);
    a.data = take(c, n), a.bytes = n;
    size_t crc_from = c->at;
    uint32_t crc = u32(c);
    if (c->bad || !w->learn) return QIAO_OK;
    if (crc && crc != (uint32_t)crc32_z(0, c->p, crc_from))
        return fault(w, QIAO_E_FORMAT, "attachment '%.100s' does not have its checksum %08x",
                     a.name, crc);
    qi_mcap_attachment *to = push((void **)&f->attach, f->nattach, sizeof *to);
    if (!to) return fault(w, QIAO_E_MEM, "out of memory");
    *to = a, f->nattach++;
    return QIAO_OK;
}

static qiao_err read_metadata(walk *w, cursor *c) {
    qi_mcap *f = w->f;
    qi_mcap_metadata m = {.name = text(w, c)};
    m.npair = pairs(w, c, &m.pair);
    if (c->bad || !w->learn) return QIAO_OK;
    qi_mcap_metadata *to = push((void **)&f->meta, f->nmeta, sizeof *to);
    if (!to) return fault(w, QIAO_E_MEM, "out of memory");
    *to = m, f->nmeta++;
    return QIAO_OK;
}

// A place that an index names must hold a record of that kind and length.
static qiao_err check_place(walk *w, enum qi_mcap_op op, const char *what, uint64_t at,
                            uint64_t bytes) {
    const qi_mcap *f = w->f;
    uint64_t len = 0;
    bool fits = bytes >= QI_MCAP_HEAD_BYTES && at <= f->size && bytes <= f->size - at;
    if (fits) memcpy(&len, f->data + at + 1, 8);
    if (fits && f->data[at] == op && len == bytes - QI_MCAP_HEAD_BYTES) return QIAO_OK;
    return fault(w, QIAO_E_FORMAT,
                 "the index says a record of %s of %llu bytes is at byte %llu, "
                 "where none is",
                 what, (unsigned long long)bytes, (unsigned long long)at);
}

static qiao_err read_index(walk *w, cursor *c, int op) {
    qiao_err e = QIAO_OK;
    if (op == QI_MCAP_CHUNK_INDEX) {
        u64(c), u64(c);
        uint64_t at = u64(c), bytes = u64(c);
        take(c, u32(c)), u64(c), text(w, c), u64(c), u64(c);
        if (!c->bad) e = check_place(w, QI_MCAP_CHUNK, "a chunk", at, bytes);
    } else if (op == QI_MCAP_ATTACHMENT_INDEX) {
        uint64_t at = u64(c), bytes = u64(c);
        u64(c), u64(c), u64(c), text(w, c), text(w, c);
        if (!c->bad) e = check_place(w, QI_MCAP_ATTACHMENT, "an attachment", at, bytes);
    } else if (op == QI_MCAP_METADATA_INDEX) {
        uint64_t at = u64(c), bytes = u64(c);
        text(w, c);
        if (!c->bad) e = check_place(w, QI_MCAP_METADATA, "metadata", at, bytes);
    } else if (op == QI_MCAP_MESSAGE_INDEX) {
        u16(c);
        uint32_t bytes = u32(c);
        take(c, bytes);
        if (!c->bad && bytes % 16)
            e = fault(w, QIAO_E_FORMAT, "a message index of %u bytes, 16 for each message expected",
                      bytes);
    } else { // summary offset
        number(c, 1);
        uint64_t at = u64(c), bytes = u64(c);
        if (!c->bad && (at > w->f->size || bytes > w->f->size - at))
            e = fault(w, QIAO_E_FORMAT, "a summary offset that points past the end of the file");
    }
    return e;
}

static qiao_err read_statistics(walk *w, cursor *c) {
    uint64_t messages = u64(c);
    u16(c), u32(c), u32(c), u32(c), u32(c), u64(c), u64(c), take(c, u32(c));
    if (!c->bad && w->learn && messages != w->f->nmessage)
        return fault(w, QIAO_E_FORMAT, "the statistics count %llu messages, the file has %llu",
                     (unsigned long long)messages, (unsigned long long)w->f->nmessage);
    return QIAO_OK;
}

static qiao_err read_footer(walk *w, cursor *c) {
    const qi_mcap *f = w->f;
    uint64_t start = u64(c);
    u64(c);
    uint32_t crc = u32(c);
    size_t end = w->at + QI_MCAP_HEAD_BYTES + QI_MCAP_FOOTER_BYTES, from = start ? start : w->at;
    if (c->bad || c->n != QI_MCAP_FOOTER_BYTES)
        return fault(w, QIAO_E_FORMAT, "a footer of %zu bytes, %d expected", c->n,
                     QI_MCAP_FOOTER_BYTES);
    if (from > w->at)
        return fault(w, QIAO_E_FORMAT, "the footer says the summary starts at byte %zu, after it",
                     from);
    if (crc && w->learn && crc != (uint32_t)crc32_z(0, f->data + from, end - 4 - from))
        return fault(w, QIAO_E_FORMAT, "the summary does not have its checksum %08x", crc);
    w->footer = true;
    return QIAO_OK;
}

static qiao_err walk_records(walk *w, const uint8_t *p, size_t n);

static qiao_err unpack(walk *w, const char *how, size_t nhow, cursor *c, uint64_t packed,
                       uint64_t plain) {
    qi_mcap *f = w->f;
    const uint8_t *from = take(c, packed);
    if (!from) return QIAO_OK; // bad is set
    w->plain += plain;
    if (plain > QI_MCAP_CHUNK_MAX || w->plain > f->plain_max)
        return fault(w, QIAO_E_LIMIT,
                     "a chunk of %llu bytes unpacked; at most %d in one and %zu in all",
                     (unsigned long long)plain, QI_MCAP_CHUNK_MAX, f->plain_max);
    if (plain > f->chunk_cap) {
        free(f->chunk);
        f->chunk_cap = 0, f->chunk = malloc(plain);
        if (!f->chunk) return fault(w, QIAO_E_MEM, "out of memory");
        f->chunk_cap = plain;
    }
    if (nhow == 0) {
        if (packed != plain)
            return fault(w, QIAO_E_FORMAT, "a chunk of %llu bytes that says it has %llu",
                         (unsigned long long)packed, (unsigned long long)plain);
        if (plain) memcpy(f->chunk, from, plain);
        return QIAO_OK;
    }
    if (nhow != 4 || memcmp(how, "zstd", 4) != 0)
        return fault(w, QIAO_E_UNSUPPORTED, "a chunk packed with '%.*s'; zstd or none expected",
                     (int)(nhow < 40 ? nhow : 40), how);
    size_t k = ZSTD_decompressDCtx(f->zstd, f->chunk, plain, from, packed);
    if (ZSTD_isError(k))
        return fault(w, QIAO_E_FORMAT, "a chunk that does not unpack: %s", ZSTD_getErrorName(k));
    if (k != plain)
        return fault(w, QIAO_E_FORMAT, "a chunk that unpacks to %zu bytes, %llu expected", k,
                     (unsigned long long)plain);
    return QIAO_OK;
}

static qiao_err read_chunk(walk *w, cursor *c) {
    qi_mcap *f = w->f;
    u64(c), u64(c);
    uint64_t plain = u64(c);
    uint32_t crc = u32(c), nhow = u32(c);
    const char *how = (const char *)take(c, nhow);
    uint64_t packed = u64(c);
    if (c->bad) return QIAO_OK;
    qiao_err e = unpack(w, how, nhow, c, packed, plain);
    if (e || c->bad) return e;
    if (crc && w->learn && crc != (uint32_t)crc32_z(0, f->chunk, plain))
        return fault(w, QIAO_E_FORMAT, "a chunk that does not have its checksum %08x", crc);
    if (w->learn) f->nchunk++, f->plain_bytes += plain;
    return walk_records(w, f->chunk, plain);
}

static const char *op_name(int op) {
    static const char *const name[] = {
        "record 0", "Header",        "Footer",        "Schema",     "Channel",         "Message",
        "Chunk",    "MessageIndex",  "ChunkIndex",    "Attachment", "AttachmentIndex", "Statistics",
        "Metadata", "MetadataIndex", "SummaryOffset", "DataEnd"};
    return op < 16 ? name[op] : "unknown";
}

static qiao_err read_data_end(walk *w, cursor *c) {
    uint32_t crc = u32(c);
    if (!c->bad && crc && w->learn && crc != (uint32_t)crc32_z(0, w->f->data, w->at))
        return fault(w, QIAO_E_FORMAT, "the data section does not have its checksum %08x", crc);
    w->data_end = true;
    return QIAO_OK;
}

static qiao_err read_record(walk *w, int op, const uint8_t *p, size_t n) {
    cursor c = {p, n, 0, false};
    bool inside = w->in_chunk != NONE;
    qiao_err e = QIAO_OK;
    if (op == 0) return fault(w, QIAO_E_FORMAT, "record type 0, which does not exist");
    if (inside && op != QI_MCAP_SCHEMA && op != QI_MCAP_CHANNEL && op != QI_MCAP_MESSAGE)
        return fault(w, QIAO_E_FORMAT,
                     "a %s record inside a chunk; schemas, channels and messages "
                     "expected",
                     op_name(op));
    if (w->data_end && (op == QI_MCAP_MESSAGE || op == QI_MCAP_CHUNK || op == QI_MCAP_ATTACHMENT))
        return fault(w, QIAO_E_FORMAT, "a %s record after the end of the data", op_name(op));
    switch (op) {
    case QI_MCAP_HEADER: e = read_header(w, &c); break;
    case QI_MCAP_FOOTER: e = read_footer(w, &c); break;
    case QI_MCAP_SCHEMA: e = read_schema(w, &c); break;
    case QI_MCAP_CHANNEL: e = read_channel(w, &c); break;
    case QI_MCAP_MESSAGE: e = read_message(w, &c); break;
    case QI_MCAP_CHUNK: e = read_chunk(w, &c); break;
    case QI_MCAP_ATTACHMENT: e = read_attachment(w, &c); break;
    case QI_MCAP_METADATA: e = read_metadata(w, &c); break;
    case QI_MCAP_STATISTICS: e = read_statistics(w, &c); break;
    case QI_MCAP_DATA_END: e = read_data_end(w, &c); break;
    case QI_MCAP_MESSAGE_INDEX:
    case QI_MCAP_CHUNK_INDEX:
    case QI_MCAP_ATTACHMENT_INDEX:
    case QI_MCAP_METADATA_INDEX:
    case QI_MCAP_SUMMARY_OFFSET: e = read_index(w, &c, op); break;
    default: break; // of a later version, or private
    }
    if (!e && w->no_memory) return fault(w, QIAO_E_MEM, "out of memory");
    if (!e && c.bad)
        e = fault(w, QIAO_E_FORMAT,
                  "a %s record of %zu bytes whose fields do not fit into it or "
                  "whose text is not UTF-8",
                  op_name(op), n);
    return e;
}

// The records of a chunk, which must fill it.
static qiao_err walk_records(walk *w, const uint8_t *p, size_t n) {
    for (size_t at = 0; at < n;) {
        uint64_t len;
        w->in_chunk = at;
        if (n - at < QI_MCAP_HEAD_BYTES)
            return fault(w, QIAO_E_FORMAT, "%zu bytes after the last record", n - at);
        memcpy(&len, p + at + 1, 8);
        if (len > n - at - QI_MCAP_HEAD_BYTES)
            return fault(w, QIAO_E_FORMAT, "a %s record of %llu bytes where the chunk has %zu left",
                         op_name(p[at]), (unsigned long long)len, n - at - QI_MCAP_HEAD_BYTES);
        qiao_err e = read_record(w, p[at], p + at + QI_MCAP_HEAD_BYTES, len);
        if (e) return e;
        at += QI_MCAP_HEAD_BYTES + len;
    }
    w->in_chunk = NONE;
    return QIAO_OK;
}

// The file stops before its end: an interruption, as nothing was written after it.
static qiao_err stopped(walk *w, const char *where, const char *record) {
    snprintf(w->f->note, sizeof w->f->note, "interrupted %s %s, at byte %zu", where, record, w->at);
    return QIAO_OK;
}

static qiao_err walk_file(walk *w) {
    const qi_mcap *f = w->f;
    bool closed =
        f->size >= 2 * QI_MCAP_MAGIC_BYTES &&
        !memcmp(f->data + f->size - QI_MCAP_MAGIC_BYTES, QI_MCAP_MAGIC, QI_MCAP_MAGIC_BYTES);
    size_t end = closed ? f->size - QI_MCAP_MAGIC_BYTES : f->size;
    for (w->at = QI_MCAP_MAGIC_BYTES, w->in_chunk = NONE; w->at < end && !w->footer;) {
        uint64_t len = 0;
        size_t left = end - w->at;
        int op = f->data[w->at];
        if (left >= QI_MCAP_HEAD_BYTES) memcpy(&len, f->data + w->at + 1, 8);
        if (left < QI_MCAP_HEAD_BYTES || len > left - QI_MCAP_HEAD_BYTES) {
            if (!closed) return stopped(w, "inside a record of type", op_name(op));
            return fault(w, QIAO_E_FORMAT, "a %s record of %llu bytes where the file has %zu left",
                         op_name(op), (unsigned long long)len, left);
        }
        if (w->at == QI_MCAP_MAGIC_BYTES && op != QI_MCAP_HEADER)
            return fault(w, QIAO_E_FORMAT, "a %s record where the Header is expected", op_name(op));
        qiao_err e = read_record(w, op, f->data + w->at + QI_MCAP_HEAD_BYTES, len);
        if (e) return e;
        w->at += QI_MCAP_HEAD_BYTES + len;
    }
    w->f->complete = w->footer && closed && w->at == end;
    if (!closed) return stopped(w, w->footer ? "after the" : "before the", "Footer");
    if (!w->footer) return fault(w, QIAO_E_FORMAT, "closing magic without a footer before it");
    if (w->at < end)
        return fault(w, QIAO_E_FORMAT, "%zu bytes between footer and closing magic", end - w->at);
    return QIAO_OK;
}

qi_mcap *qi_mcap_parse(const char *path, void *data, size_t size, size_t plain_max, qiao_diag *d) {
    qi_mcap *f = calloc(1, sizeof *f);
    if (f) {
        f->data = data, f->size = size, f->plain_max = plain_max;
        f->path = strdup(path), f->arena = qiao_arena_new(), f->zstd = ZSTD_createDCtx();
        f->schema_at = calloc(65536, sizeof *f->schema_at);
        f->channel_at = calloc(65536, sizeof *f->channel_at);
    }
    if (!f || !f->path || !f->arena || !f->zstd || !f->schema_at || !f->channel_at) {
        qiao_diag_set(d, QIAO_E_MEM, path, 0, 0, "out of memory");
        if (!f) free(data);
        qi_mcap_close(f);
        return NULL;
    }
    f->profile = f->library = "";
    walk w = {.f = f, .d = d, .learn = true, .in_chunk = NONE};
    qiao_err e;
    if (size < QI_MCAP_MAGIC_BYTES || memcmp(data, QI_MCAP_MAGIC, QI_MCAP_MAGIC_BYTES) != 0)
        e = fault(&w, QIAO_E_FORMAT,
                  "not an MCAP file: its first 8 bytes are not the magic "
                  "\\x89MCAP0\\r\\n");
    else
        e = walk_file(&w);
    if (!e) return f;
    qi_mcap_close(f);
    return NULL;
}

qi_mcap *qi_mcap_open(const char *path, qiao_diag *d) {
    char *data;
    size_t size;
    if (qiao_file_read(path, QI_MCAP_FILE_MAX, &data, &size, d)) return NULL;
    return qi_mcap_parse(path, data, size, QI_MCAP_PLAIN_MAX, d);
}

void qi_mcap_close(qi_mcap *f) {
    if (!f) return;
    free(f->data), free(f->path), free(f->schema), free(f->channel), free(f->attach);
    free(f->meta), free(f->schema_at), free(f->channel_at), free(f->chunk);
    ZSTD_freeDCtx(f->zstd);
    qiao_arena_free(f->arena);
    free(f);
}

qiao_err qi_mcap_each(qi_mcap *f, qi_mcap_visit visit, void *ctx, qiao_diag *d) {
    walk w = {.f = f, .d = d, .visit = visit, .ctx = ctx, .in_chunk = NONE};
    return walk_file(&w);
}

const char *qi_mcap_meta(const qi_mcap *f, const char *record, const char *key) {
    for (int i = 0; i < f->nmeta; i++)
        for (int k = 0; k < f->meta[i].npair && !strcmp(f->meta[i].name, record); k++)
            if (!strcmp(f->meta[i].pair[k].key, key)) return f->meta[i].pair[k].value;
    return "";
}

const char *qi_mcap_schema_name(const qi_mcap *f, const qi_mcap_channel *c) {
    return c->schema >= 0 ? f->schema[c->schema].name : "";
}
