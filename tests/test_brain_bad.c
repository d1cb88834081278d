// SPDX-License-Identifier: Apache-2.0
// Bad brains: each ends with its reason in words, and the runner goes on unharmed.
#include "brain_body.h"
#include "test.h"

#include <sys/stat.h>

typedef enum stage { OPEN, BIND, STEP } stage;
typedef struct bad_brain {
    const char *spec; // after the plug-in folder
    stage at;
    qiao_err err;
    const char *text; // $ stands for the file; NULL: a shout
} bad_brain;

static body b;

static const char *fill(const char *text, const char *spec) {
    static char out[3000];
    char *o = out;
    for (; *text; text++)
        if (*text == '$')
            o += sprintf(o, "%s%.*s", body_dir(), (int)strcspn(spec, " "), spec);
        else
            *o++ = *text;
    *o = 0;
    return out;
}

static qiao_brain *open_spec(const char *spec, qiao_diag *d) {
    char path[BODY_PATH];
    snprintf(path, sizeof path, "%s%s", body_dir(), spec);
    bool slow = strstr(spec, "hang") || strstr(spec, "shout") || strstr(spec, "trickle") ||
                strstr(spec, "sleep");
    qiao_brain_def def = qiao_brain_def_default();
    def.spec = path, def.deadline_ms = slow ? 100 : 5000, def.start_ms = 10000, def.memory_mb = 512;
    if (strstr(spec, "hang_init") || strstr(spec, "early") || strstr(spec, "ignore_term"))
        def.start_ms = 300;
    return qiao_brain_open(&def, d);
}

static void run_good(void) {
    qiao_diag d = {0};
    body_make(&b, 1);
    qiao_brain *g = open_spec("plugins/good.so", &d);
    CHECK(g, "%s", d.text);
    CHECK(qiao_brain_bind(g, &b.io, &d) == QIAO_OK, "%s", d.text);
    CHECK(qiao_brain_reset(g, 0, 5, &d) == QIAO_OK, "%s", d.text);
    CHECK(qiao_brain_step(g, &b.obs, &b.cmd, &d) == QIAO_OK, "%s", d.text);
    CHECK(b.cmd.q[2] == 7 && b.cmd.kp[2] == -1, "%g", b.cmd.q[2]);
    qiao_brain_close(g);
}

static bool is_damping(void) {
    bool good = true;
    for (int i = 0; i < BODY_NU; i++)
        good &= b.cmd.kp[i] == 0 && b.cmd.kd[i] == -1 && b.cmd.tau[i] == 0 && b.cmd.qd[i] == 0 &&
                b.cmd.q[i] == body_rest[i];
    return good;
}

static void run_bad(const bad_brain *k) {
    int fds = count_fds();
    qiao_diag d = {0};
    const char *want = fill(k->text ? k->text : "", k->spec);
    body_make(&b, 1);
    memset(b.c, 0x7f, sizeof b.c);
    qiao_brain *x = open_spec(k->spec, &d);
    stage at = OPEN;
    qiao_err e = d.err;
    if (x) at = BIND, e = qiao_brain_bind(x, &b.io, &d);
    if (x && !e) at = STEP, e = qiao_brain_reset(x, 0, 0, &d);
    if (x && !e) e = qiao_brain_step(x, &b.obs, &b.cmd, &d);
    if (x && !e) e = qiao_brain_step(x, &b.obs, &b.cmd, &d); // what came late shows now
    CHECK(at == k->at && e == k->err && e == d.err, "%s: stage %d, %s: %s", k->spec, at,
          qiao_err_name(e), d.text);
    if (!k->text) CHECK_TEXT(d.text, "within 100 ms; it printed: ... ");
    if (!k->text) CHECK_TEXT(d.text, "me me me me");
    CHECK(!k->text || strcmp(d.text, want) == 0, "%s:\n    got  %s\n    want %s", k->spec, d.text,
          want);
    if (at == STEP) {
        // damping, and the same again
        CHECK(is_damping(), "%s: %g %g %g", k->spec, b.cmd.q[0], b.cmd.kp[0], b.cmd.kd[0]);
        qiao_diag again = {0};
        memset(b.c, 0x7f, sizeof b.c);
        CHECK(qiao_brain_step(x, &b.obs, &b.cmd, &again) == e && is_damping(), "%s", again.text);
        CHECK(strcmp(again.text, d.text) == 0, "%s", again.text);
        CHECK(qiao_brain_reset(x, 0, 0, NULL) == (e == QIAO_E_NAN ? QIAO_OK : e));
    }
    qiao_brain_close(x);
    CHECK(no_children(), "%s left a child", k->spec);
    run_good();
    CHECK(count_fds() == fds, "%s: %d descriptors, before %d", k->spec, count_fds(), fds);
    CHECK(no_children());
}
#define RUN(...)                                                                   \
    do {                                                                           \
        static const bad_brain list[] = {__VA_ARGS__};                             \
        for (size_t i = 0; i < sizeof list / sizeof *list; i++) run_bad(&list[i]); \
    } while (0)

