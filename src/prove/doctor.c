// SPDX-License-Identifier: Apache-2.0
// doctor.c - examines a policy's manifest on a robot: what numbers, network and short trials say.
#include "prove/doctor.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const double plain = 0.12, some = 0.06; // of score, won by a repair: error, warning

qiao_finding *qi_finding_add(qi_patient *d, qiao_grade g, qi_fact fact, double sure) {
    static _Thread_local qiao_finding none;
    qiao_finding *f = d->n < d->cap ? &d->f[d->n++] : &none;
    *f = (qiao_finding){.grade = g, .cause = qi_fact_name(fact), .sure = sure};
    return f;
}

static int worse(const void *a, const void *b) {
    const qiao_finding *x = a, *y = b;
    if (x->grade != y->grade) return (int)y->grade - (int)x->grade;
    return x->sure < y->sure ? 1 : x->sure > y->sure ? -1 : strcmp(x->what[0], y->what[0]);
}

// ---- trials ----

// "fell after 0.26 s of 4 s" or "stood, went 0.51 of 0.50 m/s and turned 0.34 of 0.40 rad/s".
static void tell_walk(const qiao_robot *r, const qi_walk *w, double whole, char *en, char *zh,
                      size_t cap) {
    bool hand = strcmp(r->kind, "hand") == 0;
    if (w->broke) {
        snprintf(en, cap, "commanded what is not a number"), snprintf(zh, cap, "指令不是数");
    } else if (w->fell < whole) {
        snprintf(en, cap, "%s after %.2f s of %g s", hand ? "lost the cube" : "fell", w->fell,
                 whole);
        snprintf(zh, cap, "%.2f 秒后%s（共 %g 秒）", w->fell, hand ? "掉了方块" : "摔倒", whole);
    } else if (hand) {
        snprintf(en, cap, "turned the cube towards the goal at %.3f rad/s", w->turn[1]);
        snprintf(zh, cap, "以 %.3f rad/s 把方块转向目标", w->turn[1]);
    } else {
        snprintf(en, cap,
                 "stood, went %.2f of %.2f m/s, turned %.2f of %.2f rad/s, targets moved "
                 "%.3f rad a decision",
                 w->ahead[1], w->ahead[0], w->turn[1], w->turn[0], w->shake);
        snprintf(zh, cap,
                 "站稳，前进 %.2f / %.2f m/s，转向 %.2f / %.2f rad/s，目标每次变化 %.3f rad",
                 w->ahead[1], w->ahead[0], w->turn[1], w->turn[0], w->shake);
    }
}

// The joints in the order of a repair, for the fix.
static void tell_order(const qi_policy *p, const qi_repair *r, const qiao_robot *robot, char *to,
                       size_t cap) {
    qi_manifest *m = r->fact == QI_FACT_JOINT_ORDER ? qi_doctor_clone(p->m) : NULL;
    size_t at = strlen(to);
    if (m && qi_repair_apply(m, robot, r))
        for (int i = 0; i < m->njoint && at + 60 < cap; i++)
            at += (size_t)snprintf(to + at, cap - at, "%s%s%s", i ? ", " : " [", m->joint[i],
                                   i + 1 == m->njoint ? "]" : "");
    qi_manifest_free(m);
}

