// SPDX-License-Identifier: Apache-2.0
// Policies on a body: bound by name, histories, clocks, actions; the same bits alone and in company.
#include "test.h"

#include "policy_rig.h"

#include <errno.h>

static rig g, g2;

// ---- every allocation of the process is counted ----

static volatile long allocations;
#if !TEST_SANITIZED
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t),
    *__libc_memalign(size_t, size_t);
#define SHOWN __attribute__((visibility("default")))
SHOWN void *malloc(size_t n) { return allocations++, __libc_malloc(n); }
SHOWN void *calloc(size_t n, size_t m) { return allocations++, __libc_calloc(n, m); }
SHOWN void *realloc(void *p, size_t n) { return allocations++, __libc_realloc(p, n); }
SHOWN void *aligned_alloc(size_t a, size_t n) { return allocations++, __libc_memalign(a, n); }
SHOWN int posix_memalign(void **p, size_t a, size_t n) {
    allocations++;
    *p = __libc_memalign(a, n);
    return *p ? 0 : ENOMEM;
}
#endif

static qi_policy *must(qi_policy *p, const qiao_diag *d) {
    CHECK(p, "%s", d->text);
    return p;
}
static void *must_bind(const qi_policy *p, const qiao_io *io, int n) {
    qiao_diag d = {0};
    void *mem = rig_bind(p, io, n, &d);
    CHECK(mem, "%s", d.text);
    return mem;
}

// Every kind of term that this body can feed; 4 joints.
#define MANY                                                                               \
    RIG_LEGS                                                                               \
    "loop_hz: 200\nkp: 40\nkd: 1\ntorque_limit: 20\n"                                      \
    "clock: {hz: 1.5, legs: [0, 0.5], stand_below: 0.3, stand_phase: 0.5}\n"               \
    "observation:\n  history: 3\n  layout: term\n  clip: 50\n  terms:\n"                   \
    "    - {term: base_ang_vel, scale: 0.25, clip: 5}\n    - {term: projected_gravity}\n"  \
    "    - {term: base_lin_vel, history: 1}\n    - {term: base_quat}\n"                    \
    "    - {term: base_euler}\n    - {term: velocity_commands, scale: [2, 2, 0.25]}\n"     \
    "    - {term: cmd_stance}\n    - {term: joint_pos}\n    - {term: joint_vel, unit: "    \
    "deg/s}\n"                                                                             \
    "    - {term: joint_error, joints: [\"F*\"]}\n    - {term: actions, of: sent}\n"       \
    "    - {term: gait_phase}\n    - {term: height_scan, grid: [3, 2]}\n"                  \
    "    - {term: object_pos, object: cube, relative_to: imu}\n"                           \
    "    - {term: object_rot_error, object: ball, goal: command_orientation}\n"            \
    "    - {term: constant, values: [1, 2]}\n    - {term: signal, source: wind, dim: 2}\n" \
    "action: {scale: 0.5, clip: 2, reclip: 0.9}\n"
enum { MANY_IN = 3 * (3 + 3 + 4 + 3 + 3 + 1 + 4 + 4 + 2 + 4 + 4 + 6 + 3 + 6 + 2 + 2) + 3 };

static void run_steps(void *mem, rig *x, int n, int steps, unsigned from) {
    for (int k = 0; k < steps; k++) {
        for (int w = 0; w < n; w++) rig_fill(x, w, from + (unsigned)k);
        CHECK(qi_policy_step(mem, &x->obs, &x->cmd) == QIAO_OK);
    }
}

TEST(permuted_joints_signals_and_drives_give_the_same_commands) {
    qiao_diag d = {0};
    qi_policy *p = must(rig_policy(MANY_IN, 4, &d, MANY), &d);
    rig_make(&g, 2, 1, false);
    void *a = must_bind(p, &g.io, 2);
    run_steps(a, &g, 2, 30, 0);
    static const int orders[] = {5, 7, 11};
    for (int o = 0; o < 3; o++) {
        rig_make(&g2, 2, orders[o], true);
        void *b = must_bind(p, &g2.io, 2);
        run_steps(b, &g2, 2, 30, 0);
        for (int w = 0; w < 2; w++)
            for (int i = 0; i < RIG_JOINTS; i++) {
                int k = rig_act(&g2, g.act[i]);
                for (int part = 0; part < 5; part++)
                    CHECK(g.c[part][w * 12 + i] == g2.c[part][w * 12 + k],
                          "part %d of %s: %.17g %.17g", part, g.act[i], g.c[part][w * 12 + i],
                          g2.c[part][w * 12 + k]);
            }
        free(b);
    }
    CHECK(g.c[0][rig_act(&g, "FL_hip_joint")] != 0.1, "it moves");
    free(a), qi_policy_close(p);
}

