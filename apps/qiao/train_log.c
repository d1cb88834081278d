// SPDX-License-Identifier: Apache-2.0
// train_log.c - see train_log.h. The CSV holds all; page and dashboard are made of its rows.
#include "train_log.h"
#include "args.h"
#include "train_curve.h"

#include "base/json.h"
#include "rec/embed.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// columns before the terms of the reward
enum {
    C_ITER,
    C_STEPS,
    C_SECONDS,
    C_REWARD,
    C_EPISODE,
    C_LENGTH,
    C_ENDED,
    C_EPISODES,
    C_SPEED,
    C_TURN,
    C_GOALS,
    C_GOAL_ERROR,
    C_SHARE,
    C_GROUND,
    C_POLICY,
    C_VALUE,
    C_ENTROPY,
    C_SYMMETRY,
    C_KL,
    C_RATE,
    C_STD,
    C_GRAD,
    C_EXPLAINED,
    C_LIVE,
    C_LEARN,
    COLUMNS
};
static const char *const column[COLUMNS] = {
    "iteration", "steps",       "seconds",    "reward",   "episode",    "length", "ended",
    "episodes",  "speed_error", "turn_error", "goals",    "goal_error", "share",  "ground",
    "policy",    "value",       "entropy",    "symmetry", "kl",         "rate",   "std",
    "grad",      "explained",   "live_s",     "learn_s"};
enum { WIDTH = COLUMNS + QIAO_TRAIN_TERMS };

struct train_log {
    char dir[900], name[100];
    uint64_t seed;
    int nterm, n, cap;
    char term[QIAO_TRAIN_TERMS][32];
    double (*row)[WIDTH];
    FILE *csv;
    double began, shown, before; // before: s of earlier runs
    int lines, window;           // window: iterations between checkpoints
};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bool room(train_log *l) {
    if (l->n < l->cap) return true;
    int cap = l->cap ? 2 * l->cap : 256;
    double(*row)[WIDTH] = realloc(l->row, (size_t)cap * sizeof *row);
    if (!row) return false;
    return l->row = row, l->cap = cap, true;
}

static void write_head(train_log *l) {
    for (int c = 0; c < COLUMNS; c++) fprintf(l->csv, "%s%s", c ? "," : "", column[c]);
    for (int k = 0; k < l->nterm; k++) fprintf(l->csv, ",%s", l->term[k]);
    fputc('\n', l->csv);
}
static void write_row(train_log *l, const double *r) {
    for (int c = 0; c < COLUMNS + l->nterm; c++) fprintf(l->csv, "%s%.9g", c ? "," : "", r[c]);
    fputc('\n', l->csv);
}

// Rows of an earlier run, up to an iteration.
static void read_rows(train_log *l, FILE *f, uint64_t last) {
    char line[4096];
    while (fgets(line, sizeof line, f) && room(l)) {
        double *r = l->row[l->n];
        int c = 0;
        for (char *p = line, *end; c < WIDTH; p = end + 1) {
            r[c++] = strtod(p, &end);
            if (*end != ',') break;
        }
        if (c < COLUMNS || r[C_ITER] > (double)last) break;
        l->n++, l->before = r[C_SECONDS];
    }
}

static bool read_old(train_log *l, const char *path, uint64_t resume) {
    char line[4096];
    FILE *f = fopen(path, "r");
    if (!f || !fgets(line, sizeof line, f)) {
        if (f) fclose(f);
        return false;
    }
    int c = 0;
    bool same = true; // an older program had other columns: they are kept beside
    for (char *save, *p = strtok_r(line, ",\n", &save); p; p = strtok_r(NULL, ",\n", &save), c++)
        if (c < COLUMNS)
            same &= strcmp(p, column[c]) == 0;
        else if (l->nterm < QIAO_TRAIN_TERMS)
            snprintf(l->term[l->nterm++], sizeof l->term[0], "%s", p);
    if (same) read_rows(l, f, resume);
    fclose(f);
    if (same) return true;
    char old[1010];
    snprintf(old, sizeof old, "%s.old", path);
    rename(path, old);
    l->nterm = 0;
    return false;
}

