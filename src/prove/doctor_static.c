// SPDX-License-Identifier: Apache-2.0
// doctor_static.c - what the numbers of manifest and robot say without running anything.
#include "prove/doctor.h"
#include "prove/doctor_names.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int actuator_of(const qiao_robot *r, int jnt) {
    for (int i = 0; i < r->model->nu; i++)
        if (r->model->act_joint[i] == jnt) return i;
    return -1;
}

static const qiao_drive *drive_of(const qi_patient *d, int j) {
    int jnt = qiao_model_joint(d->r->model, d->p->m->joint[j]);
    int act = jnt >= 0 ? actuator_of(d->r, jnt) : -1;
    return act >= 0 ? &d->r->drive[act] : NULL;
}

static double gain(double own, double drive) { return own < 0 ? drive : own; }

// ---- pose ----

static void check_pose(qi_patient *d) {
    const qi_manifest *m = d->p->m;
    const qiao_model *q = d->r->model;
    int out = 0, first = -1, far = 0;
    double by = 0;
    for (int j = 0; j < m->njoint; j++) {
        int jnt = qiao_model_joint(q, m->joint[j]);
        if (jnt < 0) continue;
        const double *range = q->jnt_range + 2 * jnt;
        double x = m->default_pose[j];
        far += fabs(x) > 6.3;
        if (range[0] == 0 && range[1] == 0) continue;
        double over = fmax(range[0] - x, x - range[1]);
        if (over <= 0.01) continue;
        out++;
        if (first < 0) first = j, by = over;
    }
    if (out == 0) return;
    qiao_finding *f = qi_finding_add(d, QIAO_GRADE_ERROR, QI_FACT_DEFAULT_POSE, far ? 0.95 : 0.8);
    QI_SAY(f->what[0], "default_pose lies outside the range of %d joints", out);
    QI_SAY(f->what[1], "default_pose 有 %d 个关节超出范围", out);
    QI_SAY(f->evidence[0], "'%s' at %g, %.3g rad beyond its end%s", m->joint[first],
           m->default_pose[first], by, far ? "; numbers above 2 pi look like degrees" : "");
    QI_SAY(f->evidence[1], "'%s' 为 %g，超出 %.3g rad%s", m->joint[first], m->default_pose[first],
           by, far ? "；大于 2π，疑为角度" : "");
    QI_SAY(f->fix[0], "%s", far ? "give it in rad" : "give it joint by joint, by name");
    QI_SAY(f->fix[1], "%s", far ? "改用弧度" : "按关节名逐一给出");
}

// ---- gains ----

// Least inertia that each dof feels over some poses: 1 / (M^-1)_ii.
static bool least_inertia(const qiao_robot *r, double *least) {
    const qiao_model *q = r->model;
    size_t bytes = qiao_dyn_size(q);
    void *mem = bytes ? aligned_alloc(64, (bytes + 63) & ~(size_t)63) : NULL;
    double *x = calloc((size_t)(q->nq + q->nv) + 1, sizeof *x);
    qiao_dyn *dyn = mem && x ? qiao_dyn_init(q, mem, NULL) : NULL;
    for (int i = 0; i < q->nv; i++) least[i] = INFINITY;
    qiao_rng rng = {.seed = 11, .purpose = 0x646f63};
    for (int k = 0; dyn && k < 12; k++) {
        memcpy(x, r->rest_q, (size_t)q->nq * sizeof *x);
        for (int j = 0; j < q->njnt && k; j++) {
            const double *range = q->jnt_range + 2 * j;
            if (q->jnt_type[j] < QIAO_JOINT_SLIDE || range[0] >= range[1]) continue;
            x[q->jnt_qadr[j]] =
                range[0] + (range[1] - range[0]) * qiao_rng_uniform(&rng, (uint64_t)k, (uint32_t)j);
        }
        if (qiao_dyn_mass(dyn, x, NULL) || qiao_dyn_factor(dyn)) continue;
        for (int i = 0; i < q->nv; i++) {
            double *e = x + q->nq;
            memset(e, 0, (size_t)q->nv * sizeof *e), e[i] = 1;
            if (!qiao_dyn_solve(dyn, e) && e[i] > 0 && 1 / e[i] < least[i]) least[i] = 1 / e[i];
        }
    }
    bool ok = dyn != NULL;
    free(mem), free(x);
    return ok;
}

