// SPDX-License-Identifier: Apache-2.0
// convex.c - see convex.h: shapes, one pair.
#include "sim/convex_in.h"

static int square(double x) { return x >= 0 ? x < QI_HULL ? (int)x : QI_HULL - 1 : 0; }
static inline double along(const qi_corner *c, vec3 d) {
    return (d.x * (double)c->x[0] + d.y * (double)c->x[1]) + d.z * (double)c->x[2];
}
// Uphill from where MuJoCo begins. Hulls are not quite convex in their last digits: a climb may end
// a hair below the farthest corner, and further contacts depend on which corner it was.
typedef struct climb {
    const qi_corner *ring;
    vec3 d;
    double most;
    int best;
} climb;
static climb climb_from(const solid *s, vec3 dir) {
    climb c = {.ring = s->hull->ring, .d = mat_tvec(s->rot, dir)};
    vec3 d = c.d;
    int x = (d.x > 0.4) - (d.x < -0.4) + 1, y = (d.y > 0.4) - (d.y < -0.4) + 1;
    c.best = s->hull->start[9 * x + 3 * y + (d.z > 0.4) - (d.z < -0.4) + 1];
    c.most = along(c.ring + c.best, d);
    if (s->at >= 0) {
        double kept = along(c.ring + s->at, d);
        if (!(c.most > kept)) c.most = kept, c.best = s->at;
    }
    return c;
}
static inline bool climb_on(climb *c) { // to the best neighbour; false: there is none
    const qi_corner *n = c->ring + c->best;
    double most = c->most;
    int was = c->best, best = was, more;
    do {
        double far = along(++n, c->d);
        more = n->id;
        int at = more ^ more >> 31; // without the last one's mark
        int higher = -(far > most); // no branch: nobody can foretell it
        best ^= (best ^ at) & higher, most = far > most ? far : most;
    } while (more >= 0);
    __builtin_prefetch(c->ring + best), __builtin_prefetch(c->ring + best + 4);
    c->best = best, c->most = most;
    return best != was;
}
static vec3 climb_end(const climb *c, solid *s) {
    const qi_corner *p = c->ring + c->best;
    s->at = c->best, s->last = p->id;
    vec3 x = vec((double)p->x[0], (double)p->x[1], (double)p->x[2]);
    return add(mat_vec(s->rot, x), s->pos);
}
static bool climbs(const solid *s) { return s->type == mjGEOM_MESH && s->hull->ring; }
static vec3 climb_far(solid *s, vec3 dir) {
    climb c = climb_from(s, dir);
    while (climb_on(&c))
        ;
    return climb_end(&c, s);
}
// On both shapes by turns: what one waits for, the other has time for.
static void climb_both(corner *c, solid *a, solid *b, vec3 dir, vec3 back) {
    climb x = climb_from(a, dir), y = climb_from(b, back);
    bool on = true, too = true;
    while (on || too) {
        if (on) on = climb_on(&x);
        if (too) too = climb_on(&y);
    }
    c->a = climb_end(&x, a), c->b = climb_end(&y, b);
}

// The hull's farthest corner along d, in its own axes.
static vec3 hull_far(solid *s, vec3 d) {
    const qi_hull *h = s->hull;
    double ax = fabs(d.x), ay = fabs(d.y), az = fabs(d.z), big, u, v;
    int side;
    if (ax >= ay && ax >= az)
        side = 0, big = d.x, u = d.y, v = d.z;
    else if (ay >= az)
        side = 2, big = d.y, u = d.z, v = d.x;
    else
        side = 4, big = d.z, u = d.x, v = d.y;
    double k = fabs(big) > 0 ? QI_HULL / (2 * fabs(big)) : 0;
    int i = square(u * k + QI_HULL / 2), j = square(v * k + QI_HULL / 2);
    const int *cell = h->cell + ((side + (big < 0)) * QI_HULL + i) * QI_HULL + j;
    const qi_corner *best = h->far + cell[0], *end = h->far + cell[1];
    double most = -LIMIT;
    for (const qi_corner *c = best; c < end; c++) {
        double y = along(c, d);
        if (y > most) most = y, best = c;
    }
    s->last = best->id;
    return vec((double)best->x[0], (double)best->x[1], (double)best->x[2]);
}

