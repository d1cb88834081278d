// SPDX-License-Identifier: Apache-2.0
// cmd_replay.c - qiao replay: pages, pictures and facts from a record.
#include "commands.h"

#include "qiao/rec.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int run(const command *c, int argc, char **argv) {
    const char *html = NULL, *png = NULL, *pictures = "8";
    bool info = false;
    const option opts[] = {
        {"--html", "FILE", "write the replay page here (default: beside the record)",
         "回放页面写到这里（默认：记录旁边）", &html, NULL},
        {"--png", "FILE", "write a strip of pictures instead", "改为写一条连环图片", &png, NULL},
        {"--pictures", "N", "pictures in the strip (default 8)", "图片张数（默认 8）", &pictures,
         NULL},
        {"--info", NULL, "print what is in the record as JSON", "以 JSON 列出记录的内容", NULL,
         &info},
        {0}};
    const char *word[1];
    int n = args_parse(c, opts, argc, argv, word, 1);
    if (n < 0) return n == -1 ? EXIT_PASSED : EXIT_WRONG;
    if (n == 0) return say_wrong("replay: which record? give the path of a .mcap or its folder");
    // a folder stands for the record in it
    char path[PATH_MAX], page[PATH_MAX];
    struct stat st;
    bool folder = stat(word[0], &st) == 0 && S_ISDIR(st.st_mode);
    snprintf(path, sizeof path, folder ? "%s/record.mcap" : "%s", word[0]);
    qiao_diag d = {0};
    if (info) {
        char *text = qiao_replay_info(path, &d);
        if (!text) return say_wrong(d.text);
        fputs(text, stdout);
        free(text);
        return EXIT_PASSED;
    }
    if (png) {
        long long count;
        if (!args_integer("--pictures", pictures, 1, 100, &count)) return EXIT_WRONG;
        if (qiao_replay_png(path, png, (int)count, &d)) return say_wrong(d.text);
        printf("%s\n", png);
        return EXIT_PASSED;
    }
    if (!html) {
        const char *slash = strrchr(path, '/');
        int len = slash ? (int)(slash - path) + 1 : 0;
        snprintf(page, sizeof page, "%.*sreplay.html", len, path);
        html = page;
    }
    if (qiao_replay_html(path, html, &d)) return say_wrong(d.text);
    printf("%s\n", html);
    return EXIT_PASSED;
}

const command command_replay = {
    .name = "replay",
    .usage = "RECORD [--html FILE | --png FILE | --info]",
    .en = "make a replay page or a strip of pictures from a record",
    .zh = "由记录生成回放页面或连环图片",
    .more_en = "RECORD is a .mcap file or the folder that holds it. The page is one file: it works "
               "from disk,\noffline and on a phone. The record itself opens in Foxglove, Rerun and "
               "ROS 2 tools.\n\nExamples\n"
               "  qiao replay results/parcel_route-go2-trot-1\n"
               "  qiao replay results/parcel_route-go2-trot-1 --png strip.png --pictures 6",
    .more_zh =
        "RECORD 是 .mcap 文件或其所在目录。页面是单个文件：可从磁盘直接打开，离线、手机均可。\n"
        "记录本身可用 Foxglove、Rerun 和 ROS 2 工具打开。\n\n例子\n"
        "  qiao replay results/parcel_route-go2-trot-1\n"
        "  qiao replay results/parcel_route-go2-trot-1 --png strip.png --pictures 6",
    .run = run,
};
