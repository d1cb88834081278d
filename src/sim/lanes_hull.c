// SPDX-License-Identifier: Apache-2.0
// lanes_hull.c - see lanes_hull.h.
#include "sim/lanes_hull.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// Corners of the convex hull; NULL: out of memory.
static float *corners(const mjModel *m, int mesh, int *n) {
    const float *v = m->mesh_vert + 3 * m->mesh_vertadr[mesh];
    const int *graph = m->mesh_graphadr[mesh] < 0 ? NULL : m->mesh_graph + m->mesh_graphadr[mesh];
    *n = graph ? graph[0] : m->mesh_vertnum[mesh];
    float *x = malloc(((size_t)*n + 1) * 3 * sizeof *x);
    for (int i = 0; x && i < *n; i++) {
        int at = graph ? graph[2 + *n + i] : i; // after the counts and the edges' addresses
        memcpy(x + 3 * i, v + 3 * at, 3 * sizeof *x);
    }
    return x;
}

bool qi_reach_make(const mjModel *m, int mesh, qi_reach *r) {
    int n, at = 0;
    float *x = corners(m, mesh, &n);
    if (!x) return false;
    double d[3];
    for (int side = 0; side < 6; side++)
        for (int i = 0; i <= QI_HULL; i++)
            for (int j = 0; j <= QI_HULL; j++, at++) {
                int a = side / 2, best = 0;
                double most = -1e300;
                d[a] = side & 1 ? -1 : 1;
                d[(a + 1) % 3] = 2.0 * i / QI_HULL - 1, d[(a + 2) % 3] = 2.0 * j / QI_HULL - 1;
                for (int k = 0; k < n; k++) {
                    const float *c = x + 3 * k;
                    double h = d[0] * (double)c[0] + d[1] * (double)c[1] + d[2] * (double)c[2];
                    if (h > most) most = h, best = k;
                }
                r->high[at] = (float)most;
                if ((double)r->high[at] < most) r->high[at] = nextafterf(r->high[at], INFINITY);
                memcpy(r->x[at], x + 3 * best, sizeof r->x[at]);
            }
    free(x);
    return true;
}

// ---- which corners are farthest along the directions of a square ----

typedef struct build {
    int n;
    const float *vert;
    const int *first, *edge, *id; // neighbours of corner i: edge[first[i]] .. up to -1
    int *seen, *queue;            // [n] the last square that asked; corners to look at
    qi_corner *far;
    int nfar, cap;
} build;

static const float *corner_at(const build *b, int i) { return b->vert + 3 * b->id[i]; }
static int climb(const build *b, const double *d, int from) { // uphill along d
    int best = from, was = -1;
    const float *x = corner_at(b, best);
    double most = d[0] * (double)x[0] + d[1] * (double)x[1] + d[2] * (double)x[2];
    while (best != was) {
        was = best;
        for (const int *e = b->edge + b->first[was]; *e >= 0; e++) {
            x = corner_at(b, *e);
            double y = d[0] * (double)x[0] + d[1] * (double)x[1] + d[2] * (double)x[2];
            if (y > most) most = y, best = *e;
        }
    }
    return best;
}

// Whether corner i is farthest along some direction of the square (u, v from lo to hi, axis a at s):
// what its neighbours leave of the square.
static bool is_far(const build *b, int i, int a, double s, const double lo[2], const double hi[2]) {
    enum { MOST = 40 };
    double p[MOST][2] = {{lo[0], lo[1]}, {hi[0], lo[1]}, {hi[0], hi[1]}, {lo[0], hi[1]}};
    int n = 4;
    const float *x = corner_at(b, i);
    for (const int *e = b->edge + b->first[i]; *e >= 0; e++) {
        const float *y = corner_at(b, *e);
        double q[MOST][2], k[3], size = 0;
        int m = 0;
        for (int c = 0; c < 3; c++) {
            k[c] = (double)x[(a + c) % 3] - (double)y[(a + c) % 3];
            size += fabs((double)x[c]) + fabs((double)y[c]);
        }
        double f[MOST];
        int out = 0;
        for (int c = 0; c < n; c++) {
            f[c] = k[0] * s + k[1] * p[c][0] + k[2] * p[c][1] + 1e-12 * size;
            out += f[c] < 0;
        }
        if (out == n) return false;
        if (out == 0) continue;
        if (n + 2 > MOST) return true;
        for (int c = 0; c < n; c++) {
            int after = c + 1 < n ? c + 1 : 0;
            if (f[c] >= 0) q[m][0] = p[c][0], q[m++][1] = p[c][1];
            if ((f[c] >= 0) == (f[after] >= 0)) continue;
            double t = f[c] / (f[c] - f[after]);
            q[m][0] = p[c][0] + t * (p[after][0] - p[c][0]);
            q[m++][1] = p[c][1] + t * (p[after][1] - p[c][1]);
        }
        memcpy(p, q, (size_t)m * sizeof *q), n = m;
    }
    return true;
}

