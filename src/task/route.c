// SPDX-License-Identifier: Apache-2.0
// route.c - pieces of ground laid end to end, made of boxes, and their centre line.
#include "scene.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const stone = "0.62 0.6 0.56 1", *const grey = "0.5 0.53 0.56 1",
                         *const warm = "0.72 0.62 0.48 1";

void qi_route_at(const qi_route *r, double s, double xyz[3], double *yaw) {
    int i = 0;
    while (i + 1 < r->n && s >= r->seg[i + 1].s) i++;
    const qi_segment *g = &r->seg[i];
    double u = s - g->s, h = g->len > 0 ? fmin(fmax(u / g->len, 0), 1) : 0;
    xyz[0] = g->x + u * cos(g->yaw), xyz[1] = g->y + u * sin(g->yaw), xyz[2] = g->z + h * g->rise;
    *yaw = g->yaw;
}

void qi_route_project(const qi_route *r, double x, double y, double *s, double *left) {
    double best = INFINITY;
    for (int i = 0; i < r->n; i++) {
        const qi_segment *g = &r->seg[i];
        double c = cos(g->yaw), n = sin(g->yaw), dx = x - g->x, dy = y - g->y;
        double u = dx * c + dy * n, v = dy * c - dx * n;
        // the first and the last segment go on past the route's ends
        double lo = i == 0 ? -INFINITY : 0, hi = i + 1 == r->n ? INFINITY : g->len;
        double k = fmin(fmax(u, lo), hi), far = hypot(u - k, v);
        if (far < best)
            best = far, *s = g->s + k, *left = v < 0 ? -hypot(u - k, v) : hypot(u - k, v);
    }
}

// Solid ground from below the floor up to a level, l long from u on.
static void put_block(qi_scene *s, const qi_segment *g, double u, double l, double v, double w,
                      double top, const char *rgba) {
    if (top < 1e-6) return; // the floor itself
    double c = cos(g->yaw), n = sin(g->yaw), mid = u + l / 2;
    double p[3] = {g->x + mid * c - v * n, g->y + mid * n + v * c, top / 2 - 0.05};
    double h[3] = {l / 2, w / 2, top / 2 + 0.05};
    qi_put_box(s, NULL, p, h, g->yaw, 0, rgba);
}

static void put_ramp(qi_scene *s, const qi_segment *g) {
    double a = atan2(g->rise, g->len), l = hypot(g->rise, g->len), thick = 0.2;
    // middle of the upper face, then half the thickness along the face's inward normal
    double u = g->len / 2 + sin(a) * thick / 2, z = g->z + g->rise / 2 - cos(a) * thick / 2;
    double p[3] = {g->x + u * cos(g->yaw), g->y + u * sin(g->yaw), z};
    double h[3] = {l / 2, g->width / 2, thick / 2};
    qi_put_box(s, NULL, p, h, g->yaw, -a, warm);
}

static void put_steps(qi_scene *s, const qi_segment *g, int n) {
    for (int i = 0; i < n; i++)
        put_block(s, g, i * g->len / n, g->len / n, 0, g->width, g->z + (i + 1) * g->rise / n,
                  grey);
}

// Boxes of random height and slightly random ends on a grid, no gaps between them.
static void put_rubble(qi_scene *s, const qi_segment *g, const qi_obj *o) {
    double cell = qi_get(s->in, o, "cell"), high = qi_get(s->in, o, "height");
    double low = qi_get(s->in, o, "low");
    uint64_t seed = (uint64_t)qi_get(s->in, o, "seed");
    int nx = (int)fmax(1, floor(g->len / cell + 0.5)),
        ny = (int)fmax(1, floor(g->width / cell + 0.5));
    if (nx > 40) nx = 40;
    if (ny > 20) ny = 20;
    double l = g->len / nx, w = g->width / ny;
    if (g->z > 0) put_block(s, g, 0, g->len, 0, g->width, g->z, stone);
    for (int i = 0; i < nx; i++)
        for (int j = 0; j < ny; j++) {
            qiao_rng r = {seed, (uint64_t)i, (uint32_t)j};
            double h = low + (high - low) * qiao_rng_uniform(&r, 0, QIAO_RNG_CASE);
            double shade = 0.45 + 0.25 * qiao_rng_uniform(&r, 1, QIAO_RNG_CASE);
            char rgba[64];
            snprintf(rgba, sizeof rgba, "%.3f %.3f %.3f 1", shade, shade * 0.95, shade * 0.85);
            put_block(s, g, i * l, l, (j + 0.5) * w - g->width / 2, w, g->z + h, rgba);
        }
}

