// SPDX-License-Identifier: Apache-2.0
// convex_faces.c - two shapes with flat faces that lie on each other: the faces, or a face and an
// edge, that EPA's last face belongs to, and one clipped by the other.
#include "sim/convex_in.h"

#define FACING 0.996  // cosine of faces that count as parallel
#define BESIDE 0.0888 // sine of an edge and a face

// The corners of one shape in EPA's face without repetition: 1, 2 or 3.
static int features(int id[3], vec3 v[3]) {
    if (id[0] != id[1]) return id[2] == id[0] || id[2] == id[1] ? 2 : 3;
    if (id[0] == id[2]) return 1;
    id[1] = id[2], v[1] = v[2];
    return 2;
}

// ---- normals of the faces that hold all of them; id: which faces ----

static vec3 box_axis(const solid *s, int id) { // right left, top bottom, front back
    vec3 n = id < 2 ? s->rot.x : id < 4 ? s->rot.y : s->rot.z;
    return id & 1 ? neg(n) : n;
}
static int box_normals(const solid *s, int n, const int v[3], vec3 dir, int *id, vec3 *normal) {
    int all = v[0], none = ~v[0], k = 0;
    for (int i = 1; i < n; i++) all &= v[i], none &= ~v[i];
    for (int axis = 0; axis < 3; axis++) {
        if (all >> axis & 1) id[k++] = 2 * axis;
        if (none >> axis & 1) id[k++] = 2 * axis + 1;
    }
    if (k != 4 - n) { // not of one face or edge: the face that looks along dir
        vec3 d = mat_tvec(s->rot, dir);
        d = mul(1 / root(dot(d, d)), d);
        const double c[3] = {d.x, d.y, d.z};
        for (k = 0, id[0] = 0; id[0] < 6; id[0]++)
            if ((id[0] & 1 ? -c[id[0] / 2] : c[id[0] / 2]) > FACING) {
                k = 1;
                break;
            }
    }
    for (int i = 0; i < k; i++) normal[i] = box_axis(s, id[i]);
    return k;
}
static int common(const int *a, int na, const int *b, int nb, int *out) { // the first two
    int k = 0;
    for (int i = 0; i < na; i++)
        for (int j = 0; j < nb; j++)
            if (a[i] == b[j]) {
                out[k++] = a[i];
                if (k == 2) return 2;
            }
    return k;
}
static int mesh_normals(const solid *s, int n, const int v[3], int *id, vec3 *normal) {
    const qi_hull *h = s->hull;
    int k = h->facesnum[v[0]], two[2], one[2];
    const int *faces = h->faces + h->facesadr[v[0]], *f[2] = {two, one};
    for (int i = 1; i < n; i++) { // of all corners
        k = common(faces, k, h->faces + h->facesadr[v[i]], h->facesnum[v[i]], i > 1 ? one : two);
        faces = f[i - 1];
    }
    if (n == 3 && k > 1) k = 1;
    for (int i = 0; i < k; i++) {
        const double *x = h->normal + 3 * faces[i];
        normal[i] = mat_vec(s->rot, vec(x[0], x[1], x[2])), id[i] = faces[i];
    }
    return k;
}
static int normals(const solid *s, int n, const int v[3], vec3 dir, int *id, vec3 *normal) {
    return s->type == mjGEOM_BOX ? box_normals(s, n, v, dir, id, normal)
                                 : mesh_normals(s, n, v, id, normal);
}

// ---- edges from the first corner ----

static vec3 mesh_corner(const solid *s, int id) {
    const float *x = s->hull->vert + 3 * id;
    return add(mat_vec(s->rot, vec((double)x[0], (double)x[1], (double)x[2])), s->pos);
}
static vec3 box_corner(const solid *s, int id) {
    const double *h = s->size;
    vec3 x = vec(id & 1 ? h[0] : -h[0], id & 2 ? h[1] : -h[1], id & 4 ? h[2] : -h[2]);
    return add(mat_vec(s->rot, x), s->pos);
}
static vec3 bare(const solid *s, int id, vec3 x) { // corner x without the margin
    return s->grow == 0 || id < 0 ? x : s->hull ? mesh_corner(s, id) : box_corner(s, id);
}
static int edges(const solid *s, int n, const vec3 *v, int id, vec3 *dir, vec3 *end) {
    int k = 0;
    if (n == 2)
        end[k++] = v[1];
    else if (s->type == mjGEOM_BOX) {
        for (; k < 3; k++) end[k] = box_corner(s, id ^ 1 << k); // along each axis
    } else {
        const qi_hull *h = s->hull;
        const int *f = h->faces + h->facesadr[id];
        for (; k < h->facesnum[id]; k++) { // of each face, the corner before this one
            const int *c = h->corners + h->cornersadr[f[k]], nc = h->cornersnum[f[k]];
            int at = 0;
            while (at < nc && c[at] != id) at++;
            end[k] = at == nc ? v[0] : mesh_corner(s, c[at ? at - 1 : nc - 1]);
        }
    }
    for (int i = 0; i < k; i++) dir[i] = unit_of(sub(end[i], v[0]));
    return k;
}

