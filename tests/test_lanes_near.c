// SPDX-License-Identifier: Apache-2.0
// test_lanes_near.c - what a group keeps from step to step to tell sooner what is apart changes no
// bit: contacts are those of a group without a past, after motion, jumps, stops and other sizes.
#include "lanes_shapes.h"
#include "test.h"

#include "lanes_robots.h"

enum { MOST = 200 };
typedef struct seen { // contacts of one lane: dist, place, frame, geoms
    int n;
    double c[MOST][18];
} seen;

static void look(const lanes_case *x, int l, seen *o) {
    o->n = x->op->contacts(x->model, x->work, l, o->c, MOST);
    CHECK(o->n <= MOST, "%d contacts", o->n);
    for (int i = 0; i < o->n; i++) o->c[i][13] = o->c[i][14] = o->c[i][15] = 0; // forces
}

// Every lane's contacts now, beside those of a group that was never stepped; how many.
static int compare(lanes_case *x, void *other, const char *name, int step) {
    qi_lanes_opt once = {.iterations = 1};
    static seen fresh[16], kept;
    double q[160], v[160];
    int n = 0, lanes = x->op->lanes;
    x->op->group_init(x->model, other);
    for (int l = 0; l < lanes; l++) {
        x->op->get(x->model, x->group, l, q, v);
        x->op->put(x->model, other, l, q, v), x->op->live(other, l, 1);
        x->op->live(x->group, l, 1); // one that broke, where it was
    }
    x->op->forward(x->model, x->work, other, &once);
    for (int l = 0; l < lanes; l++) look(x, l, &fresh[l]);
    x->op->forward(x->model, x->work, x->group, &once);
    for (int l = 0; l < lanes; l++) {
        look(x, l, &kept);
        CHECK(kept.n == fresh[l].n, "%s, step %d: %d contacts, %d without a past", name, step,
              kept.n, fresh[l].n);
        for (int i = 0; i < kept.n; i++)
            CHECK(memcmp(kept.c[i], fresh[l].c[i], sizeof kept.c[i]) == 0,
                  "%s, step %d, lane %d: contact %d has other bits", name, step, l, i);
        n += kept.n;
    }
    return n;
}

static void all_random(lanes_case *x, int l, bool heap) {
    mjData *d = x->c.data;
    lanes_state(x, 0.4);
    for (int b = 0; heap && 7 * b < x->c.mj->nq; b++) // anywhere in a box, near to each other
        for (int k = 0; k < 3; k++)
            d->qpos[7 * b + k] = 0.25 * lanes_random(x) + (k == 2 ? 0.3 : 0);
    for (int i = 0; heap && i < x->c.mj->nv; i++) d->qvel[i] = 2 * lanes_random(x);
    lanes_load(x, l);
}

static void past(lanes_case *x, const char *name, bool heap, int steps) {
    qi_lanes_opt o = {.iterations = 3};
    int n = 0, lanes = x->op->lanes;
    void *other = aligned_alloc(64, (x->op->group_size(x->model) + 63) & ~(size_t)63);
    for (int l = 0; l < lanes; l++) all_random(x, l, heap);
    for (int s = 0; s < steps; s++) {
        x->op->step(x->model, x->work, x->group, 1, &o);
        if (s % 11 == 5) all_random(x, s % lanes, heap); // a jump
        if (s == 7) x->op->live(x->group, 1 % lanes, 0);
        if (s == 19) x->op->live(x->group, 1 % lanes, 1);
        if (heap || s == 7 || s == 8 || s % 3 == 0) {
            n += compare(x, other, name, s);
            x->op->live(x->group, 1 % lanes, s < 7 || s >= 19);
        }
    }
    x->op->live(x->group, 1 % lanes, 1);
    CHECK(n > steps, "%s: %d contacts in %d steps", name, n, steps);
    free(other);
}

static void heap_xml(char *xml, size_t size, int kinds) {
    static const char *const shape[] = {SHAPES};
    size_t at = (size_t)snprintf(xml, size,
                                 "<mujoco><option timestep='0.004'/><asset>" SHAPE_MESHES
                                 "</asset><worldbody><geom type='plane' size='3 3 1'/>");
    for (int i = 0; i < 14; i++)
        at += (size_t)snprintf(xml + at, size - at,
                               "<body pos='0 0 %g'><freejoint/><geom %s mass='1'/></body>",
                               0.2 + 0.1 * i, shape[i % kinds]);
    snprintf(xml + at, size - at, "</worldbody></mujoco>");
}

TEST(a_heap_of_shapes_has_no_past) {
    static char xml[6000];
    for (int k = 0; k < 8; k++) { // all kinds of shapes; balls, which touch where their bounds meet
        lanes_case x;
        dyn_case c;
        qiao_diag d = {0};
        qiao_real real = k & 1 ? QIAO_REAL_F64 : QIAO_REAL_F32;
        const qi_lanes_ops *op = k & 2 ? lanes_instance(real, 1) : qi_lanes_best(real);
        heap_xml(xml, sizeof xml, k & 4 ? 1 : 7);
        CHECK(dyn_case_text(&c, xml) && lanes_open(&x, c, op, &d), "%s", d.text);
        past(&x, op->name, true, 45);
        lanes_close(&x);
    }
}

// Sizes that grow in one lane: what was out of reach is asked again.
TEST(other_sizes_are_seen_at_once) {
    static char xml[6000];
    heap_xml(xml, sizeof xml, 7);
    lanes_case x;
    dyn_case c;
    qiao_diag d = {0};
    CHECK(dyn_case_text(&c, xml), "heap");
    CHECK(lanes_open(&x, c, qi_lanes_best(QIAO_REAL_F32), &d), "%s", d.text);
    past(&x, "before", true, 12);
    mjModel *m = x.c.mj;
    void *other = aligned_alloc(64, (x.op->group_size(x.model) + 63) & ~(size_t)63);
    int n = compare(&x, other, "before", 12);
    for (int g = 1; g < m->ngeom; g++) {
        if (m->geom_type[g] == mjGEOM_MESH) continue;
        m->geom_rbound[g] *= 1.7;
        for (int k = 0; k < 3; k++) m->geom_size[3 * g + k] *= 1.7;
        for (int k = 0; k < 6; k++) m->geom_aabb[6 * g + k] *= 1.7;
    }
    qi_lplan *large = qi_lplan_new(&x.c.m, &d);
    CHECK(large, "%s", d.text);
    for (int l = 0; l < x.op->lanes; l += 2) x.op->vary(x.model, l, large);
    CHECK(compare(&x, other, "larger", 0) > n, "no more contacts than the %d of before", n);
    free(other);
    qi_lplan_free(large), lanes_close(&x);
}

TEST(robots_have_no_past) {
    int seen_any = 0;
    for (int i = 0; i < NROBOT; i++) {
        lanes_case x;
        dyn_case c = {0};
        qiao_diag d = {0};
        if (!strstr(robots[i].name, "G1") && !strstr(robots[i].name, "hand")) continue;
        if (!test_data() || !(c.mj = robot_model(&robots[i]))) continue;
        dyn_case_view(&c);
        CHECK(lanes_open(&x, c, qi_lanes_best(QIAO_REAL_F32), &d), "%s", d.text);
        past(&x, robots[i].name, false, 40);
        lanes_close(&x), seen_any++;
    }
    if (!seen_any) SKIP("no makers' robots at hand");
}