TEST(plug_ins_that_do_not_load) {
    RUN({"plugins/missing.so", OPEN, QIAO_E_IO, "$: there is no such plug-in"},
        {"plugins/no_entry.so", OPEN, QIAO_E_FORMAT,
         "$: is a shared object, but no brain: it does not export qiao_brain_entry"},
        {"plugins/null_entry.so", OPEN, QIAO_E_FORMAT, "$: qiao_brain_entry returns NULL"},
        {"plugins/wrong_abi.so", OPEN, QIAO_E_ABI,
         "$: is built for version 7 of the brain interface, this program has 1; build it again "
         "with this program's qiao/brain.h"},
        {"plugins/wrong_bytes.so", OPEN, QIAO_E_ABI,
         "$: its qiao_brain_api has 64 bytes, 72 were expected; build it again with this program's "
         "qiao/brain.h"},
        {"plugins/null_step.so", OPEN, QIAO_E_FORMAT, "$: its function 'step' is NULL"},
        {"plugins/no_name.so", OPEN, QIAO_E_FORMAT,
         "$: its name is not a text of 1 to 63 printable bytes"},
        {"plugins/rate_nan.so", OPEN, QIAO_E_FORMAT,
         "$: wants nan steps a second; 1 to 2000 can be"},
        {"plugins/rate_high.so", OPEN, QIAO_E_FORMAT,
         "$: wants 5000 steps a second; 1 to 2000 can be"},
        {"plugins/crash_load.so", OPEN, QIAO_E_PEER,
         "brain 'crash_load.so' ended in hello with exit status 9"});
}

// Files that only look like plug-ins are judged before anything in them can run.
TEST(files_that_are_no_plug_in) {
    char path[BODY_PATH];
    static char data[200000];
    snprintf(path, sizeof path, "%splugins/good.so", body_dir());
    FILE *f = fopen(path, "rb");
    CHECK(f);
    size_t n = fread(data, 1, sizeof data, f);
    fclose(f);
    static const bad_brain list[] = {
        {"plugins/text.so", OPEN, QIAO_E_FORMAT,
         "$: is not a plug-in: a shared object (ELF) was expected"},
        {"plugins/empty.so", OPEN, QIAO_E_FORMAT,
         "$: is not a plug-in: a shared object (ELF) was expected"},
        {"plugins/cut.so", OPEN, QIAO_E_FORMAT,
         "$: is cut short: parts of the shared object are missing"},
        {"plugins/arm.so", OPEN, QIAO_E_FORMAT,
         "$: is a shared object for another kind of machine"},
        {"plugins/exec.so", OPEN, QIAO_E_FORMAT,
         "$: is an ELF file, but not a shared object; link it with -shared"},
        {"plugins", OPEN, QIAO_E_IO, "$: is a folder without a brain.yaml"},
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        char keep[2] = {data[16], data[18]};
        if (i == 3) data[18] = 8; // e_machine
        if (i == 4) data[16] = 2; // e_type: executable
        snprintf(path, sizeof path, "%s%s", body_dir(), list[i].spec);
        if (i == 0) CHECK(!qiao_file_write(path, "int main;", 9, NULL));
        if (i == 1) CHECK(!qiao_file_write(path, "", 0, NULL));
        if (i > 1 && i < 5) CHECK(!qiao_file_write(path, data, i == 2 ? n / 3 : n, NULL));
        run_bad(&list[i]);
        if (i < 5) unlink(path);
        data[16] = keep[0], data[18] = keep[1];
    }
}

TEST(plug_ins_that_do_not_fit) {
    RUN({"plugins/unknown_need.so", BIND, QIAO_E_NAME,
         "brain 'plug' reads the signal 'joint_poss', which 'legling' does not give here; near: "
         "'joint_pos'; it gives: joint_pos, imu_gyro, tick"},
        {"plugins/no_fit.so", BIND, QIAO_E_FIT,
         "brain 'plug' does not fit this body: four legs are needed"},
        {"plugins/no_fit_mute.so", BIND, QIAO_E_FIT,
         "brain 'plug' does not fit this body: it does not say why"},
        {"plugins/huge_memory.so", BIND, QIAO_E_LIMIT,
         "brain 'plug' asks for 1152921504606846976 bytes for 1 worlds, at most 4294967296 are "
         "given"},
        {"plugins/init_error.so", BIND, QIAO_E_IO,
         "brain 'plug' cannot start: policy.onnx: there is no such file"},
        {"plugins/crash_init.so", BIND, QIAO_E_PEER,
         "brain 'plug' crashed in bind: signal 6, SIGABRT (Aborted)"},
        {"plugins/hang_init.so", BIND, QIAO_E_TIMEOUT,
         "brain 'plug' gave no answer to bind within 300 ms"});
}

