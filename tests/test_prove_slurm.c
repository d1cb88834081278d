// SPDX-License-Identifier: Apache-2.0
// test_prove_slurm.c - sweeps over a private one-node Slurm (tools/slurm_local.sh): the bits of one
// process, with daemons, steps, workers and the coordinator killed.
#include "prove/spool.h"
#include "prove_crew.h"

#define DIR_  "build/test/slurm"
#define CONF_ "build/test/slurm_conf" // the cluster's own folder
enum { N = 120 };
static crew_sweep C;
static qiao_store *want;
static qiao_diag d;

static int sh(const char *what) {
    char cmd[600];
    snprintf(cmd, sizeof cmd, "tools/slurm_local.sh %s > build/test/slurm_said.txt 2>&1", what);
    int s = system(cmd);
    return WIFEXITED(s) ? WEXITSTATUS(s) : -1;
}
static void down(void) { sh("down " CONF_); }

static qiao_store *begin(void) {
    static bool up;
    CHECK(system("rm -rf " DIR_ " && mkdir -p " DIR_) == 0);
    if (!up) {
        char conf[4200], full[4096];
        int s = sh("up " CONF_ " 4");
        if (s) {
            FILE *f = fopen("build/test/slurm_said.txt", "r");
            char said[400] = "";
            size_t n = f ? fread(said, 1, sizeof said - 1, f) : 0;
            said[n] = 0;
            for (char *p = said; *p; p++)
                if (*p == '\n') *p = ' ';
            SKIP("no private Slurm: %s", said);
        }
        up = true, atexit(down);
        CHECK(realpath(CONF_, full) != NULL);
        snprintf(conf, sizeof conf, "%s/slurm.conf", full);
        setenv("SLURM_CONF", conf, 1);
    }
    d = (qiao_diag){0};
    if (!C.sweep) C = crew_open();
    if (!want) want = crew_wanted(&C, "build/test/slurm_want", N);
    return crew_store(&C, DIR_ "/b.db");
}

static qiao_crew_def slurm_def(void) {
    qiao_crew_def def = crew_def(&C, DIR_ "/spool", 2);
    def.slurm = true;
    return def;
}

// Of a daemon of ours.
static pid_t pid_in(const char *file) {
    char path[300];
    snprintf(path, sizeof path, CONF_ "/%s", file);
    FILE *f = fopen(path, "r");
    int pid = -1;
    if (f && fscanf(f, "%d", &pid) != 1) pid = -1;
    if (f) fclose(f);
    return pid > 1 ? pid : 1 << 30; // no such process
}

// What is killed in which turn; each -9, daemons are started again.
static int turn;
static double next_turn;
static bool kill_step(void) { // the Slurm process above a worker
    pid_t pid[16];
    int n = crew_pids(DIR_ "/spool", pid, 16);
    for (int i = 0; i < n; i++) {
        char path[60], comm[60] = "";
        int parent = 0;
        snprintf(path, sizeof path, "/proc/%d/stat", (int)pid[i]);
        FILE *f = fopen(path, "r");
        if (f && fscanf(f, "%*d (%*[^)]) %*c %d", &parent) != 1) parent = 0;
        if (f) fclose(f);
        snprintf(path, sizeof path, "/proc/%d/comm", parent);
        f = fopen(path, "r");
        if (f && fscanf(f, "%50s", comm) != 1) comm[0] = 0;
        if (f) fclose(f);
        if (strncmp(comm, "slurmstepd", 10) == 0) return kill(parent, SIGKILL) == 0;
    }
    return false;
}
static bool kill_worker(void) {
    pid_t pid[16];
    int n = crew_pids(DIR_ "/spool", pid, 16);
    for (int i = 0; i < n; i++)
        if (kill(pid[i], SIGKILL) == 0) return true;
    return false;
}
static bool harm(void) {
    if (qi_spool_now() < next_turn) return true;
    next_turn = qi_spool_now() + 0.4;
    bool done = false; // a turn that wants a living worker waits for one
    switch (turn) {
    case 0: done = kill_step(); break;
    case 1: done = kill(pid_in("slurmctld.pid"), SIGKILL) == 0; break;
    case 2: done = kill_worker(); break;
    case 3: done = sh("slurmctld " CONF_) == 0; break;
    case 4: done = kill_worker(); break;
    case 5: done = kill(pid_in("slurmd.pid"), SIGKILL) == 0; break;
    case 6: done = sh("slurmd " CONF_) == 0; break;
    case 7: done = kill_worker(); break;
    }
    turn += done;
    return true;
}

