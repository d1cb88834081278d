// SPDX-License-Identifier: Apache-2.0
// bench_sim.c - batch stepping of engine mujoco against bare mj_step on as many threads: the same
// Go2, the same PD law, the same commands, turn and turn about in one run.
#include "qiao/sim.h"

#include <mujoco/mujoco.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WORLDS = 64, STEPS = 10, ROUNDS = 11, NU = 12 };
static int nworld, ticks; // of the comparison under way

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}
static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static qiao_robot *robot;
static qiao_model *world;
static double target[WORLDS * NU];

// ---- the bare side ----
typedef struct bare {
    mjData *d[WORLDS];
    int from, to;
} bare;
static mjData *data[WORLDS];

static void *step_bare(void *arg) {
    const bare *b = arg;
    for (int t = 0; t < ticks; t++)
        for (int w = b->from; w < b->to; w++)
            for (int i = 0; i < STEPS; i++) {
                mjData *d = data[w];
                for (int k = 0; k < NU; k++) {
                    const qiao_drive *v = &robot->drive[k];
                    double tau =
                        v->kp * (target[w * NU + k] - d->qpos[7 + k]) - v->kd * d->qvel[6 + k];
                    d->ctrl[k] = tau > v->torque_max    ? v->torque_max
                                 : tau < -v->torque_max ? -v->torque_max
                                                        : tau;
                }
                mj_step(world->mj, d);
            }
    return NULL;
}

static double time_bare(int threads) {
    for (int w = 0; w < nworld; w++) {
        mj_resetData(world->mj, data[w]);
        memcpy(data[w]->qpos, world->q0, (size_t)world->nq * sizeof(double));
    }
    bare part[8];
    pthread_t id[8];
    double t0 = now();
    for (int i = 0; i < threads; i++) {
        part[i].from = nworld * i / threads, part[i].to = nworld * (i + 1) / threads;
        if (i) pthread_create(&id[i], NULL, step_bare, &part[i]);
    }
    step_bare(&part[0]);
    for (int i = 1; i < threads; i++) pthread_join(id[i], NULL);
    return now() - t0;
}

// ---- ours: the same, and sensors, limits, delay, contact forces, peaks ----
static double time_sim(qiao_sim *s) {
    static double zero[WORLDS * NU], own[WORLDS * NU];
    for (int i = 0; i < WORLDS * NU; i++) own[i] = -1;
    qiao_cmd c = {nworld, NU, target, zero, own, own, zero};
    for (int w = 0; w < nworld; w++) qiao_sim_reset(s, w, 1, (uint64_t)w);
    double t0 = now();
    for (int t = 0; t < ticks; t++) {
        qiao_sim_observe(s);
        qiao_sim_command(s, &c);
        qiao_sim_step(s, STEPS);
    }
    return now() - t0;
}

static void compare(int threads, int worlds_n) {
    nworld = worlds_n, ticks = 1280 / nworld; // the same work for each size
    const qiao_model *worlds[WORLDS];
    for (int i = 0; i < nworld; i++) worlds[i] = world;
    qiao_sim_def def = qiao_sim_def_default();
    def.nworld = nworld, def.nthread = threads, def.robot = robot, def.world = worlds;
    def.period = STEPS * world->dt;
    qiao_diag d = {0};
    qiao_sim *s = qiao_sim_new(&def, &d);
    if (!s) exit((puts(d.text), 1));
    double bare_s[ROUNDS], sim_s[ROUNDS], ratio[ROUNDS];
    for (int r = 0; r < ROUNDS; r++) {
        bare_s[r] = time_bare(threads), sim_s[r] = time_sim(s);
        ratio[r] = sim_s[r] / bare_s[r];
    }
    qsort(bare_s, ROUNDS, sizeof *bare_s, by_size), qsort(sim_s, ROUNDS, sizeof *sim_s, by_size);
    qsort(ratio, ROUNDS, sizeof *ratio, by_size);
    double n = (double)nworld * ticks * STEPS;
    printf("%2d worlds, %d thread%s: bare mj_step %.0f steps/s, batch with sensors and drives %.0f "
           "steps/s; "
           "time ratio %.3f (quartiles %.3f to %.3f)\n",
           nworld, threads, threads > 1 ? "s" : "", n / bare_s[ROUNDS / 2], n / sim_s[ROUNDS / 2],
           ratio[ROUNDS / 2], ratio[ROUNDS / 4], ratio[ROUNDS * 3 / 4]);
    qiao_sim_free(s);
}

int main(void) {
    qiao_diag d = {0};
    robot = qiao_robot_load("go2", &d);
    const double origin[3] = {0, 0, 0};
    if (robot)
        world = qiao_model_world(robot,
                                 "<mujoco><worldbody><geom name='floor' type='plane' size='0 0 "
                                 "1'/></worldbody></mujoco>",
                                 origin, 0, &d);
    if (!world) return puts(d.text), 1;
    for (int w = 0; w < WORLDS; w++) {
        data[w] = mj_makeData(world->mj);
        for (int k = 0; k < NU; k++) target[w * NU + k] = robot->rest_q[7 + k] + 0.002 * w;
    }
    printf("Go2 on a plane, a brain's tick each %d steps, %d rounds; gcc %s\n", STEPS, ROUNDS,
           __VERSION__);
    // threads that wait instead of spinning take some 60 us to wake: a small batch shows it
    compare(1, 16), compare(1, 64), compare(2, 16), compare(2, 64);
    for (int w = 0; w < WORLDS; w++) mj_deleteData(data[w]);
    qiao_model_free(world), qiao_robot_free(robot);
    return 0;
}
