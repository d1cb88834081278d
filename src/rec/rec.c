// SPDX-License-Identifier: Apache-2.0
// rec.c - the record of a trial: every message is laid out once, when the record is opened; a
// sample copies the layout and writes its numbers into it.
#include "qiao/rec.h"
#include "rec/cdr.h"
#include "rec/mcap_write.h"
#include "rec/scene.h"
#include "rec/schema.h"

#include <math.h>
#include <stdio.h>

enum { CMD_COUNT = 5, SCRATCH_BYTES = 1 << 16 };
static const double FORCE_SCALE = 0.002; // m of an arrow for each N

typedef struct layout { // a message with its numbers still to be filled in
    qi_cdr_out msg;
    int channel;
    size_t *stamp; // [nstamp] offsets
    size_t *value; // [nvalue] offsets of the doubles' first bytes
    int nstamp, nvalue;
} layout;

struct qiao_rec {
    const qiao_model *m;
    const qiao_io *io;
    qi_mcap_out *out;
    int64_t pose_period_ns, signal_period_ns, pose_next_ns, signal_next_ns, t_ns;
    int schema[QI_SCHEMA_COUNT];
    int nmove, njoint;
    int *move;   // [nmove] bodies
    bool *moves; // [nbody]
    int *joint;  // [njoint] hinges and slides
    layout tf, joints;
    double *effort;     // [njnt]
    layout *obs;        // [nsig]
    int64_t *obs_stamp; // [nsig] of the last sample written
    layout cmd[CMD_COUNT];
    int arrows, contacts, events, score; // channels
    qi_cdr_out scratch;                  // messages whose length varies; never grows in a step
    double *point;                       // [QIAO_CONTACT_MAX][2][3]
};

qiao_rec_def qiao_rec_def_default(void) {
    return (qiao_rec_def){.pose_rate_hz = 50, .signal_rate_hz = 100};
}

// ---- layouts ----

static void mark_stamp(layout *l) {
    qi_cdr_time(&l->msg, 0);
    size_t *p = realloc(l->stamp, ((size_t)l->nstamp + 1) * sizeof *p);
    if (!p)
        l->msg.failed = true;
    else
        l->stamp = p, l->stamp[l->nstamp++] = l->msg.n - 8;
}

static void mark_values(layout *l, int n) {
    if (n < 1) return;
    double zero = 0;
    size_t *p = realloc(l->value, ((size_t)l->nvalue + 1) * sizeof *p);
    if (!p) {
        l->msg.failed = true;
        return;
    }
    for (int i = 0; i < n; i++) {
        qi_cdr_f64(&l->msg, zero);
        if (i == 0) p[l->nvalue] = l->msg.n - 8;
    }
    l->value = p, l->nvalue++;
}

static void layout_free(layout *l) { free(l->msg.p), free(l->stamp), free(l->value); }

// Copies the layout into the record's buffer; NULL if the record has failed.
static uint8_t *layout_open(qiao_rec *r, const layout *l, int64_t stamp_ns) {
    uint8_t *p = qi_mcap_out_begin(r->out, l->channel, r->t_ns, l->msg.n);
    if (!p) return NULL;
    memcpy(p, l->msg.p, l->msg.n);
    int32_t t[2] = {(int32_t)(stamp_ns / 1000000000), (int32_t)(stamp_ns % 1000000000)};
    for (int i = 0; i < l->nstamp; i++) memcpy(p + l->stamp[i], t, 8);
    return p;
}

// ---- channels ----

static int channel(qiao_rec *r, enum qi_schema s, const char *topic, const char *const *pairs) {
    if (!r->schema[s]) {
        char text[QI_SCHEMA_TEXT_MAX];
        qi_schema_write(s, text);
        r->schema[s] = qi_mcap_out_schema(r->out, qi_schema_name(s), "ros2msg", text);
    }
    return qi_mcap_out_channel(r->out, r->schema[s], topic, "cdr", pairs);
}