TEST(alone_and_in_company_and_ended_neighbours) {
    enum { N = 5 };
    qiao_diag d = {0};
    qi_policy *p = must(rig_policy(MANY_IN, 4, &d, MANY), &d);
    rig_make(&g, N, 1, false);
    void *all = must_bind(p, &g.io, N);
    g.obs.live = g.live, memset(g.live, 1, sizeof g.live);
    run_steps(all, &g, N, 13, 0);
    // world 1 ends, world 3 begins anew: neither is noticed by the others
    g.live[1] = 0;
    qi_policy_reset(all, 3);
    double was[12];
    memcpy(was, g.c[0] + 12, sizeof was);
    g.c[0][12] = was[0] = -77;
    run_steps(all, &g, N, 20, 13);
    CHECK(memcmp(was, g.c[0] + 12, sizeof was) == 0, "the row of an ended world stays");
    for (int w = 0; w < N; w++) {
        if (w == 1) continue;
        static rig one;
        rig_make(&one, 1, 1, false);
        void *mem = must_bind(p, &one.io, 1);
        for (unsigned k = w == 3 ? 13 : 0; k < 33; k++) {
            rig_fill(&g2, 0, 0); // another rig in between changes nothing
            rig_make(&g2, N, 1, false);
            rig_fill(&g2, w, k);
            memcpy(one.x, g2.x + (size_t)w * (size_t)g2.nobs, (size_t)g2.nobs * sizeof(double));
            CHECK(qi_policy_step(mem, &one.obs, &one.cmd) == QIAO_OK);
        }
        for (int part = 0; part < 5; part++)
            CHECK(memcmp(one.c[part], g.c[part] + 12 * w, 12 * sizeof(double)) == 0,
                  "world %d part %d", w, part);
        free(mem);
    }
    free(all), qi_policy_close(p);
}

TEST(no_allocation_in_a_step) {
    if (TEST_SANITIZED) SKIP("the sanitizer has its own allocator");
    qiao_diag d = {0};
    qi_policy *p = must(rig_policy(MANY_IN, 4, &d, MANY), &d);
    rig_make(&g, 3, 1, false);
    void *mem = must_bind(p, &g.io, 3);
    long before = allocations;
    void *volatile one = malloc(1);
    free(one);
    CHECK(allocations == before + 1, "the counter counts");
    before = allocations;
    run_steps(mem, &g, 3, 50, 0);
    qi_policy_reset(mem, 1);
    run_steps(mem, &g, 3, 5, 0);
    CHECK(allocations == before, "%ld allocations", allocations - before);
    free(mem), qi_policy_close(p);
}

// ---- histories ----

// Feeds gyro x = command x = 1, 2, 3, ... and looks at the input after five decisions.
static void history(const char *keys, const float *want, int n) {
    qiao_diag d = {0};
    qi_policy *p =
        must(rig_policy(n, 2, &d,
                        RIG_TWO "observation:\n  %s\n  terms:\n    - {term: base_ang_vel, axes: "
                                "[x]}\n    - {term: velocity_commands, axes: [vx], scale: 10}\n"
                                "action: {scale: 0}\n",
                        keys),
             &d);
    rig_make(&g, 1, 1, false);
    void *mem = must_bind(p, &g.io, 1);
    for (int k = 1; k <= 2; k++) {
        rig_at(&g, 0, "imu_gyro")[0] = k, rig_at(&g, 0, "command_velocity")[0] = k;
        CHECK(qi_policy_step(mem, &g.obs, &g.cmd) == QIAO_OK);
    }
    for (int i = 0; i < n; i++)
        CHECK(qi_policy_input(mem, 0)[i] == want[i], "%s: [%d] is %g, %g was expected", keys, i,
              (double)qi_policy_input(mem, 0)[i], (double)want[i]);
    free(mem), qi_policy_close(p);
}

TEST(histories_in_every_layout) {
    history("history: 3", (float[]){1, 10, 1, 10, 2, 20}, 6);
    history("history: 3\n  order: newest_first", (float[]){2, 20, 1, 10, 1, 10}, 6);
    history("history: 3\n  layout: term", (float[]){1, 1, 2, 10, 10, 20}, 6);
    history("history: 3\n  layout: term\n  order: newest_first", (float[]){2, 1, 1, 20, 10, 10}, 6);
    history("history: 3\n  fill: zero", (float[]){0, 0, 1, 10, 2, 20}, 6);
    history("history: 3\n  fill: zero\n  layout: term", (float[]){0, 1, 2, 0, 10, 20}, 6);
    history("history: 1", (float[]){2, 20}, 2);
    history("history: 2\n  clip: 15", (float[]){1, 10, 2, 15}, 4);
}

TEST(history_of_one_term) {
    qiao_diag d = {0};
    qi_policy *p =
        must(rig_policy(5, 2, &d,
                        RIG_TWO "observation:\n  layout: term\n  terms:\n"
                                "    - {term: base_ang_vel, axes: [x], history: 4}\n"
                                "    - {term: velocity_commands, axes: [vx]}\naction: {}\n"),
             &d);
    rig_make(&g, 1, 1, false);
    void *mem = must_bind(p, &g.io, 1);
    for (int k = 1; k <= 6; k++) {
        rig_at(&g, 0, "imu_gyro")[0] = k, rig_at(&g, 0, "command_velocity")[0] = -k;
        CHECK(qi_policy_step(mem, &g.obs, &g.cmd) == QIAO_OK);
    }
    static const float want[] = {3, 4, 5, 6, -6};
    CHECK(memcmp(qi_policy_input(mem, 0), want, sizeof want) == 0);
    free(mem), qi_policy_close(p);
}

// ---- clocks ----

static void phases(const char *clock, const char *term, double command, const double *want,
                   int steps) {
    qiao_diag d = {0};
    qi_policy *p =
        must(rig_policy(1, 2, &d,
                        RIG_TWO "clock: %s\nobservation:\n  terms: [{term: gait_phase, form: "
                                "raw%s}]\naction: {}\n",
                        clock, term),
             &d);
    rig_make(&g, 1, 1, false);
    void *mem = must_bind(p, &g.io, 1);
    rig_at(&g, 0, "command_velocity")[0] = command;
    for (int k = 0; k < steps; k++) {
        CHECK(qi_policy_step(mem, &g.obs, &g.cmd) == QIAO_OK);
        CHECK_NEAR((double)qi_policy_input(mem, 0)[0], want[k], 1e-6);
    }
    free(mem), qi_policy_close(p);
}

