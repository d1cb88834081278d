// SPDX-License-Identifier: Apache-2.0
// mcap_read.h - reads an MCAP file front to back: every length, checksum and reference is checked.
// An interrupted file (its writer died) is read up to where it ends; any other fault is an error
// "file: byte N: what is wrong, what was expected".
#ifndef QI_REC_MCAP_READ_H
#define QI_REC_MCAP_READ_H

#include "qiao/base.h"

typedef struct qi_mcap_pair {
    const char *key, *value;
} qi_mcap_pair;
typedef struct qi_mcap_schema {
    int id;
    const char *name, *encoding;
    const uint8_t *data;
    size_t bytes;
} qi_mcap_schema;
typedef struct qi_mcap_channel {
    int id, schema; // schema: index, -1 none
    const char *topic, *encoding;
    int npair;
    const qi_mcap_pair *pair;
    uint64_t count; // messages
} qi_mcap_channel;
typedef struct qi_mcap_attachment {
    const char *name, *media_type;
    const uint8_t *data;
    size_t bytes;
} qi_mcap_attachment;
typedef struct qi_mcap_metadata {
    const char *name;
    int npair;
    const qi_mcap_pair *pair;
} qi_mcap_metadata;

typedef struct qi_mcap {
    char *path;
    uint8_t *data;
    size_t size;
    const char *profile, *library;
    int nschema, nchannel, nattach, nmeta;
    qi_mcap_schema *schema;
    qi_mcap_channel *channel;
    qi_mcap_attachment *attach;
    qi_mcap_metadata *meta;
    uint64_t nmessage, nchunk;
    uint64_t t0_ns, t1_ns; // first and last message; 0 if none
    uint64_t plain_bytes;  // of all chunks
    bool complete;         // has its footer
    char note[160];        // where an interrupted file ends
    qiao_arena *arena;
    size_t plain_max;
    uint16_t *schema_at, *channel_at; // [65536] index + 1 by id
    void *zstd;
    uint8_t *chunk; // the present chunk, plain
    size_t chunk_cap;
} qi_mcap;

enum { QI_MCAP_CHUNK_MAX = 1 << 28 };
#define QI_MCAP_FILE_MAX  ((size_t)2 << 30) // bytes of a file
#define QI_MCAP_PLAIN_MAX ((size_t)2 << 30) // bytes of all chunks, plain

qi_mcap *qi_mcap_open(const char *path, qiao_diag *d);
// Takes over data (malloc); at most plain_max bytes of chunks are unpacked.
qi_mcap *qi_mcap_parse(const char *path, void *data, size_t size, size_t plain_max, qiao_diag *d);
void qi_mcap_close(qi_mcap *f);
// Value of a metadata record's key, "" if absent.
const char *qi_mcap_meta(const qi_mcap *f, const char *record, const char *key);
const char *qi_mcap_schema_name(const qi_mcap *f, const qi_mcap_channel *c); // "" if none

// Every message in file order. The call's own error ends the walk.
typedef qiao_err (*qi_mcap_visit)(void *ctx, int channel, uint64_t t_ns, const uint8_t *data,
                                  size_t bytes);
qiao_err qi_mcap_each(qi_mcap *f, qi_mcap_visit visit, void *ctx, qiao_diag *d);

#endif
