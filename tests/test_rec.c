// SPDX-License-Identifier: Apache-2.0
// test_rec.c - what was recorded is what is read; official readers agree; pages and pictures.
#include "folder.h"
#include "rec_fixture.h"

#include "rec/mcap_read.h"
#include "rec/tape.h"

#include <sys/stat.h>
#include <unistd.h>

static const char *folder;
static const char *file(const char *name) {
    static char path[4][160];
    static int k;
    if (!folder) folder = folder_new("rec");
    snprintf(path[k %= 4], sizeof path[0], "%s/%s", folder, name);
    return path[k++];
}

static void record(const char *path, double t_end, bool end) {
    qiao_diag d = {0};
    CHECK(fx_record(path, t_end, end, &d) == QIAO_OK, "%s", d.text);
}

static const qi_mcap_channel *topic(const qi_mcap *f, const char *name) {
    for (int i = 0; i < f->nchannel; i++)
        if (!strcmp(f->channel[i].topic, name)) return &f->channel[i];
    CHECK(false, "no topic %s", name);
    return NULL;
}

TEST(file_holds_all_records) {
    const char *path = file("a.mcap");
    record(path, 2, true);
    qiao_diag d = {0};
    qi_mcap *f = qi_mcap_open(path, &d);
    CHECK(f, "%s", d.text);
    CHECK(f->complete && !strcmp(f->profile, "ros2"));
    CHECK(f->nattach == 2 && !strcmp(f->attach[0].name, "case.osc"));
    CHECK(!memcmp(f->attach[0].data, "# a concrete scenario\n", 22) && f->attach[0].bytes == 22);
    CHECK(!strcmp(qi_mcap_meta(f, "qiao.trial", "seed"), "7"));
    CHECK(!strcmp(qi_mcap_meta(f, "qiao.trial", "robot"), "humanoid"));
    CHECK(!strcmp(qi_mcap_meta(f, "qiao.result", "verdict"), "failed"));
    CHECK_TEXT(qi_mcap_meta(f, "qiao.result", "trace"), "00070e151c");
    CHECK(topic(f, "/tf")->count == 101, "%llu", (unsigned long long)topic(f, "/tf")->count);
    CHECK(topic(f, "/obs/joint_pos")->count == 201);
    CHECK(topic(f, "/obs/height_scan")->count == 51, "a sample is written once");
    CHECK(topic(f, "/events")->count == 5 && topic(f, "/score")->count == 1);
    CHECK(f->t0_ns == 0 && f->t1_ns == 2000000000);
    CHECK(f->nchunk > 3, "many chunks wanted, got %llu", (unsigned long long)f->nchunk);
    qi_mcap_close(f);
}

TEST(tape_gives_back_the_numbers) {
    const char *path = file("b.mcap");
    record(path, 1, true);
    qiao_diag d = {0};
    qi_tape *t = qi_tape_load(path, &d);
    CHECK(t, "%s", d.text);
    fixture *f = fx_new();
    CHECK(t->nframe == 51 && t->ncolumn == FX_LINK, "%d %d", t->nframe, t->ncolumn);
    for (int tick = 0, k = 0; tick <= 100; tick++) {
        fx_at(f, tick * 0.01);
        const qi_tape_signal *s = NULL, *j = NULL;
        for (int i = 0; i < t->nsignal; i++) {
            if (!strcmp(t->signal[i].name, "/obs/joint_pos")) s = &t->signal[i];
            if (!strcmp(t->signal[i].name, "/joint_states/effort")) j = &t->signal[i];
        }
        CHECK(s && j && s->n == 101 && s->dim == FX_NJNT && s->nname == FX_NJNT);
        CHECK(!strcmp(s->element[2], "left_thigh") && !strcmp(s->unit, "rad"));
        CHECK(s->t_ns[tick] == f->t_ns);
        CHECK(!memcmp(s->value + tick * FX_NJNT, f->x, FX_NJNT * sizeof(double)), "tick %d", tick);
        CHECK(!memcmp(j->value + tick * FX_NJNT, f->tau, sizeof f->tau), "tick %d", tick);
        if (tick % 2) continue;
        for (int c = 0; c < FX_LINK; c++) // unit quaternions: scaled by rounding only
            for (int x = 0; x < 7; x++) {
                double want = x < 3 ? f->xpos[c + 1][x] : f->xquat[c + 1][x - 3];
                CHECK_NEAR(t->pose[(k * FX_LINK + c) * 7 + x], want, x < 3 ? 0 : 1e-15);
            }
        int n = 0;
        for (int i = 0; i < t->ncontact; i++) n += t->contact[i].frame == k;
        CHECK(n == f->truth.ncontact, "%d contacts, %d recorded", f->truth.ncontact, n);
        k++;
    }
    CHECK(t->nevent == 5 && !strcmp(t->event[1].name, "push"));
    CHECK_TEXT(t->event[1].text, "62 N");
    CHECK(t->scored && !strcmp(t->verdict, "failed") && t->nmeasure == 5 && t->total == 0.612);
    CHECK(t->measure[3].broken && t->measure[3].limit == 60 && isnan(t->measure[3].weight));
    // a capsule is a cylinder and two balls; the table stands where it stands
    CHECK(t->ngeom > FX_NGEOM, "%d", t->ngeom);
    int table = -1;
    for (int i = 0; i < t->nbody; i++)
        if (!strcmp(t->body[i].name, "table")) table = i;
    CHECK(table >= 0 && t->body[table].column < 0 && t->body[table].pos[0] == 3);
    qi_tape_free(t), free(f);
}

