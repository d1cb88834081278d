// SPDX-License-Identifier: Apache-2.0
// policy.c - opens the networks of a manifest and checks that everything has its place.
#include "brain/policy.h"
#include "brain/import.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- ports by name ----

static int port_of(const qi_policy *p, const qiao_nn *nn, bool in, const char *name, qi_mark at,
                   const char *what, qiao_diag *d) {
    int n = in ? qiao_nn_inputs(nn) : qiao_nn_outputs(nn);
    const char *names[64], *kind = in ? "input" : "output";
    if (n > QI_POLICY_PORTS)
        return qi_manifest_fault(p->m, at, QIAO_E_LIMIT, d, "%s: %d %ss, at most %d can be", what,
                                 n, kind, QI_POLICY_PORTS),
               -1;
    for (int i = 0; i < n; i++)
        names[i] = in ? qiao_nn_input(nn, i)->name : qiao_nn_output(nn, i)->name;
    for (int i = 0; name && i < n; i++)
        if (strcmp(names[i], name) == 0) return i;
    if (!name && n == 1) return 0;
    char all[300] = "";
    for (int i = 0; i < n; i++)
        strncat(all, i ? ", " : "", sizeof all - strlen(all) - 1),
            strncat(all, names[i], sizeof all - strlen(all) - 1);
    if (!name)
        return qi_manifest_fault(p->m, at, QIAO_E_FIT, d,
                                 "%s: the network has %d %ss, name one of %s", what, n, kind, all),
               -1;
    const char *near = qiao_nearest(name, names, n);
    qi_manifest_fault(p->m, at, QIAO_E_NAME, d,
                      "%s: the network has no %s '%.60s'%s%s%s; it has %s", what, kind, name,
                      near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "", all);
    return -1;
}

// The main input if it is not named: the only one that is no state and no time.
static int main_input(const qi_policy *p, qiao_diag *d) {
    const qi_manifest *m = p->m;
    if (m->policy.input || qiao_nn_inputs(p->net) == 1)
        return port_of(p, p->net, true, m->policy.input, m->policy.at, "input", d);
    int found = -1, n = 0;
    for (int i = 0; i < qiao_nn_inputs(p->net); i++) {
        bool taken = i == p->in_time;
        for (int k = 0; k < m->nstate; k++) taken |= p->st_in[k] == i;
        if (!taken) found = i, n++;
    }
    return n == 1 ? found : port_of(p, p->net, true, NULL, m->policy.at, "input", d);
}

static int main_output(const qi_policy *p, qiao_diag *d) {
    const qi_manifest *m = p->m;
    if (m->policy.output || qiao_nn_outputs(p->net) == 1)
        return port_of(p, p->net, false, m->policy.output, m->policy.at, "output", d);
    int found = -1, n = 0;
    for (int i = 0; i < qiao_nn_outputs(p->net); i++) {
        bool taken = i == p->mo_q || i == p->mo_qd || i == p->mo_pos || i == p->mo_quat;
        for (int k = 0; k < m->nstate; k++) taken |= p->st_out[k] == i;
        if (!taken) found = i, n++;
    }
    return n == 1 ? found : port_of(p, p->net, false, NULL, m->policy.at, "output", d);
}

static bool find_states(qi_policy *p, qiao_diag *d) {
    const qi_manifest *m = p->m;
    for (int i = 0; i < m->nstate; i++) {
        const qi_state *s = &m->state[i];
        p->st_in[i] = port_of(p, p->net, true, s->in, s->at, "state", d);
        p->st_out[i] = p->st_in[i] < 0 ? -1 : port_of(p, p->net, false, s->out, s->at, "state", d);
        if (p->st_out[i] < 0) return false;
        int a = qiao_nn_input(p->net, p->st_in[i])->size;
        int b = qiao_nn_output(p->net, p->st_out[i])->size;
        if (a != b)
            return qi_manifest_fault(m, s->at, QIAO_E_FIT, d,
                                     "state: '%.60s' has %d numbers, '%.60s' has %d", s->in, a,
                                     s->out, b),
                   false;
    }
    return true;
}

