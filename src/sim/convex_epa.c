// SPDX-License-Identifier: Apache-2.0
// convex_epa.c - how deep two shapes lie in each other: a polytope of corners of their difference
// grows around 0 until its nearest face is on the surface.
#include "sim/convex_in.h"

static int put(qi_convex *w, const corner *c) {
    w->c[w->nc] = *c;
    return w->nc++;
}
static int put_along(qi_convex *w, solid *a, solid *b, vec3 d, double len) {
    vec3 dir = len > MIN ? vec(d.x / len, d.y / len, d.z / len) : vec(1, 0, 0);
    qi_convex_support(&w->c[w->nc], a, b, dir);
    return w->nc++;
}

// Face of three corners with its neighbours; the squared distance of its plane, 0: none.
static double put_face(qi_convex *w, int i, int j, int k, int n0, int n1, int n2) {
    face *f = &w->f[w->nf++];
    *f = (face){.c = {i, j, k}, .next = {n0, n1, n2}, .at = -1};
    if (!qi_convex_foot(&f->v, w->c[k].p, w->c[j].p, w->c[i].p)) return 0;
    if (dot(f->v, sub(w->c[i].p, w->centre)) < 0) f->v = mul(-1, f->v);
    return f->vv = dot(f->v, f->v);
}
static void map_all(qi_convex *w, int n) {
    for (int i = 0; i < n; i++) w->map[i] = w->f[i].at = i;
    w->nmap = n;
}

// ---- the polytope that GJK's simplex gives; false: none ----

static bool one_side(vec3 a, vec3 b, vec3 c, vec3 d) { // of plane a b c: 0 and d
    vec3 n = cross(sub(b, a), sub(c, a));
    double x = dot(n, sub(d, a)), y = dot(n, mul(-1, a));
    return (x > 0 && y > 0) || (x < 0 && y < 0);
}
static bool holds_zero(vec3 a, vec3 b, vec3 c, vec3 d) {
    return one_side(a, b, c, d) && one_side(b, c, d, a) && one_side(c, d, a, b) &&
           one_side(d, a, b, c);
}
static bool on_triangle(vec3 a, vec3 b, vec3 c, vec3 p) {
    double l[3], m;
    qi_convex_weights(l, &m, a, b, c, p);
    for (int i = 0; i < 3; i++) l[i] = l[i] / m;
    if (l[0] < 0 || l[1] < 0 || l[2] < 0) return false;
    return length(sub(add(add(mul(l[0], a), mul(l[1], b)), mul(l[2], c)), p)) < MIN;
}

static const int hexa[2][6][6] = {
    // corners and neighbours: two tips on a triangle
    {{0, 2, 3, 1, 3, 2}, // from an edge 0 1
     {0, 4, 2, 2, 4, 0},
     {0, 3, 4, 0, 5, 1},
     {1, 3, 2, 5, 0, 4},
     {1, 2, 4, 3, 1, 5},
     {1, 4, 3, 4, 2, 3}},
    {{4, 0, 1, 1, 3, 2}, // from a face 0 1 2; 3 is below, 4 above
     {4, 2, 0, 2, 4, 0},
     {4, 1, 2, 0, 5, 1},
     {3, 1, 0, 5, 0, 4},
     {3, 0, 2, 3, 1, 5},
     {3, 2, 1, 4, 2, 3}},
};

static bool from_face(qi_convex *w, solid *a, solid *b) {
    w->nc = w->nf = w->nmap = 0;
    for (int i = 0; i < 3; i++) put(w, &w->simplex[i]);
    vec3 p = w->c[0].p, q = w->c[1].p, r = w->c[2].p, n = cross(sub(q, p), sub(r, p));
    double len = length(n);
    w->centre = mul(1.0 / 3.0, add(add(p, q), r));
    if (len < MIN) return false;
    put_along(w, a, b, mul(-1, n), len), put_along(w, a, b, n, len);
    vec3 low = w->c[3].p, high = w->c[4].p;
    if (on_triangle(p, q, r, high) || on_triangle(p, q, r, low)) return false;
    for (int i = 0; i < 6; i++) {
        const int *t = hexa[1][i];
        if (put_face(w, t[0], t[1], t[2], t[3], t[4], t[5]) < MIN * MIN) return false;
    }
    map_all(w, 6);
    return true;
}
// 0 lies on a face: begin from it.
static bool from_this_face(qi_convex *w, solid *a, solid *b, int i, int j, int k) {
    w->simplex[0] = w->c[i], w->simplex[1] = w->c[j], w->simplex[2] = w->c[k];
    w->n = 3;
    return from_face(w, a, b);
}