// The PD of a drive as a loop in steps of dt: with damping kd and stiffness kp on an inertia I,
// velocity then position, it stays bounded while kp dt^2 / I + 2 kd dt / I < 4.
static void check_stability(qi_patient *d) {
    const qi_manifest *m = d->p->m;
    const qiao_model *q = d->r->model;
    double *least = calloc((size_t)q->nv + 1, sizeof *least), worst = 0, wi = 0, wdt = 0, wkp = 0,
           wkd = 0;
    int at = -1, many = 0;
    if (!least || !least_inertia(d->r, least)) {
        free(least);
        return;
    }
    for (int j = 0; j < m->njoint; j++) {
        const qiao_drive *v = drive_of(d, j);
        int jnt = qiao_model_joint(q, m->joint[j]);
        if (!v || v->native || m->action.of[j] != QI_ACTION_POSITION) continue;
        double dt = v->rate_hz > 0 ? 1 / v->rate_hz : q->dt, I = least[q->jnt_vadr[jnt]];
        double kp = gain(m->kp[j], v->kp), kd = gain(m->kd[j], v->kd);
        if (v->armature >= 0) I += fmax(v->armature - q->dof_armature[q->jnt_vadr[jnt]], 0);
        double s = (kp * dt * dt / I + 2 * kd * dt / I) / 4;
        many += s >= 1;
        if (s > worst) worst = s, at = j, wi = I, wdt = dt, wkp = kp, wkd = kd;
    }
    free(least);
    if (worst < 0.7) return;
    double need = (wkp * wdt * wdt + 2 * wkd * wdt) / 2;
    qiao_finding *f = qi_finding_add(d, worst >= 1.5 ? QIAO_GRADE_ERROR : QIAO_GRADE_WARNING,
                                     QI_FACT_GAINS, worst >= 1.5 ? 0.75 : 0.5);
    QI_SAY(f->what[0], "gains %s for the inertia of the joint at this step",
           worst >= 1 ? "are unstable" : "are at the edge of stability");
    QI_SAY(f->what[1], "在此步长下增益相对关节惯量%s", worst >= 1 ? "不稳定" : "接近失稳");
    QI_SAY(f->evidence[0],
           "'%s': kp %g, kd %g on %.4g kg m2 in steps of %g ms reach %.2f times the limit; %d "
           "joints are beyond it",
           m->joint[at], wkp, wkd, wi, wdt * 1e3, worst, many);
    QI_SAY(f->evidence[1],
           "'%s'：kp %g、kd %g，惯量 %.4g kg·m²，步长 %g ms，为极限的 %.2f 倍；共 %d 个关节超限",
           m->joint[at], wkp, wkd, wi, wdt * 1e3, worst, many);
    QI_SAY(f->fix[0], "less kd, a faster drive, or the rotor's inertia in the robot: armature %.3g",
           need);
    QI_SAY(f->fix[1], "减小 kd、提高驱动频率，或在机器人中给出转子惯量 armature %.3g", need);
}

