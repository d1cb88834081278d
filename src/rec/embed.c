// SPDX-License-Identifier: Apache-2.0
// embed.c - takes the files of pages (replay, report) and three.js into the program; paths from the
// top folder.
#include "rec/embed.h"

#include <stddef.h>
#include <string.h>

#define EMBED_LIST(X)                                         \
    X(page, "viewer.html", "viewer/viewer.html")              \
    X(style, "viewer.css", "viewer/viewer.css")               \
    X(text, "text.js", "viewer/text.js")                      \
    X(data, "data.js", "viewer/data.js")                      \
    X(scene, "scene.js", "viewer/scene.js")                   \
    X(plots, "plots.js", "viewer/plots.js")                   \
    X(timeline, "timeline.js", "viewer/timeline.js")          \
    X(panels, "panels.js", "viewer/panels.js")                \
    X(main, "main.js", "viewer/main.js")                      \
    X(report, "report.html", "viewer/report.html")            \
    X(report_style, "report.css", "viewer/report.css")        \
    X(report_text, "report_text.js", "viewer/report_text.js") \
    X(report_draw, "report_draw.js", "viewer/report_draw.js") \
    X(report_main, "report.js", "viewer/report.js")           \
    X(train, "train.html", "viewer/train.html")               \
    X(identify, "identify.html", "viewer/identify.html")      \
    X(three, "three.js", "build/extern/nicegui/three.js")

// clang-format off
#define EMBED(id, name, path)                                           \
    __asm__(".pushsection .rodata\n"                                    \
            ".global qi_embed_" #id "\n.hidden qi_embed_" #id "\n"       \
            "qi_embed_" #id ":\n.incbin \"" path "\"\n"                 \
            ".global qi_embed_" #id "_end\n.hidden qi_embed_" #id "_end\n" \
            "qi_embed_" #id "_end:\n.byte 0\n.popsection\n");           \
    extern const char qi_embed_##id[], qi_embed_##id##_end[];
// clang-format on
EMBED_LIST(EMBED)

const char *const qi_embed_scripts[] = {"text.js",     "data.js",   "scene.js", "plots.js",
                                        "timeline.js", "panels.js", "main.js",  NULL};

const qi_embed *qi_embed_get(const char *name) {
#define ENTRY(id, file, path) {file, qi_embed_##id, qi_embed_##id##_end},
    static const qi_embed all[] = {EMBED_LIST(ENTRY)};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (!strcmp(all[i].name, name)) return &all[i];
    return NULL;
}