// One piece: its length and rise from its fields, its boxes.
static bool put_piece(qi_scene *s, qi_obj *o, qi_segment *g) {
    g->width = qi_get(s->in, o, "width");
    if (qi_is_a(o->decl, "steps")) {
        int n = (int)qi_get(s->in, o, "count");
        if (n < 1 || n > 40) {
            qi_fail(s->in->m, QIAO_E_FIT, o->decl->at, "'%s': count is %d, expected 1 to 40",
                    o->path, n);
            return false;
        }
        g->len = n * qi_get(s->in, o, "tread"), g->rise = n * qi_get(s->in, o, "height");
    } else
        g->len = qi_get(s->in, o, "length");
    if (qi_is_a(o->decl, "ramp")) g->rise = g->len * tan(qi_get(s->in, o, "angle"));
    if (!(g->len > 0.05 && g->len <= 200 && g->width >= 0.1 && g->width <= 50 &&
          g->z + g->rise > -1e-6 && fabs(g->rise) < 50)) {
        qi_fail(s->in->m, QIAO_E_FIT, o->decl->at,
                "'%s': %.3g m long, %.3g m wide, rising %.3g m from %.3g m; expected 0.05 to 200 m "
                "long, 0.1 to 50 m wide, never below the floor",
                o->path, g->len, g->width, g->rise, g->z);
        return false;
    }
    if (qi_is_a(o->decl, "ramp"))
        put_ramp(s, g);
    else if (qi_is_a(o->decl, "steps"))
        put_steps(s, g, (int)qi_get(s->in, o, "count"));
    else if (qi_is_a(o->decl, "rubble"))
        put_rubble(s, g, o);
    else
        put_block(s, g, 0, g->len, 0, g->width, g->z, stone);
    return true;
}

bool qi_build_route(qi_scene *s, qi_obj *o) {
    qi_val list = qi_get_val(s->in, o, "pieces");
    qi_route *r = qiao_arena_get(s->c->a, sizeof *r);
    if (!r) return false;
    if (list.n < 1 || list.n > QI_SEGMENT_MAX) {
        qi_fail(s->in->m, QIAO_E_FIT, o->decl->at, "'%s' has %d pieces, expected 1 to %d", o->path,
                list.n, QI_SEGMENT_MAX);
        return false;
    }
    double at[4] = {qi_get(s->in, qi_get_obj(s->in, o, "position"), "x"),
                    qi_get(s->in, qi_get_obj(s->in, o, "position"), "y"), 0,
                    qi_get(s->in, o, "heading")};
    for (int i = 0; i < list.n; i++) {
        qi_segment *g = &r->seg[r->n++];
        at[3] += qi_get(s->in, list.list[i].o, "turn");
        *g = (qi_segment){.s = r->len, .x = at[0], .y = at[1], .z = at[2], .yaw = at[3]};
        if (!put_piece(s, list.list[i].o, g)) return false;
        at[0] += g->len * cos(g->yaw), at[1] += g->len * sin(g->yaw), at[2] += g->rise;
        if (fabs(at[2]) < 1e-9) at[2] = 0;
        r->len += g->len;
    }
    r->start = qi_get(s->in, o, "start");
    r->finish = r->len - qi_get(s->in, o, "margin");
    if (!(r->start >= 0 && r->finish > r->start + 0.1)) {
        qi_fail(s->in->m, QIAO_E_FIT, o->decl->at,
                "'%s' is %.3g m long; its start at %.3g m has to lie before its finish at %.3g m",
                o->path, r->len, r->start, r->finish);
        return false;
    }
    o->data = r;
    return true;
}
