// SPDX-License-Identifier: Apache-2.0
// prove_tell.c - what a sweep says, in words on stdout.
#include "prove.h"

#include "prove/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t passed_of(const qiao_table *t) {
    uint64_t k = 0;
    for (int i = 0; i < t->ntrial; i++) k += t->passed[i] != 0;
    return k;
}

bool prove_verdict(const prove_job *j, const prove_side *s, char *text, size_t cap) {
    const qiao_table *t = &s->table;
    uint64_t k = passed_of(t), n = (uint64_t)t->ntrial;
    bool zh = args_chinese(), ok;
    if (j->decide > 0 && j->decision) {
        ok = j->decision > 0;
        snprintf(text, cap,
                 zh ? "序贯检验（Wald）：成功率%s %.4g %%（%.4g 到 %.4g %% 之间不作区分，"
                      "错误概率 %.2g %%）"
                    : "Wald's sequential test: success is %s %.4g %% (no difference is made from "
                      "%.4g to %.4g %%; wrong in at most %.2g %% of such tests)",
                 ok ? (zh ? "高于" : "above") : (zh ? "低于" : "below"), 100 * j->decide,
                 100 * j->p_bad, 100 * j->p_good, 100 * (1 - j->level));
        return ok;
    }
    // looked at again and again, the interval that holds at every look counts
    bool looked = j->until > 0 || j->decide > 0;
    qiao_interval i =
        looked ? qiao_stat_sequence(k, n, j->level) : qiao_stat_exact(k, n, j->level, -1);
    double need = j->decide > 0 ? j->decide : j->need;
    ok = i.lo >= need;
    char bound[24];
    qi_say_bound(bound, sizeof bound, i.lo, -1);
    snprintf(text, cap,
             zh ? "要求成功率至少 %.4g %%；%s下界（%g %%）为 %s %%：%s"
                : "at least %.4g %% are needed; the %s lower bound (%g %%) is %s %%: %s",
             100 * need, looked ? (zh ? "随时有效的" : "anytime-valid") : (zh ? "精确" : "exact"),
             100 * j->level, bound,
             ok ? (zh ? "达到" : "reached") : (zh ? "未达到" : "not reached"));
    return ok;
}

static void tell_measures(const prove_job *j, const qiao_table *t) {
    bool zh = args_chinese();
    double *x = malloc(((size_t)t->ntrial + 1) * sizeof *x);
    if (!x) return;
    printf(zh ? "\n  %-26s %-8s %10s %23s %10s %10s\n" : "\n  %-26s %-8s %10s %23s %10s %10s\n",
           zh ? "量" : "measure", zh ? "单位" : "unit", zh ? "均值" : "mean",
           zh ? "（自助法区间）" : "(bootstrap interval)", "5 %", "95 %");
    for (int m = -1; m < t->nmeasure; m++) {
        for (int i = 0; i < t->ntrial; i++)
            x[i] = m < 0 ? t->total[i] : t->measure[(size_t)i * (size_t)t->nmeasure + (size_t)m];
        qiao_interval mean = qiao_stat_mean(x, t->ntrial, j->level, (uint64_t)j->seed);
        qiao_interval lo = qiao_stat_quantile(x, t->ntrial, 0.05, j->level);
        qiao_interval hi = qiao_stat_quantile(x, t->ntrial, 0.95, j->level);
        printf("  %-26s %-8s %10.4g %11.4g .. %8.4g %10.4g %10.4g\n",
               m < 0 ? (zh ? "得分" : "score") : t->measure_name[m],
               m < 0 ? "" : t->measure_unit[m], mean.est, mean.lo, mean.hi, lo.est, hi.est);
    }
    free(x);
}

static void tell_why(const qiao_table *t, const qiao_why *w) {
    bool zh = args_chinese();
    if (w->ncause == 0) return;
    puts(zh ? "\n失败原因（最先发生的）" : "\nfirst causes of failure");
    for (int i = 0; i < w->ncause && i < 10; i++) {
        const qiao_cause *c = &w->cause[i];
        char share[60];
        qi_say_column(share, sizeof share, &c->share);
        printf("  %-40s %6d  %s\n", c->name, c->n, share);
    }
    for (int i = 0; i < w->nrule; i++) printf("  %s\n", zh ? w->rule[i].zh : w->rule[i].en);
    if (w->nmap && w->map[0].p < 0.05) puts(zh ? "\n与失败有关的参数" : "\nparameters that matter");
    for (int i = 0; i < w->nmap && i < 5 && w->map[i].p < 0.05; i++) {
        const qiao_map *m = &w->map[i];
        printf("  %-30s p %-9.2g", t->param_name[m->a], m->p);
        for (int b = 0; b < m->na; b++) printf(" %5.1f", 100 * m->bin[b].fail.est);
        printf(zh ? "  %% 失败，从 %.4g 到 %.4g %s\n" : "  %% fail, from %.4g to %.4g %s\n",
               m->edge_a[0], m->edge_a[m->na], t->param_unit[m->a]);
    }
}

