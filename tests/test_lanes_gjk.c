// SPDX-License-Identifier: Apache-2.0
// test_lanes_gjk.c - convex shapes that go through MuJoCo's functions: whatever the filters of
// engine lanes leave out, the contacts are MuJoCo's. Meshes, round shapes, height fields.
#include "lanes_shapes.h"
#include "test.h"

#include "lanes_case.h"
#include "sim/lanes_hull.h"

// Beside the shapes a height field.
#define ASSETS                                                                        \
    "<asset>" SHAPE_MESHES "<hfield name='hills' nrow='4' ncol='5' size='1 1 .2 .1' " \
    "elevation='0 .2 .4 .1 0  .3 1 .6 .2 .1  .1 .5 .9 .4 0  0 .1 .3 .2 .1'/></asset>"
static const char *const shape[] = {SHAPES};
enum { NSHAPE = sizeof shape / sizeof *shape };

static bool open_pair(lanes_case *x, const char *a, const char *b, double margin, qiao_real real) {
    char xml[4000];
    dyn_case c;
    qiao_diag d = {0};
    snprintf(xml, sizeof xml,
             "<mujoco><option gravity='0 0 0'/>" ASSETS
             "<worldbody><body><freejoint/><geom %s margin='%g'/></body>"
             "<body><freejoint/><geom %s/></body></worldbody></mujoco>",
             a, margin, b);
    if (!dyn_case_text(&c, xml)) return false;
    bool ok = lanes_open(x, c, qi_lanes_best(real), &d);
    if (!ok) printf("  %s\n", d.text);
    return ok;
}

// Poses at random, the second body about as far as shapes of this size touch.
static void place_pair(lanes_case *x) {
    mjData *d = x->c.data;
    mj_resetData(x->c.mj, d);
    double to[3] = {lanes_random(x), lanes_random(x), lanes_random(x)};
    mju_normalize3(to);
    double reach = x->c.mj->geom_rbound[0] + x->c.mj->geom_rbound[1];
    mju_scl3(d->qpos + 7, to, reach * (0.8 + 0.45 * lanes_random(x)));
    for (int k = 0; k < 4; k++) d->qpos[3 + k] = lanes_random(x), d->qpos[10 + k] = lanes_random(x);
    mju_normalize4(d->qpos + 3), mju_normalize4(d->qpos + 10);
}

// Lane l's contacts against MuJoCo's own: there where MuJoCo has one, and the deepest as deep. Where
// they are may jump with the last bits of a pose, and so may a contact nearer to its margin than edge.
static int same_contacts(lanes_case *x, int l, const mjData *d, double may, double edge) {
    double got[64][18], deep = 0, own = 0;
    int n = x->op->contacts(x->model, x->work, l, got, 64), sure = 0;
    for (int i = 0; i < d->ncon; i++) {
        const mjContact *c = &d->contact[i];
        sure += c->dist < c->includemargin - edge;
        own = i == 0 ? c->dist : fmin(own, c->dist);
    }
    for (int i = 0; i < n; i++) deep = i == 0 ? got[i][0] : fmin(deep, got[i][0]);
    if ((sure > 0) > (n > 0) || (n > 0) > (d->ncon > 0)) return 1000;
    return sure && fabs(deep - own) > may; // of curved shapes a few: EPA stops at a tolerance
}

static void pair_contacts(const char *a, const char *b, double margin, qiao_real real) {
    lanes_case x;
    qi_lanes_opt o = {.iterations = 1};
    bool f64 = real == QIAO_REAL_F64;
    int met = 0, apart = 0, bad = 0;
    CHECK(open_pair(&x, a, b, margin, real), "%s against %s", a, b);
    for (int at = 0; at < 320; at += x.op->lanes) {
        mjData *keep[16] = {NULL};
        double q[14];
        for (int l = 0; l < x.op->lanes; l++) {
            place_pair(&x), lanes_load(&x, l);
            x.op->get(x.model, x.group, l, q, NULL); // as it was rounded
            memcpy(x.c.data->qpos, q, sizeof q);
            mj_kinematics(x.c.mj, x.c.data), mj_collision(x.c.mj, x.c.data);
            keep[l] = mj_copyData(NULL, x.c.mj, x.c.data);
        }
        x.op->forward(x.model, x.work, x.group, &o);
        for (int l = 0; l < x.op->lanes; l++) {
            bad += same_contacts(&x, l, keep[l], f64 ? 2e-6 : 2e-5, f64 ? 1e-12 : 1e-5);
            met += keep[l]->ncon > 0, apart += keep[l]->ncon == 0;
            mj_deleteData(keep[l]);
        }
    }
    CHECK(met >= 20 && apart >= 20, "%s against %s: %d meet, %d do not", a, b, met, apart);
    CHECK(bad * 100 <= met, "%s against %s, margin %g: %d of %d differ", a, b, margin, bad, met);
    lanes_close(&x);
}