TEST(plug_ins_that_fail_in_a_step) {
    RUN({"plugins/step_nan.so", STEP, QIAO_E_NAN,
         "brain 'plug' commands tau = nan for actuator 'a_knee' (world 0)"},
        {"plugins/step_inf.so", STEP, QIAO_E_NAN,
         "brain 'plug' commands q = inf for actuator 'a_hip' (world 0)"},
        {"plugins/step_error.so", STEP, QIAO_E_INFEASIBLE,
         "brain 'plug' gave up in step: no solution satisfies the constraints (E_INFEASIBLE)"},
        {"plugins/crash.so", STEP, QIAO_E_PEER,
         "brain 'plug' crashed in step: signal 11, SIGSEGV (Segmentation fault); it printed: about "
         "to fall"},
        {"plugins/divide.so", STEP, QIAO_E_PEER,
         "brain 'plug' crashed in step: signal 8, SIGFPE (Floating point exception)"},
        {"plugins/hang.so", STEP, QIAO_E_TIMEOUT,
         "brain 'plug' gave no answer to step within 100 ms"},
        {"plugins/shout.so", STEP, QIAO_E_TIMEOUT, NULL},
        {"plugins/exit3.so", STEP, QIAO_E_PEER, "brain 'plug' ended in step with exit status 3"},
        {"plugins/exit0.so", STEP, QIAO_E_PEER, "brain 'plug' ended in step with exit status 0"},
        {"plugins/orphan.so", STEP, QIAO_E_PEER, "brain 'plug' ended in step with exit status 4"},
        {"plugins/garbage.so", STEP, QIAO_E_PEER,
         "brain 'plug' broke the protocol in step: it sent bytes that are no frame (a frame starts "
         "with QBR1)"},
        {"plugins/flood.so", STEP, QIAO_E_PEER,
         "brain 'plug' broke the protocol in step: it sent bytes that are no frame (a frame starts "
         "with QBR1)"},
        {"plugins/closes.so", STEP, QIAO_E_PEER, "brain 'plug' closed its connection in step"},
        {"plugins/huge_length.so", STEP, QIAO_E_PEER,
         "brain 'plug' broke the protocol in step: it announced a command frame of 4294967295 "
         "bytes, where at most 4096 may come"});
}

TEST(memory_is_bounded) {
    if (BODY_SANITIZED) SKIP("a sanitizer needs the address space that the bound takes away");
    RUN({"plugins/hungry.so", STEP, QIAO_E_PEER,
         "brain 'plug' crashed in step: signal 11, SIGSEGV (Segmentation fault)"});
}

#define BROKE(phase) "brain 'peer' broke the protocol in " phase ": it "
#define HELLO_BROKE  "brain 'peer_bad' broke the protocol in hello: it "
TEST(peers_that_say_a_bad_hello) {
    RUN({"plugins/peer_bad exit", OPEN, QIAO_E_PEER,
         "brain 'peer_bad' ended in hello with exit status 5"},
        {"plugins/peer_bad hello_abi", OPEN, QIAO_E_ABI,
         HELLO_BROKE "speaks version 9 of the interface, this program speaks 1"},
        {"plugins/peer_bad hello_count", OPEN, QIAO_E_PEER,
         HELLO_BROKE "asks for 70000 signals, at most 64 may be asked for"},
        {"plugins/peer_bad hello_rate", OPEN, QIAO_E_FORMAT,
         HELLO_BROKE "wants -1 steps a second; 1 to 2000 can be"},
        {"plugins/peer_bad hello_short", OPEN, QIAO_E_PEER,
         HELLO_BROKE "sent a hello of 7 bytes, 16 to 4096 were expected"},
        {"plugins/peer_bad hello_unended", OPEN, QIAO_E_PEER,
         HELLO_BROKE "sent a hello whose texts (name, version, 1 signals) are not 1 to 63 "
                     "printable bytes each, ended by 0"},
        {"plugins/peer_bad hello_control", OPEN, QIAO_E_PEER,
         HELLO_BROKE "sent a hello whose texts (name, version, 1 signals) are not 1 to 63 "
                     "printable bytes each, ended by 0"},
        {"plugins/peer_bad hello_long", OPEN, QIAO_E_PEER,
         HELLO_BROKE "sent a hello whose texts (name, version, 1 signals) are not 1 to 63 "
                     "printable bytes each, ended by 0"},
        {"plugins/peer_bad hello_huge", OPEN, QIAO_E_PEER,
         HELLO_BROKE "announced a hello frame of 4097 bytes, where at most 4096 may come"},
        {"plugins/peer_bad ignore_term", OPEN, QIAO_E_TIMEOUT,
         "brain 'peer_bad' gave no answer to hello within 300 ms"});
}