// Name of element k of a signal: the part's name and which of its numbers.
static void element_name(const qiao_signal *s, int k, char *buf, size_t n) {
    static const char *const xyz[] = {"x", "y", "z"}, *const quat[] = {"w", "x", "y", "z"},
                             *const six[] = {"fx", "fy", "fz", "tx", "ty", "tz"},
                             *const pose[] = {"x", "y", "z", "qw", "qx", "qy", "qz"};
    int per = s->nname > 0 && s->dim % s->nname == 0 ? s->dim / s->nname : s->dim;
    const char *part =
        s->nname > 0 && s->element && per * s->nname == s->dim ? s->element[k / per] : NULL;
    int i = k % per;
    char number[16];
    snprintf(number, sizeof number, "%d", i);
    const char *sub = number;
    bool wish = strncmp(s->name, "command", 7) == 0; // an operator's: no axes of its own
    if (per == 3 && !wish) sub = xyz[i];
    if (per == 4 && !wish) sub = quat[i];
    if (per == 6 && !wish) sub = six[i];
    if (per == 7 && !wish) sub = pose[i];
    if (part && per == 1)
        snprintf(buf, n, "%s", part);
    else if (part)
        snprintf(buf, n, "%s.%s", part, sub);
    else
        snprintf(buf, n, "%s", sub);
}

enum { NAMED_MAX = 128 }; // longer signals are grids: their numbers have no names

static void make_signal(qiao_rec *r, layout *l, const char *folder, const qiao_signal *s) {
    char topic[160], name[160];
    snprintf(topic, sizeof topic, "/%s/%s", folder, s->name);
    const char *pairs[] = {"unit", s->unit ? s->unit : "", "frame", s->frame ? s->frame : "", NULL};
    l->channel = channel(r, QI_SCHEMA_SIGNAL, topic, pairs);
    qi_cdr_begin(&l->msg);
    mark_stamp(l);
    int named = s->dim <= NAMED_MAX ? s->dim : 0;
    qi_cdr_i32(&l->msg, named);
    for (int k = 0; k < named; k++) {
        element_name(s, k, name, sizeof name);
        qi_cdr_text(&l->msg, name);
    }
    qi_cdr_i32(&l->msg, s->dim);
    mark_values(l, s->dim);
}

static void make_signals(qiao_rec *r) {
    for (int i = 0; i < r->io->nsig; i++) {
        make_signal(r, &r->obs[i], "obs", &r->io->sig[i]);
        r->obs_stamp[i] = -1;
    }
    static const struct {
        const char *name, *unit;
    } cmd[CMD_COUNT] = {
        {"q", "rad"}, {"qd", "rad/s"}, {"kp", "N*m/rad"}, {"kd", "N*m*s/rad"}, {"tau", "N*m"}};
    for (int i = 0; i < CMD_COUNT; i++) {
        qiao_signal s = {.name = cmd[i].name, .unit = cmd[i].unit, .frame = "joint"};
        s.dim = s.nname = r->io->nu, s.element = r->io->act_name;
        make_signal(r, &r->cmd[i], "cmd", &s);
    }
}

static void make_joints(qiao_rec *r) {
    layout *l = &r->joints;
    l->channel = channel(r, QI_SCHEMA_JOINT, "/joint_states", NULL);
    qi_cdr_begin(&l->msg);
    mark_stamp(l);
    qi_cdr_text(&l->msg, "");
    qi_cdr_i32(&l->msg, r->njoint);
    for (int i = 0; i < r->njoint; i++) qi_cdr_text(&l->msg, r->m->jnt_name[r->joint[i]]);
    for (int k = 0; k < 3; k++) qi_cdr_i32(&l->msg, r->njoint), mark_values(l, r->njoint);
}

// Transforms world -> body of n bodies.
static void make_frames(qiao_rec *r, layout *l, const int *body, int n) {
    char name[64];
    qi_cdr_begin(&l->msg);
    qi_cdr_i32(&l->msg, n);
    for (int i = 0; i < n; i++) {
        mark_stamp(l);
        qi_cdr_text(&l->msg, "world");
        qi_cdr_text(&l->msg, qi_body_frame(r->m, body[i], name));
        mark_values(l, 7);
    }
}

static void put_frame(uint8_t *p, const double pos[3], const double quat[4]) { // ROS: x y z w
    memcpy(p, pos, 24), memcpy(p + 24, quat + 1, 24), memcpy(p + 48, quat, 8);
}

static const char *const latched[] = {"offered_qos_profiles",
                                      "- history: 1\n  depth: 1\n  reliability: 1\n"
                                      "  durability: 1\n",
                                      NULL};