// The drives' own gains in another order are a list that was read in the wrong order.
static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void check_gain_order(qi_patient *d) {
    const qi_manifest *m = d->p->m;
    double kp[QI_MAN_JOINTS], own[QI_MAN_JOINTS];
    int n = 0, off = 0, first = -1, kinds = 1;
    for (int j = 0; j < m->njoint; j++) {
        const qiao_drive *v = drive_of(d, j);
        if (!v || v->native || m->kp[j] < 0 || v->kp <= 0) return;
        kp[n] = m->kp[j], own[n++] = v->kp;
        if (fabs(m->kp[j] - v->kp) > 0.02 * v->kp && ++off && first < 0) first = j;
    }
    if (off == 0) return;
    double a = kp[first], b = own[first];
    qsort(kp, (size_t)n, sizeof *kp, by_value), qsort(own, (size_t)n, sizeof *own, by_value);
    for (int i = 0; i < n; i++)
        if (fabs(kp[i] - own[i]) > 0.02 * own[i]) return;
    for (int i = 1; i < n; i++) kinds += kp[i] != kp[i - 1];
    if (kinds < 2) return;
    qiao_finding *f = qi_finding_add(d, QIAO_GRADE_ERROR, QI_FACT_GAINS, 0.85);
    QI_SAY(f->what[0], "the gains are those of the robot's drives, in another order");
    QI_SAY(f->what[1], "增益与机器人驱动器相同，但次序不同");
    QI_SAY(f->evidence[0],
           "%d of %d joints differ, '%s' has kp %g where its drive has %g; sorted, the lists are "
           "the same",
           off, n, m->joint[first], a, b);
    QI_SAY(f->evidence[1], "%d/%d 个关节不同，'%s' 的 kp 为 %g，驱动器为 %g；排序后完全一致", off,
           n, m->joint[first], a, b);
    QI_SAY(f->fix[0], "give kp and kd by name"), QI_SAY(f->fix[1], "按关节名给出 kp、kd");
}

static void check_gain_size(qi_patient *d) {
    const qi_manifest *m = d->p->m;
    for (int j = 0; j < m->njoint; j++) {
        const qiao_drive *v = drive_of(d, j);
        if (!v || v->native || m->action.of[j] != QI_ACTION_POSITION) continue;
        double kp = gain(m->kp[j], v->kp), kd = gain(m->kd[j], v->kd);
        double ratio = v->kp > 0 ? kp / v->kp : 1;
        bool none = !(kp > 0), swapped = kd > kp && kp > 0;
        if (!none && !swapped && ratio < 5 && ratio > 0.2) continue;
        qiao_finding *f = qi_finding_add(d, none ? QIAO_GRADE_ERROR : QIAO_GRADE_WARNING,
                                         QI_FACT_GAINS, none ? 0.95 : 0.6);
        QI_SAY(f->what[0], "%s",
               none      ? "targets without stiffness"
               : swapped ? "kd above kp"
                         : "kp far from the drive's own");
        QI_SAY(f->what[1], "%s",
               none      ? "位置目标没有刚度"
               : swapped ? "kd 大于 kp"
                         : "kp 与驱动器自身相差悬殊");
        QI_SAY(f->evidence[0], "'%s': kp %g, kd %g; its drive has %g, %g", m->joint[j], kp, kd,
               v->kp, v->kd);
        QI_SAY(f->evidence[1], "'%s'：kp %g、kd %g；驱动器为 %g、%g", m->joint[j], kp, kd, v->kp,
               v->kd);
        QI_SAY(f->fix[0], "look for kp and kd where it was trained"),
            QI_SAY(f->fix[1], "查训练时的 kp、kd");
        return;
    }
}

// ---- signals, torques, rates ----

static bool carries(const qiao_robot *r, const char *name) {
    for (int i = 0; i < r->nsensor; i++)
        if (strcmp(r->sensor[i].name, name) == 0) return true;
    return false;
}

static void check_privileged(qi_patient *d) {
    char all[200] = "";
    for (int i = 0; i < d->p->nneed; i++) {
        const char *n = d->p->need[i];
        if (carries(d->r, n) || strncmp(n, "command", 7) == 0) continue;
        if (strlen(all) + strlen(n) + 3 < sizeof all) strcat(strcat(all, all[0] ? ", " : ""), n);
    }
    if (!all[0]) return;
    qiao_finding *f = qi_finding_add(d, QIAO_GRADE_WARNING, QI_FACT_PRIVILEGED, 1);
    QI_SAY(f->what[0], "it reads what no sensor of the robot gives: %s", all);
    QI_SAY(f->what[1], "读取了机器人没有的传感量：%s", all);
    QI_SAY(f->evidence[0],
           "'%s' carries %d sensors, none of that name; a scenario may grant it, a machine cannot",
           d->r->name, d->r->nsensor);
    QI_SAY(f->evidence[1], "'%s' 有 %d 个传感器，均无此名；场景可以提供，真机不能", d->r->name,
           d->r->nsensor);
    QI_SAY(f->fix[0], "estimate it (room est), or train without it"),
        QI_SAY(f->fix[1], "用状态估计，或重新训练");
}

