// SPDX-License-Identifier: Apache-2.0
// test_dyn_lanes.c - robots side by side: a lane's bits are those of the robot alone, in every
// instance that this processor can run; lanes do not touch each other; golden bits.

#include "test.h"
#include "dyn_model.h"

#include "dyn/ops.h"

enum { NMAX = 120 };
typedef struct inst {
    const qi_dyn_ops *op;
    void *mem, *self;
} inst;

static inst open_inst(const qi_dyn_ops *op, const qiao_model *m) {
    qi_plan count;
    qi_plan_count(m, &count);
    size_t plan = (qi_plan_size(m) + 63) & ~(size_t)63, bytes = plan + op->size(&count);
    inst t = {.op = op, .mem = dyn_alloc(bytes)};
    memset(t.mem, 0, bytes);
    t.self = op->init(qi_plan_init(m, t.mem), (char *)t.mem + plan);
    return t;
}
static const qi_dyn_ops *scalar_of(qiao_real real) {
    const qi_dyn_ops *best = NULL;
    for (int i = 0; i < qi_dyn_nall; i++)
        if (qi_dyn_all[i]->real == real && qi_dyn_all[i]->lanes == 1) best = qi_dyn_all[i];
    return best; // the last is the plainest
}

// [n][lanes] numbers of the instance
typedef struct rows {
    char *p;
    size_t w, lanes;
} rows;
static rows new_rows(const qi_dyn_ops *op, int n) {
    rows r = {.w = op->real == QIAO_REAL_F64 ? 8 : 4, .lanes = (size_t)op->lanes};
    r.p = dyn_alloc((size_t)n * r.w * r.lanes);
    return r;
}
static void put(rows r, int i, int lane, double x) {
    char *at = r.p + ((size_t)i * r.lanes + (size_t)lane) * r.w;
    if (r.w == 8)
        memcpy(at, &x, 8);
    else
        memcpy(at, &(float){(float)x}, 4);
}

// Everything that dyn computes from one state: out [n] numbers a lane.
static int everything(inst *t, const qiao_model *m, rows q, rows qd, rows x, rows *out) {
    size_t row = q.w * q.lanes, n = 0, nv = (size_t)m->nv;
    qi_plan count;
    qi_plan_count(m, &count);
    size_t nnz = (size_t)count.nnz;
    *out = new_rows(t->op, (int)(2 * nv * nv + 2 * nnz + 9 * nv + 12 * (size_t)m->nbody));
    char *o = out->p;
    t->op->inverse(t->self, q.p, qd.p, x.p, o + n * row), n += nv;
    t->op->forward(t->self, q.p, qd.p, x.p, o + n * row), n += nv;
    memcpy(o + n * row, t->op->mass(t->self, q.p), nnz * row), n += nnz;
    t->op->factor(t->self);
    memcpy(o + n * row, x.p, nv * row);
    t->op->solve(t->self, o + n * row), n += nv;
    memcpy(o + n * row, t->op->axes(t->self, q.p), 6 * nv * row), n += 6 * nv;
    for (int b = 0; b < m->nbody; b++, n += 12)
        t->op->body(t->self, b, o + n * row, o + (n + 3) * row);
    t->op->derivatives(t->self, q.p, qd.p, x.p, o + n * row, o + (n + nv * nv) * row);
    return (int)(n + 2 * nv * nv);
}