static bool through(vec3 a, vec3 b, vec3 p, vec3 q, vec3 r) { // the line a b, the triangle p q r
    vec3 e = sub(b, a);
    p = sub(p, a), q = sub(q, a), r = sub(r, a);
    double x = dot(p, cross(q, e)), y = dot(q, cross(r, e)), z = dot(r, cross(p, e));
    return (x >= 0 && y >= 0 && z >= 0) || (x <= 0 && y <= 0 && z <= 0);
}
static bool from_edge(qi_convex *w, solid *a, solid *b) {
    put(w, &w->simplex[0]), put(w, &w->simplex[1]);
    vec3 p = w->c[0].p, q = w->c[1].p, e = sub(q, p), d = vec(1, 0, 0);
    w->centre = mul(0.5, add(p, q));
    double least = fabs(e.x);
    if (fabs(e.y) < least) least = fabs(e.y), d = vec(0, 1, 0);
    if (fabs(e.z) < least) d = vec(0, 0, 1);
    d = cross(d, e);
    // three corners around the edge, a third of a turn from each other
    const double s = 0.86602540378, c = -0.5, len = length(e);
    double x = e.x / len, y = e.y / len, z = e.z / len, v = 1 - c;
    mat3 turn = {vec(c + x * x * v, y * x * v + z * s, x * z * v - y * s),
                 vec(x * y * v - z * s, c + y * y * v, y * z * v + x * s),
                 vec(x * z * v + y * s, y * z * v - x * s, c + z * z * v)};
    for (int i = 0; i < 3; i++, d = mat_vec(turn, d)) put_along(w, a, b, d, length(d));
    for (int i = 0; i < 6; i++) {
        const int *t = hexa[0][i];
        if (put_face(w, t[0], t[1], t[2], t[3], t[4], t[5]) < MIN * MIN)
            return from_this_face(w, a, b, t[0], t[1], t[2]);
    }
    if (!through(p, q, w->c[2].p, w->c[3].p, w->c[4].p)) return false;
    map_all(w, 6);
    return true;
}
static bool from_solid(qi_convex *w, solid *a, solid *b) {
    static const int f[4][6] = {
        {0, 1, 2, 1, 3, 2}, {0, 3, 1, 2, 3, 0}, {0, 2, 3, 0, 3, 1}, {3, 2, 1, 2, 0, 1}};
    for (int i = 0; i < 4; i++) put(w, &w->simplex[i]);
    const corner *c = w->c;
    w->centre = mul(0.25, add(add(add(c[0].p, c[1].p), c[2].p), c[3].p));
    for (int i = 0; i < 4; i++)
        if (put_face(w, f[i][0], f[i][1], f[i][2], f[i][3], f[i][4], f[i][5]) < MIN * MIN)
            return from_this_face(w, a, b, f[i][0], f[i][1], f[i][2]);
    if (!holds_zero(c[0].p, c[1].p, c[2].p, c[3].p)) return false;
    map_all(w, 4);
    return true;
}

// ---- growing ----

static void drop(qi_convex *w, face *f) {
    if (f->at >= 0) {
        int last = w->map[--w->nmap];
        w->map[f->at] = last, w->f[last].at = f->at;
    }
    f->at = -2;
}
static int edge_from(const face *f, int c) { return f->c[0] == c ? 0 : f->c[1] == c ? 1 : 2; }