// All of them, from the one in the middle on: they hang together.
static bool add_cell(build *b, int number, int side, const double lo[2], const double hi[2],
                     int *at) {
    int a = side / 2, nq = 0;
    double d[3], s = side & 1 ? -1 : 1;
    d[a] = s, d[(a + 1) % 3] = 0.5 * (lo[0] + hi[0]), d[(a + 2) % 3] = 0.5 * (lo[1] + hi[1]);
    *at = climb(b, d, *at);
    b->queue[nq++] = *at, b->seen[*at] = number;
    for (int k = 0; k < nq; k++) {
        int i = b->queue[k];
        if (k && !is_far(b, i, a, s, lo, hi)) continue;
        if (b->nfar == b->cap) {
            b->cap = 2 * b->cap + 1024;
            qi_corner *more = realloc(b->far, (size_t)b->cap * sizeof *more);
            if (!more) return false;
            b->far = more;
        }
        qi_corner *c = &b->far[b->nfar++];
        memcpy(c->x, corner_at(b, i), sizeof c->x), c->id = b->id[i];
        for (const int *e = b->edge + b->first[i]; *e >= 0; e++)
            if (b->seen[*e] != number) b->seen[*e] = number, b->queue[nq++] = *e;
    }
    return true;
}

// Corners with their neighbours, see convex.h.
static bool make_ring(const build *b, const int *start, qiao_arena *arena, qi_hull *h) {
    int *at = malloc((size_t)b->n * sizeof *at), size = 0;
    bool alone = false;
    for (int i = 0; at && i < b->n; i++) {
        int deg = 0;
        while (b->edge[b->first[i] + deg] >= 0) deg++;
        at[i] = size, size += 1 + deg, alone |= deg == 0;
    }
    qi_corner *ring = at ? qiao_arena_get(arena, (size_t)size * sizeof *ring) : NULL;
    for (int i = 0; ring && i < b->n; i++) {
        qi_corner *c = ring + at[i];
        memcpy(c->x, corner_at(b, i), sizeof c->x), c->id = b->id[i];
        for (const int *e = b->edge + b->first[i]; *e >= 0; e++) {
            c++;
            memcpy(c->x, corner_at(b, *e), sizeof c->x), c->id = e[1] >= 0 ? at[*e] : ~at[*e];
        }
    }
    for (int k = 0; ring && k < 27; k++) h->start[k] = at[start[k]];
    if (ring && !alone) h->ring = ring, h->n = b->n;
    free(at);
    return ring;
}

bool qi_hull_make(const mjModel *m, int mesh, qiao_arena *arena, qi_hull *h) {
    *h = (qi_hull){0};
    int vert = m->mesh_vertadr[mesh], poly = m->mesh_polyadr[mesh];
    if (m->mesh_graphadr[mesh] < 0) return true;
    const int *graph = m->mesh_graph + m->mesh_graphadr[mesh];
    if (graph[0] < 1) return true;
    h->vert = m->mesh_vert + 3 * vert;
    h->facesadr = m->mesh_polymapadr + vert, h->facesnum = m->mesh_polymapnum + vert;
    h->faces = m->mesh_polymap, h->corners = m->mesh_polyvert;
    h->cornersadr = m->mesh_polyvertadr + poly, h->cornersnum = m->mesh_polyvertnum + poly;
    h->normal = m->mesh_polynormal + 3 * poly, h->nface = m->mesh_polynum[mesh];
    build b = {.n = graph[0], .vert = h->vert, .first = graph + 2};
    b.id = b.first + b.n, b.edge = b.id + b.n;
    if (m->mesh_vertnum[mesh] >= 10) // as MuJoCo: fewer are all looked at
        return make_ring(&b, m->mesh_extrema + 27 * mesh, arena, h);
    b.seen = calloc(2 * (size_t)b.n, sizeof *b.seen), b.queue = b.seen ? b.seen + b.n : NULL;
    int *cell = qiao_arena_get(arena, (QI_HULL_CELLS + 1) * sizeof *cell), at = 0, k = 0;
    bool ok = b.seen && cell;
    for (; ok && k < QI_HULL_CELLS; k++) {
        int i = k / QI_HULL % QI_HULL, j = k % QI_HULL;
        const double lo[2] = {2.0 * i / QI_HULL - 1, 2.0 * j / QI_HULL - 1};
        const double hi[2] = {2.0 * (i + 1) / QI_HULL - 1, 2.0 * (j + 1) / QI_HULL - 1};
        // a direction on a border may be sorted to either side of it
        const double low[2] = {lo[0] - 1e-9, lo[1] - 1e-9}, high[2] = {hi[0] + 1e-9, hi[1] + 1e-9};
        cell[k] = b.nfar;
        ok = add_cell(&b, k + 1, k / (QI_HULL * QI_HULL), low, high, &at);
    }
    qi_corner *far = ok ? qiao_arena_get(arena, (size_t)b.nfar * sizeof *far) : NULL;
    if (far) {
        cell[k] = b.nfar;
        memcpy(far, b.far, (size_t)b.nfar * sizeof *far);
        h->n = b.n, h->cell = cell, h->far = far;
    }
    free(b.seen), free(b.far);
    return far;
}

bool qi_lhull_make(const mjModel *m, int mesh, qiao_arena *arena, qi_lhull *h) {
    if (h->solid) return true;
    qi_reach *reach = qiao_arena_get(arena, sizeof *reach);
    qi_hull *solid = qiao_arena_get(arena, sizeof *solid);
    if (!reach || !solid || !qi_reach_make(m, mesh, reach) || !qi_hull_make(m, mesh, arena, solid))
        return false;
    h->reach = reach, h->solid = solid;
    return true;
}
