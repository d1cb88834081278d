// SPDX-License-Identifier: Apache-2.0
// Good brains: found, bound, asked; the same in this process, in another and in Python.
#include "brain_body.h"
#include "test.h"

#include "brain/body.h"

static body b, b2;

// ---- every allocation of the process is counted, those inside libraries too ----

static long allocations, fail_at = -1; // fail_at: this one gives NULL
static bool fails(void) { return allocations++ == fail_at; }
#ifndef __SANITIZE_ADDRESS__
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t),
    *__libc_memalign(size_t, size_t);
#define SHOWN __attribute__((visibility("default")))
SHOWN void *malloc(size_t n) { return fails() ? NULL : __libc_malloc(n); }
SHOWN void *calloc(size_t n, size_t m) { return fails() ? NULL : __libc_calloc(n, m); }
SHOWN void *realloc(void *p, size_t n) { return fails() ? NULL : __libc_realloc(p, n); }
SHOWN void *aligned_alloc(size_t a, size_t n) { return fails() ? NULL : __libc_memalign(a, n); }
SHOWN int posix_memalign(void **p, size_t a, size_t n) {
    *p = fails() ? NULL : __libc_memalign(a, n);
    return *p ? 0 : ENOMEM;
}
#endif

static qiao_brain *open_as(const char *spec, int n, bool trust, qiao_diag *d) {
    qiao_brain_def def = qiao_brain_def_default();
    def.spec = spec, def.n = n, def.trust = trust, def.deadline_ms = 5000;
    return qiao_brain_open(&def, d);
}

static qiao_brain *open_bound(const char *file, body *x, int n, bool trust) {
    char path[BODY_PATH];
    qiao_diag d = {0};
    snprintf(path, sizeof path, "%s%s", file[0] == '/' ? "" : body_dir(), file);
    body_make(x, n);
    qiao_brain *k = open_as(path, n, trust, &d);
    CHECK(k, "%s", d.text);
    CHECK(qiao_brain_bind(k, &x->io, &d) == QIAO_OK, "%s", d.text);
    for (int w = 0; w < n; w++)
        CHECK(qiao_brain_reset(k, w, (uint64_t)3, &d) == QIAO_OK, "%s", d.text);
    return k;
}

TEST(plug_in_here_and_isolated_give_the_same_bits) {
    enum { N = BODY_WORLDS };
    qiao_brain *here = open_bound("plugins/good.so", &b, N, true);
    qiao_brain *away = open_bound("plugins/good.so", &b2, N, false);
    CHECK(strcmp(qiao_brain_name(here), "plug") == 0 && qiao_brain_rate(away) == 50);
    uint8_t h[2][QIAO_HASH_BYTES];
    qiao_brain_digest(here, h[0]), qiao_brain_digest(away, h[1]);
    CHECK(memcmp(h[0], h[1], sizeof h[0]) == 0);
    for (int k = 0; k < 20; k++) {
        qiao_diag d = {0};
        b.x[k][1] = b2.x[k][1] = 1.0 / (k + 3);
        CHECK(!qiao_brain_step(here, &b.obs, &b.cmd, &d), "%s", d.text);
        CHECK(!qiao_brain_step(away, &b2.obs, &b2.cmd, &d), "%s", d.text);
        CHECK(memcmp(b.c, b2.c, sizeof b.c) == 0);
    }
    CHECK(b.cmd.q[3 * 5 + 2] == 505, "%g", b.cmd.q[3 * 5 + 2]);
    qiao_brain_close(here), qiao_brain_close(away);
    CHECK(no_children());
}

TEST(rows_of_ended_worlds_stay) {
    qiao_brain *away = open_bound("plugins/good.so", &b, 3, false);
    qiao_diag d = {0};
    b.obs.live = b.live, b.live[1] = 0;
    b.cmd.q[4] = -77;
    CHECK(!qiao_brain_step(away, &b.obs, &b.cmd, &d) && b.cmd.q[4] == -77 && b.cmd.q[7] == 204);
    // garbage of an ended world is nobody's fault
    b.cmd.tau[4] = NAN;
    CHECK(!qiao_brain_step(away, &b.obs, &b.cmd, &d), "%s", d.text);
    qiao_brain_close(away);
}

