// SPDX-License-Identifier: Apache-2.0
// tape.c - unrolls a record into arrays.
#include "rec/tape.h"
#include "rec/cdr.h"
#include "rec/scene.h"
#include "rec/schema.h"

#include <math.h>
#include <stdio.h>

enum {
    BODIES_MAX = 4096,
    SLOTS = 16384,
    DIM_MAX = 4096,
    SIGNALS_MAX = 1024,
    POSE_NUMBERS_MAX = 1 << 27
};

typedef struct reader {
    qi_tape *t;
    qiao_diag *d;
    int kind[4096];   // [nchannel] qi_schema or -1
    int signal[4096]; // [nchannel] first signal of the channel, -1: none yet
    uint64_t seen[4096];
    int channel;
    bool no_memory;
} reader;

static qiao_err fault(reader *r, qiao_err e, const char *what) {
    if (r->no_memory) e = QIAO_E_MEM, what = "out of memory";
    const qi_mcap *f = r->t->file;
    return qiao_diag_set(r->d, e, NULL, 0, 0, "%.300s: %.100s: message %llu: %s", f->path,
                         f->channel[r->channel].topic, (unsigned long long)r->seen[r->channel],
                         what);
}

// Room for one more item in an array that grows at powers of two.
static void *push(void **array, int n, size_t size) {
    if ((n & (n - 1)) == 0) {
        void *p = realloc(*array, (size_t)(n ? 2 * n : 1) * size);
        if (!p) return NULL;
        *array = p;
    }
    return memset((char *)*array + (size_t)n * size, 0, size);
}

static const char *keep(reader *r, const char *s, size_t n) {
    const char *p = qiao_arena_text(r->t->file->arena, s, n);
    if (!p) r->no_memory = true;
    return p ? p : "";
}
static const char *get_text(reader *r, qi_cdr_in *c) {
    size_t n;
    const char *s = qi_cdr_get_text(c, &n);
    return keep(r, s, n);
}

// ---- frames ----

// Body of that name; added if it is new and add is true; -1 if not there or no room.
static int body_find(reader *r, const char *name, size_t n, bool add) {
    qi_tape *t = r->t;
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < n; i++) h = (h ^ (uint8_t)name[i]) * 16777619u;
    for (uint32_t s = h % SLOTS;; s = (s + 1) % SLOTS) {
        if (t->slot[s]) {
            const char *have = t->body[t->slot[s] - 1].name;
            if (strlen(have) == n && !memcmp(have, name, n)) return t->slot[s] - 1;
            continue;
        }
        if (!add || t->nbody >= BODIES_MAX) return -1;
        const char *copy = qiao_arena_text(t->file->arena, name, n);
        qi_tape_body *b = copy ? push((void **)&t->body, t->nbody, sizeof *b) : NULL;
        if (!b) {
            r->no_memory = true;
            return -1;
        }
        *b = (qi_tape_body){.name = copy, .column = -1, .quat = {1}};
        t->slot[s] = (uint16_t)++t->nbody;
        return t->nbody - 1;
    }
}

static bool finite_all(const double *x, int n) {
    for (int i = 0; i < n; i++)
        if (!isfinite(x[i]) || fabs(x[i]) > 1e9) return false;
    return true;
}

// Position and quaternion; ROS says x y z w, the tape w x y z of length 1.
static bool get_pose(qi_cdr_in *c, double pos[3], double quat[4]) {
    double q[4];
    qi_cdr_get_f64s(c, pos, 3);
    qi_cdr_get_f64s(c, q, 4);
    double len = sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]);
    if (c->bad || !finite_all(pos, 3) || !finite_all(q, 4) || !(len > 1e-6)) return false;
    quat[0] = q[3] / len;
    for (int i = 0; i < 3; i++) quat[i + 1] = q[i] / len;
    return true;
}

static qiao_err new_frame(reader *r, int64_t t_ns) {
    qi_tape *t = r->t;
    size_t row = (size_t)t->ncolumn * 7;
    if ((size_t)t->nframe * row > POSE_NUMBERS_MAX)
        return fault(r, QIAO_E_LIMIT, "more than 134217728 numbers of poses");
    if ((t->nframe & (t->nframe - 1)) == 0) {
        size_t cap = t->nframe ? 2 * (size_t)t->nframe : 1;
        int64_t *ns = realloc(t->frame_ns, cap * sizeof *ns);
        if (ns) t->frame_ns = ns;
        double *p = realloc(t->pose, (cap * row + 1) * sizeof *p);
        if (p) t->pose = p;
        if (!ns || !p) return fault(r, QIAO_E_MEM, "out of memory");
    }
    double *to = t->pose + (size_t)t->nframe * row;
    if (t->nframe && row) memcpy(to, to - row, row * sizeof *to); // missing ones stay
    t->frame_ns[t->nframe++] = t_ns;
    return QIAO_OK;
}

