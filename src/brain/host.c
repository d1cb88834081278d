// SPDX-License-Identifier: Apache-2.0
// host.c - the child's side for plug-ins: reads frames from the runner and calls the plug-in.
#include "brain/body.h"
#include "brain/plugin.h"
#include "brain/wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

typedef struct host {
    int fd;
    const char *path;
    void *handle, *mem;
    const qiao_brain_api *api;
    qiao_arena *arena;
    qiao_robot *robot;
    const qiao_io *io;
    int n;
    uint8_t *rx, *tx; // 64-byte aligned
    size_t rx_cap, tx_cap;
    qiao_cmd cmd;
    double *cmd_mem;
} host;

static bool read_all(int fd, uint8_t *p, size_t n) {
    while (n) {
        ssize_t k = recv(fd, p, n, 0);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return false;
        p += k, n -= (size_t)k;
    }
    return true;
}

// tx holds the payload.
static bool answer(host *h, uint32_t type, uint32_t seq, size_t bytes) {
    qi_wire_head(h->tx, type, (uint32_t)bytes, seq);
    const uint8_t *p = h->tx;
    for (size_t left = QI_WIRE_HEAD + bytes; left;) {
        ssize_t k = send(h->fd, p, left, MSG_NOSIGNAL);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return false;
        p += k, left -= (size_t)k;
    }
    return true;
}

static bool refuse(host *h, uint32_t seq, qiao_err e, const char *text) {
    int32_t code = e;
    size_t n = strlen(text);
    if (n > QI_WIRE_TEXT - 4) n = QI_WIRE_TEXT - 4;
    memcpy(h->tx + QI_WIRE_HEAD, &code, 4);
    memcpy(h->tx + QI_WIRE_HEAD + 4, text, n);
    return answer(h, QI_WIRE_ERROR, seq, 4 + n);
}

static bool grow(uint8_t **p, size_t *cap, size_t bytes) {
    if (bytes <= *cap) return true;
    free(*p);
    *cap = (bytes + 63) & ~(size_t)63;
    *p = aligned_alloc(64, *cap);
    return *p != NULL;
}

static bool hello(host *h, const qi_frame *f) {
    qiao_diag d = {0};
    if (!h->api) h->api = qi_plugin_open(h->path, &h->handle, &d);
    if (!h->api) return refuse(h, f->seq, d.err, d.text);
    size_t n = qi_wire_put_hello(h->tx + QI_WIRE_HEAD, QI_WIRE_TEXT, h->api);
    if (n == 0) return refuse(h, f->seq, QIAO_E_LIMIT, "its names are too long for one frame");
    return answer(h, QI_WIRE_HELLO, f->seq, n);
}

static void drop_body(host *h) {
    free(h->mem), free(h->cmd_mem);
    qiao_robot_free(h->robot);
    qiao_arena_free(h->arena);
    h->mem = NULL, h->cmd_mem = NULL, h->robot = NULL, h->arena = NULL, h->io = NULL;
}

static bool take_body(host *h, const qi_frame *f) {
    qiao_diag d = {0};
    drop_body(h);
    h->arena = qiao_arena_new();
    h->io = h->arena ? qi_body_read(h->arena, (const char *)f->data, f->bytes, &h->n, &h->robot, &d)
                     : NULL;
    if (!h->io) return refuse(h, f->seq, d.err ? d.err : QIAO_E_MEM, d.text);
    size_t row = (size_t)h->n * (size_t)h->io->nu;
    double *c = h->cmd_mem = calloc(5 * row + 1, sizeof *c);
    if (!c || !grow(&h->tx, &h->tx_cap, QI_WIRE_HEAD + QI_WIRE_TEXT + 40 * row))
        return h->tx && refuse(h, f->seq, QIAO_E_MEM, "out of memory");
    h->cmd = (qiao_cmd){h->n, h->io->nu, c, c + row, c + 2 * row, c + 3 * row, c + 4 * row};
    if (qi_plugin_init(h->api, h->io, h->n, &h->mem, &d)) return refuse(h, f->seq, d.err, d.text);
    return answer(h, QI_WIRE_READY, f->seq, 0);
}

static bool reset(host *h, const qi_frame *f) {
    uint32_t world;
    uint64_t seed;
    if (f->bytes != 16) return false;
    memcpy(&world, f->data, 4), memcpy(&seed, f->data + 8, 8);
    if (world >= (uint32_t)h->n) return false;
    h->api->reset(h->mem, (int)world, seed);
    return answer(h, QI_WIRE_READY, f->seq, 0);
}

static bool step(host *h, const qi_frame *f) {
    qiao_diag d = {0};
    qiao_obs obs;
    if (qi_wire_get_step(f, h->n, h->io->nobs, h->io->nsig, h->io->nu, &obs, &d))
        return refuse(h, f->seq, d.err, d.text);
    h->cmd.n = obs.n;
    qiao_err e = h->api->step(h->mem, &obs, &h->cmd);
    if (e) {
        qiao_diag_set(&d, e, NULL, 0, 0, "brain '%s' gave up in step: %s (%s)", h->api->name,
                      qiao_err_text(e), qiao_err_name(e));
        return refuse(h, f->seq, e, d.text);
    }
    qi_wire_put_command(h->tx + QI_WIRE_HEAD, &h->cmd);
    return answer(h, QI_WIRE_COMMAND, f->seq, qi_wire_command_bytes(obs.n, h->io->nu));
}

static bool serve(host *h, const qi_frame *f) {
    if (f->type == QI_WIRE_HELLO) return hello(h, f);
    if (f->type == QI_WIRE_BIND && h->api) return take_body(h, f);
    if (f->type == QI_WIRE_RESET && h->mem) return reset(h, f);
    if (f->type == QI_WIRE_STEP && h->mem) return step(h, f);
    return refuse(h, f->seq, QIAO_E_PEER, "a frame out of order");
}

int qiao_brain_host_main(int argc, char **argv) {
    const char *fd = getenv("QIAO_BRAIN_FD");
    if (argc != 3 || !fd) {
        fputs("brain-host is started by qiao itself, to run a plug-in in a process of its own\n",
              stderr);
        return 2;
    }
    host h = {.fd = atoi(fd), .path = argv[2]};
    bool ok = grow(&h.rx, &h.rx_cap, 65536) && grow(&h.tx, &h.tx_cap, QI_WIRE_HEAD + QI_WIRE_TEXT);
    while (ok) {
        qi_frame f;
        qiao_diag d = {0};
        if (!read_all(h.fd, h.rx, QI_WIRE_HEAD)) break; // the runner went away
        if (qi_wire_frame(h.rx, QI_WIRE_HEAD, QI_WIRE_MOST, &f, &d) < 0) {
            fprintf(stderr, "the runner %s\n", d.text);
            return 2;
        }
        ok = grow(&h.rx, &h.rx_cap, QI_WIRE_HEAD + (size_t)f.bytes);
        f.data = h.rx + QI_WIRE_HEAD;
        ok = ok && read_all(h.fd, h.rx + QI_WIRE_HEAD, f.bytes);
        if (!ok || f.type == QI_WIRE_BYE) break;
        ok = serve(&h, &f);
    }
    drop_body(&h);
    qi_plugin_close(h.handle);
    free(h.rx), free(h.tx);
    return 0;
}
