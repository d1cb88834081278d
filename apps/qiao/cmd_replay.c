// SPDX-License-Identifier: Apache-2.0
// cmd_replay.c - qiao replay: pages, pictures and facts from a record.
#include "commands.h"

#include "qiao/learn.h"
#include "qiao/rec.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

// Base and joints over time, for a recipe that follows them.
static int write_motion(const char *record, const char *csv, const char *from, const char *to) {
    double a = 0, b = -1;
    qiao_diag d = {0};
    if ((from && !args_number("--from", from, 0, 1e5, &a)) ||
        (to && !args_number("--to", to, 0, 1e5, &b)))
        return EXIT_WRONG;
    if (qiao_motion_csv(record, csv, a, b, 50, &d)) return say_wrong(d.text);
    printf("%s\n", csv);
    return EXIT_PASSED;
}

static int run(const command *c, int argc, char **argv) {
    const char *html = NULL, *png = NULL, *pictures = "8";
    const char *motion = NULL, *from = NULL, *to = NULL;
    bool info = false;
    const option opts[] = {
        {"--html", "FILE", "write the replay page here (default: beside the record)",
         "回放页面写到这里（默认：记录旁边）", &html, NULL},
        {"--png", "FILE", "write a strip of pictures instead", "改为写一条连环图片", &png, NULL},
        {"--pictures", "N", "pictures in the strip (default 8)", "图片张数（默认 8）", &pictures,
         NULL},
        {"--motion", "FILE", "write base and joints over time as CSV, 50 rows a second",
         "把机身与关节随时间的轨迹写成 CSV，每秒 50 行", &motion, NULL},
        {"--from", "S", "of the motion, s of the record (default 0)", "轨迹起点（秒，默认 0）",
         &from, NULL},
        {"--to", "S", "and its end (default: the record's)", "轨迹终点（秒，默认到记录结束）", &to,
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
    if (motion) return write_motion(path, motion, from, to);
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