static qiao_err read_tf(reader *r, qi_cdr_in c, int64_t t_ns, bool fixed) {
    qi_tape *t = r->t;
    uint32_t n = qi_cdr_get_u32(&c);
    bool first = !fixed && t->nframe == 0;
    for (int pass = first ? 0 : 1; pass < 2; pass++) { // the first frame says which bodies move
        qi_cdr_in in = c;
        if (pass == 1 && !fixed) {
            if (t->nframe && t_ns < t->frame_ns[t->nframe - 1])
                return fault(r, QIAO_E_FORMAT, "transforms that go back in time");
            qiao_err e = new_frame(r, t_ns);
            if (e) return e;
        }
        for (uint32_t i = 0; i < n && !in.bad; i++) {
            size_t nf, nc;
            double pos[3], quat[4];
            qi_cdr_get_time(&in);
            qi_cdr_get_text(&in, &nf);
            const char *child = qi_cdr_get_text(&in, &nc);
            if (!get_pose(&in, pos, quat))
                return fault(r, QIAO_E_FORMAT, "a transform that is cut off or not finite");
            int b = body_find(r, child, nc, fixed || pass == 0);
            if (b < 0 && (fixed || pass == 0))
                return fault(r, QIAO_E_LIMIT, "more than 4096 frames");
            if (fixed)
                memcpy(t->body[b].pos, pos, sizeof pos), memcpy(t->body[b].quat, quat, 32);
            else if (pass == 0 && t->body[b].column < 0)
                t->body[b].column = t->ncolumn++;
            else if (pass == 1 && b >= 0 && t->body[b].column >= 0) {
                double *to =
                    t->pose +
                    ((size_t)(t->nframe - 1) * (size_t)t->ncolumn + (size_t)t->body[b].column) * 7;
                memcpy(to, pos, sizeof pos), memcpy(to + 3, quat, sizeof quat);
            }
        }
        if (in.bad) return fault(r, QIAO_E_FORMAT, "fewer transforms than it says");
    }
    return QIAO_OK;
}

// ---- geometry ----

// Triangles as indexed vertices: equal corners become one.
static qiao_err index_triangles(reader *r, qi_tape_geom *g, const uint8_t *p, uint32_t npoint) {
    size_t slots = 64;
    while (slots < 2 * (size_t)npoint) slots *= 2;
    int *slot = calloc(slots, sizeof *slot);
    g->vert = malloc((size_t)npoint * 3 * sizeof *g->vert + 1);
    g->face = malloc((size_t)npoint * sizeof *g->face + 1);
    if (!slot || !g->vert || !g->face) {
        free(slot);
        return fault(r, QIAO_E_MEM, "out of memory");
    }
    for (uint32_t i = 0; i < npoint / 3 * 3; i++) {
        double x[3];
        memcpy(x, p + 24 * (size_t)i, sizeof x);
        float v[3] = {(float)x[0], (float)x[1], (float)x[2]};
        if (!finite_all(x, 3)) v[0] = v[1] = v[2] = 0;
        uint32_t h = 2166136261u, bits[3];
        memcpy(bits, v, sizeof bits);
        for (int k = 0; k < 3; k++) h = (h ^ bits[k]) * 16777619u, h ^= h >> 15;
        size_t s = h & (slots - 1);
        while (slot[s] && memcmp(g->vert + 3 * (slot[s] - 1), v, sizeof v) != 0)
            s = (s + 1) & (slots - 1);
        if (!slot[s]) memcpy(g->vert + 3 * g->nvert, v, sizeof v), slot[s] = ++g->nvert;
        g->face[i] = slot[s] - 1;
    }
    g->nface = (int)(npoint / 3);
    free(slot);
    return QIAO_OK;
}

