// SPDX-License-Identifier: Apache-2.0
// report.c - see report.h.
#include "report.h"

#include "args.h"
#include "commands.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *verdict_text(qiao_verdict v) {
    return v == QIAO_PASSED ? "passed" : v == QIAO_FAILED ? "failed" : "running";
}

static void put_measures(qi_json *j, const qiao_score *s) {
    qi_json_open(j, "measures", '[');
    for (int i = 0; i < s->nmeasure; i++) {
        const qiao_measure *m = &s->measure[i];
        qi_json_open(j, NULL, '{');
        qi_json_str(j, "name", m->name);
        qi_json_str(j, "kind",
                    m->kind == 'c'   ? "completion"
                    : m->kind == 'p' ? "penalty"
                                     : "envelope");
        qi_json_num(j, "value", m->value);
        qi_json_str(j, "unit", m->unit);
        qi_json_num(j, "limit", m->limit);
        qi_json_num(j, "weight", m->weight);
        qi_json_bool(j, "broken", m->broken);
        qi_json_close(j, '}');
    }
    qi_json_close(j, ']');
}

// One result as a JSON object; the paths are those of the files written.
static void put_result(qi_json *j, const report *r, const report_trial *t) {
    const qiao_score *s = &t->result->score;
    char hex[QIAO_HASH_HEX];
    uint8_t hash[QIAO_HASH_BYTES];
    qi_json_open(j, NULL, '{');
    qi_json_str(j, "qiao", QIAO_VERSION);
    qi_json_str(j, "scenario", qiao_scenario_name(r->scenario));
    qiao_scenario_digest(r->scenario, hash), qiao_hash_hex(hash, hex);
    qi_json_str(j, "scenario_hash", hex);
    qi_json_str(j, "robot", r->robot->name);
    qiao_hash_hex(r->robot->hash, hex);
    qi_json_str(j, "robot_hash", hex);
    qi_json_str(j, "brain", r->brain);
    qi_json_str(j, "engine", r->engine);
    qi_json_int(j, "seed", (long long)t->seed);
    qi_json_str(j, "verdict", verdict_text(s->verdict));
    qi_json_num(j, "score", s->total);
    qi_json_num(j, "completion", s->completion);
    qi_json_num(j, "time_s", s->time);
    qi_json_str(j, "reason", s->reason);
    put_measures(j, s);
    qiao_hash_hex(t->result->trace, hex);
    qi_json_str(j, "trace", hex);
    qi_json_str(j, "folder", t->dir);
    qi_json_close(j, '}');
}

static void tell_measure(const qiao_measure *m) {
    char bound[48] = "";
    if (isfinite(m->limit)) snprintf(bound, sizeof bound, "limit %.4g", m->limit);
    if (m->kind == 'c') snprintf(bound, sizeof bound, "weight %.3g", m->weight);
    if (m->kind == 'p')
        snprintf(bound, sizeof bound, m->broken ? "score times %.3g" : "not given", m->weight);
    printf("  %-28s %10.4g %-6s %s%s\n", m->name, m->value, m->unit, bound,
           m->kind == 'e' && m->broken ? "  BROKEN" : "");
}

static void tell(const report *r, const report_trial *t) {
    const qiao_score *s = &t->result->score;
    bool ok = s->verdict == QIAO_PASSED, zh = args_chinese();
    char hex[QIAO_HASH_HEX];
    qiao_hash_hex(t->result->trace, hex);
    if (r->many) {
        printf("seed %-6llu %s  score %.3f  %6.1f s  %.16s  %s\n", (unsigned long long)t->seed,
               ok ? "passed" : "FAILED", s->total, s->time, hex, s->reason);
        fflush(stdout);
        return;
    }
    printf("\n%s  %s\n", ok ? (zh ? "通过" : "PASSED") : (zh ? "未通过" : "FAILED"), s->reason);
    printf(zh ? "  得分 %.3f，完成 %.0f %%，用时 %.1f s，计算速度为实时的 %.1f 倍\n"
              : "  score %.3f, %.0f %% of the job done, %.1f s, computed at %.1f times real time\n",
           s->total, 100 * s->completion, s->time, s->time / t->wall);
    for (int i = 0; i < s->nmeasure; i++) tell_measure(&s->measure[i]);
    printf("\n%s  %s/result.json\n", zh ? "结果" : "result", t->dir);
    printf("%s    %s/case.osc\n", zh ? "用例" : "case", t->dir);
    if (t->record) printf("%s  %s\n", zh ? "记录" : "record", t->record);
    if (t->page)
        printf("%s  %s/replay.html   %s\n", zh ? "回放" : "replay", t->dir,
               zh ? "（用任意浏览器打开）" : "(open it in any browser)");
    printf("%s   %s\n", zh ? "轨迹" : "trace", hex);
}

void report_begin(report *r) {
    if (r->json) {
        if (r->many) qi_json_open(&r->out, NULL, '[');
        return;
    }
    printf("%s · %s · %s · %s\n", qiao_scenario_title(r->scenario, args_chinese()),
           args_chinese() ? r->robot->title_zh : r->robot->title, r->brain, r->engine);
    fflush(stdout);
}

qiao_err report_add(report *r, const report_trial *t, qiao_diag *d) {
    char path[PATH_MAX + 16];
    r->n++, r->passed += t->result->score.verdict == QIAO_PASSED, r->sum += t->result->score.total;
    // the files: the concrete case, the result, the page
    snprintf(path, sizeof path, "%s/case.osc", t->dir);
    qiao_err e = qiao_file_write(path, t->result->case_text, strlen(t->result->case_text), d);
    qi_json j = {0};
    put_result(&j, r, t);
    char *text = qi_json_end(&j);
    snprintf(path, sizeof path, "%s/result.json", t->dir);
    if (!e) e = text ? qiao_file_write(path, text, strlen(text), d) : QIAO_E_MEM;
    free(text);
    snprintf(path, sizeof path, "%s/replay.html", t->dir);
    if (!e && t->page) e = qiao_replay_html(t->record, path, d);
    if (e) return e;
    if (r->json)
        put_result(&r->out, r, t);
    else
        tell(r, t);
    return QIAO_OK;
}

void report_end(report *r) {
    if (r->json) {
        if (r->many) qi_json_close(&r->out, ']');
        char *text = qi_json_end(&r->out);
        if (text) fputs(text, stdout);
        free(text);
    } else if (r->many && r->n) {
        printf(args_chinese() ? "%d 次中通过 %d 次，平均得分 %.3f\n"
                              : "%d trials, %d passed, mean score %.3f\n",
               r->n, r->passed, r->sum / r->n);
    }
}
