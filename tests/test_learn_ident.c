// SPDX-License-Identifier: Apache-2.0
// Identification: a robot with hidden numbers is measured with noise, and its numbers are found.
#include "folder.h"
#include "qiao/learn.h"
#include "qiao/sim.h"

static const char model[] =
    "<mujoco><option timestep='0.002' integrator='implicitfast'/><worldbody>"
    "<body name='upper' pos='0 0 1'><joint name='shoulder' type='hinge' axis='0 1 0' damping='0.3' "
    "armature='0.02' frictionloss='0.2'/><geom type='capsule' size='0.03' fromto='0 0 0 0.3 0 0' "
    "mass='1.2' contype='0' conaffinity='0'/>"
    "<body name='lower' pos='0.3 0 0'><joint name='elbow' type='hinge' axis='0 1 0' damping='0.2' "
    "armature='0.01' frictionloss='0.1'/><geom type='capsule' size='0.025' fromto='0 0 0 0.25 0 0' "
    "mass='0.8' contype='0' conaffinity='0'/></body></body></worldbody>"
    "<actuator><motor name='shoulder' joint='shoulder'/><motor name='elbow' "
    "joint='elbow'/></actuator>"
    "</mujoco>";
static const char robot_yaml[] =
    "name: arm\nkind: arm\nmodel: arm.xml\nbase: upper\ndrives:\n"
    "  - {match: '*', kp: 60, kd: 2, torque: 40}\nsensors:\n"
    "  - {kind: joint_pos, noise: 0.0005, bias: 0.001}\n  - {kind: joint_vel, noise: 0.01}\n";

enum { N = 150, NU = 2 };
typedef struct data {
    double q[N * NU], qd[N * NU], cmd[5][N * NU];
} data;

static void put_file(const char *dir, const char *name, const char *text) {
    char path[300];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    qiao_diag d = {0};
    CHECK(qiao_file_write(path, text, strlen(text), &d) == QIAO_OK, "%s", d.text);
}
static qiao_robot *load(void) {
    const char *dir = folder_new("ident");
    char path[64];
    put_file(dir, "arm.xml", model), put_file(dir, "robot.yaml", robot_yaml);
    snprintf(path, sizeof path, "%s/robot.yaml", dir);
    qiao_diag d = {0};
    qiao_robot *r = qiao_robot_load(path, &d);
    CHECK(r, "%s", d.text);
    return r;
}
static qiao_model *world(const qiao_robot *r) {
    qiao_diag d = {0};
    static const double at[3] = {0};
    qiao_model *m = qiao_model_world(r, "<mujoco><worldbody/></mujoco>", at, 0, &d);
    CHECK(m, "%s", d.text);
    return m;
}

// Moves about for 1.5 s at 100 Hz with numbers that nobody knows.
static void measure(const qiao_robot *r, const qiao_model *w, const qiao_vary *hidden,
                    uint64_t seed, data *o) {
    qiao_diag d = {0};
    qiao_sim_def sd = qiao_sim_def_default();
    sd.engine = "lanes", sd.robot = r, sd.world = &w, sd.period = 0.01;
    qiao_sim *s = qiao_sim_new(&sd, &d);
    CHECK(s, "%s", d.text);
    CHECK(qiao_sim_vary(s, 0, hidden, &d) == QIAO_OK, "%s", d.text);
    CHECK(qiao_sim_reset(s, 0, seed, 0) == QIAO_OK, "reset");
    const qiao_io *io = qiao_sim_io(s);
    int aq = qiao_io_find(io, "joint_pos", &d)->adr, av = qiao_io_find(io, "joint_vel", &d)->adr;
    for (int k = 0; k < N; k++) {
        const qiao_obs *obs = qiao_sim_observe(s);
        double t = 0.01 * k, *c[5];
        for (int i = 0; i < 5; i++) c[i] = o->cmd[i] + k * NU;
        for (int j = 0; j < NU; j++) {
            o->q[k * NU + j] = obs->x[aq + j], o->qd[k * NU + j] = obs->x[av + j];
            c[0][j] = 0.6 * sin((5 + 3 * j) * t + (double)(seed % 7)) + (t > 0.8 ? 0.3 : 0);
            c[1][j] = c[4][j] = 0, c[2][j] = c[3][j] = -1;
        }
        qiao_cmd cmd = {1, NU, c[0], c[1], c[2], c[3], c[4]};
        qiao_sim_command(s, &cmd);
        qiao_sim_step(s, 5);
    }
    qiao_sim_free(s);
}

static const char *const params[] = {"damping", "frictionloss", "armature", "kd", "payload"};
static double *field(qiao_vary *v, int p) {
    return p == 0   ? &v->damping
           : p == 1 ? &v->frictionloss
           : p == 2 ? &v->armature
           : p == 3 ? &v->kd
                    : &v->payload;
}

