// SPDX-License-Identifier: Apache-2.0
// test_rec_bad.c - records that were cut, damaged or forged: each is noticed, named, survived.
#include "rec_fixture.h"
#include "test.h"

#include "rec/cdr.h"
#include "rec/mcap.h"
#include "rec/mcap_read.h"
#include "rec/tape.h"

#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

// ---- a real record, cut and damaged ----

static char *whole;
static size_t whole_n;

static void load_whole(void) {
    char path[] = "/tmp/qiao-test-rec-bad-XXXXXX";
    qiao_diag d = {0};
    if (whole) return;
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    close(fd);
    qiao_err e = fx_record(path, 0.3, true, &d);
    if (!e) e = qiao_file_read(path, 1 << 24, &whole, &whole_n, &d);
    unlink(path);
    CHECK(!e, "%s", d.text);
}

static void *copy(const void *p, size_t n) {
    void *c = malloc(n + 1);
    if (!c) abort();
    return memcpy(c, p, n);
}

TEST(cut_anywhere) {
    load_whole();
    int frames = 0;
    for (size_t n = 0; n < whole_n; n += 97) {
        qiao_diag d = {0};
        qi_mcap *f = qi_mcap_parse("cut.mcap", copy(whole, n), n, QI_MCAP_PLAIN_MAX, &d);
        if (n < 8) {
            CHECK(!f && d.err == QIAO_E_FORMAT);
            continue;
        }
        CHECK(f, "cut at %zu: %s", n, d.text);
        bool complete = f->complete, told = strncmp(f->note, "interrupted ", 12) == 0;
        qi_tape *t = qi_tape_read(f, &d);
        CHECK(t && !complete && told, "cut at %zu: %s", n, d.text);
        CHECK(t->nframe >= frames, "cut at %zu: %d frames, %d before", n, t->nframe, frames);
        frames = t->nframe;
        qi_tape_free(t);
    }
    CHECK(frames == 16, "%d frames", frames);
}

TEST(damage_is_always_noticed) {
    load_whole();
    for (size_t at = 0; at < whole_n; at += at < whole_n - 2000 ? 331 : 1) {
        char *p = copy(whole, whole_n);
        p[at] ^= 0x20;
        qiao_diag d = {0};
        qi_mcap *f = qi_mcap_parse("bad.mcap", p, whole_n, QI_MCAP_PLAIN_MAX, &d);
        CHECK(!f || !f->complete, "byte %zu was changed, nobody noticed", at);
        if (!f) CHECK(!strncmp(d.text, "bad.mcap: byte ", 15), "%s", d.text);
        qi_mcap_close(f);
    }
}

// ---- forged files ----

typedef struct forge {
    uint8_t p[4096], *at;
} forge;

static void forge_open(forge *f) {
    f->at = qi_put(f->p, QI_MCAP_MAGIC, 8);
    f->at = qi_put_head(f->at, QI_MCAP_HEADER, 8);
    f->at = qi_put32(qi_put32(f->at, 0), 0);
}
static uint8_t *forge_record(forge *f, enum qi_mcap_op op) {
    f->at = qi_put_head(f->at, op, 0);
    return f->at;
}
static void forge_end(forge *f, uint8_t *body) { // its length is now known
    uint64_t n = (uint64_t)(f->at - body);
    memcpy(body - 8, &n, 8);
}
static void forge_schema(forge *f, int id, const char *name) {
    uint8_t *b = forge_record(f, QI_MCAP_SCHEMA);
    f->at = qi_put_text(qi_put16(f->at, (uint16_t)id), name, strlen(name));
    f->at = qi_put32(qi_put_text(f->at, "ros2msg", 7), 0);
    forge_end(f, b);
}
static void forge_channel(forge *f, int id, int schema, const char *topic) {
    uint8_t *b = forge_record(f, QI_MCAP_CHANNEL);
    f->at = qi_put16(qi_put16(f->at, (uint16_t)id), (uint16_t)schema);
    f->at = qi_put_text(qi_put_text(f->at, topic, strlen(topic)), "cdr", 3);
    f->at = qi_put32(f->at, 0);
    forge_end(f, b);
}
static void forge_message(forge *f, int channel, const void *data, size_t n) {
    uint8_t *b = forge_record(f, QI_MCAP_MESSAGE);
    f->at = qi_put32(qi_put16(f->at, (uint16_t)channel), 0);
    f->at = qi_put(qi_put64(qi_put64(f->at, 5), 5), data, n);
    forge_end(f, b);
}
static void forge_chunk(forge *f, const char *how, const void *data, size_t n, uint64_t plain,
                        uint32_t crc) {
    uint8_t *b = forge_record(f, QI_MCAP_CHUNK);
    f->at = qi_put32(qi_put64(qi_put64(qi_put64(f->at, 0), 0), plain), crc);
    f->at = qi_put(qi_put64(qi_put_text(f->at, how, strlen(how)), n), data, n);
    forge_end(f, b);
}
static void forge_close(forge *f) {
    uint8_t *b = forge_record(f, QI_MCAP_FOOTER);
    f->at = qi_put32(qi_put64(qi_put64(f->at, 0), 0), 0);
    forge_end(f, b);
    f->at = qi_put(f->at, QI_MCAP_MAGIC, 8);
}