static vec3 far_of(solid *s, vec3 dir) {
    const double *z = s->size;
    vec3 x = vec0(), d;
    if (s->thin && s->type == mjGEOM_SPHERE) return s->pos;
    if (s->thin) {
        double up = dot(s->rot.z, dir) >= 0 ? z[1] : -z[1];
        return add(mul(up, s->rot.z), s->pos);
    }
    if (s->type == mjGEOM_SPHERE) return axpy(z[0], dir, s->pos);
    if (climbs(s)) return climb_far(s, dir);
    d = mat_tvec(s->rot, dir);
    switch (s->type) {
    case mjGEOM_CAPSULE:
        x = mul(z[0], d);
        x.z = x.z + (d.z >= 0 ? z[1] : -z[1]);
        break;
    case mjGEOM_ELLIPSOID: {
        x = vec(d.x * z[0], d.y * z[1], d.z * z[2]);
        double nn = dot(x, x), k = 1 / root(nn);
        if (nn < MIN * MIN)
            x = vec(z[0], 0, 0);
        else
            x = vec(x.x * (k * z[0]), x.y * (k * z[1]), x.z * (k * z[2]));
        break;
    }
    case mjGEOM_CYLINDER: {
        double nn = d.x * d.x + d.y * d.y, k = nn >= MIN * MIN ? z[0] / root(nn) : 0;
        x = vec(k * d.x, k * d.y, d.z >= 0 ? z[1] : -z[1]);
        break;
    }
    case mjGEOM_BOX:
        x = vec(d.x >= 0 ? z[0] : -z[0], d.y >= 0 ? z[1] : -z[1], d.z >= 0 ? z[2] : -z[2]);
        s->last = (x.x > 0) | (x.y > 0) << 1 | (x.z > 0) << 2;
        break;
    default: x = hull_far(s, d);
    }
    return add(mat_vec(s->rot, x), s->pos);
}

void qi_convex_support(corner *c, solid *a, solid *b, vec3 dir) {
    vec3 back = neg(dir);
    if (climbs(a) && climbs(b))
        climb_both(c, a, b, dir, back);
    else
        c->a = far_of(a, dir), c->b = far_of(b, back);
    if (a->grow > 0) c->a = axpy(a->grow, dir, c->a);
    if (b->grow > 0) c->b = axpy(b->grow, back, c->b);
    c->p = sub(c->a, c->b);
    c->ia = a->last, c->ib = b->last;
}
bool qi_convex_smooth(const solid *a, const solid *b) {
    return a->grow != 0 || b->grow != 0 || a->type < mjGEOM_BOX || b->type < mjGEOM_BOX;
}

static solid solid_of(const qi_solid *s, double margin) {
    const double *m = s->mat;
    solid o = {.type = s->type, .grow = 0.5 * margin, .hull = s->hull, .at = -1, .last = -1};
    memcpy(o.size, s->size, sizeof o.size);
    o.pos = vec(s->pos[0], s->pos[1], s->pos[2]);
    o.rot = (mat3){vec(m[0], m[3], m[6]), vec(m[1], m[4], m[7]), vec(m[2], m[5], m[8])};
    return o;
}

// ---- one pose: GJK on thin balls and capsules, else GJK and EPA ----

static bool round_one(const solid *s) {
    return s->type == mjGEOM_SPHERE || s->type == mjGEOM_CAPSULE;
}
static double least_of(const qi_convex *w) {
    double least = w->dist[0];
    for (int i = 1; i < w->nx; i++) least = w->dist[i] < least ? w->dist[i] : least;
    return least;
}
// Witnesses for one pose; the deepest distance.
static double meet(qi_convex *w, solid *a, solid *b, int most) {
    w->x1[0] = a->pos, w->x2[0] = b->pos;
    if (round_one(a) || round_one(b) || a->grow > 0) {
        solid *s[2] = {a, b};
        double more[2], grow[2] = {a->grow, b->grow};
        for (int k = 0; k < 2; k++) {
            s[k]->thin = round_one(s[k]), s[k]->grow = 0;
            more[k] = grow[k] + (s[k]->thin ? s[k]->size[0] : 0);
        }
        qi_convex_gjk(w, a, b, more[0] + more[1]);
        for (int k = 0; k < 2; k++) s[k]->grow = grow[k], s[k]->thin = 0;
        if (w->dist[0] > w->tolerance) { // the cores are apart: nothing to search for
            vec3 n = unit_of(sub(w->x2[0], w->x1[0]));
            w->x1[0] = axpy(more[0], n, w->x1[0]), w->x2[0] = axpy(-more[1], n, w->x2[0]);
            w->dist[0] -= more[0] + more[1];
            if (w->dist[0] < 0 && most > 1) {
                const corner *s0 = w->simplex;
                const corner *const c[3] = {s0, s0 + (w->n > 1), s0 + (w->n > 2 ? 2 : w->n > 1)};
                qi_convex_faces(w, c, a, b);
            }
            return least_of(w);
        }
        w->x1[0] = a->pos, w->x2[0] = b->pos;
    }
    qi_convex_gjk(w, a, b, 0);
    if (w->dist[0] <= w->tolerance && w->n > 1 && !w->separated) {
        w->dist[0] = 0;
        face *f = qi_convex_epa(w, a, b);
        if (f && most > 1) {
            const corner *const c[3] = {&w->c[f->c[0]], &w->c[f->c[1]], &w->c[f->c[2]]};
            qi_convex_faces(w, c, a, b);
        }
    }
    return least_of(w);
}