TEST(clocks) {
    phases("{hz: 12.5}", "", 0, (double[]){0, 0.25, 0.5, 0.75, 0, 0.25}, 6);
    phases("{hz: 12.5, advance: before}", "", 0, (double[]){0.25, 0.5, 0.75, 0}, 4);
    phases("{period: 0.08, start: 0.5}", "", 0, (double[]){0.5, 0.75, 0}, 3);
    phases("{hz: 20, wrap: restart}", "", 0, (double[]){0, 0.4, 0.8, 0, 0.4}, 5);
    phases("{hz: 20}", "", 0, (double[]){0, 0.4, 0.8, 0.2, 0.6}, 5);
    phases("{hz: 12.5, legs: [0.5]}", "", 0, (double[]){0.5, 0.75, 0}, 3);
    phases("{hz: 12.5, stand_below: 0.1, stand_phase: 0.5}", "", 0, (double[]){0.5, 0.5, 0.5}, 3);
    phases("{hz: 12.5, stand_below: 0.1, stand_phase: 0.5}", "", 1, (double[]){0, 0.25, 0.5}, 3);
    phases("{hz: 12.5}", ", hz: 5", 0, (double[]){0, 0.1, 0.2}, 3);
}

TEST(sines_and_cosines_of_legs) {
    qiao_diag d = {0};
    qi_policy *p =
        must(rig_policy(4, 2, &d,
                        RIG_TWO "clock: {hz: 12.5, start: 0.25, legs: [0, 0.5]}\n"
                                "observation: {terms: [{term: gait_phase}]}\naction: {}\n"),
             &d);
    rig_make(&g, 1, 1, false);
    void *mem = must_bind(p, &g.io, 1);
    CHECK(qi_policy_step(mem, &g.obs, &g.cmd) == QIAO_OK);
    static const double want[] = {1, -1, 0, 0};
    for (int i = 0; i < 4; i++) CHECK_NEAR((double)qi_policy_input(mem, 0)[i], want[i], 1e-7);
    free(mem), qi_policy_close(p);
}

// ---- terms in numbers that were worked out by hand ----

TEST(gravity_and_angles_of_a_rolled_base) {
    qiao_diag d = {0};
    qi_policy *p =
        must(rig_policy(12, 2, &d,
                        RIG_TWO "observation:\n  terms:\n    - {term: projected_gravity}\n"
                                "    - {term: base_euler, unit: deg}\n"
                                "    - {term: base_ang_vel, unit: deg/s, frame: world}\n"
                                "    - {term: velocity_commands}\n"
                                "commands: {vx: [-0.5, 1], dead: 0.2}\naction: {}\n"),
             &d);
    rig_make(&g, 1, 1, false);
    void *mem = must_bind(p, &g.io, 1);
    double *q = rig_at(&g, 0, "imu_quat"),
           h = 0.5 * 3.14159265358979323846 / 6; // rolled 30 degrees
    q[0] = cos(h), q[1] = sin(h);
    rig_at(&g, 0, "imu_gyro")[1] = 1;
    rig_at(&g, 0, "command_velocity")[0] = 3;
    CHECK(qi_policy_step(mem, &g.obs, &g.cmd) == QIAO_OK);
    static const double want[12] = {0, -0.5,           -0.8660254037844386, 30, 0, 0,
                                    0, 49.61960058796, 28.64788975654,      1,  0, 0};
    for (int i = 0; i < 12; i++) CHECK_NEAR((double)qi_policy_input(mem, 0)[i], want[i], 1e-5);
    rig_at(&g, 0, "command_velocity")[0] = 0.1;
    CHECK(qi_policy_step(mem, &g.obs, &g.cmd) == QIAO_OK);
    CHECK(qi_policy_input(mem, 0)[9] == 0, "a short command is none");
    free(mem), qi_policy_close(p);
}

TEST(objects_beside_the_robot) {
    qiao_diag d = {0};
    qi_policy *p =
        must(rig_policy(15, 2, &d,
                        RIG_TWO
                        "observation:\n  terms:\n"
                        "    - {term: object_pos, object: cube, relative_to: base, scale: -1}\n"
                        "    - {term: object_rot_error, object: cube, goal: command_orientation}\n"
                        "    - {term: object_rot_error, object: cube, goal: command_orientation, "
                        "sixd: rows}\naction: {}\n"),
             &d);
    rig_make(&g, 1, 1, false);
    void *mem = must_bind(p, &g.io, 1);
    double *o = rig_at(&g, 0, "object_pose") + 7, *b = rig_at(&g, 0, "base_pose");
    double r = sqrt(0.5);
    o[0] = 1, o[1] = 2, o[2] = 3, o[3] = r, o[6] = r; // turned a quarter about z
    b[0] = 0.5, b[1] = 0.25, b[2] = 0.125;
    rig_at(&g, 0, "imu_quat")[0] = 1, rig_at(&g, 0, "command_orientation")[0] = 1;
    CHECK(qi_policy_step(mem, &g.obs, &g.cmd) == QIAO_OK);
    static const double want[15] = {-0.5, -1.75, -2.875, 0, -1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1};
    for (int i = 0; i < 15; i++) CHECK_NEAR((double)qi_policy_input(mem, 0)[i], want[i], 1e-6);
    free(mem), qi_policy_close(p);
}