static void check_terms(qi_patient *d) {
    const qi_obs_group *g[2] = {&d->p->m->obs, &d->p->m->enc};
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < g[k]->nterm; i++) {
            const qi_term *t = &g[k]->term[i];
            bool zero = t->dim > 0 && t->kind != QI_TERM_CONSTANT;
            for (int a = 0; a < t->dim; a++) zero &= t->scale[a] == 0;
            if (!zero) continue;
            qiao_finding *f = qi_finding_add(d, QIAO_GRADE_ERROR, QI_FACT_SCALE, 0.9);
            QI_SAY(f->what[0], "'%s' is multiplied by 0", t->name),
                QI_SAY(f->what[1], "'%s' 乘以 0", t->name);
            QI_SAY(f->evidence[0], "the network never sees it"),
                QI_SAY(f->evidence[1], "网络看不到它");
            QI_SAY(f->fix[0], "give its scale"), QI_SAY(f->fix[1], "给出其比例");
        }
}

static void check_torque(qi_patient *d) {
    const qi_manifest *m = d->p->m;
    double worst = 0;
    int at = -1;
    for (int j = 0; j < m->njoint; j++) {
        const qiao_drive *v = drive_of(d, j);
        double most = v && v->torque_max > 0 ? v->torque_max : m->torque_limit[j];
        if (!v || most <= 0 || m->action.of[j] != QI_ACTION_POSITION) continue;
        double share = fabs(m->action.scale[j]) * gain(m->kp[j], v->kp) / most;
        if (share > worst) worst = share, at = j;
    }
    if (worst < 3) return;
    qiao_finding *f = qi_finding_add(d, QIAO_GRADE_WARNING, QI_FACT_TORQUE, 0.5);
    QI_SAY(f->what[0], "an action of 1 asks for more torque than the drive has"),
        QI_SAY(f->what[1], "动作为 1 时所需力矩超过驱动器能力");
    QI_SAY(f->evidence[0], "'%s': scale times kp is %.1f times its torque", m->joint[at], worst);
    QI_SAY(f->evidence[1], "'%s'：比例乘 kp 为其力矩的 %.1f 倍", m->joint[at], worst);
    QI_SAY(f->fix[0], "look at action.scale and kp"), QI_SAY(f->fix[1], "检查 action.scale 与 kp");
}

static void check_rate(qi_patient *d) {
    double dt = d->r->model->dt, steps = 1 / (qi_policy_rate(d->p) * dt);
    if (steps >= 0.99 && fabs(steps - round(steps)) < 0.01 * steps) return;
    qiao_finding *f = qi_finding_add(d, QIAO_GRADE_ERROR, QI_FACT_RATE, 0.9);
    QI_SAY(f->what[0], "its rate does not divide that of the physics"),
        QI_SAY(f->what[1], "频率不能整除物理步频");
    QI_SAY(f->evidence[0], "%g commands a second, %g physics steps", qi_policy_rate(d->p), 1 / dt);
    QI_SAY(f->evidence[1], "每秒 %g 条指令，%g 个物理步", qi_policy_rate(d->p), 1 / dt);
    QI_SAY(f->fix[0], "%g Hz would do", 1 / (dt * fmax(1, round(steps)))),
        QI_SAY(f->fix[1], "可用 %g Hz", 1 / (dt * fmax(1, round(steps))));
}

void qi_doctor_static(qi_patient *d) {
    check_pose(d), check_gain_order(d), check_gain_size(d), check_stability(d);
    check_privileged(d), check_terms(d), check_torque(d), check_rate(d);
}