// Garbage in one world is that world's end, not its neighbours'.
TEST(garbage_in_one_of_three_worlds) {
    for (int trust = 0; trust < 2; trust++) {
        qiao_brain *k = open_bound("plugins/nan_second.so", &b, 3, trust);
        b.obs.live = b.live;
        for (int again = 0; again < 2; again++) {
            qiao_diag d = {0};
            CHECK(qiao_brain_step(k, &b.obs, &b.cmd, &d) == QIAO_E_NAN);
            CHECK_TEXT(d.text, "commands kd = nan for actuator 'a_thigh' (world 1)");
            CHECK(b.cmd.q[0] == 3 && b.cmd.kp[0] == -1 && b.cmd.q[8] == 205 && b.cmd.kp[8] == -1);
            CHECK(b.cmd.q[3] == body_rest[0] && b.cmd.kp[3] == 0 && b.cmd.kd[4] == -1);
        }
        CHECK(!qiao_brain_fault(k, 0) && !qiao_brain_fault(k, 2) && qiao_brain_fault(k, 1));
        CHECK(!strcmp(qiao_brain_fault(k, 1),
                      "brain 'plug' commands kd = nan for actuator 'a_thigh'"));
        b.live[1] = 0;
        qiao_diag d = {0};
        CHECK(qiao_brain_step(k, &b.obs, &b.cmd, &d) == QIAO_OK, "%s", d.text);
        CHECK(!qiao_brain_reset(k, 1, 0, &d) && !qiao_brain_fault(k, 1));
        qiao_brain_close(k);
    }
}

TEST(no_step_allocates) {
    if (BODY_SANITIZED) SKIP("a sanitizer has its own allocator");
    qiao_brain *here = open_bound("plugins/good.so", &b, BODY_WORLDS, true);
    qiao_brain *away = open_bound("plugins/good.so", &b2, BODY_WORLDS, false);
    long before = allocations;
    CHECK(before > 0);
    for (int i = 0; i < 10000; i++) CHECK(!qiao_brain_step(here, &b.obs, &b.cmd, NULL));
    CHECK(allocations == before, "%ld in this process", allocations - before);
    for (int i = 0; i < 100; i++) CHECK(!qiao_brain_step(away, &b2.obs, &b2.cmd, NULL));
    CHECK(allocations == before, "%ld with another", allocations - before);
    qiao_brain_close(here), qiao_brain_close(away);
}

// Every allocation fails once, in this process and around a child: an error, never a fall.
TEST(each_allocation_may_fail) {
    if (BODY_SANITIZED) SKIP("a sanitizer has its own allocator");
    char path[BODY_PATH];
    int fds = count_fds();
    snprintf(path, sizeof path, "%splugins/good.so", body_dir());
    for (int away = 0; away < 2; away++) {
        int refused = 0;
        bool done = false;
        for (long n = 0; !done && n < 500; n++) {
            qiao_diag d = {0};
            body_make(&b, 1), body_facts(&b);
            long before = allocations;
            fail_at = allocations + n;
            qiao_brain *k = open_as(path, 1, !away, &d);
            bool good =
                k && !qiao_brain_bind(k, &b.io, &d) && !qiao_brain_step(k, &b.obs, &b.cmd, &d);
            done = fail_at >= allocations; // there are not that many
            fail_at = -1;
            qiao_brain_close(k);
            CHECK(good || d.err, "allocation %ld of %ld", n, allocations - before);
            CHECK(good || !done, "%s", d.text);
            CHECK(!good || b.cmd.q[2] == 2);
            refused += !good;
        }
        CHECK(done && refused > 5, "%d refused", refused);
        CHECK(no_children() && count_fds() == fds);
    }
}