TEST(an_object_seen_from_its_goal) {
    qiao_diag d = {0};
    static const char *const text =
        RIG_TWO "observation:\n  terms:\n    - {term: object_pos, object: cube, goal: base_pose}\n"
                "action: {}\n";
    qi_policy *p = must(rig_policy(3, 2, &d, text), &d);
    rig_make(&g, 1, 1, false);
    void *mem = must_bind(p, &g.io, 1);
    double *o = rig_at(&g, 0, "object_pose") + 7, *b = rig_at(&g, 0, "base_pose");
    o[0] = 1, o[1] = 2, o[2] = 3, b[0] = 0.5, b[1] = 0.25, b[2] = 0.125;
    CHECK(qi_policy_step(mem, &g.obs, &g.cmd) == QIAO_OK);
    static const double want[3] = {0.5, 1.75, 2.875};
    for (int i = 0; i < 3; i++) CHECK_NEAR((double)qi_policy_input(mem, 0)[i], want[i], 1e-6);
    free(mem), qi_policy_close(p);
}

// ---- actions ----

// One number in, one joint, weight 1: the action is the command's x.
static void one_joint(const char *text, const double *in, int n, const char *what,
                      const double *want) {
    static const float unit = 1;
    static char all[2048];
    qiao_diag d = {0};
    CHECK(onnx_layer(RIG_NET, 1, 1, &unit, NULL));
    snprintf(
        all, sizeof all,
        "network: {policy: test_policy.onnx}\njoints: [FL_calf_joint]\nrate_hz: 50\nobservation: "
        "{terms: [{term: velocity_commands, axes: [vx]}]}\n%s",
        text);
    qi_manifest *m = qi_manifest_read("brain.yaml", all, strlen(all), "build", NULL, &d);
    CHECK(m, "%s", d.text);
    qi_policy *p = must(qi_policy_open(m, -1, &d), &d);
    rig_make(&g, 1, 1, false);
    void *mem = must_bind(p, &g.io, 1);
    int k = rig_act(&g, "FL_calf_joint");
    double *part = *what == 'q'   ? (what[1] ? g.cmd.qd : g.cmd.q)
                   : *what == 't' ? g.cmd.tau
                                  : g.cmd.kp;
    for (int i = 0; i < n; i++) {
        rig_at(&g, 0, "command_velocity")[0] = in[i];
        CHECK(qi_policy_step(mem, &g.obs, &g.cmd) == QIAO_OK);
        CHECK_NEAR(part[k], want[i], 1e-7);
    }
    free(mem), qi_policy_close(p);
    unlink(RIG_NET);
}

TEST(actions_of_every_meaning) {
    static const double in[] = {1, -2, 0.5};
    one_joint("default_pose: -1.5\naction: {scale: 0.25}\n", in, 3, "q",
              (double[]){-1.25, -2, -1.375});
    one_joint("default_pose: -1.5\naction: {scale: 0.25, offset: 0.125}\n", in, 1, "q",
              (double[]){0.375});
    one_joint("default_pose: -1.5\naction: {scale: 0.25, clip: [-1, 0.5]}\n", in, 3, "q",
              (double[]){-1.375, -1.75, -1.375});
    one_joint("default_pose: -1.5\naction: {scale: 0.25, reach: [-1.6, -1.3]}\n", in, 2, "q",
              (double[]){-1.3, -1.6});
    one_joint("default_pose: -1.5\naction: {meaning: delta, scale: 0.1}\n", in, 3, "q",
              (double[]){-1.4, -1.6, -1.55});
    // the target of a delta stays in the joint's range: go2's calf goes from -2.7227 to -0.83776
    one_joint("default_pose: -1.5\naction: {meaning: delta, scale: 1}\n", in, 3, "q",
              (double[]){-0.83776, -2.7227, -2.2227});
    one_joint("kd: 2\naction: {meaning: velocity, scale: 3}\n", in, 2, "qd", (double[]){3, -6});
    one_joint("kp: 9\nkd: 2\naction: {meaning: velocity}\n", in, 1, "k", (double[]){0});
    one_joint("kp: 9\naction: {meaning: torque, scale: 3}\n", in, 2, "tau", (double[]){3, -6});
    one_joint("kp: 9\naction: {}\n", in, 1, "k", (double[]){9});
    one_joint("action: {}\n", in, 1, "k", (double[]){-1});
}

// The target is kept where kp (target - q) - kd qd stays within the limit, at every command, and
// the action that is left is what the network sees next.
TEST(torque_limit_cuts_the_action_between_decisions) {
    static const float unit[2] = {1, 0};
    qiao_diag d = {0};
    static const char text[] =
        "network: {policy: test_policy.onnx}\njoints: [FL_calf_joint]\nrate_hz: 50\nloop_hz: 200\n"
        "default_pose: -1\nkp: 40\nkd: 2\ntorque_limit: 10\n"
        "observation: {terms: [{term: velocity_commands, axes: [vx]}, {term: actions, of: sent}]}\n"
        "action: {scale: 0.5, reclip: 0.8}\n";
    CHECK(onnx_layer(RIG_NET, 2, 1, unit, NULL));
    qi_manifest *m = qi_manifest_read("brain.yaml", text, strlen(text), "build", NULL, &d);
    CHECK(m, "%s", d.text);
    qi_policy *p = must(qi_policy_open(m, -1, &d), &d);
    CHECK(qi_policy_rate(p) == 200);
    rig_make(&g, 1, 1, false);
    void *mem = must_bind(p, &g.io, 1);
    int k = rig_act(&g, "FL_calf_joint");
    double *q = rig_joint(&g, 0, "joint_pos", "FL_calf_joint");
    double *qd = rig_joint(&g, 0, "joint_vel", "FL_calf_joint");
    *q = -1, *qd = 0.5;
    rig_at(&g, 0, "command_velocity")[0] = 2; // asks for 0; most is q + (kd qd + 8) / kp
    CHECK(qi_policy_step(mem, &g.obs, &g.cmd) == QIAO_OK);
    CHECK_NEAR(g.cmd.q[k], -1 + (1 + 8) / 40.0, 1e-12);
    *qd = -0.5; // between decisions it is cut further, and does not come back
    CHECK(qi_policy_step(mem, &g.obs, &g.cmd) == QIAO_OK);
    CHECK_NEAR(g.cmd.q[k], -1 + (-1 + 8) / 40.0, 1e-12);
    *qd = 0.5;
    CHECK(qi_policy_step(mem, &g.obs, &g.cmd) == QIAO_OK);
    CHECK_NEAR(g.cmd.q[k], -1 + (-1 + 8) / 40.0, 1e-12);
    for (int i = 0; i < 2; i++) CHECK(qi_policy_step(mem, &g.obs, &g.cmd) == QIAO_OK);
    CHECK_NEAR((double)qi_policy_input(mem, 0)[1], (-1 + 8) / 40.0 / 0.5, 1e-7);
    free(mem), qi_policy_close(p);
    unlink(RIG_NET);
}

