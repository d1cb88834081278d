// SPDX-License-Identifier: Apache-2.0
// test_lanes_touch.c - contacts in lanes beside MuJoCo's own function of each pair, contact by
// contact; every instance has the bits of the scalar; floats near doubles.

#include "test.h"

#include "qiao/base.h"
#include "sim/lanes_touch_ops.h"

#include <mujoco/mujoco.h>

enum { NPOSE = 20000, SLOTS = 8, ROWS = QI_TOUCH_PLACE, OUTS = QI_TOUCH_OUT };
typedef struct pose { // of two shapes; rotations as columns
    double a[ROWS], b[ROWS], margin;
} pose;
typedef struct hit {
    double x[OUTS];
} hit;
typedef struct pair {
    const char *name;
    int type1, type2;
} pair;
static const pair pairs[] = {
    {"plane_sphere", mjGEOM_PLANE, mjGEOM_SPHERE},
    {"plane_capsule", mjGEOM_PLANE, mjGEOM_CAPSULE},
    {"plane_ellipsoid", mjGEOM_PLANE, mjGEOM_ELLIPSOID},
    {"plane_cylinder", mjGEOM_PLANE, mjGEOM_CYLINDER},
    {"plane_box", mjGEOM_PLANE, mjGEOM_BOX},
    {"sphere_sphere", mjGEOM_SPHERE, mjGEOM_SPHERE},
    {"sphere_capsule", mjGEOM_SPHERE, mjGEOM_CAPSULE},
    {"sphere_cylinder", mjGEOM_SPHERE, mjGEOM_CYLINDER},
    {"sphere_box", mjGEOM_SPHERE, mjGEOM_BOX},
    {"capsule_capsule", mjGEOM_CAPSULE, mjGEOM_CAPSULE},
    {"capsule_box", mjGEOM_CAPSULE, mjGEOM_BOX},
    {"box_box", mjGEOM_BOX, mjGEOM_BOX},
};
enum { NPAIR = sizeof pairs / sizeof *pairs };
static pose poses[NPOSE];

static uint64_t turn;
static double rnd(double lo, double hi) {
    qiao_rng r = {.seed = 11, .purpose = QIAO_RNG_CASE};
    return lo + (hi - lo) * qiao_rng_uniform(&r, turn++, 0);
}
static int pick_int(int n) { return (int)rnd(0, n) % n; }

static const mjModel *model(mjData **d) {
    static mjModel *m;
    static mjData *data;
    if (!m) {
        // all eight shapes of both sides are geoms of the world
        mjSpec *s = mj_makeSpec();
        mjsBody *world = mjs_findBody(s, "world");
        for (int k = 0; k < 16; k++) {
            int type = k / 2;
            if (type == mjGEOM_HFIELD || type == mjGEOM_MESH) type = mjGEOM_SPHERE;
            mjsGeom *g = mjs_addGeom(world, NULL);
            g->type = (mjtGeom)type;
            g->size[0] = g->size[1] = g->size[2] = 1;
        }
        m = mj_compile(s, NULL);
        mj_deleteSpec(s);
        if (m) data = mj_makeData(m);
    }
    *d = data;
    return m;
}

// Rotations: any; one of the 24 of a cube; near another's, by an angle of 10^-16 .. 0.1.
static void turn_any(double *r) {
    mjtNum q[4], m[9];
    for (int i = 0; i < 4; i++) q[i] = rnd(-1, 1);
    mju_normalize4(q);
    mju_quat2Mat(m, q);
    mju_transpose(r, m, 3, 3);
}
static void turn_cube(double *r) {
    int i = pick_int(3), j = (i + 1 + pick_int(2)) % 3;
    memset(r, 0, 9 * sizeof *r);
    r[i] = pick_int(2) ? 1 : -1, r[3 + j] = pick_int(2) ? 1 : -1;
    mju_cross(r + 6, r, r + 3);
}
static void turn_near(double *r, const double *other) {
    mjtNum axis[3] = {rnd(-1, 1), rnd(-1, 1), rnd(-1, 1)}, q[4], m[9], t[9];
    if (pick_int(2)) { // about one of its own axes
        mju_zero3(axis);
        axis[pick_int(3)] = 1;
    }
    mju_normalize3(axis);
    mju_axisAngle2Quat(q, axis, pick_int(4) ? pow(10, rnd(-16, -1)) : pick_int(3) * M_PI / 4);
    mju_quat2Mat(m, q); // columns of the result: other * column of m
    double cube[9];
    turn_cube(cube);
    for (int c = 0; c < 3; c++)
        for (int k = 0; k < 3; k++)
            t[3 * c + k] = m[3 * k] * cube[3 * c] + m[3 * k + 1] * cube[3 * c + 1] +
                           m[3 * k + 2] * cube[3 * c + 2];
    for (int c = 0; c < 3; c++)
        for (int k = 0; k < 3; k++)
            r[3 * c + k] =
                other[k] * t[3 * c] + other[3 + k] * t[3 * c + 1] + other[6 + k] * t[3 * c + 2];
}