static bool find_motion_ports(qi_policy *p, qiao_diag *d) {
    const qi_manifest *m = p->m;
    qi_mark at = m->motion.at;
    p->in_time = p->mo_q = p->mo_qd = p->mo_pos = p->mo_quat = -1;
    if (!m->motion.time) return true;
    struct {
        const char *name;
        int *port, least;
    } out[] = {{m->motion.joint_pos, &p->mo_q, m->njoint},
               {m->motion.joint_vel, &p->mo_qd, m->njoint},
               {m->motion.body_pos, &p->mo_pos, 3 * (m->motion.body + 1)},
               {m->motion.body_quat, &p->mo_quat, 4 * (m->motion.body + 1)}};
    if ((p->in_time = port_of(p, p->net, true, m->motion.time, at, "motion", d)) < 0) return false;
    for (int i = 0; i < 4; i++) {
        if (!out[i].name) continue;
        *out[i].port = port_of(p, p->net, false, out[i].name, at, "motion", d);
        if (*out[i].port < 0) return false;
        int have = qiao_nn_output(p->net, *out[i].port)->size;
        if (have < out[i].least)
            return qi_manifest_fault(m, at, QIAO_E_FIT, d,
                                     "motion: '%.60s' has %d numbers, at least %d were expected",
                                     out[i].name, have, out[i].least),
                   false;
    }
    return true;
}

// ---- sizes ----

// One line that names every term with its numbers.
static void tell_terms(const qi_obs_group *g, char *text, size_t cap) {
    size_t at = 0;
    for (int i = 0; i < g->nterm && at < cap; i++) {
        int h = g->term[i].history > 0 ? g->term[i].history : g->history;
        at += (size_t)snprintf(text + at, cap - at, "%s%s %d", i ? ", " : "", g->term[i].name,
                               g->term[i].dim * h);
    }
}

static bool size_fits(const qi_policy *p, const qi_net *net, const qi_obs_group *g,
                      const qiao_nn_port *port, const char *what, qiao_diag *d) {
    if (port->size == g->size) return true;
    char all[500] = "";
    tell_terms(g, all, sizeof all);
    qi_manifest_fault(p->m, net->at, QIAO_E_FIT, d,
                      "the %s takes %d numbers, the terms make %d: %s", what, port->size, g->size,
                      all);
    return false;
}

// A path that could not be made says why.
static bool at_hand(const qi_manifest *m, const char *file, const char *path, qi_mark at,
                    qiao_diag *d) {
    qiao_diag own = {0};
    if (path || !file) return path != NULL;
    qi_manifest_path(m->arena, "", file, &own);
    qi_manifest_fault(m, at, QIAO_E_IO, d, "%s", own.text);
    return false;
}

static bool open_nets(qi_policy *p, qiao_nn_type type, qiao_diag *d) {
    qi_manifest *m = p->m;
    const qi_net *net[2] = {&m->policy, &m->encoder};
    qiao_nn **to[2] = {&p->net, &p->enc};
    for (int i = 0; i < 2; i++) {
        if (*to[i]) continue; // at hand
        if (!net[i]->file || !at_hand(m, net[i]->file, net[i]->path, net[i]->at, d)) {
            if (net[i]->file) return false;
            continue;
        }
        size_t n = strlen(net[i]->path);
        if (n > 3 && (strcmp(net[i]->path + n - 3, ".pt") == 0 ||
                      (n > 4 && strcmp(net[i]->path + n - 4, ".pth") == 0)))
            return qi_manifest_fault(
                       m, net[i]->at, QIAO_E_UNSUPPORTED, d,
                       "'%.120s' is TorchScript; export it where it was trained: "
                       "m = torch.jit.load(FILE).eval(); torch.onnx.export(m, torch.zeros(1, "
                       "INPUTS), 'policy.onnx', opset_version=17), and put the .onnx beside it",
                       net[i]->file),
                   false;
        // an encoder estimates what the policy is then sure of: 8 bits are too few for it
        qiao_nn_type as = i == 1 && type == QIAO_NN_I8 ? QIAO_NN_BF16 : type;
        if (!(*to[i] = qiao_nn_load(net[i]->path, as, d))) return false;
    }
    if (p->enc && m->enc.nterm == 0)
        return qi_manifest_fault(m, m->encoder.at, QIAO_E_FIT, d,
                                 "there is an encoder, but no 'encoder_observation'"),
               false;
    if (!p->enc && m->enc.nterm > 0)
        return qi_manifest_fault(m, m->policy.at, QIAO_E_FIT, d,
                                 "there is 'encoder_observation', but no encoder"),
               false;
    return true;
}