TEST(drives_that_the_policy_leaves_alone) {
    qiao_diag d = {0};
    qi_policy *p =
        must(rig_policy(3, 2, &d,
                        RIG_TWO "observation: {terms: [{term: base_ang_vel}]}\naction: {}\n"
                                "hold: [{match: FR_hip_joint, pose: 0.3, kp: 50, kd: 3}, {match: "
                                "\"FR_*\", kp: 7}]\n"),
             &d);
    rig_make(&g, 1, 7, true);
    void *mem = must_bind(p, &g.io, 1);
    CHECK(qi_policy_step(mem, &g.obs, &g.cmd) == QIAO_OK);
    int a = rig_act(&g, "FR_hip_joint"), b = rig_act(&g, "FR_calf_joint"),
        c = rig_act(&g, "RL_calf_joint");
    CHECK(g.cmd.q[a] == 0.3 && g.cmd.kp[a] == 50 && g.cmd.kd[a] == 3);
    CHECK(g.cmd.q[b] == g.r->rest_q[12] && g.cmd.kp[b] == 7 && g.cmd.kd[b] == -1);
    CHECK(g.cmd.q[c] == g.r->rest_q[15] && g.cmd.kp[c] == -1);
    free(mem), qi_policy_close(p);
}

TEST(joints_that_have_said_nothing_are_waited_for) {
    qiao_diag d = {0};
    qi_policy *p = must(rig_policy(3, 2, &d,
                                   RIG_TWO "default_pose: 0.25\nobservation: {terms: [{term: "
                                           "velocity_commands}]}\naction: {}\n"),
                        &d);
    rig_make(&g, 1, 1, false);
    void *mem = must_bind(p, &g.io, 1);
    for (int i = 0; i < g.io.nsig; i++) g.stamp[i] = -1;
    rig_at(&g, 0, "command_velocity")[0] = 1;
    CHECK(qi_policy_step(mem, &g.obs, &g.cmd) == QIAO_OK);
    CHECK(g.cmd.q[rig_act(&g, "FL_hip_joint")] == 0.25, "it holds the default pose");
    for (int i = 0; i < g.io.nsig; i++) g.stamp[i] = 0;
    CHECK(qi_policy_step(mem, &g.obs, &g.cmd) == QIAO_OK);
    CHECK(g.cmd.q[rig_act(&g, "FL_hip_joint")] != 0.25);
    free(mem), qi_policy_close(p);
}

// ---- recurrent, encoder, motion ----

// h2 = h + obs, actions = h2: sums what it sees, until a reset.
TEST(recurrent_state_is_kept_by_world_and_forgotten_at_a_reset) {
    static pb model, graph;
    qiao_diag d = {0};
    model.n = graph.n = 0;
    onnx_node(&graph, "Add obs h -> h2"), onnx_node(&graph, "Identity h2 -> actions");
    onnx_port(&graph, 11, "h", 2), onnx_port(&graph, 11, "obs", 2);
    onnx_port(&graph, 12, "actions", 2), onnx_port(&graph, 12, "h2", 2);
    onnx_end(&model, &graph);
    CHECK(onnx_write(RIG_NET, &model));
    static const char text[] =
        "network: {policy: test_policy.onnx, state: [{in: h, out: h2}]}\n" RIG_TWO
        "observation: {terms: [{term: velocity_commands, axes: [vx, vy]}]}\naction: {}\n";
    qi_manifest *m = qi_manifest_read("brain.yaml", text, strlen(text), "build", NULL, &d);
    CHECK(m, "%s", d.text);
    qi_policy *p = must(qi_policy_open(m, -1, &d), &d);
    rig_make(&g, 2, 1, false);
    void *mem = must_bind(p, &g.io, 2);
    for (int k = 0; k < 5; k++) {
        if (k == 3) qi_policy_reset(mem, 1);
        rig_at(&g, 0, "command_velocity")[0] = 1, rig_at(&g, 1, "command_velocity")[0] = 10;
        CHECK(qi_policy_step(mem, &g.obs, &g.cmd) == QIAO_OK);
    }
    CHECK(qi_policy_action(mem, 0)[0] == 5 && qi_policy_action(mem, 1)[0] == 20, "%g %g",
          qi_policy_action(mem, 0)[0], qi_policy_action(mem, 1)[0]);
    free(mem), qi_policy_close(p);
    // an input that nothing feeds is named
    m = qi_manifest_read("brain.yaml", text + 71, strlen(text + 71), "build", NULL, &d);
    qi_manifest_free(m);
    static const char bare[] =
        "network: {policy: test_policy.onnx, input: obs, output: actions}\n" RIG_TWO
        "observation: {terms: [{term: velocity_commands, axes: [vx, vy]}]}\n"
        "action: {}\n";
    d = (qiao_diag){0};
    m = qi_manifest_read("brain.yaml", bare, strlen(bare), "build", NULL, &d);
    CHECK(m && !qi_policy_open(m, -1, &d));
    CHECK_TEXT(d.text, "brain.yaml:1:19: nothing feeds the input 'h' of the policy");
    unlink(RIG_NET);
}

