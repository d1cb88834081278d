// SPDX-License-Identifier: Apache-2.0
// Whatever a record says that could be read: names, times and numbers of encoders and commands,
// bases that move, contacts. Rows come out whole, or a reason.
#include "learn/ident_read.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static const char model[] =
    "<mujoco><option timestep='0.005'/><worldbody><body name='b'><joint name='j' axis='0 1 0'/>"
    "<geom size='0.03' mass='1' pos='0.2 0 0'/></body></worldbody><actuator><motor name='j' "
    "joint='j'/></actuator></mujoco>";

static qiao_robot *robot(void) {
    static qiao_robot *r;
    if (r) return r;
    char dir[] = "/tmp/qiao-fuzz-XXXXXX", path[64];
    qiao_diag d = {0};
    if (!mkdtemp(dir)) abort();
    snprintf(path, sizeof path, "%s/r.xml", dir);
    if (qiao_file_write(path, model, sizeof model - 1, &d)) abort();
    r = qiao_robot_load(path, &d);
    if (!r) abort();
    remove(path), rmdir(dir);
    return r;
}

typedef struct input {
    const uint8_t *p;
    size_t n;
} input;
static void take(input *in, void *to, size_t n) {
    memset(to, 0, n);
    size_t k = n < in->n ? n : in->n;
    if (k) memcpy(to, in->p, k), in->p += k, in->n -= k;
}
static uint8_t byte(input *in) {
    uint8_t b;
    take(in, &b, 1);
    return b;
}

// Samples at even times with a few that are wild.
static void fill(input *in, qi_tape_signal *s, const char *name) {
    static const char *right[] = {"j"}, *wrong[] = {"k"}, *both[] = {"k", "j"};
    uint8_t how = byte(in);
    s->name = name, s->unit = "", s->dim = how & 1 ? 2 : 1;
    s->element = s->dim == 2 ? both : how & 2 ? wrong : right;
    s->nname = (how & 12) == 4 ? 0 : s->dim;
    s->n = (how & 48) == 16 ? byte(in) : 60;
    size_t n = (size_t)s->n + 1;
    s->t_ns = calloc(n, 8), s->stamp_ns = calloc(n, 8), s->value = calloc(n * (size_t)s->dim, 8);
    if (!s->t_ns || !s->stamp_ns || !s->value) abort();
    for (int i = 0; i < s->n; i++) s->stamp_ns[i] = 10000000 * (int64_t)i;
    for (int i = byte(in) % 8; i > 0 && s->n > 0; i--) {
        int at = byte(in) % s->n;
        if (byte(in) & 1)
            take(in, &s->stamp_ns[at], 8), s->stamp_ns[at] /= 4; // a time of CDR: 32 bits of s
        else
            take(in, &s->value[at * s->dim], 8);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    static const char *const name[] = {"/cmd/q",   "/cmd/qd",        "/cmd/kp",       "/cmd/kd",
                                       "/cmd/tau", "/obs/joint_pos", "/obs/joint_vel"};
    input in = {data, bytes};
    qi_tape *t = calloc(1, sizeof *t);
    if (!t || !(t->file = calloc(1, sizeof *t->file)) ||
        !(t->signal = calloc(7, sizeof *t->signal)))
        abort();
    t->file->complete = true;
    static const qi_mcap_pair pair[2][1] = {{{"brain_step", "0.01"}}, {{"brain_step", "1e-9"}}};
    qi_mcap_metadata *meta = calloc(1, sizeof *meta);
    uint8_t how = byte(&in);
    t->nsignal = 7 - (how & 64 ? 1 : 0);
    for (int i = 0; i < t->nsignal; i++) fill(&in, &t->signal[i], name[i]);
    if (!meta) abort();
    *meta = (qi_mcap_metadata){"qiao.trial", 1, pair[(how & 3) == 3]};
    t->file->meta = meta, t->file->nmeta = how & 4 ? 0 : 1;
    qiao_ident_record out;
    qiao_diag d = {0};
    qiao_err e = qi_ident_take(t, "fuzz.mcap", robot(), 0.5, &out, &d);
    if (e && !d.text[0]) abort();
    for (int i = 0; !e && i < out.def.n; i++) { // infinite ones were never measured
        if (isinf(out.def.q[i]) || isinf(out.def.qd[i])) abort();
        if (!isfinite(out.def.cmd[0][i])) abort();
    }
    qiao_ident_record_free(&out);
    return 0;
}