static void lanes_are_scalars(dyn_case *c, const char *name) {
    static double q[16][NMAX], qd[16][NMAX], x[16][NMAX];
    uint64_t s = 21;
    for (int k = 0; k < 16; k++) dyn_rand_state(c, &s, q[k], qd[k], x[k]);
    for (int i = 0; i < qi_dyn_nall; i++) {
        const qi_dyn_ops *op = qi_dyn_all[i];
        if (!op->usable()) continue;
        inst t = open_inst(op, &c->m), one = open_inst(scalar_of(op->real), &c->m);
        rows in[3], alone[3], out, want;
        int n[3] = {c->m.nq, c->m.nv, c->m.nv};
        for (int a = 0; a < 3; a++) {
            in[a] = new_rows(op, n[a]), alone[a] = new_rows(one.op, n[a]);
            for (int e = 0; e < n[a]; e++)
                for (int l = 0; l < op->lanes; l++)
                    put(in[a], e, l, (a == 0 ? q[l] : a == 1 ? qd[l] : x[l])[e]);
        }
        int total = everything(&t, &c->m, in[0], in[1], in[2], &out);
        for (int l = 0; l < op->lanes; l++) {
            for (int a = 0; a < 3; a++)
                for (int e = 0; e < n[a]; e++)
                    put(alone[a], e, 0, (a == 0 ? q[l] : a == 1 ? qd[l] : x[l])[e]);
            everything(&one, &c->m, alone[0], alone[1], alone[2], &want);
            for (int e = 0; e < total; e++)
                CHECK(memcmp(out.p + ((size_t)e * out.lanes + (size_t)l) * out.w,
                             want.p + (size_t)e * want.w, out.w) == 0,
                      "%s: %s, lane %d, number %d of %d differs", name, op->name, l, e, total);
            free(want.p);
        }
        for (int a = 0; a < 3; a++) free(in[a].p), free(alone[a].p);
        free(out.p), free(t.mem), free(one.mem);
    }
}
TEST(a_lanes_bits_are_the_robots_alone_on_random_trees) {
    char name[40];
    for (int k = 0; k < 25; k++) {
        dyn_case c;
        snprintf(name, sizeof name, "tree %d", k);
        CHECK(dyn_tree(&c, (uint64_t)k));
        lanes_are_scalars(&c, name);
        dyn_case_close(&c);
    }
}
TEST(a_lanes_bits_are_the_robots_alone_on_makers_robots) {
    const char *data = test_data();
    if (!data) SKIP("no makers' robots at ../shared/data");
    for (int k = 0; k < DYN_NROBOT; k++) {
        char path[700];
        dyn_case c;
        snprintf(path, sizeof path, "%s/%s", data, dyn_robots[k]);
        CHECK(dyn_case_open(&c, path));
        lanes_are_scalars(&c, dyn_robots[k]);
        dyn_case_close(&c);
    }
}

static const char small_robot[] =
    "<mujoco><worldbody><body pos='0 0 1'><freejoint/>"
    "<inertial mass='6' pos='.02 0 -.01' quat='.9 .1 -.2 .3' diaginertia='.02 .05 .06'/>"
    "<body pos='.2 .1 0'><joint axis='1 0 0' armature='.01'/>"
    "<inertial mass='.7' pos='0 .02 0' diaginertia='.001 .002 .001'/>"
    "<body pos='0 .1 0' quat='.8 0 .6 0'><joint axis='0 1 0' pos='0 0 .01'/>"
    "<inertial mass='1.1' pos='0 0 -.05' diaginertia='.004 .005 .002'/>"
    "<body pos='0 0 -.2'><inertial mass='.3' pos='0 0 -.1' diaginertia='.001 .001 .0005'/>"
    "</body></body></body>"
    "<body pos='-.2 0 0'><joint type='ball' pos='.01 0 0' armature='.003'/>"
    "<inertial mass='.7' pos='0 .02 0' diaginertia='.001 .002 .001'/>"
    "<body pos='0 0 .1' quat='.5 .5 .5 -.5'><joint type='slide' axis='1 2 3'/>"
    "<joint axis='3 -1 1' ref='.5'/>"
    "<inertial mass='.5' pos='.01 .02 .03' diaginertia='.001 .002 .002'/>"
    "</body></body></body></worldbody></mujoco>";