// The frames that never move, once.
static qiao_err write_static(qiao_rec *r) {
    const qiao_model *m = r->m;
    layout l = {0};
    int n = 0, *body = calloc((size_t)m->nbody, sizeof *body);
    double *pos = calloc((size_t)m->nbody * 7, sizeof *pos), *quat = pos + 3 * m->nbody;
    if (body && pos) {
        for (int b = 1; b < m->nbody; b++)
            if (!qi_body_moves(m, b)) body[n++] = b;
        qi_body_rest(m, pos, quat);
        make_frames(r, &l, body, n);
        l.channel = channel(r, QI_SCHEMA_TF, "/tf_static", latched);
        if (!l.msg.failed)
            for (int i = 0; i < n; i++)
                put_frame(l.msg.p + l.value[i], pos + 3 * body[i], quat + 4 * body[i]);
        if (!l.msg.failed) qi_mcap_out_large(r->out, l.channel, 0, l.msg.p, l.msg.n);
    }
    bool ok = body && pos && !l.msg.failed;
    layout_free(&l), free(body), free(pos);
    return ok ? QIAO_OK : QIAO_E_MEM;
}

static qiao_err write_scene(qiao_rec *r) {
    qi_cdr_out o = {0};
    qiao_err e = qi_scene_write(r->m, &o);
    int c = channel(r, QI_SCHEMA_MARKERS, "/scene", latched);
    if (!e) qi_mcap_out_large(r->out, c, 0, o.p, o.n);
    free(o.p);
    return e;
}

// ---- opening ----

static void write_names(qiao_rec *r, const qiao_rec_def *def) {
    char seed[24], trial[24], period[24], world[QIAO_HASH_HEX],
        robot[QIAO_HASH_HEX] = "", scenario[QIAO_HASH_HEX] = "", brain[QIAO_HASH_HEX] = "";
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)def->seed);
    snprintf(trial, sizeof trial, "%llu", (unsigned long long)def->trial);
    snprintf(period, sizeof period, "%.9g", def->io->period);
    qiao_hash_hex(def->world->hash, world);
    if (def->io->robot) qiao_hash_hex(def->io->robot->hash, robot);
    if (def->scenario_hash) qiao_hash_hex(def->scenario_hash, scenario);
    if (def->brain_hash) qiao_hash_hex(def->brain_hash, brain);
#define TEXT(x) ((x) ? (x) : "")
    const char *title = def->io->robot && def->io->robot->title ? def->io->robot->title : "";
    const char *pairs[] = {"scenario",
                           TEXT(def->scenario),
                           "robot",
                           TEXT(def->robot),
                           "robot_title",
                           title,
                           "brain",
                           TEXT(def->brain),
                           "engine",
                           TEXT(def->engine),
                           "seed",
                           seed,
                           "trial",
                           trial,
                           "brain_step",
                           period,
                           "world_hash",
                           world,
                           "robot_hash",
                           robot,
                           "scenario_hash",
                           scenario,
                           "brain_hash",
                           brain,
                           "build",
                           TEXT(def->build),
                           NULL};
#undef TEXT
    qi_mcap_out_metadata(r->out, "qiao.trial", pairs);
}

// The names that the indices of qiao_msgs/Contacts mean, one a line.
static char *body_list(const qiao_model *m) {
    size_t n = 1;
    char name[64];
    for (int b = 0; b < m->nbody; b++) n += strlen(qi_body_frame(m, b, name)) + 1;
    char *text = malloc(n), *p = text;
    for (int b = 0; text && b < m->nbody; b++)
        p += sprintf(p, "%s%s", b ? "\n" : "", qi_body_frame(m, b, name));
    return text;
}

static qiao_err make_channels(qiao_rec *r) {
    make_frames(r, &r->tf, r->move, r->nmove);
    r->tf.channel = channel(r, QI_SCHEMA_TF, "/tf", NULL);
    make_joints(r);
    make_signals(r);
    char *bodies = body_list(r->m);
    if (!bodies) return QIAO_E_MEM;
    r->contacts =
        channel(r, QI_SCHEMA_CONTACTS, "/contacts", (const char *const[]){"bodies", bodies, NULL});
    free(bodies);
    r->arrows = channel(r, QI_SCHEMA_MARKERS, "/contact_forces", NULL);
    r->events = channel(r, QI_SCHEMA_LOG, "/events", NULL);
    r->score = channel(r, QI_SCHEMA_SCORE, "/score", NULL);
    bool failed = r->tf.msg.failed || r->joints.msg.failed;
    for (int i = 0; i < r->io->nsig; i++) failed |= r->obs[i].msg.failed;
    for (int i = 0; i < CMD_COUNT; i++) failed |= r->cmd[i].msg.failed;
    return failed ? QIAO_E_MEM : QIAO_OK;
}

