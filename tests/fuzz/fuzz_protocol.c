// SPDX-License-Identifier: Apache-2.0
// Whatever bytes a brain in another process sends: each is read as a frame, and its payload as
// every kind of message.
#include "brain/body.h"
#include "brain/jsonread.h"
#include "brain/wire.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum { N = 2, NU = 3, NOBS = 4, NSIG = 2 };

static void read_command(const qi_frame *f) {
    static const char *const act[NU] = {"a", "b", "c"};
    double c[5][N * NU] = {{0}};
    qiao_cmd cmd = {N, NU, c[0], c[1], c[2], c[3], c[4]};
    uint8_t live[N] = {0, 1};
    qiao_diag d = {0};
    if (qi_wire_get_command(f, live, &cmd, &d) == QIAO_OK) qi_command_check(&cmd, 1, act, &d);
    if (c[0][0] != 0) abort(); // row of an ended world
}

static void read_step(const qi_frame *f) {
    qiao_diag d = {0};
    qiao_obs o;
    if (qi_wire_get_step(f, N, NOBS, NSIG, NU, &o, &d)) return;
    volatile double sum = 0; // every byte is there
    for (int w = 0; w < o.n; w++) {
        sum += (double)o.t_ns[w] + o.live[w];
        for (int i = 0; i < NOBS; i++) sum += o.x[w * NOBS + i];
        for (int i = 0; i < NSIG; i++) sum += (double)o.stamp_ns[w * NSIG + i];
    }
    (void)sum;
}

static void read_body(const qi_frame *f) {
    qiao_arena *a = qiao_arena_new();
    qiao_robot *robot = NULL;
    qiao_diag d = {0};
    int n;
    // a body that names a file would open it
    const qi_js *j = qi_js_read(a, (const char *)f->data, f->bytes, &d);
    if (j && *qi_js_str(qi_js_get(j, "robot"), "path", "") == 0)
        qi_body_read(a, (const char *)f->data, f->bytes, &n, &robot, &d);
    qiao_arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    // exactly as many bytes as came, aligned as a receiver's buffer is
    uint8_t *p = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
    if (!p) return 0;
    if (bytes) memcpy(p, data, bytes);
    qi_frame f = {0};
    qiao_diag d = {0};
    int64_t n = qi_wire_frame(p, bytes, 1 << 16, &f, &d);
    if (n > (int64_t)bytes || (n < 0) != (d.err != QIAO_OK)) abort();
    if (n <= 0) f = (qi_frame){0, 0, (uint32_t)bytes, p}; // then all of it as a payload
    uint8_t *own = aligned_alloc(8, ((size_t)f.bytes + 8) & ~(size_t)7);
    if (own && f.bytes) memcpy(own, f.data, f.bytes);
    if (own) {
        f.data = own;
        qi_hello *h = malloc(sizeof *h);
        qiao_diag dh = {0};
        if (h && qi_wire_get_hello(&f, h, &dh) == QIAO_OK && strlen(h->name) >= QI_WIRE_NAME)
            abort();
        free(h);
        read_command(&f), read_step(&f), read_body(&f);
        char text[100];
        qi_wire_clean(text, sizeof text, f.data, f.bytes);
        if (strlen(text) >= sizeof text) abort();
    }
    free(own), free(p);
    return 0;
}
