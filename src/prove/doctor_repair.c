// SPDX-License-Identifier: Apache-2.0
// doctor_repair.c - what else a manifest may have meant: one fact changed at a time.
#include "brain/import.h"
#include "prove/doctor.h"
#include "prove/doctor_names.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { // kinds of repair
    PERM,
    POSE_REST,
    POSE_TIMES,
    POSE_PERM,
    GAIN_DRIVE,
    GAIN_TIMES,
    GAIN_SWAP,
    GAIN_PERM,
    TERM_TIMES,
    TERM_FRAME,
    TERM_SWAP,
    TERM_RELATIVE,
    TERM_ACT,
    ACT_TIMES,
    ACT_KIND,
    ACT_OFFSET,
    FLIP_KIND,
    HIST_LAYOUT,
    HIST_AGE,
    HIST_FILL,
    CLOCK_TIMES,
    CLOCK_SHIFT,
    CLOCK_LEGS,
    RATE,
};

typedef struct list {
    const qi_manifest *m;
    const qiao_robot *r;
    qi_repair *p;
    int n, cap;
} list;

__attribute__((format(printf, 4, 5))) static qi_repair *add(list *l, qi_fact f, int kind,
                                                            const char *en, ...) {
    static qi_repair none;
    qi_repair *p = l->n < l->cap ? &l->p[l->n++] : &none;
    memset(p, 0, sizeof *p);
    p->fact = f, p->kind = kind;
    va_list ap;
    va_start(ap, en);
    vsnprintf(p->en, sizeof p->en, en, ap);
    va_end(ap);
    return p;
}
#define ZH(p, ...) snprintf((p)->zh, sizeof(p)->zh, __VA_ARGS__)

// ---- what moves with a name ----

static double *w(const double *x) { // arrays of a copy may be written
    union {
        const double *in;
        double *out;
    } u = {x};
    return u.out;
}
static qi_term *wt(const qi_term *t) {
    union {
        const qi_term *in;
        qi_term *out;
    } u = {t};
    return u.out;
}

static void permute(double *x, int n, int width, const int *perm) {
    double old[2 * QI_MAN_JOINTS];
    memcpy(old, x, (size_t)(n * width) * sizeof *x);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < width; k++) x[i * width + k] = old[perm[i] * width + k];
}

static void permute_all(qi_manifest *m, const int *perm, bool whole) {
    int n = m->njoint;
    const char *old[QI_MAN_JOINTS];
    union {
        const char *const *in;
        const char **out;
    } names = {m->joint};
    memcpy(old, names.out, (size_t)n * sizeof *old);
    for (int i = 0; i < n; i++) names.out[i] = old[perm[i]];
    if (!whole) return;
    const double *one[] = {m->default_pose, m->kp,           m->kd,
                           m->torque_limit, m->action.scale, m->action.offset};
    for (size_t k = 0; k < sizeof one / sizeof *one; k++) permute(w(one[k]), n, 1, perm);
    permute(w(m->action.clip), n, 2, perm), permute(w(m->action.reach), n, 2, perm);
}

static bool any_differ(const qi_manifest *m,
                       const int *perm) { // do pose or gains tell i from perm[i]?
    for (int i = 0; i < m->njoint; i++)
        if (m->default_pose[i] != m->default_pose[perm[i]] || m->kp[i] != m->kp[perm[i]] ||
            m->kd[i] != m->kd[perm[i]] || m->action.scale[i] != m->action.scale[perm[i]])
            return true;
    return false;
}

static bool is_same(const int *perm, int n) {
    for (int i = 0; i < n; i++)
        if (perm[i] != i) return false;
    return true;
}

static void add_perm(list *l, const int *perm, const char *en, const char *zh) {
    int n = l->m->njoint;
    if (is_same(perm, n)) return;
    for (int i = 0; i < l->n; i++)
        if (l->p[i].kind == PERM && !memcmp(l->p[i].perm, perm, (size_t)n * sizeof *perm)) return;
    for (int whole = 0; whole <= any_differ(l->m, perm); whole++) {
        qi_repair *p = add(l, QI_FACT_JOINT_ORDER, PERM, "joints: %s%s", en,
                           whole ? ", pose and gains with them" : "");
        ZH(p, "关节次序：%s%s", zh, whole ? "（默认姿态与增益随之）" : "");
        memcpy(p->perm, perm, (size_t)n * sizeof *perm), p->whole = whole;
    }
}

