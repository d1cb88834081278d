// SPDX-License-Identifier: Apache-2.0
// verify.c - checks a result that someone else made: the file first, then trials run again.
#include "prove/bundle.h"
#include "task/osc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 256, SAMPLE_DEFAULT = 20, SAMPLE_MAX = 1 << 20, TOLD_MAX = 10 };

typedef struct verify {
    const qiao_verify_def *def;
    qiao_verify_out *out;
    FILE *f;
    qi_walk w;
    qiao_scenario *scenario;
    qiao_robot *robot;
    qiao_sweep *sweep;
    bool zh, other; // other: another engine than the one the result was made with
    bool own_text;  // the scenario is the text in the bundle
    char engine[24];
    size_t len;
    // trials to run again: their places in the file, rising; NULL: all
    uint64_t *place;
    uint64_t nplace, at;
    // a batch of them
    qiao_row *there, *here; // [BATCH]
    double *u;              // [BATCH][nparam]
    uint64_t trial[BATCH];
    bool bad[BATCH];
    int n;
    bool places;
    int told;
    qiao_err e;
    qiao_diag *d;
} verify;

qiao_verify_def qiao_verify_def_default(void) {
    return (qiao_verify_def){.sample = SAMPLE_DEFAULT};
}

__attribute__((format(printf, 2, 3))) static void say(verify *v, const char *fmt, ...) {
    size_t cap = sizeof v->out->text;
    if (v->len + 2 >= cap) return;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(v->out->text + v->len, cap - v->len - 1, fmt, ap);
    va_end(ap);
    v->len += (size_t)n < cap - v->len - 1 ? (size_t)n : cap - v->len - 2;
    v->out->text[v->len++] = '\n', v->out->text[v->len] = 0;
}

// ---- the file ----

static void judge_file(verify *v) {
    qiao_verify_out *o = v->out;
    const qi_walk *w = &v->w;
    o->parts = w->head.parts, o->nrow = w->nrow, o->npassed = w->npassed;
    memcpy(o->root, w->root, sizeof o->root);
    o->is_signed = w->is_signed, o->nfault = w->nfault;
    int most = sizeof w->fault / sizeof *w->fault;
    for (int i = 0; i < w->nfault && i < most; i++)
        say(v, v->zh ? "文件已被改动：%s" : "The file was changed: %s", w->fault[i]);
    if (w->nfault > most) say(v, v->zh ? "另有 %d 处" : "and %d faults more", w->nfault - most);
    if (w->nfault) return;
    char root[QIAO_HASH_HEX];
    qiao_hash_hex(w->root, root);
    say(v,
        v->zh
            ? "文件完整：%llu 次试验，%llu 次通过，所有哈希相符，整体哈希 %s。"
            : "The file is whole: %llu trials, %llu passed, every hash fits; hash of the whole %s.",
        (unsigned long long)w->nrow, (unsigned long long)w->npassed, root);
}

static qiao_err judge_key(verify *v) {
    qiao_verify_out *o = v->out;
    uint8_t want[QI_SIGN_KEY];
    if (v->w.is_signed) qiao_hash_hex(v->w.key, o->signer);
    if (!v->def->key) {
        if (v->w.sign_good)
            say(v,
                v->zh ? "由密钥 %s 签名；未与已知密钥比较（--key）。"
                      : "Signed by key %s; not compared with a key that you know (--key).",
                o->signer);
        else if (!v->w.is_signed)
            say(v, "%s", v->zh ? "没有签名。" : "It is not signed.");
        return QIAO_OK;
    }
    qiao_err e = qi_key_read(v->def->key, want, v->d);
    if (e) return e;
    o->key_known = v->w.sign_good && memcmp(want, v->w.key, sizeof want) == 0;
    if (o->key_known) {
        say(v, "%s", v->zh ? "由给定的密钥签名。" : "Signed by the key given.");
        return QIAO_OK;
    }
    char hex[QIAO_HASH_HEX];
    qiao_hash_hex(want, hex);
    o->nfault++;
    if (!v->w.is_signed)
        say(v, v->zh ? "没有签名，应由 %s 签名。" : "It is not signed; expected a signature by %s.",
            hex);
    else if (v->w.sign_good)
        say(v,
            v->zh ? "签名者是另一把密钥 %s，而不是 %s。" : "Signed by another key, %s, not by %s.",
            o->signer, hex);
    else
        say(v, v->zh ? "签名不符。" : "The signature is false.");
    return QIAO_OK;
}