static void judge_trials(qi_patient *d, const qi_repair *list) {
    const qi_found *k = &d->found;
    const bool hand = strcmp(d->r->kind, "hand") == 0; // a few seconds tell less of a hand
    const double whole = 4;
    char en[2][200], zh[2][200];
    tell_walk(d->r, &k->as_is, whole, en[0], zh[0], sizeof en[0]);
    double best = k->n ? k->walk[0].score : 0, gain = best - k->as_is.score;
    if (k->n && gain >= some && best >= 0.6) {
        const qi_repair *r = &list[k->repair[0]];
        double other = 0; // the best of another fact
        for (int i = 1; i < k->n; i++)
            if (list[k->repair[i]].fact != r->fact && k->walk[i].score > other)
                other = k->walk[i].score;
        double sure = 0.5 + 0.4 * gain + 0.4 * (best - fmax(other, k->as_is.score));
        qiao_finding *f = qi_finding_add(d, gain >= plain ? QIAO_GRADE_ERROR : QIAO_GRADE_WARNING,
                                         r->fact, fmin(sure, 0.99));
        tell_walk(d->r, &k->walk[0], whole, en[1], zh[1], sizeof en[1]);
        QI_SAY(f->what[0], "with one change it does far better: %s", r->en);
        QI_SAY(f->what[1], "改一处后明显变好：%s", r->zh);
        QI_SAY(f->evidence[0], "as written it %s; so changed it %s (best of %d changes tried)",
               en[0], en[1], k->tried);
        QI_SAY(f->evidence[1], "原样：%s；改后：%s（试过 %d 种改动）", zh[0], zh[1], k->tried);
        QI_SAY(f->fix[0], "%s", r->en), QI_SAY(f->fix[1], "%s", r->zh);
        tell_order(d->p, r, d->r, f->fix[0], sizeof f->fix[0]);
        tell_order(d->p, r, d->r, f->fix[1], sizeof f->fix[1]);
        return;
    }
    if (k->as_is.score >= (hand ? 0.35 : 0.55)) return;
    qiao_finding *f = qi_finding_add(d, QIAO_GRADE_ERROR, QI_FACT_BEHAVIOUR, 0.6);
    QI_SAY(f->what[0], "it does not do what it is told, and no single change mends that");
    QI_SAY(f->what[1], "不能完成指令，且单改一处无法修好");
    QI_SAY(f->evidence[0], "as written it %s; %d changes tried", en[0], k->tried);
    QI_SAY(f->evidence[1], "原样：%s；试过 %d 种改动", zh[0], k->tried);
    QI_SAY(f->fix[0], "compare every key with the place where it was trained; two may be wrong");
    QI_SAY(f->fix[1], "逐项与训练时的设置对照；可能有两处错误");
}

// What the numbers held against it does not count as an error if it does its job all the same.
static void forgive(qi_patient *d, int n) {
    if (d->found.as_is.time <= 0 || d->found.as_is.score < 0.75) return;
    for (int i = 0; i < n; i++)
        if (d->f[i].grade == QIAO_GRADE_ERROR) d->f[i].grade = QIAO_GRADE_WARNING;
}

static void run_trials(qi_patient *d, qi_bench *first) {
    static _Thread_local qi_repair list[QI_REPAIR_MOST];
    int before = d->n, n = qi_repair_list(d->p->m, d->r, list, QI_REPAIR_MOST), nb = 1;
    qi_bench *b[QI_BENCH_MOST] = {first};
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    while (nb < QI_BENCH_MOST && nb < cores && (b[nb] = qi_bench_new(d->r, NULL))) nb++;
    // what a step costs grows with the dofs; a finer step needs more of them
    double budget = 14000.0 / (d->r->model->nv + 1) * fmin(1, sqrt(d->r->model->dt / 0.002));
    qi_doctor_search(b, nb, d->p, list, n, budget, &d->found);
    for (int i = 1; i < nb; i++) qi_bench_free(b[i]);
    forgive(d, before);
    judge_trials(d, list);
    // one word of the trials for one cause
    for (int i = 0; i < before; i++)
        for (int k = before; k < d->n; k++)
            if (d->f[i].cause == d->f[k].cause && d->f[i].grade == QIAO_GRADE_ERROR)
                d->f[k].sure = fmax(d->f[k].sure, d->f[i].sure), d->f[i].sure *= 0.99;
}

// ---- the whole examination ----

static void examine(qi_patient *d, bool still) {
    qiao_diag why = {0};
    qi_bench *b = qi_bench_new(d->r, &why);
    const qiao_io *io = b ? qi_bench_io(b, 1 / qi_policy_rate(d->p), &why) : NULL;
    d->io = io;
    // does it fit this body at all?
    size_t bytes = io ? qi_policy_size(d->p, io, 1, &why) : 0;
    void *mem = bytes ? aligned_alloc(64, (bytes + 63) & ~(size_t)63) : NULL;
    if (mem) memset(mem, 0, bytes);
    qiao_err e = mem ? qi_policy_init(d->p, mem, io, 1, &why) : QIAO_E_FIT;
    free(mem);
    if (io && e) {
        qi_fact fact = strstr(why.text, "joint") ? QI_FACT_JOINT_ORDER : QI_FACT_FILE;
        qiao_finding *f = qi_finding_add(d, QIAO_GRADE_ERROR, fact, 1);
        QI_SAY(f->what[0], "it does not fit this robot"), QI_SAY(f->what[1], "与该机器人不符");
        QI_SAY(f->evidence[0], "%.480s", why.text), QI_SAY(f->evidence[1], "%.480s", why.text);
        QI_SAY(f->fix[0], "use the names that the robot has: 'qiao robots %s'", d->r->name);
        QI_SAY(f->fix[1], "使用机器人的名称：'qiao robots %s'", d->r->name);
        qi_bench_free(b);
        return;
    }
    qi_doctor_static(d);
    if (io) qi_doctor_probe(d);
    if (io && !still) {
        run_trials(d, b);
    } else {
        qiao_finding *f = qi_finding_add(d, QIAO_GRADE_NOTE, QI_FACT_BEHAVIOUR, 1);
        QI_SAY(f->what[0], "no short trials were run"), QI_SAY(f->what[1], "未做短时试验");
        QI_SAY(f->evidence[0], "%.300s", still ? "asked not to" : why.text);
        QI_SAY(f->evidence[1], "%.300s", still ? "按要求跳过" : why.text);
    }
    qi_bench_free(b);
}