TEST(convex_pairs_have_mujocos_contacts) {
    for (int i = 0; i < NSHAPE; i++)
        for (int k = i; k < NSHAPE; k++) {
            pair_contacts(shape[i], shape[k], 0, QIAO_REAL_F64);
            pair_contacts(shape[i], shape[k], 0.02, QIAO_REAL_F64);
            pair_contacts(shape[i], shape[k], 0, QIAO_REAL_F32);
        }
}

// The table's bound: never less than what the corners reach, and near to it.
TEST(a_hulls_reach_is_never_too_small) {
    lanes_case x;
    CHECK(open_pair(&x, shape[5], shape[6], 0, QIAO_REAL_F64));
    static qi_reach t;
    const mjModel *m = x.c.mj;
    for (int mesh = 0; mesh < 2; mesh++) {
        const float *v = m->mesh_vert + 3 * m->mesh_vertadr[mesh];
        CHECK(qi_reach_make(m, mesh, &t), "out of memory");
        double worst = 0;
        for (int k = 0; k < 2000; k++) {
            double d[3] = {lanes_random(&x), lanes_random(&x), lanes_random(&x)}, most = -1e9;
            for (int i = 0; i < m->mesh_vertnum[mesh]; i++)
                most = fmax(most, d[0] * (double)v[3 * i] + d[1] * (double)v[3 * i + 1] +
                                      d[2] * (double)v[3 * i + 2]);
            int a = fabs(d[0]) >= fabs(d[1]) ? (fabs(d[0]) >= fabs(d[2]) ? 0 : 2)
                                             : (fabs(d[1]) >= fabs(d[2]) ? 1 : 2);
            double big = fabs(d[a]), u = (d[(a + 1) % 3] / big + 1) * QI_HULL / 2,
                   w = (d[(a + 2) % 3] / big + 1) * QI_HULL / 2;
            int i = (int)fmin(u, QI_HULL - 1), j = (int)fmin(w, QI_HULL - 1), n = QI_HULL + 1;
            const float *c = t.high + ((2 * a + (d[a] < 0)) * n + i) * n + j;
            u -= i, w -= j;
            double low = (1 - w) * (double)c[0] + w * (double)c[1];
            double h = (1 - u) * low + u * ((1 - w) * (double)c[n] + w * (double)c[n + 1]);
            CHECK(big * h >= most - 1e-12, "%.17g where corners reach %.17g", big * h, most);
            worst = fmax(worst, (big * h - most) / mju_norm3(d));
        }
        CHECK(worst < 0.01 && worst > 0, "off by %.3g m", worst);
    }
    lanes_close(&x);
}

// How far MuJoCo's own qacc moves when positions move by 1e-14 of their size; worst of 100.
static double own_change(lanes_case *x, const mjData *at) {
    double worst = 0;
    for (int k = 0; k < 100; k++) {
        mjData *d = mj_copyData(NULL, x->c.mj, at);
        for (int i = 0; i < x->c.mj->nq; i++) d->qpos[i] *= 1 + 1e-14 * lanes_random(x);
        mj_forward(x->c.mj, d);
        worst = fmax(worst, lanes_apart(d->qacc, at->qacc, (int)x->c.mj->nv));
        mj_deleteData(d);
    }
    return worst;
}

// A shape dropped on hills: contacts and qacc.
TEST(shapes_on_a_height_field) {
    for (int s = 0; s < NSHAPE; s++) {
        lanes_case x;
        char xml[4000];
        dyn_case c;
        qiao_diag d = {0};
        qi_lanes_opt o = {.tolerance = 1e-14};
        double got[6];
        int met = 0;
        snprintf(xml, sizeof xml,
                 "<mujoco>" ASSETS "<worldbody><geom type='hfield' hfield='hills'/>"
                 "<body pos='0 0 .3'><freejoint/><geom %s/></body></worldbody></mujoco>",
                 shape[s]);
        CHECK(dyn_case_text(&c, xml) && lanes_open(&x, c, qi_lanes_best(QIAO_REAL_F64), &d), "%s",
              d.text);
        const mjModel *m = x.c.mj;
        mjData *e = x.c.data;
        for (int l = 1; l < x.op->lanes; l++) x.op->live(x.group, l, 0);
        for (int k = 0; k < 40; k++) {
            mj_resetData(m, e);
            e->qpos[0] = 0.6 * lanes_random(&x), e->qpos[1] = 0.6 * lanes_random(&x);
            for (int i = 0; i < 4; i++) e->qpos[3 + i] = lanes_random(&x);
            mju_normalize4(e->qpos + 3);
            for (int i = 0; i < 200 && (i == 0 || e->ncon == 0); i++) mj_step(m, e);
            lanes_load(&x, 0);
            x.op->forward(x.model, x.work, x.group, &o);
            mj_forward(m, e);
            met += e->ncon > 0;
            x.op->ask(x.model, x.work, 0, QI_LANES_QACC, got);
            double apart = lanes_apart(got, e->qacc, 6);
            CHECK(apart <= 1e-6 || apart <= 10 * own_change(&x, e), "%s: qacc %.3g, %d contacts",
                  shape[s], apart, e->ncon);
        }
        CHECK(met >= 30, "%s: only %d of 40 touch", shape[s], met);
        lanes_close(&x);
    }
}