// The encoder's output becomes the size of the term 'encoder'.
static bool size_encoder(qi_policy *p, qiao_diag *d) {
    qi_manifest *m = p->m;
    int dim = p->enc ? qiao_nn_output(p->enc, p->out_enc)->size : 0;
    qi_obs_group *g[2] = {&m->enc, &m->obs};
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < g[k]->nterm; i++) {
            qi_term *t = &g[k]->term[i];
            if (t->kind != QI_TERM_ENCODER) continue;
            if (k == 0 || !p->enc)
                return qi_manifest_fault(m, t->at, QIAO_E_FIT, d,
                                         k == 0 ? "encoder: it cannot be its own input"
                                                : "encoder: 'network' names none"),
                       false;
            if (dim < 1 || dim > 4096)
                return qi_manifest_fault(m, t->at, QIAO_E_FIT, d, "encoder: %d numbers", dim),
                       false;
            double *s = qiao_arena_get(m->arena, (size_t)dim * sizeof *s);
            double *o = qiao_arena_get(m->arena, (size_t)dim * sizeof *o);
            if (!s || !o) return false;
            for (int j = 0; j < dim; j++)
                s[j] = t->scale ? t->scale[0] : 1, o[j] = t->offset ? t->offset[0] : 0;
            t->dim = dim, t->scale = s, t->offset = o;
        }
    return qi_manifest_layout(m, d);
}

static bool check_inputs(const qi_policy *p, qiao_diag *d) {
    const qi_manifest *m = p->m;
    for (int i = 0; i < qiao_nn_inputs(p->net); i++) {
        bool taken = i == p->in_obs || i == p->in_time;
        for (int k = 0; k < m->nstate; k++) taken |= p->st_in[k] == i;
        if (!taken)
            return qi_manifest_fault(m, m->policy.at, QIAO_E_FIT, d,
                                     "nothing feeds the input '%.60s' of the policy; if it is "
                                     "recurrent, name it in 'state'",
                                     qiao_nn_input(p->net, i)->name),
                   false;
    }
    int out = qiao_nn_output(p->net, p->out_act)->size;
    if (out != m->njoint)
        return qi_manifest_fault(m, m->policy.at, QIAO_E_FIT, d,
                                 "the policy gives %d numbers, there are %d joints", out,
                                 m->njoint),
               false;
    return true;
}

// ---- a motion in a file: tab-separated rows of position, quaternion, q, qd ----

enum { MOTION_BYTES = 64 << 20, MOTION_FRAMES = 100000 };

static int count_rows(const char *s) {
    int n = 0;
    for (; *s; s++) n += *s == '\n';
    return n + 1;
}

