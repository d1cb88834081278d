// SPDX-License-Identifier: Apache-2.0
// convex_gjk.c - how near two shapes come: a simplex of corners of their difference whose point
// nearest to 0 is brought nearer.
#include "sim/convex_in.h"

static inline bool one_sign(double a, double b) { return (a > 0 && b > 0) || (a < 0 && b < 0); }

bool qi_convex_foot(vec3 *o, vec3 a, vec3 b, vec3 c) {
    const vec3 ab = sub(b, a), ac = sub(c, a), bc = sub(c, b);
    const vec3 l[3] = {bc, ab, ac}, r[3] = {ab, ac, bc}, at[3] = {b, a, c};
    for (int k = 0;; k++) { // where one corner cancels another may not
        vec3 n = cross(l[k], r[k]);
        double d = dot(n, at[k]), nn = dot(n, n);
        if (nn == 0) return false;
        if (k == 2 || (d != 0 && nn > MIN)) {
            *o = mul(d / nn, n);
            return true;
        }
    }
}

static inline double area(double px, double py, double qx, double qy, double rx, double ry) {
    return (((((px * qy + py * rx) + qx * ry) - px * ry) - py * qx) - rx * qy);
}
void qi_convex_weights(double l[3], double *m, vec3 a, vec3 b, vec3 c, vec3 p) {
    double x = area(a.y, a.z, b.y, b.z, c.y, c.z), y = area(a.x, a.z, b.x, b.z, c.x, c.z),
           z = area(a.x, a.y, b.x, b.y, c.x, c.y), mx = fabs(x), my = fabs(y), mz = fabs(z);
    if (mx >= my && mx >= mz) { // the side from which the triangle looks largest
        *m = x;
        l[0] = area(p.y, p.z, b.y, b.z, c.y, c.z), l[1] = area(p.y, p.z, c.y, c.z, a.y, a.z);
        l[2] = area(p.y, p.z, a.y, a.z, b.y, b.z);
    } else if (my >= mz) {
        *m = y;
        l[0] = area(p.x, p.z, b.x, b.z, c.x, c.z), l[1] = area(p.x, p.z, c.x, c.z, a.x, a.z);
        l[2] = area(p.x, p.z, a.x, a.z, b.x, b.z);
    } else {
        *m = z;
        l[0] = area(p.x, p.y, b.x, b.y, c.x, c.y), l[1] = area(p.x, p.y, c.x, c.y, a.x, a.y);
        l[2] = area(p.x, p.y, a.x, a.y, b.x, b.y);
    }
}

// ---- the point of a simplex that is nearest to 0, as weights of its corners ----

static void on_edge(double l[2], vec3 a, vec3 b) {
    vec3 e = sub(b, a), o = axpy(-(dot(b, e) / dot(e, e)), e, b);
    double m = a.x - b.x, t = o.x - b.x, u = a.x - o.x;
    if (fabs(a.y - b.y) >= fabs(m)) m = a.y - b.y, t = o.y - b.y, u = a.y - o.y;
    if (fabs(a.z - b.z) >= fabs(m)) m = a.z - b.z, t = o.z - b.z, u = a.z - o.z;
    bool in = one_sign(m, t) && one_sign(m, u);
    l[0] = in ? t / m : 0, l[1] = in ? u / m : 1;
}
static void on_face(double l[3], const vec3 v[3]) {
    vec3 o;
    double k[3], m, least = LIMIT;
    if (!qi_convex_foot(&o, v[0], v[1], v[2])) {
        on_edge(l, v[0], v[1]), l[2] = 0;
        return;
    }
    qi_convex_weights(k, &m, v[0], v[1], v[2], o);
    bool in[3] = {one_sign(m, k[0]), one_sign(m, k[1]), one_sign(m, k[2])};
    if (in[0] && in[1] && in[2]) {
        for (int i = 0; i < 3; i++) l[i] = k[i] / m;
        return;
    }
    l[0] = l[1] = l[2] = 0;
    for (int i = 0; i < 3; i++) { // the edges that 0 is beyond
        if (in[i]) continue;
        double t[2];
        const int p = i == 0 ? 1 : 0, q = i == 2 ? 1 : 2;
        on_edge(t, v[p], v[q]);
        vec3 x = add(mul(t[0], v[p]), mul(t[1], v[q]));
        double d = dot(x, x);
        if (d < least) least = d, l[i] = 0, l[p] = t[0], l[q] = t[1];
    }
}
static inline double volume(vec3 a, vec3 b, vec3 c) {
    return (a.x * (b.y * c.z - b.z * c.y) + a.y * (b.z * c.x - b.x * c.z)) +
           a.z * (b.x * c.y - b.y * c.x);
}
static void on_solid(double l[4], const vec3 v[4]) {
    double k[4] = {-volume(v[1], v[2], v[3]), volume(v[0], v[2], v[3]), -volume(v[0], v[1], v[3]),
                   volume(v[0], v[1], v[2])};
    double m = ((k[0] + k[1]) + k[2]) + k[3], least = LIMIT;
    bool in[4], all = true;
    for (int i = 0; i < 4; i++) in[i] = one_sign(m, k[i]), all &= in[i];
    for (int i = 0; i < 4; i++) l[i] = all ? k[i] / m : 0;
    for (int i = 0; i < 4; i++) { // the faces that 0 is beyond
        if (in[i]) continue;
        vec3 s[3];
        double t[3];
        for (int q = 0; q < 3; q++) s[q] = v[q + (q >= i)];
        on_face(t, s);
        vec3 x = add(add(mul(t[0], s[0]), mul(t[1], s[1])), mul(t[2], s[2]));
        double d = dot(x, x);
        if (d >= least) continue;
        least = d, l[i] = 0;
        for (int q = 0; q < 3; q++) l[q + (q >= i)] = t[q];
    }
}
static vec3 mix(const double *l, const vec3 *v, int n) {
    vec3 x = n ? mul(l[0], v[0]) : vec0();
    for (int i = 1; i < n; i++) x = add(x, mul(l[i], v[i]));
    return x;
}

