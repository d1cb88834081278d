// SPDX-License-Identifier: Apache-2.0
// test_prove_report.c - the report: its JSON reads back, its page opens in a browser, hostile names
// stay names.
#include "brain/jsonread.h"
#include "prove_fake.h"
#include "prove/words.h"
#include "qiao/prove_report.h"
#include "test.h"

#include <unistd.h>

static char html_path[200], json_path[200];
static void paths(void) {
    qiao_diag d = {0};
    CHECK(qiao_dir_make("build/test_report", &d) == QIAO_OK, "%s", d.text);
    snprintf(html_path, sizeof html_path, "build/test_report/report.html");
    snprintf(json_path, sizeof json_path, "build/test_report/report.json");
}

static char *text_of(const char *path) {
    char *data;
    size_t n;
    qiao_diag d = {0};
    CHECK(qiao_file_read(path, 1 << 26, &data, &n, &d) == QIAO_OK, "%s", d.text);
    return data;
}

static const qi_js *read_json(qiao_arena *a, const char *text) {
    qiao_diag d = {0};
    const qi_js *j = qi_js_read(a, text, strlen(text), &d);
    CHECK(j != NULL, "%s", d.text);
    return j;
}

// A sweep with a failing corner and a slippery surface, all parts of a report filled.
static void full_report(qiao_table *t, const char *page) {
    static uint8_t hash[2][QIAO_HASH_BYTES] = {{1, 2, 3}, {4, 5, 6}};
    static const char *const hash_name[] = {"scenario", "robot"};
    qiao_diag d = {0};
    qiao_why *w = qiao_why_new(t, 0.95, 1, &d);
    CHECK(w != NULL, "%s", d.text);
    enum { SECOND = 200 };
    static int row[SECOND];
    static uint8_t passed[SECOND];
    static double total[SECOND];
    static const char *cause[SECOND];
    for (int i = 0; i < SECOND; i++) {
        row[i] = i, passed[i] = t->passed[i], total[i] = t->total[i], cause[i] = "";
        if (i % 60 == 7) passed[i] = !passed[i], cause[i] = passed[i] ? "" : "tilt";
    }
    qiao_second_opinion second = {"mujoco", SECOND, row, passed, total, cause};
    qiao_table other = *t;
    uint8_t *worse = malloc((size_t)t->ntrial);
    for (int i = 0; i < t->ntrial; i++) worse[i] = t->passed[i] && i % 25 != 3;
    other.passed = worse;
    qiao_compare c;
    CHECK(qiao_prove_compare(t, "trot", &other, "trot_old", 0.95, &c, &d) == QIAO_OK, "%s", d.text);
    qiao_report_case cases[] = {
        {.kind = "worst",
         .row = w->worst,
         .page = page,
         .link = "worst/replay.html",
         .command = "qiao run walk_flat --robot go2 --brain trot --seed 7"},
        {.kind = "nearest", .row = w->nearest, .link = "nearest/replay.html"},
        {.kind = "shrunk", .row = -1, .command = "qiao run shrunk.osc --robot go2 --brain trot"}};
    uint64_t k = 0;
    for (int i = 0; i < t->ntrial; i++) k += t->passed[i];
    qiao_report_def def = qiao_report_def_default();
    def.table = t, def.why = w, def.scenario = "walk_flat", def.robot = "go2", def.brain = "trot";
    def.title = "Walk on flat ground to velocity commands, with one shove";
    def.title_zh = "平地按速度指令行走，途中受推一次";
    def.engine = "lanes32", def.sampling = "sobol", def.build = "0.1.0", def.seed = 1,
    def.wall = 41.3;
    def.command = "qiao prove walk_flat --robot go2 --brain trot --until 0.01";
    def.verify = "qiao verify results/walk_flat-go2-trot.qiao";
    def.stopped = "width", def.sequence = qiao_stat_sequence(k, (uint64_t)t->ntrial, 0.95);
    def.nhash = 2, def.hash_name = hash_name, def.hash = (const uint8_t(*)[QIAO_HASH_BYTES])hash;
    def.ncase = page ? 3 : 2, def.cases = cases, def.second = &second, def.compare = &c;
    CHECK(qiao_report_write(&def, html_path, json_path, &d) == QIAO_OK, "%s", d.text);
    qiao_why_free(w), free(worse);
}

