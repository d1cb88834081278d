// SPDX-License-Identifier: Apache-2.0
// bench_doctor.c - the doctor on manifests broken on purpose: what it names first, and how long it
// takes. bench_doctor [BRAIN OR PART OF A NAME]. Needs the makers' files in $QIAO_DATA.
#include "../tests/doctor_cases.h"

#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static qiao_finding found[64];

// What the doctor names first as an error; "" if it finds none.
static const char *first_error(const char *path, const qiao_robot *r, double *s) {
    qiao_diag d = {0};
    double t = now();
    int n = qiao_doctor_run(&(qiao_doctor_def){.brain = path, .robot = r}, found, 64, &d);
    *s = now() - t;
    if (n < 0) printf("  %s\n", d.text);
    return n > 0 && found[0].grade == QIAO_GRADE_ERROR ? found[0].cause : "";
}

int main(int argc, char **argv) {
    const char *only = argc > 1 ? argv[1] : "";
    int hits = 0, ran = 0, wrong = 0;
    double worst = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    setenv("QIAO_HOME", ".", 0);
    if (!getenv("QIAO_DATA")) {
        puts("the makers' files are not here: set QIAO_DATA");
        return 0;
    }
    qiao_diag d = {0};
    if (qiao_dir_make("build/doctor", &d)) return puts(d.text), 1;
    for (int b = 0; b < 5; b++) {
        qiao_robot *r = qiao_robot_load(doctor_brains[b][2], &d);
        if (!r) return puts(d.text), 1;
        for (int c = -1; c < NCASE + NHARMLESS; c++) {
            const doctor_case *k = c < 0       ? NULL
                                   : c < NCASE ? &doctor_cases[c]
                                               : &doctor_harmless[c - NCASE];
            double s;
            if ((k && strcmp(k->brain, doctor_brains[b][0])) ||
                (!strstr(doctor_brains[b][0], only) && !(k && strstr(k->name, only))))
                continue;
            if (!doctor_write(doctor_brains[b][1], r, k, "build/doctor/brain.yaml", &d))
                return puts(d.text), 1;
            const char *said = first_error("build/doctor/brain.yaml", r, &s);
            const char *want = c >= 0 && c < NCASE ? qi_fact_name(k->fact) : "";
            bool hit = strcmp(said, want) == 0;
            if (c >= 0 && c < NCASE) hits += hit, ran++;
            if (c < 0 || c >= NCASE) wrong += !hit;
            if (s > worst) worst = s;
            printf("%s %-6s %-40s %-13s %-13s %.2f %5.1f s  %.120s\n",
                   hit          ? "   "
                   : c >= NCASE ? " ! "
                                : "XXX",
                   doctor_brains[b][0], k ? k->name : "as it is", c >= NCASE ? "(harmless)" : want,
                   said, *said ? found[0].sure : 0, s, *said ? found[0].fix[0] : "");
        }
        qiao_robot_free(r);
    }
    remove("build/doctor/brain.yaml");
    printf("%d of %d broken manifests: the right cause first; %d false errors on %d that do their "
           "job; longest %.1f s\n",
           hits, ran, wrong, 5 + NHARMLESS, worst);
    return 0;
}