TEST(slurm_gives_the_bits_of_one_process) {
    qiao_store *s = begin();
    qiao_crew_def def = slurm_def();
    qiao_crew *c = qiao_crew_new(&def, s, &d);
    CHECK(c != NULL, "%s", d.text);
    CHECK(qiao_crew_fill(c, 0, N, &d) == QIAO_OK, "%s", d.text);
    qiao_crew_free(c);
    crew_same(&C, want, s, DIR_);
    qiao_store_free(s);
}

TEST(slurm_coordinator_killed) {
    qiao_store *s = begin();
    qiao_store_free(s);
    qiao_crew_def def = slurm_def();
    for (int i = 0; i < 2; i++) {
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            s = qiao_store_open(DIR_ "/b.db", &C.def, qiao_sweep_shape(C.sweep), &d);
            qiao_crew *c = s ? qiao_crew_new(&def, s, &d) : NULL;
            if (c) qiao_crew_fill(c, 0, N, &d);
            _exit(0);
        }
        struct timespec t = {0, 700000000};
        nanosleep(&t, NULL);
        kill(pid, SIGKILL), waitpid(pid, NULL, 0);
    }
    s = crew_store(&C, DIR_ "/b.db");
    qiao_crew *c = qiao_crew_new(&def, s, &d);
    CHECK(c != NULL, "%s", d.text);
    CHECK(qiao_crew_fill(c, 0, N, &d) == QIAO_OK, "%s", d.text);
    qiao_crew_free(c);
    crew_same(&C, want, s, DIR_);
    qiao_store_free(s);
}

// Last: it leaves the node as an accident does.
TEST(slurm_daemons_steps_and_workers_killed) {
    qiao_store *s = begin();
    qiao_crew_def def = slurm_def();
    bool (*fn)(void) = harm;
    def.progress = crew_tick, def.ctx = &fn, turn = 0, next_turn = 0;
    def.chunk_s = 0.05;
    qiao_crew *c = qiao_crew_new(&def, s, &d);
    CHECK(c != NULL, "%s", d.text);
    uint64_t n = N; // more trials until all the harm is done
    for (; n < 40 * N; n += N / 2) {
        CHECK(qiao_crew_fill(c, 0, n, &d) == QIAO_OK, "%s", d.text);
        if (turn >= 8) break;
    }
    qiao_crew_free(c);
    CHECK(turn >= 8, "only %d of 8 accidents happened", turn);
    CHECK(qiao_store_fill(want, C.sweep, 0, n, 64, &d) == QIAO_OK, "%s", d.text);
    crew_same(&C, want, s, DIR_);
    qiao_store_free(s), qiao_store_free(want), want = NULL;
}

TEST(slurm_that_is_not_there_is_said) {
    qiao_store *s = begin();
    char was[4096];
    snprintf(was, sizeof was, "%s", getenv("PATH"));
    setenv("PATH", "/nowhere", 1);
    qiao_crew_def def = slurm_def();
    qiao_crew *c = qiao_crew_new(&def, s, &d);
    setenv("PATH", was, 1);
    CHECK(c == NULL && d.err == QIAO_E_PEER);
    CHECK_TEXT(d.text, "sbatch is not here");
    qiao_store_free(s);
}