TEST(encoder_feeds_the_policy) {
    static const float sum[4] = {1, 1, 1, 1}, pass[3] = {1, 0, 0};
    qiao_diag d = {0};
    const char *enc = "build/test_encoder.onnx";
    CHECK(onnx_layer(enc, 4, 1, sum, NULL) && onnx_layer(RIG_NET, 3, 1, pass, NULL));
    static const char text[] =
        "network: {policy: test_policy.onnx, encoder: test_encoder.onnx}\njoints: [FL_hip_joint]\n"
        "rate_hz: 50\nencoder_observation: {history: 4, terms: [{term: base_ang_vel, axes: [x]}]}\n"
        "observation: {terms: [{term: encoder, scale: 0.5}, {term: velocity_commands, axes: [vx, "
        "vy]}]}\n"
        "action: {}\n";
    qi_manifest *m = qi_manifest_read("brain.yaml", text, strlen(text), "build", NULL, &d);
    CHECK(m, "%s", d.text);
    qi_policy *p = must(qi_policy_open(m, -1, &d), &d);
    rig_make(&g, 1, 1, false);
    void *mem = must_bind(p, &g.io, 1);
    for (int k = 1; k <= 6; k++) {
        rig_at(&g, 0, "imu_gyro")[0] = k;
        CHECK(qi_policy_step(mem, &g.obs, &g.cmd) == QIAO_OK);
    }
    CHECK_NEAR(qi_policy_action(mem, 0)[0], 0.5 * (3 + 4 + 5 + 6), 1e-6);
    free(mem), qi_policy_close(p);
    unlink(enc), unlink(RIG_NET);
}

TEST(motion_from_a_file) {
    static const char rows[] = "0\t0\t0.5\t1\t0\t0\t0\t0.1\t0.2\t1\t2\n"
                               "0\t0\t0.6\t1\t0\t0\t0\t0.3\t0.4\t3\t4\n\n"
                               "0\t0\t0.7\t0.70710678\t0\t0\t0.70710678\t0.5\t0.6\t5\t6\n";
    qiao_diag d = {0};
    CHECK(!qiao_file_write("build/test_motion.csv", rows, strlen(rows), &d));
    qi_policy *p =
        must(rig_policy(11, 2, &d,
                        RIG_TWO "motion: {file: test_motion.csv, rate_hz: 25}\nobservation:\n"
                                "  terms: [{term: motion_command}, {term: motion_target_height}, "
                                "{term: motion_anchor_ori_b}]\n"
                                "action: {scale: 0, residual: true}\n"),
             &d);
    rig_make(&g, 1, 1, false);
    void *mem = must_bind(p, &g.io, 1);
    rig_at(&g, 0, "imu_quat")[0] = 1;
    for (int k = 0; k < 4; k++) { // two decisions a frame
        CHECK(qi_policy_step(mem, &g.obs, &g.cmd) == QIAO_OK);
        const float *in = qi_policy_input(mem, 0);
        CHECK_NEAR((double)in[0], k < 2 ? 0.1 : 0.3, 1e-6);
        CHECK_NEAR((double)in[3], k < 2 ? 2 : 4, 1e-6);
        CHECK_NEAR((double)in[4], k < 2 ? 0.5 : 0.6, 1e-6);
        CHECK_NEAR(g.cmd.q[rig_act(&g, "FL_hip_joint")], k < 2 ? 0.1 : 0.3, 1e-12);
    }
    for (int k = 0; k < 9; k++) CHECK(qi_policy_step(mem, &g.obs, &g.cmd) == QIAO_OK);
    const float *in = qi_policy_input(mem, 0); // the last frame stays: a quarter turn about z
    static const double want[6] = {0, -1, 1, 0, 0, 0};
    for (int i = 0; i < 6; i++) CHECK_NEAR((double)in[5 + i], want[i], 1e-6);
    free(mem), qi_policy_close(p);
    CHECK(!qiao_file_write("build/test_motion.csv", "1 2 3\n", 6, &d));
    CHECK(!rig_policy(4, 2, &d,
                      RIG_TWO "motion: {file: test_motion.csv}\nobservation: {terms: [{term: "
                              "motion_command}]}\naction: {}\n"));
    CHECK_TEXT(d.text, "build/test_motion.csv:1:1: 3 numbers in a row, expected 11");
    unlink("build/test_motion.csv");
}

