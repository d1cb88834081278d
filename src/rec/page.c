// SPDX-License-Identifier: Apache-2.0
// page.c - one self-contained replay page from a record: the viewer's files, three.js, and the
// record as poses (not pixels), quantised, delta coded, split into byte planes and deflated.
//
// The data block, after base64 and zlib: u32 length of the JSON text, the text, then the bytes of
// all series. A series is [offset, bytes, count, base, scale]: value k is base + scale * q[k],
// where q is the running sum of zigzag numbers whose lowest bytes come first, all in a row, then
// the second lowest, and so on.
#include "base/json.h"
#include "qiao/rec.h"
#include "rec/embed.h"
#include "rec/tape.h"

#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { POSE_VALUES_MAX = 6000000, SIGNAL_VALUES_MAX = 4000000, PLOT_DIM_MAX = 64 };
enum { MESH_LEVELS = 65535, SIGNAL_LEVELS = 16383 }; // of a mesh's width, of a signal's range
static const double POS_STEP = 1e-4, QUAT_STEP = 1.0 / 32767, TIME_STEP = 1e-5, FORCE_STEP = 0.05;

typedef struct bytes {
    uint8_t *p;
    size_t n, cap;
    bool failed;
} bytes;

static uint8_t *more(bytes *b, size_t n) {
    if (b->n + n > b->cap) {
        size_t cap = 2 * (b->n + n) + 4096;
        uint8_t *p = b->failed ? NULL : realloc(b->p, cap);
        if (!p) {
            b->failed = true;
            return NULL;
        }
        b->p = p, b->cap = cap;
    }
    b->n += n;
    return b->p + b->n - n;
}

static void append(bytes *b, const char *p, size_t n) {
    uint8_t *to = more(b, n);
    if (to) memcpy(to, p, n);
}

typedef struct page {
    const qi_tape *t;
    qi_json j;
    bytes bin;
    uint32_t *q; // [q_cap] scratch
    size_t q_cap;
    bool failed;
} page;

// Appends n values (every stride-th of x) as a series and names it in the JSON text.
static void put_series(page *p, const char *key, const double *x, size_t n, size_t stride,
                       double base, double scale) {
    if (n > p->q_cap) {
        free(p->q);
        p->q = malloc((n + 1) * sizeof *p->q), p->q_cap = p->q ? n : 0;
    }
    if (!p->q && n) {
        p->failed = true;
        return;
    }
    uint32_t all = 0;
    int64_t before = 0;
    for (size_t i = 0; i < n; i++) {
        double v = (x[i * stride] - base) / scale;
        int64_t k = isfinite(v) ? llround(fmin(fmax(v, -5e8), 5e8)) : before;
        int64_t step = k - before;
        p->q[i] = (uint32_t)(step < 0 ? -2 * step - 1 : 2 * step); // zigzag
        all |= p->q[i], before = k;
    }
    int width = all >> 24 ? 4 : all >> 16 ? 3 : all >> 8 ? 2 : all ? 1 : 0;
    size_t at = p->bin.n;
    uint8_t *to = more(&p->bin, n * (size_t)width);
    for (int plane = 0; to && plane < width; plane++)
        for (size_t i = 0; i < n; i++) *to++ = (uint8_t)(p->q[i] >> 8 * plane);
    qi_json_open(&p->j, key, '[');
    qi_json_int(&p->j, NULL, (long long)at);
    qi_json_int(&p->j, NULL, width);
    qi_json_int(&p->j, NULL, (long long)n);
    qi_json_num(&p->j, NULL, base);
    qi_json_num(&p->j, NULL, scale);
    qi_json_close(&p->j, ']');
}

// The same with base and scale chosen so that q runs from 0 to levels.
static void put_fitted(page *p, const char *key, const double *x, size_t n, size_t stride,
                       int levels) {
    double lo = INFINITY, hi = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        double v = x[i * stride];
        if (isfinite(v)) lo = fmin(lo, v), hi = fmax(hi, v);
    }
    if (!(hi >= lo)) lo = hi = 0;
    put_series(p, key, x, n, stride, lo, hi > lo ? (hi - lo) / levels : 1);
}

static void put_numbers(page *p, const char *key, const double *x, int n) {
    qi_json_open(&p->j, key, '[');
    for (int i = 0; i < n; i++) qi_json_num(&p->j, NULL, x[i]);
    qi_json_close(&p->j, ']');
}