// ---- whether 0 is inside, once there are four corners ----

static double side_of(vec3 *n, const corner *a, const corner *b, const corner *c) {
    *n = cross(sub(c->p, a->p), sub(b->p, a->p));
    double nn = dot(*n, *n);
    if (!(nn > MIN * MIN && nn < LIMIT)) return LIMIT;
    *n = mul(1 / root(nn), *n);
    return dot(*n, a->p);
}
// 1: the simplex holds 0; 0: apart; -1: cannot tell. Rounds made so far are in *round.
static int inside(qi_convex *w, solid *a, solid *b, int *round) {
    corner c[4];
    int s[4] = {0, 1, 2, 3};
    memcpy(c, w->simplex, sizeof c);
    for (; *round < w->iterations; (*round)++) {
        vec3 n[4];
        double d[4] = {side_of(&n[0], &c[s[2]], &c[s[1]], &c[s[3]]),
                       side_of(&n[1], &c[s[0]], &c[s[2]], &c[s[3]]),
                       side_of(&n[2], &c[s[1]], &c[s[0]], &c[s[3]]),
                       side_of(&n[3], &c[s[0]], &c[s[1]], &c[s[2]])};
        if (d[0] == 0 || d[1] == 0 || d[2] == 0 || d[3] == 0) return -1;
        int i = d[0] < d[1] ? 0 : 1, j = d[2] < d[3] ? 2 : 3, k = d[i] < d[j] ? i : j;
        if (d[k] > 0) {
            for (int q = 0; q < 4; q++) w->simplex[q] = c[s[q]];
            w->n = 4;
            return 1;
        }
        qi_convex_support(&c[s[k]], a, b, n[k]); // in place of the corner farthest from 0
        if (dot(n[k], c[s[k]].p) < 0) return 0;
        i = (k + 1) & 3, j = (k + 2) & 3; // keep the faces' sides
        int t = s[i];
        s[i] = s[j], s[j] = t;
    }
    return -1;
}

// cutoff 0: whether they touch; else how far they are, if nearer than that.
void qi_convex_gjk(qi_convex *w, solid *a, solid *b, double cutoff) {
    bool smooth = qi_convex_smooth(a, b), ask = !(cutoff > 0);
    double enough = smooth ? 0.5 * (w->tolerance * w->tolerance) : 0;
    double least = smooth ? w->tolerance : MIN, l[4] = {0}, was = 0;
    vec3 x = sub(w->x1[0], w->x2[0]), v[4];
    double len = length(x);
    int n = 0;
    w->separated = 0;
    for (int k = 0; k < w->iterations; k++) {
        if (len < least || fabs(was - len) < MIN) break;
        corner *c = &w->simplex[n];
        qi_convex_support(c, a, b, neg(mul(1 / len, x)));
        if (dot(x, sub(x, c->p)) < enough) break; // no point is nearer
        double low = dot(x, c->p);
        if (low > 0 && low >= cutoff * len) {
            w->separated = 1, w->n = 0, w->nx = 0, w->dist[0] = LIMIT;
            return;
        }
        if (n == 3 && ask) {
            int yes = inside(w, a, b, &k);
            if (yes >= 0) {
                if (!yes) w->n = 0;
                w->nx = 0, w->separated = !yes, w->dist[0] = yes ? 0 : LIMIT;
                return;
            }
            ask = false;
        }
        for (int i = 0; i <= n; i++) v[i] = w->simplex[i].p;
        l[0] = 1, l[1] = l[2] = l[3] = 0;
        if (n == 1) on_edge(l, v[0], v[1]);
        if (n == 2) on_face(l, v);
        if (n == 3) on_solid(l, v);
        int most = n + 1;
        n = 0;
        for (int i = 0; i < most; i++) { // only the corners that carry the point stay
            if (l[i] == 0) continue;
            if (n != i) w->simplex[n] = w->simplex[i];
            l[n++] = l[i];
        }
        if (n == 0) { // not of numbers
            w->separated = 1, w->n = 0, w->nx = 0, w->dist[0] = LIMIT;
            return;
        }
        for (int i = 0; i < n; i++) v[i] = w->simplex[i].p;
        x = mix(l, v, n), was = len, len = length(x);
        if (n == 4) break;
    }
    if (n > 0) { // the points of both shapes
        for (int i = 0; i < n; i++) v[i] = w->simplex[i].a;
        w->x1[0] = mix(l, v, n);
        for (int i = 0; i < n; i++) v[i] = w->simplex[i].b;
        w->x2[0] = mix(l, v, n);
    }
    corner last;
    qi_convex_support(&last, a, b, neg(mul(1 / len, x)));
    w->separated = dot(x, last.p) > 0;
    w->nx = 1, w->n = n, w->dist[0] = n == 4 && !w->separated ? 0 : len;
}