// How far a shape reaches from its centre along direction n.
static double reach(int type, const double *p, const double *n) {
    const double *r = p + 3, *s = p + 12;
    double c[3];
    for (int k = 0; k < 3; k++) c[k] = mju_dot3(r + 3 * k, n);
    double ring = sqrt(c[0] * c[0] + c[1] * c[1]);
    switch (type) {
    case mjGEOM_SPHERE: return s[0];
    case mjGEOM_CAPSULE: return s[0] + s[1] * fabs(c[2]);
    case mjGEOM_CYLINDER: return s[0] * ring + s[1] * fabs(c[2]);
    case mjGEOM_BOX: return s[0] * fabs(c[0]) + s[1] * fabs(c[1]) + s[2] * fabs(c[2]);
    case mjGEOM_ELLIPSOID:
        return sqrt(c[0] * c[0] * s[0] * s[0] + c[1] * c[1] * s[1] * s[1] +
                    c[2] * c[2] * s[2] * s[2]);
    default: return 0;
    }
}
static void random_pose(const pair *w, pose *p) {
    static const double margins[] = {0, 0, 0.001, 0.01};
    bool grid = pick_int(4) == 0; // coordinates that meet exactly
    for (int k = 0; k < 3; k++) {
        p->a[12 + k] = grid ? 0.0625 * (1 + pick_int(4)) : rnd(0.02, 0.3);
        p->b[12 + k] = grid ? 0.0625 * (1 + pick_int(4)) : rnd(0.02, 0.3);
        p->a[k] = grid ? 0.0625 * pick_int(9) : rnd(-3, 3);
    }
    if (pick_int(4) == 0) memcpy(p->b + 12, p->a + 12, 3 * sizeof(double));
    p->margin = margins[pick_int(4)];
    (grid ? turn_cube : turn_any)(p->a + 3);
    int how = pick_int(4);
    if (how == 0 || grid)
        (pick_int(4) ? turn_near : turn_near)(p->b + 3, p->a + 3);
    else
        turn_any(p->b + 3);
    if (grid && pick_int(2)) turn_cube(p->b + 3);

    // along a direction, by a part of the reach of both
    double n[3] = {rnd(-1, 1), rnd(-1, 1), rnd(-1, 1)}, part;
    if (w->type1 == mjGEOM_PLANE || pick_int(3) == 0)
        memcpy(n, p->a + 3 + 3 * (w->type1 == mjGEOM_PLANE ? 2 : pick_int(3)), sizeof n);
    mju_normalize3(n);
    double r = reach(w->type1, p->a, n) + reach(w->type2, p->b, n);
    switch (pick_int(6)) {
    case 0: part = 0; break;                                     // centres meet
    case 1: part = rnd(0, 1); break;                             // deep
    case 2: part = 1; break;                                     // touching
    case 3: part = 1 + pow(10, rnd(-9, -1)) * rnd(-1, 1); break; // near
    default: part = rnd(0.5, 1.1);
    }
    for (int k = 0; k < 3; k++) p->b[k] = p->a[k] + n[k] * r * part;
    if (w->type1 != mjGEOM_PLANE && pick_int(3) == 0) // beside the line of centres
        for (int k = 0; k < 3; k++) p->b[k] += rnd(-0.3, 0.3);
    if (grid && pick_int(2))
        for (int k = 0; k < 3; k++) p->b[k] = p->a[k] + 0.0625 * (pick_int(9) - 4);
}
static void random_poses(const pair *w) {
    turn = 1000000;
    for (int i = 0; i < NPOSE; i++) random_pose(w, poses + i);
}

// MuJoCo's own contacts.
static int reference(const pair *w, const pose *p, hit *out) {
    mjData *d;
    const mjModel *m = model(&d);
    int g[2] = {2 * w->type1, 2 * w->type2 + 1};
    for (int s = 0; s < 2; s++) {
        const double *x = s ? p->b : p->a;
        memcpy(d->geom_xpos + 3 * g[s], x, 3 * sizeof *x);
        mju_transpose(d->geom_xmat + 9 * g[s], x + 3, 3, 3);
        memcpy(m->geom_size + 3 * g[s], x + 12, 3 * sizeof *x);
    }
    mjPreContact con[64];
    int n = mjCOLLISIONFUNC[w->type1][w->type2](m, d, con, g[0], g[1], p->margin);
    for (int i = 0; i < n && i < SLOTS; i++) {
        double *x = out[i].x;
        x[0] = con[i].dist;
        memcpy(x + 1, con[i].pos, 3 * sizeof *x);
        memcpy(x + 4, con[i].normal, 3 * sizeof *x);
        memcpy(x + 7, con[i].tangent, 3 * sizeof *x);
    }
    return n;
}