// What reading the forged file says, all the way to the tape.
static const char *said(const forge *f) {
    static qiao_diag d;
    d = (qiao_diag){0};
    size_t n = (size_t)(f->at - f->p);
    qi_mcap *m = qi_mcap_parse("x.mcap", copy(f->p, n), n, 1 << 20, &d);
    qi_tape *t = m ? qi_tape_read(m, &d) : NULL;
    qi_tape_free(t);
    return t ? "nothing" : d.text;
}
#define SAYS(f, want)                                                         \
    do {                                                                      \
        const char *s_ = said(f), *w_ = (want);                               \
        CHECK(!strcmp(s_, w_), "\n    said \"%s\"\n    not  \"%s\"", s_, w_); \
    } while (0)

TEST(not_a_record) {
    forge f = {.at = f.p};
    const char *want =
        "x.mcap: byte 0: not an MCAP file: its first 8 bytes are not the magic \\x89MCAP0\\r\\n";
    SAYS(&f, want);
    f.at = qi_put(f.p, "<?xml version=\"1.0\"?>", 21);
    SAYS(&f, want);
    f.at = qi_put(f.p, QI_MCAP_MAGIC, 8);
    forge_schema(&f, 1, "a"), forge_close(&f);
    SAYS(&f, "x.mcap: byte 8: a Schema record where the Header is expected");
    forge_open(&f), forge_close(&f);
    SAYS(&f, "nothing"); // the forge itself is sound
}

TEST(records_that_do_not_fit) {
    forge f;
    forge_open(&f), forge_record(&f, 0), forge_close(&f);
    SAYS(&f, "x.mcap: byte 25: record type 0, which does not exist");
    forge_open(&f), f.at = qi_put_head(f.at, QI_MCAP_SCHEMA, 1ull << 60), forge_close(&f);
    SAYS(&f, "x.mcap: byte 25: a Schema record of 1152921504606846976 bytes where the file has 38 "
             "left");
    forge_open(&f), f.at = qi_put_head(f.at, QI_MCAP_CHANNEL, 3), f.at = qi_put(f.at, "abc", 3);
    forge_close(&f);
    SAYS(&f,
         "x.mcap: byte 25: a Channel record of 3 bytes whose fields do not fit into it or whose "
         "text is not UTF-8");
    forge_open(&f), forge_schema(&f, 1, "\xff\xfe"), forge_close(&f);
    SAYS(&f,
         "x.mcap: byte 25: a Schema record of 23 bytes whose fields do not fit into it or whose "
         "text is not UTF-8");
    forge_open(&f), f.at = qi_put(f.at, QI_MCAP_MAGIC, 8);
    SAYS(&f, "x.mcap: byte 25: closing magic without a footer before it");
}

