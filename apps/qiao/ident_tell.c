// SPDX-License-Identifier: Apache-2.0
// ident_tell.c - see ident_tell.h: the table, the JSON and the page.
#include "ident_tell.h"
#include "args.h"
#include "commands.h"

#include "base/json.h"
#include "rec/embed.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *zh, *motion, *motion_zh;
} words[] = {
    {"damping", "阻尼", "fast and steady motion", "快速而平稳的运动"},
    {"frictionloss", "摩擦", "slow motion that turns back often", "缓慢且频繁换向的运动"},
    {"armature", "转子惯量", "quick reversals, 2 to 5 Hz", "2 到 5 Hz 的快速换向"},
    {"mass", "质量", "slow motion through poses where gravity pulls differently",
     "缓慢经过重力作用不同的姿态"},
    {"payload", "负载", "a base that moves: with the base held a load in it says nothing",
     "机身需能运动：固定机身时其中的负载没有影响"},
    {"kp", "刚度增益", "slow motion against gravity or a known load",
     "克服重力或已知负载的缓慢运动"},
    {"kd", "阻尼增益", "commands whose own speed (qd) differs from 0", "速度指令 qd 不为 0 的指令"},
    {"torque", "力矩上限", "steps so large that the drives reach their limit",
     "幅度大到使驱动器达到上限的阶跃"},
    {"delay", "延迟", "quick reversals, 2 to 5 Hz", "2 到 5 Hz 的快速换向"},
};
static const char *motion_for(const char *name, bool zh) {
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].name, name) == 0) return zh ? words[i].motion_zh : words[i].motion;
    return "";
}

double ident_noise(const qiao_robot *r, bool speed) {
    for (int i = 0; i < r->nsensor; i++)
        if (r->sensor[i].kind == (speed ? QIAO_SENSE_JOINT_VEL : QIAO_SENSE_JOINT_POS))
            return r->sensor[i].noise;
    return 0;
}

// Said from that correlation on, where the interval is wide because of it.
static const double ALIKE = 0.9, WIDE = 1.1;

void ident_advice(const ident_report *r, int i, bool zh, char *text, size_t cap) {
    const qiao_ident_value *v = &r->result->value[i];
    text[0] = 0;
    if (!v->told)
        snprintf(text, cap,
                 zh ? "数据没有说明它；需要：%s" : "the data say nothing about it; what would: %s",
                 motion_for(v->name, zh));
    else if (v->like >= 0 && fabs(v->alike) > ALIKE && v->high > WIDE * v->low)
        snprintf(text, cap,
                 zh ? "与 %s 难以区分（相关系数 %.2f）；需要：%s"
                    : "hardly told from %s (correlation %.2f); what would: %s",
                 r->result->value[v->like].name, v->alike, motion_for(v->name, zh));
}

static const char *unit_of(const qiao_ident_value *v, bool zh) {
    if (strcmp(v->unit, "1") == 0) return zh ? "倍（相对文件）" : "times the file's";
    if (strcmp(v->unit, "s") == 0) return zh ? "秒，更多" : "s more";
    return zh ? "kg，更多" : "kg more";
}

static void put_odd(const ident_report *r, bool zh) {
    const qiao_ident_result *o = r->result;
    double noise[2] = {ident_noise(r->robot, false), ident_noise(r->robot, true)};
    double left[2] = {o->noise_q, o->noise_qd};
    for (int i = 0; i < 2; i++)
        if (noise[i] > 0 && left[i] > 1.3 * noise[i])
            printf(zh ? "  注意：%s 的残差是机器人文件所写噪声的 %.1f 倍：模型另有误差，区间偏窄\n"
                      : "  mind: what is left of %s is %.1f times the noise that the robot's file "
                        "says: the model has other faults, and the intervals are too narrow\n",
                   i ? "qd" : "q", left[i] / noise[i]);
    if (r->rec->note[0]) printf("  %s%s\n", zh ? "记录：" : "the record: ", r->rec->note);
}

void ident_table(const ident_report *r) {
    bool zh = args_chinese();
    const qiao_ident_result *o = r->result;
    printf(zh ? "%s · %.1f 秒，%d 行，%d 个关节\n\n" : "%s · %.1f s, %d rows, %d joints\n\n",
           zh ? r->robot->title_zh : r->robot->title, r->rec->seconds, r->rec->def.n, o->njoint);
    printf(zh ? "  参数              结果     95 %% 区间\n"
              : "  number           found     95 %% between\n");
    for (int i = 0; i < o->n; i++) {
        const qiao_ident_value *v = &o->value[i];
        char advice[300];
        if (v->told)
            printf("  %-13s %8.4g     %.4g .. %.4g  %s\n", v->name, v->value, v->low, v->high,
                   unit_of(v, zh));
        else
            printf("  %-13s       --\n", v->name);
        ident_advice(r, i, zh, advice, sizeof advice);
        if (advice[0]) printf("                             %s\n", advice);
    }
    printf(
        zh ? "\n  关节                    q 之前     之后    qd 之前     之后   （均方根残差）\n"
           : "\n  joint                  q before    after  qd before    after   (rms of what is "
             "left)\n");
    for (int j = 0; j < o->njoint; j++)
        printf("  %-20.20s %10.2g %8.2g %10.2g %8.2g\n", r->rec->joint[j], o->rms[0][0][j],
               o->rms[1][0][j], o->rms[0][1][j], o->rms[1][1][j]);
    put_odd(r, zh);
}