static bool read_motion(qi_policy *p, qiao_diag *d) {
    qi_manifest *m = p->m;
    if (!m->motion.file || m->motion.frame) return true; // none, or at hand already
    if (!at_hand(m, m->motion.file, m->motion.path, m->motion.at, d)) return false;
    char *text;
    size_t bytes;
    if (qiao_file_read(m->motion.path, MOTION_BYTES, &text, &bytes, d)) return false;
    int wide = 7 + 2 * m->njoint, most = count_rows(text), row = 0;
    if (most > MOTION_FRAMES) most = MOTION_FRAMES + 1;
    double *x = qiao_arena_get(m->arena, (size_t)most * (size_t)wide * sizeof *x);
    bool ok = x != NULL;
    char *s = text;
    for (int line = 1; ok && *s && row < most; line++) {
        int k = 0;
        char *eol = strchr(s, '\n');
        if (eol) *eol = 0;
        char *c = s;
        while (*c == ' ' || *c == '\t' || *c == '\r') c++;
        for (char *end; *c && k <= wide; k++) {
            double v = strtod(c, &end);
            if (end == c || !(fabs(v) < 1e9)) {
                qiao_diag_set(d, QIAO_E_FORMAT, m->motion.path, line, (int)(c - s) + 1,
                              "expected a number");
                ok = false;
                break;
            }
            if (k < wide) x[(size_t)row * (size_t)wide + (size_t)k] = v;
            for (c = end; *c == ' ' || *c == '\t' || *c == ',' || *c == '\r';) c++;
        }
        if (ok && k != 0 && k != wide) {
            qiao_diag_set(d, QIAO_E_FORMAT, m->motion.path, line, 1,
                          "%d numbers in a row, expected %d: position 3, quaternion 4, %d joint "
                          "positions, %d joint velocities",
                          k, wide, m->njoint, m->njoint);
            ok = false;
        }
        row += k == wide;
        s = eol ? eol + 1 : s + strlen(s);
    }
    free(text);
    if (ok && (row < 1 || row > MOTION_FRAMES)) {
        qiao_diag_set(d, QIAO_E_FORMAT, m->motion.path, 0, 0, "%d frames; 1 to %d can be", row,
                      MOTION_FRAMES);
        return false;
    }
    m->motion.nframe = row, m->motion.frame = x;
    return ok;
}

// ---- what it reads ----

static bool need(qi_policy *p, const char *name, qiao_diag *d) {
    for (int i = 0; i < p->nneed; i++)
        if (strcmp(p->need[i], name) == 0) return true;
    if (p->nneed == QI_POLICY_NEED)
        return qi_manifest_fault(p->m, (qi_mark){0}, QIAO_E_LIMIT, d,
                                 "it reads more than %d signals", QI_POLICY_NEED),
               false;
    p->need[p->nneed++] = name;
    return true;
}

static bool term_needs(qi_policy *p, const qi_term *t, qiao_diag *d) {
    bool quat = strcmp(t->frame, "world") == 0;
    switch (t->kind) {
    case QI_TERM_GYRO:
        return need(p, t->source ? t->source : "imu_gyro", d) && (!quat || need(p, "imu_quat", d));
    case QI_TERM_GRAVITY:
    case QI_TERM_QUAT:
    case QI_TERM_EULER: return need(p, t->source ? t->source : "imu_quat", d);
    case QI_TERM_LIN_VEL:
        return need(p, t->source ? t->source : "base_vel", d) && (!quat || need(p, "imu_quat", d));
    case QI_TERM_COMMAND:
    case QI_TERM_STANCE: return need(p, "command_velocity", d);
    case QI_TERM_JOINT_VEL: return need(p, t->source ? t->source : "joint_vel", d);
    case QI_TERM_JOINT_POS:
    case QI_TERM_JOINT_ERROR: return !t->source || need(p, t->source, d);
    case QI_TERM_SCAN: return need(p, t->source ? t->source : "height_scan", d);
    case QI_TERM_OBJECT_POS:
        if (!need(p, t->source ? t->source : "object_pose", d)) return false;
        return !t->goal || need(p, t->goal, d);
    case QI_TERM_OBJECT_ROT:
        return need(p, t->source ? t->source : "object_pose", d) && need(p, t->goal, d);
    case QI_TERM_ANCHOR_ORI: return p->motion = true, need(p, "imu_quat", d);
    case QI_TERM_ANCHOR_POS:
        return p->motion = true, need(p, "imu_quat", d) && need(p, "base_pose", d);
    case QI_TERM_MOTION:
    case QI_TERM_HEIGHT: return p->motion = true;
    case QI_TERM_SIGNAL: return need(p, t->source, d);
    default: return true;
    }
}