static void chain(int *to, const int *a, const int *b, int n) { // first a, then b
    for (int i = 0; i < n; i++) to[i] = a[b[i]];
}

// ---- lists ----

static void list_orders(list *l) {
    const qi_manifest *m = l->m;
    int n = m->njoint, mirror[QI_MAN_JOINTS], p[QI_MAN_JOINTS], q[QI_MAN_JOINTS];
    bool sides = qi_names_mirror(m, mirror);
    for (int levels = 0; levels < 2; levels++) {
        if (!qi_names_model_order(m, l->r, levels, p)) continue;
        add_perm(l, p, levels ? "level by level, as the robot's tree" : "as in the robot's model",
                 levels ? "按机器人结构逐层" : "按机器人模型的次序");
        if (!sides) continue;
        chain(q, p, mirror, n), add_perm(l, q,
                                         levels ? "level by level, right first"
                                                : "as in the robot's model, right side first",
                                         levels ? "逐层，右侧在前" : "按模型次序，右侧在前");
        chain(q, mirror, p, n), add_perm(l, q,
                                         levels ? "level by level, right first"
                                                : "as in the robot's model, right side first",
                                         levels ? "逐层，右侧在前" : "按模型次序，右侧在前");
    }
    if (sides) add_perm(l, mirror, "left and right exchanged", "左右对调");
    if (qi_names_turn(m, p)) {
        add_perm(l, p, "front and rear exchanged", "前后对调");
        if (sides) chain(q, p, mirror, n), add_perm(l, q, "diagonal legs exchanged", "对角腿对调");
    }
    for (int i = 0; i < n; i++) p[i] = n - 1 - i;
    add_perm(l, p, "in reverse", "倒序");
    int leg[4][QI_MAN_JOINTS / 4], each;
    if (qi_names_legs(m, leg, &each) == 4)
        for (int k = 0; k < 256; k++) {
            int to[4] = {k & 3, k >> 2 & 3, k >> 4 & 3, k >> 6 & 3}, seen = 0;
            for (int a = 0; a < 4; a++) seen |= 1 << to[a];
            if (seen != 15) continue;
            for (int a = 0; a < 4; a++)
                for (int e = 0; e < each; e++) p[leg[a][e]] = leg[to[a]][e];
            char en[100], zh[100];
            const char *s[4];
            for (int a = 0; a < 4; a++) s[a] = m->joint[leg[to[a]][0]];
            snprintf(en, sizeof en, "legs in the order %.2s, %.2s, %.2s, %.2s", s[0], s[1], s[2],
                     s[3]);
            snprintf(zh, sizeof zh, "腿的次序 %.2s、%.2s、%.2s、%.2s", s[0], s[1], s[2], s[3]);
            add_perm(l, p, en, zh);
        }
}

static void list_pairs(list *l) {
    const qi_manifest *m = l->m;
    int n = m->njoint, mirror[QI_MAN_JOINTS], p[QI_MAN_JOINTS];
    bool sides = qi_names_mirror(m, mirror);
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++) {
            if (n > 14 && j != i + 1 && !(sides && mirror[i] == j)) continue;
            for (int k = 0; k < n; k++) p[k] = k;
            p[i] = j, p[j] = i;
            char en[160], zh[160];
            snprintf(en, sizeof en, "'%.50s' and '%.50s' exchanged", m->joint[i], m->joint[j]);
            snprintf(zh, sizeof zh, "'%.50s' 与 '%.50s' 对调", m->joint[i], m->joint[j]);
            add_perm(l, p, en, zh);
        }
}

static void list_pose(list *l) {
    const qi_manifest *m = l->m;
    qi_repair *p = add(l, QI_FACT_DEFAULT_POSE, POSE_REST, "default_pose: the robot's rest pose");
    ZH(p, "default_pose：改用机器人的静止姿态");
    static const struct {
        double x;
        const char *en, *zh;
    } k[] = {{-1, "with the other sign", "反号"},
             {0, "all zero", "全部为零"},
             {0.017453292519943295, "in degrees, to be turned into rad", "给的是角度，应换成弧度"}};
    for (size_t i = 0; i < sizeof k / sizeof *k; i++) {
        p = add(l, QI_FACT_DEFAULT_POSE, POSE_TIMES, "default_pose: %s", k[i].en);
        ZH(p, "default_pose：%s", k[i].zh), p->x = k[i].x;
    }
    int perm[QI_MAN_JOINTS];
    for (int a = 0; a < 3; a++) {
        bool ok = a < 2 ? qi_names_model_order(m, l->r, a, perm) : qi_names_mirror(m, perm);
        for (int inv = 0; ok && inv < 2; inv++) {
            p = add(l, QI_FACT_DEFAULT_POSE, POSE_PERM, "default_pose: its numbers %s",
                    a == 2 ? "left and right exchanged" : "in the order of the robot's model");
            ZH(p, "default_pose：数值%s", a == 2 ? "左右对调" : "按机器人模型次序");
            for (int i = 0; i < m->njoint; i++) p->perm[inv ? perm[i] : i] = inv ? i : perm[i];
        }
    }
}

