// SPDX-License-Identifier: Apache-2.0
// task_bench.h - a referee at work on truths that are written by hand.
#ifndef TASK_BENCH_H
#define TASK_BENCH_H

#include "qiao/task.h"
#include "task/osc.h"
#include "test.h"

enum { CON_MAX = 8 };

typedef struct bench { // a trial without physics: the truth is written by hand
    qiao_scenario *s;
    qiao_robot *r;
    qiao_case *c;
    qiao_model *w;
    qiao_referee *f;
    qiao_truth t;
    double *pos, *quat, *vel, *peak, *act;
    qiao_contact con[CON_MAX];
    int base, ticks;
} bench;

static const qiao_io *bench_io; // signals of the next bench; NULL: none

static bench open_bench(const char *body, const char *robot) {
    static bench b;
    char text[8000];
    qiao_diag d = {0};
    memset(&b, 0, sizeof b);
    snprintf(text, sizeof text, "import qiao\nscenario x:\n%s", body);
    b.s = qi_scenario_parse(text, strlen(text), "x.osc", &d);
    b.r = qiao_robot_load(robot, &d);
    b.c = b.s && b.r ? qiao_case_new(b.s, b.r, 1, 0, &d) : NULL;
    CHECK(b.c != NULL, "%s", d.text);
    double place[3], yaw;
    qiao_case_place(b.c, place, &yaw);
    b.w = qiao_model_world(b.r, qiao_case_scene(b.c), place, yaw, &d);
    CHECK(b.w != NULL, "%s", d.text);
    b.f = qiao_referee_new(b.c, b.w, bench_io, &d);
    CHECK(b.f != NULL, "%s", d.text);
    size_t n = (size_t)b.w->nbody;
    b.pos = calloc(n, 3 * sizeof(double)), b.quat = calloc(n, 4 * sizeof(double));
    b.vel = calloc(n, 6 * sizeof(double)), b.peak = calloc(n, sizeof(double));
    b.act = calloc((size_t)b.w->nu + 1, sizeof(double));
    for (size_t i = 0; i < n; i++) b.quat[4 * i] = 1;
    for (int i = 1; i < b.w->nbody; i++) // bodies of the scene hang on the world
        if (b.w->body_parent[i] == 0) {
            memcpy(b.pos + 3 * i, b.w->body_pos + 3 * i, 3 * sizeof(double));
            memcpy(b.quat + 4 * i, b.w->body_quat + 4 * i, 4 * sizeof(double));
        }
    b.base = qiao_model_body(b.w, b.r->model->body_name[b.r->base]);
    b.t = (qiao_truth){.model = b.w, .body_pos = b.pos, .body_quat = b.quat, .body_vel = b.vel};
    b.t.act_force_peak = b.act, b.t.body_force_peak = b.peak;
    return b;
}

static void close_bench(bench *b) {
    qiao_referee_free(b->f), qiao_model_free(b->w), qiao_case_free(b->c);
    qiao_robot_free(b->r), qiao_scenario_free(b->s);
    free(b->pos), free(b->quat), free(b->vel), free(b->peak), free(b->act);
}

static qiao_verdict tick(bench *b) {
    b->t.t_ns = (int64_t)b->ticks++ * QIAO_TICK_NS, b->t.contact = b->con;
    return qiao_referee_step(b->f, &b->t, NULL, 0);
}
static qiao_verdict ticks(bench *b, int n) {
    qiao_verdict v = QIAO_RUNNING;
    while (n-- > 0) v = tick(b);
    return v;
}
static double *at(bench *b, const char *body) {
    int i = qiao_model_body(b->w, body);
    CHECK(i > 0, "no body '%s'", body);
    return b->pos + 3 * i;
}
static const qiao_measure *measure(bench *b, const char *name) {
    const qiao_score *s = qiao_referee_score(b->f);
    for (int i = 0; i < s->nmeasure; i++)
        if (strcmp(s->measure[i].name, name) == 0) return &s->measure[i];
    CHECK(false, "no measure '%s'", name);
    return NULL;
}
static void lean(bench *b, double deg) { // about x
    double h = deg * 3.14159265358979 / 360, *q = b->quat + 4 * b->base;
    q[0] = cos(h), q[1] = sin(h), q[2] = q[3] = 0;
}
// Events so far as one line of names.
static const char *events(bench *b) {
    static char line[2000];
    qiao_event e[8];
    size_t n = 0;
    line[0] = 0;
    for (int k; (k = qiao_referee_events(b->f, e, 8)) > 0;)
        for (int i = 0; i < k && n < sizeof line - 100; i++)
            n += (size_t)snprintf(line + n, sizeof line - n, "%s@%g ", e[i].name,
                                  (double)e[i].t_ns * 1e-9);
    return line;
}

#endif
