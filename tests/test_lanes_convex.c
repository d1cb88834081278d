// SPDX-License-Identifier: Apache-2.0
// test_lanes_convex.c - our GJK and EPA against MuJoCo's own functions for the pair: as many
// contacts, as deep, in the same places; a hull's corners against all of them.
#include "lanes_shapes.h"
#include "test.h"

#include "sim/convex.h"
#include "sim/lanes_hull.h"

#include <math.h>
#include <string.h>

// Beside the others a ball of so many faces that some lie within 5 degrees.
#define ASSETS             \
    "<asset>" SHAPE_MESHES \
    "<mesh name='ball' builtin='sphere' params='3' scale='.1 .1 .1'/></asset>"
static const char *const shape[] = {SHAPES, "type='mesh' mesh='ball'"};
enum { NSHAPE = sizeof shape / sizeof *shape };

typedef struct pair {
    mjModel *m;
    mjData *d;
    qiao_arena *arena;
    qi_convex *w;
    qi_hull hull[3];
    int g[2]; // ordered by type
    uint64_t seed;
} pair;

static double random_one(pair *x) { // -1 .. 1
    x->seed = x->seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(x->seed >> 11) / 4503599627370496.0 - 1;
}
static bool open_pair(pair *x, const char *a, const char *b, const char *option) {
    char xml[4000], err[500] = "";
    *x = (pair){.arena = qiao_arena_new(), .seed = 1};
    snprintf(xml, sizeof xml,
             "<mujoco><option>%s</option>" ASSETS "<worldbody><body><freejoint/><geom %s/></body>"
             "<body><freejoint/><geom %s/></body></worldbody></mujoco>",
             option, a, b);
    mjSpec *s = mj_parseXMLString(xml, NULL, err, sizeof err);
    x->m = s ? mj_compile(s, NULL) : NULL;
    mj_deleteSpec(s);
    if (!x->m) return false;
    x->d = mj_makeData(x->m), x->w = qi_convex_new(x->m, x->arena);
    bool ok = x->d && x->w;
    for (int i = 0; ok && i < x->m->nmesh; i++) ok = qi_hull_make(x->m, i, x->arena, &x->hull[i]);
    x->g[0] = x->m->geom_type[0] > x->m->geom_type[1], x->g[1] = !x->g[0];
    return ok;
}
static void close_pair(pair *x) {
    mj_deleteData(x->d), mj_deleteModel(x->m), qiao_arena_free(x->arena);
}
static void place_pair(pair *x, qi_solid s[2]) { // at random, about as far as they reach
    const mjModel *m = x->m;
    mjData *d = x->d;
    double to[3] = {random_one(x), random_one(x), random_one(x)};
    mj_resetData(m, d);
    mju_normalize3(to);
    mju_scl3(d->qpos + 7, to,
             (m->geom_rbound[0] + m->geom_rbound[1]) * (0.65 + 0.4 * random_one(x)));
    for (int k = 0; k < 4; k++) d->qpos[3 + k] = random_one(x), d->qpos[10 + k] = random_one(x);
    mju_normalize4(d->qpos + 3), mju_normalize4(d->qpos + 10);
    mj_kinematics(m, d);
    for (int k = 0; k < 2; k++) {
        int g = x->g[k];
        s[k] = (qi_solid){.type = m->geom_type[g]};
        if (s[k].type == mjGEOM_MESH) s[k].hull = &x->hull[m->geom_dataid[g]];
        memcpy(s[k].size, m->geom_size + 3 * g, sizeof s[k].size);
        memcpy(s[k].pos, d->geom_xpos + 3 * g, sizeof s[k].pos);
        memcpy(s[k].mat, d->geom_xmat + 9 * g, sizeof s[k].mat);
    }
}

// Whether b holds a's contacts, in any order. Where curved shapes touch, the rounds of GJK end within
// a tolerance: the depth is stable, the place less so.
static bool same(const mjPreContact *a, int na, const mjPreContact *b, int nb, double place) {
    if (na != nb) return false;
    bool used[QI_CONVEX_MOST] = {false};
    for (int i = 0; i < na; i++) {
        int k = 0;
        while (k < nb && (used[k] || fabs(a[i].dist - b[k].dist) > 1e-8 ||
                          mju_dist3(a[i].pos, b[k].pos) > place ||
                          mju_dist3(a[i].normal, b[k].normal) > 100 * place))
            k++;
        if (k == nb) return false;
        used[k] = true;
    }
    return true;
}
static void pair_contacts(const char *a, const char *b, double margin, const char *option) {
    enum { POSES = 400 };
    pair x;
    qi_solid s[2];
    mjPreContact own[64], our[QI_CONVEX_MOST];
    int met = 0, apart = 0, many = 0, bad = 0;
    CHECK(open_pair(&x, a, b, option), "%s against %s", a, b);
    const int *t = x.m->geom_type, *g = x.g;
    mjfCollision f = mjCOLLISIONFUNC[t[g[0]]][t[g[1]]];
    bool round = t[g[0]] == mjGEOM_ELLIPSOID || t[g[1]] == mjGEOM_ELLIPSOID;
    for (int k = 0; k < POSES; k++) {
        place_pair(&x, s);
        int n = f(x.m, x.d, own, g[0], g[1], margin);
        int we = qi_convex_touch(x.w, &s[0], &s[1], margin, our);
        met += n > 0, apart += n == 0, many += n > 1;
        bad += !same(own, n, our, we, round ? 1e-5 : 1e-8);
    }
    CHECK(met >= 40 && apart >= 40, "%s against %s: %d meet, %d do not", a, b, met, apart);
    CHECK(bad * 200 <= met, "%s against %s, margin %g: %d of %d differ", a, b, margin, bad, met);
    if (t[g[0]] >= mjGEOM_BOX && !*option) CHECK(many >= 10, "%d with several contacts", many);
    close_pair(&x);
}
static bool answered(int i, int k) { // and not by a function in lanes or a primitive of MuJoCo's
    static const int type[NSHAPE] = {2, 3, 4, 5, 6, 7, 7, 7};
    bool plain = type[i] != 4 && type[k] != 4 && type[i] != 7 && type[k] != 7;
    return qi_convex_knows(type[i], type[k]) && !plain;
}

