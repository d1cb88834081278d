// SPDX-License-Identifier: Apache-2.0
// crew_hands.c - starts and ends workers: processes here, or tasks of a Slurm array job.
#define _GNU_SOURCE // pipe2
#include "prove/crew.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SAID_MAX = 1 << 17, COMMAND_S = 30 };

static void pause_s(double s) {
    struct timespec t = {(time_t)s, (long)((s - (double)(time_t)s) * 1e9)};
    nanosleep(&t, NULL);
}

int qi_crew_live(const qiao_crew *c) {
    double now = qi_spool_now();
    int n = 0;
    for (int i = 0; i < c->nhand; i++) n += now - c->hand[i].heard < c->def.lease_s;
    return n;
}

// ---- commands of Slurm: bounded in time, what they say is kept ----

// Runs argv with text on its input; its exit status, -1: could not run or took too long.
static int run_command(const char *const *argv, const char *text, char *said) {
    int in[2], out[2];
    said[0] = 0;
    if (pipe2(in, O_CLOEXEC)) return -1;
    if (pipe2(out, O_CLOEXEC | O_NONBLOCK)) return close(in[0]), close(in[1]), -1;
    pid_t pid = fork();
    if (pid == 0) {
        dup2(in[0], 0), dup2(out[1], 1), dup2(out[1], 2);
        execvp(argv[0], (char **)(uintptr_t)argv);
        _exit(127);
    }
    close(in[0]), close(out[1]);
    size_t n = 0;
    int status = -1;
    bool done = pid < 0;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, was;
    sigaction(SIGPIPE, &ignore, &was); // a command that does not read its input
    if (pid > 0 && text && write(in[1], text, strlen(text)) < 0) text = NULL;
    sigaction(SIGPIPE, &was, NULL);
    close(in[1]);
    for (double end = qi_spool_now() + COMMAND_S; !done;) {
        ssize_t k = read(out[0], said + n, SAID_MAX - 1 - n);
        if (k > 0) n += (size_t)k;
        if (k > 0 && n + 1 < SAID_MAX) continue;
        int s;
        if (waitpid(pid, &s, WNOHANG) == pid) {
            k = read(out[0], said + n, SAID_MAX - 1 - n);
            if (k > 0) n += (size_t)k;
            status = WIFEXITED(s) ? WEXITSTATUS(s) : -1, done = true;
        } else if (qi_spool_now() > end) {
            kill(pid, SIGKILL), waitpid(pid, &s, 0);
            done = true;
        } else
            pause_s(0.01);
    }
    close(out[0]);
    said[n] = 0;
    for (char *p = said; *p; p++)
        if ((unsigned char)*p < 0x20) *p = ' ';
    return status;
}

static void cancel(qiao_crew *c, const char *state) {
    char name[60], said[SAID_MAX];
    if (!c->job[0]) return;
    snprintf(name, sizeof name, "--name=%s", c->job);
    const char *const argv[] = {"scancel", name, state, NULL};
    run_command(argv, NULL, said);
}

// Tasks of ours that wait for a node, and those that Slurm holds back for good; false: no answer.
static bool ask_queue(qiao_crew *c, int *waiting, int *held) {
    char name[60], said[SAID_MAX];
    *waiting = *held = 0;
    if (!c->job[0]) return true;
    snprintf(name, sizeof name, "--name=%s", c->job);
    const char *const argv[] = {"squeue", "-h", "-r", name, "-o", "%t:%r", NULL};
    if (run_command(argv, NULL, said) != 0) return false;
    for (char *p = strtok(said, " "); p; p = strtok(NULL, " ")) {
        if (strncmp(p, "PD:", 3) != 0 && strncmp(p, "CF:", 3) != 0) continue;
        strcasestr(p, "held") ? ++*held : ++*waiting;
    }
    return true;
}

// In single quotes for the shell of a batch script; false: too long.
static bool quote(const char *s, char *out, size_t cap) {
    size_t n = 0;
    if (cap < 4) return false;
    out[n++] = '\'';
    for (; *s; s++) {
        if (n + 8 > cap) return false;
        if (*s == '\'')
            memcpy(out + n, "'\\''", 4), n += 4;
        else
            out[n++] = *s;
    }
    out[n++] = '\'', out[n] = 0;
    return true;
}