// The motion lies in the network: time_step t says joint positions 2 t, 3 t; velocities are their
// negatives; body 1 stands at height t.
TEST(motion_in_the_network) {
    static pb model, graph;
    static const float pos[2] = {2, 3}, vel[2] = {-2, -3}, body[6] = {9, 9, 9, 0, 0, 1};
    static const float quat[8] = {0}, one[8] = {1, 0, 0, 0, 1, 0, 0, 0};
    float w[22];
    for (int i = 0; i < 22; i++) w[i] = i == 0;
    qiao_diag d = {0};
    model.n = graph.n = 0;
    onnx_node(&graph, "MatMul obs W -> actions"),
        onnx_node(&graph, "MatMul time_step P -> joint_pos");
    onnx_node(&graph, "MatMul time_step V -> joint_vel");
    onnx_node(&graph, "MatMul time_step B -> body_pos_w");
    onnx_node(&graph, "MatMul time_step Q -> still"),
        onnx_node(&graph, "Add still One -> body_quat_w");
    onnx_tensor(&graph, "W", 11, 2, w), onnx_tensor(&graph, "P", 1, 2, pos);
    onnx_tensor(&graph, "V", 1, 2, vel), onnx_tensor(&graph, "B", 1, 6, body);
    onnx_tensor(&graph, "Q", 1, 8, quat), onnx_tensor(&graph, "One", 1, 8, one);
    onnx_port(&graph, 11, "obs", 11), onnx_port(&graph, 11, "time_step", 1);
    onnx_port(&graph, 12, "actions", 2), onnx_port(&graph, 12, "joint_pos", 2);
    onnx_port(&graph, 12, "joint_vel", 2), onnx_port(&graph, 12, "body_pos_w", 6);
    onnx_port(&graph, 12, "body_quat_w", 8);
    static const char *const meta[] = {
        "joint_names",       "FL_hip_joint,RR_calf_joint",
        "anchor_body_name",  "base",
        "body_names",        "FL_hip,base",
        "command_names",     "motion",
        "observation_names", "command,motion_anchor_ori_b,base_height"};
    for (int i = 0; i < 10; i += 2) onnx_meta(&model, meta[i], meta[i + 1]);
    onnx_end(&model, &graph);
    CHECK(onnx_write(RIG_NET, &model));
    // as an importer reads it: a term that no one knows is named
    CHECK(!qi_manifest_load(RIG_NET, NULL, &d));
    CHECK_TEXT(d.text, "what 'base_height' is made of is not known");
    d = (qiao_diag){0};
    static const char text[] =
        "network: {policy: test_policy.onnx}\n" RIG_TWO
        "motion: {time: time_step, joint_pos: joint_pos, joint_vel: joint_vel, body_pos: "
        "body_pos_w,\n"
        "  body_quat: body_quat_w, body: 1, anchor: base}\n"
        "observation: {terms: [{term: motion_command}, {term: motion_anchor_ori_b}, {term: "
        "motion_target_height}]}\naction: {}\n";
    qi_manifest *m = qi_manifest_read("brain.yaml", text, strlen(text), "build", NULL, &d);
    CHECK(m, "%s", d.text);
    qi_policy *p = must(qi_policy_open(m, -1, &d), &d);
    rig_make(&g, 2, 1, false);
    void *mem = must_bind(p, &g.io, 2);
    rig_at(&g, 0, "imu_quat")[0] = rig_at(&g, 1, "imu_quat")[0] = 1;
    for (int k = 0; k < 4; k++) {
        if (k == 2) qi_policy_reset(mem, 1);
        CHECK(qi_policy_step(mem, &g.obs, &g.cmd) == QIAO_OK);
        for (int w2 = 0; w2 < 2; w2++) {
            const float *in = qi_policy_input(mem, w2), t = (float)(w2 && k >= 2 ? k - 2 : k);
            const float want[11] = {2 * t, 3 * t, -2 * t, -3 * t, 1, 0, 0, 1, 0, 0, t};
            for (int i = 0; i < 11; i++)
                CHECK(in[i] == want[i], "step %d world %d [%d] %g", k, w2, i, (double)in[i]);
        }
    }
    CHECK(qi_policy_action(mem, 0)[0] == 6, "the action is of the second run");
    free(mem), qi_policy_close(p);
    unlink(RIG_NET);
}

// ---- what does not fit is said ----

static void refused_open(int in, int out, const char *text, const char *says) {
    qiao_diag d = {0};
    qi_policy *p = rig_policy(in, out, &d, "%s", text);
    CHECK(!p, "opened");
    CHECK_TEXT(d.text, says);
}
static void refused_body(int in, const char *text, const char *says) {
    qiao_diag d = {0};
    qi_policy *p = must(rig_policy(in, 2, &d, "%s", text), &d);
    rig_make(&g, 1, 1, false);
    void *mem = rig_bind(p, &g.io, 1, &d);
    CHECK(!mem, "bound");
    CHECK_TEXT(d.text, says);
    qi_policy_close(p);
}

TEST(what_does_not_fit_is_said_with_names) {
    refused_open(7, 2,
                 RIG_TWO "observation: {history: 2, terms: [{term: base_ang_vel}]}\naction: {}\n",
                 "brain.yaml:1:19: the policy takes 7 numbers, the terms make 6: base_ang_vel 6");
    refused_open(3, 3, RIG_TWO "observation: {terms: [{term: base_ang_vel}]}\naction: {}\n",
                 "the policy gives 3 numbers, there are 2 joints");
    refused_open(
        3, 2, RIG_TWO "observation: {terms: [{term: base_ang_vel}, {term: encoder}]}\naction: {}\n",
        "brain.yaml:4:52: encoder: 'network' names none");
    refused_open(4, 2, RIG_TWO "observation: {terms: [{term: motion_command}]}\naction: {}\n",
                 "it follows a motion, but 'motion' names none");
    refused_body(
        3,
        "joints: [FL_hip_joint, RR_claf_joint]\nrate_hz: 50\nobservation: {terms: [{term: "
        "base_ang_vel}]}\naction: {}\n",
        "brain.yaml:2:24: 'go2' has no joint 'RR_claf_joint'; did you mean 'RR_calf_joint'?");
    refused_body(
        3,
        RIG_TWO "observation: {terms: [{term: base_ang_vel, source: imu_gyroscope}]}\naction: {}\n",
        "imu_gyro");
    refused_body(3,
                 RIG_TWO
                 "observation: {terms: [{term: object_pos, object: cub, relative_to: imu}]}\n"
                 "action: {}\n",
                 "the signal 'object_pose' has no object 'cub'; did you mean 'cube'?");
    refused_body(3,
                 RIG_TWO
                 "observation: {terms: [{term: object_pos, object: cube, relative_to: im}]}\n"
                 "action: {}\n",
                 "relative_to: 'go2' has no site or body 'im'");
    refused_body(4,
                 RIG_TWO "observation: {terms: [{term: height_scan, grid: [2, 2]}]}\naction: {}\n",
                 "the signal 'height_scan' has 6 numbers here, 4 were expected");
    refused_body(3,
                 RIG_TWO "observation: {terms: [{term: base_ang_vel}]}\naction: {}\n"
                         "hold: [{match: \"arm*\"}]\n",
                 "hold: 'arm*' fits no drive of 'go2'");
}