static void list_gains(list *l) {
    const qi_manifest *m = l->m;
    qi_repair *p = add(l, QI_FACT_GAINS, GAIN_DRIVE, "kp and kd: the robot's drives' own");
    ZH(p, "kp、kd：改用机器人驱动器自身的增益");
    p = add(l, QI_FACT_GAINS, GAIN_SWAP, "kp and kd exchanged");
    ZH(p, "kp 与 kd 对调");
    static const double x[] = {0.1, 0.2, 0.5, 2, 5, 10, 57.29577951308232, 0.017453292519943295};
    for (int what = 1; what <= 3; what++)
        for (size_t i = 0; i < sizeof x / sizeof *x; i++) {
            p = add(l, QI_FACT_GAINS, GAIN_TIMES, "%s times %g",
                    what == 1   ? "kp"
                    : what == 2 ? "kd"
                                : "kp and kd",
                    x[i]);
            ZH(p, "%s 乘以 %g", what == 1 ? "kp" : what == 2 ? "kd" : "kp、kd", x[i]);
            p->a = what, p->x = x[i];
        }
    int perm[QI_MAN_JOINTS];
    for (int a = 0; a < 3; a++) {
        bool ok = a < 2 ? qi_names_model_order(m, l->r, a, perm) : true;
        for (int i = 0; a == 2 && i < m->njoint; i++) perm[i] = m->njoint - 1 - i;
        if (!ok || !any_differ(m, perm)) continue;
        for (int inv = 0; inv < (a == 2 ? 1 : 2); inv++) {
            p = add(l, QI_FACT_GAINS, GAIN_PERM, "kp and kd: their numbers in %s order",
                    a == 2 ? "reverse" : "the robot model's");
            ZH(p, "kp、kd：数值按%s", a == 2 ? "倒序" : "机器人模型次序");
            for (int i = 0; i < m->njoint; i++) p->perm[inv ? perm[i] : i] = inv ? i : perm[i];
        }
    }
}

static void add_factor(list *l, qi_fact f, int g, int t, int axis, double x) {
    static const char *const axes[] = {"", " x", " y", " z"};
    const char *name = (g ? l->m->enc : l->m->obs).term[t].name;
    qi_repair *p = x < 0 ? add(l, f, TERM_TIMES, "%s%s with the other sign", name, axes[axis])
                         : add(l, f, TERM_TIMES, "%s%s times %g", name, axes[axis], x);
    if (x < 0)
        ZH(p, "%s%s 反号", name, axes[axis]);
    else
        ZH(p, "%s%s 乘以 %g", name, axes[axis], x);
    p->a = g, p->b = t, p->c = axis, p->x = x;
}

static bool is_vector(const qi_term *t) {
    return t->dim == 3 && (t->kind == QI_TERM_GYRO || t->kind == QI_TERM_GRAVITY ||
                           t->kind == QI_TERM_LIN_VEL || t->kind == QI_TERM_COMMAND);
}

static void list_factors(list *l, int g, int t, const qi_term *term) {
    static const double deg = 57.29577951308232;
    const double x[] = {0.05, 0.1, 0.25, 0.5, 2, 4, 10, 20, deg, 1 / deg};
    bool vec = is_vector(term), command = vec && term->kind == QI_TERM_COMMAND;
    add_factor(l, QI_FACT_SIGN, g, t, 0, -1);
    for (int axis = 1; vec && axis <= 3; axis++) add_factor(l, QI_FACT_SIGN, g, t, axis, -1);
    for (size_t i = 0; term->kind != QI_TERM_GRAVITY && i < sizeof x / sizeof *x; i++)
        add_factor(l, QI_FACT_SCALE, g, t, 0, x[i]);
    for (size_t i = 2; command && i < 6; i++) add_factor(l, QI_FACT_SCALE, g, t, 3, x[i]);
}