// Frames far larger than a socket's buffer, both ways.
TEST(twenty_thousand_worlds_in_one_frame) {
    enum { N = 20000 };
    body_make(&b, 1);
    double *x = calloc((size_t)N * 7, 8), *c = calloc((size_t)N * 15, 8);
    int64_t *t = calloc((size_t)N * 4, 8);
    size_t row = (size_t)N * 3;
    CHECK(x && c && t);
    for (int i = 0; i < N * 7; i++) x[i] = i;
    b.obs = (qiao_obs){N, 7, 3, t, x, t + N, NULL};
    b.cmd = (qiao_cmd){N, 3, c, c + row, c + 2 * row, c + 3 * row, c + 4 * row};
    char path[BODY_PATH];
    qiao_diag d = {0};
    snprintf(path, sizeof path, "%splugins/good.so", body_dir());
    qiao_brain *k = open_as(path, N, false, &d);
    CHECK(k && !qiao_brain_bind(k, &b.io, &d), "%s", d.text);
    for (int i = 0; i < 3; i++) CHECK(!qiao_brain_step(k, &b.obs, &b.cmd, &d), "%s", d.text);
    for (int i = 0; i < N; i++) CHECK(c[3 * i + 2] == 7 * i + 2);
    qiao_brain_close(k);
    free(x), free(c), free(t);
}

TEST(bind_again_and_after_a_failure) {
    char path[BODY_PATH];
    qiao_diag d = {0};
    qiao_brain *k = open_bound("plugins/good.so", &b, 8, false);
    body_facts(&b); // one world now
    CHECK(!qiao_brain_bind(k, &b.io, &d), "%s", d.text);
    b.obs.n = b.cmd.n = 1;
    CHECK(!qiao_brain_step(k, &b.obs, &b.cmd, &d), "%s", d.text);
    CHECK(qiao_brain_reset(k, 1, 0, &d) == QIAO_E_ARG);
    qiao_brain_close(k);
    // a dead brain lives again
    snprintf(path, sizeof path, "%splugins/exit3.so", body_dir());
    d = (qiao_diag){0};
    k = open_as(path, 1, false, &d);
    for (int i = 0; i < 3; i++) {
        d = (qiao_diag){0};
        CHECK(k && !qiao_brain_bind(k, &b.io, &d), "%s", d.text);
        CHECK(qiao_brain_step(k, &b.obs, &b.cmd, &d) == QIAO_E_PEER);
        CHECK_TEXT(d.text, "exit status 3");
    }
    qiao_brain_close(k);
    CHECK(no_children());
}

TEST(talk_is_kept_and_never_blocks) {
    char path[BODY_PATH];
    qiao_diag d = {0};
    body_make(&b, 1);
    snprintf(path, sizeof path, "%splugins/chatty.so", body_dir());
    qiao_brain *k = open_as(path, 1, false, &d);
    CHECK(k && !qiao_brain_bind(k, &b.io, &d), "%s", d.text);
    for (int i = 0; i < 5; i++) CHECK(!qiao_brain_step(k, &b.obs, &b.cmd, &d), "%s", d.text);
    const char *out = qiao_brain_output(k);
    CHECK(strlen(out) == 2048, "%zu", strlen(out));
    CHECK_TEXT(out, "forty bytes of talk that nobody asked for\nforty");
    qiao_brain_close(k);
}

TEST(arguments_reach_the_program) {
    char spec[BODY_PATH];
    qiao_diag d = {0};
    uint8_t h[2][QIAO_HASH_BYTES];
    snprintf(spec, sizeof spec, "%splugins/peer_bad  args -x 7 ", body_dir());
    qiao_brain *k = open_as(spec, 1, false, &d);
    CHECK(k && strcmp(qiao_brain_name(k), "peer") == 0, "%s", d.text);
    body_make(&b, 1);
    CHECK(!qiao_brain_bind(k, &b.io, &d) && !qiao_brain_step(k, &b.obs, &b.cmd, &d), "%s", d.text);
    CHECK(b.cmd.q[1] == 0.5);
    qiao_brain_digest(k, h[0]);
    qiao_brain_close(k);
    snprintf(spec, sizeof spec, "%splugins/peer_bad", body_dir());
    k = open_as(spec, 1, false, &d);
    CHECK(k, "%s", d.text);
    qiao_brain_digest(k, h[1]);
    CHECK(memcmp(h[0], h[1], sizeof h[0]) != 0);
    qiao_brain_close(k);
    snprintf(spec, sizeof spec, "%splugins/good.so -x", body_dir());
    CHECK(!open_as(spec, 1, false, &d));
    CHECK_TEXT(d.text, "good.so: is a plug-in, and takes no arguments");
}