TEST(the_digest_is_of_manifest_networks_and_type) {
    qiao_diag d = {0};
    static const char text[] = RIG_TWO "observation: {terms: [{term: base_ang_vel}]}\naction: {}\n";
    qi_policy *a = must(rig_policy(3, 2, &d, "%s", text), &d),
              *b = must(rig_policy(3, 2, &d, "%s", text), &d);
    CHECK(memcmp(a->digest, b->digest, sizeof a->digest) == 0);
    qi_policy *c = must(rig_policy(3, 2, &d, "%s# a word\n", text), &d);
    CHECK(memcmp(a->digest, c->digest, sizeof a->digest) != 0);
    qi_policy_close(a), qi_policy_close(b), qi_policy_close(c);
}

// ---- the whole way, as a user goes ----

TEST(opened_by_name_path_and_folder) {
    setenv("QIAO_HOME", ".", 0), setenv("QIAO_BRAINS", "build/brains_of_tests", 1);
    qiao_diag d = {0};
    float w[12];
    rig_weights(w, 6, 2);
    CHECK(!qiao_dir_make("build/brains_of_tests/stroll", &d), "%s", d.text);
    CHECK(onnx_layer("build/brains_of_tests/stroll/p.onnx", 6, 2, w, NULL));
    static const char text[] =
        "network: {policy: p.onnx}\n" RIG_TWO
        "observation: {terms: [{term: base_ang_vel}, {term: base_lin_vel}]}\n"
        "action: {}\nphysics: {armature: 0.5}\n";
    CHECK(!qiao_file_write("build/brains_of_tests/stroll/brain.yaml", text, strlen(text), &d));
    static const char *const specs[] = {"stroll", "build/brains_of_tests/stroll",
                                        "stroll --type int8",
                                        "build/brains_of_tests/stroll/brain.yaml"};
    uint8_t digest[4][QIAO_HASH_BYTES];
    rig_make(&g, 1, 1, false);
    for (int i = 0; i < 4; i++) {
        qiao_brain_def def = qiao_brain_def_default();
        def.spec = specs[i];
        qiao_brain *b = qiao_brain_open(&def, &d);
        CHECK(b, "%s: %s", specs[i], d.text);
        CHECK(strcmp(qiao_brain_name(b), "stroll") == 0 && qiao_brain_rate(b) == 50, "%s",
              qiao_brain_name(b));
        qiao_brain_digest(b, digest[i]);
        char differs[300];
        CHECK(qiao_brain_differs(b, g.r, differs, sizeof differs));
        CHECK_TEXT(differs, "armature of 2 joints (FL_hip_joint: 0.5 in training");
        CHECK(qiao_brain_bind(b, &g.io, &d) == QIAO_OK && qiao_brain_reset(b, 0, 1, &d) == QIAO_OK,
              "%s", d.text);
        rig_at(&g, 0, "imu_quat")[0] = 1;
        for (int k = 0; k < RIG_JOINTS; k++) // where the guards find nothing to say
            rig_at(&g, 0, "joint_pos")[k] = g.r->rest_q[7 + k];
        CHECK(qiao_brain_step(b, &g.obs, &g.cmd, &d) == QIAO_OK, "%s", d.text);
        // without what only a scenario grants it is refused by name
        const char *was = g.sig[5].name;
        CHECK(strcmp(was, "base_vel") == 0);
        g.sig[5].name = "base_well";
        d = (qiao_diag){0};
        CHECK(qiao_brain_bind(b, &g.io, &d) == QIAO_E_NAME);
        CHECK_TEXT(d.text,
                   "brain 'stroll' reads the signal 'base_vel', which 'go2' does not give here");
        g.sig[5].name = was, d = (qiao_diag){0};
        qiao_brain_close(b);
    }
    CHECK(memcmp(digest[0], digest[1], 32) == 0 && memcmp(digest[0], digest[3], 32) == 0);
    CHECK(memcmp(digest[0], digest[2], 32) != 0, "another type is another brain");
    qiao_brain_def def = qiao_brain_def_default();
    def.spec = "stroll --type int9";
    CHECK(!qiao_brain_open(&def, &d));
    CHECK_TEXT(d.text, "expected float32, bfloat16 or int8, not 'int9'");
    qiao_arena *a = qiao_arena_new();
    const char *names[64];
    int n = qiao_brain_list(a, names, 64), found = 0;
    for (int i = 0; i < n; i++) found += strcmp(names[i], "stroll") == 0;
    CHECK(found == 1);
    qiao_arena_free(a);
    unsetenv("QIAO_BRAINS");
    unlink("build/brains_of_tests/stroll/p.onnx"),
        unlink("build/brains_of_tests/stroll/brain.yaml");
    rmdir("build/brains_of_tests/stroll"), rmdir("build/brains_of_tests");
}