int qi_convex_touch(qi_convex *w, const qi_solid *a, const qi_solid *b, double margin,
                    mjPreContact out[QI_CONVEX_MOST]) {
    solid s = solid_of(a, margin), t = solid_of(b, margin);
    w->margin = margin > 0 ? margin : 0;
    bool flat = t.type >= mjGEOM_BOX, rod = s.type == mjGEOM_CAPSULE;
    int most = !w->multi || !flat ? 1 : s.type >= mjGEOM_BOX ? 4 : rod ? 2 : 1;
    if (!(meet(w, &s, &t, most) < 0)) return 0;
    for (int i = 0; i < w->nx; i++) {
        vec3 p = mul(0.5, add(w->x1[i], w->x2[i])), n = unit_of(sub(w->x1[i], w->x2[i]));
        out[i] = (mjPreContact){margin + w->dist[i], {p.x, p.y, p.z}, {n.x, n.y, n.z}, {0, 0, 0}};
    }
    return w->nx;
}

bool qi_convex_knows(int a, int b) {
    if (a > b) return qi_convex_knows(b, a);
    if (a < mjGEOM_SPHERE || b > mjGEOM_MESH || a == mjGEOM_CYLINDER) return false;
    return a != mjGEOM_CAPSULE || b != mjGEOM_CYLINDER;
}

qi_convex *qi_convex_new(const mjModel *m, qiao_arena *arena) {
    qi_convex *w = qiao_arena_get(arena, sizeof *w);
    if (!w) return NULL;
    int it = m->opt.ccd_iterations;
    it = it < 1 ? 1 : it > 1000 ? 1000 : it;
    w->iterations = it, w->most = 6 * it + 8, w->tolerance = m->opt.ccd_tolerance;
    w->multi = !(m->opt.disableflags & mjDSBL_MULTICCD);
    w->degree = 3, w->sides = 4;
    for (int i = 0; i < m->nmeshvert; i++)
        if (m->mesh_polymapnum[i] > w->degree) w->degree = m->mesh_polymapnum[i];
    for (int i = 0; i < m->nmeshpoly; i++)
        if (m->mesh_polyvertnum[i] > w->sides) w->sides = m->mesh_polyvertnum[i];
    size_t nf = (size_t)w->most, deg = (size_t)w->degree, sides = (size_t)w->sides;
    w->c = qiao_arena_get(arena, ((size_t)it + 8) * sizeof *w->c);
    w->f = qiao_arena_get(arena, nf * sizeof *w->f);
    w->map = qiao_arena_get(arena, nf * sizeof *w->map);
    w->rim = qiao_arena_get(arena, nf * sizeof *w->rim);
    w->rim_edge = qiao_arena_get(arena, nf * sizeof *w->rim_edge);
    w->id1 = qiao_arena_get(arena, 2 * deg * sizeof *w->id1);
    w->n1 = qiao_arena_get(arena, (3 * deg + 7 * sides) * sizeof *w->n1);
    w->pd = qiao_arena_get(arena, sides * sizeof *w->pd);
    if (!w->c || !w->f || !w->map || !w->rim || !w->rim_edge || !w->id1 || !w->n1 || !w->pd)
        return NULL;
    w->id2 = w->id1 + deg, w->n2 = w->n1 + deg, w->end = w->n2 + deg;
    w->face1 = w->end + deg, w->face2 = w->face1 + sides, w->pn = w->face2 + sides;
    w->poly = w->pn + sides, w->cut = w->poly + 2 * sides;
    return w;
}
