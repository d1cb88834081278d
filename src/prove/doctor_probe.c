// SPDX-License-Identifier: Apache-2.0
// doctor_probe.c - asks the network: a mirrored robot must be answered in a mirrored way, a tilted
// one by pushing back, a moved joint by itself, and every output must say something.
#include "prove/doctor.h"
#include "prove/doctor_names.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATES = 8 };

typedef struct posture { // what a robot may be doing
    double q[QI_MAN_JOINTS], qd[QI_MAN_JOINTS], quat[4], gyro[3], vel[3], cmd[3];
} posture;

typedef struct probe {
    qi_patient *d;
    const qi_manifest *m;
    const qiao_io *io;
    void *mem;
    double *x, *c; // one row of observations; [5][nu] of commands
    int64_t *stamp;
    const qiao_signal *pos, *vel, *imu, *gyro, *lin, *cmd, *pose;
    double site[4]; // imu in the base
    int mirror[QI_MAN_JOINTS];
    double sign[QI_MAN_JOINTS];
    bool sides;
} probe;

static const qiao_signal *find(const qiao_io *io, const char *name, int dim) {
    for (int i = 0; i < io->nsig; i++)
        if (strcmp(io->sig[i].name, name) == 0 && (!dim || io->sig[i].dim == dim))
            return &io->sig[i];
    return NULL;
}

static void mul(const double *a, const double *b, double *o) {
    o[0] = a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3];
    o[1] = a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2];
    o[2] = a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1];
    o[3] = a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0];
}

static void put_joint(const qiao_signal *s, double *x, const char *name, double v) {
    for (int i = 0; s && i < s->nname; i++)
        if (strcmp(s->element[i], name) == 0) x[s->adr + i] = v;
}

// The posture as the robot's sensors would say it.
static void put_posture(probe *k, const posture *p) {
    const qiao_model *q = k->d->r->model;
    memset(k->x, 0, (size_t)k->io->nobs * sizeof *k->x);
    for (int j = 0; j < q->njnt; j++)
        if (q->jnt_type[j] >= QIAO_JOINT_SLIDE)
            put_joint(k->pos, k->x, q->jnt_name[j], k->d->r->rest_q[q->jnt_qadr[j]]);
    for (int j = 0; j < k->m->njoint; j++) {
        put_joint(k->pos, k->x, k->m->joint[j], p->q[j]);
        put_joint(k->vel, k->x, k->m->joint[j], p->qd[j]);
    }
    if (k->imu) mul(p->quat, k->site, k->x + k->imu->adr);
    if (k->gyro) { // base axes to the imu's: site^-1 v site
        double v[4] = {0, p->gyro[0], p->gyro[1], p->gyro[2]}, a[4], b[4];
        double back[4] = {k->site[0], -k->site[1], -k->site[2], -k->site[3]};
        mul(back, v, a), mul(a, k->site, b), memcpy(k->x + k->gyro->adr, b + 1, 3 * sizeof *b);
    }
    if (k->lin) memcpy(k->x + k->lin->adr, p->vel, sizeof p->vel);
    if (k->cmd) memcpy(k->x + k->cmd->adr, p->cmd, sizeof p->cmd);
    if (k->pose)
        k->x[k->pose->adr + 2] = 0.5, memcpy(k->x + k->pose->adr + 3, p->quat, sizeof p->quat);
}

// What the policy wants of each joint once it has seen this posture for as long as it remembers.
static bool ask(probe *k, const posture *p, double *want) {
    int steps = k->m->loop * (k->m->obs.history + k->m->enc.history + 1), nu = k->io->nu;
    size_t row = (size_t)nu;
    if (k->m->nstate) steps += 20 * k->m->loop;
    qiao_cmd c = {1, nu, k->c, k->c + row, k->c + 2 * row, k->c + 3 * row, k->c + 4 * row};
    put_posture(k, p);
    qi_policy_reset(k->mem, 0);
    for (int i = 0; i < steps; i++) {
        int64_t t = (int64_t)(i * k->io->period * 1e9);
        for (int s = 0; s < k->io->nsig; s++) k->stamp[s] = t;
        qiao_obs o = {1, k->io->nobs, k->io->nsig, &t, k->x, k->stamp, NULL};
        if (qi_policy_step(k->mem, &o, &c)) return false;
    }
    const double *a = qi_policy_action(k->mem, 0);
    for (int j = 0; j < k->m->njoint; j++) {
        want[j] = k->m->action.scale[j] * a[j];
        if (!isfinite(want[j])) return false;
    }
    return true;
}

