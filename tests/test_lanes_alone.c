// SPDX-License-Identifier: Apache-2.0
// test_lanes_alone.c - what happens to one world of a group of lanes is its own affair: not-finite
// numbers, stops and resets of one leave the bits of the others as they were.
#include "test.h"

#include "lanes_case.h"
#include "lanes_features.h"
#include "qiao/sim.h"

enum {
    N = 11,
    NU = 12,
    TICKS = 14,
    AT = 5
}; // two groups, or one that is not full; when it happens

typedef enum event { NOTHING, BAD_COMMAND, BAD_PUSH, BAD_STATE, STOP, RESET } event;

typedef struct outcome {
    uint64_t end[N]; // hash of each world's ticks; of a reset world since its reset
    qiao_err status[N];
    double z[N]; // height of the base
} outcome;

static qiao_robot *robot;
static qiao_model *ground;
static void load(void) {
    qiao_diag d = {0};
    double pos[3] = {0, 0, 0.32};
    if (!robot) robot = qiao_robot_load("go2", &d);
    CHECK(robot, "%s", d.text);
    if (!ground)
        ground = qiao_model_world(robot,
                                  "<mujoco><option timestep='0.002'/><worldbody><geom name='floor' "
                                  "type='plane' size='9 9 1'/></worldbody></mujoco>",
                                  pos, 0, &d);
    CHECK(ground, "%s", d.text);
}

static void happen(qiao_sim *s, event e, int w) {
    double bad[3] = {NAN, 0, 0}, zero[3] = {0}, q[64];
    if (e == BAD_PUSH) qiao_sim_push(s, w, 1, bad, zero);
    if (e == STOP) qiao_sim_stop(s, w);
    if (e == RESET) CHECK(qiao_sim_reset(s, w, 7, 100 + (uint64_t)w) == QIAO_OK, "reset");
    if (e != BAD_STATE) return;
    CHECK(ground->nq <= 64, "%d", ground->nq);
    memcpy(q, ground->q0, (size_t)ground->nq * sizeof *q);
    q[4] = NAN;
    CHECK(qiao_sim_set(s, w, q, NULL) == QIAO_E_NAN, "a state that is not finite");
}

// Ticks of 10 ms of N worlds; at tick AT the event befalls world `who`. Worlds' commands go by the
// ticks since their reset and by their trial, which is `trial` for world `who`.
static void run(const char *engine, int threads, event e, int who, int trial, outcome *o) {
    qiao_sim_def f = qiao_sim_def_default();
    qiao_diag d = {0};
    const qiao_model *world[N];
    static double q[N * NU], zero[N * NU], own[N * NU];
    qiao_hash h[N];
    for (int w = 0; w < N; w++) world[w] = ground;
    for (int i = 0; i < N * NU; i++) own[i] = -1;
    f.engine = engine, f.robot = robot, f.world = world, f.nworld = N, f.nthread = threads;
    f.period = 0.01;
    qiao_sim *s = qiao_sim_new(&f, &d);
    CHECK(s, "%s", d.text);
    int key[N], since[N] = {0};
    for (int w = 0; w < N; w++) {
        key[w] = w == who ? trial : w;
        qiao_sim_reset(s, w, 7, (uint64_t)key[w]), qiao_hash_init(&h[w]);
    }
    for (int t = 0; t < TICKS; t++) {
        if (t == AT) happen(s, e, who);
        if (t == AT && e == RESET) qiao_hash_init(&h[who]), since[who] = t, key[who] = 100 + who;
        for (int i = 0; i < N * NU; i++) {
            int w = i / NU, k = i % NU;
            q[i] = robot->rest_q[7 + k] + 0.3 * sin(0.5 * (t - since[w]) + k + key[w]);
        }
        if (e == BAD_COMMAND && t == AT) q[who * NU + 2] = NAN;
        qiao_cmd c = {N, NU, q, zero, own, own, zero};
        qiao_sim_observe(s), qiao_sim_command(s, &c), qiao_sim_step(s, 5);
        for (int w = 0; w < N; w++) qiao_sim_trace(s, w, &h[w]);
    }
    for (int w = 0; w < N; w++) {
        qiao_truth truth;
        qiao_sim_truth(s, w, &truth);
        for (int i = 0; i < ground->nq; i++)
            CHECK(isfinite(truth.q[i]), "world %d, q %d is %g", w, i, truth.q[i]);
        uint8_t hash[QIAO_HASH_BYTES];
        qiao_hash_end(&h[w], hash);
        memcpy(&o->end[w], hash, sizeof o->end[w]), o->z[w] = truth.q[2];
        o->status[w] = qiao_sim_status(s, w);
    }
    qiao_sim_free(s);
}

