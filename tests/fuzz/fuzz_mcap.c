// SPDX-License-Identifier: Apache-2.0
// Whatever bytes stand in a record: read as a whole file, and as messages of every type that a
// tape is made from (so that no checksum keeps the fuzzer out).
#include "rec/mcap.h"
#include "rec/schema.h"
#include "rec/tape.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum { PLAIN_MAX = 1 << 20, HEAD_MAX = 4096 };

static volatile double sink;

static void read_all(void *file, size_t n) {
    qiao_diag d = {0};
    qi_mcap *f = qi_mcap_parse("fuzz.mcap", file, n, PLAIN_MAX, &d);
    if (!f != (d.err != QIAO_OK) || (f && !f->complete && !f->note[0])) abort();
    qi_tape *t = f ? qi_tape_read(f, &d) : NULL;
    if (f && !t && !d.text[0]) abort();
    double sum = 0; // every number that the tape promises is there
    for (int i = 0; t && i < t->nframe * t->ncolumn * 7; i++) sum += t->pose[i];
    for (int i = 0; t && i < t->nsignal; i++)
        for (int k = 0; k < t->signal[i].n * t->signal[i].dim; k++) sum += t->signal[i].value[k];
    for (int i = 0; t && i < t->ngeom; i++)
        for (int k = 0; k < 3 * t->geom[i].nface; k++)
            if (t->geom[i].face[k] >= t->geom[i].nvert) abort();
    sink = sum;
    qi_tape_free(t);
}

static uint8_t *record(uint8_t *p, enum qi_mcap_op op, const uint8_t *body, size_t n) {
    return qi_put(qi_put_head(p, op, n), body, n);
}

// A file with one channel of the type that the first byte chooses; each message as long as its
// own first two bytes say.
static void read_messages(const uint8_t *data, size_t bytes) {
    static const char *const topic[] = {"/tf",       "/joint_states", "/scene", "/s",
                                        "/contacts", "/events",       "/score", "/tf_static"};
    int kind = data[0] % 8;
    const char *schema = qi_schema_name(kind == 7 ? QI_SCHEMA_TF : (enum qi_schema)kind);
    uint8_t *file = malloc(HEAD_MAX + 40 * bytes), body[600], *b, *p = file;
    if (!file) return;
    p = qi_put(p, QI_MCAP_MAGIC, QI_MCAP_MAGIC_BYTES);
    p = record(p, QI_MCAP_HEADER, (const uint8_t *)"\0\0\0\0\0\0\0\0", 8);
    b = qi_put_text(qi_put16(body, 1), schema, strlen(schema));
    b = qi_put32(qi_put_text(b, "ros2msg", 7), 0);
    p = record(p, QI_MCAP_SCHEMA, body, (size_t)(b - body));
    b = qi_put_text(qi_put16(qi_put16(body, 1), 1), topic[kind], strlen(topic[kind]));
    b = qi_put32(qi_put_text(b, "cdr", 3), 0);
    p = record(p, QI_MCAP_CHANNEL, body, (size_t)(b - body));
    for (size_t at = 1; at + 2 < bytes;) {
        size_t n = data[at] + 256u * (data[at + 1] % 8), left = bytes - at - 2;
        if (n > left) n = left;
        p = qi_put_head(p, QI_MCAP_MESSAGE, 22 + 4 + n);
        p = qi_put64(qi_put64(qi_put32(qi_put16(p, 1), 0), at), at);
        p = qi_put(qi_put(p, "\0\1\0\0", 4), data + at + 2, n);
        at += 2 + n;
    }
    size_t n = (size_t)(p - file);
    void *own = malloc(n); // exactly as long as it is
    if (own) memcpy(own, file, n), read_all(own, n);
    free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    void *own = malloc(bytes ? bytes : 1);
    if (!own) return 0;
    if (bytes) memcpy(own, data, bytes);
    read_all(own, bytes);
    if (bytes > 3) read_messages(data, bytes);
    return 0;
}
