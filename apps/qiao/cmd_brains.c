// SPDX-License-Identifier: Apache-2.0
// cmd_brains.c - qiao brains: which there are, the facts of one, and import of a maker's file.
#include "commands.h"

#include "brain/policy.h"
#include "brain/search.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct brains_args {
    const char *robot, *out;
    bool check;
} brains_args;

#define say(en, zh) (args_chinese() ? (zh) : (en)) // formats stay literals

static int list(void) {
    qiao_arena *a = qiao_arena_new();
    const char *names[256];
    int n = a ? qiao_brain_list(a, names, 256) : 0;
    for (int i = 0; i < n; i++) {
        qi_spec s;
        qiao_diag d = {0};
        if (qi_spec_find(names[i], &s, &d)) continue;
        if (s.kind != QI_BRAIN_POLICY) {
            printf("%-16s %s\n", names[i],
                   s.kind == QI_BRAIN_PYTHON ? say("Python", "Python 程序")
                                             : say("plug-in", "插件"));
            continue;
        }
        qi_manifest *m = qi_manifest_load(s.path, NULL, &d);
        const char *zh = m && m->title_zh ? m->title_zh : m ? m->title : NULL;
        const char *none = m && m->policy.path && access(m->policy.path, R_OK) != 0
                               ? say(" - its network is not here", "（网络文件不在）")
                               : "";
        printf("%-16s %s%s\n", names[i], m ? say(m->title ? m->title : "", zh ? zh : "") : d.text,
               none);
        qi_manifest_free(m);
    }
    qiao_arena_free(a);
    puts(say(
        "\n'qiao brains NAME' tells the facts of one; 'qiao brains import FILE' reads a maker's.",
        "\n'qiao brains 名字' 给出其内容；'qiao brains import 文件' 读取厂家的文件。"));
    return EXIT_PASSED;
}

static qi_manifest *load(const char *path, const char *robot, qiao_robot **r, qiao_diag *d) {
    *r = robot ? qiao_robot_load(robot, d) : NULL;
    return robot && !*r ? NULL : qi_manifest_load(path, *r, d);
}

// A network's file as any folder may name it: below $QIAO_DATA, or absolute.
static const char *portable(qi_manifest *m, const qi_net *net) {
    char real[PATH_MAX], data[PATH_MAX];
    const char *env = getenv("QIAO_DATA");
    if (!net->path || strncmp(net->file, "$QIAO_DATA/", 11) == 0) return net->file;
    if (!realpath(net->path, real)) return net->file;
    if (env && *env && realpath(env, data)) {
        size_t n = strlen(data);
        if (strncmp(real, data, n) == 0 && real[n] == '/')
            return qiao_arena_printf(m->arena, "$QIAO_DATA%s", real + n);
    }
    return qiao_arena_text(m->arena, real, strlen(real));
}

static int import(const char *file, const brains_args *a) {
    qiao_diag d = {0};
    qiao_robot *r = NULL;
    qi_manifest *m = load(file, a->robot, &r, &d);
    int status = EXIT_WRONG;
    if (m) {
        m->policy.file = portable(m, &m->policy);
        if (m->encoder.file) m->encoder.file = portable(m, &m->encoder);
        char *text = qi_manifest_write(m);
        if (!text) {
            say_wrong("out of memory");
        } else if (!a->out || strcmp(a->out, "-") == 0) {
            fputs(text, stdout), status = EXIT_PASSED;
        } else {
            char dir[PATH_MAX];
            snprintf(dir, sizeof dir, "%s", a->out);
            if (qiao_dir_make(dirname(dir), &d) ||
                qiao_file_write(a->out, text, strlen(text), &d)) {
                say_wrong(d.text);
            } else {
                printf("%s: %s\n", a->out, qi_form_name(m->form));
                for (int i = 0; i < m->nnote; i++)
                    printf(say("  assumed: %s\n", "  假定：%s\n"), m->note[i]);
                status = EXIT_PASSED;
            }
        }
        free(text);
    } else {
        say_wrong(d.text);
    }
    qi_manifest_free(m);
    qiao_robot_free(r);
    return status;
}