static qiao_err read_marker(reader *r, qi_cdr_in *c) {
    qi_tape *t = r->t;
    size_t nframe, nns, n;
    qi_cdr_get_time(c);
    const char *frame = qi_cdr_get_text(c, &nframe);
    qi_cdr_get_text(c, &nns);
    qi_cdr_get_i32(c);
    qi_tape_geom g = {.type = qi_cdr_get_i32(c)};
    int action = qi_cdr_get_i32(c);
    bool ok = get_pose(c, g.pos, g.quat);
    qi_cdr_get_f64s(c, g.scale, 3);
    for (int i = 0; i < 4; i++) g.rgba[i] = qi_cdr_get_f32(c);
    qi_cdr_get_time(c), qi_cdr_get_u8(c);
    uint32_t npoint = qi_cdr_get_u32(c);
    const uint8_t *point = qi_cdr_take(c, 8, 3 * (size_t)npoint);
    qi_cdr_take(c, 4, 4 * (size_t)qi_cdr_get_u32(c)); // colors
    qi_cdr_get_text(c, &n), qi_cdr_get_time(c), qi_cdr_get_text(c, &n), qi_cdr_get_text(c, &n);
    qi_cdr_take(c, 1, qi_cdr_get_u32(c));
    qi_cdr_take(c, 4, 2 * (size_t)qi_cdr_get_u32(c));
    g.kind = get_text(r, c);
    qi_cdr_get_text(c, &n), qi_cdr_get_text(c, &n);
    qi_cdr_take(c, 1, qi_cdr_get_u32(c));
    qi_cdr_get_u8(c);
    for (int i = 0; i < 4; i++) ok &= g.rgba[i] >= 0 && g.rgba[i] <= 1;
    if (c->bad || !ok || !finite_all(g.scale, 3))
        return fault(r, QIAO_E_FORMAT, "a marker that is cut off or not finite");
    if (action != 0) return QIAO_OK;
    g.body = body_find(r, frame, nframe, true);
    if (g.body < 0) return fault(r, QIAO_E_LIMIT, "more than 4096 frames");
    qiao_err e = QIAO_OK;
    if (g.type == QI_MARKER_TRIANGLES) e = index_triangles(r, &g, point, npoint);
    qi_tape_geom *to = e ? NULL : push((void **)&t->geom, t->ngeom, sizeof *to);
    if (to)
        *to = g, t->ngeom++;
    else
        free(g.vert), free(g.face);
    return to || e ? e : fault(r, QIAO_E_MEM, "out of memory");
}

static qiao_err read_markers(reader *r, qi_cdr_in c) {
    uint32_t n = qi_cdr_get_u32(&c);
    if (n > 100000) return fault(r, QIAO_E_LIMIT, "more than 100000 markers");
    for (uint32_t i = 0; i < n; i++) {
        qiao_err e = read_marker(r, &c);
        if (e) return e;
    }
    return QIAO_OK;
}

// ---- signals ----

static const char *pair_value(const qi_mcap_channel *c, const char *key) {
    for (int i = 0; i < c->npair; i++)
        if (!strcmp(c->pair[i].key, key)) return c->pair[i].value;
    return "";
}

// Signals of a channel, made by its first message: one, or three of a JointState.
static qiao_err make_signals(reader *r, int count, uint32_t nname, qi_cdr_in names, uint32_t dim) {
    static const char *const part[] = {"/position", "/velocity", "/effort"};
    qi_tape *t = r->t;
    const qi_mcap_channel *ch = &t->file->channel[r->channel];
    if (dim > DIM_MAX) return fault(r, QIAO_E_LIMIT, "more than 4096 values");
    if (t->nsignal + count > SIGNALS_MAX) return fault(r, QIAO_E_LIMIT, "more than 1024 signals");
    if (nname != dim) nname = 0;
    const char **element = qiao_arena_get(t->file->arena, (nname + 1) * sizeof *element);
    if (!element) return fault(r, QIAO_E_MEM, "out of memory");
    for (uint32_t i = 0; i < nname; i++) element[i] = get_text(r, &names);
    r->signal[r->channel] = t->nsignal;
    for (int k = 0; k < count; k++) {
        qi_tape_signal *s = push((void **)&t->signal, t->nsignal, sizeof *s);
        if (!s) return fault(r, QIAO_E_MEM, "out of memory");
        char name[300];
        snprintf(name, sizeof name, "%.250s%s", ch->topic, count > 1 ? part[k] : "");
        *s = (qi_tape_signal){.name = keep(r, name, strlen(name)),
                              .unit = pair_value(ch, "unit"),
                              .dim = (int)dim,
                              .nname = (int)nname,
                              .element = element,
                              .channel = r->channel,
                              .part = k};
        t->nsignal++;
    }
    return QIAO_OK;
}

