// SPDX-License-Identifier: Apache-2.0
// mcap.h - what writer and reader of MCAP files share.
// source   MCAP format specification, version 0 (mcap.dev)
#ifndef QI_REC_MCAP_H
#define QI_REC_MCAP_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum qi_mcap_op {
    QI_MCAP_HEADER = 0x01,
    QI_MCAP_FOOTER = 0x02,
    QI_MCAP_SCHEMA = 0x03,
    QI_MCAP_CHANNEL = 0x04,
    QI_MCAP_MESSAGE = 0x05,
    QI_MCAP_CHUNK = 0x06,
    QI_MCAP_MESSAGE_INDEX = 0x07,
    QI_MCAP_CHUNK_INDEX = 0x08,
    QI_MCAP_ATTACHMENT = 0x09,
    QI_MCAP_ATTACHMENT_INDEX = 0x0A,
    QI_MCAP_STATISTICS = 0x0B,
    QI_MCAP_METADATA = 0x0C,
    QI_MCAP_METADATA_INDEX = 0x0D,
    QI_MCAP_SUMMARY_OFFSET = 0x0E,
    QI_MCAP_DATA_END = 0x0F,
};
#define QI_MCAP_MAGIC "\x89MCAP0\r\n"
enum { QI_MCAP_MAGIC_BYTES = 8, QI_MCAP_HEAD_BYTES = 9, QI_MCAP_FOOTER_BYTES = 20 };

// Little-endian numbers; every machine that Qiao builds for is little-endian.
static inline uint8_t *qi_put(uint8_t *p, const void *v, size_t n) {
    memcpy(p, v, n);
    return p + n;
}
static inline uint8_t *qi_put16(uint8_t *p, uint16_t v) { return qi_put(p, &v, 2); }
static inline uint8_t *qi_put32(uint8_t *p, uint32_t v) { return qi_put(p, &v, 4); }
static inline uint8_t *qi_put64(uint8_t *p, uint64_t v) { return qi_put(p, &v, 8); }
static inline uint8_t *qi_put_text(uint8_t *p, const char *s, size_t n) {
    return qi_put(qi_put32(p, (uint32_t)n), s, n);
}
static inline uint8_t *qi_put_head(uint8_t *p, enum qi_mcap_op op, uint64_t bytes) {
    *p = (uint8_t)op;
    return qi_put64(p + 1, bytes);
}

#endif