static bool find_needs(qi_policy *p, qiao_diag *d) {
    const qi_manifest *m = p->m;
    const qi_obs_group *g[2] = {&m->enc, &m->obs};
    if (!need(p, "joint_pos", d)) return false;
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < g[k]->nterm; i++)
            if (!term_needs(p, &g[k]->term[i], d)) return false;
    if (m->action.reclip > 0 && !need(p, "joint_vel", d)) return false;
    if (m->clock.stand_below > 0 && m->clock.hz > 0 && !need(p, "command_velocity", d))
        return false;
    p->motion |= m->action.residual;
    if (p->motion && !m->motion.path && !m->motion.time)
        return qi_manifest_fault(m, (qi_mark){0}, QIAO_E_FIT, d,
                                 "it follows a motion, but 'motion' names none"),
               false;
    return true;
}

static void make_digest(qi_policy *p, qiao_nn_type type) {
    char hex[65];
    qiao_hash h;
    qiao_hash_init(&h);
    qiao_hash_add(&h, p->m->hash, QIAO_HASH_BYTES);
    qiao_nn_hash(p->net, hex), qiao_hash_add(&h, hex, 64);
    if (p->enc) qiao_nn_hash(p->enc, hex), qiao_hash_add(&h, hex, 64);
    if (p->m->motion.frame)
        qiao_hash_add(&h, p->m->motion.frame,
                      (size_t)p->m->motion.nframe * (size_t)(7 + 2 * p->m->njoint) *
                          sizeof(double));
    uint32_t t = type;
    qiao_hash_add(&h, &t, sizeof t);
    qiao_hash_end(&h, p->digest);
}

static bool open_policy(qi_policy *p, int want, qiao_diag *d) {
    qi_manifest *m = p->m;
    qiao_nn_type type = want >= 0 ? (qiao_nn_type)want : m->type;
    if (!open_nets(p, type, d) || !find_motion_ports(p, d) || !find_states(p, d)) return false;
    if ((p->in_obs = main_input(p, d)) < 0 || (p->out_act = main_output(p, d)) < 0) return false;
    if (p->enc) {
        p->in_enc = port_of(p, p->enc, true, m->encoder.input, m->encoder.at, "encoder_input", d);
        if (p->in_enc < 0) return false;
        p->out_enc =
            port_of(p, p->enc, false, m->encoder.output, m->encoder.at, "encoder_output", d);
        if (p->out_enc < 0) return false;
        if (qiao_nn_inputs(p->enc) != 1)
            return qi_manifest_fault(m, m->encoder.at, QIAO_E_FIT, d,
                                     "the encoder has %d inputs, 1 can be fed",
                                     qiao_nn_inputs(p->enc)),
                   false;
    }
    if (!size_encoder(p, d)) return false;
    if (p->enc &&
        !size_fits(p, &m->encoder, &m->enc, qiao_nn_input(p->enc, p->in_enc), "encoder", d))
        return false;
    if (!size_fits(p, &m->policy, &m->obs, qiao_nn_input(p->net, p->in_obs), "policy", d) ||
        !check_inputs(p, d) || !read_motion(p, d) || !find_needs(p, d))
        return false;
    make_digest(p, type);
    return true;
}

static qi_policy *open_with(qi_manifest *m, qiao_nn *net, int type, qiao_diag *d) {
    qiao_diag own = {0};
    if (!d) d = &own;
    qi_policy *p = calloc(1, sizeof *p);
    if (p) {
        p->m = m, p->net = net, p->in_time = -1;
        if (open_policy(p, type, d)) return p;
    }
    qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    if (!p) qi_manifest_free(m), qiao_nn_free(net);
    qi_policy_close(p);
    return NULL;
}

qi_policy *qi_policy_open(qi_manifest *m, int type, qiao_diag *d) {
    return open_with(m, NULL, type, d);
}
qi_policy *qi_policy_open_net(qi_manifest *m, qiao_nn *net, qiao_diag *d) {
    return open_with(m, net, -1, d);
}

void qi_policy_close(qi_policy *p) {
    if (!p) return;
    qiao_nn_free(p->net), qiao_nn_free(p->enc);
    qi_manifest_free(p->m);
    free(p);
}

double qi_policy_rate(const qi_policy *p) { return p->m->rate_hz * p->m->loop; }
