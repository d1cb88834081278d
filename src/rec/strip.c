// SPDX-License-Identifier: Apache-2.0
// strip.c - a sheet of pictures across a record's time. The recorded scene becomes an MJCF of free
// bodies, the recorded poses its q; room model draws them. So a picture shows what was recorded
// and needs neither robot nor scenario.
#include "qiao/rec.h"
#include "rec/scene.h"
#include "rec/tape.h"

#include <math.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WIDTH = 480, HEIGHT = 360, GAP = 6, BAR = 5, COLUMNS = 4 };

static void put_mesh(FILE *f, int i, const qi_tape_geom *g) {
    fprintf(f, "<mesh name=\"m%d\" inertia=\"shell\" vertex=\"", i);
    for (int k = 0; k < 3 * g->nvert; k++) fprintf(f, "%.7g ", (double)g->vert[k]);
    fprintf(f, "\" face=\"");
    for (int k = 0; k < g->nface; k++) {
        const int *v = g->face + 3 * k;
        if (v[0] != v[1] && v[1] != v[2] && v[0] != v[2]) fprintf(f, "%d %d %d ", v[0], v[1], v[2]);
    }
    fprintf(f, "\"/>\n");
}

static void put_geom(FILE *f, int i, const qi_tape_geom *g) {
    double s[3];
    for (int k = 0; k < 3; k++) s[k] = fmax(fabs(g->scale[k]) / 2, 1e-5);
    if (g->type == QI_MARKER_TRIANGLES && g->nvert >= 4)
        fprintf(f, "<geom type=\"mesh\" mesh=\"m%d\"", i);
    else if (!strcmp(g->kind, "plane"))
        fprintf(f, "<geom type=\"plane\" size=\"%.9g %.9g 0.05\"", s[0], s[1]);
    else if (g->type == QI_MARKER_CUBE)
        fprintf(f, "<geom type=\"box\" size=\"%.9g %.9g %.9g\"", s[0], s[1], s[2]);
    else if (g->type == QI_MARKER_SPHERE)
        fprintf(f, "<geom type=\"ellipsoid\" size=\"%.9g %.9g %.9g\"", s[0], s[1], s[2]);
    else if (g->type == QI_MARKER_CYLINDER)
        fprintf(f, "<geom type=\"cylinder\" size=\"%.9g %.9g\"", s[0], s[2]);
    else
        return;
    fprintf(f, " pos=\"%.9g %.9g %.9g\" quat=\"%.9g %.9g %.9g %.9g\"", g->pos[0], g->pos[1],
            g->pos[2], g->quat[0], g->quat[1], g->quat[2], g->quat[3]);
    fprintf(f, " rgba=\"%.4g %.4g %.4g %.4g\"/>\n", (double)g->rgba[0], (double)g->rgba[1],
            (double)g->rgba[2], (double)g->rgba[3]);
}

// One body for each column of the poses, in their order; the others stand in the world.
static void put_model(FILE *f, const qi_tape *t) {
    fprintf(f,
            "<mujoco model=\"record\">\n<default><geom contype=\"0\" conaffinity=\"0\"/></default>"
            "\n<statistic extent=\"3\" center=\"0 0 0\"/>\n<asset>\n");
    for (int i = 0; i < t->ngeom; i++)
        if (t->geom[i].type == QI_MARKER_TRIANGLES && t->geom[i].nvert >= 4)
            put_mesh(f, i, &t->geom[i]);
    fprintf(f, "</asset>\n<worldbody>\n");
    for (int b = 0; b < t->nbody; b++) {
        const qi_tape_body *body = &t->body[b];
        if (body->column >= 0) continue;
        fprintf(f, "<body pos=\"%.9g %.9g %.9g\" quat=\"%.9g %.9g %.9g %.9g\">\n", body->pos[0],
                body->pos[1], body->pos[2], body->quat[0], body->quat[1], body->quat[2],
                body->quat[3]);
        for (int i = 0; i < t->ngeom; i++)
            if (t->geom[i].body == b) put_geom(f, i, &t->geom[i]);
        fprintf(f, "</body>\n");
    }
    for (int c = 0; c < t->ncolumn; c++) {
        fprintf(f,
                "<body><freejoint/><inertial pos=\"0 0 0\" mass=\"1\" diaginertia=\"1 1 1\"/>\n");
        for (int i = 0; i < t->ngeom; i++)
            if (t->body[t->geom[i].body].column == c) put_geom(f, i, &t->geom[i]);
        fprintf(f, "</body>\n");
    }
    fprintf(f, "</worldbody>\n</mujoco>\n");
}

// The record's scene as a model, by way of a file that is gone afterwards.
static qiao_model *make_model(const qi_tape *t, const char *mcap, qiao_diag *d) {
    char path[] = "/tmp/qiao-strip-XXXXXX";
    int fd = mkstemp(path);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!f) {
        if (fd >= 0) close(fd), unlink(path);
        qiao_diag_set(d, QIAO_E_IO, path, 0, 0, "cannot be written");
        return NULL;
    }
    put_model(f, t);
    bool whole = !ferror(f);
    if (fclose(f) || !whole) {
        unlink(path);
        qiao_diag_set(d, QIAO_E_IO, path, 0, 0, "could not be written whole");
        return NULL;
    }
    qiao_diag own = {0};
    qiao_model *m = qiao_model_load(path, &own);
    unlink(path);
    if (!m) qiao_diag_set(d, own.err, mcap, 0, 0, "its scene cannot be drawn: %s", own.text);
    return m;
}

