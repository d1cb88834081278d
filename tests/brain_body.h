// SPDX-License-Identifier: Apache-2.0
// brain_body.h - a body made by hand for tests of brains: three hinges, three signals, n worlds.
#ifndef BRAIN_BODY_H
#define BRAIN_BODY_H

#include "qiao/brain.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
enum { BODY_SANITIZED = 1 };
#else
enum { BODY_SANITIZED = 0 };
#endif
enum { BODY_PATH = PATH_MAX + 200 };
enum { BODY_NU = 3, BODY_NOBS = 7, BODY_NSIG = 3, BODY_WORLDS = 64 };

typedef struct body {
    qiao_model model;
    qiao_robot robot;
    qiao_io io;
    qiao_obs obs;
    qiao_cmd cmd;
    int64_t t[BODY_WORLDS], stamp[BODY_WORLDS][BODY_NSIG];
    double x[BODY_WORLDS][BODY_NOBS], c[5][BODY_WORLDS * BODY_NU];
    uint8_t live[BODY_WORLDS];
} body;

static const char *const body_act[BODY_NU] = {"a_hip", "a_thigh", "a_knee"};
static const char *const body_link[2] = {"world", "link"};
static const qiao_signal body_sig[BODY_NSIG] = {
    {.name = "joint_pos",
     .unit = "rad",
     .frame = "joint",
     .dim = 3,
     .nname = 3,
     .element = body_act,
     .rate_hz = 500},
    {.name = "imu_gyro", .unit = "rad/s", .frame = "imu", .adr = 3, .dim = 3, .rate_hz = 500},
    {.name = "tick",
     .unit = "1",
     .frame = "world",
     .adr = 6,
     .dim = 1,
     .grid_n = {1, 1},
     .grid_step = 0.1,
     .grid_center = {0.25, -0.5}},
};
static const char *const body_fact[2] = {"obj_1.shape", "say"};
static const char *const body_fact_text[BODY_WORLDS * 2] = {"box",
                                                            "a \"quoted\"\ttext, \xe5\xb7\xa7"};
static const int body_int[3] = {0, 1, 2}, body_hinge[3] = {3, 3, 3};
static const double body_zero[14], body_range[6] = {-1, 1, -2, 2, -3, 3};
static const double body_rest[3] = {0.1, 0.8, -1.5};
static const qiao_drive body_drive[3] = {{40, 1, 1e6, 20, 30, 500, 0.002, 0.01, false},
                                         {40, 1, 1e6, 20, 30, 500, 0.002, 0.01, false},
                                         {60, 2, 45.4, 15, 20, 500, 0.002, 0.01, true}};

// n worlds; row w of x counts 100 w + i; no range and
// much torque, so that no guard minds.
static void body_make(body *b, int n) {
    memset(b, 0, sizeof *b);
    b->model = (qiao_model){.nq = 3, .nv = 3, .nu = 3, .nbody = 2, .njnt = 3};
    b->model.body_name = body_link, b->model.jnt_name = body_act, b->model.act_name = body_act;
    b->model.body_parent = body_int, b->model.body_mass = body_range;
    b->model.body_pos = b->model.body_quat = b->model.body_ipos = body_zero;
    b->model.jnt_type = body_hinge, b->model.jnt_body = body_int, b->model.jnt_qadr = body_int;
    b->model.jnt_vadr = body_int, b->model.jnt_pos = b->model.jnt_axis = body_zero;
    b->model.jnt_range = body_zero, b->model.act_joint = body_int;
    b->model.act_ctrlrange = body_range, b->model.q0 = body_rest;
    b->robot = (qiao_robot){.name = "legling", .kind = "legged", .path = "", .model = &b->model};
    b->robot.rest_q = body_rest, b->robot.drive = body_drive;
    b->robot.tool_site = b->robot.imu_site = -1;
    for (int w = 0; w < n; w++) {
        b->t[w] = 20000000 * w, b->live[w] = 1;
        for (int i = 0; i < BODY_NOBS; i++) b->x[w][i] = 100 * w + i;
        for (int i = 0; i < BODY_NSIG; i++) b->stamp[w][i] = b->t[w];
    }
    b->io = (qiao_io){.nsig = BODY_NSIG,
                      .nobs = BODY_NOBS,
                      .nu = BODY_NU,
                      .sig = body_sig,
                      .act_name = body_act,
                      .robot = &b->robot,
                      .period = 0.02};
    b->obs = (qiao_obs){n, BODY_NOBS, BODY_NSIG, b->t, b->x[0], b->stamp[0], NULL};
    b->cmd = (qiao_cmd){n, BODY_NU, b->c[0], b->c[1], b->c[2], b->c[3], b->c[4]};
}

// One world with facts.
static void body_facts(body *b) {
    b->io.nworld = 1, b->io.nparam = 2, b->io.param_name = body_fact;
    b->io.param_text = body_fact_text;
}

// Folder of this test program, with a final '/'.
static const char *body_dir(void) {
    static char dir[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", dir, sizeof dir - 1);
    dir[n > 0 ? n : 0] = 0;
    char *slash = strrchr(dir, '/');
    if (slash) slash[1] = 0;
    return dir;
}

static int count_fds(void) {
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    while (d && readdir(d)) n++;
    if (d) closedir(d);
    return n;
}

// No child is left, not even as a zombie.
static bool no_children(void) { return waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD; }

// This test program hosts plug-ins itself, as qiao does, so that it needs no other program.
__attribute__((constructor)) static void body_host(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "brain-host") == 0) exit(qiao_brain_host_main(argc, argv));
    setenv("QIAO_HOST", "/proc/self/exe", 0);
    setenv("QIAO_HOME", ".", 0);
}

#endif
