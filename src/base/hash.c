// SPDX-License-Identifier: Apache-2.0
// hash.c - BLAKE2b-256 by libsodium, behind our own type so that its header stays in here.
#include "qiao/base.h"

#include <sodium.h>

_Static_assert(sizeof(crypto_generichash_state) <= sizeof(qiao_hash), "state must fit");

void qiao_hash_init(qiao_hash *h) {
    crypto_generichash_init((crypto_generichash_state *)(void *)h, NULL, 0, QIAO_HASH_BYTES);
}
void qiao_hash_add(qiao_hash *h, const void *data, size_t bytes) {
    crypto_generichash_update((crypto_generichash_state *)(void *)h, data, bytes);
}
void qiao_hash_end(qiao_hash *h, uint8_t out[QIAO_HASH_BYTES]) {
    crypto_generichash_final((crypto_generichash_state *)(void *)h, out, QIAO_HASH_BYTES);
}
void qiao_hash_hex(const uint8_t hash[QIAO_HASH_BYTES], char hex[QIAO_HASH_HEX]) {
    sodium_bin2hex(hex, QIAO_HASH_HEX, hash, QIAO_HASH_BYTES);
}