static qiao_err add_sample(reader *r, qi_tape_signal *s, int64_t t_ns, int64_t stamp_ns,
                           const uint8_t *x) {
    if (s->n == s->cap) {
        size_t cap = s->cap ? 2 * (size_t)s->cap : 64;
        int64_t *ns = realloc(s->t_ns, cap * sizeof *ns);
        if (ns) s->t_ns = ns;
        int64_t *stamp = realloc(s->stamp_ns, cap * sizeof *stamp);
        if (stamp) s->stamp_ns = stamp;
        double *v = realloc(s->value, (cap * (size_t)s->dim + 1) * sizeof *v);
        if (v) s->value = v;
        if (!ns || !stamp || !v) return fault(r, QIAO_E_MEM, "out of memory");
        s->cap = (int)cap;
    }
    s->t_ns[s->n] = t_ns, s->stamp_ns[s->n] = stamp_ns;
    if (x) memcpy(s->value + (size_t)s->n * (size_t)s->dim, x, (size_t)s->dim * 8);
    s->n++;
    return QIAO_OK;
}

static qiao_err read_values(reader *r, qi_cdr_in c, int64_t t_ns, int count) {
    qi_tape *t = r->t;
    size_t n;
    int64_t stamp_ns = qi_cdr_get_time(&c);
    if (count == 3) qi_cdr_get_text(&c, &n); // JointState: frame
    uint32_t nname = qi_cdr_get_u32(&c);
    qi_cdr_in names = c;
    for (uint32_t i = 0; i < nname && !c.bad; i++) qi_cdr_get_text(&c, &n);
    for (int k = 0; k < count; k++) {
        uint32_t dim = qi_cdr_get_u32(&c);
        const uint8_t *x = qi_cdr_take(&c, 8, dim);
        if (c.bad) return fault(r, QIAO_E_FORMAT, "fewer names or values than it says");
        qiao_err e = QIAO_OK;
        if (k == 0 && r->signal[r->channel] < 0) e = make_signals(r, count, nname, names, dim);
        if (e) return e;
        qi_tape_signal *s = &t->signal[r->signal[r->channel] + k];
        if ((int)dim != s->dim && dim == 0) continue; // a JointState may leave out a part
        if (dim > DIM_MAX || (int)dim != s->dim)
            return fault(r, QIAO_E_FORMAT, "another number of values than the first message had");
        if ((e = add_sample(r, s, t_ns, stamp_ns, x))) return e;
    }
    return QIAO_OK;
}

// ---- the rest ----

static qiao_err read_log(reader *r, qi_cdr_in c, int64_t t_ns) {
    qi_cdr_get_time(&c), qi_cdr_get_u8(&c);
    qi_tape_event ev = {t_ns, get_text(r, &c), get_text(r, &c)};
    if (c.bad) return fault(r, QIAO_E_FORMAT, "an event that is cut off");
    qi_tape_event *to = push((void **)&r->t->event, r->t->nevent, sizeof *to);
    if (!to) return fault(r, QIAO_E_MEM, "out of memory");
    *to = ev, r->t->nevent++;
    return QIAO_OK;
}

static qiao_err read_contacts(reader *r, qi_cdr_in c) {
    qi_tape *t = r->t;
    qi_cdr_get_time(&c);
    uint32_t n = qi_cdr_get_u32(&c);
    qi_cdr_take(&c, 4, n);
    qi_cdr_take(&c, 4, qi_cdr_get_u32(&c));
    uint32_t np = qi_cdr_get_u32(&c);
    const uint8_t *pos = qi_cdr_take(&c, 8, np);
    uint32_t nf = qi_cdr_get_u32(&c);
    const uint8_t *force = qi_cdr_take(&c, 8, nf);
    if (c.bad || np / 3 != n || nf / 3 != n || np % 3 || nf % 3)
        return fault(r, QIAO_E_FORMAT, "contacts whose numbers do not fit together");
    for (uint32_t i = 0; i < n; i++) {
        qi_tape_contact k = {.frame = t->nframe ? t->nframe - 1 : 0};
        memcpy(k.pos, pos + 24 * (size_t)i, 24), memcpy(k.force, force + 24 * (size_t)i, 24);
        if (!finite_all(k.pos, 3) || !finite_all(k.force, 3)) continue;
        qi_tape_contact *to = push((void **)&t->contact, t->ncontact, sizeof *to);
        if (!to) return fault(r, QIAO_E_MEM, "out of memory");
        *to = k, t->ncontact++;
    }
    return QIAO_OK;
}