// How a joint's angle reads in the mirror: by the axes of the two joints at rest.
static void find_signs(probe *k) {
    const qiao_model *q = k->d->r->model;
    size_t bytes = qiao_dyn_size(q);
    void *mem = bytes ? aligned_alloc(64, (bytes + 63) & ~(size_t)63) : NULL;
    qiao_dyn *dyn = mem ? qiao_dyn_init(q, mem, NULL) : NULL;
    k->sides =
        dyn && qi_names_mirror(k->m, k->mirror) && !qiao_dyn_kinematics(dyn, k->d->r->rest_q);
    for (int j = 0; k->sides && j < k->m->njoint; j++) {
        int a = qiao_model_joint(q, k->m->joint[j]),
            b = qiao_model_joint(q, k->m->joint[k->mirror[j]]);
        if (a < 0 || b < 0) {
            k->sides = false;
            break;
        }
        const double *u = qiao_dyn_axes(dyn) + 6 * q->jnt_vadr[a],
                     *v = qiao_dyn_axes(dyn) + 6 * q->jnt_vadr[b];
        k->sign[j] = -u[0] * v[0] + u[1] * v[1] - u[2] * v[2] < 0 ? -1 : 1;
    }
    free(mem);
}

static posture at_rest(const probe *k) {
    posture p = {.quat = {1, 0, 0, 0}};
    memcpy(p.q, k->m->default_pose, (size_t)k->m->njoint * sizeof *p.q);
    return p;
}

static posture in_mirror(const probe *k, const posture *p) {
    posture o = {.quat = {p->quat[0], -p->quat[1], p->quat[2], -p->quat[3]},
                 .gyro = {-p->gyro[0], p->gyro[1], -p->gyro[2]},
                 .vel = {p->vel[0], -p->vel[1], p->vel[2]},
                 .cmd = {p->cmd[0], -p->cmd[1], -p->cmd[2]}};
    for (int j = 0; j < k->m->njoint; j++) {
        o.q[k->mirror[j]] = k->sign[j] * p->q[j];
        o.qd[k->mirror[j]] = k->sign[j] * p->qd[j];
    }
    return o;
}

static double draw(int state, int i, double most) {
    qiao_rng r = {.seed = 5, .trial = (uint64_t)state, .purpose = 0x70726f62};
    return most * (2 * qiao_rng_uniform(&r, 0, (uint32_t)i) - 1);
}

static posture some(const probe *k, int n) {
    posture p = at_rest(k);
    double half[3];
    for (int j = 0; j < k->m->njoint; j++)
        p.q[j] += draw(n, j, 0.1), p.qd[j] = draw(n, 200 + j, 0.5);
    for (int i = 0; i < 3; i++) {
        p.gyro[i] = draw(n, 400 + i, 0.3), p.vel[i] = draw(n, 410 + i, 0.2);
        p.cmd[i] = draw(n, 420 + i, 0.3), half[i] = draw(n, 430 + i, 0.08);
    }
    p.quat[1] = half[0], p.quat[2] = half[1];
    p.quat[0] = sqrt(1 - half[0] * half[0] - half[1] * half[1]);
    return p;
}

// ---- what is asked ----

// Share of the answers that the mirror does not give back; 1.41 if they had nothing in common.
static void ask_mirror(probe *k) {
    double off = 0, all = 0, a[QI_MAN_JOINTS], b[QI_MAN_JOINTS];
    bool clocked = k->m->clock.hz > 0; // whose legs take turns
    if (!k->sides || clocked) return;
    for (int n = 0; n < STATES; n++) {
        posture p = some(k, n), q = in_mirror(k, &p);
        if (!ask(k, &p, a) || !ask(k, &q, b)) return;
        for (int j = 0; j < k->m->njoint; j++) {
            double e = b[k->mirror[j]] - k->sign[j] * a[j];
            off += e * e, all += 0.5 * (a[j] * a[j] + b[j] * b[j]);
        }
    }
    double e = all > 0 ? sqrt(off / all) : 0;
    if (e < 1) return;
    qiao_finding *f = qi_finding_add(k->d, QIAO_GRADE_WARNING, QI_FACT_SIGN, 0.4);
    QI_SAY(f->what[0], "a mirrored robot is not answered in a mirrored way");
    QI_SAY(f->what[1], "镜像姿态未得到镜像回答");
    QI_SAY(f->evidence[0],
           "over %d postures the answers of left and right differ by %.2f of their size", STATES,
           e);
    QI_SAY(f->evidence[1], "%d 种姿态下左右回答相差其幅度的 %.2f", STATES, e);
    QI_SAY(f->fix[0], "look at the order of the joints, at signs and at frames");
    QI_SAY(f->fix[1], "检查关节次序、正负号与坐标系");
}