TEST(names_are_found_and_proposed) {
    char folder[BODY_PATH];
    qiao_diag d = {0};
    snprintf(folder, sizeof folder, "/nowhere:%splugins", body_dir());
    setenv("QIAO_BRAINS", folder, 1);
    qiao_brain *k = open_as("good", 1, false, &d);
    CHECK(k && strcmp(qiao_brain_name(k), "plug") == 0, "%s", d.text);
    qiao_brain_close(k);
    CHECK(!open_as("godo", 1, false, &d) && d.err == QIAO_E_NAME);
    CHECK_TEXT(d.text, "there is no brain 'godo'; near: 'good'; at hand: ");
    CHECK_TEXT(d.text, "example");
    unsetenv("QIAO_BRAINS");
    d = (qiao_diag){0};
    CHECK(!open_as("good", 1, false, &d) && d.err == QIAO_E_NAME);
    d = (qiao_diag){0};
    CHECK(!open_as("", 1, false, &d) && d.err == QIAO_E_ARG);
    d = (qiao_diag){0};
    CHECK(!open_as("good", 0, false, &d) && d.err == QIAO_E_ARG, "%s", d.text);
    qiao_arena *a = qiao_arena_new();
    const char *names[64];
    int n = qiao_brain_list(a, names, 64);
    bool hold = false, example = false;
    for (int i = 0; i < n && i < 64; i++)
        hold |= !strcmp(names[i], "hold"), example |= !strcmp(names[i], "example");
    qiao_arena_free(a);
    CHECK(hold && example, "%d names", n);
}

TEST(hold_holds_the_rest_pose) {
    qiao_diag d = {0};
    body_make(&b, 2);
    qiao_brain *k = open_as("hold", 2, false, &d);
    CHECK(k, "%s", d.text);
    CHECK(!qiao_brain_bind(k, &b.io, &d) && !qiao_brain_reset(k, 1, 0, &d), "%s", d.text);
    CHECK(!qiao_brain_step(k, &b.obs, &b.cmd, &d), "%s", d.text);
    for (int i = 0; i < 6; i++)
        CHECK(b.cmd.q[i] == body_rest[i % 3] && b.cmd.kp[i] == -1 && b.cmd.kd[i] == -1);
    CHECK(no_children()); // what is built in runs here
    qiao_brain_close(k);
}

TEST(the_program_itself_hosts_plug_ins) {
    char path[BODY_PATH], old[BODY_PATH];
    snprintf(path, sizeof path, "%s../qiao", body_dir());
    if (access(path, X_OK) != 0) SKIP("%.200s is not built", path);
    snprintf(old, sizeof old, "%s", getenv("QIAO_HOST"));
    unsetenv("QIAO_HOST");
    qiao_brain *k = open_bound("plugins/good.so", &b, 1, false);
    setenv("QIAO_HOST", old, 1);
    CHECK(!qiao_brain_step(k, &b.obs, &b.cmd, NULL) && b.cmd.q[1] == 4);
    qiao_brain_close(k);
    // without its runner it says what it is for
    strcat(path, " brain-host x.so 2>&1");
    FILE *f = popen(path, "r");
    char text[200] = "";
    CHECK(f && fgets(text, sizeof text, f) && WEXITSTATUS(pclose(f)) == 2);
    CHECK_TEXT(text, "brain-host is started by qiao itself");
}

// ---- a robot from a file ----

static const char two_link[] =
    "<mujoco model='two_link'><worldbody><body name='base'><geom size='.1' mass='1'/>"
    "<body name='arm' pos='0 0 .2'><joint name='shoulder' axis='0 1 0' range='-1 1'/>"
    "<geom size='.05' mass='.5'/><body name='hand' pos='0 0 .3'><joint name='elbow' axis='0 1 0'/>"
    "<geom size='.05' mass='.25'/></body></body></body></worldbody>"
    "<actuator><motor name='shoulder' joint='shoulder'/><motor name='elbow' joint='elbow'/>"
    "</actuator><keyframe><key name='home' qpos='.25 -.5'/></keyframe></mujoco>";