// A network that takes another number than the terms make: which change would fit?
static void misfit(qi_patient *d, const qi_manifest *m, const qiao_diag *why) {
    int takes = 0, makes = 0;
    const char *at = strstr(why->text, " takes ");
    if (at) (void)sscanf(at, " takes %d numbers, the terms make %d", &takes, &makes);
    int h = m->obs.history > 0 ? m->obs.history : 1, more = takes - makes;
    bool action = false;
    for (int i = 0; i < m->obs.nterm; i++) action |= m->obs.term[i].kind == QI_TERM_ACTION;
    qi_fact fact = QI_FACT_HISTORY;
    char en[300] = "compare the terms with the place where it was trained",
         zh[300] = "与训练时的观测项对照";
    if (!action && more == m->njoint * h) {
        fact = QI_FACT_ACTION, QI_SAY(en, "add the term 'actions': the last action is missing");
        QI_SAY(zh, "加上 'actions' 项：缺少上一动作");
    } else if (m->obs.frame > 0 && takes % m->obs.frame == 0) {
        QI_SAY(en, "history: %d fits", takes / m->obs.frame);
        QI_SAY(zh, "history: %d 正好", takes / m->obs.frame);
    } else if (more == 3 * h) {
        QI_SAY(en, "a term of 3 numbers is missing: base_lin_vel, base_ang_vel, projected_gravity "
                   "or velocity_commands");
        QI_SAY(
            zh,
            "缺少一个三维项：base_lin_vel、base_ang_vel、projected_gravity 或 velocity_commands");
    }
    if (strstr(why->text, "joints")) fact = QI_FACT_JOINT_ORDER;
    qiao_finding *f = qi_finding_add(d, QIAO_GRADE_ERROR, fact, 1);
    QI_SAY(f->what[0], "manifest and network do not fit"), QI_SAY(f->what[1], "清单与网络不符");
    QI_SAY(f->evidence[0], "%.480s", why->text), QI_SAY(f->evidence[1], "%.480s", why->text);
    QI_SAY(f->fix[0], "%s", en), QI_SAY(f->fix[1], "%s", zh);
}

static const char *manifest_of(const char *brain, char path[PATH_MAX]) {
    struct stat st;
    if (stat(brain, &st) == 0) return brain;
    snprintf(path, PATH_MAX, "%.2000s/brains/%.2000s", qiao_home(), brain);
    return stat(path, &st) == 0 ? path : brain;
}

int qiao_doctor_run(const qiao_doctor_def *def, qiao_finding *list, int cap, qiao_diag *d) {
    qiao_diag own = {0}, why = {0};
    if (!d) d = &own;
    char path[PATH_MAX];
    qi_patient k = {.r = def->robot, .f = list, .cap = cap};
    qi_manifest *m = qi_manifest_load(manifest_of(def->brain, path), def->robot, &why);
    if (!m && why.err == QIAO_E_IO && !strchr(def->brain, '/'))
        return qiao_diag_set(d, QIAO_E_IO, NULL, 0, 0,
                             "'%.100s' has no manifest: only trained policies are examined, see "
                             "'qiao brains'; %.300s",
                             def->brain, why.text);
    if (!m) qiao_diag_set(d, why.err, NULL, 0, 0, "%s", why.text);
    if (!m) return d->err ? d->err : QIAO_E_MEM;
    qi_manifest *spare = qi_doctor_clone(m); // _open frees the manifest of one that does not fit
    qi_policy *p = spare ? qi_policy_open(m, -1, &why) : NULL;
    if (p) {
        k.p = p, examine(&k, def->still);
    } else if (why.err == QIAO_E_FIT || why.err == QIAO_E_NAME) {
        misfit(&k, spare, &why);
    } else {
        qi_manifest_free(spare);
        return qiao_diag_set(d, why.err ? why.err : QIAO_E_MEM, NULL, 0, 0, "%s", why.text);
    }
    qi_policy_close(p), qi_manifest_free(spare);
    qsort(list, (size_t)k.n, sizeof *list, worse);
    return k.n;
}