static int face_corners(const solid *s, int id, vec3 *out) {
    if (s->type != mjGEOM_BOX) {
        const int *c = s->hull->corners + s->hull->cornersadr[id], n = s->hull->cornersnum[id];
        for (int i = 0; i < n; i++) out[i] = mesh_corner(s, c[n - 1 - i]);
        return n;
    }
    static const signed char sign[6][4][3] = {
        {{1, 1, 1}, {1, 1, -1}, {1, -1, -1}, {1, -1, 1}},
        {{-1, 1, -1}, {-1, 1, 1}, {-1, -1, 1}, {-1, -1, -1}},
        {{-1, 1, -1}, {1, 1, -1}, {1, 1, 1}, {-1, 1, 1}},
        {{-1, -1, 1}, {1, -1, 1}, {1, -1, -1}, {-1, -1, -1}},
        {{-1, 1, 1}, {1, 1, 1}, {1, -1, 1}, {-1, -1, 1}},
        {{1, 1, -1}, {-1, 1, -1}, {-1, -1, -1}, {1, -1, -1}},
    };
    for (int i = 0; i < 4; i++) {
        const signed char *k = sign[id][i];
        vec3 x = vec(k[0] * s->size[0], k[1] * s->size[1], k[2] * s->size[2]);
        out[i] = add(mat_vec(s->rot, x), s->pos);
    }
    return 4;
}

// ---- clipping ----

static double area4(vec3 a, vec3 b, vec3 c, vec3 d) {
    return 0.5 * length(cross(sub(c, a), sub(d, b)));
}
// Four corners of a convex polygon of n > 4 whose area is large: calipers around it.
static void best_four(const vec3 *p, int n, int best[4]) {
    int q[4] = {0, 1, 2, 3}, on[4];
    double most = area4(p[0], p[1], p[2], p[3]), m;
    memcpy(best, q, sizeof q);
    for (; q[0] < n; q[0]++) {
        for (bool more = true; more;) {
            more = false;
            for (int k = 3; k > 0; k--) // the last one step, then each of the others while it pays
                for (;;) {
                    memcpy(on, q, sizeof on);
                    on[k] = (q[k] + 1) % n;
                    m = area4(p[on[0]], p[on[1]], p[on[2]], p[on[3]]);
                    if (!(m > most) || (k < 3 && !more)) break;
                    most = m, more = true;
                    memcpy(q, on, sizeof q), memcpy(best, on, sizeof q);
                    if (k == 3) break;
                }
        }
        if (q[1] != q[0]) continue;
        q[1] = (q[1] + 1) % n;
        if (q[2] != q[1]) continue;
        q[2] = (q[2] + 1) % n;
        if (q[3] == q[2]) q[3] = (q[3] + 1) % n;
    }
}

// Polygon p of n, what of it lies over the face (its planes pn, pd): into out.
static int cut_by(const vec3 *p, int n, vec3 at, vec3 pn, double pd, vec3 *out, int most) {
    int k = 0;
    for (int i = 0; i < n && k + 2 <= most; i++) {
        vec3 a = p[i], b = p[i + 1 < n ? i + 1 : 0], e = sub(b, a);
        bool in = dot(sub(a, at), pn) > -MIN, next = dot(sub(b, at), pn) > -MIN;
        if (!in && !next) continue;
        if (in != next) {
            double d = dot(pn, e), t = d != 0 ? (pd - dot(pn, a)) / d : -1;
            if (t >= 0 && t <= 1) out[k++] = axpy(t, e, a);
        }
        if (next) out[k++] = b;
    }
    return k;
}
// v of a face or edge with normal `dir` over the face at `at`: its foot there, and that one's foot;
// both moved as far as the margin asks.
static void put_witness(qi_convex *w, int i, vec3 v, vec3 at, vec3 n, vec3 dir, bool swap) {
    double d = dot(sub(v, at), n), e = -d * dot(n, dir), half = 0.5 * w->margin;
    vec3 x = axpy(-d, n, v), y = axpy(-e, dir, x);
    x = axpy(-half, dir, x), y = axpy(half, dir, y);
    w->dist[i] = e - w->margin, w->x1[i] = swap ? y : x, w->x2[i] = swap ? x : y;
}
// Contacts where face (n corners, normal) and what, another face or an edge, lie over each other;
// dir is from the one to the other. swap: the face is the second shape's.
static void clip(qi_convex *w, const vec3 *edge, int nedge, const vec3 *what, int nwhat,
                 vec3 normal, vec3 dir, bool swap) {
    vec3 *p = w->poly, *q = w->cut;
    int n = nwhat, k = 0, pick[4] = {0, 1, 2, 3}, most = 2 * w->sides;
    if (nedge < 3) return;
    memcpy(p, what, (size_t)n * sizeof *p);
    for (int i = 0; i < nedge; i++) {
        vec3 a = edge[i], b = edge[i + 1 < nedge ? i + 1 : 0];
        vec3 pn = unit_of(cross(sub(b, a), sub(add(a, normal), a)));
        n = cut_by(p, n, a, pn, dot(pn, a), q, most);
        vec3 *t = p;
        p = q, q = t;
    }
    for (int i = 0; i < n; i++)
        if (dot(sub(p[i], edge[0]), normal) <= w->margin) p[k++] = p[i];
    n = k;
    if (n < 1) return;
    if (n > 4)
        best_four(p, n, pick), k = 4;
    else if (nwhat == 2 && n > 2) { // an edge: its two ends
        double far = 0;
        for (int i = 0; i < n; i++)
            for (int j = i + 1; j < n; j++) {
                double d = dot(sub(p[j], p[i]), sub(p[j], p[i]));
                if (d > far) far = d, pick[0] = i, pick[1] = j;
            }
        k = 2;
    }
    for (int i = 0; i < k; i++) put_witness(w, i, p[pick[i]], edge[0], normal, dir, swap);
    w->nx = k;
}