train_log *train_log_new(const char *dir, const char *name, uint64_t seed, uint64_t resume,
                         qiao_diag *d) {
    char path[1000];
    train_log *l = calloc(1, sizeof *l);
    if (!l) return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory"), NULL;
    snprintf(l->dir, sizeof l->dir, "%s", dir), snprintf(l->name, sizeof l->name, "%s", name);
    snprintf(path, sizeof path, "%s/log.csv", dir);
    l->seed = seed, l->began = now();
    bool old = resume > 0 && read_old(l, path, resume);
    l->csv = fopen(path, "w");
    if (!l->csv) {
        qiao_diag_set(d, QIAO_E_IO, path, 0, 0, "cannot be written");
        train_log_free(l);
        return NULL;
    }
    if (old) {
        write_head(l);
        for (int i = 0; i < l->n; i++) write_row(l, l->row[i]);
    }
    return l;
}

void train_log_free(train_log *l) {
    if (!l) return;
    if (l->csv) fclose(l->csv);
    free(l->row), free(l);
}

qiao_err train_log_add(train_log *l, const qiao_train_stats *s, qiao_diag *d) {
    if (!room(l)) return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    l->window = s->checkpoint;
    if (l->nterm == 0) { // the first row says which terms there are
        l->nterm = s->nterm;
        for (int k = 0; k < s->nterm; k++)
            snprintf(l->term[k], sizeof l->term[0], "%s", s->term_name[k]);
        write_head(l);
    }
    double *r = l->row[l->n++];
    const double all[COLUMNS] = {(double)s->iteration,
                                 s->steps,
                                 l->before + now() - l->began,
                                 s->reward,
                                 s->episode,
                                 s->length,
                                 s->ended,
                                 s->episodes,
                                 s->speed_error,
                                 s->turn_error,
                                 s->goals,
                                 s->goal_error,
                                 s->share,
                                 s->ground,
                                 s->policy,
                                 s->value,
                                 s->entropy,
                                 s->symmetry,
                                 s->kl,
                                 s->rate,
                                 s->std,
                                 s->grad,
                                 s->explained,
                                 s->live_s,
                                 s->learn_s};
    memcpy(r, all, sizeof all);
    memcpy(r + COLUMNS, s->term, (size_t)l->nterm * sizeof *r);
    write_row(l, r);
    if (fflush(l->csv) != 0)
        return qiao_diag_set(d, QIAO_E_IO, l->dir, 0, 0, "log.csv cannot be written");
    return QIAO_OK;
}

// ---- the page ----

enum { POINTS = 600 }; // of a curve at most

// What an episode came to in row i: over all episodes that ended from one checkpoint's distance on.
// At a checkpoint all worlds begin anew, so in the iterations behind it only short ones end; over
// that distance each kind comes once. NAN: none ended.
static double of_episodes(const train_log *l, int c, int i) {
    double sum = 0, n = 0;
    for (int k = i; k >= 0 && (k == i || k > i - l->window); k--)
        if (l->row[k][C_EPISODES] > 0)
            sum += l->row[k][C_EPISODES] * l->row[k][c], n += l->row[k][C_EPISODES];
    return sum / n;
}
static bool ends(int c) { return c == C_EPISODE || c == C_LENGTH || c == C_ENDED; }

static void put_curve(qi_json *j, const train_log *l, const char *name, int c) {
    int every = l->n / POINTS + 1;
    qi_json_open(j, name, '[');
    for (int i = (l->n - 1) % every; i < l->n && i >= 0; i += every) {
        const double *r = l->row[i];
        double before = i ? l->row[i - 1][C_STEPS] : 0;
        qi_json_num(j, NULL,
                    ends(c)  ? of_episodes(l, c, i)
                    : c >= 0 ? r[c]
                             : (r[C_STEPS] - before) / (r[C_LIVE] + r[C_LEARN]));
    }
    qi_json_close(j, ']');
}

