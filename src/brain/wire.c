// SPDX-License-Identifier: Apache-2.0
// wire.c - frames to bytes and back.
#include "brain/wire.h"

#include <math.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the wire is little-endian");

static void put32(uint8_t *p, uint32_t x) { memcpy(p, &x, 4); }
static uint32_t get32(const uint8_t *p) {
    uint32_t x;
    memcpy(&x, p, 4);
    return x;
}

const char *qi_wire_name(uint32_t type) {
    static const char *const name[QI_WIRE_TYPES] = {
        "unknown", "hello", "bind", "reset", "step", "bye", "ready", "command", "error",
    };
    return name[type < QI_WIRE_TYPES ? type : 0];
}

void qi_wire_head(uint8_t *p, uint32_t type, uint32_t bytes, uint32_t seq) {
    put32(p, QI_WIRE_MAGIC), put32(p + 4, type), put32(p + 8, bytes), put32(p + 12, seq);
}

int64_t qi_wire_frame(const uint8_t *p, size_t have, uint32_t limit, qi_frame *f, qiao_diag *d) {
    // judge a wrong start at once: a peer that sends three bytes of garbage is not waited for
    static const uint8_t magic[4] = {'Q', 'B', 'R', '1'};
    size_t n = have < 4 ? have : 4;
    if (memcmp(p, magic, n) != 0) {
        qiao_diag_set(d, QIAO_E_PEER, NULL, 0, 0,
                      "sent bytes that are no frame (a frame starts with QBR1)");
        return -1;
    }
    if (have < QI_WIRE_HEAD) return 0;
    *f = (qi_frame){get32(p + 4), get32(p + 12), get32(p + 8), p + QI_WIRE_HEAD};
    if (f->type == 0 || f->type >= QI_WIRE_TYPES) {
        qiao_diag_set(d, QIAO_E_PEER, NULL, 0, 0, "sent a frame of the unknown type %u", f->type);
        return -1;
    }
    if (f->bytes > limit) {
        qiao_diag_set(d, QIAO_E_PEER, NULL, 0, 0,
                      "announced a %s frame of %u bytes, where at most %u may come",
                      qi_wire_name(f->type), f->bytes, limit);
        return -1;
    }
    if (have < QI_WIRE_HEAD + (size_t)f->bytes) return 0;
    return QI_WIRE_HEAD + (int64_t)f->bytes;
}

// ---- hello ----

static size_t put_text(uint8_t *p, size_t at, size_t cap, const char *s) {
    size_t n = strlen(s) + 1;
    if (at == 0 || at + n > cap) return 0;
    memcpy(p + at, s, n);
    return at + n;
}

size_t qi_wire_put_hello(uint8_t *p, size_t cap, const qiao_brain_api *api) {
    uint32_t n = 0;
    if (cap < 16) return 0;
    size_t at = put_text(p, 16, cap, api->name);
    at = put_text(p, at, cap, api->version);
    for (; api->need && api->need[n]; n++) at = put_text(p, at, cap, api->need[n]);
    put32(p, api->abi), put32(p + 4, n), memcpy(p + 8, &api->rate_hz, 8);
    return at;
}

// The next text of f at *at: printable, not empty, short. NULL if it is not so.
static const char *next_text(const char *text, size_t bytes, size_t *at) {
    const char *s = text + *at, *end = memchr(s, 0, bytes - *at);
    if (!end || end == s || end - s >= QI_WIRE_NAME) return NULL;
    for (const char *c = s; c < end; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) return NULL;
    *at += (size_t)(end - s) + 1;
    return s;
}

qiao_err qi_wire_get_hello(const qi_frame *f, qi_hello *h, qiao_diag *d) {
    if (f->bytes < 16 || f->bytes > sizeof h->text)
        return qiao_diag_set(d, QIAO_E_PEER, NULL, 0, 0,
                             "sent a hello of %u bytes, 16 to %zu were expected", f->bytes,
                             sizeof h->text);
    h->abi = get32(f->data);
    uint32_t n = get32(f->data + 4);
    memcpy(&h->rate_hz, f->data + 8, 8);
    if (h->abi != QIAO_BRAIN_ABI)
        return qiao_diag_set(d, QIAO_E_ABI, NULL, 0, 0,
                             "speaks version %u of the interface, this program speaks %d", h->abi,
                             QIAO_BRAIN_ABI);
    if (n > QI_WIRE_NEED)
        return qiao_diag_set(d, QIAO_E_PEER, NULL, 0, 0,
                             "asks for %u signals, at most %d may be asked for", n, QI_WIRE_NEED);
    size_t bytes = f->bytes - 16, at = 0;
    memcpy(h->text, f->data + 16, bytes);
    h->nneed = (int)n;
    h->name = next_text(h->text, bytes, &at);
    h->version = h->name ? next_text(h->text, bytes, &at) : NULL;
    bool good = h->version != NULL;
    for (uint32_t i = 0; good && i < n; i++)
        good = (h->need[i] = next_text(h->text, bytes, &at)) != NULL;
    if (!good || at != bytes)
        return qiao_diag_set(d, QIAO_E_PEER, NULL, 0, 0,
                             "sent a hello whose texts (name, version, %u signals) are not 1 to %d "
                             "printable bytes each, ended by 0",
                             n, QI_WIRE_NAME - 1);
    h->need[n] = NULL;
    return QIAO_OK;
}

// ---- step ----

