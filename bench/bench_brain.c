// SPDX-License-Identifier: Apache-2.0
// What a brain in another process costs: one step there and back, against the bare ping-pong of
// as many bytes between two processes over the same kind of socket, in turns within one run.
#define _GNU_SOURCE 1
#include "qiao/brain.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NU = 12, NOBS = 48, NSIGNAL = 6, MOST = 64, BLOCKS = 20, PER_BLOCK = 1000 };
enum { TRIPS = BLOCKS * PER_BLOCK };

typedef struct body { // as large as a quadruped's
    qiao_robot robot;
    qiao_io io;
    qiao_obs obs;
    qiao_cmd cmd;
    int64_t t[MOST], stamp[MOST * NSIGNAL];
    double x[MOST * NOBS], c[5][MOST * NU];
} body;

__attribute__((constructor)) static void host(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "brain-host") == 0) exit(qiao_brain_host_main(argc, argv));
    setenv("QIAO_HOST", "/proc/self/exe", 1);
}

static void body_make(body *b, int n) {
    static const char *const act[NU] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"};
    static const char *const name[NSIGNAL] = {"joint_pos", "joint_vel", "joint_tau",
                                              "imu_gyro",  "imu_acc",   "imu_quat"};
    static qiao_signal sig[NSIGNAL];
    memset(b, 0, sizeof *b);
    for (int i = 0; i < NSIGNAL; i++)
        sig[i] =
            (qiao_signal){.name = name[i], .unit = "1", .frame = "joint", .adr = 8 * i, .dim = 8};
    b->robot = (qiao_robot){.name = "bench", .path = "", .tool_site = -1, .imu_site = -1};
    b->io = (qiao_io){.nsig = NSIGNAL, .nobs = NOBS, .nu = NU, .sig = sig, .act_name = act};
    b->io.robot = &b->robot, b->io.period = 0.02;
    b->obs = (qiao_obs){n, NOBS, NSIGNAL, b->t, b->x, b->stamp, NULL};
    b->cmd = (qiao_cmd){n, NU, b->c[0], b->c[1], b->c[2], b->c[3], b->c[4]};
}

// spec NULL: the plug-in of the tests.
static qiao_brain *open_brain(body *b, int n, bool trust, const char *spec) {
    char path[PATH_MAX + 50];
    ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 1);
    path[len > 0 ? len : 0] = 0;
    char *slash = strrchr(path, '/');
    strcpy(slash ? slash + 1 : path, "../tests/plugins/good.so");
    body_make(b, n);
    qiao_brain_def def = qiao_brain_def_default();
    qiao_diag d = {0};
    def.spec = spec ? spec : path, def.n = n, def.trust = trust, def.deadline_ms = 5000;
    qiao_brain *k = qiao_brain_open(&def, &d);
    if (k && qiao_brain_bind(k, &b->io, &d) == QIAO_OK) return k;
    fprintf(stderr, "bench_brain: %s\n", d.text);
    exit(1);
}

// ---- the bare ping-pong: send, recv; recv, send ----

typedef struct pong {
    int fd;
    pid_t pid;
    size_t to, from; // bytes
} pong;
static char bytes[MOST * 1024];

static void move(int fd, size_t n, bool out) {
    for (size_t at = 0; at < n;) {
        ssize_t k =
            out ? send(fd, bytes + at, n - at, MSG_NOSIGNAL) : recv(fd, bytes + at, n - at, 0);
        if (k <= 0) _exit(0);
        at += (size_t)k;
    }
}

static pong pong_start(int n) {
    int s[2];
    pong p = {-1, -1, (size_t)n * (9 + 8 * (NOBS + NSIGNAL)) + 32, (size_t)n * NU * 40 + 16};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) == 0) p.pid = fork();
    if (p.pid < 0) exit(1);
    if (p.pid == 0) {
        close(s[0]);
        for (;;) move(s[1], p.to, false), move(s[1], p.from, true);
    }
    close(s[1]), p.fd = s[0];
    return p;
}

static double now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
static double quantile(double *t, double q) {
    qsort(t, TRIPS, sizeof *t, by_size);
    return t[(int)(q * (TRIPS - 1))];
}

static void step(qiao_brain *k, body *b) {
    qiao_diag d = {0};
    if (qiao_brain_step(k, &b->obs, &b->cmd, &d) == QIAO_OK) return;
    fprintf(stderr, "bench_brain: %s\n", d.text);
    exit(1);
}

static void compare(int n) {
    static body here_b, away_b;
    static double bare[TRIPS], away[TRIPS], here[TRIPS];
    qiao_brain *h = open_brain(&here_b, n, true, NULL), *a = open_brain(&away_b, n, false, NULL);
    pong p = pong_start(n);
    for (int blk = -1; blk < BLOCKS; blk++) // block -1 warms up
        for (int kind = 0; kind < 3; kind++)
            for (int i = 0; i < PER_BLOCK; i++) {
                double t0 = now_us();
                if (kind == 0) move(p.fd, p.to, true), move(p.fd, p.from, false);
                if (kind == 1) step(a, &away_b);
                if (kind == 2) step(h, &here_b);
                double dt = now_us() - t0;
                if (blk >= 0)
                    (kind == 0 ? bare : kind == 1 ? away : here)[blk * PER_BLOCK + i] = dt;
            }
    double m = quantile(bare, 0.5);
    printf("%4d %6zu %6zu   %6.1f %6.1f   %6.1f %6.1f   %5.2f   %6.2f\n", n, p.to, p.from, m,
           quantile(bare, 0.99), quantile(away, 0.5), quantile(away, 0.99), quantile(away, 0.5) / m,
           quantile(here, 0.5));
    close(p.fd), waitpid(p.pid, NULL, 0);
    qiao_brain_close(a), qiao_brain_close(h);
}

static void python(void) {
    static body b;
    static double t[TRIPS];
    qiao_brain *k = open_brain(&b, 1, false, "example");
    for (int i = -PER_BLOCK; i < TRIPS; i++) {
        double t0 = now_us();
        step(k, &b);
        if (i >= 0) t[i] = now_us() - t0;
    }
    double m = quantile(t, 0.5);
    printf("   1  Python (brains/example.py)       %6.1f %6.1f\n", m, quantile(t, 0.99));
    qiao_brain_close(k);
}

// Children inherit it: both ends share a core, or the kernel places them.
static void place(bool one_core) {
    cpu_set_t all, one;
    CPU_ZERO(&one);
    static cpu_set_t first;
    static bool known;
    if (!known) known = sched_getaffinity(0, sizeof first, &first) == 0;
    all = first;
    for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &all)) CPU_SET(i, &one);
    sched_setaffinity(0, sizeof all, one_core ? &one : &all);
}

int main(void) {
    printf("brain: one step, us; median and 99th percentile of %d trips; %s\n", TRIPS, __VERSION__);
    for (int free = 0; free < 2; free++) {
        place(!free);
        printf("%s\n         bytes          bare socket     other process   ratio   in process\n"
               "   n  there   back    median    p99   median    p99            median\n",
               free ? "placed by the kernel" : "both on one core");
        compare(1), compare(16), compare(64), python();
    }
    return 0;
}