TEST(references_that_lead_nowhere) {
    forge f;
    forge_open(&f), forge_message(&f, 7, "", 0), forge_close(&f);
    SAYS(&f, "x.mcap: byte 25: a message on channel 7, which is not in the file before it");
    forge_open(&f), forge_channel(&f, 1, 9, "/a"), forge_close(&f);
    SAYS(&f, "x.mcap: byte 25: channel 1 ('/a') uses schema 9, which is not in the file before it");
    forge_open(&f), forge_schema(&f, 0, "a"), forge_close(&f);
    SAYS(&f, "x.mcap: byte 25: a schema with id 0; ids start at 1");
    forge_open(&f), forge_schema(&f, 1, "a"), forge_schema(&f, 1, "b"), forge_close(&f);
    SAYS(&f, "x.mcap: byte 56: a second schema 1 that differs from the first");
    forge_open(&f), forge_channel(&f, 3, 0, "/a"), forge_channel(&f, 3, 0, "/b"), forge_close(&f);
    SAYS(&f, "x.mcap: byte 55: a second channel 3 ('/b') that differs from the first ('/a')");
    forge_open(&f);
    uint8_t *b = forge_record(&f, QI_MCAP_ATTACHMENT_INDEX);
    f.at = qi_put64(qi_put64(f.at, 12), 50);
    f.at = qi_put32(qi_put32(qi_put64(qi_put64(qi_put64(f.at, 0), 0), 0), 0), 0);
    forge_end(&f, b), forge_close(&f);
    SAYS(&f, "x.mcap: byte 25: the index says a record of an attachment of 50 bytes is at byte 12, "
             "where none is");
}

TEST(chunks_that_lie) {
    forge f;
    forge_open(&f), forge_chunk(&f, "lz4", "abc", 3, 3, 0), forge_close(&f);
    SAYS(&f, "x.mcap: byte 25: a chunk packed with 'lz4'; zstd or none expected");
    forge_open(&f), forge_chunk(&f, "zstd", "abc", 3, 1ull << 40, 0), forge_close(&f);
    SAYS(&f, "x.mcap: byte 25: a chunk of 1099511627776 bytes unpacked; at most 268435456 in one "
             "and 1048576 in all");
    forge_open(&f), forge_chunk(&f, "zstd", "abcdefgh", 8, 100, 0), forge_close(&f);
    CHECK_TEXT(said(&f), "x.mcap: byte 25: a chunk that does not unpack: ");
    forge_open(&f), forge_chunk(&f, "", "abc", 3, 4, 0), forge_close(&f);
    SAYS(&f, "x.mcap: byte 25: a chunk of 3 bytes that says it has 4");
    forge_open(&f), forge_chunk(&f, "", "abc", 3, 3, 12345), forge_close(&f);
    SAYS(&f, "x.mcap: byte 25: a chunk that does not have its checksum 00003039");
    forge_open(&f), forge_chunk(&f, "", "abc", 3, 3, 0), forge_close(&f);
    SAYS(&f, "x.mcap: byte 25: chunk, +0: 3 bytes after the last record");
    forge inner;
    forge_open(&inner);
    uint8_t *from = inner.at;
    forge_chunk(&inner, "", "", 0, 0, 0);
    forge_open(&f);
    forge_chunk(&f, "", from, (size_t)(inner.at - from), (uint64_t)(inner.at - from), 0);
    forge_close(&f);
    SAYS(&f, "x.mcap: byte 25: chunk, +0: a Chunk record inside a chunk; schemas, channels and "
             "messages expected");
}