static void put_metadata(page *p, const char *key, const char *record) {
    const qi_mcap *f = p->t->file;
    qi_json_open(&p->j, key, '{');
    for (int i = 0; i < f->nmeta; i++)
        for (int k = 0; k < f->meta[i].npair && !strcmp(f->meta[i].name, record); k++)
            qi_json_str(&p->j, f->meta[i].pair[k].key, f->meta[i].pair[k].value);
    qi_json_close(&p->j, '}');
}

static void put_score(page *p) {
    const qi_tape *t = p->t;
    if (!t->scored) return;
    qi_json *j = &p->j;
    qi_json_open(j, "score", '{');
    qi_json_str(j, "verdict", t->verdict);
    qi_json_str(j, "reason", t->reason);
    qi_json_num(j, "total", t->total);
    qi_json_num(j, "completion", t->completion);
    qi_json_num(j, "time", t->time);
    qi_json_open(j, "measures", '[');
    for (int i = 0; i < t->nmeasure; i++) {
        const qi_tape_measure *m = &t->measure[i];
        qi_json_open(j, NULL, '{');
        qi_json_str(j, "name", m->name);
        qi_json_str(j, "unit", m->unit);
        qi_json_str(j, "kind", m->kind);
        qi_json_num(j, "value", m->value);
        qi_json_num(j, "limit", m->limit);
        qi_json_num(j, "weight", m->weight);
        qi_json_bool(j, "broken", m->broken);
        qi_json_close(j, '}');
    }
    qi_json_close(j, ']');
    qi_json_close(j, '}');
}

static void put_bodies(page *p) {
    qi_json_open(&p->j, "bodies", '[');
    for (int i = 0; i < p->t->nbody; i++) {
        const qi_tape_body *b = &p->t->body[i];
        qi_json_open(&p->j, NULL, '{');
        qi_json_str(&p->j, "name", b->name);
        qi_json_int(&p->j, "column", b->column);
        if (b->column < 0) put_numbers(p, "pos", b->pos, 3), put_numbers(p, "quat", b->quat, 4);
        qi_json_close(&p->j, '}');
    }
    qi_json_close(&p->j, ']');
}

static void put_mesh(page *p, const qi_tape_geom *g) {
    size_t nv = (size_t)g->nvert, nf = 3 * (size_t)g->nface, n = 3 * nv > nf ? 3 * nv : nf;
    double *x = malloc((n + 1) * sizeof *x);
    if (!x) {
        p->failed = true;
        return;
    }
    for (size_t i = 0; i < 3 * nv; i++) x[i] = (double)g->vert[i];
    qi_json_open(&p->j, "vert", '[');
    for (size_t k = 0; k < 3; k++) put_fitted(p, NULL, x + k, nv, 3, MESH_LEVELS);
    qi_json_close(&p->j, ']');
    for (size_t i = 0; i < nf; i++) x[i] = g->face[i];
    put_series(p, "face", x, nf, 1, 0, 1);
    free(x);
}

static void put_geoms(page *p) {
    qi_json_open(&p->j, "geoms", '[');
    for (int i = 0; i < p->t->ngeom; i++) {
        const qi_tape_geom *g = &p->t->geom[i];
        double rgba[4] = {(double)g->rgba[0], (double)g->rgba[1], (double)g->rgba[2],
                          (double)g->rgba[3]};
        qi_json_open(&p->j, NULL, '{');
        qi_json_int(&p->j, "body", g->body);
        qi_json_int(&p->j, "type", g->type);
        qi_json_str(&p->j, "kind", g->kind);
        put_numbers(p, "pos", g->pos, 3);
        put_numbers(p, "quat", g->quat, 4);
        put_numbers(p, "scale", g->scale, 3);
        put_numbers(p, "rgba", rgba, 4);
        if (g->nface > 0) put_mesh(p, g);
        qi_json_close(&p->j, '}');
    }
    qi_json_close(&p->j, ']');
}

// Every step-th of n so that step is the least with values / step <= most.
static size_t thin(double values, double most) {
    return values > most ? (size_t)ceil(values / most) : 1;
}

static void put_times(page *p, const char *key, const int64_t *t_ns, size_t n, size_t step) {
    double *x = malloc((n + 1) * sizeof *x);
    if (!x) {
        p->failed = true;
        return;
    }
    for (size_t i = 0; i < n; i++) x[i] = (double)t_ns[i * step] * 1e-9;
    put_series(p, key, x, n, 1, 0, TIME_STEP);
    free(x);
}