static void see(qi_convex *w, int from, int k, vec3 p);
// Face i, come to over its edge e: it goes if p sees it, else it is on the rim of what goes.
static void see_face(qi_convex *w, int i, int e, vec3 p) {
    face *f = &w->f[i];
    if (!(dot(f->v, p) - f->vv > MIN)) {
        w->rim[w->nrim] = i, w->rim_edge[w->nrim++] = e;
        return;
    }
    drop(w, f);
    see(w, i, (e + 1) % 3, p), see(w, i, (e + 2) % 3, p);
}
static void see(qi_convex *w, int from, int k, vec3 p) { // beyond edge k of a face that has gone
    const face *f = &w->f[from];
    int i = f->next[k];
    if (w->f[i].at == -2 || w->nrim >= w->most) return;
    see_face(w, i, edge_from(&w->f[i], f->c[(k + 1) % 3]), p);
}

// New faces from the rim to corner c; false: one of them is no face.
static bool close_rim(qi_convex *w, int c, double low, double high) {
    int first = w->nf, n = w->nrim;
    for (int k = 0; k < n; k++) {
        int i = w->rim[k], e = w->rim_edge[k], me = first + k;
        int back = k ? me - 1 : first + n - 1, on = k + 1 < n ? me + 1 : first;
        face *f = &w->f[i];
        f->next[e] = me;
        double vv = put_face(w, c, f->c[(e + 1) % 3], f->c[e], back, i, on);
        if (vv == 0) return false;
        if (vv >= low && vv <= high) w->f[me].at = w->nmap, w->map[w->nmap++] = me;
    }
    return true;
}

static bool known(const qi_convex *w, const corner *c) { // other than the last
    for (int i = 0; i < w->nc - 1; i++)
        if (w->c[i].ia == c->ia && w->c[i].ib == c->ib) return true;
    return false;
}

static void witness(qi_convex *w, const face *f) {
    double l[3], m;
    const corner *c[3] = {&w->c[f->c[0]], &w->c[f->c[1]], &w->c[f->c[2]]};
    qi_convex_weights(l, &m, c[0]->p, c[1]->p, c[2]->p, f->v);
    w->x1[0] = w->x2[0] = vec0();
    for (int i = 0; i < 3; i++) {
        w->x1[0] = axpy(l[i] / m, c[i]->a, w->x1[0]);
        w->x2[0] = axpy(l[i] / m, c[i]->b, w->x2[0]);
    }
    w->dist[0] = -root(f->vv), w->nx = 1;
}

face *qi_convex_epa(qi_convex *w, solid *a, solid *b) {
    w->nc = w->nf = w->nmap = w->nrim = 0;
    bool smooth = qi_convex_smooth(a, b);
    if (!(w->n == 2 ? from_edge(w, a, b) : w->n == 3 ? from_face(w, a, b) : from_solid(w, a, b)))
        return NULL;
    double high = LIMIT, high2 = LIMIT, enough = smooth ? w->tolerance : MIN;
    face *f = NULL;
    for (int k = 0; k < w->iterations; k++) {
        face *was = f;
        double low2 = LIMIT;
        for (int i = 0; i < w->nmap; i++) {
            face *x = &w->f[w->map[i]];
            if (x->vv < low2) f = x, low2 = x->vv;
        }
        if (low2 > high2 || !f) {
            f = was;
            break;
        }
        if (low2 <= 0) break;
        double low = root(low2);
        const corner *c = &w->c[put_along(w, a, b, f->v, low)];
        double far = dot(f->v, c->p) / low;
        if (far < high) high = far, high2 = far * far;
        if (high - low < enough) {
            if (k == 0 && high < low - 1e-10) f = NULL;
            break;
        }
        if (!smooth && known(w, c)) break;
        w->nrim = 0;
        int i = (int)(f - w->f);
        drop(w, f);
        for (int e = 0; e < 3; e++) see(w, i, e, c->p);
        if (w->nrim < 3) { // rounding
            f = NULL;
            break;
        }
        if (w->nf + w->nrim > w->most) break;
        if (!close_rim(w, w->nc - 1, low2, high2)) {
            f = NULL;
            break;
        }
        if (!w->nmap) break;
    }
    w->nx = 0, w->dist[0] = 0;
    if (f) witness(w, f);
    return f;
}