static qiao_err make_arrays(qiao_rec *r) {
    const qiao_model *m = r->m;
    r->move = calloc((size_t)m->nbody + 1, sizeof *r->move);
    r->moves = calloc((size_t)m->nbody + 1, sizeof *r->moves);
    r->joint = calloc((size_t)m->njnt + 1, sizeof *r->joint);
    r->effort = calloc((size_t)m->njnt + 1, sizeof *r->effort);
    r->obs = calloc((size_t)r->io->nsig + 1, sizeof *r->obs);
    r->obs_stamp = calloc((size_t)r->io->nsig + 1, sizeof *r->obs_stamp);
    r->point = calloc(QIAO_CONTACT_MAX * 6, sizeof *r->point);
    if (!r->move || !r->moves || !r->joint || !r->effort || !r->obs || !r->obs_stamp || !r->point ||
        !qi_cdr_room(&r->scratch, SCRATCH_BYTES, 1))
        return QIAO_E_MEM;
    for (int b = 1; b < m->nbody; b++)
        if ((r->moves[b] = qi_body_moves(m, b))) r->move[r->nmove++] = b;
    for (int j = 0; j < m->njnt; j++)
        if (m->jnt_type[j] == QIAO_JOINT_HINGE || m->jnt_type[j] == QIAO_JOINT_SLIDE)
            r->joint[r->njoint++] = j;
    return QIAO_OK;
}

qiao_rec *qiao_rec_new(const qiao_rec_def *def, qiao_diag *d) {
    if (!(def->pose_rate_hz > 0) || !(def->signal_rate_hz > 0) || !def->path || !def->world ||
        !def->io) {
        qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0,
                      "a record needs a path, a world, its signals and rates above 0");
        return NULL;
    }
    qiao_rec *r = calloc(1, sizeof *r);
    if (!r) {
        qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
        return NULL;
    }
    r->m = def->world, r->io = def->io;
    r->pose_period_ns = llround(1e9 / def->pose_rate_hz);
    r->signal_period_ns = llround(1e9 / def->signal_rate_hz);
    r->out = qi_mcap_out_new(def->path, "ros2", "qiao", def->io->nsig + 16, d);
    qiao_err e = r->out ? make_arrays(r) : d->err;
    if (!e) write_names(r, def);
    if (!e) e = make_channels(r);
    if (!e && def->case_text)
        qi_mcap_out_attach(r->out, "case.osc", "text/plain", def->case_text,
                           strlen(def->case_text));
    if (!e && def->world_xml)
        qi_mcap_out_attach(r->out, "scene.xml", "text/xml", def->world_xml, strlen(def->world_xml));
    if (!e) e = write_static(r);
    if (!e) e = write_scene(r);
    if (!e) return r;
    qiao_diag_set(d, e, def->path, 0, 0, "%s", qiao_err_text(e));
    qiao_rec_free(r);
    return NULL;
}

void qiao_rec_free(qiao_rec *r) {
    if (!r) return;
    qi_mcap_out_free(r->out);
    layout_free(&r->tf), layout_free(&r->joints);
    for (int i = 0; r->obs && i < r->io->nsig; i++) layout_free(&r->obs[i]);
    for (int i = 0; i < CMD_COUNT; i++) layout_free(&r->cmd[i]);
    free(r->move), free(r->moves), free(r->joint), free(r->effort), free(r->obs),
        free(r->obs_stamp);
    free(r->point), free(r->scratch.p);
    free(r);
}

// ---- a step ----

static void write_scratch(qiao_rec *r, int to) {
    uint8_t *p = qi_mcap_out_begin(r->out, to, r->t_ns, r->scratch.n);
    if (!p) return;
    memcpy(p, r->scratch.p, r->scratch.n);
    qi_mcap_out_commit(r->out, r->scratch.n);
}