static void put_seed(qi_json *j, const char *name, const train_log *l, const char *replay) {
    static const struct {
        const char *name;
        int c;
    } curve[] = {{"steps", C_STEPS},
                 {"episode", C_EPISODE},
                 {"length", C_LENGTH},
                 {"ended", C_ENDED},
                 {"speed_error", C_SPEED},
                 {"turn_error", C_TURN},
                 {"goals", C_GOALS},
                 {"goal_error", C_GOAL_ERROR},
                 {"ground", C_GROUND},
                 {"value", C_VALUE},
                 {"explained", C_EXPLAINED},
                 {"kl", C_KL},
                 {"rate", C_RATE},
                 {"std", C_STD},
                 {"speed", -1}};
    if (name) qi_json_open(j, NULL, '{'), qi_json_str(j, "page", name);
    qi_json_int(j, "seed", (long long)l->seed);
    if (replay) qi_json_str(j, "replay", replay);
    for (size_t i = 0; i < sizeof curve / sizeof *curve; i++)
        put_curve(j, l, curve[i].name, curve[i].c);
    qi_json_open(j, "terms", '[');
    for (int k = 0; k < l->nterm; k++) {
        qi_json_open(j, NULL, '{');
        qi_json_str(j, "name", l->term[k]);
        put_curve(j, l, "y", COLUMNS + k);
        qi_json_close(j, '}');
    }
    qi_json_close(j, ']');
    if (name) qi_json_close(j, '}');
}
static void put_head(qi_json *j, const train_log *l, const qiao_train *t, bool over,
                     double steps_all) {
    qi_json_open(j, NULL, '{');
    qi_json_str(j, "name", l->name), qi_json_str(j, "robot", qiao_train_robot_name(t));
    qi_json_str(j, "scenario", qiao_train_scenario(t)), qi_json_bool(j, "over", over);
    qi_json_num(j, "steps_all", steps_all), qi_json_int(j, "window", l->window);
}

static qiao_err write_page(const char *dir, char *data, bool over, qiao_diag *d) {
    const qi_embed *e = qi_embed_get("train.html");
    char path[1000], *page = NULL;
    size_t n = 0;
    FILE *f = data ? open_memstream(&page, &n) : NULL;
    for (const char *p = e->begin; f && p < e->end;) {
        const char *mark = strstr(p, "<!--@");
        if (!mark || mark >= e->end) mark = e->end;
        fwrite(p, 1, (size_t)(mark - p), f);
        if (mark == e->end) break;
        if (strncmp(mark, "<!--@data", 9) == 0)
            for (const char *c = data; *c; c++)
                *c == '<' ? fputs("\\u003c", f) : fputc(*c, f); // no tag can end the script
        if (strncmp(mark, "<!--@refresh", 12) == 0 && !over)
            fputs("<meta http-equiv=\"refresh\" content=\"15\">", f);
        p = strstr(mark, "-->") + 3;
    }
    if (f) fclose(f);
    snprintf(path, sizeof path, "%s/page.html", dir);
    qiao_err err = f ? qiao_file_write(path, page, n, d)
                     : qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    free(page), free(data);
    return err;
}

qiao_err train_log_page(train_log *l, const qiao_train *t, const char *replay, bool over,
                        double steps_all, qiao_diag *d) {
    qi_json j = {0};
    put_head(&j, l, t, over, steps_all), put_seed(&j, NULL, l, replay);
    qi_json_close(&j, '}');
    return write_page(l->dir, qi_json_end(&j), over, d);
}

qiao_err train_log_page_all(const train_log *const *l, int n, const qiao_train *t, const char *dir,
                            bool over, double steps_all, qiao_diag *d) {
    qi_json j = {0};
    put_head(&j, l[0], t, over, steps_all);
    qi_json_open(&j, "seeds", '[');
    for (int i = 0; i < n; i++) {
        const char *slash = strrchr(l[i]->dir, '/');
        char page[1000];
        snprintf(page, sizeof page, "..%s/page.html", slash ? slash : "");
        put_seed(&j, page, l[i], NULL);
    }
    qi_json_close(&j, ']'), qi_json_close(&j, '}');
    return write_page(dir, qi_json_end(&j), over, d);
}

