// SPDX-License-Identifier: Apache-2.0
// cmd_compile.c - qiao compile: a network becomes C99 for a microcontroller.
#include "commands.h"

#include "qiao/nn.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

// The file's name without folder and ending, as a name of C.
static void name_of(const char *path, char name[41]) {
    const char *slash = strrchr(path, '/');
    const char *s = slash ? slash + 1 : path;
    int n = 0;
    if (!isalpha((unsigned char)*s)) name[n++] = 'n';
    for (; *s && *s != '.' && n < 40; s++) name[n++] = isalnum((unsigned char)*s) ? *s : '_';
    name[n] = 0;
}

static int run(const command *c, int argc, char **argv) {
    static const char *const TYPE[] = {"float32", "bfloat16", "int8"};
    const char *dir = ".", *name = NULL, *type = "float32", *word[1];
    const option opts[] = {{"-o", "DIR", "folder of the two files (the present one)",
                            "两个文件所在的文件夹（当前文件夹）", &dir, NULL},
                           {"--name", "NAME", "NAME.h, NAME.c and NAME_run (the file's own name)",
                            "NAME.h、NAME.c 与 NAME_run（默认取文件名）", &name, NULL},
                           {"--weights", "TYPE", "float32, bfloat16 or int8",
                            "float32、bfloat16 或 int8", &type, NULL},
                           {0}};
    int n = args_parse(c, opts, argc, argv, word, 1);
    if (n < 0) return n == -1 ? EXIT_PASSED : EXIT_WRONG;
    if (n == 0)
        return say_wrong(args_chinese() ? "compile 需要一个 ONNX 文件"
                                        : "compile needs an ONNX file");
    int t = 0;
    char own[41];
    while (t < 3 && strcmp(type, TYPE[t])) t++;
    if (t == 3) {
        const char *near = qiao_nearest(type, TYPE, 3);
        fprintf(stderr, "qiao: --weights '%s'%s%s, expected float32, bfloat16 or int8\n", type,
                near ? ", did you mean " : "", near ? near : "");
        return EXIT_WRONG;
    }
    name_of(word[0], own);
    qiao_diag d = {0};
    qiao_nn *nn = qiao_nn_load(word[0], (qiao_nn_type)t, &d);
    if (!nn) return say_wrong(d.text);
    qiao_err e = qiao_nn_write_c(nn, dir, name ? name : own, &d);
    qiao_nn_free(nn);
    if (e) return say_wrong(d.text);
    printf(args_chinese() ? "已写 %s/%s.h 与 %s/%s.c，权重 %s\n"
                          : "wrote %s/%s.h and %s/%s.c, weights %s\n",
           dir, name ? name : own, dir, name ? name : own, type);
    return EXIT_PASSED;
}

const command command_compile = {
    .name = "compile",
    .usage = "POLICY.onnx [-o DIR]",
    .en = "write a network as plain C99 for a microcontroller",
    .zh = "把网络写成供单片机使用的纯 C99",
    .more_en =
        "The two files need no library and allocate nothing; built with -std=c99 they give the\n"
        "very bits of qiao (docs/nn.md).\n\n"
        "Examples\n  qiao compile policy.onnx -o firmware\n"
        "  qiao compile policy.onnx --weights int8 --name walk",
    .more_zh = "两个文件不需要任何库，也不分配内存；用 -std=c99 编译，结果与 qiao "
               "逐位相同（docs/nn.md）。\n\n"
               "例子\n  qiao compile policy.onnx -o firmware\n"
               "  qiao compile policy.onnx --weights int8 --name walk",
    .run = run,
};