TEST(an_isolated_plug_in_gets_the_whole_robot) {
    const char *xml = "build/test/two_link.xml";
    qiao_diag d = {0};
    CHECK(!qiao_dir_make("build/test", &d) &&
          !qiao_file_write(xml, two_link, strlen(two_link), &d));
    qiao_robot *r = qiao_robot_load(xml, &d);
    CHECK(r && r->model->nu == 2, "%s", d.text);
    double c[5][2] = {{0}}, x = 0;
    int64_t t = 0;
    qiao_io io = {.nu = 2, .act_name = r->model->act_name, .robot = r, .period = 0.02};
    qiao_obs obs = {.n = 1, .t_ns = &t, .x = &x, .stamp_ns = &t};
    qiao_cmd cmd = {1, 2, c[0], c[1], c[2], c[3], c[4]};
    qiao_brain_def def = qiao_brain_def_default();
    def.spec = "hold", def.isolate = true, def.deadline_ms = 5000;
    qiao_brain *k = qiao_brain_open(&def, &d);
    CHECK(k, "%s", d.text);
    CHECK(!qiao_brain_bind(k, &io, &d) && !qiao_brain_step(k, &obs, &cmd, &d), "%s", d.text);
    CHECK(c[0][0] == r->rest_q[0] && c[0][1] == r->rest_q[1] && c[2][0] == -1);
    // the file changes while it runs: another robot now
    FILE *f = fopen(xml, "r+");
    CHECK(f);
    const char *mass = strstr(two_link, "mass='1'");
    fseek(f, (long)(mass - two_link) + 6, SEEK_SET), fputc('3', f), fclose(f);
    CHECK(qiao_brain_bind(k, &io, &d) == QIAO_E_FIT, "%s", d.text);
    CHECK_TEXT(d.text, "two_link.xml: changed since the run began: another hash");
    qiao_brain_close(k);
    qiao_robot_free(r);
    CHECK(no_children());
}

// ---- the body as text ----

TEST(body_survives_its_text) {
    body_make(&b, 1), body_facts(&b);
    char *text = qi_body_write(&b.io, 1);
    CHECK(text);
    qiao_arena *a = qiao_arena_new();
    qiao_robot *robot;
    qiao_diag d = {0};
    int n;
    const qiao_io *io = qi_body_read(a, text, strlen(text), &n, &robot, &d);
    CHECK(io, "%s", d.text);
    CHECK(n == 1 && io->nsig == 3 && io->nobs == 7 && io->nu == 3 && io->period == 0.02);
    for (int i = 0; i < 3; i++) {
        const qiao_signal *s = &io->sig[i], *o = &body_sig[i];
        CHECK(!strcmp(s->name, o->name) && !strcmp(s->unit, o->unit) &&
              !strcmp(s->frame, o->frame));
        CHECK(s->adr == o->adr && s->dim == o->dim && s->nname == o->nname);
        CHECK(s->grid_n[1] == o->grid_n[1] && s->grid_step == o->grid_step &&
              s->grid_center[1] == o->grid_center[1]);
        CHECK(s->rate_hz == o->rate_hz && !strcmp(io->act_name[i], body_act[i]));
        CHECK(io->robot->drive[i].kd == body_drive[i].kd &&
              io->robot->drive[i].native == body_drive[i].native);
    }
    CHECK(!strcmp(io->sig[0].element[2], "a_knee") && !strcmp(io->robot->name, "legling"));
    for (int i = 0; i < 2; i++)
        CHECK(!strcmp(qiao_io_param(io, 0, body_fact[i]), body_fact_text[i]), "%s",
              qiao_io_param(io, 0, body_fact[i]));
    qiao_arena_free(a), free(text);
}

// ---- Python ----

static const char *write_brain(const char *step) {
    static char path[BODY_PATH];
    char text[2000];
    snprintf(path, sizeof path, "%ssnake.py", body_dir());
    int n = snprintf(text, sizeof text,
                     "from qiao_brain import Brain, run\n"
                     "class B(Brain):\n"
                     "    name, need = 'snake', ('joint_pos',)\n"
                     "    def bind(self, body): self.body = body\n"
                     "    def reset(self, world, seed): self.seed = seed\n"
                     "    def step(self, w, t, obs, stamp):\n        %s\n"
                     "run(B)\n",
                     step);
    CHECK(!qiao_file_write(path, text, (size_t)n, NULL));
    return path;
}

