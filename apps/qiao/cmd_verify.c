// SPDX-License-Identifier: Apache-2.0
// cmd_verify.c - qiao verify: checks a result that anyone made; qiao keys: keys that sign results.
#include "commands.h"

#include "qiao/prove.h"
#include "base/json.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;
static void on_interrupt(int sig) { (void)sig, interrupted = 1; }

static bool on_progress(void *ctx, uint64_t ndone, uint64_t nall) {
    (void)ctx;
    if (isatty(2))
        fprintf(stderr, "\r\x1b[K%llu / %llu", (unsigned long long)ndone, (unsigned long long)nall);
    return !interrupted;
}

static void put_hash(qi_json *j, const char *key, const uint8_t hash[QIAO_HASH_BYTES]) {
    char hex[QIAO_HASH_HEX];
    qiao_hash_hex(hash, hex);
    qi_json_str(j, key, hex);
}

static void print_json(const qiao_verify_out *o) {
    qi_json j = {0};
    qi_json_open(&j, NULL, '{');
    qi_json_bool(&j, "good", o->nfault == 0);
    qi_json_int(&j, "faults", o->nfault);
    qi_json_str(&j, "scenario", o->parts.scenario), qi_json_str(&j, "robot", o->parts.robot);
    qi_json_str(&j, "brain", o->parts.brain), qi_json_str(&j, "engine", o->parts.engine);
    qi_json_str(&j, "build", o->parts.build);
    put_hash(&j, "hash", o->root);
    qi_json_int(&j, "trials", (long long)o->nrow);
    qi_json_int(&j, "passed", (long long)o->npassed);
    qi_json_int(&j, "run_again", (long long)o->nrun);
    qi_json_int(&j, "equal", (long long)o->nsame);
    qi_json_bool(&j, "signed", o->is_signed), qi_json_bool(&j, "key_known", o->key_known);
    qi_json_str(&j, "signer", o->signer);
    qi_json_str(&j, "text", o->text);
    qi_json_close(&j, '}');
    char *text = qi_json_end(&j);
    puts(text ? text : "{}");
    free(text);
}

static void print_words(const qiao_verify_out *o, bool zh) {
    const qiao_parts *p = &o->parts;
    printf(zh ? "%s · 机器人 %s · 大脑 %s · 引擎 %s · 种子 %llu\n"
              : "%s, robot %s, brain %s, engine %s, seed %llu\n",
           p->scenario, p->robot, p->brain, p->engine, (unsigned long long)p->seed);
    fputs(o->text, stdout);
    if (o->nfault)
        printf(zh ? "不可信：%d 处与应有的不同。\n"
                  : "Not good: %d things are not as they should be.\n",
               o->nfault);
    else if (!o->nrun)
        puts(zh ? "文件完整，但没有重算试验。" : "The file is good; no trial was run again.");
    else
        puts(zh ? "已核实。" : "Verified.");
}