TEST(interrupted_record_is_read_to_its_end) {
    const char *path = file("c.mcap");
    record(path, 2, false);
    qiao_diag d = {0};
    qi_tape *t = qi_tape_load(path, &d);
    CHECK(t, "%s", d.text);
    CHECK(!t->file->complete && !t->scored && t->nframe == 101, "%d frames", t->nframe);
    CHECK_TEXT(t->file->note, "interrupted before the Footer");
    qi_tape_free(t);
    char *info = qiao_replay_info(path, &d);
    CHECK(info);
    CHECK_TEXT(info, "\"complete\": false");
    free(info);
    CHECK(qiao_replay_html(path, file("c.html"), &d) == QIAO_OK, "%s", d.text);
}

TEST(humanoid_minute_fits_into_8_MB) {
    const char *path = file("d.mcap"), *page = file("d.html");
    qiao_diag d = {0};
    record(path, 60, true);
    CHECK(qiao_replay_html(path, page, &d) == QIAO_OK, "%s", d.text);
    struct stat st;
    CHECK(stat(page, &st) == 0 && st.st_size < 8000000, "%lld bytes", (long long)st.st_size);
    char *text;
    size_t n;
    CHECK(qiao_file_read(page, 1 << 24, &text, &n, &d) == QIAO_OK, "%s", d.text);
    CHECK_TEXT(text, "<title>parcel_route - humanoid</title>");
    CHECK(!strstr(text, "<!--@"), "a hole of the template is left");
    CHECK(!strstr(text, " src=\"") && !strstr(text, "<link"), "the page asks for another file");
    free(text);
}

TEST(official_reader_agrees) {
    if (system("python3 -c 'import mcap, mcap_ros2' 2>/dev/null"))
        SKIP("Python packages mcap and mcap-ros2-support are not installed");
    const char *path = file("e.mcap");
    char cmd[700];
    record(path, 2, true);
    snprintf(cmd, sizeof cmd, "python3 tests/check_mcap.py '%s'", path);
    CHECK(system(cmd) == 0, "the official reader disagrees");
}

TEST(page_opens_in_a_browser) {
    if (system("command -v chromium >/dev/null")) SKIP("chromium is not installed");
    const char *path = file("g.mcap"), *page = file("g.html"), *dom = file("g.txt");
    qiao_diag d = {0};
    record(path, 2, true);
    CHECK(qiao_replay_html(path, page, &d) == QIAO_OK, "%s", d.text);
    char cmd[1200], *text;
    size_t n;
    snprintf(cmd, sizeof cmd,
             "timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-quic "
             "--no-first-run --disable-background-networking --disable-component-update "
             "--disable-sync --user-data-dir='%s/browser' --use-gl=angle --use-angle=swiftshader "
             "--enable-unsafe-swiftshader --virtual-time-budget=3000 --dump-dom "
             "'file://%s#t=1.5&lang=en&theme=dark&tab=plots' > '%s' 2>/dev/null",
             folder, page, dom);
    if (system(cmd)) SKIP("chromium does not start here");
    CHECK(qiao_file_read(dom, 1 << 24, &text, &n, &d) == QIAO_OK, "%s", d.text);
    CHECK_TEXT(text, "data-theme=\"dark\"");
    CHECK_TEXT(text, ">1.50<small> / 2.00 s</small>");
    CHECK_TEXT(text, "class=\"verdict failed\">Failed<");
    CHECK_TEXT(text, "Made-up humanoid · formula · seed 7");
    CHECK_TEXT(text, "<p id=\"load\" class=\"load\"></p>"); // no fault is told
    CHECK_TEXT(text, "<b>/obs/joint_pos <small>rad</small></b>");
    CHECK_TEXT(text, "62 N from the left for 0.2 s");
    free(text);
}

TEST(sheet_of_pictures) {
    const char *path = file("f.mcap"), *png = file("f.png");
    qiao_diag d = {0};
    record(path, 0.5, true);
    qiao_err e = qiao_replay_png(path, png, 3, &d);
    if (e == QIAO_E_UNSUPPORTED) SKIP("%.200s", d.text);
    CHECK(e == QIAO_OK, "%s", d.text);
    struct stat st;
    CHECK(stat(png, &st) == 0 && st.st_size > 20000, "%lld bytes", (long long)st.st_size);
    CHECK(qiao_replay_png(path, png, 0, &d) == QIAO_E_ARG);
}

TEST(path_that_cannot_be_written) {
    qiao_diag d = {0};
    fixture *f = fx_new();
    qiao_rec_def def = fx_def(f, "/nowhere/at/all.mcap");
    CHECK(!qiao_rec_new(&def, &d) && d.err == QIAO_E_IO);
    CHECK_TEXT(d.text, "/nowhere/at/all.mcap: cannot be written: No such file");
    free(f);
}

TEST(full_disk_is_told_at_the_end) {
    if (access("/dev/full", W_OK)) SKIP("no /dev/full");
    qiao_diag d = {0};
    CHECK(fx_record("/dev/full", 1, true, &d) == QIAO_E_IO, "%s", d.text);
    CHECK_TEXT(d.text, "could not be written whole: No space left");
}