// ---- JSON ----

static void put_values(qi_json *j, const ident_report *r) {
    qi_json_open(j, "values", '[');
    for (int i = 0; i < r->result->n; i++) {
        const qiao_ident_value *v = &r->result->value[i];
        char en[300], zh[300];
        ident_advice(r, i, false, en, sizeof en), ident_advice(r, i, true, zh, sizeof zh);
        qi_json_open(j, NULL, '{');
        qi_json_str(j, "name", v->name), qi_json_str(j, "unit", v->unit);
        qi_json_bool(j, "told", v->told);
        qi_json_num(j, "value", v->value), qi_json_num(j, "low", v->low);
        qi_json_num(j, "high", v->high);
        if (v->like >= 0) qi_json_str(j, "like", r->result->value[v->like].name);
        qi_json_num(j, "correlation", v->alike);
        if (en[0]) qi_json_str(j, "advice", en), qi_json_str(j, "advice_zh", zh);
        qi_json_close(j, '}');
    }
    qi_json_close(j, ']');
}

enum { POINTS = 500 }; // of a curve at most
static void put_curve(qi_json *j, const ident_report *r, const char *key, const double *x, int k) {
    const qiao_ident_def *def = &r->rec->def;
    int every = (def->n + POINTS - 1) / POINTS;
    qi_json_open(j, key, '[');
    for (int i = 0; i < def->n && x; i += every) {
        double y = x[i * r->rec->njoint + k];
        qi_json_num(j, NULL, isfinite(y) ? (float)y : NAN);
    }
    qi_json_close(j, ']');
}

static void put_joints(qi_json *j, const ident_report *r, bool curves) {
    const qiao_ident_def *def = &r->rec->def;
    const qiao_ident_result *o = r->result;
    static const char *const rms[2][2] = {{"q_before", "qd_before"}, {"q_after", "qd_after"}};
    static const char *const path[3][2] = {{"q", "qd"}, {"q0", "qd0"}, {"q1", "qd1"}};
    qi_json_open(j, "joints", '[');
    for (int k = 0; k < o->njoint; k++) {
        qi_json_open(j, NULL, '{');
        qi_json_str(j, "name", r->rec->joint[k]);
        for (int a = 0; a < 2; a++)
            for (int s = 0; s < 2; s++) qi_json_num(j, rms[a][s], o->rms[a][s][k]);
        for (int s = 0; s < 2 && curves; s++) {
            put_curve(j, r, path[0][s], s ? def->qd : def->q, k);
            put_curve(j, r, path[1][s], def->path[0][s], k);
            put_curve(j, r, path[2][s], def->path[1][s], k);
        }
        qi_json_close(j, '}');
    }
    qi_json_close(j, ']');
}

static char *all(const ident_report *r, bool curves) {
    const qiao_ident_def *def = &r->rec->def;
    qi_json j = {0};
    char hex[QIAO_HASH_HEX];
    qi_json_open(&j, NULL, '{');
    qi_json_str(&j, "qiao", QIAO_VERSION), qi_json_str(&j, "record", r->record);
    qi_json_str(&j, "robot", r->robot->name);
    qiao_hash_hex(r->robot->hash, hex), qi_json_str(&j, "robot_hash", hex);
    if (curves) {
        qi_json_str(&j, "title", r->robot->title), qi_json_str(&j, "title_zh", r->robot->title_zh);
        qi_json_str(&j, "unit_q", r->rec->unit[0]), qi_json_str(&j, "unit_qd", r->rec->unit[1]);
        qi_json_num(&j, "step", def->period * ((def->n + POINTS - 1) / POINTS));
    }
    qi_json_str(&j, "scenario", r->rec->scenario), qi_json_str(&j, "brain", r->rec->brain);
    qi_json_num(&j, "seconds", r->rec->seconds), qi_json_int(&j, "rows", def->n);
    if (r->rec->note[0]) qi_json_str(&j, "note", r->rec->note);
    put_values(&j, r);
    qi_json_num(&j, "noise_q", r->result->noise_q);
    qi_json_num(&j, "noise_qd", r->result->noise_qd);
    qi_json_num(&j, "noise_q_said", ident_noise(r->robot, false));
    qi_json_num(&j, "noise_qd_said", ident_noise(r->robot, true));
    put_joints(&j, r, curves);
    qi_json_close(&j, '}');
    return qi_json_end(&j);
}

char *ident_json(const ident_report *r) { return all(r, false); }

qiao_err ident_page(const ident_report *r, const char *path, qiao_diag *d) {
    const qi_embed *e = qi_embed_get("identify.html");
    char *data = all(r, true), *page = NULL;
    size_t n = 0;
    static const char mark[] = "<!--@data-->";
    const char *at = strstr(e->begin, mark);
    FILE *f = data && at ? open_memstream(&page, &n) : NULL;
    if (f) {
        fwrite(e->begin, 1, (size_t)(at - e->begin), f);
        for (const char *c = data; *c; c++)
            *c == '<' ? fputs("\\u003c", f) : fputc(*c, f); // no tag can end the script
        at += sizeof mark - 1;
        fwrite(at, 1, (size_t)(e->end - at), f);
        fclose(f);
    }
    qiao_err err = f ? qiao_file_write(path, page, n, d)
                     : qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    free(page), free(data);
    return err;
}
