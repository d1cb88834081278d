// SPDX-License-Identifier: Apache-2.0
// bench_prove.c - trials a second of a sweep: engine lanes32 against the same trials in engine
// mujoco, one run, all cores, turn and turn about; and where a trial's time goes.
//   bench_prove [--trials N] [--scenario S --robot R --brain B]
// Go1 walks by its public policy and is shoved where the makers' files are ($QIAO_DATA); else Go2
// holds its pose.
#include "prove/tick.h"
#include "qiao/prove.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 3, WORLDS = 16 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}
static double own(void) { // of this thread: others may use the machine too
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}
static double cpu(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static const char *scenario_name = "follow_velocity_push", *robot_name = "go1",
                  *brain_name = "go1_playground";
static qiao_scenario *scenario;
static qiao_robot *robot;
static int trials = 1024;

static int fail(const qiao_diag *d) {
    fprintf(stderr, "bench_prove: %s\n", d->text);
    return 1;
}

// ---- whole sweeps ----

typedef struct side {
    qiao_sweep *sweep;
    int n;
    uint64_t *trial;
    qiao_row *row;
    double wall, cpu, sim; // s: of the last run; of all its trials
    int passed;
} side;

static bool open_side(side *s, const char *engine, int n, qiao_diag *d) {
    qiao_sweep_def def = qiao_sweep_def_default();
    def.scenario = scenario, def.robot = robot, def.brain.spec = brain_name, def.engine = engine;
    def.seed = 1;
    s->n = n, s->sweep = qiao_sweep_new(&def, d);
    if (!s->sweep) return false;
    const qiao_table *t = qiao_sweep_shape(s->sweep);
    size_t np = (size_t)t->nparam, nm = (size_t)t->nmeasure;
    double *x = calloc((size_t)n * (np + nm) + 1, sizeof *x);
    s->trial = calloc((size_t)n, sizeof *s->trial), s->row = calloc((size_t)n, sizeof *s->row);
    for (int i = 0; x && s->trial && s->row && i < n; i++) {
        double *at = x + (size_t)i * (np + nm);
        s->trial[i] = (uint64_t)i, s->row[i] = (qiao_row){.param = at, .measure = at + np};
    }
    return x && s->trial && s->row;
}

static bool run_side(side *s, qiao_diag *d) {
    double w = now(), c = cpu();
    if (qiao_sweep_run(s->sweep, s->n, s->trial, NULL, s->row, d)) return false;
    s->wall = now() - w, s->cpu = cpu() - c, s->sim = 0, s->passed = 0;
    for (int i = 0; i < s->n; i++) s->sim += s->row[i].time, s->passed += s->row[i].passed;
    return true;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int compare(qiao_diag *d) {
    side lanes = {0}, mujoco = {0};
    int few = trials / 32 > 8 ? trials / 32 : 8;
    if (!open_side(&lanes, "lanes32", trials, d) || !open_side(&mujoco, "mujoco", few, d))
        return fail(d);
    double ratio[ROUNDS], a[ROUNDS], b[ROUNDS], c[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        if (!run_side(&lanes, d) || !run_side(&mujoco, d)) return fail(d);
        a[i] = lanes.n / lanes.wall, b[i] = mujoco.n / mujoco.wall, c[i] = lanes.cpu / lanes.n;
        ratio[i] = lanes.sim / lanes.wall / (mujoco.sim / mujoco.wall);
    }
    qsort(ratio, ROUNDS, sizeof *ratio, by_size), qsort(a, ROUNDS, sizeof *a, by_size);
    qsort(b, ROUNDS, sizeof *b, by_size), qsort(c, ROUNDS, sizeof *c, by_size);
    int same = 0;
    for (int i = 0; i < few; i++) same += lanes.row[i].passed == mujoco.row[i].passed;
    double mean = lanes.sim / lanes.n;
    printf("%s, %s, %s: %d trials of %.1f s on average, %d passed\n", scenario_name, robot_name,
           brain_name, lanes.n, mean, lanes.passed);
    printf("  lanes32  %8.1f trials/s  %7.2f ms CPU a trial  %5.0f times real time\n",
           a[ROUNDS / 2], 1e3 * c[ROUNDS / 2], a[ROUNDS / 2] * mean);
    printf("  mujoco   %8.1f trials/s  (%d trials)\n", b[ROUNDS / 2], few);
    printf("  ratio    %8.1f (%.1f to %.1f), per second of trial; verdicts equal in %d of %d\n",
           ratio[ROUNDS / 2], ratio[0], ratio[ROUNDS - 1], same, few);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    printf(
        "  100,000 trials of 10 s: %.1f min at this rate; by CPU time, on %ld cores of their own, "
        "%.1f min\n",
        1e5 * 10 / (a[ROUNDS / 2] * mean) / 60, cores,
        1e5 * 10 * c[ROUNDS / 2] / mean / (double)cores / 60);
    qiao_sweep_free(lanes.sweep), qiao_sweep_free(mujoco.sweep);
    return 0;
}

// ---- where the time goes: the loop of a flock, with a clock around each part ----

enum { SETUP, PHYSICS, SENSE, POLICY, REFEREE, TRACE, NPART };
static const char *const part_name[] = {"set-up", "physics, drives, sensors", "observation",
                                        "policy", "truth, referee",           "trace"};

typedef struct split {
    qiao_case *cas[WORLDS];
    qiao_model *model[WORLDS];
    qiao_referee *ref[WORLDS];
    qiao_hash trace[WORLDS];
    bool over[WORLDS];
    qiao_sim *sim;
    qiao_brain *brain;
    qiao_io io;
    qiao_cmd cmd;
    double spent[NPART], sim_time;
    int brain_div, tick_div;
} split;

static bool begin(split *s, qiao_diag *d) {
    qiao_brain_def bd = qiao_brain_def_default();
    bd.spec = brain_name, bd.n = WORLDS;
    if (!(s->brain = qiao_brain_open(&bd, d))) return false;
    double t = own();
    for (int i = 0; i < WORLDS; i++) {
        double pos[3], yaw;
        if (!(s->cas[i] = qiao_case_new(scenario, robot, 1, (uint64_t)i, d))) return false;
        if (i) continue;
        qiao_case_place(s->cas[i], pos, &yaw);
        s->model[i] = qiao_model_world(robot, qiao_case_scene(s->cas[i]), pos, yaw, d);
        if (!s->model[i]) return false;
        t = own(); // the first compiles the robot; once for a sweep
    }
    s->spent[SETUP] = own() - t;
    for (int i = 1; i < WORLDS; i++) s->model[i] = s->model[0];
    if (qi_clock(s->brain, s->model[0]->dt, &s->brain_div, &s->tick_div, d)) return false;
    qiao_sim_def sd = qiao_sim_def_default();
    sd.engine = "lanes32", sd.nworld = WORLDS, sd.robot = robot;
    sd.world = (const qiao_model *const *)s->model, sd.period = s->brain_div * s->model[0]->dt;
    sd.ngrant = qiao_case_grants(s->cas[0], &sd.grant);
    if (!(s->sim = qiao_sim_new(&sd, d))) return false;
    s->io = *qiao_sim_io(s->sim);
    s->io.nparam = qiao_case_facts(s->cas[0], &s->io.param_name, &s->io.param_text);
    const char **text = calloc(WORLDS * (size_t)s->io.nparam + 1, sizeof *text);
    for (int i = 0; text && i < WORLDS * s->io.nparam; i++)
        text[i] = s->io.param_text[i % s->io.nparam];
    s->io.param_text = text;
    if (!text || qiao_brain_bind(s->brain, &s->io, d)) return false;
    size_t row = WORLDS * (size_t)s->io.nu;
    double *x = calloc(5 * row, sizeof *x);
    s->cmd = (qiao_cmd){WORLDS, s->io.nu, x, x + row, x + 2 * row, x + 3 * row, x + 4 * row};
    for (int i = 0; i < WORLDS; i++) {
        qiao_hash_init(&s->trace[i]);
        qiao_sim_reset(s->sim, i, 1, (uint64_t)i);
        if (!(s->ref[i] = qiao_referee_new(s->cas[i], s->model[i], &s->io, d))) return false;
        if (qiao_brain_reset(s->brain, i, 1, d)) return false;
    }
    return x != NULL;
}

static int tick(split *s) {
    double a = own();
    int live = 0;
    for (int i = 0; i < WORLDS; i++) {
        if (s->over[i]) continue;
        qiao_truth truth;
        qiao_sim_truth(s->sim, i, &truth);
        s->over[i] = qiao_sim_status(s->sim, i) ||
                     qiao_referee_step(s->ref[i], &truth, s->sim, i) != QIAO_RUNNING;
        qiao_sim_peaks_clear(s->sim, i);
        live++;
        if (s->over[i]) qiao_sim_stop(s->sim, i), s->sim_time += (double)truth.t_ns * 1e-9;
    }
    double b = own();
    for (int i = 0; i < WORLDS; i++)
        if (!s->over[i]) qiao_sim_trace(s->sim, i, &s->trace[i]);
    s->spent[REFEREE] += b - a, s->spent[TRACE] += own() - b;
    return live;
}

static int where(qiao_diag *d) {
    static split s;
    if (!begin(&s, d)) return fail(d);
    for (long k = 0;;) {
        if (k % s.tick_div == 0 && tick(&s) == 0) break;
        if (k % s.brain_div == 0) {
            double a = own();
            const qiao_obs *o = qiao_sim_observe(s.sim);
            double b = own();
            qiao_brain_step(s.brain, o, &s.cmd, NULL);
            double c = own();
            qiao_sim_command(s.sim, &s.cmd);
            s.spent[SENSE] += b - a + own() - c, s.spent[POLICY] += c - b;
        }
        long to_tick = s.tick_div - k % s.tick_div, to_brain = s.brain_div - k % s.brain_div;
        long n = to_tick < to_brain ? to_tick : to_brain;
        double a = own();
        qiao_sim_step(s.sim, (int)n);
        s.spent[PHYSICS] += own() - a, k += n;
    }
    double all = 0;
    for (int i = 0; i < NPART; i++) all += s.spent[i];
    printf("where a trial's time goes (one thread, %d lanes): %.2f ms CPU for 10 s\n", WORLDS,
           1e4 * all / s.sim_time);
    for (int i = 0; i < NPART; i++)
        printf("  %-26s %6.1f %%  %6.2f ms\n", part_name[i], 100 * s.spent[i] / all,
               1e4 * s.spent[i] / s.sim_time);
    return 0;
}

int main(int argc, char **argv) {
    qiao_diag d = {0};
    bool chosen = false;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--trials") == 0) trials = atoi(argv[i + 1]);
        if (strcmp(argv[i], "--scenario") == 0) scenario_name = argv[i + 1], chosen = true;
        if (strcmp(argv[i], "--robot") == 0) robot_name = argv[i + 1], chosen = true;
        if (strcmp(argv[i], "--brain") == 0) brain_name = argv[i + 1], chosen = true;
    }
    if (trials < 1) trials = 1;
    robot = qiao_robot_load(robot_name, &d);
    if (!robot && !chosen) { // the makers' files are not here
        d = (qiao_diag){0};
        scenario_name = "stand_push", robot_name = "go2", brain_name = "hold";
        robot = qiao_robot_load(robot_name, &d);
    }
    scenario = robot ? qiao_scenario_load(scenario_name, &d) : NULL;
    if (!scenario) return fail(&d);
    return compare(&d) || where(&d);
}