static qiao_ident_def def_of(const qiao_robot *r, const qiao_model *w, const data *o, int np) {
    return (qiao_ident_def){.robot = r,
                            .world = w,
                            .period = 0.01,
                            .n = N,
                            .q = o->q,
                            .qd = o->qd,
                            .cmd = {o->cmd[0], o->cmd[1], o->cmd[2], o->cmd[3], o->cmd[4]},
                            .nparam = np,
                            .param = params,
                            .nthread = 1};
}

// Of 40 intervals in 8 tries with 95 % each, 31 or fewer hit with a probability below 1e-4.
TEST(hidden_numbers_are_found) {
    static data o;
    qiao_robot *r = load();
    qiao_model *w = world(r);
    int hit = 0, all = 0, tries = getenv("QIAO_IDENT_TRIES") ? atoi(getenv("QIAO_IDENT_TRIES")) : 8;
    int whole = 0;
    for (int t = 0; t < tries; t++) {
        qiao_rng g = {.seed = 11, .trial = (uint64_t)t, .purpose = 5};
        qiao_vary hidden = qiao_vary_default();
        for (int p = 0; p < 5; p++) {
            double u = 2 * qiao_rng_uniform(&g, 0, (uint32_t)p) - 1;
            *field(&hidden, p) = p < 4 ? exp(0.5 * u) : 0.4 * u;
        }
        measure(r, w, &hidden, (uint64_t)t + 1, &o);
        qiao_ident_def def = def_of(r, w, &o, 5);
        qiao_ident_result out;
        qiao_diag d = {0};
        CHECK(qiao_identify(&def, &out, &d) == QIAO_OK, "%s", d.text);
        CHECK(out.n == 5, "%d values", out.n);
        int here = 0;
        for (int p = 0; p < 5; p++) {
            double x = *field(&hidden, p);
            const qiao_ident_value *v = &out.value[p];
            CHECK(strcmp(v->name, params[p]) == 0 && v->low < v->value && v->value < v->high,
                  "order");
            here += v->low <= x && x <= v->high;
            if (p < 4)
                CHECK(v->high < 2.5 * v->low, "%s: %g to %g is no answer", v->name, v->low,
                      v->high);
        }
        hit += here, all += 5, whole += here == 5;
        CHECK(fabs(out.noise_q / 0.0005 - 1) < 0.25, "noise %g", out.noise_q);
        CHECK(fabs(out.noise_qd / 0.01 - 1) < 0.25, "noise %g", out.noise_qd);
    }
    printf("  %d of %d numbers within their intervals, all five in %d of %d tries\n", hit, all,
           whole, tries);
    CHECK(hit * 40 > 31 * all, "%d of %d within their intervals", hit, all);
    qiao_model_free(w), qiao_robot_free(r);
}

TEST(a_delay_is_found) {
    static data o;
    qiao_robot *r = load();
    qiao_model *w = world(r);
    qiao_vary hidden = qiao_vary_default();
    hidden.delay = 0.006, hidden.damping = 1.5;
    measure(r, w, &hidden, 3, &o);
    const char *both[] = {"delay", "damping"};
    qiao_ident_def def = def_of(r, w, &o, 2);
    def.param = both;
    qiao_ident_result out;
    qiao_diag d = {0};
    CHECK(qiao_identify(&def, &out, &d) == QIAO_OK, "%s", d.text);
    CHECK(out.n == 2 && strcmp(out.value[1].name, "delay") == 0, "order");
    CHECK_NEAR(out.value[1].value, 0.006, 1e-9);
    CHECK(out.value[1].low <= 0.006 && out.value[1].high >= 0.006, "interval");
    CHECK(out.value[0].low <= 1.5 && out.value[0].high >= 1.5, "damping %g to %g", out.value[0].low,
          out.value[0].high);
    qiao_model_free(w), qiao_robot_free(r);
}

TEST(what_cannot_be_told_is_said) {
    static data o;
    qiao_robot *r = load();
    qiao_model *w = world(r);
    qiao_vary plain = qiao_vary_default();
    measure(r, w, &plain, 1, &o);
    qiao_ident_result out;
    static const struct {
        const char *param[2];
        int np, n;
        qiao_err e;
        const char *says;
    } bad[] = {{{"dampin", NULL}, 1, N, QIAO_E_NAME, "did you mean 'damping'"},
               {{"damping", "damping"}, 2, N, QIAO_E_ARG, "twice"},
               {{"damping", NULL}, 1, 5, QIAO_E_ARG, "rows"},
               {{"torque", NULL}, 1, N, QIAO_E_INFEASIBLE, "say nothing about 'torque'"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        qiao_diag d = {0};
        qiao_ident_def def = def_of(r, w, &o, bad[i].np);
        def.param = bad[i].param, def.n = bad[i].n;
        CHECK(qiao_identify(&def, &out, &d) == bad[i].e, "%zu: %s", i, d.text);
        CHECK_TEXT(d.text, bad[i].says);
    }
    qiao_model_free(w), qiao_robot_free(r);
}