static void add_frame(list *l, int g, int t, const qi_term *term, int frame) {
    static const char *const en[] = {"base", "imu", "world"};
    static const char *const zh[] = {"机身", "IMU", "世界"};
    qi_repair *p =
        add(l, QI_FACT_FRAME, TERM_FRAME, "%s in the frame of the %s", term->name, en[frame]);
    ZH(p, "%s 改在%s坐标系", term->name, zh[frame]);
    p->a = g, p->b = t, p->c = frame;
}

static void list_frames(list *l, int g, int t, const qi_term *term) {
    if (!is_vector(term) || term->kind == QI_TERM_COMMAND) return;
    if (term->kind != QI_TERM_GRAVITY) add_frame(l, g, t, term, term->frame[0] == 'w' ? 0 : 2);
    add_frame(l, g, t, term, term->frame[0] == 'i' ? 0 : 1);
}

// What a term of joints or actions may have meant.
static void list_meanings(list *l, int g, int t, const qi_term *term) {
    static const char *const of[] = {"raw", "clipped", "sent"};
    qi_repair *p;
    if (term->kind == QI_TERM_JOINT_POS) {
        p = add(l, QI_FACT_DEFAULT_POSE, TERM_RELATIVE, "%s %s the default pose", term->name,
                term->relative ? "as it is, without" : "less");
        ZH(p, "%s %s默认姿态", term->name, term->relative ? "不减" : "减去");
        p->a = g, p->b = t;
    }
    for (int act = 0; term->kind == QI_TERM_ACTION && act < 3; act++) {
        if ((int)term->act == act) continue;
        p = add(l, QI_FACT_ACTION, TERM_ACT, "%s: the %s ones", term->name, of[act]);
        ZH(p, "%s：改用 %s", term->name, of[act]);
        p->a = g, p->b = t, p->c = act;
    }
}

static void list_swaps(list *l, int g, int t, const qi_obs_group *o) {
    for (int s = t + 1; s < o->nterm; s++) {
        if (o->term[s].dim != o->term[t].dim || o->term[s].kind == o->term[t].kind) continue;
        qi_repair *p = add(l, QI_FACT_HISTORY, TERM_SWAP, "%s and %s exchanged", o->term[t].name,
                           o->term[s].name);
        ZH(p, "%s 与 %s 对调", o->term[t].name, o->term[s].name);
        p->a = g, p->b = t, p->c = s;
    }
}

static void list_terms(list *l) {
    for (int g = 0; g < 2; g++) {
        const qi_obs_group *o = g ? &l->m->enc : &l->m->obs;
        for (int t = 0; t < o->nterm; t++) {
            const qi_term *term = &o->term[t];
            bool joint = term->kind == QI_TERM_JOINT_POS || term->kind == QI_TERM_JOINT_VEL ||
                         term->kind == QI_TERM_JOINT_ERROR || term->kind == QI_TERM_ACTION;
            if (!is_vector(term) && !joint && term->kind != QI_TERM_OBJECT_POS) continue;
            list_factors(l, g, t, term), list_frames(l, g, t, term);
            list_meanings(l, g, t, term), list_swaps(l, g, t, o);
        }
    }
}

static void list_history(list *l) {
    for (int g = 0; g < 2; g++) {
        const qi_obs_group *o = g ? &l->m->enc : &l->m->obs;
        if (o->history < 2) continue;
        qi_repair *p = add(l, QI_FACT_HISTORY, HIST_LAYOUT, "history laid out %s",
                           o->by_term ? "frame by frame" : "term by term");
        ZH(p, "历史按%s排列", o->by_term ? "帧" : "项"), p->a = g;
        p = add(l, QI_FACT_HISTORY, HIST_AGE, "%s frame first",
                o->newest_first ? "oldest" : "newest");
        ZH(p, "%s帧在前", o->newest_first ? "最旧" : "最新"), p->a = g;
        p = add(l, QI_FACT_HISTORY, HIST_LAYOUT, "history laid out %s, %s frame first",
                o->by_term ? "frame by frame" : "term by term",
                o->newest_first ? "oldest" : "newest");
        ZH(p, "历史按%s排列，%s帧在前", o->by_term ? "帧" : "项",
           o->newest_first ? "最旧" : "最新"),
            p->a = g, p->b = 1;
        p = add(l, QI_FACT_HISTORY, HIST_FILL, "history begins %s",
                o->fill_zero ? "with the first frame" : "with zeros");
        ZH(p, "历史以%s开始", o->fill_zero ? "首帧" : "零"), p->a = g;
    }
}