uint32_t qi_wire_step_bytes(int n, int nobs, int nsig) {
    if (n < 0 || nobs < 0 || nsig < 0) return 0;
    __uint128_t row = 9 + (__uint128_t)nsig * 8 + (__uint128_t)nobs * 8;
    __uint128_t all = 16 + row * (unsigned)n;
    return all > QI_WIRE_MOST ? 0 : (uint32_t)all;
}

void qi_wire_put_step(uint8_t *p, const qiao_obs *o, int nu) {
    size_t n = (size_t)o->n, ns = n * (size_t)o->nsig, nx = n * (size_t)o->nobs;
    put32(p, (uint32_t)o->n), put32(p + 4, (uint32_t)o->nobs);
    put32(p + 8, (uint32_t)o->nsig), put32(p + 12, (uint32_t)nu);
    p += 16;
    if (n) memcpy(p, o->t_ns, 8 * n);
    if (ns) memcpy(p + 8 * n, o->stamp_ns, 8 * ns);
    if (nx) memcpy(p + 8 * (n + ns), o->x, 8 * nx);
    p += 8 * (n + ns + nx);
    if (o->live)
        for (size_t i = 0; i < n; i++) p[i] = o->live[i] != 0;
    else
        memset(p, 1, n);
}

qiao_err qi_wire_get_step(const qi_frame *f, int nworld, int nobs, int nsig, int nu, qiao_obs *obs,
                          qiao_diag *d) {
    const uint8_t *p = f->data;
    int n = f->bytes >= 16 && get32(p) <= (uint32_t)nworld ? (int)get32(p) : -1;
    if (n < 0 || f->bytes != qi_wire_step_bytes(n, nobs, nsig) || get32(p + 4) != (uint32_t)nobs ||
        get32(p + 8) != (uint32_t)nsig || get32(p + 12) != (uint32_t)nu)
        return qiao_diag_set(d, QIAO_E_PEER, NULL, 0, 0,
                             "a step of %u bytes, which is not the shape of bind", f->bytes);
    size_t ns = (size_t)n * (size_t)nsig, nx = (size_t)n * (size_t)nobs;
    const int64_t *t = (const int64_t *)(const void *)(p + 16);
    const double *x = (const double *)(const void *)(t + (size_t)n + ns);
    *obs = (qiao_obs){n, nobs, nsig, t, x, t + n, (const uint8_t *)(x + nx)};
    return QIAO_OK;
}

// ---- command ----

uint32_t qi_wire_command_bytes(int n, int nu) {
    if (n < 0 || nu < 0) return 0;
    __uint128_t all = (__uint128_t)n * (unsigned)nu * 40;
    return all > QI_WIRE_MOST ? 0 : (uint32_t)all;
}

void qi_wire_put_command(uint8_t *p, const qiao_cmd *c) {
    size_t bytes = (size_t)c->n * (size_t)c->nu * 8;
    const double *part[5] = {c->q, c->qd, c->kp, c->kd, c->tau};
    for (int i = 0; bytes && i < 5; i++) memcpy(p + (size_t)i * bytes, part[i], bytes);
}

qiao_err qi_wire_get_command(const qi_frame *f, const uint8_t *live, qiao_cmd *c, qiao_diag *d) {
    uint32_t want = qi_wire_command_bytes(c->n, c->nu);
    if (f->bytes != want)
        return qiao_diag_set(d, QIAO_E_PEER, NULL, 0, 0,
                             "sent a command of %u bytes, %u were expected (%d worlds, %d "
                             "actuators, 5 doubles each)",
                             f->bytes, want, c->n, c->nu);
    size_t row = (size_t)c->nu, all = (size_t)c->n * row;
    double *part[5] = {c->q, c->qd, c->kp, c->kd, c->tau};
    for (size_t i = 0; row && i < 5; i++)
        for (size_t w = 0; w < (size_t)c->n; w++)
            if (!live || live[w])
                memcpy(part[i] + w * row, f->data + 8 * (i * all + w * row), 8 * row);
    return QIAO_OK;
}

void qi_wire_clean(char *out, size_t cap, const void *text, size_t bytes) {
    const unsigned char *s = text;
    size_t n = 0;
    for (size_t i = 0; i < bytes && n + 1 < cap; i++) {
        bool space = s[i] <= 0x20 || s[i] == 0x7f;
        if (space && (n == 0 || out[n - 1] == ' ')) continue;
        out[n++] = space ? ' ' : (char)s[i];
    }
    while (n && out[n - 1] == ' ') n--;
    out[n] = 0;
}

qiao_err qi_command_check(const qiao_cmd *c, int w, const char *const *act_name, qiao_diag *d) {
    static const char *const field[5] = {"q", "qd", "kp", "kd", "tau"};
    const double *part[5] = {c->q, c->qd, c->kp, c->kd, c->tau};
    size_t row = (size_t)c->nu;
    for (int i = 0; i < 5; i++) {
        // x - x is 0 for a finite x and NaN for all others: one sum tells of the whole row
        const double *x = part[i] + (size_t)w * row;
        double sum = 0;
        for (size_t k = 0; k < row; k++) sum += x[k] - x[k];
        if (sum == 0) continue;
        size_t k = 0;
        while (k + 1 < row && isfinite(x[k])) k++;
        return qiao_diag_set(d, QIAO_E_NAN, NULL, 0, 0, "commands %s = %g for actuator '%s'",
                             field[i], x[k], act_name[k]);
    }
    return QIAO_OK;
}