TEST(convex_contacts_are_mujocos) {
    int pairs = 0;
    for (int i = 0; i < NSHAPE; i++)
        for (int k = i; k < NSHAPE; k++)
            if (answered(i, k)) pair_contacts(shape[i], shape[k], 0, ""), pairs++;
    CHECK(pairs == 23, "%d pairs", pairs);
}
TEST(convex_contacts_within_a_margin) {
    for (int i = 0; i < NSHAPE; i++)
        for (int k = i; k < NSHAPE; k++)
            if (answered(i, k) && i != 1) pair_contacts(shape[i], shape[k], 0.02, "");
}
TEST(convex_contacts_one_a_pair) { // multiccd off
    for (int i = 1; i < NSHAPE; i++)
        if (answered(i, 6)) pair_contacts(shape[i], shape[6], 0, "<flag multiccd='disable'/>");
}

// A square's corners hold the farthest one along every direction of it.
TEST(a_hulls_squares_hold_the_farthest_corner) {
    pair x;
    CHECK(open_pair(&x, shape[5], shape[7], ""));
    for (int mesh = 0; mesh < 2; mesh++) { // the ball's corners are climbed to
        const qi_hull *h = &x.hull[mesh];
        const float *v = x.m->mesh_vert + 3 * x.m->mesh_vertadr[mesh];
        CHECK(h->n > 0 && h->cell[QI_HULL_CELLS] >= QI_HULL_CELLS, "%d corners", h->n);
        for (int k = 0; k < 5000; k++) {
            double d[3] = {random_one(&x), random_one(&x), random_one(&x)}, most = -1e9, got = -1e9;
            if (k % 3 == 0) d[k % 2] = 0; // on a border
            for (int i = 0; i < x.m->mesh_vertnum[mesh]; i++)
                most = fmax(most, d[0] * (double)v[3 * i] + d[1] * (double)v[3 * i + 1] +
                                      d[2] * (double)v[3 * i + 2]);
            int a = fabs(d[0]) >= fabs(d[1]) ? (fabs(d[0]) >= fabs(d[2]) ? 0 : 2)
                                             : (fabs(d[1]) >= fabs(d[2]) ? 1 : 2);
            double f = QI_HULL / (2 * fabs(d[a]));
            int i = (int)fmin(d[(a + 1) % 3] * f + QI_HULL / 2, QI_HULL - 1);
            int j = (int)fmin(d[(a + 2) % 3] * f + QI_HULL / 2, QI_HULL - 1);
            int at = ((2 * a + (d[a] < 0)) * QI_HULL + i) * QI_HULL + j;
            for (int c = h->cell[at]; c < h->cell[at + 1]; c++)
                got = fmax(got, d[0] * (double)h->far[c].x[0] + d[1] * (double)h->far[c].x[1] +
                                    d[2] * (double)h->far[c].x[2]);
            CHECK(got >= most - 1e-12, "%.17g where corners reach %.17g", got, most);
        }
    }
    close_pair(&x);
}

// Poses that are no numbers end, with no contact or one, and touch no memory of others.
TEST(poses_that_are_no_numbers) {
    pair x;
    qi_solid s[2];
    mjPreContact c[QI_CONVEX_MOST];
    for (int i = 0; i < NSHAPE; i++) {
        if (!answered(i, 7)) continue;
        CHECK(open_pair(&x, shape[i], shape[7], ""));
        for (int k = 0; k < 24; k++) {
            place_pair(&x, s);
            double bad = k & 1 ? (double)NAN : (double)INFINITY;
            *(k % 12 < 3 ? &s[0].pos[k % 3] : &s[1].mat[k % 9]) = bad;
            int n = qi_convex_touch(x.w, &s[0], &s[1], 0, c);
            CHECK(n >= 0 && n <= QI_CONVEX_MOST, "%d contacts", n);
        }
        close_pair(&x);
    }
}