TEST(python_sees_and_commands) {
    const char *path = write_brain(
        "return {'q': [x + self.seed + w for x in obs['joint_pos']],\n"
        "            'tau': [t, stamp['tick'], float(self.body['actuators'][2]['native'])]}");
    body_make(&b, 3);
    qiao_diag d = {0};
    qiao_brain *k = open_as(path, 3, false, &d);
    CHECK(k && !strcmp(qiao_brain_name(k), "snake"), "%s", d.text);
    CHECK(!qiao_brain_bind(k, &b.io, &d), "%s", d.text);
    for (int w = 0; w < 3; w++) CHECK(!qiao_brain_reset(k, w, 1000, &d), "%s", d.text);
    b.obs.live = b.live, b.live[1] = 0, b.stamp[2][2] = -1;
    CHECK(!qiao_brain_step(k, &b.obs, &b.cmd, &d), "%s", d.text);
    CHECK(b.cmd.q[8] == 202 + 1000 + 2 && b.cmd.kp[8] == -1 && b.cmd.q[4] == 0);
    CHECK_NEAR(b.cmd.tau[6], 0.04, 1e-15);
    CHECK(b.cmd.tau[7] == -1e-9 && b.cmd.tau[8] == 1);
    qiao_brain_close(k);
    CHECK(no_children());
}

TEST(python_that_raises) {
    const char *path = write_brain("return {'q': [1 / 0]}");
    body_make(&b, 1);
    qiao_diag d = {0};
    qiao_brain *k = open_as(path, 1, false, &d);
    CHECK(k && !qiao_brain_bind(k, &b.io, &d), "%s", d.text);
    CHECK(qiao_brain_step(k, &b.obs, &b.cmd, &d) == QIAO_E_PEER);
    CHECK_TEXT(d.text, "brain 'snake' ended in step with exit status 1; it printed: ");
    CHECK_TEXT(d.text, "ZeroDivisionError: division by zero");
    CHECK_TEXT(qiao_brain_output(k), "snake.py\", line 7, in step");
    qiao_brain_close(k);
    CHECK(no_children());
}

TEST(python_of_the_docs_stands) {
    char path[BODY_PATH], *text, *from, *to;
    size_t n;
    qiao_diag d = {0};
    CHECK(!qiao_file_read("docs/brain.md", 1 << 20, &text, &n, &d), "%s", d.text);
    from = strstr(text, "```python\n");
    to = from ? strstr(from + 10, "```") : NULL;
    snprintf(path, sizeof path, "%sdocs.py", body_dir());
    CHECK(to && !qiao_file_write(path, from + 10, (size_t)(to - from - 10), &d), "%s", d.text);
    free(text);
    body_make(&b, 1);
    qiao_brain *k = open_as(path, 1, false, &d);
    CHECK(k && !strcmp(qiao_brain_name(k), "stand"), "%s", d.text);
    CHECK(!qiao_brain_bind(k, &b.io, &d) && !qiao_brain_step(k, &b.obs, &b.cmd, &d), "%s", d.text);
    for (int i = 0; i < 3; i++) CHECK(b.cmd.q[i] == body_rest[i] && b.cmd.kd[i] == -1);
    qiao_brain_close(k);
}

TEST(python_example_sways_about_the_rest_pose) {
    body_make(&b, 1);
    qiao_diag d = {0};
    qiao_brain *k = open_as("example", 1, false, &d);
    CHECK(k && !qiao_brain_bind(k, &b.io, &d), "%s", d.text);
    b.t[0] = 500000000; // a quarter of its period
    CHECK(!qiao_brain_step(k, &b.obs, &b.cmd, &d), "%s", d.text);
    for (int i = 0; i < 3; i++) CHECK_NEAR(b.cmd.q[i], body_rest[i] + 0.05, 1e-12);
    qiao_brain_close(k);
}