// Poses i0 .. i0 + lanes - 1 through an instance; raw outcome [max][OUTS][lanes].
static _Alignas(64) char in_a[ROWS * 64], in_b[ROWS * 64], in_m[64], outs[SLOTS * OUTS * 64];
static void put(const qi_touch_ops *op, char *at, int row, int lane, double x) {
    size_t k = (size_t)(row * op->lanes + lane);
    if (op->f64)
        memcpy(at + 8 * k, &x, 8);
    else
        memcpy(at + 4 * k, &(float){(float)x}, 4);
}
static void run(const qi_touch_ops *op, const pair *w, int i0) {
    for (int l = 0; l < op->lanes; l++) {
        const pose *p = poses + (i0 + l) % NPOSE;
        for (int r = 0; r < ROWS; r++) put(op, in_a, r, l, p->a[r]), put(op, in_b, r, l, p->b[r]);
        put(op, in_m, 0, l, p->margin);
    }
    op->run(w->type1, w->type2, in_a, in_b, in_m, outs);
}
static uint64_t raw(const qi_touch_ops *op, int slot, int row, int lane) {
    size_t k = (size_t)((slot * OUTS + row) * op->lanes + lane);
    uint64_t x = 0;
    uint32_t y;
    if (op->f64)
        memcpy(&x, outs + 8 * k, 8);
    else
        memcpy(&y, outs + 4 * k, 4), x = y;
    return x;
}
static double value(const qi_touch_ops *op, int slot, int row, int lane) {
    uint64_t x = raw(op, slot, row, lane);
    double d;
    float f;
    uint32_t y = (uint32_t)x;
    memcpy(&d, &x, 8), memcpy(&f, &y, 4);
    return op->f64 ? d : (double)f;
}
static int hits(const qi_touch_ops *op, const pair *w, int lane, hit *out) {
    int n = 0;
    for (int s = 0; s < op->max(w->type1, w->type2); s++) {
        if (!raw(op, s, OUTS - 1, lane)) continue;
        for (int r = 0; r < OUTS - 1; r++) out[n].x[r] = value(op, s, r, lane);
        n++;
    }
    return n;
}
static const qi_touch_ops *scalar(bool f64) {
    for (int i = 0; i < qi_touch_nall; i++)
        if (qi_touch_all[i]->f64 == f64 && qi_touch_all[i]->lanes == 1) return qi_touch_all[i];
    return NULL;
}
// Largest difference of two lists of contacts; 1e9 if they are not as many.
static double apart(const hit *a, int na, const hit *b, int nb) {
    double worst = 0;
    if (na != nb) return 1e9;
    for (int i = 0; i < na && i < SLOTS; i++)
        for (int r = 0; r < 10; r++) worst = fmax(worst, fabs(a[i].x[r] - b[i].x[r]));
    return worst;
}

static void print_pose(const pose *p, const hit *a, int na, const hit *b, int nb) {
    for (int s = 0; s < 2; s++) {
        const double *x = s ? p->b : p->a;
        printf("  shape %d pos %.17g %.17g %.17g size %.17g %.17g %.17g\n", s + 1, x[0], x[1], x[2],
               x[12], x[13], x[14]);
        for (int k = 0; k < 3; k++)
            printf("    axis %.17g %.17g %.17g\n", x[3 + 3 * k], x[4 + 3 * k], x[5 + 3 * k]);
    }
    printf("  margin %g\n", p->margin);
    for (int s = 0; s < 2; s++)
        for (int i = 0; i < (s ? nb : na); i++) {
            const double *x = s ? b[i].x : a[i].x;
            printf("    %s %.17g at %.9g %.9g %.9g n %.9g %.9g %.9g t %g %g %g\n",
                   s ? "mujoco" : "lanes ", x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8],
                   x[9]);
        }
}