static void others_same(const outcome *a, const outcome *b, int who, const char *what) {
    for (int w = 0; w < N; w++) {
        if (w == who) continue;
        CHECK(a->end[w] == b->end[w], "%s of world %d: world %d has other bits", what, who, w);
        CHECK(b->status[w] == QIAO_OK, "%s of world %d: world %d %d", what, who, w, b->status[w]);
    }
}

static const char *const engine[2] = {"lanes", "lanes32"};

TEST(numbers_that_are_not_finite_stop_their_world_alone) {
    load();
    for (int k = 0; k < 2; k++) {
        outcome a, b;
        run(engine[k], 1, NOTHING, -1, 0, &a);
        for (int who = 1; who < N; who += 4) {
            run(engine[k], 1 + who % 2, BAD_COMMAND, who, who, &b);
            others_same(&a, &b, who, "command");
            CHECK(b.status[who] == QIAO_E_NAN, "%d", b.status[who]);
            run(engine[k], 2, BAD_PUSH, who, who, &b);
            others_same(&a, &b, who, "push");
            CHECK(b.status[who] == QIAO_E_NAN, "%d", b.status[who]);
            run(engine[k], 1, BAD_STATE, who, who, &b); // refused: it goes on as if nothing was
            others_same(&a, &b, -1, "state");
        }
    }
}

TEST(dead_and_other_neighbours_do_not_matter) {
    load();
    for (int k = 0; k < 2; k++) {
        outcome a, b;
        run(engine[k], 1, NOTHING, -1, 0, &a);
        for (int who = 0; who < N; who += 3) {
            run(engine[k], 2, NOTHING, who, 50, &b);
            others_same(&a, &b, who, "another trial");
            CHECK(a.end[who] != b.end[who], "another trial of world %d has the same bits", who);
            run(engine[k], 1, STOP, who, who, &b);
            others_same(&a, &b, who, "stop");
            CHECK(a.end[who] != b.end[who], "world %d did not stop", who);
        }
    }
}

// The reset world starts anew, as the same trial from tick 0 in another run; the rest goes on.
TEST(one_world_is_reset_while_the_others_run) {
    load();
    for (int k = 0; k < 2; k++) {
        outcome a, b, c;
        run(engine[k], 1, NOTHING, -1, 0, &a);
        run(engine[k], 1, RESET, 3, 3, &b);
        others_same(&a, &b, 3, "reset");
        CHECK(b.status[3] == QIAO_OK, "%d", b.status[3]);
        run(engine[k], 2, RESET, 3, 60, &c); // another past, the same reset
        CHECK(b.end[3] == c.end[3], "the past of a reset world shows");
        CHECK(b.end[3] != a.end[3] && b.z[3] > 0.1, "%g", b.z[3]);
    }
}

TEST(numbers_that_are_not_finite_stop_their_lane_alone) {
    static const char *const xml =
        WORLD("", FLOOR "/>" BALLS("") ARM("damping='.1'", "frictionloss='.02'"),
              "<actuator><motor joint='a'/></actuator>");
    for (int i = 0; i < qi_lanes_nall; i++) {
        if (!qi_lanes_all[i]->usable() || qi_lanes_all[i]->lanes < 2) continue;
        dyn_case c;
        lanes_case x;
        qiao_diag d = {0};
        CHECK(dyn_case_text(&c, xml), "model");
        CHECK(lanes_open(&x, c, qi_lanes_all[i], &d), "%s", d.text);
        const mjModel *m = x.c.mj;
        double want[16][32], q[32], v[32], bad = NAN, push[6] = {0, NAN, 0, 0, 0, 0};
        CHECK(m->nq <= 32, "%d", (int)m->nq);
        for (int how = 0; how < 5; how++) {
            int who = how ? (how * 5) % x.op->lanes : -1;
            qi_lanes_opt o = {0};
            x.seed = 3;
            for (int l = 0; l < x.op->lanes; l++) {
                lanes_state(&x, 0.4), lanes_load(&x, l);
                if (l != who) continue;
                mju_copy(q, x.c.data->qpos, (int)m->nq), mju_copy(v, x.c.data->qvel, (int)m->nv);
                if (how == 1) q[2] = NAN;
                if (how == 2) v[m->nv - 1] = INFINITY;
                x.op->put(x.model, x.group, l, q, v), x.op->live(x.group, l, 1);
                if (how == 3) x.op->put_ctrl(x.model, x.group, l, &bad);
                if (how == 4) x.op->put_force(x.model, x.group, l, 1, push);
            }
            x.op->step(x.model, x.work, x.group, 30, &o);
            for (int l = 0; l < x.op->lanes; l++) {
                CHECK(!x.op->broken(x.group, l) == (l != who), "%s: lane %d, %d", x.op->name, l,
                      how);
                x.op->get(x.model, x.group, l, how ? q : want[l], NULL);
                for (int z = 0; how && l != who && z < m->nq; z++)
                    CHECK(q[z] == want[l][z], "%s: lane %d, %d", x.op->name, l, how);
            }
        }
        lanes_close(&x);
    }
}