static size_t put_frames(page *p) {
    const qi_tape *t = p->t;
    size_t row = (size_t)t->ncolumn * 7;
    size_t step = thin((double)t->nframe * (double)row, POSE_VALUES_MAX);
    size_t n = ((size_t)t->nframe + step - 1) / step;
    // one sign for a quaternion all along, so that it moves by small steps
    for (size_t c = 0; c < (size_t)t->ncolumn; c++)
        for (size_t i = 1; i < (size_t)t->nframe; i++) {
            double *a = t->pose + i * row + c * 7 + 3, *b = a - row;
            if (a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3] < 0)
                for (int k = 0; k < 4; k++) a[k] = -a[k];
        }
    put_times(p, "frame_t", t->frame_ns, n, step);
    qi_json_open(&p->j, "poses", '[');
    for (size_t c = 0; c < row; c++)
        put_series(p, NULL, t->pose + c, n, row * step, 0, c % 7 < 3 ? POS_STEP : QUAT_STEP);
    qi_json_close(&p->j, ']');
    qi_json_int(&p->j, "pose_step", (long long)step);
    return step;
}

static void put_signals(page *p) {
    const qi_tape *t = p->t;
    double values = 0;
    for (int i = 0; i < t->nsignal; i++)
        if (t->signal[i].dim <= PLOT_DIM_MAX) values += (double)t->signal[i].n * t->signal[i].dim;
    size_t step = thin(values, SIGNAL_VALUES_MAX);
    qi_json_int(&p->j, "signal_step", (long long)step);
    qi_json_open(&p->j, "signals", '[');
    for (int i = 0; i < t->nsignal; i++) {
        const qi_tape_signal *s = &t->signal[i];
        size_t dim = (size_t)s->dim, n = ((size_t)s->n + step - 1) / step;
        qi_json_open(&p->j, NULL, '{');
        qi_json_str(&p->j, "name", s->name);
        qi_json_str(&p->j, "unit", s->unit);
        qi_json_int(&p->j, "dim", s->dim);
        qi_json_open(&p->j, "names", '[');
        for (int k = 0; k < s->nname && s->dim <= PLOT_DIM_MAX; k++)
            qi_json_str(&p->j, NULL, s->element[k]);
        qi_json_close(&p->j, ']');
        if (s->dim <= PLOT_DIM_MAX) { // grids stay in the record
            put_times(p, "t", s->t_ns, n, step);
            qi_json_open(&p->j, "v", '[');
            for (size_t k = 0; k < dim; k++)
                put_fitted(p, NULL, s->value + k, n, dim * step, SIGNAL_LEVELS);
            qi_json_close(&p->j, ']');
        }
        qi_json_close(&p->j, '}');
    }
    qi_json_close(&p->j, ']');
}

static void put_events(page *p) {
    qi_json_open(&p->j, "events", '[');
    for (int i = 0; i < p->t->nevent; i++) {
        qi_json_open(&p->j, NULL, '{');
        qi_json_num(&p->j, "t", (double)p->t->event[i].t_ns * 1e-9);
        qi_json_str(&p->j, "name", p->t->event[i].name);
        qi_json_str(&p->j, "text", p->t->event[i].text);
        qi_json_close(&p->j, '}');
    }
    qi_json_close(&p->j, ']');
}

static void put_contacts(page *p, size_t step) {
    const qi_tape *t = p->t;
    double *x = malloc(((size_t)t->ncontact * 7 + 1) * sizeof *x);
    size_t n = 0;
    if (!x) {
        p->failed = true;
        return;
    }
    for (int i = 0; i < t->ncontact; i++) {
        if ((size_t)t->contact[i].frame % step) continue;
        double *to = x + 7 * n++;
        to[0] = (double)((size_t)t->contact[i].frame / step);
        memcpy(to + 1, t->contact[i].pos, 24), memcpy(to + 4, t->contact[i].force, 24);
    }
    qi_json_open(&p->j, "contacts", '[');
    for (int k = 0; k < 7; k++)
        put_series(p, NULL, x + k, n, 7, 0, k == 0 ? 1 : k < 4 ? POS_STEP : FORCE_STEP);
    qi_json_close(&p->j, ']');
    free(x);
}