TEST(bombs_are_bounded) { // a few bytes that grow to 400 KiB, three times where 1 MiB is allowed
    static uint8_t plain[400 << 10];
    char packed[1000];
    uint64_t len = sizeof plain - QI_MCAP_HEAD_BYTES;
    qi_put16(qi_put_head(plain, QI_MCAP_MESSAGE, len), 1);
    size_t n = ZSTD_compress(packed, sizeof packed, plain, sizeof plain, 1);
    CHECK(!ZSTD_isError(n) && n < 300);
    forge f;
    forge_open(&f), forge_channel(&f, 1, 0, "/a");
    for (int i = 0; i < 2; i++) forge_chunk(&f, "zstd", packed, n, sizeof plain, 0);
    forge two;
    memcpy(two.p, f.p, sizeof two.p), two.at = two.p + (f.at - f.p);
    forge_close(&two);
    SAYS(&two, "nothing");
    forge_chunk(&f, "zstd", packed, n, sizeof plain, 0), forge_close(&f);
    CHECK_TEXT(said(&f), "a chunk of 409600 bytes unpacked; at most 268435456 in one and 1048576");
}

TEST(messages_that_do_not_hold_what_they_say) {
    forge f;
    qi_cdr_out o = {0};
    forge_open(&f), forge_schema(&f, 1, "tf2_msgs/msg/TFMessage"), forge_channel(&f, 1, 1, "/tf");
    uint8_t *start = f.at;
    forge_message(&f, 1, "\x01\x00\x00\x00", 4), forge_close(&f);
    SAYS(&f, "x.mcap: /tf: message 1: not CDR, little-endian (its first bytes are not 0 1)");
    f.at = start;
    qi_cdr_begin(&o), qi_cdr_i32(&o, 1000000);
    forge_message(&f, 1, o.p, o.n), forge_close(&f);
    SAYS(&f, "x.mcap: /tf: message 1: a transform that is cut off or not finite");
    f.at = start;
    qi_cdr_begin(&o), qi_cdr_i32(&o, 1), qi_cdr_time(&o, 0);
    qi_cdr_text(&o, "world"), qi_cdr_text(&o, "a");
    qi_cdr_f64s(&o, (double[7]){0, NAN, 0, 0, 0, 0, 1}, 7);
    forge_message(&f, 1, o.p, o.n), forge_close(&f);
    SAYS(&f, "x.mcap: /tf: message 1: a transform that is cut off or not finite");

    forge_open(&f), forge_schema(&f, 1, "qiao_msgs/msg/Signal"), forge_channel(&f, 1, 1, "/s");
    for (int dim = 2; dim < 4; dim++) {
        qi_cdr_begin(&o), qi_cdr_time(&o, 0), qi_cdr_i32(&o, 0), qi_cdr_i32(&o, dim);
        qi_cdr_f64s(&o, (double[3]){1, 2, 3}, dim);
        forge_message(&f, 1, o.p, o.n);
    }
    forge_close(&f);
    SAYS(&f, "x.mcap: /s: message 2: another number of values than the first message had");
    free(o.p);
}

TEST(sums_that_are_wrong) {
    forge f;
    forge_open(&f);
    uint8_t *b = forge_record(&f, QI_MCAP_ATTACHMENT), *from = f.at;
    f.at = qi_put64(qi_put64(f.at, 0), 0);
    f.at = qi_put_text(qi_put_text(f.at, "a", 1), "b", 1);
    f.at = qi_put32(qi_put(qi_put64(f.at, 2), "xy", 2), 77);
    forge_end(&f, b), forge_close(&f);
    SAYS(&f, "x.mcap: byte 25: attachment 'a' does not have its checksum 0000004d");
    uint32_t crc = (uint32_t)crc32_z(0, from, (size_t)(b + 36 - from));
    memcpy(b + 36, &crc, 4);
    SAYS(&f, "nothing");
    forge_open(&f);
    b = forge_record(&f, QI_MCAP_STATISTICS);
    memset(f.at, 0, 50), *f.at = 3, f.at += 50;
    forge_end(&f, b), forge_close(&f);
    SAYS(&f, "x.mcap: byte 25: the statistics count 3 messages, the file has 0");
    forge_open(&f);
    b = forge_record(&f, QI_MCAP_DATA_END);
    f.at = qi_put32(f.at, 99);
    forge_end(&f, b), forge_close(&f);
    SAYS(&f, "x.mcap: byte 25: the data section does not have its checksum 00000063");
}