// One array job of long-lived workers: Slurm starts one or two tasks a second, chunks are ours.
static void submit(qiao_crew *c, int n) {
    char script[16000], program[8000], dir[5000], array[40], name[60], out[QI_SPOOL_FULL];
    char cpus[40], part[200], said[SAID_MAX], hex[QIAO_HASH_HEX];
    if (!quote(c->program, program, sizeof program) || !quote(c->dir, dir, sizeof dir)) return;
    snprintf(script, sizeof script, "#!/bin/sh\nexec %s sweep-worker %s\n", program, dir);
    qiao_hash_hex(c->store->head.hash, hex);
    snprintf(array, sizeof array, "--array=0-%d", n - 1);
    if (!c->job[0]) snprintf(c->job, sizeof c->job, "qiao-%.8s-%d", hex, (int)getpid());
    snprintf(name, sizeof name, "--job-name=%s", c->job);
    snprintf(out, sizeof out, "--output=%.*s/log/%%A_%%a.txt", QI_SPOOL_PATH - 1, c->dir);
    snprintf(cpus, sizeof cpus, "--cpus-per-task=%d", c->sweep.nthread > 0 ? c->sweep.nthread : 1);
    snprintf(part, sizeof part, "--partition=%.150s", c->def.partition ? c->def.partition : "");
    const char *argv[10] = {"sbatch", "--parsable", "--no-requeue", array, name, out, cpus};
    if (c->def.partition) argv[7] = part;
    int status = run_command(argv, script, said);
    if (status == 0) {
        c->last = (qiao_diag){0};
        qi_crew_note(c, "Slurm takes %d tasks as job %.20s, %s", n, said, c->job);
        return;
    }
    c->last = (qiao_diag){0};
    qiao_diag_set(&c->last, QIAO_E_PEER, NULL, 0, 0, "sbatch %s: %.400s",
                  status == 127 ? "is not here" : "fails", said[0] ? said : "no answer");
    qi_crew_note(c, "%s", c->last.text);
}

// ---- processes of this machine ----

static pid_t start(qiao_crew *c) {
    char log[QI_SPOOL_FULL];
    qi_spool_path(c->dir, "log", "workers.txt", log);
    pid_t pid = fork();
    if (pid) return pid;
    int f = open(log, O_WRONLY | O_CREAT | O_APPEND, 0666), null = open("/dev/null", O_RDONLY);
    if (f >= 0) dup2(f, 1), dup2(f, 2);
    if (null >= 0) dup2(null, 0);
    setpgid(0, 0); // a key press for the coordinator is not one for them
    const char *const argv[] = {c->program, "sweep-worker", c->dir, NULL};
    execv(c->program, (char **)(uintptr_t)argv);
    fprintf(stderr, "%s: %s\n", c->program, strerror(errno));
    _exit(127);
}

static void hire_here(qiao_crew *c) {
    for (int i = 0; i < c->nchild; i++) {
        int status;
        if (c->child[i] > 0 && waitpid(c->child[i], &status, WNOHANG) == c->child[i]) {
            bool fell = WIFSIGNALED(status);
            qi_crew_note(c, "worker %d ended by %s %d", (int)c->child[i],
                         fell ? "signal" : "status", fell ? WTERMSIG(status) : WEXITSTATUS(status));
            c->child[i] = 0;
        }
        if (c->child[i] > 0 || qi_spool_now() < c->ready_at) continue;
        // many that die at once are not started as fast as they die
        if (c->started >= c->nchild) c->ready_at = qi_spool_now() + 0.1 * (c->started - c->nchild);
        c->child[i] = start(c), c->started++;
        if (c->child[i] < 0) c->child[i] = 0, c->ready_at = qi_spool_now() + 1;
    }
}

void qi_crew_hire(qiao_crew *c) {
    if (!c->def.slurm) {
        hire_here(c);
        return;
    }
    // tasks need time to begin; the controller is not asked more often than that
    double wait = c->def.lease_s > 2 ? c->def.lease_s : 2;
    int missing = c->def.nworker - qi_crew_live(c), waiting, held;
    if (missing <= 0 || (c->submitted > 0 && qi_spool_now() - c->submitted < wait)) return;
    c->submitted = qi_spool_now();
    if (!ask_queue(c, &waiting, &held)) {
        qi_crew_note(c, "squeue does not answer; %d workers are missing", missing);
        return;
    }
    if (held) {
        qi_crew_note(c, "Slurm holds %d tasks back: they are cancelled and sent anew", held);
        cancel(c, "--state=PENDING");
        waiting = 0;
    }
    if (missing > waiting) submit(c, missing - waiting);
}

void qi_crew_dismiss(qiao_crew *c) {
    char path[QI_SPOOL_FULL];
    qiao_file_write(qi_spool_path(c->dir, "stop", NULL, path), "", 0, NULL);
    if (c->def.slurm) cancel(c, NULL);
    for (int i = 0; i < c->nchild; i++)
        if (c->child[i] > 0) kill(c->child[i], SIGTERM);
    double until = qi_spool_now() + 5;
    for (int i = 0; i < c->nchild; i++) {
        int status;
        while (c->child[i] > 0 && waitpid(c->child[i], &status, WNOHANG) == 0) {
            if (qi_spool_now() > until) kill(c->child[i], SIGKILL);
            pause_s(0.005);
        }
        c->child[i] = 0;
    }
}