static bool facing(const vec3 *a, int na, const vec3 *b, int nb, int *i, int *j) {
    double least = -FACING;
    bool found = false;
    for (int k = 0; k < na; k++)
        for (int q = 0; q < nb; q++)
            if (dot(a[k], b[q]) < least) least = dot(a[k], b[q]), found = true, *i = k, *j = q;
    return found;
}
static bool beside(const vec3 *edge, int ne, const vec3 *n, int nf, int *e, int *f) {
    for (*f = 0; *f < nf; (*f)++)
        for (*e = 0; *e < ne; (*e)++)
            if (fabs(dot(edge[*e], n[*f])) < BESIDE) return true;
    return false;
}

// A capsule's core along a face of b: where it comes to lie over it and leaves it again.
static void rod(qi_convex *w, const solid *a, const solid *b, int nb) {
    double h = a->size[1];
    int best = 0;
    while (best < nb && fabs(dot(a->rot.z, w->n2[best])) >= BESIDE) best++;
    if (best == nb) return;
    // a line on its surface through the contact
    vec3 v = w->n2[best], axis = a->rot.z;
    vec3 x1 = axpy(a->grow, v, w->x1[0]);
    vec3 base = axpy(-dot(axis, sub(x1, a->pos)), axis, x1);
    const vec3 edge[2] = {axpy(-h, axis, base), axpy(h, axis, base)};
    int sides = face_corners(b, w->id2[best], w->face2);
    clip(w, w->face2, sides, edge, 2, v, neg(v), true);
}
void qi_convex_faces(qi_convex *w, const corner *const c[3], const solid *a, const solid *b) {
    if ((a->hull && !a->hull->nface) || (b->hull && !b->hull->nface)) return;
    vec3 va[3], vb[3], dir = sub(w->x2[0], w->x1[0]), edge[2];
    int ia[3], ib[3], i, j;
    for (int k = 0; k < 3; k++) {
        ia[k] = c[k]->ia, ib[k] = c[k]->ib;
        va[k] = bare(a, ia[k], c[k]->a), vb[k] = bare(b, ib[k], c[k]->b);
    }
    if (a->type == mjGEOM_CAPSULE) {
        int d = features(ib, vb);
        rod(w, a, b, normals(b, d, ib, dir, w->id2, w->n2));
        return;
    }
    int da = features(ia, va), db = features(ib, vb);
    int na = normals(a, da, ia, neg(dir), w->id1, w->n1);
    int nb = normals(b, db, ib, dir, w->id2, w->n2);
    if (facing(w->n1, na, w->n2, nb, &i, &j)) {
        na = face_corners(a, w->id1[i], w->face1), nb = face_corners(b, w->id2[j], w->face2);
        clip(w, w->face1, na, w->face2, nb, w->n1[i], w->n2[j], false);
    } else if (da < 3 && da <= db && nb > 0) { // an edge of a on a face of b
        na = edges(a, da, va, ia[0], w->n1, w->end);
        if (!beside(w->n1, na, w->n2, nb, &i, &j)) return;
        edge[0] = va[0], edge[1] = w->end[i];
        nb = face_corners(b, w->id2[j], w->face2);
        clip(w, w->face2, nb, edge, 2, w->n2[j], mul(-1, w->n2[j]), true);
    } else if (db < 3) {
        nb = edges(b, db, vb, ib[0], w->n2, w->end);
        if (!beside(w->n2, nb, w->n1, na, &i, &j)) return;
        edge[0] = vb[0], edge[1] = w->end[i];
        na = face_corners(a, w->id1[j], w->face1);
        clip(w, w->face1, na, edge, 2, w->n1[j], mul(-1, w->n1[j]), false);
    }
}