static qiao_err read_score(reader *r, qi_cdr_in c) {
    qi_tape *t = r->t;
    qi_cdr_get_time(&c);
    t->verdict = get_text(r, &c), t->reason = get_text(r, &c);
    t->total = qi_cdr_get_f64(&c), t->completion = qi_cdr_get_f64(&c);
    t->time = qi_cdr_get_f64(&c);
    uint32_t n = qi_cdr_get_u32(&c);
    if (c.bad || n > 1000) return fault(r, QIAO_E_FORMAT, "a score that is cut off");
    free(t->measure);
    t->nmeasure = 0, t->measure = calloc(n + 1, sizeof *t->measure);
    if (!t->measure) return fault(r, QIAO_E_MEM, "out of memory");
    for (uint32_t i = 0; i < n; i++) {
        qi_tape_measure *m = &t->measure[t->nmeasure++];
        m->name = get_text(r, &c), m->unit = get_text(r, &c), m->kind = get_text(r, &c);
        m->value = qi_cdr_get_f64(&c), m->limit = qi_cdr_get_f64(&c);
        m->weight = qi_cdr_get_f64(&c), m->broken = qi_cdr_get_u8(&c) != 0;
    }
    if (c.bad) return fault(r, QIAO_E_FORMAT, "fewer measures than it says");
    t->scored = true;
    return QIAO_OK;
}

static qiao_err read_message(reader *r, int kind, const char *topic, int64_t t_ns, qi_cdr_in c) {
    switch (kind) {
    case QI_SCHEMA_TF: return read_tf(r, c, t_ns, strcmp(topic, "/tf_static") == 0);
    case QI_SCHEMA_MARKERS: return strcmp(topic, "/scene") == 0 ? read_markers(r, c) : QIAO_OK;
    case QI_SCHEMA_JOINT: return read_values(r, c, t_ns, 3);
    case QI_SCHEMA_SIGNAL: return read_values(r, c, t_ns, 1);
    case QI_SCHEMA_CONTACTS: return read_contacts(r, c);
    case QI_SCHEMA_LOG: return read_log(r, c, t_ns);
    default: return read_score(r, c);
    }
}

static qiao_err visit(void *ctx, int channel, uint64_t t_ns, const uint8_t *data, size_t bytes) {
    reader *r = ctx;
    const char *topic = r->t->file->channel[channel].topic;
    int kind = r->kind[channel];
    if (kind < 0) return QIAO_OK;
    r->channel = channel, r->seen[channel]++;
    qi_cdr_in c = qi_cdr_open(data, bytes);
    if (c.bad)
        return fault(r, QIAO_E_FORMAT, "not CDR, little-endian (its first bytes are not 0 1)");
    qiao_err e = read_message(r, kind, topic, (int64_t)t_ns, c);
    return e || !r->no_memory ? e : fault(r, QIAO_E_MEM, "out of memory");
}

qi_tape *qi_tape_read(qi_mcap *f, qiao_diag *d) {
    qi_tape *t = calloc(1, sizeof *t);
    reader *r = calloc(1, sizeof *r);
    qiao_err e = QIAO_E_MEM;
    if (!t) qi_mcap_close(f);
    if (t) t->file = f, t->slot = calloc(SLOTS, sizeof *t->slot);
    if (t && r && t->slot) {
        t->verdict = t->reason = "";
        r->t = t, r->d = d;
        for (int i = 0; i < f->nchannel; i++) {
            const char *name = qi_mcap_schema_name(f, &f->channel[i]);
            r->kind[i] = r->signal[i] = -1;
            for (int s = 0; s < QI_SCHEMA_COUNT; s++)
                if (!strcmp(name, qi_schema_name(s)) && !strcmp(f->channel[i].encoding, "cdr"))
                    r->kind[i] = s;
        }
        e = body_find(r, "world", 5, true) < 0 ? QIAO_E_MEM : qi_mcap_each(f, visit, r, d);
    }
    free(r);
    if (!e) return t;
    qiao_diag_set(d, e, NULL, 0, 0, "%s", qiao_err_text(e));
    qi_tape_free(t);
    return NULL;
}

qi_tape *qi_tape_load(const char *path, qiao_diag *d) {
    qi_mcap *f = qi_mcap_open(path, d);
    return f ? qi_tape_read(f, d) : NULL;
}

void qi_tape_free(qi_tape *t) {
    if (!t) return;
    for (int i = 0; i < t->ngeom; i++) free(t->geom[i].vert), free(t->geom[i].face);
    for (int i = 0; i < t->nsignal; i++)
        free(t->signal[i].t_ns), free(t->signal[i].stamp_ns), free(t->signal[i].value);
    free(t->body), free(t->geom), free(t->frame_ns), free(t->pose), free(t->signal);
    free(t->event), free(t->contact), free(t->measure), free(t->slot);
    qi_mcap_close(t->file);
    free(t);
}