void prove_tell(prove_job *j, prove_side *s, const qiao_why *why) {
    const qiao_table *t = &s->table;
    bool zh = args_chinese();
    char text[600];
    qiao_prove_sentence(t, j->level, zh, text, sizeof text);
    printf("\n%s: %s\n", s->name, text);
    bool ok = prove_verdict(j, s, text, sizeof text);
    printf("%s  %s\n", ok ? (zh ? "通过" : "PASSED") : (zh ? "未通过" : "NOT PASSED"), text);
    double past = prove_now() - j->begin;
    printf(zh ? "  停止：%s；本次运行 %llu 次试验，每秒 %.0f 次\n"
              : "  stopped by %s; %llu trials run now, %.0f a second\n",
           j->stopped, (unsigned long long)(j->ndone - j->had),
           (double)(j->ndone - j->had) / fmax(past, 1e-3));
    tell_measures(j, t);
    if (why) tell_why(t, why);
}

void prove_tell_groups(prove_job *j, const prove_side *s, int p) {
    enum { BINS = 5 };
    const qiao_table *t = &s->table;
    bool zh = args_chinese();
    double lo = t->param_range[p][0], hi = t->param_range[p][1];
    bool choice = hi - lo < 12 && hi == floor(hi) && lo == floor(lo);
    for (int i = 0; i < t->ntrial && choice; i++) {
        double x = t->param[(size_t)i * (size_t)t->nparam + (size_t)p];
        choice = x == floor(x);
    }
    int n = choice ? (int)(hi - lo) + 1 : BINS;
    printf(zh ? "\n按 %s 分组\n" : "\nby %s\n", t->param_name[p]);
    for (int b = 0; b < n; b++) {
        double from = choice ? lo + b : lo + (hi - lo) * b / n;
        double to = choice ? from : lo + (hi - lo) * (b + 1) / n;
        uint64_t k = 0, all = 0;
        double sum = 0;
        for (int i = 0; i < t->ntrial; i++) {
            double x = t->param[(size_t)i * (size_t)t->nparam + (size_t)p];
            if (choice ? x != from : x < from || (b + 1 < n ? x >= to : x > to)) continue;
            all++, k += t->passed[i] != 0, sum += t->total[i];
        }
        if (choice)
            printf("  %-22.6g", from);
        else
            printf("  %9.4g .. %-9.4g", from, to);
        if (!all) {
            puts(zh ? "     没有试验" : "     no trial");
            continue;
        }
        qiao_interval i = qiao_stat_exact(k, all, j->level, 0);
        char share[60];
        qi_say_column(share, sizeof share, &i);
        printf(zh ? " %s %8llu 次  %s  平均得分 %.3f\n" : " %s %8llu trials  %s  mean score %.3f\n",
               t->param_unit[p], (unsigned long long)all, share, sum / (double)all);
    }
}

void prove_tell_second(const prove_side *s, const qiao_second_opinion *o) {
    const qiao_table *t = &s->table;
    bool zh = args_chinese();
    if (o->n == 0) return;
    int same = 0;
    for (int i = 0; i < o->n; i++) same += o->passed[i] == t->passed[o->row[i]];
    printf(zh ? "\n第二意见（引擎 mujoco）：重算 %d 次，判定相同 %d 次\n"
              : "\nsecond opinion (engine mujoco): %d trials run again, the same verdict in %d\n",
           o->n, same);
    for (int i = 0; i < o->n; i++) {
        int r = o->row[i];
        if (o->passed[i] == t->passed[r]) continue;
        printf("  %llu: %s (%s)  |  mujoco: %s (%s)\n", (unsigned long long)t->trial[r],
               t->passed[r] ? (zh ? "通过" : "passed") : (zh ? "失败" : "failed"),
               t->passed[r] ? "-" : t->cause_name[t->cause[r]],
               o->passed[i] ? (zh ? "通过" : "passed") : (zh ? "失败" : "failed"),
               o->passed[i] ? "-" : o->cause[i]);
    }
}