// The golden hashes: any compiler, optimisation, width.
static const char *const golden[2] = {"5c4e80d9c97d8a0c", "8c87d0ea53a50a06"}; // [qiao_real]
TEST(every_instance_gives_the_golden_bits) {
    static double q[NMAX], qd[NMAX], x[NMAX];
    dyn_case c;
    int seen = 0;
    CHECK(dyn_case_text(&c, small_robot));
    for (int i = 0; i < qi_dyn_nall; i++) {
        const qi_dyn_ops *op = qi_dyn_all[i];
        if (!op->usable()) continue;
        inst t = open_inst(op, &c.m);
        rows rq = new_rows(op, c.m.nq), rqd = new_rows(op, c.m.nv), rx = new_rows(op, c.m.nv), out;
        qiao_hash h;
        qiao_hash_init(&h);
        uint64_t s = 31;
        for (int k = 0; k < 20; k++) {
            for (int e = 0; e < c.m.nq; e++) q[e] = dyn_rand(&s);
            for (int e = 0; e < c.m.nv; e++) qd[e] = dyn_rand(&s), x[e] = dyn_rand(&s);
            for (int l = 0; l < op->lanes; l++) {
                for (int e = 0; e < c.m.nq; e++) put(rq, e, l, q[e]);
                for (int e = 0; e < c.m.nv; e++) put(rqd, e, l, qd[e]), put(rx, e, l, x[e]);
            }
            int n = everything(&t, &c.m, rq, rqd, rx, &out);
            for (int e = 0; e < n; e++)
                qiao_hash_add(&h, out.p + ((size_t)e * out.lanes + out.lanes - 1) * out.w, out.w);
            free(out.p);
        }
        uint8_t hash[QIAO_HASH_BYTES];
        char hex[QIAO_HASH_HEX];
        qiao_hash_end(&h, hash);
        qiao_hash_hex(hash, hex);
        CHECK(strncmp(hex, golden[op->real], 16) == 0, "%s gives %.16s", op->name, hex);
        free(rq.p), free(rqd.p), free(rx.p), free(t.mem);
        seen++;
    }
    CHECK(seen >= 4);
    dyn_case_close(&c);
}

// A lane of infinities and not-a-numbers leaves the others' bits.
TEST(a_bad_lane_touches_no_other) {
    static double q[16][NMAX], qd[16][NMAX], x[16][NMAX];
    dyn_case c;
    CHECK(dyn_case_text(&c, small_robot));
    uint64_t s = 41;
    for (int k = 0; k < 16; k++) dyn_rand_state(&c, &s, q[k], qd[k], x[k]);
    for (int i = 0; i < qi_dyn_nall; i++) {
        const qi_dyn_ops *op = qi_dyn_all[i];
        if (!op->usable() || op->lanes == 1) continue;
        inst t = open_inst(op, &c.m);
        rows rq = new_rows(op, c.m.nq), rqd = new_rows(op, c.m.nv), rx = new_rows(op, c.m.nv);
        rows good, bad;
        for (int l = 0; l < op->lanes; l++) {
            for (int e = 0; e < c.m.nq; e++) put(rq, e, l, q[l][e]);
            for (int e = 0; e < c.m.nv; e++) put(rqd, e, l, qd[l][e]), put(rx, e, l, x[l][e]);
        }
        int n = everything(&t, &c.m, rq, rqd, rx, &good);
        for (int e = 0; e < c.m.nq; e++) put(rq, e, 1, e % 3 ? NAN : 1e200);
        for (int e = 0; e < c.m.nv; e++) put(rqd, e, 1, INFINITY);
        everything(&t, &c.m, rq, rqd, rx, &bad);
        for (int e = 0; e < n; e++)
            for (size_t l = 0; l < good.lanes; l++)
                CHECK(l == 1 || memcmp(good.p + ((size_t)e * good.lanes + l) * good.w,
                                       bad.p + ((size_t)e * good.lanes + l) * good.w, good.w) == 0,
                      "%s: number %d of lane %d moved", op->name, e, (int)l);
        free(good.p), free(bad.p), free(rq.p), free(rqd.p), free(rx.p), free(t.mem);
    }
    dyn_case_close(&c);
}