qiao_err train_log_curve(const train_log *l, qiao_diag *d) {
    static const struct {
        int c;
        const char *name;
    } shown[] = {{C_EPISODE, "return of an episode"}, {C_LENGTH, "length of an episode, s"},
                 {C_SPEED, "error of velocity, m/s"}, {C_TURN, "error of turning, rad/s"},
                 {C_GOALS, "goals a minute"},         {C_GOAL_ERROR, "distance from the goal"}};
    enum { SHOWN = sizeof shown / sizeof *shown };
    size_t n = (size_t)l->n;
    double *x = malloc(((SHOWN + 1) * n + 1) * sizeof *x);
    if (!x) return qiao_diag_set(d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    train_panel panel[SHOWN];
    int np = 0;
    for (size_t i = 0; i < n; i++) x[i] = l->row[i][C_STEPS] / 1e6;
    for (int p = 0; p < SHOWN; p++) {
        double *y = x + (size_t)(np + 1) * n, most = 0;
        for (size_t i = 0; i < n; i++) {
            y[i] = ends(shown[p].c) ? of_episodes(l, shown[p].c, (int)i) : l->row[i][shown[p].c];
            if (isfinite(y[i])) most = fmax(most, fabs(y[i]));
        }
        if (most > 0) panel[np++] = (train_panel){shown[p].name, y}; // else it is not asked for
    }
    char path[1000], title[200];
    const double *last = n ? l->row[n - 1] : NULL;
    snprintf(path, sizeof path, "%s/curve.svg", l->dir);
    snprintf(title, sizeof title, "%s, seed %llu: %.1f M steps in %.0f s", l->name,
             (unsigned long long)l->seed, last ? last[C_STEPS] / 1e6 : 0,
             last ? last[C_SECONDS] : 0);
    qiao_err e = train_curve(path, title, "M steps of worlds", x, l->n, panel, np, d);
    free(x);
    return e;
}

// ---- the dashboard ----

static void clock_text(double s, char out[16]) {
    if (!(s < 360000))
        snprintf(out, 16, "--");
    else if (s >= 3600)
        snprintf(out, 16, "%d:%02d:%02d", (int)s / 3600, (int)s / 60 % 60, (int)s % 60);
    else
        snprintf(out, 16, "%d:%02d", (int)s / 60, (int)s % 60);
}

static const char *number(double x, int digits, char out[16]) {
    if (isfinite(x))
        snprintf(out, 16, "%.*f", digits, x);
    else
        snprintf(out, 16, "--");
    return out;
}

static void tell_episodes(const train_log *l, char ret[16], char len[16], char fell[16]) {
    int i = l->n - 1;
    number(i < 0 ? NAN : of_episodes(l, C_EPISODE, i), 2, ret);
    number(i < 0 ? NAN : of_episodes(l, C_LENGTH, i), 1, len);
    number(i < 0 ? NAN : 100 * of_episodes(l, C_ENDED, i), 0, fell);
}

// How far the worlds are from what is asked: goals where there are any, else commands.
static void aim_text(const qiao_train_stats *s, bool zh, char out[96]) {
    if (s->goal_error > 0)
        snprintf(out, 96, zh ? "每分钟目标 %.2f    距离 %.3f" : "goals %.2f a minute    off %.3f",
                 s->goals, s->goal_error);
    else
        snprintf(out, 96,
                 zh ? "速度误差 %.3f 米/秒    转向误差 %.3f 弧度/秒"
                    : "velocity off %.3f m/s    turning off %.3f rad/s",
                 s->speed_error, s->turn_error);
}

double train_log_row(const train_log *l, const qiao_train_stats *s) {
    bool zh = args_chinese();
    double rate = s->steps / (l->before + now() - l->began);
    char left[16], ret[16], len[16], fell[16], aim[96];
    aim_text(s, zh, aim), clock_text(fmax(0, s->steps_all - s->steps) / rate, left);
    tell_episodes(l, ret, len, fell);
    fprintf(stderr,
            zh ? "  种子 %llu  %3.0f %%  剩余 %s  回报 %s  时长 %s 秒  跌倒 %s %%  %s\n"
               : "  seed %llu  %3.0f %%  %s left  return %s  length %s s  fell %s %%  %s\n",
            (unsigned long long)l->seed, 100 * fmin(1, s->steps / s->steps_all), left, ret, len,
            fell, aim);
    return rate;
}

void train_log_show(train_log *l, const qiao_train_stats *s) {
    bool tty = isatty(2), zh = args_chinese();
    double at = now(), spent = at - l->began, rate = s->steps / (l->before + spent);
    if (l->shown > 0 && at - l->shown < (tty ? 0.5 : 10) && s->steps < s->steps_all) return;
    l->shown = at;
    char gone[16], left[16], ret[16], len[16], fell[16], aim[96], ground[48] = "";
    aim_text(s, zh, aim);
    tell_episodes(l, ret, len, fell);
    clock_text(l->before + spent, gone), clock_text((s->steps_all - s->steps) / rate, left);
    if (!tty) {
        fprintf(stderr,
                zh ? "  %s  %.1f/%.0f M 步  %.0f 步/秒  剩余 %s  回报 %s  时长 %s 秒  跌落 "
                     "%s %%  %s\n"
                   : "  %s  %.1f of %.0f M steps  %.0f steps/s  %s left  return %s  "
                     "length %s s  fell %s %%  %s\n",
                gone, s->steps / 1e6, s->steps_all / 1e6, rate, left, ret, len, fell, aim);
        return;
    }
    if (l->lines) fprintf(stderr, "\x1b[%dA", l->lines);
    l->lines = 8;
    int full = (int)(40 * s->steps / s->steps_all);
    full = full > 40 ? 40 : full < 0 ? 0 : full;
    fprintf(stderr, "\x1b[K  %s  \x1b[7m%*s\x1b[0m%*s| %.0f %%\n", l->name, full, "", 40 - full, "",
            100 * s->steps / s->steps_all);
    fprintf(stderr,
            zh ? "\x1b[K  已用 %s  剩余 %s   %.1f M 步   %.0f 步/秒（模拟 %.0f %%，学习 %.0f %%）\n"
               : "\x1b[K  %s gone, %s left   %.1f M steps   %.0f steps/s (living %.0f %%, learning "
                 "%.0f %%)\n",
            gone, left, s->steps / 1e6, rate, 100 * s->live_s / (s->live_s + s->learn_s),
            100 * s->learn_s / (s->live_s + s->learn_s));
    fprintf(stderr,
            zh ? "\x1b[K  每回合回报 %8s    时长 %6s 秒    跌倒 %5s %%\n"
               : "\x1b[K  return %8s    length %6s s    fell %5s %%\n",
            ret, len, fell);
    if (s->ground > 0)
        snprintf(ground, sizeof ground, zh ? "    地面 %.0f %%" : "    ground %.0f %%",
                 100 * s->ground);
    fprintf(stderr, zh ? "\x1b[K  %s    课程 %.0f %%%s\n" : "\x1b[K  %s    curriculum %.0f %%%s\n",
            aim, 100 * s->share, ground);
    fprintf(
        stderr,
        zh ? "\x1b[K  损失：策略 %+.4f  评论家 %.4f   解释 %.2f   散度 %.4f   学习率 %.1e\n"
           : "\x1b[K  losses: policy %+.4f  critic %.4f   explained %.2f   KL %.4f   rate %.1e\n",
        s->policy, s->value, s->explained, s->kl, s->rate);
    fprintf(stderr,
            zh ? "\x1b[K  动作标准差 %.3f   熵 %.2f   梯度 %.2f\n"
               : "\x1b[K  deviation %.3f   entropy %.2f   gradient %.2f\n",
            s->std, s->entropy, s->grad);
    fprintf(stderr, "\x1b[K  ");
    for (int k = 0, w = 2; k < s->nterm; k++) {
        int n = snprintf(NULL, 0, "%s %+.4f  ", s->term_name[k], s->term[k]);
        if (w + n > 100) break;
        w += n;
        fprintf(stderr, "%s %+.4f  ", s->term_name[k], s->term[k]);
    }
    fprintf(stderr, "\n\x1b[K\n");
}
