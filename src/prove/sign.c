// SPDX-License-Identifier: Apache-2.0
// sign.c - Ed25519 keys and signatures by libsodium.
// source   RFC 8032
#include "prove/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECRET_LINE "qiao secret key ed25519\n"
#define PUBLIC_LINE "qiao public key ed25519\n"
enum { MESSAGE = 16 + QIAO_HASH_BYTES };

_Static_assert(crypto_sign_PUBLICKEYBYTES == QI_SIGN_KEY, "of libsodium");
_Static_assert(crypto_sign_BYTES == QI_SIGN_BYTES, "of libsodium");

static void message(const uint8_t root[QIAO_HASH_BYTES], uint8_t out[MESSAGE]) {
    memset(out, 0, MESSAGE);
    memcpy(out, "qiao result 1", 13), memcpy(out + 16, root, QIAO_HASH_BYTES);
}

// A key file: its line, then hex. E_FORMAT if it is anything else.
static qiao_err read_hex(const char *path, const char *line, uint8_t *key, size_t n, qiao_diag *d) {
    char *text;
    size_t bytes, len = strlen(line), got = 0;
    const char *end;
    qiao_err e = qiao_file_read(path, 4096, &text, &bytes, d);
    if (e) return e;
    bool ok = bytes == len + 2 * n + 1 && memcmp(text, line, len) == 0 &&
              sodium_hex2bin(key, n, text + len, 2 * n, NULL, &got, &end) == 0 && got == n;
    sodium_memzero(text, bytes), free(text);
    if (ok) return QIAO_OK;
    return qiao_diag_set(d, QIAO_E_FORMAT, path, 0, 0,
                         "is no key: expected the line '%.*s' and %zu "
                         "hex digits; 'qiao keys new' makes a pair",
                         (int)len - 1, line, 2 * n);
}

qiao_err qi_key_read(const char *path_or_hex, uint8_t key[QI_SIGN_KEY], qiao_diag *d) {
    size_t got = 0;
    const char *end;
    if (strlen(path_or_hex) == 2 * QI_SIGN_KEY &&
        sodium_hex2bin(key, QI_SIGN_KEY, path_or_hex, 2 * QI_SIGN_KEY, NULL, &got, &end) == 0 &&
        got == QI_SIGN_KEY)
        return QIAO_OK;
    return read_hex(path_or_hex, PUBLIC_LINE, key, QI_SIGN_KEY, d);
}

qiao_err qi_sign(const char *path, const uint8_t root[QIAO_HASH_BYTES],
                 uint8_t out[QI_SIGN_KEY + QI_SIGN_BYTES], qiao_diag *d) {
    uint8_t secret[crypto_sign_SECRETKEYBYTES], text[MESSAGE];
    if (sodium_init() < 0) return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "libsodium fails");
    qiao_err e = read_hex(path, SECRET_LINE, secret, sizeof secret, d);
    if (e) return e;
    message(root, text);
    crypto_sign_ed25519_sk_to_pk(out, secret);
    crypto_sign_detached(out + QI_SIGN_KEY, NULL, text, sizeof text, secret);
    sodium_memzero(secret, sizeof secret);
    return QIAO_OK;
}

bool qi_sign_check(const uint8_t sign[QI_SIGN_KEY + QI_SIGN_BYTES],
                   const uint8_t root[QIAO_HASH_BYTES]) {
    uint8_t text[MESSAGE];
    message(root, text);
    return sodium_init() >= 0 &&
           crypto_sign_verify_detached(sign + QI_SIGN_KEY, text, sizeof text, sign) == 0;
}

// Makes a file that was not there.
static qiao_err put_new(const char *path, int mode, const char *line, const uint8_t *key, size_t n,
                        qiao_diag *d) {
    char text[300];
    size_t len = strlen(line);
    memcpy(text, line, len);
    sodium_bin2hex(text + len, sizeof text - len, key, n);
    len += 2 * n, text[len++] = '\n';
    int f = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    bool ok = f >= 0 && write(f, text, len) == (ssize_t)len && fsync(f) == 0;
    int why = errno;
    if (f >= 0) close(f);
    if (f >= 0 && !ok) unlink(path);
    sodium_memzero(text, sizeof text);
    if (ok) return QIAO_OK;
    if (f < 0 && why == EEXIST)
        return qiao_diag_set(d, QIAO_E_IO, path, 0, 0,
                             "is there already; a key is never written over: name another file");
    return qiao_diag_set(d, QIAO_E_IO, path, 0, 0, "cannot be written: %s", strerror(why));
}

qiao_err qiao_keys_new(const char *path, qiao_diag *d) {
    uint8_t public[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
    char pub[4096];
    if (strlen(path) + 8 > sizeof pub)
        return qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0, "the path is too long: %.100s...", path);
    if (sodium_init() < 0) return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "libsodium fails");
    snprintf(pub, sizeof pub, "%s.pub", path);
    crypto_sign_keypair(public, secret);
    qiao_err e = put_new(pub, 0644, PUBLIC_LINE, public, sizeof public, d);
    if (!e && (e = put_new(path, 0600, SECRET_LINE, secret, sizeof secret, d))) unlink(pub);
    sodium_memzero(secret, sizeof secret);
    return e;
}