// Inertia and armature by lane: the answer of a model that has them.
TEST(inertia_and_armature_can_differ_by_lane) {
    static double q[NMAX], qd[NMAX], x[NMAX], want[NMAX];
    dyn_case c;
    CHECK(dyn_case_text(&c, small_robot));
    uint64_t s = 51;
    dyn_rand_state(&c, &s, q, qd, x);
    int lanes = qiao_dyn_lanes(QIAO_REAL_F64), nv = c.m.nv;
    qiao_diag diag = {0};
    void *mem = dyn_alloc(qiao_dyn_group_size(&c.m, QIAO_REAL_F64));
    qiao_dyn_group *g = qiao_dyn_group_init(&c.m, QIAO_REAL_F64, mem, &diag);
    const qi_dyn_ops *op = qi_dyn_best(QIAO_REAL_F64);
    rows rq = new_rows(op, c.m.nq), rqd = new_rows(op, nv), rx = new_rows(op, nv);
    rows tau = new_rows(op, nv), in = new_rows(op, 10), arm = new_rows(op, nv);
    for (int l = 0; l < lanes; l++) {
        for (int e = 0; e < c.m.nq; e++) put(rq, e, l, q[e]);
        for (int e = 0; e < nv; e++) put(rqd, e, l, qd[e]), put(rx, e, l, x[e]);
        for (int e = 0; e < nv; e++) put(arm, e, l, 0.1 * l + 0.01 * e);
        // body 1: mass and inertia 1 + l / 10 times the model's
    }
    double f[10], k = c.m.body_mass[1], *ip = c.mj->body_ipos + 3, r[9];
    mju_quat2Mat(r, c.mj->body_iquat + 4);
    f[0] = k;
    for (int i = 0; i < 3; i++) f[1 + i] = k * ip[i];
    static const int at[6][2] = {{0, 0}, {1, 1}, {2, 2}, {0, 1}, {0, 2}, {1, 2}};
    for (int e = 0; e < 6; e++) {
        int i = at[e][0], j = at[e][1];
        f[4 + e] = k * ((i == j ? mju_dot3(ip, ip) : 0) - ip[i] * ip[j]);
        for (int a = 0; a < 3; a++)
            f[4 + e] += c.mj->body_inertia[3 + a] * r[3 * i + a] * r[3 * j + a];
    }
    for (int l = 0; l < lanes; l++)
        for (int e = 0; e < 10; e++) put(in, e, l, f[e] * (1 + 0.1 * l));
    CHECK(qiao_dyn_group_inertia(g, 1, in.p) == QIAO_OK);
    CHECK(qiao_dyn_group_inertia(g, 4, in.p) == QIAO_E_ARG, "body 4 is welded to another");
    CHECK(qiao_dyn_group_inertia(g, 0, in.p) == QIAO_E_ARG);
    qiao_dyn_group_armature(g, arm.p);
    qiao_dyn_group_inverse(g, rq.p, rqd.p, rx.p, tau.p);
    for (int l = 0; l < lanes; l++) {
        c.mj->body_mass[1] = k * (1 + 0.1 * l);
        double keep[3];
        memcpy(keep, c.mj->body_inertia + 3, sizeof keep);
        for (int a = 0; a < 3; a++) c.mj->body_inertia[3 + a] *= 1 + 0.1 * l;
        for (int e = 0; e < nv; e++) c.mj->dof_armature[e] = 0.1 * l + 0.01 * e;
        qiao_dyn *d = dyn_new(&c.m);
        CHECK(qiao_dyn_inverse(d, q, qd, x, want) == QIAO_OK);
        for (int e = 0; e < nv; e++)
            CHECK_NEAR(((double *)(void *)tau.p)[e * lanes + l], want[e], 1e-12 * 100);
        memcpy(c.mj->body_inertia + 3, keep, sizeof keep);
        free(d);
    }
    free(rq.p), free(rqd.p), free(rx.p), free(tau.p), free(in.p), free(arm.p), free(mem);
    dyn_case_close(&c);
}

TEST(what_dyn_cannot_do_is_named) {
    dyn_case c;
    CHECK(dyn_case_text(&c, "<mujoco><worldbody><body><joint name='j'/><geom size='.1'/></body>"
                            "</worldbody><tendon><fixed armature='1'><joint joint='j' coef='1'/>"
                            "</fixed></tendon></mujoco>"));
    qiao_diag diag = {0};
    CHECK(qiao_dyn_size(&c.m) == 0);
    CHECK(qiao_dyn_init(&c.m, NULL, &diag) == NULL && diag.err == QIAO_E_UNSUPPORTED);
    CHECK_TEXT(diag.text, "tendon armature");
    dyn_case_close(&c);
    CHECK(dyn_case_text(&c, small_robot));
    double q[NMAX] = {0}, x[NMAX];
    q[3] = 1, q[8] = NAN;
    qiao_dyn *d = dyn_new(&c.m);
    CHECK(qiao_dyn_inverse(d, q, NULL, NULL, x) == QIAO_E_NAN);
    CHECK(qiao_dyn_forward(d, q, NULL, NULL, x) == QIAO_E_NAN);
    CHECK(qiao_dyn_body(d, 0, x, NULL) == QIAO_E_ARG, "no kinematics yet");
    CHECK(qiao_dyn_factor(d) == QIAO_E_ARG, "no mass matrix yet");
    free(d);
    dyn_case_close(&c);
}