// Outputs that never change, and those that are always clipped.
static void ask_outputs(probe *k) {
    int n = k->m->njoint, dead = 0, full = 0, first = -1, first_full = -1;
    double lo[QI_MAN_JOINTS], hi[QI_MAN_JOINTS], a[QI_MAN_JOINTS];
    int clipped[QI_MAN_JOINTS] = {0};
    for (int s = 0; s < STATES; s++) {
        posture p = some(k, s);
        if (!ask(k, &p, a)) {
            qiao_finding *f = qi_finding_add(k->d, QIAO_GRADE_ERROR, QI_FACT_OUTPUT, 1);
            QI_SAY(f->what[0], "the network says what is not a number"),
                QI_SAY(f->what[1], "网络输出不是数");
            QI_SAY(f->evidence[0], "in an ordinary posture near the default pose"),
                QI_SAY(f->evidence[1], "在默认姿态附近的普通姿态");
            QI_SAY(f->fix[0], "export it again"), QI_SAY(f->fix[1], "重新导出");
            return;
        }
        const double *raw = qi_policy_action(k->mem, 0);
        for (int j = 0; j < n; j++) {
            const double *clip = k->m->action.clip + 2 * j;
            lo[j] = s ? fmin(lo[j], a[j]) : a[j], hi[j] = s ? fmax(hi[j], a[j]) : a[j];
            clipped[j] +=
                (clip[0] != 0 || clip[1] != 0) && (raw[j] <= clip[0] || raw[j] >= clip[1]);
        }
    }
    for (int j = 0; j < n; j++) {
        if (hi[j] - lo[j] < 1e-9 && ++dead && first < 0) first = j;
        if (clipped[j] == STATES && ++full && first_full < 0) first_full = j;
    }
    if (dead) {
        qiao_finding *f = qi_finding_add(k->d, QIAO_GRADE_WARNING, QI_FACT_OUTPUT, 0.8);
        QI_SAY(f->what[0], "%d outputs never change", dead),
            QI_SAY(f->what[1], "%d 个输出从不变化", dead);
        QI_SAY(f->evidence[0], "'%s' says %g in %d postures", k->m->joint[first], lo[first],
               STATES);
        QI_SAY(f->evidence[1], "'%s' 在 %d 种姿态下恒为 %g", k->m->joint[first], STATES, lo[first]);
        QI_SAY(f->fix[0], "look at action.scale and at the network's output"),
            QI_SAY(f->fix[1], "检查 action.scale 与网络输出");
    }
    if (full) {
        qiao_finding *f = qi_finding_add(k->d, QIAO_GRADE_WARNING, QI_FACT_OUTPUT, 0.7);
        QI_SAY(f->what[0], "%d outputs are always clipped", full),
            QI_SAY(f->what[1], "%d 个输出总被截断", full);
        QI_SAY(f->evidence[0], "'%s' in all of %d postures near the default pose",
               k->m->joint[first_full], STATES);
        QI_SAY(f->evidence[1], "'%s' 在 %d 种默认姿态附近的姿态下均如此", k->m->joint[first_full],
               STATES);
        QI_SAY(f->fix[0], "look at the scales of the observation: an input may be far too large");
        QI_SAY(f->fix[1], "检查观测比例：某项输入可能过大");
    }
}

// Answers to one change: mean size over the joints, rad.
static double answer(probe *k, const posture *p, const double *rest) {
    double a[QI_MAN_JOINTS], sum = 0;
    if (!ask(k, p, a)) return NAN;
    for (int j = 0; j < k->m->njoint; j++) sum += fabs(a[j] - rest[j]) / k->m->njoint;
    return sum;
}

