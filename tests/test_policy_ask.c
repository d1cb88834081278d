// SPDX-License-Identifier: Apache-2.0
// An action's meaning turned round: what a policy said is found again in its command; a command of
// other gains becomes the target that gives the same torque.
#include "test.h"

#include "policy_rig.h"

static rig g;
enum { NJ = 12 };
static const char form[] = "rate_hz: 50\njoints: [%s]\ndefault_pose: {\"*_hip_joint\": 0.1, "
                           "\"*_thigh_joint\": 0.8, \"*_calf_joint\": -1.5}\nkp: %g\nkd: %g\n"
                           "observation: {terms: [{term: joint_pos}, {term: actions}]}\n"
                           "action: {meaning: %s, scale: 0.3%s}\n";

static qi_policy *policy(const char *meaning, double kp, double kd, const char *more, void **mem) {
    static char names[1000];
    qiao_diag d = {0};
    names[0] = 0;
    rig_make(&g, 2, 5, true);
    for (int i = 0; i < NJ; i++) {
        const qiao_model *m = g.r->model;
        strcat(names, i ? ", " : ""), strcat(names, m->jnt_name[m->act_joint[NJ - 1 - i]]);
    }
    qi_policy *p = rig_policy(2 * NJ, NJ, &d, form, names, kp, kd, meaning, more);
    CHECK(p, "%s", d.text);
    *mem = rig_bind(p, &g.io, 2, &d);
    CHECK(*mem, "%s", d.text);
    return p;
}

static void true_joints(const qi_policy *p, int w, double *q, double *qd) {
    for (int j = 0; j < NJ; j++) {
        q[j] = *rig_joint(&g, w, "joint_pos", p->m->joint[j]);
        qd[j] = *rig_joint(&g, w, "joint_vel", p->m->joint[j]);
    }
}

TEST(what_was_said_is_found_again) {
    static const char *const meaning[] = {"position", "delta", "velocity", "torque"};
    for (int k = 0; k < 4; k++) {
        void *mem;
        qi_policy *p = policy(meaning[k], 30, 0.8, ", reach: [-999, 999]", &mem);
        qiao_rng r = {11, (uint64_t)k, 5};
        for (unsigned t = 0; t < 3; t++) {
            float said[2 * NJ], again[NJ];
            double q[NJ], qd[NJ];
            const float *rows;
            for (int w = 0; w < 2; w++) rig_fill(&g, w, t);
            CHECK(qi_policy_see(mem, &g.obs, &rows) == 2, "due");
            for (uint32_t i = 0; i < 2 * NJ; i++)
                said[i] = (float)(2 * qiao_rng_uniform(&r, t, i) - 1);
            // a twin that is a decision behind is asked, for delta counts from the last target
            void *twin = rig_bind(p, &g.io, 2, NULL);
            qi_policy_say(mem, &g.obs, said, &g.cmd);
            if (t == 0)
                for (int w = 0; w < 2; w++) {
                    true_joints(p, w, q, qd);
                    CHECK(qi_policy_ask(twin, &g.obs, w, q, qd, &g.cmd, again), "cannot say it");
                    for (int j = 0; j < NJ; j++) CHECK_NEAR(again[j], said[w * NJ + j], 1e-5);
                }
            free(twin);
        }
        free(mem), qi_policy_close(p);
    }
}

// Torque of joint j by row w of a command.
static double torque(const qi_policy *p, int w, int j, double q, double qd) {
    const qiao_model *m = g.r->model;
    for (int u = 0; u < g.io.nu; u++) {
        int a = qiao_model_actuator(m, g.act[u]);
        if (strcmp(m->jnt_name[m->act_joint[a]], p->m->joint[j]) != 0) continue;
        size_t i = (size_t)(w * g.io.nu + u);
        double kp = g.cmd.kp[i] < 0 ? g.r->drive[a].kp : g.cmd.kp[i];
        double kd = g.cmd.kd[i] < 0 ? g.r->drive[a].kd : g.cmd.kd[i];
        return g.cmd.tau[i] + kp * (g.cmd.q[i] - q) + kd * (g.cmd.qd[i] - qd);
    }
    CHECK(false, "no drive");
    return 0;
}

