// SPDX-License-Identifier: Apache-2.0
// embed.h - the files of the replay page inside the program.
#ifndef QI_REC_EMBED_H
#define QI_REC_EMBED_H

typedef struct qi_embed {
    const char *name; // "viewer.html", "three.js", ...
    const char *begin, *end;
} qi_embed;
const qi_embed *qi_embed_get(const char *name); // NULL if there is none
// Scripts in the order in which they belong into the page, NULL-terminated.
extern const char *const qi_embed_scripts[];

#endif