// What a pair must show among the poses, so that the comparison means something.
static void varied(const pair *w, int max, const int *num) {
    CHECK(num[0] > NPOSE / 20 && num[1] > NPOSE / 40 && num[max] > 50,
          "%s: %d poses without contact, %d with one, %d with %d", w->name, num[0], num[1],
          num[max], max);
}
TEST(contacts_are_mujocos) {
    const qi_touch_ops *op = scalar(true);
    for (const pair *w = pairs; w < pairs + NPAIR; w++) {
        int num[SLOTS + 1] = {0}, max = op->max(w->type1, w->type2);
        random_poses(w);
        for (int i = 0; i < NPOSE; i++) {
            hit a[SLOTS], b[SLOTS];
            run(op, w, i);
            int na = hits(op, w, 0, a), nb = reference(w, poses + i, b);
            CHECK(nb <= max, "%s: MuJoCo gives %d contacts", w->name, nb);
            double e = apart(a, na, b, nb);
            num[nb]++;
            if (!(e <= 1e-12)) print_pose(poses + i, a, na, b, nb);
            CHECK(e <= 1e-12, "%s, pose %d: off by %g", w->name, i, e);
        }
        varied(w, max, num);
    }
}

// All that an instance writes of a pair: [NPOSE][max * OUTS], bits.
static void everything(const qi_touch_ops *op, const pair *w, uint64_t *out) {
    int n = op->max(w->type1, w->type2) * OUTS;
    for (int i = 0; i < NPOSE; i += op->lanes) {
        run(op, w, i);
        for (int l = 0; l < op->lanes && i + l < NPOSE; l++)
            for (int c = 0; c < n; c++) out[(i + l) * n + c] = raw(op, c / OUTS, c % OUTS, l);
    }
}
static uint64_t want[NPOSE * SLOTS * OUTS], got[NPOSE * SLOTS * OUTS];
TEST(a_lane_has_the_bits_of_the_scalar) {
    for (int k = 0; k < NPAIR * 2; k++) {
        const pair *w = pairs + k / 2;
        const qi_touch_ops *one = scalar(k & 1);
        int n = one->max(w->type1, w->type2) * OUTS;
        if (!(k & 1)) random_poses(w);
        everything(one, w, want);
        for (int i = 0; i < qi_touch_nall; i++) {
            const qi_touch_ops *op = qi_touch_all[i];
            if (op->f64 != one->f64 || op == one || !op->usable()) continue;
            everything(op, w, got);
            for (int j = 0; j < NPOSE * n; j++)
                CHECK(got[j] == want[j], "%s, %s: pose %d, number %d", w->name, op->name, j / n,
                      j % n);
        }
    }
}

// Numbers of a pair as the instance left them, on or off.
static bool finite_outcome(const qi_touch_ops *op, const pair *w) {
    for (int s = 0; s < op->max(w->type1, w->type2); s++)
        for (int r = 0; r < OUTS - 1; r++)
            if (!isfinite(value(op, s, r, 0))) return false;
    return true;
}
// A contact within 1e-5 m of the margin may be on in one and off in the other: left out.
static int sure(hit *h, int n, double margin) {
    int k = 0;
    for (int i = 0; i < n; i++)
        if (h[i].x[0] < margin - 1e-5) h[k++] = h[i];
    return k;
}
static double deepest(const hit *h, int n) {
    double d = 0;
    for (int i = 0; i < n; i++) d = fmin(d, h[i].x[0]);
    return d;
}
// A quarter of the poses stand on switches (parallel, on a grid, centres that meet), where rounding
// decides between points that are as good: hence other contacts in a few, of the same depth.
TEST(floats_are_near_doubles) {
    const qi_touch_ops *f = scalar(false), *d = scalar(true);
    for (const pair *w = pairs; w < pairs + NPAIR; w++) {
        int both = 0, other = 0, depth = 0;
        random_poses(w);
        for (int i = 0; i < NPOSE; i++) {
            hit a[SLOTS], b[SLOTS];
            run(f, w, i);
            CHECK(finite_outcome(f, w), "%s: float, pose %d", w->name, i);
            int na = sure(a, hits(f, w, 0, a), poses[i].margin);
            run(d, w, i);
            CHECK(finite_outcome(d, w), "%s: double, pose %d", w->name, i);
            int nb = sure(b, hits(d, w, 0, b), poses[i].margin);
            both += na > 0 && nb > 0;
            other += !(apart(a, na, b, nb) <= 1e-4);
            depth += !(fabs(deepest(a, na) - deepest(b, nb)) <= 1e-4);
        }
        if (getenv("QIAO_SHOW"))
            printf("  %-16s of %5d that touch %4d choose otherwise, %4d differ in depth\n", w->name,
                   both, other, depth);
        CHECK(both > NPOSE / 3 && other < both / 10 && depth < both / 100,
              "%s: of %d that touch %d choose otherwise, %d differ in depth", w->name, both, other,
              depth);
    }
}