static int run(const command *c, int argc, char **argv) {
    qiao_verify_def def = qiao_verify_def_default();
    const char *sample = "20", *threads = "0";
    bool all = false, json = false;
    const option opts[] = {
        {"--sample", "N",
         "trials to run again, drawn by hash (default 20; 0: look at the file only)",
         "重算的试验数，由哈希抽取（默认 20；0：只查文件）", &sample, NULL},
        {"--all", NULL, "run every trial again", "重算所有试验", NULL, &all},
        {"--scenario", "S", "scenario by name or path (default: the text in the result)",
         "场景：名字或路径（默认用结果文件中的文本）", &def.scenario, NULL},
        {"--robot", "R", "robot by name or path (default: by the result's name)",
         "机器人：名字或路径（默认按结果中的名字）", &def.robot, NULL},
        {"--brain", "B", "brain by name or path (default: by the result's name)",
         "大脑：名字或路径（默认按结果中的名字）", &def.brain, NULL},
        {"--engine", "E", "another engine: compares verdicts instead of bits",
         "换一个引擎：比较判定而不是比特", &def.engine, NULL},
        {"--key", "PUB", "public key it must be signed with: file or 64 hex digits",
         "必须由这把公钥签名：文件或 64 位十六进制数", &def.key, NULL},
        {"--threads", "K", "threads (0: all)", "线程数（0：全部）", &threads, NULL},
        {"--json", NULL, "print JSON instead of words", "输出 JSON", NULL, &json},
        {0}};
    const char *word[1];
    int n = args_parse(c, opts, argc, argv, word, 1);
    if (n < 0) return n == -1 ? EXIT_PASSED : EXIT_WRONG;
    if (n == 0) return say_wrong("verify: which result? for instance results/x.qiao");
    long long number, k;
    if (!args_integer("--sample", sample, 0, 1 << 20, &number) ||
        !args_integer("--threads", threads, 0, 1024, &k))
        return EXIT_WRONG;
    def.path = word[0], def.sample = all ? -1 : number, def.nthread = (int)k;
    def.chinese = args_chinese(), def.progress = on_progress;
    struct sigaction sa = {.sa_handler = on_interrupt, .sa_flags = SA_RESETHAND};
    sigaction(SIGINT, &sa, NULL), sigaction(SIGTERM, &sa, NULL);
    static qiao_verify_out out;
    qiao_diag d = {0};
    qiao_err e = qiao_verify_run(&def, &out, &d);
    if (isatty(2)) fputs("\r\x1b[K", stderr);
    if (e) return say_wrong(d.text);
    json ? print_json(&out) : print_words(&out, def.chinese);
    return out.nfault ? EXIT_FAILED : EXIT_PASSED;
}

const command command_verify = {
    .name = "verify",
    .usage = "RESULT [--sample N | --all] [--key PUB]",
    .en = "check a result: the file byte by byte, trials by running them again",
    .zh = "核实一个结果：逐字节检查文件，并重算其中的试验",
    .more_en =
        "Examples\n"
        "  qiao verify results/walk.qiao\n"
        "  qiao verify results/walk.qiao --all --brain ./my_brain.so\n\n"
        "A result holds the scenario, the hashes of robot, brain, engine and build, the seed\n"
        "and a row for each trial with the hash of its trace. Verifying compares all of a\n"
        "row bit for bit with what the same trial gives here.\n"
        "Exit status: 0 verified, 1 something is not as it should be, 2 wrong input.",
    .more_zh =
        "例子\n"
        "  qiao verify results/walk.qiao\n"
        "  qiao verify results/walk.qiao --all --brain ./my_brain.so\n\n"
        "结果文件包含场景文本，机器人、大脑、引擎和构建的哈希，种子，以及每次试验的一行数据\n"
        "和轨迹哈希。核实时，同一试验在本机重算，逐比特比较整行。\n"
        "退出码：0 已核实，1 有不符之处，2 输入有误。",
    .run = run,
};

static int run_keys(const command *c, int argc, char **argv) {
    const option opts[] = {{0}};
    const char *word[2];
    int n = args_parse(c, opts, argc, argv, word, 2);
    if (n < 0) return n == -1 ? EXIT_PASSED : EXIT_WRONG;
    if (n != 2 || strcmp(word[0], "new") != 0)
        return say_wrong("keys: expected 'qiao keys new FILE', which makes FILE and FILE.pub");
    qiao_diag d = {0};
    if (qiao_keys_new(word[1], &d)) return say_wrong(d.text);
    printf(args_chinese() ? "%s：私钥，不要给别人。%s.pub：公钥，交给要核实结果的人。\n"
                          : "%s: secret, give it to nobody. %s.pub: for those who verify.\n",
           word[1], word[1]);
    return EXIT_PASSED;
}

const command command_keys = {
    .name = "keys",
    .usage = "new FILE",
    .en = "make a pair of keys that signs results",
    .zh = "生成为结果签名的一对密钥",
    .more_en =
        "'qiao keys new my.key' makes my.key (secret) and my.key.pub (Ed25519). A sweep signs\n"
        "with --sign my.key; 'qiao verify --key my.key.pub' checks.",
    .more_zh = "“qiao keys new my.key” 生成 my.key（私钥）和 my.key.pub（公钥，Ed25519）。\n"
               "批量试验用 --sign my.key 签名；“qiao verify --key my.key.pub” 核对。",
    .run = run_keys,
};