// Which inputs matter, and by how much: a term a hundred times louder than the rest has no
// normaliser; one that nobody hears is bound to nothing.
static void ask_loudness(probe *k) {
    double rest[QI_MAN_JOINTS];
    posture p0 = at_rest(k), p;
    if (!ask(k, &p0, rest)) return;
    double moved = 0, own = 0, back = 0;
    int n = k->m->njoint;
    for (int j = 0; j < n; j++) { // a joint that has moved must mostly be answered by itself
        double a[QI_MAN_JOINTS], all = 0;
        p = p0, p.q[j] += 0.15;
        if (!ask(k, &p, a)) return;
        for (int i = 0; i < n; i++) all += fabs(a[i] - rest[i]);
        moved += all / n / n, own += all > 0 ? fabs(a[j] - rest[j]) / all / n : 0;
        back += (a[j] - rest[j] < 0) / (double)n;
    }
    p = p0, p.quat[1] = 0.1, p.quat[0] = sqrt(0.99);
    double roll = answer(k, &p, rest);
    p = p0, p.quat[2] = 0.1, p.quat[0] = sqrt(0.99);
    double pitch = answer(k, &p, rest);
    p = p0, p.gyro[0] = 0.5;
    double turn = answer(k, &p, rest);
    p = p0, p.cmd[0] = 0.4;
    double walk = answer(k, &p, rest);
    qiao_finding *f = qi_finding_add(k->d, QIAO_GRADE_NOTE, QI_FACT_BEHAVIOUR, 1);
    QI_SAY(f->what[0], "what the network answers to"), QI_SAY(f->what[1], "网络对各项输入的反应");
    QI_SAY(f->evidence[0],
           "mean move of a target: a joint moved by 0.15 rad %.4f rad (%.0f%% in itself, %.0f%% of "
           "joints "
           "pull back), roll 0.2 rad %.4f, pitch 0.2 rad %.4f, 0.5 rad/s of roll %.4f, a command "
           "of 0.4 m/s %.4f",
           moved, 100 * own, 100 * back, roll, pitch, turn, walk);
    QI_SAY(f->evidence[1],
           "目标平均变化：一个关节移动 0.15 rad 时 %.4f rad（自身占 %.0f%%，%.0f%% "
           "的关节往回拉），侧倾 0.2 rad %.4f，俯仰 0.2 rad %.4f，"
           "侧倾角速度 0.5 rad/s %.4f，指令 0.4 m/s %.4f",
           moved, 100 * own, 100 * back, roll, pitch, turn, walk);
    bool deaf = k->imu && roll < 1e-6 && pitch<1e-6, balance = k->d->r->nfoot> 0;
    if (deaf && balance) {
        f = qi_finding_add(k->d, QIAO_GRADE_WARNING, QI_FACT_FRAME, 0.7);
        QI_SAY(f->what[0], "a tilted base is not answered at all"),
            QI_SAY(f->what[1], "机身倾斜毫无反应");
        QI_SAY(f->evidence[0], "0.2 rad of roll or pitch change no target by a millionth"),
            QI_SAY(f->evidence[1], "侧倾或俯仰 0.2 rad 时目标不变");
        QI_SAY(f->fix[0], "add projected_gravity, or see that its scale is not 0"),
            QI_SAY(f->fix[1], "加上 projected_gravity，或检查其比例");
    }
    double loud = fmax(fmax(roll, pitch), turn);
    if (moved > 0 && loud > 0 && (loud / moved > 300 || moved / loud > 300)) {
        f = qi_finding_add(k->d, QIAO_GRADE_WARNING, QI_FACT_SCALE, 0.5);
        QI_SAY(f->what[0], "one input drowns all others"),
            QI_SAY(f->what[1], "某项输入淹没其他输入");
        QI_SAY(f->evidence[0], "base %.4g against joints %.4g rad", loud, moved),
            QI_SAY(f->evidence[1], "机身 %.4g，关节 %.4g rad", loud, moved);
        QI_SAY(f->fix[0], "a scale or a normaliser is missing"),
            QI_SAY(f->fix[1], "缺少比例或归一化");
    }
}

void qi_doctor_probe(qi_patient *d) {
    probe k = {.d = d, .m = d->p->m, .io = d->io};
    size_t bytes = qi_policy_size(d->p, d->io, 1, NULL);
    k.mem = bytes ? aligned_alloc(64, (bytes + 63) & ~(size_t)63) : NULL;
    k.x = calloc((size_t)d->io->nobs + 1, sizeof *k.x),
    k.c = calloc(5 * (size_t)d->io->nu + 1, sizeof *k.c);
    k.stamp = calloc((size_t)d->io->nsig + 1, sizeof *k.stamp);
    if (k.mem && k.x && k.c && k.stamp) {
        memset(k.mem, 0, bytes);
        k.pos = find(d->io, "joint_pos", 0), k.vel = find(d->io, "joint_vel", 0);
        k.imu = find(d->io, "imu_quat", 4), k.gyro = find(d->io, "imu_gyro", 3);
        k.lin = find(d->io, "base_vel", 3), k.cmd = find(d->io, "command_velocity", 3);
        k.pose = find(d->io, "base_pose", 7);
        k.site[0] = 1;
        if (d->r->imu_site >= 0)
            memcpy(k.site, d->r->model->site_quat + 4 * d->r->imu_site, sizeof k.site);
        if (!qi_policy_init(d->p, k.mem, d->io, 1, NULL))
            find_signs(&k), ask_outputs(&k), ask_mirror(&k), ask_loudness(&k);
    }
    free(k.mem), free(k.x), free(k.c), free(k.stamp);
}