static qiao_table *corner_table(int n) {
    static const fake_fault f[2] = {{2, {0, 1}, {0, 0.7}, {0.3, 1}, 0.8},
                                    {1, {FAKE_SURFACE}, {0.75}, {1}, 0.12}};
    return fake_table(12, n, f, 2, 0.01);
}

TEST(json_says_what_the_table_holds) {
    paths();
    qiao_table *t = corner_table(6000);
    full_report(t, NULL);
    char *text = text_of(json_path);
    qiao_arena *a = qiao_arena_new();
    const qi_js *j = read_json(a, text), *v = qi_js_get(j, "verdict");
    int passed = 0;
    for (int i = 0; i < t->ntrial; i++) passed += t->passed[i];
    CHECK(qi_js_num(v, "trials", 0) == 6000 && qi_js_num(v, "passed", 0) == passed);
    qiao_interval e = qiao_stat_exact((uint64_t)passed, 6000, 0.95, 0);
    CHECK_NEAR(qi_js_num(qi_js_get(v, "exact"), "lo", 0), e.lo, 0);
    CHECK(qi_js_num(qi_js_get(v, "sequence"), "lo", 1) < e.lo);
    CHECK(qi_js_get(j, "columns")->n == 4 && qi_js_get(j, "maps")->n == FAKE_PARAMS);
    CHECK(qi_js_get(j, "rules")->n >= 1 && qi_js_get(j, "causes")->n == 3);
    const qi_js *second = qi_js_get(j, "second");
    CHECK(qi_js_num(second, "agree", 0) == 196 && qi_js_get(second, "disagree")->n == 4);
    CHECK(!strcmp(qi_js_str(qi_js_get(j, "run"), "seed", ""), "1"));
    char said[200];
    qiao_prove_sentence(t, 0.95, false, said, sizeof said);
    CHECK_TEXT(said, "% exact) of 6,000 trials");
    // but the sweep stopped by width: the report's sentence takes the interval that allows for it
    CHECK_TEXT(qi_js_str(v, "en", ""), "95 % at every look) of 6,000 trials");
    CHECK_TEXT(qi_js_str(v, "zh", ""), "95 % 随时有效）");
    free(text), qiao_arena_free(a), fake_free(t);
}

// The page in a browser, as its DOM after the scripts ran; NULL: there is no browser.
static char *open_page(const char *hash) {
    static const char *const name[] = {"/usr/bin/chromium", "/usr/bin/chromium-browser",
                                       "/usr/bin/google-chrome"};
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        if (access(name[i], X_OK)) continue;
        char cmd[1200], cwd[300];
        CHECK(getcwd(cwd, sizeof cwd) != NULL);
        snprintf(cmd, sizeof cmd,
                 "timeout 60 %s --headless --no-sandbox --disable-gpu --virtual-time-budget=4000 "
                 "--dump-dom 'file://%s/%s#%s' > build/test_report/dom 2>/dev/null",
                 name[i], cwd, html_path, hash);
        return system(cmd) == 0 ? text_of("build/test_report/dom") : NULL;
    }
    return NULL;
}

TEST(page_opens_in_a_browser) {
    paths();
    qiao_table *t = corner_table(3000);
    FILE *f = fopen("build/test_report/replay.html", "w");
    CHECK(f != NULL);
    fputs("<html><body>a replay</body></html>", f), fclose(f);
    full_report(t, "build/test_report/replay.html");
    fake_free(t);
    char *page = text_of(html_path);
    CHECK(strstr(page, "id=\"replay-0\"") && !strstr(page, "id=\"replay-1\""));
    CHECK(!strstr(page, "<!--@") && !strstr(page, "src=\"http"), "whole, and needs nothing else");
    free(page);
    char *dom = open_page("lang=en&theme=light");
    if (!dom) SKIP("no headless browser");
    CHECK_TEXT(dom, "Why it fails");
    CHECK_TEXT(dom, "push.force &gt; 6");
    CHECK_TEXT(dom, "<svg viewBox=");
    CHECK_TEXT(dom, "Second opinion");
    CHECK_TEXT(dom, "▶ Watch");
    free(dom);
    dom = open_page("lang=zh&theme=dark");
    CHECK(dom != NULL);
    CHECK_TEXT(dom, "为何失败");
    CHECK_TEXT(dom, "平地按速度指令行走");
    free(dom);
}