// ---- the parts, here ----

// By path, by the bundle's name, or the text in the bundle itself.
static qiao_scenario *find_scenario(verify *v) {
    const qiao_parts *p = &v->w.head.parts;
    if (v->def->scenario) return qiao_scenario_load(v->def->scenario, v->d);
    qiao_diag why = {0};
    uint8_t digest[QIAO_HASH_BYTES];
    qiao_scenario *s = NULL;
    if (v->w.scenario) {
        char name[200];
        snprintf(name, sizeof name, "%s.osc", p->scenario);
        s = qi_scenario_parse(v->w.scenario, v->w.scenario_n, name, &why);
        if (s) qiao_scenario_digest(s, digest);
        if (s && memcmp(digest, p->scenario_hash, sizeof digest) == 0) return v->own_text = true, s;
        qiao_scenario_free(s);
    }
    return qiao_scenario_load(p->scenario, v->d);
}

static bool on_sweep(void *ctx, uint64_t ndone, int nlive) {
    (void)ndone, (void)nlive;
    verify *v = ctx;
    return !v->def->progress ||
           v->def->progress(v->def->ctx, v->out->nrun, v->place ? v->nplace : v->w.nrow);
}

static qiao_err open_parts(verify *v) {
    const qiao_parts *p = &v->w.head.parts;
    qiao_diag *d = v->d;
    v->scenario = find_scenario(v);
    if (v->scenario) v->robot = qiao_robot_load(v->def->robot ? v->def->robot : p->robot, d);
    if (!v->robot) return d->err;
    qiao_sweep_def sd = qiao_sweep_def_default();
    snprintf(v->engine, sizeof v->engine, "%s", v->def->engine ? v->def->engine : p->engine);
    v->other = strcmp(v->engine, p->engine) != 0;
    sd.scenario = v->scenario, sd.robot = v->robot, sd.engine = v->engine;
    sd.brain.spec = v->def->brain ? v->def->brain : p->brain;
    sd.nthread = v->def->nthread, sd.seed = p->seed, sd.sampling = p->sampling;
    sd.progress = on_sweep, sd.ctx = v;
    qiao_parts here;
    qiao_err e = qiao_parts_get(&sd, &here, d);
    if (e) return e;
    if (v->other) memcpy(here.engine_hash, p->engine_hash, QIAO_HASH_BYTES);
    char why[700];
    qi_parts_differ(p, &here, false, why, sizeof why);
    if (why[0])
        return qiao_diag_set(
            d, QIAO_E_FIT, v->def->path, 0, 0,
            "its %s. Give the parts it was made with: --scenario, --robot, --brain", why);
    if (memcmp(p->build_hash, here.build_hash, QIAO_HASH_BYTES) != 0) {
        char a[QIAO_HASH_HEX], b[QIAO_HASH_HEX];
        qiao_hash_hex(p->build_hash, a), qiao_hash_hex(here.build_hash, b);
        say(v,
            v->zh ? "结果由另一个构建产生：%.8s（%s）；这里是 %.8s（%s）。"
                  : "It was made by another build, %.8s (%s); here it is %.8s (%s).",
            a, p->build, b, here.build);
    }
    v->sweep = qiao_sweep_new(&sd, d);
    if (!v->sweep) return d->err;
    if (!qi_shape_same(qiao_sweep_shape(v->sweep), &v->w.head.shape))
        return qiao_diag_set(d, QIAO_E_FIT, v->def->path, 0, 0,
                             "its parameters and measures have other names, units or ranges than "
                             "the same scenario has here");
    return QIAO_OK;
}