static void show_group(const char *name, const qi_obs_group *g) {
    if (g->nterm == 0) return;
    printf(say("%s: %d numbers, %d frames %s, %s\n", "%s：%d 个数，%d 帧，%s，%s\n"), name, g->size,
           g->history, g->by_term ? say("term by term", "逐项") : say("frame by frame", "逐帧"),
           g->newest_first ? say("newest first", "新帧在前") : say("oldest first", "旧帧在前"));
    for (int i = 0; i < g->nterm; i++) {
        const qi_term *t = &g->term[i];
        printf("  %-20s %4d", t->name, t->dim);
        if (t->dim && t->scale[0] != 1 && t->kind != QI_TERM_CONSTANT)
            printf("  x %g", t->scale[0]);
        puts("");
    }
}

static int show(const char *name, const brains_args *a) {
    qiao_diag d = {0};
    qi_spec s;
    qiao_robot *r = NULL;
    if (qi_spec_find(name, &s, &d)) return say_wrong(d.text);
    if (s.kind != QI_BRAIN_POLICY) {
        printf("%s\n", s.path);
        return EXIT_PASSED;
    }
    qi_manifest *m = load(s.path, a->robot, &r, &d);
    qi_policy *p = m ? qi_policy_open(m, -1, &d) : NULL;
    if (p) {
        m = p->m;
        printf("%s  %s\n", m->name ? m->name : name, m->title ? m->title : "");
        printf("%s  (%s)\n", s.path, qi_form_name(m->form));
        if (m->robot) printf(say("robot: %s\n", "机器人：%s\n"), m->robot);
        if (m->source) printf(say("from: %s\n", "来源：%s\n"), m->source);
        if (m->licence) printf(say("licence: %s\n", "许可：%s\n"), m->licence);
        printf(say("%g decisions, %g commands a second, %d joints\n",
                   "每秒 %g 次决策，%g 次指令，%d 个关节\n"),
               m->rate_hz, qi_policy_rate(p), m->njoint);
        show_group("encoder_observation", &m->enc), show_group("observation", &m->obs);
        fputs(say("reads:", "读取："), stdout);
        for (int i = 0; i < p->nneed; i++) printf(" %s", p->need[i]);
        puts("");
        for (int i = 0; i < m->nnote; i++) printf(say("assumed: %s\n", "假定：%s\n"), m->note[i]);
    } else {
        say_wrong(d.text);
    }
    int status = p ? EXIT_PASSED : EXIT_WRONG;
    qi_policy_close(p);
    qiao_robot_free(r);
    return status;
}

static int run(const command *c, int argc, char **argv) {
    brains_args a = {0};
    const option opts[] = {{"--robot", "R",
                            "whose drives name the joints of a file that names none",
                            "为不写关节名的文件提供关节名的机器人", &a.robot, NULL},
                           {"-o", "FILE", "where import writes (default: to the screen)",
                            "导入结果写到哪里（默认：屏幕）", &a.out, NULL},
                           {0}};
    const char *word[2];
    int n = args_parse(c, opts, argc, argv, word, 2);
    if (n < 0) return n == -1 ? EXIT_PASSED : EXIT_WRONG;
    if (n == 0) return list();
    if (strcmp(word[0], "import") != 0) return show(word[0], &a);
    if (n < 2) return say_wrong("brains import: which file?");
    return import(word[1], &a);
}

const command command_brains = {
    .name = "brains",
    .usage = "[NAME | import FILE [--robot R] [-o brain.yaml]]",
    .en = "list brains, tell the facts of one, import a maker's policy",
    .zh = "列出大脑，给出其内容，导入厂家的策略",
    .more_en =
        "Examples\n"
        "  qiao brains\n"
        "  qiao brains g1_walk\n"
        "  qiao brains import deploy.yaml --robot g1 -o brains/mine/brain.yaml\n\n"
        "Forms: brain.yaml, unitree_rl_gym YAML, Isaac Lab deploy.yaml, rl_sar config.yaml,\n"
        "LimX params.yaml and walk_param.yaml, Leju's controller YAML, ONNX with metadata\n"
        "(BeyondMimic, mjlab, Holosoma), ONNX of MuJoCo Playground. docs/manifest.md.",
    .more_zh =
        "例子\n"
        "  qiao brains\n"
        "  qiao brains g1_walk\n"
        "  qiao brains import deploy.yaml --robot g1 -o brains/mine/brain.yaml\n\n"
        "可读：brain.yaml、unitree_rl_gym YAML、Isaac Lab deploy.yaml、rl_sar config.yaml、\n"
        "逐际动力 params.yaml 与 walk_param.yaml、乐聚控制器 YAML、带元数据的 ONNX\n"
        "（BeyondMimic、mjlab、Holosoma）、MuJoCo Playground 的 ONNX。见 docs/manifest.md。",
    .run = run,
};