static void list_clock(list *l) {
    if (l->m->clock.hz <= 0) return;
    static const double x[] = {0.5, 2, 0.75, 4.0 / 3, 0.25, 4};
    qi_repair *p;
    for (size_t i = 0; i < sizeof x / sizeof *x; i++) {
        p = add(l, QI_FACT_CLOCK, CLOCK_TIMES, "clock of %g Hz", l->m->clock.hz * x[i]);
        ZH(p, "步态时钟 %g Hz", l->m->clock.hz * x[i]), p->x = x[i];
    }
    p = add(l, QI_FACT_CLOCK, CLOCK_LEGS, "phases of the legs half a step apart");
    ZH(p, "两腿相位相差半步"), p->x = 0.5;
    p = add(l, QI_FACT_CLOCK, CLOCK_LEGS, "phases of the legs the same");
    ZH(p, "各腿同相"), p->x = 0;
    for (int g = 0; g < 2; g++) {
        const qi_obs_group *o = g ? &l->m->enc : &l->m->obs;
        for (int t = 0; t < o->nterm; t++)
            if (o->term[t].kind == QI_TERM_PHASE && o->term[t].dim == 2) {
                p = add(l, QI_FACT_CLOCK, TERM_TIMES, "%s: sine and cosine exchanged",
                        o->term[t].name);
                ZH(p, "%s：正弦余弦对调", o->term[t].name), p->kind = CLOCK_SHIFT, p->x = 0.25,
                                                            p->a = g, p->b = t;
            }
    }
}

static void list_rates(list *l) {
    static const double hz[] = {20, 25, 30, 50, 60, 100, 200};
    for (size_t i = 0; i < sizeof hz / sizeof *hz; i++) {
        double steps = 1 / (hz[i] * l->m->loop * l->r->model->dt);
        if (fabs(hz[i] - l->m->rate_hz) < 0.5 || steps < 0.99) continue;
        qi_repair *p = add(l, QI_FACT_RATE, RATE, "rate_hz: %g", hz[i]);
        ZH(p, "rate_hz：%g", hz[i]), p->x = hz[i];
    }
}

static void list_action(list *l) {
    const qi_manifest *m = l->m;
    static const double x[] = {0.1, 0.25, 0.5, 2, 4, 10};
    qi_repair *p;
    for (size_t i = 0; i < sizeof x / sizeof *x; i++) {
        p = add(l, QI_FACT_ACTION, ACT_TIMES, "action: scale times %g", x[i]);
        ZH(p, "动作比例乘以 %g", x[i]), p->x = x[i];
    }
    p = add(l, QI_FACT_SIGN, ACT_TIMES, "action with the other sign");
    ZH(p, "动作反号"), p->x = -1;
    static const char *const kind[] = {"position", "delta", "velocity", "torque"};
    static const char *const kind_zh[] = {"位置", "增量", "速度", "力矩"};
    for (int k = 0; k < 2; k++) {
        if (m->action.kind == (qi_action_kind)k) continue;
        p = add(l, QI_FACT_ACTION, ACT_KIND, "action: meaning %s", kind[k]);
        ZH(p, "动作含义：%s", kind_zh[k]), p->a = k;
    }
    bool zero = true, pose = true;
    for (int i = 0; i < m->njoint; i++)
        zero &= m->action.offset[i] == 0, pose &= m->action.offset[i] == m->default_pose[i];
    if (m->action.kind == QI_ACTION_POSITION && !pose) {
        p = add(l, QI_FACT_ACTION, ACT_OFFSET, "action: offset is the default pose");
        ZH(p, "动作以默认姿态为零点"), p->a = 1;
    }
    if (!zero) {
        p = add(l, QI_FACT_ACTION, ACT_OFFSET, "action: no offset");
        ZH(p, "动作无偏置"), p->a = 0;
    }
}