TEST(hostile_names_stay_names) {
    paths();
    static const char *const bad = "</script><script>document.title='owned'</script><!--";
    qiao_table *t = corner_table(400);
    const char *name[FAKE_PARAMS],
        *cause[3] = {bad, "<img src=x onerror=document.title='owned'>", bad};
    for (int i = 0; i < FAKE_PARAMS; i++) name[i] = bad;
    t->param_name = name, t->cause_name = cause;
    qiao_report_case one = {.kind = "worst", .row = 3, .link = "javascript:document.title='owned'"};
    qiao_report_def def = qiao_report_def_default();
    def.table = t, def.scenario = bad, def.title = bad, def.robot = "a\"><b>\n\x01",
    def.brain = bad;
    def.ncase = 1, def.cases = &one;
    qiao_diag d = {0};
    CHECK(qiao_report_write(&def, html_path, json_path, &d) == QIAO_OK, "%s", d.text);
    char *page = text_of(html_path), *json = text_of(json_path);
    qiao_arena *a = qiao_arena_new();
    CHECK(!strcmp(qi_js_str(qi_js_get(read_json(a, json), "run"), "title", ""), bad));
    CHECK(!strstr(page, "<script>document") && !strstr(page, "<img src=x"));
    free(page), free(json), qiao_arena_free(a), fake_free(t);
    char *dom = open_page("lang=en");
    if (!dom) SKIP("no headless browser");
    CHECK(!strstr(dom, "<title>owned"), "a name ran as a script");
    CHECK(!strstr(dom, "href=\"javascript:"), "a link that is a script");
    free(dom);
}

TEST(a_report_of_nothing_and_a_replay_that_is_not_there) {
    paths();
    qiao_table *t = fake_table(1, 0, NULL, 0, 0);
    qiao_report_def def = qiao_report_def_default();
    def.table = t;
    qiao_diag d = {0};
    CHECK(qiao_report_write(&def, html_path, json_path, &d) == QIAO_OK, "%s", d.text);
    char *dom = open_page("lang=en");
    if (dom) CHECK_TEXT(dom, "No trial failed.");
    free(dom);
    qiao_report_case one = {.kind = "worst", .row = -1, .page = "build/test_report/none.html"};
    def.ncase = 1, def.cases = &one;
    CHECK(qiao_report_write(&def, html_path, json_path, &d) == QIAO_E_IO);
    CHECK_TEXT(d.text, "none.html");
    fake_free(t);
}

TEST(weighted_draws_are_said_to_be) {
    qiao_table *t = corner_table(2000);
    double *w = malloc(2000 * sizeof *w);
    for (int i = 0; i < 2000; i++) w[i] = t->passed[i] ? 1 : 0.01;
    t->weight = w;
    char text[200];
    qiao_prove_sentence(t, 0.95, false, text, sizeof text);
    CHECK_TEXT(text, "passes 99.9");
    CHECK_TEXT(text, "95 % bootstrap, weighted) of 2,000 trials");
    free(w), fake_free(t);
}

// A bound is never rounded to the better side, and one short of all never reads as all.
TEST(bounds_in_words_are_honest) {
    static const struct {
        double share;
        int way;
        const char *says;
    } bound[] = {{0.99997, -1, "99.997000"},
                 {0.99997, 1, "99.997000"},
                 {1, -1, "100"},
                 {0, -1, "0"},
                 {0.94237, -1, "94.23"},
                 {0.94237, 1, "94.24"},
                 {0.9999999, -1, "99.999990"},
                 {2e-5, 1, "0.002000"},
                 {0.5, -1, "50.00"},
                 {0.9954, -1, "99.540"},
                 {0.29, -1, "29.00"}};
    for (size_t i = 0; i < sizeof bound / sizeof *bound; i++) {
        char s[32];
        qi_say_bound(s, sizeof s, bound[i].share, bound[i].way);
        CHECK(strcmp(s, bound[i].says) == 0, "%.9g: '%s', not '%s'", bound[i].share, s,
              bound[i].says);
        if (bound[i].way < 0) CHECK(strtod(s, NULL) <= 100 * bound[i].share + 1e-9, "%s", s);
    }
    char s[60];
    qi_say_column(s, sizeof s, &(qiao_interval){.est = 0.99999, .lo = 0.99997, .hi = 0.999999});
    CHECK(strcmp(s, " 99.99 % (99.99-100.00 %)") == 0, "'%s'", s);
    qi_say_column(s, sizeof s, &(qiao_interval){.est = 1, .lo = 0.99997, .hi = 1});
    CHECK(strcmp(s, "100.00 % (99.99-100.00 %)") == 0, "'%s'", s);
}