static void write_poses(qiao_rec *r, const qiao_truth *t) {
    uint8_t *p = layout_open(r, &r->tf, t->t_ns);
    if (!p) return;
    for (int i = 0; i < r->nmove; i++)
        put_frame(p + r->tf.value[i], t->body_pos + 3 * r->move[i], t->body_quat + 4 * r->move[i]);
    qi_mcap_out_commit(r->out, r->tf.msg.n);
}

// Whether the record shows a contact from the other side than the truth: the force on the body
// that moves is told, not the one on the floor.
static bool turned(const qiao_rec *r, const qiao_contact *c) {
    return !r->moves[c->body[1]] && r->moves[c->body[0]];
}

static void write_arrows(qiao_rec *r, const qiao_contact *c, int n) {
    qi_marker k = {.t_ns = r->t_ns,
                   .frame = "world",
                   .ns = "contact forces, 500 N/m",
                   .text = "",
                   .type = QI_MARKER_LINES,
                   .quat = {1},
                   .scale = {0.01},
                   .rgba = {0.95f, 0.45f, 0.1f, 1}};
    for (int i = 0; i < n; i++) {
        double scale = turned(r, &c[i]) ? -FORCE_SCALE : FORCE_SCALE;
        for (int x = 0; x < 3; x++) {
            r->point[6 * i + x] = c[i].pos_w[x];
            r->point[6 * i + 3 + x] = c[i].pos_w[x] + scale * c[i].force_w[x];
        }
    }
    k.npoint = 2 * n, k.point = r->point;
    qi_cdr_begin(&r->scratch);
    qi_cdr_i32(&r->scratch, 1);
    qi_marker_write(&r->scratch, &k);
    write_scratch(r, r->arrows);
}

static void write_contacts(qiao_rec *r, const qiao_truth *t) {
    int n = t->ncontact < QIAO_CONTACT_MAX ? t->ncontact : QIAO_CONTACT_MAX;
    qi_cdr_out *o = &r->scratch;
    const qiao_contact *c = t->contact;
    qi_cdr_begin(o);
    qi_cdr_time(o, t->t_ns);
    for (int side = 1; side >= 0; side--) { // the force is on body[1]
        qi_cdr_i32(o, n);
        for (int i = 0; i < n; i++) qi_cdr_i32(o, c[i].body[side ^ turned(r, &c[i])]);
    }
    qi_cdr_i32(o, 3 * n);
    for (int i = 0; i < n; i++) qi_cdr_f64s(o, c[i].pos_w, 3);
    qi_cdr_i32(o, 3 * n);
    for (int i = 0; i < n; i++)
        for (int x = 0; x < 3; x++)
            qi_cdr_f64(o, turned(r, &c[i]) ? -c[i].force_w[x] : c[i].force_w[x]);
    write_scratch(r, r->contacts);
    write_arrows(r, c, n);
}

static void write_joints(qiao_rec *r, const qiao_truth *t) {
    const qiao_model *m = r->m;
    uint8_t *p = layout_open(r, &r->joints, t->t_ns);
    if (!p) return;
    memset(r->effort, 0, (size_t)m->njnt * sizeof *r->effort);
    for (int u = 0; u < m->nu && t->tau; u++)
        if (m->act_joint[u] >= 0) r->effort[m->act_joint[u]] += m->act_gear[u] * t->tau[u];
    for (int i = 0; i < r->njoint; i++) {
        int j = r->joint[i];
        memcpy(p + r->joints.value[0] + 8 * i, &t->q[m->jnt_qadr[j]], 8);
        memcpy(p + r->joints.value[1] + 8 * i, &t->qd[m->jnt_vadr[j]], 8);
        memcpy(p + r->joints.value[2] + 8 * i, &r->effort[j], 8);
    }
    qi_mcap_out_commit(r->out, r->joints.msg.n);
}

static void write_values(qiao_rec *r, const layout *l, int64_t stamp_ns, const double *x, int n) {
    uint8_t *p = layout_open(r, l, stamp_ns);
    if (!p) return;
    if (n > 0) memcpy(p + l->value[0], x, (size_t)n * sizeof *x);
    qi_mcap_out_commit(r->out, l->msg.n);
}