// Looks at the middle of what moves near the first body, from where all of it fits.
static qiao_view view_of(const qi_tape *t, const double *q) {
    double lo[3], hi[3], size = 0;
    memcpy(lo, q, sizeof lo), memcpy(hi, q, sizeof hi);
    for (int c = 1; c < t->ncolumn; c++) {
        const double *p = q + 7 * c;
        if (hypot(hypot(p[0] - q[0], p[1] - q[1]), p[2] - q[2]) > 1.5) continue;
        for (int k = 0; k < 3; k++) lo[k] = fmin(lo[k], p[k]), hi[k] = fmax(hi[k], p[k]);
    }
    qiao_view v = {.azimuth = 125, .elevation = -18};
    for (int k = 0; k < 3; k++) {
        v.look[k] = (lo[k] + hi[k]) / 2;
        size += (hi[k] - lo[k]) * (hi[k] - lo[k]);
    }
    v.distance = 1.3 * sqrt(size) + 0.55;
    return v;
}

static qiao_err read_picture(const char *path, uint8_t *rgb, qiao_diag *d) {
    png_image image = {.version = PNG_IMAGE_VERSION};
    bool ok = png_image_begin_read_from_file(&image, path) && image.width == WIDTH &&
              image.height == HEIGHT;
    image.format = PNG_FORMAT_RGB;
    if (ok) ok = png_image_finish_read(&image, NULL, rgb, 3 * WIDTH, NULL);
    png_image_free(&image);
    return ok ? QIAO_OK : qiao_diag_set(d, QIAO_E_IO, path, 0, 0, "a picture that cannot be read");
}

typedef struct sheet {
    int columns, rows, width, height;
    uint8_t *rgb; // [height][width][3]
} sheet;

// Picture k into its place, under it a bar that says how much of the time has passed.
static void place(sheet *s, int k, const uint8_t *rgb, double part) {
    static const uint8_t done[3] = {15, 106, 180}, rest[3] = {207, 214, 222};
    int x0 = GAP + k % s->columns * (WIDTH + GAP), y0 = GAP + k / s->columns * (HEIGHT + BAR + GAP);
    for (int y = 0; y < HEIGHT + BAR; y++) {
        uint8_t *to = s->rgb + 3 * ((size_t)(y0 + y) * (size_t)s->width + (size_t)x0);
        if (y < HEIGHT) memcpy(to, rgb + 3 * (size_t)y * WIDTH, 3 * WIDTH);
        for (int x = 0; x < WIDTH && y >= HEIGHT; x++)
            memcpy(to + 3 * x, x < part * WIDTH ? done : rest, 3);
    }
}

static qiao_err draw_all(const qi_tape *t, const qiao_model *m, sheet *s, int npic, qiao_diag *d) {
    char path[] = "/tmp/qiao-picture-XXXXXX";
    int fd = mkstemp(path);
    uint8_t *rgb = malloc(3 * WIDTH * HEIGHT);
    qiao_err e =
        fd < 0 || !rgb ? qiao_diag_set(d, QIAO_E_IO, path, 0, 0, "cannot be written") : QIAO_OK;
    if (fd >= 0) close(fd);
    for (int k = 0; k < npic && !e; k++) {
        double part = npic > 1 ? (double)k / (npic - 1) : 1;
        const double *q = t->pose + (size_t)llround(part * (t->nframe - 1)) * (size_t)m->nq;
        qiao_view v = view_of(t, q);
        e = qiao_model_draw(m, q, &v, WIDTH, HEIGHT, path, d);
        if (!e) e = read_picture(path, rgb, d);
        if (!e) place(s, k, rgb, part);
    }
    if (fd >= 0) unlink(path);
    free(rgb);
    return e;
}

static qiao_err write_sheet(const sheet *s, const char *png, qiao_diag *d) {
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (unsigned)s->width,
                       .height = (unsigned)s->height,
                       .format = PNG_FORMAT_RGB};
    if (png_image_write_to_file(&image, png, 0, s->rgb, 3 * s->width, NULL)) return QIAO_OK;
    return qiao_diag_set(d, QIAO_E_IO, png, 0, 0, "cannot be written: %s", image.message);
}

qiao_err qiao_replay_png(const char *mcap, const char *png, int npic, qiao_diag *d) {
    qiao_diag own = {0};
    if (!d) d = &own;
    if (npic < 1 || npic > 100)
        return qiao_diag_set(d, QIAO_E_ARG, NULL, 0, 0, "%d pictures; 1 to 100 expected", npic);
    qi_tape *t = qi_tape_load(mcap, d);
    if (!t) return d->err;
    qiao_err e = QIAO_OK;
    if (t->nframe == 0 || t->ncolumn == 0)
        e = qiao_diag_set(d, QIAO_E_FORMAT, mcap, 0, 0, "no poses on /tf: nothing to draw");
    qiao_model *m = e ? NULL : make_model(t, mcap, d);
    if (!m && !e) e = d->err;
    sheet s = {.columns = npic < COLUMNS ? npic : COLUMNS};
    s.rows = (npic + s.columns - 1) / s.columns;
    s.width = GAP + s.columns * (WIDTH + GAP), s.height = GAP + s.rows * (HEIGHT + BAR + GAP);
    size_t bytes = 3 * (size_t)s.width * (size_t)s.height;
    if (!e) s.rgb = malloc(bytes);
    if (!e && !s.rgb) e = qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    if (!e) memset(s.rgb, 255, bytes), e = draw_all(t, m, &s, npic, d);
    if (!e) e = write_sheet(&s, png, d);
    free(s.rgb);
    qiao_model_free(m);
    qi_tape_free(t);
    return e;
}