static void list_flips(list *l) {
    const qi_manifest *m = l->m;
    int mirror[QI_MAN_JOINTS];
    bool sides = qi_names_mirror(m, mirror);
    for (int i = 0; i < m->njoint; i++) {
        char kind[100], other[100];
        bool first = true;
        qi_names_kind(m, i, kind, sizeof kind);
        for (int k = 0; k < i; k++)
            qi_names_kind(m, k, other, sizeof other), first &= strcmp(kind, other) != 0;
        qi_repair *p = add(l, QI_FACT_SIGN, FLIP_KIND, "'%.80s' turns the other way", m->joint[i]);
        ZH(p, "'%.80s' 方向相反", m->joint[i]), p->perm[i] = 1;
        if (!first || !sides) continue;
        p = add(l, QI_FACT_SIGN, FLIP_KIND, "all '%.80s' turn the other way", kind);
        ZH(p, "所有 '%.80s' 方向相反", kind);
        for (int k = 0; k < m->njoint; k++)
            qi_names_kind(m, k, other, sizeof other), p->perm[k] = !strcmp(kind, other);
        for (int side = 0; side < 2; side++) { // of one side, where a side has two of them
            int count = 0;
            p = add(l, QI_FACT_SIGN, FLIP_KIND, "'%.80s' of one side turn the other way", kind);
            ZH(p, "一侧的 '%.80s' 方向相反", kind);
            for (int k = 0; k < m->njoint; k++) {
                qi_names_kind(m, k, other, sizeof other);
                p->perm[k] = !strcmp(kind, other) && (strstr(m->joint[k], "L_") != NULL) == side;
                count += p->perm[k];
            }
            if (count < 2) l->n--;
        }
    }
}

int qi_repair_list(const qi_manifest *m, const qiao_robot *r, qi_repair *p, int cap) {
    list l = {m, r, p, 0, cap};
    // few and likely ones first
    void (*const parts[])(list *) = {list_orders, list_pose,  list_history, list_clock, list_rates,
                                     list_action, list_terms, list_gains,   list_flips, list_pairs};
    for (int g = 0, from = 0; g < (int)(sizeof parts / sizeof *parts); g++, from = l.n) {
        parts[g](&l);
        for (int i = from; i < l.n; i++) l.p[i].group = g;
    }
    return l.n;
}

// ---- apply ----

static void set_pose(qi_manifest *m, int j, double x) {
    if (m->action.offset[j] == m->default_pose[j]) w(m->action.offset)[j] = x;
    w(m->default_pose)[j] = x;
}

static double rest_of(const qiao_robot *r, const char *joint, double none) {
    int j = qiao_model_joint(r->model, joint);
    return j >= 0 && r->rest_q ? r->rest_q[r->model->jnt_qadr[j]] : none;
}

static void apply_pose(qi_manifest *m, const qiao_robot *r, const qi_repair *p) {
    double old[QI_MAN_JOINTS];
    memcpy(old, m->default_pose, (size_t)m->njoint * sizeof *old);
    for (int i = 0; i < m->njoint; i++)
        set_pose(m, i,
                 p->kind == POSE_REST    ? rest_of(r, m->joint[i], old[i])
                 : p->kind == POSE_TIMES ? old[i] * p->x
                                         : old[p->perm[i]]);
}

static void apply_gain(qi_manifest *m, const qi_repair *p) {
    int n = m->njoint;
    double kp[QI_MAN_JOINTS], kd[QI_MAN_JOINTS];
    memcpy(kp, m->kp, (size_t)n * sizeof *kp), memcpy(kd, m->kd, (size_t)n * sizeof *kd);
    for (int i = 0; i < n; i++) {
        double *a = &w(m->kp)[i], *b = &w(m->kd)[i];
        if (p->kind == GAIN_DRIVE) *a = *b = -1;
        if (p->kind == GAIN_SWAP) *a = kd[i], *b = kp[i];
        if (p->kind == GAIN_PERM) *a = kp[p->perm[i]], *b = kd[p->perm[i]];
        if (p->kind == GAIN_TIMES && p->a & 1 && *a > 0) *a *= p->x;
        if (p->kind == GAIN_TIMES && p->a & 2 && *b > 0) *b *= p->x;
    }
}