TEST(peers_that_break_the_protocol) {
    RUN({"plugins/peer_bad nan", STEP, QIAO_E_NAN,
         "brain 'peer' commands kp = nan for actuator 'a_knee' (world 0)"},
        {"plugins/peer_bad seq", STEP, QIAO_E_PEER,
         BROKE("step") "answered question 5 when question 4 was asked"},
        {"plugins/peer_bad type", STEP, QIAO_E_PEER,
         BROKE("step") "answered with ready, command was expected"},
        {"plugins/peer_bad unknown", STEP, QIAO_E_PEER,
         BROKE("step") "sent a frame of the unknown type 99"},
        {"plugins/peer_bad give_up", STEP, QIAO_E_FIT,
         "brain 'peer' gave up in step: I am [31m tired"},
        {"plugins/peer_bad mute_error", STEP, QIAO_E_PEER,
         "brain 'peer' gave up in step: it does not say why"},
        {"plugins/peer_bad short_command", STEP, QIAO_E_PEER,
         BROKE("step") "sent a command of 112 bytes, 120 were expected (1 worlds, 3 actuators, 5 "
                       "doubles each)"},
        {"plugins/peer_bad long_command", STEP, QIAO_E_PEER,
         BROKE("step") "sent a command of 128 bytes, 120 were expected (1 worlds, 3 actuators, 5 "
                       "doubles each)"},
        {"plugins/peer_bad half", STEP, QIAO_E_PEER,
         "brain 'peer' ended in step with exit status 0"},
        {"plugins/peer_bad trickle", STEP, QIAO_E_TIMEOUT,
         "brain 'peer' gave no answer to step within 100 ms"},
        {"plugins/peer_bad sleep", STEP, QIAO_E_TIMEOUT,
         "brain 'peer' gave no answer to step within 100 ms"},
        {"plugins/peer_bad twice", STEP, QIAO_E_PEER, BROKE("step") "sent more than one answer"});
}

TEST(a_peer_that_speaks_too_early) {
    qiao_diag d = {0};
    body_make(&b, 1);
    qiao_brain *x = open_spec("plugins/peer_bad early", &d);
    CHECK(!x && d.err == QIAO_E_PEER, "%s", d.text);
    // an answer too many, while nobody asks
    d = (qiao_diag){0};
    x = open_spec("plugins/peer_bad after", &d);
    CHECK(x && !qiao_brain_bind(x, &b.io, &d) && !qiao_brain_step(x, &b.obs, &b.cmd, &d), "%s",
          d.text);
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    CHECK(qiao_brain_step(x, &b.obs, &b.cmd, &d) == QIAO_E_PEER);
    CHECK(strcmp(d.text, BROKE("step") "spoke before it was asked") == 0, "%s", d.text);
    CHECK(b.cmd.q[0] == 0.5 && b.cmd.kp[0] == 0, "%g", b.cmd.q[0]); // stays where it was told to be
    qiao_brain_close(x);
    CHECK(no_children());
}

TEST(a_peer_that_does_not_go_at_bye) {
    qiao_diag d = {0};
    int fds = count_fds();
    qiao_brain *x = open_spec("plugins/peer_bad stays", &d);
    CHECK(x, "%s", d.text);
    qiao_brain_close(x);
    CHECK(no_children() && count_fds() == fds);
}

TEST(a_program_that_is_none) {
    char path[BODY_PATH];
    qiao_diag d = {0};
    snprintf(path, sizeof path, "%splugins/no_program", body_dir());
    CHECK(!qiao_file_write(path, "\1\2\3", 3, NULL));
    CHECK(!open_spec("plugins/no_program", &d));
    CHECK_TEXT(d.text, "is neither a plug-in (.so), Python (.py) nor a trained policy (.yaml, "
                       ".onnx), nor may it be run");
    d = (qiao_diag){0};
    chmod(path, 0755);
    CHECK(!open_spec("plugins/no_program", &d) && d.err == QIAO_E_PEER);
    CHECK_TEXT(d.text,
               "ended in hello with exit status 127; it printed: cannot be run: Exec format");
    unlink(path);
    CHECK(no_children());
}

TEST(no_program_to_host_plug_ins) {
    char old[BODY_PATH];
    qiao_diag d = {0};
    snprintf(old, sizeof old, "%s", getenv("QIAO_HOST"));
    setenv("QIAO_HOST", "/nowhere/qiao", 1);
    qiao_brain *x = open_spec("plugins/good.so", &d);
    setenv("QIAO_HOST", old, 1);
    CHECK(!x && d.err == QIAO_E_IO);
    CHECK_TEXT(d.text, "/nowhere/qiao: cannot be run, and is needed to host '");
    CHECK(no_children());
}