static void write_signals(qiao_rec *r, const qiao_obs *obs, const qiao_cmd *cmd, int row) {
    for (int i = 0; obs && i < r->io->nsig; i++) { // a sample is written once
        int64_t stamp = obs->stamp_ns[row * obs->nsig + i];
        if (stamp < 0 || stamp == r->obs_stamp[i]) continue;
        r->obs_stamp[i] = stamp;
        const qiao_signal *s = &r->io->sig[i];
        write_values(r, &r->obs[i], stamp, obs->x + (size_t)row * (size_t)obs->nobs + s->adr,
                     s->dim);
    }
    if (!cmd) return;
    const double *x[CMD_COUNT] = {cmd->q, cmd->qd, cmd->kp, cmd->kd, cmd->tau};
    int64_t decided_ns = obs && obs->t_ns ? obs->t_ns[row] : r->t_ns;
    for (int i = 0; i < CMD_COUNT; i++)
        write_values(r, &r->cmd[i], decided_ns, x[i] + (size_t)row * (size_t)cmd->nu, cmd->nu);
}

// Whether a sample is due; the next one is a period later, on the grid.
static bool due(int64_t t_ns, int64_t period_ns, int64_t *next_ns) {
    if (t_ns < *next_ns) return false;
    *next_ns = (t_ns / period_ns + 1) * period_ns;
    return true;
}

void qiao_rec_step(qiao_rec *r, const qiao_truth *t, const qiao_obs *obs, const qiao_cmd *cmd,
                   int row) {
    r->t_ns = t->t_ns;
    if (due(t->t_ns, r->pose_period_ns, &r->pose_next_ns)) {
        write_poses(r, t);
        write_contacts(r, t);
    }
    if (due(t->t_ns, r->signal_period_ns, &r->signal_next_ns)) {
        write_joints(r, t);
        write_signals(r, obs, cmd, row);
    }
}

void qiao_rec_event(qiao_rec *r, const qiao_event *ev) {
    enum { INFO = 20 };
    qi_cdr_out *o = &r->scratch;
    r->t_ns = ev->t_ns;
    qi_cdr_begin(o);
    qi_cdr_time(o, ev->t_ns);
    qi_cdr_u8(o, INFO);
    qi_cdr_text(o, ev->name);
    qi_cdr_text(o, ev->text);
    qi_cdr_text(o, ""), qi_cdr_text(o, "");
    qi_cdr_i32(o, 0);
    write_scratch(r, r->events);
}

// ---- the end ----

static const char *verdict_name(qiao_verdict v) {
    return v == QIAO_PASSED ? "passed" : v == QIAO_FAILED ? "failed" : "running";
}

static const char *measure_kind(char kind) {
    return kind == 'c' ? "completion" : kind == 'p' ? "penalty" : "envelope";
}

static void write_score(qiao_rec *r, const qiao_score *s) {
    qi_cdr_out *o = &r->scratch;
    qi_cdr_begin(o);
    qi_cdr_time(o, r->t_ns);
    qi_cdr_text(o, verdict_name(s->verdict));
    qi_cdr_text(o, s->reason);
    qi_cdr_f64s(o, (double[3]){s->total, s->completion, s->time}, 3);
    qi_cdr_i32(o, s->nmeasure);
    for (int i = 0; i < s->nmeasure; i++) {
        const qiao_measure *m = &s->measure[i];
        qi_cdr_text(o, m->name ? m->name : "");
        qi_cdr_text(o, m->unit ? m->unit : "");
        qi_cdr_text(o, measure_kind(m->kind));
        qi_cdr_f64s(o, (double[3]){m->value, m->limit, m->weight}, 3);
        qi_cdr_u8(o, m->broken);
    }
    write_scratch(r, r->score);
}

qiao_err qiao_rec_end(qiao_rec *r, const qiao_score *score, const uint8_t trace[QIAO_HASH_BYTES],
                      qiao_diag *d) {
    char total[32], time[32], hex[QIAO_HASH_HEX] = "";
    if (score->nmeasure < 0 || score->nmeasure > QIAO_SCORE_MAX)
        return qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0, "a score of %d measures", score->nmeasure);
    write_score(r, score);
    snprintf(total, sizeof total, "%.17g", score->total);
    snprintf(time, sizeof time, "%.17g", score->time);
    if (trace) qiao_hash_hex(trace, hex);
    const char *pairs[] = {"verdict", verdict_name(score->verdict),
                           "total",   total,
                           "time",    time,
                           "reason",  score->reason,
                           "trace",   hex,
                           NULL};
    qi_mcap_out_metadata(r->out, "qiao.result", pairs);
    return qi_mcap_out_end(r->out, d);
}
