// SPDX-License-Identifier: Apache-2.0
// why_say.c - decision rules in words.
#include "prove/why.h"
#include "prove/words.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

typedef struct text {
    char *s;
    size_t n, cap;
} text;

__attribute__((format(printf, 2, 3))) static void add(text *t, const char *fmt, ...) {
    va_list v;
    va_start(v, fmt);
    int n = vsnprintf(t->s + t->n, t->cap - t->n, fmt, v);
    va_end(v);
    if (n > 0) t->n = t->n + (size_t)n < t->cap ? t->n + (size_t)n : t->cap - 1;
}

static void say_condition(text *s, const qiao_table *t, const qiao_condition *c, bool zh) {
    const char *name = t->param_name[c->param];
    const char *unit = qi_say_unit(t->param_unit ? t->param_unit[c->param] : "");
    const char *gap = unit[0] && strcmp(unit, "°") ? " " : "";
    if (c->choices) {
        add(s, zh ? "%.60s 为第 " : "%.60s is choice ", name);
        for (int i = 0, said = 0; i < 64; i++)
            if (c->choices >> i & 1)
                add(s, "%s%d", said++ ? zh ? "、" : " or " : "",
                    (int)t->param_range[c->param][0] + i);
        if (zh) add(s, " 项");
        return;
    }
    if (isfinite(c->lo) && isfinite(c->hi))
        add(s, "%.6g <= %.60s < %.6g%s%s", c->lo, name, c->hi, gap, unit);
    else if (isfinite(c->lo))
        add(s, "%.60s > %.6g%s%s", name, c->lo, gap, unit);
    else
        add(s, "%.60s < %.6g%s%s", name, c->hi, gap, unit);
}

void qi_rule_say(const qiao_table *t, double level, qiao_rule *r, const char *cause) {
    for (int zh = 0; zh < 2; zh++) {
        text s = {zh ? r->zh : r->en, 0, sizeof r->en};
        if (!zh) {
            if (cause && cause[0])
                add(&s, "fails (%.40s) when ", cause);
            else
                add(&s, "fails when ");
        } else
            add(&s, "当 ");
        for (int i = 0; i < r->ncondition; i++) {
            if (i) add(&s, zh ? " 且 " : " and ");
            say_condition(&s, t, &r->condition[i], zh);
        }
        if (zh && cause && cause[0])
            add(&s, " 时失败（%.40s）", cause);
        else if (zh)
            add(&s, " 时失败");
        const qiao_interval *c = &r->coverage, *p = &r->precision;
        add(&s,
            zh ? "：占失败的 %.0f %%（%.0f-%.0f %%，%g %%）；其中 %.0f %%（%.0f-%.0f "
                 "%%）的试验失败，其外 "
                 "%.2g %%"
               : ": %.0f %% (%.0f-%.0f %%, %g %%) of failures; %.0f %% (%.0f-%.0f %%) of the "
                 "trials "
                 "there fail, %.2g %% outside",
            100 * c->est, floor(100 * c->lo + 1e-9), ceil(100 * c->hi - 1e-9), 100 * level,
            100 * p->est, floor(100 * p->lo + 1e-9), ceil(100 * p->hi - 1e-9), 100 * r->outside);
    }
}
