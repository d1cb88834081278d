// SPDX-License-Identifier: Apache-2.0
// bench_policies.c - what the number type of a network costs: public policies, each over the same
// trials in float32, bfloat16 and int8, turn and turn about.
//   bench_policies [TRIALS [POLICY]]     default: 10 trials of each; needs the makers' files
#include "../tests/policy_run.h"

#include <time.h>

enum { TRIALS_MAX = 1000 };
static const struct job {
    policy p;
    const char *scenario, *engine, *got, *off, *falls; // measures of the columns
    int chunk;
} jobs[] = {
    {{"go1_playground", "go1"}, "follow_velocity", "lanes", "got", "off_x", "upright", 50},
    {{"tron1_walk", "tron1_maker"}, "follow_velocity", "lanes", "got", "off_x", "upright", 50},
    {{"oli_walk", "oli"}, "follow_velocity", "lanes", "got", "off_x", "upright", 25},
    {{"g1_walk", "g1"}, "follow_velocity", "mujoco", "got", "off_x", "upright", 4},
    {{"leap_cube", "leap"}, "turn_cube", "lanes32", "per_minute", "off", "drop", 25},
};

typedef struct sums {
    double total, got, off, falls;
    int passed;
} sums;

static sums add_up(const struct job *j, const qiao_score *s, int n) {
    sums a = {0};
    for (int i = 0; i < n; i++) {
        a.total += s[i].total / n, a.passed += s[i].verdict == QIAO_PASSED;
        a.got += policy_measure(&s[i], j->got) / n, a.off += policy_measure(&s[i], j->off) / n;
        double f = policy_measure(&s[i], j->falls);
        a.falls += strcmp(j->falls, "upright") == 0 ? f < 1 : f;
    }
    return a;
}

static int one(const struct job *j, int n) {
    static const char *const type[] = {"float32", "bfloat16", "int8"};
    static qiao_score score[TRIALS_MAX];
    qiao_diag d = {0};
    qiao_robot *r = qiao_robot_load(j->p.robot, &d);
    qiao_scenario *s = r ? qiao_scenario_load(j->scenario, &d) : NULL;
    double first = 0;
    for (int k = 0; s && k < 3; k++) {
        struct timespec a, b;
        clock_gettime(CLOCK_MONOTONIC, &a);
        if (policy_trials(&j->p, s, r, j->engine, type[k], n, j->chunk, score, &d)) break;
        clock_gettime(CLOCK_MONOTONIC, &b);
        sums u = add_up(j, score, n);
        if (k == 0) first = u.total;
        printf("%-15s %-16s %-7s %-9s %4d %7d %8.4f %+8.2f %8.4f %8.4f %6.0f %7.1f\n", j->p.brain,
               j->scenario, j->engine, type[k], n, u.passed, u.total,
               first > 0 ? 100 * (u.total / first - 1) : 0, u.got, u.off, u.falls,
               (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) * 1e-9);
        fflush(stdout);
    }
    if (d.err) printf("%-15s %s\n", j->p.brain, d.text);
    qiao_scenario_free(s), qiao_robot_free(r);
    return d.err ? 1 : 0;
}

int main(int argc, char **argv) {
    int n = argc > 1 ? atoi(argv[1]) : 10, bad = 0;
    if (n < 1 || n > TRIALS_MAX) n = 10;
    if (!getenv("QIAO_DATA")) {
        puts("skipped: $QIAO_DATA does not name the makers' files");
        return 0;
    }
    printf("%-15s %-16s %-7s %-9s %4s %7s %8s %8s %8s %8s %6s %7s\n", "policy", "scenario",
           "engine", "type", "n", "passed", "score", "change %", "got", "off", "falls", "s");
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++)
        if (argc < 3 || strcmp(argv[2], jobs[i].p.brain) == 0) bad |= one(&jobs[i], n);
    return bad;
}