// ---- trials again ----

static int by_place(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}
static bool has(const uint64_t *list, uint64_t n, uint64_t x) {
    for (uint64_t i = 0; i < n; i++)
        if (list[i] == x) return true;
    return false;
}

// Places drawn by the hash of the whole, and those of rows that are damaged.
// source   R. Floyd, in J. Bentley, Programming pearls: a sample of brilliance (CACM 1987)
static qiao_err draw_sample(verify *v) {
    uint64_t n = v->w.nrow, k = v->def->sample < 0 ? n : (uint64_t)v->def->sample;
    if (k >= n) return QIAO_OK; // all
    if (k > SAMPLE_MAX)
        return qiao_diag_set(v->d, QIAO_E_LIMIT, NULL, 0, 0,
                             "a sample of at most %d trials; or take all", SAMPLE_MAX);
    v->place = calloc((size_t)k + 64, sizeof *v->place);
    uint8_t *in = calloc((size_t)(n / 8 + 1), 1);
    if (!v->place || !in) {
        free(in);
        return qiao_diag_set(v->d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    }
    qiao_rng g = {.purpose = 0x56657269};
    memcpy(&g.seed, v->w.root, 8), memcpy(&g.trial, v->w.root + 8, 8);
    for (uint64_t j = n - k; j < n; j++) {
        uint64_t x = (uint64_t)(qiao_rng_uniform(&g, j, 0) * (double)(j + 1));
        if (x > j) x = j;
        if (in[x / 8] >> x % 8 & 1) x = j;
        in[x / 8] |= (uint8_t)(1 << x % 8);
        v->place[v->nplace++] = x;
    }
    for (int i = 0; i < v->w.nbad; i++)
        if (!has(v->place, v->nplace, v->w.bad[i])) v->place[v->nplace++] = v->w.bad[i];
    free(in);
    qsort(v->place, (size_t)v->nplace, sizeof *v->place, by_place);
    return QIAO_OK;
}

static void judge_row(verify *v, int i) {
    const qiao_row *a = &v->there[i], *b = &v->here[i];
    const qiao_table *t = &v->w.head.shape;
    char why[500];
    qi_row_differ(t, a, b, why, sizeof why);
    bool same = v->other ? a->passed == b->passed : !why[0];
    v->out->nrun++;
    if (same) {
        v->out->nsame++;
        if (v->bad[i] && !v->other)
            say(v,
                v->zh ? "试验 %llu：各项相符，被改动的是它的校验。"
                      : "Trial %llu: its fields are right; its check was changed.",
                (unsigned long long)a->trial);
        return;
    }
    v->out->nfault++;
    if (v->told++ >= TOLD_MAX) return;
    say(v, v->zh ? "试验 %llu 与重算不同：%s" : "Trial %llu is not what it gives here: %s",
        (unsigned long long)a->trial, why);
}

static bool run_batch(verify *v) {
    if (v->n == 0) return true;
    v->e = qiao_sweep_run(v->sweep, v->n, v->trial, v->places ? v->u : NULL, v->here, v->d);
    for (int i = 0; i < v->n && !v->e; i++) judge_row(v, i);
    v->n = 0;
    return !v->e;
}

static bool take_row(void *ctx, uint64_t place, const qiao_row *r, const double *u) {
    verify *v = ctx;
    const qiao_table *t = &v->w.head.shape;
    if (v->place) {
        if (v->at == v->nplace) return false;
        if (place != v->place[v->at]) return true;
        v->at++;
    }
    bool places = u != NULL;
    if (v->n == BATCH || (v->n && places != v->places))
        if (!run_batch(v)) return false;
    int i = v->n++;
    qiao_row *o = &v->there[i];
    double *param = o->param, *measure = o->measure;
    *o = *r, o->param = param, o->measure = measure;
    memcpy(param, r->param, (size_t)t->nparam * sizeof *param);
    memcpy(measure, r->measure, (size_t)t->nmeasure * sizeof *measure);
    if (u) memcpy(v->u + (size_t)i * (size_t)t->nparam, u, (size_t)t->nparam * sizeof *u);
    v->trial[i] = r->trial, v->places = places, v->bad[i] = false;
    for (int k = 0; k < v->w.nbad; k++)
        if (v->w.bad[k] == place) v->bad[i] = true;
    return true;
}

static qiao_err run_again(verify *v) {
    const qiao_table *t = &v->w.head.shape;
    qiao_err e = draw_sample(v);
    if (e) return e;
    v->there = qi_rows_new(t, BATCH), v->here = qi_rows_new(t, BATCH);
    v->u = calloc((size_t)BATCH * (size_t)t->nparam + 1, sizeof *v->u);
    if (!v->there || !v->here || !v->u)
        return qiao_diag_set(v->d, QIAO_E_MEM, NULL, 0, 0, "out of memory");
    e = qi_bundle_rows(v->f, v->def->path, t, take_row, v, v->d);
    if (!e && !v->e) run_batch(v);
    return e ? e : v->e;
}

static void sum_up(verify *v) {
    const qiao_verify_out *o = v->out;
    unsigned long long n = (unsigned long long)o->nrun, same = (unsigned long long)o->nsame;
    if (v->told > TOLD_MAX)
        say(v, v->zh ? "另有 %d 次试验不同。" : "%d trials more differ.", v->told - TOLD_MAX);
    if (v->own_text)
        say(v, "%s", v->zh ? "场景取自结果文件本身。" : "The scenario is the text in the result.");
    if (v->other && v->zh)
        say(v, "用引擎 %s 重算 %llu 次试验：%llu 次判定一致（不同引擎不比较比特）。", v->engine, n,
            same);
    else if (v->other)
        say(v,
            "%llu trials were run again in engine %s: %llu verdicts agree (bits of two engines "
            "are not compared).",
            n, v->engine, same);
    else
        say(v,
            v->zh ? "重算 %llu 次试验（共 %llu 次%s）：%llu 次逐比特相同。"
                  : "%llu of %llu trials were run again%s: %llu are equal bit for bit.",
            n, (unsigned long long)o->nrow,
            v->place ? (v->zh ? "，由哈希抽取" : ", drawn by hash") : "", same);
}

static qiao_err judge(verify *v) {
    judge_file(v);
    qiao_err e = judge_key(v);
    if (e) return e;
    bool runs = v->w.has_head && v->def->sample != 0 && v->w.nrow > 0;
    if (!runs) {
        say(v, "%s", v->zh ? "没有重算任何试验。" : "No trial was run again.");
        return QIAO_OK;
    }
    e = open_parts(v);
    if (!e) e = run_again(v);
    if (!e)
        sum_up(v);
    else if (v->out->nfault) { // the file is found out; that a part is missing changes nothing
        say(v, v->zh ? "没有重算任何试验：%s" : "No trial was run again: %s", v->d->text);
        *v->d = (qiao_diag){0}, e = QIAO_OK;
    }
    return e;
}

qiao_err qiao_verify_run(const qiao_verify_def *def, qiao_verify_out *out, qiao_diag *d) {
    qiao_diag own = {0};
    if (!d) d = &own;
    memset(out, 0, sizeof *out);
    verify v = {.def = def, .out = out, .d = d, .zh = def->chinese};
    v.f = fopen(def->path, "rb");
    if (!v.f)
        return qiao_diag_set(d, QIAO_E_IO, def->path, 0, 0, "cannot be opened: %s",
                             strerror(errno));
    qiao_err e = qi_bundle_walk(v.f, def->path, &v.w, d);
    if (!e) e = judge(&v);
    fclose(v.f);
    qiao_sweep_free(v.sweep);
    qiao_robot_free(v.robot), qiao_scenario_free(v.scenario);
    qi_walk_free(&v.w);
    free(v.place), free(v.there), free(v.here), free(v.u);
    return e;
}