TEST(other_gains_give_the_same_torque) {
    static const char *const meaning[] = {"position", "velocity", "torque"};
    for (int k = 0; k < 3; k++) {
        void *mem;
        qi_policy *p = policy(meaning[k], 30, 0.8, ", reach: [-999, 999]", &mem);
        double q[NJ], qd[NJ], want[NJ];
        float rows[2 * NJ] = {0};
        const float *in;
        for (int w = 0; w < 2; w++) rig_fill(&g, w, 3);
        qi_policy_see(mem, &g.obs, &in);
        qiao_rng r = {12, (uint64_t)k, 5};
        for (uint32_t i = 0; i < 2 * NJ;
             i++) { // a teacher of forces, of its own and the drive's gains
            g.cmd.q[i] = qiao_rng_uniform(&r, 0, i), g.cmd.qd[i] = qiao_rng_uniform(&r, 1, i);
            g.cmd.kp[i] = i % 3 == 0 ? 0 : i % 3 == 1 ? -1 : 50;
            g.cmd.kd[i] = i % 2 ? 0.6 : -1, g.cmd.tau[i] = 20 * qiao_rng_uniform(&r, 2, i) - 10;
        }
        true_joints(p, 1, q, qd);
        for (int j = 0; j < NJ; j++) want[j] = torque(p, 1, j, q[j], qd[j]);
        CHECK(qi_policy_ask(mem, &g.obs, 1, q, qd, &g.cmd, rows + NJ), "cannot say it");
        qi_policy_say(mem, &g.obs, rows, &g.cmd);
        for (int j = 0; j < NJ; j++) CHECK_NEAR(torque(p, 1, j, q[j], qd[j]), want[j], 1e-4);
        free(mem), qi_policy_close(p);
    }
}

TEST(what_cannot_be_said_is_told) {
    void *mem;
    qi_policy *p = policy("position", 0, 0.8, "", &mem);
    double q[NJ], qd[NJ];
    float a[NJ];
    const float *in;
    rig_fill(&g, 0, 3), rig_fill(&g, 1, 3);
    qi_policy_see(mem, &g.obs, &in);
    true_joints(p, 0, q, qd);
    for (int i = 0; i < 2 * NJ; i++) g.cmd.tau[i] = 1;
    CHECK(!qi_policy_ask(mem, &g.obs, 0, q, qd, &g.cmd, a), "a drive without stiffness");
    for (int j = 0; j < NJ; j++) CHECK(isfinite(a[j]), "not finite");
    free(mem), qi_policy_close(p);
    p = policy("position", 30, 0.8, ", clip: 0.5", &mem);
    qi_policy_see(mem, &g.obs, &in);
    for (int i = 0; i < 2 * NJ; i++) g.cmd.tau[i] = 1000, g.cmd.kp[i] = g.cmd.kd[i] = 0;
    CHECK(qi_policy_ask(mem, &g.obs, 0, q, qd, &g.cmd, a), "cannot say it");
    for (int j = 0; j < NJ; j++) CHECK(a[j] == 0.5f, "not at the clip: %g", a[j]);
    free(mem), qi_policy_close(p);
}

// Where somebody else drove, a policy remembers what he did: it sees and goes on as if it had said
// that itself.
TEST(what_somebody_else_did_is_remembered) {
    static const char *const meaning[] = {"position", "delta", "velocity", "torque"};
    for (int k = 0; k < 4; k++) {
        void *mem;
        qi_policy *p = policy(meaning[k], 30, 0.8, ", reach: [-999, 999]", &mem);
        void *driver = rig_bind(p, &g.io, 2, NULL);
        double q[2 * NJ], qd[2 * NJ], tau[2 * NJ];
        qiao_rng r = {13, (uint64_t)k, 5};
        int differ = 0;
        for (unsigned t = 0; t < 6; t++) {
            float said[2 * NJ], other[2 * NJ];
            const float *rows, *drives;
            for (int w = 0; w < 2; w++) rig_fill(&g, w, t);
            qi_policy_see(mem, &g.obs, &rows), qi_policy_see(driver, &g.obs, &drives);
            for (int i = 0; i < 4 * NJ; i++) CHECK_NEAR(rows[i], drives[i], 1e-6);
            for (uint32_t i = 0; i < 2 * NJ; i++) {
                said[i] = (float)(0.6 * qiao_rng_uniform(&r, t, i) - 0.3);
                other[i] = (float)(0.6 * qiao_rng_uniform(&r, t, i + 100) - 0.3);
            }
            qi_policy_say(mem, &g.obs, said, &g.cmd);
            memcpy(q, g.cmd.q, sizeof q), memcpy(qd, g.cmd.qd, sizeof qd);
            memcpy(tau, g.cmd.tau, sizeof tau);
            qi_policy_say(driver, &g.obs, other, &g.cmd);
            for (int i = 0; i < 2 * NJ; i++)
                differ += q[i] != g.cmd.q[i] || qd[i] != g.cmd.qd[i] || tau[i] != g.cmd.tau[i];
            for (int w = 0; w < 2; w++) qi_policy_did(mem, w, g.obs.x + w * g.obs.nobs, &g.cmd, w);
        }
        CHECK(differ, "both said the same");
        free(driver), free(mem), qi_policy_close(p);
    }
}