// JSON and series of the whole tape, ready to pack.
static void make_data(page *p, bytes *out) {
    const qi_mcap *f = p->t->file;
    qi_json *j = &p->j;
    qi_json_open(j, NULL, '{');
    qi_json_int(j, "format", 1);
    put_metadata(p, "trial", "qiao.trial");
    put_metadata(p, "result", "qiao.result");
    qi_json_bool(j, "complete", f->complete);
    qi_json_str(j, "note", f->note);
    qi_json_num(j, "t0", (double)f->t0_ns * 1e-9);
    qi_json_num(j, "t1", (double)f->t1_ns * 1e-9);
    put_score(p);
    put_bodies(p);
    put_geoms(p);
    size_t step = put_frames(p);
    put_signals(p);
    put_events(p);
    put_contacts(p, step);
    qi_json_close(j, '}');
    char *text = qi_json_end(j);
    if (!text) p->failed = true;
    uint32_t n = text ? (uint32_t)strlen(text) : 0;
    append(out, (const char *)&n, 4);
    if (text) append(out, text, n);
    append(out, (const char *)p->bin.p, p->bin.n);
    if (p->bin.failed || out->failed) p->failed = true;
    free(text);
}

// Deflated and in base64, appended to the page.
static void append_packed(bytes *to, const bytes *data) {
    enum { LEVEL = 6 };
    uLongf n = compressBound(data->n);
    uint8_t *packed = malloc(n);
    if (!packed || compress2(packed, &n, data->p, data->n, LEVEL) != Z_OK) to->failed = true;
    size_t cap = packed ? sodium_base64_encoded_len(n, sodium_base64_VARIANT_ORIGINAL) : 0;
    uint8_t *at = to->failed ? NULL : more(to, cap);
    if (at) {
        sodium_bin2base64((char *)at, cap, packed, n, sodium_base64_VARIANT_ORIGINAL);
        to->n -= 1; // its final 0
    }
    free(packed);
}

static void append_escaped(bytes *to, const char *s) {
    for (; *s; s++) {
        const char *e = *s == '<' ? "&lt;" : *s == '&' ? "&amp;" : *s == '"' ? "&quot;" : NULL;
        append(to, e ? e : s, e ? strlen(e) : 1);
    }
}

static void append_file(bytes *to, const char *name) {
    const qi_embed *e = qi_embed_get(name);
    append(to, e->begin, (size_t)(e->end - e->begin));
}

// The template with each <!--@name--> replaced by what it names.
static void make_page(bytes *to, const qi_tape *t, const bytes *data) {
    const qi_embed *page_file = qi_embed_get("viewer.html");
    for (const char *p = page_file->begin, *hole; p; p = hole ? strstr(hole, "-->") + 3 : NULL) {
        hole = strstr(p, "<!--@");
        append(to, p, (size_t)((hole ? hole : page_file->end) - p));
        if (!hole) break;
        const char *name = hole + 5;
        if (!strncmp(name, "title", 5)) {
            append_escaped(to, qi_mcap_meta(t->file, "qiao.trial", "scenario"));
            append(to, " - ", 3);
            append_escaped(to, qi_mcap_meta(t->file, "qiao.trial", "robot"));
        } else if (!strncmp(name, "style", 5))
            append_file(to, "viewer.css");
        else if (!strncmp(name, "three", 5))
            append_file(to, "three.js");
        else if (!strncmp(name, "data", 4))
            append_packed(to, data);
        else if (!strncmp(name, "script", 6))
            for (int i = 0; qi_embed_scripts[i]; i++) append_file(to, qi_embed_scripts[i]);
    }
}

qiao_err qiao_replay_html(const char *mcap, const char *html, qiao_diag *d) {
    qi_tape *t = qi_tape_load(mcap, d);
    if (!t) return d ? d->err : QIAO_E_FORMAT;
    page p = {.t = t};
    bytes data = {0}, text = {0};
    make_data(&p, &data);
    if (!p.failed) make_page(&text, t, &data);
    qiao_err e = QIAO_OK;
    if (p.failed || text.failed)
        e = qiao_diag_set(d, QIAO_E_MEM, mcap, 0, 0, "out of memory");
    else
        e = qiao_file_write(html, text.p, text.n, d);
    free(p.q), free(p.bin.p), free(data.p), free(text.p);
    qi_tape_free(t);
    return e;
}