static bool apply_term(qi_manifest *m, const qi_repair *p) {
    qi_obs_group *g = p->a ? &m->enc : &m->obs;
    qi_term *t = wt(&g->term[p->b]);
    static const char *const frames[] = {"base", "imu", "world"};
    switch (p->kind) {
    case TERM_TIMES:
        for (int i = 0; i < t->dim; i++)
            if (p->c == 0 || i == p->c - 1) w(t->scale)[i] *= p->x;
        return true;
    case TERM_FRAME: t->frame = frames[p->c]; return true;
    case TERM_RELATIVE: t->relative = !t->relative; return true;
    case TERM_ACT: t->act = (qi_act_source)p->c; return true;
    default: break;
    }
    qi_term *s = wt(&g->term[p->c]), x = *t;
    *t = *s, *s = x;
    return true;
}

// A joint that turns the other way: in what is seen of it and in what is asked of it.
static void apply_flip(qi_manifest *m, const qi_repair *p) {
    for (int i = 0; i < m->njoint; i++)
        if (p->perm[i]) w(m->action.scale)[i] *= -1;
    qi_obs_group *g[2] = {&m->obs, &m->enc};
    for (int k = 0; k < 2; k++)
        for (int t = 0; t < g[k]->nterm; t++) {
            const qi_term *term = &g[k]->term[t];
            bool joint = term->kind == QI_TERM_JOINT_POS || term->kind == QI_TERM_JOINT_VEL ||
                         term->kind == QI_TERM_JOINT_ERROR;
            for (int i = 0; joint && i < term->njoint; i++)
                if (p->perm[term->joint[i]]) w(term->scale)[i] *= -1;
        }
}

static void apply_clock(qi_manifest *m, const qi_repair *p) {
    if (p->kind == CLOCK_TIMES) m->clock.hz *= p->x;
    for (int i = 1; p->kind == CLOCK_LEGS && i < m->clock.nleg; i++)
        m->clock.leg[i] = m->clock.leg[0] + p->x * (i & 1);
    if (p->kind ==
        CLOCK_SHIFT) { // sin and cos exchanged: cos(x) = sin(x + 1/4), sin(x) = -cos(x + 1/4)
        qi_term *t = wt(&(p->a ? &m->enc : &m->obs)->term[p->b]);
        for (int i = 0; i < m->clock.nleg; i++) m->clock.leg[i] += 0.25;
        w(t->scale)[1] *= -1;
    }
}

bool qi_repair_apply(qi_manifest *m, const qiao_robot *r, const qi_repair *p) {
    qi_obs_group *g = p->a ? &m->enc : &m->obs;
    switch (p->kind) {
    case PERM: permute_all(m, p->perm, p->whole); break;
    case POSE_REST:
    case POSE_TIMES:
    case POSE_PERM: apply_pose(m, r, p); break;
    case GAIN_DRIVE:
    case GAIN_TIMES:
    case GAIN_SWAP:
    case GAIN_PERM: apply_gain(m, p); break;
    case ACT_TIMES:
        for (int i = 0; i < m->njoint; i++) w(m->action.scale)[i] *= p->x;
        break;
    case ACT_KIND: {
        union {
            const qi_action_kind *in;
            qi_action_kind *out;
        } of = {m->action.of};
        m->action.kind = (qi_action_kind)p->a;
        for (int i = 0; i < m->njoint; i++) {
            of.out[i] = m->action.kind;
            w(m->action.offset)[i] = p->a == QI_ACTION_POSITION ? m->default_pose[i] : 0;
        }
        break;
    }
    case ACT_OFFSET:
        for (int i = 0; i < m->njoint; i++) w(m->action.offset)[i] = p->a ? m->default_pose[i] : 0;
        break;
    case FLIP_KIND: apply_flip(m, p); break;
    case HIST_LAYOUT:
        g->by_term = !g->by_term;
        if (p->b) g->newest_first = !g->newest_first;
        break;
    case HIST_AGE: g->newest_first = !g->newest_first; break;
    case HIST_FILL: g->fill_zero = !g->fill_zero; break;
    case CLOCK_TIMES:
    case CLOCK_SHIFT:
    case CLOCK_LEGS: apply_clock(m, p); break;
    case RATE: m->rate_hz = p->x; break;
    default: apply_term(m, p);
    }
    return qi_manifest_layout(m, NULL);
}

const char *qi_fact_name(qi_fact f) {
    static const char *const name[] = {"joint_order", "default_pose", "gains",      "scale",
                                       "history",     "clock",        "sign",       "frame",
                                       "rate",        "action",       "privileged", "output",
                                       "torque",      "stability",    "behaviour",  "file"};
    return (unsigned)f < QI_FACT_COUNT ? name[f] : "?";
}
