// SPDX-License-Identifier: Apache-2.0
// What recording costs: the same trial with and without a record, in turns within one run; and
// what a record's step costs alone.
#include "../tests/rec_fixture.h"

#include "qiao/prove.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TURNS = 15 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); // the machine may have other work
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, int n) {
    qsort(x, (size_t)n, sizeof *x, by_value);
    return x[n / 2];
}

static void die(const char *what) { fprintf(stderr, "bench_rec: %s\n", what), exit(1); }

// Seconds of one trial; the trace says whether the record changed the result.
static double run_trial(qiao_trials_def *def, const char *record, uint8_t trace[QIAO_HASH_BYTES],
                        double *time) {
    qiao_trial trial = {.seed = 3, .trial = 0, .record = record};
    qiao_result result;
    qiao_diag d = {0};
    def->trial = &trial, def->ntrial = 1;
    double t = now();
    if (qiao_trials_run(def, &result, &d)) die(d.text);
    t = now() - t;
    memcpy(trace, result.trace, QIAO_HASH_BYTES), *time = result.score.time;
    qiao_results_free(&result, 1);
    return t;
}

static void bench_trial(const char *scenario, const char *robot, const char *brain) {
    const char *path = "build/bench_rec.mcap";
    qiao_diag d = {0};
    qiao_trials_def def = qiao_trials_def_default();
    qiao_scenario *s = qiao_scenario_load(scenario, &d);
    qiao_robot *r = s ? qiao_robot_load(robot, &d) : NULL;
    if (!s || !r) die(d.text);
    def.scenario = s, def.robot = r, def.nthread = 1;
    def.brain = qiao_brain_def_default();
    def.brain.spec = brain, def.brain.trust = true;
    double off[TURNS], on[TURNS], ratio[TURNS], time;
    uint8_t a[QIAO_HASH_BYTES], b[QIAO_HASH_BYTES];
    run_trial(&def, path, a, &time); // warm
    for (int i = 0; i < TURNS; i++) {
        off[i] = run_trial(&def, NULL, a, &time);
        on[i] = run_trial(&def, path, b, &time);
        ratio[i] = on[i] / off[i];
        if (memcmp(a, b, sizeof a) != 0) die("recording changed the trace");
    }
    struct stat st;
    if (stat(path, &st)) die("no record");
    unlink(path);
    double m_on = median(on, TURNS), m_off = median(off, TURNS);
    median(ratio, TURNS);
    printf("%-14s %5.1f s of trial: %.3f s without, %.3f s with record; ratio of medians %.3f "
           "(pairs %.3f to %.3f); %.1f MB\n",
           scenario, time, m_off, m_on, m_on / m_off, ratio[TURNS / 10],
           ratio[TURNS - 1 - TURNS / 10], (double)st.st_size * 1e-6);
    qiao_robot_free(r), qiao_scenario_free(s);
}

// One step of a humanoid's record, samples due and not, chunks written in between.
static void bench_step(void) {
    enum { STEPS = 3000 };
    const char *path = "build/bench_rec.mcap";
    static double us[STEPS];
    fixture *f = fx_new();
    qiao_diag d = {0};
    qiao_rec_def def = fx_def(f, path);
    qiao_rec *r = qiao_rec_new(&def, &d);
    if (!r) die(d.text);
    for (int i = 0; i < STEPS; i++) {
        fx_at(f, i * 0.01);
        double t = now();
        qiao_rec_step(r, &f->truth, &f->obs, &f->cmd, 0);
        us[i] = (now() - t) * 1e6;
    }
    qiao_rec_free(r), unlink(path), free(f);
    double sum = 0;
    for (int i = 0; i < STEPS; i++) sum += us[i];
    median(us, STEPS);
    printf("one step of a humanoid's record (29 joints, 100 Hz): median %.1f us, mean %.1f us, "
           "longest %.0f us (a chunk is packed)\n",
           us[STEPS / 2], sum / STEPS, us[STEPS - 1]);
}

int main(void) {
    bench_trial("parcel_route", "go2", "trot");
    bench_trial("sort_bin", "panda", "pick");
    bench_step();
    return 0;
}
