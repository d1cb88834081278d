// SPDX-License-Identifier: Apache-2.0
// mcap_write.h - writes an MCAP file: messages in zstd chunks with CRC and index, attachments,
// metadata, summary. All memory is taken in _new; messages allocate nothing.
// errors   stick: after the first one nothing more is written and _end reports it
#ifndef QI_REC_MCAP_WRITE_H
#define QI_REC_MCAP_WRITE_H

#include "qiao/base.h"

typedef struct qi_mcap_out qi_mcap_out;

enum {
    QI_MCAP_CHUNK_BYTES = 1 << 18, // messages are packed into chunks of this size
    QI_MCAP_CHUNKS_MAX = 1 << 15,  // 8 GiB of messages
};

qi_mcap_out *qi_mcap_out_new(const char *path, const char *profile, const char *library,
                             int channels_max, qiao_diag *d);
// Ids are > 0; 0 after an error. pairs: key, value, ..., NULL.
int qi_mcap_out_schema(qi_mcap_out *o, const char *name, const char *encoding, const char *text);
int qi_mcap_out_channel(qi_mcap_out *o, int schema, const char *topic, const char *encoding,
                        const char *const *pairs);
// Room for a message of at most bytes (< QI_MCAP_CHUNK_BYTES / 2) or NULL; _commit takes it.
uint8_t *qi_mcap_out_begin(qi_mcap_out *o, int channel, int64_t t_ns, size_t bytes);
void qi_mcap_out_commit(qi_mcap_out *o, size_t bytes);
// A message of any size in a chunk of its own; allocates, so not for a step.
void qi_mcap_out_large(qi_mcap_out *o, int channel, int64_t t_ns, const void *data, size_t bytes);
void qi_mcap_out_attach(qi_mcap_out *o, const char *name, const char *media_type, const void *data,
                        size_t bytes);
void qi_mcap_out_metadata(qi_mcap_out *o, const char *name, const char *const *pairs);
// Writes what is buffered, so that it survives the process.
void qi_mcap_out_flush(qi_mcap_out *o);
// Summary, footer, magic; closes the file.
qiao_err qi_mcap_out_end(qi_mcap_out *o, qiao_diag *d);
void qi_mcap_out_free(qi_mcap_out *o); // without _end the file stays without a summary

#endif
